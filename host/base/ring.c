/* SPDX-License-Identifier: Apache-2.0
 *
 * The ring.
 *
 * Positions are bytes since the ring began: they only rise, their low bits are the offset (the
 * capacity is a power of two, so no division), and head - tail is what is in use. 64 bits do not
 * wrap in the life of a machine.
 *
 *   memory:  [head 8][message, padded to 8] [head 8][message ...] ... [pad head 8][unused]
 *
 * A message that would cross the end is preceded by a pad: a header whose count is PAD and which
 * reaches to the end. Everything is a multiple of 8, so there is always room for that header. Pad
 * and message are published by one store of head, so a consumer that finds a pad finds a message
 * behind it. With messages of at most a quarter of the capacity, pad and message together always
 * fit an empty ring: a full ring empties, a message never waits for ever.
 *
 * Ordering: the producer's release of head pairs with the consumer's acquire (the bytes are there);
 * the consumer's release of tail pairs with the producer's acquire (the bytes were read). Each side
 * keeps its last sight of the other's position and looks again only when that is not enough.
 */
#include "base/ring.h"
#include "base/must.h"

#define RING_MAGIC 0x52494e47u
#define PAD UINT32_MAX
enum { AHEAD_BYTES = 1536 }; /* about one step that makes an order */

struct head { /* before each message */
    uint32_t count;
    uint32_t reserved;
};
static_assert(sizeof(struct head) == RING_ALIGN, "a pad header fits wherever a message may end");

void ring_init(struct ring *r, void *memory, uint32_t capacity)
{
    must(r != NULL && ((uintptr_t)r & (RING_LINE - 1)) == 0);
    must(memory != NULL && ((uintptr_t)memory & (RING_LINE - 1)) == 0);
    must(capacity >= 256 && (capacity & (capacity - 1)) == 0);
    r->magic = RING_MAGIC;
    r->capacity = capacity;
    r->bytes = memory;
    atomic_init(&r->head, 0);
    r->head_next = 0;
    r->tail_seen = 0;
    r->full_count = 0;
    atomic_init(&r->tail, 0);
    r->head_seen = 0;
    r->peeked = 0;
}

static struct head *head_at(const struct ring *r, uint64_t position)
{
    return (struct head *)(void *)(r->bytes + (position & (r->capacity - 1)));
}

static uint32_t whole(uint32_t count)
{
    return (uint32_t)sizeof(struct head) + ((count + RING_ALIGN - 1) & ~(uint32_t)(RING_ALIGN - 1));
}

void *ring_reserve(struct ring *r, uint32_t count)
{
    must(r->magic == RING_MAGIC);
    must(count <= r->capacity / 4);
    uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    must(r->head_next == head);
    uint32_t to_end = r->capacity - (uint32_t)(head & (r->capacity - 1));
    uint32_t bytes = whole(count);
    uint32_t pad = bytes > to_end ? to_end : 0;
    uint64_t next = head + pad + bytes;
    if (next - r->tail_seen > r->capacity) {
        r->tail_seen = atomic_load_explicit(&r->tail, memory_order_acquire);
        if (next - r->tail_seen > r->capacity) {
            r->full_count++;
            return NULL;
        }
    }
    if (pad != 0)
        *head_at(r, head) = (struct head){.count = PAD};
    struct head *h = head_at(r, head + pad);
    *h = (struct head){.count = count};
    r->head_next = next;
    return h + 1;
}

/* The consumer has read the lines that come next, so they lie in its cache: asked for now, they are
 * ours by the time the next message is copied in. A hint: it changes nothing but time. */
static void claim_ahead(const struct ring *r)
{
#if defined(__x86_64__)
    for (uint32_t ahead = 0; ahead < AHEAD_BYTES; ahead += RING_LINE) {
        const uint8_t *line = r->bytes + ((r->head_next + ahead) & (r->capacity - 1));
        __asm__ volatile("prefetchw %0" : : "m"(*line));
    }
#else
    (void)r;
#endif
}

void ring_commit(struct ring *r)
{
    must(r->magic == RING_MAGIC);
    must(r->head_next != atomic_load_explicit(&r->head, memory_order_relaxed));
    atomic_store_explicit(&r->head, r->head_next, memory_order_release);
    claim_ahead(r);
}

const void *ring_peek(struct ring *r, uint32_t *count)
{
    must(r->magic == RING_MAGIC);
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    if (tail == r->head_seen) {
        r->head_seen = atomic_load_explicit(&r->head, memory_order_acquire);
        if (tail == r->head_seen)
            return NULL;
    }
    const struct head *h = head_at(r, tail);
    uint32_t pad = 0;
    if (h->count == PAD) {
        pad = r->capacity - (uint32_t)(tail & (r->capacity - 1));
        h = head_at(r, tail + pad);
    }
    must(h->count <= r->capacity / 4);
    r->peeked = pad + whole(h->count);
    must(r->peeked <= r->head_seen - tail);
    *count = h->count;
    return h + 1;
}

void ring_release(struct ring *r)
{
    must(r->magic == RING_MAGIC);
    must(r->peeked != 0);
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    atomic_store_explicit(&r->tail, tail + r->peeked, memory_order_release);
    r->peeked = 0;
}

uint64_t ring_used(const struct ring *r)
{
    must(r->magic == RING_MAGIC);
    /* Tail first: it never passes head, so the difference cannot be below zero. */
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);
    return atomic_load_explicit(&r->head, memory_order_acquire) - tail;
}
