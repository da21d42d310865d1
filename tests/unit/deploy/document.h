/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of deploy/ share: the valid fixture changed in one place, written to a file of a
 * short relative name (so that whole sentences can be compared), and read.
 */
#ifndef TESTS_DEPLOY_DOCUMENT_H
#define TESTS_DEPLOY_DOCUMENT_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "deploy/deploy.h"

#define FIXTURES TENON_SOURCE_DIR "/tests/fixtures/deploy/"
#define TABLE FIXTURES "instruments.yaml"
#define DOC_FILE "d.yaml"

/* A folder of the test's own, and into it. */
static char document_folder[] = "deploy-XXXXXX";

__attribute__((unused)) static int document_setup(void **state)
{
    (void)state;
    return chdir(TENON_BINARY_DIR) != 0 || mkdtemp(document_folder) == NULL ||
           chdir(document_folder) != 0;
}

__attribute__((unused)) static int document_teardown(void **state)
{
    (void)state;
    unlink(DOC_FILE);
    return chdir("..") != 0 || rmdir(document_folder) != 0;
}

/* Whole file, NUL added; the caller frees. */
__attribute__((unused)) static char *document_slurp(const char *path, size_t *count)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    char *text = calloc(1, 1 << 20);
    assert_non_null(text);
    size_t n = fread(text, 1, (1 << 20) - 1, f);
    fclose(f);
    if (count != NULL)
        *count = n;
    return text;
}

__attribute__((unused)) static void document_write(const void *bytes, size_t count)
{
    FILE *f = fopen(DOC_FILE, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, count, f), count);
    assert_int_equal(fclose(f), 0);
}

/* The fixture with the first `from` replaced by `to`, into DOC_FILE. */
__attribute__((unused)) static void document_change(const char *from, const char *to)
{
    char *text = document_slurp(FIXTURES "valid.yaml", NULL);
    char *at = strstr(text, from);
    assert_non_null(at);
    char *made = calloc(1, strlen(text) + strlen(to) + 1);
    assert_non_null(made);
    memcpy(made, text, (size_t)(at - text));
    strcat(made, to);
    strcat(made, at + strlen(from));
    document_write(made, strlen(made));
    free(made);
    free(text);
}

static struct deploy_doc document_read;

__attribute__((unused)) static bool document_is_zero(void)
{
    const uint8_t *p = (const uint8_t *)&document_read;
    for (size_t i = 0; i < sizeof(document_read); i++)
        if (p[i] != 0)
            return false;
    return true;
}

/* DOC_FILE is refused with exactly this sentence, and nothing of it is kept. */
__attribute__((unused)) static void document_refused(const char *sentence)
{
    struct trail tr = {0};
    memset(&document_read, 0x55, sizeof(document_read));
    struct result r = deploy_read(DOC_FILE, TABLE, &document_read, &tr);
    assert_false(is_ok(r));
    assert_string_equal(trail_sentence(&tr, r), sentence);
    assert_true(document_is_zero());
}

__attribute__((unused)) static void document_change_refused(const char *from, const char *to,
                                                            const char *sentence)
{
    document_change(from, to);
    document_refused(sentence);
}

__attribute__((unused)) static const struct deploy_doc *document_accepted(void)
{
    struct trail tr = {0};
    struct result r = deploy_read(DOC_FILE, TABLE, &document_read, &tr);
    if (!is_ok(r))
        fail_msg("%s", trail_sentence(&tr, r));
    return &document_read;
}
#endif
