/* SPDX-License-Identifier: BSD-3-Clause
 * traceback.h - which calls led to a place: on the running stack, or on one where nobody runs
 *
 * Taking a trace and saying it are two steps: a goroutine is held still for the first one only.
 * Both are for any thread and for signal handlers, as far as the loader allows (traceback.c).
 */
#ifndef QUOIT_SCHED_TRACEBACK_H
#define QUOIT_SCHED_TRACEBACK_H

#include "gmp.h"
#include "say.h"

enum { FRAMES_MAX = 64 };

struct trace {
    uint32_t n;
    enum trace_end { TRACE_ENTRY, TRACE_MORE, TRACE_BAD } end;
    uintptr_t pc[FRAMES_MAX];    /* inside the call, innermost first */
    uint32_t again[FRAMES_MAX];  /* a recursion: so many times more */
};

/* The running stack, without the frames inside the one that is at `from`: CALLER, or where a
 * signal came in. Both of these end where the goroutine began, or where its joiner runs it. */
void trace_running(struct trace *t, const void *from);
/* ctx is saved on stk, and stays so meanwhile. */
void trace_parked(struct trace *t, const struct context *ctx, const struct stack *stk);

/* A line a frame. Without `inner` those of the library's own object are left out, but for its
 * public functions. */
void trace_say(struct say *s, const struct trace *t, bool inner);
/* "0x7f31c0de name+0x1d (file+0x11d)": the file's offset is for addr2line, as static functions
 * have no name at run time. */
void place_say(struct say *s, uintptr_t pc);

#endif
