/* SPDX-License-Identifier: Apache-2.0
 *
 * Depth is counted over the raw bytes before the parser sees them: jansson recurses, and its own
 * limit of 2,048 levels is a compile-time matter of the distribution. Duplicate keys are refused,
 * since two readers of `{"on":true,"on":false}` would obey different ones.
 */
#include "gateway/frame.h"
#include <stdlib.h>
#include <string.h>
#include "base/must.h"

struct result frame_length(const uint8_t head[FRAME_HEAD_BYTES], uint32_t *count, struct trail *tr)
{
    uint32_t n = (uint32_t)head[0] | (uint32_t)head[1] << 8 | (uint32_t)head[2] << 16 |
                 (uint32_t)head[3] << 24;
    if (n == 0)
        return FAIL(tr, RANGE, "a frame of 0 bytes: a request has at least one");
    if (n > FRAME_MAX_BYTES)
        return FAIL(tr, TOO_LARGE, "a frame of %u bytes: at most %d are taken", n, FRAME_MAX_BYTES);
    *count = n;
    return OK_RESULT;
}

static uint32_t depth_of(const char *bytes, size_t count)
{
    uint32_t depth = 0, deepest = 0;
    bool text = false;
    for (size_t i = 0; i < count; i++) {
        if (text && bytes[i] == '\\')
            i++;
        else if (bytes[i] == '"')
            text = !text;
        else if (!text && (bytes[i] == '{' || bytes[i] == '['))
            deepest = ++depth > deepest ? depth : deepest;
        else if (!text && (bytes[i] == '}' || bytes[i] == ']') && depth > 0)
            depth--;
    }
    return deepest;
}

struct result frame_parse(const char *bytes, size_t count, json_t **out, struct trail *tr)
{
    must(bytes != NULL && out != NULL);
    json_error_t e;
    *out = NULL;
    uint32_t depth = depth_of(bytes, count);
    if (depth > FRAME_DEPTH_MAX)
        return FAIL(tr, RANGE, "JSON nested %u deep: at most %d levels are taken", depth,
                    FRAME_DEPTH_MAX);
    json_t *root = json_loadb(bytes, count, JSON_REJECT_DUPLICATES, &e);
    if (!root)
        return FAIL(tr, SYNTAX, "not JSON at byte %d: %s", e.position, e.text);
    if (!json_is_object(root)) {
        json_decref(root);
        return FAIL(tr, SYNTAX, "the JSON is not an object");
    }
    *out = root;
    return OK_RESULT;
}

struct result frame_make(const json_t *root, uint8_t **out, size_t *count, struct trail *tr)
{
    size_t body = json_dumpb(root, NULL, 0, JSON_COMPACT);
    if (body == 0)
        return FAIL(tr, BUG, "an answer could not be written as JSON");
    if (body > FRAME_MAX_BYTES)
        return FAIL(tr, TOO_LARGE, "a message of %zu bytes: at most %d fit a frame", body,
                    FRAME_MAX_BYTES);
    uint8_t *block = malloc(FRAME_HEAD_BYTES + body);
    if (!block)
        return FAIL(tr, FULL, "no memory for an answer of %zu bytes", body);
    for (int i = 0; i < FRAME_HEAD_BYTES; i++)
        block[i] = (uint8_t)(body >> (8 * i));
    size_t wrote = json_dumpb(root, (char *)block + FRAME_HEAD_BYTES, body, JSON_COMPACT);
    must(wrote == body);
    *out = block;
    *count = FRAME_HEAD_BYTES + body;
    return OK_RESULT;
}
