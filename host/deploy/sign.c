/* SPDX-License-Identifier: Apache-2.0
 *
 * Signature files and public keys: text to bytes, bytes to text, and whether a signature holds. A
 * signature file comes from whoever wants something of this host, so the reader takes exactly one
 * form: four lines that end in a line feed, base64 in the one spelling that its bytes have, and a
 * trusted comment of printable ASCII, since it is shown to people. The tab is let in for the
 * comment that the stock tool writes by default. Line 1 is covered by no signature: it is neither
 * kept nor shown.
 *
 * Both signatures are checked, over the file and over the comment, always: a role that nothing
 * covers would be a wish of the last one who touched the file. Nothing here is secret, so nothing
 * needs constant time; that and the keys are in sign_secret.c.
 *
 * Eight points of the curve are refused as public keys: for them a signature can be made without
 * any secret, and OpenSSL, other than the stock tool's library, takes them.
 */
#include "deploy/sign.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include "base/base64.h"
#include "base/must.h"
#include "deploy/sign_priv.h"
#include "tbl/facts.h"

static_assert(sizeof((struct fact_signature *)0)->comment == SIGN_COMMENT_BYTES,
              "the journal keeps the whole comment");

/* What base64 holds: 2 bytes of algorithm, the key id, then a signature or a key. */
enum {
    HEAD_BYTES = 2 + SIGN_ID_BYTES,
    SIGNED_BYTES = HEAD_BYTES + SIGN_BYTES,
    PUBLIC_BYTES = HEAD_BYTES + SIGN_KEY_BYTES,
    PUBLIC_TEXT = BASE64_TEXT(PUBLIC_BYTES),
    BASE64_MAX = BASE64_TEXT(SIGNED_BYTES),
};
static const char untrusted[] = "untrusted comment: ";
static const char trusted[] = "trusted comment: ";

/* One line of a text, without its line feed. */
struct line {
    const char *text;
    size_t count;
};

/* False when no line feed ends it: a cut file has lost its last one at least. */
static bool take_line(const char **at, size_t *left, struct line *out)
{
    const char *end = *left > 0 ? memchr(*at, '\n', *left) : NULL;
    if (end == NULL)
        return false;
    out->text = *at;
    out->count = (size_t)(end - *at);
    *left -= out->count + 1;
    *at = end + 1;
    return true;
}

static bool begins(struct line l, const char *with)
{
    size_t n = strlen(with);
    return l.count >= n && memcmp(l.text, with, n) == 0;
}

/* Exactly `bytes` bytes in their one spelling. */
static bool decode(struct line l, uint8_t *out, size_t bytes)
{
    uint8_t raw[BASE64_ROOM(BASE64_MAX)];
    size_t have = 0;
    if (l.count > BASE64_MAX || !base64_parse(l.text, l.count, raw, &have) || have != bytes)
        return false;
    memcpy(out, raw, bytes);
    return true;
}

/* ---- signature files ---- */
static struct result not_one(struct trail *tr, const char *name, int line, const char *wanted)
{
    return FAIL(tr, SYNTAX,
                "%s:%d: is no signature file: %s is wanted there; take the file as tenon config "
                "sign or minisign wrote it",
                name, line, wanted);
}

bool sign_comment_is_good(const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if ((text[i] < ' ' && text[i] != '\t') || text[i] > '~')
            return false;
    return true;
}

static struct result parse_comment(struct line l, const char *name, struct sign_file *out,
                                   struct trail *tr)
{
    const size_t skip = sizeof trusted - 1;
    if (!begins(l, trusted))
        return not_one(tr, name, 3, "\"trusted comment: \"");
    if (l.count - skip >= SIGN_COMMENT_BYTES)
        return FAIL(
            tr, TOO_LARGE,
            "%s:3: its trusted comment has %zu characters, at most %d are taken; sign again "
            "with a shorter one",
            name, l.count - skip, SIGN_COMMENT_BYTES - 1);
    if (!sign_comment_is_good(l.text + skip, l.count - skip))
        return FAIL(tr, SYNTAX,
                    "%s:3: its trusted comment has bytes that are not printable ASCII; sign again "
                    "with a plain one",
                    name);
    memcpy(out->comment, l.text + skip, l.count - skip);
    return OK_RESULT;
}

static struct result parse_signature(struct line l, const char *name, struct sign_file *out,
                                     struct trail *tr)
{
    uint8_t raw[SIGNED_BYTES];
    if (!decode(l, raw, sizeof raw))
        return not_one(tr, name, 2, "a signature of 100 base64 characters");
    if (raw[0] != 'E' || (raw[1] != 'D' && raw[1] != 'd'))
        return not_one(tr, name, 2, "a signature made by Ed25519");
    out->is_hashed = raw[1] == 'D';
    memcpy(out->id, raw + 2, SIGN_ID_BYTES);
    memcpy(out->signature, raw + HEAD_BYTES, SIGN_BYTES);
    return OK_RESULT;
}

static struct result parse_lines(const char *at, size_t left, const char *name,
                                 struct sign_file *out, struct trail *tr)
{
    struct line l;
    if (!take_line(&at, &left, &l) || !begins(l, untrusted))
        return not_one(tr, name, 1, "\"untrusted comment: \"");
    if (!take_line(&at, &left, &l))
        return not_one(tr, name, 2, "a whole line");
    TRY(parse_signature(l, name, out, tr));
    if (!take_line(&at, &left, &l))
        return not_one(tr, name, 3, "a whole line");
    TRY(parse_comment(l, name, out, tr));
    if (!take_line(&at, &left, &l) || !decode(l, out->global, sizeof out->global))
        return not_one(tr, name, 4, "a signature of 88 base64 characters");
    if (left > 0)
        return not_one(tr, name, 5, "nothing more");
    return OK_RESULT;
}

struct result sign_parse(const char *text, size_t count, const char *name, struct sign_file *out,
                         struct trail *tr)
{
    struct sign_file made = {0};
    memset(out, 0, sizeof *out);
    if (count > SIGN_FILE_BYTES)
        return FAIL(tr, TOO_LARGE,
                    "%s: has %zu bytes, a signature file at most %d; take the file as tenon config "
                    "sign or minisign wrote it",
                    name, count, SIGN_FILE_BYTES);
    TRY(parse_lines(text, count, name, &made, tr));
    *out = made;
    return OK_RESULT;
}

/* Algorithm and id before whatever they stand before. */
static void put_head(uint8_t *raw, char second, const uint8_t id[SIGN_ID_BYTES])
{
    raw[0] = 'E';
    raw[1] = (uint8_t)second;
    memcpy(raw + 2, id, SIGN_ID_BYTES);
}

size_t sign_print(const struct sign_file *f, char out[SIGN_FILE_BYTES])
{
    uint8_t raw[SIGNED_BYTES];
    char first[BASE64_MAX + 1], second[BASE64_MAX + 1], id[SIGN_ID_TEXT];
    size_t comment = strnlen(f->comment, SIGN_COMMENT_BYTES);
    must(comment < SIGN_COMMENT_BYTES && sign_comment_is_good(f->comment, comment));
    put_head(raw, f->is_hashed ? 'D' : 'd', f->id);
    memcpy(raw + HEAD_BYTES, f->signature, SIGN_BYTES);
    base64_print(raw, sizeof raw, first);
    base64_print(f->global, SIGN_BYTES, second);
    sign_id_text(f->id, id);
    int n = snprintf(out, SIGN_FILE_BYTES, "%ssignature by key %s\n%s\n%s%s\n%s\n", untrusted, id,
                     first, trusted, f->comment, second);
    must(n > 0 && n < SIGN_FILE_BYTES);
    return (size_t)n;
}

/* ---- does it hold? ---- */
struct result sign_unable(struct trail *tr, const char *what)
{
    char why[160];
    ERR_error_string_n(ERR_peek_last_error(), why, sizeof why);
    ERR_clear_error();
    return FAIL(tr, IO, "OpenSSL cannot %s here (%s); check its configuration (openssl.cnf, FIPS)",
                what, why);
}

struct result sign_digest(const void *bytes, size_t count, uint8_t out[SIGN_BYTES],
                          struct trail *tr)
{
    unsigned n = 0;
    if (EVP_Digest(bytes, count, out, &n, EVP_blake2b512(), NULL) != 1)
        return sign_unable(tr, "hash with BLAKE2b-512");
    must(n == SIGN_BYTES);
    return OK_RESULT;
}

static struct result holds(const struct sign_public *key, const void *bytes, size_t count,
                           const uint8_t signature[SIGN_BYTES], bool *good, struct trail *tr)
{
    EVP_PKEY *k = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->key, SIGN_KEY_BYTES);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool able = k != NULL && ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, k) == 1;
    *good = able && EVP_DigestVerify(ctx, signature, SIGN_BYTES, bytes, count) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(k);
    if (!able)
        return sign_unable(tr, "check an Ed25519 signature");
    ERR_clear_error(); /* a bad signature leaves its reason in this thread's queue */
    return OK_RESULT;
}

struct result sign_verify(const struct sign_file *f, const struct sign_public *key,
                          const void *bytes, size_t count, const char *name, struct trail *tr)
{
    uint8_t digest[SIGN_BYTES], covered[SIGN_BYTES + SIGN_COMMENT_BYTES];
    char id[SIGN_ID_TEXT], other[SIGN_ID_TEXT];
    bool good = false;
    sign_id_text(key->id, id);
    sign_id_text(f->id, other);
    if (memcmp(f->id, key->id, SIGN_ID_BYTES) != 0)
        return FAIL(tr, SIGNATURE, "%s: was made by key %s, not by %s; have that key's owner sign",
                    name, other, id);
    TRY(sign_digest(bytes, count, digest, tr));
    TRY(f->is_hashed ? holds(key, digest, sizeof digest, f->signature, &good, tr)
                     : holds(key, bytes, count, f->signature, &good, tr));
    if (!good)
        return FAIL(tr, SIGNATURE,
                    "%s: is no signature of these bytes by key %s: the file was changed after it "
                    "was signed, or another file was signed; have this very file signed",
                    name, id);
    size_t comment = strnlen(f->comment, SIGN_COMMENT_BYTES);
    memcpy(covered, f->signature, SIGN_BYTES);
    memcpy(covered + SIGN_BYTES, f->comment, comment);
    TRY(holds(key, covered, SIGN_BYTES + comment, f->global, &good, tr));
    if (!good)
        return FAIL(tr, SIGNATURE,
                    "%s: its trusted comment was changed after key %s signed it; have the file "
                    "signed again",
                    name, id);
    return OK_RESULT;
}

/* ---- public keys ---- */
/* y of the points of small order, little-endian, and the two other spellings (y + p) that fit; the
 * sign bit is not looked at. The test forges a signature for each. */
static const uint8_t weak[][SIGN_KEY_BYTES] = {
    {0},
    {1},
    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
     0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
     0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
     0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
     0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
};

static bool is_weak(const uint8_t key[SIGN_KEY_BYTES])
{
    uint8_t y[SIGN_KEY_BYTES];
    memcpy(y, key, sizeof y);
    y[SIGN_KEY_BYTES - 1] &= 0x7f;
    for (size_t i = 0; i < sizeof weak / sizeof *weak; i++)
        if (memcmp(y, weak[i], sizeof y) == 0)
            return true;
    return false;
}

/* The one line that is the key: alone with or without its line feed, or after a comment line. */
static bool public_line(const char *text, size_t count, struct line *out)
{
    const char *at = text;
    size_t left = count;
    if (!take_line(&at, &left, out)) {
        *out = (struct line){.text = text, .count = count};
        return true;
    }
    if (!begins(*out, untrusted))
        return left == 0;
    return take_line(&at, &left, out) && left == 0;
}

struct result sign_public_parse(const char *text, size_t count, const char *name,
                                struct sign_public *out, struct trail *tr)
{
    uint8_t raw[PUBLIC_BYTES];
    struct line l;
    memset(out, 0, sizeof *out);
    bool good = count <= SIGN_FILE_BYTES && public_line(text, count, &l) &&
                decode(l, raw, sizeof raw) && raw[0] == 'E' && raw[1] == 'd';
    if (!good)
        return FAIL(tr, SYNTAX,
                    "%s: is no public key; take the .pub file of tenon key new or minisign, or its "
                    "line of %d characters that begins with RW",
                    name, PUBLIC_TEXT);
    if (is_weak(raw + HEAD_BYTES))
        return FAIL(tr, SYNTAX,
                    "%s: is a key for which anybody can sign (a point of small order); have its "
                    "owner make a new one",
                    name);
    memcpy(out->id, raw + 2, SIGN_ID_BYTES);
    memcpy(out->key, raw + HEAD_BYTES, SIGN_KEY_BYTES);
    return OK_RESULT;
}

void sign_public_text(const struct sign_public *key, char out[SIGN_PUBLIC_TEXT])
{
    uint8_t raw[PUBLIC_BYTES];
    put_head(raw, 'd', key->id);
    memcpy(raw + HEAD_BYTES, key->key, SIGN_KEY_BYTES);
    base64_print(raw, sizeof raw, out);
}

/* The id is a little-endian number to minisign, which prints it from its high end. */
void sign_id_text(const uint8_t id[SIGN_ID_BYTES], char out[SIGN_ID_TEXT])
{
    uint64_t number = 0;
    for (int i = SIGN_ID_BYTES - 1; i >= 0; i--)
        number = number << 8 | id[i];
    snprintf(out, SIGN_ID_TEXT, "%016" PRIX64, number);
}

/* ---- the trusted comment ---- */
bool sign_comment_get(const char *comment, const char *word, char *out, size_t bytes)
{
    const size_t n = strlen(word);
    const char *found = NULL;
    size_t length = 0;
    must(n > 0 && bytes > 0);
    out[0] = 0;
    for (const char *at = comment; *at != 0; at += strspn(at, " \t")) {
        size_t count = strcspn(at, " \t");
        if (count > n && memcmp(at, word, n) == 0 && at[n] == '=') {
            if (found != NULL)
                return false; /* two meanings are none */
            found = at + n + 1;
            length = count - n - 1;
        }
        at += count;
    }
    if (found == NULL || length >= bytes)
        return false;
    memcpy(out, found, length);
    out[length] = 0;
    return true;
}
