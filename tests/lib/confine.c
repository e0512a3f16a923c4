/* SPDX-License-Identifier: BSD-3-Clause
 * confine.c - runs a program with less than this machine has
 *
 *     confine cpu PROGRAM ARG...          on one of the allowed cpus
 *     confine membarrier PROGRAM ARG...   where membarrier(2) is refused with EPERM
 *     confine old PROGRAM ARG...          where the kernel does not know it (ENOSYS)
 *     confine rings PROGRAM ARG...        where two rings can be set up, and then no more
 *
 * A filter cannot count. So the last one asks another process each time: this one, which runs the
 * program as its child, and ends as that does.
 */
#include "forbid.h"
#include "tap.h"

#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void one_cpu(void)
{
    cpu_set_t cpus;
    int kept = 0;

    if (sched_getaffinity(0, sizeof cpus, &cpus) < 0)
        skip_all("the allowed cpus cannot be read: %s", strerror(errno));
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &cpus) && kept++ > 0)
            CPU_CLR(cpu, &cpus);
    if (sched_setaffinity(0, sizeof cpus, &cpus) < 0)
        skip_all("sched_setaffinity: %s", strerror(errno));
}

static void without_membarrier(int err)
{
    int e = forbid(SYS_membarrier, err);

    if (e < 0)
        skip_all("no seccomp filter can be set: %s", strerror(-e));
}

/* ---- rings ---------------------------------------------------------------------------------- */

/* The trial, and that of one thread. */
enum { RINGS = 2 };

/* The filter of this process, as a descriptor on which its calls are told. */
static int tell_of_rings(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog prog = { .len = sizeof code / sizeof code[0], .filter = code };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                        &prog);
}

static void send_fd(int to, int fd)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } c;
    char byte = 0;
    struct iovec v = { &byte, 1 };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = c.room,
                        .msg_controllen = sizeof c.room };

    c.head = (struct cmsghdr){ CMSG_LEN(sizeof fd), SOL_SOCKET, SCM_RIGHTS };
    memcpy(CMSG_DATA(&c.head), &fd, sizeof fd);
    if (fd < 0)
        m.msg_controllen = 0;
    (void)!sendmsg(to, &m, 0);
}

static int received_fd(int from)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } c;
    char byte;
    struct iovec v = { &byte, 1 };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = c.room,
                        .msg_controllen = sizeof c.room };
    int fd = -1;

    if (recvmsg(from, &m, 0) == 1 && m.msg_controllen >= CMSG_LEN(sizeof fd))
        memcpy(&fd, CMSG_DATA(&c.head), sizeof fd);
    return fd;
}

/* Until nobody is left who may ask. */
static void allow_some(int filter)
{
    struct seccomp_notif asked;
    int rings = 0;

    for (;;) {
        struct seccomp_notif_resp says = { .error = -ENOMEM };
        struct pollfd p = { filter, POLLIN, 0 };

        if (poll(&p, 1, -1) < 0 || !(p.revents & POLLIN))
            return;
        memset(&asked, 0, sizeof asked);
        /* Who asked may have been killed meanwhile. */
        if (ioctl(filter, SECCOMP_IOCTL_NOTIF_RECV, &asked) < 0)
            continue;
        says.id = asked.id;
        if (rings++ < RINGS) {
            says.error = 0;
            says.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        }
        (void)ioctl(filter, SECCOMP_IOCTL_NOTIF_SEND, &says);
    }
}

/* Returns in the child only. */
static void with_few_rings(void)
{
    int pair[2], filter, status;
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        bail("socketpair: %s", strerror(errno));
    pid = fork();
    if (pid < 0)
        bail("fork: %s", strerror(errno));
    if (pid == 0) {
        filter = tell_of_rings();
        send_fd(pair[1], filter);
        if (filter < 0)
            skip_all("no seccomp filter that asks can be set: %s", strerror(errno));
        close(filter);
        close(pair[0]);
        close(pair[1]);
        return;
    }
    close(pair[1]);
    filter = received_fd(pair[0]);
    if (filter >= 0)
        allow_some(filter);
    if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
        _exit(128);
    _exit(WEXITSTATUS(status));
}

int main(int argc, char **argv)
{
    if (argc < 3)
        bail("usage: confine cpu|membarrier|old|rings PROGRAM ARG...");
    if (strcmp(argv[1], "cpu") == 0)
        one_cpu();
    else if (strcmp(argv[1], "membarrier") == 0)
        without_membarrier(EPERM);
    else if (strcmp(argv[1], "old") == 0)
        without_membarrier(ENOSYS);
    else if (strcmp(argv[1], "rings") == 0)
        with_few_rings();
    else
        bail("confine: %s is not known", argv[1]);
    execv(argv[2], argv + 2);
    bail("%s: %s", argv[2], strerror(errno));
}
