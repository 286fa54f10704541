"""What happens to the process of the sweep itself."""

import errno
import signal
import sqlite3
import time

import shim
from registry import scenario


def batches(case):
    """How many batches a sweep of the world makes, at least."""
    return max(1, case.world.rows // max(case.world.batch))


@scenario(1, 42, weight=24, check=3)
def killed_at_a_call(case):
    """kill -9 at a numbered system call: before it was sent, read, written or
    synced; again and again, then a rerun."""
    case.begin()
    kinds = {"postgres": (("send", 40, 5), ("recv", 60, 7), ("write", 6, 0),
                          ("sync", 4, 0)),
             "sqlite": (("write", 20, 12), ("sync", 8, 4), ("unlink", 2, 1),
                        ("read", 20, 6))}[case.store.NAME]
    for _ in range(case.dice.randint(1, 3)):
        call, base, each = case.dice.choice(kinds)
        at = case.dice.randint(1, base + each * batches(case))
        control = case.tool.control
        control.rule(call, control.count(call) + at, shim.KILL)
        run = case.sweep()
        control.clear(call)
        case.met = case.met or run.killed
        case.tell(f"killed at {call} {at}: {run.killed}")
        case.look(run)
    case.finish()


@scenario(1, 42, weight=10)
def killed_at_a_moment(case):
    """kill -9 while it works, several times."""
    case.begin(rows=case.dice.choice((300, 900)))
    for _ in range(case.dice.randint(1, 4)):
        run = case.start()
        if case.dice.random() < 0.7:
            case.wait_begun(run, case.dice.uniform(0, 0.7))
        else:
            time.sleep(case.dice.uniform(0, 0.2))
        case.met = case.met or run.alive()
        run.kill()
        case.ended(run)
        case.look(run)
    case.finish()


@scenario(1, 2, 19, stores=("sqlite",), weight=10, check=2)
def a_disk_error_at_a_call(case):
    """A write or a sync of the database file fails once: a commit may have
    happened or not."""
    case.begin()
    call = case.dice.choice(("write", "sync"))
    code = case.dice.choice((errno.EIO, errno.ENOSPC))
    at = case.dice.randint(1, 20 + 6 * batches(case))
    control = case.tool.control
    control.only("app.db")
    control.rule(call, at, shim.FAIL, code)
    run = case.sweep()
    control.clear(call)
    control.only("")
    case.met = control.hits(call) > 0
    case.tell(f"{call} {at} failed with {code}: {control.hits(call)} times")
    case.expect(run, (0, 3, 4, 1, 16))
    case.look(run)
    case.finish()


@scenario(43, weight=5)
def the_audit_file_is_on_a_full_disk(case):
    """The record of a run cannot be written: at its beginning nothing is
    done (exit 17); at its end it is said, and nothing is lost."""
    case.begin(crowd=False)
    at = case.dice.choice((1, 2, 3, 4))
    control = case.tool.control
    control.only("audit")
    control.rule("write", at, shim.FAIL_EVER, errno.ENOSPC)
    before = case.store.snapshot()
    run = case.sweep()
    control.clear("write")
    control.only("")
    case.met = control.hits("write") > 0
    if case.met:
        case.expect(run, (17,))
    if at <= 2 and case.store.snapshot() != before:
        case.fail("I12: it was not recorded, but rows were changed")
    case.look(run)
    case.finish()


@scenario(42, weight=8, check=2)
def it_is_told_to_stop(case):
    """^C, ^C ^C, SIGTERM, SIGHUP: it stops after a batch, or at once, and
    says so by its exit code."""
    case.begin(rows=600, batch=(1, 20))
    signals, code = case.dice.choice((
        ([signal.SIGINT], 130), ([signal.SIGINT, signal.SIGINT], 130),
        ([signal.SIGTERM], 143), ([signal.SIGHUP], 130),
        ([signal.SIGTERM, signal.SIGINT], None)))
    run = case.start()
    case.wait_begun(run, case.dice.uniform(0, 0.5))
    case.met = run.alive()
    for number in signals:
        run.signal(number)
    case.ended(run)
    case.tell(f"signals {signals}")
    wanted = (130, 143) if code is None else (code,)
    case.expect(run, wanted + (0, 3, 4))
    if run.code in (130, 143) and "go on with" not in run.err:
        case.fail(f"I12: it does not say how to go on: {run.told()}")
    case.look(run)
    case.finish()


@scenario(42, weight=3)
def its_terminal_is_closed(case):
    """Whoever looked at the progress is gone: stdout and stderr are pipes
    that nobody reads."""
    case.begin(rows=300)
    run = case.start(through=("sh", "-c", 'exec "$@" 2>&1 | :', "sh"))
    case.ended(run)
    case.met = True
    deadline = time.monotonic() + 60
    while case.store.backends() and time.monotonic() < deadline:
        time.sleep(0.02)
    case.mark_pass()
    run.killed = True  # its own exit code went down the pipe
    case.look(run)
    case.finish()


@scenario(23, stores=("postgres",), weight=10, check=2)
def two_migrators(case):
    """Two or three processes on one job; one of them is killed."""
    case.begin(rows=case.dice.choice((600, 1200)), batch=(1, 20))
    case.crowded = True
    runs = [case.start()]
    case.wait_begun(runs[0], 0.05)
    controls = [case.tool.second_control(f"control{n}") for n in
                range(case.dice.choice((1, 2)))]
    for control in controls:
        runs.append(case.start(control=control))
    victim = case.dice.choice([None, *runs])
    if victim is not None:
        time.sleep(case.dice.uniform(0, 0.15))
        case.met = victim.alive()
        victim.kill()
    else:
        case.met = True
    for run in runs:
        case.ended(run)
        if not run.killed:
            case.expect(run, (0, 3, 4, 11))
    case.look()
    case.crowded = False
    case.finish()


@scenario(23, stores=("sqlite",), weight=5)
def a_second_process_waits_or_goes(case):
    """SQLite has one writer: the second process is told who has the job."""
    case.begin(rows=600, batch=(1, 10))
    case.crowded = True
    first = case.start()
    case.wait_begun(first, 0.05)
    second = case.start(control=case.tool.second_control("control2"))
    case.met = first.alive()
    for run in (first, second):
        case.ended(run)
        case.expect(run, (0, 3, 4, 11))
    case.look()
    case.crowded = False
    case.finish()


@scenario(24, weight=8, check=2)
def it_oversleeps_its_lease(case):
    """SIGSTOP until its lease is over by the store's clock; another process
    takes over; then it wakes up in the middle of a batch."""
    case.begin(rows=600, batch=(1, 20))
    case.frozen = case.crowded = True
    first = case.start()
    case.wait_begun(first, case.dice.uniform(0.05, 0.5))
    case.met = first.alive()
    first.signal(signal.SIGSTOP)
    # Locks of the sleeper end when its transaction does.
    if case.met:
        end_lease(case, first)
    second = case.start(control=case.tool.second_control("control2"))
    if case.dice.random() < 0.5:
        case.wait_begun(second, case.dice.uniform(0.3, 0.9))
        first.signal(signal.SIGCONT)
    case.ended(second)
    case.expect(second, (0, 3, 4, 11))
    first.signal(signal.SIGCONT)
    case.ended(first)
    case.expect(first, (0, 3, 4, 11, 16))
    case.look()
    case.crowded = False
    case.finish()


def end_lease(case, sleeper):
    """Its lease is over.  Asleep within a SQLite transaction it would keep
    everybody out: then it is woken for a moment."""
    for _ in range(50):
        release_locks(case)
        try:
            case.store.lease_over()
            break
        except sqlite3.OperationalError:
            sleeper.signal(signal.SIGCONT)
            time.sleep(0.002)
            sleeper.signal(signal.SIGSTOP)


def release_locks(case):
    """What the server does to a transaction that is idle for 60 s."""
    if case.store.NAME != "postgres":
        return
    case.store.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                   "WHERE application_name LIKE 'envelope%' AND state LIKE "
                   "'idle in transaction%'")


@scenario(24, weight=1, check=0, slow=True)
def it_sleeps_for_sixteen_seconds(case):
    """The same with the real clock: nobody touches the lease."""
    case.begin(rows=900, batch=(1, 10), crowd=False)
    case.frozen = case.crowded = True
    first = case.start()
    case.wait_begun(first, 0.1)
    case.met = first.alive()
    first.signal(signal.SIGSTOP)
    release_locks(case)
    time.sleep(16)
    second = case.start(control=case.tool.second_control("control2"))
    case.ended(second)
    first.signal(signal.SIGCONT)
    case.ended(first)
    case.expect(first, (0, 3, 4, 11, 16))
    case.crowded = False
    case.finish()


@scenario(26, weight=6, check=1)
def the_clock_jumps(case):
    """The host's clock jumps by an hour, a day or ten years, forward or back,
    before or during a run; leases are by the store's clock and go on."""
    case.begin(rows=300)
    by = case.dice.choice((3600, 86400, -86400, 10 * 365 * 86400, -3600))
    case.tool.env["TZ"] = case.dice.choice(("Europe/Berlin", "UTC",
                                            "Pacific/Apia"))
    case.tool.control.jump(case.dice.randint(1, 60) + case.tool.control.count(
        "send"), by)
    if case.dice.random() < 0.3:
        case.tool.control.clock(by)
    run = case.start()
    if case.dice.random() < 0.5:
        case.wait_begun(run, 0.3)
        run.kill()
    case.ended(run)
    case.met = True
    case.expect(run, (0, 3, 4) + ((-9,) if run.killed else ()))
    case.look(run)
    case.finish()


@scenario(25, stores=("postgres", "sqlite"), weight=5)
def two_jobs_on_one_field(case):
    """Two jobs by different names seal the same column at the same time."""
    case.begin(rows=300, batch=(1, 20), moves=False)
    case.crowded = True
    other = case.write_job("other.json", name="other")
    first = case.start()
    second = case.tool.start("migrate", other, "--execute", "--json",
                             control=case.tool.second_control("control2"))
    case.met = True
    for run in (first, second):
        case.ended(run)
        case.expect(run, (0, 3, 4, 11, 16))
    case.bases.clear()  # both have sealed
    case.look()
    case.crowded = False
    case.finish()
