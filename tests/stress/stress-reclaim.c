/* SPDX-License-Identifier: BSD-3-Clause
 * stress-reclaim.c - readers walk lists that others cut things out of and give to quoit_defer_free
 *
 * A reader holds no lock: it walks between two calls of Quoit, or pinned, and some of them on a
 * thread whose P was taken. What is freed is spoiled first, so a reader that still sees it says
 * so; under ASan it ends there.
 */
#include "quoit.h"

#include "delay.h"
#include "tap.h"
#include "world.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

enum { LISTS = 4, LENGTH = 32, READERS = 6, WRITERS = 3, FEW = 256, LEAST = 100 };
enum { RESTS = 4096, REST_MS = 20, LIVING = 0x600d, SPOILED = 0xdead };

struct thing {
    struct thing *next;
    uint32_t state;
    uint32_t key;
};

static struct list {
    quoit_mutex lock; /* of who writes */
    struct thing *first;
} lists[LISTS];

static uint64_t made, given, freed, walks, spoiled;
static uint32_t over;
static quoit_wg ended;

static void add(uint64_t *n)
{
    __atomic_fetch_add(n, 1, __ATOMIC_RELAXED);
}

static uint64_t get(const uint64_t *n)
{
    return __atomic_load_n(n, __ATOMIC_RELAXED);
}

static bool is_over(void)
{
    return __atomic_load_n(&over, __ATOMIC_RELAXED);
}

/* ---- readers -------------------------------------------------------------------------------- */

/* Long enough for whoever does not wait to free what is looked at, and for sysmon to take the P. */
static void rest(int ms)
{
    struct timespec t = { 0, ms * 1000000 };

    nanosleep(&t, NULL);
}

static void walk(const struct list *l, uint64_t *dice)
{
    const struct thing *t = __atomic_load_n(&l->first, __ATOMIC_ACQUIRE);

    for (; t != NULL; t = __atomic_load_n(&t->next, __ATOMIC_ACQUIRE)) {
        delay(dice);
        if (roll(dice) % RESTS == 0)
            rest(1 + (int)(roll(dice) % REST_MS));
        if (__atomic_load_n(&t->state, __ATOMIC_RELAXED) != LIVING)
            add(&spoiled);
    }
    add(&walks);
}

static int reads(void *arg)
{
    uint64_t dice = stress_dice((int)(intptr_t)arg);

    while (!is_over()) {
        bool pins = roll(&dice) % 2 == 0;

        if (pins)
            quoit_pin();
        walk(&lists[roll(&dice) % LISTS], &dice);
        if (pins)
            quoit_unpin();
        if (roll(&dice) % 4 == 0)
            quoit_yield();
    }
    quoit_wg_done(&ended);
    return 0;
}

static void *reads_attached(void *arg)
{
    if (quoit_attach() != 0)
        bail("quoit_attach");
    reads(arg);
    quoit_detach();
    return NULL;
}

/* ---- writers -------------------------------------------------------------------------------- */

static void spoil(void *ptr)
{
    struct thing *t = ptr;

    __atomic_store_n(&t->state, SPOILED, __ATOMIC_RELAXED);
    __atomic_store_n(&t->next, NULL, __ATOMIC_RELAXED);
    free(t);
    add(&freed);
}

static struct thing *make(uint32_t key)
{
    struct thing *t = malloc(sizeof *t);

    if (t == NULL)
        bail("no memory");
    t->next = NULL;
    t->state = LIVING;
    t->key = key % LENGTH;
    add(&made);
    return t;
}

/* The first with that key goes, a new one comes. */
static struct thing *change(struct list *l, struct thing *new)
{
    struct thing *old, **at = &l->first;

    quoit_mutex_lock(&l->lock);
    while (*at != NULL && (*at)->key < new->key)
        at = &(*at)->next;
    old = *at;
    if (old != NULL && old->key != new->key)
        old = NULL;
    new->next = old != NULL ? old->next : *at;
    __atomic_store_n(at, new, __ATOMIC_RELEASE);
    quoit_mutex_unlock(&l->lock);
    return old;
}

/* Some wait themselves. */
static int writes(void *arg)
{
    uint64_t dice = stress_dice((int)(intptr_t)arg);

    while (!is_over()) {
        struct thing *old = change(&lists[roll(&dice) % LISTS], make(roll(&dice)));

        if (old == NULL)
            continue;
        add(&given);
        if (roll(&dice) % FEW == 0) {
            quoit_synchronize();
            spoil(old);
        } else if (quoit_defer_free(old, spoil) != 0) {
            bail("quoit_defer_free");
        }
        if (roll(&dice) % 16 == 0)
            quoit_yield();
    }
    quoit_wg_done(&ended);
    return 0;
}

/* ---- all ------------------------------------------------------------------------------------ */

static int all(void *arg)
{
    pthread_t thread;

    (void)arg;
    quoit_wg_add(&ended, READERS + WRITERS + 1);
    for (int i = 0; i < READERS; i++)
        world_spawn(reads, (void *)(intptr_t)i);
    for (int i = 0; i < WRITERS; i++)
        world_spawn(writes, (void *)(intptr_t)(READERS + i));
    if (pthread_create(&thread, NULL, reads_attached, (void *)(intptr_t)(READERS + WRITERS)) != 0)
        bail("no thread");
    /* On a busy machine it may be over before everybody has begun. */
    while (!stress_over() || get(&freed) < LEAST || get(&walks) < LEAST)
        quoit_sleep(10000000);
    __atomic_store_n(&over, 1, __ATOMIC_RELAXED);
    quoit_wg_wait(&ended);
    quoit_syscall_enter();
    pthread_join(thread, NULL);
    quoit_syscall_exit();
    diag("%llu walks, %llu things made, %llu cut out", (unsigned long long)get(&walks),
         (unsigned long long)get(&made), (unsigned long long)get(&given));
    return 0;
}

static void drop_rest(void)
{
    for (int i = 0; i < LISTS; i++)
        for (struct thing *t = lists[i].first, *next; t != NULL; t = next) {
            next = t->next;
            free(t);
        }
}

int main(void)
{
    stress_begin();
    is_int(world_run(0, all, NULL), 0, "runs");
    is_int((long long)get(&spoiled), 0, "no reader has seen what was freed");
    is_int((long long)get(&freed), (long long)get(&given), "all that was cut out is freed");
    drop_rest();
    return done_testing();
}
