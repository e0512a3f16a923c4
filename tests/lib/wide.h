/* SPDX-License-Identifier: BSD-3-Clause
 * wide.h - do new threads and processes have the cpus that the process began with?
 *
 * A program that uses it runs itself again as the new process: wide_begin is
 * the first thing in main. Masks are asked of the kernel, not of libc, which
 * may be led elsewhere by what is tested.
 */
#ifndef QUOIT_TESTS_WIDE_H
#define QUOIT_TESTS_WIDE_H

#include <pthread.h>
#include <stdbool.h>

/* clang links its sanitizers' pthread_create and the like into the program
 * itself: calls of those go through no table. gcc's are in a library. */
#if defined(__clang__)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define OWN_PTHREAD_CREATE 1
#endif
#endif

/* Remembers the mask of now. In the program's own child: compares, and exits
 * with 0 or 1. */
void wide_begin(int argc, char **argv);
/* How many cpus that was. */
int wide_cpus(void);

/* Has the calling thread that mask? */
bool wide_now(void);

/* Each makes one and tells whether it has. */
bool wide_thread(const pthread_attr_t *attr);
bool wide_fork(void);
bool wide_spawn(void);
bool wide_spawnp(void);
bool wide_system(void);
bool wide_popen(void);

/* All of them but fork, a check each, and that the calling thread stayed as it
 * was: narrower. */
void wide_all(bool want, const char *when);

#endif
