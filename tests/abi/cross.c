/* SPDX-License-Identifier: Apache-2.0
 *
 * A good strategy with two inputs and state: long when fast is above slow, short when below, one
 * signal per crossing. Both inputs are reasons; what rounding leaves is a named clamp.
 */
#include "tenon/strategy.h"

struct cross {
    int64_t side; /* last given */
    int64_t given;
};

static int32_t create(const struct tn_host *host, const struct tn_create *c, void **inst)
{
    struct cross *s = host->alloc(host->self, sizeof *s);
    if (!s)
        return TN_E_MEMORY;
    if (c->param_count != 0)
        return TN_E_PARAM;
    *inst = s;
    return TN_OK;
}

static int32_t activate(void *inst)
{
    (void)inst;
    return TN_OK;
}

static void end(void *inst)
{
    (void)inst;
}

static int32_t on_events(void *inst, const struct tn_event *ev, uint32_t count,
                         const struct tn_inputs *in, struct tn_signals *out)
{
    struct cross *s = inst;
    for (uint32_t i = 0; i < count; i++, ev = (const void *)((const char *)ev + ev->size)) {
        const double *v = &in->value[(uint64_t)i * in->input_count];
        if ((in->ready[i] & 3u) != 3u || ev->type != TN_EVENT_BAR || v[0] == v[1])
            continue;
        uint32_t side = v[0] > v[1] ? TN_LONG : TN_SHORT;
        if (side == s->side)
            continue;
        s->side = side;
        s->given++;
        int32_t sign = side == TN_LONG ? 1 : -1;
        out->signal[out->count++] = (struct tn_signal){
            .size = sizeof(struct tn_signal),
            .side = side,
            .score_ppm = sign * 500000,
            .confidence_ppm = TN_ONE_PPM,
            .horizon_ns = 3600000000000,
            .event = i,
            .reason_count = 3,
            .reason = {{.input = 0, .contribution_ppm = sign * 400000, .value = v[0]},
                       {.input = 1, .contribution_ppm = sign * 200000, .value = v[1]},
                       {.input = TN_REASON_CLAMP, .contribution_ppm = -sign * 100000}}};
    }
    return TN_OK;
}

static int32_t state_save(void *inst, const struct tn_stream_out *out)
{
    const char *at = inst;
    for (uint64_t left = sizeof(struct cross); left > 0;) {
        int64_t n = out->write(out->self, at, left);
        if (n <= 0)
            return TN_E_SHORT;
        at += n;
        left -= (uint64_t)n;
    }
    return TN_OK;
}

static int32_t state_load(void *inst, uint32_t schema, const struct tn_stream_in *in)
{
    struct cross fresh;
    char *at = (char *)&fresh, more;
    if (schema != 1)
        return TN_E_SCHEMA;
    for (uint64_t left = sizeof fresh; left > 0;) {
        int64_t n = in->read(in->self, at, left);
        if (n <= 0)
            return TN_E_DATA;
        at += n;
        left -= (uint64_t)n;
    }
    if (in->read(in->self, &more, 1) != 0 || fresh.side < 0 || fresh.side > (int64_t)TN_SHORT ||
        fresh.given < 0 || fresh.given > INT64_MAX / 2)
        return TN_E_DATA;
    *(struct cross *)inst = fresh;
    return TN_OK;
}

static uint32_t warmup(void *inst)
{
    (void)inst;
    return 3;
}

static const struct tn_strategy_ops ops = {.base = {.size = sizeof ops,
                                                    .revision = 1,
                                                    .create = create,
                                                    .activate = activate,
                                                    .deactivate = end,
                                                    .destroy = end,
                                                    .state_save = state_save,
                                                    .state_load = state_load,
                                                    .warmup = warmup},
                                           .on_events = on_events};

TN_PLUGIN(TN_KIND_STRATEGY, &ops, .id = "cross", .version = "1.0.0", .vendor = "tests",
          .text = "Two averages cross.", .state_schema = 1, .state_schema_oldest = 1,
          .state_max_bytes = sizeof(struct cross), .arena_bytes = 16, .budget_ns = 1000,
          .input_count = 2, .signals_max = 1,
          .inputs = {TN_PORT("fast", "price", "The fast average."),
                     TN_PORT("slow", "price", "The slow average.")});
