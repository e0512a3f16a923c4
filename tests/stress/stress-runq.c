/* SPDX-License-Identifier: BSD-3-Clause
 * stress-runq.c - an owner and thieves on one queue: each goroutine is taken once, and whole
 *
 * A goroutine goes round: the owner writes its number into it and puts it, whoever takes it reads
 * the number and gives the record back. So records and slots are used over and over.
 */
#include "delay.h"
#include "gmp.h"
#include "runq.h"
#include "tap.h"

#include <pthread.h>

enum { GS = RUNQ_SIZE + RUNQ_SIZE / 2, THIEVES = 3, GRAB = RUNQ_SIZE / 2 };

static struct quoit_g *slots[RUNQ_SIZE];
static struct runq q = {.slot = slots};
static struct quoit_g gs[GS];
static uint32_t out[GS]; /* 1 while somebody may take it: written by owner and taker by turns */
static uint32_t stop;

struct tally {
    uint64_t taken, sum, wrong;
};

static struct tally tallies[THIEVES + 1];

static void take(struct tally *t, struct quoit_g *gp)
{
    t->taken++;
    t->sum += gp->id;
    t->wrong += gp->result != (int32_t)gp->id;
    store_release(&out[gp - gs], 0);
}

static void *thief(void *arg)
{
    struct tally *t = arg;
    uint64_t dice = stress_dice((int)(t - tallies));
    struct quoit_g *got[GRAB], *seen;
    uint32_t n;

    while (!load_relaxed(&stop)) {
        n = runq_grab(&q, got, 1 + roll(&dice) % GRAB);
        for (uint32_t i = 0; i < n; i++)
            take(t, got[i]);
        delay(&dice);
        seen = load_relaxed(&q.next);
        delay(&dice);
        if (runq_grab_next(&q, seen))
            take(t, seen);
    }
    return NULL;
}

static void put(struct tally *t, struct quoit_g *gp, bool next)
{
    if (next)
        gp = runq_put_next(&q, gp);
    if (gp != NULL && !runq_put(&q, gp))
        take(t, gp);
}

/* Returns how many it put; *sum is what their numbers make. */
static uint64_t own(uint64_t *sum)
{
    struct tally *t = &tallies[THIEVES];
    uint64_t dice = stress_dice(THIEVES), id = 0;
    struct quoit_g *gp;

    while (id % 1024 != 0 || !stress_over()) {
        uint32_t i = roll(&dice) % GS;

        if (load_acquire(&out[i]) == 0) {
            store_relaxed(&out[i], 1);
            gs[i].id = ++id;
            gs[i].result = (int32_t)id;
            *sum += id;
            put(t, &gs[i], roll(&dice) % 4 == 0);
        }
        delay(&dice);
        gp = roll(&dice) % 4 == 0 ? runq_get_next(&q) : runq_get(&q);
        if (gp != NULL && roll(&dice) % 8 != 0)
            put(t, gp, false);
        else if (gp != NULL)
            take(t, gp);
    }
    while ((gp = runq_get(&q)) != NULL || (gp = runq_get_next(&q)) != NULL)
        take(t, gp);
    return id;
}

int main(void)
{
    pthread_t threads[THIEVES];
    struct tally all = {0};
    uint64_t put_n, put_sum = 0;

    stress_begin();
    for (int i = 0; i < THIEVES; i++) {
        if (pthread_create(&threads[i], NULL, thief, &tallies[i]) != 0)
            bail("no thread to steal");
    }
    put_n = own(&put_sum);
    store_relaxed(&stop, 1);
    for (int i = 0; i < THIEVES; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i <= THIEVES; i++) {
        all.taken += tallies[i].taken;
        all.sum += tallies[i].sum;
        all.wrong += tallies[i].wrong;
    }
    is_int(all.taken, put_n, "as many taken as put");
    is_int(all.sum, put_sum, "the same ones");
    is_int(all.wrong, 0, "each one whole");
    ok(all.taken > tallies[THIEVES].taken, "thieves got %llu of them",
       (unsigned long long)(all.taken - tallies[THIEVES].taken));
    return done_testing();
}
