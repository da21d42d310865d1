/* SPDX-License-Identifier: Apache-2.0
 *
 * One step: stamp, let due timers run, hand the event to the part that owns it.
 *
 * The order inside a step is fixed: timers that are due at or before the event's time run first
 * (a TICK is an event whose only content is that time), then the event, then the clean-start
 * question. Every part appends its effects to the caller's buffer in the order in which it decides
 * them; that order is what replay must give again.
 *
 * The dispatch is one switch over the record table rather than a table of pointers: the compiler
 * then sees through to the hot market events.
 */
#include "core/state.h"
#include <string.h>

enum { CORE_MAGIC = 0x434f5245 };

void step_alert(struct core *c, uint32_t what, const struct book_row *b, uint64_t order, int64_t a,
                int64_t d)
{
    struct fact_alert *e = EFFECT(c, ALERT, fact_alert);
    e->what = what;
    if (b != NULL) {
        e->strategy = b->strategy;
        e->instrument = b->instrument;
        e->account = b->account;
    }
    e->order = order;
    e->a = a;
    e->b = d;
}

void step_ignored(struct core *c, uint32_t why, uint32_t detail, uint64_t about)
{
    struct fact_ignored *e = EFFECT(c, IGNORED, fact_ignored);
    e->why = why;
    e->detail = detail;
    e->about = about;
}

static void run_timers(struct core *c)
{
    mode_timers(c);
    market_timers(c);
    oms_timers(c);
    plan_timers(c);
    c->deadline_ns = INT64_MIN; /* found again when asked */
}

int64_t core_deadline(const struct core *c)
{
    /* The bound only ever errs on the early side, so a stale one is made exact here. The cast is
     * to a cache that no decision reads. */
    struct core *w = (struct core *)(uintptr_t)c;
    int64_t d = market_deadline(c);
    int64_t o = oms_deadline(c);
    int64_t p = plan_deadline(c);
    int64_t u = mode_deadline(c);
    d = o < d ? o : d;
    d = p < d ? p : d;
    d = u < d ? u : d;
    w->deadline_ns = d;
    return d;
}

static void signal(struct core *c, const struct fact_head *head, const struct fact_signal *s)
{
    if (flip_accepts(c, s->instance, head->generation, head->cause_seq)) {
        plan_signal(c, s);
        return;
    }
    c->totals.unaccepted++;
    step_ignored(c, FACT_IGNORED_NOT_ACCEPTED, s->instance, head->generation);
}

static void dispatch(struct core *c, const struct fact_head *head, const void *payload)
{
    switch (head->type) {
    case FACT_BAR:
        c->totals.market++;
        market_bar(c, payload);
        break;
    case FACT_TRADE:
        c->totals.market++;
        market_trade(c, payload);
        break;
    case FACT_QUOTE:
        c->totals.market++;
        market_quote(c, payload);
        break;
    case FACT_TICK:
        break; /* timers have run; nothing else is in a tick */
    case FACT_SIGNAL:
        signal(c, head, payload);
        break;
    case FACT_SENT:
        oms_sent(c, payload);
        break;
    case FACT_EXEC:
        oms_exec(c, payload);
        break;
    case FACT_FOUND:
        oms_found(c, payload);
        break;
    case FACT_SYNC:
        mode_sync(c, payload);
        break;
    case FACT_AUTO:
        mode_auto(c, payload);
        break;
    case FACT_MODE:
        mode_command(c, payload);
        break;
    case FACT_SESSION:
        market_session(c, payload);
        break;
    case FACT_VERDICT:
        step_ignored(c, FACT_IGNORED_RESERVED_KIND, head->type, 0);
        break;
    default:
        config_event(c, head, payload);
        break;
    }
}

/* fact_bytes, with those of the hot path answered here. */
static inline uint32_t bytes_of(uint16_t type)
{
    switch (type) {
    case FACT_BAR:
        return sizeof(struct fact_bar);
    case FACT_QUOTE:
        return sizeof(struct fact_quote);
    case FACT_TRADE:
        return sizeof(struct fact_trade);
    case FACT_SIGNAL:
        return sizeof(struct fact_signal);
    default:
        return fact_bytes(type);
    }
}

void core_step(struct core *c, const struct fact_head *head, const void *payload,
               struct core_out *out)
{
    must(c->magic == CORE_MAGIC);
    must(head->sub == 0);
    must(head->seq == c->seq + 1);
    must(head->t_ns >= c->now_ns);
    must(out->capacity >= CORE_OUT_BYTES);
    out->used = 0;
    out->count = 0;
    c->out = out;
    c->seq = head->seq;
    c->now_ns = head->t_ns;
    c->cause_seq = head->cause_seq;
    c->leg = 0;
    c->totals.events++;
    if (head->t_ns >= c->deadline_ns && core_deadline(c) <= head->t_ns)
        run_timers(c);
    if (head->bytes == bytes_of(head->type) && head->version == 1)
        dispatch(c, head, payload);
    else
        step_ignored(c, FACT_IGNORED_RESERVED_KIND, head->type, head->bytes);
    if (c->mode == MODE_SAFE_START)
        mode_clean(c);
    c->out = NULL;
#ifdef TENON_SLOW_CHECKS
    core_check(c);
#endif
}

uint64_t core_seq(const struct core *c)
{
    return c->seq;
}

uint64_t core_serial(const struct core *c)
{
    return c->serial;
}

uint64_t core_epoch(const struct core *c)
{
    return c->epoch;
}

const uint8_t *core_deployment(const struct core *c)
{
    return c->deployment;
}

int64_t core_now(const struct core *c)
{
    return c->now_ns;
}

const struct core_totals *core_totals(const struct core *c)
{
    return &c->totals;
}

/* ---- layout ---- */

static struct core_limits with_defaults(const struct core_limits *l)
{
    struct core_limits d = l ? *l : (struct core_limits){0};
#define DEFAULT(member, value)                                                                     \
    if (d.member == 0)                                                                             \
    d.member = (value)
    DEFAULT(currencies, 16);
    DEFAULT(instruments, 64);
    DEFAULT(accounts, 8);
    DEFAULT(instances, 255);
    DEFAULT(routes, 255);
    DEFAULT(orders, 4096);
    DEFAULT(fills, 65536);
    DEFAULT(limits, 256);
#undef DEFAULT
    return d;
}

static uint32_t slots_for(uint32_t rows)
{
    uint32_t n = 16;
    while (n < rows * 2)
        n *= 2;
    return n;
}

/* One walk for measuring (a == NULL memory) and for placing. */
static void lay_out(struct core *c, struct arena *a)
{
    const struct core_limits *m = &c->max;
    uint32_t pairs = (m->instances + 1) * (m->instruments + 1);
    uint32_t books = m->routes + m->instruments * m->accounts + 1; /* incl. EXTERNAL books */
    c->order_slots = slots_for(m->orders);
    c->fill_slots = slots_for(m->fills);
#define TABLE(member, count) c->member = arena_take(a, sizeof *c->member * (count), 64)
    TABLE(currency, m->currencies + 1);
    TABLE(market, m->instruments + 1);
    TABLE(account, m->accounts + 1);
    TABLE(instance, m->instances + 1);
    TABLE(book, books);
    TABLE(order, m->orders);
    TABLE(fill, m->fills);
    TABLE(limit, m->limits);
    TABLE(rate, m->currencies * 2);
    TABLE(request, REQUESTS_MAX);
    TABLE(staged_currency, m->currencies);
    TABLE(staged_instrument, m->instruments);
    TABLE(staged_account, m->accounts);
    TABLE(staged_instance, m->instances);
    TABLE(staged_route, m->routes);
    TABLE(staged_remove, m->instances + m->routes);
    TABLE(staged_limit, m->limits);
    TABLE(staged_rate, m->currencies * 2);
    TABLE(net, (m->accounts + 1) * (m->instruments + 1));
    TABLE(book_of, pairs);
    TABLE(first_book, m->instruments + 1);
    TABLE(last_book, m->instruments + 1);
    TABLE(next_book, books);
    TABLE(effective, books);
    TABLE(staged_effective, books);
    TABLE(tighter, books);
    TABLE(owned, m->instances + 1);
    TABLE(scale, m->instruments + 1);
    TABLE(order_slot, c->order_slots);
    TABLE(fill_slot, c->fill_slots);
    TABLE(order_free, m->orders);
#undef TABLE
}

static uint64_t staged_bytes(const struct core_limits *m)
{
    return sizeof(struct fact_currency) * (uint64_t)m->currencies +
           sizeof(struct fact_instrument) * (uint64_t)m->instruments +
           sizeof(struct fact_account) * (uint64_t)m->accounts +
           sizeof(struct staged_instance) * (uint64_t)m->instances +
           sizeof(struct fact_route) * (uint64_t)m->routes +
           sizeof(struct fact_remove) * ((uint64_t)m->instances + m->routes) +
           sizeof(struct fact_limit) * (uint64_t)m->limits +
           sizeof(struct fact_rate) * (uint64_t)m->currencies * 2;
}

size_t core_bytes(const struct core_limits *l)
{
    struct core_limits m = with_defaults(l);
    uint64_t books = (uint64_t)m.routes + (uint64_t)m.instruments * m.accounts + 1;
    uint64_t total = sizeof(struct core);
    total += sizeof(struct currency_row) * (m.currencies + 1ull);
    total += sizeof(struct market_row) * (m.instruments + 1ull);
    total += sizeof(struct account_row) * (m.accounts + 1ull);
    total += sizeof(struct instance_row) * (m.instances + 1ull);
    total += books * (sizeof(struct book_row) + 2 * sizeof(int64_t[RISK_RULE_END]));
    total += books * sizeof(uint32_t) + sizeof(struct core_owned) * (m.instances + 1ull);
    total += sizeof(struct request_row) * (uint64_t)REQUESTS_MAX + staged_bytes(&m);
    total += (sizeof(struct order_row) + sizeof(uint32_t)) * (uint64_t)m.orders;
    total += sizeof(struct fill_row) * (uint64_t)m.fills;
    total += sizeof(struct fact_limit) * (uint64_t)m.limits;
    total += sizeof(struct fact_rate) * (uint64_t)m.currencies * 2;
    total += sizeof(struct net_row) * (m.accounts + 1ull) * (m.instruments + 1ull);
    total += (sizeof(int64_t) + 2 * sizeof(uint16_t)) * (m.instruments + 1ull);
    total += books * sizeof(uint16_t);
    total += sizeof(uint16_t) * (m.instances + 1ull) * (m.instruments + 1ull);
    total += sizeof(uint32_t) * ((uint64_t)slots_for(m.orders) + slots_for(m.fills));
    return (size_t)total + 64 * 48; /* alignment of the pieces */
}

struct core *core_init(void *memory, size_t bytes, const struct core_limits *l)
{
    must(((uintptr_t)memory & 63) == 0);
    must(bytes >= core_bytes(l));
    struct arena a;
    arena_borrow(&a, memory, bytes);
    struct core *c = arena_take(&a, sizeof *c, 64);
    must(c != NULL);
    memset(c, 0, sizeof *c);
    c->magic = CORE_MAGIC;
    c->max = with_defaults(l);
    lay_out(c, &a);
    must(c->order_free != NULL); /* the last piece fitted, so all did */
    c->book_count = 1;
    c->logic = FACT_CORE_LOGIC;
    c->mode = MODE_SAFE_START;
    c->oldest = c->newest = CORE_NONE;
    c->evicted_ns = INT64_MIN;
    oms_derive(c);
    fills_derive(c);
    config_derive(c);
    c->deadline_ns = INT64_MIN;
    return c;
}
