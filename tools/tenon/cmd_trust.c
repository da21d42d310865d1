/* SPDX-License-Identifier: Apache-2.0
 *
 * trust init, show and revoke: trust documents are files that this tool writes and people with the
 * role root sign; the host takes one with trust rotate. Nothing here signs or decides. What is
 * written was parsed again by the reader that the host has, so a document that exists is one that
 * can be signed and acted on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/hash.h"
#include "base/must.h"
#include "deploy/cfg.h"
#include "deploy/gather.h"
#include "tools/tenon/save.h"
#include "tools/tenon/trusted.h"

/* ---- printing ---- */

static void roles_words(uint32_t roles, char out[64])
{
    size_t used = 0;
    out[0] = 0;
    for (uint32_t bit = 1; bit <= TRUST_RISK; bit <<= 1)
        if (roles & bit)
            used += (size_t)snprintf(out + used, 64 - used, "%s%s", used > 0 ? ", " : "",
                                     trust_role_name(bit));
}

static json_t *key_json(const struct trust *t, uint32_t i)
{
    char id[SIGN_ID_TEXT], text[SIGN_PUBLIC_TEXT];
    sign_id_text(t->key[i].key.id, id);
    sign_public_text(&t->key[i].key, text);
    return json_pack("{s:s, s:s}", "id", id, "public", text);
}

static json_t *keys_json(const struct trust *t, uint32_t person)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < t->key_count; i++)
        if (t->key[i].person == person)
            json_array_append_new(list, key_json(t, i));
    return list;
}

static json_t *people_json(const struct trust *t)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < t->people_count; i++) {
        json_t *roles = json_array();
        for (uint32_t bit = 1; bit <= TRUST_RISK; bit <<= 1)
            if (t->person[i].roles & bit)
                json_array_append_new(roles, json_string(trust_role_name(bit)));
        json_array_append_new(list, json_pack("{s:s, s:o, s:o}", "name", t->person[i].name, "roles",
                                              roles, "keys", keys_json(t, i)));
    }
    return list;
}

static json_t *trust_json(const struct trust *t, const char *path)
{
    char sha256[HASH_HEX_BYTES], parent[HASH_HEX_BYTES];
    hash_hex(t->sha256, sha256);
    hash_hex(t->parent, parent);
    json_t *needs = json_pack("{s:i, s:i, s:i, s:i, s:i}", "root", (int)t->need_root, "author",
                              (int)t->need_author, "operator", (int)t->need_operator, "risk",
                              (int)t->need_risk, "request", (int)t->need_request);
    return json_pack("{s:s, s:b, s:s, s:s, s:I, s:s, s:s, s:b, s:o, s:o, s:o}", "schema",
                     "tenon.trust.v1", "ok", 1, "from", path, "host", t->host, "version",
                     (json_int_t)t->version, "sha256", sha256, "parent", parent, "throwaway",
                     t->is_throwaway, "thresholds", needs, "people", people_json(t), "revoked",
                     keys_json(t, TRUST_NOBODY));
}

static void print_keys(const struct trust *t, uint32_t person, const char *name, const char *roles)
{
    for (uint32_t i = 0; i < t->key_count; i++) {
        char id[SIGN_ID_TEXT], text[SIGN_PUBLIC_TEXT];
        if (t->key[i].person != person)
            continue;
        sign_id_text(t->key[i].key.id, id);
        sign_public_text(&t->key[i].key, text);
        printf("%-10s %-28s key %s\n%39s %s\n", name, roles, id, "", text);
        name = roles = "";
    }
}

static void print_trust(const struct trust *t)
{
    char sha256[HASH_HEX_BYTES], parent[HASH_HEX_BYTES], roles[64];
    hash_hex(t->sha256, sha256);
    hash_hex(t->parent, parent);
    printf("Trust document of host %s, version %llu%s\n", t->host, (unsigned long long)t->version,
           t->is_throwaway ? " (throwaway keys: simulated accounts only)" : "");
    printf("sha256     %s\nparent     %s\n", sha256,
           t->version == 1 ? "none: it is the first" : parent);
    printf("it takes   root %u, author %u, operator %u, risk %u, request %u\n", t->need_root,
           t->need_author, t->need_operator, t->need_risk, t->need_request);
    for (uint32_t i = 0; i < t->people_count; i++) {
        roles_words(t->person[i].roles, roles);
        print_keys(t, i, t->person[i].name, roles);
    }
    print_keys(t, TRUST_NOBODY, "revoked", "trusted no more");
}

/* ---- writing ---- */

/* Writes the document, never over another file; reads its hash. */
static struct result put(struct trust *t, const char *path, struct trail *tr)
{
    char *text, why[TRAIL_TEXT_BYTES];
    if (!trust_is_enough(t, why, sizeof(why)))
        return FAIL(tr, STATE, "%s", why);
    TRY(trust_print(t, &text, tr));
    hash_sha256_once(text, strlen(text), t->sha256);
    struct result r = save_new(path, 0644, text, strlen(text), tr);
    free(text);
    return r;
}

static int say_written(const struct cli *cli, const struct trust *t, const char *path)
{
    struct trust_need need = {.root = t->need_root};
    char who[160];
    if (cli->json)
        return cli_json(cli, trust_json(t, path));
    print_trust(t);
    trust_count(t, NULL, 0, &need, who, sizeof(who));
    cli_say(cli, "%s is written; to be signed: %s", path, who);
    cli_say(cli, "next: tenon config sign %s --role root --key THEIR.key", path);
    if (t->version == 1)
        cli_say(cli, "then: tenon run --trust %s on the first start of a journal", path);
    else
        cli_say(cli, "then: tenon trust rotate %s", path);
    return cli_done(cli, 0);
}

/* ---- init ---- */

/* A key itself, or the file that has it. */
static struct result read_public(const char *text, struct sign_public *out, struct trail *tr)
{
    struct bundle *b = NULL;
    if (is_ok(sign_public_parse(text, strlen(text), text, out, NULL)))
        return OK_RESULT;
    TRY(gather_file(text, &b, tr));
    struct result r = sign_public_parse(b->file.bytes, b->file.count, text, out, tr);
    bundle_free(b);
    return r;
}

static struct result bad_spec(const char *spec, const char *why, struct trail *tr)
{
    return FAIL(tr, USAGE, "%.60s: %s; write NAME:ROLE+ROLE:PUBFILE, like bo:operator+risk:bo.pub",
                spec, why);
}

/* "operator+risk" to bits; 0 when a word is no role. */
static uint32_t read_roles(const char *words, size_t count)
{
    uint32_t roles = 0;
    char word[16];
    while (count > 0) {
        size_t n = strcspn(words, "+:");
        uint32_t role = TRUST_ROLE_UNSET;
        if (n < sizeof(word)) {
            snprintf(word, sizeof(word), "%.*s", (int)n, words);
            role = trust_role_by_name(word);
        }
        if (role == TRUST_ROLE_UNSET || (roles & role))
            return 0;
        roles |= role;
        if (n == count)
            return roles;
        words += n + 1;
        count -= n + 1;
    }
    return 0;
}

/* A person may come twice, with another key each time. */
static struct result person_of(struct trust *t, const char *spec, size_t name_count, uint32_t roles,
                               uint32_t *out, struct trail *tr)
{
    char name[FACT_NAME_BYTES];
    if (name_count >= sizeof(name))
        return bad_spec(spec, "the name is longer than 31 characters", tr);
    snprintf(name, sizeof(name), "%.*s", (int)name_count, spec);
    if (!cfg_is_form(name, CFG_ID))
        return bad_spec(spec, "a name is small letters, digits and _, beginning with a letter", tr);
    for (*out = 0; *out < t->people_count; (*out)++)
        if (strcmp(t->person[*out].name, name) == 0)
            break;
    if (*out == TRUST_PEOPLE_MAX)
        return FAIL(tr, FULL, "more than %d people; name fewer", (int)TRUST_PEOPLE_MAX);
    if (*out < t->people_count && t->person[*out].roles != roles)
        return bad_spec(spec, "named before with other roles", tr);
    if (*out == t->people_count) {
        memcpy(t->person[*out].name, name, sizeof(name));
        t->person[*out].roles = roles;
        t->people_count++;
    }
    return OK_RESULT;
}

static struct result add_person(struct trust *t, const char *spec, struct trail *tr)
{
    const char *first = strchr(spec, ':');
    const char *second = first != NULL ? strchr(first + 1, ':') : NULL;
    struct sign_public key;
    char id[SIGN_ID_TEXT];
    uint32_t person = TRUST_NOBODY;
    if (second == NULL || second[1] == 0)
        return bad_spec(spec, "a part is missing", tr);
    uint32_t roles = read_roles(first + 1, (size_t)(second - first - 1));
    if (roles == 0)
        return bad_spec(spec, "roles are root, author, operator and risk, each once", tr);
    TRY(person_of(t, spec, (size_t)(first - spec), roles, &person, tr));
    TRY(read_public(second + 1, &key, tr));
    sign_id_text(key.id, id);
    if (trust_key(t, key.id) != TRUST_NOBODY)
        return bad_spec(spec, "this key was named before, and a key has one owner", tr);
    if (t->key_count == TRUST_KEYS_MAX)
        return FAIL(tr, FULL, "more than %d keys; name fewer", (int)TRUST_KEYS_MAX);
    t->key[t->key_count].key = key;
    t->key[t->key_count++].person = person;
    return OK_RESULT;
}

int cmd_TRUST_INIT(const struct cli *cli)
{
    struct trail tr = {0};
    const char *host = cli->a.flag[FLAG_HOST].text;
    struct trust t = {.version = 1,
                      .need_root = 1,
                      .need_author = 1,
                      .need_operator = 1,
                      .need_risk = 1,
                      .need_request = 2};
    struct result r = OK_RESULT;
    must(cli->a.word_count >= 2);
    if (!cfg_is_form(host, CFG_ID) || strlen(host) >= sizeof(t.host))
        r = FAIL(&tr, USAGE,
                 "--host %.40s: a host's name is at most 31 small letters, digits and _, beginning "
                 "with a letter",
                 host);
    else
        memcpy(t.host, host, strlen(host) + 1);
    for (uint32_t i = 1; i < cli->a.word_count && is_ok(r); i++)
        r = add_person(&t, cli->a.word[i], &tr);
    if (is_ok(r))
        r = put(&t, cli->a.word[0], &tr);
    return is_ok(r) ? say_written(cli, &t, cli->a.word[0]) : cli_fail(cli, r, &tr);
}

/* ---- show ---- */

int cmd_TRUST_SHOW(const struct cli *cli)
{
    struct trail tr = {0};
    struct bundle *b = NULL;
    struct trusted t = {.registry = NULL};
    struct result r;
    if (cli->a.word_count > 0) {
        const char *path = cli->a.word[0];
        r = gather_file(path, &b, &tr);
        if (is_ok(r))
            r = trust_parse(b->file.bytes, b->file.count, path, &t.trust, &tr);
        snprintf(t.from, sizeof(t.from), "%s", path);
        bundle_free(b);
    } else {
        r = trusted_open(cli, &t, &tr);
        if (is_ok(r))
            r = trusted_need(&t, &tr);
    }
    int exit;
    if (!is_ok(r)) {
        exit = cli_fail(cli, r, &tr);
    } else if (cli->json) {
        exit = cli_json(cli, trust_json(&t.trust, t.from));
    } else {
        print_trust(&t.trust);
        exit = cli_done(cli, 0);
    }
    trusted_close(&t);
    return exit;
}

/* ---- revoke ---- */

/* By key id, in any case, or by the key itself. */
static uint32_t find_key(const struct trust *t, const char *word)
{
    struct sign_public key;
    char id[SIGN_ID_TEXT];
    if (is_ok(sign_public_parse(word, strlen(word), word, &key, NULL)))
        return trust_key(t, key.id);
    for (uint32_t i = 0; i < t->key_count; i++) {
        sign_id_text(t->key[i].key.id, id);
        if (strcasecmp(id, word) == 0)
            return i;
    }
    return TRUST_NOBODY;
}

/* Nobody without a key is listed. */
static void drop_person(struct trust *t, uint32_t person)
{
    for (uint32_t i = 0; i < t->key_count; i++)
        if (t->key[i].person == person)
            return;
    for (uint32_t i = person; i + 1 < t->people_count; i++)
        t->person[i] = t->person[i + 1];
    t->people_count--;
    memset(&t->person[t->people_count], 0, sizeof(t->person[0]));
    for (uint32_t i = 0; i < t->key_count; i++)
        if (!t->key[i].is_revoked && t->key[i].person > person)
            t->key[i].person--;
}

static struct result take_key(struct trust *t, const char *word, const char *from, struct trail *tr)
{
    uint32_t key = find_key(t, word);
    if (key == TRUST_NOBODY)
        return FAIL(tr, NOT_FOUND,
                    "%.60s: no such key in %.120s (version %llu); tenon trust show lists them",
                    word, from, (unsigned long long)t->version);
    if (t->key[key].is_revoked)
        return FAIL(tr, STATE, "%.60s: is revoked already, by version %llu or one before it", word,
                    (unsigned long long)t->version);
    uint32_t person = t->key[key].person;
    t->key[key].is_revoked = true;
    t->key[key].person = TRUST_NOBODY;
    drop_person(t, person);
    memcpy(t->parent, t->sha256, sizeof(t->parent));
    t->version++;
    return OK_RESULT;
}

int cmd_TRUST_REVOKE(const struct cli *cli)
{
    struct trail tr = {0};
    struct trusted t = {.registry = NULL};
    const char *path = cli->a.flag[FLAG_OUT].text;
    must(cli->a.word_count == 1);
    struct result r = trusted_open(cli, &t, &tr);
    if (is_ok(r))
        r = trusted_need(&t, &tr);
    if (is_ok(r))
        r = take_key(&t.trust, cli->a.word[0], t.from, &tr);
    if (is_ok(r))
        r = put(&t.trust, path, &tr);
    int exit = is_ok(r) ? say_written(cli, &t.trust, path) : cli_fail(cli, r, &tr);
    trusted_close(&t);
    return exit;
}
