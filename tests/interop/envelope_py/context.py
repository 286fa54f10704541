"""Context v1: spec/context-v1.md."""

from .coding import is_utf8
from .status import require

MAX_PAIRS = 32
MAX_BYTES = 4096


def _bytes(item):
    return item if isinstance(item, bytes) else item.encode("utf-8",
                                                            "surrogatepass")


def encode(mode, pairs):
    """The bytes of CTX-11.  pairs: (name, value), each str or bytes."""
    pairs = [(_bytes(name), _bytes(value)) for name, value in pairs]
    require(len(pairs) <= MAX_PAIRS, "usage", "CTX-1: more than 32 pairs")
    total = sum(len(name) + len(value) for name, value in pairs)
    require(total <= MAX_BYTES, "usage", "CTX-2: more than 4096 bytes")
    for name, value in pairs:
        require(name, "usage", "CTX-3: an empty name")
        require(b"=" not in name, "usage", "CTX-4: '=' in a name")
        require(b"\0" not in name, "usage", "CTX-5: U+0000 in a name")
        require(is_utf8(name), "usage", "CTX-7: a name is not UTF-8")
        require(is_utf8(value), "usage", "CTX-7: a value is not UTF-8")
    names = [name for name, _ in pairs]
    require(len(set(names)) == len(names), "usage", "CTX-6: a name twice")

    out = b"libenvelope/v1\0" + bytes([mode]) + u32be(len(pairs))
    for name, value in sorted(pairs):  # spec: CTX-10
        out += u32be(len(name)) + name + u32be(len(value)) + value
    return out


def u32be(number):
    return number.to_bytes(4, "big")
