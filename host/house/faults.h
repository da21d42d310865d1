/* SPDX-License-Identifier: Apache-2.0
 *
 * Faults by script: what the venue does wrong, when, and how often. A rule says on what (`on`),
 * what to do (`do`), how many to let pass first (`skip`) and how many to spoil (`count`, 0 = all),
 * and may be bound to a client id or to a moment of the venue's clock. Rules come from a script
 * file at the start and from the control socket at any time; the first one that fits is used.
 */
#ifndef HOUSE_FAULTS_H
#define HOUSE_FAULTS_H
#include "base/result.h"
#include "tbl/facts.h"

/* Row: X(NAME, word). */
#define FAULTS_ON(X)                                                                               \
    X(ORDER, "order")                                                                              \
    X(CANCEL, "cancel")                                                                            \
    X(CANCEL_ALL, "cancel_all")                                                                    \
    X(QUERY, "query")                                                                              \
    X(OPEN, "open")                                                                                \
    X(FILLS, "fills")                                                                              \
    X(POSITIONS, "positions")                                                                      \
    X(OTHER, "other")                                                                              \
    X(CONNECT, "connect")                                                                          \
    X(LOGIN, "login")                                                                              \
    X(REPORT, "report")                                                                            \
    X(MARKET, "market")
#define FAULTS_DO(X)                                                                               \
    X(DROP_REPLY, "drop_reply", REQUEST)     /* done; the connection closes without a word */      \
    X(DELAY, "delay", REQUEST)               /* done; answered `ms` later */                       \
    X(ERROR_BEFORE, "error_before", REQUEST) /* not done; answered with `status` */                \
    X(ERROR_AFTER, "error_after", REQUEST)   /* done; answered with `status` */                    \
    X(SWALLOW, "swallow", REQUEST)           /* answered as if done; not done (orders, cancels) */ \
    X(BAN, "ban", REQUEST)                   /* not done; 418, and so on for `seconds` */          \
    X(REFUSE, "refuse", STREAM)              /* connect, login: no */                              \
    X(DUPLICATE, "duplicate", STREAM)        /* report, market: sent twice */                      \
    X(LOSE, "lose", STREAM)                  /* report, market: numbered and never sent */         \
    X(REORDER, "reorder", STREAM)            /* report, market: sent after the next one */         \
    X(DISCONNECT, "disconnect", BOTH)        /* done; then all connections of all keys close */    \
    X(FREEZE, "freeze", BOTH)                /* done; then nothing is read or sent for `ms` */

enum fault_on {
    FAULT_ON_UNSET = 0,
#define X(name, word) FAULT_ON_##name,
    FAULTS_ON(X)
#undef X
        FAULT_ON_END
};
enum fault_do {
    FAULT_DO_UNSET = 0,
#define X(name, word, where) FAULT_DO_##name,
    FAULTS_DO(X)
#undef X
        FAULT_DO_END
};
enum { FAULTS_MAX = 256, FAULTS_SCRIPT_MAX = 64 * 1024 };

struct fault {
    uint32_t on, doing; /* enum fault_on, fault_do */
    uint64_t skip;      /* still to let pass */
    uint64_t count;     /* still to spoil; UINT64_MAX = all */
    uint64_t used;
    int64_t ms, from_ns; /* from_ns: venue time; 0 = at once */
    int32_t status, seconds;
    char client[FACT_NAME_BYTES]; /* empty = any */
};
struct faults {
    uint32_t count;
    struct fault at[FAULTS_MAX];
};

/* Adds the rules of a JSON array (or one object); none when one of them is wrong. */
MUST_USE struct result faults_add(struct faults *f, const char *json, size_t count,
                                  struct trail *tr);
MUST_USE struct result faults_read(struct faults *f, const char *path, struct trail *tr);
/* The rule for this, used up by one; NULL = go on as usual. client may be NULL. */
const struct fault *faults_meet(struct faults *f, uint32_t on, const char *client, int64_t t_ns);
void faults_clear(struct faults *f);
/* [{"on":..,"do":..,"left":..,"used":..}, ...] as far as it fits; gives the length. */
size_t faults_list(const struct faults *f, char *out, size_t bytes);
#endif
