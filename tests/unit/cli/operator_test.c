/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: the operator's commands (config promote and rollback, trust rotate, risk halt, reduce and
 * resume) hand over what they say, follow it to its end, and end with the exit code and the words
 * of what became of it. Method: the real tool as a process of its own against a real gateway on a
 * socket of the test's; the test's thread is the core: it takes the request, publishes views,
 * answers. Nothing sleeps: it waits for requests and for the tool's end.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/hash.h"
#include "gateway/gateway.h"
#include "gateway/parcel.h"

enum { WORDS_MAX = 12, TEXT_MAX = 16 * 1024 };
static const char FILE_TEXT[] = "schema: 1\nserial: 2\n";
static char folder[96], path[128], file[128];
static struct gateway *g;
static struct gateway_view view;
static sem_t woken;
static pid_t tool;
static char out[TEXT_MAX], err[TEXT_MAX];

static void on_wake(void *arg)
{
    sem_post(arg);
}

static void write_file(const char *name, const char *bytes, size_t count)
{
    int fd = open(name, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, count), (ssize_t)count);
    close(fd);
}

/* A host with serial 1 active, and a file of serial 2 with one signature beside it. */
static int make_host(void **state)
{
    const char *base = getenv("TMPDIR");
    char name[160];
    (void)state;
    snprintf(folder, sizeof folder, "%.60s/tenon-op-XXXXXX", base ? base : P_tmpdir);
    if (!mkdtemp(folder) || sem_init(&woken, 0, 0) != 0)
        return -1;
    snprintf(path, sizeof path, "%s/t.sock", folder);
    snprintf(file, sizeof file, "%s/two.yaml", folder);
    write_file(file, FILE_TEXT, strlen(FILE_TEXT));
    snprintf(name, sizeof name, "%s.ana.minisig", file);
    write_file(name, "a signature", 11);
    struct gateway_options o = {.socket_path = path, .wake = on_wake, .wake_arg = &woken};
    struct trail tr = {0};
    if (!is_ok(gateway_open(&o, &g, &tr)))
        return -1;
    memset(&view, 0, sizeof view);
    snprintf(view.host, sizeof view.host, "demo");
    snprintf(view.deployment, sizeof view.deployment, "one.yaml");
    view.mode = MODE_ACTIVE;
    view.serial = 1;
    view.promotion = PROMOTION_PERMANENT;
    memset(view.sha256, 0x11, sizeof view.sha256);
    view.strategy_count = 1;
    view.strategy[0].id = 4;
    snprintf(view.strategy[0].name, sizeof view.strategy[0].name, "cross_btc");
    gateway_publish(g, &view);
    return 0;
}

static int drop_host(void **state)
{
    static const char *const names[] = {"t.sock",    "t.sock.lock", "two.yaml",
                                        "out",       "err",         "two.yaml.ana.minisig",
                                        "lift.yaml", "large.yaml"};
    char name[160];
    (void)state;
    gateway_close(g);
    g = NULL;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(name, sizeof name, "%s/%s", folder, names[i]);
        unlink(name);
    }
    sem_destroy(&woken);
    return rmdir(folder);
}

/* ---- the tool ---- */
static void redirect(const char *name, int to)
{
    char target[160];
    snprintf(target, sizeof target, "%s/%s", folder, name);
    int fd = open(target, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    if (fd < 0 || dup2(fd, to) < 0)
        _exit(98);
    close(fd);
}

/* Starts `tenon --socket PATH` with the words of line, split at blanks; '_' stands for a blank. */
static void start(const char *line)
{
    static char copy[1024];
    char *argv[WORDS_MAX + 1] = {(char[]){"tenon"}, (char[]){"--socket"}, path};
    int argc = 3;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
        assert_true(argc < WORDS_MAX);
        argv[argc++] = word;
    }
    tool = fork();
    if (tool != 0)
        return;
    redirect("out", STDOUT_FILENO);
    redirect("err", STDERR_FILENO);
    execv(TENON_BINARY_DIR "/tenon", argv);
    _exit(97);
}

static void read_back(const char *name, char *to)
{
    char source[160];
    snprintf(source, sizeof source, "%s/%s", folder, name);
    int fd = open(source, O_RDONLY);
    assert_true(fd >= 0);
    ssize_t n = read(fd, to, TEXT_MAX - 1);
    assert_true(n >= 0);
    to[n] = '\0';
    close(fd);
}

/* Waits for the tool's end; its exit code, what it printed is in out and err. */
static void ends(int exit)
{
    int status = 0;
    assert_int_equal(waitpid(tool, &status, 0), tool);
    read_back("out", out);
    read_back("err", err);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != exit)
        fail_msg("status %x, wanted exit %d: %s%s", status, exit, out, err);
}

static void says(const char *where, const char *what)
{
    if (!strstr(where, what))
        fail_msg("'%s' is not in '%s'", what, where);
}

/* ---- the core ---- */
static struct gateway_request take(uint32_t kind)
{
    struct gateway_request r;
    while (sem_wait(&woken) != 0)
        assert_int_equal(errno, EINTR);
    assert_true(gateway_poll(g, &r));
    assert_int_equal(r.kind, kind);
    return r;
}

static void take_nothing(void)
{
    struct gateway_request r;
    assert_false(gateway_poll(g, &r));
}

static void line(const char *text)
{
    view.said++;
    view.line[view.said % 8].number = view.said;
    snprintf(view.line[view.said % 8].text, sizeof view.line[0].text, "%s", text);
}

static void next_is_two(uint32_t promotion)
{
    view.next_serial = 2;
    view.next_promotion = promotion;
    hash_sha256_once(FILE_TEXT, strlen(FILE_TEXT), view.next_sha256);
}

static void nothing_is_next(void)
{
    view.next_serial = view.next_promotion = 0;
    memset(view.next_sha256, 0, sizeof view.next_sha256);
}

static void two_is_active(void)
{
    nothing_is_next();
    view.before_serial = view.serial;
    view.serial = 2;
    view.promotion = PROMOTION_PROBATION;
    hash_sha256_once(FILE_TEXT, strlen(FILE_TEXT), view.sha256);
}

/* Takes the promotion of two.yaml, and lets it into the shadow. */
static void promoted_to_shadow(const char *flags)
{
    char command[300];
    line("serial 1 is active");
    gateway_publish(g, &view);
    snprintf(command, sizeof command, "config promote %s%s", file, flags);
    start(command);
    struct gateway_request r = take(GATEWAY_PROMOTE);
    assert_string_equal(r.bundle->file.name, "two.yaml");
    assert_int_equal(r.bundle->file.count, strlen(FILE_TEXT));
    assert_memory_equal(r.bundle->file.bytes, FILE_TEXT, strlen(FILE_TEXT));
    assert_int_equal(r.bundle->signature_count, 1);
    assert_string_equal(r.bundle->signature[0].name, "two.yaml.ana.minisig");
    bundle_free(r.bundle);
    line("serial 2 is verified");
    next_is_two(PROMOTION_SHADOW);
    gateway_publish(g, &view);
    gateway_answer(g, r.id, 0, "serial 2 hears the live stream");
}

static void promote_is_followed_until_it_is_active(void **state)
{
    (void)state;
    promoted_to_shadow("");
    line("serial 2 took over at event 900");
    two_is_active();
    gateway_publish(g, &view);
    ends(0);
    assert_string_equal(out, "serial 2 is active, on probation: tenon config rollback brings the "
                             "one before it back\n");
    assert_string_equal(err, "serial 2 is verified\nserial 2 took over at event 900\n");
}

static void promote_in_json_is_one_object(void **state)
{
    (void)state;
    promoted_to_shadow(" --json --quiet");
    line("serial 2 took over at event 900");
    two_is_active();
    gateway_publish(g, &view);
    ends(0);
    says(out, "{\"schema\":\"tenon.promotion.v1\",\"serial\":2,\"sha256\":\"");
    says(out, "\"promotion\":\"probation\"");
    says(out, "\"lines\":[\"serial 2 is verified\",\"serial 2 took over at event 900\"]}");
    assert_ptr_equal(strchr(out, '\n'), out + strlen(out) - 1);
    assert_string_equal(err, "");
}

static void promote_refused_by_a_check_ends_with_its_class(void **state)
{
    char command[300];
    (void)state;
    snprintf(command, sizeof command, "config promote %s", file);
    start(command);
    struct gateway_request r = take(GATEWAY_PROMOTE);
    bundle_free(r.bundle);
    gateway_answer(g, r.id, 12, "two.yaml: one operator is missing: bo could sign");
    ends(12);
    says(err, "error[APPROVAL] config promote: two.yaml: one operator is missing: bo could sign\n");
    assert_string_equal(out, "");
}

static void promote_refused_in_the_shadow_ends_with_its_class(void **state)
{
    (void)state;
    promoted_to_shadow("");
    line("serial 2 was refused: cross_btc broke its contract");
    nothing_is_next();
    hash_sha256_once(FILE_TEXT, strlen(FILE_TEXT), view.refused_sha256);
    view.refused_result = RESULT_ABI;
    gateway_publish(g, &view);
    ends(76);
    says(err, "error[ABI] config promote: serial 2 was refused: cross_btc broke its contract");
    assert_string_equal(out, "");
}

static void promote_that_is_gone_is_no_success(void **state)
{
    (void)state;
    promoted_to_shadow(" --json");
    line("serial 2 was given up");
    nothing_is_next();
    gateway_publish(g, &view);
    ends(65);
    says(out, "\"ok\":false,\"exit\":65");
    says(out, "serial 2 was given up");
}

static void promote_replaced_while_nobody_looked_was_active(void **state)
{
    (void)state;
    promoted_to_shadow("");
    two_is_active();
    view.serial = 3;
    memset(view.sha256, 0x33, sizeof view.sha256);
    gateway_publish(g, &view);
    ends(0);
    assert_string_equal(out,
                        "it was active, and has been replaced since: see tenon config history\n");
}

static void promote_no_wait_ends_with_the_answer(void **state)
{
    (void)state;
    promoted_to_shadow(" --no-wait");
    ends(0);
    assert_string_equal(out, "serial 2 hears the live stream\n");
}

/* Ctrl-C before the host has answered, and again after: the tool ends, the host goes on. */
static void promote_interrupted_goes_on(void **state)
{
    char command[300];
    (void)state;
    snprintf(command, sizeof command, "config promote %s", file);
    start(command);
    struct gateway_request r = take(GATEWAY_PROMOTE);
    assert_int_equal(kill(tool, SIGINT), 0);
    ends(130);
    says(err, "the host goes on with it: see tenon status and tenon config history");
    assert_string_equal(r.bundle->file.name, "two.yaml"); /* it is ours */
    bundle_free(r.bundle);
    gateway_answer(g, r.id, 0, "serial 2 hears the live stream");
    promoted_to_shadow(" --json");
    assert_int_equal(kill(tool, SIGINT), 0);
    ends(130);
    says(out, "\"ok\":false,\"exit\":130");
}

static void rollback_is_followed_by_the_serial(void **state)
{
    (void)state;
    start("config rollback --reason drill");
    struct gateway_request r = take(GATEWAY_ROLLBACK);
    assert_string_equal(r.reason, "drill");
    assert_null(r.bundle);
    view.next_serial = 2;
    view.next_promotion = PROMOTION_SHADOW;
    gateway_publish(g, &view);
    gateway_answer(g, r.id, 0, "going back");
    line("serial 2 brings serial 0 back");
    two_is_active();
    view.promotion = PROMOTION_PERMANENT;
    gateway_publish(g, &view);
    ends(0);
    assert_string_equal(out, "serial 2 is active\n");
    says(err, "serial 2 brings serial 0 back");
}

static void rollback_of_nothing_is_refused(void **state)
{
    (void)state;
    start("config rollback");
    struct gateway_request r = take(GATEWAY_ROLLBACK);
    gateway_answer(g, r.id, 65, "there is nothing to go back to");
    ends(65);
    says(err, "error[STATE] config rollback: there is nothing to go back to");
}

static void promote_too_large_a_file_never_leaves(void **state)
{
    char name[160], command[300];
    char *bytes = calloc(1, PARCEL_FILE_MAX + 1);
    (void)state;
    assert_non_null(bytes);
    memset(bytes, '#', PARCEL_FILE_MAX + 1);
    snprintf(name, sizeof name, "%s/large.yaml", folder);
    write_file(name, bytes, PARCEL_FILE_MAX + 1);
    snprintf(command, sizeof command, "config promote %s", name);
    start(command);
    ends(65);
    says(err, "error[TOO_LARGE] config promote: ");
    take_nothing();
    write_file(name, bytes, 300 * 1024); /* the host refuses this one itself, and journals it */
    start(command);
    struct gateway_request r = take(GATEWAY_PROMOTE);
    assert_int_equal(r.bundle->file.count, 300 * 1024);
    bundle_free(r.bundle);
    gateway_answer(g, r.id, 65, "large.yaml: 307200 bytes");
    ends(65);
    free(bytes);
}

/* Whatever it is, the host judges it: the tool neither dies of it nor keeps it back. */
static void promote_of_no_deployment_reaches_the_host(void **state)
{
    static const char *const texts[] = {
        "- 1\n",    "serial\n", "serial: two\n",         "serial: [1]\n",
        "\xff\xfe", "{",        "serial: 99999999999\n", ""};
    char command[300];
    (void)state;
    snprintf(command, sizeof command, "config promote %s", file);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        write_file(file, texts[i], strlen(texts[i]));
        start(command);
        struct gateway_request r = take(GATEWAY_PROMOTE);
        assert_int_equal(r.bundle->file.count, strlen(texts[i]));
        bundle_free(r.bundle);
        gateway_answer(g, r.id, 78, "two.yaml:1:1: no deployment");
        ends(78);
        says(err, "error[CONFIG] config promote: two.yaml:1:1: no deployment");
    }
}

static void trust_rotate_hands_the_document_over(void **state)
{
    char command[300];
    (void)state;
    snprintf(command, sizeof command, "trust rotate %s", file);
    start(command);
    struct gateway_request r = take(GATEWAY_TRUST);
    assert_int_equal(r.bundle->signature_count, 1);
    bundle_free(r.bundle);
    gateway_answer(g, r.id, 0, "trust document version 2 is in force");
    ends(0);
    says(err, "trust document version 2 is in force");
}

static void risk_modes_reach_the_core(void **state)
{
    (void)state;
    start("risk halt cross_btc --reason drill");
    struct gateway_request r = take(GATEWAY_MODE);
    assert_int_equal(r.mode, MODE_HALTED);
    assert_int_equal(r.scope, MODE_SCOPE_STRATEGY);
    assert_int_equal(r.target, 4);
    gateway_answer(g, r.id, 0, "cross_btc is HALTED");
    ends(0);
    start("risk reduce");
    r = take(GATEWAY_MODE);
    assert_int_equal(r.mode, MODE_REDUCING);
    assert_int_equal(r.scope, MODE_SCOPE_GLOBAL);
    gateway_answer(g, r.id, 0, "REDUCING");
    ends(0);
    start("risk resume");
    r = take(GATEWAY_MODE);
    assert_int_equal(r.mode, MODE_ACTIVE);
    gateway_answer(g, r.id, 0, "ACTIVE");
    ends(0);
}

static void resume_after_a_kill_takes_a_request(void **state)
{
    char command[300], name[160], before[TEXT_MAX], after[TEXT_MAX];
    (void)state;
    view.mode = MODE_KILLED;
    gateway_publish(g, &view);
    start("risk resume");
    ends(77);
    says(err, "lifting KILLED takes two people");
    says(err, "tenon risk resume --out FILE");
    take_nothing();
    snprintf(name, sizeof name, "%s/lift.yaml", folder);
    snprintf(command, sizeof command, "risk resume --out %s", name);
    start(command);
    ends(64);
    says(err, "--out needs --reason");
    snprintf(command, sizeof command, "risk resume --reason fixed --out %s", name);
    start(command);
    ends(0);
    read_back("lift.yaml", before);
    says(before, "kind: request\nhost: demo\nwish: resume\nscope: global\nto: active\n");
    says(before, "reason: \"fixed\"\n");
    start(command); /* never over an existing file */
    ends(65);
    read_back("lift.yaml", after);
    assert_string_equal(before, after);
    take_nothing();
    snprintf(command, sizeof command, "risk resume --request %s", name);
    start(command);
    struct gateway_request r = take(GATEWAY_REQUEST);
    assert_int_equal(r.bundle->file.count, strlen(before));
    assert_memory_equal(r.bundle->file.bytes, before, strlen(before));
    bundle_free(r.bundle);
    gateway_answer(g, r.id, 0, "ACTIVE");
    ends(0);
}

static void resume_requests_are_never_the_same_twice(void **state)
{
    char command[300], name[160], one[TEXT_MAX], two[TEXT_MAX];
    (void)state;
    snprintf(name, sizeof name, "%s/lift.yaml", folder);
    snprintf(command, sizeof command, "risk resume cross_btc --json --reason fixed --out %s", name);
    start(command);
    ends(0);
    says(out, "{\"schema\":\"tenon.request.v1\",\"file\":\"");
    read_back("lift.yaml", one);
    says(one, "scope: strategy:cross_btc\n");
    assert_int_equal(unlink(name), 0);
    start(command);
    ends(0);
    read_back("lift.yaml", two);
    const char *a = strstr(one, "nonce: "), *b = strstr(two, "nonce: ");
    assert_true(a != NULL && b != NULL && strcmp(a, b) != 0);
    snprintf(command, sizeof command, "risk resume cross_eth --reason fixed --out %s", name);
    start(command);
    ends(66);
    says(err, "no strategy 'cross_eth'");
}

int main(void)
{
#define HOST(test) cmocka_unit_test_setup_teardown(test, make_host, drop_host)
    const struct CMUnitTest tests[] = {
        HOST(promote_is_followed_until_it_is_active),
        HOST(promote_in_json_is_one_object),
        HOST(promote_refused_by_a_check_ends_with_its_class),
        HOST(promote_refused_in_the_shadow_ends_with_its_class),
        HOST(promote_that_is_gone_is_no_success),
        HOST(promote_replaced_while_nobody_looked_was_active),
        HOST(promote_no_wait_ends_with_the_answer),
        HOST(promote_interrupted_goes_on),
        HOST(rollback_is_followed_by_the_serial),
        HOST(rollback_of_nothing_is_refused),
        HOST(promote_too_large_a_file_never_leaves),
        HOST(promote_of_no_deployment_reaches_the_host),
        HOST(trust_rotate_hands_the_document_over),
        HOST(risk_modes_reach_the_core),
        HOST(resume_after_a_kill_takes_a_request),
        HOST(resume_requests_are_never_the_same_twice),
    };
    return cmocka_run_group_tests_name("operator", tests, NULL, NULL);
}
