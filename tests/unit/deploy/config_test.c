/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: every kind of bad configuration is refused whole, with a sentence that names file, line,
 * column and key. One test per numbered case of bad input. Method: the valid fixture is changed in
 * one place and the whole sentence compared.
 */
#include <fcntl.h>
#include "base/hash.h"
#include "tests/unit/deploy/document.h"

struct change {
    const char *from, *to, *sentence;
};

static void refuse_all(const struct change *c, size_t count)
{
    document_change("host: lab", "host: lab");
    document_accepted(); /* else the changes below would prove nothing */
    for (size_t i = 0; i < count; i++)
        document_change_refused(c[i].from, c[i].to, c[i].sentence);
}
#define REFUSE(list) refuse_all(list, sizeof(list) / sizeof(list[0]))

static void config_case01_duplicate_keys_is_refused(void **state)
{
    (void)state;
    static const struct change changes[] = {
        {"host: lab\n", "host: lab\nhost: lab\n",
         "error[CFG007] d.yaml:5:1: the key host is given twice, first on line 4; remove one"},
        {"    params: {period: 12}\n", "    params: {period: 12, period: 13}\n",
         "error[CFG007] d.yaml:37:26: the key period is given twice, first on line 37; remove one"},
        {"  COIN:\n    contract", "  SHARE: {}\n  COIN:\n    contract",
         "error[CFG007] d.yaml:31:3: the key SHARE is given twice, first on line 17; remove one"},
    };
    REFUSE(changes);
}

static void config_case02_anchors_and_aliases_are_refused(void **state)
{
    (void)state;
    static const struct change changes[] = {
        {"currencies:\n  USD: {exponent: -8}", "currencies:\n  USD: &a {exponent: -8}",
         "error[CFG005] d.yaml:8:8: an anchor; write the value out where it is used"},
        {"host: lab", "host: *lab",
         "error[CFG005] d.yaml:4:7: an alias; write the value out where it is used"},
        {"host: lab", "host: &lab lab",
         "error[CFG005] d.yaml:4:7: an anchor; write the value out where it is used"},
        {"  EUR: {exponent: -4}", "  <<: {exponent: -4}",
         "error[CFG010] d.yaml:9:3: the key << is no plain name to every YAML reader; write it in "
         "quotes"},
    };
    REFUSE(changes);
}

static void config_case03_deep_or_large_is_refused(void **state)
{
    (void)state;
    static const struct change deep[] = {
        {"rates:\n", "deep: [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]\nrates:\n",
         "error[CFG006] d.yaml:70:22: nested deeper than 16 levels; no key needs that"},
    };
    REFUSE(deep);
    /* 16 levels are allowed: such a document fails for its key, not for its depth. */
    document_change_refused("rates:\n", "deep: [[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]\nrates:\n",
                            "error[CFG008] d.yaml:70:1 deep: unknown key; allowed schema, host, "
                            "serial, parent, not_before, expires, run_until, template, "
                            "rollback_of, seed, swap, currencies, accounts, instruments, "
                            "instances, routes, limits, ...; nearest known key seed");
    /* One byte over the limit is refused before parsing; at the limit it is parsed. */
    size_t count = 0;
    char *text = document_slurp(FIXTURES "valid.yaml", &count);
    memset(text + count, '#', DEPLOY_FILE_MAX_BYTES + 1 - count);
    document_write(text, DEPLOY_FILE_MAX_BYTES);
    document_accepted();
    memcpy(text, "\"unparsable", 11);
    document_write(text, DEPLOY_FILE_MAX_BYTES + 1);
    document_refused("error[CFG002] d.yaml: is larger than 262144 bytes and was not parsed; split "
                     "it, or move instruments to the instruments file");
    free(text);
}

static const struct change guessed[] = {
    {"simulated: true", "simulated: yes",
     "error[CFG010] d.yaml:14:16 accounts.paper.simulated: yes is not true or false, in small "
     "letters, no quotes"},
    {"simulated: true", "simulated: on",
     "error[CFG010] d.yaml:14:16 accounts.paper.simulated: on is not true or false, in small "
     "letters, no quotes"},
    {"simulated: true", "simulated: True",
     "error[CFG010] d.yaml:14:16 accounts.paper.simulated: True is not true or false, in small "
     "letters, no quotes"},
    {"simulated: true", "simulated: \"true\"",
     "error[CFG010] d.yaml:14:16 accounts.paper.simulated: true is not true or false, in small "
     "letters, no quotes"},
    {"host: lab", "host: no",
     "error[CFG010] d.yaml:4:7 host: no is no plain text to every YAML reader; write it in "
     "quotes, or another value"},
    {"host: lab", "host: ~",
     "error[CFG010] d.yaml:4:7 host: ~ is no plain text to every YAML reader; write it in "
     "quotes, or another value"},
    {"host: lab", "host:",
     "error[CFG010] d.yaml:4:6 host: has no value; a name of small letters, digits and _, "
     "beginning with a letter is wanted"},
    {"  paper:\n", "  yes:\n",
     "error[CFG010] d.yaml:11:3: the key yes is no plain name to every YAML reader; write it "
     "in quotes"},
    {"seed: 7", "seed: 010",
     "error[CFG011] d.yaml:6:7 seed: 010 is not a plain decimal; write digits and at most one "
     "point, no exponent, underscore, colon, leading zero or minus zero"},
    {"seed: 7", "seed: \"7\"",
     "error[CFG010] d.yaml:6:7 seed: a whole number is written without quotes"},
    {"seed: 7", "seed: 0x10",
     "error[CFG011] d.yaml:6:7 seed: 0x10 is not a plain decimal; write digits and at most one "
     "point, no exponent, underscore, colon, leading zero or minus zero"},
    {"seed: 7", "seed: 7.0",
     "error[CFG011] d.yaml:6:7 seed: 7.0 is not a whole number; leave out the point"},
    {"balance: \"100000\"", "balance: 1e5",
     "error[CFG011] d.yaml:13:14 accounts.paper.balance: 1e5 is not a plain decimal; write "
     "digits and at most one point, no exponent, underscore, colon, leading zero or minus "
     "zero"},
    {"balance: \"100000\"", "balance: 100_000",
     "error[CFG011] d.yaml:13:14 accounts.paper.balance: 100_000 is not a plain decimal; write "
     "digits and at most one point, no exponent, underscore, colon, leading zero or minus "
     "zero"},
    {"balance: \"100000\"", "balance: 12:30",
     "error[CFG011] d.yaml:13:14 accounts.paper.balance: 12:30 is not a plain decimal; write "
     "digits and at most one point, no exponent, underscore, colon, leading zero or minus "
     "zero"},
    {"balance: \"100000\"", "balance: +5",
     "error[CFG011] d.yaml:13:14 accounts.paper.balance: +5 is not a plain decimal; write "
     "digits and at most one point, no exponent, underscore, colon, leading zero or minus "
     "zero"},
    {"balance: \"100000\"", "balance: .5",
     "error[CFG011] d.yaml:13:14 accounts.paper.balance: .5 is not a plain decimal; write "
     "digits and at most one point, no exponent, underscore, colon, leading zero or minus "
     "zero"},
    {"balance: \"100000\"", "balance: 5.",
     "error[CFG011] d.yaml:13:14 accounts.paper.balance: 5. is not a plain decimal; write "
     "digits and at most one point, no exponent, underscore, colon, leading zero or minus "
     "zero"},
    {"balance: \"100000\"", "balance: \"1,000\"",
     "error[CFG011] d.yaml:13:14 accounts.paper.balance: 1,000 is not a plain decimal; write "
     "digits and at most one point, no exponent, underscore, colon, leading zero or minus "
     "zero"},
    {"due: 5ms", "due: 5",
     "error[CFG011] d.yaml:43:10 instances.cross.due: 5 is not a duration; write a whole "
     "number and one of ns us ms s m h d without quotes, like 90s"},
    {"due: 5ms", "due: 0:05",
     "error[CFG011] d.yaml:43:10 instances.cross.due: 0:05 is not a duration; write a whole "
     "number and one of ns us ms s m h d without quotes, like 90s"},
    {"due: 5ms", "due: \"5ms\"",
     "error[CFG011] d.yaml:43:10 instances.cross.due: 5ms is not a duration; write a whole "
     "number and one of ns us ms s m h d without quotes, like 90s"},
    {"{period: 12}", "{period: 1e1}",
     "error[CFG011] d.yaml:37:22 instances.fast.params.period: 1e1 is not a plain decimal; "
     "write digits and at most one point, no exponent, underscore, colon, leading zero or "
     "minus zero"},
    {"{period: 12}", "{period: yes}",
     "error[CFG011] d.yaml:37:22 instances.fast.params.period: yes is not a plain decimal; "
     "write digits and at most one point, no exponent, underscore, colon, leading zero or "
     "minus zero"},
    {"{period: 12}", "{period: \"12\"}",
     "error[CFG010] d.yaml:37:22 instances.fast.params.period: a number, true or false is "
     "wanted here, without quotes"},
};

static void config_case04_guessed_types_are_refused(void **state)
{
    (void)state;
    REFUSE(guessed);
}

static void config_case05_not_a_number_is_refused(void **state)
{
    (void)state;
    static const struct change changes[] = {
        {"balance: \"100000\"", "balance: .nan",
         "error[CFG011] d.yaml:13:14 accounts.paper.balance: .nan is not a plain decimal; write "
         "digits and at most one point, no exponent, underscore, colon, leading zero or minus "
         "zero"},
        {"balance: \"100000\"", "balance: NaN",
         "error[CFG011] d.yaml:13:14 accounts.paper.balance: NaN is not a plain decimal; write "
         "digits and at most one point, no exponent, underscore, colon, leading zero or minus "
         "zero"},
        {"balance: \"100000\"", "balance: .inf",
         "error[CFG011] d.yaml:13:14 accounts.paper.balance: .inf is not a plain decimal; write "
         "digits and at most one point, no exponent, underscore, colon, leading zero or minus "
         "zero"},
        {"balance: \"100000\"", "balance: -.inf",
         "error[CFG011] d.yaml:13:14 accounts.paper.balance: -.inf is not a plain decimal; write "
         "digits and at most one point, no exponent, underscore, colon, leading zero or minus "
         "zero"},
        {"balance: \"100000\"", "balance: -0",
         "error[CFG011] d.yaml:13:14 accounts.paper.balance: -0 is not a plain decimal; write "
         "digits and at most one point, no exponent, underscore, colon, leading zero or minus "
         "zero"},
        {"balance: \"100000\"", "balance: -0.00",
         "error[CFG011] d.yaml:13:14 accounts.paper.balance: -0.00 is not a plain decimal; write "
         "digits and at most one point, no exponent, underscore, colon, leading zero or minus "
         "zero"},
        {"balance: \"100000\"", "balance: 1e400",
         "error[CFG011] d.yaml:13:14 accounts.paper.balance: 1e400 is not a plain decimal; write "
         "digits and at most one point, no exponent, underscore, colon, leading zero or minus "
         "zero"},
        {"balance: \"100000\"", "balance: 99999999999999999999999999999999999999999999",
         "error[CFG011] d.yaml:13:14 accounts.paper.balance: "
         "9999999999999999999999999999999999999999 is longer than a number may be (40 characters)"},
        {"balance: \"100000\"", "balance: 0.000000001",
         "error[CFG013] d.yaml:13:14 accounts.paper.balance: 0.000000001 has more digits than "
         "exponent -8 holds; write at most 8 after the point"},
        {"maker_fee_bps: -0.25", "maker_fee_bps: -0",
         "error[CFG011] d.yaml:15:75 accounts.paper.venue.maker_fee_bps: -0 is not a plain "
         "decimal; write digits and at most one point, no exponent, underscore, colon, leading "
         "zero or minus zero"},
    };
    REFUSE(changes);
}

static void config_case06_unknown_key_is_refused_with_the_nearest(void **state)
{
    (void)state;
    static const struct change changes[] = {
        {"host: lab", "hots: lab",
         "error[CFG008] d.yaml:4:1 hots: unknown key; allowed schema, host, serial, parent, "
         "not_before, expires, run_until, template, rollback_of, seed, swap, currencies, "
         "accounts, instruments, instances, routes, limits, ...; nearest known key host"},
        {"max_open_orders: 20", "max_open_ordres: 20",
         "error[CFG008] d.yaml:63:5 limits.all.max_open_ordres: unknown key; allowed "
         "max_order_qty, max_order_value, price_collar_pct, max_position_qty, max_exposure_pct, "
         "max_leverage_x, max_open_orders, max_messages_per_s, max_clock_skew_ms; nearest known "
         "key max_open_orders"},
        {"latency_ms: 20.5", "latency: 20.5",
         "error[CFG008] d.yaml:15:28 accounts.paper.venue.latency: unknown key; allowed profile, "
         "latency_ms, jitter_ms, maker_fee_bps, taker_fee_bps, slippage_bps, volume_part_pct; "
         "nearest known key latency_ms"},
        {"    bar: 1m\n    due", "    bars: 1m\n    due",
         "error[CFG008] d.yaml:42:5 instances.cross.bars: unknown key; allowed plugin, version, "
         "instrument, bar, due, bay, tier, wake, cpu, path, sha256, params, inputs; nearest known "
         "key bar"},
        {"    price_collar_pct: 2", "    completely_different: 2",
         "error[CFG008] d.yaml:60:5 limits.all.completely_different: unknown key; allowed "
         "max_order_qty, max_order_value, price_collar_pct, max_position_qty, max_exposure_pct, "
         "max_leverage_x, max_open_orders, max_messages_per_s, max_clock_skew_ms"},
        {"env: paper, budget: \"20000\"", "env: paper, budget: \"20000\", weight: 1",
         "error[CFG008] d.yaml:53:86 routes[0].weight: unknown key; allowed strategy, instrument, "
         "account, env, budget"},
    };
    REFUSE(changes);
}

static void config_case07_missing_key_is_refused(void **state)
{
    (void)state;
    static const struct change changes[] = {
        {"    max_order_value: \"25000\"\n", "",
         "error[CFG009] d.yaml:55:1 limits: max_order_value is missing for cross on COIN "
         "(routes[0]); limits have no hidden default, name it under limits.all or by_instrument"},
        {"    max_exposure_pct: 20\n", "",
         "error[CFG009] d.yaml:55:1 limits: max_exposure_pct is missing for hold on SHARE "
         "(routes[1]); limits have no hidden default, name it under limits.all or by_instrument"},
        {"    max_position_qty: 100\n", "",
         "error[CFG009] d.yaml:55:1 limits: max_position_qty is missing for cross on COIN "
         "(routes[0]); limits have no hidden default, name it under limits.all or by_instrument"},
        {"  all:\n    max_order_qty: 4\n", "  by_account:\n    max_order_qty: 4\n",
         "error[CFG008] d.yaml:56:3 limits.by_account: unknown key; allowed all, by_instrument, "
         "by_strategy"},
        {"seed: 7\n", "", "error[CFG009] d.yaml:3:1: the key seed is missing; add it"},
        {"    version: 1.0.0\n    instrument: COIN\n    bar: 1m\n    params",
         "    instrument: COIN\n    bar: 1m\n    params",
         "error[CFG009] d.yaml:33:5 instances.fast: the key version is missing; add it"},
        {", budget: 1500.5", "",
         "error[CFG009] d.yaml:54:5 routes[1]: the key budget is missing; add it"},
    };
    REFUSE(changes);
}

static void config_case08_limit_out_of_range_is_refused(void **state)
{
    (void)state;
    static const struct change changes[] = {
        {"max_order_qty: 4", "max_order_qty: 0",
         "error[CFG012] d.yaml:57:20 limits.all.max_order_qty: 0 is outside its range; allowed "
         "above 0 to 1000000000000 units, at most 18 digits"},
        {"max_order_qty: 4", "max_order_qty: -4",
         "error[CFG012] d.yaml:57:20 limits.all.max_order_qty: -4 is outside its range; allowed "
         "above 0 to 1000000000000 units, at most 18 digits"},
        {"max_order_qty: 4", "max_order_qty: 9999999999999",
         "error[CFG012] d.yaml:57:20 limits.all.max_order_qty: 9999999999999 is outside its range; "
         "allowed above 0 to 1000000000000 units, at most 18 digits"},
        {"max_order_value: \"25000\"", "max_order_value: \"0.00\"",
         "error[CFG012] d.yaml:58:22 limits.all.max_order_value: 0.00 is outside its range; "
         "allowed above 0 to 10000000000 USD, at most 18 digits"},
        {"max_order_value: \"25000\"", "max_order_value: 10000000001",
         "error[CFG012] d.yaml:58:22 limits.all.max_order_value: 10000000001 is outside its range; "
         "allowed above 0 to 10000000000 USD, at most 18 digits"},
        {"max_leverage_x: 2.5", "max_leverage_x: 10.1",
         "error[CFG012] d.yaml:62:21 limits.all.max_leverage_x: 10.1 is outside its range; allowed "
         "0.1 to 10 times equity"},
        {"max_open_orders: 20", "max_open_orders: 1001",
         "error[CFG012] d.yaml:63:22 limits.all.max_open_orders: 1001 is outside its range; "
         "allowed 1 to 1000"},
        {"max_open_orders: 20", "max_open_orders: 0",
         "error[CFG012] d.yaml:63:22 limits.all.max_open_orders: 0 is outside its range; allowed 1 "
         "to 1000"},
        {"max_clock_skew_ms: 50", "max_clock_skew_ms: 250.1",
         "error[CFG012] d.yaml:65:24 limits.all.max_clock_skew_ms: 250.1 is outside its range; "
         "allowed 0.1 to 250 ms"},
        {"budget: \"20000\"", "budget: \"0\"",
         "error[CFG012] d.yaml:53:77 routes[0].budget: 0 is outside its range; allowed above 0 to "
         "10000000000 USD, at most 18 digits"},
        {"budget: \"20000\"", "budget: \"-20000\"",
         "error[CFG012] d.yaml:53:77 routes[0].budget: -20000 is outside its range; allowed above "
         "0 to 10000000000 USD, at most 18 digits"},
    };
    REFUSE(changes);
}

static void config_case09_percent_written_as_fraction_is_refused(void **state)
{
    (void)state;
    static const struct change changes[] = {
        {"max_exposure_pct: 20", "max_exposure_pct: 0.08",
         "error[CFG012] d.yaml:61:23 limits.all.max_exposure_pct: 0.08 is outside its range; "
         "allowed 1 to 1000 percent; eight percent is written 8, not 0.08"},
        {"max_exposure_pct: 20", "max_exposure_pct: 8%",
         "error[CFG011] d.yaml:61:23 limits.all.max_exposure_pct: 8% is not a plain decimal; write "
         "digits and at most one point, no exponent, underscore, colon, leading zero or minus "
         "zero"},
        {"max_exposure_pct: 20", "max_exposure_pct: 1001",
         "error[CFG012] d.yaml:61:23 limits.all.max_exposure_pct: 1001 is outside its range; "
         "allowed 1 to 1000 percent; eight percent is written 8, not 0.08"},
        {"price_collar_pct: 2", "price_collar_pct: 0.02",
         "error[CFG012] d.yaml:60:23 limits.all.price_collar_pct: 0.02 is outside its range; "
         "allowed 0.1 to 50 percent; eight percent is written 8, not 0.08"},
        {"price_collar_pct: 2", "price_collar: 2",
         "error[CFG008] d.yaml:60:5 limits.all.price_collar: unknown key; allowed max_order_qty, "
         "max_order_value, price_collar_pct, max_position_qty, max_exposure_pct, max_leverage_x, "
         "max_open_orders, max_messages_per_s, max_clock_skew_ms"},
        {"max_leverage_x: 2.5", "max_leverage_x: 250",
         "error[CFG012] d.yaml:62:21 limits.all.max_leverage_x: 250 is outside its range; allowed "
         "0.1 to 10 times equity"},
    };
    REFUSE(changes);
}

static void config_case10_unclean_text_is_refused(void **state)
{
    (void)state;
    static const struct change changes[] = {
        {"host: lab", "host:\tlab", "error[CFG003] d.yaml:4:6: a tab; indent with spaces"},
        {"host: lab", "host: lab\r",
         "error[CFG003] d.yaml:4:10: a carriage return; end lines with a line feed only"},
        {"# SPDX", "\xef\xbb\xbf# SPDX",
         "error[CFG003] d.yaml:1:1: a byte order mark; save the file as plain UTF-8"},
        {"# SPDX", "# \xe2\x80\xae SPDX",
         "error[CFG003] d.yaml:1:3: an invisible or direction-changing character; remove it"},
        {"host: lab",
         "host: l\xd0\xb0"
         "b",
         "error[CFG003] d.yaml:4:7: a character outside printable ASCII in a name or value; "
         "letters of other scripts that look alike are not the same"},
        {"host: lab", "host: \"l\\u0430b\"",
         "error[CFG003] d.yaml:4:7: a character outside printable ASCII in a name or value; "
         "letters of other scripts that look alike are not the same"},
        {"host: lab", "host: lab\x01", "error[CFG003] d.yaml:4:10: a control character; remove it"},
        {"host: lab", "host: \"l\\x61b\"",
         "error[CFG005] d.yaml:4:7: an escape in a quoted value; write the character itself"},
        {"host: lab", "host: lab\xc2\x85",
         "error[CFG003] d.yaml:4:10: a control character; remove it"},
        {"host: lab", "host: >\n  lab",
         "error[CFG005] d.yaml:4:7: a value over more than one line; write it on one line"},
        {"  SHARE: {}", "  SHARE\xe2\x80\x8b: {}",
         "error[CFG003] d.yaml:30:8: an invisible or direction-changing character; remove it"},
    };
    REFUSE(changes);
    /* Bytes that no text editor shows. */
    static const char nul[] = "schema: 1\nhost: l\0b\n", bad[] = "schema: 1\nhost: l\xc3(b\n",
                      overlong[] = "# \xc0\xaf\n", cut[] = "# \xe2\x82",
                      long_slash[] = "# \xe0\x80\xaf\n", half_pair[] = "# \xed\xa0\x80\n";
    document_write(nul, sizeof(nul) - 1);
    document_refused("error[CFG003] d.yaml:2:8: a NUL byte; remove it");
    document_write(bad, sizeof(bad) - 1);
    document_refused("error[CFG003] d.yaml:2:8: byte 0xc3 is not UTF-8; save the file as plain "
                     "UTF-8");
    document_write(overlong, sizeof(overlong) - 1);
    document_refused("error[CFG003] d.yaml:1:3: byte 0xc0 is not UTF-8; save the file as plain "
                     "UTF-8");
    document_write(long_slash, sizeof(long_slash) - 1);
    document_refused("error[CFG003] d.yaml:1:3: byte 0xe0 is not UTF-8; save the file as plain "
                     "UTF-8");
    document_write(half_pair, sizeof(half_pair) - 1);
    document_refused("error[CFG003] d.yaml:1:3: byte 0xed is not UTF-8; save the file as plain "
                     "UTF-8");
    document_write(cut, sizeof(cut) - 1);
    document_refused("error[CFG003] d.yaml:1:3: byte 0xe2 is not UTF-8; save the file as plain "
                     "UTF-8");
}

static void config_case11_second_document_is_refused(void **state)
{
    (void)state;
    static const struct change changes[] = {
        {"rates:\n", "---\nrates:\n",
         "error[CFG005] d.yaml:70:1: a second document; a file holds exactly one"},
        {"# SPDX", "---\nschema: 1\n...\n# SPDX",
         "error[CFG004] d.yaml:6:1: not YAML (did not find expected <document start>); check "
         "quotes, brackets and indentation"},
        {"# SPDX", "%YAML 1.1\n---\n# SPDX",
         "error[CFG005] d.yaml:1:1: a directive (% line); remove it"},
    };
    REFUSE(changes);
}

static void config_case12_hash_is_of_the_bytes_parsed(void **state)
{
    (void)state;
    uint8_t sha[HASH_SHA256_BYTES];
    size_t count = 0;
    document_change("seed: 7", "seed: 8");
    char *text = document_slurp(DOC_FILE, &count);
    hash_sha256_once(text, count, sha);
    const struct deploy_doc *d = document_accepted();
    assert_int_equal(d->seed, 8);
    assert_memory_equal(d->fact.sha256, sha, sizeof(sha));
    free(text);

    /* What could stand for another file by the time it is used is not followed. */
    assert_int_equal(rename(DOC_FILE, "real.yaml"), 0);
    assert_int_equal(symlink("real.yaml", DOC_FILE), 0);
    document_refused("error[CFG001] d.yaml: is a symbolic link; name the file itself, links are "
                     "not followed");
    unlink(DOC_FILE);
    unlink("real.yaml");
    assert_int_equal(mkfifo(DOC_FILE, 0600), 0);
    document_refused("error[CFG001] d.yaml: is not a regular file; name a file, not a folder, pipe "
                     "or device");
    unlink(DOC_FILE);
    assert_int_equal(mkdir(DOC_FILE, 0700), 0);
    document_refused("error[CFG001] d.yaml: is not a regular file; name a file, not a folder, pipe "
                     "or device");
    rmdir(DOC_FILE);
    document_refused("error[CFG001] d.yaml: there is no such file; check the path");
}

static void config_case13_other_environment_or_signed_key_is_refused(void **state)
{
    (void)state;
    static const struct change changes[] = {
        {"env: paper", "env: live",
         "error[CFG017] d.yaml:53:62 routes[0].env: live trading comes with a later "
         "release; write paper"},
        {"env: paper", "env: shadow",
         "error[CFG017] d.yaml:53:62 routes[0].env: shadow trading comes with a later "
         "release; write paper"},
        {"env: paper", "env: papr",
         "error[CFG016] d.yaml:53:62 routes[0].env: papr is not known here; allowed paper, shadow, "
         "live; nearest known word paper"},
        {"serial: 0", "serial: 4",
         "error[CFG009] d.yaml:5:9 serial: a file with a serial of 1 or more has the key parent "
         "too; add it, or have tenon config plan --out write it"},
        {"serial: 0", "serial: 0\nexpires: 2030",
         "error[CFG018] d.yaml:6:1 expires: is only for a file with a serial of 1 or more, which "
         "people sign; remove it, tenon config plan --out writes it"},
        {"serial: 0", "serial: 0\ncanary: x",
         "error[CFG017] d.yaml:6:1 canary: comes with a later release; remove it"},
        {"serial: 0", "serial: 0\nauto_policy: x",
         "error[CFG017] d.yaml:6:1 auto_policy: comes with a later release; remove it"},
        {"schema: 1", "schema: 2",
         "error[CFG016] d.yaml:3:9 schema: form 2 is not known to this release; write 1"},
        {"simulated: true", "simulated: false",
         "error[CFG017] d.yaml:14:16 accounts.paper.simulated: accounts at real venues come with a "
         "later release; write true"},
    };
    REFUSE(changes);
}

static void config_case14_other_plugin_hash_is_refused(void **state)
{
    (void)state;
    static const struct change mixed[] = {
        {"    version: 1.1.0\n",
         "    version: 1.0.0\n    sha256: "
         "\"ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"\n",
         "error[CFG018] d.yaml:50:13 instances.hold.sha256: pins ema_cross 1.0.0 otherwise than "
         "instance cross on line 38; one version is one file"},
        {"    version: 1.1.0\n", "    version: 1.0.0\n",
         "error[CFG018] d.yaml:48:5 instances.hold: pins ema_cross 1.0.0 otherwise than instance "
         "cross on line 38; one version is one file"},
        {"sha256: \"0011", "sha256: \"0x11",
         "error[CFG016] d.yaml:44:13 instances.cross.sha256: "
         "0x112233445566778899aabbccddeeff00112233 is not a SHA-256 of 64 small hex digits in "
         "quotes"},
        {"sha256: \"0011", "sha256: \"001",
         "error[CFG016] d.yaml:44:13 instances.cross.sha256: "
         "0012233445566778899aabbccddeeff001122334 is not a SHA-256 of 64 small hex digits in "
         "quotes"},
        {"sha256: \"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"",
         "sha256: 1111111111111111111111111111111111111111111111111111111111111111",
         "error[CFG010] d.yaml:44:13 instances.cross.sha256: a SHA-256 of 64 small hex digits in "
         "quotes is wanted"},
    };
    REFUSE(mixed);
    /* Good document, other file: the loader's hash is compared with the pin. */
    struct trail tr = {0};
    uint8_t sha[HASH_SHA256_BYTES];
    document_change("host: lab", "host: lab");
    const struct deploy_doc *d = document_accepted();
    assert_true(hash_from_hex(d->instance[1].sha256_hex, sha));
    assert_true(is_ok(deploy_pin(d, &d->instance[1], sha, &tr)));
    sha[31] ^= 1;
    struct result r = deploy_pin(d, &d->instance[1], sha, &tr);
    assert_int_equal(r.code, RESULT_CONFIG);
    assert_string_equal(trail_sentence(&tr, r),
                        "error[CFG019] d.yaml:38:1 instances.cross: the shared object of ema_cross "
                        "1.0.0 has SHA-256 001122334455..., not the pinned 001122334455...; "
                        "install the pinned file or correct sha256");
    assert_true(is_ok(deploy_pin(d, &d->instance[0], sha, &tr))); /* not pinned */
}

static void config_case15_tags_are_refused(void **state)
{
    (void)state;
    static const struct change changes[] = {
        {"host: lab", "host: !!python/object/apply:os.system lab",
         "error[CFG005] d.yaml:4:7: a tag; types are given by the key, remove it"},
        {"host: lab", "host: !mine lab",
         "error[CFG005] d.yaml:4:7: a tag; types are given by the key, remove it"},
        {"seed: 7", "seed: !!int \"7\"",
         "error[CFG005] d.yaml:6:7: a tag; types are given by the key, remove it"},
        {"  SHARE: {}", "  SHARE: !!map {}",
         "error[CFG005] d.yaml:30:10: a tag; types are given by the key, remove it"},
        {"routes:\n", "routes: !!seq\n",
         "error[CFG005] d.yaml:52:9: a tag; types are given by the key, remove it"},
    };
    REFUSE(changes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(config_case01_duplicate_keys_is_refused),
        cmocka_unit_test(config_case02_anchors_and_aliases_are_refused),
        cmocka_unit_test(config_case03_deep_or_large_is_refused),
        cmocka_unit_test(config_case04_guessed_types_are_refused),
        cmocka_unit_test(config_case05_not_a_number_is_refused),
        cmocka_unit_test(config_case06_unknown_key_is_refused_with_the_nearest),
        cmocka_unit_test(config_case07_missing_key_is_refused),
        cmocka_unit_test(config_case08_limit_out_of_range_is_refused),
        cmocka_unit_test(config_case09_percent_written_as_fraction_is_refused),
        cmocka_unit_test(config_case10_unclean_text_is_refused),
        cmocka_unit_test(config_case11_second_document_is_refused),
        cmocka_unit_test(config_case12_hash_is_of_the_bytes_parsed),
        cmocka_unit_test(config_case13_other_environment_or_signed_key_is_refused),
        cmocka_unit_test(config_case14_other_plugin_hash_is_refused),
        cmocka_unit_test(config_case15_tags_are_refused),
    };
    return cmocka_run_group_tests(tests, document_setup, document_teardown);
}
