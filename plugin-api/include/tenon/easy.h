/* SPDX-License-Identifier: Apache-2.0
 *
 * tenon/easy.h: the part of a plugin that is the same in all of them. Not part of the ABI: it is
 * compiled into the plugin, and a plugin may do without it. Since 1.0.
 *
 * An author writes a state struct, a few functions and the manifest; TN_INDICATOR or TN_STRATEGY
 * adds creation from the host's arena, the check of the parameters, the walk through a batch, and
 * state save and load. What the macros promise: no allocation, lock, syscall or clock after
 * create; answers that do not depend on where batches are cut; a state that is refused whole when
 * its bytes are damaged.
 *
 *   - The state struct has 8-byte members only (int64_t, double) or 16-byte ones, no pointers and
 *     no padding: its bytes are what is saved, little-endian as the ABI says.
 *   - A change of the struct is a new schema: #define TN_STATE_SCHEMA 2 before the include.
 *   - A strategy whose state is a matter of its last events says so: #define TN_WARMUP n before the
 *     include (events of history, beyond those its inputs want, after which it knows what it would
 *     have known). Then a new version or other parameters take over while it holds a position;
 *     without it the old build's state must fit, or the swap waits until the strategy is flat.
 *   - The rows of the params table are given with TN_PARAMS, the ports with TN_OUTPUTS, TN_INPUTS.
 */
#ifndef TENON_EASY_H
#define TENON_EASY_H
#include "tenon/indicator.h"
#include "tenon/strategy.h"
#include <string.h>

#ifndef TN_STATE_SCHEMA
#define TN_STATE_SCHEMA 1u
#endif

#ifdef TN_WARMUP
static uint32_t tn_easy_strategy_warmup(void *inst)
{
    (void)inst;
    return TN_WARMUP;
}
#define TN_EASY_WARMUP tn_easy_strategy_warmup
#else
#define TN_EASY_WARMUP NULL
#endif

/* What an instance knows besides its own state. Authors read it and write only value and ready. */
struct tn_easy {
    union tn_number param[TN_MAX_PARAMS]; /* in the order of the manifest */
    struct tn_instrument instrument;
    int64_t bar_ns; /* length of the bars it is fed with, 0 = none */
    uint64_t seed;
    int32_t status; /* not TN_OK: the instance has failed and answers nothing more */
    uint32_t is_active;
    double value[TN_MAX_OUTPUTS]; /* indicator: the current features */
    uint32_t ready;               /* bit k: value[k] may be used */
    uint32_t reserved;
    struct tn_signal spare; /* takes a signal that is one too many, so that authors need no check */
};

/* One event as a strategy sees it, with the features bound to its inputs at that moment. */
struct tn_now {
    const struct tn_event *event;
    uint32_t index; /* of the event in the batch */
    uint32_t input_count;
    const double *in; /* in[k]: input k of the manifest */
    uint32_t ready;   /* bit k: in[k] may be used */
    uint32_t reserved;
    struct tn_signals *out;
};

#define TN_EASY_COUNT(type, ...) (uint32_t)(sizeof((type[]){__VA_ARGS__}) / sizeof(type))
#define TN_PARAMS(...)                                                                             \
    .params = {__VA_ARGS__}, .param_count = TN_EASY_COUNT(struct tn_param, __VA_ARGS__)
#define TN_OUTPUTS(...)                                                                            \
    .outputs = {__VA_ARGS__}, .output_count = TN_EASY_COUNT(struct tn_port, __VA_ARGS__)
#define TN_INPUTS(...)                                                                             \
    .inputs = {__VA_ARGS__}, .input_count = TN_EASY_COUNT(struct tn_port, __VA_ARGS__)

/* ---- numbers ---- */
static inline bool tn_is_finite(double v)
{
    return v - v == 0.0;
}

/* n bars of time, at least 1 ns. */
static inline int64_t tn_bars_ns(const struct tn_easy *e, int64_t bars)
{
    int64_t ns;
    if (__builtin_mul_overflow(e->bar_ns, bars, &ns))
        return INT64_MAX;
    return ns > 0 ? ns : 1;
}

/* ppm millionths of a price, exact and rounded toward zero; at least 1 unit unless ppm is 0. For
 * price >= 0 and ppm in [0, 1000000]. */
static inline int64_t tn_ppm_of(int64_t price, int64_t ppm)
{
    int64_t part = price / TN_ONE_PPM * ppm + price % TN_ONE_PPM * ppm / TN_ONE_PPM;
    return part > 0 || ppm == 0 ? part : 1;
}

/* ---- signals: begin, add reasons and advice, finish ---- */
static inline bool tn_all_ready(const struct tn_now *now)
{
    return now->ready == (1u << now->input_count) - 1u;
}

/* A new signal that answers this event: whole budget, full confidence, horizon one bar. */
static inline struct tn_signal *tn_signal_begin(struct tn_easy *e, const struct tn_now *now,
                                                uint32_t side)
{
    struct tn_signals *out = now->out;
    struct tn_signal *s = out->count < out->capacity ? &out->signal[out->count] : &e->spare;
    out->count++; /* past the capacity it is the host that calls it a fault */
    memset(s, 0, sizeof *s);
    s->size = sizeof *s;
    s->side = side;
    s->confidence_ppm = TN_ONE_PPM;
    s->horizon_ns = tn_bars_ns(e, 1);
    s->event = now->index;
    return s;
}

/* Why: an input (or TN_REASON_BASE), its value and what it adds to the score (1.0 = a whole score;
 * kept within +-200, so that any sum of eight fits). The last place is kept for the clamp. */
static inline void tn_reason_add(struct tn_easy *e, struct tn_signal *s, uint32_t input,
                                 double value, double contribution)
{
    if (s->reason_count >= TN_MAX_REASONS - 1 || !tn_is_finite(value) ||
        !tn_is_finite(contribution)) {
        e->status = TN_E_DATA;
        return;
    }
    double c = contribution > 200.0 ? 200.0 : contribution < -200.0 ? -200.0 : contribution;
    c *= TN_ONE_PPM;
    s->reason[s->reason_count++] = (struct tn_reason){
        .input = input, .contribution_ppm = (int32_t)(c < 0 ? c - 0.5 : c + 0.5), .value = value};
}

static inline void tn_advise_target(struct tn_signal *s, int64_t ppm)
{
    s->target_ppm = (int32_t)ppm;
    s->advice |= TN_ADVICE_TARGET;
}

/* The next three take 0 as "not given". */
static inline void tn_advise_limit(struct tn_signal *s, int64_t offset)
{
    s->limit_offset = offset;
    s->advice |= offset > 0 ? TN_ADVICE_LIMIT : 0u;
}

static inline void tn_advise_stop(struct tn_signal *s, int64_t distance)
{
    s->stop_distance = distance;
    s->advice |= distance > 0 ? TN_ADVICE_STOP : 0u;
}

static inline void tn_advise_ttl(struct tn_signal *s, int64_t ns)
{
    s->ttl_ns = ns;
    s->advice |= ns > 0 ? TN_ADVICE_TTL : 0u;
}

/* The score is the sum of the reasons, held in (0,1] for long, [-1,0) for short, 0 for flat; what
 * that changes is one more reason, TN_REASON_CLAMP, so that the sum stays exact. */
static inline void tn_signal_finish(struct tn_signal *s)
{
    int64_t sum = 0, low = 0, high = 0;
    for (uint32_t i = 0; i < s->reason_count; i++)
        sum += s->reason[i].contribution_ppm;
    if (s->side == TN_LONG) {
        low = 1;
        high = TN_ONE_PPM;
    } else if (s->side == TN_SHORT) {
        low = -TN_ONE_PPM;
        high = -1;
    }
    int64_t score = sum < low ? low : sum > high ? high : sum;
    if (score != sum || s->reason_count == 0)
        s->reason[s->reason_count++] =
            (struct tn_reason){.input = TN_REASON_CLAMP,
                               .contribution_ppm = (int32_t)(score - sum),
                               .value = (double)sum / TN_ONE_PPM};
    s->score_ppm = (int32_t)score;
}

/* ---- what the macros below are made of ---- */
static inline const struct tn_event *tn_easy_at(const struct tn_event *ev, uint32_t i)
{
    return (const struct tn_event *)(const void *)((const uint8_t *)ev + (uint64_t)i * ev->size);
}

static inline bool tn_easy_param_fits(const struct tn_param *row, union tn_number v)
{
    if (row->type == TN_TYPE_F64)
        return v.f >= row->min.f && v.f <= row->max.f; /* false for NaN */
    return v.i >= row->min.i && v.i <= row->max.i;
}

/* Takes the instance from the arena and fills in the common part. */
static inline int32_t tn_easy_create(const struct tn_host *host, const struct tn_create *given,
                                     const struct tn_manifest *m, uint64_t bytes,
                                     struct tn_easy **out)
{
    if (host == NULL || given == NULL)
        return TN_E_PARAM;
    struct tn_create c = {0};
    memcpy(&c, given, given->size < sizeof c ? given->size : sizeof c);
    if (c.param_count < m->param_count || (m->param_count > 0 && c.params == NULL))
        return TN_E_PARAM;
    for (uint32_t i = 0; i < m->param_count; i++)
        if (!tn_easy_param_fits(&m->params[i], c.params[i]))
            return TN_E_PARAM;
    struct tn_easy *e = host->alloc != NULL ? host->alloc(host->self, bytes) : NULL;
    if (e == NULL)
        return TN_E_MEMORY;
    for (uint32_t i = 0; i < m->param_count; i++)
        e->param[i] = c.params[i];
    if (c.instrument != NULL) {
        uint64_t n = c.instrument->size;
        memcpy(&e->instrument, c.instrument, n < sizeof e->instrument ? n : sizeof e->instrument);
    }
    e->bar_ns = c.bar_ns;
    e->seed = c.seed;
    *out = e;
    return TN_OK;
}

static inline int32_t tn_easy_write(const struct tn_stream_out *out, const void *bytes,
                                    uint64_t count)
{
    for (uint64_t done = 0; done < count;) {
        int64_t n = out->write(out->self, (const uint8_t *)bytes + done, count - done);
        if (n <= 0 || (uint64_t)n > count - done)
            return TN_E_SHORT;
        done += (uint64_t)n;
    }
    return TN_OK;
}

/* Exactly `count` bytes, then the end of the stream; else TN_E_DATA. */
static inline int32_t tn_easy_read(const struct tn_stream_in *in, void *bytes, uint64_t count)
{
    for (uint64_t done = 0; done < count;) {
        int64_t n = in->read(in->self, (uint8_t *)bytes + done, count - done);
        if (n <= 0 || (uint64_t)n > count - done)
            return TN_E_DATA;
        done += (uint64_t)n;
    }
    uint8_t more;
    return in->read(in->self, &more, 1) == 0 ? TN_OK : TN_E_DATA;
}

static inline int32_t tn_easy_activate(void *inst)
{
    struct tn_easy *e = inst;
    if (e->is_active)
        return TN_E_STATE;
    e->is_active = 1;
    return TN_OK;
}

static inline void tn_easy_deactivate(void *inst)
{
    ((struct tn_easy *)inst)->is_active = 0;
}

static inline void tn_easy_destroy(void *inst)
{
    (void)inst; /* the arena is the host's to drop */
}

/* The box of one instance, and save and load of the state in it. */
#define TN_EASY_BOX(T, is_valid_fn)                                                                \
    extern const struct tn_note tn_plugin_note;                                                    \
    struct tn_easy_box {                                                                           \
        struct tn_easy easy;                                                                       \
        T state;                                                                                   \
    };                                                                                             \
    _Static_assert(sizeof(T) % 8 == 0, "the state has 8-byte members only");                       \
    static int32_t tn_easy_save(void *inst, const struct tn_stream_out *out)                       \
    {                                                                                              \
        const struct tn_easy_box *box = inst;                                                      \
        return tn_easy_write(out, &box->state, sizeof box->state);                                 \
    }                                                                                              \
    static int32_t tn_easy_load(struct tn_easy_box *box, uint32_t schema,                          \
                                const struct tn_stream_in *in)                                     \
    {                                                                                              \
        T next;                                                                                    \
        if (schema != TN_STATE_SCHEMA)                                                             \
            return TN_E_SCHEMA;                                                                    \
        int32_t status = tn_easy_read(in, &next, sizeof next);                                     \
        if (status != TN_OK)                                                                       \
            return status;                                                                         \
        if (!is_valid_fn(&box->easy, &next))                                                       \
            return TN_E_DATA;                                                                      \
        box->state = next;                                                                         \
        return TN_OK;                                                                              \
    }

#define TN_EASY_BASE(ops_bytes, load_fn, warmup_fn)                                                \
    {                                                                                              \
        .size = (ops_bytes), .revision = 1, .create = tn_easy_make, .activate = tn_easy_activate,  \
        .deactivate = tn_easy_deactivate, .destroy = tn_easy_destroy, .state_save = tn_easy_save,  \
        .state_load = (load_fn), .warmup = (warmup_fn)                                             \
    }

#define TN_EASY_SIZES(T)                                                                           \
    .state_schema = TN_STATE_SCHEMA, .state_schema_oldest = TN_STATE_SCHEMA,                       \
    .state_max_bytes = sizeof(T), .arena_bytes = (sizeof(struct tn_easy_box) + 31u) & ~15u

/* An indicator:
 *   bool    is_valid(const struct tn_easy *, const T *)            loaded bytes are believable
 *   int32_t setup(const struct tn_easy *, T *)                     first state from parameters
 *   void    update(const struct tn_easy *, T *, const struct tn_event *)  one event
 *   void    show(struct tn_easy *, const T *)                      sets e->value[] and e->ready
 *   int64_t warmup(const struct tn_easy *)                         events of history wanted
 * and the manifest: .id, .version, .vendor, .text, .budget_ns, TN_PARAMS(...), TN_OUTPUTS(...). */
#define TN_INDICATOR(T, is_valid_fn, setup_fn, update_fn, show_fn, warmup_fn, ...)                 \
    TN_EASY_BOX(T, is_valid_fn)                                                                    \
    static int32_t tn_easy_make(const struct tn_host *host, const struct tn_create *c,             \
                                void **inst)                                                       \
    {                                                                                              \
        struct tn_easy *e = NULL;                                                                  \
        int32_t status =                                                                           \
            tn_easy_create(host, c, &tn_plugin_note.manifest, sizeof(struct tn_easy_box), &e);     \
        if (status != TN_OK)                                                                       \
            return status;                                                                         \
        struct tn_easy_box *box = (struct tn_easy_box *)(void *)e;                                 \
        status = setup_fn(e, &box->state);                                                         \
        show_fn(e, &box->state);                                                                   \
        *inst = status == TN_OK ? box : NULL;                                                      \
        return status;                                                                             \
    }                                                                                              \
    static int32_t tn_easy_restore(void *inst, uint32_t schema, const struct tn_stream_in *in)     \
    {                                                                                              \
        struct tn_easy_box *box = inst;                                                            \
        int32_t status = tn_easy_load(box, schema, in);                                            \
        if (status == TN_OK)                                                                       \
            show_fn(&box->easy, &box->state);                                                      \
        return status;                                                                             \
    }                                                                                              \
    static uint32_t tn_easy_warmup(void *inst)                                                     \
    {                                                                                              \
        return (uint32_t)warmup_fn(&((struct tn_easy_box *)inst)->easy);                           \
    }                                                                                              \
    static int32_t tn_easy_on_events(void *inst, const struct tn_event *ev, uint32_t count,        \
                                     double *value, uint32_t *ready)                               \
    {                                                                                              \
        struct tn_easy_box *box = inst;                                                            \
        const uint32_t outputs = tn_plugin_note.manifest.output_count;                             \
        for (uint32_t i = 0; i < count; i++) {                                                     \
            update_fn(&box->easy, &box->state, tn_easy_at(ev, i));                                 \
            show_fn(&box->easy, &box->state);                                                      \
            for (uint32_t k = 0; k < outputs; k++)                                                 \
                value[(uint64_t)i * outputs + k] = box->easy.value[k];                             \
            ready[i] = box->easy.ready;                                                            \
        }                                                                                          \
        return box->easy.status;                                                                   \
    }                                                                                              \
    static const struct tn_indicator_ops tn_easy_ops = {                                           \
        .base = TN_EASY_BASE(sizeof(struct tn_indicator_ops), tn_easy_restore, tn_easy_warmup),    \
        .on_events = tn_easy_on_events};                                                           \
    TN_PLUGIN(TN_KIND_INDICATOR, &tn_easy_ops, TN_EASY_SIZES(T), __VA_ARGS__)

/* A strategy:
 *   bool is_valid(const struct tn_easy *, const T *)                       as above
 *   void on_event(struct tn_easy *, T *, const struct tn_now *)            one event
 * and the manifest: .id, .version, .vendor, .text, .budget_ns, .signals_max, TN_PARAMS(...),
 * TN_INPUTS(...). The state begins zeroed. */
#define TN_STRATEGY(T, is_valid_fn, on_event_fn, ...)                                              \
    TN_EASY_BOX(T, is_valid_fn)                                                                    \
    static int32_t tn_easy_make(const struct tn_host *host, const struct tn_create *c,             \
                                void **inst)                                                       \
    {                                                                                              \
        struct tn_easy *e = NULL;                                                                  \
        int32_t status =                                                                           \
            tn_easy_create(host, c, &tn_plugin_note.manifest, sizeof(struct tn_easy_box), &e);     \
        *inst = e;                                                                                 \
        return status;                                                                             \
    }                                                                                              \
    static int32_t tn_easy_restore(void *inst, uint32_t schema, const struct tn_stream_in *in)     \
    {                                                                                              \
        return tn_easy_load(inst, schema, in);                                                     \
    }                                                                                              \
    static int32_t tn_easy_on_events(void *inst, const struct tn_event *ev, uint32_t count,        \
                                     const struct tn_inputs *in, struct tn_signals *out)           \
    {                                                                                              \
        struct tn_easy_box *box = inst;                                                            \
        const uint32_t inputs = tn_plugin_note.manifest.input_count;                               \
        if (inputs > 0 && (in == NULL || in->input_count != inputs))                               \
            return TN_E_DATA;                                                                      \
        out->count = 0;                                                                            \
        for (uint32_t i = 0; i < count && box->easy.status == TN_OK; i++) {                        \
            const struct tn_now now = {.event = tn_easy_at(ev, i),                                 \
                                       .index = i,                                                 \
                                       .input_count = inputs,                                      \
                                       .in = inputs > 0 ? in->value + (uint64_t)i * inputs : NULL, \
                                       .ready = inputs > 0 ? in->ready[i] : 0,                     \
                                       .out = out};                                                \
            on_event_fn(&box->easy, &box->state, &now);                                            \
        }                                                                                          \
        return box->easy.status;                                                                   \
    }                                                                                              \
    static const struct tn_strategy_ops tn_easy_ops = {                                            \
        .base = TN_EASY_BASE(sizeof(struct tn_strategy_ops), tn_easy_restore, TN_EASY_WARMUP),     \
        .on_events = tn_easy_on_events};                                                           \
    TN_PLUGIN(TN_KIND_STRATEGY, &tn_easy_ops, TN_EASY_SIZES(T), __VA_ARGS__)
#endif
