/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: no window of the venue's length ever holds more than its weight, wherever it begins; what
 * takes no risk off leaves a fifth free, and nobody but the kill takes the last tenth; what is told
 * to wait fits when it comes back.
 * Method: seeded streams; every window that ends at a spend is summed by hand.
 */
#include "tests/unit/base/dies.h"
#include "base/clock.h"
#include "egress/rate.h"

enum { SPENDS = 4000 };
struct spend {
    int64_t at;
    uint32_t weight;
};
static struct spend spent[SPENDS];

static uint64_t window(uint32_t count, int64_t per_ns)
{
    uint64_t sum = 0;
    for (uint32_t i = count; i-- > 0 && spent[i].at > spent[count - 1].at - per_ns;)
        sum += spent[i].weight;
    return sum;
}

static void rate_no_window_holds_more_than_its_weight(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct rng rng;
        struct rate r;
        print_message("seed %llu\n", (unsigned long long)seed);
        rng_seed(&rng, seed);
        uint32_t weight = 10 + (uint32_t)rng_below(&rng, 2000);
        int64_t per_ns = 1000 + (int64_t)rng_below(&rng, 1000000000), now = 1ll << 50;
        rate_init(&r, weight, per_ns);
        for (uint32_t n = 0; n < SPENDS;) {
            uint32_t w = 1 + (uint32_t)rng_below(&rng, weight / 5);
            enum rate_use use = (enum rate_use)(RATE_OPEN + rng_below(&rng, 3));
            now += rng_below(&rng, 4) ? 0 : (int64_t)rng_below(&rng, (uint64_t)per_ns / 4);
            if (!rate_fits(&r, now, w, use)) {
                int64_t when = rate_when(&r, now, w, use);
                /* a piece more for each time that the clock was set within the window */
                assert_true(when > now && when <= now + per_ns + per_ns / 4 + 68);
                assert_false(rate_fits(&r, when - 1, w, use));
                assert_true(rate_fits(&r, when, w, use));
                now = when;
            }
            rate_spend(&r, now, w);
            rate_check(&r);
            if (rng_below(&rng, 50) == 0) { /* the clock is set; the venue's is not */
                int64_t by = (int64_t)rng_below(&rng, (uint64_t)per_ns * 40) - per_ns * 20;
                rate_shift(&r, by);
                rate_check(&r);
                now += by;
                for (uint32_t i = 0; i < n; i++)
                    spent[i].at += by;
            }
            spent[n++] = (struct spend){now, w};
            uint64_t sum = window(n, per_ns);
            assert_true(sum <= weight);
            if (use == RATE_OPEN)
                assert_true(sum <= weight / 5 * 4 + 4);
            if (use == RATE_REDUCE)
                assert_true(sum <= weight / 10 * 9 + 9);
        }
    }
}

static void rate_edges(void **state)
{
    (void)state;
    struct rate r;
    rate_init(&r, 0, 0); /* no budget: everything is free */
    assert_true(rate_fits(&r, 5, 1000000, RATE_OPEN));
    rate_spend(&r, 5, 1000000);
    assert_int_equal(rate_when(&r, 5, 7, RATE_OPEN), 5);
    rate_init(&r, 10, 1000);
    assert_true(rate_fits(&r, 0, 8, RATE_OPEN));
    assert_false(rate_fits(&r, 0, 9, RATE_OPEN));
    assert_true(rate_fits(&r, 0, 10, RATE_KILL));
    assert_false(rate_fits(&r, 0, 11, RATE_KILL));
    assert_int_equal(rate_when(&r, 0, 11, RATE_KILL), INT64_MAX);
    assert_true(rate_fits(&r, 0, 9, RATE_REDUCE));
    assert_true(rate_fits(&r, 0, 10, RATE_REDUCE)); /* it would never go otherwise */
    rate_spend(&r, 0, 1);
    assert_false(rate_fits(&r, 0, 9, RATE_REDUCE));
    assert_true(rate_fits(&r, 0, 9, RATE_KILL));
    rate_spend(&r, 5000, 8);
    assert_false(rate_fits(&r, 100, 8, RATE_OPEN)); /* time never goes back */
    assert_true(rate_fits(&r, INT64_MAX / 2, 8, RATE_OPEN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rate_no_window_holds_more_than_its_weight),
        cmocka_unit_test(rate_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
