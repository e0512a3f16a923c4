/* SPDX-License-Identifier: BSD-3-Clause
 * sanitize.c - the life of a stack as ASan, TSan and Valgrind see it
 *
 * Called by who makes, hands over and frees stacks. Valgrind needs no build of its own, so its part
 * is in every library whose builder had valgrind.h; elsewhere than on Valgrind it is one test.
 */
#include "sanitize.h"

#ifdef SANITIZE_ASAN
#include <sanitizer/lsan_interface.h>
#endif

#if defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#define HAVE_VALGRIND 1
#endif
#endif

bool sanitize_valgrind;

#ifdef HAVE_VALGRIND
__attribute__((constructor)) static void ask_valgrind(void)
{
    sanitize_valgrind = RUNNING_ON_VALGRIND != 0;
}

static void valgrind_register(struct sanitize_stack *s, char *low, size_t size)
{
    s->valgrind_id = 0;
    if (unlikely(sanitize_valgrind))
        s->valgrind_id = VALGRIND_STACK_REGISTER(low, low + size - 1) + 1;
}

static void valgrind_forget(struct sanitize_stack *s)
{
    if (unlikely(s->valgrind_id))
        VALGRIND_STACK_DEREGISTER(s->valgrind_id - 1);
    s->valgrind_id = 0;
}

void sanitize_written(const void *p, size_t n)
{
    if (unlikely(sanitize_valgrind))
        VALGRIND_MAKE_MEM_DEFINED_IF_ADDRESSABLE(p, n);
}
#else
static void valgrind_register(struct sanitize_stack *s, char *low unused_arg,
                              size_t size unused_arg)
{
    s->valgrind_id = 0;
}

static void valgrind_forget(struct sanitize_stack *s unused_arg)
{
}

void sanitize_written(const void *p unused_arg, size_t n unused_arg)
{
}
#endif

#ifdef SANITIZE_TSAN
char sanitize_maps;
#endif

void sanitize_stack_make(struct sanitize_stack *s, void *low, size_t size)
{
#ifdef SANITIZE_SWITCHES
    s->own = false;
#endif
#ifdef SANITIZE_ASAN
    s->fake = NULL;
    s->low = low;
    s->size = size;
    __asan_unpoison_memory_region(low, size);
    /* What only a parked goroutine points to is not leaked. */
    __lsan_register_root_region(low, size);
#endif
#ifdef SANITIZE_TSAN
    s->fiber = __tsan_create_fiber(0);
#endif
    valgrind_register(s, low, size);
}

void sanitize_stack_free(struct sanitize_stack *s)
{
#ifdef SANITIZE_SWITCHES
    if (s->own)
        return;
#endif
#ifdef SANITIZE_ASAN
    /* The next mapping at this place must not inherit our poison. */
    __asan_unpoison_memory_region(s->low, s->size);
    __lsan_unregister_root_region(s->low, s->size);
#endif
#ifdef SANITIZE_TSAN
    __tsan_destroy_fiber(s->fiber);
#endif
    valgrind_forget(s);
}

#ifdef SANITIZE_SWITCHES
void sanitize_stack_reuse(struct sanitize_stack *s, void *low, size_t size)
{
    (void)s, (void)low, (void)size;
#ifdef SANITIZE_ASAN
    __asan_unpoison_memory_region(low, size);
#endif
#ifdef SANITIZE_TSAN
    /* A stack handed on while we run on it has had its calls returned from. */
    if (s->fiber == __tsan_get_current_fiber())
        return;
    __tsan_destroy_fiber(s->fiber);
    s->fiber = __tsan_create_fiber(0);
#endif
}
#endif

#ifdef SANITIZE_ASAN
/* ASan knows the bounds better than libc does, but tells them only to who leaves the stack: so we
 * leave it for `s` itself and come back at once, with the frames kept and the bounds as before. */
static void asan_bounds(struct sanitize_stack *s)
{
    __sanitizer_start_switch_fiber(&s->fake, s, sizeof *s);
    __sanitizer_finish_switch_fiber(s->fake, &s->low, &s->size);
    __sanitizer_start_switch_fiber(&s->fake, s->low, s->size);
    __sanitizer_finish_switch_fiber(s->fake, NULL, NULL);
    s->fake = NULL;
}
#endif

void sanitize_stack_self(struct sanitize_stack *s)
{
    s->valgrind_id = 0;
#ifdef SANITIZE_SWITCHES
    s->own = true;
#endif
#ifdef SANITIZE_ASAN
    asan_bounds(s);
#endif
#ifdef SANITIZE_TSAN
    s->fiber = __tsan_get_current_fiber();
#endif
}
