/* SPDX-License-Identifier: BSD-3-Clause
 * machine.c - see machine.h
 *
 * What setup() left in memory is the first store of each word. Memory itself always has
 * the newest one, for code that reads its own words plainly, under a lock or because
 * nobody else writes them.
 */
#include "machine.h"

#include "tap.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct store {
    uint64_t value;
    struct view view;
    bool glued; /* by a read-modify-write: nothing comes between it and the one before */
};

struct word {
    void *p;
    size_t size;
    int n;
    struct store store[STORES];

    /* Over all schedules so far: which threads touched it, which of them wrote, and what. */
    uint8_t users, writers;
    int nlearned;
    uint64_t learned[LEARNED];
};

/* Plain memory: who accessed it last, in that thread's own count. */
struct datum {
    uint64_t *p;
    uint64_t value;
    int writer;
    uint8_t written;
    uint8_t read[EXPLORE_THREADS];
};

/* A load whose store is still to come. */
struct guess {
    bool made, open;
    uint8_t thread, word, clock;
    uint64_t value;
};

struct name {
    const void *p;
    const char *text;
};

struct range {
    const char *p;
    size_t size;
};

struct mthread threads[EXPLORE_THREADS];
int nthreads, self = -1;
bool machine_learned;
uint32_t fence_bias;

static struct word words[WORDS];
static uint8_t last[EXPLORE_THREADS]; /* the word that the thread loaded last */
static bool unfenced; /* this run breaks some fence_light */
static bool fences; /* some thread fences: what relaxed loads saw matters later */
static struct datum data[DATA];
static int nwords, ndata;
static struct view global;
static struct guess guess;
static struct name names[32];
static int nnames;
static struct range late[4], memory[12];
static int nlate, nmemory;

/* ---- views ---------------------------------------------------------------------------------- */

static void join(struct view *to, const struct view *from)
{
    for (int i = 0; i < WORDS; i++)
        to->at[i] = to->at[i] > from->at[i] ? to->at[i] : from->at[i];
    for (int i = 0; i < EXPLORE_THREADS; i++)
        to->clock[i] = to->clock[i] > from->clock[i] ? to->clock[i] : from->clock[i];
}

/* Only what can race is counted: plain accesses and guesses. */
static void tick(void)
{
    struct mthread *t = &threads[self];

    if (++t->cur.clock[self] == UINT8_MAX)
        bail("a thread of a model makes more than %d plain accesses", UINT8_MAX);
}

static void shift(struct view *v, int word, int pos)
{
    if (v->at[word] >= pos)
        v->at[word]++;
}

/* Room for a store at `pos` of a word: what is there and after it moves up, in every view. */
static void shift_all(struct word *w, int pos)
{
    int word = (int)(w - words);

    for (int t = 0; t < nthreads; t++) {
        shift(&threads[t].cur, word, pos);
        shift(&threads[t].acq, word, pos);
        shift(&threads[t].rel, word, pos);
        shift(&threads[t].early[0], word, pos);
        shift(&threads[t].early[1], word, pos);
        if (threads[t].state == T_SPINS && threads[t].word == word && threads[t].pos >= pos)
            threads[t].pos++;
    }
    shift(&global, word, pos);
    for (int i = 0; i < nwords; i++)
        for (int j = 0; j < words[i].n; j++)
            shift(&words[i].store[j].view, word, pos);
    memmove(&w->store[pos + 1], &w->store[pos], (size_t)(w->n - pos) * sizeof(w->store[0]));
}

/* ---- plain memory --------------------------------------------------------------------------- */

static struct datum *datum_find(const uint64_t *p)
{
    for (int i = 0; i < ndata; i++) {
        if (data[i].p == p)
            return &data[i];
    }
    if (ndata == DATA)
        bail("a model has more than %d data", DATA);
    data[ndata] = (struct datum){.p = (uint64_t *)(uintptr_t)p, .value = *p, .writer = -1};
    return &data[ndata++];
}

/* A plain access has its effect at once but is judged with the thread's next step: so it is as
 * late as it can be when a fence_heavy of another thread comes between. */
static struct pending {
    struct datum *d;
    bool writes;
} pending[EXPLORE_THREADS][DATA];
static int npending[EXPLORE_THREADS];

static void race(const struct datum *d, int other, const char *what)
{
    char name[40];

    machine_name(name, sizeof(name), (uintptr_t)d->p);
    fail_step("race: thread %d and thread %d %s %s, and no order stands between", self + 1,
              other + 1, what, name);
}

static void judge(struct datum *d, bool writes)
{
    struct mthread *t = &threads[self];

    tick();
    if (d->writer >= 0 && t->cur.clock[d->writer] < d->written)
        race(d, d->writer, writes ? "both write" : "read and write");
    for (int i = 0; writes && i < nthreads; i++) {
        if (t->cur.clock[i] < d->read[i])
            race(d, i, "write and read");
    }
    if (writes) {
        d->writer = self;
        d->written = t->cur.clock[self];
    } else {
        d->read[self] = t->cur.clock[self];
    }
}

void machine_judge(void)
{
    for (int i = 0; i < npending[self]; i++)
        judge(pending[self][i].d, pending[self][i].writes);
    npending[self] = 0;
}

/* A step is remembered too: one that changes nothing else still brings the thread further. */
static void remember(uint64_t read)
{
    uint64_t h = threads[self].history ^ read;

    h *= UINT64_C(0x9e3779b97f4a7c15);
    threads[self].history = (h ^ h >> 29) + 1;
}

/* The next access, in a turn of its own or in the one that runs. */
static void go(const struct site *s, bool turn)
{
    if (unfenced) {
        threads[self].early[1] = threads[self].early[0];
        threads[self].early[0] = threads[self].cur;
    }
    step(s, turn);
    remember(0);
    machine_judge();
}

/* ---- words ---------------------------------------------------------------------------------- */

static uint64_t peek(const void *p, size_t size)
{
    uint64_t v = 0;

    memcpy(&v, p, size);
    return v;
}

static uint64_t cut(uint64_t value, size_t size)
{
    return size == 8 ? value : value & ((UINT64_C(1) << size * 8) - 1);
}

static void word_reset(struct word *w)
{
    memset(&w->store[0], 0, sizeof(w->store[0]));
    w->store[0].value = peek(w->p, w->size);
    w->n = 1;
}

static struct word *word_find(const void *p, size_t size)
{
    struct word *w;

    for (int i = 0; i < nwords; i++) {
        if (words[i].p == p && words[i].size == size)
            return &words[i];
    }
    if (nwords == WORDS)
        bail("a model has more than %d words", WORDS);
    w = &words[nwords++];
    w->p = (void *)(uintptr_t)p;
    w->size = size;
    w->nlearned = w->users = w->writers = 0;
    word_reset(w);
    return w;
}

static bool is_late(const struct word *w)
{
    for (int i = 0; i < nlate; i++) {
        if ((const char *)w->p >= late[i].p && (const char *)w->p < late[i].p + late[i].size)
            return true;
    }
    return false;
}

static void learn(struct word *w, uint64_t value)
{
    for (int i = 0; i < w->nlearned; i++) {
        if (w->learned[i] == value)
            return;
    }
    if (w->nlearned == LEARNED)
        bail("a late word of a model takes more than %d values", LEARNED);
    w->learned[w->nlearned++] = value;
    machine_learned = true;
}

/* The guess comes true by this store, unless the load happened before it. */
static void fulfil(const struct word *w, int pos)
{
    const struct store *st = &w->store[pos];
    struct mthread *t = &threads[guess.thread];

    if (!guess.open || guess.word != w - words || guess.thread == self ||
        guess.value != st->value || threads[self].cur.clock[guess.thread] >= guess.clock)
        return;
    guess.open = false;
    if (t->cur.at[guess.word] < pos)
        t->cur.at[guess.word] = (uint8_t)pos;
    if (fences)
        join(&t->acq, &st->view);
}

static void insert(struct word *w, int pos, uint64_t value, int order, const struct view *carried)
{
    struct mthread *t = &threads[self];
    struct store *st = &w->store[pos];

    if (w->n == STORES)
        fail_step("endless: more than %d stores to one word", STORES);
    if (pos < w->n)
        shift_all(w, pos);
    w->n++;
    t->cur.at[w - words] = (uint8_t)pos;
    st->value = value;
    st->view = order & OUT ? t->cur : t->rel;
    st->view.at[w - words] = (uint8_t)pos;
    st->glued = carried != NULL;
    if (pos == w->n - 1)
        memcpy(w->p, &value, w->size);
    if (carried)
        join(&st->view, carried);
    if (nlate && is_late(w))
        learn(w, value);
    fulfil(w, pos);
}

static void learn_use(struct word *w, bool writes)
{
    uint8_t me = (uint8_t)(1 << self), users = w->users | me, writers = w->writers;

    if (writes)
        writers |= me;
    if (users != w->users || writers != w->writers)
        machine_learned = true;
    w->users = users;
    w->writers = writers;
}

/* An access on which nothing depends that another thread does needs no turn: it could as well have
 * been made together with the one before. */
static bool is_private(const struct word *w, bool writes)
{
    uint8_t others = (uint8_t)~(1 << self);

    return w->users != 0 && threads[self].state == T_READY &&
           ((writes ? w->users : w->writers) & others) == 0;
}

/* The turn of an access. Every access of the guesser to the guessed word would have to agree with
 * the guess: such schedules are left. */
static struct word *turn(const struct site *s, const void *p, size_t size, bool writes)
{
    struct word *w = word_find(p, size);

    go(s, !is_private(w, writes));
    learn_use(w, writes);
    /* Written plainly since: a record made anew, which nobody else can see yet. */
    w->store[w->n - 1].value = peek(w->p, w->size);
    if (guess.open && guess.thread == self && guess.word == w - words)
        abandon();
    return w;
}

/* Picks a store for a load from those that the thread may still see; `skip`: older ones only if
 * their value differs from *skip. */
static int pick_store(struct word *w, const uint64_t *skip)
{
    struct mthread *t = &threads[self];
    int word = (int)(w - words), newest = w->n - 1;
    int old = t->hasty ? t->early[1].at[word] : t->cur.at[word];
    int from = old + (t->again[word] >= STALE && old < newest);
    int may[STORES], n = 0, pos;

    for (int i = newest; i >= from; i--) {
        if (i == newest || skip == NULL || w->store[i].value != *skip)
            may[n++] = i;
    }
    pos = may[choose(n)];
    if (pos == old && pos < newest)
        t->again[word]++;
    else
        t->again[word] = 0;
    t->hasty = false;
    last[self] = (uint8_t)word;
    return pos;
}

static void see(const struct word *w, int pos, int order)
{
    struct mthread *t = &threads[self];
    const struct store *st = &w->store[pos];

    if (t->cur.at[w - words] < pos)
        t->cur.at[w - words] = (uint8_t)pos;
    if (fences)
        join(&t->acq, &st->view);
    if (order & IN)
        join(&t->cur, &st->view);
}

/* ---- fences --------------------------------------------------------------------------------- */

static void fence_one(struct mthread *t, struct view *with)
{
    machine_learned |= !fences;
    fences = true;
    join(&t->cur, &t->acq);
    join(with, &t->cur);
    join(&t->cur, with);
    t->acq = t->rel = t->cur;
}

void model_fence(struct site *s)
{
    if (self < 0)
        return;
    go(s, true);
    if (site_order(s) & FULL)
        fence_one(&threads[self], &global);
    note_step(0, 0, site_order(s) & FULL ? NULL : "left out");
}

/* Without it the compiler may put the load that follows before the store that comes first: it
 * then finds what was to be seen before that store, whatever a fence_heavy did in between. */
void model_fence_light(struct site *s)
{
    if (self < 0 || (site_order(s) & FULL))
        return;
    machine_learned |= !unfenced;
    unfenced = true;
    threads[self].hasty = true;
}

/* The kernel interrupts one running thread after the other; what it orders is each of them against
 * the caller. */
void model_fence_heavy(struct site *s)
{
    struct view seen;

    if (self < 0 || fence_bias != 0) {
        model_fence(s);
        return;
    }
    if (!(site_order(s) & FULL))
        return;
    go(s, true);
    fence_one(&threads[self], &global);
    note_step(0, 0, NULL);
    seen = threads[self].cur;
    for (int t = 0; t < nthreads; t++) {
        if (t == self)
            continue;
        go(s, true);
        fence_one(&threads[t], &seen);
        note_step((uint64_t)t + 1, 0, "in thread");
    }
    join(&threads[self].cur, &seen);
    fence_one(&threads[self], &global);
}

/* ---- accesses ------------------------------------------------------------------------------- */

static bool guess_later(struct word *w, uint64_t *value)
{
    int n;

    if (guess.made || !is_late(w))
        return false;
    n = choose(w->nlearned + 1);
    if (n == 0)
        return false;
    tick();
    guess = (struct guess){.made = true, .open = true, .thread = (uint8_t)self,
                           .word = (uint8_t)(w - words),
                           .clock = threads[self].cur.clock[self], .value = w->learned[n - 1]};
    *value = guess.value;
    return true;
}

uint64_t model_load(struct site *s, const void *p, size_t size)
{
    struct word *w;
    uint64_t value;
    int pos;

    if (self < 0)
        return peek(p, size);
    w = turn(s, p, size, false);
    if (!(site_order(s) & IN) && guess_later(w, &value)) {
        note_step(value, 0, "from a store still to come");
    } else {
        pos = pick_store(w, NULL);
        see(w, pos, site_order(s));
        value = w->store[pos].value;
        note_step(value, w->n - 1 - pos, NULL);
    }
    remember(value);
    return value;
}

void model_store(struct site *s, void *p, size_t size, uint64_t value)
{
    struct word *w;
    int pos[STORES], n = 0;

    value = cut(value, size);
    if (self < 0) {
        memcpy(p, &value, size);
        return;
    }
    w = turn(s, p, size, true);
    for (int i = w->n; i > threads[self].cur.at[w - words]; i--) {
        if (i == w->n || !w->store[i].glued)
            pos[n++] = i;
    }
    n = choose(n);
    note_step(value, w->n - pos[n], NULL);
    insert(w, pos[n], value, site_order(s), NULL);
}

static uint64_t rmw_value(enum rmw how, uint64_t old, uint64_t value)
{
    switch (how) {
    case RMW_ADD:
        return old + value;
    case RMW_OR:
        return old | value;
    case RMW_AND:
        return old & value;
    default:
        return value;
    }
}

/* Replaces the newest store of w. */
static void replace(struct word *w, uint64_t value, int order)
{
    struct view carried = w->store[w->n - 1].view;

    see(w, w->n - 1, order);
    if (order & FULL)
        fence_one(&threads[self], &global);
    insert(w, w->n, value, order, &carried);
    if (order & FULL)
        fence_one(&threads[self], &global);
}

uint64_t model_rmw(struct site *s, void *p, size_t size, enum rmw how, uint64_t value)
{
    struct word *w;
    uint64_t old;

    if (self < 0) {
        old = peek(p, size);
        value = rmw_value(how, old, value);
        memcpy(p, &value, size);
        return old;
    }
    w = turn(s, p, size, true);
    old = w->store[w->n - 1].value;
    last[self] = (uint8_t)(w - words);
    note_step(old, 0, NULL);
    replace(w, cut(rmw_value(how, old, value), size), site_order(s));
    remember(old);
    return old;
}

bool model_cas(struct site *s, void *p, size_t size, void *seen, uint64_t want, int failorder)
{
    uint64_t expected = peek(seen, size), old;
    struct word *w;
    int pos;

    want = cut(want, size);
    if (self < 0) {
        old = peek(p, size);
        memcpy(old == expected ? p : seen, old == expected ? &want : &old, size);
        return old == expected;
    }
    w = turn(s, p, size, true);
    pos = pick_store(w, &expected);
    old = w->store[pos].value;
    note_step(old, w->n - 1 - pos, old == expected ? "done" : "failed");
    remember(old);
    if (old == expected) {
        replace(w, want, site_order(s));
        return true;
    }
    see(w, pos, site_order(s) & failorder);
    memcpy(seen, &old, size);
    return false;
}

/* As in sched/os_linux.c. */
uint32_t model_fence_and_load(struct site *s, const uint32_t *p)
{
    if (fence_bias != 0)
        model_fence(s);
    return (uint32_t)model_load(s, p, sizeof(*p)) & ~(1u << 30);
}

/* ---- waiting -------------------------------------------------------------------------------- */

/* The first rounds of a loop go on at once; after them the loop waits until the word that it
 * looks at has a newer store, and is shown it: else no search would end. */
void model_relax(struct site *s)
{
    struct mthread *t = &threads[self];
    int word;

    if (self < 0 || t->relaxed < STALE) {
        if (self >= 0)
            t->relaxed++;
        return;
    }
    word = last[self];
    t->word = last[self];
    t->pos = t->cur.at[word];
    t->state = T_SPINS;
    go(s, true);
    note_step(0, 0, NULL);
    t->word = 0;
    if (t->cur.at[word] <= t->pos)
        t->cur.at[word] = t->pos + 1;
    t->pos = 0;
}

/* The kernel queues the thread, then compares behind a full fence; who wakes looks behind one
 * too. */
int model_futex_wait(struct site *s, uint32_t *p, uint32_t value, int64_t deadline)
{
    struct mthread *t = &threads[self];
    struct word *w;
    bool woken;
    int pos;

    w = turn(s, p, sizeof(*p), true);
    fence_one(t, &global);
    pos = pick_store(w, NULL);
    see(w, pos, RELAXED);
    if (w->store[pos].value != value) {
        note_step(w->store[pos].value, w->n - 1 - pos, "differs");
        remember(0);
        return -EAGAIN;
    }
    note_step(value, w->n - 1 - pos, "sleeps");
    t->state = T_SLEEPS;
    t->word = (uint8_t)(w - words);
    t->timed = deadline != INT64_MAX;
    t->woken = false;
    go(s, true);
    note_step(0, 0, t->woken ? "woken" : "time is up");
    remember(t->woken ? 1 : 2);
    woken = t->woken;
    t->word = t->timed = t->woken = 0;
    return woken ? 0 : -ETIMEDOUT;
}

void model_futex_wake(struct site *s, uint32_t *p, int n)
{
    struct word *w;
    int who[EXPLORE_THREADS], k;

    w = turn(s, p, sizeof(*p), true);
    fence_one(&threads[self], &global);
    for (;;) {
        k = 0;
        for (int t = 0; t < nthreads; t++) {
            if (threads[t].state == T_SLEEPS && threads[t].word == w - words)
                who[k++] = t;
        }
        if (k == 0 || n-- == 0)
            break;
        k = who[choose(k)];
        threads[k].state = T_READY;
        threads[k].woken = true;
        note_step((uint64_t)k + 1, 0, "wakes thread");
    }
    if (k == 0)
        note_step(0, 0, "nobody sleeps");
}

/* Waits until the word is set, or clear, and sets it: a note, or a lock, in one step. */
void model_await(struct site *s, uint32_t *p, bool set)
{
    struct mthread *t = &threads[self];
    struct word *w;

    if (self < 0) {
        *p = 1;
        return;
    }
    t->word = (uint8_t)(word_find(p, sizeof(*p)) - words);
    t->state = set ? T_AWAITS_SET : T_AWAITS_CLEAR;
    w = turn(s, p, sizeof(*p), true);
    t->word = 0;
    note_step(1, 0, NULL);
    replace(w, 1, site_order(s));
}

bool machine_can_go(int i)
{
    const struct mthread *t = &threads[i];
    const struct word *w = &words[t->word];

    if (t->state == T_AWAITS_SET || t->state == T_AWAITS_CLEAR)
        return (w->store[w->n - 1].value != 0) == (t->state == T_AWAITS_SET);
    return t->state == T_READY || (t->state == T_SLEEPS && t->timed) ||
           (t->state == T_SPINS && words[t->word].n - 1 > t->pos);
}

int explore_sleepers(void)
{
    int n = 0;

    for (int t = 0; t < nthreads; t++)
        n += threads[t].state == T_SLEEPS || threads[t].state == T_AWAITS_SET;
    return n;
}

/* ---- plain memory, from the threads ---------------------------------------------------------- */

static struct datum *plain(struct site *s, const uint64_t *p, bool writes)
{
    struct datum *d = datum_find(p);

    step(s, false);
    if (npending[self] == DATA)
        bail("a thread of a model makes more than %d plain accesses in a row", DATA);
    pending[self][npending[self]++] = (struct pending){d, writes};
    return d;
}

uint64_t model_data_read(struct site *s, const uint64_t *p)
{
    struct datum *d;

    if (self < 0)
        return *p;
    d = plain(s, p, false);
    note_step(d->value, 0, NULL);
    remember(d->value);
    return d->value;
}

void model_data_write(struct site *s, uint64_t *p, uint64_t value)
{
    if (self < 0) {
        *p = value;
        return;
    }
    plain(s, p, true)->value = value;
    note_step(value, 0, NULL);
}

/* ---- the life of a schedule ----------------------------------------------------------------- */

void machine_forget(void)
{
    nwords = ndata = 0;
    fences = unfenced = false;
    memset(words, 0, sizeof(words));
}

void machine_reset(void)
{
    memset(threads, 0, sizeof(threads));
    memset(&global, 0, sizeof(global));
    memset(&guess, 0, sizeof(guess));
    memset(npending, 0, sizeof(npending));
    nnames = nlate = nmemory = 0;
}

void machine_settle(void)
{
    for (int i = 0; i < ndata; i++)
        *data[i].p = data[i].value;
}

/* After setup(). */
void machine_begin(void)
{
    for (int i = 0; i < nwords; i++)
        word_reset(&words[i]);
    for (int i = 0; i < ndata; i++)
        data[i] = (struct datum){.p = data[i].p, .value = *data[i].p, .writer = -1};
}

bool machine_guessing(void)
{
    return guess.open;
}

static uint64_t mix(uint64_t h, const void *p, size_t size)
{
    const char *c = p;

    for (size_t i = 0; i + 8 <= size; i += 8) {
        h = (h ^ peek(c + i, 8)) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 32;
    }
    return h;
}

/* Everything on which the rest of a schedule can depend. */
uint64_t machine_hash(void)
{
    uint64_t h = mix(1, threads, (size_t)nthreads * sizeof(threads[0]));

    h = mix(h, &global, sizeof(global));
    for (int t = 0; t < nthreads; t++)
        for (int i = 0; i < npending[t]; i++)
            h = mix(h, (uint64_t[]){(uintptr_t)pending[t][i].d + pending[t][i].writes}, 8);
    for (int i = 0; i < nwords; i++) {
        h = mix(h, (uint64_t[]){(uint64_t)words[i].n}, 8);
        for (int j = 0; j < words[i].n; j++) {
            uint64_t head[2] = {words[i].store[j].value, words[i].store[j].glued};
            h = mix(h, head, sizeof(head));
            h = mix(h, &words[i].store[j].view, sizeof(struct view));
        }
    }
    for (int i = 0; i < ndata; i++) {
        struct datum *d = &data[i];
        uint64_t state[4] = {(uintptr_t)d->p, d->value, (uint64_t)(d->writer + 1) << 8 | d->written,
                             0};
        memcpy(&state[3], d->read, sizeof(d->read));
        h = mix(h, state, sizeof(state));
    }
    for (int i = 0; i < nmemory; i++)
        h = mix(h, memory[i].p, memory[i].size);
    if (guess.made) {
        uint64_t who = (uint64_t)guess.thread << 16 | (uint64_t)guess.word << 8 | guess.clock;
        uint64_t state[3] = {guess.value, guess.open, who};
        h = mix(h, state, sizeof(state));
    }
    return h;
}

void explore_state(uint64_t state)
{
    if (self < 0)
        return;
    threads[self].history = state << 8 | 1;
    threads[self].relaxed = 0;
    memset(threads[self].again, 0, sizeof(threads[self].again));
}

void explore_late(const void *p, size_t size)
{
    if (nlate == (int)(sizeof(late) / sizeof(late[0])))
        bail("a model has too many late ranges");
    late[nlate++] = (struct range){p, size};
}

void explore_memory(const void *p, size_t size)
{
    if (nmemory == (int)(sizeof(memory) / sizeof(memory[0])))
        bail("a model has too many ranges of memory");
    memory[nmemory++] = (struct range){p, size & ~(size_t)7};
}

void explore_name(const void *p, const char *name)
{
    if (nnames == (int)(sizeof(names) / sizeof(names[0])))
        bail("a model has too many names");
    names[nnames++] = (struct name){p, name};
}

void machine_name(char *buf, size_t size, uint64_t value)
{
    for (int i = 0; i < nnames; i++) {
        if ((uintptr_t)names[i].p == value) {
            snprintf(buf, size, "%s", names[i].text);
            return;
        }
    }
    snprintf(buf, size, value < 1000 ? "%lu" : "0x%lx", (unsigned long)value);
}
