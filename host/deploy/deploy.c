/* SPDX-License-Identifier: Apache-2.0
 *
 * A deployment document from file to tables. The parts do their own checking; what is here is the
 * order: a section may only name what an earlier one defined, so currencies come before accounts,
 * instruments before instances, all of them before routes, then limits, because they are spread
 * over instruments and need the accounts that routes reach, and what is said about the swap last.
 * That order is fixed by the code and not by the file, so a file may arrange its keys as its author
 * likes.
 *
 * Refused whole: on any failure the caller's document is zeroed, and cannot be run by mistake.
 */
#include "deploy/deploy.h"
#include <stdlib.h>
#include <string.h>
#include "base/must.h"
#include "deploy/cfg_doc.h"

static_assert((int)FACT_HASH_BYTES == (int)HASH_SHA256_BYTES, "the document's hash fits its fact");

/* The last part of the path, as far as it fits. */
static void name_of(const char *path, char out[FACT_TEXT_BYTES])
{
    const char *slash = strrchr(path, '/');
    text_escape(out, FACT_TEXT_BYTES, slash != NULL ? slash + 1 : path,
                strlen(slash != NULL ? slash + 1 : path));
}

static struct result read_doc(struct cfg_doc *c)
{
    struct deploy_doc *d = c->d;
    if (strlen(c->f->path) >= sizeof(d->path))
        return FAIL(c->f->tr, CONFIG, "error[CFG001] %.60s...: the path is longer than %d bytes",
                    c->f->path, DEPLOY_PATH_BYTES - 1);
    memcpy(d->path, c->f->path, strlen(c->f->path) + 1);
    memcpy(d->fact.sha256, c->f->sha256, sizeof(d->fact.sha256));
    name_of(d->path, d->fact.name);
    TRY(cfg_head(c));
    const struct cfg_node *money = cfg_get(c->f->root, "currencies");
    TRY(cfg_currencies(c->f, money, d->currency, &d->currency_count));
    uint32_t at = 0;
    for (const struct cfg_node *n = money->first; n != NULL; n = n->next)
        d->line.currency[at++] = n->key_line;
    TRY(cfg_accounts(c));
    TRY(cfg_instruments(c));
    TRY(cfg_instances(c));
    TRY(cfg_rates(c));
    TRY(cfg_routes(c));
    TRY(cfg_limits(c));
    TRY(cfg_after(c));
    return cfg_alone(c);
}

/* Takes the opened file over. */
static struct result read_opened(struct cfg_file *f, const char *instruments_path,
                                 const char *symbol, struct deploy_doc *out)
{
    struct cfg_doc *c = calloc(1, sizeof(*c));
    must(c != NULL);
    c->f = f;
    c->d = out;
    c->table_path = instruments_path;
    c->as = symbol;
    struct result r = read_doc(c);
    cfg_close(c->table);
    cfg_close(f);
    free(c);
    if (!is_ok(r))
        memset(out, 0, sizeof(*out));
    return r;
}

static struct result read_with(const char *path, const char *instruments_path, const char *symbol,
                               struct deploy_doc *out, struct trail *tr)
{
    struct cfg_file *f = NULL;
    memset(out, 0, sizeof(*out));
    TRY(cfg_open(path, tr, &f));
    return read_opened(f, instruments_path, symbol, out);
}

struct result deploy_read(const char *path, const char *instruments_path, struct deploy_doc *out,
                          struct trail *tr)
{
    return read_with(path, instruments_path, NULL, out, tr);
}

struct result deploy_parse(const char *bytes, size_t count, const char *name,
                           const char *instruments_path, struct deploy_doc *out, struct trail *tr)
{
    struct cfg_file *f = NULL;
    memset(out, 0, sizeof(*out));
    TRY(cfg_open_bytes(bytes, count, name, tr, &f));
    return read_opened(f, instruments_path, NULL, out);
}

struct result deploy_read_as(const char *path, const char *instruments_path, const char *symbol,
                             struct deploy_doc *out, struct trail *tr)
{
    must(instruments_path != NULL && symbol != NULL);
    return read_with(path, instruments_path, symbol, out, tr);
}

struct result deploy_instrument(const char *instruments_path, const char *symbol,
                                struct fact_instrument *out, struct fact_currency *ccy,
                                uint32_t *stamp, struct trail *tr)
{
    struct cfg_file *f = NULL;
    TRY(cfg_open(instruments_path, tr, &f));
    struct result r = cfg_entry_find(f, NULL, NULL, symbol, out, ccy, stamp);
    cfg_close(f);
    if (is_ok(r)) {
        out->id = 1;
        out->settle = 1;
        ccy->id = 1;
    }
    return r;
}

struct result deploy_pin(const struct deploy_doc *d, const struct deploy_instance *i,
                         const uint8_t sha256[32], struct trail *tr)
{
    uint8_t pinned[HASH_SHA256_BYTES];
    char have[HASH_HEX_BYTES], where[CFG_PATH_BYTES] = "instances.";
    if (i->sha256_hex[0] == 0)
        return OK_RESULT;
    must(hash_from_hex(i->sha256_hex, pinned));
    if (memcmp(pinned, sha256, sizeof(pinned)) == 0)
        return OK_RESULT;
    hash_hex(sha256, have);
    strcat(where, i->fact.name);
    return cfg_fail_where(tr, d->path, CFG_PIN, i->line, 1, where,
                          "the shared object of %s %s has SHA-256 %.12s..., not the pinned "
                          "%.12s...; install the pinned file or correct sha256",
                          i->fact.plugin, i->fact.version, have, i->sha256_hex);
}
