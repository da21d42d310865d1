/* SPDX-License-Identifier: Apache-2.0
 *
 * The session's life. After each login the executions after the cursor and then the open orders are
 * asked for, page by page, and said between TN_SYNC_BEGAN and TN_SYNC_WHOLE; reports that come
 * meanwhile are said as they come, the host knows a trade id when it sees it twice. A hole in the
 * numbers of the reports does the same again. Between, the executions alone are asked for from time
 * to time, unannounced: nothing is said unless one was missed.
 *
 * A request whose outcome the venue leaves open (5xx, a client id it has seen) is followed by a
 * question by client id; silence is egress's to tell and the host's to ask about.
 */
#include "session.h"
#include <string.h>

static const int64_t retry_ns = 1000000000;

void session_log(const struct session *s, uint32_t level, const char *text)
{
    s->host->log(s->host->self, level, text, (uint32_t)strlen(text));
}

struct session_asked *session_ask(struct session *s, enum session_asked_what what)
{
    uint64_t request = s->next_request++;
    struct session_asked *q = &s->asked[request % SESSION_ASKED_MAX];
    *q = (struct session_asked){.request = request, .what = what};
    return q;
}

struct session_instrument *session_by_symbol(struct session *s, const struct json *symbol)
{
    for (uint32_t i = 0; i < s->instrument_count; i++) {
        if (json_is(symbol, s->instrument[i].symbol))
            return &s->instrument[i];
    }
    return NULL;
}

static void set_timer(uint32_t id, int64_t at_ns, const struct tn_adapter_out *out)
{
    struct tn_timer t = {.size = sizeof t, .id = id, .at_ns = at_ns};
    (void)out->timer(out->self, &t);
}

/* ---- reconciliation ---- */

static void say_sync(const struct session *s, uint32_t phase, const struct tn_adapter_out *out)
{
    struct tn_sync y = {
        .size = sizeof y, .phase = phase, .orders = s->sync_orders, .fills = s->sync_fills};
    memcpy(y.cursor, s->cursor, sizeof y.cursor);
    if (s->sync_is_told)
        (void)out->sync(out->self, &y);
}

static void say_held(struct session *s, const struct tn_adapter_out *out)
{
    for (uint32_t i = 0; i < s->held_count; i++)
        (void)out->said(out->self, &s->held[i]);
    s->held_count = 0;
}

static void fail_sync(struct session *s, int64_t t_ns, const struct tn_adapter_out *out)
{
    say_held(s, out);
    say_sync(s, TN_SYNC_FAILED, out);
    bool again = s->sync_is_told || s->sync_again;
    s->sync = SESSION_SYNC_IDLE;
    s->sync_again = false;
    if (again)
        set_timer(SESSION_TIMER_SYNC, t_ns + retry_ns, out);
}

void session_resync(struct session *s, bool told, const struct tn_adapter_out *out)
{
    if (s->sync != SESSION_SYNC_IDLE) {
        s->sync_again = s->sync_again || told;
        return;
    }
    s->sync = SESSION_SYNC_FILLS;
    s->sync_is_told = told;
    s->sync_orders = s->sync_fills = 0;
    say_sync(s, TN_SYNC_BEGAN, out);
    if (order_fills(s, out) != TN_OK)
        fail_sync(s, s->now_ns, out);
}

/* Whole is what nothing was missed behind: neither a report meanwhile nor the stream itself. */
static void end_sync(struct session *s, const struct tn_adapter_out *out)
{
    bool again = s->sync_again;
    bool is_whole = !again && s->stream == SESSION_STREAM_LIVE;
    s->sync = SESSION_SYNC_IDLE;
    s->sync_again = false;
    say_held(s, out);
    say_sync(s, is_whole ? TN_SYNC_WHOLE : TN_SYNC_FAILED, out);
    if (again)
        session_resync(s, true, out);
}

/* Walks a list of a reply. False: there is none, or a member found no room. */
static bool hear_list(struct session *s, const struct json *m, const char *name,
                      bool (*hear)(struct session *, const struct json *,
                                   const struct tn_adapter_out *),
                      uint32_t *count, const struct tn_adapter_out *out)
{
    struct json list, member;
    if (!json_find(m, name, &list) || list.type != JSON_ARRAY)
        return false;
    while (json_next(&list, NULL, &member)) {
        if (!hear(s, &member, out))
            return false;
        (*count)++;
    }
    return true;
}

static bool is_more(const struct json *m)
{
    struct json more;
    return json_find(m, "more", &more) && more.type == JSON_TRUE;
}

/* A page leads on when it is not the last and its end is another than that of the page before. */
static void hear_fills(struct session *s, const struct json *m, const struct tn_adapter_out *out)
{
    char before[SESSION_ID_BYTES];
    memcpy(before, s->cursor, sizeof before);
    bool is_good = hear_list(s, m, "fills", hear_fill, &s->sync_fills, out);
    if (is_good && is_more(m)) {
        is_good = strcmp(before, s->cursor) != 0 && order_fills(s, out) == TN_OK;
    } else if (is_good && s->sync_is_told) {
        s->sync = SESSION_SYNC_OPEN;
        s->open_after[0] = 0;
        is_good = order_open(s, out) == TN_OK;
    } else if (is_good) {
        end_sync(s, out);
    }
    if (!is_good)
        fail_sync(s, s->now_ns, out);
}

static void hear_orders(struct session *s, const struct json *m, const struct tn_adapter_out *out)
{
    char before[SESSION_ID_BYTES];
    memcpy(before, s->open_after, sizeof before);
    bool is_good = hear_list(s, m, "orders", hear_open, &s->sync_orders, out);
    if (is_good && is_more(m))
        is_good = strcmp(before, s->open_after) != 0 && order_open(s, out) == TN_OK;
    else if (is_good)
        end_sync(s, out);
    if (!is_good)
        fail_sync(s, s->now_ns, out);
}

/* ---- replies ---- */

static void ask_again(struct session *s, const struct session_asked *q,
                      const struct tn_adapter_out *out)
{
    struct tn_approval a = {
        .size = sizeof a, .instrument = q->instrument, .side = q->side, .t_ns = s->venue_ns};
    memcpy(a.client_id, q->client_id, sizeof a.client_id);
    (void)order_query(s, &a, out);
}

static void hear_placed(struct session *s, const struct session_asked *q, uint32_t status,
                        const struct json *m, const struct tn_adapter_out *out)
{
    struct tn_said said;
    struct json code;
    if (status >= 200 && status < 300)
        return; /* received; the report follows */
    (void)json_find(m, "code", &code);
    /* A cancel of what the venue does not know is no word that it works. */
    bool is_stranger = q->what == SESSION_ASKED_CANCEL && json_is(&code, "UNKNOWN");
    if (status < 400 || status >= 500 || is_stranger || json_is(&code, "DUPLICATE")) {
        ask_again(s, q, out);
        return;
    }
    hear_refusal(q, status, m, &said);
    (void)out->said(out->self, &said);
}

static void hear_queried(struct session *s, const struct session_asked *q, uint32_t status,
                         const struct json *m, const struct tn_adapter_out *out)
{
    struct tn_said said;
    if (status != 200 || !hear_found(s, q, m, &said)) {
        session_log(s, 3, "a question about an order got no answer that can be read");
        return;
    }
    /* What filled is said before that it filled. */
    if (said.cum_qty == 0 || s->held_count == SESSION_HELD_MAX) {
        (void)out->said(out->self, &said);
        return;
    }
    s->held[s->held_count++] = said;
    session_resync(s, false, out);
}

static bool is_ok_reply(const struct json *m, uint32_t status)
{
    struct json ok;
    return status == 200 && json_find(m, "ok", &ok) && ok.type == JSON_TRUE;
}

static void hear_reply(struct session *s, const struct tn_in *in, const struct tn_adapter_out *out)
{
    const struct session_asked q = s->asked[in->request % SESSION_ASKED_MAX];
    struct json m;
    if (in->request == 0 || q.request != in->request)
        return; /* of a stored request, or of an instance before */
    s->asked[in->request % SESSION_ASKED_MAX].what = SESSION_ASKED_UNSET;
    (void)json_read(in->data, in->bytes, &m); /* what is no JSON has no members */
    switch (q.what) {
    case SESSION_ASKED_ORDER:
    case SESSION_ASKED_CANCEL:
        hear_placed(s, &q, in->status, &m, out);
        break;
    case SESSION_ASKED_QUERY:
        hear_queried(s, &q, in->status, &m, out);
        break;
    case SESSION_ASKED_FILLS:
    case SESSION_ASKED_OPEN:
        if (s->sync != (q.what == SESSION_ASKED_FILLS ? SESSION_SYNC_FILLS : SESSION_SYNC_OPEN))
            break;
        if (!is_ok_reply(&m, in->status))
            fail_sync(s, in->t_ns, out);
        else if (q.what == SESSION_ASKED_FILLS)
            hear_fills(s, &m, out);
        else
            hear_orders(s, &m, out);
        break;
    default:
        break;
    }
}

static void hear_silence(struct session *s, const struct tn_in *in,
                         const struct tn_adapter_out *out)
{
    struct session_asked *q = &s->asked[in->request % SESSION_ASKED_MAX];
    if (in->request == 0 || q->request != in->request)
        return;
    uint32_t what = q->what;
    q->what = SESSION_ASKED_UNSET;
    if ((what == SESSION_ASKED_FILLS && s->sync == SESSION_SYNC_FILLS) ||
        (what == SESSION_ASKED_OPEN && s->sync == SESSION_SYNC_OPEN))
        fail_sync(s, in->t_ns, out);
}

/* ---- the stream ---- */

static void open_stream(bool open, const struct tn_adapter_out *out)
{
    static const char path[] = "/v1/stream";
    struct tn_link l = {.size = sizeof l,
                        .id = SESSION_LINK_STREAM,
                        .type = open ? TN_LINK_WS : 0,
                        .endpoint = 1,
                        .path = path,
                        .path_bytes = sizeof path - 1};
    (void)out->link(out->self, &l);
}

static void hear_login(struct session *s, const struct json *m, const struct tn_adapter_out *out)
{
    struct json ok;
    if (!json_find(m, "ok", &ok) || ok.type != JSON_TRUE) {
        session_log(s, 4, "the venue refuses the login: look at the account's secret and clock");
        hear_unknown(m, "the venue refuses the login", out);
        return;
    }
    s->stream = SESSION_STREAM_LIVE;
    s->n = s->hole_from = s->hole_to = 0;
    (void)order_subscribe(s, out);
    session_resync(s, true, out);
}

static void hear_stream(struct session *s, const struct tn_in *in, const struct tn_adapter_out *out)
{
    struct json m, ch;
    s->is_alive = true;
    if (!json_read(in->data, in->bytes, &m) || !json_find(&m, "ch", &ch)) {
        hear_unknown(&m, "a message that is no JSON object with a channel", out);
        return;
    }
    if (json_is(&ch, "market"))
        hear_market(s, &m, out);
    else if (json_is(&ch, "reports"))
        hear_report(s, &m, out);
    else if (json_is(&ch, "snapshot"))
        hear_snapshot(s, &m, out);
    else if (json_is(&ch, "login"))
        hear_login(s, &m, out);
    else if (!json_is(&ch, "hello") && !json_is(&ch, "pong") && !json_is(&ch, "subscribed"))
        hear_unknown(&m, "a message of an unknown channel", out);
}

static void end_stream(struct session *s)
{
    s->stream = SESSION_STREAM_DOWN;
    s->n = 0;
    for (uint32_t i = 0; i < s->instrument_count; i++) {
        s->instrument[i].n = 0;
        s->instrument[i].is_asking = false;
    }
}

/* A stream that was silent for a whole period was asked; silent for one more, it is dead. */
static void ping(struct session *s, int64_t t_ns, const struct tn_adapter_out *out)
{
    if (s->stream != SESSION_STREAM_DOWN && !s->is_alive) {
        session_log(s, 3, "the stream is silent: it is opened again");
        end_stream(s);
        open_stream(false, out);
        open_stream(true, out);
    } else if (s->stream == SESSION_STREAM_LIVE) {
        (void)order_ping(s, out);
    }
    s->is_alive = s->stream == SESSION_STREAM_DOWN;
    set_timer(SESSION_TIMER_PING, t_ns + s->ping_ns, out);
}

static void hear_timer(struct session *s, const struct tn_in *in, const struct tn_adapter_out *out)
{
    bool is_live = s->stream == SESSION_STREAM_LIVE;
    if (in->link == SESSION_TIMER_PING)
        ping(s, in->t_ns, out);
    if (in->link == SESSION_TIMER_SYNC && is_live)
        session_resync(s, true, out);
    if (in->link != SESSION_TIMER_FILLS)
        return;
    if (is_live && s->sync == SESSION_SYNC_IDLE)
        session_resync(s, false, out);
    set_timer(SESSION_TIMER_FILLS, in->t_ns + s->reconcile_ns, out);
}

static void hear_link(struct session *s, const struct tn_in *in, const struct tn_adapter_out *out)
{
    if (in->link != SESSION_LINK_STREAM)
        return;
    end_stream(s);
    s->is_alive = true;
    /* A resumed link may have been left before it was logged in; to do it twice does no harm. */
    if (in->kind != TN_IN_DOWN) {
        s->stream = SESSION_STREAM_LOGIN;
        (void)order_login(s, out);
    }
}

static int32_t on_in(void *inst, const struct tn_in *in, const struct tn_adapter_out *out)
{
    struct session *s = inst;
    s->now_ns = in->t_ns;
    switch (in->kind) {
    case TN_IN_UP:
    case TN_IN_DOWN:
    case TN_IN_RESUMED:
        hear_link(s, in, out);
        break;
    case TN_IN_BYTES:
        if (in->link == SESSION_LINK_STREAM)
            hear_stream(s, in, out);
        else
            hear_reply(s, in, out);
        break;
    case TN_IN_FAILED:
    case TN_IN_SILENT:
        hear_silence(s, in, out);
        break;
    case TN_IN_TIMER:
        hear_timer(s, in, out);
        break;
    case TN_IN_TAKE_OVER:
        s->is_second = 0;
        if (s->stream == SESSION_STREAM_LIVE)
            session_resync(s, true, out);
        break;
    default:
        break;
    }
    return TN_OK;
}

static int32_t on_approval(void *inst, int64_t t_ns, const struct tn_approval *a,
                           const struct tn_adapter_out *out)
{
    struct session *s = inst;
    s->now_ns = t_ns;
    if (s->is_second)
        return TN_E_STATE;
    switch (a->class_of) {
    case TN_CLASS_ORDER:
        return order_place(s, a, out);
    case TN_CLASS_CANCEL:
        return order_cancel(s, a, out);
    case TN_CLASS_QUERY:
        return order_query(s, a, out);
    default:
        return TN_E_UNSUPPORTED;
    }
}

/* ---- life ---- */

/* Symbols stand in paths and in JSON. */
static bool is_symbol(const char *text)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t n = strnlen(text, TN_NAME_BYTES);
    return n > 0 && n < TN_NAME_BYTES && strspn(text, good) == n;
}

static int32_t create(const struct tn_host *host, const struct tn_adapter_create *c, void **inst)
{
    if (c->size < sizeof *c || c->param_count != SESSION_PARAM_COUNT || c->instrument_count == 0 ||
        c->instrument_count > SESSION_INSTRUMENTS_MAX)
        return TN_E_PARAM;
    struct session *s = host->alloc(host->self, sizeof *s);
    if (s == NULL)
        return TN_E_MEMORY;
    s->host = host;
    s->ping_ns = c->params[SESSION_PARAM_PING_S].i * 1000000000;
    s->reconcile_ns = c->params[SESSION_PARAM_RECONCILE_S].i * 1000000000;
    s->instrument_count = c->instrument_count;
    s->is_second = c->is_second;
    s->next_request = 1;
    s->stream = SESSION_STREAM_DOWN;
    s->sync = SESSION_SYNC_IDLE;
    memcpy(s->cursor, c->cursor, sizeof s->cursor);
    const uint8_t *at = (const uint8_t *)c->instrument;
    for (uint32_t i = 0; i < c->instrument_count; i++) {
        const struct tn_adapter_instrument *in = (const void *)at;
        if (in->size < sizeof *in || !is_symbol(in->venue_symbol))
            return TN_E_PARAM;
        s->instrument[i].def = in->instrument;
        memcpy(s->instrument[i].symbol, in->venue_symbol, sizeof s->instrument[i].symbol);
        at += in->size;
    }
    *inst = s;
    return TN_OK;
}

static int32_t start(void *inst, int64_t t_ns, const struct tn_adapter_out *out)
{
    struct session *s = inst;
    struct tn_link http = {.size = sizeof http,
                           .id = SESSION_LINK_HTTP,
                           .type = TN_LINK_HTTP,
                           .endpoint = 0,
                           .is_order_path = 1};
    s->now_ns = t_ns;
    if (out->link(out->self, &http) != TN_OK)
        return TN_E_SHORT;
    open_stream(true, out);
    if (order_stored(s, out) != TN_OK)
        return TN_E_SHORT;
    s->is_alive = true;
    set_timer(SESSION_TIMER_PING, t_ns + s->ping_ns, out);
    if (s->reconcile_ns > 0)
        set_timer(SESSION_TIMER_FILLS, t_ns + s->reconcile_ns, out);
    return TN_OK;
}

static int32_t activate(void *inst)
{
    (void)inst;
    return TN_OK;
}

static void end_of_life(void *inst)
{
    (void)inst;
}

const struct tn_adapter_ops session_ops = {
    .base = {.size = sizeof session_ops,
             .revision = 0,
             .activate = activate,
             .deactivate = end_of_life,
             .destroy = end_of_life},
    .facts = &wire_facts,
    .create = create,
    .start = start,
    .on_in = on_in,
    .on_approval = on_approval,
};
