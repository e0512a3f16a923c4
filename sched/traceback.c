/* SPDX-License-Identifier: BSD-3-Clause
 * traceback.c - which calls led to a place
 *
 * The unwinder walks only the stack that it is called on, so a parked one is shown to it as if
 * it had called us (context_show): nothing runs on that stack and no room of it is needed. It
 * follows the unwind tables; a frame without them ends the trace, and so does one that does not
 * lie further up in the same stack than the one before.
 *
 * dladdr takes the loader's lock, which this thread may hold already; who holds it otherwise lets
 * go sooner or later. The unwinder takes none where libc has _dl_find_object.
 *
 * Tried and dropped: running the walk on the parked stack (a stack that is nearly used up has no
 * room for it, and sanitizers have to be told).
 */
#include "traceback.h"

#include "stack.h"

#include <dlfcn.h>
#include <string.h>
#include <unwind.h>

/* ---- taking --------------------------------------------------------------------------------- */

struct walk {
    struct trace *trace;
    uintptr_t from;
    bool begun;
    uintptr_t low, high; /* where the next frame may begin: above the one, up to the other */
};

/* False: no room for any more. */
static bool trace_add(struct trace *t, uintptr_t pc)
{
    if (t->n > 0 && t->pc[t->n - 1] == pc) {
        t->again[t->n - 1]++;
        return true;
    }
    if (t->n == FRAMES_MAX) {
        t->end = TRACE_MORE;
        return false;
    }
    t->pc[t->n] = pc;
    t->again[t->n++] = 0;
    return true;
}

static _Unwind_Reason_Code frame(struct _Unwind_Context *ctx, void *arg)
{
    struct walk *w = arg;
    int exact = 0;
    uintptr_t pc = _Unwind_GetIPInfo(ctx, &exact), sp = _Unwind_GetCFA(ctx);

    if (!w->begun && pc != w->from)
        return pc != 0 ? _URC_NO_REASON : _URC_END_OF_STACK;
    w->begun = true;
    if (pc == 0 || pc == (uintptr_t)context_called)
        return _URC_END_OF_STACK;
    if (w->high != 0 && (sp <= w->low || sp > w->high)) {
        w->trace->end = TRACE_BAD;
        return _URC_END_OF_STACK;
    }
    w->low = sp;
    /* A return address may belong to the next function already: its call never returns. */
    return trace_add(w->trace, exact ? pc : pc - 1) ? _URC_NO_REASON : _URC_END_OF_STACK;
}

/* Not to be left by a jump: its frame is what the unwinder starts from. */
static void walk(void *arg)
{
    struct walk *w = arg;

    _Unwind_Backtrace(frame, w);
    /* Where no table leads there is still the place itself. */
    if (!w->begun)
        trace_add(w->trace, w->from);
}

static void trace_begin(struct trace *t)
{
    t->n = 0;
    t->end = TRACE_ENTRY;
}

void trace_running(struct trace *t, const void *from)
{
    struct walk w = { .trace = t, .from = (uintptr_t)from };

    trace_begin(t);
    walk(&w);
}

void trace_parked(struct trace *t, const struct context *ctx, const struct stack *stk)
{
    const struct context_frame *top = ctx->sp;
    struct walk w = {
        .trace = t, .low = (uintptr_t)top, .high = (uintptr_t)stk->start,
    };

    trace_begin(t);
    if ((const char *)top < stk->low || (const char *)(top + 1) > stk->start) {
        t->end = TRACE_BAD;
        return;
    }
    w.from = (uintptr_t)top->pc;
    context_show(ctx, walk, &w);
}

/* ---- saying --------------------------------------------------------------------------------- */

static const char *basename_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

/* False: in no file that is loaded. */
static bool place_find(uintptr_t pc, Dl_info *at)
{
    return dladdr((void *)pc, at) != 0 && at->dli_fname != NULL;
}

static void place_tell(struct say *s, uintptr_t pc, const Dl_info *at)
{
    say(s, "0x%zx ", (size_t)pc);
    if (at->dli_sname != NULL)
        say(s, "%.200s+0x%zx ", at->dli_sname, (size_t)(pc - (uintptr_t)at->dli_saddr));
    say(s, "(%.200s+0x%zx)", basename_of(at->dli_fname), (size_t)(pc - (uintptr_t)at->dli_fbase));
}

void place_say(struct say *s, uintptr_t pc)
{
    Dl_info at;

    if (place_find(pc, &at))
        place_tell(s, pc, &at);
    else
        say(s, "0x%zx", (size_t)pc);
}

/* In a program that is linked with the archive nothing tells our functions from the program's. */
static bool is_inner(const Dl_info *at)
{
    static const char object[] = "libquoit.so";

    return at->dli_sname == NULL &&
           strncmp(basename_of(at->dli_fname), object, sizeof object - 1) == 0;
}

void trace_say(struct say *s, const struct trace *t, bool inner)
{
    for (uint32_t i = 0; i < t->n; i++) {
        Dl_info at;
        bool found = place_find(t->pc[i], &at);

        if (found && !inner && is_inner(&at))
            continue;
        say(s, "    ");
        if (found)
            place_tell(s, t->pc[i], &at);
        else
            say(s, "0x%zx", (size_t)t->pc[i]);
        say(s, "\n");
        if (t->again[i] > 0)
            say(s, "    and %u times more\n", t->again[i]);
    }
    if (t->end == TRACE_MORE)
        say(s, "    ...\n");
    else if (t->end == TRACE_BAD)
        say(s, "    a frame that is none: the stack was overwritten\n");
}
