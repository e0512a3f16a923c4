/* SPDX-License-Identifier: BSD-3-Clause
 * model-scan.c - gstatus.h, gstatus.c: a scanner holds a goroutine in its state, or does
 * not get it
 *
 * The context is what a switch saves and a scanner looks at. Each test runs on a machine
 * with membarrier and on one without.
 */
#include "explore.h"

#include "cpu.h"

#include "../../sched/gstatus.c"

static struct quoit_g g;
static uint64_t context; /* belongs to who runs the goroutine, or to the scanner that holds it */
static uint32_t queued;  /* the goroutine is in a queue, as far as this test has one */

static void setup_running(void)
{
    fence_bias = 0;
    g = (struct quoit_g){.status = Grunning};
    context = 0;
    queued = 0;
    explore_name(&context, "context");
}

static void setup_waiting(void)
{
    setup_running();
    g.status = Gwaiting;
}

static void without_membarrier(void)
{
    fence_bias = FENCE_BIT;
    g.scan = fence_bias;
}

static void setup_running_forbidden(void)
{
    setup_running();
    without_membarrier();
}

static void setup_waiting_forbidden(void)
{
    setup_waiting();
    without_membarrier();
}

/* Parks; somebody else will run it. */
static void parks(void)
{
    data_write(&context, 1);
    gstatus_set(&g, Grunning, Gwaiting);
    store_release(&queued, 1);
}

/* Readies it and runs it. */
static void wakes(void)
{
    gstatus_set(&g, Gwaiting, Grunnable);
    gstatus_set(&g, Grunnable, Grunning);
    data_write(&context, data_read(&context) + 1);
}

/* One change of state and no second look at the scanner. */
static void wakes_only(void)
{
    gstatus_set(&g, Gwaiting, Grunning);
    data_write(&context, data_read(&context) + 1);
}

static void wakes_when_parked(void)
{
    if (load_acquire(&queued))
        wakes();
}

static void scanner(void)
{
    if (!gscan_begin(&g, Gwaiting))
        return;
    data_write(&context, data_read(&context) + 16);
    gscan_end(&g);
}

static void parked_scanner(void)
{
    if (!gscan_begin(&g, Gwaiting))
        return;
    explore_check(data_read(&context) != 0, "the context was not saved yet");
    gscan_end(&g);
}

static const struct explore tests[] = {
    {.name = "woken and scanned", .setup = setup_waiting, .thread = {wakes, scanner}},
    {.name = "woken and scanned, no membarrier", .setup = setup_waiting_forbidden,
     .thread = {wakes, scanner}},
    {.name = "parked and scanned", .setup = setup_running, .thread = {parks, parked_scanner}},
    {.name = "parked, woken and scanned", .setup = setup_running,
     .thread = {parks, wakes_when_parked, parked_scanner}},
    {.name = "parked, woken and scanned, no membarrier", .setup = setup_running_forbidden,
     .thread = {parks, wakes_when_parked, parked_scanner}},
    {.name = "two scanners", .setup = setup_waiting,
     .thread = {wakes_only, scanner, scanner}},
    {.name = "two scanners, no membarrier", .setup = setup_waiting_forbidden,
     .thread = {wakes_only, scanner, scanner}},
};

int main(int argc, char **argv)
{
    return explore_main(argc, argv, tests);
}
