/* SPDX-License-Identifier: BSD-3-Clause
 * faultring.h - a kernel that is in trouble with its rings
 *
 * The linker leads the calls through faultring.c (--wrap, see meson.build): it refuses, takes less
 * than it was given, and tells of other results than there were. All is off while 0. Set for
 * a moment when nobody calls, or with atomics.
 */
#ifndef QUOIT_TESTS_FAULTRING_H
#define QUOIT_TESTS_FAULTRING_H

#include <stdint.h>

struct faults {
    uint32_t every;     /* only each n-th call goes through, the others end with several errors */
    uint32_t first;     /* the first n are refused */
    uint32_t all;       /* all are refused: -EBUSY */
    int64_t until;      /* all before this time (CLOCK_MONOTONIC ns) */
    uint32_t take;      /* once: of more entries than n the kernel takes n */
    uint32_t setup;     /* rings with one of these IORING_SETUP_ flags are refused: -EPERM */
    uint32_t spoil;     /* each n-th read that has completed says that it is to be made again */
};
extern struct faults faults;

/* Counted since they were set to 0. */
extern uint32_t fault_calls, fault_refused, fault_spoiled;

#endif
