/* SPDX-License-Identifier: BSD-3-Clause
 * scan.c - the real job: read and hash every regular file below a directory
 *
 * One walker (walk.c) feeds paths (feed.c) to readers; all are goroutines, or
 * all are threads. A reader opens, reads until nothing comes, closes, and hashes
 * what it read. Walk, buffers, hash and the number of operations are the same
 * for all peers; struct feed_calls is all that differs.
 *
 * The digest is a sum over the files, so the order in which they were read does
 * not matter, and peers that did the same work have the same one.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "quoit.h"
#include "quoit_io.h"

#include "bench.h"
#include "cache.h"
#include "feed.h"
#include "measure.h"
#include "walk.h"

/* Buffers a power of two apart would share a few sets of the cache. */
enum { BUFFER = 65536, STRIDE = BUFFER + 12288, THREADS_MAX = 4096 };
enum { RATE, BYTES, CPU, CALLS };

static struct scan {
    const struct feed_calls *calls;
    struct feed *feed;
    struct tally *skipped;
    int root, readers, walk_error;
    char *buffers;
    _Atomic int next; /* which buffer is free */
    _Atomic int failed;
    _Atomic uint64_t files, bytes, digest, ops;
    quoit_wg done;
    pthread_t walker;
} s;

struct reader {
    char *buffer;
    XXH64_state_t *hash;
    uint64_t files, bytes, digest, ops;
};

static uint64_t digest_of(const char *path, uint64_t content)
{
    uint64_t both[2] = {XXH64(path, strlen(path), 0), content};

    return XXH64(both, sizeof(both), 0);
}

static void read_file(struct reader *r, const char *path)
{
    int fd = s.calls->openat(s.root, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
    uint64_t bytes = 0;
    ssize_t n;

    r->ops++;
    if (fd < 0) {
        tally_error(s.skipped, fd, path);
        return;
    }
    XXH64_reset(r->hash, 0);
    do {
        n = s.calls->read(fd, r->buffer, BUFFER);
        r->ops++;
        if (n > 0) {
            XXH64_update(r->hash, r->buffer, (size_t)n);
            bytes += (uint64_t)n;
        }
    } while (n > 0);
    s.calls->close(fd);
    r->ops++;
    if (n < 0) {
        tally_error(s.skipped, (int)n, path);
        return;
    }
    r->files++;
    r->bytes += bytes;
    r->digest += digest_of(path, XXH64_digest(r->hash));
}

static void read_all(void)
{
    struct reader r = {.buffer = s.buffers + (size_t)s.next++ * STRIDE};
    const struct feed_batch *b;
    uint64_t number;

    r.hash = XXH64_createState();
    if (!r.hash)
        s.failed = -ENOMEM;
    while ((b = feed_take(s.feed, &number)) != NULL) {
        const char *path = b->text;

        for (unsigned i = 0; i < b->n && r.hash; i++, path += strlen(path) + 1)
            read_file(&r, path);
        feed_done(s.feed, number);
    }
    XXH64_freeState(r.hash);
    s.files += r.files;
    s.bytes += r.bytes;
    s.digest += r.digest;
    s.ops += r.ops;
}

static void walk_all(void)
{
    s.walk_error = walk_tree(s.root, feed_put, s.feed, s.skipped);
    feed_end(s.feed, s.readers);
}

static int walker(void *arg)
{
    (void)arg;
    walk_all();
    quoit_wg_done(&s.done);
    return 0;
}

static int reader(void *arg)
{
    (void)arg;
    read_all();
    quoit_wg_done(&s.done);
    return 0;
}

static void *thread_reader(void *arg)
{
    read_all();
    return arg;
}

static void *thread_walker(void *arg)
{
    walk_all();
    return arg;
}

/* ---- what the peers do differently */

static int plain_openat(int dirfd, const char *path, int flags, mode_t mode)
{
    int fd = openat(dirfd, path, flags, mode);

    return fd < 0 ? -errno : fd;
}

static ssize_t plain_read(int fd, void *buf, size_t n)
{
    ssize_t got = read(fd, buf, n);

    return got < 0 ? -errno : got;
}

static int plain_close(int fd)
{
    return close(fd) < 0 ? -errno : 0;
}

static void plain_init(union feed_sema *sema, unsigned n)
{
    sem_init(&sema->posix, 0, n);
}

static void plain_wait(union feed_sema *sema)
{
    while (sem_wait(&sema->posix) < 0) {
    }
}

static void plain_post(union feed_sema *sema)
{
    sem_post(&sema->posix);
}

static void sema_init(union feed_sema *sema, unsigned n)
{
    quoit_sema_init(&sema->quoit, n);
}

static void sema_wait(union feed_sema *sema)
{
    quoit_sema_wait(&sema->quoit);
}

static void sema_post(union feed_sema *sema)
{
    quoit_sema_post(&sema->quoit);
}

static const struct feed_calls plain_calls = {plain_openat, plain_read, plain_close,
                                              plain_init,   plain_wait, plain_post};
static const struct feed_calls quoit_calls = {quoit_openat, quoit_read, quoit_close,
                                              sema_init,    sema_wait,  sema_post};

/* ---- a run */

static int begin(const struct job *job, const struct feed_calls *calls, int readers)
{
    const char *dir = job->options->dir;

    s.calls = calls;
    s.readers = job->out->workers = readers;
    s.skipped = &job->out->skipped;
    s.root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s.root < 0)
        return outcome_wrong(job->out, "%s: %s", dir, strerror(errno));
    s.feed = feed_new(calls);
    s.buffers = malloc((size_t)readers * STRIDE);
    return s.feed && s.buffers ? 0 : -ENOMEM;
}

static int end(const struct job *job, uint64_t elapsed, uint64_t cpu)
{
    struct outcome *out = job->out;
    double files = (double)s.files;

    if (s.walk_error || s.failed)
        return s.walk_error ? s.walk_error : s.failed;
    out->elapsed_ns = elapsed;
    out->count = s.ops;
    out->files = s.files;
    out->bytes = s.bytes;
    out->digest = s.digest;
    out->value[RATE] = files / ((double)elapsed / 1e9);
    out->value[BYTES] = (double)s.bytes / (double)elapsed;
    out->value[CPU] = files > 0 ? (double)cpu / 1000 / files : 0;
    return 0;
}

static int scan(void *arg)
{
    const struct job *job = arg;
    int err = begin(job, &quoit_calls, job->options->goroutines);
    uint64_t t0 = now_ns(), cpu0 = cpu_ns(), calls0 = quoit_system_calls();

    if (err)
        return err;
    quoit_wg_add(&s.done, s.readers + 1);
    for (int i = 0; i < s.readers && !err; i++)
        err = quoit_go(reader, NULL);
    if (!err)
        err = quoit_go(walker, NULL);
    if (err)
        return err;
    quoit_wg_wait(&s.done);
    err = end(job, now_ns() - t0, cpu_ns() - cpu0);
    if (s.ops)
        job->out->value[CALLS] = (double)(quoit_system_calls() - calls0) / (double)s.ops;
    return err;
}

static int thread_scan(void *arg)
{
    static pthread_t id[THREADS_MAX];
    const struct job *job = arg;
    int wanted = job->factor * job->procs;
    int err = begin(job, &plain_calls, wanted < THREADS_MAX ? wanted : THREADS_MAX);
    uint64_t t0 = now_ns(), cpu0 = cpu_ns();

    for (int i = 0; i < s.readers && !err; i++)
        err = -pthread_create(&id[i], NULL, thread_reader, NULL);
    if (!err)
        err = -pthread_create(&s.walker, NULL, thread_walker, NULL);
    if (err)
        return err;
    for (int i = 0; i < s.readers; i++)
        pthread_join(id[i], NULL);
    err = end(job, now_ns() - t0, cpu_ns() - cpu0);
    pthread_join(s.walker, NULL);
    return err;
}

#define SCAN_SIDES                                                                                 \
    {                                                                                              \
        {.peer = "quoit", .run = scan, .in_quoit = true},                                          \
            {.peer = "pthread", .run = thread_scan, .factor = 1},                                  \
            {.peer = "pthread", .run = thread_scan, .factor = 2},                                  \
            {.peer = "pthread", .run = thread_scan, .factor = 4},                                  \
    }

const struct workload workload_scan_hot = {
    .name = "scan-hot",
    .group = "scan",
    .about = "read and hash every file below DIR (/usr/share) from the page cache",
    .heading = "A real job: reading and hashing a tree of files",
    .thread_means = "The same by a pool of kernel threads, the best of three sizes.",
    .metrics = {[RATE] = {.name = "scan-hot",
                          .unit = "files/s",
                          .means = "Files opened, read, hashed and closed in a second.",
                          .tour = true},
                [BYTES] = {.name = "scan-hot-bytes", .unit = "GB/s"},
                [CPU] = {.name = "scan-hot-cpu", .unit = "us/file"},
                [CALLS] = {.name = "scan-hot-calls",
                           .unit = "calls/op",
                           .means =
                               "System calls that an open, read or close needs; threads need 1.",
                           .only = "quoit",
                           .tour = true}},
    .sides = SCAN_SIDES,
    .widths = ALL,
    .start = 1,
    .fixed = true,
    .warm = true,
    .scans = true,
};

const struct workload workload_scan_cold = {
    .name = "scan-cold",
    .group = "scan",
    .about = "the same with the page cache dropped before each run (--cold)",
    .metrics = {[RATE] = {.name = "scan-cold", .unit = "files/s"},
                [BYTES] = {.name = "scan-cold-bytes", .unit = "GB/s"},
                [CPU] = {.name = "scan-cold-cpu", .unit = "us/file"},
                [CALLS] = {.name = "scan-cold-calls", .unit = "calls/op", .only = "quoit"}},
    .sides = SCAN_SIDES,
    .widths = ALL,
    .start = 1,
    .fixed = true,
    .only_named = true,
    .scans = true,
    .prepare = cache_drop,
};
