/* SPDX-License-Identifier: Apache-2.0
 *
 * What comes back: answers to attempts (SENT), the venue's execution reports (EXEC), and the
 * journal's answer about fills outside the live window (FOUND).
 *
 * A fill is money and is never dropped because it does not fit: it is booked once by its trade id,
 * to its order's book, or to EXTERNAL when no order of ours explains it, and what is strange about
 * it (more than the order's leaves, after the order's end) is an alert. Evidence that the table
 * forbids changes nothing and is an alert. A re-read of evidence is counted as ignored.
 */
#include "core/state.h"

enum { MISSED_SOON = 4, MISSED_DOUBT = 8 }; /* asked each second, then each 5 s, then each minute */

static void forbidden(struct core *c, const struct order_row *o, uint32_t event)
{
    step_alert(c, FACT_ALERT_FORBIDDEN, &c->book[o->book], o->id, o->state, event);
}

/* After any evidence: cancels that waited for an answer go out; the book plans when it is free. */
static void settle(struct core *c, struct order_row *o)
{
    struct book_row *b = &c->book[o->book];
    if (!is_terminal(o->state)) {
        if (o->want_cancel && o->state != ORDER_STATE_SENDING)
            (void)oms_cancel(c, o, o->want_cancel);
        return;
    }
    if (b->live_orders == 0)
        plan_ended(c, b);
}

static void take(struct core *c, struct order_row *o, enum order_event event)
{
    enum fsm_kind kind = oms_move(c, o, event, o->cum);
    if (kind == FSM_FORBID)
        forbidden(c, o, event);
    else if (kind == FSM_IGNORE)
        step_ignored(c, FACT_IGNORED_REPEATED, event, o->id);
    settle(c, o);
}

void oms_sent(struct core *c, const struct fact_sent *e)
{
    struct order_row *o = oms_order(c, e->order);
    if (o == NULL) {
        step_ignored(c, FACT_IGNORED_UNKNOWN_ORDER, FACT_SENT, e->order);
        return;
    }
    bool lost = e->what == FACT_SENT_SUPPRESSED || e->what == FACT_SENT_FAILED;
    if (e->is_cancel) {
        if (lost) {
            take(c, o, ORDER_EVENT_CANCEL_FAILED);
            oms_cancel_again(c, o);
        }
        return; /* handed over or unknown: the venue's answer or the check timer decides */
    }
    if (e->what == FACT_SENT_OK)
        take(c, o, ORDER_EVENT_SENT);
    else if (lost)
        take(c, o, ORDER_EVENT_FAILED);
    else if (e->what == FACT_SENT_UNKNOWN) {
        take(c, o, ORDER_EVENT_SILENT);
        if (!is_terminal(o->state))
            oms_check_at(c, o, c->now_ns);
    }
}

static void count_fill(struct core *c, const struct fact_exec *e, bool part)
{
    c->totals.fills++;
    c->totals.partial_fills += part;
    c->totals.maker_fills += e->liquidity == FACT_MAKER;
    c->totals.taker_fills += e->liquidity == FACT_TAKER;
}

/* The account's EXTERNAL book for this instrument, made when first needed. */
static struct book_row *external(struct core *c, uint32_t instrument, uint32_t account)
{
    if (instrument == 0 || instrument > c->max.instruments || c->market[instrument].def.id == 0 ||
        account == 0 || account > c->max.accounts || c->account[account].def.id == 0)
        return NULL;
    return config_book(c, 0, instrument, account);
}

/* A close that egress made closes what the venue holds, and that is the strategies': theirs first,
 * in the order of the deployment, as far as each holds the other side; the fee goes by quantity.
 * Gives what is left. */
static struct fact_exec close_books(struct core *c, const struct fact_exec *e)
{
    struct fact_exec rest = *e;
    for (uint32_t i = c->first_book[e->instrument]; i != 0 && rest.last_qty > 0;
         i = c->next_book[i]) {
        struct book_row *b = &c->book[i];
        int64_t held = e->side == TN_LONG ? -b->qty : b->qty;
        if (b->account != e->account || b->strategy == 0 || held <= 0)
            continue;
        int64_t part = held < rest.last_qty ? held : rest.last_qty, fee = rest.fee;
        if (part < rest.last_qty &&
            !is_ok(num_muldiv(rest.fee, part, rest.last_qty, NUM_HALF_EVEN, &fee)))
            fee = 0;
        rest.last_qty -= part;
        rest.fee -= fee;
        pos_fill(c, b, e->side, part, e->last_price, fee, 0, e->trade_id);
        plan_filled(c, b);
    }
    return rest;
}

static void external_fill(struct core *c, const struct fact_exec *e)
{
    struct fact_exec rest;
    if (e->is_close && external(c, e->instrument, e->account) != NULL) {
        fills_add(c, e->account, e->instrument, e->trade_id);
        count_fill(c, e, false);
        rest = close_books(c, e);
        struct book_row *left = external(c, e->instrument, e->account);
        if (rest.last_qty > 0) {
            pos_fill(c, left, e->side, rest.last_qty, e->last_price, rest.fee, 0, e->trade_id);
            plan_filled(c, left);
        }
        return;
    }
    struct book_row *b = external(c, e->instrument, e->account);
    if (b == NULL) {
        step_ignored(c, FACT_IGNORED_UNKNOWN_INSTRUMENT, e->instrument, e->trade_id);
        return;
    }
    step_alert(c, FACT_ALERT_EXTERNAL, b, e->order, e->last_qty, e->last_price);
    fills_add(c, e->account, e->instrument, e->trade_id);
    count_fill(c, e, false);
    pos_fill(c, b, e->side, e->last_qty, e->last_price, e->fee, e->order, e->trade_id);
    plan_filled(c, b);
}

static bool is_sane_fill(const struct core *c, const struct fact_exec *e)
{
    return e->last_qty > 0 && e->last_qty <= CORE_QTY_MAX && e->last_price > 0 &&
           e->last_price <= CORE_PRICE_MAX && e->fee > INT64_MIN &&
           (e->side == TN_LONG || e->side == TN_SHORT) && e->instrument != 0 &&
           e->instrument <= c->max.instruments;
}

/* A fill that names our order but another instrument, account or side is not explained by it. */
static bool belongs(const struct core *c, const struct order_row *o, const struct fact_exec *e)
{
    const struct book_row *b = &c->book[o->book];
    return b->instrument == e->instrument && b->account == e->account && o->side == e->side;
}

static void lookup(struct core *c, const struct fact_exec *e)
{
    struct fact_lookup *l = EFFECT(c, LOOKUP, fact_lookup);
    l->order = e->order;
    l->trade_id = e->trade_id;
    l->account = e->account;
    l->instrument = e->instrument;
}

static void book_fill(struct core *c, struct order_row *o, const struct fact_exec *e)
{
    struct book_row *b = &c->book[o->book];
    int64_t cum = o->cum + e->last_qty;
    if (cum > CORE_QTY_MAX) {
        step_alert(c, FACT_ALERT_OVERFLOW, b, o->id, e->last_qty, e->last_price);
        return;
    }
    bool was_ended = is_terminal(o->state);
    enum order_event event = cum < o->qty ? ORDER_EVENT_FILL_PART : ORDER_EVENT_FILL_LAST;
    if (cum > o->qty)
        step_alert(c, FACT_ALERT_OVERFILL, b, o->id, cum, o->qty);
    if (was_ended)
        step_alert(c, FACT_ALERT_LATE_FILL, b, o->id, e->last_qty, o->state);
    fills_add(c, e->account, e->instrument, e->trade_id);
    count_fill(c, e, cum < o->qty);
    c->totals.filled += !was_ended && cum >= o->qty;
    if (oms_move(c, o, event, cum) == FSM_FORBID)
        forbidden(c, o, event);
    pos_fill(c, b, o->side, e->last_qty, e->last_price, e->fee, o->id, e->trade_id);
    settle(c, o);
    plan_filled(c, b);
}

static void fill(struct core *c, struct order_row *o, const struct fact_exec *e)
{
    if (!is_sane_fill(c, e)) {
        step_alert(c, FACT_ALERT_FORBIDDEN, NULL, e->order, e->last_qty, e->last_price);
        step_ignored(c, FACT_IGNORED_BAD_PRICE, FACT_EXEC_TRADE, e->trade_id);
        return;
    }
    if (fills_known(c, e->account, e->instrument, e->trade_id)) {
        step_ignored(c, FACT_IGNORED_DUPLICATE_FILL, e->kind, e->trade_id);
        return;
    }
    bool outside =
        e->order != 0 ? o == NULL || o->created_ns <= c->evicted_ns : c->evicted_ns != INT64_MIN;
    if (outside) {
        lookup(c, e); /* outside what the core remembers: booked when the journal has answered */
        return;
    }
    if (o == NULL || !belongs(c, o, e))
        external_fill(c, e);
    else
        book_fill(c, o, e);
}

/* Asked often enough: what its account's adapter does not deliver by itself is fetched by a whole
 * reconciliation (executions since the cursor), and until then nobody trusts that account. An
 * account without a road has none. Gives whether there is one to wait for. */
static bool doubt_account(struct core *c, struct order_row *o, const struct fact_exec *e)
{
    const struct book_row *b = &c->book[o->book];
    struct account_row *a = &c->account[b->account];
    if (a->def.via != FACT_VIA_EGRESS)
        return false;
    step_alert(c, FACT_ALERT_MISSING_FILLS, b, o->id, e->cum_qty, o->cum);
    a->in_doubt = 1;
    return true;
}

/* The venue has filled more than we have heard: its missing fills come first, for only they say
 * what the order was. It keeps its exposure and is asked for. When they do not come even by a
 * whole reconciliation, the order ends with what is known, and its account only reduces until a
 * person has looked: the venue holds what no book of ours does. */
static bool misses_fills(struct core *c, struct order_row *o, const struct fact_exec *e)
{
    const struct book_row *b = &c->book[o->book];
    if (is_terminal(o->state))
        return false;
    if (e->cum_qty <= o->cum) {
        o->missed = 0; /* what the venue said before its fills came was no loss */
        return false;
    }
    bool was_doubted = o->missed >= MISSED_DOUBT, waits = true;
    o->confirmed = 0;
    o->missed = was_doubted ? MISSED_DOUBT : (uint16_t)(o->missed + 1);
    if (was_doubted)
        waits = c->account[b->account].in_doubt != 0;
    else if (o->missed == MISSED_DOUBT)
        waits = doubt_account(c, o, e);
    if (waits) {
        int64_t wait_s = o->missed < MISSED_SOON ? 1 : o->missed < MISSED_DOUBT ? 5 : 60;
        oms_check_at(c, o, c->now_ns + wait_s * CORE_SECOND_NS);
        step_ignored(c, FACT_IGNORED_NOT_NEEDED, e->kind, o->id);
        return true;
    }
    step_alert(c, FACT_ALERT_MISSING_FILLS, b, o->id, e->cum_qty, o->cum);
    if (c->account[b->account].mode < MODE_REDUCING)
        mode_set(c, MODE_SCOPE_ACCOUNT, b->account, MODE_REDUCING, FACT_WHY_DOUBT);
    return false;
}

static void cancelled(struct core *c, struct order_row *o, enum order_event event)
{
    bool was_live = !is_terminal(o->state);
    uint32_t why = o->cancel_why;
    bool part = o->cum > 0;
    take(c, o, event);
    if (!was_live || o->state != ORDER_STATE_CANCELLED)
        return;
    c->totals.cancelled += event == ORDER_EVENT_CANCEL_ACK;
    c->totals.cancelled_after_partial += part;
    c->totals.ttl_cancels += why == FACT_CANCEL_TTL;
}

static void status(struct core *c, struct order_row *o, const struct fact_exec *e)
{
    o->confirmed = e->found != FACT_FOUND_ABSENT && e->found != FACT_FOUND_UNSET;
    bool never_acked = o->state == ORDER_STATE_SENDING || o->state == ORDER_STATE_UNKNOWN ||
                       o->state == ORDER_STATE_QUARANTINE;
    switch (e->found) {
    case FACT_FOUND_WORKING:
        o->venue_order = e->venue_order;
        take(c, o, ORDER_EVENT_FOUND_WORKING);
        if (!is_terminal(o->state) && o->state != ORDER_STATE_PEND_CANCEL) {
            o->check_ns = CORE_NEVER;
            oms_cancel_again(c, o); /* a cancel that was lost with the silence */
        }
        break;
    case FACT_FOUND_DONE:
        if (misses_fills(c, o, e))
            break;
        take(c, o, ORDER_EVENT_FOUND_DONE);
        break;
    case FACT_FOUND_PROVED_ABSENT: /* one that was once there has ended instead */
        take(c, o,
             never_acked && o->cum == 0 && o->venue_order == 0 ? ORDER_EVENT_PROVED_ABSENT
                                                               : ORDER_EVENT_FOUND_DONE);
        break;
    default:
        take(c, o, ORDER_EVENT_FOUND_ABSENT); /* proves nothing */
        break;
    }
}

static void answer(struct core *c, struct order_row *o, const struct fact_exec *e)
{
    switch (e->kind) {
    case FACT_EXEC_NEW:
        o->venue_order = e->venue_order;
        if (o->state != ORDER_STATE_PEND_CANCEL)
            o->check_ns = CORE_NEVER;
        take(c, o, ORDER_EVENT_ACK);
        break;
    case FACT_EXEC_REJECTED:
        if (e->reason == FACT_REJECT_DUPLICATE) { /* proof that the first was accepted */
            take(c, o, ORDER_EVENT_ACK);
            if (!is_terminal(o->state))
                oms_check_at(c, o, c->now_ns);
            break;
        }
        c->totals.venue_rejects += o->state != ORDER_STATE_REJECTED;
        take(c, o, ORDER_EVENT_REJECT);
        break;
    case FACT_EXEC_CANCELED:
        if (!misses_fills(c, o, e))
            cancelled(c, o, ORDER_EVENT_CANCEL_ACK);
        break;
    case FACT_EXEC_VENUE_CANCEL:
        if (!misses_fills(c, o, e))
            cancelled(c, o, ORDER_EVENT_VENUE_CANCEL);
        break;
    case FACT_EXEC_CANCEL_REJECT:
        c->totals.cancel_rejects++;
        take(c, o, ORDER_EVENT_CANCEL_REJECT);
        oms_cancel_again(c, o);
        break;
    case FACT_EXEC_CANCEL_LATE:
        c->totals.cancels_late++;
        take(c, o, ORDER_EVENT_CANCEL_LATE);
        break;
    case FACT_EXEC_EXPIRED:
        if (misses_fills(c, o, e))
            break;
        c->totals.expired += o->state != ORDER_STATE_EXPIRED;
        take(c, o, ORDER_EVENT_VENUE_EXPIRE);
        break;
    case FACT_EXEC_STATUS:
        status(c, o, e);
        break;
    default:
        step_alert(c, FACT_ALERT_FORBIDDEN, &c->book[o->book], o->id, o->state, e->kind);
        break;
    }
}

/* What no order of ours explained is reversed where it was booked. */
static void external_bust(struct core *c, const struct fact_exec *e)
{
    struct book_row *b = external(c, e->instrument, e->account);
    must(b != NULL); /* the fill is known, so its book is there */
    uint32_t back = e->side == TN_LONG ? TN_SHORT : TN_LONG;
    fills_add(c, e->account, e->instrument, ~e->trade_id);
    step_alert(c, FACT_ALERT_EXTERNAL, b, 0, -e->last_qty, e->last_price);
    pos_fill(c, b, back, e->last_qty, e->last_price, -e->fee, 0, e->trade_id);
    plan_filled(c, b);
}

static void bust(struct core *c, struct order_row *o, const struct fact_exec *e)
{
    uint64_t reversed = ~e->trade_id; /* a bust has the id of its fill: remembered inverted */
    if (!is_sane_fill(c, e) || !fills_known(c, e->account, e->instrument, e->trade_id) ||
        fills_known(c, e->account, e->instrument, reversed)) {
        step_ignored(c, FACT_IGNORED_UNKNOWN_ORDER, FACT_EXEC_BUST, e->trade_id);
        return;
    }
    if (e->order == 0) {
        external_bust(c, e);
        return;
    }
    if (o == NULL || !belongs(c, o, e) || e->last_qty > o->cum) {
        step_alert(c, FACT_ALERT_FORBIDDEN, NULL, e->order, e->last_qty, FACT_EXEC_BUST);
        step_ignored(c, FACT_IGNORED_UNKNOWN_ORDER, FACT_EXEC_BUST, e->trade_id);
        return;
    }
    if (oms_move(c, o, ORDER_EVENT_BUST, o->cum - e->last_qty) == FSM_FORBID) {
        forbidden(c, o, ORDER_EVENT_BUST);
        return;
    }
    fills_add(c, e->account, e->instrument, reversed);
    uint32_t back = o->side == TN_LONG ? TN_SHORT : TN_LONG;
    pos_fill(c, &c->book[o->book], back, e->last_qty, e->last_price, -e->fee, o->id, e->trade_id);
    settle(c, o);
    plan_filled(c, &c->book[o->book]);
}

void oms_exec(struct core *c, const struct fact_exec *e)
{
    struct order_row *o = e->order ? oms_order(c, e->order) : NULL;
    if (e->kind == FACT_EXEC_TRADE) {
        fill(c, o, e);
        return;
    }
    if (e->kind == FACT_EXEC_BUST) {
        bust(c, o, e);
        return;
    }
    if (o == NULL) {
        step_ignored(c, FACT_IGNORED_UNKNOWN_ORDER, e->kind, e->order);
        return;
    }
    if (c->book[o->book].account != e->account) { /* another venue has no word on it */
        step_alert(c, FACT_ALERT_FORBIDDEN, &c->book[o->book], o->id, o->state, e->kind);
        return;
    }
    answer(c, o, e);
}

/* The journal has looked: booked before -> a repeat; else to the strategy it names, or EXTERNAL. */
void oms_found(struct core *c, const struct fact_found *e)
{
    if (e->booked || fills_known(c, e->account, e->instrument, e->trade_id)) {
        step_ignored(c, FACT_IGNORED_DUPLICATE_FILL, FACT_FOUND, e->trade_id);
        return;
    }
    struct fact_exec x = {.order = e->order,
                          .trade_id = e->trade_id,
                          .kind = FACT_EXEC_TRADE,
                          .instrument = e->instrument,
                          .account = e->account,
                          .side = e->side,
                          .last_qty = e->last_qty,
                          .last_price = e->last_price,
                          .fee = e->fee};
    struct order_row *o = e->order ? oms_order(c, e->order) : NULL;
    bool sane = is_sane_fill(c, &x);
    if (sane && o != NULL && belongs(c, o, &x)) {
        book_fill(c, o, &x);
        return;
    }
    struct book_row *b = sane && e->strategy ? book_find(c, e->strategy, e->instrument) : NULL;
    if (sane && (b == NULL || b->account != e->account))
        b = external(c, e->instrument, e->account);
    if (b == NULL) {
        step_ignored(c, FACT_IGNORED_UNKNOWN_INSTRUMENT, e->instrument, e->trade_id);
        return;
    }
    step_alert(c, FACT_ALERT_LATE_FILL, b, e->order, e->last_qty, 0);
    fills_add(c, e->account, e->instrument, e->trade_id);
    c->totals.fills++;
    pos_fill(c, b, e->side, e->last_qty, e->last_price, e->fee, e->order, e->trade_id);
    plan_filled(c, b);
}
