/* SPDX-License-Identifier: BSD-3-Clause
 * note-in.c - who is woken may not see what the waker did before
 */
#define BROKEN "NOTE in"
#include "../model-note.c"
