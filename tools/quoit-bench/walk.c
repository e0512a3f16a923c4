/* SPDX-License-Identifier: BSD-3-Clause
 * walk.c - every regular file below a directory, by plain system calls
 *
 * All peers of `scan` use this one, so it is part of the job and no difference
 * between them. Directories that wait are kept by path, not open: a deep tree
 * needs no descriptors.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "walk.h"

enum { ENTRIES = 65536 };

struct dir {
    struct dir *next;
    dev_t dev; /* of the directory above */
    char path[];
};

struct walker {
    int root;
    walk_fn each;
    void *arg;
    struct tally *tally;
    struct dir *waiting;
    char *entries;
};

static pthread_mutex_t tally_lock = PTHREAD_MUTEX_INITIALIZER;

static const struct {
    const char *key, *says;
} kinds[SKIP_KINDS] = {
    [SKIP_LINK] = {"links", "not followed (symbolic links)"},
    [SKIP_SPECIAL] = {"special", "not opened (pipes, sockets, devices)"},
    [SKIP_KERNEL] = {"kernel", "not entered (file systems of the kernel)"},
    [SKIP_DENIED] = {"denied", "not readable (permission denied)"},
    [SKIP_GONE] = {"vanished", "vanished meanwhile"},
    [SKIP_FAILED] = {"failed", "failed"},
};

const char *skip_says(enum skip kind)
{
    return kinds[kind].says;
}

const char *skip_key(enum skip kind)
{
    return kinds[kind].key;
}

void tally_add(struct tally *t, enum skip kind, const char *path)
{
    uint64_t n;
    char *name;

    if (!t)
        return;
    pthread_mutex_lock(&tally_lock);
    n = t->count[kind]++;
    if (n < SKIP_NAMED) {
        name = t->name[kind][n];
        snprintf(name, SKIP_NAME, "%.*s", SKIP_NAME - 1, path[0] ? path : ".");
        /* A name may hold what would move a terminal's cursor. */
        for (; *name; name++)
            if ((unsigned char)*name < ' ' || *name == 127)
                *name = '?';
    }
    pthread_mutex_unlock(&tally_lock);
}

void tally_error(struct tally *t, int err, const char *path)
{
    char named[SKIP_NAME];

    if (err == -EACCES || err == -EPERM) {
        tally_add(t, SKIP_DENIED, path);
    } else if (err == -ENOENT || err == -ESTALE || err == -ENOTDIR) {
        tally_add(t, SKIP_GONE, path);
    } else {
        snprintf(named, sizeof(named), "%s: %s", strerror(-err), path);
        tally_add(t, SKIP_FAILED, named);
    }
}

/* Files there are made up when they are read, some without end. */
static bool is_kernel_fs(int fd)
{
    static const long magic[] = {PROC_SUPER_MAGIC, SYSFS_MAGIC,        DEBUGFS_MAGIC,
                                 TRACEFS_MAGIC,    CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC,
                                 SECURITYFS_MAGIC, BPF_FS_MAGIC,       DEVPTS_SUPER_MAGIC};
    struct statfs fs;

    if (fstatfs(fd, &fs) < 0)
        return false;
    for (size_t i = 0; i < array_len(magic); i++)
        if ((long)fs.f_type == magic[i])
            return true;
    return false;
}

static int push(struct walker *w, const char *path, dev_t dev)
{
    size_t len = strlen(path) + 1;
    struct dir *d = malloc(sizeof(*d) + len);

    if (!d)
        return -ENOMEM;
    memcpy(d->path, path, len);
    d->dev = dev;
    d->next = w->waiting;
    w->waiting = d;
    return 0;
}

static int one_entry(struct walker *w, int fd, const struct dir *d, dev_t dev,
                     const struct dirent64 *e)
{
    unsigned char type = e->d_type;
    struct stat st;
    char path[PATH_MAX];

    if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
        return 0;
    if ((size_t)snprintf(path, sizeof(path), "%s%s%s", d->path, d->path[0] ? "/" : "", e->d_name) >=
        sizeof(path)) {
        tally_error(w->tally, -ENAMETOOLONG, path);
        return 0;
    }
    if (type == DT_UNKNOWN) {
        if (fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
            tally_error(w->tally, -errno, path);
            return 0;
        }
        type = IFTODT(st.st_mode);
    }
    if (type == DT_REG)
        return w->each(path, w->arg);
    if (type == DT_DIR)
        return push(w, path, dev);
    tally_add(w->tally, type == DT_LNK ? SKIP_LINK : SKIP_SPECIAL, path);
    return 0;
}

static int all_entries(struct walker *w, int fd, const struct dir *d, dev_t dev)
{
    for (;;) {
        ssize_t n = getdents64(fd, w->entries, ENTRIES);

        if (n < 0)
            tally_error(w->tally, -errno, d->path);
        if (n <= 0)
            return 0;
        for (ssize_t at = 0; at < n;) {
            const struct dirent64 *e = (const void *)(w->entries + at);
            int err = one_entry(w, fd, d, dev, e);

            if (err)
                return err;
            at += e->d_reclen;
        }
    }
}

static int one_dir(struct walker *w, const struct dir *d)
{
    struct stat st;
    int err = 0, fd = openat(w->root, d->path[0] ? d->path : ".",
                             O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) < 0)
        tally_error(w->tally, -errno, d->path);
    else if (st.st_dev != d->dev && is_kernel_fs(fd))
        tally_add(w->tally, SKIP_KERNEL, d->path);
    else
        err = all_entries(w, fd, d, st.st_dev);
    if (fd >= 0)
        close(fd);
    return err;
}

int walk_tree(int root, walk_fn each, void *arg, struct tally *tally)
{
    struct walker w = {.root = root, .each = each, .arg = arg, .tally = tally};
    int err = -ENOMEM;

    w.entries = malloc(ENTRIES);
    if (w.entries)
        err = push(&w, "", (dev_t)-1);
    while (w.waiting) {
        struct dir *d = w.waiting;

        w.waiting = d->next;
        if (!err)
            err = one_dir(&w, d);
        free(d);
    }
    free(w.entries);
    return err;
}
