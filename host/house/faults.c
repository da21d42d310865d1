/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules are checked when they are given: a rule that could never have an effect (a report that is
 * to be answered with 503) is refused, so that a test with a slip in its script does not pass.
 */
#include "house/faults.h"
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum where { WHERE_UNSET = 0, WHERE_REQUEST, WHERE_STREAM, WHERE_BOTH };
enum { STATUS_DEFAULT = 503, MS_DEFAULT = 1000, SECONDS_DEFAULT = 10 };

static const char *const on_words[] = {"",
#define X(name, word) word,
                                       FAULTS_ON(X)
#undef X
};
static const struct {
    const char *word;
    enum where where;
} do_words[] = {{"", WHERE_UNSET},
#define X(name, word, where) {word, WHERE_##where},
                FAULTS_DO(X)
#undef X
};

static uint32_t on_of(const char *word)
{
    for (uint32_t i = 1; word != NULL && i < FAULT_ON_END; i++) {
        if (strcmp(on_words[i], word) == 0)
            return i;
    }
    return FAULT_ON_UNSET;
}

static uint32_t do_of(const char *word)
{
    for (uint32_t i = 1; word != NULL && i < FAULT_DO_END; i++) {
        if (strcmp(do_words[i].word, word) == 0)
            return i;
    }
    return FAULT_DO_UNSET;
}

static bool fits(uint32_t on, uint32_t doing)
{
    bool is_stream = on == FAULT_ON_REPORT || on == FAULT_ON_MARKET;
    bool is_session = on == FAULT_ON_CONNECT || on == FAULT_ON_LOGIN;
    enum where where = do_words[doing].where;
    if (doing == FAULT_DO_REFUSE)
        return is_session;
    if (doing == FAULT_DO_SWALLOW)
        return on == FAULT_ON_ORDER || on == FAULT_ON_CANCEL;
    if (where == WHERE_STREAM)
        return is_stream;
    return where == WHERE_BOTH || !(is_stream || is_session);
}

/* A count of the rule, or `otherwise`; -1: it is there and is none. */
static int64_t count_of(const json_t *o, const char *key, int64_t otherwise)
{
    const json_t *v = json_object_get(o, key);
    if (v == NULL)
        return otherwise;
    return json_is_integer(v) && json_integer_value(v) >= 0 ? json_integer_value(v) : -1;
}

static bool only_known(json_t *o)
{
    static const char known[] = " on do skip count ms from status seconds client_id ";
    const char *key;
    json_t *value;
    json_object_foreach(o, key, value)
    {
        char spaced[24];
        int n = snprintf(spaced, sizeof spaced, " %s ", key);
        if (n < 0 || n >= (int)sizeof spaced || strstr(known, spaced) == NULL)
            return false;
    }
    return true;
}

static struct result parse(json_t *o, size_t number, struct fault *out, struct trail *tr)
{
    unsigned at = (unsigned)number + 1;
    if (!json_is_object(o) || !only_known(o))
        return FAIL(tr, SYNTAX,
                    "fault rule %u: not an object of on, do, skip, count, ms, from, status, "
                    "seconds, client_id",
                    at);
    memset(out, 0, sizeof *out);
    out->on = on_of(json_string_value(json_object_get(o, "on")));
    out->doing = do_of(json_string_value(json_object_get(o, "do")));
    if (out->on == FAULT_ON_UNSET || out->doing == FAULT_DO_UNSET)
        return FAIL(tr, UNKNOWN_NAME,
                    "fault rule %u: unknown word in on or do; host/house/PROTOCOL.md has them", at);
    if (!fits(out->on, out->doing))
        return FAIL(tr, STATE, "fault rule %u: %s does nothing on %s", at,
                    do_words[out->doing].word, on_words[out->on]);
    int64_t count = count_of(o, "count", 1), skip = count_of(o, "skip", 0);
    int64_t status = count_of(o, "status", STATUS_DEFAULT);
    int64_t seconds = count_of(o, "seconds", SECONDS_DEFAULT);
    out->ms = count_of(o, "ms", MS_DEFAULT);
    out->from_ns = count_of(o, "from", 0);
    if (count < 0 || skip < 0 || out->ms < 0 || out->ms > 600000 || out->from_ns < 0 ||
        status < 400 || status > 599 || seconds < 0 || seconds > 86400)
        return FAIL(tr, RANGE,
                    "fault rule %u: a number is out of range (status 400 to 599, ms to "
                    "600000, seconds to 86400)",
                    at);
    out->skip = (uint64_t)skip;
    out->count = count == 0 ? UINT64_MAX : (uint64_t)count;
    out->status = (int32_t)status;
    out->seconds = (int32_t)seconds;
    const char *client = json_string_value(json_object_get(o, "client_id"));
    if (client != NULL && strlen(client) >= sizeof out->client)
        return FAIL(tr, TOO_LARGE, "fault rule %u: client_id is over 31 characters", at);
    if (client != NULL)
        memcpy(out->client, client, strlen(client));
    return OK_RESULT;
}

struct result faults_add(struct faults *f, const char *json, size_t count, struct trail *tr)
{
    json_error_t e;
    json_t *all = json_loadb(json, count, JSON_REJECT_DUPLICATES, &e);
    if (all == NULL)
        return FAIL(tr, SYNTAX, "fault rules: line %d: %.80s", e.line, e.text);
    bool is_array = json_is_array(all);
    size_t n = is_array ? json_array_size(all) : 1;
    struct result r = n <= FAULTS_MAX - f->count
                          ? OK_RESULT
                          : FAIL(tr, FULL, "fault rules: more than %d; clear some", FAULTS_MAX);
    for (size_t i = 0; i < n && is_ok(r); i++)
        r = parse(is_array ? json_array_get(all, i) : all, i, &f->at[f->count + i], tr);
    if (is_ok(r))
        f->count += (uint32_t)n;
    json_decref(all);
    return r;
}

struct result faults_read(struct faults *f, const char *path, struct trail *tr)
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL)
        return FAIL(tr, NOT_FOUND, "fault script %s: cannot be opened: %s; check the path", path,
                    strerror(errno));
    char *text = malloc(FAULTS_SCRIPT_MAX + 1);
    size_t n = text == NULL ? 0 : fread(text, 1, FAULTS_SCRIPT_MAX + 1, file);
    fclose(file);
    struct result r = n > FAULTS_SCRIPT_MAX
                          ? FAIL(tr, TOO_LARGE, "fault script %s: over 64 KiB", path)
                          : faults_add(f, text, n, tr);
    free(text);
    return is_ok(r) ? r : FAIL_AS(tr, r, "fault script %s: %s", path, trail_sentence(tr, r));
}

const struct fault *faults_meet(struct faults *f, uint32_t on, const char *client, int64_t t_ns)
{
    for (uint32_t i = 0; i < f->count; i++) {
        struct fault *x = &f->at[i];
        bool is_about = x->client[0] == '\0' || (client != NULL && strcmp(x->client, client) == 0);
        if (x->on != on || x->count == 0 || x->from_ns > t_ns || !is_about)
            continue;
        if (x->skip > 0) {
            x->skip--;
            continue;
        }
        if (x->count != UINT64_MAX)
            x->count--;
        x->used++;
        return x;
    }
    return NULL;
}

void faults_clear(struct faults *f)
{
    f->count = 0;
}

size_t faults_list(const struct faults *f, char *out, size_t bytes)
{
    size_t used = 0;
    for (uint32_t i = 0; i < f->count; i++) {
        char one[160];
        const struct fault *x = &f->at[i];
        int n =
            snprintf(one, sizeof one, "%s{\"on\":\"%s\",\"do\":\"%s\",\"left\":%ld,\"used\":%lu}",
                     i == 0 ? "" : ",", on_words[x->on], do_words[x->doing].word,
                     x->count == UINT64_MAX ? -1l : (long)x->count, (unsigned long)x->used);
        if (n < 0 || used + (size_t)n + 3 > bytes)
            break;
        used += (size_t)snprintf(out + used, bytes - used, "%s%s", i == 0 ? "[" : "", one);
    }
    if (used == 0)
        out[used++] = '[';
    out[used++] = ']';
    out[used] = '\0';
    return used;
}
