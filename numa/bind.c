/* SPDX-License-Identifier: BSD-3-Clause
 * bind.c - sets the calling thread's cpus, and knows where it put it
 *
 * The kernel is asked directly: libc's sched_getaffinity hides the size of the
 * kernel's mask.
 */
#include "bind.h"

#include "atomic.h"

#include "topo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static unsigned long *saved; /* a  hints: any mask may be refused by now */
static size_t saved_bytes;
static uint32_t changes; /* a  how often `saved` has */

/* What this thread was last given by us. A thread that never was has mode
 * BIND_AUTO, which is 0. */
struct given {
    enum bind_mode mode;
    struct place where;
    uint32_t changes; /* there were by then */
    uint32_t loose;   /* a  by another thread: all cpus of the node instead */
};
static __thread struct given given __attribute__((tls_model("initial-exec")));

int bind_read(unsigned long **mask, size_t *bytes)
{
    for (size_t size = 128; size <= 128 * 1024; size *= 2) {
        unsigned long *m = calloc(1, size);
        if (!m)
            return -ENOMEM;
        long got = syscall(SYS_sched_getaffinity, 0, size, m);
        if (got > 0) {
            *mask = m;
            *bytes = (size_t)got;
            return 0;
        }
        int err = -errno;
        free(m);
        if (err != -EINVAL)
            return err;
    }
    return -EINVAL;
}

int bind_save(void)
{
    unsigned long *mask = NULL;
    size_t bytes = 0;
    int err = bind_read(&mask, &bytes);
    if (err)
        return err;
    free(saved);
    saved = mask;
    saved_bytes = bytes;
    return 0;
}

void bind_resave(const unsigned long *mask, size_t bytes)
{
    if (!saved || bytes != saved_bytes)
        return;
    for (size_t i = 0; i < bytes / sizeof *mask; i++)
        store_relaxed(&saved[i], mask[i]);
    /* hint: who binds himself meanwhile is bound anew the time after */
    store_relaxed(&changes, changes + 1);
}

void bind_forget(void)
{
    free(saved);
    saved = NULL;
    saved_bytes = 0;
}

const unsigned long *bind_saved(size_t *bytes)
{
    *bytes = saved_bytes;
    return saved;
}

/* errno is the user's: a goroutine may come here on its way back from a call. tid 0: the caller. */
static int set_mask_of(int tid, const unsigned long *mask, size_t bytes)
{
    int keep = errno;
    int err = syscall(SYS_sched_setaffinity, tid, bytes, mask) < 0 ? -errno : 0;
    errno = keep;
    return err;
}

static int set_mask(const unsigned long *mask, size_t bytes)
{
    return set_mask_of(0, mask, bytes);
}

static const unsigned long *mask_of(const struct given *g)
{
    const struct topo *t = topo_get();
    if (!t)
        return NULL;
    /* hint: who is loosened meanwhile may be put back once */
    if (load_relaxed(&g->loose))
        return topo_node_mask(t, g->where.node);
    switch (g->mode) {
    case BIND_PU:
        return topo_slot_mask(t, g->where.slot);
    case BIND_CORE:
        return topo_core_mask(t, g->where.core);
    case BIND_NODE:
        return topo_node_mask(t, g->where.node);
    case BIND_AUTO:
    case BIND_NONE:
        break;
    }
    return NULL;
}

static bool same(const struct given *a, const struct given *b)
{
    return a->mode == b->mode && a->loose == b->loose && mask_of(a) == mask_of(b) &&
           a->changes == b->changes;
}

bool bind_is_bound(void)
{
    return given.mode != BIND_AUTO;
}

int bind_thread(enum bind_mode mode, const struct place *where)
{
    if (mode == BIND_NONE)
        return bind_thread_process();
    struct given want = {.mode = mode, .where = *where, .changes = load_relaxed(&changes)};
    const unsigned long *mask = mask_of(&want);
    if (!mask)
        return -EINVAL;
    if (same(&want, &given))
        return 0;
    int err = set_mask(mask, topo_get()->mask_bytes);
    if (!err)
        given = want;
    return err;
}

struct given *bind_mine(void)
{
    return &given;
}

bool bind_loosen(struct given *g, int tid)
{
    const struct topo *t = topo_get();
    if (!t || (g->mode != BIND_PU && g->mode != BIND_CORE))
        return false;
    if (set_mask_of(tid, topo_node_mask(t, g->where.node), t->mask_bytes))
        return false;
    store_relaxed(&g->loose, 1);
    return true;
}

int bind_thread_node(int node)
{
    const struct topo *t = topo_get();
    if (!t || node < 0 || node >= t->nnodes)
        return -EINVAL;
    return bind_thread(BIND_NODE, &(struct place){.node = node});
}

int bind_thread_process(void)
{
    if (!bind_is_bound())
        return 0;
    if (!saved)
        return -EINVAL;
    given = (struct given){0};
    return set_mask(saved, saved_bytes);
}

/* Both stand around calls of the user's, who may look at errno afterwards. */
bool bind_widen(void)
{
    return bind_is_bound() && saved && set_mask(saved, saved_bytes) == 0;
}

void bind_narrow(void)
{
    const unsigned long *mask = mask_of(&given);
    if (!mask || set_mask(mask, topo_get()->mask_bytes))
        given = (struct given){0};
}

/* Longer masks than the other side's are equal to it when nothing is set in the
 * rest. */
static bool equal(const char *a, size_t na, const char *b, size_t nb)
{
    size_t common = na < nb ? na : nb;
    if (memcmp(a, b, common) != 0)
        return false;
    for (size_t i = common; i < na; i++)
        if (a[i])
            return false;
    for (size_t i = common; i < nb; i++)
        if (b[i])
            return false;
    return true;
}

bool bind_is_ours(const void *mask, size_t bytes)
{
    const unsigned long *mine = bind_is_bound() ? mask_of(&given) : NULL;
    return mine && equal(mask, bytes, (const char *)mine, topo_get()->mask_bytes);
}
