/* SPDX-License-Identifier: Apache-2.0
 *
 * The group: what lies in storage under one index. See README.md for the layout.
 *
 * Invariants
 *   1. A group is one group_head and the records of whole steps, each record padded to 8 bytes.
 *   2. hash = SHA-256(head with a zero hash field, records); prev = hash of the group before.
 *      So a record altered with its CRC and its group's hash redone breaks the next group's prev,
 *      and with all of them redone it breaks against a head kept elsewhere.
 *   3. Nothing read from storage is used as a length, a count or an index before it was compared
 *      with the bytes that are really there.
 *
 * Any thread; nothing here allocates.
 */
#ifndef JOURNAL_GROUP_H
#define JOURNAL_GROUP_H
#include "base/hash.h"
#include "base/result.h"
#include "tbl/facts.h"

enum {
    GROUP_VERSION = 1,
    GROUP_ID_BYTES = 16,
    GROUP_ALIGN = 8,
    GROUP_BYTES_MAX = 64 * 1024 * 1024, /* no group is larger; more is damage */
};

struct group_head {
    char magic[8]; /* "TENONGRP" */
    uint32_t version;
    uint32_t head_bytes; /* of this header */
    uint8_t journal_id[GROUP_ID_BYTES];
    uint64_t index; /* 1, 2, ... */
    uint64_t first_seq;
    uint64_t last_seq;
    int64_t last_t_ns;
    uint32_t record_count;
    uint32_t reserved;
    uint64_t byte_count; /* of the records */
    uint8_t prev[FACT_HASH_BYTES];
    uint8_t hash[FACT_HASH_BYTES];
};
static_assert(sizeof(struct group_head) == 144, "group_head layout");

/* Bytes that a record takes in a group. */
static inline size_t group_stride(uint32_t payload_bytes)
{
    return sizeof(struct fact_head) +
           (((size_t)payload_bytes + GROUP_ALIGN - 1) & ~(size_t)(GROUP_ALIGN - 1));
}
/* CRC32C of a record: the header from `seq` on, and the payload. */
uint32_t group_crc(const void *record, uint32_t payload_bytes);

/* Fills hash of a whole group (head and records in one buffer). */
void group_seal(void *group, size_t count, struct hash_sha256 *sha);

/* Checks the header against the bytes given and copies it out; VERSION, CORRUPT or FOREIGN. The
 * hash is not computed. `id` NULL accepts any journal. */
MUST_USE struct result group_parse(const void *bytes, size_t count, uint64_t index,
                                   const uint8_t *id, struct group_head *out, struct trail *tr);
/* Recomputes the hash; BROKEN_CHAIN when it differs from the one in the header. */
MUST_USE struct result group_check_hash(const void *bytes, size_t count,
                                        const struct group_head *head, struct hash_sha256 *sha,
                                        struct trail *tr);

/* Walks the records of a parsed group. */
struct group_cursor {
    const uint8_t *at;
    const uint8_t *end;
    uint64_t index;
    uint32_t left;
    uint32_t number; /* of the record last given, from 1 */
};
void group_rewind(struct group_cursor *c, const void *bytes, const struct group_head *head);
/* The next record, its bounds, type, version and CRC checked; END after the last. */
MUST_USE struct result group_next(struct group_cursor *c, struct fact_head *head,
                                  const void **payload, struct trail *tr);
#endif
