/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: the reader gets whole views, never an older one after a newer, and the newest when the
 * writer rests; the status made from a view shows exact figures and says when there is nothing.
 * Method: one thread for the order, two threads for wholeness (every field of a view carries the
 * same number; bounded tries; also under the thread sanitizer); golden texts for the table.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include "gateway/status.h"
#include "gateway/view.h"

static struct view v;
static struct gateway_view from;

static void view_gives_the_newest(void **state)
{
    (void)state;
    view_init(&v);
    assert_null(view_get(&v));
    for (from.seq = 1; from.seq < 20; from.seq++) {
        view_put(&v, &from);
        if (from.seq % 3 == 0)
            assert_int_equal(view_get(&v)->seq, from.seq);
    }
    assert_int_equal(view_get(&v)->seq, 19);
    assert_int_equal(view_get(&v)->seq, 19); /* again: the same, not an older slot */
}

enum { WRITES = 20000 };
static _Atomic bool done;

static void *write_views(void *unused)
{
    static struct gateway_view w;
    (void)unused;
    for (uint64_t i = 1; i <= WRITES; i++) {
        w.seq = w.durable_seq = w.epoch = i;
        w.position[GATEWAY_POSITIONS_MAX - 1].qty = (int64_t)i;
        w.totals.stops_hit = i;
        view_put(&v, &w);
        if (i % 64 == 0)
            sched_yield();
    }
    atomic_store(&done, true);
    return NULL;
}

static void view_two_threads_see_whole_views(void **state)
{
    pthread_t writer;
    uint64_t last = 0;
    bool end = false;
    (void)state;
    view_init(&v);
    atomic_store(&done, false);
    assert_int_equal(pthread_create(&writer, NULL, write_views, NULL), 0);
    while (!end) {
        end = atomic_load(&done);
        const struct gateway_view *got = view_get(&v);
        if (!got)
            continue;
        assert_true(got->seq >= last);
        last = got->seq;
        assert_int_equal(got->durable_seq, last);
        assert_int_equal(got->epoch, last);
        assert_int_equal(got->position[GATEWAY_POSITIONS_MAX - 1].qty, last);
        assert_int_equal(got->totals.stops_hit, last);
    }
    pthread_join(writer, NULL);
    assert_int_equal(last, WRITES);
}

static void fill(struct gateway_view *w)
{
    memset(w, 0, sizeof *w);
    w->epoch = 2;
    w->serial = 7;
    strcpy(w->deployment, "paper.yaml");
    strcpy(w->host, "box");
    strcpy(w->market, "demo");
    w->mode = MODE_REDUCING;
    w->auto_on = 1;
    w->started_ns = 1514862245000000000;
    w->now_ns = 1514862305000000000;
    w->seq = 1000;
    w->durable_seq = 990;
    w->window_events = 500;
    w->window_ns = 250000000;
    w->open_orders = 3;
    w->journal_bytes = 4096;
    w->disk_ppm = 421000;
    w->totals.orders = 12;
    w->totals.denials = 5;
    w->totals.denied_by[RISK_EXPOSURE] = 5;
    w->account_count = w->instrument_count = w->strategy_count = w->position_count = 1;
    w->account[0].id = 1;
    w->account[0].mode = MODE_ACTIVE;
    w->account[0].exp = -2;
    strcpy(w->account[0].name, "main");
    strcpy(w->account[0].currency, "USD");
    w->account[0].equity = 9999950;
    w->account[0].fees = -125;
    w->instrument[0].id = 1;
    w->instrument[0].health = FACT_DEGRADED;
    w->instrument[0].price_exp = -2;
    w->instrument[0].qty_exp = -8;
    w->instrument[0].money_exp = -2;
    w->instrument[0].mark = 1375001;
    strcpy(w->instrument[0].symbol, "BTC-USD");
    strcpy(w->instrument[0].currency, "USD");
    w->strategy[0].id = 4;
    w->strategy[0].mode = MODE_ACTIVE;
    w->strategy[0].auto_on = 1;
    strcpy(w->strategy[0].name, "cross_btc");
    strcpy(w->strategy[0].plugin, "ema_cross");
    strcpy(w->strategy[0].version, "1.0.0");
    w->position[0].strategy = 4;
    w->position[0].instrument = 1;
    w->position[0].account = 1;
    w->position[0].qty = -12500000;
    w->position[0].avg_price = 1370000;
    w->position[0].unrealised = -625;
    w->position[0].stop_price = 1400050;
}

static char *table(const json_t *status, bool *understood)
{
    struct status_style style = {.utc = true};
    char *text = NULL;
    size_t count = 0;
    FILE *f = open_memstream(&text, &count);
    *understood = status_print(f, status, &style);
    fclose(f);
    return text;
}

static void status_table_reads_as_golden(void **state)
{
    static const char golden[] =
        "mode        REDUCING, auto trading on for 1 of 1 strategies\n"
        "deployment  paper.yaml, serial 7\n"
        "market      demo, event time 2018-01-02T03:05:05Z\n"
        "host        box, epoch 2, since 2018-01-02T03:04:05Z, 2000 events/s\n"
        "journal     OK, event 1000, 10 not yet durable, 4096 bytes, disk 42 % full\n"
        "account     main ACTIVE: equity 99999.5 USD, realised 0, unrealised 0, fees -1.25\n"
        "\n"
        "STRATEGY             PLUGIN                   MODE         AUTO  SINCE   SHA256\n"
        "cross_btc            ema_cross 1.0.0          ACTIVE       on    -       -\n"
        "\n"
        "INSTRUMENT           DATA                   MARK\n"
        "BTC-USD              DEGRADED           13750.01\n"
        "\n"
        "POSITION OF          INSTRUMENT             QUANTITY          PRICE       REALISED     "
        "UNREALISED           STOP\n"
        "cross_btc            BTC-USD                  -0.125          13700              0     "
        "     -6.25        14000.5\n"
        "\n"
        "signals 0, intents 0, approved 0, denied 5, orders 12 (3 open), fills 0 (0 partial), "
        "cancels 0, venue rejects 0, stops hit 0\n"
        "denied by RISK_EXPOSURE_EXCEEDS_CAP: 5\n";
    bool understood = false;
    (void)state;
    fill(&from);
    json_t *status = status_json(&from);
    assert_non_null(status);
    char *text = table(status, &understood);
    assert_true(understood);
    assert_string_equal(text, golden);
    free(text);
    json_decref(status);
}

/* A signed deployment on probation, the next one hearing, the last one refused. */
static void fill_promotion(struct gateway_view *w)
{
    fill(w);
    memset(w->sha256, 0xab, sizeof w->sha256);
    w->promotion = PROMOTION_PROBATION;
    w->probation_until_ns = w->now_ns + 1749250000000;
    w->before_serial = 6;
    w->next_serial = 8;
    w->next_promotion = PROMOTION_SHADOW;
    w->next_until_ns = w->now_ns + 60000000000;
    memset(w->next_sha256, 0xcd, sizeof w->next_sha256);
    memset(w->refused_sha256, 0xef, sizeof w->refused_sha256);
    w->refused_result = RESULT_APPROVAL;
    w->trust_version = 2;
    w->trust_throwaway = 1;
    w->strategy[0].generation = 7;
    memset(w->strategy[0].sha256, 0x5a, sizeof w->strategy[0].sha256);
    w->said = 10; /* of a ring of 8: 3 to 10 are left */
    for (uint32_t n = 3; n <= 10; n++) {
        w->line[n % 8].number = n;
        snprintf(w->line[n % 8].text, sizeof w->line[0].text, "line %u\n", n);
    }
}

static void status_of_a_promotion_reads_as_golden(void **state)
{
    bool understood = false;
    (void)state;
    fill_promotion(&from);
    json_t *status = status_json(&from);
    char *text = table(status, &understood);
    assert_true(understood);
    assert_non_null(strstr(text,
                           "deployment  paper.yaml, serial 7, on probation for another 29 min 9 s\n"
                           "            sha256 abababababababababababababababab"
                           "abababababababababababababababab\n"
                           "            a rollback brings serial 6 back\n"
                           "next        serial 8, shadow, takes over in 1 min 0 s at the earliest\n"
                           "trust       version 2, throwaway keys: for simulated accounts only\n"));
    assert_non_null(strstr(text, "on    7       5a5a5a5a5a5a\n"));
    free(text);
    from.promotion = PROMOTION_ROLLED_BACK;
    from.next_serial = from.next_promotion = 0;
    from.trust_throwaway = 0;
    json_decref(status);
    status = status_json(&from);
    text = table(status, &understood);
    assert_non_null(strstr(text, "serial 7, rolled back\n"));
    assert_null(strstr(text, "next "));
    assert_non_null(strstr(text, "trust       version 2\n"));
    free(text);
    json_decref(status);
}

static void status_json_tells_a_promotion_whole(void **state)
{
    (void)state;
    fill_promotion(&from);
    json_t *status = status_json(&from);
    json_t *active = json_object_get(status, "active"), *next = json_object_get(status, "next");
    json_t *refused = json_object_get(status, "refused"), *lines = json_object_get(status, "lines");
    assert_string_equal(json_string_value(json_object_get(active, "promotion")), "probation");
    assert_int_equal(json_integer_value(json_object_get(active, "probation_left_ns")),
                     1749250000000);
    assert_int_equal(json_integer_value(json_object_get(next, "serial")), 8);
    assert_int_equal(json_integer_value(json_object_get(next, "left_ns")), 60000000000);
    assert_string_equal(json_string_value(json_object_get(refused, "code")), "APPROVAL");
    assert_int_equal(json_integer_value(json_object_get(refused, "exit")), 12);
    assert_int_equal(json_integer_value(json_object_get(status, "said")), 10);
    assert_int_equal(json_array_size(lines), 8);
    for (size_t i = 0; i < 8; i++) {
        char want[32];
        const json_t *line = json_array_get(lines, i);
        snprintf(want, sizeof want, "line %zu\\x0a", i + 3); /* escaped, one line stays one */
        assert_int_equal(json_integer_value(json_object_get(line, "number")), i + 3);
        assert_string_equal(json_string_value(json_object_get(line, "text")), want);
    }
    json_decref(status);
    fill(&from); /* unsigned: null, and not zeros that look like a hash */
    from.now_ns = 5;
    from.probation_until_ns = 4;
    status = status_json(&from);
    assert_true(json_is_null(json_object_get(status, "next")));
    assert_true(json_is_null(json_object_get(status, "refused")));
    assert_true(json_is_null(json_object_get(status, "trust")));
    active = json_object_get(status, "active");
    assert_true(json_is_null(json_object_get(active, "sha256")));
    assert_true(json_is_null(json_object_get(active, "promotion")));
    assert_int_equal(json_integer_value(json_object_get(active, "probation_left_ns")), 0);
    assert_int_equal(json_array_size(json_object_get(status, "lines")), 0);
    json_decref(status);
}

static void status_without_deployment_is_a_clear_state(void **state)
{
    bool understood = false;
    (void)state;
    memset(&from, 0, sizeof from);
    from.mode = MODE_SAFE_START;
    json_t *status = status_json(&from);
    assert_string_equal(json_string_value(json_object_get(status, "state")), "no_deployment");
    char *text = table(status, &understood);
    assert_non_null(strstr(text, "none is active: start one with tenon run --config FILE"));
    free(text);
    json_decref(status);
    status = status_json(NULL);
    text = table(status, &understood);
    assert_true(understood);
    assert_string_equal(text, "the host is starting\n");
    free(text);
    json_decref(status);
}

static void status_of_an_odd_view_guesses_nothing(void **state)
{
    bool understood = false;
    (void)state;
    fill(&from);
    from.position[0].instrument = 99;                         /* not among the instruments shown */
    memcpy(from.position[0].name, "leaver", sizeof "leaver"); /* nor among the strategies */
    from.positions_left_out = 6;
    from.mode = 77;
    json_t *status = status_json(&from);
    char *text = table(status, &understood);
    assert_non_null(strstr(text, "-12500000"));
    assert_non_null(strstr(text, "leaver"));
    assert_non_null(strstr(text, "(raw mantissas)"));
    assert_non_null(strstr(text, "and 6 more positions"));
    assert_non_null(strstr(text, "mode        UNSET"));
    free(text);
    json_decref(status);
    status = json_pack("{s:s}", "schema", "tenon.status.v9");
    text = table(status, &understood);
    assert_false(understood);
    free(text);
    json_decref(status);
}

static void status_of_a_full_view_fits_a_frame(void **state)
{
    (void)state;
    memset(&from, 0xff, sizeof from); /* the largest figures */
    from.account_count = GATEWAY_ACCOUNTS_MAX;
    from.instrument_count = GATEWAY_INSTRUMENTS_MAX;
    from.strategy_count = GATEWAY_STRATEGIES_MAX;
    from.position_count = GATEWAY_POSITIONS_MAX;
    memset(from.deployment, 'd', sizeof from.deployment - 1);
    from.deployment[sizeof from.deployment - 1] = from.host[0] = from.market[0] = '\0';
    for (int i = 0; i < GATEWAY_ACCOUNTS_MAX; i++) {
        from.account[i].exp = 12;
        from.account[i].name[0] = from.account[i].currency[0] = '\0';
    }
    for (int i = 0; i < GATEWAY_INSTRUMENTS_MAX; i++) {
        from.instrument[i].price_exp = from.instrument[i].qty_exp = 12;
        from.instrument[i].money_exp = -12;
        memset(from.instrument[i].symbol, 's', FACT_NAME_BYTES - 1);
        from.instrument[i].symbol[FACT_NAME_BYTES - 1] = from.instrument[i].currency[0] = '\0';
    }
    for (int i = 0; i < GATEWAY_STRATEGIES_MAX; i++)
        from.strategy[i].name[0] = from.strategy[i].plugin[0] = from.strategy[i].version[0] = 0;
    for (int i = 0; i < GATEWAY_POSITIONS_MAX; i++) {
        memset(from.position[i].name, 'p', FACT_NAME_BYTES - 1);
        from.position[i].name[FACT_NAME_BYTES - 1] = 0;
    }
    json_t *status = status_json(&from);
    assert_non_null(status);
    assert_in_range(json_dumpb(status, NULL, 0, JSON_COMPACT), 10000, 200 * 1024);
    json_decref(status);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(view_gives_the_newest),
        cmocka_unit_test(view_two_threads_see_whole_views),
        cmocka_unit_test(status_table_reads_as_golden),
        cmocka_unit_test(status_of_a_promotion_reads_as_golden),
        cmocka_unit_test(status_json_tells_a_promotion_whole),
        cmocka_unit_test(status_without_deployment_is_a_clear_state),
        cmocka_unit_test(status_of_an_odd_view_guesses_nothing),
        cmocka_unit_test(status_of_a_full_view_fits_a_frame),
    };
    return cmocka_run_group_tests_name("view", tests, NULL, NULL);
}
