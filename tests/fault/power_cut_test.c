/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: whatever a power cut leaves of the journal's files, the journal opens again without doubt,
 * its chain whole, with every record that was acknowledged as durable and none that was not put;
 * and so it does after a second cut in the middle of that very recovery.
 *
 * Method: a child (this program again) writes to a real RocksDB journal with its heads under the
 * disk shim, which logs each write, sync, rename and truncation; before each put and after each
 * durable point it writes both numbers to a file of its own, so that they have their place in the
 * order of the log. Then the disk is rebuilt as it could have been after each operation (all
 * written, only what was synced, a torn end, any subset of blocks and names) and each image is
 * opened by the production journal, compared record by record, continued, and judged by
 * tenon-verify. Some images are opened by a child under the shim again, and cut again.
 *
 * The short form looks at every n-th operation. The campaign (tools/crash) is the same program:
 *   tests_fault_power_cut_test --campaign IMAGES --seed SEED
 */
#include "tests/unit/journal/kit.h"

#include <sys/wait.h>

#include "base/must.h"
#include "tests/fault/disk_shim.h"
#include "tests/lib/disk_image.h"

enum {
    STEPS_SHORT = 60,
    STEPS_LONG = 400,
    IMAGES_SHORT = 60,
    SECOND_STEPS = 12,
    PAYLOAD_STEPS = 40, /* in one group, sometimes */
};

static struct {
    uint64_t seed, images; /* wanted */
    uint64_t steps;
    char self[PATH_MAX];
    char base[PATH_MAX];
    char doing[200];
    struct {
        uint64_t operations, images, second, verified, records;
        uint64_t cut_short; /* images whose journal had lost what was never acknowledged */
        uint64_t by_damage[DISK_DAMAGE_END];
    } seen;
} run;

/* ---- the writer: a child under the shim ---- */

static void tell(int fd, uint64_t asked, uint64_t durable)
{
    const uint64_t both[2] = {asked, durable};
    must(write(fd, both, sizeof both) == sizeof both);
}

static struct journal *open_journal(const char *dir, struct journal_found *found, struct trail *tr,
                                    struct result *r)
{
    char journal[PATH_MAX], heads[PATH_MAX];
    struct journal_store *store;
    struct journal *j = NULL;
    kit_path(journal, dir, "journal");
    kit_path(heads, dir, "heads");
    *r = journal_store_rocksdb(journal, true, false, &store, tr);
    if (!is_ok(*r))
        return NULL;
    struct journal_options o = kit_options(store, heads);
    o.ring_bytes = 1 << 20;
    *r = journal_open(&o, &j, found, tr);
    return is_ok(*r) ? j : NULL;
}

/* Puts seeded batches, mostly one by one: what is put while a sync runs goes into one group. */
static int writer(const char *dir, uint64_t steps, uint64_t seed)
{
    char path[PATH_MAX];
    struct journal_found found = {0};
    struct trail tr = {0};
    struct result r;
    struct rng rng;
    rng_seed(&rng, seed);
    struct journal *j = open_journal(dir, &found, &tr, &r);
    if (!j)
        return 2;
    kit_path(path, dir, "told");
    const int told = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    must(told >= 0);
    const uint64_t end = found.last_seq + steps;
    for (uint64_t seq = found.last_seq; seq < end;) {
        const uint64_t n = rng_below(&rng, 4) ? 1 : 1 + rng_below(&rng, PAYLOAD_STEPS);
        const uint64_t to = seq + n < end ? seq + n : end;
        tell(told, to, journal_durable(j));
        kit_put(j, seq + 1, to);
        if (rng_below(&rng, 3))
            must(is_ok(journal_wait(j, to, NULL)));
        tell(told, to, journal_durable(j));
        seq = to;
    }
    must(is_ok(journal_wait(j, end, NULL)));
    tell(told, end, journal_durable(j));
    return is_ok(journal_close(j, NULL, NULL)) ? 0 : 3;
}

static void preload_of_self(void)
{
    /* The sanitizers want to be first and are told that they need not: the shim is plain. */
    setenv("ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0", 1);
    /* It reads the mapped head file while the store thread writes it, as a power cut would. */
    setenv("TSAN_OPTIONS", "report_bugs=0", 1);
    setenv("LD_PRELOAD", TENON_BINARY_DIR "/tests/disk_shim.so", 1);
}

/* Runs a writer in `dir` under the shim; the log is its record. */
static void write_logged(const char *dir, const char *log, uint64_t steps, uint64_t seed)
{
    char count[24], number[24];
    int status;
    snprintf(count, sizeof count, "%" PRIu64, steps);
    snprintf(number, sizeof number, "%" PRIu64, seed);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        preload_of_self();
        setenv(DISK_SHIM_ROOT, dir, 1);
        setenv(DISK_SHIM_LOG, log, 1);
        execl(run.self, run.self, "--writer", dir, count, number, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("%s: the writer in %s ended with status %d", run.doing, dir, status);
}

static void make_folders(const char *dir)
{
    char path[PATH_MAX];
    assert_int_equal(mkdir(dir, 0700), 0);
    kit_path(path, dir, "journal");
    assert_int_equal(mkdir(path, 0700), 0);
    kit_path(path, dir, "heads");
    assert_int_equal(mkdir(path, 0700), 0);
}

/* ---- the judges ---- */

static void verify_apart(const char *dir)
{
    char journal[PATH_MAX], heads[PATH_MAX];
    int status;
    kit_path(journal, dir, "journal");
    kit_path(heads, dir, "heads");
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        dup2(null, 1);
        execl(TENON_BINARY_DIR "/tenon-verify", "tenon-verify", journal, "--heads", heads,
              (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("%s: tenon-verify ended with status %d", run.doing, status);
    run.seen.verified++;
}

/* Opens an image as a start does: nothing acknowledged is missing, nothing is invented, and it can
 * go on. */
static void judge(const char *dir, uint64_t asked, uint64_t durable, bool apart)
{
    char journal[PATH_MAX];
    struct journal_found found = {0};
    struct trail tr = {0};
    struct result r;
    struct journal *j = open_journal(dir, &found, &tr, &r);
    if (!j)
        fail_msg("%s: it does not open: %s", run.doing, trail_sentence(&tr, r));
    if (found.doubt)
        fail_msg("%s: in doubt: %s", run.doing, found.doubt_text);
    if (found.last_seq < durable || found.last_seq > asked)
        fail_msg("%s: ends at seq %" PRIu64 "; durable was %" PRIu64 ", put was %" PRIu64,
                 run.doing, found.last_seq, durable, asked);
    run.seen.cut_short += found.last_seq < asked;
    kit_put(j, found.last_seq + 1, found.last_seq + 3);
    assert_ok(journal_close(j, NULL, &tr));
    struct journal_store *store;
    kit_path(journal, dir, "journal");
    assert_ok_tr(journal_store_rocksdb(journal, false, true, &store, &tr), &tr);
    run.seen.records += kit_expect_steps(store, 1, found.last_seq + 3);
    store->ops->close(store);
    if (apart)
        verify_apart(dir);
}

static void image_of(const struct disk *d, enum disk_damage damage, uint64_t seed,
                     char dir[PATH_MAX])
{
    struct rng rng;
    rng_seed(&rng, seed ^ (disk_at(d) * 8 + damage));
    kit_path(dir, run.base, "image");
    kit_remove(dir);
    make_folders(dir);
    disk_write_image(d, damage, &rng, dir);
    snprintf(run.doing, sizeof run.doing, "seed %" PRIu64 " operation %" PRIu64 " damage %d", seed,
             disk_at(d), (int)damage);
    run.seen.images++;
    run.seen.by_damage[damage]++;
}

/* The recovery of an image, itself logged and cut after some of its operations. */
static void cut_again(const struct disk *first, enum disk_damage damage, uint64_t seed,
                      uint64_t each)
{
    char dir[PATH_MAX], kept[PATH_MAX], log[PATH_MAX], second[PATH_MAX];
    uint64_t asked, durable, more_asked, more_durable;
    disk_told(first, &asked, &durable);
    image_of(first, damage, seed, dir);
    kit_path(kept, run.base, "kept");
    kit_path(log, run.base, "second.log");
    kit_remove(kept);
    unlink(log);
    assert_int_equal(rename(dir, kept), 0);
    struct disk *d;
    /* The state before: what the image holds is all on the disk. */
    make_folders(dir);
    kit_path(second, run.base, "second");
    kit_remove(second);
    assert_int_equal(mkdir(second, 0700), 0);
    for (int i = 0; i < 2; i++) {
        char from[PATH_MAX], to[PATH_MAX];
        kit_path(from, kept, i ? "journal" : "heads");
        kit_path(to, second, i ? "journal" : "heads");
        kit_copy(from, to);
    }
    write_logged(second, log, SECOND_STEPS, seed + 1);
    d = disk_new(log, kept);
    while (disk_next(d)) {
        if (!disk_is_change(d) || disk_at(d) % each != 0)
            continue;
        disk_told(d, &more_asked, &more_durable);
        if (more_durable < durable)
            more_durable = durable;
        if (more_asked < asked)
            more_asked = asked;
        for (enum disk_damage m = DISK_KEPT; m < DISK_DAMAGE_END; m++) {
            image_of(d, m, seed + 2, dir);
            judge(dir, more_asked, more_durable, false);
            run.seen.second++;
        }
    }
    disk_free(d);
}

static uint64_t operations_of(const char *log)
{
    struct disk *d = disk_new(log, NULL);
    while (disk_next(d))
        ;
    const uint64_t n = disk_at(d);
    disk_free(d);
    return n;
}

/* All images of one run of the writer: four at each n-th operation, so that `images` are made. */
static void cut_everywhere(uint64_t seed, uint64_t images)
{
    char dir[PATH_MAX], log[PATH_MAX], image[PATH_MAX];
    uint64_t asked, durable;
    kit_path(dir, run.base, "live");
    kit_path(log, run.base, "first.log");
    kit_remove(dir);
    unlink(log);
    make_folders(dir);
    snprintf(run.doing, sizeof run.doing, "seed %" PRIu64, seed);
    write_logged(dir, log, run.steps, seed);
    const uint64_t operations = operations_of(log);
    const uint64_t each = operations * 4 / images + 1;
    run.seen.operations += operations;
    struct disk *d = disk_new(log, NULL);
    while (disk_next(d)) {
        if (!disk_is_change(d) || disk_at(d) % each != seed % each)
            continue;
        disk_told(d, &asked, &durable);
        for (enum disk_damage m = DISK_KEPT; m < DISK_DAMAGE_END; m++) {
            image_of(d, m, seed, image);
            judge(image, asked, durable, disk_at(d) % (8 * each) < each);
        }
        if (disk_at(d) % (32 * each) < each)
            cut_again(d, DISK_MIXED, seed, each < 16 ? 16 : each);
    }
    disk_free(d);
}

static void show(void)
{
    print_message("%" PRIu64 " operations, %" PRIu64 " images (%" PRIu64 " kept, %" PRIu64
                  " synced, %" PRIu64 " torn, %" PRIu64 " mixed), %" PRIu64
                  " after a cut in recovery, %" PRIu64 " shorter than put, %" PRIu64
                  " verified apart, %" PRIu64 " records compared\n",
                  run.seen.operations, run.seen.images, run.seen.by_damage[DISK_KEPT],
                  run.seen.by_damage[DISK_SYNCED], run.seen.by_damage[DISK_TORN],
                  run.seen.by_damage[DISK_MIXED], run.seen.second, run.seen.cut_short,
                  run.seen.verified, run.seen.records);
}

static void power_cut_anywhere_loses_nothing_acknowledged(void **state)
{
    (void)state;
    print_message("seed %" PRIu64 "\n", run.seed);
    for (uint64_t seed = run.seed; run.seen.images < run.images; seed++)
        cut_everywhere(seed, run.images > IMAGES_SHORT ? run.images / 4 + 1 : run.images);
    show();
    assert_true(run.seen.second > 0);
    assert_true(run.seen.cut_short > 0);
    assert_true(run.seen.verified > 0);
}

static int make(void **state)
{
    (void)state;
    kit_folder(run.base);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    kit_remove(run.base);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_cut_anywhere_loses_nothing_acknowledged),
    };
    if (argc == 5 && strcmp(argv[1], "--writer") == 0)
        return writer(argv[2], strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10));
    run.seed = 20240611;
    run.images = IMAGES_SHORT;
    run.steps = STEPS_SHORT;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--campaign") == 0) {
            run.images = strtoull(argv[i + 1], NULL, 10);
            run.steps = STEPS_LONG;
        } else if (strcmp(argv[i], "--seed") == 0) {
            run.seed = strtoull(argv[i + 1], NULL, 10);
        }
    }
    must(readlink("/proc/self/exe", run.self, sizeof run.self - 1) > 0);
    return cmocka_run_group_tests(tests, make, unmake);
}
