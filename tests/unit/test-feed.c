/* SPDX-License-Identifier: BSD-3-Clause
 * test-feed.c - paths from the walker to the readers of quoit-bench's scan
 *
 * One thread plays all parts. The semaphores are counters, and a wait that would
 * block hands the thread to the readers.
 */
#include "feed.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

enum { RING = 2 * FEED_HALF };

static struct feed *feed;
static uint64_t held; /* this batch is read but not given back; UINT64_MAX: none */
static uint64_t files_read, batches_read;
static bool blocked, slow_reader_was_robbed;
static char held_path[32];

static void init(union feed_sema *s, unsigned n)
{
    s->quoit.opaque[0] = n;
}

static void post(union feed_sema *s)
{
    s->quoit.opaque[0]++;
}

static void read_one(void)
{
    uint64_t number;
    const struct feed_batch *b = feed_take(feed, &number);

    if (!b)
        return;
    batches_read++;
    files_read += b->n;
    if (number == held)
        snprintf(held_path, sizeof(held_path), "%.31s", b->text);
    else
        feed_done(feed, number);
}

static void wait(union feed_sema *s)
{
    if (s != &feed->ready && s->quoit.opaque[0] == 0) {
        while (feed->ready.quoit.opaque[0])
            read_one();
        if (s->quoit.opaque[0] == 0 && held != UINT64_MAX) {
            blocked = true;
            slow_reader_was_robbed |= strcmp(feed->batch[held % RING].text, held_path) != 0;
            feed_done(feed, held);
            held = UINT64_MAX;
        }
    }
    if (s->quoit.opaque[0] == 0)
        bail("a wait for ever");
    s->quoit.opaque[0]--;
}

static const struct feed_calls calls = {.init = init, .wait = wait, .post = post};

static void begin(uint64_t slow)
{
    feed = feed_new(&calls);
    held = slow;
    files_read = batches_read = 0;
    blocked = slow_reader_was_robbed = false;
}

static void put(uint64_t files)
{
    char path[32];

    for (uint64_t i = 0; i < files; i++) {
        snprintf(path, sizeof(path), "f%llu", (unsigned long long)i);
        if (feed_put(path, feed))
            bail("feed_put failed");
    }
    feed_end(feed, 1);
    while (feed->taken <= feed->total)
        read_one();
}

static void every_path_arrives(uint64_t files)
{
    begin(UINT64_MAX);
    put(files);
    is_int(files_read, files, "%d files go through", (int)files);
    is_int(batches_read, (files + FEED_FILES - 1) / FEED_FILES, "in full batches");
    free(feed);
}

/* All of a newer half may be done before one batch of the older half is. */
static void a_slow_reader_keeps_its_batch(void)
{
    begin(0);
    put((uint64_t)RING * FEED_FILES * 3);
    ok(blocked, "the walker waits for the slow reader");
    ok(!slow_reader_was_robbed, "whose batch is as it was");
    is_int(files_read, RING * FEED_FILES * 3, "and all files go through");
    free(feed);
}

static void long_paths_get_a_batch(void)
{
    char path[PATH_MAX];

    begin(UINT64_MAX);
    memset(path, 'p', sizeof(path));
    path[sizeof(path) - 1] = 0;
    for (int i = 0; i < 3; i++)
        feed_put(path, feed);
    feed_end(feed, 1);
    while (feed->taken <= feed->total)
        read_one();
    is_int(files_read, 3, "the longest path there is fits");
    is_int(batches_read, 3, "alone");
    free(feed);
}

int main(void)
{
    every_path_arrives(0);
    every_path_arrives(1);
    every_path_arrives(FEED_FILES);
    every_path_arrives(FEED_HALF * FEED_FILES);
    every_path_arrives(RING * FEED_FILES + 1);
    every_path_arrives(RING * FEED_FILES * 5 + 3);
    a_slow_reader_keeps_its_batch();
    long_paths_get_a_batch();
    return done_testing();
}
