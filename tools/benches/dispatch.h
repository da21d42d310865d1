/* SPDX-License-Identifier: Apache-2.0
 *
 * Part of bench_core: what it costs to show one event to each of several strategies.
 */
#ifndef BENCHES_DISPATCH_H
#define BENCHES_DISPATCH_H
#include "rounds.h"

enum { DISPATCH_STRATEGIES = 8 };

/* Adds CPU ns for each event and strategy: through belief and the bays, and by bare pointers. */
void dispatch_run(uint32_t rounds, struct rounds *host, struct rounds *limit);
#endif
