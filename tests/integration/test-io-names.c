/* SPDX-License-Identifier: BSD-3-Clause
 * test-io-names.c - names in the file system are made, moved and taken away
 *
 * The environment says which way the calls go; what a program sees is the same.
 */
#include "quoit.h"
#include "quoit_io.h"

#include "fds.h"
#include "tap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAMES = 500, CROWD = 50 };

static char dir[] = "/tmp/quoit-names-XXXXXX";
static int dirfd_;

static int make(const char *name)
{
    int fd = quoit_openat(dirfd_, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    return fd < 0 ? fd : quoit_close(fd);
}

static void names_come_and_go(void)
{
    char target[8] = "";

    is_int(quoit_mkdirat(dirfd_, "d", 0700), 0, "mkdirat");
    is_int(quoit_mkdirat(dirfd_, "d", 0700), -EEXIST, "mkdirat twice");
    is_int(quoit_mkdirat(dirfd_, "no/d", 0700), -ENOENT, "mkdirat nowhere");
    is_int(make("d/a"), 0, "a file");
    is_int(make("d/a"), -EEXIST, "again, with O_EXCL");
    is_int(quoit_renameat(dirfd_, "d/a", dirfd_, "d/b"), 0, "renameat");
    is_int(quoit_renameat(dirfd_, "d/a", dirfd_, "d/b"), -ENOENT, "renameat of what is gone");
    is_int(quoit_linkat(dirfd_, "d/b", dirfd_, "d/c", 0), 0, "linkat");
    is_int(quoit_linkat(dirfd_, "d/b", dirfd_, "d/c", 0), -EEXIST, "linkat twice");
    is_int(quoit_renameat2(dirfd_, "d/b", dirfd_, "d/c", RENAME_NOREPLACE), -EEXIST,
           "renameat2 that replaces nothing");
    is_int(quoit_symlinkat("b", dirfd_, "d/s"), 0, "symlinkat");
    is_int(quoit_symlinkat("b", dirfd_, "d/s"), -EEXIST, "symlinkat twice");
    is_int(readlinkat(dirfd_, "d/s", target, sizeof target - 1), 1, "the link is there");
    is_str(target, "b", "and says where");
    is_int(quoit_unlinkat(dirfd_, "d", 0), -EISDIR, "unlinkat of a directory");
    is_int(quoit_unlinkat(dirfd_, "d", AT_REMOVEDIR), -ENOTEMPTY, "that is not empty");
    is_int(quoit_unlinkat(dirfd_, "d/s", 0), 0, "unlinkat of the link");
    is_int(quoit_unlinkat(dirfd_, "d/b", 0), 0, "of the file");
    is_int(quoit_unlinkat(dirfd_, "d/c", 0), 0, "of its other name");
    is_int(quoit_unlinkat(dirfd_, "d/c", 0), -ENOENT, "and once more");
    is_int(quoit_unlinkat(dirfd_, "d", AT_REMOVEDIR), 0, "unlinkat of an empty directory");
    is_int(quoit_mkdirat(-5, "d", 0700), -EBADF, "mkdirat in no directory");
    is_int(quoit_unlinkat(-5, "d", 0), -EBADF, "unlinkat in no directory");
    is_int(quoit_unlinkat(dirfd_, NULL, 0), -EFAULT, "unlinkat of no name");
}

static void paths_without_a_directory(void)
{
    char a[64], b[64];

    snprintf(a, sizeof a, "%s/a", dir);
    snprintf(b, sizeof b, "%s/b", dir);
    is_int(quoit_mkdirat(AT_FDCWD, a, 0700), 0, "AT_FDCWD: mkdirat");
    is_int(quoit_renameat(AT_FDCWD, a, AT_FDCWD, b), 0, "renameat");
    is_int(quoit_unlinkat(AT_FDCWD, b, AT_REMOVEDIR), 0, "unlinkat");
    is_int(quoit_symlinkat("nowhere", AT_FDCWD, a), 0, "symlinkat");
    is_int(quoit_linkat(AT_FDCWD, a, AT_FDCWD, b, 0), 0, "linkat of the link itself");
    is_int(quoit_unlinkat(AT_FDCWD, a, 0), 0, "unlinkat");
    is_int(quoit_unlinkat(AT_FDCWD, b, 0), 0, "unlinkat");
}

/* ---- what is in a directory ----------------------------------------------------------------- */

static int count_names(int fd)
{
    _Alignas(struct dirent64) char buf[1000];
    ssize_t n;
    int sum = 0;

    while ((n = quoit_getdents(fd, buf, sizeof buf)) > 0) {
        for (ssize_t at = 0; at < n;) {
            const struct dirent64 *d = (const void *)(buf + at);

            sum += d->d_name[0] == 'n';
            at += d->d_reclen;
        }
    }
    return n < 0 ? (int)n : sum;
}

static void directories_are_listed(void)
{
    char name[16], few[1];
    int fd, n = 0;

    for (int i = 0; i < NAMES; i++) {
        snprintf(name, sizeof name, "n%d", i);
        n += make(name) == 0;
    }
    is_int(n, NAMES, "many files");
    fd = quoit_openat(dirfd_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    is_int(count_names(fd), NAMES, "getdents finds each of them once");
    is_int(lseek(fd, 0, SEEK_SET), 0, "rewound");
    is_int(quoit_getdents(fd, few, sizeof few), -EINVAL, "a buffer that holds no name");
    quoit_close(fd);
    is_int(quoit_getdents(NO_FD, few, sizeof few), -EBADF, "getdents of a closed one");
    n = 0;
    for (int i = 0; i < NAMES; i++) {
        snprintf(name, sizeof name, "n%d", i);
        n += quoit_unlinkat(dirfd_, name, 0) == 0;
    }
    is_int(n, NAMES, "and all are taken away");
}

/* ---- many at once --------------------------------------------------------------------------- */

static quoit_wg done;
static int made;

static int one_of_many(void *arg)
{
    char a[24], b[24];

    snprintf(a, sizeof a, "x%d", (int)(intptr_t)arg);
    snprintf(b, sizeof b, "y%d", (int)(intptr_t)arg);
    if (quoit_mkdirat(dirfd_, a, 0700) == 0 && quoit_renameat(dirfd_, a, dirfd_, b) == 0 &&
        quoit_unlinkat(dirfd_, a, AT_REMOVEDIR) == -ENOENT &&
        quoit_unlinkat(dirfd_, b, AT_REMOVEDIR) == 0)
        __atomic_add_fetch(&made, 1, __ATOMIC_RELAXED);
    quoit_wg_done(&done);
    return 0;
}

static void many_at_once(void)
{
    quoit_wg_add(&done, CROWD);
    for (intptr_t i = 0; i < CROWD; i++)
        quoit_go(one_of_many, (void *)i);
    quoit_wg_wait(&done);
    is_int(made, CROWD, "many goroutines make, move and take away their own");
}

/* ---- all of it ------------------------------------------------------------------------------ */

static void *all(void *arg)
{
    names_come_and_go();
    paths_without_a_directory();
    directories_are_listed();
    return arg;
}

static int body(void *arg)
{
    pthread_t t;

    all(arg);
    many_at_once();
    if (pthread_create(&t, NULL, all, NULL) != 0)
        bail("pthread_create");
    pthread_join(t, NULL);
    return 0;
}

int main(void)
{
    if (mkdtemp(dir) == NULL)
        bail("no temporary directory");
    dirfd_ = open(dir, O_RDONLY | O_DIRECTORY);
    is_int(quoit_main(body, NULL), 0, "quoit_main");
    is_int(rmdir(dir), 0, "nothing is left");
    return done_testing();
}
