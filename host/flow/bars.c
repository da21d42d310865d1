/* SPDX-License-Identifier: Apache-2.0
 *
 * One open bar and the end of the last one: nothing else is needed to decide where a trade goes.
 * Closing is apart from taking (bars_time, bars_trade), because a bar mostly closes by a tick, and
 * because the closed bar must reach belief before the trade that came after it.
 *
 * An interval without trades gives nothing rather than a bar of the last price: a made-up price
 * would feed volatility measures with calm that nobody saw. Data health speaks about silence.
 */
#include "flow/bars.h"
#include "base/must.h"

void bars_init(struct bars *b, int64_t bar_ns)
{
    must(bar_ns > 0);
    *b = (struct bars){.bar_ns = bar_ns, .closed_ns = INT64_MIN};
}

/* Start of the interval that holds t; C's division rounds toward zero, this one down. */
static int64_t grid_start(int64_t t_ns, int64_t bar_ns)
{
    const int64_t rest = t_ns % bar_ns;
    return t_ns - (rest < 0 ? rest + bar_ns : rest);
}

bool bars_time(struct bars *b, int64_t t_ns, struct bars_bar *out)
{
    if (!b->is_open || t_ns < b->bar.end_ns)
        return false;
    must(b->bar.low <= b->bar.high && b->bar.trades > 0);
    *out = b->bar;
    b->closed_ns = b->bar.end_ns;
    b->is_open = 0;
    return true;
}

static void begin(struct bars *b, int64_t t_ns, int64_t price)
{
    const int64_t start = grid_start(t_ns, b->bar_ns);
    int64_t end;
    if (__builtin_add_overflow(start, b->bar_ns, &end))
        end = INT64_MAX;
    must(start >= b->closed_ns || b->closed_ns == INT64_MIN);
    b->bar = (struct bars_bar){
        .open_ns = start, .end_ns = end, .open = price, .high = price, .low = price};
    b->is_open = 1;
}

void bars_trade(struct bars *b, int64_t t_ns, int64_t price, int64_t qty, bool is_history)
{
    must(!b->is_open || t_ns < b->bar.end_ns);
    if (price < 1 || qty < 1) {
        b->odd++;
        return;
    }
    if (t_ns < (b->is_open ? b->bar.open_ns : b->closed_ns)) {
        b->late++;
        return;
    }
    if (!b->is_open)
        begin(b, t_ns, price);
    struct bars_bar *bar = &b->bar;
    bar->high = price > bar->high ? price : bar->high;
    bar->low = price < bar->low ? price : bar->low;
    bar->close = price;
    if (__builtin_add_overflow(bar->volume, qty, &bar->volume))
        bar->volume = INT64_MAX;
    bar->trades += bar->trades < UINT32_MAX;
    bar->has_live |= !is_history;
}
