/* SPDX-License-Identifier: Apache-2.0
 *
 * The journal format: the header of every record and the payload of every kind in events.h.
 *
 * Invariants
 *   1. Payloads are plain bytes: fixed-width little-endian integers, no pointers, no hidden padding
 *      (each struct's size is asserted against the sum of its members), texts NUL-padded.
 *   2. An event has sub 0 and a dense, rising seq. The effects of step(seq) follow it with the same
 *      seq and t_ns and sub 1, 2, ... Effects are what replay must give again byte for byte.
 *   3. t_ns never falls.
 *   4. A payload only grows by a new version of its row; the version is in the record header.
 *   5. Prices and quantities are mantissas on the instrument's exponents, money on the currency's.
 *
 * Whoever writes or reads the journal includes this; core takes and gives exactly these.
 */
#ifndef TBL_FACTS_H
#define TBL_FACTS_H
#include <assert.h>
#include <stdint.h>
#include "tbl/events.h"
#include "tbl/modes.h"
#include "tbl/order_states.h"
#include "tbl/promotions.h"
#include "tbl/risk_rules.h"

enum fact_type {
    FACT_UNSET = 0,
#define X(id, name, payload, version, class, text) FACT_##name = id,
    FACT_EVENTS(X) FACT_EFFECTS(X)
#undef X
};
enum fact_class { /* order at equal times, DECISIONS 3 */
                  FACT_CLASS_UNSET = 0,
                  FACT_CLASS_CONTROL,
                  FACT_CLASS_VENUE,
                  FACT_CLASS_TICK,
                  FACT_CLASS_ANSWER,
                  FACT_CLASS_MARKET,
                  FACT_CLASS_EFFECT,
};

#ifndef TENON_CORE_LOGIC
#define TENON_CORE_LOGIC 2 /* tenond-next, the next program of upgrade tests, has one more */
#endif
enum {
    FACT_NAME_BYTES = 32,
    FACT_TEXT_BYTES = 64,
    FACT_HASH_BYTES = 32,
    FACT_MAX_REASONS = 8,
    FACT_MAX_BYTES = 512, /* largest payload */
    /* raised when step() would decide otherwise on the same events */
    FACT_CORE_LOGIC = TENON_CORE_LOGIC,
};

/* 48 bytes before each payload, in memory, in the ring and in the journal. */
struct fact_head {
    uint32_t bytes; /* of the payload */
    uint32_t crc;   /* CRC32C of the header from `seq` on and the payload; set by the journal */
    uint64_t seq;
    int64_t t_ns;
    uint64_t cause_seq; /* the event that led here: answers, venue answers; else 0 */
    uint16_t type;      /* enum fact_type */
    uint16_t version;
    uint16_t sub; /* 0 event, 1.. effects */
    uint16_t reserved;
    uint32_t source;     /* index in the deployment: source, instance or account; 0 = host */
    uint32_t generation; /* of an instance's build: the serial that brought it; else 0 */
};
static_assert(sizeof(struct fact_head) == 48, "fact_head layout");

/* ---- control ---- */
struct fact_genesis {
    uint8_t journal_id[16];
    char host[FACT_NAME_BYTES];
    uint64_t seed;
};
struct fact_start {
    uint64_t epoch; /* 1, 2, ...: prefix of client ids */
    uint32_t core_logic;
    uint32_t kind;                       /* enum fact_run */
    uint8_t libm_probe[FACT_HASH_BYTES]; /* hash of a fixed set of exp, log, pow values */
    char version[FACT_NAME_BYTES];
};
enum fact_run { FACT_RUN_UNSET = 0, FACT_RUN_PAPER, FACT_RUN_BACKTEST };
struct fact_stop {
    uint32_t forced;    /* 1: with positions or stops left unprotected */
    uint32_t positions; /* how many were left */
};
struct fact_left {  /* before the STOP: one of what outlives the host */
    uint64_t order; /* 0 = a position */
    uint32_t strategy, instrument, account;
    uint32_t side;
    int64_t qty;   /* of the position, or what is open of the order */
    int64_t price; /* of the order; or the position's host-side stop, which ends; 0 = none */
};
/* Reduce-only orders leave before their step is durable, so an end of the host can take the record
 * and not the order. Egress remembers it and says so to the next one; once in each start while it
 * does. Its fills are EXTERNAL. */
struct fact_unrecorded {
    uint64_t order, epoch; /* as in its client id; the number may be another order's by now */
    uint32_t account;
    uint32_t what; /* enum fact_sent_what */
};
struct fact_deploy {
    uint64_t serial;
    uint8_t sha256[FACT_HASH_BYTES]; /* of the file */
    char name[FACT_TEXT_BYTES];
};
struct fact_currency {
    uint32_t id; /* 1.. */
    int32_t exp;
    char name[16];
};
enum fact_contract { FACT_CONTRACT_UNSET = 0, FACT_LINEAR, FACT_INVERSE };
struct fact_instrument {
    uint32_t id; /* 1.., never reused */
    uint32_t contract;
    int32_t price_exp;
    int32_t qty_exp;
    int64_t tick;
    int64_t lot;
    int64_t min_qty;
    int64_t multiplier; /* mantissa at multiplier_exp */
    int32_t multiplier_exp;
    uint32_t settle;         /* currency id */
    int64_t bar_ns;          /* length of its bars, 0 = none */
    int64_t age_degraded_ns; /* data older than this is DEGRADED */
    int64_t age_down_ns;     /* ... is DOWN; 0 = never */
    int64_t price_max;       /* greatest believable price, 0 = none */
    uint32_t has_session;    /* 1: trades only while SESSION says open */
    uint32_t reserved;
    char symbol[FACT_NAME_BYTES];
};
struct fact_account {
    uint32_t id; /* 1.. */
    uint32_t currency;
    int64_t balance; /* start balance, currency units */
    uint32_t simulated;
    uint32_t via; /* enum fact_via */
    char name[FACT_NAME_BYTES];
};
enum fact_via {
    FACT_VIA_UNSET = 0, /* not said, as in older journals: the simulated venue in the engine */
    FACT_VIA_EGRESS,    /* tenon-egress and an adapter: in doubt until reconciled */
};
/* In a staged fact_instance.kind: the build takes over only while its owner is flat. */
#define FACT_COLD 0x80000000u
struct fact_instance {
    uint32_t id;                     /* 1.., index in the deployment */
    uint32_t kind;                   /* TN_KIND_*, FACT_COLD */
    int64_t due_ns;                  /* D */
    uint8_t sha256[FACT_HASH_BYTES]; /* of the .so */
    uint64_t params_hash;
    char name[FACT_NAME_BYTES];
    char plugin[FACT_NAME_BYTES];
    char version[FACT_NAME_BYTES];
};
struct fact_input {
    uint32_t instance; /* whose input */
    uint32_t input;    /* index in its manifest: what a reason of a signal names */
    uint32_t source;   /* instance that feeds it */
    uint32_t output;   /* index of its output */
    char name[FACT_NAME_BYTES];
};
struct fact_route {
    uint32_t strategy; /* instance id */
    uint32_t instrument;
    uint32_t account;
    uint32_t reserved;
    int64_t budget; /* account currency units */
};
struct fact_limit {
    uint32_t rule;       /* enum risk_rule */
    uint32_t instrument; /* 0 = all */
    uint32_t strategy;   /* 0 = all */
    uint32_t line;       /* of the deployment file */
    int64_t limit;
};
struct fact_rate {
    uint32_t from, to;   /* currency ids */
    uint32_t instrument; /* its mark is the rate; 0 = the constant below */
    int32_t exp;
    int64_t rate;       /* one unit of `from` in `to`, mantissa at exp */
    int64_t max_age_ns; /* of the mark */
};
struct fact_auto {
    uint32_t strategy; /* 0 = all */
    uint32_t on;
    char by[FACT_NAME_BYTES];
};
struct fact_mode {
    uint32_t scope;          /* enum mode_scope */
    uint32_t id;             /* account or instance id, 0 for global */
    uint32_t mode;           /* enum mode wanted */
    uint32_t keep_positions; /* KILLED: 1 = cancel only */
    char by[FACT_NAME_BYTES];
    char reason[FACT_TEXT_BYTES];
};
/* Builds that a promotion brings say how they came to know what they must, so that belief replay
 * can show them the same: STARTED has the first and the last event shown as history, and before it
 * stands one WARM for each of its instances that got its state from a build that ran. */
enum fact_plugin_what {
    FACT_PLUGIN_UNSET = 0,
    FACT_PLUGIN_STARTED,
    FACT_PLUGIN_WARM,
    FACT_PLUGIN_STOPPED,
    FACT_PLUGIN_FLIP,
    FACT_PLUGIN_SKIPPED,
    FACT_PLUGIN_QUARANTINED,
    FACT_PLUGIN_DIED, /* the process of its bay has ended; it is started again */
    FACT_PLUGIN_BACK, /* it has caught up and answers again */
};
struct fact_plugin {
    uint32_t instance;
    uint32_t what;
    int32_t status; /* TN_* of the plugin */
    uint32_t reserved;
    uint64_t from_seq; /* SKIPPED: events from..to were not shown to it; STARTED: were, as history;
                        * BACK: what it answered to them may be lost;
                        * WARM: the state is as of this event ... */
    uint64_t to_seq;   /* ... and of the build of this generation */
    char text[FACT_TEXT_BYTES];
};
struct fact_dataset {
    uint8_t sha256[FACT_HASH_BYTES];
    uint64_t rows;
    char name[FACT_TEXT_BYTES];
};
struct fact_rows {
    uint32_t source;
    uint32_t reason; /* TN_ROW_* */
    uint64_t first_line;
    uint64_t count;
    char text[FACT_TEXT_BYTES]; /* beginning of the first row, escaped */
};
struct fact_clock {
    int64_t skew_ns; /* host minus reference */
};
struct fact_snapshot {
    uint64_t seq; /* state after this event */
    uint64_t bytes;
    uint8_t sha256[FACT_HASH_BYTES];
};
struct fact_session {
    uint32_t instrument;
    uint32_t open;
};
struct fact_balance {
    uint32_t account;
    uint32_t reserved;
    int64_t amount;
};

/* ---- promotion ---- */
struct fact_trust {
    uint64_t version; /* 1, 2, ... */
    uint8_t sha256[FACT_HASH_BYTES];
    int64_t wall_ns; /* host time at which it was taken */
    uint32_t people;
    uint32_t throwaway; /* 1: keys made on the spot, for simulated accounts only */
};
enum fact_text_kind {
    FACT_TEXT_UNSET = 0,
    FACT_TEXT_DEPLOYMENT,
    FACT_TEXT_TRUST,
    FACT_TEXT_REQUEST,
};
enum { FACT_PIECE_BYTES = 432 };
/* Pieces of one document follow each other in order, whole documents only. */
struct fact_text_piece {
    uint8_t sha256[FACT_HASH_BYTES]; /* of the whole document */
    uint32_t kind;
    uint32_t total;  /* bytes of the whole */
    uint32_t offset; /* of this piece */
    uint32_t count;  /* of bytes used */
    char bytes[FACT_PIECE_BYTES];
};
/* A signature that was verified, with all that is needed to verify it again. */
struct fact_signature {
    uint8_t sha256[FACT_HASH_BYTES]; /* of the document */
    uint64_t serial;                 /* serial of a deployment, version of a trust document */
    uint8_t key_id[8];
    uint32_t role; /* one TRUST_* bit */
    uint32_t kind; /* enum fact_text_kind */
    uint8_t signature[64];
    uint8_t global[64]; /* over signature and comment */
    uint32_t is_hashed; /* 1: over BLAKE2b-512 of the document, 0: over the document */
    uint32_t reserved;
    char person[FACT_NAME_BYTES];
    char comment[192]; /* the trusted comment */
};
struct fact_promotion {
    uint64_t serial; /* of the document as it says; 0 = it could not be read */
    uint8_t sha256[FACT_HASH_BYTES];
    uint32_t from, to; /* enum promotion_state */
    uint32_t why;      /* enum promotion_why */
    int32_t result;    /* REFUSED: enum result_code */
    int64_t wall_ns;   /* host time */
    int64_t until_ns;  /* PROBATION: when it ends, event time */
    uint64_t flip_seq; /* PROBATION, ROLLED_BACK: the event at which acceptance changed */
    int64_t pause_ns;  /* ... and what that step took, host time */
    uint32_t swaps;    /* instances that changed their build */
    uint32_t orders, positions, stops; /* carried over */
    char by[FACT_NAME_BYTES];
    char text[192]; /* one sentence */
};
enum fact_stage_what {
    FACT_STAGE_UNSET = 0,
    FACT_STAGE_BEGIN,  /* rows from here on wait; what was staged before is forgotten */
    FACT_STAGE_COMMIT, /* all rows are there; DEPLOY of the same hash makes them active */
    FACT_STAGE_DROP,
};
struct fact_stage {
    uint64_t serial;
    uint8_t sha256[FACT_HASH_BYTES];
    uint8_t parent[FACT_HASH_BYTES];
    uint32_t what;
    uint32_t rows;        /* COMMIT: how many were staged, all types, INPUT too */
    int64_t run_until_ns; /* BEGIN: event time from which the host only reduces; 0 = never */
    char name[FACT_TEXT_BYTES];
};
enum fact_on_remove {
    FACT_ON_REMOVE_UNSET = 0, /* only when flat and without orders */
    FACT_ON_REMOVE_FLATTEN,
    FACT_ON_REMOVE_HAND_TO,
};
struct fact_remove {
    uint32_t strategy;
    uint32_t instrument; /* of the route that goes; 0 = all and the instance too */
    uint32_t on_remove;
    uint32_t to; /* HAND_TO: strategy that takes position, stop and orders */
};
/* A request file that enough people signed (DECISIONS 32); the wish is as in MODE. */
struct fact_request {
    uint8_t sha256[FACT_HASH_BYTES];
    uint32_t scope, id, mode;
    uint32_t people; /* distinct, counted */
    int64_t wall_ns;
    char by[FACT_TEXT_BYTES]; /* their names */
    char reason[FACT_TEXT_BYTES];
};

/* ---- venue answers ---- */
enum fact_sent_what {
    FACT_SENT_UNSET = 0,
    FACT_SENT_OK,         /* handed over */
    FACT_SENT_SUPPRESSED, /* not sent, on purpose */
    FACT_SENT_FAILED,     /* not sent: 0 bytes left */
    FACT_SENT_UNKNOWN,    /* may have been sent */
};
struct fact_sent {
    uint64_t order;
    uint32_t attempt;
    uint32_t what;
    uint32_t is_cancel;
    uint32_t reason; /* enum fact_sent_reason */
};
enum fact_sent_reason {
    FACT_SENT_REASON_NONE = 0,
    FACT_SENT_REASON_KILL,
    FACT_SENT_REASON_NO_TEMPLATE,
    FACT_SENT_REASON_NO_LINK,
    FACT_SENT_REASON_EPOCH,
    FACT_SENT_REASON_RATE,     /* no budget at the venue in time */
    FACT_SENT_REASON_MISMATCH, /* the adapter's bytes say something else */
    FACT_SENT_REASON_STALE,    /* its record was not durable in time */
};

/* Execution report v1. FIX words; kinds follow ExecType. */
enum fact_exec_kind {
    FACT_EXEC_UNSET = 0,
    FACT_EXEC_NEW, /* accepted */
    FACT_EXEC_REJECTED,
    FACT_EXEC_TRADE,         /* a fill */
    FACT_EXEC_CANCELED,      /* answer to our cancel */
    FACT_EXEC_CANCEL_REJECT, /* order still works */
    FACT_EXEC_CANCEL_LATE,   /* order had already ended */
    FACT_EXEC_EXPIRED,       /* time in force */
    FACT_EXEC_VENUE_CANCEL,  /* unasked */
    FACT_EXEC_BUST,          /* the fill `trade_id` is reversed */
    FACT_EXEC_STATUS,        /* answer to a query; `found` says */
};
enum fact_found_what {
    FACT_FOUND_UNSET = 0,
    FACT_FOUND_WORKING,
    FACT_FOUND_DONE,
    FACT_FOUND_ABSENT,
    FACT_FOUND_PROVED_ABSENT,
};
enum fact_liquidity { FACT_LIQ_UNSET = 0, FACT_MAKER, FACT_TAKER };
struct fact_exec {
    uint64_t order;       /* ours (ClOrdID's order); 0 = EXTERNAL */
    uint64_t venue_order; /* OrderID */
    uint64_t trade_id;    /* ExecID of a fill, unique per account and instrument */
    uint32_t kind;
    uint32_t instrument;
    uint32_t account;
    uint32_t side;      /* TN_LONG buy, TN_SHORT sell */
    int64_t last_qty;   /* LastQty */
    int64_t last_price; /* LastPx */
    int64_t cum_qty;    /* CumQty */
    int64_t leaves_qty; /* LeavesQty */
    int64_t fee;        /* settle currency units, > 0 we pay, < 0 we get */
    int64_t venue_ns;   /* the venue's own time */
    uint32_t liquidity;
    uint32_t reason;            /* enum fact_reject */
    uint32_t found;             /* STATUS */
    uint32_t is_close;          /* 1: a fill of a close that egress made, of what the venue holds */
    char text[FACT_NAME_BYTES]; /* the venue's words */
};
enum fact_reject { /* OrdRejReason in words; the closed list */
                   FACT_REJECT_NONE = 0,
                   FACT_REJECT_UNKNOWN_SYMBOL,
                   FACT_REJECT_HALTED,
                   FACT_REJECT_PRICE,
                   FACT_REJECT_QTY,
                   FACT_REJECT_FUNDS,
                   FACT_REJECT_DUPLICATE,
                   FACT_REJECT_POST_ONLY,
                   FACT_REJECT_RATE,
                   FACT_REJECT_OTHER,
};
struct fact_found {
    uint64_t order;
    uint64_t trade_id;
    uint32_t booked; /* 1: the journal has it already */
    uint32_t strategy;
    uint32_t instrument;
    uint32_t account;
    uint32_t side;
    uint32_t reserved;
    int64_t last_qty;
    int64_t last_price;
    int64_t fee;
};

/* A reconciliation of an account with its venue. Until WHOLE after each START or LOST it takes no
 * new risk. */
enum fact_sync_phase {
    FACT_SYNC_UNSET = 0,
    FACT_SYNC_WHOLE, /* every execution after the cursor and every open order were said */
    FACT_SYNC_LOST,  /* the way to the venue is gone: what was on its way is UNKNOWN */
    FACT_SYNC_AGAIN, /* a report is missing: what is live and not found by WHOLE is asked for */
};
struct fact_sync {
    uint32_t account;
    uint32_t phase;
    uint32_t orders, fills; /* found in it */
    char cursor[64];        /* newest trade id seen, as the venue names it */
    char text[FACT_TEXT_BYTES];
};

/* ---- ticks, answers, market data ---- */
struct fact_tick {
    uint32_t why; /* bit 0 core, 1 flow, 2 venue, 3 idle second */
    uint32_t reserved;
};
struct fact_reason {
    uint32_t input; /* TN_REASON_* or index of the input */
    int32_t contribution_ppm;
    int64_t value_bits; /* the double's bits: kept exactly */
};
struct fact_signal {
    uint32_t instance;
    uint32_t instrument;
    uint32_t side; /* TN_LONG, TN_SHORT, TN_FLAT */
    uint32_t advice;
    int32_t score_ppm;
    int32_t confidence_ppm;
    int64_t horizon_ns;
    int32_t target_ppm;
    uint32_t reason_count;
    int64_t limit_offset;
    int64_t stop_distance;
    int64_t ttl_ns;
    uint64_t plugin_hash; /* first 8 bytes of the SHA-256 */
    struct fact_reason reason[FACT_MAX_REASONS];
};
struct fact_verdict {
    uint32_t instance;
    uint32_t instrument;
    int32_t score_ppm;
    int32_t confidence_ppm;
    int64_t ttl_ns;
};
struct fact_late {
    uint32_t instance;
    uint32_t reserved;
    int64_t due_ns;
    uint64_t seen_seq; /* last event numbered when it came */
};
enum fact_md_flag {
    FACT_MD_OFF_TICK = 1,
    FACT_MD_WARMUP = 2, /* history before the start: feeds belief, moves no money */
};
struct fact_bar {
    uint32_t instrument;
    uint32_t flags;
    int64_t open_ns; /* start; the record's t_ns is the END */
    int64_t open, high, low, close;
    int64_t volume;
};
struct fact_trade {
    uint32_t instrument;
    uint32_t flags;
    int64_t price, qty;
    uint64_t trade_no; /* the venue's sequence, 0 = none */
    uint32_t aggressor;
    uint32_t reserved;
};
struct fact_quote {
    uint32_t instrument;
    uint32_t flags;
    int64_t bid, bid_qty, ask, ask_qty;
    uint64_t quote_no;
};

/* ---- effects ---- */
enum fact_origin {
    FACT_ORIGIN_UNSET = 0,
    FACT_ORIGIN_SIGNAL,
    FACT_ORIGIN_STOP,
    FACT_ORIGIN_KILL,
    FACT_ORIGIN_PERSON,
    FACT_ORIGIN_REMOVE, /* the strategy or its route left with a deployment */
};
enum fact_tif { FACT_TIF_UNSET = 0, FACT_GTC, FACT_IOC };
struct fact_intent {
    uint64_t intent; /* pure function of seq and leg */
    uint32_t strategy, instrument, account;
    uint32_t side;
    uint32_t origin;
    uint32_t reducing; /* DECISIONS 16 */
    uint32_t tif;
    uint32_t leg;
    int64_t qty;
    int64_t price;     /* limit, price units */
    int64_t reference; /* what the price was made from */
    int64_t ttl_ns;
    uint64_t signal_seq; /* the signal behind it; 0 = none */
};
struct fact_rule {
    int64_t observed;
    int64_t limit;
};
enum fact_rule_result {
    FACT_RULE_UNSET = 0,
    FACT_RULE_PASS,
    FACT_RULE_CUT, /* passed with less */
    FACT_RULE_DENY,
    FACT_RULE_FREE, /* does not bind this intent */
};
/* The denial record (and the approval): every rule with its figure and limit. */
struct fact_decision {
    uint64_t intent;
    uint32_t strategy, instrument, account;
    uint32_t approved; /* 1 yes (perhaps less), 0 no */
    int64_t asked;
    int64_t granted;
    int64_t price;
    int64_t reference;
    uint32_t side;
    uint32_t denied_by; /* bit r-1 = rule r */
    uint32_t cut_by;
    uint32_t reducing;
    uint64_t serial;    /* deployment in force */
    uint8_t result[32]; /* enum fact_rule_result, index = rule */
    struct fact_rule rule[RISK_RULE_COUNT];
};
struct fact_send {
    uint64_t order; /* = intent */
    uint32_t attempt;
    uint32_t account;
    uint32_t instrument;
    uint32_t side;
    uint32_t tif;
    uint32_t reduce_only; /* the venue's net shrinks too */
    int64_t qty;
    int64_t price;
    char client_id[FACT_NAME_BYTES];
};
struct fact_cancel {
    uint64_t order;
    uint32_t attempt;
    uint32_t why; /* enum fact_cancel_why */
    uint32_t account, instrument;
    uint64_t venue_order;
};
enum fact_cancel_why {
    FACT_CANCEL_UNSET = 0,
    FACT_CANCEL_NEWER, /* a newer signal */
    FACT_CANCEL_TTL,
    FACT_CANCEL_STOP,
    FACT_CANCEL_MODE,
    FACT_CANCEL_PERSON,
    FACT_CANCEL_DATA,
    FACT_CANCEL_REMOVE,
};
struct fact_query {
    uint64_t order;
    uint32_t attempt;
    uint32_t account;
};
struct fact_order {
    uint64_t order;
    uint32_t from, to; /* enum order_state */
    uint32_t event;    /* enum order_event */
    uint32_t strategy, instrument, account;
    int64_t qty, cum, leaves;
};
struct fact_position {
    uint32_t strategy; /* 0 = EXTERNAL */
    uint32_t instrument;
    uint32_t account;
    uint32_t settle;
    int64_t qty;
    int64_t avg_price;
    int64_t realised; /* settle units, after rounding, without fees */
    int64_t fees;
    int64_t net; /* of the venue: all strategies + EXTERNAL */
    uint64_t order;
    uint64_t trade_id;
};
struct fact_moded {
    uint32_t scope, id;
    uint32_t from, to;
    uint32_t why; /* enum fact_why */
    uint32_t reserved;
};
enum fact_why {
    FACT_WHY_UNSET = 0,
    FACT_WHY_PERSON,
    FACT_WHY_START,
    FACT_WHY_CLEAN,
    FACT_WHY_DOUBT,
    FACT_WHY_PLUGIN,
    FACT_WHY_LOSS,
    FACT_WHY_REQUEST, /* two people */
    FACT_WHY_LIMIT,   /* what is held exceeds a limit that was lowered */
    FACT_WHY_UNTIL,   /* the deployment's run_until has come */
    FACT_WHY_FLIP,    /* the build whose fault was the reason is no longer accepted */
    FACT_WHY_REMOVED, /* the strategy left with its deployment */
};
enum fact_health_state { FACT_HEALTH_UNSET = 0, FACT_HEALTHY, FACT_DEGRADED, FACT_DOWN };
enum fact_health_why {
    FACT_HEALTH_WHY_UNSET = 0,
    FACT_HEALTH_FIRST,
    FACT_HEALTH_GOOD,
    FACT_HEALTH_AGE,
    FACT_HEALTH_GAP,
    FACT_HEALTH_CROSSED,
    FACT_HEALTH_FROZEN,
    FACT_HEALTH_BAD_PRICE,
    FACT_HEALTH_BAD_TIME,
};
struct fact_health {
    uint32_t instrument;
    uint32_t from, to;
    uint32_t why;
    int64_t observed;
    int64_t limit;
};
enum fact_stop_what {
    FACT_STOP_UNSET = 0,
    FACT_STOP_SET,
    FACT_STOP_TIGHTENED,
    FACT_STOP_HIT,
    FACT_STOP_LIFTED,
};
struct fact_stopped {
    uint32_t strategy, instrument;
    uint32_t what;
    uint32_t reserved;
    int64_t price;
    int64_t mark;
    int64_t qty;
};
enum fact_alert_what {
    FACT_ALERT_UNSET = 0,
    FACT_ALERT_OVERFILL,
    FACT_ALERT_LATE_FILL,
    FACT_ALERT_EXTERNAL,
    FACT_ALERT_QUARANTINE,
    FACT_ALERT_DUPLICATES, /* three in a minute: strategy off */
    FACT_ALERT_FORBIDDEN,  /* evidence that no table cell allows */
    FACT_ALERT_FULL,       /* a fixed table is full */
    FACT_ALERT_OVERFLOW,   /* money does not fit */
    FACT_ALERT_KILL_STUCK,
    FACT_ALERT_MISSING_FILLS, /* the venue says a filled, b is booked: executions were withheld */
};
struct fact_alert {
    uint32_t what;
    uint32_t strategy, instrument, account;
    uint64_t order;
    int64_t a, b;
};
struct fact_lookup {
    uint64_t order;
    uint64_t trade_id;
    uint32_t account, instrument;
};
enum fact_ignored_why {
    FACT_IGNORED_UNSET = 0,
    FACT_IGNORED_DUPLICATE_FILL,
    FACT_IGNORED_STALE_TIME,
    FACT_IGNORED_UNKNOWN_INSTRUMENT,
    FACT_IGNORED_BAD_PRICE,
    FACT_IGNORED_NOT_ROUTED,
    FACT_IGNORED_REPEATED, /* evidence already known */
    FACT_IGNORED_UNKNOWN_ORDER,
    FACT_IGNORED_RESERVED_KIND,
    FACT_IGNORED_NOT_NEEDED,   /* e.g. lifting a mode that is not set */
    FACT_IGNORED_NOT_ALLOWED,  /* e.g. one person lifting a kill */
    FACT_IGNORED_NOT_ACCEPTED, /* a signal of a build that is heard but not accepted */
    FACT_IGNORED_NOT_STAGED,   /* DEPLOY of what is not staged and committed */
    FACT_IGNORED_NOT_FLAT,     /* DEPLOY would drop or swap an owner that is not flat */
    FACT_IGNORED_USED,         /* a request that was used already */
};
struct fact_ignored {
    uint32_t why;
    uint32_t detail;
    uint64_t about;
};
/* One per instance whose build changes at a DEPLOY: working orders, stops and the position keep
 * their owner, and answer to the new generation from here on. */
struct fact_flipped {
    uint32_t instance;
    uint32_t from, to; /* generations; from 0 = it is new, to 0 = it is gone */
    uint32_t orders;   /* live ones that it keeps (or hands over) */
    uint32_t stops;
    uint32_t positions; /* books that are not flat */
    uint32_t handed_to; /* instance; 0 = nobody */
    uint32_t reserved;
};

/* Payload size of each type, for writers and readers. 0 = unknown type. */
uint32_t fact_bytes(uint16_t type);
const char *fact_name(uint16_t type); /* "BAR"; "?" when unknown */
const char *fact_text(uint16_t type);
enum fact_class fact_class_of(uint16_t type);
uint16_t fact_version(uint16_t type);

/* A record as it lies in a ring, a group or a reader's buffer. */
struct fact_view {
    struct fact_head head;
    union {
        uint8_t bytes[FACT_MAX_BYTES];
#define X(id, name, payload, version, class, text) struct payload payload;
        FACT_EVENTS(X) FACT_EFFECTS(X)
#undef X
    } u;
};
#endif
