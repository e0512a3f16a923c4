/* SPDX-License-Identifier: BSD-3-Clause
 * overflow.c - a stack that is too small is named, on a stack of its own
 *
 * The handlers run in whatever thread faults, ours or not, on the signal stack
 * that each M has. A fault in the guard of the running goroutine's stack ends
 * the program with a message. Anything else is not ours: it goes to the handler
 * that was there before, with its mask and flags, or the default action is
 * brought about with the siginfo as it was, so that a core shows the place of
 * the fault.
 *
 * A kernel reports guard markers as SEGV_MAPERR and mprotect as SEGV_ACCERR; so
 * only the address counts.
 */
#include "mem.h"
#include "signal_arch.h"

#include "caught.h"
#include "env.h"
#include "proc.h"
#include "stack.h"
#include "throw.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What dladdr, the unwinder and a few lines of text need, with plenty to spare.
 * A frame is rarely larger. */
enum { HANDLER_BYTES = 64 << 10, PLACE_BYTES = 256, NAME_BYTES = 64, FRAME_BYTES = 64 << 10 };

static signal_fn handler;
static struct caught caught[] = { { .sig = SIGSEGV, .ours = handler },
                                  { .sig = SIGBUS, .ours = handler } };

/* At the upper end of the memory, above the signal stack itself; a page below
 * it is closed. */
struct altstack {
    void *memory;
    size_t bytes;
    stack_t found;
};

static bool on_signal_stack(const struct m *mp, uintptr_t sp)
{
    const struct altstack *as = mp->sigstack;

    return as != NULL && sp > (uintptr_t)as->memory && sp < (uintptr_t)as;
}

/* ---- ours ----------------------------------------------------------------------------------- */

/* Static functions have no name at run time: the pc is there for addr2line. */
static void describe(char *text, size_t bytes, uintptr_t pc)
{
    const char *slash;
    Dl_info at;

    if (dladdr((void *)pc, &at) == 0 || at.dli_fname == NULL) {
        snprintf(text, bytes, "at 0x%zx", (size_t)pc);
        return;
    }
    slash = strrchr(at.dli_fname, '/');
    snprintf(text, bytes, "in %.100s (0x%zx, %.100s+0x%zx)",
             at.dli_sname != NULL ? at.dli_sname : "a function without a name", (size_t)pc,
             slash != NULL ? slash + 1 : at.dli_fname, (size_t)(pc - (uintptr_t)at.dli_fbase));
}

static noreturn_fn void overflowed(const struct quoit_g *gp, uintptr_t pc)
{
    size_t kib = stack_class_bytes(gp->stk->class) >> 10;
    char place[PLACE_BYTES], host[NAME_BYTES] = "its stack", name[NAME_BYTES] = "";

    describe(place, sizeof place, pc);
    if (gp->flags & G_NAMED)
        snprintf(name, sizeof name, " \"%.*s\"", GNAME_MAX, gp->name);
    if (gp->flags & G_INPLACE)
        snprintf(host, sizeof host, "the stack of goroutine %llu, which joins it,",
                 (unsigned long long)gp->host->id);
    throw("stack overflow: goroutine %llu%s went past %s of %zu KiB %s; a larger one: "
          "QUOIT_STACK=%zuK, or stack_size in struct quoit_attr",
          (unsigned long long)gp->id, name, host, kib, place, 2 * kib);
}

/* Without guard pages an overrun goes on until it meets something that is not
 * mapped. */
static bool ran_far(const struct m *mp, const struct stack *s, uintptr_t addr, uintptr_t sp)
{
    uintptr_t below = sp < FRAME_BYTES ? 0 : sp - FRAME_BYTES;

    return s->guard == GUARD_WORDS && sp < (uintptr_t)s->low && addr >= below &&
           addr < sp + FRAME_BYTES && !on_signal_stack(mp, sp);
}

static bool is_overflow(const struct m *mp, const struct stack *s, const void *addr, uintptr_t sp)
{
    return stack_in_guard(s, addr) || ran_far(mp, s, (uintptr_t)addr, sp);
}

/* ---- not ours ------------------------------------------------------------------------------- */

/* A fault happens again when the handler returns. What was sent must be sent
 * again. */
static void default_action(int sig, siginfo_t *info)
{
    struct sigaction dfl = { .sa_handler = SIG_DFL };

    sigaction(sig, &dfl, NULL);
    if (info->si_code <= 0)
        syscall(SYS_rt_tgsigqueueinfo, getpid(), os_gettid(), sig, info);
}

static void pass_on(struct caught *c, siginfo_t *info, void *context)
{
    if (caught_pass_on(c, info, context))
        return;
    if (c->found.sa_handler != SIG_IGN || info->si_code > 0)
        default_action(c->sig, info);
}

static void handler(int sig, siginfo_t *info, void *context)
{
    const struct m *mp = m_get();
    const struct quoit_g *gp = mp != NULL ? load_relaxed(&mp->curg) : NULL;
    int saved = errno;

    if (info->si_code > 0 && gp != NULL && gp->stk != NULL &&
        is_overflow(mp, gp->stk, info->si_addr, signal_sp(context)))
        overflowed(gp, signal_pc(context));
    pass_on(&caught[sig == SIGBUS], info, context);
    errno = saved;
}

/* ---- the process ---------------------------------------------------------------------------- */

int overflow_init(void)
{
    int e;

    if (env.flags & QUOIT_NO_SIGNALS)
        return 0;
    e = caught_install(&caught[0], 0);
    if (e != 0)
        return e;
    e = caught_install(&caught[1], 0);
    if (e != 0)
        caught_remove(&caught[0]);
    return e;
}

void overflow_fini(void)
{
    if (env.flags & QUOIT_NO_SIGNALS)
        return;
    for (size_t i = 0; i < array_len(caught); i++)
        caught_remove(&caught[i]);
}

/* ---- threads -------------------------------------------------------------------------------- */

static size_t wanted_bytes(size_t page)
{
    long usual = sysconf(_SC_SIGSTKSZ);
    size_t least = getauxval(AT_MINSIGSTKSZ), n = usual > 0 ? (size_t)usual : (size_t)SIGSTKSZ;

    n = (n > least ? n : least) + HANDLER_BYTES + sizeof(struct altstack);
    return (n + page - 1) / page * page + page;
}

int overflow_thread_init(struct m *mp)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = wanted_bytes(page);
    struct altstack *as;
    stack_t ours = { 0 };
    char *memory;
    int e;

    mp->sigstack = NULL;
    if (env.flags & QUOIT_NO_SIGNALS)
        return 0;
    memory = mem_reserve(bytes, 0, -1);
    if (memory == NULL)
        return -ENOMEM;
    /* Refused for want of mappings, it only means that an overrun down there
     * goes unnoticed. */
    (void)mprotect(memory, page, PROT_NONE);
    as = (struct altstack *)(void *)(memory + bytes) - 1;
    as->memory = memory;
    as->bytes = bytes;
    ours.ss_sp = memory + page;
    ours.ss_size = (size_t)((char *)as - memory) - page;
    if (sigaltstack(&ours, &as->found) != 0) {
        e = -errno;
        mem_release(memory, bytes);
        return e;
    }
    mp->sigstack = as;
    return 0;
}

void overflow_thread_fini(struct m *mp)
{
    struct altstack *as = mp->sigstack;
    stack_t now;

    if (as == NULL)
        return;
    /* Somebody else's by now stays. */
    if (sigaltstack(NULL, &now) == 0 && on_signal_stack(mp, (uintptr_t)now.ss_sp))
        sigaltstack(&as->found, NULL);
    mem_release(as->memory, as->bytes);
    mp->sigstack = NULL;
}
