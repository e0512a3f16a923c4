/* SPDX-License-Identifier: BSD-3-Clause
 * probe.h - what this kernel's io_uring can do for us
 *
 * Found by trying, never by the kernel's version: distributions carry newer features
 * back, and containers take them away.
 */
#ifndef QUOIT_URING_PROBE_H
#define QUOIT_URING_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct probe {
    int error;         /* 0, or -errno: no ring can be had */
    unsigned flags;    /* for ring_open */
    const char *how;   /* for people, before `why`: uring and of which kind, or posix */
    uint64_t opcodes;  /* bit n: the operation IORING_OP_ n is there */
    bool cancel_any;   /* everything in flight can be cancelled at once */
    bool cancel_by_others; /* not only the owner can cancel */
    bool direct;       /* files can be opened into places of a ring */
    char why[160];     /* the reason and the remedy for people; "" when there are rings */
};

enum { RING_ENTRIES = 256 };

/* Sets up a ring and takes it down again. Any thread. */
void probe_rings(struct probe *p);
/* The same in a process with this QUOIT_EXPERIMENT, NULL for none. For tools: it stays so. */
void probe_rings_as(struct probe *p, const char *experiments);

#endif
