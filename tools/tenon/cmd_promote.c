/* SPDX-License-Identifier: Apache-2.0
 *
 * The commands that change what is live: config promote, config rollback, trust rotate. The file is
 * read once, with the signatures beside it, and those very bytes are what the host judges: so a
 * file that is changed after the command began changes nothing.
 */
#include "tools/tenon/ask.h"
#include "tools/tenon/follow.h"

int cmd_CONFIG_PROMOTE(const struct cli *cli)
{
    struct complaint c;
    struct bundle *b = NULL;
    if (!is_ok(ask_gather(cli, cli->a.word[0], &b, &c)))
        return cli_complain(cli, &c);
    int exit = follow(cli, b);
    bundle_free(b);
    return exit;
}

int cmd_CONFIG_ROLLBACK(const struct cli *cli)
{
    return follow(cli, NULL);
}

int cmd_TRUST_ROTATE(const struct cli *cli)
{
    struct complaint c;
    struct bundle *b = NULL;
    if (!is_ok(ask_gather(cli, cli->a.word[0], &b, &c)))
        return cli_complain(cli, &c);
    int exit = ask_act(cli, b);
    bundle_free(b);
    return exit;
}
