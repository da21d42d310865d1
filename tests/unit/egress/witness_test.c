/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: the witness is whole after any store, knows its own, and refuses what is not; a kill flag
 * binds whom it names and never fewer. Method: damage at each byte of the heads, and a ninth
 * account.
 */
#include "tests/unit/base/dies.h"
#include "egress/witness.h"

static struct witness w;

static int32_t open_it(uint64_t boot, bool *lost)
{
    struct trail tr = {0};
    return witness_open(&w, sizeof w, boot, lost, &tr).code;
}

static void witness_new_one_opens_again_and_tells_another_boot(void **state)
{
    (void)state;
    bool lost;
    struct trail tr = {0};
    memset(&w, 0, sizeof w);
    assert_int_equal(witness_open(&w, sizeof w - 1, 1, &lost, &tr).code, RESULT_TOO_LARGE);
    assert_int_equal(open_it(5, &lost), RESULT_OK);
    assert_false(lost);
    assert_int_equal(open_it(5, &lost), RESULT_OK);
    assert_false(lost);
    assert_int_equal(open_it(6, &lost), RESULT_OK);
    assert_true(lost);
    assert_int_equal(open_it(6, &lost), RESULT_OK);
    assert_false(lost);
    w.version++;
    assert_int_equal(open_it(6, &lost), RESULT_VERSION);
    w.version--;
    w.magic ^= 1;
    assert_int_equal(open_it(6, &lost), RESULT_CORRUPT);
}

static void witness_a_torn_head_leaves_the_one_before(void **state)
{
    (void)state;
    bool lost;
    struct witness_head h = {0}, back;
    memset(&w, 0, sizeof w);
    assert_int_equal(open_it(1, &lost), RESULT_OK);
    for (uint64_t seq = 1; seq < 6; seq++) {
        h.seq = seq;
        witness_write_head(&w, &h);
        witness_read_head(&w, &back);
        assert_int_equal(back.seq, seq);
    }
    uint8_t *newest = (uint8_t *)&w.head[w.head[1].turn > w.head[0].turn];
    for (size_t i = 0; i < offsetof(struct witness_head, reserved); i++) {
        newest[i] ^= 0x40;
        witness_read_head(&w, &back);
        assert_int_equal(back.seq, 4);
        assert_int_equal(open_it(1, &lost), RESULT_OK);
        newest[i] ^= 0x40;
    }
    w.head[0].crc ^= 1;
    w.head[1].crc ^= 1;
    assert_int_equal(open_it(1, &lost), RESULT_CORRUPT);
}

static void witness_kill_flag_binds_whom_it_names(void **state)
{
    (void)state;
    bool lost;
    struct road_kill k = {.by = "x"};
    memset(&w, 0, sizeof w);
    assert_int_equal(open_it(1, &lost), RESULT_OK);
    assert_null(witness_killed(&w, 3));
    k.account = 3;
    assert_true(witness_set_kill(&w, &k));
    assert_true(witness_set_kill(&w, &k)); /* once more: the same row */
    assert_non_null(witness_killed(&w, 3));
    assert_null(witness_killed(&w, 4));
    for (k.account = 10; k.account < 17; k.account++)
        assert_true(witness_set_kill(&w, &k));
    assert_null(witness_killed(&w, 99));
    k.account = 99; /* no row left: all are killed rather than none */
    assert_false(witness_set_kill(&w, &k));
    assert_non_null(witness_killed(&w, 4));
    witness_lift(&w, 3);
    assert_non_null(witness_killed(&w, 3)); /* by the flag of all */
    witness_lift(&w, 0);
    for (uint32_t i = 0; i < 20; i++)
        assert_null(witness_killed(&w, i));
}

static void witness_kill_flag_gets_no_softer(void **state)
{
    (void)state;
    bool lost;
    struct road_kill hard = {.account = 3, .by = "x"};
    struct road_kill soft = {.account = 3, .keep_positions = 1, .by = "y"};
    memset(&w, 0, sizeof w);
    assert_int_equal(open_it(1, &lost), RESULT_OK);
    assert_true(witness_set_kill(&w, &soft));
    assert_int_equal(witness_killed(&w, 3)->keep_positions, 1);
    assert_true(witness_set_kill(&w, &hard));
    assert_true(witness_set_kill(&w, &soft));
    assert_int_equal(witness_killed(&w, 3)->keep_positions, 0);
    soft.account = 0; /* of all: it hides no harder one */
    assert_true(witness_set_kill(&w, &soft));
    assert_int_equal(witness_killed(&w, 3)->keep_positions, 0);
    assert_int_equal(witness_killed(&w, 4)->keep_positions, 1);
    witness_lift(&w, 0);
    soft.account = 3; /* lifted is forgotten */
    assert_true(witness_set_kill(&w, &soft));
    assert_int_equal(witness_killed(&w, 3)->keep_positions, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(witness_new_one_opens_again_and_tells_another_boot),
        cmocka_unit_test(witness_a_torn_head_leaves_the_one_before),
        cmocka_unit_test(witness_kill_flag_binds_whom_it_names),
        cmocka_unit_test(witness_kill_flag_gets_no_softer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
