/*
 * shim.c - a library that is loaded before libc (LD_PRELOAD) by the fault
 * tests, and by nothing else: it counts the calls by which a process touches
 * the world, and kills or stops the process, or fails a call, at a number
 * that the test has chosen.
 *
 * The file named by FAULT_CONTROL is mapped and shared with the test, which
 * reads the counts even of a process that was killed, and changes the rules
 * while the process runs.  Its layout is struct control; shim.py has the same.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum call { CALL_SEND, CALL_RECV, CALL_WRITE, CALL_SYNC, CALL_UNLINK,
            CALL_READ, CALL_ROW, CALL_HOLD, CALL_COUNT };
enum action { ACT_NONE, ACT_KILL, ACT_STOP, ACT_FAIL, ACT_FAIL_EVER };

/* All members are 8 bytes, in the byte order of the machine. */
struct control {
    _Atomic int64_t clock_offset_s;   /* added to CLOCK_REALTIME            */
    _Atomic int64_t jump_at_send;     /* > 0: from this send on, add ...    */
    _Atomic int64_t jump_s;           /* ... this, too                      */
    struct {
        _Atomic int64_t count;        /* calls so far                       */
        _Atomic int64_t at;           /* act at this one, counted from 1    */
        _Atomic int64_t action;
        _Atomic int64_t error;        /* errno of ACT_FAIL                  */
        _Atomic int64_t hits;         /* how often it acted                 */
    } calls[CALL_COUNT];
    char path[256];                   /* files: only those whose name holds
                                         this; "" means every file          */
};

static struct control *control;

/* ---- what libc has ------------------------------------------------------ */

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (real == NULL) \
        *(void **)&real = dlsym(RTLD_NEXT, name)

__attribute__((constructor)) static void
attach(void)
{
    const char *path = getenv("FAULT_CONTROL");
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    void *at;

    if (fd < 0)
        return;
    at = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
              0);
    close(fd);
    if (at != MAP_FAILED)
        control = at;
}

/* ---- rules -------------------------------------------------------------- */

/* Count a call; true if it is to fail, with errno set. */
static int
met(enum call call)
{
    int64_t n, at, action;

    if (control == NULL)
        return 0;
    n = atomic_fetch_add(&control->calls[call].count, 1) + 1;
    at = atomic_load(&control->calls[call].at);
    action = atomic_load(&control->calls[call].action);
    if (action == ACT_NONE || at == 0 ||
        (action == ACT_FAIL_EVER ? n < at : n != at))
        return 0;
    atomic_fetch_add(&control->calls[call].hits, 1);
    if (action == ACT_KILL)
        kill(getpid(), SIGKILL);
    if (action == ACT_STOP)
        kill(getpid(), SIGSTOP);
    if (action == ACT_KILL || action == ACT_STOP)
        return 0;
    errno = (int)atomic_load(&control->calls[call].error);
    return 1;
}

static int
file_met(enum call call, int fd)
{
    char link[64], path[512];
    ssize_t len;

    if (control == NULL)
        return 0;
    if (fd <= 2)
        return 0;
    if (control->path[0] != '\0') {
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        len = readlink(link, path, sizeof(path) - 1);
        path[len < 0 ? 0 : len] = '\0';
        if (strstr(path, control->path) == NULL)
            return 0;
    }
    return met(call);
}

/* ---- sockets ------------------------------------------------------------ */

ssize_t
send(int fd, const void *buf, size_t len, int flags)
{
    REAL(ssize_t, "send", int, const void *, size_t, int);
    return met(CALL_SEND) ? -1 : real(fd, buf, len, flags);
}

ssize_t
recv(int fd, void *buf, size_t len, int flags)
{
    REAL(ssize_t, "recv", int, void *, size_t, int);
    return met(CALL_RECV) ? -1 : real(fd, buf, len, flags);
}

/* ---- files -------------------------------------------------------------- */

ssize_t
write(int fd, const void *buf, size_t len)
{
    REAL(ssize_t, "write", int, const void *, size_t);
    return file_met(CALL_WRITE, fd) ? -1 : real(fd, buf, len);
}

ssize_t
pwrite(int fd, const void *buf, size_t len, off_t at)
{
    REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
    return file_met(CALL_WRITE, fd) ? -1 : real(fd, buf, len, at);
}

ssize_t
pwrite64(int fd, const void *buf, size_t len, off64_t at)
{
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    return file_met(CALL_WRITE, fd) ? -1 : real(fd, buf, len, at);
}

ssize_t
pwritev(int fd, const struct iovec *parts, int count, off_t at)
{
    REAL(ssize_t, "pwritev", int, const struct iovec *, int, off_t);
    return file_met(CALL_WRITE, fd) ? -1 : real(fd, parts, count, at);
}

int
posix_fallocate(int fd, off_t at, off_t len)
{
    REAL(int, "posix_fallocate", int, off_t, off_t);
    return file_met(CALL_WRITE, fd) ? errno : real(fd, at, len);
}

ssize_t
pread64(int fd, void *buf, size_t len, off64_t at)
{
    REAL(ssize_t, "pread64", int, void *, size_t, off64_t);
    return file_met(CALL_READ, fd) ? -1 : real(fd, buf, len, at);
}

int
fsync(int fd)
{
    REAL(int, "fsync", int);
    return file_met(CALL_SYNC, fd) ? -1 : real(fd);
}

int
fdatasync(int fd)
{
    REAL(int, "fdatasync", int);
    return file_met(CALL_SYNC, fd) ? -1 : real(fd);
}

int
unlink(const char *path)
{
    REAL(int, "unlink", const char *);
    if (control != NULL && strstr(path, control->path) != NULL &&
        met(CALL_UNLINK))
        return -1;
    return real(path);
}

/* ---- rows that SQLite gives --------------------------------------------- */

/* A plugin's libraries are in no scope that RTLD_NEXT searches. */
static void *
in_sqlite(const char *name)
{
    void *library = dlopen("libsqlite3.so.0", RTLD_LAZY | RTLD_NOLOAD);

    return library == NULL ? NULL : dlsym(library, name);
}

/* SELECTs of the swept table are the pages of a sweep. */
int
sqlite3_step(void *statement)
{
    static int (*real)(void *);
    static const char *(*text)(void *);
    const char *sql;
    int rc;

    if (real == NULL) {
        *(void **)&text = in_sqlite("sqlite3_sql");
        *(void **)&real = in_sqlite("sqlite3_step");
    }
    rc = real(statement);
    if (control != NULL && rc == 100 && (sql = text(statement)) != NULL &&
        strncmp(sql, "SELECT", 6) == 0 && strstr(sql, "secrets") != NULL &&
        strstr(sql, "ORDER BY") != NULL && strstr(sql, "LIMIT ?") != NULL)
        atomic_fetch_add(&control->calls[CALL_ROW].count, 1);
    return rc;
}

/* The longest time that a write transaction was open, in microseconds. */
int
sqlite3_exec(void *db, const char *sql, int (*each)(void *, int, char **,
             char **), void *cookie, char **message)
{
    static int (*real)(void *, const char *, int (*)(void *, int, char **,
                       char **), void *, char **);
    static _Thread_local int64_t since;
    struct timespec now;
    int64_t us, most;
    int rc;

    if (real == NULL)
        *(void **)&real = in_sqlite("sqlite3_exec");
    rc = real(db, sql, each, cookie, message);
    clock_gettime(CLOCK_MONOTONIC, &now);
    us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
    if (strcmp(sql, "BEGIN IMMEDIATE") == 0) {
        since = rc == 0 ? us : 0;
    } else if (control != NULL && since != 0 &&
               (strcmp(sql, "COMMIT") == 0 || strcmp(sql, "ROLLBACK") == 0)) {
        most = atomic_load(&control->calls[CALL_HOLD].count);
        if (us - since > most)
            atomic_store(&control->calls[CALL_HOLD].count, us - since);
        since = 0;
    }
    return rc;
}

/* ---- the clock ---------------------------------------------------------- */

static int64_t
offset(void)
{
    int64_t by, at;

    if (control == NULL)
        return 0;
    by = atomic_load(&control->clock_offset_s);
    at = atomic_load(&control->jump_at_send);
    if (at > 0 && atomic_load(&control->calls[CALL_SEND].count) >= at)
        by += atomic_load(&control->jump_s);
    return by;
}

int
clock_gettime(clockid_t clock, struct timespec *now)
{
    int rc;

    REAL(int, "clock_gettime", clockid_t, struct timespec *);
    rc = real(clock, now);
    if (rc == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += (time_t)offset();
    return rc;
}

time_t
time(time_t *out)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (out != NULL)
        *out = now.tv_sec;
    return now.tv_sec;
}

int
gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec now;

    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
    return 0;
}
