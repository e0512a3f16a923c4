/* SPDX-License-Identifier: BSD-3-Clause
 * test-dump.c - quoit_dump says what every goroutine does, while they do it
 *
 * Functions that are to be found by name are not static, and the program exports them.
 */
#include "quoit.h"
#include "quoit_io.h"

#include "tap.h"
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define visible __attribute__((__noinline__, __visibility__("default")))

/* No call below is a tail call, so each has its frame. */
#define not_last() __asm__ volatile("" ::: "memory")

static char *said;
static size_t saidlen;

/* What quoit_dump says, from a file that takes all of it at once. */
static int dump(void)
{
    int fd = memfd_create("dump", MFD_CLOEXEC), e;
    off_t n;

    if (fd < 0)
        bail("no memfd");
    e = quoit_dump(fd);
    n = lseek(fd, 0, SEEK_END);
    free(said);
    saidlen = n > 0 ? (size_t)n : 0;
    said = calloc(1, saidlen + 1);
    if (said == NULL || pread(fd, said, saidlen, 0) != (ssize_t)saidlen)
        bail("no memory");
    close(fd);
    return e;
}

/* Of the goroutine whose head line contains `head`: its text, up to the empty line. */
static const char *block(const char *head)
{
    static char text[8192];
    const char *at = strstr(said, head), *end;

    while (at != NULL && at > said && at[-1] != '\n')
        at--;
    end = at != NULL ? strstr(at, "\n\n") : NULL;
    if (end == NULL)
        return "";
    snprintf(text, sizeof text, "%.*s\n", (int)(end - at), at);
    return text;
}

static bool says(const char *text, const char *what)
{
    bool does = strstr(text, what) != NULL;

    if (!does)
        diag("not said: %s; but: %s", what, text);
    return does;
}

/* ---- known goroutines ----------------------------------------------------------------------- */

static quoit_sema never, begun;
static int pipes[2];
static uint32_t stop;

visible int waits_inside(void *arg)
{
    (void)arg;
    quoit_sema_post(&begun);
    quoit_sema_wait(&never);
    not_last();
    return 0;
}

visible int waits_on_sema(void *arg)
{
    int r = waits_inside(arg);

    not_last();
    return r;
}

visible int waits_on_read(void *arg)
{
    char c;

    (void)arg;
    quoit_sema_post(&begun);
    (void)quoit_read(pipes[0], &c, 1);
    not_last();
    return 0;
}

static int nothing(void *arg)
{
    (void)arg;
    return 1;
}

visible int waits_on_its_own(void *arg)
{
    (void)arg;
    quoit_sema_post(&begun);
    quoit_park(nothing, NULL, "the moon");
    not_last();
    return 0;
}

visible int waits_on_join(void *arg)
{
    struct quoit_g *g = arg;

    quoit_sema_post(&begun);
    quoit_join(g, NULL);
    not_last();
    return 0;
}

visible int child_in_place(void *arg)
{
    waits_inside(arg);
    not_last();
    return 0;
}

visible int joins_in_place(void *arg)
{
    struct quoit_attr attr = QUOIT_ATTR_INIT;
    struct quoit_g *g;

    (void)arg;
    attr.handle = &g;
    attr.name = "guest";
    if (quoit_go_attr(&attr, child_in_place, NULL) != 0)
        return 1;
    quoit_join(g, NULL);
    not_last();
    return 0;
}

visible int not_started(void *arg)
{
    (void)arg;
    return 0;
}

static void make(const char *name, quoit_fn fn, void *arg, struct quoit_g **handle)
{
    struct quoit_attr attr = QUOIT_ATTR_INIT;

    attr.name = name;
    attr.handle = handle;
    if (quoit_go_attr(&attr, fn, arg) != 0)
        bail("no goroutine");
}

/* Copied arguments and birthplaces share the record until the first run. */
visible void makes_copies(void)
{
    char arg[QUOIT_ARG_MAX];

    memset(arg, 0x5a, sizeof arg);
    if (quoit_go_copy(waits_on_sema, arg, sizeof arg) != 0)
        bail("no goroutine");
    not_last();
}

visible void makes_all(void)
{
    static struct quoit_g *g;

    make("sema", waits_on_sema, NULL, &g);
    make("read", waits_on_read, NULL, NULL);
    make("own \"\n", waits_on_its_own, NULL, NULL);
    make("join", waits_on_join, g, NULL);
    make("host", joins_in_place, NULL, NULL);
    if (quoit_go(waits_on_sema, NULL) != 0)
        bail("no goroutine");
    makes_copies();
}

/* Until each of the seven has parked. */
static void all_parked(void)
{
    int waiting = 0;

    for (int i = 0; i < 7; i++)
        quoit_sema_wait(&begun);
    while (waiting != 7) {
        quoit_yield();
        dump();
        waiting = 0;
        for (const char *at = said; (at = strstr(at, " s]:\n")) != NULL; at++)
            waiting++;
        for (const char *at = said; (at = strstr(at, " s, on the stack")) != NULL; at++)
            waiting++;
        /* Who joins in place waits too. */
        waiting -= strstr(said, "[join, in place,") != NULL;
    }
}

visible int many_frames(int depth)
{
    int r = depth == 0 ? dump() : many_frames(depth - 1);

    not_last();
    return r;
}

static void heads(void)
{
    ok(says(said, "SCHED ") && says(said, "ms: gomaxprocs="), "a summary");
    ok(says(said, "\n  P0: status="), "P's");
    ok(says(said, "\n  M0: p="), "M's");
    ok(says(said, "\ngoroutine 1 [running]:\n"), "who calls runs");
    ok(says(block("\"sema\""), " \"sema\" [semaphore, "), "name and reason of a semaphore");
    ok(says(block("\"read\""), " \"read\" ["), "of a read");
    ok(says(block("\"own "), " \"own ??\" [the moon, "), "of a park of one's own, all in one line");
    ok(says(block("\"join\""), " \"join\" [join, "), "of a join");
    ok(says(block("\"host\""), " \"host\" [join, in place, "), "of a joiner whose child runs");
    ok(says(block("\"guest\""), " s, on the stack of goroutine "), "and the child is where it is");
}

static void frames(void)
{
    ok(says(block("goroutine 1 "), " main1+0x"), "the caller's own stack");
    ok(says(block("\"sema\""), " waits_inside+0x") && says(block("\"sema\""), " waits_on_sema+0x"),
       "a parked one's");
    ok(says(block("\"sema\""), "(test-dump+0x"), "with what addr2line wants");
    ok(says(block("\"sema\""), "\ncreated by 0x") && says(block("\"sema\""), " makes_all+0x"),
       "where it was made");
    ok(says(block("\"read\""), " waits_on_read+0x"), "a read");
    ok(says(block("\"host\""), " joins_in_place+0x"), "a joiner's frames");
    ok(strstr(block("\"host\""), "child_in_place") == NULL, "are its own");
    ok(says(block("\"guest\""), " child_in_place+0x"), "so are its child's");
    ok(strstr(block("\"guest\""), "\n    0x") != NULL &&
           strstr(block("\"guest\""), " quoit_join+0x") == NULL, "and end where it was called");
    ok(says(block("\"guest\""), " joins_in_place+0x"), "where it was made: by its joiner");
    ok(says(said, " makes_copies+0x"), "one whose argument was copied");
    ok(strstr(said, "libquoit.so") == NULL || strstr(said, "goroutine_main") == NULL,
       "nothing of the library's own");
}

visible int main1(void *arg)
{
    (void)arg;
    makes_all();
    all_parked();
    is_int(dump(), 0, "quoit_dump");
    heads();
    frames();
    make("later", not_started, NULL, NULL);
    dump();
    /* On more P's another one may have run it by now. */
    if (world_procs() == 1) {
        ok(says(block("\"later\""), " [runnable, not started]:\n"), "one that has not started");
        ok(says(block("\"later\""), " not_started+0x"), "is to run this");
        ok(says(block("\"later\""), " main1+0x"), "and was made here");
    }
    is_int(many_frames(10), 0, "deep down");
    ok(says(block("goroutine 1 "), " times more\n"), "a recursion is told of once");
    is_int(quoit_dump(-1), -EBADF, "no descriptor");
    is_int(quoit_dump(pipes[0]), -EBADF, "not to be written to");
    errno = ENOENT;
    (void)quoit_dump(-1);
    is_int(errno, ENOENT, "errno is kept");
    return 0;
}

/* ---- from threads that are not ours, together ----------------------------------------------- */

enum { THREADS = 4, DUMPS = 20 };
static int together;

static void *dumps_often(void *arg)
{
    intptr_t bad = 0;

    (void)arg;
    for (int i = 0; i < DUMPS; i++)
        bad += quoit_dump(together) != 0;
    return (void *)bad;
}

/* Every summary is followed by a whole dump: the one goroutine comes before the next summary. */
static bool unmixed(const char *text)
{
    char head[64];
    int n = 0;

    snprintf(head, sizeof head, "\ngoroutine %llu [", (unsigned long long)quoit_goid());
    for (const char *at = text; (at = strstr(at, "SCHED ")) != NULL; n++) {
        const char *next = strstr(at + 1, "SCHED "), *one = strstr(at, head);

        if (one == NULL || (next != NULL && one > next))
            return false;
        at++;
    }
    return n == THREADS * DUMPS;
}

static int from_threads(void *arg)
{
    pthread_t t[THREADS];
    char *text;
    off_t n;
    intptr_t bad = 0;

    (void)arg;
    together = memfd_create("dumps", MFD_CLOEXEC);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&t[i], NULL, dumps_often, NULL) != 0)
            bail("no thread");
    for (int i = 0; i < THREADS; i++) {
        void *r;

        pthread_join(t[i], &r);
        bad += (intptr_t)r;
    }
    is_int(bad, 0, "threads that are not ours dump too");
    n = lseek(together, 0, SEEK_END);
    text = calloc(1, (size_t)n + 1);
    ok(text != NULL && pread(together, text, (size_t)n, 0) == n && unmixed(text),
       "and dumps do not mix");
    ok(text != NULL && says(text, "stack unavailable\n"),
       "who runs elsewhere has no stack to show");
    free(text);
    close(together);
    return 0;
}

/* ---- a storm -------------------------------------------------------------------------------- */

enum { STORM = 10000, ROUNDS = 20 };
static uint64_t ended;

static int comes_and_goes(void *arg)
{
    (void)arg;
    quoit_yield();
    quoit_sema_wait(&never);
    quoit_yield();
    __atomic_add_fetch(&ended, 1, __ATOMIC_RELAXED);
    return 0;
}

static uint64_t how_many_ended(void)
{
    return __atomic_load_n(&ended, __ATOMIC_RELAXED);
}

/* TSan knows 8,128 stacks at most. */
static uint64_t crowd(void)
{
    return world_is_slow() ? STORM / 5 : STORM;
}

/* So many of them are there at any time, and up to a hundred more. */
static int keeps_them_coming(void *arg)
{
    uint64_t made = crowd();

    (void)arg;
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        for (int i = 0; i < 100 && made - how_many_ended() <= crowd(); i++, made++) {
            world_spawn(comes_and_goes, NULL);
            quoit_sema_post(&never);
        }
        quoit_yield();
    }
    return 0;
}

static int storm(void *arg)
{
    struct quoit_g *g;
    int rounds = world_rounds(ROUNDS), bad = 0;

    (void)arg;
    for (uint64_t i = 0; i < crowd(); i++)
        world_spawn(comes_and_goes, NULL);
    g = world_go_apart(keeps_them_coming, NULL);
    for (int i = 0; i < rounds; i++) {
        uint64_t before = how_many_ended();

        bad += dump() != 0 || strstr(said, "\n\n") == NULL;
        while (how_many_ended() == before)
            quoit_yield();
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    world_join(g);
    is_int(bad, 0, "%d dumps while %d goroutines come and go", rounds, (int)crowd());
    return 0;
}

int main(void)
{
    is_int(quoit_dump(STDERR_FILENO), -ESHUTDOWN, "before the start");
    if (pipe(pipes) != 0)
        bail("no pipe");
    world_run(0, main1, NULL);
    world_run(0, from_threads, NULL);
    memset(&never, 0, sizeof never);
    world_run(0, storm, NULL);
    return done_testing();
}
