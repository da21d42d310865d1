/* SPDX-License-Identifier: Apache-2.0
 *
 * Typed readers of single values. The key decides the type; the text must then be exactly that
 * type's one form. Nothing is guessed from looks, since that is how `no` becomes false, 010 eight,
 * 12:30 seven hundred and fifty, and 1e3 a float. A name that other YAML readers would take for a
 * boolean, null or number must be quoted, so that a person and every tool read the same thing.
 *
 * Decimals are exact (base/num) and may be quoted, as money often is; whole numbers are written
 * plain. Ranges are given as decimal text, which is also what the sentence shows.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "base/clock.h"
#include "base/must.h"
#include "deploy/cfg.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}
static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}
static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

bool cfg_is_ambiguous(const char *text)
{
    static const char *const words[] = {"y",    "n",     "yes",   "no",    "on",  "off",
                                        "true", "false", "null",  "~",     "nan", ".nan",
                                        "inf",  ".inf",  "-.inf", "+.inf", "<<",  "="};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcasecmp(text, words[i]) == 0)
            return true;
    if (!is_digit(text[0]))
        return false;
    size_t like = strspn(text, "0123456789_:+-eExXoO."); /* 010, 1e3, 1_000, 12:30, 0x1, dates */
    const char *dot = strchr(text, '.');
    bool version = dot != NULL && strchr(dot + 1, '.') != NULL;
    return text[like] == 0 && !version;
}

bool cfg_is_decimal(const char *text)
{
    const char *p = text + (text[0] == '-');
    size_t whole = strspn(p, "0123456789");
    if (whole == 0 || (p[0] == '0' && whole > 1))
        return false;
    if (p[whole] == '.') {
        size_t part = strspn(p + whole + 1, "0123456789");
        if (part == 0 || p[whole + 1 + part] != 0)
            return false;
    } else if (p[whole] != 0) {
        return false;
    }
    return text[0] != '-' || strpbrk(p, "123456789") != NULL;
}

static struct result need_scalar(const struct cfg_file *f, const struct cfg_node *n,
                                 const char *wanted)
{
    if (n->kind != CFG_SCALAR)
        return cfg_fail(f, CFG_TYPE, n, "%s is wanted here, not a %s", wanted,
                        n->kind == CFG_MAP ? "mapping" : "list");
    if (n->text[0] == 0)
        return cfg_fail(f, CFG_TYPE, n, "has no value; %s is wanted", wanted);
    return OK_RESULT;
}

bool cfg_is_form(const char *t, enum cfg_form form)
{
    size_t n = strlen(t), i = 0;
    switch (form) {
    case CFG_ID:
        for (i = is_lower(t[0]) ? 1 : 0; i > 0 && i < n; i++)
            if (!is_lower(t[i]) && !is_digit(t[i]) && t[i] != '_')
                return false;
        return i > 0;
    case CFG_SYMBOL:
        for (i = 0; i < n; i++)
            if (!is_lower(t[i]) && !is_upper(t[i]) && !is_digit(t[i]) &&
                (i == 0 || strchr("._:/-", t[i]) == NULL))
                return false;
        return n > 0;
    case CFG_CURRENCY:
        for (i = is_upper(t[0]) ? 1 : 0; i > 0 && i < n; i++)
            if (!is_upper(t[i]) && !is_digit(t[i]))
                return false;
        return i > 0;
    case CFG_VERSION:
        for (uint32_t part = 0; part < 3; part++) {
            size_t d = strspn(t, "0123456789");
            if (d == 0 || d > 6 || (t[0] == '0' && d > 1) || t[d] != (part < 2 ? '.' : 0))
                return false;
            t += d + 1;
        }
        return true;
    case CFG_HEX:
        return n == 64 && strspn(t, "0123456789abcdef") == 64;
    case CFG_FILEPATH:
        return n > 0 && t[0] != ' ' && t[n - 1] != ' ';
    default:
        must(form != CFG_FORM_UNSET);
        return false;
    }
}

static const char *form_words(enum cfg_form form)
{
    switch (form) {
    case CFG_ID:
        return "a name of small letters, digits and _, beginning with a letter";
    case CFG_SYMBOL:
        return "a symbol of letters, digits and . _ : / -";
    case CFG_CURRENCY:
        return "a currency of capital letters and digits, beginning with a letter";
    case CFG_VERSION:
        return "a version of three whole numbers like 1.0.0";
    case CFG_HEX:
        return "a SHA-256 of 64 small hex digits in quotes";
    default:
        return "a path";
    }
}

/* Common to value and key: form, ambiguity, room. at_key says where to point. */
static struct result take_text(const struct cfg_file *f, const struct cfg_node *n, bool at_key,
                               enum cfg_form form, char *out, size_t bytes)
{
    struct result (*fail)(const struct cfg_file *, enum cfg_code, const struct cfg_node *,
                          const char *, ...) = at_key ? cfg_fail_key : cfg_fail;
    const char *t = at_key ? n->key : n->text;
    bool closed = form == CFG_VERSION || form == CFG_HEX; /* no other type fits these forms */
    if (!at_key && !closed && !n->quoted && cfg_is_ambiguous(t))
        return fail(f, CFG_TYPE, n,
                    "%.40s is no plain text to every YAML reader; write it in quotes, or another "
                    "value",
                    t);
    if (form == CFG_HEX && !n->quoted)
        return fail(f, CFG_TYPE, n, "%s is wanted", form_words(form));
    if (!cfg_is_form(t, form))
        return fail(f, CFG_VALUE, n, "%.40s is not %s", t, form_words(form));
    size_t count = strlen(t);
    if (count >= bytes)
        return fail(f, CFG_SIZE, n, "%.24s... is longer than %zu characters; shorten it", t,
                    bytes - 1);
    memset(out, 0, bytes);
    memcpy(out, t, count);
    return OK_RESULT;
}

struct result cfg_text(const struct cfg_file *f, const struct cfg_node *n, enum cfg_form form,
                       char *out, size_t bytes)
{
    TRY(need_scalar(f, n, form_words(form)));
    return take_text(f, n, false, form, out, bytes);
}

struct result cfg_key_text(const struct cfg_file *f, const struct cfg_node *n, enum cfg_form form,
                           char *out, size_t bytes)
{
    must(n->key != NULL);
    return take_text(f, n, true, form, out, bytes);
}

/* Scalar with the text of a plain decimal. */
static struct result need_decimal(const struct cfg_file *f, const struct cfg_node *n)
{
    TRY(need_scalar(f, n, "a number"));
    if (!cfg_is_decimal(n->text))
        return cfg_fail(f, CFG_NUMBER, n,
                        "%.40s is not a plain decimal; write digits and at most one point, no "
                        "exponent, underscore, colon, leading zero or minus zero",
                        n->text);
    return OK_RESULT;
}

struct result cfg_int(const struct cfg_file *f, const struct cfg_node *n, int64_t min, int64_t max,
                      int64_t *out)
{
    must(min <= max);
    TRY(need_decimal(f, n));
    if (n->quoted)
        return cfg_fail(f, CFG_TYPE, n, "a whole number is written without quotes");
    if (strchr(n->text, '.') != NULL)
        return cfg_fail(f, CFG_NUMBER, n, "%.40s is not a whole number; leave out the point",
                        n->text);
    struct result r = num_parse(n->text, strlen(n->text), 0, false, out);
    if (!is_ok(r) || *out < min || *out > max)
        return cfg_fail(f, CFG_RANGE, n, "%.40s is outside its range; allowed %lld to %lld",
                        n->text, (long long)min, (long long)max);
    return OK_RESULT;
}

/* A bound of a range at exp; one beyond int64 or finer than exp binds nothing representable. */
static int64_t bound(const char *text, int exp, int64_t otherwise)
{
    int64_t v = otherwise;
    struct result r = num_parse(text, strlen(text), exp, false, &v);
    must(is_ok(r) || r.code == RESULT_OVERFLOWS || r.code == RESULT_DIGITS);
    return is_ok(r) ? v : otherwise;
}

struct result cfg_decimal(const struct cfg_file *f, const struct cfg_node *n, int exp,
                          const char *min, const char *max, const char *unit, int64_t *out)
{
    TRY(need_decimal(f, n));
    int64_t lo = min[0] == 0 ? 1 : bound(min, exp, 1);
    int64_t hi = bound(max, exp, INT64_MAX);
    struct result r = num_parse(n->text, strlen(n->text), exp, false, out);
    if (r.code == RESULT_DIGITS)
        return cfg_fail(f, CFG_DIGITS, n,
                        "%.40s has more digits than exponent %d holds; write at most %d after the "
                        "point",
                        n->text, exp, exp < 0 ? -exp : 0);
    if (!is_ok(r) && r.code != RESULT_OVERFLOWS)
        return cfg_fail(f, CFG_NUMBER, n, "%.40s is longer than a number may be (40 characters)",
                        n->text);
    if (is_ok(r) && *out >= lo && *out <= hi)
        return OK_RESULT;
    if (min[0] == 0)
        return cfg_fail(f, CFG_RANGE, n,
                        "%.40s is outside its range; allowed above 0 to %s %s, at most 18 digits",
                        n->text, max, unit);
    bool percent = strcmp(unit, "percent") == 0;
    return cfg_fail(f, CFG_RANGE, n, "%.40s is outside its range; allowed %s to %s %s%s", n->text,
                    min, max, unit, percent ? "; eight percent is written 8, not 0.08" : "");
}

struct result cfg_decimal_any(const struct cfg_file *f, const struct cfg_node *n, int64_t *out,
                              int32_t *exp)
{
    TRY(need_decimal(f, n));
    const char *dot = strchr(n->text, '.');
    size_t part = dot != NULL ? strlen(dot + 1) : 0;
    if (part > (size_t)-NUM_EXP_MIN)
        return cfg_fail(f, CFG_DIGITS, n, "%.40s has more than 12 digits after the point", n->text);
    *exp = -(int32_t)part;
    struct result r = num_parse(n->text, strlen(n->text), *exp, false, out);
    if (!is_ok(r) || *out <= 0)
        return cfg_fail(f, CFG_RANGE, n,
                        "%.40s is outside its range; allowed above 0, at most 18 digits", n->text);
    return OK_RESULT;
}

static int64_t unit_ns(const char *unit)
{
    static const struct {
        const char *text;
        int64_t ns;
    } units[] = {{"ns", 1},          {"us", 1000},         {"ms", 1000000},      {"s", 1000000000},
                 {"m", 60000000000}, {"h", 3600000000000}, {"d", 86400000000000}};
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(units[i].text, unit) == 0)
            return units[i].ns;
    return 0;
}

void cfg_duration_text(int64_t ns, char out[32])
{
    static const char *const units[] = {"d", "h", "m", "s", "ms", "us", "ns"};
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        int64_t u = unit_ns(units[i]);
        if (ns % u == 0 && (ns != 0 || u == 1000000)) {
            snprintf(out, 32, "%lld%s", (long long)(ns / u), units[i]);
            return;
        }
    }
}

struct result cfg_duration(const struct cfg_file *f, const struct cfg_node *n, int64_t min_ns,
                           int64_t max_ns, int64_t *out)
{
    must(min_ns >= 0 && min_ns <= max_ns);
    TRY(need_scalar(f, n, "a duration like 90s"));
    const char *t = n->text;
    size_t digits = strspn(t, "0123456789");
    int64_t unit = unit_ns(t + digits);
    int64_t count = 0;
    if (n->quoted || digits == 0 || digits > 18 || (t[0] == '0' && digits > 1) || unit == 0)
        return cfg_fail(f, CFG_NUMBER, n,
                        "%.40s is not a duration; write a whole number and one of ns us ms s m h "
                        "d without quotes, like 90s",
                        t);
    struct result r = num_parse(t, digits, 0, false, &count);
    must(is_ok(r));
    r = num_mul(count, unit, out);
    if (is_ok(r) && *out >= min_ns && *out <= max_ns)
        return OK_RESULT;
    char lo[32] = "", hi[32] = "";
    cfg_duration_text(min_ns, lo);
    cfg_duration_text(max_ns, hi);
    return cfg_fail(f, CFG_RANGE, n, "%.40s is outside its range; allowed %s to %s", t, lo, hi);
}

struct result cfg_time(const struct cfg_file *f, const struct cfg_node *n, int64_t *out)
{
    static const char form[] = "dddd-dd-ddTdd:dd:ddZ";
    TRY(need_scalar(f, n, "a time like 2026-11-20T13:00:00Z"));
    size_t count = strlen(n->text);
    bool fits = count == sizeof(form) - 1;
    for (size_t i = 0; i < count && fits; i++)
        fits = form[i] == 'd' ? is_digit(n->text[i]) : n->text[i] == form[i];
    if (!fits || !is_ok(clock_parse(n->text, count, out)))
        return cfg_fail(f, CFG_TIME, n,
                        "%.40s is not a time; write date and time of day in UTC, in whole seconds, "
                        "like 2026-11-20T13:00:00Z",
                        n->text);
    if (strcmp(n->text, "2000") < 0 || strcmp(n->text, "2200") >= 0)
        return cfg_fail(f, CFG_RANGE, n,
                        "%.40s is outside its range; allowed 2000-01-01T00:00:00Z to "
                        "2199-12-31T23:59:59Z",
                        n->text);
    return OK_RESULT;
}

struct result cfg_schema(const struct cfg_file *f)
{
    int64_t form = 0;
    const struct cfg_node *n = cfg_get(f->root, "schema");
    TRY(cfg_int(f, n, 0, INT64_MAX, &form));
    if (form != 1)
        return cfg_fail(f, CFG_VALUE, n, "form %.20s is not known to this release; write 1",
                        n->text);
    return OK_RESULT;
}

struct result cfg_bool(const struct cfg_file *f, const struct cfg_node *n, bool *out)
{
    TRY(need_scalar(f, n, "true or false"));
    bool yes = strcmp(n->text, "true") == 0;
    if (n->quoted || (!yes && strcmp(n->text, "false") != 0))
        return cfg_fail(f, CFG_TYPE, n, "%.40s is not true or false, in small letters, no quotes",
                        n->text);
    *out = yes;
    return OK_RESULT;
}

struct result cfg_choice(const struct cfg_file *f, const struct cfg_node *n,
                         const char *const *words, size_t count, uint32_t *out)
{
    char hint[TRAIL_TEXT_BYTES];
    TRY(need_scalar(f, n, "a word"));
    for (size_t i = 0; i < count; i++)
        if (strcmp(words[i], n->text) == 0) {
            *out = (uint32_t)i;
            return OK_RESULT;
        }
    cfg_hint(hint, sizeof(hint), "word ", n->text, words, count);
    return cfg_fail(f, CFG_VALUE, n, "%.40s is not known here%s", n->text, hint);
}
