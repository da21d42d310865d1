/* SPDX-License-Identifier: Apache-2.0
 *
 * The roads: everything between the engine and the accounts that go `via: egress`.
 *
 *   effects ──► ROAD_ORDER, CANCEL, QUERY ──► tenon-egress ──► adapter bay ──► egress ──► venue
 *   holds   ◄── SENT ◄────────────────────────┘                 │
 *   holds   ◄── market data, execution reports, syncs ◄─────────┘
 *
 * Two kinds of time. In script time (a simulated venue that runs ahead by a known lead) each input
 * waits in a hold until its own time and is numbered then, so that a run over processes is the run
 * in the engine, event by event; what comes after its time is counted as late. In wall time inputs
 * are numbered as they come, at egress's stamp.
 *
 * Two homes. At home in the engine (`in_engine`) the same accounts are served by the simulated
 * venue in this process, with the same holds: attempts are answered half a latency after they left,
 * and the account is reconciled at the start. That is what a run over processes is compared with.
 *
 * When egress goes, every open approval is UNKNOWN and its accounts are in doubt; it is looked for
 * again five times a second. When a bay goes, its account is in doubt; it is started again, and
 * three ends in ten minutes leave it off. Nothing here waits, but for the spawner, the first
 * attachment, and each further one for a tenth of a second.
 */
#ifndef FLOW_ROADS_H
#define FLOW_ROADS_H
#include <poll.h>
#include "base/clock.h"
#include "core/step.h"
#include "deploy/deploy.h"
#include "flow/road.h"
#include "flow/road_bay.h"
#include "flow/road_hold.h"
#include "flow/road_link.h"
#include "flow/stage.h"

enum { ROADS_POLL_MAX = 2 + 4 * DEPLOY_ACCOUNTS_MAX };

struct roads_options {
    bool in_engine;
    const char *socket;  /* egress's */
    struct spawn *spawn; /* NULL only in_engine */
    bool is_script;
    int64_t script_market_ns, script_mono_ns; /* where the script begins, on both clocks */
    int64_t script_speed;                     /* thousandths of real time */
};

struct roads_totals {
    uint64_t orders, cancels, queries, sents, events, said;
    uint64_t late;         /* inputs that came after their time */
    uint64_t refused;      /* words of bays that cannot be */
    uint64_t deaths;       /* of adapters */
    int64_t trip_p999_ns;  /* wall: an order until egress says it was handed over */
    int64_t feed_p999_ns;  /* script time: wall from when a venue could say it until it is here */
    int64_t least_room_ns; /* script time, wall: the least time an input came before it was due */
};

struct roads_setup { /* of a run; the documents are borrowed until the next one */
    const struct deploy_doc *doc;
    const struct stage_ids *ids;
    const struct core *core;
    const char *plugin_dir;
    const char *host;
    uint64_t epoch;
    uint8_t journal_id[16];
    struct log *log;
    const struct clock *clock;
};

struct roads; /* heap */
/* Early: the durable page must be there when the journal is opened. */
MUST_USE struct result roads_open(const struct roads_options *o, struct roads **out,
                                  struct trail *tr);
void roads_free(struct roads *r);              /* NULL is let pass */
struct road_link *roads_page(struct roads *r); /* for road_link_durable; NULL in the engine */
/* The adapter's module as it is pinned, and its facts: that of a simulated venue only. Any thread
 * that may load modules. */
MUST_USE struct result roads_load(const char *plugin_dir, const struct deploy_adapter *d,
                                  const struct bay_module **out,
                                  const struct tn_adapter_facts **facts, struct trail *tr);
/* An epoch of the journal, and trades that it holds: before roads_begin. */
void roads_past(struct roads *r, const struct fact_head *head, const void *payload);
/* Attaches and says every account; starts the adapters. */
MUST_USE struct result roads_begin(struct roads *r, const struct roads_setup *s, struct trail *tr);
/* Which adapters the new document pins; those that changed are swapped: the second session is
 * reconciled beside the first and then takes over. One that cannot be opened any more is said in
 * the log, and the old one stays. */
void roads_adopt(struct roads *r, const struct roads_setup *s);

/* Is this account one of theirs? In the engine too. */
bool roads_has(const struct roads *r, uint32_t account);
/* Effects. An attempt that cannot leave is answered at once, as every one is answered. */
void roads_send(struct roads *r, const struct fact_head *head, const struct fact_send *s,
                bool is_stored);
void roads_cancel(struct roads *r, const struct fact_head *head, const struct fact_cancel *c);
void roads_query(struct roads *r, const struct fact_head *head, const struct fact_query *q,
                 uint32_t instrument);
/* The mode of a scope became this one. */
void roads_mode(struct roads *r, const struct fact_moded *m, const struct fact_mode *why);
/* An adapter delivered fewer executions of an order than its venue says were filled: it is started
 * anew and reconciled from the cursor; is_last: that was done, and the core has given up. */
void roads_withheld(struct roads *r, const struct fact_alert *e, bool is_last);
/* The engine stops on purpose. */
void roads_leave(struct roads *r, bool keep);
/* Egress cancels and closes all that its venues report of every account. */
void roads_flatten(struct roads *r);
bool roads_flattens(const struct roads *r); /* not all have said that they are flat */

/* Takes in what has come. last_ns, last_class: of the newest event. */
void roads_receive(struct roads *r, int64_t last_ns, uint32_t last_class);
/* What waits: answers (SENT, EXEC, SYNC, MODE, in this order at equal times) and market data. */
int64_t roads_due(const struct roads *r);
void roads_take(struct roads *r, struct road_held *out);
int64_t roads_market_due(const struct roads *r);
const struct road_held *roads_market_first(const struct roads *r);
void roads_market_take(struct roads *r, struct road_held *out);
/* Live: this one lay waiting somewhere, so times pass faster than the clock while it and its like
 * are numbered. Until when that may be felt; INT64_MIN = it did not. */
int64_t roads_behind_until(const struct roads *r, int64_t due_ns);
/* Script time after which no answer is on its way any more: a run must not end before. */
int64_t roads_quiet_ns(const struct roads *r);

/* Before a sleep: what to wait on. False: there is something to take after all. */
bool roads_sleep(struct roads *r, struct pollfd *out, uint32_t *count);
void roads_awake(struct roads *r);
void roads_totals(const struct roads *r, struct roads_totals *out);
#endif
