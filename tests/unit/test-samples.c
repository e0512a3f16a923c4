/* SPDX-License-Identifier: BSD-3-Clause
 * test-samples.c - samples.h counts equal ones; sampleq.h brings them whole, or counts them as lost
 */
#include "sampleq.h"
#include "samples.h"
#include "tap.h"

#include <string.h>

enum { KINDS = 5000, SLOTS = 16 };

/* ---- counting ---- */

/* The i-th kind: lengths differ, and one may be the beginning of another. */
static size_t kind(uint64_t i, uint64_t *words)
{
    size_t n = 1 + i % 7;

    for (size_t k = 0; k < n; k++)
        words[k] = 0x7f0000000000u + i / 7 * 16;
    return n;
}

/* How often the entries say that each kind came, against i + 1 times. */
static bool counted(const struct samples *s)
{
    uint64_t words[7], seen = 0;

    for (size_t at = 0; at < s->n; at += 2 + s->words[at + 1], seen++) {
        size_t n = kind(seen, words);

        if (s->words[at] != seen + 1 || s->words[at + 1] != n ||
            memcmp(s->words + at + 2, words, n * sizeof *words) != 0)
            return false;
    }
    return seen == KINDS;
}

static void equal_ones_are_counted(void)
{
    struct samples s;
    uint64_t words[7];
    bool right = samples_init(&s);

    for (uint64_t i = 0; i < KINDS; i++)
        right &= samples_add(&s, words, kind(i, words), 1);
    for (uint64_t i = 0; i < KINDS; i++)
        right &= samples_add(&s, words, kind(i, words), i);
    ok(right && counted(&s), "equal_ones_are_counted, in the order in which they came first");
    samples_free(&s);
    ok(s.words == NULL && s.n == 0, "nothing is left");
}

/* ---- on the way ---- */

static uint64_t slots[SLOTS];
static struct sampleq queue;

static void start_at(uint32_t end)
{
    queue = (struct sampleq){ .slot = slots, .mask = SLOTS - 1, .head = end, .tail = end };
}

static void arrives(uint32_t end)
{
    uint64_t in[SLOTS], out[SLOTS];
    bool right = true;

    start_at(end);
    for (uint32_t n = 1; n < SLOTS; n++) {
        for (uint32_t i = 0; i < n; i++)
            in[i] = (uint64_t)n << 32 | i;
        right &= !sampleq_waits(&queue) && sampleq_get(&queue, out) == 0;
        sampleq_put(&queue, in, n);
        right &= sampleq_waits(&queue) && sampleq_get(&queue, out) == n &&
                 memcmp(in, out, n * sizeof *in) == 0;
    }
    ok(right && queue.lost == 0, "arrives: of every length, from %u on", end);
}

static void no_room(void)
{
    const uint64_t first[10] = { 1 }, second[5] = { 2 };
    uint64_t out[SLOTS];

    start_at(0);
    sampleq_put(&queue, first, 10);
    sampleq_put(&queue, second, 5);
    is_int(queue.lost, 1, "no_room: what does not fit whole is lost, and counted");
    ok(sampleq_get(&queue, out) == 10 && out[0] == 1 && sampleq_get(&queue, out) == 0,
       "no_room: what was there is as it was");
    sampleq_put(&queue, second, 5);
    is_int((long)sampleq_get(&queue, out), 5, "no_room: then there is room again");
}

int main(void)
{
    equal_ones_are_counted();
    arrives(0);
    arrives(UINT32_MAX - 20);
    no_room();
    return done_testing();
}
