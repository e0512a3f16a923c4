/* SPDX-License-Identifier: BSD-3-Clause
 * site.c - the edges of a memory access, read from the comment above it
 *
 * So there is one list of edges, the one that ships, and a broken twin is a name out of
 * it: "RUNQ-PUB out" takes the release away from every access under such a comment,
 * "RUNQ-PUB out runq_put" from those in that function only.
 */
#include "machine.h"

#include "tap.h"

#include <stdio.h>
#include <string.h>

/* A comment ends at most so many lines above its access. */
enum { ABOVE = 3, LINE_BYTES = 256, COMMENT_LINES = 8, SPECS = 4 };

static struct spec {
    char name[24], side[8], func[40], op[24];
} specs[SPECS];
static int nspecs;

struct site *all_sites;

static int side_order(const char *side)
{
    if (strcmp(side, "in") == 0)
        return IN;
    if (strcmp(side, "out") == 0)
        return OUT;
    return strcmp(side, "full") == 0 ? FULL : RELAXED;
}

void site_break(const char *text)
{
    struct spec *sp = &specs[nspecs++];

    sp->func[0] = sp->op[0] = '\0';
    if (nspecs > SPECS ||
        sscanf(text, "%23s %7s %39s %23s", sp->name, sp->side, sp->func, sp->op) < 2 ||
        side_order(sp->side) == RELAXED)
        bail("cannot break '%s': it should read 'EDGE in|out|full [function [access]]'", text);
}

static FILE *open_source(const char *file)
{
    char path[1024];

    snprintf(path, sizeof(path), "%s/%s", file[0] == '/' ? "" : BUILD_ROOT, file);
    return fopen(path, "r");
}

/* The comment that ends right above the access, in one line; "" if there is none. */
static void read_comment(const struct site *s, char *text, size_t size)
{
    char line[LINE_BYTES];
    FILE *f = open_source(s->file);
    bool inside = false;
    int ends = 0;

    text[0] = '\0';
    if (f == NULL)
        bail("cannot read %s, whose comments name the edges", s->file);
    for (int n = 1; n < s->line && fgets(line, sizeof(line), f); n++) {
        if (strstr(line, "/*")) {
            inside = true;
            text[0] = '\0';
        }
        if (inside)
            strncat(text, line, size - strlen(text) - 1);
        if (strstr(line, "*/")) {
            inside = false;
            ends = n;
        }
    }
    fclose(f);
    if (ends < s->line - ABOVE)
        text[0] = '\0';
}

static bool spec_matches(const struct spec *sp, const struct site *s, int edge)
{
    return strcmp(sp->name, s->edge[edge].name) == 0 &&
           side_order(sp->side) == s->edge[edge].order &&
           (sp->func[0] == '\0' || strcmp(sp->func, s->func) == 0) &&
           (sp->op[0] == '\0' || strcmp(sp->op, s->op) == 0);
}

/* Of an access that is not a fence, both sides are the whole order. */
static int broken_order(const struct site *s, int side)
{
    return side == FULL && !(s->order & FULL) ? IN | OUT : side;
}

void site_learn(struct site *s)
{
    char text[LINE_BYTES * COMMENT_LINES], side[8];
    const char *p = text;

    s->known = true;
    if (s->order == RELAXED)
        return;
    s->link = all_sites;
    all_sites = s;
    read_comment(s, text, sizeof(text));
    /* The one place whose order stands behind a call. */
    if (strcmp(s->op, "fence_and_load") == 0)
        strcpy(text, "order FENCE full, order FENCE in");
    while (s->nedges < EDGES && (p = strstr(p, "order ")) != NULL) {
        p += strlen("order ");
        if (sscanf(p, "%23[A-Z0-9-] %7[a-z]", s->edge[s->nedges].name, side) != 2)
            continue;
        s->edge[s->nedges].order = side_order(side);
        for (int i = 0; i < nspecs; i++) {
            if (spec_matches(&specs[i], s, s->nedges))
                s->broken |= broken_order(s, s->edge[s->nedges].order);
        }
        s->nedges++;
    }
}
