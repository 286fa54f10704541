"""SQLite as the fault tests see it: a file, the swept table, applications."""

import json
import os
import pathlib
import re
import sqlite3
import threading
import time

import model

TYPES = {"bigint": "id INTEGER PRIMARY KEY", "uuid": "id TEXT PRIMARY KEY NOT "
         "NULL", "pair": "tenant INTEGER NOT NULL, id INTEGER NOT NULL"}
COLUMNS = {"pair": ("tenant", "id")}


class App:
    """An application's connection; its statements are one transaction."""

    def __init__(self, store, name):
        self.store, self.open = store, False
        self.db = sqlite3.connect(store.file, timeout=30,
                                  isolation_level=None)

    def _do(self, sql, *values):
        try:
            if not self.open:
                self.db.execute("BEGIN IMMEDIATE")
                self.open = True
            return self.db.execute(sql, values)
        except sqlite3.OperationalError as error:
            self.rollback()
            if "locked" in str(error):
                raise model.Refused from None
            raise

    def update(self, key, row):
        self._do(f"UPDATE secrets SET api_key = ?, api_key_enc = NULL, "
                 f"doc = ?, hot = hot + 1 WHERE {self.store.where}",
                 row.api_key, model.document(self.store.world, row), *key)

    def touch(self, key):
        self._do(f"UPDATE secrets SET hot = hot + 1 WHERE {self.store.where}",
                 *key)

    def insert(self, key, row):
        keys = ", ".join("?" * len(key))
        self._do(f"INSERT INTO secrets ({', '.join(self.store.columns)}, "
                 f"api_key, doc, hot, note) VALUES ({keys}, ?, ?, ?, ?)",
                 *key, row.api_key, model.document(self.store.world, row),
                 row.hot, f"note {row.number}")

    def delete(self, key):
        self._do(f"DELETE FROM secrets WHERE {self.store.where}", *key)

    def _read(self, key):
        return self._do(f"SELECT api_key, api_key_enc, doc, note FROM secrets "
                        f"WHERE {self.store.where}", *key).fetchone()

    def copy(self, key, source):
        here, there = self._read(key), self._read(source)
        if here is None or there is None:
            return None
        token = self.store.token(there[2])
        number = int(here[3].split()[1])
        row = model.Row(number, None, token)
        self._do(f"UPDATE secrets SET api_key = ?, api_key_enc = ?, doc = ?, "
                 f"hot = hot + 1 WHERE {self.store.where}", there[0],
                 there[1], model.document(self.store.world, row), *key)
        return there[0] if there[0] is not None else there[1], token

    def rekey(self, key, new):
        put = ", ".join(f"{c} = ?" for c in self.store.columns)
        here = self._read(key)
        self._do(f"UPDATE secrets SET {put}, hot = hot + 1 WHERE "
                 f"{self.store.where}", *new, *key)
        return (here[0] if here[0] is not None else here[1],
                self.store.token(here[2]))

    def hot(self, key):
        found = self.db.execute(f"SELECT hot FROM secrets WHERE "
                                f"{self.store.where}", key).fetchone()
        return None if found is None else found[0]

    def commit(self):
        try:
            self.db.execute("COMMIT")
            self.open = False
        except sqlite3.OperationalError:
            self.rollback()
            raise model.Refused from None

    def rollback(self):
        if self.db.in_transaction:
            self.db.execute("ROLLBACK")
        self.open = False

    def close(self):
        self.db.close()


class Waits(threading.Thread):
    """How long the tool kept the one write lock (the shim knows), and, beside
    it, how long a write that has nothing to do with it takes meanwhile."""

    def __init__(self, store, control):
        super().__init__(daemon=True)
        self.store, self.control = store, control
        self.over, self.stall = threading.Event(), 0.0

    def run(self):
        with (self.store.folder / "beat").open("wb") as file:
            while True:
                began = time.monotonic()
                if self.over.wait(0.01):
                    return
                file.write(b"x")
                file.flush()
                os.fsync(file.fileno())
                self.stall = max(self.stall,
                                 1000 * (time.monotonic() - began) - 10)

    def stop(self):
        self.over.set()
        self.join()

    @property
    def longest(self):
        return self.control.count("hold") / 1000


class Sqlite:
    NAME = "sqlite"
    KEYS = ("bigint", "uuid", "pair")
    WORKERS = (1,)

    def __init__(self, folder, library):
        self.folder = pathlib.Path(folder) / "db"
        self.folder.mkdir()
        self.file = self.folder / "app.db"
        self.source = {"driver": "sqlite", "path": str(self.file)}
        self.tool_env, self.proxy = {}, None
        self.world = None

    def close(self):
        pass

    # ---- SQL ---------------------------------------------------------------

    def connect(self, name="test"):
        return sqlite3.connect(self.file, timeout=30, isolation_level=None)

    def run(self, *statements):
        db = self.connect()
        try:
            for statement in statements:
                rows = db.execute(statement).fetchall()
            return rows
        finally:
            db.close()

    def app(self, name):
        return App(self, name)

    # ---- a new table -------------------------------------------------------

    def fresh(self, world, rows):
        self.world = world
        self.columns = COLUMNS.get(world.key, ("id",))
        self.where = " AND ".join(f"{c} = ?" for c in self.columns)
        for path in self.folder.glob("app.db*"):
            path.unlink()
        last = (", PRIMARY KEY (tenant, id)" if world.key == "pair" else "")
        self.run(f"PRAGMA journal_mode={world.journal}",
                 f"CREATE TABLE secrets ({TYPES[world.key]}, api_key TEXT, "
                 f"api_key_enc TEXT, doc TEXT, hot INTEGER NOT NULL, note "
                 f"TEXT NOT NULL{last})")
        self.run("CREATE INDEX by_n ON secrets (json_extract(doc, '$.n'))")
        app = self.app("test")
        for key, row in rows.items():
            app.insert(key, row)
        app.commit()
        app.close()
        if world.witness:
            self._make_witness()

    def _make_witness(self):
        self.run("CREATE TABLE seals (place TEXT, again INTEGER)")
        for place, value, again in (
                ("api_key", "coalesce({0}.api_key, {0}.api_key_enc)",
                 "instr({0}, 'env1:') = 1"),
                ("token", "{0}.doc", "instr({0}, '\"env1:') > 0")):
            new, old = value.format("NEW"), value.format("OLD")
            self.run(f"CREATE TRIGGER witness_{place} AFTER UPDATE ON secrets "
                     f"WHEN NEW.hot = OLD.hot AND {new} IS NOT {old} BEGIN "
                     f"INSERT INTO seals VALUES ('{place}', "
                     f"{again.format(old)}); END")

    def target(self):
        world = self.world
        key = {"column": "api_key"}
        if world.into:
            key["into"] = "api_key_enc"
        return {"table": "secrets", "key": list(self.columns),
                "fields": [key, {"column": "doc", "path": world.path}]}

    def context(self, place, key):
        field = f"secrets.doc.{self.world.path}"
        if place == "api_key":
            field = "secrets.api_key" + ("_enc" if self.world.into else "")
        ids = [("str:" if isinstance(v, str) else "int:") + str(v)
               for v in key]
        if len(key) == 1:
            return {"field": field, "id": ids[0]}
        return {"field": field, **{f"id.{c}": v
                                   for c, v in zip(self.columns, ids)}}

    def row_key(self, name):
        values = [part.split("=", 1)[1] for part in re.split(r",\s*", name)]
        values = [re.sub(r"^(int|str):|^'|'$", "", v) for v in values]
        return tuple(v if self.world.key == "uuid" else int(v)
                     for v in values)

    # ---- looking -----------------------------------------------------------

    def token(self, doc):
        value = json.loads(doc)
        if self.world.path == "auth.token":
            return value["auth"]["token"]
        return value["servers"][0]["token"]

    def snapshot(self):
        found = self.run(f"SELECT {', '.join(self.columns)}, api_key, "
                         f"api_key_enc, doc, hot, note FROM secrets")
        n, out = len(self.columns), {}
        for row in found:
            api_key, enc, doc, hot, note = row[n:]
            token = self.token(doc)
            # Byte by byte: a document is never parsed and printed again.
            rest = doc.replace(json.dumps(token, ensure_ascii=False), '""', 1)
            out[row[:n]] = (api_key if api_key is not None else enc, token,
                            hot, note + rest,
                            api_key is not None and enc is not None)
        return out

    def rest_of(self, row):
        return (f"note {row.number}" +
                model.template(self.world, row.number) % '""')

    def seals(self):
        if not self.world.witness:
            return None
        return self.run("SELECT count(*), sum(again) FROM seals")[0]

    def _has(self, table):
        return bool(self.run("SELECT 1 FROM sqlite_schema WHERE name = "
                             f"'{table}'"))

    def records(self):
        if not self._has("envelope_range"):
            return {}
        found = (self.run("SELECT 0, body FROM envelope_job") +
                 self.run("SELECT number, body FROM envelope_range"))
        return {n: json.loads(body) for n, body in found}

    def state_dump(self):
        return "\n".join(repr(row) for table in ("job", "range", "quarantine")
                         if self._has(f"envelope_{table}")
                         for row in self.run(f"SELECT * FROM envelope_{table}"))

    def our_log(self):
        return ""

    def plaintext_left(self):
        return sum(path.read_bytes().count(model.CANARY.encode())
                   for path in self.folder.glob("app.db*"))

    def lease_over(self):
        db = sqlite3.connect(self.file, timeout=0.2, isolation_level=None)
        try:
            for table in ("envelope_job", "envelope_range"):
                db.execute(f"UPDATE {table} SET lease_until = 0")
        finally:
            db.close()

    def rows_read(self, control):
        return control.count("row")

    def pages_read(self):
        return 0

    def backends(self):
        return 0

    def waits(self, control):
        return Waits(self, control)
