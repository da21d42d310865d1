/* SPDX-License-Identifier: Apache-2.0
 *
 * The three records that outsiders read, as JSON: Signal v1, ExecutionReport v1 and the denial
 * record v1, exactly as plugin-api/schema/{signal,execution-report,denial}-v1.schema.json say.
 *
 * Journal records hold ids and mantissas; names and exponents come from the caller. Decimals and
 * 64-bit integers are strings. Whatever the record holds, what comes out is valid or is refused
 * with RESULT_CORRUPT: an enum value nobody knows is never written as a word. Any thread; off the
 * hot path (jansson allocates).
 */
#ifndef GATEWAY_JSON_FACTS_H
#define GATEWAY_JSON_FACTS_H
#include <jansson.h>
#include "base/result.h"
#include "tbl/facts.h"

/* What the ids of a record mean. Texts are borrowed; NULL is written as "?". */
struct json_facts_names {
    const char *instance; /* of the strategy, as the deployment names it */
    const char *plugin, *version;
    const char *const *input; /* names of the strategy's inputs, by index */
    uint32_t input_count;
    const char *instrument;
    int32_t price_exp, qty_exp;
    const char *account;
    int32_t money_exp; /* of the account's currency: values in the gate */
    const char *settle;
    int32_t settle_exp; /* of the settle currency: fees */
    /* Denial record only. Rule ids index the two arrays (RISK_RULE_END entries); either may be
     * NULL: all limits are built in; each rule says no since this very decision. */
    const char *deployment;       /* file that sets the limits */
    const uint32_t *rule_line;    /* line in it; 0 = the built-in default */
    const int64_t *rule_since_ns; /* since when it has said no without a break; 0 = since now */
    const char *const *signer;    /* people who signed the deployment in force, each once */
    uint32_t signer_count;
};

/* Each gives a new reference in *out, or NULL and a failure. */
MUST_USE struct result json_facts_signal(const struct fact_head *head, const struct fact_signal *f,
                                         const struct json_facts_names *names, json_t **out,
                                         struct trail *tr);
MUST_USE struct result json_facts_exec(const struct fact_head *head, const struct fact_exec *f,
                                       const struct json_facts_names *names, json_t **out,
                                       struct trail *tr);
MUST_USE struct result json_facts_decision(const struct fact_head *head,
                                           const struct fact_decision *f,
                                           const struct json_facts_names *names, json_t **out,
                                           struct trail *tr);
#endif
