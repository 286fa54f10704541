/* envelope completion: for bash, zsh and fish, out of the command table. */
#include <string.h>

#include "command.h"
#include "report.h"
#include "suggest.h"

/* Names of a table, separated by spaces: sub-verbs of ${group}, or verbs. */
static void
print_words(const struct command *group)
{
    const struct command *command;

    for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
        if (group == NULL && strchr(command->name, ' ') == NULL)
            report_print("%s ", command->name);
        else if (group != NULL && command_is_part(command, group))
            report_print("%s ", command->name + strlen(group->name) + 1);
    }
}

typedef void option_fn(const struct option_spec *spec);

static void
each_option(const struct command *command, option_fn *print)
{
    const enum option_id *id;

    for (id = command->options; id != NULL && *id != OPT_END; id++)
        print(options_spec(*id));
    for (int common = OPT_END + 1; common < OPT_COMMON_END; common++)
        print(options_spec((enum option_id)common));
}

/* ---- bash, and zsh through bashcompinit --------------------------------- */

static void
print_bash_option(const struct option_spec *spec)
{
    report_print("--%s ", spec->name);
}

static void
print_choices(void)
{
    for (int id = OPT_END + 1; id < OPT_COUNT; id++) {
        const struct option_spec *spec = options_spec((enum option_id)id);

        if (spec != NULL && spec->choices != NULL)
            report_print("    --%s) COMPREPLY=($(compgen -W '%s' -- "
                         "\"$cur\")); return ;;\n", spec->name,
                         spec->choices);
    }
}

static void
print_bash(void)
{
    const struct command *command;

    report_print("_envelope() {\n"
                 "    local cur=${COMP_WORDS[COMP_CWORD]}\n"
                 "    local prev=${COMP_WORDS[COMP_CWORD-1]}\n"
                 "    local verb=${COMP_WORDS[1]-} sub=${COMP_WORDS[2]-}\n"
                 "    local words=\n"
                 "    COMPREPLY=()\n"
                 "    case $prev in\n");
    print_choices();
    report_print("    esac\n"
                 "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
                 "        words='");
    print_words(NULL);
    report_print("'\n    else\n        case \"$verb $sub\" in\n");
    for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
        if (command->run == NULL)
            continue;
        report_print("        '%s'%s) words='", command->name,
                     strchr(command->name, ' ') ? "" : "' '*");
        each_option(command, print_bash_option);
        report_print("' ;;\n");
    }
    for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
        if (command->run != NULL)
            continue;
        report_print("        '%s '*) words='", command->name);
        print_words(command);
        report_print("' ;;\n");
    }
    report_print("        esac\n"
                 "        case $cur in -*) ;; *) case $words in\n"
                 "            -*) return ;; esac ;; esac\n"
                 "    fi\n"
                 "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
                 "}\n"
                 "complete -o default -F _envelope envelope\n");
}

static void
print_zsh(void)
{
    report_print("#compdef envelope\n"
                 "autoload -U +X bashcompinit && bashcompinit\n");
    print_bash();
}

/* ---- fish --------------------------------------------------------------- */

/* The words before which an option is offered. */
static const struct command *current;

static void
print_fish_option(const struct option_spec *spec)
{
    const char *space = strchr(current->name, ' ');

    report_print("complete -c envelope -n '__fish_seen_subcommand_from %.*s",
                 (int)strcspn(current->name, " "), current->name);
    if (space != NULL)
        report_print("; and __fish_seen_subcommand_from %s", space + 1);
    report_print("' -l %s", spec->name);
    if (spec->letter != 0)
        report_print(" -s %c", spec->letter);
    if (spec->metavar != NULL)
        report_print(" -r");
    if (spec->choices != NULL)
        report_print(" -f -a '%s'", spec->choices);
    report_print(" -d '%s'\n", spec->help);
}

static void
print_fish(void)
{
    for (size_t i = 0; (current = command_at(i)) != NULL; i++) {
        const char *space = strchr(current->name, ' ');

        if (space == NULL)
            report_print("complete -c envelope -n __fish_use_subcommand -a %s "
                         "-d '%s'\n", current->name, current->summary);
        else
            report_print("complete -c envelope -n "
                         "'__fish_seen_subcommand_from %.*s' -a %s -d '%s'\n",
                         (int)(space - current->name), current->name,
                         space + 1, current->summary);
        if (current->run != NULL)
            each_option(current, print_fish_option);
    }
}

static enum envl_status
run(struct cli *cli, struct envl_error *err)
{
    static const char *const shells[] = { "bash", "zsh", "fish" };
    const char *shell = cli->options.operands[0], *near;
    enum envl_status status = ENVL_OK;

    if (strcmp(shell, "bash") == 0) {
        print_bash();
    } else if (strcmp(shell, "zsh") == 0) {
        print_zsh();
    } else if (strcmp(shell, "fish") == 0) {
        print_fish();
    } else {
        status = envl_fail(err, ENVL_E_USAGE, "SHELL is bash, zsh or fish");
        if ((near = suggest_nearest(shell, shells, 3)) != NULL)
            envl_hint(err, "did you mean %s?", near);
    }
    return status;
}

const struct command cmd_completion = {
    .name = "completion",
    .run = run,
    .operands = "SHELL",
    .summary = "completion for bash, zsh or fish",
    .needs_nothing = true,
    .help = "Print a script that completes commands and options.",
    .examples =
        "envelope completion bash > "
        "~/.local/share/bash-completion/completions/envelope\n"
        "envelope completion fish > "
        "~/.config/fish/completions/envelope.fish",
};
