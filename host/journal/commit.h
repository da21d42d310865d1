/* SPDX-License-Identifier: Apache-2.0
 *
 * The commit thread: takes what has queued in the ring and makes one sealed group of it; storer.h
 * has it stored.
 *
 * Invariants
 *   1. What was taken from the ring is sealed before anything taken later; it is not taken twice
 *      and not dropped, however often the store fails.
 *   2. The core's thread makes no system call for it: nobody has to wake this thread.
 *
 * Members are grouped by who writes them.
 */
#ifndef JOURNAL_COMMIT_H
#define JOURNAL_COMMIT_H
#include "base/ring.h"
#include "journal/storer.h"

enum { COMMIT_GROUP_SOFT_BYTES = 1024 * 1024 };

struct commit {
    struct ring ring;
    struct storer storer;
    /* The caller's thread. */
    _Alignas(64) uint64_t room; /* bytes of the ring surely free */
    _Atomic uint64_t put_seq;
    /* Any thread. */
    _Alignas(64) _Atomic bool stop;
    /* The commit thread's own. */
    struct hash_sha256 *sha;
    size_t group_room;
    uint32_t records_max;
    struct chain chain; /* the end of what is sealed */
    pthread_t thread;
};

/* Everything but the thread; then the thread. */
MUST_USE struct result commit_open(struct commit *c, const struct journal_options *o,
                                   struct heads *heads, const struct check_end *end,
                                   struct trail *tr);
/* Stores what is queued (gives up when the store fails), ends the threads, frees. */
MUST_USE struct result commit_close(struct commit *c, struct trail *tr);
MUST_USE struct result commit_wait(struct commit *c, uint64_t seq, struct trail *tr);
#endif
