/* SPDX-License-Identifier: BSD-3-Clause
 * model-sampleq.c - sampleq.h: a sample is taken whole, and once, while the next ones are written
 */
#include "explore.h"

#include "sampleq.h"

#include <string.h>

enum { SLOTS = 4, LENGTH = 2 };

static uint64_t slots[SLOTS];
static struct sampleq queue;

static void setup(void)
{
    memset(slots, 0, sizeof slots);
    queue = (struct sampleq){ .slot = slots, .mask = SLOTS - 1 };
    /* The words of a sample, for of its length it depends what is done next. */
    explore_late(&slots[1], LENGTH * sizeof slots[1]);
}

static void put(uint64_t value)
{
    sampleq_put(&queue, (const uint64_t[LENGTH]){ value, value }, LENGTH);
}

/* Only one fits: the second finds room when the first was taken, or is lost. */
static void writer(void)
{
    put(1);
    put(2);
}

static uint64_t last;

static void take(void)
{
    uint64_t words[SLOTS] = { 0 };
    uint32_t n = sampleq_get(&queue, words);

    explore_check(n == 0 || n == LENGTH, "a sample of %u words", n);
    explore_check(n == 0 || (words[0] == words[1] && words[0] > last),
                  "half a sample, or an old one");
    if (n > 0)
        last = words[0];
}

static void reader(void)
{
    last = 0;
    take();
    take();
}

static void finish(void)
{
    uint64_t words[SLOTS];
    uint64_t found = last;

    while (sampleq_get(&queue, words) > 0)
        found = words[0];
    explore_check(found + queue.lost == 2, "the last one is neither there nor lost");
}

static const struct explore tests[] = {
    {.name = "one writes, one reads", .setup = setup, .thread = {writer, reader}, .finish = finish},
};

int main(int argc, char **argv)
{
    return explore_main(argc, argv, tests);
}
