/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: what a real tenon-venue said is understood exactly, and what it accepted is what the
 * adapter writes. Method: tests/fixtures/frames/tenon_venue.txt, recorded from the program by
 * tools/gen/venue_frames.py with the meaning of each frame worked out in Python. Each request of
 * the adapter must be the recorded one, each answer and frame is given to it, and what it says must
 * be the recorded meaning, no more and no less.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "tests/lib/adapter_rig.h"

#define T0 1800000000000000000ll
#define AT 1700000000000000000ll
static struct adapter_rig rig;
static uint32_t said_count, event_count, request_count; /* looked at so far */

/* What the adapter has said since, line by line in the file's words. */
static uint32_t next_said(char *out, size_t out_bytes)
{
    const struct line_said *m = adapter_lane_at(&rig.core, LINE_SAID, said_count);
    const struct line_event *e = adapter_lane_at(&rig.core, LINE_EVENT, event_count);
    if (m) {
        const struct tn_said *s = &m->said;
        said_count++;
        snprintf(out, out_bytes, "= said %u %s %lld %lld %lld %lld %lld %d %s %u %u", s->kind,
                 s->client_id, (long long)s->cum_qty, (long long)s->leaves_qty,
                 (long long)s->last_qty, (long long)s->last_price, (long long)s->fee, s->fee_exp,
                 s->trade_id[0] ? s->trade_id : "-", s->found, s->reason);
        return 1;
    }
    if (!e)
        return 0;
    event_count++;
    const struct tn_bar *b = &e->event.u.bar;
    const struct tn_trade *t = &e->event.u.trade;
    const struct tn_quote *q = &e->event.u.quote;
    int n = snprintf(out, out_bytes, "= event %s %u %lld",
                     e->event.type == TN_EVENT_BAR     ? "bar"
                     : e->event.type == TN_EVENT_TRADE ? "trade"
                                                       : "quote",
                     e->event.instrument, (long long)e->event.t_ns);
    if (e->event.type == TN_EVENT_BAR)
        snprintf(out + n, out_bytes - (size_t)n, " %lld %lld %lld %lld %lld %lld",
                 (long long)b->open_ns, (long long)b->open, (long long)b->high, (long long)b->low,
                 (long long)b->close, (long long)b->volume);
    else if (e->event.type == TN_EVENT_TRADE)
        snprintf(out + n, out_bytes - (size_t)n, " %lld %lld %u", (long long)t->price,
                 (long long)t->qty, t->aggressor);
    else
        snprintf(out + n, out_bytes - (size_t)n, " %lld %lld %lld %lld", (long long)q->bid,
                 (long long)q->bid_qty, (long long)q->ask, (long long)q->ask_qty);
    return 1;
}

static void assert_quiet(const char *before)
{
    char text[512];
    if (next_said(text, sizeof text))
        fail_msg("more than recorded, before \"%.80s\": %s", before, text);
}

/* The next request over HTTP that was not looked at; its text as the file writes it. */
static uint64_t next_request(char *out, size_t out_bytes)
{
    static const char *const methods[] = {"?", "GET", "POST", "PUT", "DELETE"};
    const struct line_request *m;
    char text[2048];
    do
        m = adapter_lane_at(&rig.desk, LINE_REQUEST, request_count++);
    while (m && (m->link != 0 || (m->flags & TN_REQUEST_STORED)));
    assert_non_null(m);
    adapter_template(m, text, sizeof text);
    char *head = strchr(text, '\n'), *body = strstr(text, "<sign>\r\n");
    assert_true(head != NULL && body != NULL);
    body += strlen("<sign>\r\n");
    if (strncmp(body, "Content-Type: application/json\r\n", 32) == 0)
        body += 32;
    *head = 0;
    snprintf(out, out_bytes, "Q %s %s %s", methods[m->method], text, body);
    return m->request;
}

static void approve(const char *line)
{
    static uint64_t k = 4097;
    struct tn_approval a = {.size = sizeof a,
                            .approval = k += 4096,
                            .t_ns = AT,
                            .instrument = 1,
                            .type = TN_ORDER_LIMIT};
    char what[16], tif[8] = "gtc";
    long long qty = 0, price = 0;
    assert_true(sscanf(line, "C %15s %39s %u %lld %lld %7s", what, a.client_id, &a.side, &qty,
                       &price, tif) >= 2);
    a.qty = qty;
    a.price = price;
    a.tif = strcmp(tif, "ioc") == 0 ? 2 : 1;
    a.class_of = strcmp(what, "order") == 0    ? TN_CLASS_ORDER
                 : strcmp(what, "cancel") == 0 ? TN_CLASS_CANCEL
                                               : TN_CLASS_QUERY;
    adapter_rig_approve(&rig, &a);
}

static int start(void **state)
{
    (void)state;
    adapter_rig_open(&rig, TENON_PLUGIN_DIR "/tenon_venue.so");
    for (uint32_t i = 0; i < 2; i++)
        rig.spec.instrument[i].def.price_exp = rig.spec.instrument[i].def.qty_exp = -8;
    adapter_rig_start(&rig, T0);
    adapter_rig_in(&rig, T0, TN_IN_UP, 1, 0, 0, NULL, 0);
    return 0;
}

static int end(void **state)
{
    (void)state;
    adapter_rig_close(&rig);
    return 0;
}

static void venue_frames_recorded_session_is_understood_exactly(void **state)
{
    (void)state;
    static char line[65536];
    char want[4096];
    uint64_t request = 0;
    uint32_t frames = 0, answers = 0, meanings = 0;
    FILE *f = fopen(TENON_SOURCE_DIR "/tests/fixtures/frames/tenon_venue.txt", "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = 0;
        if (line[0] == '=') {
            meanings++;
            assert_int_equal(next_said(want, sizeof want), 1);
            assert_string_equal(want, line);
            continue;
        }
        if (line[0] == '#')
            continue;
        if (line[0] == 'Q') {
            request = next_request(want, sizeof want);
            assert_string_equal(want, line);
            continue;
        }
        if (line[0] != 'A')
            assert_quiet(line);
        if (line[0] == 'C') {
            approve(line);
        } else if (line[0] == 'S') {
            frames++;
            adapter_rig_hear(&rig, T0, line + 2);
        } else {
            char *text = NULL;
            answers++;
            assert_int_equal(line[0], 'A');
            uint32_t status = (uint32_t)strtoul(line + 2, &text, 10);
            adapter_rig_reply(&rig, T0, request, status, text + 1);
        }
    }
    assert_quiet("the end");
    fclose(f);
    assert_true(frames >= 15 && answers >= 10 && meanings >= 15);
    const struct line_sync *y = adapter_lane_last(&rig.core, LINE_SYNC);
    assert_int_equal(y->phase, TN_SYNC_WHOLE);
    assert_false(agent_is_quarantined(rig.agent));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(
        venue_frames_recorded_session_is_understood_exactly, start, end)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
