/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: what must hold from one group and one record to the next is held against every walk.
 * Method: groups and record headers by hand; one rule broken at a time.
 */
#include "tests/unit/journal/kit.h"

static struct fact_head head_of(uint64_t seq, uint16_t sub, int64_t t_ns)
{
    return (struct fact_head){.seq = seq, .sub = sub, .t_ns = t_ns, .type = FACT_TICK};
}

/* A chain that stands after seq 5, effect 2, at 5000 ns. */
static struct chain after_five(void)
{
    struct chain c;
    chain_begin(&c);
    c.seq = 5;
    c.sub = 2;
    c.t_ns = 5000;
    return c;
}

static const char *next_is(uint32_t number, uint64_t seq, uint16_t sub, int64_t t_ns)
{
    struct chain c = after_five();
    const struct fact_head h = head_of(seq, sub, t_ns);
    return result_name(chain_record(&c, number, &h, NULL, NULL));
}

static void chain_record_in_order_is_taken(void **state)
{
    (void)state;
    assert_string_equal(next_is(2, 5, 3, 5000), "OK");
    assert_string_equal(next_is(1, 6, 0, 5000), "OK");
    assert_string_equal(next_is(7, 6, 0, 6000), "OK");
}

static void chain_record_out_of_order_is_refused(void **state)
{
    (void)state;
    assert_string_equal(next_is(2, 7, 0, 6000), "BROKEN_CHAIN"); /* an event is missing */
    assert_string_equal(next_is(2, 5, 0, 5000), "BROKEN_CHAIN"); /* repeated */
    assert_string_equal(next_is(2, 4, 0, 5000), "BROKEN_CHAIN"); /* back */
    assert_string_equal(next_is(2, 5, 4, 5000), "BROKEN_CHAIN"); /* an effect is missing */
    assert_string_equal(next_is(2, 5, 2, 5000), "BROKEN_CHAIN"); /* repeated */
    assert_string_equal(next_is(2, 6, 3, 5000), "BROKEN_CHAIN"); /* of the next event */
    assert_string_equal(next_is(2, 6, 0, 4999), "BROKEN_CHAIN"); /* time falls */
    assert_string_equal(next_is(2, 5, 3, 5001), "BROKEN_CHAIN"); /* not its event's time */
    assert_string_equal(next_is(1, 5, 3, 5000), "BROKEN_CHAIN"); /* a group splits a step */
}

static void chain_walk_collects_epoch_and_snapshot(void **state)
{
    (void)state;
    struct chain c;
    uint8_t record[KIT_STEP_BYTES];
    struct fact_head h;
    chain_begin(&c);
    kit_record(record, FACT_START, 1, 0, 1);
    memcpy(&h, record, sizeof h);
    assert_ok(chain_record(&c, 1, &h, record + sizeof h, NULL));
    kit_record(record, FACT_SNAPSHOT, 2, 0, 1);
    memcpy(&h, record, sizeof h);
    assert_ok(chain_record(&c, 2, &h, record + sizeof h, NULL));
    assert_int_equal(c.epoch, 1);
    assert_int_equal(c.snapshot_seq, 1);
    assert_int_equal(c.records, 2);
}

struct pair {
    uint8_t *a, *b;
    size_t a_count, b_count;
};

static struct pair two_groups(void)
{
    static const uint8_t zero[32];
    struct pair p;
    p.a = kit_group(kit_id, 1, zero, 1, 4, &p.a_count);
    p.b = kit_group(kit_id, 2, p.a + offsetof(struct group_head, hash), 5, 8, &p.b_count);
    return p;
}

static struct result walk_two(const struct pair *p, struct trail *tr)
{
    struct chain c;
    struct hash_sha256 *sha;
    chain_begin(&c);
    assert_ok(hash_sha256_new(&sha));
    struct result r = chain_add(&c, p->a, p->a_count, sha, tr);
    if (is_ok(r))
        r = chain_add(&c, p->b, p->b_count, sha, tr);
    if (is_ok(r))
        assert_int_equal(c.seq, 8);
    hash_sha256_free(sha);
    return r;
}

static void chain_groups_that_follow_are_taken(void **state)
{
    (void)state;
    struct pair p = two_groups();
    assert_ok(walk_two(&p, NULL));
    free(p.a);
    free(p.b);
}

/* One record of group 1 altered, its CRC and its group's hash redone: group 2 gives it away. */
static void chain_altered_group_with_own_hash_redone_breaks_the_next(void **state)
{
    (void)state;
    struct trail tr = {0};
    struct pair p = two_groups();
    uint8_t *record = p.a + sizeof(struct group_head);
    struct fact_head h;
    record[sizeof h] ^= 1;
    memcpy(&h, record, sizeof h);
    h.crc = group_crc(record, h.bytes);
    memcpy(record, &h, sizeof h);
    kit_reseal(p.a, p.a_count);
    assert_code(walk_two(&p, &tr), BROKEN_CHAIN);
    assert_non_null(strstr(tr.frame[0].text, "group 2 (seq 5 to 8) does not follow group 1"));
    free(p.a);
    free(p.b);
}

static void chain_group_end_must_be_its_last_record(void **state)
{
    (void)state;
    static const uint8_t zero[32];
    size_t n;
    struct group_head head;
    struct chain c;
    struct hash_sha256 *sha;
    uint8_t *g = kit_group(kit_id, 1, zero, 1, 4, &n);
    memcpy(&head, g, sizeof head);
    head.last_seq = 5;
    memcpy(g, &head, sizeof head);
    kit_reseal(g, n);
    chain_begin(&c);
    assert_ok(hash_sha256_new(&sha));
    assert_code(chain_add(&c, g, n, sha, NULL), BROKEN_CHAIN);
    hash_sha256_free(sha);
    free(g);
}

static void chain_from_the_middle_believes_only_its_first_link(void **state)
{
    (void)state;
    struct pair p = two_groups();
    struct chain c;
    struct hash_sha256 *sha;
    assert_ok(hash_sha256_new(&sha));
    chain_begin_at(&c, 2);
    assert_ok(chain_add(&c, p.b, p.b_count, sha, NULL));
    assert_int_equal(c.seq, 8);
    chain_begin_at(&c, 1); /* group 1 has no group before it: its prev must be zero */
    uint8_t *first =
        kit_group(kit_id, 1, p.a + offsetof(struct group_head, hash), 1, 4, &p.b_count);
    assert_code(chain_add(&c, first, p.b_count, sha, NULL), BROKEN_CHAIN);
    hash_sha256_free(sha);
    free(first);
    free(p.a);
    free(p.b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chain_record_in_order_is_taken),
        cmocka_unit_test(chain_record_out_of_order_is_refused),
        cmocka_unit_test(chain_walk_collects_epoch_and_snapshot),
        cmocka_unit_test(chain_groups_that_follow_are_taken),
        cmocka_unit_test(chain_altered_group_with_own_hash_redone_breaks_the_next),
        cmocka_unit_test(chain_group_end_must_be_its_last_record),
        cmocka_unit_test(chain_from_the_middle_believes_only_its_first_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
