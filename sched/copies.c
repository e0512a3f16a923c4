/* SPDX-License-Identifier: BSD-3-Clause
 * copies.c - finds the other copies of Quoit in the process
 *
 * Nothing of a copy is visible to another one by name: that is the point of
 * hidden symbols. What can be found is an ELF note, which the loader keeps
 * mapped and dl_iterate_phdr shows; static executables have it, stripping
 * leaves it, and its one word, how far from itself the copy's own state is, is
 * a relocation like any other to ld -r and objcopy. Only copies in the same
 * link-map namespace are seen (dlmopen).
 *
 * The claim is made and the others are looked at within one dl_iterate_phdr,
 * during which glibc holds the loader's lock: so two that claim at the same
 * moment do it one after the other. Who finds another one takes its claim back
 * later, outside the lock; a third one may see it until then, but has to give up
 * in any case.
 */
#include "copies.h"

#include "atomic.h"

#include <errno.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { NOTE_TYPE = 1 };
static const char owner[] = "Quoit";

/* Hidden, not static: the note names it, and the compiler must keep that name. */
uint32_t copies_running;

/* Owner and type as above; then the distance from that word itself to the
 * state. */
__asm__(".pushsection .note.quoit, \"a\", %note\n\t"
        ".p2align 2\n\t"
        ".long 6, 4, 1\n\t"
        ".asciz \"Quoit\"\n\t"
        ".p2align 2\n\t"
        ".hidden copies_running\n\t"
        ".long copies_running - .\n\t"
        ".popsection");

/* ---- notes ---------------------------------------------------------------------------------- */

/* hint: relaxed, as copies share no memory that one could hand to the other. */
static bool other_runs(uint32_t *running)
{
    return running != &copies_running && load_relaxed(running) != 0;
}

static size_t padded(size_t n, size_t align)
{
    return (n + align - 1) & ~(align - 1);
}

/* All notes of one segment. */
static bool look_at_notes(const char *at, size_t bytes, size_t align)
{
    while (bytes >= sizeof(ElfW(Nhdr))) {
        const ElfW(Nhdr) *note = (const void *)at;
        const char *name = at + sizeof *note;
        size_t desc = padded(sizeof *note + note->n_namesz, align);
        size_t whole = padded(desc + note->n_descsz, align);
        int32_t distance;

        if (note->n_type == NOTE_TYPE && note->n_namesz == sizeof owner &&
            note->n_descsz == sizeof distance && desc + sizeof distance <= bytes &&
            memcmp(name, owner, sizeof owner) == 0) {
            memcpy(&distance, at + desc, sizeof distance);
            if (other_runs((uint32_t *)(uintptr_t)(at + desc + distance)))
                return true;
        }
        if (whole >= bytes)
            break;
        at += whole;
        bytes -= whole;
    }
    return false;
}

/* Not 0 ends the walk. */
static int look_at_object(struct dl_phdr_info *info, size_t size unused_arg, void *arg unused_arg)
{
    store_relaxed(&copies_running, 1);
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *ph = &info->dlpi_phdr[i];

        /* Segments are told apart by their alignment; all but 8 means 4. */
        if (ph->p_type == PT_NOTE &&
            look_at_notes((const char *)(uintptr_t)(info->dlpi_addr + ph->p_vaddr), ph->p_memsz,
                          ph->p_align == 8 ? 8 : 4))
            return 1;
    }
    return 0;
}

/* ---- claiming ------------------------------------------------------------------------------- */

int copies_claim(void)
{
    if (dl_iterate_phdr(look_at_object, NULL) == 0)
        return 0;
    copies_drop();
    return -EBUSY;
}

void copies_drop(void)
{
    store_relaxed(&copies_running, 0);
}
