/* SPDX-License-Identifier: Apache-2.0
 *
 * Snapshots: the stored part of the state, field by field.
 *
 * Each row type has one list of its stored fields. A static assertion compares the sum of their
 * sizes (plus what is deliberately left out) with the size of the row, so a field that is added and
 * forgotten here does not compile, and hidden padding cannot leak into the bytes. Rows are written
 * in an order that does not depend on where they happen to lie (orders and fills by age), so equal
 * states give equal bytes. What can be derived is built again by restore.
 *
 * Layout: header (magic, version, logic, limits), scalars, then each table as count + rows.
 * Restore treats the bytes as hostile: counts against limits, the total against the length, each
 * row as an index and a figure (snap_check.c), and the invariants of core_check at the end; what
 * does not hold is a result that names it, and the core is then good for nothing but being dropped.
 */
#include "core/state.h"
#include <string.h>

enum { SNAP_MAGIC = 0x50414e53, SNAP_VERSION = 2 };

struct field {
    uint32_t offset, bytes;
};

/* clang-format off */
#define CURRENCY(F, T) F(T, id) F(T, exp) F(T, name)
#define MARKET(F, T)                                                                               \
    F(T, def) F(T, bid) F(T, bid_qty) F(T, ask) F(T, ask_qty) F(T, last) F(T, mark) F(T, data_ns)  \
    F(T, crossed_ns) F(T, changed_ns) F(T, quote_no) F(T, trade_no) F(T, health)                   \
    F(T, health_why) F(T, good_count) F(T, session_open)
#define ACCOUNT(F, T)                                                                              \
    F(T, def) F(T, mode) F(T, keep_positions) F(T, in_doubt) F(T, cash) F(T, message_second)       \
    F(T, message_count)
#define INSTANCE(F, T)                                                                             \
    F(T, id) F(T, kind) F(T, mode) F(T, mode_why) F(T, auto_on) F(T, is_removed)                   \
    F(T, live_orders) F(T, duplicates) F(T, duplicate_ns) F(T, plugin_hash) F(T, reign) F(T, name)
#define STAGED(F, T)                                                                               \
    F(T, serial) F(T, sha256) F(T, run_until_ns) F(T, is_open) F(T, is_committed) F(T, is_broken)  \
    F(T, rows) F(T, currency_count) F(T, instrument_count) F(T, account_count)                     \
    F(T, instance_count) F(T, route_count) F(T, remove_count) F(T, limit_count) F(T, rate_count)
#define BOOK(F, T)                                                                                 \
    F(T, strategy) F(T, instrument) F(T, account) F(T, live_orders) F(T, budget) F(T, qty)         \
    F(T, work_buy) F(T, work_sell) F(T, realised) F(T, fees) F(T, cost) F(T, signal_seq)           \
    F(T, signal_until_ns) F(T, target) F(T, limit_offset) F(T, stop_distance) F(T, has_limit)      \
    F(T, pending) F(T, flatten_origin) F(T, flattens) F(T, last_side) F(T, last_reducing)          \
    F(T, kill_flat) F(T, is_leaving) F(T, flatten_ns) F(T, stop_price) F(T, last_qty)              \
    F(T, last_price) F(T, last_ns)
#define ORDER(F, T)                                                                                \
    F(T, id) F(T, venue_order) F(T, signal_seq) F(T, qty) F(T, cum) F(T, price) F(T, created_ns)   \
    F(T, ttl_ns) F(T, check_ns) F(T, silent_ns) F(T, book) F(T, attempt) F(T, queries)             \
    F(T, want_cancel) F(T, missed) F(T, state) F(T, side) F(T, tif) F(T, origin)                   \
    F(T, reducing) F(T, cancel_why) F(T, used) F(T, confirmed)
#define FILL(F, T) F(T, key) F(T, t_ns)
#define CORE(F, T)                                                                                 \
    F(T, seq) F(T, now_ns) F(T, epoch) F(T, serial) F(T, mode) F(T, keep_positions)                \
    F(T, auto_all) F(T, clock_skew_ns) F(T, evicted_ns) F(T, started) F(T, deployment)             \
    F(T, run_until_ns) F(T, totals)
/* clang-format on */

#define ENTRY(T, m) {offsetof(struct T, m), sizeof(((struct T *)0)->m)},
#define SUM(T, m) +sizeof(((struct T *)0)->m)
#define ROWS(NAME, T, unstored)                                                                    \
    static const struct field T##_fields[] = {NAME(ENTRY, T)};                                     \
    static_assert((0 NAME(SUM, T)) + (unstored) == sizeof(struct T), #T " has an unstored field")
ROWS(CURRENCY, currency_row, 0);
ROWS(MARKET, market_row, 0);
ROWS(ACCOUNT, account_row, 0);
ROWS(INSTANCE, instance_row, 0);
ROWS(BOOK, book_row, 2 * sizeof(int64_t));    /* mark_seen, unrealised */
ROWS(ORDER, order_row, 4 * sizeof(uint32_t)); /* the two lists */
ROWS(FILL, fill_row, 0);
ROWS(STAGED, staged, 0);
static const struct field core_fields[] = {CORE(ENTRY, core)};

/* Walks bytes forward, writing or reading; too short = `failed`, nothing more moves. */
struct cursor {
    uint8_t *out;
    const uint8_t *in;
    size_t at, end;
    bool failed;
};

static void move(struct cursor *k, void *value, size_t bytes)
{
    if (k->failed || bytes > k->end - k->at) {
        k->failed = true;
        return;
    }
    if (k->out != NULL)
        memcpy(k->out + k->at, value, bytes);
    else if (k->in != NULL)
        memcpy(value, k->in + k->at, bytes);
    k->at += bytes;
}

static void move_row(struct cursor *k, const struct field *f, size_t count, void *row)
{
    for (size_t i = 0; i < count; i++)
        move(k, (uint8_t *)row + f[i].offset, f[i].bytes);
}
#define MOVE_ROW(k, T, row) move_row((k), T##_fields, sizeof T##_fields / sizeof *T##_fields, (row))

/* Moves a count and checks it against the room of the table. */
static uint32_t move_count(struct cursor *k, uint32_t count, uint64_t room)
{
    move(k, &count, sizeof count);
    if (count > room)
        k->failed = true;
    return k->failed ? 0 : count;
}

/* Whose logic came to this state does not matter to the one that goes on from it: a state is not a
 * decision. What matters is that both mean the same by its bytes. */
static void move_head(struct cursor *k, struct core *c)
{
    uint32_t head[4] = {SNAP_MAGIC, SNAP_VERSION, c->logic, sizeof(struct core_limits)};
    uint32_t seen[4];
    memcpy(seen, head, sizeof seen);
    move(k, seen, sizeof seen);
    head[2] = seen[2];
    struct core_limits max = c->max;
    move(k, &max, sizeof max);
    if (memcmp(seen, head, sizeof seen) != 0 || memcmp(&max, &c->max, sizeof max) != 0)
        k->failed = true;
}

static uint32_t used_markets(const struct core *c)
{
    uint32_t n = 0;
    while (n < c->max.instruments && c->market[n + 1].def.id != 0)
        n++;
    return n;
}

/* Gives how many instruments there are: after reading, each of those rows must be one. */
static uint32_t move_tables(struct cursor *k, struct core *c)
{
    for (uint32_t i = 1; i <= c->max.currencies; i++)
        MOVE_ROW(k, currency_row, &c->currency[i]);
    uint32_t n = move_count(k, used_markets(c), c->max.instruments);
    for (uint32_t i = 1; i <= n; i++)
        MOVE_ROW(k, market_row, &c->market[i]);
    for (uint32_t i = 1; i <= c->max.accounts; i++)
        MOVE_ROW(k, account_row, &c->account[i]);
    c->instance_count = move_count(k, c->instance_count, c->max.instances);
    for (uint32_t i = 0; i <= c->instance_count; i++) /* 0 is EXTERNAL */
        MOVE_ROW(k, instance_row, &c->instance[i]);
    c->book_count =
        move_count(k, c->book_count, c->max.routes + c->max.instruments * c->max.accounts + 1);
    for (uint32_t i = 1; i < c->book_count; i++)
        MOVE_ROW(k, book_row, &c->book[i]);
    c->limit_count = move_count(k, c->limit_count, c->max.limits);
    for (uint32_t i = 0; i < c->limit_count; i++)
        move(k, &c->limit[i], sizeof c->limit[i]);
    c->rate_count = move_count(k, c->rate_count, c->max.currencies * 2);
    for (uint32_t i = 0; i < c->rate_count; i++)
        move(k, &c->rate[i], sizeof c->rate[i]);
    return n;
}

static void move_requests(struct cursor *k, struct core *c)
{
    uint32_t n = move_count(k, c->request_count, REQUESTS_MAX);
    uint32_t at = c->request_count == REQUESTS_MAX ? c->request_next : 0; /* the oldest */
    for (uint32_t i = 0; i < n; i++)
        move(k, c->request[(at + i) % REQUESTS_MAX].sha256, FACT_HASH_BYTES);
    if (k->in != NULL) {
        c->request_count = n;
        c->request_next = n % REQUESTS_MAX;
    }
}

/* The rows of a stage are plain facts. After reading, its counts fit the tables. */
static void move_staged(struct cursor *k, struct core *c)
{
    struct staged *s = &c->staged;
    MOVE_ROW(k, staged, s);
#define TABLE(member, room)                                                                        \
    k->failed = k->failed || s->member##_count > (room);                                           \
    for (uint32_t i = 0; !k->failed && i < s->member##_count; i++)                                 \
    move(k, &c->staged_##member[i], sizeof *c->staged_##member)
    TABLE(currency, c->max.currencies);
    TABLE(instrument, c->max.instruments);
    TABLE(account, c->max.accounts);
    TABLE(instance, c->max.instances);
    TABLE(route, c->max.routes);
    TABLE(remove, c->max.instances + c->max.routes);
    TABLE(limit, c->max.limits);
    TABLE(rate, c->max.currencies * 2);
#undef TABLE
}

static void write_orders(struct cursor *k, struct core *c)
{
    uint32_t n = 0;
    for (uint32_t i = c->oldest; i != CORE_NONE; i = c->order[i].newer)
        n++;
    (void)move_count(k, n, c->max.orders);
    for (uint32_t i = c->oldest; i != CORE_NONE; i = c->order[i].newer)
        MOVE_ROW(k, order_row, &c->order[i]);
}

static void read_orders(struct cursor *k, struct core *c)
{
    uint32_t n = move_count(k, 0, c->max.orders);
    for (uint32_t i = 0; i < n; i++) {
        MOVE_ROW(k, order_row, &c->order[i]);
        c->order[i].older = i == 0 ? CORE_NONE : i - 1;
        c->order[i].newer = i + 1 == n ? CORE_NONE : i + 1;
    }
    c->oldest = n == 0 ? CORE_NONE : 0;
    c->newest = n == 0 ? CORE_NONE : n - 1;
}

static void write_fills(struct cursor *k, struct core *c)
{
    bool full = c->fill[c->fill_next].key != 0;
    uint32_t n = full ? c->max.fills : c->fill_next;
    uint32_t at = full ? c->fill_next : 0;
    (void)move_count(k, n, c->max.fills);
    for (uint32_t i = 0; i < n; i++) {
        MOVE_ROW(k, fill_row, &c->fill[at]);
        at = at + 1 == c->max.fills ? 0 : at + 1;
    }
}

static void read_fills(struct cursor *k, struct core *c)
{
    uint32_t n = move_count(k, 0, c->max.fills);
    for (uint32_t i = 0; i < n; i++) {
        MOVE_ROW(k, fill_row, &c->fill[i]);
        k->failed = k->failed || c->fill[i].key == 0;
    }
    c->fill_next = n == c->max.fills ? 0 : n;
}

static size_t write_all(const struct core *c, uint8_t *out, size_t bytes)
{
    struct core *w =
        (struct core *)(uintptr_t)c; /* the same walk writes and reads; here it reads */
    struct cursor k = {.out = out, .end = bytes};
    move_head(&k, w);
    MOVE_ROW(&k, core, w);
    (void)move_tables(&k, w);
    move_requests(&k, w);
    move_staged(&k, w);
    write_orders(&k, w);
    write_fills(&k, w);
    must(!k.failed);
    return k.at;
}

size_t core_snapshot_bytes(const struct core *c)
{
    return write_all(c, NULL, SIZE_MAX);
}

size_t core_snapshot(const struct core *c, void *out, size_t bytes)
{
    must(out != NULL);
    return write_all(c, out, bytes);
}

struct result core_restore(struct core *c, const void *bytes, size_t count, struct trail *tr)
{
    must(c->seq == 0 && c->book_count == 1);
    struct cursor k = {.in = bytes, .end = count};
    move_head(&k, c);
    if (k.failed)
        return FAIL(tr, VERSION,
                    "snapshot: written in another format or with other table sizes than this "
                    "program's (format %d)",
                    SNAP_VERSION);
    MOVE_ROW(&k, core, c);
    uint32_t markets = move_tables(&k, c);
    move_requests(&k, c);
    move_staged(&k, c);
    read_orders(&k, c);
    read_fills(&k, c);
    if (k.failed || k.at != count)
        return FAIL(tr, CORRUPT, "snapshot: does not fit its own counts at byte %zu of %zu", k.at,
                    count);
    struct staged staged = c->staged; /* first what is there, then what waits */
    staged_forget(c);
    const char *broken = snap_broken(c, markets);
    if (broken == NULL) {
        config_derive(c);
        broken = staged_restore(c, &staged);
    }
    if (broken != NULL)
        return FAIL(tr, CORRUPT, "snapshot: a row cannot be so: it breaks %s", broken);
    staged_derive(c);
    oms_derive(c);
    fills_derive(c);
    c->deadline_ns = INT64_MIN;
    broken = fills_repeat(c) ? "each fill stands once" : core_broken(c);
    if (broken != NULL)
        return FAIL(tr, CORRUPT, "snapshot: its tables do not fit together: they break %s", broken);
    return OK_RESULT;
}
