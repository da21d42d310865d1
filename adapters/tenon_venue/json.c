/* SPDX-License-Identifier: Apache-2.0
 *
 * One recursive walk validates; the slices it leaves are known to be well-formed, so the second
 * walk (json_next) only looks for ends. Both use the same `skip_value`, so they cannot disagree.
 */
#include "json.h"
#include <string.h>

struct text {
    const char *at, *end;
};

static void skip_space(struct text *t)
{
    while (t->at < t->end && (*t->at == ' ' || *t->at == '\t' || *t->at == '\n' || *t->at == '\r'))
        t->at++;
}

static bool eat(struct text *t, char c)
{
    skip_space(t);
    if (t->at == t->end || *t->at != c)
        return false;
    t->at++;
    return true;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Behind the opening quote. */
static bool skip_string(struct text *t, struct json *out)
{
    const char *from = t->at;
    for (; t->at < t->end; t->at++) {
        if ((unsigned char)*t->at < 0x20)
            return false;
        if (*t->at == '"') {
            *out =
                (struct json){.type = JSON_STRING, .bytes = (uint32_t)(t->at++ - from), .at = from};
            return true;
        }
        if (*t->at != '\\')
            continue;
        if (++t->at == t->end)
            return false;
        if (*t->at == 'u') {
            for (int i = 0; i < 4; i++) {
                if (++t->at == t->end || !is_hex(*t->at))
                    return false;
            }
        } else if (strchr("\"\\/bfnrt", *t->at) == NULL || *t->at == 0) {
            return false;
        }
    }
    return false;
}

static bool skip_digits(struct text *t)
{
    const char *from = t->at;
    while (t->at < t->end && *t->at >= '0' && *t->at <= '9')
        t->at++;
    return t->at > from;
}

static bool skip_number(struct text *t, struct json *out)
{
    const char *from = t->at;
    if (t->at < t->end && *t->at == '-')
        t->at++;
    const char *first = t->at;
    if (!skip_digits(t) || (*first == '0' && t->at - first > 1))
        return false;
    if (t->at < t->end && *t->at == '.') {
        t->at++;
        if (!skip_digits(t))
            return false;
    }
    if (t->at < t->end && (*t->at == 'e' || *t->at == 'E')) {
        t->at++;
        if (t->at < t->end && (*t->at == '-' || *t->at == '+'))
            t->at++;
        if (!skip_digits(t))
            return false;
    }
    *out = (struct json){.type = JSON_NUMBER, .bytes = (uint32_t)(t->at - from), .at = from};
    return true;
}

static bool skip_word(struct text *t, struct json *out)
{
    static const struct {
        const char *word;
        uint32_t bytes;
        enum json_type type;
    } words[] = {{"true", 4, JSON_TRUE}, {"false", 5, JSON_FALSE}, {"null", 4, JSON_NULL}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if ((size_t)(t->end - t->at) >= words[i].bytes &&
            memcmp(t->at, words[i].word, words[i].bytes) == 0) {
            *out = (struct json){.type = words[i].type, .bytes = words[i].bytes, .at = t->at};
            t->at += words[i].bytes;
            return true;
        }
    }
    return false;
}

static bool skip_value(struct text *t, struct json *out, int depth);

static bool skip_members(struct text *t, struct json *out, int depth, bool object)
{
    const char *from = t->at;
    const char close = object ? '}' : ']';
    struct json ignored;
    bool more = !eat(t, close);
    while (more) {
        if (object && (!eat(t, '"') || !skip_string(t, &ignored) || !eat(t, ':')))
            return false;
        if (!skip_value(t, &ignored, depth + 1))
            return false;
        more = eat(t, ',');
        if (!more && !eat(t, close))
            return false;
    }
    *out = (struct json){.type = object ? JSON_OBJECT : JSON_ARRAY,
                         .bytes = (uint32_t)(t->at - 1 - from),
                         .at = from};
    return true;
}

static bool skip_value(struct text *t, struct json *out, int depth)
{
    if (depth > JSON_DEPTH_MAX)
        return false;
    if (eat(t, '"'))
        return skip_string(t, out);
    if (eat(t, '{'))
        return skip_members(t, out, depth, true);
    if (eat(t, '['))
        return skip_members(t, out, depth, false);
    skip_space(t);
    return skip_word(t, out) || skip_number(t, out);
}

bool json_read(const uint8_t *text, uint64_t bytes, struct json *out)
{
    *out = (struct json){.type = JSON_UNSET};
    if (text == NULL || bytes == 0 || bytes > JSON_BYTES_MAX)
        return false;
    struct text t = {.at = (const char *)text, .end = (const char *)text + bytes};
    if (!skip_value(&t, out, 0))
        return false;
    skip_space(&t);
    return t.at == t.end;
}

bool json_next(struct json *rest, struct json *key, struct json *value)
{
    struct text t = {.at = rest->at, .end = rest->at + rest->bytes};
    struct json name = {.type = JSON_UNSET};
    *value = name;
    if (rest->type != JSON_OBJECT && rest->type != JSON_ARRAY)
        return false;
    if (rest->type == JSON_OBJECT && (!eat(&t, '"') || !skip_string(&t, &name) || !eat(&t, ':')))
        return false;
    if (!skip_value(&t, value, 0))
        return false;
    (void)eat(&t, ',');
    rest->bytes = (uint32_t)(t.end - t.at);
    rest->at = t.at;
    if (key != NULL)
        *key = name;
    return true;
}

bool json_find(const struct json *object, const char *name, struct json *out)
{
    struct json rest = *object, key;
    if (object->type == JSON_OBJECT) {
        while (json_next(&rest, &key, out)) {
            if (json_is(&key, name))
                return true;
        }
    }
    *out = (struct json){.type = JSON_UNSET};
    return false;
}

bool json_is(const struct json *value, const char *text)
{
    size_t n = strlen(text);
    return value->type == JSON_STRING && value->bytes == n && memcmp(value->at, text, n) == 0;
}

bool json_copy(const struct json *value, char *out, size_t out_bytes)
{
    memset(out, 0, out_bytes);
    if (value->type != JSON_STRING)
        return value->type == JSON_UNSET || value->type == JSON_NULL;
    if (value->bytes >= out_bytes)
        return false;
    for (uint32_t i = 0; i < value->bytes; i++) {
        if (value->at[i] < 0x20 || value->at[i] > 0x7e || value->at[i] == '\\') {
            memset(out, 0, out_bytes);
            return false;
        }
        out[i] = value->at[i];
    }
    return true;
}
