/* SPDX-License-Identifier: BSD-3-Clause
 * takers.c - an owner and thieves at one queue: each goroutine is taken once, and whole
 */
#include "takers.h"

#include "atomic.h"

#include "delay.h"
#include "tap.h"

#include <pthread.h>

enum { THIEVES = 3, TURNS = 1024 };

struct tally {
    uint64_t taken, sum, wrong;
};

static const struct takers *takers;
static struct quoit_g gs[TAKERS_MAX];
static uint32_t out[TAKERS_MAX]; /* 1 while somebody may take it: by owner and taker by turns */
static uint32_t stop;
static struct tally tallies[THIEVES + 1];
static uint64_t put_n, put_sum;

struct quoit_g *fresh(uint64_t *dice)
{
    uint32_t i = roll(dice) % takers->gs;

    if (load_acquire(&out[i]) != 0)
        return NULL;
    store_relaxed(&out[i], 1);
    gs[i].id = ++put_n;
    gs[i].result = (int32_t)put_n;
    put_sum += put_n;
    return &gs[i];
}

void take(struct tally *t, struct quoit_g *gp)
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

    while (!load_relaxed(&stop))
        takers->thief(t, &dice);
    return NULL;
}

static void own(struct tally *t)
{
    uint64_t dice = stress_dice(THIEVES);
    struct quoit_g *gp;

    do {
        for (int i = 0; i < TURNS; i++)
            takers->owner(t, &dice);
    } while (!stress_over());
    while ((gp = takers->rest()) != NULL)
        take(t, gp);
}

int takers_main(const struct takers *how)
{
    pthread_t threads[THIEVES];
    struct tally all = {0};

    takers = how;
    stress_begin();
    for (int i = 0; i < THIEVES; i++) {
        if (pthread_create(&threads[i], NULL, thief, &tallies[i]) != 0)
            bail("no thread to steal");
    }
    own(&tallies[THIEVES]);
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
