/* SPDX-License-Identifier: Apache-2.0
 *
 * The head file is written after each durable group and must cost nothing: it is a shared mapping
 * of a file whose blocks exist already, so a write is a copy of 256 bytes; the kernel keeps it
 * when the process dies, and a power cut may only make it older, which is no lie: a chain longer
 * than its head is whole. Two slots, because a copy can be cut in the middle.
 *
 * The signed lines are for the case that somebody redoes all hashes: they cost a sync, so there is
 * one a minute. Their text form is on purpose: `openssl pkeyutl -verify` and an editor can read
 * them without us. What is signed is the line up to the last space.
 */
#include "journal/heads.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/evp.h>

#include "base/must.h"
#include "journal/disk.h"
#include "journal/heads_priv.h"

enum {
    SLOT_AT = 4096,
    ATTEMPT_AT = 8192,
    LIST_AT = 12288,
    LIST_COUNT = 65536,
    LIST_ENTRY = 8,
    FILE_BYTES = LIST_AT + LIST_COUNT * LIST_ENTRY,
};

static const char slot_magic[8] = {'T', 'E', 'N', 'O', 'N', 'H', 'E', 'D'};

struct slot { /* as it lies in the head file */
    char magic[8];
    uint32_t version;
    uint32_t crc; /* CRC32C of everything after it */
    uint8_t journal_id[GROUP_ID_BYTES];
    uint64_t index;
    uint64_t seq;
    uint64_t records;
    int64_t t_ns;
    uint64_t epoch;
    uint64_t snapshot_seq;
    int64_t wall_ns;
    uint8_t hash[FACT_HASH_BYTES];
};
static_assert(sizeof(struct slot) == 120, "head slot layout");

struct heads {
    char dir[PATH_MAX];
    bool writer;
    uint8_t *map;
    int signed_fd;
    uint32_t next_slot;
    EVP_PKEY *key;
    bool has_slot;
    struct heads_mark slot;
    struct heads_mark *marks;
    uint32_t mark_count, mark_room;
    bool has_checkpoint;
    struct heads_mark checkpoint;
    uint32_t lines;
    uint64_t attempted;
};

static uint32_t slot_crc(const struct slot *s)
{
    const size_t skip = offsetof(struct slot, journal_id);
    return hash_crc32c(0, (const uint8_t *)s + skip, sizeof *s - skip);
}

static struct result slot_read(struct heads *h, uint32_t which, struct trail *tr)
{
    struct slot s;
    memcpy(&s, h->map + (size_t)which * SLOT_AT, sizeof s);
    if (memcmp(s.magic, slot_magic, sizeof s.magic) != 0)
        return OK_RESULT;
    if (s.version != HEADS_VERSION)
        return FAIL(tr, VERSION,
                    "the head file in %s has format version %u and this program knows %d: use "
                    "the tenon version that wrote it",
                    h->dir, s.version, HEADS_VERSION);
    if (slot_crc(&s) != s.crc || (h->has_slot && h->slot.at.index >= s.index))
        return OK_RESULT;
    h->has_slot = true;
    h->next_slot = 1 - which;
    h->slot = (struct heads_mark){.wall_ns = s.wall_ns};
    struct chain *c = &h->slot.at;
    memcpy(c->journal_id, s.journal_id, GROUP_ID_BYTES);
    memcpy(c->hash, s.hash, FACT_HASH_BYTES);
    c->index = s.index;
    c->seq = s.seq;
    c->records = s.records;
    c->t_ns = s.t_ns;
    c->epoch = s.epoch;
    c->snapshot_seq = s.snapshot_seq;
    c->anchored = c->has_id = true;
    return OK_RESULT;
}

/* Opens the head file; a new one is filled with zeros and synced, so that later writes to the
 * mapping never need a block. */
static struct result map_head(struct heads *h, struct trail *tr)
{
    char path[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/head", h->dir);
    struct result r = OK_RESULT;
    struct stat st;
    const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | (h->writer ? O_CREAT : 0);
    const int fd = open(path, flags, 0600);
    if (fd < 0 || fstat(fd, &st) != 0) {
        r = FAIL(tr, IO, "the head file %s cannot be opened: %s", path, strerror(errno));
        goto out;
    }
    if (st.st_size < FILE_BYTES) {
        static const uint8_t zero[FILE_BYTES];
        if (pwrite(fd, zero, (size_t)(FILE_BYTES - st.st_size), st.st_size) !=
                FILE_BYTES - st.st_size ||
            fsync(fd) != 0) {
            r = FAIL(tr, DISK_FULL, "the head file %s cannot be made: %s; free space, then restart",
                     path, strerror(errno));
            goto out;
        }
    }
    h->map = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (h->map == MAP_FAILED) {
        h->map = NULL;
        r = FAIL(tr, IO, "the head file %s cannot be mapped: %s", path, strerror(errno));
    }
out:
    if (fd >= 0)
        close(fd);
    return r;
}

/* ---- the signed lines ---- */

static const char *const kind_names[] = {"",
#define X(id, name, text) text,
                                         HEADS_KINDS(X)
#undef X
};

static void print_hex(char *out, const uint8_t *bytes, size_t count)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * count] = '\0';
}

static bool parse_hex(const char *text, uint8_t *out, size_t count)
{
    if (strlen(text) != 2 * count)
        return false;
    for (size_t i = 0; i < 2 * count; i++) {
        const char c = text[i];
        const int v = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (v < 0)
            return false;
        out[i / 2] = (uint8_t)(i % 2 ? out[i / 2] | v : v << 4);
    }
    return true;
}

/* The signed part; its length. */
static size_t print_body(const struct heads_mark *m, char *out, size_t room)
{
    char id[2 * GROUP_ID_BYTES + 1], hash[2 * FACT_HASH_BYTES + 1];
    print_hex(id, m->at.journal_id, GROUP_ID_BYTES);
    print_hex(hash, m->at.hash, FACT_HASH_BYTES);
    must(m->kind > 0 && m->kind < sizeof kind_names / sizeof kind_names[0]);
    const int n =
        snprintf(out, room,
                 "tenon-head %d %s %s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRId64 " %" PRIu64
                 " %" PRIu64 " %s %" PRId64,
                 HEADS_VERSION, kind_names[m->kind], id, m->at.index, m->at.seq, m->at.records,
                 m->at.t_ns, m->at.epoch, m->at.snapshot_seq, hash, m->wall_ns);
    must(n > 0 && (size_t)n < room);
    return (size_t)n;
}

size_t heads_print(const struct heads *h, const struct heads_mark *m, char out[HEADS_LINE_BYTES])
{
    size_t n = print_body(m, out, HEADS_LINE_BYTES - 2 * HEADS_SIGNATURE_BYTES - 3);
    uint8_t signature[HEADS_SIGNATURE_BYTES];
    if (!heads_key_sign(h->key, out, n, signature))
        return 0;
    out[n++] = ' ';
    print_hex(out + n, signature, sizeof signature);
    n += 2 * sizeof signature;
    out[n++] = '\n';
    out[n] = '\0';
    return n;
}

bool heads_is_signed(const struct heads *h, const struct heads_mark *m)
{
    char body[HEADS_LINE_BYTES];
    const size_t n = print_body(m, body, sizeof body);
    return heads_key_verify(h->key, body, n, m->signature);
}

static bool parse_fields(char *text, struct heads_mark *out, uint32_t *version)
{
    char kind[16], id[40], hash[72], signature[136];
    int end = 0;
    const int n =
        sscanf(text,
               "tenon-head %" SCNu32 " %15s %39s %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNd64
               " %" SCNu64 " %" SCNu64 " %71s %" SCNd64 " %135s%n",
               version, kind, id, &out->at.index, &out->at.seq, &out->at.records, &out->at.t_ns,
               &out->at.epoch, &out->at.snapshot_seq, hash, &out->wall_ns, signature, &end);
    if (n >= 1 && *version != HEADS_VERSION)
        return false;
    if (n != 12 || text[end] != '\0' || !parse_hex(id, out->at.journal_id, GROUP_ID_BYTES) ||
        !parse_hex(hash, out->at.hash, FACT_HASH_BYTES) ||
        !parse_hex(signature, out->signature, HEADS_SIGNATURE_BYTES))
        return false;
    for (uint32_t k = 1; k < sizeof kind_names / sizeof kind_names[0]; k++)
        if (strcmp(kind, kind_names[k]) == 0)
            out->kind = (enum heads_kind)k;
    return out->kind != HEADS_KIND_UNSET;
}

struct result heads_parse(const char *line, size_t count, struct heads_mark *out, struct trail *tr)
{
    char text[HEADS_LINE_BYTES];
    uint32_t version = HEADS_VERSION;
    memset(out, 0, sizeof *out);
    if (count > 0 && line[count - 1] == '\n')
        count--;
    if (count < sizeof text) {
        memcpy(text, line, count);
        text[count] = '\0';
        if (strlen(text) == count && parse_fields(text, out, &version)) {
            out->at.anchored = out->at.has_id = true;
            return OK_RESULT;
        }
    }
    if (version != HEADS_VERSION)
        return FAIL(tr, VERSION,
                    "a signed head has format version %u and this program knows %d: use the tenon "
                    "version that wrote it",
                    version, HEADS_VERSION);
    char shown[80];
    text_escape(shown, sizeof shown, line, count);
    return FAIL(tr, CORRUPT, "this is not a signed head: \"%s\"", shown);
}

/* A line is kept, or it voids or replaces others. */
static struct result take_mark(struct heads *h, const struct heads_mark *m, struct trail *tr)
{
    if (m->kind == HEADS_ARCHIVE)
        return OK_RESULT;
    if ((m->kind == HEADS_REWIND || m->kind == HEADS_CHECKPOINT) && !heads_is_signed(h, m))
        return FAIL(tr, CORRUPT,
                    "line %u of %s/heads.signed (a %s at group %" PRIu64
                    ") has a wrong signature: somebody else wrote it; restore heads.signed",
                    m->line, h->dir, kind_names[m->kind], m->at.index);
    if (m->kind == HEADS_REWIND)
        while (h->mark_count > 0 && h->marks[h->mark_count - 1].at.index > m->at.index)
            h->mark_count--;
    if (m->kind == HEADS_CHECKPOINT) {
        h->checkpoint = *m;
        h->has_checkpoint = true;
        return OK_RESULT;
    }
    if (h->mark_count > 0 && h->marks[h->mark_count - 1].at.index > m->at.index)
        return FAIL(tr, CORRUPT,
                    "line %u of %s/heads.signed goes back from group %" PRIu64 " to group %" PRIu64
                    " without a signed rewind: lines were removed or swapped; restore heads.signed",
                    m->line, h->dir, h->marks[h->mark_count - 1].at.index, m->at.index);
    if (h->mark_count == h->mark_room) {
        const uint32_t room = h->mark_room ? 2 * h->mark_room : 256;
        void *more = realloc(h->marks, room * sizeof *h->marks);
        if (!more)
            return FAIL(tr, FULL, "no memory for %u signed heads", room);
        h->marks = more;
        h->mark_room = room;
    }
    h->marks[h->mark_count++] = *m;
    return OK_RESULT;
}

/* Reads all lines. A last line without its newline was being written when the power went: it was
 * never synced, so nothing relies on it, and it is cut. */
static struct result read_marks(struct heads *h, FILE *f, struct trail *tr)
{
    char line[HEADS_LINE_BYTES];
    off_t whole = 0;
    while (fgets(line, sizeof line, f)) {
        const size_t n = strlen(line);
        if (n == 0 || (line[n - 1] != '\n' && feof(f)))
            break;
        struct heads_mark m;
        h->lines++;
        struct result r = heads_parse(line, n, &m, tr);
        if (!is_ok(r))
            return FAIL_AS(tr, r, "line %u of %s/heads.signed cannot be used: restore heads.signed",
                           h->lines, h->dir);
        m.line = h->lines;
        r = take_mark(h, &m, tr);
        if (!is_ok(r))
            return r;
        whole += (off_t)n;
    }
    if (ferror(f) || (h->writer && ftruncate(fileno(f), whole) != 0))
        return FAIL(tr, IO, "%s/heads.signed cannot be read: %s", h->dir, strerror(errno));
    return OK_RESULT;
}

static struct result open_marks(struct heads *h, struct trail *tr)
{
    char path[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/heads.signed", h->dir);
    const int flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | (h->writer ? O_CREAT : 0);
    h->signed_fd = open(path, flags, 0600);
    if (h->signed_fd < 0)
        return FAIL(tr, IO, "the signed heads %s cannot be opened: %s", path, strerror(errno));
    FILE *f = fopen(path, "r+e");
    if (!f)
        return FAIL(tr, IO, "the signed heads %s cannot be read: %s", path, strerror(errno));
    struct result r = read_marks(h, f, tr);
    fclose(f);
    return r;
}

struct result heads_open(const char *dir, bool writer, struct heads **out, struct trail *tr)
{
    *out = NULL;
    if (strlen(dir) >= PATH_MAX)
        return FAIL(tr, TOO_LARGE, "the name of the heads folder is longer than %d bytes",
                    PATH_MAX);
    if (writer && mkdir(dir, 0700) != 0 && errno != EEXIST)
        return FAIL(tr, IO, "the heads folder %s cannot be made: %s", dir, strerror(errno));
    struct heads *h = calloc(1, sizeof *h);
    if (!h)
        return FAIL(tr, FULL, "no memory for the heads of %s", dir);
    memcpy(h->dir, dir, strlen(dir) + 1);
    h->writer = writer;
    h->signed_fd = -1;
    struct result r = map_head(h, tr);
    if (is_ok(r))
        r = slot_read(h, 0, tr);
    if (is_ok(r))
        r = slot_read(h, 1, tr);
    if (is_ok(r)) {
        memcpy(&h->attempted, h->map + ATTEMPT_AT, sizeof h->attempted);
        r = heads_key_open(dir, writer, &h->key, tr);
    }
    if (is_ok(r))
        r = open_marks(h, tr);
    if (is_ok(r) && writer)
        r = disk_sync_dir(dir, tr);
    if (!is_ok(r)) {
        heads_close(h);
        return r;
    }
    *out = h;
    return OK_RESULT;
}

void heads_close(struct heads *h)
{
    if (!h)
        return;
    if (h->map)
        munmap(h->map, FILE_BYTES);
    if (h->signed_fd >= 0)
        close(h->signed_fd);
    EVP_PKEY_free(h->key);
    free(h->marks);
    free(h);
}

const char *heads_dir(const struct heads *h)
{
    return h->dir;
}

const struct heads_mark *heads_slot(const struct heads *h)
{
    return h->has_slot ? &h->slot : NULL;
}

const struct heads_mark *heads_marks(const struct heads *h, uint32_t *count)
{
    *count = h->mark_count;
    return h->marks;
}

const struct heads_mark *heads_checkpoint(const struct heads *h)
{
    return h->has_checkpoint ? &h->checkpoint : NULL;
}

uint64_t heads_attempted(const struct heads *h)
{
    return h->attempted;
}

bool heads_is_blank(const struct heads *h)
{
    return !h->has_slot && h->mark_count == 0;
}

void heads_attempt(struct heads *h, uint64_t index)
{
    h->attempted = index;
    memcpy(h->map + ATTEMPT_AT, &index, sizeof index);
}

static uint8_t *list_at(const struct heads *h, uint64_t index)
{
    return h->map + LIST_AT + (index % LIST_COUNT) * LIST_ENTRY;
}

bool heads_differs(const struct heads *h, uint64_t index, const uint8_t hash[FACT_HASH_BYTES])
{
    static const uint8_t none[LIST_ENTRY];
    const uint8_t *entry = list_at(h, index);
    return h->has_slot && index <= h->slot.at.index && index + LIST_COUNT > h->slot.at.index &&
           memcmp(entry, none, sizeof none) != 0 && memcmp(entry, hash, LIST_ENTRY) != 0;
}

static struct result sync_map(struct heads *h, struct trail *tr)
{
    if (msync(h->map, FILE_BYTES, MS_SYNC) != 0)
        return FAIL(tr, IO, "the heads in %s cannot be synced: %s", h->dir, strerror(errno));
    return OK_RESULT;
}

struct result heads_forget(struct heads *h, struct trail *tr)
{
    memset(h->map, 0, sizeof(struct slot));
    memset(h->map + SLOT_AT, 0, sizeof(struct slot));
    h->next_slot = 0;
    return sync_map(h, tr);
}

void heads_write(struct heads *h, const struct chain *at, int64_t wall_ns)
{
    struct slot s = {.version = HEADS_VERSION,
                     .index = at->index,
                     .seq = at->seq,
                     .records = at->records,
                     .t_ns = at->t_ns,
                     .epoch = at->epoch,
                     .snapshot_seq = at->snapshot_seq,
                     .wall_ns = wall_ns};
    must(at->has_id);
    memcpy(s.magic, slot_magic, sizeof s.magic);
    memcpy(s.journal_id, at->journal_id, GROUP_ID_BYTES);
    memcpy(s.hash, at->hash, FACT_HASH_BYTES);
    s.crc = slot_crc(&s);
    memcpy(list_at(h, at->index), at->hash, LIST_ENTRY);
    memcpy(h->map + (size_t)h->next_slot * SLOT_AT, &s, sizeof s);
    h->next_slot = 1 - h->next_slot;
}

struct result heads_begin(struct heads *h, const struct chain *at, int64_t wall_ns,
                          struct trail *tr)
{
    must(at->index == 0);
    heads_write(h, at, wall_ns);
    return sync_map(h, tr);
}

struct result heads_sign(struct heads *h, enum heads_kind kind, const struct chain *at,
                         int64_t wall_ns, struct trail *tr)
{
    const struct heads_mark m = {.kind = kind, .at = *at, .wall_ns = wall_ns};
    char line[HEADS_LINE_BYTES];
    const size_t n = heads_print(h, &m, line);
    if (n == 0)
        return FAIL(tr, IO, "the head at group %" PRIu64 " could not be signed with %s/host.key",
                    at->index, h->dir);
    const ssize_t wrote = write(h->signed_fd, line, n);
    if (wrote != (ssize_t)n) {
        const int why = wrote < 0 ? errno : ENOSPC;
        /* A half-written line must not stay in front of the next one. */
        struct stat st;
        if (wrote > 0 && fstat(h->signed_fd, &st) == 0 &&
            ftruncate(h->signed_fd, st.st_size - wrote) != 0)
            return FAIL(tr, IO, "%s/heads.signed cannot be mended: %s", h->dir, strerror(errno));
        return FAIL_AS(tr, disk_error(why),
                       "the signed head cannot be appended to %s/heads.signed: %s; free space",
                       h->dir, strerror(why));
    }
    if (fdatasync(h->signed_fd) != 0)
        return FAIL(tr, IO, "the heads in %s cannot be synced: %s", h->dir, strerror(errno));
    return sync_map(h, tr);
}
