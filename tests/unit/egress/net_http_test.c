/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: what goes out is exactly one request with the bytes that were compared, to this machine.
 * Method: one good frame to the byte; templates that would be two requests, or another one, for a
 * server; endpoints of every kind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "egress/net_http.h"

static size_t frame(uint32_t method, const char *path, const char *head, const char *body,
                    char *out, size_t room)
{
    struct trail tr = {0};
    char bytes[1024];
    int n = snprintf(bytes, sizeof bytes, "%s%s%s", path, head, body);
    assert_true(n >= 0 && (size_t)n < sizeof bytes);
    const struct desk_message m = {.method = method,
                                   .type = TN_LINK_HTTP,
                                   .path_bytes = (uint32_t)strlen(path),
                                   .head_bytes = (uint32_t)strlen(head),
                                   .body_bytes = (uint32_t)strlen(body),
                                   .bytes = (const uint8_t *)bytes};
    size_t count = net_http_frame(&m, "127.0.0.1:80", (uint8_t *)out, room - 1, &tr);
    out[count] = 0;
    return count;
}

static void net_http_frame_is_these_bytes(void **state)
{
    (void)state;
    char out[2048];
    frame(TN_METHOD_POST, "/v1/orders?a=b", "X-Key: k\r\nX-Sign: 0f\r\n", "{\"a\":1}", out,
          sizeof out);
    assert_string_equal(out, "POST /v1/orders?a=b HTTP/1.1\r\nHost: 127.0.0.1:80\r\nX-Key: k\r\n"
                             "X-Sign: 0f\r\nContent-Length: 7\r\n\r\n{\"a\":1}");
    frame(TN_METHOD_DELETE, "/x", "", "", out, sizeof out);
    assert_string_equal(out, "DELETE /x HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n");
    frame(TN_METHOD_PUT, "/x", "", "", out, sizeof out);
    assert_string_equal(out, "PUT /x HTTP/1.1\r\nHost: 127.0.0.1:80\r\nContent-Length: 0\r\n\r\n");
}

static void net_http_two_requests_in_one_are_refused(void **state)
{
    (void)state;
    char out[2048];
    static const char *const path[] = {"",           "v1",     "/a b", "/a HTTP/1.1\r\n\r\nPOST /b",
                                       "/a\r\nX: y", "/a\x80", "/a#b"};
    static const char *const head[] = {
        "X: y",                             /* no end */
        "X: y\n",                           /* half an end */
        "\r\n",                             /* the end of the head */
        "X: y\r\n\r\nPOST /b HTTP/1.1\r\n", /* a second request */
        "X y\r\n",                          /* no name */
        " X: y\r\n",                        /* folded */
        "X : y\r\n",                        /* a name that some read and some do not */
        "Content-Length: 3\r\n",            /* ours to say */
        "content-length: 3\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Host: other\r\n",
        "Connection: close\r\n",
        "X: a\x01"
        "b\r\n",
        "X: a\rb\r\n",
    };
    for (size_t i = 0; i < sizeof path / sizeof *path; i++)
        assert_int_equal(frame(TN_METHOD_GET, path[i], "", "", out, sizeof out), 0);
    for (size_t i = 0; i < sizeof head / sizeof *head; i++) {
        if (frame(TN_METHOD_GET, "/", head[i], "", out, sizeof out) != 0)
            fail_msg("taken: %s", head[i]);
    }
    assert_int_equal(frame(0, "/", "", "", out, sizeof out), 0);
    assert_int_equal(frame(9, "/", "", "", out, sizeof out), 0);
}

static void net_http_only_this_machine_is_an_address(void **state)
{
    (void)state;
    static const struct {
        const char *endpoint;
        uint32_t type, code;
    } c[] = {
        {"http://127.0.0.1:8080", TN_LINK_HTTP, RESULT_OK},
        {"http://127.9.9.9:1", TN_LINK_HTTP, RESULT_OK},
        {"ws://localhost:65535", TN_LINK_WS, RESULT_OK},
        {"tcp://[::1]:9", TN_LINK_RAW, RESULT_OK},
        {"http://10.0.0.1:80", TN_LINK_HTTP, RESULT_NOT_PERMITTED},
        {"http://example.org:80", TN_LINK_HTTP, RESULT_NOT_PERMITTED},
        {"http://127.0.0.1.example.org:80", TN_LINK_HTTP, RESULT_NOT_PERMITTED},
        {"http://127.1:80", TN_LINK_HTTP, RESULT_NOT_PERMITTED},
        {"http://0.0.0.0:80", TN_LINK_HTTP, RESULT_NOT_PERMITTED},
        {"tcp://[::2]:9", TN_LINK_RAW, RESULT_NOT_PERMITTED},
        {"tcp://[::ffff:127.0.0.1]:9", TN_LINK_RAW, RESULT_NOT_PERMITTED},
        {"https://127.0.0.1:80", TN_LINK_HTTP, RESULT_CONFIG},
        {"http://127.0.0.1:80", TN_LINK_WS, RESULT_CONFIG},
        {"http://127.0.0.1", TN_LINK_HTTP, RESULT_CONFIG},
        {"http://127.0.0.1:", TN_LINK_HTTP, RESULT_CONFIG},
        {"http://127.0.0.1:0", TN_LINK_HTTP, RESULT_CONFIG},
        {"http://127.0.0.1:65536", TN_LINK_HTTP, RESULT_CONFIG},
        {"http://127.0.0.1:80/path", TN_LINK_HTTP, RESULT_CONFIG},
        {"http://user@127.0.0.1:80", TN_LINK_HTTP, RESULT_NOT_PERMITTED},
        {"http://:80", TN_LINK_HTTP, RESULT_CONFIG},
        {"", TN_LINK_HTTP, RESULT_CONFIG},
    };
    for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
        struct net_address a;
        struct trail tr = {0};
        struct result r = net_http_address(c[i].endpoint, c[i].type, &a, &tr);
        if (r.code != (int32_t)c[i].code)
            fail_msg("%s: %s", c[i].endpoint, result_name(r));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(net_http_frame_is_these_bytes),
        cmocka_unit_test(net_http_two_requests_in_one_are_refused),
        cmocka_unit_test(net_http_only_this_machine_is_an_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
