/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the files of the agent.
 *
 * A queue holds what one call of the adapter wants until the other side has room for it. It is
 * filled during the call and handed over only after the call was found good: of a broken call
 * nothing leaves.
 */
#ifndef BAYS_AGENT_PRIV_H
#define BAYS_AGENT_PRIV_H
#include "bays/agent.h"
#include "bays/fpu.h"
#include "bays/serve.h"

enum {
    AGENT_QUEUE_BYTES = 1024 * 1024,
    AGENT_SPARE_BYTES = 8 * 1024, /* of them, for the host's own: log lines, DONE, PONG, BURN */
    AGENT_PATH_MAX = 1024,
    AGENT_ROWS_MAX = 64,
};
static const int64_t agent_number_max = 4000000000000000000;

struct agent_queue {
    uint8_t *bytes;
    uint32_t head, tail; /* to be handed over; filled */
};

struct agent {
    struct tn_adapter_out out; /* handed to the adapter; out.self = this */
    struct agent_ops ops;
    const struct bay_module *module;
    const struct tn_adapter_ops *call;
    const struct tn_adapter_facts *facts;
    void *inst;
    bool created, active, started, quarantined, stopped;
    struct agent_queue core, desk;
    uint64_t last_request;
    /* of the call that is running */
    int64_t stamp_ns;
    uint32_t templates;
    const char *wrong; /* the first rule that it broke; NULL = none */
    uint32_t links;    /* bit set of open ones, by id */
    struct serve serve;
    struct line_adapter spec;
    struct tn_adapter_instrument instrument[LINE_INSTRUMENTS_MAX];
};

void agent_out_init(struct agent *a);
/* A text that ends inside its array and holds no control bytes. */
bool agent_is_text(const char *text, size_t bytes);
/* Room for a message of `count` bytes behind what is kept, zeroed; NULL = none. */
uint8_t *agent_put(struct agent_queue *q, uint32_t kind, uint32_t count, uint32_t spare);
#endif
