/* SPDX-License-Identifier: Apache-2.0
 *
 * The host's parts as the benches drive them: a real core, a real plugin in an inline bay, each
 * event numbered and laid out as the engine does it, each order handed to an adapter's pointer.
 * With a journal, each step is handed over to it.
 */
#ifndef BENCHES_DESK_H
#define BENCHES_DESK_H
#include <string.h>
#include "base/must.h"
#include "bays/bay.h"
#include "core/step.h"
#include "job.h"
#include "journal/journal.h"

enum { DESK_SENDS_MAX = 4 };

typedef void (*desk_adapter_fn)(void *arg, const struct fact_send *s);

struct desk {
    struct core *core;
    struct core_out out;
    struct bay *bay;
    struct journal *journal; /* NULL = none; borrowed */
    uint8_t *record;         /* one step: the event and its effects */
    uint64_t seq;
    int64_t t_ns;
    desk_adapter_fn adapter;
    struct fact_send send[DESK_SENDS_MAX]; /* what the adapter got since the last answers */
    uint32_t send_count;
    uint64_t trade_id, venue_order;
    void *memory;
};

/* One node of the bay; the last is the strategy. */
struct desk_node {
    const char *dir, *file;
    const union tn_number *params;
};

/* In place. auto_on: else the gate denies every intent. Stops the program when the host refuses. */
void desk_open(struct desk *d, const struct desk_node *node, uint32_t nodes, bool auto_on,
               struct journal *journal);
void desk_close(struct desk *d);
/* One more bay, not active yet. */
struct bay *desk_bay(const struct desk_node *node, uint32_t nodes);

static inline void desk_event(struct desk *d, uint16_t type, const void *payload, uint32_t bytes,
                              uint64_t cause_seq)
{
    struct fact_head *head = (struct fact_head *)(void *)d->record;
    *head = (struct fact_head){.bytes = bytes,
                               .seq = ++d->seq,
                               .t_ns = d->t_ns,
                               .cause_seq = cause_seq,
                               .type = type,
                               .version = 1};
    memcpy(head + 1, payload, bytes);
    d->out.bytes = d->record + sizeof *head + bytes;
    core_step(d->core, head, head + 1, &d->out);
    if (d->journal)
        must(is_ok(journal_put(d->journal, d->record, (uint32_t)sizeof *head + bytes + d->out.used,
                               d->seq, false)));
}

/* Hands the orders among the effects of the last step to the adapter. */
static inline void desk_orders(struct desk *d)
{
    for (uint32_t at = 0; at < d->out.used;) {
        const struct fact_head *head = (const struct fact_head *)(const void *)(d->out.bytes + at);
        if (head->type == FACT_SEND)
            d->adapter(d, (const struct fact_send *)(const void *)(head + 1));
        at += (uint32_t)sizeof *head + head->bytes;
    }
}

/* Belief's turn: the event to the bay, its signals back through the core. */
static inline void desk_belief(struct desk *d, const struct tn_event *ev)
{
    struct bay_answer a;
    d->bay->ops->give(d->bay, ev, 1);
    while (d->bay->ops->take(d->bay, &a)) {
        must(a.kind == BAY_SIGNAL);
        desk_event(d, FACT_SIGNAL, &a.signal, sizeof a.signal, a.cause_seq);
        desk_orders(d);
    }
}

/* Tick in, order out. */
static inline void desk_quote(struct desk *d, const struct fact_quote *q)
{
    d->t_ns += JOB_QUOTE_NS;
    desk_event(d, FACT_QUOTE, q, sizeof *q, 0);
    const struct tn_event ev = {
        .size = sizeof ev,
        .type = TN_EVENT_QUOTE,
        .seq = d->seq,
        .t_ns = d->t_ns,
        .instrument = 1,
        .u.quote = {.bid = q->bid, .bid_qty = q->bid_qty, .ask = q->ask, .ask_qty = q->ask_qty}};
    desk_belief(d, &ev);
}

static inline void desk_bar(struct desk *d, const struct job_bar *b)
{
    const struct fact_bar *f = &b->fact;
    d->t_ns = b->end_ns;
    desk_event(d, FACT_BAR, f, sizeof *f, 0);
    const struct tn_event ev = {.size = sizeof ev,
                                .type = TN_EVENT_BAR,
                                .seq = d->seq,
                                .t_ns = d->t_ns,
                                .instrument = 1,
                                .u.bar = {.open_ns = f->open_ns,
                                          .open = f->open,
                                          .high = f->high,
                                          .low = f->low,
                                          .close = f->close,
                                          .volume = f->volume}};
    desk_belief(d, &ev);
}

/* The venue: every order handed over is sent, accepted and filled whole at this price. */
void desk_fill(struct desk *d, int64_t price, int64_t fee_ppm);
#endif
