/* SPDX-License-Identifier: Apache-2.0
 *
 * A link: two one-way rings of messages between two processes that need not trust each other.
 *
 * Each side owns one sealed memfd that it alone may write: a page with how far it has written and
 * how far it has read, whether it sleeps, its heartbeat, and the bytes of its ring. It maps the
 * other's read-only. A memfd cannot shrink or grow, and nobody else can map it for writing once its
 * owner has (F_SEAL_FUTURE_WRITE). A message is copied out once and then checked; an index that
 * makes no sense, or a length beyond the ring, breaks the link for good: that is an answer, never a
 * fault of the reader. A full ring is an answer too, never a wait.
 *
 * Waking: each side has an eventfd that the other rings, and only when the sleeper has said that it
 * sleeps: an awake peer costs no system call.
 *
 * One thread per side. Nothing here allocates or waits.
 */
#ifndef BASE_LINK_H
#define BASE_LINK_H
#include "base/result.h"

enum {
    LINK_VERSION = 1,
    LINK_CAPACITY_MIN = 4096,
    LINK_CAPACITY_MAX = 64 * 1024 * 1024,
    LINK_MESSAGE_MAX = 256 * 1024, /* and at most a quarter of the ring */
};

/* What one side is given. File descriptors; all close-on-exec; `theirs` was opened read-only. */
struct link_end {
    int mine, theirs;     /* memfds */
    int bell, their_bell; /* eventfds: what wakes me, what wakes them */
    uint32_t capacity;    /* bytes of each ring, a power of two */
};
/* Makes both ends. The memfds are sealed against shrinking and growing. */
MUST_USE struct result link_make(uint32_t capacity, struct link_end out[2], struct trail *tr);
/* Closes what is open in it; -1 is let pass. */
void link_end_close(struct link_end *e);

struct link_page;
struct link {
    struct link_end end;
    struct link_page *mine;         /* writable */
    const struct link_page *theirs; /* read-only */
    uint8_t *out;
    const uint8_t *in;
    uint64_t head, reserved; /* mine: published, and with the open reservation */
    uint64_t tail;           /* how far I have read */
    uint64_t head_seen;      /* last sight of how far the other has written, */
    uint64_t tail_seen;      /* and of how far it has read */
    uint64_t full_count, taken, put;
    const char *broken; /* why, for ever; NULL = whole */
};

/* Maps both sides and seals mine; the memfds are closed then, the bells stay. Takes the descriptors
 * over, also when it fails. */
MUST_USE struct result link_open(const struct link_end *e, struct link *out, struct trail *tr);
void link_close(struct link *l);

/* Room for a message, or NULL when the ring is full (counted) or broken. One at a time. */
void *link_reserve(struct link *l, uint32_t kind, uint32_t bytes);
void link_commit(struct link *l);
/* The two, and a copy; false when full. */
bool link_put(struct link *l, uint32_t kind, const void *bytes, uint32_t count);
/* Free bytes of my ring, as far as the other side has said; a broken link has none. What it gave
 * stays: the other side cannot take it back. */
uint32_t link_room(struct link *l);

struct link_message {
    uint32_t kind, bytes;
};
/* Copies the oldest message out and frees its room; false when there is none, or it is broken. A
 * message of more than `capacity` bytes breaks the link. */
bool link_take(struct link *l, struct link_message *m, void *buffer, uint32_t capacity);
bool link_has(const struct link *l); /* one relaxed look */

/* Rings when the other side sleeps. After a batch of puts. */
void link_ring(struct link *l);
/* Says that I am about to sleep on end.bell; false: there is something to take after all. */
bool link_sleep(struct link *l);
void link_awake(struct link *l); /* after waking: unsays it, drains the bell */

/* Heartbeat: a number that the owner raises; monotonic time by convention. 0 = never. */
void link_beat(struct link *l, int64_t mono_ns);
int64_t link_their_beat(const struct link *l);
#endif
