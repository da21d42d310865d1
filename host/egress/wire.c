/* SPDX-License-Identifier: Apache-2.0
 *
 * Three passes: collect every value with its place, choose the row, look at each value. Which row
 * reads a message is decided by the bytes (path, method, type of message), never by what the
 * adapter says it is: an order that calls itself a keep-alive meets the row of orders and fails on
 * its class.
 *
 * Lists have names only where nothing acts: an approval covers one order, so a message with an
 * approval that holds a list is refused.
 */
#include "egress/wire.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "base/must.h"
#include "base/num.h"
#include "egress/reread.h"
#include "tenon/strategy.h"

enum where { WHERE_UNSET = 0, WHERE_BODY, WHERE_QUERY, WHERE_HEAD };
struct found {
    uint32_t where, at, count;
    bool is_named;
    char path[REREAD_PATH_BYTES];
};
struct reading {
    const struct wire_place *p;
    const struct wire_message *m;
    const struct wire_want *want;
    const struct road_row *row;
    uint32_t where, count, match; /* match: index of the value that chose a WS row */
    uint64_t fields;              /* bit i: field i of the row was there */
    uint32_t specials;            /* spans that stood where they are named */
    char *why;
    struct found found[WIRE_FIELDS_MAX];
};
_Static_assert(ROAD_FIELDS_MAX <= 64, "fields is a bit each");

static enum wire_verdict say(struct reading *r, enum wire_verdict v, const char *what,
                             const char *path)
{
    snprintf(r->why, WIRE_WHY_BYTES, "%.46s%s%.63s", what, *path ? ": " : "", path);
    return v;
}

/* ---- collecting ---- */
static bool collect(void *arg, const struct reread_value *v)
{
    struct reading *r = arg;
    if (v->kind == REREAD_LIST)
        return true;
    if (r->count == WIRE_FIELDS_MAX)
        return false;
    struct found *f = &r->found[r->count];
    f->where = r->where;
    f->at = (uint32_t)(v->text - r->m->bytes);
    f->count = v->count;
    f->is_named = false;
    memcpy(f->path, v->path,
           sizeof f->path < strlen(v->path) + 1 ? sizeof f->path : strlen(v->path) + 1);
    if (!strstr(f->path,
                "[]")) /* also a key in other letters: venues differ on whether it is one */
        for (uint32_t i = 0; i < r->count; i++)
            if (r->found[i].where == r->where && strcasecmp(r->found[i].path, f->path) == 0)
                return false;
    r->count++;
    return true;
}

static uint32_t bare_path(const struct wire_message *m)
{
    const char *q = m->path_bytes ? memchr(m->bytes, '?', m->path_bytes) : NULL;
    return q ? (uint32_t)(q - m->bytes) : m->path_bytes;
}

static const char *collect_http(struct reading *r)
{
    const struct wire_message *m = r->m;
    uint32_t bare = bare_path(m);
    const char *body = m->bytes + m->path_bytes + m->head_bytes, *why = NULL;
    if (!bare || m->bytes[0] != '/')
        return "a path that is none";
    r->where = WHERE_QUERY;
    if (bare < m->path_bytes)
        why = reread_query(m->bytes + bare + 1, m->path_bytes - bare - 1, collect, r);
    r->where = WHERE_HEAD;
    if (!why)
        why = reread_head(m->bytes + m->path_bytes, m->head_bytes, collect, r);
    r->where = WHERE_BODY;
    if (why || !m->body_bytes)
        return why;
    if (r->row && r->row->format == TN_WIRE_JSON)
        return reread_json(body, m->body_bytes, true, collect, r);
    if (r->row && r->row->format == TN_WIRE_FORM)
        return reread_query(body, m->body_bytes, collect, r);
    return "a body where none is named";
}

/* ---- the row ---- */
const struct road_row *wire_row(const struct wire_place *p, uint32_t class_of, uint32_t link,
                                uint32_t method, const char *path, uint32_t path_bytes)
{
    for (uint32_t i = 0; i < p->row_count; i++) {
        const struct road_row *w = &p->row[i];
        if (w->inbound || w->link != link || (class_of && w->class_of != class_of))
            continue;
        bool http =
            w->format == TN_WIRE_JSON || w->format == TN_WIRE_QUERY || w->format == TN_WIRE_FORM;
        if (!path && !http) /* a message: the first of its class */
            return w;
        if (path && http && w->method == method &&
            strnlen(w->match, sizeof w->match) == path_bytes &&
            memcmp(w->match, path, path_bytes) == 0)
            return w;
    }
    return NULL;
}

/* "op=login": the value that says so, or none. */
static bool matches(struct reading *r, const struct road_row *w)
{
    const char *eq = memchr(w->match, '=', sizeof w->match);
    if (w->inbound || w->format != TN_WIRE_WS_JSON || w->link != r->m->link || !eq)
        return false;
    size_t key = (size_t)(eq - w->match), text = strnlen(eq + 1, sizeof w->match - key - 1);
    for (uint32_t i = 0; i < r->count; i++) {
        const struct found *f = &r->found[i];
        if (strlen(f->path) == key && memcmp(f->path, w->match, key) == 0 && f->count == text &&
            memcmp(r->m->bytes + f->at, eq + 1, text) == 0) {
            r->match = i;
            return true;
        }
    }
    return false;
}

static const char *choose(struct reading *r)
{
    const struct wire_message *m = r->m;
    if (m->type == TN_LINK_HTTP) {
        r->row = wire_row(r->p, 0, m->link, m->method, m->bytes, bare_path(m));
        return collect_http(r);
    }
    if (m->type != TN_LINK_WS || m->path_bytes || m->head_bytes)
        return "a form that no reader knows";
    r->where = WHERE_BODY;
    const char *why = reread_json(m->bytes, m->body_bytes, true, collect, r);
    for (uint32_t i = 0; !why && !r->row && i < r->p->row_count; i++)
        if (matches(r, &r->p->row[i]))
            r->row = &r->p->row[i];
    if (r->row)
        r->found[r->match].is_named = true;
    return why;
}

bool wire_row_has(const struct road_row *row, uint32_t meaning)
{
    for (uint32_t i = 0; i < row->field_count; i++)
        if (row->field[i].meaning == meaning)
            return true;
    return false;
}

/* ---- single values ---- */
static bool is(const char *text, uint32_t count, const char *other)
{
    return other && strlen(other) == count && memcmp(text, other, count) == 0;
}

/* Word n of "buy|sell", n from 0; its length, 0 = none. */
static uint32_t word_at(const char *words, uint32_t n, const char **out)
{
    const char *at = words, *end = words + strnlen(words, 64);
    for (; n; n--) {
        at = memchr(at, '|', (size_t)(end - at));
        if (!at)
            return 0;
        at++;
    }
    const char *bar = memchr(at, '|', (size_t)(end - at));
    *out = at;
    return (uint32_t)((bar ? bar : end) - at);
}

static bool is_word(const struct tn_wire_field *f, const char *text, uint32_t count, uint32_t n)
{
    const char *w;
    uint32_t length = word_at(f->value, n, &w);
    return length && length == count && memcmp(w, text, count) == 0;
}

static bool is_token(const char *text, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        char c = text[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              (c && strchr("-_.:", c))))
            return false;
    }
    return count <= 64;
}

/* "news|market:*": one of these texts, * being a venue symbol. */
static bool is_topic(const struct wire_place *p, const struct tn_wire_field *f, const char *text,
                     uint32_t count)
{
    const char *w;
    uint32_t length;
    for (uint32_t n = 0; (length = word_at(f->value, n, &w)) != 0; n++) {
        const char *star = memchr(w, '*', length);
        uint32_t before = star ? (uint32_t)(star - w) : length;
        if (count < before || memcmp(w, text, before) != 0)
            continue;
        if (!star && count == length)
            return true;
        uint32_t after = star ? length - before - 1 : 0;
        if (star && count >= before + after && memcmp(star + 1, text + count - after, after) == 0 &&
            p->knows(p->arg, text + before, count - before - after))
            return true;
    }
    return false;
}

bool wire_number(const struct tn_wire_field *f, const char *text, uint32_t count, int32_t exp,
                 int64_t *out)
{
    if (f->unit_exp == 127)
        return is_ok(num_parse(text, count, exp, false, out));
    if (f->unit_exp < -100 || f->unit_exp > 100)
        return false;
    int64_t whole, back;
    return is_ok(num_parse(text, count, 0, false, &whole)) &&
           is_ok(num_rescale(whole, f->unit_exp, exp, NUM_TOWARD_ZERO, out)) &&
           is_ok(num_rescale(*out, exp, f->unit_exp, NUM_TOWARD_ZERO, &back)) && back == whole;
}

static bool same_number(const struct tn_wire_field *f, const char *text, uint32_t count,
                        int64_t want, int32_t exp)
{
    int64_t v;
    return wire_number(f, text, count, exp, &v) && v == want;
}

static bool same_time(const char *text, uint32_t count, int64_t want)
{
    int64_t v;
    return is_ok(num_parse(text, count, 0, false, &v)) && v == want;
}

/* Compared with the approval of an order; cancels and queries have the first four only. */
static bool approved(const struct wire_place *p, const struct wire_want *w,
                     const struct tn_wire_field *f, const char *text, uint32_t count)
{
    switch (f->meaning) {
    case TN_FIELD_SYMBOL:
        return is(text, count, w->symbol);
    case TN_FIELD_CLIENT_ID:
        return is(text, count, w->client_id);
    case TN_FIELD_VENUE_ID:
        return w->venue_id && *w->venue_id && is(text, count, w->venue_id);
    case TN_FIELD_TIME:
        return same_time(text, count, w->t_ns);
    case TN_FIELD_ACCOUNT:
        return is(text, count, *f->value ? f->value : p->account);
    case TN_FIELD_LEVERAGE: /* a setting of the deployment: the row carries the one signed value */
    case TN_FIELD_MARGIN_MODE:
        return *f->value && is(text, count, f->value);
    default:
        break;
    }
    if (w->class_of != TN_CLASS_ORDER)
        return false;
    switch (f->meaning) {
    case TN_FIELD_SIDE:
        return is_word(f, text, count, w->side == TN_SHORT);
    case TN_FIELD_TYPE:
        return is_word(f, text, count, w->type - TN_ORDER_LIMIT);
    case TN_FIELD_TIF:
        return is_word(f, text, count, w->tif - FACT_GTC);
    case TN_FIELD_REDUCE_ONLY:
        return is_word(f, text, count, w->reduce_only != 0);
    case TN_FIELD_QTY:
        return same_number(f, text, count, w->qty, w->qty_exp);
    case TN_FIELD_PRICE:
        return same_number(f, text, count, w->price, w->price_exp);
    default: /* no order of ours has a trigger */
        return false;
    }
}

/* Nothing is behind it: it may ask and keep a session, and name nothing that acts. */
static bool harmless(const struct wire_place *p, const struct tn_wire_field *f, const char *text,
                     uint32_t count)
{
    switch (f->meaning) {
    case TN_FIELD_SYMBOL:
        return p->knows(p->arg, text, count);
    case TN_FIELD_CLIENT_ID:
    case TN_FIELD_VENUE_ID:
    case TN_FIELD_TIME:
        return is_token(text, count);
    case TN_FIELD_ACCOUNT:
        return is(text, count, *f->value ? f->value : p->account);
    default:
        return false;
    }
}

/* ---- every value ---- */
static uint32_t special_kind(uint32_t meaning)
{
    switch (meaning) {
    case TN_FIELD_SECRET:
        return TN_PART_SECRET;
    case TN_FIELD_HMAC:
        return TN_PART_HMAC;
    case TN_FIELD_NOW:
        return TN_PART_NOW_MS;
    case TN_FIELD_CAPTURE:
        return TN_PART_CAPTURE;
    default:
        return 0;
    }
}

/* A special part fills exactly the value that is named for it, and touches no other. */
static bool spans_fit(struct reading *r, const struct found *f, uint32_t kind)
{
    uint32_t exact = 0, touched = 0;
    for (uint32_t i = 0; i < r->m->span_count; i++) {
        const struct wire_span *s = &r->m->span[i];
        if (s->kind == TN_PART_FIELD)
            continue;
        if (s->at < f->at + f->count && f->at < s->at + s->count)
            touched++;
        if (s->at == f->at && s->count == f->count && s->kind == kind)
            exact++;
    }
    r->specials += exact;
    return touched == exact && exact == (kind != 0);
}

static bool named_by(const struct found *f, const struct tn_wire_field *w, uint32_t format)
{
    const char *path = w->path;
    size_t n = strnlen(path, sizeof w->path);
    if (!n || n == sizeof w->path)
        return false;
    if (path[n - 1] == ':')
        return f->where == WHERE_HEAD && strcasecmp(f->path, path) == 0;
    if (path[0] == '?')
        return f->where == WHERE_QUERY && strcmp(f->path, path + 1) == 0;
    return f->where == (format == TN_WIRE_QUERY ? WHERE_QUERY : WHERE_BODY) &&
           strcmp(f->path, path) == 0;
}

static bool is_right(struct reading *r, const struct tn_wire_field *w, const char *text,
                     uint32_t count)
{
    switch (w->meaning) {
    case TN_FIELD_CONSTANT:
        return is(text, count, w->value);
    case TN_FIELD_SECRET:
    case TN_FIELD_HMAC:
    case TN_FIELD_NOW:
    case TN_FIELD_CAPTURE:
        return true; /* its span was looked at */
    case TN_FIELD_TOPIC:
        return r->row->class_of == TN_CLASS_SESSION && is_topic(r->p, w, text, count);
    case TN_FIELD_CURSOR:
        return r->row->class_of == TN_CLASS_QUERY && is_token(text, count);
    default:
        return r->want ? approved(r->p, r->want, w, text, count) : harmless(r->p, w, text, count);
    }
}

static enum wire_verdict look(struct reading *r, struct found *f)
{
    const struct tn_wire_field *w = NULL;
    uint32_t index = 0;
    for (uint32_t i = 0; i < r->row->field_count && !w; i++)
        if (named_by(f, &r->row->field[i], r->row->format)) {
            w = &r->row->field[i];
            index = i;
        }
    if (!w && f->is_named && spans_fit(r, f, 0))
        return WIRE_SAME;
    if (!w)
        return say(r, WIRE_UNNAMED, "a field that no row names", f->path);
    if (r->want && strstr(f->path, "[]"))
        return say(r, WIRE_UNNAMED, "a list in what was approved as one", f->path);
    if (!spans_fit(r, f, special_kind(w->meaning)))
        return say(r, WIRE_UNNAMED, "a secret or signature where none is named", f->path);
    if (!is_right(r, w, r->m->bytes + f->at, f->count))
        return say(r, WIRE_DIFFERENT, "a field that says something else", f->path);
    r->fields |= 1ull << index;
    return WIRE_SAME;
}

/* ---- what must be there ---- */
static bool is_there(const struct reading *r, uint32_t meaning)
{
    for (uint32_t i = 0; i < r->row->field_count; i++)
        if (r->row->field[i].meaning == meaning && (r->fields >> i & 1))
            return true;
    return false;
}

/* What an order says when it is silent is the venue's default, and that was not approved. */
static enum wire_verdict whole(struct reading *r)
{
    for (uint32_t i = 0; i < r->row->field_count; i++)
        if (r->row->field[i].required && !(r->fields >> i & 1))
            return say(r, WIRE_DIFFERENT, "a required field is missing", r->row->field[i].path);
    uint32_t sent = 0;
    for (uint32_t i = 0; i < r->m->span_count; i++)
        sent += r->m->span[i].kind != TN_PART_FIELD;
    if (sent != r->specials)
        return say(r, WIRE_UNNAMED, "a secret or signature where none is named", "");
    const struct wire_want *w = r->want;
    if (!w || w->class_of == TN_CLASS_QUERY || w->class_of == TN_CLASS_CANCEL_ALL)
        return WIRE_SAME;
    if (w->class_of == TN_CLASS_CANCEL)
        return is_there(r, TN_FIELD_CLIENT_ID) || is_there(r, TN_FIELD_VENUE_ID)
                   ? WIRE_SAME
                   : say(r, WIRE_DIFFERENT, "a cancel that names no order", "");
    static const uint32_t always[] = {TN_FIELD_SYMBOL, TN_FIELD_SIDE, TN_FIELD_QTY, TN_FIELD_PRICE};
    for (uint32_t i = 0; i < sizeof always / sizeof *always; i++)
        if (!is_there(r, always[i]))
            return say(r, WIRE_DIFFERENT, "an order without symbol, side, qty or price", "");
    if (r->p->client_id != TN_CLIENT_ID_NONE && !is_there(r, TN_FIELD_CLIENT_ID))
        return say(r, WIRE_DIFFERENT, "an order without its client id", "");
    if (w->tif != FACT_GTC && !is_there(r, TN_FIELD_TIF))
        return say(r, WIRE_DIFFERENT, "an order without its time in force", "");
    if (w->reduce_only && wire_row_has(r->row, TN_FIELD_REDUCE_ONLY) &&
        !is_there(r, TN_FIELD_REDUCE_ONLY))
        return say(r, WIRE_DIFFERENT, "a close that does not say reduce-only", "");
    return WIRE_SAME;
}

enum wire_verdict wire_read(const struct wire_place *p, const struct wire_message *m,
                            const struct wire_want *want, char why[WIRE_WHY_BYTES])
{
    struct reading r;
    memset(&r, 0, offsetof(struct reading, found));
    r.p = p;
    r.m = m;
    r.want = want;
    r.why = why;
    why[0] = '\0';
    const char *bad = choose(&r);
    if (!r.row && (!bad || m->type == TN_LINK_HTTP))
        return say(&r, WIRE_NO_ROW, "no row of the wire table reads it", "");
    if (r.row && r.row->class_of != m->class_of)
        return say(&r, WIRE_NO_ROW, "it is of another class than it says", r.row->match);
    if (bad)
        return say(&r, WIRE_UNNAMED, bad, "");
    must(!want || want->class_of == m->class_of);
    for (uint32_t i = 0; i < r.count; i++) {
        enum wire_verdict v = look(&r, &r.found[i]);
        if (v != WIRE_SAME)
            return v;
    }
    return whole(&r);
}

/* ---- filling in ---- */
static const struct tn_wire_field *field_of(const struct road_row *row, uint32_t meaning)
{
    for (uint32_t i = 0; i < row->field_count; i++)
        if (row->field[i].meaning == meaning)
            return &row->field[i];
    return NULL;
}

static int32_t put_text(char *out, const char *text, size_t count)
{
    if (!text || !count || count >= WIRE_TEXT_BYTES)
        return -1;
    memcpy(out, text, count);
    return (int32_t)count;
}

static int32_t put_word(char *out, const char *words, uint32_t n)
{
    const char *w = NULL;
    uint32_t count = word_at(words, n, &w);
    return put_text(out, w, count);
}

static int32_t put_number(char *out, const struct tn_wire_field *f, int64_t v, int32_t exp)
{
    char text[NUM_TEXT_BYTES];
    int64_t unit = v, back;
    if (f->unit_exp == 127)
        return put_text(out, text, num_print(v, exp, text));
    if (f->unit_exp < -100 || f->unit_exp > 100 ||
        !is_ok(num_rescale(v, exp, f->unit_exp, NUM_TOWARD_ZERO, &unit)) ||
        !is_ok(num_rescale(unit, f->unit_exp, exp, NUM_TOWARD_ZERO, &back)) || back != v)
        return -1;
    return put_text(out, text, num_print(unit, 0, text));
}

int32_t wire_print(const struct road_row *row, uint32_t meaning, const struct wire_want *want,
                   char out[WIRE_TEXT_BYTES])
{
    const struct tn_wire_field *f = field_of(row, meaning);
    char text[NUM_TEXT_BYTES];
    if (!f)
        return -1;
    switch (meaning) {
    case TN_FIELD_SYMBOL:
        return put_text(out, want->symbol, want->symbol ? strlen(want->symbol) : 0);
    case TN_FIELD_CLIENT_ID:
        return put_text(out, want->client_id, want->client_id ? strlen(want->client_id) : 0);
    case TN_FIELD_VENUE_ID:
        return put_text(out, want->venue_id, want->venue_id ? strlen(want->venue_id) : 0);
    case TN_FIELD_TIME:
        return put_text(out, text, num_print(want->t_ns, 0, text));
    case TN_FIELD_SIDE:
        return put_word(out, f->value, want->side == TN_SHORT);
    case TN_FIELD_TYPE:
        return put_word(out, f->value, want->type - TN_ORDER_LIMIT);
    case TN_FIELD_TIF:
        return put_word(out, f->value, want->tif - FACT_GTC);
    case TN_FIELD_REDUCE_ONLY:
        return put_word(out, f->value, want->reduce_only != 0);
    case TN_FIELD_QTY:
        return put_number(out, f, want->qty, want->qty_exp);
    case TN_FIELD_PRICE:
        return put_number(out, f, want->price, want->price_exp);
    default:
        return -1;
    }
}
