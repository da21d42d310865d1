/* SPDX-License-Identifier: Apache-2.0
 *
 * Counts what one thread asks of the heap: for tests that a hot path asks nothing.
 *
 * Call: any thread; start and stop on the same one. Other threads are not counted. Works in every
 * preset: under a sanitizer through its own hooks, else by standing in front of malloc and free.
 */
#ifndef LIB_ALLOC_WATCH_H
#define LIB_ALLOC_WATCH_H
#include <stdint.h>

void alloc_watch_start(void);
/* Calls of malloc, calloc, realloc, free and their kin by this thread since the start. */
uint64_t alloc_watch_stop(void);
#endif
