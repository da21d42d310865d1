/* SPDX-License-Identifier: Apache-2.0
 *
 * The order machine: every state x event cell decided (RISK-AND-ORDERS 3.1).
 *
 * M(x) moves, S is handled without a move, I is late or repeated evidence (counted), F is what must
 * not happen: our own bug when we caused it, an alarm when the venue says it. Columns follow
 * ORDER_EVENTS in groups: what we do (approve deny send), what became of the attempt (sent failed
 * silent), what the venue says (ack reject fill-part fill-last), cancels (cancel ack reject late
 * failed), replaces (replace ack reject), unasked ends (expire cancel), queries (working done
 * absent proved), and give-up bust expire adopt resolve.
 *
 * Worth knowing: a fill may arrive in any state that was ever sent, so late fills of ended orders
 * are S, never F; nothing leads from an ended state back to a working one; UNKNOWN ends by evidence
 * only; ABSENT, our only proof by absence, becomes EXTERNAL when evidence contradicts it. Orders
 * that move to WORKING with fills known are moved on to PARTIAL by FILL_PART in the same breath.
 */
#include "base/fsm.h"
#include "core/state.h"

/* The table is read in columns. */
/* clang-format off */
#define F {FSM_FORBID, ST}
#define I {FSM_IGNORE, ST}
#define S {FSM_STAY, ST}
#define M(to) {FSM_MOVE, ORDER_STATE_##to}

static const struct fsm_cell cell[ORDER_STATE_END][ORDER_EVENT_END] = {
#define ST ORDER_STATE_INTENT
    [ST] =
        {
            F,
            M(APPROVED), M(DENIED), F, /* approve deny send */
            F, F, F, /* sent failed silent */
            F, F, F, F, /* ack reject fill_part fill_last */
            F, F, F, F, F, /* cancel cancel_ack cancel_reject cancel_late cancel_failed */
            F, F, F, /* replace replace_ack replace_reject */
            F, F, /* venue_expire venue_cancel */
            F, F, F, F, /* found_working found_done found_absent proved_absent */
            F, F, F, F, F, /* give_up bust expire adopt resolve */
        },
#undef ST
#define ST ORDER_STATE_DENIED
    [ST] =
        {
            F,
            F, F, F, /* approve deny send */
            F, F, F, /* sent failed silent */
            F, F, F, F, /* ack reject fill_part fill_last */
            F, F, F, F, F, /* cancel cancel_ack cancel_reject cancel_late cancel_failed */
            F, F, F, /* replace replace_ack replace_reject */
            F, F, /* venue_expire venue_cancel */
            F, F, F, F, /* found_working found_done found_absent proved_absent */
            F, F, F, F, F, /* give_up bust expire adopt resolve */
        },
#undef ST
#define ST ORDER_STATE_APPROVED
    [ST] =
        {
            F,
            F, F, M(SENDING), /* approve deny send */
            F, F, F, /* sent failed silent */
            F, F, F, F, /* ack reject fill_part fill_last */
            F, F, F, F, F, /* cancel cancel_ack cancel_reject cancel_late cancel_failed */
            F, F, F, /* replace replace_ack replace_reject */
            F, F, /* venue_expire venue_cancel */
            F, F, F, F, /* found_working found_done found_absent proved_absent */
            F, F, M(EXPIRED), F, F, /* give_up bust expire adopt resolve */
        },
#undef ST
#define ST ORDER_STATE_SENDING
    [ST] =
        {
            F,
            F, F, F, /* approve deny send */
            S, M(EXPIRED), M(UNKNOWN), /* sent failed silent */
            M(WORKING), M(REJECTED), M(PARTIAL), M(FILLED), /* ack reject fill_part fill_last */
            /* cancel cancel_ack cancel_reject cancel_late cancel_failed */
            F, M(CANCELLED), I, I, I,
            F, F, F, /* replace replace_ack replace_reject */
            M(EXPIRED), M(CANCELLED), /* venue_expire venue_cancel */
            /* found_working found_done found_absent proved_absent */
            M(WORKING), M(CANCELLED), I, M(ABSENT),
            F, F, F, F, F, /* give_up bust expire adopt resolve */
        },
#undef ST
#define ST ORDER_STATE_UNKNOWN
    [ST] =
        {
            F,
            F, F, F, /* approve deny send */
            S, M(EXPIRED), I, /* sent failed silent */
            M(WORKING), M(REJECTED), M(PARTIAL), M(FILLED), /* ack reject fill_part fill_last */
            /* cancel cancel_ack cancel_reject cancel_late cancel_failed */
            S, M(CANCELLED), S, S, I,
            F, F, F, /* replace replace_ack replace_reject */
            M(EXPIRED), M(CANCELLED), /* venue_expire venue_cancel */
            /* found_working found_done found_absent proved_absent */
            M(WORKING), M(CANCELLED), S, M(ABSENT),
            M(QUARANTINE), S, F, F, F, /* give_up bust expire adopt resolve */
        },
#undef ST
#define ST ORDER_STATE_WORKING
    [ST] =
        {
            F,
            F, F, F, /* approve deny send */
            I, F, I, /* sent failed silent */
            I, M(REJECTED), M(PARTIAL), M(FILLED), /* ack reject fill_part fill_last */
            /* cancel cancel_ack cancel_reject cancel_late cancel_failed */
            M(PEND_CANCEL), M(CANCELLED), I, I, I,
            M(PEND_REPLACE), I, I, /* replace replace_ack replace_reject */
            M(EXPIRED), M(CANCELLED), /* venue_expire venue_cancel */
            S, M(CANCELLED), I, F, /* found_working found_done found_absent proved_absent */
            F, F, F, F, F, /* give_up bust expire adopt resolve */
        },
#undef ST
#define ST ORDER_STATE_PARTIAL
    [ST] =
        {
            F,
            F, F, F, /* approve deny send */
            I, F, I, /* sent failed silent */
            I, F, S, M(FILLED), /* ack reject fill_part fill_last */
            /* cancel cancel_ack cancel_reject cancel_late cancel_failed */
            M(PEND_CANCEL), M(CANCELLED), I, I, I,
            M(PEND_REPLACE), I, I, /* replace replace_ack replace_reject */
            M(EXPIRED), M(CANCELLED), /* venue_expire venue_cancel */
            S, M(CANCELLED), I, F, /* found_working found_done found_absent proved_absent */
            F, S, F, F, F, /* give_up bust expire adopt resolve */
        },
#undef ST
#define ST ORDER_STATE_PEND_CANCEL
    [ST] =
        {
            F,
            F, F, F, /* approve deny send */
            S, F, M(UNKNOWN), /* sent failed silent */
            I, M(REJECTED), S, M(FILLED), /* ack reject fill_part fill_last */
            /* cancel cancel_ack cancel_reject cancel_late cancel_failed */
            S, M(CANCELLED), M(WORKING), S, M(WORKING),
            F, F, F, /* replace replace_ack replace_reject */
            M(EXPIRED), M(CANCELLED), /* venue_expire venue_cancel */
            S, M(CANCELLED), I, F, /* found_working found_done found_absent proved_absent */
            F, S, F, F, F, /* give_up bust expire adopt resolve */
        },
#undef ST
#define ST ORDER_STATE_PEND_REPLACE
    [ST] =
        {
            F,
            F, F, F, /* approve deny send */
            S, F, M(UNKNOWN), /* sent failed silent */
            I, F, S, M(FILLED), /* ack reject fill_part fill_last */
            /* cancel cancel_ack cancel_reject cancel_late cancel_failed */
            M(PEND_CANCEL), M(CANCELLED), I, I, I,
            F, M(WORKING), M(WORKING), /* replace replace_ack replace_reject */
            M(EXPIRED), M(CANCELLED), /* venue_expire venue_cancel */
            S, M(CANCELLED), I, F, /* found_working found_done found_absent proved_absent */
            F, S, F, F, F, /* give_up bust expire adopt resolve */
        },
#undef ST
#define ST ORDER_STATE_FILLED
    [ST] =
        {
            F,
            F, F, F, /* approve deny send */
            I, F, I, /* sent failed silent */
            I, F, S, S, /* ack reject fill_part fill_last */
            F, I, I, I, I, /* cancel cancel_ack cancel_reject cancel_late cancel_failed */
            F, I, I, /* replace replace_ack replace_reject */
            I, I, /* venue_expire venue_cancel */
            I, I, I, F, /* found_working found_done found_absent proved_absent */
            F, S, F, F, F, /* give_up bust expire adopt resolve */
        },
#undef ST
#define ST ORDER_STATE_CANCELLED
    [ST] =
        {
            F,
            F, F, F, /* approve deny send */
            I, I, I, /* sent failed silent */
            I, I, S, S, /* ack reject fill_part fill_last */
            F, I, I, I, I, /* cancel cancel_ack cancel_reject cancel_late cancel_failed */
            F, I, I, /* replace replace_ack replace_reject */
            I, I, /* venue_expire venue_cancel */
            I, I, I, I, /* found_working found_done found_absent proved_absent */
            F, S, F, F, F, /* give_up bust expire adopt resolve */
        },
#undef ST
#define ST ORDER_STATE_REJECTED
    [ST] =
        {
            F,
            F, F, F, /* approve deny send */
            I, F, I, /* sent failed silent */
            I, I, S, S, /* ack reject fill_part fill_last */
            F, I, I, I, I, /* cancel cancel_ack cancel_reject cancel_late cancel_failed */
            F, I, I, /* replace replace_ack replace_reject */
            I, I, /* venue_expire venue_cancel */
            I, I, I, I, /* found_working found_done found_absent proved_absent */
            F, S, F, F, F, /* give_up bust expire adopt resolve */
        },
#undef ST
#define ST ORDER_STATE_EXPIRED
    [ST] =
        {
            F,
            F, F, F, /* approve deny send */
            I, I, I, /* sent failed silent */
            I, I, S, S, /* ack reject fill_part fill_last */
            F, I, I, I, I, /* cancel cancel_ack cancel_reject cancel_late cancel_failed */
            F, I, I, /* replace replace_ack replace_reject */
            I, I, /* venue_expire venue_cancel */
            I, I, I, I, /* found_working found_done found_absent proved_absent */
            F, S, F, F, F, /* give_up bust expire adopt resolve */
        },
#undef ST
#define ST ORDER_STATE_ABSENT
    [ST] =
        {
            F,
            F, F, F, /* approve deny send */
            I, I, I, /* sent failed silent */
            M(EXTERNAL), I, M(EXTERNAL), M(EXTERNAL), /* ack reject fill_part fill_last */
            F, I, I, I, I, /* cancel cancel_ack cancel_reject cancel_late cancel_failed */
            F, F, F, /* replace replace_ack replace_reject */
            I, I, /* venue_expire venue_cancel */
            M(EXTERNAL), I, I, I, /* found_working found_done found_absent proved_absent */
            F, F, F, F, F, /* give_up bust expire adopt resolve */
        },
#undef ST
#define ST ORDER_STATE_QUARANTINE
    [ST] =
        {
            F,
            F, F, F, /* approve deny send */
            S, M(EXPIRED), I, /* sent failed silent */
            M(WORKING), M(REJECTED), M(PARTIAL), M(FILLED), /* ack reject fill_part fill_last */
            /* cancel cancel_ack cancel_reject cancel_late cancel_failed */
            S, M(CANCELLED), S, S, I,
            F, F, F, /* replace replace_ack replace_reject */
            M(EXPIRED), M(CANCELLED), /* venue_expire venue_cancel */
            /* found_working found_done found_absent proved_absent */
            M(WORKING), M(CANCELLED), S, M(ABSENT),
            I, S, F, F, M(CANCELLED), /* give_up bust expire adopt resolve */
        },
#undef ST
#define ST ORDER_STATE_EXTERNAL
    [ST] =
        {
            F,
            F, F, F, /* approve deny send */
            I, F, I, /* sent failed silent */
            S, M(REJECTED), S, M(FILLED), /* ack reject fill_part fill_last */
            /* cancel cancel_ack cancel_reject cancel_late cancel_failed */
            S, M(CANCELLED), S, S, I,
            F, F, F, /* replace replace_ack replace_reject */
            M(EXPIRED), M(CANCELLED), /* venue_expire venue_cancel */
            S, M(CANCELLED), I, F, /* found_working found_done found_absent proved_absent */
            F, S, F, M(WORKING), M(CANCELLED), /* give_up bust expire adopt resolve */
        },
#undef ST
};
static const char *const state_name[ORDER_STATE_END] = {
    "UNSET",
#define X(id, name, terminal, reserved, text) #name,
    ORDER_STATES(X)
#undef X
};

static const char *const event_name[ORDER_EVENT_END] = {
    "UNSET",
#define X(id, name, text) #name,
    ORDER_EVENTS(X)
#undef X
};
/* clang-format on */

const struct fsm oms_fsm = {.name = "order",
                            .state_count = ORDER_STATE_END,
                            .event_count = ORDER_EVENT_END,
                            .cell = &cell[0][0],
                            .state_name = state_name,
                            .event_name = event_name};
