/* SPDX-License-Identifier: Apache-2.0
 *
 * The venue's clock. On script time it follows the monotonic clock from a point that the engine
 * shares, times a speed, and runs `lead` ahead of the engine's, so that market data and answers are
 * with the engine before they are due. On wall time it is the wall clock, and the source's data is
 * moved so that its first event is now.
 */
#ifndef HOUSE_TEMPO_H
#define HOUSE_TEMPO_H
#include "base/clock.h"

enum tempo_kind { TEMPO_UNSET = 0, TEMPO_WALL, TEMPO_SCRIPT };
enum { TEMPO_REAL_TIME = 1000 };
struct tempo {
    uint32_t kind; /* enum tempo_kind */
    const struct clock *clock;
    int64_t market0_ns; /* SCRIPT: event time at mono0_ns. WALL: the source's first event */
    int64_t mono0_ns;
    int64_t wall0_ns; /* WALL: when the first event is shown */
    int64_t lead_ns;
    int64_t speed; /* thousandths of real time, > 0 */
};

int64_t tempo_now(const struct tempo *p); /* on the venue's clock, with its lead */
/* Real time from now until the venue's clock shows t; 0 = it does already. */
int64_t tempo_wait_ns(const struct tempo *p, int64_t t_ns);
/* The venue's time of a moment of the source. */
int64_t tempo_market(const struct tempo *p, int64_t source_ns);
#endif
