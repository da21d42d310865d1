/* SPDX-License-Identifier: Apache-2.0
 *
 * See publish.h. Copies figure by figure: the view is the gateway's own plain format, so that the
 * gateway never sees the core.
 */
#include "flow/publish.h"
#include <string.h>

static void publish_totals(const struct core *c, struct gateway_view *v)
{
    const struct core_totals *t = core_totals(c);
#define COPY(name) v->totals.name = t->name
    COPY(signals);
    COPY(intents);
    COPY(approvals);
    COPY(denials);
    COPY(orders);
    COPY(fills);
    COPY(partial_fills);
    COPY(maker_fills);
    COPY(taker_fills);
    COPY(venue_rejects);
    COPY(cancels);
    COPY(cancel_rejects);
    COPY(cancels_late);
    COPY(ttl_cancels);
    COPY(cancelled_after_partial);
    COPY(expired);
    COPY(stops_hit);
#undef COPY
    memcpy(v->totals.denied_by, t->denied_by, sizeof v->totals.denied_by);
}

static void publish_accounts(const struct core *c, struct gateway_view *v)
{
    struct core_account_view a;
    for (uint32_t i = 0; i < GATEWAY_ACCOUNTS_MAX && core_account(c, i, &a); i++) {
        v->account_count++;
        v->account[i].id = a.id;
        v->account[i].mode = a.mode;
        v->account[i].exp = a.exp;
        memcpy(v->account[i].name, a.name, sizeof a.name);
        memcpy(v->account[i].currency, a.currency, sizeof a.currency);
        v->account[i].start = a.start;
        v->account[i].realised = a.realised;
        v->account[i].fees = a.fees;
        v->account[i].unrealised = a.unrealised;
        v->account[i].equity = a.equity;
    }
}

static void publish_instruments(const struct core *c, const struct deploy_doc *d,
                                struct gateway_view *v)
{
    struct fact_instrument in;
    for (uint32_t i = 0; i < GATEWAY_INSTRUMENTS_MAX && core_instrument(c, i, &in); i++) {
        v->instrument_count++;
        v->instrument[i].id = in.id;
        v->instrument[i].health = core_health(c, in.id);
        v->instrument[i].price_exp = in.price_exp;
        v->instrument[i].qty_exp = in.qty_exp;
        v->instrument[i].mark = core_mark(c, in.id);
        memcpy(v->instrument[i].symbol, in.symbol, sizeof in.symbol);
        if (d == NULL || in.settle == 0 || in.settle > d->currency_count)
            continue;
        v->instrument[i].money_exp = d->currency[in.settle - 1].exp;
        memcpy(v->instrument[i].currency, d->currency[in.settle - 1].name,
               sizeof v->instrument[i].currency);
    }
}

static void publish_strategies(const struct lockstep *l, struct gateway_view *v)
{
    const struct core *c = lockstep_core(l);
    const struct plant *p = lockstep_plant(l);
    uint32_t bay = 0;
    for (uint32_t i = 0; i < p->instance_count; i++) {
        const struct fact_instance *f = &p->instance[i];
        if (f->kind != TN_KIND_STRATEGY)
            continue;
        bool quarantined = belief_is_quarantined(p->belief, bay++);
        if (v->strategy_count == GATEWAY_STRATEGIES_MAX)
            continue;
        uint32_t k = v->strategy_count++;
        v->strategy[k].id = f->id;
        v->strategy[k].mode = core_mode(c, MODE_SCOPE_STRATEGY, f->id);
        v->strategy[k].auto_on = core_auto(c, f->id);
        v->strategy[k].quarantined = quarantined;
        v->auto_on += v->strategy[k].auto_on;
        memcpy(v->strategy[k].name, f->name, sizeof f->name);
        memcpy(v->strategy[k].plugin, f->plugin, sizeof f->plugin);
        memcpy(v->strategy[k].version, f->version, sizeof f->version);
    }
}

static void publish_positions(const struct core *c, struct gateway_view *v)
{
    struct core_position_view p;
    for (uint32_t i = 0; core_position(c, i, &p); i++) {
        if (v->position_count == GATEWAY_POSITIONS_MAX) {
            v->positions_left_out++;
            continue;
        }
        uint32_t k = v->position_count++;
        v->position[k].strategy = p.strategy;
        v->position[k].instrument = p.instrument;
        v->position[k].account = p.account;
        v->position[k].qty = p.qty;
        v->position[k].avg_price = p.avg_price;
        v->position[k].realised = p.realised;
        v->position[k].fees = p.fees;
        v->position[k].unrealised = p.unrealised;
        v->position[k].stop_price = p.stop_price;
    }
}

void publish_view(const struct lockstep *l, const struct deploy_doc *doc, const char *market,
                  struct gateway_view *out)
{
    const struct core *c = lockstep_core(l);
    memset(out, 0, sizeof *out);
    out->epoch = core_epoch(c);
    if (doc != NULL) {
        out->serial = doc->fact.serial;
        memcpy(out->deployment, doc->fact.name, sizeof out->deployment);
        memcpy(out->host, doc->host, sizeof out->host);
    }
    strncpy(out->market, market, sizeof out->market - 1);
    out->mode = core_mode(c, MODE_SCOPE_GLOBAL, 0);
    out->now_ns = lockstep_now(l);
    out->seq = core_seq(c);
    out->durable_seq = out->seq;
    const struct journal *j = lockstep_journal(l);
    if (j != NULL) {
        out->durable_seq = journal_durable(j);
        out->journal_code = journal_health(j, &out->disk_ppm).code;
        out->journal_bytes = journal_bytes_written(j);
    }
    out->open_orders = core_open_orders(c);
    publish_totals(c, out);
    publish_accounts(c, out);
    publish_instruments(c, doc, out);
    publish_strategies(l, out);
    publish_positions(c, out);
}
