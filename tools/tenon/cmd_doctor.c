/* SPDX-License-Identifier: Apache-2.0
 *
 * doctor: is this machine fit to trade on? One table of checks, each of which adds rows. It exits
 * with 1 only where a row says FAIL: a laptop whose cores are not pinned can still run the demo.
 */
#include <stdarg.h>
#include <string.h>
#include "base/must.h"
#include "tools/tenon/doctor.h"

static void (*const checks[])(struct doctor *d) = {
    doctor_clock,   doctor_cores, doctor_limits,  doctor_disk,
    doctor_plugins, doctor_keys,  doctor_sandbox, doctor_host,
};
enum { CHECKS = sizeof checks / sizeof checks[0] };

static const char *const words[] = {"?", "ok", "skip", "warn", "FAIL"};
static const char *const colors[] = {"", "\033[32m", "\033[2m", "\033[33m", "\033[31m"};

void doctor_say(struct doctor *d, const char *name, enum doctor_verdict verdict, const char *advice,
                const char *fmt, ...)
{
    va_list ap;
    must(d->count <= DOCTOR_ROWS_MAX);
    bool is_full = d->count == DOCTOR_ROWS_MAX;
    struct doctor_row *r = &d->row[is_full ? d->count - 1 : d->count++];
    if (is_full) { /* the worst of what did not fit stays to be seen */
        r->verdict = r->verdict > (uint32_t)verdict ? r->verdict : (uint32_t)verdict;
        snprintf(r->text, sizeof r->text, "and more rows of this kind than are shown");
        return;
    }
    r->verdict = (uint32_t)verdict;
    snprintf(r->name, sizeof r->name, "%s", name);
    snprintf(r->advice, sizeof r->advice, "%s", advice != NULL ? advice : "");
    va_start(ap, fmt);
    vsnprintf(r->text, sizeof r->text, fmt, ap);
    va_end(ap);
}

static uint32_t count_of(const struct doctor *d, enum doctor_verdict verdict)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < d->count; i++)
        n += d->row[i].verdict == (uint32_t)verdict;
    return n;
}

static json_t *rows_json(const struct doctor *d)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < d->count; i++) {
        const struct doctor_row *r = &d->row[i];
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:s?}", "check", r->name, "verdict",
                            r->verdict == DOCTOR_FAIL ? "fail" : words[r->verdict], "text", r->text,
                            "advice", r->advice[0] != 0 ? r->advice : NULL));
    }
    return list;
}

static void print_rows(const struct cli *cli, const struct doctor *d)
{
    for (uint32_t i = 0; i < d->count; i++) {
        const struct doctor_row *r = &d->row[i];
        if (cli->quiet && r->verdict != DOCTOR_FAIL)
            continue;
        printf("%s%-4s%s  %-10s %s\n", cli->color ? colors[r->verdict] : "", words[r->verdict],
               cli->color ? "\033[0m" : "", r->name, r->text);
        if (r->advice[0] != 0)
            printf("%17s-> %s\n", "", r->advice);
    }
}

int cmd_DOCTOR(const struct cli *cli)
{
    static struct doctor d;
    d = (struct doctor){.cli = cli};
    for (uint32_t i = 0; i < CHECKS; i++)
        checks[i](&d);
    uint32_t fail = count_of(&d, DOCTOR_FAIL), warn = count_of(&d, DOCTOR_WARN);
    int exit = fail > 0 ? 1 : 0;
    if (cli->json) {
        int rc = cli_json(cli, json_pack("{s:s, s:b, s:i, s:i, s:o}", "schema", "tenon.doctor.v1",
                                         "ok", (int)(fail == 0), "failed", (int)fail, "warned",
                                         (int)warn, "rows", rows_json(&d)));
        return rc != 0 ? rc : exit;
    }
    print_rows(cli, &d);
    if (!cli->quiet)
        printf("%u checks: %u failed, %u to look at\n", d.count, fail, warn);
    return cli_done(cli, exit);
}
