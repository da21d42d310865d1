/* SPDX-License-Identifier: Apache-2.0
 *
 * A group is written once, as one value, by the commit thread, and read by everybody who does not
 * trust it. Hence the two halves of this file: sealing asserts, parsing answers.
 *
 * The hash covers the header too (with its own field zero), so that counts, sequence numbers and
 * the journal's id cannot be altered on their own. The records' CRC32C is not needed for
 * integrity beside the hash; it names the one record that was hit, and it is what a reader that
 * starts in the middle checks.
 */
#include "journal/group.h"

#include <inttypes.h>
#include <string.h>

#include "base/must.h"

static const char magic[8] = {'T', 'E', 'N', 'O', 'N', 'G', 'R', 'P'};

uint32_t group_crc(const void *record, uint32_t payload_bytes)
{
    const size_t skip = offsetof(struct fact_head, seq);
    return hash_crc32c(0, (const uint8_t *)record + skip,
                       sizeof(struct fact_head) - skip + payload_bytes);
}

static void digest(const void *bytes, size_t count, struct hash_sha256 *sha,
                   uint8_t out[FACT_HASH_BYTES])
{
    static const uint8_t zero[FACT_HASH_BYTES];
    const uint8_t *p = bytes;
    hash_sha256_begin(sha);
    hash_sha256_add(sha, p, offsetof(struct group_head, hash));
    hash_sha256_add(sha, zero, sizeof zero);
    hash_sha256_add(sha, p + sizeof(struct group_head), count - sizeof(struct group_head));
    hash_sha256_end(sha, out);
}

void group_seal(void *group, size_t count, struct hash_sha256 *sha)
{
    struct group_head *head = group;
    must(count > sizeof *head);
    must(head->record_count > 0);
    memcpy(head->magic, magic, sizeof magic);
    head->version = GROUP_VERSION;
    head->head_bytes = sizeof *head;
    head->reserved = 0;
    head->byte_count = count - sizeof *head;
    digest(group, count, sha, head->hash);
}

static struct result check_identity(const struct group_head *head, uint64_t index,
                                    const uint8_t *id, struct trail *tr)
{
    if (id && memcmp(head->journal_id, id, GROUP_ID_BYTES) != 0)
        return FAIL(tr, FOREIGN,
                    "group %" PRIu64 " belongs to another journal (its id begins %02x%02x%02x%02x, "
                    "not %02x%02x%02x%02x): point to this host's own folder",
                    index, head->journal_id[0], head->journal_id[1], head->journal_id[2],
                    head->journal_id[3], id[0], id[1], id[2], id[3]);
    if (head->index != index)
        return FAIL(tr, BROKEN_CHAIN,
                    "group %" PRIu64 " says that it is group %" PRIu64
                    ": groups were swapped or copied; restore a good copy",
                    index, head->index);
    return OK_RESULT;
}

struct result group_parse(const void *bytes, size_t count, uint64_t index, const uint8_t *id,
                          struct group_head *out, struct trail *tr)
{
    if (count < sizeof *out)
        return FAIL(tr, CORRUPT,
                    "group %" PRIu64 " is cut: it has %zu bytes and its header alone needs %zu",
                    index, count, sizeof *out);
    memcpy(out, bytes, sizeof *out);
    if (memcmp(out->magic, magic, sizeof magic) != 0)
        return FAIL(tr, CORRUPT,
                    "group %" PRIu64 " does not begin like a group: its first bytes "
                    "are damaged; restore a good copy",
                    index);
    if (out->version != GROUP_VERSION || out->head_bytes != sizeof *out)
        return FAIL(tr, VERSION,
                    "group %" PRIu64 " has format version %u and this program knows %d: use the "
                    "tenon version that wrote it",
                    index, out->version, GROUP_VERSION);
    TRY(check_identity(out, index, id, tr));
    if (out->byte_count != count - sizeof *out || count > GROUP_BYTES_MAX)
        return FAIL(tr, CORRUPT,
                    "group %" PRIu64 " says that its records take %" PRIu64
                    " bytes but %zu are there: its length is damaged or its end is cut",
                    index, out->byte_count, count - sizeof *out);
    if (out->record_count == 0 || out->record_count > out->byte_count / sizeof(struct fact_head) ||
        out->first_seq == 0 || out->first_seq > out->last_seq)
        return FAIL(tr, CORRUPT,
                    "group %" PRIu64 " has impossible counts (%u records, seq %" PRIu64
                    " to %" PRIu64 " in %" PRIu64 " bytes): its header is damaged",
                    index, out->record_count, out->first_seq, out->last_seq, out->byte_count);
    return OK_RESULT;
}

struct result group_check_hash(const void *bytes, size_t count, const struct group_head *head,
                               struct hash_sha256 *sha, struct trail *tr)
{
    uint8_t is[FACT_HASH_BYTES];
    must(count == sizeof *head + head->byte_count);
    digest(bytes, count, sha, is);
    if (memcmp(is, head->hash, sizeof is) == 0)
        return OK_RESULT;
    return FAIL(tr, BROKEN_CHAIN,
                "group %" PRIu64 " (seq %" PRIu64 " to %" PRIu64
                ") does not match its own hash: its bytes were altered; restore a good copy",
                head->index, head->first_seq, head->last_seq);
}

void group_rewind(struct group_cursor *c, const void *bytes, const struct group_head *head)
{
    const uint8_t *p = bytes;
    c->at = p + sizeof *head;
    c->end = c->at + head->byte_count;
    c->index = head->index;
    c->left = head->record_count;
    c->number = 0;
}

/* Length first (nothing else may be looked at before), then kind, then checksum. */
static struct result check_record(const struct group_cursor *c, const struct fact_head *head,
                                  struct trail *tr)
{
    const size_t room = (size_t)(c->end - c->at);
    if (head->bytes == 0 || head->bytes > FACT_MAX_BYTES || group_stride(head->bytes) > room)
        return FAIL(tr, CORRUPT,
                    "record %u of group %" PRIu64 " says that it has %u bytes of payload and "
                    "%zu are left (at most %d): its length is damaged",
                    c->number, c->index, head->bytes, room, FACT_MAX_BYTES);
    const uint32_t crc = group_crc(c->at, head->bytes);
    if (crc != head->crc)
        return FAIL(tr, CORRUPT,
                    "record %u of group %" PRIu64 " (seq %" PRIu64 "/%u, %s) has checksum %08x "
                    "and should have %08x: it was altered or damaged",
                    c->number, c->index, head->seq, head->sub, fact_name(head->type), crc,
                    head->crc);
    if (fact_version(head->type) != head->version || fact_version(head->type) == 0)
        return FAIL(tr, VERSION,
                    "record %u of group %" PRIu64 " (seq %" PRIu64 ") is of type %u version %u, "
                    "which this program does not know: use the tenon version that wrote it",
                    c->number, c->index, head->seq, head->type, head->version);
    if (fact_bytes(head->type) != head->bytes)
        return FAIL(tr, CORRUPT,
                    "record %u of group %" PRIu64 " (seq %" PRIu64 ", %s) has %u bytes of payload "
                    "and must have %u",
                    c->number, c->index, head->seq, fact_name(head->type), head->bytes,
                    fact_bytes(head->type));
    return OK_RESULT;
}

struct result group_next(struct group_cursor *c, struct fact_head *head, const void **payload,
                         struct trail *tr)
{
    if (c->left == 0) {
        if (c->at == c->end)
            return RESULT_OF(END);
        return FAIL(tr, CORRUPT,
                    "group %" PRIu64 " has %zu bytes after its last record: its count is damaged",
                    c->index, (size_t)(c->end - c->at));
    }
    c->number++;
    if ((size_t)(c->end - c->at) < sizeof *head)
        return FAIL(tr, CORRUPT, "record %u of group %" PRIu64 " is cut: %zu bytes are left",
                    c->number, c->index, (size_t)(c->end - c->at));
    memcpy(head, c->at, sizeof *head);
    TRY(check_record(c, head, tr));
    *payload = c->at + sizeof *head;
    c->at += group_stride(head->bytes);
    c->left--;
    return OK_RESULT;
}
