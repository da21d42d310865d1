/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: a trust document that is read can be acted on; a signature counts for one person, role,
 * kind, host and file; people are counted distinct. Method: real keys and signatures; each refusal
 * by its whole sentence; the matching compared with a search through all assignments.
 */
#include "base/clock.h"
#include "deploy/trust_match.h"
#include "tests/unit/deploy/people.h"

static void trust_document_is_read_whole(void **state)
{
    (void)state;
    struct trust t = people_trust(PEOPLE_TRUST);
    assert_string_equal(t.host, "lab");
    assert_int_equal(t.version, 1);
    assert_false(t.is_throwaway);
    assert_int_equal(t.people_count, 3);
    assert_int_equal(t.key_count, 5);
    assert_int_equal(t.person[0].roles, TRUST_AUTHOR | TRUST_OPERATOR);
    assert_int_equal(t.person[1].roles, TRUST_OPERATOR | TRUST_RISK | TRUST_ROOT);
    assert_int_equal(t.need_request, 2);
    const struct {
        enum people_key key;
        uint32_t person;
    } owner[] = {{ANA, 0}, {ANA2, 0}, {BO, 1}, {EVE, 2}, {OLD, TRUST_NOBODY}};
    for (size_t i = 0; i < 5; i++) {
        uint32_t at = trust_key(&t, sign_secret_public(people_secret[owner[i].key])->id);
        assert_true(at < t.key_count);
        assert_int_equal(t.key[at].person, owner[i].person);
        assert_int_equal(t.key[at].is_revoked, owner[i].key == OLD);
    }
    assert_int_equal(trust_key(&t, sign_secret_public(people_secret[MALLORY])->id), TRUST_NOBODY);
}

static const struct {
    const char *from, *to, *sentence;
} bad_document[] = {
    {"kind: trust\n", "",
     "error[CFG009] trust.yaml:1:1: the key kind is missing, so this is "
     "no trust document; one begins with schema: 1 and kind: trust"},
    {"kind: trust", "kind: request",
     "error[CFG016] trust.yaml:2:7 kind: request is not known here; allowed trust"},
    {"schema: 1", "schema: 2",
     "error[CFG016] trust.yaml:1:9 schema: form 2 is not known to this release; write 1"},
    {"version: 1", "version: 0",
     "error[CFG012] trust.yaml:4:10 version: 0 is outside its range; allowed 1 to 4294967295"},
    {"host: lab", "hots: lab",
     "error[CFG008] trust.yaml:3:1 hots: unknown key; allowed schema, kind, host, version, "
     "parent, thresholds, people, revoked, throwaway; nearest known key host"},
    {"request: 2", "request: 1",
     "error[CFG012] trust.yaml:6:65 thresholds.request: 1 is outside its range; allowed 2 to "
     "32"},
    {"author: 1", "author: 0",
     "error[CFG012] trust.yaml:6:31 thresholds.author: 0 is outside its range; allowed 1 to "
     "32"},
    {"risk: 1, ", "",
     "error[CFG009] trust.yaml:6:13 thresholds: the key risk is missing; add "
     "it"},
    {"[author, operator]", "[author, oprator]",
     "error[CFG016] trust.yaml:8:25 people.ana.roles[1]: oprator is not known here; allowed "
     "root, author, operator, risk; nearest known word operator"},
    {"[author, operator]", "[author, author]",
     "error[CFG007] trust.yaml:8:25 people.ana.roles[1]: the role author is given twice; "
     "remove one"},
    {"[author, operator]", "[]",
     "error[CFG009] trust.yaml:8:16 people.ana.roles: is empty; give at least one"},
    {"\"$BO\"", "\"RWQnonsense\"",
     "error[CFG016] trust.yaml:9:46 people.bo.keys[0]: RWQnonsense... is no public key in "
     "minisign's form; take the second line of the person's .pub file"},
    {"\"$BO\"", "12",
     "error[CFG010] trust.yaml:9:46 people.bo.keys[0]: a public key in quotes "
     "is wanted here, like \"RWQ...\""},
    {"  bo:", "  Bo:",
     "error[CFG016] trust.yaml:9:3 people.Bo: Bo is not a name of small letters, digits and _, "
     "beginning with a letter"},
    {"[author, operator]", "[operator]",
     "error[CFG018] trust.yaml:7:1 people: a deployment takes 2 different people (author 1, "
     "operator 1), and the people listed fill 1 of these places; list one more, because nobody "
     "approves alone what moves money"},
    {", root]", "]",
     "error[CFG018] trust.yaml:7:1 people: changing this document takes 1 different person "
     "(root 1), and the people listed fill 0 of these places; list one more, because nobody "
     "approves alone what moves money"},
    {"request: 2", "request: 4",
     "error[CFG018] trust.yaml:7:1 people: lifting a kill takes 4 different people (risk 1, "
     "operator or risk 3), and the people listed fill 3 of these places; list one more, "
     "because nobody approves alone what moves money"},
    {"risk: 1", "risk: 3",
     "error[CFG018] trust.yaml:7:1 people: a deployment that raises risk takes 4 different "
     "people (author 1, risk 3), and the people listed fill 3 of these places; list one more, "
     "because nobody approves alone what moves money"},
};

static void trust_document_is_refused_with_a_sentence(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_document / sizeof bad_document[0]; i++) {
        struct trust t;
        struct trail tr = {0};
        char *form = people_changed(PEOPLE_TRUST, bad_document[i].from, bad_document[i].to),
             *text = people_fill(form);
        struct result r = trust_parse(text, strlen(text), "trust.yaml", &t, &tr);
        people_said(r, RESULT_CONFIG, &tr, bad_document[i].sentence);
        assert_int_equal(t.version, 0);
        free(text);
        free(form);
    }
}

/* Sentences with key ids in them. */
static void trust_keys_have_one_owner(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *sentence;
    } row[] = {
        {"\"$EVE\"", "\"$BO\"",
         "error[CFG007] trust.yaml:10:41 people.eve.keys[0]: the key $BO is bo's already; a key "
         "has one owner"},
        {"\"$ANA2\"", "\"$ANA\"", NULL},
        {"[\"$OLD\"]", "[\"$BO\"]",
         "error[CFG007] trust.yaml:11:11 revoked[0]: the key $BO is listed twice, once as revoked; "
         "a revoked key belongs to nobody: remove it from the person"},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct trust t;
        struct trail tr = {0};
        char *form = people_changed(PEOPLE_TRUST, row[i].from, row[i].to),
             *text = people_fill(form);
        struct result r = trust_parse(text, strlen(text), "trust.yaml", &t, &tr);
        if (row[i].sentence != NULL)
            people_said(r, RESULT_CONFIG, &tr, row[i].sentence);
        assert_int_equal(r.code, RESULT_CONFIG);
        free(text);
        free(form);
    }
}

static void trust_of_one_person_asks_for_a_second(void **state)
{
    (void)state;
    struct trust t;
    struct trail tr = {0};
    char *text = people_fill(PEOPLE_HEAD "people:\n  ana: {roles: [root, author, operator, risk], "
                                         "keys: [\"$ANA\", \"$ANA2\"]}\n");
    struct result r = trust_parse(text, strlen(text), "trust.yaml", &t, &tr);
    people_said(r, RESULT_CONFIG, &tr,
                "error[CFG018] trust.yaml:7:1 people: a deployment takes 2 different people "
                "(author 1, operator 1), and the people listed fill 1 of these places; a second "
                "person is needed, because nobody approves alone what moves money");
    free(text);
}

/* With thresholds of one and with nobody asked for risk. */
static void trust_of_two_people_is_enough(void **state)
{
    (void)state;
    char *two =
        people_changed(PEOPLE_TRUST, "  eve: {roles: [operator, risk], keys: [\"$EVE\"]}\n", "");
    char *none = people_changed(two, "risk: 1", "risk: 0");
    assert_int_equal(people_trust(two).people_count, 2);
    assert_int_equal(people_trust(none).need_risk, 0);
    free(two);
    free(none);
}

static void trust_text_is_read_back_as_it_was(void **state)
{
    (void)state;
    struct trail tr = {0};
    char *throwaway = people_changed(PEOPLE_TRUST, "revoked:", "throwaway: true\nrevoked:");
    struct trust t = people_trust(throwaway), again;
    char *text, *twice;
    assert_true(is_ok(trust_print(&t, &text, &tr)));
    assert_true(is_ok(trust_parse(text, strlen(text), "again.yaml", &again, &tr)));
    assert_memory_not_equal(t.sha256, again.sha256, sizeof t.sha256); /* another spelling */
    assert_true(is_ok(trust_print(&again, &twice, &tr)));
    assert_string_equal(text, twice);
    memcpy(again.sha256, t.sha256, sizeof t.sha256);
    assert_memory_equal(&t, &again, sizeof t);
    free(text);
    free(twice);
    free(throwaway);
}

/* Cut anywhere and with any byte turned, it is read or refused, never kept by half. */
static void trust_damage_is_refused_or_harmless(void **state)
{
    (void)state;
    char *text = people_fill(PEOPLE_TRUST);
    size_t count = strlen(text), taken = 0;
    for (size_t i = 0; i < count; i++) {
        struct trust t;
        struct trust zero;
        memset(&zero, 0, sizeof zero);
        char *cut = malloc(i + 1);
        assert_non_null(cut);
        memcpy(cut, text, i);
        struct result r = trust_parse(cut, i, "cut.yaml", &t, NULL);
        free(cut);
        if (!is_ok(r))
            assert_memory_equal(&t, &zero, sizeof t);
        text[i] ^= 1;
        r = trust_parse(text, count, "turned.yaml", &t, NULL);
        text[i] ^= 1;
        taken += is_ok(r);
        if (!is_ok(r))
            assert_memory_equal(&t, &zero, sizeof t);
    }
    assert_true(taken < count); /* letters of names and keys may be others */
    free(text);
}

/* ---- signatures ---- */

static void trust_verify_names_the_person_and_role(void **state)
{
    (void)state;
    struct trust t = people_trust(PEOPLE_TRUST);
    struct trust_signed s[TRUST_SIGNATURES_MAX];
    struct trail tr = {0};
    struct bundle *b = people_bundle("d.yaml", "serial: 1\n");
    people_sign(b, ANA2, "author", "deployment");
    people_sign(b, BO, "operator", "deployment");
    assert_true(is_ok(trust_verify(&t, b, "deployment", s, &tr)));
    assert_int_equal(s[0].person, 0);
    assert_string_equal(s[0].name, "ana");
    assert_int_equal(s[0].role, TRUST_AUTHOR);
    assert_memory_equal(s[0].file.id, sign_secret_public(people_secret[ANA2])->id, SIGN_ID_BYTES);
    assert_string_equal(s[1].name, "bo");
    assert_int_equal(s[1].role, TRUST_OPERATOR);
    bundle_free(b);
}

struct bad_signature {
    enum people_key key;
    const char *words, *sentence;
};
static const struct bad_signature bad_signature[] = {
    {MALLORY, "role=operator kind=deployment host=lab",
     "d.yaml.1.minisig: the key $MALLORY is nobody's in the trust document of lab (version 1); "
     "have it signed by somebody listed there"},
    {OLD, "role=operator kind=deployment host=lab",
     "d.yaml.1.minisig: the key $OLD was revoked by the trust document (version 1); have it signed "
     "with a key that is not"},
    {EVE, "role=author kind=deployment host=lab",
     "d.yaml.1.minisig: eve signed as author and has the roles operator, risk; have it signed by "
     "somebody who has that role"},
    {EVE, "role=king kind=deployment host=lab",
     "d.yaml.1.minisig: eve's signature names no role of ours (root, author, operator, risk); sign "
     "with tenon config sign --role"},
    {EVE, "kind=deployment host=lab",
     "d.yaml.1.minisig: eve's signature names no role of ours (root, author, operator, risk); sign "
     "with tenon config sign --role"},
    {EVE, "role=operator kind=request host=lab",
     "d.yaml.1.minisig: eve signed it as a request, and it is taken as a deployment; have it "
     "signed as what it is"},
    {EVE, "role=operator kind=deployment host=prod",
     "d.yaml.1.minisig: eve did not sign it for the host lab; a signature is good for one host, "
     "have it signed for this one"},
    {EVE, "role=operator kind=deployment",
     "d.yaml.1.minisig: eve did not sign it for the host lab; a signature is good for one host, "
     "have it signed for this one"},
    {EVE, "",
     "d.yaml.1.minisig: eve's signature does not say what it is for (its trusted comment has no "
     "role=, kind= and host=); sign with tenon config sign"},
};

/* One bad signature refuses all, though another is good. */
static void trust_verify_refuses_each_bad_signature(void **state)
{
    (void)state;
    struct trust t = people_trust(PEOPLE_TRUST);
    struct trust_signed s[TRUST_SIGNATURES_MAX];
    for (size_t i = 0; i < sizeof bad_signature / sizeof bad_signature[0]; i++) {
        struct trail tr = {0};
        struct bundle *b = people_bundle("d.yaml", "serial: 1\n");
        people_sign(b, ANA, "author", "deployment");
        people_sign_as(b, bad_signature[i].key, b->file.bytes, bad_signature[i].words);
        struct result r = trust_verify(&t, b, "deployment", s, &tr);
        people_said(r, RESULT_SIGNATURE, &tr, bad_signature[i].sentence);
        bundle_free(b);
    }
}

static void trust_verify_refuses_an_unsigned_file(void **state)
{
    (void)state;
    struct trust t = people_trust(PEOPLE_TRUST);
    struct trust_signed s[TRUST_SIGNATURES_MAX];
    struct trail tr = {0};
    struct bundle *b = people_bundle("d.yaml", "serial: 1\n");
    people_said(trust_verify(&t, b, "deployment", s, &tr), RESULT_SIGNATURE, &tr,
                "d.yaml: is not signed: there is no d.yaml*.minisig beside it; sign it with tenon "
                "config sign");
    bundle_free(b);
}

static void trust_verify_refuses_what_is_no_signature_file(void **state)
{
    (void)state;
    struct trust t = people_trust(PEOPLE_TRUST);
    struct trust_signed s[TRUST_SIGNATURES_MAX];
    struct trail tr = {0};
    struct bundle *b = people_bundle("d.yaml", "serial: 1\n");
    bundle_set(&b->signature[b->signature_count++], "d.yaml.bo.minisig", "hello\n", 6);
    struct result r = trust_verify(&t, b, "deployment", s, &tr);
    assert_int_equal(r.code, RESULT_SIGNATURE);
    assert_non_null(strstr(trail_sentence(&tr, r), "d.yaml.bo.minisig"));
    bundle_free(b);
}

static void trust_verify_tells_another_file_from_a_damaged_signature(void **state)
{
    (void)state;
    struct trust t = people_trust(PEOPLE_TRUST);
    struct trust_signed s[TRUST_SIGNATURES_MAX];
    struct trail tr = {0};
    struct bundle *b = people_bundle("d.yaml", "serial: 2\n");
    people_sign_as(b, BO, "serial: 1\n", "role=operator kind=deployment host=lab");
    people_said(trust_verify(&t, b, "deployment", s, &tr), RESULT_SIGNATURE, &tr,
                "d.yaml.0.minisig: bo (key $BO) signed a file with SHA-256 0dd2e6d20522..., and "
                "d.yaml has 3ca87f310411...: it was changed since, or the signature is of another "
                "file; have this one signed");
    bundle_free(b);
    memset(&tr, 0, sizeof tr);
    b = people_bundle("d.yaml", "serial: 2\n");
    people_sign(b, BO, "operator", "deployment");
    char *host = strstr(b->signature[0].bytes, "host=lab");
    assert_non_null(host);
    host[5] = 'p';
    people_said(trust_verify(&t, b, "deployment", s, &tr), RESULT_SIGNATURE, &tr,
                "d.yaml.0.minisig: is no signature by bo (key $BO) over d.yaml: signature, comment "
                "or file was changed; have the file signed again");
    bundle_free(b);
}

/* ---- counting ---- */

/* How many places at most, by trying everybody in each place. */
static uint32_t best(const struct trust_places *p, const uint32_t *roles, uint32_t people,
                     uint32_t from, uint32_t taken)
{
    if (from == p->count)
        return 0;
    uint32_t most = best(p, roles, people, from + 1, taken);
    for (uint32_t q = 0; q < people; q++)
        if (!(taken & 1u << q) && (roles[q] & p->place[from].roles)) {
            uint32_t n = 1 + best(p, roles, people, from + 1, taken | 1u << q);
            most = n > most ? n : most;
        }
    return most;
}

static void trust_match_fills_as_many_as_can_be(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 20260101);
    for (int round = 0; round < 3000; round++) {
        struct trust_places p = {.count = 0};
        uint32_t roles[5], people = 1 + (uint32_t)rng_below(&rng, 5), filled = 0;
        for (uint32_t q = 0; q < people; q++)
            roles[q] = (uint32_t)rng_below(&rng, 16);
        for (uint32_t i = (uint32_t)rng_below(&rng, 6); i > 0; i--)
            trust_places_add(&p, 1 + (uint32_t)rng_below(&rng, 15), 1);
        uint32_t want = best(&p, roles, people, 0, 0), taken = 0;
        assert_int_equal(trust_match(&p, roles, people), want);
        for (uint32_t i = 0; i < p.count; i++) {
            uint32_t q = p.place[i].person;
            if (q == TRUST_NOBODY)
                continue;
            assert_true(q < people && (roles[q] & p.place[i].roles) && !(taken & 1u << q));
            taken |= 1u << q;
            filled++;
        }
        assert_int_equal(filled, want);
    }
}

static struct trust_signed signed_by(uint32_t person, const char *name, uint32_t role)
{
    struct trust_signed s = {.person = person, .role = role};
    snprintf(s.name, sizeof s.name, "%s", name);
    return s;
}

static void trust_count_is_of_distinct_people(void **state)
{
    (void)state;
    struct trust t = people_trust(PEOPLE_TRUST);
    const struct trust_signed ana_a = signed_by(0, "ana", TRUST_AUTHOR),
                              ana_o = signed_by(0, "ana", TRUST_OPERATOR),
                              bo_o = signed_by(1, "bo", TRUST_OPERATOR),
                              bo_r = signed_by(1, "bo", TRUST_RISK),
                              eve_r = signed_by(2, "eve", TRUST_RISK);
    static const struct trust_need live = {.author = 1, .operator= 1 },
                                           more = {.author = 1, .operator= 1, .risk = 1};
    const struct {
        const struct trust_need *need;
        struct trust_signed s[4];
        uint32_t count;
        const char *missing;
    } row[] = {
        {&live, {ana_a, bo_o}, 2, ""},
        {&live, {bo_o, ana_a}, 2, ""},
        {&live, {ana_a}, 1, "operator 1 (bo or eve)"},
        {&live, {ana_a, ana_o}, 2, "operator 1 (bo or eve)"},
        {&live, {bo_o}, 1, "author 1 (ana)"},
        {&live, {ana_a, bo_r}, 2, "operator 1 (bo or eve)"}, /* not as operator */
        {&live, {ana_a, ana_o, bo_o}, 3, ""},
        {&more, {ana_a, bo_o}, 2, "risk 1 (eve)"},
        {&more, {ana_a, bo_o, bo_r}, 3, "risk 1 (eve)"}, /* bo fills one place */
        {&more, {bo_r, bo_o, ana_a, eve_r}, 4, ""},
        {&more, {ana_a}, 1, "operator 1 (bo or eve), risk 1 (bo or eve)"},
        {&live, {ana_o}, 0, "author 1 (ana), operator 1 (ana, bo or eve)"},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        char missing[160];
        bool is_met = trust_count(&t, row[i].s, row[i].count, row[i].need, missing, sizeof missing);
        assert_string_equal(missing, row[i].missing);
        assert_int_equal(is_met, row[i].missing[0] == 0);
    }
}

/* What a change takes, by what it does; risk people stand in operators' places. */
static void trust_need_follows_what_changes(void **state)
{
    (void)state;
    static const struct {
        uint32_t operators, risk;
        bool raises, only_tightens;
        struct trust_need need;
    } row[] = {{1, 1, false, false,
                {.author = 2, .operator= 1 } }, {1, 1, true, false, {.author = 2, .risk = 1}},
                {3, 1, true, false, {.author = 2, .operator= 2, .risk = 1}},
                {1, 2, true, false, {.author = 2, .risk = 2}},
                {2, 0, true, false, {.author = 2, .operator= 2 } },
                 {3, 2, false, true,
                  {
                      .operator= 1 } },
                 };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct trust t = {
            .need_author = 2, .need_operator = row[i].operators, .need_risk = row[i].risk};
        struct trust_need need = trust_need_of(&t, row[i].raises, row[i].only_tightens);
        assert_memory_equal(&need, &row[i].need, sizeof need);
    }
}

static void trust_count_of_a_request_wants_risk(void **state)
{
    (void)state;
    struct trust t = people_trust(PEOPLE_TRUST);
    const struct trust_signed ana_o = signed_by(0, "ana", TRUST_OPERATOR),
                              ana_a = signed_by(0, "ana", TRUST_AUTHOR),
                              bo_o = signed_by(1, "bo", TRUST_OPERATOR),
                              bo_r = signed_by(1, "bo", TRUST_RISK),
                              eve_r = signed_by(2, "eve", TRUST_RISK);
    const struct {
        struct trust_signed s[2];
        uint32_t count;
        const char *missing;
    } row[] = {
        {{ana_o, bo_r}, 2, ""},
        {{bo_r, eve_r}, 2, ""},
        {{ana_o, bo_o}, 2, "risk 1 (bo or eve)"},
        {{bo_o, bo_r}, 2, "operator or risk 1 (ana or eve)"},
        {{bo_r, ana_a}, 2, "operator or risk 1 (ana or eve)"}, /* an author's does not count */
        {{ana_o}, 1, "risk 1 (bo or eve)"},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        char missing[160];
        bool is_met = trust_count_request(&t, row[i].s, row[i].count, missing, sizeof missing);
        assert_string_equal(missing, row[i].missing);
        assert_int_equal(is_met, row[i].missing[0] == 0);
    }
}

static void trust_missing_words_are_cut_to_fit(void **state)
{
    (void)state;
    struct trust t = people_trust(PEOPLE_TRUST);
    const struct trust_need need = {.author = 1, .operator= 1, .risk = 1, .root = 1};
    char missing[24];
    assert_false(trust_count(&t, NULL, 0, &need, missing, sizeof missing));
    assert_string_equal(missing, "author 1 (ana), oper...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trust_document_is_read_whole),
        cmocka_unit_test(trust_document_is_refused_with_a_sentence),
        cmocka_unit_test(trust_keys_have_one_owner),
        cmocka_unit_test(trust_of_one_person_asks_for_a_second),
        cmocka_unit_test(trust_of_two_people_is_enough),
        cmocka_unit_test(trust_text_is_read_back_as_it_was),
        cmocka_unit_test(trust_damage_is_refused_or_harmless),
        cmocka_unit_test(trust_verify_names_the_person_and_role),
        cmocka_unit_test(trust_verify_refuses_each_bad_signature),
        cmocka_unit_test(trust_verify_refuses_an_unsigned_file),
        cmocka_unit_test(trust_verify_refuses_what_is_no_signature_file),
        cmocka_unit_test(trust_verify_tells_another_file_from_a_damaged_signature),
        cmocka_unit_test(trust_match_fills_as_many_as_can_be),
        cmocka_unit_test(trust_count_is_of_distinct_people),
        cmocka_unit_test(trust_need_follows_what_changes),
        cmocka_unit_test(trust_count_of_a_request_wants_risk),
        cmocka_unit_test(trust_missing_words_are_cut_to_fit),
    };
    return cmocka_run_group_tests(tests, people_setup, people_teardown);
}
