/* SPDX-License-Identifier: Apache-2.0
 *
 * May this file become active? Everything that can be said without loading a plugin: size, bytes,
 * signatures (before anything is parsed), form, host, serial, parent, times, what no promotion can
 * do, and whether enough people signed. One function for the host, for `config verify` and for the
 * first start.
 */
#ifndef DEPLOY_VET_H
#define DEPLOY_VET_H
#include "base/bundle.h"
#include "deploy/change.h"
#include "deploy/trust.h"

struct vet_now { /* what the host knows */
    const struct trust *trust;
    const char *host;
    const struct deploy_doc *doc; /* active one; NULL: none yet, serial 1 comes */
    uint64_t serial;              /* of the active one */
    uint8_t sha256[FACT_HASH_BYTES];
    int64_t wall_ns;              /* the later of the host's clock and every time recorded before */
    int64_t event_ns;             /* run_until must lie after it; INT64_MIN = not known */
    const char *instruments_path; /* may be NULL */
};
struct vet_verdict {
    uint8_t sha256[FACT_HASH_BYTES]; /* set first */
    uint64_t serial;                 /* as far as it was read; 0 = it was not */
    struct deploy_doc doc;
    struct change change;
    uint32_t signed_count;
    struct trust_signed sign[TRUST_SIGNATURES_MAX];
    struct trust_need need;
    char missing[160]; /* approvals; empty = enough */
};
/* OK: may go on to the plugins. Else the sentence and its class: SIGNATURE, APPROVAL, CONFIG (form,
 * host, pins), STATE (serial, parent), NOT_PERMITTED (not yet valid, expired, run_until over),
 * TOO_LARGE. Every refusal leaves *out with what was found so far. Order: size, signatures, form,
 * host, serial, parent, times, what cannot change, approvals. */
MUST_USE struct result vet(const struct bundle *b, const struct vet_now *now,
                           struct vet_verdict *out, struct trail *tr);

/* ---- requests of several people (DECISIONS 32) ---- */
/*     schema: 1
 *     kind: request
 *     host: demo
 *     wish: resume                  # lifts KILLED, SAFE(loss) or any other mode
 *     scope: global                 # or strategy:NAME, account:NAME
 *     to: active                    # active or reducing
 *     reason: "cause found: ..."
 *     created: 2026-11-20T13:00:00Z
 *     expires: 2026-11-20T14:00:00Z
 *     nonce: "16 hex digits"
 */
struct vet_request {
    uint8_t sha256[FACT_HASH_BYTES];
    uint32_t scope; /* enum mode_scope */
    char scope_name[FACT_NAME_BYTES];
    uint32_t mode; /* enum mode */
    int64_t created_ns, expires_ns;
    char reason[FACT_TEXT_BYTES];
    char nonce[17];
    uint32_t signed_count;
    struct trust_signed sign[TRUST_SIGNATURES_MAX];
};
/* need_request distinct people, roles operator or risk, at least one of them risk. */
MUST_USE struct result vet_request(const struct bundle *b, const struct vet_now *now,
                                   struct vet_request *out, struct trail *tr);
/* The text of a request file (malloc'ed). */
MUST_USE struct result vet_request_print(const struct vet_request *q, const char *host, char **text,
                                         struct trail *tr);
#endif
