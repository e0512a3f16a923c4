/* SPDX-License-Identifier: BSD-3-Clause
 * place.c - places are slots in order; what `auto` means
 */
#include "place.h"

#include "topo.h"

#include <errno.h>
#include <string.h>

static const char *const names[] = {
    [BIND_AUTO] = "auto", [BIND_CORE] = "core", [BIND_PU] = "pu",
    [BIND_NODE] = "node", [BIND_NONE] = "none",
};

int place_make(int n, struct place *out)
{
    const struct topo *t = topo_get();
    if (!t)
        return -ESHUTDOWN;
    if (n < 1)
        return -EINVAL;
    for (int k = 0, i = -1; k < n; k++) {
        /* If none is left any will do: nobody is bound there. */
        do
            i = (i + 1) % t->nslots;
        while (t->nusable && !t->slots[i].usable);
        const struct slot *s = &t->slots[i];
        out[k] = (struct place){.slot = i, .cpu = s->cpu, .core = s->core, .node = s->node};
    }
    return 0;
}

/* One reading of the rule for both questions: the mode, and why. */
static enum bind_mode decide(enum bind_mode asked, int n, const char **why)
{
    const struct topo *t = topo_get();
    *why = "nothing is known of cpus that were not there at the start";
    if (t && t->nallowed > t->nusable)
        return BIND_NONE;
    *why = "asked for";
    if (asked != BIND_AUTO)
        return asked;
    *why = "nothing is known of the machine";
    if (!t)
        return BIND_NONE;
    *why = "the cpu quota is smaller than the cpus: others may use the same cores";
    if (topo_quota_tight(t))
        return BIND_NODE;
    *why = "fewer than the allowed cpus are used: others may choose the same cores";
    if (n < t->nallowed)
        return BIND_NODE;
    *why = "more than the allowed cpus are used: the kernel shares them out more evenly";
    if (n > t->nallowed)
        return BIND_NODE;
    *why = "all allowed cpus are used";
    return BIND_CORE;
}

enum bind_mode place_mode(enum bind_mode asked, int n)
{
    const char *why;
    return decide(asked, n, &why);
}

const char *place_mode_why(enum bind_mode asked, int n)
{
    const char *why;
    decide(asked, n, &why);
    return why;
}

const char *bind_mode_name(enum bind_mode mode)
{
    return names[mode];
}

int bind_mode_parse(const char *name)
{
    for (int mode = BIND_AUTO; mode <= BIND_NONE; mode++)
        if (strcmp(name, names[mode]) == 0)
            return mode;
    return -EINVAL;
}
