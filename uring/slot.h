/* SPDX-License-Identifier: BSD-3-Clause
 * slot.h - places for files in a ring: opened, used and closed there, without a descriptor
 *
 * A chain that opens a file of its own has one from when it is put into the ring until its
 * close has completed. The M whose ring it is takes places, who takes completions gives them
 * back.
 */
#ifndef QUOIT_URING_SLOT_H
#define QUOIT_URING_SLOT_H

#include <stdbool.h>
#include <stdint.h>

struct poller;

enum { SLOTS = 256, SLOT_WORDS = SLOTS / 64 };

struct slots {
    uint64_t taken[SLOT_WORDS]; /* a  set by the owner, cleared by who takes completions */
    bool there, refused;        /* m  the ring's table is made; it could not be */
};

/* The owner of a ring that is open: -1: none is free, or the ring cannot have any. */
int slot_take(struct poller *pl);
void slot_give(struct poller *pl, int slot);

#endif
