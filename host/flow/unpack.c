/* SPDX-License-Identifier: Apache-2.0
 *
 * The file is read twice: once to hash it, so that the journal can name the data set before its
 * first row is used, and once to unpack it, hashing again; the two must agree at the end. One pass
 * would name the data set only after it had been acted on.
 *
 * Both packers are streamed through one input buffer. A file may hold several gzip members or zstd
 * frames one after the other. The ratio is looked at only past 64 MiB: long runs of equal rows are
 * honest and compress a hundredfold.
 */
#include "flow/unpack.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include "base/hash.h"
#include "base/must.h"

enum { INPUT_BYTES = 128 * 1024, PATH_MAX_BYTES = 511, RATIO_MAX = 250, WINDOW_LOG_MAX = 27 };
static const uint64_t size_max = 8ull << 30;
static const uint64_t ratio_from = 64ull << 20;

enum form { FORM_UNSET = 0, FORM_PLAIN, FORM_GZIP, FORM_ZSTD };

struct unpack {
    int fd;
    enum form form;
    bool at_end;     /* of the file */
    bool is_checked; /* the end was reached and found good */
    bool in_stream;  /* inside a member or frame */
    uint64_t bytes_max, given, taken;
    size_t used, filled; /* of input */
    z_stream gzip;
    bool has_gzip;
    ZSTD_DStream *zstd;
    struct hash_sha256 *hash;
    uint8_t sha256[HASH_SHA256_BYTES];
    char path[PATH_MAX_BYTES + 1];
    uint8_t input[INPUT_BYTES];
};

/* ---- open ---- */
static struct result check_path(const char *path, struct trail *tr)
{
    size_t n = strnlen(path, PATH_MAX_BYTES + 1);
    if (n == 0)
        return FAIL(tr, USAGE, "data file: the path is empty; give the path of a file");
    if (n > PATH_MAX_BYTES)
        return FAIL(tr, USAGE,
                    "data file: the path is longer than %d bytes; move the file to a shorter path",
                    PATH_MAX_BYTES);
    if (strcmp(path, "-") == 0)
        return FAIL(tr, USAGE,
                    "data file: '-' (standard input) is not taken, since a data set is named by "
                    "its hash before it is used; write it to a file first");
    return OK_RESULT;
}

static const char *type_name(mode_t mode)
{
    if (S_ISDIR(mode))
        return "a folder";
    if (S_ISFIFO(mode))
        return "a pipe";
    if (S_ISCHR(mode) || S_ISBLK(mode))
        return "a device";
    return "not a regular file";
}

/* Opens a regular file; O_NONBLOCK so that a pipe answers instead of waiting for a writer. */
static struct result open_file(const char *path, int *fd, struct trail *tr)
{
    char shown[128];
    text_escape(shown, sizeof shown, path, strlen(path));
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (*fd < 0 && errno == ELOOP)
        return FAIL(tr, NOT_FOUND, "data file %s: it is a symbolic link; give the file itself",
                    shown);
    if (*fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return FAIL(tr, NOT_FOUND, "data file %s: there is no such file; check the path", shown);
    if (*fd < 0)
        return FAIL(tr, IO, "data file %s: cannot be opened (%s); check its permissions", shown,
                    strerrordesc_np(errno));
    struct stat st;
    if (fstat(*fd, &st) != 0)
        return FAIL(tr, IO, "data file %s: cannot be examined (%s)", shown, strerrordesc_np(errno));
    if (!S_ISREG(st.st_mode))
        return FAIL(tr, USAGE, "data file %s: it is %s; give a regular file", shown,
                    type_name(st.st_mode));
    if (st.st_size == 0)
        return FAIL(tr, SYNTAX, "data file %s: it is empty; give a file with a header and rows",
                    shown);
    return OK_RESULT;
}

static struct result fill_input(struct unpack *u, struct trail *tr)
{
    if (u->used < u->filled || u->at_end)
        return OK_RESULT;
    ssize_t n;
    do {
        n = read(u->fd, u->input, sizeof u->input);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return FAIL(tr, IO, "data file %s: reading failed (%s); check the disk", u->path,
                    strerrordesc_np(errno));
    u->used = 0;
    u->filled = (size_t)n;
    u->taken += (uint64_t)n;
    u->at_end = n == 0;
    hash_sha256_add(u->hash, u->input, (size_t)n);
    return OK_RESULT;
}

static struct result begin(struct unpack *u, struct trail *tr)
{
    static const uint8_t gzip_magic[2] = {0x1f, 0x8b};
    static const uint8_t zstd_magic[4] = {0x28, 0xb5, 0x2f, 0xfd};
    TRY(hash_sha256_new(&u->hash));
    hash_sha256_begin(u->hash);
    TRY(fill_input(u, tr));
    u->form = FORM_PLAIN;
    if (u->filled >= sizeof gzip_magic && memcmp(u->input, gzip_magic, sizeof gzip_magic) == 0)
        u->form = FORM_GZIP;
    if (u->filled >= sizeof zstd_magic && memcmp(u->input, zstd_magic, sizeof zstd_magic) == 0)
        u->form = FORM_ZSTD;
    if (u->form == FORM_GZIP) {
        if (inflateInit2(&u->gzip, 15 + 16) != Z_OK)
            return FAIL(tr, IO, "data file %s: no memory to unpack gzip", u->path);
        u->has_gzip = true;
    }
    if (u->form == FORM_ZSTD) {
        u->zstd = ZSTD_createDStream();
        if (u->zstd == NULL)
            return FAIL(tr, IO, "data file %s: no memory to unpack zstd", u->path);
        ZSTD_DCtx_setParameter(u->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
    }
    return OK_RESULT;
}

struct result unpack_open(const char *path, uint64_t bytes_max, struct unpack **out,
                          struct trail *tr)
{
    *out = NULL;
    TRY(check_path(path, tr));
    struct unpack *u = calloc(1, sizeof *u);
    if (u == NULL)
        return FAIL(tr, IO, "data file: no memory to open it");
    u->fd = -1;
    text_escape(u->path, 128, path, strlen(path));
    u->bytes_max = bytes_max == 0 || bytes_max > size_max ? size_max : bytes_max;
    struct result r = open_file(path, &u->fd, tr);
    if (!is_ok(r))
        goto out;
    uint64_t bytes;
    r = hash_sha256_fd(u->fd, u->sha256, &bytes);
    if (is_ok(r) && lseek(u->fd, 0, SEEK_SET) != 0)
        r = FAIL(tr, IO, "data file %s: cannot be read twice (%s)", u->path,
                 strerrordesc_np(errno));
    if (is_ok(r))
        r = begin(u, tr);
out:
    if (is_ok(r))
        *out = u;
    else
        unpack_close(u);
    return r;
}

void unpack_close(struct unpack *u)
{
    if (u == NULL)
        return;
    if (u->fd >= 0)
        close(u->fd);
    if (u->has_gzip)
        inflateEnd(&u->gzip);
    ZSTD_freeDStream(u->zstd);
    hash_sha256_free(u->hash);
    free(u);
}

/* ---- read ---- */
static struct result damaged(const struct unpack *u, const char *form, const char *why,
                             struct trail *tr)
{
    return FAIL(tr, CORRUPT,
                "data file %s: the %s data is damaged near byte %llu (%s); fetch it again", u->path,
                form, (unsigned long long)(u->taken - (u->filled - u->used)), why);
}

static struct result step_gzip(struct unpack *u, uint8_t *out, size_t room, size_t *count,
                               struct trail *tr)
{
    if (!u->in_stream && u->filled > u->used && inflateReset(&u->gzip) != Z_OK)
        return damaged(u, "gzip", "cannot begin", tr);
    if (u->filled > u->used)
        u->in_stream = true;
    u->gzip.next_in = u->input + u->used;
    u->gzip.avail_in = (uInt)(u->filled - u->used);
    u->gzip.next_out = out;
    u->gzip.avail_out = (uInt)room;
    int rc = inflate(&u->gzip, Z_NO_FLUSH);
    u->used = u->filled - u->gzip.avail_in;
    *count = room - u->gzip.avail_out;
    if (rc == Z_STREAM_END)
        u->in_stream = false;
    else if (rc != Z_OK && rc != Z_BUF_ERROR)
        return damaged(u, "gzip", u->gzip.msg != NULL ? u->gzip.msg : "unknown form", tr);
    return OK_RESULT;
}

static struct result step_zstd(struct unpack *u, uint8_t *out, size_t room, size_t *count,
                               struct trail *tr)
{
    ZSTD_inBuffer in = {u->input, u->filled, u->used};
    ZSTD_outBuffer to = {out, room, 0};
    size_t rc = ZSTD_decompressStream(u->zstd, &to, &in);
    if (ZSTD_isError(rc))
        return damaged(u, "zstd", ZSTD_getErrorName(rc), tr);
    /* 0 = a frame has ended and is flushed; else more is to come, now or later. */
    if (in.pos > u->used || to.pos > 0)
        u->in_stream = rc != 0;
    u->used = in.pos;
    *count = to.pos;
    return OK_RESULT;
}

static void step_plain(struct unpack *u, uint8_t *out, size_t room, size_t *count)
{
    size_t n = u->filled - u->used < room ? u->filled - u->used : room;
    memcpy(out, u->input + u->used, n);
    u->used += n;
    *count = n;
}

static struct result check_caps(const struct unpack *u, struct trail *tr)
{
    if (u->given > u->bytes_max)
        return FAIL(tr, TOO_LARGE,
                    "data file %s: it unpacks to more than %llu bytes; split it into smaller files",
                    u->path, (unsigned long long)u->bytes_max);
    if (u->form != FORM_PLAIN && u->given > ratio_from && u->given / RATIO_MAX > u->taken)
        return FAIL(tr, TOO_LARGE,
                    "data file %s: it unpacks to more than %d times its size, which no market data "
                    "does; check where it comes from",
                    u->path, RATIO_MAX);
    return OK_RESULT;
}

static struct result check_end(struct unpack *u, struct trail *tr)
{
    if (u->is_checked)
        return OK_RESULT;
    if (u->in_stream)
        return FAIL(tr, CORRUPT,
                    "data file %s: it ends in the middle of its compressed data; fetch it again",
                    u->path);
    uint8_t again[HASH_SHA256_BYTES];
    hash_sha256_end(u->hash, again);
    if (memcmp(again, u->sha256, sizeof again) != 0)
        return FAIL(tr, CORRUPT,
                    "data file %s: it changed while it was read; run again when it is complete",
                    u->path);
    u->is_checked = true;
    return OK_RESULT;
}

struct result unpack_read(struct unpack *u, uint8_t *out, size_t room, size_t *count,
                          struct trail *tr)
{
    must(room > 0);
    *count = 0;
    struct result r = OK_RESULT;
    while (is_ok(r) && *count == 0) {
        r = fill_input(u, tr);
        if (!is_ok(r))
            break;
        if (u->form == FORM_GZIP)
            r = step_gzip(u, out, room, count, tr);
        else if (u->form == FORM_ZSTD)
            r = step_zstd(u, out, room, count, tr);
        else
            step_plain(u, out, room, count);
        if (is_ok(r) && *count == 0 && u->at_end && u->used == u->filled)
            return check_end(u, tr);
    }
    u->given += *count;
    return is_ok(r) ? check_caps(u, tr) : r;
}

const uint8_t *unpack_sha256(const struct unpack *u)
{
    return u->sha256;
}

uint64_t unpack_bytes(const struct unpack *u)
{
    return u->given;
}
