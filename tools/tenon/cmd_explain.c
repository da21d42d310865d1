/* SPDX-License-Identifier: Apache-2.0
 *
 * explain and risk why: not built into this binary. The commands are in the table so that their
 * form is settled; they refuse with a sentence and an exit code instead of pretending.
 */
#include "tools/tenon/cli.h"

int cmd_EXPLAIN(const struct cli *cli)
{
    struct trail tr = {0};
    return cli_fail(cli, FAIL(&tr, UNREACHABLE, "explain is not built into this binary"), &tr);
}

int cmd_RISK_WHY(const struct cli *cli)
{
    struct trail tr = {0};
    return cli_fail(cli, FAIL(&tr, UNREACHABLE, "risk why is not built into this binary"), &tr);
}
