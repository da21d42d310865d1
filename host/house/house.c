/* SPDX-License-Identifier: Apache-2.0
 *
 * Life and time of the house. Whatever moment the caller wakes up at, things are taken one by one
 * in the order of the venue's own clock: a waiting request at its moment, a market event at its
 * time, an answer as soon as it can be known. So a loop that wakes late gives the same decisions as
 * one that wakes in time; only requests that came too late can tell the difference.
 *
 * An answer is known ahead of its due time, but not before every market event that comes before it
 * is due has been shown: in the engine's own venue the market would have been first. That is why
 * the next market event is always held in hand.
 */
#include "house/house.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "house/house_priv.h"

/* ---- life ---- */
static void on_ledger(void *arg, const char *line, size_t count)
{
    struct house *h = arg;
    if (h->is_rebuilding)
        booklog_put(h->log, line, count); /* a new life repeats its heading; it means nothing new */
    else
        rebuild_write(h, line, count);
}

static struct result open_venue(struct house *h, struct trail *tr)
{
    struct venue_config c = h->c.venue;
    c.ledger = on_ledger;
    c.ledger_arg = h;
    c.trades_before = h->fill_count > 0 ? h->fill[h->fill_count - 1].trade : 0;
    c.orders_before = 0;
    size_t bytes = venue_bytes(&c);
    if (posix_memalign(&h->venue_memory, 64, bytes) != 0)
        return FAIL(tr, IO, "venue: no memory for %u orders", c.orders_max);
    char line[160];
    int n = snprintf(line, sizeof line, "house 1 account=%u clock=%s market0=%ld keys=%u",
                     c.account, h->c.tempo.kind == TEMPO_SCRIPT ? "script" : "wall",
                     (long)h->c.tempo.market0_ns, h->c.callers->count);
    must(n > 0 && n < (int)sizeof line);
    booklog_put(h->log, line, (size_t)n);
    h->venue = venue_init(h->venue_memory, bytes, &c);
    for (uint32_t i = 0; i < h->c.instrument_count; i++)
        venue_instrument(h->venue, &h->book[i].in.def, h->book[i].in.settle_exp);
    return OK_RESULT;
}

static void fetch(struct house *h)
{
    h->has_market = h->c.ops.next(h->c.ops.source, &h->market);
    if (!h->has_market)
        return;
    h->market.head.t_ns = tempo_market(&h->c.tempo, h->market.head.t_ns);
    if (h->market.head.type == FACT_BAR)
        h->market.u.fact_bar.open_ns = tempo_market(&h->c.tempo, h->market.u.fact_bar.open_ns);
}

static void show(struct house *h)
{
    venue_market(h->venue, &h->market.head, &h->market.u);
    tell_market(h, &h->market);
    fetch(h);
}

/* What the market did while no venue was there is history: prices are learned, nobody is filled. */
static void catch_up(struct house *h)
{
    h->done_ns = tempo_now(&h->c.tempo);
    fetch(h);
    while (h->has_market && h->market.head.t_ns < h->done_ns)
        show(h);
}

static struct result begin(struct house *h, struct trail *tr)
{
    uint64_t cut = 0;
    h->is_rebuilding = true;
    const struct booklog_reader reader = {h, rebuild_line};
    TRY(booklog_open(h->c.ledger_path, &reader, &h->log, &cut, tr));
    h->totals.cut = cut;
    TRY(open_venue(h, tr));
    catch_up(h);
    TRY(rebuild_end(h, tr));
    h->is_rebuilding = false;
    return house_sync(h, tr);
}

struct result house_open(const struct house_config *c, struct house **out, struct trail *tr)
{
    must(c->instrument_count > 0 && c->instrument_count <= HOUSE_INSTRUMENTS_MAX);
    must(c->callers->count > 0);
    *out = NULL;
    struct house *h = calloc(1, sizeof *h);
    must(h != NULL);
    h->c = *c;
    h->own_orders = 1ull << HOUSE_OWN_ORDER_BIT;
    h->totals.spare_ns = INT64_MAX;
    for (uint32_t i = 0; i < c->instrument_count; i++)
        h->book[i].in = c->instrument[i];
    h->waiting = calloc(HOUSE_QUEUE_MAX, sizeof *h->waiting);
    h->held = calloc(HOUSE_QUEUE_MAX, sizeof *h->held);
    must(h->waiting != NULL && h->held != NULL);
    struct result r = begin(h, tr);
    if (is_ok(r))
        *out = h;
    else
        house_close(h);
    return r;
}

void house_close(struct house *h)
{
    if (h == NULL)
        return;
    booklog_close(h->log);
    rows_free(h);
    free(h->waiting);
    free(h->held);
    free(h->venue_memory);
    free(h);
}

struct result house_sync(struct house *h, struct trail *tr)
{
    return booklog_sync(h->log, tr);
}

/* ---- requests on their way ---- */
int64_t house_engine_now(const struct house *h)
{
    int64_t now = tempo_now(&h->c.tempo);
    return h->c.tempo.kind == TEMPO_SCRIPT ? now - h->c.tempo.lead_ns : now;
}

/* When a request is handed over: nothing that was approved before it can come any more. */
static int64_t moment_of(const struct house *h, int64_t at_ns)
{
    return h->c.tempo.kind == TEMPO_SCRIPT ? at_ns + h->c.venue.latency_ns / 2 : at_ns;
}

static bool comes_before(const struct house_waiting *a, const struct house_waiting *b)
{
    if (a->at_ns != b->at_ns)
        return a->at_ns < b->at_ns;
    return a->order != b->order ? a->order < b->order : a->kind < b->kind;
}

static void note_spare(struct house *h, int64_t at_ns)
{
    int64_t spare = moment_of(h, at_ns) - h->done_ns;
    if (h->is_rebuilding || h->c.tempo.kind != TEMPO_SCRIPT)
        return;
    if (spare < 0) {
        h->totals.late++;
        h->totals.late_ns = -spare > h->totals.late_ns ? -spare : h->totals.late_ns;
    } else if (spare < h->totals.spare_ns) {
        h->totals.spare_ns = spare;
    }
}

bool house_wait(struct house *h, const struct house_waiting *w)
{
    if (h->waiting_count == HOUSE_QUEUE_MAX)
        return false;
    note_spare(h, w->at_ns);
    uint32_t i = h->waiting_count++;
    for (; i > 0 && comes_before(w, &h->waiting[i - 1]); i--)
        h->waiting[i] = h->waiting[i - 1];
    h->waiting[i] = *w;
    return true;
}

static void hand_send(struct house *h, const struct house_waiting *w)
{
    struct house_row *r = &h->row[w->row];
    struct fact_send s = {.order = r->order,
                          .attempt = 1,
                          .account = h->c.venue.account,
                          .instrument = h->book[r->instrument].in.def.id,
                          .side = r->side,
                          .tif = r->tif,
                          .reduce_only = r->reduce_only,
                          .qty = r->qty,
                          .price = r->price};
    memcpy(s.client_id, r->client, sizeof s.client_id);
    r->is_sent = 1;
    venue_send(h->venue, w->at_ns, &s);
}

static void hand_over(struct house *h)
{
    struct house_waiting w = h->waiting[0];
    h->waiting_count--;
    memmove(h->waiting, h->waiting + 1, h->waiting_count * sizeof w);
    const struct house_row *r = &h->row[w.row];
    uint32_t instrument = h->book[r->instrument].in.def.id;
    if (w.kind == HOUSE_KIND_SEND) {
        hand_send(h, &w);
    } else if (w.kind == HOUSE_KIND_CANCEL) {
        struct fact_cancel c = {
            .order = w.order, .account = h->c.venue.account, .instrument = instrument};
        venue_cancel(h->venue, w.at_ns, &c);
    } else {
        struct fact_query q = {.order = w.order, .account = h->c.venue.account};
        if (h->held_count < HOUSE_QUEUE_MAX)
            h->held[h->held_count++] = (struct house_held){w.order, w.ticket, w.row};
        venue_query(h->venue, w.at_ns, &q);
    }
}

/* ---- answers ---- */
/* The matching forgets what it refused and what ended long ago; the books do not, and an order
 * whose last report was lost has no other way to learn of its end. */
static uint32_t found_of(const struct house_row *r, uint32_t found)
{
    if (found != FACT_FOUND_ABSENT)
        return found;
    if (r->state == HOUSE_REFUSED)
        return FACT_FOUND_PROVED_ABSENT;
    return r->state == HOUSE_DONE ? (uint32_t)FACT_FOUND_DONE : found;
}

static void answer_query(struct house *h, const struct fact_view *v)
{
    static const char *const words[] = {"", "working", "done", "absent", "proved_absent"};
    char text[HOUSE_TEXT_BYTES];
    struct tell t = {text, 0, sizeof text};
    const struct fact_exec *e = &v->u.fact_exec;
    uint32_t i = 0;
    while (i < h->held_count && h->held[i].order != e->order)
        i++;
    if (i == h->held_count)
        return;
    struct house_held held = h->held[i];
    h->held_count--;
    memmove(&h->held[i], &h->held[i + 1], (h->held_count - i) * sizeof held);
    must(e->found <= FACT_FOUND_PROVED_ABSENT);
    tell_put(&t, "{\"ok\":true,\"found\":\"%s\"", words[found_of(&h->row[held.row], e->found)]);
    if (h->c.tempo.kind == TEMPO_SCRIPT)
        tell_number(&t, "due", v->head.t_ns, 0);
    tell_put(&t, ",\"order\":");
    tell_order(&t, h, &h->row[held.row]);
    tell_put(&t, "}");
    h->c.ops.answer(h->c.ops.front, held.ticket, text, t.used);
}

static void take(struct house *h)
{
    struct fact_view v;
    venue_take(h->venue, &v);
    if (v.u.fact_exec.kind == FACT_EXEC_STATUS)
        answer_query(h, &v);
    else
        tell_report(h, &v);
}

/* ---- time ---- */
enum step { STEP_UNSET = 0, STEP_REQUEST, STEP_ANSWER, STEP_MARKET };

/* From when the matching's next answer may be taken; INT64_MAX = not before something else. */
static int64_t answer_moment(const struct house *h)
{
    int64_t due = venue_due(h->venue);
    if (due == INT64_MAX)
        return INT64_MAX;
    if (h->c.tempo.kind == TEMPO_WALL)
        return due;
    if (h->has_market && due > h->market.head.t_ns)
        return INT64_MAX;
    int64_t ripe = venue_ripe(h->venue);
    return ripe > h->done_ns ? ripe : h->done_ns;
}

/* The next thing to do. Requests come first: they were approved before what happens now. */
static enum step next_step(const struct house *h, int64_t *t_ns)
{
    enum step step = STEP_UNSET;
    *t_ns = INT64_MAX;
    if (h->waiting_count > 0) {
        *t_ns = moment_of(h, h->waiting[0].at_ns);
        step = STEP_REQUEST;
    }
    int64_t answer = answer_moment(h);
    if (answer < *t_ns) {
        *t_ns = answer;
        step = STEP_ANSWER;
    }
    if (h->has_market && h->market.head.t_ns < *t_ns) {
        *t_ns = h->market.head.t_ns;
        step = STEP_MARKET;
    }
    return step;
}

void house_time(struct house *h)
{
    int64_t now = tempo_now(&h->c.tempo);
    int64_t t;
    for (enum step s = next_step(h, &t); s != STEP_UNSET && t <= now; s = next_step(h, &t)) {
        if (t > h->done_ns)
            h->done_ns = t;
        if (s == STEP_REQUEST)
            hand_over(h);
        else if (s == STEP_ANSWER)
            take(h);
        else
            show(h);
    }
    if (now > h->done_ns)
        h->done_ns = now;
#ifdef TENON_SLOW_CHECKS
    house_check(h);
#endif
}

int64_t house_wait_ns(const struct house *h)
{
    int64_t t;
    return next_step(h, &t) == STEP_UNSET ? INT64_MAX : tempo_wait_ns(&h->c.tempo, t);
}

/* ---- questions ---- */
void house_totals(const struct house *h, struct house_totals *out)
{
    *out = h->totals;
    out->working = h->working;
    out->waiting = h->waiting_count;
    out->lines = booklog_lines(h->log);
    out->syncs = booklog_syncs(h->log);
}

int64_t house_now(const struct house *h)
{
    return tempo_now(&h->c.tempo);
}

bool house_is_script(const struct house *h)
{
    return h->c.tempo.kind == TEMPO_SCRIPT;
}

void house_check(const struct house *h)
{
    uint32_t working = 0;
    for (uint32_t i = 0; i < h->c.instrument_count; i++)
        must(h->book[i].net == venue_net(h->venue, h->book[i].in.def.id));
    for (uint32_t i = 1; i < h->waiting_count; i++)
        must(!comes_before(&h->waiting[i], &h->waiting[i - 1]));
    for (uint32_t i = h->row_count > 64 ? h->row_count - 64 : 0; i < h->row_count; i++) {
        must(rows_by_client(h, h->row[i].client) == &h->row[i]);
        must(rows_by_order(h, h->row[i].order) == &h->row[i]);
    }
    for (uint32_t i = 0; i < h->row_count && h->row_count < 4096; i++)
        working += h->row[i].state == HOUSE_WORKING;
    if (h->row_count < 4096)
        must(working == h->working);
}
