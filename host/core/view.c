/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions about the state for status and summaries, and the invariants of the whole.
 */
#include "core/state.h"
#include <string.h>

bool core_position(const struct core *c, uint32_t i, struct core_position_view *out)
{
    if (i + 1 >= c->book_count)
        return false;
    const struct book_row *b = &c->book[i + 1];
    const struct market_row *m = &c->market[b->instrument];
    *out = (struct core_position_view){.strategy = b->strategy,
                                       .instrument = b->instrument,
                                       .account = b->account,
                                       .qty = b->qty,
                                       .avg_price = money_avg_price(c, b),
                                       .realised = b->realised,
                                       .fees = b->fees,
                                       .stop_price = b->stop_price,
                                       .mark = m->mark};
    if (b->qty != 0 && m->mark != 0) {
        num_i128 v;
        bool gains = (b->qty > 0) == (m->def.contract != FACT_INVERSE);
        if (is_ok(money_value(c, m, m->mark, num_abs(b->qty), &v)))
            (void)!is_ok(money_settle(c, m, gains ? v - b->cost : b->cost - v, NUM_HALF_EVEN,
                                      &out->unrealised));
    }
    return true;
}

static void order_view(const struct core *c, const struct order_row *o, struct core_order_view *out)
{
    const struct book_row *b = &c->book[o->book];
    *out = (struct core_order_view){.order = o->id,
                                    .venue_order = o->venue_order,
                                    .state = o->state,
                                    .strategy = b->strategy,
                                    .instrument = b->instrument,
                                    .account = b->account,
                                    .side = o->side,
                                    .attempt = o->attempt,
                                    .qty = o->qty,
                                    .cum = o->cum,
                                    .price = o->price};
}

bool core_order(const struct core *c, uint32_t i, struct core_order_view *out)
{
    uint32_t row = c->live_oldest;
    for (; row != CORE_NONE && i > 0; i--)
        row = c->order[row].live_newer;
    if (row == CORE_NONE)
        return false;
    order_view(c, &c->order[row], out);
    return true;
}

bool core_order_find(const struct core *c, uint64_t order, struct core_order_view *out)
{
    const struct order_row *o = oms_order(c, order);
    if (o == NULL)
        return false;
    order_view(c, o, out);
    return true;
}

bool core_account(const struct core *c, uint32_t i, struct core_account_view *out)
{
    if (i >= c->max.accounts || c->account[i + 1].def.id == 0)
        return false;
    const struct account_row *a = &c->account[i + 1];
    *out = (struct core_account_view){.id = a->def.id,
                                      .mode = a->mode,
                                      .exp = c->currency[a->def.currency].exp,
                                      .start = a->def.balance};
    memcpy(out->name, a->def.name, sizeof out->name);
    memcpy(out->currency, c->currency[a->def.currency].name, sizeof out->currency);
    struct core *w = (struct core *)(uintptr_t)c; /* fills a cache that no decision reads */
    if (!is_ok(
            money_equity(w, a->def.id, &out->equity, &out->unrealised, &out->realised, &out->fees)))
        out->equity = 0;
    return true;
}

int64_t core_mark(const struct core *c, uint32_t instrument)
{
    return instrument <= c->max.instruments ? c->market[instrument].mark : 0;
}

uint32_t core_health(const struct core *c, uint32_t instrument)
{
    return instrument <= c->max.instruments ? c->market[instrument].health : FACT_HEALTH_UNSET;
}

bool core_instrument(const struct core *c, uint32_t i, struct fact_instrument *out)
{
    if (i >= c->max.instruments || c->market[i + 1].def.id == 0)
        return false;
    *out = c->market[i + 1].def;
    return true;
}

bool core_instance(const struct core *c, uint32_t i, struct core_instance_view *out)
{
    if (i >= c->max.instances || c->instance[i + 1].id == 0)
        return false;
    const struct instance_row *r = &c->instance[i + 1];
    uint64_t now = r->reign[0].generation;
    uint64_t before = r->reign[0].since_seq == 0 ? now : r->reign[1].generation;
    *out = (struct core_instance_view){
        .id = r->id,
        .kind = r->kind,
        .mode = r->mode,
        .auto_on = r->auto_on,
        .generation = now == REIGN_NOBODY ? 0 : (uint32_t)now,
        .generation_before = before == REIGN_NOBODY ? 0 : (uint32_t)before,
        .flip_seq = r->reign[0].since_seq,
        .is_removed = r->is_removed != 0,
    };
    memcpy(out->name, r->name, sizeof out->name);
    return true;
}

bool core_currency(const struct core *c, uint32_t i, uint32_t *id, char name[16])
{
    if (i >= c->max.currencies || c->currency[i + 1].id == 0)
        return false;
    *id = c->currency[i + 1].id;
    memcpy(name, c->currency[i + 1].name, sizeof c->currency[i + 1].name);
    return true;
}

void core_owned(const struct core *c, uint32_t strategy, struct core_owned *out)
{
    *out = (struct core_owned){0};
    for (uint32_t i = 1; i < c->book_count; i++) {
        const struct book_row *b = &c->book[i];
        if (b->strategy != strategy)
            continue;
        out->orders += b->live_orders;
        out->stops += b->stop_price != 0;
        out->positions += b->qty != 0;
    }
}

bool core_budget(const struct core *c, uint32_t strategy, uint32_t instrument, int64_t *budget)
{
    const struct book_row *b = strategy != 0 ? book_find(c, strategy, instrument) : NULL;
    if (b == NULL)
        return false;
    *budget = b->budget;
    return true;
}

static const char *broken_book(const struct core *c, uint32_t book)
{
    const struct book_row *b = &c->book[book];
    num_i128 buy = 0, sell = 0;
    uint32_t live = 0;
    for (uint32_t i = c->live_oldest; i != CORE_NONE; i = c->order[i].live_newer) {
        const struct order_row *o = &c->order[i];
        if (o->book != book)
            continue;
        live++;
        int64_t leaves = is_reserved(o->state) && o->qty > o->cum ? o->qty - o->cum : 0;
        buy += o->side == TN_LONG ? leaves : 0;
        sell += o->side == TN_SHORT ? leaves : 0;
    }
    RULE(live == b->live_orders);
    RULE(buy == b->work_buy && sell == b->work_sell);
    RULE(b->cost >= 0);
    RULE(b->qty != 0 || b->cost == 0);
    RULE(b->qty != 0 || b->stop_price == 0);
    RULE(b->flatten_origin != 0 || b->flatten_ns == CORE_NEVER);
    RULE(b->strategy == 0 || book_find(c, b->strategy, b->instrument) == b);
    RULE(b->strategy == 0 || b->is_leaving == (b->budget == 0));
    RULE(b->is_leaving == 0 || (b->signal_seq == 0 && b->pending == 0));
    return NULL;
}

static const char *broken_net(const struct core *c, uint32_t account, uint32_t instrument)
{
    struct net_row sum = {0};
    for (uint32_t i = 1; i < c->book_count; i++) {
        if (c->book[i].account != account || c->book[i].instrument != instrument)
            continue;
        sum.qty += c->book[i].qty;
        sum.work_buy += c->book[i].work_buy;
        sum.work_sell += c->book[i].work_sell;
    }
    RULE(memcmp(&sum, net_of(c, account, instrument), sizeof sum) == 0);
    return NULL;
}

static const char *broken_orders(const struct core *c)
{
    uint32_t count = 0, live = 0;
    uint64_t last = 0;
    for (uint32_t i = c->oldest; i != CORE_NONE; i = c->order[i].newer) {
        const struct order_row *o = &c->order[i];
        RULE(o->used && o->id > last);
        RULE(o->state > ORDER_STATE_UNSET && o->state < ORDER_STATE_END);
        RULE(o->cum >= 0 && o->qty > 0);
        RULE(oms_order(c, o->id) == o);
        last = o->id;
        count++;
        live += !is_terminal(o->state);
    }
    RULE(count == c->order_pool.in_use);
    RULE(live == c->live_count);
    return NULL;
}

static const char *broken_instances(const struct core *c)
{
    for (uint32_t s = 0; s <= c->max.instances; s++) {
        uint32_t live = 0;
        for (uint32_t i = 1; i < c->book_count && (s == 0 || c->instance[s].id != 0); i++)
            live += c->book[i].strategy == s ? c->book[i].live_orders : 0;
        RULE(live == c->instance[s].live_orders);
    }
    return NULL;
}

/* A committed stage has its limits worked out: under them, and as if they were in force. */
static const char *broken_stage(const struct core *c)
{
    const struct staged *s = &c->staged;
    RULE(s->is_open || (s->is_committed | s->is_broken | s->rows) == 0);
    for (uint32_t i = 1; s->is_committed && i < c->book_count; i++) {
        int64_t limit[RISK_RULE_END] = {0};
        config_effective(c, c->staged_limit, s->limit_count, i, limit);
        RULE(memcmp(limit + 1, c->staged_effective[i] + 1, sizeof limit - sizeof *limit) == 0);
    }
    for (uint32_t i = 1; i < c->book_count; i++) {
        int64_t limit[RISK_RULE_END] = {0};
        config_effective(c, c->limit, c->limit_count, i, limit);
        RULE(memcmp(limit + 1, c->effective[i] + 1, sizeof limit - sizeof *limit) == 0);
    }
    return NULL;
}

const char *core_broken(const struct core *c)
{
    const char *broken = broken_orders(c);
    for (uint32_t i = 1; broken == NULL && i < c->book_count; i++)
        broken = broken_book(c, i);
    for (uint32_t a = 1; a <= c->max.accounts && c->account[a].def.id != 0; a++) {
        for (uint32_t m = 1; m <= c->max.instruments && c->market[m].def.id != 0; m++)
            broken = broken == NULL ? broken_net(c, a, m) : broken;
    }
    if (broken == NULL)
        broken = broken_instances(c);
    if (broken == NULL)
        broken = broken_stage(c);
    RULE(c->mode > MODE_UNSET && c->mode < MODE_END);
    return broken;
}

void core_check(const struct core *c)
{
    const char *broken = core_broken(c);
    if (broken != NULL)
        must_fail(broken, __FILE__, __LINE__);
}
