/* SPDX-License-Identifier: BSD-3-Clause
 * note-out.c - the wakeup may come before what it is about
 */
#define BROKEN "NOTE out"
#include "../model-note.c"
