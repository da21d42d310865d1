/* SPDX-License-Identifier: Apache-2.0
 *
 * The simulated venue: a pure library. No thread, clock, heap or I/O of its own: time comes with
 * each call, chance from its seed, lines of its ledger go to a sink. Same inputs, same answers.
 *
 * Use: show it each market event just before the event is numbered (venue_market), hand it orders
 * and cancels when they are sent, and take its answers by due time (venue_due, venue_take). An
 * answer is due at t(send) + latency; fills that a market event causes are due at that event's time
 * and never show a price the venue could not have traded at. Answers to one order never overtake
 * each other: only while its acknowledgement is still on its way is a fill due later, with it. Take
 * what is due before an event's time before showing that event.
 *
 * Matching, by what the market data is
 *   bar    an order is live from arrival. Marketable orders fill at the open of the first bar that
 *          opens at or after arrival (plus slippage, against us); an arrival within one latency and
 *          jitter of the open has that open still, since a bar cannot tell the difference: so what
 *          is sent at a bar's END fills at the next open. Resting limits fill when the bar trades
 *          through them, at the limit (or the open when that is better); volume is capped at a part
 *          of the bar's volume, the rest stays (GTC) or ends (IOC).
 *   trade  marketable orders against the last trade +- slippage; resting limits when a trade
 *          prints through the limit, or at it with what is left behind the queue ahead.
 *   quote  marketable orders against the opposite best and its size; resting limits when the
 *          opposite best crosses them.
 */
#ifndef VENUE_VENUE_H
#define VENUE_VENUE_H
#include "base/result.h"
#include "tbl/facts.h"

enum venue_profile {
    VENUE_PROFILE_UNSET = 0,
    VENUE_PLAIN, /* latency, fees, slippage; no random rejects or delays */
    VENUE_DEMO,  /* every kind of fill, reject and race, by seed */
};

struct venue_config {
    uint64_t seed;
    uint32_t profile;
    uint32_t orders_max; /* open orders held; more are rejected */
    uint32_t instruments_max;
    uint32_t account;      /* the account it serves */
    int64_t latency_ns;    /* us -> venue -> us: order ack; same for cancels */
    int64_t jitter_ns;     /* uniform, seeded */
    int64_t maker_fee_ppm; /* of value; may be negative */
    int64_t taker_fee_ppm;
    int64_t slippage_ppm;    /* on bar and trade level, against us */
    int64_t volume_part_ppm; /* of a bar's or trade's quantity that we can get; 0 = all */
    uint64_t trades_before;  /* a later epoch of the same account: trade ids go on above this */
    uint64_t orders_before;  /* ... and an unknown order below this id is proved absent: the working
                              * orders of the epoch before ended with it */
    /* Ledger lines (no newline), in order; may be NULL. The line is valid during the call. */
    void (*ledger)(void *arg, const char *line, size_t count);
    void *ledger_arg;
};

struct venue;
/* Memory needed and construction in memory of the caller (64-byte aligned). */
size_t venue_bytes(const struct venue_config *c);
struct venue *venue_init(void *memory, size_t bytes, const struct venue_config *c);

void venue_instrument(struct venue *v, const struct fact_instrument *in, int32_t settle_exp);
/* What a venue that begins a later epoch holds of an instrument. Before the first send. */
void venue_resume(struct venue *v, uint32_t instrument, int64_t net);
/* An order of an earlier life, as its ledger tells it; before the first send. A working one is
 * looked at again like one that arrives now. False: it is here already, or there is no room. */
struct venue_kept {
    uint64_t order, venue_order;
    uint32_t instrument, side, tif, reduce_only, has_ended;
    int64_t arrive_ns, qty, cum, price;
};
bool venue_keep(struct venue *v, const struct venue_kept *k);
/* The next market event (BAR, TRADE or QUOTE), before it is numbered. Once per event. */
void venue_market(struct venue *v, const struct fact_head *head, const void *payload);
void venue_send(struct venue *v, int64_t t_ns, const struct fact_send *s);
void venue_cancel(struct venue *v, int64_t t_ns, const struct fact_cancel *c);
void venue_query(struct venue *v, int64_t t_ns, const struct fact_query *q);
/* Earliest due time of an answer; INT64_MAX = none. */
int64_t venue_due(const struct venue *v);
/* From when the earliest answer can be known: a venue behind sockets tells it then, ahead of its
 * due time. INT64_MIN = it is decided; else its request arrives then, and taking decides it. */
int64_t venue_ripe(const struct venue *v);
/* Takes the earliest answer (EXEC); head gets t_ns, type, version, bytes. Only when one is due. */
void venue_take(struct venue *v, struct fact_view *out);
struct venue_totals {
    uint64_t orders, rejects, fills, partial_fills, maker_fills, taker_fills;
    uint64_t cancels, cancel_rejects, cancels_late, expired;
};
void venue_totals(const struct venue *v, struct venue_totals *out);
/* Position by the venue's own books. */
int64_t venue_net(const struct venue *v, uint32_t instrument);
#endif
