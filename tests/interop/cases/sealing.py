"""Vectors of sealing, rewrapping and blind indexes."""

import struct

from envelope_py import Failure, blind_index, rewrap, seal
from envelope_py.envelope import MODES, TYPES, write

from .good import BSON_INT, KEY, bson_value, envelope
from .refused import FRAME, flip
from .world import KEYS, PLACE, RING, VALUE_KEY, put, put_context, stream


def outcome(call):
    """(status, reason, result) of call."""
    try:
        return "ok", "", call()
    except Failure as failure:
        return failure.status, failure.reason, None


def run_seal(case, value, pairs, ring=RING):
    """Seal as a case says, with its salt."""
    pad = {None: None, "none": 0}.get(case["pad"], case["pad"])
    return seal(ring, pairs, value, kid=case["kid"], mode=MODES[case["mode"]],
                type_=TYPES[case["type"]], encoding=case["encoding"], pad=pad,
                scope=case["scope"], nested=case["allow_nested"],
                salt=bytes.fromhex(case["salt"]),
                value_key=bytes.fromhex(case["value_key"]))


class Seals:
    """Collects cases; the envelope is computed, the status is claimed."""

    def __init__(self):
        self.cases = []

    def add(self, status, requirement, name, value=KEY, pairs=PLACE,
            **members):
        case = {"kid": None, "scope": "default", "mode": "derived",
                "type": "bytes", "encoding": "text", "pad": None,
                "allow_nested": False,
                "salt": stream("salt seal " + name, 24).hex(),
                "value_key": VALUE_KEY.hex(), **members}
        got, reason, made = outcome(lambda: run_seal(case, value, pairs))
        assert got == status, (name, got, reason)
        out = {}
        if made is not None:
            out = ({"envelope_hex": made.hex()}
                   if case["encoding"] == "binary"
                   else {"envelope": made.decode()})
        self.cases.append({
            "name": name, "requirement": requirement, "status": status,
            **({"reason": reason} if reason else {}), **put("value", value),
            **put_context(pairs), **case, **out})


def _writes(add):
    for encoding in ("text", "object", "binary"):
        for mode in MODES:
            add("ok", "ENV-7.8", f"{encoding}, {mode}", encoding=encoding,
                mode=mode)
    for type_, value in (("bytes", b"\x00\xff"), ("text", "ä✓".encode()),
                         ("json", b' {"a": 1e3} '), ("bson", BSON_INT)):
        add("ok", "ENV-6.2", "type " + type_, value, type=type_)
    for pad in (2, 3, 256, 4096):
        add("ok", "ENV-6.3", f"pad block {pad}", pad=pad)
    add("ok", "ENV-6.3", "no padding", pad="none")
    add("ok", "ENV-6.9", "empty value", b"")
    add("ok", "ENV-6.9", "4096 bytes are padded", b"x" * 4096)
    add("ok", "ENV-6.9", "4097 bytes are not padded", b"x" * 4097)
    add("ok", "ENV-6.3", "a longer value, padded by request", b"x" * 5000,
        pad=4096)
    add("ok", "ENV-4.4", "a frame of exactly one chunk", b"x" * 16383,
        encoding="binary")
    add("ok", "ENV-9.1", "the active key of another scope", scope="tenant-b")
    add("ok", "ENV-9.1", "an active key by name", kid="k1")
    add("ok", "ENV-9.1", "the use of the kid decides the mode", kid="w1")
    add("ok", "CTX-10", "the order of pairs does not matter",
        pairs=PLACE[::-1])


def _values(add):
    for name, value in (("not UTF-8", b"\xff"), ("cut short", b"\xc3"),
                        ("overlong", b"\xc0\x80"),
                        ("a surrogate", b"\xed\xa0\x80"),
                        ("above U+10FFFF", b"\xf4\x90\x80\x80")):
        add("usage", "ENV-9.2", "text: " + name, value, type="text")
    add("ok", "ENV-9.2", "text: U+0000", b"a\0b", type="text")
    for name, value in (
            ("nothing", b""), ("blanks", b" \n"), ("a comma too many", b"[1,]"),
            ("no comma", b"[1 2]"), ("no colon", b'{"a" 1}'),
            ("a bare word", b"abc"), ("NaN", b"NaN"),
            ("Infinity", b"-Infinity"),
            ("a leading zero", b"01"), ("a trailing dot", b"1."),
            ("a leading dot", b".5"), ("a plus", b"+1"), ("a bare minus", b"-"),
            ("single quotes", b"'a'"), ("two texts", b"1 2"),
            ("cut short", b'{"a":'), ("an open string", b'"a'),
            ("a control character", b'"\x01"'), ("a broken escape", b'"\\x"'),
            ("a short escape", b'"\\u12"'), ("not UTF-8", b'"\xff"'),
            ("a byte order mark", b"\xef\xbb\xbf1"), ("a NUL behind", b"1\0"),
            ("the wrong bracket", b"[1}"), ("a number as name", b"{1:2}"),
            ("a form feed", b"\f1"), ("a comment", b"1 // x")):
        add("usage", "ENV-9.3", "json: " + name, value, type="json")
    for name, value in (
            ("a string", b'"a"'), ("null", b"null"), ("nested", b'[{"a":[]}]'),
            ("white space around", b"\t[ ]\r\n"),
            ("a huge number", b"1" * 500 + b"e999999"),
            ("a member twice", b'{"a":1,"a":2}'),
            ("a lone surrogate escape", b'"\\ud800"'),
            ("an escaped NUL", b'"\\u0000"'),
            ("nested 3000 deep", b"[" * 3000 + b"]" * 3000)):
        add("ok", "ENV-9.3", "json: " + name, value, type="json")
    for name, value in (
            ("nothing", b""), ("length", flip(BSON_INT, 0)),
            ("cut short", BSON_INT[:-1]), ("no end", BSON_INT[:-1] + b"\1"),
            ("no member", struct.pack("<i", 5) + b"\0"),
            ("another member", BSON_INT.replace(b"v\0", b"w\0")),
            ("an unknown type", bson_value(0x20, b"")),
            ("a string that is not UTF-8",
             bson_value(0x02, struct.pack("<i", 2) + b"\xff\0"))):
        add("usage", "ENV-9.4", "bson: " + name, value, type="bson")
    for pad in (1, 4097, -7):
        add("usage", "ENV-9.5", f"pad block {pad}", pad=pad)
    add("usage", "CTX-13", "a name twice", pairs=[("a", "1"), ("a", "1")])


def _nesting(add):
    """spec: ENV-9.6"""
    text = write(envelope("nested", FRAME), "text")
    obj = write(envelope("nested", FRAME), "object")
    binary = write(envelope("nested", FRAME), "binary")

    def refused(name, value, type_):
        add("policy", "ENV-9.6", f"nested: {name}", value, type=type_)
        add("ok", "ENV-9.6", f"nested, allowed: {name}", value, type=type_,
            allow_nested=True)

    refused("text", text, "text")
    refused("text as bytes", text, "bytes")
    refused("object", obj, "json")
    refused("object as text, white space before", b" \n" + obj, "text")
    refused("binary", binary, "bytes")
    refused("a version of its own", b"env17:", "text")
    refused("the magic alone", binary[:3], "bytes")
    refused("an object cut short", obj[:20], "text")
    refused("a JSON string", b'"' + text + b'"', "json")
    refused("a JSON string with escapes and blanks",
            b' "\\u0065nv1:' + text[5:] + b'" ', "json")
    refused("a JSON string that holds an object",
            b'"{\\"env\\":1,\\"payload\\":0}"', "json")
    length = struct.pack("<i", len(text) + 1)
    refused("a BSON string", bson_value(0x02, length + text + b"\0"), "bson")
    length = struct.pack("<i", len(binary))
    refused("a BSON BinData", bson_value(0x05, length + b"\0" + binary),
            "bson")
    inner = b"\x10env\0\1\0\0\0\x0apayload\0\0"
    inner = struct.pack("<i", len(inner) + 4) + inner
    refused("a BSON document", bson_value(0x03, inner), "bson")
    for name, value in (("env without a colon", b"env1"),
                        ("a blank first", b" env1:k1:AA"),
                        ("two bytes of the magic", binary[:2]),
                        ("an object without payload", b'{"env":1}'),
                        ("an envelope further on", b"x=" + text)):
        add("ok", "ENV-9.6", "not nested: " + name, value)


def _keys(add):
    for name, kid, status in (
            ("unknown", "k9", "nokey"), ("of use index", "i1", "nokey"),
            ("of use mac", "m1", "nokey"), ("of another scope", "k-b", "nokey"),
            ("decrypt-only", "k2", "policy"), ("pre-active", "k-pre", "policy"),
            ("disabled", "k-off", "policy"), ("destroyed", "k-gone", "policy"),
            ("decrypt-only, use wrap", "w2", "policy")):
        add(status, "ENV-9.1", "kid " + name, kid=kid)
    add("nokey", "ENV-9.1", "no active key in the scope", scope="tenant-c")
    add("nokey", "ENV-9.1", "no active wrapping key in the scope",
        scope="tenant-b", mode="wrapped")


def seals():
    collected = Seals()
    for part in (_writes, _values, _nesting, _keys):
        part(collected.add)
    return collected.cases


def rewraps():
    """From w2 to w1, and what must not be rewrapped."""
    cases = []

    def add(status, requirement, name, data, pairs=PLACE, kid="w1"):
        got, reason, made = outcome(lambda: rewrap(RING, pairs, data, kid))
        assert got == status, (name, got, reason)
        out = {} if made is None else put("envelope", made)
        cases.append({"name": name, "requirement": requirement,
                      "status": status,
                      **({"reason": reason} if reason else {}),
                      **put("value", data), **put_context(pairs), "kid": kid,
                      **out})

    old = envelope("rewrap", FRAME, kid="w2")
    for encoding in ("text", "object", "binary"):
        add("ok", "ENV-9.8", f"{encoding}, payload unchanged",
            write(old, encoding))
    add("ok", "ENV-9.8", "to the same key",
        write(envelope("rewrap", FRAME, kid="w1"), "text"))
    binary = write(old, "binary")
    add("usage", "ENV-9.9", "mode derived",
        write(envelope("rewrap", FRAME), "text"))
    add("auth", "ENV-9.8", "another context", binary, [("id", "43")])
    add("auth", "ENV-9.8", "no context", binary, [])
    add("auth", "ENV-9.8", "wrapped key changed", flip(binary, 12))
    add("nokey", "ENV-9.1", "to an unknown key", binary, kid="w9")
    add("nokey", "ENV-9.1", "to a data key", binary, kid="k1")
    add("policy", "ENV-9.1", "to a key that is not active", binary, kid="w2")
    add("nokey", "ENV-9.8", "from a disabled key",
        write(envelope("rewrap", FRAME, kid="w-off"), "text"))
    add("notenv", "ENV-9.8", "plaintext", KEY)
    add("usage", "CTX-13", "a name twice", binary, [("a", ""), ("a", "")])
    return cases


def indexes():
    key = next(key for key in KEYS if key.kid == "i1")
    cases = []

    def add(status, name, field, value, bits):
        got, reason, made = outcome(
            lambda: blind_index(key.material, field, value, bits))
        assert got == status, (name, got, reason)
        cases.append({"name": name, "requirement": "ENV-10.1",
                      "status": status, "kid": "i1", **put("field", field),
                      **put("value", value), "bits": bits,
                      **({"hex": made} if made else {"reason": reason})})

    for bits in (16, 64, 128, 256):
        add("ok", f"{bits} bits", b"users.email", b"a@example.org", bits)
    add("ok", "an empty value", b"users.email", b"", 128)
    add("ok", "an empty field", b"", b"users.emaila@example.org", 128)
    add("ok", "odd bytes", b"users.email", b"\xff\0", 128)
    add("ok", "a byte moved from value to field", b"users.emaila",
        b"@example.org", 128)
    for bits in (0, 8, 12, 127, 264):
        add("usage", f"{bits} bits", b"users.email", b"a", bits)
    return cases
