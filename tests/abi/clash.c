/* SPDX-License-Identifier: BSD-3-Clause
 * clash.c - a program whose own functions are named like Quoit's private ones
 *
 * Linked with the shared library and with the archive. It must link, and each side must call its
 * own.
 */
#include "quoit.h"

#include "tap.h"

#include <string.h>

int schedule(int x);
int ready(int x);
int lock(int x);
int park(int x);

static int calls;

int schedule(int x)
{
    calls++;
    return x + 1;
}

int ready(int x)
{
    calls++;
    return x + 2;
}

int lock(int x)
{
    calls++;
    return x + 3;
}

int park(int x)
{
    calls++;
    return x + 4;
}

static int body(void *arg)
{
    int *ran = arg;
    quoit_yield();
    *ran = 1;
    return 7;
}

int main(void)
{
    int ran = 0;
    is_str(quoit_version(), QUOIT_VERSION, "the library is the one the header belongs to");
    is_int(quoit_main(body, &ran), 7, "a goroutine runs and its result comes back");
    is_int(ran, 1, "it ran to its end");
    is_int(calls, 0, "Quoit called none of this program's functions");
    is_int(schedule(ready(lock(park(0)))), 10, "this program called its own");
    is_int(calls, 4, "all four of them");
    return done_testing();
}
