/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: whatever happens in whatever order, each approval is answered at most once to the engine
 * that gave it, exactly once when things come to rest; no order is at the venue twice; what is said
 * to have not left is not there; and after a kill no order leaves.
 * Method: seeded streams of everything that can happen to a desk: approvals, honest and lying bays,
 * late, lost and repeated network words, full lines, dying bays, engines and processes, kills and
 * lifts. The venue's list is the judge; the desk's own whole-state check runs after each step.
 */
#include "tests/unit/base/dies.h"
#include "tests/lib/desk_rig.h"

enum { SEEDS = 24, STEPS = 400 };
struct given {
    uint64_t k, epoch;
    bool is_order, was_killed;
};
static struct rig rig;
static struct rng rng;
static struct given given[RIG_SAID_MAX];
static uint32_t given_count, killed_from;
static bool is_killed;

static uint64_t any(uint64_t bound)
{
    return rng_below(&rng, bound);
}

static void give(struct rig *r)
{
    static const enum rig_lie lies[] = {RIG_MORE, RIG_OTHER_ID, RIG_SILENT, RIG_REFUSES, RIG_LEAK};
    struct given *g = &given[given_count];
    r->lie = any(25) ? RIG_HONEST : lies[any(5)];
    r->is_late = any(4) == 0;
    g->epoch = r->epoch;
    g->was_killed = is_killed;
    uint64_t kind = any(6);
    g->is_order = kind > 1;
    if (kind == 0 && given_count)
        g->k = desk_rig_cancel(r, given[any(given_count)].k);
    else if (kind == 1 && given_count)
        g->k = desk_rig_query(r, given[any(given_count)].k);
    else
        g->k = desk_rig_order(r, any(2) ? RIG_BTC : RIG_ETH, any(2) ? TN_LONG : TN_SHORT,
                              (int64_t)(1 + any(50)) * 10, any(5) == 0);
    g->is_order |= !given_count;
    given_count++;
}

static void net_word(struct rig *r)
{
    static const uint32_t words[] = {DESK_NET_WRITTEN, DESK_NET_FAILED, DESK_NET_SILENT};
    if (!r->sent_count)
        return;
    struct rig_sent *s = &r->sent[any(r->sent_count)];
    uint32_t word = words[any(3)];
    if (s->m.type != TN_LINK_HTTP || s->is_replied)
        return;
    if (word == DESK_NET_FAILED) /* the truth: 0 bytes left, the venue will never see it */
        s->is_replied = true;
    if (word == DESK_NET_FAILED && s->is_written)
        return;
    s->is_written |= word == DESK_NET_WRITTEN;
    if (word == DESK_NET_SILENT && any(2))
        s->is_replied = true;
    desk_rig_net(r, word, RIG_HTTP, s->m.ticket);
}

static void expect_true_answers(struct rig *r);

static void new_engine(struct rig *r, bool process)
{
    expect_true_answers(r);
    if (process) {
        desk_rig_venue(r);
        desk_rig_boot(r);
    } else {
        desk_rig_forget(r);
    }
    desk_rig_attach(r, r->epoch + 1);
    desk_rig_bay(r);
    killed_from = r->sent_count;
}

static void lift(struct rig *r)
{
    struct road_kill k = {.by = "two"};
    desk_from_core(r->d, r->now, ROAD_LIFT, &k, sizeof k);
    is_killed = false;
}

static void step(struct rig *r)
{
    uint64_t what = any(100);
    if (what < 45)
        give(r);
    else if (what < 55)
        desk_rig_answer(r);
    else if (what < 65)
        desk_rig_durable(r);
    else if (what < 72)
        desk_rig_venue(r);
    else if (what < 80)
        net_word(r);
    else if (what < 86)
        desk_time(r->d, r->now += (int64_t)any(120) * RIG_MS);
    else if (what < 88)
        r->core_full = !r->core_full;
    else if (what < 90)
        r->bay_full = !r->bay_full;
    else if (what < 92)
        r->net_gone = !r->net_gone;
    else if (what < 94)
        desk_bay(r->d, r->now, RIG_ACCOUNT, false, any(2) == 0);
    else if (what < 95)
        desk_rig_net(r, DESK_NET_DOWN, RIG_HTTP, 0);
    else if (what < 97)
        desk_rig_bay(r);
    else if (what < 98)
        new_engine(r, any(2) == 0);
    else if (is_killed)
        lift(r);
    else if (any(4) == 0) {
        desk_rig_kill(r, any(2) == 0);
        is_killed = true;
        killed_from = r->sent_count;
    }
    desk_check(r->d);
}

static struct rig_order *at_venue(struct rig *r, const struct given *g)
{
    char id[ROAD_CLIENT_ID_BYTES];
    snprintf(id, sizeof id, "T%llu-%llu-1", (unsigned long long)g->epoch, (unsigned long long)g->k);
    return desk_rig_order_of(r, id);
}

static void expect_true_answers(struct rig *r)
{
    for (uint32_t i = 0; i < given_count; i++) {
        uint32_t times;
        if (given[i].epoch != r->epoch)
            continue;
        const struct road_sent *s = desk_rig_sent_of(r, given[i].k, &times);
        assert_true(times <= 1);
        if (!s || !given[i].is_order)
            continue;
        if (s->sent.what == FACT_SENT_SUPPRESSED || s->sent.what == FACT_SENT_FAILED)
            assert_null(at_venue(r, &given[i]));
        if (given[i].was_killed)
            assert_int_equal(s->sent.what, FACT_SENT_SUPPRESSED);
    }
    for (uint32_t i = 0; i < r->order_count; i++)
        assert_int_equal(r->order[i].times, 1);
}

static void expect_all_answered(struct rig *r)
{
    for (uint32_t i = 0; i < given_count; i++) {
        uint32_t times;
        if (given[i].epoch != r->epoch)
            continue;
        desk_rig_sent_of(r, given[i].k, &times);
        if (times != 1)
            fail_msg("approval %llu was answered %u times", (unsigned long long)given[i].k, times);
    }
}

static void desk_any_order_of_events_answers_once_and_sends_at_most_once(void **state)
{
    (void)state;
    uint32_t orders = 0, all = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        print_message("seed %llu\n", (unsigned long long)seed);
        rng_seed(&rng, seed);
        given_count = 0;
        is_killed = false;
        desk_rig_start(&rig, 1);
        for (uint32_t i = 0; i < STEPS; i++) {
            step(&rig);
            if (rig.said_count > RIG_SAID_MAX / 2 || rig.sent_count > RIG_SENT_MAX / 2 ||
                rig.asked_count > RIG_ORDERS_MAX / 2)
                break;
        }
        rig.core_full = rig.bay_full = rig.net_gone = false;
        desk_rig_run(&rig, 20000 * RIG_MS);
        expect_true_answers(&rig);
        expect_all_answered(&rig);
        struct desk_totals t;
        desk_totals(rig.d, &t);
        assert_int_equal(t.open, 0);
        orders += rig.order_count;
        all += given_count;
        desk_rig_stop(&rig);
    }
    print_message("%u approvals, %u orders at the venue\n", all, orders);
    assert_true(orders > SEEDS * 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(desk_any_order_of_events_answers_once_and_sends_at_most_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
