/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: no damaged document crashes the parser, is half taken, or is refused without a place.
 * Method: the demo cut at every byte length, and the demo and the reference with seeded damage
 * (bits flipped, bytes doubled, removed or replaced by YAML's own marks). Each is either refused
 * with a sentence and a zeroed document, or read into tables whose references all hold.
 */
#include <inttypes.h>
#include "base/clock.h"
#include "tests/unit/deploy/document.h"

#define CONFIGS TENON_SOURCE_DIR "/configs/"
enum { ROUNDS = 600 };

/* Every id of an accepted document points into its table; every limit binds. */
static void check_whole(const struct deploy_doc *d)
{
    assert_in_range(d->instrument_count, 1, DEPLOY_INSTRUMENTS_MAX);
    assert_in_range(d->route_count, 1, DEPLOY_ROUTES_MAX);
    assert_in_range(d->limit_count, 4, DEPLOY_LIMITS_MAX);
    for (uint32_t i = 0; i < d->instrument_count; i++) {
        assert_in_range(d->instrument[i].settle, 1, d->currency_count);
        assert_true(d->instrument[i].tick > 0 && d->instrument[i].lot > 0);
    }
    for (uint32_t i = 0; i < d->account_count; i++)
        assert_in_range(d->account[i].currency, 1, d->currency_count);
    for (uint32_t i = 0; i < d->instance_count; i++)
        assert_in_range(d->instance[i].instrument, 1, d->instrument_count);
    for (uint32_t i = 0; i < d->route_count; i++) {
        assert_in_range(d->route[i].strategy, 1, d->instance_count);
        assert_in_range(d->route[i].account, 1, d->account_count);
        assert_true(d->route[i].budget > 0);
    }
    for (uint32_t i = 0; i < d->limit_count; i++) {
        assert_in_range(d->limit[i].rule, 1, RISK_RULE_COUNT);
        assert_true(d->limit[i].limit > 0);
    }
}

/* Reads the bytes as a document; 1 if accepted. */
static uint32_t try_bytes(const char *bytes, size_t count)
{
    struct trail tr = {0};
    document_write(bytes, count);
    memset(&document_read, 0x55, sizeof(document_read));
    struct result r = deploy_read(DOC_FILE, CONFIGS "instruments.yaml", &document_read, &tr);
    if (is_ok(r)) {
        check_whole(&document_read);
        return 1;
    }
    unsigned code = 0, line = 0, col = 0;
    const char *s = trail_sentence(&tr, r);
    assert_int_equal(tr.count, 1);
    if (sscanf(s, "error[CFG%u] d.yaml:%u:%u", &code, &line, &col) != 3 || line == 0 || col == 0)
        fail_msg("no place in: %s", s);
    assert_true(document_is_zero());
    return 0;
}

static void damage_cut_at_every_length_is_refused_or_read(void **state)
{
    (void)state;
    size_t count = 0;
    uint32_t accepted = 0;
    char *text = document_slurp(CONFIGS "demo.yaml", &count);
    for (size_t n = 0; n <= count; n++) {
        uint32_t whole = try_bytes(text, n);
        if (n == count)
            assert_int_equal(whole, 1);
        accepted += whole;
    }
    /* Only the last number's digits and the line end can be missing without notice. */
    assert_in_range(accepted, 1, 5);
    free(text);
}

static size_t damage(struct rng *r, char *text, size_t count)
{
    static const char marks[] = "&*!|>%@`'\"#[]{},:-?\t\r\n\0 ~0e_.";
    size_t at = rng_below(r, count);
    switch (rng_below(r, 5)) {
    case 0:
    case 1:
        text[at] = (char)(text[at] ^ (1 << rng_below(r, 8)));
        return count;
    case 2:
        text[at] = marks[rng_below(r, sizeof(marks) - 1)];
        return count;
    case 3:
        memmove(text + at, text + at + 1, count - at - 1);
        return count - 1;
    default:
        memmove(text + at + 1, text + at, count - at);
        return count + 1;
    }
}

static void damage_by_seed(const char *path, uint64_t seed)
{
    size_t whole = 0;
    uint32_t accepted = 0;
    struct rng r;
    char *text = document_slurp(path, &whole);
    char *bytes = malloc(whole + 16);
    assert_non_null(bytes);
    print_message("seed %" PRIu64 "\n", seed);
    rng_seed(&r, seed);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        size_t count = whole;
        memcpy(bytes, text, whole);
        for (uint64_t k = 1 + rng_below(&r, 3); k > 0; k--)
            count = damage(&r, bytes, count);
        accepted += try_bytes(bytes, count);
    }
    assert_in_range(accepted, 1, ROUNDS - 1); /* comments survive damage, keys do not */
    free(bytes);
    free(text);
}

static void damage_by_seed_of_the_demo_is_refused_or_read(void **state)
{
    (void)state;
    damage_by_seed(CONFIGS "demo.yaml", 11);
}

static void damage_by_seed_of_the_reference_is_refused_or_read(void **state)
{
    (void)state;
    damage_by_seed(CONFIGS "reference.yaml", 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damage_cut_at_every_length_is_refused_or_read),
        cmocka_unit_test(damage_by_seed_of_the_demo_is_refused_or_read),
        cmocka_unit_test(damage_by_seed_of_the_reference_is_refused_or_read),
    };
    return cmocka_run_group_tests(tests, document_setup, document_teardown);
}
