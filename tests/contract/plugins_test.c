/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: what was built keeps the contract, not only what was written. Method: every shared object
 * in the build's plugin folder is opened as it is; indicators and strategies run all cards of
 * plugin_cards.h, and two instances of two versions live side by side. Author code of a strategy
 * is counted: fewer than 50 lines.
 */
#include "tests/contract/plugin_cards.h"
#include <dirent.h>
#include <dlfcn.h>
#include "bays/bay.h"

enum { PLUGINS_MAX = 256 };

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names in the plugin folder, sorted, so that a failure is the same every time. */
static uint32_t list(char *name[PLUGINS_MAX])
{
    DIR *dir = opendir(TENON_PLUGIN_DIR);
    uint32_t count = 0;
    assert_non_null(dir);
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        const size_t n = strlen(e->d_name);
        if (n > 3 && strcmp(e->d_name + n - 3, ".so") == 0 && count < PLUGINS_MAX)
            name[count++] = strdup(e->d_name);
    }
    closedir(dir);
    qsort(name, count, sizeof name[0], by_name);
    return count;
}

/* Never closed, as in the host. */
static const struct tn_entry *open_plugin(const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", TENON_PLUGIN_DIR, name);
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (module == NULL)
        fail_msg("%s", dlerror());
    const struct tn_entry *entry = dlsym(module, "tn_entry");
    assert_non_null(entry);
    return entry;
}

static void plugins_all_built_keep_the_cards(void **state)
{
    (void)state;
    static const char *const ours[] = {
        "atr.so", "ema.so", "ema_cross-1.0.0.so", "ema_cross-1.1.0.so", "rsi.so", "sma.so"};
    char *name[PLUGINS_MAX];
    const uint32_t count = list(name);
    uint32_t found = 0, carded = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct tn_entry *entry = open_plugin(name[i]);
        const uint32_t kind = entry->manifest->kind;
        for (uint32_t k = 0; k < sizeof ours / sizeof ours[0]; k++)
            found += strcmp(ours[k], name[i]) == 0;
        if (kind == TN_KIND_INDICATOR || kind == TN_KIND_STRATEGY) {
            print_message("cards of %s\n", name[i]);
            cards_run(entry);
            carded++;
        }
        free(name[i]);
    }
    assert_int_equal(found, sizeof ours / sizeof ours[0]);
    assert_true(carded >= found);
}

static void plugins_all_built_are_loaded_by_the_host(void **state)
{
    (void)state;
    char *name[PLUGINS_MAX], path[4096];
    const uint32_t count = list(name);
    assert_true(count >= 6);
    for (uint32_t i = 0; i < count; i++) {
        struct bay_module *m = NULL;
        struct trail tr = {0};
        snprintf(path, sizeof path, "%s/%s", TENON_PLUGIN_DIR, name[i]);
        const struct result r = bay_load(path, NULL, &m, &tr); /* static checks, then the entry */
        if (!is_ok(r))
            fail_msg("%s: %s", name[i], trail_sentence(&tr, r));
        assert_int_equal(bay_module_facts(m)->manifest.data_bytes, 0);
        free(name[i]);
    }
}

static void plugins_two_versions_live_side_by_side(void **state)
{
    (void)state;
    const struct tn_entry *old = open_plugin("ema_cross-1.0.0.so");
    const struct tn_entry *new = open_plugin("ema_cross-1.1.0.so");
    assert_string_equal(old->manifest->id, new->manifest->id);
    assert_string_not_equal(old->manifest->version, new->manifest->version);
    struct card_stream *s = malloc(2 * sizeof *s);
    struct card_answers *a = calloc(3, sizeof *a);
    struct plugin_host h[3];
    assert_non_null(s);
    assert_non_null(a);
    card_stream_fill(&s[0], old->manifest, 1);
    card_stream_fill(&s[1], new->manifest, 1);
    void *one = card_make(&h[0], old), *two = card_make(&h[1], new);
    for (uint32_t i = 0; i < CARD_EVENTS; i++) { /* interleaved */
        assert_int_equal(card_give(old, one, &s[0], i, i + 1, &a[0]), TN_OK);
        assert_int_equal(card_give(new, two, &s[1], i, i + 1, &a[1]), TN_OK);
    }
    void *alone = card_make(&h[2], old);
    card_run(old, alone, &s[0], 0, CARD_EVENTS, CARD_EVENTS, &a[2]);
    card_answers_are_equal(&a[0], &a[2], 0, 0);
    assert_true(a[1].signal_count > 0);
    card_drop(&h[0], old, one);
    card_drop(&h[1], new, two);
    card_drop(&h[2], old, alone);
    free(a);
    free(s);
}

/* Lines that are neither empty nor part of the opening comment. */
static uint32_t author_lines(const char *path)
{
    char line[512];
    uint32_t count = 0;
    bool in_comment = true;
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f) != NULL) {
        if (!in_comment && line[strspn(line, " \t\n")] != '\0')
            count++;
        if (in_comment && strstr(line, "*/") != NULL)
            in_comment = false;
    }
    fclose(f);
    return count;
}

static void plugins_strategies_fit_in_fifty_lines(void **state)
{
    (void)state;
    static const char *const path[] = {TENON_SOURCE_DIR "/strategies/ema_cross/1.0.0/ema_cross.c",
                                       TENON_SOURCE_DIR "/strategies/ema_cross/1.1.0/ema_cross.c"};
    for (int i = 0; i < 2; i++) {
        const uint32_t lines = author_lines(path[i]);
        print_message("%s: %u lines\n", path[i] + sizeof TENON_SOURCE_DIR, lines);
        assert_in_range(lines, 20, 49);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plugins_all_built_keep_the_cards),
        cmocka_unit_test(plugins_all_built_are_loaded_by_the_host),
        cmocka_unit_test(plugins_two_versions_live_side_by_side),
        cmocka_unit_test(plugins_strategies_fit_in_fifty_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
