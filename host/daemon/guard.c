/* SPDX-License-Identifier: Apache-2.0
 *
 * See guard.h. The host lifts only what it set itself: a REDUCING that a person wants stays.
 */
#include "daemon/guard.h"
#include <stdio.h>

enum { GUARD_MS = 1000, DISK_FULL_PPM = 950000, DISK_ROOM_PPM = 900000 };
#define MS_NS 1000000ll

/* How far the wall clock left the monotonic one since the last look: a step or a freeze of it. Slow
 * drift is what a time service does to a clock on purpose. Asked only when market time is wall
 * time: a market that runs faster or out of a file has no clock to be wrong. */
static struct result guard_clock(struct guard *g, int64_t mono_ns, struct trail *tr)
{
    int64_t wall_ns = clock_wall(&clock_system);
    int64_t skew = (wall_ns - g->wall_ns) - (mono_ns - g->mono_ns);
    bool first = g->mono_ns == 0;
    g->wall_ns = wall_ns;
    g->mono_ns = mono_ns;
    int64_t change = skew > g->skew_ns ? skew - g->skew_ns : g->skew_ns - skew;
    if (first || change < MS_NS)
        return OK_RESULT;
    g->skew_ns = skew;
    struct fact_clock e = {.skew_ns = skew};
    return lockstep_command(g->engine, FACT_CLOCK, &e, tr);
}

/* Decision note 0006: a filling disk is REDUCING, by the host, until there is room again. */
static struct result guard_disk(struct guard *g, struct trail *tr)
{
    uint64_t ppm = 0;
    const struct journal *j = lockstep_journal(g->engine);
    if (j == NULL)
        return OK_RESULT;
    (void)!is_ok(journal_health(j, &ppm));
    bool fills = ppm >= DISK_FULL_PPM, has_room = ppm < DISK_ROOM_PPM;
    enum mode now = core_mode(lockstep_core(g->engine), MODE_SCOPE_GLOBAL, 0);
    struct fact_mode m = {.scope = MODE_SCOPE_GLOBAL, .by = "host"};
    if (!g->disk_reducing && fills && now < MODE_REDUCING) {
        m.mode = MODE_REDUCING;
        snprintf(m.reason, sizeof m.reason, "disk %lu %% full", (unsigned long)(ppm / 10000));
        log_now(
            g->log, LOG_ERROR, NULL,
            "journal %s: the disk is %lu %% full: only reducing orders from here on; free space "
            "or prune the journal",
            g->journal, (unsigned long)(ppm / 10000));
    } else if (g->disk_reducing && has_room && now == MODE_REDUCING) {
        m.mode = MODE_ACTIVE;
        snprintf(m.reason, sizeof m.reason, "there is room on the disk again");
    } else {
        return OK_RESULT;
    }
    g->disk_reducing = m.mode == MODE_REDUCING;
    return lockstep_command(g->engine, FACT_MODE, &m, tr);
}

struct result guard_look(struct guard *g, struct trail *tr)
{
    int64_t now = clock_mono(&clock_system);
    if (now - g->last_ns < GUARD_MS * MS_NS)
        return OK_RESULT;
    g->last_ns = now;
    if (g->watches_clock)
        TRY(guard_clock(g, now, tr));
    return guard_disk(g, tr);
}
