/* SPDX-License-Identifier: Apache-2.0
 *
 * Arenas and pools.
 *
 * A mapped arena reserves its addresses without rights first and then opens all but the last page:
 * what runs over the end meets the guard page, not a neighbour. Pieces are zeroed when they are
 * taken, not when the arena is reset: a reset is then free of charge, and taking a piece touches
 * its pages, so no page fault is left for the hot path.
 *
 * A pool writes TAKEN into the link of a cell that is out. Giving back a cell twice, or one that
 * was never out, is seen at once instead of tying the free list into a loop.
 */
#include "base/arena.h"
#include "base/must.h"
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t page_bytes(void)
{
    long bytes = sysconf(_SC_PAGESIZE);
    must(bytes >= 4096);
    return (size_t)bytes;
}

struct result arena_map(struct arena *a, size_t capacity)
{
    must(a != NULL);
    must(capacity > 0 && capacity <= PTRDIFF_MAX / 2);
    size_t page = page_bytes();
    size_t usable = (capacity + page - 1) & ~(page - 1);
    void *memory = mmap(NULL, usable + page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return RESULT_OF(TOO_LARGE);
    if (mprotect(memory, usable, PROT_READ | PROT_WRITE) != 0) {
        munmap(memory, usable + page);
        return RESULT_OF(TOO_LARGE);
    }
    *a = (struct arena){.base = memory, .capacity = usable, .mapped = usable + page};
    return OK_RESULT;
}

void arena_unmap(struct arena *a)
{
    must(a != NULL);
    if (a->mapped != 0)
        must(munmap(a->base, a->mapped) == 0);
    *a = (struct arena){0};
}

void arena_borrow(struct arena *a, void *memory, size_t capacity)
{
    must(a != NULL);
    must(memory != NULL && capacity > 0);
    *a = (struct arena){.base = memory, .capacity = capacity};
}

void *arena_take(struct arena *a, size_t bytes, size_t align)
{
    must(a->base != NULL && a->used <= a->capacity);
    must(align > 0 && align <= 4096 && (align & (align - 1)) == 0);
    /* Aligned by address, since borrowed memory may begin anywhere. */
    uintptr_t at = (uintptr_t)a->base + a->used;
    size_t skip = (size_t)(-at & (align - 1));
    size_t left = a->capacity - a->used;
    if (skip > left || bytes > left - skip)
        return NULL;
    uint8_t *piece = a->base + a->used + skip;
    a->used += skip + bytes;
    return memset(piece, 0, bytes);
}

void arena_reset(struct arena *a)
{
    must(a->base != NULL);
    a->used = 0;
}

static struct result protect(struct arena *a, int rights)
{
    must(a->base != NULL && a->mapped > a->capacity);
    return mprotect(a->base, a->capacity, rights) == 0 ? OK_RESULT : RESULT_OF(IO);
}

struct result arena_seal(struct arena *a)
{
    return protect(a, PROT_READ);
}

struct result arena_unseal(struct arena *a)
{
    return protect(a, PROT_READ | PROT_WRITE);
}

#define TAKEN (UINT32_MAX - 1)

void pool_init(struct pool *p, uint32_t *next, uint32_t capacity)
{
    must(p != NULL && next != NULL);
    must(capacity > 0 && capacity < TAKEN);
    for (uint32_t i = 0; i < capacity; i++)
        next[i] = i + 1 < capacity ? i + 1 : POOL_NONE;
    *p = (struct pool){.next = next, .capacity = capacity};
}

uint32_t pool_take(struct pool *p)
{
    uint32_t idx = p->free_head;
    if (idx == POOL_NONE)
        return POOL_NONE;
    must(idx < p->capacity && p->next[idx] != TAKEN);
    p->free_head = p->next[idx];
    p->next[idx] = TAKEN;
    p->in_use++;
    if (p->in_use > p->in_use_max)
        p->in_use_max = p->in_use;
    return idx;
}

void pool_put(struct pool *p, uint32_t idx)
{
    must(idx < p->capacity);
    must(p->next[idx] == TAKEN);
    p->next[idx] = p->free_head;
    p->free_head = idx;
    p->in_use--;
}
