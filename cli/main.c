/*
 * main.c - the envelope command: find the verb, run it, report one error.
 */
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "command.h"
#include "io.h"
#include "report.h"
#include "signals.h"

/* Before anything secret is in memory: nobody may dump it. */
static void
harden(void)
{
    const struct rlimit none = { 0, 0 };

    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)setrlimit(RLIMIT_CORE, &none);
    io_guard_umask();
    io_guard_descriptors();
    /* A reader that goes away must not stop a verb that changes things. */
    signal(SIGPIPE, SIG_IGN);
}

/* Errors before the options are parsed must know how to speak, too. */
static bool
wants_json(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0)
            return true;
    return false;
}

/* How many arguments the option ${text}, standing before the verb, takes up;
   0 if it is none of the common ones. */
static int
width_of(const char *text)
{
    if (strcmp(text, "-q") == 0 || strcmp(text, "-h") == 0)
        return 1;
    for (int id = OPT_END + 1; id < OPT_COMMON_END; id++) {
        const struct option_spec *spec = options_spec((enum option_id)id);
        size_t len = strlen(spec->name);

        if (strncmp(text, "--", 2) != 0 ||
            strncmp(text + 2, spec->name, len) != 0)
            continue;
        if (text[2 + len] == '=')
            return 1;
        if (text[2 + len] == '\0')
            return spec->metavar != NULL ? 2 : 1;
    }
    return 0;
}

/*
 * Find the verb behind common options, take its words out of ${argv}, and
 * leave what an option parser expects.
 */
static enum envl_status
find_verb(int *argc, char **argv, const struct command **out,
          struct envl_error *err)
{
    enum envl_status status;
    int at = 1, used = 0;

    while (at < *argc && argv[at][0] == '-' && width_of(argv[at]) > 0)
        at += width_of(argv[at]);
    if (at >= *argc) {
        *out = NULL;
        return ENVL_OK;
    }
    if (argv[at][0] == '-')
        return envl_fail(err, ENVL_E_USAGE, "unknown option %.*s before the "
                         "command", (int)strcspn(argv[at], "="), argv[at]);
    status = command_choose(*argc - at, argv + at, out, &used, err);
    if (status != ENVL_OK)
        return status;
    memmove(argv + at, argv + at + used,
            (size_t)(*argc - at - used + 1) * sizeof(*argv));
    *argc -= used;
    return ENVL_OK;
}

static enum envl_status
run_command(struct cli *cli, struct envl_error *err)
{
    enum envl_status status;

    if (cli->command->run == NULL) {
        status = envl_fail(err, ENVL_E_USAGE, "%s wants one more word",
                           cli->command->name);
        envl_hint(err, "`envelope %s --help` lists them", cli->command->name);
        return status;
    }
    status = command_check_operands(cli->command, &cli->options, err);
    if (status != ENVL_OK)
        return status;
    if (!cli->command->needs_nothing &&
        (status = settings_load(&cli->options, &cli->settings, err)) !=
            ENVL_OK)
        return status;
    return cli->command->run(cli, err);
}

static enum envl_status
run(int argc, char **argv, struct cli *cli, struct envl_error *err)
{
    static char version_verb[] = "version";
    enum envl_status status, flushed;

    report_init(wants_json(argc, argv), false);
    if (argc == 2 && strcmp(argv[1], "--version") == 0)
        argv[1] = version_verb;
    if ((status = options_refuse_secrets(argc, argv, err)) != ENVL_OK ||
        (status = find_verb(&argc, argv, &cli->command, err)) != ENVL_OK ||
        (status = options_parse(cli->command != NULL ? cli->command->options
                                                     : NULL,
                                argc, argv, &cli->options, err)) != ENVL_OK)
        return status;

    report_init(cli->options.value[OPT_JSON] != NULL,
                cli->options.value[OPT_QUIET] != NULL);
    if (cli->options.value[OPT_HELP] != NULL) {
        help_print(cli->command);
    } else if (cli->command == NULL) {
        status = envl_fail(err, ENVL_E_USAGE, "no command is given");
        envl_hint(err, "`envelope help` lists the commands, `envelope init` "
                       "makes a first keyring");
    } else {
        status = run_command(cli, err);
    }
    flushed = report_flush(status == ENVL_OK ? err : NULL);
    return status == ENVL_OK ? flushed : status;
}

int
main(int argc, char **argv)
{
    struct envl_error err = { .status = ENVL_OK };
    struct cli cli = { 0 };
    enum envl_status status;

    harden();
    status = run(argc, argv, &cli, &err);
    if (status != ENVL_OK)
        report_error(&err);
    settings_free(&cli.settings);
    return signals_exit_code(status);
}
