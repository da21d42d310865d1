/* SPDX-License-Identifier: Apache-2.0
 *
 * risk kill: asks host and tenon-egress (kill.h) and says of each what it did. Whoever took it is
 * said at once, the rest when the waiting is over.
 */
#include <stdlib.h>
#include "tools/tenon/kill.h"

static int tell_json(const struct cli *cli, const struct kill_side side[KILL_SIDES])
{
    json_t *took = json_array(), *silent = json_array();
    const json_t *text = NULL;
    for (int i = 0; i < KILL_SIDES; i++) {
        if (side[i].took && text == NULL)
            text = json_object_get(side[i].result, "text");
        if (side[i].took)
            json_array_append_new(took, json_string(side[i].name));
        else if (!side[i].is_absent)
            json_array_append_new(silent, json_string(side[i].name));
    }
    json_t *object = json_object();
    json_object_set_new(object, "schema", json_string("tenon.kill.v1"));
    json_object_set_new(object, "text", json_string(text ? json_string_value(text) : "done"));
    json_object_set_new(object, "took", took);
    json_object_set_new(object, "silent", silent);
    return cli_json(cli, object);
}

static int tell(const struct cli *cli, const struct kill_side side[KILL_SIDES])
{
    if (cli->json)
        return tell_json(cli, side);
    for (int i = 0; i < KILL_SIDES; i++) {
        if (side[i].took)
            continue; /* said when it came */
        if (side[i].is_absent)
            cli_say(cli, "%s: is not running", side[i].name);
        else
            cli_say(cli, "%s: DID NOT TAKE IT: %s", side[i].name, side[i].c.what);
    }
    return cli_done(cli, 0);
}

int cmd_RISK_KILL(const struct cli *cli)
{
    struct trail tr = {0};
    struct kill_side *side = calloc(KILL_SIDES, sizeof *side);
    json_t *args = ask_args(&cli->a, NULL);
    const struct complaint *worst = NULL;
    if (side == NULL || args == NULL) {
        free(side);
        json_decref(args);
        return cli_fail(cli, FAIL(&tr, FULL, "no memory for the request"), &tr);
    }
    bool took = kill_ask(cli, args, side, &worst);
    json_decref(args);
    int exit_code = took ? tell(cli, side) : cli_complain(cli, worst);
    kill_end(side);
    free(side);
    return exit_code;
}
