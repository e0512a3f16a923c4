/* SPDX-License-Identifier: BSD-3-Clause
 * cache.c - files as if they had never been read
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "cache.h"
#include "walk.h"

static bool by_advice;

const char *cache_how(void)
{
    return by_advice ? "posix_fadvise per file: data dropped, names and inodes still cached"
                     : "drop_caches: data, names and inodes dropped";
}

static int drop_all(void)
{
    int err = 0, fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    if (write(fd, "3", 1) != 1)
        err = -errno;
    close(fd);
    return err;
}

static int drop_file(const char *path, void *root)
{
    int fd = openat(*(int *)root, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

    /* What cannot be opened is counted by the run itself. */
    if (fd < 0)
        return 0;
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    close(fd);
    return 0;
}

int cache_drop(const struct options *o)
{
    int err, root;

    /* Dirty pages are not dropped. */
    sync();
    by_advice = drop_all() != 0;
    if (!by_advice)
        return 0;
    root = open(o->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return -errno;
    err = walk_tree(root, drop_file, &root, NULL);
    close(root);
    return err;
}
