/* SPDX-License-Identifier: Apache-2.0
 *
 * What an adapter may want: the entries of struct tn_adapter_out. Each copies what it is given into
 * a message, member by member, so that no byte goes out that was not looked at. What breaks a rule
 * of adapter.h is refused with TN_E_PARAM and remembered: the call that did it is a fault.
 *
 * These are rules of form. Whether a template may be sent is not judged here: an adapter lives in
 * this process and could write its messages itself. That judge is egress.
 */
#include <string.h>
#include "base/must.h"
#include "bays/agent_priv.h"

uint8_t *agent_put(struct agent_queue *q, uint32_t kind, uint32_t count, uint32_t spare)
{
    const uint32_t whole = 8 + ((count + 7) & ~7u);
    if (count > LINE_BODY_MAX || whole + spare + q->tail > AGENT_QUEUE_BYTES)
        return NULL; /* added up: the host's own may stand in the spare room already */
    uint8_t *at = q->bytes + q->tail;
    memset(at, 0, whole);
    memcpy(at, &kind, sizeof kind);
    memcpy(at + 4, &count, sizeof count);
    q->tail += whole;
    return at + 8;
}

static int32_t broke(struct agent *a, const char *why)
{
    if (a->wrong == NULL)
        a->wrong = why;
    return TN_E_PARAM;
}

bool agent_is_text(const char *text, size_t bytes)
{
    size_t n = strnlen(text, bytes);
    for (size_t i = 0; i < n; i++) {
        if (text[i] < 0x20 || text[i] > 0x7e)
            return false;
    }
    return n < bytes;
}

static bool is_path(const char *text, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++) {
        if (text[i] <= 0x20 || text[i] > 0x7e)
            return false;
    }
    return true;
}

static bool knows(const struct agent *a, uint32_t instrument)
{
    for (uint32_t i = 0; i < a->spec.instrument_count; i++) {
        if (a->spec.instrument[i].def.id == instrument)
            return true;
    }
    return false;
}

static int32_t on_link(void *self, const struct tn_link *l)
{
    struct agent *a = self;
    if (l->size < sizeof *l || l->id >= TN_ADAPTER_CONNECTIONS_MAX || l->type > TN_LINK_RAW ||
        l->is_order_path > 1)
        return broke(a, "a link with unknown members");
    if (l->path_bytes > AGENT_PATH_MAX || (l->path_bytes > 0 && !l->path) ||
        !is_path(l->path, l->path_bytes))
        return broke(a, "a link with a bad path");
    struct line_open m = {.id = l->id,
                          .type = l->type,
                          .endpoint = l->endpoint,
                          .is_order_path = l->is_order_path,
                          .path_bytes = l->path_bytes};
    uint8_t *at =
        agent_put(&a->desk, LINE_OPEN, (uint32_t)sizeof m + l->path_bytes, AGENT_SPARE_BYTES);
    if (!at)
        return TN_E_SHORT;
    memcpy(at, &m, sizeof m);
    if (l->path_bytes > 0)
        memcpy(at + sizeof m, l->path, l->path_bytes);
    a->links = l->type != 0 ? a->links | 1u << l->id : a->links & ~(1u << l->id);
    return TN_OK;
}

/* ---- templates ---- */

static const char *check_part(const struct tn_part *p, uint32_t index)
{
    const uint32_t kind = p->kind & ~TN_PART_HIDDEN;
    if (p->size < sizeof *p || kind < TN_PART_BYTES || kind > TN_PART_FIELD)
        return "a template with an unknown part";
    if (kind == TN_PART_BYTES && p->bytes > 0 && !p->data)
        return "a template with bytes from nowhere";
    if (kind != TN_PART_BYTES && p->bytes != 0)
        return "a template with bytes in a part that has none";
    if (kind != TN_PART_HMAC)
        return NULL;
    if (p->kind & TN_PART_HIDDEN)
        return "a template with a hidden digest";
    if (p->digest < TN_DIGEST_SHA256 || p->digest > TN_DIGEST_SHA512 || p->encode < TN_ENCODE_HEX ||
        p->encode > TN_ENCODE_BASE64URL)
        return "a template with an unknown digest";
    if (p->first > index || p->count > index - p->first)
        return "a template with a digest over what does not stand before it";
    return NULL;
}

static const char *check_request(const struct agent *a, const struct tn_request *r)
{
    if (r->size < sizeof *r || r->class_of < TN_CLASS_ORDER || r->class_of > TN_CLASS_SETTING ||
        (r->flags & ~TN_REQUEST_STORED) != 0)
        return "a template of an unknown class";
    if (r->request <= a->last_request)
        return "a template whose number does not rise";
    if (r->link >= TN_ADAPTER_CONNECTIONS_MAX || !(a->links >> r->link & 1))
        return "a template for a link it has not asked for";
    if (r->bucket >= a->facts->bucket_count || r->method > TN_METHOD_DELETE)
        return "a template with an unknown budget or method";
    if (r->part_count == 0 || r->part_count > TN_ADAPTER_PARTS_MAX || !r->part ||
        r->path_parts > r->part_count || r->head_parts > r->part_count - r->path_parts)
        return "a template whose parts do not add up";
    if ((r->flags & TN_REQUEST_STORED) && r->approval != 0)
        return "a stored template with an approval";
    return NULL;
}

static const struct tn_part *part_at(const struct tn_request *r, uint32_t k)
{
    return (const struct tn_part *)(const void *)((const uint8_t *)r->part +
                                                  (size_t)k * r->part->size);
}

static int32_t put_request(struct agent *a, const struct tn_request *r, uint32_t bytes)
{
    const uint32_t head =
        (uint32_t)(sizeof(struct line_request) + r->part_count * sizeof(struct line_part));
    uint8_t *at = agent_put(&a->desk, LINE_REQUEST, head + bytes, AGENT_SPARE_BYTES);
    if (!at)
        return TN_E_SHORT;
    struct line_request m = {.class_of = r->class_of,
                             .link = r->link,
                             .flags = r->flags,
                             .weight = r->weight,
                             .bucket = r->bucket,
                             .method = r->method,
                             .request = r->request,
                             .approval = r->approval,
                             .part_count = r->part_count,
                             .path_parts = r->path_parts,
                             .head_parts = r->head_parts,
                             .bytes = bytes};
    memcpy(at, &m, sizeof m);
    uint8_t *text = at + head;
    at += sizeof m;
    for (uint32_t k = 0; k < r->part_count; k++, at += sizeof(struct line_part)) {
        const struct tn_part *p = part_at(r, k);
        struct line_part to = {.kind = p->kind,
                               .field = p->field,
                               .digest = p->digest,
                               .encode = p->encode,
                               .first = p->first,
                               .count = p->count,
                               .bytes = p->bytes};
        memcpy(at, &to, sizeof to);
        if (p->bytes > 0)
            memcpy(text, p->data, p->bytes);
        text += p->bytes;
    }
    a->last_request = r->request;
    a->templates++;
    return TN_OK;
}

static int32_t on_request(void *self, const struct tn_request *r)
{
    struct agent *a = self;
    const char *why = check_request(a, r);
    uint64_t bytes = 0;
    for (uint32_t k = 0; !why && k < r->part_count; k++) {
        why = r->part->size < sizeof(struct tn_part) ? "a template with an unknown part"
                                                     : check_part(part_at(r, k), k);
        bytes += why ? 0 : part_at(r, k)->bytes;
    }
    if (!why && bytes > LINE_BODY_MAX / 2)
        why = "a template that is too long";
    return why ? broke(a, why) : put_request(a, r, (uint32_t)bytes);
}

static int32_t on_capture(void *self, const struct tn_capture *c)
{
    struct agent *a = self;
    if (c->size < sizeof *c || c->format < TN_WIRE_JSON || c->format > TN_WIRE_NUL_FIELDS ||
        c->path_bytes == 0 || c->path_bytes >= sizeof(((struct tn_wire_field *)0)->path) ||
        !c->path || !is_path(c->path, c->path_bytes))
        return broke(a, "a capture with unknown members");
    struct line_capture m = {
        .request = c->request, .id = c->id, .format = c->format, .path_bytes = c->path_bytes};
    uint8_t *at =
        agent_put(&a->desk, LINE_CAPTURE, (uint32_t)sizeof m + c->path_bytes, AGENT_SPARE_BYTES);
    if (!at)
        return TN_E_SHORT;
    memcpy(at, &m, sizeof m);
    memcpy(at + sizeof m, c->path, c->path_bytes);
    return TN_OK;
}

static int32_t on_timer(void *self, const struct tn_timer *t)
{
    struct agent *a = self;
    if (t->size < sizeof *t || t->id >= TN_ADAPTER_TIMERS_MAX || t->at_ns < 0)
        return broke(a, "a timer with unknown members");
    struct tn_timer m = {.size = sizeof m, .id = t->id, .at_ns = t->at_ns};
    uint8_t *at = agent_put(&a->desk, LINE_TIMER, sizeof m, AGENT_SPARE_BYTES);
    if (!at)
        return TN_E_SHORT;
    memcpy(at, &m, sizeof m);
    return TN_OK;
}

/* ---- facts ---- */

static bool in_range(int64_t v)
{
    return v > 0 && v <= agent_number_max;
}
static bool in_range_or_0(int64_t v)
{
    return v >= 0 && v <= agent_number_max;
}

static bool is_market(const struct tn_event *ev)
{
    if (ev->type == TN_EVENT_BAR) {
        const struct tn_bar *b = &ev->u.bar;
        return in_range(b->low) && in_range(b->high) && b->low <= b->open && b->low <= b->close &&
               b->high >= b->open && b->high >= b->close && in_range_or_0(b->volume) &&
               b->open_ns <= ev->t_ns;
    }
    if (ev->type == TN_EVENT_TRADE)
        return in_range(ev->u.trade.price) && in_range(ev->u.trade.qty) &&
               ev->u.trade.aggressor <= TN_SHORT;
    const struct tn_quote *q = &ev->u.quote;
    return ev->type == TN_EVENT_QUOTE && in_range_or_0(q->bid) && in_range_or_0(q->ask) &&
           in_range_or_0(q->bid_qty) && in_range_or_0(q->ask_qty) && (q->bid > 0 || q->ask > 0);
}

static int32_t on_event(void *self, const struct tn_event *ev)
{
    struct agent *a = self;
    if (ev->size < sizeof *ev || ev->seq != 0 || ev->flags != 0 || !in_range(ev->t_ns))
        return broke(a, "a market event with unknown members");
    if (!knows(a, ev->instrument))
        return broke(a, "a market event of an instrument it was not given");
    if (!is_market(ev))
        return broke(a, "a market event with prices or sizes that cannot be");
    struct line_event m = {.stamp_ns = a->stamp_ns,
                           .event = {.size = sizeof m.event,
                                     .type = ev->type,
                                     .t_ns = ev->t_ns,
                                     .instrument = ev->instrument}};
    if (ev->type == TN_EVENT_BAR)
        m.event.u.bar = ev->u.bar;
    else if (ev->type == TN_EVENT_QUOTE)
        m.event.u.quote = ev->u.quote;
    else
        m.event.u.trade = (struct tn_trade){
            .price = ev->u.trade.price, .qty = ev->u.trade.qty, .aggressor = ev->u.trade.aggressor};
    uint8_t *at = agent_put(&a->core, LINE_EVENT, sizeof m, AGENT_SPARE_BYTES);
    if (!at)
        return TN_E_SHORT;
    memcpy(at, &m, sizeof m);
    return TN_OK;
}

static const char *check_said(const struct agent *a, const struct tn_said *s)
{
    if (s->size < sizeof *s || s->kind < TN_SAID_ACK || s->kind > TN_SAID_UNKNOWN ||
        s->side > TN_SHORT || s->liquidity > 2 || s->reason > FACT_REJECT_OTHER ||
        s->found > FACT_FOUND_PROVED_ABSENT)
        return "a venue's answer with unknown members";
    if (!agent_is_text(s->client_id, sizeof s->client_id) ||
        !agent_is_text(s->venue_id, sizeof s->venue_id) ||
        !agent_is_text(s->trade_id, sizeof s->trade_id) ||
        !agent_is_text(s->text, sizeof s->text) ||
        !agent_is_text(s->fee_currency, sizeof s->fee_currency))
        return "a venue's answer with a text that does not end or is not plain";
    if (s->kind == TN_SAID_UNKNOWN)
        return NULL;
    if (s->instrument != 0 && !knows(a, s->instrument))
        return "a venue's answer about an instrument it was not given";
    if (!in_range_or_0(s->last_qty) || !in_range_or_0(s->last_price) ||
        !in_range_or_0(s->cum_qty) || !in_range_or_0(s->leaves_qty) || s->fee < -agent_number_max ||
        s->fee > agent_number_max || s->fee_exp < -18 || s->fee_exp > 18 || s->due_ns < 0 ||
        s->venue_ns < 0)
        return "a venue's answer with numbers that cannot be";
    if (s->kind == TN_SAID_FILL && (s->last_qty == 0 || s->last_price == 0 || s->side == 0 ||
                                    s->instrument == 0 || s->trade_id[0] == 0))
        return "a fill without quantity, price, side, instrument or trade id";
    return NULL;
}

static int32_t on_said(void *self, const struct tn_said *s)
{
    struct agent *a = self;
    const char *why = check_said(a, s);
    if (why)
        return broke(a, why);
    struct line_said m = {.stamp_ns = a->stamp_ns};
    memcpy(&m.said, s, sizeof m.said); /* layout without holes: all of it was looked at */
    m.said.size = sizeof m.said;
    uint8_t *at = agent_put(&a->core, LINE_SAID, sizeof m, AGENT_SPARE_BYTES);
    if (!at)
        return TN_E_SHORT;
    memcpy(at, &m, sizeof m);
    return TN_OK;
}

static int32_t on_sync(void *self, const struct tn_sync *s)
{
    struct agent *a = self;
    if (s->size < sizeof *s || s->phase < TN_SYNC_BEGAN || s->phase > TN_SYNC_FAILED ||
        !agent_is_text(s->cursor, sizeof s->cursor))
        return broke(a, "a reconciliation with unknown members");
    struct line_sync m = {.phase = s->phase, .orders = s->orders, .fills = s->fills};
    memcpy(m.cursor, s->cursor, sizeof m.cursor);
    uint8_t *at = agent_put(&a->core, LINE_SYNC, sizeof m, AGENT_SPARE_BYTES);
    if (!at)
        return TN_E_SHORT;
    memcpy(at, &m, sizeof m);
    return TN_OK;
}

void agent_out_init(struct agent *a)
{
    a->out = (struct tn_adapter_out){.size = sizeof a->out,
                                     .self = a,
                                     .link = on_link,
                                     .request = on_request,
                                     .capture = on_capture,
                                     .event = on_event,
                                     .said = on_said,
                                     .timer = on_timer,
                                     .sync = on_sync};
}
