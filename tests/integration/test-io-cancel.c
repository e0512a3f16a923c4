/* SPDX-License-Identifier: BSD-3-Clause
 * test-io-cancel.c - calls end at the goroutine's deadline, or when it is cancelled
 */
#include "quoit.h"
#include "quoit_io.h"

#include "tap.h"
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CROWD = 200 };

static const int64_t ms = 1000000;
static int p[2];
static char dir[] = "/tmp/quoit-cancel-XXXXXX", fifo[64];

static void make_pipe(void)
{
    if (pipe(p) < 0)
        bail("pipe");
}

static void drop_pipe(void)
{
    close(p[0]);
    close(p[1]);
}

/* ---- deadlines ------------------------------------------------------------------------------ */

static void a_deadline_ends_a_read(void)
{
    int64_t before = world_now(), at = before + 20 * ms;
    char b[8];

    make_pipe();
    ok(quoit_set_deadline(at) == INT64_MAX, "at first there is no deadline");
    is_int(quoit_read(p[0], b, 8), -ETIMEDOUT, "a read of what does not come");
    ok(world_now() >= at - 1, "not before the deadline");
    if (write(p[1], "abc", 3) != 3)
        bail("write");
    is_int(quoit_read(p[0], b, 8), -ETIMEDOUT, "past it a call does not begin");
    is_int(quoit_sleep(3600000 * ms), -ETIMEDOUT, "nor does a sleep last");
    ok(quoit_set_deadline(INT64_MAX) == (at & ~INT64_C(1)), "the deadline was kept");
    is_int(quoit_read(p[0], b, 8), 3, "the bytes are there still");
    quoit_set_deadline(0);
    is_int(quoit_close(p[0]), 0, "a close is made in any case");
    quoit_set_deadline(INT64_MAX);
    close(p[1]);
}

static int read_until(void *arg)
{
    char b[64];
    ssize_t n;

    quoit_set_deadline(world_now() + (int64_t)(uintptr_t)arg % 7 * ms);
    n = quoit_read(p[0], b, sizeof b);
    return (int)n;
}

static void a_crowd_meets_its_deadlines(void)
{
    struct quoit_g *g[CROWD];
    int right = 0;

    make_pipe();
    for (uintptr_t i = 0; i < CROWD; i++)
        g[i] = world_go(read_until, (void *)i);
    for (int i = 0; i < CROWD; i++)
        right += world_join(g[i]) == -ETIMEDOUT;
    is_int(right, CROWD, "each of a crowd ends at its deadline");
    drop_pipe();
}

/* ---- every kind of wait --------------------------------------------------------------------- */

static uint32_t word;
static int listener;
static quoit_sema never;
static struct quoit_g *sleeper;

static int wait_read(void)
{
    char b[8];

    return (int)quoit_read(p[0], b, 8);
}

static int wait_poll(void)
{
    struct pollfd f = { .fd = p[0], .events = POLLIN };

    return quoit_poll(&f, 1, -1);
}

static int wait_poll_long(void)
{
    struct pollfd f = { .fd = p[0], .events = POLLIN };

    return quoit_poll(&f, 1, 3600000);
}

static int wait_accept(void)
{
    return quoit_accept(listener, NULL, NULL);
}

static int wait_futex(void)
{
    return quoit_futex_wait(&word, 0, 0);
}

static int wait_child(void)
{
    siginfo_t info;

    return quoit_waitid(P_ALL, 0, &info, WEXITED);
}

static int wait_open(void)
{
    return quoit_openat(AT_FDCWD, fifo, O_RDONLY, 0);
}

static int wait_sleep(void)
{
    return quoit_sleep(3600000 * ms);
}

static int wait_sema(void)
{
    return quoit_sema_wait_until(&never, INT64_MAX);
}

static int wait_join(void)
{
    return quoit_join(sleeper, NULL);
}

static int nowhere(void *arg)
{
    return arg == NULL;
}

static int wait_park(void)
{
    return quoit_park_until(nowhere, nowhere, NULL, "test", INT64_MAX);
}

static const struct kind {
    const char *name;
    int (*wait)(void);
} kinds[] = {
    { "read", wait_read }, { "poll", wait_poll }, { "poll with a timeout", wait_poll_long },
    { "accept", wait_accept }, { "futex", wait_futex }, { "waitid", wait_child },
    { "open of a FIFO", wait_open }, { "sleep", wait_sleep }, { "semaphore", wait_sema },
    { "join", wait_join }, { "park", wait_park },
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static int wait_cancelled(void *arg)
{
    const struct kind *k = arg;
    int r = k->wait();

    if (quoit_cancelled() != 0)
        return 1;
    return r;
}

static int wait_late(void *arg)
{
    const struct kind *k = arg;

    quoit_set_deadline(world_now() + 5 * ms);
    return k->wait();
}

static int sleep_long(void *arg)
{
    return arg == NULL ? quoit_sleep(3600000 * ms) : 1;
}

/* It has had time to wait, mostly; if it has not, its next wait ends. */
static void every_wait_ends(void)
{
    for (int i = 0; i < KINDS; i++) {
        struct quoit_g *g;

        /* By ring the open does not wait for the other end. */
        if (kinds[i].wait == wait_open && strcmp(getenv("QUOIT_IO"), "posix") != 0)
            continue;
        g = world_go_apart(wait_cancelled, (void *)&kinds[i]);

        quoit_sleep(2 * ms);
        is_int(quoit_cancel(g), 0, "%s: cancelled", kinds[i].name);
        is_int(world_join(g), -ECANCELED, "%s: says so, once", kinds[i].name);
        g = world_go_apart(wait_cancelled, (void *)&kinds[i]);
        quoit_cancel(g);
        is_int(world_join(g), -ECANCELED, "%s: one that may not have begun", kinds[i].name);
        is_int(world_join(world_go_apart(wait_late, (void *)&kinds[i])), -ETIMEDOUT,
               "%s: ends at the deadline", kinds[i].name);
    }
}

static void waits_of_all_kinds(void)
{
    struct sockaddr_in any = { .sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    pid_t child = fork();

    if (child == 0) {
        pause();
        _exit(0);
    }
    make_pipe();
    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&any, sizeof any) < 0 || listen(listener, 5) < 0)
        bail("listen");
    quoit_sema_init(&never, 0);
    sleeper = world_go_apart(sleep_long, NULL);
    every_wait_ends();
    quoit_cancel(sleeper);
    is_int(world_join(sleeper), -ECANCELED, "the one that was joined");
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(listener);
    drop_pipe();
}

/* ---- who cancels ---------------------------------------------------------------------------- */

static void wrong_handles(void)
{
    is_int(quoit_cancel(NULL), -EINVAL, "nobody");
    is_int(quoit_cancel(quoit_self()), -EINVAL, "one that is not joinable");
}

static void *cancel_from_outside(void *g)
{
    quoit_cancel(g);
    return NULL;
}

static void a_plain_thread_cancels(void)
{
    struct quoit_g *g;
    pthread_t t;

    make_pipe();
    g = world_go_apart(wait_cancelled, (void *)&kinds[0]);
    quoit_sleep(2 * ms);
    if (pthread_create(&t, NULL, cancel_from_outside, g) != 0)
        bail("pthread_create");
    is_int(world_join(g), -ECANCELED, "a plain thread cancels");
    pthread_join(t, NULL);
    drop_pipe();
}

/* The owner of the ring is in a foreign call, and stays there until the reader has come back. */
static sem_t came_back;

static int read_and_tell(void *arg)
{
    int r = wait_cancelled(arg);

    sem_post(&came_back);
    return r;
}

static void *cancel_later(void *g)
{
    usleep(2000);
    quoit_cancel(g);
    return NULL;
}

static void one_whose_thread_is_lost(bool marked)
{
    struct quoit_g *g;
    pthread_t t;

    make_pipe();
    sem_init(&came_back, 0, 0);
    g = world_go_apart(read_and_tell, (void *)&kinds[0]);
    quoit_sleep(2 * ms);
    if (pthread_create(&t, NULL, cancel_later, g) != 0)
        bail("pthread_create");
    if (marked)
        quoit_syscall_enter();
    while (sem_wait(&came_back) < 0)
        ;
    if (marked)
        quoit_syscall_exit();
    is_int(world_join(g), -ECANCELED, "cancelled while the thread is in a %s call",
           marked ? "marked" : "foreign");
    pthread_join(t, NULL);
    drop_pipe();
}

/* ---- all of it ------------------------------------------------------------------------------ */

static int body(void *arg)
{
    diag("%d P's", *(int *)arg);
    a_deadline_ends_a_read();
    a_crowd_meets_its_deadlines();
    wrong_handles();
    waits_of_all_kinds();
    a_plain_thread_cancels();
    one_whose_thread_is_lost(true);
    one_whose_thread_is_lost(false);
    return 0;
}

int main(void)
{
    if (mkdtemp(dir) == NULL)
        bail("no temporary directory");
    snprintf(fifo, sizeof fifo, "%s/fifo", dir);
    if (mkfifo(fifo, 0600) < 0)
        bail("mkfifo");
    for (int procs = 1; procs <= 2; procs++)
        is_int(world_run(procs, body, &procs), 0, "it ends");
    unlink(fifo);
    rmdir(dir);
    return done_testing();
}
