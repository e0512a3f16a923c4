/* SPDX-License-Identifier: BSD-3-Clause
 * allm-out.c - an M may be on the list before it is whole
 */
#define BROKEN "ALLM out m_record_locked"
#include "../model-world.c"
