/* SPDX-License-Identifier: Apache-2.0
 *
 * From argv to flags and words. Apart from args.c because requests on the socket come without an
 * argv and must not need it.
 *
 * Words and flags may stand in any order. `--` ends the flags, `--name=value` and `--name value`
 * are the same, and a value may not begin with `--`: `--config --json` is a forgotten value, not a
 * file of that name. Two short forms exist, -h and -q.
 */
#include <stdio.h>
#include <string.h>
#include "base/must.h"
#include "gateway/args.h"

struct scan {
    struct args *a;
    struct complaint *c;
    const char *raw[ARGS_WORDS_MAX + 2]; /* noun, verb, arguments */
    uint32_t raw_count;
    uint32_t used[FLAG_END]; /* flags in the order given */
    uint32_t used_count;
};

static struct result refuse(struct scan *s, const char *fmt, const char *word)
{
    const char *where = s->a->command ? command_name(s->a->command) : "tenon";
    complaint_make(s->c, RESULT_OF(USAGE), where, fmt, word);
    complaint_next(s->c, "tenon help%s%s", s->a->command ? " " : "", s->a->command ? where : "");
    return s->c->rc;
}

static struct result unknown_flag(struct scan *s, const char *name, size_t count)
{
    char word[64];
    const char *known[FLAG_END];
    size_t known_count = 0;
    snprintf(word, sizeof word, "%.*s", (int)(count < 60 ? count : 60), name);
    for (uint32_t f = 1; f < FLAG_END; f++) {
        if (s->a->command == COMMAND_UNSET || command_use(s->a->command, f))
            known[known_count++] = command_flag_row(f)->name;
    }
    char probe[80];
    snprintf(probe, sizeof probe, "%s=xxxx", word);
    refuse(s, "unknown flag --%s", word);
    if (args_looks_secret(probe)) {
        complaint_why(s->c, "secrets are never taken on the command line, where every user of "
                            "this machine can read them");
        complaint_next(s->c, "give secrets by prompt, standard input or systemd credentials");
    } else if (command_noun_exists(word)) {
        complaint_next(s->c, "did you mean tenon %s?", word);
    } else if (command_nearest(word, known, known_count)) {
        complaint_next(s->c, "did you mean --%s?", command_nearest(word, known, known_count));
    }
    return s->c->rc;
}

/* One `--name` or `--name=value` at argv[*i]; steps over the value it takes. */
static struct result long_flag(struct scan *s, int argc, char *const *argv, int *i)
{
    const char *name = argv[*i] + 2;
    size_t count = strcspn(name, "=");
    const char *value = name[count] == '=' ? name + count + 1 : NULL;
    uint32_t flag = command_flag_by_name(s->a->command, name, count);
    if (flag == FLAG_UNSET)
        return unknown_flag(s, name, count);
    const struct command_flag_row *row = command_flag_row(flag);
    if (row->type == VALUE_SWITCH && value)
        return refuse(s, "--%s takes no value", row->name);
    if (row->type != VALUE_SWITCH && !value) {
        if (*i + 1 >= argc || strncmp(argv[*i + 1], "--", 2) == 0)
            return refuse(s, "the value of --%s is missing", row->name);
        value = argv[++*i];
    }
    TRY(args_set(s->a, flag, value, s->c));
    s->used[s->used_count++] = flag;
    return OK_RESULT;
}

static struct result short_flag(struct scan *s, const char *word)
{
    uint32_t flag = FLAG_UNSET;
    if (strcmp(word, "-h") == 0)
        flag = FLAG_HELP;
    if (strcmp(word, "-q") == 0)
        flag = FLAG_QUIET;
    if (flag == FLAG_UNSET) {
        refuse(s, "unknown flag %.40s", word);
        if (args_looks_secret(word))
            complaint_make(s->c, RESULT_OF(USAGE), "tenon", "unknown flag, not shown");
        return s->c->rc;
    }
    TRY(args_set(s->a, flag, "", s->c));
    s->used[s->used_count++] = flag;
    return OK_RESULT;
}

static struct result keep_word(struct scan *s, const char *word)
{
    if (s->raw_count == ARGS_WORDS_MAX + 2)
        return refuse(s, "too many arguments, from '%.40s' on", word);
    s->raw[s->raw_count++] = word;
    /* the command, as soon as it is clear, so that complaints can name it */
    if (s->raw_count == 1 && s->a->command == COMMAND_UNSET && !command_noun_has_verbs(word))
        s->a->command = command_find(word, "");
    if (s->raw_count == 2 && s->a->command == COMMAND_UNSET)
        s->a->command = command_find(s->raw[0], word);
    return OK_RESULT;
}

static struct result scan_all(struct scan *s, int argc, char *const *argv)
{
    bool flags_end = false;
    for (int i = 1; i < argc; i++) {
        struct result rc;
        const char *word = argv[i];
        if (!flags_end && strcmp(word, "--") == 0) {
            flags_end = true;
            continue;
        }
        if (!flags_end && strncmp(word, "--", 2) == 0)
            rc = long_flag(s, argc, argv, &i);
        else if (!flags_end && word[0] == '-' && word[1] != '\0')
            rc = short_flag(s, word);
        else
            rc = keep_word(s, word);
        if (!is_ok(rc))
            return rc;
    }
    return OK_RESULT;
}

static struct result unknown_noun(struct scan *s, const char *noun)
{
    const char *known[COMMAND_END];
    size_t count = 0;
    if (args_looks_secret(noun))
        return refuse(s, "unknown command%s", ", not shown: it looks like a secret");
    for (uint32_t c = 1; c < COMMAND_END; c++)
        known[count++] = command_row(c)->noun;
    refuse(s, "unknown command '%.40s'", noun);
    const char *near = command_nearest(noun, known, count);
    if (near)
        complaint_next(s->c, "did you mean tenon %s?", near);
    return s->c->rc;
}

static struct result unknown_verb(struct scan *s, const char *noun, const char *verb)
{
    const char *known[COMMAND_END];
    char all[160] = "";
    size_t count = 0;
    for (uint32_t c = 1; c < COMMAND_END; c++) {
        if (strcmp(command_row(c)->noun, noun) != 0)
            continue;
        known[count++] = command_row(c)->verb;
        size_t used = strlen(all);
        snprintf(all + used, sizeof all - used, "%s%s", used ? ", " : "", command_row(c)->verb);
    }
    if (!verb)
        complaint_make(s->c, RESULT_OF(USAGE), noun, "the verb is missing: one of %s", all);
    else
        complaint_make(s->c, RESULT_OF(USAGE), noun, "'%.40s' is none of its verbs: %s", verb, all);
    const char *near = verb ? command_nearest(verb, known, count) : NULL;
    if (near)
        complaint_next(s->c, "did you mean tenon %s %s?", noun, near);
    else
        complaint_next(s->c, "tenon help %s", noun);
    return s->c->rc;
}

/* Finds the command in the first words; *taken = how many of them it used. */
static struct result find_command(struct scan *s, uint32_t *taken)
{
    const char *noun = s->raw_count > 0 ? s->raw[0] : NULL;
    *taken = 0;
    if (!noun) {
        if (!args_has(s->a, FLAG_HELP))
            return refuse(s, "no command is given%s", "");
        s->a->command = COMMAND_HELP;
        return OK_RESULT;
    }
    if (!command_noun_exists(noun))
        return unknown_noun(s, noun);
    bool verbs = command_noun_has_verbs(noun);
    const char *verb = verbs && s->raw_count > 1 ? s->raw[1] : NULL;
    if (verbs && !verb && args_has(s->a, FLAG_HELP)) { /* tenon plugin --help */
        s->a->command = COMMAND_HELP;
        return OK_RESULT;
    }
    s->a->command = verbs && !verb ? COMMAND_UNSET : command_find(noun, verb);
    if (s->a->command == COMMAND_UNSET)
        return unknown_verb(s, noun, verb);
    *taken = verbs ? 2 : 1;
    return OK_RESULT;
}

static struct result settle(struct scan *s, uint32_t taken)
{
    for (uint32_t i = 0; i < s->used_count; i++) {
        const char *name = command_flag_row(s->used[i])->name;
        if (!command_use(s->a->command, s->used[i]))
            return unknown_flag(s, name, strlen(name));
    }
    for (uint32_t i = taken; i < s->raw_count; i++) {
        struct result rc = args_add_word(s->a, s->raw[i], s->c);
        if (!is_ok(rc))
            return rc;
    }
    return args_finish(s->a, s->c);
}

struct result args_parse(int argc, char *const *argv, struct args *out, struct complaint *c)
{
    must(out != NULL && c != NULL);
    struct scan s = {.a = out, .c = c};
    uint32_t taken = 0;
    memset(out, 0, sizeof *out);
    TRY(scan_all(&s, argc, argv));
    TRY(find_command(&s, &taken));
    return settle(&s, taken);
}

struct result args_parse_as(uint32_t command, int argc, char *const *argv, struct args *out,
                            struct complaint *c)
{
    must(command > COMMAND_UNSET && command < COMMAND_END);
    struct scan s = {.a = out, .c = c};
    memset(out, 0, sizeof *out);
    out->command = command;
    TRY(scan_all(&s, argc, argv));
    return settle(&s, 0);
}
