/* SPDX-License-Identifier: BSD-3-Clause
 * stack.c - the P's side of stacks: off the common path, and questions
 *
 * Called by an M that holds a P, from a goroutine that switches to one without
 * a stack, or from g0; nothing here parks. The node's side is stackpool.c.
 *
 * With a limit the bytes in use are counted exactly, so no P keeps free stacks
 * that another one could need: all of them go through the node's list.
 *
 * errno is left as it was found: a goroutine of the user's may be about to look
 * at it.
 */
#include "stack.h"

#include "env.h"
#include "guard.h"
#include "p.h"
#include "stackpool.h"
#include "throw.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CANARY_WORDS = 32 };

uint8_t stack_default_class;
uint32_t stack_magazine;

static uint64_t in_use; /* bytes by class, counted only where there is a limit */

int stack_class(size_t bytes)
{
    if (bytes == 0)
        return stack_default_class;
    for (int class = 0; class < STACK_CLASSES; class++)
        if (bytes <= stack_class_bytes(class))
            return class;
    return -EINVAL;
}

/* ---- the P's side --------------------------------------------------------------------------- */

/* Not through the magazines: another class, a limit, or no P. */
static struct stack *get_single(struct node *np, int class)
{
    size_t bytes = stack_class_bytes(class);
    struct stack *s;
    uint32_t n;

    if (env.stack_limit != 0 && add_relaxed(&in_use, bytes) + bytes > env.stack_limit) {
        add_relaxed(&in_use, -bytes);
        return NULL;
    }
    s = stackpool_get_free(np, class, 1, &n);
    if (s == NULL && (s = stackpool_carve(np, class, &n)) != NULL) {
        stackpool_put(s->link);
        s->link = NULL;
    }
    if (s == NULL)
        s = stackpool_get_elsewhere(np, class);
    if (s == NULL && env.stack_limit != 0)
        add_relaxed(&in_use, -bytes);
    return s;
}

static struct stack *get_magazine(struct p *pp, uint32_t *n)
{
    struct stack *list = pp->stacks.full;

    *n = STACK_MAGAZINE;
    store_relaxed(&pp->stacks.full, NULL);
    if (list == NULL)
        list = stackpool_get_free(pp->node, stack_default_class, STACK_MAGAZINE, n);
    if (list == NULL)
        list = stackpool_carve(pp->node, stack_default_class, n);
    if (list == NULL) {
        *n = 1;
        list = stackpool_get_elsewhere(pp->node, stack_default_class);
    }
    return list;
}

cold struct stack *stack_get_slow(struct p *pp, int class)
{
    struct stack *s;
    int saved = errno;
    uint32_t n;

    if (class != stack_default_class || stack_magazine == 0) {
        s = get_single(pp->node, class);
    } else {
        s = get_magazine(pp, &n);
        if (s == NULL && stack_reclaim() > 0)
            s = get_magazine(pp, &n);
        if (s != NULL) {
            pp->stacks.top = s->link;
            store_relaxed(&pp->stacks.n, n - 1);
        }
    }
    errno = saved;
    return s;
}

struct stack *stack_get_shared(struct node *np, int class)
{
    int saved = errno;
    struct stack *s = get_single(np, class);

    errno = saved;
    return s;
}

void stack_put_shared(struct stack *s)
{
    s->link = NULL;
    if (env.stack_limit != 0)
        add_relaxed(&in_use, -stack_class_bytes(s->class));
    stackpool_put(s);
}

cold void stack_put_slow(struct p *pp, struct stack *s)
{
    if (s->class != stack_default_class || stack_magazine == 0) {
        stack_put_shared(s);
        return;
    }
    s->link = NULL;
    if (s->node != (uint16_t)pp->place.node) {
        s->link = pp->awaystacks;
        pp->awaystacks = s;
        store_relaxed(&pp->nawaystacks, pp->nawaystacks + 1);
        if (pp->nawaystacks < STACK_AWAY_MAX)
            return;
        stackpool_put(pp->awaystacks);
        pp->awaystacks = NULL;
        store_relaxed(&pp->nawaystacks, 0);
        return;
    }
    if (pp->stacks.full != NULL)
        stackpool_put_magazine(pp->node, pp->stacks.full);
    store_relaxed(&pp->stacks.full, pp->stacks.top);
    pp->stacks.top = s;
    store_relaxed(&pp->stacks.n, 1);
}

/* What a P kept. Under sched.lock it is only taken out: a node's lock is not taken under it. */
struct kept {
    struct node *node;
    struct stack *full, *top, *away;
    uint32_t n;
};

static struct kept take_out(struct p *pp)
{
    struct kept k = { pp->node, pp->stacks.full, pp->stacks.top, pp->awaystacks,
                      pp->stacks.n + pp->nawaystacks };

    if (k.full != NULL)
        k.n += STACK_MAGAZINE;
    pp->awaystacks = NULL;
    pp->stacks.top = NULL;
    /* hint: as in stack_get */
    store_relaxed(&pp->stacks.full, NULL);
    store_relaxed(&pp->stacks.n, 0);
    store_relaxed(&pp->nawaystacks, 0);
    return k;
}

static uint32_t give_to_nodes(const struct kept *k)
{
    if (k->full != NULL)
        stackpool_put_magazine(k->node, k->full);
    stackpool_put(k->top);
    stackpool_put(k->away);
    return k->n;
}

uint32_t stack_purge(struct p *pp)
{
    struct kept k = take_out(pp);

    return give_to_nodes(&k);
}

/* Of P's that nobody holds; np not NULL: of that node, and idle since the last time too. */
static uint32_t purge_idle(const struct node *np)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < load_relaxed(&sched.nprocs); i++) {
        struct p *pp = sched.allp[i];
        struct kept k = { NULL, NULL, NULL, NULL, 0 };

        lock(&sched.lock);
        if (pp->idle && (np == NULL || (np == pp->node && pp->trimtick == pp->schedtick)))
            k = take_out(pp);
        if (pp->idle && np == pp->node)
            pp->trimtick = pp->schedtick;
        unlock(&sched.lock);
        n += give_to_nodes(&k);
    }
    return n;
}

uint32_t stack_reclaim(void)
{
    return purge_idle(NULL);
}

size_t stack_trim(struct node *np)
{
    int saved = errno;
    size_t bytes;

    purge_idle(np);
    bytes = stackpool_trim(np, true);
    errno = saved;
    return bytes;
}

size_t stack_trim_more(struct node *np)
{
    int saved = errno;
    size_t bytes = stackpool_trim(np, false);

    errno = saved;
    return bytes;
}

/* ---- questions ------------------------------------------------------------------------------ */

bool stack_in_guard(const struct stack *s, const void *addr)
{
    return s->guard != GUARD_OTHERS && (const char *)addr < s->low &&
           (const char *)addr >= s->low - guard_bytes();
}

/* Below `low` a bare stack has the room of its guard, zero as the kernel gave
 * it. */
void stack_check(const struct stack *s)
{
    const uint64_t *word = (const uint64_t *)(const void *)s->low - CANARY_WORDS;
    uint64_t any = 0;

    for (int i = 0; i < CANARY_WORDS; i++)
        any |= word[i];
    if (unlikely(any != 0))
        throw("stack overflow: a goroutine wrote below its stack of %zu KiB; a larger one: "
              "QUOIT_STACK, or stack_size in struct quoit_attr",
              stack_class_bytes(s->class) >> 10);
}

/* Where the first resident page of [at, top) begins; top when none is, NULL
 * when the kernel will not tell. */
static char *first_resident(char *at, char *top, size_t page)
{
    unsigned char in[1024];

    while (at < top) {
        size_t n = (size_t)(top - at) / page;

        n = n < sizeof in ? n : sizeof in;
        if (mincore(at, n * page, in) != 0)
            return NULL;
        for (size_t i = 0; i < n; i++, at += page)
            if (in[i] & 1)
                return at;
    }
    return top;
}

/* From low upwards: of anonymous memory mincore says what was ever touched (and
 * not swapped out since). */
size_t stack_touched(const struct stack *s)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *top = s->start + page - (uintptr_t)s->start % page;
    int saved = errno;
    char *at = first_resident(s->low, top, page);

    errno = saved;
    /* Where it is forbidden, all of the stack may have been touched. */
    if (at == NULL)
        at = s->low;
    return at < s->start ? (size_t)(s->start - at) : 0;
}

void stack_numbers(struct stack_numbers *n)
{
    *n = (struct stack_numbers){ 0, 0, 0 };
    for (uint32_t i = 0; i < sched.nnodes; i++)
        stackpool_count(&sched.nodes[i], n);
    for (uint32_t i = 0; i < nprocs(); i++) {
        const struct p *pp = sched.allp[i];

        /* hint: the P goes on meanwhile */
        n->cached += load_relaxed(&pp->stacks.n) + load_relaxed(&pp->nawaystacks);
        if (load_relaxed(&pp->stacks.full) != NULL)
            n->cached += STACK_MAGAZINE;
    }
    n->live = n->live > n->cached ? n->live - n->cached : 0;
}

/* ---- start and end -------------------------------------------------------------------------- */

int stack_init(void)
{
    int e = 0;

    in_use = 0;
    stack_default_class = STACK_CLASS_64K;
    stack_default_class = (uint8_t)stack_class(env.stack_size);
    stack_magazine = env.stack_limit == 0 ? STACK_MAGAZINE : 0;
    guard_init();
    for (uint32_t i = 0; i < sched.nnodes && e == 0; i++)
        e = stackpool_init(&sched.nodes[i]);
    if (e != 0)
        stack_fini();
    return e;
}

void stack_fini(void)
{
    for (uint32_t i = 0; i < sched.nnodes; i++)
        stackpool_fini(&sched.nodes[i]);
}
