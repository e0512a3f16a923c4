/* SPDX-License-Identifier: BSD-3-Clause
 * test-core-foreign.c - threads that are attached do what goroutines do, come, go and die
 */
#include "quoit.h"
#include "quoit_io.h"

#include "child.h"
#include "tap.h"
#include "world.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 64, OPENINGS = 10 };

static void *in_thread(void *(*fn)(void *), void *arg)
{
    pthread_t thread;
    void *result;

    if (pthread_create(&thread, NULL, fn, arg) != 0)
        bail("no thread");
    pthread_join(thread, &result);
    return result;
}

static void set(int *what)
{
    __atomic_store_n(what, 1, __ATOMIC_RELEASE);
}

static int is_set(int *what)
{
    return __atomic_load_n(what, __ATOMIC_ACQUIRE);
}

static void wait_for(int *what)
{
    while (!is_set(what))
        sched_yield();
}

static int answers(void *arg)
{
    quoit_yield();
    return (int)(intptr_t)arg;
}

/* ---- what it may do ------------------------------------------------------------------------- */

static int blocks(void *arg)
{
    usleep(1000);
    return *(pthread_t *)arg == pthread_self();
}

static int writes(void *arg)
{
    return (int)quoit_write(*(int *)arg, "x", 1);
}

static void has_io(void)
{
    int fds[2];
    struct quoit_g *g;
    char c = 0;

    if (pipe(fds) != 0)
        bail("no pipe");
    g = world_go_apart(writes, &fds[1]);
    is_int(quoit_read(fds[0], &c, 1), 1, "it reads");
    is_int(c, 'x', "what a goroutine has written");
    is_int(world_join(g), 1, "and that is joined");
    close(fds[0]);
    close(fds[1]);
}

static void keeps_what_is_its_own(void)
{
    static __thread int mine;
    cpu_set_t before, after;
    sigset_t signals, mask;
    pthread_t self = pthread_self();
    int *where = &mine;

    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    pthread_sigmask(SIG_SETMASK, &signals, NULL);
    sched_getaffinity(0, sizeof before, &before);
    is_int(quoit_attach(), 0, "attached");
    is_int(quoit_attach(), -EALREADY, "once is enough");
    ok(quoit_goid() != 0 && quoit_self() != NULL, "it is a goroutine");
    for (int i = 0; i < 50; i++) {
        world_spawn(answers, NULL);
        quoit_yield();
        quoit_sleep(100000);
    }
    ok(&mine == where && self == pthread_self(), "it stays in its thread");
    is_int(quoit_lock_thread(), 1, "where it is locked");
    is_int(quoit_unlock_thread(), 0, "and unlocked");
    is_int(quoit_unlock_thread(), -EPERM, "but no more than that");
    is_int(quoit_block(blocks, &self), 1, "also in a call that blocks");
    quoit_syscall_enter();
    usleep(20000);
    quoit_syscall_exit();
    is_int(quoit_join(world_go_apart(answers, (void *)7), NULL), 0, "it joins");
    has_io();
    sched_getaffinity(0, sizeof after, &after);
    ok(CPU_EQUAL(&before, &after), "its cpus are its own");
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    ok(sigismember(&mask, SIGUSR1) && !sigismember(&mask, SIGUSR2), "and so are its signals");
    quoit_detach();
    ok(quoit_goid() == 0 && quoit_self() == NULL, "detached it is a plain thread");
    is_int(quoit_go(NULL, NULL), -EINVAL, "which may go on to call Quoit");
}

static void *lives(void *arg)
{
    keeps_what_is_its_own();
    return arg;
}

static int plain_block(void *arg)
{
    in_thread(lives, NULL);
    return arg != NULL;
}

static int lets_live(void *arg)
{
    is_int(quoit_attach(), -EALREADY, "a goroutine is one already");
    quoit_block(plain_block, arg);
    return 0;
}

/* ---- both ways, under load ------------------------------------------------------------------ */

struct office {
    quoit_sema bell, answer;
    quoit_mutex m;
    quoit_wg wg;
    int64_t under_mutex, joined, woken, read;
    int rounds, pipe[2];
    uint64_t fds, threads;
};

static int serves(void *arg)
{
    struct office *o = arg;

    for (int i = 0; i < o->rounds; i++) {
        quoit_sema_wait(&o->bell);
        quoit_sema_post(&o->answer);
    }
    quoit_wg_done(&o->wg);
    return 0;
}

struct parked {
    struct quoit_g *self, *g;
    quoit_sema woken;
};

static int publish(void *arg)
{
    struct parked *p = arg;

    __atomic_store_n(&p->g, p->self, __ATOMIC_RELEASE);
    return 1;
}

static int readies(void *arg)
{
    struct parked *p = arg;
    struct quoit_g *g;

    while ((g = __atomic_load_n(&p->g, __ATOMIC_ACQUIRE)) == NULL)
        quoit_yield();
    quoit_ready(g);
    quoit_sema_post(&p->woken);
    return 0;
}

static void one_round(struct office *o, int i)
{
    struct parked p = { quoit_self(), NULL, QUOIT_SEMA_INIT };
    struct quoit_g *g = world_go(answers, (void *)(intptr_t)i);
    char c;

    quoit_mutex_lock(&o->m);
    o->under_mutex++;
    quoit_yield();
    quoit_mutex_unlock(&o->m);
    quoit_sema_post(&o->bell);
    quoit_sema_wait(&o->answer);
    __atomic_add_fetch(&o->joined, world_join(g) == i, __ATOMIC_RELAXED);
    world_spawn(readies, &p);
    quoit_park(publish, &p, "until a goroutine comes");
    __atomic_add_fetch(&o->woken, 1, __ATOMIC_RELAXED);
    quoit_sema_wait(&p.woken);
    quoit_sleep(50000);
    if (quoit_write(o->pipe[1], "y", 1) == 1 &&
        quoit_read(o->pipe[0], &c, 1) == 1)
        __atomic_add_fetch(&o->read, c == 'y', __ATOMIC_RELAXED);
}

static void *visits(void *arg)
{
    struct office *o = arg;

    for (int i = 0; i < o->rounds; i++) {
        if (quoit_attach() != 0)
            bail("not attached");
        one_round(o, i);
        /* The last time the end of the thread has to do. */
        if (i < o->rounds - 1 || (uintptr_t)&i % 128 < 64)
            quoit_detach();
    }
    return NULL;
}

static int count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    while (dir != NULL && readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

static int visitors(void *arg)
{
    struct office *o = arg;
    pthread_t thread[THREADS];

    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&thread[i], NULL, visits, o) != 0)
            bail("no thread");
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    return 0;
}

static void open_office(struct office *o)
{
    quoit_wg_add(&o->wg, THREADS);
    for (int i = 0; i < THREADS; i++)
        world_spawn(serves, o);
    quoit_block(visitors, o);
    quoit_wg_wait(&o->wg);
}

/* Each P may have got a thread, and each of these a ring with a wake-up. On a machine with much
 * else to do some come later: what is left behind is so after every round. */
static bool leaves_nothing(struct office *o, int more_threads, int more_fds)
{
    bool nothing = false;

    for (int i = 0; i < OPENINGS && !nothing; i++) {
        int threads = quoit_num_thread(), fds = count_fds();

        open_office(o);
        nothing = quoit_num_thread() <= threads + more_threads && count_fds() <= fds + more_fds;
    }
    return nothing;
}

static int opens(void *arg)
{
    struct office o = { .rounds = world_rounds(10) };
    int n = THREADS * o.rounds;

    if (pipe(o.pipe) != 0)
        bail("no pipe");
    open_office(&o);
    is_int(o.under_mutex, n, "64 threads kept a mutex");
    is_int(o.joined, n, "joined goroutines");
    is_int(o.woken, n, "were readied by them");
    is_int(o.read, n, "and used a pipe");
    ok(leaves_nothing(&o, world_procs(), 2 * world_procs()),
       "no threads are left behind, and no descriptors");
    is_int(quoit_num_goroutine(), 1, "nor goroutines");
    close(o.pipe[0]);
    close(o.pipe[1]);
    return arg != NULL;
}

/* ---- refusals ------------------------------------------------------------------------------- */

static void *attaches(void *arg)
{
    int *result = arg;

    *result = quoit_attach();
    if (*result == 0)
        quoit_detach();
    return NULL;
}

/* No goroutine runs, so nobody else needs a thread. */
static void find_no_room(void)
{
    int result = 0, was;

    is_int(quoit_init(NULL), 0, "beside a program");
    was = quoit_set_max_threads(quoit_num_thread());
    in_thread(attaches, &result);
    is_int(result, -EAGAIN, "no more threads than allowed");
    quoit_set_max_threads(was);
    in_thread(attaches, &result);
    is_int(result, 0, "but then");
    is_int(quoit_shutdown(INT64_MAX), 0, "ends");
}

/* ---- the end comes first -------------------------------------------------------------------- */

static struct late {
    int attached, afterwards, slept;
    sem_t ended; /* of libc: who waits for it stands still outside, and its P is taken */
    pthread_t stays, sleeps;
} late;

static void *stays(void *arg)
{
    if (quoit_attach() != 0)
        bail("not attached");
    set(&late.attached);
    sem_wait(&late.ended);
    late.afterwards = quoit_go(answers, NULL);
    ok(quoit_self() == NULL, "Quoit has ended: it is a plain thread");
    quoit_detach();
    return arg;
}

/* Its stack has been left. */
static int has_left(void *arg)
{
    set(arg);
    return 1;
}

static void *sleeps(void *arg)
{
    if (quoit_attach() != 0)
        bail("not attached");
    quoit_park(has_left, &late.slept, "for ever");
    ok(false, "nobody readies it");
    return arg;
}

static int ends_first(void *arg)
{
    if (pthread_create(&late.stays, NULL, stays, NULL) != 0 ||
        pthread_create(&late.sleeps, NULL, sleeps, NULL) != 0)
        bail("no thread");
    /* They need the P that this goroutine holds, perhaps. */
    while (!is_set(&late.attached) || !is_set(&late.slept))
        quoit_yield();
    return arg != NULL;
}

static void end_under_them(void)
{
    int e;

    late = (struct late){ 0 };
    sem_init(&late.ended, 0, 0);
    is_int(quoit_main(ends_first, NULL), 0, "quoit_main returns under attached threads");
    is_int(quoit_main(ends_first, NULL), -EBUSY, "and waits for one that has not come in");
    sem_post(&late.ended);
    pthread_join(late.stays, NULL);
    is_int(late.afterwards, -ESHUTDOWN, "which it does at its next call");
    pthread_cancel(late.sleeps);
    pthread_join(late.sleeps, NULL);
    while ((e = quoit_main(answers, (void *)3)) == -EBUSY)
        sched_yield();
    is_int(e, 3, "then all begins anew");
}

static void *stays_for_shutdown(void *arg)
{
    if (quoit_attach() != 0)
        bail("not attached");
    is_int(quoit_shutdown(0), -EPERM, "it cannot end Quoit itself");
    set(&late.attached);
    sem_wait(&late.ended);
    quoit_detach();
    return arg;
}

static void shut_down_under_them(void)
{
    late = (struct late){ 0 };
    sem_init(&late.ended, 0, 0);
    is_int(quoit_init(NULL), 0, "beside a program");
    if (pthread_create(&late.stays, NULL, stays_for_shutdown, NULL) != 0)
        bail("no thread");
    wait_for(&late.attached);
    is_int(quoit_num_goroutine(), 1, "it counts as a goroutine");
    is_int(quoit_shutdown(0), -EBUSY, "which Quoit waits for");
    sem_post(&late.ended);
    is_int(quoit_shutdown(INT64_MAX), 0, "until it is detached");
    pthread_join(late.stays, NULL);
}

/* ---- the program's own thread, and a child -------------------------------------------------- */

static void in_main_thread(void)
{
    int status = -1;
    pid_t pid;

    is_int(quoit_init(NULL), 0, "a program starts Quoit");
    keeps_what_is_its_own();
    is_int(quoit_attach(), 0, "its first thread too");
    pid = fork();
    if (pid == 0)
        _exit(quoit_goid() == 0 && quoit_attach() == -ESHUTDOWN ? 5 : 6);
    ok(pid > 0 && waitpid(pid, &status, 0) == pid, "forks");
    ok(WIFEXITED(status) && WEXITSTATUS(status) == 5, "a child that knows of nothing");
    quoit_detach();
    is_int(quoit_shutdown(INT64_MAX), 0, "and ends it");
}

/* ---- what ends the program ------------------------------------------------------------------ */

static int detaches_unattached(void *arg)
{
    quoit_detach();
    return arg != NULL;
}

static int goes_by_goexit(void *arg)
{
    if (quoit_init(NULL) != 0 || quoit_attach() != 0)
        return 7;
    quoit_goexit(arg != NULL);
}

static int detaches_pinned(void *arg)
{
    if (quoit_init(NULL) != 0 || quoit_attach() != 0)
        return 7;
    quoit_pin();
    quoit_detach();
    return arg != NULL;
}

static int detaches_goroutine(void *arg)
{
    return quoit_main(detaches_unattached, arg);
}

static void dies(int (*fn)(void *), const char *said, const char *what)
{
    struct child c;

    child_run(&c, fn, NULL);
    ok(child_end(&c) == 2 && child_said(&c, said), "%s", what);
}

int main(void)
{
    int result = 0;

    dies(detaches_unattached, "quoit_detach: the calling thread is not attached", "a plain thread");
    dies(detaches_goroutine, "quoit_detach: the calling thread is not attached", "a goroutine");
    dies(goes_by_goexit, "leaves with quoit_detach", "the wrong way out");
    dies(detaches_pinned, "quoit_pin", "or too early");
    in_thread(attaches, &result);
    is_int(result, -ESHUTDOWN, "there is nothing to be attached to");
    is_int(quoit_main(lets_live, NULL), 0, "it lives");
    find_no_room();
    is_int(quoit_main(opens, NULL), 0, "among others");
    in_main_thread();
    end_under_them();
    shut_down_under_them();
    return done_testing();
}
