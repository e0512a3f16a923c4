/* SPDX-License-Identifier: BSD-3-Clause
 * test-io-faults.c - what goes wrong outside: each fault ends in an error that is written down, and
 * nothing hangs or is left open
 *
 * The environment says which way the calls go. Faults of the kernel itself: test-op.c.
 */
#include "quoit.h"
#include "quoit_io.h"

#include "fds.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { READERS = 60, FLOOD = 5000, BLOCK = 512, BLOCKS = 100, LIMIT = 1000, ROUNDS = 30 };

static char dir[] = "/tmp/quoit-faults-XXXXXX";
static int dirfd_;

static int numbered_file(void)
{
    char block[BLOCK];
    int fd = openat(dirfd_, "file", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    for (int i = 0; i < BLOCKS; i++) {
        memset(block, i, sizeof block);
        if (write(fd, block, sizeof block) != sizeof block)
            bail("write");
    }
    return fd;
}

/* ---- a descriptor that is closed while somebody waits for it -------------------------------- */

struct reader {
    int fd;
    ssize_t got;
    char byte;
    quoit_wg *done;
};

static int read_one(void *arg)
{
    struct reader *r = arg;

    r->got = quoit_read(r->fd, &r->byte, 1);
    quoit_wg_done(r->done);
    return 0;
}

/* Operations that were given to somebody. */
static inline uint64_t handed_over(void)
{
    struct quoit_stats st = { .size = sizeof st };

    quoit_stats(&st);
    return st.ring_ops + st.helper_ops;
}

/* The wait goes on until there is something; then it is what came, or that nothing is open. */
static inline void closed_while_in_use(int closed_by_call)
{
    quoit_wg done = QUOIT_WG_INIT;
    struct reader r = { .done = &done };
    uint64_t before = handed_over();
    int p[2];

    if (pipe(p) < 0)
        bail("pipe");
    r.fd = p[0];
    quoit_wg_add(&done, 1);
    quoit_go(read_one, &r);
    while (handed_over() == before)
        quoit_yield();
    is_int(closed_by_call ? quoit_close(p[0]) : close(p[0]), 0, "closed while somebody reads");
    (void)quoit_write(p[1], "x", 1);
    quoit_close(p[1]);
    quoit_wg_wait(&done);
    ok(r.got == 1 || r.got == 0 || r.got == -EBADF, "the read ends: %d", (int)r.got);
}

/* ---- more readers than data ----------------------------------------------------------------- */

static void many_are_woken_for_one_byte(void)
{
    static struct reader r[READERS];
    quoit_wg done = QUOIT_WG_INIT;
    int p[2], sum = 0;

    if (pipe2(p, O_NONBLOCK) < 0)
        bail("pipe");
    quoit_wg_add(&done, READERS);
    for (int i = 0; i < READERS; i++) {
        r[i] = (struct reader){ .fd = p[0], .done = &done };
        quoit_go(read_one, &r[i]);
    }
    for (int i = 0; i < READERS; i++) {
        quoit_yield();
        if (quoit_write(p[1], "y", 1) != 1)
            bail("write");
    }
    quoit_wg_wait(&done);
    for (int i = 0; i < READERS; i++)
        sum += r[i].got == 1 && r[i].byte == 'y';
    is_int(sum, READERS, "each of %d readers of a pipe with O_NONBLOCK has one byte", READERS);
    close(p[0]);
    close(p[1]);
}

/* ---- signals -------------------------------------------------------------------------------- */

static uint32_t signals;

static void on_alarm(int sig)
{
    (void)sig;
    __atomic_fetch_add(&signals, 1, __ATOMIC_RELAXED);
}

/* Of all kinds, some by worker. How many results were not as they should be. */
static int many_calls(int i)
{
    char name[32], b[BLOCK], whole[BLOCK] = "";
    int fd, wrong = 0, pair[2];

    snprintf(name, sizeof name, "s%d", i);
    fd = quoit_openat(dirfd_, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    memset(b, i, sizeof b);
    wrong += quoit_write(fd, b, BLOCK) != BLOCK;
    wrong += quoit_fsync(fd) != 0;
    wrong += quoit_ftruncate(fd, BLOCK / 2) != 0;
    wrong += quoit_pread(fd, whole, BLOCK, 0) != BLOCK / 2 || whole[1] != (char)i;
    wrong += quoit_close(fd) != 0;
    struct quoit_io io[] = {
        { .what = QUOIT_IO_OPENAT, .chain = QUOIT_IO_THEN, .fd = dirfd_, .buf = name,
          .flags = O_RDONLY },
        { .what = QUOIT_IO_READ, .chain = QUOIT_IO_THEN, .fd = QUOIT_IO_OPENED, .buf = whole,
          .n = BLOCK },
        { .what = QUOIT_IO_CLOSE, .fd = QUOIT_IO_OPENED },
    };
    /* Of a chain the kernel may say that it has no worker for a step. */
    do
        wrong += quoit_io_batch(io, 3) != 0;
    while (io[0].result == -ECANCELED || io[1].result == -ECANCELED || io[2].result == -ECANCELED);
    wrong += io[0].result != 0 || io[1].result != BLOCK / 2 || io[2].result != 0;
    wrong += quoit_unlinkat(dirfd_, name, 0) != 0;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
        bail("socketpair");
    wrong += quoit_send(pair[0], b, BLOCK, 0) != BLOCK;
    wrong += quoit_recv(pair[1], whole, BLOCK, 0) != BLOCK;
    quoit_close(pair[0]);
    quoit_close(pair[1]);
    return wrong;
}

struct caller {
    int index, wrong;
    quoit_wg *done;
};

static int call_all(void *arg)
{
    struct caller *c = arg;

    c->wrong = many_calls(c->index);
    quoit_wg_done(c->done);
    return 0;
}

/* A handler without SA_RESTART: plain calls would end with EINTR. */
static void no_call_is_interrupted(void)
{
    static struct caller c[ROUNDS];
    struct sigaction sa = { .sa_handler = on_alarm };
    struct itimerval often = { { 0, 100 }, { 0, 100 } }, never = { { 0, 0 }, { 0, 0 } };
    quoit_wg done = QUOIT_WG_INIT;
    int wrong = 0;

    sigaction(SIGALRM, &sa, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    quoit_wg_add(&done, ROUNDS);
    for (int i = 0; i < ROUNDS; i++) {
        c[i] = (struct caller){ .index = i, .done = &done };
        quoit_go(call_all, &c[i]);
    }
    quoit_wg_wait(&done);
    while (__atomic_load_n(&signals, __ATOMIC_RELAXED) == 0)
        quoit_yield();
    setitimer(ITIMER_REAL, &never, NULL);
    /* The last one may still be on its way. */
    signal(SIGALRM, SIG_IGN);
    for (int i = 0; i < ROUNDS; i++)
        wrong += c[i].wrong;
    is_int(wrong, 0, "a storm of signals disturbs no call");
}

/* ---- no room -------------------------------------------------------------------------------- */

/* A limit of the process, so with nobody else about. */
static void files_may_not_grow(void)
{
    static char b[4 * LIMIT];
    struct rlimit old, few;
    int fd = openat(dirfd_, "file", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0 || getrlimit(RLIMIT_FSIZE, &old) < 0)
        bail("getrlimit");
    few = (struct rlimit){ LIMIT, old.rlim_max };
    setrlimit(RLIMIT_FSIZE, &few);
    is_int(quoit_pwrite(fd, b, sizeof b, 0), LIMIT, "a write that meets the limit is short");
    is_int(quoit_pwrite(fd, b, 10, LIMIT), -EFBIG, "the next is an error");
    is_int(quoit_ftruncate(fd, LIMIT + 1), -EFBIG, "so is ftruncate");
    setrlimit(RLIMIT_FSIZE, &old);
    quoit_close(fd);
}

static void a_full_device_in_a_chain(void)
{
    struct quoit_io io[] = {
        { .what = QUOIT_IO_OPENAT, .chain = QUOIT_IO_THEN, .fd = AT_FDCWD, .buf = "/dev/full",
          .flags = O_WRONLY },
        { .what = QUOIT_IO_WRITE, .chain = QUOIT_IO_THEN, .fd = QUOIT_IO_OPENED, .buf = "x",
          .n = 1 },
        { .what = QUOIT_IO_CLOSE, .fd = QUOIT_IO_OPENED },
    };

    if (access("/dev/full", W_OK) < 0) {
        skip("no /dev/full");
        return;
    }
    is_int(quoit_io_batch(io, 3), 0, "a chain to a full device");
    is_int(io[1].result, -ENOSPC, "its write says so");
    is_int(io[0].result + io[2].result, 0, "it was opened and closed");
}

/* Places in a ring are no descriptors. */
static void no_descriptor_for_a_chain(void)
{
    char in[BLOCK];
    struct rlimit old, few;
    int fd = numbered_file();
    struct quoit_io io[] = {
        { .what = QUOIT_IO_OPENAT, .chain = QUOIT_IO_THEN, .fd = dirfd_, .buf = "file",
          .flags = O_RDONLY },
        { .what = QUOIT_IO_READ, .chain = QUOIT_IO_THEN, .fd = QUOIT_IO_OPENED, .buf = in,
          .n = BLOCK },
        { .what = QUOIT_IO_CLOSE, .fd = QUOIT_IO_OPENED },
    };

    if (getrlimit(RLIMIT_NOFILE, &old) < 0)
        bail("getrlimit");
    few = (struct rlimit){ (rlim_t)fd + 1, old.rlim_max };
    setrlimit(RLIMIT_NOFILE, &few);
    is_int(quoit_io_batch(io, 3), 0, "a chain with no descriptor left");
    setrlimit(RLIMIT_NOFILE, &old);
    if (io[0].result == 0)
        is_int(io[1].result, BLOCK, "needs none, and reads");
    else
        ok(io[0].result == -EMFILE && io[1].result == -EBADF && io[2].result == -EBADF,
           "needs one, and says so: %d %d %d", (int)io[0].result, (int)io[1].result,
           (int)io[2].result);
    quoit_close(fd);
}

/* ---- more than a ring holds ----------------------------------------------------------------- */

/* More completions than there are places for, and nobody who takes them meanwhile. */
static void a_flood(void)
{
    struct quoit_io *io = calloc(FLOOD, sizeof *io);
    char (*in)[BLOCK] = calloc(FLOOD, sizeof *in);
    int fd = numbered_file(), right = 0;

    if (io == NULL || in == NULL)
        bail("no memory");
    for (int i = 0; i < FLOOD; i++)
        io[i] = (struct quoit_io){ .what = QUOIT_IO_PREAD, .fd = fd, .buf = in[i], .n = BLOCK,
                                   .at = (int64_t)(i % BLOCKS) * BLOCK };
    is_int(quoit_io_batch(io, FLOOD), 0, "%d reads at once", FLOOD);
    for (int i = 0; i < FLOOD; i++)
        right += io[i].result == BLOCK && in[i][0] == (char)(i % BLOCKS) &&
                 in[i][BLOCK - 1] == (char)(i % BLOCKS);
    is_int(right, FLOOD, "each is right");
    quoit_close(fd);
    free(io);
    free(in);
}

/* ---- a peer that goes away ------------------------------------------------------------------ */

static int shut_down(void *arg)
{
    const int *fd = arg;

    for (int i = 0; i < 50; i++)
        quoit_yield();
    quoit_shutdown_socket(*fd, SHUT_RDWR);
    return 0;
}

/* What a batch waits for ends as a single call would. */
static void a_peer_goes_away(void)
{
    static char in[8], full[1 << 20];
    struct quoit_io io[2];
    int p[2], fd;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, p) < 0)
        bail("socketpair");
    fd = p[1];
    io[0] = (struct quoit_io){ .what = QUOIT_IO_RECV, .fd = p[0], .buf = in, .n = 8 };
    io[1] = (struct quoit_io){ .what = QUOIT_IO_SEND, .fd = p[0], .buf = full, .n = sizeof full,
                               .flags = MSG_WAITALL };
    quoit_go(shut_down, &fd);
    is_int(quoit_io_batch(io, 2), 0, "a send and a recv whose peer goes away");
    is_int(io[0].result, 0, "recv: the end");
    ok(io[1].result == -EPIPE || (io[1].result > 0 && io[1].result < (int64_t)sizeof full),
       "send: %d", (int)io[1].result);
    close(p[0]);
    close(p[1]);
}

/* ---------------------------------------------------------------------------------------------- */

static int body(void *arg)
{
    files_may_not_grow();
    no_descriptor_for_a_chain();
#ifdef __SANITIZE_THREAD__
    skip("a descriptor that is closed in use: TSan takes that for a race, which it is");
#else
    closed_while_in_use(0);
    closed_while_in_use(1);
#endif
    many_are_woken_for_one_byte();
    no_call_is_interrupted();
    a_full_device_in_a_chain();
    a_flood();
    a_peer_goes_away();
    return *(int *)arg;
}

int main(void)
{
    int before, seven = 7;

    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    if (mkdtemp(dir) == NULL)
        bail("no temporary directory");
    dirfd_ = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    before = open_fds();
    is_int(quoit_main(body, &seven), seven, "quoit_main");
    is_int(open_fds(), before, "no descriptor is left");
    unlinkat(dirfd_, "file", 0);
    ok(rmdir(dir) == 0, "and no file");
    return done_testing();
}
