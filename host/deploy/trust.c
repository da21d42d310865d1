/* SPDX-License-Identifier: Apache-2.0
 *
 * The trust document from its bytes, on the same strict subset and with the same sentences as a
 * deployment. Refused whole: a document that is read has invariant 1 of trust.h, so whoever counts
 * signatures later never meets a key with two owners or a threshold that nobody can meet. The last
 * matters more than it looks: thresholds that cannot be met lock everybody out, root included, and
 * the way out would be a new journal.
 *
 * Keys are told apart by their id (8 bytes), which is what a signature names; two keys with one id
 * are refused, whatever else differs.
 */
#include "deploy/trust.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/must.h"
#include "deploy/cfg_doc.h"
#include "deploy/trust_match.h"

static const char *const role_name[] = {
#define X(NAME, name, bit, text) #name,
    TRUST_ROLES(X)
#undef X
};
enum { ROLE_COUNT = sizeof(role_name) / sizeof(role_name[0]) };
static_assert(TRUST_RISK == 1u << (ROLE_COUNT - 1), "roles are bits in order");

const char *trust_role_name(uint32_t role)
{
    for (uint32_t i = 0; i < ROLE_COUNT; i++)
        if (role == 1u << i)
            return role_name[i];
    must(role == TRUST_ROLE_UNSET);
    return "none";
}

uint32_t trust_role_by_name(const char *name)
{
    for (uint32_t i = 0; i < ROLE_COUNT; i++)
        if (strcmp(name, role_name[i]) == 0)
            return 1u << i;
    return TRUST_ROLE_UNSET;
}

uint32_t trust_key(const struct trust *t, const uint8_t id[SIGN_ID_BYTES])
{
    for (uint32_t i = 0; i < t->key_count; i++)
        if (memcmp(t->key[i].key.id, id, SIGN_ID_BYTES) == 0)
            return i;
    return TRUST_NOBODY;
}

/* One key of a list; person TRUST_NOBODY: a revoked one. */
static struct result read_key(struct trust *t, const struct cfg_file *f, const struct cfg_node *n,
                              uint32_t person)
{
    struct sign_public key;
    if (n->kind != CFG_SCALAR || !n->quoted)
        return cfg_fail(f, CFG_TYPE, n, "a public key in quotes is wanted here, like \"RWQ...\"");
    if (!is_ok(sign_public_parse(n->text, strlen(n->text), f->path, &key, NULL)))
        return cfg_fail(f, CFG_VALUE, n,
                        "%.20s... is no public key in minisign's form; take the second line of the "
                        "person's .pub file",
                        n->text);
    uint32_t at = trust_key(t, key.id);
    char id[SIGN_ID_TEXT];
    sign_id_text(key.id, id);
    if (at != TRUST_NOBODY && (t->key[at].is_revoked || person == TRUST_NOBODY))
        return cfg_fail(f, CFG_DUPLICATE, n,
                        "the key %s is listed twice, once as revoked; a revoked key belongs to "
                        "nobody: remove it from the person",
                        id);
    if (at != TRUST_NOBODY)
        return cfg_fail(f, CFG_DUPLICATE, n, "the key %s is %s's already; a key has one owner", id,
                        t->person[t->key[at].person].name);
    if (t->key_count == TRUST_KEYS_MAX)
        return cfg_fail(f, CFG_FULL, n, "more than %d keys; drop revoked ones that are long gone",
                        (int)TRUST_KEYS_MAX);
    t->key[t->key_count].key = key;
    t->key[t->key_count].person = person;
    t->key[t->key_count].is_revoked = person == TRUST_NOBODY;
    t->key_count++;
    return OK_RESULT;
}

static struct result read_keys(struct trust *t, const struct cfg_file *f,
                               const struct cfg_node *list, uint32_t person)
{
    TRY(cfg_rows(f, list, CFG_LIST, TRUST_KEYS_MAX));
    struct result r = OK_RESULT;
    for (const struct cfg_node *n = list->first; n != NULL && is_ok(r); n = n->next)
        r = read_key(t, f, n, person);
    return r;
}

static struct result read_roles(const struct cfg_file *f, const struct cfg_node *list,
                                uint32_t *out)
{
    TRY(cfg_rows(f, list, CFG_LIST, ROLE_COUNT));
    struct result r = OK_RESULT;
    for (const struct cfg_node *n = list->first; n != NULL && is_ok(r); n = n->next) {
        uint32_t i = 0;
        r = cfg_choice(f, n, role_name, ROLE_COUNT, &i);
        if (is_ok(r) && (*out & 1u << i))
            r = cfg_fail(f, CFG_DUPLICATE, n, "the role %s is given twice; remove one",
                         role_name[i]);
        *out |= 1u << i;
    }
    return r;
}

static struct result read_people(struct trust *t, const struct cfg_file *f,
                                 const struct cfg_node *map)
{
    TRY(cfg_rows(f, map, CFG_MAP, TRUST_PEOPLE_MAX));
    struct result r = OK_RESULT;
    for (const struct cfg_node *n = map->first; n != NULL && is_ok(r); n = n->next) {
        uint32_t i = t->people_count++;
        r = cfg_key_text(f, n, CFG_ID, t->person[i].name, sizeof(t->person[i].name));
        if (is_ok(r))
            r = cfg_keys(f, n, CFG_IN_PERSON);
        if (is_ok(r))
            r = read_roles(f, cfg_get(n, "roles"), &t->person[i].roles);
        if (is_ok(r))
            r = read_keys(t, f, cfg_get(n, "keys"), i);
    }
    return r;
}

static struct result read_thresholds(struct trust *t, const struct cfg_file *f,
                                     const struct cfg_node *map)
{
    const struct {
        const char *key;
        int64_t min;
        uint32_t *out;
    } row[] = {{"root", 1, &t->need_root},
               {"author", 1, &t->need_author},
               {"operator", 1, &t->need_operator},
               {"risk", 0, &t->need_risk},
               {"request", 2, &t->need_request}};
    TRY(cfg_keys(f, map, CFG_IN_THRESHOLDS));
    struct result r = OK_RESULT;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]) && is_ok(r); i++) {
        int64_t n = 0;
        r = cfg_int(f, cfg_get(map, row[i].key), row[i].min, TRUST_PEOPLE_MAX, &n);
        *row[i].out = (uint32_t)n;
    }
    return r;
}

/* Says what the file is before its keys are held against it: a deployment has no kind. */
static struct result check_kind(const struct cfg_file *f)
{
    static const char *const kind[] = {"trust"};
    uint32_t i;
    if (cfg_get(f->root, "kind") == NULL)
        return cfg_fail(f, CFG_MISSING, f->root,
                        "the key kind is missing, so this is no trust document; one begins with "
                        "schema: 1 and kind: trust");
    return cfg_choice(f, cfg_get(f->root, "kind"), kind, 1, &i);
}

static struct result read_head(struct trust *t, const struct cfg_file *f)
{
    const struct cfg_node *root = f->root, *throwaway = cfg_get(root, "throwaway");
    int64_t version = 0;
    char parent[HASH_HEX_BYTES];
    TRY(check_kind(f));
    TRY(cfg_keys(f, root, CFG_IN_TRUST));
    TRY(cfg_schema(f));
    TRY(cfg_text(f, cfg_get(root, "host"), CFG_ID, t->host, sizeof(t->host)));
    TRY(cfg_int(f, cfg_get(root, "version"), 1, UINT32_MAX, &version));
    TRY(cfg_text(f, cfg_get(root, "parent"), CFG_HEX, parent, sizeof(parent)));
    t->version = (uint64_t)version;
    must(hash_from_hex(parent, t->parent));
    if (throwaway != NULL)
        TRY(cfg_bool(f, throwaway, &t->is_throwaway));
    return OK_RESULT;
}

static struct result read_all(struct trust *t, const struct cfg_file *f)
{
    char why[TRAIL_TEXT_BYTES];
    const struct cfg_node *revoked = cfg_get(f->root, "revoked");
    TRY(read_head(t, f));
    TRY(read_thresholds(t, f, cfg_get(f->root, "thresholds")));
    TRY(read_people(t, f, cfg_get(f->root, "people")));
    if (revoked != NULL)
        TRY(read_keys(t, f, revoked, TRUST_NOBODY));
    if (!trust_is_enough(t, why, sizeof(why)))
        return cfg_fail_key(f, CFG_CONFLICT, cfg_get(f->root, "people"), "%s", why);
    return OK_RESULT;
}

struct result trust_parse(const char *bytes, size_t count, const char *name, struct trust *out,
                          struct trail *tr)
{
    struct cfg_file *f = NULL;
    memset(out, 0, sizeof(*out));
    TRY(cfg_open_bytes(bytes, count, name, tr, &f));
    struct result r = read_all(out, f);
    memcpy(out->sha256, f->sha256, sizeof(out->sha256));
    cfg_close(f);
    if (!is_ok(r))
        memset(out, 0, sizeof(*out));
    return r;
}

/* ---- canonical text ---- */

static void print_keys(FILE *out, const struct trust *t, uint32_t person)
{
    const char *between = "";
    for (uint32_t i = 0; i < t->key_count; i++) {
        char text[SIGN_PUBLIC_TEXT];
        if (t->key[i].person != person)
            continue;
        sign_public_text(&t->key[i].key, text);
        fprintf(out, "%s\"%s\"", between, text);
        between = ", ";
    }
}

static void print_people(FILE *out, const struct trust *t)
{
    fprintf(out, "people:\n");
    for (uint32_t i = 0; i < t->people_count; i++) {
        const char *quote = cfg_is_ambiguous(t->person[i].name) ? "\"" : "";
        const char *between = "";
        fprintf(out, "  %s%s%s:\n    roles: [", quote, t->person[i].name, quote);
        for (uint32_t r = 0; r < ROLE_COUNT; r++)
            if (t->person[i].roles & 1u << r) {
                fprintf(out, "%s%s", between, role_name[r]);
                between = ", ";
            }
        fprintf(out, "]\n    keys: [");
        print_keys(out, t, i);
        fprintf(out, "]\n");
    }
}

struct result trust_print(const struct trust *t, char **text, struct trail *tr)
{
    size_t count;
    char parent[HASH_HEX_BYTES];
    bool has_revoked = false;
    const char *quote = cfg_is_ambiguous(t->host) ? "\"" : "";
    *text = NULL;
    FILE *out = open_memstream(text, &count);
    must(out != NULL);
    hash_hex(t->parent, parent);
    fprintf(out, "# Who may sign what for this host, and how many different people it takes.\n");
    fprintf(out, "schema: 1\nkind: trust\nhost: %s%s%s\nversion: %llu\nparent: \"%s\"\n", quote,
            t->host, quote, (unsigned long long)t->version, parent);
    fprintf(out, "thresholds: {root: %u, author: %u, operator: %u, risk: %u, request: %u}\n",
            t->need_root, t->need_author, t->need_operator, t->need_risk, t->need_request);
    print_people(out, t);
    for (uint32_t i = 0; i < t->key_count; i++)
        has_revoked |= t->key[i].is_revoked;
    if (has_revoked) {
        fprintf(out, "revoked: [");
        print_keys(out, t, TRUST_NOBODY);
        fprintf(out, "]\n");
    }
    if (t->is_throwaway)
        fprintf(out, "throwaway: true\n");
    must(fclose(out) == 0);
    struct trust *again = malloc(sizeof(*again)); /* what is written is what will be read */
    must(again != NULL);
    struct result r = trust_parse(*text, count, "trust document", again, tr);
    free(again);
    if (!is_ok(r)) {
        free(*text);
        *text = NULL;
    }
    return r;
}
