/* SPDX-License-Identifier: Apache-2.0
 *
 * run and journal verify: the work is another program's. The tool checks the command line, then
 * becomes that program (exec), so that signals, exit code and terminal are the program's own.
 * The program is the one beside this tool: PATH could name another version.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/must.h"
#include "tools/tenon/become.h"

enum { ARGV_MAX = 2 * FLAG_END + 2 };
struct command_line {
    char *argv[ARGV_MAX + 1];
    char flag[FLAG_END][40]; /* "--name" */
    uint32_t count;
};

/* All flags that were given, in the table's order. argv is not written to by anyone. */
static void pass_flag(struct command_line *l, const struct cli *cli, uint32_t flag)
{
    union {
        const char *in;
        char *out;
    } text = {.in = cli->a.flag[flag].text};
    must(l->count + 2 < ARGV_MAX);
    snprintf(l->flag[flag], sizeof l->flag[flag], "--%s", command_flag_row(flag)->name);
    l->argv[l->count++] = l->flag[flag];
    if (command_flag_row(flag)->type != VALUE_SWITCH)
        l->argv[l->count++] = text.out;
}

static int become(const struct cli *cli, const char *program, struct command_line *l)
{
    char path[PATHS_BYTES];
    struct trail tr = {0};
    struct result rc = paths_beside(program, path, &tr);
    if (!is_ok(rc))
        return cli_fail(cli, rc, &tr);
    l->argv[0] = path;
    l->argv[l->count] = NULL;
    fflush(NULL);
    execv(path, l->argv);
    struct complaint c;
    complaint_make(&c, errno == ENOENT ? RESULT_OF(NOT_FOUND) : RESULT_OF(IO), cli->name,
                   "cannot start %s: %s", path, strerror(errno));
    complaint_next(&c, "build or install %s beside tenon", program);
    return cli_complain(cli, &c);
}

int become_with_flags(const struct cli *cli, const char *program)
{
    struct command_line l = {.count = 1};
    for (uint32_t f = 1; f < FLAG_END; f++) {
        if (cli->a.flag[f].text)
            pass_flag(&l, cli, f);
    }
    return become(cli, program, &l);
}

int cmd_RUN(const struct cli *cli)
{
    return become_with_flags(cli, "tenond");
}

int cmd_JOURNAL_VERIFY(const struct cli *cli)
{
    char journal[PATHS_BYTES], heads[PATHS_BYTES], flag[] = "--heads", json[] = "--json";
    struct trail tr = {0};
    struct stat st;
    struct command_line l = {.count = 1};
    struct result rc = cli_journal_dir(cli, journal, &tr);
    if (is_ok(rc))
        rc = cli_heads_dir(cli, heads, &tr);
    if (!is_ok(rc))
        return cli_fail(cli, rc, &tr);
    l.argv[l.count++] = journal;
    if (args_has(&cli->a, FLAG_HEADS) || stat(heads, &st) == 0) {
        l.argv[l.count++] = flag;
        l.argv[l.count++] = heads;
    } else {
        cli_say(cli, "no heads in %s: the journal is checked on its own", heads);
    }
    if (cli->json)
        l.argv[l.count++] = json;
    return become(cli, "tenon-verify", &l);
}
