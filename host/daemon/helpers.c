/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a deployment needs them is asked of its text, before it is parsed: the spawner must be
 * there while there is one thread and while root is still root, and a document is only trusted
 * later. A comment that names them costs one idle process.
 */
#include "daemon/helpers.h"
#include <stdlib.h>
#include <string.h>
#include "base/must.h"
#include "daemon/uids.h"
#include "gateway/privilege.h"

/* MARKET:MONO:SPEED of --script, which a launcher gives to every process of a run alike. */
static struct result read_script(struct helpers *h, const char *text, struct trail *tr)
{
    int64_t v[3];
    const char *p = text;
    char *end = NULL;
    for (uint32_t i = 0; i < 3; i++) {
        v[i] = strtoll(p, &end, 10);
        if (end == p || *end != (i < 2 ? ':' : 0) || v[i] <= 0)
            return FAIL(tr, USAGE,
                        "--script %.60s: three whole numbers are wanted: market time and monotonic "
                        "time where it begins, in ns, and thousandths of real time",
                        text);
        p = end + 1;
    }
    h->roads.is_script = true;
    h->roads.script_market_ns = v[0];
    h->roads.script_mono_ns = v[1];
    h->roads.script_speed = v[2];
    return OK_RESULT;
}

static struct result read_roads(struct helpers *h, const struct args *a, struct trail *tr)
{
    const char *attach = args_text(a, FLAG_ATTACH, NULL);
    const char *script = args_text(a, FLAG_SCRIPT, NULL);
    h->roads.in_engine = args_has(a, FLAG_IN_ENGINE);
    h->roads.is_script = h->roads.in_engine; /* there is no other time in the engine */
    h->roads.script_speed = 1000;
    if (!h->roads.in_engine && attach == NULL)
        TRY(paths_egress_find("egress", h->socket, tr));
    else if (attach != NULL && strlen(attach) < sizeof h->socket)
        memcpy(h->socket, attach, strlen(attach) + 1);
    else if (attach != NULL)
        return FAIL(tr, TOO_LARGE, "--attach %.60s...: the path is too long", attach);
    h->roads.socket = h->socket;
    h->has_roads = true;
    return script != NULL && !h->roads.in_engine ? read_script(h, script, tr) : OK_RESULT;
}

struct result helpers_start(struct helpers *h, const struct args *a, const char *text,
                            struct trail *tr)
{
    const bool by_flag = args_has(a, FLAG_ATTACH) || args_has(a, FLAG_IN_ENGINE);
    const bool by_journal = text == NULL && !args_has(a, FLAG_HEADLESS);
    const bool roads =
        text != NULL ? strstr(text, "egress") != NULL : by_flag || by_journal; /* may be needed */
    const bool bays = text == NULL || strstr(text, "process") != NULL;
    const bool inside = args_has(a, FLAG_IN_ENGINE); /* all in one process, to compare with */
    memset(h, 0, sizeof *h);
    if (roads)
        TRY(read_roads(h, a, tr));
    if (inside || (!roads && !bays))
        return OK_RESULT;
    struct uids ids = {0, 0};
    if (privilege_is_root()) /* without a range every bay is nobody's, which the probe then says */
        (void)uids_read(UIDS_FILE, "tenon", &ids);
    const struct spawn_config c = {.uid_first = ids.first, .uid_count = ids.count};
    TRY(spawn_start(&c, &h->spawn, tr));
    h->roads.spawn = h->spawn;
    return OK_RESULT;
}

/* What this kernel cannot keep from a bay; deployments that need it are refused one by one. */
static void say_gaps(const struct helpers *h, struct log *log)
{
    char text[SANDBOX_TEXT_BYTES];
    for (uint32_t n = 0; sandbox_say(spawn_can(h->spawn), n, text); n++)
        log_now(log, LOG_WARN, NULL, "%s", text);
}

struct result helpers_open(struct helpers *h, struct log *log, bool is_paced, struct trail *tr)
{
    if (h->spawn == NULL)
        return OK_RESULT;
    say_gaps(h, log);
    const struct process_options o = {
        .spawn = h->spawn, .log = log, .clock = &clock_system, .is_waited = !is_paced};
    return process_home_open(&o, &h->home, tr);
}

void helpers_close(struct helpers *h)
{
    process_home_close(h->home);
    spawn_stop(h->spawn);
    memset(h, 0, sizeof *h);
}
