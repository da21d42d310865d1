/* SPDX-License-Identifier: Apache-2.0
 *
 * See publish.h. Copies figure by figure: the view is the gateway's own plain format, so that the
 * gateway never sees the core.
 */
#include "flow/publish.h"
#include <string.h>
#include "base/hash.h"
#include "base/must.h"

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

/* Place in the document of a currency's id, or its count. */
static uint32_t currency_at(const struct deploy_doc *d, const struct stage_ids *ids, uint32_t id)
{
    uint32_t i = 0;
    while (i < d->currency_count && ids->currency[i] != id)
        i++;
    return i;
}

static void publish_instruments(const struct lockstep *l, struct gateway_view *v)
{
    const struct core *c = lockstep_core(l);
    const struct deploy_doc *d = lockstep_doc(l);
    struct fact_instrument in;
    for (uint32_t i = 0; i < GATEWAY_INSTRUMENTS_MAX && core_instrument(c, i, &in); i++) {
        v->instrument_count++;
        v->instrument[i].id = in.id;
        v->instrument[i].health = core_health(c, in.id);
        v->instrument[i].price_exp = in.price_exp;
        v->instrument[i].qty_exp = in.qty_exp;
        v->instrument[i].mark = core_mark(c, in.id);
        memcpy(v->instrument[i].symbol, in.symbol, sizeof in.symbol);
        uint32_t at = d != NULL ? currency_at(d, lockstep_ids(l), in.settle) : 0;
        if (d == NULL || at == d->currency_count)
            continue;
        v->instrument[i].money_exp = d->currency[at].exp;
        memcpy(v->instrument[i].currency, d->currency[at].name, sizeof v->instrument[i].currency);
    }
}

static void publish_strategies(const struct lockstep *l, struct gateway_view *v)
{
    const struct core *c = lockstep_core(l);
    const struct deploy_doc *d = lockstep_doc(l);
    struct core_instance_view w;
    for (uint32_t i = 0; d != NULL && i < d->instance_count; i++) {
        const struct deploy_instance *n = &d->instance[i];
        if (!core_instance(c, lockstep_ids(l)->instance[i] - 1, &w) || w.kind != TN_KIND_STRATEGY ||
            v->strategy_count == GATEWAY_STRATEGIES_MAX)
            continue;
        uint32_t k = v->strategy_count++;
        v->strategy[k].id = w.id;
        v->strategy[k].mode = w.mode;
        v->strategy[k].auto_on = core_auto(c, w.id);
        v->strategy[k].quarantined =
            belief_has_fault(lockstep_plant(l)->belief, w.id, w.generation);
        v->strategy[k].generation = w.generation;
        v->auto_on += v->strategy[k].auto_on;
        memcpy(v->strategy[k].name, w.name, sizeof w.name);
        memcpy(v->strategy[k].plugin, n->fact.plugin, sizeof n->fact.plugin);
        memcpy(v->strategy[k].version, n->fact.version, sizeof n->fact.version);
        if (n->sha256_hex[0] != 0)
            must(hash_from_hex(n->sha256_hex, v->strategy[k].sha256));
    }
}

static void publish_promotion(const struct lockstep *l, struct gateway_view *v)
{
    enum { LINES = sizeof v->line / sizeof v->line[0] };
    struct lockstep_promotion p;
    lockstep_promotion(l, &p);
    v->serial = p.serial;
    memcpy(v->deployment, p.name, sizeof v->deployment);
    memcpy(v->sha256, p.sha256, sizeof v->sha256);
    v->promotion = p.state;
    v->probation_until_ns = p.probation_until_ns;
    v->before_serial = p.before_serial;
    v->next_serial = p.next_serial;
    v->next_promotion = p.next_state;
    v->next_until_ns = p.next_until_ns;
    memcpy(v->next_sha256, p.next_sha256, sizeof v->next_sha256);
    memcpy(v->refused_sha256, p.refused_sha256, sizeof v->refused_sha256);
    v->refused_result = p.refused_result;
    v->trust_version = p.trust_version;
    v->trust_throwaway = p.is_throwaway;
    v->said = p.said;
    for (uint32_t i = 0; i < LINES && i < p.said; i++) {
        v->line[i].number = p.said - i;
        (void)lockstep_line(l, p.said - i, v->line[i].text);
    }
}

static void publish_positions(const struct core *c, struct gateway_view *v)
{
    struct core_position_view p;
    struct core_instance_view w;
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
        if (p.strategy != 0 && core_instance(c, p.strategy - 1, &w) && w.is_removed)
            memcpy(v->position[k].name, w.name, sizeof w.name);
    }
}

void publish_view(const struct lockstep *l, const char *market, struct gateway_view *out)
{
    const struct core *c = lockstep_core(l);
    memset(out, 0, sizeof *out);
    out->epoch = core_epoch(c);
    const struct deploy_doc *doc = lockstep_doc(l);
    if (doc != NULL)
        memcpy(out->host, doc->host, sizeof out->host);
    publish_promotion(l, out);
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
    publish_instruments(l, out);
    publish_strategies(l, out);
    publish_positions(c, out);
}
