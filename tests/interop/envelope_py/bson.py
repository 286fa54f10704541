"""As much BSON as ENV-6.2, ENV-7.9, ENV-8.20 and ENV-9.6 need."""

import struct
from decimal import Decimal

from .coding import is_utf8

_FIXED = {0x01: 8, 0x06: 0, 0x07: 12, 0x08: 1, 0x09: 8, 0x0A: 0, 0x10: 4,
          0x11: 8, 0x12: 8, 0x13: 16, 0xFF: 0, 0x7F: 0}


class _Broken(Exception):
    pass


def _cstring(data, at):
    end = data.find(b"\0", at)
    if end < 0 or not is_utf8(data[at:end]):
        raise _Broken
    return data[at:end], end + 1


def _int32(data, at):
    if at + 4 > len(data):
        raise _Broken
    return struct.unpack_from("<i", data, at)[0]


def _string(data, at):
    length = _int32(data, at)
    end = at + 4 + length
    if length < 1 or end > len(data) or data[end - 1] != 0:
        raise _Broken
    if not is_utf8(data[at + 4:end - 1]):
        raise _Broken
    return end


def _value_end(kind, data, at):
    if kind in _FIXED:
        if kind == 0x08 and data[at:at + 1] not in (b"\0", b"\1"):
            raise _Broken
        end = at + _FIXED[kind]
    elif kind in (0x02, 0x0D, 0x0E):
        end = _string(data, at)
    elif kind in (0x03, 0x04):
        end = at + _int32(data, at)
        elements(data[at:end])
    elif kind == 0x05:
        length = _int32(data, at)
        if length < 0:
            raise _Broken
        end = at + 5 + length
        if data[at + 4:at + 5] == b"\x02" and (
                length < 4 or _int32(data, at + 5) != length - 4):
            raise _Broken
    elif kind == 0x0B:
        end = _cstring(data, _cstring(data, at)[1])[1]
    elif kind == 0x0C:
        end = _string(data, at) + 12
    elif kind == 0x0F:
        end = at + _int32(data, at)
        scope = _string(data, at + 4)
        elements(data[scope:end])
    else:
        raise _Broken
    if end > len(data):
        raise _Broken
    return end


def elements(data):
    """(kind, name, value bytes) of each element of one document."""
    if len(data) < 5 or _int32(data, 0) != len(data) or data[-1] != 0:
        raise _Broken
    out, at, end = [], 4, len(data) - 1
    while at < end:
        kind = data[at]
        name, at = _cstring(data[:end], at + 1)
        stop = _value_end(kind, data[:end], at)
        out.append((kind, name, data[at:stop]))
        at = stop
    return out


def is_wrapper(data):
    """One valid document with the single member v (ENV-9.4)."""
    try:
        found = elements(data)
    except (_Broken, RecursionError):
        return False
    return len(found) == 1 and found[0][1] == b"v"


def inner_bytes(data):
    """A string's or BinData's bytes, else None."""
    kind, _, raw = elements(data)[0]
    return {0x02: raw[4:-1], 0x05: raw[5:]}.get(kind)


def inner_is_envelope(data):
    """The value is a document with the beginning of ENV-8.20."""
    kind, _, raw = elements(data)[0]
    return kind == 0x03 and begins(raw)


# ---- the object form ---------------------------------------------------------

NUMBERS = (0x01, 0x10, 0x12, 0x13)


def _readable(data):
    """The members up to the end, or to where the document is broken."""
    out, at, end = [], 4, len(data) - 1
    try:
        while at < end:
            kind, start = data[at], data.index(b"\0", at + 1) + 1
            name = data[at + 1:start - 1]
            stop = _value_end(kind, data[:end], start)
            out.append((kind, name, data[start:stop]))
            at = stop
    except (_Broken, ValueError, RecursionError):
        pass
    return out


def begins(data):
    found = _readable(data)
    return (any(name == b"env" and kind in NUMBERS for kind, name, _ in found)
            and any(name == b"payload" for _, name, _ in found))


def _decimal128(raw):
    """None where it is no number."""
    bits = int.from_bytes(raw, "little")
    sign, bits = bits >> 127, bits & ((1 << 127) - 1)
    if bits >> 123 == 15:
        return None  # Infinity, NaN
    if bits >> 125 == 3:
        return Decimal(0)  # more digits than there can be
    digits = bits & ((1 << 113) - 1)
    if digits >= 10 ** 34:
        digits = 0
    return Decimal((sign, [int(d) for d in str(digits)], (bits >> 113) - 6176))


def number(kind, raw):
    """What a number element holds."""
    if kind == 0x13:
        return _decimal128(raw)
    return struct.unpack({0x01: "<d", 0x10: "<i", 0x12: "<q"}[kind], raw)[0]


def string_of(kind, raw):
    return raw[4:-1] if kind == 0x02 else None


def binary_of(kind, raw):
    return raw[5:] if kind == 0x05 and raw[4] == 0 else None


def document(members):
    """[(kind, name, raw)] as a document."""
    body = b"".join(bytes([kind]) + name + b"\0" + raw
                    for kind, name, raw in members)
    return struct.pack("<i", len(body) + 5) + body + b"\0"


def string(name, text):
    return 0x02, name, struct.pack("<i", len(text) + 1) + text + b"\0"


def binary(name, data, subtype=0):
    return 0x05, name, struct.pack("<i", len(data)) + bytes([subtype]) + data


def int32(name, value):
    return 0x10, name, struct.pack("<i", value)


def members_or_none(data):
    """The members of one valid document, or None."""
    try:
        return elements(data)
    except (_Broken, RecursionError):
        return None
