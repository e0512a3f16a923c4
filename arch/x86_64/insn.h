/* SPDX-License-Identifier: BSD-3-Clause
 * insn.h - where an x86_64 instruction ends, and the little that we want to know of it
 */
#ifndef QUOIT_INSN_H
#define QUOIT_INSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { INSN_MAX = 15 };

/* The table that an opcode is looked up in. */
enum insn_map { MAP_ONE, MAP_0F, MAP_0F38, MAP_0F3A, MAP_5, MAP_6 };

struct insn {
    uint8_t length;
    uint8_t map;      /* enum insn_map */
    uint8_t opcode;
    uint8_t segment;  /* 0x64, 0x65, or 0 */
    uint8_t repeat;   /* 0xf2, 0xf3, or 0 */
    bool wide;        /* of 64 bits by its prefix */
    bool vector;      /* with a VEX or EVEX prefix */
    bool has_modrm;
    uint8_t modrm;
    bool absolute;    /* its memory is at displacement, nothing added but the segment */
    bool relative;    /* its memory is at displacement behind it */
    int32_t displacement;
    int32_t immediate; /* of 1, 2 or 4 bytes, with its sign */
};

/* Of the n bytes at p: false if they begin with no whole instruction that is known. */
bool insn_decode(const uint8_t *p, size_t n, struct insn *in);

static inline unsigned insn_mod(const struct insn *in)
{
    return in->modrm >> 6;
}

static inline unsigned insn_reg(const struct insn *in)
{
    return in->modrm >> 3 & 7;
}

static inline unsigned insn_rm(const struct insn *in)
{
    return in->modrm & 7;
}

#endif
