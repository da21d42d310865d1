/* SPDX-License-Identifier: Apache-2.0
 *
 * The inside of the house, shared by house.c (life, time), rows.c (orders and fills), rebuild.c
 * (ledger lines), ask.c (requests) and tell.c (texts). Nobody else includes it, tests excepted.
 *
 * Invariants (house_check repeats them)
 *   1. Every row has its client id and its order id in the indices, once.
 *   2. net of an instrument is the sum of its fills, and what the library says.
 *   3. Trade ids rise.
 *   4. A waiting request's row is there; waiting requests are sorted.
 */
#ifndef HOUSE_HOUSE_PRIV_H
#define HOUSE_HOUSE_PRIV_H
#include "base/must.h"
#include "base/num.h"
#include "house/booklog.h"
#include "house/house.h"

enum house_state {
    HOUSE_STATE_UNSET = 0,
    HOUSE_RECEIVED, /* on its way to the matching */
    HOUSE_WORKING,
    HOUSE_DONE,
    HOUSE_REFUSED, /* by the matching */
    HOUSE_VOID,    /* never received, and never to be: a query proved it absent */
};
enum { HOUSE_OWN_ORDER_BIT = 62, HOUSE_NONE = -1 };

struct house_row {
    uint64_t order, venue_order;
    char client[HOUSE_CLIENT_BYTES];
    uint32_t caller, instrument; /* index */
    uint32_t side, tif, reduce_only, state;
    int64_t qty, price, cum;
    int64_t at_ns, t_ns; /* approved; accepted */
    uint32_t cancels;    /* received and not decided */
    uint32_t is_sent;    /* handed to the matching in this life */
    int64_t cancel_at_ns;
};
struct house_fill {
    uint64_t trade;
    uint32_t row, liquidity;
    int64_t qty, price, fee, t_ns, due_ns, cum;
};
enum house_kind { HOUSE_KIND_UNSET = 0, HOUSE_KIND_SEND, HOUSE_KIND_CANCEL, HOUSE_KIND_QUERY };
struct house_waiting {
    int64_t at_ns;
    uint64_t order;
    uint32_t kind, row;
    uint64_t ticket;
};
struct house_held { /* a query that the matching has */
    uint64_t order, ticket;
    uint32_t row;
};
struct house_book {
    struct house_instrument in;
    uint64_t market_n;
    int64_t market_ns, mark, net;
};
struct rows_index {
    uint32_t *at; /* row + 1 */
    uint32_t mask;
};

struct house {
    struct house_config c;
    struct venue *venue;
    void *venue_memory;
    struct booklog *log;
    struct house_book book[HOUSE_INSTRUMENTS_MAX];
    struct house_row *row;
    uint32_t row_count, row_room;
    struct rows_index by_client, by_order;
    struct house_fill *fill;
    uint32_t fill_count, fill_room;
    struct house_waiting *waiting;
    uint32_t waiting_count;
    struct house_held *held;
    uint32_t held_count;
    uint64_t report_n[CALLERS_MAX + 1];
    uint64_t own_orders;
    uint32_t working;
    bool has_market, is_rebuilding;
    struct fact_view market; /* the next one, not shown yet */
    int64_t done_ns;         /* everything up to here has been shown and decided */
    struct house_totals totals;
};

/* rows.c */
struct house_row *rows_add(struct house *h, const char *client, uint64_t order);
struct house_row *rows_by_client(const struct house *h, const char *client);
struct house_row *rows_by_order(const struct house *h, uint64_t order);
struct house_fill *rows_fill(struct house *h);
/* The first fill whose trade id is above this. */
uint32_t rows_after(const struct house *h, uint64_t trade);
uint32_t rows_place(const struct house *h, const struct house_row *r);
void rows_free(struct house *h);

/* rebuild.c */
void rebuild_write(struct house *h, const char *line, size_t count);
MUST_USE struct result rebuild_line(void *house, uint64_t number, char *text, struct trail *tr);
/* Hands what was rebuilt to a matching that has just begun. */
MUST_USE struct result rebuild_end(struct house *h, struct trail *tr);

/* house.c */
/* Puts a request into the queue, in its place. false: no room. */
bool house_wait(struct house *h, const struct house_waiting *w);
int64_t house_engine_now(const struct house *h);
void house_check(const struct house *h);

/* tell.c */
struct tell {
    char *at;
    size_t used, room;
};
void tell_put(struct tell *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void tell_number(struct tell *t, const char *key, int64_t value, int exp);
void tell_order(struct tell *t, const struct house *h, const struct house_row *r);
void tell_fill(struct tell *t, const struct house *h, const struct house_fill *f);
void tell_market(struct house *h, const struct fact_view *v);
void tell_report(struct house *h, const struct fact_view *v);
void tell_instrument(struct tell *t, const struct house_instrument *in);
const char *tell_code(uint32_t reason);
#endif
