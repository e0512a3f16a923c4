/* SPDX-License-Identifier: BSD-3-Clause
 * report.c - the table for people, the tour, and the progress line
 *
 * Rows go to stdout, all else to stderr. A row is printed when its workload is
 * done.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"
#include "measure.h"
#include "walk.h"

static bool touring, header_due = true, progress_shown;
static const char *last_heading;

/* ---- numbers */

static double *sorted(const struct result *r)
{
    double *v = calloc(r->runs ? r->runs : 1, sizeof(*v));

    if (!v) {
        fputs("quoit-bench: no memory for a report\n", stderr);
        exit(1);
    }
    memcpy(v, r->value, r->runs * sizeof(*v));
    sort_doubles(v, r->runs);
    return v;
}

double result_median(const struct result *r)
{
    double *v = sorted(r), m = median_sorted(v, r->runs);

    free(v);
    return m;
}

double result_min(const struct result *r)
{
    double *v = sorted(r), m = v[0];

    free(v);
    return m;
}

double result_max(const struct result *r)
{
    double *v = sorted(r), m = v[r->runs - 1];

    free(v);
    return m;
}

double result_quantile(const struct result *r, double q)
{
    double *v = sorted(r), x = quantile_sorted(v, r->runs, q);

    free(v);
    return x;
}

/* Three digits that count, and all of those before the point. */
static const char *number(double x, char *text, size_t size)
{
    int digits = x >= 100 ? 0 : x >= 10 ? 1 : x >= 1 ? 2 : 3;

    snprintf(text, size, "%.*f", digits, x);
    return text;
}

/* ---- progress */

static bool progress_wanted(void)
{
    static int wanted = -1;
    const char *term = getenv("TERM");
    struct stat out;

    if (wanted < 0)
        wanted =
            isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0 &&
            (isatty(STDOUT_FILENO) || (fstat(STDOUT_FILENO, &out) == 0 && S_ISREG(out.st_mode)));
    return wanted;
}

static void progress_clear(void)
{
    if (progress_shown)
        fputs("\r\033[K", stderr);
    progress_shown = false;
}

void progress(const char *format, ...)
{
    char line[80];
    va_list ap;

    if (!progress_wanted())
        return;
    va_start(ap, format);
    vsnprintf(line, sizeof(line), format, ap);
    va_end(ap);
    progress_clear();
    fputs(line, stderr);
    progress_shown = true;
}

void report_note(const char *format, ...)
{
    va_list ap;

    progress_clear();
    fflush(stdout);
    fputs("quoit-bench: ", stderr);
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fputc('\n', stderr);
}

/* ---- rows */

void report_begin(const struct machine *m, bool tour)
{
    touring = tour;
    printf("Quoit %s on %s: %d cpu%s, %ld MB, %s\n", m->quoit, m->cpu, m->cores,
           m->cores == 1 ? "" : "s", m->memory_mb, m->kernel);
    printf("P's: %d by default, bound by QUOIT_BIND=%s; input and output by: %s\n", m->width,
           m->bind, m->io);
    if (tour)
        puts("Each figure is a median. Small is good, except where something is counted a second.");
}

void report_heading(const struct workload *w)
{
    progress_clear();
    if (touring && w->heading && !(last_heading && strcmp(w->heading, last_heading) == 0))
        printf("\n%s\n", w->heading);
    last_heading = w->heading;
}

static void tour_row(const struct result *r, const char *median)
{
    char who[32];

    snprintf(who, sizeof(who), "%s, %d P%s", r->peer, r->procs, r->procs == 1 ? "" : "'s");
    if (strcmp(r->peer, "quoit") != 0)
        snprintf(who, sizeof(who), "%s, %d cpu%s", r->peer, r->procs, r->procs == 1 ? "" : "s");
    printf("%10s %-8s  %-16s  %s\n", median, r->unit, who, r->means);
}

static void table_row(const struct result *r, const char *median)
{
    char low[32], high[32];

    if (header_due)
        printf("\n%-21s %-17s %5s %11s %11s %11s  %s\n", "workload", "peer", "procs", "median",
               "min", "max", "unit");
    header_due = false;
    printf("%-21s %-17s %5d %11s %11s %11s  %s", r->workload, r->peer, r->procs, median,
           number(result_min(r), low, sizeof(low)), number(result_max(r), high, sizeof(high)),
           r->unit);
    if (r->ratio)
        printf(", quartiles %.3f to %.3f", result_quantile(r, 0.25), result_quantile(r, 0.75));
    putchar('\n');
}

void report_row(const struct result *r)
{
    char median[32];

    progress_clear();
    json_add(r);
    if (!r->runs)
        return;
    number(result_median(r), median, sizeof(median));
    if (!touring)
        table_row(r, median);
    else if (r->means)
        tour_row(r, median);
    fflush(stdout);
}

void report_skip(const char *workload, const char *peer, const char *why)
{
    report_note("%s%s%s left out: %s", workload, peer ? ", " : "", peer ? peer : "", why);
    json_add_skip(workload, peer, why);
}

void report_end(void)
{
    progress_clear();
    fflush(stdout);
}

/* ---- scan */

void report_scan(const struct outcome *out, const char *peer, double rate)
{
    char text[32];

    printf("    %s: %s files/s with %d %s; %" PRIu64 " files, %" PRIu64 " bytes, digest %016" PRIx64
           "\n",
           peer, number(rate, text, sizeof(text)), out->workers,
           strcmp(peer, "quoit") == 0 ? "goroutines" : "threads", out->files, out->bytes,
           out->digest);
    fflush(stdout);
}

void report_skipped(const struct outcome *out, const char *dir)
{
    const struct tally *t = &out->skipped;

    if (out->files == 0)
        report_note("%s: no regular file that can be read is below it", dir);
    for (int kind = 0; kind < SKIP_KINDS; kind++) {
        char names[SKIP_NAMED * (SKIP_NAME + 2)] = "";
        size_t used = 0;

        for (uint64_t i = 0; i < t->count[kind] && i < SKIP_NAMED; i++)
            used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", i ? ", " : "",
                                     t->name[kind][i]);
        if (t->count[kind])
            report_note("%s: %" PRIu64 " %s: %s%s", dir, t->count[kind], skip_says(kind), names,
                        t->count[kind] > SKIP_NAMED ? ", ..." : "");
    }
}
