/* SPDX-License-Identifier: Apache-2.0
 *
 * What the host watches about its machine, once a second: steps of the wall clock, and room on the
 * journal's disk. It decides nothing: it tells the core, by events.
 */
#ifndef DAEMON_GUARD_H
#define DAEMON_GUARD_H
#include "flow/lockstep.h"

struct guard {
    struct lockstep *engine;
    struct log *log;
    const char *journal;
    bool watches_clock;       /* market time is wall time */
    int64_t last_ns;          /* when clock and disk were looked at last */
    int64_t wall_ns, mono_ns; /* both clocks at the last look */
    int64_t skew_ns;          /* as last told to the core */
    bool disk_reducing;       /* the host itself commanded REDUCING for want of disk */
};
MUST_USE struct result guard_look(struct guard *g, struct trail *tr);
#endif
