/* SPDX-License-Identifier: Apache-2.0
 *
 * The inside of the simulated engine: engine.c (events), engine_road.c (egress, the
 * bay), engine_past.c (journal, restart, replay). Nobody else includes it.
 */
#ifndef SIM_ENGINE_PRIV_H
#define SIM_ENGINE_PRIV_H
#include "base/hash.h"
#include "journal/chain.h"
#include "journal/heads.h"
#include "tests/sim/sim.h"

enum {
    ENGINE_PENDING_BYTES = 16 * 1024 * 1024,
    ENGINE_OPEN = 8192,
    ENGINE_ANSWERS = 4096,
    ENGINE_EPOCHS = 1024,
    ENGINE_STRAY = 0xff00, /* subs of approvals that no effect asked for */
};
struct engine_open { /* an approval without an answer */
    uint64_t approval, order;
    uint32_t attempt;
    bool is_cancel;
};
struct engine {
    struct sim *s;
    bool is_up, is_attached, in_doubt, has_signals;
    struct core *core;
    void *memory;
    size_t memory_bytes;
    struct core_out out;
    struct seq seq;
    struct engine_open open[ENGINE_OPEN];
    uint32_t open_count, strays;
    struct fact_view answer[ENGINE_ANSWERS];
    uint32_t answer_count;
    /* what the journal tells */
    uint64_t epoch;
    uint32_t epoch_count;
    uint64_t epoch_seq[ENGINE_EPOCHS], epoch_number[ENGINE_EPOCHS];
    char cursor[64];
    struct fact_exec last_exec;
    uint64_t *trade; /* open addressing; 0 = free */
    uint32_t trade_mask, trade_count;
    /* the journal's writing side */
    uint8_t journal_id[16];
    struct journal_store *store;
    struct heads *heads;
    struct hash_sha256 *sha;
    struct chain chain, flight; /* what is stored; with the group on its way */
    uint8_t *pending;
    size_t pending_count;
    uint32_t pending_records;
    uint8_t *group;
    size_t group_count;
    bool is_storing;
    uint64_t durable;
    char heads_dir[SIM_PATH_BYTES];
    uint8_t *snapshot; /* of some moment of this life, for the end */
    size_t snapshot_bytes;
    uint64_t snapshot_seq;
    struct engine_counts counts;
};
extern const struct core_limits engine_limits;

/* engine.c */
void engine_event(struct engine *e, uint16_t type, const void *payload, uint32_t source);
void engine_note(struct engine *e, const struct fact_head *h, const void *payload);
void engine_to_desk(struct engine *e, uint32_t kind, const void *bytes, uint32_t count);
/* The epoch whose client ids an order bears. */
uint64_t engine_epoch_of(const struct engine *e, uint64_t order);
void engine_begin_signals(struct engine *e);

/* engine_road.c */
void engine_attach(struct engine *e);

/* engine_past.c */
/* Hands what is pending to the disk, unless a group is on its way. */
void engine_store(struct engine *e);
void engine_add_trade(struct engine *e, uint64_t trade_id);
bool engine_has_trade(const struct engine *e, uint64_t trade_id);
void engine_alarm(struct engine *e, const struct road_alarm *m);
#endif
