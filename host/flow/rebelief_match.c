/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers against records. A build answers when it is shown an event; its SIGNAL is recorded when
 * it is due, which may be much later, or never when the build ends before. So answers wait in a
 * queue per build, and a record is looked for by its cause. Within a build the journal has its
 * signals in the order in which they were given (one due time for all), so whatever stands before
 * the one that is looked for has been left out.
 *
 * With the builds of another deployment the plugin's hash differs by nature and is not compared.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/must.h"
#include "base/num.h"
#include "flow/rebelief_priv.h"

enum { PPM_EXP = -6, WORD_BYTES = NUM_TEXT_BYTES };
/* One for each use: sentences hold two figures. */
#define WORD ((char[WORD_BYTES]){0})

void rebelief_differ(struct rebelief_build *row, uint64_t cause_seq, const char *fmt, ...)
{
    if (row->difference[0] != 0)
        return;
    va_list args;
    va_start(args, fmt);
    vsnprintf(row->difference, sizeof row->difference, fmt, args);
    va_end(args);
    row->differs_seq = cause_seq;
    must(row->difference[0] != 0);
}

/* ---- the queue ---- */

static void push(struct rebelief_seat *s, const struct belief_answer *a)
{
    if (s->head > 0 && s->head == s->count)
        s->head = s->count = 0;
    if (s->count == s->room) {
        s->room = s->room ? 2 * s->room : 64;
        s->held = realloc(s->held, s->room * sizeof *s->held);
        must(s->held != NULL);
    }
    s->held[s->count++] = (struct rebelief_answer){.cause_seq = a->a.cause_seq,
                                                   .due_ns = a->due_ns,
                                                   .is_void = s->void_from != 0,
                                                   .signal = a->a.signal};
}

static void drop(struct rebelief_seat *s, uint32_t at)
{
    memmove(&s->held[at], &s->held[at + 1], (s->count - at - 1) * sizeof *s->held);
    s->count--;
}

void rebelief_match_collect(struct rebelief_seat *s)
{
    struct belief_answer a;
    while (s->plant.belief != NULL && belief_take(s->plant.belief, &a)) {
        if (a.a.kind == BAY_FAULT)
            s->fault_seq = a.a.cause_seq;
        else
            push(s, &a);
    }
}

/* ---- what differs ---- */

static const char *ppm(char out[WORD_BYTES], int64_t v)
{
    num_print(v, PPM_EXP, out);
    return out;
}

static const char *whole(char out[WORD_BYTES], int64_t v)
{
    snprintf(out, WORD_BYTES, "%" PRId64, v);
    return out;
}

static const char *real(char out[WORD_BYTES], int64_t bits)
{
    double v;
    memcpy(&v, &bits, sizeof v);
    snprintf(out, WORD_BYTES, "%.17g", v);
    return out;
}

static const char *side(uint32_t v)
{
    return v == TN_LONG ? "long" : v == TN_SHORT ? "short" : v == TN_FLAT ? "flat" : "?";
}

static void two(struct rebelief_build *row, uint64_t cause, const char *what, const char *journal,
                const char *replay)
{
    rebelief_differ(row, cause,
                    "signal to event %" PRIu64 " of %s, generation %u: %s: the journal has %s, "
                    "this build gives %s",
                    cause, row->name, row->generation, what, journal, replay);
}

static bool same_reason(struct rebelief_build *row, uint64_t cause, uint32_t k,
                        const struct fact_reason *a, const struct fact_reason *b)
{
    char what[48];
    snprintf(what, sizeof what, "reason %u, input", k + 1);
    if (a->input != b->input)
        two(row, cause, what, whole(WORD, (int32_t)a->input), whole(WORD, (int32_t)b->input));
    snprintf(what, sizeof what, "reason %u, contribution", k + 1);
    if (a->contribution_ppm != b->contribution_ppm)
        two(row, cause, what, ppm(WORD, a->contribution_ppm), ppm(WORD, b->contribution_ppm));
    snprintf(what, sizeof what, "reason %u, value", k + 1);
    if (a->value_bits != b->value_bits)
        two(row, cause, what, real(WORD, a->value_bits), real(WORD, b->value_bits));
    return memcmp(a, b, sizeof *a) == 0;
}

/* a: the journal's, b: the replay's. The words come in the order of weight. */
static bool same(const struct rebelief *o, struct rebelief_build *row, uint64_t cause,
                 const struct fact_signal *a, const struct fact_signal *b)
{
    struct fact_signal mine = *b;
    if (o->o->as_serial != 0)
        mine.plugin_hash = a->plugin_hash;
    if (memcmp(a, &mine, sizeof mine) == 0)
        return true;
#define DIFFERS(member, words, text)                                                               \
    if (a->member != b->member)                                                                    \
    two(row, cause, words, text(WORD, a->member), text(WORD, b->member))
    if (a->side != b->side)
        two(row, cause, "side", side(a->side), side(b->side));
    DIFFERS(score_ppm, "score", ppm);
    DIFFERS(confidence_ppm, "confidence", ppm);
    DIFFERS(horizon_ns, "horizon in ns", whole);
    DIFFERS(advice, "advice bits", whole);
    DIFFERS(target_ppm, "target", ppm);
    DIFFERS(limit_offset, "limit offset", whole);
    DIFFERS(stop_distance, "stop distance", whole);
    DIFFERS(ttl_ns, "time to live in ns", whole);
    DIFFERS(reason_count, "number of reasons", whole);
#undef DIFFERS
    bool reasons = true;
    for (uint32_t k = 0; k < FACT_MAX_REASONS && reasons; k++)
        reasons = same_reason(row, cause, k, &a->reason[k], &b->reason[k]);
    if (a->plugin_hash != mine.plugin_hash)
        two(row, cause, "plugin", "another file's hash", "its own");
    if (a->instrument != b->instrument)
        two(row, cause, "instrument", whole(WORD, a->instrument), whole(WORD, b->instrument));
    must(row->difference[0] != 0);
    return false;
}

static void left_out(struct rebelief_build *row, const struct rebelief_answer *a)
{
    if (a->is_void)
        return;
    rebelief_differ(row, a->cause_seq,
                    "signal to event %" PRIu64 " of %s, generation %u: the journal has none, this "
                    "build gives %s, score %s",
                    a->cause_seq, row->name, row->generation, side(a->signal.side),
                    ppm(WORD, a->signal.score_ppm));
}

/* f: what the journal has; NULL when only the fact is on record. */
static void not_given(struct rebelief_build *row, uint64_t cause, const struct fact_signal *f)
{
    rebelief_differ(row, cause,
                    "signal to event %" PRIu64 " of %s, generation %u: the journal has %s, score "
                    "%s, this build gives none",
                    cause, row->name, row->generation, f != NULL ? side(f->side) : "a late one",
                    f != NULL ? ppm(WORD, f->score_ppm) : "unknown");
}

/* ---- records ---- */

void rebelief_match_signal(const struct rebelief *b, struct rebelief_seat *s,
                           const struct fact_head *head, const struct fact_signal *f)
{
    struct rebelief_build *row = s->row;
    row->signals++;
    while (s->head < s->count && s->held[s->head].cause_seq < head->cause_seq)
        left_out(row, &s->held[s->head++]);
    if (s->head == s->count || s->held[s->head].cause_seq != head->cause_seq) {
        not_given(row, head->cause_seq, f);
        return;
    }
    const struct rebelief_answer *a = &s->held[s->head++];
    row->same += same(b, row, head->cause_seq, f, &a->signal);
}

/* What came late was recorded when it was given, without its content. */
void rebelief_match_late(struct rebelief_seat *s, const struct fact_head *head)
{
    s->row->signals++;
    for (uint32_t i = s->head; i < s->count; i++) {
        if (s->held[i].cause_seq != head->cause_seq)
            continue;
        drop(s, i);
        s->row->same++;
        return;
    }
    not_given(s->row, head->cause_seq, NULL);
}

/* Every answer that was due before the last timed event is in the journal, unless left out. */
static void let_go(const struct rebelief *b, struct rebelief_seat *s)
{
    for (; s->head < s->count; s->head++) {
        const struct rebelief_answer *a = &s->held[s->head];
        if (a->cause_seq < b->timed_seq && a->due_ns <= b->timed_ns)
            left_out(s->row, a);
    }
}

void rebelief_match_fault(const struct rebelief *b, struct rebelief_seat *s,
                          const struct fact_head *head, const struct fact_plugin *p)
{
    struct rebelief_build *row = s->row;
    bool by_host = p->status == TN_E_STATE && s->fault_seq == 0; /* late, or dead for good */
    let_go(b, s);
    if (s->fault_seq != head->cause_seq && !by_host)
        rebelief_differ(row, head->cause_seq,
                        "event %" PRIu64 " of %s, generation %u: the journal says that it broke "
                        "its contract there (%.40s), this build does not",
                        head->cause_seq, row->name, row->generation, p->text);
    s->fault_seq = 0;
}

void rebelief_match_died(struct rebelief_seat *s, uint64_t cause_seq)
{
    s->void_from = cause_seq;
    for (uint32_t i = s->head; i < s->count; i++)
        s->held[i].is_void |= s->held[i].cause_seq >= cause_seq;
}

void rebelief_match_back(struct rebelief_seat *s, const struct fact_plugin *p)
{
    s->void_from = 0;
    for (uint32_t i = s->head; i < s->count; i++)
        s->held[i].is_void &= s->held[i].cause_seq <= p->to_seq;
}

void rebelief_match_end(const struct rebelief *b, struct rebelief_seat *s)
{
    let_go(b, s);
    if (s->fault_seq != 0 && s->fault_seq < b->timed_seq)
        rebelief_differ(s->row, s->fault_seq,
                        "event %" PRIu64 " of %s, generation %u: this build breaks its contract "
                        "there, the journal does not say so",
                        s->fault_seq, s->row->name, s->row->generation);
}
