/* SPDX-License-Identifier: Apache-2.0
 *
 * Every key of a deployment document and of an instruments file, once: the parser, the nearest-key
 * hint, the test that compares with plugin-api/schema/deployment.schema.json and the test that
 * compares with configs/reference.yaml all read this table.
 *
 * Row: X(SECTION, name, required, sentence). A section is one kind of mapping; its rows stand in
 * the order in which missing keys are named. Mappings whose keys are names given by the author
 * (currencies, accounts, instruments, instances, params, inputs, rates, by_instrument,
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
    X(INSTRUMENT, "instrument")                                                                    \
    X(INSTANCE, "instance")                                                                        \
    X(ROUTE, "route")                                                                              \
    X(LIMITS, "limits")                                                                            \
    X(LIMIT, "limit")                                                                              \
    X(RATE, "rate")

#define CFG_KEYS(X)                                                                                \
    X(ROOT, schema, 1, "version of this form")                                                     \
    X(ROOT, host, 1, "the host it is meant for")                                                   \
    X(ROOT, serial, 1, "0 = unsigned")                                                             \
    X(ROOT, seed, 1, "where all chance of the run comes from")                                     \
    X(ROOT, currencies, 1, "the money that appears in it")                                         \
    X(ROOT, accounts, 1, "where orders go and what they are paid with")                            \
    X(ROOT, instruments, 1, "what is listened to and traded")                                      \
    X(ROOT, instances, 1, "plugins at work")                                                       \
    X(ROOT, routes, 1, "which strategy may trade what, where, with how much")                      \
    X(ROOT, limits, 1, "what the gate refuses")                                                    \
    X(ROOT, rates, 0, "how one currency becomes another")                                          \
    X(TABLE, schema, 1, "version of this form")                                                    \
    X(TABLE, currencies, 1, "the money instruments settle in")                                     \
    X(TABLE, instruments, 1, "instruments by symbol")                                              \
    X(CURRENCY, exponent, 1, "power of ten of its smallest part")                                  \
    X(ACCOUNT, currency, 1, "base currency")                                                       \
    X(ACCOUNT, balance, 1, "start balance in it")                                                  \
    X(ACCOUNT, simulated, 1, "true: orders go to the simulated venue")                             \
    X(ACCOUNT, venue, 1, "how the simulated venue behaves")                                        \
    X(VENUE, profile, 1, "plain or demo")                                                          \
    X(VENUE, latency_ms, 1, "from the host to the venue and back")                                 \
    X(VENUE, jitter_ms, 0, "added to the latency, uniform, seeded")                                \
    X(VENUE, maker_fee_bps, 1, "of value; negative is a rebate")                                   \
    X(VENUE, taker_fee_bps, 1, "of value")                                                         \
    X(VENUE, slippage_bps, 0, "against us, on bars and trades")                                    \
    X(VENUE, volume_part_pct, 0, "of a bar's volume that we can get")                              \
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
    X(RATE, max_age, 0, "of the mark")

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

/* Keys of signed promotion: known, so that the sentence can say when they come. */
#define CFG_LATER(X) X(parent) X(not_before) X(expires) X(run_until) X(auto_policy) X(canary)
#endif
