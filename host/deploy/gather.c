/* SPDX-License-Identifier: Apache-2.0
 *
 * See gather.h. Each file is opened once without following a link and read from that one open, so
 * what was shown, sent and hashed are the same bytes. Signature files are found by name and sorted,
 * because a folder lists its entries in no order and the host numbers signatures as they come. A
 * signature file is read up to one byte past the largest that could be one: the parser then says
 * that it is too large, with the sentence it has for that.
 */
#include "deploy/gather.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/must.h"
#include "deploy/sign.h"

#define SUFFIX ".minisig"
enum { GATHER_PATH_BYTES = 4096 };

static struct result refuse_open(const char *path, int error, struct trail *tr)
{
    if (error == ENOENT || error == ENOTDIR)
        return FAIL(tr, NOT_FOUND, "%.200s: there is no such file; check the path", path);
    if (error == ELOOP)
        return FAIL(tr, CONFIG,
                    "%.200s: is a symbolic link; name the file itself, links are not followed",
                    path);
    if (error == EACCES || error == EPERM)
        return FAIL(tr, NOT_PERMITTED,
                    "%.200s: may not be read by this user; change its owner or mode", path);
    return FAIL(tr, IO, "%.200s: cannot be opened (%s); check the path", path,
                strerrordesc_np(error));
}

/* Up to `most` bytes; gives how many, -1 with errno. */
static ssize_t read_some(int fd, char *to, size_t most)
{
    size_t have = 0;
    while (have < most) {
        ssize_t got = read(fd, to + have, most - have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        have += (size_t)got;
    }
    return (ssize_t)have;
}

/* The first `most` bytes of a regular file. */
static struct result take(const char *path, size_t most, struct bundle_part *part, struct trail *tr)
{
    struct result r = OK_RESULT;
    struct stat st;
    ssize_t count;
    char *bytes = malloc(most);
    must(bytes != NULL);
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        r = refuse_open(path, errno, tr);
    } else if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        r = FAIL(tr, CONFIG,
                 "%.200s: is not a regular file; name a file, not a folder, pipe or device", path);
    } else if ((count = read_some(fd, bytes, most)) < 0) {
        r = FAIL(tr, IO, "%.200s: cannot be read (%s); check the disk", path,
                 strerrordesc_np(errno));
    } else {
        bundle_set(part, path, bytes, (size_t)count);
    }
    if (fd >= 0)
        close(fd);
    free(bytes);
    return r;
}

/* name is of the file itself, or of the file and somebody's name in between. */
static bool is_signature_of(const char *name, const char *file)
{
    size_t n = strlen(file), all = strlen(name), suffix = strlen(SUFFIX);
    if (all < n + suffix || strncmp(name, file, n) != 0 || strcmp(name + all - suffix, SUFFIX) != 0)
        return false;
    return all == n + suffix || (name[n] == '.' && all > n + 1 + suffix);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

struct found {
    char *name[BUNDLE_SIGNATURES_MAX];
    size_t count;
    size_t all; /* with those that did not fit */
};

static struct result find(const char *dir, const char *file, struct found *out, struct trail *tr)
{
    DIR *d = opendir(dir);
    if (d == NULL)
        return refuse_open(dir, errno, tr);
    const struct dirent *e;
    while ((e = readdir(d)) != NULL) {
        if (!is_signature_of(e->d_name, file) || out->all++ >= BUNDLE_SIGNATURES_MAX)
            continue;
        out->name[out->count] = strdup(e->d_name);
        must(out->name[out->count] != NULL);
        out->count++;
    }
    closedir(d);
    if (out->all > BUNDLE_SIGNATURES_MAX)
        return FAIL(tr, FULL,
                    "%.120s has %zu signature files beside it and at most %d are taken; remove "
                    "those that do not belong to it",
                    file, out->all, (int)BUNDLE_SIGNATURES_MAX);
    qsort(out->name, out->count, sizeof(out->name[0]), by_name);
    return OK_RESULT;
}

static struct result take_signatures(const char *path, struct bundle *b, struct trail *tr)
{
    char dir[GATHER_PATH_BYTES], full[GATHER_PATH_BYTES];
    struct found found = {.count = 0};
    const char *slash = strrchr(path, '/');
    const char *file = slash != NULL ? slash + 1 : path;
    int n = slash != NULL ? (int)(slash - path) : 0;
    snprintf(dir, sizeof(dir), "%.*s%s", n, path, slash == NULL ? "." : n == 0 ? "/" : "");
    struct result r = find(dir, file, &found, tr);
    for (size_t i = 0; i < found.count; i++) {
        int need = snprintf(full, sizeof(full), "%s/%s", dir, found.name[i]);
        if (is_ok(r) && (size_t)need >= sizeof(full))
            r = FAIL(tr, TOO_LARGE,
                     "%.120s...: the path is longer than %d bytes; use a shorter one", full,
                     GATHER_PATH_BYTES - 1);
        if (is_ok(r))
            r = take(full, SIGN_FILE_BYTES + 1, &b->signature[b->signature_count], tr);
        if (is_ok(r))
            b->signature_count++;
        free(found.name[i]);
    }
    return r;
}

struct result gather_file(const char *path, struct bundle **out, struct trail *tr)
{
    *out = NULL;
    struct bundle *b = bundle_new();
    struct result r = take(path, GATHER_FILE_BYTES + 1, &b->file, tr);
    if (is_ok(r) && b->file.count > GATHER_FILE_BYTES)
        r = FAIL(tr, TOO_LARGE, "%.200s: is larger than %d bytes and was not read; make it smaller",
                 path, (int)GATHER_FILE_BYTES);
    if (is_ok(r))
        *out = b;
    else
        bundle_free(b);
    return r;
}

struct result gather(const char *path, struct bundle **out, struct trail *tr)
{
    TRY(gather_file(path, out, tr));
    struct result r = take_signatures(path, *out, tr);
    if (!is_ok(r)) {
        bundle_free(*out);
        *out = NULL;
    }
    return r;
}
