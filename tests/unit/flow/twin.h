/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests that hold a run with a swap beside an uninterrupted twin: the signals of a strategy as
 * two journals have them, side by side. Event numbers differ between the two by nature (a promotion
 * is events too), so a cause is known by the end of its bar, which both read from one file. All
 * else of a signal is compared as bytes; the plugin's hash only where both ran the same build.
 */
#ifndef TWIN_H
#define TWIN_H
#include "flow/rebelief.h"
#include "tests/unit/flow/books.h"
#include "tests/unit/flow/pair.h"

enum { TWIN_SIGNALS = 4000, TWIN_WINDOW = 4096 /* what warm.c reads of a journal at least */ };

struct twin_signal {
    int64_t bar_ns, t_ns; /* end of the bar that caused it; when it counted */
    uint64_t seq, cause_seq;
    uint32_t generation;
    bool is_accepted;
    struct fact_signal s;
};
struct twin_list {
    uint32_t count;
    struct twin_signal signal[TWIN_SIGNALS];
};
/* Zero members let everything pass. */
struct twin_pick {
    uint32_t instance, generation;
    bool accepted;
    int64_t after_ns, upto_ns; /* end of the bar */
};

static inline bool twin_is_refused(const struct flow_rig *r, uint32_t at)
{
    const struct fact_view *next = &r->record[at + 1];
    return at + 1 < r->count && next->head.sub == 1 && next->head.type == FACT_IGNORED &&
           next->u.fact_ignored.why == FACT_IGNORED_NOT_ACCEPTED;
}

static inline bool twin_is_picked(const struct twin_pick *p, const struct twin_signal *x)
{
    return x->s.instance == p->instance && (p->generation == 0 || x->generation == p->generation) &&
           (!p->accepted || x->is_accepted) && x->bar_ns > p->after_ns &&
           (p->upto_ns == 0 || x->bar_ns <= p->upto_ns);
}

/* From the records that the rig has read; heap. */
static inline struct twin_list *twin_signals(const struct flow_rig *r, struct twin_pick pick)
{
    struct twin_list *l = calloc(1, sizeof *l);
    assert_non_null(l);
    for (uint32_t i = 0; i < r->count; i++) {
        const struct fact_head *h = &r->record[i].head;
        if (h->type != FACT_SIGNAL)
            continue;
        const struct fact_view *cause = rig_event(r, h->cause_seq);
        assert_true(cause != NULL && cause->head.type == FACT_BAR && l->count < TWIN_SIGNALS);
        const struct twin_signal x = {.bar_ns = cause->head.t_ns,
                                      .t_ns = h->t_ns,
                                      .seq = h->seq,
                                      .cause_seq = h->cause_seq,
                                      .generation = h->generation,
                                      .is_accepted = !twin_is_refused(r, i),
                                      .s = r->record[i].u.fact_signal};
        if (twin_is_picked(&pick, &x))
            l->signal[l->count++] = x;
    }
    return l;
}

static inline bool twin_is_same(const struct twin_signal *a, const struct twin_signal *b,
                                bool same_build)
{
    struct fact_signal x = a->s, y = b->s;
    if (!same_build)
        x.plugin_hash = y.plugin_hash = 0;
    return a->bar_ns == b->bar_ns && a->t_ns == b->t_ns && memcmp(&x, &y, sizeof x) == 0;
}

/* Both have the same signals, one by one; gives how many. Frees both. */
static inline uint32_t twin_assert_same(struct twin_list *a, struct twin_list *b, bool same_build,
                                        const char *what)
{
    uint32_t n = a->count < b->count ? a->count : b->count;
    for (uint32_t i = 0; i < n; i++) {
        if (!twin_is_same(&a->signal[i], &b->signal[i], same_build))
            fail_msg("%s: signal %u of %u differs: bar %ld against %ld, side %u against %u", what,
                     i + 1, n, (long)((a->signal[i].bar_ns - RIG_T0) / RIG_BAR_NS),
                     (long)((b->signal[i].bar_ns - RIG_T0) / RIG_BAR_NS), a->signal[i].s.side,
                     b->signal[i].s.side);
    }
    if (a->count != b->count)
        fail_msg("%s: %u signals against %u of the twin; the first %u are equal", what, a->count,
                 b->count, n);
    print_message("             %s: %u signals compared, %u equal\n", what, n, n);
    free(a);
    free(b);
    return n;
}

/* The event with which the newest bearer of this serial came into this state. */
static inline const struct fact_view *twin_move(const struct flow_rig *r, uint64_t serial,
                                                uint32_t to)
{
    const struct fact_view *v = NULL;
    for (uint32_t i = 0; i < r->count; i++) {
        const struct fact_promotion *p = &r->record[i].u.fact_promotion;
        if (r->record[i].head.type == FACT_PROMOTION && p->serial == serial && p->to == to)
            v = &r->record[i];
    }
    assert_non_null(v);
    return v;
}

/* What a build that a promotion brought says of its start; FACT_PLUGIN_WARM: of its state. */
static inline const struct fact_plugin *twin_plugin(const struct flow_rig *r, uint32_t generation,
                                                    uint32_t what)
{
    for (uint32_t i = 0; i < r->count; i++) {
        if (r->record[i].head.type == FACT_PLUGIN && r->record[i].head.generation == generation &&
            r->record[i].u.fact_plugin.what == what)
            return &r->record[i].u.fact_plugin;
    }
    return NULL;
}

static inline struct pair *twin_new(const struct pair_config *c, uint32_t bars)
{
    struct pair *s = pair_new(c);
    rig_bars(s->f, bars);
    return s;
}

/* To the end of the data, and the journal read back. */
static inline void twin_end(struct pair *s)
{
    while (pair_step(s))
        continue;
    rig_stop(s->f);
    rig_read(s->f);
}

/* A run that nobody touched. */
static inline struct pair *twin_whole(const struct pair_config *c, uint32_t bars)
{
    struct pair *s = twin_new(c, bars);
    pair_open(s);
    twin_end(s);
    return s;
}

/* The journal's builds again, old and new: each of its signals is found again. */
static inline void twin_believe(struct flow_rig *r)
{
    struct rebelief_report *rep = calloc(1, sizeof *rep);
    const struct rebelief_options o = {.journal_dir = r->journal, .plugin_dir = r->plugins};
    assert_non_null(rep);
    RIG_OK(r, rebelief_run(&o, rep, &r->tr));
    for (uint32_t i = 0; i < rep->build_count; i++) {
        if (rep->build[i].difference[0] != 0)
            fail_msg("%s", rep->build[i].difference);
    }
    assert_true(rep->build_count > 2 && rep->signals > 0);
    print_message("             belief replay: %u builds, %lu signals, none differs\n",
                  rep->build_count, (unsigned long)rep->signals);
    free(rep);
}

/* One bar that the market gave before the engine saw that there is news. */
static inline void twin_slip_in(struct pair *s)
{
    struct swap *w = &s->f->engine->swap;
    struct promoter *keep = w->promoter;
    w->promoter = NULL; /* without one the engine looks for no news */
    pair_bars(s, 1);
    w->promoter = keep;
}

/* While the promoter prepares: nothing until it listens, then so many bars at once, which lie in
 * the tap when it looks; then one before each piece of its news, so that the last of them is in the
 * tap when the offer is made and was seen by the engine alone. */
static inline void twin_prepare_beside(struct pair *s, uint64_t serial, uint32_t bars)
{
    struct lockstep *l = s->f->engine;
    const struct swap *w = &l->swap;
    for (uint32_t i = 0; i < PAIR_TURNS && pair_state(s, serial) < PROMOTION_SHADOW; i++) {
        if (w->waits_durable && bars > 0) {
            twin_slip_in(s);
            bars--;
            continue;
        }
        RIG_OK(s->f, journal_wait(l->journal, core_seq(pair_core(s)), &s->f->tr));
        if (!swap_is_ready(l)) {
            assert_int_equal(sem_wait(&s->news), 0);
            continue;
        }
        if (pair_state(s, serial) == PROMOTION_APPROVED && promoter_has_news(w->promoter))
            twin_slip_in(s);
        for (uint64_t seq = core_seq(pair_core(s)); core_seq(pair_core(s)) == seq;) {
            if (!swap_is_ready(l))
                break;
            RIG_OK(s->f, swap_turn(l, &s->f->tr)); /* what is durable is told before */
        }
    }
    assert_true(pair_state(s, serial) == PROMOTION_SHADOW && w->offer != NULL);
    const uint32_t put = atomic_load(&w->tap->put);
    print_message("             in the tap: %u facts shown by the promoter, %u by the engine\n",
                  w->offer->tap_at, put - w->offer->tap_at);
    assert_true(w->offer->tap_at > 0 && w->offer->tap_at < put);
}
#endif
