#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "detect/contract.h"
#include "detect/source.h"
#include "io.h"
#include "scan_files.h"

#define DEPTH_MAX 64
#define BINARY    8192u /* a NUL within so many bytes makes a file binary */

struct walk {
    struct scan_list *list;
    enum hit_sure least;
    char path[PATH_MAX]; /* of the file that is open */
    struct envl_buf text;
};

static enum envl_status
keep(void *cookie, const struct source_finding *finding,
     struct envl_error *err)
{
    struct walk *walk = cookie;
    char name[128];
    const struct scan_item item = {
        .path = walk->path, .name = name,
        .line = finding->line, .column = finding->column,
        .rule = finding->hit.rule, .why = finding->hit.why,
        .sure = finding->hit.sure,
    };

    if (finding->hit.sure < walk->least)
        return ENVL_OK;
    snprintf(name, sizeof(name), "%.*s", (int)finding->name.len,
             (const char *)finding->name.ptr);
    return scan_list_add(walk->list, &item, finding->value, err);
}

static bool
is_binary(struct envl_bytes text)
{
    return text.len > 0 &&
           memchr(text.ptr, 0, text.len < BINARY ? text.len : BINARY) != NULL;
}

static enum envl_status
look_into(struct walk *walk, struct envl_error *err)
{
    struct envl_bytes text = envl_buf_view(&walk->text);
    enum envl_status status;

    if (is_binary(text)) {
        scan_list_skip(walk->list, walk->path, "binary");
        return ENVL_OK;
    }
    walk->list->files++;
    walk->list->bytes += text.len;
    status = source_scan(text, source_kind_of(walk->path), keep, walk, err);
    if (status == ENVL_OK)
        status = contract_scan(text, keep, walk, err);
    return status;
}

static enum envl_status
one_file(struct walk *walk, int fd, off_t size, struct envl_error *err)
{
    struct io_source source = { fd, walk->path };
    enum envl_status status;

    envl_buf_clear(&walk->text);
    status = io_read_upto(&source, SCAN_FILE_MAX, &walk->text, err);
    if (status == ENVL_E_IO) {
        scan_list_skip(walk->list, walk->path, "cannot be read");
        return ENVL_OK;
    }
    if (status == ENVL_OK && size > (off_t)SCAN_FILE_MAX)
        scan_list_skip(walk->list, walk->path, "only its first 16 MiB");
    return status == ENVL_OK ? look_into(walk, err) : status;
}

/* What other tools keep for themselves, and nobody wrote by hand. */
static bool
is_passed(const char *name)
{
    static const char *const names[] = { ".git", ".hg", ".svn",
        "node_modules", "__pycache__", ".venv", ".tox", ".mypy_cache", NULL };

    for (size_t i = 0; names[i] != NULL; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static enum envl_status visit(struct walk *walk, int at, const char *name,
                              int depth, struct envl_error *err);

static enum envl_status
folder(struct walk *walk, int fd, int depth, struct envl_error *err)
{
    size_t len = strlen(walk->path);
    enum envl_status status = ENVL_OK;
    struct dirent **names = NULL;
    int count = depth < DEPTH_MAX ? scandirat(fd, ".", &names, NULL, alphasort)
                                  : -1;

    if (count < 0)
        scan_list_skip(walk->list, walk->path,
                       depth < DEPTH_MAX ? "cannot be read" : "too deep");
    for (int i = 0; i < count; i++) {
        const char *name = names[i]->d_name;

        if (status == ENVL_OK && !is_passed(name)) {
            int used = snprintf(walk->path + len, sizeof(walk->path) - len,
                                "%s%s", len > 0 && walk->path[len - 1] == '/'
                                            ? "" : "/", name);

            if (used < 0 || (size_t)used >= sizeof(walk->path) - len)
                scan_list_skip(walk->list, walk->path, "path too long");
            else
                status = visit(walk, fd, name, depth + 1, err);
        }
        walk->path[len] = '\0';
        free(names[i]);
    }
    free(names);
    return status;
}

/* ${name} below ${at} has the whole path walk->path. */
static enum envl_status
visit(struct walk *walk, int at, const char *name, int depth,
      struct envl_error *err)
{
    enum envl_status status = ENVL_OK;
    struct stat here;
    int fd;

    if (fstatat(at, name, &here, AT_SYMLINK_NOFOLLOW) != 0) {
        scan_list_skip(walk->list, walk->path, "cannot be read");
        return ENVL_OK;
    }
    if (!S_ISREG(here.st_mode) && !S_ISDIR(here.st_mode)) {
        scan_list_skip(walk->list, walk->path,
                       S_ISLNK(here.st_mode) ? "a link" : "no plain file");
        return ENVL_OK;
    }
    fd = openat(at, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK |
                              O_NOCTTY);
    if (fd < 0) {
        scan_list_skip(walk->list, walk->path, "cannot be read");
        return ENVL_OK;
    }
    status = S_ISDIR(here.st_mode)
                 ? folder(walk, fd, depth, err)
                 : one_file(walk, fd, here.st_size, err);
    close(fd);
    return status;
}

enum envl_status
scan_files_walk(struct scan_list *list, const char *path,
                enum hit_sure least, struct envl_error *err)
{
    struct walk walk = { .list = list, .least = least,
                         .text = ENVL_BUF_INIT };
    enum envl_status status;
    struct stat here;

    if (strcmp(path, "-") == 0) {
        snprintf(walk.path, sizeof(walk.path), "-");
        status = one_file(&walk, STDIN_FILENO, 0, err);
    } else if (stat(path, &here) != 0) {
        status = envl_fail(err, errno == ENOENT || errno == ENOTDIR
                                    ? ENVL_E_NOTFOUND : ENVL_E_IO,
                           "cannot look into %s: %s", path, strerror(errno));
    } else if (strlen(path) >= sizeof(walk.path)) {
        status = envl_fail(err, ENVL_E_LIMIT, "the path is too long");
    } else {
        snprintf(walk.path, sizeof(walk.path), "%s", path);
        status = visit(&walk, AT_FDCWD, path, 0, err);
    }
    envl_buf_free(&walk.text);
    return status;
}
