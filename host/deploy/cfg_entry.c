/* SPDX-License-Identifier: Apache-2.0
 *
 * Currencies and instruments, from a deployment or from the instruments file: the same entry form
 * in both. An empty entry `BTC-USD: {}` in a deployment means "as the instruments file says"; it
 * is looked up there by its symbol and its settle currency is matched by name, so both files must
 * know that currency but each keeps its own order.
 *
 * Exponents are for life (DECISIONS 10), hence required and never derived from the tick.
 */
#include <string.h>
#include "base/must.h"
#include "deploy/cfg_doc.h"
#include "tenon/draft/source.h"

#define DAY_NS 86400000000000ll

struct result cfg_rows(const struct cfg_file *f, const struct cfg_node *n, enum cfg_kind kind,
                       uint32_t max)
{
    if (n->kind != (uint32_t)kind)
        return cfg_fail(f, CFG_TYPE, n, "a %s is wanted here",
                        kind == CFG_MAP ? "mapping of names" : "list");
    if (n->count == 0)
        return cfg_fail(f, CFG_MISSING, n, "is empty; give at least one");
    if (n->count > max)
        return cfg_fail(f, CFG_FULL, n, "has %u entries; allowed 1 to %u", n->count, max);
    return OK_RESULT;
}

struct result cfg_currencies(const struct cfg_file *f, const struct cfg_node *map,
                             struct fact_currency *out, uint32_t *count)
{
    TRY(cfg_rows(f, map, CFG_MAP, DEPLOY_CURRENCIES_MAX));
    struct result r = OK_RESULT;
    *count = 0;
    for (const struct cfg_node *n = map->first; n != NULL && is_ok(r); n = n->next) {
        struct fact_currency *ccy = &out[*count];
        int64_t exp = 0;
        memset(ccy, 0, sizeof(*ccy));
        r = cfg_key_text(f, n, CFG_CURRENCY, ccy->name, sizeof(ccy->name));
        if (is_ok(r))
            r = cfg_keys(f, n, CFG_IN_CURRENCY);
        if (is_ok(r))
            r = cfg_read_int(f, n, CFG_IN_CURRENCY, "exponent", &exp);
        ccy->exp = (int32_t)exp;
        ccy->id = ++*count;
    }
    return r;
}

struct result cfg_currency_id(const struct cfg_file *f, const struct cfg_node *n, const char *name,
                              const struct fact_currency *ccy, uint32_t count, uint32_t *out)
{
    const char *known[DEPLOY_CURRENCIES_MAX];
    char hint[TRAIL_TEXT_BYTES];
    must(count <= DEPLOY_CURRENCIES_MAX);
    for (uint32_t i = 0; i < count; i++) {
        known[i] = ccy[i].name;
        if (strcmp(ccy[i].name, name) == 0) {
            *out = ccy[i].id;
            return OK_RESULT;
        }
    }
    cfg_hint(hint, sizeof(hint), "currency ", name, known, count);
    return cfg_fail(f, CFG_NAME, n, "the currency %s is not under currencies%s", name, hint);
}

struct result cfg_bar(const struct cfg_file *f, const struct cfg_node *n, int64_t *out)
{
    *out = 0;
    if (n->kind == CFG_SCALAR && !n->quoted && strcmp(n->text, "none") == 0)
        return OK_RESULT;
    TRY(cfg_duration(f, n, 1000000000, DAY_NS, out));
    if (*out % 1000000000 != 0 || DAY_NS % *out != 0)
        return cfg_fail(f, CFG_VALUE, n,
                        "bars of %s do not fill a day evenly; use 1s, 1m, 5m, 1h, 1d or another "
                        "whole part of a day",
                        n->text);
    return OK_RESULT;
}

/* tick, lot, min_qty, multiplier, price_max on the exponents just read. */
static struct result read_grid(const struct cfg_file *f, const struct cfg_node *e,
                               struct fact_instrument *i)
{
    const struct cfg_node *min_qty = cfg_get(e, "min_qty");
    const struct cfg_node *price_max = cfg_get(e, "price_max");
    TRY(cfg_read_decimal(f, e, CFG_IN_INSTRUMENT, "tick", i->price_exp, NULL, &i->tick));
    TRY(cfg_read_decimal(f, e, CFG_IN_INSTRUMENT, "lot", i->qty_exp, NULL, &i->lot));
    i->min_qty = i->lot;
    if (min_qty != NULL) {
        TRY(cfg_read_decimal(f, e, CFG_IN_INSTRUMENT, "min_qty", i->qty_exp, NULL, &i->min_qty));
        if (i->min_qty % i->lot != 0)
            return cfg_fail(f, CFG_CONFLICT, min_qty, "%s is no multiple of the lot %s",
                            min_qty->text, cfg_get(e, "lot")->text);
    }
    if (price_max != NULL) {
        TRY(cfg_read_decimal(f, e, CFG_IN_INSTRUMENT, "price_max", i->price_exp, NULL,
                             &i->price_max));
        if (i->price_max < i->tick)
            return cfg_fail(f, CFG_CONFLICT, price_max, "%s is below one tick", price_max->text);
    }
    return cfg_decimal_any(f, cfg_get(e, "multiplier"), &i->multiplier, &i->multiplier_exp);
}

static struct result read_times(const struct cfg_file *f, const struct cfg_node *e,
                                struct fact_instrument *i, uint32_t *stamp)
{
    uint32_t word = 0;
    const struct cfg_node *down = cfg_get(e, "down_after");
    TRY(cfg_bar(f, cfg_get(e, "bar"), &i->bar_ns));
    TRY(cfg_read_word(f, e, CFG_IN_INSTRUMENT, "stamp", &word));
    *stamp = word == 0 ? TN_STAMP_START : TN_STAMP_END;
    TRY(cfg_read_word(f, e, CFG_IN_INSTRUMENT, "session", &word));
    i->has_session = 0;
    TRY(cfg_read_duration(f, e, CFG_IN_INSTRUMENT, "degraded_after", &i->age_degraded_ns));
    TRY(cfg_read_duration(f, e, CFG_IN_INSTRUMENT, "down_after", &i->age_down_ns));
    if (i->age_down_ns < i->age_degraded_ns)
        return cfg_fail(f, CFG_CONFLICT, down, "%s is sooner than degraded_after %s", down->text,
                        cfg_get(e, "degraded_after")->text);
    if (i->age_degraded_ns < i->bar_ns)
        return cfg_fail(f, CFG_CONFLICT, cfg_get(e, "degraded_after"),
                        "%s is shorter than one bar of %s; data would never be healthy",
                        cfg_get(e, "degraded_after")->text, cfg_get(e, "bar")->text);
    return OK_RESULT;
}

struct result cfg_entry(const struct cfg_file *f, const struct cfg_node *e,
                        const struct fact_currency *ccy, uint32_t ccy_count,
                        struct fact_instrument *out, uint32_t *stamp)
{
    uint32_t word = 0;
    int64_t exp = 0;
    char settle[sizeof(ccy->name)];
    memset(out, 0, sizeof(*out));
    TRY(cfg_keys(f, e, CFG_IN_INSTRUMENT));
    TRY(cfg_key_text(f, e, CFG_SYMBOL, out->symbol, sizeof(out->symbol)));
    TRY(cfg_read_word(f, e, CFG_IN_INSTRUMENT, "contract", &word));
    out->contract = word == 0 ? FACT_LINEAR : FACT_INVERSE;
    TRY(cfg_read_int(f, e, CFG_IN_INSTRUMENT, "price_exponent", &exp));
    out->price_exp = (int32_t)exp;
    TRY(cfg_read_int(f, e, CFG_IN_INSTRUMENT, "qty_exponent", &exp));
    out->qty_exp = (int32_t)exp;
    TRY(read_grid(f, e, out));
    TRY(cfg_text(f, cfg_get(e, "settle"), CFG_CURRENCY, settle, sizeof(settle)));
    TRY(cfg_currency_id(f, cfg_get(e, "settle"), settle, ccy, ccy_count, &out->settle));
    return read_times(f, e, out, stamp);
}

/* What an instruments file does not hold, in the words of whoever asked. */
static struct result refuse_symbol(const struct cfg_file *table, const struct cfg_node *map,
                                   const struct cfg_file *asker, const struct cfg_node *asked,
                                   const char *symbol)
{
    static const size_t known_max = 256;
    const char *known[256];
    char hint[TRAIL_TEXT_BYTES];
    size_t count = 0;
    for (const struct cfg_node *n = map->first; n != NULL && count < known_max; n = n->next)
        known[count++] = n->key;
    cfg_hint(hint, sizeof(hint), "symbol ", symbol, known, count);
    if (asked != NULL)
        return cfg_fail_key(asker, CFG_NAME, asked,
                            "is empty here and %.60s has no such symbol; define it%s", table->path,
                            hint);
    return cfg_fail_key(table, CFG_NAME, map, "the instrument %.31s is not defined%s", symbol,
                        hint);
}

struct result cfg_entry_find(const struct cfg_file *table, const struct cfg_file *asker,
                             const struct cfg_node *asked, const char *symbol,
                             struct fact_instrument *out, struct fact_currency *ccy,
                             uint32_t *stamp)
{
    struct fact_currency all[DEPLOY_CURRENCIES_MAX];
    uint32_t count = 0;
    TRY(cfg_keys(table, table->root, CFG_IN_TABLE));
    TRY(cfg_schema(table));
    TRY(cfg_currencies(table, cfg_get(table->root, "currencies"), all, &count));
    const struct cfg_node *map = cfg_get(table->root, "instruments");
    TRY(cfg_is_map(table, map));
    const struct cfg_node *entry = cfg_get(map, symbol);
    if (entry == NULL)
        return refuse_symbol(table, map, asker, asked, symbol);
    TRY(cfg_entry(table, entry, all, count, out, stamp));
    must(out->settle >= 1 && out->settle <= count);
    *ccy = all[out->settle - 1];
    return OK_RESULT;
}

/* One name under `instruments` of a deployment: defined in place, or looked up. */
static struct result take_instrument(struct cfg_doc *c, const struct cfg_node *n)
{
    struct deploy_doc *d = c->d;
    uint32_t at = d->instrument_count;
    struct fact_instrument *i = &d->instrument[at];
    TRY(cfg_key_text(c->f, n, CFG_SYMBOL, c->symbol[at], sizeof(c->symbol[at])));
    TRY(cfg_is_map(c->f, n));
    if (n->count > 0 && c->as == NULL) {
        TRY(cfg_entry(c->f, n, d->currency, d->currency_count, i, &d->stamp[at]));
    } else {
        struct fact_currency ccy;
        const char *symbol = c->as != NULL ? c->as : n->key;
        if (c->table_path == NULL)
            return cfg_fail_key(c->f, CFG_NAME, n,
                                "is empty here and no instruments file was given; define it");
        if (c->table == NULL)
            TRY(cfg_open(c->table_path, c->f->tr, &c->table));
        TRY(cfg_entry_find(c->table, c->f, c->as != NULL ? NULL : n, symbol, i, &ccy,
                           &d->stamp[at]));
        TRY(cfg_currency_id(c->f, n, ccy.name, d->currency, d->currency_count, &i->settle));
    }
    d->line.instrument[at] = n->key_line;
    i->id = ++d->instrument_count;
    return OK_RESULT;
}

struct result cfg_instruments(struct cfg_doc *c)
{
    const struct cfg_node *map = cfg_get(c->f->root, "instruments");
    TRY(cfg_rows(c->f, map, CFG_MAP, DEPLOY_INSTRUMENTS_MAX));
    if (c->as != NULL && map->count != 1)
        return cfg_fail(c->f, CFG_CONFLICT, map,
                        "has %u instruments; only a deployment with one can be run with another "
                        "instrument (%.31s)",
                        map->count, c->as);
    struct result r = OK_RESULT;
    for (const struct cfg_node *n = map->first; n != NULL && is_ok(r); n = n->next)
        r = take_instrument(c, n);
    return r;
}
