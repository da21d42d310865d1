/* SPDX-License-Identifier: Apache-2.0
 *
 * A good indicator: the mean of the last `length` closes, summed afresh each bar so that no error
 * is carried along. Written against the plain ABI, with everything the rules ask for.
 */
#include "tenon/indicator.h"
#include <string.h>

struct mean {
    int64_t length, seen;
    double scale;
    int64_t close[]; /* ring of `length` */
};

static int32_t create(const struct tn_host *host, const struct tn_create *c, void **inst)
{
    if (c->param_count != 1)
        return TN_E_PARAM;
    int64_t length = c->params[0].i;
    if (length < 1 || length > 500)
        return TN_E_PARAM;
    struct mean *m = host->alloc(host->self, sizeof *m + (uint64_t)length * sizeof m->close[0]);
    if (!m)
        return TN_E_MEMORY;
    m->length = length;
    m->scale = c->instrument->price_scale;
    *inst = m;
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

static double mean_now(const struct mean *m)
{
    double sum = 0;
    for (int64_t i = 0; i < m->length; i++)
        sum += (double)m->close[i];
    return sum / (double)m->length * m->scale;
}

static int32_t on_events(void *inst, const struct tn_event *ev, uint32_t count, double *value,
                         uint32_t *ready)
{
    struct mean *m = inst;
    for (uint32_t i = 0; i < count; i++) {
        if (ev->type == TN_EVENT_BAR)
            m->close[m->seen++ % m->length] = ev->u.bar.close;
        ready[i] = m->seen >= m->length;
        value[i] = ready[i] ? mean_now(m) : 0;
        ev = (const struct tn_event *)(const void *)((const char *)ev + ev->size);
    }
    return TN_OK;
}

static int32_t put(const struct tn_stream_out *out, const void *bytes, uint64_t count)
{
    const char *at = bytes;
    while (count > 0) {
        int64_t n = out->write(out->self, at, count);
        if (n <= 0)
            return TN_E_SHORT;
        at += n;
        count -= (uint64_t)n;
    }
    return TN_OK;
}

static bool get(const struct tn_stream_in *in, void *bytes, uint64_t count)
{
    char *at = bytes;
    while (count > 0) {
        int64_t n = in->read(in->self, at, count);
        if (n <= 0)
            return false;
        at += n;
        count -= (uint64_t)n;
    }
    return true;
}

static int32_t state_save(void *inst, const struct tn_stream_out *out)
{
    struct mean *m = inst;
    int32_t status = put(out, &m->seen, sizeof m->seen);
    if (status == TN_OK)
        status = put(out, m->close, (uint64_t)m->length * sizeof m->close[0]);
    return status;
}

static int32_t state_load(void *inst, uint32_t schema, const struct tn_stream_in *in)
{
    struct mean *m = inst;
    int64_t seen, close[500];
    char more;
    if (schema != 1)
        return TN_E_SCHEMA;
    if (!get(in, &seen, sizeof seen) || !get(in, close, (uint64_t)m->length * sizeof close[0]) ||
        in->read(in->self, &more, 1) != 0 || seen < 0 || seen > INT64_MAX / 2)
        return TN_E_DATA;
    m->seen = seen;
    memcpy(m->close, close, (uint64_t)m->length * sizeof close[0]);
    return TN_OK;
}

static uint32_t warmup(void *inst)
{
    return (uint32_t)((struct mean *)inst)->length;
}

static const struct tn_indicator_ops ops = {.base = {.size = sizeof ops,
                                                     .revision = 1,
                                                     .create = create,
                                                     .activate = activate,
                                                     .deactivate = end,
                                                     .destroy = end,
                                                     .state_save = state_save,
                                                     .state_load = state_load,
                                                     .warmup = warmup},
                                            .on_events = on_events};

TN_PLUGIN(TN_KIND_INDICATOR, &ops, .id = "mean", .version = "1.0.0", .vendor = "tests",
          .text = "Mean of the last closes.", .state_schema = 1, .state_schema_oldest = 1,
          .state_max_bytes = 8 + 500 * 8, .arena_bytes = 32 + 500 * 8, .budget_ns = 5000,
          .param_count = 1, .output_count = 1,
          .params = {TN_PARAM_INT("length", 5, 1, 500, 1, "bars", "How many closes.")},
          .outputs = {TN_PORT("mean", "price", "The mean.")});
