/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside change*.c: the two documents side by side and the list that is made of them.
 */
#ifndef DEPLOY_CHANGE_PRIV_H
#define DEPLOY_CHANGE_PRIV_H
#include "base/num.h"
#include "deploy/change.h"

enum { CHANGE_NONE = UINT32_MAX }; /* the other document does not have it */

struct change_pair {
    const struct deploy_doc *was, *is;
    struct change *out;
    bool full; /* a row did not fit */
};
struct change_at { /* lines in both files, 0 = not there */
    uint32_t was, is;
};

/* One row. path and texts are cut to fit, which nothing legal needs. */
void change_add(struct change_pair *p, uint32_t kind, uint32_t direction, struct change_at at,
                const char *path, const char *before, const char *after);
/* The same when the texts differ. */
void change_text(struct change_pair *p, uint32_t kind, uint32_t direction, struct change_at at,
                 const char *path, const char *before, const char *after);

/* Places (index) by name, or CHANGE_NONE. */
uint32_t change_currency(const struct deploy_doc *d, const char *name);
uint32_t change_account(const struct deploy_doc *d, const char *name);
uint32_t change_instrument(const struct deploy_doc *d, const char *symbol);
uint32_t change_instance(const struct deploy_doc *d, const char *name);
/* The route with these names. */
uint32_t change_route(const struct deploy_doc *d, const char *strategy, const char *symbol);
/* The rate of d between the same currencies as rate i of `of`. */
uint32_t change_rate(const struct deploy_doc *d, const struct deploy_doc *of, uint32_t i);
const char *change_strategy_of(const struct deploy_doc *d, uint32_t route);
const char *change_symbol_of(const struct deploy_doc *d, uint32_t route);
const char *change_settle_of(const struct deploy_doc *d, uint32_t instrument);
const char *change_money_of(const struct deploy_doc *d, uint32_t account); /* its currency */

/* change_rows.c: currencies, accounts, instruments. change_work.c: instances, routes, rates, times.
 * change_limits.c: limits. */
void change_markets(struct change_pair *p);
void change_instances(struct change_pair *p);
void change_routes(struct change_pair *p);
void change_limits(struct change_pair *p);
bool change_applies(const struct fact_limit *l, const struct fact_route *r);
/* As the core derives it: the tightest row that applies, else the rule's default. */
int64_t change_effective(const struct deploy_doc *d, uint32_t route, uint32_t rule);
/* A row's number as it is written. */
void change_limit_text(const struct deploy_doc *d, const struct fact_limit *l,
                       char out[NUM_TEXT_BYTES]);
void change_rates(struct change_pair *p);
void change_times(struct change_pair *p);
/* change_work.c: out->swaps, once out->differs is known. */
void change_swaps(struct change_pair *p);
#endif
