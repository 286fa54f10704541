"""Vectors of the context's bytes and rules."""

from envelope_py import context as ctx

from .sealing import outcome
from .world import put_context


def cases():
    found = []

    def add(status, requirement, name, pairs, mode=0):
        got, reason, made = outcome(lambda: ctx.encode(mode, pairs))
        assert got == status, (name, got, reason)
        found.append({"name": name, "requirement": requirement,
                      "status": status, "mode": ["derived", "wrapped"][mode],
                      **put_context(pairs),
                      **({"bytes": made.hex()} if made else
                         {"reason": reason})})

    add("ok", "CTX-1", "no pairs", [])
    add("ok", "CTX-11", "one pair, derived", [("id", "42")])
    add("ok", "CTX-11", "one pair, wrapped", [("id", "42")], 1)
    add("ok", "CTX-10", "sorted, the shorter first",
        [("b", "1"), ("ab", "2"), ("a", "3"), ("", "")][:3])
    add("ok", "CTX-10", "sorted by unsigned bytes",
        [("é", "1"), ("z", "2"), ("\U0001f511", "3"), ("\uffff", "4")])
    add("ok", "CTX-1", "32 pairs", [(f"n{i}", "") for i in range(32)])
    add("usage", "CTX-1", "33 pairs", [(f"n{i}", "") for i in range(33)])
    add("ok", "CTX-2", "4096 bytes", [("n", "v" * 4000), ("m", "w" * 94)])
    add("usage", "CTX-2", "4097 bytes", [("n", "v" * 4000), ("m", "w" * 95)])
    add("usage", "CTX-2", "a name of 4097 bytes", [("n" * 4097, "")])
    add("ok", "CTX-2", "a name of 4096 bytes", [("n" * 4096, "")])
    add("ok", "CTX-2", "4096 bytes are counted, not letters",
        [("n", "é" * 2047 + "x")])
    add("usage", "CTX-2", "4096 letters of more bytes", [("n", "é" * 4000)])
    add("usage", "CTX-3", "an empty name", [("", "x")])
    add("usage", "CTX-4", "an equals sign in a name", [("a=b", "x")])
    add("usage", "CTX-4", "an equals sign alone", [("=", "x")])
    add("usage", "CTX-5", "U+0000 in a name", [("a\0b", "x")])
    add("usage", "CTX-6", "a name twice", [("a", "1"), ("b", "2"), ("a", "3")])
    add("usage", "CTX-6", "a name twice, the same value",
        [("a", "1"), ("a", "1")])
    add("ok", "CTX-8", "names that differ in case", [("a", "1"), ("A", "1")])
    add("ok", "CTX-8", "two spellings of one character",
        [("é", "1"), ("e\u0301", "1")])
    add("ok", "CTX-8", "noncharacters", [("a", "\ufffe\uffff\U0010ffff")])
    add("ok", "CTX-9", "an empty value", [("a", "")])
    add("ok", "CTX-9", "U+0000 and = in a value", [("a", "\0=\0")])
    add("ok", "CTX-8", "blanks and line ends", [(" a ", "\t\r\n")])
    for name, raw in (("a lone byte", b"\xff"), ("cut short", b"\xe2\x9c"),
                      ("overlong", b"\xc0\xaf"),
                      ("overlong in three bytes", b"\xe0\x80\xaf"),
                      ("a surrogate", b"\xed\xa0\x80"),
                      ("a pair of surrogates", b"\xed\xa0\xbd\xed\xb4\x91"),
                      ("above U+10FFFF", b"\xf4\x90\x80\x80"),
                      ("a byte F5", b"\xf5\x80\x80\x80"),
                      ("a continuation alone", b"a\x80")):
        add("usage", "CTX-7", f"value not UTF-8: {name}", [("a", raw)])
        add("usage", "CTX-7", f"name not UTF-8: {name}", [(b"a" + raw, "x")])
    return found
