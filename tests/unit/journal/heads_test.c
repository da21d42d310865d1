/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: heads are kept, found again, and not believed when they were altered.
 * Method: real files in a folder of the test's own; each damage is done to the bytes on disk.
 */
#include "tests/unit/journal/kit.h"

#include "journal/heads.h"

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

static struct chain chain_at(uint64_t index)
{
    struct chain c;
    chain_begin(&c);
    memcpy(c.journal_id, kit_id, 16);
    c.has_id = true;
    c.index = index;
    c.seq = 10 * index;
    c.records = 30 * index;
    c.t_ns = (int64_t)index * 1000;
    c.epoch = 3;
    c.snapshot_seq = 5;
    memset(c.hash, (int)index, sizeof c.hash);
    return c;
}

static struct heads *opened(void)
{
    struct heads *h;
    struct trail tr = {0};
    assert_ok_tr(heads_open(dir, true, &h, &tr), &tr);
    return h;
}

static void sign(struct heads *h, enum heads_kind kind, uint64_t index)
{
    const struct chain c = chain_at(index);
    struct trail tr = {0};
    assert_ok_tr(heads_sign(h, kind, &c, 77, &tr), &tr);
}

static void file_of(char path[PATH_MAX], const char *name)
{
    kit_path(path, dir, name);
}

static void heads_first_open_makes_a_private_key(void **state)
{
    (void)state;
    char path[PATH_MAX];
    struct stat st;
    struct heads *h = opened();
    assert_true(heads_is_blank(h));
    assert_null(heads_slot(h));
    heads_close(h);
    file_of(path, "host.key");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    size_t n;
    char *pem = (char *)kit_load(path, &n);
    assert_non_null(strstr(pem, "BEGIN PRIVATE KEY")); /* PKCS#8 */
    free(pem);
}

static void heads_slot_written_is_found_again(void **state)
{
    (void)state;
    struct heads *h = opened();
    for (uint64_t i = 1; i <= 5; i++) {
        const struct chain c = chain_at(i);
        heads_attempt(h, i);
        heads_write(h, &c, 99);
    }
    heads_close(h);
    h = opened();
    const struct heads_mark *m = heads_slot(h);
    assert_non_null(m);
    const struct chain want = chain_at(5);
    assert_int_equal(m->at.index, 5);
    assert_int_equal(m->at.seq, want.seq);
    assert_int_equal(m->at.records, want.records);
    assert_int_equal(m->at.t_ns, want.t_ns);
    assert_int_equal(m->at.epoch, 3);
    assert_int_equal(m->at.snapshot_seq, 5);
    assert_memory_equal(m->at.hash, want.hash, 32);
    assert_int_equal(m->wall_ns, 99);
    assert_int_equal(heads_attempted(h), 5);
    heads_close(h);
}

/* A copy that was cut in the middle leaves the other slot. */
static void heads_damaged_slot_leaves_the_other(void **state)
{
    (void)state;
    char path[PATH_MAX];
    size_t n;
    struct heads *h = opened();
    for (uint64_t i = 1; i <= 2; i++) {
        const struct chain c = chain_at(i);
        heads_write(h, &c, 0);
    }
    heads_close(h);
    file_of(path, "head");
    for (int slot = 0; slot < 2; slot++) {
        uint8_t *bytes = kit_load(path, &n);
        bytes[4096 * slot + 60] ^= 1;
        kit_store(path, bytes, n);
        h = opened();
        assert_int_equal(heads_slot(h)->at.index, slot == 0 ? 2 : 1);
        heads_close(h);
        bytes[4096 * slot + 60] ^= 1;
        kit_store(path, bytes, n);
        free(bytes);
    }
}

static void heads_newer_slot_version_is_refused(void **state)
{
    (void)state;
    char path[PATH_MAX];
    size_t n;
    struct heads *h = opened();
    const struct chain c = chain_at(1);
    heads_write(h, &c, 0);
    heads_close(h);
    file_of(path, "head");
    uint8_t *bytes = kit_load(path, &n);
    bytes[8]++;
    kit_store(path, bytes, n);
    free(bytes);
    assert_code(heads_open(dir, true, &h, NULL), VERSION);
}

static void heads_signed_lines_are_found_and_verify(void **state)
{
    (void)state;
    uint32_t count;
    struct heads *h = opened();
    sign(h, HEADS_MINUTE, 3);
    sign(h, HEADS_STOP, 7);
    heads_close(h);
    h = opened();
    const struct heads_mark *m = heads_marks(h, &count);
    assert_int_equal(count, 2);
    assert_int_equal(m[0].at.index, 3);
    assert_int_equal(m[1].kind, HEADS_STOP);
    assert_int_equal(m[1].line, 2);
    assert_true(heads_is_signed(h, &m[0]));
    assert_true(heads_is_signed(h, &m[1]));
    struct heads_mark forged = m[1];
    forged.at.seq++;
    assert_false(heads_is_signed(h, &forged));
    heads_close(h);
}

static void heads_half_written_last_line_is_cut(void **state)
{
    (void)state;
    char path[PATH_MAX];
    uint32_t count;
    size_t n;
    struct heads *h = opened();
    sign(h, HEADS_MINUTE, 3);
    sign(h, HEADS_MINUTE, 4);
    heads_close(h);
    file_of(path, "heads.signed");
    uint8_t *bytes = kit_load(path, &n);
    kit_store(path, bytes, n - 20);
    free(bytes);
    h = opened();
    heads_marks(h, &count);
    assert_int_equal(count, 1);
    sign(h, HEADS_MINUTE, 5); /* on a line of its own */
    heads_close(h);
    h = opened();
    const struct heads_mark *m = heads_marks(h, &count);
    assert_int_equal(count, 2);
    assert_int_equal(m[1].at.index, 5);
    heads_close(h);
}

static void heads_damaged_line_in_the_middle_is_refused(void **state)
{
    (void)state;
    char path[PATH_MAX];
    size_t n;
    struct trail tr = {0};
    struct heads *h = opened();
    sign(h, HEADS_MINUTE, 3);
    sign(h, HEADS_MINUTE, 4);
    heads_close(h);
    file_of(path, "heads.signed");
    uint8_t *bytes = kit_load(path, &n);
    bytes[14] = 'x';
    kit_store(path, bytes, n);
    assert_code(heads_open(dir, true, &h, &tr), CORRUPT);
    assert_non_null(strstr(tr.frame[1].text, "line 1 of"));
    bytes[14] = ' ';
    bytes[11] = '2'; /* format version */
    kit_store(path, bytes, n);
    assert_code(heads_open(dir, true, &h, NULL), VERSION);
    free(bytes);
}

static void heads_going_back_without_rewind_is_refused(void **state)
{
    (void)state;
    struct heads *h = opened();
    sign(h, HEADS_MINUTE, 4);
    sign(h, HEADS_MINUTE, 3);
    heads_close(h);
    assert_code(heads_open(dir, true, &h, NULL), CORRUPT);
}

static void heads_rewind_voids_what_was_lost(void **state)
{
    (void)state;
    uint32_t count;
    struct heads *h = opened();
    const struct chain c = chain_at(9);
    heads_write(h, &c, 0);
    sign(h, HEADS_MINUTE, 2);
    sign(h, HEADS_MINUTE, 9);
    sign(h, HEADS_REWIND, 5);
    assert_ok(heads_forget(h, NULL));
    sign(h, HEADS_STOP, 6);
    heads_close(h);
    h = opened();
    const struct heads_mark *m = heads_marks(h, &count);
    assert_int_equal(count, 3);
    assert_int_equal(m[0].at.index, 2);
    assert_int_equal(m[1].kind, HEADS_REWIND);
    assert_int_equal(m[2].at.index, 6);
    assert_null(heads_slot(h));
    heads_close(h);
}

/* Rewinds and checkpoints weaken what is checked: without a good signature they are refused. */
static void forge_last(const char *field)
{
    char path[PATH_MAX];
    size_t n;
    file_of(path, "heads.signed");
    char *text = (char *)kit_load(path, &n);
    char *at = strstr(text, field);
    assert_non_null(at);
    at[strlen(field)] ^= 1; /* first digit of what follows */
    kit_store(path, text, n);
    free(text);
}

static void heads_forged_rewind_or_checkpoint_is_refused(void **state)
{
    (void)state;
    struct heads *h = opened();
    struct trail tr = {0};
    sign(h, HEADS_MINUTE, 9);
    sign(h, HEADS_REWIND, 5);
    heads_close(h);
    forge_last("rewind 07070707000000000000000000000000 ");
    assert_code(heads_open(dir, true, &h, &tr), CORRUPT);
    assert_non_null(strstr(tr.frame[0].text, "line 2"));
    kit_remove(dir);
    assert_int_equal(mkdir(dir, 0700), 0);
    h = opened();
    sign(h, HEADS_CHECKPOINT, 5);
    heads_close(h);
    h = opened();
    assert_int_equal(heads_checkpoint(h)->at.index, 5);
    assert_int_equal(heads_checkpoint(h)->at.epoch, 3);
    heads_close(h);
    forge_last("checkpoint 07070707000000000000000000000000 ");
    assert_code(heads_open(dir, true, &h, NULL), CORRUPT);
}

static void heads_readable_key_is_refused_case_70(void **state)
{
    (void)state;
    char path[PATH_MAX];
    struct trail tr = {0};
    struct heads *h = opened();
    heads_close(h);
    file_of(path, "host.key");
    assert_int_equal(chmod(path, 0640), 0);
    assert_code(heads_open(dir, true, &h, &tr), NOT_PERMITTED);
    assert_non_null(strstr(tr.frame[0].text, "mode 640"));
}

static void heads_lost_key_is_not_made_anew(void **state)
{
    (void)state;
    char path[PATH_MAX];
    struct heads *h = opened();
    sign(h, HEADS_MINUTE, 1);
    heads_close(h);
    file_of(path, "host.key");
    assert_int_equal(unlink(path), 0);
    assert_code(heads_open(dir, true, &h, NULL), MISSING);
}

static void heads_damaged_key_is_refused(void **state)
{
    (void)state;
    char path[PATH_MAX];
    struct heads *h = opened();
    heads_close(h);
    file_of(path, "host.key");
    kit_store(path, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 58);
    assert_code(heads_open(dir, true, &h, NULL), CORRUPT);
}

static void heads_reader_makes_nothing(void **state)
{
    (void)state;
    char path[PATH_MAX];
    struct heads *h;
    file_of(path, "host.key");
    assert_code(heads_open(dir, false, &h, NULL), IO);
    assert_int_not_equal(access(path, F_OK), 0);
}

static void heads_list_names_a_group_that_differs(void **state)
{
    (void)state;
    struct heads *h = opened();
    for (uint64_t i = 1; i <= 3; i++) {
        const struct chain c = chain_at(i);
        heads_write(h, &c, 0);
    }
    heads_close(h);
    h = opened();
    const struct chain two = chain_at(2), four = chain_at(4);
    assert_false(heads_differs(h, 2, two.hash));
    assert_true(heads_differs(h, 2, four.hash));
    assert_false(heads_differs(h, 4, two.hash)); /* nothing is known of it */
    heads_close(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, make, unmake)
        T(heads_first_open_makes_a_private_key),
        T(heads_slot_written_is_found_again),
        T(heads_damaged_slot_leaves_the_other),
        T(heads_newer_slot_version_is_refused),
        T(heads_signed_lines_are_found_and_verify),
        T(heads_half_written_last_line_is_cut),
        T(heads_damaged_line_in_the_middle_is_refused),
        T(heads_going_back_without_rewind_is_refused),
        T(heads_rewind_voids_what_was_lost),
        T(heads_forged_rewind_or_checkpoint_is_refused),
        T(heads_readable_key_is_refused_case_70),
        T(heads_lost_key_is_not_made_anew),
        T(heads_damaged_key_is_refused),
        T(heads_reader_makes_nothing),
        T(heads_list_names_a_group_that_differs),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
