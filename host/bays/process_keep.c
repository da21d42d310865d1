/* SPDX-License-Identifier: Apache-2.0
 *
 * The keeper: one thread of a home that watches the processes of its bays and starts dead ones
 * again. It sleeps on their pidfds and wakes a few times within a deadline to see which PINGs are
 * open too long; what it finds it says in words that the bay's caller reads, and no more: who calls
 * a bay decides what is a death.
 *
 * Starting again: a new process, its nodes, the last saved state of each, activate, then the events
 * since. While that goes on more come; when the process is near, the caller sends the rest itself.
 * Without a state all that is kept is shown: as it was, when that is everything, else as history.
 *
 * A bay is not freed while the keeper is at it. The lock is held for looks, never for a start.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "bays/process_priv.h"

enum { LOOKS_IN_DEADLINE = 4, WATCHED_MAX = 256, MS_MIN = 5 };

/* ---- starting again ---- */

static struct result load_states(struct process_bay *b, struct trail *tr)
{
    struct result r = OK_RESULT;
    for (uint32_t n = 0; n < b->spec.node_count && is_ok(r); n++)
        r = process_load_node(b, n, b->state[n].bytes, b->state[n].count, tr);
    return r;
}

static struct result gave_up(struct process_bay *b, struct trail *tr)
{
    char how[PROCESS_HOW_BYTES];
    const char *wrong = b->link.broken;
    process_how(b, wrong != NULL ? wrong : "gave no answer in time", how);
    return process_blame(b, tr, how);
}

/* Waits until everything sent so far is done, so that a bay that dies of the past dies here. */
static struct result settle(struct process_bay *b, struct trail *tr)
{
    const int64_t until = process_deadline(b);
    while (b->done < b->sent) {
        process_ask(b);
        link_ring(&b->link);
        const char *wrong = process_read(b);
        if (wrong != NULL && wrong != b->link.broken)
            return process_blame(b, tr, wrong);
        if (atomic_load_explicit(&b->stopping, memory_order_relaxed) != 0)
            return FAIL(tr, AGAIN, "the bay is stopped");
        if (b->done < b->sent && !process_wait(b, until))
            return gave_up(b, tr);
    }
    return OK_RESULT;
}

/* Events from..to, in messages of at most PROCESS_BATCH. */
static struct result show(struct process_bay *b, uint64_t to, bool as_history, struct trail *tr)
{
    struct result r = OK_RESULT;
    while (b->sent < to && is_ok(r)) {
        const uint64_t left = to - b->sent;
        const uint32_t count = left < PROCESS_BATCH ? (uint32_t)left : PROCESS_BATCH;
        struct tn_event *at =
            link_reserve(&b->link, LINE_GIVE, count * (uint32_t)sizeof(struct tn_event));
        if (at == NULL) {
            r = b->link.broken != NULL ? gave_up(b, tr) : settle(b, tr);
            continue;
        }
        for (uint32_t i = 0; i < count; i++) {
            at[i] = *process_past(b, b->sent + i);
            at[i].flags |= as_history ? TN_EVENT_F_WARMUP : 0;
        }
        link_commit(&b->link);
        b->sent += count;
        if (atomic_load_explicit(&b->stopping, memory_order_relaxed) != 0)
            return FAIL(tr, AGAIN, "the bay is stopped");
    }
    return is_ok(r) ? settle(b, tr) : r;
}

/* Up to `to`, in the way that the bay can still be told. */
static struct result tell(struct process_bay *b, uint64_t to, struct trail *tr)
{
    struct line_done done;
    const bool has_all = b->kept == 0;
    b->sent = b->done = b->asked_at = b->answered_at = b->has_state ? b->state_at : b->kept;
    if (b->has_state)
        TRY(load_states(b, tr));
    else
        TRY(show(b, has_all ? b->activated_at : to, true, tr));
    TRY(process_command(b, LINE_ACTIVATE, NULL, 0, &done, tr));
    return show(b, to, false, tr);
}

struct result process_revive(struct process_bay *b, struct trail *tr)
{
    process_end(b);
    b->how[0] = 0;
    TRY(process_launch(b, tr));
    TRY(tell(b, process_head(b), tr));
    struct result r = OK_RESULT;
    while (is_ok(r) && process_head(b) - b->sent > PROCESS_NEAR)
        r = show(b, process_head(b), false, tr);
    b->ready_at = b->sent;
    return r;
}

/* ---- the thread ---- */

void process_keep_wake(const struct process_home *h)
{
    const uint64_t one = 1;
    const ssize_t put = write(h->bell, &one, sizeof one);
    (void)put; /* a counter that is full wakes as well */
}

/* Looks at one bay that runs. */
static void watch(struct process_bay *b, int64_t now_ns)
{
    struct pollfd fd = {.fd = b->child.pidfd, .events = POLLIN};
    const uint64_t asked = atomic_load_explicit(&b->asked, memory_order_relaxed);
    if (poll(&fd, 1, 0) == 1)
        atomic_store_explicit(&b->gone, 1, memory_order_release);
    if (asked != b->looked_asked ||
        asked == atomic_load_explicit(&b->answered, memory_order_relaxed)) {
        b->looked_asked = asked;
        b->looked_ns = now_ns;
    } else if (now_ns - b->looked_ns > b->home->o.answer_ns) {
        atomic_store_explicit(&b->overdue, asked, memory_order_relaxed);
    }
}

/* Without the lock: the bay is busy. */
static void mend(struct process_bay *b)
{
    struct trail tr = {0};
    uint32_t end = REVIVE_READY;
    if (b->phase == PROCESS_OFF) {
        atomic_store_explicit(&b->runs, 0, memory_order_relaxed);
        process_end(b);
        end = REVIVE_UNSET;
    } else {
        const struct result r = process_revive(b, &tr);
        if (!is_ok(r)) {
            if (b->how[0] == 0)
                snprintf(b->how, sizeof b->how, "%.95s", trail_sentence(&tr, r));
            end = REVIVE_FAILED;
        }
    }
    atomic_store_explicit(&b->revive, end, memory_order_release);
}

/* Gives the bay that wants to be mended, or NULL. Under the lock. */
static struct process_bay *look_around(struct process_home *h)
{
    const int64_t now = clock_mono(h->o.clock);
    for (struct process_bay *b = h->first; b != NULL; b = b->next) {
        const uint32_t state = atomic_load_explicit(&b->revive, memory_order_acquire);
        if (state == REVIVE_WANTED) {
            atomic_store_explicit(&b->revive, REVIVE_BUSY, memory_order_relaxed);
            b->is_busy = true;
            return b;
        }
        if (state == REVIVE_UNSET && atomic_load_explicit(&b->runs, memory_order_acquire) != 0)
            watch(b, now);
    }
    return NULL;
}

/* Sleeps until a process ends, somebody rings, or it is time to look. */
static void doze(struct process_home *h)
{
    struct pollfd fd[WATCHED_MAX + 1] = {{.fd = h->bell, .events = POLLIN}};
    uint32_t count = 1;
    uint64_t rung;
    pthread_mutex_lock(&h->lock);
    for (struct process_bay *b = h->first; b != NULL && count <= WATCHED_MAX; b = b->next) {
        if (atomic_load_explicit(&b->revive, memory_order_acquire) == REVIVE_UNSET &&
            atomic_load_explicit(&b->runs, memory_order_acquire) != 0 &&
            atomic_load_explicit(&b->gone, memory_order_relaxed) == 0)
            fd[count++] = (struct pollfd){.fd = b->child.pidfd, .events = POLLIN};
    }
    pthread_mutex_unlock(&h->lock);
    const int64_t ms = h->o.answer_ns / 1000000 / LOOKS_IN_DEADLINE;
    (void)poll(fd, count, (int)(ms > MS_MIN ? ms : MS_MIN));
    if (fd[0].revents != 0 && read(h->bell, &rung, sizeof rung) < 0)
        return;
}

static void *keeper(void *arg)
{
    struct process_home *h = arg;
    while (atomic_load(&h->stop) == 0) {
        pthread_mutex_lock(&h->lock);
        struct process_bay *b = look_around(h);
        pthread_mutex_unlock(&h->lock);
        if (b == NULL) {
            doze(h);
            continue;
        }
        mend(b);
        pthread_mutex_lock(&h->lock);
        b->is_busy = false;
        pthread_cond_broadcast(&h->quiet);
        pthread_mutex_unlock(&h->lock);
    }
    return NULL;
}

void process_keep_add(struct process_bay *b)
{
    pthread_mutex_lock(&b->home->lock);
    b->next = b->home->first;
    b->home->first = b;
    pthread_mutex_unlock(&b->home->lock);
}

void process_keep_drop(struct process_bay *b)
{
    struct process_home *h = b->home;
    atomic_store(&b->stopping, 1);
    pthread_mutex_lock(&h->lock);
    while (b->is_busy)
        pthread_cond_wait(&h->quiet, &h->lock);
    struct process_bay **at = &h->first;
    while (*at != b) {
        must(*at != NULL);
        at = &(*at)->next;
    }
    *at = b->next;
    pthread_mutex_unlock(&h->lock);
}

struct result process_home_open(const struct process_options *o, struct process_home **out,
                                struct trail *tr)
{
    *out = NULL;
    must(o->spawn != NULL && o->clock != NULL && o->answer_ns >= 0);
    struct process_home *h = calloc(1, sizeof *h);
    must(h != NULL);
    h->o = *o;
    if (h->o.answer_ns == 0)
        h->o.answer_ns = o->is_waited ? PROCESS_WAITED_NS : PROCESS_ANSWER_NS;
    h->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (h->bell < 0) {
        free(h);
        return FAIL(tr, FULL, "no descriptor for the keeper of the bays; raise the limit on files");
    }
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->quiet, NULL);
    h->is_running = !o->is_waited; /* who waits mends by himself */
    if (h->is_running && pthread_create(&h->keeper, NULL, keeper, h) != 0) {
        h->is_running = false;
        process_home_close(h);
        return FAIL(tr, FULL, "no thread for the keeper of the bays; raise the limit on processes");
    }
    *out = h;
    return OK_RESULT;
}

void process_home_close(struct process_home *h)
{
    if (h == NULL)
        return;
    must(h->first == NULL);
    atomic_store(&h->stop, 1);
    process_keep_wake(h);
    if (h->is_running)
        pthread_join(h->keeper, NULL);
    pthread_mutex_destroy(&h->lock);
    pthread_cond_destroy(&h->quiet);
    close(h->bell);
    free(h);
}
