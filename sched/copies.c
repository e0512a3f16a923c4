/* SPDX-License-Identifier: BSD-3-Clause
 * copies.c - finds the other copies of Quoit in the process
 *
 * Nothing of a copy is visible to another one by name: that is the point of hidden symbols. What can be
 * found is an ELF note, which the loader keeps mapped and dl_iterate_phdr shows; static executables have it,
 * stripping leaves it, and its one word, how far from itself the copy's own state is, is a relocation
 * like any other to ld -r and objcopy. Only copies in the same link-map namespace are seen (dlmopen).
 *
 *     claim, each copy
 *     1  own state = CLAIMING
 *     2  full fence
 *     3  look at all others:   one RUNS               drop, -EBUSY
 *                              a lower one is CLAIMING   drop, -EBUSY
 *                              a higher one is CLAIMING  look again later
 *     4  own state = RUNS
 *
 * Of two that claim at once, at least one sees the other (2), and if both do the lower address goes on. Who waits
 * waits for a higher one only, so there is no circle; and not inside dl_iterate_phdr, which holds a lock.
 */
#include "copies.h"

#include "atomic.h"

#include "os_linux.h"

#include <errno.h>
#include <link.h>
#include <stdint.h>
#include <string.h>

enum { NOTHING, CLAIMING, RUNS };
enum { GO_ON, WAIT, BUSY };
enum { NOTE_TYPE = 1 };
static const char owner[] = "Quoit";

/* Hidden, not static: the note names it, and the compiler must keep that name. */
uint32_t copies_own_state;

/* Owner and type as above; then the distance from that word itself to the state. */
__asm__(".pushsection .note.quoit, \"a\", %note\n\t"
        ".p2align 2\n\t"
        ".long 6, 4, 1\n\t"
        ".asciz \"Quoit\"\n\t"
        ".p2align 2\n\t"
        ".hidden copies_own_state\n\t"
        ".long copies_own_state - .\n\t"
        ".popsection");

/* ---- notes ---------------------------------------------------------------------------------- */

static int verdict_on(uint32_t *state)
{
    uint32_t seen;

    if (state == &copies_own_state)
        return GO_ON;
    /* order COPIES in: what a copy that has stopped gave back is seen; out: copies_drop */
    seen = load_acquire(state);
    if (seen == RUNS)
        return BUSY;
    if (seen == NOTHING)
        return GO_ON;
    return (uintptr_t)state < (uintptr_t)&copies_own_state ? BUSY : WAIT;
}

static size_t padded(size_t n, size_t align)
{
    return (n + align - 1) & ~(align - 1);
}

/* All notes of one segment; the worst verdict. */
static int look_at_notes(const char *at, size_t bytes, size_t align)
{
    int worst = GO_ON;

    while (bytes >= sizeof(ElfW(Nhdr))) {
        const ElfW(Nhdr) *note = (const void *)at;
        const char *name = at + sizeof *note;
        size_t desc = padded(sizeof *note + note->n_namesz, align);
        size_t whole = padded(desc + note->n_descsz, align);

        if (note->n_type == NOTE_TYPE && note->n_namesz == sizeof owner &&
            note->n_descsz == sizeof(int32_t) && desc + sizeof(int32_t) <= bytes &&
            memcmp(name, owner, sizeof owner) == 0) {
            int32_t distance;
            int v;

            memcpy(&distance, at + desc, sizeof distance);
            v = verdict_on((uint32_t *)(uintptr_t)(at + desc + distance));
            worst = v > worst ? v : worst;
        }
        if (whole >= bytes)
            break;
        at += whole;
        bytes -= whole;
    }
    return worst;
}

static int look_at_object(struct dl_phdr_info *info, size_t size unused_arg, void *arg)
{
    int *worst = arg;

    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
        int v;

        if (ph->p_type != PT_NOTE)
            continue;
        /* Segments are told apart by their alignment; all but 8 means 4. */
        v = look_at_notes((const char *)(uintptr_t)(info->dlpi_addr + ph->p_vaddr), ph->p_memsz,
                          ph->p_align == 8 ? 8 : 4);
        *worst = v > *worst ? v : *worst;
    }
    return 0;
}

/* ---- claiming ------------------------------------------------------------------------------- */

int copies_claim(void)
{
    int worst;

    store_relaxed(&copies_own_state, CLAIMING);
    /* order COPIES full: the claim is out before the others are looked at; in: copies_claim of the other */
    fence_full();
    for (;;) {
        worst = GO_ON;
        dl_iterate_phdr(look_at_object, &worst);
        if (worst != WAIT)
            break;
        os_yield();
    }
    store_relaxed(&copies_own_state, worst == GO_ON ? RUNS : NOTHING);
    return worst == GO_ON ? 0 : -EBUSY;
}

void copies_drop(void)
{
    /* order COPIES out: all is given back before another copy may start; in: verdict_on */
    store_release(&copies_own_state, NOTHING);
}
