/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: keys made on the spot walk the road of real ones: their trust document stands, what they
 * sign is vetted like anybody's, and they say what they are. Method: the shipped demo as proposal,
 * judged by the same functions as the host judges with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "deploy/vet.h"
#include "flow/throwaway.h"

#define CONFIGS TENON_SOURCE_DIR "/configs/"

struct rig {
    struct throwaway *keys;
    struct trust trust;
    struct vet_verdict v;
    struct trail tr;
};

static void ok(struct rig *r, struct result x)
{
    if (!is_ok(x))
        fail_msg("%s", trail_sentence(&r->tr, x));
}

static struct rig *rig_new(void)
{
    struct rig *r = calloc(1, sizeof *r);
    struct trust_signed s[TRUST_SIGNATURES_MAX];
    assert_non_null(r);
    ok(r, throwaway_new("demo", &clock_system, &r->keys, &r->tr));
    const struct bundle *b = throwaway_trust(r->keys);
    ok(r, trust_parse(b->file.bytes, b->file.count, b->file.name, &r->trust, &r->tr));
    ok(r, trust_follow(NULL, &r->trust, b, s, &r->tr));
    return r;
}

static void rig_free(struct rig *r)
{
    throwaway_free(r->keys);
    free(r);
}

static struct bundle *propose(struct rig *r, uint64_t serial)
{
    struct bundle *b = NULL;
    const struct throwaway_ask a = {.path = CONFIGS "demo.yaml",
                                    .instruments = CONFIGS "instruments.yaml",
                                    .plugin_dir = TENON_PLUGIN_DIR,
                                    .serial = serial};
    ok(r, throwaway_propose(r->keys, &a, &b, &r->tr));
    return b;
}

static struct result judge(struct rig *r, const struct bundle *b)
{
    const struct vet_now now = {.trust = &r->trust,
                                .host = "demo",
                                .wall_ns = clock_wall(&clock_system),
                                .event_ns = INT64_MIN};
    return vet(b, &now, &r->v, &r->tr);
}

static void throwaway_trust_stands_and_says_what_it_is(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    char why[256];
    assert_true(r->trust.is_throwaway);
    assert_int_equal(r->trust.version, 1);
    assert_string_equal(r->trust.host, "demo");
    assert_true(trust_is_enough(&r->trust, why, sizeof why));
    rig_free(r);
}

static void throwaway_proposal_is_vetted_like_any_other(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct bundle *b = propose(r, 1);
    ok(r, judge(r, b));
    assert_int_equal(r->v.serial, 1);
    assert_int_equal(r->v.signed_count, 3);
    assert_string_equal(r->v.missing, "");
    for (uint32_t i = 0; i < r->v.signed_count; i++) { /* three people, one place each */
        for (uint32_t k = 0; k < i; k++)
            assert_int_not_equal(r->v.sign[i].person, r->v.sign[k].person);
    }
    for (uint32_t i = 0; i < r->v.doc.instance_count; i++)
        assert_int_equal(strlen(r->v.doc.instance[i].sha256_hex), 64); /* pinned */
    bundle_free(b);
    rig_free(r);
}

static void throwaway_signature_is_of_these_bytes_and_these_keys(void **state)
{
    (void)state;
    struct rig *r = rig_new(), *other = rig_new();
    struct bundle *b = propose(r, 1);
    assert_int_equal(judge(other, b).code, RESULT_SIGNATURE);
    b->file.bytes[b->file.count - 2] ^= 1;
    assert_int_equal(judge(r, b).code, RESULT_SIGNATURE);
    bundle_free(b);
    rig_free(r);
    rig_free(other);
}

/* Two runs of the demo must number the same events: nothing that is journaled may change in length
 * with the keys or the time. */
static void throwaway_texts_have_the_same_length_every_time(void **state)
{
    (void)state;
    struct rig *r = rig_new(), *other = rig_new();
    struct bundle *a = propose(r, 1), *b = propose(other, 1);
    assert_int_equal(throwaway_trust(r->keys)->file.count,
                     throwaway_trust(other->keys)->file.count);
    assert_int_equal(a->file.count, b->file.count);
    assert_int_equal(a->signature_count, b->signature_count);
    for (uint32_t i = 0; i < a->signature_count; i++)
        assert_int_equal(a->signature[i].count, b->signature[i].count);
    bundle_free(a);
    bundle_free(b);
    rig_free(r);
    rig_free(other);
}

static void throwaway_without_a_plugin_to_pin_is_refused(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct bundle *b = NULL;
    const struct throwaway_ask a = {.path = CONFIGS "demo.yaml",
                                    .instruments = CONFIGS "instruments.yaml",
                                    .plugin_dir = "/nowhere",
                                    .serial = 1};
    assert_int_equal(throwaway_propose(r->keys, &a, &b, &r->tr).code, RESULT_NOT_FOUND);
    assert_null(b);
    rig_free(r);
    throwaway_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(throwaway_trust_stands_and_says_what_it_is),
        cmocka_unit_test(throwaway_proposal_is_vetted_like_any_other),
        cmocka_unit_test(throwaway_signature_is_of_these_bytes_and_these_keys),
        cmocka_unit_test(throwaway_texts_have_the_same_length_every_time),
        cmocka_unit_test(throwaway_without_a_plugin_to_pin_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
