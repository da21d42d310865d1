/* SPDX-License-Identifier: Apache-2.0
 *
 * Params as written against the table in the plugin's manifest, the only declaration there is:
 * unknown names, types, bounds and steps are refused; what is not written has the table's default.
 *
 * A real number becomes a double exactly as the compiler would round it, and without strtod, whose
 * answer depends on the locale: with at most 15 significant digits the mantissa is exact in a
 * double, a power of ten up to 10^12 is too, and one division of two exact doubles is rounded
 * correctly. More digits than that are refused, not rounded.
 */
#include <stdio.h>
#include <string.h>
#include "base/must.h"
#include "deploy/cfg.h"
#include "deploy/deploy.h"

enum { REAL_DIGITS_MAX = 15 };

struct ask { /* one param as written and its row */
    const struct deploy_doc *d;
    const struct deploy_instance *i;
    const struct tn_param *row;
    uint32_t at; /* index in i->param */
    struct trail *tr;
};

static void where_of(const struct ask *a, char out[CFG_PATH_BYTES])
{
    snprintf(out, CFG_PATH_BYTES, "instances.%s.params.%s", a->i->fact.name,
             a->i->param[a->at].name);
}

static struct result refuse(const struct ask *a, enum cfg_code code, const char *what)
{
    char where[CFG_PATH_BYTES];
    where_of(a, where);
    return cfg_fail_where(a->tr, a->d->path, code, a->i->param[a->at].line, a->i->param[a->at].col,
                          where, "%s %s", a->i->param[a->at].text, what);
}

static struct result to_int(const struct ask *a, int64_t *out)
{
    char what[128];
    const char *t = a->i->param[a->at].text;
    const struct tn_param *p = a->row;
    struct result r = num_parse(t, strlen(t), 0, false, out);
    if (r.code == RESULT_SYNTAX || strchr(t, '.') != NULL)
        return refuse(a, CFG_TYPE, "is not a whole number, which this parameter is");
    if (!is_ok(r) || *out < p->min.i || *out > p->max.i) {
        snprintf(what, sizeof(what), "is outside its range; allowed %lld to %lld%s%.15s",
                 (long long)p->min.i, (long long)p->max.i, p->unit[0] != 0 ? " " : "", p->unit);
        return refuse(a, CFG_RANGE, what);
    }
    if (p->step.i > 0 && ((num_i128)*out - p->min.i) % p->step.i != 0) {
        snprintf(what, sizeof(what), "is between its steps; allowed %lld and then every %lld",
                 (long long)p->min.i, (long long)p->step.i);
        return refuse(a, CFG_RANGE, what);
    }
    return OK_RESULT;
}

/* Significant digits of a plain decimal: all from the first that is not zero. */
static uint32_t digits_of(const char *t)
{
    uint32_t n = 0;
    for (; *t != 0; t++)
        n += *t >= '0' && *t <= '9' && (n > 0 || *t != '0');
    return n;
}

static bool is_on_step(double v, double min, double step)
{
    double steps = (v - min) / step;
    if (!(steps < 1e15)) /* finer than a double tells apart: every value is on such a grid */
        return true;
    double whole = (double)(int64_t)(steps + 0.5);
    double off = steps - whole;
    return off < 1e-6 && off > -1e-6;
}

static struct result to_real(const struct ask *a, double *out)
{
    char what[128];
    const char *t = a->i->param[a->at].text;
    const char *dot = strchr(t, '.');
    const struct tn_param *p = a->row;
    size_t part = dot != NULL ? strlen(dot + 1) : 0;
    int64_t mantissa = 0;
    if (!cfg_is_decimal(t))
        return refuse(a, CFG_TYPE, "is not a number, which this parameter is");
    if (digits_of(t) > REAL_DIGITS_MAX || part > (size_t)-NUM_EXP_MIN)
        return refuse(a, CFG_DIGITS,
                      "has more digits than a parameter keeps; write at most 15 in all and 12 "
                      "after the point");
    struct result r = num_parse(t, strlen(t), -(int)part, false, &mantissa);
    must(is_ok(r));
    *out = (double)mantissa / (double)num_pow10((int)part);
    if (!(*out >= p->min.f && *out <= p->max.f)) {
        snprintf(what, sizeof(what), "is outside its range; allowed %.10g to %.10g%s%.15s",
                 p->min.f, p->max.f, p->unit[0] != 0 ? " " : "", p->unit);
        return refuse(a, CFG_RANGE, what);
    }
    if (p->step.f > 0 && !is_on_step(*out, p->min.f, p->step.f)) {
        snprintf(what, sizeof(what), "is between its steps; allowed %.10g and then every %.10g",
                 p->min.f, p->step.f);
        return refuse(a, CFG_RANGE, what);
    }
    return OK_RESULT;
}

static struct result to_number(const struct ask *a, union tn_number *out)
{
    const char *t = a->i->param[a->at].text;
    switch (a->row->type) {
    case TN_TYPE_I64:
        return to_int(a, &out->i);
    case TN_TYPE_F64:
        return to_real(a, &out->f);
    case TN_TYPE_BOOL:
        out->i = strcmp(t, "true") == 0;
        if (out->i == 0 && strcmp(t, "false") != 0)
            return refuse(a, CFG_TYPE, "is not true or false, which this parameter is");
        return OK_RESULT;
    default:
        return refuse(a, CFG_TYPE, "is for a parameter type this host does not know");
    }
}

static struct result take(struct ask *a, const struct tn_manifest *m, union tn_number *out)
{
    const char *known[TN_MAX_PARAMS];
    char hint[TRAIL_TEXT_BYTES], where[CFG_PATH_BYTES];
    for (uint32_t k = 0; k < m->param_count; k++) {
        known[k] = m->params[k].name;
        if (strcmp(known[k], a->i->param[a->at].name) == 0) {
            a->row = &m->params[k];
            return to_number(a, &out[k]);
        }
    }
    cfg_hint(hint, sizeof(hint), "parameter ", a->i->param[a->at].name, known, m->param_count);
    where_of(a, where);
    return cfg_fail_where(a->tr, a->d->path, CFG_UNKNOWN, a->i->param[a->at].line,
                          a->i->param[a->at].col, where, "%s %s has no such parameter%s", m->id,
                          m->version, hint);
}

struct result deploy_params(const struct deploy_doc *d, const struct deploy_instance *i,
                            const struct tn_manifest *m, union tn_number out[TN_MAX_PARAMS],
                            struct trail *tr)
{
    must(m->param_count <= TN_MAX_PARAMS && i->param_count <= TN_MAX_PARAMS);
    struct ask a = {.d = d, .i = i, .tr = tr};
    struct result r = OK_RESULT;
    memset(out, 0, TN_MAX_PARAMS * sizeof(*out));
    for (uint32_t k = 0; k < m->param_count; k++)
        out[k] = m->params[k].def;
    for (a.at = 0; a.at < i->param_count && is_ok(r); a.at++)
        r = take(&a, m, out);
    return r;
}
