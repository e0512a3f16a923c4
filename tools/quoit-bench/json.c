/* SPDX-License-Identifier: BSD-3-Clause
 * json.c - the results for programs: one object, put in place when it is whole
 *
 * The file is made before the first run, so that a path that cannot be written
 * is known at once, under another name beside it, so that an older file stays
 * until the new one is complete.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"
#include "walk.h"

static json_t *results, *skipped;
static FILE *file;
static char target[PATH_MAX], temporary[PATH_MAX + 8]; /* temporary is empty for a device or pipe */

static int open_temporary(void)
{
    mode_t mask = umask(0);
    int fd;

    umask(mask);
    snprintf(temporary, sizeof(temporary), "%s.XXXXXX", target);
    fd = mkostemp(temporary, O_CLOEXEC);
    if (fd >= 0)
        fchmod(fd, 0666 & ~mask);
    return fd;
}

int json_open(const char *path)
{
    struct stat st;
    int fd;

    if (strlen(path) >= sizeof(target))
        return -ENAMETOOLONG;
    /* Through a symbolic link, so that the link stays and what it names is
     * replaced. */
    if (!realpath(path, target))
        strcpy(target, path);
    if (stat(target, &st) == 0 && S_ISDIR(st.st_mode))
        return -EISDIR;
    if (stat(target, &st) == 0 && !S_ISREG(st.st_mode))
        fd = open(target, O_WRONLY | O_CLOEXEC);
    else
        fd = open_temporary();
    if (fd < 0)
        return -errno;
    file = fdopen(fd, "w");
    results = json_array();
    skipped = json_array();
    return file && results && skipped ? 0 : -ENOMEM;
}

static json_t *skip_counts(const struct tally *t)
{
    json_t *o = json_object();

    for (int kind = 0; kind < SKIP_KINDS; kind++)
        json_object_set_new(o, skip_key(kind), json_integer((json_int_t)t->count[kind]));
    return o;
}

static void add_scanned(json_t *o, const struct result *r)
{
    char digest[20];

    snprintf(digest, sizeof(digest), "%016llx", (unsigned long long)r->scanned->digest);
    json_object_set_new(o, "files", json_integer((json_int_t)r->scanned->files));
    json_object_set_new(o, "bytes", json_integer((json_int_t)r->scanned->bytes));
    json_object_set_new(o, "workers", json_integer(r->scanned->workers));
    json_object_set_new(o, "digest", json_string(digest));
    json_object_set_new(o, "skipped", skip_counts(&r->scanned->skipped));
}

void json_add(const struct result *r)
{
    json_t *o, *runs;

    if (!file)
        return;
    o = json_object();
    runs = json_array();
    json_object_set_new(o, "workload", json_string(r->workload));
    json_object_set_new(o, "peer", json_string(r->peer));
    json_object_set_new(o, "procs", json_integer(r->procs));
    json_object_set_new(o, "unit", json_string(r->unit));
    json_object_set_new(o, "median", r->runs ? json_real(result_median(r)) : json_null());
    json_object_set_new(o, "min", r->runs ? json_real(result_min(r)) : json_null());
    json_object_set_new(o, "max", r->runs ? json_real(result_max(r)) : json_null());
    if (r->ratio) {
        json_object_set_new(o, "lower_quartile", json_real(result_quantile(r, 0.25)));
        json_object_set_new(o, "upper_quartile", json_real(result_quantile(r, 0.75)));
    }
    for (size_t i = 0; i < r->runs; i++)
        json_array_append_new(runs, json_real(r->value[i]));
    json_object_set_new(o, "runs", runs);
    json_object_set_new(o, "iterations", json_integer((json_int_t)r->iterations));
    if (r->call_ns > 0)
        json_object_set_new(o, "call_ns", json_real(r->call_ns));
    if (r->scanned)
        add_scanned(o, r);
    if (r->cold)
        json_object_set_new(o, "cold", json_string(r->cold));
    if (r->error[0])
        json_object_set_new(o, "error", json_string(r->error));
    json_array_append_new(results, o);
}

void json_add_skip(const char *workload, const char *peer, const char *why)
{
    json_t *o;

    if (!file)
        return;
    o = json_object();
    json_object_set_new(o, "workload", json_string(workload));
    if (peer)
        json_object_set_new(o, "peer", json_string(peer));
    json_object_set_new(o, "why", json_string(why));
    json_array_append_new(skipped, o);
}

static json_t *machine_object(const struct machine *m)
{
    json_t *o = json_object();

    json_object_set_new(o, "cpu", json_string(m->cpu));
    json_object_set_new(o, "cores", json_integer(m->cores));
    json_object_set_new(o, "memory_mb", json_integer(m->memory_mb));
    json_object_set_new(o, "kernel", json_string(m->kernel));
    json_object_set_new(o, "call_ns", m->call_ns > 0 ? json_real(m->call_ns) : json_null());
    json_object_set_new(o, "quoit", json_string(m->quoit));
    json_object_set_new(o, "procs", json_integer(m->width));
    json_object_set_new(o, "bind", json_string(m->bind));
    json_object_set_new(o, "io", json_string(m->io));
    if (m->error[0])
        json_object_set_new(o, "error", json_string(m->error));
    return o;
}

/* Takes results and skipped. */
static int write_object(const struct machine *m, bool cut_short)
{
    json_t *all = json_object();
    int err = 0;

    json_object_set_new(all, "machine", machine_object(m));
    json_object_set_new(all, "results", results);
    json_object_set_new(all, "skipped", skipped);
    if (cut_short)
        json_object_set_new(all, "interrupted", json_true());
    errno = ENOMEM;
    if (json_dumpf(all, file, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) < 0 ||
        fputc('\n', file) < 0 || fflush(file) < 0)
        err = -errno;
    json_decref(all);
    if (fclose(file) < 0 && !err)
        err = -errno;
    file = NULL;
    return err;
}

int json_write(const struct machine *m, bool cut_short)
{
    int err;

    if (!file)
        return 0;
    err = write_object(m, cut_short);
    if (temporary[0] && !err && rename(temporary, target) < 0)
        err = -errno;
    if (temporary[0] && err)
        unlink(temporary);
    return err;
}
