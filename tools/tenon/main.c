/* SPDX-License-Identifier: Apache-2.0
 *
 * tenon: the tool. Parses by the one command table, sets up how to print, and calls the command's
 * handler; the handlers are found by the table too, so a row without a handler does not link.
 *
 * A complaint is printed as one line on standard error. With --json standard output always carries
 * one object, so a script that reads it gets either the data or a tenon.error.v1.
 */
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/must.h"
#include "tools/tenon/cli.h"

static int (*const handlers[COMMAND_END])(const struct cli *cli) = {
#define X(name, noun, verb, where, text, exits) [COMMAND_##name] = cmd_##name,
    COMMANDS(X)
#undef X
};

int cli_complain(const struct cli *cli, const struct complaint *c)
{
    char line[4 * COMPLAINT_TEXT_BYTES];
    int exit = complaint_exit(c);
    complaint_print(c, line, sizeof line);
    fprintf(stderr, "%s\n", line);
    if (cli->json) {
        json_t *object = json_pack("{s:s, s:b, s:i, s:o}", "schema", "tenon.error.v1", "ok", 0,
                                   "exit", exit, "error", complaint_json(c));
        if (object)
            json_dumpf(object, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(object);
    }
    return exit;
}

int cli_fail(const struct cli *cli, struct result rc, const struct trail *tr)
{
    struct complaint c;
    must(!is_ok(rc));
    complaint_from(&c, rc, cli->name, tr);
    return cli_complain(cli, &c);
}

void cli_say(const struct cli *cli, const char *fmt, ...)
{
    va_list ap;
    if (cli->quiet)
        return;
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
}

int cli_done(const struct cli *cli, int exit)
{
    struct trail tr = {0};
    if (fflush(stdout) == 0 && !ferror(stdout))
        return exit;
    return cli_fail(cli, FAIL(&tr, IO, "standard output could not be written"), &tr);
}

int cli_json(const struct cli *cli, json_t *object)
{
    struct trail tr = {0};
    if (!object)
        return cli_fail(cli, FAIL(&tr, BUG, "the answer could not be made into JSON"), &tr);
    json_dumpf(object, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(object);
    return cli_done(cli, 0);
}

static struct result dir_of(const struct cli *cli, enum command_flag flag, const char *name,
                            char *out, struct trail *tr)
{
    if (!args_has(&cli->a, flag))
        return paths_state(name, out, tr);
    snprintf(out, PATHS_BYTES, "%s", cli->a.flag[flag].text);
    return OK_RESULT;
}

struct result cli_journal_dir(const struct cli *cli, char out[PATHS_BYTES], struct trail *tr)
{
    return dir_of(cli, FLAG_JOURNAL, "journal", out, tr);
}

struct result cli_heads_dir(const struct cli *cli, char out[PATHS_BYTES], struct trail *tr)
{
    return dir_of(cli, FLAG_HEADS, "heads", out, tr);
}

struct result cli_plugins_dir(const struct cli *cli, char out[PATHS_BYTES], struct trail *tr)
{
    if (!args_has(&cli->a, FLAG_PLUGINS))
        return paths_beside("plugins", out, tr);
    snprintf(out, PATHS_BYTES, "%s", cli->a.flag[FLAG_PLUGINS].text);
    return OK_RESULT;
}

struct result cli_instruments(const struct cli *cli, char out[PATHS_BYTES], struct trail *tr)
{
    static const char *const below[] = {"../../configs", "../share/tenon/configs"};
    const char *given = args_text(&cli->a, FLAG_INSTRUMENTS, getenv("TENON_CONFIGS"));
    char program[PATHS_BYTES];
    TRY(paths_program(program, tr));
    int n = 0;
    if (given != NULL)
        n = snprintf(out, PATHS_BYTES, "%s%s", given,
                     args_has(&cli->a, FLAG_INSTRUMENTS) ? "" : "/instruments.yaml");
    if (n > 0 && n < PATHS_BYTES && access(out, R_OK) == 0)
        return OK_RESULT;
    for (size_t i = 0; i < sizeof below / sizeof *below; i++) {
        n = snprintf(out, PATHS_BYTES, "%s/%s/instruments.yaml", program, below[i]);
        if (n > 0 && n < PATHS_BYTES && access(out, R_OK) == 0)
            return OK_RESULT;
    }
    return FAIL(tr, NOT_FOUND,
                "instruments.yaml: not found beside the program; name it with --instruments");
}

static bool wants_color(const struct cli *cli)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    if (args_has(&cli->a, FLAG_NO_COLOR) || cli->json || (no_color && no_color[0]))
        return false;
    return term && strcmp(term, "dumb") != 0 && isatty(STDOUT_FILENO);
}

int main(int argc, char **argv)
{
    struct cli cli = {.name = "tenon", .argv = argv};
    struct complaint c;
    signal(SIGPIPE, SIG_IGN); /* `tenon journal cat | head` ends by a failed write, once */
    struct result rc = args_parse(argc, argv, &cli.a, &c);
    cli.json = args_has(&cli.a, FLAG_JSON);
    cli.quiet = args_has(&cli.a, FLAG_QUIET);
    cli.utc = args_has(&cli.a, FLAG_UTC);
    cli.color = wants_color(&cli);
    if (cli.a.command != COMMAND_UNSET)
        cli.name = command_name(cli.a.command);
    if (!is_ok(rc))
        return cli_complain(&cli, &c);
    if (args_has(&cli.a, FLAG_HELP))
        return cmd_HELP(&cli);
    rc = args_check_files(&cli.a, &c);
    if (!is_ok(rc))
        return cli_complain(&cli, &c);
    must(handlers[cli.a.command] != NULL);
    return handlers[cli.a.command](&cli);
}
