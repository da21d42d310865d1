/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: a replay gives the same effects, from genesis and from a snapshot, and names the record at
 * the first difference; a snapshot is believed only if the journal vouches for it. Method: the
 * journal of a real run; copies of it with one record altered, dropped or added, the chain redone.
 */
#include "tests/unit/flow/flow_rig.h"

enum { BARS = 400, STEP_BYTES = 1 << 20 };

enum alter { ALTER_NONE, ALTER_CONTENT, ALTER_HEADER, ALTER_DROP, ALTER_ADD, ALTER_EVENT };

/* ---- copies with one change ---- */

struct copy {
    struct journal_store *store;
    struct journal *journal;
    uint8_t *step;
    uint32_t bytes;
    uint64_t seq;
};

static void put_record(struct copy *c, const struct fact_head *head, const void *payload)
{
    struct fact_head h = *head;
    h.crc = 0;
    assert_true(c->bytes + sizeof h + FACT_MAX_BYTES < STEP_BYTES);
    memcpy(c->step + c->bytes, &h, sizeof h);
    memcpy(c->step + c->bytes + sizeof h, payload, h.bytes);
    c->bytes += (uint32_t)sizeof h + ((h.bytes + 7) & ~7u);
    c->seq = h.seq;
}

static void put_step(struct copy *c, struct flow_rig *r)
{
    struct result x = OK_RESULT;
    do {
        x = c->bytes ? journal_put(c->journal, c->step, c->bytes, c->seq, false) : OK_RESULT;
    } while (x.code == RESULT_FULL);
    RIG_OK(r, x);
    memset(c->step, 0, c->bytes);
    c->bytes = 0;
}

/* The n-th effect of this type, counted from 0, or its event, is changed. */
static void copy_with(struct flow_rig *r, uint16_t type, uint32_t nth, enum alter alter,
                      struct copy *c)
{
    struct journal_found found;
    uint32_t seen = 0;
    RIG_OK(r, journal_store_memory(&c->store));
    struct journal_options o = {.store = c->store, .clock = &clock_system};
    RIG_OK(r, journal_open(&o, &c->journal, &found, &r->tr));
    c->step = calloc(1, STEP_BYTES);
    assert_non_null(c->step);
    for (uint32_t i = 0; i < r->count; i++) {
        struct fact_view v = r->record[i];
        bool hit = v.head.type == type && seen++ == nth;
        if (v.head.sub == 0)
            put_step(c, r);
        if (hit && alter == ALTER_DROP) {
            assert_true(i + 1 == r->count || r->record[i + 1].head.sub == 0); /* the last one */
            continue;
        }
        v.u.bytes[8] ^= hit && (alter == ALTER_CONTENT || alter == ALTER_EVENT);
        v.head.cause_seq ^= hit && alter == ALTER_HEADER;
        put_record(c, &v.head, v.u.bytes);
        if (hit && alter == ALTER_ADD) {
            v.head.sub++;
            put_record(c, &v.head, v.u.bytes);
        }
    }
    put_step(c, r);
    RIG_OK(r, journal_wait(c->journal, c->seq, &r->tr));
}

static struct replay_report replay_of(struct flow_rig *r, struct copy *c)
{
    struct replay_report rep;
    struct arena a = {0};
    size_t bytes = core_bytes(&replay_limits);
    RIG_OK(r, arena_map(&a, bytes + 64));
    struct core *core = core_init(arena_take(&a, bytes, 64), bytes, &replay_limits);
    RIG_OK(r, replay_run(c->store, r->journal, false, core, &rep, &r->tr));
    arena_unmap(&a);
    uint8_t head[FACT_HASH_BYTES];
    RIG_OK(r, journal_close(c->journal, head, &r->tr));
    free(c->step);
    return rep;
}

static struct flow_rig *recorded(void)
{
    struct flow_rig *r = rig_new(NULL, BARS);
    rig_whole(r, FACT_RUN_PAPER);
    rig_read(r);
    return r;
}

/* ---- tests ---- */

static void replay_untouched_copy_is_identical(void **state)
{
    (void)state;
    struct flow_rig *r = recorded();
    struct copy c = {0};
    struct replay_report direct;
    RIG_OK(r, replay_dir(r->journal, false, &direct, &r->tr));
    copy_with(r, FACT_SEND, 0, ALTER_NONE, &c);
    struct replay_report rep = replay_of(r, &c);
    assert_int_equal(rep.differences, 0);
    assert_string_equal(rep.difference, "");
    assert_int_equal(rep.events, r->report.last_seq);
    assert_int_equal(rep.events + rep.effects, r->count);
    assert_int_equal(rep.records, r->count);
    assert_memory_equal(rep.effects_sha256, direct.effects_sha256, FACT_HASH_BYTES);
    assert_memory_equal(direct.chain, r->report.head, FACT_HASH_BYTES);
    rig_free(r);
}

static const struct fact_view *nth_of(const struct flow_rig *r, uint16_t type, uint32_t nth)
{
    uint32_t seen = 0;
    for (uint32_t i = 0; i < r->count; i++) {
        if (r->record[i].head.type == type && seen++ == nth)
            return &r->record[i];
    }
    return NULL;
}

static void replay_changed_effect_is_named(void **state)
{
    (void)state;
    static const struct {
        uint16_t type;
        enum alter alter;
        const char *words;
    } cases[] = {
        {FACT_SEND, ALTER_CONTENT, "the journal has SEND, the replay gives the same with other"},
        {FACT_DECISION, ALTER_CONTENT, "the journal has DECISION"},
        {FACT_POSITION, ALTER_HEADER, "the same with another header"},
    };
    struct flow_rig *r = recorded();
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct copy c = {0};
        const struct fact_view *hit = nth_of(r, cases[i].type, 3);
        assert_non_null(hit);
        copy_with(r, cases[i].type, 3, cases[i].alter, &c);
        struct replay_report rep = replay_of(r, &c);
        assert_int_equal(rep.differences, 1);
        assert_int_equal(rep.differs_seq, hit->head.seq);
        assert_int_equal(rep.differs_sub, hit->head.sub);
        if (strstr(rep.difference, cases[i].words) == NULL)
            fail_msg("'%s' is not in: %s", cases[i].words, rep.difference);
    }
    rig_free(r);
}

static void replay_effect_too_few_or_too_many_is_named(void **state)
{
    (void)state;
    struct flow_rig *r = recorded();
    const struct fact_view *last = NULL;
    uint32_t nth = 0, seen = 0;
    for (uint32_t i = 0; i + 1 < r->count && last == NULL; i++) { /* an ORDER that ends its step */
        if (r->record[i].head.type != FACT_ORDER)
            continue;
        nth = seen++;
        if (nth > 5 && r->record[i + 1].head.sub == 0)
            last = &r->record[i];
    }
    assert_non_null(last);
    for (int add = 0; add <= 1; add++) {
        struct copy c = {0};
        copy_with(r, FACT_ORDER, nth, add ? ALTER_ADD : ALTER_DROP, &c);
        struct replay_report rep = replay_of(r, &c);
        assert_int_equal(rep.differences, 1);
        assert_int_equal(rep.differs_seq, last->head.seq);
        assert_non_null(strstr(rep.difference, add ? "the replay gives nothing more"
                                                   : "the journal has nothing more"));
    }
    rig_free(r);
}

/* An event that was altered is not itself compared: the first effect that follows from it is. */
static void replay_changed_event_is_found_by_what_follows(void **state)
{
    (void)state;
    struct flow_rig *r = recorded();
    struct copy c = {0};
    const struct fact_view *signal = nth_of(r, FACT_SIGNAL, 2);
    copy_with(r, FACT_SIGNAL, 2, ALTER_EVENT, &c); /* another side */
    struct replay_report rep = replay_of(r, &c);
    assert_int_equal(rep.differences, 1);
    assert_int_equal(rep.differs_seq, signal->head.seq);
    rig_free(r);
}

/* ---- snapshots ---- */

static struct flow_rig *recorded_with_snapshot(uint64_t *seq)
{
    struct flow_rig *r = rig_new(NULL, BARS);
    rig_open(r, FACT_RUN_PAPER);
    rig_run(r, 200);
    RIG_OK(r, lockstep_snapshot(r->engine, &r->tr));
    *seq = r->engine->snapshot_seq;
    rig_run(r, UINT32_MAX);
    rig_stop(r);
    return r;
}

static void replay_from_a_snapshot_gives_the_same(void **state)
{
    (void)state;
    uint64_t at;
    struct replay_report genesis, tail;
    struct flow_rig *r = recorded_with_snapshot(&at);
    RIG_OK(r, replay_dir(r->journal, false, &genesis, &r->tr));
    RIG_OK(r, replay_dir(r->journal, true, &tail, &r->tr));
    assert_int_equal(genesis.from_seq, 0);
    assert_int_equal(tail.from_seq, at);
    assert_int_equal(tail.events, genesis.events - at);
    assert_int_equal(genesis.differences + tail.differences, 0);
    assert_memory_equal(genesis.effects_sha256, tail.effects_sha256, FACT_HASH_BYTES);
    assert_memory_equal(genesis.chain, tail.chain, FACT_HASH_BYTES);
    rig_free(r);
}

static void replay_snapshot_without_a_record_is_not_believed(void **state)
{
    (void)state;
    uint64_t at;
    uint8_t sha[FACT_HASH_BYTES];
    struct replay_report rep;
    struct flow_rig *r = recorded_with_snapshot(&at);
    RIG_OK(r, journal_snapshot_write(r->journal, at + 5, "a lost past", 11, sha, &r->tr));
    RIG_OK(r, replay_dir(r->journal, true, &rep, &r->tr));
    assert_int_equal(rep.from_seq, at);
    assert_int_equal(rep.differences, 0);
    rig_free(r);
}

/* One of a program with another layout only costs time: the journal is stepped from genesis. */
static void replay_snapshot_of_another_format_is_passed_over(void **state)
{
    (void)state;
    uint64_t at, seq;
    uint32_t version = 1;
    uint8_t sha[FACT_HASH_BYTES];
    void *bytes;
    size_t count;
    struct replay_report genesis, rep;
    struct flow_rig *r = recorded_with_snapshot(&at);
    RIG_OK(r, replay_dir(r->journal, false, &genesis, &r->tr));
    RIG_OK(r, journal_snapshot_read(r->journal, at, &seq, &bytes, &count, &r->tr));
    memcpy((uint8_t *)bytes + sizeof version, &version, sizeof version);
    RIG_OK(r, journal_snapshot_write(r->journal, at, bytes, count, sha, &r->tr));
    free(bytes);
    RIG_OK(r, replay_dir(r->journal, true, &rep, &r->tr));
    assert_int_equal(rep.from_seq, 0);
    assert_int_equal(rep.events, genesis.events);
    assert_int_equal(rep.differences, 0);
    assert_memory_equal(genesis.effects_sha256, rep.effects_sha256, FACT_HASH_BYTES);
    rig_free(r);
}

static void replay_snapshot_newer_than_the_journal_is_refused_case_77(void **state)
{
    (void)state;
    uint64_t at;
    uint8_t sha[FACT_HASH_BYTES];
    struct replay_report rep;
    struct flow_rig *r = recorded_with_snapshot(&at);
    RIG_OK(r, journal_snapshot_write(r->journal, r->report.last_seq + 1, "x", 1, sha, &r->tr));
    struct result x = replay_dir(r->journal, true, &rep, &r->tr);
    assert_int_equal(x.code, RESULT_TRUNCATED);
    assert_non_null(strstr(trail_sentence(&r->tr, x), "restore the newest copy"));
    RIG_OK(r, replay_dir(r->journal, false, &rep, &r->tr)); /* genesis needs none */
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replay_untouched_copy_is_identical),
        cmocka_unit_test(replay_changed_effect_is_named),
        cmocka_unit_test(replay_effect_too_few_or_too_many_is_named),
        cmocka_unit_test(replay_changed_event_is_found_by_what_follows),
        cmocka_unit_test(replay_from_a_snapshot_gives_the_same),
        cmocka_unit_test(replay_snapshot_without_a_record_is_not_believed),
        cmocka_unit_test(replay_snapshot_of_another_format_is_passed_over),
        cmocka_unit_test(replay_snapshot_newer_than_the_journal_is_refused_case_77),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
