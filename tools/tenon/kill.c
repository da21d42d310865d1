/* SPDX-License-Identifier: Apache-2.0
 *
 * Asking both sides (DECISIONS 23): the word goes to the host and to tenon-egress at once, and the
 * first that takes it is enough. The other gets GRACE_MS more, then it is named as the one who did
 * not answer. So a host that hangs costs a person one second, and no order leaves meanwhile.
 *
 * Where no tenon-egress runs there is nothing to kill there: its accounts are the host's own.
 */
#include "tools/tenon/kill.h"
#include <poll.h>
#include "base/clock.h"

enum { FIRST_MS = 15000, GRACE_MS = 1000 };

static struct result door_path(const struct cli *cli, char out[PATHS_BYTES], struct trail *tr)
{
    const char *door = args_text(&cli->a, FLAG_DOOR, NULL);
    const char *host = args_text(&cli->a, FLAG_SOCKET, NULL);
    if (door == NULL)
        return host != NULL ? paths_door_of(host, out, tr) : paths_egress_find("door", out, tr);
    snprintf(out, PATHS_BYTES, "%s", door);
    return OK_RESULT;
}

static void ask_side(struct kill_side *s, const char *path, const json_t *args)
{
    const struct client_options o = {.socket_path = path, .timeout_ms = FIRST_MS};
    struct result r = client_begin(&o, "risk kill", args, &s->call, &s->c);
    s->is_asked = is_ok(r);
    s->is_absent = r.code == RESULT_UNREACHABLE;
}

/* Whoever took it is said at once: a person should not have to wait for the other to know. */
static void take_answer(const struct cli *cli, struct kill_side *s)
{
    s->is_asked = false;
    s->took = is_ok(client_finish(&s->call, &s->result, &s->c));
    if (s->took && !cli->json)
        cli_say(cli, "%s: %s", s->name, ask_text(s->result));
}

/* Both are waited for; once one took it, the other for GRACE_MS. */
static void wait_for_both(const struct cli *cli, struct kill_side side[KILL_SIDES])
{
    int64_t until = clock_mono(&clock_system) + FIRST_MS * 1000000ll;
    while (side[0].is_asked || side[1].is_asked) {
        struct pollfd p[KILL_SIDES];
        const int64_t left = (until - clock_mono(&clock_system)) / 1000000;
        if (left <= 0)
            return;
        for (int i = 0; i < KILL_SIDES; i++)
            p[i] = (struct pollfd){.fd = side[i].is_asked ? side[i].call.fd : -1, .events = POLLIN};
        if (poll(p, KILL_SIDES, (int)left) <= 0)
            continue;
        for (int i = 0; i < KILL_SIDES; i++) {
            if (p[i].revents == 0)
                continue;
            take_answer(cli, &side[i]);
            const int64_t soon = clock_mono(&clock_system) + GRACE_MS * 1000000ll;
            if (side[i].took && soon < until)
                until = soon;
        }
    }
}

static void give_up(struct kill_side *s, const struct cli *cli)
{
    if (!s->is_asked)
        return;
    s->is_asked = false;
    client_leave(&s->call);
    complaint_make(&s->c, RESULT_OF(TIMEOUT), cli->name, "%s did not answer in time", s->name);
}

bool kill_ask(const struct cli *cli, const json_t *args, struct kill_side side[KILL_SIDES],
              const struct complaint **worst)
{
    struct trail tr = {0};
    side[0].name = "host";
    side[1].name = "egress";
    /* Egress first: a connection to a host that hangs may take a second to fail. */
    if (is_ok(door_path(cli, side[1].path, &tr)))
        ask_side(&side[1], side[1].path, args);
    ask_side(&side[0], args_text(&cli->a, FLAG_SOCKET, NULL), args);
    wait_for_both(cli, side);
    for (int i = 0; i < KILL_SIDES; i++)
        give_up(&side[i], cli);
    /* Nobody took it: the host's reason is said, unless only egress is there and has one. */
    *worst = side[0].is_absent && !side[1].is_absent ? &side[1].c : &side[0].c;
    return side[0].took || side[1].took;
}

void kill_end(struct kill_side side[KILL_SIDES])
{
    for (int i = 0; i < KILL_SIDES; i++)
        json_decref(side[i].result);
}
