/* SPDX-License-Identifier: BSD-3-Clause
 * gather-not-counted.c - who has taken all lets go of it, counted or not
 */
#define IS_COUNTED(g, n) ((void)(n), true)
#include "../model-gather.c"
