/* SPDX-License-Identifier: Apache-2.0
 *
 * The host checks everything again with the same table, so nothing is left out or changed here but
 * what is the tool's own business: flags about following and about files it writes, and the folders
 * of a path, of which the host need know nothing.
 */
#include "tools/tenon/ask.h"
#include <string.h>
#include "base/must.h"
#include "gateway/parcel.h"
#include "deploy/gather.h"

static_assert((int)GATHER_FILE_BYTES <= (int)PARCEL_FILE_MAX, "what is gathered can be sent");

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

static json_t *flag_json(const struct args *a, uint32_t flag)
{
    uint32_t type = command_flag_row(flag)->type;
    if (type == VALUE_SWITCH)
        return json_true();
    return json_string(type == VALUE_FILE ? base_name(a->flag[flag].text) : a->flag[flag].text);
}

static json_t *words_json(const struct args *a)
{
    json_t *words = json_array();
    for (uint32_t i = 0; i < a->word_count; i++) {
        bool is_file = command_arg(a->command, i)->type == VALUE_FILE;
        json_array_append_new(words, json_string(is_file ? base_name(a->word[i]) : a->word[i]));
    }
    return words;
}

json_t *ask_args(const struct args *a, const struct bundle *b)
{
    json_t *object = json_object();
    for (uint32_t f = 1; f < FLAG_END; f++) {
        const struct command_use_row *use = command_use(a->command, f);
        if (!a->flag[f].text || !use || use->command == COMMAND_UNSET || f == FLAG_NO_WAIT ||
            f == FLAG_DOOR)
            continue;
        json_object_set_new(object, command_flag_row(f)->name, flag_json(a, f));
    }
    if (a->word_count > 0)
        json_object_set_new(object, "words", words_json(a));
    if (b != NULL && json_object_set_new(object, "bundle", parcel_json(b)) != 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

struct result ask(const struct cli *cli, const struct bundle *b, json_t **result,
                  struct complaint *c)
{
    must(command_row(cli->a.command)->where == COMMAND_DAEMON);
    struct client_options o = {.socket_path = args_text(&cli->a, FLAG_SOCKET, NULL),
                               .timeout_ms = b != NULL ? CLIENT_SLOW_MS : 0};
    json_t *args = ask_args(&cli->a, b);
    *result = NULL;
    if (!args)
        return complaint_make(c, RESULT_OF(FULL), cli->name, "no memory for the request");
    struct result rc = client_call(&o, cli->name, args, result, c);
    json_decref(args);
    return rc;
}

const char *ask_text(const json_t *result)
{
    const char *text = json_string_value(json_object_get(result, "text"));
    return text && text[0] ? text : "done";
}

int ask_act(const struct cli *cli, const struct bundle *b)
{
    struct complaint c;
    json_t *result = NULL;
    if (!is_ok(ask(cli, b, &result, &c)))
        return cli_complain(cli, &c);
    if (cli->json)
        return cli_json(cli, result);
    cli_say(cli, "%s", ask_text(result));
    json_decref(result);
    return 0;
}

struct result ask_gather(const struct cli *cli, const char *path, struct bundle **out,
                         struct complaint *c)
{
    struct trail tr = {0};
    struct result rc = gather(path, out, &tr);
    if (is_ok(rc))
        rc = parcel_check(*out, &tr);
    if (is_ok(rc))
        return rc;
    bundle_free(*out);
    *out = NULL;
    return complaint_from(c, rc, cli->name, &tr);
}

struct result ask_status(const struct cli *cli, json_t **result, struct complaint *c)
{
    struct client_options o = {.socket_path = args_text(&cli->a, FLAG_SOCKET, NULL)};
    return client_call(&o, "status", NULL, result, c);
}
