/* SPDX-License-Identifier: BSD-3-Clause
 * child.c - what a program that dies says
 */
#include "child.h"

#include "tap.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void in_child(int fd, int (*fn)(void *), void *arg)
{
    static const struct rlimit no_core = { 0, 0 };

    dup2(fd, STDERR_FILENO);
    close(fd);
    setrlimit(RLIMIT_CORE, &no_core);
    /* A sanitizer has its own by now. */
    signal(SIGSEGV, SIG_DFL);
    signal(SIGBUS, SIG_DFL);
    signal(SIGABRT, SIG_DFL);
    _exit(fn(arg));
}

void child_run(struct child *c, int (*fn)(void *), void *arg)
{
    size_t n = 0;
    char rest[512];
    ssize_t k;
    int fds[2];
    pid_t pid;

    if (pipe(fds) != 0 || (pid = fork()) < 0)
        bail("no child: %s", strerror(errno));
    if (pid == 0) {
        close(fds[0]);
        in_child(fds[1], fn, arg);
    }
    close(fds[1]);
    while (n < sizeof c->said - 1 && (k = read(fds[0], c->said + n, sizeof c->said - 1 - n)) > 0)
        n += (size_t)k;
    c->said[n] = '\0';
    while (read(fds[0], rest, sizeof rest) > 0)
        ;
    close(fds[0]);
    while (waitpid(pid, &c->status, 0) < 0 && errno == EINTR)
        ;
}

bool child_said(const struct child *c, const char *what)
{
    bool did = strstr(c->said, what) != NULL;

    if (!did)
        diag("not said: %s; but: %s", what, c->said);
    return did;
}

int child_end(const struct child *c)
{
    return WIFSIGNALED(c->status) ? -WTERMSIG(c->status) : WEXITSTATUS(c->status);
}
