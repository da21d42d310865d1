/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: digests are the standard's. Method: RFC 4231 cases 1, 2, 6 (a key longer than a block),
 * FIPS 180 "abc", and the three encodings of one digest.
 */
#include "tests/unit/base/dies.h"
#include "egress/mac.h"
#include "tenon/draft/adapter.h"

static void expect(uint32_t digest, const void *key, size_t key_count, const char *text,
                   const char *hex)
{
    uint8_t mac[MAC_BYTES_MAX];
    char out[MAC_TEXT_BYTES];
    size_t n = mac_hmac(digest, key, key_count, (const uint8_t *)text, strlen(text), mac);
    assert_int_equal(mac_text(TN_ENCODE_HEX, mac, n, out), strlen(hex));
    assert_string_equal(out, hex);
}

static void mac_hmac_is_that_of_rfc_4231(void **state)
{
    (void)state;
    uint8_t b[20], aa[131];
    memset(b, 0x0b, sizeof b);
    memset(aa, 0xaa, sizeof aa);
    expect(TN_DIGEST_SHA256, b, 20, "Hi There",
           "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    expect(TN_DIGEST_SHA512, b, 20, "Hi There",
           "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
           "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854");
    expect(TN_DIGEST_SHA256, "Jefe", 4, "what do ya want for nothing?",
           "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    expect(TN_DIGEST_SHA256, aa, 131, "Test Using Larger Than Block-Size Key - Hash Key First",
           "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    expect(TN_DIGEST_SHA512, aa, 131, "Test Using Larger Than Block-Size Key - Hash Key First",
           "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
           "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598");
}

static void mac_sha256_joins_its_two_pieces(void **state)
{
    (void)state;
    uint8_t one[32], two[32];
    mac_sha256("abc", 3, NULL, 0, one);
    mac_sha256("a", 1, "bc", 2, two);
    assert_memory_equal(one, two, 32);
    assert_memory_equal(one, "\xba\x78\x16\xbf\x8f\x01\xcf\xea", 8);
}

static void mac_text_knows_three_encodings_and_no_other(void **state)
{
    (void)state;
    static const uint8_t mac[] = {0xfb, 0xff, 0xfe, 0x01};
    char out[MAC_TEXT_BYTES];
    assert_int_equal(mac_text(TN_ENCODE_HEX, mac, 4, out), 8);
    assert_string_equal(out, "fbfffe01");
    assert_int_equal(mac_text(TN_ENCODE_BASE64, mac, 4, out), 8);
    assert_string_equal(out, "+//+AQ==");
    assert_int_equal(mac_text(TN_ENCODE_BASE64URL, mac, 4, out), 6);
    assert_string_equal(out, "-__-AQ");
    assert_int_equal(mac_text(4, mac, 4, out), 0);
    assert_int_equal(mac_hmac(3, mac, 4, mac, 4, (uint8_t *)out), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mac_hmac_is_that_of_rfc_4231),
        cmocka_unit_test(mac_sha256_joins_its_two_pieces),
        cmocka_unit_test(mac_text_knows_three_encodings_and_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
