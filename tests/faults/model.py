"""What applications committed, and the applications themselves.

The model is a shadow of the swept table: for each row the last value that an
application committed in each place.  A value that an application copied, or
took along when it changed a row's key, may be an envelope of another place;
nobody may touch that one again.  Each writer owns the keys that it changes, so
that what it committed last is what stands.
"""

import json
import random
import threading
import time
import uuid

CANARY = "sk-live-canary"
PLACES = ("api_key", "token")


def secret(place, number, version):
    """A value says whose it is, so nothing about it is stored twice."""
    tail = "x" * (number * 7 % 50)
    return f"{CANARY}-{place}-{number}-{version}-{tail}Zürich"


def is_envelope(value):
    return value is not None and value.startswith("env1:")


class Lost(Exception):
    """The connection broke: what was under way may have happened or not."""


class Refused(Exception):
    """The statement was rolled back (a deadlock, a lock, a trigger)."""


class World:
    """What the swept table looks like, and how the sweep is set up."""

    def __init__(self, dice, store, rows=None, **fixed):
        self.rows = rows or dice.choice((60, 150, 300, 600))
        self.key = dice.choice(store.KEYS)
        self.path = dice.choice(("auth.token", "servers[*].token"))
        self.into = dice.random() < 0.25
        least = dice.choice((1, 7, 20, 50))
        self.batch = (least, dice.choice((least, 2 * least, 100)))
        if self.batch[1] < least:
            self.batch = (least, least)
        self.workers = dice.choice(store.WORKERS)
        self.moves = dice.random() < 0.6   # copies and new keys
        self.witness = dice.random() < 0.8
        self.journal = dice.choice(("wal", "delete", "truncate"))
        self.bytes = dice.choice((None, None, 4096))
        self.where = None
        self.extra = {}                    # members of the job
        for name, value in fixed.items():
            setattr(self, name, value)

    def make_key(self, number):
        """NUMBER is unique; keys are in no order of it."""
        mixed = number * 2654435761 % 2**31
        if self.key == "uuid":
            return (str(uuid.UUID(int=mixed << 64 | number)),)
        if self.key == "pair":
            return (mixed % 7, number)
        return (mixed,)

    def __str__(self):
        return (f"rows={self.rows} key={self.key} path={self.path} "
                f"into={self.into} batch={self.batch} workers={self.workers} "
                f"moves={self.moves} witness={self.witness} "
                f"bytes={self.bytes}")


class Row:
    __slots__ = ("number", "api_key", "token", "hot")

    def __init__(self, number, api_key, token, hot=0):
        self.number, self.api_key = number, api_key
        self.token, self.hot = token, hot

    def copy(self):
        return Row(self.number, self.api_key, self.token, self.hot)


def first_rows(world):
    """{key: Row} of a table before anything happened."""
    return {world.make_key(n): Row(n, secret("api_key", n, 0),
                                   secret("token", n, 0))
            for n in range(1, world.rows + 1)}


KINDS = (("update", 40), ("touch", 22), ("insert", 10), ("delete", 8),
         ("again", 4), ("copy", 6), ("rekey", 6), ("undone", 4))


class Writer(threading.Thread):
    """One application."""

    def __init__(self, crowd, index):
        super().__init__(daemon=True)
        self.crowd, self.index = crowd, index
        self.dice = random.Random(f"{crowd.seed}/{index}")
        self.rows = {}
        self.next = 1_000_000 + index
        self.done, self.longest, self.failure = {}, 0.0, None
        self.rested = 0  # the turn of the crowd in which it last rested

    def run(self):
        try:
            self._run()
        except Exception as error:  # told by the crowd, never lost
            self.failure = error

    def _run(self):
        app = None
        while not self.crowd.over.is_set():
            if self.crowd.resting.is_set():
                self.rested = self.crowd.turn
                time.sleep(0.001)
                continue
            if app is None:
                app = self._connect()
                continue
            kind = self.dice.choices(*zip(*self.crowd.kinds))[0]
            began = time.monotonic()
            try:
                getattr(self, "do_" + kind)(app)
                self.done[kind] = self.done.get(kind, 0) + 1
            except Refused:
                self.done["refused"] = self.done.get("refused", 0) + 1
            except Lost as error:
                app = None
                self.done["lost"] = self.done.get("lost", 0) + 1
                self._find_out(error.args[0])
            self.longest = max(self.longest, time.monotonic() - began)
            time.sleep(self.crowd.pause)
        if app is not None:
            app.close()

    def _connect(self):
        try:
            return self.crowd.store.app(f"writer{self.index}")
        except Lost:
            time.sleep(0.05)
            return None

    def _find_out(self, maybe):
        """A commit whose answer was lost: MAYBE is [(key, Row or None)]."""
        while True:
            app = self._connect()
            if app is None:
                continue
            try:
                found = {key: app.hot(key) for key, _ in maybe}
                app.close()
                break
            except Lost:
                continue
        # All of it happened or none.
        happened = all((row is None) == (found[key] is None) and
                       (row is None or row.hot == found[key])
                       for key, row in maybe)
        if happened:
            self._keep(maybe)

    def _keep(self, changes):
        for key, row in changes:
            if row is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = row

    def _commit(self, app, changes):
        try:
            app.commit()
        except Lost:
            raise Lost(changes) from None
        self._keep(changes)

    def _any(self):
        return self.dice.choice(list(self.rows)) if self.rows else None

    def _fresh(self):
        self.next += self.crowd.count
        return self.next

    def _statement(self, app, name, *arguments):
        """A statement that is lost did nothing: it was never committed."""
        try:
            return getattr(app, name)(*arguments)
        except Lost:
            raise Lost([]) from None

    def _new(self, key):
        row = self.rows[key].copy()
        row.hot += 1
        row.api_key = secret("api_key", row.number, row.hot)
        row.token = secret("token", row.number, row.hot)
        return row

    # ---- what an application does ------------------------------------------

    def do_update(self, app):
        key = self._any()
        if key is None:
            return
        row = self._new(key)
        self._statement(app, "update", key, row)
        self._commit(app, [(key, row)])

    def do_undone(self, app):
        key = self._any()
        if key is not None:
            self._statement(app, "update", key, self._new(key))
            self._statement(app, "rollback")

    def do_touch(self, app):
        key = self._any()
        if key is None:
            return
        row = self.rows[key].copy()
        row.hot += 1
        self._statement(app, "touch", key)
        self._commit(app, [(key, row)])

    def do_insert(self, app):
        number = self._fresh()
        key = self.crowd.world.make_key(number)
        row = Row(number, secret("api_key", number, 0),
                  secret("token", number, 0))
        self._statement(app, "insert", key, row)
        self._commit(app, [(key, row)])

    def do_delete(self, app):
        key = self._any()
        if key is not None and len(self.rows) > 5:
            self._statement(app, "delete", key)
            self._commit(app, [(key, None)])

    def do_again(self, app):
        """The same key comes back, with the same value or another."""
        key = self._any()
        if key is None:
            return
        row = self.rows[key].copy()
        row.hot += 1
        row.api_key = secret("api_key", row.number, self.dice.randrange(2))
        row.token = secret("token", row.number, 0)
        self._statement(app, "delete", key)
        self._statement(app, "insert", key, row)
        self._commit(app, [(key, row)])

    def do_copy(self, app):
        key, source = self._any(), self.crowd.any_key(self.dice)
        if not self.crowd.world.moves or key is None or source == key:
            return
        found = self._statement(app, "copy", key, source)
        if found is None:
            self._statement(app, "rollback")
            return
        row = self.rows[key].copy()
        row.hot += 1
        row.api_key, row.token = found
        self._commit(app, [(key, row)])

    def do_rekey(self, app):
        key = self._any()
        if not self.crowd.world.moves or key is None:
            return
        row, number = self.rows[key].copy(), self._fresh()
        new = self.crowd.world.make_key(number)
        row.hot += 1
        row.api_key, row.token = self._statement(app, "rekey", key, new)
        self._commit(app, [(key, None), (new, row)])


class Crowd:
    """Three or more writers, and what they committed."""

    def __init__(self, store, world, rows, seed, count=3, pause=0.002):
        self.store, self.world, self.seed = store, world, seed
        self.count, self.pause, self.kinds = count, pause, KINDS
        self.over, self.resting = threading.Event(), threading.Event()
        self.writers = [Writer(self, i) for i in range(count)]
        self.started, self.turn = False, 0
        self.put(rows)

    def put(self, rows):
        """ROWS are what stands, whoever committed what."""
        for writer in self.writers:
            writer.rows = {}
        for n, (key, row) in enumerate(sorted(rows.items())):
            self.writers[n % self.count].rows[key] = row

    def start(self):
        self.started = True
        for writer in self.writers:
            writer.start()

    def any_key(self, dice):
        rows = self.writers[dice.randrange(self.count)].rows
        try:
            return dice.choice(list(rows)) if rows else None
        except RuntimeError:  # it changed meanwhile
            return None

    def rest(self):
        """Nobody writes until go(); then rows() is what stands."""
        self.turn += 1
        self.resting.set()
        late = time.monotonic() + 60
        for writer in self.writers if self.started else ():
            while writer.rested != self.turn and writer.failure is None:
                if time.monotonic() > late:
                    raise RuntimeError("a writer does not come to rest")
                time.sleep(0.001)
            if writer.failure is not None:
                raise writer.failure

    def go(self):
        self.resting.clear()

    def stop(self):
        self.over.set()
        for writer in self.writers if self.started else ():
            writer.join(60)
            if writer.failure is not None:
                raise writer.failure
        self.started = False

    def rows(self):
        return {key: row for writer in self.writers
                for key, row in writer.rows.items()}

    def done(self):
        total = {}
        for writer in self.writers:
            for kind, count in writer.done.items():
                total[kind] = total.get(kind, 0) + count
        return total


def template(world, number):
    """A document but for its token; its white space is its own."""
    if world.path == "auth.token":
        return ('{"n": 1.50, "who":"w%d",  "auth": {"token":%%s} , "e":1e3}'
                % number)
    return ('{"n": 1.50, "servers": [ {"name":"a%d","token":%%s} ], "e":1e3}'
            % number)


def document(world, row):
    return template(world, row.number) % json.dumps(row.token,
                                                    ensure_ascii=False)
