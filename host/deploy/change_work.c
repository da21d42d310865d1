/* SPDX-License-Identifier: Apache-2.0
 *
 * Differences of what works: instances, routes, rates, times; and which bays they make others.
 *
 * A strategy is an instance that no other one listens to: the document does not say what kind a
 * plugin is, but an indicator that nobody listens to is refused when it is loaded. Its bay holds
 * private copies of the indicators it listens to, so it is another bay as soon as one of them is
 * other. Tick and lot of an instrument count too: a plugin is told them once, when it is created.
 *
 * Risk: a route that was not there, a higher budget, another exchange rate (it values everything,
 * and which way it moves risk depends on what is held), a later or dropped run_until.
 */
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/must.h"
#include "base/num.h"
#include "deploy/cfg.h"
#include "deploy/change_priv.h"

enum { WORD_BYTES = 96 };

/* One instance in both documents. */
struct both {
    struct change_pair *p;
    const struct deploy_instance *was, *is;
    bool differs;
};

static void row(struct both *b, uint32_t kind, struct change_at at, const char *key,
                const char *name, const char *was, const char *is)
{
    char path[96];
    if (strcmp(was, is) == 0)
        return;
    b->differs = true;
    snprintf(path, sizeof(path), "instances.%.31s.%.8s%s%.31s", b->is->fact.name, key,
             name[0] != 0 ? "." : "", name);
    change_add(b->p, kind, CHANGE_SAME, at, path, was, is);
}

static void digits(const char *hex, char out[WORD_BYTES])
{
    snprintf(out, WORD_BYTES, "%.12s", hex);
}

static void plugin(struct both *b)
{
    char was[WORD_BYTES], is[WORD_BYTES];
    struct change_at at = {b->was->line, b->is->line};
    row(b, CHANGE_PLUGIN, at, "plugin", "", b->was->fact.plugin, b->is->fact.plugin);
    row(b, CHANGE_PLUGIN, at, "version", "", b->was->fact.version, b->is->fact.version);
    digits(b->was->sha256_hex, was);
    digits(b->is->sha256_hex, is);
    if (strcmp(b->was->sha256_hex, b->is->sha256_hex) != 0)
        row(b, CHANGE_PLUGIN, at, "sha256", "", was, is);
    else if (b->is->sha256_hex[0] == 0) /* a pin says which file it is, wherever it lies */
        row(b, CHANGE_PLUGIN, at, "path", "", b->was->path, b->is->path);
}

static void length_word(int64_t ns, bool none, char out[32])
{
    memcpy(out, "none", 5);
    if (ns != 0 || !none)
        cfg_duration_text(ns, out);
}

/* Where it runs, and how: a change is another bay. */
static void bay_word(const struct deploy_bay *b, char out[32])
{
    static const char *const wake[] = {"", "spin", "hybrid", "block"};
    if (!b->is_process)
        snprintf(out, 32, "inline");
    else if (b->cpu < 0)
        snprintf(out, 32, "process%s, %s", b->is_contained ? ", contained" : "", wake[b->wake]);
    else
        snprintf(out, 32, "process%s, %s, cpu %d", b->is_contained ? ", cont." : "", wake[b->wake],
                 b->cpu % 1024);
}

static void bindings(struct both *b)
{
    char was[32], is[32];
    const struct deploy_doc *o = b->p->was, *n = b->p->is;
    struct change_at at = {b->was->line, b->is->line};
    row(b, CHANGE_PARAMS, at, "instrument", "", o->instrument[b->was->instrument - 1].symbol,
        n->instrument[b->is->instrument - 1].symbol);
    length_word(b->was->bar_ns, true, was);
    length_word(b->is->bar_ns, true, is);
    row(b, CHANGE_PARAMS, at, "bar", "", was, is);
    length_word(b->was->fact.due_ns, false, was);
    length_word(b->is->fact.due_ns, false, is);
    row(b, CHANGE_PARAMS, at, "due", "", was, is);
    bay_word(&b->was->bay, was);
    bay_word(&b->is->bay, is);
    row(b, CHANGE_PARAMS, at, "bay", "", was, is);
}

/* 0.10 and 0.1 are one number: the text without the fraction's last zeros. */
static void plain(const char *text, char out[48])
{
    size_t n = strlen(text);
    must(n < 48);
    memcpy(out, text, n + 1);
    if (strchr(out, '.') == NULL)
        return;
    while (out[n - 1] == '0')
        out[--n] = 0;
    if (out[n - 1] == '.')
        out[n - 1] = 0;
}

static uint32_t find_param(const struct deploy_instance *i, const char *name)
{
    for (uint32_t k = 0; k < i->param_count; k++)
        if (strncmp(i->param[k].name, name, TN_NAME_BYTES) == 0)
            return k;
    return CHANGE_NONE;
}

static void params(struct both *b)
{
    char was[48], is[48];
    for (uint32_t k = 0; k < b->is->param_count; k++) {
        uint32_t old = find_param(b->was, b->is->param[k].name);
        struct change_at at = {old != CHANGE_NONE ? b->was->param[old].line : 0,
                               b->is->param[k].line};
        plain(old != CHANGE_NONE ? b->was->param[old].text : "", was);
        plain(b->is->param[k].text, is);
        if (strcmp(was, is) != 0)
            row(b, CHANGE_PARAMS, at, "params", b->is->param[k].name,
                old != CHANGE_NONE ? b->was->param[old].text : "", b->is->param[k].text);
    }
    for (uint32_t k = 0; k < b->was->param_count; k++)
        if (find_param(b->is, b->was->param[k].name) == CHANGE_NONE)
            row(b, CHANGE_PARAMS, (struct change_at){b->was->param[k].line, 0}, "params",
                b->was->param[k].name, b->was->param[k].text, "");
}

static uint32_t find_input(const struct deploy_instance *i, const char *name)
{
    for (uint32_t k = 0; k < i->input_count; k++)
        if (strncmp(i->input[k].name, name, TN_NAME_BYTES) == 0)
            return k;
    return CHANGE_NONE;
}

static void input_word(const struct deploy_instance *i, uint32_t k, char out[WORD_BYTES])
{
    out[0] = 0;
    if (k != CHANGE_NONE)
        snprintf(out, WORD_BYTES, "%.31s.%.31s", i->input[k].instance, i->input[k].output);
}

static void inputs(struct both *b)
{
    char was[WORD_BYTES], is[WORD_BYTES];
    for (uint32_t k = 0; k < b->is->input_count; k++) {
        uint32_t old = find_input(b->was, b->is->input[k].name);
        struct change_at at = {old != CHANGE_NONE ? b->was->input[old].line : 0,
                               b->is->input[k].line};
        input_word(b->was, old, was);
        input_word(b->is, k, is);
        row(b, CHANGE_PARAMS, at, "inputs", b->is->input[k].name, was, is);
    }
    for (uint32_t k = 0; k < b->was->input_count; k++) {
        input_word(b->was, k, was);
        if (find_input(b->is, b->was->input[k].name) == CHANGE_NONE)
            row(b, CHANGE_PARAMS, (struct change_at){b->was->input[k].line, 0}, "inputs",
                b->was->input[k].name, was, "");
    }
}

/* What a plugin was told about its instrument when it was created. */
static bool is_told_other(const struct both *b)
{
    const struct fact_instrument *o = &b->p->was->instrument[b->was->instrument - 1];
    const struct fact_instrument *n = &b->p->is->instrument[b->is->instrument - 1];
    return o->tick != n->tick || o->lot != n->lot || o->price_exp != n->price_exp ||
           o->qty_exp != n->qty_exp;
}

/* The row of an instance that only one of the documents has. */
static void lone(struct change_pair *p, const struct deploy_instance *i, bool is_new)
{
    char path[96], text[WORD_BYTES];
    snprintf(path, sizeof(path), "instances.%.31s", i->fact.name);
    snprintf(text, sizeof(text), "%.31s %.31s", i->fact.plugin, i->fact.version);
    struct change_at at = {is_new ? 0 : i->line, is_new ? i->line : 0};
    change_add(p, is_new ? CHANGE_ADDED : CHANGE_REMOVED, CHANGE_SAME, at, path, is_new ? "" : text,
               is_new ? text : "");
}

void change_instances(struct change_pair *p)
{
    for (uint32_t i = 0; i < p->is->instance_count; i++) {
        uint32_t old = change_instance(p->was, p->is->instance[i].fact.name);
        if (old == CHANGE_NONE) {
            lone(p, &p->is->instance[i], true);
            p->out->differs[i] = true;
            continue;
        }
        struct both b = {.p = p, .was = &p->was->instance[old], .is = &p->is->instance[i]};
        plugin(&b);
        bindings(&b);
        params(&b);
        inputs(&b);
        p->out->differs[i] = b.differs || is_told_other(&b);
    }
    for (uint32_t i = 0; i < p->was->instance_count; i++)
        if (change_instance(p->is, p->was->instance[i].fact.name) == CHANGE_NONE)
            lone(p, &p->was->instance[i], false);
}

static bool is_listened_to(const struct deploy_doc *d, const char *name)
{
    for (uint32_t i = 0; i < d->instance_count; i++)
        for (uint32_t k = 0; k < d->instance[i].input_count; k++)
            if (strcmp(d->instance[i].input[k].instance, name) == 0)
                return true;
    return false;
}

void change_swaps(struct change_pair *p)
{
    struct change *out = p->out;
    for (uint32_t i = 0; i < p->is->instance_count; i++) {
        const struct deploy_instance *s = &p->is->instance[i];
        if (is_listened_to(p->is, s->fact.name))
            continue;
        out->swaps[i] = out->differs[i];
        for (uint32_t k = 0; k < s->input_count; k++) {
            uint32_t at = change_instance(p->is, s->input[k].instance);
            must(at != CHANGE_NONE); /* the parser refuses what is not there */
            out->swaps[i] |= out->differs[at];
        }
        out->swap_count += out->swaps[i];
    }
}

static void money_word(const struct deploy_doc *d, uint32_t route, char out[WORD_BYTES])
{
    char text[NUM_TEXT_BYTES];
    uint32_t account = d->route[route].account - 1;
    num_print(d->route[route].budget, d->currency[d->account[account].currency - 1].exp, text);
    snprintf(out, WORD_BYTES, "%s %s", text, change_money_of(d, account));
}

static void route(struct change_pair *p, uint32_t old, uint32_t i)
{
    char path[96], was[WORD_BYTES], is[WORD_BYTES];
    struct change_at at = {p->was->line.route[old], p->is->line.route[i]};
    const struct fact_route *o = &p->was->route[old], *n = &p->is->route[i];
    snprintf(path, sizeof(path), "routes.%.31s.%.31s.account", change_strategy_of(p->is, i),
             change_symbol_of(p->is, i));
    change_text(p, CHANGE_ROUTE, CHANGE_RAISES, at, path, p->was->account[o->account - 1].name,
                p->is->account[n->account - 1].name);
    snprintf(path, sizeof(path), "routes.%.31s.%.31s.budget", change_strategy_of(p->is, i),
             change_symbol_of(p->is, i));
    money_word(p->was, old, was);
    money_word(p->is, i, is);
    change_text(p, CHANGE_BUDGET, n->budget > o->budget ? CHANGE_RAISES : CHANGE_TIGHTENS, at, path,
                was, is);
}

/* The row of a route that only one of the documents has. */
static void lone_route(struct change_pair *p, const struct deploy_doc *d, uint32_t i, bool is_new)
{
    char path[96], money[WORD_BYTES], text[WORD_BYTES];
    snprintf(path, sizeof(path), "routes.%.31s.%.31s", change_strategy_of(d, i),
             change_symbol_of(d, i));
    money_word(d, i, money);
    snprintf(text, sizeof(text), "%.31s, budget %.50s", d->account[d->route[i].account - 1].name,
             money);
    struct change_at at = {is_new ? 0 : d->line.route[i], is_new ? d->line.route[i] : 0};
    change_add(p, CHANGE_ROUTE, is_new ? CHANGE_RAISES : CHANGE_TIGHTENS, at, path,
               is_new ? "" : text, is_new ? text : "");
}

void change_routes(struct change_pair *p)
{
    for (uint32_t i = 0; i < p->is->route_count; i++) {
        uint32_t old =
            change_route(p->was, change_strategy_of(p->is, i), change_symbol_of(p->is, i));
        if (old != CHANGE_NONE)
            route(p, old, i);
        else
            lone_route(p, p->is, i, true);
    }
    for (uint32_t i = 0; i < p->was->route_count; i++)
        if (change_route(p->is, change_strategy_of(p->was, i), change_symbol_of(p->was, i)) ==
            CHANGE_NONE)
            lone_route(p, p->was, i, false);
}

static void rate_word(const struct deploy_doc *d, uint32_t i, char out[WORD_BYTES])
{
    const struct fact_rate *r = &d->rate[i];
    char text[NUM_TEXT_BYTES], age[32];
    num_print(r->rate, r->exp, text);
    cfg_duration_text(r->max_age_ns, age);
    if (r->instrument == 0)
        snprintf(out, WORD_BYTES, "%s", text);
    else
        snprintf(out, WORD_BYTES, "%.31s, at most %s old", d->instrument[r->instrument - 1].symbol,
                 age);
}

uint32_t change_rate(const struct deploy_doc *d, const struct deploy_doc *of, uint32_t i)
{
    const char *from = of->currency[of->rate[i].from - 1].name;
    const char *to = of->currency[of->rate[i].to - 1].name;
    for (uint32_t k = 0; k < d->rate_count; k++)
        if (strcmp(d->currency[d->rate[k].from - 1].name, from) == 0 &&
            strcmp(d->currency[d->rate[k].to - 1].name, to) == 0)
            return k;
    return CHANGE_NONE;
}

static void rate(struct change_pair *p, const struct deploy_doc *d, uint32_t i, bool is_new)
{
    char path[96], was[WORD_BYTES] = "", is[WORD_BYTES] = "";
    uint32_t old = is_new ? change_rate(p->was, d, i) : i;
    snprintf(path, sizeof(path), "rates.%s/%s", d->currency[d->rate[i].from - 1].name,
             d->currency[d->rate[i].to - 1].name);
    if (old != CHANGE_NONE)
        rate_word(p->was, old, was);
    if (is_new)
        rate_word(p->is, i, is);
    struct change_at at = {old != CHANGE_NONE ? p->was->line.rate[old] : 0,
                           is_new ? p->is->line.rate[i] : 0};
    change_text(p, CHANGE_RATE, is_new && old != CHANGE_NONE ? CHANGE_RAISES : CHANGE_SAME, at,
                path, was, is);
}

void change_rates(struct change_pair *p)
{
    for (uint32_t i = 0; i < p->is->rate_count; i++)
        rate(p, p->is, i, true);
    for (uint32_t i = 0; i < p->was->rate_count; i++)
        if (change_rate(p->is, p->was, i) == CHANGE_NONE)
            rate(p, p->was, i, false);
}

static void until_word(int64_t ns, char out[CLOCK_TEXT_BYTES])
{
    out[0] = 0;
    if (ns == 0)
        return;
    clock_print(ns, out);
    memcpy(out + strlen("2026-11-20T13:00:00"), "Z", 2); /* whole seconds */
}

static void swap_row(struct change_pair *p, const char *path, int64_t was, int64_t is, bool count)
{
    char before[32], after[32];
    struct change_at at = {p->was->line.swap, p->is->line.swap};
    if (count) {
        snprintf(before, sizeof(before), "%lld", (long long)was);
        snprintf(after, sizeof(after), "%lld", (long long)is);
    } else {
        cfg_duration_text(was, before);
        cfg_duration_text(is, after);
    }
    change_text(p, CHANGE_TIMES, CHANGE_SAME, at, path, before, after);
}

void change_times(struct change_pair *p)
{
    char was[CLOCK_TEXT_BYTES], is[CLOCK_TEXT_BYTES];
    const struct deploy_doc *o = p->was, *n = p->is;
    int64_t end_was = o->run_until_ns != 0 ? o->run_until_ns : INT64_MAX;
    int64_t end_is = n->run_until_ns != 0 ? n->run_until_ns : INT64_MAX;
    until_word(o->run_until_ns, was);
    until_word(n->run_until_ns, is);
    change_text(p, CHANGE_TIMES, end_is > end_was ? CHANGE_RAISES : CHANGE_TIGHTENS,
                (struct change_at){o->line.run_until, n->line.run_until}, "run_until", was, is);
    if (o->route_count == 0)
        return; /* there was none: nothing to compare how it swaps with */
    swap_row(p, "swap.hear", o->hear_ns, n->hear_ns, false);
    swap_row(p, "swap.probation", o->probation_ns, n->probation_ns, false);
    swap_row(p, "swap.denials", o->denials, n->denials, true);
}
