/* SPDX-License-Identifier: Apache-2.0
 *
 * The names and fields in their locked memory, and the bytes of the file. See secret.h; the cipher
 * is in secret_seal.c, the file in secret_file.c.
 *
 * The salt stays for the file's life, so that a running egress can read a changed file with the key
 * it holds and never needs the password twice; each writing draws a new nonce of 96 bits, which do
 * not come twice in as many writings as people ever make.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include "egress/secret_priv.h"
#include "base/clock.h"
#include "base/must.h"

static_assert(sizeof(struct secret_head) == 64, "secret_head layout");
static_assert(sizeof(struct secret_clear) == 40, "secret_clear layout");

/* ---- the memory ---- */
static struct result make(struct secrets **out, struct trail *tr)
{
    struct secrets *s =
        mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *out = NULL;
    if (s == MAP_FAILED)
        return FAIL(tr, FULL, "no memory for secrets: %s", strerrordesc_np(errno));
    if (mlock(s, sizeof *s) != 0) {
        int e = errno;
        munmap(s, sizeof *s);
        return FAIL(tr, NOT_PERMITTED,
                    "the memory for secrets cannot be kept out of swap (%s); raise ulimit -l to "
                    "%zu KiB",
                    strerrordesc_np(e), sizeof *s / 1024 + 1);
    }
    (void)madvise(s, sizeof *s, MADV_DONTDUMP);
    (void)madvise(s, sizeof *s, MADV_DONTFORK);
    *out = s;
    return OK_RESULT;
}

void secret_free(struct secrets *s)
{
    if (s == NULL)
        return;
    secret_wipe(s, sizeof *s);
    munmap(s, sizeof *s);
}

struct result secret_new(const char *password, uint32_t log2_n, struct secrets **out,
                         struct trail *tr)
{
    TRY(make(out, tr));
    struct secrets *s = *out;
    s->head = (struct secret_head){.magic = SECRET_MAGIC,
                                   .version = SECRET_VERSION,
                                   .head_bytes = sizeof s->head,
                                   .log2_n = log2_n ? log2_n : SECRET_LOG2_N,
                                   .r = 8,
                                   .p = 1};
    struct result r = rng_entropy(s->head.salt, sizeof s->head.salt);
    if (is_ok(r))
        r = secret_derive(&s->head, password, s->key, tr);
    if (!is_ok(r)) {
        secret_free(s);
        *out = NULL;
    }
    return r;
}

/* ---- entries ---- */
bool secret_is_name(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-");
    return n > 0 && n < SECRET_NAME_BYTES && name[n] == 0 && name[0] != '-';
}

static bool is_kind(uint32_t kind)
{
    return kind == SECRET_SIMULATED || kind == SECRET_LIVE;
}

const char *secret_kind_text(uint32_t kind)
{
    return kind == SECRET_LIVE ? "live" : "simulated";
}

uint32_t secret_count(const struct secrets *s)
{
    return s->head.count;
}

const char *secret_name(const struct secrets *s, uint32_t i)
{
    must(i < s->head.count);
    return s->entry[i].clear.name;
}

static int find(const struct secrets *s, const char *name)
{
    for (uint32_t i = 0; i < s->head.count; i++) {
        if (strcmp(s->entry[i].clear.name, name) == 0)
            return (int)i;
    }
    return -1;
}

enum secret_kind secret_kind_of(const struct secrets *s, const char *name)
{
    int i = find(s, name);
    return i < 0 ? SECRET_KIND_UNSET : (enum secret_kind)s->entry[i].clear.kind;
}

int32_t secret_get(const struct secrets *s, const char *name, uint32_t field, uint8_t *out,
                   size_t room)
{
    int i = find(s, name);
    if (i < 0 || field >= s->entry[i].field_count || s->entry[i].field[field].count > room)
        return -1;
    memcpy(out, s->entry[i].field[field].bytes, s->entry[i].field[field].count);
    return (int32_t)s->entry[i].field[field].count;
}

static struct result check_fields(const char *name, const struct secret_field *field,
                                  uint32_t field_count, struct trail *tr)
{
    if (!secret_is_name(name))
        return FAIL(tr, SYNTAX,
                    "'%.60s' is no name of a secret: small letters, digits, _ and -, at most %d",
                    name, SECRET_NAME_BYTES - 1);
    if (field_count == 0 || field_count > SECRET_FIELDS_MAX)
        return FAIL(tr, MISSING, "a secret has 1 to %d fields, each a line", SECRET_FIELDS_MAX);
    for (uint32_t k = 0; k < field_count; k++)
        if (field[k].count == 0 || field[k].count > SECRET_FIELD_BYTES)
            return FAIL(tr, RANGE, "field %u of secret %s has %u bytes; 1 to %d are possible",
                        k + 1, name, field[k].count, SECRET_FIELD_BYTES);
    return OK_RESULT;
}

static void write_entry(struct secret_entry *e, const char *name, enum secret_kind kind,
                        const struct secret_field *field, uint32_t field_count)
{
    secret_wipe(e, sizeof *e);
    strcpy(e->clear.name, name);
    e->clear.kind = kind;
    e->field_count = field_count;
    memcpy(e->field, field, field_count * sizeof *field);
}

struct result secret_add(struct secrets *s, const char *name, enum secret_kind kind,
                         const struct secret_field *field, uint32_t field_count, struct trail *tr)
{
    must(is_kind(kind));
    TRY(check_fields(name, field, field_count, tr));
    if (find(s, name) >= 0)
        return FAIL(tr, DUPLICATE, "secret %s exists already; change it with tenon secret rotate",
                    name);
    if (s->head.count == SECRET_NAMES_MAX)
        return FAIL(tr, FULL, "there are %d secrets, which is all that fit; remove one",
                    SECRET_NAMES_MAX);
    write_entry(&s->entry[s->head.count++], name, kind, field, field_count);
    return OK_RESULT;
}

struct result secret_rotate(struct secrets *s, const char *name, const struct secret_field *field,
                            uint32_t field_count, struct trail *tr)
{
    int i = find(s, name);
    TRY(check_fields(name, field, field_count, tr));
    if (i < 0)
        return FAIL(tr, NOT_FOUND, "there is no secret %s; make it with tenon secret add", name);
    write_entry(&s->entry[i], name, (enum secret_kind)s->entry[i].clear.kind, field, field_count);
    return OK_RESULT;
}

struct result secret_remove(struct secrets *s, const char *name, struct trail *tr)
{
    int i = find(s, name);
    if (i < 0)
        return FAIL(tr, NOT_FOUND, "there is no secret %.60s; see tenon secret list", name);
    s->head.count--;
    memmove(&s->entry[i], &s->entry[i + 1], (s->head.count - (uint32_t)i) * sizeof *s->entry);
    secret_wipe(&s->entry[s->head.count], sizeof *s->entry);
    return OK_RESULT;
}

/* ---- bytes ---- */
static struct result check_head(const uint8_t *bytes, size_t count, const char *name,
                                struct secret_head *h, struct trail *tr)
{
    if (count < sizeof *h || memcmp(bytes, SECRET_MAGIC, sizeof h->magic) != 0)
        return FAIL(tr, SYNTAX, "%s: is no file of secrets; take the one tenon secret add wrote",
                    name);
    memcpy(h, bytes, sizeof *h);
    if (h->version != SECRET_VERSION || h->head_bytes != sizeof *h)
        return FAIL(tr, VERSION,
                    "%s: has format version %u, this program reads %d; move it away and add the "
                    "secrets again with tenon secret add",
                    name, h->version, SECRET_VERSION);
    if (h->log2_n < SECRET_LOG2_LEAST || h->log2_n > SECRET_LOG2_MOST || h->r != 8 || h->p != 1 ||
        h->count > SECRET_NAMES_MAX || h->reserved != 0 || h->body_bytes > SECRET_BODY_MAX ||
        count != secret_body_at(h) + h->body_bytes + SECRET_TAG_BYTES)
        return FAIL(tr, CORRUPT, "%s: was cut or damaged; restore it from a copy", name);
    return OK_RESULT;
}

static bool is_clear(const struct secret_clear *c)
{
    return c->name[SECRET_NAME_BYTES - 1] == 0 && secret_is_name(c->name) && is_kind(c->kind) &&
           c->reserved == 0;
}

/* The opened body into entries; false when it is not as long as it says. */
static bool unpack(struct secrets *s, const uint8_t *clear, const uint8_t *body)
{
    const uint8_t *end = body + s->head.body_bytes;
    memset(s->entry, 0, sizeof s->entry);
    for (uint32_t i = 0; i < s->head.count; i++) {
        struct secret_entry *e = &s->entry[i];
        memcpy(&e->clear, clear + i * sizeof e->clear, sizeof e->clear);
        if (!is_clear(&e->clear) || end - body < 4)
            return false;
        memcpy(&e->field_count, body, 4);
        body += 4;
        if (e->field_count == 0 || e->field_count > SECRET_FIELDS_MAX)
            return false;
        for (uint32_t k = 0; k < e->field_count; k++) {
            if (end - body < 4)
                return false;
            memcpy(&e->field[k].count, body, 4);
            body += 4;
            if (e->field[k].count > SECRET_FIELD_BYTES || e->field[k].count > end - body)
                return false;
            memcpy(e->field[k].bytes, body, e->field[k].count);
            body += e->field[k].count;
        }
    }
    return body == end;
}

/* The key is in s already. */
static struct result open_body(struct secrets *s, const struct secret_head *h, const uint8_t *bytes,
                               const char *name, struct trail *tr)
{
    struct secrets *next = NULL;
    TRY(make(&next, tr));
    next->head = *h;
    memcpy(next->key, s->key, sizeof s->key);
    struct result r = OK_RESULT;
    if (!secret_unlock(next, bytes, next->body))
        r = FAIL(tr, NOT_PERMITTED,
                 "%s: the password is wrong, or the file was altered; try again, "
                 "or restore it from a copy",
                 name);
    else if (!unpack(next, bytes + sizeof *h, next->body))
        r = FAIL(tr, CORRUPT, "%s: was sealed by a program that does not agree with this one",
                 name);
    secret_wipe(next->body, sizeof next->body);
    if (is_ok(r))
        memcpy(s, next, sizeof *s);
    secret_free(next);
    return r;
}

struct result secret_open(const void *bytes, size_t count, const char *password, const char *name,
                          struct secrets **out, struct trail *tr)
{
    struct secret_head h;
    *out = NULL;
    TRY(check_head(bytes, count, name, &h, tr));
    struct secrets *s = NULL;
    TRY(make(&s, tr));
    struct result r = secret_derive(&h, password, s->key, tr);
    if (is_ok(r))
        r = open_body(s, &h, bytes, name, tr);
    if (is_ok(r))
        *out = s;
    else
        secret_free(s);
    return r;
}

struct result secret_reload(struct secrets *s, const void *bytes, size_t count, const char *name,
                            struct trail *tr)
{
    struct secret_head h;
    TRY(check_head(bytes, count, name, &h, tr));
    if (memcmp(h.salt, s->head.salt, sizeof h.salt) != 0 || h.log2_n != s->head.log2_n)
        return FAIL(tr, STATE,
                    "%s: was made anew, under another key; restart tenon-egress with its password",
                    name);
    if (h.generation < s->head.generation)
        return FAIL(tr, STATE, "%s: is older (writing %lu) than what is in use (writing %lu)", name,
                    (unsigned long)h.generation, (unsigned long)s->head.generation);
    return open_body(s, &h, bytes, name, tr);
}

struct result secret_list(const void *bytes, size_t count, const char *name,
                          struct secret_clear out[SECRET_NAMES_MAX], uint32_t *out_count,
                          struct trail *tr)
{
    struct secret_head h;
    *out_count = 0;
    TRY(check_head(bytes, count, name, &h, tr));
    memcpy(out, (const uint8_t *)bytes + sizeof h, h.count * sizeof *out);
    for (uint32_t i = 0; i < h.count; i++) {
        if (!is_clear(&out[i]))
            return FAIL(tr, CORRUPT, "%s: was damaged; restore it from a copy", name);
    }
    *out_count = h.count;
    return OK_RESULT;
}

static size_t pack(struct secrets *s)
{
    size_t n = 0;
    for (uint32_t i = 0; i < s->head.count; i++) {
        const struct secret_entry *e = &s->entry[i];
        memcpy(s->body + n, &e->field_count, 4);
        n += 4;
        for (uint32_t k = 0; k < e->field_count; k++) {
            memcpy(s->body + n, &e->field[k].count, 4);
            memcpy(s->body + n + 4, e->field[k].bytes, e->field[k].count);
            n += 4 + e->field[k].count;
        }
    }
    return n;
}

struct result secret_seal(struct secrets *s, uint8_t **out, size_t *count, struct trail *tr)
{
    uint8_t nonce[SECRET_NONCE_BYTES];
    TRY(rng_entropy(nonce, sizeof nonce));
    s->head.body_bytes = (uint32_t)pack(s);
    s->head.generation++;
    *count = secret_body_at(&s->head) + s->head.body_bytes + SECRET_TAG_BYTES;
    *out = calloc(1, *count);
    must(*out != NULL);
    memcpy(*out, &s->head, sizeof s->head);
    for (uint32_t i = 0; i < s->head.count; i++)
        memcpy(*out + sizeof s->head + i * sizeof s->entry[i].clear, &s->entry[i].clear,
               sizeof s->entry[i].clear);
    memcpy(*out + secret_body_at(&s->head) - SECRET_NONCE_ROOM, nonce, sizeof nonce);
    struct result r = secret_lock(s, *out, tr);
    secret_wipe(s->body, sizeof s->body);
    if (!is_ok(r)) {
        free(*out);
        *out = NULL;
    }
    return r;
}
