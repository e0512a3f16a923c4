/* SPDX-License-Identifier: BSD-3-Clause
 * late.h - ThreadSanitizer calls handlers later than their signals come in, and elsewhere
 */
#ifndef QUOIT_TESTS_LATE_H
#define QUOIT_TESTS_LATE_H

#define HANDLERS_ARE_LATE 0
#if defined(__SANITIZE_THREAD__)
#undef HANDLERS_ARE_LATE
#define HANDLERS_ARE_LATE 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#undef HANDLERS_ARE_LATE
#define HANDLERS_ARE_LATE 1
#endif
#endif

#endif
