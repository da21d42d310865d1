/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: parts become exactly their bytes, hidden ones are digested and not sent, spans say what
 * came from where, and a template of any shape is refused before it is used.
 * Method: hand-written parts; each bound crossed once; seeded garbage under the sanitizers.
 */
#include "tests/unit/base/dies.h"
#include "base/clock.h"
#include "egress/assemble.h"
#include "egress/mac.h"

static struct assembled out;
static struct assemble_template in;
static struct {
    struct line_request h;
    struct line_part p[TN_ADAPTER_PARTS_MAX];
} message;
static uint8_t flat[8192];

static int32_t secret(void *arg, uint32_t field, uint8_t to[ASSEMBLE_SECRET_BYTES])
{
    (void)arg;
    if (field > 1)
        return -1;
    memcpy(to, field ? "hush" : "KEY", field ? 4 : 3);
    return field ? 4 : 3;
}

static int32_t capture(void *arg, uint32_t id, const uint8_t **to)
{
    (void)arg;
    *to = (const uint8_t *)"token";
    return id == 3 ? 5 : -1;
}

static const char *bytes = "/pathPOST{body}";

static void begin(void)
{
    memset(&message, 0, sizeof message);
    message.h.class_of = TN_CLASS_QUERY;
}

static struct line_part *part(uint32_t kind, uint32_t count)
{
    struct line_part *p = &message.p[message.h.part_count++];
    p->kind = kind;
    if ((kind & ~TN_PART_HIDDEN) == TN_PART_BYTES) {
        p->bytes = count;
        message.h.bytes += count;
    }
    return p;
}

static const char *take(void)
{
    size_t parts = message.h.part_count * sizeof message.p[0];
    memcpy(flat, &message.h, sizeof message.h);
    memcpy(flat + sizeof message.h, message.p, parts);
    memcpy(flat + sizeof message.h + parts, bytes, message.h.bytes);
    return assemble_take(flat, (uint32_t)(sizeof message.h + parts) + message.h.bytes, &in);
}

static const char *make(void)
{
    static const struct wire_place place;
    const char *bad = take();
    struct assemble_from from = {.head = &in.head,
                                 .part = in.part,
                                 .bytes = in.bytes,
                                 .wall_ns = 1234567890123456,
                                 .place = &place,
                                 .secret = secret,
                                 .capture = capture};
    return bad ? bad : assemble(&from, &out);
}

static void assemble_puts_parts_in_order_and_hides_the_hidden(void **state)
{
    (void)state;
    begin();
    part(TN_PART_BYTES, 5);
    part(TN_PART_BYTES | TN_PART_HIDDEN, 4);
    part(TN_PART_NOW_MS | TN_PART_HIDDEN, 0);
    message.h.path_parts = 3;
    part(TN_PART_SECRET, 0);
    part(TN_PART_NOW_MS, 0);
    struct line_part *mac = part(TN_PART_HMAC, 0);
    *mac = (struct line_part){.kind = TN_PART_HMAC,
                              .field = 1,
                              .digest = TN_DIGEST_SHA256,
                              .encode = TN_ENCODE_HEX,
                              .first = 1,
                              .count = 2};
    message.h.head_parts = 3;
    part(TN_PART_BYTES, 6);
    part(TN_PART_CAPTURE, 0)->field = 3;
    assert_null(make());
    uint8_t sum[64];
    char hex[MAC_TEXT_BYTES], whole[200];
    size_t n = mac_hmac(TN_DIGEST_SHA256, (const uint8_t *)"hush", 4,
                        (const uint8_t *)"POST1234567890", 14, sum);
    mac_text(TN_ENCODE_HEX, sum, n, hex);
    int count = snprintf(whole, sizeof whole, "/pathKEY1234567890%s{body}token", hex);
    assert_int_equal(out.path_bytes, 5);
    assert_int_equal(out.head_bytes, 3 + 10 + 64);
    assert_int_equal(out.body_bytes, 11);
    assert_memory_equal(out.bytes, whole, (size_t)count);
    assert_int_equal(out.span_count, 4);
    assert_true(out.span[0].kind == TN_PART_SECRET && out.span[0].at == 5 &&
                out.span[0].count == 3);
    assert_true(out.span[2].kind == TN_PART_HMAC && out.span[2].count == 64);
    for (uint32_t i = 0; i < 200; i++)
        assert_int_equal(out.work[i], 0); /* wiped */
}

static void assemble_refuses_what_no_part_can_be(void **state)
{
    (void)state;
    static const uint32_t kinds[] = {
        0, 7, TN_PART_HMAC | TN_PART_HIDDEN, TN_PART_FIELD, 0x200, TN_PART_BYTES | 0x400};
    for (uint32_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        begin();
        part(TN_PART_BYTES, 1);
        message.p[message.h.part_count++].kind = kinds[i];
        assert_non_null(take());
    }
    static const struct {
        uint32_t first, count;
    } cover[] = {{0, 0}, {0, 3}, {1, 2}, {2, 1}, {3, 1}, {0xffffffff, 2}, {1, 0xffffffff}};
    for (uint32_t i = 0; i < sizeof cover / sizeof *cover; i++) {
        begin();
        part(TN_PART_BYTES, 1);
        part(TN_PART_BYTES, 1);
        struct line_part *p = part(TN_PART_HMAC, 0);
        p->first = cover[i].first;
        p->count = cover[i].count;
        assert_non_null(take());
    }
    begin();
    assert_non_null(take()); /* no part */
    part(TN_PART_BYTES, 5);
    assert_null(take());
    message.h.path_parts = 2;
    assert_non_null(take());
    message.h.path_parts = 1;
    message.h.head_parts = 1;
    assert_non_null(take());
    message.h.head_parts = 0xffffffff;
    assert_non_null(take());
    message.h.head_parts = 0;
    message.h.flags = 2;
    assert_non_null(take());
    message.h.flags = 0;
    message.p[0].bytes = 4; /* a byte that no part has */
    assert_non_null(take());
    message.h.part_count = TN_ADAPTER_PARTS_MAX + 1;
    memcpy(flat, &message.h, sizeof message.h);
    assert_non_null(assemble_take(flat, sizeof flat, &in));
    assert_non_null(assemble_take(flat, sizeof(struct line_request) - 1, &in));
}

static void assemble_says_what_is_missing(void **state)
{
    (void)state;
    begin();
    part(TN_PART_SECRET, 0)->field = 2;
    assert_string_equal(make(), "no such secret");
    begin();
    part(TN_PART_CAPTURE, 0)->field = 1;
    assert_string_equal(make(), "nothing was captured under this id");
    begin();
    part(TN_PART_BYTES, 1);
    part(TN_PART_HMAC, 0)->count = 1;
    assert_string_equal(make(), "an unknown digest or encoding");
    begin();
    message.h.flags = TN_REQUEST_STORED;
    part(TN_PART_FIELD, 0)->field = TN_FIELD_QTY;
    assert_string_equal(make(), "a field that cannot be filled in");
}

static void assemble_garbage_breaks_nothing(void **state)
{
    (void)state;
    struct rng rng;
    uint32_t made = 0;
    print_message("seed 3\n");
    rng_seed(&rng, 3);
    for (uint32_t round = 0; round < 30000; round++) {
        begin();
        for (uint64_t n = 1 + rng_below(&rng, 6); n; n--) {
            struct line_part *p = part(1 + (uint32_t)rng_below(&rng, 6), rng_below(&rng, 3) & 1);
            p->field = (uint32_t)rng_below(&rng, 4);
            p->digest = (uint32_t)rng_below(&rng, 4);
            p->encode = (uint32_t)rng_below(&rng, 5);
            p->first = (uint32_t)rng_below(&rng, 4);
            p->count = (uint32_t)rng_below(&rng, 4);
        }
        message.h.path_parts = (uint32_t)rng_below(&rng, 4);
        message.h.head_parts = (uint32_t)rng_below(&rng, 4);
        message.h.flags = (uint32_t)rng_below(&rng, 2);
        made += !make();
    }
    print_message("%u made\n", made);
    assert_true(made > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(assemble_puts_parts_in_order_and_hides_the_hidden),
        cmocka_unit_test(assemble_refuses_what_no_part_can_be),
        cmocka_unit_test(assemble_says_what_is_missing),
        cmocka_unit_test(assemble_garbage_breaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
