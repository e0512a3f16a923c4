/* SPDX-License-Identifier: BSD-3-Clause
 * test-io-batch.c - several operations at once, by a goroutine and by a plain thread
 *
 * The environment says which way they go; what a program sees is the same.
 */
#include "quoit.h"
#include "quoit_io.h"

#include "fds.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { MANY = 300, BLOCK = 4096, FILES = 50, PIPES = 40 };

static char dir[] = "/tmp/quoit-batch-XXXXXX";
static int dirfd_;

/* ---- all at once ---------------------------------------------------------------------------- */

/* Each block begins with its number. */
static int numbered_file(const char *name, int blocks)
{
    static char block[BLOCK];
    int fd = openat(dirfd_, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0)
        bail("no file %s", name);
    for (int i = 0; i < blocks; i++) {
        memcpy(block, &i, sizeof i);
        if (pwrite(fd, block, BLOCK, (off_t)i * BLOCK) != BLOCK)
            bail("pwrite");
    }
    return fd;
}

static int right_reads(const struct quoit_io *io, int n, int (*in)[BLOCK / 4])
{
    int right = 0;

    for (int i = 0; i < n; i++)
        right += io[i].result == BLOCK && in[i][0] == i;
    return right;
}

static void reads_of(int n)
{
    static struct quoit_io io[MANY];
    static int in[MANY][BLOCK / 4];
    int fd = numbered_file("numbers", n);

    memset(in, -1, sizeof in);
    for (int i = 0; i < n; i++)
        io[i] = (struct quoit_io){ .what = QUOIT_IO_PREAD, .fd = fd, .buf = in[i], .n = BLOCK,
                                   .at = (int64_t)i * BLOCK };
    is_int(quoit_io_batch(io, n), 0, "a batch of %d reads", n);
    is_int(right_reads(io, n, in), n, "all of them right");
    close(fd);
}

static void every_kind_has_its_result(void)
{
    char in[8] = "", a[] = "vec", b[] = "tor";
    struct iovec v[] = { { a, 3 }, { b, 3 } };
    struct statx st;
    int fd = numbered_file("kinds", 1), p[2];
    struct quoit_io io[] = {
        { .what = QUOIT_IO_OPENAT, .fd = dirfd_, .buf = "kinds", .flags = O_RDONLY | O_CLOEXEC },
        { .what = QUOIT_IO_STATX, .fd = dirfd_, .buf = "kinds", .mode = STATX_SIZE, .buf2 = &st },
        { .what = QUOIT_IO_MKDIRAT, .fd = dirfd_, .buf = "sub", .mode = 0700 },
        { .what = QUOIT_IO_OPENAT, .fd = dirfd_, .buf = "nothing", .flags = O_RDONLY },
        { .what = QUOIT_IO_READ, .fd = 9999, .buf = in, .n = 1 },
        { .what = QUOIT_IO_FDATASYNC, .fd = fd },
        { .what = QUOIT_IO_WRITEV, .fd = fd, .buf = v, .n = 2, .at = 100 },
        { .what = QUOIT_IO_POLL, .fd = dirfd_, .flags = POLLIN },
    };
    struct quoit_io next[] = {
        { .what = QUOIT_IO_PREAD, .fd = fd, .buf = in, .n = 6, .at = 100 },
        { .what = QUOIT_IO_RENAMEAT, .fd = dirfd_, .buf = "kinds", .fd2 = dirfd_, .buf2 = "other" },
        { .what = QUOIT_IO_UNLINKAT, .fd = dirfd_, .buf = "sub", .flags = AT_REMOVEDIR },
        { .what = QUOIT_IO_CLOSE },
        { .what = QUOIT_IO_SEND, .buf = "hello", .n = 5 },
    };
    char got[8] = "";
    struct quoit_io recv = { .what = QUOIT_IO_RECV, .buf = got, .n = 8 };

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, p) < 0)
        bail("socketpair");
    is_int(quoit_io_batch(io, 8), 0, "eight of several kinds");
    ok(io[0].result >= 0, "openat: %d", (int)io[0].result);
    is_int(io[1].result, 0, "statx");
    is_int(st.stx_size, BLOCK, "the size");
    is_int(io[2].result, 0, "mkdirat");
    is_int(io[3].result, -ENOENT, "openat of nothing");
    is_int(io[4].result, -EBADF, "read of nothing");
    is_int(io[5].result, 0, "fdatasync");
    is_int(io[6].result, 6, "writev at a place");
    ok(io[7].result > 0, "poll: %d", (int)io[7].result);
    next[3].fd = (int)io[0].result;
    next[4].fd = p[0];
    is_int(quoit_io_batch(next, 5), 0, "five more");
    is_int(next[0].result, 6, "pread");
    is_str(in, "vector", "what was written");
    is_int(next[1].result, 0, "renameat");
    is_int(faccessat(dirfd_, "other", F_OK, 0), 0, "the other name is there");
    is_int(next[2].result, 0, "unlinkat");
    is_int(next[3].result, 0, "close");
    is_int(next[4].result, 5, "send");
    recv.fd = p[1];
    is_int(quoit_io_batch(&recv, 1), 0, "one alone");
    is_int(recv.result, 5, "recv");
    recv.flags = MSG_DONTWAIT;
    is_int(quoit_io_batch(&recv, 1), 0, "one that is not to wait");
    is_int(recv.result, -EAGAIN, "does not");
    close(p[0]);
    close(p[1]);
    close(fd);
}

static void what_is_wrong_begins_nothing(void)
{
    struct quoit_io good = { .what = QUOIT_IO_CLOSE, .fd = -1, .result = 77 };
    static const struct quoit_io wrong[] = {
        { .what = 0 },
        { .what = QUOIT_IO_POLL + 1 },
        { .what = QUOIT_IO_READ, .n = 1, .flags = 1 },
        { .what = QUOIT_IO_READ, .n = 1, .at = 5 },
        { .what = QUOIT_IO_READ, .reserved = 1 },
        { .what = QUOIT_IO_PREAD, .at = -1 },
        { .what = QUOIT_IO_READV, .n = IOV_MAX + 1 },
        { .what = QUOIT_IO_FSYNC, .chain = 2 },
        { .what = QUOIT_IO_FSYNC, .chain = QUOIT_IO_THEN },
        { .what = QUOIT_IO_FSYNC, .fd = QUOIT_IO_OPENED },
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct quoit_io io[] = { good, wrong[i] };

        is_int(quoit_io_batch(io, 2), -EINVAL, "the wrong one of number %d is refused", (int)i);
        is_int(io[0].result, 77, "and the one before it not begun");
    }
    is_int(quoit_io_batch(NULL, 0), 0, "none");
    is_int(quoit_io_batch(&good, -1), -EINVAL, "less than none");
    ok(quoit_io_batch_new(0) == NULL, "no memory for none");
    ok(quoit_io_batch_new(QUOIT_IO_BATCH_MAX + 1) == NULL, "nor for too many");
    is_int(quoit_io_batch_end(NULL), 0, "the end of no batch");
}

/* ---- chains --------------------------------------------------------------------------------- */

static void read_whole(struct quoit_io io[3], const char *name, char *buf, int flags)
{
    io[0] = (struct quoit_io){ .what = QUOIT_IO_OPENAT, .chain = QUOIT_IO_THEN, .fd = dirfd_,
                               .buf = name, .flags = (uint32_t)(flags | O_CLOEXEC), .mode = 0600 };
    io[1] = (struct quoit_io){ .what = QUOIT_IO_READ, .chain = QUOIT_IO_THEN,
                               .fd = QUOIT_IO_OPENED, .buf = buf, .n = BLOCK };
    io[2] = (struct quoit_io){ .what = QUOIT_IO_CLOSE, .fd = QUOIT_IO_OPENED };
}

/* More than a ring has room or a table has places for, and nothing is left open. */
static void files_are_read_without_descriptors(void)
{
    static struct quoit_io io[MANY * 3];
    static char in[MANY][BLOCK], name[MANY][16];
    int right = 0;

    for (int i = 0; i < FILES; i++) {
        int fd;

        snprintf(name[i], sizeof name[i], "f%d", i);
        fd = openat(dirfd_, name[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (write(fd, name[i], strlen(name[i])) < 0)
            bail("write");
        close(fd);
    }
    for (int i = 0; i < MANY; i++) {
        memset(in[i], 0, 16);
        snprintf(name[i], sizeof name[i], i % 7 == 3 ? "none%d" : "f%d", i % FILES);
        read_whole(io + 3 * i, name[i], in[i], O_RDONLY);
    }
    is_int(quoit_io_batch(io, MANY * 3), 0, "%d chains of open, read, close", MANY);
    for (int i = 0; i < MANY; i++) {
        const struct quoit_io *c = io + 3 * i;

        if (i % 7 == 3)
            right += c[0].result == -ENOENT && c[1].result == -EBADF && c[2].result == -EBADF;
        else
            right += c[0].result == 0 && c[1].result == (int64_t)strlen(name[i]) &&
                     c[2].result == 0 && strcmp(in[i], name[i]) == 0;
    }
    is_int(right, MANY, "each has read its file, or says that there is none");
    for (int i = 0; i < FILES; i++) {
        snprintf(name[i], sizeof name[i], "f%d", i);
        unlinkat(dirfd_, name[i], 0);
    }
}

static void a_chain_keeps_its_order(void)
{
    char in[64] = "";
    struct quoit_io io[] = {
        { .what = QUOIT_IO_OPENAT, .chain = QUOIT_IO_THEN, .fd = dirfd_, .buf = "order",
          .flags = O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, .mode = 0600 },
        { .what = QUOIT_IO_WRITE, .chain = QUOIT_IO_THEN, .fd = QUOIT_IO_OPENED, .buf = "hello ",
          .n = 6 },
        { .what = QUOIT_IO_WRITE, .chain = QUOIT_IO_THEN, .fd = QUOIT_IO_OPENED, .buf = "world",
          .n = 5 },
        { .what = QUOIT_IO_FSYNC, .chain = QUOIT_IO_THEN, .fd = QUOIT_IO_OPENED },
        { .what = QUOIT_IO_FTRUNCATE, .chain = QUOIT_IO_THEN, .fd = QUOIT_IO_OPENED, .at = 9 },
        { .what = QUOIT_IO_PREAD, .chain = QUOIT_IO_THEN, .fd = QUOIT_IO_OPENED, .buf = in,
          .n = 60, .at = 2 },
        { .what = QUOIT_IO_CLOSE, .chain = 0, .fd = QUOIT_IO_OPENED },
    };

    is_int(quoit_io_batch(io, 7), 0, "a chain of seven");
    is_int(io[1].result, 6, "the first write");
    is_int(io[2].result, 5, "the second");
    is_int(io[3].result, 0, "fsync");
    is_int(io[4].result, 0, "ftruncate");
    is_int(io[5].result, 7, "a read that is short does not end the chain");
    is_str(in, "llo wor", "and comes after all that");
    is_int(io[6].result, 0, "close");
    unlinkat(dirfd_, "order", 0);
}

/* Steps that no ring does, descriptors of others, errors in the middle. */
static void chains_of_all_kinds(void)
{
    struct statx st;
    int fd = numbered_file("mixed", 2);
    struct quoit_io io[] = {
        { .what = QUOIT_IO_FTRUNCATE, .chain = QUOIT_IO_THEN, .fd = fd, .at = 5 },
        { .what = QUOIT_IO_STATX, .chain = QUOIT_IO_THEN, .fd = dirfd_, .buf = "mixed",
          .mode = STATX_SIZE, .buf2 = &st },
        { .what = QUOIT_IO_RENAMEAT, .fd = dirfd_, .buf = "mixed", .fd2 = dirfd_, .buf2 = "moved" },
        { .what = QUOIT_IO_WRITE, .chain = QUOIT_IO_THEN, .fd = 9999, .buf = "x", .n = 1 },
        { .what = QUOIT_IO_UNLINKAT, .fd = dirfd_, .buf = "absent" },
    };

    is_int(quoit_io_batch(io, 5), 0, "two chains");
    is_int(st.stx_size, 5, "statx comes after ftruncate");
    is_int(io[2].result, 0, "renameat");
    is_int(io[3].result, -EBADF, "a step that fails");
    is_int(io[4].result, -ENOENT, "does not keep the next from being done");
    unlinkat(dirfd_, "moved", 0);
    close(fd);
}

static void chains_that_are_wrong(void)
{
    char in[BLOCK];
    struct quoit_io io[3];

    read_whole(io, "x", in, O_RDONLY);
    io[2].fd = 5;
    is_int(quoit_io_batch(io, 3), -EINVAL, "a file of a chain that is not closed");
    read_whole(io, "x", in, O_RDONLY);
    io[1].what = QUOIT_IO_CLOSE;
    io[1].buf = NULL;
    io[1].n = 0;
    is_int(quoit_io_batch(io, 3), -EINVAL, "closed in the middle");
    read_whole(io, "x", in, O_RDONLY);
    io[0].fd = QUOIT_IO_OPENED;
    is_int(quoit_io_batch(io, 3), -EINVAL, "opened below itself");
    read_whole(io, "x", in, O_RDONLY);
    io[1].what = QUOIT_IO_RECV;
    is_int(quoit_io_batch(io, 3), -EINVAL, "received from");
    read_whole(io, "x", in, O_RDONLY);
    io[0].chain = 0;
    is_int(quoit_io_batch(io, 3), -EINVAL, "used in another chain");
}

/* ---- some now, some later ------------------------------------------------------------------- */

static void what_has_ended_is_told(void)
{
    static struct quoit_io io[PIPES];
    static char in[PIPES];
    struct quoit_io_batch *b = quoit_io_batch_new(PIPES);
    struct quoit_io *got;
    int p[PIPES][2], told = 0;

    if (b == NULL)
        bail("quoit_io_batch_new");
    for (int i = 0; i < PIPES; i++) {
        /* With O_NONBLOCK too: it is the goroutine that waits. */
        if (pipe2(p[i], i % 2 ? O_NONBLOCK : 0) < 0)
            bail("pipe");
        io[i] = (struct quoit_io){ .what = QUOIT_IO_READ, .fd = p[i][0], .buf = &in[i], .n = 1 };
    }
    is_int(quoit_io_batch_start(b, io, PIPES), 0, "%d reads that wait", PIPES);
    is_int(quoit_io_batch_start(b, io, 1), -EAGAIN, "one more is too many");
    ok(quoit_io_batch_next(b) == NULL, "none has ended");
    is_int(quoit_io_batch_wait(b, 0), 0, "to wait for none");
    for (int i = PIPES - 1; i >= 0; i--) {
        char c = (char)i;

        is_int(write(p[i][1], &c, 1), 1, "a byte for one");
        if (quoit_io_batch_wait(b, 1) != 1)
            break;
        got = quoit_io_batch_next(b);
        told += got == &io[i] && got->result == 1 && in[i] == i;
        /* Its place is free. */
        if (i == PIPES - 1) {
            is_int(quoit_io_batch_start(b, got, 1), 0, "another read of the first pipe");
            is_int(write(p[i][1], &c, 1), 1, "and its byte");
            is_int(quoit_io_batch_wait(b, 1), 1, "ends");
            ok(quoit_io_batch_next(b) == &io[i], "and is told");
        }
    }
    is_int(told, PIPES, "each was told when it had ended, and alone");
    is_int(quoit_io_batch_wait(b, 5), 0, "with none under way nobody waits");
    is_int(quoit_io_batch_start(b, io, 2), 0, "two again");
    is_int(write(p[0][1], "a", 1) + write(p[1][1], "b", 1), 2, "a byte for both");
    is_int(quoit_io_batch_end(b), 0, "the end waits for them");
    is_int(io[0].result + io[1].result, 2, "and has their results");
    for (int i = 0; i < PIPES; i++) {
        close(p[i][0]);
        close(p[i][1]);
    }
}

struct feeder {
    int fd;
    quoit_wg *done;
};

static int feed(void *arg)
{
    const struct feeder *f = arg;

    for (int i = 0; i < PIPES; i++) {
        quoit_yield();
        if (quoit_write(f->fd, "z", 1) != 1)
            bail("write");
    }
    quoit_wg_done(f->done);
    return 0;
}

/* Others run while it waits, and the waits of one batch go on where the goroutine does. */
static void others_run_while_it_waits(void)
{
    static struct quoit_io io[PIPES];
    static char in[PIPES];
    struct quoit_io_batch *b = quoit_io_batch_new(PIPES);
    quoit_wg done = QUOIT_WG_INIT;
    struct feeder f = { .done = &done };
    int p[2], sum = 0, round = 0;

    if (pipe(p) < 0 || b == NULL)
        bail("pipe");
    f.fd = p[1];
    quoit_wg_add(&done, 1);
    for (int i = 0; i < PIPES; i++)
        io[i] = (struct quoit_io){ .what = QUOIT_IO_READ, .fd = p[0], .buf = &in[i], .n = 1 };
    is_int(quoit_io_batch_start(b, io, PIPES), 0, "%d reads of one pipe", PIPES);
    quoit_go(feed, &f);
    while (sum < PIPES && round++ < PIPES) {
        struct quoit_io *got;

        quoit_io_batch_wait(b, 7);
        while ((got = quoit_io_batch_next(b)) != NULL)
            sum += (int)got->result;
    }
    is_int(sum, PIPES, "all were read, seven or more at a time");
    ok(round <= PIPES / 7 + 1, "in %d rounds", round);
    is_int(quoit_io_batch_end(b), 0, "the end");
    quoit_wg_wait(&done);
    close(p[0]);
    close(p[1]);
}

/* ---- all of it ------------------------------------------------------------------------------ */

static void *anywhere(void *arg)
{
    static const int sizes[] = { 1, 2, 16, 17, 100, MANY };

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        reads_of(sizes[i]);
    every_kind_has_its_result();
    unlinkat(dirfd_, "other", 0);
    what_is_wrong_begins_nothing();
    files_are_read_without_descriptors();
    a_chain_keeps_its_order();
    chains_of_all_kinds();
    chains_that_are_wrong();
    unlinkat(dirfd_, "numbers", 0);
    return arg;
}

static int body(void *arg)
{
    pthread_t t;

    anywhere(arg);
    what_has_ended_is_told();
    others_run_while_it_waits();
    if (pthread_create(&t, NULL, anywhere, NULL) != 0)
        bail("pthread_create");
    pthread_join(t, NULL);
    return 0;
}

int main(void)
{
    int before;

    signal(SIGPIPE, SIG_IGN);
    if (mkdtemp(dir) == NULL)
        bail("no temporary directory");
    dirfd_ = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    before = open_fds();
    is_int(quoit_main(body, NULL), 0, "quoit_main");
    is_int(open_fds(), before, "no descriptor is left");
    ok(rmdir(dir) == 0, "nothing is left");
    return done_testing();
}
