/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: what a document says about itself is read exactly, an unsigned one claims no place in a
 * chain, and a signed one stands alone. Method: the unsigned and the signed fixture are changed in
 * one place; values and whole sentences are compared. Bytes and file must read the same.
 */
#include "base/clock.h"
#include "base/hash.h"
#include "tests/unit/deploy/document.h"
#include "tests/unit/deploy/live.h"

static int64_t ns_of(const char *text)
{
    int64_t ns = 0;
    assert_true(is_ok(clock_parse(text, strlen(text), &ns)));
    return ns;
}

static struct deploy_doc doc;

/* The edited signed fixture is refused with this sentence and leaves nothing behind. */
static void refused(const struct live_edit *edit, const char *sentence)
{
    struct trail tr = {0};
    char *text = live_edited(edit);
    memset(&doc, 0x55, sizeof(doc));
    struct result r = deploy_parse(text, strlen(text), "s.yaml", TABLE, &doc, &tr);
    assert_int_equal(r.code, RESULT_CONFIG);
    assert_string_equal(trail_sentence(&tr, r), sentence);
    for (size_t i = 0; i < sizeof(doc); i++)
        assert_int_equal(((const uint8_t *)&doc)[i], 0);
    free(text);
}

struct bad {
    struct live_edit edit[3];
    const char *sentence;
};

static void refuse_all(const struct bad *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        refused(b[i].edit, b[i].sentence);
}
#define REFUSE(list) refuse_all(list, sizeof(list) / sizeof(list[0]))

static void head_of_a_signed_document_is_read(void **state)
{
    (void)state;
    static const struct live_edit edit[] = {
        {"serial: 2", "serial: 4294967295"},
        {"seed: 7",
         "seed: 7\nrun_until: \"2027-02-28T23:59:59Z\"\nrollback_of: 4294967294\n"
         "template: \"2222222222222222222222222222222222222222222222222222222222222222\"\n"
         "swap: {hear: 0ms, probation: 30d, denials: 1}"},
        {"limits:\n", "on_remove:\n  gone: flatten\n  left: {hand_to: hold}\nlimits:\n"},
        {NULL, NULL}};
    char *text = live_edited(edit);
    live_parse(text, &doc);
    assert_int_equal(doc.fact.serial, UINT32_MAX);
    assert_int_equal(doc.rollback_of, UINT32_MAX - 1);
    assert_int_equal(doc.parent[0], 0x11);
    assert_int_equal(doc.parent[31], 0x11);
    assert_int_equal(doc.template_sha256[5], 0x22);
    assert_int_equal(doc.not_before_ns, ns_of("2026-11-20T13:00:00Z"));
    assert_int_equal(doc.expires_ns, ns_of("2026-11-21T13:00:00Z"));
    assert_int_equal(doc.run_until_ns, ns_of("2027-02-28T23:59:59Z"));
    assert_int_equal(doc.hear_ns, 0);
    assert_int_equal(doc.probation_ns, 30 * 86400000000000ll);
    assert_int_equal(doc.denials, 1);
    assert_int_equal(doc.remove_count, 2);
    assert_string_equal(doc.remove[0].strategy, "gone");
    assert_int_equal(doc.remove[0].what, FACT_ON_REMOVE_FLATTEN);
    assert_string_equal(doc.remove[0].to, "");
    assert_string_equal(doc.remove[1].strategy, "left");
    assert_int_equal(doc.remove[1].what, FACT_ON_REMOVE_HAND_TO);
    assert_string_equal(doc.remove[1].to, "hold");
    assert_int_equal(doc.line.host, 4);
    assert_int_equal(doc.line.instrument[0], 28);
    free(text);
}

static void head_left_out_has_the_defaults(void **state)
{
    (void)state;
    document_change("host: lab", "host: lab");
    const struct deploy_doc *d = document_accepted();
    assert_int_equal(d->fact.serial, 0);
    assert_int_equal(d->hear_ns, DEPLOY_HEAR_NS);
    assert_int_equal(d->probation_ns, DEPLOY_PROBATION_NS);
    assert_int_equal(d->denials, DEPLOY_DENIALS);
    assert_int_equal(d->run_until_ns, 0);
    assert_int_equal(d->expires_ns, 0);
    assert_int_equal(d->remove_count, 0);
}

static void head_from_bytes_is_the_head_from_the_file(void **state)
{
    (void)state;
    static struct deploy_doc other;
    struct trail tr = {0};
    size_t count = 0;
    uint8_t sha[HASH_SHA256_BYTES];
    document_change("host: lab", "host: lab");
    const struct deploy_doc *d = document_accepted();
    char *text = document_slurp(DOC_FILE, &count);
    assert_true(is_ok(deploy_parse(text, count, DOC_FILE, TABLE, &other, &tr)));
    assert_memory_equal(d, &other, sizeof(other));
    hash_sha256_once(text, count, sha);
    assert_memory_equal(other.fact.sha256, sha, sizeof(sha));
    /* One byte more than the limit is refused before it is parsed, whatever it says. */
    char *large = calloc(1, DEPLOY_FILE_MAX_BYTES + 2);
    assert_non_null(large);
    memset(large, '#', DEPLOY_FILE_MAX_BYTES + 1);
    struct result r = deploy_parse(large, DEPLOY_FILE_MAX_BYTES + 1, "l", NULL, &other, &tr);
    assert_string_equal(trail_sentence(&tr, r),
                        "error[CFG002] l: is larger than 262144 bytes and was not parsed; split "
                        "it, or move instruments to the instruments file");
    memset(&tr, 0, sizeof(tr));
    r = deploy_parse("", 0, "l", NULL, &other, &tr); /* nothing at all */
    assert_int_equal(r.code, RESULT_CONFIG);
    /* A NUL inside ends nothing: the whole buffer is looked at. */
    memset(&tr, 0, sizeof(tr));
    text[10] = 0;
    r = deploy_parse(text, count, "l", TABLE, &other, &tr);
    assert_string_equal(trail_sentence(&tr, r), "error[CFG003] l:1:11: a NUL byte; remove it");
    free(large);
    free(text);
}

static void head_of_an_unsigned_document_claims_no_place(void **state)
{
    (void)state;
    static const char *const keys[] = {"parent", "not_before", "expires", "template",
                                       "rollback_of"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        char to[64], sentence[256];
        snprintf(to, sizeof(to), "serial: 0\n%s: 1", keys[i]);
        snprintf(sentence, sizeof(sentence),
                 "error[CFG018] d.yaml:6:1 %s: is only for a file with a serial of 1 or more, "
                 "which people sign; remove it, tenon config plan --out writes it",
                 keys[i]);
        document_change_refused("serial: 0", to, sentence);
    }
    document_change("serial: 0", "serial: 0\nrun_until: 2027-01-01T00:00:00Z\nswap: {hear: 1s}");
    assert_int_equal(document_accepted()->run_until_ns, ns_of("2027-01-01T00:00:00Z"));
}

static void head_of_a_signed_document_stands_alone(void **state)
{
    (void)state;
    static const struct bad alone[] = {
        {{{"parent: \"1111111111111111111111111111111111111111111111111111111111111111\"\n", ""}},
         "error[CFG009] s.yaml:5:9 serial: a file with a serial of 1 or more has the key parent "
         "too; add it, or have tenon config plan --out write it"},
        {{{"expires: 2026-11-21T13:00:00Z\n", ""}},
         "error[CFG009] s.yaml:5:9 serial: a file with a serial of 1 or more has the key expires "
         "too; add it, or have tenon config plan --out write it"},
        {{{"    sha256: \"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"\n",
           ""}},
         "error[CFG009] s.yaml:66:3 instances.cross: the key sha256 is missing; what is signed "
         "pins every plugin, tenon config plan --out fills it in"},
        {{{"    plugin: holder\n", "    plugin: holder\n    path: plugins/holder.so\n"}},
         "error[CFG018] s.yaml:77:11 instances.hold.path: plugins/holder.so counts from the folder "
         "of a file, and the host gets this one without a folder; write the whole path, or leave "
         "it out"},
    };
    REFUSE(alone);
    /* The instruments file has SHARE, and may not be asked for it. */
    static const char share[] = "  SHARE:\n    contract: linear\n    price_exponent: -4\n"
                                "    qty_exponent: 0\n    tick: 0.01\n    lot: 1\n"
                                "    multiplier: 1\n    settle: USD\n    bar: 1m\n"
                                "    stamp: start\n    session: always\n    degraded_after: 5m\n"
                                "    down_after: 30m\n    price_max: 5000\n";
    const struct live_edit empty[] = {
        {share, "  SHARE: {}\n"},
        {"  USD: {exponent: -8}\n", "  USD: {exponent: -8}\n  EUR: {exponent: -4}\n"},
        {"limits:\n  all:", "rates: {EUR/USD: {constant: 1}}\nlimits:\n  all:"},
        {NULL, NULL}};
    refused(empty, "error[CFG009] s.yaml:38:3 instruments.SHARE: is empty; what is signed defines "
                   "its instruments itself, so that no other file can change it");
}

static void head_with_bad_values_is_refused(void **state)
{
    (void)state;
    static const struct bad values[] = {
        {{{"serial: 2", "serial: 4294967296"}},
         "error[CFG012] s.yaml:5:9 serial: 4294967296 is outside its range; allowed 0 to "
         "4294967295"},
        {{{"serial: 2", "serial: -1"}},
         "error[CFG012] s.yaml:5:9 serial: -1 is outside its range; allowed 0 to 4294967295"},
        {{{"parent: \"1111", "parent: \"111"}},
         "error[CFG016] s.yaml:6:9 parent: 1111111111111111111111111111111111111111 is not a "
         "SHA-256 of 64 small hex digits in quotes"},
        {{{"expires: 2026-11-21T13:00:00Z", "expires: 2026-11-20T13:00:00Z"}},
         "error[CFG018] s.yaml:8:10 expires: 2026-11-20T13:00:00Z is not after not_before "
         "2026-11-20T13:00:00Z, so it could never be promoted"},
        {{{"seed: 7", "seed: 7\nrollback_of: 2"}},
         "error[CFG018] s.yaml:10:14 rollback_of: 2 does not come before serial 2; only an earlier "
         "one is taken back"},
        {{{"seed: 7", "seed: 7\nswap: {hear: 25h}"}},
         "error[CFG012] s.yaml:10:14 swap.hear: 25h is outside its range; allowed 0ms to 1d"},
        {{{"seed: 7", "seed: 7\nswap: {probation: 31d}"}},
         "error[CFG012] s.yaml:10:19 swap.probation: 31d is outside its range; allowed 0ms to 30d"},
        {{{"seed: 7", "seed: 7\nswap: {denials: 17}"}},
         "error[CFG012] s.yaml:10:17 swap.denials: 17 is outside its range; allowed 1 to 16"},
        {{{"seed: 7", "seed: 7\nswap: {denials: 0}"}},
         "error[CFG012] s.yaml:10:17 swap.denials: 0 is outside its range; allowed 1 to 16"},
        {{{"seed: 7", "seed: 7\nswap: {heer: 60s}"}},
         "error[CFG008] s.yaml:10:8 swap.heer: unknown key; allowed hear, probation, denials; "
         "nearest known key hear"},
        {{{"seed: 7", "seed: 7\non_remove: {twin: close}"}},
         "error[CFG016] s.yaml:10:19 on_remove.twin: close is not known here; allowed flatten"},
        {{{"seed: 7", "seed: 7\non_remove: {gone: {hand_to: hodl}}"}},
         "error[CFG014] s.yaml:10:29 on_remove.gone.hand_to: hodl is not under instances; allowed "
         "fast, slow, cross, hold, twin; nearest known instance hold"},
        {{{"seed: 7", "seed: 7\non_remove: {gone: {hand_to: slow}}"}},
         "error[CFG018] s.yaml:10:29 on_remove.gone.hand_to: slow has no route here, so it cannot "
         "take over what gone owns; name a strategy with a route, or write flatten"},
        {{{"seed: 7", "seed: 7\non_remove: {hold: {hand_to: hold}}"}},
         "error[CFG018] s.yaml:10:29 on_remove.hold.hand_to: hold cannot take over from itself; "
         "name another strategy, or write flatten"},
        {{{"seed: 7", "seed: 7\non_remove: {}"}},
         "error[CFG009] s.yaml:10:12 on_remove: is empty; give at least one"},
    };
    REFUSE(values);
}

static void head_times_have_one_form(void **state)
{
    (void)state;
    static const char *const not_times[] = {
        "2026-11-20",           "2026-11-20T13:00:00",    "2026-11-20 13:00:00Z",
        "2026-11-20T13:00:00z", "2026-11-20T13:00:00.5Z", "2026-11-20T13:00:00+00:00",
        "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z",   "2026-11-20T24:00:00Z",
        "2026-11-20T13:60:00Z", "2026-1-20T13:00:00Z",    "1763643600"};
    for (size_t i = 0; i < sizeof(not_times) / sizeof(not_times[0]); i++) {
        char to[64], sentence[256];
        snprintf(to, sizeof(to), "expires: %s", not_times[i]);
        snprintf(sentence, sizeof(sentence),
                 "error[CFG020] s.yaml:8:10 expires: %s is not a time; write date and time of day "
                 "in UTC, in whole seconds, like 2026-11-20T13:00:00Z",
                 not_times[i]);
        const struct live_edit edit[] = {{"expires: 2026-11-21T13:00:00Z", to}, {NULL, NULL}};
        refused(edit, sentence);
    }
    static const struct bad range[] = {
        {{{"expires: 2026", "expires: 2200"}},
         "error[CFG012] s.yaml:8:10 expires: 2200-11-21T13:00:00Z is outside its range; allowed "
         "2000-01-01T00:00:00Z to 2199-12-31T23:59:59Z"},
        {{{"not_before: 2026", "not_before: 1999"}},
         "error[CFG012] s.yaml:7:13 not_before: 1999-11-20T13:00:00Z is outside its range; allowed "
         "2000-01-01T00:00:00Z to 2199-12-31T23:59:59Z"},
    };
    REFUSE(range);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(head_of_a_signed_document_is_read),
        cmocka_unit_test(head_left_out_has_the_defaults),
        cmocka_unit_test(head_from_bytes_is_the_head_from_the_file),
        cmocka_unit_test(head_of_an_unsigned_document_claims_no_place),
        cmocka_unit_test(head_of_a_signed_document_stands_alone),
        cmocka_unit_test(head_with_bad_values_is_refused),
        cmocka_unit_test(head_times_have_one_form),
    };
    return cmocka_run_group_tests(tests, document_setup, document_teardown);
}
