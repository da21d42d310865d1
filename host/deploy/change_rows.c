/* SPDX-License-Identifier: Apache-2.0
 *
 * Differences of currencies, accounts and instruments. Of an instrument that both documents have
 * only what differs is listed, one row per key; one that came or went is one row.
 *
 * Risk: what lets older or less believable data through, and an account that was not there, raise
 * it. The rest of an instrument (tick, lot, bars) says how the market is, not how much is risked.
 */
#include <stdio.h>
#include <string.h>
#include "base/must.h"
#include "base/num.h"
#include "deploy/cfg.h"
#include "deploy/change_priv.h"
#include "tenon/draft/source.h"

enum { WORD_BYTES = 64 };

static void decimal(int64_t mantissa, int exp, char out[WORD_BYTES])
{
    char text[NUM_TEXT_BYTES];
    num_print(mantissa, exp, text);
    snprintf(out, WORD_BYTES, "%s", text);
}

static void path_to(char out[96], const char *section, const char *name, const char *key)
{
    snprintf(out, 96, "%s.%.31s%s%.32s", section, name, key[0] != 0 ? "." : "", key);
}

static void currencies(struct change_pair *p)
{
    char path[96], was[WORD_BYTES], is[WORD_BYTES];
    for (uint32_t i = 0; i < p->is->currency_count; i++) {
        const struct fact_currency *c = &p->is->currency[i];
        uint32_t old = change_currency(p->was, c->name);
        struct change_at at = {old != CHANGE_NONE ? p->was->line.currency[old] : 0,
                               p->is->line.currency[i]};
        path_to(path, "currencies", c->name, old != CHANGE_NONE ? "exponent" : "");
        snprintf(was, sizeof(was), "%d", old != CHANGE_NONE ? p->was->currency[old].exp : 0);
        snprintf(is, sizeof(is), "%d", c->exp);
        if (old == CHANGE_NONE)
            change_add(p, CHANGE_MARKET, CHANGE_SAME, at, path, "", "new");
        else
            change_text(p, CHANGE_MARKET, CHANGE_SAME, at, path, was, is);
    }
    for (uint32_t i = 0; i < p->was->currency_count; i++) {
        path_to(path, "currencies", p->was->currency[i].name, "");
        if (change_currency(p->is, p->was->currency[i].name) == CHANGE_NONE)
            change_add(p, CHANGE_MARKET, CHANGE_SAME,
                       (struct change_at){p->was->line.currency[i], 0}, path, "defined", "");
    }
}

enum { ACCOUNT_KEYS = 8 };
static const char *const account_key[ACCOUNT_KEYS] = {"currency",
                                                      "balance",
                                                      "venue.profile",
                                                      "venue.latency_ms",
                                                      "venue.jitter_ms",
                                                      "venue.maker_fee_bps",
                                                      "venue.taker_fee_bps",
                                                      "venue.slippage_bps"};

static void account_word(const struct deploy_doc *d, uint32_t i, uint32_t key, char out[WORD_BYTES])
{
    const struct deploy_venue *v = &d->venue[i];
    const int64_t number[ACCOUNT_KEYS] = {
        0, 0, 0, v->latency_ns, v->jitter_ns, v->maker_fee_ppm, v->taker_fee_ppm, v->slippage_ppm};
    if (key == 0)
        snprintf(out, WORD_BYTES, "%s", change_money_of(d, i));
    else if (key == 1)
        decimal(d->account[i].balance, d->currency[d->account[i].currency - 1].exp, out);
    else if (key == 2)
        snprintf(out, WORD_BYTES, "%s", v->profile == DEPLOY_DEMO ? "demo" : "plain");
    else
        decimal(number[key], key <= 4 ? -6 : -2, out);
}

static void account(struct change_pair *p, uint32_t old, uint32_t i)
{
    char path[96], was[WORD_BYTES], is[WORD_BYTES];
    struct change_at at = {p->was->line.account[old], p->is->line.account[i]};
    const char *name = p->is->account[i].name;
    for (uint32_t key = 0; key < ACCOUNT_KEYS; key++) {
        path_to(path, "accounts", name, account_key[key]);
        account_word(p->was, old, key, was);
        account_word(p->is, i, key, is);
        change_text(p, CHANGE_MARKET, CHANGE_SAME, at, path, was, is);
    }
    path_to(path, "accounts", name, "venue.volume_part_pct");
    decimal(p->was->venue[old].volume_part_ppm, -4, was);
    decimal(p->is->venue[i].volume_part_ppm, -4, is);
    change_text(p, CHANGE_MARKET, CHANGE_SAME, at, path, was, is);
}

/* The way to the venue: an adapter may be swapped, where it leads may not. */
static void adapter(struct change_pair *p, uint32_t old, uint32_t i)
{
    static const char *const words[] = {"engine", "egress"};
    const struct deploy_adapter *was = &p->was->adapter[old], *is = &p->is->adapter[i];
    struct change_at at = {p->was->line.account[old], p->is->line.account[i]};
    const char *name = p->is->account[i].name;
    char path[96], before[WORD_BYTES], after[WORD_BYTES];
    path_to(path, "accounts", name, "via");
    change_text(p, CHANGE_MARKET, CHANGE_SAME, at, path, words[p->was->account[old].via != 0],
                words[p->is->account[i].via != 0]);
    path_to(path, "accounts", name, "adapter.plugin");
    change_text(p, CHANGE_PLUGIN, CHANGE_SAME, at, path, was->plugin, is->plugin);
    path_to(path, "accounts", name, "adapter.version");
    change_text(p, CHANGE_PLUGIN, CHANGE_SAME, at, path, was->version, is->version);
    path_to(path, "accounts", name, "adapter.sha256");
    snprintf(before, sizeof(before), "%.12s", was->sha256_hex);
    snprintf(after, sizeof(after), "%.12s", is->sha256_hex);
    change_text(p, CHANGE_PLUGIN, CHANGE_SAME, at, path, before, after);
    path_to(path, "accounts", name, "adapter.secret");
    change_text(p, CHANGE_MARKET, CHANGE_SAME, at, path, was->secret, is->secret);
    for (uint32_t k = 0; k < DEPLOY_ENDPOINTS_MAX; k++) {
        path_to(path, "accounts", name, "adapter.endpoints");
        snprintf(before, sizeof(before), "%.40s", was->endpoint[k].address);
        snprintf(after, sizeof(after), "%.40s", is->endpoint[k].address);
        change_text(p, CHANGE_MARKET, CHANGE_SAME, at, path, before, after);
    }
}

static void accounts(struct change_pair *p)
{
    char path[96], text[WORD_BYTES], balance[WORD_BYTES];
    for (uint32_t i = 0; i < p->is->account_count; i++) {
        uint32_t old = change_account(p->was, p->is->account[i].name);
        if (old != CHANGE_NONE) {
            account(p, old, i);
            adapter(p, old, i);
            continue;
        }
        path_to(path, "accounts", p->is->account[i].name, "");
        account_word(p->is, i, 1, balance);
        snprintf(text, sizeof(text), "%.40s %s", balance, change_money_of(p->is, i));
        change_add(p, CHANGE_MARKET, CHANGE_RAISES, (struct change_at){0, p->is->line.account[i]},
                   path, "", text);
    }
    for (uint32_t i = 0; i < p->was->account_count; i++) {
        path_to(path, "accounts", p->was->account[i].name, "");
        if (change_account(p->is, p->was->account[i].name) == CHANGE_NONE)
            change_add(p, CHANGE_MARKET, CHANGE_TIGHTENS,
                       (struct change_at){p->was->line.account[i], 0}, path,
                       change_money_of(p->was, i), "");
    }
}

/* What of an instrument is listed, in the order of its keys; direction of a greater value. */
enum field {
    FIELD_UNSET = 0,
    FIELD_CONTRACT,
    FIELD_PRICE_EXPONENT,
    FIELD_QTY_EXPONENT,
    FIELD_TICK,
    FIELD_LOT,
    FIELD_MIN_QTY,
    FIELD_MULTIPLIER,
    FIELD_SETTLE,
    FIELD_BAR,
    FIELD_STAMP,
    FIELD_DEGRADED,
    FIELD_DOWN,
    FIELD_PRICE_MAX,
    FIELD_COUNT
};
static const char *const field_key[FIELD_COUNT] = {
    "unset", "contract",       "price_exponent", "qty_exponent", "tick",
    "lot",   "min_qty",        "multiplier",     "settle",       "bar",
    "stamp", "degraded_after", "down_after",     "price_max"};

static void bar_word(int64_t ns, char out[WORD_BYTES])
{
    char text[32] = "none";
    if (ns != 0)
        cfg_duration_text(ns, text);
    snprintf(out, WORD_BYTES, "%s", text);
}

static void field_word(const struct deploy_doc *d, uint32_t at, enum field f, char out[WORD_BYTES])
{
    const struct fact_instrument *i = &d->instrument[at];
    switch (f) {
    case FIELD_CONTRACT:
        snprintf(out, WORD_BYTES, "%s", i->contract == FACT_INVERSE ? "inverse" : "linear");
        break;
    case FIELD_PRICE_EXPONENT:
    case FIELD_QTY_EXPONENT:
        snprintf(out, WORD_BYTES, "%d", f == FIELD_QTY_EXPONENT ? i->qty_exp : i->price_exp);
        break;
    case FIELD_TICK:
        decimal(i->tick, i->price_exp, out);
        break;
    case FIELD_LOT:
    case FIELD_MIN_QTY:
        decimal(f == FIELD_LOT ? i->lot : i->min_qty, i->qty_exp, out);
        break;
    case FIELD_MULTIPLIER:
        decimal(i->multiplier, i->multiplier_exp, out);
        break;
    case FIELD_SETTLE:
        snprintf(out, WORD_BYTES, "%s", change_settle_of(d, at));
        break;
    case FIELD_STAMP:
        snprintf(out, WORD_BYTES, "%s", d->stamp[at] == TN_STAMP_END ? "end" : "start");
        break;
    case FIELD_BAR:
        bar_word(i->bar_ns, out);
        break;
    case FIELD_DEGRADED:
    case FIELD_DOWN:
        bar_word(f == FIELD_DOWN ? i->age_down_ns : i->age_degraded_ns, out);
        break;
    default:
        must(f == FIELD_PRICE_MAX);
        out[0] = 0;
        if (i->price_max != 0)
            decimal(i->price_max, i->price_exp, out);
    }
}

static uint32_t direction_of(int64_t was, int64_t is)
{
    return is > was ? CHANGE_RAISES : is < was ? CHANGE_TIGHTENS : CHANGE_SAME;
}

static uint32_t field_direction(const struct fact_instrument *was, const struct fact_instrument *is,
                                enum field f)
{
    switch (f) {
    case FIELD_DEGRADED:
        return direction_of(was->age_degraded_ns, is->age_degraded_ns);
    case FIELD_DOWN:
        return direction_of(was->age_down_ns, is->age_down_ns);
    case FIELD_PRICE_MAX: /* 0 = no bound */
        return direction_of(was->price_max != 0 ? was->price_max : INT64_MAX,
                            is->price_max != 0 ? is->price_max : INT64_MAX);
    default:
        return CHANGE_SAME;
    }
}

static void instruments(struct change_pair *p)
{
    char path[96], was[WORD_BYTES], is[WORD_BYTES];
    for (uint32_t i = 0; i < p->is->instrument_count; i++) {
        const struct fact_instrument *e = &p->is->instrument[i];
        uint32_t old = change_instrument(p->was, e->symbol);
        struct change_at at = {old != CHANGE_NONE ? p->was->line.instrument[old] : 0,
                               p->is->line.instrument[i]};
        if (old == CHANGE_NONE) {
            path_to(path, "instruments", e->symbol, "");
            change_add(p, CHANGE_MARKET, CHANGE_SAME, at, path, "", "new");
        }
        for (enum field f = FIELD_CONTRACT; f < FIELD_COUNT && old != CHANGE_NONE; f++) {
            path_to(path, "instruments", e->symbol, field_key[f]);
            field_word(p->was, old, f, was);
            field_word(p->is, i, f, is);
            change_text(p, CHANGE_MARKET, field_direction(&p->was->instrument[old], e, f), at, path,
                        was, is);
        }
    }
    for (uint32_t i = 0; i < p->was->instrument_count; i++) {
        path_to(path, "instruments", p->was->instrument[i].symbol, "");
        if (change_instrument(p->is, p->was->instrument[i].symbol) == CHANGE_NONE)
            change_add(p, CHANGE_MARKET, CHANGE_SAME,
                       (struct change_at){p->was->line.instrument[i], 0}, path, "defined", "");
    }
}

void change_markets(struct change_pair *p)
{
    currencies(p);
    accounts(p);
    instruments(p);
}
