/* SPDX-License-Identifier: Apache-2.0
 *
 * A simulated venue with one linear and one inverse instrument, and short words to drive it, for
 * the tests of host/venue. Prices of LIN have 2 decimals, tick 5; quantities 3 decimals, lot 10.
 */
#ifndef UNIT_VENUE_RIG_H
#define UNIT_VENUE_RIG_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "venue/venue_priv.h"

enum { LIN = 1, INV = 9, ACCOUNT = 3, TAKES_MAX = 4096 };
#define T0 1700000000000000000ll
#define MS 1000000ll
#define SEC 1000000000ll

struct rig {
    struct venue *v;
    void *memory;
    char *ledger; /* every line with its newline */
    size_t ledger_used, ledger_room;
    struct fact_view got;
};

static inline void rig_ledger(void *arg, const char *line, size_t count)
{
    struct rig *r = arg;
    if (r->ledger_used + count + 2 > r->ledger_room) {
        r->ledger_room = (r->ledger_room + count + 4096) * 2;
        r->ledger = realloc(r->ledger, r->ledger_room);
        assert_non_null(r->ledger);
    }
    memcpy(r->ledger + r->ledger_used, line, count);
    r->ledger[r->ledger_used + count] = '\n';
    r->ledger_used += count + 1;
    r->ledger[r->ledger_used] = '\0';
}

static inline struct venue_config rig_config(void)
{
    return (struct venue_config){.seed = 1,
                                 .profile = VENUE_PLAIN,
                                 .orders_max = 64,
                                 .instruments_max = 4,
                                 .account = ACCOUNT,
                                 .latency_ns = 20 * MS,
                                 .maker_fee_ppm = 200,
                                 .taker_fee_ppm = 500};
}

static inline struct fact_instrument rig_linear(void)
{
    return (struct fact_instrument){.id = LIN,
                                    .contract = FACT_LINEAR,
                                    .price_exp = -2,
                                    .qty_exp = -3,
                                    .tick = 5,
                                    .lot = 10,
                                    .min_qty = 20,
                                    .multiplier = 1,
                                    .settle = 1,
                                    .price_max = 100000000,
                                    .symbol = "LIN"};
}

static inline void rig_open_with(struct rig *r, struct venue_config c)
{
    memset(r, 0, sizeof *r);
    c.ledger = rig_ledger;
    c.ledger_arg = r;
    size_t bytes = venue_bytes(&c);
    assert_int_equal(posix_memalign(&r->memory, 64, bytes), 0);
    memset(r->memory, 0xa5, bytes); /* nothing may depend on what lay there */
    r->v = venue_init(r->memory, bytes, &c);
    struct fact_instrument lin = rig_linear();
    struct fact_instrument inv = {.id = INV,
                                  .contract = FACT_INVERSE,
                                  .price_exp = -1,
                                  .tick = 5,
                                  .lot = 1,
                                  .min_qty = 1,
                                  .multiplier = 100,
                                  .settle = 2,
                                  .symbol = "INV"};
    venue_instrument(r->v, &lin, -8);
    venue_instrument(r->v, &inv, -8);
}

static inline void rig_open(struct rig *r)
{
    rig_open_with(r, rig_config());
}

static inline void rig_close(struct rig *r)
{
    venue_check(r->v);
    free(r->memory);
    free(r->ledger);
}

static inline struct fact_head rig_head(uint16_t type, int64_t t_ns)
{
    return (struct fact_head){.t_ns = t_ns, .type = type, .bytes = fact_bytes(type)};
}

static inline void rig_bar(struct rig *r, int64_t end_ns, int64_t o, int64_t h, int64_t l,
                           int64_t c, int64_t volume)
{
    struct fact_bar bar = {LIN, 0, end_ns - 60 * SEC, o, h, l, c, volume};
    struct fact_head head = rig_head(FACT_BAR, end_ns);
    venue_market(r->v, &head, &bar);
}

static inline void rig_trade_by(struct rig *r, int64_t t_ns, int64_t price, int64_t qty,
                                uint32_t aggressor)
{
    struct fact_trade tr = {.instrument = LIN, .price = price, .qty = qty, .aggressor = aggressor};
    struct fact_head head = rig_head(FACT_TRADE, t_ns);
    venue_market(r->v, &head, &tr);
}

static inline void rig_trade(struct rig *r, int64_t t_ns, int64_t price, int64_t qty)
{
    rig_trade_by(r, t_ns, price, qty, 0);
}

static inline void rig_quote(struct rig *r, int64_t t_ns, int64_t bid, int64_t bid_qty, int64_t ask,
                             int64_t ask_qty)
{
    struct fact_quote q = {
        .instrument = LIN, .bid = bid, .bid_qty = bid_qty, .ask = ask, .ask_qty = ask_qty};
    struct fact_head head = rig_head(FACT_QUOTE, t_ns);
    venue_market(r->v, &head, &q);
}

static inline struct fact_send rig_order(uint64_t id, uint32_t side, int64_t qty, int64_t price,
                                         uint32_t tif)
{
    return (struct fact_send){.order = id,
                              .attempt = 1,
                              .account = ACCOUNT,
                              .instrument = LIN,
                              .side = side,
                              .tif = tif,
                              .qty = qty,
                              .price = price,
                              .client_id = "c 1"};
}

static inline void rig_send(struct rig *r, int64_t t_ns, uint64_t id, uint32_t side, int64_t qty,
                            int64_t price, uint32_t tif)
{
    struct fact_send s = rig_order(id, side, qty, price, tif);
    venue_send(r->v, t_ns, &s);
}

static inline void rig_cancel(struct rig *r, int64_t t_ns, uint64_t id)
{
    struct fact_cancel c = {.order = id, .account = ACCOUNT, .instrument = LIN};
    venue_cancel(r->v, t_ns, &c);
}

/* The next answer, which must be there, be of this kind and due then. */
static inline const struct fact_exec *rig_expect(struct rig *r, uint32_t kind, int64_t due_ns)
{
    assert_int_equal(venue_due(r->v), due_ns);
    venue_take(r->v, &r->got);
    assert_int_equal(r->got.head.type, FACT_EXEC);
    assert_int_equal(r->got.head.version, 1);
    assert_int_equal(r->got.head.bytes, sizeof(struct fact_exec));
    assert_int_equal(r->got.head.source, ACCOUNT);
    assert_int_equal(r->got.head.t_ns, due_ns);
    assert_int_equal(r->got.u.fact_exec.kind, kind);
    assert_int_equal(r->got.u.fact_exec.account, ACCOUNT);
    return &r->got.u.fact_exec;
}

static inline void rig_expect_none(const struct rig *r)
{
    assert_true(venue_due(r->v) == INT64_MAX);
}

/* A fill with these figures. */
static inline void rig_expect_fill(struct rig *r, int64_t due_ns, int64_t qty, int64_t price,
                                   uint32_t liquidity)
{
    const struct fact_exec *e = rig_expect(r, FACT_EXEC_TRADE, due_ns);
    assert_int_equal(e->last_qty, qty);
    assert_int_equal(e->last_price, price);
    assert_int_equal(e->liquidity, liquidity);
    assert_true(e->trade_id > 0);
}
#endif
