/* SPDX-License-Identifier: BSD-3-Clause
 * test-atomic.c - each name does what it says, alone and between two threads
 *
 * What an order forbids can only be looked for here; the model tests show it for the protocols.
 */
#include "atomic.h"

#include "tap.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* ---- alone ---- */

static void load_store_exchange(void)
{
    uint64_t w = 1;
    bool right = load_relaxed(&w) == 1 && load_acquire(&w) == 1;

    store_relaxed(&w, 2);
    right = right && w == 2;
    store_release(&w, 3);
    right = right && w == 3;
    right = right && xchg_acquire(&w, 5) == 3;
    right = right && xchg_release(&w, 6) == 5 && xchg_acq_rel(&w, 7) == 6;
    right = right && xchg_full(&w, 8) == 7 && w == 8;
    ok(right, "load, store and exchange");
}

#define TRY_CAS(name)                                                                       \
    do {                                                                                    \
        uint64_t w = 5, seen = 4;                                                           \
        bool refused = !name(&w, &seen, 6) && seen == 5 && w == 5;                          \
        ok(refused && name(&w, &seen, 6) && w == 6 && seen == 5, #name " and what it saw"); \
    } while (0)

static void compare_and_swap(void)
{
    TRY_CAS(cas_relaxed);
    TRY_CAS(cas_acquire);
    TRY_CAS(cas_release);
    TRY_CAS(cas_acq_rel);
    TRY_CAS(cas_full);
}

static void add(void)
{
    uint32_t w = 0;
    bool right = add_relaxed(&w, 1) == 0 && add_release(&w, 1) == 1 && add_acq_rel(&w, 1) == 2;

    ok(right && add_full(&w, -3) == 3 && w == 0, "add returns the old value");
}

/* ---- between two threads ---- */

static void both(void *(*body)(void *), void *a, void *b)
{
    pthread_t t;

    pthread_create(&t, NULL, body, b);
    body(a);
    pthread_join(t, NULL);
}

#define TURNS 20000
#define ROUNDS 2000

static uint64_t counter;
static int lock_word;
static uint64_t guarded;

static void *count(void *arg)
{
    for (int i = 0; i < TURNS; i++) {
        int seen = 0;

        add_relaxed(&counter, 1);
        while (!cas_acquire(&lock_word, &seen, 1))
            seen = 0;
        guarded++;
        store_release(&lock_word, 0);
    }
    return arg;
}

static void nothing_is_lost(void)
{
    both(count, NULL, NULL);
    ok(counter == 2 * TURNS, "nothing_is_lost by add");
    ok(guarded == 2 * TURNS, "nothing_is_lost under a lock of cas_acquire and store_release");
}

/* Store here, look there: after a full fence at least one of the two sees the other. */
struct side {
    uint32_t flag cacheline_aligned;
    uint32_t saw;
};

static pthread_barrier_t round_begins, round_ends;
static struct side left, right;
static int both_blind;

static void *look_across(void *arg)
{
    struct side *mine = arg, *theirs = mine == &left ? &right : &left;

    for (int i = 0; i < ROUNDS; i++) {
        pthread_barrier_wait(&round_begins);
        store_relaxed(&mine->flag, 1);
        fence_full();
        mine->saw = load_relaxed(&theirs->flag);
        if (pthread_barrier_wait(&round_ends) == PTHREAD_BARRIER_SERIAL_THREAD) {
            both_blind += left.saw + right.saw == 0;
            left.flag = right.flag = 0;
        }
    }
    return NULL;
}

static void fence_full_orders_store_and_load(void)
{
    pthread_barrier_init(&round_begins, NULL, 2);
    pthread_barrier_init(&round_ends, NULL, 2);
    both(look_across, &left, &right);
    ok(both_blind == 0, "fence_full_orders_store_and_load: %d of %d rounds blind", both_blind,
       ROUNDS);
    pthread_barrier_destroy(&round_begins);
    pthread_barrier_destroy(&round_ends);
}

int main(void)
{
    plan_tests(10);
    load_store_exchange();
    compare_and_swap();
    add();
    nothing_is_lost();
    fence_full_orders_store_and_load();
    return done_testing();
}
