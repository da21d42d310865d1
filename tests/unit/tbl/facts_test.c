/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: the record table is fit to be a format: ids and names unique for ever, no padding that
 * would carry stray bytes into hashes, and unknown types answered.
 * Method: the compiler refuses padding while this file includes the payloads; the rest walks the
 * table and asks the look-ups for all 65536 types.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"
#include "tbl/facts.h"
#pragma GCC diagnostic pop

struct row {
    uint32_t id;
    const char *name;
    uint32_t bytes;
    uint32_t version;
    uint32_t class;
    const char *text;
};
static const struct row rows[] = {
#define X(id, name, payload, version, class, text)                                                 \
    {id, #name, sizeof(struct payload), version, FACT_CLASS_##class, text},
    FACT_EVENTS(X) FACT_EFFECTS(X)
#undef X
};
enum {
    ROW_COUNT = sizeof rows / sizeof rows[0],
#define X(id, name, payload, version, class, text) +1
    EVENT_COUNT = 0 FACT_EVENTS(X),
#undef X
    FIRST_EFFECT = 256,
};

static const struct row *find(uint32_t type)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (rows[i].id == type)
            return &rows[i];
    return NULL;
}

static void facts_ids_and_names_are_unique_and_rise(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        assert_true(rows[i].id > 0 && rows[i].id <= UINT16_MAX);
        if (i > 0)
            assert_true(rows[i].id > rows[i - 1].id);
        assert_true(strlen(rows[i].text) > 3);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(rows[i].name, rows[j].name);
    }
}

static void facts_effects_are_apart_from_events(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        assert_int_equal(rows[i].id >= FIRST_EFFECT, i >= EVENT_COUNT);
        assert_int_equal(rows[i].class == FACT_CLASS_EFFECT, i >= EVENT_COUNT);
        assert_int_not_equal(rows[i].class, FACT_CLASS_UNSET);
    }
}

static void facts_order_classes_rise_with_the_ids(void **state)
{
    (void)state;
    for (size_t i = 1; i < ROW_COUNT; i++)
        assert_true(rows[i].class >= rows[i - 1].class);
}

static void facts_payloads_fit_and_keep_the_grid(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        assert_true(rows[i].bytes > 0 && rows[i].bytes <= FACT_MAX_BYTES);
        assert_int_equal(rows[i].bytes % 8, 0);
        assert_true(rows[i].version > 0);
    }
    assert_int_equal(sizeof(struct fact_view), sizeof(struct fact_head) + FACT_MAX_BYTES);
    assert_int_equal(offsetof(struct fact_view, u), sizeof(struct fact_head));
}

static void facts_look_ups_answer_for_every_type(void **state)
{
    (void)state;
    uint32_t known = 0;
    for (uint32_t type = 0; type <= UINT16_MAX; type++) {
        const struct row *row = find(type);
        uint16_t t = (uint16_t)type;
        assert_int_equal(fact_bytes(t), row ? row->bytes : 0);
        assert_string_equal(fact_name(t), row ? row->name : "?");
        assert_string_equal(fact_text(t), row ? row->text : "an unknown record");
        assert_int_equal(fact_class_of(t), row ? row->class : FACT_CLASS_UNSET);
        assert_int_equal(fact_version(t), row ? row->version : 0);
        known += row != NULL;
    }
    assert_int_equal(known, ROW_COUNT);
}

static void facts_sizes_of_format_1_have_not_moved(void **state)
{
    (void)state;
    /* A size that changes without a new version breaks every journal on disk. */
    assert_int_equal(sizeof(struct fact_head), 48);
    assert_int_equal(offsetof(struct fact_head, crc), 4);
    assert_int_equal(offsetof(struct fact_head, seq), 8);
    assert_int_equal(offsetof(struct fact_head, type), 32);
    assert_int_equal(offsetof(struct fact_head, sub), 36);
    assert_int_equal(offsetof(struct fact_head, source), 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_ids_and_names_are_unique_and_rise),
        cmocka_unit_test(facts_effects_are_apart_from_events),
        cmocka_unit_test(facts_order_classes_rise_with_the_ids),
        cmocka_unit_test(facts_payloads_fit_and_keep_the_grid),
        cmocka_unit_test(facts_look_ups_answer_for_every_type),
        cmocka_unit_test(facts_sizes_of_format_1_have_not_moved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
