/* SPDX-License-Identifier: Apache-2.0
 *
 * What the engine says about a promotion: records, answers to people, lines for the operator. Each
 * PROMOTION record is also one line, made from the record itself, so that the two cannot disagree.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "flow/lockstep_priv.h"

void swap_line(struct lockstep *l, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(l->swap.line[l->swap.said % SWAP_LINES], LOCKSTEP_LINE_BYTES, fmt, ap);
    va_end(ap);
    l->swap.said++;
}

bool lockstep_line(const struct lockstep *l, uint64_t number, char out[LOCKSTEP_LINE_BYTES])
{
    const struct swap *w = &l->swap;
    if (number == 0 || number > w->said || w->said - number >= SWAP_LINES)
        return false;
    memcpy(out, w->line[(number - 1) % SWAP_LINES], LOCKSTEP_LINE_BYTES);
    return true;
}

void swap_answer(struct lockstep *l, uint64_t request, int exit, const char *text)
{
    struct swap *w = &l->swap;
    if (request == 0)
        return;
    must(w->answer_count < SWAP_ANSWERS); /* people wait one at a time, and tenond takes them */
    struct lockstep_answer *a = &w->answer[w->answer_count++];
    a->request = request;
    a->exit = exit;
    snprintf(a->text, sizeof a->text, "%s", text);
}

bool lockstep_take_answer(struct lockstep *l, struct lockstep_answer *out)
{
    struct swap *w = &l->swap;
    if (w->answer_count == 0)
        return false;
    *out = w->answer[0];
    w->answer_count--;
    memmove(&w->answer[0], &w->answer[1], w->answer_count * sizeof w->answer[0]);
    return true;
}

/* ---- the operator's line ---- */

static void say_flip(struct lockstep *l, const struct fact_promotion *p)
{
    char pause[32];
    if (p->pause_ns < 1000)
        snprintf(pause, sizeof pause, "%ld ns", (long)p->pause_ns);
    else
        snprintf(pause, sizeof pause, "%ld.%ld us", (long)(p->pause_ns / 1000),
                 (long)(p->pause_ns % 1000 / 100));
    swap_line(l,
              "serial %lu: %s: %u build%s swapped at event %lu, pause %s, events missed 0, "
              "doubled 0; carried over: %u order%s, %u position%s, %u stop%s",
              (unsigned long)p->serial, promotion_state_name(p->to), p->swaps,
              p->swaps == 1 ? "" : "s", (unsigned long)p->flip_seq, pause, p->orders,
              p->orders == 1 ? "" : "s", p->positions, p->positions == 1 ? "" : "s", p->stops,
              p->stops == 1 ? "" : "s");
}

static void say_line(struct lockstep *l, const struct fact_promotion *p)
{
    char serial[32] = "a file"; /* its name is in the sentence */
    if (p->serial != 0)
        snprintf(serial, sizeof serial, "serial %lu", (unsigned long)p->serial);
    bool flips = p->flip_seq != 0 && p->to != PROMOTION_ROLLED_BACK;
    if (flips && p->why != PROMOTION_WHY_FIRST)
        say_flip(l, p);
    else if (p->text[0] != 0)
        swap_line(l, "%s: %s: %s", serial, promotion_state_name(p->to), p->text);
    else if (p->why == PROMOTION_WHY_PASSED || p->why == PROMOTION_WHY_FIRST)
        swap_line(l, "%s: %s: %s", serial, promotion_state_name(p->to),
                  promotion_state_text(p->to));
    else
        swap_line(l, "%s: %s: %s", serial, promotion_state_name(p->to), promotion_why_text(p->why));
    if (l->o.log != NULL && l->o.kind == FACT_RUN_PAPER)
        log_now(l->o.log, p->to == PROMOTION_REFUSED ? LOG_WARN : LOG_INFO, NULL, "promotion: %s",
                l->swap.line[(l->swap.said - 1) % SWAP_LINES]);
}

/* ---- records ---- */

static bool is_move(uint32_t from, uint32_t to)
{
#define X(FROM, TO)                                                                                \
    if (from == PROMOTION_##FROM && to == PROMOTION_##TO)                                          \
        return true;
    PROMOTION_MOVES(X)
#undef X
    return false;
}

/* One record that the promoter made goes the same way. */
struct result swap_record(struct lockstep *l, const struct fact_promotion *p, struct trail *tr)
{
    must(is_move(p->from, p->to));
    TRY(lockstep_say(l, FACT_PROMOTION, 0, p, tr));
    if (p->to == PROMOTION_REFUSED) {
        memcpy(l->swap.refused, p->sha256, sizeof l->swap.refused);
        l->swap.refused_result = p->result;
    }
    say_line(l, p);
    return OK_RESULT;
}

struct result swap_say(struct lockstep *l, uint64_t serial, const uint8_t sha256[32],
                       const struct swap_said *s, struct trail *tr)
{
    const struct swap *w = &l->swap;
    struct fact_promotion p = {.serial = serial,
                               .from = s->from,
                               .to = s->to,
                               .why = s->why,
                               .result = s->result.code,
                               .wall_ns = clock_wall(l->o.clock),
                               .until_ns = s->until_ns,
                               .flip_seq = s->flip_seq,
                               .pause_ns = s->pause_ns};
    memcpy(p.sha256, sha256, sizeof p.sha256);
    snprintf(p.by, sizeof p.by, "%s", s->by != NULL ? s->by : "host");
    snprintf(p.text, sizeof p.text, "%s", s->text != NULL ? s->text : "");
    if (s->has_carried) {
        p.swaps = w->swaps;
        p.orders = w->orders;
        p.positions = w->positions;
        p.stops = w->stops;
    }
    return swap_record(l, &p, tr);
}

struct result swap_stage(struct lockstep *l, const struct promoter_offer *o, uint32_t what,
                         struct trail *tr)
{
    struct fact_stage e = {.serial = o->serial,
                           .what = what,
                           .run_until_ns = o->doc->run_until_ns,
                           .rows = what == FACT_STAGE_COMMIT ? o->rows.count : 0};
    memcpy(e.sha256, o->sha256, sizeof e.sha256);
    memcpy(e.parent, o->parent, sizeof e.parent);
    memcpy(e.name, o->doc->fact.name, sizeof e.name);
    TRY(lockstep_say(l, FACT_STAGE, 0, &e, tr));
    struct result r = OK_RESULT;
    for (uint32_t i = 0; what == FACT_STAGE_BEGIN && i < o->rows.count && is_ok(r); i++) {
        const struct stage_row *row = &o->rows.row[i];
        r = lockstep_say(l, (uint16_t)row->type, row->generation, &row->u, tr);
    }
    return r;
}

struct result swap_text(struct lockstep *l, enum fact_text_kind kind, const char *bytes,
                        size_t count, const uint8_t sha256[32], struct trail *tr)
{
    struct result r = OK_RESULT;
    for (size_t at = 0; at < count && is_ok(r); at += FACT_PIECE_BYTES) {
        struct fact_text_piece e = {.kind = kind, .total = (uint32_t)count, .offset = (uint32_t)at};
        e.count = (uint32_t)(count - at < FACT_PIECE_BYTES ? count - at : FACT_PIECE_BYTES);
        memcpy(e.sha256, sha256, sizeof e.sha256);
        memcpy(e.bytes, bytes + at, e.count);
        r = lockstep_say(l, FACT_TEXT, 0, &e, tr);
    }
    return r;
}

/* ---- status ---- */

void lockstep_promotion(const struct lockstep *l, struct lockstep_promotion *out)
{
    memset(out, 0, sizeof *out);
    if (l->registry == NULL)
        return;
    const struct swap *w = &l->swap;
    const struct registry_entry *e = registry_active(l->registry);
    uint8_t trust[FACT_HASH_BYTES];
    out->said = w->said;
    out->is_busy = w->is_asking || w->phase != SWAP_NONE || w->is_back_wanted;
    memcpy(out->refused_sha256, w->refused, sizeof out->refused_sha256);
    out->refused_result = w->refused_result;
    (void)registry_trust(l->registry, trust, &out->trust_version);
    out->is_throwaway = registry_is_throwaway(l->registry);
    if (e != NULL) {
        const struct registry_entry *b = registry_before(l->registry);
        out->serial = e->serial;
        memcpy(out->sha256, e->sha256, sizeof out->sha256);
        memcpy(out->name, e->name, sizeof out->name);
        out->state = e->state;
        out->before_serial = b != NULL && e->rollback_of == 0 ? b->serial : 0;
        out->probation_until_ns = w->on_probation ? w->until_ns : 0;
    }
    uint32_t count = registry_count(l->registry);
    if ((w->phase == SWAP_NONE && !w->is_asking) || count == 0)
        return;
    const struct registry_entry *next = registry_entry(l->registry, count - 1);
    if (next->state < PROMOTION_PROPOSED || next->state > PROMOTION_CANARY)
        return;
    out->next_serial = next->serial;
    memcpy(out->next_sha256, next->sha256, sizeof out->next_sha256);
    out->next_state = next->state;
    out->next_until_ns = w->phase == SWAP_HEARING ? w->hear_until_ns : 0;
}

void lockstep_took(const struct lockstep *l, struct lockstep_took *out)
{
    const struct promoter_offer *c = l->swap.current;
    *out = (struct lockstep_took){0};
    if (c == NULL)
        return;
    *out = (struct lockstep_took){.vet_ns = c->took.vet,
                                  .load_ns = c->took.load,
                                  .warm_ns = c->took.warm,
                                  .catch_up_ns = c->took.catch_up};
}
