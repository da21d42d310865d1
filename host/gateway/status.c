/* SPDX-License-Identifier: Apache-2.0
 *
 * From the view to JSON. Every number that has an exponent is printed exactly, as text, with the
 * exponent of its instrument or account: a client that parses it as a double does so on its own
 * account. A position whose instrument is missing in the view (more instruments than it holds) is
 * shown with raw mantissas and says so, rather than with a guessed exponent.
 */
#include "gateway/status.h"
#include <stdio.h>
#include <string.h>
#include "base/must.h"
#include "base/num.h"

static json_t *decimal(int64_t mantissa, int exp)
{
    char text[NUM_TEXT_BYTES];
    num_print(mantissa, exp, text);
    return json_string(text);
}

const char *status_mode(uint32_t mode)
{
    switch (mode) {
#define X(id, name, risk, reduce, work, lifted, text)                                              \
    case id:                                                                                       \
        return #name;
        MODES(X)
#undef X
    default:
        return "UNSET";
    }
}

static const char *health_word(uint32_t health)
{
    static const char *const words[] = {"UNSET", "HEALTHY", "DEGRADED", "DOWN"};
    return health < sizeof words / sizeof words[0] ? words[health] : "UNSET";
}

static const char *promotion_word(uint32_t state)
{
    switch (state) {
#define X(id, name, word, text)                                                                    \
    case id:                                                                                       \
        return word;
        PROMOTION_STATES(X)
#undef X
    default:
        return NULL;
    }
}

/* Zeros are null: there is no such thing, and 64 zeros would look like one. */
static json_t *hash(const uint8_t sha256[FACT_HASH_BYTES])
{
    static const uint8_t none[FACT_HASH_BYTES];
    char text[2 * FACT_HASH_BYTES + 1];
    if (memcmp(sha256, none, sizeof none) == 0)
        return json_null();
    for (size_t i = 0; i < FACT_HASH_BYTES; i++)
        snprintf(text + 2 * i, 3, "%02x", sha256[i]);
    return json_string(text);
}

static int64_t time_left(int64_t until_ns, int64_t now_ns)
{
    return until_ns > now_ns ? until_ns - now_ns : 0;
}

static json_t *accounts(const struct gateway_view *v)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < v->account_count; i++) {
        int exp = v->account[i].exp;
        json_array_append_new(list, json_pack("{s:i, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "id",
                                              (int)v->account[i].id, "name", v->account[i].name,
                                              "mode", status_mode(v->account[i].mode), "currency",
                                              v->account[i].currency, "equity",
                                              decimal(v->account[i].equity, exp), "start",
                                              decimal(v->account[i].start, exp), "realised",
                                              decimal(v->account[i].realised, exp), "unrealised",
                                              decimal(v->account[i].unrealised, exp), "fees",
                                              decimal(v->account[i].fees, exp)));
    }
    return list;
}

static json_t *instruments(const struct gateway_view *v)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < v->instrument_count; i++) {
        json_array_append_new(
            list, json_pack("{s:i, s:s, s:s, s:o}", "id", (int)v->instrument[i].id, "symbol",
                            v->instrument[i].symbol, "health", health_word(v->instrument[i].health),
                            "mark",
                            v->instrument[i].mark
                                ? decimal(v->instrument[i].mark, v->instrument[i].price_exp)
                                : json_null()));
    }
    return list;
}

static json_t *strategies(const struct gateway_view *v)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < v->strategy_count; i++) {
        json_array_append_new(
            list,
            json_pack("{s:i, s:s, s:s, s:s, s:s, s:b, s:b, s:I, s:o}", "id", (int)v->strategy[i].id,
                      "name", v->strategy[i].name, "plugin", v->strategy[i].plugin, "version",
                      v->strategy[i].version, "mode", status_mode(v->strategy[i].mode), "auto",
                      (int)v->strategy[i].auto_on, "quarantined", (int)v->strategy[i].quarantined,
                      "generation", (json_int_t)v->strategy[i].generation, "sha256",
                      hash(v->strategy[i].sha256)));
    }
    return list;
}

static const char *strategy_name(const struct gateway_view *v, uint32_t id)
{
    for (uint32_t i = 0; i < v->strategy_count; i++) {
        if (v->strategy[i].id == id)
            return v->strategy[i].name;
    }
    return id == 0 ? "EXTERNAL" : "?";
}

static json_t *position(const struct gateway_view *v, uint32_t row)
{
    int price = 0, qty = 0, money = 0;
    const char *symbol = "?", *currency = "?";
    bool raw = true;
    for (uint32_t i = 0; i < v->instrument_count; i++) {
        if (v->instrument[i].id != v->position[row].instrument)
            continue;
        price = v->instrument[i].price_exp;
        qty = v->instrument[i].qty_exp;
        money = v->instrument[i].money_exp;
        symbol = v->instrument[i].symbol;
        currency = v->instrument[i].currency;
        raw = false;
    }
    return json_pack("{s:s, s:s, s:i, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "strategy",
                     v->position[row].name[0] != 0 ? v->position[row].name
                                                   : strategy_name(v, v->position[row].strategy),
                     "symbol", symbol, "account", (int)v->position[row].account, "currency",
                     currency, "raw", (int)raw, "qty", decimal(v->position[row].qty, qty),
                     "avg_price", decimal(v->position[row].avg_price, price), "realised",
                     decimal(v->position[row].realised, money), "unrealised",
                     decimal(v->position[row].unrealised, money), "fees",
                     decimal(v->position[row].fees, money), "stop_price",
                     v->position[row].stop_price ? decimal(v->position[row].stop_price, price)
                                                 : json_null());
}

static json_t *denied(const struct gateway_view *v)
{
    json_t *object = json_object();
#define X(id, name, code, unit, may_cut, closes, def, source, text)                                \
    if (v->totals.denied_by[id])                                                                   \
        json_object_set_new(object, code, json_integer((json_int_t)v->totals.denied_by[id]));
    RISK_RULES(X)
#undef X
    return object;
}

static json_t *totals(const struct gateway_view *v)
{
    json_t *object = json_object();
#define PUT(name) json_object_set_new(object, #name, json_integer((json_int_t)v->totals.name))
    PUT(signals);
    PUT(intents);
    PUT(approvals);
    PUT(denials);
    PUT(orders);
    PUT(fills);
    PUT(partial_fills);
    PUT(maker_fills);
    PUT(taker_fills);
    PUT(venue_rejects);
    PUT(cancels);
    PUT(cancel_rejects);
    PUT(cancels_late);
    PUT(ttl_cancels);
    PUT(cancelled_after_partial);
    PUT(expired);
    PUT(stops_hit);
#undef PUT
    json_object_set_new(object, "denied_by", denied(v));
    return object;
}

static json_t *positions(const struct gateway_view *v)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < v->position_count; i++)
        json_array_append_new(list, position(v, i));
    return list;
}

static json_t *journal(const struct gateway_view *v)
{
    struct result rc = {v->journal_code};
    return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}", "state", result_name(rc), "text",
                     result_text(rc), "seq", (json_int_t)v->seq, "durable_seq",
                     (json_int_t)v->durable_seq, "bytes", (json_int_t)v->journal_bytes, "disk_ppm",
                     (json_int_t)v->disk_ppm);
}

static int64_t events_per_s(const struct gateway_view *v)
{
    if (v->window_ns == 0)
        return 0;
    return (int64_t)((unsigned __int128)v->window_events * 1000000000u / v->window_ns);
}

/* What is active: its way, what is left of its probation (event time), what it can go back to. */
static json_t *active(const struct gateway_view *v)
{
    return json_pack("{s:I, s:s, s:o, s:s?, s:I, s:I, s:I}", "serial", (json_int_t)v->serial,
                     "name", v->deployment, "sha256", hash(v->sha256), "promotion",
                     promotion_word(v->promotion), "probation_until_ns",
                     (json_int_t)v->probation_until_ns, "probation_left_ns",
                     (json_int_t)time_left(v->probation_until_ns, v->now_ns), "before_serial",
                     (json_int_t)v->before_serial);
}

static json_t *next(const struct gateway_view *v)
{
    if (v->next_serial == 0 && v->next_promotion == 0)
        return json_null();
    return json_pack("{s:I, s:o, s:s?, s:I, s:I}", "serial", (json_int_t)v->next_serial, "sha256",
                     hash(v->next_sha256), "promotion", promotion_word(v->next_promotion),
                     "until_ns", (json_int_t)v->next_until_ns, "left_ns",
                     (json_int_t)time_left(v->next_until_ns, v->now_ns));
}

static json_t *trust(const struct gateway_view *v)
{
    if (v->trust_version == 0)
        return json_null();
    return json_pack("{s:I, s:b}", "version", (json_int_t)v->trust_version, "throwaway_keys",
                     (int)(v->trust_throwaway != 0));
}

/* The newest one that was refused, so that whoever follows it ends with its exit code. */
static json_t *refused(const struct gateway_view *v)
{
    struct result rc = {v->refused_result};
    if (is_ok(rc))
        return json_null();
    return json_pack("{s:o, s:s, s:i}", "sha256", hash(v->refused_sha256), "code", result_name(rc),
                     "exit", result_exit(rc));
}

/* Promotion lines by their number, oldest first. */
static json_t *lines(const struct gateway_view *v)
{
    enum { LINES = sizeof v->line / sizeof v->line[0] };
    char text[sizeof v->line[0].text];
    json_t *list = json_array();
    uint64_t before = v->said > LINES ? v->said - LINES : 0;
    for (uint64_t k = 1; k <= LINES; k++) {
        for (uint32_t i = 0; i < LINES; i++) {
            if (v->line[i].number != before + k)
                continue;
            text_escape(text, sizeof text, v->line[i].text,
                        strnlen(v->line[i].text, sizeof v->line[i].text));
            json_array_append_new(
                list, json_pack("{s:I, s:s}", "number", (json_int_t)(before + k), "text", text));
        }
    }
    return list;
}

static void put_promotion(json_t *root, const struct gateway_view *v)
{
    json_object_set_new(root, "active", active(v));
    json_object_set_new(root, "next", next(v));
    json_object_set_new(root, "refused", refused(v));
    json_object_set_new(root, "trust", trust(v));
    json_object_set_new(root, "said", json_integer((json_int_t)v->said));
    json_object_set_new(root, "lines", lines(v));
}

json_t *status_json(const struct gateway_view *v)
{
    if (!v)
        return json_pack("{s:s, s:s}", "schema", "tenon.status.v1", "state", "starting");
    must(v->position_count <= GATEWAY_POSITIONS_MAX);
    bool deployed = v->serial != 0 || v->deployment[0] != '\0';
    json_t *root = json_pack(
        "{s:s, s:s, s:s, s:s, s:I, s:s, s:I, s:s, s:i, s:I, s:I, s:I, s:i}", "schema",
        "tenon.status.v1", "state", deployed ? "running" : "no_deployment", "host", v->host, "mode",
        status_mode(v->mode), "epoch", (json_int_t)v->epoch, "deployment", v->deployment, "serial",
        (json_int_t)v->serial, "market", v->market, "auto_on", (int)v->auto_on, "started_ns",
        (json_int_t)v->started_ns, "now_ns", (json_int_t)v->now_ns, "events_per_s",
        (json_int_t)events_per_s(v), "open_orders", (int)v->open_orders);
    if (!root)
        return NULL;
    put_promotion(root, v);
    json_object_set_new(root, "positions_left_out", json_integer(v->positions_left_out));
    json_object_set_new(root, "journal", journal(v));
    json_object_set_new(root, "accounts", accounts(v));
    json_object_set_new(root, "strategies", strategies(v));
    json_object_set_new(root, "instruments", instruments(v));
    json_object_set_new(root, "positions", positions(v));
    json_object_set_new(root, "totals", totals(v));
    return root;
}
