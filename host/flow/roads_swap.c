/* SPDX-License-Identifier: Apache-2.0
 *
 * Swapping an account's adapter under trading. The new build gets a bay and a session of its own
 * beside the old one, logs in and is reconciled; only then egress makes its session the account's
 * one and the old bay is ended. Until then approvals go to the old one alone, and executions are
 * taken from both: the core knows a trade it has seen.
 *
 * Market data cannot be taken from both, for a bar has no number. They are the old one's until it
 * goes; what the new one says meanwhile is kept, and at the end what the old one had not yet given
 * of it is used, so that no event is lost between the two.
 */
#include <stdlib.h>
#include <string.h>
#include "flow/roads_priv.h"

static int64_t *given_at(struct roads_account *a, const struct tn_event *e)
{
    const uint32_t kind = e->type - TN_EVENT_BAR;
    for (uint32_t i = 0; i < a->names.instrument_count && kind < 3; i++) {
        if (a->names.instrument[i].id == e->instrument)
            return &a->given_ns[i][kind];
    }
    return NULL;
}

void roads_given(struct roads_account *a, const struct tn_event *e)
{
    int64_t *t_ns = given_at(a, e);
    if (t_ns != NULL)
        *t_ns = e->t_ns;
}

void roads_spare(struct roads_account *a, const struct line_event *m)
{
    if (a->spare != NULL)
        a->spare[a->spare_count++ % ROADS_SPARE] = *m;
}

bool roads_spare_next(struct roads_account *a, struct line_event *out)
{
    const uint32_t held = a->spare_count < ROADS_SPARE ? a->spare_count : ROADS_SPARE;
    const uint32_t first = a->spare_count - held;
    while (a->spare != NULL && a->spare_taken < held) {
        *out = a->spare[(first + a->spare_taken++) % ROADS_SPARE];
        const int64_t *t_ns = given_at(a, &out->event);
        if (t_ns != NULL && out->event.t_ns > *t_ns)
            return true;
    }
    return false;
}

void roads_spare_end(struct roads_account *a)
{
    free(a->spare);
    a->spare = NULL;
    a->spare_count = a->spare_taken = 0;
}

/* What egress checks outgoing requests by was said at the attachment, once for an account. */
static bool is_same_table(const struct tn_adapter_facts *a, const struct tn_adapter_facts *b)
{
    bool same = a->row_count == b->row_count && a->bucket_count == b->bucket_count &&
                a->client_id == b->client_id && a->client_id_max == b->client_id_max &&
                a->validity_ns == b->validity_ns;
    for (uint32_t i = 0; i < a->bucket_count && same; i++)
        same = a->bucket[i].weight == b->bucket[i].weight &&
               a->bucket[i].per_ns == b->bucket[i].per_ns;
    for (uint32_t i = 0; i < a->row_count && same; i++) {
        const struct tn_wire_row *x = &a->row[i], *y = &b->row[i];
        same = x->format == y->format && x->class_of == y->class_of && x->inbound == y->inbound &&
               x->link == y->link && x->method == y->method && x->field_count == y->field_count &&
               memcmp(x->match, y->match, sizeof x->match) == 0 &&
               (x->field_count == 0 ||
                memcmp(x->field, y->field, x->field_count * sizeof *x->field) == 0);
    }
    return same;
}

static struct result adopt(struct roads *r, struct roads_account *a, struct trail *tr)
{
    const struct bay_module *m = NULL;
    const struct tn_adapter_facts *facts = NULL;
    TRY(roads_load(r->setup.plugin_dir, a->adapter, &m, &facts, tr));
    if (m == a->module)
        return OK_RESULT;
    const bool is_same = is_same_table(a->facts, facts);
    a->module = m;
    a->facts = facts;
    a->is_off = false;
    a->deaths = 0;
    a->again_ns = 0;
    if (!r->is_attached)
        return OK_RESULT; /* the next attachment says its table and starts it */
    if (!is_same) {       /* two tables at once would be two truths about one account */
        roads_lost(r, "an adapter with another wire table was promoted, which it is told anew");
        r->again_ns = 0;
        return OK_RESULT;
    }
    if (a->bay.state != ROAD_BAY_RUNS)
        return OK_RESULT; /* the next look at what is gone starts it */
    roads_second_end(r, a);
    struct result result = roads_start_bay(r, a, true, tr);
    if (is_ok(result)) {
        a->spare = calloc(ROADS_SPARE, sizeof *a->spare);
        must(a->spare != NULL);
    } else {
        roads_second_end(r, a);
    }
    return result;
}

/* The promoter has opened every adapter before: what fails here failed since. */
void roads_adopt(struct roads *r, const struct roads_setup *s)
{
    r->setup = *s;
    for (uint32_t i = 0; i < s->doc->account_count; i++) {
        struct roads_account *a = &r->account[s->ids->account[i] - 1];
        struct trail tr = {0};
        if (!a->is_used)
            continue;
        a->adapter = &s->doc->adapter[i];
        struct result result = r->o.in_engine ? OK_RESULT : adopt(r, a, &tr);
        if (!is_ok(result) && s->log != NULL)
            log_now(s->log, LOG_ERROR, NULL,
                    "adapter of account %s: the new one failed: %s; the old "
                    "one stays",
                    a->name, trail_sentence(&tr, result));
    }
}

/* What a second session leaves when it does not become the one. */
void roads_second_end(struct roads *r, struct roads_account *a)
{
    road_bay_stop(&a->second, r->o.spawn);
    memset(&a->second, 0, sizeof a->second);
    a->is_again = false; /* what it began has no end */
    roads_spare_end(a);
}

/* The second session is reconciled: from here on it is the one. */
bool roads_take_over(struct roads *r, struct roads_account *a)
{
    const struct road_bay m = {.account = a->names.account, .is_second = 2};
    struct trail tr = {0};
    if (!is_ok(road_link_bay(&r->link, &m, NULL, &tr)))
        return false;
    road_bay_stop(&a->bay, r->o.spawn);
    a->bay = a->second;
    memset(&a->second, 0, sizeof a->second);
    if (r->setup.log != NULL)
        log_now(r->setup.log, LOG_INFO, NULL, "adapter of account %s: %s %s took over", a->name,
                a->adapter->plugin, a->adapter->version);
    return true;
}
