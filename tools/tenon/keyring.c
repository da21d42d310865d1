/* SPDX-License-Identifier: Apache-2.0
 *
 * See keyring.h. Whose key it is stands in its file's name and nowhere else: a key has no name, and
 * the trust document says whom it stands for. The name of a signature file comes from there too.
 *
 * A secret key that group or others can read is refused although it is encrypted: its password can
 * then be tried at leisure by whoever took a copy.
 */
#include "tools/tenon/keyring.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/must.h"
#include "deploy/cfg.h"
#include "tools/tenon/password.h"

enum { KEY_BYTES_MAX = 4096 };

struct result keyring_dir(const struct cli *cli, char out[PATHS_BYTES], struct trail *tr)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    const char *given = args_text(&cli->a, FLAG_KEYS, NULL);
    int n = 0;
    if (given != NULL)
        n = snprintf(out, PATHS_BYTES, "%s", given);
    else if (config != NULL && config[0] == '/')
        n = snprintf(out, PATHS_BYTES, "%s/tenon/keys", config);
    else if (home != NULL && home[0] == '/')
        n = snprintf(out, PATHS_BYTES, "%s/.config/tenon/keys", home);
    else
        return FAIL(tr, NOT_FOUND, "there is no home folder to keep keys in; name one with --keys");
    if (n >= PATHS_BYTES)
        return FAIL(tr, TOO_LARGE, "the path of the folder of keys is longer than %d bytes",
                    PATHS_BYTES - 1);
    return OK_RESULT;
}

struct result keyring_path(const char *dir, const char *person, const char *suffix,
                           char out[PATHS_BYTES], struct trail *tr)
{
    int n = snprintf(out, PATHS_BYTES, "%s/%s.%s", dir, person, suffix);
    if (n < 0 || n >= PATHS_BYTES)
        return FAIL(tr, TOO_LARGE, "the path of the folder of keys is longer than %d bytes",
                    PATHS_BYTES - FACT_NAME_BYTES - 5);
    return OK_RESULT;
}

bool keyring_is_person(const char *name)
{
    return strlen(name) < FACT_NAME_BYTES && cfg_is_form(name, CFG_ID);
}

/* "ana.key" and ".key" give ana; false when it is no such name. */
static bool person_of(const char *file, const char *suffix, char out[FACT_NAME_BYTES])
{
    size_t all = strlen(file), tail = strlen(suffix);
    if (all <= tail || all - tail >= FACT_NAME_BYTES || strcmp(file + all - tail, suffix) != 0)
        return false;
    memcpy(out, file, all - tail);
    out[all - tail] = 0;
    return keyring_is_person(out);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void sort_once(struct keyring_names *names)
{
    size_t kept = 0;
    if (names->count > 0)
        qsort(names->name, names->count, sizeof *names->name, by_name);
    for (size_t i = 0; i < names->count; i++)
        if (kept == 0 || strcmp(names->name[kept - 1], names->name[i]) != 0)
            memmove(names->name[kept++], names->name[i], sizeof *names->name);
    names->count = kept;
}

struct result keyring_list(const char *dir, bool secret_only, struct keyring_names *out,
                           struct trail *tr)
{
    const struct dirent *e;
    char person[FACT_NAME_BYTES];
    DIR *d = opendir(dir);
    *out = (struct keyring_names){0};
    if (d == NULL)
        return FAIL(tr, NOT_FOUND,
                    "the folder of keys %.200s cannot be read (%s); name one with --keys, or make "
                    "a key: tenon key new",
                    dir, strerrordesc_np(errno));
    while ((e = readdir(d)) != NULL) {
        if (!person_of(e->d_name, ".key", person) &&
            (secret_only || !person_of(e->d_name, ".pub", person)))
            continue;
        out->name = realloc(out->name, (out->count + 1) * sizeof *out->name);
        must(out->name != NULL);
        memcpy(out->name[out->count++], person, sizeof person);
    }
    closedir(d);
    sort_once(out);
    return OK_RESULT;
}

/* Whole, no link, at most KEY_BYTES_MAX. */
static struct result read_file(const char *path, bool is_secret, char out[KEY_BYTES_MAX + 1],
                               size_t *count, struct trail *tr)
{
    struct stat st;
    struct result r = OK_RESULT;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return FAIL_AS(tr, errno == ENOENT ? RESULT_OF(NOT_FOUND) : RESULT_OF(NOT_PERMITTED),
                       "the key %.200s cannot be opened (%s); check path and owner", path,
                       strerrordesc_np(errno));
    ssize_t n = 0;
    *count = 0;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        r = FAIL(tr, SYNTAX, "the key %.200s is not a regular file; name the file itself", path);
    else if (is_secret && (st.st_mode & 077) != 0)
        r = FAIL(
            tr, NOT_PERMITTED,
            "the secret key %.200s can be read by others (mode %03o): run chmod 600 on it, and "
            "make a new one if others had access",
            path, (unsigned)(st.st_mode & 0777));
    while (is_ok(r) && *count <= KEY_BYTES_MAX &&
           (n = read(fd, out + *count, KEY_BYTES_MAX + 1 - *count)) > 0)
        *count += (size_t)n;
    if (is_ok(r) && n < 0)
        r = FAIL(tr, IO, "the key %.200s cannot be read (%s); check the disk", path,
                 strerrordesc_np(errno));
    if (is_ok(r) && *count > KEY_BYTES_MAX)
        r = FAIL(tr, TOO_LARGE, "the key %.200s is larger than %d bytes, so it is none", path,
                 KEY_BYTES_MAX);
    close(fd);
    return r;
}

struct result keyring_public(const char *path, struct sign_public *out, struct trail *tr)
{
    char text[KEY_BYTES_MAX + 1];
    size_t count = 0;
    TRY(read_file(path, false, text, &count, tr));
    return sign_public_parse(text, count, path, out, tr);
}

/* ---- the key to sign with ---- */
static struct result only_one(const struct cli *cli, struct keyring_key *out, struct trail *tr)
{
    char dir[PATHS_BYTES];
    struct keyring_names names;
    TRY(keyring_dir(cli, dir, tr));
    TRY(keyring_list(dir, true, &names, tr));
    struct result r = OK_RESULT;
    if (names.count == 0)
        r = FAIL(tr, NOT_FOUND, "there is no PERSON.key in %.200s; name one with --key", dir);
    else if (names.count > 1)
        r = FAIL(tr, USAGE, "there are %zu keys in %.200s (%s, %s%s); name yours with --key",
                 names.count, dir, names.name[0], names.name[1], names.count > 2 ? ", ..." : "");
    else
        memcpy(out->person, names.name[0], sizeof out->person);
    free(names.name);
    return is_ok(r) ? keyring_path(dir, out->person, "key", out->path, tr) : r;
}

static struct result find(const struct cli *cli, struct keyring_key *out, struct trail *tr)
{
    const char *given = args_text(&cli->a, FLAG_KEY, NULL);
    if (given == NULL)
        return only_one(cli, out, tr);
    const char *slash = strrchr(given, '/');
    snprintf(out->path, sizeof out->path, "%s", given);
    if (!person_of(slash != NULL ? slash + 1 : given, ".key", out->person))
        return FAIL(tr, USAGE,
                    "the key %.200s does not say whose it is; name the file PERSON.key, PERSON as "
                    "in the trust document",
                    given);
    return OK_RESULT;
}

struct result keyring_open(const struct cli *cli, struct keyring_key *out, struct trail *tr)
{
    char pem[KEY_BYTES_MAX + 1], password[PASSWORD_BYTES];
    size_t count = 0;
    memset(out, 0, sizeof *out);
    TRY(find(cli, out, tr));
    TRY(read_file(out->path, true, pem, &count, tr));
    TRY(password_get(cli, out->person, false, password, tr));
    struct result r = sign_secret_import(pem, count, password, out->path, &out->secret, tr);
    password_wipe(password);
    return r;
}
