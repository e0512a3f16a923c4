/* SPDX-License-Identifier: BSD-3-Clause
 * copy.c - copies files, all at the same time: copy FROM TO, or copy FROM... FOLDER
 *
 * A large file has several goroutines, each takes the next piece that nobody has taken. A pipe has
 * no places to read at, and is copied from one end to the other.
 */
#include <quoit.h>
#include <quoit_io.h>

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PIECE = 1 << 20, FILES = 16, HANDS = 4 };

struct copy {
    int in, out;
    int placed;        /* pieces have places, not only an order */
    atomic_long piece; /* the next one */
    atomic_int error;
    quoit_wg hands;
};

static char *to;
static int folder, files; /* `to` opened, or negative; how many go there */
static atomic_int next, status;
static quoit_wg copying;

/* n bytes, or as many as there are; `at` -1: where the file stands. */
static ssize_t transfer(ssize_t (*call)(int, const struct iovec *, int, off_t, int), int fd,
                        char *buf, size_t n, off_t at)
{
    size_t done = 0;
    ssize_t r = 1;

    for (; done < n && r > 0; done += r > 0 ? (size_t)r : 0) {
        struct iovec v = { buf + done, n - done };

        r = call(fd, &v, 1, at < 0 ? -1 : at + (off_t)done, 0);
    }
    return r < 0 ? r : (ssize_t)done;
}

static ssize_t copy_piece(struct copy *c, char *buf, off_t at)
{
    ssize_t n = transfer(quoit_preadv2, c->in, buf, PIECE, at);
    ssize_t written = n > 0 ? transfer(quoit_pwritev2, c->out, buf, (size_t)n, at) : n;

    return written >= 0 && written < n ? -EIO : written;
}

static int copy_pieces(void *arg)
{
    struct copy *c = arg;
    char *buf = malloc(PIECE);
    ssize_t n = buf != NULL ? PIECE : -ENOMEM;

    while (n == PIECE && c->error == 0)
        n = copy_piece(c, buf, c->placed ? (off_t)atomic_fetch_add(&c->piece, 1) * PIECE : -1);
    if (n < 0)
        c->error = (int)n;
    free(buf);
    quoit_wg_done(&c->hands);
    return 0;
}

static int copy_content(struct copy *c)
{
    struct stat in, out;
    int hands;

    if (fstat(c->in, &in) < 0 || fstat(c->out, &out) < 0)
        return -errno;
    if (in.st_dev == out.st_dev && in.st_ino == out.st_ino)
        return -EINVAL;
    if (S_ISREG(out.st_mode) && ftruncate(c->out, 0) < 0)
        return -errno;
    c->placed = S_ISREG(in.st_mode) && S_ISREG(out.st_mode);
    hands = c->placed && in.st_size > PIECE ? HANDS : 1;
    quoit_wg_add(&c->hands, hands);
    for (int i = 1; i < hands; i++)
        if (quoit_go(copy_pieces, c) < 0)
            quoit_wg_done(&c->hands);
    copy_pieces(c);
    quoit_wg_wait(&c->hands);
    return c->error;
}

static int copy_file(const char *from)
{
    const char *slash = strrchr(from, '/'), *base = slash != NULL ? slash + 1 : from;
    struct copy c = { .in = quoit_openat(AT_FDCWD, from, O_RDONLY | O_CLOEXEC, 0) };
    int e, closed;

    if (c.in < 0)
        return c.in;
    e = c.out = quoit_openat(folder >= 0 ? folder : AT_FDCWD, folder >= 0 ? base : to,
                             O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (e >= 0) {
        e = copy_content(&c);
        closed = quoit_close(c.out); /* some file systems say only now that they are full */
        e = e < 0 ? e : closed;
    }
    quoit_close(c.in);
    return e;
}

static int copy_files(void *arg)
{
    char **names = arg;

    for (int i, e; (i = next++) < files;) {
        if ((e = copy_file(names[i])) < 0) {
            fprintf(stderr, "%s: %s\n", names[i], strerror(-e));
            status = 1;
        }
    }
    quoit_wg_done(&copying);
    return 0;
}

static int copy_all(void *arg)
{
    quoit_wg_add(&copying, FILES);
    for (int i = 1; i < FILES; i++)
        if (quoit_go(copy_files, arg) < 0)
            quoit_wg_done(&copying);
    copy_files(arg);
    quoit_wg_wait(&copying);
    return status;
}

int main(int argc, char **argv)
{
    files = argc - 2;
    to = argv[argc - 1];
    folder = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (files < 1 || (files > 1 && folder < 0)) {
        fprintf(stderr, "usage: copy FROM TO, or copy FROM... FOLDER\n");
        return 2;
    }
    return quoit_main(copy_all, argv + 1);
}
