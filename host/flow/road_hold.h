/* SPDX-License-Identifier: Apache-2.0
 *
 * Inputs that came over the road and wait for their time: a bounded heap, earliest first. In script
 * time a market event counts at its own time and a venue's answer when it is due, and both come
 * earlier than that; here they wait. Ties go by source, then by order, then as they came, so that
 * nothing depends on which of two processes was quicker.
 *
 * Plain memory, one thread. Full is an answer: who reads a line then stops reading it.
 */
#ifndef FLOW_ROAD_HOLD_H
#define FLOW_ROAD_HOLD_H
#include "base/result.h"
#include "tbl/facts.h"

struct road_held {
    int64_t due_ns;
    uint32_t source;
    uint64_t tie;   /* an order's id, or an approval's number */
    uint64_t count; /* as they came */
    uint64_t cause_seq;
    struct fact_view fact;
};
struct road_hold {
    struct road_held *held;
    uint32_t *heap; /* indices, earliest first; behind `count` the free ones */
    uint32_t capacity, count;
    uint64_t given;
};

MUST_USE struct result road_hold_open(struct road_hold *h, uint32_t capacity);
void road_hold_close(struct road_hold *h);
bool road_hold_has_room(const struct road_hold *h);
/* Copies; only with room. `count` of it is set here. */
void road_hold_put(struct road_hold *h, const struct road_held *r);
/* INT64_MAX: nothing waits. */
int64_t road_hold_due(const struct road_hold *h);
/* The earliest; only when one waits. */
const struct road_held *road_hold_first(const struct road_hold *h);
void road_hold_take(struct road_hold *h, struct road_held *out);
#endif
