/* SPDX-License-Identifier: BSD-3-Clause
 * init.c - the first and only service of a guest: runs one program and switches off
 *
 * Linked statically. The kernel gives it what stands behind `--` on its command
 * line. What the program says goes to the second serial line, where no message
 * of the kernel disturbs it; the last line is `exit STATUS`.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void put(const char *type, const char *where)
{
    mkdir(where, 0755);
    mount(type, where, type, 0, NULL);
}

int main(int argc, char **argv)
{
    int status = -1;
    put("devtmpfs", "/dev");
    put("proc", "/proc");
    put("sysfs", "/sys");
    put("tmpfs", "/tmp");
    int line = open("/dev/ttyS1", O_WRONLY | O_NOCTTY);
    dup2(line, 1);
    dup2(line, 2);
    pid_t pid = argc > 1 ? fork() : -1;
    if (pid == 0) {
        execv(argv[1], argv + 1);
        perror(argv[1]);
        _exit(127);
    }
    if (pid > 0)
        waitpid(pid, &status, 0);
    dprintf(line, "exit %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128);
    fsync(line);
    return reboot(RB_POWER_OFF);
}
