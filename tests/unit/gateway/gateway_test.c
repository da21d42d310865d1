/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: the running gateway answers every client once, gives the core only checked requests, never
 * refuses a kill, and no client (hostile, slow, silent, gone) holds it up or outlives it.
 * Method: a real gateway on a real Unix socket in a folder of the test's own; the test's thread is
 * the core, client and hostile peer in turn. Nothing sleeps: reads block until the gateway acts,
 * and the wake callback posts a semaphore.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "gateway/client.h"
#include "gateway/frame.h"
#include "gateway/gateway.h"
#include "gateway/mailbox.h"
#include "gateway/server.h"
#include "gateway/socket.h"

static char folder[96], path[108];
static struct gateway *g;
static sem_t woken;

static void on_wake(void *arg)
{
    sem_post(arg);
}

static struct gateway *open_gateway(uint32_t idle_ms, uint32_t answer_ms)
{
    struct gateway_options o = {.socket_path = path,
                                .wake = on_wake,
                                .wake_arg = &woken,
                                .idle_ms = idle_ms,
                                .answer_ms = answer_ms};
    struct gateway *made = NULL;
    struct trail tr = {0};
    struct result rc = gateway_open(&o, &made, &tr);
    if (!is_ok(rc))
        fail_msg("%s", trail_sentence(&tr, rc));
    return made;
}

static int make_folder(void **state)
{
    const char *base = getenv("TMPDIR");
    (void)state;
    snprintf(folder, sizeof folder, "%.60s/tenon-gw-XXXXXX", base ? base : P_tmpdir);
    if (!mkdtemp(folder) || sem_init(&woken, 0, 0) != 0)
        return -1;
    snprintf(path, sizeof path, "%s/t.sock", folder);
    g = NULL;
    return 0;
}

static int make_gateway(void **state)
{
    if (make_folder(state) != 0)
        return -1;
    g = open_gateway(0, 0);
    return 0;
}

static int drop(void **state)
{
    char lock[120];
    (void)state;
    gateway_close(g);
    g = NULL;
    snprintf(lock, sizeof lock, "%s.lock", path);
    unlink(lock);
    unlink(path);
    sem_destroy(&woken);
    return rmdir(folder);
}

/* ---- a client by hand ---- */
static int dial(void)
{
    struct trail tr = {0};
    int fd = -1;
    struct result rc = socket_connect(path, &fd, &tr);
    if (!is_ok(rc))
        fail_msg("%s", trail_sentence(&tr, rc));
    return fd;
}

static void send_bytes(int fd, const void *bytes, size_t count)
{
    assert_int_equal(send(fd, bytes, count, MSG_NOSIGNAL), (ssize_t)count);
}

static void send_body(int fd, const char *body)
{
    uint32_t n = (uint32_t)strlen(body);
    send_bytes(fd, &n, 4); /* little-endian hosts only, like the rest */
    send_bytes(fd, body, n);
}

static bool read_whole(int fd, void *out, size_t count)
{
    char *p = out;
    while (count > 0) {
        ssize_t n = recv(fd, p, count, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        count -= (size_t)n;
    }
    return true;
}

/* The next answer, or NULL at the end of the stream. */
static json_t *answer(int fd)
{
    uint32_t n = 0;
    static char body[FRAME_MAX_BYTES];
    if (!read_whole(fd, &n, 4))
        return NULL;
    assert_in_range(n, 1, FRAME_MAX_BYTES);
    assert_true(read_whole(fd, body, n));
    json_t *root = json_loadb(body, n, 0, NULL);
    assert_non_null(root);
    return root;
}

static void expect_error(int fd, int exit, const char *what)
{
    json_t *a = answer(fd);
    assert_non_null(a);
    const char *said = json_string_value(json_object_get(json_object_get(a, "error"), "what"));
    assert_non_null(said);
    if (!strstr(said, what))
        fail_msg("said '%s', wanted '%s'", said, what);
    assert_true(json_is_false(json_object_get(a, "ok")));
    assert_int_equal(json_integer_value(json_object_get(a, "exit")), exit);
    json_decref(a);
}

static void expect_end(int fd)
{
    char byte;
    ssize_t n = recv(fd, &byte, 1, 0);
    assert_true(n == 0 || (n < 0 && errno == ECONNRESET));
    close(fd);
}

static void expect_ok(int fd, int64_t id)
{
    json_t *a = answer(fd);
    assert_non_null(a);
    assert_true(json_is_true(json_object_get(a, "ok")));
    assert_int_equal(json_integer_value(json_object_get(a, "id")), id);
    json_decref(a);
}

/* The core's side: waits for a request and takes it. */
static struct gateway_request take(void)
{
    struct gateway_request r;
    while (sem_wait(&woken) != 0)
        assert_int_equal(errno, EINTR);
    assert_true(gateway_poll(g, &r));
    return r;
}

/* ---- right use ---- */
static void gateway_status_shows_the_newest_view(void **state)
{
    static struct gateway_view v;
    struct client_options o = {.socket_path = path};
    struct complaint c;
    json_t *result = NULL;
    (void)state;
    assert_true(is_ok(client_call(&o, "status", NULL, &result, &c)));
    assert_string_equal(json_string_value(json_object_get(result, "state")), "starting");
    json_decref(result);
    v.mode = MODE_ACTIVE;
    for (v.seq = 1; v.seq <= 10; v.seq++)
        gateway_publish(g, &v);
    assert_true(is_ok(client_call(&o, "status", NULL, &result, &c)));
    assert_string_equal(json_string_value(json_object_get(result, "state")), "no_deployment");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(result, "journal"), "seq")),
                     10);
    json_decref(result);
}

static void gateway_request_goes_to_the_core_and_back(void **state)
{
    struct gateway_request none;
    char uid[32];
    (void)state;
    assert_false(gateway_poll(g, &none));
    int fd = dial();
    send_body(fd, "{\"v\":1,\"id\":5,\"cmd\":\"auto on\"}");
    struct gateway_request r = take();
    assert_int_equal(r.kind, GATEWAY_AUTO);
    assert_int_equal(r.on, 1);
    snprintf(uid, sizeof uid, "uid:%u", (unsigned)geteuid());
    assert_string_equal(r.by, uid);
    assert_false(gateway_poll(g, &none));
    gateway_answer(g, r.id, 0, "auto trading is on");
    json_t *a = answer(fd);
    assert_int_equal(json_integer_value(json_object_get(a, "id")), 5);
    assert_string_equal(json_string_value(json_object_get(json_object_get(a, "result"), "text")),
                        "auto trading is on");
    json_decref(a);
    send_body(fd, "{\"v\":1,\"id\":6,\"cmd\":\"auto off\"}"); /* the connection lives on */
    r = take();
    gateway_answer(g, r.id, 65, "not in this mode");
    expect_error(fd, 65, "not in this mode");
    close(fd);
}

static void gateway_kill_goes_before_what_waits(void **state)
{
    int fd[4];
    struct gateway_request r;
    (void)state;
    for (int i = 0; i < 3; i++) {
        fd[i] = dial();
        send_body(fd[i], "{\"v\":1,\"id\":1,\"cmd\":\"auto on\"}");
    }
    fd[3] = dial();
    send_body(fd[3], "{\"v\":1,\"id\":9,\"cmd\":\"risk kill\",\"args\":{\"reason\":\"now\"}}");
    for (int i = 0; i < 4; i++)
        assert_int_equal(sem_wait(&woken), 0);
    assert_true(gateway_poll(g, &r));
    assert_int_equal(r.kind, GATEWAY_KILL);
    assert_string_equal(r.reason, "now");
    gateway_answer(g, r.id, 0, "killed");
    expect_ok(fd[3], 9);
    while (gateway_poll(g, &r))
        gateway_answer(g, r.id, 0, "on");
    for (int i = 0; i < 3; i++)
        expect_ok(fd[i], 1);
    for (int i = 0; i < 4; i++)
        close(fd[i]);
}

static void gateway_pipelined_requests_are_answered_in_order(void **state)
{
    enum { MANY = 300 };
    char *all = NULL;
    size_t count = 0;
    FILE *f = open_memstream(&all, &count);
    (void)state;
    for (int i = 0; i < MANY; i++) {
        char body[64];
        uint32_t n =
            (uint32_t)snprintf(body, sizeof body, "{\"v\":1,\"id\":%d,\"cmd\":\"status\"}", i);
        fwrite(&n, 4, 1, f);
        fwrite(body, n, 1, f);
    }
    fclose(f);
    int fd = dial(); /* the client reads nothing until all is sent: its answers must wait */
    send_bytes(fd, all, count);
    for (int i = 0; i < MANY; i++)
        expect_ok(fd, i);
    close(fd);
    free(all);
}

static void gateway_frame_in_single_bytes_is_taken(void **state)
{
    static const char body[] = "{\"v\":1,\"id\":3,\"cmd\":\"status\"}";
    uint32_t n = sizeof body - 1;
    int fd = dial();
    (void)state;
    for (int i = 0; i < 4; i++)
        send_bytes(fd, (const char *)&n + i, 1);
    for (uint32_t i = 0; i < n; i++)
        send_bytes(fd, body + i, 1);
    expect_ok(fd, 3);
    close(fd);
}

/* ---- hostile bytes ---- */
static void gateway_hostile_frames_are_answered_and_closed(void **state)
{
    static const struct {
        const char *bytes;
        size_t count;
        int exit;
        const char *what;
    } bad[] = {
        {"\xff\xff\xff\xff", 4, 65, "a frame of 4294967295 bytes"},
        {"\0\0\0\0", 4, 65, "a frame of 0 bytes"},
        {"\1\0\20\0", 4, 65, "a frame of 1048577 bytes"},
        {"\3\0\0\0{\"v", 7, 65, "not JSON"},
        {"\4\0\0\0\0\0\0\0", 8, 65, "not JSON"},
        {"\2\0\0\0[]", 6, 65, "not an object"},
        {"GET / HTTP/1.1\r\n\r\n", 18, 65, "a frame of 542393671 bytes"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int fd = dial();
        send_bytes(fd, bad[i].bytes, bad[i].count);
        expect_error(fd, bad[i].exit, bad[i].what);
        expect_end(fd);
    }
    int fd = dial(); /* and it still serves */
    send_body(fd, "{\"v\":1,\"id\":3,\"cmd\":\"status\"}");
    expect_ok(fd, 3);
    close(fd);
}

static void gateway_depth_bomb_is_refused(void **state)
{
    enum { DEEP = FRAME_MAX_BYTES };
    char *bomb = malloc(DEEP + 1);
    int fd = dial();
    (void)state;
    assert_non_null(bomb);
    memset(bomb, '[', DEEP);
    bomb[DEEP] = '\0';
    uint32_t n = DEEP;
    send_bytes(fd, &n, 4);
    for (size_t at = 0; at < DEEP;) { /* it may be cut while we still send */
        ssize_t sent = send(fd, bomb + at, DEEP - at, MSG_NOSIGNAL);
        if (sent <= 0)
            break;
        at += (size_t)sent;
    }
    expect_error(fd, 65, "nested 1048576 deep");
    expect_end(fd);
    free(bomb);
}

static void gateway_silent_clients_are_cut(void **state)
{
    (void)state;
    g = open_gateway(30, 0);
    int silent = dial(), half = dial();
    send_bytes(half, "\100\0\0\0{\"v\":1", 10);
    expect_error(silent, 75, "nothing complete came in 30 ms");
    expect_end(silent);
    expect_error(half, 75, "nothing complete came in 30 ms");
    expect_end(half);
}

static void gateway_core_that_is_silent_is_said(void **state)
{
    (void)state;
    g = open_gateway(0, 30);
    int fd = dial();
    send_body(fd, "{\"v\":1,\"id\":5,\"cmd\":\"auto on\"}");
    expect_error(fd, 75, "did not answer in 30 ms; it may still act");
    struct gateway_request r = take();
    gateway_answer(g, r.id, 0, "late"); /* nobody waits: dropped */
    send_body(fd, "{\"v\":1,\"id\":6,\"cmd\":\"status\"}");
    expect_ok(fd, 6);
    close(fd);
}

static void gateway_client_gone_before_its_answer_is_forgotten(void **state)
{
    (void)state;
    int fd = dial();
    send_body(fd, "{\"v\":1,\"id\":5,\"cmd\":\"auto on\"}");
    struct gateway_request r = take();
    close(fd);
    gateway_answer(g, r.id, 0, "on");
    fd = dial();
    send_body(fd, "{\"v\":1,\"id\":6,\"cmd\":\"status\"}");
    expect_ok(fd, 6);
    close(fd);
}

static void gateway_beyond_the_cap_only_kills(void **state)
{
    int fd[SERVER_CONNECTIONS_MAX];
    (void)state;
    for (int i = 0; i < SERVER_CONNECTIONS_MAX; i++) {
        fd[i] = dial();
        send_body(fd[i], "{\"v\":1,\"id\":1,\"cmd\":\"status\"}"); /* so that it is accepted */
        expect_ok(fd[i], 1);
    }
    int more = dial();
    send_body(more, "{\"v\":1,\"id\":2,\"cmd\":\"status\"}");
    expect_error(more, 75, "only risk kill");
    expect_end(more);
    more = dial();
    send_body(more, "{\"v\":1,\"id\":3,\"cmd\":\"risk kill\"}");
    struct gateway_request r = take();
    assert_int_equal(r.kind, GATEWAY_KILL);
    gateway_answer(g, r.id, 0, "killed");
    expect_ok(more, 3);
    close(more);
    for (int i = 0; i < SERVER_CONNECTIONS_MAX; i++)
        close(fd[i]);
}

static void gateway_kill_beyond_its_slots_joins_one(void **state)
{
    enum { KILLS = MAILBOX_KILLS + 4 };
    int fd[KILLS];
    struct gateway_request r;
    int taken = 0;
    (void)state;
    for (int i = 0; i < KILLS; i++) {
        fd[i] = dial();
        send_body(fd[i], "{\"v\":1,\"id\":1,\"cmd\":\"risk kill\"}");
        if (i < MAILBOX_KILLS)
            assert_int_equal(sem_wait(&woken), 0);
    }
    int other = dial(); /* the other sort of kill has room of its own */
    send_body(other, "{\"v\":1,\"id\":2,\"cmd\":\"risk kill\",\"args\":{\"keep-positions\":true}}");
    assert_int_equal(sem_wait(&woken), 0); /* and by now the joiners were read as well */
    while (gateway_poll(g, &r)) {
        assert_int_equal(r.kind, GATEWAY_KILL);
        gateway_answer(g, r.id, 0, "killed");
        taken++;
    }
    assert_int_equal(taken, MAILBOX_KILLS + 1);
    for (int i = 0; i < KILLS; i++) {
        expect_ok(fd[i], 1);
        close(fd[i]);
    }
    expect_ok(other, 2);
    close(other);
}

/* ---- who may, and whose file ---- */
static void gateway_socket_is_private(void **state)
{
    struct stat st;
    (void)state;
    assert_int_equal(stat(path, &st), 0);
    assert_true(S_ISSOCK(st.st_mode));
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_uid, geteuid());
}

static void gateway_strangers_are_refused(void **state)
{
    int status = 0;
    (void)state;
    assert_true(connection_is_allowed(1000, 1000));
    assert_true(connection_is_allowed(0, 1000));
    assert_false(connection_is_allowed(1001, 1000));
    assert_false(connection_is_allowed(1000, 0));
    if (geteuid() != 0)
        return; /* the rest needs a second user */
    assert_int_equal(chmod(folder, 0755), 0);
    assert_int_equal(chmod(path, 0666), 0);
    pid_t child = fork();
    if (child == 0) {
        struct client_options o = {.socket_path = path};
        struct complaint c;
        json_t *result = NULL;
        if (setuid(65534) != 0)
            _exit(99);
        struct result rc = client_call(&o, "risk kill", NULL, &result, &c);
        _exit(is_ok(rc) ? 98 : complaint_exit(&c));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 77);
    struct gateway_request r;
    assert_false(gateway_poll(g, &r));
}

static void gateway_dead_socket_is_replaced(void **state)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    (void)state;
    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    int dead = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(dead, (struct sockaddr *)&a, sizeof a), 0);
    close(dead); /* the file stays, as after a crash */
    g = open_gateway(0, 0);
    int fd = dial();
    send_body(fd, "{\"v\":1,\"id\":6,\"cmd\":\"status\"}");
    expect_ok(fd, 6);
    close(fd);
}

static void gateway_foreign_files_are_left_alone(void **state)
{
    struct gateway_options o = {.socket_path = path};
    struct trail tr = {0};
    struct stat st;
    (void)state;
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(gateway_open(&o, &g, &tr).code, RESULT_STATE);
    assert_int_equal(stat(path, &st), 0);
    assert_true(S_ISREG(st.st_mode));
    char lock[120], name[200];
    memset(name, 'x', sizeof name - 1);
    name[0] = '/';
    name[sizeof name - 1] = '\0';
    o.socket_path = name;
    assert_int_equal(gateway_open(&o, &g, &tr).code, RESULT_RANGE);
    snprintf(lock, sizeof lock, "%s.lock", path);
    unlink(lock);
    assert_int_equal(symlink(path, lock), 0); /* a lock that is somebody's link is not followed */
    o.socket_path = path;
    assert_int_equal(gateway_open(&o, &g, &tr).code, RESULT_IO);
    assert_null(g);
}

static void gateway_close_answers_who_waits(void **state)
{
    struct stat st;
    (void)state;
    int fd = dial(), idle = dial();
    send_body(fd, "{\"v\":1,\"id\":5,\"cmd\":\"auto on\"}");
    (void)take();
    gateway_close(g);
    g = NULL;
    expect_error(fd, 69, "the host is stopping");
    expect_end(fd);
    expect_end(idle);
    assert_int_equal(stat(path, &st), -1);
}

static void client_without_host_says_unreachable(void **state)
{
    struct client_options o = {.socket_path = path};
    struct complaint c;
    json_t *result = NULL;
    (void)state;
    struct result rc = client_call(&o, "status", NULL, &result, &c);
    assert_int_equal(rc.code, RESULT_UNREACHABLE);
    assert_int_equal(complaint_exit(&c), 69);
    assert_non_null(strstr(c.what, path));
    assert_non_null(strstr(c.next, "tenon run"));
    assert_null(result);
}

/* A server that is none: what it says must not be believed. */
static void *fake_host(void *arg)
{
    int listener = *(int *)arg;
    static const char *const says[] = {"\xff\xff\xff\xff", "\2\0\0\0[]", "\2\0\0\0{}", "\1\0"};
    for (int i = 0; i < 4; i++) {
        char byte[256];
        int fd = accept(listener, NULL, NULL);
        assert_true(recv(fd, byte, sizeof byte, 0) > 0);
        assert_true(send(fd, says[i], i == 3 ? 2 : i == 0 ? 4 : 6, MSG_NOSIGNAL) > 0);
        close(fd);
    }
    return NULL;
}

static void client_does_not_believe_nonsense(void **state)
{
    static const int exits[] = {76, 76, 76, 69};
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    pthread_t thread;
    struct client_options o = {.socket_path = path};
    (void)state;
    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(listener, 4), 0);
    assert_int_equal(pthread_create(&thread, NULL, fake_host, &listener), 0);
    for (int i = 0; i < 4; i++) {
        struct complaint c;
        json_t *result = NULL;
        assert_false(is_ok(client_call(&o, "status", NULL, &result, &c)));
        assert_int_equal(complaint_exit(&c), exits[i]);
        assert_null(result);
    }
    pthread_join(thread, NULL);
    close(listener);
}

/* One place in its queue, and nobody accepts: connecting ends all the same. */
static void client_of_a_host_that_accepts_nobody_gives_up(void **state)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct client_options o = {.socket_path = path};
    struct complaint c;
    json_t *result = NULL;
    int fd[3], count = 0;
    struct trail tr = {0};
    struct result r = OK_RESULT;
    (void)state;
    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(listener, 0), 0);
    while (count < 3 && is_ok(r = socket_connect(path, &fd[count], &tr)))
        count++;
    assert_int_equal(r.code, RESULT_TIMEOUT);
    assert_int_equal(client_call(&o, "status", NULL, &result, &c).code, RESULT_TIMEOUT);
    while (count > 0)
        close(fd[--count]);
    close(listener);
}

int main(void)
{
#define LIVE(test) cmocka_unit_test_setup_teardown(test, make_gateway, drop)
#define BARE(test) cmocka_unit_test_setup_teardown(test, make_folder, drop)
    const struct CMUnitTest tests[] = {
        LIVE(gateway_status_shows_the_newest_view),
        LIVE(gateway_request_goes_to_the_core_and_back),
        LIVE(gateway_kill_goes_before_what_waits),
        LIVE(gateway_pipelined_requests_are_answered_in_order),
        LIVE(gateway_frame_in_single_bytes_is_taken),
        LIVE(gateway_hostile_frames_are_answered_and_closed),
        LIVE(gateway_depth_bomb_is_refused),
        BARE(gateway_silent_clients_are_cut),
        BARE(gateway_core_that_is_silent_is_said),
        LIVE(gateway_client_gone_before_its_answer_is_forgotten),
        LIVE(gateway_beyond_the_cap_only_kills),
        LIVE(gateway_kill_beyond_its_slots_joins_one),
        LIVE(gateway_socket_is_private),
        LIVE(gateway_strangers_are_refused),
        BARE(gateway_dead_socket_is_replaced),
        BARE(gateway_foreign_files_are_left_alone),
        LIVE(gateway_close_answers_who_waits),
        BARE(client_without_host_says_unreachable),
        BARE(client_does_not_believe_nonsense),
        BARE(client_of_a_host_that_accepts_nobody_gives_up),
    };
    return cmocka_run_group_tests_name("gateway", tests, NULL, NULL);
}
