/*
 * options.h - every option of the command, described once.
 *
 * A verb lists the ids of the options it takes.  Parsing, --help, completion
 * and the check of the manual pages all read the same table, so that none of
 * them can know an option that the others do not.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include <envelope/context.h>
#include <envelope/error.h>

enum option_id {
    OPT_END = 0, /* ends a verb's list */
    /* every verb takes these */
    OPT_KEYRING,
    OPT_KEY_FILE,
    OPT_PASSPHRASE_FILE,
    OPT_PASSPHRASE_FD,
    OPT_UNLOCK,
    OPT_RECOVERY_FILE,
    OPT_ACCEPT_RING,
    OPT_JSON,
    OPT_QUIET,
    OPT_HELP,
    OPT_COMMON_END, /* not an option */
    OPT_ACTIVATE,
    OPT_ALLOW_NESTED,
    OPT_BASELINE,
    OPT_BY,
    OPT_BYTES,
    OPT_CANARY,
    OPT_CI,
    OPT_CONTEXT,
    OPT_DDL,
    OPT_ENCODING,
    OPT_ENV_FILE,
    OPT_EXCEPT,
    OPT_EXECUTE,
    OPT_EXPIRES,
    OPT_FORGET,
    OPT_FORM,
    OPT_IMPORT,
    OPT_INCIDENT,
    OPT_INPUT,
    OPT_JOB,
    OPT_KEEP,
    OPT_KID,
    OPT_LEAST,
    OPT_LOG,
    OPT_MASK,
    OPT_MEMLIMIT,
    OPT_METRICS_FILE,
    OPT_MODE,
    OPT_NAME,
    OPT_NAMES,
    OPT_NEW_KEY_FILE,
    OPT_NEW_PASSPHRASE,
    OPT_NEW_PASSPHRASE_FD,
    OPT_NEW_PASSPHRASE_FILE,
    OPT_NEW_PROVIDER,
    OPT_NO_WAIT,
    OPT_OPSLIMIT,
    OPT_OUT,
    OPT_OUTPUT,
    OPT_PAD,
    OPT_PASSPHRASE,
    OPT_PROVIDER,
    OPT_PREFIX,
    OPT_PUBLIC_KEY,
    OPT_RANDOM,
    OPT_READER,
    OPT_READERS,
    OPT_REASON,
    OPT_RECOVERY_PUBLIC,
    OPT_REPORTS,
    OPT_RETAIN_UNTIL,
    OPT_SARIF,
    OPT_SCOPE,
    OPT_SEAL,
    OPT_SECONDS,
    OPT_SHOW,
    OPT_SIGNATURE,
    OPT_SIGN_KEY,
    OPT_TAIL,
    OPT_TYPE,
    OPT_USE,
    OPT_VERIFY,
    OPT_WATCH,
    OPT_WITHIN,
    OPT_WORKERS,
    OPT_WRITE_BASELINE,
    OPT_YES,
    OPT_COUNT
};

/* One option as people read it. */
struct option_spec {
    const char *name;    /* without the two dashes                       */
    char letter;         /* 0: none                                      */
    const char *metavar; /* what its argument is; NULL: takes none       */
    const char *help;    /* one line                                     */
    const char *choices; /* NULL, or the words it takes, space-separated */
};

/* What was given.  All strings are borrowed from argv. */
struct options {
    const char *value[OPT_COUNT]; /* NULL: not given; a flag: ""  */
    const char *contexts[ENVL_CONTEXT_MAX_PAIRS + 1u];
    size_t context_count;
    char **operands; /* NULL-terminated */
    int operand_count;
};

/**
 * options_spec(id):
 * Describe option ${id}; NULL for the ids that end lists.
 */
const struct option_spec *options_spec(enum option_id id);

/**
 * options_parse(taken, argc, argv, out, err):
 * Parse ${argv} (argv[0] is skipped) for a verb that takes the options in
 * ${taken}, ended by OPT_END, and the common ones.  Fails with ENVL_E_USAGE;
 * the message never repeats what follows a '='.
 */
enum envl_status options_parse(const enum option_id *taken, int argc,
                               char **argv, struct options *out,
                               struct envl_error *err);

/**
 * options_refuse_secrets(argc, argv, err):
 * Fail with ENVL_E_USAGE if an argument is a connection string that carries a
 * password: argv is readable by everyone on the machine.
 */
enum envl_status options_refuse_secrets(int argc, char **argv,
                                        struct envl_error *err);

/* A whole number with its bounds. */
struct number_rule {
    enum option_id id;
    uint64_t least, most;
    uint64_t otherwise; /* if the option was not given */
};

/**
 * options_number(options, rule, out, err):
 * Read a decimal number.  Fails with ENVL_E_USAGE.
 */
enum envl_status options_number(const struct options *options,
                                struct number_rule rule, uint64_t *out,
                                struct envl_error *err);

/**
 * options_choice(options, id, otherwise, out, err):
 * Store which of the words of option ${id} was given (0 for the first), or
 * ${otherwise} if none was.  Fails with ENVL_E_USAGE and a suggestion.
 */
enum envl_status options_choice(const struct options *options,
                                enum option_id id, int otherwise, int *out,
                                struct envl_error *err);

/* The pairs of --context, in memory of its own. */
struct context_args {
    struct envl_pair pairs[ENVL_CONTEXT_MAX_PAIRS];
    struct envl_context context; /* of pairs */
};

/**
 * options_context(options, out, err):
 * Read every --context N=V into ${out} and check it (spec CTX).  ${out} must
 * not be moved afterwards.  Fails with ENVL_E_USAGE.
 */
enum envl_status options_context(const struct options *options,
                                 struct context_args *out,
                                 struct envl_error *err);

#endif /* CLI_OPTIONS_H */
