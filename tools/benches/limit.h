/* SPDX-License-Identifier: Apache-2.0
 *
 * The C limit: the job of job.h as a program that can do nothing else. One instrument, one account,
 * at most one order, 64-bit arithmetic, no tables, no timers, no assertions; a strategy behind a
 * pointer in a shared object, an adapter behind a pointer. It makes the same 17 checks and writes
 * the same records as the host, byte for byte: bench_core compares the bytes before it measures.
 */
#ifndef BENCHES_LIMIT_H
#define BENCHES_LIMIT_H
#include "job.h"
#include "plugins/limit/limit_so.h"

enum { LIMIT_RECORD_BYTES = 16384, LIMIT_ORDERS_MAX = 2 };

struct limit_order {
    uint64_t id;
    int64_t qty, price;
    uint32_t side, reducing;
};

struct limit {
    /* what it was told */
    int64_t tick, lot, min_qty, multiplier, scale; /* scale: cost units in one of money */
    int64_t budget, price_max;
    int64_t bound[RISK_RULE_END];
    uint64_t plugin_hash, epoch, serial;
    uint32_t auto_on, mode, health, session_open;
    int64_t clock_skew_ns;
    /* market */
    int64_t bid, bid_qty, ask, ask_qty, last, mark, data_ns;
    uint64_t quote_no;
    /* book */
    int64_t qty, work_buy, work_sell, target, cost, realised, fees, cash;
    int64_t last_qty, last_price, last_ns;
    uint32_t last_side, last_reducing, live_orders;
    int64_t message_second, messages;
    struct limit_order order[LIMIT_ORDERS_MAX];
    uint64_t trade_id, venue_order, denials;
    /* the stream */
    uint64_t seq, cause_seq;
    int64_t t_ns;
    uint32_t sub;
    uint8_t *record; /* LIMIT_RECORD_BYTES: one step, event and effects */
    uint8_t *at;
    uint32_t event_bytes; /* of the event at the front of the record */
    /* outside */
    limit_on_quote_fn on_quote;
    limit_on_bar_fn on_bar;
    struct limit_flip flip;
    struct limit_cross cross;
    void (*adapter)(void *arg, const struct fact_send *s);
    void *adapter_arg;
    struct fact_send sent[LIMIT_ORDERS_MAX];
    uint32_t sent_count;
};

/* In place; finds its strategies in the shared object. seq: of the host's last event. */
void limit_open(struct limit *l, uint64_t plugin_hash, uint64_t seq, bool auto_on);
void limit_close(struct limit *l);
void limit_quote(struct limit *l, const struct fact_quote *q);
void limit_bar(struct limit *l, const struct job_bar *b);
/* Sent, accepted and filled whole, as desk_fill does. */
void limit_fill(struct limit *l, int64_t price, int64_t fee_ppm);
#endif
