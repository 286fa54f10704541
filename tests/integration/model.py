"""What applications committed, so that a sweep can be held against it.

Each writer owns the ids that are its number modulo the number of writers, so
the last value it committed for a row is the row's truth.  Values say which row
and which version they are; nothing about them has to be stored twice.
"""

import multiprocessing
import random
import time

import psycopg2

CANARY = "sk-live-canary"


def secret(row, version):
    return f"{CANARY}-{row}-{version}-0123456789abcdef"


def token(row, version):
    return f"{CANARY}-doc-{row}-{version}"


SCHEMA = f"""
CREATE TABLE secrets (id bigint PRIMARY KEY, api_key text, doc jsonb,
                      hot integer NOT NULL DEFAULT 0)"""

FILL = f"""
INSERT INTO secrets (id, api_key, doc)
SELECT i, '{CANARY}-' || i || '-0-0123456789abcdef',
       jsonb_build_object('n', 1.50, 'servers', jsonb_build_array(
           jsonb_build_object('name', 'a', 'token',
                              '{CANARY}-doc-' || i || '-0')))
FROM generate_series(1, %s) AS n(i)"""

UPDATE = f"""UPDATE secrets SET api_key = %(key)s, doc = jsonb_set(doc,
    '{{servers,0,token}}', to_jsonb(%(token)s::text), false) WHERE id = %(id)s"""

INSERT = """INSERT INTO secrets (id, api_key, doc) VALUES (%(id)s, %(key)s,
    jsonb_build_object('n', 1.50, 'servers', jsonb_build_array(
        jsonb_build_object('name', 'a', 'token', %(token)s::text))))"""


def writer(dsn, number, writers, rows, stop, result, seed, pause):
    """One application.  Puts {id: (version, hot)} of what it touched, or None
    for a deleted row, into result when told to stop."""
    dice = random.Random(seed)
    connection = psycopg2.connect(dsn, application_name=f"writer{number}")
    cursor = connection.cursor()
    model, fresh, longest = {}, rows + 1 + number, 0.0
    fresh += (number - fresh) % writers

    while not stop.is_set():
        kind = dice.random()
        row = dice.randrange(rows // writers) * writers + number
        row = row if row else writers
        version, hot = model.get(row, (0, 0)) or (None, None)
        began = time.monotonic()
        if kind < 0.45 and version is not None:
            version += 1
            cursor.execute(UPDATE, {"id": row, "key": secret(row, version),
                                    "token": token(row, version)})
            model[row] = (version, hot)
        elif kind < 0.80 and version is not None:
            cursor.execute("UPDATE secrets SET hot = hot + 1 WHERE id = %s",
                           (row,))
            model[row] = (version, hot + 1)
        elif kind < 0.92:
            cursor.execute(INSERT, {"id": fresh, "key": secret(fresh, 0),
                                    "token": token(fresh, 0)})
            model[fresh] = (0, 0)
            fresh += writers
        elif version is not None:
            cursor.execute("DELETE FROM secrets WHERE id = %s", (row,))
            model[row] = None
        connection.commit()
        longest = max(longest, time.monotonic() - began)
        time.sleep(pause)
    connection.close()
    result.put((number, model, longest))


class Writers:
    """Three (or more) of them, each a process."""

    def __init__(self, dsn, rows, count=3, seed=1, pause=0.0005):
        self.stop_event = multiprocessing.Event()
        self.results = multiprocessing.Queue()
        self.processes = [
            multiprocessing.Process(target=writer, args=(
                dsn, n, count, rows, self.stop_event, self.results,
                seed * 100 + n, pause))
            for n in range(count)]
        for process in self.processes:
            process.start()

    def stop(self):
        """Return (model of touched rows, longest statement in seconds)."""
        self.stop_event.set()
        model, longest = {}, 0.0
        for _ in self.processes:
            _, part, slow = self.results.get(timeout=60)
            model.update(part)
            longest = max(longest, slow)
        for process in self.processes:
            process.join()
        return model, longest
