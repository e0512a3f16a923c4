/* SPDX-License-Identifier: BSD-3-Clause
 * sema-out.c - a post may be seen before what it is about
 */
#define BROKEN "SEMA out quoit_sema_post"
#include "../model-sema.c"
