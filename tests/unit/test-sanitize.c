/* SPDX-License-Identifier: BSD-3-Clause
 * test-sanitize.c - on our stacks a sanitizer finds what it should and nothing else
 *
 * Each finding is made in a child, whose report is read. Which tests run depends on the build: one
 * under ASan, one under TSan, and a plain one that calls Valgrind where it is installed.
 */
#include "lane.h"

#include "tap.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct lane home, other;

static unused_arg void hop_home(void)
{
    lane_switch(&other, &home, NULL);
}

static unused_arg void hop_over(void)
{
    lane_switch(&home, &other, NULL);
}

/* ---- a child and what it says ---- */

static char said[32 << 10];

static bool says(const char *words)
{
    return strstr(said, words) != NULL;
}

static int hear(pid_t pid, int fd)
{
    size_t n = 0;
    ssize_t got;
    int status;

    while (n < sizeof said - 1 && (got = read(fd, said + n, sizeof said - 1 - n)) > 0)
        n += (size_t)got;
    said[n] = '\0';
    close(fd);
    if (waitpid(pid, &status, 0) != pid)
        bail("waitpid: the child is lost");
    return status;
}

/* Runs body in a child; its wait status, and in `said` what it wrote to its standard error. */
static int in_child(void (*body)(void))
{
    int fds[2];
    pid_t pid;

    if (pipe(fds) || (pid = fork()) < 0)
        bail("no pipe or no child to be had");
    if (pid == 0) {
        dup2(fds[1], STDERR_FILENO);
        close(fds[0]);
        close(fds[1]);
        body();
        exit(0);
    }
    close(fds[1]);
    return hear(pid, fds[0]);
}

static unused_arg void is_clean(void (*body)(void), const char *name)
{
    int status = in_child(body);

    if (!ok(status == 0 && !says("Sanitizer"), "%s", name))
        diag("status %x, said: %s", status, said);
}

static unused_arg void is_found(void (*body)(void), const char *words, const char *name)
{
    int status = in_child(body);

    if (!ok(status != 0 && says(words), "%s", name))
        diag("status %x, said: %s", status, said);
}

/* Lives that end deep in calls, one after another on one stack. */
static void (*deepest)(void);

static noinline int deep(int depth)
{
    volatile char *rough = __builtin_alloca((size_t)depth + 40);

    rough[0] = (char)depth;
    if (depth > 0)
        return deep(depth - 1) + rough[0];
    deepest();
    return rough[0];
}

static unused_arg void die_deep(void)
{
    lane_end(&other, &home);
}

static unused_arg void live_and_die_deep(void *arg unused_arg)
{
    sanitize_arrive(&other.rec);
    deepest = die_deep;
    deep(16);
}

/* ---- ASan ---- */

#ifdef SANITIZE_ASAN
#include <sanitizer/lsan_interface.h>

const char *__asan_default_options(void);
__attribute__((visibility("default"))) const char *__asan_default_options(void)
{
    return "detect_stack_use_after_return=1";
}

static volatile size_t eight = 8;
static volatile char *kept;

/* UBSan would see the store first, and end the program before ASan can name it. */
__attribute__((no_sanitize("undefined"))) static void overflow(void *arg unused_arg)
{
    char buffer[8];

    sanitize_arrive(&other.rec);
    hop_home();
    memset(buffer, 1, 8);
    hop_home();
    kept = buffer;
    kept[eight] = 1;
    hop_home();
}

static void overflow_child(void)
{
    lane_make(&other);
    lane_begin(&home, &other, overflow, NULL);
    hop_over();
    hop_over();
    _exit(0);
}

static noinline void keep_a_local(void)
{
    char local[32];

    memset(local, 1, sizeof local);
    kept = local;
    hop_home();
}

static void use_after_return(void *arg unused_arg)
{
    sanitize_arrive(&other.rec);
    keep_a_local();
    hop_home();
    kept[0] = 2;
    hop_home();
}

static void use_after_return_child(void)
{
    lane_make(&other);
    lane_begin(&home, &other, use_after_return, NULL);
    kept[1] = 3; /* still alive: the frame is parked, not left */
    hop_over();
    hop_over();
    _exit(0);
}

/* By a call of libc's memset, which looks at each byte; an inlined one looks at the ends. */
static noinline void wipe_below(void)
{
    static volatile size_t size = 8 << 10;
    void *room = memset(__builtin_alloca(size), 0, size);

    __asm__ volatile("" ::"r"(room) : "memory");
}

static void write_widely(void *arg unused_arg)
{
    sanitize_arrive(&other.rec);
    wipe_below();
    lane_end(&other, &home);
}

static void next_life(bool told)
{
    lane_make(&other);
    lane_begin(&home, &other, live_and_die_deep, NULL);
    if (told)
        sanitize_stack_reuse(&other.rec, other.low, LANE_SIZE);
    lane_begin(&home, &other, write_widely, NULL);
    _exit(0);
}

static void next_life_child(void)
{
    next_life(true);
}

static void next_life_untold_child(void)
{
    next_life(false);
}

static noinline void hold_memory(void *arg unused_arg)
{
    void *volatile block = malloc(100);

    sanitize_arrive(&other.rec);
    hop_home();
    free(block);
    lane_end(&other, &home);
}

static void held_memory_child(void)
{
    lane_make(&other);
    lane_begin(&home, &other, hold_memory, NULL);
    wipe_below(); /* malloc may have left the address there */
    _exit(__lsan_do_recoverable_leak_check());
}

static void held_memory_is_no_leak(void)
{
    int status = in_child(held_memory_child);

    if (says("LeakSanitizer has encountered a fatal error"))
        skip("held_memory_is_no_leak: LeakSanitizer may not trace its process here");
    else
        ok(status == 0, "held_memory_is_no_leak %s", said);
}

static void under_this_build(const char *self unused_arg)
{
    char *here = __builtin_frame_address(0);

    ok((char *)home.rec.low < here && here < (char *)home.rec.low + home.rec.size,
       "a thread's own stack has its bounds");
    is_found(overflow_child, "stack-buffer-overflow", "overflow_is_found");
    is_found(use_after_return_child, "stack-use-after-return", "use_after_return_is_found");
    is_clean(next_life_child, "what_a_life_left_is_forgotten");
    is_found(next_life_untold_child, "AddressSanitizer", "and would be found if it were not");
    held_memory_is_no_leak();
}

/* ---- TSan ---- */

#elif defined(SANITIZE_TSAN)

static sem_t turn[2];
static struct lane own[2];
static long travelled, torn;

static void travel(void *arg)
{
    struct lane *back = arg;

    sanitize_arrive(&other.rec);
    for (;;) {
        travelled++;
        back = lane_switch(&other, back, NULL);
    }
}

static void *take_turns(void *arg)
{
    int me = arg == &own[1];

    lane_self(&own[me]);
    for (int i = 0; i < 1000; i++) {
        sem_wait(&turn[me]);
        lane_switch(&own[me], &other, &own[me]);
        sem_post(&turn[!me]);
    }
    return NULL;
}

static void two_threads(void *(*body)(void *))
{
    pthread_t t[2];

    for (int i = 0; i < 2; i++)
        pthread_create(&t[i], NULL, body, &own[i]);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
}

static void ordered_child(void)
{
    sem_init(&turn[0], 0, 1);
    sem_init(&turn[1], 0, 0);
    lane_make(&other);
    lane_begin(&home, &other, travel, &home);
    two_threads(take_turns);
    if (travelled != 2001)
        abort();
}

struct racer {
    struct lane own, far;
};

static void race(void *arg)
{
    struct racer *r = arg;

    sanitize_arrive(&r->far.rec);
    torn++;
    lane_end(&r->far, &r->own);
}

static void *race_in_a_lane(void *arg)
{
    struct racer r;

    lane_self(&r.own);
    lane_make(&r.far);
    lane_begin(&r.own, &r.far, race, &r);
    lane_free(&r.far);
    return arg;
}

static void unordered_child(void)
{
    two_threads(race_in_a_lane);
}

/* More frames are left than TSan could count on one stack. */
static void many_lives_child(void)
{
    lane_make(&other);
    for (int i = 0; i < 6000; i++) {
        if (i)
            sanitize_stack_reuse(&other.rec, other.low, LANE_SIZE);
        lane_begin(&home, &other, live_and_die_deep, NULL);
    }
    lane_free(&other);
}

static void under_this_build(const char *self unused_arg)
{
    is_clean(ordered_child, "ordered_hand_over_is_no_race");
    is_found(unordered_child, "data race", "an_unordered_one_is");
    is_clean(many_lives_child, "lives_leave_nothing_behind");
}

/* ---- Valgrind ---- */

#else

static void travel(void *arg unused_arg)
{
    sanitize_arrive(&other.rec);
    for (;;)
        hop_home();
}

/* What Valgrind watches: `other` is made anew for each life. */
static int watched(bool registered)
{
    for (int life = 0; life < 20; life++) {
        lane_make(&other);
        if (!registered)
            sanitize_stack_free(&other.rec);
        lane_begin(&home, &other, travel, NULL);
        hop_over();
        lane_begin(&home, &other, live_and_die_deep, NULL);
        lane_free(&other);
    }
    return 0;
}

static void run_watched(const char *self, const char *role)
{
    execlp("valgrind", "valgrind", "--error-exitcode=9", self, role, (char *)NULL);
    _exit(127);
}

static const char *program;

static void registered_child(void)
{
    run_watched(program, "registered");
}

static void unregistered_child(void)
{
    run_watched(program, "unregistered");
}

static void under_this_build(const char *self)
{
    int status;

    program = self;
    lane_make(&other);
    if (other.rec.valgrind_id) {
        lane_free(&other);
        ok(watched(true) == 0, "stacks come and go under Valgrind");
        return;
    }
    lane_free(&other);
    status = in_child(unregistered_child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
        skip("no Valgrind here, and no sanitizer in this build");
        return;
    }
    if (!says("switching stacks")) {
        skip("this Valgrind or this build does not tell stacks apart");
        return;
    }
    status = in_child(registered_child);
    ok(status == 0 && !says("switching stacks"), "Valgrind knows our stacks");
    ok(says("ERROR SUMMARY: 0 errors"), "and finds no error on them");
}

#endif

int main(int argc, char **argv)
{
    lane_self(&home);
#ifndef SANITIZE_SWITCHES
    if (argc == 2)
        return watched(strcmp(argv[1], "registered") == 0);
#endif
    (void)argc;
    under_this_build(argv[0]);
    sanitize_stack_free(&home.rec); /* fatal if it took the thread's own stack away */
    lane_self(&home);
    return done_testing();
}
