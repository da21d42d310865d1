/* SPDX-License-Identifier: Apache-2.0
 *
 * One account's session at a tenon-venue: what the adapter remembers, and who does what with it.
 *
 *   session.c  life, the stream's login, reconciliation, timers, replies
 *   order.c    approvals and stored requests become templates
 *   hear.c     market messages and reports become events and answers
 *   wire.c     the facts: rate budgets and the wire table
 *
 * Invariants
 *   1. The state is whole whatever bytes came: a message is read completely before it is believed.
 *   2. cursor is the newest trade id up to which no execution is missing: only the venue's list of
 *      executions moves it, since its stream may tell of one after a younger one.
 *   3. One reconciliation runs at a time; one that was wished for meanwhile runs after it.
 *   4. Nothing is remembered that a new instance could not ask the venue for again.
 */
#ifndef TENON_VENUE_SESSION_H
#define TENON_VENUE_SESSION_H
#include "json.h"
#include "tenon/draft/adapter.h"

enum {
    SESSION_INSTRUMENTS_MAX = 64,
    SESSION_ASKED_MAX = 1024, /* requests whose replies are still told apart; a power of two */
    SESSION_HELD_MAX = 16,
    SESSION_HEARD_MAX = 512, /* executions that an unannounced question does not say again */
    SESSION_ID_BYTES = 64,
};
enum { SESSION_LINK_HTTP = 0, SESSION_LINK_STREAM = 1 };
enum { SESSION_TIMER_PING = 1, SESSION_TIMER_SYNC = 2, SESSION_TIMER_FILLS = 3 };
enum { SESSION_PARAM_PING_S, SESSION_PARAM_RECONCILE_S, SESSION_PARAM_COUNT };
enum { SESSION_BUCKET_HTTP = 0, SESSION_BUCKET_STREAM = 1 };

enum session_stream {
    SESSION_STREAM_UNSET = 0,
    SESSION_STREAM_DOWN,
    SESSION_STREAM_LOGIN, /* open, the answer to the login is awaited */
    SESSION_STREAM_LIVE,
};
enum session_sync {
    SESSION_SYNC_UNSET = 0,
    SESSION_SYNC_IDLE,
    SESSION_SYNC_FILLS, /* pages of executions after the cursor */
    SESSION_SYNC_OPEN,  /* then the open orders */
};
enum session_asked_what {
    SESSION_ASKED_UNSET = 0,
    SESSION_ASKED_ORDER,
    SESSION_ASKED_CANCEL,
    SESSION_ASKED_QUERY,
    SESSION_ASKED_FILLS,
    SESSION_ASKED_OPEN,
};
struct session_asked {
    uint64_t request;
    uint32_t what, instrument, side, reserved;
    char client_id[TN_ADAPTER_CLIENT_ID_BYTES];
};
struct session_instrument {
    const struct tn_instrument *def;
    uint64_t n;     /* of the symbol's last message; 0 = none yet */
    bool is_asking; /* a picture was asked for */
    bool was_older; /* the last one was older than what was heard since, and asked for again */
    char symbol[TN_NAME_BYTES];
};

struct session {
    const struct tn_host *host;
    int64_t ping_ns, reconcile_ns; /* 0 = off */
    uint32_t instrument_count, is_second;
    uint64_t next_request;
    enum session_stream stream;
    bool is_alive;               /* the stream said something since the last ping */
    uint64_t n;                  /* of the last report of this login; 0 = none yet */
    uint64_t hole_from, hole_to; /* numbers that were passed over; one may still come */
    int64_t now_ns;              /* of the call that runs: egress's clock */
    int64_t venue_ns;            /* newest time the venue said */
    enum session_sync sync;
    bool sync_again;   /* a told one was wished for while one ran */
    bool sync_is_told; /* this one began with TN_SYNC_BEGAN: fills and open orders */
    uint32_t sync_orders, sync_fills;
    char cursor[SESSION_ID_BYTES];
    char open_after[SESSION_ID_BYTES]; /* the last open order of the page before */
    uint32_t held_count; /* answers to queries that wait until the fills before them are said */
    uint32_t reserved;
    struct tn_said held[SESSION_HELD_MAX];
    uint64_t heard_count; /* executions that were said, the newest in the place of the oldest */
    char heard[SESSION_HEARD_MAX][SESSION_ID_BYTES];
    struct session_asked asked[SESSION_ASKED_MAX];
    struct session_instrument instrument[SESSION_INSTRUMENTS_MAX];
};

extern const struct tn_adapter_ops session_ops;
#define SESSION_ARENA_BYTES (((uint32_t)sizeof(struct session) + 15u) & ~15u)
/* The manifest's rows of parameters, in the order of SESSION_PARAM_*. */
#define SESSION_PARAMS                                                                             \
    TN_PARAM_INT("ping_s", 10, 1, 3600, 1, "s",                                                    \
                 "a stream that said nothing for so long is asked, then closed"),                  \
        TN_PARAM_INT("reconcile_s", 60, 0, 86400, 1, "s",                                          \
                     "the venue is asked for missed fills so often; 0 = only after gaps")

/* ---- wire.c ---- */
extern const struct tn_adapter_facts wire_facts;

/* ---- session.c ---- */
/* A fresh number, remembered with what it asks. */
struct session_asked *session_ask(struct session *s, enum session_asked_what what);
struct session_instrument *session_by_symbol(struct session *s, const struct json *symbol);
/* Executions after the cursor, then open orders; `told` false: executions only, unannounced. */
void session_resync(struct session *s, bool told, const struct tn_adapter_out *out);
void session_log(const struct session *s, uint32_t level, const char *text);

/* ---- order.c ---- */
int32_t order_place(struct session *s, const struct tn_approval *a,
                    const struct tn_adapter_out *out);
int32_t order_cancel(struct session *s, const struct tn_approval *a,
                     const struct tn_adapter_out *out);
/* approval 0: a question of our own. */
int32_t order_query(struct session *s, const struct tn_approval *a,
                    const struct tn_adapter_out *out);
int32_t order_fills(struct session *s, const struct tn_adapter_out *out);
int32_t order_open(struct session *s, const struct tn_adapter_out *out);
int32_t order_login(struct session *s, const struct tn_adapter_out *out);
int32_t order_subscribe(struct session *s, const struct tn_adapter_out *out);
int32_t order_snapshot(struct session *s, const struct session_instrument *in,
                       const struct tn_adapter_out *out);
int32_t order_ping(struct session *s, const struct tn_adapter_out *out);
/* Cancel, cancel-all, query, positions, close: what egress can do without anybody. */
int32_t order_stored(struct session *s, const struct tn_adapter_out *out);

/* ---- hear.c ---- */
void hear_market(struct session *s, const struct json *m, const struct tn_adapter_out *out);
/* The answer to a question for a symbol's picture: its number is the base from now on. */
void hear_snapshot(struct session *s, const struct json *m, const struct tn_adapter_out *out);
void hear_report(struct session *s, const struct json *m, const struct tn_adapter_out *out);
/* A member of "fills" or "orders" of a reply. False: it cannot be read (said as UNKNOWN). */
bool hear_fill(struct session *s, const struct json *m, const struct tn_adapter_out *out);
bool hear_open(struct session *s, const struct json *m, const struct tn_adapter_out *out);
/* The reply to a query by client id. */
bool hear_found(struct session *s, const struct session_asked *q, const struct json *m,
                struct tn_said *said);
/* A refusal in a reply of the venue. */
void hear_refusal(const struct session_asked *q, uint32_t status, const struct json *m,
                  struct tn_said *said);
void hear_unknown(const struct json *m, const char *why, const struct tn_adapter_out *out);
#endif
