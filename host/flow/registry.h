/* SPDX-License-Identifier: Apache-2.0
 *
 * What a journal says about deployments: which documents there were, who signed them, how far each
 * got, and which trust document is in force. Fed with records in order (by the engine as it numbers
 * them, by recovery and by the CLI from a reader); it believes the journal, which is checked
 * elsewhere.
 *
 * Anybody who reaches the socket can have a file refused, so what is kept of refused ones has a
 * bound: their texts go, and beyond the newest REGISTRY_REFUSED_MAX they are only counted. An entry
 * is borrowed until the next record, one that ever was active as long as the registry lives.
 *
 * Heap; one thread.
 */
#ifndef FLOW_REGISTRY_H
#define FLOW_REGISTRY_H
#include "deploy/vet.h"
#include "journal/journal.h"

struct registry_signature {
    struct fact_signature fact;
    uint64_t seq;
};
enum {
    REGISTRY_SIGNATURES_MAX = TRUST_SIGNATURES_MAX,
    REGISTRY_REFUSED_MAX = 64 /* refused ones that never were active, kept: the newest */
};
/* One deployment that was handed over, as far as it got. */
struct registry_entry {
    uint64_t serial;
    uint8_t sha256[FACT_HASH_BYTES];
    uint32_t state;             /* enum promotion_state: the newest */
    struct fact_promotion last; /* the newest record of it */
    struct fact_promotion flip; /* that of the flip, zero before */
    uint64_t first_seq, last_seq;
    int64_t first_ns, last_ns; /* event time */
    uint64_t rollback_of;      /* 0 = none */
    char name[FACT_TEXT_BYTES];
    uint32_t signature_count; /* at most REGISTRY_SIGNATURES_MAX */
    struct registry_signature *signature;
};
struct registry; /* heap */
struct registry *registry_new(void);
void registry_free(struct registry *r); /* NULL is let pass */
/* From now on nothing is dropped: for somebody who reads all records and asks afterwards, also
 * about builds that were refused while they heard. Not for a host. */
void registry_keep_all(struct registry *r);
/* One record; kinds that are not about deployments are let pass (and cost a switch). */
void registry_take(struct registry *r, const struct fact_head *head, const void *payload);
/* All records of a store, or of the journal in a folder (read-only). */
MUST_USE struct result registry_read(struct registry *r, struct journal_store *store,
                                     struct trail *tr);
MUST_USE struct result registry_read_dir(struct registry *r, const char *dir, struct trail *tr);

/* Entries in the order in which they were handed over. */
uint32_t registry_count(const struct registry *r);
uint64_t registry_dropped(const struct registry *r); /* older refused ones, not kept */
const struct registry_entry *registry_entry(const struct registry *r, uint32_t i);
/* The one whose DEPLOY the core took last (an IGNORED effect says that it did not take one); NULL:
 * none. And the one that was active before it. */
const struct registry_entry *registry_active(const struct registry *r);
const struct registry_entry *registry_before(const struct registry *r);
/* The newest entry with this hash; NULL: none. */
const struct registry_entry *registry_find(const struct registry *r, const uint8_t sha256[32]);
const struct registry_entry *registry_serial(const struct registry *r, uint64_t serial);
/* A document's text by hash, NUL-ended, borrowed; NULL when the journal does not hold it whole,
 * or it is a refused one's. */
const char *registry_text(const struct registry *r, const uint8_t sha256[32], size_t *count);
/* The trust document in force; false when there is none. */
bool registry_trust(const struct registry *r, uint8_t sha256[32], uint64_t *version);
bool registry_is_throwaway(const struct registry *r);
/* A request that was used. */
bool registry_used(const struct registry *r, const uint8_t sha256[32]);
/* The latest host time in a record of what was accepted: a clock that was set back revives nothing,
 * and one that was ahead while a file was refused makes no later file too old. */
int64_t registry_wall(const struct registry *r);
const char *promotion_state_name(uint32_t state); /* "rolled back" */
const char *promotion_state_text(uint32_t state);
const char *promotion_why_text(uint32_t why);
#endif
