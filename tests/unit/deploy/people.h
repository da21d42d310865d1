/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of trust and vetting share: people with real keys, a trust document that lists
 * them, and bundles that they sign. Keys are new in each run; nothing depends on which they are.
 */
#ifndef TESTS_DEPLOY_PEOPLE_H
#define TESTS_DEPLOY_PEOPLE_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/bundle.h"
#include "base/hash.h"
#include "deploy/trust.h"

/* ANA2 is ana's second key, OLD a revoked one, MALLORY's is in no document. */
enum people_key { ANA, BO, EVE, ANA2, OLD, MALLORY, PEOPLE_KEYS };
static struct sign_secret *people_secret[PEOPLE_KEYS];
static char people_public[PEOPLE_KEYS][SIGN_PUBLIC_TEXT];
static char people_id[PEOPLE_KEYS][SIGN_ID_TEXT];

__attribute__((unused)) static int people_setup(void **state)
{
    (void)state;
    struct trail tr = {0};
    for (int i = 0; i < PEOPLE_KEYS; i++) {
        if (!is_ok(sign_secret_new(&people_secret[i], &tr)))
            return -1;
        sign_public_text(sign_secret_public(people_secret[i]), people_public[i]);
        sign_id_text(sign_secret_public(people_secret[i])->id, people_id[i]);
    }
    return 0;
}

__attribute__((unused)) static int people_teardown(void **state)
{
    (void)state;
    for (int i = 0; i < PEOPLE_KEYS; i++)
        sign_secret_free(people_secret[i]);
    return 0;
}

/* `form` with every $ANA, $BO, $EVE, $ANA2, $OLD, $MALLORY replaced by that public key. Heap. */
__attribute__((unused)) static char *people_fill(const char *form)
{
    static const char *const name[] = {"$ANA", "$BO", "$EVE", "$ANA2", "$OLD", "$MALLORY"};
    static const int longest_first[] = {ANA2, MALLORY, ANA, BO, EVE, OLD};
    char *out = calloc(1, strlen(form) + 64 * SIGN_PUBLIC_TEXT);
    assert_non_null(out);
    size_t used = 0;
    while (*form != 0) {
        int found = -1;
        for (int k = 0; k < PEOPLE_KEYS && found < 0; k++)
            if (strncmp(form, name[longest_first[k]], strlen(name[longest_first[k]])) == 0)
                found = longest_first[k];
        if (found < 0) {
            out[used++] = *form++;
            continue;
        }
        used += (size_t)sprintf(out + used, "%s", people_public[found]);
        form += strlen(name[found]);
    }
    return out;
}

/* The first `from` of the form replaced by `to`. Heap. */
__attribute__((unused)) static char *people_changed(const char *form, const char *from,
                                                    const char *to)
{
    const char *at = strstr(form, from);
    assert_non_null(at);
    char *out = calloc(1, strlen(form) + strlen(to) + 1);
    assert_non_null(out);
    memcpy(out, form, (size_t)(at - form));
    strcat(out, to);
    strcat(out, at + strlen(from));
    return out;
}

#define PEOPLE_ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define PEOPLE_HEAD                                                                                \
    "schema: 1\nkind: trust\nhost: lab\nversion: 1\nparent: \"" PEOPLE_ZEROS "\"\n"                \
    "thresholds: {root: 1, author: 1, operator: 1, risk: 1, request: 2}\n"
#define PEOPLE_LIST                                                                                \
    "people:\n"                                                                                    \
    "  ana: {roles: [author, operator], keys: [\"$ANA\", \"$ANA2\"]}\n"                            \
    "  bo: {roles: [operator, risk, root], keys: [\"$BO\"]}\n"                                     \
    "  eve: {roles: [operator, risk], keys: [\"$EVE\"]}\n"
#define PEOPLE_TRUST PEOPLE_HEAD PEOPLE_LIST "revoked: [\"$OLD\"]\n"

__attribute__((unused)) static struct trust people_trust(const char *form)
{
    struct trust t;
    struct trail tr = {0};
    char *text = people_fill(form);
    struct result r = trust_parse(text, strlen(text), "trust.yaml", &t, &tr);
    if (!is_ok(r))
        fail_msg("%s", trail_sentence(&tr, r));
    free(text);
    return t;
}

__attribute__((unused)) static struct bundle *people_bundle(const char *name, const char *text)
{
    struct bundle *b = bundle_new();
    bundle_set(&b->file, name, text, strlen(text));
    return b;
}

/* Adds key's signature over `bytes`; the comment is as tenon config sign writes it. */
__attribute__((unused)) static void people_sign_as(struct bundle *b, enum people_key key,
                                                   const char *bytes, const char *words)
{
    struct sign_file f;
    struct trail tr = {0};
    uint8_t sha256[HASH_SHA256_BYTES];
    char hex[HASH_HEX_BYTES], comment[SIGN_COMMENT_BYTES + 64], text[SIGN_FILE_BYTES], name[64];
    hash_sha256_once(bytes, strlen(bytes), sha256);
    hash_hex(sha256, hex);
    snprintf(comment, sizeof comment, "%s sha256=%s", words, hex);
    assert_true(is_ok(
        sign_make(people_secret[key], bytes, strlen(bytes), words[0] ? comment : "x", &f, &tr)));
    size_t count = sign_print(&f, text);
    snprintf(name, sizeof name, "%.40s.%u.minisig", b->file.name, b->signature_count);
    bundle_set(&b->signature[b->signature_count++], name, text, count);
}

/* Over the bundle's own file. */
__attribute__((unused)) static void people_sign(struct bundle *b, enum people_key key,
                                                const char *role, const char *kind)
{
    char words[96];
    snprintf(words, sizeof words, "role=%s kind=%s host=lab serial=1", role, kind);
    people_sign_as(b, key, b->file.bytes, words);
}

/* The result has this code, and the sentence is `form` with people's key ids for $ANA... */
__attribute__((unused)) static void people_said(struct result r, int32_t code,
                                                const struct trail *tr, const char *form)
{
    static const char *const name[] = {"$ANA", "$BO", "$EVE", "$ANA2", "$OLD", "$MALLORY"};
    char want[1024] = "";
    size_t used = 0;
    for (const char *p = form; *p != 0;) {
        int found = -1;
        for (int k = 0; k < PEOPLE_KEYS; k++)
            if (strncmp(p, name[k], strlen(name[k])) == 0 &&
                (found < 0 || strlen(name[k]) > strlen(name[found])))
                found = k;
        if (found >= 0) {
            used += (size_t)sprintf(want + used, "%s", people_id[found]);
            p += strlen(name[found]);
        } else {
            want[used++] = *p++;
            want[used] = 0;
        }
    }
    assert_string_equal(trail_sentence(tr, r), want);
    assert_int_equal(r.code, code);
}
#endif
