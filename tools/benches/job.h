/* SPDX-License-Identifier: Apache-2.0
 *
 * The job of bench_core, once: one instrument, one account, one strategy, its limits. The desk
 * (the host's parts) and the C limit both read it, and must give the same effects byte for byte.
 *
 * Prices have 2 decimals, quantities 3, money 2. Orders are filled whole and at once.
 */
#ifndef BENCHES_JOB_H
#define BENCHES_JOB_H
#include "tbl/facts.h"
#include "tenon/strategy.h"

enum {
    JOB_PRICE_EXP = -2,
    JOB_QTY_EXP = -3,
    JOB_MONEY_EXP = -2,
    JOB_TICK = 1,
    JOB_LOT = 1,
    JOB_MIN_QTY = 1,
    JOB_MULTIPLIER = 1,
    JOB_BUDGET = 1000000,     /* 10,000.00 */
    JOB_BALANCE = 1000000000, /* 10,000,000.00 */
    JOB_MAX_QTY = 1000000000,
    JOB_MAX_VALUE = 1000000000,
    JOB_MAX_POSITION = 1000000000,
    JOB_MAX_EXPOSURE_PPM = 1000000,
    JOB_SLIP_PPM = 5000,
    JOB_INTENT_SHIFT = 10, /* an intent's id is seq << 10 | leg */
    JOB_LARGE_PPM = 600000,
    JOB_SMALL_PPM = 300000,
    JOB_TARGET_PPM = 500000, /* of the cross */
    JOB_FAST = 12,
    JOB_SLOW = 26,
    JOB_PRICE = 10000, /* where prices begin: 100.00 */
};
#define JOB_T0_NS 1514764800000000000ll
#define JOB_QUOTE_NS 100000000ll
#define JOB_BAR_NS 60000000000ll

/* A fill as the venue of both tells it. */
struct job_fill {
    uint64_t order, trade_id;
    uint32_t side;
    int64_t qty, price, fee;
};

/* A bar as a source gives it. */
struct job_bar {
    int64_t end_ns;
    struct fact_bar fact;
};
#endif
