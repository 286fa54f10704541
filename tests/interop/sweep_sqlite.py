"""A SQLite database that the command swept, opened value by value.

Nothing of the command's is used but its ring: places and keys become contexts
by spec/job-v1.md, section 4, written out here once more.
"""

import json
import sqlite3

from envelope_py import Failure, open_, place
from envelope_py.envelope import BYTES, JSON, TEXT_TYPE

EACH = place.ANY_ELEMENT
SCHEMA = """
CREATE TABLE accounts (id INTEGER PRIMARY KEY, api_key TEXT, token BLOB,
                       settings TEXT);
CREATE TABLE "odd.keys" (k PRIMARY KEY NOT NULL, "the secret" TEXT);
CREATE TABLE pairs (a INTEGER, "b.c" TEXT, secret TEXT, secret_enc TEXT,
                    PRIMARY KEY (a, "b.c"));
"""
JOB = {
    "envelope_job": 1, "name": "interop",
    "source": {"driver": "sqlite", "path": "swept.db"},
    "targets": [
        {"table": "accounts", "key": ["id"], "fields": [
            {"column": "api_key"}, {"column": "token"},
            {"column": "settings", "path": "webhooks[*].secret"},
            {"column": "settings", "path": "headers.*"},
            {"column": "settings", "path": "plain", "into": "sealed",
             "encoding": "object"}]},
        {"table": "\"odd.keys\"", "key": ["k"],
         "fields": [{"column": "the secret"}]},
        {"table": "pairs", "key": ["a", "b.c"],
         "fields": [{"column": "secret", "into": "secret_enc"}]}]}
KEYS = [1, -1, 2**53 + 1, 7.0, "1", "", "ä.b*", b"", b"\xff\x00"]


def settings(n):
    return {"webhooks": [{"secret": f"hook {n}.{i}"} for i in range(n % 4)],
            "headers": {"X-Key": f"h{n}", "v1.*": n, "": "e", "é~[": "ü"},
            "plain": {"nested": [n, None]}, "kept": [1e3, 1]}


def make(path):
    db = sqlite3.connect(path)
    db.executescript(SCHEMA)
    db.executemany("INSERT INTO accounts VALUES (?, ?, ?, ?)", [
        (n, f"sk-{n}", bytes([0, 255, n]), json.dumps(settings(n)))
        for n in range(1, 60)])
    db.execute("INSERT INTO accounts VALUES (1000, NULL, x'', NULL)")
    db.executemany("INSERT INTO \"odd.keys\" VALUES (?, ?)",
                   [(key, f"secret of {key!r}") for key in KEYS])
    db.executemany("INSERT INTO pairs VALUES (?, ?, ?, NULL)", [
        (n, f"k{n}", f"pair {n}") for n in range(5)])
    db.commit()
    db.close()


def key_text(key):
    """spec: JOB-35"""
    if isinstance(key, bytes):
        return "bin:0:" + key.hex()
    return f"str:{key}" if isinstance(key, str) else f"int:{int(key)}"


def as_data(stored):
    """A stored envelope as bytes: text, blob, or a member of a document."""
    if isinstance(stored, bytes):
        return stored
    return (json.dumps(stored) if isinstance(stored, dict) else stored).encode()


class Checker:
    """Opens stored values where they lie, and counts."""

    def __init__(self, ring, report):
        self.ring, self.report = ring, report

    def value(self, stored, components, path, ids, wanted):
        """Open one value, as (type, bytes), in its place and nowhere else."""
        field = place.field(components, path)
        pairs = [("field", field), *ids]
        try:
            got = open_(self.ring, pairs, as_data(stored))
        except (Failure, AttributeError, TypeError) as failure:
            got = str(failure)
        self.report.equal(f"swept {field} {ids}", got, wanted)
        moved = [("field", field)] + [(name, text + "0") for name, text in ids]
        try:
            open_(self.ring, moved, as_data(stored))
        except Failure as failure:
            moved = failure.status
        self.report.equal(f"swept {field} {ids}, elsewhere", moved, "auth")

    def document(self, n, text):
        now, was = json.loads(text), settings(n)
        ids = [("id", key_text(n))]
        base = ["accounts", "settings"]
        for i, hook in enumerate(now["webhooks"]):
            self.value(hook["secret"], base, ["webhooks", EACH, "secret"], ids,
                       (TEXT_TYPE, was["webhooks"][i]["secret"].encode()))
        for name, stored in now["headers"].items():  # spec: ENV-6.10
            value = was["headers"][name]
            self.value(stored, base, ["headers", name], ids, (
                (TEXT_TYPE, value.encode()) if isinstance(value, str)
                else (JSON, json.dumps(value).encode())))
        self.value(now["sealed"], base, ["sealed"], ids,
                   (JSON, json.dumps(was["plain"]).encode()))
        self.report.equal("the source of into is gone", "plain" in now, False)
        # spec: JOB-54
        self.report.equal("the rest of a document is as it was",
                          '"kept": [1000.0, 1]' in text, True)


def check(path, ring, report):
    db = sqlite3.connect(path)
    checker = Checker(ring, report)
    for n, key, token, text in db.execute("SELECT * FROM accounts"):
        if n == 1000:
            report.equal("null and empty stay", (key, token, text),
                         (None, b"", None))
            continue
        ids = [("id", key_text(n))]
        checker.value(key, ["accounts", "api_key"], [], ids,
                      (TEXT_TYPE, f"sk-{n}".encode()))
        checker.value(token, ["accounts", "token"], [], ids,
                      (BYTES, bytes([0, 255, n])))
        checker.document(n, text)
    for key, stored in db.execute("SELECT * FROM \"odd.keys\""):
        checker.value(stored, ["odd.keys", "the secret"], [],
                      [("id", key_text(key))],
                      (TEXT_TYPE, f"secret of {key!r}".encode()))
    for a, b, secret, sealed in db.execute("SELECT * FROM pairs"):
        checker.value(sealed, ["pairs", "secret_enc"], [],
                      [("id.a", key_text(a)), ("id.b~1c", key_text(b))],
                      (TEXT_TYPE, f"pair {a}".encode()))
        report.equal("the source of into is null", secret, None)
    db.close()


def rows(path):
    db = sqlite3.connect(path)
    found = [db.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
             for table in ("accounts", '"odd.keys"', "pairs")]
    db.close()
    return found


def run(command, ring, report):
    """Make a database, sweep it, and open what is in it."""
    code, _, _ = command.run("migrate", "--help")
    if code != 0:
        report.skip("the command has no migrate yet")
        return
    path, job = command.folder / "swept.db", command.folder / "job.json"
    make(path)
    source = {"driver": "sqlite", "path": str(path)}
    job.write_text(json.dumps({**JOB, "source": source}), encoding="utf-8")
    command.must("migrate", str(job), "--execute")
    check(path, ring, report)
    before = rows(path)
    command.must("migrate", str(job), "--execute")  # spec: JOB-52, JOB-66
    report.equal("a second pass changes nothing", rows(path), before)
    command.must("verify", str(job))
