/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests of new builds: a laboratory with a real journal, the running builds of a deployment
 * behind a belief, people with keys, and a promoter. The test's thread plays the engine's part: it
 * numbers what it is told to number, turns the tap on and adopts. The plugins are those of
 * tests/fixtures/plugins (memo, tail, cold, slow).
 */
#ifndef TESTS_PROMOTER_RIG_H
#define TESTS_PROMOTER_RIG_H
#include "tests/unit/deploy/people.h"
#include "base/clock.h"
#include "flow/promoter.h"
#include <dirent.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#define LAB_PLUGINS TENON_BINARY_DIR "/swap"
#define LAB_T0 1500000000000000000ll
#define LAB_BAR_NS 60000000000ll
#define LAB_UNUSED __attribute__((unused))
enum { LAB_FACTS = 4096, LAB_SIGNALS = 4096 };

struct lab_signal {
    uint32_t strategy, generation;
    uint64_t cause;
    struct fact_signal signal;
};
struct lab {
    char dir[64], journal_dir[96], heads_dir[96];
    struct trail tr;
    struct journal *journal;
    uint64_t seq;
    int64_t t_ns;
    int64_t close; /* of the last bar */
    uint32_t bars;
    uint64_t seed;
    struct trust trust;
    struct deploy_doc doc; /* active */
    char *text;
    struct stage_names names;
    struct stage_ids ids;
    struct plant plant; /* the builds of doc, running */
    struct tap *tap;
    struct promoter *promoter;
    bool is_tapped;
    /* what the promoter had numbered, in order */
    uint32_t fact_count;
    struct fact_view fact[LAB_FACTS];
    /* what belief answered */
    uint32_t signal_count;
    struct lab_signal signal[LAB_SIGNALS];
    struct promoter_news news;
    uint32_t bars_after_listen; /* bars that come while the promoter warms */
    struct core_owned owned;    /* of every strategy */
    pthread_mutex_t lock;
    pthread_cond_t woken;
};

#define LAB_OK(lab, expr)                                                                          \
    do {                                                                                           \
        struct result lab_r_ = (expr);                                                             \
        if (!is_ok(lab_r_))                                                                        \
            fail_msg("%s: %s", #expr, trail_sentence(&(lab)->tr, lab_r_));                         \
    } while (0)

/* ---- documents ---- */

struct lab_instance {
    const char *name, *plugin, *version;
    const char *params; /* inside the braces, "" = none */
    const char *folder; /* NULL: LAB_PLUGINS, found by id and version */
};

LAB_UNUSED static void lab_pin(const struct lab_instance *i, char hex[HASH_HEX_BYTES])
{
    char path[DEPLOY_PATH_BYTES];
    struct bay_facts *facts = calloc(1, sizeof *facts);
    struct trail tr = {0};
    assert_non_null(facts);
    if (i->folder != NULL)
        snprintf(path, sizeof path, "%s/%s.so", i->folder, i->plugin);
    else
        assert_true(is_ok(plant_find(LAB_PLUGINS, i->plugin, i->version, path, &tr)));
    assert_true(is_ok(bay_read_facts(path, facts, &tr)));
    hash_hex(facts->sha256, hex);
    free(facts);
}

/* A signed form: every instance is a strategy with a route of its own. Heap. */
LAB_UNUSED static char *lab_text(uint64_t serial, const uint8_t parent[32],
                                 const struct lab_instance *list, uint32_t count, const char *limit)
{
    static const uint8_t zeros[FACT_HASH_BYTES];
    char hex[HASH_HEX_BYTES];
    char *text = calloc(1, 32768);
    FILE *f = fmemopen(text, 32767, "w");
    assert_non_null(f);
    hash_hex(parent != NULL ? parent : zeros, hex);
    fprintf(f,
            "schema: 1\nhost: lab\nserial: %lu\nparent: \"%s\"\n"
            "not_before: 2017-07-14T00:00:00Z\nexpires: 2017-07-15T00:00:00Z\nseed: 7\n"
            "currencies:\n  USD: {exponent: -8}\naccounts:\n  paper:\n    currency: USD\n"
            "    balance: \"100000\"\n    simulated: true\n"
            "    venue: {profile: plain, latency_ms: 20, maker_fee_bps: 1, taker_fee_bps: 5}\n"
            "instruments:\n  COIN:\n    contract: linear\n    price_exponent: -2\n"
            "    qty_exponent: -4\n    tick: 0.01\n    lot: 0.0001\n    multiplier: 1\n"
            "    settle: USD\n    bar: 1m\n    stamp: end\n    session: always\n"
            "    degraded_after: 5m\n    down_after: 30m\ninstances:\n",
            (unsigned long)serial, hex);
    for (uint32_t i = 0; i < count; i++) {
        lab_pin(&list[i], hex);
        fprintf(f, "  %s:\n    plugin: %s\n    version: %s\n    instrument: COIN\n    bar: 1m\n",
                list[i].name, list[i].plugin, list[i].version);
        if (list[i].folder != NULL)
            fprintf(f, "    path: \"%s/%s.so\"\n", list[i].folder, list[i].plugin);
        fprintf(f, "    sha256: \"%s\"\n", hex);
        if (list[i].params[0] != 0)
            fprintf(f, "    params: {%s}\n", list[i].params);
    }
    fprintf(f, "routes:\n");
    for (uint32_t i = 0; i < count; i++)
        fprintf(f,
                "  - {strategy: %s, instrument: COIN, account: paper, env: paper, budget: "
                "\"20000\"}\n",
                list[i].name);
    fprintf(f,
            "limits:\n  all: {max_order_qty: %s, max_position_qty: 1000, max_order_value: "
            "\"40000\", price_collar_pct: 5, max_exposure_pct: 50, max_leverage_x: 2, "
            "max_open_orders: 10, max_messages_per_s: 20}\n",
            limit != NULL ? limit : "1000");
    fclose(f);
    return text;
}

/* ---- the clock stands still ---- */

static int64_t lab_wall(void *arg)
{
    (void)arg;
    return LAB_T0 + 3600000000000ll;
}
static int64_t lab_mono(void *arg)
{
    static _Atomic int64_t t;
    (void)arg;
    return t++;
}
static const struct clock lab_clock = {.wall_ns = lab_wall, .mono_ns = lab_mono};

static void lab_wake(void *arg)
{
    struct lab *l = arg;
    pthread_mutex_lock(&l->lock);
    pthread_cond_broadcast(&l->woken);
    pthread_mutex_unlock(&l->lock);
}

/* ---- numbering ---- */

static void lab_collect(struct lab *l)
{
    struct belief_answer a;
    while (belief_take(l->plant.belief, &a)) {
        if (a.a.kind != BAY_SIGNAL)
            fail_msg("fault: %s", a.a.text);
        assert_true(l->signal_count < LAB_SIGNALS);
        l->signal[l->signal_count++] = (struct lab_signal){.strategy = a.strategy,
                                                           .generation = a.generation,
                                                           .cause = a.a.cause_seq,
                                                           .signal = a.a.signal};
    }
}

LAB_UNUSED static void lab_event(struct lab *l, uint16_t type, uint32_t generation,
                                 const void *payload)
{
    uint8_t record[sizeof(struct fact_head) + FACT_MAX_BYTES + 8] = {0};
    const struct fact_head head = {.bytes = fact_bytes(type),
                                   .seq = ++l->seq,
                                   .t_ns = l->t_ns,
                                   .type = type,
                                   .version = fact_version(type),
                                   .generation = generation};
    memcpy(record, &head, sizeof head);
    memcpy(record + sizeof head, payload, head.bytes);
    const uint32_t n = (uint32_t)sizeof head + ((head.bytes + 7u) & ~7u);
    LAB_OK(l, journal_put(l->journal, record, n, head.seq, false));
    belief_event(l->plant.belief, &head, payload);
    lab_collect(l);
}

/* A walk up and down, seeded; one bar a minute. */
LAB_UNUSED static void lab_bars(struct lab *l, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        l->seed = l->seed * 6364136223846793005ull + 1442695040888963407ull;
        const int64_t move = (int64_t)(l->seed >> 33) % 401 - 200;
        const int64_t open = l->close;
        l->close += move + (l->close < 50000 ? 100 : l->close > 150000 ? -100 : 0);
        l->t_ns += LAB_BAR_NS;
        const struct fact_bar f = {.instrument = 1,
                                   .open_ns = l->t_ns - LAB_BAR_NS,
                                   .open = open,
                                   .high = (open > l->close ? open : l->close) + 5,
                                   .low = (open < l->close ? open : l->close) - 5,
                                   .close = l->close,
                                   .volume = 1000};
        lab_event(l, FACT_BAR, 0, &f);
        l->bars++;
    }
}

/* ---- opening and ending ---- */

static void lab_journal(struct lab *l)
{
    struct journal_store *store = NULL;
    struct journal_found found;
    assert_int_equal(mkdir(l->heads_dir, 0700), 0);
    LAB_OK(l, journal_store_rocksdb(l->journal_dir, true, false, &store, &l->tr));
    const struct journal_options o = {
        .store = store, .heads_dir = l->heads_dir, .sync = true, .clock = &clock_system};
    LAB_OK(l, journal_open(&o, &l->journal, &found, &l->tr));
}

static void lab_names(struct lab *l)
{
    struct stage_names *n = &l->names;
    const struct deploy_doc *d = &l->doc;
    n->currency_count = d->currency_count;
    n->instrument_count = d->instrument_count;
    n->account_count = d->account_count;
    n->instance_count = d->instance_count;
    memcpy(n->currency[0], d->currency[0].name, sizeof n->currency[0]);
    memcpy(n->instrument[0], d->instrument[0].symbol, sizeof n->instrument[0]);
    memcpy(n->account[0], d->account[0].name, sizeof n->account[0]);
    for (uint32_t i = 0; i < d->instance_count; i++) {
        memcpy(n->instance[i].name, d->instance[i].fact.name, FACT_NAME_BYTES);
        n->instance[i].generation = n->instance[i].generation_before = 1;
    }
}

/* A running deployment of serial 1 with these strategies; people_setup was called. */
LAB_UNUSED static struct lab *lab_new(const struct lab_instance *list, uint32_t count)
{
    struct lab *l = calloc(1, sizeof *l);
    assert_non_null(l);
    snprintf(l->dir, sizeof l->dir, "/tmp/tenon-lab-XXXXXX");
    assert_non_null(mkdtemp(l->dir));
    snprintf(l->journal_dir, sizeof l->journal_dir, "%s/journal", l->dir);
    snprintf(l->heads_dir, sizeof l->heads_dir, "%s/heads", l->dir);
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->woken, NULL);
    l->t_ns = LAB_T0;
    l->close = 100000;
    l->seed = 42;
    l->trust = people_trust(PEOPLE_TRUST);
    l->text = lab_text(1, NULL, list, count, NULL);
    LAB_OK(l, deploy_parse(l->text, strlen(l->text), "lab-1.yaml", NULL, &l->doc, &l->tr));
    lab_names(l);
    LAB_OK(l, stage_ids(&l->names, &l->doc, &l->ids, &l->tr));
    const struct plant_options o = {
        .doc = &l->doc, .plugin_dir = LAB_PLUGINS, .ids = &l->ids, .bays_max = BELIEF_BAYS_MAX};
    LAB_OK(l, plant_open(&o, &l->plant, &l->tr));
    LAB_OK(l, belief_activate(l->plant.belief, &l->tr));
    LAB_OK(l, tap_new(&l->tap, &l->tr));
    lab_journal(l);
    const struct promoter_options p = {.plugin_dir = LAB_PLUGINS,
                                       .journal_dir = l->journal_dir,
                                       .clock = &lab_clock,
                                       .wake = lab_wake,
                                       .wake_arg = l};
    LAB_OK(l, promoter_open(&p, &l->promoter, &l->tr));
    return l;
}

static void lab_remove(const char *dir)
{
    DIR *d = opendir(dir);
    char path[512];
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        assert_true(snprintf(path, sizeof path, "%s/%s", dir, e->d_name) < (int)sizeof path);
        if (e->d_type == DT_DIR)
            lab_remove(path);
        else
            unlink(path);
    }
    if (d != NULL)
        closedir(d);
    rmdir(dir);
}

LAB_UNUSED static void lab_free(struct lab *l)
{
    uint8_t head[FACT_HASH_BYTES];
    promoter_close(l->promoter);
    plant_close(&l->plant);
    LAB_OK(l, journal_close(l->journal, head, &l->tr));
    tap_free(l->tap);
    pthread_cond_destroy(&l->woken);
    pthread_mutex_destroy(&l->lock);
    lab_remove(l->dir);
    free(l->text);
    free(l);
}

/* ---- asking ---- */

LAB_UNUSED static void lab_ask(struct lab *l, uint32_t kind, struct bundle *b)
{
    struct promoter_ask *a = calloc(1, sizeof *a);
    assert_non_null(a);
    a->kind = kind;
    a->request = 77;
    snprintf(a->by, sizeof a->by, "uid:0");
    a->bundle = b;
    a->trust = l->trust;
    snprintf(a->host, sizeof a->host, "lab");
    a->doc = malloc(sizeof *a->doc);
    assert_non_null(a->doc);
    *a->doc = l->doc;
    a->text = strdup(l->text);
    a->text_count = strlen(l->text);
    a->serial = 1;
    memcpy(a->sha256, l->doc.fact.sha256, sizeof a->sha256);
    a->event_ns = l->t_ns;
    a->seq = l->seq;
    a->names = l->names;
    for (uint32_t i = 0; i < l->doc.instance_count; i++)
        a->owned[i] = l->owned;
    LAB_OK(l, promoter_submit(l->promoter, a, &l->tr));
}

/* Serial 2 with these strategies, signed by ana, bo and eve. */
LAB_UNUSED static struct bundle *lab_bundle(struct lab *l, const struct lab_instance *list,
                                            uint32_t count, const char *limit)
{
    char *text = lab_text(2, l->doc.fact.sha256, list, count, limit);
    struct bundle *b = people_bundle("lab-2.yaml", text);
    free(text);
    people_sign(b, ANA, "author", "deployment");
    people_sign(b, BO, "operator", "deployment");
    people_sign(b, EVE, "risk", "deployment");
    return b;
}

static void lab_listen(struct lab *l, const struct promoter_news *n)
{
    struct promoter_listening *g = calloc(1, sizeof *g);
    assert_non_null(g);
    tap_reset(l->tap, l->seq);
    belief_listen(l->plant.belief, l->tap);
    l->is_tapped = true;
    g->tap = l->tap;
    g->from_seq = l->seq;
    g->state_count = n->state_count;
    for (uint32_t i = 0; i < n->state_count; i++) {
        g->state[i].strategy = n->state[i].strategy;
        g->state[i].node = n->state[i].node;
        struct bay *b = belief_bay(l->plant.belief, n->state[i].strategy, n->state[i].generation);
        assert_non_null(b);
        LAB_OK(l, b->ops->save(b, n->state[i].node, l->seq, &g->state[i].bytes, &g->state[i].count,
                               &l->tr));
    }
    const uint64_t from = l->seq;
    promoter_listening(l->promoter, g);
    lab_bars(l, l->bars_after_listen);
    LAB_OK(l, journal_wait(l->journal, from, &l->tr));
    promoter_durable(l->promoter, from);
}

/* The next news that is no fact; facts on the way are numbered. */
LAB_UNUSED static uint32_t lab_next(struct lab *l)
{
    for (;;) {
        pthread_mutex_lock(&l->lock);
        while (!promoter_has_news(l->promoter))
            pthread_cond_wait(&l->woken, &l->lock);
        pthread_mutex_unlock(&l->lock);
        if (!promoter_take(l->promoter, &l->news))
            continue;
        if (l->news.kind != PROMOTER_FACT)
            return l->news.kind;
        assert_true(l->fact_count < LAB_FACTS);
        l->fact[l->fact_count++] = l->news.fact;
        lab_event(l, l->news.fact.head.type, l->news.fact.head.generation, &l->news.fact.u);
    }
}

/* ... that is not LISTEN either, which is answered. */
LAB_UNUSED static uint32_t lab_run(struct lab *l)
{
    uint32_t kind = lab_next(l);
    if (kind == PROMOTER_LISTEN) {
        lab_listen(l, &l->news);
        kind = lab_next(l);
    }
    belief_listen(l->plant.belief, NULL);
    return kind;
}

/* Takes an offer's builds over, as the engine does. */
LAB_UNUSED static void lab_adopt(struct lab *l, struct promoter_offer *o)
{
    for (uint32_t i = o->tap_at; i < l->tap->put; i++)
        belief_event(o->part.belief, &l->tap->fact[i].head, l->tap->fact[i].payload);
    for (uint32_t i = 0; i < o->part.bay_count; i++)
        l->plant.bay[l->plant.bay_count++] = o->part.bay[i];
    LAB_OK(l, belief_adopt(l->plant.belief, o->part.belief, &l->tr));
    plant_give(&o->part);
}

/* ---- what there is ---- */

/* Types of the facts in one string: "P>R" moves are by their target's word. */
LAB_UNUSED static const char *lab_facts(const struct lab *l)
{
    static char out[8192];
    size_t at = 0;
    const char *last = "";
    out[0] = 0;
    for (uint32_t i = 0; i < l->fact_count; i++) {
        const struct fact_view *f = &l->fact[i];
        const char *word = fact_name(f->head.type);
        if (f->head.type == FACT_PROMOTION)
            word = promotion_state_name(f->u.fact_promotion.to);
        if (f->head.type == FACT_STAGE)
            word = f->u.fact_stage.what == FACT_STAGE_BEGIN ? "BEGIN" : "DROP";
        if (strcmp(word, last) != 0 || f->head.type == FACT_SIGNATURE)
            at += (size_t)snprintf(out + at, sizeof out - at, "%s%s", at > 0 ? " " : "", word);
        last = word;
    }
    return out;
}

LAB_UNUSED static const struct fact_view *lab_fact(const struct lab *l, uint16_t type, uint32_t nth)
{
    for (uint32_t i = 0; i < l->fact_count; i++) {
        if (l->fact[i].head.type == type && nth-- == 0)
            return &l->fact[i];
    }
    return NULL;
}

/* The two builds of strategy 1 gave the same signals from here on, and some. */
LAB_UNUSED static uint32_t lab_twins(const struct lab *l, uint32_t from)
{
    uint32_t at[2] = {from, from}, same = 0;
    for (;;) {
        for (uint32_t g = 0; g < 2; g++) {
            while (at[g] < l->signal_count && l->signal[at[g]].generation != g + 1)
                at[g]++;
        }
        if (at[0] == l->signal_count && at[1] == l->signal_count)
            return same;
        assert_true(at[0] < l->signal_count && at[1] < l->signal_count);
        struct lab_signal a = l->signal[at[0]++], b = l->signal[at[1]++];
        assert_int_equal(a.cause, b.cause);
        a.signal.plugin_hash = b.signal.plugin_hash = 0;
        assert_memory_equal(&a.signal, &b.signal, sizeof a.signal);
        same++;
    }
}

/* The ask was refused with this code, and the sentence holds these words. */
LAB_UNUSED static void lab_refused(struct lab *l, int32_t code, enum promotion_why why,
                                   const char *words)
{
    const struct fact_promotion *p = NULL;
    assert_int_equal(lab_run(l), PROMOTER_REFUSED);
    if (strstr(l->news.sentence, words) == NULL)
        fail_msg("'%s' is not in: %s", words, l->news.sentence);
    assert_int_equal(l->news.result.code, code);
    assert_int_equal(l->news.request, 77);
    assert_false(promoter_is_busy(l->promoter));
    assert_false(promoter_has_news(l->promoter));
    for (uint32_t i = 0; i < l->fact_count; i++) {
        if (l->fact[i].head.type == FACT_PROMOTION)
            p = &l->fact[i].u.fact_promotion;
    }
    assert_non_null(p);
    assert_int_equal(p->to, PROMOTION_REFUSED);
    assert_int_equal(p->result, code);
    assert_int_equal(p->why, why);
    assert_int_equal(strncmp(p->text, l->news.sentence, 100), 0);
}
#endif
