/* SPDX-License-Identifier: Apache-2.0
 *
 * A bounded single-producer single-consumer ring of variable-length messages. One copy in, then
 * the consumer reads in place and releases. A message is contiguous (the ring pads at its end).
 * Head and tail live on their own cache lines; each side caches the other's index, so an
 * uncontended put touches no shared line. A full ring is an answer (NULL), counted, never a wait.
 *
 * Producer calls: ring_reserve, ring_commit. Consumer calls: ring_peek, ring_release.
 */
#ifndef BASE_RING_H
#define BASE_RING_H
#include <stdatomic.h>
#include "base/result.h"

enum { RING_ALIGN = 8, RING_LINE = 64 };

struct ring {
    uint32_t magic;
    uint32_t capacity; /* bytes, a power of two */
    uint8_t *bytes;    /* borrowed from the caller */
    /* producer's line */
    _Alignas(64) _Atomic uint64_t head; /* published write position */
    uint64_t head_next;                 /* write position incl. reservation */
    uint64_t tail_seen;
    uint64_t full_count;
    /* consumer's line */
    _Alignas(64) _Atomic uint64_t tail; /* published read position */
    uint64_t head_seen;
    uint64_t peeked; /* bytes (with header) of the message last peeked, 0 = none */
};

/* memory: `capacity` bytes, 64-byte aligned, owned by the caller and outliving the ring.
 * capacity: power of two >= 256. */
void ring_init(struct ring *r, void *memory, uint32_t capacity);
/* Room for a message of `count` bytes (count <= capacity/4), or NULL when full (counted). The
 * pointer is valid until ring_commit. At most one reservation at a time. */
void *ring_reserve(struct ring *r, uint32_t count);
void ring_commit(struct ring *r);
/* The oldest message or NULL; stays valid until ring_release. */
const void *ring_peek(struct ring *r, uint32_t *count);
void ring_release(struct ring *r);
/* Bytes in use, from either side; approximate while the other side runs. */
uint64_t ring_used(const struct ring *r);
#endif
