/* SPDX-License-Identifier: Apache-2.0
 *
 * Belief: the bays of a deployment in a fixed order, what each is shown, and what they answer.
 *
 *   numbered fact ──► belief_event ──► tn_event(s) ──► bays of that instrument
 *                                                        │
 *   sequencer  ◄── belief_answer (signal or fault, due time) ◄── belief_take
 *
 * Invariants
 *   1. Bays are served in the order they were added (deployment order); answers come out in that
 *      order too, for each bay oldest first. Nothing depends on addresses or arrival.
 *   2. BAR, TRADE and QUOTE go to the bays of their instrument; a TICK goes to all; a POSITION
 *      effect goes to the bay of its strategy. Other facts only move time.
 *   3. A bay with bars_from_trades gets bars made here (bars.h) instead of BAR facts: never both.
 *      A made bar carries the number of the fact that closed it and its own end as time, and
 *      comes before that fact. Ticks at belief_deadline make the two times one, so that due times
 *      count from the cause's time (DECISIONS 4). It is history when all its trades were.
 *   4. After a bay's fault answer nothing more is given to it or taken from it.
 *   5. Until belief_activate everything is history: each event carries TN_EVENT_F_WARMUP.
 *   6. No allocation after the last belief_add or belief_reserve.
 *
 * The bays are borrowed: who made them stops them, after belief_free. One thread.
 */
#ifndef FLOW_BELIEF_H
#define FLOW_BELIEF_H
#include "bays/bay.h"

struct belief_route {
    uint32_t strategy;   /* instance id of the bay's strategy */
    uint32_t generation; /* serial of the deployment that brought this build; 0 = unsigned */
    uint32_t instrument; /* id, 1.. */
    int64_t due_ns;      /* D: an answer to an event at t counts at t + D */
    int64_t bar_ns;      /* of made bars; > 0 when bars_from_trades */
    bool bars_from_trades;
};

struct belief_answer {
    struct bay_answer a;
    int64_t due_ns;    /* event time of the cause + D; held at INT64_MAX when it does not fit */
    uint32_t strategy; /* of the seat: a fault may name an indicator of its bay */
    uint32_t generation;
    uint32_t lane; /* of the seat: unique among the seats there are, below SEQ_LANES_MAX */
};

enum { BELIEF_BAYS_MAX = 256, BELIEF_INSTRUMENTS_MAX = 65536 };

struct belief; /* opaque, heap */

MUST_USE struct result belief_new(uint32_t max_bays, struct belief **out, struct trail *tr);
void belief_free(struct belief *b); /* NULL is fine */
MUST_USE struct result belief_add(struct belief *b, struct bay *bay,
                                  const struct belief_route *route, struct trail *tr);

/* One numbered fact, event or effect, in journal order. Facts not for belief only move time. */
void belief_event(struct belief *b, const struct fact_head *head, const void *payload);
/* ---- while it runs: builds come and go between two events ---- */
/* Moves the seats of `from` behind those of b, with their open bars; `from` is left empty. Nothing
 * is allocated: b was made with room for them, and for chains of their instruments. The bays of
 * `from` are active, `from` itself is not: all that it was shown was history, wherever the adoption
 * falls, so no answer depends on when it came. FULL or DUPLICATE: nothing was moved. */
MUST_USE struct result belief_adopt(struct belief *b, struct belief *from, struct trail *tr);
/* Room for chains up to this instrument id, so that adopt need not grow. Cold. */
MUST_USE struct result belief_reserve(struct belief *b, uint32_t instrument, struct trail *tr);
/* Takes a seat out and gives its bay, NULL when there is none; *lane is the one that becomes free:
 * the caller drops what the sequencer holds for it. */
struct bay *belief_remove(struct belief *b, uint32_t strategy, uint32_t generation, uint32_t *lane);
/* The seat's bay, or NULL. */
struct bay *belief_bay(const struct belief *b, uint32_t strategy, uint32_t generation);
bool belief_has_fault(const struct belief *b, uint32_t strategy, uint32_t generation);
/* The i-th seat, in the order of serving. */
const struct belief_route *belief_seat(const struct belief *b, uint32_t index, struct bay **bay);
/* Tells one seat the host's truth about its position, as an event of number head->seq. */
void belief_position(struct belief *b, uint32_t strategy, uint32_t generation,
                     const struct fact_head *head, const struct fact_position *p);
/* From here on each fact that belief uses is copied into the tap too; NULL: no more. */
struct tap;
void belief_listen(struct belief *b, struct tap *tap);

/* The next answer; false when no bay has one now. */
bool belief_take(struct belief *b, struct belief_answer *out);
/* When belief wants a TICK: the earliest end of an open bar; INT64_MAX = none. */
int64_t belief_deadline(const struct belief *b);

/* Activates every bay, in order; stops at the first that refuses. From here on events are live. */
MUST_USE struct result belief_activate(struct belief *b, struct trail *tr);
/* Events of history that the slowest bay wants before its first answer. */
uint32_t belief_warmup(const struct belief *b);
/* Cold: lets every bay write what its plugins logged in hot calls. */
void belief_idle(struct belief *b);
uint32_t belief_count(const struct belief *b);
bool belief_is_quarantined(const struct belief *b, uint32_t index);
/* Trades that no bar could take (late, no price), over all bays. */
uint64_t belief_unused_trades(const struct belief *b);
#endif
