/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: saved state is taken only whole, by whom it belongs to, and damaged or newer state never
 * reaches the plugin. Method: state of a real plugin, cut at every length, every bit flipped, each
 * header member changed with the hash made right again; the plugin's functions are counted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/hash.h"
#include "bays/state.h"

enum { BLOB = 40 };

/* A plugin in the test itself: what counts here is how the host calls it. */
struct toy {
    uint8_t blob[BLOB];
    uint32_t loads, bytes;
    int32_t status;
    uint32_t leave; /* bytes not read, or written too many */
};

static int32_t toy_save(void *inst, const struct tn_stream_out *out)
{
    struct toy *t = inst;
    if (t->status != TN_OK)
        return t->status;
    for (uint32_t at = 0; at < BLOB + t->leave; at++) {
        if (out->write(out->self, &t->blob[at % BLOB], 1) != 1)
            return TN_OK; /* does not tell */
    }
    return TN_OK;
}

static int32_t toy_load(void *inst, uint32_t schema, const struct tn_stream_in *in)
{
    struct toy *t = inst;
    int64_t n;
    t->loads++;
    t->bytes = 0;
    while (t->bytes < BLOB - t->leave && (n = in->read(in->self, &t->blob[t->bytes], 7)) > 0)
        t->bytes += (uint32_t)n;
    return schema > 3 ? TN_E_SCHEMA : t->status;
}

static const struct tn_instance_ops ops = {.state_save = toy_save, .state_load = toy_load};

static struct tn_manifest manifest(void)
{
    return (struct tn_manifest){.id = "toy",
                                .version = "1.2.3",
                                .vendor = "tests",
                                .state_schema = 3,
                                .state_schema_oldest = 2,
                                .state_max_bytes = 64,
                                .param_count = 2,
                                .params = {{.name = "length"}, {.name = "gain"}}};
}

static const union tn_number params[2] = {{.i = 20}, {.f = 0.5}};

static uint8_t *save(const struct tn_manifest *m, struct toy *t, size_t *count)
{
    struct state_owner o = {.manifest = m, .params = params, .market = 77};
    struct trail tr = {0};
    void *bytes = NULL;
    struct result r = state_save(&o, &ops, t, 1234, &bytes, count, &tr);
    if (!is_ok(r))
        fail_msg("%s", trail_sentence(&tr, r));
    return bytes;
}

static struct result load(const struct tn_manifest *m, struct toy *t, const void *bytes, size_t n)
{
    struct state_owner o = {.manifest = m, .params = params, .market = 77};
    struct trail tr = {0};
    struct result r = state_load(&o, &ops, t, bytes, n, &tr);
    assert_true(is_ok(r) || tr.count == 1);
    return r;
}

static void state_saved_has_header_and_loads_back(void **state)
{
    (void)state;
    struct tn_manifest m = manifest();
    struct toy t = {.blob = "the state"}, twin = {0};
    struct state_header h;
    size_t count;
    uint8_t *bytes = save(&m, &t, &count);
    memcpy(&h, bytes, sizeof h);
    assert_memory_equal(bytes, "TNPTSTAT", 8);
    assert_string_equal(h.plugin, "toy");
    assert_string_equal(h.plugin_version, "1.2.3");
    assert_int_equal(h.schema, 3);
    assert_int_equal(h.as_of_seq, 1234);
    assert_int_equal(h.blob_bytes, BLOB);
    assert_int_equal(h.param_count, 2);
    assert_int_equal(h.header_bytes, sizeof h + 2 * sizeof(struct state_param));
    assert_int_equal(count, h.header_bytes + BLOB);
    assert_true(is_ok(load(&m, &twin, bytes, count)));
    assert_memory_equal(twin.blob, t.blob, BLOB);
    free(bytes);
}

static void state_same_state_gives_same_bytes(void **state)
{
    (void)state;
    struct tn_manifest m = manifest();
    struct toy t = {.blob = "the state"};
    size_t n1, n2;
    uint8_t *one = save(&m, &t, &n1), *two = save(&m, &t, &n2);
    assert_int_equal(n1, n2);
    assert_memory_equal(one, two, n1);
    free(one);
    free(two);
}

static void state_damaged_bytes_never_reach_the_plugin(void **state)
{
    (void)state;
    struct tn_manifest m = manifest();
    struct toy t = {.blob = "the state"}, twin = {0};
    size_t count;
    uint8_t *bytes = save(&m, &t, &count);
    for (size_t n = 0; n < count; n++)
        assert_int_equal(load(&m, &twin, bytes, n).code, RESULT_CORRUPT);
    for (size_t bit = 0; bit < count * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(is_ok(load(&m, &twin, bytes, count)));
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(twin.loads, 0);
    assert_true(is_ok(load(&m, &twin, bytes, count)));
    free(bytes);
}

/* Changes the header and makes its hash right again, as an enemy would. */
static struct result load_forged(const struct tn_manifest *m, struct toy *t, const uint8_t *bytes,
                                 size_t count, void (*forge)(struct state_header *))
{
    uint8_t *copy = malloc(count);
    struct state_header h;
    memcpy(copy, bytes, count);
    memcpy(&h, copy, sizeof h);
    forge(&h);
    memset(h.sha256, 0, sizeof h.sha256);
    memcpy(copy, &h, sizeof h);
    hash_sha256_once(copy, count, h.sha256);
    memcpy(copy, &h, sizeof h);
    struct result r = load(m, t, copy, count);
    free(copy);
    return r;
}
static void newer_schema(struct state_header *h)
{
    h->schema = 4;
}
static void oldest_schema(struct state_header *h)
{
    h->schema = 2;
}
static void too_old_schema(struct state_header *h)
{
    h->schema = 1;
}
static void other_plugin(struct state_header *h)
{
    h->plugin[0] = 'b';
}
static void other_market(struct state_header *h)
{
    h->market++;
}
static void other_format(struct state_header *h)
{
    h->version = 1;
}
static void more_params(struct state_header *h)
{
    h->param_count = 1000;
}
static void longer_head(struct state_header *h)
{
    h->header_bytes += (uint32_t)h->blob_bytes + 1;
}
static void longer(struct state_header *h)
{
    h->blob_bytes++;
}

static void state_of_another_kind_is_refused_untouched(void **state)
{
    (void)state;
    struct tn_manifest m = manifest();
    struct toy t = {.blob = "the state"}, twin = {0};
    size_t n;
    uint8_t *b = save(&m, &t, &n);
    assert_int_equal(load_forged(&m, &twin, b, n, newer_schema).code, RESULT_VERSION);
    assert_int_equal(load_forged(&m, &twin, b, n, too_old_schema).code, RESULT_VERSION);
    assert_int_equal(load_forged(&m, &twin, b, n, other_format).code, RESULT_VERSION);
    assert_int_equal(load_forged(&m, &twin, b, n, other_plugin).code, RESULT_FOREIGN);
    assert_int_equal(load_forged(&m, &twin, b, n, other_market).code, RESULT_FOREIGN);
    assert_int_equal(load_forged(&m, &twin, b, n, longer).code, RESULT_CORRUPT);
    assert_int_equal(load_forged(&m, &twin, b, n, more_params).code, RESULT_CORRUPT);
    assert_int_equal(load_forged(&m, &twin, b, n, longer_head).code, RESULT_CORRUPT);
    assert_int_equal(twin.loads, 0);
    assert_true(is_ok(load_forged(&m, &twin, b, n, oldest_schema)));
    assert_int_equal(twin.loads, 1);
    free(b);
}

static void state_plugin_that_breaks_its_word_is_told(void **state)
{
    (void)state;
    struct tn_manifest m = manifest();
    struct state_owner o = {.manifest = &m, .params = params};
    struct toy t = {.blob = "the state"}, bad = {.status = 55}, much = {.leave = 40};
    struct toy half = {.leave = 10};
    struct trail tr = {0};
    void *bytes = NULL;
    size_t n, count = 0;
    uint8_t *good = save(&m, &t, &n);
    assert_int_equal(state_save(&o, &ops, &bad, 1, &bytes, &count, &tr).code, RESULT_PLUGIN);
    assert_non_null(strstr(trail_sentence(&tr, RESULT_OF(PLUGIN)), "an unknown status"));
    assert_int_equal(state_save(&o, &ops, &much, 1, &bytes, &count, NULL).code, RESULT_PLUGIN);
    assert_null(bytes);
    assert_int_equal(load(&m, &bad, good, n).code, RESULT_PLUGIN);
    assert_int_equal(load(&m, &half, good, n).code, RESULT_PLUGIN);
    m.state_schema = 0;
    assert_int_equal(load(&m, &t, good, n).code, RESULT_STATE);
    free(good);
}

static void state_market_depends_on_every_part(void **state)
{
    (void)state;
    struct tn_instrument in = {.id = 1, .tick = 1, .lot = 1};
    uint64_t h = state_market(&in, 60);
    assert_true(h == state_market(&in, 60));
    assert_true(h != state_market(&in, 61));
    in.price_exp = -2;
    assert_true(h != state_market(&in, 60));
}

/* The newer build reads schema 2 and 3, has one parameter more and one less. */
static void state_passes_to_a_build_with_other_parameters(void **state)
{
    (void)state;
    struct tn_manifest old = manifest(), next = manifest();
    struct toy t = {.blob = "the state"}, twin = {0};
    struct trail tr = {0};
    size_t n;
    old.state_schema = 2;
    uint8_t *b = save(&old, &t, &n);
    memcpy(next.version, "2.0.0", 6);
    memcpy(next.params[0].name, "band", 5);
    memcpy(next.params[1].name, "length", 7);
    const union tn_number same[2] = {{.f = 3.5}, {.i = 20}}, other[2] = {{.f = 3.5}, {.i = 21}};
    struct state_owner o = {.manifest = &next, .params = other, .market = 77};
    assert_int_equal(state_load(&o, &ops, &twin, b, n, &tr).code, RESULT_FOREIGN);
    assert_non_null(strstr(trail_sentence(&tr, RESULT_OF(FOREIGN)), "another length"));
    assert_int_equal(twin.loads, 0);
    o.params = same;
    assert_true(is_ok(state_load(&o, &ops, &twin, b, n, &tr)));
    assert_memory_equal(twin.blob, t.blob, BLOB);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state_saved_has_header_and_loads_back),
        cmocka_unit_test(state_same_state_gives_same_bytes),
        cmocka_unit_test(state_damaged_bytes_never_reach_the_plugin),
        cmocka_unit_test(state_of_another_kind_is_refused_untouched),
        cmocka_unit_test(state_plugin_that_breaks_its_word_is_told),
        cmocka_unit_test(state_market_depends_on_every_part),
        cmocka_unit_test(state_passes_to_a_build_with_other_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
