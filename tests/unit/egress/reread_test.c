/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: the readers give every value with its path, and refuse what two readers could take for two
 * things. Method: tables of texts; and seeded damage, under the sanitizers, with each value checked
 * to lie inside the text.
 */
#include "tests/unit/base/dies.h"
#include "base/clock.h"
#include "egress/reread.h"

static char heard[2048];
static const char *from, *to;

static bool hear(void *arg, const struct reread_value *v)
{
    (void)arg;
    assert_true(v->text >= from && v->text + v->count <= to);
    size_t at = strlen(heard);
    snprintf(heard + at, sizeof heard - at, "%s#%u=%.*s;", v->path, v->row,
             v->kind == REREAD_LIST ? 0 : (int)v->count, v->text);
    return true;
}

static const char *json(const char *text, bool strict)
{
    heard[0] = '\0';
    from = text;
    to = text + strlen(text);
    return reread_json(text, strlen(text), strict, hear, NULL);
}

static void reread_json_gives_every_value_with_its_path(void **state)
{
    (void)state;
    assert_null(json(" {\"a\":\"x\", \"b\" : {\"c\":-1.5e3,\"d\":true}\n,\"e\":[\"p\",7]} ", true));
    assert_string_equal(heard, "a#0=x;b.c#0=-1.5e3;b.d#0=true;e[]#0=;e[]#0=p;e[]#1=7;");
    assert_null(
        json("{\"r\":[{\"s\":\"A\",\"q\":[1,2]},{\"s\":\"B\",\"q\":[]}],\"n\":null}", false));
    assert_string_equal(heard, "r[]#0=;r[].s#0=A;r[].q[]#0=;r[].q[]#0=1;r[].q[]#0=2;"
                               "r[].s#1=B;r[].q[]#1=;n#1=null;");
    assert_null(json("[]", false));
    assert_null(json("{\"a\":\"\\u0041\\\"\"}", false));
}

static void reread_json_refuses_what_can_be_read_in_two_ways(void **state)
{
    (void)state;
    static const char *const always[] = {
        "",
        " ",
        "{",
        "}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{\"a\":1}{}",
        "{\"a\":1} x",
        "{\"a\":01}",
        "{\"a\":1.}",
        "{\"a\":.5}",
        "{\"a\":+1}",
        "{\"a\":-}",
        "{\"a\":1e}",
        "{\"a\":NaN}",
        "{\"a\":tru}",
        "{\"a\":\"x}",
        "{\"a\":\"x\ny\"}",
        "{\"a\":1,\"a\":1}",
        "{\"a\":{\"b\":1,\"c\":2,\"b\":3}}",
        "{a:1}",
        "{'a':1}",
        "{\"\":1}",
        "{\"a.b\":1}",
        "{\"a[]\":1}",
        "{\"a\":[1,]}",
        "{\"a\":[1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":1;\"b\":2}",
        "{\"a\":[[[[[[[[[1]]]]]]]]]}",
        "{\"a\":\"\\",
        "{/**/\"a\":1}",
        "{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\":1}"};
    static const char *const strict[] = {"[]",
                                         "[1]",
                                         "{}",
                                         "{\"a\":{}}",
                                         "{\"a\":[]}",
                                         "{\"a\":null}",
                                         "{\"a\":\"\\u0041\"}",
                                         "{\"\\u0061\":1}"};
    for (uint32_t i = 0; i < sizeof always / sizeof *always; i++)
        if (!json(always[i], false) || !json(always[i], true))
            fail_msg("taken: %s", always[i]);
    for (uint32_t i = 0; i < sizeof strict / sizeof *strict; i++) {
        assert_non_null(json(strict[i], true));
        assert_null(json(strict[i], false));
    }
}

static const char *query(const char *text)
{
    heard[0] = '\0';
    from = text;
    to = text + strlen(text);
    return reread_query(text, strlen(text), hear, NULL);
}

static void reread_query_takes_plain_bytes_only(void **state)
{
    (void)state;
    assert_null(query("a=1&b_c=x-2.z&d="));
    assert_string_equal(heard, "a#0=1;b_c#0=x-2.z;d#0=;");
    assert_null(query(""));
    static const char *const bad[] = {"a",       "=1",    "a=1&",  "&a=1",  "a=1&&b=2",
                                      "a=1;b=2", "a=%31", "a=x+y", "a=b=c", "a=1#x",
                                      "a=\"1\"", "a b=1", "a=1&b"};
    for (uint32_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (!query(bad[i]))
            fail_msg("taken: %s", bad[i]);
}

static const char *lines(const char *text)
{
    heard[0] = '\0';
    from = text;
    to = text + strlen(text);
    return reread_head(text, strlen(text), hear, NULL);
}

static void reread_head_takes_whole_lines_only(void **state)
{
    (void)state;
    assert_null(lines("X-Key: k 1\r\nB: \r\n"));
    assert_string_equal(heard, "X-Key:#0=k 1;B:#0=;");
    static const char *const bad[] = {"A: 1",           "A: 1\n",    "A:1\r\n",
                                      "A : 1\r\n",      ": 1\r\n",   "A: 1\r\n\r\n",
                                      "A: 1\r\n x\r\n", "A: \t\r\n", "A: 1\r\nB"};
    for (uint32_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (!lines(bad[i]))
            fail_msg("taken: %s", bad[i]);
}

static void reread_damage_never_leaves_the_text(void **state)
{
    (void)state;
    static const char good[] =
        "{\"ok\":true,\"positions\":[{\"symbol\":\"A\",\"qty\":\"-1.5\",\"m\":[1,2]}],\"n\":null}";
    static const char sharp[] = "{}[]\",:\\.0-e \r\n=&tn";
    struct rng rng;
    uint32_t taken = 0;
    print_message("seed 99\n");
    rng_seed(&rng, 99);
    for (uint32_t round = 0; round < 60000; round++) {
        size_t count = 1 + rng_below(&rng, sizeof good - 1);
        char *copy = test_malloc(count);
        memcpy(copy, good, count);
        for (uint64_t n = rng_below(&rng, 4); n; n--)
            copy[rng_below(&rng, count)] = sharp[rng_below(&rng, sizeof sharp - 1)];
        from = copy;
        to = copy + count;
        heard[0] = '\0';
        taken += !reread_json(copy, count, false, hear, NULL);
        heard[0] = '\0';
        (void)reread_query(copy, count, hear, NULL);
        heard[0] = '\0';
        (void)reread_head(copy, count, hear, NULL);
        test_free(copy);
    }
    print_message("%u taken\n", taken);
    assert_true(taken > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reread_json_gives_every_value_with_its_path),
        cmocka_unit_test(reread_json_refuses_what_can_be_read_in_two_ways),
        cmocka_unit_test(reread_query_takes_plain_bytes_only),
        cmocka_unit_test(reread_head_takes_whole_lines_only),
        cmocka_unit_test(reread_damage_never_leaves_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
