/* SPDX-License-Identifier: Apache-2.0
 *
 * One pass over argv. A flag means the same in every command, so whether it takes a value is known
 * before the command is; whether this command takes it at all is judged once the words are in.
 * getopt is not used: it permutes argv, accepts shortened flags (`--jo`), lets a flag be given
 * twice, and says nothing of conflicts; each of these has cost someone money on a trading host.
 *
 * A value that looks like a secret is refused and not repeated in the message: command lines are
 * visible to all users of the machine and live on in shell histories.
 */
#include "gateway/args.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "base/clock.h"
#include "base/must.h"
#include "base/num.h"

static const char *place(const struct args *a)
{
    return a->command != COMMAND_UNSET ? command_name(a->command) : "tenon";
}

#define REFUSE(a, c, ...) complaint_make((c), RESULT_OF(USAGE), place(a), __VA_ARGS__)

static void hint_help(const struct args *a, struct complaint *c)
{
    if (a->command == COMMAND_UNSET)
        complaint_next(c, "tenon help");
    else
        complaint_next(c, "tenon help %s", command_name(a->command));
}

/* ---- secrets ---- */
static const char *const secret_words[] = {"password", "passwd",     "passphrase", "secret",
                                           "token",    "api-key",    "apikey",     "api-secret",
                                           "private",  "credential", "auth",       "bearer"};

static bool has_secret_word(const char *text, size_t count)
{
    char low[48];
    size_t n = count < sizeof low - 1 ? count : sizeof low - 1;
    for (size_t i = 0; i < n; i++)
        low[i] = text[i] == '_' ? '-' : (char)tolower((unsigned char)text[i]);
    low[n] = '\0';
    if (strcmp(low, "author") == 0) /* a role, as in NAME:author:PUBFILE */
        return false;
    for (size_t i = 0; i < sizeof secret_words / sizeof secret_words[0]; i++) {
        if (strstr(low, secret_words[i]))
            return true;
    }
    return strcmp(low, "key") == 0 || strcmp(low, "pass") == 0;
}

bool args_looks_secret(const char *text)
{
    if (strstr(text, "PRIVATE KEY") || strstr(text, "minisign encrypted secret key"))
        return true;
    const char *url = strstr(text, "://");
    if (url) {
        const char *at = strchr(url + 3, '@');
        const char *colon = strchr(url + 3, ':');
        if (at && colon && colon < at)
            return true;
    }
    /* name=value or name:value with a name that means a secret and a value of some length */
    for (const char *p = text; *p; p++) {
        size_t name = strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_");
        if (name == 0)
            continue;
        if ((p[name] == '=' || p[name] == ':') && strlen(p + name + 1) >= 4 &&
            !isblank((unsigned char)p[name + 1]) && has_secret_word(p, name))
            return true;
        p += name - 1;
    }
    return false;
}

static struct result refuse_secret(const struct args *a, struct complaint *c, const char *what)
{
    REFUSE(a, c, "%s looks like a secret; it was not read and is not shown", what);
    complaint_why(c, "every user of this machine can read command lines");
    complaint_next(c, "give secrets by prompt, standard input or systemd credentials, and change "
                      "this one: it is in your shell history");
    return c->rc;
}

/* ---- values ---- */
static bool is_printable(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || (unsigned char)*text == 0x7f)
            return false;
    }
    return true;
}

static bool is_name(const char *text)
{
    size_t count = strlen(text);
    if (count == 0 || count > ARGS_NAME_MAX || text[0] == '-')
        return false;
    for (; *text; text++) {
        if (!isalnum((unsigned char)*text) && !strchr("._-:/", *text))
            return false;
    }
    return true;
}

static struct result count_of(const struct args *a, const char *what, const char *text, int64_t min,
                              int64_t max, int64_t *out, struct complaint *c)
{
    size_t digits = strspn(text, "0123456789");
    bool plain = digits > 0 && text[digits] == '\0' && (digits == 1 || text[0] != '0');
    if (!plain || !is_ok(num_parse(text, digits, 0, false, out)) || *out < min || *out > max) {
        REFUSE(a, c, "%s: '%s' is not a whole number from %lld to %lld", what, text, (long long)min,
               (long long)max);
        complaint_next(c, "plain decimal digits, no sign, no 0x, no blanks");
        return c->rc;
    }
    return OK_RESULT;
}

static struct result time_of(const struct args *a, const char *what, const char *text, int64_t min,
                             int64_t max, int64_t *out, struct complaint *c)
{
    if (!is_ok(clock_parse_duration(text, strlen(text), out)) || *out < min || *out > max) {
        REFUSE(a, c, "%s: '%s' is not a duration from %lldms to %lldd", what, text,
               (long long)(min / 1000000), (long long)(max / 86400000000000));
        complaint_next(c, "a whole number and a unit: 250ms, 90s, 10m, 2h, 1d");
        return c->rc;
    }
    return OK_RESULT;
}

static struct result ratio_of(const struct args *a, const char *what, const char *text, int64_t min,
                              int64_t max, int64_t *out, struct complaint *c)
{
    if (!is_ok(num_parse(text, strlen(text), -3, false, out)) || *out < min || *out > max) {
        char low[NUM_TEXT_BYTES], high[NUM_TEXT_BYTES];
        num_print(min, -3, low);
        num_print(max, -3, high);
        REFUSE(a, c, "%s: '%s' is not a number from %s to %s", what, text, low, high);
        complaint_next(c, "a plain decimal with at most three places: 1, 60, 0.5");
        return c->rc;
    }
    return OK_RESULT;
}

static struct result path_of(const struct args *a, const char *what, const char *text,
                             struct complaint *c)
{
    if (strcmp(text, "-") == 0)
        REFUSE(a, c, "%s: '-' (standard input) is not a file", what);
    else if (strlen(text) > ARGS_PATH_MAX)
        REFUSE(a, c, "%s: the path has %zu characters, at most %d are possible", what, strlen(text),
               ARGS_PATH_MAX);
    else if (!is_printable(text))
        REFUSE(a, c, "%s: the path '%.80s' has control characters in it", what, text);
    else
        return OK_RESULT;
    complaint_next(c, "give the plain path of the file itself");
    return c->rc;
}

static bool is_choice(const char *choices, const char *text)
{
    const char *begin;
    size_t count;
    for (uint32_t i = 0; (count = command_choice(choices, i, &begin)) != 0; i++) {
        if (strlen(text) == count && memcmp(begin, text, count) == 0)
            return true;
    }
    return false;
}

static struct result choice_of(const struct args *a, const char *what, const char *text,
                               const char *choices, struct complaint *c)
{
    if (is_choice(choices, text))
        return OK_RESULT;
    REFUSE(a, c, "%s: '%s' is none of: %s", what, text, choices);
    hint_help(a, c);
    return c->rc;
}

static struct result text_of(const struct args *a, const char *what, const char *text,
                             uint32_t type, struct complaint *c)
{
    if (type == VALUE_NAME && !is_name(text)) {
        REFUSE(a, c, "%s: '%.80s' is not a name", what, text);
        complaint_next(c, "letters, digits and . _ - : /, at most %d of them", ARGS_NAME_MAX);
        return c->rc;
    }
    size_t max = type == VALUE_WORD ? ARGS_PATH_MAX : ARGS_TEXT_MAX;
    if (strlen(text) > max || !is_printable(text) || (type != VALUE_TEXT && strpbrk(text, " \t"))) {
        REFUSE(a, c, "%s: '%.80s' is not one printable %s of at most %zu characters", what, text,
               type == VALUE_TEXT ? "line" : "word", max);
        hint_help(a, c);
        return c->rc;
    }
    return OK_RESULT;
}

/* Judges one value by its type; *out is set for numbers. */
static struct result judge(const struct args *a, const char *what, const char *text, uint32_t type,
                           int64_t min, int64_t max, const char *choices, int64_t *out,
                           struct complaint *c)
{
    if (args_looks_secret(text))
        return refuse_secret(a, c, what);
    if (text[0] == '\0') {
        REFUSE(a, c, "%s: the value is empty", what);
        hint_help(a, c);
        return c->rc;
    }
    switch (type) {
    case VALUE_COUNT:
        return count_of(a, what, text, min, max, out, c);
    case VALUE_TIME:
        return time_of(a, what, text, min, max, out, c);
    case VALUE_RATIO:
        return ratio_of(a, what, text, min, max, out, c);
    case VALUE_FILE:
    case VALUE_DIR:
    case VALUE_PATH:
        return path_of(a, what, text, c);
    case VALUE_CHOICE:
        return choice_of(a, what, text, choices, c);
    default:
        return text_of(a, what, text, type, c);
    }
}

struct result args_set(struct args *a, uint32_t flag, const char *text, struct complaint *c)
{
    const struct command_flag_row *row = command_flag_row(flag);
    char what[48];
    snprintf(what, sizeof what, "--%s", row->name);
    if (a->flag[flag].text) {
        REFUSE(a, c, "%s is given twice", what);
        complaint_next(c, "give it once");
        return c->rc;
    }
    if (row->type != VALUE_SWITCH)
        TRY(judge(a, what, text, row->type, row->min, row->max, "", &a->flag[flag].value, c));
    a->flag[flag].text = row->type == VALUE_SWITCH ? "" : text;
    return OK_RESULT;
}

struct result args_add_word(struct args *a, const char *text, struct complaint *c)
{
    must(a->command != COMMAND_UNSET);
    int64_t unused = 0;
    const struct command_arg_row *row = command_arg(a->command, a->word_count);
    bool asks_secret = a->command == COMMAND_SECRET_ADD || a->command == COMMAND_SECRET_ROTATE;
    if (args_looks_secret(text) || (!row && asks_secret))
        return refuse_secret(a, c, "an argument");
    if (!row || a->word_count == ARGS_WORDS_MAX) {
        REFUSE(a, c, "'%.80s' is one argument too many", text);
        hint_help(a, c);
        return c->rc;
    }
    TRY(judge(a, row->meta, text, row->type, 0, 0, row->choices, &unused, c));
    a->word[a->word_count++] = text;
    return OK_RESULT;
}

/* ---- the end ---- */
static struct result finish_pairs(const struct args *a, struct complaint *c)
{
    for (size_t i = 0; i < command_conflicts_count; i++) {
        const struct command_pair_row *p = &command_conflicts[i];
        if (p->command != a->command || !a->flag[p->a].text || !a->flag[p->b].text)
            continue;
        REFUSE(a, c, "--%s and --%s exclude each other", command_flag_row(p->a)->name,
               command_flag_row(p->b)->name);
        complaint_why(c, "%s", p->why);
        complaint_next(c, "leave one of them out");
        return c->rc;
    }
    for (size_t i = 0; i < command_needs_count; i++) {
        const struct command_pair_row *p = &command_needs[i];
        if (p->command != a->command || !a->flag[p->a].text || a->flag[p->b].text)
            continue;
        REFUSE(a, c, "--%s needs --%s", command_flag_row(p->a)->name, command_flag_row(p->b)->name);
        complaint_why(c, "%s", p->why);
        complaint_next(c, "add --%s %s", command_flag_row(p->b)->name,
                       command_flag_row(p->b)->meta);
        return c->rc;
    }
    return OK_RESULT;
}

struct result args_finish(const struct args *a, struct complaint *c)
{
    must(a->command != COMMAND_UNSET);
    if (a->flag[FLAG_HELP].text)
        return OK_RESULT;
    const struct command_arg_row *missing = command_arg(a->command, a->word_count);
    if (missing && missing->needed && !(missing->many && a->word_count > 0)) {
        REFUSE(a, c, "%s is missing: %s", missing->meta, missing->text);
        hint_help(a, c);
        return c->rc;
    }
    for (size_t i = 0; i < command_uses_count; i++) {
        const struct command_use_row *use = &command_uses[i];
        if (use->command != a->command || !use->needed || a->flag[use->flag].text)
            continue;
        REFUSE(a, c, "--%s is missing: %s", command_flag_row(use->flag)->name, use->text);
        complaint_next(c, "add --%s %s", command_flag_row(use->flag)->name,
                       command_flag_row(use->flag)->meta);
        return c->rc;
    }
    return finish_pairs(a, c);
}

const char *args_text(const struct args *a, enum command_flag flag, const char *otherwise)
{
    return a->flag[flag].text ? a->flag[flag].text : otherwise;
}

/* ---- files ---- */
static struct result check_file(const struct args *a, const char *what, const char *path,
                                struct complaint *c)
{
    struct stat st;
    if (lstat(path, &st) != 0) {
        complaint_make(c, errno == ENOENT ? RESULT_OF(NOT_FOUND) : RESULT_OF(IO), place(a),
                       "%s: no file '%s': %s", what, path, strerror(errno));
        return c->rc;
    }
    if (S_ISREG(st.st_mode))
        return OK_RESULT;
    REFUSE(a, c, "%s: '%s' is %s, not a regular file", what, path,
           S_ISLNK(st.st_mode)   ? "a symbolic link"
           : S_ISDIR(st.st_mode) ? "a folder"
                                 : "a device, pipe or socket");
    complaint_next(c, "give the plain path of the file itself");
    return c->rc;
}

static struct result check_dir(const struct args *a, const char *what, const char *path,
                               struct complaint *c)
{
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode)) {
        REFUSE(a, c, "%s: '%s' is not a folder", what, path);
        complaint_next(c, "give a folder");
        return c->rc;
    }
    return OK_RESULT;
}

static struct result check_path(const struct args *a, const char *what, const char *path,
                                uint32_t type, struct complaint *c)
{
    if (type == VALUE_FILE)
        return check_file(a, what, path, c);
    return type == VALUE_DIR ? check_dir(a, what, path, c) : OK_RESULT;
}

struct result args_check_files(const struct args *a, struct complaint *c)
{
    struct result rc = OK_RESULT;
    for (uint32_t f = 1; f < FLAG_END && is_ok(rc); f++) {
        char what[48];
        snprintf(what, sizeof what, "--%s", command_flag_row(f)->name);
        if (a->flag[f].text)
            rc = check_path(a, what, a->flag[f].text, command_flag_row(f)->type, c);
    }
    for (uint32_t i = 0; i < a->word_count && is_ok(rc); i++) {
        const struct command_arg_row *row = command_arg(a->command, i);
        must(row != NULL);
        rc = check_path(a, row->meta, a->word[i], row->type, c);
    }
    return rc;
}
