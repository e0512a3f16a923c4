/* SPDX-License-Identifier: BSD-3-Clause
 * test-stackscan.c - a stack is ours only if every return address on it is
 */
#include "stackscan.h"

#include "object.h"
#include "preempt.h"

#include "split.h"
#include "tap.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STACKS 20000
#define MOST 600
#define THREADS 4
#define HEAP_BYTES 4096

long split_through_O0(long (*fn)(void *), void *arg);
long split_through_O2(long (*fn)(void *), void *arg);

/* What is interrupted in a random stack, a function that is ours. */
static uintptr_t pc;

/* ---- real stacks ---- */

static uintptr_t top; /* 0: the next one says */
static int asked, yes;

/* In place of the scheduler: a function is about to begin. */
static void entered(uintptr_t at, uintptr_t sp, size_t frame unused_arg)
{
    guard_set(0);
    pc = at;
    if (top == 0) {
        top = sp;
        return;
    }
    asked++;
    yes += stack_is_ours(at, sp, top);
}

/* The next function that is ours is stopped. */
static long stop_next(void *arg unused_arg)
{
    guard_set(GUARD_PREEMPT);
    return 0;
}

static int compared(const void *a, const void *b)
{
    (void)a, (void)b;
    split_through_O2(stop_next, NULL);
    return 0;
}

/* From here on up, frames of this program, which has no checks. */
static void frames_of_others(void)
{
    asked = yes = 0;
    top = (uintptr_t)__builtin_frame_address(0) + 2 * sizeof(uintptr_t);
    split_through_O0(stop_next, NULL);
    guard_set(0);
    ok(asked > 0, "a function of ours was stopped");
    is_int(yes, 0, "with the frame of one that is not on the stack the answer is no");
}

/* The first one that is stopped says where its frame and those of its callees end. */
static void frames_of_ours(void)
{
    asked = yes = 0;
    top = 0;
    guard_set(GUARD_PREEMPT);
    split_through_O0(stop_next, NULL);
    guard_set(0);
    ok(asked > 0 && yes == asked, "with frames of ours alone it is yes");
}

static void frames_of_libc(void)
{
    int two[2] = { 1, 2 };

    asked = yes = 0;
    top = (uintptr_t)__builtin_frame_address(0);
    qsort(two, 2, sizeof two[0], compared);
    guard_set(0);
    ok(asked > 0 && yes == 0, "with libc's frames on the stack the answer is no");
}

/* ---- stacks made of words ---- */

enum { INT, STACK_WORD, HEAP, START, STRING, RETURN_OURS, KINDS, RETURN_OTHER = KINDS };

static uintptr_t ours[64], other[64], heap;
static int nours, nother;

/* The addresses behind the calls of a function, found as bytes. */
static int collect(const struct split_function *f, uintptr_t *out, int room)
{
    struct object o;
    struct function range = { 0, 0 };
    int n = 0;

    if (!object_find((uintptr_t)f->at, &o) || !object_function(&o, (uintptr_t)f->at, &range))
        bail("%s is in no table", f->name);
    for (uintptr_t p = range.start; p + 5 <= range.end && n < room && n < 4; p++) {
        int32_t distance;

        if (*(const uint8_t *)p != 0xe8)
            continue;
        memcpy(&distance, (const void *)(p + 1), sizeof distance);
        /* By chance the byte may be another's: then its target is far away. */
        if (distance > -1048576 && distance < 1048576)
            out[n++] = p + 5;
    }
    return n;
}

extern const struct split_function split_functions_O1[], split_functions_plain[];

static void collect_all(void)
{
    for (const struct split_function *f = split_functions_O1; f->name != NULL; f++) {
        if (f->ours)
            nours += collect(f, ours + nours, 64 - nours);
    }
    for (const struct split_function *f = split_functions_plain; f->name != NULL; f++)
        nother += collect(f, other + nother, 64 - nother);
}

static uint64_t step(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 24;
}

static uintptr_t word_of(int kind, uint64_t *seed, const uintptr_t *stack)
{
    switch (kind) {
    case INT:
        return step(seed) % 100000;
    case STACK_WORD:
        return (uintptr_t)(stack + step(seed) % MOST);
    case HEAP:
        return heap + step(seed) % HEAP_BYTES;
    case START:
        return (uintptr_t)split_functions_O1[step(seed) % 5].at;
    case STRING:
        return (uintptr_t)split_functions_O1[step(seed) % 5].name;
    case RETURN_OURS:
        return ours[step(seed) % (uint64_t)nours];
    default:
        return other[step(seed) % (uint64_t)nother];
    }
}

/* The answer that the making of the stack says. */
static bool make(uintptr_t *stack, size_t n, uint64_t *seed)
{
    bool clean = true, dirty = step(seed) % 3 == 0;

    for (size_t i = 0; i < n; i++) {
        stack[i] = word_of((int)(step(seed) % KINDS), seed, stack);
    }
    if (dirty) {
        stack[step(seed) % n] = word_of(RETURN_OTHER, seed, stack);
        clean = false;
    }
    return clean;
}

struct result {
    uint64_t seed;
    int no_wrong, yes_wrong, clean;
};

static void *fuzz(void *arg)
{
    struct result *r = arg;
    uint64_t seed = r->seed;
    uintptr_t stack[MOST];

    for (int i = 0; i < STACKS; i++) {
        size_t n = 1 + step(&seed) % MOST;
        bool clean = make(stack, n, &seed);
        bool answer = stack_is_ours(pc, (uintptr_t)stack, (uintptr_t)(stack + n));

        r->clean += clean;
        r->yes_wrong += answer && !clean;
        r->no_wrong += !answer && clean;
    }
    return NULL;
}

static uint64_t seed_of_all(void)
{
    const char *text = getenv("QUOIT_SEED");

    return text != NULL ? strtoull(text, NULL, 0) : (uint64_t)time(NULL);
}

static void random_stacks(void)
{
    uint64_t seed = seed_of_all();
    struct result r[THREADS];
    pthread_t thread[THREADS];
    int yes_wrong = 0, no_wrong = 0, clean = 0;

    for (uint64_t i = 0; i < THREADS; i++) {
        r[i] = (struct result){ .seed = seed + i };
        if (pthread_create(&thread[i], NULL, fuzz, &r[i]) != 0)
            bail("no thread");
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        yes_wrong += r[i].yes_wrong;
        no_wrong += r[i].no_wrong;
        clean += r[i].clean;
    }
    is_int(yes_wrong, 0, "random_stacks: never yes for one that is not ours; QUOIT_SEED=%llu",
           (unsigned long long)seed);
    is_int(no_wrong, 0, "nor no for one of %d that are", clean);
}

/* Nothing is followed, so any word will do. */
static void random_words(void)
{
    uint64_t seed = seed_of_all();
    uintptr_t stack[MOST];
    int n = 0;

    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < MOST; i++) {
            uintptr_t near = i % 2 != 0 ? (uintptr_t)qsort : (uintptr_t)fuzz;

            stack[i] = near + step(&seed) % 65536 - 32768;
        }
        n += !stack_is_ours(pc, (uintptr_t)stack, (uintptr_t)(stack + MOST));
    }
    ok(n > 0, "random_words: %d of 200 were refused", n);
}

static void limits(void)
{
    static uintptr_t deep[40000];

    ok(stack_is_ours(pc, (uintptr_t)deep, (uintptr_t)(deep + 1000)), "a thousand zeros are ours");
    ok(!stack_is_ours(pc, (uintptr_t)deep, (uintptr_t)(deep + array_len(deep))),
       "a very deep stack is not looked at to its end");
    ok(!stack_is_ours(pc, (uintptr_t)(deep + 1), (uintptr_t)deep), "nor one upside down");
    ok(!stack_is_ours((uintptr_t)qsort, (uintptr_t)deep, (uintptr_t)(deep + 1)),
       "interrupted in libc");
    ok(!stack_is_ours((uintptr_t)deep, (uintptr_t)deep, (uintptr_t)(deep + 1)),
       "interrupted in no code at all");
}

/* ---- code that goes, and other code in its place ---- */

static void place(const char *file, bool refresh, bool *answer, void **at)
{
    void *module = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    uintptr_t stack[4] = { 0 };
    uintptr_t (*returns)(void);

    if (module == NULL)
        bail("%s", dlerror());
    returns = (uintptr_t (*)(void))(uintptr_t)dlsym(module, "module_returns_to");
    *at = (void *)returns();
    stack[1] = (uintptr_t)*at;
    if (refresh)
        stackscan_refresh();
    *answer = stack_is_ours(pc, (uintptr_t)stack, (uintptr_t)(stack + 4));
    dlclose(module);
}

static void other_code_at_the_same_place(char **module)
{
    void *first, *second;
    bool answer;

    for (int round = 0; round < 3; round++) {
        place(module[0], true, &answer, &first);
        ok(answer, "a loaded module's code is ours");
        place(module[1], false, &answer, &second);
        if (first == second)
            ok(!answer, "other code at the same place is not");
        else
            skip("the other module came to lie elsewhere");
    }
}

int main(int argc, char **argv)
{
    if (!have_guard || argc < 3)
        skip_all("no function has a check here");
    preempt_init();
    stackscan_init();
    preempt_entered(entered);
    frames_of_ours();
    frames_of_others();
    frames_of_libc();
    collect_all();
    heap = (uintptr_t)malloc(HEAP_BYTES);
    ok(nours > 10 && nother > 10, "%d return addresses of ours, %d of others", nours, nother);
    errno = 77;
    limits();
    random_stacks();
    random_words();
    other_code_at_the_same_place(argv + 1);
    free((void *)heap);
    is_int(errno, 77, "errno is kept");
    return done_testing();
}
