/* SPDX-License-Identifier: BSD-3-Clause
 * throw.c - the end of the program
 *
 * Called by anybody, anywhere: on a goroutine's stack, on g0, in threads that
 * are not ours, in signal handlers, with locks held. So nothing is allocated
 * and no lock of ours is taken. dladdr takes the loader's lock, which the same
 * thread may hold already; a thread that holds it and has to wait for another
 * one's end does not wait for ever.
 *
 * It ends by _exit: what was registered with atexit would run in a program that
 * is broken.
 */
#include "throw.h"

#include "atomic.h"
#include "tls.h"

#include "env.h"
#include "gmp.h"
#include "os_linux.h"
#include "proc.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <unwind.h>

enum { EXIT_THROW = 2, EXIT_THROW_IN_THROW = 4 };
enum { FRAMES_MAX = 64 };

/* What one who came second waits at most for the first to be done. */
static const int64_t dying_ns = 10 * INT64_C(1000000000);

/* ---- who and where -------------------------------------------------------------------------- */

static const char *basename_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

static void say_frame(uintptr_t pc)
{
    Dl_info at;

    /* A file without symbols still has offsets, which addr2line understands. */
    if (dladdr((void *)pc, &at) == 0 || at.dli_fname == NULL)
        stderr_line("    0x%zx", (size_t)pc);
    else if (at.dli_sname == NULL)
        stderr_line("    0x%zx (%s+0x%zx)", (size_t)pc, basename_of(at.dli_fname),
            (size_t)(pc - (uintptr_t)at.dli_fbase));
    else
        stderr_line("    0x%zx %s+0x%zx (%s+0x%zx)", (size_t)pc, at.dli_sname,
            (size_t)(pc - (uintptr_t)at.dli_saddr), basename_of(at.dli_fname),
            (size_t)(pc - (uintptr_t)at.dli_fbase));
}

/* A recursion is told of once, so that what began it is told of too. */
struct walk {
    int skip, left;
    uintptr_t last;
    unsigned long again;
};

static void say_again(struct walk *w)
{
    if (w->again > 0)
        stderr_line("    and %lu times more", w->again);
    w->again = 0;
}

static _Unwind_Reason_Code frame(struct _Unwind_Context *ctx, void *arg)
{
    struct walk *w = arg;
    int exact = 0;
    uintptr_t pc = _Unwind_GetIPInfo(ctx, &exact);

    if (pc == 0)
        return _URC_END_OF_STACK;
    if (w->skip > 0) {
        w->skip--;
        return _URC_NO_REASON;
    }
    if (pc == w->last) {
        w->again++;
        return _URC_NO_REASON;
    }
    say_again(w);
    if (w->left-- == 0) {
        stderr_line("    ...");
        return _URC_END_OF_STACK;
    }
    w->last = pc;
    /* A return address may belong to the next function already: its call never
     * returns. */
    say_frame(exact ? pc : pc - 1);
    return _URC_NO_REASON;
}

/* Of the running stack, without the two frames that are throw's own. */
static noinline void say_stack(void)
{
    struct walk w = { .skip = 2, .left = FRAMES_MAX };

    _Unwind_Backtrace(frame, &w);
    say_again(&w);
}

static void say_who(const struct quoit_g *gp, const char *what)
{
    if (!(gp->flags & G_NAMED))
        stderr_line("goroutine %llu [%s]:", (unsigned long long)gp->id, what);
    else
        stderr_line("goroutine %llu [%s] \"%.*s\":", (unsigned long long)gp->id, what, GNAME_MAX,
                    gp->name);
}

/* hint: others go on while this is printed, so it is what was true a moment ago. */
static void say_threads(const struct m *self)
{
    for (const struct m *mp = sched.allm; mp != NULL; mp = mp->alllink) {
        const struct quoit_g *gp = load_relaxed(&mp->curg);

        if (mp == self)
            continue;
        if (gp != NULL)
            stderr_line("thread %d runs goroutine %llu", mp->tid, (unsigned long long)gp->id);
        else
            stderr_line("thread %d runs no goroutine", mp->tid);
    }
}

/* ---- the end -------------------------------------------------------------------------------- */

/* hint: relaxed, as nothing is handed over but the word itself: the id of the
 * thread that ends the program. */
static uint32_t dying;

/* Returns in the first thread that comes only. */
static void only_one_dies(void)
{
    uint32_t first = 0, self = (uint32_t)os_gettid();
    int64_t deadline = nanotime() + dying_ns;

    if (cas_relaxed(&dying, &first, self))
        return;
    if (first == self) {
        stderr_line("fatal error: while a fatal error was being reported");
        _exit(EXIT_THROW_IN_THROW);
    }
    while (futex_wait(&dying, first, deadline) != -ETIMEDOUT)
        ;
    _exit(EXIT_THROW);
}

static noreturn_fn void end_program(void)
{
    if (env.traceback == TRACEBACK_CRASH)
        abort();
    _exit(EXIT_THROW);
}

void throw(const char *fmt, ...)
{
    const struct m *mp = m_get();
    char text[LOG_BYTES];
    va_list ap;

    only_one_dies();
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (env.log != NULL)
        env.log(LOG_FATAL, text, env.log_arg);
    stderr_line("fatal error: %s", text);
    if (env.traceback == TRACEBACK_NONE)
        end_program();
    if (mp != NULL && mp->curg != NULL)
        say_who(mp->curg, "running");
    else
        stderr_line("thread %d [outside goroutines]:", os_gettid());
    say_stack();
    if (env.traceback >= TRACEBACK_ALL)
        say_threads(mp);
    end_program();
}
