/* SPDX-License-Identifier: Apache-2.0
 *
 * Goal: help, manual page and completion scripts are whole and come from the command table.
 * Method: the help of every command is compared with a golden text (help.golden beside this file;
 * a mismatch leaves the new text in the build folder), scripts are given to the shell's own syntax
 * check and, for bash, run with a command line typed so far; the table's own rules are checked.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "gateway/help.h"

static char *everything(size_t *count)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, count);
    assert_non_null(out);
    help_all(out);
    help_noun(out, "plugin");
    for (uint32_t c = 1; c < COMMAND_END; c++) {
        fprintf(out, "---- %s\n", command_name(c));
        help_command(out, c);
    }
    fclose(out);
    return text;
}

static char *read_whole(const char *path, size_t *count)
{
    char *text = malloc(1024 * 1024);
    FILE *f = fopen(path, "r");
    assert_non_null(text);
    if (!f) {
        free(text);
        return NULL;
    }
    *count = fread(text, 1, 1024 * 1024 - 1, f);
    text[*count] = '\0';
    fclose(f);
    return text;
}

static void help_of_every_command_is_golden(void **state)
{
    size_t count = 0, golden_count = 0;
    char *text = everything(&count);
    char *golden = read_whole(TENON_SOURCE_DIR "/tests/unit/cli/help.golden", &golden_count);
    (void)state;
    if (!golden || strcmp(text, golden) != 0) {
        FILE *f = fopen(TENON_BINARY_DIR "/help.golden", "w");
        assert_non_null(f);
        fwrite(text, 1, count, f);
        fclose(f);
        fail_msg("help differs from help.golden; the new text is %s/help.golden", TENON_BINARY_DIR);
    }
    free(text);
    free(golden);
}

static void help_lines_fit_the_page(void **state)
{
    size_t count = 0;
    char *text = everything(&count);
    (void)state;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        if (strlen(line) > HELP_COLUMNS)
            fail_msg("%zu columns: %s", strlen(line), line);
        assert_true(line[strlen(line) - 1] != ' ');
    }
    free(text);
}

static void commands_table_keeps_its_rules(void **state)
{
    (void)state;
    for (uint32_t c = 1; c < COMMAND_END; c++) {
        const struct command_row *r = command_row(c);
        assert_int_equal(command_by_name(command_name(c)), c);
        assert_int_equal(command_find(r->noun, r->verb), c);
        assert_true(r->text[0] >= 'a' && r->text[0] <= 'z');
        assert_true(r->where == COMMAND_LOCAL || r->where == COMMAND_DAEMON);
        for (uint32_t d = c + 2; d < COMMAND_END; d++) { /* verbs of a noun stand together */
            if (strcmp(command_row(d)->noun, r->noun) == 0)
                assert_string_equal(command_row(d - 1)->noun, r->noun);
        }
    }
    for (uint32_t f = 1; f < FLAG_END; f++) { /* each flag is used, switches have no value */
        bool used = false;
        for (size_t i = 0; i < command_uses_count; i++)
            used = used || command_uses[i].flag == f;
        assert_true(used);
        assert_int_equal(command_flag_row(f)->type == VALUE_SWITCH,
                         command_flag_row(f)->meta[0] == '\0');
    }
    for (size_t i = 0; i < command_uses_count; i++) { /* a command has no two by one name */
        const char *name = command_flag_row(command_uses[i].flag)->name;
        assert_int_equal(command_flag_by_name(command_uses[i].command, name, strlen(name)),
                         command_uses[i].flag);
    }
    for (size_t i = 0; i < command_conflicts_count; i++) {
        assert_non_null(command_use(command_conflicts[i].command, command_conflicts[i].a));
        assert_non_null(command_use(command_conflicts[i].command, command_conflicts[i].b));
    }
}

static void command_nearest_prefers_few_edits(void **state)
{
    static const char *const known[] = {"status", "replay", "run", "auto"};
    (void)state;
    assert_string_equal(command_nearest("stats", known, 4), "status");
    assert_string_equal(command_nearest("repaly", known, 4), "replay");
    assert_string_equal(command_nearest("rnu", known, 4) ? "near" : "far", "far");
    assert_string_equal(command_nearest("ru", known, 4), "run");
    assert_null(command_nearest("", known, 4));
    assert_null(command_nearest("abcdefghijklmnopqrstuvwxyzabcdefghijklmnop", known, 4));
}

static char *memory_of(void (*print)(FILE *out, const char *arg), const char *arg)
{
    char *text = NULL;
    size_t count = 0;
    FILE *out = open_memstream(&text, &count);
    assert_non_null(out);
    print(out, arg);
    fclose(out);
    return text;
}

/* Runs `command` with text on its standard input; its exit status. */
static int feed(const char *command, const char *text)
{
    FILE *pipe = popen(command, "w");
    assert_non_null(pipe);
    fputs(text, pipe);
    return pclose(pipe);
}

static void completion_scripts_are_valid_shell(void **state)
{
    static const char *const shells[][2] = {
        {"bash", "bash -n"}, {"zsh", "zsh -n"}, {"fish", "fish --no-execute"}};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        char probe[64];
        char *script = memory_of(help_completion, shells[i][0]);
        snprintf(probe, sizeof probe, "command -v %s >/dev/null", shells[i][0]);
        if (system(probe) == 0)
            assert_int_equal(feed(shells[i][1], script), 0);
        else
            print_message("%s is not installed: its script was not checked\n", shells[i][0]);
        assert_non_null(strstr(script, "keep-positions"));
        free(script);
    }
}

/* What bash would offer after `words` (blank-separated, the last one under the cursor). */
static void offers(const char *words, const char *want)
{
    char *script = memory_of(help_completion, "bash");
    char check[1024];
    char *all = NULL;
    size_t count = 0;
    FILE *out = open_memstream(&all, &count);
    snprintf(check, sizeof check,
             "COMP_WORDS=(%s); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _tenon; "
             "got=\"${COMPREPLY[*]}\"; [[ $got == '%s' ]] || { echo \"offered: $got\"; exit 1; }\n",
             words, want);
    fprintf(out, "complete() { :; }\n%s%s", script, check);
    fclose(out);
    int status = feed("bash", all);
    if (status != 0)
        fail_msg("after '%s' bash does not offer '%s'", words, want);
    free(all);
    free(script);
}

static void completion_bash_offers_what_the_parser_takes(void **state)
{
    (void)state;
    offers("tenon st", "status");
    offers("tenon plugin ''", "check list show new build");
    offers("tenon --json journal ''", "verify cat archive prune");
    offers("tenon completion ''", "bash zsh fish");
    offers("tenon plugin new ''", "indicator strategy");
    offers("tenon plugin new indicator ''", "");
    offers("tenon risk kill --k", "--keep-positions");
    offers("tenon --socket /x status --j", "--json");
    offers("tenon run --for ''", "");
}

static void print_man(FILE *out, const char *unused)
{
    (void)unused;
    help_man(out);
}

static void man_page_names_every_command(void **state)
{
    char *page = memory_of(print_man, NULL);
    (void)state;
    assert_non_null(strstr(page, ".TH TENON 1"));
    for (uint32_t c = 1; c < COMMAND_END; c++) {
        char heading[64];
        snprintf(heading, sizeof heading, "\n.SS tenon %s", command_name(c));
        if (!strstr(page, heading))
            fail_msg("no section for %s", command_name(c));
    }
    if (system("command -v groff >/dev/null") == 0)
        assert_int_equal(feed("groff -man -ww -Tutf8 2>&1 >/dev/null | (! grep .)", page), 0);
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_of_every_command_is_golden),
        cmocka_unit_test(help_lines_fit_the_page),
        cmocka_unit_test(commands_table_keeps_its_rules),
        cmocka_unit_test(command_nearest_prefers_few_edits),
        cmocka_unit_test(completion_scripts_are_valid_shell),
        cmocka_unit_test(completion_bash_offers_what_the_parser_takes),
        cmocka_unit_test(man_page_names_every_command),
    };
    return cmocka_run_group_tests_name("help", tests, NULL, NULL);
}
