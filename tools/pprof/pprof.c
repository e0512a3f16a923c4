/* SPDX-License-Identifier: BSD-3-Clause
 * pprof.c - libquoit_pprof.so: writes a profile as pprof reads it, a gzipped protocol buffer
 *
 * Loaded by the library when a profile is taken (sched/profile.c), on any thread of the program.
 * All that the message points to lies in one list of blocks, which is freed as a whole; where
 * memory is short the way out is a jump.
 *
 * Functions are named here and not left to pprof: what comes with Go names only what Go compiled.
 */
#include "profile_format.h"

#include "objects.h"
#include "pprof.pb-c.h"

#include <errno.h>
#include <search.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

struct block {
    struct block *next;
    uint64_t room[];
};

/* What is met again is found again: text, addresses. */
struct known {
    const char *text; /* NULL: an address */
    uint64_t address;
    uint64_t number;
};

struct writer {
    jmp_buf no_memory;
    struct block *blocks;
    struct objects objects;
    void *strings, *locations, *functions, *sites; /* trees of struct known */
    Pprof__Profile *profile;
};

/* ---- memory --------------------------------------------------------------------------------- */

static void *get(struct writer *w, size_t bytes)
{
    struct block *b = malloc(sizeof *b + bytes);

    if (b == NULL)
        longjmp(w->no_memory, 1);
    b->next = w->blocks;
    w->blocks = b;
    return b->room;
}

static const char *copy(struct writer *w, const char *text)
{
    size_t bytes = strlen(text) + 1;

    return memcpy(get(w, bytes), text, bytes);
}

/* An array that holds n, to take one more: it doubles at each power of two. */
static void *more(struct writer *w, const void *array, size_t n, size_t size)
{
    void *larger;

    if (n != 0 && (n & (n - 1)) != 0)
        return (void *)(uintptr_t)array;
    larger = get(w, (n == 0 ? 1 : 2 * n) * size);
    if (n > 0)
        memcpy(larger, array, n * size);
    return larger;
}

#define append(w, array, n, item)                             \
    do {                                                      \
        (array) = more((w), (array), (n), sizeof *(array));   \
        (array)[(n)++] = (item);                              \
    } while (0)

/* A message with its first values in place. */
#define message(w, type, init)                        \
    __extension__({                                   \
        type *new_ = get((w), sizeof *new_);          \
        *new_ = (type)init;                           \
        new_;                                         \
    })

/* ---- what is known -------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    const struct known *x = a, *y = b;

    if (x->text != NULL)
        return strcmp(x->text, y->text);
    return x->address < y->address ? -1 : x->address > y->address;
}

/* Its place in the tree; a new one has the number 0. */
static struct known *know(struct writer *w, void **tree, const struct known *what)
{
    struct known **found = tfind(what, tree, compare), *new;

    if (found != NULL)
        return *found;
    new = get(w, sizeof *new);
    *new = *what;
    if (new->text != NULL)
        new->text = copy(w, new->text);
    if (tsearch(new, tree, compare) == NULL)
        longjmp(w->no_memory, 1);
    return new;
}

static int64_t text(struct writer *w, const char *t)
{
    struct known *k = know(w, &w->strings, &(struct known){ .text = t });
    Pprof__Profile *p = w->profile;

    if (k->number == 0 && *t != '\0') {
        k->number = p->n_strings;
        append(w, p->strings, p->n_strings, (char *)(uintptr_t)k->text);
    }
    return (int64_t)k->number;
}

static uint64_t function(struct writer *w, const char *name)
{
    struct known *k = know(w, &w->functions, &(struct known){ .text = name });
    Pprof__Profile *p = w->profile;

    if (k->number == 0) {
        Pprof__Function *f = message(w, Pprof__Function, PPROF__FUNCTION__INIT);

        f->name = f->system_name = text(w, name);
        append(w, p->functions, p->n_functions, f);
        f->id = k->number = p->n_functions;
    }
    return k->number;
}

static uint64_t location(struct writer *w, uint64_t address)
{
    struct known *k = know(w, &w->locations, &(struct known){ .address = address });
    Pprof__Profile *p = w->profile;
    Pprof__Location *l;
    struct object *ob;
    const char *name;

    if (k->number != 0)
        return k->number;
    ob = object_of(&w->objects, address);
    name = ob != NULL ? object_function(ob, address) : NULL;
    l = message(w, Pprof__Location, PPROF__LOCATION__INIT);
    l->address = address;
    l->mapping = ob != NULL ? (uint64_t)(ob - w->objects.all) + 1 : 0;
    if (name != NULL) {
        Pprof__Line *line = message(w, Pprof__Line, PPROF__LINE__INIT);

        line->function = function(w, name);
        append(w, l->lines, l->n_lines, line);
    }
    append(w, p->locations, p->n_locations, l);
    l->id = k->number = p->n_locations;
    return k->number;
}

/* ---- samples -------------------------------------------------------------------------------- */

static void label(struct writer *w, Pprof__Sample *s, const char *key, int64_t value)
{
    Pprof__Label *l = message(w, Pprof__Label, PPROF__LABEL__INIT);

    l->key = text(w, key);
    l->text = value;
    append(w, s->labels, s->n_labels, l);
}

/* The function that made the goroutine, or the address, as text. */
static int64_t site_text(struct writer *w, uint64_t site)
{
    struct known *k = know(w, &w->sites, &(struct known){ .address = site });
    struct object *ob;
    const char *name;
    char at[32];

    if (k->number == 0) {
        ob = object_of(&w->objects, site - 1);
        name = ob != NULL ? object_function(ob, site - 1) : NULL;
        snprintf(at, sizeof at, "0x%llx", (unsigned long long)site);
        k->number = (uint64_t)text(w, name != NULL ? name : at);
    }
    return (int64_t)k->number;
}

static void sample(struct writer *w, const uint64_t *words, size_t n, uint64_t times,
                   int64_t period)
{
    static const char *const kinds[SAMPLE_KINDS] = {
        [SAMPLE_GOROUTINE] = "goroutine", [SAMPLE_QUOIT] = "quoit",
        [SAMPLE_SCHEDULER] = "scheduler",
    };
    Pprof__Sample *s = message(w, Pprof__Sample, PPROF__SAMPLE__INIT);
    size_t first = words[0] & SAMPLE_NAMED ? 2 + SAMPLE_NAME_WORDS : 2;

    label(w, s, "in", text(w, kinds[words[0] & SAMPLE_KIND]));
    if (words[1] != 0)
        label(w, s, "created by", site_text(w, words[1]));
    if (words[0] & SAMPLE_NAMED) {
        char name[SAMPLE_NAME_WORDS * sizeof *words + 1] = { 0 };

        memcpy(name, words + 2, sizeof name - 1);
        label(w, s, "goroutine", text(w, name));
    }
    for (size_t i = first; i < n; i++)
        append(w, s->locations, s->n_locations, location(w, words[i]));
    append(w, s->values, s->n_values, (int64_t)times);
    append(w, s->values, s->n_values, (int64_t)times * period);
    append(w, w->profile->samples, w->profile->n_samples, s);
}

static Pprof__ValueType *value_type(struct writer *w, const char *kind, const char *unit)
{
    Pprof__ValueType *v = message(w, Pprof__ValueType, PPROF__VALUE_TYPE__INIT);

    v->kind = text(w, kind);
    v->unit = text(w, unit);
    return v;
}

static void mappings(struct writer *w)
{
    Pprof__Profile *p = w->profile;

    for (size_t i = 0; i < w->objects.n; i++) {
        const struct object *ob = &w->objects.all[i];
        Pprof__Mapping *m = message(w, Pprof__Mapping, PPROF__MAPPING__INIT);

        m->id = i + 1;
        m->start = ob->start;
        m->end = ob->end;
        m->offset = ob->offset;
        m->file = text(w, ob->path);
        m->has_functions = 1;
        append(w, p->mappings, p->n_mappings, m);
    }
}

static void fill_in(struct writer *w, const struct profile *from)
{
    Pprof__Profile *p = w->profile = message(w, Pprof__Profile, PPROF__PROFILE__INIT);
    static char empty[] = "";

    append(w, p->strings, p->n_strings, empty);
    append(w, p->kinds, p->n_kinds, value_type(w, "samples", "count"));
    append(w, p->kinds, p->n_kinds, value_type(w, "cpu", "nanoseconds"));
    p->period_kind = p->kinds[1];
    p->period = from->period_ns;
    p->time_ns = from->begun_ns;
    p->duration_ns = from->lasted_ns;
    mappings(w);
    for (size_t at = 0; at < from->n; at += 2 + from->words[at + 1])
        sample(w, from->words + at + 2, from->words[at + 1], from->words[at], from->period_ns);
    if (from->lost > 0) {
        char said[64];

        snprintf(said, sizeof said, "%llu samples were lost", (unsigned long long)from->lost);
        append(w, p->comments, p->n_comments, text(w, said));
    }
}

/* ---- the file ------------------------------------------------------------------------------- */

static int write_all(int fd, const unsigned char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t k = write(fd, bytes, n);

        if (k < 0 && errno != EINTR)
            return -errno;
        if (k > 0) {
            bytes += k;
            n -= (size_t)k;
        }
    }
    return 0;
}

static int write_gzip(struct writer *w, int fd)
{
    enum { GZIP = 15 + 16 };
    size_t n = pprof__profile__get_packed_size(w->profile);
    unsigned char *plain = get(w, n), *packed;
    z_stream z = { .next_in = plain, .avail_in = (uInt)n };
    size_t room;
    int e;

    if (n > UINT32_MAX / 2)
        return -EFBIG;
    pprof__profile__pack(w->profile, plain);
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return -ENOMEM;
    room = deflateBound(&z, n);
    packed = malloc(room);
    z.next_out = packed;
    z.avail_out = (uInt)room;
    e = packed == NULL ? -ENOMEM : deflate(&z, Z_FINISH) != Z_STREAM_END ? -EIO : 0;
    if (e == 0)
        e = write_all(fd, packed, z.total_out);
    free(packed);
    deflateEnd(&z);
    return e;
}

static void nothing(void *known)
{
    (void)known;
}

static void writer_free(struct writer *w)
{
    tdestroy(w->strings, nothing);
    tdestroy(w->locations, nothing);
    tdestroy(w->sites, nothing);
    tdestroy(w->functions, nothing);
    objects_free(&w->objects);
    while (w->blocks != NULL) {
        struct block *b = w->blocks;

        w->blocks = b->next;
        free(b);
    }
}

__attribute__((visibility("default"))) quoit_pprof_fn quoit_pprof_write_1;

int quoit_pprof_write_1(int fd, const struct profile *profile)
{
    struct writer *w = calloc(1, sizeof *w);
    int e;

    if (w == NULL)
        return -ENOMEM;
    e = objects_load(&w->objects);
    if (e == 0 && setjmp(w->no_memory) != 0) {
        e = -ENOMEM;
    } else if (e == 0) {
        fill_in(w, profile);
        e = write_gzip(w, fd);
    }
    writer_free(w);
    free(w);
    return e;
}
