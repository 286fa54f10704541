#include "core/file_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define LINK_LIMIT  40u
#define MOUNT_LIMIT 16u

/* A way begun: the folder reached, and the names still to go. */
struct walk {
    const char *path; /* as given, for messages */
    const struct file_rules *rules;
    int dir;
    struct stat st;   /* of dir */
    unsigned inside;  /* folders below a secret mount, itself counted; or 0 */
    unsigned links;
    struct stat mounts[MOUNT_LIMIT];
    size_t mount_count;
    char rest[PATH_MAX];
    size_t at;        /* of the names still to go, in rest */
};

static void
add_mount(struct walk *walk, const char *path)
{
    if (path != NULL && path[0] == '/' && walk->mount_count < MOUNT_LIMIT &&
        stat(path, &walk->mounts[walk->mount_count]) == 0)
        walk->mount_count++;
}

static bool
is_mount(const struct walk *walk, const struct stat *st)
{
    for (size_t i = 0; i < walk->mount_count; i++)
        if (walk->mounts[i].st_dev == st->st_dev &&
            walk->mounts[i].st_ino == st->st_ino)
            return true;
    return false;
}

static bool
ours(const struct stat *st)
{
    return st->st_uid == 0 || st->st_uid == geteuid();
}

/* Only root or the caller can make, rename or remove names in it. */
static bool
only_ours(const struct stat *st)
{
    return ours(st) && (st->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* A folder of a secret mount where nobody can replace what root put. */
static bool
safe_in_mount(const struct walk *walk)
{
    struct statvfs fs;

    if (walk->inside == 0 || walk->st.st_uid != 0)
        return false;
    return only_ours(&walk->st) || (walk->st.st_mode & S_ISVTX) != 0 ||
           (fstatvfs(walk->dir, &fs) == 0 && (fs.f_flag & ST_RDONLY) != 0);
}

static enum envl_status
refuse_folder(const struct walk *walk, struct envl_error *err)
{
    char link[40], name[160];
    ssize_t len;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", walk->dir);
    len = readlink(link, name, sizeof(name) - 1);
    name[len < 0 ? 0 : len] = '\0';
    if (!ours(&walk->st)) {
        envl_fail(err, ENVL_E_POLICY,
                  "%s '%s': its folder '%s' belongs to another user (uid %u)",
                  walk->rules->what, walk->path, name,
                  (unsigned)walk->st.st_uid);
        envl_hint(err, "move it to a folder that is yours or root's");
        return ENVL_E_POLICY;
    }
    envl_fail(err, ENVL_E_POLICY,
              "%s '%s': its folder '%s' can be written by others (mode %04o)",
              walk->rules->what, walk->path, name,
              (unsigned)walk->st.st_mode & 07777u);
    envl_hint(err, "chmod go-w '%s', or move it to a folder of your own",
              name);
    return ENVL_E_POLICY;
}

/* A folder above the file's own. */
static enum envl_status
check_above(const struct walk *walk, struct envl_error *err)
{
    if (walk->rules->kind == FILE_ANY || only_ours(&walk->st) ||
        (ours(&walk->st) && (walk->st.st_mode & S_ISVTX) != 0) ||
        safe_in_mount(walk))
        return ENVL_OK;
    return refuse_folder(walk, err);
}

/* The file's own folder: a sticky one will not do. */
static enum envl_status
check_own(const struct walk *walk, struct envl_error *err)
{
    if (walk->rules->kind == FILE_ANY || only_ours(&walk->st) ||
        safe_in_mount(walk))
        return ENVL_OK;
    return refuse_folder(walk, err);
}

/* Take ${fd} as the folder reached. */
static void
move_to(struct walk *walk, int fd, const struct stat *st)
{
    if (walk->dir >= 0)
        close(walk->dir);
    walk->dir = fd;
    walk->st = *st;
    if (walk->inside > 0 || is_mount(walk, st))
        walk->inside++;
}

static enum envl_status
to_folder(struct walk *walk, int at, const char *name, struct envl_error *err)
{
    struct stat st;
    int fd = openat(at, name, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) != 0) {
        if (fd >= 0)
            close(fd);
        return file_fail(err, "reach", walk->path);
    }
    move_to(walk, fd, &st);
    return ENVL_OK;
}

static enum envl_status
to_root(struct walk *walk, struct envl_error *err)
{
    walk->inside = 0;
    return to_folder(walk, AT_FDCWD, "/", err);
}

static enum envl_status
to_parent(struct walk *walk, struct envl_error *err)
{
    unsigned inside = walk->inside > 0 ? walk->inside - 1 : 0;
    enum envl_status status;

    walk->inside = 0;
    if ((status = to_folder(walk, walk->dir, "..", err)) != ENVL_OK)
        return status;
    walk->inside = inside;
    return check_above(walk, err);
}

/* Put the target of the link ${fd} in front of what is still to go. */
static enum envl_status
follow(struct walk *walk, int fd, const struct stat *link,
       struct envl_error *err)
{
    char target[PATH_MAX], rest[PATH_MAX];
    ssize_t len;
    int room;

    if (walk->rules->kind != FILE_ANY && !only_ours(&walk->st) &&
        !(safe_in_mount(walk) && link->st_uid == 0))
        return refuse_folder(walk, err);
    if (++walk->links > LINK_LIMIT)
        return envl_fail(err, ENVL_E_POLICY,
                         "%s '%s': too many symbolic links",
                         walk->rules->what, walk->path);
    len = readlinkat(fd, "", target, sizeof(target) - 1);
    if (len <= 0)
        return file_fail(err, "reach", walk->path);
    target[len] = '\0';
    room = snprintf(rest, sizeof(rest), "%s/%s", target,
                    walk->rest + walk->at);
    if (room < 0 || (size_t)room >= sizeof(rest))
        return envl_fail(err, ENVL_E_POLICY, "%s '%s': the path is too long",
                         walk->rules->what, walk->path);
    /* Without names to go, the slash would say that it is a folder. */
    if (walk->rest[walk->at] == '\0')
        rest[room - 1] = '\0';
    memcpy(walk->rest, rest, (size_t)room + 1);
    walk->at = 0;
    return target[0] == '/' ? to_root(walk, err) : ENVL_OK;
}

/* Cut the next name off; ${last} if nothing is to go after it. */
static bool
next_name(struct walk *walk, char name[NAME_MAX + 1], bool *last)
{
    const char *begin = walk->rest + walk->at;
    size_t skip = strspn(begin, "/");
    size_t len = strcspn(begin + skip, "/");

    if (len == 0 || len > NAME_MAX)
        return false;
    memcpy(name, begin + skip, len);
    name[len] = '\0';
    walk->at += skip + len;
    *last = walk->rest[walk->at] == '\0';
    return true;
}

/* One name onwards; ${done} when it is the file's. */
static enum envl_status
step(struct walk *walk, struct file_place *out, bool *done,
     struct envl_error *err)
{
    enum envl_status status = ENVL_OK;
    struct stat st;
    bool last;
    int fd;

    if (!next_name(walk, out->name, &last))
        return envl_fail(err, ENVL_E_NOTFOUND, "no such file: '%s'",
                         walk->path);
    if (strcmp(out->name, ".") == 0 || strcmp(out->name, "..") == 0) {
        if (last)
            return envl_fail(err, ENVL_E_POLICY,
                             "%s '%s' is not a regular file",
                             walk->rules->what, walk->path);
        return out->name[1] == '\0' ? ENVL_OK : to_parent(walk, err);
    }

    fd = openat(walk->dir, out->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    out->exists = fd >= 0;
    if (fd < 0 && errno == ENOENT && last) {
        *done = true;
        return ENVL_OK;
    }
    if (fd < 0 || fstat(fd, &st) != 0) {
        status = file_fail(err, "reach", walk->path);
    } else if (S_ISLNK(st.st_mode)) {
        status = follow(walk, fd, &st, err);
    } else if (last) {
        *done = true;
    } else if (!S_ISDIR(st.st_mode)) {
        errno = ENOTDIR;
        status = file_fail(err, "reach", walk->path);
    } else {
        move_to(walk, fd, &st);
        return check_above(walk, err);
    }
    if (fd >= 0)
        close(fd);
    return status;
}

static const char credential[] = "credential:";

static bool
try_credential(struct walk *walk, const char *folder, const char *name)
{
    int len;

    if (folder == NULL || folder[0] != '/')
        return false;
    len = snprintf(walk->rest, sizeof(walk->rest), "%s/%s", folder, name);
    return len > 0 && (size_t)len < sizeof(walk->rest) &&
           faccessat(AT_FDCWD, walk->rest, F_OK, AT_EACCESS) == 0;
}

/* credential:NAME, where systemd, Docker or Kubernetes have put it.
   spec: KEY-11 */
static enum envl_status
find_credential(struct walk *walk, struct envl_error *err)
{
    const char *name = walk->path + sizeof(credential) - 1;
    const struct file_rules *rules = walk->rules;
    bool found;

    if (*name == '\0' || strchr(name, '/') != NULL || name[0] == '.')
        return envl_fail(err, ENVL_E_USAGE, "'%s': the name of a credential "
                         "has no '/' and does not begin with '.'",
                         walk->path);
    found = try_credential(walk, secure_getenv("CREDENTIALS_DIRECTORY"),
                           name) ||
            try_credential(walk, "/run/secrets", name) ||
            try_credential(walk, "/var/run/secrets", name);
    for (size_t i = 0; !found && i < rules->mount_count; i++)
        found = try_credential(walk, rules->mounts[i], name);
    if (found)
        return to_root(walk, err);
    envl_fail(err, ENVL_E_NOTFOUND, "no such file: '%s'", walk->path);
    envl_hint(err, "credentials are files under $CREDENTIALS_DIRECTORY "
              "(systemd), /run/secrets (Docker, Kubernetes) or a folder of "
              "key_dirs");
    return ENVL_E_NOTFOUND;
}

static enum envl_status
begin(struct walk *walk, struct envl_error *err)
{
    char cwd[PATH_MAX];
    int len;

    add_mount(walk, "/run/secrets");
    add_mount(walk, "/var/run/secrets");
    add_mount(walk, secure_getenv("CREDENTIALS_DIRECTORY"));
    for (size_t i = 0; i < walk->rules->mount_count; i++)
        add_mount(walk, walk->rules->mounts[i]);

    if (walk->rules->kind != FILE_ANY &&
        strncmp(walk->path, credential, sizeof(credential) - 1) == 0)
        return find_credential(walk, err);
    /* A relative path is only as safe as all that lies above it. */
    cwd[0] = '\0';
    if (walk->rules->kind == FILE_ANY && walk->path[0] != '/') {
        if (strlen(walk->path) >= sizeof(walk->rest))
            return envl_fail(err, ENVL_E_USAGE, "the path of a %s is too long",
                             walk->rules->what);
        snprintf(walk->rest, sizeof(walk->rest), "%s", walk->path);
        return to_folder(walk, AT_FDCWD, ".", err);
    }
    if (walk->path[0] != '/' && getcwd(cwd, sizeof(cwd)) == NULL)
        return file_fail(err, "reach", walk->path);
    len = snprintf(walk->rest, sizeof(walk->rest), "%s/%s", cwd, walk->path);
    if (len < 0 || (size_t)len >= sizeof(walk->rest))
        return envl_fail(err, ENVL_E_USAGE, "the path of a %s is too long",
                         walk->rules->what);
    return to_root(walk, err);
}

enum envl_status
file_walk(const char *path, const struct file_rules *rules,
          struct file_place *out, struct envl_error *err)
{
    struct walk walk = { .path = path, .rules = rules, .dir = -1 };
    struct file_place place = { .dir = -1 };
    enum envl_status status;
    bool done = false;

    if (path[0] == '\0')
        return envl_fail(err, ENVL_E_USAGE, "the path of a %s is empty",
                         rules->what);
    status = begin(&walk, err);
    while (status == ENVL_OK && !done)
        status = step(&walk, &place, &done, err);
    if (status == ENVL_OK)
        status = check_own(&walk, err);
    if (status != ENVL_OK) {
        if (walk.dir >= 0)
            close(walk.dir);
        return status;
    }
    place.dir = walk.dir;
    place.in_mount = walk.inside > 0;
    *out = place;
    return ENVL_OK;
}
