/* SPDX-License-Identifier: Apache-2.0
 *
 * One shape for every failure that a person meets. It sits beside the trail and not inside it,
 * because a trail is written deep down by code that knows the cause but not the command; the
 * complaint is written once, where the command and the next step are known.
 *
 * Everything quoted goes through text_escape, so that a file name with a newline or an escape
 * sequence cannot forge a line of its own.
 */
#include "gateway/complaint.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/must.h"

static void put(char *out, size_t out_bytes, const char *fmt, va_list ap)
{
    char raw[COMPLAINT_TEXT_BYTES];
    int n = vsnprintf(raw, sizeof raw, fmt, ap);
    must(n >= 0);
    text_escape(out, out_bytes, raw, strlen(raw));
}

struct result complaint_make(struct complaint *c, struct result rc, const char *where,
                             const char *fmt, ...)
{
    must(c != NULL && !is_ok(rc));
    va_list ap;
    memset(c, 0, sizeof *c);
    c->rc = rc;
    text_escape(c->where, sizeof c->where, where, strlen(where));
    va_start(ap, fmt);
    put(c->what, sizeof c->what, fmt, ap);
    va_end(ap);
    snprintf(c->why, sizeof c->why, "%s", result_text(rc));
    snprintf(c->next, sizeof c->next, "%s", result_remedy(rc));
    return rc;
}

void complaint_why(struct complaint *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    put(c->why, sizeof c->why, fmt, ap);
    va_end(ap);
}

void complaint_next(struct complaint *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    put(c->next, sizeof c->next, fmt, ap);
    va_end(ap);
}

struct result complaint_from(struct complaint *c, struct result rc, const char *where,
                             const struct trail *tr)
{
    complaint_make(c, rc, where, "%s", trail_sentence(tr, rc));
    if (tr && tr->count > 1)
        complaint_why(c, "%s", tr->frame[tr->count - 1].text);
    return rc;
}

int complaint_exit(const struct complaint *c)
{
    if (c->exit != 0)
        return c->exit;
    int code = result_exit(c->rc);
    return code != 0 ? code : 1;
}

size_t complaint_print(const struct complaint *c, char *out, size_t out_bytes)
{
    must(out_bytes > 0);
    if (strncmp(c->what, "error[", 6) == 0) { /* the parser's sentences are whole */
        (void)snprintf(out, out_bytes, "%s", c->what);
        return strlen(out);
    }
    /* the code's own sentence adds nothing to what was said; it stays in the JSON */
    bool plain = c->why[0] == '\0' || strcmp(c->why, result_text(c->rc)) == 0;
    int n = snprintf(out, out_bytes, "error[%s] %s: %s%s%s%s%s%s", result_name(c->rc), c->where,
                     c->what, plain ? "" : " (", plain ? "" : c->why, plain ? "" : ")",
                     c->next[0] ? ". Hint: " : "", c->next);
    must(n >= 0);
    return (size_t)n < out_bytes ? (size_t)n : out_bytes - 1;
}

json_t *complaint_json(const struct complaint *c)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "code", result_name(c->rc), "what", c->what,
                     "where", c->where, "why", c->why, "next", c->next);
}

static void member(const json_t *error, const char *name, char *out, size_t out_bytes)
{
    const json_t *value = json_object_get(error, name);
    const char *text = json_string_value(value);
    if (text)
        text_escape(out, out_bytes, text, json_string_length(value));
}

static struct result code_of(const char *name)
{
    static const struct {
        const char *name;
        int32_t code;
    } known[] = {
#define X(name_, code_, class, exit, text, remedy) {#name_, code_},
        RESULTS(X)
#undef X
    };
    for (size_t i = 1; name && i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].name, name) == 0)
            return (struct result){known[i].code};
    }
    return RESULT_OF(PROTOCOL);
}

void complaint_read(struct complaint *c, const json_t *error, int exit)
{
    memset(c, 0, sizeof *c);
    c->rc = code_of(json_string_value(json_object_get(error, "code")));
    c->exit = exit > 0 && exit < 256 ? exit : 0;
    member(error, "what", c->what, sizeof c->what);
    member(error, "where", c->where, sizeof c->where);
    member(error, "why", c->why, sizeof c->why);
    member(error, "next", c->next, sizeof c->next);
}
