/* SPDX-License-Identifier: Apache-2.0
 *
 * An indicator that breaks one rule at bar `at`; before it, output 0 counts bars and output 1 is
 * not ready. One mode per guard of the inline bay.
 */
#include "tenon/indicator.h"

enum mode {
    FINE,
    NAN_OUT,
    INF_OUT,
    READY_HIGH,
    NOT_WRITTEN,
    STATUS_UNKNOWN,
    STATUS_DATA,
    FP_WORD,
    ALLOC,
    ASK,
    NAN_NOT_READY,
    TALK
};

struct broken {
    int64_t mode, at, bars;
    const struct tn_host *host;
};

static int32_t create(const struct tn_host *host, const struct tn_create *c, void **inst)
{
    struct broken *b = host->alloc(host->self, sizeof *b);
    if (!b || c->param_count != 2)
        return TN_E_MEMORY;
    b->mode = c->params[0].i;
    b->at = c->params[1].i;
    b->host = host;
    *inst = b;
    return b->mode == 100 ? 77 : b->mode == 101 ? TN_E_PARAM : TN_OK;
}

static int32_t activate(void *inst)
{
    return ((struct broken *)inst)->mode == 102 ? TN_E_STATE : TN_OK;
}

static void end(void *inst)
{
    (void)inst;
}

static int32_t misbehave(struct broken *b, double *value, uint32_t *ready)
{
    static const char noise[] = "line\nwith \x01 control bytes";
    uint32_t fp;
    switch (b->mode) {
    case NAN_OUT:
        value[0] = __builtin_nan("");
        break;
    case INF_OUT:
        value[0] = -__builtin_inf();
        break;
    case READY_HIGH:
        *ready = 0x10;
        break;
    case STATUS_UNKNOWN:
        return 99;
    case STATUS_DATA:
        return TN_E_DATA;
    case FP_WORD:
        __asm__ volatile("stmxcsr %0" : "=m"(fp));
        fp |= 0x8040;
        __asm__ volatile("ldmxcsr %0" : : "m"(fp));
        break;
    case ALLOC:
        b->host->alloc(b->host->self, 16);
        break;
    case ASK:
        b->host->get_interface(b->host->self, "clock/1");
        break;
    case NAN_NOT_READY:
        value[1] = __builtin_nan("");
        break;
    case TALK:
        for (int i = 0; i < 100; i++)
            b->host->log(b->host->self, 3, noise, sizeof noise - 1);
        break;
    default:
        break;
    }
    return TN_OK;
}

static int32_t on_events(void *inst, const struct tn_event *ev, uint32_t count, double *value,
                         uint32_t *ready)
{
    struct broken *b = inst;
    for (uint32_t i = 0; i < count; i++) {
        b->bars += ev->type == TN_EVENT_BAR;
        bool now = b->bars == b->at && ev->type == TN_EVENT_BAR;
        if (!now || b->mode != NOT_WRITTEN) {
            value[2 * i] = (double)b->bars;
            value[2 * i + 1] = 0;
            ready[i] = 1;
        }
        int32_t status = now ? misbehave(b, &value[2 * i], &ready[i]) : TN_OK;
        if (status != TN_OK)
            return status;
        ev = (const void *)((const char *)ev + ev->size);
    }
    return TN_OK;
}

static const struct tn_indicator_ops ops = {.base = {.size = sizeof ops,
                                                     .revision = 1,
                                                     .create = create,
                                                     .activate = activate,
                                                     .deactivate = end,
                                                     .destroy = end},
                                            .on_events = on_events};

TN_PLUGIN(TN_KIND_INDICATOR, &ops, .id = "broken_ind", .version = "1.0.0", .vendor = "tests",
          .text = "Breaks one rule.", .arena_bytes = 64, .param_count = 2, .output_count = 2,
          .params = {TN_PARAM_INT("mode", 0, 0, 200, 1, "", "Which rule."),
                     TN_PARAM_INT("at", 3, 0, 1000000, 1, "bars", "At which bar.")},
          .outputs = {TN_PORT("bars", "", "Bars so far."), TN_PORT("never", "", "Not ready.")});
