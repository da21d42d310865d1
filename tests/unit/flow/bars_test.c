/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: bars lie on the grid, close once and at the right event, and lose no trade unsaid.
 * Method: hand-made trades at the edges, then random tapes (seed printed) against a plain second
 * computation that sorts every trade into its interval.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "flow/bars.h"

enum { MINUTE = 60 };

static void bars_trades_of_one_interval_make_one_bar(void **state)
{
    (void)state;
    struct bars b;
    struct bars_bar bar;
    bars_init(&b, MINUTE);
    assert_int_equal(bars_deadline(&b), INT64_MAX);
    bars_trade(&b, 125, 10, 1, false);
    bars_trade(&b, 130, 15, 2, false);
    bars_trade(&b, 130, 7, 3, false);
    bars_trade(&b, 179, 9, 4, false);
    assert_int_equal(bars_deadline(&b), 180);
    assert_false(bars_time(&b, 179, &bar));
    assert_true(bars_time(&b, 180, &bar));
    assert_int_equal(bar.open_ns, 120);
    assert_int_equal(bar.end_ns, 180);
    assert_int_equal(bar.open, 10);
    assert_int_equal(bar.high, 15);
    assert_int_equal(bar.low, 7);
    assert_int_equal(bar.close, 9);
    assert_int_equal(bar.volume, 10);
    assert_int_equal(bar.trades, 4);
    assert_false(bars_time(&b, 500, &bar)); /* once, and none for the silence after it */
    assert_int_equal(bars_deadline(&b), INT64_MAX);
}

static void bars_trade_at_the_end_belongs_to_the_next(void **state)
{
    (void)state;
    struct bars b;
    struct bars_bar bar;
    bars_init(&b, MINUTE);
    bars_trade(&b, 119, 1, 1, false);
    assert_true(bars_time(&b, 120, &bar));
    bars_trade(&b, 120, 2, 1, false);
    assert_int_equal(bar.end_ns, 120);
    assert_int_equal(bar.close, 1);
    assert_int_equal(b.bar.open_ns, 120);
    assert_int_equal(bars_deadline(&b), 180);
}

static void bars_before_the_epoch_lie_on_the_same_grid(void **state)
{
    (void)state;
    struct bars b;
    struct bars_bar bar;
    bars_init(&b, MINUTE);
    bars_trade(&b, -61, 5, 1, false);
    assert_int_equal(b.bar.open_ns, -120);
    assert_true(bars_time(&b, -60, &bar));
    bars_trade(&b, -60, 5, 1, false);
    assert_int_equal(b.bar.open_ns, -60);
    assert_true(bars_time(&b, 0, &bar));
    assert_int_equal(bar.end_ns, 0);
}

static void bars_late_trade_reopens_nothing(void **state)
{
    (void)state;
    struct bars b;
    struct bars_bar bar;
    bars_init(&b, MINUTE);
    bars_trade(&b, 130, 10, 1, false);
    bars_trade(&b, 119, 99, 1, false); /* before the open bar */
    assert_int_equal(b.late, 1);
    assert_true(bars_time(&b, 180, &bar));
    assert_int_equal(bar.high, 10);
    bars_trade(&b, 179, 99, 1, false); /* before the end of the closed one */
    assert_int_equal(b.late, 2);
    assert_int_equal(bars_deadline(&b), INT64_MAX);
    bars_trade(&b, 180, 11, 1, false);
    assert_int_equal(b.bar.open, 11);
}

static void bars_trade_without_price_or_quantity_is_counted(void **state)
{
    (void)state;
    struct bars b;
    bars_init(&b, MINUTE);
    bars_trade(&b, 1, 0, 1, false);
    bars_trade(&b, 1, -5, 1, false);
    bars_trade(&b, 1, 5, 0, false);
    assert_int_equal(b.odd, 3);
    assert_int_equal(bars_deadline(&b), INT64_MAX);
}

static void bars_edges_of_time_and_volume_do_not_wrap(void **state)
{
    (void)state;
    struct bars b;
    struct bars_bar bar;
    bars_init(&b, MINUTE);
    bars_trade(&b, INT64_MAX - 1, 5, INT64_MAX, false);
    assert_int_equal(bars_deadline(&b), INT64_MAX);
    bars_trade(&b, INT64_MAX - 1, 5, 1, false);
    assert_int_equal(b.bar.volume, INT64_MAX);
    assert_true(bars_time(&b, INT64_MAX, &bar));
}

static void bars_history_is_told_from_live(void **state)
{
    (void)state;
    struct bars b;
    struct bars_bar bar;
    bars_init(&b, MINUTE);
    bars_trade(&b, 1, 5, 1, true);
    assert_true(bars_time(&b, 60, &bar));
    assert_int_equal(bar.has_live, 0);
    bars_trade(&b, 61, 5, 1, true);
    bars_trade(&b, 62, 5, 1, false);
    bars_trade(&b, 63, 5, 1, true);
    assert_true(bars_time(&b, 120, &bar));
    assert_int_equal(bar.has_live, 1);
}

/* The second computation: all trades whose time divides down to this start. */
enum { TAPE = 400 };
struct tape {
    int64_t t[TAPE], price[TAPE], qty[TAPE];
};

static void expect_bar(const struct tape *tape, int64_t bar_ns, const struct bars_bar *bar)
{
    int64_t high = INT64_MIN, low = INT64_MAX, volume = 0, first = -1, last = -1;
    uint32_t trades = 0;
    for (int i = 0; i < TAPE; i++) {
        if (tape->t[i] / bar_ns != bar->open_ns / bar_ns)
            continue;
        high = tape->price[i] > high ? tape->price[i] : high;
        low = tape->price[i] < low ? tape->price[i] : low;
        volume += tape->qty[i];
        first = trades == 0 ? tape->price[i] : first;
        last = tape->price[i];
        trades++;
    }
    assert_true(trades > 0);
    assert_int_equal(bar->open_ns % bar_ns, 0);
    assert_int_equal(bar->end_ns - bar->open_ns, bar_ns);
    assert_int_equal(bar->trades, trades);
    assert_int_equal(bar->high, high);
    assert_int_equal(bar->low, low);
    assert_int_equal(bar->volume, volume);
    assert_int_equal(bar->open, first);
    assert_int_equal(bar->close, last);
}

static void tape_fill(struct tape *tape, uint64_t seed)
{
    int64_t t = 0;
    for (int i = 0; i < TAPE; i++) {
        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        t += (int64_t)((seed >> 40) % 50);
        tape->t[i] = t;
        tape->price[i] = 1 + (int64_t)((seed >> 20) % 1000);
        tape->qty[i] = 1 + (int64_t)((seed >> 33) % 100);
    }
}

static void bars_random_tape_equals_a_plain_sort(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct tape tape;
        struct bars b;
        struct bars_bar bar;
        const int64_t bar_ns = 7 + (int64_t)seed * 3;
        uint32_t trades = 0;
        tape_fill(&tape, seed);
        bars_init(&b, bar_ns);
        print_message("seed %" PRIu64 "\r", seed);
        for (int i = 0; i < TAPE; i++) {
            const int64_t tick = bars_deadline(&b);
            /* Every second seed is driven by ticks at the deadline, the others by trades only. */
            if (bars_time(&b, seed % 2 && tick <= tape.t[i] ? tick : tape.t[i], &bar)) {
                expect_bar(&tape, bar_ns, &bar);
                trades += bar.trades;
            }
            bars_trade(&b, tape.t[i], tape.price[i], tape.qty[i], false);
        }
        assert_true(bars_time(&b, INT64_MAX, &bar));
        expect_bar(&tape, bar_ns, &bar);
        assert_int_equal(trades + bar.trades, TAPE);
        assert_int_equal(b.late + b.odd, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bars_trades_of_one_interval_make_one_bar),
        cmocka_unit_test(bars_trade_at_the_end_belongs_to_the_next),
        cmocka_unit_test(bars_before_the_epoch_lie_on_the_same_grid),
        cmocka_unit_test(bars_late_trade_reopens_nothing),
        cmocka_unit_test(bars_trade_without_price_or_quantity_is_counted),
        cmocka_unit_test(bars_edges_of_time_and_volume_do_not_wrap),
        cmocka_unit_test(bars_history_is_told_from_live),
        cmocka_unit_test(bars_random_tape_equals_a_plain_sort),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
