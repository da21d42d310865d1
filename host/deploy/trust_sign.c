/* SPDX-License-Identifier: Apache-2.0
 *
 * Who signed. Verifying and counting (trust_count.c) are apart: a signature is good or the whole
 * bundle is refused, whoever else signed; only then people are counted.
 * A signature that is not good is never merely left out: somebody put it there, and an operator who
 * sees "2 of 3" would look for the third instead of at the one that does not fit.
 *
 * The trusted comment says what the signer meant (role, kind, host), and it is covered by the key's
 * second signature; so a signature made as author is not one of an operator, one over a request is
 * none over a deployment, and one for another host is worth nothing here. It is read only after the
 * signature was found good, except for the SHA-256 in it, which serves a better sentence when the
 * signature is not.
 *
 * Versions of the trust document: each signature must count for the old or the new one, and each of
 * both counts its own people (DESIGN section 5). A key that is revoked by the new one still counts
 * for the old one: otherwise a lost root key could not be replaced by its own owner.
 */
#include <stdio.h>
#include <string.h>
#include "base/hash.h"
#include "base/must.h"
#include "deploy/trust.h"

static_assert((int)TRUST_SIGNATURES_MAX == (int)BUNDLE_SIGNATURES_MAX, "one row per signature");

struct one { /* a signature while it is looked at */
    const struct bundle *b;
    const struct bundle_part *part;
    struct sign_file file;
    char id[SIGN_ID_TEXT];
    uint8_t sha256[HASH_SHA256_BYTES]; /* of the bundle's file */
};

/* The roles of a person in words: "author, operator". */
static void roles_of(uint32_t roles, char out[64])
{
    size_t used = 0;
    out[0] = 0;
    for (uint32_t bit = 1; bit <= TRUST_RISK; bit <<= 1)
        if (roles & bit)
            used += (size_t)snprintf(out + used, 64 - used, "%s%s", used > 0 ? ", " : "",
                                     trust_role_name(bit));
}

static struct result refuse_key(const struct one *o, const struct trust *t, uint32_t key,
                                struct trail *tr)
{
    if (key != TRUST_NOBODY)
        return FAIL(tr, SIGNATURE,
                    "%s: the key %s was revoked by the trust document (version %llu); have it "
                    "signed with a key that is not",
                    o->part->name, o->id, (unsigned long long)t->version);
    return FAIL(tr, SIGNATURE,
                "%s: the key %s is nobody's in the trust document of %s (version %llu); have it "
                "signed by somebody listed there",
                o->part->name, o->id, t->host, (unsigned long long)t->version);
}

/* The signature is bad: say whether the file is another one than the comment names. */
static struct result refuse_bytes(const struct one *o, const char *person, struct trail *tr)
{
    char hex[HASH_HEX_BYTES], have[HASH_HEX_BYTES];
    uint8_t named[HASH_SHA256_BYTES];
    bool says =
        sign_comment_get(o->file.comment, "sha256", hex, sizeof(hex)) && hash_from_hex(hex, named);
    hash_hex(o->sha256, have);
    if (says && memcmp(named, o->sha256, sizeof(named)) != 0)
        return FAIL(tr, SIGNATURE,
                    "%s: %s (key %s) signed a file with SHA-256 %.12s..., and %s has %.12s...: it "
                    "was changed since, or the signature is of another file; have this one signed",
                    o->part->name, person, o->id, hex, o->b->file.name, have);
    return FAIL(tr, SIGNATURE,
                "%s: is no signature by %s (key %s) over %s: signature, comment or file was "
                "changed; have the file signed again",
                o->part->name, person, o->id, o->b->file.name);
}

/* Good by this key, of this kind and for this host. */
static struct result check_one(const struct one *o, const struct sign_public *key,
                               const char *person, const char *kind, const char *host,
                               struct trail *tr)
{
    char word[FACT_NAME_BYTES];
    if (!is_ok(sign_verify(&o->file, key, o->b->file.bytes, o->b->file.count, o->part->name, NULL)))
        return refuse_bytes(o, person, tr);
    if (!sign_comment_get(o->file.comment, "kind", word, sizeof(word)))
        return FAIL(tr, SIGNATURE,
                    "%s: %s's signature does not say what it is for (its trusted comment has no "
                    "role=, kind= and host=); sign with tenon config sign",
                    o->part->name, person);
    if (strcmp(word, kind) != 0)
        return FAIL(tr, SIGNATURE,
                    "%s: %s signed it as a %s, and it is taken as a %s; have it signed as what it "
                    "is",
                    o->part->name, person, word, kind);
    if (!sign_comment_get(o->file.comment, "host", word, sizeof(word)) || strcmp(word, host) != 0)
        return FAIL(tr, SIGNATURE,
                    "%s: %s did not sign it for the host %s; a signature is good for one host, "
                    "have it signed for this one",
                    o->part->name, person, host);
    return OK_RESULT;
}

/* The role in the comment, which this person has. */
static struct result take_role(const struct one *o, const struct trust *t, uint32_t person,
                               uint32_t *out, struct trail *tr)
{
    char word[FACT_NAME_BYTES] = "", has[64];
    bool says = sign_comment_get(o->file.comment, "role", word, sizeof(word));
    *out = says ? trust_role_by_name(word) : TRUST_ROLE_UNSET;
    roles_of(t->person[person].roles, has);
    if (!says || *out == TRUST_ROLE_UNSET)
        return FAIL(tr, SIGNATURE,
                    "%s: %s's signature names no role of ours (root, author, operator, risk); sign "
                    "with tenon config sign --role",
                    o->part->name, t->person[person].name);
    if ((t->person[person].roles & *out) == 0)
        return FAIL(tr, SIGNATURE,
                    "%s: %s signed as %s and has the roles %s; have it signed by somebody who has "
                    "that role",
                    o->part->name, t->person[person].name, word, has);
    return OK_RESULT;
}

static struct result open_one(struct one *o, const struct bundle *b, uint32_t i, struct trail *tr)
{
    o->b = b;
    o->part = &b->signature[i];
    struct result r = sign_parse(o->part->bytes, o->part->count, o->part->name, &o->file, tr);
    if (!is_ok(r))
        return FAIL_AS(tr, RESULT_OF(SIGNATURE), "%s: is no signature file", o->part->name);
    sign_id_text(o->file.id, o->id);
    return OK_RESULT;
}

static struct result has_any(const struct bundle *b, struct trail *tr)
{
    if (b->signature_count > 0)
        return OK_RESULT;
    return FAIL(
        tr, SIGNATURE,
        "%s: is not signed: there is no %.40s*.minisig beside it; sign it with tenon config "
        "sign",
        b->file.name, b->file.name);
}

static struct result verify_one(const struct trust *t, struct one *o, const char *kind,
                                struct trust_signed *out, struct trail *tr)
{
    uint32_t key = trust_key(t, o->file.id), person;
    if (key == TRUST_NOBODY || t->key[key].is_revoked)
        return refuse_key(o, t, key, tr);
    person = t->key[key].person;
    TRY(check_one(o, &t->key[key].key, t->person[person].name, kind, t->host, tr));
    TRY(take_role(o, t, person, &out->role, tr));
    out->file = o->file;
    out->person = person;
    memcpy(out->name, t->person[person].name, sizeof(out->name));
    return OK_RESULT;
}

struct result trust_verify(const struct trust *t, const struct bundle *b, const char *kind,
                           struct trust_signed out[TRUST_SIGNATURES_MAX], struct trail *tr)
{
    struct one o;
    TRY(has_any(b, tr));
    must(b->signature_count <= TRUST_SIGNATURES_MAX);
    hash_sha256_once(b->file.bytes, b->file.count, o.sha256);
    struct result r = OK_RESULT;
    for (uint32_t i = 0; i < b->signature_count && is_ok(r); i++) {
        r = open_one(&o, b, i, tr);
        if (is_ok(r))
            r = verify_one(t, &o, kind, &out[i], tr);
    }
    return r;
}

/* ---- versions ---- */

static struct result follows(const struct trust *now, const struct trust *next, const char *name,
                             struct trail *tr)
{
    static const uint8_t zeros[FACT_HASH_BYTES];
    uint64_t want = now != NULL ? now->version + 1 : 1;
    char is[HASH_HEX_BYTES], was[HASH_HEX_BYTES];
    const uint8_t *parent = now != NULL ? now->sha256 : zeros;
    hash_hex(next->parent, is);
    hash_hex(parent, was);
    if (now != NULL && strcmp(now->host, next->host) != 0)
        return FAIL(tr, STATE, "%s: is for the host %s, and this one is %s; write it for this host",
                    name, next->host, now->host);
    if (now != NULL && now->is_throwaway != next->is_throwaway)
        return FAIL(tr, STATE,
                    "%s: throwaway keys and kept keys never follow each other; begin a new journal "
                    "with the kept ones",
                    name);
    if (next->version != want)
        return FAIL(tr, STATE,
                    "%s: is version %llu, and version %llu comes next; none is left out or used "
                    "again",
                    name, (unsigned long long)next->version, (unsigned long long)want);
    if (memcmp(next->parent, parent, FACT_HASH_BYTES) != 0)
        return FAIL(tr, STATE,
                    "%s: its parent is %.12s..., and the version before it has SHA-256 %.12s...; "
                    "write it from that one",
                    name, is, was);
    return OK_RESULT;
}

struct tally { /* signatures as one document counts them */
    const struct trust *t;
    uint32_t count;
    struct trust_signed s[TRUST_SIGNATURES_MAX];
};

/* A good signature is in the tally of each document that has its key and role. */
static struct result tally_one(struct tally *old, struct tally *new, struct one *o,
                               struct trust_signed *out, struct trail *tr)
{
    struct trail by_old = {0};
    struct trust_signed a, b;
    bool in_old = old->t != NULL && is_ok(verify_one(old->t, o, "trust", &a, &by_old)) &&
                  a.role == TRUST_ROOT;
    struct trail by_new = {0};
    struct result r = verify_one(new->t, o, "trust", &b, &by_new);
    bool in_new = is_ok(r) && b.role == TRUST_ROOT;
    if (in_old)
        old->s[old->count++] = a;
    if (in_new)
        new->s[new->count++] = b;
    if (in_new || in_old) {
        *out = in_new ? b : a;
        if (!in_new)
            out->person = TRUST_NOBODY;
        return OK_RESULT;
    }
    if (is_ok(r))
        return FAIL(tr, SIGNATURE,
                    "%s: %s signed as %s, and a trust document is signed as root; sign it again "
                    "with --role root",
                    o->part->name, b.name, trust_role_name(b.role));
    return FAIL(tr, SIGNATURE, "%s", trail_sentence(&by_new, r));
}

static struct result enough_roots(const struct tally *y, const char *name, struct trail *tr)
{
    char missing[160], repeats[96];
    const struct trust_need need = {.root = y->t->need_root};
    if (trust_count(y->t, y->s, y->count, &need, missing, sizeof(missing)))
        return OK_RESULT;
    trust_repeats(y->s, y->count, repeats, sizeof(repeats));
    return FAIL(tr, APPROVAL, "%s: signatures are missing, as version %llu counts them: %s%s", name,
                (unsigned long long)y->t->version, missing, repeats);
}

struct result trust_follow(const struct trust *now, const struct trust *next,
                           const struct bundle *b, struct trust_signed out[TRUST_SIGNATURES_MAX],
                           struct trail *tr)
{
    struct one o;
    struct tally old = {.t = now}, new = {.t = next};
    struct result r = OK_RESULT;
    TRY(has_any(b, tr));
    must(b->signature_count <= TRUST_SIGNATURES_MAX);
    hash_sha256_once(b->file.bytes, b->file.count, o.sha256);
    for (uint32_t i = 0; i < b->signature_count && is_ok(r); i++) {
        r = open_one(&o, b, i, tr);
        if (is_ok(r))
            r = tally_one(&old, &new, &o, &out[i], tr);
    }
    TRY(r);
    TRY(follows(now, next, b->file.name, tr));
    if (now != NULL)
        TRY(enough_roots(&old, b->file.name, tr));
    return enough_roots(&new, b->file.name, tr);
}
