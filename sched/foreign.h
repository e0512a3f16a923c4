/* SPDX-License-Identifier: BSD-3-Clause
 * foreign.h - threads that are not ours and are attached
 */
#ifndef QUOIT_SCHED_FOREIGN_H
#define QUOIT_SCHED_FOREIGN_H

#include "gmp.h"

/* Once a start; -EAGAIN, -ENOMEM: no key for what is done when a thread ends. */
int foreign_init(void);

/* At the door of an attached thread, while Quoit ends: from here on it is a plain thread again.
 * Always NULL, as enter() says for such. */
struct m *foreign_abandoned(struct m *mp);

/* The only thread of the child is a plain one. */
void foreign_after_fork_child(void);

#endif
