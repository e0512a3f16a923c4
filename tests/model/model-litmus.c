/* SPDX-License-Identifier: BSD-3-Clause
 * model-litmus.c - the explorer itself: what it must find and what it must not
 *
 * Each shape twice: with the weakest orders, where C11 allows the outcome and some cpu
 * shows it, and with orders that forbid it.
 */
#include "explore.h"

#include "atomic.h"

static uint32_t x, y;
static uint64_t d;
static uint32_t r[4];

static void setup(void)
{
    x = y = 0;
    d = 0;
    fence_bias = 0;
    for (int i = 0; i < 4; i++)
        r[i] = 0;
}

static void setup_late(void)
{
    setup();
    explore_late(&x, sizeof(x));
    explore_late(&y, sizeof(y));
}

/* ---- store buffering ---- */

static void sb1(void)
{
    store_relaxed(&x, 1);
    r[0] = load_relaxed(&y);
}

static void sb2(void)
{
    store_relaxed(&y, 1);
    r[1] = load_relaxed(&x);
}

static void sb1_acqrel(void)
{
    store_release(&x, 1);
    r[0] = load_acquire(&y);
}

static void sb2_acqrel(void)
{
    store_release(&y, 1);
    r[1] = load_acquire(&x);
}

static void sb1_full(void)
{
    store_relaxed(&x, 1);
    fence_full();
    r[0] = load_relaxed(&y);
}

static void sb2_full(void)
{
    store_relaxed(&y, 1);
    fence_full();
    r[1] = load_relaxed(&x);
}

static void sb1_light(void)
{
    store_relaxed(&x, 1);
    fence_light();
    r[0] = load_relaxed(&y);
}

static void sb2_heavy(void)
{
    store_relaxed(&y, 1);
    fence_heavy();
    r[1] = load_relaxed(&x);
}

static void not_both_missed(void)
{
    explore_check(r[0] || r[1], "both missed");
}

/* ---- message passing ---- */

static void mp_relaxed1(void)
{
    store_relaxed(&x, 1);
    store_relaxed(&y, 1);
}

static void mp_release1(void)
{
    store_relaxed(&x, 1);
    store_release(&y, 1);
}

static void mp_relaxed2(void)
{
    r[0] = load_relaxed(&y);
    r[1] = load_relaxed(&x);
}

static void mp_acquire2(void)
{
    r[0] = load_acquire(&y);
    r[1] = load_relaxed(&x);
}

static void mp_fence2(void)
{
    r[0] = load_relaxed(&y);
    fence_full();
    r[1] = load_relaxed(&x);
}

static void mp_rmw3(void)
{
    r[2] = add_relaxed(&y, 1);
}

static void mp_store3(void)
{
    store_relaxed(&y, 2);
}

static void no_flag_without_message(void)
{
    explore_check(r[0] == 0 || r[1] == 1, "flag %u, message %u", r[0], r[1]);
}

static void no_second_flag_without_message(void)
{
    explore_check(r[0] != 2 || r[1] == 1, "flag 2, message %u", r[1]);
}

/* ---- load buffering ---- */

static void lb1(void)
{
    r[0] = load_relaxed(&x);
    store_relaxed(&y, 1);
}

static void lb2(void)
{
    r[1] = load_relaxed(&y);
    store_relaxed(&x, 1);
}

static void lb1_release(void)
{
    r[0] = load_relaxed(&x);
    store_release(&y, 1);
}

static void lb2_acquire(void)
{
    r[1] = load_acquire(&y);
    store_relaxed(&x, 1);
}

static void not_both_early(void)
{
    explore_check(!r[0] || !r[1], "both loads saw the stores after them");
}

/* ---- one word: all agree ---- */

static void write1(void)
{
    store_relaxed(&x, 1);
}

static void write2(void)
{
    store_relaxed(&x, 2);
}

static void read_first(void)
{
    r[0] = load_relaxed(&x);
    r[1] = load_relaxed(&x);
}

static void read_second(void)
{
    r[2] = load_relaxed(&x);
    r[3] = load_relaxed(&x);
}

static void one_order(void)
{
    explore_check(!(r[0] == 1 && r[1] == 2 && r[2] == 2 && r[3] == 1), "two orders of one word");
}

static void two_stores1(void)
{
    store_relaxed(&x, 1);
    store_relaxed(&y, 2);
}

static void two_stores2(void)
{
    store_relaxed(&y, 1);
    store_relaxed(&x, 2);
}

static void two_stores2_release(void)
{
    store_release(&y, 1);
    fence_full();
    store_relaxed(&x, 2);
}

static void two_stores1_release(void)
{
    store_relaxed(&x, 1);
    fence_full();
    store_relaxed(&y, 2);
}

static void not_both_first(void)
{
    explore_check(x != 1 || y != 1, "both first stores came last");
}

/* ---- plain memory ---- */

static void write_data(void)
{
    data_write(&d, 1);
    store_release(&y, 1);
}

static void read_data(void)
{
    if (load_acquire(&y))
        data_read(&d);
}

static void read_data_early(void)
{
    if (load_relaxed(&y))
        data_read(&d);
}

/* ---- sleep ---- */

static void sleep_on_x(void)
{
    futex_wait(&x, 0, INT64_MAX);
}

static void wake_x(void)
{
    store_relaxed(&x, 1);
    futex_wake(&x, 1);
}

static void wake_x_too_early(void)
{
    futex_wake(&x, 1);
    store_relaxed(&x, 1);
}

#define BOTH(a, b) .setup = setup, .thread = {a, b}

static const struct explore tests[] = {
    {.name = "store buffering, relaxed", BOTH(sb1, sb2), .finish = not_both_missed,
     .reaches = true},
    {.name = "store buffering, acquire and release", BOTH(sb1_acqrel, sb2_acqrel),
     .finish = not_both_missed, .reaches = true},
    {.name = "store buffering, one full fence", BOTH(sb1_full, sb2), .finish = not_both_missed,
     .reaches = true},
    {.name = "store buffering, two full fences", BOTH(sb1_full, sb2_full),
     .finish = not_both_missed},
    {.name = "store buffering, two light fences", BOTH(sb1_light, sb2),
     .finish = not_both_missed, .reaches = true},
    {.name = "store buffering, light and heavy", BOTH(sb1_light, sb2_heavy),
     .finish = not_both_missed},
    {.name = "message passing, relaxed load", BOTH(mp_release1, mp_relaxed2),
     .finish = no_flag_without_message, .reaches = true},
    {.name = "message passing, relaxed store", BOTH(mp_relaxed1, mp_acquire2),
     .finish = no_flag_without_message, .reaches = true},
    {.name = "message passing", BOTH(mp_release1, mp_acquire2),
     .finish = no_flag_without_message},
    {.name = "message passing by a fence", BOTH(mp_release1, mp_fence2),
     .finish = no_flag_without_message},
    {.name = "message passing through a third's add", .setup = setup,
     .thread = {mp_release1, mp_acquire2, mp_rmw3}, .finish = no_second_flag_without_message},
    {.name = "message passing, not through a third's store", .setup = setup,
     .thread = {mp_release1, mp_acquire2, mp_store3}, .finish = no_second_flag_without_message,
     .reaches = true},
    {.name = "load buffering, relaxed", .setup = setup_late, .thread = {lb1, lb2},
     .finish = not_both_early, .reaches = true},
    {.name = "load buffering, acquire and release", .setup = setup_late,
     .thread = {lb1_release, lb2_acquire}, .finish = not_both_early},
    {.name = "one word, one order", .setup = setup,
     .thread = {write1, write2, read_first, read_second}, .finish = one_order},
    {.name = "two words, no order", BOTH(two_stores1, two_stores2), .finish = not_both_first,
     .reaches = true},
    {.name = "two words, two full fences", BOTH(two_stores1_release, two_stores2_release),
     .finish = not_both_first},
    {.name = "plain memory, passed on", BOTH(write_data, read_data)},
    {.name = "plain memory, a race", BOTH(write_data, read_data_early), .reaches = true},
    {.name = "a futex, woken", BOTH(sleep_on_x, wake_x)},
    {.name = "a futex, woken before the word changed", BOTH(sleep_on_x, wake_x_too_early),
     .reaches = true},
};

int main(int argc, char **argv)
{
    return explore_main(argc, argv, tests);
}
