/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: a journal in which one record was altered, taken out or forged, with every checksum and
 * hash redone by somebody who knows the format, does not replay: the record is named. And a journal
 * of another core logic is refused by `tenon replay`, unless asked for with --current.
 *
 * Method: the real engine runs the golden deployment for some hours of its market on a real
 * journal. Its records are read, one is changed, and all are packed into new groups with right
 * CRCs and a right chain: into memory for the library, into RocksDB for the tool. The unchanged
 * copy must replay identically (or the rest says nothing).
 */
#include "tests/unit/journal/kit.h"

#include <sys/wait.h>
#include "base/hash.h"
#include "core/step.h"
#include "flow/lockstep.h"
#include "flow/throwaway.h"
#include "flow/replay.h"
#include "journal/group.h"

#define HOURS_NS (6 * 3600 * 1000000000ll)
enum { GROUP_RECORDS = 200, OUTPUT_BYTES = 8192 };
static const char golden[] = TENON_SOURCE_DIR "/tests/fixtures/golden/";

struct tape {
    struct fact_view *row;
    size_t count, room;
};
static char base[PATH_MAX];
static struct tape original;
static struct replay_report truth;

static void tape_add(struct tape *t, const struct fact_head *head, const void *payload)
{
    if (t->count == t->room) {
        t->room = t->room ? 2 * t->room : 4096;
        t->row = realloc(t->row, t->room * sizeof *t->row);
        assert_non_null(t->row);
    }
    struct fact_view *v = &t->row[t->count++];
    memset(v, 0, sizeof *v);
    v->head = *head;
    memcpy(v->u.bytes, payload, head->bytes);
}

static struct tape tape_copy(void)
{
    struct tape t = {.count = original.count, .room = original.room};
    t.row = malloc(t.room * sizeof *t.row);
    assert_non_null(t.row);
    memcpy(t.row, original.row, t.count * sizeof *t.row);
    return t;
}

static void tape_remove(struct tape *t, size_t i)
{
    memmove(&t->row[i], &t->row[i + 1], (t->count - i - 1) * sizeof *t->row);
    t->count--;
}

/* The n-th (from 0) record of a type. */
static size_t tape_find(const struct tape *t, uint16_t type, size_t n)
{
    for (size_t i = 0; i < t->count; i++) {
        if (t->row[i].head.type == type && n-- == 0)
            return i;
    }
    fail_msg("the run has too few %s records", fact_name(type));
    return 0;
}

/* ---- the run ---- */

static void run_engine(const char *journal, const char *heads)
{
    struct trail tr = {0};
    char config[PATH_MAX], instruments[PATH_MAX];
    struct throwaway *keys = NULL;
    struct bundle *first = NULL;
    struct lockstep *l = NULL;
    struct lockstep_report report;
    snprintf(config, sizeof config, "%sdemo.yaml", golden);
    snprintf(instruments, sizeof instruments, "%sinstruments.yaml", golden);
    struct throwaway_ask ask = {
        .path = config, .instruments = instruments, .plugin_dir = TENON_PLUGIN_DIR, .serial = 1};
    assert_ok_tr(throwaway_new("demo", &clock_system, &keys, &tr), &tr);
    assert_ok_tr(throwaway_propose(keys, &ask, &first, &tr), &tr);
    struct lockstep_options o = {.first = first,
                                 .trust = throwaway_trust(keys),
                                 .kind = FACT_RUN_PAPER,
                                 .plugin_dir = TENON_PLUGIN_DIR,
                                 .journal_dir = journal,
                                 .heads_dir = heads,
                                 .clock = &clock_system};
    assert_ok_tr(lockstep_open(&o, &l, &tr), &tr);
    struct fact_auto on = {.on = 1, .by = "test"};
    int64_t next_ns;
    struct result r = lockstep_command(l, FACT_AUTO, &on, &tr);
    assert_ok_tr(lockstep_next(l, &next_ns, &tr), &tr);
    lockstep_until(l, next_ns + HOURS_NS);
    while (is_ok(r))
        r = lockstep_turn(l, &tr);
    assert_code(r, END);
    assert_ok_tr(lockstep_stop(l, &report, &tr), &tr);
    lockstep_free(l);
    bundle_free(first);
    throwaway_free(keys);
}

static int make_original(void **state)
{
    (void)state;
    struct trail tr = {0};
    char journal[PATH_MAX], heads[PATH_MAX];
    struct journal_store *store;
    struct journal_reader *reader;
    struct fact_head head;
    const void *payload;
    kit_folder(base);
    kit_path(journal, base, "journal");
    kit_path(heads, base, "heads");
    assert_int_equal(mkdir(journal, 0700), 0);
    assert_int_equal(mkdir(heads, 0700), 0);
    run_engine(journal, heads);
    assert_ok_tr(replay_dir(journal, false, &truth, &tr), &tr);
    assert_ok_tr(journal_store_rocksdb(journal, false, true, &store, &tr), &tr);
    assert_ok_tr(journal_reader_open(store, &reader, &tr), &tr);
    struct result r;
    while (is_ok(r = journal_reader_next(reader, &head, &payload, &tr)))
        tape_add(&original, &head, payload);
    assert_code(r, END);
    journal_reader_close(reader);
    store->ops->close(store);
    return 0;
}

static int remove_original(void **state)
{
    (void)state;
    free(original.row);
    kit_remove(base);
    return 0;
}

/* ---- forging ---- */

struct forge {
    struct journal_store *store;
    struct hash_sha256 *sha;
    uint8_t *bytes;
    size_t used;
    struct group_head head;
    uint8_t prev[FACT_HASH_BYTES];
};

static void forge_group(struct forge *f)
{
    struct trail tr = {0};
    if (f->head.record_count == 0)
        return;
    f->head.byte_count = f->used - sizeof f->head;
    memcpy(f->head.prev, f->prev, sizeof f->prev);
    memcpy(f->bytes, &f->head, sizeof f->head);
    group_seal(f->bytes, f->used, f->sha);
    struct group_head sealed;
    memcpy(&sealed, f->bytes, sizeof sealed);
    memcpy(f->prev, sealed.hash, sizeof f->prev);
    assert_ok_tr(f->store->ops->append(f->store, f->head.index, f->bytes, f->used, false, &tr),
                 &tr);
    f->head.record_count = 0;
}

static void forge_record(struct forge *f, const struct fact_view *v)
{
    uint8_t *at;
    if (f->head.record_count == 0) {
        f->used = sizeof f->head;
        f->head.index++;
        f->head.first_seq = v->head.seq;
    }
    at = f->bytes + f->used;
    memset(at, 0, group_stride(v->head.bytes));
    memcpy(at, &v->head, sizeof v->head);
    memcpy(at + sizeof v->head, v->u.bytes, v->head.bytes);
    uint32_t crc = group_crc(at, v->head.bytes);
    memcpy(at + offsetof(struct fact_head, crc), &crc, sizeof crc);
    f->used += group_stride(v->head.bytes);
    f->head.record_count++;
    f->head.last_seq = v->head.seq;
    f->head.last_t_ns = v->head.t_ns;
}

/* Packs the records as the commit thread would; everything that can be checked locally is right. */
static void forge(const struct tape *t, struct journal_store *store)
{
    struct forge f = {.store = store,
                      .head = {.magic = "TENONGRP",
                               .version = GROUP_VERSION,
                               .head_bytes = sizeof(struct group_head)}};
    memcpy(f.head.journal_id, t->row[0].u.fact_genesis.journal_id, GROUP_ID_BYTES);
    f.bytes = malloc(sizeof f.head + (GROUP_RECORDS + 4096) * sizeof(struct fact_view));
    assert_non_null(f.bytes);
    assert_ok(hash_sha256_new(&f.sha));
    for (size_t i = 0; i < t->count; i++) {
        if (t->row[i].head.sub == 0 && f.head.record_count >= GROUP_RECORDS)
            forge_group(&f);
        forge_record(&f, &t->row[i]);
    }
    forge_group(&f);
    hash_sha256_free(f.sha);
    free(f.bytes);
}

static struct result replay_tape(const struct tape *t, struct replay_report *rep, struct trail *tr)
{
    struct journal_store *store;
    assert_ok(journal_store_memory(&store));
    forge(t, store);
    size_t bytes = core_bytes(&replay_limits);
    void *memory = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
    assert_non_null(memory);
    memset(memory, 0, bytes);
    struct core *core = core_init(memory, bytes, &replay_limits);
    struct result r = replay_run(store, NULL, false, core, rep, tr);
    free(memory);
    store->ops->close(store);
    return r;
}

/* Replays and expects a difference at this record, named by its kind. */
static void assert_named(struct tape *t, uint64_t seq, uint32_t sub, const char *kind)
{
    struct replay_report rep;
    struct trail tr = {0};
    char number[64];
    assert_ok_tr(replay_tape(t, &rep, &tr), &tr);
    snprintf(number, sizeof number, "event %" PRIu64 " effect %u", seq, sub);
    if (rep.differences != 1 || rep.differs_seq != seq || rep.differs_sub != sub ||
        strstr(rep.difference, number) == NULL || strstr(rep.difference, kind) == NULL)
        fail_msg("wanted a difference at %s with %s, got: '%s'", number, kind, rep.difference);
    assert_memory_not_equal(rep.effects_sha256, truth.effects_sha256, FACT_HASH_BYTES);
    free(t->row);
}

/* Expects that the reader itself stops and names the number. */
static void assert_unreadable(struct tape *t, uint64_t seq)
{
    struct replay_report rep;
    struct trail tr = {0};
    char number[32];
    struct result r = replay_tape(t, &rep, &tr);
    assert_int_equal(result_exit(r), 65);
    snprintf(number, sizeof number, "%" PRIu64, seq);
    if (strstr(trail_sentence(&tr, r), number) == NULL)
        fail_msg("seq %s is not named: %s", number, trail_sentence(&tr, r));
    free(t->row);
}

/* ---- tests ---- */

static void altered_nothing_replays_identically(void **state)
{
    (void)state;
    struct tape t = tape_copy();
    struct replay_report rep;
    struct trail tr = {0};
    assert_ok_tr(replay_tape(&t, &rep, &tr), &tr);
    assert_string_equal(rep.difference, "");
    assert_memory_equal(rep.effects_sha256, truth.effects_sha256, FACT_HASH_BYTES);
    assert_true(rep.effects > 100);
    free(t.row);
}

static void altered_effect_is_named(void **state)
{
    (void)state;
    struct tape t = tape_copy();
    struct fact_view *v = &t.row[tape_find(&t, FACT_POSITION, 3)];
    v->u.fact_position.avg_price++;
    assert_named(&t, v->head.seq, v->head.sub, "POSITION");
}

static void altered_decision_figure_is_named(void **state)
{
    (void)state;
    struct tape t = tape_copy();
    struct fact_view *v = &t.row[tape_find(&t, FACT_DECISION, 1)];
    v->u.fact_decision.rule[RISK_POSITION - 1].limit *= 2;
    assert_named(&t, v->head.seq, v->head.sub, "DECISION");
}

static void altered_fill_is_named_by_its_first_effect(void **state)
{
    (void)state;
    struct tape t = tape_copy();
    size_t at = tape_find(&t, FACT_POSITION, 0);
    while (t.row[at].head.sub != 0)
        at--;
    assert_int_equal(t.row[at].head.type, FACT_EXEC);
    t.row[at].u.fact_exec.fee += 100;
    uint32_t sub = t.row[tape_find(&t, FACT_POSITION, 0)].head.sub;
    assert_named(&t, t.row[at].head.seq, sub, "POSITION");
}

static void altered_limit_is_named_by_the_decision_it_moves(void **state)
{
    (void)state;
    struct tape t = tape_copy();
    size_t i = tape_find(&t, FACT_LIMIT, 0);
    while (t.row[i].u.fact_limit.rule != RISK_MAX_VALUE)
        i++;
    t.row[i].u.fact_limit.limit--;
    const struct fact_view *v = &t.row[tape_find(&t, FACT_DECISION, 0)];
    assert_named(&t, v->head.seq, v->head.sub, "DECISION");
}

static void deleted_effect_is_named(void **state)
{
    (void)state;
    struct tape t = tape_copy();
    size_t i = tape_find(&t, FACT_DECISION, 2);
    uint64_t seq = t.row[i].head.seq;
    tape_remove(&t, i);
    assert_unreadable(&t, seq);
}

static void deleted_effect_with_renumbered_ones_is_named(void **state)
{
    (void)state;
    struct tape t = tape_copy();
    size_t i = tape_find(&t, FACT_DECISION, 2);
    uint64_t seq = t.row[i].head.seq;
    uint32_t sub = t.row[i].head.sub;
    tape_remove(&t, i);
    for (; i < t.count && t.row[i].head.seq == seq; i++)
        t.row[i].head.sub--;
    assert_named(&t, seq, sub, "DECISION");
}

static void deleted_last_effect_is_named(void **state)
{
    (void)state;
    struct tape t = tape_copy();
    size_t i = tape_find(&t, FACT_SEND, 0);
    assert_int_not_equal(t.row[i + 1].head.seq, t.row[i].head.seq);
    uint64_t seq = t.row[i].head.seq;
    uint32_t sub = t.row[i].head.sub;
    tape_remove(&t, i);
    assert_named(&t, seq, sub, "SEND");
}

static void deleted_event_is_named(void **state)
{
    (void)state;
    struct tape t = tape_copy();
    size_t i = tape_find(&t, FACT_TRADE, 20);
    while (t.row[i + 1].head.sub != 0 || t.row[i].head.sub != 0)
        i++;
    uint64_t seq = t.row[i].head.seq;
    tape_remove(&t, i);
    assert_unreadable(&t, seq + 1); /* the record that comes too early */
}

static void deleted_event_with_renumbered_ones_is_named(void **state)
{
    (void)state;
    struct tape t = tape_copy();
    size_t i = tape_find(&t, FACT_TRADE, 20);
    while (t.row[i + 1].head.sub != 0 || t.row[i].head.sub != 0)
        i++;
    tape_remove(&t, i);
    for (; i < t.count; i++)
        t.row[i].head.seq--;
    const struct fact_view *v = &t.row[tape_find(&t, FACT_INTENT, 0)];
    assert_named(&t, v->head.seq, v->head.sub, "INTENT"); /* its number begins with the event's */
}

static void invented_effect_is_named(void **state)
{
    (void)state;
    struct tape t = tape_copy();
    size_t i = tape_find(&t, FACT_SEND, 0);
    uint64_t seq = t.row[i].head.seq;
    uint32_t sub = t.row[i].head.sub;
    tape_add(&t, &t.row[i].head, t.row[i].u.bytes); /* makes room at the end */
    memmove(&t.row[i + 2], &t.row[i + 1], (t.count - i - 2) * sizeof *t.row);
    t.row[i + 1] = t.row[i];
    t.row[i + 1].head.sub++;
    assert_named(&t, seq, sub + 1, "SEND");
}

/* ---- the tool ---- */

static int tool(const char *name, const struct tape *t, const char *flags, char *out)
{
    char dir[PATH_MAX], command[2 * PATH_MAX];
    struct trail tr = {0};
    struct journal_store *store;
    kit_path(dir, base, name);
    if (t != NULL) {
        assert_ok_tr(journal_store_rocksdb(dir, true, false, &store, &tr), &tr);
        forge(t, store);
        store->ops->close(store);
    }
    snprintf(command, sizeof command, "%s/tenon replay --journal %s %s 2>&1 </dev/null",
             TENON_BINARY_DIR, dir, flags);
    FILE *p = popen(command, "r");
    assert_non_null(p);
    size_t n = fread(out, 1, OUTPUT_BYTES - 1, p);
    out[n] = 0;
    int status = pclose(p);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void need_tool(void)
{
    if (access(TENON_BINARY_DIR "/tenon", X_OK) != 0) {
        print_message("skipped: %s/tenon is not built\n", TENON_BINARY_DIR);
        skip();
    }
}

static void tool_names_the_altered_record(void **state)
{
    (void)state;
    char out[OUTPUT_BYTES], wanted[96];
    need_tool();
    struct tape t = tape_copy();
    struct fact_view *v = &t.row[tape_find(&t, FACT_POSITION, 3)];
    v->u.fact_position.qty++;
    snprintf(wanted, sizeof wanted, "event %" PRIu64 " effect %u: the journal has POSITION",
             v->head.seq, v->head.sub);
    int status = tool("altered", &t, "", out);
    if (status != 1 || strstr(out, wanted) == NULL)
        fail_msg("exit %d (wanted 1) and '%s' in: %s", status, wanted, out);
    status = tool("altered", NULL, "--json", out);
    assert_int_equal(status, 1);
    assert_non_null(strstr(out, "\"identical\":false"));
    free(t.row);
}

static void tool_refuses_another_core_logic_and_names_both(void **state)
{
    (void)state;
    char out[OUTPUT_BYTES], wanted[96];
    need_tool();
    struct tape t = tape_copy();
    t.row[tape_find(&t, FACT_START, 0)].u.fact_start.core_logic = FACT_CORE_LOGIC + 6;
    int status = tool("foreign", &t, "", out);
    snprintf(wanted, sizeof wanted, "core logic %d", FACT_CORE_LOGIC + 6);
    if (status != 65 || strstr(out, wanted) == NULL || strstr(out, "error[VERSION]") == NULL)
        fail_msg("exit %d (wanted 65) and '%s' in: %s", status, wanted, out);
    snprintf(wanted, sizeof wanted, "this program has core logic %d", FACT_CORE_LOGIC);
    assert_non_null(strstr(out, wanted));
    status = tool("foreign", NULL, "--current", out);
    if (status != 0 || strstr(out, "identical") == NULL)
        fail_msg("--current: exit %d (wanted 0): %s", status, out);
    free(t.row);
}

static void tool_current_names_the_first_other_decision(void **state)
{
    (void)state;
    char out[OUTPUT_BYTES], wanted[96];
    need_tool();
    struct tape t = tape_copy();
    t.row[tape_find(&t, FACT_START, 0)].u.fact_start.core_logic = FACT_CORE_LOGIC + 6;
    struct fact_view *v = &t.row[tape_find(&t, FACT_DECISION, 2)];
    v->u.fact_decision.rule[RISK_COLLAR - 1].observed++; /* the other logic measured otherwise */
    snprintf(wanted, sizeof wanted, "event %" PRIu64 " effect %u", v->head.seq, v->head.sub);
    int status = tool("upgraded", &t, "--current", out);
    if (status != 1 || strstr(out, wanted) == NULL)
        fail_msg("exit %d (wanted 1) and '%s' in: %s", status, wanted, out);
    free(t.row);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(altered_nothing_replays_identically),
        cmocka_unit_test(altered_effect_is_named),
        cmocka_unit_test(altered_decision_figure_is_named),
        cmocka_unit_test(altered_fill_is_named_by_its_first_effect),
        cmocka_unit_test(altered_limit_is_named_by_the_decision_it_moves),
        cmocka_unit_test(deleted_effect_is_named),
        cmocka_unit_test(deleted_effect_with_renumbered_ones_is_named),
        cmocka_unit_test(deleted_last_effect_is_named),
        cmocka_unit_test(deleted_event_is_named),
        cmocka_unit_test(deleted_event_with_renumbered_ones_is_named),
        cmocka_unit_test(invented_effect_is_named),
        cmocka_unit_test(tool_names_the_altered_record),
        cmocka_unit_test(tool_refuses_another_core_logic_and_names_both),
        cmocka_unit_test(tool_current_names_the_first_other_decision),
    };
    return cmocka_run_group_tests(tests, make_original, remove_original);
}
