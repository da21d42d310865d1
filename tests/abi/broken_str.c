/* SPDX-License-Identifier: Apache-2.0
 *
 * A strategy that gives a good signal at every bar and breaks one rule at bar `at`. One mode per
 * rule of Signal v1.
 */
#include "tenon/strategy.h"

enum mode {
    FINE,
    STATUS,
    SIDE,
    SCORE_HIGH,
    SCORE_SIGN,
    CONFIDENCE,
    HORIZON,
    ADVICE_BIT,
    TARGET,
    LIMIT,
    STOP,
    TTL,
    REASONS_NONE,
    REASONS_MANY,
    SUM,
    REASON_INPUT,
    REASON_NAN,
    EVENT,
    COUNT,
    TWICE,
    TWO,
    ORDER,
    SIZE,
    ROUNDING,
    X87,
    LONG_ZERO,
    UNUSED_ADVICE,
    PARTIAL,
};

struct broken {
    int64_t mode, at, bars;
};

static int32_t create(const struct tn_host *host, const struct tn_create *c, void **inst)
{
    struct broken *b = host->alloc(host->self, sizeof *b);
    if (!b || c->param_count != 2)
        return TN_E_MEMORY;
    b->mode = c->params[0].i;
    b->at = c->params[1].i;
    *inst = b;
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

static void break_reasons(struct tn_signal *s, int64_t mode)
{
    if (mode == REASONS_NONE)
        s->reason_count = 0;
    if (mode == REASONS_MANY)
        s->reason_count = TN_MAX_REASONS + 1;
    if (mode == SUM)
        s->reason[0].contribution_ppm--;
    if (mode == REASON_INPUT)
        s->reason[0].input = 0;
    if (mode == REASON_NAN)
        s->reason[0].value = __builtin_nan("");
}

static void break_advice(struct tn_signal *s, int64_t mode)
{
    if (mode == ADVICE_BIT)
        s->advice = 0x10;
    if (mode == TARGET)
        s->advice = TN_ADVICE_TARGET, s->target_ppm = TN_ONE_PPM + 1;
    if (mode == LIMIT)
        s->advice = TN_ADVICE_LIMIT, s->limit_offset = -1;
    if (mode == STOP)
        s->advice = TN_ADVICE_STOP;
    if (mode == TTL)
        s->advice = TN_ADVICE_TTL, s->ttl_ns = -5;
    if (mode == UNUSED_ADVICE)
        s->advice = 0, s->stop_distance = 7, s->ttl_ns = 9, s->target_ppm = 3, s->limit_offset = 2;
}

static void break_control(int64_t mode)
{
    uint32_t fp;
    uint16_t cw;
    if (mode == ROUNDING) {
        __asm__ volatile("stmxcsr %0" : "=m"(fp));
        fp |= 0x2000;
        __asm__ volatile("ldmxcsr %0" : : "m"(fp));
    }
    if (mode == X87) {
        __asm__ volatile("fnstcw %0" : "=m"(cw));
        cw = (uint16_t)((cw & ~0x300) | 0x200);
        __asm__ volatile("fldcw %0" : : "m"(cw));
    }
}

static void break_rule(struct broken *b, struct tn_signal *s, struct tn_signals *out)
{
    switch (b->mode) {
    case SIDE:
        s->side = 4;
        break;
    case SCORE_HIGH:
        s->score_ppm = s->reason[0].contribution_ppm = TN_ONE_PPM + 1;
        break;
    case SCORE_SIGN:
        s->side = TN_SHORT;
        break;
    case LONG_ZERO:
        s->score_ppm = s->reason[0].contribution_ppm = 0;
        break;
    case CONFIDENCE:
        s->confidence_ppm = -1;
        break;
    case HORIZON:
        s->horizon_ns = 0;
        break;
    case EVENT:
        s->event += 1000;
        break;
    case COUNT:
        out->count = out->capacity + 1;
        break;
    case SIZE:
        s->size -= 8;
        break;
    case TWICE:
        s[1] = s[0];
        out->count++;
        break;
    case TWO:
        s[1] = s[2] = s[0];
        s[1].horizon_ns++;
        s[2].horizon_ns += 2;
        out->count += 2;
        break;
    default:
        break_reasons(s, b->mode);
        break_advice(s, b->mode);
        break_control(b->mode);
    }
}

static int32_t on_events(void *inst, const struct tn_event *ev, uint32_t count,
                         const struct tn_inputs *in, struct tn_signals *out)
{
    struct broken *b = inst;
    (void)in;
    for (uint32_t i = 0; i < count; i++, ev = (const void *)((const char *)ev + ev->size)) {
        if (ev->type != TN_EVENT_BAR)
            continue;
        b->bars++;
        if (b->mode == STATUS && b->bars == b->at)
            return -3;
        struct tn_signal *s = &out->signal[out->count++];
        if (b->mode == PARTIAL && b->bars == b->at) { /* relies on zeros where it writes nothing */
            s->size = sizeof *s;
            s->side = TN_LONG;
            s->score_ppm = s->reason[0].contribution_ppm = 1;
            s->reason[0].input = TN_REASON_BASE;
            s->reason_count = 1;
            s->horizon_ns = 1;
            s->event = i;
            continue;
        }
        *s = (struct tn_signal){.size = sizeof *s,
                                .side = TN_LONG,
                                .score_ppm = 100000,
                                .confidence_ppm = 100000,
                                .horizon_ns = 1,
                                .event = b->mode == ORDER && b->bars == b->at && i > 1 ? i - 2 : i,
                                .reason_count = 1,
                                .reason = {{.input = TN_REASON_BASE, .contribution_ppm = 100000}}};
        if (b->mode == PARTIAL)
            s->advice = TN_ADVICE_TTL, s->ttl_ns = 5;
        if (b->bars == b->at)
            break_rule(b, s, out);
        if (b->mode == COUNT && b->bars == b->at)
            return TN_OK;
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

TN_PLUGIN(TN_KIND_STRATEGY, &ops, .id = "broken_str", .version = "1.0.0", .vendor = "tests",
          .text = "Breaks one rule.", .arena_bytes = 32, .param_count = 2, .signals_max = 2,
          .params = {TN_PARAM_INT("mode", 0, 0, 200, 1, "", "Which rule."),
                     TN_PARAM_INT("at", 3, 0, 1000000, 1, "bars", "At which bar.")});
