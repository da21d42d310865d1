/* SPDX-License-Identifier: Apache-2.0
 *
 * What the host serves to one instance: memory from its own arena, log lines, interfaces by name.
 *
 * Invariants
 *   1. alloc gives zeroed, 16-byte aligned memory, in setup only and never beyond the declared
 *      bytes; asking for it elsewhere sets `misused`, which the bay treats as a fault.
 *   2. Log lines are at most SERVE_LINE_BYTES, escaped, and kept in a fixed ring until a cold call
 *      writes them: the hot path neither blocks nor makes a system call.
 */
#ifndef BAYS_SERVE_H
#define BAYS_SERVE_H
#include "base/arena.h"
#include "base/log.h"
#include "tenon/abi.h"

enum { SERVE_LINES = 16, SERVE_LINE_BYTES = 256, SERVE_BURST = 16 };
#define SERVE_REFILL_NS 1000000000ll /* one line a second of event time beyond the burst */

struct serve_line {
    uint32_t level;
    char text[SERVE_LINE_BYTES];
};

struct serve {
    struct tn_host host; /* handed to the plugin; host.self = this */
    struct arena arena;
    uint64_t declared; /* bytes the plugin may have */
    uint64_t used;
    uint64_t denied; /* requests beyond the declared bytes */
    bool setup;      /* a [setup] call is running */
    bool misused;    /* alloc or get_interface outside setup */
    int64_t now_ns;  /* event time: the log's rate is measured in it */
    int64_t refilled_ns;
    uint32_t tokens;
    uint64_t lines_lost;
    uint32_t line_count;
    struct serve_line line[SERVE_LINES];
};

/* In place; the arena is mapped with a guard page behind it. */
MUST_USE struct result serve_init(struct serve *s, uint64_t arena_bytes, struct trail *tr);
void serve_fini(struct serve *s);
/* Cold: writes the kept lines with the name of the instance; with l NULL they are dropped. */
void serve_flush(struct serve *s, struct log *l, const struct log_ids *ids, const char *who);
#endif
