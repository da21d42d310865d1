/* SPDX-License-Identifier: Apache-2.0
 *
 * The core: step(state, event) -> effects. One thread, no I/O, no clock, no heap, no floats.
 *
 * Everything the core knows came in as an event; everything it wants is an effect. Given the same
 * events it gives the same effects, byte for byte. Its memory is one block of the caller's, laid
 * out once by core_init; nothing in it is a pointer that a snapshot would have to carry.
 */
#ifndef CORE_STEP_H
#define CORE_STEP_H
#include "base/result.h"
#include "tbl/facts.h"

struct core;

struct core_limits {      /* table sizes; zero = the default in brackets */
    uint32_t currencies;  /* [16] */
    uint32_t instruments; /* [64] */
    uint32_t accounts;    /* [8] */
    uint32_t instances;   /* [255] over all deployments: ids are never used again */
    uint32_t routes;      /* [255] over all deployments, as instances */
    uint32_t orders;      /* [4096] live orders and those of the last 30 days */
    uint32_t fills;       /* [65536] trade ids remembered, power of two */
    uint32_t limits;      /* [256] */
};

/* Effects of one step, in order: fact_head + payload each. Memory of the caller. */
struct core_out {
    uint8_t *bytes;
    uint32_t capacity; /* >= CORE_OUT_BYTES */
    uint32_t used;
    uint32_t count;
};
enum { CORE_OUT_BYTES = 4 * 1024 * 1024 };

size_t core_bytes(const struct core_limits *l);
struct core *core_init(void *memory, size_t bytes, const struct core_limits *l);

/* One step. head: type, seq (last + 1), t_ns (not below the last), cause_seq, source. Effects are
 * appended to `out` (reset first). Unknown or reserved types become an IGNORED effect. */
void core_step(struct core *c, const struct fact_head *head, const void *payload,
               struct core_out *out);

uint64_t core_seq(const struct core *c);
uint64_t core_serial(const struct core *c); /* of the active deployment; 0 = none or unsigned */
uint64_t core_epoch(const struct core *c);
const uint8_t *core_deployment(const struct core *c); /* SHA-256 of the active one, zeros = none */
int64_t core_now(const struct core *c);
/* Earliest time at which the core wants a TICK; INT64_MAX = none. */
int64_t core_deadline(const struct core *c);

/* Serialises the state between two events, field by field. core_snapshot_bytes is the room needed
 * now. Restoring into a fresh core of the same limits gives a core that steps identically. */
size_t core_snapshot_bytes(const struct core *c);
size_t core_snapshot(const struct core *c, void *out, size_t bytes);
MUST_USE struct result core_restore(struct core *c, const void *bytes, size_t count,
                                    struct trail *tr);
/* Whole-state invariants; asserts. For tests, the simulator and live snapshots. */
void core_check(const struct core *c);

/* What is staged (STAGE, rows, STAGE), and not yet active by DEPLOY. */
struct core_staged {
    uint64_t serial;
    uint8_t sha256[FACT_HASH_BYTES];
    bool is_open;      /* there is one, committed or not */
    bool is_committed; /* sealed: DEPLOY of it may come */
};
void core_staged(const struct core *c, struct core_staged *out);
/* The generation whose signals with this cause are accepted for an instance; 0 = unsigned, or the
 * instance is not there. */
uint32_t core_reign(const struct core *c, uint32_t instance, uint64_t cause_seq);

/* An attempt's client id, T<epoch>-<order>-<attempt>, and the 32 digits that it is written in. */
void core_client_id(uint64_t epoch, uint64_t order, uint32_t attempt, char out[FACT_NAME_BYTES]);
extern const char core_base32[];

/* Names and ids of what there is; false past the end. Ids are rows: gaps do not occur. */
struct core_instance_view {
    uint32_t id, kind, mode, auto_on;
    uint32_t generation, generation_before; /* before the last flip; equal when there was none */
    uint64_t flip_seq;                      /* the event of the last flip */
    bool is_removed;
    char name[FACT_NAME_BYTES];
};
bool core_instance(const struct core *c, uint32_t i, struct core_instance_view *out);
bool core_currency(const struct core *c, uint32_t i, uint32_t *id, char name[16]);
/* What a strategy owns, over all its books. */
struct core_owned {
    uint32_t orders, stops, positions; /* live orders, stops set, books that are not flat */
};
void core_owned(const struct core *c, uint32_t strategy, struct core_owned *out);
bool core_budget(const struct core *c, uint32_t strategy, uint32_t instrument, int64_t *budget);

/* Questions, for status and summaries only. */
struct core_totals {
    uint64_t unaccepted; /* signals of builds that are heard but not accepted; not in `signals` */
    uint64_t events, market, effects, signals, intents, approvals, denials, orders, fills;
    uint64_t partial_fills, maker_fills, taker_fills, venue_rejects, cancels, cancel_rejects,
        cancels_late, cancelled, ttl_cancels, cancelled_after_partial, expired, filled, stops_hit;
    uint64_t denied_by[RISK_RULE_END]; /* by rule id */
};
const struct core_totals *core_totals(const struct core *c);
struct core_position_view {
    uint32_t strategy, instrument, account;
    int64_t qty, avg_price, realised, fees, unrealised, stop_price, mark;
};
/* The i-th position row; false past the end. */
bool core_position(const struct core *c, uint32_t i, struct core_position_view *out);
struct core_order_view {
    uint64_t order, venue_order;
    uint32_t state; /* enum order_state */
    uint32_t strategy, instrument, account, side, attempt;
    int64_t qty, cum, price;
};
/* The i-th live order, oldest first; false past the end. */
bool core_order(const struct core *c, uint32_t i, struct core_order_view *out);
/* One that the core remembers, live or ended. */
bool core_order_find(const struct core *c, uint64_t order, struct core_order_view *out);
struct core_account_view {
    uint32_t id, mode;
    int32_t exp;
    char name[FACT_NAME_BYTES], currency[16];
    int64_t start, realised, fees, unrealised, equity;
};
bool core_account(const struct core *c, uint32_t i, struct core_account_view *out);
enum mode core_mode(const struct core *c, enum mode_scope scope, uint32_t id);
bool core_auto(const struct core *c, uint32_t strategy);
uint32_t core_open_orders(const struct core *c);
int64_t core_mark(const struct core *c, uint32_t instrument);    /* 0 = none yet */
uint32_t core_health(const struct core *c, uint32_t instrument); /* enum fact_health_state */
bool core_instrument(const struct core *c, uint32_t i, struct fact_instrument *out);
#endif
