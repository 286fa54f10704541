"""Vectors of good form that must not open, and the order of checks."""

import dataclasses

from envelope_py.envelope import BYTES, TEXT_TYPE, make_frame, write

from .good import KEY, envelope
from .world import PLACE, put, put_context, stream

FRAME = make_frame(KEY, TEXT_TYPE, 32)
LONG = make_frame(stream("long", 40000), BYTES, 0)


class Bad:
    """Collects cases with a status other than ok."""

    def __init__(self):
        self.cases = []

    def add(self, status, requirement, name, data, form="binary", pairs=PLACE,
            **members):
        raw = {"value_hex": data.hex()} if form == "binary" else put("value",
                                                                    data)
        self.cases.append({"name": name, "requirement": requirement,
                           "form": form, **raw, **put_context(pairs),
                           "status": status, **members})

    def text(self, status, requirement, name, data, **members):
        if isinstance(data, str):
            data = data.encode()
        self.add(status, requirement, "text: " + name, data, "text", **members)

    def object(self, status, requirement, name, data, **members):
        if isinstance(data, str):
            data = data.encode()
        self.add(status, requirement, "object: " + name, data, "object",
                 **members)


def flip(data, at):
    at %= len(data)
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


# ---- keys -------------------------------------------------------------------

def _keys(bad):
    def add(name, kid, **members):
        bad.add("nokey", "ENV-8.10", name, write(kid, "binary"), **members)

    env = envelope("keys", FRAME)
    wrapped = envelope("keys wrapped", FRAME, kid="w1")
    for what, kid in (("unknown", "k9"), ("of a use index", "i1"),
                      ("of a use mac", "m1"), ("destroyed", "k-gone"),
                      ("disabled", "k-off"), ("of a use wrap", "w1")):
        add(f"derived, kid {what}", dataclasses.replace(env, kid=kid))
    for what, kid in (("unknown", "w9"), ("disabled", "w-off"),
                      ("of a use seal", "k1"), ("of a use index", "i1")):
        add(f"wrapped, kid {what}", dataclasses.replace(wrapped, kid=kid))
    other = envelope("other scope", FRAME, kid="k-b")
    add("a key of another scope", other, scope="default")
    add("a key of the default scope, another allowed", env, scope="tenant-b")
    disabled = envelope("disabled", FRAME, kid="k-off")
    add("a disabled key that would fit", disabled)
    bad.text("nokey", "ENV-8.10", "kid unknown",
             write(dataclasses.replace(env, kid="k9"), "text"))
    bad.object("nokey", "ENV-8.10", "kid unknown",
               write(dataclasses.replace(env, kid="k9"), "object"))


def _order(bad):
    env = envelope("order", FRAME)
    wrapped = envelope("order wrapped", FRAME, kid="w1")
    twice = [("id", "1"), ("id", "1")]

    def add(status, name, data, requirement="ENV-8.1", **members):
        bad.add(status, requirement, name, data, **members)

    def spoiled(base, **changes):
        return write(dataclasses.replace(base, **changes), "binary")

    add("usage", "usage before notenv", b"secret", "CTX-13", pairs=twice)
    add("usage", "usage before version", b"\x9eEV\x02", "CTX-13", pairs=twice)
    add("usage", "usage before format", b"\x9eEV\x01", "CTX-13", pairs=twice)
    add("usage", "usage before nokey", spoiled(env, kid="k9"), "CTX-13",
        pairs=twice)
    add("usage", "usage before auth", write(env, "binary"), "CTX-13",
        pairs=twice)
    add("version", "version before format", b"\x9eEV\x02\xff\xff")
    short = env.payload[:72]
    add("format", "format before nokey", spoiled(env, kid="k9", payload=short))
    add("format", "format before policy",
        spoiled(wrapped, payload=short), accept=["derived"])
    add("nokey", "nokey before a wrapped key of 32 bytes",
        spoiled(wrapped, kid="w9", wrapped=wrapped.wrapped[:32]))
    add("nokey", "nokey before policy", spoiled(wrapped, kid="w9"),
        accept=["derived"])
    add("nokey", "nokey before auth",
        spoiled(env, kid="k9", payload=flip(env.payload, -1)))
    for length in (1, 24, 32, 39):
        add("format", f"a wrapped key of {length} bytes",
            spoiled(wrapped, wrapped=wrapped.wrapped[:length]), "ENV-8.11")
    for length in (41, 48, 4096):
        add("format", f"a wrapped key of {length} bytes", spoiled(
            wrapped, wrapped=wrapped.wrapped + bytes(length - 40)), "ENV-8.11")
    add("format", "a wrapped key of 32 bytes before policy",
        spoiled(wrapped, wrapped=wrapped.wrapped[:32]), accept=["derived"])
    add("policy", "mode wrapped is not accepted", write(wrapped, "binary"),
        "ENV-8.12", accept=["derived"])
    add("policy", "mode derived is not accepted", write(env, "binary"),
        "ENV-8.12", accept=["wrapped"])
    add("policy", "policy before auth of the wrapped key",
        spoiled(wrapped, wrapped=flip(wrapped.wrapped, 0)),
        accept=["derived"])
    add("policy", "policy before auth", spoiled(
        env, payload=flip(env.payload, -1)), accept=["wrapped"])
    odd = envelope("order frame", b"\x04x")
    add("auth", "auth before the frame's format",
        spoiled(odd, payload=flip(odd.payload, -1)))


# ---- auth and frame ---------------------------------------------------------

def _forgeries(bad):
    env, other = envelope("auth", FRAME), envelope("auth 2", FRAME)
    wrapped = envelope("auth wrapped", FRAME, kid="w1")
    second = envelope("auth wrapped 2", FRAME, kid="w2")

    def add(requirement, name, base=env, pairs=PLACE, **changes):
        bad.add("auth", requirement, name,
                write(dataclasses.replace(base, **changes), "binary"),
                pairs=pairs)

    load = env.payload
    add("ENV-4.10", "first byte of the salt", payload=flip(load, 0))
    add("ENV-4.10", "last byte of the salt", payload=flip(load, 23))
    add("ENV-4.10", "first byte of the commitment", payload=flip(load, 24))
    add("ENV-4.10", "last byte of the commitment", payload=flip(load, 55))
    add("ENV-4.5", "first byte of the chunk", payload=flip(load, 56))
    add("ENV-4.5", "last byte of the tag", payload=flip(load, -1))
    add("ENV-4.6", "a tag of 15 bytes", payload=load[:-1])
    add("ENV-4.6", "a tag of 12 bytes", payload=load[:-4])
    add("ENV-4.5", "one byte more", payload=load + b"\0")
    add("ENV-4.5", "header of one, chunk of another",
        payload=load[:56] + other.payload[56:])
    add("ENV-4.10", "salt of one, the rest of another",
        payload=load[:24] + other.payload[24:])
    add("ENV-4.10", "another data key's kid", kid="k2")
    for what, pairs in (
            ("another row", [("field", "accounts.api_key"), ("id", "43")]),
            ("another field", [("field", "accounts.api_key2"), ("id", "42")]),
            ("no context", []), ("one pair less", PLACE[:1]),
            ("one pair more", PLACE + [("x", "")]),
            ("a byte moved from value to name",
             [("fielda", "ccounts.api_key"), ("id", "42")]),
            ("names and values exchanged",
             [("accounts.api_key", "field"), ("42", "id")]),
            ("another case", [("field", "accounts.api_key"), ("ID", "42")]),
            ("a blank more", [("field", "accounts.api_key"), ("id", "42 ")])):
        add("CTX-11", what, pairs=pairs)
    unicode = envelope("nfc", FRAME, [("id", "é")])
    add("CTX-8", "the other spelling of a character", unicode,
        [("id", "e\u0301")])

    add("ENV-8.14", "wrapped key changed", wrapped,
        wrapped=flip(wrapped.wrapped, 0))
    add("ENV-8.14", "wrapped key's last byte changed", wrapped,
        wrapped=flip(wrapped.wrapped, -1))
    add("ENV-8.14", "wrapped key of another KEK", wrapped,
        wrapped=second.wrapped)
    add("ENV-8.14", "another KEK's kid", wrapped, kid="w2")
    add("ENV-4.10", "wrapped relabelled derived, under its value key", wrapped,
        mode=0, kid="vk-1", wrapped=b"")
    derived = envelope("auth derived", FRAME, kid="vk-1")
    add("ENV-4.10", "derived relabelled wrapped, its data key wrapped",
        derived, mode=1, kid="w1", wrapped=wrapped.wrapped)


def _chunk_forgeries(bad):
    load = envelope("chunks bad", LONG).payload
    head, first = load[:56], load[56:56 + 16400]
    second, last = load[56 + 16400:56 + 32800], load[56 + 32800:]
    tail = envelope("chunks bad 2", LONG).payload[56 + 32800:]
    for what, parts in (
            ("two chunks exchanged", [second, first, last]),
            ("the last chunk dropped, the one before cut",
             [first, second[:16399]]),
            ("the first chunk dropped", [second, last]),
            ("a chunk twice", [first, first, last]),
            ("the last chunk of another envelope", [first, second, tail]),
            ("the last chunk cut short", [first, second, last[:-1]]),
            ("the last chunk empty", [first, second, last[-16:]])):
        data = dataclasses.replace(envelope("chunks bad", LONG),
                                   payload=head + b"".join(parts))
        bad.add("auth", "ENV-4.5", what, write(data, "binary"))


def _frames(bad):
    def add(requirement, name, frame):
        bad.add("format", requirement, "frame: " + name,
                write(envelope("frame " + name, frame), "binary"))

    for type_ in (4, 8, 15):
        add("ENV-6.2", f"type {type_}", bytes([type_]) + b"x")
        add("ENV-6.2", f"type {type_}, padded",
            bytes([0x80 | type_]) + b"x\x80")
    for bit in (4, 5, 6):
        add("ENV-6.1", f"bit {bit}", bytes([1 << bit]) + b"x")
        add("ENV-6.1", f"bit {bit}, padded",
            bytes([0x80 | 1 << bit]) + b"x\x80")
    add("ENV-6.4", "padded, nothing but the first byte", b"\x81")
    add("ENV-6.4", "80 alone is the first byte", b"\x80")
    add("ENV-6.4", "80 as the first byte, then zeros", b"\x80\0\0\0")
    add("ENV-6.4", "padded, no 80", b"\x81abc")
    add("ENV-6.4", "padded, zeros and no 80", b"\x81abc\0\0")
    add("ENV-6.4", "padded, 80 and then another byte", b"\x81abc\x80\0\1")
    add("ENV-6.4", "80 and 4096 zeros", b"\x81abc\x80" + bytes(4096))
    add("ENV-6.4", "4096 zeros across a chunk",
        b"\x81" + b"x" * 16380 + b"\x80" + bytes(4096))
    add("ENV-6.4", "zeros alone", b"\x81" + bytes(100))


def cases():
    bad = Bad()
    for part in (_keys, _order, _forgeries, _chunk_forgeries, _frames):
        part(bad)
    return bad.cases
