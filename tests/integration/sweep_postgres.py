#!/usr/bin/python3
"""Goal: a PostgreSQL sweep loses no write, seals nothing twice and leaves no
plaintext, while three writers update, insert and delete, and while it is
killed with SIGKILL again and again and resumed; and nothing of ours in the
server's log is plaintext.

    sweep_postgres.py [--rows N] [--kills N] [--workers N] [--seed N]
"""

import argparse
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import psycopg2

import model

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLUSTER = ROOT / "tests/support/pg_cluster.sh"
ENVELOPE = os.environ.get("ENVELOPE", str(ROOT / "build/release/envelope"))
JOB = {
    "envelope_job": 1, "name": "kill",
    "source": {"driver": "postgres", "dsn_env": "DATABASE_URL"},
    "targets": [{"table": "public.secrets", "key": ["id"], "fields": [
        {"column": "api_key"},
        {"column": "doc", "path": "servers[*].token"}]}],
}
FIELDS = ("public.secrets.api_key", "public.secrets.doc.servers[*].token")


class Scene:
    """A cluster, a table, a ring and a job in a temporary folder."""

    def __init__(self, rows):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="envl-test-"))
        os.chmod(self.dir, 0o711)
        self.cluster = self.dir / "pg"
        self.cluster.mkdir()
        subprocess.run(
            ["sh", CLUSTER, "start", self.cluster,
             "log_min_duration_statement=0", "log_line_prefix=%m app=%a ~ ",
             "shared_buffers=256MB", "max_wal_size=2GB"], check=True)
        self.dsn = f"host={self.cluster}/s user=postgres dbname=postgres"
        self.home = self.dir / "home"
        self.home.mkdir(mode=0o700)
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.home),
                    "DATABASE_URL": self.dsn}
        self.job = self.home / "job.json"
        self.job.write_text(json.dumps(JOB))
        with psycopg2.connect(self.dsn) as db, db.cursor() as cursor:
            cursor.execute(model.SCHEMA)
            cursor.execute(model.FILL, (rows,))
        self.run("init", "--kid", "k1")

    def command(self, *args):
        return [ENVELOPE, *args]

    def run(self, *args, ok=(0,), **kwargs):
        done = subprocess.run(self.command(*args), env=self.env,
                              capture_output=True, text=True, **kwargs)
        if done.returncode not in ok:
            sys.exit(f"FAIL envelope {' '.join(args)}: exit "
                     f"{done.returncode}\n{done.stderr[-2000:]}")
        return done

    def migrate(self, workers, ok=(0,)):
        done = self.run("migrate", str(self.job), "--execute", "--json",
                        "--workers", str(workers), ok=ok)
        return done.returncode, json.loads(done.stdout.splitlines()[-1])

    def close(self):
        subprocess.run(["sh", CLUSTER, "stop", self.cluster, "fast"])
        shutil.rmtree(self.dir)


def kill_often(scene, kills, workers, dice):
    """Start a sweep and kill it, at random moments; return how many were
    still at work when they were killed."""
    alive = 0
    # A sweep's whole length, measured on the way, so that the moments fall
    # into its work as well as its start and its end.
    reach = 1.0
    for _ in range(kills):
        process = subprocess.Popen(
            scene.command("migrate", str(scene.job), "--execute", "--json",
                          "--workers", str(workers)),
            env=scene.env, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        time.sleep(dice.uniform(0.0, reach))
        if process.poll() is None:
            alive += 1
            process.send_signal(signal.SIGKILL)
            reach = min(reach * 1.1, 4.0)
        else:
            reach = max(reach * 0.7, 0.05)
        process.wait()
    return alive


def opened(scene, rows):
    """Yield (id, field, opened value) for every sealed value."""
    lines, keys = [], []
    for row, api_key, doc, _ in rows:
        for field, value in zip(FIELDS, (api_key, doc["servers"][0]["token"])):
            keys.append((row, field))
            lines.append(json.dumps({"envelope": value, "context": {
                "field": field, "id": str(row)}}))
    done = subprocess.run(scene.command("open"), env=scene.env, text=True,
                          input="\n".join(lines) + "\n", capture_output=True)
    answers = done.stdout.splitlines()
    assert len(answers) == len(keys), (len(answers), len(keys), done.stderr)
    for key, answer in zip(keys, answers):
        answer = json.loads(answer)
        yield *key, answer.get("value", answer)


def compare(scene, rows, touched):
    """Hold every row against the model; return a list of complaints."""
    want = {i: (0, 0) for i in range(1, rows + 1)}
    want.update(touched)
    want = {i: v for i, v in want.items() if v is not None}
    with psycopg2.connect(scene.dsn) as db, db.cursor() as cursor:
        cursor.execute("SELECT id, api_key, doc, hot FROM secrets ORDER BY id")
        found = cursor.fetchall()
    wrong = []
    if {r[0] for r in found} != set(want):
        wrong.append("rows were lost or came back")
    for row, api_key, doc, hot in found:
        if hot != want[row][1]:
            wrong.append(f"row {row}: another column was lost")
        if list(doc) != ["n", "servers"] or not str(api_key).startswith("env1:"):
            wrong.append(f"row {row}: not sealed, or its document changed")
    for row, field, value in opened(scene, found):
        version = want[row][0]
        expect = (model.secret if field == FIELDS[0] else model.token)
        if value != expect(row, version):
            wrong.append(f"row {row} {field}: not what was last committed")
    return wrong


def plaintext_in_log(scene):
    """Lines of the server's log with a canary: (by us, by the writers)."""
    ours = theirs = 0
    app = ""
    for line in (scene.cluster / "log").open(errors="replace"):
        started = re.match(r"\S+ \S+ \S+ app=(\S*) ~ ", line)
        app = started.group(1) if started else app
        if model.CANARY in line:
            if app.startswith("envelope"):
                ours += 1
            else:
                theirs += 1
    return ours, theirs


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=60000)
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    print(f"seed {options.seed}")
    dice = random.Random(options.seed)
    checks = []

    def check(name, good, more=""):
        checks.append(good)
        print(f"{'ok' if good else 'not ok'} {name}{' ' + more if more else ''}")

    scene = Scene(options.rows)
    try:
        writers = model.Writers(scene.dsn, options.rows, seed=options.seed)
        began = time.monotonic()
        alive = kill_often(scene, options.kills, options.workers, dice)
        check("killed while it worked", alive > 0 or options.kills == 0,
              f"({alive} of {options.kills})")
        code, summary = scene.migrate(options.workers, ok=(0, 4))
        touched, longest = writers.stop()
        print(f"   {len(touched)} rows touched by writers in "
              f"{time.monotonic() - began:.1f} s; longest statement "
              f"{longest * 1000:.0f} ms; the last sweep: exit {code}, {summary}")
        code, summary = scene.migrate(options.workers)
        check("a rerun finishes", code == 0, f"({summary})")
        wrong = compare(scene, options.rows, touched)
        check("every row is what was last committed, sealed once", not wrong,
              "; ".join(wrong[:5]))
        check("verify agrees", scene.run(
            "verify", str(scene.job), "--json", ok=(0, 4)).returncode == 0)
        ours, theirs = plaintext_in_log(scene)
        check("no plaintext of ours in the server's log", ours == 0,
              f"({ours} lines)")
        check("twin: the writers' plaintext is found there", theirs > 0)
        # Twin of the comparison: one lost write must be found.
        with psycopg2.connect(scene.dsn) as db, db.cursor() as cursor:
            cursor.execute("UPDATE secrets SET api_key = (SELECT api_key FROM "
                           "secrets ORDER BY id DESC LIMIT 1) WHERE id = "
                           "(SELECT min(id) FROM secrets)")
        check("twin: a moved value is found",
              bool(compare(scene, options.rows, touched)))
    finally:
        scene.close()
    bad = checks.count(False)
    print(f"sweep_postgres: {len(checks) - bad} passed, {bad} failed, 0 skipped")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
