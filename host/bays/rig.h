/* SPDX-License-Identifier: Apache-2.0
 *
 * One instance under test, of either kind, without a bay: the check cards call it as they like
 * and look at everything it gives. Answers are flattened into bytes so that two runs compare.
 */
#ifndef BAYS_RIG_H
#define BAYS_RIG_H
#include "bays/feed.h"
#include "bays/module.h"
#include "bays/serve.h"

enum { RIG_BATCH_MAX = 256 };

struct rig {
    const struct bay_module *module;
    const struct tn_manifest *manifest;
    struct serve serve;
    void *inst;
    union tn_number params[TN_MAX_PARAMS];
    struct tn_create create;
    double *value;   /* RIG_BATCH_MAX * outputs */
    uint32_t *ready; /* RIG_BATCH_MAX */
    struct tn_signals out;
    /* what it gave, flattened */
    uint8_t *answer;
    size_t answer_bytes, answer_room;
    uint64_t signals;
    /* the first broken rule: NULL when all is well */
    const char *broken;
    uint32_t broken_at; /* event index of the feed */
};

/* Buffers and host services; params are the defaults. The plugin is not called. */
void rig_init(struct rig *r, const struct bay_module *m, const struct feed_market *f);
void rig_fini(struct rig *r); /* drops the memory; the plugin is not called */
int32_t rig_create(struct rig *r);
int32_t rig_activate(struct rig *r);
void rig_end(struct rig *r); /* deactivate, destroy */
/* Feeds events [from, to) in batches and keeps the answers; stops at the first broken rule. */
void rig_feed(struct rig *r, const struct feed_market *f, uint32_t from, uint32_t to,
              uint32_t batch);
/* One hot call without keeping or checking anything; the status. */
int32_t rig_hot(struct rig *r, const struct feed_market *f, uint32_t at, uint32_t count);
void rig_forget(struct rig *r); /* empties the kept answers */
bool rig_same(const struct rig *a, const struct rig *b);
/* State into memory of the caller (state_max_bytes): count, or -1 when it failed
 * or wrote too much. step as in state.h. */
int64_t rig_save(struct rig *r, void *memory, size_t step);
int32_t rig_load(struct rig *r, uint32_t schema, const void *bytes, size_t count, size_t step);
#endif
