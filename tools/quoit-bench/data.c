/* SPDX-License-Identifier: BSD-3-Clause
 * data.c - the file that is read by randread, seqread and pipeline
 *
 * Made once, by the parent, when the first of them is about to run; children
 * have the descriptor from it. They run one at a time, so each may set O_DIRECT
 * to its liking, though the flag is common to all.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "data.h"

enum { CHUNK = 1 << 20, WORDS = DATA_BLOCK / sizeof(uint64_t) };

static int fd = -1;
static uint64_t size;
static char why[PATH_MAX + 128];
static uint64_t chunk[CHUNK / sizeof(uint64_t)];

static const char *folder(const struct options *o)
{
    const char *tmp = getenv("TMPDIR");

    if (o->data_dir)
        return o->data_dir;
    return tmp && *tmp ? tmp : "/var/tmp";
}

/* Where the file system makes no file without a name, it gets one for as long
 * as it takes to remove it. */
static int nameless(const char *dir)
{
    int made = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    char path[PATH_MAX];

    if (made >= 0)
        return made;
    if (snprintf(path, sizeof(path), "%s/quoit-bench.XXXXXX", dir) >= (int)sizeof(path))
        return -ENAMETOOLONG;
    made = mkostemp(path, O_CLOEXEC);
    if (made < 0)
        return -errno;
    unlink(path);
    return made;
}

int data_scratch(const struct options *o)
{
    return nameless(folder(o));
}

static uint64_t word_at(uint64_t i)
{
    return (i + 1) * 0x9e3779b97f4a7c15u;
}

const char *data_why_not_scratch(const struct options *o)
{
    static char none[PATH_MAX + 128];
    int made = nameless(folder(o));

    if (made >= 0) {
        close(made);
        return NULL;
    }
    snprintf(none, sizeof(none), "a file in %s: %s. --data names another folder", folder(o),
             strerror(-made));
    return none;
}

static int fill(void)
{
    for (uint64_t at = 0; at < size; at += CHUNK) {
        for (size_t i = 0; i < array_len(chunk); i++)
            chunk[i] = word_at(at / sizeof(uint64_t) + i);
        for (size_t done = 0; done < CHUNK;) {
            ssize_t n = pwrite(fd, (char *)chunk + done, CHUNK - done, (off_t)(at + done));

            if (interrupted || n < 0)
                return interrupted ? -EINTR : -errno;
            done += (size_t)n;
        }
    }
    return fsync(fd) < 0 ? -errno : 0;
}

const char *data_why_not(const struct options *o)
{
    int err;

    if (fd >= 0 || why[0])
        return why[0] ? why : NULL;
    progress("making a file of %llu MiB in %s", (unsigned long long)o->data_size >> 20, folder(o));
    fd = nameless(folder(o));
    size = o->data_size;
    err = fd < 0 ? fd : fill();
    if (!err)
        return NULL;
    if (fd >= 0)
        close(fd);
    fd = -1;
    snprintf(why, sizeof(why), "a file of %llu MiB in %s: %s. --data names another folder, --size "
             "another size", (unsigned long long)size >> 20, folder(o), strerror(-err));
    return why;
}

static int set_direct(bool on)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || fcntl(fd, F_SETFL, on ? flags | O_DIRECT : flags & ~O_DIRECT) < 0)
        return -errno;
    return 0;
}

const char *data_why_not_direct(const struct options *o)
{
    static char direct[PATH_MAX + 128];
    const char *none = data_why_not(o);
    int err;

    if (none)
        return none;
    err = set_direct(true);
    if (!err && pread(fd, (void *)(((uintptr_t)chunk + DATA_BLOCK) & -(uintptr_t)DATA_BLOCK),
                      DATA_BLOCK, 0) < 0)
        err = -errno;
    set_direct(false);
    if (!err)
        return NULL;
    snprintf(direct, sizeof(direct), "%s takes no reads past the page cache (O_DIRECT): %s. "
             "--data names another folder", folder(o), strerror(-err));
    return direct;
}

static int rewound(bool direct)
{
    int err = set_direct(direct);

    if (err)
        return err;
    return lseek(fd, 0, SEEK_SET) < 0 ? -errno : fd;
}

int data_hot(void)
{
    int err = set_direct(false);

    for (uint64_t at = 0; at < size && !err; at += CHUNK)
        if (pread(fd, chunk, CHUNK, (off_t)at) < 0)
            err = -errno;
    return err ? err : rewound(false);
}

static void drop(void)
{
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

int data_cold(void)
{
    drop();
    return rewound(false);
}

int data_direct(void)
{
    drop();
    return rewound(true);
}

uint64_t data_blocks(void)
{
    return size / DATA_BLOCK;
}

bool data_right(const void *buf, size_t bytes, uint64_t block)
{
    const uint64_t *word = buf;
    uint64_t first = block * WORDS;

    for (; bytes > 0; bytes -= DATA_BLOCK, word += WORDS, first += WORDS)
        if (word[0] != word_at(first) || word[WORDS - 1] != word_at(first + WORDS - 1))
            return false;
    return true;
}
