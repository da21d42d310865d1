/* SPDX-License-Identifier: Apache-2.0
 *
 * Is what a snapshot says usable at all? Restore reads rows from bytes that may be damaged or made
 * up, and builds look-up tables from them: so before that each index must name a row that is there
 * and each figure must be in the range that the running core keeps it in. What ties rows together
 * (sums, lists, counts) is asked afterwards by core_broken. Both give the broken rule in words, so
 * that the refusal can name it. A damage that leaves all rules whole is found by the hash of the
 * snapshot, not here.
 */
#include "core/state.h"

#define NOW_MAX_NS (INT64_MAX / 2)
enum { ORDER_ID_LEG_BITS = 10 }; /* plan.c makes ids of sequence and leg */

static bool is_past(const struct core *c, int64_t t_ns)
{
    return t_ns >= 0 && t_ns <= c->now_ns;
}

static bool is_price(int64_t price)
{
    return price >= 0 && price <= CORE_PRICE_MAX;
}

static bool is_qty(int64_t qty)
{
    return qty >= -CORE_QTY_MAX && qty <= CORE_QTY_MAX;
}

static bool is_mode(uint32_t mode)
{
    return mode > MODE_UNSET && mode < MODE_END;
}

static const char *broken_head(const struct core *c)
{
    RULE(c->now_ns >= 0 && c->now_ns <= NOW_MAX_NS);
    RULE(c->seq < UINT64_MAX >> (ORDER_ID_LEG_BITS + 1));
    RULE(is_mode(c->mode));
    RULE(c->keep_positions <= 1 && c->auto_all <= 1 && c->started <= 1);
    RULE(c->clock_skew_ns > INT64_MIN && c->run_until_ns >= 0);
    RULE(c->book_count >= 1);
    return NULL;
}

static const char *broken_market(const struct core *c, uint32_t i)
{
    const struct market_row *m = &c->market[i];
    RULE(m->def.id == i && config_instrument_ok(c, &m->def));
    RULE(is_price(m->bid) && is_price(m->ask) && is_price(m->last) && is_price(m->mark));
    RULE(is_past(c, m->data_ns) && is_past(c, m->crossed_ns) && is_past(c, m->changed_ns));
    RULE(m->health <= FACT_DOWN && m->good_count <= MARKET_GOOD_COUNT);
    RULE(m->health == FACT_HEALTHY || m->good_count < MARKET_GOOD_COUNT);
    RULE(m->session_open <= 1);
    return NULL;
}

static const char *broken_names(const struct core *c)
{
    for (uint32_t i = 1; i <= c->max.currencies; i++) {
        const struct currency_row *y = &c->currency[i];
        RULE(y->id == 0 || y->id == i);
        RULE(y->exp >= NUM_EXP_MIN && y->exp <= NUM_EXP_MAX);
    }
    for (uint32_t i = 1; i <= c->max.accounts; i++) {
        const struct account_row *a = &c->account[i];
        RULE(a->def.id == 0 || a->def.id == i);
        RULE(a->in_doubt <= 1 && a->keep_positions <= 1);
        RULE(a->def.id == 0 || i == 1 || c->account[i - 1].def.id != 0);
        RULE(a->def.id == 0 || is_mode(a->mode));
        RULE(a->def.id == 0 || (a->def.currency >= 1 && a->def.currency <= c->max.currencies &&
                                c->currency[a->def.currency].id != 0));
    }
    return NULL;
}

/* Reigns lie behind each other, the oldest ones perhaps for any cause. */
static const char *broken_instance(const struct core *c, uint32_t i)
{
    const struct instance_row *s = &c->instance[i];
    RULE(s->id == 0 || s->id == i);
    RULE(s->id == 0 || is_mode(s->mode));
    RULE(s->mode_why <= FACT_WHY_REMOVED && s->is_removed <= 1 && s->auto_on <= 1);
    RULE(is_past(c, s->duplicate_ns[0]) && is_past(c, s->duplicate_ns[1]));
    RULE(s->reign[0].since_seq <= c->seq);
    for (uint32_t k = 0; k < REIGNS; k++) {
        RULE(s->reign[k].generation <= UINT32_MAX || s->reign[k].generation == REIGN_NOBODY);
        RULE(k == 0 || s->reign[k].since_seq == 0 ||
             s->reign[k].since_seq < s->reign[k - 1].since_seq);
    }
    return NULL;
}

static const char *broken_book(const struct core *c, const struct book_row *b, uint32_t markets)
{
    RULE(b->strategy <= c->max.instances && (b->strategy == 0 || c->instance[b->strategy].id));
    RULE(b->instrument >= 1 && b->instrument <= markets);
    RULE(b->account >= 1 && b->account <= c->max.accounts && c->account[b->account].def.id != 0);
    RULE(b->budget >= 0);
    RULE(is_qty(b->qty) && is_qty(b->target));
    RULE(b->work_buy >= 0 && b->work_sell >= 0);
    RULE(is_price(b->limit_offset) && is_price(b->stop_distance) && is_price(b->stop_price));
    RULE(b->flatten_origin == FACT_ORIGIN_UNSET || b->flatten_origin == FACT_ORIGIN_STOP ||
         b->flatten_origin == FACT_ORIGIN_KILL || b->flatten_origin == FACT_ORIGIN_REMOVE);
    RULE(b->has_limit <= 1 && b->pending <= 1 && b->kill_flat <= 1 && b->is_leaving <= 1);
    RULE(is_past(c, b->last_ns));
    return NULL;
}

/* The sums of a net must fit before they are made. */
static const char *broken_sum(const struct core *c, uint32_t first)
{
    num_i128 qty = 0, buy = 0, sell = 0;
    for (uint32_t i = 1; i < c->book_count; i++) {
        const struct book_row *b = &c->book[i];
        if (b->account != c->book[first].account || b->instrument != c->book[first].instrument)
            continue;
        qty += b->qty;
        buy += b->work_buy;
        sell += b->work_sell;
    }
    RULE(qty >= -CORE_QTY_MAX && qty <= CORE_QTY_MAX);
    RULE(buy <= INT64_MAX / 2 && sell <= INT64_MAX / 2);
    return NULL;
}

static const char *broken_order(const struct core *c, const struct order_row *o, uint64_t last_id)
{
    RULE(o->used == 1 && o->confirmed <= 1 && o->reducing <= 1);
    RULE(o->id > last_id && o->id >> ORDER_ID_LEG_BITS <= c->seq);
    RULE(o->book >= 1 && o->book < c->book_count);
    RULE(o->state > ORDER_STATE_UNSET && o->state < ORDER_STATE_END);
    RULE(o->side == TN_LONG || o->side == TN_SHORT);
    RULE(o->qty > 0 && is_qty(o->qty) && o->cum >= 0 && is_qty(o->cum));
    RULE(is_price(o->price));
    RULE(is_past(c, o->created_ns) && is_past(c, o->silent_ns));
    return NULL;
}

static const char *broken_orders(const struct core *c)
{
    const char *broken = NULL;
    uint64_t last_id = 0;
    for (uint32_t i = c->oldest; broken == NULL && i != CORE_NONE; i = c->order[i].newer) {
        broken = broken_order(c, &c->order[i], last_id);
        last_id = c->order[i].id;
    }
    return broken;
}

const char *snap_broken(const struct core *c, uint32_t markets)
{
    const char *broken = broken_head(c);
    if (broken == NULL)
        broken = broken_names(c);
    for (uint32_t i = 0; broken == NULL && i <= c->instance_count; i++)
        broken = broken_instance(c, i);
    for (uint32_t i = 1; broken == NULL && i <= markets; i++)
        broken = broken_market(c, i);
    for (uint32_t i = 1; broken == NULL && i < c->book_count; i++)
        broken = broken_book(c, &c->book[i], markets);
    for (uint32_t i = 1; broken == NULL && i < c->book_count; i++)
        broken = broken_sum(c, i);
    if (broken == NULL)
        broken = broken_orders(c);
    for (uint32_t i = 0; broken == NULL && i < c->limit_count; i++)
        broken = config_limit_ok(c, &c->limit[i]) ? NULL : "each limit is a rule's";
    for (uint32_t i = 0; broken == NULL && i < c->rate_count; i++)
        broken = config_rate_ok(c, &c->rate[i]) ? NULL : "each rate is between two currencies";
    return broken;
}
