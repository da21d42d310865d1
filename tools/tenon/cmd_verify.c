/* SPDX-License-Identifier: Apache-2.0
 *
 * config verify: who signed a deployment, trust document or request, who is missing, and whether
 * the host would take it. It leads with people and never with "OK": a good signature of the wrong
 * person is the case that matters. The verdict is the host's own (vet.h), over the same bytes; each
 * signature is also looked at alone, so that one bad one does not hide the others.
 *
 * Without a journal the running deployment is not known. Then serial and parent are taken as the
 * file says, and approvals are counted as for a first deployment, which takes the most people; the
 * last line says so.
 */
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/hash.h"
#include "base/must.h"
#include "deploy/cfg.h"
#include "deploy/gather.h"
#include "tools/tenon/trusted.h"

enum kind { KIND_DEPLOYMENT, KIND_TRUST, KIND_REQUEST };
static const char *const kind_name[] = {"deployment", "trust", "request"};

struct signer { /* one signature file */
    bool is_good;
    bool is_leaving; /* of a trust document: known to the version before, not to this one */
    struct trust_signed sign;
    char key[SIGN_ID_TEXT];
    char sentence[TRAIL_TEXT_BYTES]; /* why it is not good */
};

struct check {
    const struct cli *cli;
    const char *path;
    enum kind kind;
    struct bundle *bundle;
    struct trusted at;
    struct trust next;        /* KIND_TRUST: the file itself */
    const struct trust *rule; /* that signatures are shown by; NULL: none */
    struct deploy_doc *active;
    struct vet_verdict *verdict;
    struct vet_request request;
    uint8_t sha256[FACT_HASH_BYTES];
    bool is_alone;     /* no journal to compare with */
    char missing[160]; /* approvals */
    char says[160];    /* the verdict when it is good */
    uint32_t signer_count;
    struct signer signer[TRUST_SIGNATURES_MAX];
};

/* ---- what it is ---- */

/* The file's kind; what does not parse is judged, and refused, as a deployment. */
static enum kind kind_of(const struct bundle_part *file)
{
    struct cfg_file *f = NULL;
    enum kind kind = KIND_DEPLOYMENT;
    if (!is_ok(cfg_open_bytes(file->bytes, file->count, file->name, NULL, &f)))
        return kind;
    const struct cfg_node *n = f->root->kind == CFG_MAP ? cfg_get(f->root, "kind") : NULL;
    for (enum kind k = KIND_TRUST; k <= KIND_REQUEST; k++)
        if (n != NULL && n->kind == CFG_SCALAR && strcmp(n->text, kind_name[k]) == 0)
            kind = k;
    cfg_close(f);
    return kind;
}

/* ---- each signature alone ---- */

static void look_at(struct check *c, uint32_t i)
{
    struct trust_signed all[TRUST_SIGNATURES_MAX];
    struct bundle one = {.file = c->bundle->file, .signature_count = 1};
    struct signer *s = &c->signer[i];
    struct trail tr = {0};
    one.signature[0] = c->bundle->signature[i];
    struct result r = trust_verify(c->rule, &one, kind_name[c->kind], all, &tr);
    s->is_good = is_ok(r);
    if (!s->is_good && c->rule == &c->next && c->at.trust.version != 0)
        s->is_leaving = s->is_good =
            is_ok(trust_verify(&c->at.trust, &one, kind_name[c->kind], all, NULL));
    if (s->is_good) {
        s->sign = all[0];
        sign_id_text(all[0].file.id, s->key);
    } else {
        snprintf(s->sentence, sizeof(s->sentence), "%s", trail_sentence(&tr, r));
    }
}

/* ---- verdicts ---- */

/* What the host knows, as far as the journal says it. */
static struct result know(struct check *c, struct vet_now *now, struct trail *tr)
{
    const struct registry *reg = c->at.registry;
    const struct registry_entry *e = reg != NULL ? registry_active(reg) : NULL;
    *now = (struct vet_now){
        .trust = &c->at.trust,
        .host = c->at.trust.host,
        .wall_ns = trusted_wall(&c->at),
        .event_ns = INT64_MIN,
        .instruments_path = args_text(&c->cli->a, FLAG_INSTRUMENTS, NULL),
    };
    if (e == NULL)
        return OK_RESULT;
    size_t count;
    const char *text = registry_text(reg, e->sha256, &count);
    if (text == NULL)
        return FAIL(tr, CORRUPT,
                    "the journal does not hold the text of serial %llu whole; run tenon journal "
                    "verify",
                    (unsigned long long)e->serial);
    TRY(deploy_parse(text, count, "the active deployment", NULL, c->active, tr));
    now->doc = c->active;
    now->serial = e->serial;
    memcpy(now->sha256, e->sha256, sizeof(now->sha256));
    return OK_RESULT;
}

/* Without a journal: the place in the chain that the file itself claims. */
static void believe_place(struct check *c, struct vet_now *now)
{
    const struct bundle_part *f = &c->bundle->file;
    struct deploy_doc *d = c->active;
    c->is_alone = true;
    struct result r = deploy_parse(f->bytes, f->count, f->name, now->instruments_path, d, NULL);
    if (!is_ok(r) || d->fact.serial == 0)
        return;
    now->serial = d->fact.serial - 1;
    memcpy(now->sha256, d->parent, sizeof(now->sha256));
}

/* The file is the one that is active: its place in the chain is taken, by itself. */
static bool is_active(const struct check *c)
{
    const struct registry_entry *e =
        c->at.registry != NULL ? registry_active(c->at.registry) : NULL;
    return e != NULL && memcmp(e->sha256, c->sha256, sizeof(c->sha256)) == 0;
}

static struct result judge_deployment(struct check *c, struct trail *tr)
{
    struct vet_now now;
    struct vet_verdict *v = c->verdict;
    TRY(trusted_need(&c->at, tr));
    if (is_active(c)) {
        TRY(trust_verify(&c->at.trust, c->bundle, kind_name[c->kind], v->sign, tr));
        snprintf(c->says, sizeof(c->says), "serial %llu is active on host %s",
                 (unsigned long long)registry_active(c->at.registry)->serial, c->at.trust.host);
        return OK_RESULT;
    }
    TRY(know(c, &now, tr));
    if (c->at.registry == NULL)
        believe_place(c, &now);
    struct result r = vet(c->bundle, &now, v, tr);
    snprintf(c->missing, sizeof(c->missing), "%s", v->missing);
    snprintf(c->says, sizeof(c->says),
             "serial %llu may become active on host %s (it takes author %u, operator %u, risk %u)",
             (unsigned long long)v->serial, now.host, v->need.author, v->need.operator,
             v->need.risk);
    return r;
}

static struct result judge_trust(struct check *c, struct trail *tr)
{
    struct trust_signed sign[TRUST_SIGNATURES_MAX];
    const struct trust *before = c->at.trust.version != 0 ? &c->at.trust : NULL;
    const struct trust_need need = {.root = c->next.need_root};
    uint32_t roots = 0;
    if (c->next.version == 0) /* it did not parse: say why */
        return trust_parse(c->bundle->file.bytes, c->bundle->file.count, c->path, &c->next, tr);
    if (c->next.version > 1 && before == NULL)
        return FAIL(tr, NOT_FOUND,
                    "%.200s: is version %llu, and the version before it is not at hand; name it "
                    "with --trust FILE, or the journal that has it with --journal DIR",
                    c->path, (unsigned long long)c->next.version);
    if (before != NULL && memcmp(before->sha256, c->sha256, sizeof(c->sha256)) == 0) {
        snprintf(c->says, sizeof(c->says), "version %llu is the one of %.100s",
                 (unsigned long long)before->version, c->at.from);
        return trust_verify(before, c->bundle, kind_name[c->kind], sign, tr);
    }
    for (uint32_t i = 0; i < c->signer_count; i++)
        if (c->signer[i].is_good && !c->signer[i].is_leaving &&
            c->signer[i].sign.role == TRUST_ROOT)
            sign[roots++] = c->signer[i].sign;
    trust_count(&c->next, sign, roots, &need, c->missing, sizeof(c->missing));
    snprintf(c->says, sizeof(c->says), "version %llu may %s host %s",
             (unsigned long long)c->next.version,
             before != NULL ? "be rotated in on" : "begin a journal of", c->next.host);
    return trust_follow(before, &c->next, c->bundle, sign, tr);
}

static struct result judge_request(struct check *c, struct trail *tr)
{
    TRY(trusted_need(&c->at, tr));
    const struct vet_now now = {
        .trust = &c->at.trust, .host = c->at.trust.host, .wall_ns = trusted_wall(&c->at)};
    struct vet_request *q = &c->request;
    struct result r = vet_request(c->bundle, &now, q, tr);
    if (r.code == RESULT_APPROVAL)
        trust_count_request(now.trust, q->sign, q->signed_count, c->missing, sizeof(c->missing));
    TRY(r);
    if (c->at.registry != NULL && registry_used(c->at.registry, c->sha256))
        return FAIL(tr, STATE,
                    "%.200s: was granted already, and a request counts once; write a new one with "
                    "tenon risk resume --out",
                    c->path);
    char until[CLOCK_TEXT_BYTES];
    clock_print(q->expires_ns, until);
    snprintf(c->says, sizeof(c->says), "host %s may be asked for it until %.19sZ", now.host, until);
    return OK_RESULT;
}

static struct result judge(struct check *c, struct trail *tr)
{
    switch (c->kind) {
    case KIND_TRUST:
        return judge_trust(c, tr);
    case KIND_REQUEST:
        return judge_request(c, tr);
    default:
        return judge_deployment(c, tr);
    }
}

/* ---- telling ---- */

static void signed_at(const struct signer *s, char out[32])
{
    if (!sign_comment_get(s->sign.file.comment, "signed", out, 32))
        out[0] = 0;
}

static void print_people(const struct check *c)
{
    char when[32];
    for (uint32_t i = 0; i < c->signer_count; i++) {
        const struct signer *s = &c->signer[i];
        if (!s->is_good) {
            printf("✖ %s\n", s->sentence);
            continue;
        }
        signed_at(s, when);
        printf("✔ %-10s key %s  %-8s%s%s\n", s->sign.name, s->key, trust_role_name(s->sign.role),
               when[0] != 0 ? "  signed " : "", when);
    }
    if (c->bundle->signature_count == 0)
        printf("✖ nobody     signed it\n");
    if (c->missing[0] != 0)
        printf("✖ missing    %s\n", c->missing);
}

static json_t *people_json(const struct check *c)
{
    json_t *list = json_array();
    char when[32];
    for (uint32_t i = 0; i < c->signer_count; i++) {
        const struct signer *s = &c->signer[i];
        const char *file = c->bundle->signature[i].name;
        signed_at(s, when);
        json_array_append_new(
            list, s->is_good
                      ? json_pack("{s:s, s:b, s:s, s:s, s:s, s:s}", "file", file, "good", 1,
                                  "person", s->sign.name, "key", s->key, "role",
                                  trust_role_name(s->sign.role), "signed", when)
                      : json_pack("{s:s, s:b, s:s}", "file", file, "good", 0, "why", s->sentence));
    }
    return list;
}

/* One object whatever the verdict is, so that a script sees who signed also when it is refused. */
static int tell_json(const struct check *c, struct result r, const struct trail *tr)
{
    char hex[HASH_HEX_BYTES], line[4 * COMPLAINT_TEXT_BYTES];
    struct complaint why;
    json_t *error = json_null();
    int exit = 0;
    hash_hex(c->sha256, hex);
    if (!is_ok(r)) {
        complaint_from(&why, r, c->cli->name, tr);
        exit = complaint_exit(&why);
        error = complaint_json(&why);
        complaint_print(&why, line, sizeof(line));
        fprintf(stderr, "%s\n", line);
    }
    int done = cli_json(
        c->cli, json_pack("{s:s, s:b, s:i, s:s, s:s, s:s, s:s, s:b, s:o, s:s, s:s, s:o}", "schema",
                          "tenon.verify.v1", "ok", is_ok(r), "exit", exit, "file", c->path, "kind",
                          kind_name[c->kind], "sha256", hex, "trust", c->at.from, "compared",
                          !c->is_alone, "signers", people_json(c), "missing", c->missing, "verdict",
                          is_ok(r) ? c->says : "", "error", error));
    return exit != 0 ? exit : done;
}

static int tell(const struct check *c, struct result r, const struct trail *tr)
{
    char hex[HASH_HEX_BYTES];
    if (c->cli->json)
        return tell_json(c, r, tr);
    hash_hex(c->sha256, hex);
    print_people(c);
    printf("sha256 %s  %s\n", hex, c->bundle->file.name);
    if (!is_ok(r)) {
        int done = cli_done(c->cli, 0);
        return done != 0 ? done : cli_fail(c->cli, r, tr);
    }
    printf("%s\n", c->says);
    if (c->is_alone)
        cli_say(c->cli, "not compared with a running deployment: no journal at hand (--journal "
                        "DIR); serial and parent are as the file says");
    return cli_done(c->cli, 0);
}

/* Everything there is to know about the file, and the verdict. */
static struct result examine(struct check *c, struct trail *tr)
{
    const struct bundle_part *file = &c->bundle->file;
    hash_sha256_once(file->bytes, file->count, c->sha256);
    c->kind = kind_of(file);
    if (c->at.trust.version != 0)
        c->rule = &c->at.trust;
    if (c->kind == KIND_TRUST &&
        is_ok(trust_parse(file->bytes, file->count, c->path, &c->next, NULL)))
        c->rule = &c->next;
    for (uint32_t i = 0; c->rule != NULL && i < c->bundle->signature_count; i++) {
        look_at(c, i);
        c->signer_count++;
    }
    return judge(c, tr);
}

int cmd_CONFIG_VERIFY(const struct cli *cli)
{
    struct trail tr = {0};
    struct check *c = calloc(1, sizeof(*c));
    must(c != NULL && cli->a.word_count == 1);
    c->cli = cli;
    c->path = cli->a.word[0];
    c->active = calloc(1, sizeof(*c->active));
    c->verdict = calloc(1, sizeof(*c->verdict));
    must(c->active != NULL && c->verdict != NULL);
    struct result r = gather(c->path, &c->bundle, &tr);
    if (is_ok(r))
        r = trusted_open(cli, &c->at, &tr);
    int exit;
    if (is_ok(r)) {
        r = examine(c, &tr);
        exit = tell(c, r, &tr);
    } else {
        exit = cli_fail(cli, r, &tr);
    }
    trusted_close(&c->at);
    bundle_free(c->bundle);
    free(c->active);
    free(c->verdict);
    free(c);
    return exit;
}
