/* SPDX-License-Identifier: Apache-2.0
 *
 * The source is plugin code, so nothing it gives is taken on trust: counts within the capacities,
 * progress, known kinds, our instruments, sane prices and sizes, times that do not fall, lines that
 * rise, and at the end as many rows as it says it saw. A breach ends the feed with a sentence that
 * names the plugin. What merely is bad data never gets here: the source reports it as rows.
 *
 * A call of the source gives events, then reports. Reports of neighbouring lines with one reason
 * are gathered in `rows` and let go when something else comes. One window of bytes slides over the
 * unpacked file; the source leaves an unfinished line in it.
 */
#include "flow/feed.h"
#include <stdlib.h>
#include <string.h>
#include "base/arena.h"
#include "base/must.h"
#include "flow/unpack.h"
#include "tenon/strategy.h"

enum {
    EVENTS = 512,
    REPORTS = 64,
    WINDOW_BYTES = 256 * 1024,
    LOW_BYTES = 64 * 1024, /* below this the window is filled again */
    PROGRESS_BYTES = 8192, /* with this many a source must get on (source.h) */
    INSTRUMENTS_MAX = 64,
};

struct feed {
    const struct tn_entry *entry;
    const struct tn_source_ops *ops;
    void *inst;
    bool is_active;
    struct arena arena;
    struct tn_host host;
    struct unpack *unpack; /* NULL for a generator */
    uint32_t source;
    uint32_t instrument_count;
    struct tn_instrument instrument[INSTRUMENTS_MAX];
    union tn_number params[TN_MAX_PARAMS];
    struct result over; /* not OK: the feed has ended with this */
    bool is_final;      /* all bytes are in the window */
    size_t from, upto;  /* unread part of the window */
    uint32_t event_next, report_next;
    struct tn_source_out out;
    bool has_rows;
    struct fact_rows rows; /* gathered, not yet handed out */
    uint64_t last_line;
    int64_t last_ns;
    struct feed_totals totals;
    char path[128];
    struct tn_event event[EVENTS];
    struct tn_row_report report[REPORTS];
    uint8_t window[WINDOW_BYTES];
};

/* ---- what the host serves to a source ---- */
static void *serve_alloc(void *self, uint64_t bytes)
{
    struct feed *f = self;
    return bytes > f->arena.capacity ? NULL : arena_take(&f->arena, (size_t)bytes, 16);
}

static void serve_log(void *self, uint32_t level, const char *text, uint32_t count)
{
    /* A source says what it has to say in reports; there is no log on this path. */
    (void)self;
    (void)level;
    (void)text;
    (void)count;
}

static const void *serve_interface(void *self, const char *id)
{
    (void)self;
    (void)id;
    return NULL;
}

/* ---- open ---- */
static struct result check_entry(const struct feed_spec *s, const struct tn_source_ops **ops,
                                 struct trail *tr)
{
    const struct tn_manifest *m = s->entry->manifest;
    if (m->kind != TN_KIND_SOURCE)
        return FAIL(tr, ABI, "plugin %.32s: it is not a source; name a source plugin", m->id);
    *ops = s->entry->ops;
    if (*ops == NULL || (*ops)->base.size < sizeof(struct tn_source_ops) ||
        (*ops)->create == NULL || (*ops)->feed == NULL || m->param_count > TN_MAX_PARAMS)
        return FAIL(tr, ABI, "source %.32s: its function table is incomplete; build it again",
                    m->id);
    bool wants_file = (*ops)->source_kind == TN_SOURCE_FILE;
    if (wants_file != (s->path != NULL))
        return FAIL(tr, USAGE, "source %.32s: it %s; %s", m->id,
                    wants_file ? "reads a file" : "makes its own data and reads no file",
                    wants_file ? "give one" : "leave the file out");
    return OK_RESULT;
}

static double scale_of(int32_t exp)
{
    double x = 1.0;
    for (int32_t i = 0; i < (exp < 0 ? -exp : exp); i++)
        x *= 10.0;
    return exp < 0 ? 1.0 / x : x; /* correctly rounded: powers up to 1e12 are exact */
}

static void set_instruments(struct feed *f, const struct feed_spec *s)
{
    must(s->instrument_count > 0 && s->instrument_count <= INSTRUMENTS_MAX);
    f->instrument_count = s->instrument_count;
    for (uint32_t i = 0; i < s->instrument_count; i++) {
        const struct fact_instrument *from = &s->instrument[i];
        struct tn_instrument *to = &f->instrument[i];
        *to = (struct tn_instrument){.size = sizeof *to,
                                     .id = from->id,
                                     .price_exp = from->price_exp,
                                     .qty_exp = from->qty_exp,
                                     .tick = from->tick,
                                     .lot = from->lot,
                                     .price_scale = scale_of(from->price_exp),
                                     .qty_scale = scale_of(from->qty_exp)};
        static_assert(sizeof to->symbol == sizeof from->symbol, "symbol");
        memcpy(to->symbol, from->symbol, sizeof to->symbol);
    }
}

static struct result create_source(struct feed *f, const struct feed_spec *s, struct trail *tr)
{
    const struct tn_manifest *m = s->entry->manifest;
    for (uint32_t i = 0; i < m->param_count; i++)
        f->params[i] = s->params != NULL ? s->params[i] : m->params[i].def;
    TRY(arena_map(&f->arena, m->arena_bytes + 64));
    f->host = (struct tn_host){.size = sizeof f->host,
                               .self = f,
                               .alloc = serve_alloc,
                               .log = serve_log,
                               .get_interface = serve_interface};
    struct tn_source_create c = {.size = sizeof c,
                                 .param_count = m->param_count,
                                 .params = f->params,
                                 .instrument = f->instrument,
                                 .instrument_count = f->instrument_count,
                                 .stamp = s->stamp != 0 ? s->stamp : TN_STAMP_START,
                                 .bar_ns = s->bar_ns,
                                 .seed = s->seed};
    int32_t status = f->ops->create(&f->host, &c, &f->inst);
    if (status == TN_OK && f->ops->base.activate != NULL)
        status = f->ops->base.activate(f->inst);
    if (status != TN_OK)
        return FAIL(tr, PLUGIN,
                    "source %.32s: it refuses its settings (status %d); check instrument, bar "
                    "length, stamp and parameters",
                    m->id, (int)status);
    f->is_active = true;
    return OK_RESULT;
}

struct result feed_open(const struct feed_spec *spec, struct feed **out, struct trail *tr)
{
    *out = NULL;
    const struct tn_source_ops *ops = NULL;
    TRY(check_entry(spec, &ops, tr));
    struct feed *f = calloc(1, sizeof *f);
    if (f == NULL)
        return FAIL(tr, IO, "data source: no memory to open it");
    f->entry = spec->entry;
    f->ops = ops;
    f->source = spec->source;
    f->out = (struct tn_source_out){.size = sizeof f->out,
                                    .event_capacity = EVENTS,
                                    .report_capacity = REPORTS,
                                    .event = f->event,
                                    .report = f->report};
    set_instruments(f, spec);
    struct result r = OK_RESULT;
    if (spec->path != NULL) {
        text_escape(f->path, sizeof f->path, spec->path, strlen(spec->path));
        r = unpack_open(spec->path, spec->bytes_max, &f->unpack, tr);
    }
    if (is_ok(r))
        r = create_source(f, spec, tr);
    if (is_ok(r))
        *out = f;
    else
        feed_close(f);
    return r;
}

void feed_close(struct feed *f)
{
    if (f == NULL)
        return;
    if (f->is_active && f->ops->base.deactivate != NULL)
        f->ops->base.deactivate(f->inst);
    if (f->inst != NULL && f->ops->base.destroy != NULL)
        f->ops->base.destroy(f->inst);
    unpack_close(f->unpack);
    arena_unmap(&f->arena);
    free(f);
}

/* ---- asking the source ---- */
static struct result breach(const struct feed *f, const char *what, struct trail *tr)
{
    return FAIL(tr, PLUGIN, "source %.32s: it %s; the plugin is at fault, use another version",
                f->entry->manifest->id, what);
}

static struct result refill(struct feed *f, struct trail *tr)
{
    if (f->unpack == NULL || f->is_final || f->upto - f->from >= LOW_BYTES)
        return OK_RESULT;
    memmove(f->window, f->window + f->from, f->upto - f->from);
    f->upto -= f->from;
    f->from = 0;
    struct result r = OK_RESULT;
    while (is_ok(r) && f->upto < WINDOW_BYTES && !f->is_final) {
        size_t got;
        r = unpack_read(f->unpack, f->window + f->upto, WINDOW_BYTES - f->upto, &got, tr);
        f->upto += got;
        f->is_final = is_ok(r) && got == 0;
    }
    return r;
}

static struct result refuse_header(const struct feed *f, struct trail *tr)
{
    char why[128];
    uint32_t n = f->out.report_count > 0 ? f->report[0].bytes : 0;
    text_escape(why, sizeof why, f->report[0].text, n);
    return FAIL(tr, SYNTAX,
                "data file %s: line 1 is no header that source %.32s reads (%s); known are "
                "ts_ns,open,high,low,close[,volume] and ts_ns,price,qty and ts_ns,bid,ask",
                f->path, f->entry->manifest->id, why);
}

/* One call of the source, checked. */
static struct result ask(struct feed *f, struct trail *tr)
{
    size_t count = f->upto - f->from;
    uint64_t used = 0;
    f->out.event_count = 0;
    f->out.report_count = 0;
    f->out.header_error = 0;
    int32_t status = f->ops->feed(f->inst, f->unpack == NULL ? NULL : f->window + f->from, count,
                                  f->is_final, &used, &f->out);
    if (status != TN_OK)
        return breach(f, "failed in the middle of its data", tr);
    if (used > count || f->out.event_count > EVENTS || f->out.report_count > REPORTS)
        return breach(f, "gave more than it was given room for", tr);
    for (uint32_t i = 0; i < f->out.report_count; i++) {
        if (f->report[i].bytes > sizeof f->report[i].text)
            return breach(f, "gave a report longer than its room", tr);
    }
    if (f->out.header_error)
        return refuse_header(f, tr);
    f->from += (size_t)used;
    f->event_next = 0;
    f->report_next = 0;
    if (used == 0 && f->out.event_count == 0 && f->out.report_count == 0 &&
        (f->unpack == NULL || f->is_final || count >= PROGRESS_BYTES))
        return breach(f, "makes no progress", tr);
    return OK_RESULT;
}

/* ---- handing out ---- */
static bool knows(const struct feed *f, uint32_t instrument)
{
    for (uint32_t i = 0; i < f->instrument_count; i++) {
        if (f->instrument[i].id == instrument)
            return true;
    }
    return false;
}

static struct result check_event(const struct feed *f, const struct tn_event *ev, struct trail *tr)
{
    bool is_sane;
    if (ev->type == TN_EVENT_BAR) {
        const struct tn_bar *b = &ev->u.bar;
        is_sane = b->low > 0 && b->low <= b->open && b->low <= b->close && b->high >= b->open &&
                  b->high >= b->close && b->volume >= 0 && b->open_ns <= ev->t_ns;
    } else if (ev->type == TN_EVENT_TRADE) {
        is_sane = ev->u.trade.price > 0 && ev->u.trade.qty > 0 && ev->u.trade.aggressor <= TN_SHORT;
    } else if (ev->type == TN_EVENT_QUOTE) {
        const struct tn_quote *q = &ev->u.quote;
        is_sane = q->bid >= 0 && q->ask >= 0 && q->bid_qty >= 0 && q->ask_qty >= 0 &&
                  (q->bid > 0 || q->ask > 0);
    } else {
        return breach(f, "gave an event that is no market data", tr);
    }
    if (!is_sane)
        return breach(f, "gave prices or sizes that cannot be", tr);
    if (!knows(f, ev->instrument))
        return breach(f, "gave an instrument that it was not asked for", tr);
    if (ev->t_ns < f->last_ns)
        return breach(f, "let time go back", tr);
    return OK_RESULT;
}

void feed_fact(const struct tn_event *ev, uint32_t source, struct fact_view *out)
{
    uint32_t flags = (ev->flags & TN_EVENT_F_OFF_TICK) != 0 ? FACT_MD_OFF_TICK : 0;
    uint16_t type;
    if (ev->type == TN_EVENT_BAR) {
        const struct tn_bar *b = &ev->u.bar;
        type = FACT_BAR;
        out->u.fact_bar = (struct fact_bar){ev->instrument, flags,  b->open_ns, b->open,
                                            b->high,        b->low, b->close,   b->volume};
    } else if (ev->type == TN_EVENT_TRADE) {
        const struct tn_trade *t = &ev->u.trade;
        type = FACT_TRADE;
        out->u.fact_trade = (struct fact_trade){.instrument = ev->instrument,
                                                .flags = flags,
                                                .price = t->price,
                                                .qty = t->qty,
                                                .aggressor = t->aggressor};
    } else {
        const struct tn_quote *q = &ev->u.quote;
        type = FACT_QUOTE;
        out->u.fact_quote = (struct fact_quote){.instrument = ev->instrument,
                                                .flags = flags,
                                                .bid = q->bid,
                                                .bid_qty = q->bid_qty,
                                                .ask = q->ask,
                                                .ask_qty = q->ask_qty};
    }
    out->head = (struct fact_head){.bytes = fact_bytes(type),
                                   .t_ns = ev->t_ns,
                                   .type = type,
                                   .version = fact_version(type),
                                   .source = source};
}

static void put_rows(struct feed *f, struct fact_view *out)
{
    out->head = (struct fact_head){.bytes = sizeof(struct fact_rows),
                                   .t_ns = f->last_ns,
                                   .type = FACT_ROWS,
                                   .version = fact_version(FACT_ROWS),
                                   .source = f->source};
    out->u.fact_rows = f->rows;
    f->totals.reported += f->rows.count;
    f->totals.rows += f->rows.count;
    f->has_rows = false;
}

/* Gathers the next report; false when those gathered must go out first. */
static bool gather(struct feed *f, const struct tn_row_report *p)
{
    if (f->has_rows) {
        if (p->reason != f->rows.reason || p->line != f->rows.first_line + f->rows.count)
            return false;
        f->rows.count++;
        return true;
    }
    f->rows = (struct fact_rows){
        .source = f->source, .reason = p->reason, .first_line = p->line, .count = 1};
    text_escape(f->rows.text, sizeof f->rows.text, p->text, p->bytes);
    f->has_rows = true;
    return true;
}

/* The next of what the last call gave. RESULT_AGAIN when nothing is left of it. */
static struct result hand_out(struct feed *f, struct fact_view *out, struct trail *tr)
{
    if (f->event_next < f->out.event_count) {
        if (f->has_rows) {
            put_rows(f, out);
            return OK_RESULT;
        }
        const struct tn_event *ev = &f->event[f->event_next++];
        TRY(check_event(f, ev, tr));
        feed_fact(ev, f->source, out);
        f->last_ns = ev->t_ns;
        f->totals.used++;
        f->totals.rows++;
        f->totals.off_tick += (ev->flags & TN_EVENT_F_OFF_TICK) != 0;
        return OK_RESULT;
    }
    while (f->report_next < f->out.report_count) {
        const struct tn_row_report *p = &f->report[f->report_next];
        if (p->reason == 0 || p->line <= f->last_line)
            return breach(f, "gave a report without a reason, or lines that go back", tr);
        if (!gather(f, p)) {
            put_rows(f, out);
            return OK_RESULT;
        }
        f->last_line = p->line;
        f->report_next++;
    }
    return RESULT_OF(AGAIN);
}

static struct result finish(struct feed *f, struct fact_view *out, struct trail *tr)
{
    if (f->has_rows) {
        put_rows(f, out);
        return OK_RESULT;
    }
    if (f->totals.rows != f->out.rows || f->totals.used != f->out.rows_used)
        return breach(f, "does not account for every row", tr);
    return RESULT_OF(END);
}

static struct result next(struct feed *f, struct fact_view *out, struct trail *tr)
{
    for (;;) {
        struct result r = hand_out(f, out, tr);
        if (r.code != RESULT_AGAIN)
            return r;
        r = refill(f, tr);
        if (!is_ok(r))
            return r;
        if (f->unpack != NULL && f->is_final && f->from == f->upto)
            return finish(f, out, tr);
        r = ask(f, tr);
        if (!is_ok(r))
            return r;
    }
}

struct result feed_next(struct feed *f, struct fact_view *out, struct trail *tr)
{
    if (!is_ok(f->over))
        return f->over;
    struct result r = next(f, out, tr);
    if (!is_ok(r))
        f->over = r;
    return r;
}

/* ---- questions ---- */
void feed_totals(const struct feed *f, struct feed_totals *out)
{
    *out = f->totals;
    out->bytes = f->unpack == NULL ? 0 : unpack_bytes(f->unpack);
    must(out->rows == out->used + out->reported);
}

const uint8_t *feed_sha256(const struct feed *f)
{
    static const uint8_t none[FACT_HASH_BYTES];
    return f->unpack == NULL ? none : unpack_sha256(f->unpack);
}

const char *feed_reason(uint32_t reason)
{
    static const char *const words[] = {
        [TN_ROW_FIELDS] = "missing, extra or unknown fields",
        [TN_ROW_NUMBER] = "not an exact decimal",
        [TN_ROW_DIGITS] = "more digits than the instrument's exponent holds",
        [TN_ROW_PRICE] = "a price that is zero, negative or out of range",
        [TN_ROW_QTY] = "a quantity that is zero, negative or out of range",
        [TN_ROW_BAR] = "high and low do not enclose open and close",
        [TN_ROW_TIME] = "not a time, or before the last one",
        [TN_ROW_REPEAT] = "the same stamp as the bar before",
        [TN_ROW_LENGTH] = "longer than 4096 bytes",
        [TN_ROW_FLAGGED] = "flagged as suspicious by the vendor",
        [TN_ROW_EMPTY] = "a quote with neither side",
        [TN_ROW_ENCODING] = "control or non-ASCII bytes",
    };
    if (reason == 0 || reason >= sizeof words / sizeof words[0])
        return "?";
    return words[reason];
}
