/* SPDX-License-Identifier: BSD-3-Clause
 * wide.c - see wide.h
 */
#include "wide.h"

#include "tap.h"

#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { TEXT = 4096 };

static char *self;
static char wide[TEXT]; /* the mask in the kernel's words, which a child gets for its argument */

static void tell_mask(char *out)
{
    static const char label[] = "Cpus_allowed:\t";
    char line[TEXT];
    FILE *f = fopen("/proc/thread-self/status", "re");
    out[0] = '\0';
    while (f && !out[0] && fgets(line, sizeof line, f))
        if (strncmp(line, label, strlen(label)) == 0)
            sscanf(line + strlen(label), "%4095s", out);
    if (f)
        fclose(f);
}

void wide_begin(int argc, char **argv)
{
    char now[TEXT];
    tell_mask(now);
    if (argc > 1)
        exit(strcmp(argv[1], now) != 0);
    if (!now[0])
        skip_all("/proc cannot be read");
    self = argv[0];
    strcpy(wide, now);
}

int wide_cpus(void)
{
    int cpus = 0;
    for (const char *p = wide; *p; p++)
        if (*p != ',')
            cpus += __builtin_popcount((unsigned)(*p <= '9' ? *p - '0' : *p - 'a' + 10));
    return cpus;
}

bool wide_now(void)
{
    char now[TEXT];
    tell_mask(now);
    return strcmp(now, wide) == 0;
}

static void *answer(void *out)
{
    *(bool *)out = wide_now();
    return NULL;
}

bool wide_thread(const pthread_attr_t *attr)
{
    pthread_t id;
    bool is_wide = false;
    if (pthread_create(&id, attr, answer, &is_wide))
        bail("no thread");
    pthread_join(id, NULL);
    return is_wide;
}

static bool ends_well(pid_t pid)
{
    int status = -1;
    return waitpid(pid, &status, 0) == pid && status == 0;
}

bool wide_fork(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(!wide_now());
    return ends_well(pid);
}

bool wide_spawn(void)
{
    pid_t pid;
    char *argv[] = {self, wide, NULL};
    return posix_spawn(&pid, self, NULL, NULL, argv, environ) == 0 && ends_well(pid);
}

bool wide_spawnp(void)
{
    pid_t pid;
    char *argv[] = {self, wide, NULL};
    return posix_spawnp(&pid, self, NULL, NULL, argv, environ) == 0 && ends_well(pid);
}

/* Static: a goroutine's stack has better uses. */
static const char *command(void)
{
    static char text[TEXT + 4096];
    snprintf(text, sizeof text, "'%s' %s", self, wide);
    return text;
}

bool wide_system(void)
{
    return system(command()) == 0;
}

bool wide_popen(void)
{
    FILE *f = popen(command(), "r");
    return f && pclose(f) == 0;
}

void wide_all(bool want, const char *when)
{
    const char *what = want ? "has the process's cpus" : "inherits";
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 1 << 18);
    ok(wide_thread(NULL) == want, "%s: a thread %s", when, what);
    ok(wide_thread(&attr) == want, "%s: a thread with attributes of its own %s", when, what);
    ok(wide_spawn() == want, "%s: posix_spawn %s", when, what);
    ok(wide_spawnp() == want, "%s: posix_spawnp %s", when, what);
    ok(wide_system() == want, "%s: system %s", when, what);
    ok(wide_popen() == want, "%s: popen %s", when, what);
    ok(!wide_now(), "%s: the thread itself is as bound as before", when);
    pthread_attr_destroy(&attr);
}
