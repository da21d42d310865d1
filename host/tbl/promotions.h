/* SPDX-License-Identifier: Apache-2.0
 *
 * The way of a deployment from draft to active and away again, once (DECISIONS 29).
 *
 * PROMOTION_STATES  X(id, NAME, word, sentence for the operator's line)
 * PROMOTION_MOVES   X(FROM, TO): every allowed move; fsm-like, any other is our bug
 * PROMOTION_WHYS    X(id, NAME, words)
 *
 * DRAFT is a file on somebody's disk: no record is in this state. From it to REFUSED go documents
 * that are no deployments: trust documents and requests. SHADOW is the time in which the
 * new build hears the live stream and its signals are recorded, not accepted; CANARY is passed
 * through in this release. PROBATION begins with the flip.
 */
#ifndef TBL_PROMOTIONS_H
#define TBL_PROMOTIONS_H

#define PROMOTION_STATES(X)                                                                        \
    X(1, DRAFT, "draft", "a file, not handed to the host")                                         \
    X(2, PROPOSED, "proposed", "handed to the host")                                               \
    X(3, VERIFIED, "verified", "form, signatures, plugins and history were checked")               \
    X(4, APPROVED, "approved", "enough people signed")                                             \
    X(5, SHADOW, "shadow", "hears the live stream; its signals are recorded, not accepted")        \
    X(6, CANARY, "canary", "passed through in this release")                                       \
    X(7, PROBATION, "probation", "active; the one before it is kept ready")                        \
    X(8, PERMANENT, "permanent", "active")                                                         \
    X(9, SUPERSEDED, "superseded", "a newer one is active")                                        \
    X(10, ROLLED_BACK, "rolled back", "the one before it is active again, under a new serial")     \
    X(11, REFUSED, "refused", "nothing was changed")

#define PROMOTION_MOVES(X)                                                                         \
    X(DRAFT, PROPOSED)                                                                             \
    X(DRAFT, REFUSED)                                                                              \
    X(PROPOSED, VERIFIED)                                                                          \
    X(PROPOSED, REFUSED)                                                                           \
    X(VERIFIED, APPROVED)                                                                          \
    X(VERIFIED, REFUSED)                                                                           \
    X(APPROVED, SHADOW)                                                                            \
    X(APPROVED, REFUSED)                                                                           \
    X(SHADOW, CANARY)                                                                              \
    X(SHADOW, REFUSED)                                                                             \
    X(CANARY, PROBATION)                                                                           \
    X(CANARY, PERMANENT)                                                                           \
    X(CANARY, REFUSED)                                                                             \
    X(PROBATION, PERMANENT)                                                                        \
    X(PROBATION, SUPERSEDED)                                                                       \
    X(PROBATION, ROLLED_BACK)                                                                      \
    X(PERMANENT, SUPERSEDED)                                                                       \
    X(PERMANENT, ROLLED_BACK)

#define PROMOTION_WHYS(X)                                                                          \
    X(1, PERSON, "an operator asked for it")                                                       \
    X(2, FIRST, "it is the first one of this journal")                                             \
    X(3, PASSED, "the step before it is done")                                                     \
    X(4, CHECK, "a check failed")                                                                  \
    X(5, FAULT, "the new build broke its contract")                                                \
    X(6, DEADLINE, "the new build answered late too often")                                        \
    X(7, DENIALS, "the gate denied too many of the new build's intents")                           \
    X(8, RESTART, "the host was restarted on the way")                                             \
    X(9, OVERTAKEN, "a newer one came")                                                            \
    X(10, MODE, "the host's mode does not allow it")                                               \
    X(11, STATE, "what is held or works does not allow it")                                        \
    X(12, TIME, "its probation is over")

enum promotion_state {
    PROMOTION_UNSET = 0,
#define X(id, name, word, text) PROMOTION_##name = id,
    PROMOTION_STATES(X)
#undef X
        PROMOTION_STATE_END
};
enum promotion_why {
    PROMOTION_WHY_UNSET = 0,
#define X(id, name, text) PROMOTION_WHY_##name = id,
    PROMOTION_WHYS(X)
#undef X
        PROMOTION_WHY_END
};
#endif
