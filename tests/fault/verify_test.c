/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: tenon-verify's own face: exit codes, words, JSON, pruned journals, bad arguments, and that
 * it judges a journal beside its running host without a false alarm.
 * Method: the built program, run on journals made with the real library.
 */
#include "tests/unit/journal/kit.h"

#include <sys/wait.h>

enum { OUTPUT_BYTES = 65536 };

static char base[PATH_MAX], dir[PATH_MAX], heads[PATH_MAX];
static char output[OUTPUT_BYTES];

static struct journal *opened(void)
{
    struct trail tr = {0};
    struct journal_store *store;
    struct journal *j;
    struct journal_found found;
    assert_ok_tr(journal_store_rocksdb(dir, true, false, &store, &tr), &tr);
    const struct journal_options o = kit_options(store, heads);
    assert_ok_tr(journal_open(&o, &j, &found, &tr), &tr);
    return j;
}

static int make(void **state)
{
    (void)state;
    kit_folder(base);
    kit_path(dir, base, "journal");
    kit_path(heads, base, "heads");
    struct journal *j = opened();
    kit_put_groups(j, 1, 40, 4);
    assert_ok(journal_close(j, NULL, NULL));
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    kit_remove(base);
    return 0;
}

/* Runs tenon-verify with up to four arguments; its exit code, and `output`. vfork's semantics are
 * enough and safe beside RocksDB's threads: the child only redirects and executes. */
static int run(const char *a, const char *b, const char *c, const char *d)
{
    char path[PATH_MAX], log[PATH_MAX];
    int status;
    size_t n;
    const char *argv[] = {"tenon-verify", a, b, c, d, NULL};
    snprintf(path, sizeof path, "%s/tenon-verify", TENON_BINARY_DIR);
    kit_path(log, base, "output");
    const int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(fd, 1);
        dup2(fd, 2);
        execv(path, (char *const *)argv);
        _exit(127);
    }
    close(fd);
    assert_int_equal(waitpid(child, &status, 0), child);
    char *text = (char *)kit_load(log, &n);
    snprintf(output, sizeof output, "%s", text);
    free(text);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void assert_says(const char *what)
{
    if (!strstr(output, what))
        fail_msg("\"%s\" is not said in: %s", what, output);
}

static void verify_whole_journal_exits_0(void **state)
{
    (void)state;
    assert_int_equal(run(dir, "--heads", heads, NULL), 0);
    assert_says("groups    10 (1 to 10)");
    assert_says("(seq 1 to 40)");
    assert_says("result    whole");
    assert_int_equal(run(dir, NULL, NULL, NULL), 0);
    assert_says("no --heads given");
}

static void verify_json_says_the_same(void **state)
{
    (void)state;
    assert_int_equal(run(dir, "--heads", heads, "--json"), 0);
    assert_says("\"groups\":10,");
    assert_says("\"last_seq\":40,");
    assert_says("\"ok\":true,\"findings\":[],");
}

static void verify_wrong_usage_exits_64(void **state)
{
    (void)state;
    assert_int_equal(run(NULL, NULL, NULL, NULL), 64);
    assert_says("usage: tenon-verify JOURNAL_DIR");
    assert_int_equal(run(dir, "--frobnicate", NULL, NULL), 64);
    assert_int_equal(run(dir, "--heads", NULL, NULL), 64);
    assert_int_equal(run(dir, dir, NULL, NULL), 64);
    assert_int_equal(run("", NULL, NULL, NULL), 64);
    assert_int_equal(run(dir, "--key", heads, NULL), 64);
}

static void verify_no_journal_exits_66(void **state)
{
    (void)state;
    char none[PATH_MAX];
    kit_path(none, base, "none");
    assert_int_equal(run(none, NULL, NULL, NULL), 66);
    assert_says("cannot be read: No such file or directory");
}

static void verify_pruned_journal_is_whole(void **state)
{
    (void)state;
    struct journal_report rep;
    struct trail tr = {0};
    assert_ok_tr(journal_prune(dir, heads, 21, &rep, &tr), &tr);
    assert_int_equal(run(dir, "--heads", heads, NULL), 0);
    assert_says("groups    5 (6 to 10)");
    assert_says("groups 1 to 5 (seq 1 to 20,");
    assert_int_equal(run(dir, NULL, NULL, NULL), 0);
    assert_says("begins at group 6: what was before cannot be judged");
}

static void alter(const char *name, const char *after, char with)
{
    char path[PATH_MAX];
    size_t n;
    kit_path(path, heads, name);
    char *text = (char *)kit_load(path, &n);
    char *at = strstr(text, after);
    assert_non_null(at);
    at += strlen(after);
    *at = *at == with ? (char)(with + 1) : with;
    kit_store(path, text, n);
    free(text);
}

static void verify_forged_signed_head_exits_65(void **state)
{
    (void)state;
    alter("heads.signed", "tenon-head 1 stop ", '1');
    assert_int_equal(run(dir, "--heads", heads, NULL), 65);
    assert_says("line 1 of heads.signed (group 10) has a wrong signature");
    assert_int_equal(run(dir, "--heads", heads, "--json"), 65);
    assert_says("\"ok\":false,\"findings\":[\"line 1 of heads.signed");
}

static void verify_newer_formats_are_named(void **state)
{
    (void)state;
    alter("heads.signed", "tenon-head ", '7');
    assert_int_equal(run(dir, "--heads", heads, NULL), 65);
    assert_says("line 1 of heads.signed has format version 7 and this program knows 1");
}

static void verify_missing_heads_exit_65(void **state)
{
    (void)state;
    kit_remove(heads);
    assert_int_equal(run(dir, "--heads", heads, NULL), 65);
    assert_says("the head file");
    assert_says("no head speaks of this journal");
}

/* Ten runs while the host writes and its logs turn: a head never seems to be ahead. */
struct writer {
    struct journal *j;
    _Atomic bool stop;
    _Atomic bool failed;
};

static void *write_on(void *arg)
{
    struct writer *w = arg;
    uint8_t *steps = malloc(100 * KIT_STEP_BYTES);
    uint64_t seq = 41;
    while (steps && !atomic_load(&w->stop)) {
        uint32_t n = 0;
        const uint64_t first = seq;
        for (int i = 0; i < 100; i++)
            n += kit_step(steps + n, seq++);
        struct result r = journal_put(w->j, steps, n, seq - 1, false);
        if (r.code == RESULT_FULL)
            seq = first;
        else if (!is_ok(r))
            atomic_store(&w->failed, true);
        if (is_ok(r) && !is_ok(journal_wait(w->j, seq - 1, NULL)))
            atomic_store(&w->failed, true);
    }
    free(steps);
    return NULL;
}

static void verify_beside_a_running_host_gives_no_false_alarm(void **state)
{
    (void)state;
    struct writer w = {.j = opened()};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, write_on, &w), 0);
    int worst = 0;
    for (int i = 0; i < 10; i++) {
        const int code = run(dir, "--heads", heads, NULL);
        if (code != 0)
            print_message("%s", output);
        worst = code > worst ? code : worst;
    }
    atomic_store(&w.stop, true);
    pthread_join(thread, NULL);
    assert_false(atomic_load(&w.failed));
    assert_ok(journal_close(w.j, NULL, NULL));
    assert_int_equal(worst, 0);
    assert_int_equal(run(dir, "--heads", heads, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, make, unmake)
        T(verify_whole_journal_exits_0),
        T(verify_json_says_the_same),
        T(verify_wrong_usage_exits_64),
        T(verify_no_journal_exits_66),
        T(verify_pruned_journal_is_whole),
        T(verify_forged_signed_head_exits_65),
        T(verify_newer_formats_are_named),
        T(verify_missing_heads_exit_65),
        T(verify_beside_a_running_host_gives_no_false_alarm),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
