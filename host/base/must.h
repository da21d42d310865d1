/* SPDX-License-Identifier: Apache-2.0
 *
 * Assertions, on in production: a broken rule of ours stops the process, it is never repaired.
 *
 * must(x) states what is always true. must_slow(x) is for whole-table checks in tests and the
 * simulator (on when TENON_SLOW_CHECKS is defined). On failure the hook set by must_set_hook runs
 * once (the core prints sequence and plugins there), then abort(). `static_assert` is for layouts.
 */
#ifndef BASE_MUST_H
#define BASE_MUST_H
#include <assert.h>
#include <stdint.h>

#define must(x)                                                                                    \
    do {                                                                                           \
        if (__builtin_expect(!(x), 0))                                                             \
            must_fail(#x, __FILE__, __LINE__);                                                     \
    } while (0)

#ifdef TENON_SLOW_CHECKS
#define must_slow(x) must(x)
#else
#define must_slow(x) ((void)sizeof(x))
#endif

typedef void (*must_hook_fn)(void *arg, const char *expr, const char *file, int line);
void must_set_hook(must_hook_fn fn, void *arg);
void must_fail(const char *expr, const char *file, int line) __attribute__((noreturn, cold));
#endif
