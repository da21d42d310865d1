/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: every mode x intent cell, every lift by a person from each mode to each, and every
 * instance state x event cell (auto, quarantine, kill) does what the table of modes says.
 * Method: the expectations are written here from the design's table in signs; each cell is visited
 * in a fresh rig through events only, and a few whole stories follow (kill, kill again, late fills,
 * a reconciliation that is not clean), and what several people may lift by a request.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>
#include "core/state.h"
#include "tests/lib/core_rig.h"

static struct core_rig r;

static int setup(void **state)
{
    (void)state;
    rig_open(&r);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    core_check(r.core);
    rig_close(&r);
    return 0;
}

static enum mode mode_now(void)
{
    return core_mode(r.core, MODE_SCOPE_GLOBAL, 0);
}

static void mode_every_intent_cell_is_as_the_table_says(void **state)
{
    (void)state;
    /* columns: opening, then closes by signal, stop, kill, person */
    static const char *const allowed[MODE_END] = {
        [MODE_ACTIVE] = "yyyyy", [MODE_SAFE_START] = "nyyyy", [MODE_REDUCING] = "nyyyy",
        [MODE_HALTED] = "nnnny", [MODE_SAFE_LOSS] = "nyyyy",  [MODE_KILLED] = "nnnyy",
    };
    static const uint32_t origin[] = {FACT_ORIGIN_SIGNAL, FACT_ORIGIN_STOP, FACT_ORIGIN_KILL,
                                      FACT_ORIGIN_PERSON};
    for (uint32_t m = 1; m < MODE_END; m++) {
        for (uint32_t i = 0; i < 4; i++) {
            assert_int_equal(mode_allows((enum mode)m, false, origin[i]), allowed[m][0] == 'y');
            assert_int_equal(mode_allows((enum mode)m, true, origin[i]), allowed[m][i + 1] == 'y');
        }
    }
}

/* A person commands `to` at each scope from each mode: which mode follows? */
static void mode_every_command_cell_is_as_the_table_says(void **state)
{
    (void)state;
    static const uint32_t to[] = {MODE_ACTIVE, MODE_SAFE_START, MODE_REDUCING,
                                  MODE_HALTED, MODE_SAFE_LOSS,  MODE_KILLED};
    static const char *const follows[MODE_END] = {
        /* . = refused, else the mode's digit */
        [MODE_ACTIVE] = "..3456",    [MODE_REDUCING] = "1..456", [MODE_HALTED] = "1.3.56",
        [MODE_SAFE_LOSS] = ".....6", [MODE_KILLED] = "......",
    };
    for (uint32_t scope = MODE_SCOPE_GLOBAL; scope <= MODE_SCOPE_STRATEGY; scope++) {
        uint32_t id = scope == MODE_SCOPE_GLOBAL ? 0 : 1;
        for (uint32_t from = 1; from < MODE_END; from++) {
            for (uint32_t i = 0; i < 6 && from != MODE_SAFE_START; i++) {
                struct core_rig x;
                rig_open(&x);
                if (from != MODE_ACTIVE)
                    rig_mode(&x, scope, id, from);
                assert_int_equal(core_mode(x.core, scope, id), from);
                rig_mode(&x, scope, id, to[i]);
                char sign = follows[from][i];
                uint32_t after = sign == '.' ? from : (uint32_t)(sign - '0');
                assert_int_equal(core_mode(x.core, scope, id), after);
                assert_int_equal(rig_count(&x, FACT_IGNORED), sign == '.');
                assert_int_equal(rig_count(&x, FACT_MODED), sign != '.');
                rig_close(&x);
            }
        }
    }
}

static void mode_of_what_is_not_there_is_refused(void **state)
{
    (void)state;
    rig_mode(&r, MODE_SCOPE_ACCOUNT, 5, MODE_KILLED);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_ALLOWED), 1);
    rig_mode(&r, MODE_SCOPE_STRATEGY, 60, MODE_KILLED);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_ALLOWED), 1);
    rig_mode(&r, MODE_SCOPE_STRATEGY, UINT32_MAX, MODE_KILLED);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_ALLOWED), 1);
    rig_mode(&r, 9, 0, MODE_KILLED);
    rig_mode(&r, MODE_SCOPE_GLOBAL, 0, MODE_END);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_ALLOWED), 1);
    assert_int_equal(core_mode(r.core, MODE_SCOPE_ACCOUNT, 5), MODE_UNSET);
    assert_int_equal(mode_now(), MODE_ACTIVE);
}

static void mode_strictest_of_three_binds(void **state)
{
    (void)state;
    rig_mode(&r, MODE_SCOPE_ACCOUNT, RIG_ACCOUNT, MODE_REDUCING);
    rig_signal(&r, TN_LONG, 100000);
    assert_int_equal(rig_decision(&r)->rule[RISK_MODE - 1].observed, MODE_REDUCING);
    rig_mode(&r, MODE_SCOPE_STRATEGY, RIG_S1, MODE_HALTED);
    rig_signal(&r, TN_LONG, 200000);
    assert_int_equal(rig_decision(&r)->rule[RISK_MODE - 1].observed, MODE_HALTED);
    rig_mode(&r, MODE_SCOPE_STRATEGY, RIG_S1, MODE_ACTIVE);
    rig_mode(&r, MODE_SCOPE_ACCOUNT, RIG_ACCOUNT, MODE_ACTIVE);
    rig_signal(&r, TN_LONG, 300000);
    assert_int_equal(rig_count(&r, FACT_SEND), 1);
}

static void mode_safe_loss_cancels_opening_orders_only(void **state)
{
    (void)state;
    rig_hold(&r, TN_LONG, 1000000);
    rig_at(&r, r.t_ns + 1);
    uint64_t close = rig_working(&r, TN_LONG, 400000); /* sells 0.6: reducing */
    rig_route(&r, RIG_S2, RIG_BTC, 1000000000000);
    rig_signal_full(&r, (struct fact_signal){.instance = RIG_S2,
                                             .side = TN_LONG,
                                             .advice = TN_ADVICE_LIMIT,
                                             .limit_offset = 1000});
    uint64_t open = rig_sent_order(&r)->order;
    rig_exec(&r, open, FACT_EXEC_NEW);
    rig_mode(&r, MODE_SCOPE_GLOBAL, 0, MODE_SAFE_LOSS);
    assert_int_equal(rig_count(&r, FACT_CANCEL), 1);
    assert_int_equal(((const struct fact_cancel *)rig_effect(&r, FACT_CANCEL, 0))->order, open);
    assert_int_equal(oms_order(r.core, close)->state, ORDER_STATE_WORKING);
}

/* Down while a restart is unresolved, then up again: no way past the reconciliation. */
static void mode_no_lift_past_a_dirty_reconciliation(void **state)
{
    (void)state;
    rig_signal(&r, TN_LONG, 1000000);
    uint64_t flying = rig_sent_order(&r)->order;
    rig_start(&r, 2);
    assert_int_equal(mode_now(), MODE_SAFE_START);
    rig_mode(&r, MODE_SCOPE_GLOBAL, 0, MODE_ACTIVE);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_ALLOWED), 1);
    rig_mode(&r, MODE_SCOPE_GLOBAL, 0, MODE_HALTED);
    rig_mode(&r, MODE_SCOPE_GLOBAL, 0, MODE_ACTIVE);
    assert_int_equal(mode_now(), MODE_SAFE_START);
    rig_status(&r, flying, FACT_FOUND_WORKING);
    assert_int_equal(mode_now(), MODE_ACTIVE);
}

static void mode_no_lift_past_an_unknown_order(void **state)
{
    (void)state;
    rig_signal(&r, TN_LONG, 1000000);
    uint64_t id = rig_sent_order(&r)->order;
    rig_sent(&r, id, FACT_SENT_UNKNOWN);
    rig_mode(&r, MODE_SCOPE_GLOBAL, 0, MODE_REDUCING);
    rig_mode(&r, MODE_SCOPE_GLOBAL, 0, MODE_ACTIVE);
    assert_int_equal(mode_now(), MODE_SAFE_START);
    rig_exec(&r, id, FACT_EXEC_NEW);
    assert_int_equal(mode_now(), MODE_ACTIVE);
}

static void mode_restart_keeps_what_is_stricter(void **state)
{
    (void)state;
    rig_mode(&r, MODE_SCOPE_GLOBAL, 0, MODE_HALTED);
    rig_start(&r, 2);
    assert_int_equal(mode_now(), MODE_HALTED);
    rig_mode(&r, MODE_SCOPE_GLOBAL, 0, MODE_KILLED);
    rig_start(&r, 3);
    assert_int_equal(mode_now(), MODE_KILLED);
}

/* ---- instances: auto and quarantine ---- */

enum { AUTO_OFF, AUTO_ON, QUARANTINED, KILLED, INSTANCE_STATES };
enum { DO_ON, DO_OFF, ALL_ON, ALL_OFF, DO_FAULT, DO_LIFT, DO_KILL, DO_START, INSTANCE_EVENTS };

static void bring(struct core_rig *x, int state)
{
    rig_open(x);
    rig_auto(x, state != AUTO_OFF);
    struct fact_plugin fault = {.instance = RIG_S1, .what = FACT_PLUGIN_QUARANTINED};
    if (state == QUARANTINED)
        rig_step(x, FACT_PLUGIN, &fault);
    if (state == KILLED)
        rig_mode(x, MODE_SCOPE_STRATEGY, RIG_S1, MODE_KILLED);
}

static void act(struct core_rig *x, int event)
{
    struct fact_auto on = {.strategy = event <= DO_OFF ? RIG_S1 : 0,
                           .on = event == DO_ON || event == ALL_ON};
    struct fact_plugin fault = {.instance = RIG_S1, .what = FACT_PLUGIN_QUARANTINED};
    if (event <= ALL_OFF)
        rig_step(x, FACT_AUTO, &on);
    else if (event == DO_FAULT)
        rig_step(x, FACT_PLUGIN, &fault);
    else if (event == DO_START)
        rig_start(x, 2);
    else
        rig_mode(x, MODE_SCOPE_STRATEGY, RIG_S1, event == DO_LIFT ? MODE_ACTIVE : MODE_KILLED);
}

static void mode_every_instance_cell_is_as_the_rules_say(void **state)
{
    (void)state;
    /* Two signs per cell: auto (0 1) and mode (A active, R reducing, K killed). */
    static const char *const expected[INSTANCE_STATES] = {
        /*               on off all none fault lift kill start */
        [AUTO_OFF] = "1A 0A 1A 0A 0R 0A 0K 0A",
        [AUTO_ON] = "1A 0A 1A 0A 1R 1A 1K 0A",
        [QUARANTINED] = "1R 0R 1R 0R 1R 1A 1K 0R",
        [KILLED] = "1K 0K 1K 0K 1K 1K 1K 0K", /* a fault does not lift a kill */
    };
    for (int s = 0; s < INSTANCE_STATES; s++) {
        for (int e = 0; e < INSTANCE_EVENTS; e++) {
            struct core_rig x;
            bring(&x, s);
            act(&x, e);
            const char *cell = expected[s] + 3 * e;
            enum mode m = core_mode(x.core, MODE_SCOPE_STRATEGY, RIG_S1);
            char is = m == MODE_ACTIVE     ? 'A'
                      : m == MODE_REDUCING ? 'R'
                      : m == MODE_KILLED   ? 'K'
                                           : '?';
            if (core_auto(x.core, RIG_S1) != (cell[0] == '1') || is != cell[1])
                fail_msg("instance state %d, event %d: auto %d mode %c", s, e,
                         core_auto(x.core, RIG_S1), is);
            rig_close(&x);
        }
    }
}

static void mode_auto_of_one_leaves_the_others_off(void **state)
{
    (void)state;
    rig_auto(&r, false);
    assert_false(core_auto(r.core, 0));
    struct fact_auto on = {.strategy = RIG_S1, .on = 1};
    rig_step(&r, FACT_AUTO, &on);
    assert_true(core_auto(r.core, 0) && core_auto(r.core, RIG_S1));
    assert_false(core_auto(r.core, RIG_S2));
    on.strategy = 50;
    rig_step(&r, FACT_AUTO, &on);
    assert_int_equal(rig_count(&r, FACT_IGNORED), 1);
    on.strategy = UINT32_MAX;
    rig_step(&r, FACT_AUTO, &on);
    assert_int_equal(rig_count(&r, FACT_IGNORED), 1);
    assert_false(core_auto(r.core, UINT32_MAX));
}

/* ---- kill ---- */

static void kill_all(uint32_t keep)
{
    struct fact_mode k = {.scope = MODE_SCOPE_GLOBAL, .mode = MODE_KILLED, .keep_positions = keep};
    rig_step(&r, FACT_MODE, &k);
}

static void mode_kill_flattens_external_too(void **state)
{
    (void)state;
    rig_hold(&r, TN_LONG, 500000);
    rig_fill(&r, 0, 700, 1000000);
    kill_all(0);
    assert_int_equal(rig_count(&r, FACT_SEND), 2);
    rig_fill(&r, ((const struct fact_send *)rig_effect(&r, FACT_SEND, 0))->order, 5000, 990000);
    assert_int_equal(rig_position(&r, RIG_S1, RIG_BTC), 0);
}

static void mode_kill_closes_late_fills_again(void **state)
{
    (void)state;
    uint64_t id = rig_working(&r, TN_LONG, 1000000);
    kill_all(0);
    rig_exec(&r, id, FACT_EXEC_CANCELED);
    assert_int_equal(rig_count(&r, FACT_SEND), 0); /* flat */
    rig_fill(&r, id, 4000, 999000);
    const struct fact_send *s = rig_sent_order(&r);
    assert_int_equal(s->side, TN_SHORT);
    assert_int_equal(s->qty, 4000);
    rig_fill(&r, s->order, 4000, 995000);
    rig_fill(&r, 0, 300, 1000000); /* and what turns up at the venue */
    assert_int_equal(rig_sent_order(&r)->qty, 300);
}

static void mode_kill_that_keeps_cancels_only_until_told_otherwise(void **state)
{
    (void)state;
    rig_hold(&r, TN_LONG, 500000);
    uint64_t id = rig_working(&r, TN_LONG, 900000);
    kill_all(1);
    assert_int_equal(rig_count(&r, FACT_CANCEL), 1);
    rig_fill(&r, id, 1000, 999000);
    rig_exec(&r, id, FACT_EXEC_CANCELED);
    assert_int_equal(rig_count(&r, FACT_SEND), 0);
    rig_fill(&r, 0, 300, 1000000);
    assert_int_equal(rig_count(&r, FACT_SEND), 0);
    kill_all(1);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_NEEDED), 1);
    kill_all(0); /* the second press means it */
    assert_int_equal(rig_count(&r, FACT_SEND), 2);
    kill_all(1);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_NEEDED), 1);
}

static void mode_kill_of_one_strategy_leaves_the_kept_ones(void **state)
{
    (void)state;
    rig_route(&r, RIG_S2, RIG_BTC, 1000000000000);
    rig_hold(&r, TN_LONG, 500000);
    uint64_t id = rig_working(&r, TN_LONG, 900000);
    struct fact_mode k = {
        .scope = MODE_SCOPE_STRATEGY, .id = RIG_S1, .mode = MODE_KILLED, .keep_positions = 1};
    rig_step(&r, FACT_MODE, &k);
    k = (struct fact_mode){.scope = MODE_SCOPE_STRATEGY, .id = RIG_S2, .mode = MODE_KILLED};
    rig_step(&r, FACT_MODE, &k);
    rig_fill(&r, id, 1000, 999000); /* of the first: its position was to be kept */
    assert_int_equal(rig_count(&r, FACT_SEND), 0);
    assert_int_equal(rig_position(&r, RIG_S1, RIG_BTC), 6000);
}

static void mode_kill_cancels_an_unknown_order_once_per_press(void **state)
{
    (void)state;
    rig_signal(&r, TN_LONG, 1000000);
    rig_sent(&r, rig_sent_order(&r)->order, FACT_SENT_UNKNOWN);
    kill_all(0);
    assert_int_equal(rig_count(&r, FACT_CANCEL), 1);
}

/* ---- requests of several people ---- */

static uint8_t request_number;

static void request(struct core_rig *x, uint32_t scope, uint32_t id, uint32_t mode, uint32_t people)
{
    struct fact_request e = {
        .scope = scope, .id = id, .mode = mode, .people = people, .by = "ana, bo", .reason = "ok"};
    e.sha256[0] = ++request_number;
    e.sha256[1] = (uint8_t)people;
    rig_step(x, FACT_REQUEST, &e);
}

/* Two people ask for `to` at each scope from each mode: which mode follows? */
static void mode_every_request_cell_is_as_the_table_says(void **state)
{
    (void)state;
    static const char *const follows[MODE_END] = {
        /* . = refused or not needed, else the mode's digit; asked for: 1 to 6 */
        [MODE_ACTIVE] = "..3...",    [MODE_REDUCING] = "1.....", [MODE_HALTED] = "1.3...",
        [MODE_SAFE_LOSS] = "1.3...", [MODE_KILLED] = "1.3...",
    };
    for (uint32_t scope = MODE_SCOPE_GLOBAL; scope <= MODE_SCOPE_STRATEGY; scope++) {
        uint32_t id = scope == MODE_SCOPE_GLOBAL ? 0 : 1;
        for (uint32_t from = 1; from < MODE_END; from++) {
            for (uint32_t to = 1; to < MODE_END && from != MODE_SAFE_START; to++) {
                struct core_rig x;
                rig_open(&x);
                if (from != MODE_ACTIVE)
                    rig_mode(&x, scope, id, from);
                request(&x, scope, id, to, 1); /* one person is not two */
                assert_int_equal(rig_ignored(&x, FACT_IGNORED_NOT_ALLOWED), 1);
                assert_int_equal(core_mode(x.core, scope, id), from);
                request(&x, scope, id, to, 2);
                char sign = follows[from][to - 1];
                uint32_t after = sign == '.' ? from : (uint32_t)(sign - '0');
                assert_int_equal(core_mode(x.core, scope, id), after);
                assert_int_equal(rig_count(&x, FACT_IGNORED), sign == '.');
                const struct fact_moded *m = rig_effect(&x, FACT_MODED, 0);
                assert_int_equal(m != NULL, sign != '.');
                assert_true(m == NULL || m->why == FACT_WHY_REQUEST);
                rig_close(&x);
            }
        }
    }
}

static void mode_request_for_what_is_not_there_is_refused(void **state)
{
    (void)state;
    request(&r, MODE_SCOPE_ACCOUNT, 5, MODE_ACTIVE, 2);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_ALLOWED), 1);
    request(&r, MODE_SCOPE_STRATEGY, UINT32_MAX, MODE_ACTIVE, 2);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_ALLOWED), 1);
    request(&r, 9, 0, MODE_ACTIVE, 2);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_ALLOWED), 1);
    request(&r, MODE_SCOPE_GLOBAL, 0, MODE_END, 2);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_ALLOWED), 1);
}

/* Not past the reconciliation, which two people can judge no better than one. */
static void mode_request_goes_through_safe_start(void **state)
{
    (void)state;
    rig_signal(&r, TN_LONG, 1000000);
    uint64_t id = rig_sent_order(&r)->order;
    rig_sent(&r, id, FACT_SENT_UNKNOWN);
    kill_all(0);
    request(&r, MODE_SCOPE_GLOBAL, 0, MODE_ACTIVE, 2);
    assert_int_equal(mode_now(), MODE_SAFE_START);
    rig_status(&r, id, FACT_FOUND_WORKING);
    assert_int_equal(mode_now(), MODE_ACTIVE);
}

static void mode_request_ends_the_closes_of_the_kill(void **state)
{
    (void)state;
    rig_hold(&r, TN_LONG, 500000);
    rig_fill(&r, 0, 700, 1000000); /* EXTERNAL too */
    kill_all(0);
    uint64_t first = ((const struct fact_send *)rig_effect(&r, FACT_SEND, 0))->order;
    uint64_t second = ((const struct fact_send *)rig_effect(&r, FACT_SEND, 1))->order;
    request(&r, MODE_SCOPE_GLOBAL, 0, MODE_ACTIVE, 2);
    assert_int_equal(rig_count(&r, FACT_CANCEL), 0); /* what works ends by itself */
    rig_fill(&r, first, 1000, 990000);
    rig_exec(&r, first, FACT_EXEC_EXPIRED);
    rig_exec(&r, second, FACT_EXEC_EXPIRED);
    assert_int_equal(rig_count(&r, FACT_INTENT), 0);
    rig_tick(&r, r.t_ns + 20 * RIG_S);
    assert_int_equal(rig_count(&r, FACT_INTENT), 0);
    assert_int_equal(rig_position(&r, RIG_S1, RIG_BTC), 4000);
    rig_quote(&r, RIG_BTC, 999900, 1000100);
    rig_signal(&r, TN_LONG, 600000); /* and belief is heard again */
    assert_int_equal(rig_sent_order(&r)->side, TN_LONG);
    assert_int_equal(rig_sent_order(&r)->qty, 2000);
}

/* A kill that was lifted leaves no flag behind: the next one may keep positions. */
static void mode_request_leaves_nothing_for_the_next_kill(void **state)
{
    (void)state;
    rig_hold(&r, TN_LONG, 500000);
    kill_all(0);
    rig_exec(&r, rig_sent_order(&r)->order, FACT_EXEC_REJECTED);
    uint64_t again = rig_sent_order(&r)->order;
    request(&r, MODE_SCOPE_GLOBAL, 0, MODE_ACTIVE, 2);
    rig_exec(&r, again, FACT_EXEC_EXPIRED);
    rig_at(&r, r.t_ns + 2 * RIG_S);
    uint64_t id = rig_working(&r, TN_LONG, 900000);
    kill_all(1);
    rig_fill(&r, id, 1000, 999000);
    rig_exec(&r, id, FACT_EXEC_CANCELED);
    assert_int_equal(rig_count(&r, FACT_SEND), 0);
    assert_int_equal(rig_position(&r, RIG_S1, RIG_BTC), 6000);
}

/* Lifting one of two kills spares only whom no other holds. */
static void mode_request_spares_nobody_whom_another_kill_holds(void **state)
{
    (void)state;
    rig_route(&r, RIG_S2, RIG_BTC, 1000000000000);
    rig_hold(&r, TN_LONG, 500000);
    rig_signal_full(&r, (struct fact_signal){.instance = RIG_S2, .side = TN_LONG});
    rig_fill(&r, rig_sent_order(&r)->order, rig_sent_order(&r)->qty, 1000000);
    rig_mode(&r, MODE_SCOPE_STRATEGY, RIG_S1, MODE_KILLED);
    uint64_t close = rig_sent_order(&r)->order;
    kill_all(0);
    uint64_t other = rig_sent_order(&r)->order;
    request(&r, MODE_SCOPE_GLOBAL, 0, MODE_ACTIVE, 2);
    rig_exec(&r, other, FACT_EXEC_EXPIRED);
    assert_int_equal(rig_count(&r, FACT_SEND), 0);
    rig_exec(&r, close, FACT_EXEC_EXPIRED);
    assert_int_equal(rig_count(&r, FACT_SEND), 1); /* the strategy's own kill goes on */
}

static void mode_request_is_good_for_one_time(void **state)
{
    (void)state;
    struct fact_request e = {.scope = MODE_SCOPE_GLOBAL, .mode = MODE_ACTIVE, .people = 3};
    memset(e.sha256, 7, sizeof e.sha256);
    kill_all(0);
    rig_step(&r, FACT_REQUEST, &e);
    assert_int_equal(mode_now(), MODE_ACTIVE);
    kill_all(0);
    rig_step(&r, FACT_REQUEST, &e);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_USED), 1);
    assert_int_equal(mode_now(), MODE_KILLED);
    e.sha256[31] = 8;
    rig_step(&r, FACT_REQUEST, &e);
    assert_int_equal(mode_now(), MODE_ACTIVE);
    e.sha256[31] = 9; /* nothing to lift: and that was its one time */
    rig_step(&r, FACT_REQUEST, &e);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_NOT_NEEDED), 1);
    kill_all(0);
    rig_step(&r, FACT_REQUEST, &e);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_USED), 1);
    e.sha256[31] = 10;
    e.people = 1; /* refused: it was not used */
    rig_step(&r, FACT_REQUEST, &e);
    e.people = 2;
    rig_step(&r, FACT_REQUEST, &e);
    assert_int_equal(mode_now(), MODE_ACTIVE);
}

static void mode_last_256_requests_are_remembered(void **state)
{
    (void)state;
    struct fact_request e = {.scope = MODE_SCOPE_GLOBAL, .mode = MODE_ACTIVE, .people = 2};
    for (uint32_t i = 0; i <= REQUESTS_MAX; i++) {
        memcpy(e.sha256, &i, sizeof i);
        rig_step(&r, FACT_REQUEST, &e);
        assert_int_equal(rig_ignored(&r, FACT_IGNORED_USED), 0);
    }
    for (uint32_t i = REQUESTS_MAX; i > 0; i--) {
        memcpy(e.sha256, &i, sizeof i);
        rig_step(&r, FACT_REQUEST, &e);
        assert_int_equal(rig_ignored(&r, FACT_IGNORED_USED), 1);
    }
    memset(e.sha256, 0, sizeof e.sha256); /* the oldest one made room */
    rig_step(&r, FACT_REQUEST, &e);
    assert_int_equal(rig_ignored(&r, FACT_IGNORED_USED), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(mode_every_intent_cell_is_as_the_table_says),
        TEST(mode_every_command_cell_is_as_the_table_says),
        TEST(mode_of_what_is_not_there_is_refused),
        TEST(mode_strictest_of_three_binds),
        TEST(mode_safe_loss_cancels_opening_orders_only),
        TEST(mode_no_lift_past_a_dirty_reconciliation),
        TEST(mode_no_lift_past_an_unknown_order),
        TEST(mode_restart_keeps_what_is_stricter),
        TEST(mode_every_instance_cell_is_as_the_rules_say),
        TEST(mode_auto_of_one_leaves_the_others_off),
        TEST(mode_kill_flattens_external_too),
        TEST(mode_kill_closes_late_fills_again),
        TEST(mode_kill_that_keeps_cancels_only_until_told_otherwise),
        TEST(mode_kill_of_one_strategy_leaves_the_kept_ones),
        TEST(mode_kill_cancels_an_unknown_order_once_per_press),
        TEST(mode_every_request_cell_is_as_the_table_says),
        TEST(mode_request_for_what_is_not_there_is_refused),
        TEST(mode_request_goes_through_safe_start),
        TEST(mode_request_ends_the_closes_of_the_kill),
        TEST(mode_request_leaves_nothing_for_the_next_kill),
        TEST(mode_request_spares_nobody_whom_another_kill_holds),
        TEST(mode_request_is_good_for_one_time),
        TEST(mode_last_256_requests_are_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
