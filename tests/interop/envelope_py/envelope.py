"""Envelope v1: spec/envelope-v1.md."""

import hmac
import os
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.keywrap import (InvalidUnwrap,
                                                    aes_key_unwrap,
                                                    aes_key_wrap)

from . import bson, context as ctx, jsontext
from .coding import b64url, is_kid, is_utf8, unb64url
from .status import Failure, require

DERIVED, WRAPPED = 0, 1
MODES = {"derived": DERIVED, "wrapped": WRAPPED}
TEXT, OBJECT, BINARY = "text", "object", "binary"
BYTES, TEXT_TYPE, JSON, BSON = range(4)
TYPES = {"bytes": BYTES, "text": TEXT_TYPE, "json": JSON, "bson": BSON}

MAGIC = b"\x9eEV"
LABEL = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0"
SALT, COMMITMENT, TAG, CHUNK = 24, 32, 16, 16384
HEAD = SALT + COMMITMENT
OPENING_STATES = ("pre-active", "active", "decrypt-only")


@dataclass
class Envelope:
    mode: int
    kid: str
    payload: bytes
    wrapped: bytes = b""


# ---- encodings --------------------------------------------------------------

def beginning(data):
    """Which encoding's beginning data has (ENV-8.2), or None."""
    if re.match(rb"env[0-9]+:", data):
        return TEXT
    if data.startswith(MAGIC):
        return BINARY
    if data.lstrip(jsontext.WS)[:1] == b"{":
        if jsontext.Scan(data).has_beginning():
            return OBJECT
    return None


def begins(data):
    return beginning(data) is not None


def _check_payload(envelope):
    length = len(envelope.payload)
    require(length >= HEAD + 1 + TAG, "format", "ENV-4.7: payload too short")
    require((length - HEAD) % (CHUNK + TAG) >= TAG, "format",
            "ENV-4.7: payload of an impossible length")


def parse(data):
    """spec: ENV-8.1 up to `format`.  Returns (Envelope, encoding)."""
    encoding = beginning(data)
    require(encoding, "notenv", "ENV-8.2, ENV-8.6: no beginning matches")
    readers = {TEXT: _parse_text, BINARY: _parse_binary, OBJECT: _parse_object}
    envelope = readers[encoding](data)
    _check_payload(envelope)
    return envelope, encoding


def parse_bson(data):
    """The envelope that a BSON document is.  spec: ENV-7.9, ENV-8.20"""
    require(bson.begins(data), "notenv", "ENV-8.20: no beginning")
    members = bson.members_or_none(data)
    require(members is not None, "format", "ENV-8.20: no valid document")
    env = [(kind, raw) for kind, name, raw in members if name == b"env"]
    require(len(env) == 1, "format", "ENV-8.20: env twice")
    require(bson.number(*env[0]) == 1, "version", "ENV-8.3: env is not 1")
    require(env[0][0] == 0x10, "format", "ENV-7.9: env is no int32")
    values = {}
    for kind, name, raw in members:
        if name == b"env":
            continue
        read = (bson.string_of if name in (b"kid", b"mode")
                else bson.binary_of)(kind, raw)
        require(read is not None, "format", "ENV-7.9: a member's type")
        require(name not in values, "format", "ENV-7.6: a member twice")
        values[name] = read
    mode = MODES.get(values.get(b"mode", b"").decode())
    require(mode is not None, "format", "ENV-7.2: mode")
    names = {b"kid", b"mode", b"payload"} | ({b"wrapped"} if mode else set())
    require(set(values) == names, "format", "ENV-7.6: members")
    wrapped = values.get(b"wrapped", b"")
    require(not mode or 1 <= len(wrapped) <= 4096, "format",
            "ENV-3.5: wrapped key's length")
    envelope = Envelope(mode, _kid(values[b"kid"]), values[b"payload"],
                        wrapped)
    _check_payload(envelope)
    return envelope


def write_bson(envelope):
    """spec: ENV-7.9, ENV-7.8"""
    wrapped = envelope.mode == WRAPPED
    members = [bson.int32(b"env", 1),
               bson.string(b"kid", envelope.kid.encode()),
               bson.string(b"mode", b"wrapped" if wrapped else b"derived"),
               bson.binary(b"payload", envelope.payload)]
    if wrapped:
        members.append(bson.binary(b"wrapped", envelope.wrapped))
    return bson.document(members)


def _kid(raw):
    require(is_kid(raw), "format", "ENV-2.1: not a kid")
    return raw.decode("ascii")


def _take_wrapped(data):
    """spec: ENV-3.5.  (wrapped key, what follows)"""
    require(len(data) >= 2, "format", "ENV-3.1: cut short")
    length = int.from_bytes(data[:2], "big")
    require(1 <= length <= 4096, "format", "ENV-3.5: wrapped key's length")
    require(len(data) >= 2 + length, "format", "ENV-3.5: beyond the input")
    return data[2:2 + length], data[2 + length:]


def _parse_binary(data):
    require(len(data) >= 4, "format", "ENV-8.3: no version byte")
    require(data[3] == 1, "version", "ENV-3.2: version byte")
    require(len(data) >= 6, "format", "ENV-3.1: cut short")
    mode, length = data[4], data[5]
    require(mode in (DERIVED, WRAPPED), "format", "ENV-3.3: mode byte")
    require(1 <= length <= 63, "format", "ENV-3.4: kid's length")
    require(len(data) >= 6 + length, "format", "ENV-3.1: cut short")
    kid, rest = _kid(data[6:6 + length]), data[6 + length:]
    wrapped, payload = _take_wrapped(rest) if mode == WRAPPED else (b"", rest)
    return Envelope(mode, kid, payload, wrapped)


def _parse_text(data):
    digits, _, rest = data[3:].partition(b":")
    require(digits == b"1", "version", "ENV-8.3: digits")
    kid, colon, body = rest.partition(b":")
    require(colon, "format", "ENV-7.1: no second colon")
    kid, body = _kid(kid), unb64url(body)
    require(body, "format", "ENV-7.1: no mode byte")
    require(body[0] in (DERIVED, WRAPPED), "format", "ENV-3.3: mode byte")
    wrapped, payload = (_take_wrapped(body[1:]) if body[0] == WRAPPED
                        else (b"", body[1:]))
    return Envelope(body[0], kid, payload, wrapped)


def _parse_object(data):
    """spec: ENV-8.7, then ENV-7.2 to ENV-7.7"""
    scan = jsontext.Scan(data)
    require(scan.closed, "format", "ENV-8.7: cut short, or no JSON")
    require(not scan.rest.strip(jsontext.WS), "format",
            "ENV-8.7: bytes after the object")
    env = [m for m in scan.members if m[0] == "env"]
    require(len(env) == 1, "format", "ENV-8.7: env twice")
    number = env[0][2]
    require(jsontext.is_number(number), "format", "ENV-8.7: no JSON number")
    if number != b"1":
        one = not jsontext.is_integer(number) and jsontext.equals_one(number)
        require(one, "version", "ENV-8.3: env is not 1")
        raise Failure("format", "ENV-7.7: env is not the literal 1")

    strings = {}
    for name, kind, raw in scan.members:
        if name == "env":
            continue
        require(name not in strings, "format", "ENV-7.6: a member twice")
        require(kind == "string", "format", "ENV-7.6: not a string")
        strings[name] = jsontext.unescape(raw).encode("utf-8")
    mode = MODES.get(strings.get("mode", b"").decode("utf-8"))
    require(mode is not None, "format", "ENV-7.2: mode")
    names = {"kid", "mode", "payload"} | ({"wrapped"} if mode else set())
    require(set(strings) == names, "format", "ENV-7.6: members")
    wrapped = unb64url(strings["wrapped"]) if mode else b""
    require(not mode or 1 <= len(wrapped) <= 4096, "format",
            "ENV-3.5: wrapped key's length")
    return Envelope(mode, _kid(strings["kid"]), unb64url(strings["payload"]),
                    wrapped)


def header(envelope):
    kid = envelope.kid.encode()
    out = MAGIC + bytes([1, envelope.mode, len(kid)]) + kid
    if envelope.mode == WRAPPED:
        out += len(envelope.wrapped).to_bytes(2, "big") + envelope.wrapped
    return out


def write(envelope, encoding):
    """One envelope as bytes in one of its encodings."""
    binary = header(envelope) + envelope.payload
    if encoding == BINARY:
        return binary
    kid = envelope.kid
    if encoding == TEXT:
        body = binary[4:5] + binary[6 + len(kid):]
        return f"env1:{kid}:{b64url(body)}".encode()
    mode = "wrapped" if envelope.mode == WRAPPED else "derived"
    wrapped = (f',"wrapped":"{b64url(envelope.wrapped)}"'
               if envelope.mode == WRAPPED else "")
    return (f'{{"env":1,"kid":"{kid}","mode":"{mode}",'
            f'"payload":"{b64url(envelope.payload)}"{wrapped}}}').encode()


def recode(data, encoding):
    return write(parse(data)[0], encoding)


# ---- payload ----------------------------------------------------------------

def expand(key, info, length):
    return HKDFExpand(hashes.SHA512(), length, info).derive(key)


def _derive(input_key, salt, context):
    """spec: ENV-4.3.  (key, nonce, commitment)"""
    out = expand(input_key, LABEL + salt + context, 32 + 12 + COMMITMENT)
    return out[:32], out[32:44], out[44:]


def _nonce(nonce, index):
    mask = int.from_bytes(nonce, "big") ^ index
    return mask.to_bytes(12, "big")


def encrypt_payload(input_key, salt, context, frame):
    key, nonce, commitment = _derive(input_key, salt, context)
    out = [salt, commitment]
    for index in range(len(frame) // CHUNK + 1):
        piece = frame[index * CHUNK:(index + 1) * CHUNK]
        out.append(AESGCM(key).encrypt(_nonce(nonce, index), piece, None))
    return b"".join(out)


def decrypt_payload(input_key, context, payload):
    salt, commitment = payload[:SALT], payload[SALT:HEAD]
    key, nonce, expected = _derive(input_key, salt, context)
    require(hmac.compare_digest(commitment, expected), "auth", "commitment")
    out = []
    for index, at in enumerate(range(HEAD, len(payload), CHUNK + TAG)):
        out.append(_chunk(key, nonce, index, payload[at:at + CHUNK + TAG]))
    return b"".join(out)


def _chunk(key, nonce, index, data):
    try:
        return AESGCM(key).decrypt(_nonce(nonce, index), data, None)
    except InvalidTag:
        raise Failure("auth", "chunk") from None


# ---- frame ------------------------------------------------------------------

def make_frame(value, type_, pad):
    """spec: ENV-6.3.  pad: 0 for none."""
    if not pad:
        return bytes([type_]) + value
    frame = bytes([0x80 | type_]) + value + b"\x80"
    return frame + bytes(-len(frame) % pad)


def read_frame(frame):
    """spec: ENV-6.1 to ENV-6.5.  (type, value)"""
    first = _first_byte(frame[0])
    if not first & 0x80:
        return first, frame[1:]
    end = len(frame)
    while end > 1 and frame[end - 1] == 0 and len(frame) - end < 4095:
        end -= 1
    require(end > 1 and frame[end - 1] == 0x80, "format", "ENV-6.4: no 80")
    return first & 0x0F, frame[1:end - 1]


def _first_byte(first):
    require(not first & 0x70, "format", "ENV-6.1: bits 6 to 4")
    require(first & 0x0F <= 3, "format", "ENV-6.2: type")
    return first


# ---- seal and open ----------------------------------------------------------

def _check_value(value, type_):
    if type_ == TEXT_TYPE:
        require(is_utf8(value), "usage", "ENV-9.2: not UTF-8")
    if type_ == JSON:
        require(jsontext.is_json(value), "usage", "ENV-9.3: not JSON")
    if type_ == BSON:
        require(bson.is_wrapper(value), "usage", "ENV-9.4: not BSON")


def _check_nesting(value, type_):
    """spec: ENV-9.6"""
    inner = [value]
    if type_ == JSON:
        inner.append(jsontext.string_content(value))
    if type_ == BSON:
        inner.append(bson.inner_bytes(value))
        require(not bson.inner_is_envelope(value), "policy", "ENV-9.6: nested")
    for data in inner:
        require(data is None or not begins(data), "policy", "ENV-9.6: nested")


def _sealing_key(ring, kid, scope, mode):
    if kid is None:
        return ring.active("wrap" if mode == WRAPPED else "seal", scope)
    key = ring.find(kid)
    require(key and key.scope == scope and key.use in ("seal", "wrap"),
            "nokey", f"ENV-9.1: {kid}")
    require(key.state == "active", "policy", f"ENV-9.1: {kid} does not seal")
    return key


def seal(ring, pairs, value, *, kid=None, mode=DERIVED, type_=BYTES,
         encoding=TEXT, pad=None, scope="default", nested=False, salt=None,
         value_key=None):
    """Seal value.  pad: None for the default, 0 for none.

    salt and value_key are for tests, which compare with known answers.
    """
    ctx.encode(0, pairs)
    require(pad is None or pad == 0 or 2 <= pad <= 4096, "usage",
            "ENV-9.5: pad block")
    _check_value(value, type_)
    if not nested:
        _check_nesting(value, type_)
    key = _sealing_key(ring, kid, scope, mode)
    if pad is None:
        pad = 32 if len(value) <= 4096 else 0  # spec: ENV-6.9
    return write(seal_frame(key, pairs, make_frame(value, type_, pad), salt,
                            value_key), encoding)


def seal_frame(key, pairs, frame, salt=None, value_key=None):
    """Seal a frame as it is, under a key in any state."""
    envelope = Envelope(DERIVED, key.kid, b"")
    input_key = key.material
    if key.use == "wrap":
        envelope.mode = WRAPPED
        input_key = value_key or os.urandom(32)
        envelope.wrapped = aes_key_wrap(key.material, input_key)
    context = ctx.encode(envelope.mode, pairs)
    envelope.payload = encrypt_payload(input_key, salt or os.urandom(SALT),
                                       context, frame)
    return envelope


def _input_key(ring, envelope, scope, accept):
    """spec: ENV-8.10 to ENV-8.14"""
    key = ring.find(envelope.kid)
    use = "wrap" if envelope.mode == WRAPPED else "seal"
    require(key and key.state in OPENING_STATES and key.use == use
            and scope in (key.scope, "*"), "nokey", f"ENV-8.10: {envelope.kid}")
    require(envelope.mode == DERIVED or len(envelope.wrapped) == 40, "format",
            "ENV-8.11: wrapped key of other than 40 bytes")
    require(envelope.mode in accept, "policy", "ENV-8.12: mode")
    if envelope.mode == DERIVED:
        return key.material
    try:
        value_key = aes_key_unwrap(key.material, envelope.wrapped)
    except InvalidUnwrap:
        raise Failure("auth", "wrapped key") from None
    require(len(value_key) == 32, "auth", "value key")
    return value_key


def open_(ring, pairs, data, *, scope="default", accept=(DERIVED, WRAPPED)):
    """Open data in any encoding.  (type, value), or Failure."""
    ctx.encode(0, pairs)
    envelope, _ = parse(data)
    input_key = _input_key(ring, envelope, scope, accept)
    context = ctx.encode(envelope.mode, pairs)
    return read_frame(decrypt_payload(input_key, context, envelope.payload))


def rewrap(ring, pairs, data, kid, *, scope="default"):
    """spec: ENV-9.8"""
    ctx.encode(0, pairs)
    envelope, encoding = parse(data)
    require(envelope.mode == WRAPPED, "usage", "ENV-9.9: mode derived")
    value_key = _input_key(ring, envelope, scope, (WRAPPED,))
    head = envelope.payload[:HEAD]
    expected = _derive(value_key, head[:SALT], ctx.encode(WRAPPED, pairs))[2]
    require(hmac.compare_digest(head[SALT:], expected), "auth", "commitment")
    key = _sealing_key(ring, kid, scope, WRAPPED)
    require(key.use == "wrap", "nokey", "ENV-9.1: use")
    wrapped = aes_key_wrap(key.material, value_key)
    return write(Envelope(WRAPPED, key.kid, envelope.payload, wrapped),
                 encoding)


# ---- streams, binary encoding -----------------------------------------------

def seal_stream(ring, pairs, pieces, *, kid=None, mode=DERIVED, type_=BYTES):
    """Yield the binary envelope of what pieces yield, in bounded memory."""
    key = _sealing_key(ring, kid, "default", mode)
    envelope = Envelope(DERIVED, key.kid, b"")
    input_key = key.material
    if key.use == "wrap":
        envelope.mode, input_key = WRAPPED, os.urandom(32)
        envelope.wrapped = aes_key_wrap(key.material, input_key)
    salt = os.urandom(SALT)
    aes, nonce, commitment = _derive(input_key, salt,
                                     ctx.encode(envelope.mode, pairs))
    yield header(envelope) + salt + commitment
    held, index = bytes([type_]), 0
    for piece in pieces:
        held += piece
        while len(held) >= CHUNK:
            yield AESGCM(aes).encrypt(_nonce(nonce, index), held[:CHUNK], None)
            held, index = held[CHUNK:], index + 1
    yield AESGCM(aes).encrypt(_nonce(nonce, index), held, None)


class _Reader:
    """Exactly n bytes at a time out of pieces; fewer only at the end."""

    def __init__(self, pieces):
        self.pieces, self.held = iter(pieces), b""

    def take(self, n):
        while len(self.held) < n:
            piece = next(self.pieces, None)
            if piece is None:
                break
            self.held += piece
        out, self.held = self.held[:n], self.held[n:]
        return out


class _Unpad:
    """Hold back a trailing 80 00* of a padded frame (ENV-6.8)."""

    def __init__(self):
        self.run = None  # length of 80 00* at the end, None if there is none

    def feed(self, data):
        held = b"" if self.run is None else b"\x80" + bytes(self.run - 1)
        data = held + data
        tail = data.rstrip(b"\0")
        if tail.endswith(b"\x80"):
            self.run = len(data) - len(tail) + 1
            return data[:len(data) - self.run]
        self.run = None
        return data

    def finish(self):
        require(self.run is not None and self.run <= 4096, "format",
                "ENV-6.4: no 80")


def open_stream(ring, pairs, pieces, *, scope="default"):
    """Yield the plaintext of a binary envelope, chunk by chunk."""
    ctx.encode(0, pairs)
    reader = _Reader(pieces)
    head = reader.take(6)
    require(head.startswith(MAGIC), "notenv", "ENV-8.2")
    head += reader.take(head[5] if len(head) == 6 else 0)
    if len(head) > 6 and head[4] == WRAPPED:
        length = reader.take(2)
        head += length + reader.take(int.from_bytes(length, "big"))
    start = reader.take(HEAD + 1 + TAG)
    envelope, _ = parse(head + start)  # the shortest payload there is
    input_key = _input_key(ring, envelope, scope, (DERIVED, WRAPPED))
    aes, nonce, expected = _derive(input_key, start[:SALT],
                                   ctx.encode(envelope.mode, pairs))
    require(hmac.compare_digest(start[SALT:HEAD], expected), "auth",
            "commitment")
    reader.held = start[HEAD:] + reader.held
    padded, index, unpad = None, 0, _Unpad()
    while True:
        chunk = reader.take(CHUNK + TAG)
        require(len(chunk) >= TAG, "format", "ENV-4.7")
        plain = _chunk(aes, nonce, index, chunk)
        if padded is None:
            padded, plain = _first_byte(plain[0]) & 0x80, plain[1:]
        yield unpad.feed(plain) if padded else plain
        if len(chunk) < CHUNK + TAG:
            break
        index += 1
    if padded:
        unpad.finish()


# ---- small things -----------------------------------------------------------

def _hmac(key, data):
    return hmac.new(key, data, "sha512").digest()


def blind_index(key, field, value, bits):
    """spec: ENV-10.1"""
    require(bits % 8 == 0 and 16 <= bits <= 256, "usage", "ENV-10.1: bits")
    data = b"libenvelope/v1/index\0"
    for part in (field, value):
        data += ctx.u32be(len(part)) + part
    return _hmac(key, data)[:bits // 8].hex()


def check_value(key, kid):
    """spec: KEY-34"""
    return _hmac(key, b"libenvelope/v1/check\0" + kid.encode())[:8].hex()
