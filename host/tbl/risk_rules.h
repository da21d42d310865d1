/* SPDX-License-Identifier: Apache-2.0
 *
 * The gate's rules, once, in the order they are evaluated and printed.
 *
 * Row: X(id, NAME, code, unit, may_cut, closes, default, source, sentence)
 *   code    the public reason code CATEGORY_CONDITION
 *   unit    of observed and limit: FLAG 0/1, QTY quantity units, MONEY account-currency units,
 *           PPM millionths, NS, COUNT
 *   may_cut 1: the rule may grant less instead of saying no (quantity limits only, never closes)
 *   closes  1: the rule also binds reducing intents; 0: reducing intents pass it
 *   default limit when the deployment names none; RISK_NO_DEFAULT = the deployment must name one
 *   source  the control in the risk research this row implements
 */
#define RISK_NO_DEFAULT INT64_MIN

#define RISK_RULES(X)                                                                              \
    X(1, KILL, "LIFECYCLE_KILLED", FLAG, 0, 0, 0, "34", "no new risk while a kill is on")          \
    X(2, MODE, "LIFECYCLE_MODE", COUNT, 0, 1, 0, "DESIGN 6",                                       \
      "the strictest mode of global, account and strategy must allow it")                          \
    X(3, AUTO, "LIFECYCLE_AUTO_OFF", FLAG, 0, 1, 1, "DESIGN 6",                                    \
      "belief becomes intent only while auto trading is on")                                       \
    X(4, PERMISSION, "PERMISSION_NO_ROUTE", FLAG, 0, 1, 1, "18",                                   \
      "strategy, instrument and account need a route")                                             \
    X(5, STATIC, "VENUE_INVALID_ORDER", FLAG, 0, 1, 1, "19",                                       \
      "tick, lot, minimum and session of the instrument must fit")                                 \
    X(6, DATA, "DATA_NOT_HEALTHY", COUNT, 0, 0, 1, "20", "market data must be HEALTHY (1)")        \
    X(7, CLOCK, "DATA_CLOCK_SKEW", NS, 0, 0, 50000000, "21",                                       \
      "the host clock must be close to its reference")                                             \
    X(8, MAX_QTY, "RISK_QTY_EXCEEDS_MAXIMUM", QTY, 1, 0, RISK_NO_DEFAULT, "1",                     \
      "quantity of one order")                                                                     \
    X(9, MAX_VALUE, "RISK_VALUE_EXCEEDS_MAXIMUM", MONEY, 1, 0, RISK_NO_DEFAULT, "2",               \
      "value of one order")                                                                        \
    X(10, COLLAR, "RISK_PRICE_OUTSIDE_COLLAR", PPM, 0, 1, 20000, "4",                              \
      "distance of the price from the reference")                                                  \
    X(11, POSITION, "RISK_POSITION_EXCEEDS_MAXIMUM", QTY, 1, 0, RISK_NO_DEFAULT, "8",              \
      "position of the strategy with all that works or is unknown")                                \
    X(12, EXPOSURE, "RISK_EXPOSURE_EXCEEDS_CAP", PPM, 1, 0, RISK_NO_DEFAULT, "6",                  \
      "exposure of the instrument at the venue, worst side, as part of equity")                    \
    X(13, LEVERAGE, "RISK_LEVERAGE_EXCEEDS_MAXIMUM", PPM, 1, 0, 3000000, "7",                      \
      "gross exposure of the account as part of equity")                                           \
    X(14, RATE, "DATA_RATE_MISSING", NS, 0, 0, 0, "DECISIONS 11",                                  \
      "the exchange rate into the account's currency must be known and young")                     \
    X(15, DUPLICATE, "RISK_DUPLICATE_INTENT", COUNT, 0, 1, 0, "12",                                \
      "the same intent was seen already")                                                          \
    X(16, OPEN_ORDERS, "RISK_OPEN_ORDERS_EXCEED_MAXIMUM", COUNT, 0, 0, 50, "13",                   \
      "orders of the strategy that live")                                                          \
    X(17, MESSAGES, "RISK_MESSAGE_RATE_EXCEEDED", COUNT, 0, 1, 50, "14",                           \
      "messages to the venue in one second; 20 % are kept for cancels and closes")

/* Units. Zero is unset. */
#define RISK_UNITS(X)                                                                              \
    X(1, FLAG, "flag")                                                                             \
    X(2, COUNT, "count")                                                                           \
    X(3, QTY, "quantity")                                                                          \
    X(4, MONEY, "money")                                                                           \
    X(5, PPM, "ppm")                                                                               \
    X(6, NS, "ns")

enum risk_unit {
    RISK_UNIT_UNSET = 0,
#define X(id, name, text) RISK_UNIT_##name = id,
    RISK_UNITS(X)
#undef X
};

enum risk_rule {
    RISK_RULE_UNSET = 0,
#define X(id, name, code, unit, may_cut, closes, def, source, text) RISK_##name = id,
    RISK_RULES(X)
#undef X
        RISK_RULE_END
};
enum { RISK_RULE_COUNT = RISK_RULE_END - 1 };
