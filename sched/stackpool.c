/* SPDX-License-Identifier: BSD-3-Clause
 * stackpool.c - the node's side of stack.h: slabs, and what is free
 *
 * A slab is a large piece of address space of which nothing exists but a page
 * of bookkeeping; slots are carved off in batches, so that one system call
 * guards many, and each then has its top page touched by its record. That
 * happens outside the lock: only the slots are taken under it.
 *
 * A slab begins small, so that a small program stays small, and each one is
 * twice the one before: a million stacks are about a hundred mappings. Where
 * address space is short (RLIMIT_AS, strict overcommit) smaller pieces are
 * asked for, down to one slot.
 *
 * Free stacks keep their memory until stack_trim finds a magazine that nobody
 * has wanted for a while: it is frozen. One page of its first stack stays, and in
 * it the names of the others, of which nothing does, not even their records;
 * guards stay with the address space. Who takes a frozen magazine thaws it, which
 * is as much work as to carve one.
 */
#include "stackpool.h"

#include "mem.h"

#include "guard.h"
#include "lock.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    SLAB_MIN = 32 << 20,
    SLAB_MAX = 1 << 30,
    BATCH_MIN = 8,
    BATCH_BYTES = 8 << 20, /* address space of a batch, where that is fewer than a magazine */
    COLOURS = 32,
    TRIM_MOST = 16 /* magazines at a time, a few hundred microseconds */
};

/* In the first page of what mem_reserve returned; the slots begin with the next
 * page. */
struct slab {
    struct slab *link;
    size_t bytes;
    uint32_t room, carved; /* slots */
};

/* Of one class on one node; all under its memlock. */
struct stackpool {
    struct stack *magazines; /* full ones */
    struct stack *idle;      /* magazines that are to be frozen */
    struct stack *frozen;    /* magazines without memory */
    struct stack *loose;     /* fewer than a magazine */
    uint64_t nmagazines, nidle, nfrozen, nloose, carved, bare;
    uint64_t unused;         /* magazines at the bottom that nobody took since the last trim */
    struct slab *slabs; /* newest first: the one that is carved from */
    size_t reserve;     /* bytes of the next slab */
};

static size_t page;

/* ---- sizes ---------------------------------------------------------------------------------- */

static size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

static size_t record_bytes(void)
{
    return round_up(sizeof(struct stack), CACHELINE);
}

/* Record and colours come on top of what was asked for, the guard below it. */
static size_t slot_bytes(int class)
{
    size_t top = record_bytes() + COLOURS * CACHELINE;

    return guard_bytes() + round_up(stack_class_bytes(class) + top, page);
}

static char *slot_at(struct slab *slab, int class, uint32_t i)
{
    return (char *)slab + page + i * slot_bytes(class);
}

static struct stack *record_at(struct slab *slab, int class, uint32_t i)
{
    char *end = slot_at(slab, class, i + 1);

    return (struct stack *)(void *)(end - i % COLOURS * CACHELINE - record_bytes());
}

/* ---- making --------------------------------------------------------------------------------- */

static bool slab_new_locked(struct stackpool *pool, int class, int node)
{
    size_t least = page + slot_bytes(class);
    size_t bytes = pool->reserve != 0 ? pool->reserve : SLAB_MIN;
    struct slab *slab;

    if (bytes < least)
        bytes = least;
    while ((slab = mem_reserve(bytes, 0, node)) == NULL) {
        if (bytes == least)
            return false;
        bytes = bytes / 2 > least ? round_up(bytes / 2, page) : least;
    }
    /* Or khugepaged would make two megabytes of two pages. A kernel without
     * huge pages refuses. */
    (void)madvise(slab, bytes, MADV_NOHUGEPAGE);
    slab->bytes = bytes;
    slab->room = (uint32_t)((bytes - page) / slot_bytes(class));
    slab->link = pool->slabs;
    pool->slabs = slab;
    pool->reserve = bytes < SLAB_MAX / 2 ? bytes * 2 : SLAB_MAX;
    return true;
}

/* As many as there are already, within bounds: who uses few stacks touches few
 * pages. */
static uint32_t batch_locked(const struct stackpool *pool, int class)
{
    size_t n = pool->carved, most = BATCH_BYTES / slot_bytes(class);

    n = n < BATCH_MIN ? BATCH_MIN : n > STACK_MAGAZINE ? STACK_MAGAZINE : n;
    return (uint32_t)(most == 0 ? 1 : n < most ? n : most);
}

static char *page_end(const struct stack *s)
{
    return (char *)(((uintptr_t)s | (page - 1)) + 1);
}

/* Fills the record that stands in the last page of a slot. */
static struct stack *make(struct stack *s, int class, uint16_t node, enum guard guard)
{
    s->low = page_end(s) - slot_bytes(class) + guard_bytes();
    s->start = (char *)s;
    s->node = node;
    s->class = (uint8_t)class;
    s->guard = (uint8_t)guard;
    s->nopreempt = 0;
    sanitize_stack_make(&s->san, s->low, stack_usable(s));
    return s;
}

struct stack *stackpool_carve(struct node *np, int class, uint32_t *n)
{
    struct stackpool *pool = &np->stackpools[class];
    struct stack *list = NULL;
    struct slab *slab;
    uint32_t first, guarded;

    lock(&np->memlock);
    slab = pool->slabs;
    if ((slab == NULL || slab->carved == slab->room) && !slab_new_locked(pool, class, np->id)) {
        unlock(&np->memlock);
        return NULL;
    }
    slab = pool->slabs;
    first = slab->carved;
    *n = batch_locked(pool, class);
    if (*n > slab->room - first)
        *n = slab->room - first;
    slab->carved += *n;
    pool->carved += *n;
    unlock(&np->memlock);

    guarded = (uint32_t)guard_install(slot_at(slab, class, first), slot_bytes(class), (int)*n);
    if (guarded < *n) {
        lock(&np->memlock);
        pool->bare += *n - guarded;
        unlock(&np->memlock);
    }
    for (uint32_t i = *n; i-- > 0;) {
        struct stack *s = make(record_at(slab, class, first + i), class, (uint16_t)np->id,
                               i < guarded ? GUARD_PAGES : GUARD_WORDS);

        s->link = list;
        list = s;
    }
    return list;
}

/* ---- the node's lists ----------------------------------------------------------------------- */

/* Up to `most` of the loose ones, as a list. */
static struct stack *loose_get_locked(struct stackpool *pool, uint32_t most, uint32_t *n)
{
    struct stack *list = pool->loose, **end = &pool->loose;

    for (*n = 0; *n < most && *end != NULL; ++*n)
        end = &(*end)->link;
    pool->loose = *end;
    *end = NULL;
    pool->nloose -= *n;
    return *n > 0 ? list : NULL;
}

static void batch_push(struct stack **list, uint64_t *n, struct stack *top)
{
    top->batch = *list;
    *list = top;
    ++*n;
}

static struct stack *batch_pop(struct stack **list, uint64_t *n)
{
    struct stack *top = *list;

    if (top != NULL) {
        *list = top->batch;
        --*n;
    }
    return top;
}

static void loose_put_locked(struct stackpool *pool, struct stack *list)
{
    while (list != NULL) {
        struct stack *s = list;

        list = s->link;
        s->link = pool->loose;
        pool->loose = s;
        if (++pool->nloose == STACK_MAGAZINE) {
            batch_push(&pool->magazines, &pool->nmagazines, s);
            pool->loose = NULL;
            pool->nloose = 0;
        }
    }
}

static struct stack *magazine_get_locked(struct stackpool *pool)
{
    struct stack *top = batch_pop(&pool->magazines, &pool->nmagazines);

    if (pool->unused > pool->nmagazines)
        pool->unused = pool->nmagazines;
    return top != NULL ? top : batch_pop(&pool->idle, &pool->nidle);
}

void stackpool_put_magazine(struct node *np, struct stack *top)
{
    struct stackpool *pool = &np->stackpools[stack_default_class];

    lock(&np->memlock);
    batch_push(&pool->magazines, &pool->nmagazines, top);
    unlock(&np->memlock);
}

/* ---- freezing ------------------------------------------------------------------------------- */

/* Where the first of a frozen magazine keeps the others' names: under its start, in the page that
 * stays. */
static uintptr_t *names_in(struct stack *top)
{
    return (uintptr_t *)(void *)top - STACK_MAGAZINE;
}

/* Bytes given back of what a stack has touched from low up to end. A record without low is no
 * stack, as one whose memory is gone. */
static size_t drop(struct stack *s, char *end)
{
    char *from = s->start - stack_touched(s);

    from -= (uintptr_t)from % page;
    s->low = NULL;
    if (from >= end || madvise(from, (size_t)(end - from), MADV_DONTNEED) != 0)
        return 0;
    return (size_t)(end - from);
}

static size_t freeze(struct stack *top)
{
    uintptr_t *names = names_in(top);
    struct stack *s = top->link;
    size_t bytes;

    sanitize_stack_free(&top->san);
    bytes = drop(top, page_end(top) - page);
    for (int i = 0; s != NULL; i++) {
        struct stack *next = s->link;

        /* Records are a cache line apart at least: there is room for a bit. */
        names[i] = (uintptr_t)s | s->guard;
        sanitize_stack_free(&s->san);
        bytes += drop(s, page_end(s));
        s = next;
    }
    return bytes;
}

static struct stack *thaw(struct stack *top, int class)
{
    const uintptr_t *names = names_in(top);
    struct stack *list = NULL;

    for (int i = STACK_MAGAZINE - 1; i-- > 0;) {
        enum guard guard = names[i] & 1 ? GUARD_WORDS : GUARD_PAGES;
        struct stack *s = make((struct stack *)(names[i] & ~(uintptr_t)1), class, top->node, guard);

        s->link = list;
        list = s;
    }
    make(top, class, top->node, top->guard);
    top->link = list;
    return top;
}

/* Those that nobody took since the last time, which are the ones at the bottom. */
static void find_idle_locked(struct stackpool *pool)
{
    struct stack **at = &pool->magazines;

    if (pool->unused == 0) {
        pool->unused = pool->nmagazines;
        return;
    }
    for (uint64_t hot = pool->nmagazines - pool->unused; hot > 0; hot--)
        at = &(*at)->batch;
    pool->idle = *at;
    pool->nidle = pool->unused;
    *at = NULL;
    pool->nmagazines -= pool->nidle;
    pool->unused = pool->nmagazines;
}

size_t stackpool_trim(struct node *np, bool begin)
{
    size_t bytes = 0;
    int left = TRIM_MOST;

    for (int class = 0; class < STACK_CLASSES; class++) {
        struct stackpool *pool = &np->stackpools[class];
        struct stack *top;

        lock(&np->memlock);
        if (begin && pool->idle == NULL)
            find_idle_locked(pool);
        while (left > 0 && (top = batch_pop(&pool->idle, &pool->nidle)) != NULL) {
            unlock(&np->memlock);
            bytes += freeze(top);
            left--;
            lock(&np->memlock);
            batch_push(&pool->frozen, &pool->nfrozen, top);
        }
        unlock(&np->memlock);
    }
    return bytes;
}

/* ---- getting and putting -------------------------------------------------------------------- */

struct stack *stackpool_get_free(struct node *np, int class, uint32_t most, uint32_t *n)
{
    struct stackpool *pool = &np->stackpools[class];
    struct stack *list = NULL, *frozen = NULL;

    lock(&np->memlock);
    if (most == STACK_MAGAZINE)
        list = magazine_get_locked(pool);
    *n = STACK_MAGAZINE;
    if (list == NULL)
        list = loose_get_locked(pool, most, n);
    if (list == NULL && most != STACK_MAGAZINE &&
        (pool->loose = magazine_get_locked(pool)) != NULL) {
        pool->nloose = STACK_MAGAZINE;
        list = loose_get_locked(pool, most, n);
    }
    if (list == NULL)
        frozen = batch_pop(&pool->frozen, &pool->nfrozen);
    unlock(&np->memlock);
    if (frozen == NULL)
        return list;
    list = thaw(frozen, class);
    *n = STACK_MAGAZINE;
    if (most != STACK_MAGAZINE) {
        *n = 1;
        stackpool_put(list->link);
        list->link = NULL;
    }
    return list;
}

struct stack *stackpool_get_elsewhere(const struct node *home, int class)
{
    struct stack *s = NULL;
    uint32_t n;

    for (uint32_t i = 0; i < sched.nnodes && s == NULL; i++)
        if (&sched.nodes[i] != home)
            s = stackpool_get_free(&sched.nodes[i], class, 1, &n);
    return s;
}

void stackpool_put(struct stack *list)
{
    while (list != NULL) {
        struct node *np = &sched.nodes[list->node];
        struct stack **from = &list;

        lock(&np->memlock);
        while (*from != NULL) {
            struct stack *s = *from;

            if (s->node != (uint16_t)np->id) {
                from = &s->link;
                continue;
            }
            *from = s->link;
            s->link = NULL;
            loose_put_locked(&np->stackpools[s->class], s);
        }
        unlock(&np->memlock);
    }
}

/* ---- start and end -------------------------------------------------------------------------- */

int stackpool_init(struct node *np)
{
    page = (size_t)sysconf(_SC_PAGESIZE);
    np->stackpools = calloc(STACK_CLASSES, sizeof(struct stackpool));
    return np->stackpools != NULL ? 0 : -ENOMEM;
}

/* Sanitizers and Valgrind know each stack; without them none is touched, which
 * for a million takes a while. */
static void forget_stacks(struct slab *slab, int class)
{
    bool known = record_at(slab, class, 0)->san.valgrind_id != 0;

#ifdef SANITIZE_SWITCHES
    known = true;
#endif
    for (uint32_t i = 0; known && i < slab->carved; i++) {
        struct stack *s = record_at(slab, class, i);

        if (s->low != NULL)
            sanitize_stack_free(&s->san);
    }
}

static void pool_free(struct stackpool *pool, int class)
{
    while (pool->slabs != NULL) {
        struct slab *slab = pool->slabs;

        pool->slabs = slab->link;
        forget_stacks(slab, class);
        mem_release(slab, slab->bytes);
    }
}

void stackpool_fini(struct node *np)
{
    for (int class = 0; np->stackpools != NULL && class < STACK_CLASSES; class++)
        pool_free(&np->stackpools[class], class);
    free(np->stackpools);
    np->stackpools = NULL;
}

void stackpool_count(struct node *np, struct stack_numbers *n)
{
    lock(&np->memlock);
    for (int class = 0; class < STACK_CLASSES; class++) {
        const struct stackpool *pool = &np->stackpools[class];

        n->live += pool->carved;
        n->cached += pool->nloose +
                     (pool->nmagazines + pool->nidle + pool->nfrozen) * STACK_MAGAZINE;
        n->bare += pool->bare;
    }
    unlock(&np->memlock);
}
