/* SPDX-License-Identifier: BSD-3-Clause
 * store.c - keys and values in memory, for any number of goroutines
 *
 * Each bucket has a lock, which is held to look and never to wait; a value is counted, so it
 * can be sent without. There are as many buckets as there are: past some millions of keys the
 * chains grow long.
 */
#include "store.h"

#include <quoit.h>

#include <stdlib.h>
#include <string.h>

struct entry {
    struct entry *next;
    struct value *value;
    size_t len;
    char key[];
};

static struct bucket {
    quoit_mutex lock;
    struct entry *first;
} table[1 << 16];

static struct bucket *bucket_of(struct text key)
{
    uint64_t hash = 14695981039346656037u;

    for (size_t i = 0; i < key.len; i++)
        hash = (hash ^ (unsigned char)key.at[i]) * 1099511628211u;
    return &table[(hash ^ hash >> 32) % (sizeof table / sizeof *table)];
}

/* Where it is in its bucket, or would be hung in. */
static struct entry **find_locked(struct bucket *b, struct text key)
{
    struct entry **at = &b->first;

    while (*at != NULL && ((*at)->len != key.len || memcmp((*at)->key, key.at, key.len) != 0))
        at = &(*at)->next;
    return at;
}

void value_put(struct value *v)
{
    if (v != NULL && atomic_fetch_sub(&v->users, 1) == 1)
        free(v);
}

struct value *store_get(struct text key)
{
    struct bucket *b = bucket_of(key);
    struct entry *e;
    struct value *v = NULL;

    quoit_mutex_lock(&b->lock);
    if ((e = *find_locked(b, key)) != NULL) {
        v = e->value;
        atomic_fetch_add(&v->users, 1);
    }
    quoit_mutex_unlock(&b->lock);
    return v;
}

bool store_set(struct text key, struct text text)
{
    struct bucket *b = bucket_of(key);
    struct value *v = malloc(sizeof *v + text.len), *old;
    struct entry **at, *e;

    if (v == NULL)
        return false;
    atomic_init(&v->users, 1);
    v->len = text.len;
    memcpy(v->bytes, text.at, text.len);
    quoit_mutex_lock(&b->lock);
    at = find_locked(b, key);
    if (*at == NULL && (e = malloc(sizeof *e + key.len)) != NULL) {
        *e = (struct entry){ .len = key.len };
        memcpy(e->key, key.at, key.len);
        *at = e;
    }
    /* What is to be let go of: the value before this one, or this one. */
    old = v;
    if (*at != NULL) {
        old = (*at)->value;
        (*at)->value = v;
    }
    quoit_mutex_unlock(&b->lock);
    value_put(old);
    return old != v;
}
