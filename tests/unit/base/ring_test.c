/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: what goes in comes out, whole, once and in order; a full ring says so and recovers.
 * Method: a model queue beside the ring in one thread, then two threads that check a numbered
 * stream. The threads wait by trying again and yielding, a bounded number of times.
 */
#include "tests/unit/base/dies.h"
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include "base/clock.h"
#include "base/ring.h"

enum { SMALL = 256 };
static _Alignas(64) uint8_t memory[1 << 16];
static struct ring ring;

static void put(uint32_t count, uint8_t fill)
{
    void *m = ring_reserve(&ring, count);
    assert_non_null(m);
    memset(m, fill, count);
    ring_commit(&ring);
}

static void take(uint32_t count, uint8_t fill)
{
    uint32_t got = 9999;
    const uint8_t *m = ring_peek(&ring, &got);
    assert_non_null(m);
    assert_int_equal(got, count);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(m[i], fill);
    ring_release(&ring);
}

static void ring_fresh_is_empty(void **state)
{
    (void)state;
    uint32_t count = 0;
    ring_init(&ring, memory, SMALL);
    assert_null(ring_peek(&ring, &count));
    assert_int_equal(ring_used(&ring), 0);
    put(0, 0);
    assert_int_equal(ring_used(&ring), 8);
    take(0, 0);
    assert_null(ring_peek(&ring, &count));
}

static void ring_reservation_is_invisible_until_commit(void **state)
{
    (void)state;
    uint32_t count = 0;
    ring_init(&ring, memory, SMALL);
    void *m = ring_reserve(&ring, 5);
    assert_non_null(m);
    assert_int_equal((uintptr_t)m % RING_ALIGN, 0);
    assert_null(ring_peek(&ring, &count));
    memset(m, 3, 5);
    ring_commit(&ring);
    take(5, 3);
}

static void ring_peek_again_gives_the_same_message(void **state)
{
    (void)state;
    uint32_t count = 0;
    ring_init(&ring, memory, SMALL);
    put(9, 1);
    put(1, 2);
    const void *first = ring_peek(&ring, &count);
    assert_ptr_equal(ring_peek(&ring, &count), first);
    assert_int_equal(count, 9);
    take(9, 1);
    take(1, 2);
}

static void ring_full_answers_null_counts_and_recovers(void **state)
{
    (void)state;
    ring_init(&ring, memory, SMALL);
    for (uint8_t i = 0; i < SMALL / 16; i++)
        put(8, i);
    assert_int_equal(ring_used(&ring), SMALL);
    assert_null(ring_reserve(&ring, 0));
    assert_null(ring_reserve(&ring, 8));
    assert_int_equal(ring.full_count, 2);
    take(8, 0);
    put(8, 99);
    assert_null(ring_reserve(&ring, 8));
    for (uint8_t i = 1; i < SMALL / 16; i++)
        take(8, i);
    take(8, 99);
    assert_int_equal(ring_used(&ring), 0);
}

static void ring_largest_message_fits_an_empty_ring_at_every_offset(void **state)
{
    (void)state;
    for (uint32_t offset = 0; offset < SMALL; offset += 8) {
        ring_init(&ring, memory, SMALL);
        for (uint32_t at = 0; at < offset; at += 8) {
            put(0, 0);
            take(0, 0);
        }
        uint8_t *m = ring_reserve(&ring, SMALL / 4);
        assert_non_null(m);
        assert_true(m >= memory && m + SMALL / 4 <= memory + SMALL);
        memset(m, 0xab, SMALL / 4);
        ring_commit(&ring);
        uint32_t count = 0;
        const void *first = ring_peek(&ring, &count);
        assert_ptr_equal(ring_peek(&ring, &count), first);
        take(SMALL / 4, 0xab);
        assert_int_equal(ring_used(&ring), 0);
    }
}

struct model {
    uint32_t count[1024];
    uint64_t first, next;
};

static void fill(uint8_t *m, uint32_t count, uint64_t number)
{
    for (uint32_t i = 0; i < count; i++)
        m[i] = (uint8_t)(number * 31 + i);
}

static bool is_filled(const uint8_t *m, uint32_t count, uint64_t number)
{
    for (uint32_t i = 0; i < count; i++)
        if (m[i] != (uint8_t)(number * 31 + i))
            return false;
    return true;
}

static void ring_random_traffic_matches_a_queue(void **state)
{
    (void)state;
    const uint64_t seed = 41;
    struct rng rng;
    rng_seed(&rng, seed);
    print_message("seed %llu\n", (unsigned long long)seed);
    for (uint32_t capacity = 256; capacity <= 4096; capacity *= 2) {
        struct model q = {.first = 0};
        ring_init(&ring, memory, capacity);
        uint64_t bytes = 0, refused = 0;
        for (int round = 0; round < 40000; round++) {
            /* phases of more puts and of more takes, so that it runs full and empty */
            bool more_puts = round / 200 % 2 == 0;
            if (rng_below(&rng, 3) < (more_puts ? 2u : 1u)) {
                uint32_t count = (uint32_t)rng_below(&rng, capacity / 4 + 1);
                uint8_t *m = ring_reserve(&ring, count);
                if (m == NULL) {
                    /* refused only when it could not fit: with header, padding and pad */
                    assert_true(ring_used(&ring) + 2ull * (count + 16) > capacity);
                    refused++;
                    continue;
                }
                fill(m, count, q.next);
                ring_commit(&ring);
                q.count[q.next++ % 1024] = count;
                bytes += count;
                continue;
            }
            uint32_t count = 0;
            const uint8_t *m = ring_peek(&ring, &count);
            assert_int_equal(m == NULL, q.first == q.next);
            if (m == NULL)
                continue;
            assert_int_equal(count, q.count[q.first % 1024]);
            assert_true(is_filled(m, count, q.first));
            ring_release(&ring);
            q.first++;
        }
        assert_true(refused > 100 && bytes > 100ull * capacity);
        assert_int_equal(ring.full_count, refused);
    }
}

enum { MESSAGES = 200000, TRIES_MAX = 200000000 };

struct side {
    uint64_t seed;
    uint64_t messages;
    uint64_t retries;
    bool good;
};

static uint32_t next_count(struct rng *rng)
{
    return 8 + (uint32_t)rng_below(rng, 249);
}

static void *produce(void *arg)
{
    struct side *s = arg;
    struct rng rng;
    rng_seed(&rng, s->seed);
    uint32_t count = next_count(&rng);
    for (uint64_t tries = 0; tries < TRIES_MAX && s->messages < MESSAGES; tries++) {
        uint8_t *m = ring_reserve(&ring, count);
        if (m == NULL) {
            s->retries++;
            sched_yield();
            continue;
        }
        memcpy(m, &s->messages, 8);
        fill(m + 8, count - 8, s->messages);
        ring_commit(&ring);
        s->messages++;
        count = next_count(&rng);
    }
    s->good = s->messages == MESSAGES;
    return NULL;
}

static void consume(struct side *s)
{
    struct rng rng;
    rng_seed(&rng, s->seed);
    s->good = true;
    for (uint64_t tries = 0; tries < TRIES_MAX && s->messages < MESSAGES; tries++) {
        uint32_t count = 0;
        const uint8_t *m = ring_peek(&ring, &count);
        if (m == NULL) {
            s->retries++;
            sched_yield();
            continue;
        }
        uint64_t number;
        memcpy(&number, m, 8);
        s->good = s->good && number == s->messages && count == next_count(&rng) &&
                  is_filled(m + 8, count - 8, number) && ring_used(&ring) >= count &&
                  ring_used(&ring) <= ring.capacity;
        ring_release(&ring);
        s->messages++;
    }
}

static void ring_two_threads_pass_a_numbered_stream(void **state)
{
    (void)state;
    struct side producer = {.seed = 42}, consumer = {.seed = 42};
    print_message("seed 42\n");
    ring_init(&ring, memory, 1024);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, produce, &producer), 0);
    consume(&consumer);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(producer.good && consumer.good);
    assert_int_equal(consumer.messages, MESSAGES);
    assert_int_equal(ring.full_count, producer.retries);
    assert_int_equal(ring_used(&ring), 0);
}

static void reserve_twice(void *arg)
{
    (void)arg;
    ring_reserve(&ring, 1);
    ring_reserve(&ring, 1);
}
static void commit_nothing(void *arg)
{
    (void)arg;
    ring_commit(&ring);
}
static void release_nothing(void *arg)
{
    (void)arg;
    ring_release(&ring);
}
static void release_twice(void *arg)
{
    (void)arg;
    put(1, 1);
    put(1, 1);
    take(1, 1);
    ring_release(&ring);
}
static void reserve_too_much(void *arg)
{
    (void)arg;
    ring_reserve(&ring, SMALL / 4 + 1);
}
static void use_without_init(void *arg)
{
    (void)arg;
    static struct ring blank;
    ring_reserve(&blank, 1);
}
static void init_with_odd_capacity(void *arg)
{
    (void)arg;
    ring_init(&ring, memory, 384);
}
static void init_with_small_capacity(void *arg)
{
    (void)arg;
    ring_init(&ring, memory, 128);
}
static void init_with_crooked_memory(void *arg)
{
    (void)arg;
    ring_init(&ring, memory + 8, SMALL);
}
/* What a producer in another process could do: a count that lies. */
static void read_damaged_count(void *arg)
{
    uint32_t count = 0;
    put(4, 1);
    memcpy(memory, arg, 4);
    ring_peek(&ring, &count);
}

static void ring_misuse_stops_the_process(void **state)
{
    (void)state;
    ring_init(&ring, memory, SMALL);
    assert_dies(reserve_twice, NULL, "r->head_next == head");
    assert_dies(commit_nothing, NULL, "r->head_next !=");
    assert_dies(release_nothing, NULL, "r->peeked != 0");
    assert_dies(release_twice, NULL, "r->peeked != 0");
    assert_dies(reserve_too_much, NULL, "count <= r->capacity / 4");
    assert_dies(use_without_init, NULL, "r->magic == RING_MAGIC");
    assert_dies(init_with_odd_capacity, NULL, "capacity & (capacity - 1)");
    assert_dies(init_with_small_capacity, NULL, "capacity >= 256");
    assert_dies(init_with_crooked_memory, NULL, "(uintptr_t)memory");
    uint32_t too_large = SMALL / 4 + 1, beyond_head = 40;
    assert_dies(read_damaged_count, &too_large, "h->count <= r->capacity / 4");
    assert_dies(read_damaged_count, &beyond_head, "r->peeked <= r->head_seen - tail");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ring_fresh_is_empty),
        cmocka_unit_test(ring_reservation_is_invisible_until_commit),
        cmocka_unit_test(ring_peek_again_gives_the_same_message),
        cmocka_unit_test(ring_full_answers_null_counts_and_recovers),
        cmocka_unit_test(ring_largest_message_fits_an_empty_ring_at_every_offset),
        cmocka_unit_test(ring_random_traffic_matches_a_queue),
        cmocka_unit_test(ring_two_threads_pass_a_numbered_stream),
        cmocka_unit_test(ring_misuse_stops_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
