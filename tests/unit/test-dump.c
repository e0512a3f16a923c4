/* SPDX-License-Identifier: BSD-3-Clause
 * test-dump.c - a goroutine is held while it is looked at, and a dump does not wait for ever
 *
 * What the text says is tested by tests/integration/test-dump.c.
 */
#include "dump.h"

#include "gstatus.h"

#include "tap.h"
#include "world.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static char said[64 << 10];
static quoit_sema never, begun;

static int waits(void *arg)
{
    quoit_sema_post(&begun);
    quoit_sema_wait(&never);
    return arg != NULL;
}

static int dump(void)
{
    int fd = memfd_create("dump", MFD_CLOEXEC), e = dump_goroutines(fd, DUMP_EVERY);
    ssize_t n = pread(fd, said, sizeof said - 1, 0);

    said[n > 0 ? n : 0] = '\0';
    close(fd);
    return e;
}

static int first(void *arg)
{
    static const char mine[] = "    goroutine held by another scanner; stack unavailable\n";
    struct quoit_g *g = world_go_apart(waits, arg);

    quoit_sema_wait(&begun);
    while (!gscan_begin(g, Gwaiting))
        quoit_yield();
    is_int(dump(), 0, "a dump while a scanner holds a goroutine");
    ok(strstr(said, " [semaphore, ") != NULL && strstr(said, mine) != NULL,
       "tells of it without its stack, and does not wait for ever");
    is_int(gstatus_read(g), Gscan | Gwaiting, "nor does it let go what is not its own");
    gscan_end(g);
    is_int(dump(), 0, "a dump afterwards");
    ok(strstr(said, " [semaphore, ") != NULL && strstr(said, mine) == NULL, "has its stack");
    is_int(gstatus_read(g), Gwaiting, "and lets go");
    quoit_sema_post(&never);
    return world_join(g);
}

int main(void)
{
    is_int(world_run(2, first, NULL), 0, "and it goes on");
    return done_testing();
}
