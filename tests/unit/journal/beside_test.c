/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: a reader that opens the journal beside its writer sees no group missing, also while the
 * writer's logs become tables. Method: a thread appends enough to turn several logs into tables,
 * this one opens the store read-only again and again and reads all that its view holds, in order.
 */
#include <pthread.h>
#include <stdatomic.h>
#include "tests/unit/journal/kit.h"
#include "journal/journal.h"

enum { GROUPS = 1500, GROUP_BYTES = 64 * 1024 };

struct writing {
    struct journal_store *store;
    _Atomic bool is_done;
};

static void *write_all(void *arg)
{
    static uint8_t group[GROUP_BYTES];
    struct writing *w = arg;
    struct trail tr = {0};
    for (uint64_t i = 1; i <= GROUPS; i++) {
        for (uint32_t k = 0; k < GROUP_BYTES; k += 64) /* so that it does not compress to nothing */
            group[k] = (uint8_t)(i * 31 + k);
        if (!is_ok(w->store->ops->append(w->store, i, group, sizeof group, false, &tr)))
            break;
    }
    atomic_store(&w->is_done, true);
    return NULL;
}

/* Reads every group of a fresh view; gives how many there were. */
static uint64_t read_view(const char *dir)
{
    struct journal_store *s = NULL;
    struct trail tr = {0};
    uint64_t first = 0, last = 0, seen = 0;
    const void *bytes;
    size_t count;
    assert_true(is_ok(journal_store_rocksdb(dir, false, true, &s, &tr)));
    assert_true(is_ok(s->ops->bounds(s, &first, &last, &tr)));
    for (uint64_t i = first; i <= last; i++) {
        struct result r = s->ops->read(s, i, &bytes, &count, &tr);
        if (!is_ok(r))
            fail_msg("group %lu of %lu: %s", (unsigned long)i, (unsigned long)last,
                     trail_sentence(&tr, r));
        assert_int_equal(count, GROUP_BYTES);
        seen++;
    }
    s->ops->close(s);
    return seen;
}

static void beside_a_writer_no_group_is_missing(void **state)
{
    (void)state;
    char dir[] = "/tmp/tenon-beside-XXXXXX", path[64];
    struct trail tr = {0};
    struct writing w = {0};
    pthread_t thread;
    uint64_t views = 0;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/j", dir);
    assert_true(is_ok(journal_store_rocksdb(path, true, false, &w.store, &tr)));
    assert_int_equal(pthread_create(&thread, NULL, write_all, &w), 0);
    do {
        (void)read_view(path);
        views++;
    } while (!atomic_load(&w.is_done));
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(read_view(path), GROUPS);
    w.store->ops->close(w.store);
    kit_remove(dir);
    print_message("%lu views beside the writer\n", (unsigned long)views);
    assert_true(views > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(beside_a_writer_no_group_is_missing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
