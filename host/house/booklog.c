/* SPDX-License-Identifier: Apache-2.0
 *
 * Each line carries two sums. The CRC is of the line alone, the chain of the whole past: at a torn
 * end nothing intact follows, in a file that was altered or lost a page intact lines do. That is
 * how the one is told from the other without marks in the file.
 *
 * Appends gather in memory and are written by one write at the sync, so that answers to many
 * requests that came together cost one sync. Ten thousand orders are a few megabytes: opening reads
 * the file whole.
 */
#include "house/booklog.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/must.h"

enum { SUMS = 26 /* " #" + 8 + 16 */, CHAIN_TEXT = 16, CRC_TEXT = 8 };

struct booklog {
    int fd;
    char path[256];
    uint8_t chain[HASH_SHA256_BYTES];
    struct hash_sha256 *hash;
    uint64_t lines, syncs;
    char *waiting;
    size_t waiting_count, waiting_room;
    bool is_broken;
};

static void step(struct hash_sha256 *h, uint8_t chain[HASH_SHA256_BYTES], const char *text,
                 size_t count)
{
    hash_sha256_begin(h);
    hash_sha256_add(h, chain, HASH_SHA256_BYTES);
    hash_sha256_add(h, text, count);
    hash_sha256_end(h, chain);
}

static void print_sums(const char *text, size_t count, const uint8_t chain[HASH_SHA256_BYTES],
                       char out[SUMS + 1])
{
    char hex[HASH_HEX_BYTES];
    hash_hex(chain, hex);
    int n = snprintf(out, SUMS + 1, " #%08x%.*s", hash_crc32c(0, text, count), CHAIN_TEXT, hex);
    must(n == SUMS);
}

/* ---- reading ---- */
struct scan {
    const char *at, *end;
    struct hash_sha256 *hash;
    uint8_t chain[HASH_SHA256_BYTES];
    uint64_t lines;
};

/* The next line of the file, without its newline; false at the end or without one. */
static bool next_line(const struct scan *s, const char *from, const char **end)
{
    *end = from < s->end ? memchr(from, '\n', (size_t)(s->end - from)) : NULL;
    return *end != NULL;
}

static bool is_intact(const char *line, const char *end)
{
    if (end - line <= SUMS || end - line > BOOKLOG_LINE_MAX + SUMS)
        return false;
    char want[CRC_TEXT + 3];
    size_t count = (size_t)(end - line) - SUMS;
    snprintf(want, sizeof want, " #%08x", hash_crc32c(0, line, count));
    return memcmp(line + count, want, CRC_TEXT + 2) == 0;
}

/* Takes a line when it is intact and goes on where the one before it ended. */
static bool follows(struct scan *s, const char *line, const char *end)
{
    if (!is_intact(line, end))
        return false;
    uint8_t chain[HASH_SHA256_BYTES];
    char want[SUMS + 1];
    size_t count = (size_t)(end - line) - SUMS;
    memcpy(chain, s->chain, sizeof chain);
    step(s->hash, chain, line, count);
    print_sums(line, count, chain, want);
    if (memcmp(line + count, want, SUMS) != 0)
        return false;
    memcpy(s->chain, chain, sizeof chain);
    s->lines++;
    return true;
}

static bool intact_later(const struct scan *s)
{
    const char *end;
    for (const char *line = s->at; next_line(s, line, &end); line = end + 1) {
        if (is_intact(line, end))
            return true;
    }
    return false;
}

static struct result scan(struct scan *s, const char *path, const struct booklog_reader *reader,
                          struct trail *tr)
{
    const char *end;
    struct result r = OK_RESULT;
    while (is_ok(r) && next_line(s, s->at, &end) && follows(s, s->at, end)) {
        char text[BOOKLOG_LINE_MAX + 1];
        size_t count = (size_t)(end - s->at) - SUMS;
        memcpy(text, s->at, count);
        text[count] = '\0';
        s->at = end + 1;
        r = reader->line(reader->arg, s->lines, text, tr);
    }
    if (is_ok(r) && intact_later(s))
        return FAIL(tr, CORRUPT,
                    "venue ledger %s: line %lu does not follow the one before it, but intact lines "
                    "come after it; the file was altered: restore it from a copy",
                    path, (unsigned long)s->lines + 1);
    return r;
}

static struct result scan_file(int fd, const char *path, const struct booklog_reader *reader,
                               struct scan *s, uint64_t *good, struct trail *tr)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return FAIL(tr, IO, "venue ledger %s: cannot be read: %s", path, strerror(errno));
    *good = 0;
    if (st.st_size == 0)
        return OK_RESULT;
    char *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED)
        return FAIL(tr, IO, "venue ledger %s: cannot be read: %s", path, strerror(errno));
    s->at = map;
    s->end = map + st.st_size;
    struct result r = scan(s, path, reader, tr);
    *good = (uint64_t)(s->at - map);
    munmap(map, (size_t)st.st_size);
    return r;
}

struct result booklog_read(const char *path, const struct booklog_reader *reader,
                           uint64_t *cut_bytes, struct trail *tr)
{
    struct scan s = {.lines = 0};
    uint64_t good;
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return FAIL(tr, NOT_FOUND, "venue ledger %s: cannot be opened: %s; check the path", path,
                    strerror(errno));
    struct result r = hash_sha256_new(&s.hash);
    if (is_ok(r)) {
        r = scan_file(fd, path, reader, &s, &good, tr);
        hash_sha256_free(s.hash);
        *cut_bytes = fstat(fd, &st) == 0 ? (uint64_t)st.st_size - good : 0;
    }
    close(fd);
    return r;
}

/* ---- writing ---- */
static struct result open_locked(struct booklog *b, struct trail *tr)
{
    b->fd = open(b->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (b->fd < 0)
        return FAIL(tr, IO, "venue ledger %s: cannot be opened: %s; check its folder", b->path,
                    strerror(errno));
    if (flock(b->fd, LOCK_EX | LOCK_NB) != 0)
        return FAIL(tr, BUSY, "venue ledger %s: another tenon-venue writes it; stop that one",
                    b->path);
    return OK_RESULT;
}

static struct result load(struct booklog *b, const struct booklog_reader *reader, uint64_t *cut,
                          struct trail *tr)
{
    struct scan s = {.hash = b->hash};
    uint64_t good;
    TRY(scan_file(b->fd, b->path, reader, &s, &good, tr));
    memcpy(b->chain, s.chain, sizeof b->chain);
    b->lines = s.lines;
    off_t size = lseek(b->fd, 0, SEEK_END);
    *cut = size < 0 ? 0 : (uint64_t)size - good;
    if (*cut > 0 && (ftruncate(b->fd, (off_t)good) != 0 || fsync(b->fd) != 0))
        return FAIL(tr, IO, "venue ledger %s: its torn end cannot be cut: %s", b->path,
                    strerror(errno));
    return OK_RESULT;
}

struct result booklog_open(const char *path, const struct booklog_reader *reader,
                           struct booklog **out, uint64_t *cut_bytes, struct trail *tr)
{
    *out = NULL;
    struct booklog *b = calloc(1, sizeof *b);
    must(b != NULL);
    b->fd = -1;
    int n = snprintf(b->path, sizeof b->path, "%s", path);
    struct result r = n > 0 && n < (int)sizeof b->path
                          ? hash_sha256_new(&b->hash)
                          : FAIL(tr, TOO_LARGE,
                                 "venue ledger: its path is empty or over 255 "
                                 "characters; use a shorter one");
    if (is_ok(r))
        r = open_locked(b, tr);
    if (is_ok(r))
        r = load(b, reader, cut_bytes, tr);
    if (is_ok(r))
        *out = b;
    else
        booklog_close(b);
    return r;
}

void booklog_close(struct booklog *b)
{
    if (b == NULL)
        return;
    struct trail tr = {0};
    if (b->fd >= 0) {
        (void)!is_ok(booklog_sync(b, &tr));
        close(b->fd);
    }
    if (b->hash != NULL)
        hash_sha256_free(b->hash);
    free(b->waiting);
    free(b);
}

void booklog_put(struct booklog *b, const char *text, size_t count)
{
    must(count > 0 && count <= BOOKLOG_LINE_MAX && memchr(text, '\n', count) == NULL);
    size_t need = b->waiting_count + count + SUMS + 2;
    if (need > b->waiting_room) {
        b->waiting_room = need * 2 + 4096;
        b->waiting = realloc(b->waiting, b->waiting_room);
        must(b->waiting != NULL);
    }
    char *to = b->waiting + b->waiting_count;
    memcpy(to, text, count);
    step(b->hash, b->chain, text, count);
    print_sums(text, count, b->chain, to + count);
    to[count + SUMS] = '\n';
    b->waiting_count += count + SUMS + 1;
    b->lines++;
}

struct result booklog_sync(struct booklog *b, struct trail *tr)
{
    size_t done = 0;
    if (b->waiting_count == 0 && !b->is_broken)
        return OK_RESULT;
    while (!b->is_broken && done < b->waiting_count) {
        ssize_t n = write(b->fd, b->waiting + done, b->waiting_count - done);
        if (n > 0)
            done += (size_t)n;
        else if (n == 0 || errno != EINTR)
            b->is_broken = true;
    }
    if (!b->is_broken && fdatasync(b->fd) != 0)
        b->is_broken = true;
    b->waiting_count = 0;
    b->syncs++;
    if (b->is_broken)
        return FAIL(tr, IO,
                    "venue ledger %s: cannot be written: %s; nothing is acknowledged any more",
                    b->path, strerror(errno));
    return OK_RESULT;
}

uint64_t booklog_lines(const struct booklog *b)
{
    return b->lines;
}

uint64_t booklog_syncs(const struct booklog *b)
{
    return b->syncs;
}
