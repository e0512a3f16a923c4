/* SPDX-License-Identifier: BSD-3-Clause
 * test-copies.c - copies of the library find each other
 *
 * One copy is linked in; the others are modules made of the same source, named
 * on the command line.
 */
#include "copies.h"

#include "tap.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

enum { MODULES_MAX = 4, ROUNDS = 2000 };

struct copy {
    int (*claim)(void);
    void (*drop)(void);
    int won;
};

static struct copy copies[1 + MODULES_MAX] = { { copies_claim, copies_drop, 0 } };
static int ncopies = 1;
static pthread_barrier_t round_begins, round_ends;

/* A function pointer out of what dlsym returns. */
static void *symbol(void *module, const char *name)
{
    void *p = dlsym(module, name);

    if (p == NULL)
        bail("%s", dlerror());
    return p;
}

static void load(const char *path)
{
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL), *claim, *drop;
    struct copy *c = &copies[ncopies++];

    if (module == NULL)
        bail("%s", dlerror());
    claim = symbol(module, "copies_claim");
    drop = symbol(module, "copies_drop");
    memcpy(&c->claim, &claim, sizeof claim);
    memcpy(&c->drop, &drop, sizeof drop);
}

static void each_excludes_the_others(void)
{
    for (int i = 0; i < ncopies; i++) {
        is_int(copies[i].claim(), 0, "copy %d starts", i);
        for (int k = 0; k < ncopies; k++)
            if (k != i)
                is_int(copies[k].claim(), -EBUSY, "copy %d does not, while it runs", k);
        copies[i].drop();
    }
}

static void *claims(void *arg)
{
    struct copy *c = arg;

    for (int i = 0; i < ROUNDS; i++) {
        pthread_barrier_wait(&round_begins);
        c->won = c->claim() == 0;
        pthread_barrier_wait(&round_ends);
        if (c->won)
            c->drop();
    }
    return NULL;
}

/* Who sees the one that wins gives up; so does who sees one that gives up. */
static void one_of_many_wins(void)
{
    pthread_t t[1 + MODULES_MAX];
    int none = 0, many = 0;

    pthread_barrier_init(&round_begins, NULL, (unsigned)ncopies + 1);
    pthread_barrier_init(&round_ends, NULL, (unsigned)ncopies + 1);
    for (int i = 0; i < ncopies; i++)
        if (pthread_create(&t[i], NULL, claims, &copies[i]) != 0)
            bail("no thread");
    for (int i = 0; i < ROUNDS; i++) {
        int winners = 0;

        pthread_barrier_wait(&round_begins);
        pthread_barrier_wait(&round_ends);
        for (int k = 0; k < ncopies; k++)
            winners += copies[k].won;
        none += winners == 0;
        many += winners > 1;
    }
    for (int i = 0; i < ncopies; i++)
        pthread_join(t[i], NULL);
    is_int(many, 0, "never do two start at once");
    is_int(none, 0, "and always one does");
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc && i <= MODULES_MAX; i++)
        load(argv[i]);
    each_excludes_the_others();
    one_of_many_wins();
    return done_testing();
}
