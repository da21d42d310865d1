/* SPDX-License-Identifier: Apache-2.0
 *
 * See trust_match.h. Augmenting paths, breadth first: for each place, look for a person who fits,
 * or whose place somebody else could take, and so on; a chain that ends at a free person moves
 * everybody on it by one place. A filled place never becomes empty again, so the places at the
 * front are filled first and the sentence names the last ones as missing. At most 128 places and
 * 32 people: no cleverer algorithm is worth its lines.
 */
#include "deploy/trust_match.h"
#include <stdio.h>
#include <string.h>
#include "base/must.h"

void trust_places_add(struct trust_places *p, uint32_t roles, uint32_t count)
{
    must(roles != 0 && count <= TRUST_PLACES_MAX - p->count);
    for (uint32_t i = 0; i < count; i++) {
        p->place[p->count].roles = roles;
        p->place[p->count].person = TRUST_NOBODY;
        p->count++;
    }
}

struct search {
    uint32_t holds[TRUST_PEOPLE_MAX]; /* the person's place, or TRUST_NOBODY */
    uint32_t via[TRUST_PEOPLE_MAX];   /* the place that reached the person in this search */
    bool seen[TRUST_PEOPLE_MAX];
    uint32_t queue[TRUST_PEOPLE_MAX + 1];
    uint32_t head, tail;
};

/* Everybody on the way from `last` back to `start` takes the place that reached him. */
static void shift(struct trust_places *p, struct search *s, uint32_t last, uint32_t start)
{
    uint32_t person = last, at;
    do {
        at = s->via[person];
        uint32_t before = p->place[at].person;
        p->place[at].person = person;
        s->holds[person] = at;
        person = before;
    } while (at != start);
}

static bool fill(struct trust_places *p, struct search *s, const uint32_t *roles, uint32_t people,
                 uint32_t start)
{
    memset(s->seen, 0, sizeof(s->seen));
    s->head = s->tail = 0;
    s->queue[s->tail++] = start;
    while (s->head < s->tail) {
        uint32_t at = s->queue[s->head++];
        for (uint32_t q = 0; q < people; q++) {
            if (s->seen[q] || (roles[q] & p->place[at].roles) == 0)
                continue;
            s->seen[q] = true;
            s->via[q] = at;
            if (s->holds[q] == TRUST_NOBODY) {
                shift(p, s, q, start);
                return true;
            }
            s->queue[s->tail++] = s->holds[q];
        }
    }
    return false;
}

uint32_t trust_match(struct trust_places *p, const uint32_t *roles, uint32_t people)
{
    struct search s;
    uint32_t filled = 0;
    must(people <= TRUST_PEOPLE_MAX);
    for (uint32_t q = 0; q < TRUST_PEOPLE_MAX; q++)
        s.holds[q] = TRUST_NOBODY;
    for (uint32_t i = 0; i < p->count; i++) {
        must(p->place[i].person == TRUST_NOBODY);
        filled += fill(p, &s, roles, people, i);
    }
    return filled;
}

static void role_words(uint32_t roles, char out[64])
{
    size_t used = 0;
    out[0] = 0;
    for (uint32_t bit = 1; bit <= TRUST_RISK; bit <<= 1)
        if (roles & bit)
            used += (size_t)snprintf(out + used, 64 - used, "%s%s", used > 0 ? " or " : "",
                                     trust_role_name(bit));
}

void trust_places_words(const struct trust_places *p, char out[96])
{
    size_t used = 0;
    out[0] = 0;
    for (uint32_t i = 0, n; i < p->count && used < 96; i += n) {
        char role[64];
        for (n = 1; i + n < p->count && p->place[i + n].roles == p->place[i].roles;)
            n++;
        role_words(p->place[i].roles, role);
        used += (size_t)snprintf(out + used, 96 - used, "%s%s %u", used > 0 ? ", " : "", role, n);
    }
}

/* "ana, bo or eve"; who is already counted cannot fill another place. */
static void who_could(const struct trust *t, const struct trust_places *p, uint32_t roles,
                      char *out, size_t bytes)
{
    uint32_t who[TRUST_PEOPLE_MAX], count = 0;
    size_t used = 0;
    for (uint32_t q = 0; q < t->people_count; q++) {
        bool counted = false;
        for (uint32_t i = 0; i < p->count && !counted; i++)
            counted = p->place[i].person == q;
        if (!counted && (t->person[q].roles & roles))
            who[count++] = q;
    }
    snprintf(out, bytes, "nobody else has that role");
    for (uint32_t i = 0; i < count && used < bytes; i++)
        used += (size_t)snprintf(out + used, bytes - used, "%s%s",
                                 i == 0           ? ""
                                 : i + 1 == count ? " or "
                                                  : ", ",
                                 t->person[who[i]].name);
}

void trust_missing(const struct trust *t, const struct trust_places *p, char *out, size_t bytes)
{
    size_t used = 0;
    must(bytes >= 8);
    out[0] = 0;
    for (uint32_t i = 0; i < p->count && used < bytes; i++) {
        uint32_t roles = p->place[i].roles, lacks = 0;
        char role[64], who[96];
        if (p->place[i].person != TRUST_NOBODY ||
            (i > 0 && p->place[i - 1].roles == roles && p->place[i - 1].person == TRUST_NOBODY))
            continue; /* filled, or said already */
        for (uint32_t k = i; k < p->count && p->place[k].roles == roles; k++)
            lacks += p->place[k].person == TRUST_NOBODY;
        role_words(roles, role);
        who_could(t, p, roles, who, sizeof(who));
        used += (size_t)snprintf(out + used, bytes - used, "%s%s %u (%s)", used > 0 ? ", " : "",
                                 role, lacks, who);
    }
    if (used >= bytes)
        memcpy(out + bytes - 4, "...", 4);
}
