/* SPDX-License-Identifier: Apache-2.0
 *
 * Written by tools/gen/schema_types.py from the JSON schemas beside this file.
 * Change those, not this.
 */

/** An exact decimal: no exponent, no trailing zeros in the fraction, no -0. */
export type Decimal = string;

/** An unsigned 64-bit integer in decimal digits; a string, because JSON readers keep 53 bits. */
export type Uint64 = string;

/** Nanoseconds (times: since the epoch, UTC), a signed 64-bit integer in decimal digits. */
export type Nanoseconds = string;

/** The first 8 bytes of a SHA-256, in hex. */
export type Hash16 = string;

/** A name as the deployment writes it. */
export type Name = string;

/** One part of the score. */
export interface Reason {
  /** Name of the strategy's input, or base or clamp. */
  feature: string;
  /** Index of the input; null for base and clamp. */
  input: number | null;
  /** The feature's value at the event. */
  value: number;
  /** What it adds to the score. */
  contribution: Decimal;
}

/**
 * Signal v1: the position a strategy wants from now on, until the next signal or the end of its
 * time to live.
 */
export interface SignalV1 {
  schema: "tenon/signal/1";
  /** Number of this record in the journal. */
  seq: Uint64;
  /** Event time. */
  t_ns: Nanoseconds;
  /** The event this answers. */
  cause_seq: Uint64;
  /** The strategy's instance. */
  instance: Name;
  plugin: Name;
  version: Name;
  plugin_hash: Hash16;
  /** Serial of the deployment that brought this build; not there when it came unsigned. */
  generation?: number;
  instrument: Name;
  /** The wanted side. */
  side: "long" | "short" | "flat";
  /**
   * -1 to 1; its sign agrees with the side, 0 only for flat; the contributions sum to it exactly.
   */
  score: Decimal;
  /** 0 to 1. */
  confidence: Decimal;
  /** Over which the score is meant. */
  horizon_ns: Nanoseconds;
  /** How the strategy would like it done; each is optional. */
  advice: {
    /** Part of the strategy's budget, 0 to 1; else all of it. */
    target?: Decimal;
    /** Price distance on the passive side of the reference; else a protected market order. */
    limit_offset?: Decimal;
    /** Price distance of the stop from the entry. */
    stop_distance?: Decimal;
    /** How long the wish holds. */
    ttl_ns?: Nanoseconds;
  };
  /** Why, in the order the strategy gave. */
  reasons: Reason[];
}

/** Execution report v1: what the venue said about an order. Words follow FIX. */
export interface ExecutionReportV1 {
  schema: "tenon/execution-report/1";
  /** Number of this record in the journal. */
  seq: Uint64;
  /** Event time. */
  t_ns: Nanoseconds;
  /** The record that led here; 0 = unasked. */
  cause_seq: Uint64;
  /** Our order (ClOrdID); null = one that is not ours. */
  order: string | null;
  /** The venue's order (OrderID). */
  venue_order: string | null;
  /** The venue's number of the fill (ExecID); null = this is no fill. */
  trade_id: string | null;
  /** What happened (ExecType). */
  exec_type:
    "new" | "rejected" | "trade" | "canceled" | "cancel_rejected" | "cancel_too_late" |
    "expired" | "venue_canceled" | "trade_bust" | "order_status";
  instrument: Name;
  account: Name;
  /** null = the venue did not say. */
  side: "buy" | "sell" | null;
  /** Quantity of this fill (LastQty). */
  last_qty: Decimal;
  /** Price of this fill (LastPx). */
  last_price: Decimal;
  /** Filled so far (CumQty). */
  cum_qty: Decimal;
  /** Still open (LeavesQty). */
  leaves_qty: Decimal;
  /** Above zero we pay, below we get. */
  fee: Decimal;
  fee_currency: Name;
  /** The venue's own time. */
  venue_ns: Nanoseconds;
  /** null = no fill, or not said. */
  liquidity: "maker" | "taker" | null;
  /** Why it was refused; null = it was not. */
  reject: {
    /** Our word for it. */
    reason:
      "unknown_symbol" | "halted" | "price" | "quantity" | "funds" | "duplicate" | "post_only"
      | "rate" | "other";
    /** FIX OrdRejReason (tag 103). */
    ord_rej_reason: number;
  } | null;
  /** Answer to a question about the order; null = nobody asked. */
  found: "working" | "done" | "absent" | "proved_absent" | null;
  /** The venue's own words (Text), unchanged but for escaped control bytes. */
  text: string;
}

/** CATEGORY_CONDITION. */
export type Code = string;

/** Where the rule's limit comes from. */
export interface RuleSource {
  /** The control it implements, as the rule table names it. */
  control: string;
  /** The deployment that sets the limit; null = the built-in default. */
  file: string | null;
  /** Line of that file; 0 = the built-in default. */
  line: number;
  /** Serial of that deployment. */
  revision: Uint64;
  /** Who signed it; empty = nobody. */
  signers: Name[];
}

/** One rule's answer. */
export interface Rule {
  /** Name of the rule. */
  rule: string;
  code: Code;
  /** free: the rule does not bind this wish. */
  result: "pass" | "cut" | "deny" | "free";
  /** The figure, in unit; null = it cannot be known (no mark, no rate, too large). */
  observed: string | null;
  /** The limit, in unit; null = the deployment sets none. */
  limit: string | null;
  /** quantity and money are in the instrument's and the account's units, ppm are millionths. */
  unit: "flag" | "count" | "quantity" | "money" | "ppm" | "ns";
  /** What the figure is about. */
  scope: "host" | "account" | "strategy" | "instrument" | "order";
  rule_source: RuleSource;
  /** What the rule asks for, in one sentence. */
  text: string;
  /** Since when it says no or less; null = it does not. */
  since: string | null;
  /** What ends it; null = nothing needs to. */
  clears_when: string | null;
  /** Who may end it before that; none = nobody. */
  override_role: "none" | "operator" | "approver";
  /** The same in FIX words, for order tickets; null = it passed. */
  fix: {
    /** FIX OrdRejReason (tag 103). */
    ord_rej_reason: number;
    /** Text (tag 58). */
    text: string;
    /** The venue's own code, when it was the venue. */
    venue_code: string | null;
  } | null;
}

/**
 * Denial record v1: the gate's answer to one wish to trade, with every rule, its figure and its
 * limit. An approval has the same form.
 */
export interface DenialV1 {
  schema: "tenon/denial/1";
  /** Number of this record in the journal. */
  seq: Uint64;
  /** Event time. */
  t_ns: Nanoseconds;
  /** The event that led here; 0 = the one with this record's own number. */
  cause_seq: Uint64;
  /** Joins this with its order, signal and log lines (W3C trace id). */
  trace_id: string;
  intent: Uint64;
  /** true: yes, perhaps less than asked. */
  approved: boolean;
  /** true: the wish makes the position smaller. */
  reducing: boolean;
  strategy: Name;
  instrument: Name;
  account: Name;
  /** null = the wish names none. */
  side: "buy" | "sell" | null;
  /** Quantity wanted. */
  asked: Decimal;
  /** Quantity allowed; 0 when denied. */
  granted: Decimal;
  /** Limit price of the order. */
  price: Decimal;
  /** What the price was made from. */
  reference: Decimal;
  /** Deployment in force. */
  serial: Uint64;
  /** Codes of the rules that said no, in the order of the rules. */
  denied_by: Code[];
  /** Codes of the rules that allowed less. */
  cut_by: Code[];
  /** All rules, in the order they are evaluated. */
  rules: Rule[];
}
