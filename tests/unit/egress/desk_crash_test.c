/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: egress may die after any store to its witness, and what it then says of each approval is
 * true: 0 bytes left, or nobody knows; and what was taken once is never sent again.
 * Method: one script of orders, cancels, refusals and a kill; for n = 1, 2, ... the process ends at
 * its n-th store (nothing it does after that counts), a new desk begins over the same witness, a
 * new engine attaches, and the venue's own list is the judge. The same with power lost: the witness
 * comes back as it was some stores earlier, in another boot.
 */
#include "tests/unit/base/dies.h"
#include "tests/lib/desk_rig.h"

enum { ORDERS = 20 };
struct script {
    uint64_t order[ORDERS], cancel[ORDERS];
    uint32_t orders, cancels;
};
static struct rig rig;
static struct witness older;

/* Ends early when the process has died: an engine sees its link break. */
static void play(struct rig *r, struct script *s, bool kills)
{
    memset(s, 0, sizeof *s);
    r->position[0] = 5000;
    for (uint32_t i = 0; i < ORDERS && !r->dead; i++) {
        r->lie = i == 4 ? RIG_MORE : i == 7 ? RIG_SILENT : RIG_HONEST;
        s->order[s->orders++] = desk_rig_order(r, RIG_BTC, TN_LONG, 100, i == 5);
        if (!r->dead && i % 3 == 2)
            desk_rig_durable(r);
        if (!r->dead && i % 4 == 3)
            s->cancel[s->cancels++] = desk_rig_cancel(r, s->order[0]);
        if (!r->dead && i % 2)
            desk_rig_venue(r);
        if (!r->dead && i == 8)
            desk_rig_net(r, DESK_NET_DOWN, RIG_HTTP, 0);
        if (!r->dead && i == 8)
            desk_rig_net(r, DESK_NET_UP, RIG_HTTP, 0);
    }
    if (!r->dead && kills)
        desk_rig_kill(r, false);
    for (int i = 0; i < 40 && !r->dead; i++)
        desk_rig_run(r, 20 * RIG_MS);
    desk_rig_venue(r); /* what left before the end arrives */
}

static struct rig_order *at_venue(struct rig *r, uint64_t order, uint64_t epoch)
{
    char id[ROAD_CLIENT_ID_BYTES];
    snprintf(id, sizeof id, "T%llu-%llu-1", (unsigned long long)epoch, (unsigned long long)order);
    return desk_rig_order_of(r, id);
}

static void expect_true(struct rig *r, uint64_t k, uint32_t what)
{
    struct rig_order *o = at_venue(r, k, 3);
    if (what == FACT_SENT_FAILED || what == FACT_SENT_SUPPRESSED)
        assert_null(o);
    if (what == FACT_SENT_OK)
        assert_non_null(o);
    if (o)
        assert_int_equal(o->times, 1);
}

/* What the first life said, and what the second says of it. */
static void judge(struct rig *r, const struct script *s)
{
    uint32_t times;
    for (uint32_t i = 0; i < s->orders; i++) {
        const struct road_sent *said = desk_rig_sent_of(r, s->order[i], &times);
        assert_true(times <= 1);
        if (said)
            expect_true(r, s->order[i], said->sent.what);
    }
    r->now += RIG_MS;
    desk_rig_boot(r);
    desk_rig_attach(r, 4);
    desk_rig_bay(r);
    for (uint32_t i = 0; i < s->orders; i++) {
        const struct road_open *open = NULL;
        for (uint32_t k = 0; k < r->said_count; k++)
            if (r->said[k].kind == ROAD_OPEN && r->said[k].open.approval == s->order[i]) {
                assert_null(open);
                open = &r->said[k].open;
            }
        if (open)
            expect_true(r, s->order[i], open->what);
        else if (!r->power_lost) /* the witness never heard of it: it cannot have left */
            assert_null(at_venue(r, s->order[i], 3));
    }
    for (uint32_t i = 0; i < s->orders; i++) /* the old bay's templates come once more */
        if (i < r->old_count)
            desk_rig_template(r, &r->old[i], RIG_HONEST);
    desk_durable(r->d, r->now, 1u << 30);
    desk_rig_run(r, 400 * RIG_MS);
    for (uint32_t i = 0; i < r->order_count; i++)
        assert_int_equal(r->order[i].times, 1);
    desk_check(r->d);
}

static uint32_t die_at_each(bool kills, bool power, uint32_t step)
{
    struct script s;
    uint32_t n = 1;
    for (;; n += step) {
        desk_rig_start(&rig, 1);
        rig.die_at = n;
        play(&rig, &s, kills);
        bool died = rig.dead;
        rig.old_count = rig.asked_count;
        memcpy(rig.old, rig.asked, sizeof rig.old);
        if (power && died) {
            desk_rig_stop(&rig);
            /* once more, to see the witness some stores before its end */
            desk_rig_start(&rig, 1);
            rig.die_at = n > 5 ? n - 5 : 1;
            struct script same;
            play(&rig, &same, kills);
            memcpy(&older, rig.left, sizeof older);
            desk_rig_stop(&rig);
            desk_rig_start(&rig, 1);
            rig.die_at = n;
            play(&rig, &s, kills);
            memcpy(rig.left, &older, sizeof older);
            rig.boot = 2;
            rig.power_lost = true;
        }
        judge(&rig, &s);
        desk_rig_stop(&rig);
        if (!died)
            break;
    }
    return n;
}

static void desk_crash_at_each_store_of_the_witness_is_told_truly(void **state)
{
    (void)state;
    uint32_t plain = die_at_each(false, false, 1), killed = die_at_each(true, false, 1);
    print_message("%u and %u stores\n", plain, killed);
    assert_true(plain > 60 && killed > plain);
}

static void desk_power_lost_makes_what_was_open_unknown(void **state)
{
    (void)state;
    uint32_t n = die_at_each(false, true, 3);
    print_message("%u stores\n", n);
}

static void desk_crash_in_the_second_life_is_told_truly_too(void **state)
{
    (void)state;
    for (uint32_t n = 1; n < 40; n += 2) {
        struct script s;
        desk_rig_start(&rig, 1);
        rig.die_at = 30;
        play(&rig, &s, false);
        assert_true(rig.dead);
        desk_rig_boot(&rig);
        rig.die_at = n; /* in recovery, in attach, or soon after */
        desk_rig_attach(&rig, 4);
        if (!rig.dead)
            desk_rig_bay(&rig);
        rig.old_count = 0;
        judge(&rig, &s);
        desk_rig_stop(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(desk_crash_at_each_store_of_the_witness_is_told_truly),
        cmocka_unit_test(desk_power_lost_makes_what_was_open_unknown),
        cmocka_unit_test(desk_crash_in_the_second_life_is_told_truly_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
