/* SPDX-License-Identifier: BSD-3-Clause
 * test-preempt.c - a call that is put into running code leaves no trace in it, and a thread's guard
 * is what its functions compare with
 */
#include "preempt.h"

#include "tap.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>

/* ---- the guard ---- */

static uintptr_t *address;
static sem_t told, poked;

static void *has_a_guard(void *out)
{
    uintptr_t *seen = out;

    address = guard_address();
    guard_set(1);
    sem_post(&told);
    sem_wait(&poked);
    *seen = guard_get();
    guard_set(0);
    return NULL;
}

static void another_thread_stores_the_guard(void)
{
    uintptr_t seen = 0;
    pthread_t thread;

    sem_init(&told, 0, 0);
    sem_init(&poked, 0, 0);
    is_int(guard_get(), 0, "a thread begins without a guard");
    if (pthread_create(&thread, NULL, has_a_guard, &seen) != 0)
        bail("no thread");
    sem_wait(&told);
    guard_poke(address, 4096);
    sem_post(&poked);
    pthread_join(thread, NULL);
    is_int(seen, 4096, "another_thread_stores_the_guard");
    is_int(guard_get(), 0, "and leaves its own alone");
}

#if defined(__x86_64__)

#include "late.h"
#include "patterns.h"

#include <unwind.h>

/* ---- injection ---- */

#define ROUNDS 500
#define SIGNAL_US 40
#define CALL_BYTES 16 /* up to body's frame */
#define X87_UP 0x800
#define MXCSR_UP 0x4000

static uintptr_t low; /* of the stack, as preempt_inject is told */
static volatile bool armed;
static volatile int injected, refused;
static uintptr_t interrupted_sp, body_sp;
static bool changed; /* a context that was refused */

static enum level in_use;

static void body(void)
{
    body_sp = (uintptr_t)__builtin_frame_address(0);
    patterns_wipe(in_use);
    patterns_hit = 1;
}

static void (*volatile called)(void) = body;

static bool in_patterns(const ucontext_t *uc)
{
    uintptr_t pc = (uintptr_t)uc->uc_mcontext.gregs[REG_RIP];

    return pc >= (uintptr_t)patterns && pc < (uintptr_t)patterns_wipe;
}

static void handler(int sig unused_arg, siginfo_t *info unused_arg, void *context)
{
    ucontext_t *uc = context;
    greg_t sp = uc->uc_mcontext.gregs[REG_RSP], pc = uc->uc_mcontext.gregs[REG_RIP];

    if (!armed || !in_patterns(uc))
        return;
    armed = false;
    if (preempt_inject(context, low, called)) {
        interrupted_sp = (uintptr_t)sp;
        injected = injected + 1;
        return;
    }
    refused = refused + 1;
    changed = changed || sp != uc->uc_mcontext.gregs[REG_RSP] ||
              pc != uc->uc_mcontext.gregs[REG_RIP];
    patterns_hit = 1;
}

static uint32_t control; /* bits of mxcsr to be set besides */
static timer_t timer;

/* The handler runs off the stack that it changes. */
static void signals_come(void)
{
    static char stack[1 << 16];
    stack_t ours = { .ss_sp = stack, .ss_size = sizeof stack };
    struct sigaction action = {
        .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK
    };
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGURG };
    struct itimerspec often = { { 0, SIGNAL_US * 1000 }, { 0, SIGNAL_US * 1000 } };

    if (sigaltstack(&ours, NULL) != 0 || sigaction(SIGURG, &action, NULL) != 0 ||
        timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 ||
        timer_settime(timer, 0, &often, NULL) != 0)
        bail("no timer");
}

/* Numbers that no normal code leaves in a register. In the x87 registers they are numbers that one
 * can load and store. */
static void fill(uint64_t seed)
{
    uint8_t *bytes = (uint8_t *)&patterns_in;

    for (size_t i = 0; i < sizeof patterns_in; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        bytes[i] = (uint8_t)(seed >> 56);
    }
    for (int i = 0; i < 8; i++) {
        patterns_in.x87[i].bytes[7] |= 0x80;
        patterns_in.x87[i].bytes[9] = 0x3f;
        patterns_in.masks[i] &= 0xffff;
    }
    /* The default, and all the flags of what has happened. */
    patterns_in.mxcsr = 0x1f80 | 0x3f | control;
}

/* What is wrong with what was in the registers afterwards; NULL: nothing. */
static const char *wrong(enum level level)
{
    static const size_t bytes[] = { 16, 32, 64 }, count[] = { 16, 16, 32 };

    for (size_t i = 0; i < count[level]; i++) {
        if (memcmp(patterns_in.vectors[i], patterns_out.vectors[i], bytes[level]) != 0)
            return "a vector";
    }
    for (int i = 0; i < 8; i++) {
        if (memcmp(patterns_in.x87[i].bytes, patterns_out.x87[i].bytes, 10) != 0)
            return "an x87 register";
        if (level == LEVEL_AVX512 && patterns_in.masks[i] != patterns_out.masks[i])
            return "a mask";
    }
    return patterns_in.mxcsr == patterns_out.mxcsr ? NULL : "mxcsr";
}

static void round_of(enum level level, uint64_t seed, const char **what, uint64_t *code)
{
    const char *bad;
    uint64_t found;

    fill(seed);
    patterns_hit = 0;
    in_use = level;
    armed = true;
    found = patterns(level);
    armed = false;
    bad = wrong(level);
    *code = found != 0 ? found : *code;
    *what = bad != NULL ? bad : *what;
}

static void registers_survive(enum level level)
{
    static const char *const name[] = { "sse", "avx", "avx-512" };
    const char *what = NULL;
    uint64_t code = 0;

    injected = refused = 0;
    for (uint64_t i = 0; i < ROUNDS && code == 0 && what == NULL; i++)
        round_of(level, i * 977 + (uint64_t)level, &what, &code);
    is_int(code, 0, "general registers, flags and red zone survive %d injections, %s", injected,
           name[level]);
    ok(what == NULL, "so do vectors, x87 registers and mxcsr: %s", what != NULL ? what : "all");
    is_int(injected, ROUNDS, "each round was interrupted");
    ok(interrupted_sp - body_sp <= preempt_room() + CALL_BYTES,
       "%zu of the %zu bytes said were taken", (size_t)(interrupted_sp - body_sp), preempt_room());
}

static void no_room_is_refused(void)
{
    const char *what = NULL;
    uint64_t code = 0;

    injected = refused = 0;
    changed = false;
    low = (uintptr_t)__builtin_frame_address(0) - 512;
    round_of(LEVEL_SSE, 7, &what, &code);
    low = 0;
    ok(refused == 1 && injected == 0 && !changed, "no_room_is_refused, with nothing changed");
}

static void set_x87(uint16_t word)
{
    __asm__ volatile("fldcw %0" : : "m"(word));
}

static void changed_rounding_is_left_alone(void)
{
    const char *what = NULL;
    uint64_t code = 0;

    injected = refused = 0;
    set_x87(0x37f | X87_UP);
    round_of(LEVEL_SSE, 8, &what, &code);
    set_x87(0x37f);
    is_int(refused, 1, "changed_rounding_is_left_alone: of the x87");
    control = MXCSR_UP;
    round_of(LEVEL_SSE, 8, &what, &code);
    control = 0;
    is_int(refused, 2, "and of vectors");
    is_int(injected, 0, "nothing was called");
}

/* ---- what an unwinder sees ---- */

static int found;

static _Unwind_Reason_Code frame(struct _Unwind_Context *context, void *arg unused_arg)
{
    int before;
    uintptr_t pc = _Unwind_GetIPInfo(context, &before);

    if (pc == (uintptr_t)async_preempt_called && found == 0)
        found = 1;
    else if (found == 1)
        found = before && pc >= (uintptr_t)patterns && pc < (uintptr_t)patterns_wipe ? 2 : -1;
    else if (found == 2)
        found = pc >= (uintptr_t)round_of ? 3 : -1;
    return _URC_NO_REASON;
}

static void body_unwinds(void)
{
    _Unwind_Backtrace(frame, NULL);
    body();
}

static void backtraces_go_on_below(void)
{
    const char *what = NULL;
    uint64_t code = 0;

    called = body_unwinds;
    round_of(LEVEL_SSE, 9, &what, &code);
    called = body;
    is_int(found, 3, "backtraces_go_on_below: in the interrupted function, then in its caller");
}

/* An emulator may hand out signal frames of its own make. */
static bool frames_are_whole(void)
{
    const char *what = NULL;
    uint64_t code = 0;

    round_of(LEVEL_SSE, 1, &what, &code);
    return refused == 0;
}

static void injection(void)
{
#if HANDLERS_ARE_LATE
    skip("injection: TSan runs handlers later, with a context that is not looked at");
#else
    signals_come();
    if (!frames_are_whole()) {
        skip("injection: signal frames without extended state");
    } else {
        for (enum level level = LEVEL_SSE; level <= best_level(); level++)
            registers_survive(level);
        if (best_level() < LEVEL_AVX512)
            skip("no AVX-512 here");
        no_room_is_refused();
        changed_rounding_is_left_alone();
        backtraces_go_on_below();
    }
    timer_delete(timer);
#endif
}

#else

/* What is not offered is refused. */
static void body(void)
{
}

static void injection(void)
{
    ucontext_t context = { .uc_flags = 0 };

    ok(!preempt_inject(&context, 0, body), "injection is refused");
}

#endif

int main(void)
{
    preempt_init();
    if (have_guard)
        another_thread_stores_the_guard();
    injection();
    return done_testing();
}
