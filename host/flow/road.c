/* SPDX-License-Identifier: Apache-2.0
 *
 * Plain copying with checks. Texts of a venue are cut at their NUL and made printable; a venue's
 * id that is no number is hashed, with the top bit set, so that it never meets a number. A fee in
 * another currency than the instrument settles in is refused: booking it as if it were would be
 * wrong money, and dropping it would be lost money.
 */
#include "flow/road.h"
#include "base/planted.h"
#include <string.h>
#include "base/must.h"
#include "base/num.h"
#include "core/step.h"
#include "flow/feed.h"

uint64_t road_approval(uint64_t seq, uint32_t sub)
{
    must(sub < 1u << ROAD_SUB_BITS && seq < 1ull << (64 - ROAD_SUB_BITS));
    return seq << ROAD_SUB_BITS | sub;
}

uint64_t road_approval_seq(uint64_t approval)
{
    return approval >> ROAD_SUB_BITS;
}

/* ---- client ids ---- */

void road_client_text(const struct road_client *c, char out[ROAD_CLIENT_ID_BYTES])
{
    static_assert((int)ROAD_CLIENT_ID_BYTES >= (int)FACT_NAME_BYTES, "the core writes so many");
    memset(out, 0, ROAD_CLIENT_ID_BYTES);
    core_client_id(c->epoch, c->order, c->attempt, out);
}

/* One number without a leading zero; moves *at past it. */
static bool take32(const char *text, size_t bytes, size_t *at, uint64_t max, uint64_t *out)
{
    size_t from = *at;
    uint64_t v = 0;
    for (; *at < bytes && text[*at] != 0 && text[*at] != '-'; ++*at) {
        const char *digit = memchr(core_base32, text[*at], 32);
        if (digit == NULL || v > max >> 5)
            return false;
        v = v << 5 | (uint64_t)(digit - core_base32);
    }
    *out = v;
    return *at > from && v <= max && (text[from] != '0' || *at == from + 1);
}

bool road_client_read(const char *text, size_t bytes, struct road_client *out)
{
    uint64_t attempt = 0;
    size_t at = 1;
    if (bytes < 2 || text[0] != 'T' || !take32(text, bytes, &at, UINT32_MAX, &out->epoch) ||
        at >= bytes || text[at++] != '-' || !take32(text, bytes, &at, UINT64_MAX, &out->order) ||
        at >= bytes || text[at++] != '-' || !take32(text, bytes, &at, UINT32_MAX, &attempt))
        return false;
    out->attempt = (uint32_t)attempt;
    return out->order != 0 && (at == bytes || text[at] == 0);
}

/* ---- out ---- */

void road_order_of(const struct fact_head *head, const struct fact_send *s, struct road_order *out)
{
    *out = (struct road_order){.approval = road_approval(head->seq, head->sub),
                               .seq = s->reduce_only ? 0 : head->seq,
                               .t_ns = head->t_ns,
                               .send = *s};
    if (PLANTED(QUANTITY))
        out->send.qty++;
}

void road_cancel_of(const struct fact_head *head, const struct fact_cancel *c, uint64_t epoch,
                    struct road_cancel *out)
{
    const struct road_client id = {.epoch = epoch, .order = c->order, .attempt = c->attempt};
    *out = (struct road_cancel){
        .approval = road_approval(head->seq, head->sub), .t_ns = head->t_ns, .cancel = *c};
    road_client_text(&id, out->client_id);
}

void road_query_of(const struct fact_head *head, const struct fact_query *q, uint64_t epoch,
                   uint32_t instrument, struct road_query *out)
{
    const struct road_client id = {.epoch = epoch, .order = q->order, .attempt = q->attempt};
    *out = (struct road_query){.approval = road_approval(head->seq, head->sub),
                               .t_ns = head->t_ns,
                               .query = *q,
                               .instrument = instrument};
    road_client_text(&id, out->client_id);
}

/* ---- in ---- */

uint64_t road_number(const char *text, size_t bytes)
{
    size_t count = strnlen(text, bytes);
    uint64_t v = 0, hash = 0xcbf29ce484222325ull;
    bool is_decimal = count > 0 && count < 19;
    for (size_t i = 0; i < count; i++) {
        hash = (hash ^ (uint8_t)text[i]) * 0x100000001b3ull;
        is_decimal = is_decimal && text[i] >= '0' && text[i] <= '9' && (i > 0 || text[0] != '0');
        v = v * 10 + (uint64_t)(text[i] - '0');
    }
    if (count == 0 || (count == 1 && text[0] == '0'))
        return 0;
    return is_decimal ? v : hash | 1ull << 63;
}

static void put_text(char *out, size_t room, const char *text, size_t bytes)
{
    size_t count = strnlen(text, bytes);
    count = count < room ? count : room - 1;
    for (size_t i = 0; i < count; i++)
        out[i] = text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?';
}

static bool find(const struct road_names *n, uint32_t id, uint32_t *at)
{
    for (*at = 0; *at < n->instrument_count; ++*at) {
        if (n->instrument[*at].id == id)
            return true;
    }
    return false;
}

static uint32_t kind_of(uint32_t said)
{
    static const uint8_t kind[] = {[TN_SAID_ACK] = FACT_EXEC_NEW,
                                   [TN_SAID_REJECT] = FACT_EXEC_REJECTED,
                                   [TN_SAID_FILL] = FACT_EXEC_TRADE,
                                   [TN_SAID_CANCELED] = FACT_EXEC_CANCELED,
                                   [TN_SAID_CANCEL_REJECT] = FACT_EXEC_CANCEL_REJECT,
                                   [TN_SAID_CANCEL_LATE] = FACT_EXEC_CANCEL_LATE,
                                   [TN_SAID_EXPIRED] = FACT_EXEC_EXPIRED,
                                   [TN_SAID_VENUE_CANCEL] = FACT_EXEC_VENUE_CANCEL,
                                   [TN_SAID_BUST] = FACT_EXEC_BUST,
                                   [TN_SAID_STATUS] = FACT_EXEC_STATUS};
    return said < sizeof kind ? kind[said] : FACT_EXEC_UNSET;
}

static const char *fee_of(const struct road_names *n, uint32_t at, const struct tn_said *s,
                          int64_t *fee)
{
    *fee = 0;
    if (s->fee == 0)
        return NULL;
    if (strncmp(s->fee_currency, n->instrument[at].settle, sizeof s->fee_currency) != 0)
        return "a fee in another currency than the instrument settles in";
    if (s->fee_exp < NUM_EXP_MIN || s->fee_exp > NUM_EXP_MAX ||
        !is_ok(num_rescale(s->fee, s->fee_exp, n->instrument[at].settle_exp, NUM_CEIL, fee)))
        return "a fee that does not fit";
    return NULL;
}

static const char *fill_of(const struct road_names *n, uint32_t at, const struct tn_said *s,
                           struct fact_exec *out)
{
    if (s->side != TN_LONG && s->side != TN_SHORT)
        return "a fill without a side";
    if (s->last_qty <= 0 || s->last_price <= 0)
        return "a fill without a quantity or a price";
    out->trade_id = road_number(s->trade_id, sizeof s->trade_id);
    if (out->trade_id == 0)
        return "a fill without a trade id";
    out->last_qty = s->last_qty;
    out->last_price = s->last_price;
    out->liquidity = s->liquidity == 1 ? FACT_MAKER : s->liquidity == 2 ? FACT_TAKER : 0;
    return fee_of(n, at, s, &out->fee);
}

const char *road_exec_of(const struct road_names *n, const struct tn_said *said,
                         struct fact_exec *out)
{
    struct road_client id = {0};
    uint32_t at;
    memset(out, 0, sizeof *out);
    if (said->size != sizeof *said)
        return "a word of another size";
    if (!find(n, said->instrument, &at))
        return "a word about an instrument that is not of the account";
    out->kind = kind_of(said->kind);
    if (out->kind == FACT_EXEC_UNSET)
        return "a word that is none of ours";
    if (said->side > TN_SHORT || said->cum_qty < 0 || said->leaves_qty < 0 ||
        said->found > FACT_FOUND_PROVED_ABSENT || said->liquidity > 2)
        return "figures that cannot be";
    if (road_client_read(said->client_id, sizeof said->client_id, &id))
        out->order = id.order;
    out->is_close = said->client_id[0] == 'K'; /* egress's own: K<epoch>-<n> */
    out->venue_order = road_number(said->venue_id, sizeof said->venue_id);
    out->instrument = said->instrument;
    out->account = n->account;
    out->side = said->side;
    out->cum_qty = said->cum_qty;
    out->leaves_qty = said->leaves_qty;
    out->venue_ns = said->venue_ns;
    out->reason = said->reason <= FACT_REJECT_OTHER ? said->reason : (uint32_t)FACT_REJECT_OTHER;
    out->found = out->kind == FACT_EXEC_STATUS ? said->found : 0;
    put_text(out->text, sizeof out->text, said->text, sizeof said->text);
    bool is_fill = out->kind == FACT_EXEC_TRADE || out->kind == FACT_EXEC_BUST;
    return is_fill ? fill_of(n, at, said, out) : NULL;
}

static bool is_sane(const struct tn_event *ev)
{
    if (ev->type == TN_EVENT_BAR) {
        const struct tn_bar *b = &ev->u.bar;
        return b->low > 0 && b->low <= b->open && b->low <= b->close && b->high >= b->open &&
               b->high >= b->close && b->volume >= 0 && b->open_ns <= ev->t_ns;
    }
    if (ev->type == TN_EVENT_TRADE)
        return ev->u.trade.price > 0 && ev->u.trade.qty > 0 && ev->u.trade.aggressor <= TN_SHORT;
    const struct tn_quote *q = &ev->u.quote;
    return ev->type == TN_EVENT_QUOTE && q->bid >= 0 && q->ask >= 0 && q->bid_qty >= 0 &&
           q->ask_qty >= 0 && (q->bid > 0 || q->ask > 0);
}

const char *road_market_of(const struct road_names *n, const struct tn_event *ev,
                           struct fact_view *out)
{
    uint32_t at;
    if (ev->size != sizeof *ev || !is_sane(ev))
        return "market data that cannot be";
    if (!find(n, ev->instrument, &at))
        return "market data of an instrument that is not of the account";
    memset(&out->u, 0, sizeof(struct fact_bar));
    feed_fact(ev, n->account, out);
    return NULL;
}

bool road_sent_of(const struct road_sent *s, struct fact_sent *out)
{
    *out = s->sent;
    return s->class_of == TN_CLASS_ORDER || s->class_of == TN_CLASS_CANCEL;
}
