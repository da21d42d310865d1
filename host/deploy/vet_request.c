/* SPDX-License-Identifier: Apache-2.0
 *
 * Request files: what two people ask of a host that no single one may (DECISIONS 32). A file and
 * not a second password, so that both read the same bytes, whoever they are on the machine; signed
 * and counted like a deployment. It is worth something for a day at most and once: the nonce makes
 * two wishes of the same words two files, and the host keeps the hashes of those it granted.
 *
 * The text is canonical, so the file that a host writes for two people to sign is the same as one
 * they would write by hand.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/must.h"
#include "deploy/cfg.h"
#include "deploy/vet.h"

enum { REQUEST_BYTES_MAX = 4096 };
#define REQUEST_LIFE_NS 86400000000000ll

static const char *const wish_word[] = {"resume"};
static const char *const mode_word[] = {"active", "reducing"};
static const uint32_t mode_of[] = {MODE_ACTIVE, MODE_REDUCING};
static const char *const scope_word[] = {"account:", "strategy:"};
static const uint32_t scope_of[] = {MODE_SCOPE_ACCOUNT, MODE_SCOPE_STRATEGY};

static struct result read_scope(struct vet_request *q, const struct cfg_file *f,
                                const struct cfg_node *n)
{
    if (n->kind == CFG_SCALAR && strcmp(n->text, "global") == 0) {
        q->scope = MODE_SCOPE_GLOBAL;
        return OK_RESULT;
    }
    for (uint32_t i = 0; i < 2 && n->kind == CFG_SCALAR; i++) {
        size_t word = strlen(scope_word[i]);
        const char *name = n->text + word;
        if (strncmp(n->text, scope_word[i], word) != 0 || !cfg_is_form(name, CFG_ID) ||
            strlen(name) >= sizeof(q->scope_name))
            continue;
        q->scope = scope_of[i];
        memcpy(q->scope_name, name, strlen(name) + 1);
        return OK_RESULT;
    }
    return cfg_fail(f, CFG_VALUE, n,
                    "global, strategy:NAME or account:NAME is wanted here, with a name of the "
                    "deployment");
}

static struct result read_reason(struct vet_request *q, const struct cfg_file *f,
                                 const struct cfg_node *n)
{
    if (n->kind != CFG_SCALAR || !n->quoted || n->text[0] == 0)
        return cfg_fail(f, CFG_TYPE, n, "one line of text in quotes is wanted here");
    if (strlen(n->text) >= sizeof(q->reason))
        return cfg_fail(f, CFG_SIZE, n, "is longer than %d characters; shorten it",
                        (int)sizeof(q->reason) - 1);
    memcpy(q->reason, n->text, strlen(n->text) + 1);
    return OK_RESULT;
}

static struct result read_nonce(struct vet_request *q, const struct cfg_file *f,
                                const struct cfg_node *n)
{
    if (n->kind != CFG_SCALAR || !n->quoted || strlen(n->text) != 16 ||
        strspn(n->text, "0123456789abcdef") != 16)
        return cfg_fail(f, CFG_VALUE, n, "16 small hex digits in quotes are wanted here");
    memcpy(q->nonce, n->text, sizeof(q->nonce));
    return OK_RESULT;
}

static struct result read_times(struct vet_request *q, const struct cfg_file *f)
{
    const struct cfg_node *expires = cfg_get(f->root, "expires");
    TRY(cfg_time(f, cfg_get(f->root, "created"), &q->created_ns));
    TRY(cfg_time(f, expires, &q->expires_ns));
    if (q->expires_ns > q->created_ns && q->expires_ns - q->created_ns <= REQUEST_LIFE_NS)
        return OK_RESULT;
    return cfg_fail(f, CFG_RANGE, expires,
                    "is outside its range; allowed after created, and at most 24 hours later");
}

static struct result read_request(struct vet_request *q, const struct cfg_file *f,
                                  const char *host_wanted)
{
    static const char *const kind[] = {"request"};
    const struct cfg_node *root = f->root;
    char host[FACT_NAME_BYTES];
    uint32_t i = 0;
    if (cfg_get(root, "kind") == NULL)
        return cfg_fail(f, CFG_MISSING, root,
                        "the key kind is missing, so this is no request; one begins with schema: 1 "
                        "and kind: request");
    TRY(cfg_choice(f, cfg_get(root, "kind"), kind, 1, &i));
    TRY(cfg_keys(f, root, CFG_IN_REQUEST));
    TRY(cfg_schema(f));
    TRY(cfg_text(f, cfg_get(root, "host"), CFG_ID, host, sizeof(host)));
    if (strcmp(host, host_wanted) != 0)
        return cfg_fail(f, CFG_NAME, cfg_get(root, "host"),
                        "asks the host %s, and this one is %s; write a request for this one", host,
                        host_wanted);
    TRY(cfg_choice(f, cfg_get(root, "wish"), wish_word, 1, &i));
    TRY(read_scope(q, f, cfg_get(root, "scope")));
    TRY(cfg_choice(f, cfg_get(root, "to"), mode_word, 2, &i));
    q->mode = mode_of[i];
    TRY(read_reason(q, f, cfg_get(root, "reason")));
    TRY(read_nonce(q, f, cfg_get(root, "nonce")));
    return read_times(q, f);
}

static struct result parse(const struct bundle *b, const char *host, struct vet_request *q,
                           struct trail *tr)
{
    struct cfg_file *f = NULL;
    TRY(cfg_open_bytes(b->file.bytes, b->file.count, b->file.name, tr, &f));
    struct result r = read_request(q, f, host);
    cfg_close(f);
    return r;
}

static struct result check_time(const struct vet_request *q, const char *name, int64_t wall_ns,
                                struct trail *tr)
{
    char limit[CLOCK_TEXT_BYTES], time[CLOCK_TEXT_BYTES];
    clock_print(wall_ns, time);
    if (wall_ns < q->created_ns) {
        clock_print(q->created_ns, limit);
        return FAIL(tr, NOT_PERMITTED,
                    "%s: was created at %.19sZ, and it is %.19sZ; compare the two clocks", name,
                    limit, time);
    }
    if (wall_ns >= q->expires_ns) {
        clock_print(q->expires_ns, limit);
        return FAIL(tr, NOT_PERMITTED,
                    "%s: expired at %.19sZ, and it is %.19sZ; write a new one with tenon risk "
                    "resume --out",
                    name, limit, time);
    }
    return OK_RESULT;
}

struct result vet_request(const struct bundle *b, const struct vet_now *now,
                          struct vet_request *out, struct trail *tr)
{
    char missing[160], repeats[96];
    const char *name = b->file.name;
    must(now->trust != NULL && now->host != NULL);
    memset(out, 0, sizeof(*out));
    hash_sha256_once(b->file.bytes, b->file.count, out->sha256);
    if (b->file.count > REQUEST_BYTES_MAX)
        return FAIL(tr, TOO_LARGE,
                    "%s: has %zu bytes, and a request has at most %d; nothing of it was read", name,
                    b->file.count, (int)REQUEST_BYTES_MAX);
    TRY(trust_verify(now->trust, b, "request", out->sign, tr));
    out->signed_count = b->signature_count;
    TRY(parse(b, now->host, out, tr));
    TRY(check_time(out, name, now->wall_ns, tr));
    if (trust_count_request(now->trust, out->sign, out->signed_count, missing, sizeof(missing)))
        return OK_RESULT;
    trust_repeats(out->sign, out->signed_count, repeats, sizeof(repeats));
    return FAIL(tr, APPROVAL, "%s: approvals are missing: %s%s", name, missing, repeats);
}

/* The quotes that a reason can stand in: escapes are outside of the subset. */
static struct result quote_of(const struct vet_request *q, const char **quote, struct trail *tr)
{
    *quote = strpbrk(q->reason, "\"\\") == NULL ? "\"" : "'";
    for (const char *c = q->reason; *c != 0; c++)
        if ((uint8_t)*c < 0x20 || (uint8_t)*c > 0x7e)
            return FAIL(tr, SYNTAX,
                        "the reason has a character outside of printable ASCII; write it without");
    if (q->reason[0] == 0)
        return FAIL(tr, MISSING, "a request needs a reason; give --reason TEXT");
    if (**quote == '\'' && strchr(q->reason, '\'') != NULL)
        return FAIL(tr, SYNTAX,
                    "the reason has both kinds of quotes, or a backslash and a quote; leave one "
                    "out");
    return OK_RESULT;
}

struct result vet_request_print(const struct vet_request *q, const char *host, char **text,
                                struct trail *tr)
{
    char created[CLOCK_TEXT_BYTES], expires[CLOCK_TEXT_BYTES];
    const char *quote, *host_quote = cfg_is_ambiguous(host) ? "\"" : "", *scope = "global";
    size_t count;
    *text = NULL;
    TRY(quote_of(q, &quote, tr));
    for (uint32_t i = 0; i < 2; i++)
        if (q->scope == scope_of[i])
            scope = scope_word[i];
    must(q->scope == MODE_SCOPE_GLOBAL || q->scope_name[0] != 0);
    must(q->mode == MODE_ACTIVE || q->mode == MODE_REDUCING);
    clock_print(q->created_ns, created);
    clock_print(q->expires_ns, expires);
    FILE *out = open_memstream(text, &count);
    must(out != NULL);
    fprintf(out, "# What people ask of this host; it counts when enough of them signed it.\n");
    fprintf(out, "schema: 1\nkind: request\nhost: %s%s%s\nwish: resume\n", host_quote, host,
            host_quote);
    fprintf(out, "scope: %s%s\nto: %s\nreason: %s%s%s\n", scope,
            q->scope == MODE_SCOPE_GLOBAL ? "" : q->scope_name, mode_word[q->mode == MODE_REDUCING],
            quote, q->reason, quote);
    fprintf(out, "created: %.19sZ\nexpires: %.19sZ\nnonce: \"%s\"\n", created, expires, q->nonce);
    must(fclose(out) == 0);
    return OK_RESULT;
}
