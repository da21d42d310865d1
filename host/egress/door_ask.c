/* SPDX-License-Identifier: Apache-2.0
 *
 * Read with egress's own JSON reader: the process that holds the keys links no library for it. An
 * unknown member is refused, since a kill that was meant for one account must not be taken for all.
 */
#include "egress/door_ask.h"
#include <stdio.h>
#include <string.h>
#include "base/num.h"
#include "egress/reread.h"

struct reading {
    struct door_ask *ask;
    bool has_version, has_cmd;
};

static bool is(const struct reread_value *v, const char *path)
{
    return strcmp(v->path, path) == 0;
}

static bool says(const struct reread_value *v, const char *text)
{
    return v->count == strlen(text) && memcmp(v->text, text, v->count) == 0;
}

static bool whole(const struct reread_value *v, int64_t *out)
{
    return is_ok(num_parse(v->text, v->count, 0, false, out)) && *out >= 0;
}

static bool take_cmd(struct reading *r, const struct reread_value *v)
{
    r->has_cmd = true;
    r->ask->what = says(v, "risk kill")        ? DOOR_ASK_KILL
                   : says(v, "egress status")  ? DOOR_ASK_STATUS
                   : says(v, "egress secrets") ? DOOR_ASK_SECRETS
                                               : DOOR_ASK_UNSET;
    return v->kind == REREAD_TEXT && r->ask->what != DOOR_ASK_UNSET;
}

static bool take(void *arg, const struct reread_value *v)
{
    struct reading *r = arg;
    int64_t n = 0;
    if (is(v, "v"))
        return r->has_version = v->kind == REREAD_NUMBER && whole(v, &n) && n == DOOR_ASK_VERSION;
    if (is(v, "id"))
        return v->kind == REREAD_NUMBER && whole(v, &r->ask->id);
    if (is(v, "cmd"))
        return take_cmd(r, v);
    if (is(v, "args.reason")) {
        text_escape(r->ask->reason, sizeof r->ask->reason, v->text, v->count);
        return v->kind == REREAD_TEXT;
    }
    if (is(v, "args.keep-positions")) {
        r->ask->keep_positions = says(v, "true");
        return v->kind == REREAD_WORD && (says(v, "true") || says(v, "false"));
    }
    if (is(v, "args.account") && v->count > 0 && v->count < sizeof r->ask->account) {
        memcpy(r->ask->account, v->text, v->count);
        return v->kind == REREAD_TEXT;
    }
    return false;
}

struct result door_ask_read(const char *json, size_t count, struct door_ask *out, struct trail *tr)
{
    struct reading r = {.ask = out};
    memset(out, 0, sizeof *out);
    const char *why = reread_json(json, count, false, take, &r);
    if (why == NULL && r.has_version && r.has_cmd)
        return OK_RESULT;
    if (r.has_cmd && out->what == DOOR_ASK_UNSET)
        return FAIL(tr, UNKNOWN_NAME,
                    "tenon-egress has no such command; it knows risk kill, egress "
                    "status and egress secrets");
    return FAIL(tr, PROTOCOL, "the request is not understood%s%s", why != NULL ? ": " : "",
                why != NULL ? why : "");
}

void door_ask_text(const char *text, char *out, size_t room)
{
    size_t n = 0;
    for (; *text != 0 && n + 7 < room; text++) {
        const unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            out[n++] = '\\';
            out[n++] = (char)c;
        } else if (c < ' ' || c >= 0x7f) {
            n += (size_t)snprintf(out + n, room - n, "\\u%04x", c);
        } else {
            out[n++] = (char)c;
        }
    }
    out[n] = 0;
}

size_t door_ask_answer(int64_t id, const char *members, char *out, size_t room)
{
    int n = snprintf(out, room, "{\"v\":%d,\"id\":%ld,\"ok\":true,\"exit\":0,\"result\":{%s}}",
                     DOOR_ASK_VERSION, (long)id, members);
    return n < 0 || (size_t)n >= room ? 0 : (size_t)n;
}

size_t door_ask_refuse(int64_t id, struct result r, const char *where, const struct trail *tr,
                       char *out, size_t room)
{
    char what[2 * TRAIL_TEXT_BYTES];
    door_ask_text(trail_sentence(tr, r), what, sizeof what);
    int n = snprintf(out, room,
                     "{\"v\":%d,\"id\":%ld,\"ok\":false,\"exit\":%d,\"error\":{\"code\":\"%s\","
                     "\"what\":\"%s\",\"where\":\"%s\",\"why\":\"%s\",\"next\":\"%s\"}}",
                     DOOR_ASK_VERSION, (long)id, result_exit(r), result_name(r), what, where,
                     result_text(r), result_remedy(r));
    return n < 0 || (size_t)n >= room ? 0 : (size_t)n;
}
