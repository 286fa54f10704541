#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/random.h"
#include "io.h"
#include "outfile.h"

/* ---- a temporary name, removed by a signal ------------------------------ */

/* The one that is open; set before the file is made. */
static char *volatile pending;

static void
remove_pending(int number)
{
    if (pending != NULL)
        unlink(pending);
    _exit(128 + number);
}

static void
watch_signals(void)
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
    struct sigaction action = { .sa_handler = remove_pending }, was;

    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        if (sigaction(numbers[i], NULL, &was) == 0 &&
            was.sa_handler == SIG_DFL)
            sigaction(numbers[i], &action, NULL);
}

/* ${folder}/.envelope-XXXXXXXXXXXXXXXX */
static enum envl_status
name_temp(struct outfile *file, struct envl_error *err)
{
    uint8_t random[8];
    enum envl_status status;

    status = random_fill((struct envl_span){ random, sizeof(random) }, err);
    if (status != ENVL_OK)
        return status;
    if (asprintf(&file->temp,
                 "%s/.envelope-%02x%02x%02x%02x%02x%02x%02x%02x",
                 file->folder, random[0], random[1], random[2], random[3],
                 random[4], random[5], random[6], random[7]) < 0) {
        file->temp = NULL;
        return envl_fail(err, ENVL_E_NOMEM, "out of memory");
    }
    return ENVL_OK;
}

/* ---- opening ------------------------------------------------------------ */

static enum envl_status
open_nameless(struct outfile *file, struct envl_error *err)
{
    enum envl_status status;

    file->fd = open(file->folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file->fd >= 0)
        return ENVL_OK;
    if (errno == ENOENT || errno == ENOTDIR)
        return envl_fail(err, ENVL_E_NOTFOUND, "no such folder: %s",
                         file->folder);
    if (errno == EACCES || errno == EROFS)
        return envl_fail(err, ENVL_E_IO, "cannot write in %s: %s",
                         file->folder, strerror(errno));
    /* This file system has no nameless files. */
    if ((status = name_temp(file, err)) != ENVL_OK)
        return status;
    watch_signals();
    pending = file->temp;
    file->fd = open(file->temp,
                    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    0600);
    if (file->fd < 0)
        return envl_fail(err, ENVL_E_IO, "cannot write in %s: %s",
                         file->folder, strerror(errno));
    return ENVL_OK;
}

static char *
folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL)
        return strdup(".");
    if (slash == path)
        return strdup("/");
    return strndup(path, (size_t)(slash - path));
}

static enum envl_status
open_in_place(struct outfile *file, struct envl_error *err)
{
    file->fd = open(file->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (file->fd < 0)
        return envl_fail(err, ENVL_E_IO, "cannot open %s: %s", file->path,
                         strerror(errno));
    return ENVL_OK;
}

enum envl_status
outfile_open(const char *path, struct outfile *out, struct envl_error *err)
{
    struct outfile file = OUTFILE_INIT;
    enum envl_status status;
    struct stat here;

    file.path = path;
    if (path == NULL || strcmp(path, "-") == 0) {
        file.fd = STDOUT_FILENO;
        file.path = "standard output";
        *out = file;
        return ENVL_OK;
    }
    if (*path == '\0' || path[strlen(path) - 1] == '/' ||
        (stat(path, &here) == 0 && S_ISDIR(here.st_mode)))
        return envl_fail(err, ENVL_E_USAGE, "the output %s is a folder", path);
    if (stat(path, &here) == 0 && !S_ISREG(here.st_mode)) {
        status = open_in_place(&file, err);
    } else if (lstat(path, &here) == 0 && S_ISLNK(here.st_mode)) {
        status = envl_fail(err, ENVL_E_POLICY, "the output %s is a link",
                           path);
        envl_hint(err, "name the file that it points to");
    } else if ((file.folder = folder_of(path)) == NULL) {
        status = envl_fail(err, ENVL_E_NOMEM, "out of memory");
    } else {
        status = open_nameless(&file, err);
    }
    if (status != ENVL_OK) {
        outfile_free(&file);
        return status;
    }
    *out = file;
    return ENVL_OK;
}

bool
outfile_is_terminal(const struct outfile *file)
{
    return file->folder == NULL && isatty(file->fd);
}

enum envl_status
outfile_write(struct outfile *file, struct envl_bytes bytes,
              struct envl_error *err)
{
    return io_write(file->fd, file->path, bytes, err);
}

enum envl_status
outfile_keep(struct outfile *file, const struct stat *like,
             struct envl_error *err)
{
    struct stat now;

    if (fstat(file->fd, &now) == 0 &&
        (now.st_uid == like->st_uid && now.st_gid == like->st_gid)
            ? fchmod(file->fd, like->st_mode & 07777) == 0
            : fchown(file->fd, like->st_uid, like->st_gid) == 0 &&
              fchmod(file->fd, like->st_mode & 07777) == 0)
        return ENVL_OK;
    return envl_fail(err, ENVL_E_IO, "cannot keep owner and mode of %s: %s",
                     file->path, strerror(errno));
}

/* ---- appearing ---------------------------------------------------------- */

static enum envl_status
give_name(struct outfile *file, struct envl_error *err)
{
    enum envl_status status;
    char self[40];

    if (file->temp != NULL)
        return ENVL_OK;
    if ((status = name_temp(file, err)) != ENVL_OK)
        return status;
    watch_signals();
    pending = file->temp;
    snprintf(self, sizeof(self), "/proc/self/fd/%d", file->fd);
    if (linkat(AT_FDCWD, self, AT_FDCWD, file->temp, AT_SYMLINK_FOLLOW) != 0)
        return envl_fail(err, ENVL_E_IO, "cannot write in %s: %s",
                         file->folder, strerror(errno));
    return ENVL_OK;
}

static void
sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0) {
        (void)fsync(fd); /* the file is there; some systems cannot do this */
        close(fd);
    }
}

enum envl_status
outfile_commit(struct outfile *file, struct envl_error *err)
{
    enum envl_status status;

    if (file->folder == NULL)
        return ENVL_OK;
    if (fsync(file->fd) != 0)
        return envl_fail(err, ENVL_E_IO, "cannot write to %s: %s", file->path,
                         strerror(errno));
    if ((status = give_name(file, err)) != ENVL_OK)
        return status;
    if (rename(file->temp, file->path) != 0)
        return envl_fail(err, ENVL_E_IO, "cannot write %s: %s", file->path,
                         strerror(errno));
    pending = NULL;
    free(file->temp);
    file->temp = NULL;
    sync_folder(file->folder);
    return ENVL_OK;
}

void
outfile_free(struct outfile *file)
{
    if (file->fd > STDERR_FILENO)
        close(file->fd);
    if (file->temp != NULL)
        unlink(file->temp);
    pending = NULL;
    free(file->temp);
    free(file->folder);
    *file = (struct outfile)OUTFILE_INIT;
}

enum envl_status
outfile_json(const char *path, const json_t *document, unsigned indent,
             struct envl_error *err)
{
    char *text = document != NULL ? json_dumps(document, JSON_INDENT(indent))
                                  : NULL;
    struct outfile file = OUTFILE_INIT;
    enum envl_status status;

    if (text == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of memory");
    if ((status = outfile_open(path, &file, err)) == ENVL_OK &&
        (status = outfile_write(&file, envl_bytes_of(text), err)) ==
            ENVL_OK &&
        (status = outfile_write(&file, envl_bytes_of("\n"), err)) == ENVL_OK)
        status = outfile_commit(&file, err);
    outfile_free(&file);
    free(text);
    return status;
}
