/* SPDX-License-Identifier: Apache-2.0
 *
 * replay --belief: the builds that a journal knows, run again on the same events (flow/rebelief.h),
 * as a table of one row per build. A build that differs has its sentence below the table: the first
 * event at which it answered otherwise.
 *
 * Belief runs plugins, so the program first makes sure that their libm gives the bits that it gave
 * the host; a journal from a machine with others is refused by rebelief itself.
 */
#include "tools/tenon/replay_belief.h"
#include <inttypes.h>
#include <stdlib.h>
#include "base/must.h"
#include "bays/bay.h"
#include "flow/rebelief.h"

static const char *verdict(const struct rebelief_build *b)
{
    return b->difference[0] == 0 ? "identical" : b->differs_seq == 0 ? "not built" : "DIFFERENT";
}

static json_t *build_json(const struct rebelief_build *b)
{
    json_t *difference = b->difference[0] == 0 ? json_null()
                                               : json_pack("{s:o, s:s}", "seq",
                                                           json_sprintf("%" PRIu64, b->differs_seq),
                                                           "text", b->difference);
    return json_pack("{s:s, s:i, s:i, s:s, s:s, s:o, s:o, s:I, s:I, s:b, s:o}", "instance", b->name,
                     "id", (int)b->instance, "generation", (int)b->generation, "plugin", b->plugin,
                     "version", b->version, "from_seq", json_sprintf("%" PRIu64, b->from_seq),
                     "to_seq", json_sprintf("%" PRIu64, b->to_seq), "signals",
                     (json_int_t)b->signals, "same", (json_int_t)b->same, "identical",
                     (int)(b->difference[0] == 0), "difference", difference);
}

static int print_json(const struct cli *cli, const struct rebelief_options *o,
                      const struct rebelief_report *rep)
{
    json_t *builds = json_array();
    for (uint32_t i = 0; i < rep->build_count; i++)
        json_array_append_new(builds, build_json(&rep->build[i]));
    json_t *j = json_pack("{s:s, s:s, s:b, s:I, s:I, s:I, s:o}", "schema", "tenon.rebelief/1",
                          "journal", o->journal_dir, "identical", (int)(rep->differing == 0),
                          "events", (json_int_t)rep->events, "signals", (json_int_t)rep->signals,
                          "differing", (json_int_t)rep->differing, "builds", builds);
    if (j != NULL)
        json_object_set_new(j, "as_serial",
                            o->as_serial != 0 ? json_sprintf("%" PRIu64, o->as_serial)
                                              : json_null());
    int exit = cli_json(cli, j);
    return exit ? exit : rep->differing != 0;
}

static int print_text(const struct cli *cli, const struct rebelief_options *o,
                      const struct rebelief_report *rep)
{
    printf("belief replay of %s", o->journal_dir);
    if (o->as_serial != 0)
        printf(", with the builds of deployment %" PRIu64, o->as_serial);
    printf("\n  events      %" PRIu64 " shown\n", rep->events);
    printf("  signals     %" PRIu64 " compared, accepted or not\n\n", rep->signals);
    printf("  %-20s %10s  %-24s %9s %9s  %s\n", "INSTANCE", "GENERATION", "PLUGIN", "SIGNALS",
           "SAME", "VERDICT");
    for (uint32_t i = 0; i < rep->build_count; i++) {
        const struct rebelief_build *b = &rep->build[i];
        char plugin[2 * FACT_NAME_BYTES];
        snprintf(plugin, sizeof plugin, "%s %s", b->plugin, b->version);
        printf("  %-20s %10u  %-24s %9" PRIu64 " %9" PRIu64 "  %s\n", b->name, b->generation,
               plugin, b->signals, b->same, verdict(b));
    }
    printf("\n");
    for (uint32_t i = 0; i < rep->build_count; i++) {
        const struct rebelief_build *b = &rep->build[i];
        if (b->difference[0] != 0)
            printf("  %-10s  %s\n", verdict(b), b->difference);
    }
    if (rep->differing == 0)
        printf("  identical\n");
    return cli_done(cli, rep->differing != 0);
}

static struct result read_options(const struct cli *cli, char journal[PATHS_BYTES],
                                  char plugins[PATHS_BYTES], struct rebelief_options *out,
                                  struct trail *tr)
{
    TRY(bay_pin_libm(cli->argv, tr));
    if (args_has(&cli->a, FLAG_SNAPSHOT) || args_has(&cli->a, FLAG_CURRENT))
        return FAIL(tr, USAGE,
                    "--snapshot and --current are for the core's replay; belief is built from the "
                    "first record: leave them out");
    TRY(cli_journal_dir(cli, journal, tr));
    TRY(cli_plugins_dir(cli, plugins, tr));
    *out = (struct rebelief_options){.journal_dir = journal,
                                     .plugin_dir = plugins,
                                     .as_serial = (uint64_t)cli->a.flag[FLAG_AS].value};
    return OK_RESULT;
}

int replay_belief(const struct cli *cli)
{
    char journal[PATHS_BYTES], plugins[PATHS_BYTES];
    struct trail tr = {0};
    struct rebelief_options o;
    struct rebelief_report *rep = calloc(1, sizeof *rep);
    must(rep != NULL);
    struct result r = read_options(cli, journal, plugins, &o, &tr);
    if (is_ok(r))
        r = rebelief_run(&o, rep, &tr);
    int exit = 0;
    if (!is_ok(r))
        exit = cli_fail(cli, r, &tr);
    else
        exit = cli->json ? print_json(cli, &o, rep) : print_text(cli, &o, rep);
    free(rep);
    return exit;
}
