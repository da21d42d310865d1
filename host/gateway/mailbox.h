/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests from the gateway's thread to the core's, answers back. Two single-producer
 * single-consumer lanes of fixed slots for requests (kills, all others) and one for answers.
 *
 * Invariants
 *   1. A request holds its slot until its answer was taken: so at most 2 x MAILBOX_KILLS +
 *      MAILBOX_OTHERS + MAILBOX_BUNDLES are open, and the answer lane can never be full.
 *   2. Kills never wait behind others and never lack a slot because of them. A kill beyond its
 *      slots is the same wish as one that the core has already: its client joins that one. The two
 *      sorts (flatten, keep positions) never stand in for each other.
 *   3. A bundle belongs to its request: to the mailbox from post to poll, then to whoever polled.
 *   4. An answer without a request that was taken is our bug (must).
 */
#ifndef GATEWAY_MAILBOX_H
#define GATEWAY_MAILBOX_H
#include <stdatomic.h>
#include "gateway/gateway.h"

enum {
    MAILBOX_KILLS = 8 /* of each sort */,
    MAILBOX_OTHERS = 56,
    MAILBOX_BUNDLES = 8, /* in the lane of the others; a bundle may be most of a megabyte */
    MAILBOX_ANSWERS = 128,
    MAILBOX_SLOTS = 64
};
struct mailbox_answer {
    uint64_t id;
    int32_t exit;
    char text[TRAIL_TEXT_BYTES];
};
struct mailbox_lane {
    struct gateway_request slot[MAILBOX_SLOTS];
    _Atomic uint64_t put; /* producer */
    uint64_t taken;       /* consumer */
};
struct mailbox {
    /* written by the gateway */
    _Alignas(64) _Atomic uint64_t posted; /* both lanes: what gateway_poll looks at */
    struct mailbox_lane kills, others;
    uint64_t next_id;
    uint32_t open[4];        /* by the low bits of the id */
    uint64_t newest_kill[2]; /* by keep_positions */
    uint64_t answers_taken;
    /* written by the core */
    _Alignas(64) uint64_t polled;
    uint64_t answered;
    _Atomic uint64_t answers_put;
    struct mailbox_answer answer[MAILBOX_ANSWERS];
};
void mailbox_init(struct mailbox *m);
/* When both threads are done: frees what was posted and never polled. */
void mailbox_fini(struct mailbox *m);
/* gateway: false when the lane's room is used up. Sets r->id, takes r->bundle over. */
bool mailbox_post(struct mailbox *m, struct gateway_request *r);
bool mailbox_take_answer(struct mailbox *m, struct mailbox_answer *out);
/* core */
bool mailbox_poll(struct mailbox *m, struct gateway_request *out);
void mailbox_answer(struct mailbox *m, uint64_t id, int exit, const char *text);
/* The id's lowest bits say what it counts as: bit 0 a kill; bit 1 one that keeps positions, or,
 * when it is no kill, that there is a bundle. */
static inline bool mailbox_is_kill(uint64_t id)
{
    return (id & 1) != 0;
}
#endif
