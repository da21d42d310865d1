/* SPDX-License-Identifier: Apache-2.0
 *
 * The order of a start: both lines are made and ours is opened, the process is started with its
 * ends, egress is given the other end of its line, and only then the bay is told what it is; so its
 * first connection finds egress listening.
 *
 * A process that has ended is told by its pidfd; one that hangs in its adapter by its heartbeat,
 * which a bay gives twenty times a second and never from within a call of the adapter. The engine
 * counts only while it looks itself: after a time in which it was away (stopped, or with no room
 * for answers) the count begins anew, so a bay is not blamed for a pause of the whole machine.
 */
#include "flow/road_bay.h"
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/must.h"
#include "tbl/lines.h"

#define AWAY_NS 1000000000ll /* the host looks ten times a second at least */

static struct result tell(struct road_agent *a, const struct road_bay_spec *s, struct trail *tr)
{
    bool ok = link_put(&a->line, LINE_ADAPTER, s->adapter, sizeof *s->adapter) &&
              link_put(&a->line, LINE_ACTIVATE, NULL, 0);
    link_ring(&a->line);
    if (!ok)
        return FAIL(tr, FULL, "adapter bay of account %u: its line has no room at its start",
                    s->adapter->account);
    return OK_RESULT;
}

struct result road_bay_start(struct road_agent *a, const struct road_bay_spec *s,
                             struct road_link *road, struct trail *tr)
{
    struct link_end core[2], desk[2];
    const int module = bay_module_fd(s->module);
    struct road_bay message = {.account = s->adapter->account,
                               .link_bytes = LINE_BYTES,
                               .is_second = s->adapter->is_second};
    must(a->state != ROAD_BAY_RUNS);
    memset(a, 0, sizeof *a);
    TRY(link_make(LINE_BYTES, core, tr));
    struct result r = link_make(LINE_BYTES, desk, tr);
    if (!is_ok(r)) {
        link_end_close(&core[0]);
        link_end_close(&core[1]);
        return r;
    }
    r = link_open(&core[0], &a->line, tr);
    if (!is_ok(r)) {
        link_end_close(&core[1]);
        link_end_close(&desk[0]);
        link_end_close(&desk[1]);
        return r;
    }
    struct spawn_request q = {.kind = SPAWN_ADAPTER,
                              .cpu = SPAWN_ANY_CPU,
                              .core = core[1],
                              .desk = desk[1],
                              .module_fd = &module,
                              .module_count = 1};
    r = spawn_bay(s->spawn, &q, &a->child, tr);
    if (!is_ok(r)) {
        link_close(&a->line);
        link_end_close(&desk[0]);
        return r;
    }
    a->state = ROAD_BAY_RUNS;
    r = road_link_bay(road, &message, &desk[0], tr);
    if (is_ok(r))
        r = tell(a, s, tr);
    if (!is_ok(r))
        road_bay_fail(a, s->spawn, "it could not be started");
    return r;
}

void road_bay_stop(struct road_agent *a, struct spawn *spawn)
{
    if (a->state != ROAD_BAY_RUNS)
        return;
    (void)link_put(&a->line, LINE_STOP, NULL, 0);
    link_ring(&a->line);
    link_close(&a->line);
    spawn_kill(spawn, a->child.id);
    close(a->child.pidfd);
    memset(a, 0, sizeof *a);
}

void road_bay_fail(struct road_agent *a, struct spawn *spawn, const char *why)
{
    if (a->state != ROAD_BAY_RUNS)
        return;
    snprintf(a->why, sizeof a->why, "%.*s", (int)sizeof a->why - 1, why);
    link_close(&a->line);
    spawn_kill(spawn, a->child.id);
    close(a->child.pidfd);
    a->state = ROAD_BAY_GONE;
}

static bool has_ended(const struct road_agent *a)
{
    struct pollfd p = {.fd = a->child.pidfd, .events = POLLIN};
    return poll(&p, 1, 0) > 0;
}

bool road_bay_hangs(struct road_agent *a, int64_t mono_ns)
{
    const int64_t beat = link_their_beat(&a->line);
    if (beat != a->beat || mono_ns - a->looked_ns > AWAY_NS) {
        a->beat = beat;
        a->beat_ns = mono_ns;
    }
    a->looked_ns = mono_ns;
    return mono_ns - a->beat_ns > ROAD_BAY_HANGS_NS;
}

bool road_bay_take(struct road_agent *a, struct spawn *spawn, struct link_message *m, void *buffer,
                   uint32_t capacity)
{
    char text[SPAWN_TEXT_BYTES];
    if (a->state != ROAD_BAY_RUNS)
        return false;
    if (link_take(&a->line, m, buffer, capacity))
        return true;
    if (a->line.broken != NULL) {
        road_bay_fail(a, spawn, a->line.broken);
        return false;
    }
    /* What it still had said is read before its end is looked at. */
    if (has_ended(a) && !link_has(&a->line)) {
        if (!spawn_how(spawn, a->child.id, NULL, text))
            snprintf(text, sizeof text, "it ended");
        road_bay_fail(a, spawn, text);
    } else if (road_bay_hangs(a, clock_mono(&clock_system))) {
        road_bay_fail(a, spawn,
                      "it gives no sign of life for 5 s: its adapter does not come back from a "
                      "call, or its process was stopped");
    }
    return false;
}
