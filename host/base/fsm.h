/* SPDX-License-Identifier: Apache-2.0
 *
 * Table-driven state machines. A machine is a states x events table of cells; every cell is
 * decided: MOVE to a state, STAY (handled, state unchanged), IGNORE (counted, no effect: late or
 * repeated evidence) or FORBID (our bug or a lie: the caller must treat it as such). Nobody writes
 * a state member but fsm_move. Any thread; pure.
 */
#ifndef BASE_FSM_H
#define BASE_FSM_H
#include "base/result.h"

enum fsm_kind { FSM_UNDECIDED = 0, FSM_MOVE, FSM_STAY, FSM_IGNORE, FSM_FORBID };

struct fsm_cell {
    uint8_t kind; /* enum fsm_kind */
    uint8_t next; /* state after the event; equals the state unless MOVE */
};

struct fsm {
    const char *name;
    uint8_t state_count; /* state 0 is "unset" and has no legal event */
    uint8_t event_count;
    const struct fsm_cell *cell;   /* state_count * event_count, row = state */
    const char *const *state_name; /* state_count */
    const char *const *event_name; /* event_count */
};

/* Looks the cell up. state and event must be in range. */
struct fsm_cell fsm_cell(const struct fsm *m, uint8_t state, uint8_t event);

/* Applies it to *state and says what kind it was; FORBID and IGNORE leave *state as it was. */
enum fsm_kind fsm_move(const struct fsm *m, uint8_t *state, uint8_t event);

/* True when every cell of states 1.. is decided (column 0 too: where event 0 is "unset" it says
 * FORBID), every MOVE names another valid state, and row 0 has no legal event. */
bool fsm_is_complete(const struct fsm *m);
#endif
