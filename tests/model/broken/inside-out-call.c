/* SPDX-License-Identifier: BSD-3-Clause
 * inside-out-call.c - an M may be called before it can see why
 */
#define BROKEN "INSIDE out m_call"
#include "../model-inside.c"
