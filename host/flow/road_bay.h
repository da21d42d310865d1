/* SPDX-License-Identifier: Apache-2.0
 *
 * The bay of an account's adapter, as the engine sees it: a process started by the spawner, one
 * line to it, and the other end of its second line handed to tenon-egress. What it says is copied,
 * measured and handed on; nothing waits for it.
 */
#ifndef FLOW_ROAD_BAY_H
#define FLOW_ROAD_BAY_H
#include "bays/agent.h"
#include "bays/spawn.h"
#include "flow/road_link.h"

enum road_bay_state {
    ROAD_BAY_NONE = 0,
    ROAD_BAY_RUNS, /* started; its words are read */
    ROAD_BAY_GONE, /* it ended, said what cannot be, or hangs */
};
#define ROAD_BAY_HANGS_NS 5000000000ll /* without a heartbeat */
struct road_agent {                    /* "bay" is taken by the message */
    uint32_t state;
    struct spawn_child child;
    struct link line;
    int64_t beat, beat_ns, looked_ns; /* its newest heartbeat, when that was seen, the last look */
    char why[192];                    /* of GONE */
};
struct road_bay_spec {
    struct spawn *spawn;
    const struct bay_module *module;
    const struct line_adapter *adapter;
};
/* Starts the process, hands egress its end, and gives it its order to begin. */
MUST_USE struct result road_bay_start(struct road_agent *a, const struct road_bay_spec *s,
                                      struct road_link *road, struct trail *tr);
/* Stops it: asks, and kills. */
void road_bay_stop(struct road_agent *a, struct spawn *spawn);
/* It is no good any more; it is killed. */
void road_bay_fail(struct road_agent *a, struct spawn *spawn, const char *why);
/* Is its heartbeat too old at this time (monotonic)? One look; the engine does it by the way. */
bool road_bay_hangs(struct road_agent *a, int64_t mono_ns);
/* The next message; false: nothing there. A bay that ended, or hangs, turns GONE. */
bool road_bay_take(struct road_agent *a, struct spawn *spawn, struct link_message *m, void *buffer,
                   uint32_t capacity);
#endif
