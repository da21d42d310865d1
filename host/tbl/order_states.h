/* SPDX-License-Identifier: Apache-2.0
 *
 * Order states and the events that move them, once. The moves are in core/oms_fsm.c.
 * State row: X(id, NAME, terminal, reserved, sentence); reserved 1: its leaves count as exposure.
 * Event row: X(id, NAME, sentence).
 */
#define ORDER_STATES(X)                                                                            \
    X(1, INTENT, 0, 0, "decided by the strategy, not yet by the gate")                             \
    X(2, DENIED, 1, 0, "the gate said no")                                                         \
    X(3, APPROVED, 0, 1, "the gate said yes; waits for its record to be durable")                  \
    X(4, SENDING, 0, 1, "an attempt is on its way")                                                \
    X(5, UNKNOWN, 0, 1, "sent and silent; keeps its exposure until there is proof")                \
    X(6, WORKING, 0, 1, "at the venue, nothing filled")                                            \
    X(7, PARTIAL, 0, 1, "at the venue, partly filled")                                             \
    X(8, PEND_CANCEL, 0, 1, "a cancel is on its way; the quantity stays at risk")                  \
    X(9, PEND_REPLACE, 0, 1, "a replace is on its way; the larger quantity is at risk")            \
    X(10, FILLED, 1, 0, "filled")                                                                  \
    X(11, CANCELLED, 1, 0, "cancelled by us or the venue")                                         \
    X(12, REJECTED, 1, 0, "refused by the venue")                                                  \
    X(13, EXPIRED, 1, 0, "ended by its time in force, or never sent")                              \
    X(14, ABSENT, 1, 0, "proved never to have been accepted")                                      \
    X(15, QUARANTINE, 0, 1, "unresolved too long; frozen until evidence or two people")            \
    X(16, EXTERNAL, 0, 1, "seen at the venue without an intent of ours")

#define ORDER_EVENTS(X)                                                                            \
    X(1, APPROVE, "the gate approves")                                                             \
    X(2, DENY, "the gate denies")                                                                  \
    X(3, SEND, "an attempt leaves the core")                                                       \
    X(4, SENT, "the attempt was handed over")                                                      \
    X(5, FAILED, "the attempt failed with 0 bytes sent, or was suppressed")                        \
    X(6, SILENT, "the attempt has no known outcome")                                               \
    X(7, ACK, "the venue accepted the order")                                                      \
    X(8, REJECT, "the venue refused the order")                                                    \
    X(9, FILL_PART, "a fill that leaves some quantity")                                            \
    X(10, FILL_LAST, "a fill that leaves nothing")                                                 \
    X(11, CANCEL, "a cancel leaves the core")                                                      \
    X(12, CANCEL_ACK, "the venue cancelled the rest")                                              \
    X(13, CANCEL_REJECT, "the venue refuses the cancel; some quantity is left")                    \
    X(14, CANCEL_LATE, "the venue refuses the cancel as too late")                                 \
    X(15, CANCEL_FAILED, "the cancel was never sent")                                              \
    X(16, REPLACE, "a replace leaves the core")                                                    \
    X(17, REPLACE_ACK, "the venue replaced the order")                                             \
    X(18, REPLACE_REJECT, "the venue refuses the replace")                                         \
    X(19, VENUE_EXPIRE, "the venue ended the order by its time in force")                          \
    X(20, VENUE_CANCEL, "the venue cancelled the order unasked")                                   \
    X(21, FOUND_WORKING, "a query found it working")                                               \
    X(22, FOUND_DONE, "a query found it ended with the fills we know")                             \
    X(23, FOUND_ABSENT, "a query did not find it; no proof")                                       \
    X(24, PROVED_ABSENT, "validity passed and three witnesses agree: never accepted")              \
    X(25, GIVE_UP, "unresolved for too long")                                                      \
    X(26, BUST, "the venue reverses a fill")                                                       \
    X(27, EXPIRE, "our own deadline passed before it was sent")                                    \
    X(28, ADOPT, "found at the venue without an intent")                                           \
    X(29, RESOLVE, "two people decide that it ended")

enum order_state {
    ORDER_STATE_UNSET = 0,
#define X(id, name, terminal, reserved, text) ORDER_STATE_##name = id,
    ORDER_STATES(X)
#undef X
        ORDER_STATE_END
};
enum order_event {
    ORDER_EVENT_UNSET = 0,
#define X(id, name, text) ORDER_EVENT_##name = id,
    ORDER_EVENTS(X)
#undef X
        ORDER_EVENT_END
};
