/* SPDX-License-Identifier: Apache-2.0
 *
 * The venue's words. A message is read completely into a zeroed record before anything is said of
 * it; what cannot be read exactly (a word that is not in the list, a price with more digits than
 * the instrument holds, a symbol that the account does not trade) is said as UNKNOWN with the
 * reason, since a fill that is dropped in silence is worse than an alarm.
 */
#include <string.h>
#include "decimal.h"
#include "session.h"

/* Copies what is printable of a text, cut where it is too long. */
static void copy_words(const struct json *v, char *out, size_t out_bytes)
{
    memset(out, 0, out_bytes);
    for (uint32_t i = 0; v->type == JSON_STRING && i < v->bytes && i + 1 < out_bytes; i++)
        out[i] = v->at[i] >= 0x20 && v->at[i] <= 0x7e ? v->at[i] : '?';
}

void hear_unknown(const struct json *m, const char *why, const struct tn_adapter_out *out)
{
    struct tn_said said = {.size = sizeof said, .kind = TN_SAID_UNKNOWN};
    struct json v;
    (void)json_find(m, "client_id", &v);
    if (!json_copy(&v, said.client_id, sizeof said.client_id))
        said.client_id[0] = 0;
    memcpy(said.text, why, strnlen(why, sizeof said.text - 1));
    (void)out->said(out->self, &said);
}

/* ---- members ---- */

static bool find_number(const struct json *m, const char *name, int32_t exp, int64_t *out)
{
    struct json v;
    *out = 0;
    return !json_find(m, name, &v) || v.type == JSON_NULL || decimal_read(&v, exp, out);
}

static bool find_text(const struct json *m, const char *name, char *out, size_t out_bytes)
{
    struct json v;
    (void)json_find(m, name, &v);
    return json_copy(&v, out, out_bytes);
}

/* The index of the word, from 1 on; 0 = absent; -1 = none of them. */
static int32_t find_word(const struct json *m, const char *name, const char *const *words,
                         int32_t count)
{
    struct json v;
    if (!json_find(m, name, &v))
        return 0;
    for (int32_t i = 0; i < count; i++) {
        if (json_is(&v, words[i]))
            return i + 1;
    }
    return -1;
}

/* The host's reject words by number. */
static uint32_t reason_of(const struct json *m)
{
    static const char *const words[] = {"SYMBOL", "HALTED",    "PRICE",     "QTY",
                                        "FUNDS",  "DUPLICATE", "POST_ONLY", "RATE"};
    enum { OTHER = 9 };
    int32_t k = find_word(m, "code", words, 8);
    return k < 0 ? OTHER : (uint32_t)k;
}

/* What reports, fills and open orders have in common. NULL, or what is wrong. */
static const char *read_order(struct session *s, const struct json *m, struct tn_said *said,
                              const struct tn_instrument **def)
{
    static const char *const sides[] = {"buy", "sell"};
    struct json symbol, text;
    (void)json_find(m, "symbol", &symbol);
    const struct session_instrument *in = session_by_symbol(s, &symbol);
    if (in == NULL)
        return "a symbol that this account does not trade";
    int32_t side = find_word(m, "side", sides, 2);
    if (side < 0)
        return "a side that is neither buy nor sell";
    *def = in->def;
    said->instrument = in->def->id;
    said->side = (uint32_t)side;
    if (!find_text(m, "client_id", said->client_id, sizeof said->client_id) ||
        !find_text(m, "order_id", said->venue_id, sizeof said->venue_id))
        return "an id that is too long or not plain";
    if (!find_number(m, "t", 0, &said->venue_ns) || !find_number(m, "due", 0, &said->due_ns) ||
        said->venue_ns < 0 || said->due_ns < 0)
        return "a time that cannot be read";
    if (!find_number(m, "cum_qty", in->def->qty_exp, &said->cum_qty) ||
        !find_number(m, "leaves_qty", in->def->qty_exp, &said->leaves_qty) || said->cum_qty < 0 ||
        said->leaves_qty < 0)
        return "a quantity that cannot be held exactly";
    (void)json_find(m, "text", &text);
    copy_words(&text, said->text, sizeof said->text);
    if (said->venue_ns > s->venue_ns)
        s->venue_ns = said->venue_ns;
    return NULL;
}

static const char *read_fill(const struct json *m, const struct tn_instrument *def,
                             struct tn_said *said)
{
    static const char *const roles[] = {"maker", "taker"};
    struct json fee;
    int32_t role = find_word(m, "liquidity", roles, 2);
    said->liquidity = role > 0 ? (uint32_t)role : 0;
    if (!find_number(m, "last_qty", def->qty_exp, &said->last_qty) ||
        !find_number(m, "last_price", def->price_exp, &said->last_price) || said->last_qty <= 0 ||
        said->last_price <= 0)
        return "a fill whose quantity or price cannot be held exactly";
    if (!find_text(m, "trade_id", said->trade_id, sizeof said->trade_id) || said->trade_id[0] == 0)
        return "a fill without a trade id";
    if (said->side == 0)
        return "a fill without a side";
    if (json_find(m, "fee", &fee) && !decimal_read_free(&fee, &said->fee, &said->fee_exp))
        return "a fee that cannot be read";
    if (!find_text(m, "fee_currency", said->fee_currency, sizeof said->fee_currency))
        return "a currency that is too long";
    return NULL;
}

/* ---- reports ---- */

static const char *const report_words[] = {
    "new",         "rejected", "trade",        "canceled", "cancel_rejected",
    "cancel_late", "expired",  "venue_cancel", "bust",     "status"};
static const char *const found_words[] = {"working", "done", "absent", "proved_absent"};

/* NULL, or what is wrong. */
static const char *read_report(struct session *s, const struct json *m, struct tn_said *said)
{
    const struct tn_instrument *def = NULL;
    int32_t kind = find_word(m, "kind", report_words, TN_SAID_STATUS);
    if (kind <= 0)
        return "a kind of report that is not known";
    said->kind = (uint32_t)kind;
    const char *why = read_order(s, m, said, &def);
    if (why == NULL && kind == TN_SAID_FILL)
        why = read_fill(m, def, said);
    if (why == NULL && kind == TN_SAID_BUST &&
        (!find_text(m, "trade_id", said->trade_id, sizeof said->trade_id) ||
         said->trade_id[0] == 0))
        why = "a bust without a trade id";
    if (why == NULL && kind == TN_SAID_STATUS) {
        int32_t found = find_word(m, "found", found_words, 4);
        said->found = (uint32_t)(found > 0 ? found : 0);
        why = found > 0 ? NULL : "a status that is not known";
    }
    said->reason = reason_of(m);
    return why;
}

/* False: a report that was heard before. A hole in the numbers is reconciled; one that was only
 * overtaken is said when it comes. */
static bool follows(struct session *s, const struct json *m, const struct tn_adapter_out *out)
{
    int64_t n = 0;
    if (!find_number(m, "n", 0, &n) || n <= 0) {
        session_resync(s, true, out);
        return true;
    }
    uint64_t now = (uint64_t)n, last = s->n;
    if (last != 0 && now <= last) /* late, or heard before */
        return now >= s->hole_from && now <= s->hole_to;
    s->n = now;
    if (last == 0 || now == last + 1)
        return true;
    s->hole_from = s->hole_from != 0 ? s->hole_from : last + 1;
    s->hole_to = now - 1;
    session_log(s, 3, "a report is missing: the venue is asked for executions and open orders");
    session_resync(s, true, out);
    return true;
}

static bool was_heard(const struct session *s, const char *trade_id)
{
    for (uint64_t i = 0; i < s->heard_count && i < SESSION_HEARD_MAX; i++) {
        if (strcmp(s->heard[i], trade_id) == 0)
            return true;
    }
    return false;
}

/* Says an execution and remembers that it was said. */
static bool say_fill(struct session *s, const struct tn_said *said,
                     const struct tn_adapter_out *out)
{
    if (out->said(out->self, said) != TN_OK)
        return false;
    memcpy(s->heard[s->heard_count++ % SESSION_HEARD_MAX], said->trade_id, SESSION_ID_BYTES);
    return true;
}

/* The cursor stays where it is: a venue may report an execution after a younger one, so only the
 * list of executions, which is in the order in which they were made, can move it. */
void hear_report(struct session *s, const struct json *m, const struct tn_adapter_out *out)
{
    struct tn_said said = {.size = sizeof said};
    if (!follows(s, m, out))
        return;
    const char *why = read_report(s, m, &said);
    if (why != NULL) {
        hear_unknown(m, why, out);
        return;
    }
    bool is_said =
        said.kind == TN_SAID_FILL ? say_fill(s, &said, out) : out->said(out->self, &said) == TN_OK;
    if (!is_said) /* no room: the venue still has it */
        session_resync(s, true, out);
}

bool hear_fill(struct session *s, const struct json *m, const struct tn_adapter_out *out)
{
    struct tn_said said = {.size = sizeof said, .kind = TN_SAID_FILL};
    const struct tn_instrument *def = NULL;
    const char *why = read_order(s, m, &said, &def);
    if (why == NULL)
        why = read_fill(m, def, &said);
    if (why != NULL) {
        hear_unknown(m, why, out);
        return find_text(m, "trade_id", s->cursor, sizeof s->cursor) && s->cursor[0] != 0;
    }
    bool is_old = !s->sync_is_told && was_heard(s, said.trade_id);
    if (!is_old && !say_fill(s, &said, out))
        return false;
    memcpy(s->cursor, said.trade_id, sizeof s->cursor);
    return true;
}

bool hear_open(struct session *s, const struct json *m, const struct tn_adapter_out *out)
{
    struct tn_said said = {.size = sizeof said, .kind = TN_SAID_STATUS, .found = 1};
    const struct tn_instrument *def = NULL;
    if (!find_text(m, "client_id", s->open_after, sizeof s->open_after))
        return false;
    const char *why = read_order(s, m, &said, &def);
    if (why != NULL) {
        hear_unknown(m, why, out);
        return true;
    }
    return out->said(out->self, &said) == TN_OK;
}

bool hear_found(struct session *s, const struct session_asked *q, const struct json *m,
                struct tn_said *said)
{
    const struct tn_instrument *def = NULL;
    struct json order;
    int64_t due = 0;
    int32_t found = find_word(m, "found", found_words, 4);
    *said = (struct tn_said){.size = sizeof *said, .kind = TN_SAID_STATUS, .request = q->request};
    if (found <= 0 || !find_number(m, "due", 0, &due) || due < 0)
        return false;
    if (json_find(m, "order", &order) && order.type == JSON_OBJECT &&
        (read_order(s, &order, said, &def) != NULL ||
         strncmp(said->client_id, q->client_id, sizeof q->client_id) != 0))
        return false;
    said->found = (uint32_t)found;
    said->due_ns = due > 0 ? due : said->due_ns;
    said->instrument = q->instrument;
    memcpy(said->client_id, q->client_id, sizeof said->client_id);
    return true;
}

void hear_refusal(const struct session_asked *q, uint32_t status, const struct json *m,
                  struct tn_said *said)
{
    enum { RATE = 8, OTHER = 9 };
    struct json text;
    bool is_order = q->what == SESSION_ASKED_ORDER;
    *said = (struct tn_said){.size = sizeof *said,
                             .kind = is_order ? TN_SAID_REJECT : TN_SAID_CANCEL_REJECT,
                             .request = q->request,
                             .instrument = q->instrument,
                             .side = is_order ? q->side : 0,
                             .reason = reason_of(m)};
    if (status == 429 || status == 418)
        said->reason = RATE;
    if (said->reason == 0)
        said->reason = OTHER;
    memcpy(said->client_id, q->client_id, sizeof said->client_id);
    (void)json_find(m, "text", &text);
    copy_words(&text, said->text, sizeof said->text);
}

/* ---- market ---- */

static bool read_bar(const struct json *m, const struct tn_instrument *def, struct tn_bar *b)
{
    return find_number(m, "open_t", 0, &b->open_ns) &&
           find_number(m, "o", def->price_exp, &b->open) &&
           find_number(m, "h", def->price_exp, &b->high) &&
           find_number(m, "l", def->price_exp, &b->low) &&
           find_number(m, "c", def->price_exp, &b->close) &&
           find_number(m, "v", def->qty_exp, &b->volume) && b->low > 0 && b->low <= b->open &&
           b->low <= b->close && b->high >= b->open && b->high >= b->close && b->volume >= 0;
}

static bool read_trade(const struct json *m, const struct tn_instrument *def, struct tn_trade *t)
{
    static const char *const sides[] = {"buy", "sell"};
    int32_t side = find_word(m, "side", sides, 2);
    t->aggressor = side > 0 ? (uint32_t)side : 0;
    return find_number(m, "p", def->price_exp, &t->price) &&
           find_number(m, "q", def->qty_exp, &t->qty) && t->price > 0 && t->qty > 0;
}

static bool read_quote(const struct json *m, const struct tn_instrument *def, struct tn_quote *q)
{
    return find_number(m, "b", def->price_exp, &q->bid) &&
           find_number(m, "bq", def->qty_exp, &q->bid_qty) &&
           find_number(m, "a", def->price_exp, &q->ask) &&
           find_number(m, "aq", def->qty_exp, &q->ask_qty) && q->bid >= 0 && q->ask >= 0 &&
           q->bid_qty >= 0 && q->ask_qty >= 0 && (q->bid > 0 || q->ask > 0);
}

static bool read_event(const struct json *m, const struct tn_instrument *def, struct tn_event *ev)
{
    static const char *const kinds[] = {"bar", "trade", "quote"};
    int32_t kind = find_word(m, "kind", kinds, 3);
    if (kind <= 0 || !find_number(m, "t", 0, &ev->t_ns) || ev->t_ns <= 0)
        return false;
    ev->type = (uint32_t)kind;
    ev->instrument = def->id;
    if (ev->type == TN_EVENT_BAR)
        return read_bar(m, def, &ev->u.bar) && ev->u.bar.open_ns <= ev->t_ns;
    return ev->type == TN_EVENT_TRADE ? read_trade(m, def, &ev->u.trade)
                                      : read_quote(m, def, &ev->u.quote);
}

static void ask_picture(struct session *s, struct session_instrument *in,
                        const struct tn_adapter_out *out)
{
    if (in->is_asking)
        return;
    session_log(s, 3, "market data is missing or came twice: the symbol is asked for");
    in->is_asking = order_snapshot(s, in, out) == TN_OK;
}

/* Looks at a symbol's dense number. False: heard before, or the venue began anew: its answer tells
 * which. */
static bool market_follows(struct session *s, struct session_instrument *in, uint64_t n,
                           const struct tn_adapter_out *out)
{
    uint64_t last = in->n;
    if (last != 0 && n != last + 1)
        ask_picture(s, in, out);
    if (last != 0 && n <= last)
        return false;
    in->n = n;
    return true;
}

void hear_market(struct session *s, const struct json *m, const struct tn_adapter_out *out)
{
    struct tn_event ev = {.size = sizeof ev};
    struct json symbol;
    int64_t n = 0;
    (void)json_find(m, "symbol", &symbol);
    struct session_instrument *in = session_by_symbol(s, &symbol);
    if (in == NULL || !find_number(m, "n", 0, &n) || n <= 0 || !read_event(m, in->def, &ev)) {
        hear_unknown(m, "a market message that cannot be read exactly", out);
        return;
    }
    if (ev.t_ns > s->venue_ns)
        s->venue_ns = ev.t_ns;
    if (market_follows(s, in, (uint64_t)n, out)) /* a second one's too: the host joins the two */
        (void)out->event(out->self, &ev); /* what finds no room is lost, as the host counts */
}

void hear_snapshot(struct session *s, const struct json *m, const struct tn_adapter_out *out)
{
    struct json symbol;
    int64_t n = 0;
    (void)json_find(m, "symbol", &symbol);
    struct session_instrument *in = session_by_symbol(s, &symbol);
    if (in == NULL || !find_number(m, "n", 0, &n) || n < 0) {
        hear_unknown(m, "a picture that cannot be read", out);
        return;
    }
    /* Older than what was heard: made before that, so it is asked for again; twice: the venue began
     * anew, and its numbers with it. */
    if ((uint64_t)n < in->n && !in->was_older) {
        session_log(s, 3, "a picture is older than what came since: it is asked for again");
        in->was_older = true;
        in->is_asking = order_snapshot(s, in, out) == TN_OK;
        return;
    }
    in->was_older = false;
    in->n = (uint64_t)n;
    in->is_asking = false;
}
