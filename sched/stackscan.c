/* SPDX-License-Identifier: BSD-3-Clause
 * stackscan.c - every word of a stack is asked whether it is a return address, and into whose code
 *
 * A goroutine that is switched out by force may go on in another thread, and holds its P's place in
 * nothing: so no frame on its stack may belong to code that does not expect that (a callback under
 * qsort, stdio or pthread_once; a signal handler) or that keeps something of its thread.
 *
 * All words are looked at, not just those where the unwind tables say that a return address is:
 * tables may be wrong, or missing. A word that only looks like a return address, left over from an
 * earlier call, sends the goroutine to rung 3 like any other. What an address is stands in a table:
 *
 *     a page      has no code: true of nearly all words that are pointers
 *     a place     is no return address, or one into ours, or into other code
 *     a function  is ours, or not
 *
 * An entry is one word, key and answer together, so a reader sees a whole one or none; threads and
 * their handlers read and write them as they come, and who overwrites another's entry costs that
 * one a search. No edge is needed.
 *
 * Code comes and goes with dlopen and dlclose, and another library may then lie at the same
 * place. libc counts both; the count is part of an entry, and is compared at the end of each scan
 * that says yes. What has a frame on this stack was loaded when the scan began and cannot be
 * unloaded meanwhile. dl_iterate_phdr, which tells the counts, takes a lock of libc: at that point
 * it is known that nobody on this stack holds it. Who finds another count empties the table for
 * all: it costs each P a few searches.
 *
 * Code that was made at run time belongs to no object, and a frame of it is not seen. What calls
 * it, and what it calls, has frames of its own.
 *
 * The time is bounded by the number of words (MOST_WORDS), of searches in unwind tables
 * (MOST_SEARCHES) and of bytes that are decoded as instructions (MOST_CODE). Past any of them the
 * answer is no; what was found stays known, so the next scan gets further.
 */
#include "stackscan.h"

#include "atomic.h"
#include "object.h"
#include "preempt.h"
#include "prologue.h"
#include "sanitize.h"

#include "proc.h"

#include <link.h>

enum {
    TABLE_BITS = 12,
    MOST_WORDS = 32768,
    MOST_SEARCHES = 512,
    MOST_CODE = 131072,
    PAGE_BITS = 12,
    RANGES = 4
};

/* 47 bits of a key, 9 of the count, 4 of what it is and 4 of the answer. */
enum { KEY_SHIFT = 17, COUNT_SHIFT = 8, COUNT_BITS = 9, KIND_SHIFT = 4, ANSWER_MASK = 15 };
enum kind { PAGE = 1, PLACE, FUNCTION };
enum answer { UNKNOWN, NOTHING, OURS, OTHER };

static struct {
    uint64_t loads; /* a  how often code was loaded or unloaded before the entries were made */
    uint64_t entry[1 << TABLE_BITS] cacheline_aligned; /* a */
} known;

/* The library's own code. Where it calls a function of the user's it expects that this may park, so
 * its frames may go on elsewhere. */
static struct function own[RANGES];
static int nown;

/* What a scan may still do. */
struct budget {
    uint64_t loads; /* as in known */
    int searches;
    uintptr_t code;
};

/* ---- the table ------------------------------------------------------------------------------ */

static uint64_t tag_of(uintptr_t key, enum kind kind, uint64_t loads)
{
    uint64_t count = loads & ((1 << COUNT_BITS) - 1);

    return (uint64_t)key << KEY_SHIFT | count << COUNT_SHIFT | (uint64_t)kind << KIND_SHIFT;
}

static uint64_t *slot_of(uint64_t tag)
{
    return &known.entry[tag * 0x9e3779b97f4a7c15u >> (64 - TABLE_BITS)];
}

static enum answer recall(uint64_t tag)
{
    /* hint: another entry in its place costs a search */
    uint64_t entry = load_relaxed(slot_of(tag));

    return (entry & ~(uint64_t)ANSWER_MASK) == tag ? (enum answer)(entry & ANSWER_MASK) : UNKNOWN;
}

static enum answer keep(uint64_t tag, enum answer answer)
{
    /* hint: a word of its own, see above */
    store_relaxed(slot_of(tag), tag | (uint64_t)answer);
    return answer;
}

static int count_loads(struct dl_phdr_info *info, size_t size unused_arg, void *arg)
{
    uint64_t *loads = arg;

    *loads = info->dlpi_adds + info->dlpi_subs + 1;
    return 1;
}

/* Nothing was loaded or unloaded since the entries were made. If something was, they go: what a
 * scan that has not noticed adds afterwards has the old count, which comes again no earlier than
 * after many more such clearings. */
static bool still_loaded(uint64_t before)
{
    uint64_t loads = 0;

    dl_iterate_phdr(count_loads, &loads);
    if (loads == before)
        return true;
    for (size_t i = 0; i < array_len(known.entry); i++)
        store_relaxed(&known.entry[i], 0); /* hint: as in keep() */
    /* hint: whose scan has the old one finds that out in the same way */
    store_relaxed(&known.loads, loads);
    return false;
}

/* ---- what a word is ------------------------------------------------------------------------- */

bool is_own_code(uintptr_t address)
{
    for (int i = 0; i < nown; i++) {
        if (address >= own[i].start && address < own[i].end)
            return true;
    }
    return false;
}

static enum answer ask_function(const struct object *o, const struct function *f, struct budget *b)
{
    uint64_t tag = tag_of(f->start, FUNCTION, b->loads);
    enum answer answer = recall(tag);
    uintptr_t bytes = f->end - f->start;

    if (answer != UNKNOWN)
        return answer;
    if (bytes > MOST_CODE)
        return keep(tag, OTHER);
    if (bytes > b->code)
        return UNKNOWN;
    b->code -= bytes;
    return keep(tag, prologue_is_ours(o, f) ? OURS : OTHER);
}

static enum answer ask_code(const struct object *o, uintptr_t pc, struct budget *b)
{
    struct function f;

    return object_function(o, pc, &f) ? ask_function(o, &f, b) : OTHER;
}

/* As a return address. The function that it lies in is that of the call before it. */
static enum answer ask_place(uintptr_t word, struct budget *b)
{
    uint64_t tag = tag_of(word, PLACE, b->loads);
    enum answer answer = recall(tag);
    struct object o;

    if (answer != UNKNOWN)
        return answer;
    if (b->searches-- <= 0)
        return UNKNOWN;
    if (!object_find(word - 1, &o) || !prologue_returns_to(&o, word))
        return keep(tag, NOTHING);
    answer = is_own_code(word - 1) ? OURS : ask_code(&o, word - 1, b);
    return answer == UNKNOWN ? UNKNOWN : keep(tag, answer);
}

static enum answer ask_page(uintptr_t page, struct budget *b)
{
    uint64_t tag = tag_of(page, PAGE, b->loads);
    enum answer answer = recall(tag);
    uintptr_t start = page << PAGE_BITS;

    if (answer != UNKNOWN)
        return answer;
    if (b->searches-- <= 0)
        return UNKNOWN;
    /* The end of one page is the start of the next: a call may be its last instruction. */
    return keep(tag, object_has_code(start - 1, start + (1 << PAGE_BITS)) ? OURS : NOTHING);
}

/* Addresses of programs: neither a small number nor beyond what a process can have. */
static bool is_address(uintptr_t word)
{
    return word >> 16 != 0 && word >> 47 == 0;
}

static bool may_stay(uintptr_t word, struct budget *b)
{
    enum answer answer;

    if (!is_address(word))
        return true;
    answer = ask_page(word >> PAGE_BITS, b);
    if (answer == OURS)
        answer = ask_place(word, b);
    return answer == OURS || answer == NOTHING;
}

/* Words that nobody has written yet may be read: what they hold is looked up, never followed. */
no_sanitize_address no_sanitize_thread static void copy_words(uintptr_t *to, uintptr_t from,
                                                              size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = ((const volatile uintptr_t *)from)[i];
    sanitize_written(to, n * sizeof *to);
}

static bool scan(uintptr_t sp, uintptr_t top, struct budget *b)
{
    uintptr_t words[32];

    for (uintptr_t p = sp; p < top; p += sizeof words) {
        size_t n = (top - p) / sizeof words[0];

        n = n < array_len(words) ? n : array_len(words);
        copy_words(words, p, n);
        for (size_t i = 0; i < n; i++) {
            if (!may_stay(words[i], b))
                return false;
        }
    }
    return true;
}

void stackscan_refresh(void)
{
    /* hint: a later one finds what this one misses */
    still_loaded(load_relaxed(&known.loads));
}

static bool ask_all(uintptr_t pc, uintptr_t sp, uintptr_t top, uint64_t loads)
{
    struct budget b = { loads, MOST_SEARCHES, MOST_CODE };
    struct object o;

    return object_find(pc, &o) && ask_code(&o, pc, &b) == OURS && scan(sp, top, &b);
}

bool stack_is_ours(uintptr_t pc, uintptr_t sp, uintptr_t top)
{
    /* hint: whether it is still right is asked at the end */
    uint64_t loads = load_relaxed(&known.loads);

    sp = (sp + sizeof sp - 1) & ~(sizeof sp - 1);
    if (!have_guard || sp > top || (top - sp) / sizeof sp > MOST_WORDS)
        return false;
    if (!ask_all(pc, sp, top, loads))
        return false;
    if (still_loaded(loads))
        return true;
    loads = load_relaxed(&known.loads);
    return ask_all(pc, sp, top, loads) && still_loaded(loads);
}

/* ---- the library's own code ----------------------------------------------------------------- */

/* In the archive all its code has a section of its own (meson.build), which the linker gives
 * these names. */
extern const char __start_quoit_text[] __attribute__((__weak__, __visibility__("hidden")));
extern const char __stop_quoit_text[] __attribute__((__weak__, __visibility__("hidden")));

static void add_own(uintptr_t start, uintptr_t end)
{
    own[nown++] = (struct function){ start, end };
}

static void add_function(const void *entry)
{
    struct object o;
    struct function f;

    if (object_find((uintptr_t)entry, &o) && object_function(&o, (uintptr_t)entry, &f))
        add_own(f.start, f.end);
}

/* The shared library is an object of its own. Where the floors are linked into a program directly,
 * as tests do, what lies below each goroutine is what must be known. */
void stackscan_init(void)
{
    struct object o;

    nown = 0;
    if (__start_quoit_text != NULL)
        add_own((uintptr_t)__start_quoit_text, (uintptr_t)__stop_quoit_text);
    else if (object_find((uintptr_t)stackscan_init, &o) && object_is_called(&o, "libquoit.so"))
        add_own(o.code, o.code_end);
    else {
        add_function((const void *)(uintptr_t)context_begin);
        add_function((const void *)(uintptr_t)goroutine_main);
    }
}
