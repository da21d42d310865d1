/* SPDX-License-Identifier: Apache-2.0
 *
 * secret add, list, rotate, remove: the file of secrets of tenon-egress (egress/secret.h). A secret
 * is added for simulated accounts or for live ones, and egress uses it for no other. The fields
 * come from a descriptor or the terminal, never from an argument, which others can read. After a
 * change a running tenon-egress is told at its door to read the file again; it holds the key of the
 * file, so nobody types the password twice.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/must.h"
#include "egress/secret.h"
#include "egress/secret_ask.h"
#include "egress/store.h"
#include "gateway/client.h"
#include "tools/tenon/cli.h"
#include "tools/tenon/password.h"

struct change {
    const struct cli *cli;
    const char *name;
    char state[PATHS_BYTES], path[PATHS_BYTES + 16];
    bool is_new;           /* the file, made by this command */
    enum secret_kind kind; /* of the secret, when it is added */
    struct secrets *secrets;
    struct secret_field field[SECRET_FIELDS_MAX];
    uint32_t field_count;
};

static struct result path_of(const struct cli *cli, struct change *c, struct trail *tr)
{
    const char *given = args_text(&cli->a, FLAG_STATE, NULL);
    memset(c, 0, sizeof *c);
    c->cli = cli;
    c->name = cli->a.word_count > 0 ? cli->a.word[0] : "";
    if (given != NULL)
        snprintf(c->state, sizeof c->state, "%s", given);
    else
        TRY(paths_state("egress", c->state, tr));
    snprintf(c->path, sizeof c->path, "%s/secrets", c->state);
    return OK_RESULT;
}

/* ---- fields ---- */
static struct result add_field(struct change *c, const char *line, struct trail *tr)
{
    const size_t n = strlen(line);
    if (c->field_count == SECRET_FIELDS_MAX)
        return FAIL(tr, TOO_LARGE, "a secret has at most %d fields, each a line",
                    SECRET_FIELDS_MAX);
    if (n == 0 || n > SECRET_FIELD_BYTES)
        return FAIL(tr, RANGE, "field %u has %zu bytes; 1 to %d are possible", c->field_count + 1,
                    n, SECRET_FIELD_BYTES);
    struct secret_field *f = &c->field[c->field_count++];
    f->count = (uint32_t)n;
    memcpy(f->bytes, line, n);
    return OK_RESULT;
}

static struct result fields_from_fd(struct change *c, int fd, struct trail *tr)
{
    char line[SECRET_FIELD_BYTES + 1];
    struct result r = OK_RESULT;
    while (is_ok(r)) {
        r = secret_ask_line(fd, line, sizeof line, tr);
        if (is_ok(r))
            r = add_field(c, line, tr);
    }
    secret_ask_wipe(line, sizeof line);
    if (r.code != RESULT_END)
        return r;
    return c->field_count > 0
               ? OK_RESULT
               : FAIL(tr, MISSING, "--secret-fd %d: there is no line; write the fields, one a line",
                      fd);
}

/* A person is asked for the two that nearly every venue has. */
static struct result fields_from_terminal(struct change *c, struct trail *tr)
{
    static const char *const prompt[] = {"Key (field 1)", "Secret (field 2)"};
    char line[PASSWORD_BYTES];
    struct result r = OK_RESULT;
    for (uint32_t i = 0; i < 2 && is_ok(r); i++) {
        r = password_ask_line(prompt[i], line, tr);
        if (is_ok(r))
            r = add_field(c, line, tr);
        password_wipe(line);
    }
    return r;
}

static struct result gather_fields(struct change *c, struct trail *tr)
{
    if (args_has(&c->cli->a, FLAG_SECRET_FD))
        return fields_from_fd(c, (int)c->cli->a.flag[FLAG_SECRET_FD].value, tr);
    return fields_from_terminal(c, tr);
}

/* ---- the file ---- */
static struct result open_file(struct change *c, bool may_make, struct trail *tr)
{
    char password[PASSWORD_BYTES];
    uint8_t *bytes = NULL;
    size_t count = 0;
    struct result r = secret_read(c->path, &bytes, &count, tr);
    if (r.code == RESULT_NOT_FOUND && may_make) {
        memset(tr, 0, sizeof *tr);
        c->is_new = true;
        r = OK_RESULT;
    }
    if (is_ok(r))
        r = password_get(c->cli, "secrets", c->is_new, password, tr);
    if (is_ok(r))
        r = c->is_new ? secret_new(password, 0, &c->secrets, tr)
                      : secret_open(bytes, count, password, c->path, &c->secrets, tr);
    password_wipe(password);
    free(bytes);
    return r;
}

static struct result write_file(struct change *c, struct trail *tr)
{
    uint8_t *bytes = NULL;
    size_t count = 0;
    if (c->is_new)
        TRY(store_make_folder(c->state, tr));
    TRY(secret_seal(c->secrets, &bytes, &count, tr));
    struct result r = secret_write(c->path, bytes, count, tr);
    free(bytes);
    return r;
}

/* NULL = it uses the change now; else why not. */
static const char *tell_egress(const struct cli *cli, struct complaint *c)
{
    struct trail tr = {0};
    char path[PATHS_SOCKET_BYTES];
    json_t *result = NULL;
    const char *door = args_text(&cli->a, FLAG_DOOR, NULL);
    if (door == NULL && !is_ok(paths_egress_find("door", path, &tr)))
        return "no tenon-egress is running";
    struct client_options o = {.socket_path = door != NULL ? door : path};
    struct result r = client_call(&o, "egress secrets", NULL, &result, c);
    json_decref(result);
    if (is_ok(r))
        return NULL;
    return r.code == RESULT_UNREACHABLE ? "no tenon-egress is running" : c->what;
}

static int done(struct change *c, const char *what)
{
    struct complaint complaint = {0};
    const char *why = tell_egress(c->cli, &complaint);
    const uint32_t count = secret_count(c->secrets);
    secret_free(c->secrets);
    secret_ask_wipe(c->field, sizeof c->field);
    if (c->cli->json)
        return cli_json(c->cli, json_pack("{s:s, s:s, s:s, s:s, s:i, s:b, s:s}", "schema",
                                          "tenon.secret.v1", "name", c->name, "did", what, "file",
                                          c->path, "count", (int)count, "in_use", why == NULL,
                                          "why", why != NULL ? why : ""));
    cli_say(c->cli, "secret %s is %s in %s (%u in all)", c->name, what, c->path, count);
    if (why == NULL)
        cli_say(c->cli, "tenon-egress uses it now");
    else
        cli_say(c->cli, "tenon-egress was not told: %s", why);
    return cli_done(c->cli, 0);
}

static int failed(struct change *c, struct result r, const struct trail *tr)
{
    secret_free(c->secrets);
    secret_ask_wipe(c->field, sizeof c->field);
    return cli_fail(c->cli, r, tr);
}

/* What the secret is for is said, never guessed: there is no default. */
static struct result read_kind(struct change *c, struct trail *tr)
{
    const char *text = args_text(&c->cli->a, FLAG_FOR_KIND, "");
    for (uint32_t k = SECRET_SIMULATED; k <= SECRET_LIVE; k++) {
        if (strcmp(text, secret_kind_text(k)) == 0)
            c->kind = (enum secret_kind)k;
    }
    return c->kind != SECRET_KIND_UNSET
               ? OK_RESULT
               : FAIL(
                     tr, USAGE,
                     "--for %.40s: is neither simulated nor live; tenon-egress uses the secret for "
                     "accounts of that kind only",
                     text);
}

/* The password is read first: one descriptor can hand over both, the password in its first line. */
static int put(const struct cli *cli, bool replace)
{
    struct trail tr = {0};
    struct change c;
    struct result r = path_of(cli, &c, &tr);
    if (is_ok(r) && !secret_is_name(c.name))
        r = FAIL(&tr, SYNTAX,
                 "'%.60s' is no name of a secret: small letters, digits, _ and -, at most %d",
                 c.name, SECRET_NAME_BYTES - 1);
    if (is_ok(r) && !replace)
        r = read_kind(&c, &tr);
    if (is_ok(r))
        r = open_file(&c, !replace, &tr);
    if (is_ok(r))
        r = gather_fields(&c, &tr);
    if (is_ok(r))
        r = replace ? secret_rotate(c.secrets, c.name, c.field, c.field_count, &tr)
                    : secret_add(c.secrets, c.name, c.kind, c.field, c.field_count, &tr);
    if (is_ok(r))
        r = write_file(&c, &tr);
    return is_ok(r) ? done(&c, replace ? "rotated" : "added") : failed(&c, r, &tr);
}

int cmd_SECRET_ADD(const struct cli *cli)
{
    return put(cli, false);
}

int cmd_SECRET_ROTATE(const struct cli *cli)
{
    return put(cli, true);
}

int cmd_SECRET_REMOVE(const struct cli *cli)
{
    struct trail tr = {0};
    struct change c;
    struct result r = path_of(cli, &c, &tr);
    if (is_ok(r))
        r = open_file(&c, false, &tr);
    if (is_ok(r))
        r = secret_remove(c.secrets, c.name, &tr);
    if (is_ok(r))
        r = write_file(&c, &tr);
    return is_ok(r) ? done(&c, "removed") : failed(&c, r, &tr);
}

int cmd_SECRET_LIST(const struct cli *cli)
{
    struct trail tr = {0};
    struct change c;
    struct secret_clear listed[SECRET_NAMES_MAX];
    uint32_t n = 0;
    uint8_t *bytes = NULL;
    size_t count = 0;
    struct result r = path_of(cli, &c, &tr);
    if (is_ok(r))
        r = secret_read(c.path, &bytes, &count, &tr);
    if (is_ok(r))
        r = secret_list(bytes, count, c.path, listed, &n, &tr);
    free(bytes);
    if (!is_ok(r))
        return cli_fail(cli, r, &tr);
    json_t *list = json_array(), *kinds = json_array();
    for (uint32_t i = 0; i < n; i++) {
        const char *kind = secret_kind_text(listed[i].kind);
        json_array_append_new(list, json_string(listed[i].name));
        json_array_append_new(kinds, json_string(kind));
        if (!cli->json)
            printf("%-32s %s\n", listed[i].name, kind);
    }
    if (cli->json)
        return cli_json(cli, json_pack("{s:s, s:s, s:o, s:o}", "schema", "tenon.secrets.v1", "file",
                                       c.path, "names", list, "for", kinds));
    json_decref(list);
    json_decref(kinds);
    cli_say(cli, "%u secrets in %s; without their password nothing proves these names", n, c.path);
    return cli_done(cli, 0);
}
