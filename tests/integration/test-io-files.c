/* SPDX-License-Identifier: BSD-3-Clause
 * test-io-files.c - what can be done with an open file, by a goroutine and by a plain thread
 *
 * The environment says which way the calls go; what a program sees is the same.
 */
#include "quoit.h"
#include "quoit_io.h"

#include "fds.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { BYTES = 1 << 20 };

static char dir[] = "/tmp/quoit-files-XXXXXX";
static int dirfd_;

static int new_file(void)
{
    int fd = quoit_openat(dirfd_, "file", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0)
        bail("openat: %d", fd);
    return fd;
}

/* ---- several buffers ------------------------------------------------------------------------ */

static void vectors_are_written_and_read(void)
{
    char a[3] = "abc", b[5] = "defgh", x[4], y[10] = "";
    struct iovec out[] = { { a, 3 }, { b, 5 } }, in[] = { { x, 4 }, { y, sizeof y } };
    int fd = new_file();

    is_int(quoit_writev(fd, out, 2), 8, "writev at the file's position");
    is_int(quoit_pwritev(fd, out, 2, 8), 8, "pwritev");
    is_int(lseek(fd, 0, SEEK_CUR), 8, "which leaves the position alone");
    is_int(lseek(fd, 1, SEEK_SET), 1, "lseek");
    is_int(quoit_readv(fd, in, 2), 14, "readv from there");
    ok(memcmp(x, "bcde", 4) == 0 && memcmp(y, "fghabcdefg", 10) == 0, "into both, in order");
    is_int(quoit_readv(fd, in, 2), 1, "readv is short at the end of the file");
    is_int(quoit_readv(fd, in, 2), 0, "and 0 there");
    is_int(quoit_preadv(fd, in, 2, 14), 2, "preadv is short at the end");
    ok(memcmp(x, "gh", 2) == 0, "and has the last bytes");
    is_int(quoit_preadv2(fd, in, 2, -1, 0), 0, "preadv2 at -1: the file's position");
    is_int(quoit_pwritev2(fd, out, 1, -1, RWF_DSYNC), 3, "pwritev2 with a flag");
    is_int(quoit_preadv(fd, in, 2, -1), -EINVAL, "preadv at a negative place");
    is_int(quoit_preadv2(fd, in, 2, -2, 0), -EINVAL, "preadv2 below -1");
    is_int(quoit_readv(fd, in, IOV_MAX + 1), -EINVAL, "more buffers than IOV_MAX");
    is_int(quoit_readv(fd, in, -1), -EINVAL, "less than none");
    is_int(quoit_readv(fd, in, 0), 0, "none");
    is_int(quoit_close(fd), 0, "close");
    is_int(quoit_readv(NO_FD, in, 2), -EBADF, "readv from a closed one");
    is_int(quoit_writev(NO_FD, out, 2), -EBADF, "writev to a closed one");
    is_int(quoit_preadv2(NO_FD, in, 2, 0, RWF_NOWAIT), -EBADF, "preadv2 that does not wait");
}

/* Not all of it in memory: in both ways the whole is read. */
static void a_large_vector_is_whole(void)
{
    char *out = malloc(BYTES), *in = malloc(BYTES);
    struct iovec v[] = { { in, 1000 }, { in + 1000, BYTES - 1000 } };
    int fd = new_file();

    for (int i = 0; i < BYTES; i++)
        out[i] = (char)(i * 7 + i / 4096);
    is_int(quoit_pwrite(fd, out, BYTES, 0), BYTES, "a megabyte");
    is_int(quoit_fdatasync(fd), 0, "fdatasync");
    is_int(quoit_fadvise(fd, 8192, BYTES / 2, POSIX_FADV_DONTNEED), 0, "fadvise: not needed");
    is_int(quoit_preadv(fd, v, 2, 0), BYTES, "preadv of what is partly in memory");
    ok(memcmp(in, out, BYTES) == 0, "and has all of it");
    is_int(quoit_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0, "fadvise of all");
    memset(in, 0, BYTES);
    is_int(quoit_readv(fd, v, 2), BYTES, "readv of what is not in memory");
    ok(memcmp(in, out, BYTES) == 0, "and has all of it");
    quoit_close(fd);
    free(out);
    free(in);
}

static void a_pipe_takes_vectors(void)
{
    char a[] = "pi", b[] = "pe", in[8] = "";
    struct iovec out[] = { { a, 2 }, { b, 2 } }, back = { in, sizeof in };
    int p[2];

    if (pipe(p) < 0)
        bail("pipe");
    is_int(quoit_preadv2(p[0], &back, 1, -1, RWF_NOWAIT), -EAGAIN, "nothing there: RWF_NOWAIT");
    is_int(quoit_writev(p[1], out, 2), 4, "writev to a pipe");
    is_int(quoit_readv(p[0], &back, 1), 4, "readv from it");
    is_str(in, "pipe", "what was written");
    quoit_close(p[0]);
    is_int(quoit_pwritev2(p[1], out, 2, -1, RWF_NOWAIT), -EPIPE, "nobody reads");
    quoit_close(p[1]);
}

/* ---- what a file is ------------------------------------------------------------------------- */

static off_t size_of(int fd)
{
    struct stat st;

    return fstat(fd, &st) < 0 ? -1 : st.st_size;
}

static void files_get_their_sizes(void)
{
    int fd = new_file(), e, p[2];

    is_int(quoit_ftruncate(fd, 10000), 0, "ftruncate makes it longer");
    is_int(size_of(fd), 10000, "as long as that");
    is_int(quoit_ftruncate(fd, 5), 0, "ftruncate makes it shorter");
    is_int(size_of(fd), 5, "as short as that");
    is_int(quoit_ftruncate(fd, -1), -EINVAL, "ftruncate to less than nothing");
    e = quoit_fallocate(fd, 0, 0, 50000);
    if (e == -EOPNOTSUPP)
        skip("this file system does not allocate");
    else
        is_int(e == 0 ? size_of(fd) : e, 50000, "fallocate");
    is_int(quoit_fallocate(fd, 0, 0, 0), -EINVAL, "fallocate of nothing");
    is_int(quoit_sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE), 0, "sync_file_range");
    is_int(quoit_sync_file_range(fd, 0, INT64_C(5) << 30, SYNC_FILE_RANGE_WRITE), 0,
           "sync_file_range longer than 32 bits");
    is_int(quoit_sync_file_range(fd, 0, 1, ~0u), -EINVAL, "sync_file_range with all flags");
    is_int(quoit_fadvise(fd, 0, INT64_C(5) << 30, POSIX_FADV_WILLNEED), 0, "fadvise");
    is_int(quoit_fadvise(fd, 0, 0, 99), -EINVAL, "fadvise with no advice");
    is_int(quoit_fsync(fd), 0, "fsync");
    quoit_close(fd);
    is_int(quoit_ftruncate(NO_FD, 0), -EBADF, "ftruncate of a closed one");
    is_int(quoit_fallocate(NO_FD, 0, 0, 1), -EBADF, "fallocate of a closed one");
    is_int(quoit_fdatasync(NO_FD), -EBADF, "fdatasync of a closed one");
    is_int(quoit_fadvise(NO_FD, 0, 0, POSIX_FADV_NORMAL), -EBADF, "fadvise of a closed one");
    if (pipe(p) < 0)
        bail("pipe");
    is_int(quoit_fdatasync(p[0]), -EINVAL, "fdatasync of a pipe");
    is_int(quoit_fadvise(p[0], 0, 0, POSIX_FADV_NORMAL), -ESPIPE, "fadvise of a pipe");
    close(p[0]);
    close(p[1]);
}

static void memory_takes_advice(void)
{
    char *p = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        bail("mmap");
    p[BYTES / 2] = 1;
    is_int(quoit_madvise(p, BYTES, MADV_DONTNEED), 0, "madvise");
    is_int(p[BYTES / 2], 0, "the page is gone");
    is_int(quoit_madvise(p + 1, 4096, MADV_DONTNEED), -EINVAL, "madvise of half pages");
    munmap(p, BYTES);
    is_int(quoit_madvise(p, BYTES, MADV_DONTNEED), -ENOMEM, "madvise of what is no memory");
}

static void a_full_device_says_so(void)
{
    char x = 'x';
    struct iovec v = { &x, 1 };
    int fd = quoit_openat(AT_FDCWD, "/dev/full", O_WRONLY | O_CLOEXEC, 0);

    if (fd < 0) {
        skip("no /dev/full: %d", fd);
        return;
    }
    is_int(quoit_write(fd, &x, 1), -ENOSPC, "write to a full device");
    is_int(quoit_writev(fd, &v, 1), -ENOSPC, "writev to a full device");
    quoit_close(fd);
}

static void openat2_looks_where_it_may(void)
{
    struct open_how how = { .flags = O_RDONLY | O_CLOEXEC, .resolve = RESOLVE_BENEATH };
    int fd;

    quoit_close(new_file());
    fd = quoit_openat2(dirfd_, "file", &how, sizeof how);
    if (fd == -ENOSYS) {
        skip("no openat2 in this kernel");
        return;
    }
    ok(fd >= 0, "openat2: %d", fd);
    quoit_close(fd);
    is_int(quoit_openat2(dirfd_, "../etc", &how, sizeof how), -EXDEV, "openat2 above its place");
    is_int(quoit_openat2(dirfd_, "file", &how, 1), -EINVAL, "openat2 with half an argument");
}

/* A limit of the process and so only where nobody else opens anything. */
static void too_many_descriptors_are_an_error(void)
{
    struct rlimit old, few;
    int fd;

    if (getrlimit(RLIMIT_NOFILE, &old) < 0)
        bail("getrlimit");
    fd = new_file();
    few = (struct rlimit){ (rlim_t)fd + 1, old.rlim_max };
    setrlimit(RLIMIT_NOFILE, &few);
    is_int(quoit_openat(dirfd_, "file", O_RDONLY, 0), -EMFILE, "one descriptor too many");
    setrlimit(RLIMIT_NOFILE, &old);
    quoit_close(fd);
}

/* ---- all of it ------------------------------------------------------------------------------ */

static void all(void)
{
    vectors_are_written_and_read();
    a_large_vector_is_whole();
    a_pipe_takes_vectors();
    files_get_their_sizes();
    memory_takes_advice();
    a_full_device_says_so();
    openat2_looks_where_it_may();
    too_many_descriptors_are_an_error();
}

static void *in_a_thread(void *arg)
{
    all();
    return arg;
}

static int body(void *arg)
{
    pthread_t t;

    (void)arg;
    all();
    if (pthread_create(&t, NULL, in_a_thread, NULL) != 0)
        bail("pthread_create");
    pthread_join(t, NULL);
    return 0;
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    if (mkdtemp(dir) == NULL)
        bail("no temporary directory");
    dirfd_ = open(dir, O_RDONLY | O_DIRECTORY);
    is_int(quoit_main(body, NULL), 0, "quoit_main");
    unlinkat(dirfd_, "file", 0);
    rmdir(dir);
    return done_testing();
}
