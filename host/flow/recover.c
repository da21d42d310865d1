/* SPDX-License-Identifier: Apache-2.0
 *
 * Going on where a journal ends. Its events are replayed through the core (replay.c); then the
 * source is read again from its beginning, and each market event that the journal holds already is
 * compared with the record of it before it becomes history for belief. So another file, or the demo
 * with another seed, is refused with the event named, and never traded on as if it went on.
 *
 * Rows that were reported before are known by their line, and are not reported again.
 */
#include "flow/replay.h"
#include <string.h>
#include "flow/lockstep_priv.h"

/* A pruned journal does not begin with its first event: then its past is not compared. */
static struct result open_past(struct lockstep *l, struct trail *tr)
{
    struct fact_head head;
    const void *payload;
    TRY(journal_store_rocksdb(l->o.journal_dir, false, true, &l->past_store, tr));
    TRY(journal_reader_open(l->past_store, &l->past, tr));
    struct result r = journal_reader_next(l->past, &head, &payload, tr);
    if (!is_ok(r) || head.seq != 1)
        recover_close(l);
    return r;
}

struct result recover_run(struct lockstep *l, struct trail *tr)
{
    struct journal_store *store = NULL;
    struct replay_report rep;
    TRY(journal_store_rocksdb(l->o.journal_dir, false, true, &store, tr));
    struct result r = replay_recover(store, l->o.journal_dir, l->core, &rep, tr);
    if (is_ok(r))
        r = registry_read(l->registry, store, tr);
    store->ops->close(store);
    if (!is_ok(r))
        return r;
    if (rep.differences != 0)
        return FAIL(
            tr, VERSION,
            "journal %s: %s; this program decides otherwise than the one that wrote it: start "
            "that version",
            l->o.journal_dir, rep.difference);
    const struct core_totals *t = core_totals(l->core);
    l->skip = t->market;
    l->report.orders_before = t->orders;
    l->report.fills_before = t->fills;
    l->found.epoch = core_epoch(l->core);
    seq_init(&l->seq, rep.last_seq, rep.last_ns);
    return l->skip > 0 ? open_past(l, tr) : OK_RESULT;
}

/* The journal's next market record; END after the last. */
static struct result next_market(struct lockstep *l, struct fact_head *head, const void **payload,
                                 struct trail *tr)
{
    struct result r;
    while (is_ok(r = journal_reader_next(l->past, head, payload, tr))) {
        if (fact_class_of(head->type) == FACT_CLASS_MARKET)
            return OK_RESULT;
        if (head->type != FACT_ROWS)
            continue;
        const struct fact_rows *rows = *payload;
        if (rows->first_line > l->past_line)
            l->past_line = rows->first_line;
    }
    return r;
}

static struct result refuse_source(const struct lockstep *l, uint64_t seq, struct trail *tr)
{
    return FAIL(tr, STATE,
                "%s: gives something else than event %lu of journal %s, which it should go on "
                "from; give the data or the flags (--demo, --seed) it was begun with, or an empty "
                "journal folder",
                l->o.data_path ? l->o.data_path : "the generated market", (unsigned long)seq,
                l->o.journal_dir);
}

struct result recover_match(struct lockstep *l, struct trail *tr)
{
    struct fact_head head;
    const void *payload;
    must(l->skip > 0);
    l->skip--;
    if (l->past == NULL)
        return OK_RESULT;
    struct result r = next_market(l, &head, &payload, tr);
    if (is_ok(r) && (head.type != l->market.head.type ||
                     memcmp(payload, &l->market.u, l->market.head.bytes) != 0))
        return refuse_source(l, head.seq, tr);
    if (is_ok(r) && l->skip == 0)
        r = next_market(l, &head, &payload, tr); /* only rows may follow the last one */
    if (l->skip > 0 || r.code != RESULT_END)
        return is_ok(r) && l->skip == 0 ? RESULT_OF(BUG) : r;
    recover_close(l);
    return OK_RESULT;
}

struct result recover_end(const struct lockstep *l, struct trail *tr)
{
    if (l->skip == 0)
        return OK_RESULT;
    return FAIL(tr, STATE,
                "%s: ends %lu events before the place where journal %s stopped; give the data it "
                "was written from, or an empty journal folder",
                l->o.data_path ? l->o.data_path : "the generated market", (unsigned long)l->skip,
                l->o.journal_dir);
}

void recover_close(struct lockstep *l)
{
    if (l->past != NULL)
        journal_reader_close(l->past);
    if (l->past_store != NULL)
        l->past_store->ops->close(l->past_store);
    l->past = NULL;
    l->past_store = NULL;
}

/* ---- without a source to be read again ---- */

static void show_past(struct lockstep *l, const struct fact_head *head, const void *payload)
{
    struct fact_view v = {.head = *head};
    const uint32_t warm = FACT_MD_WARMUP;
    v.head.seq = l->seq.last_seq;
    memcpy(&v.u, payload, head->bytes);
    memcpy(v.u.bytes + sizeof(uint32_t), &warm, sizeof warm); /* flags follow instrument */
    for (uint32_t i = 0; i < DEPLOY_ACCOUNTS_MAX; i++) {
        if (l->venue[i] != NULL)
            venue_market(l->venue[i], &v.head, &v.u);
    }
    if (l->plant.belief != NULL)
        belief_event(l->plant.belief, &v.head, &v.u);
}

struct result recover_warm(struct lockstep *l, struct trail *tr)
{
    struct journal_store *store = NULL;
    struct journal_reader *reader = NULL;
    struct fact_head head;
    const void *payload;
    if (l->journal == NULL)
        return OK_RESULT;
    TRY(journal_wait(l->journal, l->seq.last_seq, tr));
    TRY(journal_store_rocksdb(l->o.journal_dir, false, true, &store, tr));
    struct result r = journal_reader_open(store, &reader, tr);
    while (is_ok(r) && is_ok(r = journal_reader_next(reader, &head, &payload, tr))) {
        roads_past(l->roads, &head, payload);
        if (fact_class_of(head.type) == FACT_CLASS_MARKET)
            show_past(l, &head, payload);
    }
    if (reader != NULL)
        journal_reader_close(reader);
    store->ops->close(store);
    return r.code == RESULT_END ? OK_RESULT : r;
}
