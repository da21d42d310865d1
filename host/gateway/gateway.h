/* SPDX-License-Identifier: Apache-2.0
 *
 * The gateway: people and programs talk to the running host here, over a Unix socket. It has a
 * thread of its own; the core's thread meets it at three doors only, none of which locks:
 *
 *   gateway_publish   core -> gateway: a plain struct of what is true now (a triple buffer)
 *   gateway_poll      gateway -> core: what a person wants done (bounded, kill has its own slots)
 *   gateway_answer    core -> gateway: what became of it
 *
 * Invariants
 *   1. Nothing a client sends reaches the core but as a checked struct gateway_request.
 *   2. Every request the core takes is answered once; `by` is the peer's uid, from the kernel.
 *   3. A kill is never refused for want of room.
 *   4. gateway_poll costs one relaxed load when nothing waits.
 *
 * Wire: u32 little-endian length (1 byte to 1 MiB), then JSON {v:1,id,cmd,args} -> {v,id,ok,exit,
 * result|error{code,what,where,why,next}}. `cmd` is a command of tbl/commands.h ("auto on"), args
 * its flags by name (true for switches, text otherwise), `words` for its arguments and, where a
 * signed file is handed over, `bundle` with its bytes (parcel.h).
 */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H
#include "base/bundle.h"
#include "base/log.h"
#include "base/result.h"
#include "tbl/facts.h"

struct gateway;
struct gateway_options {
    const char *socket_path; /* NULL = paths_socket() */
    struct log *log;         /* may be NULL */
    /* Called on the gateway's thread after a request was put, to wake a core that blocks; may be
     * NULL. Must not block. */
    void (*wake)(void *arg);
    void *wake_arg;
    uint32_t idle_ms;   /* a connection without a finished request is cut; 0 = 10 s */
    uint32_t answer_ms; /* the core's time to answer; 0 = 5 s */
    uint32_t slow_ms;   /* the same for what is checked, loaded and warmed first; 0 = 120 s */
};
/* Binds and starts the thread. BUSY when another host holds the socket. */
MUST_USE struct result gateway_open(const struct gateway_options *o, struct gateway **out,
                                    struct trail *tr);
/* Tells waiting clients, joins the thread, removes the socket. Not from a wake callback. */
void gateway_close(struct gateway *g);
const char *gateway_socket(const struct gateway *g);

/* ---- requests, core's thread ---- */
enum gateway_kind {
    GATEWAY_KIND_UNSET = 0,
    GATEWAY_KILL,
    GATEWAY_AUTO,
    GATEWAY_MODE,     /* risk halt, reduce, resume: what one person may */
    GATEWAY_STOP,     /* made by no command of this release */
    GATEWAY_PROMOTE,  /* a signed deployment: bundle */
    GATEWAY_ROLLBACK, /* to the deployment before the active one */
    GATEWAY_TRUST,    /* the next trust document: bundle */
    GATEWAY_REQUEST,  /* a request of several people: bundle */
};
struct gateway_request {
    uint64_t id; /* for gateway_answer */
    uint32_t kind;
    uint32_t scope;               /* enum mode_scope: MODE, KILL (never a strategy) */
    uint32_t target;              /* AUTO: instance id, 0 = all; MODE, KILL: what `scope` says */
    uint32_t mode;                /* MODE: enum mode */
    uint32_t on;                  /* AUTO */
    uint32_t keep_positions;      /* KILL */
    char by[FACT_NAME_BYTES];     /* "uid:1000" */
    char reason[FACT_TEXT_BYTES]; /* may be empty */
    struct bundle *bundle;        /* PROMOTE, TRUST, REQUEST: the taker frees it; else NULL */
};
/* The next request, kills first; false when none waits. */
bool gateway_poll(struct gateway *g, struct gateway_request *out);
/* Exactly once per request taken. exit: 0 done, else an exit code of results.h; text: one sentence
 * for the person. One eventfd write: call it after the effects of the request are on their way, and
 * after gateway_publish when the view changed, so that a status asked next shows it. */
void gateway_answer(struct gateway *g, uint64_t id, int exit, const char *text);

/* ---- the view, core's thread ---- */
enum {
    GATEWAY_POSITIONS_MAX = 64,
    GATEWAY_INSTRUMENTS_MAX = 64,
    GATEWAY_STRATEGIES_MAX = 32,
    GATEWAY_ACCOUNTS_MAX = 8,
};
struct gateway_view {
    /* the host */
    uint64_t epoch, serial; /* serial 0 and no deployment name: none is active */
    char deployment[FACT_TEXT_BYTES];
    uint8_t sha256[FACT_HASH_BYTES];
    uint32_t promotion;         /* of the active one, enum promotion_state; 0 = none */
    int64_t probation_until_ns; /* event time; 0 = not on probation */
    uint64_t before_serial;     /* what a rollback would bring back; 0 = nothing */
    uint64_t next_serial;       /* of the one on its way; 0 = none */
    uint32_t next_promotion;    /* its state */
    int64_t next_until_ns;      /* SHADOW: when it may take over, event time */
    uint8_t next_sha256[FACT_HASH_BYTES];
    /* The newest one that ended before its flip, since the start: whoever follows it learns why. */
    uint8_t refused_sha256[FACT_HASH_BYTES];
    int32_t refused_result; /* enum result_code; 0 = none was */
    uint64_t trust_version;
    uint32_t trust_throwaway;
    uint64_t said; /* promotion lines said since the start; the newest ones are here */
    struct {
        uint64_t number; /* 1.. */
        char text[256];
    } line[8];
    char host[FACT_NAME_BYTES];
    char market[FACT_TEXT_BYTES]; /* "demo", the data file's name, ... */
    uint32_t mode;                /* global, enum mode */
    uint32_t auto_on;             /* strategies with auto trading on */
    int64_t started_ns;           /* host time */
    int64_t now_ns;               /* event time */
    uint64_t seq, durable_seq;
    uint64_t window_events, window_ns; /* events in the last window of host time, for events/s */
    uint32_t open_orders;
    /* the journal */
    int32_t journal_code; /* enum result_code, OK while healthy */
    uint64_t journal_bytes, disk_ppm;
    /* what adds up: struct core_totals, as plain figures */
    struct {
        uint64_t signals, intents, approvals, denials, orders, fills, partial_fills, maker_fills,
            taker_fills, venue_rejects, cancels, cancel_rejects, cancels_late, ttl_cancels,
            cancelled_after_partial, expired, stops_hit;
        uint64_t denied_by[RISK_RULE_END];
    } totals;
    uint32_t account_count, instrument_count, strategy_count, position_count;
    struct {
        uint32_t id, mode;
        int32_t exp;
        char name[FACT_NAME_BYTES], currency[16];
        int64_t start, realised, fees, unrealised, equity;
    } account[GATEWAY_ACCOUNTS_MAX];
    struct {
        uint32_t id, health; /* enum fact_health_state */
        int32_t price_exp, qty_exp, money_exp;
        int64_t mark;
        char symbol[FACT_NAME_BYTES], currency[16];
    } instrument[GATEWAY_INSTRUMENTS_MAX];
    struct {
        uint32_t id, mode, auto_on, quarantined;
        uint32_t generation; /* serial that brought the build */
        char name[FACT_NAME_BYTES], plugin[FACT_NAME_BYTES], version[FACT_NAME_BYTES];
        uint8_t sha256[FACT_HASH_BYTES]; /* of its shared object */
    } strategy[GATEWAY_STRATEGIES_MAX];
    struct {
        uint32_t strategy, instrument, account;
        uint32_t reserved;
        int64_t qty, avg_price, realised, fees, unrealised, stop_price;
        char name[FACT_NAME_BYTES]; /* of a strategy that has left: it is in no list above */
    } position[GATEWAY_POSITIONS_MAX];
    uint32_t positions_left_out; /* more than fit */
};
/* Copies; wait-free. The gateway shows the newest. */
void gateway_publish(struct gateway *g, const struct gateway_view *v);
#endif
