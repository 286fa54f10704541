"""A proxy between the tool and PostgreSQL that understands the protocol.

It frames every message of both sides, knows the text of each statement that
is executed (also prepared and pipelined ones) and which answer belongs to it,
and can, at a chosen one, cut the connection before it is sent, after it is
answered but before the answer is handed on (a lost acknowledgement), in the
middle of its rows, or hold it back for a while.  It also forgets prepared
statements on the server, as a pooler that was restarted would.

It runs in one thread; everything is counted by kind of statement.
"""

import collections
import os
import selectors
import socket
import struct
import threading
import time

# What a statement of the sweep is for; the first that matches.
KINDS = (
    ("commit", lambda s: s == "COMMIT"),
    ("fence", lambda s: s.startswith("/* fails if the lease")),
    ("write", lambda s: s.startswith(("UPDATE", "WITH envl_new"))
     and "envl_new" in s),
    ("page", lambda s: s.startswith("SELECT") and "secrets" in s
     and "ORDER BY" in s and "LIMIT $" in s),
    ("search", lambda s: s.startswith("SELECT") and "secrets" in s
     and "(false OR" in s),
    ("keys", lambda s: s.startswith("SELECT") and "secrets" in s
     and "ORDER BY" in s and "LIMIT" not in s),
    ("begin", lambda s: s.startswith("BEGIN")),
    ("rollback", lambda s: s.startswith("ROLLBACK")),
)


def kind_of(sql):
    for kind, test in KINDS:
        if test(sql):
            return kind
    return "other"


class Fault:
    """At the NTH statement of KIND (None: any): HOW is

    before   cut; the server never sees it
    after    the server has done it, the answer is cut off
    midway   cut behind the first row of the answer
    hold     hand the answer on only after SECONDS
    forget   prepared statements are dropped on the server before it
    """

    def __init__(self, how, kind, nth, seconds=0.0):
        self.how, self.kind, self.nth = how, kind, nth
        self.seconds, self.met = seconds, 0


class Half:
    """One direction: bytes not yet framed, bytes not yet sent."""

    def __init__(self):
        self.raw, self.out = bytearray(), bytearray()


class Link:
    """One client's connection."""

    def __init__(self, client, server):
        self.client, self.server = client, server
        self.up, self.down = Half(), Half()
        self.started = False
        self.prepared, self.portal = {}, ""
        self.expected = collections.deque()  # (message, sql) unanswered
        self.swallow = 0          # answers to what we injected
        self.idle = True          # nothing under way since the last Ready
        self.held_until = 0.0
        self.cut_after = self.cut_midway = None
        self.dying = False

    def close(self):
        for end in (self.client, self.server):
            try:
                end.close()
            except OSError:
                pass


class Proxy:
    def __init__(self, path, upstream):
        self.path, self.upstream = str(path), str(upstream)
        self.lock = threading.Lock()
        self.faults, self.counts = [], collections.Counter()
        self.rows, self.links = collections.Counter(), {}
        self.refuse = False
        self.selector = selectors.DefaultSelector()
        self.wake_read, self.wake_write = os.pipe()
        self.selector.register(self.wake_read, selectors.EVENT_READ, None)
        self.listener = socket.socket(socket.AF_UNIX)
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.listener.bind(self.path)
        self.listener.listen(64)
        self.selector.register(self.listener, selectors.EVENT_READ, None)
        self.running = True
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    # ---- for the tests -----------------------------------------------------

    def reset(self):
        with self.lock:
            self.faults, self.refuse = [], False
            self.counts, self.rows = (collections.Counter(),
                                      collections.Counter())

    def add(self, fault):
        with self.lock:
            self.faults.append(fault)
        return fault

    def cut_all(self):
        """Cut every connection now."""
        with self.lock:
            for link in set(self.links.values()):
                link.dying = True
        os.write(self.wake_write, b"x")

    def close(self):
        self.running = False
        os.write(self.wake_write, b"x")
        self.thread.join()
        for link in set(self.links.values()):
            link.close()
        self.listener.close()
        self.selector.close()
        os.close(self.wake_read)
        os.close(self.wake_write)
        if os.path.exists(self.path):
            os.unlink(self.path)

    # ---- the loop ----------------------------------------------------------

    def _run(self):
        while self.running:
            for key, events in self.selector.select(0.05):
                if key.fileobj is self.listener:
                    self._accept()
                elif key.fileobj == self.wake_read:
                    os.read(self.wake_read, 4096)
                else:
                    self._serve(key.fileobj, events)
            now = time.monotonic()
            for link in set(self.links.values()):
                if not link.dying and (not link.held_until or
                                       now < link.held_until):
                    continue
                link.held_until = 0.0
                self._guarded(link, self._take_down)

    def _accept(self):
        client, _ = self.listener.accept()
        server = socket.socket(socket.AF_UNIX)
        try:
            if self.refuse:
                raise OSError("refused by the test")
            server.connect(self.upstream)
        except OSError:
            client.close()
            server.close()
            return
        link = Link(client, server)
        for end in (client, server):
            end.setblocking(False)
            self.links[end] = link
            self.selector.register(end, selectors.EVENT_READ, link)

    def _drop(self, link):
        for end in (link.client, link.server):
            if self.links.pop(end, None) is not None:
                self.selector.unregister(end)
        link.close()

    def _serve(self, end, events):
        link = self.links.get(end)
        if link is None:
            return
        up = end is link.client
        half = link.up if up else link.down

        def move(link):
            if events & selectors.EVENT_READ:
                data = end.recv(65536)
                if not data:
                    link.dying = True
                    return
                half.raw += data
                (self._take_up if up else self._take_down)(link)
        self._guarded(link, move)

    def _guarded(self, link, move):
        """An end that is gone takes the other with it."""
        try:
            move(link)
            if not link.dying:
                self._watch(link)
        except OSError:
            link.dying = True
        if link.dying:
            self._die(link)

    def _die(self, link):
        """Cut; but what was let through before has arrived."""
        for end in (link.server, link.client):
            try:
                self._flush(link, end)
            except OSError:
                pass
        self._drop(link)

    def _flush(self, link, end):
        out = link.up.out if end is link.server else link.down.out
        while out:
            try:
                del out[:end.send(out)]
            except BlockingIOError:
                return

    def _watch(self, link):
        for end, out in ((link.server, link.up.out),
                         (link.client, link.down.out)):
            if end not in self.links:
                continue
            self._flush(link, end)
            want = selectors.EVENT_READ
            if out:
                want |= selectors.EVENT_WRITE
            self.selector.modify(end, want, link)

    # ---- client to server --------------------------------------------------

    def _take_up(self, link):
        raw = link.up.raw
        while not link.dying:
            if not link.started:
                if len(raw) < 4 or len(raw) < (size := struct.unpack(
                        "!I", raw[:4])[0]):
                    return
                link.up.out += raw[:size]
                del raw[:size]
                link.started = True
                link.idle = False  # logging in
                continue
            if len(raw) < 5:
                return
            size = 1 + struct.unpack("!I", raw[1:5])[0]
            if len(raw) < size:
                return
            message = bytes(raw[:size])
            del raw[:size]
            if self._asked(link, message):
                link.up.out += message

    @staticmethod
    def _text(message, at):
        end = message.index(0, at)
        return message[at:end].decode("utf-8", "replace"), end + 1

    def _asked(self, link, message):
        """Note what is asked; false if it is not to be passed on."""
        kind = message[:1]
        if kind == b"P":
            name, at = self._text(message, 5)
            link.prepared[name] = self._text(message, at)[0]
            link.expected.append((b"1", ""))
        elif kind == b"B":
            portal, at = self._text(message, 5)
            link.portal = link.prepared.get(self._text(message, at)[0], "")
            link.expected.append((b"2", ""))
        elif kind == b"D":
            link.expected.append((b"D", ""))
        elif kind == b"E":
            if not self._executes(link, link.portal):
                return False
            link.expected.append((b"E", link.portal))
        elif kind == b"C":
            link.expected.append((b"3", ""))
        elif kind == b"S":
            link.expected.append((b"S", ""))
        elif kind == b"Q":
            sql = self._text(message, 5)[0]
            if not self._executes(link, sql):
                return False
            link.expected.append((b"E", sql))
            link.expected.append((b"S", ""))
        link.idle = False
        return True

    def _executes(self, link, sql):
        kind = kind_of(sql)
        with self.lock:
            self.counts[kind] += 1
            self.counts["any"] += 1
            due = [f for f in self.faults if not f.met and self.counts[
                f.kind or "any"] == f.nth and f.kind in (None, kind)]
            for fault in due:
                fault.met = 1
        for fault in due:
            if fault.how == "before":
                link.dying = True
                return False
            if fault.how == "after":
                link.cut_after = len(link.expected)
            elif fault.how == "midway":
                link.cut_midway = len(link.expected)
            elif fault.how == "hold":
                link.held_until = time.monotonic() + fault.seconds
        return True

    # ---- server to client --------------------------------------------------

    def _take_down(self, link):
        raw = link.down.raw
        if link.held_until:
            return
        while not link.dying and len(raw) >= 5:
            size = 1 + struct.unpack("!I", raw[1:5])[0]
            if len(raw) < size:
                return
            message = bytes(raw[:size])
            del raw[:size]
            if self._answered(link, message):
                link.down.out += message

    def _pop(self, link):
        if link.expected:
            link.expected.popleft()
        for name in ("cut_after", "cut_midway"):
            left = getattr(link, name)
            if left is not None:
                setattr(link, name, left - 1)

    def _answered(self, link, message):
        """Match an answer to its question; false if it is swallowed."""
        kind = message[:1]
        if link.swallow:
            link.swallow -= kind == b"Z"
            link.idle = link.swallow == 0
            return False
        first = link.expected[0] if link.expected else (b"", "")
        if kind == b"D" and first[0] == b"E":
            with self.lock:
                self.rows[kind_of(first[1])] += 1
            if link.cut_midway == 0:
                link.down.out += message
                link.dying = True
        elif kind in (b"1", b"2", b"3"):
            self._pop(link)
        elif kind in (b"T", b"n") and first[0] == b"D":
            self._pop(link)
        elif kind in (b"C", b"I", b"s") and first[0] == b"E":
            if link.cut_after == 0 or link.cut_midway == 0:
                link.dying = True
                return False
            self._pop(link)
        elif kind == b"E":
            # Everything up to the next Sync is skipped.
            while link.expected and link.expected[0][0] != b"S":
                self._pop(link)
        elif kind == b"Z":
            if first[0] == b"S":
                self._pop(link)
            if not link.expected:
                link.idle = True
                self._between(link, message[5:6])
        return not link.dying

    def _between(self, link, state):
        """Nothing is under way: prepared statements may be forgotten."""
        with self.lock:
            due = [f for f in self.faults if f.how == "forget" and not f.met
                   and self.counts["any"] >= f.nth]
            for fault in due:
                fault.met = 1
        # In a transaction that failed nothing can be asked.
        if due and state == b"I":
            text = b"DEALLOCATE ALL\0"
            link.up.out += b"Q" + struct.pack("!I", 4 + len(text)) + text
            link.swallow = 1
