/* SPDX-License-Identifier: BSD-3-Clause
 * spawn.c - another program, started from a goroutine
 *
 * posix_spawn and not fork: it copies no page tables and no handlers run. What a child would
 * inherit from one of our threads, and is ours, is put right: the signal mask is that of the
 * thread which started Quoit, the cpus are the process's. Dispositions need nothing: what has a
 * handler gets its default when a program is executed, and we ignore no signal. The kernel lets
 * the caller wait until the program is executed, so the call is made where that holds up nobody.
 */
#include "bind.h"

#include "proc.h"

#include <errno.h>
#include <spawn.h>
#include <unistd.h>

struct start {
    pid_t *pid;
    const char *file;
    char *const *argv, *const *envp;
    const sigset_t *mask; /* NULL: the caller's */
};

/* -errno; none of these functions sets errno. */
static int attributes(posix_spawnattr_t *attr, const sigset_t *mask)
{
    int e = posix_spawnattr_init(attr);

    if (e != 0 || mask == NULL)
        return -e;
    e = posix_spawnattr_setsigmask(attr, mask);
    if (e == 0)
        e = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK);
    if (e != 0)
        posix_spawnattr_destroy(attr);
    return -e;
}

static int start(void *arg)
{
    struct start *s = arg;
    posix_spawnattr_t attr;
    int e = attributes(&attr, s->mask), saved = errno;
    bool wide;
    pid_t pid;

    if (e < 0)
        return e;
    wide = bind_widen();
    e = -posix_spawnp(&pid, s->file, NULL, &attr, s->argv, s->envp);
    if (wide)
        bind_narrow();
    posix_spawnattr_destroy(&attr);
    if (e == 0 && s->pid != NULL)
        *s->pid = pid;
    errno = saved;
    return e;
}

int quoit_spawn_process(pid_t *pid, const char *file, char *const argv[], char *const envp[])
{
    struct start s = { pid, file, argv, envp != NULL ? envp : environ, NULL };

    if (file == NULL || argv == NULL || argv[0] == NULL)
        return -EINVAL;
    if (m_get() != NULL)
        s.mask = &sched.sigmask;
    return quoit_block(start, &s);
}
