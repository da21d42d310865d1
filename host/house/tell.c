/* SPDX-License-Identifier: Apache-2.0
 *
 * The house's words: JSON texts of reports, market data, orders, fills. Written by hand into fixed
 * room: every text in them is either ours or was checked to need no escapes. Numbers are decimal
 * strings, so that no reader has to go through a float.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "house/house_priv.h"

void tell_put(struct tell *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(t->at + t->used, t->room - t->used, fmt, ap);
    va_end(ap);
    must(n >= 0 && (size_t)n < t->room - t->used);
    t->used += (size_t)n;
}

/* ,"key":"1.5" */
void tell_number(struct tell *t, const char *key, int64_t value, int exp)
{
    char text[NUM_TEXT_BYTES];
    num_print(value, exp, text);
    tell_put(t, ",\"%s\":\"%s\"", key, text);
}

static const char *side_word(uint32_t side)
{
    return side == 1 ? "buy" : side == 2 ? "sell" : "";
}

/* The venue's words may hold quotes in theory: what JSON would escape becomes '?'. */
static void put_text(struct tell *t, const char *key, const char *text, size_t bytes)
{
    char clean[FACT_NAME_BYTES + 1];
    size_t n = strnlen(text, bytes < FACT_NAME_BYTES ? bytes : FACT_NAME_BYTES);
    for (size_t i = 0; i < n; i++)
        clean[i] =
            text[i] >= ' ' && text[i] < 0x7f && text[i] != '"' && text[i] != '\\' ? text[i] : '?';
    clean[n] = '\0';
    tell_put(t, ",\"%s\":\"%s\"", key, clean);
}

const char *tell_code(uint32_t reason)
{
    static const char *const words[] = {"",      "SYMBOL",    "HALTED",    "PRICE", "QTY",
                                        "FUNDS", "DUPLICATE", "POST_ONLY", "RATE",  "OTHER"};
    static_assert(FACT_REJECT_OTHER == 9, "one word for each reason");
    return reason < sizeof words / sizeof *words ? words[reason] : "OTHER";
}

/* ---- orders and fills ---- */
static const char *state_word(uint32_t state)
{
    switch (state) {
    case HOUSE_RECEIVED:
        return "received";
    case HOUSE_WORKING:
        return "working";
    case HOUSE_REFUSED:
        return "rejected";
    default:
        return "done";
    }
}

void tell_order(struct tell *t, const struct house *h, const struct house_row *r)
{
    const struct fact_instrument *d = &h->book[r->instrument].in.def;
    tell_put(t, "{\"client_id\":\"%s\"", r->client);
    if (r->venue_order != 0)
        tell_put(t, ",\"order_id\":\"%lu\"", (unsigned long)r->venue_order);
    else
        tell_put(t, ",\"order_id\":\"\"");
    tell_put(t, ",\"symbol\":\"%s\",\"side\":\"%s\",\"state\":\"%s\",\"tif\":\"%s\"", d->symbol,
             side_word(r->side), state_word(r->state), r->tif == FACT_GTC ? "gtc" : "ioc");
    tell_put(t, ",\"reduce_only\":%s", r->reduce_only ? "true" : "false");
    tell_number(t, "qty", r->qty, d->qty_exp);
    tell_number(t, "price", r->price, d->price_exp);
    tell_number(t, "cum_qty", r->cum, d->qty_exp);
    bool is_open = r->state == HOUSE_RECEIVED || r->state == HOUSE_WORKING;
    tell_number(t, "leaves_qty", is_open ? r->qty - r->cum : 0, d->qty_exp);
    tell_number(t, "t", r->t_ns, 0);
    tell_put(t, "}");
}

static void put_trade(struct tell *t, const struct house_instrument *in, const struct house_fill *f)
{
    tell_put(t, ",\"trade_id\":\"%lu\"", (unsigned long)f->trade);
    tell_number(t, "last_qty", f->qty, in->def.qty_exp);
    tell_number(t, "last_price", f->price, in->def.price_exp);
    tell_number(t, "fee", f->fee, in->settle_exp);
    tell_put(t, ",\"fee_currency\":\"%s\",\"liquidity\":\"%s\"", in->currency,
             f->liquidity == FACT_MAKER ? "maker" : "taker");
}

void tell_fill(struct tell *t, const struct house *h, const struct house_fill *f)
{
    const struct house_row *r = &h->row[f->row];
    const struct house_instrument *in = &h->book[r->instrument].in;
    tell_put(t, "{\"client_id\":\"%s\",\"order_id\":\"%lu\",\"symbol\":\"%s\",\"side\":\"%s\"",
             r->client, (unsigned long)r->venue_order, in->def.symbol, side_word(r->side));
    put_trade(t, in, f);
    tell_number(t, "cum_qty", f->cum, in->def.qty_exp);
    tell_number(t, "leaves_qty", r->qty - f->cum, in->def.qty_exp);
    tell_number(t, "t", f->t_ns, 0);
    if (h->c.tempo.kind == TEMPO_SCRIPT)
        tell_number(t, "due", f->due_ns, 0);
    tell_put(t, "}");
}

void tell_instrument(struct tell *t, const struct house_instrument *in)
{
    const struct fact_instrument *d = &in->def;
    tell_put(t, "{\"symbol\":\"%s\",\"contract\":\"%s\",\"settle\":\"%s\"", d->symbol,
             d->contract == FACT_INVERSE ? "inverse" : "linear", in->currency);
    tell_number(t, "tick", d->tick, d->price_exp);
    tell_number(t, "lot", d->lot, d->qty_exp);
    tell_number(t, "min_qty", d->min_qty, d->qty_exp);
    tell_number(t, "multiplier", d->multiplier, d->multiplier_exp);
    tell_put(t, "}");
}

/* ---- the stream ---- */
static const char *kind_word(uint32_t kind)
{
    switch (kind) {
    case FACT_EXEC_NEW:
        return "new";
    case FACT_EXEC_REJECTED:
        return "rejected";
    case FACT_EXEC_TRADE:
        return "trade";
    case FACT_EXEC_CANCELED:
        return "canceled";
    case FACT_EXEC_CANCEL_REJECT:
        return "cancel_rejected";
    case FACT_EXEC_CANCEL_LATE:
        return "cancel_late";
    case FACT_EXEC_EXPIRED:
        return "expired";
    case FACT_EXEC_VENUE_CANCEL:
        return "venue_cancel";
    default:
        must(!"a kind that the matching does not give");
        return "";
    }
}

void tell_report(struct house *h, const struct fact_view *v)
{
    char text[HOUSE_TEXT_BYTES];
    struct tell t = {text, 0, sizeof text};
    const struct fact_exec *e = &v->u.fact_exec;
    const struct house_row *r = rows_by_order(h, e->order);
    must(r != NULL);
    const struct house_instrument *in = &h->book[r->instrument].in;
    tell_put(&t, "{\"ch\":\"reports\",\"n\":%lu,\"kind\":\"%s\",\"client_id\":\"%s\"",
             (unsigned long)++h->report_n[r->caller], kind_word(e->kind), r->client);
    if (e->venue_order != 0)
        tell_put(&t, ",\"order_id\":\"%lu\"", (unsigned long)e->venue_order);
    else
        tell_put(&t, ",\"order_id\":\"\"");
    tell_put(&t, ",\"symbol\":\"%s\",\"side\":\"%s\"", in->def.symbol, side_word(r->side));
    tell_number(&t, "t", e->venue_ns, 0);
    if (h->c.tempo.kind == TEMPO_SCRIPT)
        tell_number(&t, "due", v->head.t_ns, 0);
    if (e->kind == FACT_EXEC_TRADE) {
        struct house_fill f = {.trade = e->trade_id,
                               .qty = e->last_qty,
                               .price = e->last_price,
                               .fee = e->fee,
                               .liquidity = e->liquidity};
        put_trade(&t, in, &f);
    }
    tell_number(&t, "cum_qty", e->cum_qty, in->def.qty_exp);
    tell_number(&t, "leaves_qty", e->leaves_qty, in->def.qty_exp);
    if (e->reason != FACT_REJECT_NONE)
        tell_put(&t, ",\"code\":\"%s\"", tell_code(e->reason));
    if (e->text[0] != '\0')
        put_text(&t, "text", e->text, sizeof e->text);
    tell_put(&t, "}");
    h->totals.reports++;
    if (r->caller != CALLERS_NONE)
        h->c.ops.report(h->c.ops.front, r->caller, r->client, text, t.used);
}

static void put_bar(struct tell *t, const struct fact_instrument *d, const struct fact_bar *b)
{
    tell_number(t, "open_t", b->open_ns, 0);
    tell_number(t, "o", b->open, d->price_exp);
    tell_number(t, "h", b->high, d->price_exp);
    tell_number(t, "l", b->low, d->price_exp);
    tell_number(t, "c", b->close, d->price_exp);
    tell_number(t, "v", b->volume, d->qty_exp);
}

static void put_quote(struct tell *t, const struct fact_instrument *d, const struct fact_quote *q)
{
    tell_number(t, "b", q->bid, d->price_exp);
    tell_number(t, "bq", q->bid_qty, d->qty_exp);
    tell_number(t, "a", q->ask, d->price_exp);
    tell_number(t, "aq", q->ask_qty, d->qty_exp);
}

static void put_print(struct tell *t, const struct fact_instrument *d, const struct fact_trade *p)
{
    tell_number(t, "p", p->price, d->price_exp);
    tell_number(t, "q", p->qty, d->qty_exp);
    tell_put(t, ",\"side\":\"%s\"", side_word(p->aggressor));
}

static uint32_t book_of(const struct house *h, uint32_t id)
{
    uint32_t i = 0;
    while (i < h->c.instrument_count && h->book[i].in.def.id != id)
        i++;
    return i;
}

static void note_mark(struct house_book *b, const struct fact_view *v)
{
    if (v->head.type == FACT_BAR)
        b->mark = v->u.fact_bar.close;
    else if (v->head.type == FACT_TRADE)
        b->mark = v->u.fact_trade.price;
    else if (v->u.fact_quote.bid > 0 && v->u.fact_quote.ask > 0)
        b->mark = v->u.fact_quote.bid + (v->u.fact_quote.ask - v->u.fact_quote.bid) / 2;
}

void tell_market(struct house *h, const struct fact_view *v)
{
    static const char *const words[] = {"bar", "trade", "quote"};
    char text[HOUSE_TEXT_BYTES];
    struct tell t = {text, 0, sizeof text};
    uint32_t at = book_of(h, v->u.fact_bar.instrument); /* each of the three begins with it */
    if (at == h->c.instrument_count)
        return;
    struct house_book *b = &h->book[at];
    int word = v->head.type == FACT_BAR ? 0 : v->head.type == FACT_TRADE ? 1 : 2;
    b->market_n++;
    b->market_ns = v->head.t_ns;
    note_mark(b, v);
    h->totals.market_events++;
    tell_put(&t, "{\"ch\":\"market\",\"symbol\":\"%s\",\"kind\":\"%s\",\"n\":%lu", b->in.def.symbol,
             words[word], (unsigned long)b->market_n);
    tell_number(&t, "t", v->head.t_ns, 0);
    if (word == 0)
        put_bar(&t, &b->in.def, &v->u.fact_bar);
    else if (word == 1)
        put_print(&t, &b->in.def, &v->u.fact_trade);
    else
        put_quote(&t, &b->in.def, &v->u.fact_quote);
    tell_put(&t, "}");
    if (!h->is_rebuilding)
        h->c.ops.market(h->c.ops.front, at, text, t.used);
}
