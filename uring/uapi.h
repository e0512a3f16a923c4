/* SPDX-License-Identifier: BSD-3-Clause
 * uapi.h - numbers of operations that the oldest header that we take does not have
 *
 * They are the kernel's and never change. Newer headers have them as enumerators, which
 * these then stand in front of, with the same value.
 */
#ifndef QUOIT_URING_UAPI_H
#define QUOIT_URING_UAPI_H

#include "ring.h"

#define IORING_OP_WAITID     50
#define IORING_OP_FUTEX_WAIT 51
#define IORING_OP_FTRUNCATE  55

#endif
