/* SPDX-License-Identifier: BSD-3-Clause
 * stress-runq.c - an owner and thieves on one queue: each goroutine is taken once, and whole
 */
#include "delay.h"
#include "gmp.h"
#include "runq.h"
#include "takers.h"

enum { GRAB = RUNQ_SIZE / 2 };

static struct quoit_g *slots[RUNQ_SIZE];
static struct runq q = {.slot = slots};

static void thief(struct tally *t, uint64_t *dice)
{
    struct quoit_g *got[GRAB], *seen;
    uint32_t n = runq_grab(&q, got, 1 + roll(dice) % GRAB);

    for (uint32_t i = 0; i < n; i++)
        take(t, got[i]);
    delay(dice);
    seen = load_relaxed(&q.next);
    delay(dice);
    if (runq_grab_next(&q, seen))
        take(t, seen);
}

static void put(struct tally *t, struct quoit_g *gp, bool next)
{
    if (next)
        gp = runq_put_next(&q, gp);
    if (gp != NULL && !runq_put(&q, gp))
        take(t, gp);
}

static void owner(struct tally *t, uint64_t *dice)
{
    struct quoit_g *gp = fresh(dice);

    if (gp != NULL)
        put(t, gp, roll(dice) % 4 == 0);
    delay(dice);
    gp = roll(dice) % 4 == 0 ? runq_get_next(&q) : runq_get(&q);
    if (gp != NULL && roll(dice) % 8 != 0)
        put(t, gp, false);
    else if (gp != NULL)
        take(t, gp);
}

static struct quoit_g *rest(void)
{
    struct quoit_g *gp = runq_get(&q);

    return gp != NULL ? gp : runq_get_next(&q);
}

int main(void)
{
    return takers_main(&(struct takers){thief, owner, rest, RUNQ_SIZE + RUNQ_SIZE / 2});
}
