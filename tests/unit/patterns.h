/* SPDX-License-Identifier: BSD-3-Clause
 * patterns.h - what patterns.S loads into registers, and where it puts them afterwards
 */
#ifndef QUOIT_TESTS_PATTERNS_H
#define QUOIT_TESTS_PATTERNS_H

#define PATTERN_X87 128
#define PATTERN_MASKS 256
#define PATTERN_MXCSR 320
#define PATTERN_VECTORS 384
#define PATTERN_BYTES 2432

#define PATTERN_ZONE 20
#define PATTERN_FLAG 21
#define RED_ZONE_BYTES 128

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

enum level { LEVEL_SSE, LEVEL_AVX, LEVEL_AVX512 };

struct patterns {
    uint64_t general[16];     /* all but the stack pointer, the last one unused */
    struct {
        uint8_t bytes[10], pad[6];
    } x87[8];
    uint64_t masks[8];
    uint32_t mxcsr;
    uint32_t pad[15];
    uint8_t vectors[32][64];
};

_Static_assert(sizeof(struct patterns) == PATTERN_BYTES, "patterns.S has another size");
_Static_assert(offsetof(struct patterns, x87) == PATTERN_X87, "patterns.S looks elsewhere");
_Static_assert(offsetof(struct patterns, masks) == PATTERN_MASKS, "the same");
_Static_assert(offsetof(struct patterns, mxcsr) == PATTERN_MXCSR, "the same");
_Static_assert(offsetof(struct patterns, vectors) == PATTERN_VECTORS, "the same");

#pragma GCC visibility push(hidden)
extern struct patterns patterns_in, patterns_out;
extern volatile int patterns_hit; /* who interrupts sets it */

uint64_t patterns(int level);
void patterns_wipe(int level);
#pragma GCC visibility pop

static inline enum level best_level(void)
{
    if (__builtin_cpu_supports("avx512f"))
        return LEVEL_AVX512;
    return __builtin_cpu_supports("avx2") ? LEVEL_AVX : LEVEL_SSE;
}
#endif

#endif
