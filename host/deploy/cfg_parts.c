/* SPDX-License-Identifier: Apache-2.0
 *
 * Accounts with their simulated venue, routes, and exchange rates. Only paper trading on simulated
 * accounts exists in this release; the words for the rest are known, so that the sentence can say
 * what brings them. A route whose instrument settles in another currency than its account needs a
 * rate from the one to the other: without it the gate would refuse every order, so the document is
 * refused instead.
 */
#include <string.h>
#include "base/must.h"
#include "deploy/cfg_doc.h"

static struct result read_venue(const struct cfg_file *f, const struct cfg_node *n,
                                struct deploy_venue *v)
{
    uint32_t word = 0;
    TRY(cfg_keys(f, n, CFG_IN_VENUE));
    TRY(cfg_read_word(f, n, CFG_IN_VENUE, "profile", &word));
    v->profile = word == 0 ? DEPLOY_PLAIN : DEPLOY_DEMO;
    const struct {
        const char *key;
        int exp; /* of the written number that gives the unit */
        int64_t *out;
    } number[] = {
        {"latency_ms", -6, &v->latency_ns},       {"jitter_ms", -6, &v->jitter_ns},
        {"maker_fee_bps", -2, &v->maker_fee_ppm}, {"taker_fee_bps", -2, &v->taker_fee_ppm},
        {"slippage_bps", -2, &v->slippage_ppm},   {"volume_part_pct", -4, &v->volume_part_ppm}};
    struct result r = OK_RESULT;
    for (size_t i = 0; i < sizeof(number) / sizeof(number[0]) && is_ok(r); i++)
        r = cfg_read_decimal(f, n, CFG_IN_VENUE, number[i].key, number[i].exp, NULL, number[i].out);
    return r;
}

static struct result take_account(struct cfg_doc *c, const struct cfg_node *n)
{
    struct deploy_doc *d = c->d;
    struct fact_account *a = &d->account[d->account_count];
    struct deploy_venue *v = &d->venue[d->account_count];
    char ccy[sizeof(d->currency[0].name)];
    bool simulated = false;
    memset(a, 0, sizeof(*a));
    TRY(cfg_key_text(c->f, n, CFG_ID, a->name, sizeof(a->name)));
    TRY(cfg_keys(c->f, n, CFG_IN_ACCOUNT));
    TRY(cfg_text(c->f, cfg_get(n, "currency"), CFG_CURRENCY, ccy, sizeof(ccy)));
    TRY(cfg_currency_id(c->f, cfg_get(n, "currency"), ccy, d->currency, d->currency_count,
                        &a->currency));
    TRY(cfg_read_decimal(c->f, n, CFG_IN_ACCOUNT, "balance", d->currency[a->currency - 1].exp, ccy,
                         &a->balance));
    TRY(cfg_bool(c->f, cfg_get(n, "simulated"), &simulated));
    if (!simulated)
        return cfg_fail(c->f, CFG_LATER, cfg_get(n, "simulated"),
                        "accounts at real venues come with a later release; write true");
    a->simulated = 1;
    TRY(read_venue(c->f, cfg_get(n, "venue"), v));
    TRY(cfg_adapter(c, n, a, &d->adapter[d->account_count]));
    d->line.account[d->account_count] = n->key_line;
    a->id = ++d->account_count;
    return OK_RESULT;
}

struct result cfg_accounts(struct cfg_doc *c)
{
    const struct cfg_node *map = cfg_get(c->f->root, "accounts");
    TRY(cfg_rows(c->f, map, CFG_MAP, DEPLOY_ACCOUNTS_MAX));
    struct result r = OK_RESULT;
    for (const struct cfg_node *n = map->first; n != NULL && is_ok(r); n = n->next)
        r = take_account(c, n);
    return r;
}

static struct result account_id(struct cfg_doc *c, const struct cfg_node *n, uint32_t *out)
{
    char name[FACT_NAME_BYTES], hint[TRAIL_TEXT_BYTES];
    const char *known[DEPLOY_ACCOUNTS_MAX];
    TRY(cfg_text(c->f, n, CFG_ID, name, sizeof(name)));
    for (uint32_t i = 0; i < c->d->account_count; i++) {
        known[i] = c->d->account[i].name;
        if (strcmp(known[i], name) == 0) {
            *out = i + 1;
            return OK_RESULT;
        }
    }
    cfg_hint(hint, sizeof(hint), "account ", name, known, c->d->account_count);
    return cfg_fail(c->f, CFG_NAME, n, "%s is not under accounts%s", name, hint);
}

static struct result read_env(const struct cfg_file *f, const struct cfg_node *n)
{
    static const char *const words[] = {"paper", "shadow", "live"};
    uint32_t word = 0;
    TRY(cfg_choice(f, n, words, 3, &word));
    if (word != 0)
        return cfg_fail(f, CFG_LATER, n, "%s trading comes with a later release; write paper",
                        words[word]);
    return OK_RESULT;
}

/* The settle currency can become the account's, by itself or by a rate. */
static struct result check_rate(struct cfg_doc *c, const struct cfg_node *n,
                                const struct fact_route *r)
{
    const struct deploy_doc *d = c->d;
    uint32_t from = d->instrument[r->instrument - 1].settle;
    uint32_t to = d->account[r->account - 1].currency;
    if (from == to)
        return OK_RESULT;
    for (uint32_t i = 0; i < d->rate_count; i++)
        if (d->rate[i].from == from && d->rate[i].to == to)
            return OK_RESULT;
    return cfg_fail(c->f, CFG_MISSING, n,
                    "%s settles in %s and account %s is in %s; add a rate %s/%s under rates",
                    d->instrument[r->instrument - 1].symbol, d->currency[from - 1].name,
                    d->account[r->account - 1].name, d->currency[to - 1].name,
                    d->currency[from - 1].name, d->currency[to - 1].name);
}

static struct result take_route(struct cfg_doc *c, const struct cfg_node *n)
{
    struct deploy_doc *d = c->d;
    struct fact_route *r = &d->route[d->route_count];
    memset(r, 0, sizeof(*r));
    TRY(cfg_keys(c->f, n, CFG_IN_ROUTE));
    TRY(cfg_instance_id(c, cfg_get(n, "strategy"), false, &r->strategy));
    TRY(cfg_instrument_id(c, cfg_get(n, "instrument"), false, &r->instrument));
    TRY(account_id(c, cfg_get(n, "account"), &r->account));
    TRY(read_env(c->f, cfg_get(n, "env")));
    const struct fact_currency *ccy = &d->currency[d->account[r->account - 1].currency - 1];
    TRY(cfg_read_decimal(c->f, n, CFG_IN_ROUTE, "budget", ccy->exp, ccy->name, &r->budget));
    if (d->instance[r->strategy - 1].instrument != r->instrument)
        return cfg_fail(
            c->f, CFG_CONFLICT, cfg_get(n, "instrument"), "strategy %s works on %s, not on %s",
            d->instance[r->strategy - 1].fact.name,
            c->symbol[d->instance[r->strategy - 1].instrument - 1], c->symbol[r->instrument - 1]);
    for (uint32_t i = 0; i < d->route_count; i++)
        if (d->route[i].strategy == r->strategy && d->route[i].instrument == r->instrument)
            return cfg_fail(c->f, CFG_DUPLICATE, n,
                            "routes[%u] already routes this strategy and instrument; keep one", i);
    TRY(check_rate(c, n, r));
    d->line.route[d->route_count++] = n->line;
    return OK_RESULT;
}

struct result cfg_routes(struct cfg_doc *c)
{
    const struct cfg_node *list = cfg_get(c->f->root, "routes");
    TRY(cfg_rows(c->f, list, CFG_LIST, DEPLOY_ROUTES_MAX));
    struct result r = OK_RESULT;
    for (const struct cfg_node *n = list->first; n != NULL && is_ok(r); n = n->next)
        r = take_route(c, n);
    return r;
}

/* The key EUR/USD: two currencies of the document. */
static struct result read_pair(struct cfg_doc *c, const struct cfg_node *n, struct fact_rate *r)
{
    const struct deploy_doc *d = c->d;
    char pair[2 * sizeof(d->currency[0].name)];
    const char *slash = strchr(n->key, '/');
    if (slash == NULL || strchr(slash + 1, '/') != NULL || strlen(n->key) >= sizeof(pair))
        return cfg_fail_key(c->f, CFG_VALUE, n, "two currencies are wanted here, like EUR/USD");
    memcpy(pair, n->key, strlen(n->key) + 1);
    pair[slash - n->key] = 0;
    TRY(cfg_currency_id(c->f, n, pair, d->currency, d->currency_count, &r->from));
    TRY(cfg_currency_id(c->f, n, slash + 1, d->currency, d->currency_count, &r->to));
    if (r->from == r->to)
        return cfg_fail_key(c->f, CFG_VALUE, n, "both currencies are the same; remove the rate");
    return OK_RESULT;
}

static struct result take_rate(struct cfg_doc *c, const struct cfg_node *n)
{
    struct deploy_doc *d = c->d;
    struct fact_rate *r = &d->rate[d->rate_count];
    const struct cfg_node *constant, *mark, *age;
    memset(r, 0, sizeof(*r));
    TRY(read_pair(c, n, r));
    TRY(cfg_keys(c->f, n, CFG_IN_RATE));
    constant = cfg_get(n, "constant");
    mark = cfg_get(n, "instrument");
    age = cfg_get(n, "max_age");
    if ((constant != NULL) == (mark != NULL) || (mark != NULL) != (age != NULL))
        return cfg_fail(c->f, CFG_CONFLICT, n,
                        "give either constant alone, or instrument and max_age together");
    if (constant != NULL)
        TRY(cfg_decimal_any(c->f, constant, &r->rate, &r->exp));
    if (mark != NULL) {
        TRY(cfg_instrument_id(c, mark, false, &r->instrument));
        TRY(cfg_read_duration(c->f, n, CFG_IN_RATE, "max_age", &r->max_age_ns));
        const struct fact_instrument *i = &d->instrument[r->instrument - 1];
        r->exp = i->price_exp;
        uint32_t wanted = i->contract == FACT_INVERSE ? r->from : r->to;
        if (i->settle != wanted)
            return cfg_fail(c->f, CFG_CONFLICT, mark,
                            "%s settles in %s and not in %s, so its price is not this rate",
                            i->symbol, d->currency[i->settle - 1].name,
                            d->currency[wanted - 1].name);
    }
    d->line.rate[d->rate_count++] = n->key_line;
    return OK_RESULT;
}

struct result cfg_rates(struct cfg_doc *c)
{
    const struct cfg_node *map = cfg_get(c->f->root, "rates");
    if (map == NULL)
        return OK_RESULT;
    TRY(cfg_rows(c->f, map, CFG_MAP, DEPLOY_RATES_MAX));
    struct result r = OK_RESULT;
    for (const struct cfg_node *n = map->first; n != NULL && is_ok(r); n = n->next)
        r = take_rate(c, n);
    return r;
}
