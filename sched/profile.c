/* SPDX-License-Identifier: BSD-3-Clause
 * profile.c - the sampling profiler: which code uses the cpu, goroutine by goroutine
 *
 * Each M has a timer on the cpu clock of its thread while a profile is taken. When it has used up
 * a period the handler of SIGPROF, on that thread, writes down where it was: the calls that led
 * there, and of which goroutine. A thread that sleeps uses no cpu and is asked nothing.
 *
 *     handler            sampleq_put: a ring of words of its M; waits for nobody, allocates nothing
 *     housekeeper        takes them out ten times a second and counts equal ones (samples.c)
 *     quoit_profile_stop the rest, and all of it to libquoit_pprof.so, which writes the file
 *
 * A period is a whole number of the kernel's ticks: where these are longer a signal stands for
 * several periods, and is counted as so many.
 *
 * The walk is traceback.c's, along the unwind tables, so frame pointers are not needed. It takes no
 * lock where libc has _dl_find_object (2.35).
 *
 * Not seen: what quoit_block runs, for nothing of ours may disturb that, sysmon and the
 * housekeeper; threads that the program made, unless attached.
 */
#include "profile.h"

#include "signal_arch.h"

#include "env.h"
#include "init.h"
#include "m.h"
#include "os_linux.h"
#include "proc.h"
#include "profile_format.h"
#include "samples.h"
#include "throw.h"
#include "traceback.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { HZ_DEFAULT = 100, HZ_MOST = 1000, SAMPLEQ_WORDS = 16384 };
enum { SAMPLE_MOST = 2 + SAMPLE_NAME_WORDS + FRAMES_MAX };

static const int64_t collect_ns = 100000000;

_Static_assert(SAMPLE_NAME_WORDS * sizeof(uint64_t) == GNAME_MAX, "a name is whole words");

static struct {
    struct lock lock;    /*    of all but `on`, and of each M's timer */
    uint32_t on;         /* a  hint for handlers, which may come late */
    int64_t period;
    int64_t begun, began; /*   by the wall, and monotonic */
    int64_t collected;   /* a  a hint outside the lock */
    uint64_t lost;
    struct samples samples;
    struct sigaction found;
    quoit_pprof_fn *write; /* NULL: not loaded yet */
    int fd;              /*    where it goes */
    bool asked;          /*    QUOIT_CPUPROFILE has begun it, and only the end ends it */
} profile;

/* ---- a sample ------------------------------------------------------------------------------- */

/* Inside with a goroutine it may be anywhere between two of them: curg is the one that comes. */
static enum sample_kind kind_of(const struct m *mp)
{
    if (mp->curg == NULL)
        return SAMPLE_SCHEDULER;
    return load_relaxed(&mp->inside) ? SAMPLE_QUOIT : SAMPLE_GOROUTINE;
}

/* Who runs, into `words`; how many. */
static uint32_t tell_goroutine(const struct quoit_g *gp, uint64_t *words)
{
    uint32_t n = 2;

    /* Where the argument of one that has just begun may still lie there is no site and no name. */
    if (gp == NULL || gp->stk == NULL)
        return n;
    words[1] = (uintptr_t)gp->site;
    if (gp->flags & G_NAMED) {
        words[0] |= SAMPLE_NAMED;
        memcpy(words + n, gp->name, GNAME_MAX);
        n += SAMPLE_NAME_WORDS;
    }
    return n;
}

static void take_sample(struct m *mp, uintptr_t pc, uint64_t times)
{
    uint64_t words[1 + SAMPLE_MOST];
    struct trace t;
    uint32_t n;

    trace_running(&t, (const void *)pc);
    words[0] = times;
    words[1] = kind_of(mp);
    words[2] = 0;
    n = 1 + tell_goroutine(mp->curg, words + 1);
    for (uint32_t i = 0; i < t.n; i++)
        words[n++] = t.pc[i];
    sampleq_put(&mp->sampleq, words, n);
}

static void handler(int sig unused_arg, siginfo_t *info, void *context)
{
    struct m *mp = m_get();
    int saved = errno;

    if (mp != NULL && info->si_code == SI_TIMER && load_relaxed(&profile.on))
        take_sample(mp, signal_pc(context), 1 + (uint64_t)info->si_overrun);
    errno = saved;
}

/* ---- timers --------------------------------------------------------------------------------- */

/* Where no timer is to be had the thread is not seen. */
static void arm_locked(struct m *mp)
{
    struct sampleq *l = &mp->sampleq;

    if (l->slot == NULL)
        l->slot = calloc(SAMPLEQ_WORDS, sizeof *l->slot);
    if (l->slot == NULL)
        return;
    l->mask = SAMPLEQ_WORDS - 1;
    mp->sampled = cpu_timer_start(&mp->samptimer, mp->tid, SIGPROF, profile.period) == 0;
    if (!mp->sampled)
        log_line(LOG_WARNING, "thread %d is not in the profile: it gets no timer", mp->tid);
}

static void disarm_locked(struct m *mp)
{
    if (mp->sampled)
        cpu_timer_stop(mp->samptimer);
    mp->sampled = false;
}

void profile_m_begins(struct m *mp)
{
    lock(&profile.lock);
    mp->sampling = true;
    if (load_relaxed(&profile.on))
        arm_locked(mp);
    unlock(&profile.lock);
}

void profile_m_ends(struct m *mp)
{
    lock(&profile.lock);
    mp->sampling = false;
    disarm_locked(mp);
    unlock(&profile.lock);
}

/* ---- collecting ----------------------------------------------------------------------------- */

static void drain_locked(struct m *mp, bool keep)
{
    uint64_t words[1 + SAMPLE_MOST];
    uint32_t n;

    if (mp->sampleq.slot == NULL)
        return;
    while ((n = sampleq_get(&mp->sampleq, words)) > 0)
        if (keep && !samples_add(&profile.samples, words + 1, n - 1, words[0]))
            profile.lost++;
    /* hint: a handler that comes late may count one more */
    profile.lost += load_relaxed(&mp->sampleq.lost);
    store_relaxed(&mp->sampleq.lost, 0);
}

static void drain_all_locked(bool keep)
{
    for (struct m *mp = allm_first(); mp != NULL; mp = mp->alllink)
        drain_locked(mp, keep);
}

void profile_m_gone(struct m *mp)
{
    lock(&profile.lock);
    drain_locked(mp, load_relaxed(&profile.on));
    unlock(&profile.lock);
    free(mp->sampleq.slot);
}

int64_t profile_due(void)
{
    if (!load_relaxed(&profile.on))
        return INT64_MAX;
    for (struct m *mp = allm_first(); mp != NULL; mp = mp->alllink)
        if (sampleq_waits(&mp->sampleq))
            return load_relaxed(&profile.collected) + collect_ns;
    return INT64_MAX;
}

void profile_collect(int64_t now)
{
    lock(&profile.lock);
    if (load_relaxed(&profile.on))
        drain_all_locked(true);
    store_relaxed(&profile.collected, now);
    unlock(&profile.lock);
}

/* ---- start and stop ------------------------------------------------------------------------- */

bool sigprof_is_ours(const struct sigaction *now)
{
    return now->sa_flags & SA_SIGINFO && now->sa_sigaction == handler;
}

static int handler_install(void)
{
    struct sigaction ours = { .sa_sigaction = handler,
                              .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART };

    if (env.flags & QUOIT_NO_SIGNALS)
        return -EPERM;
    if (sigaction(SIGPROF, NULL, &profile.found) != 0)
        return -errno;
    if (profile.found.sa_flags & SA_SIGINFO ||
        (profile.found.sa_handler != SIG_DFL && profile.found.sa_handler != SIG_IGN))
        return -EBUSY;
    sigfillset(&ours.sa_mask);
    return sigaction(SIGPROF, &ours, NULL) == 0 ? 0 : -errno;
}

/* A signal that is on its way would end the program under the default action: to ignore it first
 * takes it back. */
static void handler_remove(void)
{
    struct sigaction now, ignore = { .sa_handler = SIG_IGN };

    if (sigaction(SIGPROF, NULL, &now) != 0 || !sigprof_is_ours(&now))
        return;
    sigaction(SIGPROF, &ignore, NULL);
    sigaction(SIGPROF, &profile.found, NULL);
}

static quoit_pprof_fn *writer_load(void)
{
    static const char file[] = "libquoit_pprof.so.0";
    void *lib = dlopen(file, RTLD_NOW | RTLD_LOCAL), *fn;

    if (lib == NULL) {
        log_line(LOG_WARNING, "no profile can be written: %s", dlerror());
        return NULL;
    }
    fn = dlsym(lib, PPROF_FUNCTION);
    if (fn == NULL)
        log_line(LOG_WARNING, "no profile can be written: %s has no " PPROF_FUNCTION, file);
    return (quoit_pprof_fn *)(uintptr_t)fn;
}

/* What another profile has left in the queues goes. */
static int start_locked(int hz, int fd, bool asked)
{
    int e;

    if (load_relaxed(&profile.on))
        return -EBUSY;
    if (profile.write == NULL)
        profile.write = writer_load();
    if (profile.write == NULL)
        return -EOPNOTSUPP;
    if (!samples_init(&profile.samples))
        return -ENOMEM;
    e = handler_install();
    if (e < 0) {
        samples_free(&profile.samples);
        return e;
    }
    profile.fd = fd;
    profile.asked = asked;
    profile.period = 1000000000 / hz;
    drain_all_locked(false);
    profile.lost = 0;
    profile.begun = walltime();
    profile.began = nanotime();
    store_relaxed(&profile.collected, profile.began);
    store_relaxed(&profile.on, 1);
    for (struct m *mp = allm_first(); mp != NULL; mp = mp->alllink)
        if (mp->sampling)
            arm_locked(mp);
    return 0;
}

static int start(int hz, int fd, bool asked)
{
    int e;

    lock(&profile.lock);
    e = start_locked(hz, fd, asked);
    unlock(&profile.lock);
    return e;
}

static int stop_locked(bool asked, struct profile *done, struct samples *samples)
{
    if (!load_relaxed(&profile.on))
        return -EINVAL;
    if (profile.asked && !asked)
        return -EPERM;
    for (struct m *mp = allm_first(); mp != NULL; mp = mp->alllink)
        disarm_locked(mp);
    handler_remove();
    store_relaxed(&profile.on, 0);
    drain_all_locked(true);
    *samples = profile.samples;
    *done = (struct profile){
        .period_ns = profile.period,
        .begun_ns = profile.begun,
        .lasted_ns = nanotime() - profile.began,
        .lost = profile.lost,
        .words = samples->words,
        .n = samples->n,
    };
    return 0;
}

/* The file is written without the lock: it may take its time. */
static int stop(bool asked)
{
    struct samples samples;
    struct profile done;
    int e, fd;

    lock(&profile.lock);
    e = stop_locked(asked, &done, &samples);
    fd = profile.fd;
    unlock(&profile.lock);
    if (e < 0)
        return e;
    e = profile.write(fd, &done);
    samples_free(&samples);
    return e;
}

/* ---- QUOIT_CPUPROFILE ----------------------------------------------------------------------- */

void profile_begin(void)
{
    int fd, e;

    if (env.cpuprofile == NULL)
        return;
    fd = open(env.cpuprofile, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    e = fd < 0 ? -errno : start(HZ_DEFAULT, fd, true);
    if (e == 0)
        return;
    log_line(LOG_WARNING, "QUOIT_CPUPROFILE=%s: no profile is taken (%s)", env.cpuprofile,
             strerrorname_np(-e));
    if (fd >= 0)
        close(fd);
}

/* Also what the program has begun and not ended. */
void profile_end(void)
{
    int e = stop(true);

    if (e == -EINVAL)
        return;
    if (e < 0)
        log_line(LOG_WARNING, "the cpu profile could not be written (%s)", strerrorname_np(-e));
    if (profile.asked)
        close(profile.fd);
}

/* The timers are the parent's, and so is the profile. Somebody may have held the lock. */
void profile_after_fork_child(void)
{
    handler_remove();
    profile.lock.word = 0;
    store_relaxed(&profile.on, 0);
}

/* ---- public --------------------------------------------------------------------------------- */

static int checked_start(int hz, int fd)
{
    int flags = fcntl(fd, F_GETFL), e;

    if (hz < 0 || hz > HZ_MOST)
        return -EINVAL;
    if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY)
        return -EBADF;
    if (!foreign_enter())
        return -ESHUTDOWN;
    e = start(hz > 0 ? hz : HZ_DEFAULT, fd, false);
    foreign_leave();
    return e;
}

int quoit_profile_start(int hz, int fd)
{
    int saved = errno, e = checked_start(hz, fd);

    errno = saved;
    return e;
}

int quoit_profile_stop(void)
{
    int saved = errno, e = -ESHUTDOWN;

    if (foreign_enter()) {
        e = stop(false);
        foreign_leave();
    }
    errno = saved;
    return e;
}
