/* SPDX-License-Identifier: Apache-2.0
 *
 * One adapter plugin in an agent, with queues for lines: what it says is kept as messages, what it
 * hears is given by the test. For tests of the agent, of adapters, and of both with the desk.
 */
#ifndef LIB_ADAPTER_RIG_H
#define LIB_ADAPTER_RIG_H
#include "bays/agent.h"

enum { ADAPTER_RIG_MESSAGES = 8192, ADAPTER_RIG_BYTES = 8 * 1024 * 1024 };
struct adapter_message {
    uint32_t kind, count;
    const uint8_t *bytes; /* of the rig */
};
struct adapter_lane { /* what went out on one line */
    uint32_t count, used;
    struct adapter_message message[ADAPTER_RIG_MESSAGES];
    _Alignas(8) uint8_t bytes[ADAPTER_RIG_BYTES];
};
struct adapter_rig {
    struct agent *agent;
    struct bay_module *module;
    struct line_adapter spec;
    bool is_full; /* no line has room */
    struct adapter_lane core, desk;
};

/* Loads the plugin; defaults for its parameters; instruments BTC-USD (id 1, prices of 2 decimals,
 * quantities of 4) and ETH-USD (id 2, 3 decimals and 2). Fails the test when it does not work. */
void adapter_rig_open(struct adapter_rig *r, const char *path);
/* Makes the instance and starts it at t_ns. */
void adapter_rig_start(struct adapter_rig *r, int64_t t_ns);
void adapter_rig_close(struct adapter_rig *r);
void adapter_rig_forget(struct adapter_rig *r); /* what was said until now */

void adapter_rig_in(struct adapter_rig *r, int64_t t_ns, uint32_t kind, uint32_t link,
                    uint32_t status, uint64_t request, const void *bytes, size_t count);
/* A message of the stream (link 1), and a reply to a request (link 0). */
void adapter_rig_hear(struct adapter_rig *r, int64_t t_ns, const char *text);
void adapter_rig_reply(struct adapter_rig *r, int64_t t_ns, uint64_t request, uint32_t status,
                       const char *text);
void adapter_rig_approve(struct adapter_rig *r, const struct tn_approval *a);

/* The n-th message of a kind (0 = first), NULL = none; the last; how many. */
const void *adapter_lane_at(const struct adapter_lane *l, uint32_t kind, uint32_t n);
const void *adapter_lane_last(const struct adapter_lane *l, uint32_t kind);
uint32_t adapter_lane_count(const struct adapter_lane *l, uint32_t kind);
/* A template's visible text with <key>, <now>, <sign>, <field N> where egress fills in: path,
 * then a line of each header, then the body. */
const char *adapter_template(const struct line_request *m, char *out, size_t out_bytes);
#endif
