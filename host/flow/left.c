/* SPDX-License-Identifier: Apache-2.0
 *
 * What a forced stop leaves: the journal holds the list, since the log of a host that is gone is
 * read by nobody, and the next host's reader wants to see what it began with. It is of the core's
 * books at the end; what the venue holds beyond them the next reconciliation finds.
 */
#include "flow/lockstep_priv.h"

bool lockstep_goes_out(const struct lockstep *l, uint32_t account)
{
    for (uint32_t i = 0; l->doc != NULL && i < l->doc->account_count; i++) {
        if (l->ids.account[i] == account)
            return l->doc->account[i].via == FACT_VIA_EGRESS;
    }
    return false;
}

static struct result say(struct lockstep *l, const struct fact_left *e, uint32_t *count,
                         struct trail *tr)
{
    if (!lockstep_goes_out(l, e->account))
        return OK_RESULT;
    (*count)++;
    return lockstep_say(l, FACT_LEFT, 0, e, tr);
}

struct result left_say(struct lockstep *l, uint32_t *count, struct trail *tr)
{
    struct core_position_view p;
    struct core_order_view o;
    *count = 0;
    struct result r = lockstep_answers_due(l, tr); /* nothing changes while the list is walked */
    for (uint32_t i = 0; is_ok(r) && core_position(l->core, i, &p); i++) {
        struct fact_left e = {.strategy = p.strategy,
                              .instrument = p.instrument,
                              .account = p.account,
                              .side = p.qty < 0 ? TN_SHORT : TN_LONG,
                              .qty = p.qty < 0 ? -p.qty : p.qty,
                              .price = p.stop_price};
        if (p.qty != 0)
            r = say(l, &e, count, tr);
    }
    for (uint32_t i = 0; is_ok(r) && core_order(l->core, i, &o); i++) {
        struct fact_left e = {.order = o.order,
                              .strategy = o.strategy,
                              .instrument = o.instrument,
                              .account = o.account,
                              .side = o.side,
                              .qty = o.qty - o.cum,
                              .price = o.price};
        r = say(l, &e, count, tr);
    }
    return r;
}
