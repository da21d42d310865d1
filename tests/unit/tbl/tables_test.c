/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: the tables that people and code read by number (rules, modes, order states and events) are
 * dense, unique and say something.
 * Method: expand each table once into rows and walk them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "tbl/modes.h"
#include "tbl/order_states.h"
#include "tbl/risk_rules.h"

struct row {
    int id;
    const char *name;
    const char *text;
};

static void assert_dense(const struct row *row, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(row[i].id, i + 1);
        assert_true(strlen(row[i].name) > 0);
        assert_true(strlen(row[i].text) > 1);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(row[i].name, row[j].name);
    }
}
#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void order_states_and_events_are_dense_and_unique(void **state)
{
    (void)state;
#define X(id, name, terminal, reserved, text) {id, #name, text},
    static const struct row states[] = {ORDER_STATES(X)};
#undef X
#define X(id, name, text) {id, #name, text},
    static const struct row events[] = {ORDER_EVENTS(X)};
#undef X
    assert_dense(states, COUNT(states));
    assert_dense(events, COUNT(events));
    assert_int_equal(COUNT(states), ORDER_STATE_END - 1);
    assert_int_equal(COUNT(events), ORDER_EVENT_END - 1);
}

static void order_states_that_ended_hold_no_exposure(void **state)
{
    (void)state;
#define X(id, name, terminal, reserved, text)                                                      \
    assert_in_range(terminal, 0, 1);                                                               \
    assert_in_range(reserved, 0, 1);                                                               \
    assert_false(terminal &&reserved);
    ORDER_STATES(X)
#undef X
}

static void modes_are_dense_and_never_loosen_new_risk(void **state)
{
    (void)state;
#define X(id, name, risk, reduce, work, lifted, text) {id, #name, text},
    static const struct row modes[] = {MODES(X)};
#undef X
    assert_dense(modes, COUNT(modes));
    assert_int_equal(COUNT(modes), MODE_END - 1);
    /* only the loosest mode takes new risk */
#define X(id, name, risk, reduce, work, lifted, text) assert_int_equal(risk, id == MODE_ACTIVE);
    MODES(X)
#undef X
#define X(id, name) {id, #name, #name},
    static const struct row scopes[] = {MODE_SCOPES(X)};
#undef X
    assert_dense(scopes, COUNT(scopes));
}

static const char *const units[] = {"",
#define X(id, name, text) text,
                                    RISK_UNITS(X)
#undef X
};

static void risk_rules_are_dense_and_named_once(void **state)
{
    (void)state;
#define X(id, name, code, unit, may_cut, closes, def, source, text) {id, #name, text},
    static const struct row rules[] = {RISK_RULES(X)};
#undef X
#define X(id, name, code, unit, may_cut, closes, def, source, text) {id, code, source},
    static const struct row codes[] = {RISK_RULES(X)};
#undef X
    assert_dense(rules, COUNT(rules));
    for (size_t i = 0; i < COUNT(codes); i++) {
        assert_non_null(strchr(codes[i].name, '_')); /* CATEGORY_CONDITION */
        assert_true(strlen(codes[i].text) > 0);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(codes[i].name, codes[j].name);
    }
    assert_int_equal(COUNT(rules), RISK_RULE_COUNT);
    assert_true(RISK_RULE_END <= 32); /* denied_by and cut_by are 32 bits, result[] 32 bytes */
}

static void risk_rules_cut_quantities_and_never_closes(void **state)
{
    (void)state;
#define X(id, name, code, unit, may_cut, closes, def, source, text)                                \
    assert_false(may_cut &&closes);                                                                \
    assert_true(strlen(units[RISK_UNIT_##unit]) > 1);                                              \
    if (may_cut)                                                                                   \
        assert_true(RISK_UNIT_##unit == RISK_UNIT_QTY || RISK_UNIT_##unit == RISK_UNIT_MONEY ||    \
                    RISK_UNIT_##unit == RISK_UNIT_PPM);
    RISK_RULES(X)
#undef X
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_states_and_events_are_dense_and_unique),
        cmocka_unit_test(order_states_that_ended_hold_no_exposure),
        cmocka_unit_test(modes_are_dense_and_never_loosen_new_risk),
        cmocka_unit_test(risk_rules_are_dense_and_named_once),
        cmocka_unit_test(risk_rules_cut_quantities_and_never_closes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
