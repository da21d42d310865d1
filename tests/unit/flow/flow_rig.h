/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests of whole engines: a folder, a deployment, a file of bars, an engine on them, and
 * the records it left. The bars are a saw-tooth, so that two averages cross every few bars. A paper
 * engine begins as every paper engine does, under a signed deployment: its keys are thrown away.
 */
#ifndef FLOW_RIG_H
#define FLOW_RIG_H
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "flow/lockstep_priv.h"
#include "flow/replay.h"
#include "flow/throwaway.h"

#define RIG_T0 1500000000000000000ll
#define RIG_BAR_NS 60000000000ll
enum { RIG_RECORDS = 200000 /* the market goes on while a thread prepares */, RIG_LEG = 12 };

struct flow_rig {
    char dir[64], config[96], data[96], journal[96], heads[96];
    const char *plugins;
    struct process_home *home; /* NULL: every bay is inline */
    struct deploy_doc doc;
    struct throwaway *keys;
    struct bundle *first; /* the configuration, signed; made when a paper engine is opened */
    struct lockstep *engine;
    struct lockstep_report report;
    struct trail tr;
    /* the journal's records, read back */
    uint32_t count;
    struct fact_view record[RIG_RECORDS];
};

#define RIG_OK(rig, expr)                                                                          \
    do {                                                                                           \
        struct result rig_r = (expr);                                                              \
        if (!is_ok(rig_r))                                                                         \
            fail_msg("%s: %s", #expr, trail_sentence(&(rig)->tr, rig_r));                          \
    } while (0)

/* The deployment's parts that tests change. NULL takes what is good. */
struct rig_config {
    const char *instances;
    const char *due;   /* of the strategy, "0s" */
    const char *venue; /* "latency_ms: 20" */
};

#define RIG_INSTANCES                                                                              \
    "  fast: {plugin: ema, version: 1.0.0, instrument: COIN, bar: 1m, params: {period: 3}}\n"      \
    "  slow: {plugin: ema, version: 1.0.0, instrument: COIN, bar: 1m, params: {period: 8}}\n"

static inline void rig_write(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static inline void rig_config_write(struct flow_rig *r, const struct rig_config *c)
{
    static char text[8192];
    char cross[512];
    snprintf(cross, sizeof cross,
             RIG_INSTANCES "  cross:\n    plugin: ema_cross\n    version: 1.0.0\n"
                           "    instrument: COIN\n    bar: 1m\n    due: %s\n"
                           "    params: {target_ppm: 500000, stop_ppm: 0}\n"
                           "    inputs: {fast: fast.value, slow: slow.value}\n",
             c->due ? c->due : "0s");
    snprintf(text, sizeof text,
             "schema: 1\nhost: lab\nserial: 0\nseed: 7\ncurrencies:\n  USD: {exponent: -8}\n"
             "accounts:\n  paper:\n    currency: USD\n    balance: \"100000\"\n"
             "    simulated: true\n    venue: {profile: plain, %s, maker_fee_bps: 1, "
             "taker_fee_bps: 5}\n"
             "instruments:\n  COIN:\n    contract: linear\n    price_exponent: -2\n"
             "    qty_exponent: -4\n    tick: 0.01\n    lot: 0.0001\n    multiplier: 1\n"
             "    settle: USD\n    bar: 1m\n    stamp: end\n    session: always\n"
             "    degraded_after: 5m\n    down_after: 30m\ninstances:\n%s"
             "routes:\n  - {strategy: cross, instrument: COIN, account: paper, env: paper, "
             "budget: \"20000\"}\n"
             "limits:\n  all: {max_order_qty: 1000, max_position_qty: 1000, max_order_value: "
             "\"40000\", price_collar_pct: 5, max_exposure_pct: 50, max_leverage_x: 2, "
             "max_open_orders: 10, max_messages_per_s: 20}\n",
             c->venue ? c->venue : "latency_ms: 20", c->instances ? c->instances : cross);
    rig_write(r->config, text);
}

/* Bars stamped at their end, one a minute. */
static inline void rig_bars(struct flow_rig *r, uint32_t count)
{
    FILE *f = fopen(r->data, "w");
    assert_non_null(f);
    fputs("ts_ns,open,high,low,close,volume\n", f);
    int64_t close = 100000;
    for (uint32_t i = 1; i <= count; i++) {
        int64_t open = close;
        close += (i / RIG_LEG) % 2 ? -150 - (int64_t)(i % 7) : 150 + (int64_t)(i % 5);
        int64_t high = (open > close ? open : close) + 20, low = open < close ? open : close;
        low -= 20;
        fprintf(f, "%lld,%ld.%02ld,%ld.%02ld,%ld.%02ld,%ld.%02ld,1000\n",
                RIG_T0 + (long long)i * RIG_BAR_NS, open / 100, open % 100, high / 100, high % 100,
                low / 100, low % 100, close / 100, close % 100);
    }
    assert_int_equal(fclose(f), 0);
}

static inline struct flow_rig *rig_new(const struct rig_config *c, uint32_t bars)
{
    static const struct rig_config good;
    struct flow_rig *r = calloc(1, sizeof *r);
    assert_non_null(r);
    r->plugins = TENON_PLUGIN_DIR;
    snprintf(r->dir, sizeof r->dir, "/tmp/tenon-flow-XXXXXX");
    assert_non_null(mkdtemp(r->dir));
    snprintf(r->config, sizeof r->config, "%s/lab.yaml", r->dir);
    snprintf(r->data, sizeof r->data, "%s/bars.csv", r->dir);
    snprintf(r->journal, sizeof r->journal, "%s/journal", r->dir);
    snprintf(r->heads, sizeof r->heads, "%s/heads", r->dir);
    rig_config_write(r, c ? c : &good);
    rig_bars(r, bars);
    RIG_OK(r, deploy_read(r->config, NULL, &r->doc, &r->tr));
    return r;
}

/* The configuration as the signed deployment of this serial; the caller frees it. */
static inline struct bundle *rig_sign(struct flow_rig *r, const char *path, uint64_t serial,
                                      const uint8_t *parent)
{
    struct bundle *b = NULL;
    if (r->keys == NULL)
        RIG_OK(r, throwaway_new("lab", &clock_system, &r->keys, &r->tr));
    const struct throwaway_ask a = {
        .path = path, .plugin_dir = r->plugins, .serial = serial, .parent = parent};
    RIG_OK(r, throwaway_propose(r->keys, &a, &b, &r->tr));
    return b;
}

static inline struct lockstep_options rig_options(struct flow_rig *r, enum fact_run kind)
{
    bool paper = kind == FACT_RUN_PAPER;
    if (paper)
        (void)mkdir(r->heads, 0700);
    if (paper && r->first == NULL)
        r->first = rig_sign(r, r->config, 1, NULL);
    return (struct lockstep_options){.doc = paper ? NULL : &r->doc,
                                     .first = paper ? r->first : NULL,
                                     .trust = paper ? throwaway_trust(r->keys) : NULL,
                                     .kind = kind,
                                     .plugin_dir = r->plugins,
                                     .home = r->home,
                                     .data_path = r->data,
                                     .journal_dir = paper ? r->journal : NULL,
                                     .heads_dir = paper ? r->heads : NULL,
                                     .ledger_path = paper ? r->heads : NULL,
                                     .clock = &clock_system};
}

static inline void rig_open(struct flow_rig *r, enum fact_run kind)
{
    struct lockstep_options o = rig_options(r, kind);
    RIG_OK(r, lockstep_open(&o, &r->engine, &r->tr));
    struct fact_auto on = {.on = 1, .by = "test"};
    RIG_OK(r, lockstep_command(r->engine, FACT_AUTO, &on, &r->tr));
}

/* Turns until the end, at most so many. */
static inline void rig_run(struct flow_rig *r, uint32_t turns)
{
    struct result x = OK_RESULT;
    for (uint32_t i = 0; i < turns && is_ok(x); i++)
        x = lockstep_turn(r->engine, &r->tr);
    if (!is_ok(x) && x.code != RESULT_END)
        fail_msg("%s", trail_sentence(&r->tr, x));
}

static inline void rig_stop(struct flow_rig *r)
{
    RIG_OK(r, lockstep_stop(r->engine, &r->report, &r->tr));
    lockstep_free(r->engine);
    r->engine = NULL;
}

/* One run from start to end. */
static inline void rig_whole(struct flow_rig *r, enum fact_run kind)
{
    rig_open(r, kind);
    rig_run(r, UINT32_MAX);
    rig_stop(r);
}

static inline void rig_read(struct flow_rig *r)
{
    struct journal_store *store = NULL;
    struct journal_reader *reader = NULL;
    const void *payload;
    r->count = 0;
    RIG_OK(r, journal_store_rocksdb(r->journal, false, true, &store, &r->tr));
    RIG_OK(r, journal_reader_open(store, &reader, &r->tr));
    while (r->count < RIG_RECORDS) {
        struct fact_view *v = &r->record[r->count];
        struct result x = journal_reader_next(reader, &v->head, &payload, &r->tr);
        if (x.code == RESULT_END)
            break;
        RIG_OK(r, x);
        memcpy(v->u.bytes, payload, v->head.bytes);
        r->count++;
    }
    assert_true(r->count < RIG_RECORDS);
    journal_reader_close(reader);
    store->ops->close(store);
}

/* The event record with this number. */
static inline const struct fact_view *rig_event(const struct flow_rig *r, uint64_t seq)
{
    for (uint32_t i = 0; i < r->count; i++) {
        if (r->record[i].head.seq == seq && r->record[i].head.sub == 0)
            return &r->record[i];
    }
    return NULL;
}

static inline uint32_t rig_count_of(const struct flow_rig *r, uint16_t type)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->count; i++)
        n += r->record[i].head.type == type;
    return n;
}

static inline void rig_remove(const char *dir)
{
    DIR *d = opendir(dir);
    char path[512];
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        int n = snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        assert_true(n > 0 && n < (int)sizeof path);
        if (e->d_type == DT_DIR)
            rig_remove(path);
        else
            unlink(path);
    }
    if (d != NULL)
        closedir(d);
    rmdir(dir);
}

static inline void rig_free(struct flow_rig *r)
{
    lockstep_free(r->engine);
    bundle_free(r->first);
    throwaway_free(r->keys);
    rig_remove(r->dir);
    free(r);
}
#endif
