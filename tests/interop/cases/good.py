"""Vectors that open: every shape the format allows."""

import struct

from envelope_py.coding import b64url
from envelope_py.envelope import (BSON, BYTES, JSON, TEXT_TYPE, make_frame,
                                  seal_frame, write)

from .world import (LONG_KID, PLACE, RING, VALUE_KEY, put, put_context,
                    stream)

KEY = b"sk-live-0123456789abcdef"
TYPE_NAMES = ["bytes", "text", "json", "bson"]


def envelope(name, frame, pairs=PLACE, kid="k1"):
    """An envelope of any frame, by the salt of its name."""
    return seal_frame(RING.find(kid), pairs, frame, stream("salt " + name, 24),
                 VALUE_KEY)


def bson_value(kind, raw):
    body = bytes([kind]) + b"v\0" + raw + b"\0"
    return struct.pack("<i", len(body) + 4) + body


BSON_INT = bson_value(0x10, struct.pack("<i", 42))


class Good:
    """Collects cases whose status is ok."""

    def __init__(self):
        self.cases = []

    def add(self, name, requirement, value=KEY, type_=TEXT_TYPE, pad=32,
            pairs=PLACE, kid="k1", encoding="text", data=None, **members):
        """pad: a block, 0 for none.  data: what to open, if rewritten."""
        made = envelope(name, make_frame(value, type_, pad), pairs, kid)
        data = data(made) if data else write(made, encoding)
        self._case(name, requirement, encoding, data, pairs, value, type_,
                   pad=pad, kid=kid, salt=stream("salt " + name, 24).hex(),
                   **({"value_key": VALUE_KEY.hex()} if made.mode else {}),
                   **members)

    def frame(self, name, requirement, frame, value, type_):
        """A frame that a sealer does not write, and that opens."""
        data = write(envelope(name, frame), "binary")
        self._case(name, requirement, "binary", data, PLACE, value, type_)

    def _case(self, name, requirement, form, data, pairs, value, type_,
              **members):
        raw = {"value_hex": data.hex()} if form == "binary" else put("value",
                                                                    data)
        self.cases.append({
            "name": name, "requirement": requirement, "form": form, **raw,
            **put_context(pairs), "status": "ok", "type": TYPE_NAMES[type_],
            **put("plaintext", value), **members})


def _shapes(good):
    for encoding in ("text", "object", "binary"):
        good.add(f"{encoding}, derived", "ENV-7.3", encoding=encoding)
        good.add(f"{encoding}, wrapped", "ENV-3.6", kid="w1",
                 encoding=encoding)
    good.add("a decrypt-only wrapping key opens", "ENV-8.10", kid="w2")
    good.add("a pre-active key opens", "ENV-8.10", kid="k-pre")
    good.add("a decrypt-only key opens", "ENV-8.10", kid="k2")
    good.add("kid of one byte", "ENV-2.1", kid="a")
    good.add("kid of 63 bytes", "ENV-2.1", kid=LONG_KID, encoding="binary")
    good.add("kid with dots and dashes", "ENV-2.1", kid="2026.11-eu.k-")
    good.add("kid of 63 bytes as object", "ENV-2.1", kid=LONG_KID,
             encoding="object")
    good.add("a key of another scope that is allowed", "KEY-42", kid="k-b",
             scope="tenant-b")
    good.add("a key of another scope, any allowed", "KEY-42", kid="k-b",
             scope="*")
    good.add("mode derived, only that accepted", "ENV-8.12",
             accept=["derived"])
    good.add("mode wrapped, only that accepted", "ENV-8.12", kid="w1",
             accept=["wrapped"])


def _types(good):
    values = [b"\x00\xff\xfe", "pässword ✓".encode(), b'{"a":[1,2e3]}',
              BSON_INT]
    for type_, value in enumerate(values):
        for pad in (0, 32):
            name = f"type {TYPE_NAMES[type_]}, {'padded' if pad else 'plain'}"
            good.add(name, "ENV-6.2", value, type_, pad, encoding="binary")
    good.add("text that is no UTF-8 is returned", "ENV-6.6", b"\xff\xfe",
             TEXT_TYPE)
    good.add("json that is no JSON is returned", "ENV-6.6", b"{", JSON)
    good.add("bson that is no BSON is returned", "ENV-6.6", b"\x01", BSON)
    good.add("an envelope inside is only bytes", "ENV-6.6", b"env1:k1:AA",
             BYTES)


def _padding(good):
    for pad in (2, 3, 16, 256, 4096):
        good.add(f"pad block {pad}", "ENV-6.3", pad=pad, encoding="binary")
    good.add("empty value, padded", "ENV-6.3", b"", BYTES)
    good.add("empty value, not padded", "ENV-6.5", b"", BYTES, 0)
    good.add("padding of the 80 alone", "ENV-6.3", b"x" * 30, BYTES)
    good.add("padding of a whole block", "ENV-6.3", b"x" * 31, BYTES)
    good.add("unpadded value that ends in 80", "ENV-6.5", b"x\x80", BYTES, 0)
    good.add("unpadded value that ends in 80 00 00", "ENV-6.5",
             b"x\x80\0\0", BYTES, 0)
    good.add("unpadded value of zeros", "ENV-6.5", bytes(40), BYTES, 0)
    good.add("padded value that ends in 80 00", "ENV-6.4", b"x\x80\0", BYTES)
    good.add("padded value of zeros", "ENV-6.4", bytes(40), BYTES)
    good.add("padded value of 80s", "ENV-6.4", b"\x80" * 40, BYTES)
    good.frame("padding that makes no multiple", "ENV-6.4",
               b"\x81abc\x80\0\0", b"abc", TEXT_TYPE)
    good.frame("80 right behind the type byte", "ENV-6.4", b"\x81\x80", b"",
               TEXT_TYPE)
    good.frame("padding of 80 and 4095 zeros", "ENV-6.4",
               b"\x80abc\x80" + bytes(4095), b"abc", BYTES)
    good.frame("4095 zeros, the value ends in zeros before the 80",
               "ENV-6.4", b"\x80a\0\0\x80" + bytes(4095), b"a\0\0", BYTES)


def _contexts(good):
    pairs = [("id", "42"), ("field", "accounts.api_key")]
    good.add("context in another order", "CTX-10", pairs=pairs)
    good.add("no context", "CTX-1", pairs=[])
    good.add("32 pairs", "CTX-1", pairs=[(f"n{i}", str(i)) for i in range(32)])
    good.add("4096 bytes of context", "CTX-2", pairs=[("n", "v" * 4095)])
    good.add("an empty context value", "CTX-9", pairs=[("id", "")])
    good.add("U+0000 in a context value", "CTX-9", pairs=[("id", "a\0b")])
    good.add("an equals sign in a context value", "CTX-9",
             pairs=[("id", "a=b")])
    good.add("names that begin one another", "CTX-10",
             pairs=[("ab", "1"), ("a", "2"), ("a.b", "3"), ("aa", "4")])
    good.add("names sorted by unsigned bytes", "CTX-10",
             pairs=[("é", "1"), ("z", "2"), ("✓", "3"), ("\U0001f511", "4")])
    good.add("two spellings of one character", "CTX-8",
             pairs=[("é", "1"), ("e\u0301", "2")])
    good.add("noncharacters in a context", "CTX-8",
             pairs=[("id", "\uffff\ufffe\U0010ffff")])
    good.add("line ends and blanks in a context", "CTX-8",
             pairs=[(" id ", " a\r\nb\t")])


def _object(env, order=("env", "kid", "mode", "payload", "wrapped"),
            sep=("", ":", ",", ""), names=None, kid=None):
    """The object form, spelled otherwise."""
    parts = {"env": "1", "kid": f'"{kid or env.kid}"',
             "mode": '"wrapped"' if env.mode else '"derived"',
             "payload": f'"{b64url(env.payload)}"',
             "wrapped": f'"{b64url(env.wrapped)}"'}
    names = names or {}
    members = [f'"{names.get(name, name)}"{sep[1]}{parts[name]}'
               for name in order if name != "wrapped" or env.mode]
    return f"{sep[0]}{{{sep[2].join(members)}}}{sep[3]}".encode()


def _objects(good):
    def add(name, **how):
        good.add("object: " + name, "ENV-7.5", encoding="object",
                 kid=how.pop("of", "k1"), data=lambda e: _object(e, **how))

    add("members the other way round", of="w1",
        order=("wrapped", "payload", "mode", "kid", "env"))
    add("as JSONB prints it", sep=("", ": ", ", ", ""))
    add("white space everywhere", sep=(" \t\r\n", " \n: ", "\t, ", "\r\n \t"))
    add("a line feed at the end", sep=("", ":", ",", "\n"))
    add("escapes in names", names={"env": "\\u0065nv",
                                   "payload": "p\\u0061yload",
                                   "kid": "\\u006b\\u0069\\u0064"})
    add("escapes in values", kid="k\\u0031")


def _chunks(good):
    data = stream("chunks", 40000)
    for size in (16382, 16383, 16384):
        good.add(f"frame of {size + 1} bytes", "ENV-4.4", data[:size], BYTES,
                 0, encoding="binary")
    good.add("three chunks", "ENV-4.5", data, BYTES, 0, encoding="binary")
    good.add("two full chunks and an empty last", "ENV-4.4", data[:32767],
             BYTES, 0)
    good.add("wrapped, two chunks, as object", "ENV-4.4", data[:20000], BYTES,
             0, kid="w1", encoding="object")
    good.add("padding that fills a chunk", "ENV-6.3", data[:16370], BYTES,
             4096, encoding="binary")
    good.add("padding that crosses into a chunk of its own", "ENV-6.8",
             data[:16380], BYTES, 4093, encoding="binary")
    good.add("80 last in a chunk, zeros in the next", "ENV-6.8",
             data[:16382], BYTES, 4090, encoding="binary")


def cases():
    good = Good()
    for part in (_shapes, _types, _padding, _contexts, _objects, _chunks):
        part(good)
    return good.cases
