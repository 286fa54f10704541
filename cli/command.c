#include <stdio.h>
#include <string.h>

#include "command.h"
#include "suggest.h"

/* In the order in which a newcomer meets them. */
static const struct command *const commands[] = {
    &cmd_init, &cmd_key, &cmd_key_list, &cmd_key_add, &cmd_key_activate,
    &cmd_key_retire, &cmd_key_disable, &cmd_key_enable, &cmd_key_destroy,
    &cmd_key_report, &cmd_key_readers,
    &cmd_key_jobs, &cmd_key_backup, &cmd_key_restore, &cmd_unlock,
    &cmd_unlock_list, &cmd_unlock_add, &cmd_unlock_change, &cmd_unlock_remove,
    &cmd_unlock_recovery, &cmd_encrypt, &cmd_decrypt, &cmd_seal, &cmd_open,
    &cmd_inspect, &cmd_scan, &cmd_redact, &cmd_generate, &cmd_manifest,
    &cmd_manifest_sign,
    &cmd_manifest_verify, &cmd_run, &cmd_rewrap, &cmd_rotate,
    &cmd_plan, &cmd_migrate, &cmd_status, &cmd_pause, &cmd_resume, &cmd_set,
    &cmd_verify, &cmd_guard, &cmd_audit,
    &cmd_audit_show, &cmd_audit_verify, &cmd_audit_seal,
    &cmd_audit_check, &cmd_audit_key, &cmd_doctor, &cmd_selftest, &cmd_bench,
    &cmd_completion, &cmd_help, &cmd_version,
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(*commands))

const struct command *
command_at(size_t i)
{
    return i < COMMAND_COUNT ? commands[i] : NULL;
}

static const struct command *
look_up(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

bool
command_is_part(const struct command *command, const struct command *group)
{
    size_t len = strlen(group->name);

    return strncmp(command->name, group->name, len) == 0 &&
           command->name[len] == ' ';
}

/* The words that may stand after ${group}, or first of all. */
static size_t
list_words(const struct command *group, const char **words)
{
    size_t count = 0;

    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (group == NULL && strchr(commands[i]->name, ' ') == NULL)
            words[count++] = commands[i]->name;
        else if (group != NULL && command_is_part(commands[i], group))
            words[count++] = commands[i]->name + strlen(group->name) + 1;
    }
    return count;
}

static enum envl_status
unknown(const struct command *group, const char *word, struct envl_error *err)
{
    const char *words[COMMAND_COUNT], *near;
    const char *before = group != NULL ? group->name : "";
    const char *space = group != NULL ? " " : "";
    enum envl_status status;
    size_t count = list_words(group, words);

    status = envl_fail(err, ENVL_E_USAGE, "unknown command: %s%s%.40s", before,
                       space, word);
    near = suggest_nearest(word, words, count);
    if (near != NULL)
        envl_hint(err, "did you mean `envelope %s%s%s`?", before, space, near);
    else
        envl_hint(err, "`envelope help%s%s` lists the commands", space,
                  before);
    return status;
}

enum envl_status
command_find(const char *name, const struct command **out,
             struct envl_error *err)
{
    *out = look_up(name);
    return *out != NULL ? ENVL_OK : unknown(NULL, name, err);
}

enum envl_status
command_choose(int argc, char **argv, const struct command **out, int *used,
               struct envl_error *err)
{
    const struct command *first = look_up(argv[0]), *second;
    char name[64];

    if (first == NULL)
        return unknown(NULL, argv[0], err);
    *out = first;
    *used = 1;
    if (first->run != NULL || argc < 2 || argv[1][0] == '-')
        return ENVL_OK;
    snprintf(name, sizeof(name), "%s %s", first->name, argv[1]);
    if ((second = look_up(name)) == NULL)
        return unknown(first, argv[1], err);
    *out = second;
    *used = 2;
    return ENVL_OK;
}

/* "JOB [STAGE]": words, those in brackets may be left out, "..." is many. */
enum envl_status
command_check_operands(const struct command *command,
                       const struct options *options, struct envl_error *err)
{
    const char *what = command->operands != NULL ? command->operands : "";
    const bool many = strstr(what, "...") != NULL;
    const char *missing = NULL;
    enum envl_status status;
    int words = 0;

    for (const char *at = what; *at != '\0'; words++) {
        if (missing == NULL && at[0] != '[' && words >= options->operand_count)
            missing = at;
        at += strcspn(at, " ");
        at += strspn(at, " ");
    }
    if (missing != NULL)
        status = envl_fail(err, ENVL_E_USAGE, "%.*s is missing",
                           (int)strcspn(missing, " "), missing);
    else if (words == 0 && options->operand_count > 0)
        status = envl_fail(err, ENVL_E_USAGE, "no argument is taken here");
    else if (!many && options->operand_count > words)
        /* They are not repeated: one may be a secret in the wrong place. */
        status = envl_fail(err, ENVL_E_USAGE, "%d arguments are too many",
                           options->operand_count);
    else
        return ENVL_OK;
    envl_hint(err, "`envelope %s --help` shows how it is called",
              command->name);
    return status;
}
