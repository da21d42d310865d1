/* SPDX-License-Identifier: Apache-2.0
 *
 * Contract cards for indicators and strategies, run on an entry: by each plugin's own test over
 * its sanitized sources, and by plugins_test.c over every built shared object. A card asserts.
 *
 *   entry     manifest in the bounds of the ABI, table rows that contradict nothing
 *   params    each parameter at min, max, default makes an instance; outside and NaN do not
 *   memory    every refused allocation is TN_E_MEMORY; the declared arena is enough and kept to
 *   calls     a second activate is TN_E_STATE; create structs of other sizes are met
 *   batch     any cut of the stream gives the same bits (indicator: values, strategy: signals)
 *   others    events that are no bars repeat the features
 *   future    what is answered at an event does not change with what comes later
 *   wild      extreme and crossed bars give finite features
 *   state     save, load, save is identical; the twin goes on bit for bit; any chunk size
 *   hostile   other schemas, every cut, longer blobs and random bytes are refused or harmless
 */
#ifndef PLUGIN_CARDS_H
#define PLUGIN_CARDS_H
#include "tests/contract/plugin_host.h"

enum { CARD_EVENTS = 600, CARD_INPUTS_MAX = 4 };

struct card_stream { /* events with, for a strategy, made-up inputs */
    struct tn_event event[CARD_EVENTS];
    double in[CARD_EVENTS * TN_MAX_INPUTS];
    uint32_t ready[CARD_EVENTS];
    uint32_t input_count;
};

struct card_answers {
    double value[CARD_EVENTS * TN_MAX_OUTPUTS];
    uint32_t ready[CARD_EVENTS];
    struct tn_signal signal[CARD_EVENTS * 4];
    uint32_t signal_count;
};

static inline uint64_t card_next(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
    return *seed >> 33;
}

/* A walk of bars with ticks, quotes and events of a later minor among them. Inputs: a wave around
 * the price, the price and a small third one, so that a crossing strategy has something to say. */
static inline void card_stream_fill(struct card_stream *s, const struct tn_manifest *m,
                                    uint64_t seed)
{
    int64_t close = 100000;
    s->input_count = m->input_count;
    for (uint32_t i = 0; i < CARD_EVENTS; i++) {
        close += (int64_t)(card_next(&seed) % 401) - 200;
        close = close < 1000 ? 1000 : close;
        s->event[i] = plugin_bar(i + 1, close + 50, close - 50, close);
        const uint64_t kind = card_next(&seed) % 8;
        if (kind == 0) {
            s->event[i].type = TN_EVENT_TICK;
        } else if (kind == 1) {
            s->event[i].type = TN_EVENT_QUOTE;
            s->event[i].u.quote =
                (struct tn_quote){.bid = close - 1, .bid_qty = 1, .ask = close + 1, .ask_qty = 1};
        } else if (kind == 2) {
            s->event[i].type = 4242; /* from a later minor: to be skipped */
        }
        s->ready[i] = i < 20 ? 0 : (1u << m->input_count) - 1u;
        const double price = (double)close * 0.01, wave = (double)((i * 7) % 113) - 56;
        for (uint32_t k = 0; k < m->input_count; k++)
            s->in[i * m->input_count + k] = k == 0   ? price * (1 + wave / 1000)
                                            : k == 1 ? price
                                                     : 1.5;
    }
}

static inline void *card_make(struct plugin_host *h, const struct tn_entry *entry)
{
    union tn_number params[TN_MAX_PARAMS] = {{0}};
    void *inst = NULL;
    plugin_host_init(h, entry->manifest->arena_bytes);
    plugin_host_defaults(entry->manifest, params);
    assert_int_equal(plugin_host_create(h, entry, params, &inst), TN_OK);
    assert_non_null(inst);
    return inst;
}

static inline void card_drop(struct plugin_host *h, const struct tn_entry *entry, void *inst)
{
    const struct tn_instance_ops *base = entry->ops;
    base->deactivate(inst);
    base->destroy(inst);
    plugin_host_fini(h);
}

/* Gives events [from, to) in one call and appends the answers. */
static inline int32_t card_give(const struct tn_entry *entry, void *inst,
                                const struct card_stream *s, uint32_t from, uint32_t to,
                                struct card_answers *a)
{
    const struct tn_manifest *m = entry->manifest;
    if (m->kind == TN_KIND_INDICATOR) {
        const struct tn_indicator_ops *ops = entry->ops;
        return ops->on_events(inst, s->event + from, to - from, a->value + from * m->output_count,
                              a->ready + from);
    }
    const struct tn_strategy_ops *ops = entry->ops;
    const struct tn_inputs in = {.size = sizeof in,
                                 .input_count = s->input_count,
                                 .value = s->in + from * s->input_count,
                                 .ready = s->ready + from};
    struct tn_signals out = {.size = sizeof out,
                             .capacity = m->signals_max * (to - from),
                             .signal = a->signal + a->signal_count};
    const int32_t status = ops->on_events(inst, s->event + from, to - from, &in, &out);
    assert_true(out.count <= out.capacity);
    for (uint32_t i = 0; i < out.count; i++) {
        assert_true(out.signal[i].event < to - from);
        out.signal[i].event += from; /* so that cuts compare */
    }
    a->signal_count += out.count;
    return status;
}

static inline void card_run(const struct tn_entry *entry, void *inst, const struct card_stream *s,
                            uint32_t from, uint32_t to, uint32_t cut, struct card_answers *a)
{
    for (uint32_t i = from; i < to; i += cut)
        assert_int_equal(card_give(entry, inst, s, i, i + cut < to ? i + cut : to, a), TN_OK);
}

static inline void card_signal_is_sound(const struct tn_signal *s, const struct tn_manifest *m)
{
    int64_t sum = 0;
    assert_int_equal(s->size, sizeof *s);
    assert_true(s->side >= TN_LONG && s->side <= TN_FLAT);
    assert_true(s->side != TN_LONG || (s->score_ppm > 0 && s->score_ppm <= TN_ONE_PPM));
    assert_true(s->side != TN_SHORT || (s->score_ppm < 0 && s->score_ppm >= -TN_ONE_PPM));
    assert_true(s->confidence_ppm >= 0 && s->confidence_ppm <= TN_ONE_PPM);
    assert_true(s->horizon_ns > 0);
    assert_true(!(s->advice & TN_ADVICE_STOP) || s->stop_distance > 0);
    assert_true(!(s->advice & TN_ADVICE_TTL) || s->ttl_ns > 0);
    assert_true(s->target_ppm >= 0 && s->target_ppm <= TN_ONE_PPM);
    assert_true(s->reason_count >= 1 && s->reason_count <= TN_MAX_REASONS);
    for (uint32_t i = 0; i < s->reason_count; i++) {
        const struct tn_reason *r = &s->reason[i];
        assert_true(r->value - r->value == 0.0);
        assert_true(r->input < m->input_count || r->input >= TN_REASON_BASE);
        sum += r->contribution_ppm;
    }
    assert_int_equal(sum, s->score_ppm);
}

static inline void card_answers_are_equal(const struct card_answers *a,
                                          const struct card_answers *b, uint32_t from,
                                          uint32_t outputs)
{
    assert_memory_equal(a->value + from * outputs, b->value + from * outputs,
                        (CARD_EVENTS - from) * outputs * sizeof a->value[0]);
    assert_memory_equal(a->ready + from, b->ready + from,
                        (CARD_EVENTS - from) * sizeof a->ready[0]);
    assert_int_equal(a->signal_count, b->signal_count);
    assert_memory_equal(a->signal, b->signal, a->signal_count * sizeof a->signal[0]);
}

/* ---- the cards ---- */
static inline void card_entry(const struct tn_entry *entry)
{
    const struct tn_manifest *m = entry->manifest;
    assert_int_equal(entry->size, sizeof *entry);
    assert_int_equal(entry->abi_major, TN_ABI_MAJOR);
    assert_true(entry->fingerprint == TN_ABI_FINGERPRINT);
    assert_int_equal(m->size, sizeof *m);
    assert_true(m->id[0] >= 'a' && m->version[0] >= '0' && m->text[0] != '\0');
    assert_true(m->param_count <= TN_MAX_PARAMS && m->input_count <= TN_MAX_INPUTS);
    assert_true(m->kind != TN_KIND_INDICATOR || (m->output_count > 0 && m->signals_max == 0));
    assert_true(m->kind != TN_KIND_STRATEGY || (m->output_count == 0 && m->signals_max > 0));
    assert_int_equal(m->data_bytes, 0);
    for (uint32_t i = 0; i < m->param_count; i++) {
        const struct tn_param *p = &m->params[i];
        assert_true(p->name[0] >= 'a' && p->text[0] != '\0' && p->reserved == 0);
        if (p->type == TN_TYPE_F64)
            assert_true(p->min.f <= p->def.f && p->def.f <= p->max.f);
        else
            assert_true(p->min.i <= p->def.i && p->def.i <= p->max.i);
    }
}

static inline void card_param_try(const struct tn_entry *entry, uint32_t i, union tn_number v,
                                  int32_t want)
{
    struct plugin_host h;
    union tn_number params[TN_MAX_PARAMS] = {{0}};
    void *inst = NULL;
    plugin_host_init(&h, entry->manifest->arena_bytes);
    plugin_host_defaults(entry->manifest, params);
    params[i] = v;
    assert_int_equal(plugin_host_create(&h, entry, params, &inst), want);
    assert_true((inst != NULL) == (want == TN_OK));
    plugin_host_fini(&h);
}

static inline void card_params(const struct tn_entry *entry)
{
    for (uint32_t i = 0; i < entry->manifest->param_count; i++) {
        const struct tn_param *p = &entry->manifest->params[i];
        card_param_try(entry, i, p->def, TN_OK);
        card_param_try(entry, i, p->min, TN_OK);
        card_param_try(entry, i, p->max, TN_OK);
        const bool real = p->type == TN_TYPE_F64;
        union tn_number low = {.i = p->min.i - 1}, high = {.i = p->max.i + 1};
        if (real) {
            low.f = p->min.f - 1;
            high.f = p->max.f + 1;
            card_param_try(entry, i, (union tn_number){.f = __builtin_nan("")}, TN_E_PARAM);
        }
        card_param_try(entry, i, low, TN_E_PARAM);
        card_param_try(entry, i, high, TN_E_PARAM);
    }
}

static inline void card_memory(const struct tn_entry *entry)
{
    struct plugin_host h;
    union tn_number params[TN_MAX_PARAMS] = {{0}};
    void *inst = NULL;
    plugin_host_init(&h, 16);
    plugin_host_defaults(entry->manifest, params);
    assert_int_equal(plugin_host_create(&h, entry, params, &inst), TN_E_MEMORY);
    h.host.alloc = NULL;
    assert_int_equal(plugin_host_create(&h, entry, params, &inst), TN_E_MEMORY);
    plugin_host_fini(&h);
}

static inline void card_calls(const struct tn_entry *entry)
{
    const struct tn_instance_ops *base = entry->ops;
    struct plugin_host h;
    void *inst = card_make(&h, entry);
    assert_int_equal(base->activate(inst), TN_OK);
    assert_int_equal(base->activate(inst), TN_E_STATE);
    base->deactivate(inst);
    assert_int_equal(base->activate(inst), TN_OK);
    card_drop(&h, entry, inst);

    /* An older host gives a shorter struct: what is missing reads as zero. */
    union tn_number params[TN_MAX_PARAMS] = {{0}};
    plugin_host_defaults(entry->manifest, params);
    plugin_host_init(&h, entry->manifest->arena_bytes);
    const struct tn_create c = {.size = offsetof(struct tn_create, bar_ns),
                                .param_count = entry->manifest->param_count,
                                .params = params,
                                .instrument = &h.instrument,
                                .bar_ns = -1};
    assert_int_equal(base->create(&h.host, &c, &inst), TN_OK);
    card_drop(&h, entry, inst);
}

static inline void card_batch(const struct tn_entry *entry, const struct card_stream *s)
{
    static const uint32_t cuts[] = {CARD_EVENTS, 1, 2, 7, 64};
    struct card_answers *a = calloc(2, sizeof *a);
    assert_non_null(a);
    for (uint32_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        struct plugin_host h;
        void *inst = card_make(&h, entry);
        memset(&a[i > 0], 0, sizeof *a);
        card_run(entry, inst, s, 0, CARD_EVENTS, cuts[i], &a[i > 0]);
        card_answers_are_equal(&a[0], &a[i > 0], 0, entry->manifest->output_count);
        card_drop(&h, entry, inst);
    }
    for (uint32_t i = 0; i < a->signal_count; i++)
        card_signal_is_sound(&a->signal[i], entry->manifest);
    assert_true(entry->manifest->kind != TN_KIND_STRATEGY || a->signal_count > 4);
    free(a);
}

static inline void card_others(const struct tn_entry *entry, const struct card_stream *s)
{
    const uint32_t n = entry->manifest->output_count;
    struct card_answers *a = calloc(1, sizeof *a);
    struct plugin_host h;
    assert_non_null(a);
    void *inst = card_make(&h, entry);
    card_run(entry, inst, s, 0, CARD_EVENTS, CARD_EVENTS, a);
    uint32_t seen = 0;
    for (uint32_t i = 1; i < CARD_EVENTS && n > 0; i++) {
        if (s->event[i].type == TN_EVENT_BAR)
            continue;
        assert_memory_equal(a->value + i * n, a->value + (i - 1) * n, n * sizeof a->value[0]);
        assert_int_equal(a->ready[i], a->ready[i - 1]);
        seen++;
    }
    for (uint32_t i = 0; i < a->signal_count; i++)
        assert_int_equal(s->event[a->signal[i].event].type, TN_EVENT_BAR);
    assert_true(n == 0 || seen > 50);
    assert_true(n == 0 || a->ready[CARD_EVENTS - 1] == (1u << n) - 1u);
    card_drop(&h, entry, inst);
    free(a);
}

static inline void card_future(const struct tn_entry *entry, const struct card_stream *s)
{
    const uint32_t half = CARD_EVENTS / 2, n = entry->manifest->output_count;
    struct card_answers *a = calloc(2, sizeof *a);
    struct card_stream *other = malloc(sizeof *other);
    struct plugin_host h;
    assert_non_null(a);
    assert_non_null(other);
    *other = *s;
    for (uint32_t i = half; i < CARD_EVENTS; i++)
        other->event[i].u.bar.close = 1 + (int64_t)i;
    for (int i = 0; i < 2; i++) {
        void *inst = card_make(&h, entry);
        card_run(entry, inst, i == 0 ? s : other, 0, CARD_EVENTS, CARD_EVENTS, &a[i]);
        card_drop(&h, entry, inst);
    }
    assert_memory_equal(a[0].value, a[1].value, half * n * sizeof a->value[0]);
    for (uint32_t i = 0; i < a[0].signal_count && a[0].signal[i].event < half; i++)
        assert_memory_equal(&a[0].signal[i], &a[1].signal[i], sizeof a->signal[0]);
    free(other);
    free(a);
}

static inline void card_wild(const struct tn_entry *entry, const struct card_stream *s)
{
    static const int64_t extreme[] = {INT64_MAX, INT64_MIN, 0, 1, -1, INT64_MAX / 2, 1000000};
    const uint32_t n = entry->manifest->output_count;
    struct card_answers *a = calloc(1, sizeof *a);
    struct card_stream *wild = malloc(sizeof *wild);
    struct plugin_host h;
    uint64_t seed = 99;
    assert_non_null(a);
    assert_non_null(wild);
    *wild = *s;
    for (uint32_t i = 0; i < CARD_EVENTS; i++) {
        struct tn_bar *bar = &wild->event[i].u.bar;
        bar->high = extreme[card_next(&seed) % 7]; /* also below low */
        bar->low = extreme[card_next(&seed) % 7];
        bar->close = extreme[card_next(&seed) % 7];
    }
    void *inst = card_make(&h, entry);
    card_run(entry, inst, wild, 0, CARD_EVENTS, 13, a);
    for (uint32_t i = 0; i < CARD_EVENTS * n; i++)
        assert_true(a->value[i] - a->value[i] == 0.0);
    for (uint32_t i = 0; i < a->signal_count; i++)
        card_signal_is_sound(&a->signal[i], entry->manifest);
    card_drop(&h, entry, inst);
    free(wild);
    free(a);
}

static inline void card_state(const struct tn_entry *entry, const struct card_stream *s,
                              uint32_t at, uint64_t chunk)
{
    const struct tn_instance_ops *ops = entry->ops;
    struct plugin_stream *blob = calloc(2, sizeof *blob);
    struct card_answers *a = calloc(2, sizeof *a);
    struct plugin_host h[2];
    assert_non_null(blob);
    assert_non_null(a);
    void *one = card_make(&h[0], entry), *two = card_make(&h[1], entry);
    card_run(entry, one, s, 0, at, 7, &a[0]);
    assert_int_equal(plugin_save(ops, one, &blob[0], chunk), TN_OK);
    assert_true(blob[0].count > 0 && blob[0].count <= entry->manifest->state_max_bytes);
    assert_int_equal(plugin_load(ops, two, &blob[0], entry->manifest->state_schema, chunk), TN_OK);
    assert_int_equal(plugin_save(ops, two, &blob[1], chunk), TN_OK);
    assert_int_equal(blob[0].count, blob[1].count);
    assert_memory_equal(blob[0].bytes, blob[1].bytes, blob[0].count);
    a[0].signal_count = 0;
    card_run(entry, one, s, at, CARD_EVENTS, 5, &a[0]);
    card_run(entry, two, s, at, CARD_EVENTS, 11, &a[1]);
    card_answers_are_equal(&a[0], &a[1], at, entry->manifest->output_count);
    card_drop(&h[0], entry, one);
    card_drop(&h[1], entry, two);
    free(a);
    free(blob);
}

/* Loads a blob that must be refused and sees that the instance is as it was. */
static inline void card_refused(const struct tn_entry *entry, void *inst,
                                struct plugin_stream *blob, uint32_t schema, int32_t want)
{
    const struct tn_instance_ops *ops = entry->ops;
    struct plugin_stream *seen = calloc(2, sizeof *seen);
    assert_non_null(seen);
    assert_int_equal(plugin_save(ops, inst, &seen[0], 23), TN_OK);
    assert_int_equal(plugin_load(ops, inst, blob, schema, 23), want);
    assert_int_equal(plugin_save(ops, inst, &seen[1], 23), TN_OK);
    assert_memory_equal(seen[0].bytes, seen[1].bytes, seen[0].count);
    free(seen);
}

static inline void card_hostile(const struct tn_entry *entry, const struct card_stream *s)
{
    const struct tn_instance_ops *ops = entry->ops;
    const uint32_t schema = entry->manifest->state_schema;
    struct plugin_stream *blob = calloc(2, sizeof *blob);
    struct card_answers *a = calloc(1, sizeof *a);
    struct plugin_host h;
    uint64_t seed = 5;
    assert_non_null(blob);
    assert_non_null(a);
    void *inst = card_make(&h, entry);
    card_run(entry, inst, s, 0, 100, 100, a);
    assert_int_equal(plugin_save(ops, inst, &blob[0], 64), TN_OK);
    blob[1] = blob[0];
    card_refused(entry, inst, &blob[1], schema + 1, TN_E_SCHEMA);
    card_refused(entry, inst, &blob[1], 0, TN_E_SCHEMA);
    blob[1].count++;
    card_refused(entry, inst, &blob[1], schema, TN_E_DATA);
    for (uint64_t cut = 0; cut < blob[0].count; cut += cut < 64 ? 1 : 97) {
        blob[1].count = cut;
        card_refused(entry, inst, &blob[1], schema, TN_E_DATA);
    }
    for (int round = 0; round < 300; round++) { /* a flip may give another believable state */
        blob[1] = blob[0];
        for (uint64_t i = 0; i < (round < 150 ? 1 : blob[0].count); i++)
            blob[1].bytes[card_next(&seed) % blob[0].count] ^=
                (uint8_t)(1u << card_next(&seed) % 8);
        const int32_t status = plugin_load(ops, inst, &blob[1], schema, 17);
        assert_true(status == TN_OK || status == TN_E_DATA);
        a->signal_count = 0;
        card_run(entry, inst, s, 100, CARD_EVENTS, 50, a);
        for (uint32_t i = 100 * entry->manifest->output_count;
             i < CARD_EVENTS * entry->manifest->output_count; i++)
            assert_true(a->value[i] - a->value[i] == 0.0);
    }
    card_drop(&h, entry, inst);
    free(a);
    free(blob);
}

/* All of them. */
static inline void cards_run(const struct tn_entry *entry)
{
    struct card_stream *s = malloc(sizeof *s);
    assert_non_null(s);
    card_stream_fill(s, entry->manifest, 42);
    card_entry(entry);
    card_params(entry);
    card_memory(entry);
    card_calls(entry);
    card_batch(entry, s);
    card_others(entry, s);
    card_future(entry, s);
    card_wild(entry, s);
    card_state(entry, s, 0, 1);
    card_state(entry, s, 9, 3);
    card_state(entry, s, 300, 23);
    card_hostile(entry, s);
    free(s);
}
#endif
