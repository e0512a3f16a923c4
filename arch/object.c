/* SPDX-License-Identifier: BSD-3-Clause
 * object.c - program headers, unwind tables and dynamic sections, read where they are mapped
 *
 * The first page of an object holds its ELF and program headers: true of all that linkers make.
 * One that looks otherwise has no code as far as we know, which callers take for code that is not
 * ours where it matters: a return address into it is none to them, as they have to be able to
 * read what stands before it.
 *
 * Only the encodings that linkers write into .eh_frame_hdr and compilers into .eh_frame are known:
 * 4 bytes relative to the place. A function that is described otherwise is not found.
 */
#include "object.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <string.h>

#define PAGE 4096
/* .eh_frame_hdr: a version, three encodings, the address of .eh_frame, a count, then the table. */
#define HDR_COUNT 8
#define HDR_TABLE 12
#define ROW 8
/* DW_EH_PE_* */
enum { PE_SDATA4_PC = 0x1b, PE_UDATA4 = 0x03, PE_SDATA4_DATA = 0x3b };

#if __GLIBC_PREREQ(2, 35)
static bool loaded_at(uintptr_t address, struct dl_find_object *found)
{
    return _dl_find_object((void *)address, found) == 0;
}
#else
struct dl_find_object {
    void *dlfo_map_start, *dlfo_map_end, *dlfo_eh_frame;
    struct link_map *dlfo_link_map;
};

static bool loaded_at(uintptr_t address, struct dl_find_object *found)
{
    (void)address, (void)found;
    return false;
}
#endif

static uint32_t get32(uintptr_t p)
{
    uint32_t value;

    memcpy(&value, (const void *)p, sizeof value);
    return value;
}

/* p plus the signed number at `at`. */
static uintptr_t relative(uintptr_t p, uintptr_t at)
{
    return p + (uintptr_t)(intptr_t)(int32_t)get32(at);
}

/* ---- segments ------------------------------------------------------------------------------- */

static const ElfW(Ehdr) *header(uintptr_t start)
{
    const ElfW(Ehdr) *e = (const void *)(start & ~(uintptr_t)(PAGE - 1));

    if (memcmp(e->e_ident, ELFMAG, SELFMAG) != 0 || e->e_phentsize != sizeof(ElfW(Phdr)) ||
        e->e_phoff > PAGE || e->e_phnum > PAGE / sizeof(ElfW(Phdr)) ||
        e->e_phoff + e->e_phnum * sizeof(ElfW(Phdr)) > PAGE)
        return NULL;
    return e;
}

static const ElfW(Phdr) *segments(const ElfW(Ehdr) *e)
{
    return (const void *)((uintptr_t)e + e->e_phoff);
}

/* What is added to the addresses in the headers: the first segment holds them. */
static uintptr_t base_of(const ElfW(Ehdr) *e)
{
    const ElfW(Phdr) *p = segments(e);

    for (int i = 0; i < e->e_phnum; i++) {
        if (p[i].p_type == PT_LOAD)
            return (uintptr_t)e - (p[i].p_vaddr & ~(uintptr_t)(PAGE - 1));
    }
    return 0;
}

/* The loaded segment that [start, end) lies in, with all these flags; without `whole` one that it
 * touches. NULL: none. */
static const ElfW(Phdr) *segment_of(const ElfW(Ehdr) *e, uintptr_t start, uintptr_t end,
                                    uint32_t flags, bool whole)
{
    uintptr_t base = base_of(e);
    const ElfW(Phdr) *p = segments(e);

    for (int i = 0; i < e->e_phnum; i++) {
        uintptr_t low = base + p[i].p_vaddr, high = low + p[i].p_memsz;

        if (p[i].p_type != PT_LOAD || (p[i].p_flags & flags) != flags)
            continue;
        if (whole ? start >= low && end <= high : start < high && end > low)
            return &p[i];
    }
    return NULL;
}

bool object_find(uintptr_t address, struct object *o)
{
    struct dl_find_object found;
    const ElfW(Ehdr) *e;
    const ElfW(Phdr) *p;

    if (!loaded_at(address, &found))
        return false;
    e = header((uintptr_t)found.dlfo_map_start);
    if (e == NULL)
        return false;
    p = segment_of(e, address, address + 1, PF_X | PF_R, true);
    if (p == NULL)
        return false;
    *o = (struct object){
        .start = (uintptr_t)e,
        .end = (uintptr_t)found.dlfo_map_end,
        .code = base_of(e) + p->p_vaddr,
        .code_end = base_of(e) + p->p_vaddr + p->p_memsz,
        .dynamic = found.dlfo_link_map != NULL ? found.dlfo_link_map->l_ld : NULL,
        .base = base_of(e),
    };
    p = segment_of(e, (uintptr_t)found.dlfo_eh_frame, (uintptr_t)found.dlfo_eh_frame + HDR_TABLE,
                   PF_R, true);
    if (p != NULL) {
        o->frames = found.dlfo_eh_frame;
        o->frames_end = o->base + p->p_vaddr + p->p_memsz;
    }
    return true;
}

bool object_has_code(uintptr_t start, uintptr_t end)
{
    uintptr_t ends[] = { start, end - 1 };

    /* An object that begins or ends within has its headers or its data there, or holds one end. */
    for (int i = 0; i < 2; i++) {
        struct dl_find_object found;
        const ElfW(Ehdr) *e;

        if (!loaded_at(ends[i], &found))
            continue;
        e = header((uintptr_t)found.dlfo_map_start);
        if (e != NULL && segment_of(e, start, end, PF_X, false) != NULL)
            return true;
    }
    return false;
}

bool object_readable(const struct object *o, uintptr_t p, size_t n)
{
    return p + n >= p && segment_of((const void *)o->start, p, p + n, PF_R, true) != NULL;
}

/* ---- functions ------------------------------------------------------------------------------ */

/* The last row of the sorted table that begins at or below pc; 0: none. */
static uintptr_t row_of(const struct object *o, uintptr_t pc)
{
    uintptr_t hdr = (uintptr_t)o->frames;
    uint32_t low = 0, high = get32(hdr + HDR_COUNT);

    if (high > (o->frames_end - hdr - HDR_TABLE) / ROW)
        return 0;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (relative(hdr, hdr + HDR_TABLE + (uintptr_t)middle * ROW) <= pc)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? 0 : hdr + HDR_TABLE + (uintptr_t)(low - 1) * ROW;
}

/* Past an unsigned or signed LEB128 number. */
static uintptr_t past_number(uintptr_t p)
{
    while (*(const uint8_t *)p & 0x80)
        p++;
    return p + 1;
}

/* Bytes of a pointer in this encoding; 0: not known. */
static size_t encoded_bytes(uint8_t encoding)
{
    switch (encoding & 0x0f) {
    case 0x00:
    case 0x04:
    case 0x0c:
        return 8;
    case 0x03:
    case 0x0b:
        return 4;
    default:
        return 0;
    }
}

/* The encoding of addresses in the entries that belong to this common one; 0: not known. */
static uint8_t pointer_encoding(uintptr_t cie)
{
    enum { LENGTH = 4, ID = 4, VERSION = 1 };
    const char *augmentation = (const char *)(cie + LENGTH + ID + VERSION);
    uintptr_t p = (uintptr_t)augmentation + strnlen(augmentation, 8) + 1;

    if (augmentation[0] != 'z')
        return 0;
    p = past_number(past_number(p)); /* alignments */
    p = past_number(p);              /* the return register, a byte of less than 128 in version 1 */
    p = past_number(p);              /* bytes of what follows */
    for (const char *c = augmentation + 1; *c != 0; c++) {
        if (*c == 'R')
            return *(const uint8_t *)p;
        if (*c == 'L')
            p++;
        else if (*c == 'P')
            p += 1 + encoded_bytes(*(const uint8_t *)p);
        else if (*c != 'S' && *c != 'B')
            return 0;
    }
    return 0;
}

bool object_function(const struct object *o, uintptr_t pc, struct function *f)
{
    enum { LENGTH = 4, CIE = 4, RANGE = 12, LEAST = 16, CIE_LEAST = 16 };
    const uint8_t *hdr = o->frames;
    uintptr_t row, fde, cie;

    if (hdr == NULL || hdr[0] != 1 || hdr[1] != PE_SDATA4_PC || hdr[2] != PE_UDATA4 ||
        hdr[3] != PE_SDATA4_DATA)
        return false;
    row = row_of(o, pc);
    if (row == 0)
        return false;
    fde = relative((uintptr_t)hdr, row + 4);
    if (!object_readable(o, fde, LEAST))
        return false;
    cie = fde + CIE - get32(fde + CIE);
    if (!object_readable(o, cie, CIE_LEAST) || get32(cie + CIE) != 0 ||
        pointer_encoding(cie) != PE_SDATA4_PC)
        return false;
    f->start = relative(fde + LENGTH + CIE, fde + LENGTH + CIE);
    f->end = f->start + get32(fde + RANGE);
    return f->start >= o->code && f->end <= o->code_end && pc >= f->start && pc < f->end;
}

/* ---- dynamic sections ----------------------------------------------------------------------- */

/* libc has added the base to these already, but not in objects whose section cannot be written. */
static uintptr_t dynamic_address(const struct object *o, int64_t tag)
{
    for (const ElfW(Dyn) *d = o->dynamic; d != NULL && d->d_tag != DT_NULL; d++) {
        if (d->d_tag == tag)
            return d->d_un.d_ptr < o->start ? d->d_un.d_ptr + o->base : d->d_un.d_ptr;
    }
    return 0;
}

static uint64_t dynamic_value(const struct object *o, int64_t tag)
{
    for (const ElfW(Dyn) *d = o->dynamic; d != NULL && d->d_tag != DT_NULL; d++) {
        if (d->d_tag == tag)
            return d->d_un.d_val;
    }
    return 0;
}

/* A string of the object's table, NULL if it is none. */
static const char *string_at(const struct object *o, uint64_t offset)
{
    uintptr_t strings = dynamic_address(o, DT_STRTAB);

    if (offset >= dynamic_value(o, DT_STRSZ) ||
        !object_readable(o, strings, dynamic_value(o, DT_STRSZ)))
        return NULL;
    return (const char *)(strings + offset);
}

const char *object_linked_name(const struct object *o, uint32_t n)
{
    const ElfW(Rela) *entry = (const ElfW(Rela) *)dynamic_address(o, DT_JMPREL) + n;
    const ElfW(Sym) *symbol = (const ElfW(Sym) *)dynamic_address(o, DT_SYMTAB);

    if (dynamic_value(o, DT_PLTRELSZ) / sizeof *entry <= n ||
        !object_readable(o, (uintptr_t)entry, sizeof *entry))
        return NULL;
    symbol += ELF64_R_SYM(entry->r_info);
    if (!object_readable(o, (uintptr_t)symbol, sizeof *symbol))
        return NULL;
    return string_at(o, symbol->st_name);
}

bool object_is_called(const struct object *o, const char *name)
{
    uint64_t offset = dynamic_value(o, DT_SONAME);
    const char *soname = offset == 0 ? NULL : string_at(o, offset);
    size_t n = strlen(name);

    return soname != NULL && strncmp(soname, name, n) == 0 && (soname[n] == 0 || soname[n] == '.');
}
