/* SPDX-License-Identifier: Apache-2.0
 *
 * The venue: tenon-venue's own front and house (host/house: signatures, budgets, sessions, orders,
 * ledger file, matching) without its sockets. Its market is a seeded walk; its ledger file outlives
 * it. Faults that a venue makes behind its front (a report left out or said twice, a 502) are made
 * here. The books that the watch keeps of the venue come from the house's own rows, not from what
 * it managed to tell.
 */
#include "tests/sim/sim.h"
#include "host/house/house_priv.h"
#include "house/front.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HEAD_BYTES = 256, KEPT_MAX = 4096 };
static const char key_text[] = "sim-key";
static const char secret_text[] = "sim-secret-of-the-simulator";

struct kept { /* a request without its reply */
    uint64_t ticket;
    struct cable_request q;
};
struct exchange {
    struct sim *s;
    struct front *front;
    struct callers callers;
    struct kept kept[KEPT_MAX];
    uint32_t kept_count;
    uint64_t tickets;
    char ledger[SIM_PATH_BYTES];
    struct house_totals before; /* of earlier lives */
    uint32_t rows_seen, fills_seen;
    int64_t price[SIM_INSTRUMENTS];
    int64_t market_ns;
    char late[HOUSE_TEXT_BYTES]; /* a report that is left out now and said after the next one */
    size_t late_count;
};

int32_t exchange_secret(uint32_t field, uint8_t out[DESK_SECRET_BYTES])
{
    const char *text = field == 0 ? key_text : field == 1 ? secret_text : NULL;
    if (!text)
        return -1;
    memcpy(out, text, strlen(text));
    return (int32_t)strlen(text);
}

/* ---- the market ---- */

static bool next_market(void *arg, struct fact_view *out)
{
    struct exchange *x = arg;
    struct rng *r = &x->s->market;
    const uint32_t i = (uint32_t)rng_below(r, SIM_INSTRUMENTS);
    const struct fact_instrument *d = &engine_instrument(i)->def;
    x->market_ns += sim_between(r, 20 * SIM_MS, 900 * SIM_MS);
    if (x->market_ns > x->s->end_ns - 10 * SIM_S)
        return false; /* nothing moves while the books are compared */
    x->price[i] += sim_between(r, -300, 300);
    if (rng_below(r, 200) == 0) /* a jump */
        x->price[i] += sim_between(r, -20000, 20000);
    if (x->price[i] < 500000 || x->price[i] > 2000000)
        x->price[i] = 1000000;
    memset(out, 0, sizeof *out);
    out->head.t_ns = x->market_ns;
    out->head.type = rng_below(r, 3) ? FACT_QUOTE : FACT_TRADE;
    if (out->head.type == FACT_QUOTE) {
        const int64_t half = sim_between(r, 20, 200);
        out->u.fact_quote = (struct fact_quote){.instrument = d->id,
                                                .bid = x->price[i] - half,
                                                .bid_qty = sim_between(r, 1, 20000),
                                                .ask = x->price[i] + half,
                                                .ask_qty = sim_between(r, 1, 20000)};
    } else {
        out->u.fact_trade = (struct fact_trade){.instrument = d->id,
                                                .price = x->price[i],
                                                .qty = sim_between(r, 1, 20000),
                                                .aggressor = TN_LONG + (uint32_t)rng_below(r, 2)};
    }
    out->head.bytes = fact_bytes(out->head.type);
    out->head.version = fact_version(out->head.type);
    return true;
}

/* ---- what the venue says ---- */

/* Said once; or a report twice, or after the next one, or never. */
static void on_send(void *arg, uint32_t session, const char *text, size_t count)
{
    struct exchange *x = arg;
    const bool is_report = count > 15 && memcmp(text, "{\"ch\":\"reports\"", 15) == 0;
    if (!is_report) {
        cable_tell(x->s, session, text, count);
        return;
    }
    if (x->late_count == 0 && sim_fault(x->s, SIM_OMIT, 30)) {
        x->late_count = count < sizeof x->late && rng_below(&x->s->faults, 2) ? count : 0;
        memcpy(x->late, text, x->late_count);
        return;
    }
    cable_tell(x->s, session, text, count);
    if (sim_fault(x->s, SIM_REPEAT, 30))
        cable_tell(x->s, session, text, count);
    if (x->late_count > 0)
        cable_tell(x->s, session, x->late, x->late_count);
    x->late_count = 0;
}

static void gateway(struct exchange *x, const struct cable_request *q)
{
    static const char text[] = "<html><body>502 Bad Gateway</body></html>";
    cable_reply(x->s, q, 502, -1, text, sizeof text - 1);
}

static void on_reply(void *arg, uint64_t ticket, const struct front_reply *r)
{
    struct exchange *x = arg;
    uint32_t i = 0;
    while (i < x->kept_count && x->kept[i].ticket != ticket)
        i++;
    must(i < x->kept_count);
    const struct kept k = x->kept[i];
    x->kept[i] = x->kept[--x->kept_count];
    if (sim_fault(x->s, SIM_GATEWAY, 60)) /* whatever it was, it was taken */
        gateway(x, &k.q);
    else
        cable_reply(x->s, &k.q, (uint32_t)r->status, r->retry_s > 0 ? r->retry_s : -1, r->text,
                    r->count);
}

static void on_close(void *arg, uint32_t session)
{
    struct exchange *x = arg;
    cable_break(x->s, session);
}

static void on_close_all(void *arg)
{
    struct exchange *x = arg;
    cable_all_down(x->s);
}

static void on_freeze(void *arg, int64_t ns)
{
    (void)arg;
    (void)ns; /* only a fault script asks for it, and there is none */
}

/* What is new in the venue's books. */
static void look(struct exchange *x)
{
    const struct house *h = front_house(x->front);
    if (h->row_count < x->rows_seen || h->fill_count < x->fills_seen) {
        sim_violated(x->s, 29, "the venue has %u orders and %u fills, it had %u and %u",
                     h->row_count, h->fill_count, x->rows_seen, x->fills_seen);
        return;
    }
    for (; x->rows_seen < h->row_count; x->rows_seen++)
        if (h->row[x->rows_seen].state != HOUSE_VOID)
            watch_venue_took(x->s->watch, h->row[x->rows_seen].client);
    for (; x->fills_seen < h->fill_count; x->fills_seen++) {
        const struct house_fill *f = &h->fill[x->fills_seen];
        const struct house_row *r = &h->row[f->row];
        watch_venue_fill(x->s->watch, r->client, r->instrument, r->side, f->qty);
    }
}

bool exchange_works(const struct exchange *x, uint32_t i, char client[HOUSE_CLIENT_BYTES])
{
    const struct house *h = front_house(x->front);
    for (uint32_t k = 0; k < h->row_count; k++) {
        const struct house_row *r = &h->row[k];
        if ((r->state != HOUSE_WORKING && r->state != HOUSE_RECEIVED) || i-- != 0)
            continue;
        memcpy(client, r->client, HOUSE_CLIENT_BYTES);
        return true;
    }
    return false;
}

/* ---- life ---- */

struct exchange *exchange_new(struct sim *s)
{
    struct exchange *x = calloc(1, sizeof *x);
    must(x != NULL);
    x->s = s;
    x->market_ns = SIM_T0;
    for (uint32_t i = 0; i < SIM_INSTRUMENTS; i++)
        x->price[i] = 1000000;
    struct caller *c = &x->callers.at[x->callers.count++];
    snprintf(c->name, sizeof c->name, "%s", key_text);
    snprintf(c->secret, sizeof c->secret, "%s", secret_text);
    c->filled_ns = SIM_T0;
    c->milli = CALLERS_BURST * 1000ll;
    must(snprintf(x->ledger, sizeof x->ledger, "%s/ledger", s->o.folder) < SIM_PATH_BYTES);
    return x;
}

static struct venue_config venue_of(const struct exchange *x)
{
    return (struct venue_config){.seed = x->s->o.seed,
                                 .profile = x->s->o.no_faults ? VENUE_PLAIN : VENUE_DEMO,
                                 .orders_max = 1024,
                                 .instruments_max = SIM_INSTRUMENTS,
                                 .account = SIM_ACCOUNT,
                                 .latency_ns = 20 * SIM_MS,
                                 .jitter_ns = 10 * SIM_MS,
                                 .maker_fee_ppm = 100,
                                 .taker_fee_ppm = 500,
                                 .volume_part_ppm = 250000};
}

void exchange_start(struct exchange *x)
{
    struct trail tr = {0};
    struct house_instrument in[SIM_INSTRUMENTS];
    struct front_config *c = calloc(1, sizeof *c);
    must(c != NULL);
    for (uint32_t i = 0; i < SIM_INSTRUMENTS; i++)
        in[i] = *engine_instrument(i);
    c->house.venue = venue_of(x);
    c->house.instrument = in;
    c->house.instrument_count = SIM_INSTRUMENTS;
    c->house.ledger_path = x->ledger;
    c->house.tempo = (struct tempo){.kind = TEMPO_WALL,
                                    .clock = &x->s->clock,
                                    .market0_ns = SIM_T0,
                                    .wall0_ns = SIM_T0,
                                    .speed = TEMPO_REAL_TIME};
    c->house.ops.next = next_market;
    c->house.ops.source = x;
    c->callers = x->callers;
    c->clock = &x->s->clock;
    c->ops = (struct front_ops){.arg = x,
                                .reply = on_reply,
                                .send = on_send,
                                .close = on_close,
                                .close_all = on_close_all,
                                .freeze = on_freeze};
    const struct result r = front_open(c, &x->front, &tr);
    free(c);
    if (!is_ok(r))
        sim_violated(x->s, 29, "the venue does not start again: %s", trail_sentence(&tr, r));
    else
        look(x);
}

static void add_totals(const struct exchange *x, struct house_totals *to)
{
    struct house_totals t;
    house_totals(front_house(x->front), &t);
    to->orders += t.orders;
    to->fills += t.fills;
    to->reports += t.reports;
    to->duplicates += t.duplicates;
    to->voided += t.voided;
    to->market_events += t.market_events;
}

void exchange_crash(struct exchange *x)
{
    add_totals(x, &x->before);
    front_close(x->front);
    x->front = NULL;
    x->late_count = 0;
    for (uint32_t i = 0; i < x->kept_count; i++)
        cable_reply(x->s, &x->kept[i].q, 0, -1, NULL, 0);
    x->kept_count = 0;
    cable_all_down(x->s);
}

void exchange_free(struct exchange *x)
{
    front_close(x->front);
    free(x);
}

bool exchange_is_up(const struct exchange *x)
{
    return x->front != NULL;
}

void exchange_totals(const struct exchange *x, struct house_totals *out)
{
    *out = x->before;
    if (x->front)
        add_totals(x, out);
}

int64_t exchange_deadline(const struct exchange *x)
{
    if (!x->front)
        return INT64_MAX;
    const int64_t wait = front_wait_ns(x->front);
    return wait == INT64_MAX ? INT64_MAX : x->s->now_ns + wait;
}

/* What a call said is on the cable already, and the ledger is synced only here; no crash of this
 * world comes in between, so the order does not matter. */
static void keep(struct exchange *x)
{
    struct trail tr = {0};
    const struct result r = house_sync(front_house(x->front), &tr);
    if (!is_ok(r))
        sim_violated(x->s, 29, "the venue's ledger: %s", trail_sentence(&tr, r));
    look(x);
}

void exchange_time(struct exchange *x)
{
    front_time(x->front);
    keep(x);
}

/* ---- requests ---- */

static void head_line(const char *head, size_t count, const char *name, char out[HEAD_BYTES])
{
    const size_t n = strlen(name);
    out[0] = '\0';
    for (size_t at = 0; at < count;) {
        const char *line = head + at;
        const char *end = memmem(line, count - at, "\r\n", 2);
        const size_t length = end ? (size_t)(end - line) : count - at;
        if (length > n + 2 && strncasecmp(line, name, n) == 0 && line[n] == ':' &&
            length - n - 2 < HEAD_BYTES) {
            memcpy(out, line + n + 2, length - n - 2);
            out[length - n - 2] = '\0';
        }
        at += length + 2;
    }
}

static const uint32_t method_of[] = {
    [TN_METHOD_GET] = HOUSE_GET, [TN_METHOD_POST] = HOUSE_POST, [TN_METHOD_DELETE] = HOUSE_DELETE};

void exchange_http(struct exchange *x, const struct cable_request *q, const uint8_t *bytes)
{
    char target[SIM_PATH_BYTES], key[HEAD_BYTES], time[HEAD_BYTES], sign[HEAD_BYTES];
    char *body = NULL;
    const char *head = (const char *)bytes + q->path_bytes;
    must(q->path_bytes < SIM_PATH_BYTES && q->method < 5 && q->method != TN_METHOD_PUT);
    memcpy(target, bytes, q->path_bytes);
    target[q->path_bytes] = '\0';
    if (sim_fault(x->s, SIM_GATEWAY, 60)) { /* not taken */
        gateway(x, q);
        return;
    }
    head_line(head, q->head_bytes, "X-Key", key);
    head_line(head, q->head_bytes, "X-Time", time);
    head_line(head, q->head_bytes, "X-Sign", sign);
    body = strndup(head + q->head_bytes, q->body_bytes);
    must(body != NULL);
    char *query = strchr(target, '?');
    if (query)
        *query++ = '\0';
    must(x->kept_count < KEPT_MAX);
    x->kept[x->kept_count++] = (struct kept){.ticket = ++x->tickets, .q = *q};
    const struct front_http ask = {.method = method_of[q->method],
                                   .path = target,
                                   .query = query ? query : "",
                                   .key = key,
                                   .time = time,
                                   .sign = sign,
                                   .body = body,
                                   .body_count = q->body_bytes,
                                   .ticket = x->tickets};
    front_http(x->front, &ask);
    keep(x);
    free(body);
}

/* ---- the stream ---- */

void exchange_connected(struct exchange *x, uint32_t link)
{
    if (!front_ws_open(x->front, link))
        cable_break(x->s, link);
}

void exchange_closed(struct exchange *x, uint32_t link)
{
    if (x->front)
        front_ws_closed(x->front, link);
}

void exchange_ws(struct exchange *x, uint32_t link, const uint8_t *bytes, uint32_t count)
{
    char *text = strndup((const char *)bytes, count);
    must(text != NULL);
    front_ws_in(x->front, link, text, count);
    keep(x);
    free(text);
}
