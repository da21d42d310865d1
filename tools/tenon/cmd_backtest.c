/* SPDX-License-Identifier: Apache-2.0
 *
 * backtest: not built into this binary. The command is in the table so that its form is settled; it
 * refuses with a sentence and an exit code instead of pretending.
 */
#include "tools/tenon/cli.h"

int cmd_BACKTEST(const struct cli *cli)
{
    struct trail tr = {0};
    return cli_fail(cli, FAIL(&tr, UNREACHABLE, "backtest is not built into this binary"), &tr);
}
