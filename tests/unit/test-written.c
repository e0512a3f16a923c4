/* SPDX-License-Identifier: BSD-3-Clause
 * test-written.c - what operations read is looked at
 *
 * The memory has never been written to, and the operations wait: on Valgrind a look at what it
 * was not told of is an error.
 */
#include "quoit.h"
#include "quoit_io.h"
#include "tap.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { N = 8 };

static int writes(void *arg)
{
    return quoit_write(*(int *)arg, "abcdefgh", N) == N ? 0 : 1;
}

static void bytes(int fd, int *from)
{
    char *b = malloc(N);

    quoit_go(writes, from);
    is_int(quoit_read(fd, b, N), N, "read");
    ok(memcmp(b, "abcdefgh", N) == 0, "what it read");
    free(b);
}

static void vectors(int fd, int *from)
{
    char *a = malloc(3), *b = malloc(N);
    struct iovec v[] = { { a, 3 }, { b, N } };

    quoit_go(writes, from);
    is_int(quoit_readv(fd, v, 2), N, "readv");
    ok(memcmp(a, "abc", 3) == 0 && memcmp(b, "defgh", N - 3) == 0, "what it read");
    free(a);
    free(b);
}

static void batches(int fd, int *from)
{
    char *b = malloc(N);
    struct quoit_io io = { .what = QUOIT_IO_READ, .fd = fd, .buf = b, .n = N };

    quoit_go(writes, from);
    is_int(quoit_io_batch(&io, 1), 0, "a batch");
    ok(memcmp(b, "abcdefgh", N) == 0, "what it read");
    free(b);
}

static struct sockaddr_in loopback(int fd)
{
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof name;

    if (bind(fd, (struct sockaddr *)&name, len) < 0 ||
        getsockname(fd, (struct sockaddr *)&name, &len) < 0)
        bail("bind");
    return name;
}

static struct sockaddr_in server;

static int connects(void *arg)
{
    int fd = *(int *)arg;

    return quoit_connect(fd, (struct sockaddr *)&server, sizeof server);
}

/* Both ends of a connection; the name of who connected is looked at. */
static void accepts(int end[2])
{
    struct sockaddr_in *name = malloc(sizeof *name);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t len = sizeof *name;

    server = loopback(fd);
    end[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listen(fd, 1) < 0)
        bail("listen");
    quoit_go(connects, &end[1]);
    end[0] = quoit_accept(fd, (struct sockaddr *)name, &len);
    ok(end[0] >= 0 && len == sizeof *name, "accept");
    ok(name->sin_addr.s_addr == htonl(INADDR_LOOPBACK), "who connected");
    close(fd);
    free(name);
}

static void receives(void)
{
    char *b = malloc(N);
    int end[2];

    accepts(end);
    quoit_go(writes, &end[1]);
    is_int(quoit_recv(end[0], b, N, 0), N, "recv");
    ok(memcmp(b, "abcdefgh", N) == 0, "what it received");
    close(end[0]);
    close(end[1]);
    free(b);
}

static int sends(void *arg)
{
    return quoit_sendto(*(int *)arg, "abcdefgh", N, 0, (struct sockaddr *)&server, sizeof server) ==
                   N ? 0 : 1;
}

static void messages(void)
{
    struct sockaddr_in *name = malloc(sizeof *name);
    socklen_t len = sizeof *name;
    char *b = malloc(N);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    server = loopback(fd);
    quoit_go(sends, &fd);
    is_int(quoit_recvfrom(fd, b, N, 0, (struct sockaddr *)name, &len), N, "recvfrom");
    ok(memcmp(b, "abcdefgh", N) == 0, "what it received");
    ok(name->sin_port == server.sin_port && len == sizeof *name, "and from whom");
    close(fd);
    free(b);
    free(name);
}

static void children(void)
{
    siginfo_t *info = malloc(sizeof *info);
    char name[] = "true", *argv[] = { name, NULL };
    pid_t pid;

    if (quoit_spawn_process(&pid, name, argv, NULL) != 0)
        bail("quoit_spawn_process");
    is_int(quoit_waitid(P_PID, (unsigned)pid, info, WEXITED), 0, "waitid");
    ok(info->si_pid == pid && info->si_status == 0, "who ended");
    free(info);
}

static int body(void *arg)
{
    int p[2];

    if (pipe2(p, O_CLOEXEC) < 0)
        bail("pipe");
    bytes(p[0], &p[1]);
    vectors(p[0], &p[1]);
    batches(p[0], &p[1]);
    receives();
    messages();
    children();
    close(p[0]);
    close(p[1]);
    return *(int *)arg;
}

int main(void)
{
    int seven = 7;

    is_int(quoit_main(body, &seven), 7, "quoit_main");
    return done_testing();
}
