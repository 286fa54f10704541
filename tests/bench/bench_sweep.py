#!/usr/bin/python3
"""A sweep by the command beside the same UPDATE made in the server by hand.

    bench_sweep.py [--rows N] [--rounds N] [--only NAME] [--workers N]

Each round runs the bare UPDATE and the sweep in turn on fresh copies of one
database, and prints the ratio of their speeds; quote the median.  bare:
UPDATE ... SET column = rpad(...) to the length of an envelope, in batches of
5,000 rows by key, each its own transaction (SQLite: one transaction).
"""

import argparse
import json
import os
import pathlib
import resource
import shutil
import sqlite3
import statistics
import subprocess
import tempfile
import time

import psycopg2

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLUSTER = ROOT / "tests/support/pg_cluster.sh"
ENVELOPE = os.environ.get("ENVELOPE", str(ROOT / "build/release/envelope"))
SETTINGS = ["shared_buffers=1GB", "max_wal_size=4GB",
            "checkpoint_timeout=15min", "autovacuum=off", "jit=off"]
SECRET = "'sk-live-' || lpad(i::text, 43, '0')"     # 51 characters
DOCUMENT = """jsonb_build_object('name', 'n' || i, 'pad', repeat('x', 880),
              'limit', 1.50, 'token', 'tok-' || lpad(i::text, 47, '0'))"""


class Bench:
    def __init__(self, options):
        self.options = options
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="envl-bench-"))
        os.chmod(self.dir, 0o711)
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.dir / "h")}
        (self.dir / "h").mkdir(mode=0o700)
        self.envelope("init", "--kid", "k1")

    def envelope(self, *args):
        done = subprocess.run([ENVELOPE, *args], env=self.env,
                              capture_output=True, text=True)
        assert done.returncode == 0, (args, done.stderr[-800:])
        return done.stdout

    def sweep(self, job, verb=("migrate",)):
        path = self.dir / "job.json"
        path.write_text(json.dumps(job))
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.monotonic()
        out = self.envelope(*verb, str(path), "--execute", "--json",
                            *(["--workers", str(self.options.workers)]
                              if verb[0] == "migrate" else []))
        wall = time.monotonic() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        summary = json.loads(out.splitlines()[-1])
        cpu = (after.ru_utime + after.ru_stime
               - before.ru_utime - before.ru_stime)
        return wall, cpu, summary, after.ru_maxrss / 1024


class Postgres(Bench):
    def __init__(self, options):
        super().__init__(options)
        self.cluster = self.dir / "pg"
        self.cluster.mkdir()
        subprocess.run(["sh", CLUSTER, "start", self.cluster, *SETTINGS],
                       check=True)
        self.base = f"host={self.cluster}/s user=postgres"
        self.sql("postgres", f"""CREATE TABLE t (id bigserial PRIMARY KEY,
            api_key text, doc jsonb, name text, updated_at timestamptz)""")

    def fill(self, document):
        self.sql("postgres", f"""TRUNCATE t; INSERT INTO t SELECT i,
            {'NULL' if document else SECRET},
            {DOCUMENT if document else 'NULL'}, 'name ' || i, now()
            FROM generate_series(1, {self.options.rows}) AS n(i)""")
        self.sql("postgres", "VACUUM (FREEZE, ANALYZE) t")

    def sql(self, database, *statements):
        db = psycopg2.connect(f"{self.base} dbname={database}")
        db.autocommit = True
        with db.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            row = cursor.fetchone() if cursor.description else None
        db.close()
        return row

    def fresh(self):
        self.sql("template1", "DROP DATABASE IF EXISTS b",
                 "CREATE DATABASE b TEMPLATE postgres STRATEGY FILE_COPY",
                 "CHECKPOINT")
        self.sql("b", "SELECT sum(length(t::text)) FROM t")

    def server_cpu(self):
        """Seconds of processor time of the server's living backends."""
        pid = int((self.cluster / "data/postmaster.pid").read_text().split()[0])
        total = 0
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[1]) == pid or stat.parent.name == str(pid):
                total += int(fields[11]) + int(fields[12])
            if stat.parent.name == str(pid):  # and those that have ended
                total += int(fields[13]) + int(fields[14])
        return total / os.sysconf("SC_CLK_TCK")

    def bare(self, update):
        rows, step = self.options.rows, 5000
        parts = self.options.workers
        scripts = [[] for _ in range(parts)]
        for low in range(0, rows, step):
            scripts[low * parts // rows].append(
                f"{update} WHERE id > {low} AND id <= {low + step};")
        began = time.monotonic()
        running = [subprocess.Popen(
            ["psql", "-qX", f"{self.base} dbname=b"], stdin=subprocess.PIPE,
            text=True) for _ in scripts]
        for process, script in zip(running, scripts):
            process.stdin.write("\n".join(script))
            process.stdin.close()
        for process in running:
            assert process.wait() == 0
        return time.monotonic() - began

    def compare(self, name, update, field, rotate=False):
        self.env["DATABASE_URL"] = f"{self.base} dbname=b"
        job = {"envelope_job": 1, "name": "bench",
               "source": {"driver": "postgres", "dsn_env": "DATABASE_URL"},
               "targets": [{"table": "public.t", "key": ["id"],
                            "fields": [field]}]}
        self.fill("path" in field)
        ratios, cpus, kid = [], [], 1
        for _ in range(self.options.rounds):
            self.fresh()
            cpu0 = self.server_cpu()
            bare = self.bare(update)
            cpu1 = self.server_cpu()
            self.fresh()
            cpu2 = self.server_cpu()
            wall, client, summary, peak = self.sweep(job)
            cpu3 = self.server_cpu()
            what = summary["sealed"]
            ratios.append(bare / wall)
            cpus.append((cpu3 - cpu2) / max(cpu1 - cpu0, 0.01))
            rows = self.options.rows
            print(f"  {name}: bare {rows / bare:,.0f} rows/s, sweep "
                  f"{rows / wall:,.0f} rows/s ({what} sealed, its own "
                  f"{summary['seconds']} s), ratio {ratios[-1]:.2f}, server "
                  f"CPU x {cpus[-1]:.2f}, client CPU "
                  f"{client / rows * 1e6:.1f} us a row, {peak:.0f} MiB")
        print(f"{name}: median ratio {statistics.median(ratios):.2f}, server "
              f"CPU x {statistics.median(cpus):.2f}")

    def close(self):
        subprocess.run(["sh", CLUSTER, "stop", self.cluster, "fast"])
        shutil.rmtree(self.dir)


class Sqlite(Bench):
    def compare(self):
        rows, path = self.options.rows, self.dir / "t.db"
        db = sqlite3.connect(path)
        db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, api_key TEXT, "
                   "name TEXT)")
        db.executemany("INSERT INTO t VALUES (?, ?, ?)", (
            (i, f"sk-live-{i:043d}", f"name {i}") for i in range(1, rows + 1)))
        db.commit()
        db.close()
        job = {"envelope_job": 1, "name": "bench",
               "source": {"driver": "sqlite", "path": str(self.dir / "b.db")},
               "targets": [{"table": "t", "key": ["id"],
                            "fields": [{"column": "api_key"}]}]}
        ratios = []
        for _ in range(self.options.rounds):
            shutil.copy(path, self.dir / "b.db")
            began = time.monotonic()
            subprocess.run(["sqlite3", self.dir / "b.db", "PRAGMA "
                            "secure_delete=ON; UPDATE t SET api_key = "
                            "substr(api_key || printf('%0200d', id), 1, 200)"],
                           check=True, stdout=subprocess.DEVNULL)
            bare = time.monotonic() - began
            shutil.copy(path, self.dir / "b.db")
            wall, client, summary, peak = self.sweep(job)
            ratios.append(bare / wall)
            print(f"  sqlite: bare {rows / bare:,.0f} rows/s, sweep "
                  f"{rows / wall:,.0f} rows/s ({summary['sealed']} sealed), "
                  f"ratio {ratios[-1]:.2f}, {peak:.0f} MiB")
        print(f"sqlite: median ratio {statistics.median(ratios):.2f}")

    def close(self):
        shutil.rmtree(self.dir)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=200000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--only", choices=["text", "jsonb", "sqlite"])
    options = parser.parse_args()
    if options.only in (None, "text", "jsonb"):
        bench = Postgres(options)
        try:
            if options.only in (None, "text"):
                bench.compare("postgres text", "UPDATE t SET api_key = rpad("
                              "'x' || api_key, 200, 'y')",
                              {"column": "api_key"})
            if options.only in (None, "jsonb"):
                bench.compare("postgres jsonb", "UPDATE t SET doc = jsonb_set("
                              "doc, '{token}', to_jsonb(rpad('x' || (doc ->> "
                              "'token'), 200, 'y')), false)",
                              {"column": "doc", "path": "token"})
        finally:
            bench.close()
    if options.only in (None, "sqlite"):
        bench = Sqlite(options)
        try:
            bench.compare()
        finally:
            bench.close()


if __name__ == "__main__":
    main()
