/* SPDX-License-Identifier: Apache-2.0
 *
 * How market time follows a clock: at a moment of the monotonic clock it was this market time, and
 * it goes so many thousandths as fast. Speed 0: it follows nothing, and goes as fast as it can.
 */
#ifndef DAEMON_PACE_H
#define DAEMON_PACE_H
#include "flow/lockstep.h"

struct pace {
    int64_t speed; /* thousandths of real time; 0 = none */
    int64_t mono0_ns, market0_ns;
};
/* How long until an event of this time may be taken; 0 = now, a second at most. */
int64_t pace_wait_ns(const struct pace *p, int64_t next_ns);
/* Sleeps until then, or until `wake_fd` or the engine's roads have something. */
void pace_sleep(struct lockstep *l, int wake_fd, int64_t wait_ns);
#endif
