/* SPDX-License-Identifier: BSD-3-Clause
 * stress-forkq.c - an owner at both ends and thieves at one: each is taken once, and whole
 */
#include "delay.h"
#include "forkq.h"
#include "gmp.h"
#include "takers.h"

enum { GRAB = FORKQ_SIZE / 2 };

static struct quoit_g *slots[FORKQ_SIZE];
static struct forkq q = {.slot = slots};

static void thief(struct tally *t, uint64_t *dice)
{
    struct quoit_g *got[GRAB];
    uint32_t n = forkq_grab(&q, got, 1 + roll(dice) % GRAB);

    for (uint32_t i = 0; i < n; i++)
        take(t, got[i]);
    delay(dice);
}

static void put(struct tally *t, struct quoit_g *gp)
{
    if (!forkq_put(&q, gp))
        take(t, gp);
}

/* From either end, or the one that was just put if it is still the newest. */
static struct quoit_g *get(uint64_t *dice, struct quoit_g *last)
{
    uint32_t how = roll(dice) % 4;

    if (how == 0 && last != NULL)
        return forkq_pop_this(&q, last) ? last : NULL;
    return forkq_pop(&q, how < 3);
}

static void owner(struct tally *t, uint64_t *dice)
{
    struct quoit_g *last = fresh(dice), *gp;

    if (last != NULL)
        put(t, last);
    delay(dice);
    gp = get(dice, last);
    if (gp != NULL && roll(dice) % 8 != 0)
        put(t, gp);
    else if (gp != NULL)
        take(t, gp);
}

static struct quoit_g *rest(void)
{
    return forkq_pop(&q, true);
}

int main(void)
{
    return takers_main(&(struct takers){thief, owner, rest, FORKQ_SIZE + FORKQ_SIZE / 2});
}
