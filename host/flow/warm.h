/* SPDX-License-Identifier: Apache-2.0
 *
 * Warming new builds: the end of the journal is replayed into a plant that trades nothing yet.
 *
 * How far back: a counting pass walks the journal with bays that only count, in windows that double
 * from its end, until each build's declared need (twice over, so that seeds settle) is met or the
 * journal begins. So an indicator that wants 5,000 bars gets them, and a journal of years is not
 * read through for one that wants 20.
 */
#ifndef FLOW_WARM_H
#define FLOW_WARM_H
#include "flow/plant.h"
#include "journal/journal.h"

/* How a build comes to know what it must (ABI-RULES section 4, step 7). */
enum warm_how { WARM_UNSET = 0, WARM_REPLAY, WARM_STATE, WARM_COLD };
struct warm_seat {
    uint32_t strategy, generation;
    uint32_t how;
    uint64_t need, have; /* bars where it is fed bars, else events of its instrument */
};
struct warm_report {
    uint64_t from_seq, to_seq; /* first and last event shown; 0 = none */
    uint64_t events;
    uint32_t seat_count;
    struct warm_seat seat[DEPLOY_INSTANCES_MAX];
};
/* What a bay of this strategy needs: REPLAY when every node declares its warm-up; STATE when a node
 * keeps state and declares none; COLD when one says so or has neither (ABI-RULES R27). Its modules
 * are loaded. */
enum warm_how warm_how(const struct plant *p, uint32_t strategy);
/* Does this instance (by place) keep state that no history can make again? */
bool warm_needs_state(const struct plant *p, uint32_t place);

/* Only counts: need and have of each seat, over what a reader sees up to event upto_seq. */
MUST_USE struct result warm_count(const struct plant *part, const char *journal_dir,
                                  uint64_t upto_seq, const _Atomic bool *stop,
                                  struct warm_report *out, struct trail *tr);
/* STATE when a seat that is not `how` STATE has less than it needs, with its sentence. */
MUST_USE struct result warm_short(const struct plant *part, const struct warm_report *rep,
                                  struct trail *tr);
/* Replays up to and with event upto_seq. `allow_short`: a history shorter than the need is a figure
 * in the report, not a refusal (genesis, state hand-over); else STATE. *stop set = gives up with
 * AGAIN. The reader's store is opened read-only beside the writer; upto_seq must be durable. No
 * folder, or upto_seq 0: there is no history. A fault is PLUGIN. The report's `how` is REPLAY for
 * every seat: who hands state over says so himself. */
MUST_USE struct result warm_replay(struct plant *part, const char *journal_dir, uint64_t upto_seq,
                                   bool allow_short, const _Atomic bool *stop,
                                   struct warm_report *out, struct trail *tr);
/* PLUGIN, and the sentence of a fault answer of the part. */
MUST_USE struct result warm_fault(const struct plant *p, const struct belief_answer *a,
                                  struct trail *tr);
#endif
