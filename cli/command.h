/*
 * command.h - the command's table of contents.
 *
 * One entry for each verb and sub-verb: how it is called, what it takes, what
 * it says of itself.  --help, completion and `envelope help` read it.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stddef.h>

#include <envelope/error.h>

#include "options.h"
#include "settings.h"

/* One run of the command. */
struct cli {
    const struct command *command;
    struct options options;
    struct settings settings;
};

/* Do it.  Results are reported by the verb, a failure by main. */
typedef enum envl_status command_fn(struct cli *cli, struct envl_error *err);

struct command {
    const char *name;     /* "encrypt", "key add"                       */
    command_fn *run;      /* NULL: only a heading for its sub-verbs     */
    const char *operands; /* "[FILE]": at most one; "FILE": one; "[FILE]...":
                             any number; "JOB [STAGE]": one or two; NULL:
                             none                                       */
    const char *summary;  /* one line                                   */
    const enum option_id *options; /* besides the common ones; NULL: none */
    bool needs_nothing;   /* works whatever the configuration says      */
    const char *help;     /* paragraphs                                 */
    const char *examples; /* lines, each a command                      */
};

/**
 * command_at(i):
 * The i-th entry, or NULL past the last.
 */
const struct command *command_at(size_t i);

/**
 * command_find(name, out, err):
 * Find an entry by its full name.  Fails with ENVL_E_USAGE and a suggestion.
 */
enum envl_status command_find(const char *name, const struct command **out,
                              struct envl_error *err);

/**
 * command_choose(argc, argv, out, used, err):
 * Find the entry that the words in ${argv} begin with; ${used} says how many
 * words named it.  Fails with ENVL_E_USAGE and a suggestion.
 */
enum envl_status command_choose(int argc, char **argv,
                                const struct command **out, int *used,
                                struct envl_error *err);

/**
 * command_is_part(command, group):
 * True if ${command} is a sub-verb of the heading ${group}.
 */
bool command_is_part(const struct command *command,
                     const struct command *group);

/**
 * command_check_operands(command, options, err):
 * Were as many operands given as ${command} takes?  Fails with ENVL_E_USAGE.
 */
enum envl_status command_check_operands(const struct command *command,
                                        const struct options *options,
                                        struct envl_error *err);

/**
 * help_print(command):
 * The --help of one entry; NULL: of the whole command.
 */
void help_print(const struct command *command);

/* In cmd_<verb>.c; command.c puts them in order. */
extern const struct command cmd_audit, cmd_audit_check,
    cmd_audit_key, cmd_audit_seal, cmd_audit_show, cmd_audit_verify,
    cmd_redact, cmd_scan,
    cmd_bench, cmd_completion, cmd_decrypt, cmd_doctor, cmd_encrypt, cmd_guard,
    cmd_generate,
    cmd_help, cmd_init, cmd_inspect, cmd_key, cmd_key_activate, cmd_key_add,
    cmd_key_backup, cmd_key_destroy, cmd_key_disable, cmd_key_enable,
    cmd_key_jobs, cmd_key_list, cmd_key_readers, cmd_key_report,
    cmd_key_restore, cmd_key_retire, cmd_manifest,
    cmd_manifest_sign, cmd_manifest_verify, cmd_migrate, cmd_open,
    cmd_pause, cmd_plan, cmd_resume, cmd_rewrap, cmd_rotate, cmd_seal,
    cmd_run, cmd_selftest, cmd_set, cmd_status,
    cmd_unlock, cmd_unlock_add, cmd_unlock_change, cmd_unlock_list,
    cmd_unlock_recovery, cmd_unlock_remove, cmd_verify, cmd_version;

#endif /* CLI_COMMAND_H */
