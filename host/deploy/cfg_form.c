/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of forms (keys.h) at work: readers that take bounds and defaults from a key's row, so
 * that what `tenon config explain` says is what the parser does, because it is the same row. The
 * rows are found by walking: a document has a few hundred values and is read once.
 */
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/must.h"
#include "deploy/cfg.h"

enum { WORDS_MAX = 4, WORD_BYTES = 16 };

static const struct {
    enum cfg_section section;
    enum cfg_value is;
    const char *key, *min, *max, *unit, *def, *example;
} form[] = {
#define X(in, name, is, min, max, unit, def, example)                                              \
    {CFG_IN_##in, CFG_IS_##is, #name, min, max, unit, def, example},
    CFG_FORMS(X)
#undef X
};
static const struct {
    enum cfg_section section;
    const char *key;
    enum cfg_shape shape;
    enum cfg_section below;
} nest[] = {
#define X(in, name, shape, below) {CFG_IN_##in, #name, CFG_##shape, CFG_IN_##below},
    CFG_NESTS(X)
#undef X
};
static const struct {
    enum cfg_section section;
    const char *key;
    uint8_t required;
    const char *text;
} sentence[] = {
#define X(in, name, req, text) {CFG_IN_##in, #name, req, text},
    CFG_KEYS(X)
#undef X
};

const char *cfg_value_text(enum cfg_value is)
{
    static const char *const text[] = {"unset",
#define X(name, words) words,
                                       CFG_VALUES(X)
#undef X
    };
    must((size_t)is < sizeof(text) / sizeof(text[0]));
    return text[is];
}

bool cfg_row(enum cfg_section section, const char *key, struct cfg_row *out)
{
    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < sizeof(form) / sizeof(form[0]); i++)
        if (form[i].section == section && strcmp(form[i].key, key) == 0)
            *out = (struct cfg_row){.is = form[i].is,
                                    .key = form[i].key,
                                    .min = form[i].min,
                                    .max = form[i].max,
                                    .unit = form[i].unit,
                                    .def = form[i].def,
                                    .example = form[i].example};
    for (size_t i = 0; i < sizeof(sentence) / sizeof(sentence[0]) && out->key != NULL; i++)
        if (sentence[i].section == section && strcmp(sentence[i].key, key) == 0) {
            out->text = sentence[i].text;
            out->is_required = sentence[i].required != 0;
        }
    return out->key != NULL;
}

bool cfg_nest(enum cfg_section section, const char *key, enum cfg_shape *shape,
              enum cfg_section *below)
{
    for (size_t i = 0; i < sizeof(nest) / sizeof(nest[0]); i++)
        if (nest[i].section == section && strcmp(nest[i].key, key) == 0) {
            *shape = nest[i].shape;
            *below = nest[i].below;
            return true;
        }
    return false;
}

/* The row, which must be of this kind: a reader of another one is our bug. */
static struct cfg_row need_row(enum cfg_section section, const char *key, enum cfg_value is)
{
    struct cfg_row row;
    must(cfg_row(section, key, &row));
    must(row.is == is);
    return row;
}

struct result cfg_read_decimal(const struct cfg_file *f, const struct cfg_node *map,
                               enum cfg_section section, const char *key, int exp, const char *unit,
                               int64_t *out)
{
    struct cfg_row row = need_row(section, key, CFG_IS_DECIMAL);
    const struct cfg_node *n = cfg_get(map, key);
    if (n == NULL) {
        must(is_ok(num_parse(row.def, strlen(row.def), exp, false, out)));
        return OK_RESULT;
    }
    return cfg_decimal(f, n, exp, row.min, row.max, unit != NULL ? unit : row.unit, out);
}

static int64_t duration(const char *text)
{
    int64_t ns = 0;
    must(is_ok(clock_parse_duration(text, strlen(text), &ns)));
    return ns;
}

struct result cfg_read_duration(const struct cfg_file *f, const struct cfg_node *map,
                                enum cfg_section section, const char *key, int64_t *out)
{
    struct cfg_row row = need_row(section, key, CFG_IS_DURATION);
    const struct cfg_node *n = cfg_get(map, key);
    if (n == NULL) {
        *out = duration(row.def);
        return OK_RESULT;
    }
    return cfg_duration(f, n, duration(row.min), duration(row.max), out);
}

struct result cfg_read_int(const struct cfg_file *f, const struct cfg_node *map,
                           enum cfg_section section, const char *key, int64_t *out)
{
    struct cfg_row row = need_row(section, key, CFG_IS_WHOLE);
    const struct cfg_node *n = cfg_get(map, key);
    if (n == NULL) {
        *out = strtoll(row.def, NULL, 10);
        return OK_RESULT;
    }
    return cfg_int(f, n, strtoll(row.min, NULL, 10), strtoll(row.max, NULL, 10), out);
}

struct result cfg_read_word(const struct cfg_file *f, const struct cfg_node *map,
                            enum cfg_section section, const char *key, uint32_t *out)
{
    struct cfg_row row = need_row(section, key, CFG_IS_WORD);
    char text[WORDS_MAX][WORD_BYTES];
    const char *words[WORDS_MAX], *p = row.unit;
    size_t count = 0;
    while (p[0] != 0) {
        size_t n = strcspn(p, " ");
        must(count < WORDS_MAX && n < WORD_BYTES);
        memcpy(text[count], p, n);
        text[count][n] = 0;
        words[count] = text[count];
        count++;
        p += n + (p[n] == ' ');
    }
    return cfg_choice(f, cfg_get(map, key), words, count, out);
}
