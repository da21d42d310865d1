/* SPDX-License-Identifier: Apache-2.0
 *
 * What the C limit asks of its strategies: bare functions in a shared object, found by name. The
 * least that a strategy behind a pointer can be: no manifest, no checks, no batch.
 */
#ifndef BENCHES_LIMIT_SO_H
#define BENCHES_LIMIT_SO_H
#include <stdint.h>

struct limit_flip {
    int64_t large_ppm, small_ppm, is_large;
};

struct limit_cross {
    double fast, slow, fast_k, slow_k;
    int64_t bars, slow_bars, side, target_ppm;
};

struct limit_wish {
    uint32_t side; /* TN_LONG, TN_SHORT; 0 = nothing new */
    int32_t target_ppm, score_ppm;
    double value;
};

typedef void (*limit_on_quote_fn)(struct limit_flip *s, int64_t bid, int64_t ask,
                                  struct limit_wish *out);
typedef void (*limit_on_bar_fn)(struct limit_cross *s, int64_t close, struct limit_wish *out);
#endif
