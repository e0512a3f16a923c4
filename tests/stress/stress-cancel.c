/* SPDX-License-Identifier: BSD-3-Clause
 * stress-cancel.c - completion against cancel against deadline against close
 *
 * Readers with deadlines at random, writers, and some who cancel readers. No byte is lost, none is
 * read twice, and when a read has returned nothing touches its buffer any more: it is filled,
 * looked at after a while, and freed. Then the same with descriptors that are closed meanwhile,
 * where only the buffers are looked at.
 */
#include "quoit.h"
#include "quoit_io.h"

#include "tap.h"
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READERS = 16, CANCELLERS = 2, BUF = 512 };

static const int64_t us = 1000;

struct reader {
    int in, out;
    uint64_t seed, wseed; /* of who reads, of who writes */
    uint64_t sum, bytes;  /* of what was read */
    uint64_t wsum, wbytes; /* of what was written */
    struct quoit_g *g;
};

static struct reader readers[READERS];
static atomic_bool over, closing;
static atomic_uint late, cancelled, filled, touched, odd;

static void look(const unsigned char *buf)
{
    for (int i = 0; i < BUF; i++)
        touched += buf[i] != 0xa5;
}

static void read_once(struct reader *r)
{
    unsigned char *buf = malloc(BUF);
    ssize_t n;

    if (buf == NULL)
        bail("malloc");
    if (world_rand(&r->seed) % 3 != 0)
        quoit_set_deadline(world_now() + world_rand(&r->seed) % 400 * us);
    n = quoit_read(r->in, buf, 1 + world_rand(&r->seed) % BUF);
    quoit_set_deadline(INT64_MAX);
    for (ssize_t i = 0; i < n; i++)
        r->sum += buf[i];
    r->bytes += n > 0 ? (uint64_t)n : 0;
    if (n > 0)
        filled++;
    else if (n == -ETIMEDOUT)
        late++;
    else if (n == -ECANCELED)
        cancelled++;
    else if (!closing)
        odd++;
    memset(buf, 0xa5, BUF);
    if (world_rand(&r->seed) % 4 == 0)
        (void)quoit_sleep(world_rand(&r->seed) % 100 * us);
    look(buf);
    free(buf);
}

static int read_on(void *arg)
{
    struct reader *r = arg;

    while (!over)
        read_once(r);
    return 0;
}

static int write_on(void *arg)
{
    struct reader *r = arg;
    uint64_t seed = r->wseed;
    unsigned char b[16];

    while (!over) {
        size_t n = 1 + world_rand(&seed) % sizeof b;
        ssize_t w;

        for (size_t i = 0; i < n; i++)
            b[i] = (unsigned char)world_rand(&seed);
        w = quoit_write(r->out, b, n);
        for (ssize_t i = 0; i < w; i++)
            r->wsum += b[i];
        r->wbytes += w > 0 ? (uint64_t)w : 0;
        (void)quoit_sleep(world_rand(&seed) % 300 * us);
    }
    return 0;
}

/* The old ends go away under who uses them; their numbers are never free for others. */
static int close_on(void *arg)
{
    uint64_t seed = *(uint64_t *)arg + 2;

    while (!over) {
        struct reader *r = &readers[world_rand(&seed) % READERS];
        int p[2];

        if (pipe(p) < 0)
            bail("pipe");
        if (dup2(p[0], r->in) < 0 || dup2(p[1], r->out) < 0)
            bail("dup2");
        close(p[0]);
        close(p[1]);
        (void)quoit_sleep(world_rand(&seed) % 500 * us);
    }
    return 0;
}

static int cancel_on(void *arg)
{
    uint64_t seed = *(uint64_t *)arg + 3;

    while (!over) {
        quoit_cancel(readers[world_rand(&seed) % READERS].g);
        (void)quoit_sleep(world_rand(&seed) % 200 * us);
    }
    return 0;
}

/* One that waits for good ends by being cancelled again and again. */
static int end_all(struct quoit_g **others, int n, int64_t until)
{
    int e = 0;

    while (world_now() < until)
        quoit_sleep(1000 * us);
    over = true;
    for (int i = 0; i < n; i++)
        world_join(others[i]);
    for (int i = 0; i < READERS; i++)
        do
            quoit_cancel(readers[i].g);
        while ((e = quoit_join_until(readers[i].g, NULL, world_now() + 1000 * us)) == -ETIMEDOUT);
    return e;
}

/* What nobody came to read. */
static void read_rest(struct reader *r)
{
    unsigned char b[4096];
    ssize_t n;

    fcntl(r->in, F_SETFL, O_NONBLOCK);
    while ((n = read(r->in, b, sizeof b)) > 0) {
        for (ssize_t i = 0; i < n; i++)
            r->sum += b[i];
        r->bytes += (uint64_t)n;
    }
}

static int body(void *arg)
{
    struct quoit_g *others[READERS + CANCELLERS + 1];
    uint64_t *seed = arg;
    int n = 0, wrong = 0, p[2];

    over = false;
    late = cancelled = filled = 0;
    for (int i = 0; i < READERS; i++) {
        if (pipe(p) < 0)
            bail("pipe");
        readers[i] = (struct reader){ .in = p[0], .out = p[1], .seed = *seed * 31 + (uint64_t)i,
                                      .wseed = *seed * 37 + (uint64_t)i };
        readers[i].g = world_go_apart(read_on, &readers[i]);
        others[n++] = world_go_apart(write_on, &readers[i]);
    }
    for (int i = 0; i < CANCELLERS; i++)
        others[n++] = world_go_apart(cancel_on, seed);
    if (closing)
        others[n++] = world_go_apart(close_on, seed);
    is_int(end_all(others, n, world_until()), 0, "all end");
    for (int i = 0; i < READERS; i++) {
        if (!closing)
            read_rest(&readers[i]);
        wrong += !closing && (readers[i].bytes != readers[i].wbytes ||
                              readers[i].sum != readers[i].wsum);
        close(readers[i].in);
        close(readers[i].out);
    }
    is_int(wrong, 0, "no byte is lost");
    is_int((int)touched, 0, "no buffer is touched late");
    is_int((int)odd, 0, "no read ends otherwise");
    ok(filled > 0 && late > 0 && cancelled > 0, "%u reads, %u late, %u cancelled", filled, late,
       cancelled);
    return 0;
}

int main(void)
{
    uint64_t seed = world_seed();

    for (int i = 0; i < 2; i++) {
        closing = i == 1;
        is_int(world_run(2, body, &seed), 0, closing ? "some are closed" : "all are left");
    }
    return done_testing();
}
