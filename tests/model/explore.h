/* SPDX-License-Identifier: BSD-3-Clause
 * explore.h - runs a few short threads in every order there is, under a weak memory model
 *
 *     static const struct explore test = {
 *         .name = "one puts, one takes",
 *         .setup = setup,
 *         .thread = {putter, taker},
 *         .finish = finish,
 *     };
 *     explore(&test);
 *
 * setup() puts all memory that the threads use into its first state; it runs before each
 * schedule, so nothing may be left over. The threads run interleaved at every atomic
 * access, and each load may return any store that C11's release and acquire still allow
 * (machine.h). finish() looks at the outcome, in a world where everything has been seen
 * by everybody. A thread may keep private variables of any kind; what two threads touch
 * goes through atomic.h, or through data_read and data_write, which fail when no order
 * stands between a write and another access.
 *
 * The first failure ends the search and prints the schedule that leads to it. The search
 * is complete, unless a test limits it: two schedules are taken for one only if they
 * agree in all that the model knows and in all that each thread has read.
 */
#ifndef QUOIT_TESTS_EXPLORE_H
#define QUOIT_TESTS_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EXPLORE_THREADS = 4 };

struct explore {
    const char *name;
    void (*setup)(void);
    void (*thread[EXPLORE_THREADS])(void);
    void (*finish)(void);
    bool may_sleep;  /* threads that still sleep in the end are no failure by themselves */
    int preemptions; /* the search is limited to schedules with so many; 0: it is complete */
    bool reaches;    /* a litmus test: some schedule must fail */
};

/* One check of TAP: true when no schedule fails. */
bool explore(const struct explore *test);

/* The whole of main(). Arguments: --break 'EDGE in|out|full [function [access]]' weakens the
 * orders of that name (site.c); a twin in broken/ defines BROKEN to the same text. --audit says
 * which orders could go. */
#ifndef BROKEN
#define BROKEN NULL
#endif
#define explore_main(argc, argv, tests) \
    explore_run((argc), (argv), (tests), sizeof(tests) / sizeof((tests)[0]), BROKEN)
int explore_run(int argc, char **argv, const struct explore *tests, size_t n, const char *broken);

/* A failure of the schedule that is running, from a thread or from finish(). */
void explore_check(bool held, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* From setup(): how a value is called in the trace. */
void explore_name(const void *p, const char *name);

/* From setup(): relaxed loads of these words may be satisfied after later stores of the same
 * thread, as cpus may do that reorder a load with a later store. For words whose value steers no
 * branch. */
void explore_late(const void *p, size_t size);

/* From setup(): plain memory that several threads write under a lock or by turns. Without it two
 * schedules that left different things there could be taken for one. Whole words of 8 bytes
 * count. */
void explore_memory(const void *p, size_t size);

/* What the running thread will do depends on nothing that it has read so far, except what
 * `state` stands for (a number that also tells where it is). Without such marks the search is as
 * right, and longer. */
void explore_state(uint64_t state);

/* How many threads are asleep in futex_wait: for finish() and for checks. */
int explore_sleepers(void);

#endif
