/* SPDX-License-Identifier: Apache-2.0
 *
 * See trusted.h. Without flags the journal of the default place is used if there is one; a machine
 * that only signs has none, which is no mistake until something needs it.
 */
#include "tools/tenon/trusted.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "deploy/gather.h"

static struct result from_file(const char *path, struct trusted *t, struct trail *tr)
{
    struct bundle *b = NULL;
    TRY(gather_file(path, &b, tr));
    struct result r = trust_parse(b->file.bytes, b->file.count, path, &t->trust, tr);
    bundle_free(b);
    snprintf(t->from, sizeof(t->from), "%s", path);
    return r;
}

static struct result from_journal(const char *dir, bool has_file, struct trusted *t,
                                  struct trail *tr)
{
    uint8_t sha256[FACT_HASH_BYTES];
    uint64_t version;
    size_t count;
    t->registry = registry_new();
    TRY(registry_read_dir(t->registry, dir, tr));
    if (has_file)
        return OK_RESULT;
    snprintf(t->from, sizeof(t->from), "journal %s", dir);
    if (!registry_trust(t->registry, sha256, &version))
        return OK_RESULT;
    const char *text = registry_text(t->registry, sha256, &count);
    if (text == NULL)
        return FAIL(tr, CORRUPT,
                    "%.200s: the text of its trust document, version %llu, is not whole; run tenon "
                    "journal verify",
                    dir, (unsigned long long)version);
    return trust_parse(text, count, "the journal's trust document", &t->trust, tr);
}

struct result trusted_open(const struct cli *cli, struct trusted *t, struct trail *tr)
{
    char dir[PATHS_BYTES];
    bool has_file = args_has(&cli->a, FLAG_TRUST);
    if (has_file)
        TRY(from_file(cli->a.flag[FLAG_TRUST].text, t, tr));
    if (has_file && !args_has(&cli->a, FLAG_JOURNAL))
        return OK_RESULT;
    TRY(cli_journal_dir(cli, dir, tr));
    if (!args_has(&cli->a, FLAG_JOURNAL) && access(dir, F_OK) != 0)
        return OK_RESULT;
    return from_journal(dir, has_file, t, tr);
}

struct result trusted_need(const struct trusted *t, struct trail *tr)
{
    if (t->trust.version != 0)
        return OK_RESULT;
    if (t->registry != NULL)
        return FAIL(tr, NOT_FOUND,
                    "%.200s has no trust document in it: nothing was ever promoted there; name one "
                    "with --trust FILE",
                    t->from);
    return FAIL(tr, NOT_FOUND,
                "there is no trust document at hand; name one with --trust FILE, or the journal "
                "that has one with --journal DIR");
}

void trusted_close(struct trusted *t)
{
    registry_free(t->registry);
    t->registry = NULL;
}

int64_t trusted_wall(const struct trusted *t)
{
    int64_t now = clock_wall(&clock_system);
    int64_t seen = t->registry != NULL ? registry_wall(t->registry) : INT64_MIN;
    return seen > now ? seen : now;
}
