/* SPDX-License-Identifier: BSD-3-Clause
 * test-io-chain.c - long chains from several threads at once: each step waits for the one before
 *
 * The environment says which way they go; what a program sees is the same.
 */
#include "quoit.h"
#include "quoit_io.h"

#include "tap.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { STEPS = 40, WRITERS = 8, TIMES = 5 };

static char dir[] = "/tmp/quoit-chain-XXXXXX";
static int dirfd_;

struct writer {
    char name[16];
    int right;
    quoit_wg *done;
};

static char letter(int i)
{
    return (char)('0' + i);
}

static bool has_letters(const char *name)
{
    char in[STEPS];
    int fd = openat(dirfd_, name, O_RDONLY | O_CLOEXEC);
    bool right = read(fd, in, sizeof in) == STEPS - 2;

    for (int i = 0; i < STEPS - 2; i++)
        right = right && in[i] == letter(i);
    close(fd);
    return right;
}

/* A file of its own, a letter a step. */
static bool write_letters(const char *name)
{
    struct quoit_io io[STEPS];
    char letters[STEPS];
    bool right;

    io[0] = (struct quoit_io){ .what = QUOIT_IO_OPENAT, .chain = QUOIT_IO_THEN, .fd = dirfd_,
                               .buf = (char *)name, .mode = 0600,
                               .flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC };
    for (int i = 1; i < STEPS - 1; i++) {
        letters[i] = letter(i - 1);
        io[i] = (struct quoit_io){ .what = QUOIT_IO_WRITE, .chain = QUOIT_IO_THEN,
                                   .fd = QUOIT_IO_OPENED, .buf = &letters[i], .n = 1 };
    }
    io[STEPS - 1] = (struct quoit_io){ .what = QUOIT_IO_CLOSE, .fd = QUOIT_IO_OPENED };
    right = quoit_io_batch(io, STEPS) == 0;
    for (int i = 0; i < STEPS; i++)
        right = right && io[i].result == (i > 0 && i < STEPS - 1);
    return right && has_letters(name);
}

static int write_chains(void *arg)
{
    struct writer *w = arg;

    for (int i = 0; i < TIMES; i++)
        w->right += write_letters(w->name);
    unlinkat(dirfd_, w->name, 0);
    quoit_wg_done(w->done);
    return 0;
}

static int side_by_side(void *arg)
{
    static struct writer w[WRITERS];
    quoit_wg done = QUOIT_WG_INIT;
    int right = 0;

    (void)arg;
    quoit_wg_add(&done, WRITERS);
    for (int i = 0; i < WRITERS; i++) {
        w[i].done = &done;
        snprintf(w[i].name, sizeof w[i].name, "letters-%d", i);
        quoit_go(write_chains, &w[i]);
    }
    quoit_wg_wait(&done);
    for (int i = 0; i < WRITERS; i++)
        right += w[i].right;
    return right;
}

int main(void)
{
    if (mkdtemp(dir) == NULL)
        bail("no temporary directory");
    dirfd_ = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    is_int(quoit_main(side_by_side, NULL), WRITERS * TIMES, "chains of %d steps keep their order",
           STEPS);
    ok(rmdir(dir) == 0, "nothing is left");
    return done_testing();
}
