/* SPDX-License-Identifier: BSD-3-Clause
 * test-overflow.c - which faults are told of, which are passed on, and what is put back
 *
 */
#include "stack.h"

#include "tls.h"

#include "child.h"
#include "env.h"
#include "fail.h"
#include "tap.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Instead of the scheduler's. */
struct sched sched;

static struct node node;
static struct p p, *allp[1] = { &p };
static struct quoit_g host = { .id = 4 };
static struct quoit_g g = { .id = 17, .flags = G_NAMED, .name = "worker", .host = &host };
static struct m m;
static struct child c;

/* A thread that runs a goroutine, as far as a handler can see. */
static void start(enum guard_choice guard)
{
    env_load(NULL);
    env.guard = guard;
    memset(&p, 0, sizeof p);
    memset(&node, 0, sizeof node);
    p.node = &node;
    sched.nodes = &node;
    sched.nnodes = 1;
    sched.allp = allp;
    sched.nprocs = 1;
    if (stack_init() != 0 || (g.stk = stack_get(&p, stack_default_class)) == NULL)
        bail("no stack");
    m.curg = &g;
    tls_set(&m);
}

static void stop(void)
{
    stack_fini();
    tls_set(NULL);
    m.curg = NULL;
}

static int touch(void *at)
{
    if (overflow_init() != 0 || overflow_thread_init(&m) != 0)
        return 100;
    *(volatile char *)at = 1;
    return 0;
}

static void guard_is_told_of(void)
{
    for (enum guard_choice guard = GUARD_MADVISE; guard <= GUARD_MPROTECT; guard++) {
        start(guard);
        if (g.stk->guard != GUARD_PAGES) {
            skip("the kernel has no guard pages of this kind");
            stop();
            continue;
        }
        child_run(&c, touch, g.stk->low - 1);
        is_int(child_end(&c), 2, "a byte below: exit code 2");
        ok(child_said(&c, "fatal error: stack overflow: goroutine 17 \"worker\" went past "
                           "its stack of 64 KiB"),
           "who, and how much there is");
        ok(child_said(&c, "test-overflow+0x"), "where");
        ok(child_said(&c, "QUOIT_STACK=128K, or stack_size in struct quoit_attr"),
           "and what to do");
        child_run(&c, touch, g.stk->low - 3 * 4096);
        is_int(child_end(&c), 2, "pages below too");
        g.flags |= G_INPLACE;
        child_run(&c, touch, g.stk->low - 1);
        ok(child_said(&c, "went past the stack of goroutine 4, which joins it"),
           "in place: whose stack");
        g.flags &= (uint8_t)~G_INPLACE;
        stop();
    }
}

static void others_are_not(void)
{
    char *unmapped = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    start(GUARD_AUTO);
    child_run(&c, touch, unmapped);
    is_int(child_end(&c), -SIGSEGV, "a wild pointer: the default action");
    is_str(c.said, "", "and nothing is said");
    child_run(&c, touch, g.stk->low);
    is_int(child_end(&c), 0, "the lowest byte may be used");
    m.curg = NULL;
    child_run(&c, touch, g.stk->low - 1);
    is_int(child_end(&c), -SIGSEGV, "a guard while no goroutine runs is a wild pointer");
    tls_set(NULL);
    child_run(&c, touch, g.stk->low - 1);
    is_int(child_end(&c), -SIGSEGV, "in a thread that is not ours too");
    stop();
}

/* ---- handlers of others --------------------------------------------------------------------- */

static char *wild;

/* By a signal: Valgrind, which has seen the fault too, puts its own code in place of an exit's. */
static void end_with(int sig, siginfo_t *info, void *context)
{
    (void)context;
    raise(sig == SIGSEGV && info->si_addr == wild ? SIGUSR1 : SIGKILL);
}

static void end_plainly(int sig)
{
    raise(sig == SIGSEGV ? SIGUSR2 : SIGKILL);
}

static int chained(void *flags)
{
    struct sigaction sa = { .sa_flags = *(int *)flags };

    if (sa.sa_flags & SA_SIGINFO)
        sa.sa_sigaction = end_with;
    else
        sa.sa_handler = end_plainly;
    sigaction(SIGSEGV, &sa, NULL);
    return touch(wild);
}

static int sent(void *handler)
{
    signal(SIGSEGV, *(void (**)(int))handler);
    if (overflow_init() != 0)
        return 100;
    kill(getpid(), SIGSEGV);
    return 5;
}

static int sent_bus(void *arg)
{
    (void)arg;
    if (overflow_init() != 0)
        return 100;
    raise(SIGBUS);
    return 5;
}

static void handlers_found_are_called(void)
{
    int flags[] = { SA_SIGINFO, 0, SA_SIGINFO | SA_RESETHAND | SA_NODEFER };
    void (*ignore)(int) = SIG_IGN, (*deflt)(int) = SIG_DFL;

    wild = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    start(GUARD_AUTO);
    child_run(&c, chained, &flags[0]);
    is_int(child_end(&c), -SIGUSR1, "with siginfo");
    child_run(&c, chained, &flags[1]);
    is_int(child_end(&c), -SIGUSR2, "without");
    child_run(&c, chained, &flags[2]);
    is_int(child_end(&c), -SIGUSR1, "once only");
    child_run(&c, sent, &ignore);
    is_int(child_end(&c), 5, "a signal that was sent and ignored stays so");
    child_run(&c, sent, &deflt);
    is_int(child_end(&c), -SIGSEGV, "one that was sent kills by default");
    child_run(&c, sent_bus, NULL);
    is_int(child_end(&c), -SIGBUS, "SIGBUS as well");
    stop();
}

/* ---- what is put back ----------------------------------------------------------------------- */

/* libc adds a flag of its own to whatever it installs. */
enum { RESTORER = 0x04000000 };

static bool same_action(int sig, const struct sigaction *was)
{
    struct sigaction is;

    sigaction(sig, NULL, &is);
    return is.sa_handler == was->sa_handler && ((is.sa_flags ^ was->sa_flags) & ~RESTORER) == 0 &&
           memcmp(&is.sa_mask, &was->sa_mask, sizeof(unsigned long)) == 0;
}

static void all_is_put_back(void)
{
    static char memory[64 << 10];
    stack_t mine = { .ss_sp = memory, .ss_size = sizeof memory }, before, now;
    struct sigaction segv = { .sa_handler = end_plainly, .sa_flags = SA_NODEFER }, bus;

    sigaddset(&segv.sa_mask, SIGUSR1);
    sigaction(SIGSEGV, &segv, NULL);
    sigaction(SIGSEGV, NULL, &segv);
    sigaction(SIGBUS, NULL, &bus);
    sigaltstack(&mine, &before);
    start(GUARD_AUTO);
    is_int(overflow_init(), 0, "installed");
    is_int(overflow_thread_init(&m), 0, "a signal stack");
    sigaltstack(NULL, &now);
    ok(now.ss_sp != memory && now.ss_size >= (size_t)sysconf(_SC_SIGSTKSZ), "of our own");
    overflow_thread_fini(&m);
    overflow_fini();
    stop();
    sigaltstack(NULL, &now);
    ok(now.ss_sp == memory && now.ss_size == sizeof memory, "the signal stack is as found");
    ok(same_action(SIGSEGV, &segv), "SIGSEGV is as found, mask and flags");
    ok(same_action(SIGBUS, &bus), "SIGBUS is as found");
    sigaltstack(&before, NULL);
    signal(SIGSEGV, SIG_DFL);
}

/* Theirs goes on to what it found, which is ours. */
static struct sigaction below;
static int rounds;

static void theirs(int sig, siginfo_t *info, void *context)
{
    if (++rounds > 1)
        _exit(90);
    below.sa_sigaction(sig, info, context);
}

static int over_ours(void *arg)
{
    struct sigaction sa = { .sa_sigaction = theirs, .sa_flags = SA_SIGINFO }, now;

    (void)arg;
    if (overflow_init() != 0 || sigaction(SIGSEGV, &sa, &below) != 0)
        return 100;
    overflow_fini();
    sigaction(SIGSEGV, NULL, &now);
    if (now.sa_sigaction != theirs)
        return 101;
    /* Started again, a fault must not go in circles. */
    return touch(wild);
}

static void handlers_over_ours_stay(void)
{
    start(GUARD_AUTO);
    child_run(&c, over_ours, NULL);
    is_int(child_end(&c), -SIGSEGV, "a handler put over ours stays, and calls what it found");
    stop();
}

static void none_where_none_is_wanted(void)
{
    struct sigaction was;

    start(GUARD_AUTO);
    env.flags = QUOIT_NO_SIGNALS;
    sigaction(SIGSEGV, NULL, &was);
    is_int(overflow_init(), 0, "QUOIT_NO_SIGNALS");
    is_int(overflow_thread_init(&m), 0, "is no error");
    ok(same_action(SIGSEGV, &was), "but nothing is installed");
    ok(m.sigstack == NULL, "and no signal stack is made");
    overflow_thread_fini(&m);
    overflow_fini();
    stop();
}

static void refusals_are_told(void)
{
    start(GUARD_AUTO);
    fail_from(FAIL_SIGALTSTACK, 1, 1, EPERM);
    is_int(overflow_thread_init(&m), -EPERM, "no signal stack");
    fail_from(FAIL_MMAP, 1, 1, ENOMEM);
    is_int(overflow_thread_init(&m), -ENOMEM, "no memory for one");
    fail_never();
    ok(m.sigstack == NULL, "nothing is left to be undone");
    overflow_thread_fini(&m);
    stop();
}

int main(void)
{
    guard_is_told_of();
    others_are_not();
    handlers_found_are_called();
    all_is_put_back();
    handlers_over_ours_stay();
    none_where_none_is_wanted();
    refusals_are_told();
    return done_testing();
}
