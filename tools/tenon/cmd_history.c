/* SPDX-License-Identifier: Apache-2.0
 *
 * config history: every deployment that a journal has seen, oldest first, refused ones too: who
 * signed it, since which event it was active, what its flip took and carried over, and why it
 * ended. Of refused ones that never were active only the newest are shown, and the rest is counted:
 * a journal may hold any number of them. All of it is in the journal, so it is read from there and
 * a running host is not asked; the journal is opened read-only, beside the host.
 *
 * One block of lines per deployment, because sentences and signers do not fit columns.
 */
#include <inttypes.h>
#include <string.h>
#include "base/clock.h"
#include "base/must.h"
#include "flow/registry.h"
#include "gateway/status.h"
#include "tools/tenon/cli.h"

enum { COLUMNS = 100, INDENT = 12 };

static void hex_of(const uint8_t *bytes, size_t count, char *out)
{
    for (size_t i = 0; i < count; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static const char *role_name(uint32_t role)
{
    switch (role) {
#define X(NAME, name, bit, text)                                                                   \
    case bit:                                                                                      \
        return #name;
        TRUST_ROLES(X)
#undef X
    default:
        return "?";
    }
}

/* 812 ns, 12.300 us, 1.250 ms: what a flip took. */
static void print_pause(int64_t ns, char out[32])
{
    if (ns < 1000)
        snprintf(out, 32, "%" PRId64 " ns", ns);
    else if (ns < 1000000)
        snprintf(out, 32, "%" PRId64 ".%03" PRId64 " us", ns / 1000, ns % 1000);
    else
        snprintf(out, 32, "%" PRId64 ".%03" PRId64 " ms", ns / 1000000, ns / 1000 % 1000);
}

/* Why it is in the state it is in; "" when there is nothing to say but the way it came. */
static const char *why_of(const struct registry_entry *e)
{
    if (e->last.text[0] != '\0')
        return e->last.text;
    if (e->state == PROMOTION_REFUSED || e->state == PROMOTION_ROLLED_BACK)
        return promotion_why_text(e->last.why);
    return "";
}

/* ---- for people ---- */

/* One labelled text, broken at blanks so that the block fits the page. */
static void print_wrapped(const char *label, const char *text)
{
    size_t room = COLUMNS - INDENT, left = strlen(text);
    printf("  %-*s", INDENT - 2, label);
    while (left > room) {
        size_t cut = room;
        while (cut > 0 && text[cut] != ' ')
            cut--;
        if (cut == 0)
            cut = room;
        printf("%.*s\n%*s", (int)cut, text, INDENT, "");
        cut += text[cut] == ' ';
        text += cut;
        left -= cut;
    }
    printf("%s\n", text);
}

static void print_signers(const struct registry_entry *e)
{
    char text[REGISTRY_SIGNATURES_MAX * (FACT_NAME_BYTES + 48)] = "";
    size_t used = 0;
    for (uint32_t i = 0; i < e->signature_count; i++) {
        const struct fact_signature *s = &e->signature[i].fact;
        char id[SIGN_ID_TEXT];
        sign_id_text(s->key_id, id);
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%.*s (%s, key %s)",
                                 i > 0 ? ", " : "", (int)sizeof s->person, s->person,
                                 role_name(s->role), id);
        must(used < sizeof text);
    }
    if (e->signature_count > 0)
        print_wrapped("signed", text);
    else if (e->rollback_of != 0)
        print_wrapped("signed", "by nobody: derived by the host from what was signed before");
    else
        print_wrapped("signed", "by nobody");
}

static const char *plural(uint32_t count)
{
    return count == 1 ? "" : "s";
}

static void print_flip(const struct registry_entry *e)
{
    char text[256], pause[32];
    if (e->flip.flip_seq == 0) {
        print_wrapped("active", "never");
        return;
    }
    if (e->flip.to == PROMOTION_UNSET) {
        snprintf(text, sizeof text, "since event %" PRIu64, e->flip.flip_seq);
    } else {
        print_pause(e->flip.pause_ns, pause);
        snprintf(text, sizeof text,
                 "since event %" PRIu64 ", pause %s, %u swapped; carried over %u order%s, "
                 "%u position%s, %u stop%s",
                 e->flip.flip_seq, pause, e->flip.swaps, e->flip.orders, plural(e->flip.orders),
                 e->flip.positions, plural(e->flip.positions), e->flip.stops,
                 plural(e->flip.stops));
    }
    print_wrapped("active", text);
}

static void print_entry(const struct cli *cli, const struct registry_entry *e, bool is_active)
{
    char sha256[2 * FACT_HASH_BYTES + 1], first[STATUS_TIME_BYTES], last[STATUS_TIME_BYTES];
    char text[256];
    hex_of(e->sha256, sizeof e->sha256, sha256);
    status_time(e->first_ns, cli->utc, first);
    status_time(e->last_ns != 0 ? e->last_ns : e->first_ns, cli->utc, last);
    if (e->serial == 0 && e->flip.flip_seq == 0)
        snprintf(text, sizeof text, "not read"); /* refused before its serial was known */
    else
        snprintf(text, sizeof text, "%" PRIu64, e->serial);
    printf("serial %s  %s%s%s%.*s\n", text, promotion_state_name(e->state),
           is_active ? " (the active one)" : "", e->name[0] != 0 ? "  " : "", (int)sizeof e->name,
           e->name);
    print_wrapped("sha256", sha256);
    snprintf(text, sizeof text, "event %" PRIu64 " (%s)%s%.*s", e->first_seq, first,
             e->last.by[0] != '\0' ? ", by " : "", (int)sizeof e->last.by, e->last.by);
    print_wrapped("handed in", text);
    print_signers(e);
    print_flip(e);
    if (e->last_seq != 0) {
        snprintf(text, sizeof text, "event %" PRIu64 " (%s): %s", e->last_seq, last,
                 promotion_state_text(e->state));
        print_wrapped("newest", text);
    }
    if (e->rollback_of != 0) {
        snprintf(text, sizeof text, "a rollback of serial %" PRIu64, e->rollback_of);
        print_wrapped("what", text);
    }
    if (why_of(e)[0] != '\0')
        print_wrapped("why", why_of(e));
}

static void print_all(const struct cli *cli, const struct registry *r)
{
    uint8_t sha256[FACT_HASH_BYTES];
    uint64_t version = 0;
    if (registry_trust(r, sha256, &version))
        printf("trust document version %" PRIu64 "%s\n\n", version,
               registry_is_throwaway(r) ? ", throwaway keys: for simulated accounts only" : "");
    if (registry_dropped(r) > 0)
        printf("%" PRIu64 " older refused one%s not shown; tenon journal cat has them\n\n",
               registry_dropped(r), registry_dropped(r) == 1 ? " is" : "s are");
    for (uint32_t i = 0; i < registry_count(r); i++) {
        const struct registry_entry *e = registry_entry(r, i);
        printf("%s", i > 0 ? "\n" : "");
        print_entry(cli, e, e == registry_active(r));
    }
    if (registry_count(r) == 0)
        printf("no deployment was ever handed to this journal's host\n");
}

/* ---- for programs ---- */

static json_t *signatures_json(const struct registry_entry *e)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < e->signature_count; i++) {
        const struct fact_signature *s = &e->signature[i].fact;
        char id[SIGN_ID_TEXT];
        sign_id_text(s->key_id, id);
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s, s:I, s:s}", "person", s->person, "role",
                                        role_name(s->role), "key", id, "seq",
                                        (json_int_t)e->signature[i].seq, "comment", s->comment));
    }
    return list;
}

static json_t *flip_json(const struct registry_entry *e)
{
    if (e->flip.flip_seq == 0)
        return json_null();
    return json_pack("{s:I, s:I, s:i, s:i, s:i, s:i}", "seq", (json_int_t)e->flip.flip_seq,
                     "pause_ns", (json_int_t)e->flip.pause_ns, "swaps", (int)e->flip.swaps,
                     "orders", (int)e->flip.orders, "positions", (int)e->flip.positions, "stops",
                     (int)e->flip.stops);
}

static json_t *entry_json(const struct registry_entry *e, bool is_active)
{
    char sha256[2 * FACT_HASH_BYTES + 1];
    hex_of(e->sha256, sizeof e->sha256, sha256);
    return json_pack(
        "{s:I, s:s, s:s, s:s, s:b, s:I, s:I, s:I, s:I, s:s, s:o, s:o, s:o, s:s, s:s, s:s}",
        "serial", (json_int_t)e->serial, "sha256", sha256, "name", e->name, "state",
        promotion_state_name(e->state), "active", (int)is_active, "first_seq",
        (json_int_t)e->first_seq, "first_ns", (json_int_t)e->first_ns, "last_seq",
        (json_int_t)e->last_seq, "last_ns", (json_int_t)e->last_ns, "by", e->last.by, "signatures",
        signatures_json(e), "flip", flip_json(e), "rollback_of",
        e->rollback_of != 0 ? json_integer((json_int_t)e->rollback_of) : json_null(), "result",
        result_name((struct result){e->last.result}), "why",
        e->last.why != 0 ? promotion_why_text(e->last.why) : "", "text", e->last.text);
}

static json_t *all_json(const struct registry *r)
{
    uint8_t trust[FACT_HASH_BYTES];
    char sha256[2 * FACT_HASH_BYTES + 1];
    uint64_t version = 0;
    json_t *list = json_array(), *document = json_null();
    for (uint32_t i = 0; i < registry_count(r); i++) {
        const struct registry_entry *e = registry_entry(r, i);
        if (json_array_append_new(list, entry_json(e, e == registry_active(r))) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    if (registry_trust(r, trust, &version)) {
        hex_of(trust, sizeof trust, sha256);
        document = json_pack("{s:I, s:s, s:b}", "version", (json_int_t)version, "sha256", sha256,
                             "throwaway_keys", (int)registry_is_throwaway(r));
    }
    return json_pack("{s:s, s:o, s:I, s:o}", "schema", "tenon.history.v1", "trust", document,
                     "refused_not_shown", (json_int_t)registry_dropped(r), "deployments", list);
}

int cmd_CONFIG_HISTORY(const struct cli *cli)
{
    char dir[PATHS_BYTES];
    struct trail tr = {0};
    struct result rc = cli_journal_dir(cli, dir, &tr);
    struct registry *r = registry_new();
    if (is_ok(rc))
        rc = registry_read_dir(r, dir, &tr);
    int exit = 0;
    if (!is_ok(rc)) {
        exit = cli_fail(cli, rc, &tr);
    } else if (cli->json) {
        exit = cli_json(cli, all_json(r));
    } else {
        print_all(cli, r);
        exit = cli_done(cli, 0);
    }
    registry_free(r);
    return exit;
}
