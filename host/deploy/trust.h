/* SPDX-License-Identifier: Apache-2.0
 *
 * The trust document: which people may sign what for one host, and how many it takes. A signed,
 * versioned YAML file of the same strict subset as a deployment:
 *
 *     schema: 1
 *     kind: trust
 *     host: demo
 *     version: 1
 *     parent: "000...0"            # SHA-256 of the version before; zeros for the first
 *     thresholds: {root: 1, author: 1, operator: 1, risk: 1, request: 2}
 *     people:
 *       ana: {roles: [author, operator], keys: ["RWQ..."]}
 *       bo: {roles: [operator, risk, root], keys: ["RWQ..."]}
 *     revoked: ["RWQ..."]          # keys that are trusted no more; they stay listed
 *     throwaway: true              # only in what `run --throwaway-keys` and the demo make
 *
 * Invariants
 *   1. A key belongs to one person; a revoked key to nobody. Every kind of change can be signed by
 *      the people listed, distinct ones: this document, a deployment, one that raises risk, a
 *      request.
 *   2. Version n+1 counts only when it names version n's hash as parent and carries enough root
 *      signatures by the people of n and enough by the people of n+1.
 *   3. A person counts once, for one role, however many keys or signatures there are.
 */
#ifndef DEPLOY_TRUST_H
#define DEPLOY_TRUST_H
#include "base/bundle.h"
#include "deploy/sign.h"
#include "tbl/facts.h"

#define TRUST_ROLES(X)                                                                             \
    X(ROOT, root, 1u, "changes the trust document")                                                \
    X(AUTHOR, author, 2u, "proposes a deployment")                                                 \
    X(OPERATOR, operator, 4u, "agrees that it goes live")                                          \
    X(RISK, risk, 8u, "agrees to more risk, and to lifting a kill")
enum trust_role {
    TRUST_ROLE_UNSET = 0,
#define X(NAME, name, bit, text) TRUST_##NAME = bit,
    TRUST_ROLES(X)
#undef X
};
enum { TRUST_PEOPLE_MAX = 32, TRUST_KEYS_MAX = 64, TRUST_SIGNATURES_MAX = BUNDLE_SIGNATURES_MAX };
#define TRUST_NOBODY UINT32_MAX

struct trust {
    uint8_t sha256[FACT_HASH_BYTES], parent[FACT_HASH_BYTES];
    uint64_t version;
    char host[FACT_NAME_BYTES];
    bool is_throwaway;
    uint32_t need_root, need_author, need_operator, need_risk, need_request;
    uint32_t people_count, key_count;
    struct {
        char name[FACT_NAME_BYTES];
        uint32_t roles; /* TRUST_* bits */
    } person[TRUST_PEOPLE_MAX];
    struct {
        struct sign_public key;
        uint32_t person; /* index; TRUST_NOBODY of a revoked one */
        bool is_revoked;
    } key[TRUST_KEYS_MAX];
};

/* A document from its bytes; name for sentences. */
MUST_USE struct result trust_parse(const char *bytes, size_t count, const char *name,
                                   struct trust *out, struct trail *tr);
/* Its canonical text (malloc'ed, NUL-ended): what `trust init` and `rotate` write. sha256 of *t is
 * ignored. */
MUST_USE struct result trust_print(const struct trust *t, char **text, struct trail *tr);
/* Invariant 1, last part: enough people? When not, `why` is a sentence. */
bool trust_is_enough(const struct trust *t, char *why, size_t bytes);
/* Index of a person's or a revoked key; TRUST_NOBODY when there is none with this id. */
uint32_t trust_key(const struct trust *t, const uint8_t id[SIGN_ID_BYTES]);

/* ---- signatures over one document ---- */
struct trust_signed { /* one that was verified */
    struct sign_file file;
    char name[FACT_NAME_BYTES]; /* the person's */
    uint32_t person;            /* index in the trust document */
    uint32_t role;              /* one TRUST_* bit */
};
/* Verifies each signature text: known key, not revoked, over these very bytes, and a trusted
 * comment whose role its person has and whose kind and host are these. Any that fails refuses the
 * whole, and so does a file without any: SIGNATURE, and the sentence names file, key, person. As
 * many as the bundle has; who is missing is trust_count's. */
MUST_USE struct result trust_verify(const struct trust *t, const struct bundle *b, const char *kind,
                                    struct trust_signed out[TRUST_SIGNATURES_MAX],
                                    struct trail *tr);

struct trust_need { /* how many distinct people for each role; 0 = none */
    uint32_t root, author, operator, risk;
};
/* Thresholds by what changes: only tightening takes one operator; anything else the authors and the
 * operators; where risk is raised the risk people come in the operators' places (two people suffice
 * with thresholds of one), and operators only for what their threshold is higher. */
struct trust_need trust_need_of(const struct trust *t, bool raises, bool only_tightens);
/* Distinct people in distinct places: true when `need` is met. *missing: words for the sentence,
 * like "risk 1 (bo or eve)", empty when met. */
bool trust_count(const struct trust *t, const struct trust_signed *s, uint32_t count,
                 const struct trust_need *need, char *missing, size_t bytes);

/* To lift a kill or a loss: need_request people of role operator or risk, one of them risk. */
bool trust_count_request(const struct trust *t, const struct trust_signed *s, uint32_t count,
                         char *missing, size_t bytes);
/* What a sentence about missing approvals adds when somebody signed more than once:
 * "; ana signed 2 times and counts once", else empty. */
void trust_repeats(const struct trust_signed *s, uint32_t count, char *out, size_t bytes);

/* May `next` follow `now` (NULL: is it fit to be the first)? SIGNATURE, APPROVAL, STATE. A person
 * in out[] is an index in next; TRUST_NOBODY for one whom only `now` knows. */
MUST_USE struct result trust_follow(const struct trust *now, const struct trust *next,
                                    const struct bundle *b,
                                    struct trust_signed out[TRUST_SIGNATURES_MAX],
                                    struct trail *tr);
const char *trust_role_name(uint32_t role); /* "operator" */
uint32_t trust_role_by_name(const char *name);
#endif
