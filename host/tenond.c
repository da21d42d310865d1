/* SPDX-License-Identifier: Apache-2.0
 *
 * tenond: the host. Takes the flags of `tenon run`, builds the parts in order, runs the engine on
 * this thread until the market ends, the time is up or a signal comes, and stops in reverse; then
 * it proves the run by replaying its journal, and prints the summary.
 *
 * Order: pin libm (re-executes once), arguments, deployment with its signatures, socket (a second
 * host ends here), own user, engine (journal, recovery, plugins), turns. As root it gives its
 * folders to user `tenon` and becomes that user before any plugin is opened, unless that user
 * cannot read the plugins.
 *
 * Pace: headless goes as fast as it can; otherwise market time follows the wall clock times the
 * speed, and this thread sleeps on an eventfd that the gateway wakes.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/hash.h"
#include "base/must.h"
#include "base/num.h"
#include "daemon/guard.h"
#include "daemon/helpers.h"
#include "daemon/leave.h"
#include "daemon/pace.h"
#include "daemon/places.h"
#include "daemon/words.h"
#include "deploy/gather.h"
#include "flow/demo.h"
#include "flow/obey.h"
#include "flow/publish.h"
#include "flow/summary.h"
#include "gateway/args.h"
#include "gateway/gateway.h"
#include "gateway/notify.h"
#include "gateway/paths.h"
#include "gateway/privilege.h"

enum { LOOK_EVERY = 256, VIEW_MS = 250, STATUS_MS = 1000, WAIT_MS = 100 };
enum { EXIT_INTERRUPTED = 130 };
#define MS_NS 1000000ll
#define DEMO_FAULTS_PER_DAY 60                    /* so that the gate has something to deny */
#define DEMO_ACT_NS (15 * 3600 * 1000000000ll)    /* when it has no end: 1.5 minutes at its speed */
#define DEMO_HISTORY_NS (3 * 3600 * 1000000000ll) /* what the next build is warmed on, and more */
#define DEMO_HEADLESS_NS (48 * 3600 * 1000000000ll)
#define REAL_TIME 1000ll    /* thousandths */
#define DEMO_SPEED 600000ll /* ten market minutes a second */

struct tenond {
    struct args a;
    struct bundle *first, *trust; /* what an empty journal begins with; NULL = nothing */
    struct throwaway *keys;       /* of the demo and of --throwaway-keys */
    struct demo demo;
    uint8_t given[HASH_SHA256_BYTES]; /* of the file named on the command line */
    bool has_given, has_doc;
    bool reads_config;      /* the file names plugins by path: they lie beside it */
    char next[PATHS_BYTES]; /* the demo's next deployment */
    uint64_t lines;         /* promotion lines printed */
    char journal[PATHS_BYTES], heads[PATHS_BYTES], plugins[PATHS_BYTES], state[PATHS_BYTES];
    char config[PATHS_BYTES], instruments[PATHS_BYTES];
    const char *market;
    struct log *log;
    struct gateway *gateway;
    struct lockstep *engine;
    struct lockstep_report report;
    int wake_fd;
    bool headless;
    int64_t speed; /* thousandths of real time; 0 = as fast as it goes */
    int64_t for_ns;
    int64_t started_ns; /* wall clock */
    int64_t wall0_ns;   /* when running began, monotonic */
    struct pace pace;
    struct guard guard;
    struct helpers helpers;
    struct leave leave;
    struct notify notify; /* the service manager */
    int64_t view_ns, status_ns;
    uint64_t window_events;
    int64_t window_ns;
    bool full_said;
};

static volatile sig_atomic_t stop_signal;

/* The first asks for an end in order; a second does not wait for whatever holds the first up. */
static void on_signal(int sig)
{
    static const char text[] = "tenond: stopped at once by a second signal; the journal is whole, "
                               "and the next start asks for every order\n";
    if (stop_signal != 0) {
        if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
            _exit(EXIT_INTERRUPTED);
        _exit(EXIT_INTERRUPTED);
    }
    stop_signal = sig;
}

static int fail(struct result r, const struct trail *tr)
{
    struct complaint c = {0};
    char line[2048];
    (void)complaint_from(&c, r, "tenond", tr);
    (void)complaint_print(&c, line, sizeof line);
    fprintf(stderr, "%s\n", line);
    return complaint_exit(&c);
}

/* ---- arguments to settings ---- */

/* The demo's deployment for what it runs on: the generator, bars, or a tape of trades. */
static struct result demo_config(struct tenond *d, struct trail *tr)
{
    const char *data = args_text(&d->a, FLAG_DATA, NULL);
    const char *name = data == NULL             ? "demo.yaml"
                       : strstr(data, "trades") ? "paper-tape.yaml"
                       : strstr(data, "quotes") ? "paper-tape.yaml"
                                                : "paper-bars.yaml";
    return places_default(name, d->config, tr);
}

/* The file itself as it is named, for a journal that holds a run already. */
static struct result hash_given(struct tenond *d, struct trail *tr)
{
    struct bundle *b = NULL;
    TRY(gather(d->config, &b, tr));
    hash_sha256_once(b->file.bytes, b->file.count, d->given);
    d->reads_config = strstr(b->file.bytes, "path:") != NULL;
    d->has_given = true;
    d->first = b;
    return OK_RESULT;
}

/* Signs on the spot: for simulated accounts, which is all that an unsigned file can name. */
static struct result sign_here(struct tenond *d, const char *instrument, struct trail *tr)
{
    struct deploy_doc *doc = calloc(1, sizeof *doc);
    must(doc != NULL);
    struct result r = instrument != NULL
                          ? deploy_read_as(d->config, d->instruments, instrument, doc, tr)
                          : deploy_read(d->config, d->instruments, doc, tr);
    if (is_ok(r) && doc->fact.serial != 0)
        r = FAIL(tr, CONFIG,
                 "%s: is serial %lu of a signed line; sign it and name the trust document with "
                 "--trust, instead of --throwaway-keys",
                 d->config, (unsigned long)doc->fact.serial);
    if (is_ok(r))
        r = throwaway_new(doc->host, &clock_system, &d->keys, tr);
    free(doc);
    if (!is_ok(r))
        return r;
    bundle_free(d->first);
    d->first = NULL;
    struct throwaway_ask a = {.path = d->config,
                              .instruments = d->instruments,
                              .symbol = instrument,
                              .plugin_dir = d->plugins,
                              .serial = 1};
    return throwaway_propose(d->keys, &a, &d->first, tr);
}

static struct result read_deployment(struct tenond *d, struct trail *tr)
{
    const char *config = args_text(&d->a, FLAG_CONFIG, NULL);
    const char *instrument = args_text(&d->a, FLAG_INSTRUMENT, NULL);
    const char *given = args_text(&d->a, FLAG_INSTRUMENTS, NULL);
    const char *trust = args_text(&d->a, FLAG_TRUST, NULL);
    bool demo = args_has(&d->a, FLAG_DEMO);
    if (config == NULL && !demo)
        return OK_RESULT; /* the journal says, or the host waits */
    if (given != NULL)
        snprintf(d->instruments, sizeof d->instruments, "%s", given);
    else
        TRY(places_default("instruments.yaml", d->instruments, tr));
    if (config != NULL)
        snprintf(d->config, sizeof d->config, "%s", config);
    else
        TRY(demo_config(d, tr));
    TRY(hash_given(d, tr));
    if (demo || args_has(&d->a, FLAG_THROWAWAY_KEYS))
        return sign_here(d, instrument, tr);
    return trust != NULL ? gather(trust, &d->trust, tr) : OK_RESULT;
}

static struct result settle_paths(struct tenond *d, struct trail *tr)
{
    const char *j = args_text(&d->a, FLAG_JOURNAL, NULL);
    const char *h = args_text(&d->a, FLAG_HEADS, NULL);
    const char *p = args_text(&d->a, FLAG_PLUGINS, NULL);
    if (j != NULL)
        snprintf(d->journal, sizeof d->journal, "%s", j);
    else
        TRY(paths_state("journal", d->journal, tr));
    if (h != NULL)
        snprintf(d->heads, sizeof d->heads, "%s", h);
    else
        TRY(paths_state("heads", d->heads, tr));
    if (p != NULL)
        snprintf(d->plugins, sizeof d->plugins, "%s", p);
    else
        TRY(paths_beside("plugins", d->plugins, tr));
    snprintf(d->state, sizeof d->state, "%s", d->journal);
    char *slash = strrchr(d->state, '/');
    if (slash != NULL && slash != d->state)
        *slash = 0;
    return OK_RESULT;
}

static void settle_pace(struct tenond *d)
{
    d->headless = args_has(&d->a, FLAG_HEADLESS);
    d->for_ns = args_has(&d->a, FLAG_FOR) ? d->a.flag[FLAG_FOR].value : 0;
    d->market = args_text(&d->a, FLAG_DATA, NULL);
    bool generated = d->market == NULL;
    if (d->market != NULL && strrchr(d->market, '/') != NULL)
        d->market = strrchr(d->market, '/') + 1;
    if (d->headless && generated && d->for_ns == 0)
        d->for_ns = DEMO_HEADLESS_NS;
    if (args_has(&d->a, FLAG_SPEED))
        d->speed = d->a.flag[FLAG_SPEED].value;
    else if (!d->headless)
        d->speed = args_has(&d->a, FLAG_DEMO) ? DEMO_SPEED : REAL_TIME;
}

/* ---- opening ---- */

/* They may be needed while there is no engine; then its deployment says. */
static bool has_roads(const struct tenond *d)
{
    const bool may = d->helpers.has_roads && !d->helpers.roads.in_engine;
    return may && (d->engine == NULL || leave_goes_out(d->engine));
}

static void wake(void *arg)
{
    const struct tenond *d = arg;
    uint64_t one = 1;
    if (write(d->wake_fd, &one, sizeof one) < 0)
        return; /* a full counter is awake already */
}

static struct result open_gateway(struct tenond *d, struct trail *tr)
{
    d->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (d->wake_fd < 0)
        return FAIL(tr, IO, "eventfd: %s", strerror(errno));
    struct gateway_options o = {.socket_path = args_text(&d->a, FLAG_SOCKET, NULL),
                                .log = d->log,
                                .wake = wake,
                                .wake_arg = d};
    return gateway_open(&o, &d->gateway, tr);
}

static struct result become_own_user(struct tenond *d, struct trail *tr)
{
    must(privilege_is_root());
    TRY(privilege_give(d->journal, "tenon", tr));
    TRY(privilege_give(d->heads, "tenon", tr));
    TRY(privilege_give(gateway_socket(d->gateway), "tenon", tr));
    return privilege_drop("tenon", d->journal, tr);
}

/* An empty journal begins with a signed deployment only (DECISIONS 28). */
static struct result check_doc(struct tenond *d, struct trail *tr)
{
    d->has_doc = lockstep_doc(d->engine) != NULL;
    if (d->market == NULL)
        d->market = d->has_doc ? "generated market" : "none";
    if (d->has_doc ||
        (args_text(&d->a, FLAG_DATA, NULL) == NULL && !args_has(&d->a, FLAG_HEADLESS)))
        return OK_RESULT; /* a host without a deployment waits */
    return FAIL(tr, USAGE,
                "run: there is no deployment to run the data on; name it with --config FILE, or "
                "give --demo");
}

/* The demo on its own market promotes and rolls back, at a third and two thirds of its time, but
 * not before there is the history that the next version wants; a short one does neither. */
static struct result plan_demo(struct tenond *d, struct trail *tr)
{
    int64_t whole = d->headless && d->for_ns > 0 ? d->for_ns : DEMO_ACT_NS;
    int64_t first = whole / 3 > DEMO_HISTORY_NS ? whole / 3 : DEMO_HISTORY_NS;
    if (!args_has(&d->a, FLAG_DEMO) || args_text(&d->a, FLAG_DATA, NULL) != NULL ||
        whole < 2 * DEMO_HISTORY_NS)
        return OK_RESULT;
    struct lockstep_promotion p;
    lockstep_promotion(d->engine, &p);
    if (p.serial != 1 || p.said == 0 || lockstep_epoch(d->engine) != 1)
        return OK_RESULT; /* begun by another process: its keys are thrown away */
    TRY(places_default("demo-next.yaml", d->next, tr));
    d->demo = (struct demo){.keys = d->keys,
                            .path = d->next,
                            .instruments = d->instruments,
                            .plugin_dir = d->plugins,
                            .promote_ns = lockstep_now(d->engine) + first,
                            .rollback_ns = lockstep_now(d->engine) + first + (whole - first) / 2};
    return OK_RESULT;
}

static struct result open_engine(struct tenond *d, struct trail *tr)
{
    bool demo = args_has(&d->a, FLAG_DEMO);
    const char *data = args_text(&d->a, FLAG_DATA, NULL);
    const char *name = strrchr(d->config, '/');
    struct lockstep_options o = {.first = d->first,
                                 .trust = d->keys ? throwaway_trust(d->keys) : d->trust,
                                 .by = demo ? "demo" : "start",
                                 .given_sha256 = d->has_given ? d->given : NULL,
                                 .given_name = name != NULL ? name + 1 : d->config,
                                 .hold = d->speed == 0,
                                 .wake = wake,
                                 .wake_arg = d,
                                 .kind = FACT_RUN_PAPER,
                                 .plugin_dir = d->plugins,
                                 .data_path = data,
                                 .journal_dir = d->journal,
                                 .heads_dir = d->heads,
                                 .ledger_path = d->heads,
                                 .seed = (uint64_t)d->a.flag[FLAG_SEED].value,
                                 .faults_per_day = demo && data == NULL ? DEMO_FAULTS_PER_DAY : 0,
                                 .home = d->helpers.home,
                                 .roads = d->helpers.has_roads ? &d->helpers.roads : NULL,
                                 .log = d->log,
                                 .clock = &clock_system};
    TRY(lockstep_open(&o, &d->engine, tr));
    TRY(check_doc(d, tr));
    TRY(plan_demo(d, tr));
    if (!demo && !args_has(&d->a, FLAG_AUTO))
        return OK_RESULT; /* off after every start, until somebody says otherwise */
    struct fact_auto on = {.on = 1};
    snprintf(on.by, sizeof on.by, "%s", demo ? "demo" : "start --auto");
    return lockstep_command(d->engine, FACT_AUTO, &on, tr);
}

/* Plugin code and stored bytes are opened as the host's own user where that user can read them. A
 * private tree it cannot enter is opened by root, and said. */
static bool own_user_reads(const struct tenond *d)
{
    const char *data = args_text(&d->a, FLAG_DATA, NULL);
    const char *path[3] = {d->plugins};
    size_t count = 1;
    if (data != NULL)
        path[count++] = data;
    if (d->reads_config)
        path[count++] = d->config; /* plugins named by path lie beside it */
    return privilege_can_read("tenon", path, count);
}

static struct result open_as_own_user(struct tenond *d, bool reads, struct trail *tr)
{
    if (reads)
        TRY(become_own_user(d, tr));
    else
        log_now(d->log, LOG_WARN, NULL,
                "user tenon cannot read %s or the data: they are opened as root before it is given "
                "up; open their folders for that user",
                d->plugins);
    TRY(open_engine(d, tr));
    return reads ? OK_RESULT : become_own_user(d, tr);
}

static struct result open_all(struct tenond *d, struct trail *tr)
{
    TRY(settle_paths(d, tr));
    TRY(read_deployment(d, tr));
    settle_pace(d);
    bool is_root = privilege_is_root();
    if (is_root)
        TRY(privilege_user("tenon", tr));
    TRY(helpers_start(&d->helpers, &d->a, d->first != NULL ? d->first->file.bytes : NULL, tr));
    bool reads = is_root && own_user_reads(d); /* asked while there is one thread */
    TRY(places_check(d->journal, "CURRENT", tr));
    TRY(places_check(d->heads, "host.key", tr));
    TRY(places_make(d->journal, tr));
    TRY(places_make(d->heads, tr));
    TRY(log_open(&d->log, STDERR_FILENO, isatty(STDERR_FILENO) ? LOG_WORDS : LOG_JSON, LOG_INFO));
    TRY(helpers_open(&d->helpers, d->log, d->speed != 0 || has_roads(d), tr));
    TRY(open_gateway(d, tr));
    return is_root ? open_as_own_user(d, reads, tr) : open_engine(d, tr);
}

/* ---- the view ---- */

static void publish(struct tenond *d, int64_t mono_ns)
{
    static struct gateway_view v; /* large; one thread */
    publish_view(d->engine, d->market, &v);
    v.started_ns = d->started_ns;
    v.window_events = v.seq - d->window_events;
    v.window_ns = (uint64_t)(mono_ns - d->window_ns);
    d->window_events = v.seq;
    d->window_ns = mono_ns;
    gateway_publish(d->gateway, &v);
}

/* ---- commands ---- */

static void publish_now(void *arg)
{
    publish(arg, clock_mono(&clock_system));
}

/* Lines of promotions, once each. */
static void print_lines(struct tenond *d)
{
    struct lockstep_promotion p;
    char line[LOCKSTEP_LINE_BYTES];
    lockstep_promotion(d->engine, &p);
    for (; d->lines < p.said; d->lines++) {
        if (lockstep_line(d->engine, d->lines + 1, line) && d->has_doc &&
            !args_has(&d->a, FLAG_QUIET) && !args_has(&d->a, FLAG_JSON))
            printf("%s\n", line);
    }
}

static struct result obey(struct tenond *d, struct trail *tr)
{
    struct obey o = {.engine = d->engine, .gateway = d->gateway, .publish = publish_now, .arg = d};
    struct result r = obey_all(&o, tr);
    if (o.wants_stop)
        stop_signal = SIGTERM;
    print_lines(d);
    return r;
}

/* ---- telling ---- */

static void tell(struct tenond *d)
{
    int64_t now = clock_mono(&clock_system);
    (void)notify_alive(&d->notify, now);
    if (now - d->view_ns >= VIEW_MS * MS_NS) {
        d->view_ns = now;
        lockstep_idle(d->engine);
        publish(d, now);
    }
    if (!d->headless && d->has_doc && !args_has(&d->a, FLAG_QUIET) &&
        now - d->status_ns >= STATUS_MS * MS_NS) {
        d->status_ns = now;
        words_status(d->engine);
    }
}

/* ---- running ---- */

static void sleep_ms(const struct tenond *d, int64_t ms)
{
    pace_sleep(d->engine, d->wake_fd, (ms < 0 ? 0 : ms > WAIT_MS ? WAIT_MS : ms) * MS_NS);
}

static bool time_is_up(const struct tenond *d)
{
    return !d->headless && d->for_ns > 0 && clock_mono(&clock_system) - d->wall0_ns >= d->for_ns;
}

/* The disk is full: said once, then tried again; commands are still obeyed. */
static void wait_for_room(struct tenond *d)
{
    if (!d->full_said)
        log_now(
            d->log, LOG_ERROR, NULL,
            "journal %s: the disk is full; no new risk is taken until there is room: free space",
            d->journal);
    d->full_said = true;
    tell(d);
    sleep_ms(d, WAIT_MS);
}

/* Where market time begins, and on which clock. */
static struct result begin_pace(struct tenond *d, struct trail *tr)
{
    const struct roads_options *o = &d->helpers.roads;
    int64_t next_ns;
    d->started_ns = clock_wall(&clock_system);
    d->wall0_ns = clock_mono(&clock_system);
    TRY(lockstep_next(d->engine, &next_ns, tr));
    int64_t market0_ns = next_ns == INT64_MAX ? lockstep_now(d->engine) : next_ns;
    d->pace = (struct pace){d->speed, d->wall0_ns, market0_ns};
    if (has_roads(d) && o->is_script) {
        market0_ns = o->script_market_ns;
        d->pace = (struct pace){o->script_speed, o->script_mono_ns, market0_ns};
    } else if (has_roads(d)) { /* live: event time is wall time */
        d->pace = (struct pace){REAL_TIME, d->wall0_ns, d->started_ns};
    }
    d->speed = d->pace.speed;
    d->guard = (struct guard){.engine = d->engine,
                              .log = d->log,
                              .journal = d->journal,
                              .watches_clock = d->speed == REAL_TIME && !o->is_script &&
                                               args_text(&d->a, FLAG_DATA, NULL) == NULL};
    if (d->headless && d->for_ns > 0)
        lockstep_until(d->engine, market0_ns + d->for_ns);
    return OK_RESULT;
}

/* Between two events: commands, guards, promotions, what came over the roads. */
static struct result look_around(struct tenond *d, uint32_t turns, struct trail *tr)
{
    struct result r = obey(d, tr);
    if (is_ok(r) && (d->speed != 0 || turns % LOOK_EVERY == 0))
        r = guard_look(&d->guard, tr);
    if (is_ok(r))
        r = demo_turn(&d->demo, d->engine, tr);
    if (is_ok(r) && (d->speed != 0 || lockstep_holds(d->engine)))
        r = lockstep_service(d->engine, tr);
    if (is_ok(r))
        lockstep_receive(d->engine);
    return r;
}

/* AGAIN: not yet; slept a little. */
static struct result wait_for_event(struct tenond *d, struct trail *tr)
{
    int64_t next_ns;
    if (lockstep_holds(d->engine) || !d->has_doc) {
        tell(d);
        sleep_ms(d, WAIT_MS);
        return RESULT_OF(AGAIN);
    }
    if (d->speed == 0)
        return OK_RESULT;
    TRY(lockstep_next(d->engine, &next_ns, tr));
    if (d->headless && lockstep_is_over(d->engine))
        return RESULT_OF(END);
    int64_t wait = pace_wait_ns(&d->pace, next_ns);
    if (wait == 0)
        return OK_RESULT;
    tell(d);
    int64_t most = d->helpers.home != NULL ? MS_NS : WAIT_MS * MS_NS; /* bays answer in between */
    pace_sleep(d->engine, d->wake_fd, wait < most ? wait : most);
    return RESULT_OF(AGAIN);
}

/* A signal, or the end of --for, asks for the end: END, or why not yet. */
static struct result stop_asked(struct tenond *d, struct trail *tr)
{
    enum leave_word word = LEAVE_STOP;
    if (has_roads(d))
        TRY(leave_ask(&d->leave, &word, tr));
    if (word == LEAVE_STAY)
        stop_signal = 0;
    return word == LEAVE_STOP ? RESULT_OF(END) : OK_RESULT;
}

/* One look around and, when its time has come, one event. */
static struct result step(struct tenond *d, uint32_t *turns, struct trail *tr)
{
    struct result r = look_around(d, *turns, tr);
    if (is_ok(r))
        r = wait_for_event(d, tr);
    if (r.code == RESULT_AGAIN)
        return OK_RESULT;
    if (is_ok(r))
        r = lockstep_turn(d->engine, tr);
    if (r.code == RESULT_AGAIN) {
        wait_for_room(d);
        return OK_RESULT;
    }
    d->full_said = false;
    if (++*turns % LOOK_EVERY == 0)
        tell(d);
    return r;
}

static struct result run(struct tenond *d, struct trail *tr)
{
    struct result r = begin_pace(d, tr);
    uint32_t turns = 0;
    d->leave = (struct leave){.engine = d->engine,
                              .log = d->log,
                              .may_leave = args_has(&d->a, FLAG_LEAVE),
                              .may_flatten = args_has(&d->a, FLAG_FLATTEN)};
    while (is_ok(r)) {
        if (time_is_up(d)) {
            d->for_ns = 0; /* asked once: whoever must stay stays until a signal */
            stop_signal = SIGTERM;
        }
        if (stop_signal != 0)
            r = stop_asked(d, tr);
        if (is_ok(r))
            r = step(d, &turns, tr);
    }
    return r.code == RESULT_END ? OK_RESULT : r;
}

static int conclude(struct tenond *d, struct trail *tr)
{
    struct replay_report replay = {0};
    char text[TRAIL_TEXT_BYTES];
    const char *broken = demo_fault(&d->demo, d->engine);
    lockstep_leave(d->engine, leave_count(d->engine) > 0);
    struct result r = lockstep_stop(d->engine, &d->report, tr);
    if (is_ok(r))
        r = replay_own(d->journal, &replay, tr);
    if (!is_ok(r))
        return fail(r, tr);
    struct summary s = {.doc = lockstep_doc(d->engine),
                        .core = lockstep_core(d->engine),
                        .report = &d->report,
                        .replay = &replay,
                        .market = d->market,
                        .state_dir = d->state};
    if (args_has(&d->a, FLAG_JSON))
        summary_json(stdout, &s);
    else
        summary_print(stdout, &s);
    fflush(stdout);
    if (d->report.totals.denied_by[RISK_AUTO] > 0)
        fprintf(stderr,
                "note: %lu intents were denied because auto trading was off: it is off "
                "after every start; use tenon auto on, or run --auto\n",
                (unsigned long)d->report.totals.denied_by[RISK_AUTO]);
    if (summary_fault(&s, text) == NULL && broken == NULL)
        return 0;
    fprintf(stderr, "error[RUN] the run does not hold: %s\n", broken ? broken : text);
    return 1;
}

static void close_all(struct tenond *d)
{
    if (d->gateway != NULL)
        gateway_close(d->gateway);
    notify_close(&d->notify);
    lockstep_free(d->engine);
    helpers_close(&d->helpers);
    throwaway_free(d->keys);
    bundle_free(d->first);
    bundle_free(d->trust);
    if (d->log != NULL)
        log_close(d->log);
    if (d->wake_fd > 0)
        close(d->wake_fd);
    free(d);
}

/* A broken rule of ours: where it happened and how to see it again, before the process stops. */
static void on_broken(void *arg, const char *expr, const char *file, int line)
{
    const struct tenond *d = arg;
    char text[PATHS_BYTES + 512];
    if (d->engine == NULL)
        return;
    int n =
        snprintf(text, sizeof text,
                 "tenond: stopped at event %lu by %s (%s:%d); the journal is whole: see it again "
                 "with: tenon replay --journal %s\n",
                 (unsigned long)core_seq(lockstep_core(d->engine)), expr, file, line, d->journal);
    if (n > 0 && write(STDERR_FILENO, text, (size_t)n) < 0)
        return; /* nobody to tell */
}

static void catch_signals(void)
{
    struct sigaction sa = {.sa_handler = on_signal};
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int main(int argc, char **argv)
{
    struct trail tr = {0};
    struct complaint c = {0};
    struct result r = bay_pin_libm(argv, &tr);
    if (!is_ok(r))
        return fail(r, &tr);
    struct tenond *d = calloc(1, sizeof *d);
    must(d != NULL);
    r = args_parse_as(COMMAND_RUN, argc, argv, &d->a, &c);
    if (is_ok(r))
        r = args_check_files(&d->a, &c);
    if (!is_ok(r)) {
        char line[2048];
        (void)complaint_print(&c, line, sizeof line);
        fprintf(stderr, "%s\n", line);
        free(d);
        return complaint_exit(&c);
    }
    if (args_has(&d->a, FLAG_HELP)) {
        printf("tenond is the host that `tenon run` starts, with the same flags: see tenon run "
               "--help\n");
        free(d);
        return 0;
    }
    catch_signals();
    must_set_hook(on_broken, d);
    notify_open(&d->notify);
    r = open_all(d, &tr);
    if (is_ok(r)) {
        notify_say(&d->notify, "READY=1");
        r = run(d, &tr);
        notify_say(&d->notify, "STOPPING=1");
    }
    int exit_code = is_ok(r) ? conclude(d, &tr) : fail(r, &tr);
    close_all(d);
    return exit_code;
}
