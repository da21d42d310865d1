/* SPDX-License-Identifier: Apache-2.0
 *
 * tenon-venue: a simulated venue as a process of its own. It serves one account of a deployment:
 * the same instruments, fees, latency, chance and market as the engine's own simulated venue,
 * behind signed HTTP and a WebSocket on loopback, with a ledger that survives it. The protocol is
 * in host/house/PROTOCOL.md, the reference for authors of adapters.
 *
 *   tenon-venue --config FILE --account NAME --port N --ledger FILE --keys FILE [more]
 *   tenon-venue ledger FILE [--text]
 *   exit 0 stopped on purpose · 64 wrong usage · 65 damaged ledger · others as the sentence says
 *
 * Order: pin libm (the generator's market must be the engine's to the bit), arguments, deployment,
 * source, ledger with its rebuild, sockets. Then one line on stdout says where it listens.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/must.h"
#include "base/num.h"
#include "bays/bay.h"
#include "flow/plant.h"
#include "flow/venues.h"
#include "gateway/complaint.h"
#include "house/booklog.h"
#include "house/doors.h"

enum { EXIT_USAGE = 64 };

struct options {
    const char *config, *instruments, *plugins, *account, *ledger, *keys, *script, *control, *data;
    bool is_wall;
    int64_t port, market0, mono0, speed, lead, seed, until, faults_per_day;
    bool has_market0, has_mono0;
};
struct program {
    struct options o;
    struct deploy_doc *doc;
    uint32_t account; /* index */
    struct bay_module *module;
    struct feed *feed;
    struct result source; /* how it ended */
    struct trail trail;
    struct house_instrument instrument[HOUSE_INSTRUMENTS_MAX];
    struct front_config front;
    struct doors *doors;
};

static volatile sig_atomic_t stop_signal;
static struct doors *to_wake; /* for the handler */

static void on_signal(int sig)
{
    stop_signal = sig;
    if (to_wake != NULL)
        doors_wake(to_wake);
}

static int fail(struct result r, const struct trail *tr)
{
    struct complaint c = {0};
    char line[2048];
    (void)complaint_from(&c, r, "tenon-venue", tr);
    (void)complaint_print(&c, line, sizeof line);
    fprintf(stderr, "%s\n", line);
    return complaint_exit(&c);
}

/* ---- arguments ---- */
static const char usage[] =
    "tenon-venue --config FILE --account NAME --ledger FILE --keys FILE\n"
    "  --port N           on 127.0.0.1; 0 (default): any that is free\n"
    "  --instruments FILE definitions the deployment names; --plugins DIR with the source\n"
    "  --data FILE        market data of a file instead of the generator; --faults-per-day N of "
    "it\n"
    "  --seed N           of the run; default: the deployment's\n"
    "  --script FILE      faults, a JSON array of rules; --control SOCKET: to give them later\n"
    "  --clock wall|script  script: --market0 NS is shown at monotonic --mono0 NS, --speed\n"
    "                     THOUSANDTHS of real time (1000), --lead NS ahead of the engine's clock\n"
    "  --until NS         event time of the source's last event\n"
    "tenon-venue ledger FILE [--text]   the ledger as JSON lines, or as its own lines\n";

enum option_id {
    O_CONFIG = 1000,
    O_INSTRUMENTS,
    O_PLUGINS,
    O_ACCOUNT,
    O_LEDGER,
    O_KEYS,
    O_SCRIPT,
    O_CONTROL,
    O_DATA,
    O_CLOCK,
    O_PORT,
    O_MARKET0,
    O_MONO0,
    O_SPEED,
    O_LEAD,
    O_SEED,
    O_UNTIL,
    O_FAULTS
};
static const struct option_row {
    const char *name;
    int id;
} option_rows[] = {
    {"config", O_CONFIG},   {"instruments", O_INSTRUMENTS},
    {"plugins", O_PLUGINS}, {"account", O_ACCOUNT},
    {"ledger", O_LEDGER},   {"keys", O_KEYS},
    {"script", O_SCRIPT},   {"control", O_CONTROL},
    {"data", O_DATA},       {"clock", O_CLOCK},
    {"port", O_PORT},       {"market0", O_MARKET0},
    {"mono0", O_MONO0},     {"speed", O_SPEED},
    {"lead", O_LEAD},       {"seed", O_SEED},
    {"until", O_UNTIL},     {"faults-per-day", O_FAULTS},
};

static struct result number(const char *name, const char *text, int64_t max, int64_t *out,
                            struct trail *tr)
{
    int64_t v;
    if (!is_ok(num_parse(text, strlen(text), 0, false, &v)) || v < 0 || v > max)
        return FAIL(tr, USAGE, "--%s %.40s: not a whole number from 0 to %ld", name, text,
                    (long)max);
    *out = v;
    return OK_RESULT;
}

static struct result set_number(struct options *o, int id, const char *name, const char *text,
                                struct trail *tr)
{
    int64_t *const at[] = {[0] = &o->port,
                           [O_MARKET0 - O_PORT] = &o->market0,
                           [O_MONO0 - O_PORT] = &o->mono0,
                           [O_SPEED - O_PORT] = &o->speed,
                           [O_LEAD - O_PORT] = &o->lead,
                           [O_SEED - O_PORT] = &o->seed,
                           [O_UNTIL - O_PORT] = &o->until,
                           [O_FAULTS - O_PORT] = &o->faults_per_day};
    int64_t max = id == O_PORT ? 65535 : id == O_SPEED || id == O_FAULTS ? 1000000000 : INT64_MAX;
    o->has_market0 |= id == O_MARKET0;
    o->has_mono0 |= id == O_MONO0;
    return number(name, text, max, at[id - O_PORT], tr);
}

static struct result set(struct options *o, int id, const char *name, const char *text,
                         struct trail *tr)
{
    const char **const at[] = {&o->config, &o->instruments, &o->plugins, &o->account, &o->ledger,
                               &o->keys,   &o->script,      &o->control, &o->data};
    if (id >= O_PORT)
        return set_number(o, id, name, text, tr);
    if (id != O_CLOCK) {
        *at[id - O_CONFIG] = text;
        return OK_RESULT;
    }
    o->is_wall = strcmp(text, "wall") == 0;
    if (!o->is_wall && strcmp(text, "script") != 0)
        return FAIL(tr, USAGE, "--clock %.40s: it is wall or script", text);
    return OK_RESULT;
}

static struct result check_options(const struct options *o, struct trail *tr)
{
    if (o->config == NULL || o->account == NULL || o->ledger == NULL || o->keys == NULL)
        return FAIL(tr, USAGE,
                    "tenon-venue: --config, --account, --ledger and --keys are needed; "
                    "see --help");
    if (!o->is_wall && (!o->has_market0 || !o->has_mono0))
        return FAIL(tr, USAGE, "tenon-venue: script time needs --market0 and --mono0; see --help");
    if (o->is_wall && (o->has_market0 || o->has_mono0 || o->lead != 0))
        return FAIL(tr, USAGE,
                    "tenon-venue: --market0, --mono0 and --lead belong to --clock script");
    if (o->speed == 0)
        return FAIL(tr, USAGE, "--speed 0: it is at least 1 thousandth");
    return OK_RESULT;
}

static struct result read_options(int argc, char **argv, struct options *o, struct trail *tr)
{
    enum { ROWS = sizeof option_rows / sizeof *option_rows };
    struct option table[ROWS + 1] = {0};
    for (size_t i = 0; i < ROWS; i++)
        table[i] = (struct option){option_rows[i].name, required_argument, NULL, option_rows[i].id};
    *o = (struct options){.is_wall = true, .speed = TEMPO_REAL_TIME, .until = INT64_MAX};
    struct result r = OK_RESULT;
    int at = 0;
    opterr = 0;
    for (int id; is_ok(r) && (id = getopt_long(argc, argv, "", table, &at)) != -1;) {
        if (id < O_CONFIG)
            return FAIL(tr, USAGE, "tenon-venue %.40s: unknown option or no value; see --help",
                        argv[optind - 1]);
        r = set(o, id, option_rows[id - O_CONFIG].name, optarg, tr);
    }
    if (is_ok(r) && optind < argc)
        return FAIL(tr, USAGE, "tenon-venue %.40s: options only; see --help", argv[optind]);
    return is_ok(r) ? check_options(o, tr) : r;
}

/* ---- the deployment ---- */
static struct result read_document(struct program *p, struct trail *tr)
{
    p->doc = calloc(1, sizeof *p->doc);
    must(p->doc != NULL);
    TRY(deploy_read(p->o.config, p->o.instruments, p->doc, tr));
    const struct deploy_doc *d = p->doc;
    while (p->account < d->account_count &&
           strncmp(d->account[p->account].name, p->o.account, FACT_NAME_BYTES) != 0)
        p->account++;
    if (p->account == d->account_count)
        return FAIL(tr, UNKNOWN_NAME, "%s: has no account %.40s; name one of its accounts", d->path,
                    p->o.account);
    if (!d->account[p->account].simulated)
        return FAIL(tr, NOT_PERMITTED, "%s: account %.40s is not simulated", d->path, p->o.account);
    for (uint32_t i = 0; i < d->instrument_count; i++) {
        struct house_instrument *in = &p->instrument[i];
        in->def = d->instrument[i];
        in->def.id = i + 1; /* as in a first run */
        in->settle_exp = d->currency[in->def.settle - 1].exp;
        memcpy(in->currency, d->currency[in->def.settle - 1].name, sizeof in->currency);
    }
    return OK_RESULT;
}

static struct result open_source(struct program *p, struct trail *tr)
{
    char path[DEPLOY_PATH_BYTES];
    if (p->o.data != NULL && p->doc->instrument_count != 1)
        return FAIL(tr, CONFIG, "%s: has %u instruments but one data file feeds one", p->doc->path,
                    p->doc->instrument_count);
    TRY(plant_find(p->o.plugins, p->o.data ? "replay" : "synth", "1.0.0", path, tr));
    TRY(bay_load(path, NULL, &p->module, tr));
    struct venues_source s = {.doc = p->doc,
                              .entry = bay_module_entry(p->module),
                              .data_path = p->o.data,
                              .seed = p->o.seed != 0 ? (uint64_t)p->o.seed : p->doc->seed,
                              .faults_per_day = (uint32_t)p->o.faults_per_day};
    return venues_feed(&s, &p->feed, tr);
}

/* The source's next event that is market data. */
static bool next_event(void *arg, struct fact_view *out)
{
    struct program *p = arg;
    do {
        if (is_ok(p->source))
            p->source = feed_next(p->feed, out, &p->trail);
    } while (is_ok(p->source) && out->head.type == FACT_ROWS);
    return is_ok(p->source) && out->head.t_ns <= p->o.until;
}

/* On wall time the source's first event is now. */
static struct result begin_clock(struct program *p, struct tempo *tempo, struct trail *tr)
{
    *tempo = (struct tempo){.kind = p->o.is_wall ? TEMPO_WALL : TEMPO_SCRIPT,
                            .clock = &clock_system,
                            .market0_ns = p->o.market0,
                            .mono0_ns = p->o.mono0,
                            .wall0_ns = clock_wall(&clock_system),
                            .lead_ns = p->o.lead,
                            .speed = p->o.speed};
    if (!p->o.is_wall)
        return OK_RESULT;
    struct fact_view first;
    if (next_event(p, &first))
        tempo->market0_ns = first.head.t_ns;
    feed_close(p->feed);
    p->feed = NULL;
    p->source = OK_RESULT;
    return open_source(p, tr);
}

static struct result build(struct program *p, struct trail *tr)
{
    TRY(read_document(p, tr));
    TRY(open_source(p, tr));
    struct house_config *h = &p->front.house;
    uint64_t seed = p->o.seed != 0 ? (uint64_t)p->o.seed : p->doc->seed;
    TRY(begin_clock(p, &h->tempo, tr));
    TRY(callers_read(p->o.keys, &p->front.callers, tr));
    if (p->o.script != NULL)
        TRY(faults_read(&p->front.faults, p->o.script, tr));
    h->venue = venues_config(p->doc, p->account, p->account + 1, seed, 0);
    h->instrument = p->instrument;
    h->instrument_count = p->doc->instrument_count;
    h->ledger_path = p->o.ledger;
    h->ops.next = next_event;
    h->ops.source = p;
    p->front.clock = &clock_system;
    struct doors_config d = {.port = (int)p->o.port, .control_path = p->o.control};
    return doors_open(&d, &p->front, &p->doors, tr);
}

static void print_end(struct program *p)
{
    struct house_totals t;
    house_totals(doors_house(p->doors), &t);
    printf("tenon-venue: stopped: %lu orders, %lu fills, %lu market events, %lu late\n",
           (unsigned long)t.orders, (unsigned long)t.fills, (unsigned long)t.market_events,
           (unsigned long)t.late);
}

static struct result serve(struct program *p, struct trail *tr)
{
    struct house_totals t;
    house_totals(doors_house(p->doors), &t);
    printf("tenon-venue: account %s on 127.0.0.1:%d, %s clock, %lu orders kept, %lu torn bytes "
           "cut\n",
           p->o.account, doors_port(p->doors), p->o.is_wall ? "wall" : "script",
           (unsigned long)t.kept, (unsigned long)t.cut);
    fflush(stdout);
    to_wake = p->doors;
    struct result r = OK_RESULT;
    while (is_ok(r) && stop_signal == 0)
        r = doors_turn(p->doors, tr);
    to_wake = NULL;
    if (is_ok(r))
        print_end(p);
    return r;
}

static int run(int argc, char **argv)
{
    static struct program p;
    struct trail tr = {0};
    struct sigaction act = {.sa_handler = on_signal};
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    signal(SIGPIPE, SIG_IGN);
    struct result r = read_options(argc, argv, &p.o, &tr);
    if (is_ok(r))
        r = build(&p, &tr);
    if (is_ok(r))
        r = serve(&p, &tr);
    doors_close(p.doors);
    feed_close(p.feed);
    free(p.doc);
    if (is_ok(r) && !is_ok(p.source) && p.source.code != RESULT_END)
        r = FAIL_AS(&tr, p.source, "%s", trail_sentence(&p.trail, p.source));
    return is_ok(r) ? 0 : fail(r, &tr);
}

/* ---- the ledger's reader ---- */
static struct result print_text(void *arg, uint64_t line_number, char *text, struct trail *tr)
{
    (void)arg;
    (void)line_number;
    (void)tr;
    puts(text);
    return OK_RESULT;
}

/* `word key=value ...` as {"n":1,"line":"word","key":"value"}; all values are strings. */
static struct result print_json(void *arg, uint64_t line_number, char *text, struct trail *tr)
{
    (void)arg;
    (void)tr;
    char *rest = NULL;
    const char *word = strtok_r(text, " ", &rest);
    printf("{\"n\":%lu,\"line\":\"%s\"", (unsigned long)line_number, word);
    for (char *pair = strtok_r(NULL, " ", &rest); pair != NULL; pair = strtok_r(NULL, " ", &rest)) {
        char *value = strchr(pair, '=');
        if (value != NULL)
            *value++ = '\0';
        printf(",\"%s\":\"%s\"", value == NULL ? "form" : pair, value == NULL ? pair : value);
    }
    puts("}");
    return OK_RESULT;
}

static int print_ledger(int argc, char **argv)
{
    struct trail tr = {0};
    uint64_t cut = 0;
    const bool text = argc == 4 && strcmp(argv[3], "--text") == 0;
    const struct booklog_reader reader = {NULL, text ? print_text : print_json};
    if (argc != 3 && !text) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    struct result r = booklog_read(argv[2], &reader, &cut, &tr);
    if (is_ok(r) && cut > 0)
        fprintf(stderr, "tenon-venue: the last %lu bytes are torn, or being written\n",
                (unsigned long)cut);
    return is_ok(r) ? 0 : fail(r, &tr);
}

int main(int argc, char **argv)
{
    struct trail tr = {0};
    struct result r = bay_pin_libm(argv, &tr);
    if (!is_ok(r))
        return fail(r, &tr);
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    if (argc >= 2 && strcmp(argv[1], "ledger") == 0)
        return print_ledger(argc, argv);
    return run(argc, argv);
}
