"""PostgreSQL as the fault tests see it: a private cluster, the swept table,
applications, and a look at everything from outside."""

import json
import os
import pathlib
import re
import subprocess
import threading
import time

import psycopg2
import psycopg2.errors

import model
import shim
from proxy import Proxy

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLUSTER = ROOT / "tests/support/pg_cluster.sh"
SETTINGS = ("log_min_duration_statement=0", "log_line_prefix=%m app=%a ~ ",
            "shared_buffers=64MB", "max_wal_size=1GB", "max_connections=80",
            "deadlock_timeout=300ms", "checkpoint_timeout=30min")
TYPES = {"bigint": "id bigint", "partitioned": "id bigint", "uuid": "id uuid",
         "pair": "tenant integer, id bigint"}
COLUMNS = {"pair": ("tenant", "id")}
WITNESS = """
CREATE TABLE seals (place text, again boolean);
CREATE FUNCTION witness() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.hot = OLD.hot THEN
        IF coalesce(NEW.api_key, NEW.api_key_enc) IS DISTINCT FROM
           coalesce(OLD.api_key, OLD.api_key_enc) THEN
            INSERT INTO seals VALUES ('api_key', coalesce(OLD.api_key,
                OLD.api_key_enc) LIKE 'env1:%');
        END IF;
        IF NEW.doc IS DISTINCT FROM OLD.doc THEN
            INSERT INTO seals VALUES ('token',
                OLD.doc #>> {path} LIKE 'env1:%');
        END IF;
    END IF;
    RETURN NULL; END $$;
CREATE TRIGGER witness AFTER UPDATE ON secrets FOR EACH ROW
    EXECUTE FUNCTION witness()"""


class App:
    """An application's connection; its statements are one transaction."""

    def __init__(self, store, name):
        self.store = store
        try:
            self.db = psycopg2.connect(store.dsn, application_name=name)
            self.cursor = self.db.cursor()
        except psycopg2.OperationalError:
            raise model.Lost([]) from None

    def _do(self, sql, *values):
        try:
            self.cursor.execute(sql, values)
        except (psycopg2.errors.DeadlockDetected,
                psycopg2.errors.LockNotAvailable,
                psycopg2.errors.SerializationFailure,
                psycopg2.errors.RaiseException,
                psycopg2.errors.InsufficientResources,
                psycopg2.errors.QueryCanceled):
            self.rollback()
            raise model.Refused from None
        except psycopg2.Error as error:
            self._unless_lost(error)
        return self.cursor

    def _unless_lost(self, error):
        if error.pgcode is not None and not isinstance(
                error, psycopg2.OperationalError):
            raise error
        self.close()
        raise model.Lost([]) from None

    def update(self, key, row):
        self._do(f"UPDATE secrets SET api_key = %s, api_key_enc = NULL, "
                 f"doc = jsonb_set(doc, {self.store.at}, to_jsonb(%s::text), "
                 f"false), hot = hot + 1 WHERE {self.store.where}",
                 row.api_key, row.token, *key)

    def touch(self, key):
        self._do(f"UPDATE secrets SET hot = hot + 1 WHERE {self.store.where}",
                 *key)

    def insert(self, key, row):
        keys = ", ".join(["%s"] * len(key))
        self._do(f"INSERT INTO secrets ({', '.join(self.store.columns)}, "
                 f"api_key, doc, hot, note) VALUES ({keys}, %s, %s, %s, %s)",
                 *key, row.api_key, model.document(self.store.world, row),
                 row.hot, f"note {row.number}")

    def delete(self, key):
        self._do(f"DELETE FROM secrets WHERE {self.store.where}", *key)

    def copy(self, key, source):
        at = self.store.at
        self._do(f"UPDATE secrets SET (api_key, api_key_enc, doc, hot) = "
                 f"(SELECT s.api_key, s.api_key_enc, jsonb_set(secrets.doc, "
                 f"{at}, s.doc #> {at}), secrets.hot + 1 FROM secrets s WHERE "
                 f"{self.store.of('s')}) WHERE {self.store.where} AND EXISTS "
                 f"(SELECT 1 FROM secrets s WHERE {self.store.of('s')}) "
                 f"RETURNING coalesce(api_key, api_key_enc), doc #>> {at}",
                 *source, *key, *source)
        return self.cursor.fetchone()

    def rekey(self, key, new):
        put = ", ".join(f"{c} = %s" for c in self.store.columns)
        self._do(f"UPDATE secrets SET {put}, hot = hot + 1 WHERE "
                 f"{self.store.where} RETURNING coalesce(api_key, "
                 f"api_key_enc), doc #>> {self.store.at}", *new, *key)
        return self.cursor.fetchone()

    def hot(self, key):
        self._do(f"SELECT hot FROM secrets WHERE {self.store.where}", *key)
        found = self.cursor.fetchone()
        self.rollback()
        return None if found is None else found[0]

    def commit(self):
        try:
            self.db.commit()
        except psycopg2.errors.InsufficientResources:
            self.rollback()
            raise model.Refused from None
        except psycopg2.Error as error:
            self._unless_lost(error)

    def rollback(self):
        try:
            self.db.rollback()
        except psycopg2.Error as error:
            self._unless_lost(error)

    def close(self):
        try:
            self.db.close()
        except psycopg2.Error:
            pass


class Waits(threading.Thread):
    """Who waits for a lock of ours, and for how long; and, beside it, how
    long an update that has nothing to do with us takes meanwhile."""

    SQL = """SELECT 1000 * extract(epoch FROM max(clock_timestamp() -
        l.waitstart))::float8 FROM pg_locks l JOIN pg_stat_activity a USING
        (pid) WHERE NOT l.granted AND a.application_name LIKE 'writer%%' AND
        EXISTS (SELECT 1 FROM pg_stat_activity b WHERE b.pid = ANY
        (pg_blocking_pids(l.pid)) AND b.application_name LIKE 'envelope%%')"""

    def __init__(self, dsn):
        super().__init__(daemon=True)
        self.dsn, self.over = dsn, threading.Event()
        self.longest = self.stall = 0.0

    def run(self):
        try:
            db = psycopg2.connect(self.dsn, application_name="watch")
            db.autocommit = True
            cursor = db.cursor()
            while not self.over.wait(0.015):
                began = time.monotonic()
                cursor.execute("UPDATE beat SET n = n + 1")
                self.stall = max(self.stall,
                                 1000 * (time.monotonic() - began))
                cursor.execute(self.SQL)
                self.longest = max(self.longest, cursor.fetchone()[0] or 0.0)
            db.close()
        except psycopg2.Error:
            pass  # the server was stopped; what was seen counts

    def stop(self):
        self.over.set()
        self.join()


class Postgres:
    NAME = "postgres"
    KEYS = ("bigint", "bigint", "uuid", "pair", "partitioned")
    WORKERS = (1, 2, 3)

    def __init__(self, folder, library):
        self.folder = pathlib.Path(folder) / "pg"
        self.folder.mkdir()
        self.control = shim.Control(pathlib.Path(folder) / "server.control",
                                    0o666)
        self.env = dict(os.environ, LD_PRELOAD=str(library),
                        FAULT_CONTROL=str(self.control.path))
        self._cluster("start", *SETTINGS)
        self.dsn = f"host={self.folder}/s user=postgres dbname=postgres"
        sockets = pathlib.Path(folder) / "p"
        sockets.mkdir()
        self.proxy = Proxy(sockets / ".s.PGSQL.5432",
                           self.folder / "s/.s.PGSQL.5432")
        self.tool_env = {"DATABASE_URL":
                         f"host={sockets} user=postgres dbname=postgres"}
        self.source = {"driver": "postgres", "dsn_env": "DATABASE_URL"}
        self.world, self.log_at = None, 0

    def _cluster(self, verb, *words):
        subprocess.run(["sh", CLUSTER, verb, self.folder, *words], check=True,
                       env=self.env)

    def close(self):
        self.proxy.close()
        self._cluster("stop", "fast")

    def crash(self):
        self._cluster("stop", "immediate")

    def stop_clean(self):
        self._cluster("stop", "fast")

    def again(self):
        self._cluster("again")

    # ---- SQL ---------------------------------------------------------------

    def run(self, *statements, name="test"):
        """Statements, each committed; the rows of the last."""
        db = psycopg2.connect(self.dsn, application_name=name)
        db.autocommit = True
        try:
            cursor = db.cursor()
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
        finally:
            db.close()

    def of(self, alias):
        return " AND ".join(f"{alias}.{c} = %s" for c in self.columns)

    def connect(self, name="test"):
        return psycopg2.connect(self.dsn, application_name=name)

    def app(self, name):
        return App(self, name)

    # ---- a new table -------------------------------------------------------

    def fresh(self, world, rows):
        self.world = world
        self.columns = COLUMNS.get(world.key, ("id",))
        self.where = self.of("secrets")
        self.at = ("'{auth,token}'" if world.path == "auth.token"
                   else "'{servers,0,token}'")
        self.control.reset()
        self.proxy.reset()
        self.proxy.cut_all()
        self.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                 "WHERE application_name LIKE 'envelope%'",
                 "DROP SCHEMA IF EXISTS envelope CASCADE",
                 "DROP SCHEMA public CASCADE", "CREATE SCHEMA public",
                 "CREATE TABLE beat (n bigint)", "INSERT INTO beat VALUES (0)")
        keys = ", ".join(self.columns)
        self.run(f"CREATE TABLE secrets ({TYPES[world.key]}, api_key text, "
                 f"api_key_enc text, doc jsonb, hot integer NOT NULL, note "
                 f"text NOT NULL, PRIMARY KEY ({keys}))"
                 + (" PARTITION BY HASH (id)" if world.key == "partitioned"
                    else ""))
        if world.key == "partitioned":
            self.run(*[f"CREATE TABLE part{n} PARTITION OF secrets FOR VALUES "
                       f"WITH (MODULUS 3, REMAINDER {n})" for n in range(3)])
        self._fill(rows)
        if world.witness:
            self.run(WITNESS.replace("{path}", self.at))
        self.run("ANALYZE secrets")
        log = self.folder / "log"
        self.log_at = log.stat().st_size

    def _fill(self, rows):
        app = self.app("test")
        for key, row in rows.items():
            app.insert(key, row)
        app.commit()
        app.close()

    def target(self):
        world = self.world
        key = {"column": "api_key"}
        if world.into:
            key["into"] = "api_key_enc"
        return {"table": "public.secrets", "key": list(self.columns),
                "fields": [key, {"column": "doc", "path": world.path}]}

    def context(self, place, key):
        """As an application must give it."""
        field = f"public.secrets.doc.{self.world.path}"
        if place == "api_key":
            field = "public.secrets.api_key" + ("_enc" if self.world.into
                                                else "")
        if len(key) == 1:
            return {"field": field, "id": str(key[0])}
        return {"field": field, **{f"id.{c}": str(v)
                                   for c, v in zip(self.columns, key)}}

    def row_key(self, name):
        """A key from the name that the tool gives a row: id=42."""
        values = [part.split("=", 1)[1] for part in re.split(r",\s*", name)]
        return tuple(v if self.world.key == "uuid" else int(v)
                     for v in values)

    # ---- looking -----------------------------------------------------------

    def snapshot(self):
        """{key: (api_key, token, hot, what else, both places filled)}."""
        found = self.run(
            f"SELECT {', '.join(f'{c}::text' for c in self.columns)}, "
            f"coalesce(api_key, api_key_enc), doc #>> {self.at}, hot, "
            f"note || jsonb_set(doc, {self.at}, '\"\"')::text, "
            f"api_key IS NOT NULL AND api_key_enc IS NOT NULL FROM secrets",
            name="look")
        n = len(self.columns)
        return {tuple(v if self.world.key == "uuid" else int(v)
                      for v in row[:n]): tuple(row[n:]) for row in found}

    def rest_of(self, row):
        """What a row's other places hold, as the snapshot shows it."""
        empty = json.loads(model.template(self.world, row.number) % '""',
                           parse_float=lambda text: float(text))
        name = "auth" if self.world.path == "auth.token" else "servers"
        inner = (json.dumps(empty[name]) if name == "auth"
                 else json.dumps(empty[name]))
        members = {"n": "1.50", "e": "1000", name: inner}
        if name == "auth":
            members["who"] = json.dumps(empty["who"])
        # jsonb orders members by length, then by bytes.
        text = ", ".join(f'"{k}": {members[k]}' for k in
                         sorted(members, key=lambda k: (len(k), k)))
        return f"note {row.number}" + "{" + text + "}"

    def seals(self):
        """[(how many places were sealed, how many of them again)]."""
        if not self.world.witness:
            return None
        return self.run("SELECT count(*), count(*) FILTER (WHERE again) "
                        "FROM seals")[0]

    def records(self):
        """{number: body} of the job's records; {} where there are none."""
        if not self.run("SELECT to_regclass('envelope.range')")[0][0]:
            return {}
        found = self.run("SELECT 0, body FROM envelope.job UNION ALL "
                         "SELECT number, body FROM envelope.range")
        return {n: json.loads(bytes(body)) for n, body in found}

    def state_dump(self):
        out = []
        for table in ("job", "range", "quarantine"):
            if self.run(f"SELECT to_regclass('envelope.{table}')")[0][0]:
                out += [repr(tuple(bytes(v) if isinstance(v, memoryview)
                                   else v for v in row)) for row in
                        self.run(f"SELECT * FROM envelope.{table}")]
        return "\n".join(out)

    def our_log(self):
        """What the server logged for us since the table was made."""
        ours, app = [], ""
        with (self.folder / "log").open(errors="replace") as log:
            log.seek(self.log_at)
            for line in log:
                began = re.match(r"\S+ \S+ \S+ app=(.*?) ~ ", line)
                app = began.group(1) if began else app
                if app.startswith("envelope"):
                    ours.append(line)
        return "".join(ours)

    def plaintext_left(self):
        return 0  # of pages that are free: SQLite's promise only

    def lease_over(self):
        """All leases have run out, by the only clock that counts."""
        self.run("UPDATE envelope.job SET lease_until = now() - '1 hour'"
                 "::interval", "UPDATE envelope.range SET lease_until = "
                 "now() - '1 hour'::interval")

    def rows_read(self, control):
        """How many rows pages of the sweep gave to the tool."""
        return self.proxy.rows["page"]

    def pages_read(self):
        """A page asks for one row more than it gives."""
        return self.proxy.counts["page"]

    def backends(self):
        return self.run("SELECT count(*) FROM pg_stat_activity WHERE "
                        "application_name LIKE 'envelope%'")[0][0]

    def waits(self, control):
        return Waits(self.dsn)
