/* SPDX-License-Identifier: BSD-3-Clause
 * test-tap.c - the thing that all tests trust: a check that does not hold must be seen
 *
 * Each case runs in a child whose standard output is read back here.
 */
#include "tap.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct outcome {
    int status;
    char out[65536];
};

static struct outcome run(int (*body)(void))
{
    struct outcome o = {0};
    int fd[2];
    if (pipe(fd) != 0)
        bail("pipe failed");
    pid_t pid = fork();
    if (pid < 0)
        bail("fork failed");
    if (pid == 0) {
        dup2(fd[1], STDOUT_FILENO);
        close(fd[0]);
        close(fd[1]);
        _exit(body());
    }
    close(fd[1]);
    size_t used = 0;
    ssize_t n;
    while ((n = read(fd[0], o.out + used, sizeof(o.out) - 1 - used)) > 0)
        used += (size_t)n;
    close(fd[0]);
    int status;
    waitpid(pid, &status, 0);
    o.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return o;
}

static bool has(const struct outcome *o, const char *text)
{
    return strstr(o->out, text) != NULL;
}

static int all_hold(void)
{
    plan_tests(3);
    ok(1, "first");
    is_int(6 * 7, 42, "second");
    is_str("a", "a", "third");
    return done_testing();
}

static int one_does_not(void)
{
    ok(1 > 2, "order of numbers");
    is_int(3, 4, "count");
    is_str("a", NULL, "text");
    return done_testing();
}

static int should_fail(void)
{
    setenv("TAP_EXPECT_FAILURE", "1", 1);
    return one_does_not();
}

static int should_fail_but_holds(void)
{
    setenv("TAP_EXPECT_FAILURE", "1", 1);
    return done_testing();
}

static int plan_not_kept(void)
{
    plan_tests(2);
    ok(1, "only one");
    return done_testing();
}

static int newline_in_name(void)
{
    ok(1, "one\nnot ok - two");
    return done_testing();
}

static int skips(void)
{
    skip_all("no %s here", "rings");
}

static int bails(void)
{
    bail("gone");
}

static void *many_checks(void *arg)
{
    for (int i = 0; i < 100; i++)
        ok(1, "from a thread%s", (const char *)arg);
    return NULL;
}

static int from_threads(void)
{
    pthread_t t[4];
    char empty[] = "";
    for (int i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, many_checks, empty);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    return done_testing();
}

enum { HOLD, FAIL, TWIN, TWIN_EMPTY, PLAN, NOTHING, NEWLINE, SKIP, BAIL, THREADS, CASES };

static int (*const bodies[CASES])(void) = {
    [HOLD] = all_hold,
    [FAIL] = one_does_not,
    [TWIN] = should_fail,
    [TWIN_EMPTY] = should_fail_but_holds,
    [PLAN] = plan_not_kept,
    [NOTHING] = done_testing,
    [NEWLINE] = newline_in_name,
    [SKIP] = skips,
    [BAIL] = bails,
    [THREADS] = from_threads,
};

static struct outcome out[CASES];

int main(void)
{
    /* All children before the first check here: a child goes on counting where its parent was. */
    for (int i = 0; i < CASES; i++)
        out[i] = run(bodies[i]);

    ok(out[HOLD].status == 0 && has(&out[HOLD], "1..3\nok - first\nok - second\nok - third\n"),
       "checks that hold");

    const struct outcome *o = &out[FAIL];
    ok(o->status == 1 && has(o, "not ok - order of numbers\n"), "a failed check ends in status 1");
    ok(has(o, "1 > 2"), "it shows the expression");
    ok(has(o, "3 is 3, should be 4"), "it shows both numbers");
    ok(has(o, "is \"a\", should be \"(null)\""), "it shows both strings");
    ok(has(o, "1..3\n"), "the plan comes last when none was made");

    ok(out[TWIN].status == 0 && has(&out[TWIN], "not ok - order of numbers\n"),
       "a test that should fail does so by its checks alone");
    is_int(out[TWIN_EMPTY].status, 1, "no check at all is a failure there too");
    is_int(out[PLAN].status, 1, "fewer checks than planned is a failure");
    is_int(out[NOTHING].status, 1, "no check at all is a failure");
    ok(!has(&out[NEWLINE], "\nnot ok"), "a newline in a name begins no line");
    ok(out[SKIP].status == 0 && has(&out[SKIP], "1..0 # SKIP no rings here\n"),
       "a skipped program says why");
    ok(out[BAIL].status == 1 && has(&out[BAIL], "Bail out! gone\n"), "bailing out is a failure");
    ok(out[THREADS].status == 0 && has(&out[THREADS], "1..400\n"),
       "checks of four threads are all counted");
    return done_testing();
}
