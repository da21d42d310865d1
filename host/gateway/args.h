/* SPDX-License-Identifier: Apache-2.0
 *
 * The strict parser over the command table; for the tool, for tenond (which takes the flags of
 * `run`) and for requests on the socket, so that all three refuse the same things.
 *
 * Refused, always before anything starts: unknown, repeated and conflicting flags, a missing or
 * empty value, a number that is not plain decimal digits in its range, a path with control bytes
 * or over 4,095 characters, `-` as a file, and anything that looks like a secret (its value is
 * never printed back). One thread per object; the strings of argv must outlive it.
 */
#ifndef GATEWAY_ARGS_H
#define GATEWAY_ARGS_H
#include "gateway/commands.h"
#include "gateway/complaint.h"

enum { ARGS_WORDS_MAX = 64, ARGS_PATH_MAX = 4095, ARGS_TEXT_MAX = 63, ARGS_NAME_MAX = 31 };
struct args_flag {
    const char *text; /* as written; NULL = not given; "" for a switch */
    int64_t value;    /* COUNT, TIME in ns, RATIO in thousandths */
};
struct args {
    uint32_t command; /* enum command */
    uint32_t word_count;
    const char *word[ARGS_WORDS_MAX]; /* arguments after noun and verb */
    struct args_flag flag[FLAG_END];
};

/* argv[0] is skipped. --help (and -h) wins over missing arguments. The common flags seen so far
 * are in *out also when it fails, so that the caller knows whether to complain in JSON. */
MUST_USE struct result args_parse(int argc, char *const *argv, struct args *out,
                                  struct complaint *c);
/* The same for a program that is one command: all of argv[1..] are its flags and arguments. */
MUST_USE struct result args_parse_as(uint32_t command, int argc, char *const *argv,
                                     struct args *out, struct complaint *c);
static inline bool args_has(const struct args *a, enum command_flag flag)
{
    return a->flag[flag].text != NULL;
}
/* The flag's text, or `otherwise`. */
const char *args_text(const struct args *a, enum command_flag flag, const char *otherwise);

/* Looks at the file system: FILE values are regular files and no symbolic links, DIR values are
 * folders when they exist. Arguments and flags. */
MUST_USE struct result args_check_files(const struct args *a, struct complaint *c);

/* Pieces, for requests on the socket. `where` names the command. */
MUST_USE struct result args_set(struct args *a, uint32_t flag, const char *text,
                                struct complaint *c);
MUST_USE struct result args_add_word(struct args *a, const char *text, struct complaint *c);
/* Counts, needed flags, conflicts: what can only be judged at the end. */
MUST_USE struct result args_finish(const struct args *a, struct complaint *c);
/* True for the text of a private key, a URL with a password, or secret=value. */
bool args_looks_secret(const char *text);
#endif
