/* SPDX-License-Identifier: BSD-3-Clause
 * takers.h - an owner and thieves at one queue: each goroutine is taken once, and whole
 *
 * A goroutine goes round: the owner gets a fresh one, which has a new number in it, and puts it;
 * whoever takes it reads the number and gives the record back. So records and slots are used over
 * and over.
 */
#ifndef QUOIT_TESTS_TAKERS_H
#define QUOIT_TESTS_TAKERS_H

#include "gmp.h"

#include <stdint.h>

struct tally;

/* One look of a thief, and one turn of the owner, which may get a fresh goroutine and put it. */
typedef void taker_fn(struct tally *t, uint64_t *dice);

struct takers {
    taker_fn *thief, *owner;
    struct quoit_g *(*rest)(void); /* at the end: one more out of the queue, or NULL */
    uint32_t gs;                   /* how many go round, TAKERS_MAX at most */
};
enum { TAKERS_MAX = 4096 };

/* One that nobody has, picked at random; NULL: the one that was picked is still on its way. The
 * owner only. */
struct quoit_g *fresh(uint64_t *dice);
/* It came out of the queue, and is counted and given back. */
void take(struct tally *t, struct quoit_g *gp);

/* For as long as stress tests take; the exit status. */
int takers_main(const struct takers *how);

#endif
