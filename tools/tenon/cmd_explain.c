/* SPDX-License-Identifier: Apache-2.0
 *
 * explain and risk why: read the story from the journal, print it. See story.h.
 */
#include "base/must.h"
#include "tools/tenon/cli.h"
#include "tools/tenon/story.h"

static struct story_style style_of(const struct cli *cli)
{
    return (struct story_style){.utc = cli->utc};
}

static int explain(const struct cli *cli, const struct story *s)
{
    struct trail tr = {0};
    struct story_style style = style_of(cli);
    json_t *object = NULL;
    if (!cli->json) {
        story_print(stdout, s, &style);
        return cli_done(cli, 0);
    }
    struct result rc = story_json(s, cli->a.word[0], &object, &tr);
    return is_ok(rc) ? cli_json(cli, object) : cli_fail(cli, rc, &tr);
}

int cmd_EXPLAIN(const struct cli *cli)
{
    char dir[PATHS_BYTES];
    struct trail tr = {0};
    struct story s;
    must(cli->a.word_count == 1);
    struct story_ask ask = {.id = cli->a.word[0]};
    struct result rc = cli_journal_dir(cli, dir, &tr);
    if (is_ok(rc))
        rc = story_read(dir, &ask, &s, &tr);
    if (!is_ok(rc))
        return cli_fail(cli, rc, &tr);
    int exit = explain(cli, &s);
    story_free(&s);
    return exit;
}

static int why(const struct cli *cli, const struct story *s)
{
    struct trail tr = {0};
    struct story_style style = style_of(cli);
    json_t *object = NULL;
    if (!cli->json) {
        story_print_denial(stdout, s, &style);
        return cli_done(cli, 0);
    }
    struct result rc = story_json_denial(s, &object, &tr);
    return is_ok(rc) ? cli_json(cli, object) : cli_fail(cli, rc, &tr);
}

int cmd_RISK_WHY(const struct cli *cli)
{
    char dir[PATHS_BYTES];
    struct trail tr = {0};
    struct story s;
    struct story_ask ask = {.id = cli->a.word_count ? cli->a.word[0] : NULL, .decision_only = true};
    struct result rc = cli_journal_dir(cli, dir, &tr);
    if (is_ok(rc))
        rc = story_read(dir, &ask, &s, &tr);
    if (!is_ok(rc))
        return cli_fail(cli, rc, &tr);
    int exit = why(cli, &s);
    story_free(&s);
    return exit;
}
