/* SPDX-License-Identifier: Apache-2.0
 *
 * What one deployment changes against another, as a list of differences with their kind and
 * direction. The thresholds, the plan, the diff and the swap all read this one list.
 *
 * Instances, accounts, instruments, currencies, routes and limits are compared by name, never by
 * their place in the file. Numbers are compared as numbers.
 */
#ifndef DEPLOY_CHANGE_H
#define DEPLOY_CHANGE_H
#include "deploy/deploy.h"

/* X(NAME, bit, words) */
#define CHANGE_KINDS(X)                                                                            \
    X(PLUGIN, 1u, "another plugin, version or file")                                               \
    X(PARAMS, 2u, "other parameters, inputs, bars or due time")                                    \
    X(ADDED, 4u, "an instance that was not there")                                                 \
    X(REMOVED, 8u, "an instance that is no more there")                                            \
    X(ROUTE, 16u, "a route came, went or moved")                                                   \
    X(BUDGET, 32u, "another budget")                                                               \
    X(LIMIT, 64u, "another limit")                                                                 \
    X(RATE, 128u, "another exchange rate")                                                         \
    X(MARKET, 256u, "a currency, instrument or account came, went or changed")                     \
    X(TIMES, 512u, "run_until, hearing, probation or what ends it")
enum change_kind {
    CHANGE_KIND_UNSET = 0,
#define X(NAME, bit, words) CHANGE_##NAME = bit,
    CHANGE_KINDS(X)
#undef X
};
/* Of risk. RAISES: a new route or account, a higher or dropped limit, a later or dropped run_until,
 * older or less believable data, another exchange rate; the opposite TIGHTENS; code and params are
 * SAME. Limits are judged by what holds on the routes that both documents have. */
enum change_direction { CHANGE_UNSET = 0, CHANGE_SAME, CHANGE_RAISES, CHANGE_TIGHTENS };

struct change_row {
    uint32_t kind;               /* one bit */
    uint32_t direction;          /* enum change_direction */
    uint32_t old_line, new_line; /* 0 = not in that file */
    char path[96];               /* "instances.btc_cross.version" */
    char before[96], after[96];  /* as written, "" = not there; hashes as 12 digits */
};
enum { CHANGE_ROWS_MAX = 1024 };
struct change {
    uint32_t kinds;        /* all bits */
    bool raises, tightens; /* any row */
    bool only_tightens;    /* there are rows, and each one tightens */
    uint32_t row_count;
    /* Strategies of the new document (index) whose bay is another: new ones, and those of which
     * any instance (itself, or an indicator it listens to) has another plugin, hash, params, bar,
     * due, instrument or inputs. */
    bool swaps[DEPLOY_INSTANCES_MAX];
    uint32_t swap_count;
    /* Indicators or strategies of the new document that are new or not the same as before. */
    bool differs[DEPLOY_INSTANCES_MAX];
    struct change_row row[CHANGE_ROWS_MAX];
};
/* before NULL: everything is new. Rows in the order of the keys, then of the new file, then of the
 * old one. FULL when there are more rows than fit. */
MUST_USE struct result change_find(const struct deploy_doc *before, const struct deploy_doc *after,
                                   struct change *out, struct trail *tr);

/* What no promotion can do while the host runs, each with its own sentence (CONFIG): another host
 * or seed; exponents, contract, multiplier, settle currency of an instrument; exponent of a
 * currency; an account's currency, balance or venue; a new account or instrument; a strategy's
 * route to another account; an on_remove that names no strategy which loses its route, or hands
 * over to one without the same route. A strategy that leaves or loses a route without on_remove
 * although it owns something is judged later, by who knows what it owns. before NULL: all is
 * allowed. */
MUST_USE struct result change_allowed(const struct deploy_doc *before,
                                      const struct deploy_doc *after, struct trail *tr);
#endif
