/* SPDX-License-Identifier: Apache-2.0
 *
 * A tap: a copy of every fact that belief is shown, from one event on, for a thread that warms a
 * new build meanwhile. Filled by the engine's thread, read by one other; append only, so neither
 * waits for the other. When it is full it says so, and the promotion that wanted it is refused.
 */
#ifndef FLOW_TAP_H
#define FLOW_TAP_H
#include <stdatomic.h>
#include "base/result.h"
#include "tbl/facts.h"

enum { TAP_FACTS_MAX = 65536, TAP_PAYLOAD_BYTES = 96 };
struct tap_fact {
    struct fact_head head;
    uint8_t payload[TAP_PAYLOAD_BYTES]; /* BAR, TRADE, QUOTE, TICK, POSITION */
};
struct tap {
    uint64_t from_seq; /* the last event before the first fact in it */
    _Atomic uint32_t put;
    _Atomic uint32_t is_full;            /* 1: a fact was lost */
    struct tap_fact fact[TAP_FACTS_MAX]; /* mapped, touched as it fills */
};
MUST_USE struct result tap_new(struct tap **out, struct trail *tr);
void tap_free(struct tap *t); /* NULL is let pass */
/* Engine: empty again, from the event after from_seq. Only while nobody reads. */
void tap_reset(struct tap *t, uint64_t from_seq);
/* Engine: one fact; other kinds than the five are let pass. */
void tap_put(struct tap *t, const struct fact_head *head, const void *payload);
#endif
