/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: what is archived reads back as it was, what is pruned leaves a journal that verifies from
 * its signed checkpoint and knows what only the pruned part said (epoch, counts), and neither does
 * harm when it cannot be done.
 * Method: a real journal of 50 groups of 4 steps; the archive read through the same reader.
 */
#include "tests/unit/journal/kit.h"

static char base[PATH_MAX], dir[PATH_MAX], heads[PATH_MAX], file[PATH_MAX];

static struct journal *opened(struct journal_found *found, struct journal_store **store)
{
    struct trail tr = {0};
    struct journal *j;
    assert_ok_tr(journal_store_rocksdb(dir, true, false, store, &tr), &tr);
    const struct journal_options o = kit_options(*store, heads);
    assert_ok_tr(journal_open(&o, &j, found, &tr), &tr);
    return j;
}

static int make(void **state)
{
    (void)state;
    struct journal_found found;
    struct journal_store *store;
    kit_folder(base);
    kit_path(dir, base, "journal");
    kit_path(heads, base, "heads");
    kit_path(file, base, "days.tna");
    struct journal *j = opened(&found, &store);
    kit_put_groups(j, 1, 200, 4);
    assert_ok(journal_close(j, NULL, NULL));
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    kit_remove(base);
    return 0;
}

static void archive_reads_back_as_it_was(void **state)
{
    (void)state;
    struct journal_report rep;
    struct journal_store *s;
    struct trail tr = {0};
    assert_ok_tr(journal_archive(dir, heads, file, 101, &rep, &tr), &tr);
    assert_int_equal(rep.groups, 25);
    assert_int_equal(rep.first_seq, 1);
    assert_int_equal(rep.last_seq, 100);
    assert_ok_tr(journal_store_archive(file, &s, &tr), &tr);
    assert_int_equal(kit_expect_steps(s, 1, 100), rep.records);
    struct journal_reader *r;
    struct fact_head h;
    const void *payload;
    assert_ok(journal_reader_open(s, &r, NULL));
    assert_ok(journal_reader_seek(r, 57, NULL)); /* back and forth in a stream */
    assert_ok(journal_reader_next(r, &h, &payload, NULL));
    assert_int_equal(h.seq, 57);
    journal_reader_close(r);
    s->ops->close(s);
}

static void archive_keeps_whole_groups_only(void **state)
{
    (void)state;
    struct journal_report rep;
    assert_ok(journal_archive(dir, heads, file, 100, &rep, NULL)); /* seq 100 itself stays */
    assert_int_equal(rep.last_seq, 96);
}

static void archive_never_overwrites(void **state)
{
    (void)state;
    struct journal_report rep;
    size_t n;
    kit_store(file, "mine", 4);
    assert_code(journal_archive(dir, heads, file, 101, &rep, NULL), DUPLICATE);
    char *text = (char *)kit_load(file, &n);
    assert_string_equal(text, "mine");
    free(text);
}

static void archive_of_nothing_leaves_no_file(void **state)
{
    (void)state;
    struct journal_report rep;
    assert_code(journal_archive(dir, heads, file, 4, &rep, NULL), NOT_FOUND);
    assert_int_not_equal(access(file, F_OK), 0);
}

static void archive_damaged_or_cut_is_refused(void **state)
{
    (void)state;
    struct journal_report rep;
    struct journal_store *s;
    size_t n;
    assert_ok(journal_archive(dir, heads, file, 101, &rep, NULL));
    uint8_t *bytes = kit_load(file, &n);
    for (size_t keep = 0; keep < n; keep += n / 40 + 1) {
        kit_store(file, bytes, keep);
        assert_code(journal_store_archive(file, &s, NULL), CORRUPT);
    }
    /* A flipped bit anywhere is refused, or (in zstd's own framing) changes not one record. */
    uint32_t harmless = 0;
    for (size_t at = 0; at < n; at += n / 1500 + 1) {
        bytes[at] ^= 0x20;
        kit_store(file, bytes, n);
        bytes[at] ^= 0x20;
        if (is_ok(journal_store_archive(file, &s, NULL))) {
            kit_expect_steps(s, 1, 100);
            s->ops->close(s);
            harmless++;
        }
    }
    assert_true(harmless < n / 100);
    free(bytes);
    assert_code(journal_store_archive(base, &s, NULL), CORRUPT);
    kit_remove(file);
    assert_code(journal_store_archive(file, &s, NULL), NOT_FOUND);
}

static void archive_cannot_be_written_to(void **state)
{
    (void)state;
    struct journal_report rep;
    struct journal_store *s;
    assert_ok(journal_archive(dir, heads, file, 101, &rep, NULL));
    assert_ok(journal_store_archive(file, &s, NULL));
    assert_code(s->ops->append(s, 26, "x", 1, true, NULL), STATE);
    assert_code(s->ops->drop_before(s, 2, NULL), STATE);
    s->ops->close(s);
}

static void archive_works_beside_a_running_host(void **state)
{
    (void)state;
    struct journal_report rep;
    struct journal_found found;
    struct journal_store *store;
    struct trail tr = {0};
    struct journal *j = opened(&found, &store);
    kit_put_groups(j, 201, 220, 4);
    assert_ok_tr(journal_archive(dir, heads, file, 209, &rep, &tr), &tr);
    assert_int_equal(rep.last_seq, 208);
    assert_ok(journal_close(j, NULL, NULL));
}

static void prune_leaves_a_journal_that_verifies(void **state)
{
    (void)state;
    struct journal_report rep;
    struct journal_found before, found;
    struct journal_store *store;
    struct trail tr = {0};
    struct journal *j = opened(&before, &store);
    assert_ok(journal_close(j, NULL, NULL));
    assert_ok_tr(journal_prune(dir, heads, 101, &rep, &tr), &tr);
    assert_int_equal(rep.groups, 25);
    assert_int_equal(rep.last_seq, 100);
    j = opened(&found, &store);
    assert_false(found.doubt);
    assert_int_equal(found.last_seq, 200);
    assert_int_equal(found.records, before.records); /* of its whole life */
    assert_int_equal(found.epoch, before.epoch);     /* START was pruned */
    assert_memory_equal(found.head, before.head, 32);
    kit_expect_steps(store, 101, 200);
    kit_put_groups(j, 201, 240, 4);
    assert_ok(journal_close(j, NULL, NULL));
    /* And again, on from the first checkpoint. */
    assert_ok_tr(journal_prune(dir, heads, 221, &rep, &tr), &tr);
    assert_int_equal(rep.first_seq, 101);
    assert_int_equal(rep.last_seq, 220);
    j = opened(&found, &store);
    assert_int_equal(found.last_seq, 240);
    assert_ok(journal_close(j, NULL, NULL));
}

static void prune_never_drops_the_last_group(void **state)
{
    (void)state;
    struct journal_report rep;
    struct journal_found found;
    struct journal_store *store;
    assert_ok(journal_prune(dir, heads, UINT64_MAX, &rep, NULL));
    assert_int_equal(rep.last_seq, 196);
    struct journal *j = opened(&found, &store);
    assert_int_equal(found.last_seq, 200);
    assert_ok(journal_close(j, NULL, NULL));
    assert_code(journal_prune(dir, heads, UINT64_MAX, &rep, NULL), NOT_FOUND);
}

static void prune_beside_a_running_host_is_refused(void **state)
{
    (void)state;
    struct journal_report rep;
    struct journal_found found;
    struct journal_store *store;
    struct journal *j = opened(&found, &store);
    assert_code(journal_prune(dir, heads, 101, &rep, NULL), BUSY);
    assert_ok(journal_close(j, NULL, NULL));
}

/* Killed after the checkpoint was signed and before anything was dropped. */
static void prune_signed_but_not_done_changes_nothing(void **state)
{
    (void)state;
    struct journal_report rep;
    struct journal_found found;
    struct journal_store *store;
    char copy[PATH_MAX];
    kit_path(copy, base, "copy");
    kit_copy(dir, copy);
    assert_ok(journal_prune(dir, heads, 101, &rep, NULL));
    kit_remove(dir);
    assert_int_equal(rename(copy, dir), 0);
    struct journal *j = opened(&found, &store);
    assert_false(found.doubt);
    kit_expect_steps(store, 1, 200);
    assert_ok(journal_close(j, NULL, NULL));
}

/* More than the checkpoint allows is gone: refused. */
static void prune_beyond_its_checkpoint_is_found(void **state)
{
    (void)state;
    struct journal_report rep;
    struct journal_found found;
    struct journal_store *store;
    struct journal *j;
    struct trail tr = {0};
    assert_ok(journal_prune(dir, heads, 101, &rep, NULL));
    assert_ok(journal_store_rocksdb(dir, false, false, &store, NULL));
    assert_ok(store->ops->drop_before(store, 30, NULL));
    const struct journal_options o = kit_options(store, heads);
    assert_code(journal_open(&o, &j, &found, &tr), CORRUPT);
    assert_non_null(strstr(tr.frame[0].text, "groups 26 to 29 are missing"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, make, unmake)
        T(archive_reads_back_as_it_was),
        T(archive_keeps_whole_groups_only),
        T(archive_never_overwrites),
        T(archive_of_nothing_leaves_no_file),
        T(archive_damaged_or_cut_is_refused),
        T(archive_cannot_be_written_to),
        T(archive_works_beside_a_running_host),
        T(prune_leaves_a_journal_that_verifies),
        T(prune_never_drops_the_last_group),
        T(prune_beside_a_running_host_is_refused),
        T(prune_signed_but_not_done_changes_nothing),
        T(prune_beyond_its_checkpoint_is_found),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
