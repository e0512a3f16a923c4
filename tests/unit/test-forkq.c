/* SPDX-License-Identifier: BSD-3-Clause
 * test-forkq.c - the queue of unstarted goroutines, as one thread sees it
 *
 * What several threads may see is for tests/model and tests/stress.
 */
#include "forkq.h"
#include "gmp.h"
#include "tap.h"

#include <string.h>

static struct quoit_g *slots[FORKQ_SIZE];
static struct forkq q;
static struct quoit_g gs[FORKQ_SIZE];
static int seen[FORKQ_SIZE];
static bool alone; /* no thief can come: other steps, the same to see */

/* The ends and the count of puts run over: a queue may start anywhere. */
static void start_at(uint32_t puts, uint32_t end)
{
    q = (struct forkq){.word = forkq_word(puts, end, end), .slot = slots, .alone = alone};
}

static void fill(uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        forkq_put(&q, &gs[i]);
}

static bool empties(uint32_t n, bool newest)
{
    bool right = forkq_pop(&q, newest) == NULL;

    fill(n);
    right &= forkq_size(&q) == n;
    for (uint32_t i = 0; i < n; i++)
        right &= forkq_pop(&q, newest) == &gs[newest ? n - 1 - i : i];
    return right && forkq_pop(&q, newest) == NULL && forkq_size(&q) == 0;
}

static void both_ends(uint32_t puts, uint32_t end, const char *where)
{
    bool right = true;

    start_at(puts, end);
    for (uint32_t n = 0; n <= FORKQ_SIZE && right; n++)
        right = empties(n, true) && empties(n, false);
    ok(right, "both_ends, every size, %s", where);
}

static void full_is_full(void)
{
    start_at(0, 0);
    fill(FORKQ_SIZE);
    is_int(forkq_size(&q), FORKQ_SIZE, "full_is_full: all fit");
    ok(!forkq_put(&q, &gs[0]), "full_is_full: one more is refused");
    ok(forkq_pop(&q, false) == &gs[0] && forkq_put(&q, &gs[0]), "full_is_full: one out, one in");
    ok(forkq_pop(&q, true) == &gs[0] && forkq_pop(&q, true) == &gs[FORKQ_SIZE - 1],
       "full_is_full: the ends are where they should be");
}

static void only_the_newest(void)
{
    start_at(0, 0);
    ok(!forkq_pop_this(&q, &gs[0]), "only_the_newest: not out of an empty queue");
    fill(3);
    ok(!forkq_pop_this(&q, &gs[1]), "only_the_newest: not another one");
    ok(forkq_pop_this(&q, &gs[2]) && forkq_pop_this(&q, &gs[1]), "only_the_newest: one by one");
    is_int(forkq_size(&q), 1, "only_the_newest: the rest stays");
}

/* Half, rounded up, from the old end; each is somewhere once. */
static bool steals_half(uint32_t n)
{
    struct quoit_g *out[FORKQ_SIZE], *gp;
    uint32_t got;
    bool right = true;

    memset(seen, 0, sizeof seen);
    fill(n);
    got = forkq_grab(&q, out, FORKQ_SIZE);
    for (uint32_t i = 0; i < got; i++) {
        right &= out[i] == &gs[i];
        seen[out[i] - gs]++;
    }
    while ((gp = forkq_pop(&q, true)) != NULL)
        seen[gp - gs]++;
    for (uint32_t i = 0; i < n; i++)
        right &= seen[i] == 1;
    return right && got == n - n / 2;
}

static void grab_takes_half(uint32_t puts, uint32_t end, const char *where)
{
    bool right = true;

    start_at(puts, end);
    for (uint32_t n = 0; n <= FORKQ_SIZE && right; n++)
        right = steals_half(n);
    ok(right, "grab_takes_half, every size, %s", where);
}

static void grab_takes_what_is_asked(void)
{
    struct quoit_g *out[2];

    start_at(0, 0);
    fill(8);
    is_int(forkq_grab(&q, out, 2), 2, "grab_takes_what_is_asked");
    is_int(forkq_size(&q), 6, "grab_takes_what_is_asked: the rest stays");
}

/* A pop and a put bring both ends back; the word must differ all the same. */
static void every_put_counts(void)
{
    uint64_t before;

    start_at(0, 0);
    fill(2);
    before = q.word;
    forkq_pop(&q, true);
    forkq_put(&q, &gs[5]);
    ok(q.word != before && (uint32_t)q.word == (uint32_t)before, "every_put_counts");
    is_int(forkq_newest(q.word), 1, "every_put_counts: so does what the newest end gave");
    forkq_pop(&q, false);
    is_int(forkq_newest(q.word), 1, "every_put_counts: but not the other end");
}

static void one_thread(void)
{
    both_ends(0, 0, "from 0");
    both_ends(UINT32_MAX - FORKQ_SIZE / 2, 0xffff - FORKQ_SIZE / 2, "over the end of the counts");
    full_is_full();
    only_the_newest();
    grab_takes_half(0, 0, "from 0");
    grab_takes_half(UINT32_MAX - FORKQ_SIZE / 2, 0xffff - FORKQ_SIZE / 2,
                    "over the end of the counts");
    grab_takes_what_is_asked();
    every_put_counts();
}

int main(void)
{
    one_thread();
    alone = true;
    one_thread();
    return done_testing();
}
