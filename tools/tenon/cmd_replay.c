/* SPDX-License-Identifier: Apache-2.0
 *
 * replay: the journal's events through a fresh core, every effect compared (flow/replay.h).
 *
 * First the journal is asked which core logic decided in it: another logic than this program's may
 * rightly decide otherwise, so comparing would only confuse. Only the part that is stepped counts;
 * what lies before the snapshot is hashed as recorded. --current compares all the same, which is
 * how one sees what an upgrade would have changed. --belief is another replay: replay_belief.c.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "base/must.h"
#include "flow/replay.h"
#include "tools/tenon/replay_belief.h"

struct survey {         /* what has to be known before the first step */
    uint32_t foreign;   /* core logic of the first run to be stepped that is not ours; 0 = none */
    uint64_t start_seq; /* where that run begins */
    char version[FACT_NAME_BYTES];
    uint64_t first_seq; /* of the journal; over 1 = it was pruned */
    bool has_snapshot;
};

/* Is the snapshot there that the journal says was stored? */
static bool has_snapshot(const char *dir, uint64_t wanted)
{
    void *bytes = NULL;
    size_t count = 0;
    uint64_t seq = 0;
    struct trail unused = {0};
    bool found = is_ok(journal_snapshot_read(dir, wanted, &seq, &bytes, &count, &unused));
    free(bytes);
    return found && seq == wanted;
}

static void note_start(struct survey *now, const struct fact_head *head, const struct fact_start *s)
{
    now->foreign = s->core_logic == FACT_CORE_LOGIC ? 0 : s->core_logic;
    now->start_seq = head->seq;
    snprintf(now->version, sizeof now->version, "%.31s", s->version);
}

static void note_event(struct survey *out, const struct survey *now)
{
    if (now->foreign == 0 || out->foreign != 0)
        return;
    out->foreign = now->foreign;
    out->start_seq = now->start_seq;
    memcpy(out->version, now->version, sizeof out->version);
}

static struct result scan(struct journal_reader *r, const char *dir, bool snapshot,
                          struct survey *out, struct trail *tr)
{
    struct fact_head head;
    const void *payload;
    struct survey now = {0};
    struct result x;
    while (is_ok(x = journal_reader_next(r, &head, &payload, tr))) {
        const struct fact_snapshot *stored = payload;
        if (out->first_seq == 0)
            out->first_seq = head.seq;
        if (head.type == FACT_START)
            note_start(&now, &head, payload);
        if (head.type == FACT_SNAPSHOT && snapshot && has_snapshot(dir, stored->seq)) {
            out->foreign = 0; /* what came before is not stepped; it decides nothing itself */
            out->has_snapshot = true;
        } else {
            note_event(out, &now);
        }
    }
    return x.code == RESULT_END ? OK_RESULT : x;
}

static struct result look(const char *dir, bool snapshot, struct survey *out, struct trail *tr)
{
    struct journal_store *store = NULL;
    struct journal_reader *r = NULL;
    TRY(journal_store_rocksdb(dir, false, true, &store, tr));
    struct result x = journal_reader_open(store, &r, tr);
    if (is_ok(x))
        x = scan(r, dir, snapshot, out, tr);
    if (r != NULL)
        journal_reader_close(r);
    store->ops->close(store);
    return x;
}

static json_t *difference_json(const struct replay_report *rep)
{
    if (rep->differences == 0)
        return json_null();
    return json_pack("{s:o, s:i, s:s}", "seq", json_sprintf("%" PRIu64, rep->differs_seq), "sub",
                     (int)rep->differs_sub, "text", rep->difference);
}

static int print_json(const struct cli *cli, const char *dir, const struct replay_report *rep,
                      const struct survey *found)
{
    char effects[HASH_HEX_BYTES], chain[HASH_HEX_BYTES];
    hash_hex(rep->effects_sha256, effects);
    hash_hex(rep->chain, chain);
    json_t *o =
        json_pack("{s:s, s:s, s:b, s:I, s:I, s:I, s:o, s:o, s:s, s:s, s:o}", "schema",
                  "tenon.replay/1", "journal", dir, "identical", (int)(rep->differences == 0),
                  "events", (json_int_t)rep->events, "effects", (json_int_t)rep->effects, "records",
                  (json_int_t)rep->records, "from_seq", json_sprintf("%" PRIu64, rep->from_seq),
                  "last_seq", json_sprintf("%" PRIu64, rep->last_seq), "effects_sha256", effects,
                  "chain", chain, "difference", difference_json(rep));
    if (o != NULL)
        json_object_set_new(o, "core_logic",
                            json_pack("{s:i, s:i}", "journal",
                                      (int)(found->foreign ? found->foreign : FACT_CORE_LOGIC),
                                      "program", FACT_CORE_LOGIC));
    int exit = cli_json(cli, o);
    return exit ? exit : rep->differences != 0;
}

static int print_text(const struct cli *cli, const char *dir, const struct replay_report *rep)
{
    char hex[HASH_HEX_BYTES];
    if (rep->from_seq > 0)
        printf("replay of %s from the snapshot after event %" PRIu64 "\n", dir, rep->from_seq);
    else
        printf("replay of %s from the first record\n", dir);
    printf("  events      %" PRIu64 " stepped, the last is %" PRIu64 "\n", rep->events,
           rep->last_seq);
    printf("  effects     %" PRIu64 " compared\n", rep->effects);
    hash_hex(rep->effects_sha256, hex);
    printf("  hash        %s\n", hex);
    hash_hex(rep->chain, hex);
    printf("  chain head  %s\n", hex);
    if (rep->differences == 0)
        printf("  identical\n");
    else
        printf("  DIFFERENT   %s\n", rep->difference);
    return cli_done(cli, rep->differences != 0);
}

static struct result refuse_foreign(const char *dir, const struct survey *found, struct trail *tr)
{
    return FAIL(
        tr, VERSION,
        "journal %s: event %" PRIu64 " begins a run of core logic %u (tenon %s), this "
        "program has core logic %d; replay it with that version, or see with --current what "
        "this one would decide otherwise",
        dir, found->start_seq, found->foreign, found->version, FACT_CORE_LOGIC);
}

static struct result refuse_pruned(const char *dir, const struct survey *found, struct trail *tr)
{
    return FAIL(tr, STATE,
                "journal %s: begins at event %" PRIu64 ", what was before it was pruned; replay it "
                "from a snapshot with --snapshot",
                dir, found->first_seq);
}

static struct result check(const struct cli *cli, const char *dir, const struct survey *found,
                           struct trail *tr)
{
    if (found->first_seq > 1 && !found->has_snapshot)
        return refuse_pruned(dir, found, tr);
    if (found->foreign != 0 && !args_has(&cli->a, FLAG_CURRENT))
        return refuse_foreign(dir, found, tr);
    return OK_RESULT;
}

int cmd_REPLAY(const struct cli *cli)
{
    if (args_has(&cli->a, FLAG_BELIEF))
        return replay_belief(cli);
    char dir[PATHS_BYTES];
    struct trail tr = {0};
    struct survey found = {0};
    struct replay_report rep = {0};
    bool snapshot = args_has(&cli->a, FLAG_SNAPSHOT);
    struct result rc = cli_journal_dir(cli, dir, &tr);
    if (is_ok(rc))
        rc = look(dir, snapshot, &found, &tr);
    if (is_ok(rc))
        rc = check(cli, dir, &found, &tr);
    if (is_ok(rc))
        rc = replay_dir(dir, snapshot, &rep, &tr);
    if (!is_ok(rc))
        return cli_fail(cli, rc, &tr);
    must(rep.differences == 0 || rep.difference[0] != 0);
    if (snapshot && rep.from_seq == 0)
        cli_say(cli, "no snapshot in %s: replayed from the first record", dir);
    return cli->json ? print_json(cli, dir, &rep, &found) : print_text(cli, dir, &rep);
}
