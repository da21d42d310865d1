/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: a link leads where people signed, and nowhere else, however old it is.
 * Method: the rig's bay asks for links; what the desk opens and closes is counted and read.
 */
#include "tests/unit/base/dies.h"
#include "tests/lib/desk_rig.h"

static struct rig rig;

static int up(void **state)
{
    *state = &rig;
    desk_rig_start(&rig, 1);
    return 0;
}
static int down(void **state)
{
    desk_rig_stop(*state);
    return 0;
}

static void desk_a_link_goes_to_a_signed_endpoint_and_no_other(void **state)
{
    struct rig *r = *state;
    uint32_t opened = r->opened;
    struct line_open o = {.id = 5, .type = TN_LINK_WS, .endpoint = 1};
    desk_from_bay(r->d, r->now, RIG_ACCOUNT, false, LINE_OPEN, &o, sizeof o);
    assert_int_equal(r->opened, opened);
    assert_int_equal(desk_rig_alarms(r, ROAD_ALARM_LINE), 1);
    o.endpoint = 0;
    desk_from_bay(r->d, r->now, RIG_ACCOUNT, false, LINE_OPEN, &o, sizeof o);
    assert_int_equal(r->opened, opened + 1);
}

static void open_link(struct rig *r, uint32_t id, uint32_t type, const char *path)
{
    struct {
        struct line_open o;
        char path[16];
    } m = {.o = {.id = id, .type = type, .path_bytes = (uint32_t)strlen(path)}};
    memcpy(m.path, path, strlen(path));
    desk_from_bay(r->d, r->now, RIG_ACCOUNT, false, LINE_OPEN, &m,
                  (uint32_t)(sizeof m.o + strlen(path)));
}

/* Sessions outlive engine and bay, but not what people signed of where they lead. */
static void desk_a_link_that_leads_elsewhere_begins_anew(void **state)
{
    struct rig *r = *state;
    uint32_t opened = r->opened;
    desk_bay(r->d, r->now, RIG_ACCOUNT, false, true);
    open_link(r, RIG_HTTP, TN_LINK_HTTP, "");
    assert_true(r->opened == opened && r->closed == 0);
    r->endpoint = "http://127.0.0.1:2";
    desk_rig_attach(r, 4);
    desk_bay(r->d, r->now, RIG_ACCOUNT, false, true);
    open_link(r, RIG_HTTP, TN_LINK_HTTP, "");
    assert_true(r->opened == opened + 1 && r->closed == 1);
    assert_string_equal(r->opened_at, "http://127.0.0.1:2");
    assert_true(r->in.kind == TN_IN_DOWN && r->in.link == RIG_HTTP);
    r->endpoint = NULL; /* and once more while it is on its way */
    desk_rig_attach(r, 5);
    open_link(r, RIG_HTTP, TN_LINK_HTTP, "");
    assert_true(r->opened == opened + 2 && r->closed == 2);
    desk_rig_net(r, DESK_NET_UP, RIG_HTTP, 0);
    open_link(r, RIG_HTTP, TN_LINK_HTTP, "/v2");
    assert_true(r->opened == opened + 3 && r->closed == 3);
    assert_string_equal(r->opened_at, "http://127.0.0.1:1/v2");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, up, down)
    const struct CMUnitTest tests[] = {
        T(desk_a_link_goes_to_a_signed_endpoint_and_no_other),
        T(desk_a_link_that_leads_elsewhere_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
