/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines are queues here, so that neither side is called while it is still speaking; world_settle
 * carries messages over until both are silent. The network answers nothing by itself.
 */
#include "tests/lib/adapter_world.h"
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct world world;

/* ---- the desk's other sides ---- */

static bool to_core(void *arg, uint32_t kind, const void *bytes, uint32_t count)
{
    (void)arg;
    assert_true(world.alarm_count < WORLD_SAID_MAX && world.sent_count < WORLD_SAID_MAX);
    if (kind == ROAD_ALARM)
        memcpy(&world.alarm[world.alarm_count++], bytes, count);
    if (kind == ROAD_SENT)
        memcpy(&world.sent[world.sent_count++], bytes, count);
    return true;
}

static bool to_bay(void *arg, uint32_t account, bool second, uint32_t kind, const void *head,
                   uint32_t head_count, const void *body, uint32_t body_count)
{
    struct adapter_lane *l = &world.side[second ? !world.first : world.first].to_bay;
    (void)arg;
    assert_int_equal(account, 1);
    assert_true(l->count < ADAPTER_RIG_MESSAGES &&
                head_count + body_count <= ADAPTER_RIG_BYTES - l->used);
    uint8_t *at = l->bytes + l->used;
    memcpy(at, head, head_count);
    if (body_count > 0)
        memcpy(at + head_count, body, body_count);
    l->message[l->count++] =
        (struct adapter_message){.kind = kind, .count = head_count + body_count, .bytes = at};
    l->used += (head_count + body_count + 7) & ~7u;
    return true;
}

static void on_open(void *arg, uint32_t account, bool second, const struct line_open *o,
                    const char *endpoint, const char *path)
{
    (void)arg;
    (void)account;
    (void)second;
    assert_string_equal(endpoint, o->id == 0 ? "http://127.0.0.1:1" : "ws://127.0.0.1:1");
    assert_string_equal(path, o->id == 0 ? "" : "/v1/stream");
}

static void on_close(void *arg, uint32_t account, bool second, uint32_t link)
{
    (void)arg;
    (void)account;
    (void)second;
    (void)link;
}

static int64_t on_send(void *arg, const struct desk_message *m)
{
    uint32_t count = m->path_bytes + m->head_bytes + m->body_bytes;
    (void)arg;
    assert_true(world.out_count < WORLD_OUT_MAX && count < sizeof world.out[0].text);
    struct world_out *o = &world.out[world.out_count++];
    o->m = *m;
    memcpy(o->text, m->bytes, count);
    o->text[count] = 0;
    return count;
}

static int32_t on_secret(void *arg, uint32_t account, uint32_t field,
                         uint8_t out[DESK_SECRET_BYTES])
{
    const char *text = field == 0 ? WORLD_KEY : WORLD_SECRET;
    (void)arg;
    (void)account;
    memcpy(out, text, strlen(text));
    return (int32_t)strlen(text);
}

/* ---- the world ---- */

struct adapter_rig *world_rig(void)
{
    return &world.side[world.first].rig;
}

static bool settle_side(uint32_t n)
{
    struct world_side *x = &world.side[n];
    bool more = false;
    for (; x->fed < x->rig.desk.count; more = true) {
        const struct adapter_message *m = &x->rig.desk.message[x->fed++];
        desk_from_bay(world.desk, WORLD_T0, 1, n != world.first, m->kind, m->bytes, m->count);
    }
    for (; x->taken < x->to_bay.count; more = true) {
        const struct adapter_message *m = &x->to_bay.message[x->taken++];
        agent_take(x->rig.agent, m->kind, m->bytes, m->count);
    }
    return more;
}

/* Until nobody has anything more to say. */
void world_settle(void)
{
    while (settle_side(0) || settle_side(1))
        continue;
}

static void say_account(const struct tn_adapter_facts *f)
{
    struct road_account a = {.account = 1,
                             .instance = 7,
                             .simulated = 1,
                             .endpoint_count = 2,
                             .name = "main",
                             .endpoint = {"http://127.0.0.1:1", "ws://127.0.0.1:1"},
                             .client_id = f->client_id,
                             .client_id_max = f->client_id_max,
                             .budget_count = f->bucket_count,
                             .row_count = f->row_count};
    for (uint32_t i = 0; i < f->bucket_count; i++) {
        a.budget[i].weight = f->bucket[i].weight;
        a.budget[i].per_ns = f->bucket[i].per_ns;
    }
    desk_from_core(world.desk, WORLD_T0, ROAD_ACCOUNT, &a, sizeof a);
    for (uint32_t i = 0; i < world_rig()->spec.instrument_count; i++) {
        const struct tn_instrument *d = &world_rig()->spec.instrument[i].def;
        struct road_instrument in = {.account = 1,
                                     .def = {.id = d->id,
                                             .contract = FACT_LINEAR,
                                             .price_exp = d->price_exp,
                                             .qty_exp = d->qty_exp,
                                             .tick = 1,
                                             .lot = 1}};
        memcpy(in.venue_symbol, world_rig()->spec.instrument[i].venue_symbol,
               sizeof in.venue_symbol);
        desk_from_core(world.desk, WORLD_T0, ROAD_INSTRUMENT, &in, sizeof in);
    }
    for (uint32_t i = 0; i < f->row_count; i++) {
        const struct tn_wire_row *from = &f->row[i];
        struct road_row r = {.account = 1,
                             .index = i,
                             .format = from->format,
                             .class_of = from->class_of,
                             .inbound = from->inbound,
                             .link = from->link,
                             .method = from->method,
                             .field_count = from->field_count};
        memcpy(r.match, from->match, sizeof r.match);
        for (uint32_t n = 0; n < from->field_count; n++)
            r.field[n] = from->field[n];
        desk_from_core(world.desk, WORLD_T0, ROAD_ROW, &r, sizeof r);
    }
}

void world_link_up_of(bool second, uint32_t link)
{
    struct desk_net_in in = {
        .account = 1, .is_second = second, .link = link, .what = DESK_NET_UP, .retry_s = -1};
    desk_from_net(world.desk, WORLD_T0, &in);
    world_settle();
}

void world_link_up(uint32_t link)
{
    world_link_up_of(false, link);
}

void world_open(const char *plugin)
{
    struct trail tr = {0};
    const struct tn_adapter_facts *f = NULL;
    world.out_count = world.alarm_count = world.sent_count = world.first = 0;
    for (uint32_t i = 0; i < 2; i++) {
        world.side[i].fed = world.side[i].taken = world.side[i].to_bay.count =
            world.side[i].to_bay.used = 0;
        adapter_rig_forget(&world.side[i].rig);
    }
    world.k = 0;
    adapter_rig_open(world_rig(), plugin);
    assert_true(is_ok(agent_facts(world_rig()->module, &f, &tr)));
    world.memory = aligned_alloc(64, (desk_bytes() + 63) & ~(size_t)63);
    world.witness = calloc(1, DESK_WITNESS_BYTES);
    struct desk_config c = {.witness = world.witness,
                            .seed = 1,
                            .ops = {.to_core = to_core,
                                    .to_bay = to_bay,
                                    .open = on_open,
                                    .close = on_close,
                                    .send = on_send,
                                    .secret = on_secret}};
    assert_true(is_ok(desk_init(world.memory, desk_bytes(), &c, WORLD_T0, &world.desk, &tr)));
    struct road_hello hello = {.version = ROAD_VERSION, .epoch = 1, .host = "h"};
    desk_attach(world.desk, WORLD_T0, &hello);
    say_account(f);
    desk_from_core(world.desk, WORLD_T0, ROAD_READY, &(struct road_ready){.epoch = 1},
                   sizeof(struct road_ready));
    desk_bay(world.desk, WORLD_T0, 1, false, true);
    adapter_rig_start(world_rig(), WORLD_T0);
    world_settle();
    world_link_up(0);
    desk_durable(world.desk, WORLD_T0, 1ull << 50);
    assert_int_equal(world.out_count, 0);
}

void world_close(void)
{
    desk_check(world.desk);
    adapter_rig_close(&world.side[0].rig);
    adapter_rig_close(&world.side[1].rig);
    free(world.memory);
    free(world.witness);
}

/* ---- the engine's words ---- */

uint64_t world_order(void)
{
    struct road_order o = {.approval = ++world.k * 4096 + 1,
                           .seq = world.k,
                           .t_ns = WORLD_AT,
                           .send = {.order = 9 + world.k,
                                    .attempt = 1,
                                    .account = 1,
                                    .instrument = 1,
                                    .side = TN_LONG,
                                    .tif = 1,
                                    .qty = 15000,
                                    .price = 10025}};
    snprintf(o.send.client_id, sizeof o.send.client_id, "T1-%llu-1",
             (unsigned long long)(9 + world.k));
    desk_from_core(world.desk, WORLD_T0, ROAD_ORDER, &o, sizeof o);
    world_settle();
    return o.approval;
}

uint64_t world_cancel(void)
{
    struct road_cancel c = {
        .approval = ++world.k * 4096 + 1,
        .t_ns = WORLD_AT,
        .cancel = {.order = 10, .venue_order = 77, .attempt = 1, .account = 1, .instrument = 1},
        .client_id = "T1-10-1"};
    desk_from_core(world.desk, WORLD_T0, ROAD_CANCEL, &c, sizeof c);
    world_settle();
    return c.approval;
}

uint64_t world_query(void)
{
    struct road_query q = {.approval = ++world.k * 4096 + 1,
                           .t_ns = WORLD_AT,
                           .query = {.order = 10, .attempt = 1, .account = 1},
                           .instrument = 1,
                           .client_id = "T1-10-1"};
    desk_from_core(world.desk, WORLD_T0, ROAD_QUERY, &q, sizeof q);
    world_settle();
    return q.approval;
}

void world_answer(const struct world_out *o, uint32_t status, const char *text)
{
    struct desk_net_in in = {.account = 1,
                             .is_second = o->m.is_second,
                             .link = o->m.link,
                             .what = DESK_NET_BYTES,
                             .status = status,
                             .retry_s = -1,
                             .ticket = o->m.ticket,
                             .count = strlen(text),
                             .bytes = (const uint8_t *)text};
    desk_from_net(world.desk, WORLD_T0, &in);
    world_settle();
}

void world_hear_of(bool second, const char *text)
{
    struct desk_net_in in = {.account = 1,
                             .is_second = second,
                             .link = 1,
                             .what = DESK_NET_BYTES,
                             .retry_s = -1,
                             .count = strlen(text),
                             .bytes = (const uint8_t *)text};
    desk_from_net(world.desk, WORLD_T0, &in);
    world_settle();
}

void world_hear(const char *text)
{
    world_hear_of(false, text);
}

const struct road_sent *world_sent(uint64_t approval)
{
    const struct road_sent *found = NULL;
    for (uint32_t i = 0; i < world.sent_count; i++) {
        if (world.sent[i].approval != approval)
            continue;
        assert_null(found); /* each approval is answered exactly once */
        found = &world.sent[i];
    }
    return found;
}

/* ---- what a venue would check ---- */

void world_sign(const char *text, char out[65])
{
    uint8_t digest[32];
    unsigned int n = 0;
    assert_non_null(HMAC(EVP_sha256(), WORLD_SECRET, (int)strlen(WORLD_SECRET),
                         (const uint8_t *)text, strlen(text), digest, &n));
    for (unsigned int i = 0; i < n; i++)
        snprintf(out + i * 2, 3, "%02x", digest[i]);
}

/* Path, signed head and body are exactly these. */
void world_assert_signed(const struct world_out *o, const char *method, const char *path,
                         const char *body)
{
    char want[4096], text[4096], digest[65];
    snprintf(text, sizeof text, "%lld%s%s%s", WORLD_T0 / 1000000, method, path, body);
    world_sign(text, digest);
    snprintf(want, sizeof want, "%sX-Key: %s\r\nX-Time: %lld\r\nX-Sign: %s\r\n%s%s", path,
             WORLD_KEY, WORLD_T0 / 1000000, digest,
             body[0] ? "Content-Type: application/json\r\n" : "", body);
    assert_string_equal(o->text, want);
    assert_int_equal(o->m.path_bytes, strlen(path));
    assert_int_equal(o->m.body_bytes, strlen(body));
}

/* Logs in and reconciles the session; what left until then is forgotten. */
void world_go_live(bool second)
{
    struct adapter_rig *r = &world.side[second ? !world.first : world.first].rig;
    world_link_up_of(second, 1);
    world_hear_of(second, "{\"ch\":\"login\",\"ok\":true}");
    world_answer(&world.out[world.out_count - 1], 200, "{\"ok\":true,\"fills\":[],\"more\":false}");
    world_answer(&world.out[world.out_count - 1], 200,
                 "{\"ok\":true,\"orders\":[],\"more\":false}");
    const struct line_sync *y = adapter_lane_last(&r->core, LINE_SYNC);
    assert_int_equal(y->phase, TN_SYNC_WHOLE);
    world.out_count = 0;
}

/* The template's deadline passes for one that gave none. */
void world_pass_time(void)
{
    desk_time(world.desk, WORLD_T0 + 1000000000);
    world_settle();
}

bool world_is_named(uint32_t alarm, const char *why)
{
    for (uint32_t i = 0; i < world.alarm_count; i++) {
        if (world.alarm[i].what == alarm && strstr(world.alarm[i].text, why))
            return true;
    }
    return false;
}

void world_open_hostile(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, TENON_BINARY_DIR "/hostile/adapter_%s.so", name);
    world_open(path);
}
