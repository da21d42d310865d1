/* SPDX-License-Identifier: Apache-2.0
 *
 * Signatures are compared in constant time over their whole length, and an unknown key takes the
 * same road as a wrong signature: neither the time nor the words tell which it was.
 */
#include "house/callers.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include "base/must.h"

#define SECOND_NS 1000000000ll
enum { WINDOW_MS = 5000, FILE_MAX = 4096, BAN_DOUBLINGS = 6 };

/* ---- the file ---- */
static struct result read_private(const char *path, char out[FILE_MAX + 1], struct trail *tr)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return FAIL(tr, NOT_FOUND, "keys %s: cannot be opened: %s; check the path", path,
                    strerror(errno));
    ssize_t n = fstat(fd, &st) == 0 ? read(fd, out, FILE_MAX) : -1;
    close(fd);
    if (n < 0)
        return FAIL(tr, IO, "keys %s: cannot be read: %s", path, strerror(errno));
    if ((st.st_mode & 077) != 0)
        return FAIL(tr, NOT_PERMITTED, "keys %s: others may read it; chmod 600 it", path);
    out[n] = '\0';
    return OK_RESULT;
}

static struct result add_line(struct callers *c, const char *path, uint32_t number, char *line,
                              struct trail *tr)
{
    char *rest = NULL;
    const char *name = strtok_r(line, " \t\r", &rest);
    if (name == NULL || name[0] == '#')
        return OK_RESULT;
    const char *secret = strtok_r(NULL, " \t\r", &rest);
    if (secret == NULL || strtok_r(NULL, " \t\r", &rest) != NULL ||
        strlen(name) >= CALLERS_NAME_BYTES || strlen(secret) >= CALLERS_SECRET_BYTES)
        return FAIL(tr, SYNTAX, "keys %s:%u: not KEY SECRET (at most 31 and 127 characters)", path,
                    number);
    for (uint32_t i = 0; i < c->count; i++) {
        if (strcmp(c->at[i].name, name) == 0)
            return FAIL(tr, DUPLICATE, "keys %s:%u: key %s is there twice; give it once", path,
                        number, name);
    }
    if (c->count == CALLERS_MAX)
        return FAIL(tr, FULL, "keys %s:%u: more than %d keys; use fewer", path, number,
                    CALLERS_MAX);
    struct caller *k = &c->at[c->count++];
    memset(k, 0, sizeof *k);
    memcpy(k->name, name, strlen(name));
    memcpy(k->secret, secret, strlen(secret));
    k->milli = CALLERS_BURST * 1000ll;
    k->filled_ns = INT64_MIN;
    k->banned_until_ns = INT64_MIN;
    return OK_RESULT;
}

struct result callers_read(const char *path, struct callers *out, struct trail *tr)
{
    char text[FILE_MAX + 1];
    char *rest = NULL;
    uint32_t number = 1;
    memset(out, 0, sizeof *out);
    TRY(read_private(path, text, tr));
    struct result r = OK_RESULT;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL && is_ok(r); number++) {
        r = add_line(out, path, number, line, tr);
        line = strtok_r(NULL, "\n", &rest);
    }
    OPENSSL_cleanse(text, sizeof text);
    if (is_ok(r) && out->count == 0)
        return FAIL(tr, MISSING, "keys %s: holds no key; add a line KEY SECRET", path);
    return r;
}

/* ---- signatures ---- */
void callers_sign(const char *secret, const struct callers_text *t, char out[CALLERS_SIGN_BYTES])
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned count = 0;
    size_t time = strlen(t->time), method = strlen(t->method), path = strlen(t->path);
    size_t total = time + method + path + t->body_count;
    char *all = malloc(total + 1);
    must(all != NULL);
    memcpy(all, t->time, time);
    memcpy(all + time, t->method, method);
    memcpy(all + time + method, t->path, path);
    if (t->body_count > 0)
        memcpy(all + time + method + path, t->body, t->body_count);
    must(HMAC(EVP_sha256(), secret, (int)strlen(secret), (const uint8_t *)all, total, digest,
              &count) != NULL);
    free(all);
    must(count == 32);
    for (unsigned i = 0; i < count; i++)
        snprintf(out + (size_t)2 * i, 3, "%02x", digest[i]);
}

static bool is_in_time(const char *text, int64_t wall_ns)
{
    char *end = NULL;
    if (text[0] < '0' || text[0] > '9' || strlen(text) > 15)
        return false;
    int64_t ms = strtoll(text, &end, 10);
    int64_t off = ms - wall_ns / 1000000;
    return *end == '\0' && off <= WINDOW_MS && off >= -WINDOW_MS;
}

enum callers_verdict callers_check(const struct callers *c, const char *key, const char *sign,
                                   const struct callers_text *t, int64_t wall_ns, uint32_t *caller)
{
    const struct caller *k = NULL;
    char want[CALLERS_SIGN_BYTES];
    *caller = CALLERS_NONE;
    for (uint32_t i = 0; i < c->count; i++) {
        if (strcmp(c->at[i].name, key) == 0)
            k = &c->at[i];
    }
    callers_sign(k != NULL ? k->secret : "nobody", t, want);
    bool is_same = strlen(sign) == CALLERS_SIGN_BYTES - 1 &&
                   CRYPTO_memcmp(sign, want, CALLERS_SIGN_BYTES - 1) == 0;
    if (k == NULL || !is_same)
        return CALLERS_BAD_SIGN;
    if (!is_in_time(t->time, wall_ns))
        return CALLERS_BAD_TIME;
    *caller = (uint32_t)(k - c->at) + 1;
    return CALLERS_GOOD;
}

/* ---- budgets ---- */
static void fill(struct caller *k, int64_t mono_ns)
{
    if (k->filled_ns == INT64_MIN)
        k->filled_ns = mono_ns;
    int64_t ns = mono_ns - k->filled_ns;
    if (ns > CALLERS_BURST / CALLERS_REFILL * SECOND_NS + SECOND_NS)
        ns = CALLERS_BURST / CALLERS_REFILL * SECOND_NS + SECOND_NS;
    int64_t milli = ns / (1000000 / CALLERS_REFILL);
    k->filled_ns = mono_ns - ns % (1000000 / CALLERS_REFILL);
    k->milli += milli;
    if (k->milli > CALLERS_BURST * 1000ll)
        k->milli = CALLERS_BURST * 1000ll;
}

static int wait_s(int64_t ns)
{
    return (int)((ns + SECOND_NS - 1) / SECOND_NS);
}

void callers_ban(struct callers *c, uint32_t caller, int64_t mono_ns, int64_t seconds)
{
    must(caller >= 1 && caller <= c->count);
    c->at[caller - 1].banned_until_ns = mono_ns + seconds * SECOND_NS;
}

int callers_weigh(struct callers *c, uint32_t caller, uint32_t weight, int64_t mono_ns,
                  int *retry_s)
{
    must(caller >= 1 && caller <= c->count && weight <= CALLERS_BURST);
    struct caller *k = &c->at[caller - 1];
    *retry_s = 0;
    if (mono_ns < k->banned_until_ns) {
        *retry_s = wait_s(k->banned_until_ns - mono_ns);
        return 418;
    }
    fill(k, mono_ns);
    if (k->milli >= weight * 1000ll) {
        k->milli -= weight * 1000ll;
        k->over = 0;
        return 0;
    }
    if (++k->over > CALLERS_PATIENCE) {
        uint32_t doublings = k->bans < BAN_DOUBLINGS ? k->bans : BAN_DOUBLINGS;
        *retry_s = CALLERS_BAN_S << doublings;
        callers_ban(c, caller, mono_ns, *retry_s);
        k->bans++;
        k->over = 0;
        return 418;
    }
    *retry_s = wait_s((weight * 1000ll - k->milli) * (1000000 / CALLERS_REFILL));
    return 429;
}
