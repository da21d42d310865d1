/* SPDX-License-Identifier: Apache-2.0
 *
 * An agent runs one adapter plugin: it turns messages of its two lines (tbl/lines.h) into calls of
 * the adapter and what the adapter wants into messages. Sans-I/O: tenon-bay drives it with links,
 * the simulator and tests with queues.
 *
 * It guards each call as the inline bay does: status in the closed list, bounded lists, texts that
 * end, prices and quantities in range, FP control word unchanged. A broken answer is a fault: one
 * DONE message with its sentence, then silence.
 */
#ifndef BAYS_AGENT_H
#define BAYS_AGENT_H
#include "bays/bay.h"
#include "tbl/lines.h"

struct agent_ops {
    void *arg;
    /* false: no room; the agent keeps what it has and asks again at the next call. */
    bool (*to_core)(void *arg, uint32_t kind, const void *head, uint32_t head_count,
                    const void *body, uint32_t body_count);
    bool (*to_desk)(void *arg, uint32_t kind, const void *head, uint32_t head_count,
                    const void *body, uint32_t body_count);
};

struct agent;
MUST_USE struct result agent_new(const struct bay_module *module, const struct line_adapter *spec,
                                 const struct agent_ops *ops, struct agent **out, struct trail *tr);
void agent_free(struct agent *a);
/* activate, then start. */
MUST_USE struct result agent_start(struct agent *a, int64_t wall_ns, struct trail *tr);
/* A message of egress (LINE_IN, LINE_APPROVAL) or of the engine (PING, a number of 8 bytes; STOP).
 * Others are let pass. Take the next one only when agent_flush says so: what one call gives fits
 * the agent's own queues, what many calls give need not. */
void agent_take(struct agent *a, uint32_t kind, const void *bytes, uint32_t count);
/* Hands over what is kept; true when nothing is left. */
bool agent_flush(struct agent *a);
bool agent_is_quarantined(const struct agent *a);
bool agent_is_stopped(const struct agent *a); /* after STOP: its DONE was handed over */
/* The adapter's facts, checked row by row: counts, texts, known words, and that each pointer stays
 * inside the plugin. Runs no code of it. For the host, which reads them from the same sealed copy
 * that the bay opens. Valid for ever, as the module is. */
MUST_USE struct result agent_facts(const struct bay_module *module,
                                   const struct tn_adapter_facts **out, struct trail *tr);
#endif
