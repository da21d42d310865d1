/* SPDX-License-Identifier: Apache-2.0
 *
 * @ID@: the middle between the close now and the close some bars ago.
 */
#include "tenon/easy.h"

enum { PERIOD, PERIOD_MAX = 256 }; /* params, in the order of the table below */

/* What the instance remembers: 8-byte members only; these bytes are saved and loaded. */
struct memory {
    int64_t count;             /* closes seen, at most period + 1 */
    int64_t at;                /* place of the next close */
    int64_t close[PERIOD_MAX]; /* ring; places not used are 0 */
};

/* Loaded bytes may be anything: say whether they can be true. */
static bool is_valid(const struct tn_easy *e, const struct memory *m)
{
    const int64_t n = e->param[PERIOD].i;
    return m->count >= 0 && m->count <= n + 1 && m->at >= 0 && m->at < n + 1;
}

static int32_t setup(const struct tn_easy *e, struct memory *m)
{
    (void)e; /* the memory begins zeroed */
    (void)m;
    return TN_OK;
}

/* One event. An event that is not used changes nothing: the features are repeated. */
static void update(const struct tn_easy *e, struct memory *m, const struct tn_event *ev)
{
    const int64_t n = e->param[PERIOD].i;
    if (ev->type != TN_EVENT_BAR || ev->u.bar.close <= 0)
        return;
    m->close[m->at] = ev->u.bar.close;
    m->at = (m->at + 1) % (n + 1);
    m->count += m->count < n + 1;
}

/* The features now. Always finite; "not yet" is said by ready. */
static void show(struct tn_easy *e, const struct memory *m)
{
    const int64_t n = e->param[PERIOD].i;
    const int64_t oldest = m->close[m->at], newest = m->close[(m->at + n) % (n + 1)];
    e->ready = m->count == n + 1 ? 1u : 0u;
    const double middle = ((double)oldest + (double)newest) / 2;
    e->value[0] = e->ready ? middle * e->instrument.price_scale : 0.0;
}

static int64_t warmup(const struct tn_easy *e)
{
    return e->param[PERIOD].i + 1;
}

TN_INDICATOR(struct memory, is_valid, setup, update, show, warmup, .id = "@ID@", .version = "0.1.0",
             .vendor = "me", .text = "Middle of the close now and the close some bars ago.",
             .budget_ns = 1000,
             TN_PARAMS(TN_PARAM_INT("period", 10, 1, PERIOD_MAX - 1, 1, "bars", "How far back.")),
             TN_OUTPUTS(TN_PORT("value", "price", "The middle; ready after `period` + 1 bars.")));
