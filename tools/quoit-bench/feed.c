/* SPDX-License-Identifier: BSD-3-Clause
 * feed.c - paths from one walker to many readers
 */
#include <stdlib.h>
#include <string.h>

#include "feed.h"

struct feed *feed_new(const struct feed_calls *calls)
{
    struct feed *f = malloc(sizeof(*f));

    if (!f)
        return NULL;
    /* All of it is touched here, before any clock runs. */
    memset(f, 0, sizeof(*f));
    f->calls = calls;
    f->total = UINT64_MAX;
    f->left[0] = f->left[1] = FEED_HALF;
    calls->init(&f->ready, 0);
    calls->init(&f->room[0], 0);
    calls->init(&f->room[1], 1);
    return f;
}

static unsigned half_of(uint64_t number)
{
    return number / FEED_HALF % 2;
}

static struct feed_batch *slot(struct feed *f, uint64_t number)
{
    return &f->batch[number % (2 * FEED_HALF)];
}

static void hand_out(struct feed *f)
{
    f->made++;
    f->calls->post(&f->ready);
    if (f->made % FEED_HALF == 0)
        f->calls->wait(&f->room[half_of(f->made)]);
    slot(f, f->made)->n = slot(f, f->made)->used = 0;
}

int feed_put(const char *path, void *feed)
{
    struct feed *f = feed;
    struct feed_batch *b = slot(f, f->made);
    size_t len = strlen(path) + 1;

    if (b->n == FEED_FILES || b->used + len > sizeof(b->text)) {
        hand_out(f);
        b = slot(f, f->made);
    }
    memcpy(b->text + b->used, path, len);
    b->used += (unsigned)len;
    b->n++;
    return 0;
}

void feed_end(struct feed *f, int readers)
{
    if (slot(f, f->made)->n)
        hand_out(f);
    f->total = f->made;
    for (int i = 0; i < readers; i++)
        f->calls->post(&f->ready);
}

const struct feed_batch *feed_take(struct feed *f, uint64_t *number)
{
    f->calls->wait(&f->ready);
    *number = atomic_fetch_add(&f->taken, 1);
    return *number < f->total ? slot(f, *number) : NULL;
}

void feed_done(struct feed *f, uint64_t number)
{
    unsigned half = half_of(number);

    if (atomic_fetch_sub(&f->left[half], 1) == 1) {
        f->left[half] = FEED_HALF;
        f->calls->post(&f->room[half]);
    }
}
