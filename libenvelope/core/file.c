#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file_walk.h"

struct file_id
file_id_of(const struct stat *st)
{
    return (struct file_id){ st->st_dev, st->st_ino, st->st_size,
                             st->st_ctim, st->st_mtim };
}

static bool
same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool
file_id_equal(const struct file_id *a, const struct file_id *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
           same_time(&a->changed, &b->changed) &&
           same_time(&a->written, &b->written);
}

enum envl_status
file_fail(struct envl_error *err, const char *doing, const char *path)
{
    int reason = errno;
    char text[96];

    if (reason == ENOENT || reason == ENOTDIR)
        return envl_fail(err, ENVL_E_NOTFOUND, "no such file: '%s'", path);
    /* The GNU variant: it may return a constant instead of the buffer. */
    return envl_fail(err, ENVL_E_IO, "cannot %s '%s': %s", doing, path,
                     strerror_r(reason, text, sizeof(text)));
}

enum envl_status
file_find(const char *path, const struct file_rules *rules,
          struct file_place *out, struct envl_error *err)
{
    return file_walk(path, rules, out, err);
}

void
file_place_close(struct file_place *place)
{
    if (place->dir >= 0)
        close(place->dir);
    place->dir = -1;
}

enum envl_status
file_check(const struct stat *st, bool in_mount, const char *path,
           const struct file_rules *rules, struct envl_error *err)
{
    unsigned mode = st->st_mode & 07777;

    if (!S_ISREG(st->st_mode))
        return envl_fail(err, ENVL_E_POLICY,
                         "%s '%s' is not a regular file", rules->what, path);
    if (rules->kind == FILE_ANY)
        return ENVL_OK;

    /* spec: KEY-8 */
    if (st->st_uid != 0 && st->st_uid != geteuid()) {
        envl_fail(err, ENVL_E_POLICY,
                  "%s '%s' belongs to another user (uid %u)", rules->what,
                  path, (unsigned)st->st_uid);
        envl_hint(err, "it must belong to you or to root: chown it, or copy "
                  "it to a folder of your own");
        return ENVL_E_POLICY;
    }
    if (mode & (S_IWGRP | S_IWOTH)) {
        envl_fail(err, ENVL_E_POLICY,
                  "%s '%s' can be written by others (mode %04o)",
                  rules->what, path, mode);
        envl_hint(err, "chmod go-w '%s'", path);
        return ENVL_E_POLICY;
    }
    if (rules->kind == FILE_PRIVATE && (mode & 077) != 0 &&
        !(in_mount && st->st_uid == 0)) {
        envl_fail(err, ENVL_E_POLICY,
                  "%s '%s' can be read by others (mode %04o)", rules->what,
                  path, mode);
        envl_hint(err, "chmod 600 '%s'", path);
        return ENVL_E_POLICY;
    }
    return ENVL_OK;
}

int
file_open_at(const struct file_place *place, const char *path,
             const struct file_rules *rules, int flags, struct stat *st,
             struct envl_error *err)
{
    /* Not blocking: a FIFO would hold the open until a writer comes. */
    int fd = openat(place->dir, place->name,
                    flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
                    0600);

    if (fd < 0) {
        if (errno == ELOOP)
            envl_fail(err, ENVL_E_POLICY,
                      "%s '%s' turned into a symbolic link", rules->what,
                      path);
        else if (errno == ENXIO || errno == EISDIR)
            envl_fail(err, ENVL_E_POLICY, "%s '%s' is not a regular file",
                      rules->what, path);
        else
            file_fail(err, "open", path);
        return -1;
    }
    if (fstat(fd, st) != 0) {
        file_fail(err, "read", path);
        close(fd);
        return -1;
    }
    if (file_check(st, place->in_mount, path, rules, err) != ENVL_OK) {
        close(fd);
        return -1;
    }
    return fd;
}

enum envl_status
file_open(const char *path, const struct file_rules *rules, int *fd,
          struct stat *st, struct envl_error *err)
{
    struct envl_error mine;
    struct file_place place;
    enum envl_status status;
    int opened;

    if (err == NULL)
        err = &mine;
    if ((status = file_find(path, rules, &place, err)) != ENVL_OK)
        return status;
    opened = file_open_at(&place, path, rules, O_RDONLY, st, err);
    file_place_close(&place);
    if (opened < 0)
        return err->status;
    *fd = opened;
    return ENVL_OK;
}

enum envl_status
file_read_fd(int fd, size_t limit, struct envl_buf *out,
             struct envl_error *err)
{
    size_t done = 0;

    for (;;) {
        enum envl_status status;
        size_t room = limit - done < 65536 ? limit - done + 1 : 65536;
        ssize_t got;

        if ((status = envl_buf_reserve(out, room, err)) != ENVL_OK)
            return status;
        got = read(fd, out->ptr + out->len, room);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return envl_fail(err, ENVL_E_IO, "cannot read (errno %d)", errno);
        if (got == 0)
            return ENVL_OK;
        out->len += (size_t)got;
        done += (size_t)got;
        if (done > limit)
            return envl_fail(err, ENVL_E_LIMIT, "longer than %zu bytes",
                             limit);
    }
}

enum envl_status
file_read(const char *path, const struct file_rules *rules, size_t limit,
          struct envl_buf *out, struct file_id *id, struct envl_error *err)
{
    enum envl_status status;
    struct stat st;
    int fd;

    if ((status = file_open(path, rules, &fd, &st, err)) != ENVL_OK)
        return status;
    status = file_read_fd(fd, limit, out, NULL);
    close(fd);
    if (status == ENVL_E_LIMIT)
        return envl_fail(err, status, "%s '%s' is longer than %zu bytes",
                         rules->what, path, limit);
    if (status != ENVL_OK)
        return envl_fail(err, status, "cannot read %s '%s'", rules->what,
                         path);
    if (id != NULL)
        *id = file_id_of(&st);
    return ENVL_OK;
}
