/* SPDX-License-Identifier: BSD-3-Clause
 * test-mem.c - memory comes aligned, zeroed and by preference from its node;
 * refusal is silent
 */
#include "tap.h"

#include "mem.h"
#include "topo.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <numaif.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MIB = 1024 * 1024 };

static size_t page;

static bool mapped(const char *p)
{
    unsigned char there;
    return mincore((void *)(uintptr_t)p, page, &there) == 0;
}

static void alignment(void)
{
    static const size_t aligns[] = {0, 64, 4096, 65536, 2 * MIB, 64 * MIB};
    for (size_t i = 0; i < sizeof aligns / sizeof *aligns; i++) {
        char *p = mem_reserve(3 * page + 1, aligns[i], -1);
        if (!ok(p != NULL, "reserve with alignment %zu", aligns[i]))
            continue;
        size_t align = aligns[i] < page ? page : aligns[i];
        ok((uintptr_t)p % align == 0, "it is aligned");
        ok(p[0] == 0 && p[4 * page - 1] == 0, "zeroed, up to the end of the last page");
        p[4 * page - 1] = 1;
        mem_release(p, 3 * page + 1);
        ok(!mapped(p) && !mapped(p + 3 * page), "and all of it is given back");
    }
}

static void no_memory(void)
{
    ok(!mem_reserve(SIZE_MAX, 0, -1), "more than there are addresses");
    ok(!mem_reserve((size_t)1 << 62, 0, -1), "more than the machine has");
    ok(!mem_reserve(page, (size_t)1 << 63, -1), "an alignment that nothing has");
    mem_release(NULL, page);
}

/* A machine of two nodes is pretended: with one, there would be nothing to bind. */
static void pretend(void)
{
    if (topo_load_from(&(struct topo_source){.machine = "numa:2 core:1 pu:1"}))
        bail("no synthetic machine");
}

static void preferred(void)
{
    int mode = -1;
    unsigned long nodes[64] = {0};
    pretend();
    char *p = mem_reserve(MIB, 0, 0);
    if (!ok(p != NULL, "memory for node 0"))
        return;
    if (mem_bind_refused())
        skip("binding is refused here: %s", mem_bind_refused());
    else if (get_mempolicy(&mode, nodes, 8 * sizeof nodes, p, MPOL_F_ADDR))
        skip("the kernel does not tell the policy: %s", strerror(errno));
    else
        ok(mode == MPOL_PREFERRED && nodes[0] == 1, "it prefers node 0");
    p[0] = 1;
    mem_release(p, MIB);
    ok((p = mem_reserve(MIB, 0, 7)) != NULL, "a node that is not there is any node");
    mem_release(p, MIB);
    topo_unload();
}

static int forbid_mbind(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mbind, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog prog = {.len = sizeof code / sizeof *code, .filter = code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
}

/* In a child, whose every word on stdout and stderr would be in the pipe. */
static int child_without_mbind(int out)
{
    dup2(out, 1);
    dup2(out, 2);
    if (forbid_mbind())
        return 77;
    char *p = mem_reserve(MIB, 2 * MIB, 1);
    if (!p || (uintptr_t)p % (2 * MIB))
        return 1;
    memset(p, 1, MIB);
    mem_release(p, MIB);
    const char *why = mem_bind_refused();
    return why && strstr(why, "EPERM") ? 0 : 2;
}

static void refused(void)
{
    int ends[2], status = -1;
    char said[256] = "";
    pretend();
    fflush(NULL);
    if (pipe(ends))
        bail("no pipe");
    pid_t pid = fork();
    if (pid == 0)
        _exit(child_without_mbind(ends[1]));
    close(ends[1]);
    waitpid(pid, &status, 0);
    ssize_t n = read(ends[0], said, sizeof said - 1);
    close(ends[0]);
    topo_unload();
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        skip("seccomp is not permitted");
        return;
    }
    is_int(status, 0, "with mbind forbidden memory comes all the same, and the reason is kept");
    is_int(n, 0, "nothing is printed");
}

int main(void)
{
    page = (size_t)sysconf(_SC_PAGESIZE);
    ok(!mem_bind_refused(), "nothing was refused yet");
    alignment();
    no_memory();
    preferred();
    refused();
    return done_testing();
}
