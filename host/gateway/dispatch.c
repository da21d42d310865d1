/* SPDX-License-Identifier: Apache-2.0
 *
 * A request is read twice: as a message (version, id, cmd, args and nothing else) and as a command
 * line, through the very functions that parse the command line. So the socket refuses what the
 * tool refuses, in the same words, and a client that is not the tool gains nothing.
 *
 * `auto on NAME` is resolved to an instance id here, from the newest view: ids are never reused in
 * a deployment, so the core acts on the one that was meant even if the view is a moment old.
 *
 * What the view says already is refused here when it is a way up (one person lifting a kill): the
 * worst that an old view can do is to have it asked again. A way down is never judged by a view.
 */
#include "gateway/dispatch.h"
#include <stdio.h>
#include <string.h>
#include "base/must.h"
#include "gateway/args.h"
#include "gateway/frame.h"
#include "gateway/parcel.h"
#include "gateway/status.h"

static struct result complain(struct dispatch *d, struct result rc, const char *where,
                              const char *what, const char *about)
{
    return complaint_make(&d->complaint, rc, where, what, about);
}

static bool is_known_member(const char *name)
{
    return strcmp(name, "v") == 0 || strcmp(name, "id") == 0 || strcmp(name, "cmd") == 0 ||
           strcmp(name, "args") == 0;
}

/* v, id, cmd, args; *args stays NULL when there are none. */
static struct result read_message(json_t *root, struct dispatch *d, const char **cmd, json_t **args)
{
    const char *name;
    json_t *value;
    const json_t *v = json_object_get(root, "v"), *id = json_object_get(root, "id");
    if (!json_is_integer(id) || json_integer_value(id) < 0)
        return complain(d, RESULT_OF(SYNTAX), "request", "`id` must be a whole number%s", "");
    d->id = json_integer_value(id);
    if (!json_is_integer(v) || json_integer_value(v) != FRAME_VERSION)
        return complain(d, RESULT_OF(PROTOCOL), "request", "`v` must be 1%s", "");
    json_object_foreach(root, name, value)
    {
        if (!is_known_member(name))
            return complain(d, RESULT_OF(SYNTAX), "request",
                            "unknown member '%.40s': v, id, cmd, args are known", name);
    }
    *cmd = json_string_value(json_object_get(root, "cmd"));
    if (!*cmd)
        return complain(d, RESULT_OF(SYNTAX), "request", "`cmd` must be a text%s", "");
    *args = json_object_get(root, "args");
    if (*args && !json_is_object(*args))
        return complain(d, RESULT_OF(SYNTAX), "request", "`args` must be an object%s", "");
    return OK_RESULT;
}

static struct result read_command(const char *cmd, const struct dispatch_context *cx,
                                  struct dispatch *d, struct args *a)
{
    const char *known[COMMAND_END];
    size_t count = 0;
    uint32_t command = command_by_name(cmd);
    for (uint32_t c = 1; c < COMMAND_END; c++) {
        if (command_row(c)->where == COMMAND_DAEMON)
            known[count++] = command_name(c);
    }
    if (command == COMMAND_UNSET) {
        const char *near = command_nearest(cmd, known, count);
        complain(d, RESULT_OF(UNKNOWN_NAME), "request", "unknown command '%.40s'", cmd);
        if (near)
            complaint_next(&d->complaint, "did you mean '%s'?", near);
        return d->complaint.rc;
    }
    if (command_row(command)->where != COMMAND_DAEMON) {
        complain(d, RESULT_OF(USAGE), cmd, "this command runs in the tool, not in the host%s", "");
        complaint_next(&d->complaint, "run: tenon %s", cmd);
        return d->complaint.rc;
    }
    if (cx->kill_only && command != COMMAND_RISK_KILL) {
        complain(d, RESULT_OF(FULL), cmd, "too many connections; only risk kill is taken%s", "");
        complaint_next(&d->complaint, "close other clients of the host, then try again");
        return d->complaint.rc;
    }
    d->command = a->command = command;
    return OK_RESULT;
}

static struct result read_words(json_t *list, struct args *a, struct dispatch *d)
{
    size_t i;
    json_t *word;
    if (!json_is_array(list))
        return complain(d, RESULT_OF(USAGE), command_name(a->command), "`words` must be a list%s",
                        "");
    json_array_foreach(list, i, word)
    {
        if (!json_is_string(word))
            return complain(d, RESULT_OF(USAGE), command_name(a->command),
                            "`words` must hold texts%s", "");
        struct result rc = args_add_word(a, json_string_value(word), &d->complaint);
        if (!is_ok(rc))
            return rc;
    }
    return OK_RESULT;
}

static struct result read_flag(const char *name, json_t *value, struct args *a, struct dispatch *d)
{
    uint32_t flag = command_flag_by_name(a->command, name, strlen(name));
    const struct command_use_row *use = flag ? command_use(a->command, flag) : NULL;
    const char *where = command_name(a->command);
    if (!use || use->command == COMMAND_UNSET)
        return complain(d, RESULT_OF(USAGE), where, "unknown argument '%.40s'", name);
    bool is_switch = command_flag_row(flag)->type == VALUE_SWITCH;
    if (is_switch ? !json_is_true(value) : !json_is_string(value))
        return complain(d, RESULT_OF(USAGE), where,
                        is_switch ? "'%.40s' must be true" : "'%.40s' must be a text", name);
    return args_set(a, flag, is_switch ? "" : json_string_value(value), &d->complaint);
}

/* Which requests carry a signed file. */
static bool takes_bundle(const struct args *a)
{
    return a->command == COMMAND_CONFIG_PROMOTE || a->command == COMMAND_TRUST_ROTATE ||
           (a->command == COMMAND_RISK_RESUME && args_has(a, FLAG_REQUEST));
}

static struct result read_bundle(const json_t *object, const struct args *a, struct dispatch *d)
{
    struct trail tr = {0};
    if (!object && takes_bundle(a))
        return complain(d, RESULT_OF(MISSING), command_name(a->command),
                        "`bundle`, the bytes of the signed file, is missing%s", "");
    if (!object)
        return OK_RESULT;
    if (!takes_bundle(a))
        return complain(d, RESULT_OF(USAGE), command_name(a->command),
                        "a `bundle` is handed over, but nothing is done with one%s", "");
    struct result rc = parcel_read(object, &d->ask.bundle, &tr);
    if (!is_ok(rc))
        complaint_from(&d->complaint, rc, command_name(a->command), &tr);
    return rc;
}

static struct result read_arg(const char *name, json_t *value, struct args *a, struct dispatch *d)
{
    if (strcmp(name, "bundle") == 0) /* when the flags are known, read_bundle */
        return OK_RESULT;
    return strcmp(name, "words") == 0 ? read_words(value, a, d) : read_flag(name, value, a, d);
}

static struct result read_args(json_t *object, struct args *a, struct dispatch *d)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        struct result rc = read_arg(name, value, a, d);
        if (!is_ok(rc))
            return rc;
    }
    TRY(args_finish(a, &d->complaint));
    return read_bundle(json_object_get(object, "bundle"), a, d);
}

/* ---- what each command does ---- */
static struct result find_strategy(const char *name, const struct gateway_view *v,
                                   struct dispatch *d, uint32_t *id)
{
    const char *known[GATEWAY_STRATEGIES_MAX];
    uint32_t count = v ? v->strategy_count : 0;
    must(count <= GATEWAY_STRATEGIES_MAX);
    for (uint32_t i = 0; i < count; i++) {
        known[i] = v->strategy[i].name;
        if (strcmp(known[i], name) == 0) {
            *id = v->strategy[i].id;
            return OK_RESULT;
        }
    }
    complain(d, RESULT_OF(UNKNOWN_NAME), command_name(d->command),
             "no strategy '%.40s' in the active deployment", name);
    const char *near = command_nearest(name, known, count);
    if (near)
        complaint_next(&d->complaint, "did you mean %s?", near);
    else
        complaint_next(&d->complaint, "tenon status lists the strategies");
    return d->complaint.rc;
}

static struct result ask_auto(const struct args *a, const struct dispatch_context *cx,
                              struct dispatch *d)
{
    d->kind = DISPATCH_ASK;
    d->ask.kind = GATEWAY_AUTO;
    d->ask.on = a->command == COMMAND_AUTO_ON;
    if (a->word_count > 0)
        TRY(find_strategy(a->word[0], cx->view, d, &d->ask.target));
    return OK_RESULT;
}

static struct result find_account(const char *name, const struct gateway_view *v,
                                  struct dispatch *d)
{
    for (uint32_t i = 0; v != NULL && i < v->account_count; i++) {
        if (strcmp(v->account[i].name, name) == 0) {
            d->ask.target = v->account[i].id;
            return OK_RESULT;
        }
    }
    complain(d, RESULT_OF(UNKNOWN_NAME), command_name(d->command),
             "no account '%.40s' in the active deployment, so nothing was killed", name);
    complaint_next(&d->complaint, "tenon status lists the accounts; without --account all are");
    return d->complaint.rc;
}

static struct result ask_kill(const struct args *a, const struct dispatch_context *cx,
                              struct dispatch *d)
{
    if (args_has(a, FLAG_ACCOUNT))
        TRY(find_account(a->flag[FLAG_ACCOUNT].text, cx->view, d));
    d->kind = DISPATCH_ASK;
    d->ask.kind = GATEWAY_KILL;
    d->ask.scope = args_has(a, FLAG_ACCOUNT) ? MODE_SCOPE_ACCOUNT : MODE_SCOPE_GLOBAL;
    d->ask.mode = MODE_KILLED;
    d->ask.keep_positions = args_has(a, FLAG_KEEP_POSITIONS);
    snprintf(d->ask.reason, sizeof d->ask.reason, "%s", args_text(a, FLAG_REASON, ""));
    return OK_RESULT;
}

/* Lifting some modes takes two people: the rows of tbl/modes.h. */
static bool takes_two(uint32_t mode)
{
    switch (mode) {
#define TWO true
#define SELF false
#define OPERATOR false
#define X(id, name, risk, reduce, work, lifted, text)                                              \
    case id:                                                                                       \
        return lifted;
        MODES(X)
#undef X
#undef TWO
#undef SELF
#undef OPERATOR
    default:
        return false;
    }
}

static uint32_t mode_now(const struct gateway_view *v, uint32_t strategy)
{
    if (strategy == 0)
        return v->mode;
    for (uint32_t i = 0; i < v->strategy_count; i++) {
        if (v->strategy[i].id == strategy)
            return v->strategy[i].mode;
    }
    return MODE_UNSET;
}

static struct result ask_mode(const struct args *a, const struct dispatch_context *cx,
                              struct dispatch *d)
{
    d->kind = DISPATCH_ASK;
    d->ask.kind = GATEWAY_MODE;
    d->ask.scope = a->word_count > 0 ? MODE_SCOPE_STRATEGY : MODE_SCOPE_GLOBAL;
    d->ask.mode = a->command == COMMAND_RISK_HALT     ? MODE_HALTED
                  : a->command == COMMAND_RISK_REDUCE ? MODE_REDUCING
                                                      : MODE_ACTIVE;
    snprintf(d->ask.reason, sizeof d->ask.reason, "%s", args_text(a, FLAG_REASON, ""));
    if (a->word_count > 0)
        TRY(find_strategy(a->word[0], cx->view, d, &d->ask.target));
    if (d->ask.mode != MODE_ACTIVE || !cx->view || !takes_two(mode_now(cx->view, d->ask.target)))
        return OK_RESULT;
    complain(d, RESULT_OF(NOT_PERMITTED), "risk resume",
             "lifting %s takes two people, and a request that both have signed",
             status_mode(mode_now(cx->view, d->ask.target)));
    complaint_next(&d->complaint,
                   "write it with tenon risk resume --out FILE, have it signed with tenon config "
                   "sign, then tenon risk resume --request FILE");
    return d->complaint.rc;
}

static struct result ask_bundle(const struct args *a, struct dispatch *d)
{
    d->kind = DISPATCH_ASK;
    d->slow = true;
    d->ask.kind = a->command == COMMAND_CONFIG_PROMOTE ? GATEWAY_PROMOTE
                  : a->command == COMMAND_TRUST_ROTATE ? GATEWAY_TRUST
                                                       : GATEWAY_REQUEST;
    must(d->ask.bundle != NULL);
    return OK_RESULT;
}

static struct result ask_resume(const struct args *a, const struct dispatch_context *cx,
                                struct dispatch *d)
{
    if (args_has(a, FLAG_OUT))
        return complain(d, RESULT_OF(USAGE), "risk resume",
                        "--out is done in the tool, not in the host%s", "");
    if (!args_has(a, FLAG_REQUEST))
        return ask_mode(a, cx, d);
    if (a->word_count > 0)
        return complain(d, RESULT_OF(USAGE), "risk resume",
                        "the request file says what is lifted, so '%.40s' is one argument too many",
                        a->word[0]);
    return ask_bundle(a, d);
}

static struct result ask_rollback(const struct args *a, struct dispatch *d)
{
    d->kind = DISPATCH_ASK;
    d->slow = true;
    d->ask.kind = GATEWAY_ROLLBACK;
    snprintf(d->ask.reason, sizeof d->ask.reason, "%s", args_text(a, FLAG_REASON, ""));
    return OK_RESULT;
}

static struct result act(const struct args *a, const struct dispatch_context *cx,
                         struct dispatch *d)
{
    snprintf(d->ask.by, sizeof d->ask.by, "uid:%u", cx->uid);
    switch (a->command) {
    case COMMAND_STATUS:
        d->kind = DISPATCH_RESULT;
        d->result = status_json(cx->view);
        return d->result
                   ? OK_RESULT
                   : complain(d, RESULT_OF(BUG), "status", "the state is no valid text%s", "");
    case COMMAND_AUTO_ON:
    case COMMAND_AUTO_OFF:
        return ask_auto(a, cx, d);
    case COMMAND_RISK_KILL:
        return ask_kill(a, cx, d);
    case COMMAND_RISK_HALT:
    case COMMAND_RISK_REDUCE:
        return ask_mode(a, cx, d);
    case COMMAND_RISK_RESUME:
        return ask_resume(a, cx, d);
    case COMMAND_CONFIG_PROMOTE:
    case COMMAND_TRUST_ROTATE:
        return ask_bundle(a, d);
    case COMMAND_CONFIG_ROLLBACK:
        return ask_rollback(a, d);
    default:
        must(!"a daemon command without a handler");
    }
    return OK_RESULT;
}

static struct result run(json_t *root, const struct dispatch_context *cx, struct dispatch *d)
{
    struct args a;
    const char *cmd = NULL;
    json_t *args = NULL;
    memset(&a, 0, sizeof a);
    struct result rc = read_message(root, d, &cmd, &args);
    d->malformed = !is_ok(rc);
    if (!is_ok(rc))
        return rc;
    TRY(read_command(cmd, cx, d, &a));
    if (args) {
        TRY(read_args(args, &a, d));
    } else {
        TRY(args_finish(&a, &d->complaint));
        TRY(read_bundle(NULL, &a, d));
    }
    return act(&a, cx, d);
}

void dispatch_run(const char *bytes, size_t count, const struct dispatch_context *cx,
                  struct dispatch *out)
{
    must(bytes != NULL && cx != NULL);
    struct trail tr = {0};
    json_t *root = NULL;
    memset(out, 0, sizeof *out);
    struct result rc = frame_parse(bytes, count, &root, &tr);
    if (!is_ok(rc)) {
        out->malformed = true;
        complaint_from(&out->complaint, rc, "request", &tr);
    } else {
        rc = run(root, cx, out);
    }
    if (!is_ok(rc))
        out->kind = DISPATCH_COMPLAINT;
    must(out->kind != DISPATCH_UNSET);
    json_decref(root);
}

void dispatch_fini(struct dispatch *d)
{
    json_decref(d->result);
    d->result = NULL;
    bundle_free(d->ask.bundle);
    d->ask.bundle = NULL;
}

json_t *dispatch_answer_result(int64_t id, json_t *result)
{
    return json_pack("{s:i, s:I, s:b, s:i, s:O}", "v", FRAME_VERSION, "id", (json_int_t)id, "ok", 1,
                     "exit", 0, "result", result);
}

json_t *dispatch_answer_complaint(int64_t id, const struct complaint *c)
{
    return json_pack("{s:i, s:I, s:b, s:i, s:o}", "v", FRAME_VERSION, "id", (json_int_t)id, "ok", 0,
                     "exit", complaint_exit(c), "error", complaint_json(c));
}
