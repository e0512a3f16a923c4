/* SPDX-License-Identifier: BSD-3-Clause
 * quoit.h - goroutines for C
 *
 * A goroutine is a function that runs concurrently with others on a few kernel threads, one a core.
 * It has a stack of its own and may wait anywhere; while it waits its core runs another one.
 *
 * Errors: 0 or a count on success, -errno on failure. errno is never set, and must not be relied on
 * over a call that can park: it belongs to the kernel thread, and a goroutine may go on in another.
 * The same holds for the address of any other thread-local variable, and that over every call: one
 * that cannot park may go on in another thread too, when the core was taken from who stood still.
 *
 * Who may call what, by the marks behind each function:
 *
 *     [P]  may park: other goroutines run meanwhile, and the caller may go on in another thread
 *     [G]  goroutines only; any other caller ends the program, unless the function says otherwise
 *     [T]  any thread, whether Quoit made it or not; what would park blocks the thread there
 *     [S]  async-signal-safe
 *
 * A function without [G] or [T] is for goroutines and for the thread that runs quoit_main or
 * quoit_init. "Takes" means that the caller may not use the thing again, "borrows" that it
 * stays the caller's. All functions are there since version 0.1.0 unless they say otherwise.
 */
#ifndef QUOIT_H
#define QUOIT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "quoit_mutex.h"

#define QUOIT_VERSION "0.1.0"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* The one shape of a function given to Quoit; what the result means stands with who takes it. */
typedef int (*quoit_fn)(void *arg);

/* A joinable goroutine; valid until it is joined or released. */
struct quoit_g;

/* ---- the process ---------------------------------------------------------------------------- */

enum {
    QUOIT_NO_ENV = 1,     /* the environment does not change what the program asks for */
    QUOIT_NO_SIGNALS = 2, /* install no signal handler: a stack overflow is a plain crash then */
    QUOIT_NO_BIND = 4,    /* bind no thread to a cpu */
    QUOIT_DEADLOCK_WARN = 8 /* a warning when nothing in Quoit can wake any goroutine any more */
};

/* Zero means as by default, everywhere. A newer library accepts an older, smaller size. */
struct quoit_options {
    uint32_t size;      /* sizeof(struct quoit_options) */
    uint32_t flags;     /* QUOIT_NO_* */
    int procs;          /* how many goroutines run at once; 0: the cpus this process may use */
    int max_threads;    /* most kernel threads; 0: 10000 */
    size_t stack_size;  /* bytes of a goroutine's stack; 0: 65536 */
    size_t stack_limit; /* bytes over all stacks in use, two at least; 0: no limit */
    /* Takes warnings and worse, a line each without its newline; level as in syslog(3): 3 error,
     * 4 warning, 6 information. Called from any thread and from signal handlers. NULL: stderr. */
    void (*log)(int level, const char *line, void *arg);
    void *log_arg;
};

/* Makes the calling thread one of Quoit's, runs fn(arg) as the first goroutine, and returns
 * what fn returned; when it returns, other goroutines are abandoned wherever they are. The
 * thread is given back as it was found: signal mask, dispositions, affinity, signal stack. Can
 * be called again afterwards. A goroutine that computes on in the calling thread without ever
 * calling Quoit holds the return up. -EINVAL fn is NULL; -EALREADY Quoit runs already; -EBUSY
 * another copy of Quoit runs in this process; -ENOMEM, -EAGAIN memory or threads cannot be had.
 * With an error nothing was started and fn did not run. [T] */
int quoit_main(quoit_fn fn, void *arg);

/* Starts Quoit beside a program that keeps its own main: goroutines run on threads of their
 * own, the caller stays a plain thread. Options are borrowed; NULL: all defaults. 0, or errors
 * as quoit_main; -EINVAL also for a size or a flag that this version does not know. [T] */
int quoit_init(const struct quoit_options *options);

/* Ends what quoit_init started, when every goroutine has ended: waits for them until
 * deadline_ns (CLOCK_MONOTONIC nanoseconds; INT64_MAX: for ever; 0: only looks). 0, or -EBUSY:
 * goroutines still run and nothing has changed; -EPERM called from a goroutine, or what runs
 * was started by quoit_main or not at all. [T] */
int quoit_shutdown(int64_t deadline_ns);

/* The version of the library in use, a static string such as "0.1.0". [T][S] */
const char *quoit_version(void);

/* ---- goroutines ----------------------------------------------------------------------------- */

enum {
    QUOIT_NODE_ANY = -1, /* on the node of who spawns */
    QUOIT_ARG_MAX = 128  /* most bytes that quoit_go_copy takes */
};

struct quoit_attr {
    uint32_t size;     /* sizeof(struct quoit_attr) */
    uint32_t flags;    /* must be 0 */
    size_t stack_size; /* bytes, rounded up to a class; 0: the default */
    const char *name;  /* for dumps and debuggers; the first 31 bytes are copied; NULL: none */
    int node;          /* NUMA node to start on and take memory from, or QUOIT_NODE_ANY */
    /* Not NULL: the goroutine is joinable, and its handle is stored here before it can run. */
    struct quoit_g **handle;
};
/* All defaults: a detached goroutine. struct quoit_attr a = QUOIT_ATTR_INIT; */
#define QUOIT_ATTR_INIT { sizeof(struct quoit_attr), 0, 0, NULL, QUOIT_NODE_ANY, NULL }

/* Spawns a goroutine that runs fn(arg); its result is dropped. arg is borrowed until fn returns.
 * 0; -EINVAL fn is NULL; -ENOMEM; -ESHUTDOWN Quoit does not run. [T] */
int quoit_go(quoit_fn fn, void *arg);

/* The same with a copy of the `len` bytes at arg, aligned to 16, that lives until fn returns.
 * -E2BIG len is over QUOIT_ARG_MAX; else as quoit_go. [T] */
int quoit_go_copy(quoit_fn fn, const void *arg, size_t len);

/* The same with attributes, which are borrowed for the call. -EINVAL also for a size, flag,
 * node or stack_size (over 1 GiB) that cannot be; -ENOMEM also for a stack_size above the limit
 * over all stacks. [T] */
int quoit_go_attr(const struct quoit_attr *attr, quoit_fn fn, void *arg);

/* Waits for the goroutine to end, stores what its fn returned in *result (unless NULL), takes
 * the handle. A child that has not started may run right here, on the caller's stack. 0;
 * -EDEADLK g is the caller; -EINVAL g is NULL; -ETIMEDOUT, -ECANCELED as of quoit_set_deadline
 * and quoit_cancel: the handle is borrowed then, and can be joined again. [G][P] */
int quoit_join(struct quoit_g *g, int *result);

/* The same, but only until deadline_ns (CLOCK_MONOTONIC nanoseconds; INT64_MAX: none, 0: only
 * looks). With a deadline the child never runs in place. -ETIMEDOUT g has not ended, -ECANCELED:
 * the handle is borrowed then, and can be joined again. [G][P] */
int quoit_join_until(struct quoit_g *g, int *result, int64_t deadline_ns);

/* Takes the handle: nobody will join. The goroutine runs on. NULL: nothing is done. [T] */
void quoit_release(struct quoit_g *g);

/* Lets others run; goes on behind those that are ready on this P. Elsewhere sched_yield(2).
 * [T][P] */
void quoit_yield(void);

/* Waits for `ns` nanoseconds at least, while others run; 0 or less is quoit_yield. 0; -ETIMEDOUT:
 * the caller's deadline came before; -ECANCELED. [T][P] */
int quoit_sleep(int64_t ns);

/* Ends the calling goroutine, not the process; a joiner sees `result`. From the first goroutine
 * of quoit_main: quoit_main returns. [G] */
void quoit_goexit(int result) __attribute__((__noreturn__));

/* The caller's id, never used twice in a process; 0 outside goroutines. [T][S] */
uint64_t quoit_goid(void);

/* How many goroutines exist, spawned and not yet ended. [T] */
int quoit_num_goroutine(void);

/* How many kernel threads Quoit has. [T] */
int quoit_num_thread(void);

/* Sets the most kernel threads, returns the value before; n < 1 only asks. Needing more is
 * fatal. [T] */
int quoit_set_max_threads(int n);

/* The most bytes of its stack that the calling goroutine, or one that used the stack before it,
 * has touched, in pages; *size (unless NULL) takes the stack's usable size. 0 outside
 * goroutines. [G] */
size_t quoit_stack_used(size_t *size);

/* ---- deadlines and cancelling --------------------------------------------------------------- */

/* Sets until when the calling goroutine waits, returns what was set before (CLOCK_MONOTONIC
 * nanoseconds; INT64_MAX: for ever, as at its start). From then on every call that parks and can
 * say so returns -ETIMEDOUT when the deadline comes: all of quoit_io.h that wait, quoit_sleep,
 * quoit_join, and those that have a deadline of their own, whichever is first. Calls of quoit_io.h
 * return it too, and do nothing, when they begin past the deadline; quoit_close does not. Where
 * some bytes were moved before, their count is returned. [G] */
int64_t quoit_set_deadline(int64_t deadline_ns);

/* The goroutine's present wait, or else its next one, ends with -ECANCELED: of the calls above,
 * once for any number of times that it was cancelled since it last saw it; in others it goes on,
 * and the next of those tells. When -ECANCELED is returned nothing touches the caller's buffers
 * any more. g is borrowed. Waits for nobody. 0; -EINVAL g is NULL, or was not made joinable;
 * -ESHUTDOWN: in a plain thread, when Quoit does not run. [T] */
int quoit_cancel(struct quoit_g *g);

/* -ECANCELED: the caller was cancelled, and has seen it now; else 0. [G] */
int quoit_cancelled(void);

/* ---- timers --------------------------------------------------------------------------------- */

/* A function to be called at a time. */
struct quoit_timer;

/* A timer that is not started. fn(arg) will be called in a new goroutine each time, so it may do
 * what goroutines may, and must return. NULL: no memory. [T] */
struct quoit_timer *quoit_timer_new(quoit_fn fn, void *arg);

/* One call in `ns` nanoseconds (0 or less: at once) and, with period_ns above 0, one each period
 * after that. Such calls never overlap: what is due while one is under way is left out, and
 * the one that returns other than 0 is the last. If the timer was started before, that ends first:
 * 1: a call that was to come does not; 0: none was. -EINVAL t or its fn is NULL, period_ns is
 * negative; -ENOMEM, and nothing is going to come. [G] */
int quoit_timer_start(struct quoit_timer *t, int64_t ns, int64_t period_ns);

/* No call begins any more. 1: one that was to come does not; 0: none was, and the last one may be
 * under way, or just begin: it is not waited for. -EINVAL: t is NULL. [G] */
int quoit_timer_stop(struct quoit_timer *t);

/* The same, and takes the timer; from its own call too. Before Quoit ends. NULL: nothing. [G] */
void quoit_timer_free(struct quoit_timer *t);

/* ---- calls that block ------------------------------------------------------------------------ */

/* Calls fn(arg), which may block as long as it likes, and returns its result. A goroutine parks
 * meanwhile; fn runs on a thread made for this, with a stack of 1 MiB, the process's cpus and all
 * signals blocked, where there is no goroutine: what is marked [T] may be called there, what is
 * marked [G] ends the program, and so does ending the thread. No more than QUOIT_MAXBLOCKED run
 * at once, the others wait in order. A plain thread calls fn itself. -EINVAL: fn is NULL.
 * [T][P] */
int quoit_block(quoit_fn fn, void *arg);

/* ---- for people who build their own primitives ---------------------------------------------- */

/* The calling goroutine, borrowed: valid for quoit_ready while it is parked. NULL elsewhere. [T] */
struct quoit_g *quoit_self(void);

/* Parks the calling goroutine until quoit_ready. unlock(arg), unless NULL, runs once the
 * goroutine has left its stack, so that whoever waits for that lock may ready it at once; it
 * must not call Quoit. If it returns 0 the goroutine does not park after all. reason: a static
 * string for dumps. [G][P] */
void quoit_park(int (*unlock)(void *arg), void *arg, const char *reason);

/* The same, but only until deadline_ns (CLOCK_MONOTONIC nanoseconds; INT64_MAX: none). When the
 * deadline has come withdraw(arg) is called on the caller's own stack: under the caller's lock it
 * takes the goroutine out of where quoit_ready would be called for it, and returns 1; or 0 when
 * it is no longer there: then somebody readies it, or has, and that is waited for. It may lock,
 * but not call quoit_park. 0: readied, or unlock returned 0; -ETIMEDOUT withdrawn; -EINVAL unlock
 * or withdraw is NULL, and neither was called; -ECANCELED withdrawn because the goroutine was
 * cancelled, before the deadline. [G][P] */
int quoit_park_until(int (*unlock)(void *arg), int (*withdraw)(void *arg), void *arg,
                     const char *reason, int64_t deadline_ns);

/* Makes a parked goroutine ready; exactly once a park that is not withdrawn. It runs next on the
 * caller's P. [T] */
void quoit_ready(struct quoit_g *g);

/* ---- other programs ------------------------------------------------------------------------- */

/* Starts a program in a new process, as posix_spawnp(3): `file` is looked for in PATH unless it has
 * a slash; argv ends with NULL and has at least one string; envp NULL: the environment of the
 * caller's process. From a goroutine it has the signal mask and the cpus that the process had when
 * Quoit was started. *pid (unless NULL) takes its id, for waitpid(2). All arguments are borrowed
 * for the call. 0; -EINVAL file, argv or argv[0] is NULL; -ENOENT and the like: there is no such
 * program; -EAGAIN, -ENOMEM. [T][P] */
int quoit_spawn_process(pid_t *pid, const char *file, char *const argv[], char *const envp[]);

/* ---- data of which each P has its own ------------------------------------------------------- */

/* Pins the calling goroutine to its P and returns the P's index, 0 to procs - 1 of quoit_stats:
 * until quoit_unpin nothing else runs on this P, and what belongs to that index may be read and
 * written without a lock. Nests. For a few instructions: the P is not taken from a goroutine that
 * is pinned, whatever it waits for. To call what would park, or to end, ends the program. [G] */
int quoit_pin(void);

/* Undoes one quoit_pin of the calling goroutine; without one it ends the program. [G] */
void quoit_unpin(void);

/* ---- giving way ----------------------------------------------------------------------------- */

/* A goroutine that has computed for a quantum (QUOIT_QUANTUM) while others wait gives way: at its
 * next call of Quoit, or in the middle of code compiled for it; else its P goes to others, and it
 * goes on as a plain thread until its next call. From here until quoit_preempt_enable none of this
 * is done to the calling goroutine. Nests. It may wait in between, and others run then. Who
 * computes like that for two quanta is warned about. In a plain thread it does nothing. [T] */
void quoit_preempt_disable(void);
/* Undoes one of them, and gives way if that is wanted. Without one it ends the program, and so does
 * a goroutine that ends in between. [T][P] */
void quoit_preempt_enable(void);
/* Gives way if that is wanted: for long loops that call nothing else of Quoit. Some two nanoseconds
 * if not. [T][P] */
void quoit_preempt_point(void);

/* ---- threads and code that is not ours ------------------------------------------------------ */

/* Around a call that may block and that Quoit cannot do: the goroutine keeps its thread, and
 * others get its core when the call takes long. Between the two no other function of Quoit may be
 * called, and what the call writes must do no harm to who has stopped the world. A pair that
 * does not block costs a few nanoseconds. errno is kept. */
void quoit_syscall_enter(void); /* [G] */
void quoit_syscall_exit(void);  /* [G][P] */

/* From now on the calling goroutine runs on its present thread only, and nothing else runs there:
 * for libraries that keep state in the thread. Nests; returns the new depth. The first goroutine of
 * quoit_main begins on the thread that called it. One that ends while it is locked takes its
 * thread with it. Each wait and each yield of a locked goroutine costs two hand-overs between
 * threads. [G] */
int quoit_lock_thread(void);
/* Undoes one of them; the depth that is left, 0: it may run anywhere again; -EPERM: it was not
 * locked. [G] */
int quoit_unlock_thread(void);

/* Makes a goroutine of the calling thread, which Quoit did not make: until quoit_detach it may call
 * everything marked [G] or [P]. It stays in its thread, on its own stack and with its own cpus and
 * signals, as after quoit_lock_thread, and nothing else runs there. A thread that ends is detached.
 * 0; -EALREADY it is attached, or runs a goroutine; -EAGAIN there are as many threads as
 * quoit_set_max_threads allows; -ENOMEM; -ESHUTDOWN Quoit does not run. It may wait until one of
 * the others gives way. [T][P] */
int quoit_attach(void);

/* The calling thread is a plain one again. One that is not attached ends the program, and so does
 * quoit_goexit instead; if Quoit has ended meanwhile nothing is left to be done. [T] */
void quoit_detach(void);

/* ---- the world ------------------------------------------------------------------------------ */

/* Sets how many goroutines run at once, returns the number before; n < 1 only asks. The world is
 * stopped for a moment, and from then on the number follows the machine no more. -EINVAL n is over
 * 1024; -EDEADLK the caller has stopped the world; -ENOMEM, and nothing has changed. [P][T] */
int quoit_gomaxprocs(int n);

/* Stops every goroutine but the caller: each at its next call of Quoit, in the middle of code that
 * is compiled for it, or where it is if it waits or is in quoit_block or between
 * quoit_syscall_enter and exit (such calls go on, and wait when they come back). Until
 * quoit_start_world the caller must not wait: that ends the program. deadline_ns: CLOCK_MONOTONIC
 * nanoseconds, INT64_MAX: none. flags: 0 or QUOIT_STOP_HOLD: goroutines that do not come in within
 * a quantum are held where they are, in a signal handler; then the caller must not call what may
 * want their locks, such as malloc and stdio. How many are held; -ETIMEDOUT: some goroutine did not
 * come in, a warning names it, and the world goes on; -EDEADLK the caller has stopped it already;
 * -EINVAL; -ESHUTDOWN. Who comes second waits for the first. [P][T] */
#define QUOIT_STOP_HOLD 1u
int quoit_stop_world(int64_t deadline_ns, unsigned flags);
/* Lets all go on. Only who stopped it. A goroutine that does nothing else for 10 ms gives way then,
 * as by quoit_yield. [P][T] */
void quoit_start_world(void);

/* While the caller has stopped the world: runs fn(i, n, arg) for each i from 0 to n - 1, 0 here and
 * the others on Quoit's own threads at the same time, one a P at most; returns n when all are
 * done. fn must not call Quoit. -EPERM: the world is not stopped by the caller; -EINVAL. [T] */
int quoit_world_parallel(void (*fn)(int i, int n, void *arg), void *arg);

/* ---- safe points ---------------------------------------------------------------------------- */

/* A goroutine, as a visitor of quoit_quiesce sees it. All is valid during the visit only. */
struct quoit_ginfo {
    uint32_t size;      /* sizeof(struct quoit_ginfo) of the library */
    int32_t node;       /* NUMA node that it takes memory from */
    uint64_t id;        /* as quoit_goid */
    const char *name;   /* as given by quoit_go_attr, or "" */
    const char *state;  /* "running" (the caller), "runnable", "waiting", "syscall" */
    const char *reason; /* what it waits for; NULL: it does not wait */
    int64_t wait_ns;    /* since when, to about 10 ms; else 0 */
};

/* Calls visit(info, arg) for each goroutine that exists at the call and has not ended, once, while
 * that one stands at a safe point: it waits, is ready, is between quoit_syscall_enter and exit, or
 * is the caller. One that runs is asked to give way, as by quoit_stop_world, and waited for; all
 * others go on. visit runs on the caller's stack; until it returns the goroutine stays where it is,
 * unless it is in a marked call, which goes on. visit must not wait (that ends the program), and
 * must not make ready the goroutine that it is shown. What visit returns, if it is not 0, stops the
 * walk and is returned; else 0. -EDEADLK: called from a visit; -EINVAL: visit is NULL; -ESHUTDOWN.
 * Who comes second waits for the first. [P][T] */
int quoit_quiesce(int (*visit)(const struct quoit_ginfo *info, void *arg), void *arg);

/* Returns when every goroutine that ran at the call has been at a safe point since: it has called
 * Quoit, was made to give way in its middle, or has ended. What it did before that has happened
 * before the return. So what was taken out of all shared structures before the call is in nobody's
 * hands afterwards, if goroutines use it between quoit_pin and quoit_unpin only; or, in code that
 * is not compiled to give way in its middle, between two calls of Quoit. A goroutine
 * that calls nothing of Quoit holds it up, unless it does so between quoit_syscall_enter and exit
 * or in quoit_block. When Quoit ends a plain thread returns early. [P][T] */
void quoit_synchronize(void);

/* fn(ptr) is called, once, when every goroutine that ran at the call has been at a safe point as
 * above: by the housekeeper, a thread of Quoit's own that is no goroutine, so fn should be short
 * and may do what a plain thread may; or, for what is left when Quoit ends, by the thread that
 * ends it. The call itself waits for nobody. -ENOMEM, -EINVAL: fn is NULL; -ESHUTDOWN: in a plain
 * thread, when Quoit does not run; then ptr stays the caller's. [T] */
int quoit_defer_free(void *ptr, void (*fn)(void *ptr));

/* ---- synchronisation ------------------------------------------------------------------------ */

/* These, and quoit_mutex (quoit_mutex.h), sit in the user's own structs. All zero is the valid
 * start; they must not move while in use. */
typedef struct { uint64_t opaque[2]; } quoit_sema;  /* count 0 */
typedef struct { uint64_t opaque[2]; } quoit_wg;    /* nothing to wait for */
#define QUOIT_SEMA_INIT { { 0, 0 } }
#define QUOIT_WG_INIT { { 0, 0 } }

/* Sets the count; only before first use, and at most INT32_MAX. [T] */
void quoit_sema_init(quoit_sema *s, unsigned n);
/* Takes one from the count, waiting in order of arrival while it is 0. [T][P] */
void quoit_sema_wait(quoit_sema *s);
/* The same, but only until deadline_ns (CLOCK_MONOTONIC nanoseconds; INT64_MAX: none). 0, or
 * -ETIMEDOUT: the deadline came first; -ECANCELED. A post is never lost between the two. [T][P] */
int quoit_sema_wait_until(quoit_sema *s, int64_t deadline_ns);
/* 0, or -EAGAIN: the count is 0, or others wait. [T] */
int quoit_sema_trywait(quoit_sema *s);
/* Adds one, or hands it to the first who waits; a count past INT32_MAX ends the program. [T] */
void quoit_sema_post(quoit_sema *s);

/* Adds n (which may be negative) to what is waited for; below zero or past INT32_MAX ends the
 * program. An add from zero must happen before the wait, and, in a wait group that is used again,
 * after every wait for the round before has returned. [T] */
void quoit_wg_add(quoit_wg *w, int n);
/* quoit_wg_add(w, -1). After the done that brings zero the wait group may be freed by the
 * waiter. [T] */
void quoit_wg_done(quoit_wg *w);
/* Waits until nothing is left to wait for. [T][P] */
void quoit_wg_wait(quoit_wg *w);

/* All P's, threads and goroutines as text, as of quoit_dump(3): states, what each goroutine waits
 * for and for how long, its stack, where it was made. They go on meanwhile. 0, -ESHUTDOWN when
 * Quoit does not run, or the error of the write: -EBADF, -ENOSPC, ... [T] */
int quoit_dump(int fd);

/* ---- profile -------------------------------------------------------------------------------- */

/* Begins to take samples of what goroutines use the cpu for: `hz` (1 to 1000; 0: 100) in each
 * second of cpu time of each thread that runs them. fd, open for writing, is borrowed until
 * quoit_profile_stop. 0, or -EINVAL: hz; -EBADF: fd; -EBUSY: one is being taken, or SIGPROF has a
 * handler; -EOPNOTSUPP: libquoit_pprof.so.0 cannot be loaded; -EPERM: QUOIT_NO_SIGNALS; -ENOMEM;
 * -ESHUTDOWN: Quoit does not run. Does not park. [T] Since 0.1.0 */
int quoit_profile_start(int hz, int fd);
/* Ends it and writes it to fd, gzipped, as pprof reads it. 0, or -EINVAL: none is being taken;
 * -EPERM: it is that of QUOIT_CPUPROFILE, which ends with Quoit; -ENOMEM; -ESHUTDOWN; or the error
 * of the write: -ENOSPC, ...; then it is lost. Does not park, and takes as long as the write.
 * [T] Since 0.1.0 */
int quoit_profile_stop(void);

/* ---- numbers -------------------------------------------------------------------------------- */

/* Counters since start; sums over all P's of values read without stopping anybody. */
struct quoit_stats {
    uint32_t size;         /* sizeof(struct quoit_stats); as many bytes as fit are filled */
    uint32_t procs;        /* GOMAXPROCS */
    uint64_t spawned;      /* goroutines made */
    uint64_t inplace;      /* of those, run in place by who joined them */
    uint64_t switches;     /* times that a goroutine was given a P */
    uint64_t parked;       /* times that one waited */
    uint64_t global;       /* goroutines taken from a shared queue */
    uint64_t steals;       /* goroutines taken from another P of the same node */
    uint64_t steals_far;   /* and of another node */
    uint64_t wakes;        /* sleeping threads that were woken because there was work */
    uint64_t ring_enters;  /* io_uring_enter calls */
    uint64_t ring_ops;     /* operations done by rings */
    uint64_t helper_ops;   /* operations done by helper threads */
    uint64_t inline_ops;   /* operations done by a plain call that cannot block long */
    uint64_t stacks_live;  /* stacks in use */
    uint64_t stacks_cached;/* stacks kept for reuse */
    uint64_t retakes;      /* P's taken from threads that stood in other people's code */
    uint64_t stacks_bare;  /* stacks without a guard page: they have a canary */
    uint64_t graces;       /* grace periods that were waited for */
    uint64_t deferred;     /* frees that had waited for one (quoit_defer_free) */
    uint64_t handoffs;     /* P's given away by a call that blocks, at once */
    uint64_t world_stops;  /* times that the world was stopped */
    uint64_t threads;      /* that run goroutines, now */
    uint64_t threads_idle; /* of those, asleep for want of work */
    uint64_t threads_lost; /* in other people's code, their P with others */
    uint64_t block_jobs;   /* calls of quoit_block and the like, under way or waiting */
    uint64_t trimmed;      /* bytes of stacks that nobody used, given back to the kernel */
    uint64_t follows;      /* times that GOMAXPROCS was made to fit the machine, see quoit-env(7) */
    uint64_t preempts[3];  /* goroutines that gave way after a quantum: as they were asked to, in
                            * the middle of a loop, or by losing their P to others */
    uint64_t hogs;         /* that compute on without a P, now */
    uint64_t fixed_ops;    /* operations that used registered memory (quoit_buf_register) */
    uint64_t fixed_refusals; /* times that a ring did not take such memory */
    uint64_t signals;      /* sent to threads because they had computed for a quantum */
};
/* 0, or -EINVAL for a size below 8. [T] */
int quoit_stats(struct quoit_stats *stats);

/* ---- for libquoit_preempt.a ----------------------------------------------------------------- */

/* What the code in there calls. Names that end like these are not for programs, and mean something
 * else with any release. The first expects registers that no C function fills. */
void quoit_preempt_enter_(void);
void quoit_preempt_lock_(int delta);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
