/* SPDX-License-Identifier: BSD-3-Clause
 * test-io-calls.c - every call of quoit_io.h: results, errors, short counts, and that it parks
 *
 * All of it once with QUOIT_IO=uring and once with QUOIT_IO=posix: what a program sees
 * must be the same.
 */
#include "quoit.h"
#include "quoit_io.h"

#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { READERS = 1000, CROWD = 400, BYTES = 100000, ZEROES = 10 };

static char dir[] = "/tmp/quoit-io-XXXXXX";
static int dirfd_;

/* ---- files ---------------------------------------------------------------------------------- */

static void files_are_written_and_read(void)
{
    static char out[BYTES], in[BYTES + 1];
    int fd = quoit_openat(dirfd_, "file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    ok(fd >= 0, "openat makes a file: %d", fd);
    for (int i = 0; i < BYTES; i++)
        out[i] = (char)(i * 7);
    is_int(quoit_write(fd, out, BYTES), BYTES, "write at the file's position");
    is_int(quoit_pwrite(fd, "abc", 3, 10), 3, "pwrite");
    memcpy(out + 10, "abc", 3);
    is_int(quoit_fsync(fd), 0, "fsync");
    is_int(quoit_read(fd, in, 1), 0, "read at the end: 0");
    is_int(quoit_pread(fd, in, BYTES + 1, 0), BYTES, "pread is short at the end of the file");
    ok(memcmp(in, out, BYTES) == 0, "and has what was written");
    is_int(quoit_pread(fd, in, 10, BYTES - 4), 4, "pread of the last bytes");
    is_int(lseek(fd, 100, SEEK_SET), 100, "lseek");
    is_int(quoit_read(fd, in, 10), 10, "read from there");
    ok(memcmp(in, out + 100, 10) == 0, "has the right bytes");
    is_int(lseek(fd, 0, SEEK_CUR), 110, "and moves the position");
    is_int(quoit_read(fd, in, 0), 0, "read of nothing");
    is_int(quoit_close(fd), 0, "close");
    is_int(fcntl(fd, F_GETFD), -1, "the descriptor is gone");
}

static void errors_are_returned(void)
{
    char b[4];
    struct statx st;
    int fd;

    is_int(quoit_openat(dirfd_, "nothing", O_RDONLY, 0), -ENOENT, "openat: ENOENT");
    is_int(quoit_openat(9999, "nothing", O_RDONLY, 0), -EBADF, "openat: EBADF");
    is_int(quoit_openat(dirfd_, "file", O_RDONLY | O_DIRECTORY, 0), -ENOTDIR, "openat: ENOTDIR");
    is_int(quoit_openat(dirfd_, "file", O_CREAT | O_EXCL, 0600), -EEXIST, "openat: EEXIST");
    is_int(quoit_openat(dirfd_, (const char *)8, O_RDONLY, 0), -EFAULT, "openat: EFAULT");
    is_int(quoit_read(9999, b, 1), -EBADF, "read: EBADF");
    is_int(quoit_read(dirfd_, b, 1), -EISDIR, "read of a directory: EISDIR");
    is_int(quoit_write(9999, b, 1), -EBADF, "write: EBADF");
    is_int(quoit_pread(9999, b, 1, 0), -EBADF, "pread: EBADF");
    is_int(quoit_pread(0, b, 1, -1), -EINVAL, "pread: EINVAL for a negative offset");
    is_int(quoit_pwrite(0, b, 1, -5), -EINVAL, "pwrite: EINVAL for a negative offset");
    is_int(quoit_close(9999), -EBADF, "close: EBADF");
    is_int(quoit_fsync(9999), -EBADF, "fsync: EBADF");
    is_int(quoit_statx(dirfd_, "nothing", 0, STATX_SIZE, &st), -ENOENT, "statx: ENOENT");
    fd = quoit_openat(dirfd_, "file", O_RDONLY, 0);
    is_int(quoit_write(fd, b, 1), -EBADF, "write to a file open for reading: EBADF");
    is_int(quoit_read(fd, (void *)8, 4), -EFAULT, "read: EFAULT");
    is_int(quoit_close(fd), 0, "close");
}

static void statx_fills_in(void)
{
    struct statx st;

    memset(&st, 0, sizeof st);
    is_int(quoit_statx(dirfd_, "file", 0, STATX_SIZE, &st), 0, "statx");
    is_int(st.stx_size, BYTES, "has the size");
}

/* Of a plain thread: a goroutine may go on in another one, which has its own. */
static void errno_is_left_alone(void)
{
    errno = ENOTEMPTY;
    quoit_openat(dirfd_, "nothing", O_RDONLY, 0);
    quoit_close(9999);
    is_int(errno, ENOTEMPTY, "errno is left alone");
}

/* ---- pipes ---------------------------------------------------------------------------------- */

struct reader {
    int fd;
    long got;
    char byte;
    quoit_wg *done;
};

static int read_byte(void *arg)
{
    struct reader *r = arg;

    r->got = quoit_read(r->fd, &r->byte, 1);
    quoit_wg_done(r->done);
    return 0;
}

static void a_read_waits_for_a_later_write(void)
{
    quoit_wg done = QUOIT_WG_INIT;
    struct reader r = { .done = &done };
    int p[2];

    if (pipe(p) < 0)
        bail("pipe");
    r.fd = p[0];
    quoit_wg_add(&done, 1);
    quoit_go(read_byte, &r);
    for (int i = 0; i < 100; i++)
        quoit_yield();
    is_int(quoit_write(p[1], "x", 1), 1, "write to a pipe somebody reads");
    quoit_wg_wait(&done);
    is_int(r.got, 1, "the reader got its byte");
    is_int(r.byte, 'x', "the right one");
    close(p[1]);
    is_int(quoit_read(p[0], &r.byte, 1), 0, "end of file when the writer is gone");
    close(p[0]);
}

static void a_thousand_read_one_pipe(void)
{
    static struct reader r[READERS];
    quoit_wg done = QUOIT_WG_INIT;
    int p[2], sum = 0;

    if (pipe(p) < 0)
        bail("pipe");
    quoit_wg_add(&done, READERS);
    for (int i = 0; i < READERS; i++) {
        r[i] = (struct reader){ .fd = p[0], .done = &done };
        quoit_go(read_byte, &r[i]);
    }
    for (int i = 0; i < 10; i++)
        quoit_yield();
    for (int i = 0; i < READERS; i++)
        if (quoit_write(p[1], "y", 1) != 1)
            bail("write to a pipe with room");
    quoit_wg_wait(&done);
    for (int i = 0; i < READERS; i++)
        sum += r[i].got == 1 && r[i].byte == 'y';
    is_int(sum, READERS, "each of a thousand readers of one pipe got one byte");
    close(p[0]);
    close(p[1]);
}

static int read_zeroes(void *arg)
{
    struct reader *r = arg;

    for (int i = 0; i < ZEROES && quoit_read(r->fd, &r->byte, 1) == 1; i++)
        r->got++;
    quoit_wg_done(r->done);
    return 0;
}

/* More than a ring has entries for, from goroutines that do nothing else: it is full now and
 * then, also when its thread goes to sleep. */
static void more_read_than_a_ring_takes(void)
{
    static struct reader r[CROWD];
    quoit_wg done = QUOIT_WG_INIT;
    int fd = open("/dev/zero", O_RDONLY), sum = 0;

    quoit_wg_add(&done, CROWD);
    for (int i = 0; i < CROWD; i++) {
        r[i] = (struct reader){ .fd = fd, .done = &done };
        quoit_go(read_zeroes, &r[i]);
    }
    quoit_wg_wait(&done);
    for (int i = 0; i < CROWD; i++)
        sum += (int)r[i].got;
    is_int(sum, ZEROES * CROWD, "%d goroutines read %d times each", CROWD, ZEROES);
    close(fd);
}

struct flow {
    int fd;
    long bytes;
    quoit_wg *done;
};

static int fill(void *arg)
{
    struct flow *f = arg;
    static char b[4096];

    for (long left = f->bytes; left > 0;) {
        long n = quoit_write(f->fd, b, left < (long)sizeof b ? (size_t)left : sizeof b);

        if (n <= 0)
            break;
        left -= n;
    }
    close(f->fd);
    quoit_wg_done(f->done);
    return 0;
}

/* More than a pipe holds: the writer waits as well. */
static void a_full_pipe_makes_the_writer_wait(void)
{
    quoit_wg done = QUOIT_WG_INIT;
    struct flow f = { .bytes = 1000000, .done = &done };
    char b[1000];
    long sum = 0, n;
    int p[2];

    if (pipe(p) < 0)
        bail("pipe");
    f.fd = p[1];
    quoit_wg_add(&done, 1);
    quoit_go(fill, &f);
    while ((n = quoit_read(p[0], b, sizeof b)) > 0)
        sum += n;
    quoit_wg_wait(&done);
    is_int(sum, 1000000, "all bytes came through a pipe that was full on the way");
    close(p[0]);
}

/* The goroutine waits, the thread does not, so the flag has nothing to say. */
static void nonblocking_descriptors_are_waited_for(void)
{
    quoit_wg done = QUOIT_WG_INIT;
    struct reader r = { .done = &done };
    int p[2];

    if (pipe2(p, O_NONBLOCK) < 0)
        bail("pipe2");
    r.fd = p[0];
    quoit_wg_add(&done, 1);
    quoit_go(read_byte, &r);
    for (int i = 0; i < 100; i++)
        quoit_yield();
    is_int(quoit_write(p[1], "n", 1), 1, "write to a pipe with O_NONBLOCK");
    quoit_wg_wait(&done);
    is_int(r.got, 1, "its reader waited");
    close(p[0]);
    close(p[1]);
}

static int sigpipes;

static void on_sigpipe(int sig)
{
    (void)sig;
    __atomic_add_fetch(&sigpipes, 1, __ATOMIC_SEQ_CST);
}

/* By ring an older kernel raises it all the same. */
static bool kernel_can_keep_quiet(void)
{
    struct iovec nothing = { NULL, 0 };
    int p[2];
    bool can;

    if (pipe(p) < 0)
        bail("pipe");
    can = pwritev2(p[1], &nothing, 1, -1, 0x100) == 0;
    close(p[0]);
    close(p[1]);
    return can;
}

static void a_broken_pipe_is_an_error_and_no_signal(void)
{
    int p[2], n = 0;

    if (quoit_self() != NULL && !kernel_can_keep_quiet()) {
        skip("this kernel cannot keep SIGPIPE from who writes by ring");
        return;
    }
    signal(SIGPIPE, on_sigpipe);
    for (int i = 0; i < 10; i++) {
        if ((i % 2 == 0 ? pipe(p) : socketpair(AF_UNIX, SOCK_STREAM, 0, p)) < 0)
            bail("pipe");
        close(p[0]);
        n += quoit_write(p[1], "x", 1) == -EPIPE;
        close(p[1]);
    }
    is_int(n, 10, "nobody reads: EPIPE");
    is_int(__atomic_load_n(&sigpipes, __ATOMIC_SEQ_CST), 0, "and no SIGPIPE");
    signal(SIGPIPE, SIG_DFL);
}

/* ---- signals -------------------------------------------------------------------------------- */

static void on_signal(int sig)
{
    (void)sig;
}

static void *pester(void *arg)
{
    const int *go_on = arg;

    while (__atomic_load_n(go_on, __ATOMIC_RELAXED)) {
        kill(getpid(), SIGUSR1);
        sched_yield();
    }
    return NULL;
}

/* A handler without SA_RESTART makes plain calls end with EINTR; these never do. */
static void signals_are_not_seen(void)
{
    struct sigaction sa = { .sa_handler = on_signal };
    int go_on = 1;
    pthread_t t;

    sigaction(SIGUSR1, &sa, NULL);
    if (pthread_create(&t, NULL, pester, &go_on) != 0)
        bail("pthread_create");
    a_full_pipe_makes_the_writer_wait();
    a_thousand_read_one_pipe();
    __atomic_store_n(&go_on, 0, __ATOMIC_RELAXED);
    pthread_join(t, NULL);
    /* The last one may still be on its way. */
    signal(SIGUSR1, SIG_IGN);
}

/* ---- other threads, and the end ------------------------------------------------------------- */

static void *from_a_thread(void *arg)
{
    (void)arg;
    files_are_written_and_read();
    errors_are_returned();
    errno_is_left_alone();
    a_broken_pipe_is_an_error_and_no_signal();
    return NULL;
}

static void plain_threads_may_call(void)
{
    pthread_t t;

    if (pthread_create(&t, NULL, from_a_thread, NULL) != 0)
        bail("pthread_create");
    pthread_join(t, NULL);
}

static int for_ever(void *arg)
{
    char b[16];

    (void)quoit_read(*(const int *)arg, b, sizeof b);
    return 0;
}

/* With DEFER_TASKRUN completions have to be fetched by a call, too. */
static inline uint64_t enters_most(uint64_t ops)
{
    return (getenv("QUOIT_EXPERIMENT") != NULL ? 2 * ops : ops) + 100;
}

static void the_way_is_the_one_asked_for(const char *way)
{
    struct quoit_stats st = { .size = sizeof st };

    quoit_stats(&st);
    if (strcmp(way, "posix") == 0)
        is_int(st.ring_ops, 0, "posix: no operation went through a ring");
    else if (st.ring_ops == 0)
        skip("no ring can be had here: the posix way was tested twice");
#ifdef __SANITIZE_THREAD__
    else
        skip("how many system calls: under TSan threads sleep where they would find work");
#else
    else
        ok(st.ring_enters <= enters_most(st.ring_ops), "uring: %d operations by %d system calls",
           (int)st.ring_ops, (int)st.ring_enters);
#endif
}

static int pipe_of_the_abandoned[2];

static int body(void *arg)
{
    files_are_written_and_read();
    errors_are_returned();
    statx_fills_in();
    a_read_waits_for_a_later_write();
    a_thousand_read_one_pipe();
    more_read_than_a_ring_takes();
    a_full_pipe_makes_the_writer_wait();
    a_broken_pipe_is_an_error_and_no_signal();
    nonblocking_descriptors_are_waited_for();
    signals_are_not_seen();
    plain_threads_may_call();
    the_way_is_the_one_asked_for(*(const char *const *)arg);
    /* Abandoned in the middle: quoit_main has to come back all the same. */
    for (int i = 0; i < 10; i++)
        quoit_go(for_ever, pipe_of_the_abandoned);
    for (int i = 0; i < 100; i++)
        quoit_yield();
    return 17;
}

static void in_a_way(const char *way)
{
    diag("QUOIT_IO=%s", way);
    setenv("QUOIT_IO", way, 1);
    is_int(quoit_main(body, &way), 17, "%s: quoit_main returns with reads under way", way);
    is_int(write(pipe_of_the_abandoned[1], "late", 4), 4, "a byte for those who were abandoned");
}

int main(void)
{
    char byte;

    if (mkdtemp(dir) == NULL || pipe(pipe_of_the_abandoned) < 0)
        bail("no temporary directory");
    dirfd_ = open(dir, O_RDONLY | O_DIRECTORY);
    in_a_way("uring");
    in_a_way("posix");
    in_a_way("uring");
    is_int(read(pipe_of_the_abandoned[0], &byte, 1), 1, "they did not take it");
    unlinkat(dirfd_, "file", 0);
    rmdir(dir);
    return done_testing();
}
