/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: start refuses what is broken, starts in doubt on what is whole but shorter than its heads,
 * and cuts only what nobody was told of (cases 72 to 75).
 *
 * Method: a shelf whose groups the test takes away, cuts, swaps or rewrites, and real heads beside
 * it. The real store's part of the same faults is in tests/fault.
 */
#include "tests/unit/journal/kit.h"

#include "journal/check.h"

static char dir[PATH_MAX];
static struct shelf *shelf;

/* Ten groups of four steps; the head file speaks of the last, the signed heads of group 4. */
static int make(void **state)
{
    (void)state;
    struct heads *h;
    struct chain c;
    struct hash_sha256 *sha;
    kit_folder(dir);
    shelf = shelf_new();
    shelf_fill(shelf, 40, 4);
    assert_ok(heads_open(dir, true, &h, NULL));
    assert_ok(hash_sha256_new(&sha));
    chain_begin(&c);
    for (uint64_t i = 1; i <= 10; i++) {
        assert_ok(chain_add(&c, shelf->group[i].bytes, shelf->group[i].count, sha, NULL));
        heads_attempt(h, i);
        heads_write(h, &c, 0);
        if (i == 4)
            assert_ok(heads_sign(h, HEADS_MINUTE, &c, 0, NULL));
    }
    hash_sha256_free(sha);
    heads_close(h);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    shelf_free(shelf);
    kit_remove(dir);
    return 0;
}

static struct result check(struct check_end *end, struct trail *tr)
{
    struct heads *h;
    assert_ok(heads_open(dir, true, &h, tr));
    struct result r = check_store(&shelf->store, h, NULL, end, tr);
    heads_close(h);
    return r;
}

static void take_from(uint64_t index)
{
    for (uint64_t i = index; i <= shelf->last; i++) {
        free(shelf->group[i].bytes);
        shelf->group[i].bytes = NULL;
    }
    shelf->last = index - 1;
}

static void check_whole_journal_is_good(void **state)
{
    (void)state;
    struct check_end end;
    assert_ok(check(&end, NULL));
    assert_false(end.doubt);
    assert_false(end.torn);
    assert_int_equal(end.chain.seq, 40);
    assert_int_equal(end.chain.index, 10);
    assert_int_equal(end.chain.epoch, 1);
}

static void check_bad_checksum_in_the_middle_is_refused_case_73(void **state)
{
    (void)state;
    struct check_end end;
    struct trail tr = {0};
    shelf->group[6].bytes[sizeof(struct group_head) + sizeof(struct fact_head)] ^= 4;
    assert_code(check(&end, &tr), CORRUPT);
    assert_non_null(strstr(tr.frame[0].text, "record 1 of group 6 (seq 21/0, BAR)"));
}

static void check_missing_group_is_refused_case_74(void **state)
{
    (void)state;
    struct check_end end;
    struct trail tr = {0};
    free(shelf->group[6].bytes);
    shelf->group[6].bytes = NULL;
    assert_code(check(&end, &tr), CORRUPT);
    assert_non_null(strstr(tr.frame[0].text, "group 6 is missing"));
}

static void check_swapped_groups_are_refused_case_74(void **state)
{
    (void)state;
    struct check_end end;
    struct trail tr = {0};
    const size_t n = shelf->group[6].count;
    uint8_t *b = shelf->group[6].bytes;
    shelf->group[6].bytes = shelf->group[7].bytes;
    shelf->group[6].count = shelf->group[7].count;
    shelf->group[7].bytes = b;
    shelf->group[7].count = n;
    assert_code(check(&end, &tr), BROKEN_CHAIN);
    assert_non_null(strstr(tr.frame[0].text, "group 6 says that it is group 7"));
}

static void check_older_copy_is_doubt_case_74(void **state)
{
    (void)state;
    struct check_end end;
    take_from(8);
    assert_ok(check(&end, NULL));
    assert_true(end.doubt);
    assert_non_null(strstr(end.doubt_text, "ends at seq 28 (group 7)"));
    assert_non_null(strstr(end.doubt_text, "says seq 40 (group 10)"));
}

/* Also when the head file is gone and only a signed line knows. */
static void check_older_copy_is_doubt_by_signed_head_alone(void **state)
{
    (void)state;
    struct check_end end;
    char path[PATH_MAX];
    kit_path(path, dir, "head");
    assert_int_equal(unlink(path), 0);
    take_from(4);
    assert_ok(check(&end, NULL));
    assert_true(end.doubt);
    assert_non_null(strstr(end.doubt_text, "says seq 16 (group 4)"));
}

static void check_emptied_journal_is_refused(void **state)
{
    (void)state;
    struct check_end end;
    take_from(1);
    assert_code(check(&end, NULL), TRUNCATED);
}

static void check_lost_heads_are_doubt(void **state)
{
    (void)state;
    struct check_end end;
    char path[PATH_MAX];
    kit_path(path, dir, "head");
    assert_int_equal(unlink(path), 0);
    kit_path(path, dir, "heads.signed");
    assert_int_equal(unlink(path), 0);
    assert_ok(check(&end, NULL));
    assert_true(end.doubt);
    assert_non_null(strstr(end.doubt_text, "holds no head"));
}

static void check_other_journal_is_refused_case_75(void **state)
{
    (void)state;
    static const uint8_t other[16] = {9};
    static const uint8_t zero[32];
    struct check_end end;
    struct trail tr = {0};
    take_from(1);
    shelf->last = 1;
    shelf->group[1].bytes = kit_group(other, 1, zero, 1, 4, &shelf->group[1].count);
    assert_code(check(&end, &tr), FOREIGN);
    assert_non_null(strstr(tr.frame[0].text, "09000000"));
    assert_code(check_store(&shelf->store, NULL, kit_id, &end, NULL), FOREIGN);
    assert_ok(check_store(&shelf->store, NULL, other, &end, NULL));
}

/* Every group from `from` on is made anew, so that all checksums and links fit. */
static void rewrite_from(uint64_t from)
{
    for (uint64_t i = from; i <= shelf->last; i++) {
        uint8_t *g = shelf->group[i].bytes;
        if (i == from) {
            struct fact_head h;
            uint8_t *record = g + sizeof(struct group_head);
            record[sizeof h] ^= 1;
            memcpy(&h, record, sizeof h);
            h.crc = group_crc(record, h.bytes);
            memcpy(record, &h, sizeof h);
        } else {
            memcpy(g + offsetof(struct group_head, prev),
                   shelf->group[i - 1].bytes + offsetof(struct group_head, hash), 32);
        }
        kit_reseal(g, shelf->group[i].count);
    }
}

static void check_rewritten_past_is_refused_by_signed_head(void **state)
{
    (void)state;
    struct check_end end;
    struct trail tr = {0};
    rewrite_from(2);
    assert_ok(check_store(&shelf->store, NULL, NULL, &end, NULL)); /* the chain itself fits */
    assert_code(check(&end, &tr), BROKEN_CHAIN);
    assert_non_null(strstr(tr.frame[0].text, "a record in group 2 (seq 5 to 8) was altered"));
    assert_non_null(strstr(tr.frame[0].text, "signed head"));
}

static void check_rewritten_end_is_refused_by_head_file(void **state)
{
    (void)state;
    struct check_end end;
    struct trail tr = {0};
    rewrite_from(10);
    assert_code(check(&end, &tr), BROKEN_CHAIN);
    assert_non_null(strstr(tr.frame[0].text, "a record in group 10 (seq 37 to 40) was altered"));
}

static void check_forged_signed_head_is_called_that(void **state)
{
    (void)state;
    struct check_end end;
    struct trail tr = {0};
    char path[PATH_MAX];
    size_t n;
    kit_path(path, dir, "heads.signed");
    char *text = (char *)kit_load(path, &n);
    char *hash = strstr(text, " 1 0 "); /* epoch, snapshot; then the hash */
    assert_non_null(hash);
    hash[5] = hash[5] == '0' ? '1' : '0';
    kit_store(path, text, n);
    free(text);
    assert_code(check(&end, &tr), CORRUPT);
    assert_non_null(strstr(tr.frame[0].text, "line 1 of"));
    assert_non_null(strstr(tr.frame[0].text, "the line was altered"));
}

/* An eleventh group that only half arrived: no head knows it, so nobody acted on it. */
static void check_torn_unacknowledged_group_is_cut_case_72(void **state)
{
    (void)state;
    struct check_end end;
    shelf->last = 11;
    shelf->group[11].bytes =
        kit_group(kit_id, 11, shelf->group[10].bytes + offsetof(struct group_head, hash), 41, 44,
                  &shelf->group[11].count);
    assert_ok(check(&end, NULL)); /* whole, merely not acknowledged yet: kept */
    assert_false(end.torn);
    assert_int_equal(end.chain.seq, 44);
    shelf->group[11].count /= 2;
    assert_ok(check(&end, NULL));
    assert_true(end.torn);
    assert_false(end.doubt);
    assert_non_null(strstr(end.torn_text, "group 11"));
    assert_int_equal(end.chain.seq, 40);
}

static void check_torn_acknowledged_group_is_refused_case_72(void **state)
{
    (void)state;
    struct check_end end;
    shelf->group[10].count /= 2;
    assert_code(check(&end, NULL), CORRUPT);
}

static void check_attempted_group_that_is_not_there_is_said(void **state)
{
    (void)state;
    struct heads *h;
    struct check_end end;
    assert_ok(heads_open(dir, true, &h, NULL));
    heads_attempt(h, 11);
    heads_close(h);
    assert_ok(check(&end, NULL));
    assert_true(end.torn);
    assert_false(end.doubt);
    assert_non_null(strstr(end.torn_text, "group 11 was being stored"));
}

static void check_pruned_without_checkpoint_is_refused(void **state)
{
    (void)state;
    struct check_end end;
    struct trail tr = {0};
    shelf->first = 4;
    assert_code(check(&end, &tr), CORRUPT);
    assert_non_null(strstr(tr.frame[0].text, "groups 1 to 3 are missing"));
}

/* In doubt, the host may go on; what it then writes must verify at the next start. */
static void check_journal_continued_in_doubt_opens_clean(void **state)
{
    (void)state;
    struct journal *j;
    struct journal_found found;
    struct trail tr = {0};
    const struct journal_options o = kit_options(&shelf->store, dir);
    take_from(3);
    for (int round = 0; round < 2; round++) { /* opening alone settles nothing */
        assert_ok_tr(journal_open(&o, &j, &found, &tr), &tr);
        assert_true(found.doubt);
        assert_int_equal(found.last_seq, 8);
        if (round == 1)
            kit_put_groups(j, 9, 60, 3); /* other groups than the old heads name */
        assert_ok_tr(journal_close(j, NULL, &tr), &tr);
    }
    assert_ok_tr(journal_open(&o, &j, &found, &tr), &tr);
    assert_false(found.doubt);
    assert_int_equal(found.last_seq, 60);
    assert_ok(journal_close(j, NULL, NULL));
    kit_expect_steps(&shelf->store, 1, 60);
}

/* The same, killed right after its first new group: the heads as they are at that moment. */
static void check_journal_continued_in_doubt_and_killed_opens_clean(void **state)
{
    (void)state;
    char copy[PATH_MAX];
    struct heads *h;
    struct check_end end;
    struct journal *j;
    struct journal_found found;
    struct trail tr = {0};
    const struct journal_options o = kit_options(&shelf->store, dir);
    take_from(3);
    snprintf(copy, sizeof copy, "%.4000s-copy", dir);
    assert_ok_tr(journal_open(&o, &j, &found, &tr), &tr);
    kit_put_groups(j, 9, 11, 3);
    kit_copy(dir, copy);
    assert_ok(journal_close(j, NULL, NULL));
    assert_ok(heads_open(copy, true, &h, NULL));
    assert_ok_tr(check_store(&shelf->store, h, NULL, &end, &tr), &tr);
    assert_false(end.doubt);
    assert_int_equal(end.chain.seq, 11);
    heads_close(h);
    kit_remove(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, make, unmake)
        T(check_whole_journal_is_good),
        T(check_bad_checksum_in_the_middle_is_refused_case_73),
        T(check_missing_group_is_refused_case_74),
        T(check_swapped_groups_are_refused_case_74),
        T(check_older_copy_is_doubt_case_74),
        T(check_older_copy_is_doubt_by_signed_head_alone),
        T(check_emptied_journal_is_refused),
        T(check_lost_heads_are_doubt),
        T(check_other_journal_is_refused_case_75),
        T(check_rewritten_past_is_refused_by_signed_head),
        T(check_rewritten_end_is_refused_by_head_file),
        T(check_forged_signed_head_is_called_that),
        T(check_torn_unacknowledged_group_is_cut_case_72),
        T(check_torn_acknowledged_group_is_refused_case_72),
        T(check_attempted_group_that_is_not_there_is_said),
        T(check_pruned_without_checkpoint_is_refused),
        T(check_journal_continued_in_doubt_opens_clean),
        T(check_journal_continued_in_doubt_and_killed_opens_clean),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
