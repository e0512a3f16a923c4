/* SPDX-License-Identifier: BSD-3-Clause
 * test-say.c - text reaches its descriptor whole, or says why not
 */
#include "say.h"

#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char heard[1 << 20];

static ssize_t hear(int fd)
{
    ssize_t k, n = 0;

    while (n < (ssize_t)sizeof heard && (k = read(fd, heard + n, sizeof heard - (size_t)n)) > 0)
        n += k;
    return n;
}

static void gathers(void)
{
    struct say s;
    int fds[2];

    if (pipe(fds) != 0)
        bail("no pipe");
    errno = ENOENT;
    say_begin(&s, fds[1]);
    say(&s, "goroutine %d", 7);
    say(&s, " [%s]\n", "running");
    is_int(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0, "a pipe that does not wait");
    errno = ENOENT;
    ok(read(fds[0], heard, sizeof heard) < 0 && errno == EAGAIN, "nothing is written at first");
    errno = ENOENT;
    is_int(say_flush(&s), 0, "written");
    is_int(errno, ENOENT, "errno is kept");
    is_int(read(fds[0], heard, sizeof heard), 22, "all of it, at once");
    ok(memcmp(heard, "goroutine 7 [running]\n", 22) == 0, "in its order");
    close(fds[0]);
    close(fds[1]);
}

static void *reader(void *fd)
{
    return (void *)(intptr_t)hear(*(int *)fd);
}

/* More than a pipe holds, through a descriptor that does not wait. */
static void waits_for_its_reader(void)
{
    enum { LINES = 20000 };
    struct say s;
    pthread_t t;
    void *got;
    int fds[2];
    bool right = true;

    if (pipe(fds) != 0 || fcntl(fds[1], F_SETFL, O_NONBLOCK) != 0)
        bail("no pipe");
    if (pthread_create(&t, NULL, reader, &fds[0]) != 0)
        bail("no thread");
    say_begin(&s, fds[1]);
    for (int i = 0; i < LINES; i++)
        say(&s, "line %08d\n", i);
    is_int(say_flush(&s), 0, "what is too much at once is written by and by");
    close(fds[1]);
    pthread_join(t, &got);
    is_int((intptr_t)got, LINES * 14, "nothing is lost");
    for (int i = 0; i < LINES; i++)
        right &= strtol(heard + i * 14 + 5, NULL, 10) == i;
    ok(right, "and all is in order");
    close(fds[0]);
}

static void says_what_is_wrong(void)
{
    static char big[3 * SAY_BYTES];
    struct say s;
    int fds[2];

    say_begin(&s, -1);
    say(&s, "x");
    is_int(say_flush(&s), -EBADF, "no descriptor");
    is_int(say_flush(&s), -EBADF, "the first error stays");
    if (pipe(fds) != 0)
        bail("no pipe");
    memset(big, 'x', sizeof big - 1);
    say_begin(&s, fds[1]);
    say(&s, "%s", big);
    say(&s, "\n");
    is_int(say_flush(&s), 0, "what does not fit");
    close(fds[1]);
    is_int(hear(fds[0]), SAY_BYTES, "is cut");
    is_int(heard[SAY_BYTES - 1], '\n', "and what follows is not");
    close(fds[0]);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    gathers();
    waits_for_its_reader();
    says_what_is_wrong();
    return done_testing();
}
