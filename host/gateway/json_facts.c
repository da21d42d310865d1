/* SPDX-License-Identifier: Apache-2.0
 *
 * Objects are built member by member with json_object_set_new, which takes NULL as a failure: the
 * writers below ignore the single steps, count them in `struct writer`, and look once at the end.
 * So a record is written whole or not at all, and the code reads like the schema.
 *
 * What a rule needs beyond its row in tbl/risk_rules.h (what its figure is about, what ends a
 * denial, who may, the FIX reason) is one more table here, because only people read it. A
 * static_assert keeps it as long as the rules.
 */
#include "gateway/json_facts.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/must.h"
#include "base/num.h"
#include "tenon/strategy.h"

enum { PPM_EXP = -6 };

struct writer {
    const struct json_facts_names *names;
    const char *bad; /* the first member that could not be written */
};

struct word {
    uint32_t id;
    const char *text;
};

/* What people are told about a rule. Zero fix: FIX knows no better word than 0, broker option. */
struct rule_story {
    const char *scope;
    const char *role;
    uint32_t ord_rej_reason;
    const char *clears_when;
};

static const struct rule_story STORY[] = {
    [RISK_KILL] = {"host", "approver", 0, "two people lift the kill, with a reason"},
    [RISK_MODE] = {"strategy", "operator", 0, "the mode is lifted by those its row names"},
    [RISK_AUTO] = {"strategy", "operator", 0, "an operator switches auto trading on"},
    [RISK_PERMISSION] = {"strategy", "approver", 0, "a promoted deployment has the route"},
    [RISK_STATIC] = {"order", "none", 11, "the order fits tick, lot, minimum and session"},
    [RISK_DATA] = {"instrument", "none", 0, "market data is healthy again"},
    [RISK_CLOCK] = {"host", "none", 0, "the clock is close to its reference again"},
    [RISK_MAX_QTY] = {"order", "approver", 3, "the order is smaller, or the limit is raised"},
    [RISK_MAX_VALUE] = {"order", "approver", 3, "the order is smaller, or the limit is raised"},
    [RISK_COLLAR] = {"order", "approver", 16, "the price is nearer to the reference"},
    [RISK_POSITION] = {"strategy", "approver", 3, "the position or what works is smaller"},
    [RISK_EXPOSURE] = {"instrument", "approver", 3, "the exposure is smaller, or equity larger"},
    [RISK_LEVERAGE] = {"account", "approver", 3, "the exposure is smaller, or equity larger"},
    [RISK_RATE] = {"account", "none", 0, "a young exchange rate has come"},
    [RISK_DUPLICATE] = {"order", "none", 6, "the next signal asks for something else"},
    [RISK_OPEN_ORDERS] = {"strategy", "approver", 3, "some of its orders have ended"},
    [RISK_MESSAGES] = {"account", "approver", 3, "the next second begins"},
};
static_assert(sizeof STORY / sizeof STORY[0] == RISK_RULE_END, "each rule has its story");

/* ---- members ---- */
static void put(struct writer *w, json_t *o, const char *key, json_t *value)
{
    if (json_object_set_new(o, key, value) != 0 && w->bad == NULL)
        w->bad = key;
}

static void put_text(struct writer *w, json_t *o, const char *key, const char *text)
{
    put(w, o, key, json_string(text != NULL ? text : "?"));
}

static void put_u64(struct writer *w, json_t *o, const char *key, uint64_t v)
{
    put(w, o, key, json_sprintf("%" PRIu64, v));
}

static void put_ns(struct writer *w, json_t *o, const char *key, int64_t v)
{
    put(w, o, key, json_sprintf("%" PRId64, v));
}

static void put_decimal(struct writer *w, json_t *o, const char *key, int64_t mantissa, int exp)
{
    char text[NUM_TEXT_BYTES];
    num_print(mantissa, exp, text);
    put(w, o, key, json_string(text));
}

/* 0 is null: the venue or nobody said it. */
static void put_u64_or_null(struct writer *w, json_t *o, const char *key, uint64_t v)
{
    if (v == 0)
        put(w, o, key, json_null());
    else
        put_u64(w, o, key, v);
}

static const char *find_word(const struct word *words, size_t count, uint32_t id)
{
    for (size_t i = 0; i < count; i++)
        if (words[i].id == id)
            return words[i].text;
    return NULL;
}
#define WORD(words, id) find_word(words, sizeof(words) / sizeof((words)[0]), id)

/* A word that must be known; NULL makes the record refused. */
static void put_word(struct writer *w, json_t *o, const char *key, const char *word)
{
    put(w, o, key, word != NULL ? json_string(word) : NULL);
}

static void put_word_or_null(struct writer *w, json_t *o, const char *key, uint32_t id,
                             const char *word)
{
    if (id == 0)
        put(w, o, key, json_null());
    else
        put_word(w, o, key, word);
}

/* Opens a record: schema and the head's numbers. */
static json_t *begin(struct writer *w, const char *schema, const struct fact_head *head)
{
    json_t *o = json_object();
    put_text(w, o, "schema", schema);
    put_u64(w, o, "seq", head->seq);
    put_ns(w, o, "t_ns", head->t_ns);
    put_u64(w, o, "cause_seq", head->cause_seq);
    return o;
}

static struct result finish(struct writer *w, json_t *o, const struct fact_head *head, json_t **out,
                            struct trail *tr)
{
    if (w->bad == NULL) {
        *out = o;
        return OK_RESULT;
    }
    json_decref(o);
    *out = NULL;
    return FAIL(tr, CORRUPT,
                "record %" PRIu64 " cannot be written as JSON: its %s is no known value; "
                "run tenon-verify over the journal",
                head->seq, w->bad);
}

/* ---- signal v1 ---- */
static json_t *reason_json(struct writer *w, const struct fact_reason *r)
{
    const struct json_facts_names *n = w->names;
    json_t *o = json_object();
    double value;
    static_assert(sizeof value == sizeof r->value_bits, "the double's bits are kept");
    memcpy(&value, &r->value_bits, sizeof value);
    if (r->input == TN_REASON_CLAMP || r->input == TN_REASON_BASE) {
        put_text(w, o, "feature", r->input == TN_REASON_CLAMP ? "clamp" : "base");
        put(w, o, "input", json_null());
    } else {
        put_text(w, o, "feature", r->input < n->input_count ? n->input[r->input] : NULL);
        put(w, o, "input", r->input < TN_MAX_INPUTS ? json_integer(r->input) : NULL);
    }
    put(w, o, "value", isfinite(value) ? json_real(value) : NULL);
    put_decimal(w, o, "contribution", r->contribution_ppm, PPM_EXP);
    return o;
}

static json_t *advice_json(struct writer *w, const struct fact_signal *f)
{
    const int price_exp = w->names->price_exp;
    json_t *o = json_object();
    if (f->advice & TN_ADVICE_TARGET)
        put_decimal(w, o, "target", f->target_ppm, PPM_EXP);
    if (f->advice & TN_ADVICE_LIMIT)
        put_decimal(w, o, "limit_offset", f->limit_offset, price_exp);
    if (f->advice & TN_ADVICE_STOP)
        put_decimal(w, o, "stop_distance", f->stop_distance, price_exp);
    if (f->advice & TN_ADVICE_TTL)
        put_ns(w, o, "ttl_ns", f->ttl_ns);
    return o;
}

struct result json_facts_signal(const struct fact_head *head, const struct fact_signal *f,
                                const struct json_facts_names *names, json_t **out,
                                struct trail *tr)
{
    static const struct word sides[] = {{TN_LONG, "long"}, {TN_SHORT, "short"}, {TN_FLAT, "flat"}};
    must(head->type == FACT_SIGNAL);
    struct writer w = {.names = names};
    json_t *o = begin(&w, "tenon/signal/1", head);
    put_text(&w, o, "instance", names->instance);
    put_text(&w, o, "plugin", names->plugin);
    put_text(&w, o, "version", names->version);
    put(&w, o, "plugin_hash", json_sprintf("%016" PRIx64, f->plugin_hash));
    if (head->generation != 0)
        put(&w, o, "generation", json_integer(head->generation));
    put_text(&w, o, "instrument", names->instrument);
    put_word(&w, o, "side", WORD(sides, f->side));
    put_decimal(&w, o, "score", f->score_ppm, PPM_EXP);
    put_decimal(&w, o, "confidence", f->confidence_ppm, PPM_EXP);
    put_ns(&w, o, "horizon_ns", f->horizon_ns);
    put(&w, o, "advice", advice_json(&w, f));
    json_t *reasons = json_array();
    const bool fits = f->reason_count >= 1 && f->reason_count <= FACT_MAX_REASONS;
    for (uint32_t i = 0; fits && i < f->reason_count; i++)
        if (json_array_append_new(reasons, reason_json(&w, &f->reason[i])) != 0)
            w.bad = "reasons";
    put(&w, o, "reasons", reasons);
    if (!fits && w.bad == NULL)
        w.bad = "reason count";
    return finish(&w, o, head, out, tr);
}

/* ---- execution report v1 ---- */
static json_t *reject_json(struct writer *w, uint32_t reason)
{
    static const struct word words[] = {
        {FACT_REJECT_UNKNOWN_SYMBOL, "unknown_symbol"},
        {FACT_REJECT_HALTED, "halted"},
        {FACT_REJECT_PRICE, "price"},
        {FACT_REJECT_QTY, "quantity"},
        {FACT_REJECT_FUNDS, "funds"},
        {FACT_REJECT_DUPLICATE, "duplicate"},
        {FACT_REJECT_POST_ONLY, "post_only"},
        {FACT_REJECT_RATE, "rate"},
        {FACT_REJECT_OTHER, "other"},
    };
    static const uint8_t fix[] = {
        [FACT_REJECT_UNKNOWN_SYMBOL] = 1, [FACT_REJECT_HALTED] = 2, [FACT_REJECT_PRICE] = 16,
        [FACT_REJECT_QTY] = 13,           [FACT_REJECT_FUNDS] = 3,  [FACT_REJECT_DUPLICATE] = 6,
        [FACT_REJECT_POST_ONLY] = 11,     [FACT_REJECT_RATE] = 3,   [FACT_REJECT_OTHER] = 99};
    if (reason == FACT_REJECT_NONE)
        return json_null();
    json_t *o = json_object();
    put_word(w, o, "reason", WORD(words, reason));
    put(w, o, "ord_rej_reason", reason < sizeof fix ? json_integer(fix[reason]) : NULL);
    return o;
}

static const char *exec_word(uint32_t kind)
{
    static const struct word words[] = {
        {FACT_EXEC_NEW, "new"},
        {FACT_EXEC_REJECTED, "rejected"},
        {FACT_EXEC_TRADE, "trade"},
        {FACT_EXEC_CANCELED, "canceled"},
        {FACT_EXEC_CANCEL_REJECT, "cancel_rejected"},
        {FACT_EXEC_CANCEL_LATE, "cancel_too_late"},
        {FACT_EXEC_EXPIRED, "expired"},
        {FACT_EXEC_VENUE_CANCEL, "venue_canceled"},
        {FACT_EXEC_BUST, "trade_bust"},
        {FACT_EXEC_STATUS, "order_status"},
    };
    return WORD(words, kind);
}

static const char *side_word(uint32_t side)
{
    return side == TN_LONG ? "buy" : side == TN_SHORT ? "sell" : NULL;
}

struct result json_facts_exec(const struct fact_head *head, const struct fact_exec *f,
                              const struct json_facts_names *names, json_t **out, struct trail *tr)
{
    static const struct word liquidity[] = {{FACT_MAKER, "maker"}, {FACT_TAKER, "taker"}};
    static const struct word found[] = {{FACT_FOUND_WORKING, "working"},
                                        {FACT_FOUND_DONE, "done"},
                                        {FACT_FOUND_ABSENT, "absent"},
                                        {FACT_FOUND_PROVED_ABSENT, "proved_absent"}};
    must(head->type == FACT_EXEC);
    char text[4 * FACT_NAME_BYTES + 8];
    struct writer w = {.names = names};
    json_t *o = begin(&w, "tenon/execution-report/1", head);
    put_u64_or_null(&w, o, "order", f->order);
    put_u64_or_null(&w, o, "venue_order", f->venue_order);
    put_u64_or_null(&w, o, "trade_id", f->trade_id);
    put_word(&w, o, "exec_type", exec_word(f->kind));
    put_text(&w, o, "instrument", names->instrument);
    put_text(&w, o, "account", names->account);
    put_word_or_null(&w, o, "side", f->side, side_word(f->side));
    put_decimal(&w, o, "last_qty", f->last_qty, names->qty_exp);
    put_decimal(&w, o, "last_price", f->last_price, names->price_exp);
    put_decimal(&w, o, "cum_qty", f->cum_qty, names->qty_exp);
    put_decimal(&w, o, "leaves_qty", f->leaves_qty, names->qty_exp);
    put_decimal(&w, o, "fee", f->fee, names->settle_exp);
    put_text(&w, o, "fee_currency", names->settle);
    put_ns(&w, o, "venue_ns", f->venue_ns);
    put_word_or_null(&w, o, "liquidity", f->liquidity, WORD(liquidity, f->liquidity));
    put(&w, o, "reject", reject_json(&w, f->reason));
    put_word_or_null(&w, o, "found", f->found, WORD(found, f->found));
    text_escape(text, sizeof text, f->text, strnlen(f->text, sizeof f->text));
    put_text(&w, o, "text", text);
    return finish(&w, o, head, out, tr);
}

/* ---- denial record v1 ---- */
static void put_figure(struct writer *w, json_t *o, const char *key, uint32_t unit, int64_t v)
{
    const int exp = unit == RISK_UNIT_QTY     ? w->names->qty_exp
                    : unit == RISK_UNIT_MONEY ? w->names->money_exp
                                              : 0;
    put_decimal(w, o, key, v, exp);
}

/* Who signed the deployment that set the limit; nobody, when it was unsigned. */
static json_t *signers_json(struct writer *w)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < w->names->signer_count; i++) {
        if (json_array_append_new(list, json_string(w->names->signer[i])) != 0)
            w->bad = "signers";
    }
    return list;
}

static json_t *source_json(struct writer *w, uint32_t rule, const char *control, uint64_t serial)
{
    const struct json_facts_names *n = w->names;
    const uint32_t line = n->rule_line != NULL ? n->rule_line[rule] : 0;
    json_t *o = json_object();
    put_text(w, o, "control", control);
    put(w, o, "file", line > 0 && n->deployment != NULL ? json_string(n->deployment) : json_null());
    put(w, o, "line", json_integer(line));
    put_u64(w, o, "revision", serial);
    put(w, o, "signers", signers_json(w));
    return o;
}

struct rule_row {
    uint32_t id, unit;
    const char *name, *code, *control, *text;
};

/* What a denial or cut needs to be understood and ended; all null when the rule passed. */
static void put_remedy(struct writer *w, json_t *o, const struct rule_row *row, bool binds,
                       int64_t now_ns)
{
    const struct rule_story *story = &STORY[row->id];
    const int64_t *since = w->names->rule_since_ns;
    put_word(w, o, "override_role", story->role);
    if (!binds) {
        put(w, o, "since", json_null());
        put(w, o, "clears_when", json_null());
        put(w, o, "fix", json_null());
        return;
    }
    put_ns(w, o, "since", since != NULL && since[row->id] != 0 ? since[row->id] : now_ns);
    put_word(w, o, "clears_when", story->clears_when);
    json_t *fix = json_object();
    put(w, fix, "ord_rej_reason", json_integer(story->ord_rej_reason));
    put(w, fix, "text", json_sprintf("%s: %s", row->code, row->text));
    put(w, fix, "venue_code", json_null()); /* the gate speaks before any venue does */
    put(w, o, "fix", fix);
}

static json_t *rule_json(struct writer *w, const struct rule_row *row,
                         const struct fact_decision *f, int64_t now_ns)
{
    static const struct word results[] = {{FACT_RULE_PASS, "pass"},
                                          {FACT_RULE_CUT, "cut"},
                                          {FACT_RULE_DENY, "deny"},
                                          {FACT_RULE_FREE, "free"}};
    static const char *const units[] = {
#define X(id, name, text) [id] = text,
        RISK_UNITS(X)
#undef X
    };
    const struct fact_rule *figure = &f->rule[row->id - 1];
    const uint32_t result = f->result[row->id];
    json_t *o = json_object();
    put_text(w, o, "rule", row->name);
    put_text(w, o, "code", row->code);
    put_word(w, o, "result", WORD(results, result));
    if (figure->observed == INT64_MAX) /* the gate's "cannot be known" */
        put(w, o, "observed", json_null());
    else
        put_figure(w, o, "observed", row->unit, figure->observed);
    if (figure->limit == RISK_NO_DEFAULT)
        put(w, o, "limit", json_null());
    else
        put_figure(w, o, "limit", row->unit, figure->limit);
    put_word(w, o, "unit", units[row->unit]);
    put_word(w, o, "scope", STORY[row->id].scope);
    put(w, o, "rule_source", source_json(w, row->id, row->control, f->serial));
    put_text(w, o, "text", row->text);
    put_remedy(w, o, row, result == FACT_RULE_DENY || result == FACT_RULE_CUT, now_ns);
    return o;
}

static void put_rules(struct writer *w, json_t *o, const struct fact_decision *f, int64_t now_ns)
{
    static const struct rule_row rows[] = {
#define X(id, name, code, unit, may_cut, closes, def, source, text)                                \
    {id, RISK_UNIT_##unit, #name, code, source, text},
        RISK_RULES(X)
#undef X
    };
    json_t *rules = json_array(), *denied = json_array(), *cut = json_array();
    int failed = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const uint32_t bit = 1u << (rows[i].id - 1);
        failed |= json_array_append_new(rules, rule_json(w, &rows[i], f, now_ns));
        if (f->denied_by & bit)
            failed |= json_array_append_new(denied, json_string(rows[i].code));
        if (f->cut_by & bit)
            failed |= json_array_append_new(cut, json_string(rows[i].code));
    }
    put(w, o, "denied_by", denied);
    put(w, o, "cut_by", cut);
    put(w, o, "rules", rules);
    if (failed != 0 && w->bad == NULL)
        w->bad = "rules";
}

struct result json_facts_decision(const struct fact_head *head, const struct fact_decision *f,
                                  const struct json_facts_names *names, json_t **out,
                                  struct trail *tr)
{
    must(head->type == FACT_DECISION);
    struct writer w = {.names = names};
    json_t *o = begin(&w, "tenon/denial/1", head);
    put(&w, o, "trace_id", json_sprintf("%016" PRIx64 "%016" PRIx64, f->intent, head->seq));
    put_u64(&w, o, "intent", f->intent);
    put(&w, o, "approved", json_boolean(f->approved));
    put(&w, o, "reducing", json_boolean(f->reducing));
    put_text(&w, o, "strategy", names->instance);
    put_text(&w, o, "instrument", names->instrument);
    put_text(&w, o, "account", names->account);
    if (side_word(f->side) == NULL)
        put(&w, o, "side", json_null()); /* a flat signal without a route names no side */
    else
        put_text(&w, o, "side", side_word(f->side));
    put_decimal(&w, o, "asked", f->asked, names->qty_exp);
    put_decimal(&w, o, "granted", f->granted, names->qty_exp);
    put_decimal(&w, o, "price", f->price, names->price_exp);
    put_decimal(&w, o, "reference", f->reference, names->price_exp);
    put_u64(&w, o, "serial", f->serial);
    put_rules(&w, o, f, head->t_ns);
    return finish(&w, o, head, out, tr);
}
