/* SPDX-License-Identifier: BSD-3-Clause
 * object.h - what lies at an address of code: which loaded object, which function
 *
 * For signal handlers: nothing here takes a lock, allocates, or reads what was not found to be
 * mapped by the object's own headers. All answers hold while the object stays loaded; that is for
 * the caller to know (stackscan.c). Where libc has no _dl_find_object (before glibc 2.35) there are
 * no objects, and so no code that is known.
 */
#ifndef QUOIT_ARCH_OBJECT_H
#define QUOIT_ARCH_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An executable segment of a loaded object, and the whole of it. */
struct object {
    uintptr_t start, end;           /* mapped for it; there may be holes in between */
    uintptr_t code, code_end;       /* the segment */
    const uint8_t *frames;          /* its .eh_frame_hdr, or NULL */
    uintptr_t frames_end;           /* of the segment that this lies in */
    const void *dynamic;            /* Elf64_Dyn, ended by DT_NULL; NULL: none */
    uintptr_t base;                 /* added to addresses of the file */
};

struct function {
    uintptr_t start, end;
};

/* The object in which there is executable code at `address`; false: none is known. */
bool object_find(uintptr_t address, struct object *o);
/* Whether code may lie anywhere in [start, end), which is a page or less. */
bool object_has_code(uintptr_t start, uintptr_t end);

/* The function around pc, which is in the object's code, by the unwind tables. */
bool object_function(const struct object *o, uintptr_t pc, struct function *f);

/* The name of the function that entry n of the object's procedure linkage table calls, or NULL. */
const char *object_linked_name(const struct object *o, uint32_t n);

/* Whether n bytes at p can be read: they lie in one segment of the object. */
bool object_readable(const struct object *o, uintptr_t p, size_t n);

/* Its DT_SONAME is name or begins with `name` and a dot. */
bool object_is_called(const struct object *o, const char *name);

#endif
