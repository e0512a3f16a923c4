/* SPDX-License-Identifier: BSD-3-Clause
 * takers.h - who took which goroutine, for models of queues
 *
 * The model includes explore.h and gmp.h before. Each of g[] that is put is made whole first; it
 * has to be taken once, and whole.
 */
#ifndef QUOIT_TESTS_MODEL_TAKERS_H
#define QUOIT_TESTS_MODEL_TAKERS_H

enum { GS = 5 };

static struct quoit_g g[GS];
static uint64_t body[GS]; /* what makes the goroutine whole */
static int taken[EXPLORE_THREADS][GS];

static void takers_setup(void)
{
    static const char *names[GS] = {"g0", "g1", "g2", "g3", "g4"};

    for (int i = 0; i < GS; i++) {
        explore_name(&g[i], names[i]);
        body[i] = 0;
        for (int t = 0; t < EXPLORE_THREADS; t++)
            taken[t][i] = 0;
    }
}

static void take(int thread, struct quoit_g *gp)
{
    ptrdiff_t i = gp - g;

    if (gp == NULL)
        return;
    explore_check(i >= 0 && i < GS, "no goroutine was taken");
    explore_check(data_read(&body[i]) != 0, "a goroutine was taken before it was whole");
    explore_check(taken[thread][i]++ == 0, "g%d was taken twice by one", (int)i);
}

/* Between two operations a thread knows what it has taken and how far it is. */
static void done(int thread, int operation)
{
    uint64_t state = (uint64_t)operation;

    for (int i = 0; i < GS; i++)
        state = state << 1 | (uint64_t)taken[thread][i];
    explore_state(state);
}

/* At the end: what nobody took, the test takes out of the queue; then all is counted. */
static void take_rest(struct quoit_g *gp)
{
    taken[EXPLORE_THREADS - 1][gp - g]++;
}

static void each_once(void)
{
    for (int i = 0; i < GS; i++) {
        int times = 0;

        for (int t = 0; t < EXPLORE_THREADS; t++)
            times += taken[t][i];
        explore_check(times == (body[i] != 0), "g%d was taken %d times", i, times);
    }
}

#endif
