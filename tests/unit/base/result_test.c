/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: every result has a sentence a person can act on and a class a caller can branch on; what
 * enters a trail comes out as one printable line, cut visibly when it is too long.
 * Method: walk the table; compare text_escape with a plain reference on seeded random bytes.
 */
#include "tests/unit/base/dies.h"
#include "base/clock.h"
#include "base/result.h"

static const int32_t codes[] = {
#define X(name, code, class, exit, text, remedy) code,
    RESULTS(X)
#undef X
};
enum { CODE_COUNT = sizeof codes / sizeof codes[0] };

static struct result of(int32_t code)
{
    return (struct result){.code = code};
}

static void result_every_row_has_words_and_its_class(void **state)
{
    (void)state;
    for (size_t i = 0; i < CODE_COUNT; i++) {
        struct result r = of(codes[i]);
        assert_string_not_equal(result_name(r), "?");
        assert_true(strlen(result_text(r)) > 3);
        assert_true(strlen(result_remedy(r)) > 3);
        assert_int_equal(result_class(r), codes[i] / 100 * 100);
        assert_true(result_exit(r) >= 0 && result_exit(r) < 128);
    }
}

static void result_codes_and_names_are_unique(void **state)
{
    (void)state;
    for (size_t i = 0; i < CODE_COUNT; i++) {
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(codes[i], codes[j]);
            assert_string_not_equal(result_name(of(codes[i])), result_name(of(codes[j])));
        }
    }
}

static void result_known_codes_give_their_row(void **state)
{
    (void)state;
    assert_string_equal(result_name(RESULT_OF(DISK_FULL)), "DISK_FULL");
    assert_string_equal(result_text(RESULT_OF(DISK_FULL)), "the disk is full");
    assert_string_equal(result_remedy(RESULT_OF(DISK_FULL)), "free space, then restart");
    assert_int_equal(result_exit(RESULT_OF(DENIED)), 10);
    assert_int_equal(result_class(RESULT_OF(DENIED)), RESULT_CLASS_DENIED);
    assert_true(is_ok(OK_RESULT));
    assert_false(is_ok(RESULT_OF(AGAIN)));
}

static void result_unknown_code_counts_as_a_bug(void **state)
{
    (void)state;
    const int32_t unknown[] = {-1, 99, 399, 801, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        assert_string_equal(result_name(of(unknown[i])), "?");
        assert_string_equal(result_text(of(unknown[i])), "an unknown result");
        assert_string_equal(result_remedy(of(unknown[i])), "report it with the log");
        assert_int_equal(result_exit(of(unknown[i])), 70);
        assert_int_equal(result_class(of(unknown[i])), RESULT_CLASS_BUG);
    }
}

static int after_try;
static struct result try_it(struct result r)
{
    after_try = 0;
    TRY(r);
    after_try = 1;
    return OK_RESULT;
}

static void result_try_hands_up_failures_only(void **state)
{
    (void)state;
    assert_true(is_ok(try_it(OK_RESULT)));
    assert_int_equal(after_try, 1);
    assert_int_equal(try_it(RESULT_OF(FULL)).code, RESULT_FULL);
    assert_int_equal(after_try, 0);
}

static void trail_sentence_is_the_innermost_or_the_row(void **state)
{
    (void)state;
    struct trail tr = {0};
    struct result r = RESULT_OF(NOT_FOUND);
    assert_string_equal(trail_sentence(NULL, r), "not found");
    assert_string_equal(trail_sentence(&tr, r), "not found");
    r = FAIL(&tr, NOT_FOUND, "%s: no such file; check the path", "a.yaml");
    r = FAIL_AS(&tr, r, "while loading deployment %d", 7);
    assert_int_equal(r.code, RESULT_NOT_FOUND);
    assert_int_equal(tr.count, 2);
    assert_string_equal(trail_sentence(&tr, r), "a.yaml: no such file; check the path");
    assert_string_equal(tr.frame[1].text, "while loading deployment 7");
    assert_true(tr.frame[0].line > 0 && tr.frame[0].line + 1 == tr.frame[1].line);
    assert_non_null(strstr(tr.frame[0].file, "result_test.c"));
}

static void trail_when_full_keeps_the_innermost_and_the_outermost(void **state)
{
    (void)state;
    struct trail tr = {0};
    for (int i = 0; i < TRAIL_FRAMES + 3; i++)
        assert_int_equal(FAIL(&tr, IO, "frame %d", i).code, RESULT_IO);
    assert_int_equal(tr.count, TRAIL_FRAMES);
    assert_string_equal(tr.frame[0].text, "frame 0");
    assert_string_equal(tr.frame[TRAIL_FRAMES - 2].text, "frame 2");
    assert_string_equal(tr.frame[TRAIL_FRAMES - 1].text, "frame 6");
}

static void trail_absent_still_gives_the_result(void **state)
{
    (void)state;
    assert_int_equal(FAIL(NULL, RANGE, "not kept %d", 1).code, RESULT_RANGE);
}

static void trail_text_is_escaped_and_cut_visibly(void **state)
{
    (void)state;
    struct trail tr = {0};
    (void)FAIL(&tr, SYNTAX, "row \"%s\"", "a\nb\x1b[2J\t\x7f\xff");
    assert_string_equal(tr.frame[0].text, "row \"a\\x0ab\\x1b[2J\\x09\\x7f\\xff\"");
    char text[2 * TRAIL_TEXT_BYTES];
    memset(text, 'x', sizeof text);
    for (size_t length = TRAIL_TEXT_BYTES - 2; length <= TRAIL_TEXT_BYTES + 2; length++) {
        struct trail one = {0};
        (void)FAIL(&one, SYNTAX, "%.*s", (int)length, text);
        const char *got = one.frame[0].text;
        bool cut = length > TRAIL_TEXT_BYTES - 1;
        assert_int_equal(strlen(got), cut ? TRAIL_TEXT_BYTES - 1 : length);
        assert_int_equal(strcmp(got + strlen(got) - 3, "...") == 0, cut);
    }
}

static void add_success(void *arg)
{
    (void)FAIL_AS(arg, OK_RESULT, "all is well");
}

static void trail_refuses_a_success(void **state)
{
    (void)state;
    struct trail tr = {0};
    assert_dies(add_success, &tr, "!is_ok(r)");
}

/* Writes the escaped form of everything, without a limit. */
static size_t escape_all(char *out, const uint8_t *text, size_t count)
{
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (text[i] < 0x20 || text[i] > 0x7e)
            used += (size_t)sprintf(out + used, "\\x%02x", text[i]);
        else
            out[used++] = (char)text[i];
    }
    out[used] = '\0';
    return used;
}

static void text_escape_random_bytes_match_the_reference(void **state)
{
    (void)state;
    const uint64_t seed = 20180102;
    struct rng rng;
    rng_seed(&rng, seed);
    print_message("seed %llu\n", (unsigned long long)seed);
    for (int round = 0; round < 20000; round++) {
        uint8_t text[64];
        char want[4 * sizeof text + 1];
        char got[4 * sizeof text + 2];
        size_t count = rng_below(&rng, sizeof text + 1);
        for (size_t i = 0; i < count; i++)
            text[i] = (uint8_t)(rng_below(&rng, 2) ? rng_below(&rng, 256) : 'a');
        size_t out_bytes = 8 + rng_below(&rng, sizeof got - 8);
        memset(got, 'Z', sizeof got);
        text_escape(got, out_bytes, (const char *)text, count);
        size_t length = strnlen(got, out_bytes);
        assert_true(length < out_bytes);
        assert_int_equal(got[out_bytes], 'Z');
        if (escape_all(want, text, count) < out_bytes) {
            assert_string_equal(got, want);
            continue;
        }
        /* cut: "..." after the longest run of whole tokens that leaves room for it */
        assert_true(length >= 3 && length + 4 >= out_bytes);
        assert_string_equal(got + length - 3, "...");
        assert_memory_equal(got, want, length - 3);
        char next = want[length - 3];
        assert_true(next != '\\' ? length + 1 >= out_bytes : length + 4 >= out_bytes);
    }
}

static void text_escape_smallest_buffer_keeps_whole_tokens(void **state)
{
    (void)state;
    char out[8];
    text_escape(out, sizeof out, "1234567", 7);
    assert_string_equal(out, "1234567");
    text_escape(out, sizeof out, "12345678", 8);
    assert_string_equal(out, "1234...");
    text_escape(out, sizeof out, "\0\0", 2);
    assert_string_equal(out, "\\x00...");
    text_escape(out, sizeof out, "1\0002", 3);
    assert_string_equal(out, "1\\x002");
    text_escape(out, sizeof out, "a\1bcdefgh", 9);
    assert_string_equal(out, "a...");
    text_escape(out, sizeof out, NULL, 0);
    assert_string_equal(out, "");
}

static void escape_into_seven(void *arg)
{
    text_escape(arg, 7, "x", 1);
}

static void text_escape_too_small_a_buffer_is_refused(void **state)
{
    (void)state;
    char out[8];
    assert_dies(escape_into_seven, out, "out_bytes >= 8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(result_every_row_has_words_and_its_class),
        cmocka_unit_test(result_codes_and_names_are_unique),
        cmocka_unit_test(result_known_codes_give_their_row),
        cmocka_unit_test(result_unknown_code_counts_as_a_bug),
        cmocka_unit_test(result_try_hands_up_failures_only),
        cmocka_unit_test(trail_sentence_is_the_innermost_or_the_row),
        cmocka_unit_test(trail_when_full_keeps_the_innermost_and_the_outermost),
        cmocka_unit_test(trail_absent_still_gives_the_result),
        cmocka_unit_test(trail_text_is_escaped_and_cut_visibly),
        cmocka_unit_test(trail_refuses_a_success),
        cmocka_unit_test(text_escape_random_bytes_match_the_reference),
        cmocka_unit_test(text_escape_smallest_buffer_keeps_whole_tokens),
        cmocka_unit_test(text_escape_too_small_a_buffer_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
