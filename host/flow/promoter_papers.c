/* SPDX-License-Identifier: Apache-2.0
 *
 * The two papers that are no deployments: the next trust document, and a request of several people.
 * Both are counted and put on record here, and take effect by their record: TRUST, REQUEST. One
 * that is refused leaves a record too, since an attempt is worth knowing.
 */
#include "flow/promoter_priv.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "base/must.h"

static void take_hash(struct promoter_job *j)
{
    const struct bundle_part *file = &j->ask->bundle->file;
    hash_sha256_once(file->bytes, file->count, j->sha256);
}

/* ---- trust ---- */

static struct result check_size(struct promoter_job *j)
{
    const struct bundle_part *file = &j->ask->bundle->file;
    if (file->count <= DEPLOY_FILE_MAX_BYTES)
        return OK_RESULT;
    return FAIL(&j->tr, TOO_LARGE,
                "%s: has %zu bytes, at most %d are taken, and nothing of it was read; make it "
                "smaller",
                file->name, file->count, (int)DEPLOY_FILE_MAX_BYTES);
}

static struct result follow(struct promoter_job *j, struct trust *next,
                            struct trust_signed sign[TRUST_SIGNATURES_MAX])
{
    const struct bundle *b = j->ask->bundle;
    const struct trust *now = j->ask->trust.version > 0 ? &j->ask->trust : NULL;
    TRY(check_size(j));
    TRY(trust_parse(b->file.bytes, b->file.count, b->file.name, next, &j->tr));
    j->serial = next->version;
    if (strcmp(next->host, j->ask->host) != 0)
        return FAIL(&j->tr, CONFIG, "%s: is for the host %s, and this one is %s; write host: %s",
                    b->file.name, next->host, j->ask->host, j->ask->host);
    return trust_follow(now, next, b, sign, &j->tr);
}

static void say_trust(struct promoter_job *j, const struct trust *next,
                      const struct trust_signed *sign)
{
    char text[TRAIL_TEXT_BYTES], people[192];
    struct fact_trust f = {.version = next->version,
                           .wall_ns = j->wall_ns,
                           .people = next->people_count,
                           .throwaway = next->is_throwaway};
    memcpy(f.sha256, j->sha256, sizeof f.sha256);
    promoter_say_text(j, FACT_TEXT_TRUST);
    promoter_say_signatures(j, FACT_TEXT_TRUST, sign, j->ask->bundle->signature_count);
    promoter_say(j, FACT_TRUST, 0, &f);
    promoter_people(sign, j->ask->bundle->signature_count, people, sizeof people);
    snprintf(text, sizeof text, "trust document %lu of %u people is in force, signed by %s",
             (unsigned long)next->version, next->people_count, people);
    promoter_end(j, PROMOTER_DONE, text);
}

void promoter_trust(struct promoter_job *j)
{
    struct trust *next = calloc(1, sizeof *next);
    struct trust_signed *sign = calloc(TRUST_SIGNATURES_MAX, sizeof *sign);
    must(next != NULL && sign != NULL);
    take_hash(j);
    struct result r = follow(j, next, sign);
    if (is_ok(r))
        say_trust(j, next, sign);
    else
        promoter_refuse(j, r);
    free(sign);
    free(next);
}

/* ---- requests ---- */

/* The core's id of the scope's name; what is gone cannot be asked for. */
static struct result find_scope(struct promoter_job *j, const struct vet_request *q, uint32_t *id)
{
    const struct stage_names *n = &j->ask->names;
    *id = 0;
    if (q->scope == MODE_SCOPE_GLOBAL)
        return OK_RESULT;
    const bool is_account = q->scope == MODE_SCOPE_ACCOUNT;
    const uint32_t count = is_account ? n->account_count : n->instance_count;
    for (uint32_t i = 0; i < count && *id == 0; i++) {
        const char *name = is_account ? n->account[i] : n->instance[i].name;
        const bool is_there = is_account || !n->instance[i].is_removed;
        if (is_there && strncmp(name, q->scope_name, FACT_NAME_BYTES) == 0)
            *id = i + 1;
    }
    if (*id != 0)
        return OK_RESULT;
    return FAIL(&j->tr, UNKNOWN_NAME, "%s: scope: this host has no %s %s; tenon status lists them",
                j->ask->bundle->file.name, is_account ? "account" : "strategy", q->scope_name);
}

/* Distinct people, and their names. */
static uint32_t count_people(const struct vet_request *q, char out[FACT_TEXT_BYTES])
{
    uint32_t people = 0;
    size_t at = 0;
    out[0] = 0;
    for (uint32_t i = 0; i < q->signed_count; i++) {
        bool is_again = false;
        for (uint32_t k = 0; k < i && !is_again; k++)
            is_again = q->sign[k].person == q->sign[i].person;
        if (is_again)
            continue;
        if (at < FACT_TEXT_BYTES)
            at += (size_t)snprintf(out + at, FACT_TEXT_BYTES - at, "%s%s", people > 0 ? ", " : "",
                                   q->sign[i].name);
        people++;
    }
    return people;
}

static struct result check_request(struct promoter_job *j, struct vet_request *q, uint32_t *id)
{
    const struct promoter_ask *a = j->ask;
    struct vet_now now = {.trust = &a->trust,
                          .host = a->host,
                          .doc = a->doc,
                          .serial = a->serial,
                          .wall_ns = j->wall_ns,
                          .event_ns = a->event_ns};
    memcpy(now.sha256, a->sha256, sizeof now.sha256);
    TRY(vet_request(a->bundle, &now, q, &j->tr));
    if (a->is_used)
        return FAIL(&j->tr, STATE,
                    "%s: was used before, and a request counts once; write a new one with tenon "
                    "risk resume --out FILE and have it signed",
                    a->bundle->file.name);
    return find_scope(j, q, id);
}

static void say_request(struct promoter_job *j, const struct vet_request *q, uint32_t id)
{
    char text[TRAIL_TEXT_BYTES];
    struct fact_request f = {.scope = q->scope, .id = id, .mode = q->mode, .wall_ns = j->wall_ns};
    memcpy(f.sha256, j->sha256, sizeof f.sha256);
    memcpy(f.reason, q->reason, sizeof f.reason);
    f.people = count_people(q, f.by);
    promoter_say_text(j, FACT_TEXT_REQUEST);
    promoter_say_signatures(j, FACT_TEXT_REQUEST, q->sign, q->signed_count);
    promoter_say(j, FACT_REQUEST, 0, &f);
    snprintf(text, sizeof text, "the request of %u people (%s) is in force: %s", f.people, f.by,
             f.reason);
    promoter_end(j, PROMOTER_DONE, text);
}

void promoter_request(struct promoter_job *j)
{
    struct vet_request *q = calloc(1, sizeof *q);
    uint32_t id = 0;
    must(q != NULL);
    take_hash(j);
    struct result r = check_request(j, q, &id);
    if (is_ok(r))
        say_request(j, q, id);
    else
        promoter_refuse(j, r);
    free(q);
}
