/* SPDX-License-Identifier: Apache-2.0
 *
 * The journal: append-only, numbered, hash-chained records. See journal/README.md for the format.
 *
 * Two sides. The core's thread hands whole steps (an event and its effects, each a fact_head and
 * its payload) to journal_put: one copy into an SPSC ring, no lock, no syscall. The journal's own
 * commit thread takes whatever has queued while the last sync ran, computes CRC32C per record,
 * packs them into one commit group, chains the group by SHA-256, stores it as one value, syncs,
 * and moves the durable watermark. Groups never split a step.
 *
 * Storage is reached through struct journal_store only: RocksDB, memory, or the simulator's
 * faulty disk.
 */
#ifndef JOURNAL_JOURNAL_H
#define JOURNAL_JOURNAL_H
#include "base/clock.h"
#include "base/result.h"
#include "tbl/facts.h"

/* ---- storage seam: a handful of functions ---- */
struct journal_store {
    const struct journal_store_ops *ops;
};
struct journal_store_ops {
    const char *name;
    /* Appends one group under its index (dense from `first`); sync = durable on return. The same
     * index again replaces it: a retry after a failure, or a torn last group. After DISK_FULL or
     * IO the call may be repeated; any other failure is for good. */
    struct result (*append)(struct journal_store *s, uint64_t index, const void *bytes,
                            size_t count, bool sync, struct trail *tr);
    struct result (*sync)(struct journal_store *s, struct trail *tr);
    /* Reads group `index` into a buffer owned by the store, valid until the next call.
     * RESULT_END when index is past the last; RESULT_CORRUPT when it is missing or unreadable. */
    struct result (*read)(struct journal_store *s, uint64_t index, const void **bytes,
                          size_t *count, struct trail *tr);
    /* First and last index held; first > last when empty. */
    struct result (*bounds)(struct journal_store *s, uint64_t *first, uint64_t *last,
                            struct trail *tr);
    /* A consistent copy into `dir` (checkpoint); not for memory. */
    struct result (*checkpoint)(struct journal_store *s, const char *dir, struct trail *tr);
    /* Drops all groups below index. */
    struct result (*drop_before)(struct journal_store *s, uint64_t index, struct trail *tr);
    /* Optional (NULL): millionths of the disk in use. */
    struct result (*space)(struct journal_store *s, uint64_t *used_ppm, struct trail *tr);
    /* Optional (NULL): a bounded piece of upkeep, called while nothing waits. */
    void (*upkeep)(struct journal_store *s);
    void (*close)(struct journal_store *s);
};
/* append and the rest may come from one thread while read and bounds come from another. */
MUST_USE struct result journal_store_memory(struct journal_store **out);
/* dir is created when create is true. read_only opens beside a running writer. */
MUST_USE struct result journal_store_rocksdb(const char *dir, bool create, bool read_only,
                                             struct journal_store **out, struct trail *tr);
/* The groups of an archive file, to read only (append, sync and drop_before answer STATE). */
MUST_USE struct result journal_store_archive(const char *file, struct journal_store **out,
                                             struct trail *tr);

/* ---- writer ---- */
struct journal;
struct journal_options {
    struct journal_store *store; /* taken over: closed by journal_close, or by a failed open */
    const char *heads_dir;       /* head file, signed heads, host key; NULL = none (memory) */
    uint8_t journal_id[16];      /* zero: take the one stored, or make one when empty */
    uint32_t ring_bytes;         /* hand-off ring, power of two; 0 = 16 MiB */
    uint32_t group_records_max;  /* 0 = 4096 */
    bool sync;                   /* false: never sync (in-memory backtests) */
    uint64_t disk_full_ppm;      /* journal_health says DISK_FULL from here on; 0 = 950000 */
    const struct clock *clock;
    /* May be NULL: the storing thread says each seq that has become durable. Must not wait. */
    void (*durable)(void *arg, uint64_t seq);
    void *durable_arg;
};
/* What was found at open. */
struct journal_found {
    uint64_t records;
    uint64_t last_seq; /* 0 = empty */
    int64_t last_t_ns;
    uint64_t epoch; /* of the last START */
    uint64_t last_snapshot_seq;
    bool doubt; /* whole, but shorter than a head elsewhere: start in SAFE_LOSS */
    char doubt_text[TRAIL_TEXT_BYTES];
    bool torn; /* a last group that was never acknowledged was cut or is not there */
    char torn_text[TRAIL_TEXT_BYTES];
    uint8_t head[FACT_HASH_BYTES];
    uint8_t journal_id[16];
};
/* Opens for writing: checks the whole chain from the last checkpoint, the head file and the signed
 * heads. Broken or unreadable -> CORRUPT/BROKEN_CHAIN with the record named; nothing is repaired,
 * except a torn last group that was never acknowledged, which is cut and reported in `found`. */
MUST_USE struct result journal_open(const struct journal_options *o, struct journal **out,
                                    struct journal_found *found, struct trail *tr);
/* Core thread. `bytes` holds whole records (head + payload, each padded to 8), one step (or some,
 * which then stay in one group).
 * FULL when the ring is full: no new risk may be taken; try again. Cancels and closes have their
 * own reserve: reserve = true may use the last eighth of the ring. */
MUST_USE struct result journal_put(struct journal *j, const void *bytes, uint32_t count,
                                   uint64_t last_seq, bool reserve);
/* Any thread: highest seq known durable (or committed, when sync is false). */
uint64_t journal_durable(const struct journal *j);
/* Not core-hot: waits until seq is durable or the journal has failed. */
MUST_USE struct result journal_wait(struct journal *j, uint64_t seq, struct trail *tr);
/* Any thread: 0 while healthy, else a result code; `disk_ppm` used on the journal's disk.
 * DISK_FULL or IO: a store failed (then journal_put answers FULL but for the reserve, and the
 * commit thread tries again until there is space: nothing handed over is lost), or the disk is
 * fuller than disk_full_ppm (puts are still taken: go to SAFE while there is room to close). */
struct result journal_health(const struct journal *j, uint64_t *disk_ppm);
uint64_t journal_bytes_written(const struct journal *j);
/* Drains, syncs, signs the head, joins the commit thread, closes the store. */
MUST_USE struct result journal_close(struct journal *j, uint8_t head[FACT_HASH_BYTES],
                                     struct trail *tr);
/* Writes a snapshot file beside the journal (atomically, synced) and gives its hash. */
MUST_USE struct result journal_snapshot_write(const char *dir, uint64_t seq, const void *bytes,
                                              size_t count, uint8_t sha[FACT_HASH_BYTES],
                                              struct trail *tr);
/* Newest snapshot whose seq <= upto and whose hash is right. malloc'ed; NOT_FOUND when none. */
MUST_USE struct result journal_snapshot_read(const char *dir, uint64_t upto, uint64_t *seq,
                                             void **bytes, size_t *count, struct trail *tr);

/* ---- reader ---- */
struct journal_reader;
/* Reads in order, checking CRC, chain, density of seq and order of time as it goes. */
MUST_USE struct result journal_reader_open(struct journal_store *store /* borrowed */,
                                           struct journal_reader **out, struct trail *tr);
/* Positions before the first record with seq >= `seq`. */
MUST_USE struct result journal_reader_seek(struct journal_reader *r, uint64_t seq,
                                           struct trail *tr);
/* The next record; *payload is valid until the next call. RESULT_END at the end. A damaged record
 * is named in the trail (group, record, seq, what). */
MUST_USE struct result journal_reader_next(struct journal_reader *r, struct fact_head *head,
                                           const void **payload, struct trail *tr);
const uint8_t *
journal_reader_chain(const struct journal_reader *r); /* hash after last group read */
void journal_reader_close(struct journal_reader *r);

/* ---- verify, archive, prune (tenon-verify uses its own reader in verify.c and trusts nothing
 * here) ---- */
struct journal_report {
    uint64_t groups, records, first_seq, last_seq;
    uint8_t head[FACT_HASH_BYTES];
};
MUST_USE struct result journal_archive(const char *dir, const char *heads_dir, const char *out_file,
                                       uint64_t before_seq, struct journal_report *rep,
                                       struct trail *tr);
MUST_USE struct result journal_prune(const char *dir, const char *heads_dir, uint64_t before_seq,
                                     struct journal_report *rep, struct trail *tr);
#endif
