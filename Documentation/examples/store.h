/* SPDX-License-Identifier: BSD-3-Clause
 * store.h - keys and values in memory, for any number of goroutines
 */
#ifndef STORE_H
#define STORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* Bytes of somebody else's. */
struct text {
    char *at;
    size_t len;
};

/* Never changed once others can see it, freed by the last who uses it. */
struct value {
    atomic_uint users;
    size_t len;
    char bytes[];
};

/* The value, to be given back by value_put; NULL: there is none. */
struct value *store_get(struct text key);
void value_put(struct value *v);

/* Copies both. False: no memory. */
bool store_set(struct text key, struct text text);

#endif
