/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules of indicator.h and strategy.h, one by one and in their words. Nothing is clamped or
 * repaired: a repaired answer would hide a broken plugin behind plausible trades.
 *
 * Finiteness is tested on the bits of the exponent: no comparison, so no sticky FP flag is raised
 * and the compiler may keep everything in integer registers.
 */
#include "bays/guard.h"
#include <string.h>
#include "base/must.h"

static inline bool is_finite(double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    return (bits & 0x7ff0000000000000ull) != 0x7ff0000000000000ull;
}

const char *guard_status_name(int32_t status)
{
    static const char *const names[] = {"TN_OK",      "TN_E_PARAM",      "TN_E_MEMORY",
                                        "TN_E_STATE", "TN_E_SCHEMA",     "TN_E_DATA",
                                        "TN_E_SHORT", "TN_E_UNSUPPORTED"};
    return guard_status_known(status) ? names[status] : "an unknown status";
}

const char *guard_outputs(double *value, uint32_t ready, uint32_t output_count)
{
    must(output_count <= TN_MAX_OUTPUTS);
    if (ready & GUARD_READY_UNWRITTEN)
        return "its ready bits were not written";
    if (ready >> output_count)
        return "ready bits are set beyond its outputs";
    for (uint32_t k = 0; k < output_count; k++) {
        if (!(ready >> k & 1))
            value[k] = 0;
        else if (!is_finite(value[k]))
            return "an output is ready but not a finite number";
    }
    return NULL;
}

static const char *check_score(const struct tn_signal *s)
{
    if (s->side < TN_LONG || s->side > TN_FLAT)
        return "side is not long, short or flat";
    if (s->score_ppm < -TN_ONE_PPM || s->score_ppm > TN_ONE_PPM)
        return "score is outside [-1, 1]";
    if ((s->side == TN_LONG && s->score_ppm <= 0) || (s->side == TN_SHORT && s->score_ppm >= 0))
        return "the sign of the score does not agree with the side";
    if (s->confidence_ppm < 0 || s->confidence_ppm > TN_ONE_PPM)
        return "confidence is outside [0, 1]";
    if (s->horizon_ns <= 0)
        return "horizon is not above 0";
    return NULL;
}

static const char *check_advice(const struct tn_signal *s)
{
    const uint32_t known = TN_ADVICE_TARGET | TN_ADVICE_LIMIT | TN_ADVICE_STOP | TN_ADVICE_TTL;
    if (s->advice & ~known)
        return "advice has an unknown bit";
    if ((s->advice & TN_ADVICE_TARGET) && (s->target_ppm < 0 || s->target_ppm > TN_ONE_PPM))
        return "target is outside [0, 1]";
    if ((s->advice & TN_ADVICE_LIMIT) && s->limit_offset < 0)
        return "limit offset is below 0";
    if ((s->advice & TN_ADVICE_STOP) && s->stop_distance <= 0)
        return "stop distance is not above 0";
    if ((s->advice & TN_ADVICE_TTL) && s->ttl_ns <= 0)
        return "time to live is not above 0";
    return NULL;
}

static const char *check_reasons(const struct tn_signal *s, uint32_t input_count)
{
    int64_t sum = 0;
    if (s->reason_count < 1 || s->reason_count > TN_MAX_REASONS)
        return "reason count is outside 1..8";
    for (uint32_t i = 0; i < s->reason_count; i++) {
        const struct tn_reason *r = &s->reason[i];
        if (r->input >= input_count && r->input != TN_REASON_BASE && r->input != TN_REASON_CLAMP)
            return "a reason names an input that does not exist";
        if (!is_finite(r->value))
            return "a reason's value is not a finite number";
        sum += r->contribution_ppm;
    }
    if (sum != s->score_ppm)
        return "the contributions of its reasons do not sum to the score";
    return NULL;
}

const char *guard_signal(const struct tn_signal *s, uint32_t events, uint32_t input_count)
{
    if (s->size != sizeof *s)
        return "a signal's size is not that of Signal v1";
    if (s->event >= events)
        return "a signal answers an event outside the batch";
    const char *wrong = check_score(s);
    if (!wrong)
        wrong = check_advice(s);
    if (!wrong)
        wrong = check_reasons(s, input_count);
    return wrong;
}
