/* SPDX-License-Identifier: Apache-2.0
 *
 * Heads: what the journal's end is known to be, kept outside the journal's folder.
 *
 *   head           two slots, mapped and preallocated: after each durable group the older one is
 *                  overwritten, unsynced; plus the index of the group being stored, and the
 *                  first 8 bytes of the hashes of the last 65,536 groups
 *   heads.signed   one line per minute, snapshot, stop, prune or rewind, signed with Ed25519 and
 *                  synced; only ever appended to
 *   host.key       PKCS#8, 0600, made at first start; host.pub beside it for tenon-verify
 *
 * Invariants
 *   1. A slot that its CRC does not cover is no slot; of two good ones the higher index counts.
 *   2. A rewind line ("the host went on after losing groups") voids the lines before it whose
 *      index is greater; it is signed before the first group after it is stored.
 *   3. Lines that agree with the chain need no signature check; a line that disagrees, lies past
 *      the end, is a rewind or a checkpoint, is believed only with a good signature.
 *
 *   4. The list of hashes names which group differs once a head has shown that one does; nothing is
 *      judged by it.
 *
 * One thread at a time: who opens the journal, then the commit thread.
 */
#ifndef JOURNAL_HEADS_H
#define JOURNAL_HEADS_H
#include "journal/chain.h"

enum { HEADS_VERSION = 1, HEADS_SIGNATURE_BYTES = 64, HEADS_LINE_BYTES = 640 };

#define HEADS_KINDS(X)                                                                             \
    X(1, MINUTE, "minute")                                                                         \
    X(2, SNAPSHOT, "snapshot")                                                                     \
    X(3, STOP, "stop")                                                                             \
    X(4, REWIND, "rewind")                                                                         \
    X(5, CHECKPOINT, "checkpoint")                                                                 \
    X(6, ARCHIVE, "archive")
enum heads_kind {
    HEADS_KIND_UNSET = 0,
#define X(id, name, text) HEADS_##name = id,
    HEADS_KINDS(X)
#undef X
};

/* One signed line, or the content of the head file's newer slot. */
struct heads_mark {
    enum heads_kind kind; /* UNSET in a slot */
    struct chain at;
    int64_t wall_ns;
    uint8_t signature[HEADS_SIGNATURE_BYTES];
    uint32_t line; /* in heads.signed, from 1 */
};

struct heads; /* heap */

/* Loads what is in `dir`. The writer (it holds the journal's lock) makes what is missing, with a
 * key, and cuts a half-written last line; others take it as it is. */
MUST_USE struct result heads_open(const char *dir, bool writer, struct heads **out,
                                  struct trail *tr);
void heads_close(struct heads *h);

const char *heads_dir(const struct heads *h);
/* The newer good slot, or NULL. */
const struct heads_mark *heads_slot(const struct heads *h);
/* Signed lines that still count, in rising index. */
const struct heads_mark *heads_marks(const struct heads *h, uint32_t *count);
/* The newest checkpoint, or NULL. */
const struct heads_mark *heads_checkpoint(const struct heads *h);
uint64_t heads_attempted(const struct heads *h);
/* Does the list know another hash for this group? */
bool heads_differs(const struct heads *h, uint64_t index, const uint8_t hash[FACT_HASH_BYTES]);
bool heads_is_signed(const struct heads *h, const struct heads_mark *m);
/* True when there is neither a slot nor a line. */
bool heads_is_blank(const struct heads *h);

/* Group `index` is about to be stored. No system call. */
void heads_attempt(struct heads *h, uint64_t index);
/* Voids the slots and syncs that: after a rewind the old ones would speak of groups that are gone,
 * and after a power cut they would be back. */
MUST_USE struct result heads_forget(struct heads *h, struct trail *tr);
/* Before the first group of all: a slot that says "nothing yet", synced, so that a power cut soon
 * after it does not leave a journal of which no head knows anything. */
MUST_USE struct result heads_begin(struct heads *h, const struct chain *at, int64_t wall_ns,
                                   struct trail *tr);
/* The chain is durable up to `at`. No system call. */
void heads_write(struct heads *h, const struct chain *at, int64_t wall_ns);
/* Appends a signed line and syncs it, and the head file too. */
MUST_USE struct result heads_sign(struct heads *h, enum heads_kind kind, const struct chain *at,
                                  int64_t wall_ns, struct trail *tr);

/* The text of a line, with its newline, signed with this host's key. Gives its length, 0 = the
 * signing failed. */
size_t heads_print(const struct heads *h, const struct heads_mark *m, char out[HEADS_LINE_BYTES]);
MUST_USE struct result heads_parse(const char *line, size_t count, struct heads_mark *out,
                                   struct trail *tr);
#endif
