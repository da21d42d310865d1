/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: the newest snapshot that is whole and not ahead of the journal is the one that is read.
 * Method: real files; damage done to their bytes.
 */
#include "tests/unit/journal/kit.h"

static char dir[PATH_MAX];

static int make(void **state)
{
    (void)state;
    kit_folder(dir);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    kit_remove(dir);
    return 0;
}

static void write_snapshot(uint64_t seq, size_t count)
{
    uint8_t sha[32];
    uint8_t *bytes = malloc(count);
    struct trail tr = {0};
    memset(bytes, (int)seq, count);
    assert_ok_tr(journal_snapshot_write(dir, seq, bytes, count, sha, &tr), &tr);
    free(bytes);
}

/* The seq that is found; 0 = none. */
static uint64_t found_at(uint64_t upto, struct trail *tr)
{
    uint64_t seq = 0;
    void *bytes;
    size_t count;
    struct result r = journal_snapshot_read(dir, upto, &seq, &bytes, &count, tr);
    if (!is_ok(r)) {
        assert_code(r, NOT_FOUND);
        assert_null(bytes);
        return 0;
    }
    for (size_t i = 0; i < count; i++)
        assert_int_equal(((uint8_t *)bytes)[i], seq & 255);
    free(bytes);
    return seq;
}

static void damage(uint64_t seq, size_t at, uint8_t with)
{
    char path[PATH_MAX], name[64];
    size_t n;
    snprintf(name, sizeof name, "snap-%020" PRIu64 ".tns", seq);
    kit_path(path, dir, name);
    uint8_t *bytes = kit_load(path, &n);
    bytes[at] ^= with;
    kit_store(path, bytes, n);
    free(bytes);
}

static void snapshot_written_is_read_back(void **state)
{
    (void)state;
    write_snapshot(7, 100000);
    assert_int_equal(found_at(7, NULL), 7);
    assert_int_equal(found_at(UINT64_MAX, NULL), 7);
}

static void snapshot_newest_not_ahead_is_chosen(void **state)
{
    (void)state;
    write_snapshot(10, 8);
    write_snapshot(30, 8);
    write_snapshot(20, 8);
    assert_int_equal(found_at(9, NULL), 0);
    assert_int_equal(found_at(10, NULL), 10);
    assert_int_equal(found_at(29, NULL), 20);
    assert_int_equal(found_at(31, NULL), 30);
}

static void snapshot_ahead_of_the_journal_is_refused_case_77(void **state)
{
    (void)state;
    struct trail tr = {0};
    write_snapshot(100, 8);
    assert_int_equal(found_at(99, &tr), 0);
    assert_non_null(strstr(tr.frame[0].text, "ahead of the journal"));
}

static void snapshot_damaged_is_passed_over(void **state)
{
    (void)state;
    const size_t places[] = {0, 8, 12, 16, 24, 32, 36, 40, 72, 79};
    write_snapshot(10, 8);
    write_snapshot(20, 8);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        damage(20, places[i], 1);
        if (found_at(50, NULL) != 10)
            fail_msg("a damaged byte %zu is not seen", places[i]);
        damage(20, places[i], 1);
    }
    assert_int_equal(found_at(50, NULL), 20);
}

static void snapshot_cut_or_half_written_is_passed_over(void **state)
{
    (void)state;
    char path[PATH_MAX];
    write_snapshot(10, 8);
    write_snapshot(20, 80);
    kit_path(path, dir, "snap-00000000000000000020.tns");
    for (off_t keep = 0; keep < 152; keep += 8) {
        write_snapshot(20, 80);
        assert_int_equal(truncate(path, keep), 0);
        assert_int_equal(found_at(50, NULL), 10);
    }
    kit_path(path, dir, ".snap-00000000000000000040.new");
    kit_store(path, "half", 4);
    assert_int_equal(found_at(50, NULL), 10);
}

static void snapshot_renamed_is_passed_over(void **state)
{
    (void)state;
    char from[PATH_MAX], to[PATH_MAX];
    write_snapshot(10, 8);
    kit_path(from, dir, "snap-00000000000000000010.tns");
    kit_path(to, dir, "snap-00000000000000000011.tns");
    assert_int_equal(rename(from, to), 0);
    assert_int_equal(found_at(50, NULL), 0);
}

static void snapshot_is_private_and_alone(void **state)
{
    (void)state;
    struct stat st;
    char path[PATH_MAX];
    int files = 0;
    write_snapshot(10, 8);
    kit_path(path, dir, "snap-00000000000000000010.tns");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    DIR *d = opendir(dir);
    while (readdir(d))
        files++;
    closedir(d);
    assert_int_equal(files, 3); /* itself, . and .. */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, make, unmake)
        T(snapshot_written_is_read_back),
        T(snapshot_newest_not_ahead_is_chosen),
        T(snapshot_ahead_of_the_journal_is_refused_case_77),
        T(snapshot_damaged_is_passed_over),
        T(snapshot_cut_or_half_written_is_passed_over),
        T(snapshot_renamed_is_passed_over),
        T(snapshot_is_private_and_alone),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
