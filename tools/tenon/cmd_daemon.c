/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands that ask the running host: status, auto on and off, risk kill. The request is the
 * command's name with its flags and arguments as they were given; the host checks them again with
 * the same table.
 *
 * Kill: the law (DECISIONS 23) is to write to every socket at once and succeed on the first answer,
 * naming who did not answer. This release has one program with one socket, so there is one to
 * write to, and its silence is the failure that is named.
 */
#include <string.h>
#include "base/must.h"
#include "gateway/client.h"
#include "gateway/status.h"
#include "tools/tenon/cli.h"

/* The request's args from what was parsed. */
static json_t *request_args(const struct args *a)
{
    json_t *object = json_object(), *words = json_array();
    for (uint32_t f = 1; f < FLAG_END; f++) {
        const struct command_use_row *use = command_use(a->command, f);
        if (!a->flag[f].text || !use || use->command == COMMAND_UNSET)
            continue;
        json_object_set_new(
            object, command_flag_row(f)->name,
            command_flag_row(f)->type == VALUE_SWITCH ? json_true() : json_string(a->flag[f].text));
    }
    for (uint32_t i = 0; i < a->word_count; i++)
        json_array_append_new(words, json_string(a->word[i]));
    if (a->word_count > 0)
        json_object_set(object, "words", words);
    json_decref(words);
    return object;
}

static struct result ask(const struct cli *cli, json_t **result, struct complaint *c)
{
    must(command_row(cli->a.command)->where == COMMAND_DAEMON);
    struct client_options o = {.socket_path = args_text(&cli->a, FLAG_SOCKET, NULL)};
    json_t *args = request_args(&cli->a);
    struct result rc = client_call(&o, cli->name, args, result, c);
    json_decref(args);
    return rc;
}

/* For commands whose answer is one sentence. */
static int act(const struct cli *cli)
{
    struct complaint c;
    json_t *result = NULL;
    if (!is_ok(ask(cli, &result, &c)))
        return cli_complain(cli, &c);
    if (cli->json)
        return cli_json(cli, result);
    const char *text = json_string_value(json_object_get(result, "text"));
    cli_say(cli, "%s", text && text[0] ? text : "done");
    json_decref(result);
    return 0;
}

int cmd_AUTO_ON(const struct cli *cli)
{
    return act(cli);
}

int cmd_AUTO_OFF(const struct cli *cli)
{
    return act(cli);
}

int cmd_RISK_KILL(const struct cli *cli)
{
    return act(cli);
}

int cmd_STATUS(const struct cli *cli)
{
    struct complaint c;
    json_t *result = NULL;
    if (!is_ok(ask(cli, &result, &c)))
        return cli_complain(cli, &c);
    if (cli->json)
        return cli_json(cli, result);
    struct status_style style = {.color = cli->color, .utc = cli->utc};
    bool understood = status_print(stdout, result, &style);
    json_decref(result);
    if (understood)
        return cli_done(cli, 0);
    complaint_make(&c, RESULT_OF(PROTOCOL), cli->name, "the host's status has an unknown form");
    return cli_complain(cli, &c);
}
