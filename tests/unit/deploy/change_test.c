/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: every difference between two deployments is found once, with the right kind and the right
 * direction of risk, and the strategies whose bay must be another are named. Method: the signed
 * fixture is edited in one place and the whole list compared as text; what may not change is
 * refused with its sentence.
 */
#include "deploy/change.h"
#include "base/result.h"
#include "tests/unit/deploy/live.h"

/* "+ path: before -> after" per row, the sign being the direction of risk. */
static void rows_text(const struct change *c, char *out, size_t bytes)
{
    size_t used = 0;
    out[0] = 0;
    for (uint32_t i = 0; i < c->row_count; i++) {
        const struct change_row *r = &c->row[i];
        used += (size_t)snprintf(out + used, bytes - used, "%s%s: %s -> %s\n",
                                 r->direction == CHANGE_RAISES     ? "raises "
                                 : r->direction == CHANGE_TIGHTENS ? "tightens "
                                                                   : "",
                                 r->path, r->before, r->after);
        assert_true(used < bytes);
    }
}

struct expected {
    struct live_edit edit[6];
    uint32_t kinds;
    const char *rows;
    const char *swaps; /* names with blanks */
};

static void expect(const struct expected *e)
{
    static char text[16384];
    char swaps[256] = "";
    struct live *l = live_new(e->edit);
    rows_text(&l->change, text, sizeof(text));
    assert_string_equal(text, e->rows);
    assert_int_equal(l->change.kinds, e->kinds);
    for (uint32_t i = 0; i < l->is.instance_count; i++)
        if (l->change.swaps[i])
            strcat(strcat(swaps, swaps[0] != 0 ? " " : ""), l->is.instance[i].fact.name);
    assert_string_equal(swaps, e->swaps);
    bool raises = strstr(text, "raises ") != NULL;
    assert_int_equal(l->change.raises, raises);
    assert_int_equal(l->change.tightens, strstr(text, "tightens ") != NULL);
    free(l);
}

#define HASH_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define HASH_CROSS "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void change_of_nothing_but_the_form_is_empty(void **state)
{
    (void)state;
    static const struct expected same[] = {
        {{{"serial: 2", "serial: 3"}}, 0, "", ""},
        {{{"k: 0.5", "k: 0.50"}}, 0, "", ""},
        {{{"budget: \"20000\"", "budget: 20000.00"}}, 0, "", ""},
        {{{"due: 5ms", "due: 5000us"}}, 0, "", ""},
        {{{"params: {target_ppm: 900000, k: 0.5}", "params: {k: 0.5, target_ppm: 900000}"}},
         0,
         "",
         ""},
        {{{"seed: 7", "seed: 7\nswap: {hear: 60s, probation: 30m, denials: 12}"}}, 0, "", ""},
        /* routes and limits stand in another order */
        {{{"  - {strategy: cross, instrument: COIN, account: paper, env: paper, budget: "
           "\"20000\"}\n",
           ""},
          {"limits:\n  all:",
           "  - {strategy: cross, instrument: COIN, account: paper, env: paper, budget: 20000}\n"
           "limits:\n  all:"}},
         0,
         "",
         ""},
    };
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
        expect(&same[i]);
    struct live *l = live_new(same[0].edit);
    assert_false(l->change.only_tightens); /* nothing is not tighter */
    free(l);
}

static void change_of_code_swaps_who_listens_to_it(void **state)
{
    (void)state;
    static const struct expected code[] = {
        {{{"plugin: ema_cross\n    version: 1.0.0", "plugin: ema_cross\n    version: 1.1.0"},
          {HASH_CROSS, HASH_B}},
         CHANGE_PLUGIN,
         "instances.cross.version: 1.0.0 -> 1.1.0\n"
         "instances.cross.sha256: 001122334455 -> bbbbbbbbbbbb\n",
         "cross"},
        {{{"{period: 12}", "{period: 9}"}},
         CHANGE_PARAMS,
         "instances.fast.params.period: 12 -> 9\n",
         "cross"},
        {{{"k: 0.5}", "stop_ppm: 10000}"}},
         CHANGE_PARAMS,
         "instances.cross.params.stop_ppm:  -> 10000\ninstances.cross.params.k: 0.5 -> \n",
         "cross"},
        {{{"due: 5ms", "due: 6ms"}}, CHANGE_PARAMS, "instances.cross.due: 5ms -> 6ms\n", "cross"},
        {{{"due: 5ms", "due: 5ms\n    bay: process\n    cpu: 1"}},
         CHANGE_PARAMS,
         "instances.cross.bay: inline -> process, block, cpu 1\n",
         "cross"},
        {{{"{fast: fast.value, slow: slow.value}", "{fast: slow.value, slow: fast.value}"}},
         CHANGE_PARAMS,
         "instances.cross.inputs.fast: fast.value -> slow.value\n"
         "instances.cross.inputs.slow: slow.value -> fast.value\n",
         "cross"},
        /* A plugin is told tick and lot once, when it is created. */
        {{{"tick: 0.01\n    lot: 1\n", "tick: 0.05\n    lot: 1\n"}},
         CHANGE_MARKET,
         "instruments.SHARE.tick: 0.01 -> 0.05\n",
         "hold twin"},
    };
    for (size_t i = 0; i < sizeof(code) / sizeof(code[0]); i++)
        expect(&code[i]);
}

static void change_of_limits_is_judged_by_what_holds(void **state)
{
    (void)state;
    static const struct expected limits[] = {
        {{{"max_open_orders: 20", "max_open_orders: 21"}},
         CHANGE_LIMIT,
         "raises limits.all.max_open_orders: 20 -> 21\n",
         ""},
        {{{"max_order_value: \"25000\"", "max_order_value: \"24999.5\""}},
         CHANGE_LIMIT,
         "tightens limits.all.max_order_value: 25000 -> 24999.5\n",
         ""},
        {{{"max_position_qty: 50,", "max_position_qty: 60,"}},
         CHANGE_LIMIT,
         "raises limits.by_strategy.hold.max_position_qty: 50 -> 60\n",
         ""},
        /* A dropped row: its strategy falls back to 200 for the instrument. */
        {{{"max_position_qty: 50, ", ""}},
         CHANGE_LIMIT,
         "raises limits.by_strategy.hold.max_position_qty: 50 -> \n",
         ""},
        /* A collar of 5 % where the default of 2 % held is more, one of 1 % is less. */
        {{{"  by_instrument:", "    price_collar_pct: 5\n  by_instrument:"}},
         CHANGE_LIMIT,
         "raises limits.all.price_collar_pct:  -> 5\n",
         ""},
        {{{"  by_instrument:", "    price_collar_pct: 1.5\n  by_instrument:"}},
         CHANGE_LIMIT,
         "tightens limits.all.price_collar_pct:  -> 1.5\n",
         ""},
        /* The default, said: nothing holds otherwise. */
        {{{"  by_instrument:", "    price_collar_pct: 2\n  by_instrument:"}},
         CHANGE_LIMIT,
         "limits.all.price_collar_pct:  -> 2\n",
         ""},
        {{{", price_collar_pct: 1}", "}"}},
         CHANGE_LIMIT,
         "raises limits.by_strategy.hold.price_collar_pct: 1 -> \n",
         ""},
        /* From all to each instrument, the same figure. */
        {{{"    max_exposure_pct: 20\n", ""},
          {"max_position_qty: 2}", "max_position_qty: 2, max_exposure_pct: 20}"},
          {"max_position_qty: 200}", "max_position_qty: 200, max_exposure_pct: 20}"}},
         CHANGE_LIMIT,
         "limits.by_instrument.COIN.max_exposure_pct:  -> 20\n"
         "limits.by_instrument.SHARE.max_exposure_pct:  -> 20\n"
         "limits.all.max_exposure_pct: 20 -> \n",
         ""},
    };
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        expect(&limits[i]);
    struct live *l = live_new(limits[1].edit);
    assert_true(l->change.only_tightens);
    free(l);
}

static void change_of_routes_budgets_and_times_has_a_direction(void **state)
{
    (void)state;
    static const struct expected rows[] = {
        {{{"budget: 1000}", "budget: 1000.01}"}},
         CHANGE_BUDGET,
         "raises routes.twin.SHARE.budget: 1000 USD -> 1000.01 USD\n",
         ""},
        {{{"budget: 1000}", "budget: 999}"}},
         CHANGE_BUDGET,
         "tightens routes.twin.SHARE.budget: 1000 USD -> 999 USD\n",
         ""},
        {{{"  - {strategy: twin, instrument: SHARE, account: paper, env: paper, budget: 1000}\n",
           ""}},
         CHANGE_ROUTE,
         "tightens routes.twin.SHARE: paper, budget 1000 USD -> \n",
         ""},
        {{{"seed: 7", "seed: 7\nrun_until: 2027-01-01T00:00:00Z"}},
         CHANGE_TIMES,
         "tightens run_until:  -> 2027-01-01T00:00:00Z\n",
         ""},
        {{{"seed: 7", "seed: 7\nswap: {hear: 2m, denials: 16}"}},
         CHANGE_TIMES,
         "swap.hear: 1m -> 2m\nswap.denials: 12 -> 16\n",
         ""},
        {{{"degraded_after: 5m", "degraded_after: 6m"}},
         CHANGE_MARKET,
         "raises instruments.COIN.degraded_after: 5m -> 6m\n",
         ""},
        {{{"    price_max: 5000\n", ""}},
         CHANGE_MARKET,
         "raises instruments.SHARE.price_max: 5000 -> \n",
         ""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        expect(&rows[i]);
}

static void change_of_who_is_there_names_what_came_and_went(void **state)
{
    (void)state;
    static const struct expected one = {
        {{"  twin:\n    plugin: holder", "  third:\n    plugin: holder"},
         {"strategy: twin", "strategy: third"}},
        CHANGE_ADDED | CHANGE_REMOVED | CHANGE_ROUTE,
        "instances.third:  -> holder 2.1.0\n"
        "instances.twin: holder 2.1.0 -> \n"
        "raises routes.third.SHARE:  -> paper, budget 1000 USD\n"
        "tightens routes.twin.SHARE: paper, budget 1000 USD -> \n",
        "third"};
    expect(&one);
}

static void change_against_nothing_is_all_new_and_raises(void **state)
{
    (void)state;
    struct live *l = calloc(1, sizeof(*l));
    struct trail tr = {0};
    assert_non_null(l);
    char *text = live_text();
    live_parse(text, &l->is);
    assert_true(is_ok(change_find(NULL, &l->is, &l->change, &tr)));
    assert_true(l->change.raises);
    assert_false(l->change.only_tightens);
    assert_int_equal(l->change.swap_count, 3);
    for (uint32_t i = 0; i < l->change.row_count; i++)
        assert_string_equal(l->change.row[i].before, "");
    for (uint32_t i = 0; i < l->is.instance_count; i++)
        assert_true(l->change.differs[i]);
    assert_true(is_ok(change_allowed(NULL, &l->is, &tr)));
    free(text);
    free(l);
}

static void change_lines_are_of_their_files(void **state)
{
    (void)state;
    static const struct live_edit edit[] = {{"seed: 7", "# one more line\nseed: 7"},
                                            {"{period: 12}", "{period: 9}"},
                                            {"max_open_orders: 20", "max_open_orders: 5"},
                                            {NULL, NULL}};
    struct live *l = live_new(edit);
    assert_int_equal(l->change.row_count, 2);
    assert_int_equal(l->change.row[0].new_line, l->change.row[0].old_line + 1);
    assert_int_equal(l->change.row[1].new_line, l->change.row[1].old_line + 1);
    assert_int_equal(l->change.row[1].old_line, 95);
    free(l);
}

struct refused {
    struct live_edit edit[5];
    const char *sentence;
};

static void change_of_what_is_fixed_is_refused(void **state)
{
    (void)state;
    static const struct refused bad[] = {
        {{{"host: lab", "host: bal"}},
         "error[CFG021] next.yaml:4:1 host: cannot change from lab to bal while the host runs; "
         "keep "
         "lab, or start a new journal with this file"},
        {{{"seed: 7", "seed: 8"}},
         "error[CFG021] next.yaml:9:1 seed: cannot change from 7 to 8 while the host runs; keep 7, "
         "or start a new journal with this file"},
        {{{"price_exponent: -8", "price_exponent: -6"}},
         "error[CFG021] next.yaml:24:1 instruments.COIN.price_exponent: cannot change from -8 to "
         "-6 "
         "while the host runs; keep -8, or start a new journal with this file"},
        {{{"multiplier: 1\n", "multiplier: 10\n"}},
         "error[CFG021] next.yaml:24:1 instruments.COIN.multiplier: cannot change from 1 to 10 "
         "while the host runs; keep 1, or start a new journal with this file"},
        {{{"contract: linear", "contract: inverse"}},
         "error[CFG021] next.yaml:24:1 instruments.COIN.contract: cannot change from linear to "
         "inverse while the host runs; keep linear, or start a new journal with this file"},
        {{{"{exponent: -8}", "{exponent: -6}"}},
         "error[CFG021] next.yaml:11:1 currencies.USD.exponent: cannot change from -8 to -6 while "
         "the host runs; keep -8, or start a new journal with this file"},
        {{{"balance: \"100000\"", "balance: \"100001\""}},
         "error[CFG021] next.yaml:13:1 accounts.paper.balance: cannot change from 100000 to 100001 "
         "while the host runs; keep 100000, or start a new journal with this file"},
        {{{"taker_fee_bps: 5", "taker_fee_bps: 4"}},
         "error[CFG021] next.yaml:13:1 accounts.paper.venue.taker_fee_bps: cannot change from 5 to "
         "4 while the host runs; keep 5, or start a new journal with this file"},
        {{{"  spare:", "  other:"}},
         "error[CFG021] next.yaml:18:1 accounts: other is a new account, and its venue is opened "
         "when the host starts; leave it out, or start a new journal with this file"},
        {{{"  SHARE:\n    contract: linear", "  STOCK:\n    contract: linear"},
          {"instrument: SHARE\n    bar: none", "instrument: STOCK\n    bar: none"},
          {"    instrument: SHARE\n", "    instrument: STOCK\n"},
          {"hold, instrument: SHARE", "hold, instrument: STOCK"},
          {"twin, instrument: SHARE, account: paper, env: paper, budget: 1000}\nlimits:\n  all:\n "
           "   max_order_value: \"25000\"\n    max_exposure_pct: 20\n    max_open_orders: 20\n  "
           "by_instrument:\n    COIN: {max_order_qty: 0.5, max_position_qty: 2}\n    SHARE:",
           "twin, instrument: STOCK, account: paper, env: paper, budget: 1000}\nlimits:\n  all:\n "
           "   max_order_value: \"25000\"\n    max_exposure_pct: 20\n    max_open_orders: 20\n  "
           "by_instrument:\n    COIN: {max_order_qty: 0.5, max_position_qty: 2}\n    STOCK:"}},
         "error[CFG021] next.yaml:37:1 instruments: STOCK is a new instrument, and its market data "
         "is opened when the host starts; leave it out, or start a new journal with this file"},
        {{{"twin, instrument: SHARE, account: paper", "twin, instrument: SHARE, account: spare"}},
         "error[CFG021] next.yaml:90:1 routes.twin.account: cannot change from paper to spare "
         "while the host runs; keep paper, or start a new journal with this file"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct live_edit edit[6] = {{NULL, NULL}};
        struct trail tr = {0};
        memcpy(edit, bad[i].edit, sizeof(bad[i].edit));
        struct live *l = live_new(edit);
        struct result r = change_allowed(&l->was, &l->is, &tr);
        assert_int_equal(r.code, RESULT_CONFIG);
        assert_string_equal(trail_sentence(&tr, r), bad[i].sentence);
        free(l);
    }
}

#define NO_TWIN                                                                                    \
    "  - {strategy: twin, instrument: SHARE, account: paper, env: paper, budget: 1000}\n", ""

static void change_on_remove_is_about_who_leaves(void **state)
{
    (void)state;
    static const struct refused ask[] = {
        {{{NO_TWIN}, {"seed: 7", "seed: 7\non_remove: {twin: flatten}"}}, NULL},
        {{{NO_TWIN}, {"seed: 7", "seed: 7\non_remove: {twin: {hand_to: hold}}"}}, NULL},
        {{{NO_TWIN}, {"seed: 7", "seed: 7\non_remove: {twinn: flatten}"}},
         "error[CFG014] next.yaml:10:1 on_remove.twinn: no strategy of this name loses its route; "
         "remove the line; allowed twin; nearest known strategy twin"},
        {{{"seed: 7", "seed: 7\non_remove: {twin: flatten}"}},
         "error[CFG014] next.yaml:10:1 on_remove.twin: no strategy of this name loses its route; "
         "remove the line; allowed none"},
        {{{NO_TWIN}, {"seed: 7", "seed: 7\non_remove: {twin: {hand_to: cross}}"}},
         "error[CFG018] next.yaml:10:1 on_remove.twin: cross has no route to SHARE on account "
         "paper, so it cannot take over what twin owns there; name a strategy that has, or write "
         "flatten"},
    };
    for (size_t i = 0; i < sizeof(ask) / sizeof(ask[0]); i++) {
        struct live_edit edit[6] = {{NULL, NULL}};
        struct trail tr = {0};
        memcpy(edit, ask[i].edit, sizeof(ask[i].edit));
        struct live *l = live_new(edit);
        struct result r = change_allowed(&l->was, &l->is, &tr);
        assert_int_equal(is_ok(r), ask[i].sentence == NULL);
        if (ask[i].sentence != NULL)
            assert_string_equal(trail_sentence(&tr, r), ask[i].sentence);
        free(l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(change_of_nothing_but_the_form_is_empty),
        cmocka_unit_test(change_of_code_swaps_who_listens_to_it),
        cmocka_unit_test(change_of_limits_is_judged_by_what_holds),
        cmocka_unit_test(change_of_routes_budgets_and_times_has_a_direction),
        cmocka_unit_test(change_of_who_is_there_names_what_came_and_went),
        cmocka_unit_test(change_against_nothing_is_all_new_and_raises),
        cmocka_unit_test(change_lines_are_of_their_files),
        cmocka_unit_test(change_of_what_is_fixed_is_refused),
        cmocka_unit_test(change_on_remove_is_about_who_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
