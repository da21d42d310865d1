/* SPDX-License-Identifier: Apache-2.0
 *
 * The field table: for each record type its fields in layout order. C has no reflection, so the
 * table is written out; a unit test checks that the fields of each type cover its payload exactly,
 * byte for byte, and so no member can be forgotten or named twice.
 */
#include "gateway/fact_text.h"

#define WORDS(name, ...)                                                                           \
    static const char *const name##_list[] = {__VA_ARGS__};                                        \
    static const struct fact_words name = {                                                        \
        name##_list, (uint32_t)(sizeof name##_list / sizeof name##_list[0])};

WORDS(w_run, "UNSET", "PAPER", "BACKTEST")
WORDS(w_contract, "UNSET", "LINEAR", "INVERSE")
WORDS(w_side, "UNSET", "LONG", "SHORT", "FLAT")
WORDS(w_plugin_kind, "UNSET", "INDICATOR", "STRATEGY", "ADAPTER", "ROUTER", "SOURCE")
WORDS(w_plugin, "UNSET", [FACT_PLUGIN_STARTED] = "STARTED", [FACT_PLUGIN_WARM] = "WARM",
      [FACT_PLUGIN_STOPPED] = "STOPPED", [FACT_PLUGIN_FLIP] = "FLIP",
      [FACT_PLUGIN_SKIPPED] = "SKIPPED", [FACT_PLUGIN_QUARANTINED] = "QUARANTINED",
      [FACT_PLUGIN_DIED] = "DIED", [FACT_PLUGIN_BACK] = "BACK")
WORDS(w_sent, "UNSET", [FACT_SENT_OK] = "OK", [FACT_SENT_SUPPRESSED] = "SUPPRESSED",
      [FACT_SENT_FAILED] = "FAILED", [FACT_SENT_UNKNOWN] = "UNKNOWN")
WORDS(w_sent_reason, "NONE", [FACT_SENT_REASON_KILL] = "KILL",
      [FACT_SENT_REASON_NO_TEMPLATE] = "NO_TEMPLATE", [FACT_SENT_REASON_NO_LINK] = "NO_LINK",
      [FACT_SENT_REASON_EPOCH] = "EPOCH", [FACT_SENT_REASON_RATE] = "RATE",
      [FACT_SENT_REASON_MISMATCH] = "MISMATCH", [FACT_SENT_REASON_STALE] = "STALE")
WORDS(w_exec, "UNSET", [FACT_EXEC_NEW] = "NEW", [FACT_EXEC_REJECTED] = "REJECTED",
      [FACT_EXEC_TRADE] = "TRADE", [FACT_EXEC_CANCELED] = "CANCELED",
      [FACT_EXEC_CANCEL_REJECT] = "CANCEL_REJECT", [FACT_EXEC_CANCEL_LATE] = "CANCEL_LATE",
      [FACT_EXEC_EXPIRED] = "EXPIRED", [FACT_EXEC_VENUE_CANCEL] = "VENUE_CANCEL",
      [FACT_EXEC_BUST] = "BUST", [FACT_EXEC_STATUS] = "STATUS")
WORDS(w_found, "UNSET", [FACT_FOUND_WORKING] = "WORKING", [FACT_FOUND_DONE] = "DONE",
      [FACT_FOUND_ABSENT] = "ABSENT", [FACT_FOUND_PROVED_ABSENT] = "PROVED_ABSENT")
WORDS(w_via, "ENGINE", [FACT_VIA_EGRESS] = "EGRESS")
WORDS(w_sync,
      "UNSET", [FACT_SYNC_WHOLE] = "WHOLE", [FACT_SYNC_LOST] = "LOST", [FACT_SYNC_AGAIN] = "AGAIN")
WORDS(w_liq, "UNSET", [FACT_MAKER] = "MAKER", [FACT_TAKER] = "TAKER")
WORDS(w_reject,
      "NONE", [FACT_REJECT_UNKNOWN_SYMBOL] = "UNKNOWN_SYMBOL", [FACT_REJECT_HALTED] = "HALTED",
      [FACT_REJECT_PRICE] = "PRICE", [FACT_REJECT_QTY] = "QTY", [FACT_REJECT_FUNDS] = "FUNDS",
      [FACT_REJECT_DUPLICATE] = "DUPLICATE", [FACT_REJECT_POST_ONLY] = "POST_ONLY",
      [FACT_REJECT_RATE] = "RATE", [FACT_REJECT_OTHER] = "OTHER")
WORDS(w_origin, "UNSET", [FACT_ORIGIN_SIGNAL] = "SIGNAL", [FACT_ORIGIN_STOP] = "STOP",
      [FACT_ORIGIN_KILL] = "KILL", [FACT_ORIGIN_PERSON] = "PERSON", [FACT_ORIGIN_REMOVE] = "REMOVE")
WORDS(w_tif, "UNSET", [FACT_GTC] = "GTC", [FACT_IOC] = "IOC")
WORDS(w_cancel, "UNSET", [FACT_CANCEL_NEWER] = "NEWER", [FACT_CANCEL_TTL] = "TTL",
      [FACT_CANCEL_STOP] = "STOP", [FACT_CANCEL_MODE] = "MODE", [FACT_CANCEL_PERSON] = "PERSON",
      [FACT_CANCEL_DATA] = "DATA", [FACT_CANCEL_REMOVE] = "REMOVE")
WORDS(w_why, "UNSET", [FACT_WHY_PERSON] = "PERSON", [FACT_WHY_START] = "START",
      [FACT_WHY_CLEAN] = "CLEAN", [FACT_WHY_DOUBT] = "DOUBT", [FACT_WHY_PLUGIN] = "PLUGIN",
      [FACT_WHY_LOSS] = "LOSS", [FACT_WHY_REQUEST] = "REQUEST", [FACT_WHY_LIMIT] = "LIMIT",
      [FACT_WHY_UNTIL] = "UNTIL", [FACT_WHY_FLIP] = "FLIP", [FACT_WHY_REMOVED] = "REMOVED")
WORDS(w_health,
      "UNSET", [FACT_HEALTHY] = "HEALTHY", [FACT_DEGRADED] = "DEGRADED", [FACT_DOWN] = "DOWN")
WORDS(
    w_health_why,
    "UNSET", [FACT_HEALTH_FIRST] = "FIRST", [FACT_HEALTH_GOOD] = "GOOD", [FACT_HEALTH_AGE] = "AGE",
    [FACT_HEALTH_GAP] = "GAP", [FACT_HEALTH_CROSSED] = "CROSSED", [FACT_HEALTH_FROZEN] = "FROZEN",
    [FACT_HEALTH_BAD_PRICE] = "BAD_PRICE", [FACT_HEALTH_BAD_TIME] = "BAD_TIME")
WORDS(w_stop, "UNSET", [FACT_STOP_SET] = "SET", [FACT_STOP_TIGHTENED] = "TIGHTENED",
      [FACT_STOP_HIT] = "HIT", [FACT_STOP_LIFTED] = "LIFTED")
WORDS(w_alert, "UNSET", [FACT_ALERT_OVERFILL] = "OVERFILL", [FACT_ALERT_LATE_FILL] = "LATE_FILL",
      [FACT_ALERT_EXTERNAL] = "EXTERNAL", [FACT_ALERT_QUARANTINE] = "QUARANTINE",
      [FACT_ALERT_DUPLICATES] = "DUPLICATES", [FACT_ALERT_FORBIDDEN] = "FORBIDDEN",
      [FACT_ALERT_FULL] = "FULL", [FACT_ALERT_OVERFLOW] = "OVERFLOW",
      [FACT_ALERT_KILL_STUCK] = "KILL_STUCK", [FACT_ALERT_MISSING_FILLS] = "MISSING_FILLS")
WORDS(w_ignored, "UNSET", [FACT_IGNORED_DUPLICATE_FILL] = "DUPLICATE_FILL",
      [FACT_IGNORED_STALE_TIME] = "STALE_TIME",
      [FACT_IGNORED_UNKNOWN_INSTRUMENT] = "UNKNOWN_INSTRUMENT",
      [FACT_IGNORED_BAD_PRICE] = "BAD_PRICE", [FACT_IGNORED_NOT_ROUTED] = "NOT_ROUTED",
      [FACT_IGNORED_REPEATED] = "REPEATED", [FACT_IGNORED_UNKNOWN_ORDER] = "UNKNOWN_ORDER",
      [FACT_IGNORED_RESERVED_KIND] = "RESERVED_KIND", [FACT_IGNORED_NOT_NEEDED] = "NOT_NEEDED",
      [FACT_IGNORED_NOT_ALLOWED] = "NOT_ALLOWED", [FACT_IGNORED_NOT_ACCEPTED] = "NOT_ACCEPTED",
      [FACT_IGNORED_NOT_STAGED] = "NOT_STAGED", [FACT_IGNORED_NOT_FLAT] = "NOT_FLAT",
      [FACT_IGNORED_USED] = "USED")
WORDS(w_document, "UNSET", [FACT_TEXT_DEPLOYMENT] = "DEPLOYMENT", [FACT_TEXT_TRUST] = "TRUST",
      [FACT_TEXT_REQUEST] = "REQUEST")
/* bits: those of TRUST_ROLES in deploy/trust.h, which this folder cannot see; a test compares */
WORDS(w_role, "UNSET", [1] = "ROOT", [2] = "AUTHOR", [4] = "OPERATOR", [8] = "RISK")
WORDS(w_stage, "UNSET", [FACT_STAGE_BEGIN] = "BEGIN", [FACT_STAGE_COMMIT] = "COMMIT",
      [FACT_STAGE_DROP] = "DROP")
WORDS(w_on_remove,
      "UNSET", [FACT_ON_REMOVE_FLATTEN] = "FLATTEN", [FACT_ON_REMOVE_HAND_TO] = "HAND_TO")
#define X(id, name, ...) [id] = #name,
WORDS(w_mode, "UNSET", MODES(X))
WORDS(w_scope, "UNSET", MODE_SCOPES(X))
WORDS(w_order, "UNSET", ORDER_STATES(X))
WORDS(w_order_event, "UNSET", ORDER_EVENTS(X))
WORDS(w_rule, "UNSET", RISK_RULES(X))
WORDS(w_promotion, "UNSET", PROMOTION_STATES(X))
WORDS(w_promotion_why, "UNSET", PROMOTION_WHYS(X))
#undef X

#define FIELD(payload, member, kind_, words_)                                                      \
    {.name = #member,                                                                              \
     .kind = FACT_KIND_##kind_,                                                                    \
     .offset = offsetof(struct payload, member),                                                   \
     .bytes = sizeof(((struct payload *)0)->member),                                               \
     .words = words_},

/* clang-format off: one field per line, in layout order */
static const struct fact_field fact_genesis_fields[] = {
    FIELD(fact_genesis, journal_id, HEX, NULL) FIELD(fact_genesis, host, TEXT, NULL)
        FIELD(fact_genesis, seed, ID, NULL)};
static const struct fact_field fact_start_fields[] = {
    FIELD(fact_start, epoch, U64, NULL) FIELD(fact_start, core_logic, U32, NULL)
        FIELD(fact_start, kind, WORD, &w_run) FIELD(fact_start, libm_probe, HEX, NULL)
            FIELD(fact_start, version, TEXT, NULL)};
static const struct fact_field fact_stop_fields[] = {FIELD(fact_stop, forced, FLAG, NULL)
                                                         FIELD(fact_stop, positions, U32, NULL)};
static const struct fact_field fact_unrecorded_fields[] = {
    FIELD(fact_unrecorded, order, ID, NULL) FIELD(fact_unrecorded, epoch, U64, NULL)
        FIELD(fact_unrecorded, account, U32, NULL) FIELD(fact_unrecorded, what, WORD, &w_sent)};
static const struct fact_field fact_left_fields[] = {
    FIELD(fact_left, order, ID, NULL) FIELD(fact_left, strategy, U32, NULL)
        FIELD(fact_left, instrument, U32, NULL) FIELD(fact_left, account, U32, NULL)
            FIELD(fact_left, side, WORD, &w_side) FIELD(fact_left, qty, I64, NULL)
                FIELD(fact_left, price, I64, NULL)};
static const struct fact_field fact_deploy_fields[] = {FIELD(fact_deploy, serial, U64, NULL) FIELD(
    fact_deploy, sha256, HEX, NULL) FIELD(fact_deploy, name, TEXT, NULL)};
static const struct fact_field fact_currency_fields[] = {FIELD(fact_currency, id, U32, NULL) FIELD(
    fact_currency, exp, I32, NULL) FIELD(fact_currency, name, TEXT, NULL)};
static const struct fact_field fact_instrument_fields[] = {
    FIELD(fact_instrument, id, U32, NULL) FIELD(fact_instrument, contract, WORD, &w_contract)
        FIELD(fact_instrument, price_exp, I32, NULL) FIELD(fact_instrument, qty_exp, I32, NULL)
            FIELD(fact_instrument, tick, I64, NULL) FIELD(fact_instrument, lot, I64, NULL)
                FIELD(fact_instrument, min_qty, I64, NULL)
                    FIELD(fact_instrument, multiplier, I64, NULL)
                        FIELD(fact_instrument, multiplier_exp, I32, NULL)
                            FIELD(fact_instrument, settle, U32, NULL)
                                FIELD(fact_instrument, bar_ns, I64, NULL)
                                    FIELD(fact_instrument, age_degraded_ns, I64, NULL)
                                        FIELD(fact_instrument, age_down_ns, I64, NULL)
                                            FIELD(fact_instrument, price_max, I64, NULL)
                                                FIELD(fact_instrument, has_session, FLAG, NULL)
                                                    FIELD(fact_instrument, reserved, PAD, NULL)
                                                        FIELD(fact_instrument, symbol, TEXT, NULL)};
static const struct fact_field fact_account_fields[] = {
    FIELD(fact_account, id, U32, NULL) FIELD(fact_account, currency, U32, NULL)
        FIELD(fact_account, balance, I64, NULL) FIELD(fact_account, simulated, FLAG, NULL)
            FIELD(fact_account, via, WORD, &w_via) FIELD(fact_account, name, TEXT, NULL)};
static const struct fact_field fact_instance_fields[] = {
    FIELD(fact_instance, id, U32, NULL) FIELD(fact_instance, kind, COLD, &w_plugin_kind)
        FIELD(fact_instance, due_ns, I64, NULL) FIELD(fact_instance, sha256, HEX, NULL)
            FIELD(fact_instance, params_hash, ID, NULL) FIELD(fact_instance, name, TEXT, NULL)
                FIELD(fact_instance, plugin, TEXT, NULL) FIELD(fact_instance, version, TEXT, NULL)};
static const struct fact_field fact_route_fields[] = {
    FIELD(fact_route, strategy, U32, NULL) FIELD(fact_route, instrument, U32, NULL)
        FIELD(fact_route, account, U32, NULL) FIELD(fact_route, reserved, PAD, NULL)
            FIELD(fact_route, budget, I64, NULL)};
static const struct fact_field fact_limit_fields[] = {
    FIELD(fact_limit, rule, WORD, &w_rule) FIELD(fact_limit, instrument, U32, NULL)
        FIELD(fact_limit, strategy, U32, NULL) FIELD(fact_limit, line, U32, NULL)
            FIELD(fact_limit, limit, I64, NULL)};
static const struct fact_field fact_rate_fields[] = {
    FIELD(fact_rate, from, U32, NULL) FIELD(fact_rate, to, U32, NULL)
        FIELD(fact_rate, instrument, U32, NULL) FIELD(fact_rate, exp, I32, NULL)
            FIELD(fact_rate, rate, I64, NULL) FIELD(fact_rate, max_age_ns, I64, NULL)};
static const struct fact_field fact_input_fields[] = {
    FIELD(fact_input, instance, U32, NULL) FIELD(fact_input, input, U32, NULL)
        FIELD(fact_input, source, U32, NULL) FIELD(fact_input, output, U32, NULL)
            FIELD(fact_input, name, TEXT, NULL)};
static const struct fact_field fact_auto_fields[] = {FIELD(fact_auto, strategy, U32, NULL) FIELD(
    fact_auto, on, FLAG, NULL) FIELD(fact_auto, by, TEXT, NULL)};
static const struct fact_field fact_mode_fields[] = {
    FIELD(fact_mode, scope, WORD, &w_scope) FIELD(fact_mode, id, U32, NULL)
        FIELD(fact_mode, mode, WORD, &w_mode) FIELD(fact_mode, keep_positions, FLAG, NULL)
            FIELD(fact_mode, by, TEXT, NULL) FIELD(fact_mode, reason, TEXT, NULL)};
static const struct fact_field fact_plugin_fields[] = {
    FIELD(fact_plugin, instance, U32, NULL) FIELD(fact_plugin, what, WORD, &w_plugin)
        FIELD(fact_plugin, status, I32, NULL) FIELD(fact_plugin, reserved, PAD, NULL)
            FIELD(fact_plugin, from_seq, U64, NULL) FIELD(fact_plugin, to_seq, U64, NULL)
                FIELD(fact_plugin, text, TEXT, NULL)};
static const struct fact_field fact_dataset_fields[] = {
    FIELD(fact_dataset, sha256, HEX, NULL) FIELD(fact_dataset, rows, U64, NULL)
        FIELD(fact_dataset, name, TEXT, NULL)};
static const struct fact_field fact_rows_fields[] = {
    FIELD(fact_rows, source, U32, NULL) FIELD(fact_rows, reason, U32, NULL)
        FIELD(fact_rows, first_line, U64, NULL) FIELD(fact_rows, count, U64, NULL)
            FIELD(fact_rows, text, TEXT, NULL)};
static const struct fact_field fact_clock_fields[] = {FIELD(fact_clock, skew_ns, I64, NULL)};
static const struct fact_field fact_snapshot_fields[] = {FIELD(fact_snapshot, seq, U64, NULL) FIELD(
    fact_snapshot, bytes, U64, NULL) FIELD(fact_snapshot, sha256, HEX, NULL)};
static const struct fact_field fact_session_fields[] = {FIELD(fact_session, instrument, U32, NULL)
                                                            FIELD(fact_session, open, FLAG, NULL)};
static const struct fact_field fact_balance_fields[] = {
    FIELD(fact_balance, account, U32, NULL) FIELD(fact_balance, reserved, PAD, NULL)
        FIELD(fact_balance, amount, I64, NULL)};
static const struct fact_field fact_trust_fields[] = {
    FIELD(fact_trust, version, U64, NULL) FIELD(fact_trust, sha256, HEX, NULL)
        FIELD(fact_trust, wall_ns, I64, NULL) FIELD(fact_trust, people, U32, NULL)
            FIELD(fact_trust, throwaway, FLAG, NULL)};
static const struct fact_field fact_text_piece_fields[] = {
    FIELD(fact_text_piece, sha256, HEX, NULL) FIELD(fact_text_piece, kind, WORD, &w_document)
        FIELD(fact_text_piece, total, U32, NULL) FIELD(fact_text_piece, offset, U32, NULL)
            FIELD(fact_text_piece, count, U32, NULL) FIELD(fact_text_piece, bytes, TEXT, NULL)};
static const struct fact_field fact_signature_fields[] = {
    FIELD(fact_signature, sha256, HEX, NULL) FIELD(fact_signature, serial, U64, NULL)
        FIELD(fact_signature, key_id, KEY, NULL) FIELD(fact_signature, role, WORD, &w_role) FIELD(
            fact_signature, kind, WORD, &w_document) FIELD(fact_signature, signature, HEX, NULL)
            FIELD(fact_signature, global, HEX, NULL) FIELD(fact_signature, is_hashed, FLAG, NULL)
                FIELD(fact_signature, reserved, PAD, NULL) FIELD(fact_signature, person, TEXT, NULL)
                    FIELD(fact_signature, comment, TEXT, NULL)};
static const struct fact_field fact_promotion_fields[] = {
    FIELD(fact_promotion, serial, U64, NULL) FIELD(fact_promotion, sha256, HEX, NULL) FIELD(
        fact_promotion, from, WORD, &w_promotion) FIELD(fact_promotion, to, WORD, &w_promotion)
        FIELD(fact_promotion, why, WORD, &w_promotion_why) FIELD(
            fact_promotion, result, RESULT, NULL) FIELD(fact_promotion, wall_ns, I64, NULL)
            FIELD(fact_promotion, until_ns, I64, NULL) FIELD(fact_promotion, flip_seq, U64, NULL)
                FIELD(fact_promotion, pause_ns, I64, NULL) FIELD(fact_promotion, swaps, U32, NULL)
                    FIELD(fact_promotion, orders, U32, NULL)
                        FIELD(fact_promotion, positions, U32, NULL)
                            FIELD(fact_promotion, stops, U32, NULL)
                                FIELD(fact_promotion, by, TEXT, NULL)
                                    FIELD(fact_promotion, text, TEXT, NULL)};
static const struct fact_field fact_stage_fields[] = {
    FIELD(fact_stage, serial, U64, NULL) FIELD(fact_stage, sha256, HEX, NULL)
        FIELD(fact_stage, parent, HEX, NULL) FIELD(fact_stage, what, WORD, &w_stage)
            FIELD(fact_stage, rows, U32, NULL) FIELD(fact_stage, run_until_ns, I64, NULL)
                FIELD(fact_stage, name, TEXT, NULL)};
static const struct fact_field fact_remove_fields[] = {
    FIELD(fact_remove, strategy, U32, NULL) FIELD(fact_remove, instrument, U32, NULL)
        FIELD(fact_remove, on_remove, WORD, &w_on_remove) FIELD(fact_remove, to, U32, NULL)};
static const struct fact_field fact_request_fields[] = {
    FIELD(fact_request, sha256, HEX, NULL) FIELD(fact_request, scope, WORD, &w_scope)
        FIELD(fact_request, id, U32, NULL) FIELD(fact_request, mode, WORD, &w_mode)
            FIELD(fact_request, people, U32, NULL) FIELD(fact_request, wall_ns, I64, NULL)
                FIELD(fact_request, by, TEXT, NULL) FIELD(fact_request, reason, TEXT, NULL)};
static const struct fact_field fact_sent_fields[] = {
    FIELD(fact_sent, order, ID, NULL) FIELD(fact_sent, attempt, U32, NULL)
        FIELD(fact_sent, what, WORD, &w_sent) FIELD(fact_sent, is_cancel, FLAG, NULL)
            FIELD(fact_sent, reason, WORD, &w_sent_reason)};
static const struct fact_field fact_exec_fields[] = {
    FIELD(fact_exec, order, ID, NULL) FIELD(fact_exec, venue_order, ID, NULL)
        FIELD(fact_exec, trade_id, ID, NULL) FIELD(fact_exec, kind, WORD, &w_exec)
            FIELD(fact_exec, instrument, U32, NULL) FIELD(fact_exec, account, U32, NULL)
                FIELD(fact_exec, side, WORD, &w_side) FIELD(fact_exec, last_qty, I64, NULL)
                    FIELD(fact_exec, last_price, I64, NULL) FIELD(fact_exec, cum_qty, I64, NULL)
                        FIELD(fact_exec, leaves_qty, I64, NULL) FIELD(fact_exec, fee, I64, NULL)
                            FIELD(fact_exec, venue_ns, I64, NULL)
                                FIELD(fact_exec, liquidity, WORD, &w_liq)
                                    FIELD(fact_exec, reason, WORD, &w_reject)
                                        FIELD(fact_exec, found, WORD, &w_found)
                                            FIELD(fact_exec, is_close, FLAG, NULL)
                                                FIELD(fact_exec, text, TEXT, NULL)};
static const struct fact_field fact_found_fields[] = {
    FIELD(fact_found, order, ID, NULL) FIELD(fact_found, trade_id, ID, NULL)
        FIELD(fact_found, booked, FLAG, NULL) FIELD(fact_found, strategy, U32, NULL)
            FIELD(fact_found, instrument, U32, NULL) FIELD(fact_found, account, U32, NULL)
                FIELD(fact_found, side, WORD, &w_side) FIELD(fact_found, reserved, PAD, NULL)
                    FIELD(fact_found, last_qty, I64, NULL) FIELD(fact_found, last_price, I64, NULL)
                        FIELD(fact_found, fee, I64, NULL)};
static const struct fact_field fact_sync_fields[] = {
    FIELD(fact_sync, account, U32, NULL) FIELD(fact_sync, phase, WORD, &w_sync)
        FIELD(fact_sync, orders, U32, NULL) FIELD(fact_sync, fills, U32, NULL)
            FIELD(fact_sync, cursor, TEXT, NULL) FIELD(fact_sync, text, TEXT, NULL)};
static const struct fact_field fact_tick_fields[] = {FIELD(fact_tick, why, U32, NULL)
                                                         FIELD(fact_tick, reserved, PAD, NULL)};
static const struct fact_field fact_signal_fields[] = {
    FIELD(fact_signal, instance, U32, NULL) FIELD(fact_signal, instrument, U32, NULL)
        FIELD(fact_signal, side, WORD, &w_side) FIELD(fact_signal, advice, U32, NULL)
            FIELD(fact_signal, score_ppm, I32, NULL) FIELD(fact_signal, confidence_ppm, I32, NULL)
                FIELD(fact_signal, horizon_ns, I64, NULL) FIELD(fact_signal, target_ppm, I32, NULL)
                    FIELD(fact_signal, reason_count, U32, NULL)
                        FIELD(fact_signal, limit_offset, I64, NULL)
                            FIELD(fact_signal, stop_distance, I64, NULL)
                                FIELD(fact_signal, ttl_ns, I64, NULL)
                                    FIELD(fact_signal, plugin_hash, ID, NULL)
                                        FIELD(fact_signal, reason, REASONS, NULL)};
static const struct fact_field fact_verdict_fields[] = {
    FIELD(fact_verdict, instance, U32, NULL) FIELD(fact_verdict, instrument, U32, NULL)
        FIELD(fact_verdict, score_ppm, I32, NULL) FIELD(fact_verdict, confidence_ppm, I32, NULL)
            FIELD(fact_verdict, ttl_ns, I64, NULL)};
static const struct fact_field fact_late_fields[] = {
    FIELD(fact_late, instance, U32, NULL) FIELD(fact_late, reserved, PAD, NULL)
        FIELD(fact_late, due_ns, I64, NULL) FIELD(fact_late, seen_seq, U64, NULL)};
static const struct fact_field fact_bar_fields[] = {
    FIELD(fact_bar, instrument, U32, NULL) FIELD(fact_bar, flags, U32, NULL)
        FIELD(fact_bar, open_ns, I64, NULL) FIELD(fact_bar, open, I64, NULL)
            FIELD(fact_bar, high, I64, NULL) FIELD(fact_bar, low, I64, NULL)
                FIELD(fact_bar, close, I64, NULL) FIELD(fact_bar, volume, I64, NULL)};
static const struct fact_field fact_trade_fields[] = {
    FIELD(fact_trade, instrument, U32, NULL) FIELD(fact_trade, flags, U32, NULL)
        FIELD(fact_trade, price, I64, NULL) FIELD(fact_trade, qty, I64, NULL)
            FIELD(fact_trade, trade_no, U64, NULL) FIELD(fact_trade, aggressor, WORD, &w_side)
                FIELD(fact_trade, reserved, PAD, NULL)};
static const struct fact_field fact_quote_fields[] = {
    FIELD(fact_quote, instrument, U32, NULL) FIELD(fact_quote, flags, U32, NULL)
        FIELD(fact_quote, bid, I64, NULL) FIELD(fact_quote, bid_qty, I64, NULL)
            FIELD(fact_quote, ask, I64, NULL) FIELD(fact_quote, ask_qty, I64, NULL)
                FIELD(fact_quote, quote_no, U64, NULL)};
static const struct fact_field fact_intent_fields[] = {
    FIELD(fact_intent, intent, ID, NULL) FIELD(fact_intent, strategy, U32, NULL)
        FIELD(fact_intent, instrument, U32, NULL) FIELD(fact_intent, account, U32, NULL)
            FIELD(fact_intent, side, WORD, &w_side) FIELD(fact_intent, origin, WORD, &w_origin)
                FIELD(fact_intent, reducing, FLAG, NULL) FIELD(fact_intent, tif, WORD, &w_tif)
                    FIELD(fact_intent, leg, U32, NULL) FIELD(fact_intent, qty, I64, NULL)
                        FIELD(fact_intent, price, I64, NULL)
                            FIELD(fact_intent, reference, I64, NULL)
                                FIELD(fact_intent, ttl_ns, I64, NULL)
                                    FIELD(fact_intent, signal_seq, U64, NULL)};
static const struct fact_field fact_decision_fields[] = {
    FIELD(fact_decision, intent, ID, NULL) FIELD(fact_decision, strategy, U32, NULL)
        FIELD(fact_decision, instrument, U32, NULL) FIELD(fact_decision, account, U32, NULL)
            FIELD(fact_decision, approved, FLAG, NULL) FIELD(fact_decision, asked, I64, NULL)
                FIELD(fact_decision, granted, I64, NULL) FIELD(fact_decision, price, I64, NULL)
                    FIELD(fact_decision, reference, I64, NULL)
                        FIELD(fact_decision, side, WORD, &w_side)
                            FIELD(fact_decision, denied_by, RULES, NULL)
                                FIELD(fact_decision, cut_by, RULES, NULL)
                                    FIELD(fact_decision, reducing, FLAG, NULL)
                                        FIELD(fact_decision, serial, U64, NULL)
                                            FIELD(fact_decision, result, RESULTS, NULL)
                                                FIELD(fact_decision, rule, FIGURES, NULL)};
static const struct fact_field fact_send_fields[] = {
    FIELD(fact_send, order, ID, NULL) FIELD(fact_send, attempt, U32, NULL)
        FIELD(fact_send, account, U32, NULL) FIELD(fact_send, instrument, U32, NULL)
            FIELD(fact_send, side, WORD, &w_side) FIELD(fact_send, tif, WORD, &w_tif)
                FIELD(fact_send, reduce_only, FLAG, NULL) FIELD(fact_send, qty, I64, NULL)
                    FIELD(fact_send, price, I64, NULL) FIELD(fact_send, client_id, TEXT, NULL)};
static const struct fact_field fact_cancel_fields[] = {
    FIELD(fact_cancel, order, ID, NULL) FIELD(fact_cancel, attempt, U32, NULL)
        FIELD(fact_cancel, why, WORD, &w_cancel) FIELD(fact_cancel, account, U32, NULL)
            FIELD(fact_cancel, instrument, U32, NULL) FIELD(fact_cancel, venue_order, ID, NULL)};
static const struct fact_field fact_query_fields[] = {FIELD(fact_query, order, ID, NULL) FIELD(
    fact_query, attempt, U32, NULL) FIELD(fact_query, account, U32, NULL)};
static const struct fact_field fact_order_fields[] = {
    FIELD(fact_order, order, ID, NULL) FIELD(fact_order, from, WORD, &w_order)
        FIELD(fact_order, to, WORD, &w_order) FIELD(fact_order, event, WORD, &w_order_event)
            FIELD(fact_order, strategy, U32, NULL) FIELD(fact_order, instrument, U32, NULL)
                FIELD(fact_order, account, U32, NULL) FIELD(fact_order, qty, I64, NULL)
                    FIELD(fact_order, cum, I64, NULL) FIELD(fact_order, leaves, I64, NULL)};
static const struct fact_field fact_position_fields[] = {
    FIELD(fact_position, strategy, U32, NULL) FIELD(fact_position, instrument, U32, NULL)
        FIELD(fact_position, account, U32, NULL) FIELD(fact_position, settle, U32, NULL)
            FIELD(fact_position, qty, I64, NULL) FIELD(fact_position, avg_price, I64, NULL)
                FIELD(fact_position, realised, I64, NULL) FIELD(fact_position, fees, I64, NULL)
                    FIELD(fact_position, net, I64, NULL) FIELD(fact_position, order, ID, NULL)
                        FIELD(fact_position, trade_id, ID, NULL)};
static const struct fact_field fact_moded_fields[] = {
    FIELD(fact_moded, scope, WORD, &w_scope) FIELD(fact_moded, id, U32, NULL)
        FIELD(fact_moded, from, WORD, &w_mode) FIELD(fact_moded, to, WORD, &w_mode)
            FIELD(fact_moded, why, WORD, &w_why) FIELD(fact_moded, reserved, PAD, NULL)};
static const struct fact_field fact_health_fields[] = {
    FIELD(fact_health, instrument, U32, NULL) FIELD(fact_health, from, WORD, &w_health)
        FIELD(fact_health, to, WORD, &w_health) FIELD(fact_health, why, WORD, &w_health_why)
            FIELD(fact_health, observed, I64, NULL) FIELD(fact_health, limit, I64, NULL)};
static const struct fact_field fact_stopped_fields[] = {
    FIELD(fact_stopped, strategy, U32, NULL) FIELD(fact_stopped, instrument, U32, NULL)
        FIELD(fact_stopped, what, WORD, &w_stop) FIELD(fact_stopped, reserved, PAD, NULL)
            FIELD(fact_stopped, price, I64, NULL) FIELD(fact_stopped, mark, I64, NULL)
                FIELD(fact_stopped, qty, I64, NULL)};
static const struct fact_field fact_alert_fields[] = {
    FIELD(fact_alert, what, WORD, &w_alert) FIELD(fact_alert, strategy, U32, NULL)
        FIELD(fact_alert, instrument, U32, NULL) FIELD(fact_alert, account, U32, NULL)
            FIELD(fact_alert, order, ID, NULL) FIELD(fact_alert, a, I64, NULL)
                FIELD(fact_alert, b, I64, NULL)};
static const struct fact_field fact_lookup_fields[] = {
    FIELD(fact_lookup, order, ID, NULL) FIELD(fact_lookup, trade_id, ID, NULL)
        FIELD(fact_lookup, account, U32, NULL) FIELD(fact_lookup, instrument, U32, NULL)};
static const struct fact_field fact_ignored_fields[] = {
    FIELD(fact_ignored, why, WORD, &w_ignored) FIELD(fact_ignored, detail, U32, NULL)
        FIELD(fact_ignored, about, ID, NULL)};
static const struct fact_field fact_flipped_fields[] = {
    FIELD(fact_flipped, instance, U32, NULL) FIELD(fact_flipped, from, U32, NULL)
        FIELD(fact_flipped, to, U32, NULL) FIELD(fact_flipped, orders, U32, NULL)
            FIELD(fact_flipped, stops, U32, NULL) FIELD(fact_flipped, positions, U32, NULL)
                FIELD(fact_flipped, handed_to, U32, NULL) FIELD(fact_flipped, reserved, PAD, NULL)};
/* clang-format on */

struct fact_fields fact_fields(uint16_t type)
{
    switch (type) {
#define X(id, name, payload, version, class, text)                                                 \
    case id:                                                                                       \
        return (struct fact_fields){                                                               \
            payload##_fields, (uint32_t)(sizeof payload##_fields / sizeof payload##_fields[0])};
        FACT_EVENTS(X)
        FACT_EFFECTS(X)
#undef X
    default:
        return (struct fact_fields){NULL, 0};
    }
}

const char *fact_word(const struct fact_words *words, uint32_t value)
{
    return value < words->count && words->word[value] ? words->word[value] : "?";
}
