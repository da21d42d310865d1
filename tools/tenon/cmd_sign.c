/* SPDX-License-Identifier: Apache-2.0
 *
 * config sign: one person's signature over one file, in one role. What is signed are the bytes that
 * were read and parsed here, in one read: what the person is told about them is true of them. Only
 * what the trusted comment says is looked at (kind, host, number); whether the file may become
 * active is judged by the host and by config verify, and a file may be signed before that.
 *
 * The comment says what the signer meant, so that a signature cannot be used for another kind of
 * document, another host or another role. The signature is checked before it is written: a wrong
 * one would betray the key (a faulty machine can do that to Ed25519).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/clock.h"
#include "base/must.h"
#include "deploy/cfg.h"
#include "deploy/gather.h"
#include "deploy/trust.h"
#include "tools/tenon/keyring.h"
#include "tools/tenon/save.h"

enum sign_kind { SIGN_KIND_UNSET = 0, SIGN_DEPLOYMENT, SIGN_TRUST, SIGN_REQUEST };
static const char *const kind_name[] = {"", "deployment", "trust", "request"};

struct order { /* what is signed, by whom, as what */
    const char *path, *role;
    enum sign_kind kind;
    char host[FACT_NAME_BYTES];
    int64_t serial; /* version of a trust document; 0 of a request, which has none */
    char sha256[HASH_HEX_BYTES];
    char comment[SIGN_COMMENT_BYTES];
    char out_path[PATHS_BYTES];
    char id[SIGN_ID_TEXT];
    bool replaces;
};

/* ---- the document ---- */
static struct result read_kind(const struct cfg_file *f, enum sign_kind *out)
{
    static const char *const words[] = {"trust", "request"};
    const struct cfg_node *kind = cfg_get(f->root, "kind");
    uint32_t i = 0;
    *out = SIGN_DEPLOYMENT;
    if (kind == NULL)
        return OK_RESULT;
    TRY(cfg_choice(f, kind, words, 2, &i));
    *out = i == 0 ? SIGN_TRUST : SIGN_REQUEST;
    return OK_RESULT;
}

static struct result wanted(const struct cfg_file *f, const char *key, const struct cfg_node **out)
{
    *out = cfg_get(f->root, key);
    if (*out != NULL)
        return OK_RESULT;
    return cfg_fail_at(f, CFG_MISSING, f->root->line, f->root->col,
                       "the key %s is missing, so a signature could not say what it is for; add it",
                       key);
}

static struct result read_tree(const struct cfg_file *f, struct order *o)
{
    const struct cfg_node *n;
    TRY(cfg_is_map(f, f->root));
    TRY(read_kind(f, &o->kind));
    TRY(wanted(f, "host", &n));
    TRY(cfg_text(f, n, CFG_ID, o->host, sizeof o->host));
    if (o->kind == SIGN_REQUEST)
        return OK_RESULT;
    TRY(wanted(f, o->kind == SIGN_TRUST ? "version" : "serial", &n));
    TRY(cfg_int(f, n, 0, UINT32_MAX, &o->serial));
    if (o->serial > 0)
        return OK_RESULT;
    return cfg_fail(f, CFG_RANGE, n,
                    "0 marks a file that nobody signs; write the number that comes next (tenon "
                    "config plan FILE --out FILE fills it in)");
}

/* Trust documents count root signatures and nothing else does; said here, before the work. */
static struct result check_role(struct order *o, struct trail *tr)
{
    const uint32_t role = trust_role_by_name(o->role);
    const bool is_root = role == TRUST_ROOT;
    if (role == TRUST_ROLE_UNSET)
        return FAIL(tr, USAGE, "--role %s: no such role; root, author, operator or risk", o->role);
    if (is_root != (o->kind == SIGN_TRUST))
        return FAIL(tr, USAGE,
                    "--role %s: a %s is signed as %s; a signature in another role would not count",
                    o->role, o->kind == SIGN_TRUST ? "trust document" : kind_name[o->kind],
                    o->kind == SIGN_TRUST ? "root" : "author, operator or risk");
    if (o->kind == SIGN_REQUEST && role == TRUST_AUTHOR)
        return FAIL(tr, USAGE, "--role author: a request is signed as operator or risk");
    return OK_RESULT;
}

static struct result read_order(const struct bundle *b, struct order *o, struct trail *tr)
{
    struct cfg_file *f = NULL;
    TRY(cfg_open_bytes(b->file.bytes, b->file.count, o->path, tr, &f));
    struct result r = read_tree(f, o);
    hash_hex(f->sha256, o->sha256);
    cfg_close(f);
    return is_ok(r) ? check_role(o, tr) : r;
}

/* ---- the signature ---- */
static_assert(sizeof "role=operator kind=deployment host= serial=4294967295 sha256= signed=" +
                      FACT_NAME_BYTES + HASH_HEX_BYTES + sizeof "2018-01-01T00:00:00Z" - 3 <=
                  SIGN_COMMENT_BYTES,
              "each part at its greatest length");
static void write_comment(struct order *o)
{
    char now[CLOCK_TEXT_BYTES];
    clock_print(clock_wall(&clock_system), now);
    now[strcspn(now, ".Z")] = 0; /* whole seconds */
    int n = snprintf(o->comment, sizeof o->comment,
                     "role=%s kind=%s host=%s serial=%" PRId64 " sha256=%s signed=%sZ", o->role,
                     kind_name[o->kind], o->host, o->serial, o->sha256, now);
    must(n > 0 && (size_t)n < sizeof o->comment);
}

/* A signature by the same key is one's own to replace; anything else of that name is not. */
static struct result look_at_old(struct order *o, const struct sign_public *key, struct trail *tr)
{
    struct stat st;
    struct bundle *old = NULL;
    struct sign_file sig;
    struct trail why = {0};
    o->replaces = lstat(o->out_path, &st) == 0;
    if (!o->replaces)
        return OK_RESULT;
    struct result r = gather_file(o->out_path, &old, &why);
    if (is_ok(r))
        r = sign_parse(old->file.bytes, old->file.count, o->out_path, &sig, &why);
    bundle_free(old);
    if (is_ok(r) && memcmp(sig.id, key->id, SIGN_ID_BYTES) == 0)
        return OK_RESULT;
    return FAIL(tr, STATE,
                "%.200s: exists already and is no signature by key %s, so it is not replaced; move "
                "it away first",
                o->out_path, o->id);
}

static struct result put(const struct order *o, const struct sign_file *sig, struct trail *tr)
{
    char text[SIGN_FILE_BYTES];
    size_t count = sign_print(sig, text);
    return o->replaces ? save_over(o->out_path, 0644, text, count, tr)
                       : save_new(o->out_path, 0644, text, count, tr);
}

static struct result sign(const struct bundle *b, struct order *o, const struct keyring_key *key,
                          struct trail *tr)
{
    const struct sign_public *public = sign_secret_public(key->secret);
    struct sign_file sig;
    sign_id_text(public->id, o->id);
    int n = snprintf(o->out_path, sizeof o->out_path, "%s.%s.minisig", o->path, key->person);
    if (n < 0 || n >= PATHS_BYTES)
        return FAIL(tr, TOO_LARGE, "%.120s...: the path is too long for a signature beside it",
                    o->path);
    TRY(look_at_old(o, public, tr));
    write_comment(o);
    TRY(sign_make(key->secret, b->file.bytes, b->file.count, o->comment, &sig, tr));
    TRY(sign_verify(&sig, public, b->file.bytes, b->file.count, o->out_path, tr));
    return put(o, &sig, tr);
}

static int print(const struct cli *cli, const struct order *o, const struct keyring_key *key)
{
    if (cli->json)
        return cli_json(cli, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:s}",
                                       "schema", "tenon.signature.v1", "person", key->person, "key",
                                       o->id, "role", o->role, "kind", kind_name[o->kind], "host",
                                       o->host, "serial", (json_int_t)o->serial, "sha256",
                                       o->sha256, "comment", o->comment, "file", o->out_path));
    printf("%s signed %s as %s with key %s\n", key->person, o->path, o->role, o->id);
    printf("  %s for host %s", kind_name[o->kind], o->host);
    if (o->kind != SIGN_REQUEST)
        printf(", %s %" PRId64, o->kind == SIGN_TRUST ? "version" : "serial", o->serial);
    printf("\n  sha256 %s\n  %s%s\n", o->sha256, o->out_path, o->replaces ? " (replaced)" : "");
    return cli_done(cli, 0);
}

int cmd_CONFIG_SIGN(const struct cli *cli)
{
    struct trail tr = {0};
    struct bundle *b = NULL;
    struct keyring_key key = {.secret = NULL};
    must(cli->a.word_count == 1);
    struct order o = {.path = cli->a.word[0], .role = cli->a.flag[FLAG_ROLE].text};
    struct result r = gather_file(o.path, &b, &tr);
    if (is_ok(r))
        r = read_order(b, &o, &tr);
    if (is_ok(r))
        r = keyring_open(cli, &key, &tr);
    if (is_ok(r))
        r = sign(b, &o, &key, &tr);
    int exit = is_ok(r) ? print(cli, &o, &key) : cli_fail(cli, r, &tr);
    sign_secret_free(key.secret);
    bundle_free(b);
    return exit;
}
