/* SPDX-License-Identifier: BSD-3-Clause
 * insn.c - the lengths of x86_64 instructions
 *
 * Two tables of a letter per opcode say what follows it. Code comes from compilers, so what only a
 * kernel executes is unknown; an unknown instruction makes the function around it one that is not
 * ours, so the tables may lack but must not guess. tests/unit/test-insn.c holds them against a
 * disassembler.
 *
 *     .  nothing        m  modrm           b  1 byte         z  2 or 4 bytes     j  4 bytes
 *     w  2 bytes        n  modrm, b        y  modrm, z       v  2, 4 or 8 bytes
 *     t  modrm; b if its field is 0 or 1   T  the same with z
 *     o  8 bytes, an address               e  3 bytes        p  prefix           -  unknown
 */
#include "insn.h"

#include <string.h>

static const char one[256 + 1] =
    "mmmmbz--" "mmmmbz-p" /* 00 */
    "mmmmbz--" "mmmmbz--"
    "mmmmbzp-" "mmmmbzp-" /* 20 */
    "mmmmbzp-" "mmmmbzp-"
    "pppppppp" "pppppppp" /* 40 */
    "........" "........"
    "--pmpppp" "zybn...." /* 60 */
    "bbbbbbbb" "bbbbbbbb"
    "ny-nmmmm" "mmmmmmmm" /* 80 */
    "........" "..-....."
    "oooo...." "bz......" /* a0 */
    "bbbbbbbb" "vvvvvvvv"
    "nnw.ppny" "e.w..b-." /* c0 */
    "mmmm---." "mmmmmmmm"
    "bbbbbbbb" "jj-b...." /* e0 */
    "p.pp..tT" "......mm";

static const char two[256 + 1] =
    "mmmm-.--" "---.-m.n" /* 00 */
    "mmmmmmmm" "mmmmmmmm"
    "--------" "mmmmmmmm" /* 20 */
    "-..-----" "p-p-----"
    "mmmmmmmm" "mmmmmmmm" /* 40 */
    "mmmmmmmm" "mmmmmmmm"
    "mmmmmmmm" "mmmmmmmm" /* 60 */
    "nnnnmmm." "mm--mmmm"
    "jjjjjjjj" "jjjjjjjj" /* 80 */
    "mmmmmmmm" "mmmmmmmm"
    "...mnm--" "...mnmmm" /* a0 */
    "mmmmmmmm" "mmnmmmmm"
    "mmnmnnnm" "........" /* c0 */
    "mmmmmmmm" "mmmmmmmm"
    "mmmmmmmm" "mmmmmmmm" /* e0 */
    "mmmmmmmm" "mmmmmmmm";

struct reader {
    const uint8_t *p, *end;
    bool narrow; /* of 16 bits by its prefix */
    struct insn *in;
};

/* 0 behind the end: what reads it fails at the next check of ends(). */
static uint8_t next(struct reader *r)
{
    return r->p++ < r->end ? r->p[-1] : 0;
}

static int32_t number(struct reader *r, int bytes)
{
    int32_t value = 0;

    if (r->end - r->p >= bytes) {
        for (int i = 0; i < bytes; i++)
            value |= (int32_t)((uint32_t)r->p[i] << 8 * i);
        if (bytes < 4 && value >> (8 * bytes - 1) & 1)
            value -= 1 << 8 * bytes;
    }
    r->p += bytes;
    return value;
}

/* Prefixes before VEX, EVEX and opcodes. A REX prefix counts right before the opcode only. */
static uint8_t prefixes(struct reader *r)
{
    for (;;) {
        uint8_t byte = next(r);

        if ((byte & 0xf0) == 0x40) {
            uint8_t opcode = next(r);

            r->in->wide = byte & 8;
            return opcode;
        }
        if (byte == 0x64 || byte == 0x65)
            r->in->segment = byte;
        else if (byte == 0xf2 || byte == 0xf3)
            r->in->repeat = byte;
        else if (byte == 0x66)
            r->narrow = true;
        else if (byte != 0x67 && byte != 0xf0 && byte != 0x2e && byte != 0x36 && byte != 0x3e &&
                 byte != 0x26)
            return byte;
    }
}

static char vex_kind(const struct insn *in)
{
    if (in->map == MAP_0F3A)
        return 'n';
    if (in->map == MAP_0F)
        return two[in->opcode] == 'j' ? '-' : two[in->opcode];
    return 'm';
}

/* The rest of a VEX or EVEX prefix and the opcode; what follows it. */
static char vex(struct reader *r, uint8_t first)
{
    static const uint8_t map[8] = { 0xff, MAP_0F, MAP_0F38, MAP_0F3A, 0xff, MAP_5, MAP_6, 0xff };
    uint8_t byte = next(r);

    r->in->vector = true;
    r->in->map = MAP_0F;
    if (first != 0xc5) {
        r->in->map = map[byte & (first == 0xc4 ? 31 : 7) & 7];
        if (r->in->map == 0xff || (first == 0xc4 && (byte & 31) > 3))
            return '-';
        r->in->wide = next(r) >> 7;
        if (first == 0x62)
            next(r);
    }
    r->in->opcode = next(r);
    return vex_kind(r->in);
}

/* The opcode behind 0f; what follows it. */
static char escaped(struct reader *r)
{
    uint8_t byte = next(r);

    r->in->map = byte == 0x38 ? MAP_0F38 : byte == 0x3a ? MAP_0F3A : MAP_0F;
    r->in->opcode = r->in->map == MAP_0F ? byte : next(r);
    if (r->in->map == MAP_0F)
        return two[byte];
    return r->in->map == MAP_0F38 ? 'm' : 'n';
}

static void memory(struct reader *r)
{
    struct insn *in = r->in;
    unsigned mod, rm;
    bool no_base = false;

    in->has_modrm = true;
    in->modrm = next(r);
    mod = insn_mod(in);
    rm = insn_rm(in);
    if (mod == 3)
        return;
    if (rm == 4) {
        uint8_t sib = next(r);

        no_base = mod == 0 && (sib & 7) == 5;
        in->absolute = no_base && (sib & 0x38) == 0x20;
    }
    in->relative = mod == 0 && rm == 5;
    if (mod == 1)
        in->displacement = number(r, 1);
    else if (mod == 2 || in->relative || no_base)
        in->displacement = number(r, 4);
}

static void immediate(struct reader *r, char kind)
{
    struct insn *in = r->in;
    int z = r->narrow ? 2 : 4;

    if (strchr("bn", kind) != NULL || (kind == 't' && insn_reg(in) < 2))
        in->immediate = number(r, 1);
    else if (kind == 'w')
        in->immediate = number(r, 2);
    else if (kind == 'j')
        in->immediate = number(r, 4);
    else if (strchr("zy", kind) != NULL || (kind == 'T' && insn_reg(in) < 2))
        in->immediate = number(r, in->wide ? 4 : z);
    else if (kind == 'v' && !in->wide)
        in->immediate = number(r, z);
    else if (kind == 'v' || kind == 'o')
        r->p += 8;
    else if (kind == 'e')
        r->p += 3;
}

bool insn_decode(const uint8_t *p, size_t n, struct insn *in)
{
    struct reader r = { .p = p, .end = p + (n < INSN_MAX ? n : INSN_MAX), .in = in };
    uint8_t byte;
    char kind;

    memset(in, 0, sizeof *in);
    byte = prefixes(&r);
    in->opcode = byte;
    if (byte == 0xc4 || byte == 0xc5 || byte == 0x62)
        kind = vex(&r, byte);
    else if (byte == 0x0f)
        kind = escaped(&r);
    else
        kind = one[byte];
    if (kind == '-' || kind == 'p')
        return false;
    if (strchr("mnytT", kind) != NULL)
        memory(&r);
    immediate(&r, kind);
    in->length = (uint8_t)(r.p - p);
    return r.p <= r.end;
}
