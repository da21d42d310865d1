/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: a deployment or request that may not become active is refused with its own sentence and
 * class, in the order of vet.h, and one that may is let through with what it changes and takes.
 * Method: a valid signed deployment and one that follows it, changed in one place each; real keys.
 */
#include "deploy/vet.h"
#include "base/clock.h"
#include "tests/unit/deploy/people.h"

#define PIN "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
/* $SERIAL and $PARENT are filled in. */
static const char form[] =
    "schema: 1\n"
    "host: lab\n"
    "serial: $SERIAL\n"
    "parent: \"$PARENT\"\n"
    "not_before: 2026-11-20T13:00:00Z\n"
    "expires: 2026-11-21T13:00:00Z\n"
    "seed: 7\n"
    "currencies:\n"
    "  USD: {exponent: -8}\n"
    "accounts:\n"
    "  paper:\n"
    "    currency: USD\n"
    "    balance: \"100000\"\n"
    "    simulated: true\n"
    "    venue: {profile: demo, latency_ms: 20, maker_fee_bps: 1, taker_fee_bps: 5}\n"
    "instruments:\n"
    "  COIN:\n"
    "    contract: linear\n"
    "    price_exponent: -8\n"
    "    qty_exponent: -8\n"
    "    tick: 0.01\n"
    "    lot: 0.0001\n"
    "    multiplier: 1\n"
    "    settle: USD\n"
    "    bar: 1m\n"
    "    stamp: start\n"
    "    session: always\n"
    "    degraded_after: 5m\n"
    "    down_after: 30m\n"
    "instances:\n"
    "  cross:\n"
    "    plugin: ema_cross\n"
    "    version: 1.0.0\n"
    "    instrument: COIN\n"
    "    bar: 1m\n"
    "    sha256: \"" PIN "\"\n"
    "    params: {gain: 2.5}\n"
    "routes:\n"
    "  - {strategy: cross, instrument: COIN, account: paper, env: paper, "
    "budget: \"20000\"}\n"
    "limits:\n"
    "  all:\n"
    "    max_order_qty: 4\n"
    "    max_order_value: \"25000\"\n"
    "    max_position_qty: 100\n"
    "    price_collar_pct: 2\n"
    "    max_exposure_pct: 20\n"
    "    max_leverage_x: 2.5\n"
    "    max_open_orders: 20\n"
    "    max_messages_per_s: 10\n"
    "    max_clock_skew_ms: 50\n";

static int64_t at(const char *time)
{
    int64_t ns = 0;
    assert_true(is_ok(clock_parse(time, strlen(time), &ns)));
    return ns;
}

/* `text` with the first `from` replaced. Frees it. */
static char *with(char *text, const char *from, const char *to)
{
    char *place = strstr(text, from);
    assert_non_null(place);
    char *out = calloc(1, strlen(text) + strlen(to) + 1);
    assert_non_null(out);
    memcpy(out, text, (size_t)(place - text));
    strcat(out, to);
    strcat(out, place + strlen(from));
    free(text);
    return out;
}

static char *document(const char *serial, const char *parent)
{
    return with(with(strdup(form), "$SERIAL", serial), "$PARENT", parent);
}

/* The host with serial 1 active, at a time in which serial 2 may be promoted. */
struct world {
    struct trust trust;
    struct deploy_doc active;
    struct vet_now now;
    char hex[HASH_HEX_BYTES]; /* of the active one */
    struct vet_verdict verdict;
};
static struct world *world;

static int world_setup(void **state)
{
    if (people_setup(state) != 0)
        return -1;
    world = calloc(1, sizeof *world);
    struct trail tr = {0};
    char *one = document("1", PEOPLE_ZEROS);
    world->trust = people_trust(PEOPLE_TRUST);
    struct result r = deploy_parse(one, strlen(one), "one.yaml", NULL, &world->active, &tr);
    if (!is_ok(r)) {
        print_error("%s\n", trail_sentence(&tr, r));
        return -1;
    }
    free(one);
    world->now = (struct vet_now){.trust = &world->trust,
                                  .host = "lab",
                                  .doc = &world->active,
                                  .serial = 1,
                                  .wall_ns = at("2026-11-20T14:00:00Z"),
                                  .event_ns = at("2026-11-20T13:59:00Z")};
    memcpy(world->now.sha256, world->active.fact.sha256, FACT_HASH_BYTES);
    hash_hex(world->now.sha256, world->hex);
    return 0;
}

static int world_teardown(void **state)
{
    free(world);
    return people_teardown(state);
}

/* Who signs: letters of people and roles: "aA bO eR". */
static void sign_all(struct bundle *b, const char *who, const char *kind)
{
    for (const char *p = who; *p != 0; p += p[2] != 0 ? 3 : 2) {
        enum people_key key = p[0] == 'a'   ? ANA
                              : p[0] == 'b' ? BO
                              : p[0] == 'e' ? EVE
                              : p[0] == '2' ? ANA2
                              : p[0] == 'o' ? OLD
                                            : MALLORY;
        const char *role = p[1] == 'A'   ? "author"
                           : p[1] == 'O' ? "operator"
                           : p[1] == 'R' ? "risk"
                                         : "root";
        people_sign(b, key, role, kind);
    }
}

/* Vets serial 2, changed in one place, as `who` signed it. */
static void vetted(const char *from, const char *to, const char *who, const struct vet_now *now,
                   int32_t code, const char *sentence)
{
    struct trail tr = {0};
    char *text = document("2", world->hex);
    if (from != NULL)
        text = with(text, from, to);
    struct bundle *b = people_bundle("two.yaml", text);
    sign_all(b, who, "deployment");
    struct result r = vet(b, now, &world->verdict, &tr);
    if (code == RESULT_OK && !is_ok(r))
        fail_msg("%s", trail_sentence(&tr, r));
    else if (code != RESULT_OK)
        people_said(r, code, &tr, sentence);
    uint8_t sha256[HASH_SHA256_BYTES];
    hash_sha256_once(text, strlen(text), sha256);
    assert_memory_equal(world->verdict.sha256, sha256, sizeof sha256);
    bundle_free(b);
    free(text);
}

static void vet_lets_through_what_enough_people_signed(void **state)
{
    (void)state;
    const struct vet_verdict *v = &world->verdict;
    vetted("gain: 2.5", "gain: 3.5", "aA bO", &world->now, RESULT_OK, NULL);
    assert_int_equal(v->serial, 2);
    assert_int_equal(v->signed_count, 2);
    assert_string_equal(v->sign[1].name, "bo");
    assert_int_equal(v->change.kinds, CHANGE_PARAMS);
    assert_int_equal(v->need.author, 1);
    assert_int_equal(v->need.operator, 1);
    assert_int_equal(v->need.risk, 0);
    assert_string_equal(v->missing, "");
    assert_string_equal(v->doc.host, "lab");
    vetted("max_order_qty: 4", "max_order_qty: 5", "aA eR", &world->now, RESULT_OK, NULL);
    assert_int_equal(v->need.operator, 0);
    assert_int_equal(v->need.risk, 1);
    /* What only tightens takes one operator. */
    vetted("max_order_qty: 4", "max_order_qty: 3", "eO", &world->now, RESULT_OK, NULL);
    assert_true(v->change.only_tightens);
}

static void vet_refuses_approvals_that_are_missing(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *who, *sentence;
    } row[] = {
        {"gain: 2.5", "gain: 3.5", "aA",
         "two.yaml: approvals are missing: operator 1 (bo or eve); ana is its author and cannot "
         "approve it alone"},
        {"gain: 2.5", "gain: 3.5", "aA aO",
         "two.yaml: approvals are missing: operator 1 (bo or eve); ana signed 2 times and counts "
         "once"},
        {"gain: 2.5", "gain: 3.5", "aA 2O", /* her other key */
         "two.yaml: approvals are missing: operator 1 (bo or eve); ana signed 2 times and counts "
         "once"},
        {"gain: 2.5", "gain: 3.5", "bO", "two.yaml: approvals are missing: author 1 (ana)"},
        {"gain: 2.5", "gain: 3.5", "aA bR",
         "two.yaml: approvals are missing: operator 1 (bo or eve)"},
        {"max_order_qty: 4", "max_order_qty: 5", "aA bO",
         "two.yaml: approvals are missing: risk 1 (bo or eve)"},
        {"max_order_qty: 4", "max_order_qty: 5", "bO bR",
         "two.yaml: approvals are missing: author 1 (ana); bo signed 2 times and counts once"},
        {"max_order_qty: 4", "max_order_qty: 3", "aA",
         "two.yaml: approvals are missing: operator 1 (ana, bo or eve)"},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        vetted(row[i].from, row[i].to, row[i].who, &world->now, RESULT_APPROVAL, row[i].sentence);
        assert_int_equal(world->verdict.serial, 2);
        assert_true(world->verdict.missing[0] != 0);
    }
}

static void vet_refuses_signatures_before_it_reads_the_file(void **state)
{
    (void)state;
    static const struct {
        const char *who, *sentence;
    } row[] = {
        {"", "two.yaml: is not signed: there is no two.yaml*.minisig beside it; sign it with tenon "
             "config sign"},
        {"aA mO", "two.yaml.1.minisig: the key $MALLORY is nobody's in the trust document of lab "
                  "(version 1); have it signed by somebody listed there"},
        {"aA oO", "two.yaml.1.minisig: the key $OLD was revoked by the trust document (version 1); "
                  "have it signed with a key that is not"},
        {"aA bO eA", "two.yaml.2.minisig: eve signed as author and has the roles operator, risk; "
                     "have it signed by somebody who has that role"},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        vetted("schema: 1", "no: [yaml", row[i].who, &world->now, RESULT_SIGNATURE,
               row[i].sentence);
        assert_int_equal(world->verdict.serial, 0);
        assert_int_equal(world->verdict.signed_count, 0);
    }
}

static void vet_refuses_a_document_that_is_wrong_in_itself(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
        int32_t code;
        const char *sentence;
    } row[] = {
        {"max_order_qty", "max_ordr_qty", RESULT_CONFIG,
         "error[CFG008] two.yaml:42:5 limits.all.max_ordr_qty: unknown key; allowed max_order_qty, "
         "max_order_value, price_collar_pct, max_position_qty, max_exposure_pct, max_leverage_x, "
         "max_open_orders, max_messages_per_s, max_clock_skew_ms; nearest known key "
         "max_order_qty"},
        {"seed: 7", "seed: 7\nseed: 7", RESULT_CONFIG,
         "error[CFG007] two.yaml:8:1: the key seed is given twice, first on line 7; remove one"},
        {"host: lab", "host: &a lab", RESULT_CONFIG,
         "error[CFG005] two.yaml:2:7: an anchor; write the value out where it is used"},
        {"host: lab", "host: prod", RESULT_CONFIG,
         "two.yaml: is for the host prod, and this one is lab; write host: lab and have it signed "
         "again"},
        {"serial: 2", "serial: 3", RESULT_STATE,
         "two.yaml: serial 3 leaves out 2; 1 is active and none may be missing, so promote that "
         "one first or plan this one again"},
        {"serial: 2", "serial: 1", RESULT_STATE,
         "two.yaml: serial 1 was used already, 1 is active; the next is 2, which tenon config plan "
         "--out gives it"},
        {"not_before: 2026-11-20T13:00:00Z", "not_before: 2026-11-20T14:00:01Z",
         RESULT_NOT_PERMITTED,
         "two.yaml: may be promoted from 2026-11-20T14:00:01Z on, and it is 2026-11-20T14:00:00Z; "
         "wait until then"},
        {"expires: 2026-11-21T13:00:00Z", "expires: 2026-11-20T14:00:00Z", RESULT_NOT_PERMITTED,
         "two.yaml: expired at 2026-11-20T14:00:00Z, and it is 2026-11-20T14:00:00Z; plan it again "
         "and have it signed again"},
        {"seed: 7", "rollback_of: 1\nseed: 7", RESULT_CONFIG,
         "two.yaml: rollback_of: only the host writes it; go back with tenon config rollback, or "
         "take the key out"},
        {"seed: 7", "run_until: 2026-11-20T13:59:00Z\nseed: 7", RESULT_NOT_PERMITTED,
         "two.yaml: may run until 2026-11-20T13:59:00Z of market time, and it is "
         "2026-11-20T13:59:00Z; give it a later run_until"},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        vetted(row[i].from, row[i].to, "aA bO eR", &world->now, row[i].code, row[i].sentence);
}

/* At the edges it is still let through: not_before is inclusive, expires is not. */
static void vet_times_hold_at_their_edges(void **state)
{
    (void)state;
    struct vet_now now = world->now;
    now.wall_ns = at("2026-11-20T13:00:00Z");
    vetted(NULL, NULL, "aA bO", &now, RESULT_OK, NULL);
    now.wall_ns = at("2026-11-21T13:00:00Z") - 1;
    vetted(NULL, NULL, "aA bO", &now, RESULT_OK, NULL);
    now.event_ns = INT64_MIN; /* market time is not known */
    vetted("seed: 7", "run_until: 2019-01-01T00:00:00Z\nseed: 7", "aA bO", &now, RESULT_OK, NULL);
}

static void vet_refuses_another_parent(void **state)
{
    (void)state;
    char sentence[320];
    snprintf(sentence, sizeof sentence,
             "two.yaml: was written to follow 000000000000..., and %.12s... is active; look at "
             "what changed (tenon config diff) and plan it again",
             world->hex);
    vetted(world->hex, PEOPLE_ZEROS, "aA bO", &world->now, RESULT_STATE, sentence);
}

static void vet_refuses_what_cannot_change_while_the_host_runs(void **state)
{
    (void)state;
    struct trail tr = {0};
    char *text = with(document("2", world->hex), "seed: 7", "seed: 8");
    struct bundle *b = people_bundle("two.yaml", text);
    sign_all(b, "aA bO eR", "deployment");
    struct result r = vet(b, &world->now, &world->verdict, &tr);
    assert_int_equal(result_class(r), RESULT_CLASS_INPUT);
    assert_non_null(strstr(trail_sentence(&tr, r), "two.yaml:7:"));
    bundle_free(b);
    free(text);
}

/* The very bytes that were signed: each byte changed by one bit is refused as not signed. */
static void vet_refuses_each_altered_byte(void **state)
{
    (void)state;
    char *text = document("2", world->hex);
    struct bundle *b = people_bundle("two.yaml", text);
    sign_all(b, "aA bO", "deployment");
    size_t count = strlen(text);
    for (size_t i = 0; i < count; i += 7) {
        struct trail tr = {0};
        b->file.bytes[i] ^= 1;
        struct result r = vet(b, &world->now, &world->verdict, &tr);
        assert_int_equal(r.code, RESULT_SIGNATURE);
        assert_non_null(strstr(trail_sentence(&tr, r), "signed a file with SHA-256"));
        assert_int_equal(world->verdict.serial, 0);
        b->file.bytes[i] ^= 1;
    }
    struct trail tr = {0};
    assert_true(is_ok(vet(b, &world->now, &world->verdict, &tr)));
    bundle_free(b);
    free(text);
}

static void vet_refuses_the_signature_of_another_file(void **state)
{
    (void)state;
    struct trail tr = {0};
    char *text = document("2", world->hex), *other = document("3", world->hex);
    struct bundle *b = people_bundle("two.yaml", text);
    people_sign(b, ANA, "author", "deployment");
    people_sign_as(b, BO, other, "role=operator kind=deployment host=lab");
    struct result r = vet(b, &world->now, &world->verdict, &tr);
    assert_int_equal(r.code, RESULT_SIGNATURE);
    assert_non_null(strstr(trail_sentence(&tr, r), "two.yaml.1.minisig: bo (key "));
    assert_non_null(strstr(trail_sentence(&tr, r), "the signature is of another file"));
    bundle_free(b);
    free(text);
    free(other);
}

static void vet_refuses_300_kib_unread(void **state)
{
    (void)state;
    struct trail tr = {0};
    const size_t count = 300 * 1024;
    char *text = malloc(count + 1);
    assert_non_null(text);
    memset(text, '#', count);
    text[count] = 0;
    struct bundle *b = people_bundle("two.yaml", text); /* not even signed */
    people_said(vet(b, &world->now, &world->verdict, &tr), RESULT_TOO_LARGE, &tr,
                "two.yaml: has 307200 bytes, at most 262144 are taken, and nothing of it was read; "
                "make it smaller");
    bundle_free(b);
    free(text);
}

/* ---- the first one ---- */

static void vet_takes_the_first_one_with_risk(void **state)
{
    (void)state;
    struct vet_now now = world->now;
    now.doc = NULL;
    now.serial = 0;
    memset(now.sha256, 0, sizeof now.sha256);
    const struct {
        const char *serial, *who;
        int32_t code;
        const char *sentence;
    } row[] = {
        {"1", "aA bO eR", RESULT_OK, NULL},
        {"1", "aA bO", RESULT_APPROVAL, "one.yaml: approvals are missing: risk 1 (bo or eve)"},
        {"2", "aA bO eR", RESULT_STATE,
         "one.yaml: is serial 2, and nothing was promoted here yet: the first one has serial 1; "
         "tenon config plan --out gives it"},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct trail tr = {0};
        char *text = document(row[i].serial, PEOPLE_ZEROS);
        struct bundle *b = people_bundle("one.yaml", text);
        sign_all(b, row[i].who, "deployment");
        struct result r = vet(b, &now, &world->verdict, &tr);
        if (row[i].code == RESULT_OK)
            assert_true(is_ok(r));
        else
            people_said(r, row[i].code, &tr, row[i].sentence);
        bundle_free(b);
        free(text);
    }
}

static void vet_refuses_an_unsigned_form_though_signed(void **state)
{
    (void)state;
    struct vet_now now = world->now;
    struct trail tr = {0};
    char *text = with(document("0", PEOPLE_ZEROS), "parent: \"" PEOPLE_ZEROS "\"\n", "");
    text = with(text, "not_before: 2026-11-20T13:00:00Z\nexpires: 2026-11-21T13:00:00Z\n", "");
    struct bundle *b = people_bundle("zero.yaml", text);
    sign_all(b, "aA bO eR", "deployment");
    people_said(vet(b, &now, &world->verdict, &tr), RESULT_CONFIG, &tr,
                "zero.yaml: has serial 0, which stands for unsigned; tenon config plan --out gives "
                "it the next one, 2");
    bundle_free(b);
    free(text);
}

/* ---- requests ---- */

static const char request[] = "schema: 1\n"
                              "kind: request\n"
                              "host: lab\n"
                              "wish: resume\n"
                              "scope: strategy:cross\n"
                              "to: reducing\n"
                              "reason: \"cause found: the feed was late\"\n"
                              "created: 2026-11-20T13:30:00Z\n"
                              "expires: 2026-11-20T14:30:00Z\n"
                              "nonce: \"0123456789abcdef\"\n";

static struct result ask(const char *from, const char *to, const char *who, struct vet_request *q,
                         struct trail *tr)
{
    char *text = strdup(request);
    if (from != NULL)
        text = with(text, from, to);
    struct bundle *b = people_bundle("r.yaml", text);
    sign_all(b, who, "request");
    struct result r = vet_request(b, &world->now, q, tr);
    bundle_free(b);
    free(text);
    return r;
}

static void vet_request_lets_through_two_people(void **state)
{
    (void)state;
    struct vet_request q;
    struct trail tr = {0};
    assert_true(is_ok(ask(NULL, NULL, "aO bR", &q, &tr)));
    assert_int_equal(q.scope, MODE_SCOPE_STRATEGY);
    assert_string_equal(q.scope_name, "cross");
    assert_int_equal(q.mode, MODE_REDUCING);
    assert_string_equal(q.reason, "cause found: the feed was late");
    assert_string_equal(q.nonce, "0123456789abcdef");
    assert_int_equal(q.signed_count, 2);
    assert_true(q.expires_ns == at("2026-11-20T14:30:00Z"));
    assert_true(is_ok(ask("strategy:cross", "global", "bR eR", &q, &tr)));
    assert_int_equal(q.scope, MODE_SCOPE_GLOBAL);
    assert_true(is_ok(ask("strategy:cross", "account:paper", "bR eR", &q, &tr)));
    assert_int_equal(q.scope, MODE_SCOPE_ACCOUNT);
    assert_true(is_ok(ask("reducing", "active", "bR eR", &q, &tr)));
    assert_int_equal(q.mode, MODE_ACTIVE);
}

static void vet_request_is_refused_with_a_sentence(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *who;
        int32_t code;
        const char *sentence;
    } row[] = {
        {NULL, NULL, "bR", RESULT_APPROVAL,
         "r.yaml: approvals are missing: operator or risk 1 (ana or eve)"},
        {NULL, NULL, "bR bO", RESULT_APPROVAL,
         "r.yaml: approvals are missing: operator or risk 1 (ana or eve); bo signed 2 times and "
         "counts once"},
        {NULL, NULL, "aO bO", RESULT_APPROVAL, "r.yaml: approvals are missing: risk 1 (bo or eve)"},
        {NULL, NULL, "bR mO", RESULT_SIGNATURE,
         "r.yaml.1.minisig: the key $MALLORY is nobody's in the trust document of lab (version 1); "
         "have it signed by somebody listed there"},
        {NULL, NULL, "", RESULT_SIGNATURE,
         "r.yaml: is not signed: there is no r.yaml*.minisig beside it; sign it with tenon config "
         "sign"},
        {"host: lab", "host: prod", "aO bR", RESULT_CONFIG,
         "error[CFG014] r.yaml:3:7 host: asks the host prod, and this one is lab; write a request "
         "for this one"},
        {"kind: request\n", "", "aO bR", RESULT_CONFIG,
         "error[CFG009] r.yaml:1:1: the key kind is missing, so this is no request; one begins "
         "with schema: 1 and kind: request"},
        {"wish: resume", "wish: sleep", "aO bR", RESULT_CONFIG,
         "error[CFG016] r.yaml:4:7 wish: sleep is not known here; allowed resume"},
        {"strategy:cross", "desk:cross", "aO bR", RESULT_CONFIG,
         "error[CFG016] r.yaml:5:8 scope: global, strategy:NAME or account:NAME is wanted here, "
         "with a name of the deployment"},
        {"strategy:cross", "strategy:", "aO bR", RESULT_CONFIG, NULL},
        {"to: reducing", "to: killed", "aO bR", RESULT_CONFIG,
         "error[CFG016] r.yaml:6:5 to: killed is not known here; allowed active, reducing"},
        {"\"cause found: the feed was late\"", "late", "aO bR", RESULT_CONFIG,
         "error[CFG010] r.yaml:7:9 reason: one line of text in quotes is wanted here"},
        {"0123456789abcdef", "0123456789ABCDEF", "aO bR", RESULT_CONFIG,
         "error[CFG016] r.yaml:10:8 nonce: 16 small hex digits in quotes are wanted here"},
        {"expires: 2026-11-20T14:30:00Z", "expires: 2026-11-21T13:30:01Z", "aO bR", RESULT_CONFIG,
         "error[CFG012] r.yaml:9:10 expires: is outside its range; allowed after created, and at "
         "most 24 hours later"},
        {"expires: 2026-11-20T14:30:00Z", "expires: 2026-11-20T14:00:00Z", "aO bR",
         RESULT_NOT_PERMITTED,
         "r.yaml: expired at 2026-11-20T14:00:00Z, and it is 2026-11-20T14:00:00Z; write a new one "
         "with tenon risk resume --out"},
        {"created: 2026-11-20T13:30:00Z", "created: 2026-11-20T14:00:01Z", "aO bR",
         RESULT_NOT_PERMITTED,
         "r.yaml: was created at 2026-11-20T14:00:01Z, and it is 2026-11-20T14:00:00Z; compare the "
         "two clocks"},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct vet_request q;
        struct trail tr = {0};
        struct result r = ask(row[i].from, row[i].to, row[i].who, &q, &tr);
        if (row[i].sentence != NULL)
            people_said(r, row[i].code, &tr, row[i].sentence);
        assert_int_equal(r.code, row[i].code);
    }
}

/* A signature over a deployment is none over a request, though file and person are right. */
static void vet_request_refuses_a_deployments_signature(void **state)
{
    (void)state;
    struct vet_request q;
    struct trail tr = {0};
    struct bundle *b = people_bundle("r.yaml", request);
    sign_all(b, "bR", "deployment");
    people_said(vet_request(b, &world->now, &q, &tr), RESULT_SIGNATURE, &tr,
                "r.yaml.0.minisig: bo signed it as a deployment, and it is taken as a request; "
                "have it signed as what it is");
    bundle_free(b);
}

static void vet_request_of_5_kib_is_refused(void **state)
{
    (void)state;
    struct vet_request q;
    struct trail tr = {0};
    char *text = calloc(1, 5121);
    assert_non_null(text);
    memset(text, '#', 5120);
    struct bundle *b = people_bundle("r.yaml", text);
    people_said(vet_request(b, &world->now, &q, &tr), RESULT_TOO_LARGE, &tr,
                "r.yaml: has 5120 bytes, and a request has at most 4096; nothing of it was read");
    bundle_free(b);
    free(text);
}

static void vet_request_text_is_what_is_read(void **state)
{
    (void)state;
    static const char *const reason[] = {"cause found", "it said \"late\"", "feed's late", "a\\b"};
    for (size_t i = 0; i < sizeof reason / sizeof reason[0]; i++) {
        struct vet_request q = {.scope = MODE_SCOPE_GLOBAL,
                                .mode = MODE_ACTIVE,
                                .created_ns = at("2026-11-20T13:30:00Z"),
                                .expires_ns = at("2026-11-20T14:30:00Z"),
                                .nonce = "0123456789abcdef"};
        struct vet_request back;
        struct trail tr = {0};
        char *text;
        strcpy(q.reason, reason[i]);
        assert_true(is_ok(vet_request_print(&q, "lab", &text, &tr)));
        struct bundle *b = people_bundle("r.yaml", text);
        sign_all(b, "aO bR", "request");
        struct result r = vet_request(b, &world->now, &back, &tr);
        if (!is_ok(r))
            fail_msg("%s", trail_sentence(&tr, r));
        assert_string_equal(back.reason, reason[i]);
        assert_int_equal(back.scope, q.scope);
        assert_int_equal(back.mode, q.mode);
        assert_true(back.created_ns == q.created_ns && back.expires_ns == q.expires_ns);
        bundle_free(b);
        free(text);
    }
}

static void vet_request_text_refuses_a_reason_it_cannot_write(void **state)
{
    (void)state;
    static const struct {
        const char *reason, *sentence;
        int32_t code;
    } row[] = {
        {"", "a request needs a reason; give --reason TEXT", RESULT_MISSING},
        {"it's \"late\"",
         "the reason has both kinds of quotes, or a backslash and a quote; leave one out",
         RESULT_SYNTAX},
        {"caf\xc3\xa9", "the reason has a character outside of printable ASCII; write it without",
         RESULT_SYNTAX},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct vet_request q = {.scope = MODE_SCOPE_GLOBAL, .mode = MODE_ACTIVE};
        struct trail tr = {0};
        char *text;
        strcpy(q.reason, row[i].reason);
        struct result r = vet_request_print(&q, "lab", &text, &tr);
        people_said(r, row[i].code, &tr, row[i].sentence);
        assert_null(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vet_lets_through_what_enough_people_signed),
        cmocka_unit_test(vet_refuses_approvals_that_are_missing),
        cmocka_unit_test(vet_refuses_signatures_before_it_reads_the_file),
        cmocka_unit_test(vet_refuses_a_document_that_is_wrong_in_itself),
        cmocka_unit_test(vet_times_hold_at_their_edges),
        cmocka_unit_test(vet_refuses_another_parent),
        cmocka_unit_test(vet_refuses_what_cannot_change_while_the_host_runs),
        cmocka_unit_test(vet_refuses_each_altered_byte),
        cmocka_unit_test(vet_refuses_the_signature_of_another_file),
        cmocka_unit_test(vet_refuses_300_kib_unread),
        cmocka_unit_test(vet_takes_the_first_one_with_risk),
        cmocka_unit_test(vet_refuses_an_unsigned_form_though_signed),
        cmocka_unit_test(vet_request_lets_through_two_people),
        cmocka_unit_test(vet_request_is_refused_with_a_sentence),
        cmocka_unit_test(vet_request_refuses_a_deployments_signature),
        cmocka_unit_test(vet_request_of_5_kib_is_refused),
        cmocka_unit_test(vet_request_text_is_what_is_read),
        cmocka_unit_test(vet_request_text_refuses_a_reason_it_cannot_write),
    };
    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
