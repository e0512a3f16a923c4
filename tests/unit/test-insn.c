/* SPDX-License-Identifier: BSD-3-Clause
 * test-insn.c - instructions are as long as a disassembler says
 *
 * Each line of objdump's begins with an address, and the next one says where the instruction ends.
 * Looked at are this program and libc, which has every kind of vector instruction.
 */
#include "insn.h"

#include "tap.h"

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

struct tally {
    long right, wrong, unknown;
};

static void compare(struct tally *t, const uint8_t *p, size_t length, const char *text)
{
    struct insn in;

    /* What is no code decodes to nothing, or to anything. */
    if (length > INSN_MAX || strstr(text, "(bad)") != NULL)
        return;
    if (!insn_decode(p, INSN_MAX, &in)) {
        t->unknown++;
    } else if (in.length == length) {
        t->right++;
    } else if (t->wrong++ < 5) {
        diag("%u bytes, should be %zu: %s", in.length, length, text);
    }
}

/* "  address:  mnemonic operands"; other lines end a run of instructions. */
static bool parse(char *line, unsigned long *address, char **text)
{
    char *end;

    *address = strtoul(line, &end, 16);
    if (line[0] != ' ' || *end != ':')
        return false;
    *text = end + 1;
    return true;
}

static bool disassemble(const char *file, uintptr_t base, struct tally *t)
{
    char command[512], line[512], before[512];
    unsigned long address, last = 0;
    char *text;
    FILE *f;

    snprintf(command, sizeof command, "objdump -d -w -z --no-show-raw-insn -j .text %s", file);
    f = popen(command, "r");
    if (f == NULL)
        return false;
    while (fgets(line, sizeof line, f) != NULL) {
        if (!parse(line, &address, &text)) {
            last = 0;
            continue;
        }
        if (last != 0)
            compare(t, (const uint8_t *)base + last, address - last, before);
        last = address;
        snprintf(before, sizeof before, "%s", text);
    }
    return pclose(f) == 0;
}

static void an_object(const char *what, void *symbol)
{
    struct tally t = { 0, 0, 0 };
    struct link_map *map;
    Dl_info info;

    if (dladdr1(symbol, &info, (void **)&map, RTLD_DL_LINKMAP) == 0)
        bail("nothing at %p", symbol);
    if (!disassemble(info.dli_fname, map->l_addr, &t) || t.right == 0) {
        skip("no objdump for %s", info.dli_fname);
        return;
    }
    is_int(t.wrong, 0, "%ld instructions of %s have the right length", t.right, what);
    ok(t.unknown * 1000 < t.right, "%ld are not known", t.unknown);
}

static void a_piece_is_refused(void)
{
    static const uint8_t call[] = { 0xe8, 1, 2, 3, 4 };
    struct insn in;
    int taken = 0;

    for (size_t n = 0; n < sizeof call; n++)
        taken += insn_decode(call, n, &in);
    is_int(taken, 0, "a piece of an instruction is none");
    ok(insn_decode(call, sizeof call, &in) && in.length == 5 && in.immediate == 0x04030201,
       "the whole is");
}

int main(void)
{
    a_piece_is_refused();
    an_object("this program", (void *)(uintptr_t)main);
    an_object("libc", (void *)(uintptr_t)qsort);
    return done_testing();
}
