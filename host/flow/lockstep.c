/* SPDX-License-Identifier: Apache-2.0
 *
 * Turns. See lockstep.h for the order; here is how each source of events is asked.
 *
 * The venue must see a market event before it is numbered, since what it causes (a fill at the
 * open of a bar that ended later) is due before the event's own time. So when the source's event is
 * the earliest of all, it is first shown to the venues, and the choice is made again.
 *
 * While the journal has no room, market data and due answers wait, and only commands and venue
 * answers are taken, from the ring's reserve: no new risk, but a kill still works.
 */
#include "flow/lockstep_priv.h"
#include <string.h>

enum { NEXT_UNSET = 0, NEXT_ENGINE, NEXT_ANSWER, NEXT_ROAD, NEXT_VENUE, NEXT_TICK, NEXT_MARKET };
enum { LOCKSTEP_MAGIC = 0x4c4f434b, SNAPSHOT_EVERY = 100000, BEHIND_MAX = 4096 /* events */ };
enum { COLLECT_FAULTS_MAX = 64, SERVICE_MAX = 256 };
#define DRAIN_NS (900 * 1000000000ll) /* after the source has ended, timers run on this long */

/* ---- recording ---- */

static struct result record(struct lockstep *l, const struct fact_head *head)
{
    if (l->journal == NULL) {
        if (l->out.used > 0)
            hash_sha256_add(l->effects_hash, l->out.bytes, l->out.used);
        l->report.effects_bytes += l->out.used;
        return OK_RESULT;
    }
    uint32_t bytes = (uint32_t)(l->out.bytes - l->step_bytes) + l->out.used;
    struct result r = journal_put(l->journal, l->step_bytes, bytes, head->seq, false);
    while (r.code == RESULT_FULL) {
        /* The ring is behind: lock-step can wait, unless the disk is what it waits for. The step
         * is taken already, so then it has the reserve; the next market event waits for room. */
        uint64_t disk_ppm;
        if (!is_ok(journal_health(l->journal, &disk_ppm)))
            return journal_put(l->journal, l->step_bytes, bytes, head->seq, true);
        r = journal_put(l->journal, l->step_bytes, bytes, head->seq, false);
    }
    return r;
}

/* A bay that broke its contract: recorded, its held answers void. When its build is the accepted
 * one its strategy only reduces; a build that is only heard harms nobody. */
static struct result quarantine(struct lockstep *l, const struct belief_answer *b, bool is_late,
                                struct trail *tr)
{
    const struct bay_answer *a = &b->a;
    struct fact_plugin e = {
        .instance = b->strategy, .what = FACT_PLUGIN_QUARANTINED, .status = a->status};
    memcpy(e.text, a->text, sizeof e.text);
    seq_drop(&l->seq, b->lane);
    if (core_reign(l->core, b->strategy, l->seq.last_seq) == b->generation &&
        l->report.quarantined++ == 0)
        l->report.fault = e;
    struct lockstep_mark mark = {a->cause_seq, b->strategy, b->generation};
    TRY(lockstep_event(l, FACT_PLUGIN, &e, l->seq.last_ns, mark, tr));
    swap_fault(l, b->strategy, b->generation, a->status, is_late);
    return OK_RESULT;
}

/* A process bay died and is started again, or is back. What it had answered before is still due.
 * For a promotion a death is as bad as a fault. */
static struct result note_bay(struct lockstep *l, const struct belief_answer *b, struct trail *tr)
{
    const struct bay_answer *a = &b->a;
    if (a->kind == BAY_FAULT)
        return quarantine(l, b, false, tr);
    struct fact_plugin e = {.instance = b->strategy,
                            .what = a->kind == BAY_DIED ? FACT_PLUGIN_DIED : FACT_PLUGIN_BACK,
                            .status = a->status,
                            .from_seq = a->from_seq,
                            .to_seq = a->to_seq};
    memcpy(e.text, a->text, sizeof e.text);
    struct lockstep_mark mark = {a->cause_seq, b->strategy, b->generation};
    TRY(lockstep_event(l, FACT_PLUGIN, &e, l->seq.last_ns, mark, tr));
    if (a->kind == BAY_DIED)
        swap_fault(l, b->strategy, b->generation, a->status, false);
    return OK_RESULT;
}

static struct result hold(struct lockstep *l, const struct belief_answer *a, struct trail *tr)
{
    enum seq_put put =
        seq_answer(&l->seq, a->lane, a->generation, a->a.cause_seq, a->due_ns, &a->a.signal);
    if (put == SEQ_HELD)
        return OK_RESULT;
    if (put == SEQ_LATE) {
        struct fact_late e = {
            .instance = a->strategy, .due_ns = a->due_ns, .seen_seq = l->seq.last_seq};
        struct lockstep_mark mark = {a->a.cause_seq, a->strategy, a->generation};
        l->report.late++;
        return lockstep_event(l, FACT_LATE, &e, l->seq.last_ns, mark, tr);
    }
    struct belief_answer fault = *a;
    fault.a = (struct bay_answer){.kind = BAY_FAULT,
                                  .instance = a->strategy,
                                  .cause_seq = a->a.cause_seq,
                                  .status = TN_E_STATE,
                                  .text = "too many answers, or too many of them late"};
    return quarantine(l, &fault, true, tr);
}

/* Signals are held before a fault is numbered: one bay's fault makes nobody else's answer late. */
static struct result collect(struct lockstep *l, struct trail *tr)
{
    struct belief_answer a;
    struct belief_answer fault[COLLECT_FAULTS_MAX];
    uint32_t faults = 0;
    struct result r = OK_RESULT;
    while (is_ok(r) && belief_take(l->plant.belief, &a)) {
        if (a.a.kind == BAY_SIGNAL)
            r = hold(l, &a, tr);
        else if (faults < COLLECT_FAULTS_MAX)
            fault[faults++] = a;
        else
            r = note_bay(l, &a, tr);
    }
    for (uint32_t i = 0; i < faults && is_ok(r); i++)
        r = note_bay(l, &fault[i], tr);
    return r;
}

struct result lockstep_event(struct lockstep *l, uint16_t type, const void *payload, int64_t t_ns,
                             struct lockstep_mark mark, struct trail *tr)
{
    struct fact_head *head = (struct fact_head *)(void *)l->step_bytes;
    uint32_t bytes = fact_bytes(type);
    must(bytes > 0 && bytes <= FACT_MAX_BYTES);
    *head = (struct fact_head){.bytes = bytes,
                               .t_ns = t_ns,
                               .cause_seq = mark.cause_seq,
                               .type = type,
                               .version = fact_version(type),
                               .source = mark.source,
                               .generation = mark.generation};
    seq_number(&l->seq, head);
    l->last_class = fact_class_of(type);
    memcpy(head + 1, payload, bytes);
    l->out.bytes = l->step_bytes + sizeof *head + bytes;
    core_step(l->core, head, head + 1, &l->out);
    TRY(record(l, head));
    l->report.events++;
    if (type < FACT_SENT && l->registry != NULL)
        registry_take(l->registry, head, head + 1);
    if (l->out.used > 0)
        TRY(carry_effects(l, tr));
    if (l->plant.belief == NULL)
        return OK_RESULT;
    belief_event(l->plant.belief, head, head + 1);
    return collect(l, tr);
}

/* ---- choosing ---- */

/* Not while it fails to store: it is unwell and falls behind. A disk that is merely getting full
 * still takes records (tenond makes that REDUCING). */
static bool journal_has_room(const struct lockstep *l)
{
    uint64_t disk_ppm;
    if (l->journal == NULL || is_ok(journal_health(l->journal, &disk_ppm)))
        return true;
    return l->seq.last_seq - journal_durable(l->journal) < BEHIND_MAX;
}

static struct result take_answer(struct lockstep *l, struct trail *tr)
{
    struct seq_held h;
    seq_take(&l->seq, &h);
    struct lockstep_mark mark = {h.cause_seq, h.signal.instance, h.generation};
    return lockstep_event(l, FACT_SIGNAL, &h.signal, h.due_ns, mark, tr);
}

/* Decision note 0002: what is due goes before whatever is numbered next, also before a command. */
struct result lockstep_answers_due(struct lockstep *l, struct trail *tr)
{
    struct result r = OK_RESULT;
    while (is_ok(r) && seq_due(&l->seq) <= l->seq.last_ns)
        r = take_answer(l, tr);
    return r;
}

/* A row report is no market event: it is recorded as soon as it is read. */
static struct result report_rows(struct lockstep *l, struct trail *tr)
{
    int64_t t = l->market.head.t_ns > l->seq.last_ns ? l->seq.last_ns : l->market.head.t_ns;
    TRY(lockstep_answers_due(l, tr));
    if (l->report.refused_count < LOCKSTEP_REFUSED_MAX)
        l->report.refused[l->report.refused_count++] = l->market.u.fact_rows;
    struct lockstep_mark mark = {.source = l->market.head.source};
    return lockstep_event(l, FACT_ROWS, &l->market.u, t, mark, tr);
}

static void show(struct lockstep *l)
{
    for (uint32_t i = 0; i < DEPLOY_ACCOUNTS_MAX; i++) {
        if (l->venue[i] != NULL)
            venue_market(l->venue[i], &l->market.head, &l->market.u);
    }
    l->market_shown = true;
}

/* What a recovered journal holds already is history: belief warms by it, venues learn prices. */
static struct result relive(struct lockstep *l, struct trail *tr)
{
    TRY(recover_match(l, tr));
    struct fact_head head = l->market.head;
    head.seq = l->seq.last_seq;
    uint32_t warm = FACT_MD_WARMUP;
    memcpy(l->market.u.bytes + sizeof(uint32_t), &warm, sizeof warm); /* flags follow instrument */
    show(l);
    if (l->plant.belief != NULL)
        belief_event(l->plant.belief, &head, &l->market.u);
    return OK_RESULT;
}

static void fetch_road(struct lockstep *l)
{
    struct road_held h;
    if (l->source_ended)
        return;
    if (roads_market_due(l->roads) == INT64_MAX) { /* all that is due has come before it was */
        l->source_ended = l->until_ns != INT64_MAX && lockstep_clock(l) > l->until_ns;
        return;
    }
    roads_market_take(l->roads, &h);
    seq_excuse(&l->seq, roads_behind_until(l->roads, h.due_ns));
    l->market = h.fact;
    l->has_market = l->market.head.t_ns <= l->until_ns;
    l->source_ended = !l->has_market;
    l->market_shown = false;
}

struct result lockstep_fetch(struct lockstep *l, struct trail *tr)
{
    struct result r = OK_RESULT;
    l->has_market = false;
    if (l->is_fed_by_roads)
        fetch_road(l);
    while (is_ok(r) && !l->source_ended && l->feed != NULL) {
        r = feed_next(l->feed, &l->market, tr);
        if (r.code == RESULT_END) {
            l->source_ended = true;
            return recover_end(l, tr);
        }
        if (!is_ok(r))
            return r;
        if (l->market.head.type == FACT_ROWS) {
            if (l->skip == 0 && l->market.u.fact_rows.first_line > l->past_line)
                r = report_rows(l, tr);
            continue;
        }
        if (l->skip > 0) {
            r = relive(l, tr);
            continue;
        }
        l->has_market = l->market.head.t_ns <= l->until_ns;
        l->source_ended = !l->has_market;
        l->market_shown = false;
        return OK_RESULT;
    }
    return r;
}

static void offer(struct lockstep *l, uint32_t kind, int64_t t_ns)
{
    if (t_ns < l->next_ns) { /* offers come in the order of their class: equal times keep it */
        l->next_kind = kind;
        l->next_ns = t_ns;
    }
}

static int64_t venues_due(const struct lockstep *l)
{
    int64_t due = INT64_MAX;
    for (uint32_t i = 0; i < DEPLOY_ACCOUNTS_MAX; i++) {
        if (l->venue[i] != NULL && venue_due(l->venue[i]) < due)
            due = venue_due(l->venue[i]);
    }
    return due;
}

static int64_t at_least(int64_t t_ns, int64_t least_ns)
{
    return t_ns > least_ns ? t_ns : least_ns;
}

static void choose(struct lockstep *l)
{
    l->next_kind = NEXT_UNSET;
    l->next_ns = INT64_MAX;
    bool room = journal_has_room(l);
    if (room)
        offer(l, NEXT_ANSWER, seq_due(&l->seq));
    if (l->pending_count > 0)
        offer(l, NEXT_ENGINE, l->seq.last_ns);
    if (l->roads != NULL && roads_due(l->roads) != INT64_MAX)
        offer(l, NEXT_ROAD, at_least(roads_due(l->roads), l->seq.last_ns));
    offer(l, NEXT_VENUE, venues_due(l));
    if (!room)
        return;
    bool live = l->is_fed_by_roads && !l->o.roads->is_script; /* silence is an event there */
    bool open = l->has_market || l->seq.count > 0 || l->pending_count > 0 || live ||
                core_open_orders(l->core) > 0 || l->next_kind != NEXT_UNSET;
    int64_t last_tick = l->source_ended ? l->report.last_ns + DRAIN_NS : INT64_MAX;
    if (open) { /* with nothing left to come, time stands still: no tick for its own sake */
        int64_t c = core_deadline(l->core);
        int64_t b = l->plant.belief ? belief_deadline(l->plant.belief) : INT64_MAX;
        int64_t s = swap_deadline(l);
        c = c < b ? c : b;
        c = c < s ? c : s;
        if (c <= last_tick)
            offer(l, NEXT_TICK, c);
    }
    if (l->has_market)
        offer(l, NEXT_MARKET, at_least(l->market.head.t_ns, l->seq.last_ns));
}

struct result lockstep_next(struct lockstep *l, int64_t *t_ns, struct trail *tr)
{
    must(l->magic == LOCKSTEP_MAGIC);
    if (!l->has_market && !l->source_ended && (l->feed != NULL || l->is_fed_by_roads))
        TRY(lockstep_fetch(l, tr));
    choose(l);
    if (l->next_kind == NEXT_MARKET && !l->market_shown) {
        show(l);
        choose(l);
    }
    *t_ns = l->next_ns;
    return OK_RESULT;
}

/* ---- taking ---- */

static struct result take_engine(struct lockstep *l, struct trail *tr)
{
    struct carry_pending p;
    carry_take(l, &p);
    struct lockstep_mark mark = {.cause_seq = p.cause_seq};
    return lockstep_event(l, p.type, &p.u, l->seq.last_ns, mark, tr);
}

static struct result take_venue(struct lockstep *l, struct trail *tr)
{
    for (uint32_t i = 0; i < DEPLOY_ACCOUNTS_MAX; i++) {
        if (l->venue[i] == NULL || venue_due(l->venue[i]) != l->next_ns)
            continue;
        struct fact_view v;
        venue_take(l->venue[i], &v);
        struct lockstep_mark mark = {/* an order's id begins with its event */
                                     .cause_seq = v.u.fact_exec.order >> 10,
                                     .source = i + 1};
        return lockstep_event(l, v.head.type, &v.u, v.head.t_ns, mark, tr);
    }
    must(!"a venue was due");
    return RESULT_OF(BUG);
}

/* What came over a road, at its time. A kill at egress's own door is a command like any other. */
static struct result take_road(struct lockstep *l, struct trail *tr)
{
    struct road_held h;
    roads_take(l->roads, &h);
    if (h.fact.head.type == FACT_MODE || h.fact.head.type == FACT_UNRECORDED)
        return lockstep_say(l, h.fact.head.type, 0, &h.fact.u, tr);
    struct lockstep_mark mark = {.cause_seq = h.cause_seq};
    if (h.fact.head.type == FACT_EXEC)
        mark.source = h.fact.u.fact_exec.account;
    return lockstep_event(l, h.fact.head.type, &h.fact.u, l->next_ns, mark, tr);
}

static struct result take_tick(struct lockstep *l, struct trail *tr)
{
    struct fact_tick e = {0};
    if (core_deadline(l->core) <= l->next_ns)
        e.why |= 1;
    if ((l->plant.belief != NULL && belief_deadline(l->plant.belief) <= l->next_ns) ||
        swap_deadline(l) <= l->next_ns)
        e.why |= 2;
    return lockstep_event(l, FACT_TICK, &e, l->next_ns, (struct lockstep_mark){0}, tr);
}

static struct result take_market(struct lockstep *l, struct trail *tr)
{
    l->has_market = false;
    if (l->report.market_events++ == 0)
        l->report.first_ns = l->market.head.t_ns;
    l->report.last_ns = l->market.head.t_ns;
    struct lockstep_mark mark = {.source = l->market.head.source};
    return lockstep_event(l, l->market.head.type, &l->market.u, l->market.head.t_ns, mark, tr);
}

/* A snapshot only makes the next start shorter: without room on the disk it waits for the next. */
static bool snapshot_is_due(const struct lockstep *l)
{
    return l->journal != NULL && l->seq.last_seq - l->snapshot_seq >= SNAPSHOT_EVERY &&
           journal_has_room(l);
}

static struct result store_state(struct lockstep *l, struct trail *tr)
{
    TRY(lockstep_answers_due(l, tr));
    return lockstep_snapshot(l, tr);
}

struct result lockstep_turn(struct lockstep *l, struct trail *tr)
{
    int64_t t_ns;
    if (l->o.home != NULL && l->plant.belief != NULL)
        TRY(collect(l, tr)); /* what processes answered since; it may be due before what is next */
    if (swap_is_ready(l))
        return swap_turn(l, tr);
    if (lockstep_holds(l))
        return RESULT_OF(AGAIN);
    if (snapshot_is_due(l)) {
        struct trail why = {0};
        struct result r = store_state(l, &why);
        if (!is_ok(r) && r.code != RESULT_DISK_FULL && r.code != RESULT_IO)
            return FAIL_AS(tr, r, "%s", trail_sentence(&why, r));
    }
    TRY(lockstep_next(l, &t_ns, tr));
    switch (l->next_kind) {
    case NEXT_ANSWER:
        return take_answer(l, tr);
    case NEXT_ENGINE:
        return take_engine(l, tr);
    case NEXT_ROAD:
        return take_road(l, tr);
    case NEXT_VENUE:
        return take_venue(l, tr);
    case NEXT_TICK:
        return take_tick(l, tr);
    case NEXT_MARKET:
        return take_market(l, tr);
    default:
        return journal_has_room(l) ? RESULT_OF(END) : RESULT_OF(AGAIN);
    }
}

struct result lockstep_command(struct lockstep *l, uint16_t type, const void *payload,
                               struct trail *tr)
{
    must(fact_class_of(type) == FACT_CLASS_CONTROL);
    return lockstep_say(l, type, 0, payload, tr);
}

struct result lockstep_say(struct lockstep *l, uint16_t type, uint32_t generation,
                           const void *payload, struct trail *tr)
{
    struct lockstep_mark mark = {.generation = generation};
    TRY(lockstep_answers_due(l, tr));
    return lockstep_event(l, type, payload, l->seq.last_ns, mark, tr);
}

static struct roads_setup setup_of(const struct lockstep *l)
{
    struct roads_setup s = {.doc = l->doc,
                            .ids = &l->ids,
                            .core = l->core,
                            .plugin_dir = l->o.plugin_dir,
                            .host = l->doc->host,
                            .epoch = l->report.epoch,
                            .log = l->o.log,
                            .clock = l->o.clock};
    memcpy(s.journal_id, l->found.journal_id, sizeof s.journal_id);
    return s;
}

struct result lockstep_begin_roads(struct lockstep *l, struct trail *tr)
{
    const struct roads_setup s = setup_of(l);
    l->roads_doc = l->doc;
    if (l->journal != NULL) /* an epoch that could be forgotten must not be used out there */
        TRY(journal_wait(l->journal, l->seq.last_seq, tr));
    return roads_begin(l->roads, &s, tr);
}

void lockstep_receive(struct lockstep *l)
{
    if (l->roads == NULL || l->doc == NULL)
        return;
    if (l->doc != l->roads_doc && lockstep_via_egress(l->doc)) {
        const struct roads_setup s = setup_of(l);
        l->roads_doc = l->doc;
        roads_adopt(l->roads, &s);
    }
    roads_receive(l->roads, l->seq.last_ns, l->last_class);
}

bool lockstep_sleep(struct lockstep *l, struct pollfd *out, uint32_t *count)
{
    return l->roads == NULL || roads_sleep(l->roads, out, count);
}

void lockstep_awake(struct lockstep *l)
{
    if (l->roads != NULL)
        roads_awake(l->roads);
}

void lockstep_flatten(struct lockstep *l)
{
    if (l->is_fed_by_roads)
        roads_flatten(l->roads);
}

bool lockstep_flattens(const struct lockstep *l)
{
    return l->is_fed_by_roads && roads_flattens(l->roads);
}

void lockstep_leave(struct lockstep *l, bool keep)
{
    if (l->is_fed_by_roads)
        roads_leave(l->roads, keep);
}

bool lockstep_is_over(const struct lockstep *l)
{
    bool is_quiet = !l->is_fed_by_roads || lockstep_clock(l) > roads_quiet_ns(l->roads);
    return l->source_ended && l->next_kind == NEXT_UNSET && is_quiet;
}

bool lockstep_holds(const struct lockstep *l)
{
    return l->o.hold && l->swap.is_asking;
}

struct result lockstep_service(struct lockstep *l, struct trail *tr)
{
    struct result r = OK_RESULT;
    for (uint32_t i = 0; i < SERVICE_MAX && is_ok(r) && swap_is_ready(l); i++)
        r = swap_turn(l, tr);
    return r;
}

void lockstep_until(struct lockstep *l, int64_t t_ns)
{
    l->until_ns = t_ns;
    if (l->has_market && l->market.head.t_ns > t_ns) {
        l->has_market = false;
        l->source_ended = true;
    }
}

void lockstep_idle(struct lockstep *l)
{
    if (l->plant.belief != NULL)
        belief_idle(l->plant.belief);
}
