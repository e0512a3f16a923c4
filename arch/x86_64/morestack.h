/* SPDX-License-Identifier: BSD-3-Clause
 * morestack.h - how our __morestack is told from libgcc's
 */
#ifndef QUOIT_MORESTACK_H
#define QUOIT_MORESTACK_H

/* Eight bytes right before each of its entries. */
#define MORESTACK_MARK "quoit\0\1\1"

#endif
