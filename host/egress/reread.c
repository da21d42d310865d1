/* SPDX-License-Identifier: Apache-2.0
 *
 * Recursive descent over the text, bounded by REREAD_DEPTH_MAX. The path grows and shrinks in one
 * buffer; keys of the objects that are open lie on one stack, so that a key seen twice is found
 * without memory. A long inbound list costs no more than its longest row.
 */
#include "egress/reread.h"
#include <string.h>

struct key {
    const char *text;
    uint32_t count;
};
struct reading {
    const char *at, *end;
    bool strict;
    uint32_t depth, row, lists;
    reread_fn fn;
    void *arg;
    uint32_t key_count;
    struct key key[REREAD_KEYS_MAX];
    uint32_t path_count;
    char path[REREAD_PATH_BYTES];
};

static const char TAKER[] = "more values than can be read, or one twice";

static void skip(struct reading *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r'))
        r->at++;
}

static bool next_is(struct reading *r, char c)
{
    skip(r);
    if (r->at >= r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

static const char *grow(struct reading *r, const char *text, uint32_t count)
{
    if (r->path_count + count + 1 > sizeof r->path)
        return "a path is longer than 63 characters";
    memcpy(r->path + r->path_count, text, count);
    r->path_count += count;
    r->path[r->path_count] = '\0';
    return NULL;
}

static const char *give(struct reading *r, uint32_t kind, const char *text, uint32_t count)
{
    struct reread_value v = {
        .path = r->path, .kind = kind, .row = r->row, .text = text, .count = count};
    return r->fn(r->arg, &v) ? NULL : TAKER;
}

/* After the opening quote; the text without quotes. */
static const char *string(struct reading *r, const char **text, uint32_t *count)
{
    const char *from = r->at;
    for (; r->at < r->end && *r->at != '"'; r->at++) {
        if ((uint8_t)*r->at < 0x20)
            return "a control byte in a string";
        if (*r->at != '\\')
            continue;
        if (r->strict)
            return "an escape in a string";
        if (++r->at >= r->end)
            break;
    }
    if (r->at >= r->end)
        return "a string without an end";
    *text = from;
    *count = (uint32_t)(r->at - from);
    r->at++;
    return NULL;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static uint32_t digits(struct reading *r)
{
    uint32_t n = 0;
    for (; r->at < r->end && is_digit(*r->at); r->at++)
        n++;
    return n;
}

static const char *number(struct reading *r)
{
    const char *from = r->at;
    if (*r->at == '-')
        r->at++;
    const char *first = r->at;
    uint32_t whole = digits(r);
    if (!whole || (whole > 1 && *first == '0'))
        return "a number that is none";
    if (r->at < r->end && *r->at == '.') {
        r->at++;
        if (!digits(r))
            return "a number that is none";
    }
    if (r->at < r->end && (*r->at == 'e' || *r->at == 'E')) {
        r->at++;
        if (r->at < r->end && (*r->at == '+' || *r->at == '-'))
            r->at++;
        if (!digits(r))
            return "a number that is none";
    }
    return give(r, REREAD_NUMBER, from, (uint32_t)(r->at - from));
}

static const char *word(struct reading *r)
{
    static const char *const words[] = {"true", "false", "null"};
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t n = (uint32_t)strlen(words[i]);
        if ((size_t)(r->end - r->at) < n || memcmp(r->at, words[i], n) != 0)
            continue;
        if (i == 2 && r->strict)
            return "a null";
        const char *from = r->at;
        r->at += n;
        return give(r, REREAD_WORD, from, n);
    }
    return "a value that is none";
}

static const char *value(struct reading *r);

static const char *key(struct reading *r, uint32_t base)
{
    struct key k;
    if (!next_is(r, '"'))
        return "a member without a key";
    const char *why = string(r, &k.text, &k.count);
    if (why)
        return why;
    if (!k.count || memchr(k.text, '.', k.count) || memchr(k.text, '[', k.count))
        return "a key that a path cannot name";
    for (uint32_t i = base; i < r->key_count; i++)
        if (r->key[i].count == k.count && memcmp(r->key[i].text, k.text, k.count) == 0)
            return "the same key twice";
    if (r->key_count == REREAD_KEYS_MAX)
        return "more keys than can be read";
    r->key[r->key_count++] = k;
    why = r->path_count ? grow(r, ".", 1) : NULL;
    return why ? why : grow(r, k.text, k.count);
}

static const char *object(struct reading *r)
{
    uint32_t base = r->key_count, path = r->path_count;
    if (next_is(r, '}'))
        return r->strict ? "an empty object" : NULL;
    do {
        const char *why = key(r, base);
        if (!why && !next_is(r, ':'))
            why = "a key without a value";
        if (!why)
            why = value(r);
        if (why)
            return why;
        r->path_count = path;
        r->path[path] = '\0';
    } while (next_is(r, ','));
    r->key_count = base;
    return next_is(r, '}') ? NULL : "an object without an end";
}

static const char *list(struct reading *r)
{
    uint32_t path = r->path_count, row = 0;
    bool outermost = r->lists++ == 0;
    const char *why = grow(r, "[]", 2);
    if (!why)
        why = give(r, REREAD_LIST, r->at, 0);
    if (why)
        return why;
    if (next_is(r, ']')) {
        if (r->strict)
            return "an empty list";
    } else {
        do {
            if (outermost)
                r->row = row++;
            why = value(r);
            if (why)
                return why;
        } while (next_is(r, ','));
        if (!next_is(r, ']'))
            return "a list without an end";
    }
    r->lists--;
    r->path_count = path;
    r->path[path] = '\0';
    return NULL;
}

static const char *value(struct reading *r)
{
    skip(r);
    if (r->at >= r->end)
        return "a value is missing";
    const char *text, *why;
    uint32_t count;
    switch (*r->at) {
    case '{':
    case '[':
        if (++r->depth > REREAD_DEPTH_MAX)
            return "deeper than can be read";
        r->at++;
        why = r->at[-1] == '{' ? object(r) : list(r);
        r->depth--;
        return why;
    case '"':
        r->at++;
        why = string(r, &text, &count);
        return why ? why : give(r, REREAD_TEXT, text, count);
    default:
        return *r->at == '-' || is_digit(*r->at) ? number(r) : word(r);
    }
}

const char *reread_json(const char *text, size_t count, bool strict, reread_fn fn, void *arg)
{
    struct reading r;
    r.at = text;
    r.end = text + count;
    r.strict = strict;
    r.depth = r.row = r.lists = r.key_count = r.path_count = 0;
    r.fn = fn;
    r.arg = arg;
    r.path[0] = '\0';
    skip(&r);
    if (r.at >= r.end || (*r.at != '{' && (strict || *r.at != '[')))
        return "not an object";
    const char *why = value(&r);
    if (why)
        return why;
    skip(&r);
    return r.at == r.end ? NULL : "bytes after its end";
}

static bool is_plain(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c && strchr("-_.~:/,", c));
}

static uint32_t plain(const char *at, const char *end)
{
    const char *from = at;
    while (at < end && is_plain(*at))
        at++;
    return (uint32_t)(at - from);
}

const char *reread_query(const char *text, size_t count, reread_fn fn, void *arg)
{
    const char *at = text, *end = text + count;
    char path[REREAD_PATH_BYTES];
    while (at < end) {
        uint32_t n = plain(at, end);
        if (!n || n >= sizeof path || at + n >= end || at[n] != '=')
            return "a query key that is none";
        memcpy(path, at, n);
        path[n] = '\0';
        at += n + 1;
        struct reread_value v = {.path = path, .kind = REREAD_TEXT, .text = at};
        v.count = plain(at, end);
        if (!fn(arg, &v))
            return TAKER;
        at += v.count;
        if (at == end)
            return NULL;
        if (*at++ != '&')
            return "a byte in a query that might be read otherwise";
    }
    return count ? "a query that ends with &" : NULL;
}

static bool is_token(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

const char *reread_head(const char *text, size_t count, reread_fn fn, void *arg)
{
    const char *at = text, *end = text + count;
    char path[REREAD_PATH_BYTES];
    while (at < end) {
        uint32_t n = 0;
        while (at + n < end && n + 2 < sizeof path && is_token(at[n]))
            n++;
        if (!n || end - at < (ptrdiff_t)n + 2 || at[n] != ':' || at[n + 1] != ' ')
            return "a head line that is none";
        memcpy(path, at, n + 1);
        path[n + 1] = '\0';
        at += n + 2;
        struct reread_value v = {.path = path, .kind = REREAD_TEXT, .text = at};
        while (at < end && *at >= 0x20 && *at < 0x7f)
            at++;
        v.count = (uint32_t)(at - v.text);
        if (end - at < 2 || at[0] != '\r' || at[1] != '\n')
            return "a head line without an end";
        at += 2;
        if (!fn(arg, &v))
            return TAKER;
    }
    return NULL;
}
