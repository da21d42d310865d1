/* SPDX-License-Identifier: Apache-2.0
 *
 * The store side of the commit: stores sealed groups in order, keeps the heads, moves the durable
 * watermark, and says how it goes.
 *
 * Two groups at most are between sealing and storing. While nothing is behind a group, the commit
 * thread stores it itself: one record's way to the disk has no hand-over between threads. Under a
 * load it hands groups to the storer's thread, and seals the next one while the last is synced.
 *
 * Invariants
 *   1. Groups are stored in the order they were given, each until it is stored or storing has
 *      failed for good.
 *   2. durable only rises, and only after the store said that the group is durable and the head
 *      file has it.
 *   3. One thread stores at a time: the storer's while a group is queued, else the commit thread.
 */
#ifndef JOURNAL_STORER_H
#define JOURNAL_STORER_H
#include <pthread.h>
#include <stdatomic.h>
#include "journal/check.h"

enum { STORER_GROUPS = 2 };

struct storer_group {
    uint8_t *bytes; /* header and records */
    size_t count;
    struct chain before, after;
    bool snapshot; /* holds a SNAPSHOT record: sign after it */
};

struct storer {
    /* Written by who stores; read by any. */
    _Alignas(64) _Atomic uint64_t durable;
    _Atomic int32_t health; /* result code of a failing store; 0 = good */
    _Atomic int32_t sign_health;
    _Atomic uint64_t disk_ppm;
    _Atomic uint64_t bytes_written;
    /* Any thread. */
    _Alignas(64) _Atomic uint32_t waiters;
    _Atomic bool stop; /* do not try a failing store again */
    pthread_mutex_t lock;
    pthread_cond_t moved; /* durable or health */
    pthread_cond_t work, freed;
    /* Under the lock. */
    uint32_t queued;
    bool ending, dead;
    /* The commit thread's. */
    struct storer_group group[STORER_GROUPS];
    uint32_t next_take;
    /* Who stores. */
    struct journal_store *store;
    struct heads *heads;
    const struct clock *clock;
    void (*durable_fn)(void *arg, uint64_t seq); /* may be NULL */
    void *durable_arg;
    bool sync;
    bool rewind; /* the journal was found shorter than its head: sign that before going on */
    bool begun;  /* the head file says something of this journal */
    uint32_t next_store;
    struct chain stored; /* the end of what is durable */
    uint64_t signed_index;
    int64_t signed_ns, measured_ns; /* monotonic */
    struct trail trail;             /* of the last failure */
    pthread_t thread;
};

/* `group_room` bytes for each group. */
MUST_USE struct result storer_open(struct storer *s, const struct journal_options *o,
                                   struct heads *heads, const struct check_end *end,
                                   size_t group_room, struct trail *tr);
/* Commit thread: a group to fill; waits while both are queued, or, when little is there to fill it
 * with, while any is. NULL = storing failed for good. */
struct storer_group *storer_take(struct storer *s, bool little);
/* Commit thread: stores it; `more` = others wait behind it. */
void storer_give(struct storer *s, struct storer_group *g, bool more);
/* Commit thread, when nothing is queued: what is due by the clock, and a piece of upkeep. */
void storer_idle(struct storer *s, bool upkeep);
/* Commit thread, last: stores what was given, ends the storer's thread, signs. */
void storer_end(struct storer *s);
MUST_USE struct result storer_wait(struct storer *s, uint64_t seq, struct trail *tr);
void storer_close(struct storer *s); /* frees; the threads have ended */
#endif
