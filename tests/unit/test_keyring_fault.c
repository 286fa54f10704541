/*
 * A ring and a log when the system fails: each call that changes or reads a
 * file fails once, then for ever, then kills the process.  What is left is the
 * old ring or the new one, never a third; a record is there whole or not.
 *
 * The calls are replaced at link time (--wrap, see the Makefile).
 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "audit_fixture.h"

enum trouble { NONE, FAIL_ONCE, FAIL_ON, KILL_BEFORE, KILL_AFTER };

static enum trouble trouble = NONE;
static int countdown; /* calls until it happens */
static char trace[1024]; /* a letter for each call that could have failed */
static size_t traced;

/* True if this call, ${letter}, is to fail. */
static bool
strike(char letter)
{
    if (traced + 1 < sizeof(trace))
        trace[traced++] = letter;
    if (trouble == NONE)
        return false;
    if (countdown-- > 0)
        return false;
    if (trouble == KILL_BEFORE)
        kill(getpid(), SIGKILL);
    if (trouble == KILL_AFTER) {
        trouble = KILL_BEFORE; /* at the next one: this one is done */
        countdown = 0;
        return false;
    }
    if (trouble == FAIL_ONCE)
        trouble = NONE;
    else
        countdown = 0;
    errno = ENOSPC;
    return true;
}

int __real_openat(int dir, const char *name, int flags, ...);
int __real___openat_2(int dir, const char *name, int flags);
ssize_t __real_write(int fd, const void *bytes, size_t len);
ssize_t __real_read(int fd, void *bytes, size_t len);
int __real_fsync(int fd);
int __real_fchmod(int fd, mode_t mode);
int __real_flock(int fd, int how);
int __real_close(int fd);
int __real_renameat(int a, const char *from, int b, const char *to);
int __real_renameat2(int a, const char *from, int b, const char *to,
                     unsigned flags);

int __wrap_openat(int dir, const char *name, int flags, ...);
int __wrap___openat_2(int dir, const char *name, int flags);
ssize_t __wrap_write(int fd, const void *bytes, size_t len);
ssize_t __wrap_read(int fd, void *bytes, size_t len);
int __wrap_fsync(int fd);
int __wrap_fchmod(int fd, mode_t mode);
int __wrap_flock(int fd, int how);
int __wrap_close(int fd);
int __wrap_renameat(int a, const char *from, int b, const char *to);
int __wrap_renameat2(int a, const char *from, int b, const char *to,
                     unsigned flags);

int
__wrap_openat(int dir, const char *name, int flags, ...)
{
    /* The library opens with one mode. */
    return strike('o') ? -1 : __real_openat(dir, name, flags, 0600);
}

int
__wrap___openat_2(int dir, const char *name, int flags)
{
    return strike('o') ? -1 : __real___openat_2(dir, name, flags);
}

/* A write that fails has often written a part. */
ssize_t
__wrap_write(int fd, const void *bytes, size_t len)
{
    if (!strike('w'))
        return __real_write(fd, bytes, len);
    if (len > 10 && trouble == FAIL_ON)
        (void)!__real_write(fd, bytes, 10);
    errno = ENOSPC;
    return -1;
}

ssize_t
__wrap_read(int fd, void *bytes, size_t len)
{
    return strike('r') ? -1 : __real_read(fd, bytes, len);
}

int
__wrap_fsync(int fd)
{
    return strike('s') ? -1 : __real_fsync(fd);
}

int
__wrap_fchmod(int fd, mode_t mode)
{
    return strike('m') ? -1 : __real_fchmod(fd, mode);
}

int
__wrap_flock(int fd, int how)
{
    return strike('l') ? -1 : __real_flock(fd, how);
}

/* Even a close that fails has closed. */
int
__wrap_close(int fd)
{
    bool fails = strike('c');
    int result = __real_close(fd);

    if (fails)
        errno = ENOSPC;
    return fails ? -1 : result;
}

int
__wrap_renameat(int a, const char *from, int b, const char *to)
{
    return strike('n') ? -1 : __real_renameat(a, from, b, to);
}

int
__wrap_renameat2(int a, const char *from, int b, const char *to,
                 unsigned flags)
{
    return strike('n') ? -1 : __real_renameat2(a, from, b, to, flags);
}

#define OLD 3u /* generations of the rig, */
#define NEW 4u /* and after an operation  */

/* ---- the operations ----------------------------------------------------- */

struct rig {
    struct fixture f;
    struct envl_keyring *ring;
    char before[16384]; /* the ring's file */
};

typedef enum envl_status operation(struct rig *rig);

static enum envl_status
do_add(struct rig *rig)
{
    struct envl_key_spec spec = { .kid = "k9", .activate = true };

    return envl_keyring_add(rig->ring, &spec, NULL);
}

static enum envl_status
do_destroy(struct rig *rig)
{
    return envl_keyring_destroy(rig->ring, "k2", false, NULL);
}

static struct rig
rig_new(void)
{
    struct rig rig = { .f = fixture_with_ring() };
    struct envl_key_spec spec = { .kid = "k2" };

    rig.ring = must_open(&rig.f);
    assert_int_equal(envl_keyring_add(rig.ring, &spec, NULL), ENVL_OK);
    assert_int_equal(envl_keyring_set_state(rig.ring, "k2", ENVL_KEY_DISABLED,
                                            NULL), ENVL_OK);
    read_whole(rig.f.ring, rig.before, sizeof(rig.before));
    return rig;
}

static void
rig_free(struct rig *rig)
{
    envl_keyring_free(rig->ring);
    fixture_free(&rig->f);
}

/* The generation that a fresh process sees; it must open. */
static uint64_t
generation_now(const struct rig *rig)
{
    struct envl_keyring *again = must_open(&rig->f);
    struct envl_ring_mark mark;

    envl_keyring_mark(again, &mark);
    envl_keyring_free(again);
    return mark.generation;
}

/* Return true once nothing was left to fail. */
static bool
fail_at(operation *act, enum trouble kind, int at)
{
    struct rig rig = rig_new();
    char after[16384];
    enum envl_status status;
    uint64_t generation;
    bool struck;

    trouble = kind;
    countdown = at;
    status = act(&rig);
    struck = trouble != kind || countdown < 0 ||
             (kind == FAIL_ON && countdown == 0 && status != ENVL_OK);
    trouble = NONE;

    generation = generation_now(&rig);
    read_whole(rig.f.ring, after, sizeof(after));
    if (generation == OLD)
        assert_string_equal(after, rig.before);
    else
        assert_int_equal(generation, NEW);
    if (status == ENVL_OK)
        assert_int_equal(generation, NEW);
    else
        assert_true(status == ENVL_E_IO || status == ENVL_E_POLICY ||
                    status == ENVL_E_AUTH);
    /* The same process can go on from what it was told. */
    assert_int_equal(envl_keyring_reload(rig.ring, NULL), ENVL_OK);
    if (generation == OLD)
        assert_int_equal(act(&rig), ENVL_OK);
    assert_int_equal(count_files(rig.f.dir), 2);
    rig_free(&rig);
    return !struck;
}

static void
fail_everywhere(operation *act, enum trouble kind, int at_least)
{
    int at = 0;

    while (!fail_at(act, kind, at))
        at++;
    print_message("%d calls failed in turn\n", at);
    assert_true(at >= at_least);
}

static void
adding_survives_each_call_that_fails_once(void **state)
{
    (void)state;
    fail_everywhere(do_add, FAIL_ONCE, 20);
}

static void
adding_survives_a_disk_that_fails_for_ever(void **state)
{
    (void)state;
    fail_everywhere(do_add, FAIL_ON, 20);
}

static void
destroying_survives_each_call_that_fails_once(void **state)
{
    (void)state;
    fail_everywhere(do_destroy, FAIL_ONCE, 30);
}

/* spec: KEY-9: locked, written, synced, named, and the folder synced */
static void
a_change_syncs_before_and_after_it_names(void **state)
{
    struct rig rig = rig_new();
    const char *lock, *last_write, *sync, *name;

    (void)state;
    memset(trace, 0, sizeof(trace));
    traced = 0;
    assert_int_equal(do_add(&rig), ENVL_OK);
    lock = strchr(trace, 'l');
    last_write = strrchr(trace, 'w');
    name = strchr(trace, 'n');
    assert_non_null(lock);
    assert_non_null(last_write);
    assert_non_null(name);
    sync = strchr(last_write, 's');
    assert_non_null(sync);
    assert_true(lock < last_write && sync < name);
    assert_non_null(strchr(name, 's'));
    rig_free(&rig);
}

/* ---- kill -9 ------------------------------------------------------------ */

/* Return true once the child got through. */
static bool
kill_at(operation *act, enum trouble kind, int at)
{
    struct rig rig = rig_new();
    char after[16384];
    uint64_t generation;
    int status = -1;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        trouble = kind;
        countdown = at;
        _exit(act(&rig) == ENVL_OK ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);

    generation = generation_now(&rig);
    read_whole(rig.f.ring, after, sizeof(after));
    if (generation == OLD)
        assert_string_equal(after, rig.before);
    else
        assert_int_equal(generation, NEW);
    if (!WIFSIGNALED(status))
        assert_int_equal(generation, NEW);

    /* The next change clears away what the dead writer left. */
    assert_int_equal(envl_keyring_reload(rig.ring, NULL), ENVL_OK);
    assert_int_equal(envl_keyring_set_state(rig.ring, "k1", generation == NEW &&
                                            act == do_add ? ENVL_KEY_ACTIVE
                                                : ENVL_KEY_DECRYPT_ONLY,
                                            NULL), ENVL_OK);
    assert_int_equal(count_files(rig.f.dir), 2);
    rig_free(&rig);
    return !WIFSIGNALED(status);
}

static void
kill_everywhere(operation *act)
{
    int at = 0;

    while (!kill_at(act, KILL_BEFORE, at))
        at++;
    assert_true(at > 20);
    for (at = 0; !kill_at(act, KILL_AFTER, at); at++)
        ;
    print_message("%d points of death\n", 2 * at);
}

static void
adding_survives_kill_at_each_point(void **state)
{
    (void)state;
    kill_everywhere(do_add);
}

static void
destroying_survives_kill_at_each_point(void **state)
{
    (void)state;
    kill_everywhere(do_destroy);
}

/* ---- making a ring ------------------------------------------------------ */

static void
creating_leaves_a_whole_ring_or_none(void **state)
{
    bool struck = true;

    (void)state;
    for (int at = 0; struck; at++) {
        struct fixture f = fixture_new();
        struct envl_key_spec spec = { .kid = "k1" };
        struct envl_keyring *ring;
        enum envl_status status;

        trouble = FAIL_ONCE;
        countdown = at;
        status = envl_keyring_create(f.ring, f.provider, "main", &spec, NULL);
        struck = trouble == NONE;
        trouble = NONE;
        if (access(f.ring, F_OK) == 0) {
            ring = must_open(&f);
            envl_keyring_free(ring);
        } else {
            assert_int_not_equal(status, ENVL_OK);
            assert_int_equal(count_files(f.dir), 1);
        }
        fixture_free(&f);
    }
}

/* ---- the log ------------------------------------------------------------ */

static void
a_record_is_whole_or_not_there(void **state)
{
    bool struck = true;
    int at;

    (void)state;
    for (at = 0; struck; at++) {
        struct log log = log_new();
        struct envl_audit *audit = NULL;
        struct envl_audit_report report;
        enum envl_status status;

        write_records(&log, log.ring, 2);
        assert_int_equal(envl_audit_open(log.path, log.ring, &audit, NULL),
                         ENVL_OK);
        trouble = FAIL_ONCE;
        countdown = at;
        status = log_append(audit, "migrate", NULL);
        struck = trouble == NONE;
        trouble = NONE;

        report = verify(&log, log.ring);
        assert_int_equal(report.broken_line, 0);
        if (status != ENVL_OK)
            assert_int_equal(status, ENVL_E_AUDIT);
        assert_int_equal(report.records, status == ENVL_OK ? 3 : 2);
        assert_int_equal(log_append(audit, "migrate", NULL), ENVL_OK);
        envl_audit_free(audit);
        log_free(&log);
    }
    print_message("%d calls failed in turn\n", at - 1);
    assert_true(at > 8);
}

static void
a_torn_record_is_seen_by_the_next_writer(void **state)
{
    struct log log = log_new();
    struct envl_audit *audit = NULL;
    struct envl_audit_report report;
    int at, torn = 0;

    (void)state;
    for (at = 0; at < 30; at++) {
        unlink(log.path);
        write_records(&log, log.ring, 2);
        assert_int_equal(envl_audit_open(log.path, log.ring, &audit, NULL),
                         ENVL_OK);
        trouble = FAIL_ON; /* a part of a write, and no way back */
        countdown = at;
        if (log_append(audit, "migrate", NULL) != ENVL_OK) {
            trouble = NONE;
            report = verify(&log, log.ring);
            torn += report.broken_line == 3;
            if (report.broken_line != 0)
                assert_int_equal(log_append(audit, "migrate", NULL),
                                 ENVL_E_AUDIT);
        }
        trouble = NONE;
        envl_audit_free(audit);
    }
    assert_true(torn > 0);
    log_free(&log);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adding_survives_each_call_that_fails_once),
        cmocka_unit_test(adding_survives_a_disk_that_fails_for_ever),
        cmocka_unit_test(destroying_survives_each_call_that_fails_once),
        cmocka_unit_test(a_change_syncs_before_and_after_it_names),
        cmocka_unit_test(adding_survives_kill_at_each_point),
        cmocka_unit_test(destroying_survives_kill_at_each_point),
        cmocka_unit_test(creating_leaves_a_whole_ring_or_none),
        cmocka_unit_test(a_record_is_whole_or_not_there),
        cmocka_unit_test(a_torn_record_is_seen_by_the_next_writer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
