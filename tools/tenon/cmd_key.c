/* SPDX-License-Identifier: Apache-2.0
 *
 * key new and key list. A key is made on its owner's machine and its secret half never leaves it:
 * what is handed on is PERSON.pub, in minisign's format, so that anybody can check a signature with
 * the stock tool. The secret half is written first: a public key without its secret would be
 * trusted and useless.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/must.h"
#include "tools/tenon/keyring.h"
#include "tools/tenon/password.h"
#include "tools/tenon/save.h"

struct pair { /* one person's files */
    const char *person;
    char secret_path[PATHS_BYTES], public_path[PATHS_BYTES];
    char id[SIGN_ID_TEXT], text[SIGN_PUBLIC_TEXT];
};

/* ---- new ---- */
/* The folder with all above it, for its owner alone. */
static struct result make_folder(const char *dir, struct trail *tr)
{
    char path[PATHS_BYTES];
    struct stat st;
    snprintf(path, sizeof path, "%s", dir);
    for (char *at = path + 1; at != NULL; at = at[0] != 0 ? at + 1 : NULL) {
        at += strcspn(at, "/");
        const char was = *at;
        *at = 0;
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return FAIL(tr, NOT_PERMITTED,
                        "the folder of keys %.200s cannot be made (%s); name another with --keys",
                        path, strerrordesc_np(errno));
        *at = was;
    }
    if (stat(dir, &st) == 0 && S_ISDIR(st.st_mode))
        return OK_RESULT;
    return FAIL(tr, NOT_FOUND, "%.200s is not a folder; name one with --keys", dir);
}

static struct result prepare(const struct cli *cli, struct pair *p, struct trail *tr)
{
    char dir[PATHS_BYTES];
    struct stat st;
    must(cli->a.word_count == 1);
    p->person = cli->a.word[0];
    if (!keyring_is_person(p->person))
        return FAIL(
            tr, USAGE,
            "'%s' is no person's name: a small letter, then small letters, digits and _, at "
            "most %d",
            p->person, FACT_NAME_BYTES - 1);
    TRY(keyring_dir(cli, dir, tr));
    TRY(keyring_path(dir, p->person, "key", p->secret_path, tr));
    TRY(keyring_path(dir, p->person, "pub", p->public_path, tr));
    if (lstat(p->secret_path, &st) == 0 || lstat(p->public_path, &st) == 0)
        return FAIL(
            tr, STATE,
            "%s has a key in %.200s already, and it is not replaced; move %s.key and %s.pub "
            "away first",
            p->person, dir, p->person, p->person);
    return make_folder(dir, tr);
}

static struct result write_pair(const struct pair *p, const char *pem, struct trail *tr)
{
    char text[256];
    int n = snprintf(text, sizeof text, "untrusted comment: minisign public key %s\n%s\n", p->id,
                     p->text);
    must(n > 0 && (size_t)n < sizeof text);
    TRY(save_new(p->secret_path, 0600, pem, strlen(pem), tr));
    struct result r = save_new(p->public_path, 0644, text, (size_t)n, tr);
    if (!is_ok(r))
        remove(p->secret_path);
    return r;
}

static struct result make(const struct cli *cli, struct pair *p, struct trail *tr)
{
    char password[PASSWORD_BYTES], *pem = NULL;
    struct sign_secret *secret = NULL;
    TRY(prepare(cli, p, tr));
    TRY(password_get(cli, p->person, true, password, tr));
    struct result r = sign_secret_new(&secret, tr);
    if (is_ok(r))
        r = sign_secret_export(secret, password, &pem, tr);
    password_wipe(password);
    if (is_ok(r)) {
        sign_id_text(sign_secret_public(secret)->id, p->id);
        sign_public_text(sign_secret_public(secret), p->text);
        r = write_pair(p, pem, tr);
    }
    sign_secret_free(secret);
    free(pem);
    return r;
}

int cmd_KEY_NEW(const struct cli *cli)
{
    struct trail tr = {0};
    struct pair p;
    struct result r = make(cli, &p, &tr);
    if (!is_ok(r))
        return cli_fail(cli, r, &tr);
    if (cli->json)
        return cli_json(cli,
                        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s++}", "schema", "tenon.key.v1",
                                  "person", p.person, "key", p.id, "public", p.text, "secret_file",
                                  p.secret_path, "public_file", p.public_path, "trust", p.person,
                                  ":ROLE+ROLE:", p.public_path));
    printf("key %s of %s\n  secret  %s\n  public  %s  %s\n", p.id, p.person, p.secret_path,
           p.public_path, p.text);
    printf("%s:ROLE+ROLE:%s\n", p.person, p.public_path);
    cli_say(cli,
            "Hand the public file and the last line, with your roles in it, to who keeps the trust "
            "document; tell the key's id by another way. The secret file is nobody else's.");
    return cli_done(cli, 0);
}

/* ---- list ---- */
/* What is in the folder under one name; "" for a file that is not there. */
static struct result look(const char *dir, const char *person, struct pair *p, bool *open_to_others,
                          struct trail *tr)
{
    struct sign_public key;
    struct stat st;
    *p = (struct pair){.person = person};
    TRY(keyring_path(dir, person, "key", p->secret_path, tr));
    TRY(keyring_path(dir, person, "pub", p->public_path, tr));
    *open_to_others = false;
    if (lstat(p->secret_path, &st) != 0)
        p->secret_path[0] = 0;
    else
        *open_to_others = (st.st_mode & 077) != 0;
    if (lstat(p->public_path, &st) != 0) {
        p->public_path[0] = 0;
        return OK_RESULT;
    }
    TRY(keyring_public(p->public_path, &key, tr));
    sign_id_text(key.id, p->id);
    sign_public_text(&key, p->text);
    return OK_RESULT;
}

static void show(const struct cli *cli, const struct pair *p, bool open_to_others, json_t *list)
{
    const char *secret = p->secret_path[0] == 0 ? "no secret key here"
                         : open_to_others       ? "secret key readable by others: chmod 600"
                                                : "secret key";
    if (cli->json) {
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s, s:b, s:b}", "person", p->person, "key",
                                        p->id, "public", p->text, "secret", p->secret_path[0] != 0,
                                        "open_to_others", (int)open_to_others));
        return;
    }
    printf("%-12s %-16s  %s  %s\n", p->person, p->id[0] != 0 ? p->id : "no public key",
           p->text[0] != 0 ? p->text : "-", secret);
}

/* Rows in order of names up to the first file that is no key. */
static struct result list_keys(const struct cli *cli, const char *dir, json_t *list,
                               struct trail *tr)
{
    struct keyring_names names;
    TRY(keyring_list(dir, false, &names, tr));
    struct result r = OK_RESULT;
    for (size_t i = 0; i < names.count && is_ok(r); i++) {
        struct pair p;
        bool open_to_others;
        r = look(dir, names.name[i], &p, &open_to_others, tr);
        if (is_ok(r))
            show(cli, &p, open_to_others, list);
    }
    if (is_ok(r) && names.count == 0)
        cli_say(cli, "no keys in %s", dir);
    free(names.name);
    return r;
}

int cmd_KEY_LIST(const struct cli *cli)
{
    struct trail tr = {0};
    char dir[PATHS_BYTES];
    json_t *list = json_array();
    struct result r = keyring_dir(cli, dir, &tr);
    if (is_ok(r))
        r = list_keys(cli, dir, list, &tr);
    if (is_ok(r) && cli->json)
        return cli_json(cli, json_pack("{s:s, s:s, s:o}", "schema", "tenon.keys.v1", "folder", dir,
                                       "keys", list));
    json_decref(list);
    fflush(stdout);
    return is_ok(r) ? cli_done(cli, 0) : cli_fail(cli, r, &tr);
}
