/* SPDX-License-Identifier: Apache-2.0
 *
 * Completion scripts for bash, zsh and fish. Each is one function that walks the words typed so
 * far, knows from the table which flags take a value, and then offers the verbs, flags, choices or
 * files that the parser would take at that place. They are plain scripts of the shell itself and
 * need no helper package (bash-completion).
 */
#include <string.h>
#include "base/must.h"
#include "gateway/help.h"

static bool takes_file(uint32_t type)
{
    return type == VALUE_FILE || type == VALUE_PATH || type == VALUE_DIR;
}

/* The nouns (or the verbs of one noun), each once, in table order. */
static void words(FILE *out, const char *noun)
{
    const char *sep = "";
    for (uint32_t c = 1; c < COMMAND_END; c++) {
        const struct command_row *r = command_row(c);
        if (noun && strcmp(r->noun, noun) != 0)
            continue;
        if (!noun && c > 1 && strcmp(command_row(c - 1)->noun, r->noun) == 0)
            continue;
        fprintf(out, "%s%s", sep, noun ? r->verb : r->noun);
        sep = " ";
    }
}

static void flag_words(FILE *out, uint32_t command)
{
    const char *sep = "";
    for (uint32_t f = 1; f < FLAG_END; f++) {
        if (!command_use(command, f))
            continue;
        fprintf(out, "%s--%s", sep, command_flag_row(f)->name);
        sep = " ";
    }
}

/* `--a|--b` of all flags with a value of a kind: files, folders, others, or all. */
enum values { VALUES_UNSET = 0, VALUES_ALL, VALUES_FILES, VALUES_DIRS, VALUES_FREE };
static void flag_pattern(FILE *out, enum values which)
{
    const char *sep = "";
    for (uint32_t f = 1; f < FLAG_END; f++) {
        uint32_t type = command_flag_row(f)->type;
        enum values is = !takes_file(type)   ? VALUES_FREE
                         : type == VALUE_DIR ? VALUES_DIRS
                                             : VALUES_FILES;
        if (type == VALUE_SWITCH || (which != VALUES_ALL && which != is))
            continue;
        fprintf(out, "%s--%s", sep, command_flag_row(f)->name);
        sep = "|";
    }
}

/* The part that bash and zsh share: which noun, verb and argument number we are at. */
static void walk_words(FILE *out, const char *array, const char *first, const char *last)
{
    fprintf(out,
            "    local noun= verb= args=0 i word\n"
            "    for ((i = %s; i < %s; i++)); do\n"
            "        word=${%s[i]}\n"
            "        case $word in\n        ",
            first, last, array);
    flag_pattern(out, VALUES_ALL);
    fputs(") ((i++)) ;;\n"
          "        -*) ;;\n"
          "        *)\n"
          "            if [[ -z $noun ]]; then noun=$word\n"
          "            elif [[ -z $verb ]]; then\n"
          "                case $noun in\n                ",
          out);
    const char *sep = "";
    for (uint32_t c = 1; c < COMMAND_END; c++) {
        if (!command_row(c)->verb[0] ||
            (c > 1 && strcmp(command_row(c - 1)->noun, command_row(c)->noun) == 0))
            continue;
        fprintf(out, "%s%s", sep, command_row(c)->noun);
        sep = "|";
    }
    fputs(") verb=$word ;;\n"
          "                *) verb=- args=1 ;;\n"
          "                esac\n"
          "            else ((args++))\n"
          "            fi ;;\n"
          "        esac\n"
          "    done\n",
          out);
}

/* One case per command: flags after a dash, else what its next argument takes. */
static void shell_cases(FILE *out, const char *offer, const char *files)
{
    fputs("    case \"$noun $verb\" in\n", out);
    for (uint32_t c = 1; c < COMMAND_END; c++) {
        const struct command_row *r = command_row(c);
        fprintf(out, "    \"%s %s\"%s)\n        if [[ $cur == -* ]]; then %s \"", r->noun, r->verb,
                r->verb[0] ? "" : "*", offer);
        flag_words(out, c);
        fputs("\"\n", out);
        const struct command_arg_row *a;
        for (uint32_t i = 0; (a = command_arg(c, i)) != NULL; i++) {
            if (a->choices[0])
                fprintf(out, "        elif ((args == %u)); then %s \"%s\"\n", i, offer, a->choices);
            else if (takes_file(a->type) || strcmp(a->meta, "PLUGIN") == 0)
                fprintf(out, "        elif ((args %s %u)); then %s\n", a->many ? ">=" : "==", i,
                        files);
            if (a->many)
                break;
        }
        fputs("        fi ;;\n", out);
    }
    fputs("    esac\n", out);
}

static void noun_cases(FILE *out, const char *offer)
{
    fprintf(out, "    if [[ -z $noun ]]; then\n        %s \"", offer);
    words(out, NULL);
    fputs("\"\n        return\n    fi\n", out);
    for (uint32_t c = 1; c < COMMAND_END; c++) {
        const char *noun = command_row(c)->noun;
        if (!command_row(c)->verb[0] || (c > 1 && strcmp(command_row(c - 1)->noun, noun) == 0))
            continue;
        fprintf(out, "    if [[ $noun == %s && -z $verb ]]; then\n        %s \"", noun, offer);
        words(out, noun);
        fputs("\"\n        return\n    fi\n", out);
    }
}

static void value_cases(FILE *out, const char *files, const char *dirs)
{
    fputs("    case $prev in\n    ", out);
    flag_pattern(out, VALUES_FILES);
    fprintf(out, ") %s; return ;;\n    ", files);
    flag_pattern(out, VALUES_DIRS);
    fprintf(out, ") %s; return ;;\n    ", dirs);
    flag_pattern(out, VALUES_FREE);
    fputs(") return ;;\n    esac\n", out);
}

static void bash(FILE *out)
{
    const char *files = "COMPREPLY=($(compgen -f -- \"$cur\"))";
    fputs("# tenon completion for bash: source <(tenon completion bash)\n"
          "_tenon_offer() { COMPREPLY=($(compgen -W \"$1\" -- \"$cur\")); }\n"
          "_tenon() {\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
          "    COMPREPLY=()\n",
          out);
    walk_words(out, "COMP_WORDS", "1", "COMP_CWORD");
    value_cases(out, files, "COMPREPLY=($(compgen -d -- \"$cur\"))");
    noun_cases(out, "_tenon_offer");
    shell_cases(out, "_tenon_offer", files);
    fputs("}\ncomplete -o filenames -F _tenon tenon\n", out);
}

static void zsh(FILE *out)
{
    fputs("#compdef tenon\n"
          "# tenon completion for zsh: source <(tenon completion zsh)\n"
          "_tenon_offer() { compadd -- ${=1}; }\n"
          "_tenon() {\n"
          "    local cur=${words[CURRENT]} prev=${words[CURRENT-1]}\n",
          out);
    walk_words(out, "words", "2", "CURRENT");
    value_cases(out, "_files", "_files -/");
    noun_cases(out, "_tenon_offer");
    shell_cases(out, "_tenon_offer", "_files");
    fputs("}\nif (( $+functions[compdef] )); then compdef _tenon tenon; fi\n", out);
}

static void fish_text(FILE *out, const char *text)
{
    fputc('\'', out);
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\')
            fputc('\\', out);
        fputc(*text, out);
    }
    fputs("'\n", out);
}

/* fish: the condition under which a line applies. */
static void fish_seen(FILE *out, uint32_t command)
{
    const struct command_row *r = command_row(command);
    fprintf(out, "complete -c tenon -n '__fish_seen_subcommand_from %s", r->noun);
    if (r->verb[0])
        fprintf(out, "; and __fish_seen_subcommand_from %s", r->verb);
    fputs("' ", out);
}

static void fish_flag(FILE *out, uint32_t flag)
{
    const struct command_flag_row *f = command_flag_row(flag);
    const char *value = f->type == VALUE_SWITCH ? "" : takes_file(f->type) ? " -r -F" : " -x";
    fprintf(out, "-l %s%s -d ", f->name, value);
}

static void fish_command(FILE *out, uint32_t c)
{
    const struct command_row *r = command_row(c);
    bool first = c == 1 || strcmp(command_row(c - 1)->noun, r->noun) != 0;
    if (first) {
        fprintf(out, "complete -c tenon -n __fish_use_subcommand -a %s -d ", r->noun);
        fish_text(out, r->verb[0] ? "several verbs" : r->text);
    }
    if (r->verb[0]) {
        fprintf(out,
                "complete -c tenon -n '__fish_seen_subcommand_from %s; and not "
                "__fish_seen_subcommand_from ",
                r->noun);
        words(out, r->noun);
        fprintf(out, "' -a %s -d ", r->verb);
        fish_text(out, r->text);
    }
    const struct command_arg_row *a;
    for (uint32_t i = 0; (a = command_arg(c, i)) != NULL; i++) {
        if (a->choices[0] || takes_file(a->type)) {
            fish_seen(out, c);
            if (a->choices[0])
                fprintf(out, "-a '%s'\n", a->choices);
            else
                fputs("-F\n", out);
        }
        if (a->many)
            break;
    }
    for (size_t i = 0; i < command_uses_count; i++) {
        if (command_uses[i].command != c)
            continue;
        fish_seen(out, c);
        fish_flag(out, command_uses[i].flag);
        fish_text(out, command_uses[i].text);
    }
}

static void fish(FILE *out)
{
    fputs("# tenon completion for fish: tenon completion fish | source\ncomplete -c tenon -f\n",
          out);
    for (uint32_t c = 1; c < COMMAND_END; c++)
        fish_command(out, c);
    for (size_t i = 0; i < command_uses_count; i++) {
        if (command_uses[i].command != COMMAND_UNSET)
            continue;
        fputs("complete -c tenon ", out);
        fish_flag(out, command_uses[i].flag);
        fish_text(out, command_uses[i].text);
    }
}

void help_completion(FILE *out, const char *shell)
{
    must(shell != NULL);
    if (strcmp(shell, "bash") == 0)
        bash(out);
    else if (strcmp(shell, "zsh") == 0)
        zsh(out);
    else
        fish(out);
}
