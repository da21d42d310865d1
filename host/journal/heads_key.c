/* SPDX-License-Identifier: Apache-2.0
 *
 * Ed25519 for the heads. The key is unencrypted PKCS#8, because the host must start without a
 * person; it protects against those who can write the journal and the heads, not against those
 * who can read this host's secrets. Hence 0600, checked at each start, and host.pub to be kept on
 * another machine.
 *
 * The key is written under another name and renamed, so that a half-written key is never found.
 * It is not made anew while signed heads exist: that would make all of them worthless silently.
 */
#include "journal/heads_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/pem.h>

#include "journal/disk.h"

enum { NAME_BYTES = PATH_MAX + 32 };

static struct result read_key(int fd, const char *path, EVP_PKEY **out, struct trail *tr)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return FAIL(tr, IO, "the host key %s is not a plain file", path);
    if (st.st_mode & 077)
        return FAIL(tr, NOT_PERMITTED,
                    "the host key %s can be read by others (mode %03o): run chmod 600 on it, and "
                    "make a new one if others had access",
                    path, (unsigned)(st.st_mode & 0777));
    FILE *f = fdopen(dup(fd), "r");
    if (!f)
        return FAIL(tr, IO, "the host key %s cannot be read: %s", path, strerror(errno));
    *out = PEM_read_PrivateKey(f, NULL, NULL, NULL);
    fclose(f);
    if (*out && EVP_PKEY_is_a(*out, "ED25519"))
        return OK_RESULT;
    EVP_PKEY_free(*out);
    *out = NULL;
    return FAIL(tr, CORRUPT, "the host key %s is not an Ed25519 key in PKCS#8: restore it", path);
}

static struct result write_pem(const char *dir, const char *name, mode_t mode, EVP_PKEY *key,
                               bool secret, struct trail *tr)
{
    char path[NAME_BYTES], temporary[NAME_BYTES];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    snprintf(temporary, sizeof temporary, "%s/.%s.new", dir, name);
    unlink(temporary);
    const int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return FAIL(tr, IO, "the key %s cannot be made: %s", temporary, strerror(errno));
    FILE *f = fdopen(fd, "w");
    if (!f) {
        close(fd);
        return FAIL(tr, IO, "the key %s cannot be written: %s", temporary, strerror(errno));
    }
    bool good = secret ? PEM_write_PKCS8PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1
                       : PEM_write_PUBKEY(f, key) == 1;
    good = good && fflush(f) == 0 && fsync(fd) == 0;
    good = fclose(f) == 0 && good;
    if (!good || rename(temporary, path) != 0) {
        unlink(temporary);
        return FAIL(tr, DISK_FULL, "the key %s cannot be written: %s; free space, then restart",
                    path, strerror(errno));
    }
    return disk_sync_dir(dir, tr);
}

static struct result make_key(const char *dir, EVP_PKEY **out, struct trail *tr)
{
    char path[NAME_BYTES];
    struct stat st;
    snprintf(path, sizeof path, "%s/heads.signed", dir);
    if (stat(path, &st) == 0 && st.st_size > 0)
        return FAIL(tr, MISSING,
                    "%s/host.key is gone but %s was signed with it: restore host.key, or move the "
                    "heads folder away to start without heads",
                    dir, path);
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    if (!key)
        return FAIL(tr, IO, "OpenSSL cannot make an Ed25519 key for %s", dir);
    struct result r = write_pem(dir, "host.pub", 0644, key, false, tr);
    if (is_ok(r))
        r = write_pem(dir, "host.key", 0600, key, true, tr);
    if (is_ok(r))
        *out = key;
    else
        EVP_PKEY_free(key);
    return r;
}

struct result heads_key_open(const char *dir, bool make, EVP_PKEY **out, struct trail *tr)
{
    char path[NAME_BYTES];
    snprintf(path, sizeof path, "%s/host.key", dir);
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT && make)
        return make_key(dir, out, tr);
    if (fd < 0)
        return FAIL(tr, IO, "the host key %s cannot be opened: %s", path, strerror(errno));
    struct result r = read_key(fd, path, out, tr);
    close(fd);
    return r;
}

bool heads_key_sign(EVP_PKEY *key, const void *bytes, size_t count, uint8_t signature[64])
{
    size_t n = 64;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const bool good = ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
                      EVP_DigestSign(ctx, signature, &n, bytes, count) == 1 && n == 64;
    EVP_MD_CTX_free(ctx);
    return good;
}

bool heads_key_verify(EVP_PKEY *key, const void *bytes, size_t count, const uint8_t signature[64])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const bool good = ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
                      EVP_DigestVerify(ctx, signature, 64, bytes, count) == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}
