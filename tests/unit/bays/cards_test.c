/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: good plugins pass every card and each kind of misbehaviour is found by the card that is
 * there for it. Method: three good plugins through all cards; one misbehaving build of the same
 * source per card, with the good build as control; crash and hang are verdicts, not ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "bays/cards.h"
#include "bays/check.h"
#include "bays/feed.h"

#define ABI TENON_BINARY_DIR "/abi/"

static const struct bay_check *find(const struct bay_checks *checks, const char *id)
{
    for (uint32_t i = 0; i < checks->count; i++) {
        if (strcmp(checks->check[i].id, id) == 0)
            return &checks->check[i];
    }
    fail_msg("no row %s", id);
    return NULL;
}

static void run_one(const char *file, const char *id, struct bay_checks *out)
{
    char path[512];
    struct trail tr = {0};
    snprintf(path, sizeof path, ABI "%s.so", file);
    struct result r = cards_run_one(path, id, out, &tr);
    if (!is_ok(r))
        fail_msg("%s", trail_sentence(&tr, r));
}

static void expect(const char *file, const char *id, uint32_t verdict, const char *word)
{
    struct bay_checks checks;
    run_one(file, id, &checks);
    const struct bay_check *c = find(&checks, id);
    if (c->verdict != verdict || !strstr(c->text, word))
        fail_msg("%s %s: %s: %s", file, id, check_verdict_name(c->verdict), c->text);
}

static void cards_good_plugins_pass_all(void **state)
{
    (void)state;
    static const char *const good[] = {"mean", "cross", "solo", "moody_good"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        char path[512];
        struct bay_checks checks;
        struct trail tr = {0};
        uint32_t passed = 0, skipped = 0;
        snprintf(path, sizeof path, ABI "%s.so", good[i]);
        struct result r = cards_run(path, &checks, &tr);
        if (!is_ok(r))
            fail_msg("%s", trail_sentence(&tr, r));
        for (uint32_t k = 0; k < checks.count; k++) {
            const struct bay_check *c = &checks.check[k];
            if (c->verdict == BAY_FAIL || c->verdict == BAY_CRASH)
                fail_msg("%s %s: %s: %s", good[i], c->id, check_verdict_name(c->verdict), c->text);
            passed += c->verdict == BAY_PASS;
            skipped += c->verdict == BAY_SKIP;
        }
        assert_int_equal(checks.count, 71);
        assert_int_equal(checks.failed, 0);
        assert_true(passed >= (i == 2 ? 36 : 42)); /* solo keeps no state */
        assert_true(skipped <= (i == 2 ? 33 : 27));
    }
}

struct finding {
    const char *file, *id;
    uint32_t verdict;
    const char *word;
};

static const struct finding findings[] = {
    {"moody_crash", "D36", BAY_CRASH, "died with signal 4"},
    {"moody_hang", "L19", BAY_PASS, "loaded"},
    {"moody_syscall", "P45", BAY_FAIL, "the first is number 39"},
    {"moody_clock", "P45", BAY_FAIL, "time-stamp counter"},
    {"moody_clock", "D36", BAY_FAIL, "other answers"},
    {"moody_global_state", "D36", BAY_FAIL, "other answers"},
    {"moody_global_state", "C34", BAY_FAIL, "than one alone"},
    {"moody_address", "D36", BAY_FAIL, "other answers"},
    {"moody_batch_cut", "D39", BAY_FAIL, "batches of 2"},
    {"moody_nan_on_extreme", "D43", BAY_FAIL, "not a finite number"},
    {"moody_slow_status", "D43", BAY_FAIL, "an unknown status"},
    {"moody_hot_alloc", "P46", BAY_FAIL, "in a hot call"},
    {"moody_hot_alloc", "C32", BAY_FAIL, "in on_events"},
    {"moody_greedy", "P48", BAY_FAIL, "64 arena bytes"},
    {"moody_save_differs", "T50", BAY_FAIL, "other bytes"},
    {"moody_save_changes", "T55", BAY_FAIL, "changes later answers"},
    {"moody_load_forgets", "T51", BAY_FAIL, "differ from an uninterrupted run"},
    {"moody_load_half", "T53", BAY_FAIL, "changed the instance"},
    {"moody_load_trusts", "T53", BAY_CRASH, ""},
    {"moody_newer_accepted", "T54", BAY_FAIL, "status 0"},
    {"moody_short_stream", "T52", BAY_FAIL, "1 bytes a call"},
    {"moody_null_alloc_crash", "C29", BAY_CRASH, ""},
    {"moody_overrun", "L24", BAY_FAIL, "struct tn_create"},
    {"moody_ignores_stride", "L24", BAY_FAIL, "larger host structs"},
    {"moody_umask_at_create", "L21", BAY_FAIL, "the umask"},
    {"moody_rounding", "L21", BAY_FAIL, "FP control word"},
    {"entry_manifest", "L22", BAY_FAIL, "another manifest"},
    {"entry_manifest", "D36", BAY_SKIP, "see L22"},
    {"constructor", "D36", BAY_SKIP, "not loaded: S09 failed"},
    {"constructor", "T50", BAY_SKIP, "not loaded: S09 failed"},
    {"mean", "B58", BAY_SKIP, "not yet"},
    {"mean", "L23", BAY_SKIP, "no interfaces"},
    {"solo", "T50", BAY_SKIP, "keeps no state"},
};

static void cards_each_misbehaviour_is_found_by_its_card(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof findings / sizeof findings[0]; i++)
        expect(findings[i].file, findings[i].id, findings[i].verdict, findings[i].word);
}

/* The same cards on the good build of the same source: so a finding is about the mode. */
static void cards_control_build_passes_the_same_cards(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof findings / sizeof findings[0]; i++) {
        struct bay_checks checks;
        if (strncmp(findings[i].file, "moody", 5) != 0)
            continue;
        run_one("moody_good", findings[i].id, &checks);
        const struct bay_check *c = find(&checks, findings[i].id);
        if (c->verdict != BAY_PASS)
            fail_msg("%s: %s: %s", c->id, check_verdict_name(c->verdict), c->text);
    }
}

static void cards_endless_loop_is_a_failed_card(void **state)
{
    (void)state;
    expect("moody_hang", "P48", BAY_FAIL, "no end after");
}

static void cards_static_rows_come_first_and_alone_for_bad_files(void **state)
{
    (void)state;
    struct bay_checks checks;
    struct trail tr = {0};
    assert_true(is_ok(cards_run(ABI "constructor.so", &checks, &tr)));
    assert_int_equal(checks.count, 71);
    assert_int_equal(checks.failed, 1);
    assert_string_equal(check_first_failed(&checks)->id, "S09");
    for (uint32_t i = 0; i < 17; i++) {
        char id[8];
        snprintf(id, sizeof id, "S%02u", i + 1);
        assert_string_equal(checks.check[i].id, id);
    }
}

static void cards_missing_file_and_unknown_id_are_results(void **state)
{
    (void)state;
    struct bay_checks checks;
    struct trail tr = {0};
    assert_int_equal(cards_run(ABI "nothing_here.so", &checks, &tr).code, RESULT_NOT_FOUND);
    assert_int_equal(cards_run(TENON_BINARY_DIR, &checks, &tr).code, RESULT_SYNTAX);
    assert_int_equal(cards_run_one(ABI "mean.so", "X99", &checks, &tr).code, RESULT_UNKNOWN_NAME);
}

static void feed_same_seed_gives_same_bytes(void **state)
{
    (void)state;
    struct feed_market a, b, other;
    uint32_t seen[6] = {0};
    feed_init(&a, 5, 3000, 2, false);
    feed_init(&b, 5, 3000, 2, false);
    feed_init(&other, 6, 3000, 2, false);
    assert_memory_equal(a.event, b.event, 3000 * sizeof a.event[0]);
    assert_memory_equal(a.value, b.value, 6000 * sizeof a.value[0]);
    assert_true(memcmp(a.event, other.event, 3000 * sizeof a.event[0]) != 0);
    for (uint32_t i = 0; i < a.count; i++) {
        const struct tn_event *ev = &a.event[i];
        seen[ev->type <= 5 ? ev->type : 0]++;
        assert_true(i == 0 || ev->t_ns >= ev[-1].t_ns);
        if (ev->type == TN_EVENT_BAR) {
            assert_true(ev->u.bar.low <= ev->u.bar.open && ev->u.bar.low <= ev->u.bar.close);
            assert_true(ev->u.bar.high >= ev->u.bar.open && ev->u.bar.high >= ev->u.bar.close);
            assert_true(ev->u.bar.volume >= 0 && ev->u.bar.low > 0);
        }
    }
    for (int k = 0; k < 6; k++)
        assert_true(seen[k] > 0);
    feed_fini(&a);
    feed_fini(&b);
    feed_fini(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(feed_same_seed_gives_same_bytes),
        cmocka_unit_test(cards_good_plugins_pass_all),
        cmocka_unit_test(cards_each_misbehaviour_is_found_by_its_card),
        cmocka_unit_test(cards_control_build_passes_the_same_cards),
        cmocka_unit_test(cards_endless_loop_is_a_failed_card),
        cmocka_unit_test(cards_static_rows_come_first_and_alone_for_bad_files),
        cmocka_unit_test(cards_missing_file_and_unknown_id_are_results),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
