/* SPDX-License-Identifier: Apache-2.0
 *
 * The mover of all state machines.
 *
 * A table with one byte pair per cell is read in one load, prints as a graph and can be walked by
 * a test cell by cell; nested switches can not. An undecided cell that is reached is a bug of
 * ours, so it stops the process rather than being taken for IGNORE: fsm_is_complete proves at
 * start and in tests that there is none. Row 0 (unset) may be left undecided: it has no legal
 * event. Column 0 is an ordinary column: a machine whose events start at 1 forbids it.
 */
#include "base/fsm.h"
#include "base/must.h"

struct fsm_cell fsm_cell(const struct fsm *m, uint8_t state, uint8_t event)
{
    must(state < m->state_count);
    must(event < m->event_count);
    return m->cell[(size_t)state * m->event_count + event];
}

enum fsm_kind fsm_move(const struct fsm *m, uint8_t *state, uint8_t event)
{
    struct fsm_cell cell = fsm_cell(m, *state, event);
    must(cell.kind != FSM_UNDECIDED && cell.kind <= FSM_FORBID);
    if (cell.kind == FSM_MOVE) {
        must(cell.next > 0 && cell.next < m->state_count);
        *state = cell.next;
    }
    return (enum fsm_kind)cell.kind;
}

static bool is_decided(const struct fsm *m, uint8_t state, struct fsm_cell cell)
{
    if (state == 0)
        return cell.kind == FSM_UNDECIDED || cell.kind == FSM_FORBID;
    if (cell.kind == FSM_MOVE)
        return cell.next > 0 && cell.next < m->state_count && cell.next != state;
    return cell.kind == FSM_STAY || cell.kind == FSM_IGNORE || cell.kind == FSM_FORBID;
}

bool fsm_is_complete(const struct fsm *m)
{
    must(m->cell != NULL);
    for (unsigned state = 0; state < m->state_count; state++) {
        for (unsigned event = 0; event < m->event_count; event++) {
            struct fsm_cell cell = fsm_cell(m, (uint8_t)state, (uint8_t)event);
            if (!is_decided(m, (uint8_t)state, cell))
                return false;
        }
    }
    return m->state_count > 1 && m->event_count > 0;
}
