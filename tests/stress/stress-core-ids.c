/* SPDX-License-Identifier: BSD-3-Clause
 * stress-core-ids.c - very many goroutines: no id twice, no memory more
 *
 * 10^8 of them over all P's, fewer under sanitizers. Memory for a bit
 * an id is touched beforehand. Resident memory at the end is within 1 MiB of that after the first
 * million.
 */
#include "quoit.h"

#include "tap.h"
#include "world.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SPAWNERS = 4, BATCH = 1000 };

static uint64_t *seen, room;
static uint64_t twice, outside, ran;

static int marks(void *arg)
{
    uint64_t id = quoit_goid(), bit = UINT64_C(1) << id % 64;

    if (id >= room)
        __atomic_add_fetch(&outside, 1, __ATOMIC_RELAXED);
    else if (__atomic_fetch_or(&seen[id / 64], bit, __ATOMIC_RELAXED) & bit)
        __atomic_add_fetch(&twice, 1, __ATOMIC_RELAXED);
    quoit_wg_done(arg);
    return 0;
}

static int spawner(void *arg)
{
    quoit_wg wg = QUOIT_WG_INIT;
    uint64_t n = *(uint64_t *)arg;

    for (uint64_t i = 0; i < n; i += BATCH) {
        quoit_wg_add(&wg, BATCH);
        for (int k = 0; k < BATCH; k++)
            world_spawn(marks, &wg);
        quoit_wg_wait(&wg);
    }
    __atomic_add_fetch(&ran, n, __ATOMIC_RELAXED);
    return 0;
}

static void run(uint64_t n)
{
    struct quoit_g *g[SPAWNERS];
    uint64_t each = n / SPAWNERS;

    for (int i = 0; i < SPAWNERS; i++)
        g[i] = world_go_apart(spawner, &each);
    for (int i = 0; i < SPAWNERS; i++)
        world_join(g[i]);
}

static long resident_kib(void)
{
    long pages = -1;
    FILE *f = fopen("/proc/self/statm", "re");

    if (f == NULL || fscanf(f, "%*d %ld", &pages) != 1)
        pages = -1;
    if (f != NULL)
        fclose(f);
    return pages < 0 ? -1 : pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static int all(void *arg)
{
    uint64_t n = *(uint64_t *)arg;
    uint64_t first = n > 1000000 ? 1000000 : n / 4;
    long before, after;

    run(first);
    before = resident_kib();
    run(n - first);
    after = resident_kib();
    diag("%ld KiB after %llu, %ld KiB after %llu", before, (unsigned long long)first, after,
         (unsigned long long)n);
    is_int(ran, n, "all have run");
    is_int(twice, 0, "no id twice");
    is_int(outside, 0, "and few left out");
    if (before < 0)
        skip("/proc is not mounted");
    else if (world_is_slow())
        skip("a sanitizer keeps what it likes");
    else
        ok(after - before <= 1024, "resident memory has not grown by a MiB");
    return 0;
}

int main(void)
{
    uint64_t n = world_is_slow() ? 400000 : 100000000;

    room = n + n / 4 + (1 << 20);
    seen = mmap(NULL, room / 8 + 8, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (seen == MAP_FAILED)
        skip_all("no memory for a bit an id");
    is_int(quoit_main(all, &n), 0, "ends");
    return done_testing();
}
