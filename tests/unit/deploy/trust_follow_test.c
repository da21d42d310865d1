/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: one version of the trust document follows another only with the roots of both, and nothing
 * else follows. Method: two documents with different people, signed with real keys by some of them;
 * each refusal by its whole sentence.
 */
#include "tests/unit/deploy/people.h"

#define TWO_HEAD "schema: 1\nkind: trust\nhost: lab\nversion: 2\nparent: \"%s\"\n"
#define TWO_NEEDS "thresholds: {root: 1, author: 1, operator: 1, risk: 1, request: 2}\n"
/* bo leaves as root, eve comes. */
#define TWO_PEOPLE                                                                                 \
    "people:\n"                                                                                    \
    "  ana: {roles: [author, operator], keys: [\"$ANA\"]}\n"                                       \
    "  bo: {roles: [operator, risk], keys: [\"$BO\"]}\n"                                           \
    "  eve: {roles: [operator, risk, root], keys: [\"$EVE\"]}\n"

struct versions {
    struct trust now, next;
    char *next_text;
};

static struct versions versions_of(const char *form)
{
    struct versions v;
    char head[2048], hex[HASH_HEX_BYTES];
    v.now = people_trust(PEOPLE_TRUST);
    hash_hex(v.now.sha256, hex);
    snprintf(head, sizeof head, form, hex);
    v.next_text = people_fill(head);
    v.next = people_trust(head);
    return v;
}

static void follow(const struct versions *v, bool has_now, const struct bundle *b, int32_t code,
                   const char *sentence)
{
    struct trust_signed s[TRUST_SIGNATURES_MAX];
    struct trail tr = {0};
    struct result r = trust_follow(has_now ? &v->now : NULL, &v->next, b, s, &tr);
    if (code == RESULT_OK && !is_ok(r))
        fail_msg("%s", trail_sentence(&tr, r));
    if (code != RESULT_OK)
        people_said(r, code, &tr, sentence);
}

static void trust_follow_wants_roots_of_both_versions(void **state)
{
    (void)state;
    struct versions v = versions_of(TWO_HEAD TWO_NEEDS TWO_PEOPLE);
    static const struct {
        int by_bo, by_eve;
        int32_t code;
        const char *sentence;
    } row[] = {
        {1, 1, RESULT_OK, NULL},
        {1, 0, RESULT_APPROVAL,
         "trust.yaml: signatures are missing, as version 2 counts them: root 1 (eve)"},
        {0, 1, RESULT_APPROVAL,
         "trust.yaml: signatures are missing, as version 1 counts them: root 1 (bo)"},
        {0, 0, RESULT_SIGNATURE,
         "trust.yaml: is not signed: there is no trust.yaml*.minisig beside it; sign it with tenon "
         "config sign"},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct bundle *b = people_bundle("trust.yaml", v.next_text);
        if (row[i].by_bo)
            people_sign(b, BO, "root", "trust");
        if (row[i].by_eve)
            people_sign(b, EVE, "root", "trust");
        follow(&v, true, b, row[i].code, row[i].sentence);
        bundle_free(b);
    }
    free(v.next_text);
}

/* Whom only the version before knows is named, and is nobody's index. */
static void trust_follow_takes_a_leaving_root(void **state)
{
    (void)state;
    struct versions v =
        versions_of(TWO_HEAD TWO_NEEDS "people:\n"
                                       "  ana: {roles: [author, operator], keys: [\"$ANA\"]}\n"
                                       "  joe: {roles: [operator, risk], keys: [\"$ANA2\"]}\n"
                                       "  eve: {roles: [operator, risk, root], keys: [\"$EVE\"]}\n"
                                       "revoked: [\"$BO\", \"$OLD\"]\n");
    struct trust_signed s[TRUST_SIGNATURES_MAX];
    struct trail tr = {0};
    struct bundle *b = people_bundle("trust.yaml", v.next_text);
    people_sign(b, BO, "root", "trust");
    people_sign(b, EVE, "root", "trust");
    assert_true(is_ok(trust_follow(&v.now, &v.next, b, s, &tr)));
    assert_string_equal(s[0].name, "bo");
    assert_int_equal(s[0].person, TRUST_NOBODY);
    assert_string_equal(s[1].name, "eve");
    assert_int_equal(s[1].person, 2);
    bundle_free(b);
    free(v.next_text);
}

static void trust_follow_refuses_what_does_not_follow(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *sentence;
    } row[] = {
        {"version: 2", "version: 3",
         "trust.yaml: is version 3, and version 2 comes next; none is left out or used again"},
        {"version: 2", "version: 1",
         "trust.yaml: is version 1, and version 2 comes next; none is left out or used again"},
        {"people:", "throwaway: true\npeople:",
         "trust.yaml: throwaway keys and kept keys never follow each other; begin a new journal "
         "with the kept ones"},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        char *form = people_changed(TWO_HEAD TWO_NEEDS TWO_PEOPLE, row[i].from, row[i].to);
        struct versions v = versions_of(form);
        struct bundle *b = people_bundle("trust.yaml", v.next_text);
        people_sign(b, BO, "root", "trust");
        people_sign(b, EVE, "root", "trust");
        follow(&v, true, b, RESULT_STATE, row[i].sentence);
        bundle_free(b);
        free(v.next_text);
        free(form);
    }
    struct versions v = versions_of(TWO_HEAD TWO_NEEDS TWO_PEOPLE);
    struct bundle *b = people_bundle("trust.yaml", v.next_text);
    people_sign(b, EVE, "root", "trust");
    follow(&v, false, b, RESULT_STATE,
           "trust.yaml: is version 2, and version 1 comes next; none is left out or used again");
    bundle_free(b);
    v.now.sha256[0] ^= 1; /* the version in force is another one */
    b = people_bundle("trust.yaml", v.next_text);
    people_sign(b, EVE, "root", "trust");
    struct trust_signed s[TRUST_SIGNATURES_MAX];
    struct trail tr = {0};
    struct result r = trust_follow(&v.now, &v.next, b, s, &tr);
    assert_int_equal(r.code, RESULT_STATE);
    assert_non_null(strstr(trail_sentence(&tr, r), "trust.yaml: its parent is "));
    bundle_free(b);
    memset(&tr, 0, sizeof tr);
    v.now.sha256[0] ^= 1;
    strcpy(v.now.host, "prod");
    b = people_bundle("trust.yaml", v.next_text);
    people_sign(b, EVE, "root", "trust");
    people_said(trust_follow(&v.now, &v.next, b, s, &tr), RESULT_STATE, &tr,
                "trust.yaml: is for the host lab, and this one is prod; write it for this host");
    bundle_free(b);
    free(v.next_text);
}

static void trust_follow_takes_a_first_version(void **state)
{
    (void)state;
    struct trust t = people_trust(PEOPLE_TRUST);
    char *text = people_fill(PEOPLE_TRUST);
    static const struct {
        enum people_key key;
        const char *role;
        int32_t code;
        const char *sentence;
    } row[] = {
        {BO, "root", RESULT_OK, NULL},
        {BO, "operator", RESULT_SIGNATURE,
         "trust.yaml.0.minisig: bo signed as operator, and a trust document is signed as root; "
         "sign it again with --role root"},
        {EVE, "root", RESULT_SIGNATURE,
         "trust.yaml.0.minisig: eve signed as root and has the roles operator, risk; have it "
         "signed by somebody who has that role"},
        {MALLORY, "root", RESULT_SIGNATURE,
         "trust.yaml.0.minisig: the key $MALLORY is nobody's in the trust document of lab (version "
         "1); have it signed by somebody listed there"},
        {OLD, "root", RESULT_SIGNATURE,
         "trust.yaml.0.minisig: the key $OLD was revoked by the trust document (version 1); have "
         "it signed with a key that is not"},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct versions v = {.next = t};
        struct bundle *b = people_bundle("trust.yaml", text);
        people_sign(b, row[i].key, row[i].role, "trust");
        follow(&v, false, b, row[i].code, row[i].sentence);
        bundle_free(b);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trust_follow_wants_roots_of_both_versions),
        cmocka_unit_test(trust_follow_takes_a_leaving_root),
        cmocka_unit_test(trust_follow_refuses_what_does_not_follow),
        cmocka_unit_test(trust_follow_takes_a_first_version),
    };
    return cmocka_run_group_tests(tests, people_setup, people_teardown);
}
