/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: a tap keeps every fact that belief uses, whole and in order, says when it lost one, and can
 * be read while it is filled. Method: the five kinds and others; one fact too many; a second thread
 * that reads behind the first (the tsan preset judges it).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <pthread.h>
#include "flow/tap.h"

static struct tap *tap_of_test(uint64_t from_seq)
{
    struct tap *t = NULL;
    struct trail tr = {0};
    assert_true(is_ok(tap_new(&t, &tr)));
    tap_reset(t, from_seq);
    return t;
}

static void put(struct tap *t, uint16_t type, uint64_t seq, uint8_t mark)
{
    uint8_t payload[FACT_MAX_BYTES];
    memset(payload, mark, sizeof payload);
    const struct fact_head head = {
        .type = type, .seq = seq, .t_ns = (int64_t)seq * 10, .bytes = fact_bytes(type)};
    tap_put(t, &head, payload);
}

static void tap_keeps_the_five_kinds_and_no_other(void **state)
{
    (void)state;
    static const uint16_t kind[] = {FACT_BAR, FACT_TRADE, FACT_QUOTE, FACT_TICK, FACT_POSITION};
    static const uint16_t other[] = {FACT_AUTO, FACT_SIGNAL, FACT_ORDER, FACT_PROMOTION, FACT_TEXT};
    struct tap *t = tap_of_test(7);
    for (uint32_t i = 0; i < 5; i++) {
        put(t, other[i], 8 + i, 0xee);
        put(t, kind[i], 8 + i, (uint8_t)(i + 1));
    }
    assert_int_equal(t->from_seq, 7);
    assert_int_equal(t->put, 5);
    assert_int_equal(t->is_full, 0);
    for (uint32_t i = 0; i < 5; i++) {
        uint8_t want[TAP_PAYLOAD_BYTES];
        memset(want, (int)i + 1, sizeof want);
        assert_int_equal(t->fact[i].head.type, kind[i]);
        assert_int_equal(t->fact[i].head.seq, 8 + i);
        assert_int_equal(t->fact[i].head.t_ns, (8 + i) * 10);
        assert_memory_equal(t->fact[i].payload, want, t->fact[i].head.bytes);
    }
    tap_free(t);
    tap_free(NULL);
}

static void tap_that_is_full_says_so_until_it_is_emptied(void **state)
{
    (void)state;
    struct tap *t = tap_of_test(0);
    for (uint32_t i = 0; i < TAP_FACTS_MAX; i++)
        put(t, FACT_TICK, i + 1, 1);
    assert_int_equal(t->is_full, 0);
    put(t, FACT_AUTO, TAP_FACTS_MAX + 1, 1); /* would not have been kept anyway */
    assert_int_equal(t->is_full, 0);
    put(t, FACT_TICK, TAP_FACTS_MAX + 2, 2);
    assert_int_equal(t->is_full, 1);
    assert_int_equal(t->put, TAP_FACTS_MAX);
    assert_int_equal(t->fact[TAP_FACTS_MAX - 1].head.seq, TAP_FACTS_MAX);
    tap_reset(t, 500000);
    assert_int_equal(t->is_full, 0);
    assert_int_equal(t->put, 0);
    put(t, FACT_BAR, 500001, 3);
    assert_int_equal(t->fact[0].head.seq, 500001);
    tap_free(t);
}

enum { BEHIND = 20000 };

static void *fill(void *arg)
{
    struct tap *t = arg;
    for (uint32_t i = 0; i < BEHIND; i++)
        put(t, i % 3 == 0 ? FACT_BAR : FACT_QUOTE, i + 1, (uint8_t)i);
    return NULL;
}

static void tap_is_read_behind_the_writer(void **state)
{
    (void)state;
    struct tap *t = tap_of_test(0);
    pthread_t writer;
    assert_int_equal(pthread_create(&writer, NULL, fill, t), 0);
    for (uint32_t at = 0; at < BEHIND;) {
        const uint32_t end = atomic_load_explicit(&t->put, memory_order_acquire);
        for (; at < end; at++) {
            assert_int_equal(t->fact[at].head.seq, at + 1);
            assert_int_equal(t->fact[at].payload[t->fact[at].head.bytes - 1], (uint8_t)at);
        }
    }
    pthread_join(writer, NULL);
    tap_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tap_keeps_the_five_kinds_and_no_other),
        cmocka_unit_test(tap_that_is_full_says_so_until_it_is_emptied),
        cmocka_unit_test(tap_is_read_behind_the_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
