/* SPDX-License-Identifier: BSD-3-Clause
 * thread.c - a thread that split-stack code makes: for libquoit_preempt.a
 *
 * gcc has the linker send calls of pthread_create here when it links with -fsplit-stack. libgcc's
 * own would give the thread a first segment; a thread has no guard with us, and so needs none. But
 * the name has to be there, as libgcc's brings its __morestack along.
 */
#include <pthread.h>

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
                          void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
                          void *arg);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
                          void *arg)
{
    return __real_pthread_create(thread, attr, fn, arg);
}
