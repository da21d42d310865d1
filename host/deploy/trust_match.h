/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside deploy/: people into places. A place takes one person who has one of its roles; a person
 * fills one place. That is bipartite matching, and it has to be: who counts "ana for author, then
 * bo for operator" in file order finds a free place missing where another order has none.
 *
 * Pure; no heap.
 */
#ifndef DEPLOY_TRUST_MATCH_H
#define DEPLOY_TRUST_MATCH_H
#include "deploy/trust.h"

enum { TRUST_PLACES_MAX = 4 * TRUST_PEOPLE_MAX };
struct trust_places {
    uint32_t count;
    struct {
        uint32_t roles;  /* bits that fit */
        uint32_t person; /* TRUST_NOBODY: not filled */
    } place[TRUST_PLACES_MAX];
};
/* `count` more places for these roles. */
void trust_places_add(struct trust_places *p, uint32_t roles, uint32_t count);
/* As many places as can be filled; roles[person] are the bits each of `people` offers. Gives how
 * many are filled. */
uint32_t trust_match(struct trust_places *p, const uint32_t *roles, uint32_t people);
/* "author 1, operator 2": all places. */
void trust_places_words(const struct trust_places *p, char out[96]);
/* "operator 1 (bo or eve), risk 2 (eve)": the places not filled, and who of `t` still could. */
void trust_missing(const struct trust *t, const struct trust_places *p, char *out, size_t bytes);
#endif
