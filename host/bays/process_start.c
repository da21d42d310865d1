/* SPDX-License-Identifier: Apache-2.0
 *
 * Starting a tenon-bay and talking to it where waiting is allowed: its nodes, commands, states.
 *
 * Every wait has an end: the deadline of one answer. Loading and creating take longer than an
 * event, so the first words have ten of them. A wait sleeps on the bell and on the pidfd at once,
 * so the end of a process is noticed when it happens. How long it looks before it sleeps is the
 * bay's own wake policy, which is as good a guess for this side as for the other.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "bays/process_priv.h"

enum { START_DEADLINES = 10, LOOKS = 64, POLL_MS_MAX = 100, HOW_TRIES = 20, STOP_MS = 500 };

static int64_t now_of(const struct process_bay *b)
{
    return clock_mono(b->home->o.clock);
}

int64_t process_deadline(const struct process_bay *b)
{
    return now_of(b) + b->home->o.answer_ns;
}

/* ---- waiting ---- */

static bool look_awhile(struct process_bay *b, int64_t until_ns)
{
    if (b->want.wake == LINE_WAKE_BLOCK)
        return link_has(&b->link);
    const int64_t spin = now_of(b) + (int64_t)b->want.spin_us * 1000;
    const int64_t end = b->want.wake == LINE_WAKE_HYBRID && spin < until_ns ? spin : until_ns;
    do {
        for (int i = 0; i < LOOKS; i++) {
            if (link_has(&b->link))
                return true;
            __builtin_ia32_pause();
        }
    } while (now_of(b) < end && atomic_load_explicit(&b->gone, memory_order_relaxed) == 0);
    return false;
}

bool process_wait(struct process_bay *b, int64_t until_ns)
{
    if (look_awhile(b, until_ns))
        return true;
    for (;;) {
        const int64_t left = until_ns - now_of(b);
        if (left <= 0 || b->link.broken != NULL)
            return link_has(&b->link);
        if (!link_sleep(&b->link)) {
            link_awake(&b->link);
            return true;
        }
        struct pollfd fd[2] = {{.fd = b->link.end.bell, .events = POLLIN},
                               {.fd = b->child.pidfd, .events = POLLIN}};
        const int64_t ms = left / 1000000 + 1;
        (void)poll(fd, 2, (int)(ms < POLL_MS_MAX ? ms : POLL_MS_MAX));
        link_awake(&b->link);
        if (link_has(&b->link))
            return true;
        if (fd[1].revents != 0) {
            atomic_store(&b->gone, 1);
            return link_has(&b->link);
        }
        if (atomic_load_explicit(&b->stopping, memory_order_relaxed) != 0)
            return false;
    }
}

/* ---- commands ---- */

struct result process_blame(struct process_bay *b, struct trail *tr, const char *why)
{
    snprintf(b->how, sizeof b->how, "%s", why);
    return FAIL(tr, PLUGIN, "bay of plugin %s: %s", b->strategy->id, why);
}

/* Messages that come meanwhile are taken as ever. A message that waits does not move the deadline:
 * it may find no room, or be followed by others without end. So what has come by then is looked at
 * once more, and no more. */
static struct result wait_reply(struct process_bay *b, int64_t until_ns, struct trail *tr)
{
    for (bool is_late = false; !b->has_reply;) {
        const char *wrong = process_read(b);
        if (b->phase == PROCESS_OFF)
            return FAIL(tr, PLUGIN, "plugin %s is quarantined; see its fault", b->strategy->id);
        if (wrong != NULL) {
            if (b->phase == PROCESS_LIVE && b->warmup_known)
                process_die(b, wrong);
            return process_blame(b, tr, wrong);
        }
        if (b->has_reply)
            break;
        if (!is_late && process_wait(b, until_ns)) {
            is_late = now_of(b) >= until_ns;
            continue;
        }
        char how[PROCESS_HOW_BYTES];
        process_how(b, "gave no answer in time", how);
        return process_blame(b, tr, how);
    }
    return OK_RESULT;
}

static struct result say(struct process_bay *b, uint32_t kind, const void *head,
                         uint32_t head_count, const void *body, uint32_t body_count,
                         struct trail *tr)
{
    const int64_t until = process_deadline(b);
    uint8_t *at = NULL;
    while ((at = link_reserve(&b->link, kind, head_count + body_count)) == NULL) {
        if (b->link.broken != NULL || now_of(b) > until)
            return process_blame(
                b, tr, b->link.broken != NULL ? b->link.broken : "does not read its line");
        link_ring(&b->link);
        (void)process_wait(b, now_of(b) + 1000000);
    }
    if (head_count > 0)
        memcpy(at, head, head_count);
    if (body_count > 0)
        memcpy(at + head_count, body, body_count);
    link_commit(&b->link);
    link_ring(&b->link);
    return OK_RESULT;
}

static struct result reply(struct process_bay *b, uint32_t kind, int64_t until_ns,
                           struct line_done *done, struct trail *tr)
{
    const struct result r = wait_reply(b, until_ns, tr);
    b->wants = 0;
    if (!is_ok(r))
        return r;
    *done = b->reply;
    if (done->code == RESULT_OK)
        return OK_RESULT;
    const char *text = done->text[0] != 0 ? done->text : "no reason was given";
    for (char *c = done->text; *c != 0; c++)
        *c = *c >= ' ' && *c <= '~' ? *c : '?';
    if (done->code == RESULT_CONFIG)
        return FAIL(tr, CONFIG, "%s", text);
    return kind == LINE_LOAD ? FAIL(tr, STATE, "%s", text) : FAIL(tr, PLUGIN, "%s", text);
}

static void want(struct process_bay *b, uint32_t kind)
{
    b->wants = kind;
    b->has_reply = false;
}

struct result process_command(struct process_bay *b, uint32_t kind, const void *bytes,
                              uint32_t count, struct line_done *done, struct trail *tr)
{
    want(b, kind);
    TRY(say(b, kind, bytes, count, NULL, 0, tr));
    const int64_t times = kind == LINE_STRATEGY ? START_DEADLINES : 1;
    return reply(b, kind, now_of(b) + times * b->home->o.answer_ns, done, tr);
}

void process_ask(struct process_bay *b)
{
    const uint64_t asked = atomic_load_explicit(&b->asked, memory_order_relaxed);
    if (atomic_load_explicit(&b->answered, memory_order_relaxed) != asked || b->done == b->sent)
        return;
    const uint64_t next = asked + 1;
    if (!link_put(&b->link, LINE_PING, &next, sizeof next))
        return; /* full: the next look asks again */
    b->asked_at = b->sent;
    atomic_store_explicit(&b->asked, next, memory_order_relaxed);
}

/* ---- states ---- */

struct result process_load_node(struct process_bay *b, uint32_t node, const void *bytes,
                                size_t count, struct trail *tr)
{
    struct line_done done;
    struct result r = OK_RESULT;
    if (count == 0 || count > b->state[node].max)
        return FAIL(tr, STATE, "plugin %s: a state of %zu bytes, its manifest says %u at most",
                    b->spec.node[node].module->facts.manifest.id, count, b->state[node].max);
    want(b, LINE_LOAD);
    for (size_t at = 0; at < count && is_ok(r);) {
        const size_t piece = count - at < LINE_BODY_MAX ? count - at : LINE_BODY_MAX;
        const struct line_state h = {.node = node,
                                     .is_last = at + piece == count,
                                     .total = (uint32_t)count,
                                     .offset = (uint32_t)at,
                                     .count = (uint32_t)piece};
        r = say(b, LINE_LOAD, &h, sizeof h, (const uint8_t *)bytes + at, (uint32_t)piece, tr);
        at += piece;
    }
    return is_ok(r) ? reply(b, LINE_LOAD, process_deadline(b), &done, tr) : r;
}

static void expect_state(struct process_bay *b, uint32_t node)
{
    b->state[node].got = 0;
    b->state[node].is_whole = false;
}

/* One that was asked for in passing is waited for first: they share the room. */
static struct result end_saving(struct process_bay *b, struct trail *tr)
{
    const int64_t until = process_deadline(b);
    for (bool is_late = false; b->is_saving; is_late = now_of(b) >= until) {
        if (!process_pump(b) || (b->is_saving && (is_late || !process_wait(b, until))))
            return FAIL(tr, PLUGIN, "bay of plugin %s: gave no state in time", b->strategy->id);
    }
    return OK_RESULT;
}

struct result process_save_node(struct process_bay *b, uint32_t node, uint64_t as_of_seq,
                                struct trail *tr)
{
    struct line_done done;
    TRY(end_saving(b, tr));
    const struct line_state h = {.node = node, .as_of_seq = as_of_seq};
    expect_state(b, node);
    b->saving = node;
    TRY(process_command(b, LINE_SAVE, &h, sizeof h, &done, tr));
    if (!b->state[node].is_whole)
        return FAIL(tr, PLUGIN, "bay of plugin %s: its state did not come", b->strategy->id);
    return OK_RESULT;
}

/* In passing: all nodes after the same event, answered when it suits the bay. */
void process_ask_save(struct process_bay *b)
{
    const uint64_t head = process_head(b);
    const uint32_t each = sizeof(struct line_state) + 64;
    if (link_room(&b->link) < each * b->spec.node_count) {
        b->save_next = head + 1;
        return;
    }
    for (uint32_t n = 0; n < b->spec.node_count; n++) {
        const struct line_state h = {.node = n, .as_of_seq = process_past(b, head - 1)->seq};
        expect_state(b, n);
        const bool put = link_put(&b->link, LINE_SAVE, &h, sizeof h);
        must(put);
    }
    b->is_saving = true;
    b->save_bad = false;
    b->saving = 0;
    b->saving_at = b->sent;
    link_ring(&b->link);
}

/* ---- the process ---- */

/* Two nodes of one plugin share its module: a bay loads each sealed copy once. Which one that is
 * counts from the first node that has it. */
static uint32_t module_at(const struct bay_spec *spec, uint32_t node)
{
    uint32_t at = 0;
    for (uint32_t n = 0; n <= node; n++) {
        uint32_t first = 0;
        while (spec->node[first].module != spec->node[n].module)
            first++;
        if (spec->node[n].module == spec->node[node].module)
            return at;
        at += first == n;
    }
    return at;
}

static void fill(const struct process_bay *b, struct line_strategy *s)
{
    const struct bay_spec *spec = &b->spec;
    *s = (struct line_strategy){.version = LINE_VERSION,
                                .node_count = spec->node_count,
                                .wake = b->want.wake,
                                .spin_us = b->want.spin_us,
                                .instrument = spec->instrument,
                                .bar_ns = spec->bar_ns,
                                .seed = spec->seed};
    for (uint32_t n = 0; n < spec->node_count; n++) {
        const struct bay_instance_spec *from = &spec->node[n];
        struct line_node *to = &s->node[n];
        to->id = from->id;
        to->module = module_at(spec, n);
        to->param_count = from->module->facts.manifest.param_count;
        memcpy(to->param, b->params[n], sizeof to->param);
        memcpy(to->input_node, from->input_node, sizeof to->input_node);
        memcpy(to->input_output, from->input_output, sizeof to->input_output);
        memcpy(to->sha256, from->module->facts.sha256, sizeof to->sha256);
    }
}

/* What the last process knew nobody remembers. */
static void forget(struct process_bay *b)
{
    atomic_store(&b->asked, 0);
    atomic_store(&b->answered, 0);
    atomic_store(&b->overdue, 0);
    atomic_store(&b->gone, 0);
    b->looked_asked = 0;
    b->sent = b->done = b->asked_at = 0;
    b->answered_at = 0;
    b->at_event = 0;
    b->logs = 0;
    b->is_saving = false;
    b->wants = 0;
}

struct result process_launch(struct process_bay *b, struct trail *tr)
{
    struct link_end end[2];
    int module[BAY_NODES_MAX];
    uint32_t modules = 0;
    struct line_strategy s;
    struct line_done done;
    forget(b);
    for (uint32_t n = 0; n < b->spec.node_count; n++) {
        if (module_at(&b->spec, n) != modules)
            continue;
        module[modules++] = b->spec.node[n].module->fd;
    }
    TRY(link_make(LINE_BYTES, end, tr));
    struct result r = link_open(&end[0], &b->link, tr);
    if (!is_ok(r)) {
        link_end_close(&end[1]);
        return r;
    }
    b->has_link = true;
    const struct spawn_request q = {.kind = SPAWN_STRATEGY,
                                    .is_contained = b->want.is_contained,
                                    .cpu = b->want.cpu,
                                    .memory_bytes = b->want.memory_bytes,
                                    .core = end[1],
                                    .module_fd = module,
                                    .module_count = modules};
    TRY(spawn_bay(b->home->o.spawn, &q, &b->child, tr));
    b->has_child = true;
    fill(b, &s);
    TRY(process_command(b, LINE_STRATEGY, &s, sizeof s, &done, tr));
    b->warmup = done.warmup;
    b->warmup_known = true;
    return OK_RESULT;
}

/* The spawner says how it ended a moment after the pidfd does. */
void process_how(struct process_bay *b, const char *otherwise, char out[PROCESS_HOW_BYTES])
{
    char text[SPAWN_TEXT_BYTES];
    struct pollfd fd = {.fd = b->child.pidfd, .events = POLLIN};
    snprintf(out, PROCESS_HOW_BYTES, "%s", otherwise);
    if (!b->has_child || poll(&fd, 1, 0) != 1)
        return;
    for (int tries = 0; tries < HOW_TRIES; tries++) {
        if (spawn_how(b->home->o.spawn, b->child.id, NULL, text)) {
            snprintf(out, PROCESS_HOW_BYTES, "%.95s", text);
            return;
        }
        (void)poll(NULL, 0, 1);
    }
}

void process_end(struct process_bay *b)
{
    if (b->has_link && b->has_child) {
        (void)link_put(&b->link, LINE_STOP, NULL, 0);
        link_ring(&b->link);
    }
    if (b->has_child) {
        struct pollfd fd = {.fd = b->child.pidfd, .events = POLLIN};
        const bool asked = b->phase == PROCESS_LIVE && b->link.broken == NULL;
        if (!asked || poll(&fd, 1, STOP_MS) != 1)
            spawn_kill(b->home->o.spawn, b->child.id);
        close(b->child.pidfd);
    }
    if (b->has_link)
        link_close(&b->link);
    b->has_child = b->has_link = false;
    b->child.pidfd = -1;
}
