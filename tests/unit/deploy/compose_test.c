/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: what the program writes parses, says what its source said, is the same bytes each time, and
 * a rollback never allows more than either of the two documents it stands between. Method:
 * proposals of shipped and odd files are parsed and compared with their source; rollbacks of edited
 * fixtures are parsed and each route's effective limit is compared with both sides, rule by rule;
 * one rollback is compared word by word.
 */
#include "deploy/compose.h"
#include "base/clock.h"
#include "base/hash.h"
#include "deploy/change.h"
#include "deploy/change_priv.h"
#include "tests/unit/deploy/document.h"
#include "tests/unit/deploy/live.h"

#define CONFIGS TENON_SOURCE_DIR "/configs/"

static const struct compose_head head = {.serial = 3,
                                         .parent = {0xab, 0xcd},
                                         .not_before_ns = 1795179600000000000,
                                         .expires_ns = 1795266000000000000};

struct pins {
    uint32_t asked;
    const char *missing; /* this plugin is not there */
};

static struct result pin(void *arg, const char *plugin, const char *version, const char *path,
                         uint8_t sha256[FACT_HASH_BYTES], struct trail *tr)
{
    struct pins *p = arg;
    assert_non_null(path);
    p->asked++;
    if (p->missing != NULL && strcmp(p->missing, plugin) == 0)
        return FAIL(tr, NOT_FOUND, "plugin %s %s: is not there; build it", plugin, version);
    memset(sha256, plugin[0], FACT_HASH_BYTES);
    sha256[1] = (uint8_t)version[2];
    return OK_RESULT;
}

static struct deploy_doc source, made;
static struct change between;

static char *propose(const char *path, const char *table, const char *symbol, struct pins *p)
{
    struct trail tr = {0};
    char *text = NULL, *again = NULL;
    struct result r = compose_proposal(path, table, symbol, &head, pin, p, &text, &tr);
    if (!is_ok(r))
        fail_msg("%s", trail_sentence(&tr, r));
    assert_true(is_ok(compose_proposal(path, table, symbol, &head, pin, p, &again, &tr)));
    assert_string_equal(text, again);
    free(again);
    return text;
}

/* Only pins are new, and the head is what was asked for. */
static void same_but_for_pins(const char *text)
{
    struct trail tr = {0};
    live_parse(text, &made);
    assert_int_equal(made.fact.serial, 3);
    assert_memory_equal(made.parent, head.parent, sizeof(head.parent));
    assert_int_equal(made.not_before_ns, head.not_before_ns);
    assert_int_equal(made.expires_ns, head.expires_ns);
    assert_memory_equal(made.template_sha256, source.fact.sha256, FACT_HASH_BYTES);
    assert_int_equal(made.seed, source.seed);
    assert_string_equal(made.host, source.host);
    assert_int_equal(made.instance_count, source.instance_count);
    assert_int_equal(made.remove_count, source.remove_count);
    for (uint32_t i = 0; i < source.instance_count; i++)
        assert_string_equal(made.instance[i].fact.name, source.instance[i].fact.name);
    assert_true(is_ok(change_find(&source, &made, &between, &tr)));
    for (uint32_t i = 0; i < between.row_count; i++) {
        const char *key = strrchr(between.row[i].path, '.');
        if (strcmp(key, ".sha256") != 0 || between.row[i].before[0] != 0)
            fail_msg("%s changed from %s to %s", between.row[i].path, between.row[i].before,
                     between.row[i].after);
    }
}

static void compose_proposal_says_what_its_file_says(void **state)
{
    (void)state;
    static const char *const files[] = {"demo.yaml", "paper-bars.yaml", "paper-tape.yaml",
                                        "paper-us-share.yaml"};
    struct trail tr = {0};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct pins p = {.asked = 0};
        char path[256];
        snprintf(path, sizeof(path), CONFIGS "%s", files[i]);
        assert_true(is_ok(deploy_read(path, CONFIGS "instruments.yaml", &source, &tr)));
        char *text = propose(path, CONFIGS "instruments.yaml", NULL, &p);
        assert_int_equal(p.asked, 2 * source.instance_count); /* composed twice */
        same_but_for_pins(text);
        free(text);
    }
}

static void compose_proposal_keeps_odd_values_as_written(void **state)
{
    (void)state;
    struct pins p = {.asked = 0};
    struct trail tr = {0};
    char *text = live_text();
    text = live_replace(text, "serial: 2", "serial: 2\nrollback_of: 1");
    text = live_replace(text, "seed: 7",
                        "seed: 7\nrun_until: 2027-01-01T00:00:00Z\n"
                        "on_remove: {\"no\": flatten, other: {hand_to: hold}}");
    text = live_replace(text, "{target_ppm: 900000, k: 0.5}", "{target_ppm: 900000.00, k: -0.50}");
    text =
        live_replace(text, "    plugin: holder\n", "    plugin: holder\n    path: '/a \"b\"\\c'\n");
    document_write(text, strlen(text));
    free(text);
    assert_true(is_ok(deploy_read(DOC_FILE, NULL, &source, &tr)));
    text = propose(DOC_FILE, NULL, NULL, &p);
    assert_int_equal(p.asked, 0); /* all pins were there */
    same_but_for_pins(text);
    assert_non_null(strstr(text, "      k: -0.50\n"));
    assert_non_null(strstr(text, "    path: '/a \"b\"\\c'\n"));
    assert_non_null(strstr(text, "on_remove:\n  \"no\": flatten\n  other:\n    hand_to: hold\n"));
    assert_non_null(strstr(text, "run_until: 2027-01-01T00:00:00Z\n"));
    assert_null(strstr(text, "rollback_of")); /* a proposal takes nothing back */
    free(text);
}

static void compose_proposal_takes_another_instrument(void **state)
{
    (void)state;
    struct pins p = {.asked = 0};
    struct trail tr = {0};
    assert_true(is_ok(deploy_read_as(CONFIGS "paper-bars.yaml", CONFIGS "instruments.yaml",
                                     "ETH-USD", &source, &tr)));
    char *text = propose(CONFIGS "paper-bars.yaml", CONFIGS "instruments.yaml", "ETH-USD", &p);
    live_parse(text, &made);
    assert_string_equal(made.instrument[0].symbol, "ETH-USD");
    assert_null(strstr(text, "BTC-USD"));
    same_but_for_pins(text);
    free(text);
}

static void compose_proposal_that_cannot_be_is_refused(void **state)
{
    (void)state;
    struct pins p = {.missing = "ema_cross"};
    struct trail tr = {0};
    char *text = NULL;
    struct result r = compose_proposal(CONFIGS "demo.yaml", CONFIGS "instruments.yaml", NULL, &head,
                                       pin, &p, &text, &tr);
    assert_int_equal(r.code, RESULT_NOT_FOUND);
    assert_string_equal(trail_sentence(&tr, r), "plugin ema_cross 1.0.0: is not there; build it");
    assert_null(text);
    /* Without pins a serial of 1 or more says so itself. */
    memset(&tr, 0, sizeof(tr));
    r = compose_proposal(CONFIGS "demo.yaml", CONFIGS "instruments.yaml", NULL, &head, NULL, NULL,
                         &text, &tr);
    assert_int_equal(r.code, RESULT_CONFIG);
    assert_non_null(strstr(trail_sentence(&tr, r), "the key sha256 is missing"));
    assert_null(text);
    memset(&tr, 0, sizeof(tr));
    struct compose_head late = head;
    late.expires_ns = late.not_before_ns;
    p.missing = NULL;
    r = compose_proposal(CONFIGS "demo.yaml", CONFIGS "instruments.yaml", NULL, &late, pin, &p,
                         &text, &tr);
    assert_non_null(strstr(trail_sentence(&tr, r), "so it could never be promoted"));
    assert_null(text);
}

/* ---- rollback ---- */
static struct deploy_doc old_doc, now_doc, back;

/* The fixture edited twice: what was before, and what is active (serial 5, say). */
static char *roll_back(const struct live_edit *old_edit, const struct live_edit *now_edit)
{
    struct trail tr = {0};
    char *old_text = live_edited(old_edit), *text = NULL, *again = NULL;
    char *now_text = live_replace(live_edited(now_edit), "serial: 2", "serial: 5");
    struct result r =
        compose_rollback(old_text, strlen(old_text), now_text, strlen(now_text), &text, &tr);
    if (!is_ok(r))
        fail_msg("%s", trail_sentence(&tr, r));
    assert_true(is_ok(
        compose_rollback(old_text, strlen(old_text), now_text, strlen(now_text), &again, &tr)));
    assert_string_equal(text, again);
    live_parse(old_text, &old_doc);
    live_parse(now_text, &now_doc);
    live_parse(text, &back);
    free(again);
    free(old_text);
    free(now_text);
    return text;
}

/* Going back is signed by nobody: no data, limit or rate is trusted further than it is now. */
static void check_raises_nothing(void)
{
    struct trail tr = {0};
    assert_true(is_ok(change_find(&now_doc, &back, &between, &tr)));
    for (uint32_t i = 0; i < between.row_count; i++) {
        const struct change_row *r = &between.row[i];
        if (r->direction == CHANGE_RAISES &&
            (r->kind == CHANGE_MARKET || r->kind == CHANGE_LIMIT || r->kind == CHANGE_RATE))
            fail_msg("going back raises %s from %s to %s", r->path, r->before, r->after);
    }
}

/* Head, and for each route and rule exactly the tighter of both. */
static void check_rollback(void)
{
    assert_int_equal(back.fact.serial, now_doc.fact.serial + 1);
    assert_int_equal(back.rollback_of, now_doc.fact.serial);
    assert_memory_equal(back.parent, now_doc.fact.sha256, FACT_HASH_BYTES);
    assert_int_equal(back.not_before_ns, now_doc.not_before_ns);
    assert_int_equal(back.expires_ns, now_doc.expires_ns);
    assert_int_equal(back.route_count, old_doc.route_count);
    check_raises_nothing();
    for (uint32_t i = 0; i < back.route_count; i++) {
        uint32_t old =
            change_route(&old_doc, change_strategy_of(&back, i), change_symbol_of(&back, i));
        uint32_t now =
            change_route(&now_doc, change_strategy_of(&back, i), change_symbol_of(&back, i));
        assert_int_not_equal(old, CHANGE_NONE);
        int64_t budget = old_doc.route[old].budget;
        if (now != CHANGE_NONE && now_doc.route[now].budget < budget)
            budget = now_doc.route[now].budget;
        assert_int_equal(back.route[i].budget, budget);
        for (uint32_t rule = 1; rule < RISK_RULE_END; rule++) {
            int64_t was = change_effective(&old_doc, old, rule), wanted = was;
            if (now != CHANGE_NONE && change_effective(&now_doc, now, rule) < was)
                wanted = change_effective(&now_doc, now, rule);
            if (now != CHANGE_NONE)
                assert_int_equal(change_effective(&back, i, rule), wanted);
            else
                assert_true(change_effective(&back, i, rule) <= wanted);
        }
    }
}

static void compose_rollback_takes_the_tighter_limit(void **state)
{
    (void)state;
    static const struct {
        struct live_edit old[4], now[4];
    } pair[] = {
        {{{NULL, NULL}}, {{NULL, NULL}}},
        {{{NULL, NULL}},
         {{"max_order_value: \"25000\"", "max_order_value: \"9000\""},
          {"max_open_orders: 20", "max_open_orders: 90"}}},
        /* wider and narrower rows that cross */
        {{{"max_position_qty: 50,", "max_position_qty: 100,"}},
         {{"max_position_qty: 200", "max_position_qty: 40"}, {"max_position_qty: 50, ", ""}}},
        {{{"hold: {max_position_qty: 50, price_collar_pct: 1}", "hold: {max_open_orders: 3}"}},
         {{"max_open_orders: 20", "max_open_orders: 2"}}},
        /* a default on one side */
        {{{"  by_instrument:", "    price_collar_pct: 5\n  by_instrument:"}}, {{NULL, NULL}}},
        {{{NULL, NULL}}, {{"  by_instrument:", "    price_collar_pct: 5\n  by_instrument:"}}},
        {{{"price_collar_pct: 1}", "price_collar_pct: 7}"}}, {{", price_collar_pct: 1}", "}"}}},
        /* everywhere in the one, by instrument in the other */
        {{{"    max_exposure_pct: 20\n", ""},
          {"max_position_qty: 2}", "max_position_qty: 2, max_exposure_pct: 30}"},
          {"max_position_qty: 200}", "max_position_qty: 200, max_exposure_pct: 10}"}},
         {{NULL, NULL}}},
        /* budgets */
        {{{"budget: 1000}", "budget: 900.5}"}}, {{"budget: \"20000\"", "budget: 123.25"}}},
        {{{"    plugin: holder\n    version: 2.1.0", "    plugin: holder\n    version: 2.0.0"},
          {"2222222222222222222222222222222222222222222222222222222222222222",
           "3333333333333333333333333333333333333333333333333333333333333333"}},
         {{"{period: 12}", "{period: 5}"}}},
    };
    for (size_t i = 0; i < sizeof(pair) / sizeof(pair[0]); i++) {
        struct live_edit old_edit[5] = {{NULL, NULL}}, now_edit[5] = {{NULL, NULL}};
        memcpy(old_edit, pair[i].old, sizeof(pair[i].old));
        memcpy(now_edit, pair[i].now, sizeof(pair[i].now));
        free(roll_back(old_edit, now_edit));
        check_rollback();
    }
}

static void compose_rollback_of_any_two_limits_never_loosens(void **state)
{
    (void)state;
    static const char *const keys[] = {"max_order_value", "max_open_orders", "max_leverage_x",
                                       "max_exposure_pct", "max_messages_per_s"};
    struct rng rng;
    rng_seed(&rng, 31);
    for (uint32_t round = 0; round < 150; round++) {
        char block[2][400];
        for (uint32_t side = 0; side < 2; side++) {
            size_t used =
                (size_t)snprintf(block[side], sizeof(block[side]),
                                 "limits:\n  all:\n"
                                 "    max_order_value: %d\n    max_exposure_pct: %d\n",
                                 (int)rng_below(&rng, 5) + 50, (int)rng_below(&rng, 5) + 20);
            for (uint32_t k = 1; k < 5; k++)
                if (k != 3 && rng_below(&rng, 2) == 0)
                    used += (size_t)snprintf(block[side] + used, sizeof(block[side]) - used,
                                             "    %s: %d\n", keys[k], (int)rng_below(&rng, 5) + 6);
            used += (size_t)snprintf(block[side] + used, sizeof(block[side]) - used,
                                     "  by_instrument:\n    COIN: {max_order_qty: 1, "
                                     "max_position_qty: %d}\n    SHARE: {max_order_qty: %d, "
                                     "max_position_qty: 9}\n",
                                     (int)rng_below(&rng, 5) + 1, (int)rng_below(&rng, 5) + 1);
            if (rng_below(&rng, 2) == 0)
                snprintf(block[side] + used, sizeof(block[side]) - used,
                         "  by_strategy:\n    hold: {%s: %d, max_position_qty: %d}\n",
                         keys[rng_below(&rng, 2)], (int)rng_below(&rng, 4) + 2,
                         (int)rng_below(&rng, 9) + 1);
        }
        char *whole = live_text(), data[2][128];
        for (uint32_t side = 0; side < 2; side++)
            snprintf(data[side], sizeof(data[side]),
                     "degraded_after: %dm\n    down_after: %dh\n    price_max: %d\ninstances:\n",
                     (int)rng_below(&rng, 9) + 1, (int)rng_below(&rng, 9) + 1,
                     (int)rng_below(&rng, 9) + 1);
        const char *from = strstr(whole, "limits:\n");
        static const char last[] = "degraded_after: 5m\n    down_after: 30m\n"
                                   "    price_max: 5000\ninstances:\n";
        const struct live_edit old_edit[] = {{from, block[0]}, {last, data[0]}, {NULL, NULL}};
        const struct live_edit now_edit[] = {{from, block[1]}, {last, data[1]}, {NULL, NULL}};
        free(roll_back(old_edit, now_edit));
        check_rollback();
        free(whole);
    }
}

/* Ages, the greatest price and rates stand with the market, and let more through like a limit. */
static void compose_rollback_believes_no_data_longer(void **state)
{
    (void)state;
    static const char spare[] = "currencies:\n  USD: {exponent: -8}\n";
    static const char three[] =
        "currencies:\n  USD: {exponent: -8}\n  EUR: {exponent: -8}\n  JPY: {exponent: -4}\n";
    static const struct {
        struct live_edit old[3], now[3];
        const char *same[3]; /* lines of the rollback */
    } pair[] = {
        {{{NULL, NULL}},
         {{"degraded_after: 5m", "degraded_after: 90s"}, {"down_after: 30m", "down_after: 10m"}},
         {"    degraded_after: 90s\n    down_after: 10m\n"}},
        {{{"degraded_after: 5m", "degraded_after: 70s"}},
         {{"down_after: 30m", "down_after: 20m"}},
         {"    degraded_after: 70s\n    down_after: 20m\n"}},
        {{{NULL, NULL}}, {{"price_max: 5000", "price_max: 90.25"}}, {"    price_max: \"90.25"}},
        {{{"    price_max: 5000\n", ""}}, {{NULL, NULL}}, {"    price_max: \"5000"}},
        {{{NULL, NULL}}, {{"    price_max: 5000\n", ""}}, {"    price_max: 5000\n"}},
        {{{spare, three},
          {"limits:\n", "rates: {EUR/USD: {constant: 1.08}, JPY/USD: {constant: 0.007}}\n"
                        "limits:\n"}},
         {{spare, three}, {"limits:\n", "rates: {EUR/USD: {constant: 1.25}}\nlimits:\n"}},
         {"  EUR/USD:\n    constant: \"1.25\"\n", "  JPY/USD:\n    constant: \"0.007\"\n"}},
        {{{spare, three},
          {"limits:\n", "rates: {EUR/USD: {instrument: COIN, max_age: 5m}}\nlimits:\n"}},
         {{spare, three},
          {"limits:\n", "rates: {EUR/USD: {instrument: SHARE, max_age: 1m}}\nlimits:\n"}},
         {"  EUR/USD:\n    instrument: SHARE\n    max_age: 1m\n"}},
    };
    for (size_t i = 0; i < sizeof(pair) / sizeof(pair[0]); i++) {
        struct live_edit old_edit[4] = {{NULL, NULL}}, now_edit[4] = {{NULL, NULL}};
        memcpy(old_edit, pair[i].old, sizeof(pair[i].old));
        memcpy(now_edit, pair[i].now, sizeof(pair[i].now));
        char *text = roll_back(old_edit, now_edit);
        check_rollback();
        for (size_t k = 0; k < 3 && pair[i].same[k] != NULL; k++)
            if (strstr(text, pair[i].same[k]) == NULL)
                fail_msg("case %zu lacks %s in %s", i, pair[i].same[k], text);
        free(text);
    }
}

/* What the older bars and ticks need stays, or the way back would not parse. */
static void compose_rollback_keeps_room_for_a_bar_and_a_tick(void **state)
{
    (void)state;
    static const struct live_edit old_edit[] = {
        {"bar: 1m", "bar: 3m"},
        {"tick: 0.01\n    lot: 1\n", "tick: 0.5\n    lot: 1\n"},
        {NULL, NULL}};
    static const struct live_edit now_edit[] = {{"degraded_after: 5m", "degraded_after: 70s"},
                                                {"down_after: 30m", "down_after: 2m"},
                                                {"price_max: 5000", "price_max: 0.25"},
                                                {NULL, NULL}};
    char *text = roll_back(old_edit, now_edit);
    assert_non_null(strstr(text, "    degraded_after: 3m\n    down_after: 3m\n"));
    assert_int_equal(back.instrument[1].price_max, back.instrument[1].tick);
    free(text);
}

static void compose_rollback_flattens_who_is_new(void **state)
{
    (void)state;
    /* `twin` came with the active one; `hold` left with it. */
    static const char *const twin =
        "  - {strategy: twin, instrument: SHARE, account: paper, env: paper, budget: 1000}\n";
    static const char *const hold =
        "  - {strategy: hold, instrument: SHARE, account: paper, env: paper, budget: 1500.5}\n";
    const struct live_edit old_edit[] = {{twin, ""},
                                         {"seed: 7", "seed: 7\non_remove: {ghost: flatten}\n"
                                                     "run_until: 2028-01-01T00:00:00Z"},
                                         {NULL, NULL}};
    const struct live_edit now_edit[] = {
        {hold, ""},
        {"seed: 7", "seed: 7\nrun_until: 2027-01-01T00:00:00Z\n"
                    "on_remove: {hold: {hand_to: twin}}"},
        {"hold: {max_position_qty: 50, price_collar_pct: 1}", "twin: {max_open_orders: 1}"},
        {NULL, NULL}};
    struct trail tr = {0};
    char *text = roll_back(old_edit, now_edit);
    check_rollback();
    assert_int_equal(back.remove_count, 1);
    assert_string_equal(back.remove[0].strategy, "twin");
    assert_int_equal(back.remove[0].what, FACT_ON_REMOVE_FLATTEN);
    assert_int_equal(back.run_until_ns, now_doc.run_until_ns); /* the earlier */
    assert_null(strstr(text, "twin: {"));
    struct result r = change_allowed(&now_doc, &back, &tr);
    if (!is_ok(r))
        fail_msg("%s", trail_sentence(&tr, r));
    free(text);
}

static void compose_rollback_of_nothing_is_refused(void **state)
{
    (void)state;
    struct trail tr = {0};
    char *text = live_text(), *out = NULL;
    struct result r =
        compose_rollback(text, strlen(text), text, strlen(text), &out, &tr); /* itself */
    assert_int_equal(r.code, RESULT_STATE);
    assert_string_equal(trail_sentence(&tr, r),
                        "serial 2 does not come after serial 2; only what came before is gone back "
                        "to");
    assert_null(out);
    r = compose_rollback("x", 1, text, strlen(text), &out, &tr);
    assert_int_equal(r.code, RESULT_CONFIG);
    assert_null(out);
    free(text);
}

/* Any byte of the form is part of what is hashed: compare it all. */
static void compose_rollback_has_this_form(void **state)
{
    (void)state;
    static const struct live_edit none[] = {{NULL, NULL}};
    static const struct live_edit tighter[] = {{"max_open_orders: 20", "max_open_orders: 7"},
                                               {"budget: 1500.5", "budget: 1200"},
                                               {NULL, NULL}};
    char *text = roll_back(none, tighter);
    char head_text[512], hex[HASH_HEX_BYTES];
    hash_hex(now_doc.fact.sha256, hex);
    snprintf(head_text, sizeof(head_text),
             "# A rollback, derived by the host: signing the serial it takes back allowed it.\n"
             "schema: 1\nhost: lab\nserial: 6\nparent: \"%s\"\n"
             "not_before: 2026-11-20T13:00:00Z\nexpires: 2026-11-21T13:00:00Z\nrollback_of: 5\n"
             "seed: 7\ncurrencies:\n  USD:\n    exponent: -8\n",
             hex);
    assert_int_equal(strncmp(text, head_text, strlen(head_text)), 0);
    assert_string_equal(strstr(text, "routes:\n"),
                        "routes:\n"
                        "  - strategy: cross\n    instrument: COIN\n    account: paper\n"
                        "    env: paper\n    budget: \"20000\"\n"
                        "  - strategy: hold\n    instrument: SHARE\n    account: paper\n"
                        "    env: paper\n    budget: \"1200\"\n"
                        "  - strategy: twin\n    instrument: SHARE\n    account: paper\n"
                        "    env: paper\n    budget: 1000\n"
                        "limits:\n"
                        "  all:\n    max_order_value: 25000\n    max_exposure_pct: 20\n"
                        "    max_open_orders: 7\n"
                        "  by_instrument:\n"
                        "    COIN:\n      max_order_qty: 0.5\n      max_position_qty: 2\n"
                        "    SHARE:\n      max_order_qty: 100\n      max_position_qty: 200\n"
                        "  by_strategy:\n"
                        "    hold:\n      price_collar_pct: 1\n      max_position_qty: 50\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compose_proposal_says_what_its_file_says),
        cmocka_unit_test(compose_proposal_keeps_odd_values_as_written),
        cmocka_unit_test(compose_proposal_takes_another_instrument),
        cmocka_unit_test(compose_proposal_that_cannot_be_is_refused),
        cmocka_unit_test(compose_rollback_takes_the_tighter_limit),
        cmocka_unit_test(compose_rollback_of_any_two_limits_never_loosens),
        cmocka_unit_test(compose_rollback_believes_no_data_longer),
        cmocka_unit_test(compose_rollback_keeps_room_for_a_bar_and_a_tick),
        cmocka_unit_test(compose_rollback_flattens_who_is_new),
        cmocka_unit_test(compose_rollback_of_nothing_is_refused),
        cmocka_unit_test(compose_rollback_has_this_form),
    };
    return cmocka_run_group_tests(tests, document_setup, document_teardown);
}
