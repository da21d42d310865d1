/* SPDX-License-Identifier: Apache-2.0
 *
 * What comes back from a process bay, checked. Each message was copied out of the ring already, so
 * nobody can change it while it is looked at. The bay's own guard has judged every honest answer
 * before it was sent: what fails here was not written by our code, so it is a death, not a fault of
 * the plugin's.
 *
 * A flood needs no rate: every kind of message is owed. A signal answers an event, in order, as
 * often as the manifest allows, also one that is void; a PONG answers the one open PING; a piece of
 * state brings the one open SAVE nearer to its end. Only log lines come unasked, and they are
 * counted from PONG to PONG. So what a bay can say before it must be answered has an end, and who
 * reads it comes back.
 */
#include <stdio.h>
#include <string.h>
#include "bays/guard.h"
#include "bays/process_priv.h"

/* ---- answers ---- */

/* The event that it answers: answers come in the order of events. */
static const struct tn_event *find_cause(struct process_bay *b, const struct line_answer *a)
{
    for (uint64_t i = b->answered_at; i < b->sent; i++) {
        const struct tn_event *e = process_past(b, i);
        if (e->seq != a->cause_seq || e->t_ns != a->cause_t_ns)
            continue;
        b->at_event = i == b->answered_at ? b->at_event + 1 : 1;
        b->answered_at = i;
        return e;
    }
    return NULL;
}

static void unpack(const struct fact_signal *f, struct tn_signal *out)
{
    *out = (struct tn_signal){.size = sizeof *out,
                              .side = f->side,
                              .advice = f->advice,
                              .score_ppm = f->score_ppm,
                              .confidence_ppm = f->confidence_ppm,
                              .horizon_ns = f->horizon_ns,
                              .target_ppm = f->target_ppm,
                              .limit_offset = f->limit_offset,
                              .stop_distance = f->stop_distance,
                              .ttl_ns = f->ttl_ns,
                              .reason_count = f->reason_count};
    const uint32_t count = f->reason_count < TN_MAX_REASONS ? f->reason_count : TN_MAX_REASONS;
    for (uint32_t i = 0; i < count; i++) {
        out->reason[i].input = f->reason[i].input;
        out->reason[i].contribution_ppm = f->reason[i].contribution_ppm;
        memcpy(&out->reason[i].value, &f->reason[i].value_bits, sizeof out->reason[i].value);
    }
}

/* Ours are the names and what no advice bit covers: as the inline bay writes them. */
static void pack(const struct process_bay *b, const struct fact_signal *f, struct fact_signal *out)
{
    *out = *f;
    out->instance = b->strategy_id;
    out->instrument = b->spec.instrument.id;
    out->plugin_hash = b->plugin_hash;
    out->target_ppm = f->advice & TN_ADVICE_TARGET ? f->target_ppm : 0;
    out->limit_offset = f->advice & TN_ADVICE_LIMIT ? f->limit_offset : 0;
    out->stop_distance = f->advice & TN_ADVICE_STOP ? f->stop_distance : 0;
    out->ttl_ns = f->advice & TN_ADVICE_TTL ? f->ttl_ns : 0;
    for (uint32_t i = f->reason_count; i < FACT_MAX_REASONS; i++)
        out->reason[i] = (struct fact_reason){0};
}

static const char *take_signal(struct process_bay *b, const struct line_answer *a)
{
    const struct tn_event *e = find_cause(b, a);
    if (e == NULL)
        return "answers an event that it was not given";
    if (e->flags & TN_EVENT_F_WARMUP)
        return "answers history";
    if (b->at_event > b->strategy->signals_max)
        return "more signals than it declares";
    if (b->phase != PROCESS_LIVE)
        return NULL; /* of an event that it was shown again: void, but counted */
    struct tn_signal s;
    unpack(&a->signal, &s);
    const char *wrong = guard_signal(&s, 1, b->strategy->input_count);
    if (wrong != NULL)
        return wrong;
    struct bay_answer *out = process_slot(b);
    out->kind = BAY_SIGNAL;
    out->instance = b->strategy_id;
    out->cause_seq = e->seq;
    out->cause_t_ns = e->t_ns;
    pack(b, &a->signal, &out->signal);
    return NULL;
}

static bool is_own(const struct process_bay *b, uint32_t instance)
{
    bool own = false;
    for (uint32_t n = 0; n < b->spec.node_count; n++)
        own = own || b->spec.node[n].id == instance;
    return own;
}

static const char *take_fault(struct process_bay *b, const struct line_answer *a)
{
    if (b->phase != PROCESS_LIVE)
        return "breaks its contract when it is shown the past again";
    const struct tn_event *e = find_cause(b, a);
    if (e == NULL || !is_own(b, a->instance))
        return "a fault that is none of its own";
    struct bay_answer out = {.kind = BAY_FAULT,
                             .instance = a->instance,
                             .cause_seq = e->seq,
                             .cause_t_ns = e->t_ns,
                             .status = a->status};
    for (uint32_t i = 0; i + 1 < sizeof out.text && a->text[i] != 0; i++)
        out.text[i] = a->text[i] >= ' ' && a->text[i] <= '~' ? a->text[i] : '?';
    process_fault(b, &out);
    return NULL;
}

static const char *take_answer(struct process_bay *b, const void *body, uint32_t bytes)
{
    struct line_answer a;
    if (bytes != sizeof a)
        return "an answer of the wrong size";
    memcpy(&a, body, sizeof a);
    if (a.kind == BAY_SIGNAL)
        return take_signal(b, &a);
    return a.kind == BAY_FAULT ? take_fault(b, &a) : "an answer of no known kind";
}

/* ---- commands ---- */

void process_back(struct process_bay *b)
{
    struct bay_answer *a = process_slot(b);
    const struct tn_event *last = process_past(b, b->done - 1);
    const uint64_t from = b->void_from < b->kept ? b->kept : b->void_from;
    a->kind = BAY_BACK;
    a->instance = b->strategy_id;
    a->cause_seq = last->seq;
    a->cause_t_ns = last->t_ns;
    a->from_seq = process_past(b, from < b->done ? from : b->done - 1)->seq;
    a->to_seq = last->seq;
    snprintf(a->text, sizeof a->text, "started again, %lu events shown again",
             (unsigned long)(b->done - (b->has_state ? b->state_at : b->kept)));
    b->phase = PROCESS_LIVE;
    b->save_next = b->done; /* at once: one that dies again and again still gets on */
    b->totals.returns++;
    if (b->home->o.log != NULL)
        log_now(b->home->o.log, LOG_INFO, &(struct log_ids){.plugin_hash = b->plugin_hash},
                "bay of plugin %s: %s", b->strategy->id, a->text);
}

static const char *take_pong(struct process_bay *b, const void *body, uint32_t bytes)
{
    struct line_done d;
    const uint64_t asked = atomic_load_explicit(&b->asked, memory_order_relaxed);
    if (bytes != sizeof d)
        return "a PONG of the wrong size";
    memcpy(&d, body, sizeof d);
    if (d.number != asked || atomic_load_explicit(&b->answered, memory_order_relaxed) == asked)
        return "answers a question that nobody asked";
    atomic_store_explicit(&b->answered, asked, memory_order_relaxed);
    b->done = b->asked_at;
    b->logs = 0;
    if (b->answered_at < b->done) {
        b->answered_at = b->done;
        b->at_event = 0;
    }
    if (b->phase == PROCESS_CATCHING)
        process_back(b);
    return NULL;
}

/* Every node has answered: the new states take the place of those before, or none does. */
static void end_saving(struct process_bay *b)
{
    b->is_saving = false;
    b->save_next = process_head(b) + PROCESS_SAVE_EVERY;
    if (!b->save_bad)
        process_states(b, b->saving_at);
}

static const char *take_piece(struct process_bay *b, const uint8_t *body, uint32_t bytes)
{
    struct line_state h;
    if (bytes < sizeof h || (!b->is_saving && b->wants != LINE_SAVE))
        return "a state that nobody asked for";
    memcpy(&h, body, sizeof h);
    struct process_state *s = &b->state[b->saving];
    if (h.node != b->saving || h.count != bytes - sizeof h || s->is_whole)
        return "a piece of state of the wrong size or node";
    if (h.total > s->max || h.offset != s->got || h.count > h.total - s->got)
        return "a state larger than its manifest says";
    if (h.count == 0 && !h.is_last)
        return "a piece of state without a byte";
    memcpy(s->coming + s->got, body + sizeof h, h.count);
    s->got += h.count;
    if (h.is_last && s->got != h.total)
        return "a state that ends before its end";
    if (h.is_last)
        s->is_whole = true;
    return NULL;
}

/* A save that failed in passing costs a longer replay at the next death, no more. */
static const char *take_done(struct process_bay *b, const void *body, uint32_t bytes)
{
    struct line_done d;
    if (bytes != sizeof d)
        return "an answer to a command of the wrong size";
    memcpy(&d, body, sizeof d);
    d.text[sizeof d.text - 1] = 0;
    if (b->wants != 0 && d.what == b->wants && !b->has_reply) {
        b->reply = d;
        b->has_reply = true;
        return NULL;
    }
    if (!b->is_saving || d.what != LINE_SAVE)
        return "answers a command that nobody gave";
    if (d.code == RESULT_OK && !b->state[b->saving].is_whole)
        return "a state that is not there";
    b->save_bad |= d.code != RESULT_OK;
    if (++b->saving == b->spec.node_count)
        end_saving(b);
    return NULL;
}

static const char *take_log(struct process_bay *b, const uint8_t *body, uint32_t bytes)
{
    struct line_log h;
    if (bytes < sizeof h || ++b->logs > PROCESS_LOGS_MAX)
        return bytes < sizeof h ? "a log line of the wrong size" : "floods its line with log lines";
    memcpy(&h, body, sizeof h);
    if (h.count != bytes - sizeof h)
        return "a log line of the wrong size";
    if (b->line_count == PROCESS_LINES) {
        b->lines_lost++;
        return NULL;
    }
    struct process_line *l = &b->line[b->line_count++];
    l->level = h.level;
    l->count = h.count < sizeof l->text ? h.count : sizeof l->text;
    for (uint32_t i = 0; i < l->count; i++) {
        const uint8_t c = body[sizeof h + i];
        l->text[i] = (char)(c >= ' ' && c <= '~' ? c : '?');
    }
    return NULL;
}

const char *process_take(struct process_bay *b, const struct link_message *m)
{
    switch (m->kind) {
    case LINE_ANSWER:
        return take_answer(b, b->body, m->bytes);
    case LINE_PONG:
        return take_pong(b, b->body, m->bytes);
    case LINE_DONE:
        return take_done(b, b->body, m->bytes);
    case LINE_STATE:
        return take_piece(b, b->body, m->bytes);
    case LINE_LOG:
        return take_log(b, b->body, m->bytes);
    default:
        return "a message that no bay may send";
    }
}

/* The keeper takes no answers, and may not look at the queue of who does. */
static bool may_take(const struct process_bay *b)
{
    if (b->phase == PROCESS_OFF)
        return false;
    return b->phase != PROCESS_LIVE || b->answer_used < BAY_ANSWERS_MAX;
}

const char *process_read(struct process_bay *b)
{
    struct link_message m;
    const char *wrong = NULL;
    for (uint32_t i = 0; i < PROCESS_READ_MAX && wrong == NULL && may_take(b) &&
                         link_take(&b->link, &m, b->body, PROCESS_BODY_BYTES);
         i++)
        wrong = process_take(b, &m);
    if (wrong != NULL || b->phase == PROCESS_OFF) /* OFF: the line is the keeper's now */
        return wrong;
    return b->link.broken;
}
