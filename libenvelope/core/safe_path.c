#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/safe_path.h"

/*
 * Ubuntu and Red Hat give each user a group of the same name, and a umask of
 * 002 with it; a fresh clone is then writable by that group and nobody else.
 */
static bool
private_group(gid_t gid)
{
    char rows[2][4096];
    struct passwd user, *u = NULL;
    struct group group, *g = NULL;

    if (geteuid() == 0)
        return false;
    if (getpwuid_r(geteuid(), &user, rows[0], sizeof(rows[0]), &u) != 0 ||
        u == NULL || user.pw_gid != gid)
        return false;
    if (getgrgid_r(gid, &group, rows[1], sizeof(rows[1]), &g) != 0 ||
        g == NULL || strcmp(group.gr_name, user.pw_name) != 0)
        return false;
    for (char **member = group.gr_mem; *member != NULL; member++) {
        if (strcmp(*member, user.pw_name) != 0)
            return false;
    }
    return true;
}

static enum envl_status
check_one(const char *path, bool sticky_ok, struct envl_error *err)
{
    struct stat is;

    if (lstat(path, &is) != 0)
        return envl_fail(err, ENVL_E_POLICY, "cannot look at %s: %s", path,
                         strerror(errno));
    if (is.st_uid != 0 && is.st_uid != geteuid()) {
        envl_fail(err, ENVL_E_POLICY, "%s belongs to another user", path);
        envl_hint(err, "a module is loaded only from folders of root's or "
                  "your own");
        return ENVL_E_POLICY;
    }
    /* Others may make files in a sticky folder, not replace what is there. */
    if (sticky_ok && (is.st_mode & S_ISVTX) != 0)
        return ENVL_OK;
    if ((is.st_mode & S_IWOTH) != 0 ||
        ((is.st_mode & S_IWGRP) != 0 && !private_group(is.st_gid))) {
        envl_fail(err, ENVL_E_POLICY, "%s can be written by others", path);
        envl_hint(err, "chmod go-w %s", path);
        return ENVL_E_POLICY;
    }
    return ENVL_OK;
}

enum envl_status
safe_path_check(const char *path, struct envl_error *err)
{
    char part[PATH_MAX];
    size_t len = strlen(path);
    unsigned level = 0;
    enum envl_status status;

    if (path[0] != '/' || len >= sizeof(part))
        return envl_fail(err, ENVL_E_POLICY, "not an absolute path: %s", path);
    memcpy(part, path, len + 1);

    /* The file, its folder, and from there up to the root. */
    for (;; level++) {
        char *slash;

        status = check_one(part, level >= 2, err);
        if (status != ENVL_OK || strcmp(part, "/") == 0)
            return status;
        slash = strrchr(part, '/');
        *(slash == part ? slash + 1 : slash) = '\0';
    }
}
