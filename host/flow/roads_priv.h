/* SPDX-License-Identifier: Apache-2.0
 *
 * The inside of the roads, shared by roads.c (effects, holds, questions), roads_begin.c (attaching
 * and adapters) and roads_in.c (what comes back). Nobody else includes it.
 */
#ifndef FLOW_ROADS_PRIV_H
#define FLOW_ROADS_PRIV_H
#include "base/must.h"
#include "flow/roads.h"

enum {
    ROADS_MARKET = 16384,
    ROADS_OPEN = 16384, /* approvals without an answer */
    /* Answers that are held. A bay that floods fills its own part, and then its line; egress goes
     * on to be read; and whatever is lost, each open approval finds room for its end. */
    ROADS_SAID = 8192,
    ROADS_WORDS = ROADS_SAID + 8192,
    ROADS_ANSWERS = ROADS_WORDS + 3 * ROADS_OPEN,
    ROADS_BUFFER = 16 * 1024,
    ROADS_BATCH = 512, /* messages of one line in one look */
    ROADS_DEATHS = 3,
    ROADS_WAIT_MS = 100, /* an attempt to attach again holds the engine no longer */
    TRIP_BUCKETS = 64 * 16,
    ROADS_SPARE = 1024, /* market data of a second session: the newest */
    STRAYS = 0xff,      /* cancels of the roads' own, behind an event's effects */
    STRAY_SUB = 0xff00,
    LATE_SAID = 8,
    ROADS_LOGS = 32, /* lines of one adapter in a second */
};
#define ROADS_SLOW_NS 10000000000ll
#define ROADS_AGAIN_NS 200000000ll
#define ROADS_DEATHS_NS 600000000000ll

/* Answers at one time: attempts first, as in the engine's own home. */
enum roads_rank { RANK_UNSET = 0, RANK_CONTROL, RANK_SENT, RANK_EXEC, RANK_SYNC };

struct roads_approval {
    uint64_t approval, order;
    int64_t t_ns, mono_ns;
    uint32_t account, attempt, class_of;
    bool is_done;
};
struct roads_epoch {
    uint64_t seq, epoch;
};
struct roads_trip { /* durations, by their highest bits */
    uint64_t count;
    uint32_t bucket[TRIP_BUCKETS];
};

struct roads_account {
    bool is_used;
    bool in_doubt; /* as the core was told, */
    bool is_again; /* and that a reconciliation began although there was no doubt */
    bool is_flattening;
    bool is_off; /* its adapter ended too often */
    struct road_names names;
    int64_t latency_ns;
    const struct deploy_adapter *adapter;
    char name[FACT_NAME_BYTES];
    const struct bay_module *module;
    const struct tn_adapter_facts *facts;
    struct line_adapter spec;
    struct road_agent bay, second;
    char cursor[64]; /* of the newest whole reconciliation in the journal */
    int64_t died_ns[ROADS_DEATHS];
    uint32_t deaths;
    int64_t again_ns;                          /* monotonic: when it may be started again */
    int64_t given_ns[LINE_INSTRUMENTS_MAX][3]; /* of the newest bar, trade, quote that was used */
    struct line_event *spare; /* a second session's market data; NULL while there is none */
    uint32_t spare_count, spare_taken;
    int64_t logs_ns; /* monotonic: since when its lines are counted */
    uint32_t logs;
};

struct roads {
    struct roads_options o;
    struct roads_setup setup;
    struct road_link link;
    bool is_begun, is_attached, was_attached;
    int64_t again_ns;
    struct road_hold answers, market;
    struct roads_account account[DEPLOY_ACCOUNTS_MAX]; /* by id - 1 */
    struct roads_approval *open;                       /* ring, numbers rising */
    uint32_t open_first, open_count, open_live;
    int64_t quiet_ns;          /* when the answers to all that went out have come, in script time */
    struct roads_epoch *epoch; /* of the journal, rising; grows before the run begins */
    uint32_t epoch_count, epoch_room;
    uint64_t stray_seq;
    uint32_t stray_count;
    struct roads_totals totals;
    struct roads_trip trip, feed;
    uint8_t *buffer;
};

/* roads.c */
void roads_hold(struct roads *r, int64_t due_ns, enum roads_rank rank, uint32_t account,
                uint64_t tie, uint64_t cause_seq, uint16_t type, const void *payload);
void roads_hold_sent(struct roads *r, const struct roads_approval *a, uint32_t what,
                     uint32_t reason);
/* The epoch whose client ids an order's attempts bear: that of the event that made it. */
uint64_t roads_epoch(const struct roads *r, uint64_t order);
/* Is it from before the first epoch that the journal still names? */
bool roads_is_pruned(const struct roads *r, uint64_t order);
bool roads_has_room(const struct roads *r); /* for what bays say */
struct roads_approval *roads_find(struct roads *r, uint64_t approval);
void roads_done(struct roads *r, struct roads_approval *a);
void roads_trip(struct roads_trip *t, int64_t ns);
/* Script time: wall time left until this is due; below zero it is late. */
int64_t roads_room(const struct roads *r, int64_t due_ns, int64_t mono_ns);
void roads_doubt(struct roads *r, struct roads_account *a, uint32_t phase, const char *text,
                 const struct line_sync *s);
/* roads_begin.c */
void roads_cursor(struct roads *r, const struct fact_sync *e);
struct result roads_attach(struct roads *r, int wait_ms, struct trail *tr);
void roads_lost(struct roads *r, const char *why);
void roads_mend(struct roads *r); /* what is gone is looked for again, when its time has come */
void roads_bay_gone(struct roads *r, struct roads_account *a);
struct result roads_start_bay(struct roads *r, struct roads_account *a, bool is_second,
                              struct trail *tr);
/* roads_swap.c */
void roads_given(struct roads_account *a, const struct tn_event *e); /* it was used */
void roads_spare(struct roads_account *a, const struct line_event *m);
/* One after the other: what the first session did not give. */
bool roads_spare_next(struct roads_account *a, struct line_event *out);
void roads_spare_end(struct roads_account *a);
bool roads_take_over(struct roads *r, struct roads_account *a);
void roads_second_end(struct roads *r, struct roads_account *a); /* the first one stays */
#endif
