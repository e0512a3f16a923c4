/* SPDX-License-Identifier: BSD-3-Clause
 * memory.c - see memory.h
 *
 * What setup() left in memory is the first store of each word. Memory itself always has
 * the newest one, for code that reads its own words plainly, under a lock or because
 * nobody else writes them.
 */
#include "memory.h"

#include "tap.h"

#include <string.h>

struct mthread threads[EXPLORE_THREADS];
int nthreads, self = -1;
bool machine_learned;

struct word words[WORDS];
int nwords;
struct guess guess;
uint8_t last_word[EXPLORE_THREADS];
bool unfenced, fences;
struct view global;

static struct range {
    const char *p;
    size_t size;
} late[4];
static int nlate;

/* ---- views ---------------------------------------------------------------------------------- */

void view_join(struct view *to, const struct view *from)
{
    for (int i = 0; i < WORDS; i++)
        to->at[i] = to->at[i] > from->at[i] ? to->at[i] : from->at[i];
    for (int i = 0; i < EXPLORE_THREADS; i++)
        to->clock[i] = to->clock[i] > from->clock[i] ? to->clock[i] : from->clock[i];
}

void tick(void)
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

/* A step is remembered too: one that changes nothing else still brings the thread further. */
void remember(uint64_t read)
{
    uint64_t h = threads[self].history ^ read;

    h *= UINT64_C(0x9e3779b97f4a7c15);
    threads[self].history = (h ^ h >> 29) + 1;
}

void go(const struct site *s, bool turn)
{
    if (unfenced) {
        threads[self].early[1] = threads[self].early[0];
        threads[self].early[0] = threads[self].cur;
    }
    step(s, turn);
    remember(0);
    plain_judge();
}

/* ---- words ---------------------------------------------------------------------------------- */

uint64_t peek(const void *p, size_t size)
{
    uint64_t v = 0;

    memcpy(&v, p, size);
    return v;
}

static void word_reset(struct word *w)
{
    memset(&w->store[0], 0, sizeof(w->store[0]));
    w->store[0].value = peek(w->p, w->size);
    w->n = 1;
}

struct word *word_find(const void *p, size_t size)
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

bool word_is_late(const struct word *w)
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
        view_join(&t->acq, &st->view);
}

void word_insert(struct word *w, int pos, uint64_t value, int order, const struct view *carried)
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
        view_join(&st->view, carried);
    if (nlate && word_is_late(w))
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
struct word *word_turn(const struct site *s, const void *p, size_t size, bool writes)
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

int word_pick(struct word *w, const uint64_t *skip)
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
    last_word[self] = (uint8_t)word;
    return pos;
}

void word_see(const struct word *w, int pos, int order)
{
    struct mthread *t = &threads[self];
    const struct store *st = &w->store[pos];

    if (t->cur.at[w - words] < pos)
        t->cur.at[w - words] = (uint8_t)pos;
    if (fences)
        view_join(&t->acq, &st->view);
    if (order & IN)
        view_join(&t->cur, &st->view);
}

/* ---- the life of a schedule ----------------------------------------------------------------- */

void machine_forget(void)
{
    nwords = 0;
    fences = unfenced = false;
    memset(words, 0, sizeof(words));
    plain_forget();
}

void machine_reset(void)
{
    memset(threads, 0, sizeof(threads));
    memset(&global, 0, sizeof(global));
    memset(&guess, 0, sizeof(guess));
    nlate = 0;
    plain_reset();
}

void machine_begin(void)
{
    for (int i = 0; i < nwords; i++)
        word_reset(&words[i]);
    plain_begin();
}

void machine_settle(void)
{
    plain_settle();
}

bool machine_guessing(void)
{
    return guess.open;
}

static uint64_t word_hash(const struct word *w, uint64_t h)
{
    uint64_t n = (uint64_t)w->n;

    h = mix(h, &n, sizeof(n));
    for (int i = 0; i < w->n; i++) {
        uint64_t head[2] = {w->store[i].value, w->store[i].glued};
        h = mix(h, head, sizeof(head));
        h = mix(h, &w->store[i].view, sizeof(struct view));
    }
    return h;
}

/* Everything on which the rest of a schedule can depend. */
uint64_t machine_hash(void)
{
    uint64_t h = mix(1, threads, (size_t)nthreads * sizeof(threads[0]));

    h = mix(h, &global, sizeof(global));
    for (int i = 0; i < nwords; i++)
        h = word_hash(&words[i], h);
    if (guess.made) {
        uint64_t who = (uint64_t)guess.thread << 16 | (uint64_t)guess.word << 8 | guess.clock;
        uint64_t state[3] = {guess.value, guess.open, who};
        h = mix(h, state, sizeof(state));
    }
    return plain_hash(h);
}

uint64_t mix(uint64_t h, const void *p, size_t size)
{
    const char *c = p;

    for (size_t i = 0; i + 8 <= size; i += 8) {
        h = (h ^ peek(c + i, 8)) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 32;
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
