/* SPDX-License-Identifier: BSD-3-Clause
 * explore.c - every schedule, one after the other
 *
 * A schedule is a list of choices: which thread goes next, which store a load returns.
 * Each run repeats the list of the one before up to the last choice that has another way
 * to go. A run ends early in a state that an earlier one has been in (machine_hash), so
 * what is searched is the graph of states and not the tree of schedules.
 *
 * A thread is a stack of its own; at each access it switches to the search and waits for
 * its turn.
 */
#include "explore.h"

#include "context.h"
#include "memory.h"
#include "sanitize.h"
#include "tap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { STACK_SIZE = 256 << 10, CHOICES = 1024, STEPS = 1024, MORE_STATES = 1 << 16 };

enum outcome { PASSED, FAILED, LEFT };

struct lane {
    struct context ctx;
    struct sanitize_stack rec;
    char *low;
    jmp_buf top;
};

static struct lane home, lanes[EXPLORE_THREADS];
static const struct explore *running;
static bool leaving; /* threads go back to the top of their stacks */

static struct choice {
    uint16_t taken, of;
} choices[CHOICES];
static int nchoices, at;

static struct trace_step trace[STEPS];
static int nsteps;
static const struct site *now;
static int preemptions; /* at most; 0: any number */
static int last, preempted; /* who went last; how often one that could have gone on did not */
static char failure[256];
static bool failed, abandoned;

static uint64_t *states;
static size_t nstates, room;

/* ---- threads -------------------------------------------------------------------------------- */

static void thread_main(void *arg)
{
    struct lane *l = arg;
    int me = (int)(l - lanes);

    sanitize_arrive(&l->rec);
    for (;;) {
        sanitize_leave(&l->rec, &home.rec, false);
        context_switch(&l->ctx, &home.ctx, NULL);
        sanitize_arrive(&l->rec);
        if (setjmp(l->top) == 0) {
            running->thread[me]();
            plain_judge();
            threads[me].state = T_DONE;
        }
    }
}

/* Lets a thread make its next access and run up to the one after it. */
static void resume(int t)
{
    struct lane *l = &lanes[t];

    self = t;
    sanitize_leave(&home.rec, &l->rec, false);
    context_switch(&home.ctx, &l->ctx, NULL);
    sanitize_arrive(&home.rec);
    self = -1;
}

/* Once: the thread then waits at the top of its stack. */
static void lane_make(struct lane *l)
{
    l->low = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (l->low == MAP_FAILED)
        bail("no memory for a stack of %d bytes", STACK_SIZE);
    sanitize_stack_make(&l->rec, l->low, STACK_SIZE);
    sanitize_leave(&home.rec, &l->rec, false);
    context_begin(&home.ctx, l->low + STACK_SIZE, thread_main, l);
    sanitize_arrive(&home.rec);
}

static void switch_home(void)
{
    struct lane *l = &lanes[self];

    sanitize_leave(&l->rec, &home.rec, false);
    context_switch(&l->ctx, &home.ctx, NULL);
    sanitize_arrive(&l->rec);
    if (leaving)
        longjmp(l->top, 1);
}

void step(const struct site *s, bool turn)
{
    if (turn)
        switch_home();
    now = s;
}

void abandon(void)
{
    abandoned = true;
    switch_home();
    abort();
}

/* ---- choices and the trace ------------------------------------------------------------------ */

int choose(int n)
{
    if (n <= 1)
        return 0;
    if (at == nchoices) {
        if (nchoices == CHOICES)
            bail("a schedule has more than %d choices", CHOICES);
        choices[nchoices++] = (struct choice){0, (uint16_t)n};
    }
    if (choices[at].of != n)
        bail("the same schedule went another way: something outlives setup()");
    return choices[at++].taken;
}

/* The next list of choices; false when there is none. */
static bool next_schedule(void)
{
    while (nchoices > 0 && choices[nchoices - 1].taken + 1 == choices[nchoices - 1].of)
        nchoices--;
    if (nchoices == 0)
        return false;
    choices[nchoices - 1].taken++;
    return true;
}

void note_step(uint64_t value, int newer, const char *note)
{
    if (nsteps == STEPS)
        bail("a schedule has more than %d steps", STEPS);
    trace[nsteps++] = (struct trace_step){now, value, (uint8_t)self, (uint8_t)newer, note};
}

static void print_step(const struct trace_step *st)
{
    const char *base = strrchr(st->site->file, '/');
    char where[64], what[80], value[40], stale[32] = "";

    machine_name(value, sizeof(value), st->value);
    snprintf(where, sizeof(where), "%s:%d", base ? base + 1 : st->site->file, st->site->line);
    snprintf(what, sizeof(what), "%s(%s)", st->site->op, st->site->what);
    if (st->newer)
        snprintf(stale, sizeof(stale), " (%d newer)", st->newer);
    diag("  %*s%d  %-16s %-18s %-36s %s%s%s%s", 2 * st->thread, "", st->thread + 1, where,
         st->site->func, what, value, stale, st->note ? " " : "", st->note ? st->note : "");
}

static void print_failure(void)
{
    diag("%s: %s", running->name, failure);
    for (int i = 0; i < nsteps; i++)
        print_step(&trace[i]);
}

/* ---- failures ------------------------------------------------------------------------------- */

static void fail_with(const char *fmt, va_list ap)
{
    if (failed)
        return;
    failed = true;
    vsnprintf(failure, sizeof(failure), fmt, ap);
}

/* The thread goes no further; others may, to make a guess come true that it relied on. */
static void fail_thread(const char *fmt, va_list ap)
{
    fail_with(fmt, ap);
    if (self < 0)
        return;
    threads[self].state = T_FAILED;
    for (;;)
        switch_home();
}

void fail_step(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fail_thread(fmt, ap);
    va_end(ap);
}

void explore_check(bool held, const char *fmt, ...)
{
    va_list ap;

    if (held)
        return;
    va_start(ap, fmt);
    fail_thread(fmt, ap);
    va_end(ap);
}

/* ---- states that have been seen ------------------------------------------------------------- */

static bool state_put(uint64_t *table, size_t size, uint64_t h)
{
    size_t i = h & (size - 1);

    h += h == 0;
    while (table[i] != 0 && table[i] != h)
        i = (i + 1) & (size - 1);
    if (table[i] == h)
        return false;
    table[i] = h;
    return true;
}

static void states_grow(void)
{
    size_t more = room ? room * 4 : MORE_STATES;
    uint64_t *table = calloc(more, sizeof(*table));

    if (table == NULL)
        bail("no memory for %zu states", more);
    for (size_t i = 0; i < room; i++) {
        if (states[i])
            state_put(table, more, states[i]);
    }
    free(states);
    states = table;
    room = more;
}

static bool state_is_new(void)
{
    uint64_t h = machine_hash();

    if (preemptions)
        h = (h ^ (uint64_t)(preempted * EXPLORE_THREADS + last)) * UINT64_C(0x9e3779b97f4a7c15);
    if (nstates * 2 >= room)
        states_grow();
    if (!state_put(states, room, h))
        return false;
    nstates++;
    return true;
}

static void states_forget(void)
{
    free(states);
    states = NULL;
    nstates = room = 0;
}

/* ---- schedules ------------------------------------------------------------------------------ */

static void begin(void)
{
    machine_reset();
    at = nsteps = 0;
    failed = abandoned = false;
    running->setup();
    machine_begin();
    for (int t = 0; t < nthreads; t++)
        resume(t);
}

static void unwind(void)
{
    leaving = true;
    for (int t = 0; t < nthreads; t++) {
        if (threads[t].state != T_DONE)
            resume(t);
    }
    leaving = false;
}

/* Nobody can go on. */
static enum outcome end(void)
{
    if (machine_guessing())
        return LEFT;
    if (failed)
        return FAILED;
    for (int t = 0; t < nthreads; t++) {
        bool asleep = threads[t].state == T_SLEEPS || threads[t].state == T_AWAITS_SET;

        if (threads[t].state != T_DONE && !(running->may_sleep && asleep)) {
            failed = true;
            snprintf(failure, sizeof(failure), "thread %d %s for ever", t + 1,
                     asleep ? "sleeps" : "waits");
            return FAILED;
        }
    }
    machine_settle();
    if (running->finish)
        running->finish();
    return failed ? FAILED : PASSED;
}

/* Who may go next: how many, and their numbers. */
static int candidates(int *who)
{
    int n = 0;

    if (preemptions && preempted == preemptions && machine_can_go(last)) {
        who[0] = last;
        return 1;
    }
    for (int t = 0; t < nthreads; t++) {
        if (machine_can_go(t))
            who[n++] = t;
    }
    return n;
}

static enum outcome run(void)
{
    int who[EXPLORE_THREADS], n;

    last = preempted = 0;
    for (;;) {
        if (abandoned)
            return LEFT;
        if (failed && !machine_guessing())
            return FAILED;
        if (at == nchoices && !state_is_new())
            return LEFT;
        n = candidates(who);
        if (n == 0)
            return end();
        n = who[choose(n)];
        preempted += n != last && machine_can_go(last);
        last = n;
        threads[n].state = T_READY;
        resume(n);
    }
}

/* True when no schedule fails, or when one has shown what the others should have known. */
static bool search(unsigned long *schedules)
{
    enum outcome how;

    nchoices = 0;
    states_forget();
    do {
        begin();
        how = run();
        unwind();
        ++*schedules;
    } while (how != FAILED && !machine_learned && next_schedule());
    return how != FAILED;
}

static bool search_all(unsigned long *schedules)
{
    bool held;

    machine_forget();
    do {
        machine_learned = false;
        held = search(schedules);
    } while (held && machine_learned);
    return held;
}

static bool explore_quietly(const struct explore *test, unsigned long *schedules)
{
    running = test;
    preemptions = test->preemptions;
#ifdef SANITIZE_SWITCHES
    /* A sanitizer looks at the explorer, not at the protocol, and makes all ten times slower. */
    if (preemptions > 1)
        preemptions = 1;
#endif
    nthreads = 0;
    while (nthreads < EXPLORE_THREADS && test->thread[nthreads])
        nthreads++;
    return search_all(schedules);
}

bool explore(const struct explore *test)
{
    unsigned long schedules = 0;
    bool held = explore_quietly(test, &schedules);

    ok(held != test->reaches, "%s", test->name);
    if (!held && !test->reaches)
        print_failure();
    diag("%lu schedules, %zu states", schedules, nstates);
    return held != test->reaches;
}

/* Which orders does no test here need? Each is taken away alone, at one place. */
static void audit(const struct explore *tests, size_t n)
{
    unsigned long schedules = 0;

    for (struct site *s = all_sites; s; s = s->link) {
        for (s->removed = IN; s->removed <= FULL; s->removed <<= 1) {
            const char *verdict = "not needed here";
            if (!(s->order & s->removed))
                continue;
            for (size_t i = 0; i < n; i++) {
                if (!explore_quietly(&tests[i], &schedules))
                    verdict = "needed";
            }
            diag("%-15s %s of %s(%s) in %s", verdict,
                 s->removed == IN ? "in" : s->removed == OUT ? "out" : "full", s->op, s->what,
                 s->func);
        }
        s->removed = 0;
    }
}

int explore_run(int argc, char **argv, const struct explore *tests, size_t n, const char *broken)
{
    bool wants_audit = argc == 2 && strcmp(argv[1], "--audit") == 0;

    if (argc == 3 && strcmp(argv[1], "--break") == 0)
        broken = argv[2];
    else if (argc != 1 && !wants_audit)
        bail("usage: %s [--audit | --break 'EDGE in|out|full [function [access]]']", argv[0]);
    if (broken)
        site_break(broken);
    sanitize_stack_self(&home.rec);
    for (int t = 0; t < EXPLORE_THREADS; t++)
        lane_make(&lanes[t]);
    /* One test that fails has noticed what is broken: the others are not looked at. */
    for (size_t i = 0; i < n; i++)
        if (!explore(&tests[i]) && broken)
            break;
    if (wants_audit)
        audit(tests, n);
    for (int t = 0; t < EXPLORE_THREADS; t++) {
        sanitize_stack_free(&lanes[t].rec);
        munmap(lanes[t].low, STACK_SIZE);
    }
    states_forget();
    return done_testing();
}
