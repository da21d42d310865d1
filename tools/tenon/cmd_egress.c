/* SPDX-License-Identifier: Apache-2.0
 *
 * egress start becomes tenon-egress; egress status asks it at its own door, without the host.
 */
#include "gateway/client.h"
#include "tools/tenon/become.h"
#include "tools/tenon/cli.h"

int cmd_EGRESS_START(const struct cli *cli)
{
    return become_with_flags(cli, "tenon-egress");
}

static void print_row(const char *name, const json_t *value)
{
    if (json_is_boolean(value))
        printf("%-18s %s\n", name, json_is_true(value) ? "yes" : "no");
    else if (json_is_integer(value))
        printf("%-18s %lld\n", name, (long long)json_integer_value(value));
}

int cmd_EGRESS_STATUS(const struct cli *cli)
{
    struct trail tr = {0};
    struct complaint c;
    char path[PATHS_SOCKET_BYTES];
    json_t *result = NULL, *value;
    const char *name, *door = args_text(&cli->a, FLAG_DOOR, NULL);
    if (door == NULL) {
        struct result r = paths_egress_find("door", path, &tr);
        if (!is_ok(r))
            return cli_fail(cli, r, &tr);
        door = path;
    }
    struct client_options o = {.socket_path = door};
    if (!is_ok(client_call(&o, "egress status", NULL, &result, &c))) {
        complaint_next(&c, "is tenon-egress running? start it with tenon egress start");
        return cli_complain(cli, &c);
    }
    if (cli->json)
        return cli_json(cli, result);
    json_object_foreach(result, name, value) print_row(name, value);
    json_decref(result);
    return cli_done(cli, 0);
}
