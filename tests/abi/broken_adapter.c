/* SPDX-License-Identifier: Apache-2.0
 *
 * An adapter that does one good thing for each message of its stream, and breaks one rule of
 * adapter.h, by the parameter `mode`, at the first message that says "now". With FACTS_... it is
 * its facts that are wrong, and no code of it should run.
 */
#include "tenon/draft/adapter.h"
#include <string.h>

enum mode {
    FINE,
    STATUS_UNKNOWN,
    STATUS_BAD,
    HOT_ALLOC,
    ROUNDING,
    EVENT_PRICE,
    EVENT_STRANGER,
    EVENT_SEQ,
    EVENT_BAR,
    SAID_TEXT,
    SAID_FILL_BARE,
    SAID_NEGATIVE,
    SAID_KIND,
    LINK_ID,
    LINK_PATH,
    REQUEST_NUMBER,
    REQUEST_LINK,
    REQUEST_PARTS,
    REQUEST_DIGEST,
    REQUEST_HIDDEN_DIGEST,
    REQUEST_NOWHERE,
    REQUEST_LONG,
    REQUEST_STORED,
    TIMER_ID,
    CAPTURE_PATH,
    SYNC_PHASE,
    APPROVAL_NONE,
    APPROVAL_TWO,
    APPROVAL_BOTH,
    CREATE_FAILS,
    CREATE_GREEDY,
    START_FAILS,
};

struct broken {
    const struct tn_host *host;
    int64_t mode;
    uint64_t request;
    uint32_t instrument;
    uint32_t reserved;
};

static const struct tn_wire_field fields[] = {
    {.size = sizeof(struct tn_wire_field),
#ifdef FACTS_MEANING
     .meaning = 99,
#else
     .meaning = TN_FIELD_SYMBOL,
#endif
     .unit_exp = 127,
     .path = "symbol"},
#ifdef FACTS_TWICE
    {.size = sizeof(struct tn_wire_field),
     .meaning = TN_FIELD_QTY,
     .unit_exp = 127,
     .path = "symbol"},
#endif
};
static const struct tn_wire_row rows[] = {{
    .size = sizeof(struct tn_wire_row),
    .format = TN_WIRE_JSON,
    .class_of = TN_CLASS_ORDER,
    .method = TN_METHOD_POST,
#ifdef FACTS_FAR_FIELDS
    .field_count = 32,
#elif defined(FACTS_MANY_FIELDS)
    .field_count = 33,
#else
    .field_count = sizeof fields / sizeof fields[0],
#endif
#ifndef FACTS_NO_MATCH
    .match = "/order",
#endif
#ifdef FACTS_WILD_FIELDS
    .field = (const struct tn_wire_field *)0x1000,
#else
    .field = fields
#endif
}};
static const struct tn_rate_budget budgets[] = {
    {.size = sizeof(struct tn_rate_budget), .weight = 100, .per_ns = 1000000000}};
static const struct tn_adapter_facts facts = {.size = sizeof facts,
#ifdef FACTS_SIMULATED
                                              .simulated = 2,
#else
                                              .simulated = 1,
#endif
                                              .client_id = TN_CLIENT_ID_TEXT,
#ifdef FACTS_CLIENT_ID
                                              .client_id_max = 40,
#else
                                              .client_id_max = 31,
#endif
#ifdef FACTS_NO_BUDGET
                                              .bucket_count = 0,
#else
                                              .bucket_count = 1,
#endif
#ifdef FACTS_WILD_ROWS
                                              .row_count = 64,
#else
                                              .row_count = 1,
#endif
                                              .bucket = budgets,
                                              .row = rows};

static int32_t create(const struct tn_host *host, const struct tn_adapter_create *c, void **inst)
{
    struct broken *b = host->alloc(host->self, sizeof *b);
    if (b == NULL || c->param_count != 1)
        return TN_E_MEMORY;
    b->host = host;
    b->mode = c->params[0].i;
    b->request = 1;
    b->instrument = c->instrument[0].instrument->id;
    *inst = b;
    if (b->mode == CREATE_GREEDY && host->alloc(host->self, 4096) == NULL)
        return TN_E_MEMORY;
    return b->mode == CREATE_FAILS ? TN_E_PARAM : TN_OK;
}

static int32_t activate(void *inst)
{
    (void)inst;
    return TN_OK;
}
static void end(void *inst)
{
    (void)inst;
}

static int32_t start(void *inst, int64_t t_ns, const struct tn_adapter_out *out)
{
    struct broken *b = inst;
    struct tn_link l = {
        .size = sizeof l, .id = 3, .type = TN_LINK_WS, .path = "/s", .path_bytes = 2};
    (void)t_ns;
    b->host->log(b->host->self, 2, "begun", 5);
    (void)out->link(out->self, &l);
    return b->mode == START_FAILS ? TN_E_STATE : TN_OK;
}

static void ask(struct broken *b, uint64_t approval, const struct tn_adapter_out *out)
{
    static uint8_t const text[] = "hello";
    static const uint8_t long_text[40000];
    struct tn_part part[2] = {
        {.size = sizeof part[0], .kind = TN_PART_BYTES, .bytes = 5, .data = text},
        {.size = sizeof part[0],
         .kind = TN_PART_HMAC,
         .digest = TN_DIGEST_SHA256,
         .encode = TN_ENCODE_HEX,
         .count = 1}};
    struct tn_request r = {.size = sizeof r,
                           .class_of = approval ? TN_CLASS_ORDER : TN_CLASS_SESSION,
                           .request = b->request++,
                           .approval = approval,
                           .link = 3,
                           .weight = 1,
                           .part_count = 2,
                           .part = part};
    if (b->mode == REQUEST_NUMBER)
        r.request = 1;
    if (b->mode == REQUEST_LINK)
        r.link = 4;
    if (b->mode == REQUEST_PARTS)
        r.path_parts = 3;
    if (b->mode == REQUEST_DIGEST)
        part[1].count = 2;
    if (b->mode == REQUEST_HIDDEN_DIGEST)
        part[1].kind |= TN_PART_HIDDEN;
    if (b->mode == REQUEST_NOWHERE)
        part[0].data = NULL;
    if (b->mode == REQUEST_LONG) {
        part[0].data = part[1].data = long_text;
        part[0].bytes = part[1].bytes = sizeof long_text;
        part[1].kind = TN_PART_BYTES;
    }
    if (b->mode == REQUEST_STORED) {
        r.flags = TN_REQUEST_STORED;
        r.approval = 5;
    }
    (void)out->request(out->self, &r);
}

static void tell(struct broken *b, int64_t t_ns, bool now, const struct tn_adapter_out *out)
{
    struct tn_event ev = {.size = sizeof ev,
                          .type = TN_EVENT_TRADE,
                          .t_ns = t_ns,
                          .instrument = b->instrument,
                          .u.trade = {.price = 100, .qty = 1}};
    struct tn_said s = {.size = sizeof s, .kind = TN_SAID_ACK, .instrument = b->instrument};
    int64_t mode = now ? b->mode : FINE;
    if (mode == EVENT_PRICE)
        ev.u.trade.price = -1;
    if (mode == EVENT_STRANGER)
        ev.instrument = 99;
    if (mode == EVENT_SEQ)
        ev.seq = 1;
    if (mode == EVENT_BAR) {
        ev.type = TN_EVENT_BAR;
        ev.u.bar = (struct tn_bar){.open = 5, .high = 4, .low = 3, .close = 4};
    }
    if (mode == SAID_TEXT)
        memset(s.text, 'x', sizeof s.text);
    if (mode == SAID_FILL_BARE)
        s.kind = TN_SAID_FILL;
    if (mode == SAID_NEGATIVE)
        s.cum_qty = -1;
    if (mode == SAID_KIND)
        s.kind = TN_SAID_UNKNOWN + 1;
    (void)out->event(out->self, &ev);
    (void)out->said(out->self, &s);
}

static void want(struct broken *b, const struct tn_adapter_out *out)
{
    struct tn_link l = {
        .size = sizeof l, .id = 2, .type = TN_LINK_WS, .path = "/s", .path_bytes = 2};
    struct tn_timer t = {.size = sizeof t, .id = 1, .at_ns = 5};
    struct tn_capture c = {
        .size = sizeof c, .format = TN_WIRE_JSON, .path = "token", .path_bytes = 5};
    struct tn_sync y = {.size = sizeof y, .phase = TN_SYNC_BEGAN};
    if (b->mode == LINK_ID)
        l.id = 16;
    if (b->mode == LINK_PATH)
        l.path = "\r\n";
    if (b->mode == TIMER_ID)
        t.id = 64;
    if (b->mode == CAPTURE_PATH)
        c.path_bytes = 0;
    if (b->mode == SYNC_PHASE)
        y.phase = 4;
    (void)out->link(out->self, &l);
    (void)out->timer(out->self, &t);
    (void)out->capture(out->self, &c);
    (void)out->sync(out->self, &y);
    ask(b, 0, out);
}

static int32_t on_in(void *inst, const struct tn_in *in, const struct tn_adapter_out *out)
{
    struct broken *b = inst;
    bool now = in->bytes >= 3 && memcmp(in->data, "now", 3) == 0;
    tell(b, in->t_ns, now, out);
    if (!now)
        return TN_OK;
    want(b, out);
    if (b->mode == HOT_ALLOC)
        (void)b->host->alloc(b->host->self, 16);
    if (b->mode == ROUNDING) {
        uint32_t csr;
        __asm__ volatile("stmxcsr %0" : "=m"(csr));
        csr |= 0x6000;
        __asm__ volatile("ldmxcsr %0" : : "m"(csr));
    }
    return b->mode == STATUS_UNKNOWN ? 77 : b->mode == STATUS_BAD ? TN_E_DATA : TN_OK;
}

static int32_t on_approval(void *inst, int64_t t_ns, const struct tn_approval *a,
                           const struct tn_adapter_out *out)
{
    struct broken *b = inst;
    (void)t_ns;
    if (a->class_of == TN_CLASS_AMEND)
        return TN_E_UNSUPPORTED;
    if (b->mode != APPROVAL_NONE)
        ask(b, a->approval, out);
    if (b->mode == APPROVAL_TWO)
        ask(b, a->approval, out);
    return b->mode == APPROVAL_BOTH ? TN_E_PARAM : TN_OK;
}

static const struct tn_adapter_ops ops = {
    .base = {.size = sizeof ops, .activate = activate, .deactivate = end, .destroy = end},
#ifdef FACTS_WILD
    .facts = (const struct tn_adapter_facts *)0x1000,
#else
    .facts = &facts,
#endif
    .create = create,
    .start = start,
    .on_in = on_in,
#ifndef FACTS_NO_APPROVAL
    .on_approval = on_approval
#endif
};

TN_PLUGIN(TN_KIND_ADAPTER, &ops, .id = "broken_adapter", .version = "1.0.0", .vendor = "tenon",
          .flags = TN_FLAG_DRAFT | TN_FLAG_COLD, .text = "breaks one rule of adapter/0",
          .arena_bytes = sizeof(struct broken) + 16, .budget_ns = 1000, .param_count = 1,
          .params = {TN_PARAM_INT("mode", 0, 0, 64, 1, "", "which rule")});
