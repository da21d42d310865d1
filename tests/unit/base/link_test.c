/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: what goes into a link comes out whole, once and in order; and a peer that writes anything
 * anywhere into its own page and ring gets `broken` for an answer, never a fault of the reader.
 * Method: a model queue in one thread; a numbered stream between two threads that really sleep;
 * then a peer that scribbles, by cases and by seed (the address sanitizer sees each wrong read).
 * The peer's scribbles go through its own writable map, as a hostile process would do it.
 */
#include "tests/unit/base/dies.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "base/clock.h"
#include "base/link.h"

enum { SMALL = LINK_CAPACITY_MIN, PAGE = 4096, HEAD_AT = 64, TAIL_AT = 128, ASLEEP_AT = 192 };

static struct link us, them;
static uint8_t buffer[LINK_MESSAGE_MAX];

static void open_pair(uint32_t capacity)
{
    struct link_end end[2];
    assert_true(is_ok(link_make(capacity, end, NULL)));
    assert_true(is_ok(link_open(&end[0], &us, NULL)));
    assert_true(is_ok(link_open(&end[1], &them, NULL)));
}
static void close_pair(void)
{
    link_close(&us);
    link_close(&them);
}

static void take(struct link *l, uint32_t kind, uint32_t count, uint8_t fill)
{
    struct link_message m = {0};
    assert_true(link_has(l));
    assert_true(link_take(l, &m, buffer, sizeof buffer));
    assert_int_equal(m.kind, kind);
    assert_int_equal(m.bytes, count);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(buffer[i], fill);
}

static void put(struct link *l, uint32_t kind, uint32_t count, uint8_t fill)
{
    memset(buffer, fill, count);
    assert_true(link_put(l, kind, buffer, count));
}

static void link_both_ways_keep_apart(void **state)
{
    (void)state;
    struct link_message m;
    open_pair(SMALL);
    assert_false(link_has(&us));
    assert_false(link_take(&us, &m, buffer, sizeof buffer));
    put(&us, 7, 100, 1);
    put(&them, 8, 0, 2);
    take(&us, 8, 0, 2);
    take(&them, 7, 100, 1);
    assert_false(link_has(&them));
    assert_int_equal(us.put, 1);
    assert_int_equal(us.taken, 1);
    assert_null(us.broken);
    close_pair();
    assert_string_equal(us.broken, "closed");
    assert_int_equal(link_their_beat(&us), 0);
    link_beat(&us, 5);
    link_awake(&us);
}

static void link_reservation_is_unseen_until_commit(void **state)
{
    (void)state;
    open_pair(SMALL);
    memset(link_reserve(&us, 3, 9), 4, 9);
    assert_false(link_has(&them));
    link_commit(&us);
    take(&them, 3, 9, 4);
    close_pair();
}

static void link_full_says_so_and_recovers(void **state)
{
    (void)state;
    uint32_t count = 0;
    open_pair(SMALL);
    assert_int_equal(link_room(&us), SMALL);
    while (link_put(&us, 1, buffer, 200))
        count++;
    assert_int_equal(count, SMALL / 208);
    assert_int_equal(us.full_count, 1);
    assert_int_equal(link_room(&us), SMALL - count * 208);
    struct link_message m;
    while (link_take(&them, &m, buffer, sizeof buffer))
        count--;
    assert_int_equal(count, 0);
    assert_int_equal(link_room(&us), SMALL);
    put(&us, 1, SMALL / 4, 5);
    take(&them, 1, SMALL / 4, 5);
    close_pair();
}

static uint64_t seed_of_run(void)
{
    uint64_t seed = 0;
    const char *given = getenv("TENON_SEED");
    if (given)
        seed = strtoull(given, NULL, 0);
    else
        assert_true(is_ok(rng_entropy(&seed, sizeof seed)));
    print_message("TENON_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

/* Any mixture of puts and takes: the link is the queue of the messages put. */
static void link_random_calls_equal_a_queue(void **state)
{
    (void)state;
    struct rng rng;
    enum { WAITING = 1024 };
    struct {
        uint32_t kind, bytes;
        uint8_t fill;
    } queue[WAITING];
    uint64_t in = 0, out = 0;
    rng_seed(&rng, seed_of_run());
    open_pair(SMALL);
    for (int round = 0; round < 200000; round++) {
        uint32_t bytes = (uint32_t)rng_below(&rng, rng_below(&rng, 4) ? 64 : SMALL / 4 + 1);
        if (rng_below(&rng, 2)) {
            uint32_t kind = 1 + (uint32_t)rng_below(&rng, 60);
            uint32_t room = link_room(&us);
            uint8_t *to = link_reserve(&us, kind, bytes);
            assert_true(to || room < 2 * (bytes + 16));
            if (!to)
                continue;
            memset(to, (int)(in & 255), bytes);
            queue[in % WAITING].kind = kind;
            queue[in % WAITING].bytes = bytes;
            queue[in % WAITING].fill = (uint8_t)(in & 255);
            in++;
            link_commit(&us);
        } else if (in > out) {
            take(&them, queue[out % WAITING].kind, queue[out % WAITING].bytes,
                 queue[out % WAITING].fill);
            out++;
        } else {
            assert_false(link_has(&them));
        }
    }
    assert_true(out > 1000);
    assert_null(us.broken);
    assert_null(them.broken);
    close_pair();
}

/* ---- two threads ---- */
enum { STREAM = 60000 };
static void wait_for_bell(struct link *l)
{
    struct pollfd p = {.fd = l->end.bell, .events = POLLIN};
    if (link_sleep(l)) {
        while (poll(&p, 1, -1) < 0)
            ;
        link_awake(l);
    }
}

static void *echo(void *arg)
{
    struct link *l = arg;
    static uint8_t mine[SMALL];
    for (uint64_t done = 0; done < STREAM;) {
        struct link_message m;
        if (!link_take(l, &m, mine, sizeof mine)) {
            if (l->broken)
                return (void *)l->broken;
            wait_for_bell(l);
            continue;
        }
        while (!link_put(l, m.kind, mine, m.bytes)) {
            if (l->broken)
                return (void *)l->broken;
            wait_for_bell(l);
        }
        link_ring(l);
        done++;
    }
    return NULL;
}

/* Both sleep whenever there is nothing to do: a lost wake-up hangs this test. */
static void link_two_threads_that_sleep_lose_nothing(void **state)
{
    (void)state;
    struct rng rng;
    pthread_t thread;
    uint64_t sent = 0, got = 0;
    rng_seed(&rng, seed_of_run());
    open_pair(SMALL);
    assert_int_equal(pthread_create(&thread, NULL, echo, &them), 0);
    while (got < STREAM) {
        uint64_t want = sent + 1 + rng_below(&rng, 12), word[8];
        for (; sent < STREAM && sent < want && sent - got < 16; sent++) {
            for (int i = 0; i < 8; i++)
                word[i] = sent * 8 + (uint64_t)i;
            if (!link_put(&us, 1 + (uint32_t)(sent % 50), word, 8 * (1 + (uint32_t)sent % 8)))
                break;
        }
        link_ring(&us);
        struct link_message m;
        if (!link_take(&us, &m, word, sizeof word)) {
            assert_null(us.broken);
            wait_for_bell(&us);
            continue;
        }
        link_ring(&us); /* there is room again */
        assert_int_equal(m.kind, 1 + got % 50);
        assert_int_equal(m.bytes, 8 * (1 + got % 8));
        for (uint32_t i = 0; i < m.bytes / 8; i++)
            assert_int_equal(word[i], got * 8 + i);
        got++;
    }
    void *why = NULL;
    assert_int_equal(pthread_join(thread, &why), 0);
    assert_null(why);
    close_pair();
}

static void link_bell_rings_only_the_sleeper(void **state)
{
    (void)state;
    struct pollfd bell;
    open_pair(SMALL);
    bell = (struct pollfd){.fd = them.end.bell, .events = POLLIN};
    put(&us, 1, 8, 0);
    link_ring(&us);
    assert_int_equal(poll(&bell, 1, 0), 0);
    assert_false(link_sleep(&them)); /* there is a message */
    take(&them, 1, 8, 0);
    assert_true(link_sleep(&them));
    put(&us, 1, 8, 0);
    link_ring(&us);
    assert_int_equal(poll(&bell, 1, 0), 1);
    link_awake(&them);
    assert_int_equal(poll(&bell, 1, 0), 0);
    link_ring(&us);
    assert_int_equal(poll(&bell, 1, 0), 0);
    close_pair();
}

/* The peer fills our bell to the brim and says that it sleeps: ringing does not wait. */
static void link_brimming_bell_does_not_block(void **state)
{
    (void)state;
    const uint64_t brim = UINT64_MAX - 1;
    open_pair(SMALL);
    assert_true(link_sleep(&them));
    assert_int_equal(write(them.end.bell, &brim, sizeof brim), sizeof brim);
    link_ring(&us);
    assert_null(us.broken);
    close_pair();
}

static void link_heartbeat_is_the_owners(void **state)
{
    (void)state;
    open_pair(SMALL);
    assert_int_equal(link_their_beat(&us), 0);
    link_beat(&them, 77);
    assert_int_equal(link_their_beat(&us), 77);
    assert_int_equal(link_their_beat(&them), 0);
    close_pair();
}

/* ---- what a peer cannot do with its descriptors ---- */
static void link_peer_can_neither_resize_nor_write_mine(void **state)
{
    (void)state;
    struct link_end end[2];
    assert_true(is_ok(link_make(SMALL, end, NULL)));
    int theirs = dup(end[1].theirs), mine = dup(end[0].mine);
    assert_int_equal(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, theirs, 0),
                     MAP_FAILED); /* before the owner opened */
    assert_true(is_ok(link_open(&end[0], &us, NULL)));
    assert_int_not_equal(ftruncate(mine, 0), 0);
    assert_int_not_equal(ftruncate(mine, 1 << 20), 0);
    assert_int_not_equal(pwrite(mine, "x", 1, 0), 1);
    assert_int_equal(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, mine, 0), MAP_FAILED);
    assert_int_not_equal(pwrite(theirs, "x", 1, 0), 1);
    close(theirs);
    close(mine);
    assert_true(is_ok(link_open(&end[1], &them, NULL)));
    close_pair();
}

static void link_open_refuses_what_is_no_link(void **state)
{
    (void)state;
    struct link_end end[2];
    struct link l;
    struct trail tr = {0};
    assert_int_equal(result_class(link_make(SMALL + 1, end, &tr)), RESULT_CLASS_INPUT);
    assert_int_equal(end[0].mine, -1);
    assert_int_equal(result_class(link_make(SMALL / 2, end, &tr)), RESULT_CLASS_INPUT);
    assert_true(is_ok(link_make(SMALL, end, &tr)));
    end[0].capacity = SMALL * 2; /* not what the memory has: its mapped end would be a fault */
    assert_int_equal(result_class(link_open(&end[0], &l, &tr)), RESULT_CLASS_PEER);
    end[1].capacity = 3;
    assert_int_equal(result_class(link_open(&end[1], &l, &tr)), RESULT_CLASS_INPUT);
    assert_true(is_ok(link_make(SMALL, end, &tr)));
    close(end[0].theirs);
    end[0].theirs = memfd_create("bare", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_int_equal(ftruncate(end[0].theirs, PAGE + SMALL), 0);
    assert_int_equal(result_class(link_open(&end[0], &l, &tr)), RESULT_CLASS_PEER);
    assert_int_equal(l.end.mine, -1);
    int sealed = memfd_create("other", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_int_equal(ftruncate(sealed, PAGE + SMALL), 0);
    assert_int_equal(fcntl(sealed, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
    close(end[1].theirs);
    end[1].theirs = sealed; /* sealed, of the size, but no page of ours */
    assert_int_equal(result_class(link_open(&end[1], &l, &tr)), RESULT_CLASS_PEER);
}

/* Its page says the right things, but the memory ends early: a read there would be a fault. */
static void link_open_refuses_a_short_memory(void **state)
{
    (void)state;
    struct link_end end[2];
    struct link l;
    struct trail tr = {0};
    uint8_t page[256];
    assert_true(is_ok(link_make(SMALL, end, &tr)));
    assert_int_equal(pread(end[0].theirs, page, sizeof page, 0), sizeof page);
    int brief = memfd_create("brief", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_int_equal(pwrite(brief, page, sizeof page, 0), sizeof page);
    assert_int_equal(ftruncate(brief, PAGE), 0);
    assert_int_equal(fcntl(brief, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
    close(end[0].theirs);
    end[0].theirs = brief;
    assert_int_equal(result_class(link_open(&end[0], &l, &tr)), RESULT_CLASS_PEER);
    assert_non_null(strstr(trail_sentence(&tr, RESULT_OF(PROTOCOL)), "size agreed"));
    link_end_close(&end[1]);
}

static void link_open_says_what_the_system_refused(void **state)
{
    (void)state;
    struct link_end end[2];
    struct link l;
    struct trail tr = {0};
    assert_true(is_ok(link_make(SMALL, end, &tr)));
    assert_int_equal(fcntl(end[0].mine, F_ADD_SEALS, F_SEAL_SEAL), 0);
    assert_int_equal(result_class(link_open(&end[0], &l, &tr)), RESULT_CLASS_IO);
    assert_non_null(strstr(trail_sentence(&tr, RESULT_OF(IO)), "cannot be sealed"));
    int swap = end[1].mine; /* the read-only one cannot be mapped for writing */
    end[1].mine = end[1].theirs;
    end[1].theirs = swap;
    tr = (struct trail){0};
    assert_int_equal(result_class(link_open(&end[1], &l, &tr)), RESULT_CLASS_IO);
    assert_non_null(strstr(trail_sentence(&tr, RESULT_OF(IO)), "cannot be mapped"));
}

/* Out of descriptors at each point of making one: all or nothing is left open. */
static void link_make_without_descriptors_leaks_none(void **state)
{
    (void)state;
    struct rlimit was, few;
    struct link_end end[2];
    int free_from = dup(0);
    assert_true(free_from >= 0);
    close(free_from);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
    for (int room = 0; room < 8; room++) {
        few = (struct rlimit){.rlim_cur = (rlim_t)(free_from + room), .rlim_max = was.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
        struct result r = link_make(SMALL, end, NULL);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
        assert_int_equal(result_class(r), RESULT_CLASS_IO);
        int now = dup(0);
        assert_int_equal(now, free_from);
        close(now);
    }
}

/* ---- the hostile peer ---- */
static uint8_t *their_page(void)
{
    return them.out - PAGE;
}
static void scribble64(uint32_t at, uint64_t value)
{
    memcpy(their_page() + at, &value, sizeof value);
}
static void scribble_head(uint32_t at, uint32_t kind, uint32_t bytes)
{
    const uint32_t h[2] = {kind, bytes};
    memcpy(them.out + at, h, sizeof h);
}

static void breaks_on_take(const char *why)
{
    struct link_message m;
    assert_false(link_take(&us, &m, buffer, sizeof buffer));
    assert_non_null(us.broken);
    assert_non_null(strstr(us.broken, why));
    assert_false(link_has(&us));
    assert_false(link_take(&us, &m, buffer, sizeof buffer));
    assert_null(link_reserve(&us, 1, 1));
    assert_int_equal(link_room(&us), 0);
    assert_true(link_sleep(&us));
    link_ring(&us);
    close_pair();
}

static void link_false_heads_break_it(void **state)
{
    (void)state;
    static const uint64_t head[] = {4, SMALL + 8, UINT64_MAX, UINT64_MAX - 7, 1ull << 63};
    for (size_t i = 0; i < sizeof head / sizeof head[0]; i++) {
        open_pair(SMALL);
        scribble64(HEAD_AT, head[i]);
        breaks_on_take("written what cannot be");
    }
    open_pair(SMALL);
    put(&them, 1, 64, 1);
    take(&us, 1, 64, 1);
    scribble64(HEAD_AT, 8); /* it goes back */
    breaks_on_take("written what cannot be");
}

static void link_false_messages_break_it(void **state)
{
    (void)state;
    static const uint32_t bad[][2] = {{0, 8},    {1, SMALL},      {1, UINT32_MAX}, {1, 1000},
                                      {1, 1025}, {UINT32_MAX, 8}, {UINT32_MAX, 0}, {1, 2147483647}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        open_pair(SMALL);
        scribble_head(0, bad[i][0], bad[i][1]);
        scribble64(HEAD_AT, 64);
        breaks_on_take(bad[i][0] == UINT32_MAX ? "pad" : "kind or length");
    }
    open_pair(SMALL); /* all of it is there, but nobody may send so much */
    scribble_head(0, 1, 1500);
    scribble64(HEAD_AT, 2048);
    breaks_on_take("kind or length");
    open_pair(SMALL); /* it would go on behind the end of the memory */
    for (int i = 0; i < 4; i++) {
        put(&them, 1, 1000, 1);
        take(&us, 1, 1000, 1);
    }
    scribble_head(4032, 1, 512);
    scribble64(HEAD_AT, 4032 + 1024);
    breaks_on_take("kind or length");
    open_pair(SMALL); /* a pad over the whole ring, nothing behind it */
    scribble_head(0, UINT32_MAX, SMALL - 8);
    scribble64(HEAD_AT, SMALL);
    breaks_on_take("pad");
    open_pair(SMALL); /* a pad behind a pad */
    put(&them, 1, 1000, 1);
    take(&us, 1, 1000, 1);
    scribble_head(1008, UINT32_MAX, SMALL - 1008 - 8);
    scribble_head(0, UINT32_MAX, SMALL - 8);
    scribble64(HEAD_AT, SMALL + 64);
    breaks_on_take("kind or length");
}

static void link_message_beyond_the_buffer_breaks_it(void **state)
{
    (void)state;
    struct link_message m;
    uint8_t small[16];
    open_pair(SMALL);
    put(&them, 1, 17, 1);
    assert_false(link_take(&us, &m, small, sizeof small));
    assert_non_null(strstr(us.broken, "longer than its kind"));
    close_pair();
}

static void link_false_tails_break_it(void **state)
{
    (void)state;
    static const uint64_t tail[] = {8192, 4, UINT64_MAX, 0};
    for (size_t i = 0; i < sizeof tail / sizeof tail[0]; i++) {
        struct link_message m;
        open_pair(SMALL);
        while (link_put(&us, 1, buffer, 500))
            ;
        assert_true(link_take(&them, &m, buffer, sizeof buffer));
        while (link_put(&us, 1, buffer, 400))
            ;
        assert_null(us.broken);
        scribble64(TAIL_AT, tail[i]);
        assert_true(link_room(&us) <= SMALL);
        for (int k = 0; k < 2; k++)
            assert_false(link_put(&us, 1, buffer, 500));
        assert_non_null(us.broken);
        assert_non_null(strstr(us.broken, "read what was never written"));
        close_pair();
    }
}

/* Who was told of room has it, though the peer takes back its word to where it was seen before. */
static void link_room_once_given_stays(void **state)
{
    (void)state;
    struct link_message m;
    open_pair(SMALL);
    while (link_put(&us, 1, buffer, 500))
        ;
    assert_true(link_take(&them, &m, buffer, sizeof buffer));
    assert_int_equal(us.tail_seen, 0);
    assert_true(link_room(&us) >= 508);
    scribble64(TAIL_AT, 0);
    assert_true(link_put(&us, 1, buffer, 400));
    close_pair();
    open_pair(SMALL); /* and room that lies beside the grid was never there */
    while (link_put(&us, 1, buffer, 500))
        ;
    scribble64(TAIL_AT, 1004);
    assert_int_equal(link_room(&us), 0);
    assert_non_null(us.broken);
    close_pair();
    open_pair(SMALL); /* nor is it found when a message is written without asking */
    while (link_put(&us, 1, buffer, 500))
        ;
    scribble64(TAIL_AT, 1004);
    assert_false(link_put(&us, 1, buffer, 500));
    assert_non_null(us.broken);
    close_pair();
}

/* The peer writes words at random places of its page and ring between our calls. */
static void link_any_scribble_is_broken_or_a_message(void **state)
{
    (void)state;
    struct rng rng;
    uint64_t broken = 0, taken = 0;
    rng_seed(&rng, seed_of_run());
    for (int round = 0; round < 3000; round++) {
        open_pair(SMALL);
        for (int call = 0; call < 60 && !us.broken; call++) {
            uint64_t word = rng_next(&rng) >> rng_below(&rng, 64);
            struct link_message m = {0};
            switch (rng_below(&rng, 6)) {
            case 0:
                scribble64(HEAD_AT + 64 * (uint32_t)rng_below(&rng, 3), word & ~7ull);
                break;
            case 1:
                scribble64(PAGE + 8 * (uint32_t)rng_below(&rng, SMALL / 8), word);
                break;
            case 2:
                scribble64(8 * (uint32_t)rng_below(&rng, PAGE / 8), word);
                break;
            case 3:
                link_put(&them, 1 + (uint32_t)rng_below(&rng, 9), buffer,
                         (uint32_t)rng_below(&rng, SMALL / 4 + 1));
                break;
            case 4:
                link_put(&us, 1, buffer, (uint32_t)rng_below(&rng, SMALL / 4 + 1));
                link_ring(&us);
                break;
            default:
                if (link_take(&us, &m, buffer, 900)) {
                    assert_true(m.bytes <= 900 && m.kind != 0 && m.kind != UINT32_MAX);
                    taken++;
                }
            }
            assert_true(link_room(&us) <= SMALL);
        }
        broken += us.broken != NULL;
        close_pair();
    }
    print_message("%llu of 3000 broken, %llu messages\n", (unsigned long long)broken,
                  (unsigned long long)taken);
    assert_true(broken > 1000 && taken > 1000);
}

/* ---- our own bugs ---- */
static void reserve_twice(void *arg)
{
    (void)arg;
    (void)link_reserve(&us, 1, 1);
    (void)link_reserve(&us, 1, 1);
}
static void put_too_much(void *arg)
{
    (void)arg;
    (void)link_put(&us, 1, buffer, SMALL / 4 + 1);
}
static void commit_nothing(void *arg)
{
    (void)arg;
    link_commit(&us);
}
static void link_misuse_dies(void **state)
{
    (void)state;
    open_pair(SMALL);
    assert_dies(reserve_twice, NULL, "l->reserved == l->head");
    assert_dies(put_too_much, NULL, "largest");
    assert_dies(commit_nothing, NULL, "l->reserved != l->head");
    close_pair();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(link_both_ways_keep_apart),
        cmocka_unit_test(link_reservation_is_unseen_until_commit),
        cmocka_unit_test(link_full_says_so_and_recovers),
        cmocka_unit_test(link_random_calls_equal_a_queue),
        cmocka_unit_test(link_two_threads_that_sleep_lose_nothing),
        cmocka_unit_test(link_bell_rings_only_the_sleeper),
        cmocka_unit_test(link_brimming_bell_does_not_block),
        cmocka_unit_test(link_heartbeat_is_the_owners),
        cmocka_unit_test(link_peer_can_neither_resize_nor_write_mine),
        cmocka_unit_test(link_open_refuses_what_is_no_link),
        cmocka_unit_test(link_open_refuses_a_short_memory),
        cmocka_unit_test(link_open_says_what_the_system_refused),
        cmocka_unit_test(link_make_without_descriptors_leaks_none),
        cmocka_unit_test(link_false_heads_break_it),
        cmocka_unit_test(link_false_messages_break_it),
        cmocka_unit_test(link_message_beyond_the_buffer_breaks_it),
        cmocka_unit_test(link_false_tails_break_it),
        cmocka_unit_test(link_room_once_given_stays),
        cmocka_unit_test(link_any_scribble_is_broken_or_a_message),
        cmocka_unit_test(link_misuse_dies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
