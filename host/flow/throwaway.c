/* SPDX-License-Identifier: Apache-2.0
 *
 * See throwaway.h. Three people because what raises risk takes three: `maker` proposes, `checker`
 * agrees, `guard` allows the risk. What is signed is what any operator would sign: the composed
 * text, pins and all.
 */
#include "flow/throwaway.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "base/must.h"
#include "deploy/compose.h"
#include "flow/plant.h"

enum { MAKER, CHECKER, GUARD, PEOPLE };
#define VALID_NS (24 * 3600 * 1000000000ll)
#define SECOND_NS 1000000000ll

struct throwaway {
    const struct clock *clock;
    struct trust trust;
    struct sign_secret *secret[PEOPLE];
    struct bundle *document; /* the trust document, signed */
};

/* Every byte of it has the same length on every run: event numbers must not depend on the time. */
static struct result sign_as(const struct throwaway *t, struct bundle *b, uint32_t who,
                             uint32_t role, const char *kind, uint64_t serial, struct trail *tr)
{
    static const char *const name[PEOPLE] = {"maker", "checker", "guard"};
    char comment[SIGN_COMMENT_BYTES], when[CLOCK_TEXT_BYTES], text[SIGN_FILE_BYTES];
    char file[BUNDLE_NAME_BYTES], hex[HASH_HEX_BYTES];
    uint8_t sha256[FACT_HASH_BYTES];
    struct sign_file f;
    must(b->signature_count < BUNDLE_SIGNATURES_MAX);
    clock_print(clock_wall(t->clock), when);
    hash_sha256_once(b->file.bytes, b->file.count, sha256);
    hash_hex(sha256, hex);
    int n = snprintf(comment, sizeof comment,
                     "role=%s kind=%s host=%s serial=%lu sha256=%s signed=%.19sZ",
                     trust_role_name(role), kind, t->trust.host, (unsigned long)serial, hex, when);
    must(n > 0 && n < (int)sizeof comment);
    TRY(sign_make(t->secret[who], b->file.bytes, b->file.count, comment, &f, tr));
    size_t count = sign_print(&f, text);
    snprintf(file, sizeof file, "%.40s.%s.minisig", b->file.name, name[who]);
    bundle_set(&b->signature[b->signature_count++], file, text, count);
    return OK_RESULT;
}

static struct result make_trust(struct throwaway *t, const char *host, struct trail *tr)
{
    struct trust *d = &t->trust;
    char *text = NULL;
    d->version = 1;
    d->is_throwaway = true;
    d->need_root = d->need_author = d->need_operator = d->need_risk = 1;
    d->need_request = 2;
    d->people_count = d->key_count = PEOPLE;
    snprintf(d->host, sizeof d->host, "%s", host);
    snprintf(d->person[MAKER].name, FACT_NAME_BYTES, "maker");
    snprintf(d->person[CHECKER].name, FACT_NAME_BYTES, "checker");
    snprintf(d->person[GUARD].name, FACT_NAME_BYTES, "guard");
    d->person[MAKER].roles = TRUST_AUTHOR;
    d->person[CHECKER].roles = TRUST_OPERATOR | TRUST_ROOT;
    d->person[GUARD].roles = TRUST_RISK;
    struct result r = OK_RESULT;
    for (uint32_t i = 0; i < PEOPLE && is_ok(r); i++) {
        r = sign_secret_new(&t->secret[i], tr);
        if (is_ok(r))
            d->key[i].key = *sign_secret_public(t->secret[i]);
        d->key[i].person = i;
    }
    if (!is_ok(r))
        return r;
    TRY(trust_print(d, &text, tr));
    t->document = bundle_new();
    bundle_set(&t->document->file, "throwaway-trust.yaml", text, strlen(text));
    free(text);
    return sign_as(t, t->document, CHECKER, TRUST_ROOT, "trust", 1, tr);
}

struct result throwaway_new(const char *host, const struct clock *clock, struct throwaway **out,
                            struct trail *tr)
{
    *out = NULL;
    struct throwaway *t = calloc(1, sizeof *t);
    must(t != NULL);
    t->clock = clock;
    struct result r = make_trust(t, host, tr);
    if (is_ok(r))
        *out = t;
    else
        throwaway_free(t);
    return r;
}

void throwaway_free(struct throwaway *t)
{
    if (t == NULL)
        return;
    for (uint32_t i = 0; i < PEOPLE; i++)
        sign_secret_free(t->secret[i]);
    bundle_free(t->document);
    free(t);
}

const struct bundle *throwaway_trust(const struct throwaway *t)
{
    return t->document;
}

struct result throwaway_sign(const struct throwaway *t, const char *text, size_t count,
                             const char *name, uint64_t serial, struct bundle **out,
                             struct trail *tr)
{
    struct bundle *b = bundle_new();
    *out = NULL;
    bundle_set(&b->file, name, text, count);
    struct result r = sign_as(t, b, MAKER, TRUST_AUTHOR, "deployment", serial, tr);
    if (is_ok(r))
        r = sign_as(t, b, CHECKER, TRUST_OPERATOR, "deployment", serial, tr);
    if (is_ok(r))
        r = sign_as(t, b, GUARD, TRUST_RISK, "deployment", serial, tr);
    if (is_ok(r))
        *out = b;
    else
        bundle_free(b);
    return r;
}

static struct result pin(void *arg, const char *plugin, const char *version, const char *path,
                         uint8_t sha256[FACT_HASH_BYTES], struct trail *tr)
{
    char file[DEPLOY_PATH_BYTES];
    struct bay_facts facts;
    if (path != NULL && path[0] != 0)
        snprintf(file, sizeof file, "%s", path);
    else
        TRY(plant_find(arg, plugin, version, file, tr));
    TRY(bay_read_facts(file, &facts, tr));
    memcpy(sha256, facts.sha256, FACT_HASH_BYTES);
    return OK_RESULT;
}

struct result throwaway_propose(const struct throwaway *t, const struct throwaway_ask *a,
                                struct bundle **out, struct trail *tr)
{
    int64_t now = clock_wall(t->clock) / SECOND_NS * SECOND_NS;
    struct compose_head head = {.serial = a->serial,
                                .not_before_ns = now,
                                .expires_ns = now + VALID_NS,
                                .host = t->trust.host};
    char *text = NULL;
    if (a->parent != NULL)
        memcpy(head.parent, a->parent, sizeof head.parent);
    *out = NULL;
    TRY(compose_proposal(a->path, a->instruments, a->symbol, &head, pin,
                         (void *)(uintptr_t)a->plugin_dir, &text, tr));
    struct result r = throwaway_sign(t, text, strlen(text), a->path, a->serial, out, tr);
    free(text);
    return r;
}
