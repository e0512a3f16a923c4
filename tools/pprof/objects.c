/* SPDX-License-Identifier: BSD-3-Clause
 * objects.c - files that are mapped, and the functions in them
 *
 * dladdr knows exported functions only, and what uses the cpu in a program is mostly static. So the
 * symbol table of the file is read, as far as it lies within the file: a file may have been
 * replaced since it was mapped, and then names are wrong or missing, but nothing is read beside it.
 */
#include "objects.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what is mapped ------------------------------------------------------------------------- */

static int add(struct objects *o, const char *line)
{
    unsigned long long start, end, offset;
    char perms[5];
    struct object *all;
    int path = 0;

    if (sscanf(line, "%llx-%llx %4s %llx %*s %*s %n", &start, &end, perms, &offset, &path) < 4 ||
        path == 0 || strchr(perms, 'x') == NULL || line[path] == '\0')
        return 0;
    all = realloc(o->all, (o->n + 1) * sizeof *all);
    if (all == NULL)
        return -ENOMEM;
    o->all = all;
    all[o->n] = (struct object){ .start = start, .end = end, .offset = offset,
                                 .path = strdup(line + path) };
    if (all[o->n].path == NULL)
        return -ENOMEM;
    o->n++;
    return 0;
}

int objects_load(struct objects *o)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char *line = NULL;
    size_t room = 0;
    int e = 0;

    *o = (struct objects){ 0 };
    if (maps == NULL)
        return -errno;
    while (e == 0 && getline(&line, &room, maps) > 0) {
        line[strcspn(line, "\n")] = '\0';
        e = add(o, line);
    }
    free(line);
    fclose(maps);
    if (e < 0)
        objects_free(o);
    return e;
}

void objects_free(struct objects *o)
{
    for (size_t i = 0; i < o->n; i++) {
        if (o->all[i].file != NULL)
            munmap((void *)(uintptr_t)o->all[i].file, o->all[i].bytes);
        free(o->all[i].path);
    }
    free(o->all);
    *o = (struct objects){ 0 };
}

struct object *object_of(const struct objects *o, uint64_t address)
{
    size_t low = 0, high = o->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (o->all[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low < o->n && o->all[low].start <= address ? &o->all[low] : NULL;
}

/* ---- what is in a file ---------------------------------------------------------------------- */

static void open_file(struct object *ob)
{
    int fd = open(ob->path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    void *file = MAP_FAILED;

    ob->opened = 1;
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (size_t)st.st_size >= sizeof(ElfW(Ehdr)))
        file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (file == MAP_FAILED)
        return;
    ob->file = file;
    ob->bytes = (size_t)st.st_size;
}

/* n things of `size` bytes in the file; NULL: they do not lie within it. */
static const void *part(const struct object *ob, uint64_t offset, uint64_t n, size_t size)
{
    if (offset > ob->bytes || n > (ob->bytes - offset) / size || offset % 8 != 0)
        return NULL;
    return (const char *)ob->file + offset;
}

static const ElfW(Ehdr) *header(struct object *ob)
{
    const ElfW(Ehdr) *h;

    if (!ob->opened)
        open_file(ob);
    h = ob->file;
    return h != NULL && memcmp(h->e_ident, ELFMAG, SELFMAG) == 0 ? h : NULL;
}

/* The address that the linker gave to what stands there in the file; 0: none. */
static uint64_t linked_address(const struct object *ob, const ElfW(Ehdr) *h, uint64_t offset)
{
    const ElfW(Phdr) *p = part(ob, h->e_phoff, h->e_phnum, sizeof *p);

    for (int i = 0; p != NULL && i < h->e_phnum; i++)
        if (p[i].p_type == PT_LOAD && offset >= p[i].p_offset &&
            offset - p[i].p_offset < p[i].p_filesz)
            return offset - p[i].p_offset + p[i].p_vaddr;
    return 0;
}

static const char *name_at(const struct object *ob, const ElfW(Shdr) *strings, uint32_t at)
{
    const char *text = (const char *)ob->file + strings->sh_offset + at;

    if (strings->sh_offset > ob->bytes || strings->sh_size > ob->bytes - strings->sh_offset ||
        at >= strings->sh_size || memchr(text, '\0', strings->sh_size - at) == NULL)
        return NULL;
    return text;
}

static const char *find(const struct object *ob, const ElfW(Shdr) *table,
                        const ElfW(Shdr) *strings, uint64_t at)
{
    size_t n = table->sh_size / sizeof(ElfW(Sym));
    const ElfW(Sym) *s = part(ob, table->sh_offset, n, sizeof *s);

    for (size_t i = 0; s != NULL && i < n; i++)
        if ((s[i].st_info & 0xf) == STT_FUNC && at >= s[i].st_value &&
            at - s[i].st_value < s[i].st_size)
            return name_at(ob, strings, s[i].st_name);
    return NULL;
}

const char *object_function(struct object *ob, uint64_t address)
{
    const ElfW(Ehdr) *h = header(ob);
    const ElfW(Shdr) *s = h != NULL ? part(ob, h->e_shoff, h->e_shnum, sizeof *s) : NULL;
    const char *name = NULL;
    uint64_t at;

    if (s == NULL)
        return NULL;
    at = linked_address(ob, h, address - ob->start + ob->offset);
    for (int i = 0; at != 0 && i < h->e_shnum && name == NULL; i++)
        if ((s[i].sh_type == SHT_SYMTAB || s[i].sh_type == SHT_DYNSYM) &&
            s[i].sh_link < h->e_shnum)
            name = find(ob, &s[i], &s[s[i].sh_link], at);
    return name;
}
