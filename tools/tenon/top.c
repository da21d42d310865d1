/* SPDX-License-Identifier: Apache-2.0
 *
 * From status to lines. What is shown is taken from the same JSON that `tenon status --json`
 * prints; amounts stay the exact text they came as, and are only added up where they share a
 * currency and an exponent. A status that has grown old says so in its first line, in words.
 */
#include "tools/tenon/top.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "gateway/status.h"

struct drawing {
    const json_t *now, *before;
    int64_t between_ns;
    const struct top_view *view;
    struct top_frame *out;
};

static void put(struct drawing *d, enum top_look look, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void put(struct drawing *d, enum top_look look, const char *fmt, ...)
{
    va_list ap;
    if (d->out->count == TOP_LINES_MAX)
        return;
    char *text = d->out->line[d->out->count].text;
    d->out->line[d->out->count].look = look;
    va_start(ap, fmt);
    vsnprintf(text, TOP_LINE_BYTES, fmt, ap);
    va_end(ap);
    if (d->view->columns < TOP_LINE_BYTES)
        text[d->view->columns] = 0;
    d->out->count++;
}

static const char *word(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text != NULL ? text : "-";
}

static int64_t number(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

static enum top_look look_of(const char *mode)
{
    return strcmp(mode, "ACTIVE") == 0 || strcmp(mode, "HEALTHY") == 0 ? TOP_PLAIN : TOP_BAD;
}

/* Tenths per second of a total between both statuses; -1 = not known. */
static int64_t rate(const struct drawing *d, const char *total)
{
    const json_t *now = json_object_get(d->now, "totals");
    const json_t *was = json_object_get(d->before, "totals");
    if (was == NULL || d->between_ns <= 0 || number(d->now, "epoch") != number(d->before, "epoch"))
        return -1;
    int64_t grown = number(now, total) - number(was, total);
    return grown < 0 ? -1 : (int64_t)((__int128)grown * 10000000000 / d->between_ns);
}

static void per_second(const struct drawing *d, const char *total, char out[32])
{
    int64_t r = rate(d, total);
    if (r < 0)
        snprintf(out, 32, "-");
    else
        snprintf(out, 32, "%" PRId64 ".%" PRId64, r / 10, r % 10);
}

static void head(struct drawing *d)
{
    char at[STATUS_TIME_BYTES];
    const char *mode = word(d->now, "mode");
    status_time(number(d->now, "now_ns"), d->view->utc, at);
    if (d->view->silent_ms > 0)
        put(d, TOP_BAD, "NO ANSWER for %" PRId64 " s: what follows is old",
            d->view->silent_ms / 1000);
    put(d, look_of(mode) == TOP_BAD ? TOP_BAD : TOP_TITLE,
        "%s  %s  %s  auto on for %" PRId64 "  market %s  epoch %" PRId64, word(d->now, "host"),
        mode, at, number(d->now, "auto_on"), word(d->now, "market"), number(d->now, "epoch"));
}

static void deployment(struct drawing *d)
{
    const json_t *active = json_object_get(d->now, "active");
    const json_t *next = json_object_get(d->now, "next");
    if (strcmp(word(d->now, "state"), "running") != 0) {
        put(d, TOP_BAD, "no deployment is active");
        return;
    }
    put(d, TOP_PLAIN, "deployment %s, serial %" PRId64 ", %s", word(active, "name"),
        number(active, "serial"), word(active, "promotion"));
    if (json_is_object(next))
        put(d, TOP_TITLE, "next: serial %" PRId64 ", %s, %" PRId64 " s left",
            number(next, "serial"), word(next, "promotion"), number(next, "left_ns") / 1000000000);
}

static void journal(struct drawing *d)
{
    const json_t *j = json_object_get(d->now, "journal");
    bool healthy = strcmp(word(j, "state"), "OK") == 0;
    int64_t ppm = number(j, "disk_ppm");
    put(d, healthy ? TOP_PLAIN : TOP_BAD,
        "journal %s, seq %" PRId64 ", %" PRId64 " not yet on the disk, %" PRId64
        " MB, disk %" PRId64 ".%" PRId64 " %% used",
        word(j, "text"), number(j, "seq"), number(j, "seq") - number(j, "durable_seq"),
        number(j, "bytes") / 1000000, ppm / 10000, ppm / 1000 % 10);
}

static void totals(struct drawing *d)
{
    const json_t *t = json_object_get(d->now, "totals");
    char signals[32], denials[32], orders[32], fills[32];
    per_second(d, "signals", signals);
    per_second(d, "denials", denials);
    per_second(d, "orders", orders);
    per_second(d, "fills", fills);
    put(d, TOP_PLAIN, "events %" PRId64 "/s", number(d->now, "events_per_s"));
    put(d, TOP_TITLE, "%-10s %12s %12s %12s %12s", "", "signals", "denials", "orders", "fills");
    put(d, TOP_PLAIN, "%-10s %12s %12s %12s %12s", "per second", signals, denials, orders, fills);
    put(d, TOP_PLAIN, "%-10s %12" PRId64 " %12" PRId64 " %12" PRId64 " %12" PRId64, "total",
        number(t, "signals"), number(t, "denials"), number(t, "orders"), number(t, "fills"));
    put(d, TOP_PLAIN, "open orders %" PRId64 ", stops hit %" PRId64 ", venue rejects %" PRId64,
        number(d->now, "open_orders"), number(t, "stops_hit"), number(t, "venue_rejects"));
}

static void accounts(struct drawing *d)
{
    json_t *list = json_object_get(d->now, "accounts"), *a;
    size_t i;
    put(d, TOP_TITLE, "%-14s %-9s %16s %14s %14s %12s %s", "ACCOUNT", "MODE", "EQUITY", "REALISED",
        "UNREALISED", "FEES", "IN");
    json_array_foreach(list, i, a)
    {
        put(d, look_of(word(a, "mode")), "%-14s %-9s %16s %14s %14s %12s %s", word(a, "name"),
            word(a, "mode"), word(a, "equity"), word(a, "realised"), word(a, "unrealised"),
            word(a, "fees"), word(a, "currency"));
    }
}

struct gain { /* of a strategy: realised + unrealised - fees, in millionths, when it can be told */
    bool known;
    __int128 micro;
    const char *currency;
    uint32_t open;
};

/* A decimal text as millionths, which is all a column of this width can show. */
static __int128 micro_of(const char *text)
{
    bool negative = *text == '-';
    __int128 value = 0;
    int after = -1;
    for (text += negative; *text != 0 && after < 6; text++) {
        if (*text == '.') {
            after = 0;
            continue;
        }
        value = value * 10 + (*text - '0');
        after += after >= 0;
    }
    for (after = after < 0 ? 0 : after; after < 6; after++)
        value *= 10;
    return negative ? -value : value;
}

static struct gain gain_of(const json_t *status, const char *strategy)
{
    struct gain g = {.known = true, .currency = NULL};
    json_t *list = json_object_get(status, "positions"), *p;
    size_t i;
    json_array_foreach(list, i, p)
    {
        if (strcmp(word(p, "strategy"), strategy) != 0)
            continue;
        if (json_is_true(json_object_get(p, "raw")) ||
            (g.currency != NULL && strcmp(g.currency, word(p, "currency")) != 0))
            g.known = false; /* two currencies have no sum here */
        g.currency = word(p, "currency");
        g.micro += micro_of(word(p, "realised")) + micro_of(word(p, "unrealised")) -
                   micro_of(word(p, "fees"));
        g.open += strcmp(word(p, "qty"), "0") != 0 && micro_of(word(p, "qty")) != 0;
    }
    return g;
}

struct shown_strategy {
    const json_t *s;
    struct gain gain;
    size_t place;
};

static int worst_first(const void *a, const void *b)
{
    const struct shown_strategy *x = a, *y = b;
    if (x->gain.micro != y->gain.micro)
        return x->gain.micro < y->gain.micro ? -1 : 1;
    return x->place < y->place ? -1 : 1;
}

static void strategy(struct drawing *d, const struct shown_strategy *row)
{
    const json_t *s = row->s;
    char gain[40] = "-", more[140] = "";
    __int128 micro = row->gain.micro < 0 ? -row->gain.micro : row->gain.micro;
    if (row->gain.known && row->gain.currency != NULL)
        snprintf(gain, sizeof gain, "%s%" PRId64 ".%02d %s", row->gain.micro < 0 ? "-" : "",
                 (int64_t)(micro / 1000000), (int)(micro % 1000000 / 10000), row->gain.currency);
    if (d->view->wide)
        snprintf(more, sizeof more, "  serial %" PRId64 "  %.16s", number(s, "generation"),
                 word(s, "sha256"));
    bool off = json_is_true(json_object_get(s, "quarantined"));
    put(d, off ? TOP_BAD : look_of(word(s, "mode")), "%-16s %-11s %-4s %-24s %18s %5u%s",
        word(s, "name"), off ? "QUARANTINED" : word(s, "mode"),
        json_is_true(json_object_get(s, "auto")) ? "on" : "off", word(s, "plugin"), gain,
        row->gain.open, more);
}

static void strategies(struct drawing *d)
{
    struct shown_strategy row[GATEWAY_STRATEGIES_MAX];
    json_t *list = json_object_get(d->now, "strategies"), *s;
    size_t i, count = 0;
    json_array_foreach(list, i, s)
    {
        if (count < GATEWAY_STRATEGIES_MAX)
            row[count++] = (struct shown_strategy){s, gain_of(d->now, word(s, "name")), i};
    }
    if (d->view->by_gain)
        qsort(row, count, sizeof row[0], worst_first);
    put(d, TOP_TITLE, "%-16s %-11s %-4s %-24s %18s %5s", "STRATEGY", "MODE", "AUTO", "PLUGIN",
        "GAIN", "OPEN");
    for (i = 0; i < count; i++)
        strategy(d, &row[i]);
}

static void instruments(struct drawing *d)
{
    json_t *list = json_object_get(d->now, "instruments"), *one;
    size_t i;
    put(d, TOP_TITLE, "%-16s %-9s %16s", "INSTRUMENT", "DATA", "MARK");
    json_array_foreach(list, i, one)
    {
        put(d, look_of(word(one, "health")), "%-16s %-9s %16s", word(one, "symbol"),
            word(one, "health"), word(one, "mark"));
    }
}

static void denials(struct drawing *d)
{
    json_t *by = json_object_get(json_object_get(d->now, "totals"), "denied_by"), *count;
    const char *code;
    if (json_object_size(by) == 0)
        return;
    put(d, TOP_TITLE, "%-28s %10s", "DENIED BY", "TIMES");
    json_object_foreach(by, code, count)
    {
        put(d, TOP_PLAIN, "%-28s %10" PRId64, code, (int64_t)json_integer_value(count));
    }
}

static void lines(struct drawing *d)
{
    json_t *list = json_object_get(d->now, "lines"), *one;
    size_t i;
    if (json_array_size(list) > 0)
        put(d, TOP_TITLE, "LAST WORDS");
    json_array_foreach(list, i, one)
    {
        put(d, TOP_FAINT, "%s", word(one, "text"));
    }
}

bool top_draw(const json_t *now, const json_t *before, int64_t between_ns,
              const struct top_view *view, struct top_frame *out)
{
    struct drawing d = {now, before, between_ns, view, out};
    out->count = 0;
    if (strcmp(word(now, "schema"), "tenon.status.v1") != 0)
        return false;
    if (strcmp(word(now, "state"), "starting") == 0) {
        put(&d, TOP_BAD, "the host is starting");
        return true;
    }
    head(&d);
    deployment(&d);
    journal(&d);
    totals(&d);
    accounts(&d);
    strategies(&d);
    instruments(&d);
    denials(&d);
    lines(&d);
    return true;
}

static json_t *rate_json(const struct drawing *d, const char *total)
{
    int64_t r = rate(d, total);
    return r < 0 ? json_null() : json_real((double)r / 10);
}

json_t *top_rates(const json_t *now, const json_t *before, int64_t between_ns)
{
    struct drawing d = {now, before, between_ns, NULL, NULL};
    return json_pack("{s:o, s:o, s:o, s:o, s:I}", "signals_per_s", rate_json(&d, "signals"),
                     "denials_per_s", rate_json(&d, "denials"), "orders_per_s",
                     rate_json(&d, "orders"), "fills_per_s", rate_json(&d, "fills"), "between_ns",
                     (json_int_t)between_ns);
}
