/* --help: the command table, for people. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "report.h"

#define WIDTH  79u
#define COLUMN 30 /* where the explanations begin, after two spaces */

/* The explanation, broken between words. */
static void
print_wrapped(const char *text)
{
    const size_t room = WIDTH - COLUMN - 3;

    while (strlen(text) > room) {
        size_t len = room;

        while (len > 0 && text[len] != ' ')
            len--;
        if (len == 0)
            break;
        report_print("%.*s\n  %*s ", (int)len, text, COLUMN, "");
        text += len + 1;
    }
    report_print("%s\n", text);
}

static void
print_option(enum option_id id)
{
    const struct option_spec *spec = options_spec(id);
    char left[64];

    snprintf(left, sizeof(left), "%c%c%s--%s%s%s",
             spec->letter ? '-' : ' ', spec->letter ? spec->letter : ' ',
             spec->letter ? ", " : "  ", spec->name,
             spec->metavar ? " " : "", spec->metavar ? spec->metavar : "");
    report_print("  %-*s ", COLUMN, left);
    print_wrapped(spec->help);
}

static void
print_all(void)
{
    const struct command *command;

    report_print("usage: envelope COMMAND [OPTION]... [ARGUMENT]...\n\n"
                 "Seal secrets into envelopes that are bound to their place, "
                 "and rotate the keys.\n\n");
    for (size_t i = 0; (command = command_at(i)) != NULL; i++)
        if (strchr(command->name, ' ') == NULL)
            report_print("  %-12s %s\n", command->name, command->summary);
    report_print("\n`envelope COMMAND --help` explains one, `envelope help "
                 "TOPIC` more:\nexit-codes, environment, files, "
                 "providers, context, formats\n");
}

static void
print_parts(const struct command *group)
{
    const struct command *command;

    for (size_t i = 0; (command = command_at(i)) != NULL; i++)
        if (command_is_part(command, group))
            report_print("  %-18s %s\n", command->name, command->summary);
    report_print("\n");
}

/* Each line of examples is a command, or a remark after '#'. */
static void
print_examples(const char *examples)
{
    report_print("\nexamples:\n");
    while (*examples != '\0') {
        size_t len = strcspn(examples, "\n");

        report_print("  %.*s\n", (int)len, examples);
        examples += len + (examples[len] == '\n');
    }
}

void
help_print(const struct command *command)
{
    if (command == NULL) {
        print_all();
        return;
    }
    report_print("usage: envelope %s%s%s%s\n\n%s\n", command->name,
                 command->run != NULL ? " [OPTION]..." : " COMMAND",
                 command->operands != NULL ? " " : "",
                 command->operands != NULL ? command->operands : "",
                 command->help);
    if (command->run == NULL) {
        report_print("\n");
        print_parts(command);
        report_print("`envelope %s COMMAND --help` explains one.\n",
                     command->name);
    }
    if (command->options != NULL && *command->options != OPT_END) {
        report_print("\noptions:\n");
        for (const enum option_id *id = command->options; *id != OPT_END;
             id++)
            print_option(*id);
    }
    if (command->run != NULL) {
        report_print("\noptions of every command:\n");
        for (int id = OPT_END + 1; id < OPT_COMMON_END; id++)
            print_option((enum option_id)id);
    }
    if (command->examples != NULL)
        print_examples(command->examples);
}
