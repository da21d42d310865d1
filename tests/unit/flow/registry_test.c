/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: the registry says of each document what the records say: how far it got, who signed it,
 * which is active and which was before, its text only when it is whole and right, and what time it
 * was at least. Method: records written by hand, one at a time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/hash.h"
#include "flow/registry.h"

struct rig {
    struct registry *r;
    uint64_t seq;
};

static void give(struct rig *g, uint16_t type, const void *payload)
{
    const struct fact_head head = {.type = type, .seq = ++g->seq, .t_ns = (int64_t)g->seq * 1000};
    registry_take(g->r, &head, payload);
}

static void sha_of(const char *text, uint8_t out[FACT_HASH_BYTES])
{
    hash_sha256_once(text, strlen(text), out);
}

static struct fact_promotion promotion(uint64_t serial, const char *text, uint32_t from,
                                       uint32_t to)
{
    struct fact_promotion p = {.serial = serial, .from = from, .to = to};
    sha_of(text, p.sha256);
    return p;
}

static void move(struct rig *g, uint64_t serial, const char *text, uint32_t from, uint32_t to)
{
    const struct fact_promotion p = promotion(serial, text, from, to);
    give(g, FACT_PROMOTION, &p);
}

static void deploy(struct rig *g, uint64_t serial, const char *text)
{
    struct fact_deploy d = {.serial = serial, .name = "d.yaml"};
    sha_of(text, d.sha256);
    give(g, FACT_DEPLOY, &d);
}

/* A text in pieces of so many bytes; `hole` leaves one out (-1: none). */
static void write_text(struct rig *g, const char *text, size_t piece, int hole)
{
    size_t total = strlen(text);
    int n = 0;
    for (size_t at = 0; at < total; at += piece, n++) {
        struct fact_text_piece p = {
            .kind = FACT_TEXT_DEPLOYMENT, .total = (uint32_t)total, .offset = (uint32_t)at};
        p.count = (uint32_t)(total - at < piece ? total - at : piece);
        sha_of(text, p.sha256);
        memcpy(p.bytes, text + at, p.count);
        if (n != hole)
            give(g, FACT_TEXT, &p);
    }
}

static const char *text_of(const struct rig *g, const char *text, size_t *count)
{
    uint8_t sha256[FACT_HASH_BYTES];
    sha_of(text, sha256);
    return registry_text(g->r, sha256, count);
}

/* ---- tests ---- */

static void registry_follows_a_document_to_active_and_away(void **state)
{
    (void)state;
    struct rig g = {.r = registry_new()};
    assert_null(registry_active(g.r));
    assert_null(registry_before(g.r));
    move(&g, 1, "one", PROMOTION_DRAFT, PROMOTION_PROPOSED);
    deploy(&g, 1, "one");
    move(&g, 1, "one", PROMOTION_CANARY, PROMOTION_PERMANENT);
    move(&g, 2, "two", PROMOTION_DRAFT, PROMOTION_PROPOSED);
    assert_int_equal(registry_active(g.r)->serial, 1);
    deploy(&g, 2, "two");
    struct fact_promotion p = promotion(2, "two", PROMOTION_CANARY, PROMOTION_PROBATION);
    p.flip_seq = g.seq;
    give(&g, FACT_PROMOTION, &p);
    assert_int_equal(registry_count(g.r), 2);
    assert_int_equal(registry_active(g.r)->serial, 2);
    assert_int_equal(registry_active(g.r)->state, PROMOTION_PROBATION);
    assert_int_equal(registry_active(g.r)->flip.flip_seq, 5);
    assert_string_equal(registry_active(g.r)->name, "d.yaml");
    assert_int_equal(registry_before(g.r)->serial, 1);
    assert_int_equal(registry_entry(g.r, 1)->first_seq, 4);
    assert_int_equal(registry_entry(g.r, 1)->last_seq, 6);
    p = promotion(2, "two", PROMOTION_PROBATION, PROMOTION_ROLLED_BACK);
    p.flip_seq = 99;
    give(&g, FACT_PROMOTION, &p);
    assert_int_equal(registry_active(g.r)->flip.flip_seq, 5); /* where it began stays */
    registry_free(g.r);
    registry_free(NULL);
}

/* The same file again after a refusal is a new entry; by hash the newest is meant. */
static void registry_refused_and_tried_again_are_two_entries(void **state)
{
    (void)state;
    struct rig g = {.r = registry_new()};
    uint8_t sha256[FACT_HASH_BYTES];
    sha_of("two", sha256);
    for (int i = 0; i < 2; i++) {
        move(&g, 2, "two", PROMOTION_DRAFT, PROMOTION_PROPOSED);
        move(&g, 2, "two", PROMOTION_PROPOSED, i == 0 ? PROMOTION_REFUSED : PROMOTION_VERIFIED);
    }
    assert_int_equal(registry_count(g.r), 2);
    assert_int_equal(registry_find(g.r, sha256)->state, PROMOTION_VERIFIED);
    assert_int_equal(registry_entry(g.r, 0)->state, PROMOTION_REFUSED);
    move(&g, 2, "another", PROMOTION_DRAFT, PROMOTION_PROPOSED);
    deploy(&g, 2, "another");
    assert_ptr_equal(registry_serial(g.r, 2), registry_active(g.r)); /* it was active: it first */
    assert_null(registry_serial(g.r, 3));
    registry_free(g.r);
}

static void registry_puts_texts_together(void **state)
{
    (void)state;
    static const char text[] = "schema: 1\nserial: 3\nrollback_of: 2\nhost: lab\n";
    size_t count = 0;
    for (size_t piece = 1; piece < sizeof text; piece++) {
        struct rig g = {.r = registry_new()};
        move(&g, 3, text, PROMOTION_DRAFT, PROMOTION_PROPOSED);
        write_text(&g, text, piece, -1);
        const char *found = text_of(&g, text, &count);
        assert_non_null(found);
        assert_string_equal(found, text);
        assert_int_equal(count, sizeof text - 1);
        assert_int_equal(registry_entry(g.r, 0)->rollback_of, 2);
        write_text(&g, text, piece, -1); /* again: the journal of a second try */
        assert_string_equal(text_of(&g, text, &count), text);
        registry_free(g.r);
    }
}

static void registry_damaged_text_is_none_until_it_comes_whole(void **state)
{
    (void)state;
    static const char text[] = "0123456789abcdefghij";
    size_t count = 0;
    for (int at = 0; at < 5; at++) {
        struct rig g = {.r = registry_new()};
        write_text(&g, text, 4, at); /* one is missing */
        assert_null(text_of(&g, text, &count));
        write_text(&g, text, 4, -1);
        assert_string_equal(text_of(&g, text, &count), text);
        registry_free(g.r);
    }
    struct rig g = {.r = registry_new()};
    struct fact_text_piece p = {.kind = FACT_TEXT_DEPLOYMENT, .total = 4, .count = 4};
    sha_of("good", p.sha256);
    memcpy(p.bytes, "evil", 4);
    give(&g, FACT_TEXT, &p); /* whole, and not what its hash says */
    assert_null(text_of(&g, "good", &count));
    p.offset = 2;
    p.count = 40; /* more than the whole */
    give(&g, FACT_TEXT, &p);
    assert_null(text_of(&g, "good", &count));
    registry_free(g.r);
}

static void registry_keeps_signatures_as_many_as_fit(void **state)
{
    (void)state;
    struct rig g = {.r = registry_new()};
    struct fact_signature s = {.serial = 1, .person = "ana"};
    sha_of("one", s.sha256);
    give(&g, FACT_SIGNATURE, &s); /* of a document that nobody handed over */
    move(&g, 1, "one", PROMOTION_DRAFT, PROMOTION_PROPOSED);
    for (uint32_t i = 0; i < REGISTRY_SIGNATURES_MAX + 3u; i++)
        give(&g, FACT_SIGNATURE, &s);
    assert_int_equal(registry_entry(g.r, 0)->signature_count, REGISTRY_SIGNATURES_MAX);
    assert_int_equal(registry_entry(g.r, 0)->signature[0].seq, 3);
    assert_string_equal(registry_entry(g.r, 0)->signature[0].fact.person, "ana");
    registry_free(g.r);
}

static void registry_knows_trust_requests_and_the_latest_time(void **state)
{
    (void)state;
    struct rig g = {.r = registry_new()};
    uint8_t sha256[FACT_HASH_BYTES];
    uint64_t version = 7;
    assert_false(registry_trust(g.r, sha256, &version));
    struct fact_trust t = {.version = 2, .wall_ns = 500, .throwaway = 1};
    sha_of("trust", t.sha256);
    give(&g, FACT_TRUST, &t);
    assert_true(registry_trust(g.r, sha256, &version));
    assert_memory_equal(sha256, t.sha256, sizeof sha256);
    assert_int_equal(version, 2);
    assert_true(registry_is_throwaway(g.r));
    struct fact_request q = {.wall_ns = 400};
    for (int i = 0; i < 20; i++) {
        char text[32];
        snprintf(text, sizeof text, "request %d", i);
        sha_of(text, q.sha256);
        assert_false(registry_used(g.r, q.sha256));
        give(&g, FACT_REQUEST, &q);
        assert_true(registry_used(g.r, q.sha256));
    }
    assert_int_equal(registry_wall(g.r), 500); /* a clock set back revives nothing */
    registry_free(g.r);
}

/* A clock that was ahead while somebody's file was refused must not make every later file old. */
static void registry_wall_is_raised_by_what_was_accepted(void **state)
{
    (void)state;
    static const struct {
        uint32_t from, to;
        int64_t wall_ns, floor_ns;
    } moves[] = {{PROMOTION_DRAFT, PROMOTION_PROPOSED, 9000, 0},
                 {PROMOTION_PROPOSED, PROMOTION_REFUSED, 9001, 0},
                 {PROMOTION_DRAFT, PROMOTION_PROPOSED, 100, 0},
                 {PROMOTION_PROPOSED, PROMOTION_VERIFIED, 101, 0},
                 {PROMOTION_VERIFIED, PROMOTION_APPROVED, 102, 102},
                 {PROMOTION_APPROVED, PROMOTION_SHADOW, 9000, 102},
                 {PROMOTION_SHADOW, PROMOTION_CANARY, 9000, 102},
                 {PROMOTION_CANARY, PROMOTION_PROBATION, 105, 105},
                 {PROMOTION_PROBATION, PROMOTION_PERMANENT, 106, 106},
                 {PROMOTION_PERMANENT, PROMOTION_SUPERSEDED, 9000, 106}};
    struct rig g = {.r = registry_new()};
    for (size_t i = 0; i < sizeof moves / sizeof moves[0]; i++) {
        struct fact_promotion p = promotion(1, "one", moves[i].from, moves[i].to);
        p.wall_ns = moves[i].wall_ns;
        give(&g, FACT_PROMOTION, &p);
        assert_int_equal(registry_wall(g.r), moves[i].floor_ns);
    }
    registry_free(g.r);
}

/* ---- what is kept of the refused ones ---- */

/* Handed over with text and two signatures, and refused. */
static void refuse(struct rig *g, uint64_t serial, const char *text)
{
    struct fact_signature s = {.serial = serial, .person = "eve"};
    sha_of(text, s.sha256);
    move(g, serial, text, PROMOTION_DRAFT, PROMOTION_PROPOSED);
    write_text(g, text, 7, -1);
    give(g, FACT_SIGNATURE, &s);
    give(g, FACT_SIGNATURE, &s);
    move(g, serial, text, PROMOTION_PROPOSED, PROMOTION_REFUSED);
}

static void begin_first(struct rig *g)
{
    move(g, 1, "one", PROMOTION_DRAFT, PROMOTION_PROPOSED);
    write_text(g, "one", 2, -1);
    deploy(g, 1, "one");
    move(g, 1, "one", PROMOTION_CANARY, PROMOTION_PERMANENT);
}

static void registry_drops_the_oldest_refused(void **state)
{
    (void)state;
    enum { MORE = 5 };
    struct rig g = {.r = registry_new()};
    char text[32];
    size_t count = 0;
    refuse(&g, 1, "before the first");
    begin_first(&g);
    const struct registry_entry *active = registry_active(g.r);
    for (int i = 0; i < REGISTRY_REFUSED_MAX + MORE - 1; i++) {
        assert_int_equal(registry_dropped(g.r),
                         i < REGISTRY_REFUSED_MAX ? 0 : i + 1 - REGISTRY_REFUSED_MAX);
        snprintf(text, sizeof text, "refused %d", i);
        refuse(&g, 2, text);
        assert_null(text_of(&g, text, &count));
    }
    assert_int_equal(registry_dropped(g.r), MORE);
    assert_int_equal(registry_count(g.r), REGISTRY_REFUSED_MAX + 1);
    assert_ptr_equal(registry_active(g.r), active);
    assert_ptr_equal(registry_entry(g.r, 0), active); /* the oldest, and never dropped */
    assert_string_equal(text_of(&g, "one", &count), "one");
    const struct registry_entry *last = registry_entry(g.r, REGISTRY_REFUSED_MAX);
    assert_memory_equal(last->sha256, last->last.sha256, FACT_HASH_BYTES);
    assert_int_equal(last->signature_count, 2);
    assert_string_equal(last->signature[1].fact.person, "eve");
    deploy(&g, 2, "two");
    assert_ptr_equal(registry_before(g.r), active);
    registry_free(g.r);
}

/* A text goes with the last who needs it: one that is active or on its way does. */
static void registry_keeps_a_text_that_somebody_needs(void **state)
{
    (void)state;
    size_t count = 0;
    struct rig g = {.r = registry_new()};
    begin_first(&g);
    refuse(&g, 1, "one"); /* the active file again */
    assert_string_equal(text_of(&g, "one", &count), "one");
    refuse(&g, 2, "two");
    assert_null(text_of(&g, "two", &count));
    move(&g, 2, "two", PROMOTION_DRAFT, PROMOTION_PROPOSED);
    write_text(&g, "two", 2, -1);
    move(&g, 2, "two", PROMOTION_PROPOSED, PROMOTION_VERIFIED);
    refuse(&g, 2, "two"); /* while it is on its way */
    assert_string_equal(text_of(&g, "two", &count), "two");
    deploy(&g, 2, "two");
    move(&g, 2, "two", PROMOTION_VERIFIED, PROMOTION_PROBATION);
    refuse(&g, 3, "three");
    assert_string_equal(text_of(&g, "two", &count), "two");
    assert_string_equal(text_of(&g, "one", &count), "one");
    /* a trust document of the same bytes as a refused deployment stays in force */
    struct fact_text_piece p = {.kind = FACT_TEXT_TRUST, .total = 5, .count = 5};
    sha_of("trust", p.sha256);
    memcpy(p.bytes, "trust", 5);
    give(&g, FACT_TEXT, &p);
    move(&g, 0, "trust", PROMOTION_DRAFT, PROMOTION_REFUSED);
    assert_string_equal(text_of(&g, "trust", &count), "trust");
    registry_free(g.r);
}

static void registry_keep_all_drops_nothing(void **state)
{
    (void)state;
    struct rig g = {.r = registry_new()};
    char text[32];
    size_t count = 0;
    registry_keep_all(g.r);
    for (int i = 0; i < 2 * REGISTRY_REFUSED_MAX; i++) {
        snprintf(text, sizeof text, "refused %d", i);
        refuse(&g, 2, text);
    }
    assert_int_equal(registry_count(g.r), 2 * REGISTRY_REFUSED_MAX);
    assert_int_equal(registry_dropped(g.r), 0);
    assert_string_equal(text_of(&g, "refused 0", &count), "refused 0");
    registry_free(g.r);
}

/* A journal from before signed deployments, and a backtest: DEPLOY alone. */
static void registry_unsigned_deployment_is_permanent(void **state)
{
    (void)state;
    struct rig g = {.r = registry_new()};
    deploy(&g, 0, "plain");
    assert_int_equal(registry_active(g.r)->state, PROMOTION_PERMANENT);
    assert_null(registry_before(g.r));
    registry_free(g.r);
}

static void registry_has_words_for_every_state_and_reason(void **state)
{
    (void)state;
    for (uint32_t i = 1; i < PROMOTION_STATE_END; i++) {
        assert_true(strlen(promotion_state_name(i)) > 2);
        assert_true(strlen(promotion_state_text(i)) > 3);
    }
    for (uint32_t i = 1; i < PROMOTION_WHY_END; i++)
        assert_true(strlen(promotion_why_text(i)) > 5);
    assert_string_equal(promotion_state_name(PROMOTION_STATE_END), "?");
    assert_string_equal(promotion_why_text(PROMOTION_WHY_END), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registry_follows_a_document_to_active_and_away),
        cmocka_unit_test(registry_refused_and_tried_again_are_two_entries),
        cmocka_unit_test(registry_puts_texts_together),
        cmocka_unit_test(registry_damaged_text_is_none_until_it_comes_whole),
        cmocka_unit_test(registry_keeps_signatures_as_many_as_fit),
        cmocka_unit_test(registry_knows_trust_requests_and_the_latest_time),
        cmocka_unit_test(registry_wall_is_raised_by_what_was_accepted),
        cmocka_unit_test(registry_drops_the_oldest_refused),
        cmocka_unit_test(registry_keeps_a_text_that_somebody_needs),
        cmocka_unit_test(registry_keep_all_drops_nothing),
        cmocka_unit_test(registry_unsigned_deployment_is_permanent),
        cmocka_unit_test(registry_has_words_for_every_state_and_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
