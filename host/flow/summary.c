/* SPDX-License-Identifier: Apache-2.0
 *
 * Plain printing: a run's figures are few and known, so the JSON is written by hand; every text in
 * it comes from checked names (deployment, instruments, rules); the one from outside, the data
 * file's name, is escaped.
 */
#include "flow/summary.h"
#include "base/hash.h"
#include "base/num.h"
#include <inttypes.h>
#include <string.h>

static const char *const rule_code[RISK_RULE_END] = {"",
#define X(id, name, code, unit, may_cut, closes, def, source, text) code,
                                                     RISK_RULES(X)
#undef X
};

static const char *money(int64_t v, int exp, char out[NUM_TEXT_BYTES])
{
    int64_t cents;
    if (exp < -2 && is_ok(num_rescale(v, exp, -2, NUM_HALF_EVEN, &cents)))
        num_print(cents, -2, out);
    else
        num_print(v, exp, out);
    return out;
}

static void print_market(FILE *f, const struct summary *s)
{
    const struct lockstep_report *r = s->report;
    char from[CLOCK_TEXT_BYTES] = "-", to[CLOCK_TEXT_BYTES] = "-";
    if (r->market_events > 0) {
        clock_print(r->first_ns, from);
        clock_print(r->last_ns, to);
    }
    fprintf(f, "  market      %s, %" PRIu64 " events, %.19s to %.19s UTC\n", s->market,
            r->market_events, from, to);
    fprintf(f,
            "  rows        %" PRIu64 " seen = %" PRIu64 " used + %" PRIu64 " reported (%" PRIu64
            " of the used off tick)\n",
            r->feed.rows, r->feed.used, r->feed.reported, r->feed.off_tick);
    for (uint32_t i = 0; i < r->refused_count; i++)
        fprintf(f, "  not used    line %" PRIu64 " and %" PRIu64 " after it: %s: %.40s\n",
                r->refused[i].first_line, r->refused[i].count - 1,
                feed_reason(r->refused[i].reason), r->refused[i].text);
}

static void print_orders(FILE *f, const struct summary *s)
{
    const struct core_totals *t = &s->report->totals;
    fprintf(f,
            "  signals     %" PRIu64 "; intents %" PRIu64 ": approved %" PRIu64 ", denied %" PRIu64
            "; answers too late %" PRIu64 "\n",
            t->signals, t->intents, t->approvals, t->denials, s->report->late);
    fprintf(f,
            "  orders      %" PRIu64 ": filled %" PRIu64 ", rejected by the venue %" PRIu64
            ", expired %" PRIu64 ", still open %u\n",
            t->orders, t->filled, t->venue_rejects, t->expired, s->report->orders_left);
    fprintf(f,
            "  fills       %" PRIu64 ": maker %" PRIu64 ", taker %" PRIu64 ", partial %" PRIu64
            "; stops hit %" PRIu64 "\n",
            t->fills, t->maker_fills, t->taker_fills, t->partial_fills, t->stops_hit);
    fprintf(f,
            "  cancels     %" PRIu64 " sent: done %" PRIu64 ", too late %" PRIu64
            ", refused %" PRIu64 ", by time to live %" PRIu64 ", after a partial %" PRIu64 "\n",
            t->cancels, t->cancelled, t->cancels_late, t->cancel_rejects, t->ttl_cancels,
            t->cancelled_after_partial);
    for (uint32_t r = 1; r < RISK_RULE_END; r++) {
        if (t->denied_by[r] > 0)
            fprintf(f, "  denied      %" PRIu64 " by %s\n", t->denied_by[r], rule_code[r]);
    }
}

static void print_accounts(FILE *f, const struct summary *s)
{
    struct core_account_view a;
    char x[5][NUM_TEXT_BYTES];
    for (uint32_t i = 0; core_account(s->core, i, &a); i++) {
        fprintf(f, "  account     %s: %s %s; realised %s, fees %s, open positions %s; equity %s\n",
                a.name, money(a.start, a.exp, x[0]), a.currency, money(a.realised, a.exp, x[1]),
                money(a.fees, a.exp, x[2]), money(a.unrealised, a.exp, x[3]),
                money(a.equity, a.exp, x[4]));
    }
    struct core_position_view p;
    struct fact_instrument in;
    for (uint32_t i = 0; core_position(s->core, i, &p); i++) {
        if (p.qty == 0 || !core_instrument(s->core, p.instrument - 1, &in))
            continue;
        num_print(p.qty, in.qty_exp, x[0]);
        num_print(p.avg_price, in.price_exp, x[1]);
        num_print(p.stop_price, in.price_exp, x[2]);
        fprintf(f, "  left open   %s %s at %s, host-side stop %s\n", in.symbol, x[0], x[1],
                p.stop_price ? x[2] : "none");
    }
}

static void print_proof(FILE *f, const struct summary *s)
{
    char hex[HASH_HEX_BYTES];
    if (s->replay == NULL) {
        hash_hex(s->report->dataset.sha256, hex);
        fprintf(f, "  dataset     %s, %" PRIu64 " rows, %s\n", s->report->dataset.name,
                s->report->dataset.rows, hex);
        hash_hex(s->report->effects_sha256, hex);
        fprintf(f, "  effects     %s (the same file gives the same again)\n", hex);
        return;
    }
    hash_hex(s->report->head, hex);
    fprintf(f, "  journal     %" PRIu64 " events, head %s\n", s->report->last_seq, hex);
    hash_hex(s->replay->effects_sha256, hex);
    if (s->replay->differences == 0)
        fprintf(f, "  replay      identical: %" PRIu64 " events, %" PRIu64 " effects, %s\n",
                s->replay->events, s->replay->effects, hex);
    else
        fprintf(f, "  replay      DIFFERENT: %s\n", s->replay->difference);
}

static void print_roads(FILE *f, const struct summary *s)
{
    const struct roads_totals *t = &s->report->roads;
    if (!s->report->has_roads)
        return;
    fprintf(f,
            "  egress      %" PRIu64 " orders, %" PRIu64 " cancels, %" PRIu64 " questions; %" PRIu64
            " answers, %" PRIu64 " reports, %" PRIu64 " market events came back\n",
            t->orders, t->cancels, t->queries, t->sents, t->said, t->events);
    fprintf(f,
            "  on the way  p99.9: an order %.3f ms, market data %.3f ms; inputs too late %" PRIu64
            ", refused %" PRIu64 ", adapters that ended %" PRIu64 "\n",
            (double)t->trip_p999_ns / 1e6, (double)t->feed_p999_ns / 1e6, t->late, t->refused,
            t->deaths);
}

void summary_print(FILE *f, const struct summary *s)
{
    fprintf(f, "summary of %s\n", s->doc ? s->doc->fact.name : "a host without a deployment");
    print_market(f, s);
    print_orders(f, s);
    print_roads(f, s);
    print_accounts(f, s);
    print_proof(f, s);
    if (s->state_dir != NULL)
        fprintf(f, "  state       %s\n", s->state_dir);
}

/* ---- JSON ---- */

static void json_counts(FILE *f, const struct summary *s)
{
    const struct core_totals *t = &s->report->totals;
    const struct lockstep_report *r = s->report;
    fprintf(f,
            "\"epoch\":%" PRIu64 ",\"rows\":{\"seen\":%" PRIu64 ",\"used\":%" PRIu64
            ",\"reported\":%" PRIu64 ",\"off_tick\":%" PRIu64 "},\"market_events\":%" PRIu64
            ",\"events\":%" PRIu64 ",\"late\":%" PRIu64 ",\"quarantined\":%u,",
            r->epoch, r->feed.rows, r->feed.used, r->feed.reported, r->feed.off_tick,
            r->market_events, r->events, r->late, r->quarantined);
    fprintf(f,
            "\"signals\":%" PRIu64 ",\"intents\":%" PRIu64 ",\"approved\":%" PRIu64
            ",\"denied\":%" PRIu64 ",\"cancels_sent\":%" PRIu64 ",\"ttl_cancels\":%" PRIu64
            ",\"stops_hit\":%" PRIu64 ",\"orders_left\":%u,\"positions_left\":%u,",
            t->signals, t->intents, t->approvals, t->denials, t->cancels, t->ttl_cancels,
            t->stops_hit, r->orders_left, r->positions_left);
    fprintf(f, "\"denied_by\":{");
    const char *comma = "";
    for (uint32_t k = 1; k < RISK_RULE_END; k++) {
        if (t->denied_by[k] == 0)
            continue;
        fprintf(f, "%s\"%s\":%" PRIu64, comma, rule_code[k], t->denied_by[k]);
        comma = ",";
    }
    fprintf(f, "},");
}

/* A text from outside: a file's name. */
static void json_text(FILE *f, const char *name, const char *text)
{
    fprintf(f, "\"%s\":\"", name);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            fprintf(f, "\\%c", c);
        else if (c < 0x20 || c >= 0x7f)
            fprintf(f, "\\u%04x", c);
        else
            fputc(c, f);
    }
    fprintf(f, "\",");
}

static void json_dataset(FILE *f, const struct fact_dataset *d)
{
    char hex[HASH_HEX_BYTES];
    if (d->name[0] == 0)
        return;
    hash_hex(d->sha256, hex);
    fprintf(f, "\"dataset\":{");
    json_text(f, "name", d->name);
    fprintf(f, "\"sha256\":\"%s\",\"rows\":%" PRIu64 "},", hex, d->rows);
}

/* Sums of one money member of all books by settle currency, as {"1":n,...}. */
static void json_by_currency(FILE *f, const struct summary *s, const char *name, bool fees)
{
    fprintf(f, ",\"%s\":{", name);
    const char *comma = "";
    uint32_t ccy;
    char ccy_name[16];
    for (uint32_t row = 0; core_currency(s->core, row, &ccy, ccy_name); row++) {
        struct core_position_view p;
        struct fact_instrument in;
        int64_t sum = 0;
        bool any = false;
        for (uint32_t i = 0; core_position(s->core, i, &p); i++) {
            if (!core_instrument(s->core, p.instrument - 1, &in) || in.settle != ccy)
                continue;
            sum += fees ? p.fees : p.realised;
            any = true;
        }
        if (!any)
            continue;
        fprintf(f, "%s\"%u\":%" PRId64, comma, ccy, sum);
        comma = ",";
    }
    fprintf(f, "}");
}

static void json_nets(FILE *f, const struct summary *s)
{
    struct fact_instrument in;
    const char *comma = "";
    fprintf(f, ",\"net\":{");
    for (uint32_t i = 0; core_instrument(s->core, i, &in); i++) {
        struct core_position_view p;
        int64_t net = 0;
        for (uint32_t k = 0; core_position(s->core, k, &p); k++)
            net += p.instrument == in.id ? p.qty : 0;
        fprintf(f, "%s\"%s\":%" PRId64, comma, in.symbol, net);
        comma = ",";
    }
    fprintf(f, "}");
}

static void json_venue(FILE *f, const struct summary *s)
{
    const struct core_totals *t = &s->report->totals;
    fprintf(f,
            "\"venue\":{\"orders\":%" PRIu64 ",\"rejects\":%" PRIu64 ",\"fills\":%" PRIu64
            ",\"partial_fills\":%" PRIu64 ",\"full_orders\":%" PRIu64 ",\"maker_fills\":%" PRIu64
            ",\"taker_fills\":%" PRIu64 ",\"cancels\":%" PRIu64 ",\"cancel_rejects\":%" PRIu64
            ",\"cancels_late\":%" PRIu64 ",\"expired\":%" PRIu64,
            t->orders, t->venue_rejects, t->fills, t->partial_fills, t->filled, t->maker_fills,
            t->taker_fills, t->cancelled, t->cancel_rejects, t->cancels_late, t->expired);
    json_by_currency(f, s, "fees", true);
    json_by_currency(f, s, "realised", false);
    json_nets(f, s);
    fprintf(f, "},");
}

static void json_roads(FILE *f, const struct summary *s)
{
    const struct roads_totals *t = &s->report->roads;
    if (!s->report->has_roads)
        return;
    fprintf(f,
            "\"egress\":{\"orders\":%" PRIu64 ",\"cancels\":%" PRIu64 ",\"queries\":%" PRIu64
            ",\"sent\":%" PRIu64 ",\"reports\":%" PRIu64 ",\"market_events\":%" PRIu64
            ",\"late\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"deaths\":%" PRIu64
            ",\"trip_p999_ns\":%" PRId64 ",\"feed_p999_ns\":%" PRId64 ",\"least_room_ns\":%" PRId64
            "},",
            t->orders, t->cancels, t->queries, t->sents, t->said, t->events, t->late, t->refused,
            t->deaths, t->trip_p999_ns, t->feed_p999_ns, t->least_room_ns);
}

static void json_accounts(FILE *f, const struct summary *s)
{
    struct core_account_view a;
    char x[5][NUM_TEXT_BYTES];
    fprintf(f, "\"accounts\":[");
    for (uint32_t i = 0; core_account(s->core, i, &a); i++) {
        num_print(a.start, a.exp, x[0]);
        num_print(a.realised, a.exp, x[1]);
        num_print(a.fees, a.exp, x[2]);
        num_print(a.unrealised, a.exp, x[3]);
        num_print(a.equity, a.exp, x[4]);
        fprintf(f,
                "%s{\"name\":\"%s\",\"currency\":\"%s\",\"start\":\"%s\",\"realised\":\"%s\","
                "\"fees\":\"%s\",\"unrealised\":\"%s\",\"equity\":\"%s\"}",
                i ? "," : "", a.name, a.currency, x[0], x[1], x[2], x[3], x[4]);
    }
    fprintf(f, "],");
}

void summary_json(FILE *f, const struct summary *s)
{
    char hex[HASH_HEX_BYTES];
    char text[TRAIL_TEXT_BYTES];
    fprintf(f, "{\"schema\":\"tenon.summary/1\",\"deployment\":\"%s\",",
            s->doc ? s->doc->fact.name : "");
    json_dataset(f, &s->report->dataset);
    json_counts(f, s);
    json_venue(f, s);
    json_roads(f, s);
    json_accounts(f, s);
    if (s->replay != NULL) {
        hash_hex(s->report->head, hex);
        fprintf(f, "\"journal_head\":\"%s\",\"last_seq\":%" PRIu64 ",", hex, s->report->last_seq);
        hash_hex(s->replay->effects_sha256, hex);
        fprintf(f, "\"replay\":{\"identical\":%s,\"events\":%" PRIu64 ",\"effects\":%" PRIu64 "},",
                s->replay->differences ? "false" : "true", s->replay->events, s->replay->effects);
    } else {
        hash_hex(s->report->effects_sha256, hex);
    }
    fprintf(f, "\"effects_sha256\":\"%s\",\"holds\":%s}\n", hex,
            summary_fault(s, text) ? "false" : "true");
}

const char *summary_fault(const struct summary *s, char text[TRAIL_TEXT_BYTES])
{
    const struct lockstep_report *r = s->report;
    const uint64_t orders = r->totals.orders - r->orders_before;
    const uint64_t fills = r->totals.fills - r->fills_before;
    struct core_instance_view bad = {.name = "?"};
    if (r->doubt[0] != 0)
        snprintf(text, TRAIL_TEXT_BYTES, "journal: %.300s", r->doubt);
    else if (s->replay != NULL && s->replay->differences != 0)
        snprintf(text, TRAIL_TEXT_BYTES, "replay: %.280s", s->replay->difference);
    else if (r->feed.rows != r->feed.used + r->feed.reported)
        snprintf(text, TRAIL_TEXT_BYTES, "rows: %" PRIu64 " seen but %" PRIu64 " used or reported",
                 r->feed.rows, r->feed.used + r->feed.reported);
    else if (r->has_roads && r->roads.late != 0)
        snprintf(text, TRAIL_TEXT_BYTES,
                 "egress: %" PRIu64 " inputs came after their time; run slower, or with a longer "
                 "latency",
                 r->roads.late);
    else if (!r->has_roads && !r->in_flight &&
             (orders != r->venue_orders || fills != r->venue_fills))
        snprintf(text, TRAIL_TEXT_BYTES,
                 "books: %" PRIu64 " orders and %" PRIu64 " fills here, %" PRIu64 " and %" PRIu64
                 " at the venue",
                 orders, fills, r->venue_orders, r->venue_fills);
    else if (r->quarantined != 0) {
        (void)core_instance(s->core, r->fault.instance - 1, &bad);
        snprintf(text, TRAIL_TEXT_BYTES,
                 "plugins: %u quarantined; the first was instance %s: %.64s", r->quarantined,
                 bad.name, r->fault.text);
    } else if (r->dataset.name[0] != 0 && r->feed.rows == 0)
        snprintf(text, TRAIL_TEXT_BYTES, "rows: %.64s has none below its header", r->dataset.name);
    else if (r->feed.rows > 0 && r->feed.used == 0)
        snprintf(text, TRAIL_TEXT_BYTES,
                 "rows: none of %" PRIu64 " could be used; see the first above", r->feed.rows);
    else
        return NULL;
    return text;
}
