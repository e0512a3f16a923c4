/* SPDX-License-Identifier: BSD-3-Clause
 * place.h - which cpu, core and node the k-th runner gets
 *
 * Pure reading of the loaded topology; any thread, any stack.
 */
#ifndef QUOIT_NUMA_PLACE_H
#define QUOIT_NUMA_PLACE_H

struct place {
    int slot;
    int cpu;
    int core;
    int node;
};

/* How tightly a thread is held to its place. */
enum bind_mode {
    BIND_AUTO, /* one of the others, chosen by place_mode */
    BIND_CORE, /* any hardware thread of the core */
    BIND_PU,   /* the one hardware thread */
    BIND_NODE, /* any allowed cpu of the node */
    BIND_NONE, /* not at all */
};

/* Fills out[0..n-1]; more runners than slots wrap around. 0, or -EINVAL (n <
 * 1), -ESHUTDOWN (no topology loaded). */
int place_make(int n, struct place *out);

/* What `asked` means for n runners; never BIND_AUTO. */
enum bind_mode place_mode(enum bind_mode asked, int n);
/* The reason for that answer, for people; static text. */
const char *place_mode_why(enum bind_mode asked, int n);

/* core, pu, node, none, auto: as in the environment and on command lines. */
const char *bind_mode_name(enum bind_mode mode);
/* The mode of that name, or -EINVAL. */
int bind_mode_parse(const char *name);

#endif
