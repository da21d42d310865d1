/* SPDX-License-Identifier: Apache-2.0
 *
 * Market state and data health in its first form.
 *
 * Good data sets prices, mark and age. Bad data (a price that is not positive or not believable, a
 * crossed or locked book for more than a second, a gap in the venue's numbers) sets no price and
 * makes the instrument DEGRADED; it is HEALTHY again after MARKET_GOOD_COUNT good ones in a row.
 * Age makes it DEGRADED and then DOWN (a frozen feed that still pings is old by content), by the
 * limits of the instrument; those two are timers, so they come exactly when due. The first data
 * ever make it HEALTHY at once: there was nothing before to doubt. So do the first data after a
 * DEGRADED by age, for fresh data is the cure of age; DOWN always asks for the whole count. Data
 * that come while the book stays crossed or the content frozen are not good ones, so nothing is
 * cured by its own trouble going on.
 */
#include "core/state.h"

enum { FROZEN_AGES = 4 }; /* unchanged content for this many DEGRADED ages is a frozen feed */

static int64_t row_deadline(const struct market_row *m);

static void set_health(struct core *c, struct market_row *m, uint32_t to, uint32_t why,
                       int64_t observed, int64_t limit)
{
    if (m->health == to)
        return;
    struct fact_health *e = EFFECT(c, HEALTH, fact_health);
    e->instrument = m->def.id;
    e->from = m->health;
    e->to = to;
    e->why = why;
    e->observed = observed;
    e->limit = limit;
    m->health = to;
    m->health_why = why;
    deadline_near(c, row_deadline(m)); /* another health, other deadlines */
}

static void bad(struct core *c, struct market_row *m, uint32_t why, int64_t observed, int64_t limit)
{
    m->good_count = 0;
    if (m->health != FACT_DOWN) {
        set_health(c, m, FACT_DEGRADED, why, observed, limit);
        m->health_why = why; /* a second trouble decides what cures */
    }
    deadline_near(c, row_deadline(m));
}

static bool is_frozen(const struct core *c, const struct market_row *m)
{
    return m->def.age_degraded_ns > 0 &&
           c->now_ns - m->changed_ns >= FROZEN_AGES * m->def.age_degraded_ns;
}

static void count_good(struct core *c, struct market_row *m)
{
    bool crossed = m->crossed_ns != 0 && c->now_ns - m->crossed_ns >= CORE_SECOND_NS;
    if (crossed || is_frozen(c, m)) {
        m->good_count = 0;
        return;
    }
    m->good_count++;
    if (m->health == FACT_HEALTH_UNSET)
        set_health(c, m, FACT_HEALTHY, FACT_HEALTH_FIRST, 1, 1);
    else if (m->good_count >= MARKET_GOOD_COUNT ||
             (m->health == FACT_DEGRADED && m->health_why == FACT_HEALTH_AGE))
        set_health(c, m, FACT_HEALTHY, FACT_HEALTH_GOOD, m->good_count, MARKET_GOOD_COUNT);
    must(m->good_count <= MARKET_GOOD_COUNT);
}

static void good(struct core *c, struct market_row *m)
{
    m->data_ns = c->now_ns;
    if (m->health != FACT_HEALTHY)
        count_good(c, m); /* while health stays, new data only puts its deadlines off */
}

static struct market_row *known(struct core *c, uint32_t instrument)
{
    if (instrument == 0 || instrument > c->max.instruments || c->market[instrument].def.id == 0) {
        step_ignored(c, FACT_IGNORED_UNKNOWN_INSTRUMENT, instrument, 0);
        return NULL;
    }
    return &c->market[instrument];
}

static bool __attribute__((noinline))
disbelieve(struct core *c, struct market_row *m, int64_t price)
{
    step_ignored(c, FACT_IGNORED_BAD_PRICE, m->def.id, (uint64_t)price);
    bad(c, m, FACT_HEALTH_BAD_PRICE, price, m->def.price_max);
    return false;
}

static inline bool believable(struct core *c, struct market_row *m, int64_t price)
{
    bool ok = price > 0 && price <= CORE_PRICE_MAX &&
              (m->def.price_max == 0 || price <= m->def.price_max);
    return ok || disbelieve(c, m, price);
}

static void set_last(struct core *c, struct market_row *m, int64_t price)
{
    if (price != m->last || m->changed_ns == 0)
        m->changed_ns = c->now_ns;
    m->last = price;
    if (m->bid == 0 || m->ask == 0 || m->bid >= m->ask)
        m->mark = price;
}

void market_bar(struct core *c, const struct fact_bar *e)
{
    struct market_row *m = known(c, e->instrument);
    if (m == NULL)
        return;
    if (!believable(c, m, e->low) || !believable(c, m, e->high))
        return;
    if (e->low > e->open || e->low > e->close || e->high < e->open || e->high < e->close ||
        e->volume < 0) {
        step_ignored(c, FACT_IGNORED_BAD_PRICE, m->def.id, (uint64_t)e->close);
        bad(c, m, FACT_HEALTH_BAD_PRICE, e->close, e->high);
        return;
    }
    m->changed_ns = c->now_ns; /* a bar is new content, also when nothing moved */
    set_last(c, m, e->close);
    good(c, m);
    if ((e->flags & FACT_MD_WARMUP) == 0)
        stops_market(c, e->instrument, e->low, e->high);
}

/* A hole, a repeat or a fall in the venue's numbers; the data itself is used. */
static void number(struct core *c, struct market_row *m, uint64_t *last, uint64_t no)
{
    uint64_t before = *last;
    if (no == 0)
        return;
    *last = no;
    if (before != 0 && no != before + 1)
        bad(c, m, FACT_HEALTH_GAP, (int64_t)no, (int64_t)(before + 1));
}

void market_trade(struct core *c, const struct fact_trade *e)
{
    struct market_row *m = known(c, e->instrument);
    if (m == NULL)
        return;
    if (!believable(c, m, e->price))
        return;
    if (e->qty <= 0) {
        step_ignored(c, FACT_IGNORED_BAD_PRICE, m->def.id, (uint64_t)e->qty);
        bad(c, m, FACT_HEALTH_BAD_PRICE, e->qty, 1);
        return;
    }
    number(c, m, &m->trade_no, e->trade_no);
    set_last(c, m, e->price);
    m->changed_ns = c->now_ns;
    good(c, m);
    if ((e->flags & FACT_MD_WARMUP) == 0)
        stops_market(c, e->instrument, e->price, e->price);
}

void market_quote(struct core *c, const struct fact_quote *e)
{
    struct market_row *m = known(c, e->instrument);
    if (m == NULL)
        return;
    if ((e->bid != 0 && !believable(c, m, e->bid)) || (e->ask != 0 && !believable(c, m, e->ask)))
        return;
    if (e->bid_qty < 0 || e->ask_qty < 0) {
        step_ignored(c, FACT_IGNORED_BAD_PRICE, m->def.id, 0);
        bad(c, m, FACT_HEALTH_BAD_PRICE, e->bid_qty, 0);
        return;
    }
    number(c, m, &m->quote_no, e->quote_no);
    bool changed = m->bid != e->bid || m->ask != e->ask || m->bid_qty != e->bid_qty ||
                   m->ask_qty != e->ask_qty;
    m->bid = e->bid;
    m->ask = e->ask;
    m->bid_qty = e->bid_qty;
    m->ask_qty = e->ask_qty;
    if (changed || m->changed_ns == 0)
        m->changed_ns = c->now_ns;
    if (m->bid != 0 && m->ask != 0 && m->bid >= m->ask) { /* crossed or locked: no mark from it */
        if (m->crossed_ns == 0)
            m->crossed_ns = c->now_ns;
        m->data_ns = c->now_ns;
        m->good_count = 0;
        deadline_near(c, row_deadline(m));
        return;
    }
    m->crossed_ns = 0;
    if (m->bid != 0 && m->ask != 0)
        m->mark = m->bid + (m->ask - m->bid) / 2;
    else if (m->last != 0)
        m->mark = m->last;
    good(c, m);
    if ((e->flags & FACT_MD_WARMUP) == 0 && m->mark != 0)
        stops_market(c, e->instrument, m->mark, m->mark);
}

void market_session(struct core *c, const struct fact_session *e)
{
    struct market_row *m = known(c, e->instrument);
    if (m != NULL)
        m->session_open = e->open ? 1 : 0;
}

/* Next time at which this instrument's health changes by itself. */
static int64_t row_deadline(const struct market_row *m)
{
    int64_t d = CORE_NEVER;
    if (m->def.id == 0 || m->data_ns == 0)
        return d;
    if (m->crossed_ns != 0 && m->health == FACT_HEALTHY)
        d = m->crossed_ns + CORE_SECOND_NS;
    if (m->def.age_degraded_ns == 0)
        return d;
    int64_t fresh = m->data_ns;
    int64_t frozen = m->changed_ns + FROZEN_AGES * m->def.age_degraded_ns;
    if (m->health == FACT_HEALTHY || m->health == FACT_HEALTH_UNSET) {
        int64_t age = fresh + m->def.age_degraded_ns;
        d = age < d ? age : d;
        d = frozen < d ? frozen : d;
    } else if (m->health == FACT_DEGRADED && m->def.age_down_ns > 0) {
        int64_t age = fresh + m->def.age_down_ns;
        int64_t content = m->changed_ns + FROZEN_AGES * m->def.age_down_ns;
        d = age < d ? age : d;
        d = content < d ? content : d;
    }
    return d;
}

int64_t market_deadline(const struct core *c)
{
    int64_t d = CORE_NEVER;
    for (uint32_t i = 1; i <= c->max.instruments && c->market[i].def.id != 0; i++) {
        int64_t r = row_deadline(&c->market[i]);
        d = r < d ? r : d;
    }
    return d;
}

static void down(struct core *c, struct market_row *m, uint32_t why, int64_t observed,
                 int64_t limit)
{
    m->good_count = 0;
    set_health(c, m, FACT_DOWN, why, observed, limit);
    for (uint32_t i = 1; i < c->book_count; i++) {
        if (c->book[i].instrument == m->def.id)
            oms_cancel_book(c, &c->book[i], FACT_CANCEL_DATA, true);
    }
}

static void row_timers(struct core *c, struct market_row *m)
{
    if (row_deadline(m) > c->now_ns)
        return;
    int64_t age = c->now_ns - m->data_ns, content = c->now_ns - m->changed_ns;
    if (m->crossed_ns != 0 && c->now_ns - m->crossed_ns >= CORE_SECOND_NS)
        bad(c, m, FACT_HEALTH_CROSSED, c->now_ns - m->crossed_ns, CORE_SECOND_NS);
    if (m->def.age_degraded_ns == 0)
        return;
    if (m->def.age_down_ns > 0 && age >= m->def.age_down_ns) {
        down(c, m, FACT_HEALTH_AGE, age, m->def.age_down_ns);
    } else if (m->def.age_down_ns > 0 && content >= FROZEN_AGES * m->def.age_down_ns) {
        down(c, m, FACT_HEALTH_FROZEN, content, FROZEN_AGES * m->def.age_down_ns);
    } else if (age >= m->def.age_degraded_ns) {
        bad(c, m, FACT_HEALTH_AGE, age, m->def.age_degraded_ns);
    } else if (is_frozen(c, m)) {
        bad(c, m, FACT_HEALTH_FROZEN, content, FROZEN_AGES * m->def.age_degraded_ns);
    }
}

void market_timers(struct core *c)
{
    for (uint32_t i = 1; i <= c->max.instruments && c->market[i].def.id != 0; i++)
        row_timers(c, &c->market[i]);
}
