/* SPDX-License-Identifier: Apache-2.0
 *
 * The inside of the simulated venue, shared by venue.c (memory, requests, answers), tables.c
 * (heaps, indices), match.c (matching), chance.c (luck) and ledger.c (text). Nobody else includes
 * it, tests excepted.
 *
 * Invariants (venue_check repeats them)
 *   1. An order is open or ended; open orders are on the list of exactly one book.
 *   2. 0 <= cum <= qty; an ended order never fills again.
 *   3. The net of a book is the sum of its fills, buys minus sells.
 *   4. Each cell in use is on the answers heap once; requests are on the todo heap too.
 */
#ifndef VENUE_VENUE_PRIV_H
#define VENUE_VENUE_PRIV_H
#include "base/arena.h"
#include "base/clock.h"
#include "base/must.h"
#include "base/num.h"
#include "venue/venue.h"

#define VENUE_NONE UINT32_MAX
enum {
    VENUE_BUY = 1,         /* TN_LONG */
    VENUE_SELL = 2,        /* TN_SHORT */
    VENUE_RATE_MAX = 200,  /* orders per second; above the host's own budget of 50 */
    VENUE_SPARE_CELLS = 4, /* kept free: one matching step makes at most three answers */
    VENUE_STRANGERS = 256, /* requests about orders that are not here, remembered */
    VENUE_PPM = 1000000,
};

enum venue_cell_kind {
    VENUE_CELL_UNSET = 0, /* free */
    VENUE_CELL_SEND,      /* on its way to the venue; becomes the first answer to it */
    VENUE_CELL_CANCEL,
    VENUE_CELL_QUERY,
    VENUE_CELL_ANSWER,
};
struct venue_cell {
    uint32_t kind;
    uint32_t reserved;
    int64_t arrive_ns; /* a request's time at the venue */
    int64_t due_ns;    /* of the answer, with us */
    union {
        struct fact_send send;
        struct fact_cancel cancel;
        struct fact_query query;
        struct fact_exec exec;
    } u;
};
/* Heap order: time, then order, then counter. With the order before the counter it does not matter
 * in which order requests of one moment about different orders came in. */
struct venue_key {
    int64_t t_ns;
    uint64_t order;
    uint64_t counter;
    uint32_t cell;
    uint32_t reserved;
};
struct venue_heap {
    struct venue_key *at;
    uint32_t count, capacity;
};

enum venue_outcome {
    VENUE_OUTCOME_UNSET = 0,
    VENUE_OPEN,
    VENUE_FILLED,
    VENUE_CANCELED,
    VENUE_EXPIRED,
    VENUE_REJECTED,
};
struct venue_order {
    uint64_t order;
    uint64_t venue_order;
    int64_t arrive_ns;
    int64_t answered_ns; /* when the last answer to it is due; later ones are not due before */
    int64_t qty, cum, price;
    int64_t queue_ahead; /* quantity before ours at our price, as far as the data shows */
    uint32_t book;
    uint32_t side;
    uint32_t ioc;
    uint32_t reduce_only;
    uint32_t resting; /* 1: it was seen not to be marketable, so its fills are maker fills */
    uint32_t outcome;
    uint32_t prev, next; /* open orders of the book, oldest first */
};

enum venue_level { VENUE_SEEN_BAR = 1, VENUE_SEEN_TRADE = 2, VENUE_SEEN_QUOTE = 4 };
struct venue_book {
    struct fact_instrument def;
    int32_t settle_exp;
    uint32_t seen;       /* enum venue_level bits */
    uint32_t head, tail; /* open orders */
    int64_t net;
    int64_t bid, bid_qty, ask, ask_qty;
    int64_t bid_used, ask_used; /* taken by us since the side last changed */
    int64_t last, last_qty, last_used;
};

struct venue_stranger {
    uint64_t order;
    int64_t due_ns;
    bool is_refused;
};

struct venue {
    uint32_t magic;
    uint32_t open_count;
    struct venue_config c;
    struct venue_heap todo, answers;
    struct pool cells;
    struct venue_cell *cell;
    struct pool slots; /* of orders, open and ended */
    struct venue_order *order;
    uint32_t *ended; /* ring of ended orders, oldest forgotten first */
    uint32_t ended_first, ended_count, ended_max;
    uint32_t *index; /* order id -> slot, open addressing */
    uint32_t index_mask;
    struct venue_book *book;
    uint32_t book_count;
    uint32_t *book_index; /* instrument id -> book, open addressing */
    uint32_t book_mask;
    uint64_t counter, venue_orders, trades;
    int64_t run_ns; /* everything up to here is decided */
    int64_t rate_from_ns;
    int64_t halted_until_ns;
    uint32_t rate_count;
    struct venue_totals totals;
    uint32_t stranger_next;
    struct venue_stranger stranger[VENUE_STRANGERS];
};

/* tables.c */
void tables_put(struct venue_heap *h, struct venue_key k);
struct venue_key tables_take(struct venue_heap *h);
/* Where the order is in the index, or would be. */
uint32_t tables_place(const struct venue *v, uint64_t order);
struct venue_order *tables_order(const struct venue *v, uint64_t order); /* NULL = not here */
void tables_forget(struct venue *v, uint32_t slot);
struct venue_book *tables_book(const struct venue *v, uint32_t instrument);

/* venue.c, used by match.c */
bool venue_has_room(const struct venue *v);
struct fact_exec *venue_answer(struct venue *v, int64_t due_ns, uint32_t kind,
                               struct venue_order *o, int64_t venue_ns);
void venue_end(struct venue *v, struct venue_order *o, enum venue_outcome outcome);
void venue_run(struct venue *v, int64_t upto_ns);
void venue_check(const struct venue *v);

/* chance.c */
enum chance_purpose {
    CHANCE_UNSET = 0,
    CHANCE_WAY_SEND, /* jitter; the kinds of cells in their order */
    CHANCE_WAY_CANCEL,
    CHANCE_WAY_QUERY,
    CHANCE_SLOW_ACK,
    CHANCE_SLOW_ACK_NS,
    CHANCE_SLOW_CANCEL,
    CHANCE_SLOW_CANCEL_NS,
    CHANCE_HALT,
    CHANCE_REJECT,
    CHANCE_REJECT_WHY,
    CHANCE_CANCEL_REJECT,
    CHANCE_PARTIAL,
};
struct chance_key {
    uint64_t order;
    uint32_t purpose;
    int64_t moment; /* tells draws of one order for one purpose apart */
};
uint64_t chance_below(const struct venue *v, struct chance_key k, uint64_t bound);
/* True with this probability in the demo profile; never in another. */
bool chance_demo(const struct venue *v, struct chance_key k, uint32_t ppm);

/* match.c */
void match_arrival(struct venue *v, struct venue_order *o, int64_t t_ns, int64_t due_ns);
void match_bar(struct venue *v, struct venue_book *b, int64_t t_ns, const struct fact_bar *bar);
void match_trade(struct venue *v, struct venue_book *b, int64_t t_ns, const struct fact_trade *tr);
void match_quote(struct venue *v, struct venue_book *b, int64_t t_ns, const struct fact_quote *q);
void match_note(struct venue_book *b, uint16_t type, const void *payload);
/* The fee of a fill in settle units, rounded against us. */
struct result match_fee(const struct venue_book *b, int64_t price, int64_t qty, int64_t ppm,
                        int64_t *fee);

/* ledger.c */
void ledger_begin(struct venue *v);
void ledger_instrument(struct venue *v, const struct venue_book *b);
void ledger_resume(struct venue *v, const struct venue_book *b);
void ledger_order(struct venue *v, int64_t t_ns, const struct fact_send *s);
void ledger_cancel_asked(struct venue *v, int64_t t_ns, const struct fact_cancel *c);
void ledger_query(struct venue *v, int64_t t_ns, const struct fact_query *q);
/* due_ns: when the answer reaches us. Fills of two orders may be heard in another order than they
 * were made, and average cost depends on it. */
void ledger_exec(struct venue *v, const struct fact_exec *e, int64_t due_ns);
#endif
