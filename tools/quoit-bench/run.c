/* SPDX-License-Identifier: BSD-3-Clause
 * run.c - child runs, calibration, and the order in which sides are measured
 *
 * The sides of a workload run in turn, and the yardstick `call` between them: a
 * machine that is slower for a while is then slower for all. A child is made by
 * fork and runs one side once.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "quoit.h"

#include "bench.h"
#include "cache.h"
#include "measure.h"

enum {
    CALL_ITERATIONS = 5000000,
    YARDSTICK_NS = 50000000,
    LONG_ENOUGH_NS = 20000000, /* to extrapolate from */
    GROWTH_MAX = 32,
};

/* The tour stops repeating a workload that has taken so long. */
static const uint64_t tour_patience_ns = 15000000000u;

struct lane {
    const struct side *side;
    uint64_t iterations, count;
    size_t runs;
    double *value[METRICS_MAX];
    struct outcome last;
    char error[200];
};

/* All about one workload at one width. */
struct course {
    const struct workload *w;
    const struct options *o;
    int procs;
    size_t num_lanes, calls;
    struct lane lane[SIDES_MAX];
    double *call_ns;
    bool good, compared;
    uint64_t digest;
};

volatile sig_atomic_t interrupted;
double yardstick_call_ns;
static volatile sig_atomic_t running; /* the child's process id, or 0 */

void run_stop(int sig)
{
    interrupted = sig;
    if (running)
        kill(running, SIGKILL);
}

void outcome_per_op(struct outcome *out, uint64_t elapsed_ns, uint64_t count)
{
    out->elapsed_ns = elapsed_ns;
    out->count = count;
    out->value[0] = (double)elapsed_ns / (double)count;
}

int outcome_wrong(struct outcome *out, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    vsnprintf(out->error, sizeof(out->error), format, ap);
    va_end(ap);
    return -EIO;
}

static struct outcome *shared_outcome(void)
{
    static struct outcome *out;

    if (!out) {
        out = mmap(NULL, sizeof(*out), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (out == MAP_FAILED) {
            fprintf(stderr, "quoit-bench: no memory: %s\n", strerror(errno));
            exit(1);
        }
    }
    memset(out, 0, sizeof(*out));
    return out;
}

static double *numbers(int n)
{
    double *v = calloc((size_t)n, sizeof(*v));

    if (!v) {
        fprintf(stderr, "quoit-bench: no memory for %d runs; ask for fewer with --runs\n", n);
        exit(1);
    }
    return v;
}

/* ---- one child */

static void child(const struct side *side, const struct job *job)
{
    char procs[16];
    int err;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    alarm((unsigned)job->options->limit_seconds);
    if (job->procs) {
        snprintf(procs, sizeof(procs), "%d", job->procs);
        setenv("GOMAXPROCS", procs, 1);
        machine_confine(job->procs);
    }
    err = side->in_quoit ? quoit_main(side->run, (void *)job) : side->run((void *)job);
    if (err && !job->out->error[0])
        snprintf(job->out->error, sizeof(job->out->error), "%s", strerror(-err));
    _exit(0);
}

static void how_it_ended(struct outcome *out, int status, int limit_seconds)
{
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        outcome_wrong(out, "not done after %d s (--limit)", limit_seconds);
    /* One that could not go on has had itself killed, and said why. */
    else if (WIFSIGNALED(status) && !(WTERMSIG(status) == SIGKILL && out->error[0]))
        outcome_wrong(out, "killed by signal %d (%s)", WTERMSIG(status),
                      strsignal(WTERMSIG(status)));
    else if (WIFEXITED(status) && WEXITSTATUS(status))
        outcome_wrong(out, "ended with exit code %d", WEXITSTATUS(status));
}

void run_child(const struct side *side, const struct job *job)
{
    int status = 0;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0)
        child(side, job);
    if (pid < 0) {
        outcome_wrong(job->out, "fork: %s", strerror(errno));
        return;
    }
    running = pid;
    /* A signal before the line above has seen no child to end. */
    if (interrupted)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            outcome_wrong(job->out, "waitpid: %s", strerror(errno));
            break;
        }
    }
    running = 0;
    how_it_ended(job->out, status, job->options->limit_seconds);
}

static const struct outcome *run_side(const struct side *side, uint64_t iterations, int procs,
                                      const struct options *o)
{
    struct job job = {.iterations = iterations, .procs = procs, .factor = side->factor};

    job.options = o;
    job.out = shared_outcome();
    run_child(side, &job);
    return job.out;
}

/* ---- calibration */

static bool is_yardstick(const struct workload *w)
{
    return strcmp(w->sides[0].peer, "yardstick") == 0;
}

static void fail(struct course *c, struct lane *l, const char *error)
{
    if (interrupted)
        return;
    snprintf(l->error, sizeof(l->error), "%s", error);
    c->good = false;
    report_note("%s, %s on %d P%s: %s", c->w->name, l->side->peer, c->procs,
                c->procs == 1 ? "" : "'s", error);
}

/* Runs with more and more operations until one takes long enough to tell how
 * many fill a run. */
static void calibrate(struct course *c, struct lane *l)
{
    uint64_t target = c->o->target_ns, n = c->w->start;

    if (is_yardstick(c->w) && target > YARDSTICK_NS)
        target = YARDSTICK_NS;
    while (!interrupted) {
        const struct outcome *out = run_side(l->side, n, c->procs, c->o);

        if (out->error[0]) {
            fail(c, l, out->error);
            return;
        }
        l->iterations = iterations_for(target, out->count, out->elapsed_ns);
        if (out->elapsed_ns >= LONG_ENOUGH_NS || l->iterations <= n)
            return;
        n = l->iterations / n > GROWTH_MAX ? n * GROWTH_MAX : l->iterations;
    }
}

static void choose_iterations(struct course *c, struct lane *l)
{
    if (c->o->iterations && !is_yardstick(c->w) && !c->w->whole)
        l->iterations = c->o->iterations;
    else if (c->w->fixed && c->o->tour && c->w->tour_iterations)
        l->iterations = c->w->tour_iterations;
    else if (c->w->fixed)
        l->iterations = c->w->start;
    else
        calibrate(c, l);
}

/* ---- measuring */

static void compare_digest(struct course *c, const struct lane *l, const struct outcome *out)
{
    if (!c->compared) {
        c->compared = true;
        c->digest = out->digest;
        report_skipped(out, c->o->dir);
    } else if (c->digest != out->digest) {
        c->good = false;
        report_note("%s: %s read something else: digest %016llx instead of %016llx, over %llu "
                    "files and %llu bytes. Either the tree changed between the runs, or one of "
                    "the peers is wrong",
                    c->w->name, l->side->peer, (unsigned long long)out->digest,
                    (unsigned long long)c->digest, (unsigned long long)out->files,
                    (unsigned long long)out->bytes);
    }
}

static void measure(struct course *c, struct lane *l)
{
    const struct outcome *out;
    int err = c->w->prepare ? c->w->prepare(c->o) : 0;

    if (err) {
        fail(c, l, strerror(-err));
        return;
    }
    out = run_side(l->side, l->iterations, c->procs, c->o);
    if (interrupted)
        return;
    if (out->error[0]) {
        fail(c, l, out->error);
        return;
    }
    if (c->w->scans)
        compare_digest(c, l, out);
    if (out->count < l->iterations && c->w->fixed && !c->w->scans && l->runs == 0)
        report_note("%s: only %llu instead of %llu, as many as there is memory for", c->w->name,
                    (unsigned long long)out->count, (unsigned long long)l->iterations);
    for (size_t i = 0; i < METRICS_MAX; i++)
        l->value[i][l->runs] = out->value[i];
    l->runs++;
    l->count = out->count;
    l->last = *out;
}

static void measure_call(struct course *c)
{
    const struct outcome *out;

    if (is_yardstick(c->w) || interrupted)
        return;
    out = run_side(&workload_call.sides[0], CALL_ITERATIONS, 1, c->o);
    if (!out->error[0])
        c->call_ns[c->calls++] = out->value[0];
}

static void measure_all(struct course *c)
{
    uint64_t begin = now_ns();

    for (int run = 0; run < c->o->runs && !interrupted; run++) {
        if (run && c->o->tour && now_ns() - begin > tour_patience_ns)
            return;
        measure_call(c);
        for (size_t i = 0; i < c->num_lanes && !interrupted; i++) {
            struct lane *l = &c->lane[i];

            progress("%s: %s on %d P%s, run %d of %d", c->w->name, l->side->peer, c->procs,
                     c->procs == 1 ? "" : "'s", run + 1, c->o->runs);
            if (!l->error[0])
                measure(c, l);
        }
    }
}

/* ---- reporting */

static double median_of(const double *value, size_t n)
{
    struct result r = {.value = (double *)value, .runs = n};

    return n ? result_median(&r) : 0;
}

static void report_lane(const struct course *c, const struct lane *l)
{
    bool thread = strcmp(l->side->peer, "pthread") == 0;

    for (size_t i = 0; i < METRICS_MAX && c->w->metrics[i].name; i++) {
        const struct metric *m = &c->w->metrics[i];
        struct result r = {.workload = m->name, .unit = m->unit};

        if (m->only && strcmp(m->only, l->side->peer) != 0)
            continue;
        r.peer = m->peer ? m->peer : l->side->peer;
        r.procs = m->peer ? 1 : c->procs; /* a yardstick knows no P's */
        r.means = !m->tour ? NULL : thread ? c->w->thread_means : m->means;
        r.iterations = l->count;
        r.runs = l->runs;
        r.value = l->value[i];
        r.call_ns = median_of(c->call_ns, c->calls);
        r.scanned = c->w->scans && l->runs ? &l->last : NULL;
        r.cold = c->w->prepare ? cache_how() : NULL;
        snprintf(r.error, sizeof(r.error), "%s", l->error);
        if (l->runs || l->error[0])
            report_row(&r);
    }
}

/* Pools of several sizes are one peer: the fastest speaks for it. */
static bool outdone(const struct course *c, const struct lane *l)
{
    double mine = median_of(l->value[0], l->runs);

    for (const struct lane *o = c->lane; c->w->scans && o < c->lane + c->num_lanes; o++) {
        double other = median_of(o->value[0], o->runs);

        if (strcmp(o->side->peer, l->side->peer) == 0 && (other > mine || (other >= mine && o < l)))
            return true;
    }
    return false;
}

static void report_ratio(const struct course *c, const struct lane *mine, const struct lane *other,
                         size_t metric)
{
    size_t runs = mine->runs < other->runs ? mine->runs : other->runs;
    double *ratio = numbers((int)runs + 1);
    char peer[64];
    struct result r = {.unit = "ratio", .procs = c->procs, .runs = runs, .ratio = true};

    snprintf(peer, sizeof(peer), "quoit/%s", other->side->peer);
    for (size_t i = 0; i < runs; i++)
        ratio[i] = mine->value[metric][i] / other->value[metric][i];
    r.workload = c->w->metrics[metric].name;
    r.peer = peer;
    r.iterations = mine->count;
    r.value = ratio;
    if (runs)
        report_row(&r);
    free(ratio);
}

/* Each round of runs is a pair for every peer: what slows the machine for a
 * while slows both halves. */
static void report_ratios(const struct course *c)
{
    const struct lane *mine = NULL;

    for (size_t i = 0; i < c->num_lanes; i++)
        if (strcmp(c->lane[i].side->peer, "quoit") == 0)
            mine = &c->lane[i];
    for (size_t m = 0; mine && m < METRICS_MAX && c->w->metrics[m].name; m++)
        for (size_t i = 0; c->w->metrics[m].ratio && i < c->num_lanes; i++)
            if (&c->lane[i] != mine)
                report_ratio(c, mine, &c->lane[i], m);
}

static void report_course(const struct course *c)
{
    report_heading(c->w);
    for (size_t i = 0; i < c->num_lanes; i++)
        if (!outdone(c, &c->lane[i]))
            report_lane(c, &c->lane[i]);
    report_ratios(c);
    if (c->w == &workload_call)
        yardstick_call_ns = median_of(c->lane[0].value[0], c->lane[0].runs);
    for (size_t i = 0; i < c->num_lanes && c->w->scans; i++)
        if (c->lane[i].runs)
            report_scan(&c->lane[i].last, c->lane[i].side->peer,
                        median_of(c->lane[i].value[0], c->lane[i].runs));
}

/* ---- a workload */

static bool chosen(const struct workload *w, const struct side *s, const struct options *o)
{
    const char *why = peer_wanted(o, s->peer) && s->why_not ? s->why_not() : NULL;

    if (why)
        report_skip(w->name, s->peer, why);
    return peer_wanted(o, s->peer) && !why;
}

static void add_lane(struct course *c, const struct side *side)
{
    struct lane *l = &c->lane[c->num_lanes++];

    l->side = side;
    for (size_t i = 0; i < METRICS_MAX; i++)
        l->value[i] = numbers(c->o->runs);
    progress("%s: %s on %d P%s, how much fills a run", c->w->name, side->peer, c->procs,
             c->procs == 1 ? "" : "'s");
    choose_iterations(c, l);
}

bool run_workload(const struct workload *w, int procs, const struct options *o)
{
    struct course c = {.w = w, .o = o, .procs = procs, .good = true};

    c.call_ns = numbers(o->runs);
    for (const struct side *s = w->sides; s->peer; s++)
        if (chosen(w, s, o))
            add_lane(&c, s);
    if (w->warm && c.num_lanes && !interrupted) {
        const struct outcome *out;

        progress("%s: reading everything once", w->name);
        out = run_side(c.lane[0].side, c.lane[0].iterations, procs, o);
        if (!out->error[0])
            compare_digest(&c, &c.lane[0], out);
    }
    measure_all(&c);
    report_course(&c);
    for (size_t i = 0; i < c.num_lanes; i++)
        for (size_t k = 0; k < METRICS_MAX; k++)
            free(c.lane[i].value[k]);
    free(c.call_ns);
    return c.good;
}
