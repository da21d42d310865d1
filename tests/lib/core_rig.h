/* SPDX-License-Identifier: Apache-2.0
 *
 * A core with one account, two instruments and two strategies, driven event by event: numbering,
 * feeding and looking through the effects of the last step. For unit tests of the core.
 */
#ifndef LIB_CORE_RIG_H
#define LIB_CORE_RIG_H
#include "core/step.h"
#include "tenon/strategy.h"

enum { RIG_USD = 1, RIG_EUR = 2, RIG_BTC = 1, RIG_INV = 2 };
enum { RIG_ACCOUNT = 1, RIG_S1 = 1, RIG_S2 = 2 };
enum { RIG_SENDS = 256 };
#define RIG_T0 1500000000000000000ll
#define RIG_S 1000000000ll

struct core_rig {
    struct core *core;
    void *memory;
    struct core_out out;
    uint64_t seq;
    int64_t t_ns;
    uint64_t trade_id;
    uint64_t cause_seq;    /* heads of the next events name these */
    uint32_t generation;   /* 0 as long as nobody sets it */
    uint32_t staged_rows;  /* since the stage was begun */
    struct core_rig_send { /* what was sent, so that a fill has its order's side and instrument */
        uint64_t order;
        uint32_t side, instrument, account;
    } sends[RIG_SENDS];
    uint32_t send_count;
};

/* Prices of BTC have 2 decimals, quantities 4; USD 8 decimals; tick 1 (0.01), lot 1 (0.0001).
 * Route: S1 -> BTC with a budget of 10,000 USD of 100,000. Health ages 60 s and 300 s. */
void rig_open(struct core_rig *r); /* configured, started, auto on, first quote seen */
void rig_open_sized(struct core_rig *r, const struct core_limits *l); /* the same, other tables */
void rig_open_bare(struct core_rig *r, const struct core_limits *l);  /* nothing but memory */
void rig_configure(struct core_rig *r);
void rig_close(struct core_rig *r);
void rig_step(struct core_rig *r, uint16_t type, const void *payload);
void rig_at(struct core_rig *r, int64_t t_ns); /* time of the next events */
void rig_tick(struct core_rig *r, int64_t t_ns);
void rig_quote(struct core_rig *r, uint32_t instrument, int64_t bid, int64_t ask);
void rig_bar(struct core_rig *r, uint32_t instrument, int64_t o, int64_t h, int64_t l, int64_t c);
void rig_limit(struct core_rig *r, uint32_t rule, int64_t limit);
void rig_auto(struct core_rig *r, bool on);
void rig_mode(struct core_rig *r, uint32_t scope, uint32_t id, uint32_t mode);
/* A signal of S1 for BTC; zero members of `s` get sane values. */
void rig_signal(struct core_rig *r, uint32_t side, int32_t target_ppm);
void rig_signal_full(struct core_rig *r, struct fact_signal s);
void rig_sent(struct core_rig *r, uint64_t order, uint32_t what);
void rig_exec(struct core_rig *r, uint64_t order, uint32_t kind);
void rig_fill(struct core_rig *r, uint64_t order, int64_t qty, int64_t price);
void rig_status(struct core_rig *r, uint64_t order, uint32_t found);
/* A report as given; zero order members (venue_order, instrument, account, side) are filled in from
 * what was sent. */
void rig_exec_full(struct core_rig *r, struct fact_exec e);
void rig_cancel_sent(struct core_rig *r, uint64_t order, uint32_t what);
void rig_start(struct core_rig *r, uint64_t epoch);
void rig_route(struct core_rig *r, uint32_t strategy, uint32_t instrument, int64_t budget);
void rig_limit_of(struct core_rig *r, uint32_t rule, uint32_t instrument, uint32_t strategy,
                  int64_t limit);
/* A working limit order of S1: signal, sent, accepted. Gives its id. */
uint64_t rig_working(struct core_rig *r, uint32_t side, int32_t target_ppm);
/* A position of S1 in BTC, filled at 10,000.00. */
void rig_hold(struct core_rig *r, uint32_t side, int32_t target_ppm);

/* The n-th (0-based) effect of this type in the last step, or NULL. */
const void *rig_effect(const struct core_rig *r, uint16_t type, uint32_t n);
uint32_t rig_count(const struct core_rig *r, uint16_t type);
uint32_t rig_alerts(const struct core_rig *r, uint32_t what);       /* in the last step */
uint32_t rig_ignored(const struct core_rig *r, uint32_t why);       /* in the last step */
const struct fact_decision *rig_decision(const struct core_rig *r); /* the only one */
/* The last step's only SEND. */
const struct fact_send *rig_sent_order(const struct core_rig *r);
/* State of an order by its last ORDER effect in this step; 0 = not said. */
uint32_t rig_state(const struct core_rig *r, uint64_t order);
int64_t rig_position(const struct core_rig *r, uint32_t strategy, uint32_t instrument);
struct core_position_view rig_book(const struct core_rig *r, uint32_t strategy,
                                   uint32_t instrument);
#endif
