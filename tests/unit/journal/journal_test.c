/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: what is put is durable when the journal says so, is there after a restart, byte for byte,
 * in groups that never split a put; a full ring is an answer; a second instance is refused.
 *
 * Method: the same tests on the memory store and on RocksDB in a folder of the test's own. Waiting
 * means journal_wait; no test sleeps.
 */
#include "tests/unit/journal/kit.h"

static char base[PATH_MAX], dir[PATH_MAX], heads[PATH_MAX];

static int make(void **state)
{
    (void)state;
    kit_folder(base);
    kit_path(dir, base, "journal");
    kit_path(heads, base, "heads");
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    kit_remove(base);
    return 0;
}

static struct journal_store *rocks(void)
{
    struct trail tr = {0};
    struct journal_store *s;
    assert_ok_tr(journal_store_rocksdb(dir, true, false, &s, &tr), &tr);
    return s;
}

static struct journal *opened(struct journal_store *s, const char *heads_dir,
                              struct journal_found *found)
{
    const struct journal_options o = kit_options(s, heads_dir);
    struct journal *j;
    struct trail tr = {0};
    assert_ok_tr(journal_open(&o, &j, found, &tr), &tr);
    return j;
}

static void journal_memory_reads_back_while_open(void **state)
{
    (void)state;
    struct journal_store *s;
    struct journal_found found;
    assert_ok(journal_store_memory(&s));
    struct journal *j = opened(s, NULL, &found);
    assert_int_equal(found.last_seq, 0);
    assert_false(found.doubt);
    kit_put(j, 1, 5000);
    assert_ok(journal_wait(j, 5000, NULL));
    assert_int_equal(journal_durable(j), 5000);
    assert_true(journal_bytes_written(j) > 5000 * 100);
    kit_expect_steps(s, 1, 5000);
    assert_ok(journal_close(j, NULL, NULL));
}

static void journal_rocksdb_is_the_same_after_restart(void **state)
{
    (void)state;
    struct journal_found found;
    uint8_t head[32], id[16];
    uint64_t records = 0;
    for (uint64_t round = 0; round < 3; round++) {
        struct journal_store *s = rocks();
        struct journal *j = opened(s, heads, &found);
        assert_int_equal(found.last_seq, round * 1000);
        assert_int_equal(found.records, records);
        assert_false(found.doubt);
        assert_false(found.torn);
        if (round > 0) {
            assert_memory_equal(found.head, head, 32);
            assert_memory_equal(found.journal_id, id, 16);
            assert_int_equal(found.epoch, 1);
            assert_int_equal(found.last_t_ns, (int64_t)round * 1000000);
        }
        kit_put(j, round * 1000 + 1, round * 1000 + 1000);
        assert_ok(journal_wait(j, round * 1000 + 1000, NULL));
        records = kit_expect_steps(s, 1, round * 1000 + 1000);
        if (round > 0)
            assert_memory_equal(id, found.journal_id, 16);
        assert_ok(journal_close(j, head, NULL));
        s = rocks();
        j = opened(s, heads, &found);
        memcpy(id, found.journal_id, 16);
        assert_memory_equal(found.head, head, 32);
        assert_ok(journal_close(j, NULL, NULL));
    }
}

/* Stepwise and in bulk, with and without disk: one chain per content and grouping. */
static void journal_head_is_that_of_the_reader(void **state)
{
    (void)state;
    struct journal_store *s;
    struct journal_found found;
    struct journal_reader *reader;
    struct fact_head h;
    const void *payload;
    uint8_t head[32];
    struct journal *j = opened(rocks(), heads, &found);
    kit_put(j, 1, 300);
    assert_ok(journal_close(j, head, NULL));
    assert_ok(journal_store_rocksdb(dir, false, true, &s, NULL));
    assert_ok(journal_reader_open(s, &reader, NULL));
    while (is_ok(journal_reader_next(reader, &h, &payload, NULL)))
        ;
    assert_memory_equal(journal_reader_chain(reader), head, 32);
    journal_reader_close(reader);
    s->ops->close(s);
}

static void journal_put_is_never_split(void **state)
{
    (void)state;
    struct shelf *s = shelf_new();
    struct journal_options o = kit_options(&s->store, NULL);
    struct journal *j;
    struct journal_found found;
    uint8_t step[KIT_STEP_BYTES];
    o.group_records_max = 7;
    assert_ok(journal_open(&o, &j, &found, NULL));
    for (uint64_t seq = 1; seq <= 400; seq++)
        assert_ok(journal_put(j, step, kit_step_of(step, FACT_BAR, seq, 9), seq, false));
    assert_ok(journal_wait(j, 400, NULL));
    assert_ok(journal_close(j, NULL, NULL));
    for (uint64_t i = 1; i <= s->last; i++) {
        struct group_head h;
        memcpy(&h, s->group[i].bytes, sizeof h);
        assert_int_equal(h.record_count, 10); /* one step is more than the maximum: alone */
    }
    assert_int_equal(s->last, 400);
    shelf_free(s);
}

/* The store holds the first group back, so the ring fills: then 1/8 is left for cancels. */
static void journal_full_ring_keeps_a_reserve(void **state)
{
    (void)state;
    struct shelf *s = shelf_new();
    struct journal_options o = kit_options(&s->store, NULL);
    struct journal *j;
    struct journal_found found;
    uint8_t step[KIT_STEP_BYTES];
    uint64_t seq = 0, reserve = 0;
    o.ring_bytes = 65536;
    assert_ok(journal_open(&o, &j, &found, NULL));
    pthread_mutex_lock(&s->lock);
    for (;;) {
        const uint32_t n = kit_step(step, seq + 1);
        const struct result r = journal_put(j, step, n, seq + 1, false);
        if (!is_ok(r)) {
            assert_code(r, FULL);
            break;
        }
        assert_true(++seq < 100000);
    }
    for (;;) {
        const uint32_t n = kit_step(step, seq + 1);
        const struct result r = journal_put(j, step, n, seq + 1, true);
        if (!is_ok(r)) {
            assert_code(r, FULL);
            break;
        }
        seq++;
        reserve += n;
    }
    assert_true(reserve > 65536 / 8 - 2 * KIT_STEP_BYTES);
    pthread_mutex_unlock(&s->lock);
    assert_ok(journal_wait(j, seq, NULL));
    kit_put_groups(j, seq + 1, seq + 10, 2); /* room again */
    kit_expect_steps(&s->store, 1, seq + 10);
    assert_ok(journal_close(j, NULL, NULL));
    shelf_free(s);
}

static void journal_put_larger_than_a_quarter_is_refused(void **state)
{
    (void)state;
    struct shelf *s = shelf_new();
    struct journal_options o = kit_options(&s->store, NULL);
    struct journal *j;
    struct journal_found found;
    uint8_t *step = calloc(1, 4096 + 8);
    o.ring_bytes = 16384;
    assert_ok(journal_open(&o, &j, &found, NULL));
    assert_code(journal_put(j, step, 4096 + 8, 1, false), TOO_LARGE);
    assert_ok(journal_close(j, NULL, NULL));
    free(step);
    shelf_free(s);
}

static void journal_wait_for_what_was_never_put_is_refused(void **state)
{
    (void)state;
    struct journal_store *s;
    struct journal_found found;
    assert_ok(journal_store_memory(&s));
    struct journal *j = opened(s, NULL, &found);
    kit_put(j, 1, 3);
    assert_code(journal_wait(j, 4, NULL), STATE);
    assert_ok(journal_wait(j, 3, NULL));
    assert_ok(journal_close(j, NULL, NULL));
}

static void journal_store_that_contradicts_ends_the_writing(void **state)
{
    (void)state;
    struct shelf *s = shelf_new();
    struct journal_found found;
    struct journal *j = opened(&s->store, NULL, &found);
    struct trail tr = {0};
    uint8_t step[KIT_STEP_BYTES];
    uint64_t ppm;
    kit_put_groups(j, 1, 4, 2);
    shelf_fail_with(s, RESULT_TRUNCATED);
    kit_put(j, 5, 5);
    assert_code(journal_wait(j, 5, NULL), TRUNCATED);
    assert_code(journal_health(j, &ppm), TRUNCATED);
    const uint32_t n = kit_step(step, 6);
    assert_code(journal_put(j, step, n, 6, false), FULL);
    assert_code(journal_put(j, step, n, 6, true), FULL);
    assert_code(journal_close(j, NULL, &tr), TRUNCATED);
    assert_int_equal(s->tries, 3); /* not tried again */
    shelf_free(s);
}

static void journal_second_instance_is_refused_case_71(void **state)
{
    (void)state;
    struct journal_found found;
    struct journal_store *other;
    struct trail tr = {0};
    struct journal *j = opened(rocks(), heads, &found);
    assert_code(journal_store_rocksdb(dir, true, false, &other, &tr), BUSY);
    assert_non_null(strstr(tr.frame[0].text, "another instance holds it"));
    assert_null(other);
    kit_put(j, 1, 10);
    assert_ok(journal_close(j, NULL, NULL));
}

static void journal_of_other_id_is_refused_case_75(void **state)
{
    (void)state;
    struct journal_found found;
    struct journal *j = opened(rocks(), heads, &found);
    struct trail tr = {0};
    kit_put(j, 1, 10);
    assert_ok(journal_close(j, NULL, NULL));
    struct journal_options o = kit_options(rocks(), heads);
    memset(o.journal_id, 5, sizeof o.journal_id);
    assert_code(journal_open(&o, &j, &found, &tr), FOREIGN);
    /* And a whole journal with another journal's heads. */
    char other[PATH_MAX], other_heads[PATH_MAX];
    kit_path(other, base, "other");
    kit_path(other_heads, base, "other-heads");
    struct journal_store *s;
    assert_ok(journal_store_rocksdb(other, true, false, &s, NULL));
    j = opened(s, other_heads, &found);
    kit_put(j, 1, 10);
    assert_ok(journal_close(j, NULL, NULL));
    o = kit_options(rocks(), other_heads);
    assert_code(journal_open(&o, &j, &found, &tr), FOREIGN);
}

static void journal_of_given_id_keeps_it(void **state)
{
    (void)state;
    struct journal_found found;
    struct journal *j;
    struct journal_options o = kit_options(rocks(), heads);
    memset(o.journal_id, 5, sizeof o.journal_id);
    assert_ok(journal_open(&o, &j, &found, NULL));
    assert_memory_equal(found.journal_id, o.journal_id, 16);
    kit_put(j, 1, 10);
    assert_ok(journal_close(j, NULL, NULL));
    j = opened(rocks(), heads, &found);
    assert_memory_equal(found.journal_id, o.journal_id, 16);
    assert_ok(journal_close(j, NULL, NULL));
}

static void journal_that_is_not_there_is_not_made(void **state)
{
    (void)state;
    struct journal_store *s;
    assert_code(journal_store_rocksdb(dir, false, false, &s, NULL), NOT_FOUND);
    assert_code(journal_store_rocksdb(dir, false, true, &s, NULL), NOT_FOUND);
    assert_int_not_equal(access(dir, F_OK), 0);
}

/* A SNAPSHOT record and the end are signed; a minute on the clock is too. */
static int64_t minutes_wall(void *arg)
{
    (void)arg;
    return 1;
}
static int64_t minutes_mono(void *arg)
{
    return atomic_load((_Atomic int64_t *)arg);
}

static uint32_t signed_lines(const char *kind)
{
    char path[PATH_MAX], word[32];
    size_t n;
    uint32_t count = 0;
    kit_path(path, heads, "heads.signed");
    char *text = (char *)kit_load(path, &n);
    snprintf(word, sizeof word, "tenon-head 1 %s ", kind);
    for (char *at = strstr(text, word); at; at = strstr(at + 1, word))
        count++;
    free(text);
    return count;
}

static void journal_signs_at_minute_snapshot_and_stop(void **state)
{
    (void)state;
    _Atomic int64_t now = 0;
    const struct clock clock = {.wall_ns = minutes_wall, .mono_ns = minutes_mono, .arg = &now};
    struct journal_options o = kit_options(rocks(), heads);
    struct journal *j;
    struct journal_found found;
    uint8_t step[KIT_STEP_BYTES];
    o.clock = &clock;
    assert_ok(journal_open(&o, &j, &found, NULL));
    kit_put_groups(j, 1, 10, 5);
    atomic_store(&now, 61 * (int64_t)1000000000);
    kit_put_groups(j, 11, 20, 5);
    assert_ok(journal_put(j, step, kit_step_of(step, FACT_SNAPSHOT, 21, 0), 21, false));
    assert_ok(journal_wait(j, 21, NULL));
    assert_ok(journal_put(j, step, kit_step(step, 22), 22, false));
    assert_ok(journal_close(j, NULL, NULL));
    assert_int_equal(signed_lines("minute"), 1);
    assert_int_equal(signed_lines("snapshot"), 1);
    assert_int_equal(signed_lines("stop"), 1);
    j = opened(rocks(), heads, &found);
    assert_int_equal(found.last_snapshot_seq, 20);
    assert_ok(journal_close(j, NULL, NULL));
    assert_int_equal(signed_lines("stop"), 1); /* nothing new to sign */
}

static void journal_copy_by_checkpoint_is_whole(void **state)
{
    (void)state;
    char copy[PATH_MAX];
    struct journal_found found;
    struct journal_store *s = rocks();
    struct journal *j = opened(s, heads, &found);
    struct trail tr = {0};
    kit_path(copy, base, "copy");
    kit_put_groups(j, 1, 100, 4);
    assert_ok_tr(s->ops->checkpoint(s, copy, &tr), &tr);
    kit_put_groups(j, 101, 120, 4);
    assert_ok(journal_close(j, NULL, NULL));
    assert_ok(journal_store_rocksdb(copy, false, true, &s, NULL));
    kit_expect_steps(s, 1, 100);
    s->ops->close(s);
}

/* Enough bytes for several logs and tables: the switch from one to the next loses nothing. */
static void journal_over_many_tables_reads_back(void **state)
{
    (void)state;
    enum { BIG_STEPS = 500, BIG_PUTS = 160 };
    struct journal_found found;
    struct journal *j = opened(rocks(), heads, &found);
    uint8_t *steps = malloc(BIG_STEPS * KIT_STEP_BYTES);
    assert_non_null(steps);
    uint64_t seq = 1;
    for (int put = 0; put < BIG_PUTS; put++) {
        uint32_t n = 0;
        for (int i = 0; i < BIG_STEPS; i++)
            n += kit_step(steps + n, seq++);
        struct result r = journal_put(j, steps, n, seq - 1, false);
        while (r.code == RESULT_FULL) {
            assert_ok(journal_wait(j, seq - 1 - BIG_STEPS, NULL));
            r = journal_put(j, steps, n, seq - 1, false);
        }
        assert_ok(r);
    }
    free(steps);
    assert_ok(journal_close(j, NULL, NULL));
    struct journal_store *s = rocks();
    j = opened(s, heads, &found);
    assert_false(found.doubt);
    assert_int_equal(found.last_seq, seq - 1);
    kit_expect_steps(s, 1, seq - 1);
    assert_ok(journal_close(j, NULL, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, make, unmake)
        T(journal_memory_reads_back_while_open),
        T(journal_rocksdb_is_the_same_after_restart),
        T(journal_head_is_that_of_the_reader),
        T(journal_put_is_never_split),
        T(journal_full_ring_keeps_a_reserve),
        T(journal_put_larger_than_a_quarter_is_refused),
        T(journal_wait_for_what_was_never_put_is_refused),
        T(journal_store_that_contradicts_ends_the_writing),
        T(journal_second_instance_is_refused_case_71),
        T(journal_of_other_id_is_refused_case_75),
        T(journal_of_given_id_keeps_it),
        T(journal_that_is_not_there_is_not_made),
        T(journal_signs_at_minute_snapshot_and_stop),
        T(journal_copy_by_checkpoint_is_whole),
        T(journal_over_many_tables_reads_back),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
