/* SPDX-License-Identifier: Apache-2.0
 *
 * Cards C26-C35: creation with odd configurations, the order of calls, threads and instances side
 * by side. Most of them want "does not crash and answers with a known status": the child process
 * is the crash detector.
 */
#include <dirent.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "base/must.h"
#include "bays/cards_priv.h"
#include "bays/guard.h"

void cards_c26(struct cards_case *c)
{
    struct feed_market f;
    struct rig r;
    uint32_t right = c->manifest->param_count, taken = 0;
    cards_market(c, &f, 100);
    for (uint32_t n = 0; n <= TN_MAX_PARAMS; n++) {
        if (n == right)
            continue;
        rig_init(&r, c->module, &f);
        r.create.param_count = n; /* the memory behind is whole: only the count is wrong */
        int32_t status = rig_create(&r);
        if (!guard_status_known(status)) {
            CARD_FAIL("create with %u of %u parameters gave unknown status %d", n, right, status);
            return;
        }
        if (status == TN_OK) {
            taken += n < right; /* more than it knows may be left aside */
            rig_end(&r);
        }
        rig_fini(&r);
    }
    if (taken > 0)
        CARD_WARN("create takes fewer parameters than it declares (the host checks it too)");
    else
        CARD_PASS("create refuses to run with fewer parameters than it declares");
}

/* Runs with one parameter changed; the name of what is wrong, or NULL. */
static const char *run_with(struct cards_case *c, const struct feed_market *f, uint32_t k,
                            union tn_number v)
{
    struct rig r;
    const char *wrong = NULL;
    rig_init(&r, c->module, f);
    r.params[k] = v;
    int32_t status = rig_create(&r);
    if (status == TN_OK) {
        status = rig_activate(&r);
        if (status == TN_OK)
            rig_feed(&r, f, 0, f->count, 16);
        wrong = r.broken;
        rig_end(&r);
    } else if (status != TN_E_PARAM) { /* a contradiction between parameters may be refused */
        wrong = guard_status_name(status);
    }
    rig_fini(&r);
    return wrong;
}

void cards_c27(struct cards_case *c)
{
    struct feed_market f;
    uint32_t runs = 0;
    cards_market(c, &f, 2000);
    for (uint32_t k = 0; k < c->manifest->param_count; k++) {
        const struct tn_param *row = &c->manifest->params[k];
        const union tn_number values[] = {row->min, row->max, row->def};
        for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
            if (!is_ok(bay_param_check(row, values[i], NULL)))
                continue; /* max may lie off the steps */
            const char *wrong = run_with(c, &f, k, values[i]);
            runs++;
            if (!wrong)
                continue;
            CARD_FAIL("with %s at its %s: %s", row->name,
                      i == 0   ? "minimum"
                      : i == 1 ? "maximum"
                               : "default",
                      wrong);
            return;
        }
    }
    CARD_PASS("%u runs with a parameter at minimum, maximum, default; the host refuses others",
              runs);
}

static uint32_t count_entries(const char *path)
{
    uint32_t n = 0;
    DIR *d = opendir(path);
    must(d != NULL);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

void cards_c28(struct cards_case *c)
{
    struct feed_market f;
    struct rig r;
    uint64_t used = 0;
    cards_market(c, &f, 16);
    uint32_t fds = count_entries("/proc/self/fd"), threads = count_entries("/proc/self/task");
    for (uint32_t i = 0; i < 10000; i++) {
        if (!cards_start(c, &r, &f))
            return;
        rig_feed(&r, &f, 0, f.count, 16);
        if (i > 0 && r.serve.used != used) {
            CARD_FAIL("instance %u takes %llu arena bytes, the one before %llu", i,
                      (unsigned long long)r.serve.used, (unsigned long long)used);
            return;
        }
        used = r.serve.used;
        rig_end(&r);
        rig_fini(&r);
    }
    if (fds != count_entries("/proc/self/fd") || threads != count_entries("/proc/self/task"))
        CARD_FAIL("10000 instances leave descriptors or threads behind");
    else
        CARD_PASS("10000 instances made and dropped, nothing left behind");
}

/* ---- C29: the n-th request for memory fails ---- */

struct stingy {
    struct serve *serve;
    void *(*alloc)(void *, uint64_t);
    uint32_t asked, fail_at; /* 0 = never */
};

static void *alloc_or_not(void *self, uint64_t bytes)
{
    struct stingy *s = self;
    if (++s->asked == s->fail_at)
        return NULL;
    return s->alloc(s->serve, bytes);
}

static void quiet_log(void *self, uint32_t level, const char *text, uint32_t count)
{
    (void)self;
    (void)level;
    (void)text;
    (void)count;
}

static const void *no_interface(void *self, const char *id)
{
    (void)self;
    (void)id;
    return NULL;
}

static int32_t create_stingy(struct rig *r, struct stingy *s)
{
    struct tn_host host = {.size = sizeof host,
                           .self = s,
                           .alloc = alloc_or_not,
                           .log = quiet_log,
                           .get_interface = no_interface};
    s->serve = &r->serve;
    s->alloc = r->serve.host.alloc;
    r->serve.setup = true;
    int32_t status = r->module->ops.base.create(&host, &r->create, &r->inst);
    if (status == TN_OK)
        status = r->module->ops.base.activate(r->inst);
    r->serve.setup = false;
    return status;
}

void cards_c29(struct cards_case *c)
{
    struct feed_market f;
    struct rig r;
    struct stingy s = {.fail_at = 0};
    cards_market(c, &f, 16);
    rig_init(&r, c->module, &f);
    if (create_stingy(&r, &s) != TN_OK) {
        CARD_FAIL("create with default parameters failed");
        return;
    }
    uint32_t requests = s.asked;
    for (uint32_t k = 1; k <= requests && k <= 1000; k++) {
        struct stingy fails = {.fail_at = k};
        rig_fini(&r);
        rig_init(&r, c->module, &f);
        int32_t status = create_stingy(&r, &fails);
        if (status == TN_OK || !guard_status_known(status)) {
            CARD_FAIL("without memory at request %u create gave status %d", k, status);
            return;
        }
    }
    CARD_PASS("each of %u requests for memory may fail", requests);
}

/* ---- order, threads, side by side ---- */

void cards_c30(struct cards_case *c)
{
    struct feed_market f;
    struct rig r;
    const struct tn_instance_ops *ops = &c->module->ops.base;
    cards_market(c, &f, 100);
    if (!cards_start(c, &r, &f))
        return;
    r.serve.setup = true;
    int32_t twice = ops->activate(r.inst);
    r.serve.setup = false;
    ops->deactivate(r.inst);
    ops->deactivate(r.inst);
    int32_t after = rig_hot(&r, &f, 0, 16);
    ops->destroy(r.inst);
    rig_fini(&r);
    rig_init(&r, c->module, &f);
    int32_t status = rig_create(&r);
    int32_t early = rig_hot(&r, &f, 0, 16); /* warm-up: before activate */
    ops->deactivate(r.inst);
    ops->destroy(r.inst);
    if (status != TN_OK || early != TN_OK)
        CARD_FAIL("a hot call before activate (warm-up) gave status %d", early);
    else if (!guard_status_known(twice) || !guard_status_known(after))
        CARD_FAIL("calls out of order gave unknown status %d or %d", twice, after);
    else
        CARD_PASS("calls out of order give a known status");
}

struct shift {
    struct rig *rig;
    const struct feed_market *market;
    uint32_t from, to;
};

static void *work_shift(void *arg)
{
    struct shift *s = arg;
    rig_feed(s->rig, s->market, s->from, s->to, 16);
    return NULL;
}

void cards_c31(struct cards_case *c)
{
    struct feed_market f;
    struct rig one, many;
    cards_market(c, &f, CARDS_EVENTS);
    if (!cards_start(c, &one, &f))
        return;
    rig_feed(&one, &f, 0, f.count, 16);
    if (!cards_start(c, &many, &f))
        return;
    for (uint32_t at = 0; at < f.count; at += 512) {
        struct shift s = {&many, &f, at, at + 512 < f.count ? at + 512 : f.count};
        pthread_t t;
        int made = pthread_create(&t, NULL, work_shift, &s);
        must(made == 0);
        pthread_join(t, NULL);
    }
    if (rig_same(&one, &many))
        CARD_PASS("hot calls from 40 threads in turn equal one thread");
    else
        CARD_FAIL("hot calls from threads in turn give other answers");
}

void cards_c32(struct cards_case *c)
{
    struct feed_market f;
    struct rig r;
    cards_market(c, &f, 2000);
    if (!cards_start(c, &r, &f))
        return;
    rig_feed(&r, &f, 0, f.count, 16);
    const char *where = r.serve.misused ? "on_events" : NULL;
    if (!where && c->manifest->state_schema > 0) {
        void *bytes = calloc(1, c->manifest->state_max_bytes + 1);
        must(bytes != NULL);
        (void)rig_save(&r, bytes, 0);
        free(bytes);
        where = r.serve.misused ? "state_save" : NULL;
    }
    rig_end(&r);
    if (!where && r.serve.misused)
        where = "deactivate or destroy";
    if (where)
        CARD_FAIL("asks for memory or interfaces in %s: only setup calls may", where);
    else
        CARD_PASS("host services asked for in setup only");
}

void cards_c33(struct cards_case *c)
{
    struct feed_market f;
    struct rig r;
    cards_market(c, &f, 600);
    for (uint32_t stage = 0; stage < 4; stage++) {
        rig_init(&r, c->module, &f);
        if (rig_create(&r) != TN_OK) {
            CARD_FAIL("create with default parameters failed");
            return;
        }
        if (stage > 0 && rig_activate(&r) != TN_OK) {
            CARD_FAIL("activate failed");
            return;
        }
        if (stage > 1)
            rig_feed(&r, &f, 0, stage == 2 ? 1 : f.count, 16);
        if (stage > 0)
            r.module->ops.base.deactivate(r.inst);
        r.module->ops.base.destroy(r.inst);
        rig_fini(&r);
    }
    CARD_PASS("torn down after create, activate, one event, 600 events");
}

static void side_by_side(struct cards_case *c, const struct bay_module *second, const char *what)
{
    struct feed_market f;
    struct rig alone, a, b;
    struct cards_case other = *c;
    other.module = second;
    cards_market(c, &f, CARDS_EVENTS);
    if (!cards_start(c, &alone, &f))
        return;
    rig_feed(&alone, &f, 0, f.count, 16);
    if (!cards_start(c, &a, &f) || !cards_start(&other, &b, &f))
        return;
    for (uint32_t at = 0; at + 100 <= f.count; at += 100) {
        rig_feed(&a, &f, at, at + 100, 16);
        rig_feed(&b, &f, at, at + 100, 7);
    }
    if (rig_same(&alone, &a) && rig_same(&alone, &b))
        CARD_PASS("%s in turn equal one alone", what);
    else
        CARD_FAIL("%s in turn give other answers than one alone", what);
}

void cards_c34(struct cards_case *c)
{
    side_by_side(c, c->module, "two instances");
}

void cards_c35(struct cards_case *c)
{
    const struct bay_module *second = cards_load_again(c);
    if (second)
        side_by_side(c, second, "two modules");
}
