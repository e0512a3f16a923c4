/* SPDX-License-Identifier: BSD-3-Clause
 * test-core-sync.c - semaphore, mutex and wait group, among goroutines and plain threads
 */
#include "quoit.h"

#include "tap.h"
#include "world.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

static uint64_t parked(void)
{
    struct quoit_stats st = { .size = sizeof st };

    quoit_stats(&st);
    return st.parked;
}

static void wait_parked(uint64_t n)
{
    while (parked() < n)
        quoit_yield();
}

/* ---- semaphore ------------------------------------------------------------------------------ */

static void counts(void)
{
    quoit_sema s = QUOIT_SEMA_INIT;

    is_int(quoit_sema_trywait(&s), -EAGAIN, "a fresh semaphore is at zero");
    quoit_sema_init(&s, 3);
    for (int i = 0; i < 3; i++)
        is_int(quoit_sema_trywait(&s), 0, "one of three");
    is_int(quoit_sema_trywait(&s), -EAGAIN, "and no more");
    quoit_sema_init(&s, INT32_MAX);
    is_int(quoit_sema_trywait(&s), 0, "the largest count");
    quoit_sema_post(&s);
    quoit_sema_wait(&s);
    quoit_sema_post(&s);
}

enum { QUEUED = 50 };

struct turnstile {
    quoit_sema in, passed;
    int order[QUEUED];
    int n;
};

static struct turnstile turnstile;

static int passes(void *arg)
{
    struct turnstile *t = &turnstile;

    quoit_sema_wait(&t->in);
    t->order[t->n++] = (int)(intptr_t)arg;
    quoit_sema_post(&t->passed);
    return 0;
}

/* The next is let in only when the last has said who it was. */
static void first_in_first_out(void)
{
    struct turnstile *t = &turnstile;
    bool in_order = true;
    uint64_t before;

    for (int i = 0; i < QUEUED; i++) {
        before = parked();
        world_spawn(passes, (void *)(intptr_t)i);
        wait_parked(before + 1);
    }
    for (int i = 0; i < QUEUED; i++) {
        quoit_sema_post(&t->in);
        quoit_sema_wait(&t->passed);
    }
    for (int i = 0; i < QUEUED; i++)
        in_order = in_order && t->order[i] == i;
    ok(in_order, "who waits longest on a semaphore is let go first");
}

struct crowd {
    quoit_sema gate, done;
    quoit_wg wg;
    int rounds;
    int64_t inside, most, total;
    int limit;
};

static void enter_crowd(struct crowd *c)
{
    for (int i = 0; i < c->rounds; i++) {
        int64_t now;

        quoit_sema_wait(&c->gate);
        now = __atomic_add_fetch(&c->inside, 1, __ATOMIC_RELAXED);
        if (now > c->limit)
            __atomic_store_n(&c->most, now, __ATOMIC_RELAXED);
        if (i % 7 == 0)
            quoit_yield();
        __atomic_add_fetch(&c->total, 1, __ATOMIC_RELAXED);
        __atomic_sub_fetch(&c->inside, 1, __ATOMIC_RELAXED);
        quoit_sema_post(&c->gate);
    }
}

static int in_crowd(void *arg)
{
    struct crowd *c = arg;

    enter_crowd(c);
    quoit_wg_done(&c->wg);
    return 0;
}

static void *thread_in_crowd(void *arg)
{
    struct crowd *c = arg;

    enter_crowd(c);
    quoit_wg_done(&c->wg);
    return NULL;
}

/* Half of them are plain threads, which wait for goroutines and are waited for. */
static void crowd(void)
{
    struct crowd c = { .rounds = world_rounds(500), .limit = 3 };
    pthread_t thread[4];

    quoit_sema_init(&c.gate, 3);
    quoit_wg_add(&c.wg, 16);
    for (int i = 0; i < 12; i++)
        world_spawn(in_crowd, &c);
    for (int i = 0; i < 4; i++)
        if (pthread_create(&thread[i], NULL, thread_in_crowd, &c))
            bail("no thread");
    quoit_wg_wait(&c.wg);
    for (int i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
    is_int(c.most, 0, "never more inside than the count says");
    is_int(c.total, 16 * c.rounds, "everybody was");
    for (int i = 0; i < 3; i++)
        is_int(quoit_sema_trywait(&c.gate), 0, "the count is as before");
    is_int(quoit_sema_trywait(&c.gate), -EAGAIN, "and no higher");
}

/* ---- mutex ---------------------------------------------------------------------------------- */

struct shared {
    quoit_mutex m;
    quoit_wg wg;
    uint64_t n;
    int rounds;
};

static void add_up(struct shared *s)
{
    for (int i = 0; i < s->rounds; i++) {
        if (i % 5 != 0)
            quoit_mutex_lock(&s->m);
        else
            while (quoit_mutex_trylock(&s->m) != 0)
                quoit_yield();
        s->n++;
        if (i % 11 == 0)
            quoit_yield();
        quoit_mutex_unlock(&s->m);
    }
    quoit_wg_done(&s->wg);
}

static int adds(void *arg)
{
    add_up(arg);
    return 0;
}

static void *thread_adds(void *arg)
{
    add_up(arg);
    return NULL;
}

static void mutual_exclusion(void)
{
    struct shared s = { .rounds = world_rounds(500) };
    pthread_t thread[4];

    quoit_wg_add(&s.wg, 36);
    for (int i = 0; i < 4; i++)
        if (pthread_create(&thread[i], NULL, thread_adds, &s))
            bail("no thread");
    for (int i = 0; i < 32; i++)
        world_spawn(adds, &s);
    quoit_wg_wait(&s.wg);
    for (int i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
    is_int(s.n, 36 * s.rounds, "a mutex keeps goroutines and threads apart");
}

static int unlocks(void *arg)
{
    quoit_mutex_unlock(arg);
    return 0;
}

static int locks(void *arg)
{
    quoit_mutex_lock(arg);
    return 0;
}

static void trylock(void)
{
    quoit_mutex m = QUOIT_MUTEX_INIT;
    struct quoit_g *waiter;
    uint64_t before = parked();

    is_int(quoit_mutex_trylock(&m), 0, "free");
    is_int(quoit_mutex_trylock(&m), -EBUSY, "held");
    waiter = world_go_apart(locks, &m);
    wait_parked(before + 1);
    is_int(quoit_mutex_trylock(&m), -EBUSY, "held and waited for");
    world_join(world_go_apart(unlocks, &m));
    world_join(waiter);
    is_int(quoit_mutex_trylock(&m), -EBUSY, "the waiter has it");
    quoit_mutex_unlock(&m);
    is_int(quoit_mutex_trylock(&m), 0, "anybody may unlock");
    quoit_mutex_unlock(&m);
}

/* The functions behind the macros of the same name. */
static void lock_by_pointer(void)
{
    void (*volatile lock)(quoit_mutex *) = quoit_mutex_lock;
    void (*volatile unlock)(quoit_mutex *) = quoit_mutex_unlock;
    quoit_mutex m = QUOIT_MUTEX_INIT;

    lock(&m);
    is_int(quoit_mutex_trylock(&m), -EBUSY, "locked by a pointer to the function");
    quoit_mutex_unlock(&m);
    quoit_mutex_lock(&m);
    unlock(&m);
    is_int(quoit_mutex_trylock(&m), 0, "and unlocked");
}

struct hog {
    quoit_mutex m;
    int stop;
    uint64_t rounds;
};

/* Always lets go and takes it again at once: whoever is woken finds it taken. */
static int hogs(void *arg)
{
    struct hog *h = arg;

    while (!__atomic_load_n(&h->stop, __ATOMIC_RELAXED)) {
        quoit_mutex_lock(&h->m);
        h->rounds++;
        quoit_yield();
        quoit_mutex_unlock(&h->m);
    }
    return 0;
}

static void nobody_starves(void)
{
    struct hog h = { 0 };
    struct quoit_g *hog = world_go_apart(hogs, &h), *second = world_go_apart(hogs, &h);
    int64_t longest = 0;
    int n = world_rounds(30);

    for (int i = 0; i < n; i++) {
        int64_t since = world_now(), waited;

        quoit_mutex_lock(&h.m);
        waited = world_now() - since;
        if (waited > longest)
            longest = waited;
        quoit_mutex_unlock(&h.m);
        quoit_yield();
    }
    __atomic_store_n(&h.stop, 1, __ATOMIC_RELAXED);
    world_join(hog);
    world_join(second);
    ok(longest < INT64_C(5000000000), "who waits for a mutex gets it (%d us at most)",
       (int)(longest / 1000));
}

/* ---- wait group ----------------------------------------------------------------------------- */

static int done(void *arg)
{
    quoit_wg_done(arg);
    return 0;
}

static int yields_and_done(void *arg)
{
    quoit_yield();
    quoit_wg_done(arg);
    return 0;
}

/* The waiter frees it as soon as it is back: whoever was last may touch it no more. */
static void freed_after_wait(void)
{
    int n = world_rounds(2000);

    for (int i = 0; i < n; i++) {
        quoit_wg *wg = calloc(1, sizeof *wg);

        quoit_wg_add(wg, 3);
        world_spawn(i % 2 ? done : yields_and_done, wg);
        world_spawn(done, wg);
        world_spawn(yields_and_done, wg);
        quoit_wg_wait(wg);
        free(wg);
    }
    ok(true, "a wait group may be freed after its wait");
}

struct many {
    quoit_wg start, end;
    uint64_t woken;
};

static int waits_for_many(void *arg)
{
    struct many *m = arg;

    quoit_wg_wait(&m->start);
    __atomic_add_fetch(&m->woken, 1, __ATOMIC_RELAXED);
    quoit_wg_done(&m->end);
    return 0;
}

static void *thread_waits_for_many(void *arg)
{
    waits_for_many(arg);
    return NULL;
}

static void many_waiters(void)
{
    enum { THREADS = 8 };
    int waiters = world_is_slow() ? 300 : 3000;
    struct many m = { 0 };
    pthread_t thread[THREADS];

    for (int round = 0; round < 3; round++) {
        uint64_t before = parked();

        quoit_wg_add(&m.start, 5);
        quoit_wg_add(&m.end, waiters + THREADS);
        for (int i = 0; i < waiters; i++)
            world_spawn(waits_for_many, &m);
        for (int i = 0; i < THREADS; i++)
            if (pthread_create(&thread[i], NULL, thread_waits_for_many, &m))
                bail("no thread");
        if (round != 1)
            wait_parked(before + waiters);
        quoit_wg_add(&m.start, -3);
        world_spawn(done, &m.start);
        world_spawn(done, &m.start);
        quoit_wg_wait(&m.end);
        for (int i = 0; i < THREADS; i++)
            pthread_join(thread[i], NULL);
    }
    is_int(m.woken, 3 * (waiters + THREADS), "all that wait are woken, each time");
}

struct again {
    quoit_wg wg, end;
    int rounds, waiters, back, round, early;
};

/* Who is back last begins the next round, at once. */
static int uses_again(void *arg)
{
    struct again *a = arg;

    for (int i = 0; i < a->rounds; i++) {
        quoit_wg_wait(&a->wg);
        if (__atomic_load_n(&a->round, __ATOMIC_RELAXED) != i)
            __atomic_store_n(&a->early, 1, __ATOMIC_RELAXED);
        if (__atomic_add_fetch(&a->back, 1, __ATOMIC_ACQ_REL) == a->waiters) {
            a->back = 0;
            quoit_wg_add(&a->wg, 2);
            __atomic_store_n(&a->round, i + 1, __ATOMIC_RELEASE);
            world_spawn(done, &a->wg);
            world_spawn(yields_and_done, &a->wg);
        }
        while (__atomic_load_n(&a->round, __ATOMIC_ACQUIRE) == i)
            quoit_yield();
    }
    quoit_wg_done(&a->end);
    return 0;
}

static void used_again(void)
{
    struct again a = { .rounds = world_rounds(500), .waiters = 5 };

    quoit_wg_add(&a.wg, 2);
    quoit_wg_add(&a.end, a.waiters);
    for (int i = 0; i < a.waiters; i++)
        world_spawn(uses_again, &a);
    world_spawn(done, &a.wg);
    world_spawn(yields_and_done, &a.wg);
    quoit_wg_wait(&a.end);
    quoit_wg_wait(&a.wg);
    is_int(a.round, a.rounds, "a wait group is used again as soon as all who waited are back");
    is_int(a.early, 0, "and nobody is back early");
}

static int all(void *arg)
{
    (void)arg;
    counts();
    first_in_first_out();
    crowd();
    mutual_exclusion();
    trylock();
    lock_by_pointer();
    nobody_starves();
    freed_after_wait();
    many_waiters();
    used_again();
    return 0;
}

/* Without any goroutine these are for plain threads all the same. */
static void outside(void)
{
    quoit_sema s = QUOIT_SEMA_INIT;
    quoit_mutex m = QUOIT_MUTEX_INIT;
    quoit_wg wg = QUOIT_WG_INIT;

    quoit_sema_post(&s);
    quoit_sema_wait(&s);
    is_int(quoit_sema_trywait(&s), -EAGAIN, "a semaphore before the start");
    quoit_mutex_lock(&m);
    is_int(quoit_mutex_trylock(&m), -EBUSY, "a mutex before the start");
    quoit_mutex_unlock(&m);
    quoit_wg_add(&wg, 2);
    quoit_wg_add(&wg, -2);
    quoit_wg_wait(&wg);
}

int main(void)
{
    outside();
    is_int(quoit_main(all, NULL), 0, "ends");
    return done_testing();
}
