/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: a venue behind sockets simulates what the engine's own venue simulates: the same reports,
 * due at the same times, for every stream of markets and requests, as long as requests come within
 * their budget; and it knows each of them ahead of its due time.
 * Method: a random market and random orders, cancels and queries, from the seed printed, go through
 * the library as the engine drives it, and through a house whose clock jumps, whose requests come
 * late by up to a quarter of the latency and in another order. Both profiles, each data level. Set
 * TENON_TEST_SEED to repeat a run.
 */
#include "house_rig.h"

enum { REQUESTS = 1200, MARKET = 4000, LEVEL_QUOTE = 0, LEVEL_TRADE, LEVEL_BAR, LEVELS };
#define LATENCY (20 * MS)
#define LEAD (LATENCY / 4)

struct wanted { /* a request, as the engine makes it */
    uint32_t kind;
    uint64_t order;
    int64_t at_ns, comes_ns; /* comes: at the venue, on the engine's clock */
    uint32_t side, tif, reduce_only;
    int64_t qty, price;
};
struct answer {
    int64_t due_ns;
    uint64_t order;
    uint64_t n; /* of one source: tells answers of one order apart */
    char text[160];
    int64_t known_ns; /* the house: on the engine's clock */
};

static struct wanted wanted[REQUESTS];
static struct answer inline_said[SAID_MAX], house_said[SAID_MAX];
static struct rig rig;

static uint64_t seed_of(void)
{
    const char *text = getenv("TENON_TEST_SEED");
    return text != NULL ? strtoull(text, NULL, 0) : 20261120;
}

/* ---- the world ---- */
static void make_event(struct rng *g, uint32_t level, int64_t t, int64_t mid)
{
    int64_t half = 5 * (1 + (int64_t)rng_below(g, 3));
    if (level == LEVEL_QUOTE) {
        rig_quote(&rig, t, mid - half, mid + half, 10 * (int64_t)(1 + rng_below(g, 400)));
    } else if (level == LEVEL_TRADE) {
        rig_event(&rig, FACT_TRADE, t)->u.fact_trade =
            (struct fact_trade){.instrument = 1,
                                .price = mid,
                                .qty = 10 * (int64_t)(1 + rng_below(g, 400)),
                                .aggressor = (uint32_t)rng_below(g, 3)};
    } else {
        rig_event(&rig, FACT_BAR, t)->u.fact_bar = (struct fact_bar){
            1, 0, t - 40 * MS, mid, mid + 2 * half, mid - 2 * half, mid + half, 10 * 4000};
    }
}

static int64_t mids[EVENTS_MAX];

static int64_t make_market(struct rng *g, uint32_t level)
{
    int64_t t = T0 + SEC, mid = 10000;
    for (uint32_t i = 0; i < MARKET; i++) {
        /* bars of 40 ms follow each other; some other events share a moment */
        t += level == LEVEL_BAR ? 40 * MS : (int64_t)rng_below(g, 8) * 3 * MS;
        mid += 5 * ((int64_t)rng_below(g, 7) - 3);
        mid = mid < 5000 ? 5000 : mid;
        mids[i] = mid;
        make_event(g, level, t, mid);
    }
    return t;
}

/* The engine has one reason at a time to speak of one order. */
static bool is_taken(uint32_t i)
{
    for (uint32_t k = i; k-- > 0 && wanted[k].at_ns == wanted[i].at_ns;) {
        if (wanted[k].order == wanted[i].order)
            return true;
    }
    return false;
}

/* Orders are near the market, and spoken of again soon: that is where races are. */
static void make_request(struct rng *g, uint32_t i, int64_t at, int64_t mid, uint64_t *orders)
{
    uint64_t dice = rng_below(g, 10), back = rng_below(g, 3) == 0 ? *orders : 4;
    struct wanted *w = &wanted[i];
    *w = (struct wanted){.kind = dice < 5   ? HOUSE_KIND_SEND
                                 : dice < 9 ? HOUSE_KIND_CANCEL
                                            : HOUSE_KIND_QUERY,
                         .at_ns = at,
                         .side = 1 + (uint32_t)rng_below(g, 2),
                         .tif = rng_below(g, 3) == 0 ? FACT_IOC : FACT_GTC,
                         .reduce_only = rng_below(g, 8) == 0,
                         .qty = 10 * (int64_t)(2 + rng_below(g, 300)),
                         .price = mid - 40 + 5 * (int64_t)rng_below(g, 17)};
    if (*orders == 0 || w->kind == HOUSE_KIND_SEND) {
        w->kind = HOUSE_KIND_SEND;
        w->order = ++*orders;
    } else {
        uint64_t most = back < *orders ? back : *orders;
        w->order = *orders - rng_below(g, most);
    }
    while (is_taken(i))
        w->at_ns++;
    w->comes_ns = w->at_ns + (int64_t)rng_below(g, LEAD - 1);
}

/* Gives the time at which everything is over. */
static int64_t make_world(uint64_t seed, uint32_t level)
{
    struct rng g;
    rng_seed(&g, seed);
    int64_t last = make_market(&g, level), at = T0 + SEC;
    uint64_t orders = 0, most = (uint64_t)(last - T0) / REQUESTS;
    for (uint32_t i = 0, event = 0; i < REQUESTS; i++) {
        at += (int64_t)rng_below(&g, 3) * (int64_t)rng_below(&g, most);
        at = i > 0 && at < wanted[i - 1].at_ns ? wanted[i - 1].at_ns : at;
        while (event + 1 < MARKET && rig.event[event].head.t_ns < at)
            event++;
        make_request(&g, i, at, mids[event], &orders);
    }
    return last + 20 * SEC;
}

/* ---- as the engine drives it ---- */
static void keep_inline(struct venue *v, uint32_t *count)
{
    struct fact_view x;
    venue_take(v, &x);
    const struct fact_exec *e = &x.u.fact_exec;
    struct answer *a = &inline_said[(*count)++];
    a->due_ns = x.head.t_ns;
    a->order = e->order;
    a->n = *count;
    snprintf(a->text, sizeof a->text,
             "kind %u found %u id %llu trade %llu %lld@%lld cum %lld "
             "leaves %lld fee %lld liq %u t %lld",
             e->kind, e->found, (unsigned long long)e->venue_order, (unsigned long long)e->trade_id,
             (long long)e->last_qty, (long long)e->last_price, (long long)e->cum_qty,
             (long long)e->leaves_qty, (long long)e->fee, e->liquidity, (long long)e->venue_ns);
}

static void hand_inline(struct venue *v, const struct wanted *w)
{
    struct fact_send s = {.order = w->order,
                          .attempt = 1,
                          .account = 1,
                          .instrument = 1,
                          .side = w->side,
                          .tif = w->tif,
                          .reduce_only = w->reduce_only,
                          .qty = w->qty,
                          .price = w->price};
    struct fact_cancel c = {.order = w->order, .account = 1, .instrument = 1};
    struct fact_query q = {.order = w->order, .account = 1};
    if (w->kind == HOUSE_KIND_SEND)
        venue_send(v, w->at_ns, &s);
    else if (w->kind == HOUSE_KIND_CANCEL)
        venue_cancel(v, w->at_ns, &c);
    else
        venue_query(v, w->at_ns, &q);
}

static uint32_t run_inline(void)
{
    struct venue_config c = rig.c.venue;
    void *memory = NULL;
    size_t bytes = venue_bytes(&c);
    assert_int_equal(posix_memalign(&memory, 64, bytes), 0);
    struct venue *v = venue_init(memory, bytes, &c);
    venue_instrument(v, &rig.in.def, rig.in.settle_exp);
    uint32_t event = 0, request = 0, count = 0;
    bool is_shown = false;
    for (;;) {
        int64_t due = venue_due(v);
        int64_t at = request < REQUESTS ? wanted[request].at_ns : INT64_MAX;
        int64_t t = event < rig.event_count ? rig.event[event].head.t_ns : INT64_MAX;
        if (due == INT64_MAX && at == INT64_MAX && t == INT64_MAX)
            break;
        if (due <= at && due <= t) {
            keep_inline(v, &count);
        } else if (at <= t) {
            hand_inline(v, &wanted[request++]);
        } else if (!is_shown) {
            venue_market(v, &rig.event[event].head, &rig.event[event].u);
            is_shown = true;
        } else {
            event++;
            is_shown = false;
        }
    }
    free(memory);
    return count;
}

/* ---- behind sockets ---- */
static void client_of(uint64_t order, char out[32])
{
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    char text[16];
    size_t n = sizeof text;
    text[--n] = '\0';
    for (uint64_t v = order; v != 0; v >>= 5)
        text[--n] = digits[v & 31];
    snprintf(out, 32, "T1-%s-1", text + n);
    assert_int_equal(house_order_of(out), order);
}

static uint64_t order_of_ticket[SAID_MAX];

static void ask_house(const struct wanted *w)
{
    char client[32], qty[NUM_TEXT_BYTES], price[NUM_TEXT_BYTES], body[512];
    client_of(w->order, client);
    num_print(w->qty, -3, qty);
    num_print(w->price, -2, price);
    if (w->kind == HOUSE_KIND_CANCEL) {
        assert_int_equal(rig_cancel(&rig, client, w->at_ns), 200);
        return;
    }
    if (w->kind == HOUSE_KIND_QUERY) {
        assert_int_equal(rig_find(&rig, client, w->at_ns), 0);
        order_of_ticket[rig.tickets] = w->order;
        return;
    }
    snprintf(body, sizeof body,
             "{\"client_id\":\"%s\",\"symbol\":\"LIN\",\"side\":\"%s\",\"type\":\"limit\","
             "\"qty\":\"%s\",\"price\":\"%s\",\"tif\":\"%s\",\"reduce_only\":%s,\"at\":\"%lld\"}",
             client, w->side == 1 ? "buy" : "sell", qty, price, w->tif == FACT_GTC ? "gtc" : "ioc",
             w->reduce_only ? "true" : "false", (long long)w->at_ns);
    assert_int_equal(rig_ask(&rig, MINE, HOUSE_POST, "/v1/orders", "", body), 200);
}

static int64_t number(const struct said *s, const char *key, int exp)
{
    int64_t v = 0;
    const char *text = said_word(s, key);
    if (text[0] != '\0')
        assert_true(is_ok(num_parse(text, strlen(text), exp, false, &v)));
    return v;
}

static uint32_t kind_of(const char *word)
{
    static const char *const words[] = {
        "",        "new",         "rejected", "trade", "canceled", "cancel_rejected", "cancel_late",
        "expired", "venue_cancel"};
    for (uint32_t i = 1; i < sizeof words / sizeof *words; i++) {
        if (strcmp(words[i], word) == 0)
            return i;
    }
    return FACT_EXEC_STATUS;
}

static void keep_house(uint32_t i, struct answer *a)
{
    const struct said *s = &rig.said[i];
    bool is_query = s->ticket != 0;
    const char *found = said_word(s, "found");
    struct said order = {.o = json_object_get(s->o, "order")};
    const struct said *of = is_query ? &order : s;
    a->due_ns = number(s, "due", 0);
    a->order = is_query ? order_of_ticket[s->ticket] : house_order_of(said_word(s, "client_id"));
    a->n = i + 1;
    a->known_ns = s->engine_ns;
    uint32_t is_found = strcmp(found, "working") == 0         ? FACT_FOUND_WORKING
                        : strcmp(found, "done") == 0          ? FACT_FOUND_DONE
                        : strcmp(found, "absent") == 0        ? FACT_FOUND_ABSENT
                        : strcmp(found, "proved_absent") == 0 ? FACT_FOUND_PROVED_ABSENT
                                                              : 0u;
    const char *liquidity = said_word(s, "liquidity");
    snprintf(a->text, sizeof a->text,
             "kind %u found %u id %lld trade %lld %lld@%lld cum %lld "
             "leaves %lld fee %lld liq %u t %lld",
             kind_of(said_word(s, "kind")), is_found, (long long)number(of, "order_id", 0),
             (long long)number(s, "trade_id", 0), (long long)number(s, "last_qty", -3),
             (long long)number(s, "last_price", -2), (long long)number(of, "cum_qty", -3),
             (long long)number(of, "leaves_qty", -3), (long long)number(s, "fee", -8),
             strcmp(liquidity, "maker") == 0   ? FACT_MAKER
             : strcmp(liquidity, "taker") == 0 ? FACT_TAKER
                                               : 0,
             (long long)number(of, "t", 0));
}

static int by_arrival(const void *a, const void *b)
{
    const struct wanted *x = a, *y = b;
    return x->comes_ns < y->comes_ns ? -1 : x->comes_ns > y->comes_ns;
}

/* Orders may swap with each other on the way; what concerns one order comes in its order. */
static void keep_turns(void)
{
    for (uint32_t i = 0; i < REQUESTS; i++) {
        for (uint32_t k = i; k-- > 0 && wanted[k].at_ns > wanted[i].at_ns - LEAD;) {
            if (wanted[k].order == wanted[i].order && wanted[i].comes_ns <= wanted[k].comes_ns)
                wanted[i].comes_ns = wanted[k].comes_ns + 1;
        }
    }
    qsort(wanted, REQUESTS, sizeof *wanted, by_arrival);
}

static uint32_t run_house(uint64_t seed, int64_t end_ns)
{
    struct rng g;
    rng_seed(&g, seed + 1);
    rig_begin(&rig);
    for (uint32_t i = 0; i < REQUESTS; i++) {
        int64_t left = wanted[i].comes_ns - house_engine_now(rig.h);
        for (uint64_t naps = rng_below(&g, 4); left > 1 && naps > 0; naps--)
            rig_until(&rig, wanted[i].comes_ns - left + 1 + (int64_t)rng_below(&g, (uint64_t)left));
        rig_until(&rig, wanted[i].comes_ns);
        ask_house(&wanted[i]);
    }
    while (house_engine_now(rig.h) < end_ns)
        rig_until(&rig, house_engine_now(rig.h) + 3 * MS);
    for (uint32_t i = 0; i < rig.said_count; i++)
        keep_house(i, &house_said[i]);
    return rig.said_count;
}

/* ---- compared ---- */
static int by_due(const void *a, const void *b)
{
    const struct answer *x = a, *y = b;
    if (x->due_ns != y->due_ns)
        return x->due_ns < y->due_ns ? -1 : 1;
    if (x->order != y->order)
        return x->order < y->order ? -1 : 1;
    return x->n < y->n ? -1 : 1;
}

/* What the matching says of an order when asked is compared by what it found: the house tells the
 * order's whole state beside it, and that an order it refused is proved absent. */
static void compare_one(const struct answer *a, const struct answer *b)
{
    assert_int_equal(a->due_ns, b->due_ns);
    assert_int_equal(a->order, b->order);
    size_t n = strncmp(a->text, "kind 10", 7) == 0 ? strcspn(a->text + 8, "i") + 8 : sizeof a->text;
    if (strncmp(a->text, b->text, n) != 0)
        fail_msg("order %llu due %lld\n  engine %s\n  house  %s", (unsigned long long)a->order,
                 (long long)a->due_ns, a->text, b->text);
}

static void compare(uint64_t seed, uint32_t level, uint32_t profile, int64_t jitter_ns)
{
    print_message("seed %llu level %u profile %u\n", (unsigned long long)seed, level, profile);
    rig_set(&rig, TEMPO_SCRIPT, profile);
    rig.c.venue.seed = seed;
    rig.c.venue.latency_ns = LATENCY;
    rig.c.venue.jitter_ns = jitter_ns;
    rig.c.tempo.lead_ns = LEAD;
    int64_t end = make_world(seed, level);
    uint32_t a = run_inline();
    keep_turns();
    uint32_t b = run_house(seed, end);
    qsort(inline_said, a, sizeof *inline_said, by_due);
    qsort(house_said, b, sizeof *house_said, by_due);
    assert_true(a > REQUESTS);
    uint32_t fills = 0;
    for (uint32_t i = 0; i < a && i < b; i++) {
        compare_one(&inline_said[i], &house_said[i]);
        fills += strncmp(inline_said[i].text, "kind 3 ", 7) == 0;
    }
    assert_int_equal(a, b);
    assert_true(fills > 50);
    struct house_totals t;
    house_totals(rig.h, &t);
    assert_int_equal(t.late, 0);
    assert_true(t.spare_ns >= 0 && t.spare_ns < LATENCY);
    house_check(rig.h);
    rig_remove(&rig);
}

static void twin_house_says_what_the_engine_says(void **state)
{
    (void)state;
    for (uint32_t level = 0; level < LEVELS; level++) {
        compare(seed_of() + level, level, VENUE_PLAIN, 0);
        compare(seed_of() + level, level, VENUE_DEMO, 7 * MS);
    }
}

/* The clock moves in small steps here, so that what is known is known as early as it can be. */
static void twin_answers_are_known_a_lead_ahead(void **state)
{
    (void)state;
    rig_set(&rig, TEMPO_SCRIPT, VENUE_PLAIN);
    for (int i = 0; i < 200; i++)
        rig_quote(&rig, T0 + SEC + i * 7 * MS, 9900 + 5 * (i % 40), 9910 + 5 * (i % 40), 1000);
    rig_begin(&rig);
    rig_until(&rig, T0 + SEC);
    for (int i = 0; i < 300; i++) {
        char client[32];
        client_of((uint64_t)i + 1, client);
        int64_t now = house_engine_now(rig.h);
        assert_int_equal(rig_order(&rig, client, i % 2 ? "buy" : "sell", "0.1", "100", "gtc", now),
                         200);
        for (int k = 0; k < 20; k++)
            rig_until(&rig, house_engine_now(rig.h) + MS / 2);
    }
    assert_true(rig.said_count > 150);
    uint32_t acks = 0;
    for (uint32_t i = 0; i < rig.said_count; i++) {
        keep_house(i, &house_said[i]);
        const struct answer *a = &house_said[i];
        assert_true(a->known_ns <= a->due_ns - LEAD + MS / 2);
        /* With no market event before it is due, as soon as it is decided. */
        if (a->due_ns > T0 + 3 * SEC && strncmp(a->text, "kind 1 ", 7) == 0) {
            assert_true(a->known_ns <= a->due_ns - LATENCY / 2 - LEAD + MS / 2);
            acks++;
        }
    }
    assert_true(acks > 20);
    rig_remove(&rig);
}

static void twin_late_request_is_counted_and_decided_next(void **state)
{
    (void)state;
    rig_set(&rig, TEMPO_SCRIPT, VENUE_PLAIN);
    rig_quote(&rig, T0 + SEC, 9990, 10000, 1000);
    rig_quote(&rig, T0 + 2 * SEC, 10090, 10100, 1000);
    rig_begin(&rig);
    rig_until(&rig, T0 + 3 * SEC);
    assert_int_equal(rig_order(&rig, "T1-1-1", "buy", "0.1", "100", "ioc", T0 + SEC), 200);
    rig_until(&rig, T0 + 3 * SEC + 1);
    rig_last(&rig, "expired", "T1-1-1"); /* the price of then is gone */
    struct house_totals t;
    house_totals(rig.h, &t);
    assert_int_equal(t.late, 1);
    assert_int_equal(t.late_ns, 2 * SEC - 5 * MS); /* 10 ms of way, 5 ms ahead */
    rig_remove(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twin_house_says_what_the_engine_says),
        cmocka_unit_test(twin_answers_are_known_a_lead_ahead),
        cmocka_unit_test(twin_late_request_is_counted_and_decided_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
