/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: a group is read back as it was sealed, and no damaged or foreign group is taken for one:
 * lengths are compared with what is there before they are used (case 76), unknown versions are
 * refused (78), every single flipped bit is found.
 *
 * Method: groups made by hand (kit.h), altered one field at a time; records' lengths and kinds are
 * altered with the group resealed, so that the record's own checks are what is tested.
 */
#include "tests/unit/journal/kit.h"

static const uint8_t no_hash[32];

static struct result check_all(const uint8_t *g, size_t n, const uint8_t *id, struct trail *tr)
{
    struct hash_sha256 *sha;
    struct chain c;
    chain_begin(&c);
    if (id) {
        memcpy(c.journal_id, id, 16);
        c.has_id = true;
    }
    assert_ok(hash_sha256_new(&sha));
    struct result r = chain_add(&c, g, n, sha, tr);
    hash_sha256_free(sha);
    return r;
}

static void group_sealed_reads_back(void **state)
{
    (void)state;
    size_t n;
    uint8_t *g = kit_group(kit_id, 1, no_hash, 1, 10, &n);
    struct group_head head;
    struct group_cursor cursor;
    struct fact_head record;
    const void *payload;
    uint32_t records = 0;
    assert_ok(group_parse(g, n, 1, kit_id, &head, NULL));
    assert_int_equal(head.first_seq, 1);
    assert_int_equal(head.last_seq, 10);
    group_rewind(&cursor, g, &head);
    while (is_ok(group_next(&cursor, &record, &payload, NULL)))
        records++;
    assert_int_equal(records, head.record_count);
    assert_code(group_next(&cursor, &record, &payload, NULL), END);
    assert_ok(check_all(g, n, kit_id, NULL));
    free(g);
}

static void group_any_flipped_bit_is_found(void **state)
{
    (void)state;
    size_t n;
    uint8_t *g = kit_group(kit_id, 1, no_hash, 1, 4, &n);
    for (size_t bit = 0; bit < 8 * n; bit++) {
        struct trail tr = {0};
        g[bit / 8] ^= (uint8_t)(1u << bit % 8);
        const struct result r = check_all(g, n, kit_id, &tr);
        if (is_ok(r))
            fail_msg("bit %zu of %zu is not covered", bit, 8 * n);
        assert_true(tr.count > 0);
        g[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_ok(check_all(g, n, kit_id, NULL));
    free(g);
}

static void group_cut_anywhere_is_found(void **state)
{
    (void)state;
    size_t n;
    uint8_t *g = kit_group(kit_id, 1, no_hash, 1, 4, &n);
    for (size_t keep = 0; keep < n; keep++) {
        uint8_t *part = malloc(keep + 1); /* exact size: the sanitizer sees a read behind it */
        memcpy(part, g, keep);
        uint8_t *exact = keep ? realloc(part, keep) : part;
        assert_code(check_all(exact, keep, kit_id, NULL), CORRUPT);
        free(exact);
    }
    free(g);
}

static void group_foreign_swapped_or_newer_is_refused(void **state)
{
    (void)state;
    size_t n;
    struct group_head head;
    static const uint8_t other[16] = {8};
    uint8_t *g = kit_group(kit_id, 3, no_hash, 1, 4, &n);
    assert_code(group_parse(g, n, 3, other, &head, NULL), FOREIGN);
    assert_code(group_parse(g, n, 4, kit_id, &head, NULL), BROKEN_CHAIN);
    assert_ok(group_parse(g, n, 3, NULL, &head, NULL));
    const uint32_t version = GROUP_VERSION + 1;
    memcpy(g + offsetof(struct group_head, version), &version, 4);
    assert_code(group_parse(g, n, 3, kit_id, &head, NULL), VERSION);
    free(g);
}

/* Alters a field of the group's header to `value` and reseals. */
static struct result with_count(uint64_t value, size_t at, size_t size)
{
    size_t n;
    uint8_t *g = kit_group(kit_id, 1, no_hash, 1, 4, &n);
    struct group_head head;
    memcpy(g + at, &value, size);
    struct result r = group_parse(g, n, 1, kit_id, &head, NULL);
    free(g);
    return r;
}

static void group_impossible_counts_are_refused(void **state)
{
    (void)state;
    const size_t bytes = offsetof(struct group_head, byte_count);
    const size_t records = offsetof(struct group_head, record_count);
    assert_code(with_count(0, bytes, 8), CORRUPT);
    assert_code(with_count(UINT64_MAX, bytes, 8), CORRUPT);
    assert_code(with_count(UINT64_MAX - 143, bytes, 8), CORRUPT); /* wraps to a small sum */
    assert_code(with_count(0, records, 4), CORRUPT);
    assert_code(with_count(UINT32_MAX, records, 4), CORRUPT);
    assert_code(with_count(0, offsetof(struct group_head, first_seq), 8), CORRUPT);
    assert_code(with_count(5, offsetof(struct group_head, first_seq), 8), CORRUPT);
}

/* Alters the first record's header and redoes its checksum and the group's. */
static struct result with_record(void (*alter)(struct fact_head *), struct trail *tr)
{
    size_t n;
    uint8_t *g = kit_group(kit_id, 1, no_hash, 1, 4, &n);
    struct fact_head h;
    uint8_t *record = g + sizeof(struct group_head);
    memcpy(&h, record, sizeof h);
    const uint32_t bytes = h.bytes;
    alter(&h);
    memcpy(record, &h, sizeof h);
    h.crc = group_crc(record, h.bytes == bytes ? bytes : 8);
    memcpy(record, &h, sizeof h);
    kit_reseal(g, n);
    uint8_t *exact = malloc(n);
    memcpy(exact, g, n);
    struct result r = check_all(exact, n, kit_id, tr);
    free(exact);
    free(g);
    return r;
}

static void length_zero(struct fact_head *h)
{
    h->bytes = 0;
}
static void length_max(struct fact_head *h)
{
    h->bytes = UINT32_MAX;
}
static void length_minus_8(struct fact_head *h)
{
    h->bytes = (uint32_t)-8;
}
static void length_513(struct fact_head *h)
{
    h->bytes = FACT_MAX_BYTES + 8;
}
static void length_other(struct fact_head *h)
{
    h->bytes = 8;
}
static void version_newer(struct fact_head *h)
{
    h->version++;
}
static void type_unknown(struct fact_head *h)
{
    h->type = 4711;
}

static void group_record_length_is_bounded_before_use_case_76(void **state)
{
    (void)state;
    struct trail tr = {0};
    assert_code(with_record(length_zero, NULL), CORRUPT);
    assert_code(with_record(length_max, &tr), CORRUPT);
    assert_non_null(strstr(tr.frame[0].text, "record 1 of group 1"));
    assert_code(with_record(length_minus_8, NULL), CORRUPT);
    assert_code(with_record(length_513, NULL), CORRUPT);
    assert_code(with_record(length_other, NULL), CORRUPT);
}

/* The last record claims more than is left of the group; the sanitizer sees a read behind it. */
static void group_last_record_longer_than_the_group_is_refused_case_76(void **state)
{
    (void)state;
    size_t n;
    struct trail tr = {0};
    uint8_t *g = kit_group(kit_id, 1, no_hash, 1, 4, &n);
    const size_t last = n - group_stride(fact_bytes(FACT_BAR)); /* step 4 is a bar alone */
    const uint32_t bytes = FACT_MAX_BYTES;
    memcpy(g + last + offsetof(struct fact_head, bytes), &bytes, sizeof bytes);
    kit_reseal(g, n);
    uint8_t *exact = malloc(n);
    memcpy(exact, g, n);
    assert_code(check_all(exact, n, kit_id, &tr), CORRUPT);
    assert_non_null(strstr(tr.frame[0].text, "its length is damaged"));
    free(exact);
    free(g);
}

static void group_unknown_record_version_is_refused_case_78(void **state)
{
    (void)state;
    struct trail tr = {0};
    assert_code(with_record(version_newer, &tr), VERSION);
    assert_non_null(strstr(tr.frame[0].text, "use the tenon version that wrote it"));
    assert_code(with_record(type_unknown, NULL), VERSION);
}

static void group_damaged_record_is_named(void **state)
{
    (void)state;
    size_t n;
    struct trail tr = {0};
    uint8_t *g = kit_group(kit_id, 1, no_hash, 1, 4, &n);
    const size_t second = sizeof(struct group_head) + group_stride(fact_bytes(FACT_START));
    g[second + sizeof(struct fact_head)] ^= 1;
    assert_code(check_all(g, n, kit_id, &tr), CORRUPT);
    assert_non_null(strstr(tr.frame[0].text, "record 2 of group 1 (seq 1/1, ORDER)"));
    free(g);
}

static void group_with_bytes_behind_its_last_record_is_refused(void **state)
{
    (void)state;
    size_t n;
    uint8_t *g = kit_group(kit_id, 1, no_hash, 1, 4, &n);
    struct group_head head;
    memcpy(&head, g, sizeof head);
    head.record_count--;
    memcpy(g, &head, sizeof head);
    kit_reseal(g, n);
    assert_code(check_all(g, n, kit_id, NULL), CORRUPT);
    free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(group_sealed_reads_back),
        cmocka_unit_test(group_any_flipped_bit_is_found),
        cmocka_unit_test(group_cut_anywhere_is_found),
        cmocka_unit_test(group_foreign_swapped_or_newer_is_refused),
        cmocka_unit_test(group_impossible_counts_are_refused),
        cmocka_unit_test(group_record_length_is_bounded_before_use_case_76),
        cmocka_unit_test(group_last_record_longer_than_the_group_is_refused_case_76),
        cmocka_unit_test(group_unknown_record_version_is_refused_case_78),
        cmocka_unit_test(group_damaged_record_is_named),
        cmocka_unit_test(group_with_bytes_behind_its_last_record_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
