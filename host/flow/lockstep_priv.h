/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine's parts, shared by lockstep.c (turns), lockstep_open.c (building, ending), recover.c
 * (going on where a journal ends) and carry.c (effects). Internal to host/flow.
 */
#ifndef FLOW_LOCKSTEP_PRIV_H
#define FLOW_LOCKSTEP_PRIV_H
#include "base/arena.h"
#include "base/hash.h"
#include "base/must.h"
#include "core/seq.h"
#include "flow/lockstep.h"
#include "flow/registry.h"
#include "flow/swap.h"
#include "venue/venue.h"
#include <stdio.h>

enum { CARRY_PENDING_MAX = 8192 }; /* SENT answers of one step: a kill cancels every order */

struct carry_pending { /* answers of the engine itself: SENT, FOUND */
    uint16_t type;
    uint64_t cause_seq;
    union {
        struct fact_sent sent;
        struct fact_found found;
    } u;
};

struct lockstep {
    uint32_t magic;
    struct lockstep_options o;
    struct core *core;
    struct seq seq;
    struct plant plant;
    struct bay *bay[BELIEF_BAYS_MAX]; /* every one that is heard */
    uint32_t bay_count;
    const struct deploy_doc *doc;        /* active; NULL = none */
    struct deploy_doc *own_doc;          /* the same when it is ours to free */
    const struct deploy_doc *source_doc; /* the first one: what the source was opened with */
    struct vet_verdict *first;           /* of the first deployment, until its facts are said */
    struct stage_ids ids;                /* of doc */
    struct registry *registry; /* what the journal says of deployments; NULL in a backtest */
    struct trust trust;
    struct swap swap;
    bool bars_from_trades;              /* what the source gives */
    struct roads *roads;                /* accounts via egress; NULL = none can be */
    bool is_fed_by_roads;               /* market data come from their adapters, not from a feed */
    const struct deploy_doc *roads_doc; /* as the roads know it */
    uint32_t last_class;                /* of the newest event */
    struct feed *feed;
    struct bay_module *source_module;
    struct venue *venue[DEPLOY_ACCOUNTS_MAX]; /* by account id - 1; NULL = none */
    struct arena arena;                       /* core, step buffer */
    struct arena venues;
    uint8_t *step_bytes; /* event record, then effects */
    struct core_out out;
    struct journal *journal; /* NULL in a backtest */
    struct journal_found found;
    struct hash_sha256 *effects_hash; /* backtest */
    FILE *ledger[DEPLOY_ACCOUNTS_MAX];
    /* the source's next event */
    struct fact_view market;
    bool has_market, market_shown, source_ended;
    uint64_t skip; /* market events that a recovered journal already holds */
    struct journal_store *past_store;
    struct journal_reader *past; /* the recovered journal, read along with the source; or NULL */
    uint64_t past_line;          /* of the last row report in it */
    int64_t until_ns;
    /* answers of the engine to the core */
    struct carry_pending pending[CARRY_PENDING_MAX];
    uint32_t pending_head, pending_count;
    /* what is next */
    uint32_t next_kind;
    int64_t next_ns;
    uint64_t snapshot_seq; /* of the last snapshot */
    struct lockstep_report report;
    bool stopped;
};

/* recover.c: replays the journal into the core, and opens its past. */
MUST_USE struct result recover_run(struct lockstep *l, struct trail *tr);
/* l->market against the next market record of the past. */
MUST_USE struct result recover_match(struct lockstep *l, struct trail *tr);
/* The source has ended: not before the journal did? */
MUST_USE struct result recover_end(const struct lockstep *l, struct trail *tr);
void recover_close(struct lockstep *l);
/* Without a source that can be read again: the journal's own market events are the history, and
 * the roads are told its epochs and trades. */
MUST_USE struct result recover_warm(struct lockstep *l, struct trail *tr);

/* carry.c: hands the effects of the last step to the venue and to belief. */
MUST_USE struct result carry_effects(struct lockstep *l, struct trail *tr);
void carry_take(struct lockstep *l, struct carry_pending *out);

/* What an event has beside its payload. */
struct lockstep_mark {
    uint64_t cause_seq;
    uint32_t source, generation;
};
/* lockstep.c: numbers one event, steps, records, carries, collects answers. */
MUST_USE struct result lockstep_event(struct lockstep *l, uint16_t type, const void *payload,
                                      int64_t t_ns, struct lockstep_mark mark, struct trail *tr);
/* The engine's own word, at the last event's time; what is due goes before it. */
MUST_USE struct result lockstep_say(struct lockstep *l, uint16_t type, uint32_t generation,
                                    const void *payload, struct trail *tr);
/* Numbers every held answer that is due. */
MUST_USE struct result lockstep_answers_due(struct lockstep *l, struct trail *tr);
/* Tells a build the host's truth about its position, unless it is flat. */
void lockstep_tell_position(struct lockstep *l, uint32_t strategy, uint32_t generation);

/* genesis.c: the first facts of a journal, of an epoch, and of a deployment. */
MUST_USE struct result genesis_begin(struct lockstep *l, struct trail *tr);
MUST_USE struct result genesis_dataset(struct lockstep *l, uint64_t rows, struct trail *tr);
MUST_USE struct result genesis_plugins(struct lockstep *l, uint32_t what, struct trail *tr);
/* The document that this run has or goes on under: l->doc, l->trust. Before sources are opened. */
MUST_USE struct result genesis_document(struct lockstep *l, struct trail *tr);
/* Reads l->trust again from the journal's newest trust document. */
MUST_USE struct result genesis_trust(struct lockstep *l, struct trail *tr);
/* A document of the journal by its hash; heap. */
MUST_USE struct result genesis_parse(const struct lockstep *l, const uint8_t sha256[32],
                                     struct deploy_doc **out, struct trail *tr);
/* The builds of it as bays behind one belief, and those kept ready while it is on probation. */
MUST_USE struct result genesis_plant(struct lockstep *l, struct trail *tr);
/* left.c: the orders and positions that go via egress and outlive the host, one record each; gives
 * their number. */
MUST_USE struct result left_say(struct lockstep *l, uint32_t *count, struct trail *tr);
/* Stores the state between two events and says so; the journal is caught up with first. */
MUST_USE struct result lockstep_snapshot(struct lockstep *l, struct trail *tr);
/* Attaches to egress under this epoch, and starts the adapters; or serves them in the engine. */
MUST_USE struct result lockstep_begin_roads(struct lockstep *l, struct trail *tr);
/* Market time of now where it follows a clock; INT64_MIN where it follows the source. */
int64_t lockstep_clock(const struct lockstep *l);
/* Reads the next fact of the source into l->market. */
MUST_USE struct result lockstep_fetch(struct lockstep *l, struct trail *tr);
#endif
