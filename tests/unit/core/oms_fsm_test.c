/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: every cell of the order machine, state x event, does what the order rules say.
 * Method: the expectation below is written from the rules (what each state may leave to, what is
 * illegal, which evidence is late) and not from the table it is compared with: one row per state,
 * one sign per event, in the order of tbl/order_states.h. Then the rules that hold across rows are
 * checked as properties of the table, and every cell is visited once more by moving through it.
 *
 * Signs: - must not happen, . late or repeated evidence, = handled without a move, else the state
 * that follows by its letter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>
#include "core/state.h"

static const char letters[] = "?iDASUWPCRFKJEBQO"; /* by state id */

/* Columns: our acts (approve deny send) | the attempt (sent failed silent) | the venue (ack reject
 * fill-part fill-last) | cancel (cancel ack reject late failed) | replace (replace ack reject) |
 * unasked ends (expire cancel) | query (working done absent proved) | give-up bust expire adopt
 * resolve. */
static const char *const expected[ORDER_STATE_END] = {
    [ORDER_STATE_INTENT] = "AD- --- ---- ----- --- -- ---- -----",
    [ORDER_STATE_DENIED] = "--- --- ---- ----- --- -- ---- -----",
    [ORDER_STATE_APPROVED] = "--S --- ---- ----- --- -- ---- --E--",
    /* Nothing said yet: any evidence decides; by our side only 0 bytes out ends it. */
    [ORDER_STATE_SENDING] = "--- =EU WJPF -K... --- EK WK.B -----",
    /* The same, and cancels by client id may go out; absence without proof and
     * a refused cancel prove nothing. */
    [ORDER_STATE_UNKNOWN] = "--- =E. WJPF =K==. --- EK WK=B Q=---",
    /* Acked: it cannot have failed with 0 bytes, nor be proved never to have been there. */
    [ORDER_STATE_WORKING] = "--- .-. .JPF CK... R.. EK =K.- -----",
    [ORDER_STATE_PARTIAL] = "--- .-. .-=F CK... R.. EK =K.- -=---",
    [ORDER_STATE_PEND_CANCEL] = "--- =-U .J=F =KW=W --- EK =K.- -=---",
    [ORDER_STATE_PEND_REPLACE] = "--- =-U .-=F CK... -WW EK =K.- -=---",
    /* Ended: money may still move (late fill, bust), nothing else does. */
    [ORDER_STATE_FILLED] = "--- .-. .-== -.... -.. .. ...- -=---",
    [ORDER_STATE_CANCELLED] = "--- ... ..== -.... -.. .. .... -=---",
    [ORDER_STATE_REJECTED] = "--- .-. ..== -.... -.. .. .... -=---",
    [ORDER_STATE_EXPIRED] = "--- ... ..== -.... -.. .. .... -=---",
    /* Our only proof by absence: evidence that it lives after all reopens it as EXTERNAL; that a
     * cancel was refused is none. */
    [ORDER_STATE_ABSENT] = "--- ... O.OO -.... --- .. O... -----",
    [ORDER_STATE_QUARANTINE] = "--- =E. WJPF =K==. --- EK WK=B .=--K",
    [ORDER_STATE_EXTERNAL] = "--- .-. =J=F =K==. --- EK =K.- -=-WK",
};

static char sign_of(struct fsm_cell cell)
{
    switch (cell.kind) {
    case FSM_MOVE:
        return letters[cell.next];
    case FSM_STAY:
        return '=';
    case FSM_IGNORE:
        return '.';
    case FSM_FORBID:
        return '-';
    default:
        return ' ';
    }
}

/* The row without its spaces, so that sign e - 1 is event e. */
static void row_of(uint8_t state, char out[ORDER_EVENT_END])
{
    size_t n = 0;
    assert_non_null(expected[state]);
    for (const char *p = expected[state]; *p != '\0'; p++) {
        if (*p == ' ')
            continue;
        assert_true(n < ORDER_EVENT_END - 1);
        out[n++] = *p;
    }
    assert_int_equal(n, ORDER_EVENT_END - 1);
}

static void oms_fsm_table_is_complete(void **state)
{
    (void)state;
    assert_true(fsm_is_complete(&oms_fsm));
    assert_int_equal(oms_fsm.state_count, ORDER_STATE_END);
    assert_int_equal(oms_fsm.event_count, ORDER_EVENT_END);
    for (uint8_t s = 1; s < ORDER_STATE_END; s++)
        assert_int_equal(fsm_cell(&oms_fsm, s, ORDER_EVENT_UNSET).kind, FSM_FORBID);
}

static void oms_fsm_every_cell_is_as_the_rules_say(void **state)
{
    (void)state;
    uint32_t visited = 0;
    for (uint8_t s = 1; s < ORDER_STATE_END; s++) {
        char row[ORDER_EVENT_END];
        row_of(s, row);
        for (uint8_t e = 1; e < ORDER_EVENT_END; e++) {
            char is = sign_of(fsm_cell(&oms_fsm, s, e));
            if (is != row[e - 1])
                fail_msg("%s x %s: expected %c, is %c", oms_fsm.state_name[s],
                         oms_fsm.event_name[e], row[e - 1], is);
            visited++;
        }
    }
    assert_int_equal(visited, 16 * 29);
}

static void oms_fsm_every_cell_moves_as_it_says(void **state)
{
    (void)state;
    for (uint8_t s = 1; s < ORDER_STATE_END; s++) {
        for (uint8_t e = 0; e < ORDER_EVENT_END; e++) {
            struct fsm_cell cell = fsm_cell(&oms_fsm, s, e);
            uint8_t now = s;
            assert_int_equal(fsm_move(&oms_fsm, &now, e), cell.kind);
            assert_int_equal(now, cell.kind == FSM_MOVE ? cell.next : s);
        }
    }
}

static void oms_fsm_nothing_ended_works_again(void **state)
{
    (void)state;
    for (uint8_t s = 1; s < ORDER_STATE_END; s++) {
        for (uint8_t e = 1; is_terminal(s) && e < ORDER_EVENT_END; e++) {
            struct fsm_cell cell = fsm_cell(&oms_fsm, s, e);
            if (cell.kind != FSM_MOVE)
                continue;
            assert_int_equal(s, ORDER_STATE_ABSENT); /* and only as EXTERNAL */
            assert_int_equal(cell.next, ORDER_STATE_EXTERNAL);
        }
    }
}

static void oms_fsm_silence_never_ends_an_order(void **state)
{
    (void)state;
    static const uint8_t no_proof[] = {ORDER_EVENT_SILENT, ORDER_EVENT_FOUND_ABSENT,
                                       ORDER_EVENT_GIVE_UP, ORDER_EVENT_CANCEL_FAILED,
                                       ORDER_EVENT_CANCEL_LATE};
    for (uint8_t s = ORDER_STATE_SENDING; s < ORDER_STATE_END; s++) {
        for (size_t i = 0; !is_terminal(s) && i < sizeof no_proof; i++) {
            struct fsm_cell cell = fsm_cell(&oms_fsm, s, no_proof[i]);
            assert_true(cell.kind != FSM_MOVE || !is_terminal(cell.next));
            assert_true(cell.kind != FSM_MOVE || is_reserved(cell.next));
        }
    }
}

/* Whatever was ever handed to the venue may fill, in any state that follows. */
static void oms_fsm_fills_are_never_forbidden_once_sent(void **state)
{
    (void)state;
    bool sent[ORDER_STATE_END] = {[ORDER_STATE_SENDING] = true, [ORDER_STATE_EXTERNAL] = true};
    for (bool grew = true; grew;) {
        grew = false;
        for (uint8_t s = 1; s < ORDER_STATE_END; s++) {
            for (uint8_t e = 1; sent[s] && e < ORDER_EVENT_END; e++) {
                struct fsm_cell cell = fsm_cell(&oms_fsm, s, e);
                if (cell.kind == FSM_MOVE && !sent[cell.next])
                    grew = sent[cell.next] = true;
            }
        }
    }
    uint32_t count = 0;
    for (uint8_t s = 1; s < ORDER_STATE_END; s++) {
        if (!sent[s])
            continue;
        count++;
        enum fsm_kind part = fsm_cell(&oms_fsm, s, ORDER_EVENT_FILL_PART).kind;
        enum fsm_kind last = fsm_cell(&oms_fsm, s, ORDER_EVENT_FILL_LAST).kind;
        assert_true(part == FSM_MOVE || part == FSM_STAY); /* not ignored either: it is money */
        assert_true(last == FSM_MOVE || last == FSM_STAY);
    }
    assert_int_equal(count, 13); /* all but INTENT, DENIED, APPROVED */
}

/* A fill that was booked in a state can be reversed in it. */
static void oms_fsm_what_may_be_filled_may_be_busted(void **state)
{
    (void)state;
    for (uint8_t s = ORDER_STATE_PARTIAL; s < ORDER_STATE_END; s++) {
        if (s == ORDER_STATE_ABSENT)
            continue; /* a fill takes it to EXTERNAL */
        assert_int_equal(fsm_cell(&oms_fsm, s, ORDER_EVENT_BUST).kind, FSM_STAY);
    }
}

static void oms_fsm_every_state_but_the_first_is_reached(void **state)
{
    (void)state;
    bool reached[ORDER_STATE_END] = {[ORDER_STATE_INTENT] = true};
    for (int round = 0; round < ORDER_STATE_END; round++) {
        for (uint8_t s = 1; s < ORDER_STATE_END; s++) {
            for (uint8_t e = 1; reached[s] && e < ORDER_EVENT_END; e++) {
                struct fsm_cell cell = fsm_cell(&oms_fsm, s, e);
                if (cell.kind == FSM_MOVE)
                    reached[cell.next] = true;
            }
        }
    }
    for (uint8_t s = 1; s < ORDER_STATE_END; s++)
        assert_true(reached[s]);
}

/* Exposure is held in every state between the gate's yes and the proof of an end. */
static void oms_fsm_reserved_is_exactly_approved_and_not_ended(void **state)
{
    (void)state;
    for (uint8_t s = 1; s < ORDER_STATE_END; s++)
        assert_int_equal(is_reserved(s), !is_terminal(s) && s != ORDER_STATE_INTENT);
    assert_true(is_terminal(0) && is_terminal(ORDER_STATE_END));
    assert_false(is_reserved(0) || is_reserved(ORDER_STATE_END));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(oms_fsm_table_is_complete),
        cmocka_unit_test(oms_fsm_every_cell_is_as_the_rules_say),
        cmocka_unit_test(oms_fsm_every_cell_moves_as_it_says),
        cmocka_unit_test(oms_fsm_nothing_ended_works_again),
        cmocka_unit_test(oms_fsm_silence_never_ends_an_order),
        cmocka_unit_test(oms_fsm_fills_are_never_forbidden_once_sent),
        cmocka_unit_test(oms_fsm_what_may_be_filled_may_be_busted),
        cmocka_unit_test(oms_fsm_every_state_but_the_first_is_reached),
        cmocka_unit_test(oms_fsm_reserved_is_exactly_approved_and_not_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
