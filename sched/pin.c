/* SPDX-License-Identifier: BSD-3-Clause
 * pin.c - a goroutine keeps its P for a moment
 *
 * For data of which each P has its own: between quoit_pin and quoit_unpin nothing else runs on
 * this P, so what belongs to the P's index needs no lock and no atomics. m->locks is all there is
 * to it: whoever would leave the M while it is above 0 ends the program, and nobody takes the P
 * of such an M. A pinned goroutine cannot move, so the count may sit in the M.
 */
#include "proc.h"

#include "throw.h"

/* m->locks is also above 0 while an unlock function of the user's runs (finish_park). */
cold void pinned(const char *what)
{
    throw("%s: may not wait between quoit_pin and quoit_unpin, nor in an unlock function", what);
}

cold void pinned_end(void)
{
    throw("quoit_pin: the goroutine ended before its quoit_unpin");
}

int quoit_pin(void)
{
    struct m *mp = enter();
    int id;

    if (unlikely(mp == NULL))
        no_goroutine(__func__);
    mp->locks++;
    id = (int)mp->p->id;
    leave(mp);
    return id;
}

void quoit_unpin(void)
{
    struct m *mp = enter();

    if (unlikely(mp == NULL))
        no_goroutine(__func__);
    CHECK(mp->locks > 0, "without a quoit_pin before it");
    mp->locks--;
    leave(mp);
}
