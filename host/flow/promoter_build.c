/* SPDX-License-Identifier: Apache-2.0
 *
 * New bays, and how they come to know what they must. They are made for the strategies that swap
 * only, warmed by the end of the journal, given the state of the old ones where that is needed,
 * activated, and then kept up with the live stream by the tap.
 *
 * Activation comes directly after the history, not where the tap happens to stand: the belief stays
 * one of history until the engine adopts its seats, so nothing that a new build answers depends on
 * how fast this thread was.
 */
#include "flow/promoter_priv.h"
#include <stdio.h>
#include <string.h>
#include "base/must.h"
#include "flow/roads.h"

/* The engine swaps adapters after the flip, when nothing can be refused any more. */
static struct result open_adapters(struct promoter_job *j)
{
    const struct deploy_doc *d = j->offer->doc;
    const struct bay_module *m = NULL;
    const struct tn_adapter_facts *facts = NULL;
    struct result r = OK_RESULT;
    for (uint32_t i = 0; i < d->account_count && j->p->o.opens_adapters && is_ok(r); i++) {
        if (d->account[i].via == FACT_VIA_EGRESS)
            r = roads_load(j->p->o.plugin_dir, &d->adapter[i], &m, &facts, &j->tr);
    }
    return r;
}

struct result promoter_build(struct promoter_job *j)
{
    const struct promoter *p = j->p;
    struct promoter_offer *o = j->offer;
    const int64_t began = clock_mono(p->o.clock);
    const struct plant_options options = {.doc = o->doc,
                                          .plugin_dir = p->o.plugin_dir,
                                          .log = p->o.log,
                                          .home = p->o.home,
                                          .bars_from_trades = j->ask->bars_from_trades,
                                          .ids = &o->ids,
                                          .only = j->ask->doc != NULL ? o->change.swaps : NULL,
                                          .from_memory = o->is_rollback};
    TRY(open_adapters(j));
    struct result r = plant_open(&options, &o->part, &j->tr);
    o->took.load = clock_mono(p->o.clock) - began;
    return r;
}

/* A build whose slow hooks failed may be given up, but not half active. */
static struct result activate(struct promoter_job *j)
{
    const struct plant *part = &j->offer->part;
    struct result r = OK_RESULT;
    for (uint32_t i = 0; i < part->bay_count && is_ok(r); i++)
        r = part->bay[i]->ops->activate(part->bay[i], &j->tr);
    if (!is_ok(r))
        j->why = PROMOTION_WHY_FAULT;
    return r;
}

/* Genesis has no history to be longer than, and a rollback brings back what ran before. */
static bool may_be_short(const struct promoter_job *j)
{
    return j->ask->doc == NULL || j->offer->is_rollback || j->p->o.journal_dir == NULL;
}

static struct result replay(struct promoter_job *j)
{
    struct promoter_offer *o = j->offer;
    struct result r = warm_replay(&o->part, j->p->o.journal_dir, j->listening->from_seq, true,
                                  &j->p->stop, &o->warm, &j->tr);
    if (r.code == RESULT_PLUGIN)
        j->why = PROMOTION_WHY_FAULT;
    if (!is_ok(r))
        return r;
    TRY(promoter_hand_over(j));
    return may_be_short(j) ? OK_RESULT : warm_short(&o->part, &o->warm, &j->tr);
}

struct result promoter_warm(struct promoter_job *j)
{
    const struct clock *c = j->p->o.clock;
    const int64_t began = clock_mono(c);
    TRY(replay(j));
    TRY(activate(j));
    j->offer->took.warm = clock_mono(c) - began;
    return OK_RESULT;
}

static struct result take_answers(struct promoter_job *j)
{
    struct belief_answer a;
    struct plant *part = &j->offer->part;
    while (belief_take(part->belief, &a)) {
        must(a.a.kind != BAY_SIGNAL); /* history is answered by nobody */
        j->why = PROMOTION_WHY_FAULT;
        return warm_fault(part, &a, &j->tr);
    }
    return OK_RESULT;
}

static struct result show(struct promoter_job *j, uint32_t upto)
{
    struct promoter_offer *o = j->offer;
    struct result r = OK_RESULT;
    for (; o->tap_at < upto && is_ok(r); o->tap_at++) {
        const struct tap_fact *f = &o->tap->fact[o->tap_at];
        if (o->tap_at % PROMOTER_LOOK_EVERY == 0 && atomic_load(&j->p->stop))
            return RESULT_OF(AGAIN);
        belief_event(o->part.belief, &f->head, f->payload);
        r = take_answers(j);
    }
    return r;
}

/* Nothing of the stream was lost, and no more than a handful has come since `put`. */
static struct result is_near(struct promoter_job *j, uint32_t put, bool *near)
{
    const struct tap *t = j->offer->tap;
    if (atomic_load_explicit(&t->is_full, memory_order_acquire) != 0)
        return FAIL(&j->tr, FULL,
                    "deployment %lu: the market gave more than %d events while it was prepared; "
                    "promote it at a quieter time",
                    (unsigned long)j->serial, (int)TAP_FACTS_MAX);
    *near = atomic_load_explicit(&t->put, memory_order_acquire) - put <= PROMOTER_NEAR;
    return OK_RESULT;
}

struct result promoter_catch_up(struct promoter_job *j)
{
    struct promoter_offer *o = j->offer;
    const int64_t began = clock_mono(j->p->o.clock);
    struct result r = OK_RESULT;
    for (bool near = false; !near && is_ok(r);) {
        const uint32_t put = atomic_load_explicit(&o->tap->put, memory_order_acquire);
        r = show(j, put);
        if (is_ok(r))
            r = is_near(j, put, &near);
    }
    o->took.catch_up += clock_mono(j->p->o.clock) - began;
    return r;
}
