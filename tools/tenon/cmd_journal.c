/* SPDX-License-Identifier: Apache-2.0
 *
 * journal cat, archive and prune, over the journal library. cat opens read-only beside a running
 * host and checks chain and checksums as it reads: a damaged record ends the listing with exit 65
 * and its name, after everything before it was printed.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "base/must.h"
#include "gateway/fact_text.h"
#include "journal/journal.h"
#include "tools/tenon/cli.h"

struct cat {
    struct journal_reader *reader;
    uint64_t to, limit, lines;
    uint16_t type; /* 0 = all */
    enum fact_form form;
};

/* The record type of a name, 0 = none; case does not matter. */
static uint16_t type_of(const char *name)
{
#define X(id, NAME, payload, version, class, text)                                                 \
    if (strcasecmp(name, #NAME) == 0)                                                              \
        return id;
    FACT_EVENTS(X)
    FACT_EFFECTS(X)
#undef X
    return 0;
}

static struct result unknown_type(const char *name, struct trail *tr)
{
    static const char *const known[] = {
#define X(id, NAME, payload, version, class, text) #NAME,
        FACT_EVENTS(X) FACT_EFFECTS(X)
#undef X
    };
    const char *near = command_nearest(name, known, sizeof known / sizeof known[0]);
    if (near)
        return FAIL(tr, UNKNOWN_NAME, "no record type '%s'; did you mean %s?", name, near);
    return FAIL(tr, UNKNOWN_NAME, "no record type '%s'; names are as in BAR, EXEC, DECISION", name);
}

static struct result cat_records(struct cat *cat, struct trail *tr)
{
    static char line[FACT_PRINT_BYTES];
    struct fact_head head;
    const void *payload;
    for (;;) {
        struct result rc = journal_reader_next(cat->reader, &head, &payload, tr);
        if (rc.code == RESULT_END || (is_ok(rc) && head.seq > cat->to))
            return OK_RESULT;
        if (!is_ok(rc))
            return rc;
        if (cat->type && head.type != cat->type)
            continue;
        size_t count = fact_print(cat->form, &head, payload, line, sizeof line);
        line[count] = '\n';
        if (fwrite(line, 1, count + 1, stdout) != count + 1)
            return FAIL(tr, IO, "standard output was closed");
        if (++cat->lines == cat->limit)
            return OK_RESULT;
    }
}

static uint64_t figure(const struct cli *cli, enum command_flag flag, uint64_t otherwise)
{
    return args_has(&cli->a, flag) ? (uint64_t)cli->a.flag[flag].value : otherwise;
}

static struct result cat_journal(const struct cli *cli, struct cat *cat, struct trail *tr)
{
    char dir[PATHS_BYTES];
    struct journal_store *store = NULL;
    const char *type = args_text(&cli->a, FLAG_TYPE, NULL);
    cat->type = type ? type_of(type) : 0;
    if (type && cat->type == 0)
        return unknown_type(type, tr);
    TRY(cli_journal_dir(cli, dir, tr));
    TRY(journal_store_rocksdb(dir, false, true, &store, tr));
    struct result rc = journal_reader_open(store, &cat->reader, tr);
    if (is_ok(rc) && args_has(&cli->a, FLAG_FROM))
        rc = journal_reader_seek(cat->reader, figure(cli, FLAG_FROM, 0), tr);
    if (rc.code == RESULT_END) /* from is past the last record: an empty listing */
        rc = OK_RESULT;
    else if (is_ok(rc))
        rc = cat_records(cat, tr);
    if (cat->reader)
        journal_reader_close(cat->reader);
    store->ops->close(store);
    return rc;
}

int cmd_JOURNAL_CAT(const struct cli *cli)
{
    struct trail tr = {0};
    struct cat cat = {.to = figure(cli, FLAG_TO, UINT64_MAX),
                      .limit = figure(cli, FLAG_LIMIT, UINT64_MAX),
                      .form = cli->json ? FACT_FORM_JSON : FACT_FORM_WORDS};
    struct result rc = cat_journal(cli, &cat, &tr);
    fflush(stdout);
    if (!is_ok(rc))
        return cli_fail(cli, rc, &tr);
    cli_say(cli, "%" PRIu64 " records", cat.lines);
    return cli_done(cli, 0);
}

static int report(const struct cli *cli, const char *schema, const char *what,
                  const struct journal_report *r)
{
    char head[HASH_HEX_BYTES];
    hash_hex(r->head, head);
    if (cli->json)
        return cli_json(cli, json_pack("{s:s, s:I, s:I, s:I, s:I, s:s}", "schema", schema, "groups",
                                       (json_int_t)r->groups, "records", (json_int_t)r->records,
                                       "first_seq", (json_int_t)r->first_seq, "last_seq",
                                       (json_int_t)r->last_seq, "head", head));
    printf("%s %" PRIu64 " records in %" PRIu64 " groups, events %" PRIu64 " to %" PRIu64
           ", head %s\n",
           what, r->records, r->groups, r->first_seq, r->last_seq, head);
    return cli_done(cli, 0);
}

int cmd_JOURNAL_ARCHIVE(const struct cli *cli)
{
    char dir[PATHS_BYTES], heads[PATHS_BYTES];
    struct journal_report rep = {0};
    struct trail tr = {0};
    must(cli->a.word_count == 1);
    struct result rc = cli_journal_dir(cli, dir, &tr);
    if (is_ok(rc))
        rc = cli_heads_dir(cli, heads, &tr);
    if (is_ok(rc))
        rc = journal_archive(dir, heads, cli->a.word[0], figure(cli, FLAG_BEFORE, 0), &rep, &tr);
    return is_ok(rc) ? report(cli, "tenon.archive.v1", "archived", &rep) : cli_fail(cli, rc, &tr);
}

/* What goes must be covered: without the first events a host comes back by a snapshot only. */
static struct result covered(const char *dir, uint64_t before_seq, struct trail *tr)
{
    uint64_t seq = 0;
    void *bytes = NULL;
    size_t count = 0;
    struct result r = journal_snapshot_read(dir, UINT64_MAX, &seq, &bytes, &count, tr);
    free(bytes);
    if (r.code != RESULT_NOT_FOUND && !is_ok(r))
        return r;
    if (is_ok(r) && seq + 1 >= before_seq)
        return OK_RESULT;
    return FAIL(tr, STATE,
                "journal %s: no snapshot covers the events before %" PRIu64 " (the newest is after "
                "event %" PRIu64 "), so the host could not start again; prune at most before that",
                dir, before_seq, seq);
}

int cmd_JOURNAL_PRUNE(const struct cli *cli)
{
    char dir[PATHS_BYTES], heads[PATHS_BYTES];
    struct journal_report rep = {0};
    struct trail tr = {0};
    struct result rc = cli_journal_dir(cli, dir, &tr);
    if (is_ok(rc))
        rc = cli_heads_dir(cli, heads, &tr);
    if (is_ok(rc))
        rc = covered(dir, figure(cli, FLAG_BEFORE, 0), &tr);
    if (is_ok(rc))
        rc = journal_prune(dir, heads, figure(cli, FLAG_BEFORE, 0), &rep, &tr);
    return is_ok(rc) ? report(cli, "tenon.prune.v1", "dropped", &rep) : cli_fail(cli, rc, &tr);
}
