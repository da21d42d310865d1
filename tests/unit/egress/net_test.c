/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: over real sockets on loopback, each request goes out once, byte for byte, and what becomes
 * of it is said once and truthfully; links come back after a loss; nothing leaves this machine.
 * Method: net and a small server of our own take turns on one thread; each test waits for the event
 * it is about, and what was said so far is kept in a list.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/clock.h"
#include "egress/net.h"
#include "tests/lib/desk_rig.h"

enum { HEARD_MAX = 512, HTTP = 1, WS = 2, RAW = 3 };
#define PATIENCE_NS 20000000000ll /* a test that waits longer has failed */

struct heard {
    uint32_t what, link, account, is_second, status;
    int32_t retry_s;
    uint64_t ticket;
    char text[600];
    size_t count;
};
static struct heard heard[HEARD_MAX];
static uint32_t heard_count, held_account;
static struct net *net;
static int server = -1;
static uint16_t port;

static void on_in(void *arg, const struct desk_net_in *in)
{
    (void)arg;
    assert_true(heard_count < HEARD_MAX);
    struct heard *h = &heard[heard_count++];
    *h = (struct heard){.what = in->what,
                        .link = in->link,
                        .account = in->account,
                        .is_second = in->is_second,
                        .status = in->status,
                        .retry_s = in->retry_s,
                        .ticket = in->ticket,
                        .count = in->count};
    memcpy(h->text, in->bytes, in->count < sizeof h->text - 1 ? in->count : sizeof h->text - 1);
}

static bool on_holds(void *arg, uint32_t account)
{
    (void)arg;
    return account == held_account;
}

static const struct heard *find(uint32_t what, uint64_t ticket, uint32_t nth)
{
    for (uint32_t i = 0; i < heard_count; i++) {
        if (heard[i].what == what && heard[i].ticket == ticket && nth-- == 0)
            return &heard[i];
    }
    return NULL;
}

/* Turns until it was said. */
static const struct heard *wait_nth(uint32_t what, uint64_t ticket, uint32_t nth)
{
    const int64_t until = clock_mono(&clock_system) + PATIENCE_NS;
    const struct heard *h;
    while ((h = find(what, ticket, nth)) == NULL) {
        if (clock_mono(&clock_system) > until)
            fail_msg("it was never said: %u of %lu", what, (unsigned long)ticket);
        net_turn(net, 1000000);
    }
    return h;
}

static const struct heard *wait_for(uint32_t what, uint64_t ticket)
{
    return wait_nth(what, ticket, 0);
}

/* ---- the server ---- */
static void listen_here(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    int on = 1;
    server = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    at.sin_port = htons(port);
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    assert_int_equal(bind(server, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(server, 64), 0);
    assert_int_equal(getsockname(server, (struct sockaddr *)&at, &n), 0);
    port = ntohs(at.sin_port);
}

static int accept_one(void)
{
    const int64_t until = clock_mono(&clock_system) + PATIENCE_NS;
    for (;;) {
        int fd = accept4(server, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            return fd;
        if (clock_mono(&clock_system) > until)
            fail_msg("nobody connects");
        net_turn(net, 1000000);
    }
}

/* Reads until `end` is there; gives the whole text. */
static char *read_until(int fd, const char *end)
{
    static char text[1 << 17];
    const int64_t until = clock_mono(&clock_system) + PATIENCE_NS;
    size_t n = 0;
    for (;;) {
        ssize_t got = read(fd, text + n, sizeof text - 1 - n);
        if (got > 0)
            n += (size_t)got;
        text[n] = 0;
        if (strstr(text, end) != NULL)
            return text;
        if (got == 0 || clock_mono(&clock_system) > until)
            fail_msg("only this came: %s", text);
        net_turn(net, 1000000);
    }
}

static void reply(int fd, const char *body)
{
    char text[256];
    int n = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
                     strlen(body), body);
    assert_int_equal(write(fd, text, (size_t)n), n);
}

/* ---- what the desk does ---- */
static void open_as(uint32_t type, uint32_t id, bool second, const char *scheme)
{
    char endpoint[64];
    const struct line_open o = {.id = id, .type = type};
    snprintf(endpoint, sizeof endpoint, "%s://127.0.0.1:%u", scheme, port);
    net_open(net, 1, second, &o, endpoint, "/stream");
}

static int64_t wait_ns; /* of the next requests */

static int64_t send_http(uint64_t ticket, const char *path, const char *body)
{
    char bytes[512];
    int n = snprintf(bytes, sizeof bytes, "%s%s", path, body);
    const struct desk_message m = {.account = 1,
                                   .link = HTTP,
                                   .type = TN_LINK_HTTP,
                                   .method = TN_METHOD_POST,
                                   .ticket = ticket,
                                   .wait_ns = wait_ns,
                                   .path_bytes = (uint32_t)strlen(path),
                                   .body_bytes = (uint32_t)strlen(body),
                                   .bytes = (const uint8_t *)bytes};
    int64_t taken = net_send(net, &m);
    assert_true(taken == 0 || taken == n);
    return taken;
}

static int64_t send_stream(uint32_t link, uint32_t type, uint64_t ticket, const char *text)
{
    const struct desk_message m = {.account = 1,
                                   .link = link,
                                   .type = type,
                                   .ticket = ticket,
                                   .body_bytes = (uint32_t)strlen(text),
                                   .bytes = (const uint8_t *)text};
    return net_send(net, &m);
}

static int open_http(void)
{
    open_as(TN_LINK_HTTP, HTTP, false, "http");
    int fd = accept_one();
    wait_for(DESK_NET_UP, 0);
    return fd;
}

/* ---- HTTP ---- */
static void net_http_request_and_reply_keep_their_ticket(void **state)
{
    (void)state;
    int fd = open_http();
    assert_int_equal(net_links_up(net), 1);
    assert_int_equal(send_http(5, "/a", "{}"), 4);
    char want[128];
    snprintf(want, sizeof want,
             "POST /a HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nContent-Length: 2\r\n\r\n{}", port);
    assert_string_equal(read_until(fd, "{}"), want);
    reply(fd, "yes");
    const struct heard *h = wait_for(DESK_NET_BYTES, 5);
    assert_string_equal(h->text, "yes");
    assert_int_equal(h->status, 200);
    assert_true(find(DESK_NET_WRITTEN, 5, 0) != NULL && find(DESK_NET_WRITTEN, 5, 0) < h);
    /* the next one uses the same connection */
    send_http(6, "/b", "x");
    read_until(fd, "POST /b");
    reply(fd, "again");
    assert_string_equal(wait_for(DESK_NET_BYTES, 6)->text, "again");
    close(fd);
}

static void net_http_two_at_once_have_a_connection_each(void **state)
{
    (void)state;
    int a = open_http();
    send_http(1, "/first", "");
    send_http(2, "/second", "");
    int b = accept_one();
    read_until(a, "/first");
    read_until(b, "/second");
    reply(b, "two");
    assert_string_equal(wait_for(DESK_NET_BYTES, 2)->text, "two");
    assert_null(find(DESK_NET_BYTES, 1, 0));
    reply(a, "one");
    assert_string_equal(wait_for(DESK_NET_BYTES, 1)->text, "one");
    close(a);
    close(b);
}

/* 200 requests over at most NET_WIRES connections: each answered once, with its own number. */
static void net_http_many_are_each_answered_once(void **state)
{
    (void)state;
    enum { MANY = 200 };
    int fd[NET_WIRES] = {open_http()};
    uint32_t fds = 1, done = 0;
    for (uint32_t i = 0; i < MANY; i++) {
        char path[32];
        snprintf(path, sizeof path, "/n%u", i);
        assert_true(send_http(1000 + i, path, "") > 0);
    }
    const int64_t until = clock_mono(&clock_system) + PATIENCE_NS;
    while (done < MANY && clock_mono(&clock_system) < until) {
        int more = accept4(server, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (more >= 0) {
            assert_true(fds < NET_WIRES);
            fd[fds++] = more;
        }
        for (uint32_t i = 0; i < fds; i++) {
            char text[512] = "", body[16];
            ssize_t n = read(fd[i], text, sizeof text - 1);
            if (n <= 0)
                continue;
            assert_non_null(strstr(text, "\r\n\r\n"));
            assert_int_equal(sscanf(text, "POST /n%15s", body), 1);
            reply(fd[i], body);
            done++;
        }
        net_turn(net, 100000);
    }
    for (uint32_t i = 0; i < MANY; i++) {
        const struct heard *h = wait_for(DESK_NET_BYTES, 1000 + i);
        assert_int_equal(atoi(h->text), (int)i);
        assert_null(find(DESK_NET_BYTES, 1000 + i, 1));
    }
    for (uint32_t i = 0; i < fds; i++)
        close(fd[i]);
}

static void net_http_refused_connection_is_down_and_sends_nothing(void **state)
{
    (void)state;
    close(server);
    server = -1;
    open_as(TN_LINK_HTTP, HTTP, false, "http");
    assert_int_equal(send_http(1, "/", ""), 0);
    assert_true(wait_for(DESK_NET_DOWN, 0)->count > 0);
    assert_int_equal(send_http(2, "/", ""), 0);
    listen_here(); /* the same port: it comes back by itself */
    int fd = accept_one();
    wait_for(DESK_NET_UP, 0);
    assert_true(send_http(3, "/", "") > 0);
    read_until(fd, "POST /");
    close(fd);
}

static void net_http_closed_without_reply_is_silent(void **state)
{
    (void)state;
    int fd = open_http();
    send_http(9, "/a", "{}");
    read_until(fd, "{}");
    close(fd);
    wait_for(DESK_NET_SILENT, 9);
    assert_null(find(DESK_NET_FAILED, 9, 0));
    /* half a reply is none */
    fd = accept_one();
    send_http(10, "/b", "{}");
    read_until(fd, "{}");
    assert_int_equal(write(fd, "HTTP/1.1 200 OK\r\nConte", 22), 22);
    close(fd);
    wait_for(DESK_NET_SILENT, 10);
}

static void net_http_no_reply_in_time_is_silent(void **state)
{
    (void)state;
    int fd = open_http();
    send_http(9, "/a", "{}");
    read_until(fd, "{}");
    assert_string_equal(wait_for(DESK_NET_SILENT, 9)->text, "no reply in time");
    close(fd);
}

/* It found no free connection while its ticket lived. */
static void net_http_request_that_waited_too_long_never_leaves(void **state)
{
    (void)state;
    int fd = open_http();
    send_http(1, "/a", "");
    read_until(fd, "POST /a");
    wait_ns = 1;
    assert_true(send_http(2, "/late", "") > 0);
    int other = accept_one(); /* made for it */
    wait_for(DESK_NET_FAILED, 2);
    wait_ns = PATIENCE_NS;
    send_http(3, "/c", "");
    assert_null(strstr(read_until(other, "POST /c"), "/late"));
    assert_null(find(DESK_NET_WRITTEN, 2, 0));
    close(fd);
    close(other);
}

/* An idle connection that the server closes is no loss: the next request takes a new one. */
static void net_http_idle_close_is_not_down(void **state)
{
    (void)state;
    int fd = open_http();
    send_http(1, "/a", "");
    read_until(fd, "POST /a");
    reply(fd, "1");
    wait_for(DESK_NET_BYTES, 1);
    close(fd);
    fd = accept_one();
    assert_true(send_http(2, "/b", "") > 0);
    read_until(fd, "POST /b");
    reply(fd, "2");
    wait_for(DESK_NET_BYTES, 2);
    assert_null(find(DESK_NET_DOWN, 0, 0));
    close(fd);
}

/* A server that speaks unasked, or says more than its reply, cannot answer for another request. */
static void net_http_bytes_nobody_asked_for_answer_nothing(void **state)
{
    (void)state;
    int fd = open_http();
    reply(fd, "surprise");
    int next = accept_one();
    send_http(1, "/a", "");
    read_until(next, "POST /a");
    static const char two[] = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1"
                              "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2";
    assert_int_equal(write(next, two, sizeof two - 1), sizeof two - 1);
    assert_string_equal(wait_for(DESK_NET_BYTES, 1)->text, "1");
    int third = accept_one();
    send_http(2, "/b", "");
    read_until(third, "POST /b");
    reply(third, "3");
    assert_string_equal(wait_for(DESK_NET_BYTES, 2)->text, "3");
    assert_null(find(DESK_NET_BYTES, 0, 0));
    close(fd);
    close(next);
    close(third);
}

static void net_http_reply_with_rate_limit_carries_its_seconds(void **state)
{
    (void)state;
    int fd = open_http();
    send_http(1, "/a", "");
    read_until(fd, "POST /a");
    static const char slow[] = "HTTP/1.1 429 Slow\r\nRetry-After: 3\r\nContent-Length: 0\r\n\r\n";
    assert_int_equal(write(fd, slow, sizeof slow - 1), sizeof slow - 1);
    const struct heard *h = wait_for(DESK_NET_BYTES, 1);
    assert_int_equal(h->status, 429);
    assert_int_equal(h->retry_s, 3);
    close(fd);
}

/* What waits of a killed account are the kill's own cancels; another account's is not meant. */
static void net_recall_spares_killed_and_other_accounts(void **state)
{
    (void)state;
    static struct rig rig; /* a desk, large */
    const struct road_kill k = {.by = "test"};
    int fd = open_http();
    desk_rig_start(&rig, 1);
    assert_true(send_http(1, "/first", "") > 0);
    assert_int_equal(net_recall(net, 2, rig.d), 0); /* account 2 is not ours */
    desk_kill(rig.d, rig.now, &k);
    assert_int_equal(net_recall(net, 0, rig.d), 0);
    read_until(fd, "/first");
    reply(fd, "ok");
    wait_for(DESK_NET_BYTES, 1);
    desk_rig_stop(&rig);
    close(fd);
}

static void net_recall_fails_what_did_not_begin_and_nothing_of_it_leaves(void **state)
{
    (void)state;
    int fd = open_http();
    for (uint64_t t = 1; t <= 40; t++)
        send_http(t, "/killed", "");
    assert_int_equal(net_recall(net, 0, NULL), 40);
    assert_true(send_http(77, "/cancel", "") > 0);
    for (uint64_t t = 1; t <= 40; t++) {
        wait_for(DESK_NET_FAILED, t);
        assert_null(find(DESK_NET_WRITTEN, t, 0));
    }
    const char *text = read_until(fd, "/cancel");
    assert_null(strstr(text, "killed"));
    assert_int_equal(net_recall(net, 0, NULL), 0); /* that one has left */
    reply(fd, "ok");
    wait_for(DESK_NET_BYTES, 77);
    close(fd);
}

static void net_close_ends_requests_by_what_left_of_them(void **state)
{
    (void)state;
    int fd = open_http();
    send_http(1, "/a", "");
    read_until(fd, "POST /a");
    send_http(2, "/b", "");
    net_close(net, 1, false, HTTP);
    wait_for(DESK_NET_SILENT, 1);
    wait_for(DESK_NET_FAILED, 2);
    assert_null(find(DESK_NET_DOWN, 0, 0));
    assert_int_equal(send_http(3, "/c", ""), 0);
    assert_int_equal(net_links_up(net), 0);
    close(fd);
}

static void net_held_account_waits_and_keeps_its_order(void **state)
{
    (void)state;
    int fd = open_http();
    held_account = 1;
    send_http(1, "/a", "");
    read_until(fd, "POST /a");
    reply(fd, "1");
    uint32_t before = heard_count;
    for (int i = 0; i < 20; i++)
        net_turn(net, 1000000);
    assert_int_equal(heard_count, before);
    held_account = 0;
    const struct heard *h = wait_for(DESK_NET_BYTES, 1);
    assert_true(find(DESK_NET_WRITTEN, 1, 0) < h);
    close(fd);
}

static void net_address_beyond_this_machine_is_down_until_it_is_another(void **state)
{
    (void)state;
    const struct line_open o = {.id = HTTP, .type = TN_LINK_HTTP};
    net_open(net, 1, false, &o, "http://192.0.2.1:80", "/");
    const struct heard *h = wait_for(DESK_NET_DOWN, 0);
    assert_non_null(strstr(h->text, "not on this machine"));
    assert_int_equal(send_http(1, "/", ""), 0);
    net_open(net, 1, false, &o, "http://192.0.2.1:80", "/"); /* asked again: said again */
    wait_nth(DESK_NET_DOWN, 0, 1);
    close(open_http()); /* the deployment was mended */
}

/* ---- WebSocket ---- */
static void ws_accept(int fd)
{
    const char *text = read_until(fd, "\r\n\r\n");
    assert_non_null(strstr(text, "GET /stream HTTP/1.1\r\n"));
    const char *key = strcasestr(text, "Sec-WebSocket-Key: ");
    assert_non_null(key);
    char joined[128], answer[256];
    uint8_t sha[20], base[32];
    snprintf(joined, sizeof joined, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key + 19);
    assert_int_equal(EVP_Digest(joined, strlen(joined), sha, NULL, EVP_sha1(), NULL), 1);
    EVP_EncodeBlock(base, sha, sizeof sha);
    int n = snprintf(answer, sizeof answer,
                     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                     base);
    assert_int_equal(write(fd, answer, (size_t)n), n);
}

static int open_ws(uint32_t id, bool second)
{
    open_as(TN_LINK_WS, id, second, "ws");
    int fd = accept_one();
    ws_accept(fd);
    return fd;
}

static void ws_write(int fd, uint8_t first, const char *text)
{
    uint8_t frame[128] = {first, (uint8_t)strlen(text)};
    memcpy(frame + 2, text, strlen(text));
    assert_int_equal(write(fd, frame, 2 + strlen(text)), 2 + strlen(text));
}

/* One masked frame of the client, at most 125 bytes. */
static void ws_read(int fd, char out[128])
{
    uint8_t frame[256];
    size_t n = 0;
    const int64_t until = clock_mono(&clock_system) + PATIENCE_NS;
    while (n < 6 || n < 6u + (frame[1] & 0x7f)) {
        size_t want = n < 6 ? 6 - n : 6u + (frame[1] & 0x7f) - n;
        ssize_t got = read(fd, frame + n, want);
        n += got > 0 ? (size_t)got : 0;
        if (clock_mono(&clock_system) > until)
            fail_msg("no frame came");
        net_turn(net, 1000000);
    }
    assert_int_equal(frame[0], 0x81);
    for (size_t i = 0; i < (frame[1] & 0x7fu); i++)
        out[i] = (char)(frame[6 + i] ^ frame[2 + i % 4]);
    out[frame[1] & 0x7f] = 0;
}

static void net_ws_messages_come_whole_and_go_in_order(void **state)
{
    (void)state;
    char text[128];
    int fd = open_ws(WS, false);
    wait_for(DESK_NET_UP, 0);
    assert_int_equal(send_stream(WS, TN_LINK_WS, 1, "login"), 5);
    assert_int_equal(send_stream(WS, TN_LINK_WS, 2, "subscribe"), 9);
    ws_read(fd, text);
    assert_string_equal(text, "login");
    ws_read(fd, text);
    assert_string_equal(text, "subscribe");
    wait_for(DESK_NET_WRITTEN, 2);
    ws_write(fd, 0x81, "{\"n\":1}");
    ws_write(fd, 0x01, "{\"n\"");
    ws_write(fd, 0x00, ":");
    ws_write(fd, 0x80, "2}");
    ws_write(fd, 0x81, "{\"n\":3}");
    assert_string_equal(wait_nth(DESK_NET_BYTES, 0, 0)->text, "{\"n\":1}");
    assert_string_equal(wait_nth(DESK_NET_BYTES, 0, 1)->text, "{\"n\":2}");
    assert_string_equal(wait_nth(DESK_NET_BYTES, 0, 2)->text, "{\"n\":3}");
    close(fd);
}

static void net_ws_lost_is_down_and_comes_back(void **state)
{
    (void)state;
    int fd = open_ws(WS, false);
    wait_for(DESK_NET_UP, 0);
    close(fd);
    wait_for(DESK_NET_DOWN, 0);
    assert_int_equal(send_stream(WS, TN_LINK_WS, 1, "x"), 0);
    fd = accept_one();
    ws_accept(fd);
    wait_nth(DESK_NET_UP, 0, 1);
    assert_null(find(DESK_NET_DOWN, 0, 1));
    close(fd);
}

/* A redirect would lead where nobody signed. */
static void net_ws_redirect_is_not_followed(void **state)
{
    (void)state;
    open_as(TN_LINK_WS, WS, false, "ws");
    int fd = accept_one();
    read_until(fd, "\r\n\r\n");
    char text[128];
    int n = snprintf(text, sizeof text,
                     "HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:%u/elsewhere\r\n"
                     "Content-Length: 0\r\n\r\n",
                     port);
    assert_int_equal(write(fd, text, (size_t)n), n);
    wait_for(DESK_NET_DOWN, 0);
    close(fd);
    int next = accept_one(); /* its own next attempt, to the path that was asked for */
    assert_non_null(strstr(read_until(next, "\r\n\r\n"), "GET /stream "));
    close(next);
}

static void net_take_over_makes_the_second_session_the_first(void **state)
{
    (void)state;
    char text[128];
    int first = open_ws(WS, false), second = open_ws(WS, true);
    wait_nth(DESK_NET_UP, 0, 1);
    net_close(net, 1, false, WS); /* as the desk does */
    net_take_over(net, 1);
    assert_int_equal(send_stream(WS, TN_LINK_WS, 1, "hello"), 5);
    ws_read(second, text);
    assert_string_equal(text, "hello");
    ws_write(second, 0x81, "word");
    assert_int_equal(wait_for(DESK_NET_BYTES, 0)->is_second, 0);
    close(first);
    close(second);
}

/* ---- raw, and other descriptors ---- */
static void net_raw_bytes_pass_both_ways(void **state)
{
    (void)state;
    open_as(TN_LINK_RAW, RAW, false, "tcp");
    int fd = accept_one();
    wait_for(DESK_NET_UP, 0);
    assert_int_equal(send_stream(RAW, TN_LINK_RAW, 1, "8=FIX"), 5);
    read_until(fd, "8=FIX");
    assert_int_equal(write(fd, "9=12", 4), 4);
    assert_string_equal(wait_for(DESK_NET_BYTES, 0)->text, "9=12");
    close(fd);
}

static int rang;

static void on_ready(void *arg, int fd)
{
    uint64_t n;
    (void)arg;
    assert_int_equal(read(fd, &n, sizeof n), sizeof n);
    rang++;
}

/* A wait so short that it is over before the library begins to wait: it must end all the same. */
static void net_wait_that_is_over_at_once_ends(void **state)
{
    (void)state;
    const int64_t until = clock_mono(&clock_system) + PATIENCE_NS;
    for (int i = 0; i < 2000; i++)
        net_turn(net, 1 + i % 3000);
    assert_true(clock_mono(&clock_system) < until);
}

static void net_watch_calls_until_unwatched(void **state)
{
    (void)state;
    struct trail tr = {0};
    uint64_t one = 1;
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    rang = 0;
    assert_true(is_ok(net_watch(net, fd, on_ready, NULL, &tr)));
    assert_int_equal(write(fd, &one, sizeof one), sizeof one);
    net_turn(net, PATIENCE_NS);
    assert_int_equal(rang, 1);
    net_unwatch(net, fd);
    assert_int_equal(write(fd, &one, sizeof one), sizeof one);
    for (int i = 0; i < 5; i++)
        net_turn(net, 0);
    assert_int_equal(rang, 1);
    for (int i = 0; i < 3 * NET_WATCHES; i++) { /* places are given back */
        assert_true(is_ok(net_watch(net, fd, on_ready, NULL, &tr)));
        net_unwatch(net, fd);
        net_turn(net, 0);
    }
    close(fd);
}

static int before(void **state)
{
    (void)state;
    struct trail tr = {0};
    const struct net_options o = {.seed = 3,
                                  .ops = {.in = on_in, .holds = on_holds},
                                  .reply_wait_ns = 300000000,
                                  .backoff_ns = 1000000,
                                  .backoff_max_ns = 4000000};
    heard_count = 0;
    held_account = 0;
    wait_ns = 0;
    memset(heard, 0, sizeof heard);
    port = 0;
    listen_here();
    return is_ok(net_new(&o, &net, &tr)) ? 0 : 1;
}

static int after(void **state)
{
    (void)state;
    net_free(net);
    if (server >= 0)
        close(server);
    server = -1;
    return 0;
}

#define T(name) cmocka_unit_test_setup_teardown(name, before, after)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(net_http_request_and_reply_keep_their_ticket),
        T(net_http_two_at_once_have_a_connection_each),
        T(net_http_many_are_each_answered_once),
        T(net_http_refused_connection_is_down_and_sends_nothing),
        T(net_http_closed_without_reply_is_silent),
        T(net_http_no_reply_in_time_is_silent),
        T(net_http_request_that_waited_too_long_never_leaves),
        T(net_http_idle_close_is_not_down),
        T(net_http_bytes_nobody_asked_for_answer_nothing),
        T(net_http_reply_with_rate_limit_carries_its_seconds),
        T(net_recall_fails_what_did_not_begin_and_nothing_of_it_leaves),
        T(net_recall_spares_killed_and_other_accounts),
        T(net_close_ends_requests_by_what_left_of_them),
        T(net_held_account_waits_and_keeps_its_order),
        T(net_address_beyond_this_machine_is_down_until_it_is_another),
        T(net_ws_messages_come_whole_and_go_in_order),
        T(net_ws_lost_is_down_and_comes_back),
        T(net_ws_redirect_is_not_followed),
        T(net_take_over_makes_the_second_session_the_first),
        T(net_raw_bytes_pass_both_ways),
        T(net_wait_that_is_over_at_once_ends),
        T(net_watch_calls_until_unwatched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
