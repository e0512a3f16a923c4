/* SPDX-License-Identifier: BSD-3-Clause
 * test-posix.c - helper threads and the watcher: bounded, quiet, and gone at the end
 *
 * The linker leads through this file: pthread_create, so that there can be no threads; and
 * timed_wait_begun, so that something can happen just before a goroutine waits.
 */
#include "posix.h"

#include "atomic.h"
#include "os_linux.h"

#include "quoit.h"
#include "quoit_io.h"

#include "tap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIPES = 50, HELPERS = 3, WRITES = 200, CROWD = 200, DESCRIPTORS = 64 };

static char dir[] = "/tmp/quoit-posix-XXXXXX";
static int dirfd_;
static quoit_wg done;
static uint32_t sum;

static int count_threads(void)
{
    DIR *d = opendir("/proc/self/task");
    int n = 0;

    if (d == NULL)
        return 1;
    for (const struct dirent *e; (e = readdir(d)) != NULL;)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static int at_start;

static void *nothing(void *arg)
{
    return arg;
}

/* A sanitizer may start a thread of its own beside the first one of ours. */
static void count_at_start(void)
{
    pthread_t t;

    if (pthread_create(&t, NULL, nothing, NULL) != 0)
        bail("pthread_create");
    pthread_join(t, NULL);
    at_start = count_threads();
}

/* A joined thread is listed until the kernel has cleared it away. */
static bool alone_soon(void)
{
    int64_t until = nanotime() + 5000000000;

    while (count_threads() > at_start && nanotime() < until)
        os_yield();
    return count_threads() <= at_start;
}

/* ---- waiting readers need no threads -------------------------------------------------------- */

static int pipes[PIPES][2];

static int read_pipe(void *arg)
{
    char b = 0;

    if (quoit_read(pipes[(intptr_t)arg][0], &b, 1) == 1)
        add_relaxed(&sum, (uint32_t)b);
    quoit_wg_done(&done);
    return 0;
}

static int readers(void *arg unused_arg)
{
    for (intptr_t i = 0; i < PIPES; i++) {
        if (pipe(pipes[i]) < 0)
            bail("pipe");
        quoit_wg_add(&done, 1);
        quoit_go(read_pipe, (void *)i);
    }
    for (int i = 0; i < 10; i++)
        quoit_yield();
    ok(posix_helpers() <= HELPERS, "%d readers wait with %d helpers", PIPES, posix_helpers());
    /* In the other order, so that nobody profits from being first. */
    for (int i = PIPES - 1; i >= 0; i--)
        quoit_write(pipes[i][1], "\2", 1);
    quoit_wg_wait(&done);
    for (int i = 0; i < PIPES; i++) {
        close(pipes[i][0]);
        close(pipes[i][1]);
    }
    return (int)load_relaxed(&sum);
}

/* ---- more of them than descriptors are allowed ---------------------------------------------- */

static int crowd(void *arg unused_arg)
{
    static char bytes[CROWD];
    struct rlimit old, few;

    if (pipe(pipes[0]) < 0 || getrlimit(RLIMIT_NOFILE, &old) < 0)
        bail("pipe, getrlimit");
    few = (struct rlimit){ DESCRIPTORS, old.rlim_max };
    setrlimit(RLIMIT_NOFILE, &few);
    memset(bytes, 1, sizeof bytes);
    quoit_wg_add(&done, CROWD);
    for (int i = 0; i < CROWD; i++)
        quoit_go(read_pipe, NULL);
    while (posix_busy() < CROWD)
        quoit_yield();
    is_int(quoit_write(pipes[0][1], bytes, CROWD), CROWD, "a byte for each");
    quoit_wg_wait(&done);
    setrlimit(RLIMIT_NOFILE, &old);
    close(pipes[0][0]);
    close(pipes[0][1]);
    return (int)load_relaxed(&sum);
}

/* ---- no thread to be had -------------------------------------------------------------------- */

static uint32_t refuse;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
                          void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
                          void *arg);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
                          void *arg)
{
    /* As glibc does where thread-local variables need more than the stack has. */
    if (load_relaxed(&refuse) == EINVAL && attr != NULL)
        return EINVAL;
    return load_relaxed(&refuse) == EAGAIN ? EAGAIN : __real_pthread_create(thread, attr, fn, arg);
}

/* On one P: the reader's M must not block, or the writer never runs. */
static int read_first(void *arg)
{
    store_relaxed(&refuse, (uint32_t)(uintptr_t)arg);
    if (pipe(pipes[0]) < 0)
        bail("pipe");
    quoit_wg_add(&done, 1);
    quoit_go(read_pipe, NULL);
    for (int i = 0; i < 10; i++)
        quoit_yield();
    is_int(quoit_write(pipes[0][1], "\3", 1), 1, "written");
    quoit_wg_wait(&done);
    close(pipes[0][0]);
    close(pipes[0][1]);
    store_relaxed(&refuse, 0);
    return (int)load_relaxed(&sum);
}

static int create_and_sync(void *arg)
{
    char name[32] = "";
    int fd;

    snprintf(name, sizeof name, "f%d", (int)(intptr_t)arg);
    fd = quoit_openat(dirfd_, name, O_CREAT | O_RDWR, 0600);
    if (fd >= 0 && quoit_write(fd, name, 4) == 4 && quoit_fsync(fd) == 0 && quoit_close(fd) == 0)
        add_relaxed(&sum, 1);
    unlinkat(dirfd_, name, 0);
    quoit_wg_done(&done);
    return 0;
}

/* ---- ready, but not to be asked, and no thread either --------------------------------------- */

static int read_events(void *arg)
{
    char b[4096];

    add_relaxed(&sum, quoit_read((int)(intptr_t)arg, b, sizeof b) > 0);
    quoit_wg_done(&done);
    return 0;
}

/* The watcher is there when threads run out. */
static int read_without_thread(void *arg unused_arg)
{
    int fd = inotify_init1(IN_CLOEXEC);

    if (fd < 0 || inotify_add_watch(fd, dir, IN_CREATE | IN_DELETE) < 0) {
        skip("inotify cannot be had here");
        return 1;
    }
    quoit_wg_add(&done, 1);
    quoit_go(read_events, (void *)(intptr_t)fd);
    while (posix_busy() == 0)
        quoit_yield();
    store_relaxed(&refuse, EAGAIN);
    quoit_wg_add(&done, 1);
    create_and_sync(NULL);
    for (int i = 0; i < 1000; i++)
        quoit_yield();
    store_relaxed(&refuse, 0);
    store_relaxed(&sum, load_relaxed(&sum) - 1);
    quoit_wg_wait(&done);
    close(fd);
    return (int)load_relaxed(&sum);
}

/* ---- calls that only a helper can make ------------------------------------------------------ */

static int writers(void *arg unused_arg)
{
    struct quoit_stats st = { .size = sizeof st };

    for (intptr_t i = 0; i < WRITES; i++) {
        quoit_wg_add(&done, 1);
        quoit_go(create_and_sync, (void *)i);
    }
    quoit_wg_wait(&done);
    ok(posix_helpers() >= 1 && posix_helpers() <= HELPERS,
       "the work of %d goroutines by %d helpers", WRITES, posix_helpers());
    /* The last goroutine may go on before its helper is through with it. */
    while (posix_busy() > 0)
        quoit_yield();
    quoit_stats(&st);
    ok(st.helper_ops >= 2 * WRITES, "%d operations were counted", (int)st.helper_ops);
    is_int(st.ring_ops, 0, "none by ring");
    return (int)load_relaxed(&sum);
}

/* ---- helpers take no signals ---------------------------------------------------------------- */

/* Is SIGUSR1 blocked in every thread but ours? Ours have the mask of who called quoit_main. */
static int blocked_in(const char *task)
{
    char path[300], line[128];
    unsigned long long mask = 0;
    FILE *f;

    snprintf(path, sizeof path, "/proc/self/task/%s/status", task);
    f = fopen(path, "r");
    if (f == NULL)
        return 0;
    while (fgets(line, sizeof line, f) != NULL)
        (void)sscanf(line, "SigBlk: %llx", &mask);
    fclose(f);
    return (int)(mask >> (SIGUSR1 - 1) & 1);
}

static int deaf_threads(void *arg unused_arg)
{
    DIR *d;
    int deaf = 0;

    quoit_wg_add(&done, 1);
    create_and_sync(NULL);
    d = opendir("/proc/self/task");
    for (const struct dirent *e; (e = readdir(d)) != NULL;)
        if (e->d_name[0] != '.')
            deaf += blocked_in(e->d_name);
    closedir(d);
    return deaf;
}

/* ---- over before its goroutine waits --------------------------------------------------------*/

/* Set: once, the other ends of both FIFOs are opened when a call waits for a thread, and its
 * goroutine does not yet wait for the call. */
static bool hurry;
static int others[2];

struct m *__real_timed_wait_begun(struct m *mp, struct timed *t, int64_t deadline,
                                  int (*unlock)(void *), void *arg, const char *reason);
struct m *__wrap_timed_wait_begun(struct m *mp, struct timed *t, int64_t deadline,
                                  int (*unlock)(void *), void *arg, const char *reason);

struct m *__wrap_timed_wait_begun(struct m *mp, struct timed *t, int64_t deadline,
                                  int (*unlock)(void *), void *arg, const char *reason)
{
    if (hurry) {
        hurry = false;
        for (int i = 0; i < 2; i++)
            others[i] = openat(dirfd_, i == 0 ? "fifo" : "fifo2", O_RDWR | O_CLOEXEC);
        while (posix_busy() > 0)
            os_yield();
    }
    return __real_timed_wait_begun(mp, t, deadline, unlock, arg, reason);
}

static int open_first(void *arg unused_arg)
{
    int fd = quoit_openat(dirfd_, "fifo", O_RDONLY, 0);

    close(fd);
    quoit_wg_done(&done);
    return 0;
}

/* The one thread that there may be is in a call, and the next call waits for it. */
static int open_second(void *arg unused_arg)
{
    int fd;

    quoit_wg_add(&done, 1);
    quoit_go(open_first, NULL);
    while (posix_busy() == 0)
        quoit_yield();
    hurry = true;
    fd = quoit_openat(dirfd_, "fifo2", O_RDONLY, 0);
    quoit_wg_wait(&done);
    for (int i = 0; i < 2; i++)
        close(others[i]);
    return fd >= 0 && !hurry && close(fd) == 0 ? 4 : 0;
}

/* ---- errno ----------------------------------------------------------------------------------- */

static void looks_leave_errno_alone(void)
{
    struct op op = { .desc = &ops[OP_READ], .fd = -1, .len = 1 };

    errno = EXDEV;
    ok(!posix_lasts(&op), "a descriptor that is none lasts not");
    is_int(errno, EXDEV, "and errno is as it was");
    is_int(posix_try(&op), -EBADF, "nor can it be read");
    is_int(errno, EXDEV, "and errno is as it was");
}

/* ---- the end -------------------------------------------------------------------------------- */

static int open_fifo(void *arg unused_arg)
{
    (void)quoit_openat(dirfd_, "fifo", O_RDONLY, 0);
    return 0;
}

static int stuck(void *arg unused_arg)
{
    for (int i = 0; i < 2 * HELPERS; i++)
        quoit_go(open_fifo, NULL);
    while (posix_helpers() < 2 * HELPERS)
        quoit_yield();
    store_relaxed(&sum, 0);
    quoit_wg_add(&done, 1);
    create_and_sync(NULL);
    is_int(load_relaxed(&sum), 1, "%d opens of a FIFO do not hold up a file", 2 * HELPERS);
    return 3;
}

int main(void)
{
    if (mkdtemp(dir) == NULL)
        bail("no temporary directory");
    dirfd_ = open(dir, O_RDONLY | O_DIRECTORY);
    if (mkfifoat(dirfd_, "fifo", 0600) < 0 || mkfifoat(dirfd_, "fifo2", 0600) < 0)
        bail("no FIFO");
    count_at_start();
    setenv("QUOIT_IO", "posix", 1);
    setenv("QUOIT_HELPERS", "3", 1);
    setenv("GOMAXPROCS", "2", 1);
    is_int(quoit_main(readers, NULL), 2 * PIPES, "each reader got its byte");
    ok(alone_soon(), "no thread is left");
    store_relaxed(&sum, 0);
    is_int(quoit_main(crowd, NULL), CROWD, "so did each of a crowd");
    setenv("GOMAXPROCS", "1", 1);
    for (uintptr_t e = EAGAIN; e != 0; e = e == EAGAIN ? EINVAL : 0) {
        store_relaxed(&sum, 0);
        is_int(quoit_main(read_first, (void *)e), 3, "a reader waits without a thread (%s)",
               e == EAGAIN ? "none to be had" : "stacks are too small");
    }
    store_relaxed(&sum, 0);
    is_int(quoit_main(read_without_thread, NULL), 1, "a ready one waits for a thread");
    setenv("GOMAXPROCS", "2", 1);
    store_relaxed(&sum, 0);
    is_int(quoit_main(writers, NULL), WRITES, "every file was made, written and synced");
    ok(alone_soon(), "no thread is left");
    if (access("/proc/self/task", R_OK) == 0)
        ok(quoit_main(deaf_threads, NULL) >= 1, "the helper has all signals blocked");
    else
        skip("the signals of a helper: /proc is not mounted");
    looks_leave_errno_alone();
    setenv("QUOIT_MAXBLOCKED", "1", 1);
    setenv("GOMAXPROCS", "1", 1);
    is_int(quoit_main(open_second, NULL), 4, "a call that waited for a thread is over at once");
    unsetenv("QUOIT_MAXBLOCKED");
    setenv("GOMAXPROCS", "2", 1);
    is_int(quoit_main(stuck, NULL), 3, "helpers in calls that never end do not hold up the end");
    ok(alone_soon(), "and are gone");
    unlinkat(dirfd_, "fifo", 0);
    unlinkat(dirfd_, "fifo2", 0);
    rmdir(dir);
    return done_testing();
}
