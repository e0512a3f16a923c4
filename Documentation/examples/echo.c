/* SPDX-License-Identifier: BSD-3-Clause
 * echo.c - sends back what it is sent: echo [PORT]
 */
#include "serve.h"

#include <quoit_io.h>

static void echo(int fd, void *arg)
{
    char buf[16384];
    ssize_t n;

    (void)arg;
    while ((n = quoit_recv(fd, buf, sizeof buf, 0)) > 0)
        if (quoit_send(fd, buf, (size_t)n, 0) < n)
            break;
}

int main(int argc, char **argv)
{
    return serve(argc > 1 ? argv[1] : "7007", echo, NULL);
}
