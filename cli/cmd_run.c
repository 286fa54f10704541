/* envelope run: one command, with the envelopes of an env file opened. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <envelope/envelope.h>

#include "command.h"
#include "core/child.h"
#include "env_file.h"
#include "explain.h"
#include "io.h"
#include "ring_session.h"

#define KEPT_MAX 512u
#define FIRST_FD 3

enum way { BY_ENV, BY_FD };

struct work {
    struct env_file file;
    struct ring_session session;
    enum way way;
    char *envp[ENV_FILE_ENTRIES + KEPT_MAX + 1];
    size_t env_count;
    int fds[ENV_FILE_ENTRIES];
    int fd_count;
};

/* ---- what the command sees ---------------------------------------------- */

static enum envl_status
put(struct work *work, char *variable, struct envl_error *err)
{
    if (variable == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory");
    work->envp[work->env_count++] = variable;
    return ENVL_OK;
}

static enum envl_status
put_value(struct work *work, const char *name, struct envl_bytes value,
          struct envl_error *err)
{
    const size_t before = strlen(name) + 1;
    char *text;

    if (memchr(value.ptr, '\0', value.len) != NULL) {
        envl_fail(err, ENVL_E_USAGE, "the value of %s holds a NUL: no "
                  "variable can", name);
        envl_hint(err, "--by fd hands it over in a file descriptor");
        return ENVL_E_USAGE;
    }
    if ((text = malloc(before + value.len + 1)) != NULL) {
        snprintf(text, before + 1, "%s=", name);
        memcpy(text + before, value.ptr, value.len);
        text[before + value.len] = '\0';
    }
    return put(work, text, err);
}

/* A file without a name, of which only the command has a descriptor. */
static enum envl_status
put_descriptor(struct work *work, const char *name, struct envl_bytes value,
               struct envl_error *err)
{
    int raw = memfd_create("envelope", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    /* Above those that it will have in the command. */
    int fd = raw < 0 ? -1 : fcntl(raw, F_DUPFD_CLOEXEC,
                                  FIRST_FD + (int)ENV_FILE_ENTRIES);
    enum envl_status status;
    char *text = NULL;

    if (raw >= 0)
        close(raw);
    if (fd < 0)
        return envl_fail(err, ENVL_E_IO, "no descriptor for %s: %s", name,
                         strerror(errno));
    work->fds[work->fd_count] = fd;
    status = io_write(fd, name, value, err);
    if (status == ENVL_OK &&
        (lseek(fd, 0, SEEK_SET) != 0 ||
         fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK |
                                    F_SEAL_SEAL) != 0))
        status = envl_fail(err, ENVL_E_IO, "no descriptor for %s", name);
    if (status == ENVL_OK &&
        asprintf(&text, "%s_FILE=/dev/fd/%d", name,
                 FIRST_FD + work->fd_count) < 0)
        text = NULL;
    work->fd_count++;
    return status == ENVL_OK ? put(work, text, err) : status;
}

/* ---- opening ------------------------------------------------------------ */

/* The pairs that were given, and the variable's name as the field. */
static enum envl_status
context_for(const struct context_args *given, const char *name,
            struct envl_pair *pairs, struct envl_context *out,
            struct envl_error *err)
{
    size_t count = given->context.count;

    for (size_t i = 0; i < count; i++) {
        pairs[i] = given->pairs[i];
        if (pairs[i].name.len == 5 &&
            strncmp((const char *)pairs[i].name.ptr, "field", 5) == 0)
            name = NULL;
    }
    if (name != NULL && count == ENVL_CONTEXT_MAX_PAIRS)
        return envl_fail(err, ENVL_E_LIMIT, "no room for the pair field=%s",
                         name);
    if (name != NULL)
        pairs[count++] = (struct envl_pair){ envl_bytes_of("field"),
                                             envl_bytes_of(name) };
    *out = (struct envl_context){ pairs, count };
    return ENVL_OK;
}

static enum envl_status
open_one(struct cli *cli, struct work *work, const struct env_entry *entry,
         const struct context_args *given, struct envl_error *err)
{
    const struct envl_open_options options = {
        .size = sizeof(options), .scope = cli->options.value[OPT_SCOPE]
    };
    struct envl_pair pairs[ENVL_CONTEXT_MAX_PAIRS + 1];
    struct envl_plain plain = ENVL_PLAIN_INIT;
    struct envl_context context;
    enum envl_status status;

    status = context_for(given, entry->name, pairs, &context, err);
    if (status == ENVL_OK)
        status = envl_open(work->session.ring, &options, &context,
                           entry->value, &plain, err);
    if (status == ENVL_OK)
        status = work->way == BY_FD
                     ? put_descriptor(work, entry->name,
                                      envl_buf_view(&plain.value), err)
                     : put_value(work, entry->name,
                                 envl_buf_view(&plain.value), err);
    else {
        if (status == ENVL_E_AUTH)
            envl_hint(err, "its context is field=%s and what --context says: "
                      "`envelope encrypt --context field=%s`", entry->name,
                      entry->name);
        explain_name(err, entry->name);
    }
    envl_plain_free(&plain);
    return status;
}

static enum envl_status
open_all(struct cli *cli, struct work *work, struct envl_error *err)
{
    struct context_args given;
    enum envl_status status = options_context(&cli->options, &given, err);

    if (status == ENVL_OK)
        status = ring_session_open(cli, &work->session, err);
    for (size_t i = 0; status == ENVL_OK && i < work->file.count; i++) {
        const struct env_entry *entry = &work->file.entries[i];

        status = entry->sealed
                     ? open_one(cli, work, entry, &given, err)
                     : put_value(work, entry->name, entry->value, err);
    }
    return status;
}

/* ---- what is kept of this environment ----------------------------------- */

static bool
is_listed(const char *list, const char *name, size_t len)
{
    while (list != NULL && *list != '\0') {
        const size_t word = strcspn(list, ",");

        if (word == len && strncmp(list, name, len) == 0)
            return true;
        list += word + (list[word] == ',');
    }
    return false;
}

/* spec: KEY-103: what is usual and harmless, and what was asked for. */
static bool
is_kept(const char *keep, const char *name, size_t len)
{
    static const char usual[] = "PATH,HOME,USER,LOGNAME,SHELL,LANG,LC_ALL,"
                                "LC_CTYPE,TZ,TERM,TMPDIR,PWD";

    if (strncmp(name, "ENVELOPE_", 9) == 0)
        return false;
    return is_listed(usual, name, len) || is_listed(keep, name, len) ||
           (keep != NULL && strcmp(keep, "all") == 0 &&
            strncmp(name, "LD_", 3) != 0);
}

static enum envl_status
keep_variables(struct cli *cli, struct work *work, struct envl_error *err)
{
    const char *keep = cli->options.value[OPT_KEEP];
    size_t kept = 0;

    for (char **variable = environ; *variable != NULL; variable++) {
        const size_t len = strcspn(*variable, "=");
        char name[256];
        enum envl_status status;

        if (len >= sizeof(name) || !is_kept(keep, *variable, len))
            continue;
        memcpy(name, *variable, len);
        name[len] = '\0';
        if (env_file_find(&work->file, name) != NULL)
            continue;
        if (kept++ == KEPT_MAX)
            return envl_fail(err, ENVL_E_LIMIT, "more than %u variables to "
                             "keep", KEPT_MAX);
        if ((status = put(work, strdup(*variable), err)) != ENVL_OK)
            return status;
    }
    return ENVL_OK;
}

/* ---- the command -------------------------------------------------------- */

/* An absolute path as it is; a bare name by the absolute folders of PATH. */
static enum envl_status
find_command(const char *name, char **out, struct envl_error *err)
{
    const char *at = getenv("PATH");
    struct stat st;

    if (name[0] == '/') {
        *out = strdup(name);
        return *out != NULL ? ENVL_OK
                            : envl_fail(err, ENVL_E_NOMEM, "out of memory");
    }
    while (strchr(name, '/') == NULL && at != NULL && *at != '\0') {
        const size_t len = strcspn(at, ":");
        char *path = NULL;

        if (*at == '/' && asprintf(&path, "%.*s/%s", (int)len, at, name) > 0 &&
            stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
            access(path, X_OK) == 0) {
            *out = path;
            return ENVL_OK;
        }
        free(path);
        at += len + (at[len] == ':');
    }
    envl_fail(err, ENVL_E_NOTFOUND, "no command '%s'", name);
    envl_hint(err, "give an absolute path, or a name that is on PATH");
    return ENVL_E_NOTFOUND;
}

static enum envl_status
become(struct cli *cli, struct work *work, struct envl_error *err)
{
    struct child_program program;
    enum envl_status status;
    char *path = NULL;

    status = find_command(cli->options.operands[0], &path, err);
    if (status == ENVL_OK)
        status = child_open(path, NULL, &program, err);
    if (status == ENVL_OK) {
        child_close(&program);
        ring_session_free(&work->session);
        for (int i = 0; i < work->fd_count; i++)
            if (dup2(work->fds[i], FIRST_FD + i) < 0)
                status = envl_fail(err, ENVL_E_IO, "no descriptor %d",
                                   FIRST_FD + i);
        io_restore_umask();
    }
    if (status == ENVL_OK)
        status = child_become(path, cli->options.operands, work->envp,
                              FIRST_FD + work->fd_count, err);
    free(path);
    return status;
}

static void
free_work(struct work *work)
{
    for (size_t i = 0; i < work->env_count; i++) {
        explicit_bzero(work->envp[i], strlen(work->envp[i]));
        free(work->envp[i]);
    }
    for (int i = 0; i < work->fd_count; i++)
        close(work->fds[i]);
    env_file_free(&work->file);
    ring_session_free(&work->session);
    free(work);
}

static enum envl_status
run(struct cli *cli, struct envl_error *err)
{
    const char *path = cli->options.value[OPT_ENV_FILE];
    struct work *work;
    enum envl_status status;
    int way;

    if (path == NULL)
        return envl_fail(err, ENVL_E_USAGE, "--env-file FILE is missing");
    if ((status = options_choice(&cli->options, OPT_BY, BY_ENV, &way, err)) !=
        ENVL_OK)
        return status;
    if ((work = calloc(1, sizeof(*work))) == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory");
    work->way = (enum way)way;
    if ((status = env_file_read(path, &work->file, err)) == ENVL_OK &&
        (status = open_all(cli, work, err)) == ENVL_OK &&
        (status = keep_variables(cli, work, err)) == ENVL_OK)
        status = become(cli, work, err);
    free_work(work);
    return status;
}

static const enum option_id options[] = {
    OPT_ENV_FILE, OPT_BY, OPT_KEEP, OPT_CONTEXT, OPT_SCOPE, OPT_END
};

const struct command cmd_run = {
    .name = "run",
    .run = run,
    .operands = "COMMAND...",
    .summary = "run one command with the secrets of an env file",
    .options = options,
    .help =
        "Open the envelopes in an env file, lines of NAME=VALUE, and become\n"
        "COMMAND with them: as variables, or with --by fd as descriptors that\n"
        "NAME_FILE=/dev/fd/N names. Each value's context is field=NAME and\n"
        "what --context says. If one does not open, nothing runs.\n\n"
        "COMMAND is an absolute path or on PATH, and only root or you may be\n"
        "able to change it. No shell takes part. It sees the variables of the\n"
        "file, PATH, HOME and their like, and what --keep lists (or all);\n"
        "it gains no privileges, leaves no core file, and has no descriptor\n"
        "of ours. Its exit code is this command's.",
    .examples =
        "envelope encrypt --context field=DB_PASSWORD < pw | sed "
        "'s/^/DB_PASSWORD=/' >> app.env\n"
        "envelope run --env-file app.env -- /usr/local/bin/app --port 8080\n"
        "envelope run --env-file app.env --by fd -- app",
};
