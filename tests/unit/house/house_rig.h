/* SPDX-License-Identifier: Apache-2.0
 *
 * A house on a clock that the test turns, with one instrument, two keys and a market the test
 * writes; what goes out is kept. For the tests of host/house.
 */
#ifndef UNIT_HOUSE_RIG_H
#define UNIT_HOUSE_RIG_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "house/house_priv.h"

#define T0 1700000000000000000ll
#define MS 1000000ll
#define SEC 1000000000ll
enum { EVENTS_MAX = 8192, SAID_MAX = 65536, MINE = 1, OTHERS = 2 };

struct said { /* a report, or the answer to a query */
    json_t *o;
    int64_t engine_ns; /* when the engine could have it, without a way back */
    uint64_t ticket;
    uint32_t caller;
};
struct rig {
    struct house *h;
    struct house_config c;
    struct callers callers;
    struct clock clock;
    int64_t mono_ns, wall_ns;
    struct house_instrument in;
    struct fact_view event[EVENTS_MAX];
    uint32_t event_count, event_at;
    struct said said[SAID_MAX];
    uint32_t said_count;
    struct house_reply reply;
    uint64_t tickets;
    uint32_t market_count;
    char folder[64], ledger[96];
};

static inline int64_t rig_mono(void *arg)
{
    return ((struct rig *)arg)->mono_ns;
}
static inline int64_t rig_wall(void *arg)
{
    return ((struct rig *)arg)->wall_ns;
}

static inline bool rig_next(void *arg, struct fact_view *out)
{
    struct rig *r = arg;
    if (r->event_at == r->event_count)
        return false;
    *out = r->event[r->event_at++];
    return true;
}

static inline void rig_keep(struct rig *r, uint32_t caller, uint64_t ticket, const char *text,
                            size_t count)
{
    assert_true(r->said_count < SAID_MAX);
    json_t *o = json_loadb(text, count, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(o);
    r->said[r->said_count++] = (struct said){o, house_engine_now(r->h), ticket, caller};
}

static inline void rig_market(void *arg, uint32_t instrument, const char *text, size_t count)
{
    struct rig *r = arg;
    json_t *o = json_loadb(text, count, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(o);
    assert_int_equal(instrument, 0);
    json_decref(o);
    r->market_count++;
}

static inline void rig_report(void *arg, uint32_t caller, const char *client, const char *text,
                              size_t count)
{
    struct rig *r = arg;
    rig_keep(r, caller, 0, text, count);
    const json_t *id = json_object_get(r->said[r->said_count - 1].o, "client_id");
    assert_string_equal(json_string_value(id), client);
}

static inline void rig_answer(void *arg, uint64_t ticket, const char *text, size_t count)
{
    rig_keep(arg, 0, ticket, text, count);
}

static inline struct fact_instrument rig_instrument(void)
{
    return (struct fact_instrument){.id = 1,
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

/* Sets everything but the market; then rig_begin. */
static inline void rig_set(struct rig *r, uint32_t kind, uint32_t profile)
{
    memset(r, 0, sizeof *r);
    snprintf(r->folder, sizeof r->folder, "/tmp/house-test-XXXXXX");
    assert_non_null(mkdtemp(r->folder));
    snprintf(r->ledger, sizeof r->ledger, "%s/ledger", r->folder);
    r->clock = (struct clock){.wall_ns = rig_wall, .mono_ns = rig_mono, .arg = r};
    r->mono_ns = SEC;
    r->wall_ns = T0;
    r->callers.count = 2;
    strcpy(r->callers.at[0].name, "mine");
    strcpy(r->callers.at[0].secret, "s1");
    strcpy(r->callers.at[1].name, "others");
    strcpy(r->callers.at[1].secret, "s2");
    r->in = (struct house_instrument){rig_instrument(), -8, "USD"};
    r->c = (struct house_config){.venue = {.seed = 1,
                                           .profile = profile,
                                           .orders_max = 1024,
                                           .instruments_max = 4,
                                           .account = 1,
                                           .latency_ns = 20 * MS,
                                           .maker_fee_ppm = 200,
                                           .taker_fee_ppm = 500},
                                 .instrument = &r->in,
                                 .instrument_count = 1,
                                 .callers = &r->callers,
                                 .tempo = {.kind = kind,
                                           .clock = &r->clock,
                                           .market0_ns = T0,
                                           .mono0_ns = SEC,
                                           .wall0_ns = T0,
                                           .lead_ns = kind == TEMPO_SCRIPT ? 5 * MS : 0,
                                           .speed = TEMPO_REAL_TIME},
                                 .ledger_path = r->ledger,
                                 .ops = {.next = rig_next,
                                         .source = r,
                                         .front = r,
                                         .market = rig_market,
                                         .report = rig_report,
                                         .answer = rig_answer}};
}

static inline void rig_begin(struct rig *r)
{
    struct trail tr = {0};
    struct result e = house_open(&r->c, &r->h, &tr);
    if (!is_ok(e))
        fail_msg("%s", trail_sentence(&tr, e));
}

static inline void rig_end(struct rig *r)
{
    house_close(r->h);
    r->h = NULL;
    for (uint32_t i = 0; i < r->said_count; i++)
        json_decref(r->said[i].o);
    r->said_count = 0;
}

static inline void rig_remove(struct rig *r)
{
    rig_end(r);
    unlink(r->ledger);
    rmdir(r->folder);
}

/* The clocks go on to this moment of the engine. */
static inline void rig_until(struct rig *r, int64_t engine_ns)
{
    int64_t step = engine_ns - house_engine_now(r->h);
    if (step > 0) {
        r->mono_ns += step;
        r->wall_ns += step;
    }
    house_time(r->h);
}

static inline struct fact_view *rig_event(struct rig *r, uint16_t type, int64_t t_ns)
{
    assert_true(r->event_count < EVENTS_MAX);
    struct fact_view *v = &r->event[r->event_count++];
    v->head = (struct fact_head){.t_ns = t_ns, .type = type, .bytes = fact_bytes(type)};
    return v;
}

static inline void rig_quote(struct rig *r, int64_t t_ns, int64_t bid, int64_t ask, int64_t qty)
{
    rig_event(r, FACT_QUOTE, t_ns)->u.fact_quote = (struct fact_quote){
        .instrument = 1, .bid = bid, .bid_qty = qty, .ask = ask, .ask_qty = qty};
}

/* Gives the HTTP status; 0 = held under ticket r->tickets. */
static inline int rig_ask(struct rig *r, uint32_t caller, uint32_t method, const char *path,
                          const char *query, const char *body)
{
    struct house_ask q = {.method = method,
                          .caller = caller,
                          .ticket = ++r->tickets,
                          .path = path,
                          .query = query,
                          .body = body,
                          .body_count = strlen(body)};
    house_ask(r->h, &q, &r->reply);
    struct trail tr = {0};
    assert_true(is_ok(house_sync(r->h, &tr)));
    if (r->reply.status != 0) {
        json_t *o = json_loadb(r->reply.text, r->reply.count, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(o); /* whatever is answered is JSON */
        json_decref(o);
        r->reply.text[r->reply.count] = '\0';
    }
    return r->reply.status;
}

static inline int rig_order(struct rig *r, const char *client, const char *side, const char *qty,
                            const char *price, const char *tif, int64_t at_ns)
{
    char body[512];
    snprintf(body, sizeof body,
             "{\"client_id\":\"%s\",\"symbol\":\"LIN\",\"side\":\"%s\",\"type\":\"limit\",\"qty\":"
             "\"%s\",\"price\":\"%s\",\"tif\":\"%s\",\"reduce_only\":false,\"at\":\"%lld\"}",
             client, side, qty, price, tif, (long long)at_ns);
    return rig_ask(r, MINE, HOUSE_POST, "/v1/orders", "", body);
}

static inline int rig_cancel(struct rig *r, const char *client, int64_t at_ns)
{
    char query[128];
    snprintf(query, sizeof query, "client_id=%s&at=%lld", client, (long long)at_ns);
    return rig_ask(r, MINE, HOUSE_DELETE, "/v1/orders", query, "");
}

static inline int rig_find(struct rig *r, const char *client, int64_t at_ns)
{
    char query[128];
    snprintf(query, sizeof query, "client_id=%s&at=%lld", client, (long long)at_ns);
    return rig_ask(r, MINE, HOUSE_GET, "/v1/orders", query, "");
}

static inline const char *said_word(const struct said *s, const char *key)
{
    const char *text = json_string_value(json_object_get(s->o, key));
    return text == NULL ? "" : text;
}

/* The last thing said, which must be a report of this kind about this order. */
static inline const struct said *rig_last(const struct rig *r, const char *kind, const char *client)
{
    assert_true(r->said_count > 0);
    const struct said *s = &r->said[r->said_count - 1];
    assert_string_equal(said_word(s, "kind"), kind);
    assert_string_equal(said_word(s, "client_id"), client);
    return s;
}
#endif
