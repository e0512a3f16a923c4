/* SPDX-License-Identifier: BSD-3-Clause
 * test-core-park.c - primitives of one's own on park and ready
 */
#include "quoit.h"

#include "tap.h"
#include "world.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>

/* ---- one goroutine, one word ---------------------------------------------------------------- */

struct slot {
    struct quoit_g *g; /* parked, or about to */
    quoit_wg wg;
    int rounds, bad;
    int64_t woken;
};

static void publish(struct slot *s, struct quoit_g *g)
{
    __atomic_store_n(&s->g, g, __ATOMIC_RELEASE);
}

static struct quoit_g *take(struct slot *s)
{
    return __atomic_exchange_n(&s->g, NULL, __ATOMIC_ACQ_REL);
}

struct parking {
    struct slot *slot;
    struct quoit_g *self;
};

static int tell(void *arg)
{
    struct parking *p = arg;

    publish(p->slot, p->self);
    return 1;
}

static int told(void *arg)
{
    struct slot *s = arg;
    struct parking p = { s, quoit_self() };

    for (int i = 0; i < s->rounds; i++) {
        quoit_park(tell, &p, "to be told");
        s->bad += __atomic_load_n(&s->g, __ATOMIC_RELAXED) != NULL;
        s->woken++;
    }
    quoit_wg_done(&s->wg);
    return 0;
}

static int readies(void *arg)
{
    struct slot *s = arg;

    for (int i = 0; i < s->rounds;) {
        struct quoit_g *g = take(s);

        if (g != NULL) {
            quoit_ready(g);
            i++;
        } else {
            quoit_yield();
        }
    }
    quoit_wg_done(&s->wg);
    return 0;
}

static void *thread_readies(void *arg)
{
    readies(arg);
    return NULL;
}

static void one_and_another(quoit_fn parker, bool by_thread, const char *what)
{
    struct slot s = { .rounds = world_rounds(by_thread ? 1000 : 5000) };
    pthread_t other;

    quoit_wg_add(&s.wg, 2);
    world_spawn(parker, &s);
    if (!by_thread)
        world_spawn(readies, &s);
    else if (pthread_create(&other, NULL, thread_readies, &s))
        bail("no thread");
    quoit_wg_wait(&s.wg);
    if (by_thread)
        pthread_join(other, NULL);
    is_int(s.woken, s.rounds, "%s: woken as often as readied", what);
    is_int(s.bad, 0, "%s: and not before", what);
}

/* ---- a lock handed over --------------------------------------------------------------------- */

enum { CAPACITY = 4 };

/* A bounded queue: the lock is let go only when whoever waits has left its stack. */
struct queue {
    int lock;
    int64_t item[CAPACITY];
    uint32_t head, tail;
    struct quoit_g *reader, *writer;
    int64_t n, sum, last;
    bool in_order;
    quoit_wg wg;
};

static void lock(struct queue *q)
{
    while (__atomic_exchange_n(&q->lock, 1, __ATOMIC_ACQUIRE))
        sched_yield();
}

static int unlock(void *arg)
{
    struct queue *q = arg;

    __atomic_store_n(&q->lock, 0, __ATOMIC_RELEASE);
    return 1;
}

/* With the lock: lets it go, readies who waited there. */
static void unlock_and_ready(struct queue *q, struct quoit_g **waiting)
{
    struct quoit_g *g = *waiting;

    *waiting = NULL;
    unlock(q);
    if (g != NULL)
        quoit_ready(g);
}

static int writes(void *arg)
{
    struct queue *q = arg;

    for (int64_t i = 0; i < q->n; i++) {
        lock(q);
        while (q->tail - q->head == CAPACITY) {
            q->writer = quoit_self();
            quoit_park(unlock, q, "full");
            lock(q);
        }
        q->item[q->tail++ % CAPACITY] = i;
        unlock_and_ready(q, &q->reader);
    }
    quoit_wg_done(&q->wg);
    return 0;
}

static int reads(void *arg)
{
    struct queue *q = arg;

    for (int64_t i = 0; i < q->n; i++) {
        lock(q);
        while (q->tail == q->head) {
            q->reader = quoit_self();
            quoit_park(unlock, q, "empty");
            lock(q);
        }
        q->in_order = q->in_order && q->item[q->head % CAPACITY] == i;
        q->sum += q->item[q->head++ % CAPACITY];
        unlock_and_ready(q, &q->writer);
    }
    quoit_wg_done(&q->wg);
    return 0;
}

static void lock_hand_over(void)
{
    struct queue q = { .n = world_rounds(20000), .in_order = true };

    quoit_wg_add(&q.wg, 2);
    world_spawn(reads, &q);
    world_spawn(writes, &q);
    quoit_wg_wait(&q.wg);
    ok(q.in_order, "a queue made of park and ready keeps its order");
    is_int(q.sum, q.n * (q.n - 1) / 2, "and loses nothing");
}

/* ---- not parked after all ------------------------------------------------------------------- */

static int says_no(void *arg)
{
    ++*(int *)arg;
    return 0;
}

static void changed_its_mind(void)
{
    int n = 0;

    for (int i = 0; i < 1000; i++)
        quoit_park(says_no, &n, "not really");
    is_int(n, 1000, "an unlock that says no: it goes on");
}

/* ---- errno is left alone -------------------------------------------------------------------- */

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static void *errno_outside(void *arg)
{
    quoit_sema s = QUOIT_SEMA_INIT;

    errno = 77;
    quoit_go(nothing, NULL);
    quoit_sema_post(&s);
    quoit_sema_wait(&s);
    quoit_num_goroutine();
    quoit_yield();
    *(int *)arg = errno;
    return NULL;
}

static void errno_left_alone(void)
{
    pthread_t other;
    int e = 0;

    if (pthread_create(&other, NULL, errno_outside, &e))
        bail("no thread");
    pthread_join(other, NULL);
    is_int(e, 77, "errno of a plain thread is left alone");
    /* With one P there is one thread that it could belong to. */
    if (world_procs() > 1)
        return;
    /* Else a goroutine may go on in another one, which has its own. */
    if (world_procs() > 1)
        return;
    errno = 78;
    world_spawn(nothing, NULL);
    quoit_yield();
    world_join(world_go_apart(nothing, NULL));
    is_int(errno, 78, "and that of the thread under goroutines");
}

static int all(void *arg)
{
    (void)arg;
    one_and_another(told, false, "told of by a goroutine");
    one_and_another(told, true, "told of by a thread");
    lock_hand_over();
    changed_its_mind();
    errno_left_alone();
    return 0;
}

int main(void)
{
    is_int(quoit_main(all, NULL), 0, "ends");
    return done_testing();
}
