#include "core/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"

#define NOFILE_LIMIT  256u
#define FSIZE_LIMIT   (64ull << 20)   /* bytes of any file it writes  */
#define DATA_LIMIT    (4096ull << 20) /* bytes of memory of its own   */
#define LOOK_AGAIN_MS 10

void
child_close(struct child_program *program)
{
    if (program->fd >= 0)
        close(program->fd);
    program->fd = -1;
}

/* ---- between fork and exec: only calls that are safe there -------------- */

enum { PROGRAM_FD = 3, FAILURE_FD = 4 };

/*
 * What the new process needs, all of it made before the fork; the descriptors
 * are above those that they will have there.
 */
struct start {
    const struct child_program *checked;
    const struct child_options *options;
    int program; /* its file                                       */
    int output;  /* the pipe's end for its standard output         */
    int failure; /* where errno goes if it cannot be started; it
                    closes by itself when it could                 */
    int empty;   /* /dev/null                                      */
};

static void
limit(enum __rlimit_resource what, rlim_t most)
{
    struct rlimit was, now;

    if (getrlimit(what, &was) != 0)
        return;
    now.rlim_max = was.rlim_max < most ? was.rlim_max : most;
    now.rlim_cur = now.rlim_max;
    (void)setrlimit(what, &now);
}

/* spec: KEY-106 */
static void
limit_all(uint32_t timeout_ms)
{
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NOFILE, NOFILE_LIMIT);
    limit(RLIMIT_FSIZE, FSIZE_LIMIT);
    limit(RLIMIT_DATA, DATA_LIMIT);
    limit(RLIMIT_CPU, timeout_ms / 1000 + 1);
}

static void
reset_signals(void)
{
    struct sigaction usual = { .sa_handler = SIG_DFL };
    sigset_t none;

    for (int number = 1; number < NSIG; number++)
        (void)sigaction(number, &usual, NULL);
    /* The C library keeps two to itself, and a parent can have left them
       ignored (GNU make does); to the kernel all zero is SIG_DFL. */
    for (int number = 32; number < 34; number++)
        (void)syscall(SYS_rt_sigaction, number, (unsigned long[8]){ 0 }, NULL,
                      8);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Let ${number} be the descriptor ${fd}, which stays where it is, too. */
static int
seat(int fd, int number)
{
    if (fd == number)
        return 0;
    return dup2(fd, number) < 0 ? -1 : 0;
}

/* spec: KEY-104 */
static void
close_from(int first)
{
    const long most = sysconf(_SC_OPEN_MAX);

    if (syscall(SYS_close_range, (unsigned)first, ~0u, 0) == 0)
        return;
    for (long fd = first; fd < most; fd++)
        (void)close((int)fd);
}

/*
 * Run the program from descriptor ${fd}.  The interpreter of a script opens it
 * again through that descriptor, which therefore stays open then.
 */
static void
execute(const struct child_program *program, int fd, char *const *argv,
        char *const *envp)
{
    if (fcntl(fd, F_SETFD, program->is_script ? 0 : FD_CLOEXEC) == 0)
        (void)execveat(fd, "", argv, envp, AT_EMPTY_PATH);
}

static void __attribute__((noreturn))
start_child(const struct start *start)
{
    int reason;

    /* If this process ends first, nobody would read the answer. */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (setsid() < 0 || seat(start->empty, STDIN_FILENO) != 0 ||
        seat(start->output, STDOUT_FILENO) != 0 ||
        seat(start->empty, STDERR_FILENO) != 0 ||
        seat(start->program, PROGRAM_FD) != 0 ||
        seat(start->failure, FAILURE_FD) != 0 ||
        fcntl(FAILURE_FD, F_SETFD, FD_CLOEXEC) != 0 || chdir("/") != 0 ||
        /* spec: KEY-105 */
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        goto failed;
    close_from(FAILURE_FD + 1);
    reset_signals();
    limit_all(start->options->timeout_ms);
    execute(start->checked, PROGRAM_FD, start->options->argv,
            start->options->envp);

failed:
    reason = errno;
    (void)!write(FAILURE_FD, &reason, sizeof(reason));
    _exit(127);
}

/* ---- the parent --------------------------------------------------------- */

static enum envl_status
fail_start(const struct child_options *options, int reason,
           struct envl_error *err)
{
    char text[96];
    enum envl_status status;

    status = envl_fail(err, ENVL_E_PROVIDER,
                       "the command of provider '%s' cannot be started: %s",
                       options->name,
                       strerror_r(reason, text, sizeof(text)));
    if (reason == ENOEXEC)
        envl_hint(err, "no shell is used: a script begins with #! and its "
                  "interpreter");
    return status;
}

/* Take ${fd} away from the numbers that the new process uses. */
static int
move_up(int fd)
{
    int higher = fd;

    if (fd >= 0 && fd <= FAILURE_FD) {
        higher = fcntl(fd, F_DUPFD_CLOEXEC, FAILURE_FD + 1);
        close(fd);
    }
    return higher;
}

static bool
make_pipe(int pair[2])
{
    if (pipe2(pair, O_CLOEXEC) != 0)
        return false;
    pair[0] = move_up(pair[0]);
    pair[1] = move_up(pair[1]);
    return pair[0] >= 0 && pair[1] >= 0;
}

static void
close_if(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/*
 * Read until the bound, the end or the time; ${late} if it was the time.  The
 * bound is one byte less than the room, so that more than it is noticed.
 */
static enum envl_status
read_answer(int fd, int64_t deadline, struct envl_span *room, bool *late)
{
    size_t done = 0;

    *late = false;
    while (done < room->len) {
        struct pollfd wait = { fd, POLLIN, 0 };
        int64_t left = deadline - clock_monotonic_ms();
        ssize_t got;
        int n;

        if (left <= 0) {
            *late = true;
            break;
        }
        n = poll(&wait, 1, left > 60000 ? 60000 : (int)left);
        if (n < 0 && errno != EINTR)
            return ENVL_E_IO;
        if (n <= 0)
            continue;
        got = read(fd, room->ptr + done, room->len - done);
        if (got < 0 && errno != EINTR && errno != EAGAIN)
            return ENVL_E_IO;
        if (got == 0)
            break;
        if (got > 0)
            done += (size_t)got;
    }
    room->len = done;
    return ENVL_OK;
}

/* True if it has ended by ${deadline}; it is left to be reaped, so that its
   number, and that of its group, means nobody else yet. */
static bool
has_ended(pid_t pid, int64_t deadline)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    bool ended = false;

    for (;;) {
        siginfo_t info = { .si_pid = 0 };
        int64_t left = deadline - clock_monotonic_ms();
        struct pollfd wait = { fd, POLLIN, 0 };

        if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | WNOHANG) !=
                0 && errno != EINTR)
            ended = true; /* somebody else has reaped it */
        if (info.si_pid == pid)
            ended = true;
        if (ended || left <= 0)
            break;
        if (fd < 0 || left > 60000)
            left = fd < 0 ? LOOK_AGAIN_MS : 60000;
        (void)poll(&wait, fd < 0 ? 0 : 1, (int)left);
    }
    if (fd >= 0)
        close(fd);
    return ended;
}

/* End it and all that it left behind; what waitpid says of it. */
static int
end_child(pid_t pid)
{
    int state = -1;
    pid_t got;

    (void)kill(-pid, SIGKILL);
    (void)kill(pid, SIGKILL);
    do
        got = waitpid(pid, &state, 0);
    while (got < 0 && errno == EINTR);
    return got == pid ? state : -1;
}

/* spec: KEY-108 */
static enum envl_status
judge(const struct child_options *options, int state, struct envl_error *err)
{
    enum envl_status status;

    if (state == -1)
        return envl_fail(err, ENVL_E_PROVIDER, "how the command of provider "
                         "'%s' ended is not known", options->name);
    if (WIFSIGNALED(state))
        status = envl_fail(err, ENVL_E_PROVIDER, "the command of provider "
                           "'%s' was ended by signal %d", options->name,
                           WTERMSIG(state));
    else if (WEXITSTATUS(state) != 0)
        status = envl_fail(err, ENVL_E_PROVIDER, "the command of provider "
                           "'%s' ended with exit %d", options->name,
                           WEXITSTATUS(state));
    else
        return ENVL_OK;
    envl_hint(err, "its standard error is not shown: run it yourself to see "
              "why");
    return status;
}

/* Read, wait, end: whatever happens, nothing of it is left. */
static enum envl_status
attend(pid_t pid, int fd, const struct child_options *options,
       struct envl_span *out, struct envl_error *err)
{
    int64_t deadline = clock_monotonic_ms() + (int64_t)options->timeout_ms;
    const size_t bound = out->len - 1;
    enum envl_status status;
    bool late = false;
    int state;

    status = read_answer(fd, deadline, out, &late);
    if (status == ENVL_OK && !late && out->len <= bound)
        late = !has_ended(pid, deadline);
    state = end_child(pid);
    if (status != ENVL_OK)
        return envl_fail(err, ENVL_E_PROVIDER, "the command of provider '%s' "
                         "cannot be read from", options->name);
    /* spec: KEY-107 */
    if (late) {
        status = envl_fail(err, ENVL_E_PROVIDER,
                           "the command of provider '%s' gave no answer "
                           "within %u ms and was killed", options->name,
                           options->timeout_ms);
        envl_hint(err, "run it yourself; \"timeout_ms\" in its "
                  "configuration allows it more");
        return status;
    }
    if (out->len > bound)
        return envl_fail(err, ENVL_E_PROVIDER, "the command of provider '%s' "
                         "wrote more than %zu bytes", options->name, bound);
    return judge(options, state, err);
}

/* Did it start?  The pipe closes by itself at a successful exec. */
static int
start_error(int fd)
{
    int reason = 0;
    ssize_t got;

    do
        got = read(fd, &reason, sizeof(reason));
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof(reason) ? reason : 0;
}

/* The parent's side, once there is a process. */
static enum envl_status
follow(pid_t pid, int output, int failure,
       const struct child_options *options, struct envl_span *out,
       struct envl_error *err)
{
    int reason = start_error(failure);

    if (reason == 0)
        return attend(pid, output, options, out, err);
    (void)end_child(pid);
    return fail_start(options, reason, err);
}

enum envl_status
child_run(const struct child_program *program,
          const struct child_options *options, struct envl_span *out,
          struct envl_error *err)
{
    int output[2] = { -1, -1 }, failure[2] = { -1, -1 };
    struct start start = { program, options, -1, -1, -1, -1 };
    enum envl_status status;
    pid_t pid = -1;

    start.empty = move_up(open("/dev/null", O_RDWR | O_CLOEXEC));
    start.program = fcntl(program->fd, F_DUPFD_CLOEXEC, FAILURE_FD + 1);
    if (start.empty >= 0 && start.program >= 0 && make_pipe(output) &&
        make_pipe(failure)) {
        start.output = output[1];
        start.failure = failure[1];
        if ((pid = fork()) == 0)
            start_child(&start);
    }
    status = pid < 0 ? fail_start(options, errno, err) : ENVL_OK;
    close_if(&output[1]);
    close_if(&failure[1]);
    if (status == ENVL_OK)
        status = follow(pid, output[0], failure[0], options, out, err);
    close_if(&output[0]);
    close_if(&failure[0]);
    close_if(&start.empty);
    close_if(&start.program);
    return status;
}

enum envl_status
child_become(const char *path, char *const *argv, char *const *envp, int keep,
             struct envl_error *err)
{
    char text[96];

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) {
        close_from(keep);
        (void)signal(SIGPIPE, SIG_DFL);
        limit(RLIMIT_CORE, 0);
        (void)execve(path, argv, envp);
    }
    return envl_fail(err, ENVL_E_IO, "'%s' cannot be started: %s", path,
                     strerror_r(errno, text, sizeof(text)));
}
