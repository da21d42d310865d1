/* SPDX-License-Identifier: Apache-2.0
 *
 * See promoter.h. The thread, and the few things it shares with the engine, all behind one lock
 * that is never held over work. The engine takes it only when there is news or when it has
 * something to say; asking whether there is news is one load.
 *
 * News is a list, not a ring: a document of 256 KiB is 600 facts, and a full ring would need a
 * second way to wait. What is in it is bounded by the one ask that is prepared at a time.
 *
 * An ask that was offered stays the thread's until the engine has taken the offer: so one place,
 * the job's end, decides whether it was abandoned before, and whose the new bays are.
 *
 * The durable mark is an atomic that the engine may store as often as it likes. Who waits for it
 * says so first and looks then, both sequentially consistent; so either the engine sees the wish or
 * the waiter sees the mark.
 */
#include "flow/promoter_priv.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/must.h"

/* ---- memory ---- */

void promoter_ask_free(struct promoter_ask *a)
{
    if (a == NULL)
        return;
    bundle_free(a->bundle);
    free(a->doc);
    free(a->text);
    free(a);
}

void promoter_listening_free(struct promoter_listening *l)
{
    if (l == NULL)
        return;
    for (uint32_t i = 0; i < l->state_count; i++)
        free(l->state[i].bytes);
    free(l);
}

void promoter_offer_free(struct promoter_offer *o)
{
    if (o == NULL)
        return;
    plant_close(&o->part);
    stage_rows_free(&o->rows);
    wayback_free(&o->back);
    free(o->doc);
    free(o);
}

struct promoter_item *promoter_item_new(uint32_t kind)
{
    struct promoter_item *i = calloc(1, sizeof *i);
    must(i != NULL);
    i->kind = kind;
    if (kind == PROMOTER_FACT)
        return i;
    i->news = calloc(1, sizeof *i->news);
    must(i->news != NULL);
    i->news->kind = kind;
    return i;
}

static void item_free(struct promoter_item *i)
{
    if (i->news != NULL)
        promoter_offer_free(i->news->offer);
    free(i->news);
    free(i);
}

/* ---- the thread's side ---- */

void promoter_post(struct promoter *p, struct promoter_item *item)
{
    must(item->next == NULL);
    pthread_mutex_lock(&p->lock);
    if (p->last != NULL)
        p->last->next = item;
    else
        p->first = item;
    p->last = item;
    atomic_store(&p->has_news, true);
    pthread_mutex_unlock(&p->lock);
    if (p->o.wake != NULL)
        p->o.wake(p->o.wake_arg);
}

/* Stops one bay that was retired; the lock is given up meanwhile. False when there is none. */
static bool stop_one(struct promoter *p)
{
    if (p->retired_count == 0)
        return false;
    struct bay *b = p->retired[0];
    p->retired_count--;
    for (uint32_t i = 0; i < p->retired_count; i++)
        p->retired[i] = p->retired[i + 1];
    pthread_mutex_unlock(&p->lock);
    b->ops->stop(b);
    pthread_mutex_lock(&p->lock);
    return true;
}

struct result promoter_wait(struct promoter *p, promoter_until_fn until)
{
    pthread_mutex_lock(&p->lock);
    while (!until(p) && !atomic_load(&p->stop)) {
        if (!stop_one(p))
            pthread_cond_wait(&p->moved, &p->lock);
    }
    const bool stop = atomic_load(&p->stop);
    pthread_mutex_unlock(&p->lock);
    return stop ? RESULT_OF(AGAIN) : OK_RESULT;
}

bool promoter_is_drained(const struct promoter *p)
{
    return p->first == NULL;
}

bool promoter_has_listening(const struct promoter *p)
{
    return p->listening != NULL;
}

bool promoter_has_durable(const struct promoter *p)
{
    return atomic_load(&p->durable) >= p->want_durable;
}

bool promoter_take_back(struct promoter *p, struct promoter_news **out)
{
    pthread_mutex_lock(&p->lock);
    struct promoter_item *i = p->first, *before = NULL;
    while (i != NULL && i->kind != PROMOTER_OFFERED) {
        before = i;
        i = i->next;
    }
    if (i != NULL) {
        must(i == p->last); /* nothing is said after an offer */
        if (before != NULL)
            before->next = NULL;
        else
            p->first = NULL;
        p->last = before;
        atomic_store(&p->has_news, p->first != NULL);
    }
    pthread_mutex_unlock(&p->lock);
    if (i == NULL)
        return false;
    *out = i->news;
    free(i);
    return true;
}

static void job_free(struct promoter_job *j)
{
    if (j->old != NULL)
        plant_close(j->old);
    free(j->old);
    promoter_listening_free(j->listening);
    promoter_offer_free(j->offer);
    promoter_ask_free(j->ask);
    free(j);
}

/* The later of the clock and of every time recorded before: a clock set back revives nothing. */
static int64_t wall_of(const struct promoter *p, const struct promoter_ask *a)
{
    const int64_t now = clock_wall(p->o.clock);
    return now > a->wall_floor_ns ? now : a->wall_floor_ns;
}

static void run_ask(struct promoter *p, struct promoter_ask *a)
{
    struct promoter_job *j = calloc(1, sizeof *j);
    must(j != NULL && a->bundle != NULL);
    j->p = p;
    j->ask = a;
    j->why = PROMOTION_WHY_CHECK;
    j->state = PROMOTION_DRAFT;
    j->wall_ns = wall_of(p, a);
    if (a->kind == PROMOTER_TRUST)
        promoter_trust(j);
    else if (a->kind == PROMOTER_REQUEST)
        promoter_request(j);
    else
        promoter_deployment(j);
    job_free(j);
}

static void *run(void *arg)
{
    struct promoter *p = arg;
    pthread_mutex_lock(&p->lock);
    while (!p->is_closing) {
        if (stop_one(p))
            continue;
        struct promoter_ask *a = p->ask;
        p->ask = NULL;
        if (a == NULL) {
            pthread_cond_wait(&p->moved, &p->lock);
            continue;
        }
        promoter_listening_free(p->listening); /* of the ask before, when it was given up */
        p->listening = NULL;
        pthread_mutex_unlock(&p->lock);
        run_ask(p, a);
        pthread_mutex_lock(&p->lock);
    }
    while (stop_one(p))
        continue;
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* ---- the engine's side ---- */

struct result promoter_open(const struct promoter_options *o, struct promoter **out,
                            struct trail *tr)
{
    must(o->plugin_dir != NULL && o->clock != NULL);
    *out = NULL;
    struct promoter *p = calloc(1, sizeof *p);
    must(p != NULL);
    p->o = *o;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->moved, NULL);
    if (pthread_create(&p->thread, NULL, run, p) != 0) {
        pthread_cond_destroy(&p->moved);
        pthread_mutex_destroy(&p->lock);
        free(p);
        return FAIL(tr, FULL,
                    "the system gives no thread to prepare promotions on; raise the limit of "
                    "processes and start again");
    }
    *out = p;
    return OK_RESULT;
}

void promoter_close(struct promoter *p)
{
    if (p == NULL)
        return;
    pthread_mutex_lock(&p->lock);
    p->is_closing = true;
    atomic_store(&p->stop, true);
    pthread_cond_signal(&p->moved);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    must(p->retired_count == 0);
    while (p->first != NULL) {
        struct promoter_item *i = p->first;
        p->first = i->next;
        item_free(i);
    }
    promoter_ask_free(p->ask);
    promoter_listening_free(p->listening);
    pthread_cond_destroy(&p->moved);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

struct result promoter_submit(struct promoter *p, struct promoter_ask *a, struct trail *tr)
{
    if (atomic_load(&p->is_busy))
        return FAIL(tr, BUSY,
                    "another document is being prepared; see tenon status, and hand it over again "
                    "when that one is active or refused");
    pthread_mutex_lock(&p->lock);
    must(p->ask == NULL && !p->is_closing);
    p->ask = a;
    p->is_abandoned = false;
    atomic_store(&p->stop, false);
    atomic_store(&p->is_busy, true);
    pthread_cond_signal(&p->moved);
    pthread_mutex_unlock(&p->lock);
    return OK_RESULT;
}

void promoter_listening(struct promoter *p, struct promoter_listening *l)
{
    pthread_mutex_lock(&p->lock);
    must(p->listening == NULL);
    p->listening = l;
    pthread_cond_signal(&p->moved);
    pthread_mutex_unlock(&p->lock);
}

void promoter_durable(struct promoter *p, uint64_t seq)
{
    atomic_store(&p->durable, seq);
    if (!atomic_load(&p->waits_durable))
        return;
    pthread_mutex_lock(&p->lock);
    pthread_cond_signal(&p->moved);
    pthread_mutex_unlock(&p->lock);
}

void promoter_retire(struct promoter *p, struct bay *bay)
{
    pthread_mutex_lock(&p->lock);
    must(p->retired_count < PROMOTER_RETIRED_MAX);
    p->retired[p->retired_count++] = bay;
    pthread_cond_signal(&p->moved);
    pthread_mutex_unlock(&p->lock);
}

void promoter_abandon(struct promoter *p, enum promotion_why why, const char *text)
{
    pthread_mutex_lock(&p->lock);
    if (atomic_load(&p->is_busy) && !p->is_abandoned) {
        p->is_abandoned = true;
        p->abandon_why = why;
        snprintf(p->abandon_text, sizeof p->abandon_text, "%s", text);
        atomic_store(&p->stop, true);
        pthread_cond_signal(&p->moved);
    }
    pthread_mutex_unlock(&p->lock);
}

bool promoter_has_news(const struct promoter *p)
{
    return atomic_load_explicit(&p->has_news, memory_order_relaxed);
}

bool promoter_is_busy(const struct promoter *p)
{
    return atomic_load(&p->is_busy);
}

static void give_fact(const struct promoter_item *i, struct promoter_news *out)
{
    out->kind = PROMOTER_FACT;
    out->request = 0;
    out->result = OK_RESULT;
    out->sentence[0] = 0;
    out->state_count = 0;
    out->offer = NULL;
    out->fact.head = i->head;
    memcpy(out->fact.u.bytes, i->payload, i->head.bytes);
}

bool promoter_take(struct promoter *p, struct promoter_news *out)
{
    if (!promoter_has_news(p))
        return false;
    pthread_mutex_lock(&p->lock);
    struct promoter_item *i = p->first;
    if (i != NULL && i->kind == PROMOTER_OFFERED && p->is_abandoned) {
        i = NULL; /* nobody wants it: it is about to be taken back, and no news until then */
        atomic_store(&p->has_news, false);
    }
    if (i != NULL) {
        p->first = i->next;
        if (p->first == NULL) {
            p->last = NULL;
            atomic_store(&p->has_news, false);
            pthread_cond_signal(&p->moved);
        }
    }
    /* With the last word on it the ask is over: the next may come. */
    if (i != NULL && i->kind >= PROMOTER_OFFERED)
        atomic_store(&p->is_busy, false);
    pthread_mutex_unlock(&p->lock);
    if (i == NULL)
        return false;
    if (i->kind == PROMOTER_FACT)
        give_fact(i, out);
    else
        *out = *i->news;
    free(i->news);
    free(i);
    return true;
}
