/* SPDX-License-Identifier: BSD-3-Clause
 * cgroup.c - reads cpu.max and cpu.cfs_quota_us up to the root that can be seen
 *
 * Where the files are is never guessed: /proc/self/mountinfo names every cgroup
 * mount and the part of the hierarchy that it shows, /proc/self/cgroup the
 * group of this process. In a cgroup namespace both start at the namespace's
 * root; in a container without one, the group's path has the mount's root in
 * front.
 */
#include "cgroup.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct search {
    const char *root;
    struct cgroup_quota *best;
    bool found;
};

/* One mount of a cgroup hierarchy. */
struct mount {
    char root[PATH_MAX], point[PATH_MAX];
    bool v2;
};

static FILE *open_under(const char *root, const char *path)
{
    char name[PATH_MAX];
    int n = snprintf(name, sizeof name, "%s%s", root, path);
    return n > 0 && n < (int)sizeof name ? fopen(name, "re") : NULL;
}

/* A whole number and nothing else up to white space; -1 otherwise, and for "max". */
static int64_t number(const char *s)
{
    char *end;
    errno = 0;
    long long v = strtoll(s, &end, 10);
    bool whole = end != s && (*end == '\0' || *end == ' ' || *end == '\n');
    return whole && errno == 0 && v > 0 ? v : -1;
}

static int64_t read_number(const char *root, const char *path)
{
    char line[64];
    FILE *f = open_under(root, path);
    int64_t v = f && fgets(line, sizeof line, f) ? number(line) : -1;
    if (f)
        fclose(f);
    return v;
}

/* "QUOTA PERIOD" of version 2; false when it limits nothing. */
static bool read_max(const char *root, const char *path, int64_t *quota, int64_t *period)
{
    char line[64];
    FILE *f = open_under(root, path);
    char *got = f ? fgets(line, sizeof line, f) : NULL;
    if (f)
        fclose(f);
    char *space = got ? strchr(line, ' ') : NULL;
    if (!space)
        return false;
    *quota = number(line);
    *period = number(space + 1);
    return *quota > 0 && *period > 0;
}

static void consider(struct search *s, const char *file, int64_t quota, int64_t period)
{
    struct cgroup_quota *b = s->best;
    if (s->found && (double)quota / (double)period >= (double)b->quota_us / (double)b->period_us)
        return;
    s->found = true;
    b->quota_us = quota;
    b->period_us = period;
    snprintf(b->file, sizeof b->file, "%s", file);
}

static void look_in(struct search *s, const struct mount *m, const char *group)
{
    char file[PATH_MAX], period_file[PATH_MAX];
    int64_t quota, period;
    int n = snprintf(file, sizeof file, "%s%s/%s", m->point, group,
                     m->v2 ? "cpu.max" : "cpu.cfs_quota_us");
    if (n < 0 || n >= (int)sizeof file)
        return;
    if (m->v2) {
        if (read_max(s->root, file, &quota, &period))
            consider(s, file, quota, period);
        return;
    }
    n = snprintf(period_file, sizeof period_file, "%s%s/cpu.cfs_period_us", m->point, group);
    if (n < 0 || n >= (int)sizeof period_file)
        return;
    quota = read_number(s->root, file);
    period = read_number(s->root, period_file);
    if (quota > 0 && period > 0)
        consider(s, file, quota, period);
}

/* The group's path as seen below the mount point: "" for the mount point
 * itself, which is also all that can be said of a group outside of what the
 * mount shows. */
static void below_mount(const struct mount *m, char *group)
{
    size_t n = strcmp(m->root, "/") == 0 ? 0 : strlen(m->root);
    bool inside = strncmp(group, m->root, n) == 0 && (group[n] == '/' || group[n] == '\0');
    if (!inside || strstr(group, "/..") || strcmp(group + n, "/") == 0)
        group[0] = '\0';
    else
        memmove(group, group + n, strlen(group + n) + 1);
}

static void climb(struct search *s, const struct mount *m, char *group)
{
    below_mount(m, group);
    for (;;) {
        look_in(s, m, group);
        char *last = strrchr(group, '/');
        if (!last)
            return;
        *last = '\0';
    }
}

static bool has_word(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = list; p; p = strchr(p, ',')) {
        p += *p == ',';
        if (strncmp(p, word, n) == 0 && (p[n] == ',' || p[n] == '\0'))
            return true;
    }
    return false;
}

/* "ID:CONTROLLERS:PATH" each; the path of the hierarchy we look for. */
static bool own_group(const char *root, bool v2, char *group, size_t size)
{
    char line[PATH_MAX];
    bool found = false;
    FILE *f = open_under(root, "/proc/self/cgroup");
    while (f && !found && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':');
        char *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!path)
            continue;
        *path++ = '\0';
        found = v2 ? strcmp(line, "0:") == 0 : has_word(controllers + 1, "cpu");
        if (found)
            snprintf(group, size, "%s", path);
    }
    if (f)
        fclose(f);
    return found;
}

/* The kernel writes blanks in names as \040. */
static void unescape(char *s)
{
    char *to = s;
    while (*s) {
        if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] && s[3]) {
            *to++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
            s += 4;
        } else {
            *to++ = *s++;
        }
    }
    *to = '\0';
}

/* "ID PARENT DEV ROOT POINT OPTIONS [TAGS] - TYPE SOURCE OPTIONS": true when it
 * shows cpu limits. */
static bool parse_mount(char *line, struct mount *m)
{
    char *tail = strstr(line, " - ");
    char type[32], options[256];
    if (!tail || sscanf(tail + 3, "%31s %*s %255s", type, options) != 2)
        return false;
    m->v2 = strcmp(type, "cgroup2") == 0;
    if (!m->v2 && (strcmp(type, "cgroup") != 0 || !has_word(options, "cpu")))
        return false;
    _Static_assert(PATH_MAX == 4096, "the widths below");
    if (sscanf(line, "%*s %*s %*s %4095s %4095s", m->root, m->point) != 2)
        return false;
    unescape(m->root);
    unescape(m->point);
    return true;
}

int cgroup_quota(const char *root, struct cgroup_quota *out)
{
    struct search s = {.root = root, .best = out};
    struct mount m;
    char group[PATH_MAX], *line = NULL;
    size_t room = 0;
    FILE *f = open_under(root, "/proc/self/mountinfo");
    while (f && getline(&line, &room, f) >= 0)
        if (parse_mount(line, &m) && own_group(root, m.v2, group, sizeof group))
            climb(&s, &m, group);
    free(line);
    if (f)
        fclose(f);
    return s.found;
}

int cgroup_procs(const struct cgroup_quota *q)
{
    int64_t whole = q->quota_us / q->period_us + (q->quota_us % q->period_us != 0);
    return whole > INT_MAX ? INT_MAX : (int)whole;
}
