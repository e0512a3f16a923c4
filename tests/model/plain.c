/* SPDX-License-Identifier: BSD-3-Clause
 * plain.c - plain memory: data that must not race, ranges that make a state, names for the trace
 */
#include "memory.h"

#include "tap.h"

#include <stdio.h>
#include <string.h>

/* Who accessed it last, in that thread's own count. */
struct datum {
    uint64_t *p;
    uint64_t value;
    int writer;
    uint8_t written;
    uint8_t read[EXPLORE_THREADS];
};

static struct datum data[DATA];
static int ndata;

static struct range {
    const char *p;
    size_t size;
} memory[12];
static int nmemory;

static struct name {
    const void *p;
    const char *text;
} names[32];
static int nnames;

/* ---- data ------------------------------------------------------------------------------------ */

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

void plain_judge(void)
{
    for (int i = 0; i < npending[self]; i++)
        judge(pending[self][i].d, pending[self][i].writes);
    npending[self] = 0;
}

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

void plain_forget(void)
{
    ndata = 0;
}

void plain_reset(void)
{
    memset(npending, 0, sizeof(npending));
    nnames = nmemory = 0;
}

void plain_begin(void)
{
    for (int i = 0; i < ndata; i++)
        data[i] = (struct datum){.p = data[i].p, .value = *data[i].p, .writer = -1};
}

void plain_settle(void)
{
    for (int i = 0; i < ndata; i++)
        *data[i].p = data[i].value;
}

static uint64_t datum_hash(const struct datum *d, uint64_t h)
{
    uint64_t state[4] = {(uintptr_t)d->p, d->value, (uint64_t)(d->writer + 1) << 8 | d->written, 0};

    memcpy(&state[3], d->read, sizeof(d->read));
    return mix(h, state, sizeof(state));
}

uint64_t plain_hash(uint64_t h)
{
    for (int t = 0; t < nthreads; t++) {
        for (int i = 0; i < npending[t]; i++) {
            uint64_t what = (uintptr_t)pending[t][i].d + pending[t][i].writes;
            h = mix(h, &what, sizeof(what));
        }
    }
    for (int i = 0; i < ndata; i++)
        h = datum_hash(&data[i], h);
    for (int i = 0; i < nmemory; i++)
        h = mix(h, memory[i].p, memory[i].size);
    return h;
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
