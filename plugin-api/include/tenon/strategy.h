/* SPDX-License-Identifier: Apache-2.0
 *
 * tenon/strategy.h: kind `strategy`, interface strategy/1, and Signal v1; since ABI 1.0.
 *
 * A strategy sees events and the features bound to its inputs and gives signals, never orders. A
 * signal is a state: the wanted position until the next signal or its time to live. Whether it
 * becomes an order is the gate's business.
 */
#ifndef TENON_STRATEGY_H
#define TENON_STRATEGY_H
#include "tenon/abi.h"

#define TN_ONE_PPM 1000000 /* 1.0 in millionths */

/* Sides; zero is unset. */
#define TN_LONG 1u
#define TN_SHORT 2u
#define TN_FLAT 3u

#define TN_MAX_REASONS 8
#define TN_REASON_CLAMP 0xffffffffu /* the contribution that clamping the score added */
#define TN_REASON_BASE 0xfffffffeu  /* a constant of the strategy itself */

struct tn_reason {
    uint32_t input;           /* index of the strategy's input, or TN_REASON_* */
    int32_t contribution_ppm; /* the contributions of a signal sum to its score, exactly */
    double value;             /* the input's value, finite */
};

#define TN_ADVICE_TARGET 0x1u /* target_ppm is given; else the whole budget */
#define TN_ADVICE_LIMIT 0x2u  /* limit_offset is given; else a protected market order */
#define TN_ADVICE_STOP 0x4u   /* stop_distance is given */
#define TN_ADVICE_TTL 0x8u    /* ttl_ns is given */

/* Signal v1. */
struct tn_signal {
    uint32_t size;
    uint32_t side;          /* TN_LONG, TN_SHORT, TN_FLAT */
    int32_t score_ppm;      /* [-1,1]: sign agrees with side, 0 allowed for flat */
    int32_t confidence_ppm; /* [0,1] */
    int64_t horizon_ns;     /* over which the score is meant; > 0 */
    uint32_t advice;        /* TN_ADVICE_* */
    int32_t target_ppm;     /* [0,1] of the strategy's budget */
    int64_t limit_offset;   /* price units away from the reference on the passive side, >= 0 */
    int64_t stop_distance;  /* price units from the entry, > 0 */
    int64_t ttl_ns;         /* > 0 */
    uint32_t event;         /* index in the batch of the event this answers */
    uint32_t reason_count;  /* 1..TN_MAX_REASONS */
    struct tn_reason reason[TN_MAX_REASONS];
};

struct tn_signals {
    uint32_t size;
    uint32_t capacity; /* >= manifest.signals_max * count */
    uint32_t count;    /* written by the strategy; over capacity = fault */
    uint32_t reserved;
    struct tn_signal *signal; /* stride sizeof(struct tn_signal) of this header */
};

/* Features at each event of the batch: value[i * input_count + k], bit k of ready[i]. */
struct tn_inputs {
    uint32_t size;
    uint32_t input_count;
    const double *value;
    const uint32_t *ready;
};

struct tn_strategy_ops {
    struct tn_instance_ops base; /* base.size = sizeof(struct tn_strategy_ops) */
    /* [hot] `count` events, stride ev->size. Writes at most signals_max signals per event. The
     * answers must not depend on where batches are cut. Borrowed until return. */
    int32_t (*on_events)(void *inst, const struct tn_event *ev, uint32_t count,
                         const struct tn_inputs *in, struct tn_signals *out);
};

_Static_assert(sizeof(struct tn_reason) == 16, "tn_reason layout");
_Static_assert(sizeof(struct tn_signal) == 64 + 128, "tn_signal layout");
#endif
