/* SPDX-License-Identifier: Apache-2.0
 *
 * From the status JSON to the table people read. Members that are missing or of another type are
 * shown as "?": a newer or older host must not make its client crash, and a hidden member would
 * read as "all is well".
 */
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include "base/clock.h"
#include "base/must.h"
#include "gateway/status.h"

static const char *text(const json_t *o, const char *name)
{
    const char *s = json_string_value(json_object_get(o, name));
    return s ? s : "?";
}

static int64_t number(const json_t *o, const char *name)
{
    return (int64_t)json_integer_value(json_object_get(o, name));
}

void status_time(int64_t ns, bool utc, char out[STATUS_TIME_BYTES])
{
    struct tm tm;
    time_t s = (time_t)(ns / 1000000000);
    must(out != NULL);
    if (utc) {
        char full[CLOCK_TEXT_BYTES];
        clock_print(ns, full);
        snprintf(out, STATUS_TIME_BYTES, "%.19sZ", full);
    } else if (!localtime_r(&s, &tm) ||
               strftime(out, STATUS_TIME_BYTES, "%Y-%m-%d %H:%M:%S %z", &tm) == 0) {
        snprintf(out, STATUS_TIME_BYTES, "?");
    }
}

/* Green for good, yellow for less, red for the rest. */
static const char *paint(const struct status_style *style, const char *word)
{
    if (!style->color)
        return "";
    if (strcmp(word, "ACTIVE") == 0 || strcmp(word, "HEALTHY") == 0 || strcmp(word, "OK") == 0)
        return "\033[32m";
    if (strcmp(word, "DEGRADED") == 0 || strcmp(word, "REDUCING") == 0 ||
        strcmp(word, "SAFE_START") == 0)
        return "\033[33m";
    return "\033[31m";
}

static const char *plain(const struct status_style *style)
{
    return style->color ? "\033[0m" : "";
}

/* Durations of event time: "2 d 3 h", "29 min 10 s", "0.250 s". */
static void print_span(int64_t ns, char out[STATUS_TIME_BYTES])
{
    int64_t s = ns / 1000000000;
    if (s >= 86400)
        snprintf(out, STATUS_TIME_BYTES, "%" PRId64 " d %" PRId64 " h", s / 86400,
                 s % 86400 / 3600);
    else if (s >= 3600)
        snprintf(out, STATUS_TIME_BYTES, "%" PRId64 " h %" PRId64 " min", s / 3600, s % 3600 / 60);
    else if (s >= 60)
        snprintf(out, STATUS_TIME_BYTES, "%" PRId64 " min %" PRId64 " s", s / 60, s % 60);
    else
        snprintf(out, STATUS_TIME_BYTES, "%" PRId64 ".%03" PRId64 " s", s, ns / 1000000 % 1000);
}

static void print_active(FILE *out, const json_t *s)
{
    const json_t *a = json_object_get(s, "active");
    const char *promotion = json_string_value(json_object_get(a, "promotion"));
    char left[STATUS_TIME_BYTES];
    fprintf(out, "deployment  %s, serial %" PRId64, text(s, "deployment"), number(s, "serial"));
    if (number(s, "serial") == 0) {
        fprintf(out, ", unsigned\n");
    } else if (!promotion) {
        fprintf(out, "\n");
    } else if (strcmp(promotion, "probation") == 0) {
        print_span(number(a, "probation_left_ns"), left);
        fprintf(out, ", on probation for another %s\n", left);
    } else {
        fprintf(out, ", %s\n", promotion);
    }
    if (!json_is_null(json_object_get(a, "sha256")))
        fprintf(out, "            sha256 %s\n", text(a, "sha256"));
    if (number(a, "before_serial") > 0)
        fprintf(out, "            a rollback brings serial %" PRId64 " back\n",
                number(a, "before_serial"));
}

static void print_next(FILE *out, const json_t *s)
{
    const json_t *n = json_object_get(s, "next"), *t = json_object_get(s, "trust");
    char left[STATUS_TIME_BYTES];
    if (json_is_object(n)) {
        fprintf(out, "next        serial %" PRId64 ", %s", number(n, "serial"),
                text(n, "promotion"));
        print_span(number(n, "left_ns"), left);
        if (number(n, "until_ns") > 0)
            fprintf(out, ", takes over in %s at the earliest", left);
        fprintf(out, "\n");
    }
    if (json_is_object(t))
        fprintf(out, "trust       version %" PRId64 "%s\n", number(t, "version"),
                json_is_true(json_object_get(t, "throwaway_keys"))
                    ? ", throwaway keys: for simulated accounts only"
                    : "");
}

static void print_head(FILE *out, const json_t *s, const struct status_style *style)
{
    char started[STATUS_TIME_BYTES], now[STATUS_TIME_BYTES];
    const char *mode = text(s, "mode");
    status_time(number(s, "started_ns"), style->utc, started);
    status_time(number(s, "now_ns"), style->utc, now);
    fprintf(out, "mode        %s%s%s, auto trading on for %" PRId64 " of %zu strategies\n",
            paint(style, mode), mode, plain(style), number(s, "auto_on"),
            json_array_size(json_object_get(s, "strategies")));
    if (strcmp(text(s, "state"), "no_deployment") == 0)
        fprintf(out, "deployment  none is active: start one with tenon run --config FILE\n");
    else
        print_active(out, s);
    print_next(out, s);
    fprintf(out, "market      %s, event time %s\n", text(s, "market"), now);
    fprintf(out, "host        %s, epoch %" PRId64 ", since %s, %" PRId64 " events/s\n",
            text(s, "host"), number(s, "epoch"), started, number(s, "events_per_s"));
}

static void print_journal(FILE *out, const json_t *s, const struct status_style *style)
{
    const json_t *j = json_object_get(s, "journal");
    const char *state = text(j, "state");
    int64_t behind = number(j, "seq") - number(j, "durable_seq");
    fprintf(out,
            "journal     %s%s%s, event %" PRId64 ", %" PRId64 " not yet durable, %" PRId64
            " bytes, disk %" PRId64 " %% full\n",
            paint(style, state), state, plain(style), number(j, "seq"), behind > 0 ? behind : 0,
            number(j, "bytes"), number(j, "disk_ppm") / 10000);
}

static void print_accounts(FILE *out, const json_t *s, const struct status_style *style)
{
    size_t i;
    const json_t *a;
    json_array_foreach(json_object_get(s, "accounts"), i, a)
    {
        const char *mode = text(a, "mode");
        fprintf(out, "account     %s %s%s%s: equity %s %s, realised %s, unrealised %s, fees %s\n",
                text(a, "name"), paint(style, mode), mode, plain(style), text(a, "equity"),
                text(a, "currency"), text(a, "realised"), text(a, "unrealised"), text(a, "fees"));
    }
}

static void print_strategies(FILE *out, const json_t *s, const struct status_style *style)
{
    size_t i;
    const json_t *a;
    const json_t *list = json_object_get(s, "strategies");
    if (json_array_size(list) > 0)
        fprintf(out, "\n%-20s %-24s %-12s %-5s %-7s %s\n", "STRATEGY", "PLUGIN", "MODE", "AUTO",
                "SINCE", "SHA256");
    json_array_foreach(list, i, a)
    {
        char plugin[80], since[32] = "-";
        const char *mode =
            json_is_true(json_object_get(a, "quarantined")) ? "QUARANTINED" : text(a, "mode");
        if (number(a, "generation") > 0)
            snprintf(since, sizeof since, "%" PRId64, number(a, "generation"));
        snprintf(plugin, sizeof plugin, "%s %s", text(a, "plugin"), text(a, "version"));
        fprintf(out, "%-20s %-24s %s%-12s%s %-5s %-7s %.12s\n", text(a, "name"), plugin,
                paint(style, mode), mode, plain(style),
                json_is_true(json_object_get(a, "auto")) ? "on" : "off", since,
                json_is_null(json_object_get(a, "sha256")) ? "-" : text(a, "sha256"));
    }
}

static void print_instruments(FILE *out, const json_t *s, const struct status_style *style)
{
    size_t i;
    const json_t *a;
    const json_t *list = json_object_get(s, "instruments");
    if (json_array_size(list) > 0)
        fprintf(out, "\n%-20s %-10s %16s\n", "INSTRUMENT", "DATA", "MARK");
    json_array_foreach(list, i, a)
    {
        const char *health = text(a, "health");
        const char *mark = json_is_null(json_object_get(a, "mark")) ? "-" : text(a, "mark");
        fprintf(out, "%-20s %s%-10s%s %16s\n", text(a, "symbol"), paint(style, health), health,
                plain(style), mark);
    }
}

static void print_positions(FILE *out, const json_t *s)
{
    size_t i;
    const json_t *a;
    const json_t *list = json_object_get(s, "positions");
    if (json_array_size(list) > 0)
        fprintf(out, "\n%-20s %-14s %16s %14s %14s %14s %14s\n", "POSITION OF", "INSTRUMENT",
                "QUANTITY", "PRICE", "REALISED", "UNREALISED", "STOP");
    json_array_foreach(list, i, a)
    {
        const char *stop =
            json_is_null(json_object_get(a, "stop_price")) ? "-" : text(a, "stop_price");
        fprintf(out, "%-20s %-14s %16s %14s %14s %14s %14s%s\n", text(a, "strategy"),
                text(a, "symbol"), text(a, "qty"), text(a, "avg_price"), text(a, "realised"),
                text(a, "unrealised"), stop,
                json_is_true(json_object_get(a, "raw")) ? "  (raw mantissas)" : "");
    }
    if (number(s, "positions_left_out") > 0)
        fprintf(out, "and %" PRId64 " more positions\n", number(s, "positions_left_out"));
}

static void print_totals(FILE *out, const json_t *s)
{
    const json_t *t = json_object_get(s, "totals");
    json_t *denied = json_object_get(t, "denied_by");
    const char *code;
    json_t *count;
    fprintf(out,
            "\nsignals %" PRId64 ", intents %" PRId64 ", approved %" PRId64 ", denied %" PRId64
            ", orders %" PRId64 " (%" PRId64 " open), fills %" PRId64 " (%" PRId64
            " partial), cancels %" PRId64 ", venue rejects %" PRId64 ", stops hit %" PRId64 "\n",
            number(t, "signals"), number(t, "intents"), number(t, "approvals"),
            number(t, "denials"), number(t, "orders"), number(s, "open_orders"), number(t, "fills"),
            number(t, "partial_fills"), number(t, "cancels"), number(t, "venue_rejects"),
            number(t, "stops_hit"));
    json_object_foreach(denied, code, count)
    {
        fprintf(out, "denied by %s: %" PRId64 "\n", code, (int64_t)json_integer_value(count));
    }
}

bool status_print(FILE *out, const json_t *status, const struct status_style *style)
{
    if (strcmp(text(status, "schema"), "tenon.status.v1") != 0)
        return false;
    if (strcmp(text(status, "state"), "starting") == 0) {
        fprintf(out, "the host is starting\n");
        return true;
    }
    print_head(out, status, style);
    print_journal(out, status, style);
    print_accounts(out, status, style);
    print_strategies(out, status, style);
    print_instruments(out, status, style);
    print_positions(out, status);
    print_totals(out, status);
    return true;
}
