/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: a reader gives every record in order from wherever it was put, and stops at damage with
 * its name.
 * Method: seek to every seq of a journal of uneven groups and compare with the linear order.
 */
#include "tests/unit/journal/kit.h"

static struct shelf *filled(uint64_t to)
{
    struct shelf *s = shelf_new();
    uint8_t prev[32] = {0};
    uint64_t per = 1;
    for (uint64_t seq = 1; seq <= to; per = per % 5 + 1) {
        const uint64_t end = seq + per - 1 > to ? to : seq + per - 1;
        const uint64_t index = ++s->last;
        s->group[index].bytes = kit_group(kit_id, index, prev, seq, end, &s->group[index].count);
        memcpy(prev, s->group[index].bytes + offsetof(struct group_head, hash), 32);
        seq = end + 1;
    }
    return s;
}

static void reader_seek_gives_what_follows(void **state)
{
    (void)state;
    enum { END = 60 };
    struct shelf *s = filled(END);
    struct journal_reader *r;
    struct fact_head h;
    const void *payload;
    struct trail tr = {0};
    assert_ok(journal_reader_open(&s->store, &r, NULL));
    for (uint64_t want = 0; want <= END + 1; want++) {
        assert_ok_tr(journal_reader_seek(r, want, &tr), &tr);
        uint64_t seq = want ? want : 1, records = 0;
        while (is_ok(journal_reader_next(r, &h, &payload, &tr))) {
            if (h.sub == 0 && records++ > 0)
                seq++;
            assert_int_equal(h.seq, seq);
        }
        assert_int_equal(tr.count, 0); /* the end, no damage */
        if (want <= END)
            assert_int_equal(seq, END);
        else
            assert_int_equal(records, 0);
    }
    journal_reader_close(r);
    shelf_free(s);
}

static void reader_of_empty_journal_is_at_its_end(void **state)
{
    (void)state;
    struct shelf *s = shelf_new();
    struct journal_reader *r;
    struct fact_head h;
    const void *payload;
    assert_ok(journal_reader_open(&s->store, &r, NULL));
    assert_code(journal_reader_next(r, &h, &payload, NULL), END);
    assert_ok(journal_reader_seek(r, 5, NULL));
    assert_code(journal_reader_next(r, &h, &payload, NULL), END);
    journal_reader_close(r);
    shelf_free(s);
}

/* A reader at the end goes on when more has come. */
static void reader_at_the_end_follows_the_writer(void **state)
{
    (void)state;
    struct journal_store *s;
    struct journal_options o;
    struct journal *j;
    struct journal_found found;
    struct journal_reader *r;
    struct fact_head h;
    const void *payload;
    assert_ok(journal_store_memory(&s));
    o = kit_options(s, NULL);
    assert_ok(journal_open(&o, &j, &found, NULL));
    assert_ok(journal_reader_open(s, &r, NULL));
    uint64_t seen = 0;
    for (uint64_t seq = 1; seq <= 50; seq += 5) {
        kit_put_groups(j, seq, seq + 4, 2);
        while (is_ok(journal_reader_next(r, &h, &payload, NULL)))
            seen = h.seq;
        assert_int_equal(seen, seq + 4);
    }
    journal_reader_close(r);
    assert_ok(journal_close(j, NULL, NULL));
}

static void reader_stops_at_damage_and_names_it(void **state)
{
    (void)state;
    struct shelf *s = filled(60);
    struct journal_reader *r;
    struct fact_head h;
    const void *payload;
    struct trail tr = {0};
    struct result got;
    uint64_t last = 0;
    s->group[9].bytes[sizeof(struct group_head) + 20] ^= 1;
    assert_ok(journal_reader_open(&s->store, &r, NULL));
    do {
        got = journal_reader_next(r, &h, &payload, &tr);
        if (is_ok(got))
            last = h.seq;
    } while (is_ok(got));
    assert_code(got, BROKEN_CHAIN);
    assert_non_null(strstr(tr.frame[0].text, "group 9"));
    struct group_head head;
    memcpy(&head, s->group[9].bytes, sizeof head);
    assert_int_equal(last, head.first_seq - 1);
    journal_reader_close(r);
    shelf_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reader_seek_gives_what_follows),
        cmocka_unit_test(reader_of_empty_journal_is_at_its_end),
        cmocka_unit_test(reader_at_the_end_follows_the_writer),
        cmocka_unit_test(reader_stops_at_damage_and_names_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
