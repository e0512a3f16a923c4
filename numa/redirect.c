/* SPDX-License-Identifier: BSD-3-Clause
 * redirect.c - walks the relocation tables of all loaded objects
 *
 * An object calls a function of another one through an entry of its global offset
 * table, which the loader fills. The tables that told the loader which entry
 * belongs to which name are still in memory, so the entries are found again by
 * name and nothing has to be remembered: not the entries (their object may be
 * gone tomorrow) and not what they held (it is `real`, or is looked up by the
 * loader again).
 *
 * What can go on at the same time: calls through an entry (one word, either
 * function is right), the loader's own lazy filling of an entry (ours may be
 * lost, and the next look finds it), dlclose (waits: the callback of
 * dl_iterate_phdr runs under the lock of the loader's list), dlopen in another
 * thread, whose new object is on the list before it is relocated (see
 * write_entry).
 */
#include "redirect.h"

#include "atomic.h"

#include <elf.h>
#include <link.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
enum { ENTRY_CALL = R_X86_64_JUMP_SLOT, ENTRY_ADDRESS = R_X86_64_GLOB_DAT };
#elif defined(__aarch64__)
enum { ENTRY_CALL = R_AARCH64_JUMP_SLOT, ENTRY_ADDRESS = R_AARCH64_GLOB_DAT };
#endif

struct look {
    struct redirect *table;
    bool on, started, complete;
    unsigned long long since, loads;
};

/* What is read out of an object's dynamic section. */
struct object {
    uintptr_t base, low, high;           /* load address; the range its segments cover */
    uintptr_t sealed_low, sealed_high;   /* pages that the loader made read-only after relocation */
    const ElfW(Sym) *symbols;
    const char *strings;
    const ElfW(Rela) *calls, *others;
    size_t ncalls, nothers;
};

/* glibc has added the base to these addresses already, the kernel's vdso and
 * other loaders have not. */
static uintptr_t address(const struct object *o, ElfW(Addr) a)
{
    return a < o->base ? o->base + a : a;
}

static void read_dynamic(struct object *o, const ElfW(Dyn) *d)
{
    for (; d->d_tag != DT_NULL; d++) {
        switch (d->d_tag) {
        case DT_SYMTAB:
            o->symbols = (const void *)address(o, d->d_un.d_ptr);
            break;
        case DT_STRTAB:
            o->strings = (const void *)address(o, d->d_un.d_ptr);
            break;
        case DT_JMPREL:
            o->calls = (const void *)address(o, d->d_un.d_ptr);
            break;
        case DT_PLTRELSZ:
            o->ncalls = d->d_un.d_val / sizeof *o->calls;
            break;
        case DT_RELA:
            o->others = (const void *)address(o, d->d_un.d_ptr);
            break;
        case DT_RELASZ:
            o->nothers = d->d_un.d_val / sizeof *o->others;
            break;
        }
    }
}

static bool read_object(const struct dl_phdr_info *info, struct object *o)
{
    const ElfW(Dyn) *dynamic = NULL;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    *o = (struct object){.base = info->dlpi_addr, .low = UINTPTR_MAX};
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
        uintptr_t low = o->base + ph->p_vaddr, high = low + ph->p_memsz;
        if (ph->p_type == PT_DYNAMIC) {
            dynamic = (const void *)low;
        } else if (ph->p_type == PT_LOAD) {
            o->low = low < o->low ? low : o->low;
            o->high = high > o->high ? high : o->high;
        } else if (ph->p_type == PT_GNU_RELRO) {
            o->sealed_low = low & -page;
            o->sealed_high = high & -page;
        }
    }
    if (dynamic)
        read_dynamic(o, dynamic);
    return o->symbols && o->strings;
}

/* May this word be written just now? Asked by an atomic `or 0`, which changes
 * nothing. */
static bool writable(uintptr_t *entry)
{
    uint32_t idle = 0;
    int op = FUTEX_OP(FUTEX_OP_OR, 0, FUTEX_OP_CMP_EQ, 0);
    return syscall(SYS_futex, &idle, FUTEX_WAKE_OP_PRIVATE, 0, 0, entry, op) >= 0;
}

/* False: not now, because the loader is still at work on this object in another
 * thread. It would find its pages read-only if we wrote and sealed them, so the
 * next look has to do it. A kernel that refuses the change (sealed mappings)
 * has refused for good. */
static bool write_entry(const struct object *o, uintptr_t *entry, uintptr_t value)
{
    uintptr_t at = (uintptr_t)entry, page = (uintptr_t)sysconf(_SC_PAGESIZE);
    bool sealed = at >= o->sealed_low && at < o->sealed_high;
    if (sealed && writable(entry))
        return false;
    void *start = (void *)(at & -page);
    if (sealed && mprotect(start, page, PROT_READ | PROT_WRITE))
        return true;
    /* hint: callers in other threads read the entry as they please; either
     * function is right */
    store_relaxed(entry, value);
    if (sealed)
        mprotect(start, page, PROT_READ);
    return true;
}

static struct redirect *find(struct redirect *table, const char *name)
{
    for (struct redirect *r = table; r->name; r++)
        if (r->real && strcmp(name, r->name) == 0)
            return r;
    return NULL;
}

/* One relocation. An entry is ours to change when it holds libc's function, or
 * still the stub inside its own object that will look for it at the first call.
 * A symbol that has a value is the object's own idea of the function's address,
 * which `real` may then be: left alone, or we would call ourselves. */
static void visit_entry(const struct object *o, const ElfW(Rela) *rela, struct look *look)
{
    unsigned type = (unsigned)ELF64_R_TYPE(rela->r_info);
    if (type != ENTRY_CALL && type != ENTRY_ADDRESS)
        return;
    const ElfW(Sym) *sym = &o->symbols[ELF64_R_SYM(rela->r_info)];
    if (sym->st_shndx != SHN_UNDEF || sym->st_value)
        return;
    struct redirect *r = find(look->table, o->strings + sym->st_name);
    if (!r)
        return;
    uintptr_t *entry = (uintptr_t *)(o->base + rela->r_offset), now = load_relaxed(entry);
    if (!look->on) {
        if (now == r->ours)
            look->complete &= write_entry(o, entry, r->real);
        return;
    }
    r->entries++;
    bool stub = type == ENTRY_CALL && now >= o->low && now < o->high;
    if (now == r->ours || (now != r->real && !stub))
        return;
    /* A first call that is in the loader by now puts libc's function back. */
    look->complete &= write_entry(o, entry, r->ours) && !stub;
}

/* The loader holds its list still meanwhile: nothing is unmapped under us. */
static int visit_object(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    struct look *look = arg;
    struct object o;
    if (!look->started && look->on && info->dlpi_adds == look->since)
        return 1;
    look->started = true;
    look->loads = info->dlpi_adds;
    if (!read_object(info, &o))
        return 0;
    for (size_t i = 0; i < o.ncalls; i++)
        visit_entry(&o, &o.calls[i], look);
    for (size_t i = 0; i < o.nothers; i++)
        visit_entry(&o, &o.others[i], look);
    return 0;
}

unsigned long long redirect(struct redirect *table, bool on, unsigned long long since)
{
    struct look look = {.table = table, .on = on, .complete = true, .since = since};
    dl_iterate_phdr(visit_object, &look);
    if (!look.started)
        return since;
    return look.complete ? look.loads : 0;
}
