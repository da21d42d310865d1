/* SPDX-License-Identifier: Apache-2.0
 *
 * Modes, once. Strictness rises with the row; the strictest of global, account, strategy wins.
 * Row: X(id, NAME, new_risk, reduce, work, lifted_by, sentence)
 *   new_risk 1 allowed by the gate; reduce 1 automatic closes allowed
 *   work     KEEP managed, OPENING opening ones are cancelled, ALL all are cancelled
 *   lifted_by OPERATOR, SELF (when reconciliation is clean), TWO people
 */
#define MODES(X)                                                                                   \
    X(1, ACTIVE, 1, 1, KEEP, OPERATOR, "entries allowed, orders managed")                          \
    X(2, SAFE_START, 0, 1, KEEP, SELF, "no new risk until reconciliation is clean")                \
    X(3, REDUCING, 0, 1, KEEP, OPERATOR, "only reducing orders")                                   \
    X(4, HALTED, 0, 0, KEEP, OPERATOR, "people may reduce, nothing else")                          \
    X(5, SAFE_LOSS, 0, 1, OPENING, TWO, "no new risk after a loss or a doubt")                     \
    X(6, KILLED, 0, 1, ALL, TWO, "flatten only")

enum mode {
    MODE_UNSET = 0,
#define X(id, name, risk, reduce, work, lifted, text) MODE_##name = id,
    MODES(X)
#undef X
        MODE_END
};
#define MODE_SCOPES(X) X(1, GLOBAL) X(2, ACCOUNT) X(3, STRATEGY)
enum mode_scope {
    MODE_SCOPE_UNSET = 0,
#define X(id, name) MODE_SCOPE_##name = id,
    MODE_SCOPES(X)
#undef X
};
