/* SPDX-License-Identifier: Apache-2.0
 *
 * Cards L19-L25: what loading does to the process, and whether both sides agree on layouts.
 *
 * L24 gives a host with larger structs than this plugin's header knows (what a newer minor will
 * be): larger sizes, a larger event stride, canary bytes behind each struct. A smaller host does
 * not exist for ABI 1.0, the first. L23 has nothing to ask: plugins of ABI 1.0 offer no interfaces.
 */
#include <dirent.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/hash.h"
#include "base/must.h"
#include "bays/cards_priv.h"
#include "bays/fpu.h"
#include "bays/note.h"

static bool load_first(struct cards_case *c)
{
    struct bay_module *m = NULL;
    struct trail tr = {0};
    struct result r = bay_load(c->path, NULL, &m, &tr);
    c->module = m;
    if (is_ok(r))
        c->manifest = &m->facts.manifest;
    else
        CARD_SKIP("not loaded, see L22");
    return is_ok(r);
}

void cards_l19(struct cards_case *c)
{
    int64_t from = clock_mono(&clock_system);
    if (!load_first(c))
        return;
    int64_t us = (clock_mono(&clock_system) - from) / 1000;
    if (us > 100000)
        CARD_WARN("copied, checked and loaded in %lld us, more than 100 ms", (long long)us);
    else
        CARD_PASS("copied, checked and loaded in %lld us", (long long)us);
}

void cards_l20(struct cards_case *c)
{
    struct feed_market f;
    struct rig a, b;
    const struct bay_module *twin = cards_load_again(c);
    if (!twin)
        return;
    if (twin->entry.ops == c->module->entry.ops) {
        CARD_FAIL("a second sealed copy is the same module");
        return;
    }
    cards_market(c, &f, 2000);
    if (!cards_start(c, &a, &f))
        return;
    rig_feed(&a, &f, 0, f.count, 16);
    struct cards_case second = *c;
    second.module = twin;
    if (!cards_start(&second, &b, &f))
        return;
    rig_feed(&b, &f, 0, f.count, 16);
    if (rig_same(&a, &b))
        CARD_PASS("two copies are two modules with the same answers");
    else
        CARD_FAIL("a second copy in the same process gives other answers");
}

/* ---- L21 ---- */

struct process {
    struct fpu fpu;
    char locale[256], cwd[1024];
    mode_t mask;
    uint64_t signals, environment, limits;
    uint32_t fds, threads;
};

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

static uint64_t hash_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigprocmask(SIG_BLOCK, NULL, &set);
    uint64_t h = HASH_FNV64_SEED;
    for (int s = 1; s < 65; s++) {
        struct sigaction act;
        int blocked = sigismember(&set, s);
        memset(&act, 0, sizeof act);
        if (sigaction(s, NULL, &act) != 0)
            continue;
        uintptr_t handler = (uintptr_t)act.sa_handler;
        h = hash_fnv64(h, &blocked, sizeof blocked);
        h = hash_fnv64(h, &handler, sizeof handler);
        h = hash_fnv64(h, &act.sa_flags, sizeof act.sa_flags);
    }
    return h;
}

static void look(struct process *p)
{
    memset(p, 0, sizeof *p);
    p->fpu = fpu_read();
    snprintf(p->locale, sizeof p->locale, "%s", setlocale(LC_ALL, NULL));
    if (!getcwd(p->cwd, sizeof p->cwd))
        p->cwd[0] = 0;
    p->mask = umask(0);
    umask(p->mask);
    p->signals = hash_signals();
    p->environment = HASH_FNV64_SEED;
    for (char **e = environ; *e; e++)
        p->environment = hash_fnv64(p->environment, *e, strlen(*e) + 1);
    p->limits = HASH_FNV64_SEED;
    for (int i = 0; i < (int)RLIMIT_NLIMITS; i++) {
        struct rlimit l = {0, 0};
        (void)getrlimit((__rlimit_resource_t)i, &l);
        p->limits = hash_fnv64(p->limits, &l, sizeof l);
    }
    p->fds = count_entries("/proc/self/fd");
    p->threads = count_entries("/proc/self/task");
}

static const char *difference(const struct process *a, const struct process *b)
{
    if (!fpu_same(a->fpu, b->fpu))
        return "the FP control word";
    if (strcmp(a->locale, b->locale) != 0)
        return "the locale";
    if (strcmp(a->cwd, b->cwd) != 0)
        return "the working directory";
    if (a->mask != b->mask)
        return "the umask";
    if (a->signals != b->signals)
        return "signal mask or handlers";
    if (a->environment != b->environment)
        return "the environment";
    if (a->limits != b->limits)
        return "resource limits";
    if (a->threads != b->threads)
        return "the number of threads";
    return a->fds + 1 == b->fds ? NULL : "open descriptors"; /* the sealed copy stays open */
}

void cards_l21(struct cards_case *c)
{
    struct feed_market f;
    struct process before, after;
    struct rig r;
    look(&before);
    if (!load_first(c))
        return;
    if (c->manifest->kind != TN_KIND_INDICATOR && c->manifest->kind != TN_KIND_STRATEGY) {
        CARD_SKIP("not yet for draft kinds");
        return;
    }
    cards_market(c, &f, CARDS_LONG_EVENTS);
    if (!cards_start(c, &r, &f))
        return;
    for (int round = 0; round < 10 && !r.broken; round++) {
        rig_feed(&r, &f, 0, f.count, 128);
        rig_forget(&r);
    }
    rig_end(&r);
    rig_fini(&r);
    feed_fini(&f);
    look(&after);
    const char *what = difference(&before, &after);
    if (what)
        CARD_FAIL("changed %s of the process", what);
    else
        CARD_PASS("process unchanged after load, create, 1000000 events, destroy");
}

void cards_l22(struct cards_case *c)
{
    const struct tn_entry *e = &c->module->entry;
    CARD_PASS("tn_entry = note, ABI %u.%u, fingerprint %016llx, %s/1", e->abi_major, e->abi_minor,
              (unsigned long long)e->fingerprint, note_kind_name(c->manifest->kind));
}

void cards_l23(struct cards_case *c)
{
    CARD_SKIP("plugins of ABI 1.0 offer no interfaces to ask for");
}

/* ---- L24 ---- */

enum { EXTRA = 64 };
struct wide_event {
    struct tn_event ev;
    uint8_t extra[EXTRA];
};
struct wide {
    struct tn_host host;
    uint8_t behind_host[EXTRA];
    struct tn_create create;
    uint8_t behind_create[2 * EXTRA];
    struct tn_instrument instrument;
    uint8_t behind_instrument[EXTRA];
};

static void widen(struct wide *w, struct rig *r, const struct feed_market *f)
{
    memset(w, 0xa5, sizeof *w);
    w->host = r->serve.host;
    w->host.size = sizeof w->host + EXTRA;
    w->instrument = f->instrument;
    w->instrument.size = sizeof w->instrument + EXTRA;
    w->create = r->create;
    w->create.size = sizeof w->create + EXTRA; /* and EXTRA more behind what it says */
    w->create.instrument = &w->instrument;
}

static bool is_canary(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] != 0xa5)
            return false;
    }
    return true;
}

/* The same market with a larger stride. f->event is replaced; rig batches need one stride only. */
static struct wide_event *widen_events(const struct feed_market *f)
{
    struct wide_event *wide = calloc(f->count, sizeof *wide);
    must(wide != NULL);
    for (uint32_t i = 0; i < f->count; i++) {
        wide[i].ev = f->event[i];
        wide[i].ev.size = sizeof wide[i];
        memset(wide[i].extra, 0xa5, EXTRA);
    }
    return wide;
}

static const char *wide_damage(const struct wide *w, const struct wide_event *ev, uint32_t count)
{
    if (!is_canary(w->behind_host, EXTRA))
        return "struct tn_host";
    if (!is_canary(w->behind_create, sizeof w->behind_create))
        return "struct tn_create";
    if (!is_canary(w->behind_instrument, EXTRA))
        return "struct tn_instrument";
    for (uint32_t i = 0; i < count; i++) {
        if (!is_canary(ev[i].extra, EXTRA))
            return "struct tn_event";
    }
    return NULL;
}

/* One batch at a time by hand: the rig's own feed knows one stride only. */
static void feed_wide(struct rig *r, const struct feed_market *f, struct wide_event *ev)
{
    enum { BATCH = 16 };
    struct tn_event *narrow = f->event;
    for (uint32_t at = 0; at < f->count && !r->broken; at += BATCH) {
        uint32_t n = f->count - at < BATCH ? f->count - at : BATCH;
        struct feed_market part = *f;
        part.event = &ev[at].ev;
        part.count = n;
        part.value = f->value + (size_t)at * f->inputs;
        part.ready = f->ready + at;
        rig_feed(r, &part, 0, n, n);
    }
    must(f->event == narrow);
}

static void feed_narrow(struct rig *r, const struct feed_market *f)
{
    enum { BATCH = 16 };
    for (uint32_t at = 0; at < f->count && !r->broken; at += BATCH) {
        uint32_t n = f->count - at < BATCH ? f->count - at : BATCH;
        struct feed_market part = *f;
        part.event = f->event + at;
        part.count = n;
        part.value = f->value + (size_t)at * f->inputs;
        part.ready = f->ready + at;
        rig_feed(r, &part, 0, n, n);
    }
}

void cards_l24(struct cards_case *c)
{
    struct feed_market f;
    struct rig a, b;
    struct wide w;
    cards_market(c, &f, 3000);
    rig_init(&b, c->module, &f);
    widen(&w, &b, &f);
    b.serve.setup = true;
    int32_t status = c->module->ops.base.create(&w.host, &w.create, &b.inst);
    if (status == TN_OK)
        status = c->module->ops.base.activate(b.inst);
    b.serve.setup = false;
    if (status != TN_OK) {
        CARD_FAIL("create with larger host structs gave status %d", status);
        return;
    }
    struct wide_event *ev = widen_events(&f);
    feed_wide(&b, &f, ev);
    const char *damage = wide_damage(&w, ev, f.count);
    free(ev);
    if (damage) {
        CARD_FAIL("wrote behind the members it knows of %s", damage);
        return;
    }
    if (!cards_start(c, &a, &f))
        return;
    feed_narrow(&a, &f);
    if (!rig_same(&a, &b))
        CARD_FAIL("larger host structs change its answers: does it step by ev->size?");
    else
        CARD_PASS("structs with %d more bytes: same answers, guard bytes intact", EXTRA);
}

static void say_nothing(void *self, uint32_t level, const char *text, uint32_t count)
{
    (void)self;
    (void)level;
    (void)text;
    (void)count;
}

void cards_l25(struct cards_case *c)
{
    struct feed_market f;
    struct rig r;
    cards_market(c, &f, 2000);
    rig_init(&r, c->module, &f);
    r.serve.host.log = say_nothing; /* and get_interface answers NULL to every name */
    int32_t status = rig_create(&r);
    if (status == TN_OK)
        status = rig_activate(&r);
    if (status == TN_OK)
        rig_feed(&r, &f, 0, f.count, 16);
    if (status > TN_OK && status <= TN_E_UNSUPPORTED)
        CARD_WARN("does not work without optional host services (status %d)", status);
    else if (status != TN_OK)
        CARD_FAIL("gave unknown status %d without optional host services", status);
    else
        CARD_PASS("works without optional host services");
}
