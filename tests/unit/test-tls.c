/* SPDX-License-Identifier: BSD-3-Clause
 * test-tls.c - the thread's pointer is that of the thread that runs now, whatever was read before
 */
#include "lane.h"
#include "tls.h"

#include "tap.h"

#include <pthread.h>
#include <semaphore.h>

#define THREADS 4
#define ROUNDS 1000

static pthread_barrier_t all_set;

static void *own_pointer(void *arg)
{
    bool right = tls_get() == NULL;

    tls_set(arg);
    pthread_barrier_wait(&all_set);
    right = right && tls_get() == arg;
    tls_set(NULL);
    right = right && tls_get() == NULL;
    return right ? arg : NULL;
}

static void each_thread_has_its_own(void)
{
    pthread_t t[THREADS];
    char who[THREADS];
    int right = 0;
    void *got;

    tls_set(&right);
    pthread_barrier_init(&all_set, NULL, THREADS);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&t[i], NULL, own_pointer, &who[i]);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(t[i], &got);
        right += got == &who[i];
    }
    pthread_barrier_destroy(&all_set);
    ok(right == THREADS, "each_thread_has_its_own");
    ok(tls_get() == &right, "others do not change mine");
}

/* Two threads take turns at one context. Each sets its pointer to its own lane, which is also where
 * the context goes back to. */
struct turn {
    struct lane lane;
    sem_t mine, *yours;
};

static struct lane traveller;
static int stale, hops;

/* One function, its reads on both sides of each switch: a compiler that believes in one thread
 * would keep the value, or the address of the variable. */
static void travel(void *arg unused_arg)
{
    sanitize_arrive(&traveller.rec);
    for (;;) {
        struct turn *before = tls_get();
        struct turn *after = lane_switch(&traveller, &before->lane, before);

        stale += tls_get() != after;
        hops += before != after;
    }
}

static void *take_turns(void *arg)
{
    struct turn *me = arg;

    lane_self(&me->lane);
    tls_set(me);
    for (int i = 0; i < ROUNDS; i++) {
        sem_wait(&me->mine);
        lane_switch(&me->lane, &traveller, me);
        sem_post(me->yours);
    }
    return NULL;
}

static void not_kept_over_a_switch(void)
{
    struct turn a = {.yours = NULL}, b = {.yours = &a.mine};
    pthread_t ta, tb;

    a.yours = &b.mine;
    sem_init(&a.mine, 0, 0);
    sem_init(&b.mine, 0, 0);
    lane_make(&traveller);
    lane_self(&a.lane);
    tls_set(&a);
    lane_begin(&a.lane, &traveller, travel, NULL);
    pthread_create(&ta, NULL, take_turns, &a);
    pthread_create(&tb, NULL, take_turns, &b);
    sem_post(&b.mine);
    pthread_join(ta, NULL);
    pthread_join(tb, NULL);
    ok(stale == 0, "not_kept_over_a_switch: %d of %d reads were stale", stale, 2 * ROUNDS);
    ok(hops == 2 * ROUNDS, "the context changed its thread %d times", hops);
    lane_free(&traveller);
}

int main(void)
{
    plan_tests(4);
    each_thread_has_its_own();
    not_kept_over_a_switch();
    return done_testing();
}
