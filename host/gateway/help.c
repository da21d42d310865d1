/* SPDX-License-Identifier: Apache-2.0
 *
 * Help and manual page. Both walk the same rows as the parser, so a flag cannot exist in one and
 * not in the other. Sentences are wrapped at a fixed width instead of the terminal's: the output
 * is compared with a golden text, read in pagers, and quoted in the manual.
 */
#include "gateway/help.h"
#include <string.h>
#include <ctype.h>
#include "base/must.h"

/* Prints text from column `at`, wrapped, later lines indented to `indent`. Ends the line. */
static void wrap(FILE *out, const char *text, size_t at, size_t indent)
{
    while (*text) {
        size_t count = strcspn(text, " ");
        if (at + count > HELP_COLUMNS && at > indent) {
            fprintf(out, "\n%*s", (int)indent, "");
            at = indent;
        }
        at += (size_t)fprintf(out, "%.*s", (int)count, text);
        text += count;
        if (*text == ' ') {
            text++;
            if (at < HELP_COLUMNS && strcspn(text, " ") + at + 1 <= HELP_COLUMNS)
                at += (size_t)fprintf(out, " ");
        }
    }
    fputc('\n', out);
}

static void row(FILE *out, const char *left, const char *text, size_t indent)
{
    int n = fprintf(out, "  %s", left);
    must(n > 0);
    size_t at = (size_t)n;
    if (at + 2 > indent) {
        fputc('\n', out);
        at = 0;
    }
    fprintf(out, "%*s", (int)(indent - at), "");
    wrap(out, text, indent, indent);
}

static void flag_left(char *left, size_t bytes, uint32_t flag)
{
    const struct command_flag_row *f = command_flag_row(flag);
    const char *brief = flag == FLAG_HELP ? "-h, " : flag == FLAG_QUIET ? "-q, " : "";
    snprintf(left, bytes, "%s--%s%s%s", brief, f->name, f->meta[0] ? " " : "", f->meta);
}

static void arg_left(char *left, size_t bytes, const struct command_arg_row *a)
{
    snprintf(left, bytes, "%s%s%s%s", a->needed ? "" : "[", a->meta, a->needed ? "" : "]",
             a->many ? "..." : "");
}

static void usage(FILE *out, uint32_t command)
{
    fprintf(out, "tenon %s", command_name(command));
    for (size_t i = 0; i < command_uses_count; i++) {
        char left[64];
        if (command_uses[i].command != command || !command_uses[i].needed)
            continue;
        flag_left(left, sizeof left, command_uses[i].flag);
        fprintf(out, " %s", left);
    }
    for (size_t i = 0; i < command_args_count; i++) {
        char left[64];
        if (command_args[i].command != command)
            continue;
        arg_left(left, sizeof left, &command_args[i]);
        fprintf(out, " %s", left);
    }
    fprintf(out, " [FLAGS]\n");
}

enum { INDENT_COMMAND = 20, INDENT_FLAG = 24 };

void help_all(FILE *out)
{
    fprintf(out, "tenon: a trading host for plugins\n\nUsage: tenon COMMAND [ARGUMENTS] [FLAGS]\n\n"
                 "Commands\n");
    for (uint32_t c = 1; c < COMMAND_END; c++)
        row(out, command_name(c), command_row(c)->text, INDENT_COMMAND);
    fprintf(out, "\nFlags of every command\n");
    for (size_t i = 0; i < command_uses_count; i++) {
        char left[64];
        if (command_uses[i].command != COMMAND_UNSET)
            continue;
        flag_left(left, sizeof left, command_uses[i].flag);
        row(out, left, command_uses[i].text, INDENT_FLAG);
    }
    fprintf(out, "\nMore: tenon help COMMAND. Manual page: tenon help --man | man -l -\n");
}

void help_noun(FILE *out, const char *noun)
{
    must(command_noun_exists(noun));
    fprintf(out, "Usage: tenon %s VERB [ARGUMENTS] [FLAGS]\n\nVerbs\n", noun);
    for (uint32_t c = 1; c < COMMAND_END; c++) {
        if (strcmp(command_row(c)->noun, noun) == 0)
            row(out, command_row(c)->verb, command_row(c)->text, INDENT_COMMAND);
    }
    fprintf(out, "\nMore: tenon help %s VERB\n", noun);
}

static void help_args(FILE *out, uint32_t command)
{
    bool any = false;
    for (size_t i = 0; i < command_args_count; i++) {
        const struct command_arg_row *a = &command_args[i];
        char left[64], text[200];
        if (a->command != command)
            continue;
        if (!any)
            fprintf(out, "\nArguments\n");
        any = true;
        arg_left(left, sizeof left, a);
        snprintf(text, sizeof text, "%s%s%s", a->text, a->choices[0] ? "; one of: " : "",
                 a->choices);
        row(out, left, text, INDENT_FLAG);
    }
}

static void help_flags(FILE *out, uint32_t command, bool common)
{
    bool any = false;
    for (size_t i = 0; i < command_uses_count; i++) {
        const struct command_use_row *u = &command_uses[i];
        char left[64], text[200];
        if (u->command != (common ? COMMAND_UNSET : command))
            continue;
        if (!any)
            fprintf(out, "\n%s\n", common ? "Flags of every command" : "Flags");
        any = true;
        flag_left(left, sizeof left, u->flag);
        snprintf(text, sizeof text, "%s%s", u->text, u->needed ? " (needed)" : "");
        row(out, left, text, INDENT_FLAG);
    }
}

static const char common_exits[] = "0 done; 1 failed; 64 the command line is wrong; 70 internal";

void help_command(FILE *out, uint32_t command)
{
    const struct command_row *r = command_row(command);
    fprintf(out, "Usage: ");
    usage(out, command);
    fputc('\n', out);
    fputc(toupper((unsigned char)r->text[0]), out);
    wrap(out, r->text + 1, 1, 0);
    help_args(out, command);
    help_flags(out, command, false);
    help_flags(out, command, true);
    char text[300];
    snprintf(text, sizeof text, "%s%s%s", common_exits, r->exits[0] ? "; " : "", r->exits);
    fprintf(out, "\nExit codes\n  ");
    wrap(out, text, 2, 2);
    if (r->where == COMMAND_DAEMON)
        fprintf(out, "\nAsks the running host over its socket.\n");
}

/* ---- manual page ---- */
static void roff(FILE *out, const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", out);
    for (; *text; text++) {
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else
            fputc(*text, out);
    }
}

static void man_pair(FILE *out, const char *bold, const char *text)
{
    fputs(".TP\n.B ", out);
    roff(out, bold);
    fputc('\n', out);
    roff(out, text);
    fputc('\n', out);
}

static void man_command(FILE *out, uint32_t command)
{
    char left[96];
    fputs(".SS ", out);
    roff(out, "tenon ");
    roff(out, command_name(command));
    for (size_t i = 0; i < command_args_count; i++) {
        if (command_args[i].command != command)
            continue;
        arg_left(left, sizeof left, &command_args[i]);
        fputc(' ', out);
        roff(out, left);
    }
    fputc('\n', out);
    roff(out, command_row(command)->text);
    fputs(".\n", out);
    for (size_t i = 0; i < command_args_count; i++) {
        const struct command_arg_row *a = &command_args[i];
        char text[200];
        if (a->command != command)
            continue;
        snprintf(text, sizeof text, "%s%s%s", a->text, a->choices[0] ? "; one of: " : "",
                 a->choices);
        man_pair(out, a->meta, text);
    }
    for (size_t i = 0; i < command_uses_count; i++) {
        if (command_uses[i].command != command)
            continue;
        flag_left(left, sizeof left, command_uses[i].flag);
        man_pair(out, left, command_uses[i].text);
    }
    if (command_row(command)->exits[0])
        man_pair(out, "Exit codes", command_row(command)->exits);
}

void help_man(FILE *out)
{
    fprintf(out, ".TH TENON 1 \"\" \"tenon %s\" \"User Commands\"\n", TENON_VERSION);
    fputs(".SH NAME\ntenon \\- a trading host for plugins\n.SH SYNOPSIS\n.B tenon\n"
          ".I COMMAND\n[\\fIARGUMENTS\\fR] [\\fIFLAGS\\fR]\n.SH DESCRIPTION\n"
          "Data goes to standard output, messages go to standard error.\n.SH COMMANDS\n",
          out);
    for (uint32_t c = 1; c < COMMAND_END; c++)
        man_command(out, c);
    fputs(".SH FLAGS OF EVERY COMMAND\n", out);
    for (size_t i = 0; i < command_uses_count; i++) {
        char left[96];
        if (command_uses[i].command != COMMAND_UNSET)
            continue;
        flag_left(left, sizeof left, command_uses[i].flag);
        man_pair(out, left, command_uses[i].text);
    }
    fputs(".SH EXIT STATUS\n", out);
    roff(out, common_exits);
    fputs("; each command names its own.\n.SH ENVIRONMENT\n", out);
    man_pair(out, "NO_COLOR", "when set and not empty: no colours");
    man_pair(out, "XDG_RUNTIME_DIR", "where the host's socket is, unless --socket is given");
    man_pair(out, "XDG_STATE_HOME",
             "where journal and heads are, unless --journal and --heads are given");
    man_pair(out, "TENON_SHARE", "where the plugin templates and headers are");
}
