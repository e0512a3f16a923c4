/* SPDX-License-Identifier: BSD-3-Clause
 * note.c - sleep and wakeup of one thread
 */
#include "note.h"

#include "os_linux.h"

#include <errno.h>

bool note_sleep(struct note *n, int64_t deadline)
{
    /* order NOTE in: what the waker wrote before is seen; out: note_wake */
    while (load_acquire(&n->word) == 0) {
        if (futex_wait(&n->word, 0, deadline) == -ETIMEDOUT) {
            /* order NOTE in: it may have come with the deadline; out: note_wake */
            return load_acquire(&n->word) != 0;
        }
    }
    return true;
}

void note_wake(struct note *n)
{
    /* order NOTE out: what the sleeper is to see comes first; in: note_sleep */
    store_release(&n->word, 1);
    futex_wake(&n->word, 1);
}
