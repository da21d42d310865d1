/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: the six storage faults on a real RocksDB journal are each found by journal_open and by
 * tenon-verify, each named in a sentence, and none leaves a journal that is silently shorter.
 *
 * Method: one good journal is made with the real library: part of it flushed into an SST, part of
 * it live in the write-ahead log of a writer that is then killed; its heads lie apart. Each test
 * damages a copy of its own as a disk or a person would, opens it for writing, and runs the
 * built tenon-verify on another copy. The undamaged copy must pass both (or the rest says nothing).
 */
#include "tests/unit/journal/kit.h"

#include <signal.h>
#include <sys/wait.h>
#include <rocksdb/c.h>

enum { STEPS_OLD = 400, STEPS_FLUSHED = 800, STEPS = 1200, OUTPUT_BYTES = 65536 };

static char base[PATH_MAX];      /* everything below it is ours */
static char good[PATH_MAX];      /* journal */
static char heads[PATH_MAX];     /* its heads */
static char yesterday[PATH_MAX]; /* an older copy of the journal */

struct copy {
    char journal[PATH_MAX];
    char heads[PATH_MAX];
};

static struct copy copy_good(const char *name)
{
    struct copy c;
    char n[64];
    snprintf(n, sizeof n, "%s-journal", name);
    kit_path(c.journal, base, n);
    snprintf(n, sizeof n, "%s-heads", name);
    kit_path(c.heads, base, n);
    kit_copy(good, c.journal);
    kit_copy(heads, c.heads);
    return c;
}

static struct journal *open_good(void)
{
    struct trail tr = {0};
    struct journal_store *store;
    struct journal *j;
    struct journal_found found;
    assert_ok_tr(journal_store_rocksdb(good, true, false, &store, &tr), &tr);
    const struct journal_options o = kit_options(store, heads);
    assert_ok_tr(journal_open(&o, &j, &found, &tr), &tr);
    assert_false(found.doubt);
    return j;
}

/* Flushes what is there into an SST, as RocksDB itself does when a memtable is full. */
static void flush_good(void)
{
    char *error = NULL;
    rocksdb_options_t *o = rocksdb_options_create();
    rocksdb_options_set_compression(o, rocksdb_no_compression);
    rocksdb_t *db = rocksdb_open(o, good, &error);
    assert_null(error);
    rocksdb_flushoptions_t *f = rocksdb_flushoptions_create();
    rocksdb_flush(db, f, &error);
    assert_null(error);
    rocksdb_flushoptions_destroy(f);
    rocksdb_close(db);
    rocksdb_options_destroy(o);
}

/* The child writes everything, the last part so that it dies with the log live: no close, no last
 * signature. (A child, since RocksDB's threads do not survive a fork: this process starts them
 * only later.) */
static void write_and_die(void)
{
    struct journal *j = open_good();
    kit_put_groups(j, 1, STEPS_OLD, 8);
    assert_ok(journal_close(j, NULL, NULL));
    kit_copy(good, yesterday);
    j = open_good();
    kit_put_groups(j, STEPS_OLD + 1, STEPS_FLUSHED, 8);
    assert_ok(journal_close(j, NULL, NULL));
    flush_good();
    j = open_good();
    kit_put_groups(j, STEPS_FLUSHED + 1, STEPS, 8);
    kill(getpid(), SIGKILL);
}

static int make_good(void **state)
{
    (void)state;
    int status;
    kit_folder(base);
    kit_path(good, base, "journal");
    kit_path(heads, base, "heads");
    kit_path(yesterday, base, "yesterday");
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        write_and_die();
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    return 0;
}

static int remove_good(void **state)
{
    (void)state;
    kit_remove(base);
    return 0;
}

/* The largest file with this ending. */
static void find_file(const char *dir, const char *ending, char out[PATH_MAX])
{
    off_t best = -1;
    DIR *d = opendir(dir);
    assert_non_null(d);
    for (const struct dirent *e = readdir(d); e; e = readdir(d)) {
        const size_t n = strlen(e->d_name);
        char path[PATH_MAX];
        struct stat st;
        if (n < 5 || strcmp(e->d_name + n - 4, ending) != 0)
            continue;
        kit_path(path, dir, e->d_name);
        assert_int_equal(stat(path, &st), 0);
        if (st.st_size > best) {
            best = st.st_size;
            memcpy(out, path, sizeof path);
        }
    }
    closedir(d);
    assert_true(best >= 0);
}

/* Where the group `index` begins in a file; the file holds it once. */
static size_t find_group(const uint8_t *bytes, size_t count, uint64_t index)
{
    for (size_t i = 0; i + sizeof(struct group_head) < count; i++) {
        struct group_head h;
        if (memcmp(bytes + i, "TENONGRP", 8) != 0)
            continue;
        memcpy(&h, bytes + i, sizeof h);
        if (h.index == index)
            return i;
    }
    fail_msg("group %" PRIu64 " is not in the file", index);
    return 0;
}

/* ---- the two judges ---- */

struct verdict {
    struct result opened;
    bool doubt;
    char sentence[TRAIL_TEXT_BYTES];
    int exit_code;
    char output[OUTPUT_BYTES];
};

static void run_verify(const struct copy *c, struct verdict *v)
{
    int out[2];
    assert_int_equal(pipe(out), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(out[1], 1);
        dup2(out[1], 2);
        close(out[0]);
        execl(TENON_BINARY_DIR "/tenon-verify", "tenon-verify", c->journal, "--heads", c->heads,
              (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    size_t n = 0;
    for (;;) {
        const ssize_t got = read(out[0], v->output + n, OUTPUT_BYTES - 1 - n);
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    v->output[n] = '\0';
    close(out[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    v->exit_code = WEXITSTATUS(status);
}

/* verify first: it must not change what start then sees. */
static struct verdict *judge(const struct copy *c)
{
    struct verdict *v = calloc(1, sizeof *v);
    struct trail tr = {0};
    struct journal_store *store = NULL;
    struct journal *j = NULL;
    struct journal_found found = {0};
    assert_non_null(v);
    run_verify(c, v);
    v->opened = journal_store_rocksdb(c->journal, false, false, &store, &tr);
    if (is_ok(v->opened)) {
        const struct journal_options o = kit_options(store, c->heads);
        v->opened = journal_open(&o, &j, &found, &tr);
    }
    v->doubt = found.doubt;
    snprintf(v->sentence, sizeof v->sentence, "%s",
             is_ok(v->opened) ? found.doubt_text : trail_sentence(&tr, v->opened));
    if (j)
        assert_ok(journal_close(j, NULL, NULL));
    print_message("start:  %s%s %s\nverify: exit %d\n%s\n", result_name(v->opened),
                  v->doubt ? " (doubt)" : "", v->sentence, v->exit_code,
                  strstr(v->output, "finding") ? strstr(v->output, "finding") : "no finding");
    return v;
}

static void assert_says(const char *text, const char *what)
{
    if (!strstr(text, what))
        fail_msg("\"%s\" is not said in: %s", what, text);
}

/* ---- the faults ---- */

static void storage_untouched_copy_passes_both(void **state)
{
    (void)state;
    const struct copy c = copy_good("untouched");
    struct verdict *v = judge(&c);
    assert_ok(v->opened);
    assert_false(v->doubt);
    assert_int_equal(v->exit_code, 0);
    assert_says(v->output, "whole");
    assert_says(v->output, "(seq 1 to 1200)");
    free(v);
}

static void storage_bit_flipped_in_log_is_found(void **state)
{
    (void)state;
    const struct copy c = copy_good("log-flip");
    char path[PATH_MAX];
    size_t n;
    find_file(c.journal, ".log", path);
    uint8_t *bytes = kit_load(path, &n);
    const size_t at = find_group(bytes, n, 120);
    bytes[at + sizeof(struct group_head) + 60] ^= 0x10; /* in its first record's payload */
    kit_store(path, bytes, n);
    free(bytes);
    struct verdict *v = judge(&c);
    assert_code(v->opened, CORRUPT);
    assert_says(v->sentence, "group 120 is missing");
    assert_int_equal(v->exit_code, 65);
    assert_says(v->output, "groups 120 to ");
    assert_says(v->output, "(after seq 952) are missing");
    free(v);
}

static void storage_bit_flipped_in_last_record_of_log_is_found(void **state)
{
    (void)state;
    const struct copy c = copy_good("log-flip-last");
    char path[PATH_MAX];
    size_t n;
    find_file(c.journal, ".log", path);
    uint8_t *bytes = kit_load(path, &n);
    const size_t at = find_group(bytes, n, 150);
    bytes[at + sizeof(struct group_head) + 60] ^= 0x10;
    kit_store(path, bytes, n);
    free(bytes);
    struct verdict *v = judge(&c);
    assert_ok(v->opened);
    assert_true(v->doubt);
    assert_says(v->sentence, "ends at seq 1192 (group 149)");
    assert_says(v->sentence, "says seq 1200 (group 150)");
    assert_int_equal(v->exit_code, 65);
    assert_says(v->output, "the head file says seq 1200 (group 150)");
    free(v);
}

static void storage_bit_flipped_in_table_is_found(void **state)
{
    (void)state;
    const struct copy c = copy_good("sst-flip");
    char path[PATH_MAX];
    size_t n;
    find_file(c.journal, ".sst", path);
    uint8_t *bytes = kit_load(path, &n);
    const size_t at = find_group(bytes, n, 60);
    bytes[at + sizeof(struct group_head) + 60] ^= 0x01;
    kit_store(path, bytes, n);
    free(bytes);
    struct verdict *v = judge(&c);
    assert_code(v->opened, CORRUPT);
    assert_says(v->sentence, "cannot be read at group");
    assert_int_equal(v->exit_code, 65);
    assert_says(v->output, "cannot be read");
    free(v);
}

static void storage_log_cut_is_found(void **state)
{
    (void)state;
    const struct copy c = copy_good("log-cut");
    char path[PATH_MAX];
    size_t n;
    find_file(c.journal, ".log", path);
    uint8_t *bytes = kit_load(path, &n);
    const size_t at = find_group(bytes, n, 140);
    free(bytes);
    assert_int_equal(truncate(path, (off_t)at + 300), 0);
    struct verdict *v = judge(&c);
    assert_ok(v->opened);
    assert_true(v->doubt);
    assert_says(v->sentence, "ends at seq 1112 (group 139)");
    assert_int_equal(v->exit_code, 65);
    assert_says(v->output, "the journal ends at seq 1112 (group 139)");
    free(v);
}

static void storage_table_deleted_is_found(void **state)
{
    (void)state;
    const struct copy c = copy_good("sst-gone");
    char path[PATH_MAX];
    find_file(c.journal, ".sst", path);
    assert_int_equal(unlink(path), 0);
    struct verdict *v = judge(&c);
    assert_code(v->opened, CORRUPT);
    assert_says(v->sentence, strrchr(path, '/') + 1);
    assert_int_equal(v->exit_code, 65);
    assert_says(v->output, strrchr(path, '/') + 1);
    free(v);
}

static void storage_yesterdays_folder_is_found(void **state)
{
    (void)state;
    const struct copy c = copy_good("yesterday-restored");
    kit_remove(c.journal);
    kit_copy(yesterday, c.journal);
    struct verdict *v = judge(&c);
    assert_ok(v->opened);
    assert_true(v->doubt);
    assert_says(v->sentence, "ends at seq 400 (group 50)");
    assert_says(v->sentence, "says seq 1200 (group 150)");
    assert_int_equal(v->exit_code, 65);
    assert_says(v->output, "the journal ends at seq 400 (group 50)");
    free(v);
}

/* Alters one record and redoes every checksum: the record's CRC, its group's hash, and the prev
 * and hash of all groups after it. Written through RocksDB, so that its checksums fit too. */
static void rewrite_from(const char *dir, uint64_t index)
{
    char *error = NULL;
    uint8_t prev[32];
    rocksdb_options_t *o = rocksdb_options_create();
    rocksdb_readoptions_t *ro = rocksdb_readoptions_create();
    rocksdb_writeoptions_t *wo = rocksdb_writeoptions_create();
    rocksdb_t *db = rocksdb_open(o, dir, &error);
    assert_null(error);
    for (uint64_t i = index;; i++) {
        const uint64_t key = __builtin_bswap64(i);
        size_t n;
        char *got = rocksdb_get(db, ro, (const char *)&key, 8, &n, &error);
        assert_null(error);
        if (!got)
            break;
        uint8_t *g = (uint8_t *)got;
        if (i == index) {
            uint8_t *record = g + sizeof(struct group_head);
            struct fact_head h;
            memcpy(&h, record, sizeof h);
            record[sizeof h + 30] ^= 0x40;
            h.crc = group_crc(record, h.bytes);
            memcpy(record, &h, sizeof h);
        } else {
            memcpy(g + offsetof(struct group_head, prev), prev, 32);
        }
        kit_reseal(g, n);
        memcpy(prev, g + offsetof(struct group_head, hash), 32);
        rocksdb_put(db, wo, (const char *)&key, 8, got, n, &error);
        assert_null(error);
        rocksdb_free(got);
    }
    rocksdb_close(db);
    rocksdb_readoptions_destroy(ro);
    rocksdb_writeoptions_destroy(wo);
    rocksdb_options_destroy(o);
}

static void storage_record_altered_with_checksums_redone_is_found(void **state)
{
    (void)state;
    const struct copy c = copy_good("rewritten");
    rewrite_from(c.journal, 70);
    struct verdict *v = judge(&c);
    assert_code(v->opened, BROKEN_CHAIN);
    assert_says(v->sentence, "signed head");
    assert_says(v->sentence, "a record in group 70 (seq 553 to 560) was altered");
    assert_int_equal(v->exit_code, 65);
    assert_says(v->output, "a record in group 70 (seq 553 to 560) was altered");
    free(v);
}

/* After the last signature only the head file knows the end. */
static void storage_unsigned_end_altered_with_checksums_redone_is_found(void **state)
{
    (void)state;
    const struct copy c = copy_good("rewritten-end");
    rewrite_from(c.journal, 130);
    struct verdict *v = judge(&c);
    assert_code(v->opened, BROKEN_CHAIN);
    assert_says(v->sentence, "head file");
    assert_says(v->sentence, "a record in group 130 (seq 1033 to 1040) was altered");
    assert_int_equal(v->exit_code, 65);
    assert_says(v->output, "a record in group 130 (seq 1033 to 1040) was altered");
    free(v);
}

static void storage_current_file_deleted_is_found(void **state)
{
    (void)state;
    const struct copy c = copy_good("current-gone");
    char path[PATH_MAX];
    kit_path(path, c.journal, "CURRENT");
    assert_int_equal(unlink(path), 0);
    struct verdict *v = judge(&c);
    assert_code(v->opened, CORRUPT);
    assert_says(v->sentence, "CURRENT");
    assert_int_equal(v->exit_code, 65);
    assert_says(v->output, "CURRENT");
    free(v);
}

/* The list of hashes only helps to name; without it the range between two heads is named. */
static void storage_record_altered_without_list_is_found_in_range(void **state)
{
    (void)state;
    const struct copy c = copy_good("rewritten-no-list");
    char path[PATH_MAX];
    size_t n;
    rewrite_from(c.journal, 70);
    kit_path(path, c.heads, "head");
    uint8_t *bytes = kit_load(path, &n);
    memset(bytes + 12288, 0, n - 12288);
    kit_store(path, bytes, n);
    free(bytes);
    struct verdict *v = judge(&c);
    assert_code(v->opened, BROKEN_CHAIN);
    assert_says(v->sentence, "a record in groups 51 to 100 was altered");
    assert_int_equal(v->exit_code, 65);
    assert_says(v->output, "a record in groups 51 to 100 was altered");
    free(v);
}

/* A refused start must not destroy what it refused: a second one says the same. */
static void storage_refused_start_changes_nothing(void **state)
{
    (void)state;
    const struct copy c = copy_good("twice");
    char path[PATH_MAX];
    size_t n;
    find_file(c.journal, ".log", path);
    uint8_t *bytes = kit_load(path, &n);
    bytes[find_group(bytes, n, 120) + sizeof(struct group_head) + 60] ^= 0x10;
    kit_store(path, bytes, n);
    struct verdict *v = judge(&c);
    struct verdict *w = judge(&c);
    assert_code(v->opened, CORRUPT);
    assert_code(w->opened, CORRUPT);
    assert_string_equal(v->sentence, w->sentence);
    assert_int_equal(w->exit_code, 65);
    size_t m;
    uint8_t *after = kit_load(path, &m);
    assert_true(m >= find_group(bytes, n, 150));
    assert_memory_equal(after, bytes, find_group(bytes, n, 150));
    free(after);
    free(bytes);
    free(v);
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(storage_untouched_copy_passes_both),
        cmocka_unit_test(storage_bit_flipped_in_log_is_found),
        cmocka_unit_test(storage_bit_flipped_in_last_record_of_log_is_found),
        cmocka_unit_test(storage_bit_flipped_in_table_is_found),
        cmocka_unit_test(storage_log_cut_is_found),
        cmocka_unit_test(storage_table_deleted_is_found),
        cmocka_unit_test(storage_yesterdays_folder_is_found),
        cmocka_unit_test(storage_record_altered_with_checksums_redone_is_found),
        cmocka_unit_test(storage_unsigned_end_altered_with_checksums_redone_is_found),
        cmocka_unit_test(storage_current_file_deleted_is_found),
        cmocka_unit_test(storage_record_altered_without_list_is_found_in_range),
        cmocka_unit_test(storage_refused_start_changes_nothing),
    };
    return cmocka_run_group_tests(tests, make_good, remove_good);
}
