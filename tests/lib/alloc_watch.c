/* SPDX-License-Identifier: Apache-2.0
 *
 * Without a sanitizer this file defines malloc and its kin; the program's definitions go before the
 * C library's for all its shared libraries too, and hand on to glibc's own names. A sanitizer has
 * already taken that place, so there its documented hooks are used.
 */
#include "tests/lib/alloc_watch.h"
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

static _Thread_local bool watching;
static _Thread_local uint64_t count;

static inline void note(void)
{
    if (watching)
        count++;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
/* of <sanitizer/allocator_interface.h>, which gcc does not always install */
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
                                              void (*on_free)(const volatile void *));

static void on_malloc(const volatile void *p, size_t bytes)
{
    (void)p;
    (void)bytes;
    note();
}

static void on_free(const volatile void *p)
{
    (void)p;
    note();
}

__attribute__((constructor)) static void install(void)
{
    if (__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free) == 0)
        abort(); /* no room for hooks: a watch that sees nothing would pass every test */
}
#else
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t n, size_t bytes);
void *__libc_realloc(void *p, size_t bytes);
void *__libc_memalign(size_t align, size_t bytes);
void __libc_free(void *p);

#define SEEN __attribute__((visibility("default")))

SEEN void *malloc(size_t bytes)
{
    note();
    return __libc_malloc(bytes);
}

SEEN void *calloc(size_t n, size_t bytes)
{
    note();
    return __libc_calloc(n, bytes);
}

SEEN void *realloc(void *p, size_t bytes)
{
    note();
    return __libc_realloc(p, bytes);
}

SEEN void free(void *p)
{
    note();
    __libc_free(p);
}

SEEN void *aligned_alloc(size_t align, size_t bytes)
{
    note();
    return __libc_memalign(align, bytes);
}

SEEN int posix_memalign(void **out, size_t align, size_t bytes)
{
    note();
    if (align < sizeof(void *) || (align & (align - 1)) != 0)
        return EINVAL;
    *out = __libc_memalign(align, bytes);
    return *out == NULL ? ENOMEM : 0;
}
#endif

void alloc_watch_start(void)
{
    count = 0;
    watching = true;
}

uint64_t alloc_watch_stop(void)
{
    watching = false;
    return count;
}
