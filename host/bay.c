/* SPDX-License-Identifier: Apache-2.0
 *
 * tenon-bay: the process in which plugins run, one strategy with its indicators or one adapter. It
 * is started by the spawner (bays/spawn.h; this program is that, too), never by hand.
 *
 *   open the lines · compute the probe of libm · sandbox · hear what to run · load · shut the
 *   sandbox · create, and from here on messages
 *
 * Nothing of a plugin runs before the sandbox is shut. What is left in this process by then is its
 * lines, the bells, and two pipes to the spawner: one that hangs up when that ends, one for last
 * words.
 *
 * Everything waits in one place, by the wake policy: spin looks again and again, hybrid for a while
 * after the last message, block sleeps at once. A sleeper wakes every BEAT_NS for its heartbeat. A
 * full line is waited for; input is not taken meanwhile, which is how the engine sees that a bay is
 * behind. Who ends this process in the end is the engine (STOP), the spawner, or the kernel.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/link.h"
#include "base/must.h"
#include "bays/agent.h"
#include "bays/spawn.h"
#include "bays/tenant.h"

#define BEAT_NS 50000000ll
enum { BEAT_MS = 50, FULL_MS = 1 };

struct home {
    bool is_adapter, is_contained;
    uint64_t memory_bytes, libm;
    uint32_t module_count;
    uint32_t wake; /* enum line_wake */
    int64_t spin_ns;
    int64_t beat_ns, busy_ns; /* monotonic: the last beat, the last message */
    struct link core, desk;
    uint8_t *body; /* LINK_MESSAGE_MAX: the message that is looked at */
};

static void die(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
static void die(const char *fmt, ...)
{
    char text[512]; /* by hand: stdio asks the descriptor things that the sandbox forbids */
    va_list args;
    va_start(args, fmt);
    int length = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (length > 0)
        (void)!write(SPAWN_FD_WORDS, text, strlen(text));
    _exit(EX_SOFTWARE);
}

static void die_of(const char *what, struct result r, const struct trail *tr)
{
    die("%s: %s\n", what, trail_sentence(tr, r));
}

/* ---- waiting ---- */
static void beat(struct home *h, int64_t now)
{
    h->beat_ns = now;
    link_beat(&h->core, now);
    if (h->is_adapter)
        link_beat(&h->desk, now);
}

static void sleep_on_bells(struct home *h, int wait_ms)
{
    struct pollfd p[3] = {{.fd = SPAWN_FD_LIFE},
                          {.fd = h->core.end.bell, .events = POLLIN},
                          {.fd = h->desk.end.bell, .events = POLLIN}};
    if (poll(p, h->is_adapter ? 3 : 2, wait_ms) > 0 && p[0].revents != 0)
        _exit(0); /* the spawner has gone */
    link_awake(&h->core);
    if (h->is_adapter)
        link_awake(&h->desk);
}

static void pause_cpu(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

/* Nothing to take: by policy look again, or sleep until a bell rings or the next beat is due. */
static void wait_for_work(struct home *h)
{
    int64_t now = clock_mono(&clock_system);
    bool spins =
        h->wake == LINE_WAKE_SPIN || (h->wake == LINE_WAKE_HYBRID && now - h->busy_ns < h->spin_ns);
    bool is_due = now - h->beat_ns >= BEAT_NS;
    if (is_due)
        beat(h, now);
    if (spins) {
        if (is_due)
            sleep_on_bells(h, 0);
        pause_cpu();
        return;
    }
    if (!link_sleep(&h->core) || (h->is_adapter && !link_sleep(&h->desk)))
        sleep_on_bells(h, 0);
    else
        sleep_on_bells(h, BEAT_MS);
}

static bool put(struct link *l, uint32_t kind, const void *head, uint32_t head_count,
                const void *body, uint32_t body_count)
{
    uint8_t *to = link_reserve(l, kind, head_count + body_count);
    if (!to)
        return false;
    memcpy(to, head, head_count);
    if (body_count > 0)
        memcpy(to + head_count, body, body_count);
    link_commit(l);
    return true;
}

/* Waits for room. Whoever makes it need not ring, so it is looked for again soon. */
static void put_to_core(void *arg, uint32_t kind, const void *head, uint32_t head_count,
                        const void *body, uint32_t body_count)
{
    struct home *h = arg;
    while (!put(&h->core, kind, head, head_count, body, body_count)) {
        if (h->core.broken)
            die("its line to the engine: %s\n", h->core.broken);
        link_ring(&h->core);
        beat(h, clock_mono(&clock_system));
        sleep_on_bells(h, FULL_MS);
    }
}

static void on_beat(void *arg)
{
    struct home *h = arg;
    int64_t now = clock_mono(&clock_system);
    if (now - h->beat_ns >= BEAT_NS / 2)
        beat(h, now);
}

static void say_done(struct home *h, uint32_t what, struct result r, const struct trail *tr,
                     uint32_t warmup, uint64_t number)
{
    struct line_done m = {.what = what, .code = r.code, .warmup = warmup, .number = number};
    if (!is_ok(r))
        snprintf(m.text, sizeof m.text, "%s", trail_sentence(tr, r));
    put_to_core(h, LINE_DONE, &m, sizeof m, NULL, 0);
    link_ring(&h->core);
}

/* The oldest message of a line into body; false when there is none. */
static bool take(struct home *h, struct link *l, struct link_message *m)
{
    if (link_take(l, m, h->body, LINK_MESSAGE_MAX)) {
        h->busy_ns = clock_mono(&clock_system);
        return true;
    }
    if (l->broken)
        die("its line to %s: %s\n", l == &h->core ? "the engine" : "egress", l->broken);
    return false;
}

/* Waits for the one message that may come now; STOP may always come. */
static void expect(struct home *h, uint32_t kind, void *out, uint32_t count)
{
    struct link_message m;
    while (!take(h, &h->core, &m))
        wait_for_work(h);
    if (m.kind == LINE_STOP)
        _exit(0);
    if (m.kind != kind || m.bytes != count)
        die("the engine sends message %u of %u bytes where %u of %u is expected\n", m.kind, m.bytes,
            kind, count);
    memcpy(out, h->body, count);
}

/* What was wanted could not be: said already; only STOP ends it in peace. */
static void wait_for_stop(struct home *h) __attribute__((noreturn));
static void wait_for_stop(struct home *h)
{
    struct link_message m;
    for (;;) {
        if (!take(h, &h->core, &m))
            wait_for_work(h);
        else if (m.kind == LINE_STOP)
            _exit(0);
    }
}

/* ---- the sandbox ---- */
static void shut(struct home *h)
{
    const int reads[] = {h->core.end.bell, h->desk.end.bell};
    const int writes[] = {SPAWN_FD_WORDS, h->core.end.their_bell, h->desk.end.their_bell};
    struct trail tr = {0};
    struct result r =
        sandbox_close(reads, h->is_adapter ? 2 : 1, writes, h->is_adapter ? 3 : 2, &tr);
    if (!is_ok(r))
        die_of("the bay", r, &tr);
}

static struct result load(uint32_t n, const uint8_t *sha256, struct bay_module **out,
                          struct trail *tr)
{
    char name[32];
    snprintf(name, sizeof name, "module %u", n);
    return bay_load_sealed(SPAWN_FD_MODULE + (int)n, name, sha256, out, tr);
}

/* ---- a strategy ---- */
static struct result load_nodes(struct home *h, const struct line_strategy *q,
                                struct bay_module *module[SPAWN_MODULES_MAX], struct trail *tr)
{
    if (q->version != LINE_VERSION || q->node_count > LINE_NODES_MAX)
        return FAIL(tr, PROTOCOL, "the engine speaks version %u of the lines, this bay %d",
                    q->version, LINE_VERSION);
    struct result r = OK_RESULT;
    for (uint32_t k = 0; k < q->node_count && is_ok(r); k++) {
        const struct line_node *n = &q->node[k];
        if (n->module >= h->module_count)
            r = FAIL(tr, PROTOCOL, "node %u: module %u was not handed over", n->id, n->module);
        else if (!module[n->module])
            r = load(n->module, n->sha256, &module[n->module], tr);
        else if (memcmp(bay_module_facts(module[n->module])->sha256, n->sha256, 32) != 0)
            r = FAIL(tr, PROTOCOL, "node %u: module %u has another hash", n->id, n->module);
    }
    return r;
}

static void run_strategy(struct home *h)
{
    static struct line_strategy q;
    struct bay_module *module[SPAWN_MODULES_MAX] = {NULL};
    const struct tenant_ops ops = {.arg = h, .put = put_to_core, .beat = on_beat};
    struct tenant *t = NULL;
    struct trail tr = {0};
    expect(h, LINE_STRATEGY, &q, sizeof q);
    h->wake = q.wake;
    h->spin_ns = (int64_t)q.spin_us * 1000;
    struct result r = load_nodes(h, &q, module, &tr);
    shut(h);
    if (is_ok(r))
        r = tenant_new(&q, (const struct bay_module *const *)module, h->module_count, &ops, &t,
                       &tr);
    say_done(h, LINE_STRATEGY, r, &tr, t ? tenant_warmup(t) : 0, h->libm);
    if (!t)
        wait_for_stop(h);
    for (;;) {
        struct link_message m;
        if (!take(h, &h->core, &m)) {
            wait_for_work(h);
            continue;
        }
        if (m.kind == LINE_STOP)
            break;
        const char *wrong = tenant_take(t, m.kind, h->body, m.bytes);
        if (wrong)
            die("the engine, message %u: %s\n", m.kind, wrong);
        link_ring(&h->core);
    }
    tenant_free(t);
    say_done(h, LINE_STOP, OK_RESULT, NULL, 0, 0);
}

/* ---- an adapter ---- */
static bool to_core(void *arg, uint32_t kind, const void *head, uint32_t head_count,
                    const void *body, uint32_t body_count)
{
    struct home *h = arg;
    return put(&h->core, kind, head, head_count, body, body_count);
}
static bool to_desk(void *arg, uint32_t kind, const void *head, uint32_t head_count,
                    const void *body, uint32_t body_count)
{
    struct home *h = arg;
    return put(&h->desk, kind, head, head_count, body, body_count);
}

/* ACTIVATE carries the time on the clock of the run: script time or wall time. */
static void activate(struct home *h, struct agent *a, uint32_t bytes)
{
    int64_t now = clock_wall(&clock_system);
    struct trail tr = {0};
    if (bytes == sizeof now)
        memcpy(&now, h->body, sizeof now);
    struct result r = agent_start(a, now, &tr);
    say_done(h, LINE_ACTIVATE, r, &tr, 0, 0);
    if (!is_ok(r))
        wait_for_stop(h);
}

/* One message of the engine, then one of egress: neither starves the other. */
static bool serve_lines(struct home *h, struct agent *a)
{
    struct link_message m;
    bool worked = false;
    if (take(h, &h->core, &m)) {
        worked = true;
        if (m.kind == LINE_ACTIVATE)
            activate(h, a, m.bytes);
        else
            agent_take(a, m.kind, h->body, m.bytes);
    }
    if (agent_flush(a) && take(h, &h->desk, &m)) {
        worked = true;
        agent_take(a, m.kind, h->body, m.bytes);
    }
    return worked;
}

static void serve_adapter(struct home *h, struct agent *a)
{
    while (!agent_is_stopped(a)) {
        bool is_flushed = agent_flush(a);
        bool worked = is_flushed && serve_lines(h, a);
        if (worked)
            (void)agent_flush(a);
        if (h->core.broken || h->desk.broken)
            die("a line broke: %s\n", h->core.broken ? h->core.broken : h->desk.broken);
        link_ring(&h->core);
        link_ring(&h->desk);
        on_beat(h);
        if (!is_flushed)
            sleep_on_bells(h, FULL_MS);
        else if (!worked)
            wait_for_work(h);
    }
}

static void run_adapter(struct home *h)
{
    static struct line_adapter q;
    const struct agent_ops ops = {.arg = h, .to_core = to_core, .to_desk = to_desk};
    struct bay_module *module = NULL;
    struct agent *a = NULL;
    struct trail tr = {0};
    expect(h, LINE_ADAPTER, &q, sizeof q);
    h->wake = LINE_WAKE_BLOCK;
    struct result r = OK_RESULT;
    if (q.version != LINE_VERSION)
        r = FAIL(&tr, PROTOCOL, "the engine speaks version %u of the lines, this bay %d", q.version,
                 LINE_VERSION);
    if (is_ok(r))
        r = load(0, q.sha256, &module, &tr);
    shut(h);
    if (is_ok(r))
        r = agent_new(module, &q, &ops, &a, &tr);
    say_done(h, LINE_ADAPTER, r, &tr, 0, h->libm);
    if (!a)
        wait_for_stop(h);
    serve_adapter(h, a);
    agent_free(a);
    link_ring(&h->core);
}

/* ---- the start ---- */
static uint32_t number(const char *text)
{
    char *end = NULL;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != 0 || n > UINT32_MAX)
        die("tenon-bay: \"%.40s\" is no number; it is started by tenond only\n", text);
    return (uint32_t)n;
}

static void open_line(int first, uint32_t capacity, struct link *out)
{
    struct trail tr = {0};
    const struct link_end end = {.mine = first,
                                 .theirs = first + 1,
                                 .bell = first + 2,
                                 .their_bell = first + 3,
                                 .capacity = capacity};
    struct result r = link_open(&end, out, &tr);
    if (!is_ok(r))
        die_of("its line", r, &tr);
}

/* The pin of libm has done its work in ld.so; a plugin finds nothing. ld.so has put a copy in its
 * place: the kernel's own stands behind the last argument. */
static void clear_environment(char *last_argument)
{
    char *at = last_argument + strlen(last_argument) + 1;
    if (strcmp(at, BAY_LIBM_PIN) == 0)
        memset(at, 0, strlen(at));
    for (char **e = environ; e && *e; e++)
        memset(*e, 0, strlen(*e));
    clearenv();
}

static uint64_t libm_head(void)
{
    uint8_t hash[32];
    uint64_t head = 0;
    bay_libm_probe(hash);
    for (int i = 0; i < 8; i++)
        head = head << 8 | hash[i];
    return head;
}

static void prepare(struct home *h, char **argv)
{
    struct trail tr = {0};
    struct result r = bay_pin_libm(argv, &tr);
    if (!is_ok(r))
        die_of("the bay", r, &tr);
    clear_environment(argv[7]);
    h->is_adapter = strcmp(argv[2], "adapter") == 0;
    h->module_count = number(argv[5]);
    h->memory_bytes = strtoull(argv[6], NULL, 10);
    h->is_contained = number(argv[7]) != 0;
    h->wake = LINE_WAKE_BLOCK;
    h->desk.end.bell = h->desk.end.their_bell = -1;
    open_line(SPAWN_FD_CORE, number(argv[3]), &h->core);
    if (h->is_adapter)
        open_line(SPAWN_FD_DESK, number(argv[4]), &h->desk);
    h->libm = libm_head();
    h->body = aligned_alloc(64, LINK_MESSAGE_MAX);
    must(h->body != NULL);
    memset(h->body, 0, LINK_MESSAGE_MAX);
    beat(h, clock_mono(&clock_system));
}

int main(int argc, char **argv)
{
    static struct home h;
    if (argc >= 2 && strcmp(argv[1], "spawner") == 0)
        return spawn_main(argc, argv);
    if (argc != 8) {
        fputs("tenon-bay runs plugins for tenond and is started by it only; see tenon run\n",
              stderr);
        return EX_USAGE;
    }
    if (number(argv[1]) != SPAWN_VERSION || number(argv[5]) > SPAWN_MODULES_MAX)
        die("tenon-bay: the spawner is of another version; install the whole of Tenon\n");
    prepare(&h, argv);
    const struct sandbox_limits limits = {.memory_bytes = h.memory_bytes,
                                          .is_contained = h.is_contained};
    struct trail tr = {0};
    struct result r = sandbox_enter(&limits, &tr);
    if (!is_ok(r))
        die_of("the bay", r, &tr);
    if (h.is_adapter)
        run_adapter(&h);
    else
        run_strategy(&h);
    link_ring(&h.core);
    _exit(0); /* nothing is left to be undone, and what exit handlers do is forbidden */
}
