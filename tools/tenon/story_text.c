/* SPDX-License-Identifier: Apache-2.0
 *
 * The story as a page for people: bar, features, signal with reasons, intent, every rule, order,
 * fills, plugins. One function per section; each prints what its records say and leaves out what
 * is not there. Lines end at 100 columns; numbers are exact.
 */
#include <inttypes.h>
#include <string.h>
#include "base/hash.h"
#include "base/must.h"
#include "base/num.h"
#include "deploy/trust.h"
#include "tenon/strategy.h"
#include "tools/tenon/story.h"

enum { PPM_EXP = -6, NAME_COLUMNS = 20, FEATURE_COLUMNS = 24 };
#define DEC(v, exp) story_decimal(STORY_WORD, (v), (exp))

struct page {
    FILE *f;
    const struct story *s;
    const struct story_order *o;
    bool utc;
};

static const char *when(const struct page *p, int64_t ns, char out[STORY_WORD_BYTES])
{
    return story_time(out, ns, p->utc);
}
#define WHEN(ns) when(p, (ns), STORY_WORD)
#define PRICE(v) DEC((v), p->o->scope.instrument->price_exp)
#define QTY(v) DEC((v), p->o->scope.instrument->qty_exp)
#define MONEY(v) DEC((v), p->o->scope.money->exp)
#define SETTLE(v) DEC((v), p->o->scope.settle->exp)

/* ---- events ---- */

static const struct fact_instrument *instrument_of(const struct story *s, uint32_t id, uint64_t seq)
{
    static const struct fact_instrument unknown = {.symbol = "(pruned)"};
    const struct fact_view *v = story_name(&s->names, FACT_INSTRUMENT, id, seq);
    return v ? &v->u.fact_instrument : &unknown;
}

static void say_bar(FILE *f, const struct fact_instrument *in, const struct fact_bar *b,
                    const char *from, const char *to)
{
    story_say(f, 2, "bar of %s from %s to %s", in->symbol, from, to);
    story_say(f, 4, "open %s, high %s, low %s, close %s, volume %s", DEC(b->open, in->price_exp),
              DEC(b->high, in->price_exp), DEC(b->low, in->price_exp), DEC(b->close, in->price_exp),
              DEC(b->volume, in->qty_exp));
}

static void say_market(const struct page *p, const struct fact_view *v)
{
    const struct fact_trade *t = &v->u.fact_trade;
    const struct fact_quote *q = &v->u.fact_quote;
    const struct fact_instrument *in = instrument_of(p->s, t->instrument, v->head.seq);
    if (v->head.type == FACT_BAR)
        say_bar(p->f, in, &v->u.fact_bar, WHEN(v->u.fact_bar.open_ns), WHEN(v->head.t_ns));
    if (v->head.type == FACT_TRADE)
        story_say(p->f, 2, "trade of %s: %s at %s", in->symbol, DEC(t->qty, in->qty_exp),
                  DEC(t->price, in->price_exp));
    if (v->head.type == FACT_QUOTE)
        story_say(p->f, 2, "quote of %s: bid %s at %s, ask %s at %s", in->symbol,
                  DEC(q->bid_qty, in->qty_exp), DEC(q->bid, in->price_exp),
                  DEC(q->ask_qty, in->qty_exp), DEC(q->ask, in->price_exp));
}

static void say_event(const struct page *p, const struct fact_view *v)
{
    story_say(p->f, 2, "event %" PRIu64 ", %s: %s", v->head.seq, WHEN(v->head.t_ns),
              fact_text(v->head.type));
    say_market(p, v);
}

static void say_made_bar(const struct page *p)
{
    const struct bars_bar *b = &p->o->bar;
    const struct fact_instrument *in = p->o->scope.instrument;
    if (b->trades == 0)
        return;
    struct fact_bar bar = {
        .open = b->open, .high = b->high, .low = b->low, .close = b->close, .volume = b->volume};
    say_bar(p->f, in, &bar, WHEN(b->open_ns), WHEN(b->end_ns));
    story_say(p->f, 4, "the bar of the instrument up to this event, from its %u trades", b->trades);
}

static void say_command(const struct page *p, const struct fact_view *v)
{
    const struct fact_mode *m = &v->u.fact_mode;
    char by[4 * FACT_NAME_BYTES + 8], why[4 * FACT_TEXT_BYTES + 8];
    text_escape(by, sizeof by, m->by, strnlen(m->by, sizeof m->by));
    text_escape(why, sizeof why, m->reason, strnlen(m->reason, sizeof m->reason));
    story_say(p->f, 2, "event %" PRIu64 ", %s: mode %s by %s%s%s", v->head.seq, WHEN(v->head.t_ns),
              story_field(FACT_MODE, "mode", m->mode), by, why[0] ? ": " : "", why);
}

static void say_trigger(const struct page *p)
{
    const struct fact_view *v = &p->o->trigger;
    const struct fact_stopped *t = &v->u.fact_stopped;
    if (v->head.type == FACT_STOPPED)
        story_say(p->f, 2, "event %" PRIu64 ", %s: the host-side stop at %s was hit (mark %s)",
                  v->head.seq, WHEN(v->head.t_ns), PRICE(t->price), PRICE(t->mark));
    if (v->head.type == FACT_MODE)
        say_command(p, v);
    if (v->head.type == FACT_MODED)
        story_say(p->f, 2, "event %" PRIu64 ", %s: mode %s, was %s", v->head.seq,
                  WHEN(v->head.t_ns), story_field(FACT_MODED, "to", v->u.fact_moded.to),
                  story_field(FACT_MODED, "from", v->u.fact_moded.from));
}

static void say_cause(const struct page *p)
{
    fprintf(p->f, "\ncause\n");
    say_trigger(p);
    if (p->o->cause.head.type != 0)
        say_event(p, &p->o->cause);
    else
        story_say(p->f, 2, "its record was pruned from this journal; look in the archive");
    say_made_bar(p);
}

/* ---- belief ---- */

static const char *reason_name(const struct page *p, const struct fact_reason *r)
{
    if (r->input == TN_REASON_CLAMP)
        return "clamp";
    if (r->input == TN_REASON_BASE)
        return "base";
    const char *name = r->input < TN_MAX_INPUTS ? p->o->scope.input[r->input] : NULL;
    return name ? name : "?";
}

static const char *signed_ppm(char out[STORY_WORD_BYTES], int64_t ppm)
{
    char number[NUM_TEXT_BYTES];
    num_print(ppm, PPM_EXP, number);
    snprintf(out, STORY_WORD_BYTES, "%s%s", ppm > 0 ? "+" : "", number);
    return out;
}

/* Where an input's value comes from. */
static const char *origin_of(const struct page *p, uint32_t input, char out[STORY_WORD_BYTES])
{
    const uint64_t upto = p->o->scope.upto;
    const struct fact_input *in =
        story_input(&p->s->names, p->o->scope.strategy->id, p->o->scope.generation, input, upto);
    const struct fact_view *v =
        in ? story_name(&p->s->names, FACT_INSTANCE, in->source, upto) : NULL;
    if (v == NULL)
        snprintf(out, STORY_WORD_BYTES, "the strategy itself");
    else
        snprintf(out, STORY_WORD_BYTES, "%.30s, output %u of %.24s %.16s", v->u.fact_instance.name,
                 in->output, v->u.fact_instance.plugin, v->u.fact_instance.version);
    return out;
}

static void say_features(const struct page *p)
{
    const struct fact_signal *g = &p->o->signal.u.fact_signal;
    fprintf(p->f, "\nfeatures\n");
    for (uint32_t i = 0; i < g->reason_count && i < FACT_MAX_REASONS; i++) {
        const struct fact_reason *r = &g->reason[i];
        story_say(p->f, 2, "%-*s %*s  %s", NAME_COLUMNS, reason_name(p, r), FEATURE_COLUMNS,
                  story_real(STORY_WORD, r->value_bits), origin_of(p, r->input, STORY_WORD));
    }
}

static void say_advice(const struct page *p)
{
    const struct fact_signal *g = &p->o->signal.u.fact_signal;
    if (g->advice & TN_ADVICE_TARGET)
        story_say(p->f, 2, "advice: %s of the budget", DEC(g->target_ppm, PPM_EXP));
    if (g->advice & TN_ADVICE_LIMIT)
        story_say(p->f, 2, "advice: a limit %s away from the reference, on the passive side",
                  PRICE(g->limit_offset));
    if (g->advice & TN_ADVICE_STOP)
        story_say(p->f, 2, "advice: a stop %s from the entry", PRICE(g->stop_distance));
    if (g->advice & TN_ADVICE_TTL)
        story_say(p->f, 2, "advice: alive for %s", story_span(STORY_WORD, g->ttl_ns));
}

static void say_signal(const struct page *p)
{
    const struct fact_view *v = &p->o->signal;
    const struct fact_signal *g = &v->u.fact_signal;
    int64_t sum = 0;
    if (v->head.type != FACT_SIGNAL)
        return;
    say_features(p);
    fprintf(p->f, "\nsignal %" PRIu64 "\n", v->head.seq);
    story_say(p->f, 2, "%s %s by %s at %s, horizon %s",
              g->side == TN_LONG    ? "long"
              : g->side == TN_SHORT ? "short"
                                    : "flat",
              p->o->scope.instrument->symbol, p->o->scope.strategy->name, WHEN(v->head.t_ns),
              story_span(STORY_WORD, g->horizon_ns));
    story_say(p->f, 2, "score %s, confidence %s", signed_ppm(STORY_WORD, g->score_ppm),
              DEC(g->confidence_ppm, PPM_EXP));
    for (uint32_t i = 0; i < g->reason_count && i < FACT_MAX_REASONS; i++) {
        sum += g->reason[i].contribution_ppm;
        story_say(p->f, 4, "%-*s %14s", NAME_COLUMNS, reason_name(p, &g->reason[i]),
                  signed_ppm(STORY_WORD, g->reason[i].contribution_ppm));
    }
    story_say(p->f, 4, "%-*s %14s  %s", NAME_COLUMNS, "sum", signed_ppm(STORY_WORD, sum),
              sum == g->score_ppm ? "= the score, exactly" : "IS NOT THE SCORE");
    say_advice(p);
}

/* ---- intent ---- */

static void say_why_now(const struct page *p)
{
    const struct fact_intent *i = &p->o->intent.u.fact_intent;
    if (i->origin == FACT_ORIGIN_SIGNAL && p->o->made.head.seq != i->signal_seq)
        story_say(p->f, 2,
                  "planned at event %" PRIu64 " (%s), when the orders that worked before it had "
                  "ended",
                  p->o->made.head.seq, fact_text(p->o->made.head.type));
    if (i->leg > 0)
        story_say(p->f, 2, "leg %u of its step: the legs before it close first", i->leg);
}

static void say_size(const struct page *p)
{
    const struct fact_intent *i = &p->o->intent.u.fact_intent;
    const struct fact_signal *g = &p->o->signal.u.fact_signal;
    const struct fact_route *r =
        story_route(&p->s->names, i->strategy, i->instrument, p->o->scope.upto);
    bool sized = p->o->signal.head.type == FACT_SIGNAL && g->side != TN_FLAT && r != NULL;
    if (i->origin == FACT_ORIGIN_SIGNAL && sized)
        story_say(p->f, 2, "wanted: %s of the budget of %s %s, in lots of %s, %s",
                  DEC(g->advice & TN_ADVICE_TARGET ? g->target_ppm : TN_ONE_PPM, PPM_EXP),
                  MONEY(r->budget), p->o->scope.money->name, QTY(p->o->scope.instrument->lot),
                  g->side == TN_LONG ? "long" : "short");
    if (i->origin == FACT_ORIGIN_SIGNAL && g->side == TN_FLAT)
        story_say(p->f, 2, "wanted: no position");
    story_say(p->f, 2, "position before %s; this %s", QTY(p->o->position_before),
              i->reducing ? "only reduces it" : "opens new risk");
}

static void say_intent(const struct page *p)
{
    const struct fact_intent *i = &p->o->intent.u.fact_intent;
    static const char *const origins[] = {"?", "the signal", "the host-side stop", "the kill",
                                          "a person"};
    fprintf(p->f, "\nintent %" PRIu64 "\n", i->intent);
    story_say(p->f, 2, "%s %s %s at %s, %s, from %s", story_side(i->side), QTY(i->qty),
              p->o->scope.instrument->symbol, PRICE(i->price),
              story_field(FACT_INTENT, "tif", i->tif),
              i->origin < sizeof origins / sizeof *origins ? origins[i->origin] : "?");
    say_why_now(p);
    say_size(p);
    story_say(p->f, 2, "price from the reference %s (the mark)%s", PRICE(i->reference),
              p->o->signal.u.fact_signal.advice & TN_ADVICE_LIMIT ? " and the advised distance"
                                                                  : ", protected");
    if (i->ttl_ns != INT64_MAX)
        story_say(p->f, 2, "alive until %s", WHEN(i->ttl_ns));
}

/* ---- gate ---- */

static uint32_t count_results(const struct fact_decision *d, uint32_t result)
{
    uint32_t n = 0;
    for (uint32_t r = 1; r < RISK_RULE_END; r++)
        n += d->result[r] == result;
    return n;
}

static void say_verdict(const struct page *p)
{
    const struct fact_decision *d = &p->o->decision.u.fact_decision;
    const char *verdict = !d->approved            ? "denied"
                          : d->granted < d->asked ? "approved with less"
                                                  : "approved in full";
    story_say(p->f, 2, "%s: %s of %s; %u rules passed, %u cut, %u denied, %u did not bind", verdict,
              QTY(d->granted), QTY(d->asked), count_results(d, FACT_RULE_PASS),
              count_results(d, FACT_RULE_CUT), count_results(d, FACT_RULE_DENY),
              count_results(d, FACT_RULE_FREE));
}

static void say_gate(const struct page *p)
{
    const struct fact_decision *d = &p->o->decision.u.fact_decision;
    static const char *const words[] = {"?", "pass", "CUT", "DENY", "free"};
    fprintf(p->f, "\ngate\n");
    say_verdict(p);
    story_say(p->f, 2, "%-4s  %-31s %17s  %-14s  %s", "", "RULE", "FIGURE", "LIMIT", "SET BY");
    for (uint32_t r = 1; r < RISK_RULE_END; r++) {
        uint32_t result = d->result[r] < sizeof words / sizeof *words ? d->result[r] : 0;
        story_say(p->f, 2, "%-4s  %-31s %17s  %-14s  %s", words[result], story_rule_code(r),
                  story_figure(STORY_WORD, &p->o->scope, d, r, false),
                  story_figure(STORY_WORD, &p->o->scope, d, r, true),
                  story_rule_source(STORY_WORD, &p->o->scope, d, r));
    }
}

/* ---- action ---- */

static void say_move(const struct page *p, const struct fact_view *v, const char *since)
{
    static const char *const event_text[ORDER_EVENT_END] = {"",
#define X(id, name, text) text,
                                                            ORDER_EVENTS(X)
#undef X
    };
    const struct fact_order *e = &v->u.fact_order;
    const char *why = e->event < ORDER_EVENT_END ? event_text[e->event] : "?";
    story_say(p->f, 2, "%18s  %s -> %s: %s; left %s", since, story_state(e->from),
              story_state(e->to), why, QTY(e->leaves));
}

static void say_report(const struct page *p, const struct fact_view *v, const char *since)
{
    const struct fact_exec *e = &v->u.fact_exec;
    char said[4 * FACT_NAME_BYTES + 8], where[STORY_WORD_BYTES] = "";
    text_escape(said, sizeof said, e->text, strnlen(e->text, sizeof e->text));
    if (e->venue_order != 0)
        snprintf(where, sizeof where, ", venue order %" PRIu64, e->venue_order);
    story_say(p->f, 2, "%18s  venue says %s%s%s%s%s%s", since,
              story_field(FACT_EXEC, "kind", e->kind), where, e->reason ? ", reason " : "",
              e->reason ? story_field(FACT_EXEC, "reason", e->reason) : "", said[0] ? ": " : "",
              said);
}

static void say_step(const struct page *p, const struct fact_view *v)
{
    char since[STORY_WORD_BYTES];
    story_since(since, v->head.t_ns - p->o->decision.head.t_ns);
    const struct fact_sent *s = &v->u.fact_sent;
    if (v->head.type == FACT_ORDER)
        say_move(p, v, since);
    if (v->head.type == FACT_SENT)
        story_say(p->f, 2, "%18s  %sattempt %u handed over: %s%s%s", since,
                  s->is_cancel ? "cancel of " : "", s->attempt,
                  story_field(FACT_SENT, "what", s->what), s->reason ? ", reason " : "",
                  s->reason ? story_field(FACT_SENT, "reason", s->reason) : "");
    if (v->head.type == FACT_CANCEL)
        story_say(p->f, 2, "%18s  cancel asked, why: %s", since,
                  story_field(FACT_CANCEL, "why", v->u.fact_cancel.why));
    if (v->head.type == FACT_QUERY)
        story_say(p->f, 2, "%18s  the venue is asked about it", since);
    if (v->head.type == FACT_ALERT)
        story_say(p->f, 2, "%18s  ALERT %s", since,
                  story_field(FACT_ALERT, "what", v->u.fact_alert.what));
    if (v->head.type == FACT_EXEC && v->u.fact_exec.kind != FACT_EXEC_TRADE)
        say_report(p, v, since);
}

static void say_order(const struct page *p)
{
    const struct fact_send *e = &p->o->send.u.fact_send;
    if (p->o->send.head.type == 0)
        return;
    fprintf(p->f, "\norder %" PRIu64 "\n", p->o->id);
    story_say(p->f, 2, "client id %.32s, attempt %u, %s %s at %s, %s%s", e->client_id, e->attempt,
              story_side(e->side), QTY(e->qty), PRICE(e->price),
              story_field(FACT_SEND, "tif", e->tif), e->reduce_only ? ", reduce only" : "");
    for (uint32_t i = 0; i < p->s->kept.count; i++) {
        if (story_order_of(&p->s->kept.row[i]) == p->o->id)
            say_step(p, &p->s->kept.row[i]);
    }
    story_say(p->f, 2, "now %s", story_state(p->o->state));
}

static bool is_fill(const struct page *p, const struct fact_view *v)
{
    return v->head.type == FACT_EXEC && v->u.fact_exec.order == p->o->id &&
           v->u.fact_exec.kind == FACT_EXEC_TRADE;
}

/* The last record of a type that the order's own steps hold. */
static const struct fact_view *last_kept(const struct page *p, uint16_t type)
{
    const struct fact_view *last = NULL;
    uint64_t touched = 0;
    for (uint32_t i = 0; i < p->s->kept.count; i++) {
        const struct fact_view *v = &p->s->kept.row[i];
        if (story_order_of(v) == p->o->id)
            touched = v->head.seq;
        if (v->head.type == type && v->head.seq == touched)
            last = v;
    }
    return last;
}

static void say_position(const struct page *p)
{
    const struct fact_view *v = last_kept(p, FACT_POSITION);
    const struct fact_view *t = last_kept(p, FACT_STOPPED);
    if (v == NULL)
        return;
    const struct fact_position *a = &v->u.fact_position;
    fprintf(p->f, "\nposition after\n");
    story_say(p->f, 2, "%s %s at %s on average; the account's net %s", QTY(a->qty),
              p->o->scope.instrument->symbol, PRICE(a->avg_price), QTY(a->net));
    story_say(p->f, 2, "realised %s %s, fees %s %s, both since the strategy began",
              SETTLE(a->realised), p->o->scope.settle->name, SETTLE(a->fees),
              p->o->scope.settle->name);
    if (t != NULL)
        story_say(p->f, 2, "host-side stop: %s at %s",
                  story_field(FACT_STOPPED, "what", t->u.fact_stopped.what),
                  PRICE(t->u.fact_stopped.price));
}

static void say_fills(const struct page *p)
{
    bool any = false;
    for (uint32_t i = 0; i < p->s->kept.count; i++) {
        const struct fact_view *v = &p->s->kept.row[i];
        const struct fact_exec *e = &v->u.fact_exec;
        if (!is_fill(p, v))
            continue;
        if (!any)
            fprintf(p->f, "\nfills\n");
        any = true;
        story_say(p->f, 2, "%18s  %s at %s, fee %s %s, %s, trade %" PRIu64 ", event %" PRIu64,
                  story_since(STORY_WORD, v->head.t_ns - p->o->decision.head.t_ns),
                  QTY(e->last_qty), PRICE(e->last_price), SETTLE(e->fee), p->o->scope.settle->name,
                  story_field(FACT_EXEC, "liquidity", e->liquidity), e->trade_id, v->head.seq);
    }
    say_position(p);
}

/* ---- who ---- */

static void say_plugin(const struct page *p, const struct fact_view *v)
{
    const struct fact_instance *i = &v->u.fact_instance;
    char hex[HASH_HEX_BYTES], build[32] = "";
    hash_hex(i->sha256, hex);
    if (v->head.generation != 0)
        snprintf(build, sizeof build, ", generation %u", v->head.generation);
    story_say(p->f, 2, "%s: %s %s%s, answers due after %s", i->name, i->plugin, i->version, build,
              story_span(STORY_WORD, i->due_ns));
    story_say(p->f, 4, "sha256 %s", hex);
}

/* The first bytes of its shared object's hash travel with each signal. */
static void check_plugin(const struct page *p)
{
    uint64_t first = 0;
    const struct fact_instance *by =
        p->o->build != NULL ? &p->o->build->u.fact_instance : p->o->scope.strategy;
    for (int i = 0; i < 8; i++)
        first = first << 8 | by->sha256[i];
    if (p->o->signal.head.type == FACT_SIGNAL && p->o->signal.u.fact_signal.plugin_hash != first)
        story_say(p->f, 2, "THE SIGNAL CAME FROM OTHER BYTES: it carries %016" PRIx64,
                  p->o->signal.u.fact_signal.plugin_hash);
}

/* What no strategy did. */
static const struct fact_view nobody = {.u.fact_instance = {.name = "EXTERNAL"}};

static void say_plugins(const struct page *p)
{
    const struct story_scope *c = &p->o->scope;
    const struct fact_view *now = story_name(&p->s->names, FACT_INSTANCE, c->strategy->id, c->upto);
    uint32_t said[TN_MAX_INPUTS];
    fprintf(p->f, "\nplugins\n");
    say_plugin(p, p->o->build != NULL ? p->o->build : now != NULL ? now : &nobody);
    if (p->o->build != NULL && now != NULL && p->o->build->head.generation != now->head.generation)
        story_say(p->f, 4, "it gave the signal; generation %u took over before the decision",
                  now->head.generation);
    check_plugin(p);
    for (uint32_t i = 0; i < TN_MAX_INPUTS; i++) {
        const struct fact_input *in =
            story_input(&p->s->names, c->strategy->id, c->generation, i, c->upto);
        const struct fact_view *v =
            in ? story_name(&p->s->names, FACT_INSTANCE, in->source, c->upto) : NULL;
        bool again = false;
        said[i] = v ? in->source : 0;
        for (uint32_t k = 0; k < i; k++)
            again = again || said[k] == said[i];
        if (v != NULL && !again)
            say_plugin(p, v);
    }
}

/* A rollback bears no signature of its own: signing the one before it allowed it. */
static void say_signers(const struct page *p)
{
    const struct fact_deploy *d = p->o->scope.deploy;
    const struct fact_signature *f;
    uint32_t n = 0;
    for (; (f = story_signature(&p->s->names, d->sha256, n)) != NULL; n++) {
        char id[SIGN_ID_TEXT];
        sign_id_text(f->key_id, id);
        story_say(p->f, 4, "signed by %.32s as %s, key %s", f->person, trust_role_name(f->role),
                  id);
    }
    if (n == 0 && d->serial != 0)
        story_say(p->f, 4, "not signed itself: a rollback, which signing the one before allows");
}

static void say_deployment(const struct page *p)
{
    char hex[HASH_HEX_BYTES];
    const struct story_scope *c = &p->o->scope;
    const struct fact_view *start = story_last(&p->s->names, FACT_START, c->upto);
    hash_hex(c->deploy->sha256, hex);
    fprintf(p->f, "\ndeployment\n");
    story_say(p->f, 2, "%s, serial %" PRIu64, c->deploy->name, c->deploy->serial);
    story_say(p->f, 4, "sha256 %s", hex);
    say_signers(p);
    if (start != NULL)
        story_say(p->f, 2, "host %.32s, core logic %u, epoch %" PRIu64, start->u.fact_start.version,
                  start->u.fact_start.core_logic, start->u.fact_start.epoch);
}

/* ---- pages ---- */

static void say_title(const struct page *p)
{
    const struct fact_decision *d = &p->o->decision.u.fact_decision;
    if (p->o->id == 0)
        story_say(p->f, 0, "signal of %s for %s: denied, it has no route",
                  p->o->scope.strategy->name, p->o->scope.instrument->symbol);
    else
        story_say(p->f, 0, "%s %" PRIu64 ": %s %s %s at %s by %s on %s, %s",
                  p->o->send.head.type ? "order" : "intent", p->o->id, story_side(d->side),
                  QTY(d->approved ? d->granted : d->asked), p->o->scope.instrument->symbol,
                  PRICE(d->price), p->o->scope.strategy->name, p->o->scope.account->name,
                  story_state(p->o->state));
    story_say(p->f, 0, "decided at %s in event %" PRIu64, WHEN(p->o->decision.head.t_ns),
              p->o->decision.head.seq);
}

static void say_one(const struct page *p)
{
    say_title(p);
    say_cause(p);
    say_signal(p);
    if (p->o->intent.head.type != 0)
        say_intent(p);
    say_gate(p);
    say_order(p);
    say_fills(p);
    say_plugins(p);
    say_deployment(p);
}

/* A signal that led to no intent: because nothing had to change, or because orders go first. */
static void say_silent_signals(const struct page *p)
{
    for (uint32_t i = 0; i < p->s->signal.count; i++) {
        const struct fact_view *v = &p->s->signal.row[i];
        bool spoke = false;
        for (uint32_t k = 0; k < p->s->order_count; k++)
            spoke = spoke || p->s->order[k].signal.head.seq == v->head.seq;
        if (!spoke)
            story_say(p->f, 2,
                      "signal %" PRIu64 " made no intent: what was held and what worked was what "
                      "it wanted already, or a newer one came first",
                      v->head.seq);
    }
}

static void say_asked_event(const struct page *p)
{
    const struct story *s = p->s;
    say_event(p, &s->event.row[0]);
    for (uint32_t i = 1; i < s->event.count; i++)
        story_say(p->f, 4, "effect %u: %s", s->event.row[i].head.sub,
                  fact_text(s->event.row[i].head.type));
    say_silent_signals(p);
    if (s->order_count == 0 && s->signal.count == 0)
        story_say(p->f, 2, "no order came of it");
}

void story_print(FILE *f, const struct story *s, const struct story_style *style)
{
    struct page p = {.f = f, .s = s, .utc = style->utc};
    if (s->event.count > 0)
        say_asked_event(&p);
    for (uint32_t i = 0; i < s->order_count; i++) {
        p.o = &s->order[i];
        if (i > 0 || s->event.count > 0)
            fprintf(f, "\n");
        say_one(&p);
    }
    if (s->orders_more > 0)
        story_say(f, 0, "and %" PRIu64 " more orders; ask for each by its number", s->orders_more);
}
