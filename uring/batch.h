/* SPDX-License-Identifier: BSD-3-Clause
 * batch.h - operations of a batch, for the files that run them
 */
#ifndef QUOIT_URING_BATCH_H
#define QUOIT_URING_BATCH_H

struct op;
struct quoit_g;

/* op->res is there, and op is one of a batch: who is to be made ready, or NULL. Any thread; nothing
 * of op is touched from here. */
struct quoit_g *batch_ended(struct op *op);

#endif
