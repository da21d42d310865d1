/* SPDX-License-Identifier: Apache-2.0
 *
 * help, version and completion: the commands that tell about the tool itself. All text comes from
 * the command table.
 */
#include <string.h>
#include "base/must.h"
#include "gateway/frame.h"
#include "gateway/help.h"
#include "tbl/facts.h"
#include "tenon/abi.h"
#include "tools/tenon/cli.h"

static int unknown(const struct cli *cli, const char *word)
{
    const char *known[COMMAND_END];
    struct complaint c;
    size_t count = 0;
    for (uint32_t i = 1; i < COMMAND_END; i++)
        known[count++] = command_row(i)->noun;
    complaint_make(&c, RESULT_OF(UNKNOWN_NAME), "help", "no command '%.40s'", word);
    const char *near = command_nearest(word, known, count);
    if (near)
        complaint_next(&c, "did you mean tenon help %s?", near);
    else
        complaint_next(&c, "tenon help");
    return cli_complain(cli, &c);
}

static json_t *command_json(uint32_t command)
{
    const struct command_row *r = command_row(command);
    json_t *flags = json_array(), *args = json_array();
    for (size_t i = 0; i < command_args_count; i++) {
        const struct command_arg_row *a = &command_args[i];
        if (a->command == command)
            json_array_append_new(args, json_pack("{s:s, s:s, s:b, s:b, s:s}", "name", a->meta,
                                                  "text", a->text, "needed", (int)a->needed, "many",
                                                  (int)a->many, "choices", a->choices));
    }
    for (size_t i = 0; i < command_uses_count; i++) {
        const struct command_use_row *u = &command_uses[i];
        if (u->command == command || u->command == COMMAND_UNSET)
            json_array_append_new(flags, json_pack("{s:s, s:s, s:s, s:b}", "name",
                                                   command_flag_row(u->flag)->name, "value",
                                                   command_flag_row(u->flag)->meta, "text", u->text,
                                                   "needed", (int)u->needed));
    }
    return json_pack("{s:s, s:s, s:s, s:o, s:o}", "command", command_name(command), "text", r->text,
                     "exits", r->exits, "arguments", args, "flags", flags);
}

static int help_json(const struct cli *cli, uint32_t command)
{
    json_t *list = json_array();
    for (uint32_t c = 1; c < COMMAND_END; c++) {
        if (command == COMMAND_UNSET || c == command)
            json_array_append_new(list, command_json(c));
    }
    return cli_json(cli, json_pack("{s:s, s:o}", "schema", "tenon.help.v1", "commands", list));
}

/* `tenon help risk kill`, `tenon risk kill --help`, `tenon help risk`, `tenon help`. */
int cmd_HELP(const struct cli *cli)
{
    bool asked = cli->a.command != COMMAND_HELP;
    const char *noun = asked ? NULL : cli->a.word_count > 0 ? cli->a.word[0] : NULL;
    uint32_t command = asked ? cli->a.command : COMMAND_UNSET;
    if (args_has(&cli->a, FLAG_MAN)) {
        help_man(stdout);
        return cli_done(cli, 0);
    }
    if (noun && !command_noun_exists(noun))
        return unknown(cli, noun);
    if (noun)
        command = command_find(noun, cli->a.word_count > 1 ? cli->a.word[1] : "");
    if (noun && command == COMMAND_UNSET && cli->a.word_count > 1)
        return unknown(cli, cli->a.word[1]);
    if (cli->json)
        return help_json(cli, command);
    if (command != COMMAND_UNSET)
        help_command(stdout, command);
    else if (noun)
        help_noun(stdout, noun);
    else
        help_all(stdout);
    return cli_done(cli, 0);
}

int cmd_VERSION(const struct cli *cli)
{
    if (cli->json)
        return cli_json(cli, json_pack("{s:s, s:s, s:i, s:i, s:i, s:i}", "schema",
                                       "tenon.version.v1", "version", TENON_VERSION, "abi_major",
                                       TN_ABI_MAJOR, "abi_minor", TN_ABI_MINOR, "core_logic",
                                       FACT_CORE_LOGIC, "wire", FRAME_VERSION));
    printf("tenon %s, plugin ABI %d.%d, core logic %d, wire %d\n", TENON_VERSION, TN_ABI_MAJOR,
           TN_ABI_MINOR, FACT_CORE_LOGIC, FRAME_VERSION);
    return cli_done(cli, 0);
}

int cmd_COMPLETION(const struct cli *cli)
{
    must(cli->a.word_count == 1);
    if (!cli->json) {
        help_completion(stdout, cli->a.word[0]);
        return cli_done(cli, 0);
    }
    char *text = NULL;
    size_t bytes = 0;
    FILE *memory = open_memstream(&text, &bytes);
    must(memory != NULL);
    help_completion(memory, cli->a.word[0]);
    fclose(memory);
    json_t *object = json_pack("{s:s, s:s, s:s}", "schema", "tenon.completion.v1", "shell",
                               cli->a.word[0], "script", text);
    free(text);
    return cli_json(cli, object);
}
