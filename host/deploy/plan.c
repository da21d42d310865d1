/* SPDX-License-Identifier: Apache-2.0
 *
 * The plan, in words. An operator reads it to decide whether to sign, so each line says something
 * to act on: what changes and which way it moves risk, what happens to what is held, how long the
 * new builds need, who still has to sign, and the command that comes next. What is not known here
 * (no journal, no plugins, no trust document at hand) is said to be unknown: a figure left out
 * would read as none.
 */
#include "deploy/plan.h"
#include <stdarg.h>
#include <string.h>
#include "base/clock.h"
#include "base/hash.h"
#include "base/must.h"
#include "deploy/cfg.h"
#include "deploy/change_priv.h"
#include "deploy/plan_priv.h"

enum { PATH_WIDTH_MAX = 56, LABEL_WIDTH = 11, LINE_WIDTH = 100, TEXT_BYTES = 1024 };

struct trust_need plan_need(const struct trust *t, const struct change *c)
{
    must(t != NULL && c != NULL);
    return trust_need_of(t, c->raises, c->only_tightens);
}

const struct plan_owned *plan_owned_by(const struct plan_input *p, const char *strategy)
{
    for (uint32_t i = 0; p->owned != NULL && i < p->owned_count; i++)
        if (strcmp(p->owned[i].strategy, strategy) == 0)
            return &p->owned[i];
    return NULL;
}

bool plan_leaves(const struct plan_input *p, uint32_t route)
{
    return change_route(p->next, change_strategy_of(p->now, route),
                        change_symbol_of(p->now, route)) == CHANGE_NONE;
}

const struct deploy_remove *plan_remove_of(const struct plan_input *p, const char *strategy)
{
    for (uint32_t i = 0; i < p->next->remove_count; i++)
        if (strcmp(p->next->remove[i].strategy, strategy) == 0)
            return &p->next->remove[i];
    return NULL;
}

/* What stays with the strategies that stay. */
struct plan_owned plan_kept(const struct plan_input *p)
{
    struct plan_owned sum = {.orders = 0};
    for (uint32_t i = 0; p->now != NULL && i < p->now->route_count; i++) {
        const struct plan_owned *o = plan_owned_by(p, change_strategy_of(p->now, i));
        if (o == NULL || plan_leaves(p, i))
            continue;
        sum.orders += o->orders;
        sum.stops += o->stops;
        sum.positions += o->positions;
    }
    return sum;
}

const char *plan_how_name(uint32_t how)
{
    static const char *const name[] = {"unknown", "replay", "state", "cold"};
    return how < sizeof(name) / sizeof(name[0]) ? name[how] : name[0];
}

char plan_mark(const struct change_row *r)
{
    if (r->direction == CHANGE_RAISES)
        return '!';
    return r->before[0] == 0 ? '+' : r->after[0] == 0 ? '-' : '~';
}

/* ---- words ---- */
struct speech { /* lines under one label, wrapped */
    FILE *out;
    const char *label;
};

static void line(struct speech *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void line(struct speech *s, const char *fmt, ...)
{
    char text[TEXT_BYTES];
    const char *p = text;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    while (p[0] != 0) { /* as many words as fit, at least one */
        size_t n = strcspn(p, " "), more;
        while (p[n] != 0 && n + 1 + (more = strcspn(p + n + 1, " ")) <= LINE_WIDTH - LABEL_WIDTH)
            n += 1 + more;
        fprintf(s->out, "%-*s%.*s\n", LABEL_WIDTH, s->label, (int)n, p);
        s->label = "";
        p += n + (p[n] == ' ');
    }
}

static const char *plural(uint32_t n)
{
    return n == 1 ? "" : "s";
}

/* "2 orders, 1 stop and 1 position": what there is none of is left out. */
static void owned_words(const struct plan_owned *o, char out[96])
{
    const struct {
        const char *name;
        uint32_t count;
    } row[] = {{"order", o->orders}, {"stop", o->stops}, {"position", o->positions}};
    size_t used = 0;
    uint32_t left = (o->orders > 0) + (o->stops > 0) + (o->positions > 0);
    snprintf(out, 96, "nothing");
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        if (row[i].count == 0)
            continue;
        left--;
        used += (size_t)snprintf(out + used, 96 - used, "%u %s%s%s", row[i].count, row[i].name,
                                 plural(row[i].count),
                                 left > 1    ? ", "
                                 : left == 1 ? " and "
                                             : "");
    }
}

static bool owns(const struct plan_owned *o)
{
    return o->orders + o->stops + o->positions > 0;
}

static void print_head(FILE *out, const struct plan_input *p)
{
    char hex[HASH_HEX_BYTES], from[CLOCK_TEXT_BYTES], to[CLOCK_TEXT_BYTES];
    const struct deploy_doc *n = p->next;
    fprintf(out, "Plan for %s: serial %llu for host %s", p->next_path,
            (unsigned long long)n->fact.serial, n->host);
    if (p->now != NULL) {
        hash_hex(p->now->fact.sha256, hex);
        fprintf(out, ", after serial %llu (%.12s).\n", (unsigned long long)p->now->fact.serial,
                hex);
    } else {
        fputs(", the first one of this host.\n", out);
    }
    if (n->fact.serial == 0)
        return;
    clock_print(n->not_before_ns, from);
    clock_print(n->expires_ns, to);
    fprintf(out, "It may be promoted from %.19sZ to %.19sZ.\n", from, to);
}

void plan_row(FILE *out, const struct change_row *r, int width)
{
    char mark = plan_mark(r);
    fprintf(out, "  %c %-*s  ", mark, width, r->path);
    if (mark == '+' || mark == '-')
        fputs(mark == '+' ? r->after : r->before, out);
    else
        fprintf(out, "%s -> %s", r->before[0] != 0 ? r->before : "none",
                r->after[0] != 0 ? r->after : "none");
    fputs(r->direction == CHANGE_RAISES     ? "  RAISES RISK"
          : r->direction == CHANGE_TIGHTENS ? "  tightens"
                                            : "",
          out);
    fputc('\n', out);
}

static void print_rows(FILE *out, const struct change *c)
{
    int width = 0;
    for (uint32_t i = 0; i < c->row_count; i++) {
        int n = (int)strlen(c->row[i].path);
        width = n > width && n <= PATH_WIDTH_MAX ? n : width;
    }
    fputc('\n', out);
    if (c->row_count == 0)
        fputs("  (nothing but the head differs)\n", out);
    for (uint32_t i = 0; i < c->row_count; i++)
        plan_row(out, &c->row[i], width);
    fputc('\n', out);
}

static void say_swaps(struct speech *s, const struct plan_input *p)
{
    const struct change *c = p->change;
    char names[160] = "";
    size_t used = 0;
    for (uint32_t i = 0; i < p->next->instance_count; i++)
        if (c->swaps[i] && used < sizeof(names))
            used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
                                     used > 0 ? ", " : "", p->next->instance[i].fact.name);
    if (p->now == NULL)
        line(s, "The host starts trading with %u strateg%s: %s%s.", c->swap_count,
             c->swap_count == 1 ? "y" : "ies", names, used >= sizeof(names) ? "..." : "");
    else if (c->swap_count == 0)
        line(s, "No strategy gets another build; what changes holds from one event on.");
    else
        line(s, "%u strateg%s another build, between two events: %s%s. No restart.", c->swap_count,
             c->swap_count == 1 ? "y gets" : "ies get", names, used >= sizeof(names) ? "..." : "");
}

static void say_kept(struct speech *s, const struct plan_input *p)
{
    char words[96];
    struct plan_owned kept = plan_kept(p);
    if (p->now == NULL)
        return;
    if (p->owned == NULL) {
        line(s, "What strategies own is not known here (no journal was read); whatever it is stays "
                "with them.");
        return;
    }
    owned_words(&kept, words);
    if (owns(&kept))
        line(s, "What strategies own stays with them, nothing is cancelled or closed: %s.", words);
    else
        line(s, "The strategies that stay own no order, stop or position now.");
}

static void say_leaving(struct speech *s, const struct plan_input *p, const char *strategy)
{
    const struct plan_owned *o = plan_owned_by(p, strategy);
    const struct deploy_remove *r = plan_remove_of(p, strategy);
    char words[96] = "";
    if (o != NULL)
        owned_words(o, words);
    if (r != NULL && r->what == FACT_ON_REMOVE_FLATTEN)
        line(s, "%s loses its route: its orders are cancelled and its position is closed (%s).",
             strategy, o != NULL ? words : "not known here");
    else if (r != NULL)
        line(s, "%s loses its route: what it owns (%s) passes to %s.", strategy,
             o != NULL ? words : "not known here", r->to);
    else if (o != NULL && owns(o))
        line(
            s,
            "%s loses its route but owns %s: this will be refused. Add on_remove: {%s: flatten} to "
            "the file (or hand_to: another strategy), or close it first.",
            strategy, words, strategy);
    else if (o != NULL)
        line(s, "%s loses its route; it owns nothing now. If it does by then, this is refused.",
             strategy);
    else
        line(s, "%s loses its route; if it owns anything then, this is refused: see on_remove.",
             strategy);
}

static void say_times(struct speech *s, const struct plan_input *p)
{
    char hear[32], probation[32], until[CLOCK_TEXT_BYTES];
    const struct deploy_doc *n = p->next;
    cfg_duration_text(n->hear_ns, hear);
    cfg_duration_text(n->probation_ns, probation);
    if (p->change->swap_count > 0 && p->now != NULL) {
        line(
            s,
            "New builds hear the stream for %s before that. The old ones are kept ready for %s "
            "after it, and come back when a new one fails, is late, or %u of its %d newest intents "
            "were denied, or when an operator says so: tenon config rollback.",
            hear, probation, n->denials, DEPLOY_DENIALS_OF);
    }
    if (n->run_until_ns == 0)
        return;
    clock_print(n->run_until_ns, until);
    line(s, "From %.19sZ on (event time) the host only reduces.", until);
}

static bool tightens_limits(const struct change *c)
{
    for (uint32_t i = 0; i < c->row_count; i++)
        if (c->row[i].kind == CHANGE_LIMIT && c->row[i].direction == CHANGE_TIGHTENS)
            return true;
    return false;
}

static void say_effect(FILE *out, const struct plan_input *p)
{
    struct speech s = {.out = out, .label = "Effect:"};
    say_swaps(&s, p);
    say_kept(&s, p);
    for (uint32_t i = 0; p->now != NULL && i < p->now->route_count; i++)
        if (plan_leaves(p, i))
            say_leaving(&s, p, change_strategy_of(p->now, i));
    if (p->now != NULL && tightens_limits(p->change))
        line(&s, "Who holds more than a tighter limit allows may only reduce until it does not.");
    say_times(&s, p);
}

static const struct plan_warmup *warmup_of(const struct plan_input *p, const char *strategy)
{
    for (uint32_t i = 0; p->warmup != NULL && i < p->warmup_count; i++)
        if (strcmp(p->warmup[i].strategy, strategy) == 0)
            return &p->warmup[i];
    return NULL;
}

static void say_warm(struct speech *s, const struct deploy_instance *i, const struct plan_warmup *w)
{
    const char *unit = i->bar_ns > 0 ? "bars" : "events";
    const char *name = i->fact.name;
    if (w == NULL || w->how == PLAN_HOW_UNSET)
        line(s, "%s: not known here, its plugins could not be read.", name);
    else if (w->how == PLAN_STATE)
        line(s, "%s: takes over the state of the running build, then hears the stream.", name);
    else if (w->how == PLAN_COLD)
        line(s, "%s: starts without history, so it takes over only while it owns nothing.", name);
    else if (w->have >= w->need)
        line(s, "%s: needs %llu %s of history, %llu are in the journal.", name,
             (unsigned long long)w->need, unit, (unsigned long long)w->have);
    else
        line(s,
             "%s: needs %llu %s of history, only %llu are in the journal: refused before %llu "
             "more.",
             name, (unsigned long long)w->need, unit, (unsigned long long)w->have,
             (unsigned long long)(w->need - w->have));
}

static void say_warmup(FILE *out, const struct plan_input *p)
{
    struct speech s = {.out = out, .label = "Warm-up:"};
    if (p->now == NULL)
        line(&s, "from the live stream: there is no history yet.");
    else if (p->change->swap_count == 0)
        line(&s, "none is needed.");
    for (uint32_t i = 0; p->now != NULL && i < p->next->instance_count; i++)
        if (p->change->swaps[i])
            say_warm(&s, &p->next->instance[i], warmup_of(p, p->next->instance[i].fact.name));
}

/* "author 1, operator 1" */
static void need_words(const struct trust_need *n, char out[96])
{
    const struct {
        const char *role;
        uint32_t count;
    } row[] = {{"author", n->author}, {"operator", n->operator}, {"risk", n->risk}};
    size_t used = 0;
    snprintf(out, 96, "nobody");
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
        if (row[i].count > 0)
            used += (size_t)snprintf(out + used, 96 - used, "%s%s %u", used > 0 ? ", " : "",
                                     row[i].role, row[i].count);
}

static void say_approvals(FILE *out, const struct plan_input *p)
{
    struct speech s = {.out = out, .label = "Approvals:"};
    const struct change *c = p->change;
    char missing[160];
    const char *why = c->only_tightens ? "it only tightens"
                      : c->raises      ? "it raises risk"
                                       : "it does not raise risk";
    if (p->trust == NULL) {
        line(&s,
             "%s, since %s; how many of each is in the trust document, which is not known here.",
             c->only_tightens ? "one operator"
             : c->raises      ? "author and risk"
                              : "author and operator",
             why);
        return;
    }
    struct trust_need need = plan_need(p->trust, c);
    bool is_met = trust_count(p->trust, p->sign, p->sign_count, &need, missing, sizeof(missing));
    char words[96];
    need_words(&need, words);
    line(&s, "%s%s, since %s.", words,
         need.author + need.operator+ need.risk> 1 ? ", all different people" : "", why);
    if (is_met)
        line(&s, "All of them have signed.");
    else
        line(&s, "%s signed; missing: %s.", p->sign_count == 0 ? "Nobody has" : "Some have",
             missing);
}

static void say_next(FILE *out, const struct plan_input *p)
{
    struct speech s = {.out = out, .label = "Next:"};
    char missing[160];
    bool is_met = false;
    if (p->trust != NULL) {
        struct trust_need need = plan_need(p->trust, p->change);
        is_met = trust_count(p->trust, p->sign, p->sign_count, &need, missing, sizeof(missing));
    }
    const char *file = p->next_path; /* commands are not wrapped: they are copied */
    if (p->next->fact.serial == 0 || p->is_draft) {
        fprintf(out, "%-*stenon config plan %s --out PROPOSAL\n", LABEL_WIDTH, "Next:", file);
        s.label = "";
        line(&s, "which fills in serial, parent, times and pins; that file is signed.");
        return;
    }
    if (!is_met)
        fprintf(out, "%-*stenon config sign %s --role ROLE   (each person)\n", LABEL_WIDTH,
                "Next:", file);
    fprintf(out, "%-*stenon config promote %s\n", LABEL_WIDTH, is_met ? "Next:" : "", file);
}

void plan_print(FILE *out, const struct plan_input *p)
{
    must(p->next != NULL && p->change != NULL && p->next_path != NULL);
    print_head(out, p);
    print_rows(out, p->change);
    say_effect(out, p);
    say_warmup(out, p);
    say_approvals(out, p);
    say_next(out, p);
}
