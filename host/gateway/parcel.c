/* SPDX-License-Identifier: Apache-2.0
 *
 * See parcel.h. Reading refuses whatever the writer would not have written: members that are not
 * known, names that are none, base64 in another form than the canonical one. Nothing is decoded
 * before its length was looked at.
 */
#include "gateway/parcel.h"
#include <stdlib.h>
#include <string.h>
#include "base/base64.h"
#include "base/must.h"
#include "gateway/frame.h"

enum { AROUND = 16 * 1024 }; /* names, members, the rest of the request */
static_assert(BASE64_TEXT(PARCEL_FILE_MAX) +
                      BUNDLE_SIGNATURES_MAX * BASE64_TEXT(PARCEL_SIGNATURE_MAX) + AROUND <=
                  FRAME_MAX_BYTES,
              "the largest bundle fits a frame");

static struct result check_part(const struct bundle_part *p, size_t max, const char *what,
                                struct trail *tr)
{
    if (p->count > max)
        return FAIL(tr, TOO_LARGE,
                    "%s '%s' has %zu bytes, at most %zu can be handed to the host: make it smaller",
                    what, p->name, p->count, max);
    return OK_RESULT;
}

struct result parcel_check(const struct bundle *b, struct trail *tr)
{
    must(b->signature_count <= BUNDLE_SIGNATURES_MAX);
    TRY(check_part(&b->file, PARCEL_FILE_MAX, "the file", tr));
    for (uint32_t i = 0; i < b->signature_count; i++) {
        struct result rc =
            check_part(&b->signature[i], PARCEL_SIGNATURE_MAX, "the signature file", tr);
        if (!is_ok(rc))
            return rc;
    }
    return OK_RESULT;
}

static json_t *part_json(const struct bundle_part *p)
{
    char name[BUNDLE_NAME_BYTES];
    char *text = malloc(BASE64_TEXT(p->count) + 1);
    if (!text)
        return NULL;
    base64_print(p->bytes, p->count, text);
    text_escape(name, sizeof name, p->name, strlen(p->name));
    json_t *o = json_pack("{s:s, s:s}", "name", name, "base64", text);
    free(text);
    return o;
}

json_t *parcel_json(const struct bundle *b)
{
    json_t *list = json_array();
    int failed = 0;
    for (uint32_t i = 0; i < b->signature_count; i++)
        failed |= json_array_append_new(list, part_json(&b->signature[i]));
    json_t *o = json_pack("{s:o, s:o}", "file", part_json(&b->file), "signatures", list);
    if (failed == 0)
        return o;
    json_decref(o);
    return NULL;
}

static bool is_name(const char *name, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (name[i] < 0x20 || name[i] > 0x7e || name[i] == '/')
            return false;
    }
    return count > 0 && count < BUNDLE_NAME_BYTES;
}

static struct result read_part(const json_t *o, size_t max, const char *what,
                               struct bundle_part *out, struct trail *tr)
{
    const json_t *name = json_object_get(o, "name"), *text = json_object_get(o, "base64");
    size_t count = 0;
    if (!json_is_object(o) || json_object_size(o) != 2 || !json_is_string(name) ||
        !json_is_string(text))
        return FAIL(tr, SYNTAX, "%s of the bundle must have the texts `name` and `base64` only",
                    what);
    if (!is_name(json_string_value(name), json_string_length(name)))
        return FAIL(tr, SYNTAX,
                    "%s of the bundle has a `name` that is no file name of 1 to %d "
                    "printable ASCII characters",
                    what, BUNDLE_NAME_BYTES - 1);
    if (json_string_length(text) > BASE64_TEXT(max))
        return FAIL(tr, TOO_LARGE, "%s '%s' of the bundle has more than %zu bytes", what,
                    json_string_value(name), max);
    uint8_t *bytes = malloc(BASE64_ROOM(json_string_length(text)) + 1);
    must(bytes != NULL);
    bool is_right = base64_parse(json_string_value(text), json_string_length(text), bytes, &count);
    if (is_right)
        bundle_set(out, json_string_value(name), bytes, count);
    free(bytes);
    if (!is_right)
        return FAIL(tr, SYNTAX, "%s '%s' of the bundle is not canonical base64", what,
                    json_string_value(name));
    return OK_RESULT;
}

static struct result read_parts(const json_t *object, struct bundle *b, struct trail *tr)
{
    size_t i;
    json_t *one;
    json_t *list = json_object_get(object, "signatures");
    if (!json_is_object(object) || json_object_size(object) != 2 || !json_is_array(list))
        return FAIL(tr, SYNTAX, "`bundle` must have `file` and the list `signatures` only");
    if (json_array_size(list) > BUNDLE_SIGNATURES_MAX)
        return FAIL(tr, TOO_LARGE, "the bundle has %zu signature files, at most %d are taken",
                    json_array_size(list), BUNDLE_SIGNATURES_MAX);
    TRY(read_part(json_object_get(object, "file"), PARCEL_FILE_MAX, "the file", &b->file, tr));
    json_array_foreach(list, i, one)
    {
        struct result rc =
            read_part(one, PARCEL_SIGNATURE_MAX, "a signature file", &b->signature[i], tr);
        if (!is_ok(rc))
            return rc;
        b->signature_count++;
    }
    return OK_RESULT;
}

struct result parcel_read(const json_t *object, struct bundle **out, struct trail *tr)
{
    struct bundle *b = bundle_new();
    struct result rc = read_parts(object, b, tr);
    if (!is_ok(rc)) {
        bundle_free(b);
        b = NULL;
    }
    *out = b;
    return rc;
}
