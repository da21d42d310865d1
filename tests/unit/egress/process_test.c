/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: the real tenon-egress process keeps its promises over its real doors: an order leaves once
 * and only when its record is durable; it outlives the engine; a kill works without engine and
 * bay, and outlives egress itself; strangers and seconds are refused.
 * Method: the program of this build, with engine, bay and venue played by tests/lib/egress_guest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "egress/secret.h"
#include "tests/lib/egress_guest.h"

static struct egress_guest *guest;
#define KILL "{\"v\":1,\"id\":4,\"cmd\":\"risk kill\",\"args\":{\"reason\":\"test\"}}"

static enum secret_kind secret_kind = SECRET_SIMULATED;

static void put_secret(const char *key, bool replace)
{
    struct trail tr = {0};
    struct secrets *s = NULL;
    struct secret_field f = {.count = (uint32_t)strlen(key)};
    char folder[96], path[112];
    uint8_t *bytes = NULL;
    size_t n = 0;
    memcpy(f.bytes, key, f.count);
    snprintf(folder, sizeof folder, "%s/state", guest->dir);
    snprintf(path, sizeof path, "%s/secrets", folder);
    (void)mkdir(folder, 0700);
    if (replace) {
        assert_true(is_ok(secret_read(path, &bytes, &n, &tr)));
        assert_true(is_ok(secret_open(bytes, n, "pass word", path, &s, &tr)));
        free(bytes);
    } else {
        assert_true(is_ok(secret_new("pass word", 10, &s, &tr)));
    }
    struct result r = replace ? secret_rotate(s, "paper", &f, 1, &tr)
                              : secret_add(s, "paper", secret_kind, &f, 1, &tr);
    assert_true(is_ok(r));
    assert_true(is_ok(secret_seal(s, &bytes, &n, &tr)));
    assert_true(is_ok(secret_write(path, bytes, n, &tr)));
    secret_free(s);
    free(bytes);
}

static void start_trading(void)
{
    put_secret("key-one", false);
    egress_guest_run(guest, "pass word\n");
    egress_guest_attach(guest, 5);
    egress_guest_bay(guest);
}

static void process_order_leaves_once_with_its_secret(void **state)
{
    (void)state;
    start_trading();
    egress_guest_order(guest, 4096, 1, false);
    egress_guest_durable(guest, 1);
    const struct road_sent *s = egress_guest_wait_sent(guest, 4096);
    assert_int_equal(s->sent.what, FACT_SENT_OK);
    const char *r = egress_guest_wait_request(guest, "POST /v1/orders", 0);
    assert_non_null(strstr(r, "X-Key: key-one\r\n"));
    assert_non_null(strstr(r, "\"client_id\":\"T1-4096-1\""));
    assert_non_null(strstr(r, "\"qty\":\"1.5"));
    while (guest->in_count == 0) /* the venue's answer reaches the adapter */
        egress_guest_turn(guest);
    assert_int_equal(egress_guest_requests(guest, "POST"), 1);
}

/* The second approval does not wait for the record of the first. */
static void process_order_waits_for_its_record(void **state)
{
    (void)state;
    start_trading();
    egress_guest_durable(guest, 9);
    egress_guest_order(guest, 10 * 4096, 10, false);
    egress_guest_order(guest, 11 * 4096, 0, true);
    egress_guest_wait_sent(guest, 11 * 4096);
    assert_int_equal(egress_guest_requests(guest, "T1-40960-1"), 0);
    egress_guest_durable(guest, 10);
    assert_int_equal(egress_guest_wait_sent(guest, 10 * 4096)->sent.what, FACT_SENT_OK);
    assert_int_equal(egress_guest_requests(guest, "T1-40960-1"), 1);
}

static void process_outlives_its_engine_and_takes_the_next(void **state)
{
    (void)state;
    int second = -1;
    start_trading();
    struct road_welcome w = egress_guest_hello(guest, 6, &second);
    assert_int_equal(w.exit, 75); /* one engine at a time */
    close(second);
    egress_guest_detach(guest);
    egress_guest_wait_status(guest, "\"attached\":false");
    w = egress_guest_hello(guest, 4, &second); /* an older one comes too late */
    assert_int_not_equal(w.exit, 0);
    close(second);
    munmap(guest->page, sizeof *guest->page);
    close(guest->page_fd);
    guest->page = NULL;
    egress_guest_attach(guest, 6);
    egress_guest_bay(guest);
    egress_guest_order(guest, 8192, 0, true);
    assert_int_equal(egress_guest_wait_sent(guest, 8192)->sent.what, FACT_SENT_OK);
}

/* As an engine that is killed, or that has waited long enough, while egress starts. */
static void process_hello_of_one_that_is_gone_is_forgotten(void **state)
{
    (void)state;
    put_secret("key-one", false);
    egress_guest_run(guest, "pass word\n");
    egress_guest_hello_and_gone(guest, 5);
    egress_guest_hello_and_gone(guest, 5);
    egress_guest_attach(guest, 5);
    egress_guest_bay(guest);
    egress_guest_order(guest, 8192, 0, true);
    assert_int_equal(egress_guest_wait_sent(guest, 8192)->sent.what, FACT_SENT_OK);
}

static void process_kill_needs_neither_engine_nor_bay(void **state)
{
    (void)state;
    start_trading();
    guest->position = 1500;
    egress_guest_order(guest, 4096, 0, true);
    egress_guest_wait_sent(guest, 4096);
    egress_guest_detach(guest);
    egress_guest_wait_status(guest, "\"attached\":false");
    char *answer = egress_guest_door(guest, KILL);
    assert_non_null(answer);
    assert_non_null(strstr(answer, "\"ok\":true"));
    free(answer);
    egress_guest_wait_request(guest, "DELETE /v1/orders/all", 0);
    const char *close_of = egress_guest_wait_request(guest, "\"client_id\":\"K", 0);
    assert_non_null(strstr(close_of, "\"side\":\"sell\""));
    assert_non_null(strstr(close_of, "\"reduce_only\":true"));
    egress_guest_wait_request(guest, "GET /v1/positions", 2);
    egress_guest_wait_status(guest, "\"killed\":true");
}

/* Case 68: a live key in a rehearsal, and a rehearsal's key where orders would be real. */
static void refuses_secret_of(enum secret_kind kind, bool is_live, const char *words)
{
    secret_kind = kind;
    guest->is_live = is_live;
    start_trading();
    egress_guest_order(guest, 8192, 0, true);
    assert_int_equal(egress_guest_wait_sent(guest, 8192)->sent.what, FACT_SENT_SUPPRESSED);
    const struct egress_guest_said *said = egress_guest_wait_said(guest, ROAD_ALARM);
    assert_int_equal(said->alarm.what, ROAD_ALARM_SECRET);
    assert_non_null(strstr(said->alarm.text, words));
    assert_int_equal(egress_guest_requests(guest, "POST"), 0);
    secret_kind = SECRET_SIMULATED;
}

static void process_case68_live_secret_for_simulated_account_is_not_used(void **state)
{
    (void)state;
    refuses_secret_of(SECRET_LIVE, false, "added for live accounts and it is simulated");
}

static void process_case68_simulated_secret_for_live_account_is_not_used(void **state)
{
    (void)state;
    refuses_secret_of(SECRET_SIMULATED, true, "added for simulated accounts and it is live");
}

static void process_live_secret_for_live_account_signs(void **state)
{
    (void)state;
    secret_kind = SECRET_LIVE;
    guest->is_live = true;
    start_trading();
    egress_guest_order(guest, 8192, 0, true);
    assert_int_equal(egress_guest_wait_sent(guest, 8192)->sent.what, FACT_SENT_OK);
    secret_kind = SECRET_SIMULATED;
}

static void process_account_is_killed_by_its_name(void **state)
{
    (void)state;
    start_trading();
    char *no = egress_guest_door(
        guest, "{\"v\":1,\"id\":1,\"cmd\":\"risk kill\",\"args\":{\"account\":\"other\"}}");
    assert_non_null(strstr(no, "knows no account 'other'"));
    free(no);
    egress_guest_wait_status(guest, "\"killed\":false");
    char *yes = egress_guest_door(
        guest, "{\"v\":1,\"id\":1,\"cmd\":\"risk kill\",\"args\":{\"account\":\"paper\"}}");
    assert_non_null(strstr(yes, "the account is killed"));
    free(yes);
    assert_int_equal(egress_guest_wait_said(guest, ROAD_KILLED)->kill.account, GUEST_ACCOUNT);
    egress_guest_order(guest, 8192, 0, false);
    assert_int_equal(egress_guest_wait_sent(guest, 8192)->sent.what, FACT_SENT_SUPPRESSED);
}

static void process_kill_outlives_egress(void **state)
{
    (void)state;
    start_trading();
    free(egress_guest_door(guest, KILL));
    assert_int_equal(egress_guest_wait_said(guest, ROAD_KILLED)->kind, ROAD_KILLED);
    egress_guest_order(guest, 4096, 0, false);
    assert_int_equal(egress_guest_wait_sent(guest, 4096)->sent.what, FACT_SENT_SUPPRESSED);
    assert_true(WIFSIGNALED(egress_guest_end(guest, SIGKILL)));
    egress_guest_detach(guest);
    egress_guest_run(guest, "pass word\n");
    egress_guest_wait_status(guest, "\"killed\":true");
    egress_guest_attach(guest, 6);
    assert_int_equal(egress_guest_wait_said(guest, ROAD_ATTACHED)->attached.killed, 1);
    egress_guest_order(guest, 8192, 0, false);
    assert_int_equal(egress_guest_wait_sent(guest, 8192)->sent.what, FACT_SENT_SUPPRESSED);
    assert_int_equal(egress_guest_requests(guest, "\"client_id\":\"T"), 0);
}

/* Taken and not answered when the process is killed: nobody knows, and it is not sent again. */
static void process_killed_between_send_and_answer_is_unknown(void **state)
{
    (void)state;
    start_trading();
    guest->is_mute = true;
    egress_guest_durable(guest, 1);
    egress_guest_order(guest, 4096, 1, false);
    egress_guest_wait_request(guest, "T1-4096-1", 0);
    egress_guest_end(guest, SIGKILL);
    egress_guest_detach(guest);
    guest->is_mute = false;
    egress_guest_run(guest, "pass word\n");
    egress_guest_attach(guest, 6);
    const struct road_open *o = &egress_guest_wait_said(guest, ROAD_OPEN)->open;
    assert_int_equal(o->approval, 4096);
    assert_true(o->is_answered || o->what == FACT_SENT_UNKNOWN);
    egress_guest_bay(guest);
    egress_guest_order(guest, 2 * 4096, 0, true);
    egress_guest_wait_sent(guest, 2 * 4096);
    assert_int_equal(egress_guest_requests(guest, "T1-4096-1"), 1);
}

static void process_secrets_are_read_again_on_word(void **state)
{
    (void)state;
    start_trading();
    put_secret("key-two", true);
    char *answer = egress_guest_door(guest, "{\"v\":1,\"id\":2,\"cmd\":\"egress secrets\"}");
    assert_non_null(strstr(answer, "\"ok\":true"));
    free(answer);
    egress_guest_order(guest, 4096, 0, true);
    assert_non_null(strstr(egress_guest_wait_request(guest, "POST", 0), "X-Key: key-two\r\n"));
}

static void process_noise_at_its_doors_harms_nobody(void **state)
{
    (void)state;
    start_trading();
    static const char *const noise[] = {"\xff\xff\xff", "{", "{\"v\":1,\"id\":1,\"cmd\":\"kill\"}"};
    for (size_t i = 0; i < sizeof noise / sizeof *noise; i++) {
        char *answer = egress_guest_door(guest, noise[i]);
        assert_non_null(strstr(answer, "\"ok\":false"));
        free(answer);
    }
    egress_guest_wait_status(guest, "\"killed\":false");
    egress_guest_order(guest, 4096, 0, true);
    assert_int_equal(egress_guest_wait_sent(guest, 4096)->sent.what, FACT_SENT_OK);
}

/* Only root can become somebody else to try. */
static void process_stranger_is_shown_out(void **state)
{
    (void)state;
    int status = 0;
    if (geteuid() != 0)
        skip();
    start_trading();
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct sockaddr_un at = {.sun_family = AF_UNIX};
        char byte;
        snprintf(at.sun_path, sizeof at.sun_path, "%s", guest->door);
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        if (setresuid(65534, 65534, 65534) != 0 ||
            connect(fd, (struct sockaddr *)&at, sizeof at) != 0)
            _exit(3);
        _exit(recv(fd, &byte, 1, 0) <= 0 ? 0 : 4); /* closed, without a word */
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 0);
    egress_guest_wait_word(guest, "another user");
    egress_guest_wait_status(guest, "\"killed\":false");
}

static void process_ends_cleanly_and_only_one_holds_the_folder(void **state)
{
    (void)state;
    char command[512], path[96];
    start_trading();
    egress_guest_order(guest, 4096, 0, true);
    egress_guest_wait_sent(guest, 4096);
    snprintf(command, sizeof command,
             TENON_BINARY_DIR "/tenon-egress --state %s/state --attach %s/a --door %s/b "
                              "--password-fd 0 %s </dev/null 2>/dev/null",
             guest->dir, guest->dir, guest->dir, geteuid() == 0 ? "--engine-user root" : "");
    assert_int_equal(WEXITSTATUS(system(command)), 75);
    const int status = egress_guest_end(guest, SIGTERM);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    snprintf(path, sizeof path, "%s", guest->door);
    assert_int_not_equal(access(path, F_OK), 0);
}

static void process_wrong_password_does_not_start(void **state)
{
    (void)state;
    char command[512];
    put_secret("key-one", false);
    snprintf(command, sizeof command,
             "echo wrong | " TENON_BINARY_DIR "/tenon-egress --state %s/state --attach %s --door "
             "%s --password-fd 0 %s 2>/dev/null",
             guest->dir, guest->attach, guest->door, geteuid() == 0 ? "--engine-user root" : "");
    assert_int_equal(WEXITSTATUS(system(command)), 77);
}

static int before(void **state)
{
    (void)state;
    guest = malloc(sizeof *guest);
    egress_guest_open(guest);
    return 0;
}

static int after(void **state)
{
    (void)state;
    egress_guest_close(guest);
    free(guest);
    return 0;
}

#define T(name) cmocka_unit_test_setup_teardown(name, before, after)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(process_order_leaves_once_with_its_secret),
        T(process_order_waits_for_its_record),
        T(process_outlives_its_engine_and_takes_the_next),
        T(process_hello_of_one_that_is_gone_is_forgotten),
        T(process_kill_needs_neither_engine_nor_bay),
        T(process_kill_outlives_egress),
        T(process_account_is_killed_by_its_name),
        T(process_case68_live_secret_for_simulated_account_is_not_used),
        T(process_case68_simulated_secret_for_live_account_is_not_used),
        T(process_live_secret_for_live_account_signs),
        T(process_killed_between_send_and_answer_is_unknown),
        T(process_secrets_are_read_again_on_word),
        T(process_noise_at_its_doors_harms_nobody),
        T(process_stranger_is_shown_out),
        T(process_ends_cleanly_and_only_one_holds_the_folder),
        T(process_wrong_password_does_not_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
