/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: a deployment becomes exactly the tables it says, in file order, in the units of the core;
 * what contradicts itself is refused; an instrument can be replaced before anything is computed
 * from it. Method: the fixture read and compared field by field; the shipped configs read.
 */
#include "tbl/lines.h"
#include "tenon/draft/source.h"
#include "tests/unit/deploy/document.h"
#include "venue/venue.h"

#define CONFIGS TENON_SOURCE_DIR "/configs/"
#define INSTRUMENTS CONFIGS "instruments.yaml"

static const struct deploy_doc *fixture(void)
{
    document_change("host: lab", "host: lab");
    return document_accepted();
}

static void deploy_valid_document_gives_head_and_accounts(void **state)
{
    (void)state;
    const struct deploy_doc *d = fixture();
    assert_string_equal(d->path, DOC_FILE);
    assert_string_equal(d->fact.name, DOC_FILE);
    assert_string_equal(d->host, "lab");
    assert_int_equal(d->fact.serial, 0);
    assert_int_equal(d->seed, 7);
    assert_int_equal(d->currency_count, 2);
    assert_string_equal(d->currency[1].name, "EUR");
    assert_int_equal(d->currency[1].id, 2);
    assert_int_equal(d->currency[1].exp, -4);
    assert_int_equal(d->account_count, 1);
    assert_int_equal(d->account[0].id, 1);
    assert_int_equal(d->account[0].currency, 1);
    assert_int_equal(d->account[0].balance, 10000000000000);
    assert_int_equal(d->account[0].simulated, 1);
    assert_int_equal(d->venue[0].profile, VENUE_DEMO);
    assert_int_equal((int)DEPLOY_PLAIN, (int)VENUE_PLAIN);
    assert_int_equal((int)DEPLOY_DEMO, (int)VENUE_DEMO);
    assert_int_equal(d->venue[0].latency_ns, 20500000);
    assert_int_equal(d->venue[0].jitter_ns, 5000000);
    assert_int_equal(d->venue[0].maker_fee_ppm, -25);
    assert_int_equal(d->venue[0].taker_fee_ppm, 500);
    assert_int_equal(d->venue[0].slippage_ppm, 0);
    assert_int_equal(d->venue[0].volume_part_ppm, 1000000);
    assert_int_equal(d->rate_count, 1);
    assert_int_equal(d->rate[0].from, 2);
    assert_int_equal(d->rate[0].to, 1);
    assert_int_equal(d->rate[0].rate, 108);
    assert_int_equal(d->rate[0].exp, -2);
}

static void deploy_valid_document_gives_instruments_and_instances(void **state)
{
    (void)state;
    const struct deploy_doc *d = fixture();
    const struct fact_instrument *coin = &d->instrument[0], *share = &d->instrument[1];
    assert_int_equal(d->instrument_count, 2);
    assert_string_equal(coin->symbol, "COIN");
    assert_int_equal(coin->id, 1);
    assert_int_equal(coin->contract, FACT_LINEAR);
    assert_int_equal(coin->tick, 1000000);
    assert_int_equal(coin->lot, 10000);
    assert_int_equal(coin->min_qty, 10000);
    assert_int_equal(coin->multiplier, 1);
    assert_int_equal(coin->multiplier_exp, 0);
    assert_int_equal(coin->bar_ns, 60000000000);
    assert_int_equal(coin->age_degraded_ns, 300000000000);
    assert_int_equal(coin->age_down_ns, 1800000000000);
    assert_int_equal(coin->price_max, 0);
    assert_int_equal(d->stamp[0], TN_STAMP_START);
    assert_string_equal(share->symbol, "SHARE"); /* from the instruments file */
    assert_int_equal(share->id, 2);
    assert_int_equal(share->settle, 1); /* USD: second there, first here */
    assert_int_equal(d->stamp[1], TN_STAMP_END);
    assert_int_equal(d->instance_count, 3);
    const struct deploy_instance *cross = &d->instance[1];
    assert_string_equal(cross->fact.name, "cross");
    assert_int_equal(cross->fact.id, 2);
    assert_int_equal(cross->fact.kind, 0); /* known when loaded */
    assert_int_equal(cross->fact.due_ns, 5000000);
    assert_string_equal(cross->fact.plugin, "ema_cross");
    assert_string_equal(cross->fact.version, "1.0.0");
    assert_int_equal(cross->line, 38);
    assert_int_equal(cross->instrument, 1);
    assert_int_equal(cross->param_count, 3);
    assert_string_equal(cross->param[0].name, "gain");
    assert_string_equal(cross->param[0].text, "2.5");
    assert_int_equal(cross->input_count, 1);
    assert_string_equal(cross->input[0].name, "fast");
    assert_string_equal(cross->input[0].instance, "fast");
    assert_string_equal(cross->input[0].output, "value");
    assert_int_equal(d->instance[2].bar_ns, 0);
    assert_int_equal(d->route_count, 2);
    assert_int_equal(d->route[1].strategy, 3);
    assert_int_equal(d->route[1].instrument, 2);
    assert_int_equal(d->route[1].account, 1);
    assert_int_equal(d->route[1].budget, 150050000000);
}

static void deploy_limits_become_rows_in_the_units_of_the_core(void **state)
{
    (void)state;
    static const struct fact_limit want[] = {
        {RISK_MAX_QTY, 1, 0, 67, 50000000}, /* the instrument's own in the place of 4 */
        {RISK_MAX_QTY, 2, 0, 57, 4},
        {RISK_MAX_VALUE, 0, 0, 58, 2500000000000},
        {RISK_POSITION, 1, 0, 59, 10000000000},
        {RISK_POSITION, 2, 0, 59, 100},
        {RISK_COLLAR, 0, 0, 60, 20000},
        {RISK_EXPOSURE, 0, 0, 61, 200000},
        {RISK_LEVERAGE, 0, 0, 62, 2500000},
        {RISK_OPEN_ORDERS, 0, 0, 63, 20},
        {RISK_MESSAGES, 0, 0, 64, 10},
        {RISK_CLOCK, 0, 0, 65, 50000000},
        {RISK_EXPOSURE, 1, 0, 67, 125000},
        {RISK_POSITION, 2, 3, 69, 50},
    };
    const struct deploy_doc *d = fixture();
    assert_int_equal(d->limit_count, sizeof(want) / sizeof(want[0]));
    for (uint32_t i = 0; i < d->limit_count; i++)
        assert_memory_equal(&d->limit[i], &want[i], sizeof(want[i]));
}

static const struct {
    const char *from, *to, *sentence;
} contradiction[] = {
    {"    currency: USD\n", "    currency: USDX\n",
     "error[CFG014] d.yaml:12:15 accounts.paper.currency: the currency USDX is not under "
     "currencies; allowed USD, EUR; nearest known currency USD"},
    {"  SHARE: {}", "  SHARY: {}",
     "error[CFG014] d.yaml:30:3 instruments.SHARY: is empty here and i.yaml has no such "
     "symbol; define it; allowed SHARE, EURSHARE; nearest known symbol SHARE"},
    {"    instrument: SHARE\n", "    instrument: SHARES\n",
     "error[CFG014] d.yaml:50:17 instances.hold.instrument: SHARES is not under instruments; "
     "allowed COIN, SHARE; nearest known symbol SHARE"},
    {"fast: fast.value", "fast: fats.value",
     "error[CFG014] d.yaml:46:20 instances.cross.inputs.fast: fats is no instance above this "
     "one; allowed fast; nearest known instance fast"},
    {"fast: fast.value", "fast: hold.value",
     "error[CFG014] d.yaml:46:20 instances.cross.inputs.fast: hold is no instance above this "
     "one; allowed fast"},
    {"fast: fast.value", "fast: fast",
     "error[CFG016] d.yaml:46:20 instances.cross.inputs.fast: an output is wanted here as "
     "instance.output, like ema_fast.value"},
    {"strategy: hold, instrument: SHARE", "strategy: hold, instrument: COIN",
     "error[CFG018] d.yaml:54:34 routes[1].instrument: strategy hold works on SHARE, not on "
     "COIN"},
    {"strategy: hold", "strategy: holt",
     "error[CFG014] d.yaml:54:16 routes[1].strategy: holt is not under instances; allowed "
     "fast, cross, hold; nearest known instance hold"},
    {"account: paper", "account: papre",
     "error[CFG014] d.yaml:53:50 routes[0].account: papre is not under accounts; allowed "
     "paper; nearest known account paper"},
    {"strategy: hold, instrument: SHARE", "strategy: cross, instrument: COIN",
     "error[CFG007] d.yaml:54:5 routes[1]: routes[0] already routes this strategy and "
     "instrument; keep one"},
    {"    COIN: {max_order_qty: 0.5,", "    COIN: {max_order_qty: 5,",
     "error[CFG018] d.yaml:67:27 limits.by_instrument.COIN.max_order_qty: 5 is looser than "
     "line 57, which reaches further; the tightest wins, so this would do nothing"},
    {"hold: {max_position_qty: 50}", "hold: {max_position_qty: 500}",
     "error[CFG018] d.yaml:69:30 limits.by_strategy.hold.max_position_qty: 500 is looser than "
     "line 59, which reaches further; the tightest wins, so this would do nothing"},
    {"hold: {max_position_qty: 50}", "hold: {max_open_orders: 21}",
     "error[CFG018] d.yaml:69:29 limits.by_strategy.hold.max_open_orders: 21 is looser than "
     "line 63, which reaches further; the tightest wins, so this would do nothing"},
    {"max_order_qty: 4", "max_order_qty: 4.5",
     "error[CFG013] d.yaml:57:20 limits.all.max_order_qty: 4.5 has more digits than the "
     "quantity exponent 0 of SHARE holds; write one for each instrument under "
     "limits.by_instrument"},
    {"COIN: {max_order_qty: 0.5,", "COIN: {max_order_qty: 0.00005,",
     "error[CFG012] d.yaml:67:27 limits.by_instrument.COIN.max_order_qty: 0.00005 is less than "
     "one lot of COIN (0.0001), so nothing could be ordered"},
    {"hold: {max_position_qty: 50}", "fast: {max_order_value: 50}",
     "error[CFG018] d.yaml:69:12 limits.by_strategy.fast.max_order_value: no route is in this "
     "scope; remove it"},
    {"  EUR/USD: {constant: \"1.08\"}", "  EUR-USD: {constant: \"1.08\"}",
     "error[CFG016] d.yaml:71:3 rates.EUR-USD: two currencies are wanted here, like EUR/USD"},
    {"  EUR/USD: {constant: \"1.08\"}", "  EUR/USD: {constant: \"1.08\", max_age: 5m}",
     "error[CFG018] d.yaml:71:12 rates.EUR/USD: give either constant alone, or instrument and "
     "max_age together"},
    {"  EUR/USD: {constant: \"1.08\"}", "  EUR/USD: {instrument: COIN}",
     "error[CFG018] d.yaml:71:12 rates.EUR/USD: give either constant alone, or instrument and "
     "max_age together"},
    {"  EUR/USD: {constant: \"1.08\"}", "  USD/EUR: {instrument: COIN, max_age: 5m}",
     "error[CFG018] d.yaml:71:25 rates.USD/EUR.instrument: COIN settles in USD and not in EUR, "
     "so its price is not this rate"},
    {"  EUR/USD: {constant: \"1.08\"}", "  EUR/EUR: {constant: \"1.08\"}",
     "error[CFG016] d.yaml:71:3 rates.EUR/EUR: both currencies are the same; remove the rate"},
    {"  SHARE: {}", "  EURSHARE: {}",
     "error[CFG014] d.yaml:50:17 instances.hold.instrument: SHARE is not under instruments; "
     "allowed COIN, EURSHARE; nearest known symbol EURSHARE"},
    {"lot: 0.0001", "lot: 0.0000000001",
     "error[CFG013] d.yaml:22:10 instruments.COIN.lot: 0.0000000001 has more digits than "
     "exponent -8 holds; write at most 8 after the point"},
    {"    currency: USD\n", "    currency: EUR\n",
     "error[CFG009] d.yaml:53:5 routes[0]: COIN settles in USD and account paper is in EUR; "
     "add a rate USD/EUR under rates"},
    {"tick: 0.01", "tick: 0",
     "error[CFG012] d.yaml:21:11 instruments.COIN.tick: 0 is outside its range; allowed above "
     "0 to 1000000000000 in price, at most 18 digits"},
    {"lot: 0.0001\n", "lot: 0.0001\n    min_qty: 0.00015\n",
     "error[CFG018] d.yaml:23:14 instruments.COIN.min_qty: 0.00015 is no multiple of the lot "
     "0.0001"},
    {"bar: 1m\n    stamp", "bar: 7m\n    stamp",
     "error[CFG016] d.yaml:25:10 instruments.COIN.bar: bars of 7m do not fill a day evenly; "
     "use 1s, 1m, 5m, 1h, 1d or another whole part of a day"},
    {"down_after: 30m", "down_after: 1m",
     "error[CFG018] d.yaml:29:17 instruments.COIN.down_after: 1m is sooner than degraded_after "
     "5m"},
    {"degraded_after: 5m", "degraded_after: 5s",
     "error[CFG018] d.yaml:28:21 instruments.COIN.degraded_after: 5s is shorter than one bar "
     "of 1m; data would never be healthy"},
    {"due: 5ms", "due: 5ms\n    tier: contained",
     "error[CFG018] d.yaml:44:11 instances.cross.tier: is for bays that are processes; write bay: "
     "process, or take it out"},
    {"due: 5ms", "due: 5ms\n    bay: inline\n    wake: spin",
     "error[CFG018] d.yaml:45:11 instances.cross.wake: is for bays that are processes; write bay: "
     "process, or take it out"},
    {"due: 5ms", "due: 5ms\n    bay: process\n    cpu: 1024",
     "error[CFG012] d.yaml:45:10 instances.cross.cpu: 1024 is outside its range; allowed 0 to "
     "1023"},
    {"due: 5ms", "due: 5ms\n    bay: proces",
     "error[CFG016] d.yaml:44:10 instances.cross.bay: proces is not known here; allowed inline, "
     "process; nearest known word process"},
    {"    params: {period: 12}", "    bay: process\n    params: {period: 12}",
     "error[CFG018] d.yaml:47:20 instances.cross.inputs.fast: fast has a bay of its own on line "
     "32; what a strategy listens to runs in the strategy's bay: take bay, tier, wake and cpu out "
     "there"},
    {"due: 5ms", "due: 2h",
     "error[CFG012] d.yaml:43:10 instances.cross.due: 2h is outside its range; allowed 0ms to "
     "1h"},
    {"routes:\n  - {strategy: cross, instrument: COIN, account: paper, env: paper, budget: "
     "\"20000\"}\n  - {strategy: hold, instrument: SHARE, account: paper, env: paper, budget: "
     "1500.5}\n",
     "routes: []\n", "error[CFG009] d.yaml:52:9 routes: is empty; give at least one"},
    {"currencies:\n  USD: {exponent: -8}\n  EUR: {exponent: -4}\n", "currencies: [USD]\n",
     "error[CFG010] d.yaml:7:13 currencies: a mapping of names is wanted here"},
    {"host: lab", "host: Lab",
     "error[CFG016] d.yaml:4:7 host: Lab is not a name of small letters, digits and _, "
     "beginning with a letter"},
    {"host: lab", "host: abcdefghijabcdefghijabcdefghijab",
     "error[CFG002] d.yaml:4:7 host: abcdefghijabcdefghijabcd... is longer than 31 characters; "
     "shorten it"},
    {"version: 1.0.0", "version: 1.0",
     "error[CFG016] d.yaml:34:14 instances.fast.version: 1.0 is not a version of three whole "
     "numbers like 1.0.0"},
    {"version: 1.0.0", "version: v1.0.0",
     "error[CFG016] d.yaml:34:14 instances.fast.version: v1.0.0 is not a version of three "
     "whole numbers like 1.0.0"},
    {"profile: demo", "profile: dmeo",
     "error[CFG016] d.yaml:15:22 accounts.paper.venue.profile: dmeo is not known here; allowed "
     "plain, demo; nearest known word demo"},
    {"routes:\n  -", "routes: {\n  -",
     "error[CFG004] d.yaml:53:3: not YAML (did not find expected node content); check quotes, "
     "brackets and indentation"},
};

/* Where a strategy runs: said, or inline. */
static void deploy_bay_of_a_strategy_is_read(void **state)
{
    (void)state;
    size_t count = 0;
    struct trail tr = {0};
    char *table = document_slurp(TABLE, &count);
    document_write(table, count);
    free(table);
    assert_int_equal(rename(DOC_FILE, "i.yaml"), 0);
    document_change("due: 5ms", "due: 5ms\n    bay: process\n    tier: contained\n    wake: "
                                "hybrid\n    cpu: 3");
    struct result r = deploy_read(DOC_FILE, "i.yaml", &document_read, &tr);
    if (!is_ok(r))
        fail_msg("%s", trail_sentence(&tr, r));
    const struct deploy_bay *b = &document_read.instance[1].bay;
    assert_int_equal(b->is_process, 1);
    assert_int_equal(b->is_contained, 1);
    assert_int_equal(b->wake, LINE_WAKE_HYBRID);
    assert_int_equal(b->cpu, 3);
    b = &document_read.instance[2].bay;
    assert_int_equal(b->is_process, 0);
    assert_int_equal(b->is_contained, 0);
    assert_int_equal(b->wake, LINE_WAKE_BLOCK);
    assert_int_equal(b->cpu, -1);
    unlink("i.yaml");
}

static void deploy_contradictions_are_refused(void **state)
{
    (void)state;
    size_t count = 0;
    char *table = document_slurp(TABLE, &count);
    document_write(table, count);
    free(table);
    assert_int_equal(rename(DOC_FILE, "i.yaml"), 0);
    for (size_t i = 0; i < sizeof(contradiction) / sizeof(contradiction[0]); i++) {
        struct trail tr = {0};
        document_change(contradiction[i].from, contradiction[i].to);
        struct result r = deploy_read(DOC_FILE, "i.yaml", &document_read, &tr);
        assert_int_equal(r.code, RESULT_CONFIG);
        assert_string_equal(trail_sentence(&tr, r), contradiction[i].sentence);
        assert_true(document_is_zero());
    }
    unlink("i.yaml");
}

static void deploy_values_reaching_two_currencies_are_refused(void **state)
{
    (void)state;
    document_change("instruments:\n  COIN",
                    "  euro:\n    currency: EUR\n    balance: 5\n    simulated: true\n"
                    "    venue: {profile: plain, latency_ms: 0, maker_fee_bps: 0, "
                    "taker_fee_bps: 0}\ninstruments:\n  COIN");
    char *text = document_slurp(DOC_FILE, NULL);
    char *at = strstr(text, "SHARE, account: paper");
    assert_non_null(at);
    memcpy(at, "SHARE, account: euro ", 21);
    at = strstr(text, "EUR/USD");
    memcpy(at, "USD/EUR", 7);
    document_write(text, strlen(text));
    free(text);
    document_refused(
        "error[CFG018] d.yaml:63:5 limits.all.max_order_value: reaches accounts in USD "
        "and in EUR; give one for each strategy under limits.by_strategy");
}

static void deploy_read_as_replaces_the_only_instrument(void **state)
{
    (void)state;
    struct trail tr = {0};
    struct deploy_doc *d = &document_read;
    struct result r = deploy_read_as(CONFIGS "paper-us-share.yaml", INSTRUMENTS, "SPY", d, &tr);
    if (!is_ok(r))
        fail_msg("%s", trail_sentence(&tr, r));
    assert_string_equal(d->instrument[0].symbol, "SPY");
    assert_int_equal(d->instance[2].instrument, 1);
    r = deploy_read_as(CONFIGS "paper-bars.yaml", INSTRUMENTS, "NEAR-USDT", d, &tr);
    assert_true(is_ok(r));
    assert_int_equal(d->instrument[0].qty_exp, -3);
    assert_int_equal(d->limit[0].rule, RISK_MAX_QTY);
    assert_int_equal(d->limit[0].limit, 10000000); /* 10000 on the new exponent */
    assert_int_equal(d->instrument[0].settle, 2);  /* USDT in the deployment */
    tr = (struct trail){0};
    r = deploy_read_as(CONFIGS "paper-bars.yaml", INSTRUMENTS, "NEAR-USDR", d, &tr);
    assert_int_equal(r.code, RESULT_CONFIG);
    assert_non_null(strstr(trail_sentence(&tr, r), "the instrument NEAR-USDR is not defined"));
    assert_non_null(strstr(trail_sentence(&tr, r), "nearest known symbol NEAR-USDT"));
    tr = (struct trail){0};
    r = deploy_read_as(CONFIGS "demo.yaml", INSTRUMENTS, "SPY", d, &tr);
    assert_int_equal(r.code, RESULT_CONFIG);
    assert_non_null(
        strstr(trail_sentence(&tr, r), "has 3 instruments; only a deployment with one"));
}

static void deploy_instrument_gives_an_entry_and_its_currency(void **state)
{
    (void)state;
    struct fact_instrument i;
    struct fact_currency ccy;
    uint32_t stamp = 0;
    struct trail tr = {0};
    assert_true(is_ok(deploy_instrument(TABLE, "EURSHARE", &i, &ccy, &stamp, &tr)));
    assert_string_equal(i.symbol, "EURSHARE");
    assert_int_equal(i.id, 1);
    assert_int_equal(i.settle, 1);
    assert_int_equal(i.min_qty, 20);
    assert_int_equal(i.multiplier, 5);
    assert_int_equal(i.multiplier_exp, -1);
    assert_int_equal(i.bar_ns, 0);
    assert_int_equal(i.price_max, 10000000);
    assert_string_equal(ccy.name, "EUR");
    assert_int_equal(ccy.id, 1);
    assert_int_equal(ccy.exp, -4);
    assert_int_equal(stamp, TN_STAMP_START);
    assert_int_equal(deploy_instrument(TABLE, "EURSHARES", &i, &ccy, &stamp, &tr).code,
                     RESULT_CONFIG);
    assert_int_equal(deploy_instrument("none.yaml", "X", &i, &ccy, &stamp, &tr).code,
                     RESULT_NOT_FOUND);
}

static void deploy_instrument_of_every_shipped_entry_is_valid(void **state)
{
    (void)state;
    static const char *const symbols[] = {
        "BTC-USD",  "ETH-USD", "LTC-USD", "BTC-USDT", "ETH-USDT", "SOL-USDT", "NEAR-USDT",
        "BTC-PERP", "AAPL",    "BAC",     "IBM",      "SPY",      "TWX",      "EUR-USD"};
    size_t entries = 0;
    char *text = document_slurp(INSTRUMENTS, NULL);
    for (char *at = text; (at = strstr(at, "    contract:")) != NULL; at++)
        entries++;
    free(text);
    assert_int_equal(entries, sizeof(symbols) / sizeof(symbols[0]));
    for (size_t k = 0; k < entries; k++) {
        struct fact_instrument i;
        struct fact_currency ccy;
        uint32_t stamp;
        struct trail tr = {0};
        struct result r = deploy_instrument(INSTRUMENTS, symbols[k], &i, &ccy, &stamp, &tr);
        if (!is_ok(r))
            fail_msg("%s", trail_sentence(&tr, r));
        assert_string_equal(i.symbol, symbols[k]);
    }
}

static void deploy_shipped_configs_are_valid(void **state)
{
    (void)state;
    static const char *const files[] = {"demo.yaml", "reference.yaml", "paper-bars.yaml",
                                        "paper-us-share.yaml", "paper-tape.yaml"};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char path[512];
        struct trail tr = {0};
        snprintf(path, sizeof(path), CONFIGS "%s", files[i]);
        struct result r = deploy_read(path, INSTRUMENTS, &document_read, &tr);
        if (!is_ok(r))
            fail_msg("%s", trail_sentence(&tr, r));
        assert_string_equal(document_read.fact.name, files[i]);
    }
}

static void deploy_tables_that_are_full_are_refused(void **state)
{
    (void)state;
    char *many = calloc(1, 1 << 16);
    assert_non_null(many);
    strcpy(many, "currencies:\n");
    for (int i = 0; i < 15; i++)
        sprintf(many + strlen(many), "  C%d: {exponent: -2}\n", i);
    document_change("currencies:\n", many);
    document_refused("error[CFG015] d.yaml:8:3 currencies: has 17 entries; allowed 1 to 16");
    strcpy(many, "params: {");
    for (int i = 0; i < 17; i++)
        sprintf(many + strlen(many), "p%d: 1%s", i, i < 16 ? ", " : "}");
    document_change("params: {period: 12}", many);
    document_refused("error[CFG015] d.yaml:37:13 instances.fast.params: has 17 params; a plugin "
                     "has at most 16");
    strcpy(many, "rates: [");
    for (int i = 0; i < 8200; i++)
        strcat(many, "1, ");
    strcat(many, "1]\n#");
    document_change("rates:", many);
    struct trail tr = {0};
    struct result r = deploy_read(DOC_FILE, TABLE, &document_read, &tr);
    assert_int_equal(r.code, RESULT_CONFIG);
    assert_non_null(strstr(trail_sentence(&tr, r), "more than 8192 values; split the file"));
    free(many);
}

static void deploy_nearest_is_within_three_edits(void **state)
{
    (void)state;
    static const char *const known[] = {"period", "gain", "gait", "x"};
    assert_string_equal(deploy_nearest("perod", known, 4), "period");
    assert_string_equal(deploy_nearest("peri", known, 4), "period");
    assert_string_equal(deploy_nearest("gaix", known, 4), "gain"); /* the first of equals */
    assert_null(deploy_nearest("per", known, 1));                  /* three edits, three letters */
    assert_null(deploy_nearest("q", known, 4));
    assert_null(deploy_nearest("", known, 4));
    assert_null(deploy_nearest("zzzzzzzzzzzz", known, 4));
    char longer[100];
    memset(longer, 'p', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = 0;
    assert_null(deploy_nearest(longer, known, 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deploy_valid_document_gives_head_and_accounts),
        cmocka_unit_test(deploy_valid_document_gives_instruments_and_instances),
        cmocka_unit_test(deploy_limits_become_rows_in_the_units_of_the_core),
        cmocka_unit_test(deploy_bay_of_a_strategy_is_read),
        cmocka_unit_test(deploy_contradictions_are_refused),
        cmocka_unit_test(deploy_values_reaching_two_currencies_are_refused),
        cmocka_unit_test(deploy_read_as_replaces_the_only_instrument),
        cmocka_unit_test(deploy_instrument_gives_an_entry_and_its_currency),
        cmocka_unit_test(deploy_instrument_of_every_shipped_entry_is_valid),
        cmocka_unit_test(deploy_shipped_configs_are_valid),
        cmocka_unit_test(deploy_tables_that_are_full_are_refused),
        cmocka_unit_test(deploy_nearest_is_within_three_edits),
    };
    return cmocka_run_group_tests(tests, document_setup, document_teardown);
}
