/* SPDX-License-Identifier: Apache-2.0
 *
 * What the records of a journal say about its flips, read without the engine: a second opinion in
 * few lines. Kept are the orders, positions, stops and reigns as the effects tell them.
 *
 *   - events are numbered densely, each once;
 *   - the step of a DEPLOY touches no order, position or stop, and what its FLIPPED effects say is
 *     carried over is what is there;
 *   - an order keeps its strategy for life;
 *   - a signal has an effect other than NOT_ACCEPTED only if its generation reigned at its cause,
 *     and each cause has at most one such signal of a strategy.
 */
#ifndef BOOKS_H
#define BOOKS_H
#include "tests/unit/flow/flow_rig.h"

enum { BOOKS_ORDERS = 4096, BOOKS_IDS = 64, BOOKS_FLIPS = 16 };

struct books {
    uint32_t order_count;
    struct books_order {
        uint64_t id;
        uint32_t strategy;
        bool lives;
    } order[BOOKS_ORDERS];
    int64_t qty[BOOKS_IDS][BOOKS_IDS]; /* strategy, instrument */
    bool has_stop[BOOKS_IDS][BOOKS_IDS];
    uint32_t reign_count[BOOKS_IDS];
    struct {
        uint64_t since;
        uint32_t generation;
    } reign[BOOKS_IDS][BOOKS_FLIPS];
    uint64_t last_seq, accepted_cause[BOOKS_IDS];
    /* figures */
    uint32_t flips, accepted, unaccepted;
    uint32_t orders, positions, stops; /* carried over, by all flips */
};

static inline void books_order_of(struct books *b, const struct fact_order *o)
{
    static const bool is_live[] = {
#define X(id, name, ends, lives, text) [id] = lives,
        ORDER_STATES(X)
#undef X
    };
    uint32_t i = 0;
    while (i < b->order_count && b->order[i].id != o->order)
        i++;
    if (i == b->order_count) {
        assert_true(b->order_count < BOOKS_ORDERS);
        b->order[b->order_count++] = (struct books_order){.id = o->order, .strategy = o->strategy};
    }
    assert_int_equal(b->order[i].strategy, o->strategy);
    b->order[i].lives = is_live[o->to];
}

static inline uint32_t books_orders(const struct books *b, uint32_t strategy)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < b->order_count; i++)
        n += b->order[i].strategy == strategy && b->order[i].lives;
    return n;
}

static inline void books_flipped(struct books *b, uint64_t seq, const struct fact_flipped *f)
{
    uint32_t positions = 0, stops = 0, n = b->reign_count[f->instance];
    assert_true(f->instance < BOOKS_IDS && n < BOOKS_FLIPS);
    for (uint32_t i = 0; i < BOOKS_IDS; i++) {
        positions += b->qty[f->instance][i] != 0;
        stops += b->has_stop[f->instance][i];
    }
    assert_int_equal(f->orders, books_orders(b, f->instance));
    assert_int_equal(f->positions, positions);
    assert_int_equal(f->stops, stops);
    assert_int_equal(f->from, n > 0 ? b->reign[f->instance][n - 1].generation : 0);
    b->reign[f->instance][n].since = seq;
    b->reign[f->instance][n].generation = f->to;
    b->reign_count[f->instance]++;
    b->orders += f->orders;
    b->positions += f->positions;
    b->stops += f->stops;
}

static inline uint32_t books_reign(const struct books *b, uint32_t instance, uint64_t cause)
{
    for (uint32_t i = b->reign_count[instance]; i-- > 0;) {
        if (cause > b->reign[instance][i].since)
            return b->reign[instance][i].generation;
    }
    return 0;
}

static inline void books_signal(struct books *b, const struct flow_rig *r, uint32_t at)
{
    const struct fact_head *h = &r->record[at].head;
    const struct fact_view *next = &r->record[at + 1];
    uint32_t who = r->record[at].u.fact_signal.instance;
    bool is_refused = at + 1 < r->count && next->head.sub == 1 && next->head.type == FACT_IGNORED &&
                      next->u.fact_ignored.why == FACT_IGNORED_NOT_ACCEPTED;
    bool reigned = books_reign(b, who, h->cause_seq) == h->generation;
    assert_int_equal(is_refused, !reigned);
    if (reigned)
        assert_true(h->cause_seq > b->accepted_cause[who]);
    if (reigned)
        b->accepted_cause[who] = h->cause_seq;
    b->accepted += reigned;
    b->unaccepted += !reigned;
}

static inline bool books_touches(uint16_t type)
{
    return type == FACT_ORDER || type == FACT_POSITION || type == FACT_STOPPED ||
           type == FACT_SEND || type == FACT_CANCEL || type == FACT_INTENT;
}

/* may_touch: a flip of this journal flattens or hands over on purpose. */
static inline void books_take(struct books *b, const struct flow_rig *r, uint32_t at,
                              bool may_touch)
{
    const struct fact_view *v = &r->record[at];
    static bool in_flip;
    if (v->head.sub == 0) {
        assert_int_equal(v->head.seq, b->last_seq + 1);
        b->last_seq = v->head.seq;
        in_flip = v->head.type == FACT_DEPLOY && b->flips + 1 > 1;
        b->flips += v->head.type == FACT_DEPLOY;
    }
    if (in_flip && !may_touch)
        assert_false(books_touches(v->head.type));
    if (v->head.type == FACT_ORDER)
        books_order_of(b, &v->u.fact_order);
    if (v->head.type == FACT_POSITION)
        b->qty[v->u.fact_position.strategy][v->u.fact_position.instrument] = v->u.fact_position.qty;
    if (v->head.type == FACT_STOPPED)
        b->has_stop[v->u.fact_stopped.strategy][v->u.fact_stopped.instrument] =
            v->u.fact_stopped.what == FACT_STOP_SET ||
            v->u.fact_stopped.what == FACT_STOP_TIGHTENED;
    if (v->head.type == FACT_FLIPPED)
        books_flipped(b, v->head.seq, &v->u.fact_flipped);
    if (v->head.type == FACT_SIGNAL)
        books_signal(b, r, at);
}

/* Reads the journal and proves all of it; heap. */
static inline struct books *books_of(struct flow_rig *r, bool may_touch)
{
    struct books *b = calloc(1, sizeof *b);
    struct replay_report replay;
    assert_non_null(b);
    rig_read(r);
    for (uint32_t i = 0; i < r->count; i++)
        books_take(b, r, i, may_touch);
    RIG_OK(r, replay_dir(r->journal, false, &replay, &r->tr));
    if (replay.differences != 0)
        fail_msg("%s", replay.difference);
    return b;
}

/* The moves of one document, in order: "draft>proposed ..." of the newest bearer of the serial. */
static inline void books_moves(const struct flow_rig *r, uint64_t serial, char *out, size_t bytes)
{
    size_t at = 0;
    out[0] = 0;
    for (uint32_t i = 0; i < r->count; i++) {
        const struct fact_promotion *p = &r->record[i].u.fact_promotion;
        if (r->record[i].head.type != FACT_PROMOTION || p->serial != serial)
            continue;
        if (p->from == PROMOTION_DRAFT)
            at = 0;
        int n = snprintf(out + at, bytes - at, "%s%s", at ? ", " : "", promotion_state_name(p->to));
        assert_true(n > 0 && at + (size_t)n < bytes);
        at += (size_t)n;
    }
}

static inline void books_assert_moves(const struct flow_rig *r, uint64_t serial, const char *moves)
{
    char have[512];
    books_moves(r, serial, have, sizeof have);
    assert_string_equal(have, moves);
}
#endif
