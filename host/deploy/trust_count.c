/* SPDX-License-Identifier: Apache-2.0
 *
 * Is it enough: people who signed into the places that a change has (trust_match.h), and, with the
 * same places, whether the people listed could fill them at all. One counting for both, so that a
 * document which is taken can also be acted on.
 */
#include <stdio.h>
#include <string.h>
#include "base/must.h"
#include "deploy/trust_match.h"

static bool count_into(const struct trust *t, struct trust_places *p, const struct trust_signed *s,
                       uint32_t count, char *missing, size_t bytes)
{
    uint32_t roles[TRUST_PEOPLE_MAX] = {0};
    for (uint32_t i = 0; i < count; i++) {
        must(s[i].person < t->people_count);
        roles[s[i].person] |= s[i].role;
    }
    bool is_met = trust_match(p, roles, t->people_count) == p->count;
    trust_missing(t, p, missing, bytes);
    return is_met;
}

bool trust_count(const struct trust *t, const struct trust_signed *s, uint32_t count,
                 const struct trust_need *need, char *missing, size_t bytes)
{
    struct trust_places p = {.count = 0};
    trust_places_add(&p, TRUST_AUTHOR, need->author);
    trust_places_add(&p, TRUST_OPERATOR, need->operator);
    trust_places_add(&p, TRUST_RISK, need->risk);
    trust_places_add(&p, TRUST_ROOT, need->root);
    return count_into(t, &p, s, count, missing, bytes);
}

static void request_places(struct trust_places *p, uint32_t need)
{
    must(need >= 2);
    trust_places_add(p, TRUST_RISK, 1);
    trust_places_add(p, TRUST_OPERATOR | TRUST_RISK, need - 1);
}

bool trust_count_request(const struct trust *t, const struct trust_signed *s, uint32_t count,
                         char *missing, size_t bytes)
{
    struct trust_places p = {.count = 0};
    request_places(&p, t->need_request);
    return count_into(t, &p, s, count, missing, bytes);
}

void trust_repeats(const struct trust_signed *s, uint32_t count, char *out, size_t bytes)
{
    uint32_t most = 0, times = 0;
    must(bytes > 0);
    out[0] = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t n = 0;
        for (uint32_t k = 0; k < count; k++)
            n += s[k].person == s[i].person;
        if (n > times) {
            times = n;
            most = i;
        }
    }
    if (times > 1)
        snprintf(out, bytes, "; %s signed %u times and counts once", s[most].name, times);
}

static bool can_fill(const struct trust *t, struct trust_places *p, const char *what, char *why,
                     size_t bytes)
{
    uint32_t roles[TRUST_PEOPLE_MAX];
    char places[96];
    for (uint32_t i = 0; i < t->people_count; i++)
        roles[i] = t->person[i].roles;
    trust_places_words(p, places);
    uint32_t filled = trust_match(p, roles, t->people_count);
    if (filled == p->count)
        return true;
    snprintf(why, bytes,
             "%s takes %u different %s (%s), and the people listed fill %u of these places; %s, "
             "because nobody approves alone what moves money",
             what, p->count, p->count == 1 ? "person" : "people", places, filled,
             t->people_count == 1 ? "a second person is needed" : "list one more");
    return false;
}

struct trust_need trust_need_of(const struct trust *t, bool raises, bool only_tightens)
{
    if (only_tightens)
        return (struct trust_need){.operator= 1 };
    uint32_t risk = raises ? t->need_risk : 0;
    return (struct trust_need){.author = t->need_author,
                               .operator= t->need_operator> risk ? t->need_operator - risk : 0,
                               .risk = risk};
}

bool trust_is_enough(const struct trust *t, char *why, size_t bytes)
{
    struct trust_places root = {.count = 0}, live = {.count = 0}, more = {.count = 0},
                        request = {.count = 0};
    why[0] = 0;
    trust_places_add(&root, TRUST_ROOT, t->need_root);
    trust_places_add(&live, TRUST_AUTHOR, t->need_author);
    trust_places_add(&live, TRUST_OPERATOR, t->need_operator);
    struct trust_need raising = trust_need_of(t, true, false);
    trust_places_add(&more, TRUST_AUTHOR, raising.author);
    trust_places_add(&more, TRUST_OPERATOR, raising.operator);
    trust_places_add(&more, TRUST_RISK, raising.risk);
    request_places(&request, t->need_request);
    return can_fill(t, &root, "changing this document", why, bytes) &&
           can_fill(t, &live, "a deployment", why, bytes) &&
           can_fill(t, &more, "a deployment that raises risk", why, bytes) &&
           can_fill(t, &request, "lifting a kill", why, bytes);
}
