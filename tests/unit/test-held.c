/* SPDX-License-Identifier: BSD-3-Clause
 * test-held.c - the locks that a goroutine holds are its own, and the thread's that it runs on
 */
#include "proc.h"

#include "tap.h"
#include "world.h"

static uint64_t inplace(void)
{
    struct quoit_stats st = { .size = sizeof st };

    quoit_stats(&st);
    return st.inplace;
}

static int held_now(void)
{
    return m_get()->curg->held;
}

static int child(void *arg)
{
    (void)arg;
    return held_now();
}

/* It ends with one more than it gave back. */
static int forgets(void *arg)
{
    (void)arg;
    quoit_preempt_lock_(1);
    return held_now();
}

static int hoards(void *arg)
{
    (void)arg;
    for (int i = 0; i < 2 * UINT8_MAX; i++)
        quoit_preempt_lock_(1);
    quoit_preempt_lock_(-1);
    return held_now();
}

static int of_a_goroutine(void *arg)
{
    uint64_t before;

    (void)arg;
    is_int(held_now(), 0, "a goroutine begins with none");
    quoit_preempt_lock_(1);
    quoit_preempt_lock_(1);
    quoit_yield();
    is_int(held_now(), 2, "what it takes stays its own while others run");
    is_int(world_join(world_go(child, NULL)), 0, "and is not its child's");
    before = inplace();
    world_join(world_go(child, NULL));
    is_int(inplace(), before, "whose frames do not come on top of its own");
    quoit_preempt_lock_(-1);
    quoit_preempt_lock_(-1);
    is_int(held_now(), 0, "given back");
    quoit_preempt_lock_(-1);
    is_int(held_now(), 0, "what others took is not less than none");
    is_int(world_join(world_go_apart(hoards, NULL)), UINT8_MAX, "more than can be counted");
    is_int(world_join(world_go_apart(forgets, NULL)), 1, "one that forgets to give back");
    is_int(world_join(world_go_apart(child, NULL)), 0, "leaves nothing to the next");
    return 0;
}

int main(void)
{
    quoit_preempt_lock_(1);
    is_int(world_run(1, of_a_goroutine, NULL), 0, "a thread without goroutines is not counted");
    return done_testing();
}
