/* SPDX-License-Identifier: BSD-3-Clause
 * check.c - the offsets that the assembly of this machine uses are those of the C structs
 *
 * Nothing here runs. tests/unit/test-context.c shows that the assembly fills the frame as declared.
 */
#include "context.h"

#include <stddef.h>

_Static_assert(offsetof(struct context, sp) == CONTEXT_SP, "switch.S stores sp elsewhere");
_Static_assert(sizeof(struct context_frame) == CONTEXT_FRAME, "switch.S pushes another frame");
_Static_assert(offsetof(struct context_frame, fp) == CONTEXT_FP, "fp is saved elsewhere");
_Static_assert(offsetof(struct context_frame, pc) == CONTEXT_FP + sizeof(void *),
               "the return address must lie above fp, as in any frame record");
#ifdef CONTEXT_X19
_Static_assert(offsetof(struct context_frame, x19) == CONTEXT_X19, "x19 is saved elsewhere");
_Static_assert(offsetof(struct context_frame, d8) == CONTEXT_D8, "d8 is saved elsewhere");
#endif
