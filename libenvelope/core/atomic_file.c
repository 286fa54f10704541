#include "core/atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/random.h"

static enum envl_status
open_temp(struct atomic_file *file, const struct file_place *place,
          const char *path, struct envl_error *err)
{
    enum envl_status status;

    file->fd = -1;
    file->renamed = false;
    file->path = path;
    memcpy(file->name, place->name, sizeof(file->name));

    /* To sync a folder, it must be open for reading. */
    file->dir = openat(place->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file->dir < 0)
        return file_fail(err, "open the folder of", path);
    file->fd = openat(file->dir, file->temp,
                      O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                      0600);
    /* Whatever the umask took away, and no more than that. */
    if (file->fd >= 0 && fchmod(file->fd, 0600) == 0)
        return ENVL_OK;
    status = file_fail(err, "write a new file beside", path);
    if (file->fd >= 0)
        atomic_file_abort(file);
    else
        close(file->dir);
    file->dir = -1;
    return status;
}

enum envl_status
atomic_file_begin(struct atomic_file *file, const struct file_place *place,
                  const char *path, struct envl_error *err)
{
    uint8_t random[8];
    enum envl_status status;
    int len;

    status = random_fill((struct envl_span){ random, sizeof(random) }, err);
    if (status != ENVL_OK)
        return status;
    len = snprintf(file->temp, sizeof(file->temp), ".envelope-");
    for (size_t i = 0; i < sizeof(random); i++)
        len += snprintf(file->temp + len, sizeof(file->temp) - (size_t)len,
                        "%02x", random[i]);
    return open_temp(file, place, path, err);
}

enum envl_status
atomic_file_begin_locked(struct atomic_file *file,
                         const struct file_place *place, const char *path,
                         struct envl_error *err)
{
    snprintf(file->temp, sizeof(file->temp), ".envelope-new-%.230s",
             place->name);
    if (unlinkat(place->dir, file->temp, 0) != 0 && errno != ENOENT)
        return file_fail(err, "write a new file beside", path);
    return open_temp(file, place, path, err);
}

enum envl_status
atomic_file_keep(struct atomic_file *file, const struct stat *like,
                 struct envl_error *err)
{
    struct stat now;

    if (fstat(file->fd, &now) != 0)
        return file_fail(err, "write", file->path);
    if ((now.st_uid != like->st_uid || now.st_gid != like->st_gid) &&
        fchown(file->fd, like->st_uid, like->st_gid) != 0)
        return envl_fail(err, ENVL_E_IO,
                         "cannot keep the owner of '%s' (uid %u, gid %u)",
                         file->path, (unsigned)like->st_uid,
                         (unsigned)like->st_gid);
    /* After the owner: changing that takes set-id bits away. */
    if (fchmod(file->fd, like->st_mode & 07777) != 0)
        return file_fail(err, "keep the mode of", file->path);
    return ENVL_OK;
}

enum envl_status
atomic_file_write(struct atomic_file *file, struct envl_bytes bytes,
                  struct envl_error *err)
{
    size_t done = 0;

    while (done < bytes.len) {
        ssize_t put = write(file->fd, bytes.ptr + done, bytes.len - done);

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return file_fail(err, "write", file->path);
        done += (size_t)put;
    }
    return ENVL_OK;
}

enum envl_status
atomic_file_sync(struct atomic_file *file, struct envl_error *err)
{
    if (fsync(file->fd) != 0)
        return file_fail(err, "sync", file->path);
    return ENVL_OK;
}

/* Move the name over; without replacing, by a link where rename cannot. */
static int
take_name(const struct atomic_file *file, enum atomic_file_how how)
{
    if (how == ATOMIC_FILE_REPLACE)
        return renameat(file->dir, file->temp, file->dir, file->name);
    if (renameat2(file->dir, file->temp, file->dir, file->name,
                  RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    if (linkat(file->dir, file->temp, file->dir, file->name, 0) != 0)
        return -1;
    return unlinkat(file->dir, file->temp, 0);
}

enum envl_status
atomic_file_commit(struct atomic_file *file, enum atomic_file_how how,
                   struct envl_error *err)
{
    enum envl_status status;
    int fd = file->fd;

    if ((status = atomic_file_sync(file, err)) != ENVL_OK) {
        atomic_file_abort(file);
        return status;
    }
    /* Some file systems say only now that a write has failed. */
    file->fd = -1;
    if (close(fd) != 0) {
        status = file_fail(err, "write", file->path);
        atomic_file_abort(file);
        return status;
    }
    if (take_name(file, how) != 0) {
        if (errno == EEXIST) {
            status = envl_fail(err, ENVL_E_POLICY, "'%s' is there already",
                               file->path);
            envl_hint(err, "nothing is overwritten: choose another name, or "
                      "move it away");
        } else {
            status = file_fail(err, "name", file->path);
        }
        atomic_file_abort(file);
        return status;
    }

    file->renamed = true;
    if (fsync(file->dir) != 0)
        status = envl_fail(err, ENVL_E_IO,
                           "'%s' is written, but its folder cannot be synced "
                           "(errno %d)", file->path, errno);
    close(file->dir);
    file->dir = -1;
    return status;
}

void
atomic_file_abort(struct atomic_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
    if (file->dir < 0)
        return;
    unlinkat(file->dir, file->temp, 0);
    close(file->dir);
    file->dir = -1;
}

enum envl_status
atomic_file_create(const char *path, const struct file_rules *rules,
                   struct envl_bytes bytes, struct envl_error *err)
{
    struct atomic_file file;
    struct file_place place;
    enum envl_status status;

    if ((status = file_find(path, rules, &place, err)) != ENVL_OK)
        return status;
    status = atomic_file_begin(&file, &place, path, err);
    file_place_close(&place);
    if (status != ENVL_OK)
        return status;
    if ((status = atomic_file_write(&file, bytes, err)) != ENVL_OK) {
        atomic_file_abort(&file);
        return status;
    }
    return atomic_file_commit(&file, ATOMIC_FILE_CREATE, err);
}
