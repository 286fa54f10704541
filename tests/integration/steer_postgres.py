#!/usr/bin/python3
"""Goal: a sweep of PostgreSQL waits for each thing that a job can name, says
which, shows it in `status`, writes nothing meanwhile, and goes on by itself
when it is over; operators pause it, resume it and change its pace from
another process.  Everything is real: a standby whose replay is paused, a
VACUUM that runs, an archive command that fails, an old transaction.

    steer_postgres.py [NAME...]      only these checks
"""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import psycopg2

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLUSTER = ROOT / "tests/support/pg_cluster.sh"
ENVELOPE = os.environ.get("ENVELOPE", str(ROOT / "build/release/envelope"))
PATIENCE = 60  # seconds for anything to happen on a busy machine
ROWS = 4000


def poll(what, condition, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.1)
    raise AssertionError(f"timed out: {what}")


class Sweep:
    """`migrate --execute --json` in the background, its lines as they come."""

    def __init__(self, scene, *args, prefix=(), env=None):
        self.lines, self.errors = [], []
        self.process = subprocess.Popen(
            [*prefix, ENVELOPE, "migrate", str(scene.job), "--execute",
             "--json", *args], env={**scene.env, **(env or {})}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.threads = [
            threading.Thread(target=self.read, args=pipe, daemon=True)
            for pipe in ((self.process.stdout, self.lines),
                         (self.process.stderr, self.errors))]
        for thread in self.threads:
            thread.start()

    @staticmethod
    def read(pipe, to):
        for line in pipe:
            to.append(line)

    def said(self, kind):
        return [line for line in map(json.loads, list(self.lines))
                if line["type"] == kind]

    def waits_for(self, reason):
        poll(f"waiting for {reason}; {self.lines[-3:]} {self.errors[-3:]}",
             lambda: any(line["reason"] == reason
                         for line in self.said("waiting")) or
             self.process.poll() is not None)
        assert self.process.poll() is None, (self.lines, self.errors)

    def ends(self, code=0):
        got = self.process.wait(timeout=PATIENCE * 2)
        for thread in self.threads:
            thread.join()
        assert got == code, (got, self.lines[-3:], self.errors)
        return self.said("summary")


class Scene:
    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="envl-test-"))
        os.chmod(self.dir, 0o711)
        self.clusters = []
        self.primary = self.cluster("a", "start", "archive_mode=on",
                                    "archive_command=true", "autovacuum=off",
                                    "vacuum_cost_page_dirty=10000",
                                    "wal_receiver_status_interval=1s",
                                    "max_prepared_transactions=5")
        self.dsn = f"host={self.primary}/s user=postgres dbname=postgres"
        self.home = self.dir / "home"
        self.home.mkdir(mode=0o700)
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.home),
                    "DATABASE_URL": self.dsn}
        self.job = self.home / "job.json"
        self.db = psycopg2.connect(self.dsn)
        self.db.autocommit = True
        self.must("init", "--kid", "k1")

    def cluster(self, name, verb, *args):
        where = self.dir / name
        where.mkdir()
        self.clusters.append(where)
        subprocess.run(["sh", CLUSTER, verb, where, *args], check=True,
                       stdin=subprocess.DEVNULL)
        return where

    def standby(self):
        return self.cluster("b", "standby", str(self.primary))

    def sql(self, text, *args):
        with self.db.cursor() as cursor:
            cursor.execute(text, args or None)
            return cursor.fetchall() if cursor.description else None

    def one(self, text):
        return self.sql(text)[0][0]

    def fresh(self, **members):
        """A table of plaintext that was never swept, and its job."""
        self.sql("DROP TABLE IF EXISTS t; DROP SCHEMA IF EXISTS envelope "
                 "CASCADE; CREATE TABLE t (id int PRIMARY KEY, k text)")
        self.sql("INSERT INTO t SELECT i, 'sk-live-' || i FROM "
                 f"generate_series(1, {ROWS}) i")
        self.sql("ANALYZE t")
        self.write_job(**members)

    def role(self):
        """A role that may sweep, and see nothing of others."""
        if self.one("SELECT count(*) FROM pg_roles "
                    "WHERE rolname = 'sweeper'") == 0:
            self.sql("CREATE ROLE sweeper LOGIN")
        self.sql("GRANT ALL ON t TO sweeper; "
                 "GRANT CREATE ON DATABASE postgres TO sweeper")

    def write_job(self, **members):
        self.job.write_text(json.dumps({
            "envelope_job": 1, "name": "steer",
            "source": {"driver": "postgres", "dsn_env": "DATABASE_URL"},
            "targets": [{"table": "public.t", "key": ["id"],
                         "fields": [{"column": "k"}]}], **members}))

    def sealed(self):
        return self.one("SELECT count(*) FROM t WHERE k LIKE 'env1:%'")

    def run(self, *args, env=None):
        return subprocess.run([ENVELOPE, *args], text=True,
                              env={**self.env, **(env or {})},
                              capture_output=True, timeout=PATIENCE * 2)

    def must(self, *args, code=0, env=None):
        done = self.run(*args, env=env)
        assert done.returncode == code, (args, done.returncode, done.stdout,
                                         done.stderr)
        return done

    def status(self):
        done = self.run("status", str(self.job), "--json")
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def waits(self, reason, release, **members):
        """The whole story of one reason; something of it must be there."""
        self.fresh(**members)
        sweep = Sweep(self)
        sweep.waits_for(reason)
        poll(f"status shows {reason}", lambda: self.status().get(
            "waiting", {}).get("reason") == reason)
        assert self.sealed() == 0, self.sealed()
        release()
        sweep.ends()
        assert self.sealed() == ROWS

    def close(self):
        self.db.close()
        for where in reversed(self.clusters):
            subprocess.run(["sh", CLUSTER, "stop", where, "fast"])
        shutil.rmtree(self.dir)


# ---- what is yielded to --------------------------------------------------------


def check_xmin_age(scene):
    old = psycopg2.connect(scene.dsn)
    with old.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SELECT count(*) FROM pg_class")
        time.sleep(2)
        scene.waits("xmin_age_s", old.rollback, yield_to={"xmin_age_s": 1})
    old.close()


def check_prepared_transaction(scene):
    other = psycopg2.connect(scene.dsn)
    other.autocommit = True
    with other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("CREATE TABLE u (i int)")
        cursor.execute("PREPARE TRANSACTION 'old'")
    time.sleep(2)
    scene.waits("xmin_age_s",
                lambda: scene.sql("ROLLBACK PREPARED 'old'"),
                yield_to={"xmin_age_s": 1})
    other.close()


def check_vacuum(scene):
    """A VACUUM that is slowed down until it is cancelled."""
    scene.fresh()
    scene.sql("UPDATE t SET k = k || '!'")
    other = psycopg2.connect(scene.dsn)
    other.autocommit = True

    def vacuum():
        with contextlib.suppress(psycopg2.Error), other.cursor() as cursor:
            cursor.execute("SET vacuum_cost_delay = 100; "
                           "SET vacuum_cost_limit = 1")
            cursor.execute("VACUUM t")

    thread = threading.Thread(target=vacuum)
    thread.start()
    poll("the vacuum runs", lambda: scene.one(
        "SELECT count(*) FROM pg_stat_progress_vacuum"))
    sweep = Sweep(scene)  # by default: nothing in the job asks for it
    sweep.waits_for("vacuum_on_table")
    assert scene.sealed() == 0
    assert scene.one("SELECT count(*) FROM pg_stat_progress_vacuum") == 1
    other.cancel()
    thread.join()
    other.close()
    sweep.ends()
    assert "vacuum runs on" in sweep.said("waiting")[0]["text"]


def check_vacuum_seen_by_its_lock(scene):
    """A role that may see no statistics sees the lock."""
    scene.fresh()
    scene.role()
    other = psycopg2.connect(scene.dsn)
    with other.cursor() as cursor:
        cursor.execute("LOCK TABLE t IN SHARE UPDATE EXCLUSIVE MODE")
        sweep = Sweep(scene, env={"DATABASE_URL": scene.dsn.replace(
            "user=postgres", "user=sweeper")})
        sweep.waits_for("vacuum_on_table")
        assert scene.sealed() == 0
    other.rollback()
    other.close()
    sweep.ends()


def check_rights(scene):
    """What the role may not see is refused with the GRANT, not ignored."""
    scene.fresh(yield_to={"active_sessions": 50})
    scene.role()
    env = {"DATABASE_URL": scene.dsn.replace("user=postgres", "user=sweeper")}
    done = scene.must("migrate", str(scene.job), "--execute", code=14,
                      env=env)
    assert "GRANT pg_monitor TO sweeper;" in done.stderr, done.stderr
    done = scene.must("plan", str(scene.job), code=4, env=env)
    assert "GRANT pg_monitor TO sweeper;" in done.stdout, done.stdout
    scene.sql("GRANT pg_monitor TO sweeper")
    scene.must("plan", str(scene.job), env=env)
    scene.must("migrate", str(scene.job), "--execute", env=env)


def check_replica_lag(scene):
    standby = scene.standby()
    there = psycopg2.connect(f"host={standby}/s user=postgres "
                             "dbname=postgres")
    there.autocommit = True
    replay = there.cursor()
    poll("the standby streams", lambda: scene.one(
        "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"))
    # Without lag it is no reason.
    scene.fresh(yield_to={"replica_lag_s": 30})
    sweep = Sweep(scene)
    sweep.ends()
    assert not sweep.said("waiting"), sweep.said("waiting")
    # The standby stands still, and the primary's log goes on.
    scene.fresh(yield_to={"replica_lag_s": 1},
                pace={"rows": [20, 20], "max_rows_per_s": 200})
    poll("replay is up to date", lambda: scene.one(
        "SELECT bool_and(replay_lsn >= pg_current_wal_lsn()) "
        "FROM pg_stat_replication"))
    replay.execute("SELECT pg_wal_replay_pause()")
    poll("replay is paused", lambda: (
        replay.execute("SELECT pg_get_wal_replay_pause_state()"),
        replay.fetchone()[0] == "paused")[1])
    sweep = Sweep(scene)
    sweep.waits_for("replica_lag_s")
    poll("status shows it", lambda: scene.status().get(
        "waiting", {}).get("reason") == "replica_lag_s")
    before = scene.sealed()
    time.sleep(1.5)
    assert scene.sealed() == before < ROWS, (before, scene.sealed())
    replay.execute("SELECT pg_wal_replay_resume()")
    scene.must("set", str(scene.job), "max_rows_per_s=0", "rows=50,5000")
    sweep.ends()
    there.close()


def check_archive(scene):
    scene.sql("ALTER SYSTEM SET archive_command = 'false'")
    scene.sql("SELECT pg_reload_conf()")
    for _ in range(3):
        scene.sql("CREATE TABLE w (i int); DROP TABLE w")
        scene.sql("SELECT pg_switch_wal()")
    poll("segments wait", lambda: scene.one(
        "SELECT count(*) FROM pg_ls_archive_statusdir() "
        "WHERE name LIKE '%.ready'") > 2)

    def mend():
        scene.sql("ALTER SYSTEM RESET archive_command")
        scene.sql("SELECT pg_reload_conf()")

    scene.waits("wal_archive_ready", mend,
                yield_to={"wal_archive_ready": 2})


def check_sessions(scene):
    busy = [psycopg2.connect(scene.dsn) for _ in range(3)]

    def sleep(db):
        with contextlib.suppress(psycopg2.Error), db.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(3600)")

    threads = [threading.Thread(target=sleep, args=(db,)) for db in busy]
    for thread in threads:
        thread.start()

    def stop():
        for db in busy:
            db.cancel()
        for thread in threads:
            thread.join()
        for db in busy:
            db.close()

    scene.waits("active_sessions", stop, yield_to={"active_sessions": 2})


def check_query(scene):
    scene.sql("DROP TABLE IF EXISTS brake; CREATE TABLE brake (i int); "
              "INSERT INTO brake VALUES (1)")
    scene.waits("query", lambda: scene.sql("DELETE FROM brake"),
                yield_to={"query": "SELECT count(*) > 0 FROM brake"})
    for bad, words in (("SELECT 1", "one boolean"),
                       ("SELECT true, true", "one boolean"),
                       ("DELETE FROM brake RETURNING true", "one SELECT"),
                       ("SELECT true; SELECT true", "one SELECT"),
                       ("COMMIT", "one boolean"),
                       ("SELECT nonsense", "one SELECT")):
        scene.fresh(yield_to={"query": bad})
        done = scene.must("migrate", str(scene.job), "--execute", code=2)
        assert words in done.stderr, done.stderr
        assert scene.sealed() == 0


def check_flag_file(scene):
    flag = scene.home / "stop"
    flag.touch()
    scene.waits("flag_file", flag.unlink, yield_to={"flag_file": str(flag)})


def check_window(scene):
    if not shutil.which("faketime"):
        print("skip: window: no faketime")
        return
    window = {"window": "22:00-06:00 Europe/Berlin"}
    # 22:30 in Berlin, in winter and in summer: open.
    for date in ("2026-12-01 21:30:00", "2026-07-01 20:30:00"):
        scene.fresh(pace=window)
        Sweep(scene, prefix=("faketime", "-f", "@" + date),
              env={"TZ": "UTC"}).ends()
        assert scene.sealed() == ROWS
    # 21:59:56, and the clock goes on: it opens while it waits.
    scene.fresh(pace=window)
    sweep = Sweep(scene, prefix=("faketime", "-f", "@2026-12-01 20:59:56"),
                  env={"TZ": "UTC"})
    sweep.waits_for("window")
    assert "Europe/Berlin" in sweep.said("waiting")[0]["text"]
    sweep.ends()
    assert scene.sealed() == ROWS
    # Who does not want to wait ends, and says when it opens.
    scene.fresh(pace=window)
    sweep = Sweep(scene, "--no-wait", env={"TZ": "UTC"},
                  prefix=("faketime", "-f", "@2026-07-01 10:00:00"))
    sweep.ends(14)
    assert "opens in 10 h 00 min" in "".join(sweep.errors), sweep.errors
    assert scene.sealed() == 0


# ---- what operators say ---------------------------------------------------------

SLOW = {"rows": [20, 20], "max_rows_per_s": 150}


def check_pause(scene):
    """Two processes sweep; a third pauses both, and lets them go on."""
    scene.fresh(pace=SLOW)
    sweeps = [Sweep(scene)]
    poll("it has begun", lambda: scene.sealed() > 0)
    sweeps.append(Sweep(scene))
    poll("both take part", lambda: len({
        owner["owner"] for owner in scene.status().get("owners", [])}) > 1)
    done = scene.must("pause", str(scene.job), "--json")
    assert json.loads(done.stdout)["control"]["paused"] is True
    began = time.monotonic()
    for sweep in sweeps:
        sweep.waits_for("paused")
    seen = time.monotonic() - began
    before = scene.sealed()
    time.sleep(1.5)
    assert scene.sealed() == before < ROWS
    status = scene.status()
    assert status["control"]["paused"] and status["control"]["by"], status
    scene.must("set", str(scene.job), "max_rows_per_s=0", "rows=50,5000")
    scene.must("resume", str(scene.job))
    for sweep in sweeps:
        sweep.ends()
    assert scene.sealed() == ROWS
    scene.must("verify", str(scene.job))
    print(f"     a pause was told by both after {seen:.1f} s")


def check_pause_survives_everybody(scene):
    scene.fresh(pace=SLOW)
    sweep = Sweep(scene)
    poll("it has begun", lambda: scene.sealed() > 0)
    scene.must("pause", str(scene.job))
    sweep.waits_for("paused")
    sweep.process.send_signal(signal.SIGKILL)
    sweep.process.wait()
    subprocess.run(["sh", CLUSTER, "stop", scene.primary, "immediate"],
                   check=True)
    subprocess.run(["sh", CLUSTER, "again", scene.primary], check=True)
    scene.db = psycopg2.connect(scene.dsn)
    scene.db.autocommit = True
    before = scene.sealed()
    sweep = Sweep(scene)
    sweep.waits_for("paused")
    done = scene.run("migrate", str(scene.job), "--execute", "--no-wait")
    assert done.returncode in (11, 14), (done.returncode, done.stderr)
    assert scene.sealed() == before < ROWS
    scene.must("resume", str(scene.job))
    scene.must("set", str(scene.job), "max_rows_per_s=0")
    sweep.ends()
    assert scene.sealed() == ROWS


def check_set(scene):
    """The pace of a running sweep changes, also that of a later run."""
    scene.fresh(pace=SLOW)
    sweep = Sweep(scene)
    poll("it has begun", lambda: scene.sealed() > 0)
    scene.must("set", str(scene.job), "max_rows_per_s=0", "target_ms=100",
               "rows=100,1000", "workers=3")
    sweep.ends()
    notes = [line["text"] for line in sweep.said("note")]
    assert any("target_ms" in note for note in notes), notes
    shown = json.loads(scene.must("set", str(scene.job), "--json").stdout)
    assert shown["control"]["set"] == {
        "target_ms": 100, "rows": [100, 1000], "workers": 3,
        "max_rows_per_s": 0}, shown
    again = Sweep(scene)
    again.ends()
    assert any("target_ms" in line["text"] for line in again.said("note"))
    scene.must("set", str(scene.job), "speed=9", code=2)


CHECKS = {name[6:]: check for name, check in list(globals().items())
          if name.startswith("check_")}


def main():
    chosen = sys.argv[1:] or list(CHECKS)
    if subprocess.run(["sh", CLUSTER, "check"]).returncode != 0:
        print("skip: PostgreSQL: no server is installed")
        return 0
    scene, failed = Scene(), 0
    try:
        for name in chosen:
            begun = time.monotonic()
            try:
                CHECKS[name](scene)
                print(f"ok {name} {time.monotonic() - begun:.1f} s")
            except (AssertionError, subprocess.SubprocessError,
                    psycopg2.Error) as error:
                failed += 1
                print(f"not ok {name}: {error!r}"[:2000])
    finally:
        scene.close()
    print(f"steer_postgres: {len(chosen) - failed} passed, {failed} failed, "
          "0 skipped")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
