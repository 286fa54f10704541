#include "core/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/clock.h"

#define LOOK_AGAIN_US 10000

/* The process that holds a lock on ${st}, as the kernel lists it, or 0. */
static long
holder(const struct stat *st)
{
    char line[256];
    long pid = 0;
    FILE *list = fopen("/proc/locks", "re");

    if (list == NULL)
        return 0;
    while (pid == 0 && fgets(line, sizeof(line), list) != NULL) {
        unsigned major, minor;
        unsigned long long inode;
        long owner;

        if (strstr(line, "->") == NULL &&
            sscanf(line, "%*d: FLOCK %*s %*s %ld %x:%x:%llu", &owner, &major,
                   &minor, &inode) == 4 &&
            inode == (unsigned long long)st->st_ino &&
            major == major(st->st_dev) && minor == minor(st->st_dev))
            pid = owner;
    }
    fclose(list);
    return pid;
}

static enum envl_status
refuse(int fd, const char *path, struct envl_error *err)
{
    struct stat st;
    long pid = fstat(fd, &st) == 0 ? holder(&st) : 0;

    if (pid > 0)
        envl_fail(err, ENVL_E_LOCKED, "'%s' is being changed by process %ld",
                  path, pid);
    else
        envl_fail(err, ENVL_E_LOCKED,
                  "'%s' is being changed by another process", path);
    envl_hint(err, "try again when it has finished");
    return ENVL_E_LOCKED;
}

/* True if the name still means the file that is open. */
static bool
current(const struct file_place *place, int fd)
{
    struct stat named, open;

    return fstat(fd, &open) == 0 &&
           fstatat(place->dir, place->name, &named, AT_SYMLINK_NOFOLLOW) ==
               0 &&
           named.st_dev == open.st_dev && named.st_ino == open.st_ino;
}

enum envl_status
lock_take(const struct file_place *place, const char *path, int flags,
          unsigned wait_ms, int *fd, struct envl_error *err)
{
    int64_t deadline = clock_monotonic_ms() + (int64_t)wait_ms;

    for (;;) {
        enum envl_status status;
        int opened = openat(place->dir, place->name,
                            O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK |
                                O_NOCTTY | flags);

        if (opened < 0)
            return file_fail(err, "change", path);
        while (flock(opened, LOCK_EX | LOCK_NB) != 0) {
            bool busy = errno == EWOULDBLOCK || errno == EINTR;

            if (busy && clock_monotonic_ms() < deadline) {
                clock_sleep_us(LOOK_AGAIN_US);
                continue;
            }
            status = busy ? refuse(opened, path, err)
                          : file_fail(err, "lock", path);
            close(opened);
            return status;
        }
        if (current(place, opened)) {
            *fd = opened;
            return ENVL_OK;
        }
        close(opened);
    }
}
