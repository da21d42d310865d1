/* SPDX-License-Identifier: Apache-2.0
 *
 * See words.h.
 */
#include "daemon/words.h"
#include <stdio.h>
#include "base/num.h"

void words_status(const struct lockstep *l)
{
    const struct core *c = lockstep_core(l);
    const struct core_totals *t = core_totals(c);
    struct core_account_view a;
    char when[CLOCK_TEXT_BYTES], equity[NUM_TEXT_BYTES] = "-";
    clock_print(lockstep_now(l), when);
    int64_t cents;
    if (core_account(c, 0, &a) && is_ok(num_rescale(a.equity, a.exp, -2, NUM_HALF_EVEN, &cents)))
        num_print(cents, -2, equity);
    static const char *const mode[MODE_END] = {"UNSET",
#define X(id, name, risk, reduce, work, lifted, text) #name,
                                               MODES(X)
#undef X
    };
    printf("%.19s  %s auto %s  events %lu  signals %lu  orders %lu (%u open)  fills %lu  denied "
           "%lu  equity %s\n",
           when, mode[core_mode(c, MODE_SCOPE_GLOBAL, 0)], core_auto(c, 0) ? "on" : "off",
           (unsigned long)core_seq(c), (unsigned long)t->signals, (unsigned long)t->orders,
           core_open_orders(c), (unsigned long)t->fills, (unsigned long)t->denials, equity);
    fflush(stdout);
}
