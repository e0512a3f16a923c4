/* SPDX-License-Identifier: BSD-3-Clause
 * test-gfree.c - records of goroutines are made, kept and found again
 */
#include "gfree.h"

#include "gstatus.h"
#include "tap.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MANY = 5000 };

static int nodenear[2][2] = { { 0, 1 }, { 1, 0 } };
static struct node nodes[2];

static void world(void)
{
    memset(nodes, 0, sizeof nodes);
    for (int i = 0; i < 2; i++) {
        nodes[i].id = i;
        nodes[i].near = nodenear[i];
    }
    sched.nodes = nodes;
    sched.nnodes = 2;
    sched.nprocs = sched.nallp = 2;
}

static struct p *new_p(int node)
{
    struct p *pp = aligned_alloc(CACHELINE, sizeof *pp);

    if (pp == NULL)
        bail("no memory");
    memset(pp, 0, sizeof *pp);
    pp->node = &nodes[node];
    pp->place.node = node;
    return pp;
}

static int count(struct quoit_g *gp, void *arg)
{
    ok(gp->id == 0 || gp->id == 1, "a record is whole");
    ++*(int *)arg;
    return 0;
}

static int count_quietly(struct quoit_g *gp, void *arg)
{
    (void)gp;
    ++*(int *)arg;
    return 0;
}

static int first(struct quoit_g *gp, void *arg)
{
    (void)gp;
    return ++*(int *)arg == 3 ? 42 : 0;
}

static void visits(void)
{
    struct p *pp = new_p(0);
    int n = 0;

    is_int(allgs(count, &n), 0, "none");
    is_int(n, 0, "at first");
    is_int(gstatus_read(gfget(pp)), Gdead, "a new one is dead");
    is_int(allgs(count_quietly, &n), 0, "some");
    is_int(n, GMAG, "are made at once");
    n = 0;
    is_int(allgs(first, &n), 42, "a visit may stop");
    is_int(n, 3, "where it wants");
    gfree_fini();
    free(pp);
    world();
}

static int all_records(void)
{
    int n = 0;

    allgs(count_quietly, &n);
    return n;
}

static bool distinct(struct quoit_g **g, int n)
{
    for (int i = 0; i < n; i++)
        g[i]->id = (uint64_t)i;
    for (int i = 0; i < n; i++)
        if (g[i]->id != (uint64_t)i)
            return false;
    return true;
}

static void reused(void)
{
    static struct quoit_g *g[MANY];
    struct p *pp = new_p(0), *p2 = new_p(0);
    int made;

    for (int i = 0; i < MANY; i++)
        g[i] = gfget(pp);
    ok(distinct(g, MANY), "%d different records", MANY);
    made = all_records();
    ok(made < MANY + 2 * GMAG, "and few more were made");
    for (int i = 0; i < MANY; i++)
        gfput(pp, g[i]);
    for (int i = 0; i < MANY; i++)
        g[i] = gfget(pp);
    is_int(all_records(), made, "given back they are used again");
    ok(distinct(g, MANY), "each once");
    for (int i = 0; i < MANY; i++)
        gfput(pp, g[i]);
    for (int i = 0; i < MANY - 2 * GMAG; i++)
        g[i] = gfget(p2);
    is_int(all_records(), made, "another P of the node gets all but two magazines");
    ok(distinct(g, MANY - 2 * GMAG), "each once");
    gfree_fini();
    free(pp);
    free(p2);
    world();
}

static void last_in_first_out(void)
{
    struct p *pp = new_p(0);
    struct quoit_g *a = gfget(pp), *b = gfget(pp);

    gfput(pp, a);
    gfput(pp, b);
    ok(gfget(pp) == b && gfget(pp) == a, "the warm one first");
    gfree_fini();
    free(pp);
    world();
}

static void homeward(void)
{
    static struct quoit_g *g[MANY];
    struct p *here = new_p(0), *far = new_p(1);
    int made;

    for (int i = 0; i < MANY; i++)
        g[i] = gfget(here);
    made = all_records();
    for (int i = 0; i < MANY; i++)
        gfput(far, g[i]);
    ok(gfget(far)->node == 1, "a P has records of its own node only");
    made += GMAG;
    is_int(all_records(), made, "newly made");
    for (int i = 0; i < MANY - 4 * GMAG; i++)
        g[i] = gfget(here);
    is_int(all_records(), made, "what died far away is used again at home");
    gfree_fini();
    free(here);
    free(far);
    world();
}

static void shared(void)
{
    static struct quoit_g *g[MANY];
    struct p *pp = new_p(1);
    int made;

    for (int i = 0; i < MANY; i++)
        g[i] = gfget_shared(&nodes[1]);
    ok(distinct(g, MANY), "by any thread: different ones");
    made = all_records();
    is_int(made, MANY, "no more than wanted");
    for (int i = 0; i < MANY; i++)
        gfput_shared(g[i]);
    for (int i = 0; i < MANY / GMAG * GMAG; i++)
        g[i] = gfget(pp);
    is_int(all_records(), made, "a P gets them in magazines");
    ok(distinct(g, MANY / GMAG * GMAG), "each once");
    gfree_fini();
    free(pp);
    world();
}

/* ---- several at once ------------------------------------------------------------------------ */

enum { THREADS = 4, HELD = 300, TURNS = 200 };

static void *get_and_put(void *arg)
{
    struct p *pp = arg;
    struct quoit_g *g[HELD];
    uintptr_t bad = 0;

    for (int t = 0; t < TURNS; t++) {
        for (int i = 0; i < HELD; i++) {
            g[i] = i % 10 ? gfget(pp) : gfget_shared(pp->node);
            g[i]->arg = g;
            g[i]->id = (uint64_t)i;
        }
        for (int i = 0; i < HELD; i++) {
            bad += g[i]->arg != (void *)g || g[i]->id != (uint64_t)i;
            if (i % 7)
                gfput(pp, g[i]);
            else
                gfput_shared(g[i]);
        }
    }
    return (void *)bad;
}

static void at_once(void)
{
    struct p *pp[THREADS];
    pthread_t thread[THREADS];
    uintptr_t bad = 0;

    for (int i = 0; i < THREADS; i++) {
        pp[i] = new_p(i % 2);
        if (pthread_create(&thread[i], NULL, get_and_put, pp[i]))
            bail("no thread");
    }
    for (int i = 0; i < THREADS; i++) {
        void *result;

        pthread_join(thread[i], &result);
        bad += (uintptr_t)result;
    }
    is_int(bad, 0, "no record in two hands");
    ok(all_records() <= THREADS * (HELD + 4 * GMAG), "and not many more than held");
    gfree_fini();
    for (int i = 0; i < THREADS; i++)
        free(pp[i]);
    world();
}

int main(void)
{
    world();
    visits();
    last_in_first_out();
    reused();
    homeward();
    shared();
    at_once();
    return done_testing();
}
