/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory with phases. A program reserves its budget at boot, hands out pieces from arenas, then
 * seals: after that the hot paths allocate nothing (tests interpose malloc to prove it).
 * An arena is a bump allocator over one mapping, with an optional guard page at its end; freeing
 * is dropping the whole. A pool is a fixed array of equal cells with a free list of indices.
 * One thread per object.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H
#include "base/result.h"

struct arena {
    uint8_t *base;
    size_t capacity; /* bytes usable */
    size_t used;
    size_t mapped; /* bytes mapped incl. guard; 0 when the memory is borrowed */
};

/* Maps `capacity` bytes (rounded up to pages) with a guard page after them. */
MUST_USE struct result arena_map(struct arena *a, size_t capacity);
void arena_unmap(struct arena *a);
/* Uses memory of the caller. */
void arena_borrow(struct arena *a, void *memory, size_t capacity);
/* Zeroed piece, aligned to `align` (power of two <= 4096); NULL when it does not fit. */
void *arena_take(struct arena *a, size_t bytes, size_t align);
void arena_reset(struct arena *a); /* forget all pieces; bytes are zeroed on next take */
/* Makes the whole mapping read-only (static tables after start) or writable again. */
MUST_USE struct result arena_seal(struct arena *a);
MUST_USE struct result arena_unseal(struct arena *a);

struct pool {
    uint32_t *next; /* free list, capacity entries, memory of the caller */
    uint32_t capacity;
    uint32_t free_head; /* index, POOL_NONE = full */
    uint32_t in_use;
    uint32_t in_use_max;
};
#define POOL_NONE UINT32_MAX
void pool_init(struct pool *p, uint32_t *next, uint32_t capacity);
/* The index freed last, or the lowest one never used; POOL_NONE = full. */
uint32_t pool_take(struct pool *p);
/* idx must be out: giving a cell back twice stops the process. */
void pool_put(struct pool *p, uint32_t idx);
#endif
