/* SPDX-License-Identifier: Apache-2.0
 *
 * The sequencer: numbers each input, and holds plugin answers until they are due.
 *
 * Invariants
 *   1. Numbers are dense and times never fall: an input older than the last event is numbered at
 *      the last event's time (DECISIONS 1).
 *   2. An answer to event n counts at t(n) + D, directly before the first event m > n with
 *      t(m) >= t(n) + D (DECISIONS 4, decision note 0002). One that comes when such an m is
 *      already numbered is late: recorded as LATE, without effect.
 *   3. Answers due at one time come in order of cause, then of instance, then of generation, then
 *      as they were given.
 *   4. Held answers are bounded per lane; overflow, or LATE_MAX late ones of the last
 *      LATE_WINDOW, is a fault of that build. What was due while the host itself was behind
 *      (seq_excuse) is late all the same, and nobody's fault.
 *
 * Plain data, memory of the caller, one thread.
 */
#ifndef CORE_SEQ_H
#define CORE_SEQ_H
#include "base/result.h"
#include "tbl/facts.h"

enum {
    SEQ_HELD_MAX = 4096, /* all instances of a deployment at their own bound */
    SEQ_HELD_PER_INSTANCE = 64,
    SEQ_LANES_MAX = 256, /* one per build that is heard */
    SEQ_LATE_WINDOW = 16,
    SEQ_LATE_MAX = 8,
};

struct seq_held {
    int64_t due_ns;
    uint64_t order; /* as given */
    uint64_t cause_seq;
    uint32_t lane, generation;
    struct fact_signal signal;
};

struct seq {
    uint64_t last_seq;
    int64_t last_ns;
    uint64_t given;
    int64_t excused_ns;          /* what is due up to here is nobody's fault when it is late */
    uint32_t count;              /* of held */
    uint16_t heap[SEQ_HELD_MAX]; /* indices of held, earliest first */
    uint16_t free[SEQ_HELD_MAX];
    uint16_t held_by[SEQ_LANES_MAX];
    uint32_t late_bits[SEQ_LANES_MAX]; /* last LATE_WINDOW answers, 1 = late */
    struct seq_held held[SEQ_HELD_MAX];
};

void seq_init(struct seq *s, uint64_t last_seq, int64_t last_ns);

/* Numbers one event: fills seq and t_ns (raised to the last event's time when older). */
void seq_number(struct seq *s, struct fact_head *head);

enum seq_put { SEQ_PUT_UNSET = 0, SEQ_HELD, SEQ_LATE, SEQ_FAULT };
/* Gives one answer of a build: its lane, and the generation it is recorded with. LATE: the caller
 * records a LATE event; FAULT: the build is at fault. */
enum seq_put seq_answer(struct seq *s, uint32_t lane, uint32_t generation, uint64_t cause_seq,
                        int64_t due_ns, const struct fact_signal *signal);
/* The host catches up with inputs that lay waiting: their times pass faster than any build could
 * answer. Answers due up to then are not counted against a build. Only ever moves forward. */
void seq_excuse(struct seq *s, int64_t until_ns);
/* When the earliest held answer is due; INT64_MAX = none. */
int64_t seq_due(const struct seq *s);
/* Takes the earliest; only when there is one. */
void seq_take(struct seq *s, struct seq_held *out);
/* Forgets everything held for a build that is at fault or stopped, and its record of lateness. */
void seq_drop(struct seq *s, uint32_t lane);
#endif
