/* SPDX-License-Identifier: Apache-2.0
 *
 * Every kind of record in the journal, once: events (what the core takes in) and effects (what a
 * step gives out). Ids are for ever; a removed one is never reused.
 *
 * Row: X(id, NAME, payload, version, order class, sentence). Payloads are in facts.h.
 * Order classes (DECISIONS 3): CONTROL, VENUE, TICK, ANSWER, MARKET; effects have EFFECT.
 */
#define FACT_EVENTS(X)                                                                             \
    X(1, GENESIS, fact_genesis, 1, CONTROL, "the journal begins")                                  \
    X(2, START, fact_start, 1, CONTROL, "the host starts a new epoch")                             \
    X(3, STOP, fact_stop, 1, CONTROL, "the host stops")                                            \
    X(4, DEPLOY, fact_deploy, 1, CONTROL, "a deployment becomes active")                           \
    X(5, CURRENCY, fact_currency, 1, CONTROL, "a currency is defined")                             \
    X(6, INSTRUMENT, fact_instrument, 1, CONTROL, "an instrument is defined or changed")           \
    X(7, ACCOUNT, fact_account, 1, CONTROL, "an account is defined")                               \
    X(8, INSTANCE, fact_instance, 1, CONTROL, "a plugin instance is defined")                      \
    X(9, ROUTE, fact_route, 1, CONTROL, "a strategy may trade an instrument on an account")        \
    X(10, LIMIT, fact_limit, 1, CONTROL, "a risk limit is set")                                    \
    X(11, RATE, fact_rate, 1, CONTROL, "an exchange rate is set")                                  \
    X(12, AUTO, fact_auto, 1, CONTROL, "auto trading is switched")                                 \
    X(13, MODE, fact_mode, 1, CONTROL, "a mode is commanded")                                      \
    X(14, PLUGIN, fact_plugin, 1, CONTROL, "a plugin instance starts, stops, flips or fails")      \
    X(15, DATASET, fact_dataset, 1, CONTROL, "a data set is the input from here on")               \
    X(16, ROWS, fact_rows, 1, CONTROL, "rows of a source were not used")                           \
    X(17, CLOCK, fact_clock, 1, CONTROL, "the clock was measured")                                 \
    X(18, SNAPSHOT, fact_snapshot, 1, CONTROL, "a snapshot of the core was stored")                \
    X(19, SESSION, fact_session, 1, CONTROL, "an instrument's trading session opens or closes")    \
    X(20, BALANCE, fact_balance, 1, CONTROL, "money is put in or taken out by a person")           \
    X(21, INPUT, fact_input, 1, CONTROL, "an input of an instance is bound to an output")          \
    X(22, TRUST, fact_trust, 1, CONTROL, "a trust document takes effect")                          \
    X(23, TEXT, fact_text_piece, 1, CONTROL, "a piece of a signed document")                       \
    X(24, SIGNATURE, fact_signature, 1, CONTROL, "a person's signature was counted")               \
    X(25, PROMOTION, fact_promotion, 1, CONTROL, "a deployment moves on its way")                  \
    X(26, STAGE, fact_stage, 1, CONTROL, "a deployment's rows are staged, committed or dropped")   \
    X(27, REMOVE, fact_remove, 1, CONTROL, "a strategy leaves with the staged deployment")         \
    X(28, REQUEST, fact_request, 1, CONTROL, "people ask together for what one may not do")        \
    X(29, LEFT, fact_left, 1, CONTROL, "an order or a position stays out there as the host stops") \
    X(30, UNRECORDED, fact_unrecorded, 1, CONTROL, "an order left before its record was stored")   \
    X(32, SENT, fact_sent, 1, VENUE, "an attempt was handed over, suppressed, failed or unknown")  \
    X(33, EXEC, fact_exec, 1, VENUE, "execution report v1")                                        \
    X(34, FOUND, fact_found, 1, VENUE, "what the books say about a fill outside the live window")  \
    X(35, SYNC, fact_sync, 1, VENUE, "an account was reconciled with its venue, or lost it")       \
    X(48, TICK, fact_tick, 1, TICK, "time has passed")                                             \
    X(64, SIGNAL, fact_signal, 1, ANSWER, "signal v1")                                             \
    X(65, VERDICT, fact_verdict, 1, ANSWER, "a router's verdict (reserved)")                       \
    X(66, LATE, fact_late, 1, ANSWER, "an answer came after its due time and has no effect")       \
    X(80, BAR, fact_bar, 1, MARKET, "a closed bar")                                                \
    X(81, TRADE, fact_trade, 1, MARKET, "a trade")                                                 \
    X(82, QUOTE, fact_quote, 1, MARKET, "best bid and ask")

#define FACT_EFFECTS(X)                                                                            \
    X(256, INTENT, fact_intent, 1, EFFECT, "a wish to trade")                                      \
    X(257, DECISION, fact_decision, 1, EFFECT, "the gate's answer, with every rule")               \
    X(258, SEND, fact_send, 1, EFFECT, "an attempt to place an order")                             \
    X(259, CANCEL, fact_cancel, 1, EFFECT, "an attempt to cancel an order")                        \
    X(260, QUERY, fact_query, 1, EFFECT, "a question to the venue about an order")                 \
    X(261, ORDER, fact_order, 1, EFFECT, "an order changed its state")                             \
    X(262, POSITION, fact_position, 1, EFFECT, "a position changed")                               \
    X(263, MODED, fact_moded, 1, EFFECT, "a mode changed")                                         \
    X(264, HEALTH, fact_health, 1, EFFECT, "data health changed")                                  \
    X(265, STOPPED, fact_stopped, 1, EFFECT, "a host-side stop was set, moved, hit or lifted")     \
    X(266, ALERT, fact_alert, 1, EFFECT, "something a person should see")                          \
    X(267, LOOKUP, fact_lookup, 1, EFFECT, "a question to the journal's index")                    \
    X(268, IGNORED, fact_ignored, 1, EFFECT, "an event had no effect, and why")                    \
    X(269, FLIPPED, fact_flipped, 1, EFFECT, "an instance's signals come from another build now")
