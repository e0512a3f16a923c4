/* SPDX-License-Identifier: BSD-3-Clause
 * fds.h - how many descriptors are open, and a number that none has
 */
#ifndef QUOIT_TESTS_FDS_H
#define QUOIT_TESTS_FDS_H

#include <fcntl.h>

/* For calls on what is closed: the number of a file that was closed just now another thread may
 * have, for the eventfd of its ring. */
enum { NO_FD = 9999 };

/* Of the first 2048. */
static inline int open_fds(void)
{
    int n = 0;

    for (int fd = 0; fd < 2048; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

#endif
