/* SPDX-License-Identifier: Apache-2.0
 *
 * The list is of the core's books: what the venue holds beyond them is EXTERNAL there too. Thirty
 * seconds are enough to close against any market that answers; a market that does not is said, and
 * the stop refused again.
 */
#include "daemon/leave.h"
#include <stdio.h>
#include <string.h>
#include "base/num.h"

#define FLATTEN_NS 30000000000ll

bool leave_goes_out(const struct lockstep *l)
{
    const struct deploy_doc *d = lockstep_doc(l);
    return d != NULL && lockstep_via_egress(d);
}

static void list_position(const struct leave *s, const struct core_position_view *p)
{
    struct fact_instrument in;
    char qty[NUM_TEXT_BYTES], stop[NUM_TEXT_BYTES];
    if (!core_instrument(lockstep_core(s->engine), p->instrument - 1, &in))
        return;
    num_print(p->qty, in.qty_exp, qty);
    num_print(p->stop_price, in.price_exp, stop);
    log_now(s->log, LOG_WARN, NULL, "left at the venue: position %s %s, %s%s", in.symbol, qty,
            p->stop_price != 0 ? "and its host-side stop ends with the host: " : "without a stop",
            p->stop_price != 0 ? stop : "");
}

static void list_order(const struct leave *s, const struct core_order_view *o)
{
    struct fact_instrument in;
    char qty[NUM_TEXT_BYTES], price[NUM_TEXT_BYTES];
    if (!core_instrument(lockstep_core(s->engine), o->instrument - 1, &in))
        return;
    num_print(o->qty - o->cum, in.qty_exp, qty);
    num_print(o->price, in.price_exp, price);
    log_now(s->log, LOG_WARN, NULL, "left at the venue: order to %s %s %s at %s",
            o->side == TN_LONG ? "buy" : "sell", in.symbol, qty, price);
}

static uint32_t walk(const struct lockstep *l, const struct leave *s)
{
    const struct core *c = lockstep_core(l);
    struct core_position_view p;
    struct core_order_view o;
    uint32_t count = 0;
    for (uint32_t i = 0; core_position(c, i, &p); i++) {
        if (p.qty == 0 || !lockstep_goes_out(l, p.account))
            continue;
        count++;
        if (s != NULL)
            list_position(s, &p);
    }
    for (uint32_t i = 0; core_order(c, i, &o); i++) {
        if (!lockstep_goes_out(l, o.account))
            continue;
        count++;
        if (s != NULL)
            list_order(s, &o);
    }
    return count;
}

uint32_t leave_count(const struct lockstep *l)
{
    return walk(l, NULL);
}

static struct result refuse(struct leave *s, const char *why, enum leave_word *word)
{
    uint32_t count = walk(s->engine, s);
    log_now(s->log, LOG_ERROR, NULL,
            "stop refused: %s%u orders and positions would be left unprotected; close them, or "
            "start the host with --leave or --flatten",
            why, count);
    s->refused++;
    s->is_flattening = false;
    *word = LEAVE_STAY;
    return OK_RESULT;
}

static struct result flatten(struct leave *s, enum leave_word *word, struct trail *tr)
{
    *word = LEAVE_WAIT;
    if (!s->is_flattening) {
        struct fact_mode m = {.scope = MODE_SCOPE_GLOBAL, .mode = MODE_HALTED, .by = "host"};
        snprintf(m.reason, sizeof m.reason, "stopping with --flatten");
        s->is_flattening = true;
        s->until_ns = clock_mono(&clock_system) + FLATTEN_NS;
        if (core_mode(lockstep_core(s->engine), MODE_SCOPE_GLOBAL, 0) < MODE_HALTED)
            TRY(lockstep_command(s->engine, FACT_MODE, &m, tr));
        lockstep_flatten(s->engine);
        return OK_RESULT;
    }
    if (!lockstep_flattens(s->engine) && walk(s->engine, NULL) == 0) {
        *word = LEAVE_STOP;
        return OK_RESULT;
    }
    return clock_mono(&clock_system) < s->until_ns ? OK_RESULT
                                                   : refuse(s, "not flat in 30 s; ", word);
}

struct result leave_ask(struct leave *s, enum leave_word *word, struct trail *tr)
{
    *word = LEAVE_STOP;
    if (s->is_flattening || (s->may_flatten && walk(s->engine, NULL) > 0))
        return flatten(s, word, tr);
    if (walk(s->engine, NULL) == 0)
        return OK_RESULT;
    if (!s->may_leave)
        return refuse(s, "", word);
    log_now(s->log, LOG_WARN, NULL, "stopping with --leave: %u orders and positions stay",
            walk(s->engine, s));
    return OK_RESULT;
}
