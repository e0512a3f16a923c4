/* SPDX-License-Identifier: BSD-3-Clause
 * prologue.c - the check of split stacks, and what depends on a thread, in x86_64 code
 *
 * What gcc 12 and clang 14 write, at any -O, with and without landing pads:
 *
 *     cmp %fs:0x70,%rsp                        frames below 256 bytes (clang: below 256, too)
 *     lea -N(%rsp),%r11; cmp %fs:0x70,%r11     others; some use r10
 *     stc; nop                                 the same after gold or lld: to non-split callees
 *     jb, jbe slow  or  jae, ja body
 *     slow: mov $frame,%r10; mov $arguments,%r11; call __morestack; ret
 *
 * The call decides whose check it is: eight known bytes stand before ours.
 */
#include "prologue.h"

#include "insn.h"
#include "morestack.h"

#include <pthread.h>
#include <string.h>

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <sched.h>
#include <threads.h>
#include <unistd.h>

#define CANARY 0x28
#define GUARD 0x70

struct thread_bound {
    const char *name;
    uintptr_t address;
};

/* From the loader, and from C++, not declared anywhere. */
void *__tls_get_addr(void *index);

#define ROW(function) { #function, (uintptr_t)(function) }

/* They return what is the thread's own: its id, a place in it, a value kept for it. */
static const struct thread_bound thread_bound[] = {
    ROW(__ctype_b_loc),
    ROW(__ctype_tolower_loc),
    ROW(__ctype_toupper_loc),
    ROW(__errno_location),
    ROW(__h_errno_location),
    ROW(__tls_get_addr),
    ROW(getcpu),
    ROW(gettid),
    ROW(pthread_getspecific),
    ROW(pthread_self),
    ROW(pthread_setspecific),
    ROW(sched_getcpu),
    ROW(thrd_current),
    ROW(tss_get),
    ROW(tss_set),
};

static bool decode(const struct object *o, uintptr_t p, uintptr_t end, struct insn *in)
{
    return p >= o->code && end <= o->code_end && p < end &&
           insn_decode((const uint8_t *)p, end - p, in);
}

static bool is_landing_pad(const struct insn *in)
{
    return in->map == MAP_0F && in->opcode == 0x1e && in->repeat == 0xf3 && in->modrm == 0xfa;
}

/* ---- who is called -------------------------------------------------------------------------- */

/* A linkage table's entry that is not resolved yet: push of its number, and on to the loader. */
static const char *lazy_name(const struct object *o, uintptr_t p)
{
    struct insn in;

    if (!decode(o, p, o->code_end, &in))
        return NULL;
    if (is_landing_pad(&in) && !decode(o, p += in.length, o->code_end, &in))
        return NULL;
    return in.map == MAP_ONE && in.opcode == 0x68 ? object_linked_name(o, (uint32_t)in.immediate)
                                                  : NULL;
}

/* `target` is an entry of a linkage table: *slot is where the address that it jumps to lies. */
static bool is_linkage(const struct object *o, uintptr_t target, uintptr_t *slot)
{
    struct insn in;

    if (!decode(o, target, o->code_end, &in))
        return false;
    if (is_landing_pad(&in) && !decode(o, target += in.length, o->code_end, &in))
        return false;
    *slot = target + in.length + (uintptr_t)(intptr_t)in.displacement;
    return in.map == MAP_ONE && in.opcode == 0xff && insn_reg(&in) == 4 && in.relative;
}

/* What the slot of a linkage table or of the global offset table holds; 0: it is none. */
static uintptr_t slot_value(const struct object *o, uintptr_t slot)
{
    if (slot % sizeof(uintptr_t) != 0 || !object_readable(o, slot, sizeof(uintptr_t)))
        return 0;
    return *(const uintptr_t *)slot;
}

/* A function's address may be that of the main program's linkage table, which stands for it. */
static uintptr_t at_last(uintptr_t address)
{
    struct object o;
    uintptr_t slot;

    if (object_find(address, &o) && is_linkage(&o, address, &slot))
        return slot_value(&o, slot);
    return address;
}

static bool bound_address(uintptr_t address)
{
    uintptr_t last = at_last(address);

    for (size_t i = 0; i < sizeof thread_bound / sizeof thread_bound[0]; i++) {
        if (thread_bound[i].address == address || at_last(thread_bound[i].address) == last)
            return true;
    }
    return false;
}

static bool bound_name(const char *name)
{
    for (size_t i = 0; i < sizeof thread_bound / sizeof thread_bound[0]; i++) {
        if (strcmp(name, thread_bound[i].name) == 0)
            return true;
    }
    return false;
}

/* What a slot leads to. One that cannot be read leads anywhere. */
static bool bound_slot(const struct object *o, uintptr_t slot)
{
    uintptr_t value = slot_value(o, slot);
    const char *name;

    if (value == 0)
        return true;
    name = value >= o->code && value < o->code_end ? lazy_name(o, value) : NULL;
    return name != NULL ? bound_name(name) : bound_address(value);
}

static bool calls_bound(const struct object *o, uintptr_t behind, const struct insn *in)
{
    uintptr_t target, slot;

    if (in->map != MAP_ONE)
        return false;
    if (in->opcode == 0xff && insn_reg(in) == 2 && in->relative)
        return bound_slot(o, behind + (uintptr_t)(intptr_t)in->displacement);
    if (in->opcode != 0xe8)
        return false;
    target = behind + (uintptr_t)(intptr_t)in->immediate;
    if (is_linkage(o, target, &slot))
        return bound_slot(o, slot);
    return bound_address(target);
}

/* ---- the thread ----------------------------------------------------------------------------- */

static bool depends(const struct insn *in)
{
    bool fence_group = in->map == MAP_0F && in->opcode == 0xae;

    if (in->segment != 0 && !(in->segment == 0x64 && in->absolute &&
                              (in->displacement == CANARY || in->displacement == GUARD)))
        return true;
    if (in->vector)
        return false;
    /* rdfsbase and the three behind it; syscall; int. */
    return (fence_group && in->repeat == 0xf3 && insn_mod(in) == 3 && insn_reg(in) < 4) ||
           (in->map == MAP_0F && in->opcode == 0x05) || (in->map == MAP_ONE && in->opcode == 0xcd);
}

static bool keeps_no_thread(const struct object *o, const struct function *f)
{
    struct insn in;

    for (uintptr_t p = f->start; p < f->end; p += in.length) {
        if (!decode(o, p, f->end, &in) || depends(&in) || calls_bound(o, p + in.length, &in))
            return false;
    }
    return true;
}

/* ---- the check ------------------------------------------------------------------------------ */

static bool compares_guard(const struct insn *in)
{
    return in->segment == 0x64 && in->map == MAP_ONE && in->opcode == 0x3b && in->absolute &&
           in->displacement == GUARD;
}

/* lea -N(%rsp), of a register for scratch */
static bool wants_more(const struct insn *in)
{
    return in->map == MAP_ONE && in->opcode == 0x8d && in->wide && insn_mod(in) != 0 &&
           insn_mod(in) != 3 && insn_rm(in) == 4 && in->displacement < 0;
}

/* A jump on the comparison, and where the slow path begins then. */
static bool slow_path(const struct insn *in, uintptr_t behind, uintptr_t *slow)
{
    bool is_short = in->map == MAP_ONE && (in->opcode & 0xf0) == 0x70;
    bool is_near = in->map == MAP_0F && (in->opcode & 0xf0) == 0x80;

    switch (in->opcode & 0x0f) {
    case 0x2: /* below */
    case 0x6: /* or equal */
        *slow = behind + (uintptr_t)(intptr_t)in->immediate;
        break;
    case 0x3:
    case 0x7:
        *slow = behind;
        break;
    default:
        return false;
    }
    return is_short || is_near;
}

/* From `slow` there is a call of __morestack soon, and it is ours. */
static bool calls_morestack(const struct object *o, const struct function *f, uintptr_t slow)
{
    enum { MOST_BEFORE = 4 };
    struct insn in;
    uintptr_t target;

    for (int i = 0; i < MOST_BEFORE; i++, slow += in.length) {
        if (slow < f->start || !decode(o, slow, f->end, &in))
            return false;
        if (in.map == MAP_ONE && in.opcode == 0xe8) {
            target = slow + in.length + (uintptr_t)(intptr_t)in.immediate;
            return target >= o->code + sizeof MORESTACK_MARK - 1 && target < o->code_end &&
                   memcmp((const char *)target - (sizeof MORESTACK_MARK - 1), MORESTACK_MARK,
                          sizeof MORESTACK_MARK - 1) == 0;
        }
    }
    return false;
}

bool prologue_checks(const struct object *o, const struct function *f)
{
    struct insn in;
    uintptr_t p = f->start, slow;

    if (!decode(o, p, f->end, &in))
        return false;
    if (is_landing_pad(&in) && !decode(o, p += in.length, f->end, &in))
        return false;
    if (wants_more(&in) && !decode(o, p += in.length, f->end, &in))
        return false;
    if (in.map == MAP_ONE && in.opcode == 0xf9) {
        /* stc, and what is left of the comparison */
        do {
            p += in.length;
            if (!decode(o, p, f->end, &in))
                return false;
        } while ((in.map == MAP_ONE && in.opcode == 0x90) ||
                 (in.map == MAP_0F && in.opcode == 0x1f));
    } else {
        if (!compares_guard(&in) || !decode(o, p += in.length, f->end, &in))
            return false;
    }
    return slow_path(&in, p + in.length, &slow) && calls_morestack(o, f, slow);
}

bool prologue_is_ours(const struct object *o, const struct function *f)
{
    return prologue_checks(o, f) && keeps_no_thread(o, f);
}

/* ---- return addresses ----------------------------------------------------------------------- */

/* mov $15,%rax or %eax; syscall */
static bool is_sigreturn(const struct object *o, uintptr_t p)
{
    static const uint8_t wide[] = { 0x48, 0xc7, 0xc0, 15, 0, 0, 0, 0x0f, 0x05 };
    static const uint8_t narrow[] = { 0xb8, 15, 0, 0, 0, 0x0f, 0x05 };

    return o->code_end - p >= sizeof wide &&
           (memcmp((const void *)p, wide, sizeof wide) == 0 ||
            memcmp((const void *)p, narrow, sizeof narrow) == 0);
}

/* The n bytes before p are a call. */
static bool is_call(uintptr_t p, unsigned n)
{
    const uint8_t *at = (const uint8_t *)p - n;
    struct insn in;

    if (n == 5 && at[0] == 0xe8)
        return true;
    return at[0] == 0xff && insn_decode(at, n, &in) && in.length == n && insn_reg(&in) == 2;
}

bool prologue_returns_to(const struct object *o, uintptr_t address)
{
    for (unsigned n = 2; n <= 7 && address - n >= o->code; n++) {
        if (is_call(address, n))
            return true;
    }
    return is_sigreturn(o, address);
}
