/* SPDX-License-Identifier: BSD-3-Clause
 * objects.h - which file an address of this process comes from, and which function is there
 */
#ifndef QUOIT_TOOLS_PPROF_OBJECTS_H
#define QUOIT_TOOLS_PPROF_OBJECTS_H

#include <stddef.h>
#include <stdint.h>

/* Code that is mapped from a file. */
struct object {
    uint64_t start, end; /* addresses */
    uint64_t offset;     /* in the file */
    char *path;
    const void *file;    /* its contents; NULL: not looked at, or not to be had */
    size_t bytes;
    int opened;
};

struct objects {
    struct object *all; /* by address */
    size_t n;
};

/* 0, or -errno: what is mapped cannot be known. */
int objects_load(struct objects *objects);
void objects_free(struct objects *objects);

/* NULL: none. */
struct object *object_of(const struct objects *objects, uint64_t address);

/* The name of the function, as long as the object is there; NULL: not known. Static functions have
 * names too unless the file was stripped. */
const char *object_function(struct object *object, uint64_t address);

#endif
