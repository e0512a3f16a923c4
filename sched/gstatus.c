/* SPDX-License-Identifier: BSD-3-Clause
 * gstatus.c - the rare halves of gstatus.h: names, complaints, scanners
 */
#include "gstatus.h"

#include "cpu.h"

#include "throw.h"

uint32_t gstatus_read(const struct quoit_g *gp)
{
    /* hint: for people and for tests; the two words are not of one moment */
    return load_relaxed(&gp->status) | (load_relaxed(&gp->scan) & SCAN_HELD ? Gscan : 0);
}

const char *gstatus_name(uint32_t status)
{
    static const char *const names[] = {
        [Gidle] = "idle",
        [Grunnable] = "runnable",
        [Grunning] = "running",
        [Gsyscall] = "syscall",
        [Gwaiting] = "waiting",
        [Gdead] = "dead",
        [Gscan | Gidle] = "scanidle",
        [Gscan | Grunnable] = "scanrunnable",
        [Gscan | Grunning] = "scanrunning",
        [Gscan | Gsyscall] = "scansyscall",
        [Gscan | Gwaiting] = "scanwaiting",
        [Gscan | Gdead] = "scandead",
    };

    if (status >= array_len(names) || names[status] == NULL)
        return "corrupt";
    return names[status];
}

cold void gstatus_bad(const struct quoit_g *gp, uint32_t from, uint32_t to)
{
    throw("gstatus_set: goroutine %llu is %s, asked to go from %s to %s",
          (unsigned long long)gp->id, gstatus_name(gstatus_read(gp)), gstatus_name(from),
          gstatus_name(to));
}

cold void gstatus_scanned(struct quoit_g *gp)
{
    int spins = 0;

    if (fence_and_load(&gp->scan) == 0)
        return;
    /* order SCAN in: what the scanner did comes before what the goroutine does next; out: gscan_end
     */
    while (load_acquire(&gp->scan) & SCAN_HELD) {
        if (++spins < 100)
            cpu_relax();
        else
            os_yield();
    }
}

bool gscan_begin(struct quoit_g *gp, uint32_t state)
{
    uint32_t seen = load_relaxed(&gp->scan) & ~(uint32_t)SCAN_HELD;

    /* order SCAN in: a scan ends before the next one begins; out: gscan_end */
    if (!cas_acquire(&gp->scan, &seen, seen | SCAN_HELD))
        return false;
    /* order SCAN full: scan is set before the state is read; in: gstatus_set */
    fence_heavy();
    /* order G-OFF in: in that state its context is saved; out: gstatus_set */
    if (load_acquire(&gp->status) == state)
        return true;
    gscan_end(gp);
    return false;
}

void gscan_end(struct quoit_g *gp)
{
    /* order SCAN out: the visit is over before the goroutine goes on; in: gstatus_scanned */
    add_release(&gp->scan, -(uint32_t)SCAN_HELD);
}
