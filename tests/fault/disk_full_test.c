/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: a full disk is survived: journal_health says so, new risk is refused, the process stays up,
 * and when there is space again the journal goes on by itself and nothing handed over is lost.
 *
 * Method: once with a store that fails as told (the storage seam), and once with a real RocksDB
 * journal on a small tmpfs that another file fills up, in a mount namespace of its own. The second
 * needs root and is skipped with the reason otherwise.
 */
#include "tests/unit/journal/kit.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

enum { SKIP = 77, BIG_STEPS = 200 };

static void disk_full_store_is_survived_and_loses_nothing(void **state)
{
    (void)state;
    struct shelf *s = shelf_new();
    const struct journal_options o = kit_options(&s->store, NULL);
    struct journal *j;
    struct journal_found found;
    struct trail tr = {0};
    uint64_t ppm;
    uint8_t step[KIT_STEP_BYTES];
    assert_ok_tr(journal_open(&o, &j, &found, &tr), &tr);
    kit_put_groups(j, 1, 20, 5);
    shelf_fail_with(s, RESULT_DISK_FULL);
    uint32_t n = kit_step(step, 21);
    assert_ok(journal_put(j, step, n, 21, false));
    shelf_await_tries(s, 3); /* it was refused and tried again */
    assert_code(journal_health(j, &ppm), DISK_FULL);
    assert_code(journal_wait(j, 21, &tr), DISK_FULL);
    assert_int_equal(journal_durable(j), 20);
    n = kit_step(step, 22);
    assert_code(journal_put(j, step, n, 22, false), FULL);
    assert_ok(journal_put(j, step, n, 22, true)); /* a cancel's record */
    assert_int_equal(journal_durable(j), 20);
    shelf_fail_with(s, RESULT_OK);
    struct result r = journal_wait(j, 22, &tr);
    while (r.code == RESULT_DISK_FULL) {
        shelf_await_tries(s, 0);
        sched_yield();
        r = journal_wait(j, 22, &tr);
    }
    assert_ok(r);
    assert_ok(journal_health(j, &ppm));
    kit_put_groups(j, 23, 40, 3);
    kit_expect_steps(&s->store, 1, 40);
    assert_ok(journal_close(j, NULL, &tr));
    shelf_free(s);
}

static void disk_full_at_close_names_what_is_not_stored(void **state)
{
    (void)state;
    struct shelf *s = shelf_new();
    const struct journal_options o = kit_options(&s->store, NULL);
    struct journal *j;
    struct journal_found found;
    struct trail tr = {0};
    uint8_t head[32];
    assert_ok_tr(journal_open(&o, &j, &found, &tr), &tr);
    kit_put_groups(j, 1, 20, 5);
    shelf_fail_with(s, RESULT_DISK_FULL);
    kit_put(j, 21, 21);
    shelf_await_tries(s, 1);
    assert_code(journal_close(j, head, &tr), DISK_FULL);
    assert_non_null(strstr(trail_sentence(&tr, RESULT_OF(DISK_FULL)), "after seq 20 up to seq 21"));
    assert_memory_equal(head, s->group[s->last].bytes + offsetof(struct group_head, hash), 32);
    assert_true(s->closed);
    shelf_free(s);
}

static void disk_almost_full_is_said_and_puts_are_taken(void **state)
{
    (void)state;
    struct shelf *s = shelf_new();
    struct journal_options o = kit_options(&s->store, NULL);
    struct journal *j;
    struct journal_found found;
    uint64_t ppm;
    s->used_ppm = 950000;
    assert_ok(journal_open(&o, &j, &found, NULL));
    assert_code(journal_health(j, &ppm), DISK_FULL);
    assert_int_equal(ppm, 950000);
    kit_put_groups(j, 1, 4, 1);
    assert_ok(journal_close(j, NULL, NULL));
    o.disk_full_ppm = 950001;
    assert_ok(journal_open(&o, &j, &found, NULL));
    assert_ok(journal_health(j, &ppm));
    assert_ok(journal_close(j, NULL, NULL));
    shelf_free(s);
}

/* ---- the real thing, in a child with a mount namespace of its own ---- */

/* Takes all the space that is left. */
static void fill(const char *path)
{
    static uint8_t block[65536];
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    size_t n = sizeof block;
    while (n > 0)
        if (write(fd, block, n) < (ssize_t)n)
            n /= 2;
    close(fd);
}

static void run_on_tmpfs(const char *mount_at)
{
    char dir[PATH_MAX], heads[PATH_MAX], ballast[PATH_MAX];
    struct trail tr = {0};
    struct journal_store *store;
    struct journal *j;
    struct journal_found found;
    uint64_t ppm, seq = 101;
    static uint8_t steps[BIG_STEPS * KIT_STEP_BYTES];
    kit_path(dir, mount_at, "journal");
    kit_path(heads, mount_at, "heads");
    kit_path(ballast, mount_at, "ballast");
    assert_ok_tr(journal_store_rocksdb(dir, true, false, &store, &tr), &tr);
    struct journal_options o = kit_options(store, heads);
    assert_ok_tr(journal_open(&o, &j, &found, &tr), &tr);
    kit_put_groups(j, 1, 100, 10);
    fill(ballast);
    struct result r = OK_RESULT;
    while (r.code != RESULT_DISK_FULL) {
        uint32_t n = 0;
        for (int i = 0; i < BIG_STEPS; i++)
            n += kit_step(steps + n, seq++);
        assert_ok(journal_put(j, steps, n, seq - 1, true));
        r = journal_wait(j, seq - 1, &tr);
        assert_true(is_ok(r) || r.code == RESULT_DISK_FULL);
    }
    const uint64_t put = seq - 1;
    assert_code(journal_put(j, steps, kit_step(steps, seq), seq, false), FULL);
    const uint64_t durable = journal_durable(j);
    assert_true(durable < put);
    assert_code(journal_health(j, &ppm), DISK_FULL);
    assert_true(ppm > 990000);
    assert_int_equal(unlink(ballast), 0);
    while (journal_durable(j) < put)
        sched_yield();
    assert_ok_tr(journal_wait(j, put, &tr), &tr);
    kit_put_groups(j, put + 1, put + 50, 10);
    assert_ok_tr(journal_close(j, NULL, &tr), &tr);
    assert_ok_tr(journal_store_rocksdb(dir, false, false, &store, &tr), &tr);
    o = kit_options(store, heads);
    assert_ok_tr(journal_open(&o, &j, &found, &tr), &tr);
    assert_false(found.doubt);
    assert_int_equal(found.last_seq, put + 50);
    kit_expect_steps(store, 1, put + 50);
    assert_ok_tr(journal_close(j, NULL, &tr), &tr);
}

static void disk_full_tmpfs_is_survived_and_loses_nothing(void **state)
{
    (void)state;
    char at[PATH_MAX];
    int status;
    kit_folder(at);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
            mount("tenon", at, "tmpfs", 0, "size=64m,mode=0700") != 0)
            _exit(SKIP);
        run_on_tmpfs(at);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    kit_remove(at);
    if (WIFEXITED(status) && WEXITSTATUS(status) == SKIP) {
        print_message("skipped: a tmpfs of its own needs root and a mount namespace\n");
        skip();
    }
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(disk_full_store_is_survived_and_loses_nothing),
        cmocka_unit_test(disk_full_at_close_names_what_is_not_stored),
        cmocka_unit_test(disk_almost_full_is_said_and_puts_are_taken),
        cmocka_unit_test(disk_full_tmpfs_is_survived_and_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
