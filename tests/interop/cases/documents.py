"""Vectors of the object form as a BSON document."""

import struct

from envelope_py import bson, parse_bson, write_bson
from envelope_py.envelope import write

from .good import envelope
from .refused import FRAME
from .sealing import outcome


def _members(env=None):
    return bson.elements(write_bson(env or envelope("documents", FRAME)))


def _with(name, member, env=None):
    """The members, one of them replaced, or (None) taken away."""
    out = []
    for found in _members(env):
        if found[1] != name:
            out.append(found)
        elif member is not None:
            out.append(member)
    return out


def _decimal(digits, exponent, sign=0):
    bits = sign << 127 | (exponent + 6176) << 113 | digits
    return 0x13, b"env", bits.to_bytes(16, "little")


def _double(value):
    return 0x01, b"env", struct.pack("<d", value)


def _int64(value):
    return 0x12, b"env", struct.pack("<q", value)


class Documents:
    """Collects cases; each is checked against the second implementation."""

    def __init__(self):
        self.cases = []

    def add(self, status, requirement, name, data, written=False):
        if not isinstance(data, bytes):
            data = bson.document(data)
        got, reason, env = outcome(lambda: parse_bson(data))
        assert got == status, (name, got, reason)
        case = {"name": name, "requirement": requirement,
                "document_hex": data.hex(), "status": status}
        if reason:
            case["reason"] = reason
        else:
            case["envelope"] = write(env, "text").decode()
            case["written"] = written
        self.cases.append(case)


def _accepted(docs):
    for kid in ("k1", "w1"):
        env = envelope("documents " + kid, FRAME, kid=kid)
        docs.add("ok", "ENV-7.9", f"as written, {kid}", write_bson(env), True)
        docs.add("ok", "ENV-7.9", f"members in another order, {kid}",
                 bson.elements(write_bson(env))[::-1])


def _not_envelopes(docs):
    def add(name, members):
        docs.add("notenv", "ENV-8.20", name, members)

    payload = bson.binary(b"payload", b"x")
    add("empty", [])
    add("no payload", _with(b"payload", None))
    add("no env", _with(b"env", None))
    for name, member in (
            ("a string", bson.string(b"env", b"1")),
            ("true", (0x08, b"env", b"\1")), ("null", (0x0A, b"env", b"")),
            ("a date", (0x09, b"env", struct.pack("<q", 1))),
            ("a timestamp", (0x11, b"env", struct.pack("<q", 1))),
            ("a document", (0x03, b"env", bson.document([])))):
        add("env " + name, [member, payload])
    add("Env", [bson.int32(b"Env", 1), payload])
    add("one level deeper", [(0x03, b"x", write_bson(
        envelope("documents", FRAME)))])
    docs.add("notenv", "ENV-8.20", "four bytes", b"\4\0\0\0")
    docs.add("notenv", "ENV-8.20", "cut in the payload",
             write_bson(envelope("documents", FRAME))[:-1])
    docs.add("notenv", "ENV-8.20", "broken before the payload",
             write_bson(envelope("documents", FRAME))[:40])
    docs.add("notenv", "ENV-8.20", "the JSON form",
             write(envelope("documents", FRAME), "object"))


def _versions(docs):
    def add(status, name, member):
        docs.add(status, "ENV-7.9" if status == "format" else "ENV-8.3",
                 "env " + name, _with(b"env", member))

    for value in (0, 2, -1, 256):
        add("version", f"int32 {value}", bson.int32(b"env", value))
    add("format", "int64 1", _int64(1))
    add("version", "int64 2", _int64(2))
    add("version", "int64 with a high half", _int64(1 + (1 << 32)))
    add("format", "double 1", _double(1.0))
    for value in (2.0, 0.0, -1.0, 1.0000000000000002, float("nan"),
                  float("inf")):
        add("version", f"double {value!r}", _double(value))
    add("format", "decimal 1", _decimal(1, 0))
    add("format", "decimal 1.0", _decimal(10, -1))
    add("format", "decimal of 34 digits", _decimal(10 ** 33, -33))
    for name, member in (
            ("0", _decimal(0, 0)), ("-1", _decimal(1, 0, 1)),
            ("10", _decimal(10, 0)), ("1E+1", _decimal(1, 1)),
            ("0.1", _decimal(1, -1)),
            ("one digit off", _decimal(10 ** 33 + 1, -33)),
            ("Infinity", (0x13, b"env", (0xF << 123).to_bytes(16, "little"))),
            ("a significand too large",
             (0x13, b"env", (3 << 125 | 1).to_bytes(16, "little")))):
        add("version", "decimal " + name, member)
    docs.add("version", "ENV-8.3", "version 2 with any members",
             [bson.int32(b"env", 2), bson.string(b"payload", b"x"),
              bson.string(b"payload", b"y")])


def _broken(docs):
    good = envelope("documents", FRAME)
    wrapped = envelope("documents w", FRAME, kid="w1")

    def add(name, data, requirement="ENV-7.6"):
        docs.add("format", requirement, name, data)

    whole = write_bson(good)
    add("a byte behind", whole + b"\0", "ENV-8.20")
    kid, mode = _members()[1:3]
    turned = bson.document([m for m in _members() if m not in (kid, mode)]
                           + [kid, mode])
    add("cut behind the payload", turned[:-1], "ENV-8.20")
    add("the length one too large", struct.pack("<i", len(whole) + 1)
        + whole[4:], "ENV-8.20")
    add("a string that is not UTF-8", _members() + [
        bson.string(b"x", b"\xff")], "ENV-8.20")
    add("env twice", [bson.int32(b"env", 1)] + _members(), "ENV-8.20")
    add("env twice, once no number",
        [bson.string(b"env", b"1")] + _members(), "ENV-8.20")
    for name in (b"kid", b"mode"):
        text = name.decode()
        add(f"no {text}", _with(name, None))
        add(f"{text} a number", _with(name, bson.int32(name, 1)))
        add(f"{text} twice", _members() + [
            m for m in _members() if m[1] == name])
    add("a further member", _members() + [bson.int32(b"x", 1)])
    add("payload twice", _members() + [
        m for m in _members() if m[1] == b"payload"])
    add("payload a string", _with(b"payload", bson.string(
        b"payload", b"AAAA")))
    add("payload of another subtype", _with(b"payload", bson.binary(
        b"payload", good.payload, 4)))
    add("wrapped in mode derived", _members() + [
        bson.binary(b"wrapped", b"x" * 40)])
    add("no wrapped in mode wrapped", _with(b"wrapped", None, wrapped))
    add("wrapped of no bytes", _with(
        b"wrapped", bson.binary(b"wrapped", b""), wrapped), "ENV-3.5")
    add("wrapped of 4097 bytes", _with(
        b"wrapped", bson.binary(b"wrapped", b"x" * 4097), wrapped), "ENV-3.5")
    add("another mode", _with(b"mode", bson.string(b"mode", b"plain")))
    add("mode in upper case", _with(b"mode", bson.string(b"mode",
                                                          b"Derived")))
    for kid in (b"", b"K1", b"k_1", b"k" * 64, b"k1\0"):
        add(f"kid {kid[:9]!r}", _with(b"kid", bson.string(b"kid", kid)),
            "ENV-2.1")
    for length in (0, 72, 56 + 16400 + 15):
        add(f"payload of {length} bytes", _with(b"payload", bson.binary(
            b"payload", (good.payload * 200)[:length])), "ENV-4.7")


def cases():
    docs = Documents()
    _accepted(docs)
    _not_envelopes(docs)
    _versions(docs)
    _broken(docs)
    return docs.cases
