/* SPDX-License-Identifier: Apache-2.0
 *
 * Stopping on purpose while something is out there. Orders and positions of accounts that go via
 * egress outlive the host, and the host's stops do not: so a stop is refused with the list of what
 * would be left unprotected, unless the host was started with --leave (it is said, and left: an
 * upgrade) or --flatten (egress cancels and closes all of it first).
 */
#ifndef DAEMON_LEAVE_H
#define DAEMON_LEAVE_H
#include "flow/lockstep.h"

struct leave {
    struct lockstep *engine;
    struct log *log;
    bool may_leave, may_flatten;
    bool is_flattening;
    int64_t until_ns; /* monotonic: flattening is given up */
    uint32_t refused;
};
enum leave_word { LEAVE_UNSET = 0, LEAVE_STOP, LEAVE_STAY, LEAVE_WAIT };
/* A signal asks for the end. STAY: refused, and said; WAIT: flattening, ask again. */
MUST_USE struct result leave_ask(struct leave *s, enum leave_word *word, struct trail *tr);
/* Does any account of the deployment go via egress? */
bool leave_goes_out(const struct lockstep *l);
/* How many orders and positions stay out there. */
uint32_t leave_count(const struct lockstep *l);
#endif
