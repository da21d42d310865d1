/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of changes share: the signed fixture as text, changed in places, and parsed.
 */
#ifndef TESTS_DEPLOY_LIVE_H
#define TESTS_DEPLOY_LIVE_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "deploy/change.h"

/* The fixture's text; the caller frees it. */
__attribute__((unused)) static char *live_text(void)
{
    FILE *f = fopen(TENON_SOURCE_DIR "/tests/fixtures/deploy/live.yaml", "rb");
    assert_non_null(f);
    char *text = calloc(1, 1 << 16);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 16) - 1, f) > 0);
    fclose(f);
    return text;
}

/* The text with the first `from` replaced by `to`; takes it over. */
__attribute__((unused)) static char *live_replace(char *text, const char *from, const char *to)
{
    char *at = strstr(text, from);
    if (at == NULL)
        fail_msg("the text has no: %s", from);
    char *made = calloc(1, strlen(text) + strlen(to) + 1);
    assert_non_null(made);
    memcpy(made, text, (size_t)(at - text));
    strcat(made, to);
    strcat(made, at + strlen(from));
    free(text);
    return made;
}

__attribute__((unused)) static void live_parse(const char *text, struct deploy_doc *out)
{
    struct trail tr = {0};
    struct result r = deploy_parse(text, strlen(text), "next.yaml", NULL, out, &tr);
    if (!is_ok(r))
        fail_msg("%s", trail_sentence(&tr, r));
}

/* Pairs of from and to, ended by NULL, one after the other. */
struct live_edit {
    const char *from, *to;
};
__attribute__((unused)) static char *live_edited(const struct live_edit *edit)
{
    char *text = live_text();
    for (; edit->from != NULL; edit++)
        text = live_replace(text, edit->from, edit->to);
    return text;
}

/* The fixture as it is, and as edited. */
struct live {
    struct deploy_doc was, is;
    struct change change;
};
__attribute__((unused)) static struct live *live_new(const struct live_edit *edit)
{
    struct live *l = calloc(1, sizeof(*l));
    struct trail tr = {0};
    assert_non_null(l);
    char *was = live_text(), *is = live_edited(edit);
    live_parse(was, &l->was);
    live_parse(is, &l->is);
    free(was);
    free(is);
    assert_true(is_ok(change_find(&l->was, &l->is, &l->change, &tr)));
    return l;
}
#endif
