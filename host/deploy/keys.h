/* SPDX-License-Identifier: Apache-2.0
 *
 * Every key of a deployment document and of an instruments file, once: the parser, the nearest-key
 * hint, the test that compares with plugin-api/schema/deployment.schema.json and the test that
 * compares with configs/reference.yaml all read this table.
 *
 * Row: X(SECTION, name, required, sentence). A section is one kind of mapping; its rows stand in
 * the order in which missing keys are named. Mappings whose keys are names given by the author
 * (currencies, accounts, instruments, instances, params, inputs, rates, people, by_instrument,
 * by_strategy) have no rows of their own.
 */
#ifndef DEPLOY_KEYS_H
#define DEPLOY_KEYS_H

#define CFG_SECTIONS(X)                                                                            \
    X(ROOT, "root")                                                                                \
    X(TABLE, "table")                                                                              \
    X(CURRENCY, "currency")                                                                        \
    X(ACCOUNT, "account")                                                                          \
    X(VENUE, "venue")                                                                              \
    X(ADAPTER, "adapter")                                                                          \
    X(INSTRUMENT, "instrument")                                                                    \
    X(INSTANCE, "instance")                                                                        \
    X(ROUTE, "route")                                                                              \
    X(LIMITS, "limits")                                                                            \
    X(LIMIT, "limit")                                                                              \
    X(RATE, "rate")                                                                                \
    X(SWAP, "swap")                                                                                \
    X(REMOVE, "remove")                                                                            \
    X(TRUST, "trust")                                                                              \
    X(THRESHOLDS, "thresholds")                                                                    \
    X(PERSON, "person")                                                                            \
    X(REQUEST, "request")

#define CFG_KEYS(X)                                                                                \
    X(ROOT, schema, 1, "version of this form")                                                     \
    X(ROOT, host, 1, "the host it is meant for")                                                   \
    X(ROOT, serial, 1, "1, 2, ... of what people sign; 0 = unsigned")                              \
    X(ROOT, parent, 0, "SHA-256 of the deployment before it; zeros for serial 1")                  \
    X(ROOT, not_before, 0, "it may be promoted from then on")                                      \
    X(ROOT, expires, 0, "it may be promoted until then")                                           \
    X(ROOT, run_until, 0, "event time after which the host only reduces")                          \
    X(ROOT, template, 0, "SHA-256 of the file it was composed from")                               \
    X(ROOT, rollback_of, 0, "the serial that it takes back")                                       \
    X(ROOT, seed, 1, "where all chance of the run comes from")                                     \
    X(ROOT, swap, 0, "how the builds before it are replaced")                                      \
    X(ROOT, currencies, 1, "the money that appears in it")                                         \
    X(ROOT, accounts, 1, "where orders go and what they are paid with")                            \
    X(ROOT, instruments, 1, "what is listened to and traded")                                      \
    X(ROOT, instances, 1, "plugins at work")                                                       \
    X(ROOT, routes, 1, "which strategy may trade what, where, with how much")                      \
    X(ROOT, limits, 1, "what the gate refuses")                                                    \
    X(ROOT, rates, 0, "how one currency becomes another")                                          \
    X(ROOT, on_remove, 0, "what becomes of what a leaving strategy owns")                          \
    X(TABLE, schema, 1, "version of this form")                                                    \
    X(TABLE, currencies, 1, "the money instruments settle in")                                     \
    X(TABLE, instruments, 1, "instruments by symbol")                                              \
    X(CURRENCY, exponent, 1, "power of ten of its smallest part")                                  \
    X(ACCOUNT, currency, 1, "base currency")                                                       \
    X(ACCOUNT, balance, 1, "start balance in it")                                                  \
    X(ACCOUNT, simulated, 1, "true: orders go to the simulated venue")                             \
    X(ACCOUNT, venue, 1, "how the simulated venue behaves")                                        \
    X(ACCOUNT, via, 0, "the simulated venue in the engine, or tenon-egress and an adapter")        \
    X(ACCOUNT, adapter, 0, "with via: egress, the plugin that speaks to the venue")                \
    X(VENUE, profile, 1, "plain or demo")                                                          \
    X(VENUE, latency_ms, 1, "from the host to the venue and back")                                 \
    X(VENUE, jitter_ms, 0, "added to the latency, uniform, seeded")                                \
    X(VENUE, maker_fee_bps, 1, "of value; negative is a rebate")                                   \
    X(VENUE, taker_fee_bps, 1, "of value")                                                         \
    X(VENUE, slippage_bps, 0, "against us, on bars and trades")                                    \
    X(VENUE, volume_part_pct, 0, "of a bar's volume that we can get")                              \
    X(ADAPTER, plugin, 1, "id of the adapter plugin")                                              \
    X(ADAPTER, version, 1, "its version, exactly")                                                 \
    X(ADAPTER, sha256, 0, "pins the shared object")                                                \
    X(ADAPTER, secret, 0, "its name in egress's store; the account's name when left out")          \
    X(ADAPTER, endpoints, 1, "what egress may open for it, in the adapter's order")                \
    X(INSTRUMENT, contract, 1, "linear or inverse")                                                \
    X(INSTRUMENT, price_exponent, 1, "power of ten of one price unit, for life")                   \
    X(INSTRUMENT, qty_exponent, 1, "power of ten of one quantity unit, for life")                  \
    X(INSTRUMENT, tick, 1, "order prices are multiples of it")                                     \
    X(INSTRUMENT, lot, 1, "order quantities are multiples of it")                                  \
    X(INSTRUMENT, min_qty, 0, "smallest order; one lot when left out")                             \
    X(INSTRUMENT, multiplier, 1, "money per price and quantity")                                   \
    X(INSTRUMENT, settle, 1, "currency that profit and fees are in")                               \
    X(INSTRUMENT, bar, 1, "length of its bars, or none")                                           \
    X(INSTRUMENT, stamp, 1, "bars are stamped with their start or end")                            \
    X(INSTRUMENT, session, 1, "always: no closing time is known")                                  \
    X(INSTRUMENT, degraded_after, 1, "data older than this allows no new risk")                    \
    X(INSTRUMENT, down_after, 1, "data older than this is down")                                   \
    X(INSTRUMENT, price_max, 0, "greatest believable price")                                       \
    X(INSTANCE, plugin, 1, "id of the plugin")                                                     \
    X(INSTANCE, version, 1, "its version, exactly")                                                \
    X(INSTANCE, instrument, 1, "what it works on")                                                 \
    X(INSTANCE, bar, 1, "length of the bars it is fed with, or none")                              \
    X(INSTANCE, due, 0, "its answers count this long after their cause; 0ms when left out")        \
    X(INSTANCE, bay, 0,                                                                            \
      "where a strategy runs with its inputs: inline, or in a process of their own")               \
    X(INSTANCE, tier, 0, "contained: only where the kernel enforces the whole sandbox")            \
    X(INSTANCE, wake, 0, "what its process does while nothing comes")                              \
    X(INSTANCE, cpu, 0, "the one that its process may use")                                        \
    X(INSTANCE, path, 0, "of the shared object; found by id and version when left out")            \
    X(INSTANCE, sha256, 0, "pins the shared object")                                               \
    X(INSTANCE, params, 0, "values for the plugin's declared parameters")                          \
    X(INSTANCE, inputs, 0, "the plugin's inputs, each bound to instance.output")                   \
    X(ROUTE, strategy, 1, "an instance")                                                           \
    X(ROUTE, instrument, 1, "what it may trade")                                                   \
    X(ROUTE, account, 1, "where")                                                                  \
    X(ROUTE, env, 1, "paper")                                                                      \
    X(ROUTE, budget, 1, "money behind a full signal, in the account's currency")                   \
    X(LIMITS, all, 1, "for everything")                                                            \
    X(LIMITS, by_instrument, 0, "tighter ones for an instrument")                                  \
    X(LIMITS, by_strategy, 0, "tighter ones for a strategy")                                       \
    X(LIMIT, max_order_qty, 0, "rule MAX_QTY")                                                     \
    X(LIMIT, max_order_value, 0, "rule MAX_VALUE")                                                 \
    X(LIMIT, price_collar_pct, 0, "rule COLLAR")                                                   \
    X(LIMIT, max_position_qty, 0, "rule POSITION")                                                 \
    X(LIMIT, max_exposure_pct, 0, "rule EXPOSURE")                                                 \
    X(LIMIT, max_leverage_x, 0, "rule LEVERAGE")                                                   \
    X(LIMIT, max_open_orders, 0, "rule OPEN_ORDERS")                                               \
    X(LIMIT, max_messages_per_s, 0, "rule MESSAGES")                                               \
    X(LIMIT, max_clock_skew_ms, 0, "rule CLOCK")                                                   \
    X(RATE, constant, 0, "one unit of the first in the second")                                    \
    X(RATE, instrument, 0, "its mark is the rate")                                                 \
    X(RATE, max_age, 0, "of the mark")                                                             \
    X(SWAP, hear, 0, "new builds hear the stream this long before they take over")                 \
    X(SWAP, probation, 0, "old builds are kept ready this long after that")                        \
    X(SWAP, denials, 0, "so many of a new build's 16 newest intents denied: rolled back")          \
    X(REMOVE, hand_to, 1, "the strategy that takes position, stop and orders")                     \
    X(TRUST, schema, 1, "version of this form")                                                    \
    X(TRUST, kind, 1, "trust")                                                                     \
    X(TRUST, host, 1, "the host whose deployments these people sign")                              \
    X(TRUST, version, 1, "1, 2, ...: each names the one before")                                   \
    X(TRUST, parent, 1, "SHA-256 of the version before; zeros for the first")                      \
    X(TRUST, thresholds, 1, "how many different people a change takes")                            \
    X(TRUST, people, 1, "who may sign, as what, with which keys")                                  \
    X(TRUST, revoked, 0, "keys that are trusted no more")                                          \
    X(TRUST, throwaway, 0, "true: keys made on the spot, for simulated accounts only")             \
    X(THRESHOLDS, root, 1, "to change the trust document")                                         \
    X(THRESHOLDS, author, 1, "to propose a deployment")                                            \
    X(THRESHOLDS, operator, 1, "to let it go live")                                                \
    X(THRESHOLDS, risk, 1, "to take more risk, in operators' places")                              \
    X(THRESHOLDS, request, 1, "to lift a kill or a loss, at least one of them of role risk")       \
    X(PERSON, roles, 1, "root, author, operator, risk")                                            \
    X(PERSON, keys, 1, "public keys in minisign's form")                                           \
    X(REQUEST, schema, 1, "version of this form")                                                  \
    X(REQUEST, kind, 1, "request")                                                                 \
    X(REQUEST, host, 1, "the host that is asked")                                                  \
    X(REQUEST, wish, 1, "resume")                                                                  \
    X(REQUEST, scope, 1, "global, strategy:NAME or account:NAME")                                  \
    X(REQUEST, to, 1, "active or reducing")                                                        \
    X(REQUEST, reason, 1, "why, for the journal")                                                  \
    X(REQUEST, created, 1, "when it was written, UTC")                                             \
    X(REQUEST, expires, 1, "from when on it is worth nothing, at most a day later")                \
    X(REQUEST, nonce, 1, "16 hex digits: no two requests are the same file")

/* What the value of a key looks like, for the readers, the hints and `tenon config explain`.
 * Row: X(SECTION, key, KIND, min, max, unit, default, example). Ends of a range as they are
 * written; min "" = above zero. Default "" = the key must be there, or leaving it out means nothing
 * (the sentence says so); a reader takes its default from here. WORD: unit is the list of words.
 * The limits' bounds are in CFG_LIMITS, their defaults in tbl/risk_rules.h. */
#define CFG_VALUES(X)                                                                              \
    X(WHOLE, "a whole number, written plain")                                                      \
    X(DECIMAL, "a decimal, plain or quoted")                                                       \
    X(DURATION, "a whole number with ns us ms s m h or d")                                         \
    X(TIME, "a time in UTC, whole seconds")                                                        \
    X(FLAG, "true or false")                                                                       \
    X(WORD, "one of")                                                                              \
    X(NAME, "a name: small letters, digits, _")                                                    \
    X(SYMBOL, "a symbol: letters, digits and . _ : / -")                                           \
    X(CURRENCY, "a currency: capital letters, digits")                                             \
    X(VERSION, "three whole numbers like 1.0.0")                                                   \
    X(HASH, "a SHA-256: 64 small hex digits in quotes")                                            \
    X(FILE, "a path; a relative one counts from the document's folder")                            \
    X(BAR, "none, or a duration of whole seconds that divides a day")                              \
    X(MAP, "a mapping of keys")                                                                    \
    X(NAMES, "a mapping of names")                                                                 \
    X(LIST, "a list")
#define CFG_FORMS(X)                                                                               \
    X(ROOT, schema, WHOLE, "1", "1", "", "", "1")                                                  \
    X(ROOT, host, NAME, "", "", "", "", "demo")                                                    \
    X(ROOT, serial, WHOLE, "0", "4294967295", "", "", "2")                                         \
    X(ROOT, parent, HASH, "", "", "", "", "\"9f2c...\"")                                           \
    X(ROOT, not_before, TIME, "", "", "", "", "2026-11-20T13:00:00Z")                              \
    X(ROOT, expires, TIME, "", "", "", "", "2026-11-21T13:00:00Z")                                 \
    X(ROOT, run_until, TIME, "", "", "", "never", "2026-12-31T00:00:00Z")                          \
    X(ROOT, template, HASH, "", "", "", "none", "\"41d0...\"")                                     \
    X(ROOT, rollback_of, WHOLE, "1", "4294967294", "", "none", "2")                                \
    X(ROOT, seed, WHOLE, "0", "9223372036854775807", "", "", "7")                                  \
    X(ROOT, swap, MAP, "", "", "", "as its keys' defaults", "{hear: 60s, probation: 30m}")         \
    X(ROOT, currencies, NAMES, "", "", "", "", "{USD: {exponent: -8}}")                            \
    X(ROOT, accounts, NAMES, "", "", "", "", "see configs/reference.yaml")                         \
    X(ROOT, instruments, NAMES, "", "", "", "", "{BTC-USD: {}}")                                   \
    X(ROOT, instances, NAMES, "", "", "", "", "see configs/reference.yaml")                        \
    X(ROOT, routes, LIST, "", "", "", "", "see configs/reference.yaml")                            \
    X(ROOT, limits, MAP, "", "", "", "", "see configs/reference.yaml")                             \
    X(ROOT, rates, NAMES, "", "", "", "none", "{EUR/USD: {constant: \"1.08\"}}")                   \
    X(ROOT, on_remove, NAMES, "", "", "", "only what owns nothing may leave",                      \
      "{btc_cross: flatten}")                                                                      \
    X(TABLE, schema, WHOLE, "1", "1", "", "", "1")                                                 \
    X(TABLE, currencies, NAMES, "", "", "", "", "{USD: {exponent: -8}}")                           \
    X(TABLE, instruments, NAMES, "", "", "", "", "see configs/instruments.yaml")                   \
    X(CURRENCY, exponent, WHOLE, "-12", "0", "", "", "-8")                                         \
    X(ACCOUNT, currency, CURRENCY, "", "", "", "", "USD")                                          \
    X(ACCOUNT, balance, DECIMAL, "", "10000000000", "of its currency", "", "\"100000\"")           \
    X(ACCOUNT, simulated, FLAG, "", "", "", "", "true")                                            \
    X(ACCOUNT, venue, MAP, "", "", "", "", "see configs/reference.yaml")                           \
    X(ACCOUNT, via, WORD, "", "", "engine egress", "engine", "egress")                             \
    X(ACCOUNT, adapter, MAP, "", "", "", "none", "see configs/reference.yaml")                     \
    X(VENUE, profile, WORD, "", "", "plain demo", "", "demo")                                      \
    X(VENUE, latency_ms, DECIMAL, "0", "60000", "ms", "", "20")                                    \
    X(VENUE, jitter_ms, DECIMAL, "0", "60000", "ms", "0", "5")                                     \
    X(VENUE, maker_fee_bps, DECIMAL, "-50", "500", "basis points", "", "1")                        \
    X(VENUE, taker_fee_bps, DECIMAL, "0", "500", "basis points", "", "5")                          \
    X(VENUE, slippage_bps, DECIMAL, "0", "1000", "basis points", "0", "1")                         \
    X(VENUE, volume_part_pct, DECIMAL, "0.01", "100", "percent", "100", "25")                      \
    X(ADAPTER, plugin, NAME, "", "", "", "", "tenon_venue")                                        \
    X(ADAPTER, version, VERSION, "", "", "", "", "1.0.0")                                          \
    X(ADAPTER, sha256, HASH, "", "", "", "any file, of an unsigned document", "\"57ab...\"")       \
    X(ADAPTER, secret, NAME, "", "", "", "the account's name", "paper")                            \
    X(ADAPTER, endpoints, NAMES, "", "", "", "", "{rest: \"http://127.0.0.1:7410\"}")              \
    X(INSTRUMENT, contract, WORD, "", "", "linear inverse", "", "linear")                          \
    X(INSTRUMENT, price_exponent, WHOLE, "-12", "12", "", "", "-8")                                \
    X(INSTRUMENT, qty_exponent, WHOLE, "-12", "12", "", "", "-8")                                  \
    X(INSTRUMENT, tick, DECIMAL, "", "1000000000000", "in price", "", "0.01")                      \
    X(INSTRUMENT, lot, DECIMAL, "", "1000000000000", "units", "", "0.0001")                        \
    X(INSTRUMENT, min_qty, DECIMAL, "", "1000000000000", "units", "one lot", "0.001")              \
    X(INSTRUMENT, multiplier, DECIMAL, "", "999999999999999999", "", "", "1")                      \
    X(INSTRUMENT, settle, CURRENCY, "", "", "", "", "USD")                                         \
    X(INSTRUMENT, bar, BAR, "", "", "", "", "1m")                                                  \
    X(INSTRUMENT, stamp, WORD, "", "", "start end", "", "start")                                   \
    X(INSTRUMENT, session, WORD, "", "", "always", "", "always")                                   \
    X(INSTRUMENT, degraded_after, DURATION, "1ms", "30d", "", "", "5m")                            \
    X(INSTRUMENT, down_after, DURATION, "1ms", "30d", "", "", "30m")                               \
    X(INSTRUMENT, price_max, DECIMAL, "", "1000000000000", "in price", "no bound", "100000")       \
    X(INSTANCE, plugin, NAME, "", "", "", "", "ema_cross")                                         \
    X(INSTANCE, version, VERSION, "", "", "", "", "1.1.0")                                         \
    X(INSTANCE, instrument, SYMBOL, "", "", "", "", "BTC-USD")                                     \
    X(INSTANCE, bar, BAR, "", "", "", "", "1m")                                                    \
    X(INSTANCE, due, DURATION, "0ms", "1h", "", "0ms", "20ms")                                     \
    X(INSTANCE, bay, WORD, "", "", "inline process", "inline", "process")                          \
    X(INSTANCE, tier, WORD, "", "", "trusted contained", "trusted", "contained")                   \
    X(INSTANCE, wake, WORD, "", "", "spin hybrid block", "block", "hybrid")                        \
    X(INSTANCE, cpu, WHOLE, "0", "1023", "", "any", "1")                                           \
    X(INSTANCE, path, FILE, "", "", "", "found by id and version", "plugins/ema_cross-1.1.0.so")   \
    X(INSTANCE, sha256, HASH, "", "", "", "any file, of an unsigned document", "\"57ab...\"")      \
    X(INSTANCE, params, NAMES, "", "", "", "the plugin's own: tenon plugin show",                  \
      "{target_ppm: 900000}")                                                                      \
    X(INSTANCE, inputs, NAMES, "", "", "", "none", "{fast: btc_fast.value}")                       \
    X(ROUTE, strategy, NAME, "", "", "", "", "btc_cross")                                          \
    X(ROUTE, instrument, SYMBOL, "", "", "", "", "BTC-USD")                                        \
    X(ROUTE, account, NAME, "", "", "", "", "paper")                                               \
    X(ROUTE, env, WORD, "", "", "paper", "", "paper")                                              \
    X(ROUTE, budget, DECIMAL, "", "10000000000", "of the account's currency", "", "\"20000\"")     \
    X(LIMITS, all, MAP, "", "", "", "", "{max_open_orders: 20}")                                   \
    X(LIMITS, by_instrument, NAMES, "", "", "", "none", "{BTC-USD: {max_order_qty: 5}}")           \
    X(LIMITS, by_strategy, NAMES, "", "", "", "none", "{btc_cross: {max_open_orders: 5}}")         \
    X(RATE, constant, DECIMAL, "", "999999999999999999", "", "", "\"1.08\"")                       \
    X(RATE, instrument, SYMBOL, "", "", "", "", "EUR-USD")                                         \
    X(RATE, max_age, DURATION, "1ms", "7d", "", "", "5m")                                          \
    X(SWAP, hear, DURATION, "0ms", "1d", "of event time", "60s", "60s")                            \
    X(SWAP, probation, DURATION, "0ms", "30d", "of event time", "30m", "30m")                      \
    X(SWAP, denials, WHOLE, "1", "16", "of 16 intents", "12", "12")                                \
    X(REMOVE, hand_to, NAME, "", "", "", "", "btc_cross")

/* Which section stands below a key. Row: X(SECTION, key, SHAPE, SECTION below).
 * ONE: a mapping of that section's keys; NAMED: names to such mappings; ROWS: a list of them. */
#define CFG_NESTS(X)                                                                               \
    X(ROOT, swap, ONE, SWAP)                                                                       \
    X(ROOT, currencies, NAMED, CURRENCY)                                                           \
    X(ROOT, accounts, NAMED, ACCOUNT)                                                              \
    X(ROOT, instruments, NAMED, INSTRUMENT)                                                        \
    X(ROOT, instances, NAMED, INSTANCE)                                                            \
    X(ROOT, routes, ROWS, ROUTE)                                                                   \
    X(ROOT, limits, ONE, LIMITS)                                                                   \
    X(ROOT, rates, NAMED, RATE)                                                                    \
    X(ROOT, on_remove, NAMED, REMOVE)                                                              \
    X(ACCOUNT, venue, ONE, VENUE)                                                                  \
    X(ACCOUNT, adapter, ONE, ADAPTER)                                                              \
    X(LIMITS, all, ONE, LIMIT)                                                                     \
    X(LIMITS, by_instrument, NAMED, LIMIT)                                                         \
    X(LIMITS, by_strategy, NAMED, LIMIT)

/* Settable limits. Row: X(key, RULE, exponent of the written number that gives the rule's unit
 * (QTY and MONEY take theirs from instrument and account), min, max, unit in sentences).
 * The ceilings are hard: no document, signed or not, may go above them. */
#define CFG_LIMITS(X)                                                                              \
    X(max_order_qty, MAX_QTY, 0, "", "1000000000000", "units")                                     \
    X(max_order_value, MAX_VALUE, 0, "", "10000000000", "of account currency")                     \
    X(price_collar_pct, COLLAR, -4, "0.1", "50", "percent")                                        \
    X(max_position_qty, POSITION, 0, "", "1000000000000", "units")                                 \
    X(max_exposure_pct, EXPOSURE, -4, "1", "1000", "percent")                                      \
    X(max_leverage_x, LEVERAGE, -6, "0.1", "10", "times equity")                                   \
    X(max_open_orders, OPEN_ORDERS, 0, "1", "1000", "orders")                                      \
    X(max_messages_per_s, MESSAGES, 0, "5", "10000", "messages per second")                        \
    X(max_clock_skew_ms, CLOCK, -6, "0.1", "250", "ms")

/* Keys of what is not there yet: known, so that the sentence can say so. */
#define CFG_LATER(X) X(auto_policy) X(canary)
#endif
