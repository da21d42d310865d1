/* SPDX-License-Identifier: Apache-2.0
 *
 * How the market is made
 *   volatility  two parts: a slow one that wanders around its mean on a log-like scale, once a
 *               minute, and a quick one fed by the size of the last minute's move (the ARCH idea).
 *               Together they give clusters that last from minutes to hours, and fat tails.
 *   regimes     a Markov chain over range, up and down, a few hours each; a range pulls back to
 *               its anchor, a trend drifts.
 *   jumps       rare moves of many minutes' volatility at once, after which the quick part is high.
 *   activity    U-shaped over the UTC day: more and larger trades, and somewhat more volatility,
 *               at its two ends.
 *   spread      calm spread widened by volatility, in whole ticks.
 *   trades      at the bid or the ask of the quote that stands, so tape and quotes agree; buyers
 *               are likelier when the last move was up.
 *   faults      crossed quotes, silence, a frozen quote: short, rare, and off unless asked for.
 * A normal variate is a sum of uniforms: log and cos would bring libm's bits into the stream.
 */
#include "market.h"
#include <string.h>

static const int64_t minute_ns = 60000000000;
static const int64_t day_ns = 86400000000000;

/* ---- chance ---- */
void chance_seed(struct chance *c, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        seed += 0x9e3779b97f4a7c15ull;
        uint64_t z = seed;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
        c->s[i] = z ^ (z >> 31);
    }
}

static uint64_t turn(uint64_t x, int by)
{
    return (x << by) | (x >> (64 - by));
}

uint64_t chance_next(struct chance *c)
{
    uint64_t out = turn(c->s[1] * 5, 7) * 9;
    uint64_t t = c->s[1] << 17;
    c->s[2] ^= c->s[0];
    c->s[3] ^= c->s[1];
    c->s[1] ^= c->s[2];
    c->s[0] ^= c->s[3];
    c->s[2] ^= t;
    c->s[3] = turn(c->s[3], 45);
    return out;
}

double chance_unit(struct chance *c)
{
    return (double)(chance_next(c) >> 11) * (1.0 / 9007199254740992.0);
}

double chance_normal(struct chance *c)
{
    int64_t sum = 0; /* of twelve 16-bit uniforms: mean 12 * 32767.5, variance 65536^2 */
    for (int i = 0; i < 3; i++) {
        uint64_t x = chance_next(c);
        sum += (int64_t)((x & 0xffff) + (x >> 16 & 0xffff) + (x >> 32 & 0xffff) + (x >> 48));
    }
    return (double)(sum - 393210) * (1.0 / 65536.0);
}

/* ---- shape of the day ---- */
/* 0.6 at noon UTC, 1.8 at midnight, 1 on average: a parabola. */
static double activity(int64_t t_ns)
{
    double x = (double)(t_ns % day_ns) / (double)day_ns * 2.0 - 1.0;
    return 0.6 + 1.2 * x * x;
}

static double within(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

/* ---- the minute ---- */
static void next_regime(struct market *m)
{
    if (chance_unit(&m->chance) > 1.0 / 180.0)
        return;
    double u = chance_unit(&m->chance);
    m->regime = u < 0.5 ? REGIME_RANGE : u < 0.75 ? REGIME_UP : REGIME_DOWN;
    m->anchor = m->mid;
}

static void next_minute(struct market *m, const struct market_plan *p)
{
    double moved = (m->mid - m->minute_mid) / m->minute_mid;
    double size = moved < 0 ? -moved : moved;
    m->shock = 0.75 * m->shock + 0.25 * size;
    m->shock = within(m->shock, 0, 6.0 * p->minute_vol);
    double pull = 0.01 * (p->minute_vol / m->vol - 1.0);
    m->vol *= 1.0 + within(pull, -0.05, 0.05) + 0.06 * chance_normal(&m->chance);
    m->vol = within(m->vol, 0.25 * p->minute_vol, 6.0 * p->minute_vol);
    m->minute_mid = m->mid;
    next_regime(m);
}

static double vol_now(const struct market *m, const struct market_plan *p, int64_t t_ns)
{
    double v = 0.55 * m->vol + 0.55 * m->shock + 0.05 * p->minute_vol;
    return v * (0.7 + 0.3 * activity(t_ns));
}

/* sqrt by Newton's steps: exact enough, and the same everywhere. */
static double root(double x)
{
    double r = x > 1.0 ? x : 1.0;
    for (int i = 0; i < 60; i++) {
        double next = 0.5 * (r + x / r);
        if (next >= r)
            break;
        r = next;
    }
    return r;
}

/* Moves the mid over dt. */
static void move(struct market *m, const struct market_plan *p, int64_t t_ns, int64_t dt_ns)
{
    double part = (double)dt_ns / (double)minute_ns;
    double r = vol_now(m, p, t_ns) * root(part) * chance_normal(&m->chance);
    if (m->regime == REGIME_UP)
        r += p->trend * p->minute_vol * part;
    else if (m->regime == REGIME_DOWN)
        r -= p->trend * p->minute_vol * part;
    else
        r += 0.02 * part * (m->anchor - m->mid) / m->mid;
    if (chance_unit(&m->chance) < p->jumps_per_day * (double)dt_ns / (double)day_ns) {
        double jump = (6.0 + 6.0 * chance_unit(&m->chance)) * p->minute_vol;
        r += chance_next(&m->chance) & 1 ? jump : -jump;
        m->shock = 5.0 * p->minute_vol;
    }
    m->mid *= 1.0 + within(r, -0.2, 0.2);
    /* Far from where it began, the grid would become too coarse or too fine. */
    double first = (double)p->price_ticks;
    m->mid = within(m->mid, 0.05 * first + 50.0, 40.0 * first + 50.0);
}

/* ---- events ---- */
static struct tn_event *add(struct market *m, uint32_t type, int64_t t_ns)
{
    struct tn_event *ev = &m->pending[m->pending_count++];
    memset(ev, 0, sizeof *ev);
    ev->size = sizeof *ev;
    ev->type = type;
    ev->t_ns = t_ns;
    ev->instrument = m->in.id;
    return ev;
}

/* Many small, few large: each further doubling has a chance of 0.35. */
static int64_t draw_lots(struct market *m, double mean)
{
    double size = mean * (0.25 + chance_unit(&m->chance));
    for (int i = 0; i < 7 && chance_unit(&m->chance) < 0.35; i++)
        size *= 2.0;
    int64_t lots = (int64_t)size;
    return lots < 1 ? 1 : lots;
}

static void make_quote(struct market *m, const struct market_plan *p, int64_t t_ns)
{
    double calm = (double)p->spread_ticks;
    double wide = calm * (0.5 + 0.5 * vol_now(m, p, t_ns) / p->minute_vol);
    int64_t spread = (int64_t)(wide + 0.5 + 0.4 * chance_unit(&m->chance));
    if (spread < 1)
        spread = 1;
    int64_t bid = (int64_t)(m->mid - 0.5 * (double)spread + 0.5);
    if (bid < 1)
        bid = 1;
    double depth = 4.0 * (double)p->lots * activity(t_ns);
    m->quote.bid = bid * m->in.tick;
    m->quote.ask = (bid + spread) * m->in.tick;
    m->quote.bid_qty = draw_lots(m, depth) * m->in.lot;
    m->quote.ask_qty = draw_lots(m, depth) * m->in.lot;
}

static void make_trades(struct market *m, const struct market_plan *p, int64_t from_ns,
                        int64_t to_ns, double moved)
{
    double act = activity(from_ns);
    double chance = p->trades_per_quote * act * 0.5;
    int64_t at = from_ns;
    for (int i = 0; i < 2; i++) {
        if (chance_unit(&m->chance) >= chance)
            continue;
        at += (int64_t)(chance_unit(&m->chance) * 0.5 * (double)(to_ns - from_ns));
        bool buys = chance_unit(&m->chance) < (moved > 0 ? 0.6 : moved < 0 ? 0.4 : 0.5);
        struct tn_event *ev = add(m, TN_EVENT_TRADE, at);
        int64_t shown = buys ? m->quote.ask_qty : m->quote.bid_qty;
        int64_t qty = draw_lots(m, (double)p->lots * (0.5 + 0.5 * act)) * m->in.lot;
        ev->u.trade.price = buys ? m->quote.ask : m->quote.bid;
        ev->u.trade.qty = qty < shown ? qty : shown;
        ev->u.trade.aggressor = buys ? 1u : 2u; /* TN_LONG, TN_SHORT */
    }
}

static void maybe_fault(struct market *m, const struct market_plan *p, int64_t dt_ns)
{
    if (m->fault_left > 0) {
        m->fault_left--;
        return;
    }
    m->fault = FAULT_NONE;
    if (p->faults_per_day <= 0 ||
        chance_unit(&m->chance) >= p->faults_per_day * (double)dt_ns / (double)day_ns)
        return;
    uint64_t which = chance_next(&m->chance) % 3;
    m->fault = which == 0 ? FAULT_CROSSED : which == 1 ? FAULT_GAP : FAULT_STALE;
    /* A crossed quote lasts a few quotes; silence is one long wait; a frozen one about a minute. */
    int64_t minute = minute_ns / p->quote_ns + 1;
    m->fault_left = m->fault == FAULT_CROSSED ? 4 : m->fault == FAULT_GAP ? 0 : (uint32_t)minute;
}

/* Makes the next quote and the trades that follow it before the next one. */
static void make(struct market *m, const struct market_plan *p)
{
    int64_t dt = (int64_t)((0.5 + chance_unit(&m->chance)) * (double)p->quote_ns);
    if (dt < 1)
        dt = 1;
    maybe_fault(m, p, dt);
    if (m->fault == FAULT_GAP)
        dt += (int64_t)((0.5 + chance_unit(&m->chance)) * (double)minute_ns);
    int64_t t = m->last_ns + dt;
    for (; m->minute < t / minute_ns; m->minute++)
        next_minute(m, p);
    double before = m->mid;
    move(m, p, t, dt);
    m->last_ns = t;
    if (m->fault != FAULT_STALE)
        make_quote(m, p, t);
    struct tn_event *ev = add(m, TN_EVENT_QUOTE, t);
    ev->u.quote = m->quote;
    if (m->fault == FAULT_CROSSED) {
        ev->u.quote.bid = m->quote.ask;
        ev->u.quote.ask = m->quote.bid;
    } else if (m->fault != FAULT_STALE) {
        make_trades(m, p, t, t + p->quote_ns / 2, m->mid - before);
    }
}

void market_init(struct market *m, const struct market_plan *p, const struct tn_instrument *in,
                 uint64_t seed)
{
    memset(m, 0, sizeof *m);
    m->in = *in;
    /* Each instrument has a stream of its own: one more beside it changes nothing. */
    chance_seed(&m->chance, seed ^ (uint64_t)in->id * 0xd1342543de82ef95ull);
    m->mid = (double)p->price_ticks;
    m->anchor = m->mid;
    m->minute_mid = m->mid;
    m->vol = p->minute_vol;
    m->shock = 0.8 * p->minute_vol;
    m->regime = REGIME_RANGE;
    m->last_ns = p->start_ns;
    m->minute = p->start_ns / minute_ns;
}

int64_t market_next_ns(struct market *m, const struct market_plan *p)
{
    if (m->pending_count == 0)
        make(m, p);
    return m->pending[0].t_ns;
}

void market_take(struct market *m, const struct market_plan *p, struct tn_event *out)
{
    (void)market_next_ns(m, p);
    *out = m->pending[0];
    m->pending_count--;
    memmove(&m->pending[0], &m->pending[1], m->pending_count * sizeof m->pending[0]);
}
