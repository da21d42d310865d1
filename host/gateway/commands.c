/* SPDX-License-Identifier: Apache-2.0
 *
 * The rows of tbl/commands.h as arrays, and look-ups over them. Every look-up is a walk: the table
 * has a few dozen rows and is read once per command a person types, so an index would only be one
 * more thing that can disagree with the table. Edit distance is the plain two-row form; words are
 * cut at 32 letters because no name of ours is longer.
 */
#include "gateway/commands.h"
#include <string.h>
#include "base/must.h"

static const struct command_row rows[COMMAND_END] = {
#define X(name, noun_, verb_, where_, text_, exits_)                                               \
    [COMMAND_##name] = {                                                                           \
        .noun = noun_, .verb = verb_, .text = text_, .exits = exits_, .where = COMMAND_##where_},
    COMMANDS(X)
#undef X
};

static const struct {
    char text[32];
} names[COMMAND_END] = {
#define X(name, noun, verb, where, text, exits) [COMMAND_##name] = {noun " " verb},
    COMMANDS(X)
#undef X
};

static const struct command_flag_row flags[FLAG_END] = {
#define X(name_, text_, type_, min_, max_, meta_)                                                  \
    [FLAG_##                                                                                       \
        name_] = {.name = text_, .meta = meta_, .min = min_, .max = max_, .type = VALUE_##type_},
    FLAGS(X)
#undef X
};

const struct command_arg_row command_args[] = {
#define X(command_, meta_, type_, needed_, many_, choices_, text_)                                 \
    {.command = COMMAND_##command_,                                                                \
     .type = VALUE_##type_,                                                                        \
     .meta = meta_,                                                                                \
     .choices = choices_,                                                                          \
     .text = text_,                                                                                \
     .needed = needed_,                                                                            \
     .many = many_},
    COMMAND_ARGS(X)
#undef X
};
const size_t command_args_count = sizeof(command_args) / sizeof(command_args[0]);

const struct command_use_row command_uses[] = {
#define X(command_, flag_, needed_, text_)                                                         \
    {.command = COMMAND_##command_, .flag = FLAG_##flag_, .text = text_, .needed = needed_},
    COMMAND_FLAGS(X)
#undef X
#define X(flag_, text_) {.command = COMMAND_UNSET, .flag = FLAG_##flag_, .text = text_},
        COMMON_FLAGS(X)
#undef X
};
const size_t command_uses_count = sizeof(command_uses) / sizeof(command_uses[0]);

#define X(command_, a_, b_, why_)                                                                  \
    {.command = COMMAND_##command_, .a = FLAG_##a_, .b = FLAG_##b_, .why = why_},
const struct command_pair_row command_conflicts[] = {COMMAND_CONFLICTS(X)};
const struct command_pair_row command_needs[] = {COMMAND_NEEDS(X)};
#undef X
const size_t command_conflicts_count = sizeof(command_conflicts) / sizeof(command_conflicts[0]);
const size_t command_needs_count = sizeof(command_needs) / sizeof(command_needs[0]);

const struct command_row *command_row(uint32_t command)
{
    must(command > COMMAND_UNSET && command < COMMAND_END);
    return &rows[command];
}

const struct command_flag_row *command_flag_row(uint32_t flag)
{
    must(flag > FLAG_UNSET && flag < FLAG_END);
    return &flags[flag];
}

const char *command_name(uint32_t command)
{
    const struct command_row *row = command_row(command);
    return row->verb[0] ? names[command].text : row->noun;
}

uint32_t command_find(const char *noun, const char *verb)
{
    must(noun != NULL);
    for (uint32_t c = 1; c < COMMAND_END; c++) {
        if (strcmp(rows[c].noun, noun) == 0 && strcmp(rows[c].verb, verb ? verb : "") == 0)
            return c;
    }
    return COMMAND_UNSET;
}

uint32_t command_by_name(const char *name)
{
    must(name != NULL);
    for (uint32_t c = 1; c < COMMAND_END; c++) {
        if (strcmp(command_name(c), name) == 0)
            return c;
    }
    return COMMAND_UNSET;
}

bool command_noun_exists(const char *noun)
{
    for (uint32_t c = 1; c < COMMAND_END; c++) {
        if (strcmp(rows[c].noun, noun) == 0)
            return true;
    }
    return false;
}

bool command_noun_has_verbs(const char *noun)
{
    for (uint32_t c = 1; c < COMMAND_END; c++) {
        if (strcmp(rows[c].noun, noun) == 0 && rows[c].verb[0])
            return true;
    }
    return false;
}

uint32_t command_flag_by_name(uint32_t command, const char *name, size_t count)
{
    uint32_t first = FLAG_UNSET;
    for (uint32_t f = 1; f < FLAG_END; f++) {
        if (strlen(flags[f].name) != count || memcmp(flags[f].name, name, count) != 0)
            continue;
        if (command != COMMAND_UNSET && command_use(command, f) != NULL)
            return f;
        first = first == FLAG_UNSET ? f : first;
    }
    return first;
}

const struct command_use_row *command_use(uint32_t command, uint32_t flag)
{
    must(flag > FLAG_UNSET && flag < FLAG_END);
    for (size_t i = 0; i < command_uses_count; i++) {
        const struct command_use_row *use = &command_uses[i];
        if (use->flag == flag && (use->command == command || use->command == COMMAND_UNSET))
            return use;
    }
    return NULL;
}

const struct command_arg_row *command_arg(uint32_t command, uint32_t i)
{
    const struct command_arg_row *last = NULL;
    uint32_t at = 0;
    for (size_t k = 0; k < command_args_count; k++) {
        if (command_args[k].command != command)
            continue;
        last = &command_args[k];
        if (at++ == i)
            return last;
    }
    return last && last->many ? last : NULL;
}

size_t command_choice(const char *choices, uint32_t i, const char **begin)
{
    must(choices != NULL);
    const char *p = choices;
    for (; *p; i--) {
        size_t count = strcspn(p, " ");
        if (i == 0) {
            *begin = p;
            return count;
        }
        p += count;
        p += *p == ' ';
    }
    return 0;
}

enum { NEAR_LETTERS = 32 };

static uint32_t edits(const char *a, size_t an, const char *b, size_t bn)
{
    uint8_t row[NEAR_LETTERS + 1];
    for (size_t j = 0; j <= bn; j++)
        row[j] = (uint8_t)j;
    for (size_t i = 1; i <= an; i++) {
        uint8_t diagonal = row[0];
        row[0] = (uint8_t)i;
        for (size_t j = 1; j <= bn; j++) {
            uint8_t change = (uint8_t)(diagonal + (a[i - 1] != b[j - 1]));
            uint8_t drop = (uint8_t)(row[j] + 1), add = (uint8_t)(row[j - 1] + 1);
            diagonal = row[j];
            row[j] = change < drop ? change : drop;
            row[j] = row[j] < add ? row[j] : add;
        }
    }
    return row[bn];
}

const char *command_nearest(const char *word, const char *const *known, size_t count)
{
    size_t an = strnlen(word, NEAR_LETTERS + 1);
    const char *best = NULL;
    uint32_t best_edits = 4;
    if (an == 0 || an > NEAR_LETTERS)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t bn = strlen(known[i]);
        if (bn > NEAR_LETTERS)
            continue;
        uint32_t n = edits(word, an, known[i], bn);
        if (n < best_edits && 2 * n <= (an > bn ? an : bn)) {
            best = known[i];
            best_edits = n;
        }
    }
    return best;
}
