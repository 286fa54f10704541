#!/usr/bin/python3
"""Goal: a plan says beforehand what a sweep of PostgreSQL meets and costs:
states, sizes, growth and WAL, time, everything that depends on a swept
column, rights that are missing, and what is known of the key.  Estimates are
held against the sweep that follows.

    plan_postgres.py [NAME...]      only these checks
"""

import json
import subprocess
import sys
import time

import psycopg2

from steer_postgres import CLUSTER, ROWS, Scene



def plan(scene, code=None, *args, env=None):
    done = scene.run("plan", str(scene.job), "--json", *args, env=env)
    assert code is None or done.returncode == code, (
        done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout) if done.stdout else done


def notes(report, level=None):
    return "\n".join(note["text"] for note in report["notes"]
                     if level in (None, note["level"]))


def check_states(scene):
    """Of a large table a sample is looked at, and what it says is marked."""
    scene.fresh()
    scene.sql("INSERT INTO t SELECT i, CASE WHEN i % 4 = 0 THEN NULL WHEN "
              "i % 4 = 1 THEN '' ELSE 'sk-' || i END "
              "FROM generate_series(10001, 50000) i")
    scene.sql("ANALYZE t")
    target = plan(scene, 0)["targets"][0]
    assert target["sampled"] and target["sampled_rows"] < 3000, target
    about = {state["state"]: state["estimate"] for state in target["states"]}
    for state, true in (("null", 10000), ("empty", 10000),
                        ("plaintext", 24000)):
        assert 0.75 * true < about[state] < 1.25 * true, about
    scene.fresh()
    scene.sql("DELETE FROM t WHERE id > 100")
    scene.sql("ANALYZE t")
    target = plan(scene, 0)["targets"][0]
    assert not target["sampled"], target
    assert target["states"][0]["count"] == 100, target


def check_cost(scene):
    """Sizes, growth and WAL are right within a factor of two."""
    scene.fresh()
    scene.sql("ALTER TABLE t ADD pad text, ADD n int; "
              "CREATE INDEX ON t (n); TRUNCATE t")
    scene.sql("INSERT INTO t SELECT i, 'sk-live-' || repeat('x', 56), "
              "repeat('p', 100), i FROM generate_series(1, 60000) i")
    scene.sql("VACUUM ANALYZE t")
    scene.sql("CHECKPOINT")
    target = plan(scene, 0)["targets"][0]
    field, cost = target["fields"][0], target["cost"]
    size = scene.one("SELECT pg_table_size('t')")
    index = scene.one("SELECT pg_indexes_size('t')")
    assert abs(cost["table_now"] - size) < size / 10, (cost, size)
    assert target["rows_to_write"] == 60000, target
    begun = scene.one("SELECT pg_current_wal_insert_lsn()")
    scene.must("migrate", str(scene.job), "--execute")
    for name, real in (
            ("log_bytes", int(scene.one(
                f"SELECT pg_current_wal_insert_lsn() - '{begun}'::pg_lsn"))),
            ("table_growth", scene.one("SELECT pg_table_size('t')") - size),
            ("index_growth", scene.one("SELECT pg_indexes_size('t')") -
             index)):
        print(f"     {name}: {cost[name]} estimated, {real} in truth")
        assert real / 2 < cost[name] < real * 2, (name, cost, real)
    length = scene.one("SELECT avg(length(k))::int FROM t")
    assert field["mean_before"] == 64, field
    assert abs(field["mean_after"] - length) <= 1, (field, length)
    assert field["longest"] == scene.one("SELECT max(length(k)) FROM t")


def check_time(scene):
    scene.fresh()
    assert plan(scene, 0)["time"]["basis"] == "guess"
    scene.write_job(pace={"max_rows_per_s": 100,
                          "window": "22:00-23:00 UTC"})
    planned = plan(scene, 0)["time"]
    assert planned["basis"] == "limit" and planned["rows"] == ROWS, planned
    assert planned["seconds"] == ROWS / 100, planned
    assert planned["window_h"] == 1 and planned["days"] == 1, planned


def check_dependents(scene):
    """Each is named, and what could lose data waits for a decision."""
    for sql, level, words in (
            ("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS "
             "'BEGIN RETURN NEW; END'; CREATE TRIGGER touch BEFORE UPDATE ON "
             "t FOR EACH ROW EXECUTE FUNCTION f()", "warn",
             "trigger touch fires for every row"),
            ("CREATE RULE r AS ON UPDATE TO t DO ALSO NOTHING", "decide",
             "rule r rewrites updates"),
            ("CREATE INDEX by_k ON t (k)", "warn", "index by_k"),
            ("CREATE INDEX by_part ON t (id) WHERE k IS NOT NULL", "warn",
             "index by_part"),
            ("CREATE UNIQUE INDEX one_k ON t (k)", "decide",
             "unique index one_k"),
            ("ALTER TABLE t ADD len int GENERATED ALWAYS AS (length(k)) "
             "STORED", "decide", "generated column len"),
            ("CREATE VIEW v AS SELECT k FROM t", "warn", "view v reads"),
            ("CREATE MATERIALIZED VIEW mv AS SELECT k FROM t", "warn",
             "view mv reads"),
            ("CREATE POLICY mine ON t USING (k <> '')", "warn",
             "policy mine looks at"),
            ("CREATE PUBLICATION p FOR TABLE t", "info",
             "publication p sends the envelopes"),
            ("ALTER TABLE t REPLICA IDENTITY FULL; CREATE PUBLICATION p FOR "
             "TABLE t", "warn", "replica identity full"),
            ("ALTER TABLE t ADD CONSTRAINT short CHECK (length(k) < 90)",
             "decide", "check constraint short"),
            ("ALTER TABLE t ALTER k TYPE varchar(100)", "decide",
             "k holds 100 characters")):
        scene.fresh()
        before = plan(scene, 0)
        assert words not in notes(before), words
        scene.sql(sql)
        report = plan(scene, 4 if level == "decide" else 0)
        assert words in notes(report, level), (words, report["notes"])
        scene.sql("DROP PUBLICATION IF EXISTS p; DROP TABLE t CASCADE; "
                  "DROP FUNCTION IF EXISTS f")


def check_grants(scene):
    """The statements that a plan prints are those that were missing."""
    scene.fresh()
    scene.role()
    scene.sql("REVOKE ALL ON t FROM sweeper; "
              "REVOKE CREATE ON DATABASE postgres FROM sweeper")
    env = {"DATABASE_URL": scene.dsn.replace("user=postgres", "user=sweeper")}
    scene.sql("GRANT SELECT (id) ON t TO sweeper")
    report = plan(scene, 4, env=env)
    missing = notes(report, "grant")
    assert "GRANT UPDATE (k) ON public.t" in missing, missing
    ddl = scene.must("plan", str(scene.job), "--ddl", code=4, env=env).stdout
    scene.sql(ddl)
    plan(scene, 0, env=env)
    scene.must("migrate", str(scene.job), "--execute", env=env)
    assert scene.sealed() == ROWS


def check_spellings(scene):
    scene.fresh()
    scene.sql("ALTER TABLE t ADD other text")
    for other, code in (("other", 0), ("k", 2)):
        scene.write_job(targets=[
            {"table": "t", "key": ["id"], "fields": [{"column": "k"}]},
            {"table": "PUBLIC.T", "key": ["id"],
             "fields": [{"column": other}]}])
        done = scene.must("plan", str(scene.job), code=code)
        said = done.stdout + done.stderr
        assert ("the same table" if code == 0 else "same place") in said, said


def check_key(scene):
    """Whether the key is on disk and in a backup."""
    scene.fresh()
    key = plan(scene, 0)["key"]
    assert key["durable"] is True, key
    backup = scene.home / "backup.json"
    report = plan(scene, 0)
    if key["backup_generation"] == 0:
        assert "no backup of the keyring" in notes(report, "warn"), report
    scene.must("key", "backup", "--out", str(backup))
    report = plan(scene, 0)
    assert "backup" not in notes(report), notes(report)
    scene.must("key", "add", "--kid", "spare")
    assert "changed since its backup" in notes(plan(scene, 0), "warn")
    scene.must("key", "retire", "k1")
    scene.write_job(kid="k1")
    assert "k1 is decrypt-only" in notes(plan(scene, 4), "decide")
    scene.must("key", "activate", "k1")


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
            except (AssertionError, subprocess.SubprocessError, KeyError,
                    psycopg2.Error) as error:
                failed += 1
                print(f"not ok {name}: {error!r}"[:2000])
    finally:
        scene.close()
    print(f"plan_postgres: {len(chosen) - failed} passed, {failed} failed, "
          "0 skipped")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
