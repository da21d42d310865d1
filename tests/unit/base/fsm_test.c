/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: the mover does what each kind of cell says, and an incomplete table is never accepted.
 * Method: a door with three states; every cell is walked, then each way to spoil the table.
 */
#include "tests/unit/base/dies.h"
#include "base/fsm.h"

enum { UNSET, OPEN, SHUT, LOCKED, STATES };
enum { PUSH, PULL, TURN_KEY, EVENTS };

static struct fsm_cell cells[STATES * EVENTS];
static const char *const state_name[] = {"unset", "open", "shut", "locked"};
static const char *const event_name[] = {"push", "pull", "turn_key"};

static struct fsm door(void)
{
    static const struct fsm_cell good[STATES * EVENTS] = {
        [OPEN * EVENTS + PUSH] = {FSM_MOVE, SHUT},
        [OPEN * EVENTS + PULL] = {FSM_STAY, OPEN},
        [OPEN * EVENTS + TURN_KEY] = {FSM_FORBID, OPEN},
        [SHUT * EVENTS + PUSH] = {FSM_IGNORE, SHUT},
        [SHUT * EVENTS + PULL] = {FSM_MOVE, OPEN},
        [SHUT * EVENTS + TURN_KEY] = {FSM_MOVE, LOCKED},
        [LOCKED * EVENTS + PUSH] = {FSM_IGNORE, LOCKED},
        [LOCKED * EVENTS + PULL] = {FSM_FORBID, LOCKED},
        [LOCKED * EVENTS + TURN_KEY] = {FSM_MOVE, SHUT},
    };
    memcpy(cells, good, sizeof good);
    return (struct fsm){.name = "door",
                        .state_count = STATES,
                        .event_count = EVENTS,
                        .cell = cells,
                        .state_name = state_name,
                        .event_name = event_name};
}

static void fsm_move_every_cell_does_what_it_says(void **state)
{
    (void)state;
    struct fsm m = door();
    for (uint8_t from = OPEN; from < STATES; from++) {
        for (uint8_t event = 0; event < EVENTS; event++) {
            struct fsm_cell cell = fsm_cell(&m, from, event);
            uint8_t now = from;
            assert_int_equal(fsm_move(&m, &now, event), cell.kind);
            assert_int_equal(now, cell.kind == FSM_MOVE ? cell.next : from);
        }
    }
}

static void fsm_move_follows_a_path(void **state)
{
    (void)state;
    struct fsm m = door();
    uint8_t now = OPEN;
    assert_int_equal(fsm_move(&m, &now, TURN_KEY), FSM_FORBID);
    assert_int_equal(now, OPEN);
    assert_int_equal(fsm_move(&m, &now, PUSH), FSM_MOVE);
    assert_int_equal(fsm_move(&m, &now, TURN_KEY), FSM_MOVE);
    assert_int_equal(now, LOCKED);
    assert_int_equal(fsm_move(&m, &now, PUSH), FSM_IGNORE);
    assert_int_equal(now, LOCKED);
}

static void fsm_is_complete_accepts_a_decided_table(void **state)
{
    (void)state;
    struct fsm m = door();
    assert_true(fsm_is_complete(&m));
    cells[UNSET * EVENTS + PULL] = (struct fsm_cell){FSM_FORBID, UNSET};
    assert_true(fsm_is_complete(&m));
}

static void fsm_is_complete_finds_every_single_hole(void **state)
{
    (void)state;
    for (size_t i = EVENTS; i < STATES * EVENTS; i++) {
        struct fsm m = door();
        cells[i].kind = FSM_UNDECIDED;
        assert_false(fsm_is_complete(&m));
        cells[i].kind = FSM_FORBID + 1;
        assert_false(fsm_is_complete(&m));
    }
}

static void fsm_is_complete_refuses_bad_moves(void **state)
{
    (void)state;
    const uint8_t bad[] = {UNSET, OPEN /* onto itself */, STATES, 255};
    for (size_t i = 0; i < sizeof bad; i++) {
        struct fsm m = door();
        cells[OPEN * EVENTS + PUSH].next = bad[i];
        assert_false(fsm_is_complete(&m));
    }
    struct fsm m = door();
    cells[UNSET * EVENTS + PUSH] = (struct fsm_cell){FSM_MOVE, OPEN};
    assert_false(fsm_is_complete(&m));
}

static void fsm_is_complete_refuses_an_empty_machine(void **state)
{
    (void)state;
    struct fsm m = door();
    m.state_count = 1;
    assert_false(fsm_is_complete(&m));
    m = door();
    m.event_count = 0;
    assert_false(fsm_is_complete(&m));
}

static void move_from(uint8_t now, uint8_t event)
{
    struct fsm m = door();
    fsm_move(&m, &now, event);
}
static void move_unset(void *arg)
{
    (void)arg;
    move_from(UNSET, PUSH);
}
static void move_unknown_state(void *arg)
{
    (void)arg;
    move_from(STATES, PUSH);
}
static void move_unknown_event(void *arg)
{
    (void)arg;
    move_from(OPEN, EVENTS);
}
static void move_nowhere(void *arg)
{
    (void)arg;
    struct fsm m = door();
    uint8_t now = OPEN;
    cells[OPEN * EVENTS + PUSH].next = UNSET;
    fsm_move(&m, &now, PUSH);
}

static void fsm_misuse_stops_the_process(void **state)
{
    (void)state;
    assert_dies(move_unset, NULL, "cell.kind != FSM_UNDECIDED");
    assert_dies(move_unknown_state, NULL, "state < m->state_count");
    assert_dies(move_unknown_event, NULL, "event < m->event_count");
    assert_dies(move_nowhere, NULL, "cell.next > 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fsm_move_every_cell_does_what_it_says),
        cmocka_unit_test(fsm_move_follows_a_path),
        cmocka_unit_test(fsm_is_complete_accepts_a_decided_table),
        cmocka_unit_test(fsm_is_complete_finds_every_single_hole),
        cmocka_unit_test(fsm_is_complete_refuses_bad_moves),
        cmocka_unit_test(fsm_is_complete_refuses_an_empty_machine),
        cmocka_unit_test(fsm_misuse_stops_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
