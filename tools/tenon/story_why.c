/* SPDX-License-Identifier: Apache-2.0
 *
 * One decision as the answer to "why is it blocked": the rules that said no or less, each with its
 * figure, its limit, who set it and what ends it, and how often the same was said. Made from the
 * denial record v1, whose sentences about remedies it shares with every other reader.
 */
#include <inttypes.h>
#include <string.h>
#include "base/must.h"
#include "base/num.h"
#include "tools/tenon/story.h"

/* How far the figure is over the limit, as what to do; "" when that is no number. */
static const char *remedy(char out[STORY_WORD_BYTES], const struct story_scope *s,
                          const struct fact_decision *d, uint32_t rule)
{
    const struct fact_rule *f = &d->rule[rule - 1];
    char n[NUM_TEXT_BYTES];
    int64_t over = 0;
    out[0] = 0;
    if (f->observed == INT64_MAX || f->observed <= f->limit ||
        !is_ok(num_sub(f->observed, f->limit, &over)))
        return out;
    if (story_rule_unit(rule) == RISK_UNIT_QTY) {
        num_print(over, s->instrument->qty_exp, n);
        snprintf(out, STORY_WORD_BYTES, "reduce by %s; ", n);
    } else if (story_rule_unit(rule) == RISK_UNIT_MONEY) {
        num_print(over, s->money->exp, n);
        snprintf(out, STORY_WORD_BYTES, "reduce by %s %s; ", n, s->money->name);
    } else if (story_rule_unit(rule) == RISK_UNIT_PPM) {
        num_print(over, -4, n);
        snprintf(out, STORY_WORD_BYTES, "over by %s %%; ", n);
    } else if (rule == RISK_OPEN_ORDERS || rule == RISK_MESSAGES) {
        snprintf(out, STORY_WORD_BYTES, "over by %" PRId64 "; ", over);
    }
    return out;
}

static const char *clears_when(const json_t *record, uint32_t rule)
{
    const json_t *row = json_array_get(json_object_get(record, "rules"), rule - 1);
    const char *text = json_string_value(json_object_get(row, "clears_when"));
    return text ? text : "it passes";
}

static void say_rule(FILE *f, const struct story_order *o, const json_t *record, uint32_t rule)
{
    const struct fact_decision *d = &o->decision.u.fact_decision;
    const struct fact_rule *k = &d->rule[rule - 1];
    bool words = story_rule_unit(rule) == RISK_UNIT_FLAG || k->observed <= k->limit ||
                 rule == RISK_MODE || rule == RISK_DATA || rule == RISK_DUPLICATE ||
                 rule == RISK_RATE;
    story_say(f, 2, "%-4s  %-31s  %s %s %s   %s serial %" PRIu64,
              d->result[rule] == FACT_RULE_CUT ? "CUT" : "DENY", story_rule_code(rule),
              story_figure(STORY_WORD, &o->scope, d, rule, false), words ? "/ wanted" : ">",
              story_figure(STORY_WORD, &o->scope, d, rule, true),
              story_rule_source(STORY_WORD, &o->scope, d, rule), d->serial);
    story_say(f, 8, "-> %sclears when %s", remedy(STORY_WORD, &o->scope, d, rule),
              clears_when(record, rule));
}

static void say_seen(FILE *f, const struct story *s, const struct story_order *o, bool utc,
                     uint32_t passed, uint32_t unbound)
{
    const struct story_seen *n = story_denials_seen(&s->denials, &o->decision.u.fact_decision);
    story_say(f, 2, "%u passed, %u did not bind", passed, unbound);
    if (n == NULL)
        return;
    story_say(f, 2, "seen %" PRIu64 " times: this strategy with these codes, first %s, last %s",
              n->count, story_time(STORY_WORD, n->first_ns, utc),
              story_time(STORY_WORD, n->last_ns, utc));
}

static void say_head(FILE *f, const struct story_order *o, uint32_t bound, bool utc)
{
    const struct fact_decision *d = &o->decision.u.fact_decision;
    const char *what = !d->approved ? "is blocked" : d->cut_by ? "is cut" : "was approved in full";
    char asked[NUM_TEXT_BYTES], granted[NUM_TEXT_BYTES];
    num_print(d->asked, o->scope.instrument->qty_exp, asked);
    num_print(d->granted, o->scope.instrument->qty_exp, granted);
    story_say(f, 0, "%s %s %s by %s %s%s%s by %u of %d checks", story_side(d->side), asked,
              o->scope.instrument->symbol, o->scope.strategy->name, what,
              d->approved && d->cut_by ? " to " : "", d->approved && d->cut_by ? granted : "",
              bound, RISK_RULE_COUNT);
    story_say(f, 2, "evaluated %s, intent %" PRIu64 ", event %" PRIu64,
              story_time(STORY_WORD, o->decision.head.t_ns, utc), o->id, o->decision.head.seq);
}

void story_print_denial(FILE *f, const struct story *s, const struct story_style *style)
{
    must(s->order_count > 0);
    const struct story_order *o = &s->order[0];
    const struct fact_decision *d = &o->decision.u.fact_decision;
    uint32_t count[FACT_RULE_FREE + 1] = {0};
    struct trail unused = {0};
    json_t *record = NULL;
    for (uint32_t r = 1; r < RISK_RULE_END; r++)
        count[d->result[r] <= FACT_RULE_FREE ? d->result[r] : 0]++;
    (void)!is_ok(story_json_denial(s, &record, &unused)); /* without it: remedies stay general */
    say_head(f, o, count[FACT_RULE_DENY] + count[FACT_RULE_CUT], style->utc);
    for (uint32_t r = 1; r < RISK_RULE_END; r++) {
        if (d->result[r] == FACT_RULE_DENY || d->result[r] == FACT_RULE_CUT)
            say_rule(f, o, record, r);
    }
    say_seen(f, s, o, style->utc, count[FACT_RULE_PASS], count[FACT_RULE_FREE]);
    json_decref(record);
}
