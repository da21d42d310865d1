/* SPDX-License-Identifier: Apache-2.0
 *
 * The same story for programs: one object, schema tenon.explain/1. Signals, execution reports and
 * decisions are the published v1 records, unchanged; what else belongs to the story stands beside
 * them. Numbers of 64 bits and decimals are strings.
 */
#include <inttypes.h>
#include <string.h>
#include "base/hash.h"
#include "base/must.h"
#include "base/num.h"
#include "deploy/trust.h"
#include "gateway/fact_text.h"
#include "tenon/strategy.h"
#include "tools/tenon/story.h"

static json_t *u64(uint64_t v)
{
    return json_sprintf("%" PRIu64, v);
}

static json_t *ns(int64_t v)
{
    return json_sprintf("%" PRId64, v);
}

static json_t *decimal(int64_t v, int exp)
{
    char text[NUM_TEXT_BYTES];
    num_print(v, exp, text);
    return json_string(text);
}

static json_t *hex(const uint8_t sha[FACT_HASH_BYTES])
{
    char text[HASH_HEX_BYTES];
    hash_hex(sha, text);
    return json_string(text);
}

/* Any record, as `journal cat --json` prints it. */
static json_t *record(const struct fact_view *v)
{
    char text[FACT_PRINT_BYTES];
    if (v->head.type == 0)
        return json_null();
    size_t n = fact_print(FACT_FORM_JSON, &v->head, v->u.bytes, text, sizeof text);
    return json_loadb(text, n, 0, NULL);
}

static json_t *bar(const struct story_order *o)
{
    const struct bars_bar *b = &o->bar;
    int p = o->scope.instrument->price_exp;
    if (b->trades == 0)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:i}", "open_ns", ns(b->open_ns),
                     "end_ns", ns(b->end_ns), "open", decimal(b->open, p), "high",
                     decimal(b->high, p), "low", decimal(b->low, p), "close", decimal(b->close, p),
                     "volume", decimal(b->volume, o->scope.instrument->qty_exp), "trades",
                     (int)b->trades);
}

static json_t *intent(const struct story_order *o)
{
    const struct fact_intent *i = &o->intent.u.fact_intent;
    const struct fact_instrument *in = o->scope.instrument;
    if (o->intent.head.type == 0)
        return json_null();
    json_t *j = json_pack("{s:o, s:o, s:s, s:s, s:s, s:b, s:i}", "seq", u64(o->intent.head.seq),
                          "signal_seq", u64(i->signal_seq), "origin",
                          story_field(FACT_INTENT, "origin", i->origin), "side",
                          story_side(i->side), "tif", story_field(FACT_INTENT, "tif", i->tif),
                          "reducing", (int)i->reducing, "leg", (int)i->leg);
    json_object_set_new(j, "qty", decimal(i->qty, in->qty_exp));
    json_object_set_new(j, "price", decimal(i->price, in->price_exp));
    json_object_set_new(j, "reference", decimal(i->reference, in->price_exp));
    json_object_set_new(j, "position_before", decimal(o->position_before, in->qty_exp));
    json_object_set_new(j, "until_ns", i->ttl_ns == INT64_MAX ? json_null() : ns(i->ttl_ns));
    return j;
}

static json_t *move(const struct story_order *o, const struct fact_view *v)
{
    const struct fact_order *e = &v->u.fact_order;
    return json_pack("{s:o, s:o, s:s, s:s, s:s, s:o, s:o}", "seq", u64(v->head.seq), "since_ns",
                     ns(v->head.t_ns - o->decision.head.t_ns), "from", story_state(e->from), "to",
                     story_state(e->to), "event", story_field(FACT_ORDER, "event", e->event), "cum",
                     decimal(e->cum, o->scope.instrument->qty_exp), "leaves",
                     decimal(e->leaves, o->scope.instrument->qty_exp));
}

static json_t *position(const struct story_order *o, const struct fact_view *v)
{
    const struct fact_position *e = &v->u.fact_position;
    const struct story_scope *s = &o->scope;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:s, s:o}", "seq", u64(v->head.seq), "qty",
                     decimal(e->qty, s->instrument->qty_exp), "avg_price",
                     decimal(e->avg_price, s->instrument->price_exp), "realised",
                     decimal(e->realised, s->settle->exp), "fees", decimal(e->fees, s->settle->exp),
                     "currency", s->settle->name, "net", decimal(e->net, s->instrument->qty_exp));
}

struct action { /* what happened to one order, by kind */
    json_t *moves, *reports, *positions, *steps;
};

static struct result sort_records(const struct story *s, const struct story_order *o,
                                  struct action *a, struct trail *tr)
{
    struct result x = OK_RESULT;
    uint64_t touched = 0; /* a stop names no order: it stands in the step of the fill */
    for (uint32_t i = 0; i < s->kept.count && is_ok(x); i++) {
        const struct fact_view *v = &s->kept.row[i];
        json_t *exec = NULL;
        bool beside = v->head.type == FACT_STOPPED && v->head.seq == touched;
        if (!beside && (o->id == 0 || story_order_of(v) != o->id))
            continue;
        touched = v->head.seq;
        if (v->head.type == FACT_ORDER)
            json_array_append_new(a->moves, move(o, v));
        else if (v->head.type == FACT_POSITION)
            json_array_append_new(a->positions, position(o, v));
        else if (v->head.type != FACT_EXEC)
            json_array_append_new(a->steps, record(v));
        if (v->head.type != FACT_EXEC)
            continue;
        x = json_facts_exec(&v->head, &v->u.fact_exec, &o->scope.json, &exec, tr);
        if (is_ok(x))
            json_array_append_new(a->reports, exec);
    }
    return x;
}

static json_t *plugin(const struct fact_instance *i, uint32_t generation, const char *input)
{
    return json_pack("{s:s, s:s, s:s, s:i, s:o, s:o, s:o}", "instance", i->name, "plugin",
                     i->plugin, "version", i->version, "generation", (int)generation, "sha256",
                     hex(i->sha256), "due_ns", ns(i->due_ns), "input",
                     input ? json_string(input) : json_null());
}

static json_t *plugins(const struct story *s, const struct story_order *o)
{
    json_t *list = json_array();
    const struct fact_view *by =
        o->build != NULL
            ? o->build
            : story_name(&s->names, FACT_INSTANCE, o->scope.strategy->id, o->scope.upto);
    json_array_append_new(list, by != NULL ? plugin(&by->u.fact_instance, by->head.generation, NULL)
                                           : plugin(o->scope.strategy, 0, NULL));
    for (uint32_t i = 0; i < TN_MAX_INPUTS; i++) {
        const struct fact_input *in =
            story_input(&s->names, o->scope.strategy->id, o->scope.generation, i, o->scope.upto);
        const struct fact_view *v =
            in ? story_name(&s->names, FACT_INSTANCE, in->source, o->scope.upto) : NULL;
        if (v != NULL)
            json_array_append_new(list, plugin(&v->u.fact_instance, v->head.generation, in->name));
    }
    return list;
}

static json_t *deployment(const struct story *s, const struct story_order *o)
{
    json_t *signers = json_array();
    const struct fact_deploy *d = o->scope.deploy;
    const struct fact_signature *f;
    for (uint32_t n = 0; (f = story_signature(&s->names, d->sha256, n)) != NULL; n++) {
        char id[SIGN_ID_TEXT];
        sign_id_text(f->key_id, id);
        json_array_append_new(signers, json_pack("{s:s, s:s, s:s}", "person", f->person, "role",
                                                 trust_role_name(f->role), "key_id", id));
    }
    return json_pack("{s:s, s:o, s:o, s:o}", "name", d->name, "serial", u64(d->serial), "sha256",
                     hex(d->sha256), "signers", signers);
}

static struct result add_v1(const struct story_order *o, json_t *j, struct trail *tr)
{
    json_t *signal = json_null(), *decision = NULL;
    struct json_facts_names by = o->scope.json;
    if (o->build != NULL) { /* a newer one may have taken over since */
        by.plugin = o->build->u.fact_instance.plugin;
        by.version = o->build->u.fact_instance.version;
    }
    if (o->signal.head.type == FACT_SIGNAL)
        TRY(json_facts_signal(&o->signal.head, &o->signal.u.fact_signal, &by, &signal, tr));
    json_object_set_new(j, "signal", signal);
    TRY(json_facts_decision(&o->decision.head, &o->decision.u.fact_decision, &o->scope.json,
                            &decision, tr));
    json_object_set_new(j, "decision", decision);
    return OK_RESULT;
}

static struct result order(const struct story *s, const struct story_order *o, json_t **out,
                           struct trail *tr)
{
    struct action a = {json_array(), json_array(), json_array(), json_array()};
    const struct fact_send *sent = &o->send.u.fact_send;
    json_t *j = json_object();
    json_object_set_new(j, "order", u64(o->id));
    json_object_set_new(j, "client_id",
                        o->send.head.type ? json_string(sent->client_id) : json_null());
    json_object_set_new(j, "state", json_string(story_state(o->state)));
    json_object_set_new(j, "cause", record(&o->cause));
    json_object_set_new(j, "bar", bar(o));
    json_object_set_new(j, "trigger", record(&o->trigger));
    json_object_set_new(j, "intent", intent(o));
    struct result x = add_v1(o, j, tr);
    if (is_ok(x))
        x = sort_records(s, o, &a, tr);
    json_object_set_new(j, "moves", a.moves);
    json_object_set_new(j, "reports", a.reports);
    json_object_set_new(j, "positions", a.positions);
    json_object_set_new(j, "steps", a.steps);
    json_object_set_new(j, "plugins", plugins(s, o));
    json_object_set_new(j, "deployment", deployment(s, o));
    if (!is_ok(x))
        json_decref(j);
    else
        *out = j;
    return x;
}

struct result story_json(const struct story *s, const char *id, json_t **out, struct trail *tr)
{
    json_t *orders = json_array(), *event = json_array(), *signals = json_array();
    struct result x = OK_RESULT;
    *out = NULL;
    for (uint32_t i = 0; i < s->order_count && is_ok(x); i++) {
        json_t *one = NULL;
        x = order(s, &s->order[i], &one, tr);
        if (is_ok(x))
            json_array_append_new(orders, one);
    }
    for (uint32_t i = 0; i < s->event.count; i++)
        json_array_append_new(event, record(&s->event.row[i]));
    for (uint32_t i = 0; i < s->signal.count; i++)
        json_array_append_new(signals, u64(s->signal.row[i].head.seq));
    json_t *j = json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "schema", "tenon.explain/1", "id",
                          id, "journal", s->journal, "event", event, "signals", signals, "orders",
                          orders, "orders_more", u64(s->orders_more));
    if (!is_ok(x))
        json_decref(j);
    else
        *out = j;
    return x;
}

struct result story_json_denial(const struct story *s, json_t **out, struct trail *tr)
{
    must(s->order_count > 0);
    const struct story_order *o = &s->order[0];
    return json_facts_decision(&o->decision.head, &o->decision.u.fact_decision, &o->scope.json, out,
                               tr);
}
