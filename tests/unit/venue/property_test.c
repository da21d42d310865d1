/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: what must hold for every stream of orders and markets, whatever the profile.
 *   cum <= qty and leaves = qty - cum in every answer; no fill beyond the limit, nor at a price the
 *   market did not show since the order was sent; never more than the market traded; answers in
 *   order of due time, fills never after the event that caused them; net = sum of fills; the same
 *   seed gives the same bytes; the totals equal a recount of the ledger by other code.
 * Method: a random walk with quotes, trades or bars and random orders, cancels and queries, from
 * the seed printed. The books of the test are kept from the answers alone. Set TENON_TEST_SEED to
 * repeat a run.
 */
#include "rig.h"
#include <sys/wait.h>
#include <unistd.h>

enum { STEPS = 6000, IDS = 4096, LEVEL_QUOTE = 0, LEVEL_TRADE, LEVEL_BAR, LEVEL_MIXED, LEVELS };

struct model { /* of one order, from our side */
    bool known, accepted, ended;
    uint32_t side, kind_last;
    int64_t qty, price, cum, sent_ns;
    int64_t low, high; /* best prices for us that the market has shown since it was sent */
};

struct world {
    struct rig r;
    struct rng rng;
    uint32_t level;
    int64_t t, mid, net, last_due;
    int64_t low, high; /* of the event shown last: where a buyer, a seller could trade */
    int64_t shown;     /* quantity that event showed to us at most */
    int64_t taken;     /* filled because of it */
    uint64_t ids;
    uint64_t kinds[FACT_EXEC_STATUS + 1];
    uint64_t fills, makers, takers;
    struct model m[IDS];
    bool is_broken_feed;
};

static int64_t below(struct world *w, uint64_t n)
{
    return (int64_t)rng_below(&w->rng, n);
}

static void see(struct world *w, int64_t lowest, int64_t highest)
{
    for (uint64_t i = 1; i <= w->ids; i++) {
        struct model *m = &w->m[i];
        if (m->ended)
            continue;
        if (lowest > 0 && (m->low == 0 || lowest < m->low))
            m->low = lowest;
        if (highest > m->high)
            m->high = highest;
    }
}

static void on_trade(struct world *w, struct model *m, const struct fact_exec *e)
{
    const struct venue_config *c = &w->r.v->c;
    assert_true(e->last_qty > 0 && e->last_qty % 10 == 0);
    m->cum += e->last_qty;
    w->net += m->side == VENUE_BUY ? e->last_qty : -e->last_qty;
    w->fills++;
    w->makers += e->liquidity == FACT_MAKER;
    w->takers += e->liquidity == FACT_TAKER;
    assert_true(m->cum <= m->qty);
    /* Within the limit, and the market got there; slippage may only make it worse. */
    if (m->side == VENUE_BUY) {
        assert_true(e->last_price <= m->price);
        assert_true(m->low > 0 && e->last_price >= m->low);
    } else {
        assert_true(e->last_price >= m->price);
        assert_true(m->high > 0 && e->last_price <= m->high);
    }
    int64_t ppm = e->liquidity == FACT_MAKER ? c->maker_fee_ppm : c->taker_fee_ppm;
    long double fee = (long double)e->last_qty * e->last_price * ppm * 1e-3L; /* at exponent -8 */
    assert_true((long double)e->fee >= fee - 1e-6L && (long double)e->fee < fee + 1.0L + 1e-6L);
}

static void on_answer(struct world *w, const struct fact_view *got)
{
    const struct fact_exec *e = &got->u.fact_exec;
    assert_true(got->head.t_ns >= w->last_due);
    w->last_due = got->head.t_ns;
    assert_true(e->venue_ns <= got->head.t_ns);
    w->kinds[e->kind]++;
    assert_true(e->order > 0 && e->order < IDS);
    struct model *m = &w->m[e->order];
    assert_true(m->known);
    assert_true(e->found != FACT_FOUND_PROVED_ABSENT || m->ended); /* it was refused */
    if (e->kind == FACT_EXEC_REJECTED || e->found == FACT_FOUND_ABSENT ||
        e->found == FACT_FOUND_PROVED_ABSENT ||
        (e->kind == FACT_EXEC_CANCEL_REJECT && e->venue_order == 0)) {
        assert_true(!m->accepted);
        m->ended |= e->kind == FACT_EXEC_REJECTED;
        return;
    }
    m->accepted = true;
    if (e->kind == FACT_EXEC_TRADE)
        on_trade(w, m, e);
    bool ends = e->kind == FACT_EXEC_CANCELED || e->kind == FACT_EXEC_EXPIRED ||
                e->kind == FACT_EXEC_VENUE_CANCEL;
    if (ends || e->kind == FACT_EXEC_TRADE) {
        assert_false(m->ended);
        assert_int_equal(e->cum_qty, m->cum);
        assert_int_equal(e->leaves_qty, ends ? 0 : m->qty - m->cum);
        m->ended = ends || m->cum == m->qty;
    }
    if (e->kind == FACT_EXEC_CANCEL_LATE)
        assert_true(m->ended && e->cum_qty == m->cum);
    if (e->kind == FACT_EXEC_CANCEL_REJECT)
        assert_true(e->leaves_qty > 0);
}

static void take_until(struct world *w, int64_t t)
{
    while (venue_due(w->r.v) <= t) {
        venue_take(w->r.v, &w->r.got);
        assert_true(w->r.got.head.t_ns <= t);
        on_answer(w, &w->r.got);
    }
}

static void show_quote(struct world *w)
{
    int64_t half = 5 * (1 + below(w, 3));
    bool crossed = below(w, 50) == 0;
    int64_t bid = crossed ? w->mid + half : w->mid - half;
    int64_t ask = crossed ? w->mid - half : w->mid + half;
    if (below(w, 40) == 0)
        ask = 0;
    if (!(ask > 0 && bid > ask))
        see(w, ask, bid);
    rig_quote(&w->r, w->t, bid, 10 * (1 + below(w, 40)), ask, ask ? 10 * (1 + below(w, 40)) : 0);
}

static void show_trade(struct world *w)
{
    int64_t price = w->mid + 5 * (below(w, 5) - 2);
    see(w, price, price);
    rig_trade_by(&w->r, w->t, price, 10 * (1 + below(w, 60)), (uint32_t)below(w, 3));
}

static void show_bar(struct world *w)
{
    int64_t open = w->mid, close = w->mid + 5 * (below(w, 21) - 10);
    int64_t high = (open > close ? open : close) + 5 * below(w, 6);
    int64_t low = (open < close ? open : close) - 5 * below(w, 6);
    w->mid = close;
    see(w, low, high);
    rig_bar(&w->r, w->t, open, high, low, close, below(w, 4000));
}

static void market(struct world *w)
{
    w->t += w->level == LEVEL_BAR ? 60 * SEC : below(w, 200 * MS);
    take_until(w, w->t - 1);
    int64_t before = w->r.v->answers.count;
    if (w->level == LEVEL_BAR)
        show_bar(w);
    else if (w->level == LEVEL_TRADE || (w->level == LEVEL_MIXED && below(w, 2) == 0))
        show_trade(w);
    else
        show_quote(w);
    assert_true(w->r.v->answers.count >= (uint32_t)before);
    take_until(w, w->t); /* what this event caused is due by now */
    w->mid += 5 * (below(w, 5) - 2);
    if (w->mid < 5000)
        w->mid = 5000;
}

static void act(struct world *w)
{
    int64_t what = below(w, 10);
    uint64_t any = w->ids == 0 ? 1 : 1 + (uint64_t)below(w, w->ids);
    if (what < 5 && w->ids + 1 < IDS) {
        uint64_t id = ++w->ids;
        struct fact_send s = rig_order(id, 1 + (uint32_t)below(w, 2), 10 * (2 + below(w, 60)),
                                       w->mid + 5 * (below(w, 13) - 6), 1 + (uint32_t)below(w, 2));
        s.reduce_only = below(w, 8) == 0;
        w->m[id] = (struct model){
            .known = true, .side = s.side, .qty = s.qty, .price = s.price, .sent_ns = w->t};
        /* What stands now may be what it meets. */
        const struct venue_book *b = &w->r.v->book[0];
        w->m[id].low = b->seen & VENUE_SEEN_QUOTE ? b->ask : b->last;
        w->m[id].high = b->seen & VENUE_SEEN_QUOTE ? b->bid : b->last;
        venue_send(w->r.v, w->t, &s);
    } else if (what < 9 && w->m[any].known) {
        rig_cancel(&w->r, w->t, any);
    } else if (w->m[any].known) {
        struct fact_query q = {.order = any, .account = ACCOUNT};
        venue_query(w->r.v, w->t, &q);
    }
}

static void run(struct world *w, uint64_t seed, uint32_t level, uint32_t profile)
{
    memset(w, 0, sizeof *w);
    rng_seed(&w->rng, seed);
    w->level = level;
    w->t = T0;
    w->mid = 10000;
    struct venue_config c = rig_config();
    c.seed = seed;
    c.profile = profile;
    c.jitter_ns = below(w, 2) * 30 * MS;
    c.slippage_ppm = below(w, 3) * 300;
    c.volume_part_ppm = below(w, 2) * 200000;
    c.maker_fee_ppm = below(w, 2) ? -150 : 200;
    rig_open_with(&w->r, c);
    for (int i = 0; i < STEPS; i++) {
        market(w);
        if (below(w, 3) == 0)
            act(w);
        if (i % 500 == 0)
            venue_check(w->r.v);
    }
    take_until(w, INT64_MAX - 1);
}

static uint64_t seed_of(void)
{
    const char *text = getenv("TENON_TEST_SEED");
    return text != NULL ? strtoull(text, NULL, 10) : 20240607;
}

static void compare_totals(const struct world *w)
{
    struct venue_totals t;
    venue_totals(w->r.v, &t);
    assert_int_equal(t.fills, w->fills);
    assert_int_equal(t.maker_fills, w->makers);
    assert_int_equal(t.taker_fills, w->takers);
    assert_int_equal(t.rejects, w->kinds[FACT_EXEC_REJECTED]);
    assert_int_equal(t.orders, w->ids);
    assert_int_equal(t.cancels, w->kinds[FACT_EXEC_CANCELED]);
    assert_int_equal(t.cancels_late, w->kinds[FACT_EXEC_CANCEL_LATE]);
    assert_int_equal(t.cancel_rejects, w->kinds[FACT_EXEC_CANCEL_REJECT]);
    assert_int_equal(t.expired, w->kinds[FACT_EXEC_EXPIRED]);
    assert_int_equal(venue_net(w->r.v, LIN), w->net);
}

static struct world one, two;

static void property_rules_hold_at_every_level(void **state)
{
    (void)state;
    uint64_t seed = seed_of();
    for (uint32_t level = 0; level < LEVELS; level++) {
        for (uint32_t profile = VENUE_PLAIN; profile <= VENUE_DEMO; profile++) {
            print_message("seed %llu level %u profile %u\n", (unsigned long long)seed, level,
                          profile);
            run(&one, seed + level, level, profile);
            compare_totals(&one);
            assert_true(one.fills > 20);
            rig_close(&one.r);
        }
    }
}

static bool cancels_after_partial(const char *ledger)
{
    for (const char *p = ledger; (p = strstr(p, "\ncancel t=")) != NULL; p++) {
        if (strstr(p, "cum=")[4] != '0')
            return true;
    }
    return false;
}

/* Runs together until all are seen, at most eighty: the rarest, a halt, begins with one order in
 * 500 that is otherwise good, about once in two runs. */
static void property_demo_produces_every_kind(void **state)
{
    (void)state;
    static const char *const words[] = {
        "trading_is_halted", "margin_is_being", "too_many_requests",
        "internal_error",    "\ncancel_late ",  "\nexpire ",
        "liquidity=maker",   "liquidity=taker", "text=busy,_try_again\n"};
    enum { WORDS = sizeof words / sizeof words[0] };
    bool seen[WORDS] = {false}, after_partial = false, partial = false, full = false, all = false;
    for (uint64_t i = 0; i < 80 && !all; i++) {
        run(&one, seed_of() + 100 + i, LEVEL_MIXED, VENUE_DEMO);
        struct venue_totals t;
        venue_totals(one.r.v, &t);
        for (int w = 0; w < WORDS; w++)
            seen[w] |= strstr(one.r.ledger, words[w]) != NULL;
        after_partial |= cancels_after_partial(one.r.ledger);
        partial |= t.partial_fills > 0;
        full |= t.fills > t.partial_fills;
        all = after_partial && partial && full;
        for (int w = 0; w < WORDS; w++)
            all = all && seen[w];
        rig_close(&one.r);
    }
    assert_true(all);
}

static void property_same_seed_gives_same_bytes(void **state)
{
    (void)state;
    uint64_t seed = seed_of();
    run(&one, seed, LEVEL_MIXED, VENUE_DEMO);
    run(&two, seed, LEVEL_MIXED, VENUE_DEMO);
    assert_int_equal(one.r.ledger_used, two.r.ledger_used);
    assert_memory_equal(one.r.ledger, two.r.ledger, one.r.ledger_used);
    rig_close(&two.r);
    run(&two, seed + 1, LEVEL_MIXED, VENUE_DEMO);
    assert_true(one.r.ledger_used != two.r.ledger_used ||
                memcmp(one.r.ledger, two.r.ledger, one.r.ledger_used) != 0);
    rig_close(&one.r);
    rig_close(&two.r);
}

static void write_file(const char *path, const char *text, size_t count)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, count, f), count);
    assert_int_equal(fclose(f), 0);
}

static int recount(const char *folder)
{
    char command[1024];
    snprintf(command, sizeof command,
             "/usr/bin/python3 -B '%s/tests/scenario/recount.py' '%s/ledger' --compare '%s/sum' "
             ">/dev/null 2>&1",
             TENON_SOURCE_DIR, folder, folder);
    int status = system(command);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void property_recount_by_other_code_agrees(void **state)
{
    (void)state;
    char folder[] = "/tmp/venue-recount-XXXXXX", path[64], sum[512];
    assert_non_null(mkdtemp(folder));
    run(&one, seed_of(), LEVEL_MIXED, VENUE_DEMO);
    struct venue_totals t;
    venue_totals(one.r.v, &t);
    int n = snprintf(sum, sizeof sum,
                     "{\"orders\": %llu, \"rejects\": %llu, \"fills\": %llu, \"partial_fills\": "
                     "%llu, \"maker_fills\": %llu, \"cancels\": %llu, \"cancels_late\": %llu, "
                     "\"expired\": %llu, \"net\": {\"LIN\": %lld, \"INV\": 0}}",
                     (unsigned long long)t.orders, (unsigned long long)t.rejects,
                     (unsigned long long)t.fills, (unsigned long long)t.partial_fills,
                     (unsigned long long)t.maker_fills, (unsigned long long)t.cancels,
                     (unsigned long long)t.cancels_late, (unsigned long long)t.expired,
                     (long long)one.net);
    snprintf(path, sizeof path, "%s/sum", folder);
    write_file(path, sum, (size_t)n);
    snprintf(path, sizeof path, "%s/ledger", folder);
    write_file(path, one.r.ledger, one.r.ledger_used);
    assert_int_equal(recount(folder), 0);
    /* One fee altered by one: found. */
    char *fee = strstr(one.r.ledger, " fee=");
    assert_non_null(fee);
    char *last = strstr(fee, " liquidity") - 1;
    *last = *last == '9' ? '8' : (char)(*last + 1);
    write_file(path, one.r.ledger, one.r.ledger_used);
    assert_int_equal(recount(folder), 1);
    unlink(path);
    snprintf(path, sizeof path, "%s/sum", folder);
    unlink(path);
    rmdir(folder);
    rig_close(&one.r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(property_rules_hold_at_every_level),
        cmocka_unit_test(property_demo_produces_every_kind),
        cmocka_unit_test(property_same_seed_gives_same_bytes),
        cmocka_unit_test(property_recount_by_other_code_agrees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
