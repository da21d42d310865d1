/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of the ledger and what they mean. A line that is written now goes through the same function
 * as one that is read after a restart, so that the house's tables can only hold what its ledger
 * tells: whatever it forgot to write it would not know today either.
 *
 * Words: the matching's own (host/venue/ledger.c) and the house's: `house` begins a life, `receive`
 * and `receive_cancel` are requests that will be answered with "received", `void` is a client id
 * that a query proved absent, `duplicate` one that was refused for having been used.
 */
#include <stdlib.h>
#include <string.h>
#include "house/house_priv.h"

/* ---- words of a line ---- */
/* The text of `key` (" qty="), up to the next blank; NULL = not there. */
static const char *find(const char *line, const char *key, size_t *count)
{
    const char *at = strstr(line, key);
    if (at == NULL)
        return NULL;
    at += strlen(key);
    *count = strcspn(at, " ");
    return at;
}

static bool text_of(const char *line, const char *key, char *out, size_t bytes)
{
    size_t count;
    const char *at = find(line, key, &count);
    if (at == NULL || count == 0 || count >= bytes)
        return false;
    memcpy(out, at, count);
    out[count] = '\0';
    return true;
}

static bool number_of(const char *line, const char *key, int64_t *out)
{
    size_t count;
    const char *at = find(line, key, &count);
    return at != NULL && is_ok(num_parse(at, count, 0, false, out));
}

static bool id_of(const char *line, const char *key, uint64_t *out)
{
    char text[24], *end = NULL;
    if (!text_of(line, key, text, sizeof text) || text[0] < '0' || text[0] > '9')
        return false;
    *out = strtoull(text, &end, 10);
    return *end == '\0';
}

static bool is_word(const char *line, const char *word)
{
    size_t n = strlen(word);
    return strncmp(line, word, n) == 0 && (line[n] == ' ' || line[n] == '\0');
}

static struct house_row *row_of(const struct house *h, const char *line)
{
    uint64_t order;
    return id_of(line, " order=", &order) ? rows_by_order(h, order) : NULL;
}

static uint32_t instrument_of(const struct house *h, const char *line)
{
    uint64_t id;
    for (uint32_t i = 0; id_of(line, " instrument=", &id) && i < h->c.instrument_count; i++) {
        if (h->book[i].in.def.id == id)
            return i;
    }
    return UINT32_MAX;
}

static uint32_t caller_of(const struct house *h, const char *line)
{
    char name[CALLERS_NAME_BYTES];
    if (!text_of(line, " key=", name, sizeof name))
        return CALLERS_NONE;
    for (uint32_t i = 0; i < h->c.callers->count; i++) {
        if (strcmp(h->c.callers->at[i].name, name) == 0)
            return i + 1;
    }
    return CALLERS_NONE; /* a key that has gone: its orders stay, nobody is told of them */
}

static uint32_t side_of(const char *line)
{
    char side[8] = "";
    (void)text_of(line, " side=", side, sizeof side);
    return strcmp(side, "buy") == 0 ? 1u : strcmp(side, "sell") == 0 ? 2u : 0u;
}

static uint32_t tif_of(const char *line)
{
    char tif[8] = "";
    (void)text_of(line, " tif=", tif, sizeof tif);
    return strcmp(tif, "gtc") == 0 ? FACT_GTC : strcmp(tif, "ioc") == 0 ? FACT_IOC : FACT_TIF_UNSET;
}

/* ---- meanings ---- */
static bool on_receive(struct house *h, const char *line, uint32_t state)
{
    char client[HOUSE_CLIENT_BYTES];
    uint64_t order;
    if (!text_of(line, " client=", client, sizeof client) || !id_of(line, " order=", &order) ||
        rows_by_client(h, client) != NULL || rows_by_order(h, order) != NULL)
        return false;
    if (order >> HOUSE_OWN_ORDER_BIT == 1)
        h->own_orders = order;
    struct house_row *r = rows_add(h, client, order);
    r->caller = caller_of(h, line);
    r->state = state;
    if (state == HOUSE_VOID) {
        h->totals.voided++;
        return true;
    }
    int64_t reduce_only = 0;
    r->instrument = instrument_of(h, line);
    r->side = side_of(line);
    r->tif = tif_of(line);
    bool good = r->instrument != UINT32_MAX && r->side != 0 && r->tif != FACT_TIF_UNSET &&
                number_of(line, " at=", &r->at_ns) && number_of(line, " qty=", &r->qty) &&
                number_of(line, " price=", &r->price) &&
                number_of(line, " reduce_only=", &reduce_only);
    r->reduce_only = reduce_only != 0;
    h->totals.orders++;
    return good;
}

static bool on_cancel_received(struct house *h, const char *line)
{
    struct house_row *r = row_of(h, line);
    if (r == NULL || !number_of(line, " at=", &r->cancel_at_ns))
        return false;
    r->cancels++;
    h->totals.cancels++;
    return true;
}

static bool on_accept(struct house *h, const char *line)
{
    struct house_row *r = row_of(h, line);
    if (r == NULL || r->state != HOUSE_RECEIVED || !number_of(line, " t=", &r->t_ns) ||
        !id_of(line, " venue_order=", &r->venue_order))
        return false;
    r->state = HOUSE_WORKING;
    h->working++;
    return true;
}

static void end(struct house *h, struct house_row *r, uint32_t state)
{
    if (r->state == HOUSE_WORKING)
        h->working--;
    r->state = state;
}

static bool on_end(struct house *h, const char *line, uint32_t state)
{
    struct house_row *r = row_of(h, line);
    if (r == NULL || r->state != (state == HOUSE_REFUSED ? HOUSE_RECEIVED : HOUSE_WORKING))
        return false;
    end(h, r, state);
    return true;
}

static bool on_fill(struct house *h, const char *line)
{
    struct house_row *r = row_of(h, line);
    uint64_t trade;
    if (r == NULL || r->state != HOUSE_WORKING || !id_of(line, " trade=", &trade) ||
        (h->fill_count > 0 && h->fill[h->fill_count - 1].trade >= trade))
        return false;
    struct house_fill *f = rows_fill(h);
    int64_t leaves;
    f->trade = trade;
    f->row = rows_place(h, r);
    if (!number_of(line, " qty=", &f->qty) || !number_of(line, " price=", &f->price) ||
        !number_of(line, " fee=", &f->fee) || !number_of(line, " t=", &f->t_ns) ||
        !number_of(line, " due=", &f->due_ns) || !number_of(line, " cum=", &f->cum) ||
        !number_of(line, " leaves=", &leaves) || f->cum != r->cum + f->qty ||
        f->cum + leaves != r->qty)
        return false;
    f->liquidity = strstr(line, " liquidity=maker") != NULL ? FACT_MAKER : FACT_TAKER;
    r->cum = f->cum;
    h->book[r->instrument].net += r->side == 1 ? f->qty : -f->qty;
    h->totals.fills++;
    if (leaves == 0)
        end(h, r, HOUSE_DONE);
    return true;
}

static bool on_cancel_decided(struct house *h, const char *line)
{
    struct house_row *r = row_of(h, line);
    if (r != NULL && r->cancels > 0)
        r->cancels--;
    return true;
}

/* The document may gain instruments; what the ledger counts in must stay what it was. */
static bool on_instrument(const struct house *h, const char *line)
{
    char symbol[FACT_NAME_BYTES];
    uint64_t id;
    int64_t price_exp, qty_exp;
    if (!id_of(line, " id=", &id) || !text_of(line, " symbol=", symbol, sizeof symbol) ||
        !number_of(line, " price_exp=", &price_exp) || !number_of(line, " qty_exp=", &qty_exp))
        return false;
    for (uint32_t i = 0; i < h->c.instrument_count; i++) {
        const struct fact_instrument *d = &h->book[i].in.def;
        if (d->id == id)
            return d->price_exp == price_exp && d->qty_exp == qty_exp &&
                   strncmp(d->symbol, symbol, sizeof d->symbol) == 0;
    }
    return false;
}

static bool on_resume(const struct house *h, const char *line)
{
    int64_t net;
    uint32_t i = instrument_of(h, line);
    return i != UINT32_MAX && number_of(line, " net=", &net) && net == h->book[i].net;
}

static bool apply(struct house *h, const char *line)
{
    if (is_word(line, "receive"))
        return on_receive(h, line, HOUSE_RECEIVED);
    if (is_word(line, "void"))
        return on_receive(h, line, HOUSE_VOID);
    if (is_word(line, "receive_cancel"))
        return on_cancel_received(h, line);
    if (is_word(line, "accept"))
        return on_accept(h, line);
    if (is_word(line, "reject"))
        return on_end(h, line, HOUSE_REFUSED);
    if (is_word(line, "fill"))
        return on_fill(h, line);
    if (is_word(line, "cancel") || is_word(line, "expire") || is_word(line, "venue_cancel"))
        return on_end(h, line, HOUSE_DONE);
    if (is_word(line, "ask_cancel"))
        return on_cancel_decided(h, line);
    if (is_word(line, "instrument"))
        return on_instrument(h, line);
    if (is_word(line, "resume"))
        return on_resume(h, line);
    h->totals.duplicates += is_word(line, "duplicate");
    return true; /* what only readers need */
}

void rebuild_write(struct house *h, const char *line, size_t count)
{
    char text[BOOKLOG_LINE_MAX + 1];
    must(count <= BOOKLOG_LINE_MAX);
    memcpy(text, line, count);
    text[count] = '\0';
    must(apply(h, text));
    booklog_put(h->log, line, count);
}

struct result rebuild_line(void *house, uint64_t number, char *text, struct trail *tr)
{
    if (apply(house, text))
        return OK_RESULT;
    return FAIL(tr, CORRUPT,
                "venue ledger %s: line %lu (%.60s) does not fit what went before or the "
                "deployment's instruments; give the deployment it was begun with",
                ((struct house *)house)->c.ledger_path, (unsigned long)number, text);
}

/* ---- after a restart ---- */
/* Ended orders come first: the matching remembers the last ones of them, for late cancels. */
static void keep(struct house *h, bool working)
{
    for (uint32_t i = 0; i < h->row_count; i++) {
        const struct house_row *r = &h->row[i];
        bool known = r->state == HOUSE_WORKING || r->state == HOUSE_DONE;
        if (!known || (r->state == HOUSE_WORKING) != working)
            continue;
        struct venue_kept k = {.order = r->order,
                               .venue_order = r->venue_order,
                               .instrument = h->book[r->instrument].in.def.id,
                               .side = r->side,
                               .tif = r->tif,
                               .reduce_only = r->reduce_only,
                               .has_ended = !working,
                               .arrive_ns = r->t_ns,
                               .qty = r->qty,
                               .cum = r->cum,
                               .price = r->price};
        h->totals.kept += venue_keep(h->venue, &k);
    }
}

static struct result wait_again(struct house *h, uint32_t row, uint32_t kind, struct trail *tr)
{
    const struct house_row *r = &h->row[row];
    struct house_waiting w = {.at_ns = kind == HOUSE_KIND_SEND ? r->at_ns : r->cancel_at_ns,
                              .order = r->order,
                              .kind = kind,
                              .row = row};
    if (!house_wait(h, &w))
        return FAIL(tr, FULL, "venue ledger %s: over %d requests wait in it; it is not this one's",
                    h->c.ledger_path, HOUSE_QUEUE_MAX);
    return OK_RESULT;
}

struct result rebuild_end(struct house *h, struct trail *tr)
{
    for (uint32_t i = 0; i < h->c.instrument_count; i++) {
        if (h->book[i].net != 0)
            venue_resume(h->venue, h->book[i].in.def.id, h->book[i].net);
    }
    keep(h, false);
    keep(h, true);
    struct result r = OK_RESULT;
    for (uint32_t i = 0; i < h->row_count && is_ok(r); i++) {
        if (h->row[i].state == HOUSE_RECEIVED)
            r = wait_again(h, i, HOUSE_KIND_SEND, tr);
        for (uint32_t k = 0; k < h->row[i].cancels && is_ok(r); k++)
            r = wait_again(h, i, HOUSE_KIND_CANCEL, tr);
    }
    return r;
}
