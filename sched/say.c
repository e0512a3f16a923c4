/* SPDX-License-Identifier: BSD-3-Clause
 * say.c - text for a file descriptor, from anywhere
 *
 * vsnprintf with plain conversions: see log.c.
 */
#include "say.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

/* Until fd takes more: it is one that does not wait by itself. */
static void wait_writable(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLOUT };

    (void)poll(&p, 1, -1);
}

int say_flush(struct say *s)
{
    const char *text = s->text;
    int saved = errno;

    while (s->n > 0 && s->error == 0) {
        ssize_t k = write(s->fd, text, s->n);

        if (k >= 0) {
            text += k;
            s->n -= (uint32_t)k;
        } else if (errno == EAGAIN) {
            wait_writable(s->fd);
        } else if (errno != EINTR) {
            s->error = -errno;
        }
    }
    s->n = 0;
    errno = saved;
    return s->error;
}

void say(struct say *s, const char *fmt, ...)
{
    for (int try = 0; try < 2; try++) {
        size_t room = sizeof s->text - s->n;
        int saved = errno, n;
        va_list ap;

        va_start(ap, fmt);
        n = vsnprintf(s->text + s->n, room, fmt, ap);
        va_end(ap);
        errno = saved;
        if (n < 0)
            return;
        if ((size_t)n < room) {
            s->n += (uint32_t)n;
            return;
        }
        if (try == 1)
            s->n = (uint32_t)sizeof s->text - 1;
        say_flush(s);
    }
}
