/* SPDX-License-Identifier: BSD-3-Clause
 * children.c - answers a few of libc's functions while threads are bound
 *
 * fork runs handlers, so the child frees itself there. Nothing of the kind
 * exists for posix_spawn, system and popen (the child shares our memory until
 * it executes) nor for pthread_create with an attribute object of the caller's
 * own, as libgomp makes them: the child simply inherits. So while Quoit runs,
 * the entries through which loaded objects call these functions (their global
 * offset tables) point here, and a bound thread goes back to the process's mask
 * for the length of the real call: two system calls, next to those of a new
 * thread. Threads that are not bound pass straight through, entries that hold
 * anything but libc's function are left alone, and children_remove puts libc's
 * functions back.
 *
 * sched_getaffinity and pthread_getaffinity_np are in the list because libgomp
 * counts the cpus of the calling thread each time it is asked
 * (omp_get_num_procs), and so do others that size their pools; syscall, because
 * LLVM's libomp asks the kernel by it, once, and gives what it heard to all its
 * threads. What a goroutine may use is the process's mask, not that of the
 * thread it happens to run on; so a bound thread that asks about itself is told
 * that. A mask which the user has set on the thread is reported as it is.
 *
 * Turned down: the default thread attribute (pthread_setattr_default_np) alone,
 * since it neither reaches threads made with an attribute object nor processes,
 * and does reach threads made by threads that are not ours, which may be bound
 * by their owner; it is used where there is no entry to point here, in static
 * executables. Exporting functions of these names: whoever links us would get
 * them for the whole process, and it depends on the order of linking. --wrap:
 * does not reach libraries. Looking for new threads now and then: too late for
 * those who count cpus first. seccomp notification, LD_AUDIT: not ours to force
 * on a process.
 *
 * What is not reached: processes made by system, popen or posix_spawn in a
 * static executable; raw clone and vfork, which may not be called through a
 * function that returns; threads that the constructor of a library makes while
 * dlopen is called on a bound thread. A plain thread made for them is the way for those.
 */
#include "children.h"

#include "bind.h"
#include "redirect.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum hook_id {
    HOOK_CREATE, HOOK_SPAWN, HOOK_SPAWNP, HOOK_PIDFD_SPAWN, HOOK_PIDFD_SPAWNP,
    HOOK_SYSTEM, HOOK_POPEN, HOOK_SCHED_GET, HOOK_PTHREAD_GET, HOOK_SYSCALL, HOOKS,
};

static struct redirect hooks[HOOKS + 1];

#define REAL(id, like) ((__typeof__(&like))hooks[id].real)

static int create_wide(pthread_t *out, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
    bool wide = bind_widen();
    int r = REAL(HOOK_CREATE, pthread_create)(out, attr, fn, arg);
    if (wide)
        bind_narrow();
    return r;
}

static int spawn_by(enum hook_id id, pid_t *out, const char *file,
                    const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attr,
                    char *const argv[], char *const envp[])
{
    bool wide = bind_widen();
    int r = REAL(id, posix_spawn)(out, file, actions, attr, argv, envp);
    if (wide)
        bind_narrow();
    return r;
}

/* The four differ in what they are asked to run and give back; a pid and a
 * descriptor are both an int. */
#define SPAWN_WIDE(name, id)                                                                     \
    static int name(pid_t *out, const char *file, const posix_spawn_file_actions_t *actions,     \
                    const posix_spawnattr_t *attr, char *const argv[], char *const envp[])       \
    {                                                                                            \
        return spawn_by(id, out, file, actions, attr, argv, envp);                               \
    }
SPAWN_WIDE(spawn_wide, HOOK_SPAWN)
SPAWN_WIDE(spawnp_wide, HOOK_SPAWNP)
SPAWN_WIDE(pidfd_spawn_wide, HOOK_PIDFD_SPAWN)
SPAWN_WIDE(pidfd_spawnp_wide, HOOK_PIDFD_SPAWNP)

static int system_wide(const char *command)
{
    bool wide = bind_widen();
    int r = REAL(HOOK_SYSTEM, system)(command);
    if (wide)
        bind_narrow();
    return r;
}

static FILE *popen_wide(const char *command, const char *type)
{
    bool wide = bind_widen();
    FILE *f = REAL(HOOK_POPEN, popen)(command, type);
    if (wide)
        bind_narrow();
    return f;
}

/* The kernel has just filled `set`; what comes from us is not what was asked for. */
static void show_process(cpu_set_t *set, size_t bytes)
{
    size_t have;
    const unsigned long *saved = bind_saved(&have);
    if (!saved || !bind_is_ours(set, bytes))
        return;
    memset(set, 0, bytes);
    memcpy(set, saved, have < bytes ? have : bytes);
}

static int sched_get_wide(pid_t pid, size_t bytes, cpu_set_t *set)
{
    int r = REAL(HOOK_SCHED_GET, sched_getaffinity)(pid, bytes, set);
    if (r == 0 && bind_is_bound() && (pid == 0 || pid == gettid()))
        show_process(set, bytes);
    return r;
}

static int pthread_get_wide(pthread_t thread, size_t bytes, cpu_set_t *set)
{
    int r = REAL(HOOK_PTHREAD_GET, pthread_getaffinity_np)(thread, bytes, set);
    if (r == 0 && bind_is_bound() && pthread_equal(thread, pthread_self()))
        show_process(set, bytes);
    return r;
}

/* Variable arguments, all of one size: they come where named ones would. The seventh is garbage
 * more often than not, as it is for the real function. */
static long syscall_wide(long nr, long a, long b, long c, long d, long e, long f)
{
    long r = REAL(HOOK_SYSCALL, syscall)(nr, a, b, c, d, e, f);
    if (nr == SYS_sched_getaffinity && r > 0 && bind_is_bound() && (a == 0 || a == gettid()))
        show_process((cpu_set_t *)c, (size_t)r);
    return r;
}

static struct redirect hooks[HOOKS + 1] = {
    [HOOK_CREATE] = {.name = "pthread_create", .ours = (uintptr_t)create_wide},
    [HOOK_SPAWN] = {.name = "posix_spawn", .ours = (uintptr_t)spawn_wide},
    [HOOK_SPAWNP] = {.name = "posix_spawnp", .ours = (uintptr_t)spawnp_wide},
    [HOOK_PIDFD_SPAWN] = {.name = "pidfd_spawn", .ours = (uintptr_t)pidfd_spawn_wide},
    [HOOK_PIDFD_SPAWNP] = {.name = "pidfd_spawnp", .ours = (uintptr_t)pidfd_spawnp_wide},
    [HOOK_SYSTEM] = {.name = "system", .ours = (uintptr_t)system_wide},
    [HOOK_POPEN] = {.name = "popen", .ours = (uintptr_t)popen_wide},
    [HOOK_SCHED_GET] = {.name = "sched_getaffinity", .ours = (uintptr_t)sched_get_wide},
    [HOOK_PTHREAD_GET] = {.name = "pthread_getaffinity_np", .ours = (uintptr_t)pthread_get_wide},
    [HOOK_SYSCALL] = {.name = "syscall", .ours = (uintptr_t)syscall_wide},
};

/* One look at a time; whoever finds somebody looking need not look as well. */
static pthread_mutex_t looking = PTHREAD_MUTEX_INITIALIZER;

/* Under it: */
static bool hooked;                   /* calls are to come here */
static unsigned long long seen_loads; /* what the last look returned */
static bool default_set;              /* the default thread attribute carries the saved mask */

/* The default attribute with this mask in it; no bytes: without any. */
static int set_default(const unsigned long *mask, size_t bytes)
{
    pthread_attr_t attr;
    int err = pthread_getattr_default_np(&attr);
    if (err)
        return -err;
    err = pthread_attr_setaffinity_np(&attr, bytes, (const cpu_set_t *)mask);
    if (!err)
        err = pthread_setattr_default_np(&attr);
    pthread_attr_destroy(&attr);
    return -err;
}

static void in_child(void)
{
    pthread_mutex_init(&looking, NULL); /* its owner was not copied */
    bind_thread_process();
}

void children_remask(void)
{
    size_t bytes;
    const unsigned long *saved = bind_saved(&bytes);
    pthread_mutex_lock(&looking);
    if (default_set)
        set_default(saved, bytes);
    pthread_mutex_unlock(&looking);
}

int children_install(void)
{
    static bool fork_handled; /* handlers cannot be taken out; ours lets free threads be */
    size_t bytes;
    const unsigned long *saved = bind_saved(&bytes);
    if (!saved)
        return -EINVAL;
    if (!fork_handled && pthread_atfork(NULL, NULL, in_child))
        return -ENOMEM;
    fork_handled = true;
    pthread_mutex_lock(&looking);
    for (struct redirect *h = hooks; h->name; h++) {
        h->real = (uintptr_t)dlsym(RTLD_DEFAULT, h->name);
        h->entries = 0;
    }
    dlerror(); /* an older libc has no pidfd_spawn; the caller's next dlerror is not to say so */
    hooked = true;
    seen_loads = redirect(hooks, true, 0);
    if (hooks[HOOK_CREATE].entries == 0)
        default_set = set_default(saved, bytes) == 0;
    pthread_mutex_unlock(&looking);
    return 0;
}

void children_refresh(void)
{
    if (pthread_mutex_trylock(&looking))
        return;
    if (hooked)
        seen_loads = redirect(hooks, true, seen_loads);
    pthread_mutex_unlock(&looking);
}

void children_remove(void)
{
    pthread_mutex_lock(&looking);
    hooked = false;
    redirect(hooks, false, 0);
    if (default_set)
        set_default(&(unsigned long){0}, 0);
    default_set = false;
    pthread_mutex_unlock(&looking);
}
