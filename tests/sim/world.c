/* SPDX-License-Identifier: Apache-2.0
 *
 * The world: what happens next. At equal times things of the heap come first, then the desk, the
 * house and the engine; so nothing depends on anything but the seed.
 */
#include "tests/sim/sim.h"
#include "base/hash.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the heap ---- */

static bool before(const struct sim_thing *a, const struct sim_thing *b)
{
    return a->t_ns != b->t_ns ? a->t_ns < b->t_ns : a->number < b->number;
}

static void heap_put(struct sim *s, const struct sim_thing *t)
{
    if (s->things == s->room) {
        s->room = s->room ? 2 * s->room : 1024;
        s->heap = realloc(s->heap, s->room * sizeof *s->heap);
        must(s->heap != NULL);
    }
    uint32_t i = s->things++;
    for (; i > 0 && before(t, &s->heap[(i - 1) / 2]); i = (i - 1) / 2)
        s->heap[i] = s->heap[(i - 1) / 2];
    s->heap[i] = *t;
}

static struct sim_thing heap_take(struct sim *s)
{
    const struct sim_thing top = s->heap[0], last = s->heap[--s->things];
    uint32_t i = 0;
    for (;;) {
        uint32_t down = 2 * i + 1;
        if (down >= s->things)
            break;
        if (down + 1 < s->things && before(&s->heap[down + 1], &s->heap[down]))
            down++;
        if (!before(&s->heap[down], &last))
            break;
        s->heap[i] = s->heap[down];
        i = down;
    }
    s->heap[i] = last;
    return top;
}

void sim_post(struct sim *s, enum sim_pipe pipe, int64_t delay_ns, const struct sim_thing *t,
              const void *head, uint32_t head_count, const void *body, uint32_t body_count)
{
    struct sim_thing it = *t;
    must(delay_ns >= 0);
    it.t_ns = s->now_ns + delay_ns;
    it.number = s->number++;
    it.pipe = pipe;
    it.count = head_count + body_count;
    it.bytes = it.count ? malloc(it.count) : NULL;
    must(it.bytes || it.count == 0);
    if (head_count)
        memcpy(it.bytes, head, head_count);
    if (body_count)
        memcpy(it.bytes + head_count, body, body_count);
    if (pipe != SIM_PIPE_NONE) {
        it.life = s->pipe[pipe].life;
        if (pipe != SIM_PIPE_HTTP && it.t_ns < s->pipe[pipe].last_ns)
            it.t_ns = s->pipe[pipe].last_ns;
        s->pipe[pipe].last_ns = it.t_ns;
    }
    heap_put(s, &it);
}

void sim_cut(struct sim *s, enum sim_pipe pipe)
{
    s->pipe[pipe].life++;
    s->pipe[pipe].last_ns = s->now_ns;
}

/* ---- chance ---- */

int64_t sim_between(struct rng *r, int64_t low, int64_t high)
{
    return low + (int64_t)rng_below(r, (uint64_t)(high - low) + 1);
}

bool sim_fault(struct sim *s, enum sim_fault f, uint64_t one_in)
{
    if (s->often[f] == 0 || s->is_quiet)
        return false;
    if (rng_below(&s->faults, s->often[f] == 2 ? one_in : 8 * one_in) != 0)
        return false;
    s->happened[f]++;
    return true;
}

static const uint32_t every_s[SIM_FAULT_END] = {
#define X(name, every, text) [SIM_##name] = every,
    SIM_FAULTS(X)
#undef X
};

/* The next time of a fault that comes by itself. */
static void plan_fault(struct sim *s, enum sim_fault f)
{
    if (s->often[f] == 0)
        return;
    const int64_t mean = every_s[f] * SIM_S * (s->often[f] == 2 ? 1 : 5);
    const struct sim_thing t = {.kind = SIM_FAULT, .a = f};
    sim_post(s, SIM_PIPE_NONE, sim_between(&s->faults, SIM_S, 2 * mean), &t, NULL, 0, NULL, 0);
}

static void plan_faults(struct sim *s)
{
    for (uint32_t f = 1; f < SIM_FAULT_END; f++) {
        const uint64_t draw = rng_below(&s->faults, 3);
        s->often[f] = s->o.no_faults ? 0 : (uint32_t)draw;
        if (f == SIM_KILL && rng_below(&s->faults, 3) != 0)
            s->often[f] = 0;
        plan_fault(s, (enum sim_fault)f);
    }
}

void sim_mix(struct sim *s, const void *bytes, size_t count)
{
    s->hash = (s->hash << 7 | s->hash >> 57) ^ (uint64_t)s->now_ns;
    s->hash = s->hash * 0x9e3779b97f4a7c15ull + hash_crc32c((uint32_t)s->hash, bytes, count);
}

/* ---- life ---- */

static int64_t now_of(void *arg)
{
    return ((struct sim *)arg)->now_ns;
}

void sim_violated(struct sim *s, int invariant, const char *fmt, ...)
{
    if (s->is_broken)
        return;
    s->is_broken = true;
    va_list args;
    int n = snprintf(s->why, sizeof s->why, "invariant %d at %.6f s: ", invariant,
                     (double)(s->now_ns - SIM_T0) / 1e9);
    va_start(args, fmt);
    vsnprintf(s->why + n, sizeof s->why - (size_t)n, fmt, args);
    va_end(args);
}

void sim_open(struct sim *s, const struct sim_options *o)
{
    memset(s, 0, sizeof *s);
    s->o = *o;
    s->now_ns = SIM_T0;
    s->end_ns = SIM_T0 + o->length_ns;
    s->quiet_ns = s->end_ns - 90 * SIM_S;
    s->clock = (struct clock){.wall_ns = now_of, .mono_ns = now_of, .arg = s};
    rng_seed(&s->world, o->seed * 5);
    rng_seed(&s->market, o->seed * 5 + 1);
    rng_seed(&s->belief, o->seed * 5 + 2);
    rng_seed(&s->net, o->seed * 5 + 3);
    rng_seed(&s->faults, o->seed * 5 + 4);
    s->disk = simdisk_new();
    s->watch = watch_new(s);
    s->exchange = exchange_new(s);
    s->engine = engine_new(s);
    office_open(s);
    plan_faults(s);
}

void sim_close(struct sim *s)
{
    office_close(s);
    engine_free(s->engine);
    exchange_free(s->exchange);
    watch_free(s->watch);
    simdisk_free(s->disk);
    for (uint32_t i = 0; i < s->things; i++)
        free(s->heap[i].bytes);
    free(s->heap);
}

static void start_later(struct sim *s, enum sim_process who, int64_t delay_ns)
{
    const struct sim_thing t = {.kind = SIM_START, .a = who};
    sim_post(s, SIM_PIPE_NONE, delay_ns, &t, NULL, 0, NULL, 0);
}

void sim_crash(struct sim *s, enum sim_process who)
{
    const int64_t down = sim_between(&s->faults, 20 * SIM_MS, 3 * SIM_S);
    s->deaths++;
    if (who == SIM_ENGINE && engine_is_up(s->engine)) {
        office_crash_bay(s); /* adapter bays die with the engine */
        engine_crash(s->engine);
        start_later(s, SIM_ENGINE, down);
    } else if (who == SIM_EGRESS && s->desk) {
        office_crash_egress(s);
        start_later(s, SIM_EGRESS, down);
    } else if (who == SIM_BAY && s->agent) {
        office_crash_bay(s);
        engine_bay_gone(s->engine);
        start_later(s, SIM_BAY, down);
    } else if (who == SIM_VENUE && exchange_is_up(s->exchange)) {
        exchange_crash(s->exchange);
        start_later(s, SIM_VENUE, down);
    }
}

bool sim_point(struct sim *s, enum sim_process who)
{
    if (who != s->o.crash_who || s->now_ns > s->end_ns - 40 * SIM_S) /* time to recover */
        return false;
    s->operations++;
    if (s->o.crash_at == 0)
        return false;
    if (s->operations != s->o.crash_at &&
        (s->o.crash_again == 0 || s->operations != s->o.crash_at + s->o.crash_again))
        return false;
    if (who == SIM_ENGINE)
        sim_crash(s, who);
    return true;
}

static void start(struct sim *s, enum sim_process who)
{
    if (who == SIM_ENGINE)
        engine_start(s->engine);
    else if (who == SIM_EGRESS)
        office_start_egress(s);
    else if (who == SIM_BAY && engine_is_up(s->engine))
        office_start_bay(s);
    else if (who == SIM_VENUE)
        exchange_start(s->exchange);
}

/* ---- faults that come by themselves ---- */

static void disk_fault(struct sim *s, enum sim_fault f)
{
    if (f == SIM_DISK_FULL)
        simdisk_fail(s->disk, rng_below(&s->faults, 2) ? RESULT_DISK_FULL : RESULT_IO);
    const struct sim_thing t = {.kind = SIM_FAULT, .a = f, .b = 1};
    sim_post(s, SIM_PIPE_NONE, sim_between(&s->faults, 100 * SIM_MS, 10 * SIM_S), &t, NULL, 0, NULL,
             0);
}

static void press_door(struct sim *s, int64_t delay_ns)
{
    const struct sim_thing t = {.kind = SIM_FAULT, .a = SIM_KILL, .b = 2};
    sim_post(s, SIM_PIPE_NONE, delay_ns, &t, NULL, 0, NULL, 0);
}

static void door(struct sim *s)
{
    struct road_kill k = {.keep_positions = rng_below(&s->faults, 4) == 0, .wall_ns = s->now_ns};
    snprintf(k.by, sizeof k.by, "simulator");
    snprintf(k.reason, sizeof k.reason, "by chance");
    if (!s->desk || s->is_desk_dying)
        return;
    watch_killed(s->watch);
    desk_kill(s->desk, s->now_ns, &k);
}

static void press_kill(struct sim *s)
{
    if (rng_below(&s->faults, 2))
        door(s);
    else if (engine_is_up(s->engine))
        engine_kill(s->engine, rng_below(&s->faults, 4) == 0);
}

static void happen(struct sim *s, const struct sim_thing *t)
{
    const enum sim_fault f = (enum sim_fault)t->a;
    if (t->b == 1) { /* the disk is well again */
        simdisk_fail(s->disk, 0);
        return;
    }
    if (t->b == 2) {
        door(s);
        return;
    }
    plan_fault(s, f);
    if (s->is_quiet)
        return;
    s->happened[f]++;
    if (f == SIM_ENGINE_CRASH)
        sim_crash(s, SIM_ENGINE);
    else if (f == SIM_EGRESS_CRASH)
        sim_crash(s, SIM_EGRESS);
    else if (f == SIM_BAY_CRASH)
        sim_crash(s, SIM_BAY);
    else if (f == SIM_VENUE_CRASH)
        sim_crash(s, SIM_VENUE);
    else if (f == SIM_DISCONNECT)
        cable_break(s, (uint32_t)rng_below(&s->faults, SIM_LINKS));
    else if (f == SIM_PARTITION)
        cable_partition(s, sim_between(&s->faults, SIM_S, 25 * SIM_S));
    else if (f == SIM_DISK_FULL)
        disk_fault(s, f);
    else if (f == SIM_PLUGIN && engine_is_up(s->engine))
        engine_nonsense(s->engine);
    else if (f == SIM_KILL)
        press_kill(s);
    else
        s->happened[f]--; /* it comes with a request, not by itself */
}

/* ---- one thing ---- */

static void to_desk(struct sim *s, const struct sim_thing *t)
{
    if (!s->desk || s->is_desk_dying)
        return;
    if (t->kind == SIM_ROAD_OUT) {
        if (t->a == ROAD_KILL)
            watch_killed(s->watch);
        if (t->a == ROAD_ORDER && sim_fault(s, SIM_KILL, 200)) /* while it waits for its record */
            press_door(s, SIM_MS / 4);
        desk_from_core(s->desk, s->now_ns, (uint32_t)t->a, t->bytes, t->count);
    } else if (t->kind == SIM_ROAD_GONE) {
        desk_detach(s->desk, s->now_ns);
    } else if (t->kind == SIM_BAY_DESK) {
        desk_from_bay(s->desk, s->now_ns, SIM_ACCOUNT, false, (uint32_t)t->a, t->bytes, t->count);
    } else if (t->kind == SIM_BAY_HERE) {
        desk_bay(s->desk, s->now_ns, SIM_ACCOUNT, false, t->a != 0);
    } else {
        struct desk_net_in in;
        memcpy(&in, t->bytes, sizeof in);
        in.bytes = t->bytes + sizeof in;
        desk_from_net(s->desk, s->now_ns, &in);
    }
}

static void to_venue(struct sim *s, const struct sim_thing *t)
{
    struct cable_request q;
    if (t->kind == SIM_NET_OPEN) {
        cable_opened(s, (uint32_t)t->a, (uint32_t)t->b);
    } else if (!exchange_is_up(s->exchange)) {
        return;
    } else if (t->kind == SIM_NET_HTTP) {
        memcpy(&q, t->bytes, sizeof q);
        exchange_http(s->exchange, &q, t->bytes + sizeof q);
    } else {
        exchange_ws(s->exchange, (uint32_t)t->a, t->bytes, t->count);
    }
}

static void trace(const struct sim *s, const struct sim_thing *t)
{
    static const char *const names[] = {
        "?",      "road out", "road in", "road gone", "line in", "desk bay", "bay desk", "bay here",
        "net in", "http",     "ws",      "open",      "stored",  "signal",   "fault",    "start"};
    char text[400];
    uint32_t n = 0;
    for (uint32_t i = 0; i < t->count && n + 1 < sizeof text; i++)
        if (t->bytes[i] >= 0x20 && t->bytes[i] < 0x7f)
            text[n++] = (char)t->bytes[i];
    text[n] = '\0';
    printf("%14.6f %s %lu %lu: %s\n", (double)(s->now_ns - SIM_T0) / 1e9, names[t->kind],
           (unsigned long)t->a, (unsigned long)t->b, text);
}

static void do_thing(struct sim *s, const struct sim_thing *t)
{
    if (s->o.trace)
        trace(s, t);
    sim_mix(s, &t->kind, sizeof t->kind);
    sim_mix(s, t->bytes, t->count);
    switch (t->kind) {
    case SIM_ROAD_OUT:
    case SIM_ROAD_GONE:
    case SIM_BAY_DESK:
    case SIM_BAY_HERE:
    case SIM_NET_IN:
        to_desk(s, t);
        break;
    case SIM_ROAD_IN:
        if (engine_is_up(s->engine) && !sim_point(s, SIM_ENGINE))
            engine_road(s->engine, (uint32_t)t->a, t->bytes, t->count);
        break;
    case SIM_LINE_IN:
        if (engine_is_up(s->engine) && !sim_point(s, SIM_ENGINE))
            engine_line(s->engine, (uint32_t)t->a, t->bytes, t->count);
        break;
    case SIM_DESK_BAY:
        if (s->agent) {
            agent_take(s->agent, (uint32_t)t->a, t->bytes, t->count);
            must(agent_flush(s->agent));
        }
        break;
    case SIM_NET_OPEN:
    case SIM_NET_HTTP:
    case SIM_NET_WS:
        to_venue(s, t);
        break;
    case SIM_STORED:
        engine_stored(s->engine);
        break;
    case SIM_SIGNAL:
        engine_signal(s->engine, (uint32_t)t->a);
        break;
    case SIM_FAULT:
        happen(s, t);
        break;
    case SIM_START:
        start(s, (enum sim_process)t->a);
        break;
    default:
        must(false);
    }
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t next_ns(const struct sim *s)
{
    int64_t t = s->things ? s->heap[0].t_ns : INT64_MAX;
    if (s->desk)
        t = least(t, desk_deadline(s->desk));
    t = least(t, exchange_deadline(s->exchange));
    t = least(t, engine_deadline(s->engine));
    return t;
}

/* Faults end, processes live, nobody wants anything new: now it must come to rest. Connections
 * begin anew, since a report that was left out behind the last one is missed by nobody until the
 * next reconciliation (README.md). */
static void begin_quiet(struct sim *s)
{
    s->is_quiet = true;
    simdisk_fail(s->disk, 0);
    s->is_partitioned = false;
    cable_all_down(s);
}

static void turn(struct sim *s, int64_t t)
{
    s->now_ns = t > s->now_ns ? t : s->now_ns;
    if (s->is_desk_dying)
        sim_crash(s, SIM_EGRESS);
    if (!s->is_quiet && s->now_ns >= s->quiet_ns)
        begin_quiet(s);
    if (s->things && s->heap[0].t_ns <= s->now_ns) {
        const struct sim_thing it = heap_take(s);
        if (it.pipe == SIM_PIPE_NONE || it.life == s->pipe[it.pipe].life)
            do_thing(s, &it);
        free(it.bytes);
        return;
    }
    if (s->desk && desk_deadline(s->desk) <= s->now_ns) {
        desk_time(s->desk, s->now_ns);
        return;
    }
    if (exchange_deadline(s->exchange) <= s->now_ns) {
        exchange_time(s->exchange);
        return;
    }
    engine_time(s->engine);
}

void sim_run(struct sim *s)
{
    uint64_t turns_here = 0;
    int64_t here = 0;
    exchange_start(s->exchange);
    office_start_egress(s);
    engine_start(s->engine);
    while (!s->is_broken) {
        const int64_t t = next_ns(s);
        if (t > s->end_ns)
            break;
        turns_here = t <= here ? turns_here + 1 : 0;
        here = t > here ? t : here;
        if (turns_here > 200000)
            sim_violated(s, 32, "time stands still: %llu turns at one moment",
                         (unsigned long long)turns_here);
        else
            turn(s, t);
    }
    if (s->is_broken)
        return;
    s->now_ns = s->end_ns;
    watch_end(s->watch);
    engine_check_replay(s->engine);
}
