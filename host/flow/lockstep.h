/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine in lock-step: sequencer, core, belief and the simulated venue take turns on one
 * thread; the journal and the gateway have their own (decision note 0001). One engine serves paper
 * and backtest: they differ in who keeps the records.
 *
 *   market, ticks, venue answers, due answers, commands
 *        └─► number ─► core step ─► journal ─► carry effects to the venue ─► belief ─► answers held
 *
 * Each turn takes exactly one event, the earliest of what is present; at equal times commands come
 * first, then due answers, venue answers, ticks, market data. In paper each event is a record and
 * an order leaves for the venue only when its record is durable. In a backtest nothing is stored
 * but one DATASET fact, and the effects are hashed.
 *
 * One thread. Memory is taken at open; a turn allocates nothing, but for a snapshot or a look-up.
 */
#ifndef FLOW_LOCKSTEP_H
#define FLOW_LOCKSTEP_H
#include "base/bundle.h"
#include "base/clock.h"
#include "core/step.h"
#include "deploy/deploy.h"
#include "flow/feed.h"
#include "flow/plant.h"
#include "flow/roads.h"
#include "journal/journal.h"

struct lockstep_options {
    enum fact_run kind;
    /* BACKTEST: the deployment, borrowed until close. */
    const struct deploy_doc *doc;
    /* PAPER, a journal that is empty: the first signed deployment and trust document, borrowed
     * while it opens; NULL: a host without a deployment, which only obeys commands. A journal that
     * holds a run goes on under what it says itself. */
    const struct bundle *first, *trust;
    const char *by; /* who started it, for the records; NULL = "host" */
    /* ... and this, unless NULL, must be its active deployment or what its first was made from. */
    const uint8_t *given_sha256;
    const char *given_name;
    bool hold; /* event time stands still while a promotion is prepared: as fast as it can go */
    void (*wake)(void *arg); /* called on another thread when there is something to be done */
    void *wake_arg;
    struct process_home *home; /* where `bay: process` runs; NULL: inline. Outlives the engine */
    const char *plugin_dir;
    const char *data_path;   /* NULL: the seeded generator `synth` */
    const char *journal_dir; /* NULL: memory (backtest) */
    const char *heads_dir;
    const char *ledger_path; /* folder for the simulated venues' ledgers, one per account and
                              * epoch; NULL = none */
    uint64_t seed;           /* 0: the deployment's */
    uint32_t faults_per_day; /* of the generator, per instrument: silence, crossed, frozen */
    const struct roads_options *roads; /* for accounts via egress; NULL = there are none */
    struct log *log;
    const struct clock *clock;
};

enum { LOCKSTEP_REFUSED_MAX = 3 };

struct lockstep; /* heap */

MUST_USE struct result lockstep_open(const struct lockstep_options *o, struct lockstep **out,
                                     struct trail *tr);

/* Time of the event the next turn would take; INT64_MAX when nothing is left. */
MUST_USE struct result lockstep_next(struct lockstep *l, int64_t *t_ns, struct trail *tr);
/* Takes it. END when the source has ended and nothing is due; AGAIN when the journal has no room
 * (disk full): nothing was taken, commands still are. */
MUST_USE struct result lockstep_turn(struct lockstep *l, struct trail *tr);
/* One command, numbered now: AUTO, MODE or BALANCE. */
MUST_USE struct result lockstep_command(struct lockstep *l, uint16_t type, const void *payload,
                                        struct trail *tr);
/* No market event after this time is taken: the run drains and ends. INT64_MAX = none. */
void lockstep_until(struct lockstep *l, int64_t t_ns);

/* ---- promotion ---- */
enum { LOCKSTEP_LINE_BYTES = 256 };
struct lockstep_answer { /* to a person who waits */
    uint64_t request;
    int32_t exit; /* 0, or an exit code */
    char text[TRAIL_TEXT_BYTES];
};
/* Hands a signed file over (enum promoter_kind); the bundle is taken. It is answered later, by
 * lockstep_answer; a failure here is the answer. */
MUST_USE struct result lockstep_hand_over(struct lockstep *l, uint32_t kind, struct bundle *b,
                                          const char *by, uint64_t request, struct trail *tr);
/* Back to the deployment before the active one. Answered like the other. */
MUST_USE struct result lockstep_rollback(struct lockstep *l, const char *by, const char *reason,
                                         uint64_t request, struct trail *tr);
bool lockstep_take_answer(struct lockstep *l, struct lockstep_answer *out);
/* Takes in what came over the roads. Cheap when nothing did; before lockstep_next. */
void lockstep_receive(struct lockstep *l);
/* Before and after a sleep of the host: adds what to wake for to `out` (ROADS_POLL_MAX at most).
 * False: there is something already. */
bool lockstep_sleep(struct lockstep *l, struct pollfd *out, uint32_t *count);
void lockstep_awake(struct lockstep *l);
/* Before a stop on purpose: egress is asked to flatten, or told that orders stay. */
void lockstep_flatten(struct lockstep *l);
bool lockstep_flattens(const struct lockstep *l);
void lockstep_leave(struct lockstep *l, bool keep);
/* The source has ended and nothing is left to come. */
bool lockstep_is_over(const struct lockstep *l);
/* Does what a promotion needs between two events; for a host that waits for the market. */
MUST_USE struct result lockstep_service(struct lockstep *l, struct trail *tr);
/* Event time stands still: only commands and lockstep_service. */
bool lockstep_holds(const struct lockstep *l);
struct lockstep_promotion {         /* for status */
    uint64_t serial, before_serial; /* active, and what a rollback would bring back; 0 = nothing */
    uint8_t sha256[FACT_HASH_BYTES];
    char name[FACT_TEXT_BYTES];
    uint32_t state; /* enum promotion_state of the active one */
    int64_t probation_until_ns;
    uint64_t next_serial;
    uint32_t next_state;
    int64_t next_until_ns;
    uint8_t next_sha256[FACT_HASH_BYTES];
    uint8_t refused_sha256[FACT_HASH_BYTES]; /* the newest one that ended before its flip */
    int32_t refused_result;                  /* enum result_code; 0 = none did since the start */
    uint64_t trust_version;
    bool is_throwaway;
    bool is_busy;  /* one is on its way, or a rollback is about to begin */
    uint64_t said; /* lines so far; the newest 8 can be asked for */
};
void lockstep_promotion(const struct lockstep *l, struct lockstep_promotion *out);
/* Wall time by step of the newest promotion that was flipped, while it is on probation. */
struct lockstep_took {
    int64_t vet_ns, load_ns, warm_ns, catch_up_ns;
};
void lockstep_took(const struct lockstep *l, struct lockstep_took *out);
/* Line `number` (1..said) in words; false when it is too old. */
bool lockstep_line(const struct lockstep *l, uint64_t number, char out[LOCKSTEP_LINE_BYTES]);
/* The active deployment; NULL: none. Stays until the next flip. */
const struct deploy_doc *lockstep_doc(const struct lockstep *l);
const struct stage_ids *lockstep_ids(const struct lockstep *l); /* its ids in the core */
/* Does any account of the document go via egress? Does this one of the active deployment? */
bool lockstep_via_egress(const struct deploy_doc *d);
bool lockstep_goes_out(const struct lockstep *l, uint32_t account);

/* Cold, between turns: lets plugins' log lines out. */
void lockstep_idle(struct lockstep *l);

/* What a run was, at its end or on the way. */
struct lockstep_report {
    struct core_totals totals;
    struct feed_totals feed;
    uint64_t events, last_seq, epoch, market_events;
    int64_t first_ns, last_ns;            /* market time */
    uint64_t late;                        /* answers that came after their time */
    uint64_t orders_before, fills_before; /* of the totals: from epochs before this one */
    uint64_t venue_orders, venue_fills;   /* of this epoch, by the simulated venues */
    bool in_flight;                       /* a venue still has an answer on its way to us */
    bool has_roads;                       /* accounts go via egress: their venue keeps its books */
    struct roads_totals roads;
    uint64_t effects_bytes;
    uint8_t effects_sha256[FACT_HASH_BYTES]; /* backtest: of all effects */
    uint8_t head[FACT_HASH_BYTES];           /* journal chain, after close */
    uint32_t positions_left, orders_left;
    uint32_t quarantined;         /* bays */
    struct fact_plugin fault;     /* of the first one */
    char doubt[TRAIL_TEXT_BYTES]; /* what the journal lacked at start; empty = nothing */
    uint32_t refused_count;       /* of refused: the first few reports of unused rows */
    struct fact_rows refused[LOCKSTEP_REFUSED_MAX];
    struct fact_dataset dataset; /* name empty: no file was read */
};
void lockstep_report(struct lockstep *l, struct lockstep_report *out);

/* Ends the run: STOP, journal closed. The engine answers questions until _free. */
MUST_USE struct result lockstep_stop(struct lockstep *l, struct lockstep_report *out,
                                     struct trail *tr);
void lockstep_free(struct lockstep *l);

/* Questions for status and summaries. */
const struct core *lockstep_core(const struct lockstep *l);
const struct plant *lockstep_plant(const struct lockstep *l);
const struct journal *lockstep_journal(const struct lockstep *l); /* NULL in memory */
int64_t lockstep_now(const struct lockstep *l);
uint64_t lockstep_epoch(const struct lockstep *l);
#endif
