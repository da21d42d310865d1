/* SPDX-License-Identifier: Apache-2.0
 *
 * config plan: what promoting a file would do, told from the journal and the plugins at hand, and
 * with --out the proposal itself, complete and ready to be signed.
 *
 * Nothing of it is a verdict: the host judges again, with what is true then. What the host would
 * refuse whatever happens (another serial, what no promotion can change) is refused here already,
 * before people have signed in vain. A figure that cannot be had (a plugin that does not load, no
 * journal) does not stop the plan; it is said to be unknown.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/clock.h"
#include "base/must.h"
#include "bays/bay.h"
#include "deploy/compose.h"
#include "deploy/gather.h"
#include "flow/warm.h"
#include "tools/tenon/config.h"
#include "tools/tenon/running.h"
#include "tools/tenon/save.h"

#define SECOND_NS 1000000000ll
#define VALID_NS (24 * 3600 * SECOND_NS)

static_assert((int)PLAN_REPLAY == (int)WARM_REPLAY && (int)PLAN_STATE == (int)WARM_STATE &&
                  (int)PLAN_COLD == (int)WARM_COLD,
              "the plan's words are the warm-up's");

struct planning {
    const struct cli *cli;
    struct running run;
    struct deploy_doc next;
    const char *path;             /* of the file that the plan is of */
    bool is_draft;                /* completed in memory: nobody asked for --out */
    char name[DEPLOY_PATH_BYTES]; /* for sentences about its lines */
    struct change change;
    uint32_t sign_count;
    struct trust_signed sign[TRUST_SIGNATURES_MAX];
    bool has_warmup;
    uint32_t warmup_count;
    struct plan_warmup warmup[DEPLOY_INSTANCES_MAX];
    char plugins[PATHS_BYTES];
};

/* ---- the proposal ---- */
struct pinning {
    const char *document, *dir;
};

static struct result pin(void *arg, const char *plugin, const char *version, const char *path,
                         uint8_t sha256[FACT_HASH_BYTES], struct trail *tr)
{
    const struct pinning *p = arg;
    char file[DEPLOY_PATH_BYTES];
    struct bay_facts facts;
    TRY(config_plugin(p->document, p->dir, plugin, version, path, file, tr));
    TRY(bay_read_facts(file, &facts, tr));
    memcpy(sha256, facts.sha256, FACT_HASH_BYTES);
    return OK_RESULT;
}

/* --out: a new file, or the very file that was read. */
static struct result save(const struct planning *p, const char *text, struct trail *tr)
{
    const char *in = p->cli->a.word[0], *out = p->cli->a.flag[FLAG_OUT].text;
    struct stat a, b;
    bool same =
        stat(in, &a) == 0 && stat(out, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
    return (same ? save_over : save_new)(out, 0644, text, strlen(text), tr);
}

static struct result compose(struct planning *p, const char *in, char **text, struct trail *tr)
{
    struct pinning at = {.document = in, .dir = p->plugins};
    char instruments[PATHS_BYTES];
    struct result found = cli_instruments(p->cli, instruments, NULL);
    int64_t now = trusted_wall(&p->run.at) / SECOND_NS * SECOND_NS;
    const struct deploy_doc *d = &p->next; /* as its author wrote it */
    struct compose_head head = {
        .serial = p->run.now.fact.serial + 1,
        .not_before_ns = d->not_before_ns != 0 ? d->not_before_ns : now,
        .expires_ns = d->expires_ns != 0 ? d->expires_ns : now + VALID_NS,
    };
    memcpy(head.parent, p->run.now.fact.sha256, sizeof(head.parent));
    return compose_proposal(in, is_ok(found) ? instruments : NULL, NULL, &head, pin, &at, text, tr);
}

/* Reads the file; with --out it is completed first, and the plan is of what people will sign. An
 * author's file (serial 0) is completed for the plan in any case, since a file without pins says
 * less than what would be signed; where that fails (no plugins here) the plan is of the file. */
static struct result take_file(struct planning *p, char **text, struct trail *tr)
{
    const char *in = p->cli->a.word[0];
    bool out = args_has(&p->cli->a, FLAG_OUT);
    struct trail why = {0};
    p->path = out ? p->cli->a.flag[FLAG_OUT].text : in;
    TRY(config_read(p->cli, in, &p->next, tr));
    if (!out && p->next.fact.serial != 0)
        return OK_RESULT;
    struct result r = compose(p, in, text, out ? tr : &why);
    if (is_ok(r)) {
        p->is_draft = !out;
        snprintf(p->name, sizeof(p->name), "%.400s%s", p->path, out ? "" : " (completed)");
        return deploy_parse(*text, strlen(*text), p->name, NULL, &p->next, tr);
    }
    if (out)
        return r;
    cli_say(p->cli, "the plan is of the file as it is, without pins: %s", trail_sentence(&why, r));
    return OK_RESULT;
}

/* ---- what is known ---- */
static struct result check_place(const struct planning *p, struct trail *tr)
{
    const struct deploy_doc *n = &p->next, *now = &p->run.now;
    uint64_t wanted = now->fact.serial + 1; /* 1 when none is running */
    if (n->fact.serial == 0 || p->run.at.registry == NULL)
        return OK_RESULT;
    if (n->fact.serial != wanted)
        return FAIL(tr, STATE,
                    "%s is serial %llu, but the running one is serial %llu, so the next is %llu; "
                    "have it completed again: tenon config plan %s --out %s",
                    p->path, (unsigned long long)n->fact.serial,
                    (unsigned long long)now->fact.serial, (unsigned long long)wanted, p->path,
                    p->path);
    if (memcmp(n->parent, now->fact.sha256, sizeof(n->parent)) != 0)
        return FAIL(tr, STATE,
                    "%s names another parent than the running deployment; have it completed again: "
                    "tenon config plan %s --out %s",
                    p->path, p->path, p->path);
    return OK_RESULT;
}

/* Signatures beside the file, when the trust document is known; bad ones are for config verify. */
static void look_for_signatures(struct planning *p)
{
    struct bundle *b = NULL;
    struct trail tr = {0};
    if (p->run.at.trust.version == 0 || args_has(&p->cli->a, FLAG_OUT) ||
        !is_ok(gather(p->path, &b, &tr)))
        return;
    if (b->signature_count > 0) {
        struct result r = trust_verify(&p->run.at.trust, b, "deployment", p->sign, &tr);
        if (is_ok(r))
            p->sign_count = b->signature_count;
        else
            cli_say(p->cli, "signatures are not counted: %s", trail_sentence(&tr, r));
    }
    bundle_free(b);
}

static void take_warmup(struct planning *p, const struct plant *part, const struct warm_report *rep)
{
    for (uint32_t i = 0; i < p->next.instance_count; i++)
        for (uint32_t k = 0; k < rep->seat_count; k++) {
            if (!p->change.swaps[i] || rep->seat[k].strategy != part->instance[i].id)
                continue;
            struct plan_warmup *w = &p->warmup[p->warmup_count++];
            memcpy(w->strategy, p->next.instance[i].fact.name, sizeof(w->strategy));
            w->need = rep->seat[k].need;
            w->have = rep->seat[k].have;
            w->how = warm_how(part, rep->seat[k].strategy);
        }
    p->has_warmup = true;
}

/* Builds what would be built, counts what the journal holds for it, and stops it again. */
static struct result count_warmup(struct planning *p, struct trail *tr)
{
    static const _Atomic bool go_on = false;
    struct stage_ids *ids = calloc(1, sizeof(*ids));
    struct plant *part = calloc(1, sizeof(*part));
    struct warm_report *rep = calloc(1, sizeof(*rep));
    char dir[PATHS_BYTES];
    must(ids != NULL && part != NULL && rep != NULL);
    struct plant_options o = {.doc = &p->next,
                              .plugin_dir = p->plugins,
                              .ids = ids,
                              .only = p->change.swaps,
                              .bars_from_trades = p->run.bars_from_trades};
    struct result r = stage_ids(&p->run.names, &p->next, ids, tr);
    bool is_open = false;
    if (is_ok(r))
        r = cli_journal_dir(p->cli, dir, tr);
    if (is_ok(r)) {
        r = plant_open(&o, part, tr);
        is_open = is_ok(r);
    }
    if (is_ok(r))
        r = warm_count(part, dir, p->run.last_seq, &go_on, rep, tr);
    if (is_ok(r))
        take_warmup(p, part, rep);
    if (is_open)
        plant_close(part);
    free(rep);
    free(part);
    free(ids);
    return r;
}

/* A plugin that is not here leaves the figures unknown; one that does not fit would be refused by
 * the host too. */
static struct result look_at_warmup(struct planning *p, struct trail *tr)
{
    struct trail why = {0};
    if (!p->run.has_core || p->change.swap_count == 0)
        return OK_RESULT;
    struct result r = count_warmup(p, &why);
    if (is_ok(r))
        return OK_RESULT;
    if (r.code != RESULT_NOT_FOUND)
        return FAIL_AS(tr, r, "%s", trail_sentence(&why, r));
    cli_say(p->cli, "the warm-up is not known: %s", trail_sentence(&why, r));
    return OK_RESULT;
}

static struct result gather_all(struct planning *p, char **text, struct trail *tr)
{
    TRY(cli_plugins_dir(p->cli, p->plugins, tr));
    TRY(running_open(p->cli, &p->run, tr));
    TRY(take_file(p, text, tr));
    TRY(check_place(p, tr));
    const struct deploy_doc *now = p->run.has_now ? &p->run.now : NULL;
    TRY(change_allowed(now, &p->next, tr));
    TRY(change_find(now, &p->next, &p->change, tr));
    TRY(running_core(p->cli, &p->run, tr));
    look_for_signatures(p);
    TRY(look_at_warmup(p, tr));
    return args_has(&p->cli->a, FLAG_OUT) ? save(p, *text, tr) : OK_RESULT;
}

static int tell(const struct planning *p)
{
    struct plan_input in = {.now = p->run.has_now ? &p->run.now : NULL,
                            .next = &p->next,
                            .next_path = p->path,
                            .is_draft = p->is_draft,
                            .change = &p->change,
                            .trust = p->run.at.trust.version != 0 ? &p->run.at.trust : NULL,
                            .sign = p->sign,
                            .sign_count = p->sign_count,
                            .owned = p->run.has_core ? p->run.owned : NULL,
                            .owned_count = p->run.owned_count,
                            .warmup = p->has_warmup ? p->warmup : NULL,
                            .warmup_count = p->warmup_count};
    if (p->cli->json)
        plan_json(stdout, &in);
    else
        plan_print(stdout, &in);
    return cli_done(p->cli, 0);
}

int cmd_CONFIG_PLAN(const struct cli *cli)
{
    struct trail tr = {0};
    struct planning *p = calloc(1, sizeof(*p));
    char *text = NULL;
    must(p != NULL);
    p->cli = cli;
    struct result r = bay_pin_libm(cli->argv, &tr);
    if (is_ok(r))
        r = gather_all(p, &text, &tr);
    int exit = is_ok(r) ? tell(p) : cli_fail(cli, r, &tr);
    running_close(&p->run);
    free(text);
    free(p);
    return exit;
}
