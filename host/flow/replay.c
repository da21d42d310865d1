/* SPDX-License-Identifier: Apache-2.0
 *
 * See replay.h. Record by record: an event is stepped and its effects kept in a buffer; each effect
 * record that follows is compared with the next one there. A record too few, too many or different
 * ends the walk with a sentence that names it.
 */
#include "flow/replay.h"
#include "base/arena.h"
#include "base/hash.h"
#include "base/must.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct core_limits replay_limits = {.orders = 16384, .fills = 65536};

enum { SNAPSHOTS_KEPT = 64 };
enum replay_from { REPLAY_UNSET = 0, REPLAY_GENESIS, REPLAY_SNAPSHOT, REPLAY_RECOVER, REPLAY_OWN };

struct walk {
    struct core *core;
    struct core_out out;
    uint32_t at;       /* next effect of the last step to be compared */
    uint64_t from_seq; /* events up to here are not stepped */
    bool is_own_only;  /* no event is stepped that another core logic decided on */
    uint32_t logic;    /* of the run that is read; 0 = its start was pruned */
    char version[FACT_NAME_BYTES];
    uint64_t foreign_seq; /* the first that was refused for it; 0 = none */
    struct hash_sha256 *hash;
    struct replay_report *rep;
};

static void add_effect(struct walk *w, const struct fact_head *head, const void *payload)
{
    struct fact_head h = *head;
    h.crc = 0;
    hash_sha256_add(w->hash, &h, sizeof h);
    hash_sha256_add(w->hash, payload, h.bytes);
}

static void differ(struct walk *w, uint64_t seq, uint32_t sub, const char *journal,
                   const char *replay)
{
    w->rep->differences = 1;
    w->rep->differs_seq = seq;
    w->rep->differs_sub = sub;
    snprintf(w->rep->difference, sizeof w->rep->difference,
             "event %lu effect %u: the journal has %s, the replay gives %s", (unsigned long)seq,
             sub, journal, replay);
}

/* Nothing of the last step may be left over when the next event comes. */
static bool step_is_done(struct walk *w)
{
    if (w->at == w->out.used)
        return true;
    const struct fact_head *h = (const struct fact_head *)(const void *)(w->out.bytes + w->at);
    differ(w, h->seq, h->sub, "nothing more", fact_name(h->type));
    return false;
}

static bool take_effect(struct walk *w, const struct fact_head *head, const void *payload)
{
    if (head->seq <= w->from_seq) {
        add_effect(w, head, payload);
        return true;
    }
    if (w->at == w->out.used) {
        differ(w, head->seq, head->sub, fact_name(head->type), "nothing more");
        return false;
    }
    const struct fact_head *mine = (const struct fact_head *)(const void *)(w->out.bytes + w->at);
    struct fact_head recorded = *head;
    recorded.crc = 0;
    if (memcmp(mine, &recorded, sizeof recorded) != 0) {
        differ(w, head->seq, head->sub, fact_name(head->type),
               mine->type == head->type ? "the same with another header" : fact_name(mine->type));
        return false;
    }
    if (memcmp(mine + 1, payload, head->bytes) != 0) {
        differ(w, head->seq, head->sub, fact_name(head->type), "the same with other content");
        return false;
    }
    add_effect(w, mine, mine + 1);
    w->at += (uint32_t)sizeof *mine + mine->bytes;
    w->rep->effects++;
    return true;
}

static bool is_foreign(const struct walk *w, const struct fact_head *head)
{
    const bool decides =
        head->type != FACT_STOP && head->type != FACT_SNAPSHOT; /* its last words */
    return w->is_own_only && decides && w->logic != 0 && w->logic != FACT_CORE_LOGIC;
}

static bool take_event(struct walk *w, const struct fact_head *head, const void *payload)
{
    if (!step_is_done(w))
        return false;
    if (head->type == FACT_START) {
        const struct fact_start *s = payload;
        w->logic = s->core_logic;
        memcpy(w->version, s->version, sizeof w->version);
    }
    if (head->seq <= w->from_seq)
        return true;
    if (is_foreign(w, head)) {
        w->foreign_seq = head->seq;
        return false;
    }
    if (head->seq != core_seq(w->core) + 1) {
        differ(w, head->seq, 0, "an event out of number", "the next number");
        return false;
    }
    core_step(w->core, head, payload, &w->out);
    w->at = 0;
    w->rep->events++;
    return true;
}

static struct result walk_journal(struct walk *w, struct journal_reader *r, struct trail *tr)
{
    struct fact_head head;
    const void *payload;
    struct result x;
    bool same = true;
    while (same && is_ok(x = journal_reader_next(r, &head, &payload, tr))) {
        w->rep->records++;
        if (head.sub != 0) {
            same = take_effect(w, &head, payload);
            continue;
        }
        w->rep->last_seq = head.seq;
        w->rep->last_ns = head.t_ns;
        same = take_event(w, &head, payload);
    }
    if (!same)
        return OK_RESULT;
    if (x.code != RESULT_END)
        return x;
    (void)step_is_done(w);
    return OK_RESULT;
}

/* Where the journal ends, and the newest snapshots it vouches for. */
struct ending {
    uint64_t first, seq;
    uint64_t foreign;                  /* the last event of a run of another core logic; 0 = none */
    uint64_t snapshot[SNAPSHOTS_KEPT]; /* a ring */
    uint32_t snapshots;
};

static bool is_vouched(const struct ending *e, uint64_t seq)
{
    uint32_t n = e->snapshots < SNAPSHOTS_KEPT ? e->snapshots : SNAPSHOTS_KEPT;
    for (uint32_t i = 0; i < n; i++) {
        if (e->snapshot[i] == seq)
            return true;
    }
    return false;
}

/* A snapshot of an event that is not in the journal says that the journal was longer; one without a
 * record is of a past that was lost. Neither is ever restored. */
static struct result find_snapshot(const char *dir, const struct ending *e, uint64_t upto,
                                   uint64_t *seq, void **bytes, size_t *count, struct trail *tr)
{
    for (;;) {
        struct result r = journal_snapshot_read(dir, upto, seq, bytes, count, tr);
        if (!is_ok(r) || is_vouched(e, *seq))
            return r;
        free(*bytes);
        *bytes = NULL;
        if (*seq > e->seq)
            return FAIL(tr, TRUNCATED,
                        "folder %s: holds a snapshot of event %lu but its journal ends at event "
                        "%lu: records are missing; restore the newest copy, or take the snapshot "
                        "out",
                        dir, (unsigned long)*seq, (unsigned long)e->seq);
        if (*seq == 0)
            return RESULT_OF(NOT_FOUND);
        upto = *seq - 1;
    }
}

static struct result restore(struct walk *w, const char *dir, const struct ending *e, uint64_t upto,
                             struct trail *tr)
{
    void *bytes = NULL;
    size_t count = 0;
    uint64_t seq = 0;
    struct trail why = {0};
    struct result r = find_snapshot(dir, e, upto, &seq, &bytes, &count, &why);
    if (r.code == RESULT_NOT_FOUND)
        return OK_RESULT;
    if (!is_ok(r))
        return FAIL_AS(tr, r, "%s", trail_sentence(&why, r));
    r = core_restore(w->core, bytes, count, &why);
    free(bytes);
    if (r.code == RESULT_VERSION && e->first == 1)
        return OK_RESULT; /* another program's: nothing was restored, all is stepped instead */
    if (!is_ok(r))
        return FAIL_AS(tr, r, "%s", trail_sentence(&why, r));
    w->from_seq = w->rep->from_seq = seq;
    return r;
}

static struct result find_end(struct journal_store *store, struct ending *out, struct trail *tr)
{
    struct journal_reader *r = NULL;
    struct fact_head head;
    const void *payload;
    memset(out, 0, sizeof *out);
    TRY(journal_reader_open(store, &r, tr));
    struct result x = OK_RESULT;
    bool is_foreign_run = false;
    while (is_ok(x = journal_reader_next(r, &head, &payload, tr))) {
        out->seq = head.seq;
        if (head.type == FACT_START)
            is_foreign_run = ((const struct fact_start *)payload)->core_logic != FACT_CORE_LOGIC;
        if (is_foreign_run)
            out->foreign = head.seq;
        out->first = out->first != 0 ? out->first : head.seq;
        if (head.type != FACT_SNAPSHOT)
            continue;
        const struct fact_snapshot *s = payload;
        out->snapshot[out->snapshots++ % SNAPSHOTS_KEPT] = s->seq;
    }
    journal_reader_close(r);
    return x.code == RESULT_END ? OK_RESULT : x;
}

/* What another core logic decided after the last state it left is its own to finish. */
static struct result refuse_foreign(const struct walk *w, const char *dir, struct trail *tr)
{
    return FAIL(tr, VERSION,
                "journal %s: event %lu was decided by core logic %u (tenon %s) after the last "
                "stored state, this program has core logic %d: start that version, stop it in "
                "order, then start this one",
                dir, (unsigned long)w->foreign_seq, w->logic, w->version, FACT_CORE_LOGIC);
}

static struct result replay(struct journal_store *store, const char *dir, enum replay_from from,
                            struct core *core, struct replay_report *out, struct trail *tr)
{
    memset(out, 0, sizeof *out);
    struct walk w = {
        .core = core, .rep = out, .is_own_only = from == REPLAY_RECOVER || from == REPLAY_OWN};
    struct journal_reader *r = NULL;
    struct arena a = {0};
    struct ending end = {0};
    struct result x = arena_map(&a, CORE_OUT_BYTES);
    if (is_ok(x))
        x = hash_sha256_new(&w.hash);
    if (is_ok(x) && from != REPLAY_GENESIS)
        x = find_end(store, &end, tr);
    if (is_ok(x) && (from == REPLAY_SNAPSHOT || from == REPLAY_RECOVER || end.foreign != 0))
        x = restore(&w, dir, &end, from == REPLAY_OWN ? end.foreign : UINT64_MAX, tr);
    if (is_ok(x))
        x = journal_reader_open(store, &r, tr);
    if (!is_ok(x))
        goto out;
    w.out.bytes = arena_take(&a, CORE_OUT_BYTES, 64);
    w.out.capacity = CORE_OUT_BYTES;
    must(w.out.bytes != NULL);
    hash_sha256_begin(w.hash);
    x = walk_journal(&w, r, tr);
    hash_sha256_end(w.hash, out->effects_sha256);
    memcpy(out->chain, journal_reader_chain(r), sizeof out->chain);
    if (is_ok(x) && w.foreign_seq != 0)
        x = refuse_foreign(&w, dir, tr);
out:
    if (r != NULL)
        journal_reader_close(r);
    if (w.hash != NULL)
        hash_sha256_free(w.hash);
    arena_unmap(&a);
    return x;
}

struct result replay_run(struct journal_store *store, const char *dir, bool snapshot,
                         struct core *core, struct replay_report *out, struct trail *tr)
{
    return replay(store, dir, snapshot ? REPLAY_SNAPSHOT : REPLAY_GENESIS, core, out, tr);
}

struct result replay_recover(struct journal_store *store, const char *dir, struct core *core,
                             struct replay_report *out, struct trail *tr)
{
    return replay(store, dir, REPLAY_RECOVER, core, out, tr);
}

static struct result replay_folder(const char *dir, enum replay_from from,
                                   struct replay_report *out, struct trail *tr)
{
    struct journal_store *store = NULL;
    struct arena a = {0};
    TRY(journal_store_rocksdb(dir, false, true, &store, tr));
    size_t bytes = core_bytes(&replay_limits);
    struct result r = arena_map(&a, bytes + 64);
    if (is_ok(r)) {
        struct core *core = core_init(arena_take(&a, bytes, 64), bytes, &replay_limits);
        r = replay(store, dir, from, core, out, tr);
    }
    arena_unmap(&a);
    store->ops->close(store);
    return r;
}

struct result replay_dir(const char *dir, bool snapshot, struct replay_report *out,
                         struct trail *tr)
{
    return replay_folder(dir, snapshot ? REPLAY_SNAPSHOT : REPLAY_GENESIS, out, tr);
}

struct result replay_own(const char *dir, struct replay_report *out, struct trail *tr)
{
    return replay_folder(dir, REPLAY_OWN, out, tr);
}
