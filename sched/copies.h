/* SPDX-License-Identifier: BSD-3-Clause
 * copies.h - one Quoit at a time in a process
 *
 * A program may carry the archive and load the shared library too, or load two
 * libraries that each carry the archive. Each such copy has its own threads,
 * pins them and takes the same signals; so while one runs the others refuse to
 * start.
 */
#ifndef QUOIT_SCHED_COPIES_H
#define QUOIT_SCHED_COPIES_H

/* 0, or -EBUSY when another copy runs. Of several that claim at the same moment
 * exactly one succeeds. */
int copies_claim(void);
void copies_drop(void);

#endif
