/* SPDX-License-Identifier: Apache-2.0
 *
 * One request: signature, budget, fault, house, reply. A fault that spoils the reply comes after
 * the house has done its work, one that spoils the work comes before, so that both kinds of not
 * knowing exist. The stream is numbered by the house; a fault loses, repeats or swaps messages with
 * the numbers they have.
 */
#include "house/front.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/must.h"

struct session {
    bool is_open, wants_reports;
    uint32_t caller;
    uint64_t symbols; /* bits */
    char *kept;       /* one message held back by a fault; NULL = none */
    size_t kept_count;
};
struct delayed { /* a reply that a fault holds back */
    int64_t due_ns;
    uint64_t ticket;
    int status;
    char *text;
    size_t count;
};
struct front {
    struct front_config c;
    struct house *house;
    struct session session[FRONT_SESSIONS_MAX];
    struct delayed delayed[FRONT_DELAYED_MAX];
    uint32_t delayed_count;
    uint64_t requests, refused_sign, over_rate;
    struct house_reply reply; /* scratch */
};

static_assert(HOUSE_INSTRUMENTS_MAX <= 64, "a bit for each instrument");

/* ---- out ---- */
static void say(struct front *f, uint32_t session, const char *text)
{
    f->c.ops.send(f->c.ops.arg, session, text, strlen(text));
}

static void reply(struct front *f, uint64_t ticket, int status, int retry_s, const char *text,
                  size_t count)
{
    struct front_reply r = {.status = status, .retry_s = retry_s, .text = text, .count = count};
    f->c.ops.reply(f->c.ops.arg, ticket, &r);
}

static void reply_error(struct front *f, uint64_t ticket, int status, int retry_s, const char *code,
                        const char *text)
{
    char out[512];
    int n = snprintf(out, sizeof out, "{\"ok\":false,\"code\":\"%s\",\"text\":\"", code);
    must(n > 0 && n < (int)sizeof out);
    size_t used = (size_t)n;
    for (; *text != '\0' && used < sizeof out - 3; text++)
        out[used++] = *text == '"' || *text == '\\' || *text < ' ' ? '\'' : *text;
    out[used++] = '"';
    out[used++] = '}';
    reply(f, ticket, status, retry_s, out, used);
}

static void after(struct front *f, const struct fault *x)
{
    if (x != NULL && x->doing == FAULT_DO_DISCONNECT)
        f->c.ops.close_all(f->c.ops.arg);
    else if (x != NULL && x->doing == FAULT_DO_FREEZE)
        f->c.ops.freeze(f->c.ops.arg, x->ms * 1000000);
}

/* One message of the stream to one session, with the fault that was met for it. */
static void send_with(struct front *f, uint32_t session, const struct fault *x, const char *text,
                      size_t count)
{
    struct session *s = &f->session[session];
    if (x != NULL && x->doing == FAULT_DO_LOSE)
        return;
    if (x != NULL && x->doing == FAULT_DO_REORDER && s->kept == NULL) {
        s->kept = malloc(count);
        must(s->kept != NULL);
        memcpy(s->kept, text, count);
        s->kept_count = count;
        return;
    }
    f->c.ops.send(f->c.ops.arg, session, text, count);
    if (x != NULL && x->doing == FAULT_DO_DUPLICATE)
        f->c.ops.send(f->c.ops.arg, session, text, count);
    if (s->kept != NULL) {
        f->c.ops.send(f->c.ops.arg, session, s->kept, s->kept_count);
        free(s->kept);
        s->kept = NULL;
    }
}

static void on_market(void *arg, uint32_t instrument, const char *text, size_t count)
{
    struct front *f = arg;
    const struct fault *x = faults_meet(&f->c.faults, FAULT_ON_MARKET, NULL, house_now(f->house));
    for (uint32_t i = 0; i < FRONT_SESSIONS_MAX; i++) {
        if (f->session[i].is_open && (f->session[i].symbols >> instrument & 1) != 0)
            send_with(f, i, x, text, count);
    }
    after(f, x);
}

static void on_report(void *arg, uint32_t caller, const char *client, const char *text,
                      size_t count)
{
    struct front *f = arg;
    const struct fault *x = faults_meet(&f->c.faults, FAULT_ON_REPORT, client, house_now(f->house));
    for (uint32_t i = 0; i < FRONT_SESSIONS_MAX; i++) {
        if (f->session[i].is_open && f->session[i].wants_reports && f->session[i].caller == caller)
            send_with(f, i, x, text, count);
    }
    after(f, x);
}

static void on_answer(void *arg, uint64_t ticket, const char *text, size_t count)
{
    reply(arg, ticket, 200, 0, text, count);
}

/* ---- life ---- */
struct result front_open(const struct front_config *c, struct front **out, struct trail *tr)
{
    *out = NULL;
    struct front *f = calloc(1, sizeof *f);
    must(f != NULL);
    f->c = *c;
    f->c.house.callers = &f->c.callers;
    f->c.house.ops.front = f;
    f->c.house.ops.market = on_market;
    f->c.house.ops.report = on_report;
    f->c.house.ops.answer = on_answer;
    struct result r = house_open(&f->c.house, &f->house, tr);
    if (is_ok(r))
        *out = f;
    else
        front_close(f);
    return r;
}

void front_close(struct front *f)
{
    if (f == NULL)
        return;
    house_close(f->house);
    for (uint32_t i = 0; i < f->delayed_count; i++)
        free(f->delayed[i].text);
    for (uint32_t i = 0; i < FRONT_SESSIONS_MAX; i++)
        free(f->session[i].kept);
    free(f);
}

struct house *front_house(struct front *f)
{
    return f->house;
}

/* ---- requests ---- */
static uint32_t on_of(const struct front_http *q)
{
    static const struct {
        const char *path;
        uint32_t method, on;
    } known[] = {
        {"/v1/orders", HOUSE_POST, FAULT_ON_ORDER},
        {"/v1/orders", HOUSE_DELETE, FAULT_ON_CANCEL},
        {"/v1/orders/all", HOUSE_DELETE, FAULT_ON_CANCEL_ALL},
        {"/v1/orders", HOUSE_GET, FAULT_ON_QUERY},
        {"/v1/orders/open", HOUSE_GET, FAULT_ON_OPEN},
        {"/v1/fills", HOUSE_GET, FAULT_ON_FILLS},
        {"/v1/positions", HOUSE_GET, FAULT_ON_POSITIONS},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i].method == q->method && strcmp(known[i].path, q->path) == 0)
            return known[i].on;
    }
    return FAULT_ON_OTHER;
}

/* The client id a request is about, for rules that name one; empty = none. */
static void client_of(const struct front_http *q, char out[HOUSE_CLIENT_BYTES])
{
    static const char key[] = "client_id=";
    const char *in_query = strstr(q->query, key);
    json_t *o = q->method == HOUSE_POST ? json_loadb(q->body, q->body_count, 0, NULL) : NULL;
    const char *at = json_string_value(json_object_get(o, "client_id"));
    if (o == NULL && in_query != NULL)
        at = in_query + sizeof key - 1;
    size_t n = at == NULL ? 0 : strcspn(at, "&");
    out[0] = '\0';
    if (n > 0 && n < HOUSE_CLIENT_BYTES) {
        memcpy(out, at, n);
        out[n] = '\0';
    }
    json_decref(o);
}

static void hold_back(struct front *f, uint64_t ticket, int64_t ms)
{
    if (f->delayed_count == FRONT_DELAYED_MAX) {
        reply(f, ticket, f->reply.status, 0, f->reply.text, f->reply.count);
        return;
    }
    struct delayed *d = &f->delayed[f->delayed_count++];
    *d = (struct delayed){.due_ns = clock_mono(f->c.clock) + ms * 1000000,
                          .ticket = ticket,
                          .status = f->reply.status,
                          .text = malloc(f->reply.count + 1),
                          .count = f->reply.count};
    must(d->text != NULL);
    memcpy(d->text, f->reply.text, f->reply.count);
}

/* Gives the house's reply, or what the fault makes of it. Status 0 of the house: it comes later,
 * and then as it is. */
static void give(struct front *f, uint64_t ticket, const struct fault *x)
{
    uint32_t doing = x == NULL ? FAULT_DO_UNSET : x->doing;
    if (doing == FAULT_DO_DROP_REPLY)
        reply(f, ticket, 0, 0, "", 0);
    else if (f->reply.status == 0)
        return;
    else if (doing == FAULT_DO_ERROR_AFTER)
        reply_error(f, ticket, x->status, 0, "ERROR", "it may have been accepted");
    else if (doing == FAULT_DO_DELAY)
        hold_back(f, ticket, x->ms);
    else
        reply(f, ticket, f->reply.status, 0, f->reply.text, f->reply.count);
}

static void swallow(struct front *f, uint64_t ticket, const char *client)
{
    char out[160];
    int n =
        snprintf(out, sizeof out, "{\"ok\":true,\"order_id\":\"\",\"client_id\":\"%s\"}", client);
    must(n > 0 && n < (int)sizeof out);
    reply(f, ticket, 200, 0, out, (size_t)n);
}

static void do_request(struct front *f, const struct front_http *q, uint32_t caller)
{
    char client[HOUSE_CLIENT_BYTES];
    client_of(q, client);
    const struct fault *x = faults_meet(&f->c.faults, on_of(q), client, house_now(f->house));
    uint32_t doing = x == NULL ? FAULT_DO_UNSET : x->doing;
    if (doing == FAULT_DO_ERROR_BEFORE) {
        reply_error(f, q->ticket, x->status, 0, "ERROR", "internal error");
        return;
    }
    if (doing == FAULT_DO_BAN) {
        callers_ban(&f->c.callers, caller, clock_mono(f->c.clock), x->seconds);
        reply_error(f, q->ticket, 418, x->seconds, "RATE", "banned for a while");
        return;
    }
    if (doing == FAULT_DO_SWALLOW) {
        swallow(f, q->ticket, client);
        return;
    }
    struct house_ask ask = {.method = q->method,
                            .caller = caller,
                            .ticket = q->ticket,
                            .path = q->path,
                            .query = q->query,
                            .body = q->body,
                            .body_count = q->body_count};
    house_ask(f->house, &ask, &f->reply);
    give(f, q->ticket, x);
    after(f, x);
}

static bool is_public(const struct front_http *q)
{
    return q->method == HOUSE_GET &&
           (strcmp(q->path, "/v1/time") == 0 || strcmp(q->path, "/v1/instruments") == 0);
}

static bool is_granted(struct front *f, const struct front_http *q, uint32_t *caller)
{
    char path[FRONT_MESSAGE_MAX];
    static const char *const methods[] = {"", "GET", "POST", "DELETE"};
    int n =
        snprintf(path, sizeof path, "%s%s%s", q->path, q->query[0] != '\0' ? "?" : "", q->query);
    struct callers_text t = {.time = q->time,
                             .method = methods[q->method],
                             .path = path,
                             .body = q->body,
                             .body_count = q->body_count};
    int64_t wall = clock_wall(f->c.clock);
    enum callers_verdict verdict =
        n > 0 && n < (int)sizeof path
            ? callers_check(&f->c.callers, q->key, q->sign, &t, wall, caller)
            : CALLERS_BAD_SIGN;
    if (verdict == CALLERS_GOOD)
        return true;
    f->refused_sign++;
    if (verdict == CALLERS_BAD_TIME)
        reply_error(f, q->ticket, 401, 0, "TIME", "X-Time is over 5 s off; send it again");
    else
        reply_error(f, q->ticket, 401, 0, "SIGN", "the key or the signature is not known here");
    return false;
}

void front_http(struct front *f, const struct front_http *q)
{
    uint32_t caller = CALLERS_NONE;
    int retry_s = 0;
    f->requests++;
    uint32_t weight = house_weight(q->method, q->path);
    if (weight == 0) {
        reply_error(f, q->ticket, 404, 0, "MALFORMED", "there is no such path");
        return;
    }
    if (is_public(q)) {
        struct house_ask ask = {
            .method = q->method, .path = q->path, .query = q->query, .ticket = q->ticket};
        house_ask(f->house, &ask, &f->reply);
        give(f, q->ticket, NULL);
        return;
    }
    if (!is_granted(f, q, &caller))
        return;
    int status = callers_weigh(&f->c.callers, caller, weight, clock_mono(f->c.clock), &retry_s);
    if (status != 0) {
        f->over_rate++;
        reply_error(f, q->ticket, status, retry_s, "RATE", "over the budget of this key");
        return;
    }
    do_request(f, q, caller);
}

/* ---- streams ---- */
bool front_ws_open(struct front *f, uint32_t session)
{
    must(session < FRONT_SESSIONS_MAX && !f->session[session].is_open);
    const struct fault *x = faults_meet(&f->c.faults, FAULT_ON_CONNECT, NULL, house_now(f->house));
    if (x != NULL && x->doing == FAULT_DO_REFUSE)
        return false;
    char out[160];
    f->session[session] = (struct session){.is_open = true};
    snprintf(out, sizeof out,
             "{\"ch\":\"hello\",\"venue\":\"tenon\",\"clock\":\"%s\",\"t\":\"%ld\"}",
             house_is_script(f->house) ? "script" : "wall", (long)house_now(f->house));
    say(f, session, out);
    after(f, x);
    return true;
}

void front_ws_closed(struct front *f, uint32_t session)
{
    must(session < FRONT_SESSIONS_MAX);
    free(f->session[session].kept);
    f->session[session] = (struct session){.is_open = false};
}

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text == NULL ? "" : text;
}

static void complain(struct front *f, uint32_t session, const char *code, const char *text)
{
    char out[192];
    snprintf(out, sizeof out, "{\"ch\":\"error\",\"code\":\"%s\",\"text\":\"%s\"}", code, text);
    say(f, session, out);
}

static void login(struct front *f, uint32_t session, const json_t *o)
{
    struct callers_text t = {.time = text_of(o, "time"), .method = "LOGIN", .path = ""};
    uint32_t caller = CALLERS_NONE;
    enum callers_verdict v = callers_check(&f->c.callers, text_of(o, "key"), text_of(o, "sign"), &t,
                                           clock_wall(f->c.clock), &caller);
    const struct fault *x = faults_meet(&f->c.faults, FAULT_ON_LOGIN, NULL, house_now(f->house));
    bool good = v == CALLERS_GOOD && (x == NULL || x->doing != FAULT_DO_REFUSE);
    f->refused_sign += v != CALLERS_GOOD;
    f->session[session].caller = good ? caller : CALLERS_NONE;
    f->session[session].wants_reports &= good;
    if (good)
        say(f, session, "{\"ch\":\"login\",\"ok\":true}");
    else if (v == CALLERS_BAD_TIME)
        say(f, session, "{\"ch\":\"login\",\"ok\":false,\"code\":\"TIME\"}");
    else
        say(f, session, "{\"ch\":\"login\",\"ok\":false,\"code\":\"SIGN\"}");
    after(f, x);
}

static bool subscribe_to(struct front *f, uint32_t session, const char *channel)
{
    static const char market[] = "market:";
    struct session *s = &f->session[session];
    if (strcmp(channel, "reports") == 0) {
        s->wants_reports = s->caller != CALLERS_NONE;
        return s->wants_reports;
    }
    if (strncmp(channel, market, sizeof market - 1) != 0)
        return false;
    channel += sizeof market - 1;
    uint32_t i = house_symbol(f->house, channel, strlen(channel));
    if (i == UINT32_MAX)
        return false;
    s->symbols |= 1ull << i;
    return true;
}

static void subscribe(struct front *f, uint32_t session, const json_t *o)
{
    const json_t *channels = json_object_get(o, "channels");
    size_t n = json_array_size(channels);
    for (size_t i = 0; i < n; i++) {
        const char *channel = json_string_value(json_array_get(channels, i));
        if (channel == NULL || !subscribe_to(f, session, channel)) {
            complain(f, session, "CHANNEL",
                     "channels are market:SYMBOL, and reports after a login");
            return;
        }
    }
    if (n == 0)
        complain(f, session, "CHANNEL", "channels is an array of channels");
    else
        say(f, session, "{\"ch\":\"subscribed\"}");
}

static void snapshot(struct front *f, uint32_t session, const char *symbol)
{
    char out[HOUSE_TEXT_BYTES];
    size_t used;
    if (house_snapshot(f->house, symbol, strlen(symbol), out, &used))
        f->c.ops.send(f->c.ops.arg, session, out, used);
    else
        complain(f, session, "SYMBOL", "there is no such symbol");
}

void front_ws_in(struct front *f, uint32_t session, const char *text, size_t count)
{
    must(session < FRONT_SESSIONS_MAX && f->session[session].is_open);
    json_t *o = json_loadb(text, count, JSON_REJECT_DUPLICATES, NULL);
    const char *op = text_of(o, "op");
    f->requests++;
    if (strcmp(op, "login") == 0)
        login(f, session, o);
    else if (strcmp(op, "subscribe") == 0)
        subscribe(f, session, o);
    else if (strcmp(op, "snapshot") == 0)
        snapshot(f, session, text_of(o, "symbol"));
    else if (strcmp(op, "ping") == 0)
        say(f, session, "{\"ch\":\"pong\"}");
    else
        complain(f, session, "MALFORMED", "op is login, subscribe, snapshot or ping");
    json_decref(o);
}

/* ---- the other door ---- */
static void control_status(struct front *f, uint64_t ticket)
{
    struct house_totals t;
    house_totals(f->house, &t);
    int n = snprintf(
        f->reply.text, sizeof f->reply.text,
        "{\"ok\":true,\"orders\":%lu,\"duplicates\":%lu,\"voided\":%lu,\"fills\":%lu,"
        "\"cancels\":%lu,\"reports\":%lu,\"market_events\":%lu,\"late\":%lu,\"late_ns\":%ld,"
        "\"spare_ns\":%ld,\"kept\":%lu,\"cut\":%lu,\"lines\":%lu,\"syncs\":%lu,\"working\":%u,"
        "\"waiting\":%u,\"requests\":%lu,\"refused_sign\":%lu,\"over_rate\":%lu,\"t\":\"%ld\"}",
        (unsigned long)t.orders, (unsigned long)t.duplicates, (unsigned long)t.voided,
        (unsigned long)t.fills, (unsigned long)t.cancels, (unsigned long)t.reports,
        (unsigned long)t.market_events, (unsigned long)t.late, (long)t.late_ns,
        t.spare_ns == INT64_MAX ? -1l : (long)t.spare_ns, (unsigned long)t.kept,
        (unsigned long)t.cut, (unsigned long)t.lines, (unsigned long)t.syncs, t.working, t.waiting,
        (unsigned long)f->requests, (unsigned long)f->refused_sign, (unsigned long)f->over_rate,
        (long)house_now(f->house));
    reply(f, ticket, 200, 0, f->reply.text, (size_t)n);
}

void front_control(struct front *f, const struct front_http *q)
{
    static const char done[] = "{\"ok\":true}";
    struct trail tr = {0};
    if (strcmp(q->path, "/status") == 0 && q->method == HOUSE_GET) {
        control_status(f, q->ticket);
    } else if (strcmp(q->path, "/faults") == 0 && q->method == HOUSE_GET) {
        size_t n = faults_list(&f->c.faults, f->reply.text, sizeof f->reply.text);
        reply(f, q->ticket, 200, 0, f->reply.text, n);
    } else if (strcmp(q->path, "/faults") == 0 && q->method == HOUSE_POST) {
        struct result r = faults_add(&f->c.faults, q->body, q->body_count, &tr);
        if (is_ok(r))
            reply(f, q->ticket, 200, 0, done, sizeof done - 1);
        else
            reply_error(f, q->ticket, 400, 0, "MALFORMED", trail_sentence(&tr, r));
    } else if (strcmp(q->path, "/faults") == 0 && q->method == HOUSE_DELETE) {
        faults_clear(&f->c.faults);
        reply(f, q->ticket, 200, 0, done, sizeof done - 1);
    } else if (strcmp(q->path, "/disconnect") == 0 && q->method == HOUSE_POST) {
        reply(f, q->ticket, 200, 0, done, sizeof done - 1);
        f->c.ops.close_all(f->c.ops.arg);
    } else {
        reply_error(f, q->ticket, 404, 0, "MALFORMED",
                    "GET /status, GET POST DELETE /faults, POST /disconnect");
    }
}

/* ---- time ---- */
static void let_go(struct front *f)
{
    int64_t now = clock_mono(f->c.clock);
    for (uint32_t i = 0; i < f->delayed_count;) {
        struct delayed d = f->delayed[i];
        if (d.due_ns > now) {
            i++;
            continue;
        }
        f->delayed[i] = f->delayed[--f->delayed_count];
        reply(f, d.ticket, d.status, 0, d.text, d.count);
        free(d.text);
    }
}

void front_time(struct front *f)
{
    house_time(f->house);
    let_go(f);
}

int64_t front_wait_ns(const struct front *f)
{
    int64_t wait = house_wait_ns(f->house);
    int64_t now = clock_mono(f->c.clock);
    for (uint32_t i = 0; i < f->delayed_count; i++) {
        int64_t left = f->delayed[i].due_ns > now ? f->delayed[i].due_ns - now : 0;
        wait = left < wait ? left : wait;
    }
    return wait;
}
