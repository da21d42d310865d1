/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine's side of a promotion: takes the promoter's news between two events, lets a new build
 * hear, commits, flips, keeps the old one ready, and goes back to it.
 *
 *   PREPARING ─offer─► HEARING ─hear time─► COMMITTED ─durable─► flip ─► probation ─► permanent
 *       └── refused        └── refused           └── refused by the core       └── rolled back
 *
 * Invariants
 *   1. One is on its way at a time; papers (trust, requests) and a promotion that only tightens
 *      may come while it hears, and the latter overtakes it. Until DEPLOY nothing about trading has
 *      changed; whatever fails before ends in one REFUSED and the new bays retired.
 *   2. DEPLOY is numbered only when its STAGE COMMIT is durable: the engine looks, and never waits
 *      for the disk (unless `hold` says that event time may stand still).
 *   3. A mode command, a kill or a fault is never behind any of this: each call does one small
 *      thing between two events.
 *   4. All times here are event times; the clock is read for the pause that is shown, and recorded.
 *   5. An answer to an event before a flip counts also when it is due long after it: a build is
 *      retired when the last of its answers that will be accepted is due, not before.
 *
 * One thread, the engine's.
 */
#ifndef FLOW_SWAP_H
#define FLOW_SWAP_H
#include "flow/lockstep.h"
#include "flow/promoter.h"

enum swap_phase { /* of the offer; what the promoter does meanwhile is is_asking */
                  SWAP_NONE = 0,
                  SWAP_HEARING,
                  SWAP_COMMITTED, /* DEPLOY waits until the commit is durable */
};
struct swap_build { /* a build that is heard beside the accepted one */
    uint32_t strategy, generation;
};
enum { SWAP_ANSWERS = 64, SWAP_LINES = 8 };

struct swap {
    struct promoter *promoter; /* NULL in a backtest */
    struct tap *tap;
    uint32_t phase; /* enum swap_phase */
    bool is_asking; /* the promoter works on something */
    uint32_t kind;  /* enum promoter_kind of that */
    struct promoter_offer *offer;
    bool is_abandoned;  /* what is prepared will not be taken */
    bool waits_durable; /* the promoter wants to hear of durable events */
    uint64_t durable_told;
    int64_t hear_until_ns;
    uint64_t commit_seq;
    enum promotion_why back_why; /* of the rollback on its way */
    /* the active one while it is on probation */
    bool on_probation;
    int64_t until_ns;
    struct promoter_offer *current; /* with the way back */
    uint32_t old_count;
    struct swap_build old[DEPLOY_INSTANCES_MAX];
    uint32_t leaving_count; /* heard only until answers of theirs that count are due */
    struct swap_build leaving[DEPLOY_INSTANCES_MAX];
    uint32_t denied[DEPLOY_INSTANCES_MAX]; /* bits: its newest DEPLOY_DENIALS_OF decisions */
    uint32_t decided[DEPLOY_INSTANCES_MAX];
    /* a build of the offer broke its contract while it was only heard */
    bool is_faulty;
    enum promotion_why fault_why;
    char fault_text[FACT_TEXT_BYTES];
    /* a rollback that is wanted */
    bool is_back_wanted;
    bool back_waits; /* for the end of what the promoter prepares */
    enum promotion_why wanted_why;
    char wanted_by[FACT_NAME_BYTES];
    char wanted_text[FACT_TEXT_BYTES];
    uint64_t wanted_request;
    /* what the flip carried over, summed from its FLIPPED effects */
    uint32_t swaps, orders, positions, stops;
    uint32_t forbidden_by; /* instance for whose sake the core did not take the newest DEPLOY */
    uint8_t refused[FACT_HASH_BYTES]; /* the newest document that ended before its flip ... */
    int32_t refused_result;           /* ... and its enum result_code; 0 = none did */
    /* for tenond: answers to people, lines for the operator */
    uint32_t answer_count;
    struct lockstep_answer answer[SWAP_ANSWERS];
    uint64_t said;
    char line[SWAP_LINES][LOCKSTEP_LINE_BYTES]; /* ring, by number */
};

struct lockstep;
MUST_USE struct result swap_open(struct lockstep *l, struct trail *tr);
/* Stops the promoter; what is on its way is given up without a word (the process ends). */
void swap_close(struct lockstep *l);

/* Is there something to be done before the next event? Cheap. */
bool swap_is_ready(struct lockstep *l);
/* Does one thing. */
MUST_USE struct result swap_turn(struct lockstep *l, struct trail *tr);
/* When it wants a TICK; INT64_MAX = never. */
int64_t swap_deadline(const struct lockstep *l);
/* Hears of decisions, flips and faults as they happen. */
void swap_effect(struct lockstep *l, const struct fact_head *head, const void *payload);
void swap_fault(struct lockstep *l, uint32_t strategy, uint32_t generation, int32_t status,
                bool is_late);

/* ---- inside: swap.c, swap_back.c, swap_say.c ---- */
struct swap_said { /* what a PROMOTION record says beside its deployment */
    uint32_t from, to;
    enum promotion_why why;
    struct result result;
    const char *by, *text;
    int64_t until_ns, pause_ns;
    uint64_t flip_seq;
    bool has_carried;
};
MUST_USE struct result swap_say(struct lockstep *l, uint64_t serial, const uint8_t sha256[32],
                                const struct swap_said *s, struct trail *tr);
/* One record that is made already. */
MUST_USE struct result swap_record(struct lockstep *l, const struct fact_promotion *p,
                                   struct trail *tr);
MUST_USE struct result swap_stage(struct lockstep *l, const struct promoter_offer *o, uint32_t what,
                                  struct trail *tr);
MUST_USE struct result swap_text(struct lockstep *l, enum fact_text_kind kind, const char *bytes,
                                 size_t count, const uint8_t sha256[32], struct trail *tr);
void swap_answer(struct lockstep *l, uint64_t request, int exit, const char *text);
void swap_line(struct lockstep *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Retires the bays of builds that are heard no more: STOPPED facts, then to the promoter. One that
 * still holds answers which will be accepted leaves later. */
MUST_USE struct result swap_retire(struct lockstep *l, const struct swap_build *b, uint32_t count,
                                   struct trail *tr);
/* Is there one that left later and may go now? And its going. */
bool swap_has_left(const struct lockstep *l);
MUST_USE struct result swap_leave(struct lockstep *l, struct trail *tr);
/* Refuses what is on its way, whatever its phase from HEARING on. */
MUST_USE struct result swap_refuse(struct lockstep *l, enum promotion_why why, struct result result,
                                   const char *text, struct trail *tr);
/* Begins the rollback that is wanted. */
MUST_USE struct result swap_back(struct lockstep *l, struct trail *tr);
MUST_USE struct result swap_commit(struct lockstep *l, struct trail *tr);
/* The builds of an offer that are heard and not (or no more) accepted. */
uint32_t swap_builds(const struct promoter_offer *o, struct swap_build out[DEPLOY_INSTANCES_MAX]);
/* Probation is over: the way back by flip is given up. */
MUST_USE struct result swap_settle(struct lockstep *l, enum promotion_why why, struct trail *tr);
/* After a start while one was on probation: the builds before it, and the way back. */
MUST_USE struct result swap_resume(struct lockstep *l, struct trail *tr);
/* What the engine tells the promoter with an ask. */
struct promoter_ask *swap_ask(struct lockstep *l, uint32_t kind, struct bundle *b, const char *by,
                              uint64_t request);
#endif
