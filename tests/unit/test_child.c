/* What a command that fetches a key may be, and how it is run. */
#include <signal.h>

#include <sodium.h>

#include "core/child.h"
#include "core/clock.h"
#include "keyring_fixture.h"

struct command {
    struct fixture files;
    char path[192];
    char out[512];
    struct envl_error err;
};

static int
set_up(void **state)
{
    struct command *c = calloc(1, sizeof(*c));

    c->files = fixture_new();
    snprintf(c->path, sizeof(c->path), "%s/command", c->files.dir);
    *state = c;
    return 0;
}

static int
tear_down(void **state)
{
    struct command *c = *state;

    fixture_free(&c->files);
    free(c);
    return 0;
}

static void
write_script(struct command *c, const char *body)
{
    char text[640];

    snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", body);
    write_file(c->path, envl_bytes_of(text), 0700);
}

static enum envl_status
run_program(struct command *c, const struct child_program *program,
            char *const *argv, char *const *envp, uint32_t timeout_ms)
{
    const struct child_options options = { "test", argv, envp, timeout_ms };
    struct envl_span out = { (uint8_t *)c->out, 257 };
    enum envl_status status = child_run(program, &options, &out, &c->err);

    c->out[out.len < sizeof(c->out) ? out.len : 0] = '\0';
    return status;
}

/* Any program, with 20 s and the environment A=1. */
static enum envl_status
run(struct command *c, char *const *argv)
{
    char *envp[] = { (char *)(uintptr_t)"A=1", NULL };
    struct child_program program;
    enum envl_status status = child_open(argv[0], NULL, &program, &c->err);

    if (status != ENVL_OK)
        return status;
    status = run_program(c, &program, argv, envp, 20000);
    child_close(&program);
    return status;
}

static enum envl_status
run_script(struct command *c, const char *body)
{
    char *argv[] = { c->path, NULL };

    write_script(c, body);
    return run(c, argv);
}

/* execve takes them as char *, and changes none. */
#define ARGV(...)                                                             \
    (char *const *)(uintptr_t)(const char *const[]){ __VA_ARGS__, NULL }

static void
assert_message(const struct command *c, const char *part)
{
    if (strstr(c->err.message, part) == NULL)
        fail_msg("'%s' is not in '%s'", part, c->err.message);
}

static enum envl_status
open_only(struct command *c, const char *path)
{
    struct child_program program = { -1, false };
    enum envl_status status = child_open(path, NULL, &program, &c->err);

    child_close(&program);
    return status;
}

/* ---- what may be run ---------------------------------------------------- */

static void
a_safe_program_runs(void **state)
{
    struct command *c = *state;

    assert_int_equal(run_script(c, "echo hello"), ENVL_OK);
    assert_string_equal(c->out, "hello\n");
    assert_int_equal(run(c, ARGV("/bin/echo", "a b", "$(id)", "`id`")),
                     ENVL_OK);
    assert_string_equal(c->out, "a b $(id) `id`\n");
}

static void
a_path_is_absolute(void **state)
{
    struct command *c = *state;

    assert_int_equal(open_only(c, "sh"), ENVL_E_POLICY);
    assert_message(c, "not an absolute path");
    assert_int_equal(open_only(c, "bin/sh"), ENVL_E_POLICY);
    assert_int_equal(open_only(c, "/bin/sh"), ENVL_OK);
    assert_int_equal(open_only(c, "/bin/no-such-program"), ENVL_E_NOTFOUND);
}

static void
a_program_that_others_can_write_is_refused(void **state)
{
    struct command *c = *state;

    write_script(c, ":");
    assert_int_equal(open_only(c, c->path), ENVL_OK);
    assert_int_equal(chmod(c->path, 0720), 0);
    assert_int_equal(open_only(c, c->path), ENVL_E_POLICY);
    assert_int_equal(chmod(c->path, 0702), 0);
    assert_int_equal(open_only(c, c->path), ENVL_E_POLICY);
    assert_message(c, "written by others");
    assert_int_equal(chmod(c->path, 0700), 0);
    assert_int_equal(chmod(c->files.dir, 0770), 0);
    assert_int_equal(open_only(c, c->path), ENVL_E_POLICY);
    assert_message(c, "its folder");
    assert_int_equal(chmod(c->files.dir, 0700), 0);
    assert_int_equal(open_only(c, c->path), ENVL_OK);
}

static void
set_id_and_what_is_no_program_are_refused(void **state)
{
    struct command *c = *state;

    write_script(c, ":");
    assert_int_equal(chmod(c->path, 04700), 0);
    assert_int_equal(open_only(c, c->path), ENVL_E_POLICY);
    assert_message(c, "set-user-id");
    assert_int_equal(chmod(c->path, 0600), 0);
    assert_int_equal(open_only(c, c->path), ENVL_E_POLICY);
    assert_message(c, "not executable");
    assert_int_equal(open_only(c, "/bin"), ENVL_E_POLICY);
    assert_int_equal(open_only(c, "/dev/null"), ENVL_E_POLICY);
    /* No shell takes over what the kernel does not know. */
    write_file(c->path, envl_bytes_of("echo hello\n"), 0700);
    assert_int_equal(run(c, ARGV(c->path)), ENVL_E_PROVIDER);
    assert_message(c, "cannot be started");
}

static void
an_interpreter_is_held_to_the_same_rules(void **state)
{
    struct command *c = *state;
    char other[192], text[256];

    snprintf(other, sizeof(other), "%s/interpreter", c->files.dir);
    write_file(other, envl_bytes_of("#!/bin/sh\necho other\n"), 0700);
    snprintf(text, sizeof(text), "#! %s -x\n", other);
    write_file(c->path, envl_bytes_of(text), 0700);
    assert_int_equal(open_only(c, c->path), ENVL_OK);
    assert_int_equal(chmod(other, 0722), 0);
    assert_int_equal(open_only(c, c->path), ENVL_E_POLICY);
    assert_message(c, "interpreter");
    write_file(c->path, envl_bytes_of("#!sh\n"), 0700);
    assert_int_equal(open_only(c, c->path), ENVL_E_POLICY);
    write_file(c->path, envl_bytes_of("#! \n"), 0700);
    assert_int_equal(open_only(c, c->path), ENVL_E_POLICY);
}

/* ---- the pin ------------------------------------------------------------ */

static void
hash_file(const char *path, uint8_t out[32])
{
    char text[1024];
    size_t len = read_whole(path, text, sizeof(text));

    crypto_hash_sha256(out, (const uint8_t *)text, len);
}

static void
a_pinned_program_is_exactly_those_bytes(void **state)
{
    struct command *c = *state;
    struct child_program program;
    uint8_t pin[32];

    write_script(c, "echo pinned");
    hash_file(c->path, pin);
    assert_int_equal(child_open(c->path, pin, &program, &c->err), ENVL_OK);
    child_close(&program);
    write_script(c, "echo Pinned");
    assert_int_equal(child_open(c->path, pin, &program, &c->err),
                     ENVL_E_POLICY);
    assert_message(c, "pinned");
}

/* What was hashed is what runs, whatever becomes of the file. */
static void
a_change_after_the_check_does_not_matter(void **state)
{
    struct command *c = *state;
    char *argv[] = { c->path, NULL }, *envp[] = { NULL };
    struct child_program program;
    uint8_t pin[32];

    for (int pinned = 1; pinned >= 0; pinned--) {
        write_script(c, "echo before");
        hash_file(c->path, pin);
        assert_int_equal(child_open(c->path, pinned ? pin : NULL, &program,
                                    &c->err), ENVL_OK);
        write_script(c, "echo after");
        assert_int_equal(run_program(c, &program, argv, envp, 20000),
                         ENVL_OK);
        /* Without a pin the script is read when it runs: the rig bites. */
        assert_string_equal(c->out, pinned ? "before\n" : "after\n");
        child_close(&program);
    }
}

static void
a_pinned_binary_runs_from_its_copy(void **state)
{
    struct command *c = *state;
    char *argv[] = { (char *)(uintptr_t)"echo", (char *)(uintptr_t)"copy",
                     NULL };
    char *envp[] = { NULL };
    struct child_program program;
    static char bytes[4 << 20];
    uint8_t pin[32];
    size_t len = read_whole("/bin/echo", bytes, sizeof(bytes));

    crypto_hash_sha256(pin, (const uint8_t *)bytes, len);
    assert_int_equal(child_open("/bin/echo", pin, &program, &c->err),
                     ENVL_OK);
    assert_int_equal(run_program(c, &program, argv, envp, 20000), ENVL_OK);
    assert_string_equal(c->out, "copy\n");
    child_close(&program);
}

/* ---- how it runs -------------------------------------------------------- */

static void
it_gets_the_environment_it_is_given(void **state)
{
    struct command *c = *state;

    assert_int_equal(setenv("ENVL_TEST_CANARY", "canary", 1), 0);
    assert_int_equal(run(c, ARGV("/usr/bin/env")), ENVL_OK);
    assert_string_equal(c->out, "A=1\n");
    assert_int_equal(unsetenv("ENVL_TEST_CANARY"), 0);
}

static void
it_gets_no_descriptor_of_ours(void **state)
{
    struct command *c = *state;
    int leak = open(c->files.key, O_RDONLY); /* not closed by an exec */

    assert_true(leak >= 0);
    assert_int_equal(run(c, ARGV("/bin/ls", "/proc/self/fd")), ENVL_OK);
    assert_string_equal(c->out, "0\n1\n2\n3\n"); /* 3: the folder it lists */
    /* Nor does a script, which is itself open in its interpreter. */
    assert_int_equal(run_script(c, "ls -l /proc/$$/fd | grep -c keyring.key; "
                                   "ls -l /proc/$$/fd | grep -q /command && "
                                   "echo yes"),
                     ENVL_OK);
    assert_string_equal(c->out, "0\nyes\n");
    close(leak);
}

static void
its_standard_input_is_empty(void **state)
{
    struct command *c = *state;

    assert_int_equal(run(c, ARGV("/bin/cat")), ENVL_OK);
    assert_string_equal(c->out, "");
}

static void
what_it_writes_to_standard_error_goes_nowhere(void **state)
{
    struct command *c = *state;
    char path[192], text[64];
    int kept = dup(STDERR_FILENO), file;
    enum envl_status status;

    snprintf(path, sizeof(path), "%s/stderr", c->files.dir);
    file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(kept >= 0 && file >= 0);
    assert_true(dup2(file, STDERR_FILENO) >= 0);
    status = run_script(c, "echo canary >&2; echo out; exit 7");
    assert_int_equal(system("echo rig >&2"), 0); /* the rig would see it */
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    close(kept);
    close(file);
    assert_int_equal(status, ENVL_E_PROVIDER);
    assert_message(c, "exit 7");
    assert_null(strstr(c->err.message, "canary"));
    assert_null(strstr(c->err.hint, "canary"));
    read_whole(path, text, sizeof(text));
    assert_string_equal(text, "rig\n");
}

static void
it_gains_no_privileges_and_leaves_no_core(void **state)
{
    struct command *c = *state;

    assert_int_equal(run(c, ARGV("/bin/grep", "NoNewPrivs",
                                 "/proc/self/status")), ENVL_OK);
    assert_string_equal(c->out, "NoNewPrivs:\t1\n");
    assert_int_equal(run_script(c, "ulimit -c; ulimit -n; pwd"), ENVL_OK);
    assert_string_equal(c->out, "0\n256\n/\n");
    assert_int_equal(run(c, ARGV("/bin/grep", "SigIgn",
                                 "/proc/self/status")), ENVL_OK);
    assert_string_equal(c->out, "SigIgn:\t0000000000000000\n");
}

/* ---- how it ends -------------------------------------------------------- */

static bool
is_gone(long pid)
{
    char path[64], text[256];
    const char *end;

    snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
    if (access(path, F_OK) != 0)
        return true;
    read_whole(path, text, sizeof(text));
    end = strrchr(text, ')');
    return end != NULL && end[2] == 'Z';
}

static void
wait_until_gone(long pid)
{
    for (int i = 0; i < 2000 && !is_gone(pid); i++)
        clock_sleep_us(10000);
    assert_true(is_gone(pid));
}

/* The process that the script says it left behind. */
static long
left_behind(const struct command *c)
{
    char path[192], text[32];

    snprintf(path, sizeof(path), "%s/pid", c->files.dir);
    assert_true(read_whole(path, text, sizeof(text)) > 0);
    return strtol(text, NULL, 10);
}

static void
too_long_ends_the_whole_group(void **state)
{
    struct command *c = *state;
    char *argv[] = { c->path, NULL }, *envp[] = { NULL }, body[512];
    char path[192], said[40];
    struct child_program program;

    snprintf(body, sizeof(body), "/bin/sleep 600 & echo $! >%s/pid.new; "
             "/bin/mv %s/pid.new %s/pid; wait", c->files.dir, c->files.dir,
             c->files.dir);
    write_script(c, body);
    assert_int_equal(child_open(c->path, NULL, &program, &c->err), ENVL_OK);
    /* On a busy machine it may not have come far enough. */
    snprintf(path, sizeof(path), "%s/pid", c->files.dir);
    for (uint32_t ms = 500; access(path, F_OK) != 0 && ms < 64000; ms *= 2) {
        assert_int_equal(run_program(c, &program, argv, envp, ms),
                         ENVL_E_PROVIDER);
        snprintf(said, sizeof(said), "within %u ms", ms);
        assert_message(c, said);
    }
    child_close(&program);
    wait_until_gone(left_behind(c));
}

static void
what_it_leaves_behind_is_ended(void **state)
{
    struct command *c = *state;
    char body[384];

    snprintf(body, sizeof(body), "/bin/sleep 600 >/dev/null & "
             "echo $! >%s/pid; echo done", c->files.dir);
    assert_int_equal(run_script(c, body), ENVL_OK);
    assert_string_equal(c->out, "done\n");
    wait_until_gone(left_behind(c));
}

static void
too_much_output_is_refused(void **state)
{
    struct command *c = *state;

    assert_int_equal(run(c, ARGV("/usr/bin/yes")), ENVL_E_PROVIDER);
    assert_message(c, "more than 256 bytes");
    assert_int_equal(run_script(c, "printf '%256s' x"), ENVL_OK);
    assert_int_equal(run_script(c, "printf '%257s' x"), ENVL_E_PROVIDER);
}

static void
how_it_ended_is_told(void **state)
{
    struct command *c = *state;

    assert_int_equal(run_script(c, "exit 0"), ENVL_OK);
    assert_int_equal(run_script(c, "exit 1"), ENVL_E_PROVIDER);
    assert_message(c, "exit 1");
    assert_int_equal(run_script(c, "kill -9 $$"), ENVL_E_PROVIDER);
    assert_message(c, "signal 9");
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_safe_program_runs),
        T(a_path_is_absolute),
        T(a_program_that_others_can_write_is_refused),
        T(set_id_and_what_is_no_program_are_refused),
        T(an_interpreter_is_held_to_the_same_rules),
        T(a_pinned_program_is_exactly_those_bytes),
        T(a_change_after_the_check_does_not_matter),
        T(a_pinned_binary_runs_from_its_copy),
        T(it_gets_the_environment_it_is_given),
        T(it_gets_no_descriptor_of_ours),
        T(its_standard_input_is_empty),
        T(what_it_writes_to_standard_error_goes_nowhere),
        T(it_gains_no_privileges_and_leaves_no_core),
        T(too_long_ends_the_whole_group),
        T(what_it_leaves_behind_is_ended),
        T(too_much_output_is_refused),
        T(how_it_ended_is_told),
    };

    signal(SIGPIPE, SIG_IGN); /* the command must not inherit that */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
