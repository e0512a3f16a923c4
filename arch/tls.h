/* SPDX-License-Identifier: BSD-3-Clause
 * tls.h - the thread's one pointer
 *
 * Everything that depends on the running thread hangs off a single initial-exec thread-local. It is
 * read by volatile assembly, so no compiler keeps the value, or the address, over a stack switch:
 * after a switch the code may go on in another thread. tls_get() costs two loads.
 */
#ifndef QUOIT_ARCH_TLS_H
#define QUOIT_ARCH_TLS_H

#include "cpu_arch.h"

/* What the running thread set last; NULL in a thread that never did. */
static always_inline void *tls_get(void)
{
    return tls_read_arch();
}

/* Not inline: the address of a thread-local must not be computed where a switch can follow. */
void tls_set(void *p);

#endif
