/* SPDX-License-Identifier: BSD-3-Clause
 * test-probe.c - a reason that a reader can do something with
 */
#include "probe.h"

#include "compiler.h"

#include "child.h"
#include "faultring.h"
#include "forbid.h"
#include "tap.h"
#include "uapi.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>

enum { NO_SECCOMP = 99 };

struct refusal {
    long nr;
    int err;
    const char *says;
};

/* 0: as expected. */
static int refused(void *arg)
{
    const struct refusal *want = arg;
    struct probe p;

    if (forbid(want->nr, want->err) < 0)
        return NO_SECCOMP;
    probe_rings(&p);
    return p.error == -want->err && strstr(p.why, want->says) != NULL ? 0 : 1;
}

static void the_reason_is_told(const char *name, struct refusal want)
{
    struct child c;

    child_run(&c, refused, &want);
    if (child_end(&c) == NO_SECCOMP)
        skip("%s: seccomp cannot be had here", name);
    else
        is_int(child_end(&c), 0, "%s", name);
}

/* Without IORING_REGISTER_PROBE nothing is known of the operations: no ring is better than a
 * broken one. */
static int without_register(void *arg unused_arg)
{
    struct probe p;

    if (forbid(__NR_io_uring_register, EPERM) < 0)
        return NO_SECCOMP;
    probe_rings(&p);
    return p.error < 0 && p.why[0] != '\0' ? 0 : 1;
}

static int no_locked_memory(void *arg unused_arg)
{
    struct rlimit none = { 0, 0 };
    struct probe p;

    setrlimit(RLIMIT_MEMLOCK, &none);
    probe_rings(&p);
    return p.error == 0 || (p.error == -ENOMEM && strstr(p.why, "ulimit -l") != NULL) ? 0 : 1;
}

static void a_child_agrees(const char *name, int (*fn)(void *))
{
    struct child c;

    child_run(&c, fn, NULL);
    if (child_end(&c) == NO_SECCOMP)
        skip("%s: seccomp cannot be had here", name);
    else
        is_int(child_end(&c), 0, "%s", name);
}

/* In the trial as in each ring afterwards. */
static void the_experiments_are_told(void)
{
    struct probe p;

    probe_rings_as(&p, "defer");
    is_int(p.error, 0, "the experiment defer keeps nobody from having rings");
    ok(strstr(p.how, p.flags & IORING_SETUP_DEFER_TASKRUN ? "(experiment defer)" : "cannot do"),
       "and what became of it is told: %s", p.how);
    probe_rings_as(&p, "sqpoll");
    is_int(p.error, 0, "nor does the experiment sqpoll");
    ok(strstr(p.how, p.flags & IORING_SETUP_SQPOLL ? "(experiment sqpoll)" : "not to be had"),
       "which is told, too: %s", p.how);
    faults.setup = IORING_SETUP_SQPOLL;
    probe_rings_as(&p, "sqpoll");
    faults.setup = 0;
    ok(p.error == 0 && strstr(p.how, "not to be had") != NULL,
       "whatever it is refused for: %s", p.how);
    probe_rings_as(&p, NULL);
    ok(!(p.flags & (IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SQPOLL)),
       "they are out again when nobody asks");
    is_str(p.how, "uring", "and not told of");
}

/* The operation with this number, as far as a bit can say it. */
static bool has(const struct probe *p, int op)
{
    return p->opcodes >> op & 1;
}

/* Each level has what the one below has, and not more than this kernel. */
static void older_kernels_have_less(void)
{
    static const struct {
        const char *name;
        unsigned never;
        int last, none;
        bool cancels;
    } levels[] = {
        { "kernel-5.15", IORING_SETUP_COOP_TASKRUN | IORING_SETUP_SINGLE_ISSUER |
                         IORING_SETUP_DEFER_TASKRUN,
          IORING_OP_LINKAT, IORING_OP_MSG_RING, false },
        { "kernel-6.1", 0, IORING_OP_SENDMSG_ZC, IORING_OP_WAITID, true },
        { "kernel-6.6", 0, IORING_OP_SENDMSG_ZC, IORING_OP_FUTEX_WAIT, true },
    };
    struct probe all, p;

    probe_rings_as(&all, NULL);
    for (size_t i = 0; i < array_len(levels); i++) {
        probe_rings_as(&p, levels[i].name);
        is_int(p.error, 0, "%s: there are rings", levels[i].name);
        is_int(p.flags & levels[i].never, 0, "no flags that it does not have");
        is_int(has(&p, levels[i].last), has(&all, levels[i].last), "its last operation");
        ok(!has(&p, levels[i].none), "and not the next one");
        is_int(p.cancel_any, levels[i].cancels && all.cancel_any, "what it can cancel");
        is_int(p.opcodes & ~all.opcodes, 0, "nothing that this kernel lacks");
        ok(strstr(p.how, "older kernel") != NULL, "it is told: %s", p.how);
    }
    probe_rings_as(&p, NULL);
    ok(p.opcodes == all.opcodes, "and it is over when nobody asks");
}

int main(void)
{
    struct probe p;

    probe_rings(&p);
    if (p.error < 0)
        skip_all("%s", p.why);
    is_str(p.why, "", "where there are rings there is nothing to explain");
    the_experiments_are_told();
    older_kernels_have_less();
    the_reason_is_told("a container's filter",
                       (struct refusal){ __NR_io_uring_setup, EPERM, "seccomp" });
    the_reason_is_told("no io_uring", (struct refusal){ __NR_io_uring_setup, ENOSYS, "ENOSYS" });
    the_reason_is_told("no memory", (struct refusal){ __NR_io_uring_setup, ENOMEM, "ulimit -l" });
    the_reason_is_told("no descriptor left",
                       (struct refusal){ __NR_io_uring_setup, EMFILE, "EMFILE" });
    a_child_agrees("operations that cannot be asked for", without_register);
    a_child_agrees("no locked memory allowed", no_locked_memory);
    return done_testing();
}
