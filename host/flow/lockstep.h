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
#include "base/clock.h"
#include "core/step.h"
#include "deploy/deploy.h"
#include "flow/feed.h"
#include "flow/plant.h"
#include "journal/journal.h"

struct lockstep_options {
    const struct deploy_doc *doc; /* borrowed until close; NULL: no deployment, only commands */
    enum fact_run kind;
    const char *plugin_dir;
    const char *data_path;   /* NULL: the seeded generator `synth` */
    const char *journal_dir; /* NULL: memory (backtest) */
    const char *heads_dir;
    const char *ledger_path; /* folder for the simulated venues' ledgers, one per account and
                              * epoch; NULL = none */
    uint64_t seed;           /* 0: the deployment's */
    uint32_t faults_per_day; /* of the generator, per instrument: silence, crossed, frozen */
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
#endif
