/* SPDX-License-Identifier: BSD-3-Clause
 * tls.c - the variable behind tls.h
 */
#include "tls.h"

#include "compiler.h"

__thread void *tls_self __attribute__((tls_model("initial-exec"), visibility("hidden")));

noinline void tls_set(void *p)
{
    tls_self = p;
}
