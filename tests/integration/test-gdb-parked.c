/* SPDX-License-Identifier: BSD-3-Clause
 * test-gdb-parked.c - gdb shows a parked goroutine's stack down to its entry
 *
 * Runs itself under gdb, with an argument, and reads what gdb says. The two lines that show the
 * stack are those of Documentation/arch.md: what gdb can do alone. test-gdb.py tests the script.
 */
#include "quoit.h"

#include "tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the program that gdb looks at ---- */

static quoit_sema parked, go_on;

__attribute__((noinline)) static int sit_still(int depth)
{
    int below;

    if (depth > 0) {
        below = sit_still(depth - 1);
        return below + 1;
    }
    quoit_sema_post(&parked);
    quoit_sema_wait(&go_on);
    return 0;
}

static int sleeper(void *arg)
{
    return sit_still(*(int *)arg) - 3;
}

__attribute__((noinline)) static void look_here(struct quoit_g *g)
{
    __asm__ volatile("" ::"r"(g) : "memory");
}

/* On one P: whoever posted has parked by the time that a yield comes back. */
static int first(void *arg)
{
    struct quoit_attr attr = QUOIT_ATTR_INIT;
    struct quoit_g *g;
    int depth = 3, result = -1;

    (void)arg;
    attr.handle = &g;
    if (quoit_go_attr(&attr, sleeper, &depth) != 0)
        return 2;
    quoit_sema_wait(&parked);
    quoit_yield();
    look_here(g);
    quoit_sema_post(&go_on);
    return quoit_join(g, &result) != 0 || result != 0;
}

/* ---- what gdb says ---- */

static char said[64 << 10];

static void run_gdb(const char *self)
{
    execlp("gdb", "gdb", "-nx", "-q", "-batch",
           "-iex", "set debuginfod enabled off",
           "-ex", "set confirm off",
           "-ex", "set environment GOMAXPROCS=1",
           "-ex", "break look_here",
           "-ex", "run",
           "-ex", "set $parked = g->ctx.sp",
           "-ex", "set $sp = $parked",
           "-ex", "set $pc = &context_parked",
           "-ex", "echo parked stack\\n",
           "-ex", "backtrace",
           "-ex", "kill",
           "--args", self, "sleep", (char *)NULL);
    _exit(127);
}

static int hear_gdb(const char *self)
{
    size_t n = 0;
    ssize_t got;
    int fds[2], status;
    pid_t pid;

    if (pipe(fds) || (pid = fork()) < 0)
        bail("no pipe or no child to be had");
    if (pid == 0) {
        dup2(fds[1], STDOUT_FILENO);
        dup2(fds[1], STDERR_FILENO);
        close(fds[0]);
        close(fds[1]);
        run_gdb(self);
    }
    close(fds[1]);
    while (n < sizeof said - 1 && (got = read(fds[0], said + n, sizeof said - 1 - n)) > 0)
        n += (size_t)got;
    close(fds[0]);
    waitpid(pid, &status, 0);
    return status;
}

/* The words stand one after another from `from` on. */
static bool in_this_order(const char *from, const char *const *words)
{
    for (; from != NULL && *words != NULL; words++)
        from = strstr(from, *words);
    return from != NULL;
}

int main(int argc, char **argv)
{
    static const char *const frames[] = {
        "parked stack", "sit_still", "sit_still", "sit_still", "sit_still",
        "sleeper", "context_begin", NULL,
    };
    int status;

    quoit_sema_init(&parked, 0);
    quoit_sema_init(&go_on, 0);
    if (argc == 2)
        return quoit_main(first, NULL);
    if (access("/proc/self/exe", F_OK) != 0)
        skip_all("/proc is not mounted, and gdb needs it");
    status = hear_gdb(argv[0]);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        skip_all("gdb is not installed");
    if (strstr(said, "ptrace: ") || strstr(said, "Could not trace"))
        skip_all("tracing a process is not permitted here");
    if (strstr(said, "No symbol") || strstr(said, "has unknown type"))
        skip_all("built without debug information");
    if (!ok(in_this_order(said, frames), "gdb shows the parked stack down to its entry"))
        diag("gdb said:\n%s", said);
    ok(!strstr(said, "corrupt stack"), "and stops there");
    return done_testing();
}
