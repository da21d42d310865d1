/* SPDX-License-Identifier: Apache-2.0
 *
 * Replay: the journal's events through a fresh core; every effect must come out again, byte for
 * byte. The same walk recovers a host after a start (from its newest snapshot) and proves a run.
 *
 * The effects hash is SHA-256 over all effect records (header without its CRC, and payload) in
 * order: recomputed where the core stepped, as recorded before the snapshot it started from. So
 * it is the same from genesis and from a snapshot, and in any build.
 */
#ifndef FLOW_REPLAY_H
#define FLOW_REPLAY_H
#include "core/step.h"
#include "journal/journal.h"

struct replay_report {
    uint64_t events;   /* stepped */
    uint64_t effects;  /* compared */
    uint64_t records;  /* read, incl. those before the snapshot */
    uint64_t from_seq; /* 0 = genesis, else the snapshot's */
    uint64_t last_seq;
    int64_t last_ns;
    uint64_t differences; /* 0 or 1: the walk stops at the first */
    uint64_t differs_seq;
    uint32_t differs_sub;
    char difference[TRAIL_TEXT_BYTES]; /* a sentence, empty when identical */
    uint8_t effects_sha256[FACT_HASH_BYTES];
    uint8_t chain[FACT_HASH_BYTES];
};

/* `core` is fresh (core_init with the limits of the run). snapshot: start from the newest one in
 * `dir` that is not after the journal's end; none found = from genesis. A difference is a report,
 * not a failure; a journal that cannot be read is a failure, with the record named. */
MUST_USE struct result replay_run(struct journal_store *store, const char *dir, bool snapshot,
                                  struct core *core, struct replay_report *out, struct trail *tr);

/* To go on from a journal: from its newest snapshot, whichever core logic left it. Events after it
 * that another core logic decided on are refused with VERSION: the version that must is named. */
MUST_USE struct result replay_recover(struct journal_store *store, const char *dir,
                                      struct core *core, struct replay_report *out,
                                      struct trail *tr);
/* To prove a run: from genesis, or from the state that another core logic left last. */
MUST_USE struct result replay_own(const char *dir, struct replay_report *out, struct trail *tr);

/* The table sizes every run of this program uses. */
extern const struct core_limits replay_limits;

/* Opens the journal in `dir` read-only, makes a core, replays, frees all. */
MUST_USE struct result replay_dir(const char *dir, bool snapshot, struct replay_report *out,
                                  struct trail *tr);
#endif
