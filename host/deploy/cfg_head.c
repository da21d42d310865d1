/* SPDX-License-Identifier: Apache-2.0
 *
 * What a document says about itself: form, host, serial, and for a signed one its parent, when it
 * may be promoted, until when it trades, and how the swap goes.
 *
 * Serial 0 is a file that nobody signs: a template, a backtest. It has no place in a chain of
 * deployments, so what only that place gives a meaning is refused in it: a reader must not believe
 * that an `expires` protects a file which nothing checks. From serial 1 on the opposite holds:
 * what people sign is this one file, so nothing that decides about trading may come from beside it.
 * Every plugin is pinned and every instrument is defined in place: an instruments file that changes
 * later would change what was signed.
 */
#include <string.h>
#include "base/must.h"
#include "deploy/cfg_doc.h"

static struct result read_hash(const struct cfg_file *f, const struct cfg_node *n,
                               uint8_t out[FACT_HASH_BYTES])
{
    char hex[HASH_HEX_BYTES];
    if (n == NULL)
        return OK_RESULT;
    TRY(cfg_text(f, n, CFG_HEX, hex, sizeof(hex)));
    must(hash_from_hex(hex, out));
    return OK_RESULT;
}

static struct result read_time(const struct cfg_file *f, const struct cfg_node *n, int64_t *out)
{
    return n == NULL ? OK_RESULT : cfg_time(f, n, out);
}

static struct result refuse_unsigned(struct cfg_doc *c)
{
    static const char *const only[] = {"parent", "not_before", "expires", "template",
                                       "rollback_of"};
    for (size_t i = 0; i < sizeof(only) / sizeof(only[0]); i++) {
        const struct cfg_node *n = cfg_get(c->f->root, only[i]);
        if (n != NULL)
            return cfg_fail_key(c->f, CFG_CONFLICT, n,
                                "is only for a file with a serial of 1 or more, which people sign; "
                                "remove it, tenon config plan --out writes it");
    }
    return OK_RESULT;
}

static struct result need_signed(struct cfg_doc *c)
{
    static const char *const needed[] = {"parent", "not_before", "expires"};
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        if (cfg_get(c->f->root, needed[i]) == NULL)
            return cfg_fail(c->f, CFG_MISSING, cfg_get(c->f->root, "serial"),
                            "a file with a serial of 1 or more has the key %s too; add it, or have "
                            "tenon config plan --out write it",
                            needed[i]);
    return OK_RESULT;
}

static struct result read_rollback(struct cfg_doc *c)
{
    const struct cfg_node *n = cfg_get(c->f->root, "rollback_of");
    int64_t serial = 0;
    if (n == NULL)
        return OK_RESULT;
    TRY(cfg_read_int(c->f, c->f->root, CFG_IN_ROOT, "rollback_of", &serial));
    if ((uint64_t)serial >= c->d->fact.serial)
        return cfg_fail(c->f, CFG_CONFLICT, n,
                        "%lld does not come before serial %llu; only an earlier one is taken back",
                        (long long)serial, (unsigned long long)c->d->fact.serial);
    c->d->rollback_of = (uint64_t)serial;
    return OK_RESULT;
}

struct result cfg_head(struct cfg_doc *c)
{
    const struct cfg_node *root = c->f->root;
    struct deploy_doc *d = c->d;
    int64_t serial = 0, seed = 0;
    TRY(cfg_keys(c->f, root, CFG_IN_ROOT));
    TRY(cfg_schema(c->f));
    TRY(cfg_text(c->f, cfg_get(root, "host"), CFG_ID, d->host, sizeof(d->host)));
    TRY(cfg_read_int(c->f, root, CFG_IN_ROOT, "serial", &serial));
    d->fact.serial = (uint64_t)serial;
    TRY(serial == 0 ? refuse_unsigned(c) : need_signed(c));
    TRY(cfg_read_int(c->f, root, CFG_IN_ROOT, "seed", &seed));
    d->seed = (uint64_t)seed;
    d->line.host = cfg_get(root, "host")->line;
    d->line.seed = cfg_get(root, "seed")->line;
    TRY(read_hash(c->f, cfg_get(root, "parent"), d->parent));
    TRY(read_hash(c->f, cfg_get(root, "template"), d->template_sha256));
    TRY(read_time(c->f, cfg_get(root, "not_before"), &d->not_before_ns));
    TRY(read_time(c->f, cfg_get(root, "expires"), &d->expires_ns));
    if (serial != 0 && d->expires_ns <= d->not_before_ns)
        return cfg_fail(c->f, CFG_CONFLICT, cfg_get(root, "expires"),
                        "%s is not after not_before %s, so it could never be promoted",
                        cfg_get(root, "expires")->text, cfg_get(root, "not_before")->text);
    TRY(read_time(c->f, cfg_get(root, "run_until"), &d->run_until_ns));
    if (d->run_until_ns != 0)
        d->line.run_until = cfg_get(root, "run_until")->line;
    return read_rollback(c);
}

static struct result read_swap(struct cfg_doc *c)
{
    static const struct cfg_node none = {.kind = CFG_MAP}; /* every key has a default */
    const struct cfg_node *swap = cfg_get(c->f->root, "swap");
    struct deploy_doc *d = c->d;
    int64_t denials = 0;
    d->line.swap = swap != NULL ? swap->key_line : 0;
    if (swap != NULL)
        TRY(cfg_keys(c->f, swap, CFG_IN_SWAP));
    else
        swap = &none;
    TRY(cfg_read_duration(c->f, swap, CFG_IN_SWAP, "hear", &d->hear_ns));
    TRY(cfg_read_duration(c->f, swap, CFG_IN_SWAP, "probation", &d->probation_ns));
    TRY(cfg_read_int(c->f, swap, CFG_IN_SWAP, "denials", &denials));
    d->denials = (uint32_t)denials;
    must(d->denials >= 1 && d->denials <= DEPLOY_DENIALS_OF);
    return OK_RESULT;
}

static bool has_route(const struct deploy_doc *d, const char *strategy)
{
    for (uint32_t i = 0; i < d->route_count; i++)
        if (strcmp(d->instance[d->route[i].strategy - 1].fact.name, strategy) == 0)
            return true;
    return false;
}

/* `flatten`, or a mapping with hand_to: a strategy that trades in this document. */
static struct result read_remove(struct cfg_doc *c, const struct cfg_node *n,
                                 struct deploy_remove *r)
{
    static const char *const words[] = {"flatten"};
    uint32_t word = 0, to = 0;
    if (n->kind == CFG_SCALAR) {
        TRY(cfg_choice(c->f, n, words, 1, &word));
        r->what = FACT_ON_REMOVE_FLATTEN;
        return OK_RESULT;
    }
    TRY(cfg_keys(c->f, n, CFG_IN_REMOVE));
    const struct cfg_node *hand_to = cfg_get(n, "hand_to");
    TRY(cfg_instance_id(c, hand_to, false, &to));
    memcpy(r->to, c->d->instance[to - 1].fact.name, sizeof(r->to));
    if (strcmp(r->to, r->strategy) == 0)
        return cfg_fail(c->f, CFG_CONFLICT, hand_to,
                        "%s cannot take over from itself; name another strategy, or write flatten",
                        r->to);
    if (!has_route(c->d, r->to))
        return cfg_fail(c->f, CFG_CONFLICT, hand_to,
                        "%s has no route here, so it cannot take over what %s owns; name a "
                        "strategy with a route, or write flatten",
                        r->to, r->strategy);
    r->what = FACT_ON_REMOVE_HAND_TO;
    return OK_RESULT;
}

static struct result take_remove(struct cfg_doc *c, const struct cfg_node *n)
{
    struct deploy_remove *r = &c->d->remove[c->d->remove_count];
    TRY(cfg_key_text(c->f, n, CFG_ID, r->strategy, sizeof(r->strategy)));
    r->line = n->key_line;
    TRY(read_remove(c, n, r));
    c->d->remove_count++;
    return OK_RESULT;
}

struct result cfg_after(struct cfg_doc *c)
{
    const struct cfg_node *map = cfg_get(c->f->root, "on_remove");
    TRY(read_swap(c));
    if (map == NULL)
        return OK_RESULT;
    TRY(cfg_rows(c->f, map, CFG_MAP, DEPLOY_REMOVES_MAX));
    struct result r = OK_RESULT;
    for (const struct cfg_node *n = map->first; n != NULL && is_ok(r); n = n->next)
        r = take_remove(c, n);
    return r;
}

struct result cfg_alone(struct cfg_doc *c)
{
    const struct cfg_node *root = c->f->root;
    if (c->d->fact.serial == 0 || c->as != NULL)
        return OK_RESULT; /* as: a backtest on another instrument, which nobody promotes */
    for (const struct cfg_node *n = cfg_get(root, "instruments")->first; n != NULL; n = n->next)
        if (n->count == 0)
            return cfg_fail_key(c->f, CFG_MISSING, n,
                                "is empty; what is signed defines its instruments itself, so that "
                                "no other file can change it");
    for (const struct cfg_node *n = cfg_get(root, "accounts")->first; n != NULL; n = n->next) {
        const struct cfg_node *adapter = cfg_get(n, "adapter");
        if (adapter != NULL && cfg_get(adapter, "sha256") == NULL)
            return cfg_fail_key(c->f, CFG_MISSING, adapter,
                                "the key sha256 is missing; what is signed pins every plugin, "
                                "tenon config plan --out fills it in");
    }
    for (const struct cfg_node *n = cfg_get(root, "instances")->first; n != NULL; n = n->next) {
        const struct cfg_node *path = cfg_get(n, "path");
        if (cfg_get(n, "sha256") == NULL)
            return cfg_fail_key(c->f, CFG_MISSING, n,
                                "the key sha256 is missing; what is signed pins every plugin, "
                                "tenon config plan --out fills it in");
        if (path != NULL && path->text[0] != '/')
            return cfg_fail(c->f, CFG_CONFLICT, path,
                            "%.40s counts from the folder of a file, and the host gets this one "
                            "without a folder; write the whole path, or leave it out",
                            path->text);
    }
    return OK_RESULT;
}
