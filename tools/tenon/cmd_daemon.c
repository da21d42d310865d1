/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands that ask the running host one thing: status, auto on and off, risk halt, reduce. The
 * request is the command's name with its flags and arguments as they were given; the host checks
 * them again with the same table.
 */
#include "gateway/status.h"
#include "tools/tenon/ask.h"

int cmd_AUTO_ON(const struct cli *cli)
{
    return ask_act(cli, NULL);
}

int cmd_AUTO_OFF(const struct cli *cli)
{
    return ask_act(cli, NULL);
}

int cmd_RISK_HALT(const struct cli *cli)
{
    return ask_act(cli, NULL);
}

int cmd_RISK_REDUCE(const struct cli *cli)
{
    return ask_act(cli, NULL);
}

int cmd_STATUS(const struct cli *cli)
{
    struct complaint c;
    json_t *result = NULL;
    if (!is_ok(ask(cli, NULL, &result, &c)))
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
