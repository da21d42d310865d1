/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: a reply is read the same however its bytes are cut, and what could be read in two ways is
 * refused.
 * Method: known replies fed whole, byte by byte and in seeded pieces; a list of bad ones; seeded
 * noise, which must never be taken for more than its bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/clock.h"
#include "egress/net_reply.h"

static struct net_reply *reply;

/* Feeds in pieces of at most `piece` bytes. */
static struct result feed(const char *text, size_t count, size_t piece, struct rng *rng,
                          size_t *used)
{
    struct trail tr = {0};
    struct result r = RESULT_OF(AGAIN);
    *used = 0;
    net_reply_begin(reply);
    while (*used < count && r.code == RESULT_AGAIN) {
        size_t n = rng != NULL ? 1 + rng_below(rng, piece) : piece, took = 0;
        if (n > count - *used)
            n = count - *used;
        uint8_t *own = malloc(n); /* so that a read beyond it is seen */
        memcpy(own, text + *used, n);
        r = net_reply_feed(reply, own, n, &took, &tr);
        free(own);
        *used += took;
        if (took < n && r.code == RESULT_AGAIN)
            fail_msg("it took less than it was given, and wants more");
    }
    return r;
}

static const struct {
    const char *text, *body;
    uint32_t status;
    int32_t retry_s;
    bool is_last;
} good[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", 200, -1, false},
    {"HTTP/1.1 200 OK\ncontent-length:5\n\nhello", "hello", 200, -1, false},
    {"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "", 200, -1, false},
    {"HTTP/1.1 204 No Content\r\n\r\n", "", 204, -1, false},
    {"HTTP/1.1 429 Slow\r\nRetry-After: 17\r\nContent-Length: 2\r\n\r\n{}", "{}", 429, 17, false},
    {"HTTP/1.1 429 Slow\r\nRetry-After: Wed, 21 Oct\r\nContent-Length: 2\r\n\r\n{}", "{}", 429, -1,
     false},
    {"HTTP/1.1 418 T\r\nRetry-After: 4000000\r\nContent-Length: 1\r\n\r\nx", "x", 418, 86400,
     false},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n"
     "Trailer: t\r\n\r\n",
     "abc0123456789", 200, -1, false},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: "
     "1\r\n\r\nz",
     "z", 200, -1, true},
    {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nz", "z", 200, -1, true},
    {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nz", "z", 200, -1,
     false},
};

/* The lines between chunks are no head, however many they are. */
static void net_reply_body_may_come_in_many_chunks(void **state)
{
    (void)state;
    enum { CHUNKS = 8000 };
    static char text[64 + CHUNKS * 6 + 8];
    size_t used = 0;
    int n = sprintf(text, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (uint32_t i = 0; i < CHUNKS; i++)
        n += sprintf(text + n, "1\r\na\r\n");
    n += sprintf(text + n, "0\r\n\r\n");
    assert_true(CHUNKS * 3 > NET_REPLY_HEAD_MAX);
    assert_int_equal(feed(text, (size_t)n, 4096, NULL, &used).code, RESULT_OK);
    assert_int_equal(used, n);
}

static void net_reply_good_ones_are_read_however_they_are_cut(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 7);
    print_message("seed 7\n");
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        for (size_t piece = 1; piece < 200; piece += 13) {
            size_t used = 0;
            struct result r =
                feed(good[i].text, strlen(good[i].text), piece, piece % 2 ? &rng : NULL, &used);
            assert_int_equal(r.code, RESULT_OK);
            assert_int_equal(used, strlen(good[i].text));
            assert_int_equal(reply->status, good[i].status);
            assert_int_equal(reply->retry_s, good[i].retry_s);
            assert_int_equal(reply->is_last, good[i].is_last);
            assert_int_equal(reply->body_bytes, strlen(good[i].body));
            assert_memory_equal(reply->body, good[i].body, reply->body_bytes);
        }
    }
}

static void net_reply_takes_no_byte_of_the_next_reply(void **state)
{
    (void)state;
    static const char two[] = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 500 X\r\n\r\n";
    size_t used = 0;
    assert_int_equal(feed(two, sizeof two - 1, sizeof two, NULL, &used).code, RESULT_OK);
    assert_int_equal(two[used], 'H');
    assert_int_equal(reply->body_bytes, 1);
}

static void net_reply_ambiguous_ones_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "HTTP/2 200 OK\r\n\r\n",
        "ICY 200 OK\r\n\r\n",
        "HTTP/1.1 2x0 OK\r\n\r\n",
        "HTTP/1.1 101 Switching\r\n\r\n",
        "HTTP/1.1 700 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 131073\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\023\r\nabc\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFF\r\n",
        "HTTP/1.1 200 OK\r\n folded: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\rC: d\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        size_t used = 0;
        struct result r = feed(bad[i], strlen(bad[i]), 3, NULL, &used);
        if (is_ok(r) || r.code == RESULT_AGAIN)
            fail_msg("taken: %s", bad[i]);
    }
}

static void net_reply_end_of_connection_ends_only_a_body_without_length(void **state)
{
    (void)state;
    struct trail tr = {0};
    size_t used = 0;
    assert_int_equal(feed("HTTP/1.1 200 OK\r\n\r\npart", 23, 5, NULL, &used).code, RESULT_AGAIN);
    assert_true(is_ok(net_reply_end(reply, &tr)));
    assert_true(reply->is_last);
    assert_int_equal(reply->body_bytes, 4);
    feed("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart", 42, 5, NULL, &used);
    assert_int_equal(net_reply_end(reply, &tr).code, RESULT_UNREACHABLE);
    net_reply_begin(reply);
    assert_false(net_reply_has_begun(reply));
    assert_int_equal(net_reply_end(reply, &tr).code, RESULT_UNREACHABLE);
}

/* Goal: no input makes the reader run over its memory (the sanitizers look), and each is judged. */
static void net_reply_seeded_noise_is_always_judged(void **state)
{
    (void)state;
    struct rng rng;
    char text[600];
    uint32_t judged[3] = {0};
    rng_seed(&rng, 11);
    print_message("seed 11\n");
    for (int round = 0; round < 4000; round++) {
        const size_t from = rng_below(&rng, sizeof good / sizeof *good);
        size_t n = strlen(good[from].text), used = 0;
        memcpy(text, good[from].text, n);
        for (uint64_t k = rng_below(&rng, 4); k > 0; k--)
            text[rng_below(&rng, n)] = (char)rng_below(&rng, 256);
        struct result r = feed(text, n, 40, &rng, &used);
        judged[is_ok(r) ? 0 : r.code == RESULT_AGAIN ? 1 : 2]++;
        assert_true(used <= n && reply->body_bytes <= n);
    }
    assert_true(judged[0] > 0 && judged[1] > 0 && judged[2] > 0);
}

static int make(void **state)
{
    (void)state;
    reply = malloc(sizeof *reply);
    return reply == NULL;
}

static int unmake(void **state)
{
    (void)state;
    free(reply);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(net_reply_good_ones_are_read_however_they_are_cut),
        cmocka_unit_test(net_reply_body_may_come_in_many_chunks),
        cmocka_unit_test(net_reply_takes_no_byte_of_the_next_reply),
        cmocka_unit_test(net_reply_ambiguous_ones_are_refused),
        cmocka_unit_test(net_reply_end_of_connection_ends_only_a_body_without_length),
        cmocka_unit_test(net_reply_seeded_noise_is_always_judged),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
