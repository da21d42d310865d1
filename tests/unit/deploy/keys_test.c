/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: the parser's table of keys, the JSON schema for other tools and the commented reference
 * cannot drift apart. Method: the schema is walked with a small reader; each section's properties
 * and required keys are compared with the table both ways; each key is looked for in the
 * reference; each settable limit's bounds are compared with the schema's words.
 */
#include "base/clock.h"
#include "deploy/cfg.h"
#include "tests/unit/deploy/document.h"

/* Sections of deployments and instruments files; those of trust and request files come after. */
#define DEPLOYMENT_END CFG_IN_TRUST

#define SCHEMA TENON_SOURCE_DIR "/plugin-api/schema/deployment.schema.json"
#define TRUST_SCHEMA TENON_SOURCE_DIR "/plugin-api/schema/trust.schema.json"

static const char *blank(const char *p)
{
    return p + strspn(p, " \n");
}

/* Past one JSON value. */
static const char *past(const char *p)
{
    int depth = 0;
    p = blank(p);
    do {
        if (*p == '"') {
            for (p++; *p != '"'; p++) {
                assert_int_not_equal(*p, 0);
                p += *p == '\\';
            }
            p++;
        } else if (*p == '{' || *p == '[') {
            depth++;
            p++;
        } else if (*p == '}' || *p == ']') {
            depth--;
            p++;
        } else {
            p += depth > 0 ? 1 : strcspn(p, ",}] \n");
        }
        assert_int_not_equal(*p, 0);
    } while (depth > 0);
    return p;
}

/* The i-th member of an object or item of a list: its name (empty in a list) and value. */
static const char *member(const char *in, size_t i, char name[64])
{
    const char *p = blank(in) + 1;
    bool list = *blank(in) == '[';
    assert_true(list || *blank(in) == '{');
    for (size_t at = 0;; at++) {
        p = blank(p);
        if (*p == '}' || *p == ']')
            return NULL;
        name[0] = 0;
        if (!list) {
            const char *end = strchr(p + 1, '"');
            assert_true(*p == '"' && end - p < 64);
            memcpy(name, p + 1, (size_t)(end - p - 1));
            name[end - p - 1] = 0;
            p = blank(end + 1);
            assert_int_equal(*p, ':');
            p = blank(p + 1);
        }
        if (at == i)
            return p;
        p = blank(past(p));
        p += *p == ',';
    }
}

static const char *find(const char *object, const char *name)
{
    char is[64];
    const char *v;
    for (size_t i = 0; (v = member(object, i, is)) != NULL; i++)
        if (strcmp(is, name) == 0)
            return v;
    fail_msg("the schema has no %s", name);
    return NULL;
}

static bool lists(const char *list, const char *name)
{
    char none[64], quoted[80];
    const char *v;
    snprintf(quoted, sizeof(quoted), "\"%s\"", name);
    for (size_t i = 0; (v = member(list, i, none)) != NULL; i++)
        if (strncmp(v, quoted, strlen(quoted)) == 0)
            return true;
    return false;
}

static void compare(const char *path, enum cfg_section from, enum cfg_section end)
{
    char *schema = document_slurp(path, NULL);
    const char *defs = find(schema, "$defs");
    for (enum cfg_section s = from; s < end; s++) {
        const char *const *names;
        const uint8_t *required;
        char is[64];
        size_t count = cfg_section_keys(s, &names, &required), known = 0;
        const char *section = find(defs, cfg_section_name(s));
        const char *properties = find(section, "properties"), *v;
        for (size_t i = 0; i < count; i++) {
            find(properties, names[i]);
            if (lists(find(section, "required"), names[i]) != (required[i] != 0))
                fail_msg("%s.%s is required in one and not in the other", cfg_section_name(s),
                         names[i]);
        }
        while ((v = member(properties, known, is)) != NULL)
            known++;
        assert_int_equal(known, count);
        assert_int_equal(strncmp(find(section, "additionalProperties"), "false", 5), 0);
    }
    free(schema);
}

static void keys_of_the_schema_are_the_keys_of_the_parser(void **state)
{
    (void)state;
    compare(SCHEMA, 1, DEPLOYMENT_END);
}

static void keys_of_the_trust_schema_are_the_keys_of_the_parser(void **state)
{
    (void)state;
    compare(TRUST_SCHEMA, DEPLOYMENT_END, CFG_SECTION_END);
}

static void keys_of_the_reference_are_all_of_them(void **state)
{
    (void)state;
    char *text = document_slurp(TENON_SOURCE_DIR "/configs/reference.yaml", NULL);
    for (enum cfg_section s = 1; s < DEPLOYMENT_END; s++) {
        const char *const *names;
        size_t count = cfg_section_keys(s, &names, NULL);
        for (size_t i = 0; i < count; i++) {
            char form[80];
            snprintf(form, sizeof(form), "%s:", names[i]);
            const char *at = strstr(text, form);
            while (at != NULL && at != text && strchr(" \n{", at[-1]) == NULL)
                at = strstr(at + 1, form);
            if (at == NULL)
                fail_msg("configs/reference.yaml does not show %s", names[i]);
        }
    }
    free(text);
}

/* Each key says what its value looks like, once; limits say it in their own table. */
static void keys_of_deployments_have_a_form_and_a_readable_default(void **state)
{
    (void)state;
    for (enum cfg_section s = 1; s < DEPLOYMENT_END; s++) {
        const char *const *names;
        size_t count = cfg_section_keys(s, &names, NULL);
        for (size_t i = 0; i < count && s != CFG_IN_LIMIT; i++) {
            struct cfg_row row;
            int64_t ns = 0;
            if (!cfg_row(s, names[i], &row))
                fail_msg("%s.%s has no row in CFG_FORMS", cfg_section_name(s), names[i]);
            assert_true(row.text[0] != 0 && row.example[0] != 0);
            assert_false(row.is_required && row.def[0] != 0);
            if (row.is != CFG_IS_DURATION)
                continue;
            assert_true(is_ok(clock_parse_duration(row.min, strlen(row.min), &ns)));
            assert_true(is_ok(clock_parse_duration(row.max, strlen(row.max), &ns)));
            assert_true(row.def[0] == 0 ||
                        is_ok(clock_parse_duration(row.def, strlen(row.def), &ns)));
        }
    }
    struct cfg_row row;
    int64_t ns = 0;
    assert_true(cfg_row(CFG_IN_SWAP, "hear", &row));
    assert_true(is_ok(clock_parse_duration(row.def, strlen(row.def), &ns)));
    assert_int_equal(ns, DEPLOY_HEAR_NS);
    assert_true(cfg_row(CFG_IN_SWAP, "probation", &row));
    assert_true(is_ok(clock_parse_duration(row.def, strlen(row.def), &ns)));
    assert_int_equal(ns, DEPLOY_PROBATION_NS);
    assert_true(cfg_row(CFG_IN_SWAP, "denials", &row));
    assert_int_equal(atoi(row.def), DEPLOY_DENIALS);
    assert_int_equal(atoi(row.max), DEPLOY_DENIALS_OF);
}

static void keys_of_limits_cover_every_rule_without_a_default(void **state)
{
    (void)state;
    static const uint32_t settable[] = {
#define X(key, rule, exp, min, max, unit) RISK_##rule,
        CFG_LIMITS(X)
#undef X
    };
    static const int64_t def[RISK_RULE_END] = {
#define X(id, name, code, unit, may_cut, closes, d, source, text) [id] = (d),
        RISK_RULES(X)
#undef X
    };
    const char *const *names;
    assert_int_equal(cfg_section_keys(CFG_IN_LIMIT, &names, NULL),
                     sizeof(settable) / sizeof(settable[0]));
    for (uint32_t rule = 1; rule < RISK_RULE_END; rule++) {
        bool has_key = false;
        for (size_t i = 0; i < sizeof(settable) / sizeof(settable[0]); i++)
            has_key |= settable[i] == rule;
        if (def[rule] == RISK_NO_DEFAULT)
            assert_true(has_key);
    }
}

static void keys_of_limits_state_their_bounds_in_the_schema(void **state)
{
    (void)state;
    static const struct {
        const char *key, *min, *max;
    } limit[] = {
#define X(key, rule, exp, min, max, unit) {#key, min, max},
        CFG_LIMITS(X)
#undef X
    };
    char *schema = document_slurp(SCHEMA, NULL);
    const char *all = find(find(find(schema, "$defs"), "limit"), "properties");
    for (size_t i = 0; i < sizeof(limit) / sizeof(limit[0]); i++) {
        const char *from = find(all, limit[i].key), *end = past(from);
        char words[64];
        if (limit[i].min[0] == 0)
            continue; /* above zero: the schema's type says so */
        snprintf(words, sizeof(words), "%s to %s", limit[i].min, limit[i].max);
        const char *at = strstr(from, words);
        bool said = at != NULL && at < end;
        snprintf(words, sizeof(words), "\"minimum\": %s", limit[i].min);
        at = strstr(from, words);
        said |= at != NULL && at < end;
        if (!said)
            fail_msg("the schema does not say %s to %s for %s", limit[i].min, limit[i].max,
                     limit[i].key);
    }
    free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_the_schema_are_the_keys_of_the_parser),
        cmocka_unit_test(keys_of_the_trust_schema_are_the_keys_of_the_parser),
        cmocka_unit_test(keys_of_the_reference_are_all_of_them),
        cmocka_unit_test(keys_of_deployments_have_a_form_and_a_readable_default),
        cmocka_unit_test(keys_of_limits_cover_every_rule_without_a_default),
        cmocka_unit_test(keys_of_limits_state_their_bounds_in_the_schema),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
