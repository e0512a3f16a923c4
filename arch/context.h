/* SPDX-License-Identifier: BSD-3-Clause
 * context.h - the contract of a stack switch
 *
 * A context is a stack that nobody runs on, with the registers that the ABI says a call preserves
 * pushed on it. It is one pointer. Signal mask, mxcsr, the x87 control word, fpcr, errno and every
 * other thread-local belong to the thread and stay with it.
 *
 *     who        any code that runs on the stack it switches away from
 *     which      the stack pointer decides; the assembly knows no other bounds
 *     asked      nobody: sanitizers are told by the caller (sanitize.h), before and after
 *
 * Unwinders walk a stack down to context_begin and stop there. What lies at the saved sp is struct
 * context_frame; with sp set to it and pc to context_parked, the unwind tables describe the whole
 * parked stack, so a debugger needs no knowledge of the machine.
 *
 * Tried and dropped: saving mxcsr and x87 state (6.6 ns against 3.0), a fake first frame for new
 * goroutines (context_begin enters the function directly, a line less to touch at each start).
 */
#ifndef QUOIT_ARCH_CONTEXT_H
#define QUOIT_ARCH_CONTEXT_H

#include "context_arch.h"

/* Saves the caller into *from, goes on where *to was saved; there, context_switch returns `arg`. */
void *context_switch(struct context *from, const struct context *to, void *arg);

/* Saves the caller into *from and calls entry(arg) on the empty stack that ends at `top` (16-byte
 * aligned). entry never returns; unwinders see it as the outermost frame. Where *from is resumed,
 * context_begin returns the resumer's arg. */
void *context_begin(struct context *from, void *top, void (*entry)(void *arg), void *arg);

/* A place in context_switch, never called: see above. */
extern const char context_parked[];

/* fn(arg), whose result is returned. Until it returns, code anywhere below may come back here
 * early by context_switch(&scratch, back, (void *)(intptr_t)result), after sanitize_cut(). Its
 * caller's stack can be walked through *back like a parked one. */
int context_call(struct context *back, int (*fn)(void *arg), void *arg);

/* Where the call in context_call returns to: unwinders find it below the frame of fn. */
extern const char context_called[];

/* fn(arg), called on the running stack in such a way that an unwinder goes on from its frame, and
 * one more, in the parked stack of *parked. So a stack is walked without running on it, and takes
 * no room of it. */
void context_show(const struct context *parked, void (*fn)(void *arg), void *arg);

/* fn(arg), then a return that asks the indirect branch predictor, not the return predictor.
 * After a switch the latter holds the calls of another stack and is wrong whenever the two went
 * on in different functions (10 ns a switch); the former knows patterns. To be called in tail
 * position by a function that is about to switch. */
void context_tail(void (*fn)(void *arg), void *arg);

#endif
