/* SPDX-License-Identifier: Apache-2.0
 *
 * tenon-verify: is this journal whole, and is it the one its heads know?
 *
 * It shares nothing with the host but the record table in tbl/facts.h: no journal library, no base
 * library, only RocksDB to reach the bytes and OpenSSL to hash and check signatures. What a bug in
 * the host's own reader would hide, this one still shows. That is also why it is one file: who
 * audits it reads it from top to bottom.
 *
 * It opens read-only and reports everything it finds instead of stopping at the first damage.
 * Heads are read before the database, so that a host that writes meanwhile can only make the
 * journal longer than its head. Beside a running host a finding may still be a file that moved
 * while it was read: then everything is read again, and only what stays is told.
 *
 *   tenon-verify JOURNAL_DIR [--heads DIR] [--key host.pub] [--json]
 *   exit 0 whole · 64 wrong usage · 65 damaged · 66 no journal there
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <rocksdb/c.h>

#include "tbl/facts.h"

enum {
    EXIT_GOOD = 0,
    EXIT_USAGE = 64,
    EXIT_DAMAGED = 65,
    EXIT_NONE = 66,
    TEXT_BYTES = 480,
    FINDINGS_MAX = 64,
    LINE_BYTES = 640,
    PATH_BYTES = PATH_MAX + 32,
    TRIES_MAX = 5,
    FORMAT_VERSION = 1,
    HEAD_LIST_AT = 12288,
    HEAD_LIST_COUNT = 65536,
    HEAD_FILE_BYTES = HEAD_LIST_AT + 8 * HEAD_LIST_COUNT,
};

struct group_head { /* as in host/journal/README.md */
    char magic[8];
    uint32_t version, head_bytes;
    uint8_t journal_id[16];
    uint64_t index, first_seq, last_seq;
    int64_t last_t_ns;
    uint32_t record_count, reserved;
    uint64_t byte_count;
    uint8_t prev[32], hash[32];
};
static_assert(sizeof(struct group_head) == 144, "group_head layout");

struct head_slot {
    char magic[8];
    uint32_t version, crc;
    uint8_t journal_id[16];
    uint64_t index, seq, records;
    int64_t t_ns;
    uint64_t epoch, snapshot_seq;
    int64_t wall_ns;
    uint8_t hash[32];
};
static_assert(sizeof(struct head_slot) == 120, "head_slot layout");

struct mark { /* what some head says of one group */
    uint64_t index, seq, records;
    int64_t t_ns;
    uint8_t id[16], hash[32];
    char from[48]; /* "line 3 of heads.signed" */
};

struct report {
    const char *dir, *heads, *key;
    bool json;
    uint64_t groups, records, first_group, last_group, first_seq, last_seq;
    uint8_t id[16], head[32];
    uint32_t found, noted;
    char finding[FINDINGS_MAX][TEXT_BYTES];
    char note[FINDINGS_MAX][TEXT_BYTES];
    /* the walk */
    EVP_MD *sha;
    EVP_MD_CTX *ctx;
    bool anchored, ordered, has_id;
    uint64_t seq;
    uint32_t sub;
    int64_t t_ns;
    struct mark *marks;
    uint32_t mark_count, mark_room, mark_next;
    uint64_t agreed;
    uint64_t differs, differs_first_seq, differs_last_seq; /* by the head file's list */
    bool contradicted; /* all later heads differ too: said once */
    uint8_t *list;
    bool has_slot, has_checkpoint;
    struct mark slot, checkpoint;
};

__attribute__((format(printf, 2, 3))) static void find(struct report *r, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    if (r->found < FINDINGS_MAX)
        vsnprintf(r->finding[r->found], TEXT_BYTES, fmt, args);
    va_end(args);
    r->found++;
}

__attribute__((format(printf, 2, 3))) static void note(struct report *r, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    if (r->noted < FINDINGS_MAX)
        vsnprintf(r->note[r->noted++], TEXT_BYTES, fmt, args);
    va_end(args);
}

/* ---- checksums ---- */

static uint32_t crc_table[256];

static void crc_init(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++)
            c = c & 1 ? c >> 1 ^ 0x82f63b78u : c >> 1;
        crc_table[i] = c;
    }
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc_fast(const uint8_t *p, size_t n)
{
    uint64_t c = 0xffffffffu;
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        c = __builtin_ia32_crc32di(c, word);
    }
    for (; n > 0; n--)
        c = __builtin_ia32_crc32qi((uint32_t)c, *p++);
    return ~(uint32_t)c;
}
#endif

static uint32_t crc32c(const uint8_t *p, size_t n)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2"))
        return crc_fast(p, n);
#endif
    uint32_t c = 0xffffffffu;
    while (n-- > 0)
        c = crc_table[(c ^ *p++) & 255] ^ c >> 8;
    return ~c;
}

static void group_hash(struct report *r, const uint8_t *p, size_t n, uint8_t out[32])
{
    static const uint8_t zero[32];
    unsigned int got = 32;
    const size_t skip = offsetof(struct group_head, hash);
    if (EVP_DigestInit_ex(r->ctx, r->sha, NULL) != 1 || EVP_DigestUpdate(r->ctx, p, skip) != 1 ||
        EVP_DigestUpdate(r->ctx, zero, sizeof zero) != 1 ||
        EVP_DigestUpdate(r->ctx, p + skip + 32, n - skip - 32) != 1 ||
        EVP_DigestFinal_ex(r->ctx, out, &got) != 1) {
        fprintf(stderr, "tenon-verify: OpenSSL cannot compute SHA-256; check its installation\n");
        exit(1);
    }
}

static void hex(char *out, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static bool unhex(const char *text, uint8_t *out, size_t count)
{
    if (strlen(text) != 2 * count || strspn(text, "0123456789abcdef") != 2 * count)
        return false;
    for (size_t i = 0; i < count; i++) {
        unsigned int v;
        if (sscanf(text + 2 * i, "%2x", &v) != 1)
            return false;
        out[i] = (uint8_t)v;
    }
    return true;
}

/* ---- the record table ---- */

struct kind {
    const char *name;
    uint32_t bytes;
    uint16_t version;
};

static struct kind kind_of(uint16_t type)
{
    switch (type) {
#define X(id, name, payload, version, class, text)                                                 \
    case id:                                                                                       \
        return (struct kind){#name, sizeof(struct payload), version};
        FACT_EVENTS(X)
        FACT_EFFECTS(X)
#undef X
    default:
        return (struct kind){"?", 0, 0};
    }
}

/* ---- heads ---- */

static void read_slot(struct report *r, const uint8_t *at)
{
    struct head_slot s;
    const size_t skip = offsetof(struct head_slot, journal_id);
    memcpy(&s, at, sizeof s);
    if (memcmp(s.magic, "TENONHED", 8) != 0)
        return;
    if (s.version != FORMAT_VERSION) {
        find(r,
             "the head file has format version %u and this program knows %d: use the "
             "tenon-verify of the version that wrote it",
             s.version, FORMAT_VERSION);
        return;
    }
    if (crc32c((const uint8_t *)&s + skip, sizeof s - skip) != s.crc ||
        (r->has_slot && r->slot.index >= s.index))
        return;
    r->has_slot = true;
    r->slot = (struct mark){.index = s.index, .seq = s.seq, .records = s.records, .t_ns = s.t_ns};
    memcpy(r->slot.id, s.journal_id, 16);
    memcpy(r->slot.hash, s.hash, 32);
    snprintf(r->slot.from, sizeof r->slot.from, "the head file");
}

static void read_head_file(struct report *r)
{
    char path[PATH_BYTES];
    static uint8_t bytes[HEAD_FILE_BYTES];
    snprintf(path, sizeof path, "%s/head", r->heads);
    FILE *f = fopen(path, "re");
    if (!f) {
        find(r, "the head file %.300s cannot be read: %s; restore it", path, strerror(errno));
        return;
    }
    const size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    if (n < sizeof bytes) {
        find(r, "the head file %.300s is cut to %zu bytes; restore it", path, n);
        return;
    }
    read_slot(r, bytes);
    read_slot(r, bytes + 4096);
    r->list = bytes + HEAD_LIST_AT;
}

static EVP_PKEY *read_key(struct report *r)
{
    char path[PATH_BYTES];
    if (r->key)
        snprintf(path, sizeof path, "%s", r->key);
    else
        snprintf(path, sizeof path, "%s/host.pub", r->heads);
    FILE *f = fopen(path, "re");
    EVP_PKEY *key = f ? PEM_read_PUBKEY(f, NULL, NULL, NULL) : NULL;
    if (f)
        fclose(f);
    if (!key)
        find(r,
             "the public key %.300s cannot be read: signed heads cannot be checked; restore it "
             "or give --key",
             path);
    return key;
}

static bool parse_line(char *line, struct mark *m, char kind[16], uint32_t *version,
                       uint8_t signature[64])
{
    char id[40], hash[72], sign[136];
    uint64_t epoch, snapshot;
    int64_t wall;
    int end = 0;
    const int n = sscanf(line,
                         "tenon-head %" SCNu32 " %15s %39s %" SCNu64 " %" SCNu64 " %" SCNu64
                         " %" SCNd64 " %" SCNu64 " %" SCNu64 " %71s %" SCNd64 " %135s%n",
                         version, kind, id, &m->index, &m->seq, &m->records, &m->t_ns, &epoch,
                         &snapshot, hash, &wall, sign, &end);
    return n == 12 && *version == FORMAT_VERSION && line[end] == '\0' && unhex(id, m->id, 16) &&
           unhex(hash, m->hash, 32) && unhex(sign, signature, 64);
}

static bool is_signed(EVP_PKEY *key, const char *line, const uint8_t signature[64])
{
    const char *end = strrchr(line, ' ');
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const bool good =
        key && ctx && end && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
        EVP_DigestVerify(ctx, signature, 64, (const uint8_t *)line, (size_t)(end - line)) == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}

static void keep_mark(struct report *r, const struct mark *m, const char *kind)
{
    if (strcmp(kind, "rewind") == 0) {
        uint64_t lost = 0;
        while (r->mark_count > 0 && r->marks[r->mark_count - 1].index > m->index) {
            if (lost == 0)
                lost = r->marks[r->mark_count - 1].index - m->index;
            r->mark_count--;
        }
        note(r,
             "%s: the host went on at group %" PRIu64 " after acknowledged groups were lost "
             "(at least %" PRIu64 ")",
             m->from, m->index, lost);
    }
    if (strcmp(kind, "checkpoint") == 0) {
        r->checkpoint = *m;
        r->has_checkpoint = true;
        return;
    }
    if (r->mark_count > 0 && r->marks[r->mark_count - 1].index > m->index)
        find(r,
             "%s goes back from group %" PRIu64 " to group %" PRIu64 " without a signed "
             "rewind: lines were removed or swapped",
             m->from, r->marks[r->mark_count - 1].index, m->index);
    if (r->mark_count == r->mark_room) {
        r->mark_room = r->mark_room ? 2 * r->mark_room : 256;
        r->marks = realloc(r->marks, r->mark_room * sizeof *r->marks);
        if (!r->marks) {
            fprintf(stderr, "tenon-verify: no memory for %u signed heads\n", r->mark_room);
            exit(1);
        }
    }
    r->marks[r->mark_count++] = *m;
}

static void take_line(struct report *r, char *line, uint32_t number, EVP_PKEY *key)
{
    struct mark m = {0};
    uint8_t signature[64];
    char kind[16] = "";
    uint32_t version = FORMAT_VERSION;
    snprintf(m.from, sizeof m.from, "line %u of heads.signed", number);
    if (!parse_line(line, &m, kind, &version, signature)) {
        if (version != FORMAT_VERSION)
            find(r, "%s has format version %u and this program knows %d", m.from, version,
                 FORMAT_VERSION);
        else
            find(r, "%s is not a signed head: it was damaged; restore heads.signed", m.from);
    } else if (key && !is_signed(key, line, signature)) {
        find(r,
             "%s (group %" PRIu64 ") has a wrong signature: it was altered, or another host "
             "wrote it",
             m.from, m.index);
    } else if (strcmp(kind, "archive") != 0) {
        keep_mark(r, &m, kind);
    }
}

static void read_signed(struct report *r)
{
    char path[PATH_BYTES], line[LINE_BYTES];
    snprintf(path, sizeof path, "%s/heads.signed", r->heads);
    FILE *f = fopen(path, "re");
    if (!f) {
        find(r, "the signed heads %.300s cannot be read: %s; restore them", path, strerror(errno));
        return;
    }
    EVP_PKEY *key = read_key(r);
    for (uint32_t number = 1; fgets(line, sizeof line, f); number++) {
        const size_t n = strlen(line);
        if (n == 0 || line[n - 1] != '\n') {
            note(r, "line %u of heads.signed is cut: it was being written when the power went",
                 number);
            break;
        }
        line[n - 1] = '\0';
        take_line(r, line, number, key);
    }
    EVP_PKEY_free(key);
    fclose(f);
}

/* ---- groups and records ---- */

static bool check_record(struct report *r, const struct group_head *g, uint32_t number,
                         const uint8_t *p, size_t room, size_t *stride)
{
    struct fact_head h;
    const size_t skip = offsetof(struct fact_head, seq);
    if (room < sizeof h) {
        find(r, "record %u of group %" PRIu64 " is cut: %zu bytes are left", number, g->index,
             room);
        return false;
    }
    memcpy(&h, p, sizeof h);
    *stride = sizeof h + ((size_t)h.bytes + 7) / 8 * 8;
    if (h.bytes == 0 || h.bytes > FACT_MAX_BYTES || *stride > room) {
        find(r,
             "record %u of group %" PRIu64 " says that it has %u bytes and %zu are left: its "
             "length is damaged",
             number, g->index, h.bytes, room);
        return false;
    }
    const struct kind k = kind_of(h.type);
    if (crc32c(p + skip, sizeof h - skip + h.bytes) != h.crc)
        find(r,
             "record %u of group %" PRIu64 " (seq %" PRIu64 "/%u, %s) does not match its "
             "checksum: it was altered or damaged",
             number, g->index, h.seq, h.sub, k.name);
    else if (k.version != h.version || k.bytes != h.bytes)
        find(r,
             "record %u of group %" PRIu64 " (seq %" PRIu64 ") is of type %u version %u with %u "
             "bytes, which this program does not know",
             number, g->index, h.seq, h.type, h.version, h.bytes);
    const bool event = h.sub == 0;
    const uint64_t seq = event ? r->seq + 1 : r->seq;
    if (r->ordered &&
        (h.seq != seq || h.sub != (event ? 0 : r->sub + 1) || (number == 1 && !event)))
        find(r,
             "record %u of group %" PRIu64 " is seq %" PRIu64 "/%u after seq %" PRIu64
             "/%u: a record is missing, repeated or swapped",
             number, g->index, h.seq, h.sub, r->seq, r->sub);
    else if (r->ordered && (h.t_ns < r->t_ns || (!event && h.t_ns != r->t_ns)))
        find(r, "record %u of group %" PRIu64 " (seq %" PRIu64 ") goes back in time", number,
             g->index, h.seq);
    r->seq = h.seq;
    r->sub = h.sub;
    r->t_ns = h.t_ns;
    r->ordered = true;
    r->records++;
    return true;
}

static void check_records(struct report *r, const struct group_head *g, const uint8_t *p)
{
    const uint8_t *at = p + sizeof *g;
    const uint8_t *const end = at + g->byte_count;
    for (uint32_t i = 1; i <= g->record_count; i++) {
        size_t stride;
        if (!check_record(r, g, i, at, (size_t)(end - at), &stride)) {
            r->ordered = false;
            return;
        }
        at += stride;
    }
    if (at != end)
        find(r, "group %" PRIu64 " has %zu bytes after its last record", g->index,
             (size_t)(end - at));
    if (r->seq != g->last_seq || r->t_ns != g->last_t_ns)
        find(r,
             "group %" PRIu64 " says that it ends at seq %" PRIu64 " but its last record is seq "
             "%" PRIu64,
             g->index, g->last_seq, r->seq);
}

static bool check_head(struct report *r, uint64_t index, const uint8_t *p, size_t n,
                       struct group_head *g)
{
    if (n < sizeof *g) {
        find(r, "group %" PRIu64 " is cut: it has %zu bytes and its header needs %zu", index, n,
             sizeof *g);
        return false;
    }
    memcpy(g, p, sizeof *g);
    if (memcmp(g->magic, "TENONGRP", 8) != 0)
        find(r, "group %" PRIu64 " does not begin like a group: it is damaged", index);
    else if (g->version != FORMAT_VERSION || g->head_bytes != sizeof *g)
        find(r,
             "group %" PRIu64 " has format version %u and this program knows %d: use the "
             "tenon-verify of the version that wrote it",
             index, g->version, FORMAT_VERSION);
    else if (g->index != index)
        find(r,
             "group %" PRIu64 " says that it is group %" PRIu64 ": groups were swapped or "
             "copied",
             index, g->index);
    else if (g->byte_count != n - sizeof *g || g->record_count == 0 ||
             g->record_count > g->byte_count / sizeof(struct fact_head))
        find(r,
             "group %" PRIu64 " says that it has %u records in %" PRIu64 " bytes and %zu bytes "
             "are there: its counts are damaged or its end is cut",
             index, g->record_count, g->byte_count, n - sizeof *g);
    else if (r->has_id && memcmp(r->id, g->journal_id, 16) != 0)
        find(r, "group %" PRIu64 " belongs to another journal", index);
    else
        return true;
    return false;
}

static void compare(struct report *r, const struct mark *m, uint64_t index)
{
    if (memcmp(m->id, r->id, 16) != 0) {
        find(r, "%s is of another journal: point to this journal's own heads", m->from);
    } else if (memcmp(m->hash, r->head, 32) == 0) {
        r->agreed = index;
        r->differs = 0;
    } else if (!r->contradicted) {
        r->contradicted = true;
        if (r->differs == 0)
            find(r,
                 "a record in groups %" PRIu64 " to %" PRIu64 " was altered (and, if nothing "
                 "else is reported, all checksums after it were redone): the chain hash at group "
                 "%" PRIu64 " is not the one that %s names",
                 r->agreed + 1, index, index, m->from);
        else
            find(r,
                 "a record in group %" PRIu64 " (seq %" PRIu64 " to %" PRIu64 ") was altered "
                 "(and, if nothing else is reported, all checksums after it were redone): the "
                 "chain hash at group %" PRIu64 " is not the one that %s names",
                 r->differs, r->differs_first_seq, r->differs_last_seq, index, m->from);
    }
}

/* The head file's list of hashes says which group differs; it is no proof by itself. */
static void look_in_list(struct report *r, const struct group_head *g)
{
    static const uint8_t none[8];
    const uint64_t i = g->index;
    if (!r->list || !r->has_slot || r->differs || i > r->slot.index ||
        i + HEAD_LIST_COUNT <= r->slot.index)
        return;
    const uint8_t *entry = r->list + i % HEAD_LIST_COUNT * 8;
    if (memcmp(entry, none, 8) == 0 || memcmp(entry, g->hash, 8) == 0)
        return;
    r->differs = i;
    r->differs_first_seq = g->first_seq;
    r->differs_last_seq = g->last_seq;
}

static void check_group(struct report *r, uint64_t index, const uint8_t *p, size_t n)
{
    struct group_head g;
    uint8_t is[32];
    r->groups++;
    r->last_group = index;
    if (!check_head(r, index, p, n, &g)) {
        r->anchored = r->ordered = false;
        return;
    }
    if (!r->has_id)
        memcpy(r->id, g.journal_id, 16);
    r->has_id = true;
    if (r->first_seq == 0)
        r->first_seq = g.first_seq;
    if (r->anchored && memcmp(g.prev, r->head, 32) != 0)
        find(r,
             "group %" PRIu64 " (seq %" PRIu64 " to %" PRIu64 ") does not follow the group "
             "before it: the hash it names is another",
             index, g.first_seq, g.last_seq);
    group_hash(r, p, n, is);
    if (memcmp(is, g.hash, 32) != 0)
        find(r,
             "group %" PRIu64 " (seq %" PRIu64 " to %" PRIu64 ") does not match its own hash: "
             "its bytes were altered",
             index, g.first_seq, g.last_seq);
    check_records(r, &g, p);
    memcpy(r->head, g.hash, 32);
    r->anchored = true;
    r->last_seq = g.last_seq;
    look_in_list(r, &g);
    while (r->mark_next < r->mark_count && r->marks[r->mark_next].index <= index) {
        if (r->marks[r->mark_next].index == index)
            compare(r, &r->marks[r->mark_next], index);
        r->mark_next++;
    }
    if (r->has_slot && r->slot.index == index)
        compare(r, &r->slot, index);
}

/* ---- the walk ---- */

static void begin(struct report *r, uint64_t first)
{
    const struct mark *cp = &r->checkpoint;
    r->first_group = first;
    if (first == 1 && !r->has_checkpoint) {
        r->anchored = r->ordered = true;
        r->t_ns = INT64_MIN;
    } else if (r->has_checkpoint && first <= cp->index + 1) {
        note(r,
             "groups 1 to %" PRIu64 " (seq 1 to %" PRIu64 ", %" PRIu64 " records) were pruned "
             "or may be: %s is their signed checkpoint",
             cp->index, cp->seq, cp->records, cp->from);
        r->anchored = first == 1;
        r->ordered = first == 1;
        r->t_ns = INT64_MIN;
    } else if (r->heads) {
        find(r,
             "the journal begins at group %" PRIu64 " and no signed checkpoint says that groups "
             "were pruned: groups %" PRIu64 " to %" PRIu64 " are missing",
             first, r->has_checkpoint ? cp->index + 1 : 1, first - 1);
    } else {
        note(r,
             "the journal begins at group %" PRIu64 ": what was before cannot be judged without "
             "--heads",
             first);
    }
}

/* Before the first group behind the checkpoint: what follows must follow it. */
static void anchor(struct report *r, uint64_t index)
{
    const struct mark *cp = &r->checkpoint;
    if (!r->has_checkpoint || index != cp->index + 1)
        return;
    if (r->anchored && memcmp(r->head, cp->hash, 32) != 0)
        find(r, "group %" PRIu64 " has another chain hash than its signed checkpoint (%s)",
             cp->index, cp->from);
    memcpy(r->head, cp->hash, 32);
    memcpy(r->id, cp->id, 16);
    r->has_id = r->anchored = r->ordered = true;
    r->seq = cp->seq;
    r->t_ns = cp->t_ns;
    r->agreed = cp->index;
}

static uint64_t key_index(rocksdb_iterator_t *it)
{
    size_t n;
    uint64_t big = 0;
    const char *key = rocksdb_iter_key(it, &n);
    if (n == 8)
        memcpy(&big, key, 8);
    return __builtin_bswap64(big);
}

static void seek(rocksdb_iterator_t *it, uint64_t index)
{
    const uint64_t big = __builtin_bswap64(index);
    rocksdb_iter_seek(it, (const char *)&big, 8);
}

/* Unreadable storage at `index`: told; true when reading can go on behind it. */
static bool unreadable(struct report *r, rocksdb_iterator_t *it, uint64_t index)
{
    char *words = NULL;
    rocksdb_iter_get_error(it, &words);
    if (!words)
        return false;
    find(r,
         "group %" PRIu64 " (after seq %" PRIu64 ") cannot be read: %.250s; restore a good "
         "copy",
         index, r->last_seq, words);
    rocksdb_free(words);
    r->anchored = r->ordered = false;
    return r->found < FINDINGS_MAX;
}

static void walk(struct report *r, rocksdb_t *db)
{
    rocksdb_readoptions_t *o = rocksdb_readoptions_create();
    rocksdb_readoptions_set_verify_checksums(o, 1);
    rocksdb_readoptions_set_fill_cache(o, 0);
    rocksdb_readoptions_set_readahead_size(o, 2 << 20);
    rocksdb_iterator_t *it = rocksdb_create_iterator(db, o);
    uint64_t want = 0;
    seek(it, 0);
    for (;;) {
        if (!rocksdb_iter_valid(it)) {
            if (want == 0)
                want = 1;
            if (!unreadable(r, it, want))
                break;
            seek(it, ++want);
            continue;
        }
        const uint64_t index = key_index(it);
        if (want == 0) {
            begin(r, index);
            want = index;
        }
        if (index > want) {
            find(r,
                 "groups %" PRIu64 " to %" PRIu64 " (after seq %" PRIu64 ") are missing: their "
                 "entries were damaged or removed",
                 want, index - 1, r->last_seq);
            r->anchored = r->ordered = false;
        }
        anchor(r, index);
        size_t n;
        const char *value = rocksdb_iter_value(it, &n);
        check_group(r, index, (const uint8_t *)value, n);
        want = index + 1;
        rocksdb_iter_next(it);
    }
    rocksdb_iter_destroy(it);
    rocksdb_readoptions_destroy(o);
}

static void compare_end(struct report *r)
{
    const struct mark *beyond = r->has_slot && r->slot.index > r->last_group ? &r->slot : NULL;
    for (uint32_t i = 0; i < r->mark_count; i++)
        if (r->marks[i].index > r->last_group && (!beyond || r->marks[i].index > beyond->index))
            beyond = &r->marks[i];
    if (r->has_checkpoint && r->checkpoint.index > r->last_group && !beyond)
        beyond = &r->checkpoint;
    if (beyond)
        find(r,
             "the journal ends at seq %" PRIu64 " (group %" PRIu64 ") and %s says seq %" PRIu64
             " (group %" PRIu64 "): what was acknowledged after it is gone; restore the newest "
             "copy",
             r->last_seq, r->last_group, beyond->from, beyond->seq, beyond->index);
    else if (r->last_group > 0 && !r->has_slot && r->mark_count == 0)
        find(r, "no head speaks of this journal: whether its end is missing cannot be told; "
                "restore the heads folder");
}

static rocksdb_t *open_db(const char *dir, char **words)
{
    rocksdb_options_t *o = rocksdb_options_create();
    rocksdb_options_set_paranoid_checks(o, 1);
    rocksdb_options_set_wal_recovery_mode(o, rocksdb_skip_any_corrupted_records_recovery);
    rocksdb_options_set_max_open_files(o, 256);
    rocksdb_options_set_info_log_level(o, 4 /* fatal */);
    rocksdb_t *db = rocksdb_open_for_read_only(o, dir, 0, words);
    rocksdb_options_destroy(o);
    return db;
}

static void verify(struct report *r)
{
    char *words = NULL;
    if (r->heads) {
        read_head_file(r);
        read_signed(r);
    } else {
        note(r, "no --heads given: a missing end or a past rewritten with all its hashes cannot "
                "be seen");
    }
    rocksdb_t *db = open_db(r->dir, &words);
    if (words) {
        /* A table that is not there is named by the old ending, which RocksDB tries last. */
        for (char *old = strstr(words, ".ldb"); old; old = strstr(old, ".ldb"))
            memcpy(old, ".sst", 4);
        find(r, "the journal's storage cannot be opened: %.300s; restore a good copy", words);
        rocksdb_free(words);
        return;
    }
    walk(r, db);
    rocksdb_close(db);
    if (r->heads)
        compare_end(r);
}

/* Does another process hold the journal? */
static bool is_held(const char *dir)
{
    char path[PATH_BYTES];
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    snprintf(path, sizeof path, "%s/LOCK", dir);
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return false;
    const bool held = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    close(fd);
    return held;
}

/* ---- output ---- */

static void print_json_text(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < 32 || c > 126)
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}

static void print_json(const struct report *r)
{
    char id[33], head[65];
    hex(id, r->id, 16);
    hex(head, r->head, 32);
    printf("{\"v\":1,\"journal_id\":\"%s\",\"groups\":%" PRIu64 ",\"first_group\":%" PRIu64
           ",\"last_group\":%" PRIu64 ",\"records\":%" PRIu64 ",\"first_seq\":%" PRIu64
           ",\"last_seq\":%" PRIu64 ",\"head\":\"%s\",\"ok\":%s,\"findings\":[",
           id, r->groups, r->first_group, r->last_group, r->records, r->first_seq, r->last_seq,
           head, r->found ? "false" : "true");
    for (uint32_t i = 0; i < r->found && i < FINDINGS_MAX; i++) {
        printf("%s", i ? "," : "");
        print_json_text(r->finding[i]);
    }
    printf("],\"notes\":[");
    for (uint32_t i = 0; i < r->noted; i++) {
        printf("%s", i ? "," : "");
        print_json_text(r->note[i]);
    }
    printf("]}\n");
}

static void print_words(const struct report *r)
{
    char id[33], head[65];
    hex(id, r->id, 16);
    hex(head, r->head, 32);
    printf("journal   %s\nid        %s\n", r->dir, id);
    printf("groups    %" PRIu64 " (%" PRIu64 " to %" PRIu64 ")\n", r->groups, r->first_group,
           r->last_group);
    printf("records   %" PRIu64 " (seq %" PRIu64 " to %" PRIu64 ")\nhead      %s\n", r->records,
           r->first_seq, r->last_seq, head);
    for (uint32_t i = 0; i < r->noted; i++)
        printf("note      %s\n", r->note[i]);
    for (uint32_t i = 0; i < r->found && i < FINDINGS_MAX; i++)
        printf("finding   %s\n", r->finding[i]);
    if (r->found > FINDINGS_MAX)
        printf("finding   and %u more\n", r->found - FINDINGS_MAX);
    printf("result    %s\n", r->found ? "DAMAGED" : "whole");
}

static int usage(const char *what, const char *arg)
{
    fprintf(stderr,
            "tenon-verify: %s%s%s\n"
            "usage: tenon-verify JOURNAL_DIR [--heads DIR] [--key host.pub] [--json]\n",
            what, arg ? " " : "", arg ? arg : "");
    return EXIT_USAGE;
}

static int parse_args(struct report *r, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i];
        const bool heads = strcmp(a, "--heads") == 0;
        if (heads || strcmp(a, "--key") == 0) {
            const char **to = heads ? &r->heads : &r->key;
            if (*to || i + 1 == argc)
                return usage("give one path with", a);
            *to = argv[++i];
        } else if (strcmp(a, "--json") == 0) {
            r->json = true;
        } else if (a[0] == '-') {
            return usage("unknown option", a);
        } else if (r->dir) {
            return usage("only one journal can be verified; too many:", a);
        } else {
            r->dir = a;
        }
    }
    if (!r->dir || r->dir[0] == '\0')
        return usage("which journal?", NULL);
    if (r->key && !r->heads)
        return usage("--key is of use with --heads only", NULL);
    if (strlen(r->dir) >= PATH_MAX || (r->heads && strlen(r->heads) >= PATH_MAX) ||
        (r->key && strlen(r->key) >= PATH_MAX))
        return usage("a path is too long", NULL);
    return EXIT_GOOD;
}

int main(int argc, char **argv)
{
    static struct report asked, r;
    crc_init();
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        puts("usage: tenon-verify JOURNAL_DIR [--heads DIR] [--key host.pub] [--json]\n"
             "checks every record, the hash chain and the signed heads; exit 0 whole, 64 wrong "
             "usage, "
             "65 damaged, 66 no journal there");
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("tenon-verify %s, format %d\n", TENON_VERSION, FORMAT_VERSION);
        return EXIT_GOOD;
    }
    const int wrong = parse_args(&asked, argc, argv);
    if (wrong)
        return wrong;
    if (access(asked.dir, R_OK | X_OK) != 0) {
        fprintf(stderr, "tenon-verify: the journal folder %s cannot be read: %s; check the path\n",
                asked.dir, strerror(errno));
        return EXIT_NONE;
    }
    asked.sha = EVP_MD_fetch(NULL, "SHA256", NULL);
    asked.ctx = EVP_MD_CTX_new();
    for (int tries = 0; tries < TRIES_MAX; tries++) {
        free(r.marks);
        r = asked;
        verify(&r);
        if (r.found == 0 || !is_held(asked.dir))
            break;
    }
    if (r.json)
        print_json(&r);
    else
        print_words(&r);
    free(r.marks);
    EVP_MD_CTX_free(asked.ctx);
    EVP_MD_free(asked.sha);
    return r.found ? EXIT_DAMAGED : EXIT_GOOD;
}
