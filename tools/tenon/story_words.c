/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers and codes of the journal as words. Decimals are exact: a mantissa is printed at its
 * exponent, a double by the shortest text that reads back to the same bits, a time with all its
 * nanoseconds. Words of closed lists come from the field table of host/gateway, and so are the same
 * as in `journal cat`.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/must.h"
#include "base/num.h"
#include "gateway/fact_text.h"
#include "tenon/strategy.h"
#include "tools/tenon/story.h"

static const int64_t second_ns = 1000000000;
enum { PERCENT_EXP = -4 /* of millionths */, LINE_BYTES = 2048, DEEPER = 4 };

struct rule_row {
    const char *code, *text;
    uint32_t unit;
};
static const struct rule_row rules[RISK_RULE_END] = {
#define X(id, name, code_, unit_, may_cut, closes, def, source, text_)                             \
    [id] = {.code = code_, .text = text_, .unit = RISK_UNIT_##unit_},
    RISK_RULES(X)
#undef X
};

void story_say(FILE *f, int indent, const char *fmt, ...)
{
    char line[LINE_BYTES];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    must(n >= 0 && n < LINE_BYTES);
    const char *p = line;
    int depth = indent;
    for (size_t left = (size_t)n; left > 0;) {
        size_t room = (size_t)(STORY_COLUMNS - depth), take = left;
        if (left > room) {
            take = room;
            while (take > 0 && p[take] != ' ')
                take--;
            if (take == 0) /* a word longer than the line is not cut */
                take = strcspn(p, " ");
        }
        fprintf(f, "%*s%.*s\n", depth, "", (int)take, p);
        p += take;
        left -= take;
        for (; left > 0 && *p == ' '; p++)
            left--;
        depth = indent + DEEPER;
    }
}

const char *story_decimal(char out[STORY_WORD_BYTES], int64_t mantissa, int exp)
{
    num_print(mantissa, exp, out);
    return out;
}

const char *story_real(char out[STORY_WORD_BYTES], int64_t bits)
{
    double v;
    memcpy(&v, &bits, sizeof v);
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(out, STORY_WORD_BYTES, "%.*g", digits, v);
        if (strtod(out, NULL) == v)
            break;
    }
    return out;
}

const char *story_time(char out[STORY_WORD_BYTES], int64_t ns, bool utc)
{
    char z[CLOCK_TEXT_BYTES], offset[8];
    struct tm tm;
    clock_print(ns, z);
    int64_t fraction = ns % second_ns < 0 ? ns % second_ns + second_ns : ns % second_ns;
    time_t seconds = (time_t)((ns - fraction) / second_ns);
    if (utc || localtime_r(&seconds, &tm) == NULL || tm.tm_gmtoff == 0) {
        snprintf(out, STORY_WORD_BYTES, "%s", z);
        return out;
    }
    size_t n = strftime(out, STORY_WORD_BYTES, "%Y-%m-%dT%H:%M:%S", &tm);
    strftime(offset, sizeof offset, "%z", &tm);
    snprintf(out + n, STORY_WORD_BYTES - n, ".%09" PRId64 "%s", fraction, offset);
    return out;
}

const char *story_since(char out[STORY_WORD_BYTES], int64_t ns)
{
    must(ns >= 0);
    snprintf(out, STORY_WORD_BYTES, "+%" PRId64 ".%09" PRId64 " s", ns / second_ns, ns % second_ns);
    return out;
}

const char *story_span(char out[STORY_WORD_BYTES], int64_t ns)
{
    static const struct {
        int64_t ns;
        const char *name;
    } units[] = {{86400000000000, "d"}, {3600000000000, "h"}, {60000000000, "m"},
                 {1000000000, "s"},     {1000000, "ms"},      {1000, "us"}};
    for (size_t i = 0; ns != 0 && i < sizeof units / sizeof *units; i++) {
        if (ns % units[i].ns == 0) {
            snprintf(out, STORY_WORD_BYTES, "%" PRId64 " %s", ns / units[i].ns, units[i].name);
            return out;
        }
    }
    snprintf(out, STORY_WORD_BYTES, "%" PRId64 " %s", ns, ns == 0 ? "s" : "ns");
    return out;
}

const char *story_side(uint32_t side)
{
    return side == TN_LONG ? "buy" : side == TN_SHORT ? "sell" : "flat";
}

const char *story_state(uint32_t state)
{
    return story_field(FACT_ORDER, "to", state);
}

const char *story_field(uint16_t type, const char *member, uint32_t value)
{
    struct fact_fields fields = fact_fields(type);
    for (uint32_t i = 0; i < fields.count; i++) {
        if (strcmp(fields.field[i].name, member) == 0 && fields.field[i].words != NULL)
            return fact_word(fields.field[i].words, value);
    }
    must(!"a member with a closed list");
    return "?";
}

/* ---- rules ---- */

const char *story_rule_code(uint32_t rule)
{
    must(rule > 0 && rule < RISK_RULE_END);
    return rules[rule].code;
}

uint32_t story_rule_unit(uint32_t rule)
{
    must(rule > 0 && rule < RISK_RULE_END);
    return rules[rule].unit;
}

const char *story_rule_source(char out[STORY_WORD_BYTES], const struct story_scope *s,
                              const struct fact_decision *f, uint32_t rule)
{
    if (s->rule_line[rule] == 0)
        snprintf(out, STORY_WORD_BYTES, "built in");
    else
        snprintf(out, STORY_WORD_BYTES, "%s:%u%s", s->deploy->name, s->rule_line[rule],
                 rule == RISK_MESSAGES && !f->reducing ? ", less 20 %" : "");
    return out;
}

/* Rules whose figures are states: words instead of numbers. NULL = a number. */
static const char *state_word(uint32_t rule, int64_t v, bool limit)
{
    switch (rule) {
    case RISK_KILL:
        return v ? "killed" : "not killed";
    case RISK_MODE:
        return v ? story_field(FACT_MODED, "to", (uint32_t)v) : "-";
    case RISK_AUTO:
        return v ? "on" : "off";
    case RISK_PERMISSION:
        return v ? "route" : "no route";
    case RISK_STATIC:
        return v ? "fits" : "does not fit";
    case RISK_DATA:
        return v ? story_field(FACT_HEALTH, "to", (uint32_t)v) : "-";
    case RISK_DUPLICATE:
        return v ? "seen before" : "new";
    case RISK_RATE:
        return limit ? "known, young" : v == INT64_MAX ? "not known" : NULL;
    default:
        return v == INT64_MAX && !limit ? "cannot be known" : NULL;
    }
}

const char *story_figure(char out[STORY_WORD_BYTES], const struct story_scope *s,
                         const struct fact_decision *f, uint32_t rule, bool limit)
{
    int64_t v = limit ? f->rule[rule - 1].limit : f->rule[rule - 1].observed;
    const char *word = state_word(rule, v, limit);
    bool by_belief = s->origin == FACT_ORIGIN_SIGNAL || s->origin == FACT_ORIGIN_UNSET;
    if (rule == RISK_AUTO && !limit && v != 0 && !by_belief)
        word = "not asked";
    if (word != NULL) {
        snprintf(out, STORY_WORD_BYTES, "%s", word);
        return out;
    }
    char number[NUM_TEXT_BYTES];
    switch (story_rule_unit(rule)) {
    case RISK_UNIT_QTY:
        return story_decimal(out, v, s->instrument->qty_exp);
    case RISK_UNIT_MONEY:
        num_print(v, s->money->exp, number);
        snprintf(out, STORY_WORD_BYTES, "%s %s", number, s->money->name);
        return out;
    case RISK_UNIT_PPM:
        num_print(v, PERCENT_EXP, number);
        snprintf(out, STORY_WORD_BYTES, "%s %%", number);
        return out;
    case RISK_UNIT_NS:
        story_span(out, v);
        if (rule == RISK_RATE)
            strcat(out, " old");
        return out;
    default:
        snprintf(out, STORY_WORD_BYTES, "%" PRId64, v);
        return out;
    }
}
