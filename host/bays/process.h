/* SPDX-License-Identifier: Apache-2.0
 *
 * The process bay: bay_ops over a link to a tenon-bay, which runs the nodes through its own inline
 * bay. Same plugins, same answers; what it adds is that nothing they do can reach the host.
 *
 *   give   writes the events into the line; never waits while the market is live
 *   take   reads what came back. All of it is hostile: each answer must name an event that was
 *          given, in order, at that event's own time, keep the contract of signals (guard.h), and
 *          be no more than the manifest declares
 *
 * A bay that dies (killed, gone, silent beyond its deadline, its line full, broken or telling
 * nonsense) gives one BAY_DIED answer. It is started again by the keeper, a thread of the home:
 * the last saved state, then the events since from the host's own memory; when it has caught up it
 * gives BAY_BACK, which names the events whose answers were lost. PROCESS_DEATHS_MAX deaths within
 * PROCESS_DEATHS_NS of event time, or a past that is not there any more: BAY_FAULT, and it stays
 * off. A broken contract is BAY_FAULT at once, as in the inline bay: it would be broken again.
 *
 * A home that is `is_waited` serves runs that go as fast as they can: take waits until the bay has
 * done what it was given, so every answer comes at the same event as from an inline bay, and deaths
 * are mended on the spot. Time is only looked at to give up on a bay that hangs.
 *
 * One thread at a time calls a bay. What warms up (events with TN_EVENT_F_WARMUP), activates, saves
 * and loads may wait, up to the deadline.
 */
#ifndef BAYS_PROCESS_H
#define BAYS_PROCESS_H
#include "base/clock.h"
#include "bays/bay.h"
#include "bays/spawn.h"

enum { PROCESS_DEATHS_MAX = 3 };
#define PROCESS_DEATHS_NS 600000000000ll /* event time */
#define PROCESS_ANSWER_NS 1000000000ll   /* wall: an event takes longer than this = it hangs */
#define PROCESS_WAITED_NS 10000000000ll  /* where nothing is lost by waiting */

struct process_options {
    struct spawn *spawn; /* borrowed */
    struct log *log;     /* may be NULL */
    const struct clock *clock;
    int64_t answer_ns; /* 0 = PROCESS_ANSWER_NS, or PROCESS_WAITED_NS */
    bool is_waited;
};
struct process_home; /* heap; one per host, outlives its bays */
MUST_USE struct result process_home_open(const struct process_options *o, struct process_home **out,
                                         struct trail *tr);
void process_home_close(struct process_home *h); /* NULL is fine */

struct process_spec {
    uint32_t wake;         /* enum line_wake; 0 = BLOCK */
    uint32_t spin_us;      /* HYBRID; 0 = 50 */
    int32_t cpu;           /* SPAWN_ANY_CPU */
    bool is_contained;     /* refused where the kernel cannot enforce the whole sandbox */
    uint64_t memory_bytes; /* 0 = what spawn.h takes by itself */
};
/* Starts a process and creates every node in it. The modules are the host's sealed copies. */
MUST_USE struct result process_new(struct process_home *h, const struct bay_spec *spec,
                                   const struct process_spec *p, struct bay **out,
                                   struct trail *tr);

struct process_totals {
    uint64_t given, answers, deaths, returns, saves;
    int64_t died_ns, off_ns, back_ns; /* monotonic, of the newest death: noticed, told, returned */
    pid_t pid;                        /* of the one that runs; 0 = none */
};
void process_totals(const struct bay *b, struct process_totals *out);
#endif
