/* SPDX-License-Identifier: Apache-2.0
 *
 * The plan for programs: one object on one line. Written by hand, because this folder uses no JSON
 * library: every text in it comes from a parsed document, so it is printable ASCII, and only quote
 * and backslash need an escape. What is not known is null.
 */
#include <string.h>
#include "base/hash.h"
#include "deploy/change_priv.h"
#include "deploy/plan_priv.h"

static void text(FILE *out, const char *t)
{
    fputc('"', out);
    for (; *t != 0; t++) {
        if (*t == '"' || *t == '\\')
            fputc('\\', out);
        fputc(*t, out);
    }
    fputc('"', out);
}

static void member(FILE *out, const char *name, const char *value)
{
    fprintf(out, "\"%s\": ", name);
    text(out, value);
}

static const char *kind_name(uint32_t kind)
{
    switch (kind) {
#define X(NAME, bit, words)                                                                        \
    case CHANGE_##NAME:                                                                            \
        return #NAME;
        CHANGE_KINDS(X)
#undef X
    default:
        return "?";
    }
}

static void rows(FILE *out, const struct change *c)
{
    static const char *const direction[] = {"unset", "same", "raises", "tightens"};
    fputs("\"changes\": [", out);
    for (uint32_t i = 0; i < c->row_count; i++) {
        const struct change_row *r = &c->row[i];
        fputs(i > 0 ? ", {" : "{", out);
        member(out, "path", r->path);
        fputs(", ", out);
        member(out, "kind", kind_name(r->kind));
        fputs(", ", out);
        member(out, "risk", direction[r->direction]);
        fputs(", ", out);
        member(out, "before", r->before);
        fputs(", ", out);
        member(out, "after", r->after);
        fprintf(out, ", \"old_line\": %u, \"new_line\": %u}", r->old_line, r->new_line);
    }
    fputs("]", out);
}

static void owned(FILE *out, const struct plan_owned *o)
{
    if (o == NULL)
        fputs("null", out);
    else
        fprintf(out, "{\"orders\": %u, \"stops\": %u, \"positions\": %u}", o->orders, o->stops,
                o->positions);
}

static void leaving(FILE *out, const struct plan_input *p)
{
    bool first = true;
    fputs("\"leaving\": [", out);
    for (uint32_t i = 0; p->now != NULL && i < p->now->route_count; i++) {
        const char *strategy = change_strategy_of(p->now, i);
        const struct deploy_remove *r = plan_remove_of(p, strategy);
        if (!plan_leaves(p, i))
            continue;
        fputs(first ? "{" : ", {", out);
        first = false;
        member(out, "strategy", strategy);
        fputs(", ", out);
        member(out, "on_remove",
               r == NULL                           ? ""
               : r->what == FACT_ON_REMOVE_FLATTEN ? "flatten"
                                                   : "hand_to");
        fputs(", ", out);
        member(out, "to", r != NULL ? r->to : "");
        fputs(", \"owns\": ", out);
        owned(out, plan_owned_by(p, strategy));
        fputs("}", out);
    }
    fputs("]", out);
}

static void swaps(FILE *out, const struct plan_input *p)
{
    bool first = true;
    fputs("\"swaps\": [", out);
    for (uint32_t i = 0; i < p->next->instance_count; i++) {
        const struct plan_warmup *w = NULL;
        const char *name = p->next->instance[i].fact.name;
        if (!p->change->swaps[i])
            continue;
        for (uint32_t k = 0; p->warmup != NULL && k < p->warmup_count; k++)
            if (strcmp(p->warmup[k].strategy, name) == 0)
                w = &p->warmup[k];
        fputs(first ? "{" : ", {", out);
        first = false;
        member(out, "strategy", name);
        fputs(", ", out);
        member(out, "warm_up", plan_how_name(w != NULL ? w->how : PLAN_HOW_UNSET));
        if (w != NULL && w->how == PLAN_REPLAY)
            fprintf(out, ", \"need\": %llu, \"have\": %llu}", (unsigned long long)w->need,
                    (unsigned long long)w->have);
        else
            fputs(", \"need\": null, \"have\": null}", out);
    }
    fputs("]", out);
}

static void approvals(FILE *out, const struct plan_input *p)
{
    char missing[160];
    if (p->trust == NULL) {
        fputs("\"approvals\": null", out);
        return;
    }
    struct trust_need need = plan_need(p->trust, p->change);
    bool is_met = trust_count(p->trust, p->sign, p->sign_count, &need, missing, sizeof(missing));
    fprintf(out,
            "\"approvals\": {\"author\": %u, \"operator\": %u, \"risk\": %u, \"signatures\": %u, "
            "\"enough\": %s, ",
            need.author, need.operator, need.risk, p->sign_count, is_met ? "true" : "false");
    member(out, "missing", missing);
    fputs("}", out);
}

void plan_json(FILE *out, const struct plan_input *p)
{
    char hex[HASH_HEX_BYTES];
    struct plan_owned kept = plan_kept(p);
    fputs("{\"schema\": \"tenon.plan.v1\", ", out);
    member(out, "file", p->next_path);
    fputs(", ", out);
    member(out, "host", p->next->host);
    hash_hex(p->next->fact.sha256, hex);
    fprintf(out, ", \"draft\": %s", p->is_draft || p->next->fact.serial == 0 ? "true" : "false");
    fprintf(out, ", \"serial\": %llu, \"sha256\": \"%s\"", (unsigned long long)p->next->fact.serial,
            hex);
    if (p->now != NULL) {
        hash_hex(p->now->fact.sha256, hex);
        fprintf(out, ", \"running\": {\"serial\": %llu, \"sha256\": \"%s\"}, ",
                (unsigned long long)p->now->fact.serial, hex);
    } else {
        fputs(", \"running\": null, ", out);
    }
    fprintf(out, "\"raises_risk\": %s, \"only_tightens\": %s, ",
            p->change->raises ? "true" : "false", p->change->only_tightens ? "true" : "false");
    rows(out, p->change);
    fputs(", ", out);
    swaps(out, p);
    fputs(", \"kept\": ", out);
    owned(out, p->owned != NULL ? &kept : NULL);
    fputs(", ", out);
    leaving(out, p);
    fputs(", ", out);
    approvals(out, p);
    fputs("}\n", out);
}
