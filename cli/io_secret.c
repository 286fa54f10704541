/* Secrets and confirmations from a person, a file or a descriptor. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "core/file.h"
#include "io.h"

/* Give ${room} bytes of ${all} away as a secret of their own. */
static enum envl_status
shorten(struct envl_secret *all, size_t len, struct envl_secret **out,
        struct envl_error *err)
{
    enum envl_status status = envl_secret_new(len, out, err);

    if (status == ENVL_OK)
        memcpy(envl_secret_span(*out).ptr, envl_secret_bytes(all).ptr, len);
    return status;
}

static enum envl_status
read_secret(const struct io_source *source, struct envl_secret **out,
            struct envl_error *err)
{
    struct envl_secret *all = NULL;
    enum envl_status status;
    struct envl_span room;

    if ((status = envl_secret_new(IO_SECRET_MAX + 1, &all, err)) != ENVL_OK)
        goto out;
    room = envl_secret_span(all);
    if ((status = io_read(source, &room, err)) != ENVL_OK)
        goto out;
    if (room.len > IO_SECRET_MAX)
        status = envl_fail(err, ENVL_E_LIMIT, "the secret in %s is longer "
                           "than %u bytes", source->name, IO_SECRET_MAX);
    else if (room.len == 0 || (room.len == 1 && room.ptr[0] == '\n'))
        status = envl_fail(err, ENVL_E_USAGE, "the secret in %s is empty",
                           source->name);
    else
        status = shorten(all, room.len, out, err);
out:
    envl_secret_free(all);
    return status;
}

enum envl_status
io_secret_from_fd(const char *number, struct envl_secret **out,
                  struct envl_error *err)
{
    struct io_source source = { -1, "the descriptor" };

    if (strlen(number) > 4 || *number == '\0' ||
        number[strspn(number, "0123456789")] != '\0' ||
        strcmp(number, "1") == 0 || strcmp(number, "2") == 0)
        return envl_fail(err, ENVL_E_USAGE,
                         "a descriptor is a number, 0 or above 2");
    source.fd = (int)strtol(number, NULL, 10);
    if (fcntl(source.fd, F_GETFD) < 0) {
        enum envl_status status =
            envl_fail(err, ENVL_E_USAGE, "file descriptor %d is not open",
                      source.fd);

        envl_hint(err, "for example --passphrase-fd 3 3< FILE");
        return status;
    }
    return read_secret(&source, out, err);
}

enum envl_status
io_secret_from_file(const char *path, struct io_mounts mounts,
                    struct envl_secret **out, bool *exposed,
                    struct envl_error *err)
{
    const struct file_rules rules = { FILE_TRUSTED, "passphrase file",
                                      mounts.folders, mounts.count };
    struct io_source source = { -1, path };
    enum envl_status status;
    struct stat opened;

    status = file_open(path, &rules, &source.fd, &opened, err);
    if (status == ENVL_E_NOTFOUND && (err == NULL || err->hint[0] == '\0')) {
        envl_fail(err, status, "no passphrase file at '%s'", path);
        envl_hint(err, "name it: --passphrase-file, "
                       "ENVELOPE_PASSPHRASE_FILE");
    }
    if (status != ENVL_OK)
        return status;
    /* Root's are handed out readable under a secret mount. */
    *exposed = (opened.st_mode & 077) != 0 &&
               (opened.st_uid != 0 || geteuid() == 0);
    status = read_secret(&source, out, err);
    io_close_source(&source);
    return status;
}

enum envl_status
io_private_from_file(const char *path, const char *what,
                     struct io_mounts mounts, struct envl_secret **out,
                     struct envl_error *err)
{
    const struct file_rules rules = { FILE_PRIVATE, what, mounts.folders,
                                      mounts.count };
    struct io_source source = { -1, path };
    enum envl_status status;
    struct stat opened;

    status = file_open(path, &rules, &source.fd, &opened, err);
    if (status != ENVL_OK)
        return status;
    status = read_secret(&source, out, err);
    io_close_source(&source);
    return status;
}

/* ---- the terminal ------------------------------------------------------- */

static struct {
    int fd;
    struct termios was;
} terminal = { .fd = -1 };

/* A signal while typing: give the terminal its echo back, then die of it. */
static void
restore(int number)
{
    if (terminal.fd >= 0)
        tcsetattr(terminal.fd, TCSAFLUSH, &terminal.was);
    signal(number, SIG_DFL);
    raise(number);
}

static const int fatal[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
#define FATAL_COUNT (sizeof(fatal) / sizeof(*fatal))

static void
echo_off(struct sigaction *before)
{
    struct sigaction action = { .sa_handler = restore };
    struct termios quiet = terminal.was;

    for (size_t i = 0; i < FATAL_COUNT; i++)
        sigaction(fatal[i], &action, &before[i]);
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
    tcsetattr(terminal.fd, TCSAFLUSH, &quiet);
}

static void
echo_on(const struct sigaction *before)
{
    tcsetattr(terminal.fd, TCSAFLUSH, &terminal.was);
    for (size_t i = 0; i < FATAL_COUNT; i++)
        sigaction(fatal[i], &before[i], NULL);
}

/* One line; its length without the LF, or -1. */
static ssize_t
read_line(struct envl_span room)
{
    size_t len = 0;

    while (len < room.len) {
        ssize_t n = read(terminal.fd, room.ptr + len, 1);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        if (room.ptr[len] == '\n')
            return (ssize_t)len;
        len++;
    }
    return -1;
}

static void
ask(const char *prompt)
{
    (void)!write(terminal.fd, prompt, strlen(prompt));
}

static enum envl_status
open_terminal(struct envl_error *err)
{
    terminal.fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (terminal.fd < 0 || tcgetattr(terminal.fd, &terminal.was) != 0) {
        if (terminal.fd >= 0)
            close(terminal.fd);
        terminal.fd = -1;
        return envl_fail(err, ENVL_E_USAGE, "there is no terminal to ask on");
    }
    return ENVL_OK;
}

static void
close_terminal(void)
{
    close(terminal.fd);
    terminal.fd = -1;
}

static enum envl_status
ask_secret(const char *prompt, struct envl_secret **out,
           struct envl_error *err)
{
    struct sigaction before[FATAL_COUNT];
    struct envl_secret *line = NULL;
    enum envl_status status;
    ssize_t len;

    if ((status = envl_secret_new(IO_SECRET_MAX, &line, err)) != ENVL_OK)
        return status;
    echo_off(before);
    ask(prompt);
    ask(": ");
    len = read_line(envl_secret_span(line));
    echo_on(before);
    ask("\n");
    if (len <= 0)
        status = envl_fail(err, ENVL_E_USAGE, "nothing was typed");
    else
        status = shorten(line, (size_t)len, out, err);
    envl_secret_free(line);
    return status;
}

enum envl_status
io_secret_from_prompt(const char *prompt, bool again,
                      struct envl_secret **out, struct envl_error *err)
{
    struct envl_secret *first = NULL, *second = NULL;
    enum envl_status status;

    if ((status = open_terminal(err)) != ENVL_OK) {
        envl_hint(err, "give it by --passphrase-file FILE or "
                       "--passphrase-fd N");
        return status;
    }
    if ((status = ask_secret(prompt, &first, err)) != ENVL_OK)
        goto out;
    if (again) {
        if ((status = ask_secret("Again", &second, err)) != ENVL_OK)
            goto out;
        if (!envl_secret_equal(first, second)) {
            status = envl_fail(err, ENVL_E_USAGE, "the two differ");
            goto out;
        }
    }
    *out = first;
    first = NULL;
out:
    envl_secret_free(first);
    envl_secret_free(second);
    close_terminal();
    return status;
}

enum envl_status
io_confirm(const char *verb, const char *name, const char *yes,
           struct envl_error *err)
{
    uint8_t line[256];
    enum envl_status status;
    ssize_t len;

    if (yes != NULL) {
        if (strcmp(yes, name) == 0)
            return ENVL_OK;
        return envl_fail(err, ENVL_E_POLICY, "--yes=%s does not name %s", yes,
                         name);
    }
    if (open_terminal(err) != ENVL_OK) {
        status = envl_fail(err, ENVL_E_POLICY, "%s of %s is not confirmed",
                           verb, name);
        envl_hint(err, "say --yes=%s", name);
        return status;
    }
    ask("This cannot be undone. Type ");
    ask(name);
    ask(" to go on: ");
    len = read_line((struct envl_span){ line, sizeof(line) });
    close_terminal();
    if (len >= 0 && (size_t)len == strlen(name) &&
        strncmp((const char *)line, name, (size_t)len) == 0)
        return ENVL_OK;
    return envl_fail(err, ENVL_E_POLICY, "%s of %s was not confirmed", verb,
                     name);
}
