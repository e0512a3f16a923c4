/* SPDX-License-Identifier: BSD-3-Clause
 * test-bind.c - the kernel is asked where the thread really may run
 */
#include "tap.h"

#include "bind.h"
#include "topo.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Is the thread's mask, as the kernel has it, this one? */
static bool runs_on(const unsigned long *mask, size_t bytes)
{
    unsigned long *now;
    size_t have;
    if (bind_read(&now, &have))
        return false;
    size_t common = have < bytes ? have : bytes;
    bool same = memcmp(now, mask, common) == 0;
    for (size_t i = common; i < have; i++)
        same &= ((char *)now)[i] == 0;
    free(now);
    return same;
}

static bool runs_free(void)
{
    size_t bytes;
    const unsigned long *mask = bind_saved(&bytes);
    return mask && runs_on(mask, bytes);
}

static void modes(const struct topo *t, const struct place *p)
{
    ok(!bind_is_bound(), "a thread begins free");
    is_int(bind_thread(BIND_CORE, p), 0, "to its core");
    ok(bind_is_bound() && runs_on(topo_core_mask(t, p->core), t->mask_bytes), "it is there");
    is_int(bind_thread(BIND_PU, p), 0, "to its hardware thread");
    ok(runs_on(topo_slot_mask(t, p->slot), t->mask_bytes), "it is there");
    is_int(bind_thread_node(p->node), 0, "to its node");
    ok(runs_on(topo_node_mask(t, p->node), t->mask_bytes), "it is there");
    is_int(bind_thread(BIND_NONE, p), 0, "to nowhere");
    ok(!bind_is_bound() && runs_free(), "it is free again");
    is_int(bind_thread_node(t->nnodes), -EINVAL, "a node that is not there");
    is_int(bind_thread_node(-1), -EINVAL, "nor is this one");
    ok(!bind_is_bound(), "and nothing has changed");
}

static void for_a_moment(const struct topo *t, const struct place *p)
{
    ok(!bind_widen(), "a free thread has nothing to widen");
    bind_thread(BIND_PU, p);
    errno = ENOTTY;
    ok(bind_widen(), "a bound one has");
    ok(runs_free(), "and is free for the moment");
    bind_narrow();
    ok(runs_on(topo_slot_mask(t, p->slot), t->mask_bytes), "then it is back");
    is_int(errno, ENOTTY, "errno is kept over both");
    ok(bind_is_ours(topo_slot_mask(t, p->slot), t->mask_bytes), "it knows its mask");
    unsigned long longer[256] = {0};
    memcpy(longer, topo_slot_mask(t, p->slot), t->mask_bytes);
    ok(bind_is_ours(longer, sizeof longer), "with zeros behind it too");
    longer[255] = 1;
    ok(!bind_is_ours(longer, sizeof longer), "but not with more");
    bind_thread_process();
    ok(!bind_is_ours(topo_slot_mask(t, p->slot), t->mask_bytes), "a free thread has none");
}

/* What was bound already costs no call: the user's own change behind our back
 * shows it. */
static void only_once(const struct place *p)
{
    size_t bytes;
    const unsigned long *saved = bind_saved(&bytes);
    bind_thread(BIND_PU, p);
    syscall(SYS_sched_setaffinity, 0, bytes, saved);
    is_int(bind_thread(BIND_PU, p), 0, "bound as it is already");
    ok(runs_free(), "no call was made");
    bind_thread_process();
}

static void *other_thread(void *arg)
{
    ok(!bind_is_bound(), "another thread knows of no binding");
    is_int(bind_thread(BIND_PU, arg), 0, "and has its own");
    return NULL;
}

static void per_thread(const struct place *p)
{
    pthread_t id;
    if (pthread_create(&id, NULL, other_thread, (void *)(uintptr_t)p))
        bail("no thread");
    pthread_join(id, NULL);
    ok(!bind_is_bound() && runs_free(), "the first one is as free as before");
}

int main(void)
{
    struct place p[2];
    is_int(bind_thread(BIND_PU, &(struct place){.cpu = 0}), -EINVAL, "no topology, no binding");
    if (topo_load() || bind_save() || place_make(2, p))
        bail("this machine cannot be loaded");
    const struct topo *t = topo_get();
    modes(t, &p[0]);
    modes(t, &p[1]);
    for_a_moment(t, &p[1]);
    only_once(&p[1]);
    per_thread(&p[1]);
    bind_forget();
    topo_unload();
    size_t bytes;
    ok(!bind_saved(&bytes), "all is forgotten");
    return done_testing();
}
