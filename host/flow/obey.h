/* SPDX-License-Identifier: Apache-2.0
 *
 * What people ask for over the gateway, done to the engine, and their answers. A kill, a halt, a
 * switch take effect at once; what has to be prepared (a promotion, a rollback, trust, a request of
 * several people) is answered when it is done. A refusal is the person's to hear, and never ends
 * the run. The engine's thread.
 */
#ifndef FLOW_OBEY_H
#define FLOW_OBEY_H
#include "flow/lockstep.h"
#include "gateway/gateway.h"

struct obey {
    struct lockstep *engine;
    struct gateway *gateway;
    /* Shows the newest state, before an answer that speaks of it. */
    void (*publish)(void *arg);
    void *arg;
    bool wants_stop; /* somebody asked for the end of the run */
};
/* Every request that waits. Fails only when the engine does. */
MUST_USE struct result obey_all(struct obey *o, struct trail *tr);
#endif
