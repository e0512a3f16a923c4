/* SPDX-License-Identifier: BSD-3-Clause
 * resolve.c - names of hosts, looked up where it may block
 *
 * getaddrinfo cannot be interrupted, and files and servers that it asks may take half a minute. So
 * it is made by a goroutine of its own, with copies of all arguments: who asked waits for that one,
 * and may give up; then the answer is thrown away when it comes.
 */
#include "limit.h"
#include "proc.h"
#include "quoit.h"

#include "quoit_io.h"

#include <netdb.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct question {
    struct quoit_g *g; /* who looks */
    bool has_hints;
    struct addrinfo hints;
    char *node, *service; /* NULL, or behind this record */
    struct addrinfo *found;
    int result;
};

static char *store(char **at, const char *s)
{
    char *there = *at;

    if (s == NULL)
        return NULL;
    strcpy(there, s);
    *at += strlen(s) + 1;
    return there;
}

static struct question *ask(const char *node, const char *service, const struct addrinfo *hints)
{
    size_t bytes = (node != NULL ? strlen(node) + 1 : 0) +
                   (service != NULL ? strlen(service) + 1 : 0);
    struct question *q = calloc(1, sizeof *q + bytes);
    char *at;

    if (q == NULL)
        return NULL;
    at = (char *)(q + 1);
    q->node = store(&at, node);
    q->service = store(&at, service);
    q->has_hints = hints != NULL;
    if (hints != NULL)
        q->hints = *hints;
    return q;
}

static void forget(struct question *q)
{
    if (q->found != NULL)
        freeaddrinfo(q->found);
    free(q);
}

static int look_up(void *arg)
{
    struct question *q = arg;

    q->result = getaddrinfo(q->node, q->service, q->has_hints ? &q->hints : NULL, &q->found);
    return 0;
}

static int look_up_apart(void *arg)
{
    return quoit_block(look_up, arg);
}

/* Who asked has given up. */
static int await_and_forget(void *arg)
{
    struct question *q = arg;

    while (quoit_join(q->g, NULL) < 0)
        ;
    forget(q);
    return 0;
}

static int begin(struct question *q)
{
    struct quoit_attr a = QUOIT_ATTR_INIT;

    a.name = "getaddrinfo";
    a.handle = &q->g;
    return quoit_go_attr(&a, look_up_apart, q);
}

/* Without a goroutine to be had for the rest it is waited for here. */
static void give_up(struct question *q)
{
    int64_t before;

    if (quoit_go(await_and_forget, q) == 0)
        return;
    before = quoit_set_deadline(INT64_MAX);
    (void)await_and_forget(q);
    (void)quoit_set_deadline(before);
}

int quoit_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                      struct addrinfo **found)
{
    struct m *mp = enter();
    struct question *q;
    int r;

    if (mp == NULL)
        return getaddrinfo(node, service, hints, found);
    r = limit_check(mp->curg);
    leave(mp);
    if (r < 0)
        return r;
    q = ask(node, service, hints);
    if (q == NULL)
        return EAI_MEMORY;
    if (begin(q) < 0) {
        forget(q);
        return EAI_MEMORY;
    }
    r = quoit_join(q->g, NULL);
    if (r < 0) {
        give_up(q);
        return r;
    }
    r = q->result;
    *found = q->found;
    q->found = NULL;
    forget(q);
    return r;
}
