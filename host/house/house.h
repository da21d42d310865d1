/* SPDX-License-Identifier: Apache-2.0
 *
 * The house: a simulated venue with accounts, client ids, reports and a ledger around the matching
 * library (host/venue). Sans-I/O but for its ledger file: time and requests come with each call,
 * reports and market data go out through struct house_ops at once. The sockets are in doors.h.
 *
 * What it keeps, it keeps in the ledger: a request is there before it is answered, a report before
 * it is sent (house_sync), and a restart rebuilds orders, fills and positions from the lines.
 *
 * Order of things on script time: a request that was approved at `at` is held until the venue's
 * clock shows at + latency / 2 and is then decided among the others by (at, order, kind), whatever
 * connection it came over; so a run behind sockets equals a run inside the engine. One that comes
 * later than that is counted (`late`) and decided next.
 *
 * One thread.
 */
#ifndef HOUSE_HOUSE_H
#define HOUSE_HOUSE_H
#include "house/callers.h"
#include "house/tempo.h"
#include "tbl/facts.h"
#include "venue/venue.h"

enum {
    HOUSE_INSTRUMENTS_MAX = 64,
    HOUSE_CLIENT_BYTES = FACT_NAME_BYTES,
    HOUSE_REPLY_BYTES = 120 * 1024, /* what egress hands to an adapter in one piece, and less */
    HOUSE_TEXT_BYTES = 1024,        /* of one report or market message */
    HOUSE_QUEUE_MAX = 65536,        /* requests waiting for their moment */
};

struct house_instrument {
    struct fact_instrument def;
    int32_t settle_exp;
    char currency[FACT_NAME_BYTES];
};

struct house_ops {
    /* The source's next market event; false at its end. */
    bool (*next)(void *source, struct fact_view *out);
    void *source;
    /* What goes out; `front` is theirs. */
    void *front;
    void (*market)(void *front, uint32_t instrument, const char *text, size_t count);
    void (*report)(void *front, uint32_t caller, const char *client, const char *text,
                   size_t count);
    /* The answer to a request that was held. */
    void (*answer)(void *front, uint64_t ticket, const char *text, size_t count);
};

struct house_config {
    struct venue_config venue; /* seed, profile, latency, fees; the rest is set here */
    const struct house_instrument *instrument; /* copied */
    uint32_t instrument_count;
    const struct callers *callers; /* borrowed; names only */
    struct tempo tempo;
    const char *ledger_path;
    struct house_ops ops;
};

struct house; /* heap */
MUST_USE struct result house_open(const struct house_config *c, struct house **out,
                                  struct trail *tr);
void house_close(struct house *h); /* NULL is let pass */

/* Shows the market and decides requests up to the venue's clock. */
void house_time(struct house *h);
/* Real time until house_time has something to do; INT64_MAX = only when asked. */
int64_t house_wait_ns(const struct house *h);
/* Makes all lines durable; before anything that they tell goes out. */
MUST_USE struct result house_sync(struct house *h, struct trail *tr);

enum house_method { HOUSE_METHOD_UNSET = 0, HOUSE_GET, HOUSE_POST, HOUSE_DELETE };
struct house_ask { /* a request whose signature was checked */
    uint32_t method;
    uint32_t caller;
    uint64_t ticket;   /* of the asker; comes back with ops.answer */
    const char *path;  /* without the query */
    const char *query; /* "a=b&c=d", may be empty */
    const char *body;
    size_t body_count;
};
struct house_reply {
    int status; /* HTTP; 0 = held: ops.answer has the ticket later */
    size_t count;
    char text[HOUSE_REPLY_BYTES];
};
/* Weight of a request in the caller's budget; 0 = no such path. */
uint32_t house_weight(uint32_t method, const char *path);
void house_ask(struct house *h, const struct house_ask *q, struct house_reply *out);
/* What the stream's snapshot says of an instrument. false: no such symbol. */
bool house_snapshot(const struct house *h, const char *symbol, size_t count,
                    char out[HOUSE_TEXT_BYTES], size_t *used);
/* The instrument's number, for subscriptions; UINT32_MAX = no such symbol. */
uint32_t house_symbol(const struct house *h, const char *symbol, size_t count);

struct house_totals {
    uint64_t orders, duplicates, voided, fills, cancels, reports, market_events;
    uint64_t late;      /* requests that came after their moment */
    int64_t late_ns;    /* the latest by so much */
    int64_t spare_ns;   /* the closest that came in time, by so much; INT64_MAX = none */
    uint64_t kept, cut; /* orders rebuilt at the start; bytes of a torn end */
    uint64_t lines, syncs;
    uint32_t working, waiting;
};
void house_totals(const struct house *h, struct house_totals *out);
bool house_is_script(const struct house *h);
int64_t house_now(const struct house *h); /* the venue's clock */
/* Client ids are T<epoch>-<order>-<attempt> in base 32; 0 = another form. */
uint64_t house_order_of(const char *client);
#endif
