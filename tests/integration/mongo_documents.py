"""What the MongoDB tests keep, as plaintext, and how a swept document is turned
back into it.

A document follows from its row's number, the version an application last
committed, a counter, and whether an array was turned round; so what must be
there after any sweep is known to the byte.  Swept documents are opened with
the other implementation (tests/interop), value by value, as raw BSON: nothing
is decoded and encoded again, so an exchanged type, order or number shows.
"""

import base64
import datetime
import json
import pathlib
import struct
import sys

import bson
from bson import Binary, Int64, ObjectId
from bson.raw_bson import RawBSONDocument

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
from envelope_py import BSON, BYTES, JSON, Failure, TEXT_TYPE, open_, place  # noqa: E402
from envelope_py.bson import elements  # noqa: E402
from envelope_py.coding import b64url  # noqa: E402

CANARY = "sk-live-canary"
COLLECTIONS = ("model_configs", "WebhookEndpoint", "mcptools", "tools")
ANY = place.ANY_MEMBER
EACH = place.ANY_ELEMENT

# What is sealed: the job's fields, and the same paths for the opener.
FIELDS = {
    "model_configs": [{"path": "api_key"}, {"path": "blob"}, {"path": "pin"},
                      {"path": "settings", "encoding": "object"}],
    "WebhookEndpoint": [{"path": "secret"}],
    "mcptools": [{"path": "headers", "codec": ["base64"]}],
    "tools": [{"path": "servers[*].headers.*"},
              {"path": "integrations.*.credentials.token"}],
}
TARGETS = [{"collection": name, "fields": FIELDS[name]}
           for name in COLLECTIONS]


def job(database, name="mongo-sweep", **more):
    return {"envelope_job": 1, "name": name,
            "source": {"driver": "mongo", "dsn_env": "MONGO_URL",
                       "database": database},
            "allow_log_exposure": True, "targets": TARGETS, **more}


# ---- documents --------------------------------------------------------------


def collection_of(row):
    return COLLECTIONS[(0, 0, 1, 2, 3)[row % 5]]


def key_of(row, uuids):
    """Keys of all the types that a default context can name, mixed within one
    collection; UUIDs where the server keeps them."""
    kinds = [lambda: row, lambda: Int64(row + 2**40), lambda: float(row),
             lambda: f"clé {row}", lambda: ObjectId(b"%012d" % row),
             lambda: Binary(b"%d" % row, 0),
             lambda: (Binary(b"%016d" % row, 4) if uuids else f"u{row}")]
    if collection_of(row) == "WebhookEndpoint":
        return ObjectId(b"%012d" % row)
    return kinds[row // 5 % len(kinds)]()


def secret(row, version, what="key"):
    return f"{CANARY}-{what}-{row}-{version}-Zürich"


def _headers(row, version, n):
    found = {"Authorization": secret(row, version, f"auth{n}"),
             "X-Empty": "", "X-None": None}
    if row % 3 == 0:  # names that no dotted path can say
        found["v1.2"] = secret(row, version, f"dot{n}")
        found["é~["] = secret(row, version, f"odd{n}")
    if row % 4 == 0:
        found["retries"] = row
    return found


def _servers(row, version, turned):
    found = [{"name": f"s{n}", "port": 8080 + n,
              "headers": _headers(row, version, n)} for n in range(row % 3 + 1)]
    return found[::-1] if turned else found


def _integrations(row, version):
    return {name: {"on": True, "credentials": {
        "user": "u", "token": secret(row, version, name)}}
        for name in ("slack", "GitHub", "größe")[:row % 3 + 1]}


def document(row, version, hot, turned, uuids):
    """What an application has committed, in plaintext."""
    made = {"_id": key_of(row, uuids)}
    name = collection_of(row)
    if name == "model_configs":
        made |= {"name": f"modèle {row}", "limit": 1.50, "n": Int64(row),
                 "api_key": secret(row, version), "when": datetime.datetime(
                     2024, 5, 17, 12, 0, 0, 123000),
                 "blob": Binary(secret(row, version, "blob").encode(), 0),
                 "pin": row, "settings": {
                     "token": secret(row, version, "settings"),
                     "nested": [1, 2.5, None, True, {"a": Int64(1)}]}}
    elif name == "WebhookEndpoint":
        made |= {"url": "https://example.org/ü", "active": False,
                 "secret": secret(row, version)}
    elif name == "mcptools":
        made |= {"headers": _encoded(row, version), "tags": ["a", 1, None]}
    else:
        made |= {"servers": _servers(row, version, turned),
                 "integrations": _integrations(row, version)}
    return made | {"hot": hot}


def _encoded(row, version):
    plain = json.dumps({"Authorization": secret(row, version, "b64"),
                        "n": row}, ensure_ascii=False)
    return base64.b64encode(plain.encode()).decode()


def changed(row, version, turned):
    """What an application sets when it commits another version."""
    full = document(row, version, 0, turned, False)
    kept = {"model_configs": ("api_key", "blob", "settings"),
            "WebhookEndpoint": ("secret",), "mcptools": ("headers",),
            "tools": ("servers", "integrations")}[collection_of(row)]
    return {name: full[name] for name in kept}


# ---- opening ----------------------------------------------------------------


def id_text(key):
    """spec: JOB-35"""
    if isinstance(key, (bytes, Binary)):
        if getattr(key, "subtype", 0) == 4:
            text = bytes(key).hex()
            return "uuid:" + "-".join((text[:8], text[8:12], text[12:16],
                                       text[16:20], text[20:]))
        return f"bin:{getattr(key, 'subtype', 0)}:{bytes(key).hex()}"
    if isinstance(key, ObjectId):
        return f"oid:{key}"
    return f"str:{key}" if isinstance(key, str) else f"int:{int(key)}"


def _matches(pattern, path):
    return len(pattern) == len(path) and all(
        want == have or (want == ANY and isinstance(have, str))
        for want, have in zip(pattern, path))


def _string(text):
    return struct.pack("<i", len(text) + 1) + text + b"\0"


def _envelope(kind, raw):
    """The stored value as bytes that can be opened, or None."""
    if kind == 0x02 and raw[4:8] == b"env1":
        return raw[4:-1]
    if kind == 0x05 and raw[4] == 0 and raw[5:8] == b"\x9eEV":
        return raw[5:]
    if kind == 0x03:
        members = {name: (kind, value) for name, kind, value in (
            (name.decode(), kind, value) for kind, name, value
            in elements(raw))}
        if "env" in members and "payload" in members:
            return json.dumps({
                name: (struct.unpack("<i", value)[0] if kind == 0x10 else
                       b64url(value[5:]) if kind == 0x05 else
                       value[4:-1].decode())
                for name, (kind, value) in members.items()}).encode()
    return None


class Opener:
    """Puts plaintext back into one document after the other."""

    def __init__(self, ring):
        self.ring = ring
        self.opened = 0
        self.plain = []   # places of values that are not sealed
        self.failed = []  # places of envelopes that do not open
        self.kids = set()

    def document(self, collection, raw):
        """The raw document with every value opened."""
        key = bson.decode(raw)["_id"]
        fields = [(place.parse_path(field["path"]), field)
                  for field in FIELDS[collection]]
        return self._walk(raw, [], fields, collection, id_text(key))

    def _walk(self, raw, path, fields, collection, key, array=False):
        body = b""
        for kind, name, value in elements(raw):
            here = path + [EACH if array else name.decode()]
            field = next((field for pattern, field in fields
                          if _matches(pattern, here)), None)
            if field is not None:
                kind, value = self._value(kind, value, here, field,
                                          collection, key)
            elif kind in (0x03, 0x04):
                value = self._walk(value, here, fields, collection, key,
                                   kind == 0x04)
            body += bytes([kind]) + name + b"\0" + value
        return struct.pack("<i", len(body) + 5) + body + b"\0"

    def _value(self, kind, raw, path, field, collection, key):
        """(BSON type, value bytes) as they were before."""
        where = place.field([collection], path)
        data = _envelope(kind, raw)
        if data is None:
            if not (kind == 0x0A or raw in (b"\1\0\0\0\0", b"\0\0\0\0\0")):
                self.plain.append(f"{where} of {key}")
            return kind, raw
        try:
            type_, value = open_(self.ring, [("field", where), ("id", key)],
                                 data)
        except Failure as failure:
            self.failed.append(f"{where} of {key}: {failure}")
            return kind, raw
        self.opened += 1
        self.kids.add(_kid(data))
        return _as_bson(type_, value, field)


def _kid(data):
    if data[:4] == b"env1":
        return data.split(b":")[1].decode()
    if data[:1] == b"{":
        return json.loads(data)["kid"]
    return data[6:6 + data[5]].decode()


def _as_bson(type_, value, field):
    """spec: ENV-6.11; the codec is put on again."""
    if field.get("codec"):
        return 0x02, _string(base64.b64encode(value))
    if type_ == TEXT_TYPE:
        return 0x02, _string(value)
    if type_ == BYTES:
        return 0x05, struct.pack("<iB", len(value), 0) + value
    if type_ == BSON:
        kind, _, raw = elements(value)[0]
        return kind, raw
    raise AssertionError(f"type {type_} ({JSON} is JSON) in a BSON document")


def raw_of(found):
    return found.raw if isinstance(found, RawBSONDocument) else bson.encode(
        found)
