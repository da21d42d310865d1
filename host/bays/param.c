/* SPDX-License-Identifier: Apache-2.0
 *
 * One value against its row of the params table: type, bounds, step. The row itself has been
 * checked with its manifest (note.c), so only the value is in doubt here.
 *
 * A step of a real parameter counts from min; binary fractions such as 0.1 have no exact
 * multiples, so a value within 1e-9 steps of a multiple is on the grid.
 */
#include <inttypes.h>
#include <math.h>
#include "base/must.h"
#include "bays/bay.h"

static struct result check_integer(const struct tn_param *row, int64_t v, struct trail *tr)
{
    if (v < row->min.i || v > row->max.i)
        return FAIL(tr, RANGE,
                    "parameter %s is %" PRId64 ": it must be between %" PRId64 " and %" PRId64
                    "; give it a value in that range",
                    row->name, v, row->min.i, row->max.i);
    uint64_t from_min = (uint64_t)v - (uint64_t)row->min.i;
    if (row->step.i > 0 && from_min % (uint64_t)row->step.i != 0)
        return FAIL(tr, RANGE,
                    "parameter %s is %" PRId64 ": it goes in steps of %" PRId64 " from %" PRId64
                    "; give it a value on a step",
                    row->name, v, row->step.i, row->min.i);
    return OK_RESULT;
}

static struct result check_real(const struct tn_param *row, double v, struct trail *tr)
{
    if (!isfinite(v) || v < row->min.f || v > row->max.f)
        return FAIL(tr, RANGE,
                    "parameter %s is %g: it must be between %g and %g; give it a value in that "
                    "range",
                    row->name, v, row->min.f, row->max.f);
    if (row->step.f > 0) {
        double steps = (v - row->min.f) / row->step.f;
        if (fabs(steps - nearbyint(steps)) > 1e-9 * fmax(1.0, fabs(steps)))
            return FAIL(tr, RANGE,
                        "parameter %s is %.17g: it goes in steps of %g from %g; give it a value "
                        "on a step",
                        row->name, v, row->step.f, row->min.f);
    }
    return OK_RESULT;
}

struct result bay_param_check(const struct tn_param *row, union tn_number value, struct trail *tr)
{
    must(row != NULL);
    must(row->type >= TN_TYPE_I64 && row->type <= TN_TYPE_BOOL);
    if (row->type == TN_TYPE_F64)
        return check_real(row, value.f, tr);
    return check_integer(row, value.i, tr);
}
