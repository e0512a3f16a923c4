/* SPDX-License-Identifier: BSD-3-Clause
 * profile_format.h - what the profiler hands to who writes it down (tools/pprof/)
 *
 * The writer is a library of its own, loaded when a profile ends, so that a program which never
 * takes one needs none of what the format needs.
 */
#ifndef QUOIT_SCHED_PROFILE_FORMAT_H
#define QUOIT_SCHED_PROFILE_FORMAT_H

#include <stddef.h>
#include <stdint.h>

/* A sample: a first word that is a sum of these, the address where the goroutine was made (0: not
 * known), its name in NAME_WORDS words if it has one, and addresses, innermost first. */
enum sample_kind {
    SAMPLE_GOROUTINE, /* in the program's code */
    SAMPLE_QUOIT,     /* in Quoit's, called by a goroutine */
    SAMPLE_SCHEDULER, /* looking for work; no goroutine runs */
    SAMPLE_KINDS,
    SAMPLE_KIND = 0xff,
    SAMPLE_NAMED = 0x100
};
enum { SAMPLE_NAME_WORDS = 4 };

struct profile {
    int64_t period_ns;   /* cpu time between two samples */
    int64_t begun_ns;    /* CLOCK_REALTIME */
    int64_t lasted_ns;
    uint64_t lost;       /* samples that were taken and are not in here */
    const uint64_t *words; /* entries: how often, how many words, the words of a sample */
    size_t n;
};

/* Version 1 of the one function of libquoit_pprof.so. 0 or -errno. */
typedef int quoit_pprof_fn(int fd, const struct profile *profile);
#define PPROF_FUNCTION "quoit_pprof_write_1"

#endif
