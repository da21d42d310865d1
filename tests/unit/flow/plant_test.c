/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: a deployment's instances become bays exactly as bound, and whatever does not fit together
 * is refused whole, with the line, the instance and what to do. Method: one good document, changed
 * in one place; the real plugins.
 */
#include "tests/unit/flow/flow_rig.h"
#include "base/hash.h"

#define CROSS(version, inputs)                                                                     \
    "  cross:\n    plugin: ema_cross\n    version: " version                                       \
    "\n    instrument: COIN\n    bar: 1m\n"                                                        \
    "    params: {stop_ppm: 0}\n    inputs: " inputs "\n"
#define GOOD_INPUTS "{fast: fast.value, slow: slow.value}"

static struct flow_rig *rig_of(const char *instances)
{
    const struct rig_config c = {.instances = instances};
    return rig_new(&c, 1);
}

static struct result open_plant(struct flow_rig *r, struct plant *p)
{
    const struct plant_options o = {.doc = &r->doc, .plugin_dir = TENON_PLUGIN_DIR};
    return plant_open(&o, p, &r->tr);
}

static void assert_refused(struct flow_rig *r, int32_t code, const char *const words[])
{
    struct plant p;
    struct result x = open_plant(r, &p);
    assert_int_equal(x.code, code);
    const char *sentence = trail_sentence(&r->tr, x);
    for (uint32_t i = 0; words[i] != NULL; i++) {
        if (strstr(sentence, words[i]) == NULL)
            fail_msg("'%s' is not in: %s", words[i], sentence);
    }
    assert_null(p.belief);
    assert_int_equal(p.bay_count, 0);
    rig_free(r);
}

#define REFUSED(code, instances, ...)                                                              \
    assert_refused(rig_of(instances), code, (const char *const[]){__VA_ARGS__, NULL})

static void plant_good_document_becomes_one_bay(void **state)
{
    (void)state;
    struct flow_rig *r = rig_of(RIG_INSTANCES CROSS("1.0.0", GOOD_INPUTS));
    struct plant p;
    RIG_OK(r, open_plant(r, &p));
    assert_int_equal(p.bay_count, 1);
    assert_int_equal(belief_count(p.belief), 1);
    assert_int_equal(p.instance_count, 3);
    assert_int_equal(p.instance[0].kind, TN_KIND_INDICATOR);
    assert_int_equal(p.instance[2].kind, TN_KIND_STRATEGY);
    assert_memory_equal(p.instance[0].sha256, p.instance[1].sha256, FACT_HASH_BYTES);
    assert_true(p.instance[0].params_hash != p.instance[1].params_hash);
    assert_int_equal(p.input_count, 2);
    assert_int_equal(p.input[0].instance, 3);
    assert_int_equal(p.input[0].source, 1);
    assert_int_equal(p.input[1].source, 2);
    assert_string_equal(p.input[1].name, "slow");
    assert_int_equal(belief_warmup(p.belief) > 0, 1);
    plant_close(&p);
    rig_free(r);
}

static void plant_inputs_in_another_order_are_bound_by_name(void **state)
{
    (void)state;
    struct flow_rig *r =
        rig_of(RIG_INSTANCES CROSS("1.0.0", "{slow: slow.value, fast: fast.value}"));
    struct plant p;
    RIG_OK(r, open_plant(r, &p));
    assert_string_equal(p.input[0].name, "fast");
    assert_int_equal(p.input[0].source, 1);
    plant_close(&p);
    rig_free(r);
}

static void plant_unbound_input_is_refused(void **state)
{
    (void)state;
    REFUSED(RESULT_CONFIG,
            RIG_INSTANCES "  cross:\n    plugin: ema_cross\n    version: 1.0.0\n"
                          "    instrument: COIN\n    bar: 1m\n    inputs: {fast: fast.value}\n"
                          "  other:\n    plugin: ema_cross\n    version: 1.0.0\n"
                          "    instrument: COIN\n    bar: 1m\n    inputs: " GOOD_INPUTS "\n",
            "lab.yaml:", "instance cross", "input slow of ema_cross is not bound",
            "instance.output");
}

static void plant_unknown_names_are_refused(void **state)
{
    (void)state;
    REFUSED(RESULT_CONFIG, RIG_INSTANCES CROSS("1.0.0", "{fast: fast.velue, slow: slow.value}"),
            "lab.yaml:", "cross.inputs.fast", "ema has no output velue", "value");
    REFUSED(RESULT_CONFIG,
            RIG_INSTANCES CROSS("1.0.0", "{fast: fast.value, slow: slow.value, mid: fast.value}"),
            "instance cross", "ema_cross 1.0.0 has no input mid");
    REFUSED(RESULT_CONFIG,
            RIG_INSTANCES CROSS("1.0.0", GOOD_INPUTS) "  two:\n    plugin: ema_cross\n"
                                                      "    version: 1.0.0\n"
                                                      "    instrument: COIN\n    bar: 1m\n"
                                                      "    inputs: {fast: cross.value, slow: "
                                                      "slow.value}\n",
            "two.inputs.fast", "cross is no indicator");
}

static void plant_indicator_that_nobody_hears_is_refused(void **state)
{
    (void)state;
    REFUSED(RESULT_CONFIG,
            RIG_INSTANCES
            "  deaf: {plugin: rsi, version: 1.0.0, instrument: COIN, bar: 1m}\n" CROSS("1.0.0",
                                                                                       GOOD_INPUTS),
            "lab.yaml:", "instance deaf", "no strategy listens", "take it out");
}

static void plant_version_that_is_not_there_is_refused(void **state)
{
    (void)state;
    REFUSED(RESULT_ABI,
            "  fast: {plugin: ema, version: 3.0.0, instrument: COIN, bar: 1m}\n"
            "  slow: {plugin: ema, version: 1.0.0, instrument: COIN, bar: 1m}\n" CROSS("1.0.0",
                                                                                       GOOD_INPUTS),
            "instance fast", "wants ema 3.0.0 but the file holds ema 1.0.0");
    REFUSED(RESULT_NOT_FOUND,
            "  fast: {plugin: wma, version: 1.0.0, instrument: COIN, bar: 1m}\n" CROSS(
                "1.0.0", "{fast: fast.value, slow: fast.value}"),
            "plugin wma 1.0.0", "wma-1.0.0.so", "wma.so", "--plugins");
}

static void plant_parameter_out_of_its_range_is_refused(void **state)
{
    (void)state;
    REFUSED(
        RESULT_CONFIG,
        "  fast: {plugin: ema, version: 1.0.0, instrument: COIN, bar: 1m, params: {period: 0}}\n"
        "  slow: {plugin: ema, version: 1.0.0, instrument: COIN, bar: 1m}\n" CROSS("1.0.0",
                                                                                   GOOD_INPUTS),
        "lab.yaml:", "fast", "period");
}

static void plant_pinned_hash_must_be_the_files(void **state)
{
    (void)state;
    char hex[HASH_HEX_BYTES], text[4096];
    struct plant p;
    struct flow_rig *r = rig_of(RIG_INSTANCES CROSS("1.0.0", GOOD_INPUTS));
    RIG_OK(r, open_plant(r, &p));
    hash_hex(p.instance[0].sha256, hex);
    plant_close(&p);
    rig_free(r);
    for (int wrong = 0; wrong <= 1; wrong++) {
        hex[0] = (char)(wrong ? (hex[0] == '0' ? '1' : '0') : hex[0]);
        snprintf(text, sizeof text,
                 "  fast: {plugin: ema, version: 1.0.0, instrument: COIN, bar: 1m, sha256: "
                 "\"%s\"}\n"
                 "  slow: {plugin: ema, version: 1.0.0, instrument: COIN, bar: 1m, sha256: "
                 "\"%s\"}\n%s",
                 hex, hex, CROSS("1.0.0", GOOD_INPUTS));
        r = rig_of(text);
        if (!wrong) {
            RIG_OK(r, open_plant(r, &p));
            plant_close(&p);
            rig_free(r);
            continue;
        }
        struct result x = open_plant(r, &p);
        assert_false(is_ok(x));
        assert_non_null(strstr(trail_sentence(&r->tr, x), "fast"));
        hex[12] = 0; /* the sentence shows its beginning */
        assert_non_null(strstr(trail_sentence(&r->tr, x), "not the pinned"));
        assert_non_null(strstr(trail_sentence(&r->tr, x), hex));
        rig_free(r);
    }
}

static void plant_find_prefers_the_versioned_file(void **state)
{
    (void)state;
    char out[DEPLOY_PATH_BYTES], file[128];
    struct flow_rig *r = rig_of(RIG_INSTANCES CROSS("1.0.0", GOOD_INPUTS));
    snprintf(file, sizeof file, "%s/x.so", r->dir);
    rig_write(file, "");
    RIG_OK(r, plant_find(r->dir, "x", "1.0.0", out, &r->tr));
    assert_string_equal(out, file);
    snprintf(file, sizeof file, "%s/x-1.0.0.so", r->dir);
    rig_write(file, "");
    RIG_OK(r, plant_find(r->dir, "x", "1.0.0", out, &r->tr));
    assert_string_equal(out, file);
    assert_int_equal(plant_find(r->dir, "y", "1.0.0", out, &r->tr).code, RESULT_NOT_FOUND);
    char *longer = calloc(1, 600);
    assert_non_null(longer);
    memset(longer, 'a', 599);
    assert_int_equal(plant_find(longer, "x", "1.0.0", out, &r->tr).code, RESULT_TOO_LARGE);
    free(longer);
    rig_free(r);
}

/* Two strategies that share two averages. */
static struct flow_rig *rig_of_two(void)
{
    return rig_of(
        "  range: {plugin: atr, version: 1.0.0, instrument: COIN, bar: 1m}\n" RIG_INSTANCES CROSS(
            "1.0.0", GOOD_INPUTS) "  two:\n    plugin: ema_cross\n"
                                  "    version: 1.1.0\n    instrument: COIN\n"
                                  "    bar: 1m\n    params: {stop_ppm: 0}\n"
                                  "    inputs: {slow: slow.value, fast: "
                                  "fast.value, atr: range.value}\n");
}

/* Instances: range, fast, slow, cross, two. Ids and generations as a core gave them. */
static void plant_part_has_the_cores_ids_and_builds_only_what_swaps(void **state)
{
    (void)state;
    struct flow_rig *r = rig_of_two();
    const bool only[DEPLOY_INSTANCES_MAX] = {[4] = true};
    const uint32_t generation[DEPLOY_INSTANCES_MAX] = {2, 1, 1, 1, 2};
    struct stage_ids ids = {.instrument = {6}, .instance = {9, 3, 4, 5, 7}};
    struct plant *p = calloc(1, sizeof *p);
    struct plant_options o = {.doc = &r->doc,
                              .plugin_dir = TENON_PLUGIN_DIR,
                              .ids = &ids,
                              .generation = generation,
                              .only = only};
    struct bay *bay;
    RIG_OK(r, plant_open(&o, p, &r->tr));
    assert_int_equal(p->bay_count, 1);
    assert_int_equal(belief_count(p->belief), 1);
    const struct belief_route *route = belief_seat(p->belief, 0, &bay);
    assert_ptr_equal(bay, p->bay[0]);
    assert_int_equal(route->strategy, 7);
    assert_int_equal(route->generation, 2);
    assert_int_equal(route->instrument, 6);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(p->instance[i].id, ids.instance[i]);
        assert_int_not_equal(p->instance[i].params_hash, 0);
    }
    /* Nodes are in the order of the strategy's own inputs, itself last; bindings of both. */
    assert_int_equal(p->nodes[4].count, 4);
    assert_int_equal(p->nodes[4].at[0], 1);
    assert_int_equal(p->nodes[4].at[1], 2);
    assert_int_equal(p->nodes[4].at[2], 0);
    assert_int_equal(p->nodes[4].at[3], 4);
    assert_int_equal(p->nodes[3].count, 3);
    assert_int_equal(p->input_count, 5);
    assert_int_equal(p->input[0].instance, 5);
    assert_int_equal(p->input[0].source, 3);
    assert_int_equal(p->input[4].instance, 7);
    assert_int_equal(p->input[4].source, 9);
    plant_close(p);
    free(p);
    rig_free(r);
}

static void plant_bays_given_away_are_not_stopped(void **state)
{
    (void)state;
    struct flow_rig *r = rig_of(RIG_INSTANCES CROSS("1.0.0", GOOD_INPUTS));
    struct plant p;
    struct belief *b = NULL;
    uint32_t lane;
    const struct plant_options o = {
        .doc = &r->doc, .plugin_dir = TENON_PLUGIN_DIR, .bays_max = BELIEF_BAYS_MAX};
    RIG_OK(r, belief_new(4, &b, &r->tr));
    RIG_OK(r, belief_reserve(b, 1, &r->tr));
    RIG_OK(r, plant_open(&o, &p, &r->tr));
    RIG_OK(r, belief_adopt(b, p.belief, &r->tr));
    plant_give(&p);
    assert_null(p.belief);
    assert_int_equal(p.bay_count, 0);
    plant_close(&p);
    struct bay *bay = belief_remove(b, 3, 0, &lane);
    assert_non_null(bay);
    assert_true(bay->ops->warmup(bay) > 0); /* it lives */
    bay->ops->stop(bay);
    belief_free(b);
    rig_free(r);
}

static bool no_strategy[DEPLOY_INSTANCES_MAX];

/* The same bytes are loaded once, and described from memory when their folder is empty. */
static void plant_knows_what_is_loaded_already(void **state)
{
    (void)state;
    uint8_t sha[FACT_HASH_BYTES];
    char hex[HASH_HEX_BYTES], cross_hex[HASH_HEX_BYTES], text[1024];
    static const char *const file[] = {"/ema.so", "/ema_cross-1.0.0.so"};
    for (int i = 0; i < 2; i++) {
        char path[DEPLOY_PATH_BYTES];
        struct bay_facts facts;
        struct trail tr = {0};
        snprintf(path, sizeof path, "%s%s", TENON_PLUGIN_DIR, file[i]);
        assert_true(is_ok(bay_read_facts(path, &facts, &tr)));
        memcpy(sha, facts.sha256, sizeof sha);
        hash_hex(sha, i == 0 ? hex : cross_hex);
    }
    snprintf(text, sizeof text,
             "  fast: {plugin: ema, version: 1.0.0, instrument: COIN, bar: 1m, sha256: \"%s\"}\n"
             "  slow: {plugin: ema, version: 1.0.0, instrument: COIN, bar: 1m, sha256: \"%s\"}\n"
             "  cross:\n    plugin: ema_cross\n    version: 1.0.0\n    instrument: COIN\n"
             "    bar: 1m\n    sha256: \"%s\"\n    inputs: " GOOD_INPUTS "\n",
             hex, hex, cross_hex);
    struct flow_rig *r = rig_of(text);
    struct plant p, q;
    RIG_OK(r, open_plant(r, &p));
    const uint32_t loaded = bay_module_count();
    RIG_OK(r, open_plant(r, &q));
    assert_int_equal(bay_module_count(), loaded);
    assert_ptr_equal(p.module[0], q.module[1]);
    plant_close(&q);
    struct plant_options o = {.doc = &r->doc, .plugin_dir = r->dir, .only = no_strategy};
    RIG_OK(r, plant_open(&o, &q, &r->tr));
    assert_int_equal(q.bay_count, 0);
    assert_memory_equal(q.instance, p.instance, sizeof p.instance);
    assert_int_equal(q.input_count, 2);
    plant_close(&q);
    o.only = NULL; /* to be built: the folder counts */
    assert_int_equal(plant_open(&o, &q, &r->tr).code, RESULT_NOT_FOUND);
    o.from_memory = true;
    RIG_OK(r, plant_open(&o, &q, &r->tr));
    assert_int_equal(q.bay_count, 1);
    plant_close(&q);
    plant_close(&p);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plant_good_document_becomes_one_bay),
        cmocka_unit_test(plant_inputs_in_another_order_are_bound_by_name),
        cmocka_unit_test(plant_unbound_input_is_refused),
        cmocka_unit_test(plant_unknown_names_are_refused),
        cmocka_unit_test(plant_indicator_that_nobody_hears_is_refused),
        cmocka_unit_test(plant_version_that_is_not_there_is_refused),
        cmocka_unit_test(plant_parameter_out_of_its_range_is_refused),
        cmocka_unit_test(plant_pinned_hash_must_be_the_files),
        cmocka_unit_test(plant_find_prefers_the_versioned_file),
        cmocka_unit_test(plant_part_has_the_cores_ids_and_builds_only_what_swaps),
        cmocka_unit_test(plant_bays_given_away_are_not_stopped),
        cmocka_unit_test(plant_knows_what_is_loaded_already),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
