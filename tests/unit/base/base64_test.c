/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: what is printed is RFC 4648's text, what is parsed back is the same bytes, and every other
 * text is refused. Method: the RFC's vectors, all lengths of random bytes (seed printed), and each
 * character of a text changed to each byte: only the one canonical text of some bytes is taken.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>
#include "base/base64.h"
#include "base/clock.h"

static void base64_vectors_of_the_rfc(void **state)
{
    static const char *const rows[][2] = {{"", ""},
                                          {"f", "Zg=="},
                                          {"fo", "Zm8="},
                                          {"foo", "Zm9v"},
                                          {"foob", "Zm9vYg=="},
                                          {"fooba", "Zm9vYmE="},
                                          {"foobar", "Zm9vYmFy"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[16], back[16];
        size_t count = 99;
        base64_print(rows[i][0], strlen(rows[i][0]), text);
        assert_string_equal(text, rows[i][1]);
        assert_int_equal(strlen(text), BASE64_TEXT(strlen(rows[i][0])));
        assert_true(base64_parse(text, strlen(text), back, &count));
        assert_int_equal(count, strlen(rows[i][0]));
        assert_memory_equal(back, rows[i][0], count);
    }
}

static void base64_any_bytes_come_back(void **state)
{
    enum { MAX = 300 };
    const uint64_t seed = 0xb64;
    struct rng r;
    uint8_t bytes[MAX], back[MAX + 3];
    char text[BASE64_TEXT(MAX) + 1];
    (void)state;
    print_message("seed %llu\n", (unsigned long long)seed);
    rng_seed(&r, seed);
    for (size_t n = 0; n <= MAX; n++) {
        size_t count = 0;
        for (size_t i = 0; i < n; i++)
            bytes[i] = (uint8_t)rng_next(&r);
        base64_print(bytes, n, text);
        assert_true(base64_parse(text, strlen(text), back, &count));
        assert_int_equal(count, n);
        assert_memory_equal(back, bytes, n);
    }
}

static void base64_other_texts_are_refused(void **state)
{
    static const char *const bad[] = {"Z",    "Zg",   "Zg=",  "Zm9v\n", "Zm 9",
                                      "====", "Z===", "Zh==", "Zm9=",   "Zg==Zg==",
                                      "Z=g=", "-_-_", "=Zg=", "Zg==="};
    char out[16];
    size_t count;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (base64_parse(bad[i], strlen(bad[i]), out, &count))
            fail_msg("'%s' was taken", bad[i]);
    }
}

/* Two texts never mean the same bytes: what is taken prints as itself. */
static void base64_each_change_is_seen(void **state)
{
    static const char *const texts[] = {"Zm9vYmFy", "Zm9vYmE=", "Zm9vYg=="};
    uint32_t taken = 0;
    (void)state;
    for (size_t t = 0; t < 3; t++) {
        for (size_t i = 0; i < 8; i++) {
            for (int c = 0; c < 256; c++) {
                char text[9], again[9], out[6];
                size_t count = 0;
                memcpy(text, texts[t], sizeof text);
                text[i] = (char)c;
                if (!base64_parse(text, 8, out, &count))
                    continue;
                base64_print(out, count, again);
                assert_memory_equal(again, text, 9);
                taken++;
            }
        }
    }
    assert_in_range(taken, 3 * 8 * 4, 3 * 8 * 65);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_vectors_of_the_rfc),
        cmocka_unit_test(base64_any_bytes_come_back),
        cmocka_unit_test(base64_other_texts_are_refused),
        cmocka_unit_test(base64_each_change_is_seen),
    };
    return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
