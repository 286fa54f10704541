"""Vectors that break the form: beginnings, versions, headers, encodings."""

import dataclasses

from envelope_py.coding import b64url
from envelope_py.envelope import TEXT_TYPE, header, make_frame, write

from .good import KEY, envelope
from .refused import FRAME, LONG, Bad, flip

MAGIC = b"\x9eEV"


# ---- beginnings and versions ------------------------------------------------

def _not_envelopes(bad):
    def text(name, data):
        bad.text("notenv", "ENV-8.2", name, data)

    good = write(envelope("beginnings", FRAME), "text").decode()
    text("nothing", "")
    text("a secret", "sk-live-0123456789abcdef")
    text("env alone", "env")
    text("no colon", "env1")
    text("no digit", "env:k1:AA")
    text("other case", "ENV" + good[3:])
    text("a blank before", " " + good)
    text("a line feed before", "\n" + good)
    text("a quote before", '"' + good + '"')
    text("a byte order mark before", "\ufeff" + good)
    text("a letter before", "x" + good)
    text("a full-width digit", "env\uff11" + good[4:])
    text("a sign before the digit", "env+1" + good[4:])
    text("a blank before the colon", "env1 " + good[4:])
    binary = write(envelope("beginnings", FRAME), "binary")
    bad.add("notenv", "ENV-8.2", "two bytes of the magic", binary[:2])
    bad.add("notenv", "ENV-8.2", "magic changed", flip(binary, 2))
    bad.add("notenv", "ENV-8.2", "a byte before the magic", b"\0" + binary)

    def obj(name, data):
        bad.object("notenv", "ENV-8.6", name, data)

    obj("an open brace", "{")
    obj("empty", "{}")
    obj("no payload", '{"env":1}')
    obj("no payload, other members", '{"env":1,"kid":"k1","mode":"derived"}')
    obj("no env", '{"kid":"k1","payload":"AA"}')
    obj("env a string", '{"env":"1","payload":"AA"}')
    obj("env a string, cut short", '{"env":"1"')
    obj("env true", '{"env":true,"payload":"AA"}')
    obj("env null", '{"env":null,"payload":"AA"}')
    obj("env an array", '{"env":[1],"payload":"AA"}')
    obj("env with a plus", '{"env":+1,"payload":"AA"}')
    obj("Env", '{"Env":1,"payload":"AA"}')
    obj("one level deeper", '{"x":{"env":1,"payload":"AA"}}')
    obj("inside a string", r'{"x":"{\"env\":1,\"payload\":\"AA\"}"}')
    obj("in an array", '[{"env":1,"payload":"AA"}]')
    obj("single quotes", "{'env':1,'payload':'AA'}")
    obj("a byte order mark before", '\ufeff{"env":1,"payload":"AA"}')
    obj("a form feed before", '\f{"env":1,"payload":"AA"}')
    obj("cut in the name", '{"en')
    obj("cut behind the name", '{"env"')
    obj("cut behind the colon", '{"env":')
    obj("cut behind a minus", '{"env":-')
    obj("cut, env second, no payload yet", '{"kid":"k1","env":1,"mo')
    obj("cut, payload first, no env yet", '{"payload":"AA","kid":"k1"')
    obj("deep and cut short", '{"x":' + "[" * 5000)


def _versions(bad):
    good = write(envelope("versions", FRAME), "text").decode()
    for digits in ("0", "2", "01", "00", "11", "10", "1" * 40):
        bad.text("version", "ENV-8.3", "version " + digits,
                 f"env{digits}:" + good[5:])
    bad.text("version", "ENV-8.3", "version 2 and nothing", "env2:")
    bad.text("version", "ENV-8.3", "version 2 and anything",
             "env2: \n\u2713 not what v1 knows")
    binary = write(envelope("versions", FRAME), "binary")
    for byte in (0, 2, 255):
        bad.add("version", "ENV-3.2", f"version byte {byte:02x}",
                binary[:3] + bytes([byte]) + binary[4:])
    bad.add("version", "ENV-3.2", "version 2 and nothing", MAGIC + b"\x02")

    def obj(name, number, rest='"kid":"k1","payload":"AA"'):
        bad.object("version", "ENV-8.3", name, f'{{"env":{number},{rest}}}')

    for number in ("2", "0", "-1", "-0", "11", "1.5", "0.99999999999999999999",
                   "1.00000000000000000000001", "1e1", "1e-1", "10e0", "-1.0",
                   "1e400", "1e99999999999999999999999", "0e5",
                   "1e-99999999999999999999999", "9" * 40):
        obj("env " + number, number)
    obj("v2 with members of any kind", "2", '"payload":{"a":[1,{}]},"x":null')
    obj("v2, nested 5000 deep", "2",
        '"payload":' + "[" * 5000 + "]" * 5000)
    obj("v2 with a member twice", "2", '"payload":"A","payload":"B"')
    obj("v2 with a lone surrogate", "2", r'"payload":"\ud800"')
    obj("v2 with U+0000", "2", r'"payload":"\u0000"')
    bad.object("version", "ENV-8.3", "v2, env last",
               '{"payload":"AA","env":2}')


# ---- headers ----------------------------------------------------------------

def _headers(bad):
    def add(requirement, name, data):
        bad.add("format", requirement, name, data)

    env = envelope("headers", FRAME)
    binary, payload = write(env, "binary"), env.payload
    add("ENV-8.3", "magic alone", MAGIC)
    add("ENV-3.1", "no mode", binary[:4])
    add("ENV-3.1", "no kid length", binary[:5])
    add("ENV-3.1", "no kid", binary[:6])
    add("ENV-3.1", "cut in the kid", binary[:7])
    for mode in (2, 0x80, 255):
        add("ENV-3.3", f"mode {mode:02x}",
            binary[:4] + bytes([mode]) + binary[5:])
    add("ENV-3.4", "kid of no bytes", MAGIC + b"\1\0\0" + payload)
    for length in (64, 255):
        add("ENV-3.4", f"kid of {length} bytes",
            MAGIC + b"\1\0" + bytes([length]) + b"k" * length + payload)
    for kid in (b"K1", b"k_1", b"k%", b"k 1", b"k\0", b"-k", b".k", b"k\n",
                b"k:", b"k/1", "ké".encode(), b"k\xff"):
        name = "".join(chr(c) if 32 < c < 127 else f"<{c:02x}>" for c in kid)
        add("ENV-2.1", f"kid {name}",
            MAGIC + b"\1\0" + bytes([len(kid)]) + kid + payload)

    env = envelope("headers wrapped", FRAME, kid="w1")
    start = header(env)[:8]
    add("ENV-3.1", "no wrapped length", start)
    add("ENV-3.1", "half a wrapped length", start + b"\0")
    add("ENV-3.5", "wrapped length 0", start + b"\0\0" + env.payload)
    add("ENV-3.5", "wrapped length 4097",
        start + b"\x10\x01" + bytes(4097) + env.payload)
    add("ENV-3.5", "wrapped length beyond the input",
        start + b"\x0f\xff" + env.wrapped + env.payload)
    add("ENV-3.5", "wrapped length one beyond the input",
        start + b"\0\x29" + env.wrapped)


def _lengths(bad):
    env = envelope("lengths", LONG)

    def add(name, payload, encoding="binary"):
        data = write(dataclasses.replace(env, payload=payload), encoding)
        bad.add("format", "ENV-4.7", name, data, encoding)

    add("no payload", b"")
    add("no payload, text", b"", "text")
    add("no payload, object", b"", "object")
    add("payload of one byte", env.payload[:1])
    add("payload of 72 bytes", env.payload[:72])
    add("payload of 72 bytes, text", env.payload[:72], "text")
    add("payload of 72 bytes, object", env.payload[:72], "object")
    add("no chunk behind a full one", env.payload[:56 + 16400])
    add("a chunk of 15 bytes behind a full one", env.payload[:56 + 16415])
    empty = envelope("empty frame", b"")
    bad.add("format", "ENV-4.7", "an empty frame, sealed in earnest",
            write(empty, "binary"))


# ---- text and object --------------------------------------------------------

def _texts(bad):
    env = envelope("texts", make_frame(KEY + b"!!", TEXT_TYPE, 0))
    good = write(env, "text").decode()
    body = good[8:]

    def add(requirement, name, data):
        bad.text("format", requirement, name, data)

    add("ENV-7.1", "nothing behind the version", "env1:")
    add("ENV-7.1", "no second colon", "env1:k1")
    add("ENV-7.1", "nothing behind the kid", "env1:k1:")
    add("ENV-7.1", "no kid", "env1::" + body)
    add("ENV-2.1", "kid of 64 bytes", f"env1:{'k' * 64}:{body}")
    add("ENV-2.1", "kid in upper case", "env1:K1:" + body)
    add("ENV-2.1", "kid with an underscore", "env1:k_1:" + body)
    add("ENV-2.1", "kid with a line feed", "env1:k1\n:" + body)
    add("ENV-2.1", "kid with a NUL", "env1:k1\0:" + body)
    add("ENV-3.3", "mode 2", "env1:k1:" + b64url(b"\2" + env.payload))
    add("ENV-3.5", "mode wrapped, no length", "env1:w1:AQ")
    assert len(body) % 4 == 2
    last = chr(ord(body[-1]) + 1)
    add("ENV-7.4", "trailing bits", "env1:k1:" + body[:-1] + last)
    add("ENV-7.4", "padding characters", good + "==")
    add("ENV-7.4", "one padding character", good + "=")
    add("ENV-7.4", "a length of 1 modulo 4", good[:-1])
    add("ENV-7.4", "a plus", good[:20] + "+" + good[21:])
    add("ENV-7.4", "a slash", good[:20] + "/" + good[21:])
    add("ENV-7.4", "a blank at the end", good + " ")
    add("ENV-7.4", "a blank inside", good[:20] + " " + good[21:])
    add("ENV-7.4", "a line feed at the end", good + "\n")
    add("ENV-7.4", "CR LF at the end", good + "\r\n")
    add("ENV-7.4", "a line feed inside", good[:20] + "\n" + good[20:])
    add("ENV-7.4", "a NUL at the end", good + "\0")
    add("ENV-7.4", "a third colon", good + ":")
    add("ENV-7.4", "a percent escape", good[:20] + "%2D" + good[21:])
    add("ENV-7.4", "a letter that is not ASCII", good[:20] + "é" + good[21:])
    bad.text("format", "ENV-7.4", "a byte that is not UTF-8",
             good[:20].encode() + b"\xff" + good[21:].encode())


def _members(env):
    members = {"env": "1", "kid": f'"{env.kid}"',
               "mode": '"wrapped"' if env.mode else '"derived"',
               "payload": f'"{b64url(env.payload)}"'}
    if env.mode:
        members["wrapped"] = f'"{b64url(env.wrapped)}"'
    return members


def _join(members):
    pairs = members.items() if isinstance(members, dict) else members
    return "{" + ",".join(f'"{name}":{value}' for name, value in pairs) + "}"


def _object_members(bad):
    members = _members(envelope("objects", FRAME))
    wrapped = _members(envelope("objects wrapped", FRAME, kid="w1"))

    def add(requirement, name, base=members, **changes):
        data = {**base, **changes}
        data = {key: value for key, value in data.items() if value}
        bad.object("format", requirement, name, _join(data))

    for name in ("kid", "mode"):
        add("ENV-7.6", "no " + name, **{name: None})
    add("ENV-7.6", "wrapped missing", wrapped, wrapped=None)
    add("ENV-7.6", "wrapped in mode derived", wrapped=wrapped["wrapped"])
    add("ENV-7.6", "a further member", x="1")
    add("ENV-7.6", "a further member null", x="null")
    for name in ("kid", "mode", "payload"):
        for value in ("1", "null", "{}", '["AA"]'):
            add("ENV-7.6", f"{name} {value}", **{name: value})
    add("ENV-7.6", "wrapped a number", wrapped, wrapped="1")
    add("ENV-7.6", "mode in upper case", mode='"Derived"')
    add("ENV-7.6", "mode as a digit", mode='"0"')
    add("ENV-7.6", "mode empty", mode='""')
    add("ENV-2.1", "kid empty", kid='""')
    add("ENV-2.1", "kid in upper case", kid='"K1"')
    add("ENV-2.1", "kid of 64 bytes", kid=f'"{"k" * 64}"')
    add("ENV-3.5", "wrapped empty", wrapped, wrapped='""')
    add("ENV-3.5", "wrapped of 4097 bytes", wrapped,
        wrapped=f'"{b64url(bytes(4097))}"')
    add("ENV-7.4", "payload with a padding character",
        payload=members["payload"][:-1] + '="')
    add("ENV-7.4", "payload with a line feed",
        payload=members["payload"][:-1] + '\\n"')
    add("ENV-7.4", "payload in the other alphabet",
        payload='"+/' + members["payload"][3:])
    add("ENV-7.4", "wrapped with a padding character", wrapped,
        wrapped=wrapped["wrapped"][:-1] + '="')
    for number in ("1.0", "1e0", "10e-1", "0.1e1", "1.000", "100e-2", "1E+0"):
        add("ENV-7.7", "env " + number, env=number)
    for number in ("01", "1.", "1e", "1.e0", "1-", "1+1", "00"):
        add("ENV-8.7", "env " + number, env=number)
    for name, value in members.items():
        twice = list(members.items()) + [(name, value)]
        rule = "ENV-8.7" if name == "env" else "ENV-7.6"
        bad.object("format", rule, name + " twice", _join(twice))
    bad.object("format", "ENV-8.7", "env 1 and env 2",
               _join(list(members.items()) + [("env", "2")]))
    bad.object("format", "ENV-8.7", "env 2 and env 1",
               _join([("env", "2")] + list(members.items())))
    bad.object("format", "ENV-8.7", "env a string and env 1",
               _join([("env", '"1"')] + list(members.items())))
    bad.object("format", "ENV-7.6", "kid twice, once with an escape",
               _join(list(members.items()) + [(r"\u006bid", '"k1"')]))


def _object_texts(bad):
    env = envelope("objects", FRAME)
    members, good = _members(env), write(env, "object").decode()

    def add(requirement, name, data):
        bad.object("format", requirement, name, data)

    for what, value in (("a lone surrogate", r'"\ud800"'),
                        ("a low surrogate first", r'"\udc00\ud800"'),
                        ("U+0000", r'"\u0000"'), ("a broken escape", r'"\x"'),
                        ("a short escape", r'"\u12"'),
                        ("a control character", '"\t"')):
        add("ENV-7.10", f"{what} in a further member",
            _join({**members, "x": value}))
        add("ENV-7.10", f"{what} in kid", _join({**members, "kid": value}))
    add("ENV-7.10", "a lone surrogate in a name",
        _join({**members, r"\ud800": "1"}))
    add("ENV-7.10", "a byte that is not UTF-8",
        good[:-1].encode() + b',"x":"\xff"}')
    add("ENV-8.5", "nested 5000 deep",
        _join({**members, "x": "[" * 5000 + "]" * 5000}))
    add("ENV-8.5", "objects nested 5000 deep before env",
        '{"x":' + '{"a":' * 5000 + "1" + "}" * 5000 + "," + good[1:])
    add("ENV-8.5", "a number of 5000 digits",
        _join({**members, "x": "1" * 5000}))
    for what, data in (
            ("behind the digit", good[:8]), ("behind a comma", good[:9]),
            ("in a name", good[:12]), ("in a value", good[:17]),
            ("in the payload", good[:90]), ("before the brace", good[:-1]),
            ("of version 2", '{"env":2,"kid":"k'),
            ("with blanks", ' { "env" : 1 , "kid" : "k'),
            ("with an escape in env", r'{"\u0065nv":1'),
            ("behind a fraction", '{"env":1.5'),
            ("env second, in the payload", '{"kid":"k1","env":1,"payload":"A'),
            ("env last", '{"payload":"AA","env":1'),
            ("deep in a further member", '{"env":1,"x":' + "[" * 5000)):
        add("ENV-8.7", "cut short " + what, data)
    add("ENV-8.7", "a comma too many", good[:-1] + ",}")
    add("ENV-8.7", "a comma missing", good.replace('1,"kid"', '1"kid"'))
    add("ENV-8.7", "a comment", good.replace("1,", "1/**/,"))
    add("ENV-8.7", "a brace too many", good + "}")
    add("ENV-8.7", "another object behind", good + good)
    add("ENV-8.7", "a NUL behind", good + "\0")
    add("ENV-8.7", "a literal in capitals", _join({**members, "x": "True"}))


def cases():
    bad = Bad()
    for part in (_not_envelopes, _versions, _headers, _lengths, _texts,
                 _object_members, _object_texts):
        part(bad)
    return bad.cases
