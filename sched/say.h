/* SPDX-License-Identifier: BSD-3-Clause
 * say.h - text for a file descriptor, from anywhere
 *
 * Async-signal-safe, without heap or lock. What is said is gathered and written when it is said to
 * be enough, so lines of one thing stay together. Conversions: strings and whole numbers only.
 */
#ifndef QUOIT_SCHED_SAY_H
#define QUOIT_SCHED_SAY_H

#include "compiler.h"

#include <stdint.h>

enum { SAY_BYTES = 1024 };

struct say {
    int fd;
    int error; /* 0, or the first -errno of a write: from then on nothing is written */
    uint32_t n;
    char text[SAY_BYTES];
};

static inline void say_begin(struct say *s, int fd)
{
    s->fd = fd;
    s->error = 0;
    s->n = 0;
}

/* What is longer than SAY_BYTES at once is cut. errno stays. */
void say(struct say *s, const char *fmt, ...) printf_like(2, 3);
/* Writes what is gathered; s->error. Waits where the descriptor would not. */
int say_flush(struct say *s);

#endif
