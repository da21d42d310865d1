/* SPDX-License-Identifier: Apache-2.0
 *
 * A table walk of our own, because OpenSSL's decoder takes what is not canonical (blanks, bits left
 * over, a missing end) and a decoder that is kinder than its encoder lets two texts mean the same.
 */
#include "base/base64.h"
#include "base/must.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_print(const void *bytes, size_t count, char *out)
{
    const uint8_t *in = bytes;
    must(out != NULL && (bytes != NULL || count == 0));
    for (size_t i = 0; i < count; i += 3) {
        size_t left = count - i;
        uint32_t word = (uint32_t)in[i] << 16 | (left > 1 ? (uint32_t)in[i + 1] << 8 : 0) |
                        (left > 2 ? in[i + 2] : 0);
        *out++ = letters[word >> 18];
        *out++ = letters[word >> 12 & 63];
        *out++ = left > 1 ? letters[word >> 6 & 63] : '=';
        *out++ = left > 2 ? letters[word & 63] : '=';
    }
    *out = '\0';
}

static bool value_of(char c, uint32_t *value)
{
    if (c >= 'A' && c <= 'Z')
        *value = (uint32_t)(c - 'A');
    else if (c >= 'a' && c <= 'z')
        *value = (uint32_t)(c - 'a') + 26;
    else if (c >= '0' && c <= '9')
        *value = (uint32_t)(c - '0') + 52;
    else if (c == '+' || c == '/')
        *value = c == '+' ? 62 : 63;
    else
        return false;
    return true;
}

bool base64_parse(const char *text, size_t count, void *out, size_t *out_count)
{
    uint8_t *to = out;
    must(out_count != NULL && (text != NULL || count == 0));
    if (count % 4 != 0)
        return false;
    size_t pad = count > 0 && text[count - 1] == '=' ? 1 + (text[count - 2] == '=') : 0;
    for (size_t i = 0; i < count; i += 4) {
        size_t digits = i + 4 == count ? 4 - pad : 4;
        uint32_t word = 0, v = 0;
        for (size_t k = 0; k < digits; k++) {
            if (!value_of(text[i + k], &v))
                return false;
            word |= v << (18 - 6 * k);
        }
        if ((word & (digits == 2 ? 0xffffu : digits == 3 ? 0xffu : 0)) != 0)
            return false; /* bits of no byte */
        *to++ = (uint8_t)(word >> 16);
        if (digits > 2)
            *to++ = (uint8_t)(word >> 8);
        if (digits > 3)
            *to++ = (uint8_t)word;
    }
    *out_count = (size_t)(to - (uint8_t *)out);
    return true;
}
