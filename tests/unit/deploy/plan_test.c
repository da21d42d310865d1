/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: the plan says what an operator acts on: which way risk moves, what becomes of what is held,
 * who has to sign, and what is not known. Method: the signed fixture is edited; the parts of the
 * text are compared as a whole for each case, and the JSON is read back and compared with it. The
 * texts of real runs are in tests/scenario/plan_golden_test.py.
 */
#include <jansson.h>
#include "deploy/plan.h"
#include "tests/unit/deploy/live.h"

#define NO_TWIN                                                                                    \
    "  - {strategy: twin, instrument: SHARE, account: paper, env: paper, budget: 1000}\n", ""

static struct trust people(void)
{
    struct trust t = {.version = 1,
                      .host = "lab",
                      .need_root = 1,
                      .need_author = 1,
                      .need_operator = 1,
                      .need_risk = 1,
                      .need_request = 2,
                      .people_count = 3,
                      .key_count = 3};
    strcpy(t.person[0].name, "ana");
    strcpy(t.person[1].name, "bo");
    strcpy(t.person[2].name, "eve");
    t.person[0].roles = TRUST_AUTHOR | TRUST_OPERATOR;
    t.person[1].roles = TRUST_OPERATOR | TRUST_RISK | TRUST_ROOT;
    t.person[2].roles = TRUST_RISK;
    t.key[1].person = 1;
    t.key[2].person = 2;
    return t;
}

/* The plan's text; the caller frees. */
static char *print(const struct plan_input *p)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *f = open_memstream(&text, &bytes);
    assert_non_null(f);
    plan_print(f, p);
    assert_int_equal(fclose(f), 0);
    return text;
}

static json_t *read_json(const struct plan_input *p)
{
    char *text = NULL;
    size_t bytes = 0;
    json_error_t error;
    FILE *f = open_memstream(&text, &bytes);
    assert_non_null(f);
    plan_json(f, p);
    assert_int_equal(fclose(f), 0);
    json_t *o = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (o == NULL)
        fail_msg("%s at %d: %s", error.text, error.position, text);
    assert_int_equal(text[bytes - 1], '\n');
    assert_null(memchr(text, '\n', bytes - 1));
    free(text);
    return o;
}

/* Every run of blanks and line ends as one blank: where lines are wrapped is no matter here. */
static void flatten(char *text)
{
    char *to = text;
    for (const char *from = text; *from != 0; from++) {
        bool blank = *from == ' ' || *from == '\n';
        if (blank && (to == text || to[-1] == ' '))
            continue;
        *to++ = blank ? ' ' : *from;
    }
    while (to > text && to[-1] == ' ')
        to--;
    *to = 0;
}

/* What stands under a label, to the next one. */
static void part_is(const struct plan_input *p, const char *label, const char *wanted)
{
    char *text = print(p), *from = strstr(text, label), *to;
    assert_non_null(from);
    from += strlen(label);
    for (to = from; *to != 0 && !(to[-1] == '\n' && *to != ' '); to++)
        ;
    *to = 0;
    flatten(from);
    assert_string_equal(from, wanted);
    free(text);
}

static struct plan_input input_of(const struct live *l)
{
    return (struct plan_input){
        .now = &l->was, .next = &l->is, .next_path = "next.yaml", .change = &l->change};
}

static const struct plan_owned owned[] = {{"cross", 1, 1, 1}, {"hold", 0, 0, 0}, {"twin", 2, 1, 1}};

static void plan_need_is_by_what_changes(void **state)
{
    (void)state;
    static const struct {
        struct live_edit edit[2];
        struct trust_need need;
    } row[] = {{{{"max_open_orders: 20", "max_open_orders: 5"}}, {.operator= 1 } },
                {{{"{period: 12}", "{period: 9}"}}, {.author = 1, .operator= 1 } },
                 {{{"max_open_orders: 20", "max_open_orders: 25"}}, {.author = 1, .risk = 1}},
                 {{{"seed: 7", "seed: 7"}},
                  {
                      .author = 1, .operator= 1 } }, /* nothing differs */
                 };
    struct trust t = people();
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        const struct live_edit edit[] = {row[i].edit[0], {NULL, NULL}};
        struct live *l = live_new(edit);
        struct trust_need n = plan_need(&t, &l->change);
        assert_memory_equal(&n, &row[i].need, sizeof(n));
        free(l);
    }
}

#define NO_BUILD "No strategy gets another build; what changes holds from one event on. "
#define STAYS "What strategies own stays with them, nothing is cancelled or closed: "

static void plan_says_what_becomes_of_what_leaves(void **state)
{
    (void)state;
    static const struct {
        struct live_edit edit[3];
        bool is_known;
        const char *effect;
    } row[] = {
        {{{NO_TWIN}},
         true,
         NO_BUILD STAYS "1 order, 1 stop and 1 position. twin loses its route but owns 2 orders, 1 "
                        "stop and 1 position: this will be refused. Add on_remove: {twin: flatten} "
                        "to the file (or hand_to: another strategy), or close it first."},
        {{{NO_TWIN}, {"seed: 7", "seed: 7\non_remove: {twin: flatten}"}},
         true,
         NO_BUILD STAYS "1 order, 1 stop and 1 position. twin loses its route: its orders are "
                        "cancelled and its position is closed (2 orders, 1 stop and 1 position)."},
        {{{NO_TWIN}, {"seed: 7", "seed: 7\non_remove: {twin: {hand_to: hold}}"}},
         true,
         NO_BUILD STAYS "1 order, 1 stop and 1 position. twin loses its route: what it owns (2 "
                        "orders, 1 stop and 1 position) passes to hold."},
        {{{NO_TWIN}},
         false,
         NO_BUILD "What strategies own is not known here (no journal was read); whatever it is "
                  "stays with them. twin loses its route; if it owns anything then, this is "
                  "refused: see on_remove."},
        {{{NO_TWIN}, {"seed: 7", "seed: 7\non_remove: {twin: flatten}"}},
         false,
         NO_BUILD
         "What strategies own is not known here (no journal was read); whatever it is "
         "stays with them. twin loses its route: its orders are cancelled and its position "
         "is closed (not known here)."},
        {{{"  - {strategy: hold, instrument: SHARE, account: paper, env: paper, budget: 1500.5}\n",
           ""},
          {"  by_strategy:\n    hold: {max_position_qty: 50, price_collar_pct: 1}\n", ""}},
         true,
         NO_BUILD STAYS "3 orders, 2 stops and 2 positions. hold loses its route; it owns nothing "
                        "now. If it does by then, this is refused."},
    };
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct live_edit edit[4] = {{NULL, NULL}};
        memcpy(edit, row[i].edit, sizeof(row[i].edit));
        struct live *l = live_new(edit);
        struct plan_input in = input_of(l);
        in.owned = row[i].is_known ? owned : NULL;
        in.owned_count = row[i].is_known ? 3 : 0;
        part_is(&in, "Effect:", row[i].effect);
        free(l);
    }
}

static void plan_says_how_builds_get_warm(void **state)
{
    (void)state;
    static const struct live_edit edit[] = {{"{period: 12}", "{period: 9}"}, {NULL, NULL}};
    static const struct {
        struct plan_warmup w;
        const char *words;
    } row[] = {
        {{"cross", 52, 4000, PLAN_REPLAY},
         "cross: needs 52 bars of history, 4000 are in the journal."},
        {{"cross", 5000, 4000, PLAN_REPLAY},
         "cross: needs 5000 bars of history, only 4000 are in the journal: refused before 1000 "
         "more."},
        {{"cross", 0, 0, PLAN_STATE},
         "cross: takes over the state of the running build, then hears the stream."},
        {{"cross", 0, 0, PLAN_COLD},
         "cross: starts without history, so it takes over only while it owns nothing."},
        {{"other", 1, 1, PLAN_REPLAY}, "cross: not known here, its plugins could not be read."},
    };
    struct live *l = live_new(edit);
    struct plan_input in = input_of(l);
    part_is(&in, "Warm-up:", row[4].words);
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        in.warmup = &row[i].w;
        in.warmup_count = 1;
        part_is(&in, "Warm-up:", row[i].words);
    }
    free(l);
    static const struct live_edit limits[] = {{"max_open_orders: 20", "max_open_orders: 5"},
                                              {NULL, NULL}};
    l = live_new(limits);
    in = input_of(l);
    part_is(&in, "Warm-up:", "none is needed.");
    free(l);
}

static void plan_says_who_has_to_sign(void **state)
{
    (void)state;
    static const struct live_edit raise[] = {{"max_open_orders: 20", "max_open_orders: 25"},
                                             {NULL, NULL}};
    static const struct live_edit tighten[] = {{"max_open_orders: 20", "max_open_orders: 5"},
                                               {NULL, NULL}};
    struct trust t = people();
    struct trust_signed sign[2] = {{.person = 0, .role = TRUST_AUTHOR},
                                   {.person = 2, .role = TRUST_RISK}};
    struct live *l = live_new(raise);
    struct plan_input in = input_of(l);
    part_is(&in, "Approvals:",
            "author and risk, since it raises risk; how many of each is in the trust document, "
            "which is not known here.");
    in.trust = &t;
    in.sign = sign;
    part_is(&in, "Approvals:",
            "author 1, risk 1, all different people, since it raises risk. Nobody has signed; "
            "missing: author 1 (ana), risk 1 (bo or eve).");
    part_is(&in, "Next:",
            "tenon config sign next.yaml --role ROLE (each person) tenon config promote next.yaml");
    in.sign_count = 1;
    part_is(&in, "Approvals:",
            "author 1, risk 1, all different people, since it raises risk. Some have signed; "
            "missing: risk 1 (bo or eve).");
    in.sign_count = 2;
    part_is(&in, "Approvals:",
            "author 1, risk 1, all different people, since it raises risk. All of them have "
            "signed.");
    part_is(&in, "Next:", "tenon config promote next.yaml");
    in.is_draft = true;
    part_is(&in, "Next:",
            "tenon config plan next.yaml --out PROPOSAL which fills in serial, parent, times and "
            "pins; that file is signed.");
    free(l);
    l = live_new(tighten);
    in = input_of(l);
    in.trust = &t;
    in.sign = sign;
    part_is(&in, "Approvals:",
            "operator 1, since it only tightens. Nobody has signed; missing: operator 1 (ana or "
            "bo).");
    free(l);
}

static void plan_of_the_first_one_and_of_nothing(void **state)
{
    (void)state;
    static const struct live_edit none[] = {{NULL, NULL}};
    struct trail tr = {0};
    struct live *l = live_new(none);
    struct plan_input in = input_of(l);
    char *text = print(&in);
    assert_non_null(strstr(text, "\n  (nothing but the head differs)\n"));
    free(text);
    assert_true(is_ok(change_find(NULL, &l->is, &l->change, &tr)));
    in.now = NULL;
    part_is(&in, "Effect:", "The host starts trading with 3 strategies: cross, hold, twin.");
    part_is(&in, "Warm-up:", "from the live stream: there is no history yet.");
    part_is(&in, "Plan for", "next.yaml: serial 2 for host lab, the first one of this host.");
    part_is(&in, "It may", "be promoted from 2026-11-20T13:00:00Z to 2026-11-21T13:00:00Z.");
    free(l);
}

static int64_t number(json_t *o, const char *object, const char *name)
{
    json_t *in = object != NULL ? json_object_get(o, object) : o;
    assert_true(json_is_integer(json_object_get(in, name)));
    return json_integer_value(json_object_get(in, name));
}

static void plan_json_says_the_same(void **state)
{
    (void)state;
    static const struct live_edit edit[] = {
        {NO_TWIN},
        {"seed: 7", "seed: 7\non_remove: {twin: {hand_to: hold}}"},
        {"{period: 12}", "{period: 9}"},
        {"max_open_orders: 20", "max_open_orders: 25"},
        {"    plugin: holder\n", "    plugin: holder\n    path: '/a\"b\\c'\n"},
        {NULL, NULL}};
    static const struct plan_warmup w = {"cross", 52, 4000, PLAN_REPLAY};
    struct trust t = people();
    struct live *l = live_new(edit);
    struct plan_input in = input_of(l);
    in.next_path = "a \"b\" \\c.yaml";
    json_t *o = read_json(&in);
    assert_true(json_is_null(json_object_get(o, "kept")));
    assert_true(json_is_null(json_object_get(o, "approvals")));
    json_decref(o);
    in.owned = owned;
    in.owned_count = 3;
    in.warmup = &w;
    in.warmup_count = 1;
    in.trust = &t;
    o = read_json(&in);
    assert_string_equal(json_string_value(json_object_get(o, "schema")), "tenon.plan.v1");
    assert_string_equal(json_string_value(json_object_get(o, "file")), "a \"b\" \\c.yaml");
    assert_true(json_is_true(json_object_get(o, "raises_risk")));
    assert_int_equal(json_array_size(json_object_get(o, "changes")), l->change.row_count);
    json_t *first = json_array_get(json_object_get(o, "changes"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "path")),
                        "instances.fast.params.period");
    assert_string_equal(json_string_value(json_object_get(first, "kind")), "PARAMS");
    assert_int_equal(number(o, "kept", "orders"), 1);
    json_t *swap = json_array_get(json_object_get(o, "swaps"), 0);
    assert_int_equal(number(swap, NULL, "need"), 52);
    assert_int_equal(number(swap, NULL, "have"), 4000);
    json_t *leaving = json_array_get(json_object_get(o, "leaving"), 0);
    assert_string_equal(json_string_value(json_object_get(leaving, "to")), "hold");
    assert_int_equal(number(leaving, "owns", "orders"), 2);
    assert_int_equal(number(o, "approvals", "risk"), 1);
    assert_true(json_is_false(json_object_get(json_object_get(o, "approvals"), "enough")));
    json_decref(o);
    free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan_need_is_by_what_changes),
        cmocka_unit_test(plan_says_what_becomes_of_what_leaves),
        cmocka_unit_test(plan_says_how_builds_get_warm),
        cmocka_unit_test(plan_says_who_has_to_sign),
        cmocka_unit_test(plan_of_the_first_one_and_of_nothing),
        cmocka_unit_test(plan_json_says_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
