#!/usr/bin/python3
"""Goal: a PostgreSQL sweep survives a SIGKILL at any message to the server, a
backend that is terminated under it, a server that crashes, rows that are
locked for long, and a second process that wants the same job.

    faults_postgres.py [--points N] [--cuts N] [--rows N] [--seed N]
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import psycopg2

import model
from sweep_postgres import CLUSTER, Scene, compare

CALL = "sendto"  # what libpq sends with


def refill(scene, rows):
    with psycopg2.connect(scene.dsn) as db, db.cursor() as cursor:
        cursor.execute("TRUNCATE secrets")
        cursor.execute("DROP SCHEMA IF EXISTS envelope CASCADE")
        cursor.execute(model.FILL, (rows,))


def sweep(scene, workers=1, before=()):
    return subprocess.Popen(
        [*before, *scene.command("migrate", str(scene.job), "--execute",
                                 "--json", "--workers", str(workers))],
        env=scene.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True)


def ended(process):
    """(exit code, summary or {}, what it said) of a sweep."""
    out, err = process.communicate(timeout=180)
    lines = [line for line in out.splitlines() if '"summary"' in line]
    return process.returncode, json.loads(lines[-1]) if lines else {}, err


def calls_made(scene, rows):
    log = scene.home / "calls"
    refill(scene, rows)
    ended(sweep(scene, 1, ("strace", "-f", "-qq", "-c", "-o", str(log))))
    for line in log.read_text().splitlines():
        if line.split() and line.split()[-1] == CALL:
            return int(line.split()[3])
    return 0


def numbered_points(scene, rows, points, dice, check):
    made, killed, bad = calls_made(scene, rows), 0, 0
    for _ in range(points):
        refill(scene, rows)
        when = dice.randint(1, max(made // 2, 1))  # counted by thread
        code, _, _ = ended(sweep(scene, 1, (
            "strace", "-f", "-qq", "-o", "/dev/null", "-e",
            f"inject={CALL}:signal=KILL:when={when}")))
        killed += code != 0
        code, summary, err = ended(sweep(scene))
        wrong = compare(scene, rows, {})
        if code != 0:
            wrong.append(f"exit {code}: {err[-300:]}")
        if summary.get("pass") == 1 and summary["sealed"] != 2 * rows:
            wrong.append(f"{summary['sealed']} counted as sealed")
        if wrong:
            bad += 1
            print(f"not ok killed at {CALL} {when} of {made}: "
                  f"{'; '.join(wrong[:3])}")
    check("a rerun finishes what was killed at a numbered message", bad == 0,
          f"({killed} of {points} killed)")


def cut_backends(scene, rows, cuts, dice, check):
    """Terminate the sweep's backends while it works: it goes on by itself."""
    refill(scene, rows)
    process = sweep(scene, 2)
    cut = 0
    # In one transaction the server would show the same backends for ever.
    db = psycopg2.connect(scene.dsn)
    db.autocommit = True
    cursor = db.cursor()
    # Who cannot even begin is told so at once: wait until it has begun.
    for _ in range(200):
        time.sleep(0.02)
        cursor.execute("SELECT to_regclass('envelope.range')")
        if cursor.fetchone()[0]:
            break
    for _ in range(cuts):
        time.sleep(dice.uniform(0.02, 0.15))
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid "
            "FROM pg_stat_activity WHERE application_name LIKE "
            "'envelope%' ORDER BY random() LIMIT 1) AS p")
        cut += cursor.fetchone()[0]
    db.close()
    code, summary, err = ended(process)
    check("a sweep whose backends are terminated goes on by itself",
          code == 0 and not compare(scene, rows, {}),
          f"(exit {code}, {cut} cut) {err[-300:] if code else ''}")
    check("and counts exactly", summary.get("sealed") == 2 * rows,
          str(summary.get("sealed")))


def crash_server(scene, rows, check):
    refill(scene, rows)
    process = sweep(scene, 2)
    time.sleep(0.4)
    alive = process.poll() is None
    subprocess.run(["sh", CLUSTER, "stop", scene.cluster, "immediate"],
                   check=True)
    time.sleep(0.5)
    subprocess.run(["sh", CLUSTER, "again", scene.cluster], check=True)
    code, summary, err = ended(process)
    check("a sweep waits for a server that crashed, and goes on",
          alive and code == 0 and not compare(scene, rows, {}),
          f"(exit {code}) {err[-300:] if code else ''}")
    check("and counts exactly what is there",
          summary.get("sealed") == 2 * rows, str(summary.get("sealed")))


def hold_rows(scene, rows, check):
    """An application holds locks for longer than the sweep waits."""
    refill(scene, rows)
    holder = psycopg2.connect(scene.dsn)
    cursor = holder.cursor()
    cursor.execute("SELECT 1 FROM secrets WHERE id % 500 = 7 FOR UPDATE")
    process = sweep(scene)
    time.sleep(2.0)
    holder.rollback()
    holder.close()
    code, summary, err = ended(process)
    check("rows that were locked for seconds are sealed in the end",
          code == 0 and not compare(scene, rows, {}),
          f"(exit {code}, {summary.get('retried')} retried) "
          f"{err[-300:] if code else ''}")


def two_at_once(scene, rows, check):
    refill(scene, rows)
    first = sweep(scene)
    time.sleep(0.3)
    second = sweep(scene)
    codes = sorted((ended(first)[0], ended(second)[0]))
    check("of two processes nobody works on the other's rows",
          codes in ([0, 0], [0, 11]) and not compare(scene, rows, {}),
          f"(exits {codes})")


def leader_killed(scene, rows, check):
    """Two processes share a job; the one that leads it is killed."""
    refill(scene, rows)
    first = sweep(scene)
    time.sleep(0.4)
    second = sweep(scene)
    time.sleep(0.4)
    alive = first.poll() is None and second.poll() is None
    first.kill()
    ended(first)
    code, summary, err = ended(second)
    check("the process that is left takes the lead and finishes",
          alive and code == 0 and not compare(scene, rows, {}),
          f"(exit {code}) {err[-300:] if code else ''}")
    check("and the counts of both are exact",
          summary.get("sealed") == 2 * rows, str(summary.get("sealed")))


def sleeper(scene, rows, check):
    """A process sleeps longer than its lease lasts, and wakes up again."""
    refill(scene, rows)
    first = sweep(scene)
    time.sleep(0.5)
    alive = first.poll() is None
    first.send_signal(signal.SIGSTOP)
    time.sleep(16)
    second, summary, err = ended(sweep(scene))
    first.send_signal(signal.SIGCONT)
    woken = ended(first)[0]
    check("a process that overslept is fenced, and spoils nothing",
          alive and second == 0 and woken in (0, 11) and
          not compare(scene, rows, {}),
          f"(exits {woken}, {second}) {err[-300:] if second else ''}")
    check("and the other's counts are exact",
          summary.get("sealed") == 2 * rows, str(summary.get("sealed")))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--points", type=int, default=15)
    parser.add_argument("--cuts", type=int, default=8)
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    print(f"seed {options.seed}")
    dice = random.Random(options.seed)
    checks, skipped = [], 0

    def check(name, good, more=""):
        checks.append(bool(good))
        print(f"{'ok' if good else 'not ok'} {name}{' ' + more if more else ''}")

    scene = Scene(options.rows)
    try:
        if shutil.which("strace"):
            numbered_points(scene, options.rows, options.points, dice, check)
        else:
            print("skip: no strace, so no kills at numbered messages")
            skipped += 1
        rows = options.rows * 10
        cut_backends(scene, rows, options.cuts, dice, check)
        crash_server(scene, rows, check)
        hold_rows(scene, rows, check)
        two_at_once(scene, rows, check)
        # These need a sweep that lasts for seconds, whatever the machine, and
        # the last one waits for a lease to run out.
        if os.environ.get("SOAK"):
            leader_killed(scene, 20 * rows, check)
            sleeper(scene, 20 * rows, check)
    finally:
        scene.close()
    print(f"faults_postgres: {sum(checks)} passed, "
          f"{len(checks) - sum(checks)} failed, {skipped} skipped")
    return 0 if all(checks) else 1


if __name__ == "__main__":
    sys.exit(main())
