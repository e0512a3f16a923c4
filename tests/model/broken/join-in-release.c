/* SPDX-License-Identifier: BSD-3-Clause
 * join-in-release.c - the record may be given back while its goroutine uses it
 */
#define BROKEN "JOIN in release"
#include "../model-join.c"
