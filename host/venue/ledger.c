/* SPDX-License-Identifier: Apache-2.0
 *
 * The venue's own books as text, one line per fact, `word key=value ...`, in the order in which
 * things happened at the venue. It shares nothing with the journal: whoever recounts it checks the
 * host by other means. Numbers are mantissas; the `instrument` line carries their exponents.
 * The first line names the format. Numbers are printed by hand: no locale, no heap.
 */
#include "venue/venue_priv.h"
#include <string.h>

struct line {
    char text[512];
    size_t used;
};

static void put(struct line *l, const char *text)
{
    size_t n = strlen(text);
    must(l->used + n < sizeof l->text);
    memcpy(l->text + l->used, text, n);
    l->used += n;
}

static void put_id(struct line *l, const char *key, uint64_t id)
{
    char digits[24];
    size_t at = sizeof digits;
    digits[--at] = '\0';
    do {
        digits[--at] = (char)('0' + id % 10);
        id /= 10;
    } while (id != 0);
    put(l, key);
    put(l, digits + at);
}

static void put_number(struct line *l, const char *key, int64_t value)
{
    put(l, key);
    put_id(l, value < 0 ? "-" : "", value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

/* A fixed-size name as one word: what could break a line or a word becomes '?', nothing is '-'. */
static void put_name(struct line *l, const char *key, const char *name, size_t bytes)
{
    put(l, key);
    size_t n = strnlen(name, bytes);
    if (n == 0)
        put(l, "-");
    for (size_t i = 0; i < n; i++) {
        char one[2] = {name[i] > ' ' && name[i] < 0x7f ? name[i] : '?', '\0'};
        put(l, one);
    }
}

/* Words of the venue keep their blanks as '_', so that a line splits at blanks. */
static void put_words(struct line *l, const char *key, const char *words, size_t bytes)
{
    char copy[FACT_NAME_BYTES] = {0};
    must(bytes <= sizeof copy);
    memcpy(copy, words, bytes);
    for (size_t i = 0; i < sizeof copy; i++) {
        if (copy[i] == ' ')
            copy[i] = '_';
    }
    put_name(l, key, copy, sizeof copy);
}

static void put_side(struct line *l, uint32_t side)
{
    put(l, side == VENUE_BUY ? " side=buy" : side == VENUE_SELL ? " side=sell" : " side=?");
}

static void give(const struct venue *v, struct line *l)
{
    must(l->used < sizeof l->text);
    l->text[l->used] = '\0';
    v->c.ledger(v->c.ledger_arg, l->text, l->used);
}

void ledger_begin(struct venue *v)
{
    if (v->c.ledger == NULL)
        return;
    struct line l = {.used = 0};
    put(&l, "tenon-venue-ledger 1");
    give(v, &l);
    l.used = 0;
    put_number(&l, "venue account=", v->c.account);
    put(&l, v->c.profile == VENUE_DEMO ? " profile=demo" : " profile=plain");
    put_number(&l, " maker_ppm=", v->c.maker_fee_ppm);
    put_number(&l, " taker_ppm=", v->c.taker_fee_ppm);
    give(v, &l);
}

void ledger_instrument(struct venue *v, const struct venue_book *b)
{
    if (v->c.ledger == NULL)
        return;
    struct line l = {.used = 0};
    const struct fact_instrument *d = &b->def;
    put_number(&l, "instrument id=", d->id);
    put_name(&l, " symbol=", d->symbol, sizeof d->symbol);
    put(&l, d->contract == FACT_INVERSE ? " contract=inverse" : " contract=linear");
    put_number(&l, " price_exp=", d->price_exp);
    put_number(&l, " qty_exp=", d->qty_exp);
    put_number(&l, " tick=", d->tick);
    put_number(&l, " lot=", d->lot);
    put_number(&l, " multiplier=", d->multiplier);
    put_number(&l, " multiplier_exp=", d->multiplier_exp);
    put_number(&l, " settle=", d->settle);
    put_number(&l, " settle_exp=", b->settle_exp);
    give(v, &l);
}

void ledger_resume(struct venue *v, const struct venue_book *b)
{
    if (v->c.ledger == NULL)
        return;
    struct line l = {.used = 0};
    put_number(&l, "resume instrument=", b->def.id);
    put_number(&l, " net=", b->net);
    give(v, &l);
}

void ledger_order(struct venue *v, int64_t t_ns, const struct fact_send *s)
{
    if (v->c.ledger == NULL)
        return;
    struct line l = {.used = 0};
    put_number(&l, "order t=", t_ns);
    put_id(&l, " order=", s->order);
    put_name(&l, " client=", s->client_id, sizeof s->client_id);
    put_number(&l, " instrument=", s->instrument);
    put_side(&l, s->side);
    put_number(&l, " qty=", s->qty);
    put_number(&l, " price=", s->price);
    put(&l, s->tif == FACT_GTC ? " tif=gtc" : s->tif == FACT_IOC ? " tif=ioc" : " tif=?");
    put_number(&l, " reduce_only=", s->reduce_only);
    give(v, &l);
}

void ledger_cancel_asked(struct venue *v, int64_t t_ns, const struct fact_cancel *c)
{
    if (v->c.ledger == NULL)
        return;
    struct line l = {.used = 0};
    put_number(&l, "ask_cancel t=", t_ns);
    put_id(&l, " order=", c->order);
    give(v, &l);
}

void ledger_query(struct venue *v, int64_t t_ns, const struct fact_query *q)
{
    if (v->c.ledger == NULL)
        return;
    struct line l = {.used = 0};
    put_number(&l, "ask_status t=", t_ns);
    put_id(&l, " order=", q->order);
    give(v, &l);
}

static const char *word_of(uint32_t kind)
{
    switch (kind) {
    case FACT_EXEC_NEW:
        return "accept";
    case FACT_EXEC_REJECTED:
        return "reject";
    case FACT_EXEC_TRADE:
        return "fill";
    case FACT_EXEC_CANCELED:
        return "cancel";
    case FACT_EXEC_CANCEL_REJECT:
        return "cancel_reject";
    case FACT_EXEC_CANCEL_LATE:
        return "cancel_late";
    case FACT_EXEC_EXPIRED:
        return "expire";
    case FACT_EXEC_VENUE_CANCEL:
        return "venue_cancel";
    case FACT_EXEC_STATUS:
        return "status";
    default:
        return "?";
    }
}

void ledger_exec(struct venue *v, const struct fact_exec *e, int64_t due_ns)
{
    if (v->c.ledger == NULL)
        return;
    struct line l = {.used = 0};
    put(&l, word_of(e->kind));
    put_number(&l, " t=", e->venue_ns);
    put_id(&l, " order=", e->order);
    put_id(&l, " venue_order=", e->venue_order);
    if (e->kind == FACT_EXEC_TRADE) {
        put_number(&l, " due=", due_ns);
        put_id(&l, " trade=", e->trade_id);
        put_number(&l, " instrument=", e->instrument);
        put_side(&l, e->side);
        put_number(&l, " qty=", e->last_qty);
        put_number(&l, " price=", e->last_price);
        put_number(&l, " fee=", e->fee);
        put(&l, e->liquidity == FACT_MAKER ? " liquidity=maker" : " liquidity=taker");
    }
    put_number(&l, " cum=", e->cum_qty);
    put_number(&l, " leaves=", e->leaves_qty);
    if (e->kind == FACT_EXEC_STATUS)
        put_number(&l, " found=", e->found);
    if (e->kind == FACT_EXEC_REJECTED || e->text[0] != '\0') {
        put_number(&l, " reason=", e->reason);
        put_words(&l, " text=", e->text, sizeof e->text);
    }
    give(v, &l);
}
