/* SPDX-License-Identifier: Apache-2.0
 *
 * See vet.h. The order of the checks is part of the contract: nothing of a file is parsed before
 * its signatures were found good, so a stranger's bytes never reach the YAML reader of a host that
 * runs; and approvals are counted last, because only the difference from the active document says
 * how many people it takes. So "approvals are missing" also means that nothing else is wrong.
 *
 * Time comes from the caller, who must not let it fall: a clock that was set back would make an
 * expired document valid again.
 */
#include "deploy/vet.h"
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/hash.h"
#include "base/must.h"
#include "deploy/plan.h"

struct vetting {
    const struct bundle *b;
    const struct vet_now *now;
    struct vet_verdict *out;
    struct trail *tr;
    const char *name; /* of the file, for sentences */
};

static struct result check_size(const struct vetting *v)
{
    if (v->b->file.count <= DEPLOY_FILE_MAX_BYTES)
        return OK_RESULT;
    return FAIL(v->tr, TOO_LARGE,
                "%s: has %zu bytes, at most %d are taken, and nothing of it was read; make it "
                "smaller",
                v->name, v->b->file.count, (int)DEPLOY_FILE_MAX_BYTES);
}

static struct result check_host(const struct vetting *v)
{
    if (strcmp(v->out->doc.host, v->now->host) == 0)
        return OK_RESULT;
    return FAIL(v->tr, CONFIG,
                "%s: is for the host %s, and this one is %s; write host: %s and have it signed "
                "again",
                v->name, v->out->doc.host, v->now->host, v->now->host);
}

static struct result check_serial(const struct vetting *v)
{
    uint64_t is = v->out->serial, active = v->now->serial;
    if (is == 0)
        return FAIL(v->tr, CONFIG,
                    "%s: has serial 0, which stands for unsigned; tenon config plan --out gives it "
                    "the next one, %llu",
                    v->name, (unsigned long long)active + 1);
    if (active == 0 && is != 1)
        return FAIL(v->tr, STATE,
                    "%s: is serial %llu, and nothing was promoted here yet: the first one has "
                    "serial 1; tenon config plan --out gives it",
                    v->name, (unsigned long long)is);
    if (is <= active)
        return FAIL(v->tr, STATE,
                    "%s: serial %llu was used already, %llu is active; the next is %llu, which "
                    "tenon config plan --out gives it",
                    v->name, (unsigned long long)is, (unsigned long long)active,
                    (unsigned long long)active + 1);
    if (is > active + 1)
        return FAIL(v->tr, STATE,
                    "%s: serial %llu leaves out %llu; %llu is active and none may be missing, so "
                    "promote that one first or plan this one again",
                    v->name, (unsigned long long)is, (unsigned long long)active + 1,
                    (unsigned long long)active);
    return OK_RESULT;
}

static struct result check_parent(const struct vetting *v)
{
    char is[HASH_HEX_BYTES], active[HASH_HEX_BYTES];
    if (memcmp(v->out->doc.parent, v->now->sha256, FACT_HASH_BYTES) == 0)
        return OK_RESULT;
    hash_hex(v->out->doc.parent, is);
    hash_hex(v->now->sha256, active);
    return FAIL(v->tr, STATE,
                "%s: was written to follow %.12s..., and %.12s... is active; look at what changed "
                "(tenon config diff) and plan it again",
                v->name, is, active);
}

static struct result check_times(const struct vetting *v)
{
    char limit[CLOCK_TEXT_BYTES], time[CLOCK_TEXT_BYTES];
    const struct deploy_doc *d = &v->out->doc;
    clock_print(v->now->wall_ns, time);
    if (v->now->wall_ns < d->not_before_ns) {
        clock_print(d->not_before_ns, limit);
        return FAIL(v->tr, NOT_PERMITTED,
                    "%s: may be promoted from %.19sZ on, and it is %.19sZ; wait until then",
                    v->name, limit, time);
    }
    if (v->now->wall_ns >= d->expires_ns) {
        clock_print(d->expires_ns, limit);
        return FAIL(v->tr, NOT_PERMITTED,
                    "%s: expired at %.19sZ, and it is %.19sZ; plan it again and have it signed "
                    "again",
                    v->name, limit, time);
    }
    if (d->run_until_ns != 0 && d->run_until_ns <= v->now->event_ns) {
        clock_print(d->run_until_ns, limit);
        clock_print(v->now->event_ns, time);
        return FAIL(v->tr, NOT_PERMITTED,
                    "%s: may run until %.19sZ of market time, and it is %.19sZ; give it a later "
                    "run_until",
                    v->name, limit, time);
    }
    return OK_RESULT;
}

/* A rollback is derived by the host; somebody's file that called itself one would be read as one by
 * everybody who looks back. */
static struct result check_change(const struct vetting *v)
{
    if (v->out->doc.rollback_of != 0)
        return FAIL(v->tr, CONFIG,
                    "%s: rollback_of: only the host writes it; go back with tenon config rollback, "
                    "or take the key out",
                    v->name);
    if (v->now->doc != NULL)
        TRY(change_allowed(v->now->doc, &v->out->doc, v->tr));
    return change_find(v->now->doc, &v->out->doc, &v->out->change, v->tr);
}

static struct result check_approvals(const struct vetting *v)
{
    struct vet_verdict *o = v->out;
    char repeats[96];
    o->need = plan_need(v->now->trust, &o->change);
    if (trust_count(v->now->trust, o->sign, o->signed_count, &o->need, o->missing,
                    sizeof(o->missing)))
        return OK_RESULT;
    trust_repeats(o->sign, o->signed_count, repeats, sizeof(repeats));
    if (o->signed_count == 1 && o->sign[0].role == TRUST_AUTHOR && o->need.author > 0)
        snprintf(repeats, sizeof(repeats), "; %s is its author and cannot approve it alone",
                 o->sign[0].name);
    return FAIL(v->tr, APPROVAL, "%s: approvals are missing: %s%s", v->name, o->missing, repeats);
}

/* What was parsed stays in the verdict when a later check fails. */
static struct result read_document(const struct vetting *v)
{
    TRY(deploy_parse(v->b->file.bytes, v->b->file.count, v->name, v->now->instruments_path,
                     &v->out->doc, v->tr));
    v->out->serial = v->out->doc.fact.serial;
    must(memcmp(v->out->doc.fact.sha256, v->out->sha256, FACT_HASH_BYTES) == 0);
    return OK_RESULT;
}

struct result vet(const struct bundle *b, const struct vet_now *now, struct vet_verdict *out,
                  struct trail *tr)
{
    const struct vetting v = {.b = b, .now = now, .out = out, .tr = tr, .name = b->file.name};
    must(now->trust != NULL && now->host != NULL);
    must(now->doc == NULL || now->serial != 0);
    memset(out, 0, sizeof(*out));
    hash_sha256_once(b->file.bytes, b->file.count, out->sha256);
    TRY(check_size(&v));
    TRY(trust_verify(now->trust, b, "deployment", out->sign, tr));
    out->signed_count = b->signature_count;
    TRY(read_document(&v));
    TRY(check_host(&v));
    TRY(check_serial(&v));
    TRY(check_parent(&v));
    TRY(check_times(&v));
    TRY(check_change(&v));
    return check_approvals(&v);
}
