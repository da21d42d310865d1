/* SPDX-License-Identifier: Apache-2.0
 *
 * The C validator of the record schemas: reads a schema file of plugin-api/schema and says whether
 * a JSON value keeps to it, and where not. It knows the keywords that tools/gen/schema_types.py
 * knows and stops at any other, so that nothing in a schema is silently not checked.
 */
#ifndef SCHEMA_CHECK_H
#define SCHEMA_CHECK_H
#include <jansson.h>
#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct schema_check {
    json_t *root;
    char why[256]; /* the first thing that does not fit */
};

static inline bool schema_no(struct schema_check *c, const char *where, const char *what)
{
    if (c->why[0] == '\0')
        snprintf(c->why, sizeof c->why, "%.120s: %.100s", where, what);
    return false;
}

static inline bool schema_type_fits(const char *type, const json_t *v)
{
    return (strcmp(type, "object") == 0 && json_is_object(v)) ||
           (strcmp(type, "array") == 0 && json_is_array(v)) ||
           (strcmp(type, "string") == 0 && json_is_string(v)) ||
           (strcmp(type, "integer") == 0 && json_is_integer(v)) ||
           (strcmp(type, "number") == 0 && json_is_number(v)) ||
           (strcmp(type, "boolean") == 0 && json_is_boolean(v)) ||
           (strcmp(type, "null") == 0 && json_is_null(v));
}

static inline bool schema_types_fit(const json_t *types, const json_t *v)
{
    if (json_is_string(types))
        return schema_type_fits(json_string_value(types), v);
    size_t i;
    json_t *type;
    json_array_foreach((json_t *)(uintptr_t)types, i,
                       type) if (schema_type_fits(json_string_value(type), v)) return true;
    return false;
}

static inline bool schema_pattern_fits(const char *pattern, const char *text)
{
    regex_t re;
    if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    const bool fits = regexec(&re, text, 0, NULL, 0) == 0;
    regfree(&re);
    return fits;
}

static inline bool schema_is_known(const char *keyword)
{
    static const char *const known[] = {
        "$comment", "$schema",     "$id",      "$defs",      "$ref",
        "title",    "description", "type",     "properties", "required",
        "items",    "minItems",    "maxItems", "enum",       "const",
        "pattern",  "minimum",     "maximum",  "maxLength",  "additionalProperties"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(known[i], keyword) == 0)
            return true;
    return false;
}

static inline bool schema_fits(struct schema_check *c, json_t *schema, json_t *v,
                               const char *where);

static inline bool schema_object_fits(struct schema_check *c, json_t *schema, json_t *v,
                                      const char *where)
{
    json_t *properties = json_object_get(schema, "properties"), *name, *part;
    const char *key;
    size_t i;
    json_array_foreach(json_object_get(schema, "required"), i,
                       name) if (json_object_get(v, json_string_value(name)) ==
                                 NULL) return schema_no(c, where, json_string_value(name));
    json_object_foreach(v, key, part)
    {
        char place[160];
        snprintf(place, sizeof place, "%.100s.%.50s", where, key);
        json_t *inner = json_object_get(properties, key);
        if (inner == NULL)
            return schema_no(c, place, "not in the schema");
        if (!schema_fits(c, inner, part, place))
            return false;
    }
    return true;
}

static inline bool schema_array_fits(struct schema_check *c, json_t *schema, json_t *v,
                                     const char *where)
{
    json_t *least = json_object_get(schema, "minItems"),
           *most = json_object_get(schema, "maxItems");
    json_t *part;
    size_t i;
    if (least != NULL && (json_int_t)json_array_size(v) < json_integer_value(least))
        return schema_no(c, where, "too few items");
    if (most != NULL && (json_int_t)json_array_size(v) > json_integer_value(most))
        return schema_no(c, where, "too many items");
    json_array_foreach(v, i, part) if (!schema_fits(c, json_object_get(schema, "items"), part,
                                                    where)) return false;
    return true;
}

static inline bool schema_scalar_fits(struct schema_check *c, json_t *schema, json_t *v,
                                      const char *where)
{
    json_t *pattern = json_object_get(schema, "pattern"), *least, *most;
    json_t *longest = json_object_get(schema, "maxLength");
    if (json_is_string(v) && pattern != NULL &&
        !schema_pattern_fits(json_string_value(pattern), json_string_value(v)))
        return schema_no(c, where, "does not match the pattern");
    if (json_is_string(v) && longest != NULL &&
        (json_int_t)json_string_length(v) > json_integer_value(longest))
        return schema_no(c, where, "too long");
    least = json_object_get(schema, "minimum");
    most = json_object_get(schema, "maximum");
    if (json_is_number(v) && least != NULL && json_number_value(v) < json_number_value(least))
        return schema_no(c, where, "below the minimum");
    if (json_is_number(v) && most != NULL && json_number_value(v) > json_number_value(most))
        return schema_no(c, where, "above the maximum");
    return true;
}

static inline bool schema_values_fit(struct schema_check *c, json_t *schema, json_t *v,
                                     const char *where)
{
    json_t *only = json_object_get(schema, "const"), *values = json_object_get(schema, "enum");
    json_t *one;
    size_t i;
    bool found = values == NULL;
    if (only != NULL && !json_equal(only, v))
        return schema_no(c, where, "not the constant");
    json_array_foreach(values, i, one) found = found || json_equal(one, v);
    return found ? true : schema_no(c, where, "not one of the values");
}

static inline bool schema_fits(struct schema_check *c, json_t *schema, json_t *v, const char *where)
{
    const char *keyword;
    json_t *unused;
    json_object_foreach(schema, keyword,
                        unused) if (!schema_is_known(keyword)) return schema_no(c, where, keyword);
    json_t *reference = json_object_get(schema, "$ref");
    if (reference != NULL) {
        const char *name = strrchr(json_string_value(reference), '/') + 1;
        json_t *target = json_object_get(json_object_get(c->root, "$defs"), name);
        return target != NULL ? schema_fits(c, target, v, where)
                              : schema_no(c, where, "a reference to nothing");
    }
    json_t *types = json_object_get(schema, "type");
    if (types != NULL && !schema_types_fit(types, v))
        return schema_no(c, where, "of another type");
    if (!schema_values_fit(c, schema, v, where) || !schema_scalar_fits(c, schema, v, where))
        return false;
    if (json_is_object(v))
        return schema_object_fits(c, schema, v, where);
    return json_is_array(v) ? schema_array_fits(c, schema, v, where) : true;
}

/* True when the value keeps to the schema file's root; else c->why says where not. */
static inline bool schema_check(struct schema_check *c, json_t *root, json_t *v)
{
    c->root = root;
    c->why[0] = '\0';
    return schema_fits(c, root, v, "record");
}
#endif
