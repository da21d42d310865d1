/* SPDX-License-Identifier: Apache-2.0
 *
 * risk resume: one person lifts what one person may; with --request the host is handed a file that
 * several have signed, and with --out that file is written. Writing it changes nothing, so it is
 * done here; the host is asked only for its name and its strategies. The request is for one use: it
 * has a nonce from the kernel and an hour to live, so an old one cannot lift a later kill.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "deploy/vet.h"
#include "tools/tenon/ask.h"
#include "tools/tenon/save.h"

#define SECOND_NS 1000000000ll
#define REQUEST_NS (3600 * SECOND_NS)

/* The strategy named on the command line is one of the running deployment's. */
static struct result check_strategy(const struct cli *cli, const json_t *status, const char *name,
                                    struct complaint *c)
{
    size_t i;
    const json_t *one;
    json_array_foreach(json_object_get(status, "strategies"), i, one)
    {
        const char *known = json_string_value(json_object_get(one, "name"));
        if (known && strcmp(known, name) == 0)
            return OK_RESULT;
    }
    complaint_make(c, RESULT_OF(UNKNOWN_NAME), cli->name,
                   "no strategy '%.40s' in the active deployment", name);
    complaint_next(c, "tenon status lists the strategies");
    return c->rc;
}

static struct result read_host(const struct cli *cli, char host[FACT_NAME_BYTES],
                               struct complaint *c)
{
    json_t *status = NULL;
    struct result rc = ask_status(cli, &status, c);
    if (!is_ok(rc))
        return rc;
    const char *name = json_string_value(json_object_get(status, "host"));
    if (!name || name[0] == '\0') {
        rc = complaint_make(c, RESULT_OF(STATE), cli->name,
                            "the host has no deployment, so no name that a request could be for");
        complaint_next(c, "promote a deployment first; see tenon status");
    } else if (cli->a.word_count > 0) {
        rc = check_strategy(cli, status, cli->a.word[0], c);
    }
    if (is_ok(rc))
        snprintf(host, FACT_NAME_BYTES, "%s", name);
    json_decref(status);
    return rc;
}

static struct result fill_request(const struct cli *cli, struct vet_request *q, struct trail *tr)
{
    uint64_t nonce = 0;
    memset(q, 0, sizeof *q);
    if (!is_ok(rng_entropy(&nonce, sizeof nonce)))
        return FAIL(tr, IO, "the kernel gives no random number, so no request can be made");
    snprintf(q->nonce, sizeof q->nonce, "%016" PRIx64, nonce);
    q->scope = cli->a.word_count > 0 ? MODE_SCOPE_STRATEGY : MODE_SCOPE_GLOBAL;
    if (cli->a.word_count > 0)
        snprintf(q->scope_name, sizeof q->scope_name, "%s", cli->a.word[0]);
    q->mode = MODE_ACTIVE;
    q->created_ns = clock_wall(&clock_system) / SECOND_NS * SECOND_NS;
    q->expires_ns = q->created_ns + REQUEST_NS;
    snprintf(q->reason, sizeof q->reason, "%s", args_text(&cli->a, FLAG_REASON, ""));
    return OK_RESULT;
}

static int say_written(const struct cli *cli, const struct vet_request *q, const char *host)
{
    const char *path = cli->a.flag[FLAG_OUT].text;
    char expires[CLOCK_TEXT_BYTES];
    clock_print(q->expires_ns, expires);
    if (cli->json)
        return cli_json(cli,
                        json_pack("{s:s, s:s, s:s, s:s, s:s}", "schema", "tenon.request.v1", "file",
                                  path, "host", host, "nonce", q->nonce, "expires", expires));
    printf("%s\n", path);
    cli_say(cli,
            "written; until %.19sZ two people sign it, one of them in the role risk: tenon "
            "config sign %s --role ROLE; then: tenon risk resume --request %s",
            expires, path, path);
    return cli_done(cli, 0);
}

static int write_request(const struct cli *cli)
{
    struct vet_request *q = calloc(1, sizeof *q);
    char host[FACT_NAME_BYTES], *text = NULL;
    struct complaint c;
    struct trail tr = {0};
    int exit = 0;
    if (!q)
        return cli_fail(cli, FAIL(&tr, FULL, "no memory for a request"), &tr);
    if (!is_ok(read_host(cli, host, &c))) {
        free(q);
        return cli_complain(cli, &c);
    }
    struct result rc = fill_request(cli, q, &tr);
    if (is_ok(rc))
        rc = vet_request_print(q, host, &text, &tr);
    if (is_ok(rc))
        rc = save_new(cli->a.flag[FLAG_OUT].text, 0644, text, strlen(text), &tr);
    exit = is_ok(rc) ? say_written(cli, q, host) : cli_fail(cli, rc, &tr);
    free(text);
    free(q);
    return exit;
}

int cmd_RISK_RESUME(const struct cli *cli)
{
    struct complaint c;
    struct bundle *b = NULL;
    if (args_has(&cli->a, FLAG_OUT))
        return write_request(cli);
    if (!args_has(&cli->a, FLAG_REQUEST))
        return ask_act(cli, NULL);
    if (!is_ok(ask_gather(cli, cli->a.flag[FLAG_REQUEST].text, &b, &c)))
        return cli_complain(cli, &c);
    int exit = ask_act(cli, b);
    bundle_free(b);
    return exit;
}
