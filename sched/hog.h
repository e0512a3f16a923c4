/* SPDX-License-Identifier: BSD-3-Clause
 * hog.h - goroutines that compute on without a P
 *
 * All of it is for sysmon's thread.
 */
#ifndef QUOIT_SCHED_HOG_H
#define QUOIT_SCHED_HOG_H

#include "gmp.h"

/* May one more be? If not, mp keeps pp, and somebody is told. */
bool hog_may_begin(const struct m *mp, const struct p *pp, int64_t now);
/* pp has been taken from mp, whose goroutine computes, and is in the caller's hands. */
void hog_begins(struct m *mp, struct p *pp);
/* The same, when pp is somebody else's: for those who want to know (GODEBUG=hogs=1). */
void hog_told(struct m *mp);
/* It could not be taken: if it is pinned somebody is told. */
void hog_keeps(struct m *mp, const struct p *pp);

/* Which of those that lost their P compute, and which block? Now and then. */
void hogs_look(int64_t now);

#endif
