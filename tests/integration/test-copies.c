/* SPDX-License-Identifier: BSD-3-Clause
 * test-copies.c - the archive in the program, and the shared library too
 *
 * The program is linked with the archive; the shared library is named on the
 * command line.
 */
#include "tap.h"

#include <quoit.h>

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

static int (*other_init)(const struct quoit_options *options);
static int (*other_shutdown)(int64_t deadline_ns);
static int (*other_main)(quoit_fn fn, void *arg);

static int nothing(void *arg)
{
    (void)arg;
    return 7;
}

static int starts_the_other(void *arg)
{
    (void)arg;
    return other_main(nothing, NULL);
}

/* A function pointer out of what dlsym returns. */
static void find(void *library, const char *name, void *function)
{
    void *p = dlsym(library, name);

    if (p == NULL)
        bail("%s", dlerror());
    memcpy(function, &p, sizeof p);
}

int main(int argc, char **argv)
{
    void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;

    if (library == NULL)
        bail("%s", argc > 1 ? dlerror() : "no library is named");
    find(library, "quoit_init", &other_init);
    find(library, "quoit_shutdown", &other_shutdown);
    find(library, "quoit_main", &other_main);
    ok(other_init != quoit_init, "there are two copies");
    is_int(quoit_init(NULL), 0, "one starts");
    is_int(other_init(NULL), -EBUSY, "the other does not, while it runs");
    is_int(other_main(nothing, NULL), -EBUSY, "neither way");
    is_int(quoit_shutdown(INT64_MAX), 0, "the first one stops");
    is_int(other_init(NULL), 0, "then the other one starts");
    is_int(quoit_init(NULL), -EBUSY, "and the first one cannot");
    is_int(other_shutdown(INT64_MAX), 0, "until that one stops");
    is_int(quoit_main(nothing, NULL), 7, "then it can");
    is_int(quoit_main(starts_the_other, NULL), -EBUSY, "in a goroutine of one the other is busy");
    is_int(other_main(nothing, NULL), 7, "and free afterwards");
    return done_testing();
}
