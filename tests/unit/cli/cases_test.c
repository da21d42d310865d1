/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: the command line refuses everything that could start the wrong thing (bad-input cases 65,
 * 66, 67, 69, 71 of the risk research), with exit 64 and a sentence, and takes all that is right.
 * Method: the parser is called with argv as main would; one test per kind of mistake, named for its
 * case. Files and sockets are made in a folder of the test's own.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "gateway/args.h"
#include "gateway/gateway.h"

enum { WORDS_MAX = 24 };
static struct args a;
static struct complaint c;

/* Splits `line` at blanks; "''" is an empty argument. */
static struct result parse(const char *line)
{
    static char copy[8192];
    char *argv[WORDS_MAX + 1] = {copy};
    int argc = 1;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
        assert_true(argc < WORDS_MAX);
        argv[argc++] = strcmp(word, "''") == 0 ? word + 2 : word;
    }
    return args_parse(argc, argv, &a, &c);
}

static void refused(const char *line, const char *what, const char *next)
{
    struct result rc = parse(line);
    if (is_ok(rc))
        fail_msg("'%s' was taken", line);
    if (complaint_exit(&c) != 64)
        fail_msg("'%s' gave exit %d: %s", line, complaint_exit(&c), c.what);
    if (!strstr(c.what, what))
        fail_msg("'%s' said '%s', wanted '%s'", line, c.what, what);
    if (!strstr(c.next, next))
        fail_msg("'%s' hinted '%s', wanted '%s'", line, c.next, next);
    assert_true(c.where[0] && c.why[0]);
}

static void taken(const char *line, uint32_t command)
{
    struct result rc = parse(line);
    if (!is_ok(rc))
        fail_msg("'%s' was refused: %s", line, c.what);
    assert_int_equal(a.command, command);
}

static void args_every_command_is_found_by_its_words(void **state)
{
    (void)state;
    taken("status", COMMAND_STATUS);
    taken("plugin check x.so y.so", COMMAND_PLUGIN_CHECK);
    assert_int_equal(a.word_count, 2);
    taken("plugin new strategy ema", COMMAND_PLUGIN_NEW);
    taken("--json risk kill --reason stop", COMMAND_RISK_KILL);
    assert_true(args_has(&a, FLAG_JSON));
    assert_string_equal(a.flag[FLAG_REASON].text, "stop");
    taken("auto off", COMMAND_AUTO_OFF);
    taken("auto on ema_btc", COMMAND_AUTO_ON);
    assert_string_equal(a.word[0], "ema_btc");
    taken("run --seed=7 --speed 0.5 --for 90s", COMMAND_RUN);
    assert_int_equal(a.flag[FLAG_SEED].value, 7);
    assert_int_equal(a.flag[FLAG_SPEED].value, 500);
    assert_int_equal(a.flag[FLAG_FOR].value, 90000000000);
    taken("explain -- 12345", COMMAND_EXPLAIN);
    taken("-h", COMMAND_HELP);
    taken("plugin --help", COMMAND_HELP);
    taken("plugin check --help", COMMAND_PLUGIN_CHECK);
}

static void args_of_one_command_program_need_no_verb(void **state)
{
    char *argv[] = {(char[]){"tenond"}, (char[]){"--seed"}, (char[]){"9"}, (char[]){"--headless"}};
    (void)state;
    assert_true(is_ok(args_parse_as(COMMAND_RUN, 4, argv, &a, &c)));
    assert_int_equal(a.flag[FLAG_SEED].value, 9);
    char *bad[] = {(char[]){"tenond"}, (char[]){"now"}};
    assert_false(is_ok(args_parse_as(COMMAND_RUN, 2, bad, &a, &c)));
    assert_int_equal(complaint_exit(&c), 64);
}

static void args_unknown_words_say_the_nearest(void **state)
{
    (void)state;
    refused("", "no command", "tenon help");
    refused("stauts", "unknown command 'stauts'", "did you mean tenon status?");
    refused("xyzzy", "unknown command", "tenon help");
    refused("journal", "the verb is missing: one of verify, cat, archive, prune", "help journal");
    refused("journal verfy", "none of its verbs", "did you mean tenon journal verify?");
    refused("plugin new strategi x", "none of: indicator strategy", "help plugin new");
    refused("explain", "ID is missing", "help explain");
    refused("explain 1 2", "one argument too many", "help explain");
    refused("--version", "unknown flag --version", "did you mean tenon version?");
}

static void cli_case65_unknown_flag_is_refused(void **state)
{
    (void)state;
    refused("status --jsno", "unknown flag --jsno", "did you mean --json?");
    refused("status --seed 1", "unknown flag --seed", "");
    refused("run --ex 1", "unknown flag --ex", "help run");
    refused("status -x", "unknown flag -x", "help");
    refused("status --jso", "unknown flag --jso", "--json"); /* no shortened flags */
    assert_string_equal(c.where, "status");
}

static void cli_case65_duplicate_flag_is_refused(void **state)
{
    (void)state;
    refused("run --seed 1 --seed 1", "--seed is given twice", "once");
    refused("run --seed=1 --seed 2", "--seed is given twice", "once");
    refused("--json status --json", "--json is given twice", "once");
    refused("status -q --quiet", "--quiet is given twice", "once");
}

static void cli_case65_conflicting_flags_are_refused(void **state)
{
    (void)state;
    refused("run --demo --config x.yaml", "--demo and --config exclude each other", "leave one");
    refused("run --config x.yaml --demo", "--demo and --config exclude each other", "leave one");
    refused("run --headless --speed 2", "--headless and --speed exclude", "leave one");
    refused("risk resume --out a --request b", "--out exclude each other", "leave one");
    refused("risk resume --out a", "--out needs --reason", "add --reason TEXT");
    refused("run --data x.csv", "--data needs --instrument", "add --instrument NAME");
    refused("run --instrument BTC-USD", "--instrument needs --data", "add --data FILE");
    refused("journal prune", "--before is missing", "add --before SEQ");
    refused("backtest --config a --data b", "--instrument is missing", "add --instrument");
}

static void cli_case65_missing_value_is_refused(void **state)
{
    (void)state;
    refused("run --config", "the value of --config is missing", "help run");
    refused("run --config --json", "the value of --config is missing", "help run");
    refused("run --headless=yes", "--headless takes no value", "help run");
    refused("run --config ''", "the value is empty", "help run");
    refused("run --config=", "the value is empty", "help run");
    refused("explain ''", "the value is empty", "");
}

static void cli_case66_numbers_are_read_strictly(void **state)
{
    static const char *const bad[] = {"-1",
                                      "+1",
                                      "0x50",
                                      "1e3",
                                      "1.0",
                                      "007",
                                      "1_000",
                                      "٣",
                                      "9223372036854775808",
                                      "99999999999999999999",
                                      "nan",
                                      "1k"};
    char line[128];
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(line, sizeof line, "run --seed %s", bad[i]);
        refused(line, "is not a whole number from 0 to 9223372036854775807", "plain decimal");
    }
    taken("run --seed 9223372036854775807", COMMAND_RUN);
    taken("run --seed 0", COMMAND_RUN);
    refused("journal cat --limit 0", "from 1 to 1000000000", "");
    refused("journal cat --limit 1000000001", "from 1 to 1000000000", "");
    taken("journal cat --limit 1000000000", COMMAND_JOURNAL_CAT);
}

static void cli_case66_durations_and_ratios_are_read_strictly(void **state)
{
    static const char *const times[] = {"10", "s", "-5s", "1.5h", "0s", "10x", "366d", "1h30m"};
    static const char *const ratios[] = {"0", "-1", "fast", "1e3", "0.0001", "1000001", "0x10"};
    char line[128];
    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        snprintf(line, sizeof line, "run --for %s", times[i]);
        refused(line, "is not a duration from 1ms to 365d", "10m");
    }
    for (size_t i = 0; i < sizeof ratios / sizeof ratios[0]; i++) {
        snprintf(line, sizeof line, "run --speed %s", ratios[i]);
        refused(line, "is not a number from 0.001 to 1000000", "0.5");
    }
    taken("run --for 365d --speed 1000000", COMMAND_RUN);
}

static char folder[128];

static int make_folder(void **state)
{
    const char *base = getenv("TMPDIR");
    (void)state;
    snprintf(folder, sizeof folder, "%s/tenon-cli-XXXXXX", base ? base : P_tmpdir);
    return mkdtemp(folder) ? 0 : -1;
}

static int drop_folder(void **state)
{
    static const char *const names[] = {"file", "link", "fifo", "s.sock", "s.sock.lock"};
    char path[160];
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    return rmdir(folder);
}

static void files_refused(const char *name, int exit, const char *what)
{
    char line[512];
    snprintf(line, sizeof line, "backtest --config %s/%s --data %s/file --instrument X", folder,
             name, folder);
    assert_true(is_ok(parse(line)));
    assert_false(is_ok(args_check_files(&a, &c)));
    assert_int_equal(complaint_exit(&c), exit);
    if (!strstr(c.what, what))
        fail_msg("%s: '%s'", name, c.what);
}

static void cli_case67_path_text_is_checked(void **state)
{
    char line[6000] = "run --config ";
    (void)state;
    memset(line + strlen(line), 'x', 5000);
    line[5013] = '\0';
    refused(line, "the path has 5000 characters, at most 4095", "plain path");
    refused("run --config -", "'-' (standard input) is not a file", "plain path");
    refused("run --config a\nb", "control characters", "plain path");
    assert_null(strchr(c.what, '\n'));
    refused("run --config a\033[2Jb", "control characters", "plain path");
    assert_null(strchr(c.what, '\033'));
    refused("plugin check -", "is not a file", "plain path");
}

static void cli_case67_path_type_is_checked(void **state)
{
    char path[160], target[160], line[600];
    (void)state;
    snprintf(target, sizeof target, "%s/file", folder);
    int fd = open(target, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
    snprintf(path, sizeof path, "%s/link", folder);
    assert_int_equal(symlink(target, path), 0);
    snprintf(path, sizeof path, "%s/fifo", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    files_refused("link", 64, "is a symbolic link");
    files_refused("fifo", 64, "is a device, pipe or socket");
    files_refused(".", 64, "is a folder");
    files_refused("absent", 66, "no file");
    snprintf(line, sizeof line, "backtest --config %s --data %s --instrument X --plugins %s",
             target, target, folder);
    assert_true(is_ok(parse(line)));
    assert_true(is_ok(args_check_files(&a, &c)));
    snprintf(line, sizeof line, "journal cat --journal %s", target);
    assert_true(is_ok(parse(line)));
    assert_false(is_ok(args_check_files(&a, &c)));
    assert_non_null(strstr(c.what, "is not a folder"));
}

static void cli_case69_secret_on_the_command_line_is_refused(void **state)
{
    static const char *const lines[] = {
        "run --api-key=hunter2hunter2",
        "run --password hunter2hunter2",
        "run --token=hunter2hunter2",
        "status --api_secret hunter2hunter2",
        "risk kill --reason password=hunter2hunter2",
        "risk kill --reason api_key:hunter2hunter2",
        "run --config https://me:hunter2hunter2@example.org/x",
        "run --socket=secret=hunter2hunter2",
        "explain token=hunter2hunter2",
        "auto on api-secret=hunter2hunter2",
        "token=hunter2hunter2",
        "-ptoken=hunter2hunter2",
    };
    char printed[2048];
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        assert_false(is_ok(parse(lines[i])));
        assert_int_equal(complaint_exit(&c), 64);
        complaint_print(&c, printed, sizeof printed);
        if (strstr(printed, "hunter2"))
            fail_msg("the secret is shown again: %s", printed);
    }
    refused("run --api-key=x", "unknown flag --api-key", "systemd credentials");
    refused("risk kill --reason token=abcdef", "looks like a secret", "shell history");
    assert_true(args_looks_secret("-----BEGIN PRIVATE KEY-----"));
    assert_false(args_looks_secret("keyboard=us"));
    assert_false(args_looks_secret("token"));
    assert_false(args_looks_secret("ana:author:ana.pub")); /* a person and a role */
    assert_true(args_looks_secret("authorization:Basic"));
    assert_false(args_looks_secret("path/to/tokens.csv"));
    taken("risk kill --reason feed-looks-wrong", COMMAND_RISK_KILL);
}

static void cli_case71_second_host_is_refused(void **state)
{
    struct gateway *one = NULL, *two = NULL;
    struct trail tr = {0};
    char path[160];
    (void)state;
    snprintf(path, sizeof path, "%s/s.sock", folder);
    struct gateway_options o = {.socket_path = path};
    assert_true(is_ok(gateway_open(&o, &one, &tr)));
    struct result rc = gateway_open(&o, &two, &tr);
    assert_int_equal(rc.code, RESULT_BUSY);
    assert_int_equal(result_exit(rc), 75);
    assert_non_null(strstr(trail_sentence(&tr, rc), path));
    gateway_close(one);
    memset(&tr, 0, sizeof tr);
    assert_true(is_ok(gateway_open(&o, &two, &tr))); /* free again */
    gateway_close(two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(args_every_command_is_found_by_its_words),
        cmocka_unit_test(args_of_one_command_program_need_no_verb),
        cmocka_unit_test(args_unknown_words_say_the_nearest),
        cmocka_unit_test(cli_case65_unknown_flag_is_refused),
        cmocka_unit_test(cli_case65_duplicate_flag_is_refused),
        cmocka_unit_test(cli_case65_conflicting_flags_are_refused),
        cmocka_unit_test(cli_case65_missing_value_is_refused),
        cmocka_unit_test(cli_case66_numbers_are_read_strictly),
        cmocka_unit_test(cli_case66_durations_and_ratios_are_read_strictly),
        cmocka_unit_test(cli_case67_path_text_is_checked),
        cmocka_unit_test_setup_teardown(cli_case67_path_type_is_checked, make_folder, drop_folder),
        cmocka_unit_test(cli_case69_secret_on_the_command_line_is_refused),
        cmocka_unit_test_setup_teardown(cli_case71_second_host_is_refused, make_folder,
                                        drop_folder),
    };
    return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
