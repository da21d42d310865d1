/* SPDX-License-Identifier: Apache-2.0
 *
 * A good strategy without inputs: long after a bar that rose by more than `ticks`, short after one
 * that fell as much, with every kind of advice. Cold: it keeps no state.
 */
#include "tenon/strategy.h"

struct solo {
    int64_t threshold;
    int64_t bars;
};

static int32_t create(const struct tn_host *host, const struct tn_create *c, void **inst)
{
    struct solo *s = host->alloc(host->self, sizeof *s);
    if (!s)
        return TN_E_MEMORY;
    if (c->param_count != 1)
        return TN_E_PARAM;
    s->threshold = c->params[0].i * c->instrument->tick;
    *inst = s;
    host->log(host->self, 2, "ready\n", 6);
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

static void answer(struct tn_signals *out, uint32_t event, uint32_t side, double move)
{
    int32_t score = side == TN_LONG ? 600000 : -600000;
    out->signal[out->count++] = (struct tn_signal){
        .size = sizeof(struct tn_signal),
        .side = side,
        .score_ppm = score,
        .confidence_ppm = 500000,
        .horizon_ns = 60000000000,
        .advice = TN_ADVICE_TARGET | TN_ADVICE_STOP | TN_ADVICE_TTL,
        .target_ppm = 250000,
        .stop_distance = 100,
        .ttl_ns = 300000000000,
        .event = event,
        .reason_count = 1,
        .reason = {{.input = TN_REASON_BASE, .contribution_ppm = score, .value = move}}};
}

static int32_t on_events(void *inst, const struct tn_event *ev, uint32_t count,
                         const struct tn_inputs *in, struct tn_signals *out)
{
    struct solo *s = inst;
    (void)in;
    for (uint32_t i = 0; i < count; i++) {
        if (ev->type == TN_EVENT_BAR) {
            int64_t move = ev->u.bar.close - ev->u.bar.open;
            s->bars++;
            if (move > s->threshold)
                answer(out, i, TN_LONG, (double)move);
            else if (move < -s->threshold)
                answer(out, i, TN_SHORT, (double)move);
        }
        ev = (const struct tn_event *)(const void *)((const char *)ev + ev->size);
    }
    return TN_OK;
}

static const struct tn_strategy_ops ops = {.base = {.size = sizeof ops,
                                                    .revision = 1,
                                                    .create = create,
                                                    .activate = activate,
                                                    .deactivate = end,
                                                    .destroy = end},
                                           .on_events = on_events};

TN_PLUGIN(TN_KIND_STRATEGY, &ops, .id = "solo", .version = "1.0.0", .vendor = "tests",
          .text = "Follows the last bar.", .flags = TN_FLAG_COLD, .arena_bytes = 16,
          .budget_ns = 1000, .param_count = 1, .signals_max = 1,
          .params = {TN_PARAM_INT("ticks", 5, 0, 1000000, 1, "ticks", "How far a bar must move.")});
