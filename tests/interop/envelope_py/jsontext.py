"""The object scanner of ENV-8.6, JSON strings, and the syntax of RFC 8259."""

import re

from .status import Failure

WS = b" \t\n\r"
_NUMBER_RUN = re.compile(rb"-?[0-9][0-9+\-.eE]*")
_LITERAL_RUN = re.compile(rb"[a-z]+")
_NUMBER = re.compile(rb"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?\Z")
_ESCAPE = re.compile(rb'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})')
_SIMPLE = {b'"': '"', b"\\": "\\", b"/": "/", b"b": "\b", b"f": "\f",
           b"n": "\n", b"r": "\r", b"t": "\t"}


class _Stop(Exception):
    """The scanner came to a byte it does not expect, or to the end."""


class Scan:
    """What the scanner of ENV-8.6 saw.

    members: (name or None, kind, raw) in order, the last perhaps unfinished;
    kind is "string", "number", "literal", "nested", or None if the value had
    not begun.  closed: the final brace was read.  rest: where it stopped.
    """

    def __init__(self, data):
        self.data = data
        self.at = 0
        self.members = []
        self.closed = False
        try:
            self._object()
        except _Stop:
            pass
        self.rest = data[self.at:]

    def _peek(self):
        if self.at >= len(self.data):
            raise _Stop
        return self.data[self.at:self.at + 1]

    def _space(self):
        while self.at < len(self.data) and self.data[self.at] in WS:
            self.at += 1

    def _expect(self, byte):
        if self._peek() != byte:
            raise _Stop
        self.at += 1

    def _string(self):
        """A string's bytes between its quotes, unchecked."""
        self._expect(b'"')
        start = self.at
        while self._peek() != b'"':
            self.at += 2 if self._peek() == b"\\" else 1
        self.at += 1
        return self.data[start:self.at - 1]

    def _nested(self):
        depth = 0
        while True:
            byte = self._peek()
            if byte == b'"':
                self._string()
                continue
            self.at += 1
            depth += (byte in b"{[") - (byte in b"}]")
            if depth == 0:
                return

    def _value(self, member):
        start = self.at
        byte = self._peek()
        if byte == b'"':
            member[2] = self._string()
            member[1] = "string"
            return
        if byte in b"{[":
            member[1] = "nested"
            self._nested()
            return
        for kind, run in (("number", _NUMBER_RUN), ("literal", _LITERAL_RUN)):
            match = run.match(self.data, start)
            if match:
                member[1:] = [kind, match.group()]
                self.at = match.end()
                return
        raise _Stop

    def _object(self):
        self._space()
        self._expect(b"{")
        self._space()
        if self._peek() == b"}":
            self.at += 1
            self.closed = True
            return
        while True:
            self._space()
            name = unescape(self._string(), lenient=True)
            self._space()
            self._expect(b":")
            member = [name, None, None]
            self.members.append(member)
            self._space()
            self._value(member)
            self._space()
            if self._peek() == b"}":
                self.at += 1
                self.closed = True
                return
            self._expect(b",")

    def has_beginning(self):
        """spec: ENV-8.6"""
        numbers = [m for m in self.members
                   if m[0] == "env" and m[1] == "number"]
        payload = any(m[0] == "payload" for m in self.members)
        first = self.members[0] if self.members else [None, None]
        cut = not self.closed and first[0] == "env" and first[1] == "number"
        return bool(numbers and payload) or cut


def unescape(raw, lenient=False):
    """A JSON string's content as str; lenient: None where it has none."""
    try:
        out = []
        at = 0
        while at < len(raw):
            if raw[at:at + 1] == b"\\":
                match = _ESCAPE.match(raw, at)
                if not match:
                    raise Failure("format", "a broken escape")
                code = match.group()[1:]
                out.append(chr(int(code[1:], 16)) if code[:1] == b"u"
                           else _SIMPLE[code])
                at = match.end()
                continue
            end = raw.find(b"\\", at)
            end = len(raw) if end < 0 else end
            piece = raw[at:end]
            if re.search(rb'[\x00-\x1f"]', piece):
                raise Failure("format", "a control character in a string")
            out.append(piece.decode("utf-8"))
            at = end
        # Joins pairs of escaped surrogates, and refuses a lone one.
        text = "".join(out).encode("utf-16-le", "surrogatepass")
        return text.decode("utf-16-le")
    except (Failure, UnicodeDecodeError) as failure:
        if lenient:
            return None
        raise Failure("format", "ENV-7.10: not a JSON string") from failure


def is_number(raw):
    return bool(_NUMBER.match(raw))


def is_integer(raw):
    return bool(re.match(rb"-?(0|[1-9][0-9]*)\Z", raw))


def equals_one(raw):
    """Decided on the digits (ENV-7.7): no float, no limit on the exponent."""
    match = re.match(rb"(-?)([0-9]+)(?:\.([0-9]+))?"
                     rb"(?:[eE]([+-]?)0*([0-9]*))?\Z", raw)
    sign, whole, fraction, exponent_sign, exponent = match.groups(b"")
    digits = whole + fraction
    significant = digits.strip(b"0")
    if sign or significant != b"1" or len(exponent) > 18:
        return False
    power = int(exponent or b"0") * (-1 if exponent_sign == b"-" else 1)
    return digits.index(b"1") + 1 == len(whole) + power


_TOKEN = re.compile(
    rb'[ \t\n\r]*(?:([{}\[\]:,])'
    rb'|"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"'
    rb"|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
    rb"|true|false|null)")


def is_json(data):
    """spec: ENV-9.3.  One JSON text; nesting and numbers without limit."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    stack = []
    want = "value"  # value, first (a value or ]), name, firstname, colon, next
    at = 0
    while True:
        match = _TOKEN.match(data, at)
        if not match:
            return want == "done" and not data[at:].strip(WS)
        at = match.end()
        mark = match.group(1)
        string = mark is None and match.group().lstrip(WS)[:1] == b'"'
        if want in ("value", "first") and (mark is None or mark in b"{["):
            if mark:
                stack.append(mark)
                want = "firstname" if mark == b"{" else "first"
                continue
        elif want in ("name", "firstname") and string:
            want = "colon"
            continue
        elif want == "colon" and mark == b":":
            want = "value"
            continue
        elif want == "next" and mark == b",":
            want = "name" if stack[-1] == b"{" else "value"
            continue
        elif not (mark == b"}" and stack and stack[-1] == b"{"
                  and want in ("firstname", "next")
                  or mark == b"]" and stack and stack[-1] == b"["
                  and want in ("first", "next")):
            return False
        else:
            stack.pop()
        want = "next" if stack else "done"


def string_content(data):
    """The content of a JSON text that is a string, as bytes; else None.

    Unpaired surrogates are kept: what matters is how the content begins.
    """
    text = data.strip(WS)
    if text[:1] != b'"':
        return None
    out = []
    for piece in re.finditer(rb'\\u[0-9a-fA-F]{4}|\\.|[^\\]+', text[1:-1],
                             re.S):
        raw = piece.group()
        if raw[:2] == b"\\u":
            out.append(chr(int(raw[2:], 16)))
        elif raw[:1] == b"\\":
            out.append(_SIMPLE[raw[1:]])
        else:
            out.append(raw.decode("utf-8"))
    wide = "".join(out).encode("utf-16-le", "surrogatepass")
    return wide.decode("utf-16-le", "surrogatepass").encode("utf-8",
                                                            "surrogatepass")
