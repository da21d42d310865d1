/* SPDX-License-Identifier: Apache-2.0
 *
 * A rig around the desk: an engine's line, a bay that writes templates by hand, and a small venue
 * behind an in-memory network. The bay can be told to be wrong in every way that matters; the rig
 * can end the process at the n-th store to the witness and begin a new one over what was left.
 */
#ifndef TESTS_DESK_RIG_H
#define TESTS_DESK_RIG_H
#include "base/clock.h"
#include "egress/desk.h"
#include "tenon/strategy.h"

enum {
    RIG_ACCOUNT = 7,
    RIG_BTC = 11,
    RIG_ETH = 12,
    RIG_HTTP = 1,
    RIG_WS = 2,
    RIG_SAID_MAX = 8192,
    RIG_SENT_MAX = 4096,
    RIG_TEXT_BYTES = 1024,
    RIG_ORDERS_MAX = 1024,
};
#define RIG_MS 1000000ll

enum rig_lie { /* what the bay does wrong with the next templates */
               RIG_HONEST = 0,
               RIG_MORE,       /* ten times the quantity */
               RIG_LESS_PRICE, /* another price */
               RIG_OTHER_SYMBOL,
               RIG_OTHER_SIDE,
               RIG_LEVERAGE,     /* a leverage that the row names with another value */
               RIG_UNNAMED,      /* one field more */
               RIG_UNNAMED_HEAD, /* one head line more */
               RIG_TWICE,        /* the same key twice */
               RIG_ESCAPED,      /* a key with an escape */
               RIG_NOT_REDUCING,
               RIG_OTHER_ID,
               RIG_OTHER_TIME,
               RIG_NO_ID,
               RIG_LIST, /* two orders in one message */
               RIG_LEAK, /* the secret as the client id */
               RIG_OTHER_PATH,
               RIG_OTHER_METHOD,
               RIG_FREE_WEIGHT, /* a budget that nobody signed */
               RIG_OTHER_CLASS,
               RIG_SILENT,  /* no template at all */
               RIG_REFUSES, /* says that it will not */
               RIG_LIES,
};
struct rig_said { /* to the engine */
    uint32_t kind, count;
    union {
        struct road_sent sent;
        struct road_open open;
        struct road_attached attached;
        struct road_alarm alarm;
        struct road_flat flat;
        struct road_kill kill;
        struct road_net net;
    };
};
struct rig_sent { /* to the network */
    struct desk_message m;
    char text[RIG_TEXT_BYTES];
    bool is_replied, is_written;
};
struct rig_order { /* as the venue has it */
    char client_id[ROAD_CLIENT_ID_BYTES];
    char symbol[16];
    int64_t qty; /* signed thousandths */
    bool works, reduces;
    uint32_t times; /* how often it came */
};
struct rig {
    struct desk *d;
    void *memory;
    struct witness *w;
    uint64_t boot, epoch, k, request;
    int64_t now;
    uint32_t client_id, weight; /* of the facts: rule and budget, at the next rig_attach */
    int64_t per_ns;
    uint32_t heavy;       /* weight of the bay's templates; 0 = 1 */
    const char *endpoint; /* as it is signed, at the next rig_attach; NULL = port 1 */
    bool core_full, bay_full, net_gone, dead;
    uint32_t stores, die_at; /* stores to the witness; 0 = lives */
    struct witness *left;    /* the witness as it was then */
    enum rig_lie lie;
    struct rng *damage; /* one to three bytes of each template are changed by it */
    bool no_cancel_all; /* the next bay hands over none */
    bool is_late;       /* the bay writes nothing until rig_answer */
    /* what was heard */
    struct rig_said *said;
    uint32_t said_count;
    struct tn_approval asked[RIG_ORDERS_MAX];
    uint32_t asked_count, answered_count, in_count;
    struct tn_approval old[RIG_ORDERS_MAX]; /* a test's own: of a life before */
    uint32_t old_count;
    bool power_lost;
    struct line_in in;
    char in_text[RIG_TEXT_BYTES];
    uint32_t opened, closed;
    char opened_at[256]; /* the last one: endpoint and path */
    struct rig_sent *sent;
    uint32_t sent_count;
    /* the venue: outlives every crash */
    struct rig_order order[RIG_ORDERS_MAX];
    uint32_t order_count;
    int64_t position[2]; /* thousandths: BTC-USD, ETH-USD */
    bool ignores_cancels, ignores_closes, refuses_cancels;
    const char *positions_text; /* instead of its own reply */
    uint32_t status;            /* of each reply; 0 = 200 */
    int32_t retry_s;
};

/* A desk with one account, its engine attached, its bay and links up, stored templates handed over.
 */
void desk_rig_start(struct rig *r, uint64_t boot);
void desk_rig_stop(struct rig *r);
/* A desk over the witness as it is (or as it was at the crash), nothing else; the venue stays. */
void desk_rig_boot(struct rig *r);
void desk_rig_attach(struct rig *r, uint64_t epoch); /* hello, facts, READY */
void desk_rig_facts(struct rig *r);
void desk_rig_bay(struct rig *r);       /* bay up, links, stored templates */
void desk_rig_stored_ws(struct rig *r); /* positions, asked where no reply can be told apart */
void desk_rig_stored(struct rig *r, uint32_t class_of, bool by_id);
/* An approval; gives its number. The record is durable when rig_durable says so. */
uint64_t desk_rig_order(struct rig *r, uint32_t instrument, uint32_t side, int64_t qty,
                        bool reduces);
uint64_t desk_rig_cancel(struct rig *r, uint64_t order);
uint64_t desk_rig_query(struct rig *r, uint64_t order);
/* What was heard up to now is of no more interest. */
void desk_rig_forget(struct rig *r);
void desk_rig_durable(struct rig *r);
/* The bay answers all approvals it was asked since, in its way. */
void desk_rig_answer(struct rig *r);
/* One message of the bay. */
void desk_rig_template(struct rig *r, const struct tn_approval *a, enum rig_lie lie);
void desk_rig_pass(struct rig *r, uint32_t class_of, uint32_t link, const char *path,
                   const char *body);
/* The venue takes what was sent and replies to it. */
void desk_rig_venue(struct rig *r);
void desk_rig_net(struct rig *r, uint32_t what, uint32_t link, uint64_t ticket);
/* Time goes on by steps to each deadline; the venue replies in between. */
void desk_rig_run(struct rig *r, int64_t ns);
void desk_rig_kill(struct rig *r, bool keep_positions);
/* What was said of approval k: its SENT, or NULL; *times says how often. */
const struct road_sent *desk_rig_sent_of(const struct rig *r, uint64_t k, uint32_t *times);
uint32_t desk_rig_alarms(const struct rig *r, uint32_t what);
const struct rig_sent *desk_rig_last(const struct rig *r);
struct rig_order *desk_rig_order_of(struct rig *r, const char *client_id);
#endif
