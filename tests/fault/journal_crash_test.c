/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: a host that is killed at any moment finds, when it starts again, every record it was told
 * is durable, in a whole chain, without doubt; and it can go on and be killed again.
 *
 * Method: a child process writes to a real RocksDB journal and sends each durable watermark through
 * a pipe; after a seeded number of them the parent kills it (SIGKILL, so the kernel keeps what was
 * written, as when a process dies; a power cut is the storage test's cut log). A second child opens
 * the journal, compares every record, and reports how far it goes. Ten rounds on one journal.
 */
#include "tests/unit/journal/kit.h"

#include <signal.h>
#include <sys/wait.h>

enum { ROUNDS = 10, STEPS_EACH = 100000 };

static char base[PATH_MAX], dir[PATH_MAX], heads[PATH_MAX];

/* Opens, checks all against kit_step, gives the last seq; the child's own memory only. */
static struct journal *open_and_compare(uint64_t *last)
{
    struct trail tr = {0};
    struct journal_store *store;
    struct journal *j;
    struct journal_found found;
    assert_ok_tr(journal_store_rocksdb(dir, true, false, &store, &tr), &tr);
    struct journal_options o = kit_options(store, heads);
    o.ring_bytes = 65536;
    o.group_records_max = 64;
    assert_ok_tr(journal_open(&o, &j, &found, &tr), &tr);
    if (found.doubt)
        fail_msg("in doubt: %s", found.doubt_text);
    *last = found.last_seq;
    const uint64_t records = kit_expect_steps(store, 1, found.last_seq);
    assert_int_equal(records, found.records);
    return j;
}

static void write_until_killed(int out)
{
    uint64_t seq, told = 0;
    struct journal *j = open_and_compare(&seq);
    uint8_t step[KIT_STEP_BYTES];
    for (const uint64_t end = seq + STEPS_EACH; seq < end;) {
        const uint32_t n = kit_step(step, seq + 1);
        if (is_ok(journal_put(j, step, n, seq + 1, false)))
            seq++;
        const uint64_t durable = journal_durable(j);
        if (durable != told && write(out, &durable, sizeof durable) != sizeof durable)
            _exit(2);
        told = durable;
    }
    _exit(0);
}

/* Lets a writer run until it has told `reports` watermarks; the highest told before it died. */
static uint64_t kill_after(uint64_t reports)
{
    int pipe_ends[2], status;
    uint64_t told = 0, seen;
    assert_int_equal(pipe(pipe_ends), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(pipe_ends[0]);
        write_until_killed(pipe_ends[1]);
    }
    close(pipe_ends[1]);
    for (uint64_t i = 0; i < reports && read(pipe_ends[0], &seen, sizeof seen) == sizeof seen; i++)
        told = seen;
    kill(child, SIGKILL);
    while (read(pipe_ends[0], &seen, sizeof seen) == sizeof seen)
        told = seen;
    close(pipe_ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return told;
}

static uint64_t last_seq_found(void)
{
    int pipe_ends[2], status;
    uint64_t last = 0;
    assert_int_equal(pipe(pipe_ends), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        uint64_t found;
        struct journal *j = open_and_compare(&found);
        const bool sent = write(pipe_ends[1], &found, sizeof found) == sizeof found;
        _exit(is_ok(journal_close(j, NULL, NULL)) && sent ? 0 : 3);
    }
    close(pipe_ends[1]);
    assert_int_equal(read(pipe_ends[0], &last, sizeof last), sizeof last);
    close(pipe_ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return last;
}

static void crash_killed_writer_loses_nothing_acknowledged(void **state)
{
    (void)state;
    struct rng rng;
    const uint64_t seed = 20240601;
    print_message("seed %" PRIu64 "\n", seed);
    rng_seed(&rng, seed);
    for (int round = 0; round < ROUNDS; round++) {
        const uint64_t told = kill_after(1 + rng_below(&rng, 60));
        const uint64_t last = last_seq_found();
        if (last < told)
            fail_msg("round %d: seq %" PRIu64 " was durable, the journal ends at %" PRIu64, round,
                     told, last);
    }
    assert_true(last_seq_found() > 0);
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crash_killed_writer_loses_nothing_acknowledged),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
