/* SPDX-License-Identifier: Apache-2.0
 *
 * The core's whole state: plain tables in one block of memory. Internal to host/core.
 *
 * Invariants (core_check repeats them)
 *   1. Row 0 of every table but orders is unused: ids start at 1 and are the row's index.
 *   2. Nothing in a row is a pointer; what refers to another row holds its index. So a snapshot is
 *      the rows, and restoring them is enough. What can be derived (look-up tables, sums of leaves,
 *      effective limits, earliest deadline) is not stored but built again by restore.
 *   3. A book is one strategy's position, signal and working orders in one instrument on one
 *      account. Strategy 0 is EXTERNAL: what the venue holds that no intent of ours explains.
 *   4. For each book, work_buy and work_sell are the leaves of its orders in a reserving state.
 *   5. A net row sums the books of one account and instrument.
 */
#ifndef CORE_STATE_H
#define CORE_STATE_H
#include "base/arena.h"
#include "base/fsm.h"
#include "base/must.h"
#include "base/num.h"
#include "core/quick.h"
#include "core/step.h"
#include "tenon/strategy.h"
#include <string.h>

#define CORE_NEVER INT64_MAX
#define CORE_NONE UINT32_MAX
#define CORE_SECOND_NS 1000000000ll
/* No quantity, position, price or distance goes beyond these, so that sums of a few of them cannot
 * overflow: evidence beyond is an alarm and books nothing, a wish beyond is refused. */
#define CORE_QTY_MAX (INT64_MAX / 16)
#define CORE_PRICE_MAX (INT64_MAX / 16)

struct currency_row {
    uint32_t id;
    int32_t exp;
    char name[16];
};

/* An instrument and what is known of its market. */
struct market_row {
    struct fact_instrument def;
    int64_t bid, bid_qty, ask, ask_qty;
    int64_t last;                /* last trade or close */
    int64_t mark;                /* mid while both sides are there, else last; 0 = none yet */
    int64_t data_ns;             /* time of the last good data; 0 = none */
    int64_t crossed_ns;          /* since when crossed or locked; 0 = not */
    int64_t changed_ns;          /* when the data last changed its content */
    uint64_t quote_no, trade_no; /* last venue numbers, 0 = none */
    uint32_t health;             /* enum fact_health_state */
    uint32_t health_why;
    uint32_t good_count; /* good data since the last bad one, up to MARKET_GOOD_COUNT */
    uint32_t session_open;
};

struct account_row {
    struct fact_account def;
    uint32_t mode;
    uint16_t keep_positions; /* with KILLED */
    uint16_t in_doubt; /* not reconciled with its venue since the start, or since it was lost */
    int64_t cash;      /* start balance and what people moved */
    int64_t message_second; /* which second is counted */
    uint64_t message_count;
};

/* Which build's signals are accepted, for causes after an event. */
struct reign {
    uint64_t since_seq; /* the DEPLOY: causes after it; 0 = any cause */
    uint64_t generation;
};
enum { REIGNS = 4 };
#define REIGN_NOBODY UINT64_MAX /* the instance was not there */

struct instance_row {
    uint32_t id;
    uint32_t kind;
    uint32_t mode;
    uint32_t mode_why; /* enum fact_why of its mode */
    uint32_t auto_on;
    uint32_t is_removed; /* left with a deployment; may come back */
    uint32_t live_orders;
    uint32_t duplicates;     /* seen so far */
    int64_t duplicate_ns[2]; /* of the last two, older first */
    uint64_t plugin_hash;
    struct reign reign[REIGNS]; /* newest first; a row of zeros is an unsigned build's */
    char name[FACT_NAME_BYTES];
};

struct book_row {
    uint32_t strategy, instrument, account;
    uint32_t live_orders;
    int64_t budget;              /* account currency units */
    int64_t qty;                 /* position, signed */
    int64_t work_buy, work_sell; /* leaves that count as exposure */
    int64_t realised;            /* settle units */
    int64_t fees;                /* settle units */
    num_i128 cost;               /* of the open position, at the instrument's cost exponent, >= 0 */
    /* signal: the wanted state */
    uint64_t signal_seq; /* 0 = none in force */
    int64_t signal_until_ns;
    int64_t target; /* wanted position */
    int64_t limit_offset;
    int64_t stop_distance; /* of the signal in force; 0 = none */
    uint32_t has_limit;
    uint32_t pending;        /* 1: cancels run; plan again when the last order has ended */
    uint32_t flatten_origin; /* enum fact_origin of the running flatten; 0 = none runs */
    uint32_t flattens;       /* its attempts: widens the protection */
    uint32_t last_side, last_reducing; /* of the last intent, for the duplicate rule */
    uint32_t kill_flat;                /* 1: a kill closes this position, again and again */
    uint32_t is_leaving;               /* 1: its route is gone: what turns up here is closed */
    int64_t flatten_ns;                /* its next attempt; CORE_NEVER = none */
    /* host-side stop */
    int64_t stop_price;                    /* 0 = none */
    int64_t last_qty, last_price, last_ns; /* of the last intent */
    /* cache, not stored: unrealised at this mark */
    int64_t mark_seen;
    int64_t unrealised;
};

struct order_row {
    uint64_t id;
    uint64_t venue_order;
    uint64_t signal_seq;
    int64_t qty, cum, price;
    int64_t created_ns;
    int64_t ttl_ns;    /* time at which it is cancelled; CORE_NEVER = none */
    int64_t check_ns;  /* time at which the venue is asked; CORE_NEVER = none */
    int64_t silent_ns; /* when it last became UNKNOWN; 0 = never */
    uint32_t book;
    uint32_t attempt;
    uint32_t queries;
    uint16_t want_cancel; /* enum fact_cancel_why; cancel as soon as it is acknowledged */
    uint16_t missed;      /* how often the venue said that more is filled than is booked */
    uint8_t state;        /* enum order_state; written by fsm_move only */
    uint8_t side;         /* TN_LONG, TN_SHORT */
    uint8_t tif;
    uint8_t origin;
    uint8_t reducing;
    uint8_t cancel_why; /* of the cancel that is out or was answered */
    uint8_t used;
    uint8_t confirmed;               /* 0: must be found at the venue before SAFE_START lifts */
    uint32_t older, newer;           /* all orders by age */
    uint32_t live_older, live_newer; /* orders in a live state */
};

struct fill_row {
    uint64_t key; /* hash of account, instrument, trade id; 0 = free */
    int64_t t_ns;
};

/* Derived: net of one account and instrument. */
struct net_row {
    int64_t qty;
    int64_t work_buy, work_sell;
};

/* What waits for its DEPLOY (staged.c). The rows lie in tables of their own; nothing else in the
 * core sees them before. */
struct staged_instance {
    struct fact_instance def;
    uint64_t generation;
};
struct staged {
    uint64_t serial;
    uint8_t sha256[FACT_HASH_BYTES];
    int64_t run_until_ns;
    uint32_t is_open, is_committed;
    uint32_t is_broken; /* a row did not fit: it will not be committed */
    uint32_t rows;      /* given, of all types */
    uint32_t currency_count, instrument_count, account_count, instance_count, route_count,
        remove_count, limit_count, rate_count;
};

/* Requests that were used: one is good for one time. */
enum { REQUESTS_MAX = 256 };
struct request_row {
    uint8_t sha256[FACT_HASH_BYTES];
};

struct core {
    uint32_t magic;
    uint32_t book_count;
    struct core_limits max;
    /* stored */
    uint64_t seq;
    int64_t now_ns;
    uint64_t epoch;
    uint64_t serial;
    uint32_t mode; /* global */
    uint32_t keep_positions;
    uint32_t auto_all; /* the master switch */
    uint32_t rate_count;
    uint32_t limit_count;
    uint32_t logic;
    int64_t clock_skew_ns;
    int64_t evicted_ns;      /* newest fill id forgotten */
    uint32_t oldest, newest; /* orders by age */
    uint32_t fill_next;      /* ring position in fills */
    uint32_t started;
    uint8_t deployment[FACT_HASH_BYTES];  /* SHA-256 of the active one; zeros = none */
    int64_t run_until_ns;                 /* 0 = never, or it has come */
    uint32_t request_count, request_next; /* of the ring below */
    struct staged staged;
    struct core_totals totals;
    /* tables (memory of the block) */
    struct currency_row *currency;
    struct market_row *market;
    struct account_row *account;
    struct instance_row *instance;
    struct book_row *book;
    struct order_row *order;
    struct fill_row *fill;
    struct fact_limit *limit;
    struct fact_rate *rate;
    struct request_row *request; /* [REQUESTS_MAX] */
    struct fact_currency *staged_currency;
    struct fact_instrument *staged_instrument;
    struct fact_account *staged_account;
    struct staged_instance *staged_instance;
    struct fact_route *staged_route;
    struct fact_remove *staged_remove;
    struct fact_limit *staged_limit; /* DEPLOY swaps these two with the tables in force */
    struct fact_rate *staged_rate;
    /* derived, built again by restore */
    struct net_row *net;  /* [account][instrument] */
    uint16_t *book_of;    /* [strategy][instrument] -> book, 0 = none */
    uint16_t *first_book; /* [instrument]: its books by rising index, 0 = none */
    uint16_t *last_book;
    uint16_t *next_book;                        /* [book] */
    int64_t (*effective)[RISK_RULE_END];        /* per book */
    int64_t (*staged_effective)[RISK_RULE_END]; /* of the staged limits, once committed */
    uint32_t *tighter;                          /* per book: rules that the staged ones tighten */
    struct core_owned *owned;                   /* per instance: scratch of one DEPLOY */
    int64_t *scale;       /* per instrument: cost units in one of its settle currency; 0 = no
                                * whole number of 64 bits, or the contract is not linear */
    uint32_t *order_slot; /* open addressing: order index or CORE_NONE */
    uint32_t order_slots; /* power of two */
    uint32_t *fill_slot;
    uint32_t fill_slots;
    uint32_t live_oldest, live_newest;
    uint32_t live_count;
    uint32_t instance_count; /* the highest id in use */
    struct pool order_pool;
    uint32_t *order_free;
    int64_t deadline_ns;  /* lower bound of the earliest deadline */
    struct core_out *out; /* of the running step */
    uint64_t cause_seq;
    uint32_t leg; /* intents decided in this step */
};

static inline struct net_row *net_of(const struct core *c, uint32_t account, uint32_t instrument)
{
    return &c->net[account * (c->max.instruments + 1) + instrument];
}

static inline struct book_row *book_find(const struct core *c, uint32_t strategy,
                                         uint32_t instrument)
{
    if (strategy > c->max.instances || instrument > c->max.instruments)
        return NULL;
    uint16_t b = c->book_of[strategy * (c->max.instruments + 1) + instrument];
    return b ? &c->book[b] : NULL;
}

static inline uint32_t book_index(const struct core *c, const struct book_row *b)
{
    return (uint32_t)(b - c->book);
}

static inline bool is_terminal(uint8_t state)
{
    switch (state) {
#define X(id, name, terminal, reserved, text)                                                      \
    case id:                                                                                       \
        return terminal;
        ORDER_STATES(X)
#undef X
    default:
        return true;
    }
}

static inline bool is_reserved(uint8_t state)
{
    switch (state) {
#define X(id, name, terminal, reserved, text)                                                      \
    case id:                                                                                       \
        return reserved;
        ORDER_STATES(X)
#undef X
    default:
        return false;
    }
}

/* A deadline was set: the earliest may have come nearer. */
static inline void deadline_near(struct core *c, int64_t t_ns)
{
    if (t_ns < c->deadline_ns)
        c->deadline_ns = t_ns;
}

/* Room for one effect of this step, its header filled. The payload is the caller's to write, every
 * byte of it: what is journaled must not depend on what lay there before. */
static inline void *step_room(struct core *c, uint16_t type, uint32_t bytes)
{
    struct core_out *out = c->out;
    must(out != NULL && out->count < UINT16_MAX - 1);
    must(out->used + sizeof(struct fact_head) + bytes <= out->capacity);
    struct fact_head *head = (struct fact_head *)(void *)(out->bytes + out->used);
    *head = (struct fact_head){.bytes = bytes,
                               .seq = c->seq,
                               .t_ns = c->now_ns,
                               .cause_seq = c->cause_seq,
                               .type = type,
                               .version = 1,
                               .sub = (uint16_t)(out->count + 1)};
    out->used += (uint32_t)sizeof *head + bytes;
    out->count++;
    c->totals.effects++;
    return head + 1;
}
#define ROOM(c, NAME, payload)                                                                     \
    ((struct payload *)step_room((c), FACT_##NAME, sizeof(struct payload)))

/* The same with the payload zeroed. */
#define EFFECT(c, NAME, payload)                                                                   \
    ((struct payload *)memset(step_room((c), FACT_##NAME, sizeof(struct payload)), 0,              \
                              sizeof(struct payload)))

/* step.c */
void step_alert(struct core *c, uint32_t what, const struct book_row *b, uint64_t order, int64_t a,
                int64_t d);
void step_ignored(struct core *c, uint32_t why, uint32_t detail, uint64_t about);

/* The value in cost units when it and the instrument's scale fit 64 bits; else false: the long road
 * of money_value and money_settle. */
static inline bool money_quick(const struct core *c, const struct market_row *m, int64_t price,
                               int64_t qty, int64_t *value)
{
    return c->scale[m->def.id] != 0 && !__builtin_mul_overflow(price, qty, value) &&
           (m->def.multiplier == 1 || !__builtin_mul_overflow(*value, m->def.multiplier, value));
}

/* money.c */
int money_cost_exp(const struct core *c, const struct market_row *m);
MUST_USE struct result money_value(const struct core *c, const struct market_row *m, int64_t price,
                                   int64_t qty, num_i128 *out); /* at the cost exponent */
MUST_USE struct result money_settle(const struct core *c, const struct market_row *m, num_i128 v,
                                    enum num_round round, int64_t *out);
/* settle currency -> account currency; AGAIN when the rate is missing or old (age in *age_ns). */
MUST_USE struct result money_convert(const struct core *c, uint32_t from, uint32_t to,
                                     int64_t amount, int64_t *out, int64_t *age_ns);
/* account currency amount -> quantity at price, toward zero (not yet lots). */
MUST_USE struct result money_qty(const struct core *c, const struct market_row *m, uint32_t account,
                                 int64_t amount, int64_t price, int64_t *qty);
/* Equity of an account in its currency; unrealised by the newest marks. */
MUST_USE struct result money_equity(struct core *c, uint32_t account, int64_t *equity,
                                    int64_t *unrealised, int64_t *realised, int64_t *fees);
int64_t money_avg_price(const struct core *c, const struct book_row *b);
/* Greatest age the rate of a pair may have; 0 = same currency, a constant, or no rate. */
int64_t money_rate_age_max(const struct core *c, uint32_t from, uint32_t to);

/* market.c */
enum { MARKET_GOOD_COUNT = 20 };
void market_bar(struct core *c, const struct fact_bar *e);
void market_trade(struct core *c, const struct fact_trade *e);
void market_quote(struct core *c, const struct fact_quote *e);
void market_timers(struct core *c);
int64_t market_deadline(const struct core *c);
void market_session(struct core *c, const struct fact_session *e);

/* config.c: genesis to rate: tables filled by events. */
void config_event(struct core *c, const struct fact_head *head, const void *payload);
void config_derive(struct core *c);
/* May the row be taken, as things are and with what is staged before it? */
bool config_currency_ok(const struct core *c, const struct fact_currency *e);
bool config_instrument_ok(const struct core *c, const struct fact_instrument *e);
bool config_instrument_stays(const struct core *c, const struct fact_instrument *e);
bool config_account_ok(const struct core *c, const struct fact_account *e);
bool config_route_ok(const struct core *c, const struct fact_route *e);
bool config_rate_ok(const struct core *c, const struct fact_rate *e);
bool config_limit_ok(const struct core *c, const struct fact_limit *e);
/* Take it; each was asked before. */
void config_currency(struct core *c, const struct fact_currency *e);
void config_instrument(struct core *c, const struct fact_instrument *e);
void config_account(struct core *c, const struct fact_account *e);
void config_instance(struct core *c, const struct fact_instance *e);
void config_route(struct core *c, const struct fact_route *e);
/* The row's place among `count` by its key; count itself = it is new. */
uint32_t config_limit_place(const struct fact_limit *table, uint32_t count,
                            const struct fact_limit *e);
uint32_t config_rate_place(const struct fact_rate *table, uint32_t count,
                           const struct fact_rate *e);
uint32_t config_routes(const struct core *c);
/* Effective limits of a book under a table of limits. */
void config_effective(const struct core *c, const struct fact_limit *limit, uint32_t count,
                      uint32_t book, int64_t out[RISK_RULE_END]);
struct book_row *config_book(struct core *c, uint32_t strategy, uint32_t instrument,
                             uint32_t account);

/* mode.c */
static inline enum mode mode_effective(const struct core *c, const struct book_row *b)
{
    uint32_t m = c->mode;
    if (c->account[b->account].mode > m)
        m = c->account[b->account].mode;
    if (c->account[b->account].in_doubt && m < MODE_SAFE_START)
        m = MODE_SAFE_START;
    if (b->strategy != 0 && c->instance[b->strategy].mode > m)
        m = c->instance[b->strategy].mode;
    must(m > MODE_UNSET && m < MODE_END);
    return (enum mode)m;
}
static inline bool mode_is_auto(const struct core *c, uint32_t strategy) /* 1.. */
{
    return c->auto_all != 0 && strategy <= c->max.instances && c->instance[strategy].auto_on != 0;
}
bool mode_allows(enum mode m, bool reducing, uint32_t origin);
void mode_command(struct core *c, const struct fact_mode *e);
void mode_auto(struct core *c, const struct fact_auto *e);
void mode_start(struct core *c);
/* An account was reconciled with its venue, or the way to it is lost. */
void mode_sync(struct core *c, const struct fact_sync *e);
void mode_clean(struct core *c);
void mode_set(struct core *c, enum mode_scope scope, uint32_t id, enum mode to, uint32_t why);

void mode_request(struct core *c, const struct fact_request *e);
void mode_timers(struct core *c);
int64_t mode_deadline(const struct core *c);
void mode_deployed(struct core *c, int64_t run_until_ns);

/* staged.c: what waits for its DEPLOY */
void staged_stage(struct core *c, const struct fact_stage *e);
/* A row that belongs to the stage: true when it was taken care of (held or refused). */
bool staged_row(struct core *c, const struct fact_head *head, const void *payload);
void staged_forget(struct core *c);
void staged_derive(struct core *c);
void staged_book(struct core *c, uint32_t book); /* was born while a committed stage waits */
bool staged_has_currency(const struct core *c, uint32_t id);
bool staged_has_instrument(const struct core *c, uint32_t id);
bool staged_has_account(const struct core *c, uint32_t id);
bool staged_has_instance(const struct core *c, uint32_t id);
/* What goes with a book, by the narrower row; NULL = it stays. */
const struct fact_remove *staged_removal(const struct core *c, uint32_t strategy,
                                         uint32_t instrument);
/* The staged route, with instrument 0 any of the strategy; NULL = none. */
const struct fact_route *staged_route(const struct core *c, uint32_t strategy, uint32_t instrument);
/* Takes rows that lie in the tables already, `to` of them, one by one: the counts a snapshot gave.
 * NULL = they all fit, else the rule that does not hold. */
const char *staged_restore(struct core *c, const struct staged *to);

/* flip.c: DEPLOY, and who is accepted */
void flip_deploy(struct core *c, const struct fact_deploy *e);
bool flip_accepts_slow(const struct core *c, uint32_t instance, uint64_t generation,
                       uint64_t cause_seq);
/* Is a signal of this build accepted? By the event that caused it (DECISIONS 30). */
static inline bool flip_accepts(const struct core *c, uint32_t instance, uint64_t generation,
                                uint64_t cause_seq)
{
    if (instance > c->max.instances)
        return generation == 0; /* nobody: the plan says so */
    const struct instance_row *r = &c->instance[instance];
    if (r->reign[0].generation == generation &&
        (r->reign[0].since_seq == 0 || cause_seq > r->reign[0].since_seq))
        return true;
    return flip_accepts_slow(c, instance, generation, cause_seq);
}
/* A build's reign begins after this event. */
void flip_reign(struct core *c, struct instance_row *r, uint64_t generation);

/* plan.c: signal -> intents */
void plan_signal(struct core *c, const struct fact_signal *s);
void plan_ended(struct core *c, struct book_row *b);
void plan_filled(struct core *c, struct book_row *b);
void plan_flatten(struct core *c, struct book_row *b, uint32_t origin);
/* The book's route is gone: what it holds is closed. Or it is there again. */
void plan_leave(struct core *c, struct book_row *b);
void plan_return(struct book_row *b);
/* A close that runs goes on at the book that took the position. */
void plan_hand_over(struct book_row *from, struct book_row *to);
/* A kill no longer holds for the book. */
void plan_spare(struct core *c, struct book_row *b);
void plan_timers(struct core *c);
int64_t plan_deadline(const struct core *c);

/* risk.c: the gate */
struct risk_ask {
    struct book_row *book;
    struct market_row *market;
    uint64_t intent;
    uint64_t signal_seq;
    int64_t qty, price, reference;
    int64_t ttl_ns;
    uint32_t side, origin, tif, leg;
    bool reducing;
};
/* Decides; writes the DECISION effect; gives the granted quantity, 0 = denied. */
int64_t risk_decide(struct core *c, const struct risk_ask *ask);
/* A signal for what the strategy has no route to: a denial without a book. */
void risk_no_route(struct core *c, const struct fact_signal *s);
/* A signal that no quantity can be made of: a denial that names the missing price or rate. */
void risk_unsized(struct core *c, const struct book_row *b, const struct fact_signal *s);
void risk_message(struct core *c, struct account_row *a);
/* Rules that what is held can exceed, as bits 1 << (id - 1); and does it, by one of `rules`? */
#define RISK_HELD_RULES                                                                            \
    (1u << (RISK_POSITION - 1) | 1u << (RISK_EXPOSURE - 1) | 1u << (RISK_LEVERAGE - 1))
bool risk_exceeds(struct core *c, struct book_row *b, uint32_t rules);

/* In functions that give the rule that does not hold, in words, and NULL when all hold. */
#define RULE(x)                                                                                    \
    do {                                                                                           \
        if (!(x))                                                                                  \
            return #x;                                                                             \
    } while (0)

/* view.c: the invariant that does not hold, in words; NULL = all hold. */
const char *core_broken(const struct core *c);

/* snap_check.c: may the tables just read be used as indices and figures? NULL = yes. */
const char *snap_broken(const struct core *c, uint32_t markets);

/* oms.c */
void oms_place(struct core *c, const struct risk_ask *ask);
void oms_sent(struct core *c, const struct fact_sent *e);
void oms_exec(struct core *c, const struct fact_exec *e);
void oms_found(struct core *c, const struct fact_found *e);
bool oms_cancel(struct core *c, struct order_row *o, uint32_t why);
static inline bool oms_has_room(const struct core *c)
{
    return c->live_count < c->max.orders;
}
void oms_cancel_book(struct core *c, struct book_row *b, uint32_t why, bool opening_only);
void oms_timers(struct core *c);
void oms_start(struct core *c);
/* LOST: what was on its way is UNKNOWN, nothing counts as found. AGAIN: nothing of what lives does.
 * WHOLE: what was not found since is asked for. */
void oms_sync(struct core *c, uint32_t account, uint32_t phase);
int64_t oms_deadline(const struct core *c);
struct order_row *oms_order(const struct core *c, uint64_t id);
static inline bool oms_seen(const struct core *c, uint64_t id)
{
    /* Ids rise with age, so what is beyond the newest need not be looked for. */
    return c->newest != CORE_NONE && id <= c->order[c->newest].id && oms_order(c, id) != NULL;
}
void oms_derive(struct core *c);
/* Every order of a book belongs to another one from now on. */
void oms_hand_over(struct core *c, struct book_row *from, struct book_row *to);
extern const struct fsm oms_fsm;
/* oms.c, for oms_answers.c: moves an order by the table, keeps lists, sums and totals right, and
 * says what kind of cell it was. `cum` is the filled quantity after the event. */
enum fsm_kind oms_move(struct core *c, struct order_row *o, enum order_event event, int64_t cum);
void oms_cancel_again(struct core *c, struct order_row *o);
void oms_check_at(struct core *c, struct order_row *o, int64_t t_ns);

/* fills.c: trade ids remembered */
bool fills_known(const struct core *c, uint32_t account, uint32_t instrument, uint64_t trade_id);
void fills_add(struct core *c, uint32_t account, uint32_t instrument, uint64_t trade_id);
void fills_derive(struct core *c);
bool fills_repeat(const struct core *c); /* one key stands twice */

/* pos.c */
void pos_fill(struct core *c, struct book_row *b, uint32_t side, int64_t qty, int64_t price,
              int64_t fee, uint64_t order, uint64_t trade_id);

/* Position and cost go to another book of the same instrument and account. */
void pos_hand_over(struct core *c, struct book_row *from, struct book_row *to);

/* stops.c */
void stops_hand_over(struct core *c, struct book_row *from, struct book_row *to);
void stops_after_fill(struct core *c, struct book_row *b, int64_t before);
void stops_signal(struct core *c, struct book_row *b, int64_t distance);
void stops_market(struct core *c, uint32_t instrument, int64_t low, int64_t high);
#endif
