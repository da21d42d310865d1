/* SPDX-License-Identifier: Apache-2.0
 *
 * backtest: one deployment over one file, as fast as it goes, with the engine that paper uses.
 * Nothing is stored (host/decisions/0005): the result names the data set by its hash and carries
 * the hash of all effects, and running it again on the same file is its replay. The tool plays the
 * operator: auto trading is on from the first event.
 *
 * Belief runs in this process, so libm is pinned first, which re-executes the program once.
 */
#include <stdlib.h>
#include <string.h>
#include "base/must.h"
#include "flow/summary.h"
#include "tools/tenon/cli.h"

static struct result read_deployment(const struct cli *cli, struct deploy_doc *doc,
                                     struct trail *tr)
{
    char instruments[PATHS_BYTES];
    TRY(cli_instruments(cli, instruments, tr));
    return deploy_read_as(cli->a.flag[FLAG_CONFIG].text, instruments,
                          cli->a.flag[FLAG_INSTRUMENT].text, doc, tr);
}

static struct result turn_all(struct lockstep *l, struct trail *tr)
{
    struct fact_auto on = {.on = 1, .by = "backtest"};
    struct result r = lockstep_command(l, FACT_AUTO, &on, tr);
    while (is_ok(r))
        r = lockstep_turn(l, tr);
    return r.code == RESULT_END ? OK_RESULT : r;
}

static int print(const struct cli *cli, const struct summary *s)
{
    char text[TRAIL_TEXT_BYTES];
    if (cli->json)
        summary_json(stdout, s);
    else
        summary_print(stdout, s);
    int exit = cli_done(cli, 0);
    if (exit == 0 && summary_fault(s, text) != NULL) {
        fprintf(stderr, "error[RUN] the backtest does not hold: %s\n", text);
        exit = 1;
    }
    return exit;
}

static int run(const struct cli *cli, struct deploy_doc *doc, struct trail *tr)
{
    char plugins[PATHS_BYTES];
    struct lockstep *engine = NULL;
    struct lockstep_report report;
    const char *data = cli->a.flag[FLAG_DATA].text, *slash = strrchr(data, '/');
    struct result r = cli_plugins_dir(cli, plugins, tr);
    struct lockstep_options o = {.doc = doc,
                                 .kind = FACT_RUN_BACKTEST,
                                 .plugin_dir = plugins,
                                 .data_path = data,
                                 .seed = (uint64_t)cli->a.flag[FLAG_SEED].value,
                                 .clock = &clock_system};
    if (is_ok(r))
        r = read_deployment(cli, doc, tr);
    if (is_ok(r))
        r = lockstep_open(&o, &engine, tr);
    if (is_ok(r))
        r = turn_all(engine, tr);
    if (is_ok(r))
        r = lockstep_stop(engine, &report, tr);
    int exit = 0;
    if (is_ok(r)) {
        struct summary s = {.doc = doc,
                            .core = lockstep_core(engine),
                            .report = &report,
                            .market = slash ? slash + 1 : data};
        exit = print(cli, &s);
    }
    lockstep_free(engine);
    return is_ok(r) ? exit : cli_fail(cli, r, tr);
}

int cmd_BACKTEST(const struct cli *cli)
{
    struct trail tr = {0};
    struct result r = bay_pin_libm(cli->argv, &tr);
    if (!is_ok(r))
        return cli_fail(cli, r, &tr);
    struct deploy_doc *doc = calloc(1, sizeof *doc);
    must(doc != NULL);
    int exit = run(cli, doc, &tr);
    free(doc);
    return exit;
}
