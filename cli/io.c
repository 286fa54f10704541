#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io.h"

void
io_guard_descriptors(void)
{
    /* Reading from 0 and writing to 1 fail, as they did when closed. */
    static const int flags[] = { O_WRONLY, O_RDONLY, O_RDWR };

    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)open("/dev/null", flags[fd]);
}

static mode_t first_umask;

void
io_guard_umask(void)
{
    first_umask = umask(077);
}

void
io_restore_umask(void)
{
    (void)umask(first_umask);
}

enum envl_status
io_open_source(const char *path, struct io_source *out,
               struct envl_error *err)
{
    struct stat info;
    int fd;

    if (path == NULL || strcmp(path, "-") == 0) {
        *out = (struct io_source){ STDIN_FILENO, "standard input" };
        return ENVL_OK;
    }
    if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)) < 0)
        return envl_fail(err, errno == ENOENT ? ENVL_E_NOTFOUND : ENVL_E_IO,
                         "cannot open %s: %s", path, strerror(errno));
    if (fstat(fd, &info) != 0 || S_ISDIR(info.st_mode)) {
        close(fd);
        return envl_fail(err, ENVL_E_IO, "%s is a folder", path);
    }
    *out = (struct io_source){ fd, path };
    return ENVL_OK;
}

void
io_close_source(struct io_source *source)
{
    if (source->fd > STDERR_FILENO)
        close(source->fd);
    source->fd = -1;
}

enum envl_status
io_read(const struct io_source *source, struct envl_span *room,
        struct envl_error *err)
{
    size_t got = 0;

    while (got < room->len) {
        ssize_t n = read(source->fd, room->ptr + got, room->len - got);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return envl_fail(err, ENVL_E_IO, "cannot read %s: %s",
                             source->name, strerror(errno));
        if (n == 0)
            break;
        got += (size_t)n;
    }
    room->len = got;
    return ENVL_OK;
}

enum envl_status
io_read_some(const struct io_source *source, size_t most,
             struct envl_buf *buf, struct envl_error *err)
{
    enum envl_status status = envl_buf_reserve(buf, most, err);
    ssize_t n;

    if (status != ENVL_OK)
        return status;
    do
        n = read(source->fd, buf->ptr + buf->len, most);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return envl_fail(err, ENVL_E_IO, "cannot read %s: %s", source->name,
                         strerror(errno));
    buf->len += (size_t)n;
    return ENVL_OK;
}

enum envl_status
io_read_upto(const struct io_source *source, size_t most,
             struct envl_buf *buf, struct envl_error *err)
{
    size_t step = 16u * 1024u;
    enum envl_status status;
    struct envl_span room;

    while (most > 0) {
        if (step > most)
            step = most;
        if ((status = envl_buf_reserve(buf, step, err)) != ENVL_OK)
            return status;
        room = (struct envl_span){ buf->ptr + buf->len, step };
        if ((status = io_read(source, &room, err)) != ENVL_OK)
            return status;
        buf->len += room.len;
        if (room.len < step)
            break;
        most -= step;
        step = buf->len; /* twice as much as there is by now */
    }
    return ENVL_OK;
}

enum envl_status
io_read_all(const struct io_source *source, size_t limit,
            struct envl_buf *buf, struct envl_error *err)
{
    enum envl_status status = ENVL_OK;

    if (buf->len <= limit)
        status = io_read_upto(source, limit + 1 - buf->len, buf, err);
    if (status == ENVL_OK && buf->len > limit)
        status = envl_fail(err, ENVL_E_LIMIT, "%s is longer than %zu bytes",
                           source->name, limit);
    return status;
}

enum envl_status
io_write(int fd, const char *name, struct envl_bytes bytes,
         struct envl_error *err)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EPIPE && fd == STDOUT_FILENO) {
            signal(SIGPIPE, SIG_DFL);
            raise(SIGPIPE);
        }
        if (n < 0)
            return envl_fail(err, ENVL_E_IO, "cannot write to %s: %s", name,
                             strerror(errno));
        bytes.ptr += n;
        bytes.len -= (size_t)n;
    }
    return ENVL_OK;
}
