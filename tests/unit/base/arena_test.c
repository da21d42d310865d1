/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: pieces are zeroed, aligned and never overlap; the end and the seal are guarded by the
 * kernel; a pool gives every cell once and notices a cell given back twice.
 * Method: edges, a seeded property for the pool, and children that touch what they may not.
 */
#include "tests/unit/base/dies.h"
#include <stdlib.h>
#include <sys/mman.h>
#include "base/arena.h"
#include "base/clock.h"

static void arena_pieces_are_zeroed_aligned_and_apart(void **state)
{
    (void)state;
    struct arena a;
    assert_true(is_ok(arena_map(&a, 100000)));
    assert_true(a.capacity >= 100000 && a.mapped > a.capacity);
    const uint8_t *end = a.base;
    for (size_t align = 1; align <= 4096; align *= 2) {
        uint8_t *piece = arena_take(&a, align + 1, align);
        assert_non_null(piece);
        assert_int_equal((uintptr_t)piece % align, 0);
        assert_true(piece >= end);
        for (size_t i = 0; i <= align; i++)
            assert_int_equal(piece[i], 0);
        memset(piece, 0xff, align + 1);
        end = piece + align + 1;
    }
    assert_int_equal(a.used, end - a.base);
    arena_unmap(&a);
    assert_null(a.base);
    arena_unmap(&a); /* nothing is mapped: nothing to do */
}

static void arena_take_uses_the_last_byte_and_no_more(void **state)
{
    (void)state;
    struct arena a;
    assert_true(is_ok(arena_map(&a, 1)));
    size_t all = a.capacity;
    assert_null(arena_take(&a, all + 1, 1));
    assert_null(arena_take(&a, SIZE_MAX, 1));
    assert_int_equal(a.used, 0);
    uint8_t *piece = arena_take(&a, all, 1);
    assert_non_null(piece);
    piece[all - 1] = 1;
    assert_null(arena_take(&a, 1, 1));
    assert_non_null(arena_take(&a, 0, 1));
    arena_unmap(&a);
}

static void arena_take_without_room_for_alignment_answers_null(void **state)
{
    (void)state;
    uint8_t bytes[64] __attribute__((aligned(64)));
    struct arena a;
    arena_borrow(&a, bytes, 20);
    assert_ptr_equal(arena_take(&a, 17, 1), bytes);
    assert_null(arena_take(&a, 1, 32));
    assert_null(arena_take(&a, SIZE_MAX, 2));
    assert_int_equal(a.used, 17);
    assert_ptr_equal(arena_take(&a, 2, 2), bytes + 18);
}

static void arena_borrowed_crooked_memory_is_aligned_by_address(void **state)
{
    (void)state;
    uint8_t bytes[256] __attribute__((aligned(64)));
    memset(bytes, 7, sizeof bytes);
    struct arena a;
    arena_borrow(&a, bytes + 3, 200);
    uint64_t *piece = arena_take(&a, 8, 64);
    assert_ptr_equal(piece, bytes + 64);
    assert_true(*piece == 0);
    assert_int_equal(bytes[63], 7);
    assert_int_equal(bytes[72], 7);
    arena_unmap(&a); /* borrowed memory is only forgotten */
    assert_int_equal(bytes[72], 7);
}

static void arena_reset_gives_the_same_memory_zeroed_again(void **state)
{
    (void)state;
    struct arena a;
    assert_true(is_ok(arena_map(&a, 4096)));
    uint8_t *first = arena_take(&a, 100, 8);
    memset(first, 0xee, 100);
    arena_reset(&a);
    assert_int_equal(a.used, 0);
    uint8_t *again = arena_take(&a, 100, 8);
    assert_ptr_equal(again, first);
    for (int i = 0; i < 100; i++)
        assert_int_equal(again[i], 0);
    arena_unmap(&a);
}

static void write_byte(void *arg)
{
    *(volatile uint8_t *)arg = 1;
}

static void arena_overrun_meets_the_guard_page(void **state)
{
    (void)state;
    struct arena a;
    char err[DIES_TEXT_BYTES];
    assert_true(is_ok(arena_map(&a, 5000)));
    assert_int_equal(dies_run(write_byte, a.base + a.capacity - 1, err), 0);
    assert_int_equal(dies_run(write_byte, a.base + a.capacity, err), SIGSEGV);
    arena_unmap(&a);
}

static void arena_sealed_is_readable_but_not_writable(void **state)
{
    (void)state;
    struct arena a;
    char err[DIES_TEXT_BYTES];
    assert_true(is_ok(arena_map(&a, 4096)));
    uint8_t *piece = arena_take(&a, 10, 1);
    piece[0] = 42;
    assert_true(is_ok(arena_seal(&a)));
    assert_int_equal(piece[0], 42);
    assert_int_equal(dies_run(write_byte, piece, err), SIGSEGV);
    assert_true(is_ok(arena_unseal(&a)));
    piece[0] = 43;
    assert_int_equal(piece[0], 43);
    arena_unmap(&a);
}

static void arena_seal_refused_by_the_system_is_a_result(void **state)
{
    (void)state;
    struct arena a;
    assert_true(is_ok(arena_map(&a, 4096)));
    assert_int_equal(munmap(a.base, a.mapped), 0);
    assert_int_equal(arena_seal(&a).code, RESULT_IO);
    assert_int_equal(arena_unseal(&a).code, RESULT_IO);
}

static void arena_map_of_more_than_there_is_is_a_result(void **state)
{
    (void)state;
    struct arena a = {0};
    assert_int_equal(arena_map(&a, PTRDIFF_MAX / 2).code, RESULT_TOO_LARGE);
    assert_null(a.base);
/* The thread sanitizer maps its shadow beside each mapping and dies of the limit itself. */
#ifndef __SANITIZE_THREAD__
    /* addresses are granted, memory is not */
    struct rlimit before, tight;
    assert_int_equal(getrlimit(RLIMIT_DATA, &before), 0);
    tight = before;
    tight.rlim_cur = 1 << 20;
    assert_int_equal(setrlimit(RLIMIT_DATA, &tight), 0);
    int32_t code = arena_map(&a, 256 << 20).code;
    assert_int_equal(setrlimit(RLIMIT_DATA, &before), 0);
    assert_int_equal(code, RESULT_TOO_LARGE);
    assert_null(a.base);
#endif
}

static void pool_gives_every_cell_once_in_order(void **state)
{
    (void)state;
    uint32_t next[5];
    struct pool p;
    pool_init(&p, next, 5);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(pool_take(&p), i);
    assert_int_equal(pool_take(&p), POOL_NONE);
    assert_int_equal(p.in_use, 5);
    pool_put(&p, 3);
    pool_put(&p, 1);
    assert_int_equal(p.in_use, 3);
    assert_int_equal(pool_take(&p), 1);
    assert_int_equal(pool_take(&p), 3);
    assert_int_equal(pool_take(&p), POOL_NONE);
    assert_int_equal(p.in_use_max, 5);
}

static void pool_random_use_never_gives_a_cell_twice(void **state)
{
    (void)state;
    const uint64_t seed = 51;
    struct rng rng;
    rng_seed(&rng, seed);
    print_message("seed %llu\n", (unsigned long long)seed);
    enum { CELLS = 37 };
    uint32_t next[CELLS], held[CELLS], count = 0, most = 0;
    bool is_out[CELLS] = {false};
    struct pool p;
    pool_init(&p, next, CELLS);
    for (int round = 0; round < 100000; round++) {
        if (rng_below(&rng, 2)) {
            uint32_t idx = pool_take(&p);
            assert_int_equal(idx == POOL_NONE, count == CELLS);
            if (idx == POOL_NONE)
                continue;
            assert_true(idx < CELLS && !is_out[idx]);
            is_out[idx] = true;
            held[count++] = idx;
            most = count > most ? count : most;
        } else if (count > 0) {
            uint32_t pick = (uint32_t)rng_below(&rng, count);
            is_out[held[pick]] = false;
            pool_put(&p, held[pick]);
            held[pick] = held[--count];
        }
        assert_int_equal(p.in_use, count);
    }
    assert_int_equal(p.in_use_max, most);
    assert_int_equal(most, CELLS);
}

static void put_twice(void *arg)
{
    pool_put(arg, 0);
    pool_put(arg, 0);
}
static void put_never_taken(void *arg)
{
    pool_put(arg, 2);
}
static void put_beyond(void *arg)
{
    pool_put(arg, 4);
}
static void take_crooked(void *arg)
{
    arena_take(arg, 1, 3);
}
static void take_coarse(void *arg)
{
    arena_take(arg, 1, 8192);
}
static void seal_borrowed(void *arg)
{
    dies_unseen(arena_seal(arg));
}
static void map_nothing(void *arg)
{
    dies_unseen(arena_map(arg, 0));
}

static void arena_and_pool_misuse_stops_the_process(void **state)
{
    (void)state;
    uint32_t next[4];
    uint8_t bytes[64];
    struct pool p;
    struct arena a;
    pool_init(&p, next, 4);
    assert_int_equal(pool_take(&p), 0);
    assert_dies(put_twice, &p, "p->next[idx] == TAKEN");
    assert_dies(put_never_taken, &p, "p->next[idx] == TAKEN");
    assert_dies(put_beyond, &p, "idx < p->capacity");
    arena_borrow(&a, bytes, sizeof bytes);
    assert_dies(take_crooked, &a, "align & (align - 1)");
    assert_dies(take_coarse, &a, "align <= 4096");
    assert_dies(seal_borrowed, &a, "a->mapped > a->capacity");
    assert_dies(map_nothing, &a, "capacity > 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_pieces_are_zeroed_aligned_and_apart),
        cmocka_unit_test(arena_take_uses_the_last_byte_and_no_more),
        cmocka_unit_test(arena_take_without_room_for_alignment_answers_null),
        cmocka_unit_test(arena_borrowed_crooked_memory_is_aligned_by_address),
        cmocka_unit_test(arena_reset_gives_the_same_memory_zeroed_again),
        cmocka_unit_test(arena_overrun_meets_the_guard_page),
        cmocka_unit_test(arena_sealed_is_readable_but_not_writable),
        cmocka_unit_test(arena_seal_refused_by_the_system_is_a_result),
        cmocka_unit_test(arena_map_of_more_than_there_is_is_a_result),
        cmocka_unit_test(pool_gives_every_cell_once_in_order),
        cmocka_unit_test(pool_random_use_never_gives_a_cell_twice),
        cmocka_unit_test(arena_and_pool_misuse_stops_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
