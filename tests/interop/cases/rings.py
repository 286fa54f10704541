"""Vectors of keyring files."""

import copy
import json

from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from envelope_py import read_ring
from envelope_py.coding import b64url
from envelope_py.keyring import (Key, derive, make_ring, sign, unlock_entry)
from envelope_py.sodium import argon2id

from .sealing import outcome
from .world import (KEYS, KEY_FILE, RING_ID, RING_KEY, document, put, stream)

PASSPHRASE = "correct horse – battery staple".encode()
SALT = stream("argon2id salt", 16)
MIB = 1 << 20


def _passphrase_entry(name="people", opslimit=2, memlimit=64 * MIB):
    secret = argon2id(PASSPHRASE, SALT, opslimit, memlimit)
    return unlock_entry(name, "passphrase", secret, RING_ID, RING_KEY,
                        salt=b64url(SALT), opslimit=opslimit,
                        memlimit=memlimit)


def _foreign(name, kind, length=40, **further):
    return {"name": name, "type": kind, **further,
            "wrapped": b64url(stream("foreign " + name, length))}


def keep(ring):
    """What a good ring must give: its pin, and its keys' states."""
    return {"pin": ring.pin, "generation": ring.document["generation"],
            "keys": [{"kid": key.kid, "use": key.use, "scope": key.scope,
                      "state": key.state,
                      "key": key.material.hex() if key.material else None}
                     for key in ring.keys.values()]}


def unlock_with(case):
    """The arguments of read_ring for a case."""
    key_file = case.get("key_file")
    phrase = case.get("passphrase")
    return {"key_file": bytes.fromhex(key_file) if key_file is not None
            else None, "passphrase": phrase.encode() if phrase is not None
            else None}


class Rings:
    """Collects cases; what a good one gives is computed."""

    def __init__(self):
        self.cases = []

    def raw(self, status, requirement, name, data, **secrets):
        secrets = secrets or {"key_file": KEY_FILE.hex()}
        case = {"name": name, "requirement": requirement, "status": status}
        got, reason, ring = outcome(
            lambda: read_ring(data, **unlock_with(secrets)))
        assert got == status, (name, got, reason)
        assert status in ("ok", "auth") or requirement in reason, (
            name, reason)
        self.cases.append({**case, **({"reason": reason} if reason else {}),
                           **put("file", data), **secrets,
                           **(keep(ring) if ring else {})})

    def make(self, status, requirement, name, change=None, keys=None,
             unlock=None, **secrets):
        """A ring whose document was changed before it was signed."""
        made = copy.deepcopy(document(keys or KEYS[:2], unlock))
        if change:
            change(made)
        self.raw(status, requirement, name, make_ring(made, RING_KEY),
                 **secrets)


def _good(rings):
    main = document()["unlock"][0]
    rings.make("ok", "KEY-19", "key file", keys=KEYS)
    rings.make("ok", "KEY-21", "passphrase", unlock=[_passphrase_entry()],
               passphrase=PASSPHRASE.decode())
    rings.make("ok", "KEY-21", "passphrase with one final LF",
               unlock=[_passphrase_entry()],
               passphrase=PASSPHRASE.decode() + "\n")
    both = [main, _passphrase_entry()]
    rings.make("ok", "KEY-25", "two entries, by the first", unlock=both)
    rings.make("ok", "KEY-25", "two entries, by the second", unlock=both,
               passphrase=PASSPHRASE.decode())
    rings.make("ok", "KEY-25", "two key files, the second fits", unlock=[
        unlock_entry("old", "keyfile", stream("other", 32), RING_ID,
                     RING_KEY), main])
    rings.make("ok", "KEY-17", "one entry of each type", unlock=[
        main, _passphrase_entry(), _foreign("kv", "vault-kv"),
        _foreign("cmd", "exec"), _foreign("token", "pkcs11"),
        _foreign("transit", "vault-transit", 97),
        _foreign("kms", "aws-kms", 184), _foreign(
            "paper", "recovery", 80, public=b64url(stream("public", 32)))])
    rings.make("ok", "KEY-3", "no keys", lambda d: d["keys"].clear())
    rings.make("ok", "KEY-3", "the largest generation",
               lambda d: d.update(generation=2**53 - 1))
    rings.make("ok", "KEY-37", "all dates",
               lambda d: d["keys"][0].update(
                   activated="2028-02-29T23:59:59Z",
                   expires="2099-12-31T00:00:00Z"))
    rings.make("ok", "KEY-44", "a key to be retained",
               lambda d: d["keys"][0].update(retain="2999-12-31T00:00:00Z"))
    rings.make("ok", "KEY-36", "an active key of each use and two scopes",
               keys=[Key(f"{use}.{scope}", use, "active",
                         stream(use + scope, 32), scope)
                     for use in ("seal", "wrap", "index", "mac")
                     for scope in ("default", "b")])
    rings.make("ok", "KEY-32", "a provider's key", lambda d: d["keys"].append(
        {**{k: v for k, v in d["keys"][0].items()
            if k not in ("check", "wrapped")},
         "kid": "w-hsm", "use": "wrap", "provider": "hsm"}))
    rings.make("ok", "KEY-31", "a destroyed key of a provider",
               lambda d: d["keys"].append(
                   {**{k: v for k, v in d["keys"][0].items()
                       if k not in ("check", "wrapped")}, "kid": "w-hsm",
                    "use": "wrap", "provider": "hsm", "state": "destroyed"}))
    line = json.dumps(document(KEYS[:2]), indent=1).replace("\n", " \t")
    rings.raw("ok", "KEY-2", "white space in line 1",
              sign(line.encode(), RING_KEY))
    backward = dict(reversed(document(KEYS[:2]).items()))
    rings.raw("ok", "KEY-3", "members in another order",
              make_ring(backward, RING_KEY))
    escaped = json.dumps(document(KEYS[:2])).replace("default", "d\\u0065fault")
    rings.raw("ok", "KEY-2", "escapes in line 1",
              sign(escaped.encode(), RING_KEY))


def _files(rings):
    good = make_ring(document(KEYS[:2]), RING_KEY)
    line, mac = good.split(b"\n")[:2]

    def raw(name, data, requirement="KEY-1"):
        rings.raw("integrity", requirement, "file: " + name, data)

    raw("nothing", b"")
    raw("one line", line + b"\n")
    raw("no LF at the end", good[:-1])
    raw("an LF more", good + b"\n")
    raw("a byte more", good + b" ")
    raw("a third line", good + mac + b"\n")
    raw("CR LF", good.replace(b"\n", b"\r\n"))
    raw("a CR at the end of line 1", line + b"\r\n" + mac + b"\n")
    raw("a blank before line 1", b" " + good, "KEY-2")
    raw("a byte order mark", b"\xef\xbb\xbf" + good, "KEY-3")
    raw("a blank in line 2", line + b'\n{"mac": ' + mac[7:] + b"\n")
    raw("a member more in line 2", line + b"\n" + mac[:-1] + b',"x":1}\n')
    raw("mac of 42 characters", line + b"\n" + mac[:-3] + b'"}\n')
    raw("mac with a padding character",
        line + b"\n" + mac[:-2] + b'="}\n')
    last = mac[-3:-2]
    other = chr(last[0] + 1).encode()
    raw("mac with trailing bits",
        line + b"\n" + mac[:-3] + other + b'"}\n', "ENV-7.4")
    raw("line 1 is not UTF-8", sign(line.replace(b"k1", b"k\xff"), RING_KEY),
        "KEY-3")
    raw("line 1 is no JSON", sign(line[:-1], RING_KEY), "KEY-3")
    raw("line 1 is an array", sign(b"[" + line + b"]", RING_KEY), "KEY-3")
    raw("bytes behind the object", sign(line + b"x", RING_KEY), "KEY-3")
    raw("a float", sign(line.replace(b'"generation":7', b'"generation":7.0'),
                        RING_KEY), "KEY-3")
    raw("an exponent", sign(line.replace(b'"generation":7',
                                         b'"generation":7e0'), RING_KEY),
        "KEY-3")
    raw("generation twice", sign(line[:-1] + b',"generation":7}', RING_KEY),
        "KEY-4")
    raw("kid twice in a key", sign(line.replace(
        b'"kid":"k1"', b'"kid":"k1","kid":"k1"'), RING_KEY), "KEY-4")
    raw("name twice in an entry", sign(line.replace(
        b'"name":"main"', b'"name":"main","n\\u0061me":"main"'), RING_KEY),
        "KEY-4")


def _macs(rings):
    good = make_ring(document(KEYS[:2]), RING_KEY)
    line, mac = good.split(b"\n")[:2]

    def raw(name, data):
        rings.raw("integrity", "KEY-2", "mac: " + name, data)

    raw("of another ring",
        line + b"\n" + make_ring(document(KEYS), RING_KEY).split(b"\n")[1]
        + b"\n")
    raw("first byte changed", line + b"\n" + mac.replace(
        mac[8:9], b"A" if mac[8:9] != b"A" else b"B", 1) + b"\n")
    raw("generation raised", good.replace(b'"generation":7',
                                          b'"generation":8'))
    raw("a state changed", good.replace(b'"decrypt-only"', b'"disabled"'))
    raw("a blank more", good.replace(b'"keys":', b'"keys": '))
    raw("under another ring key", line + b"\n"
        + sign(line, stream("other ring key", 32)).split(b"\n")[1] + b"\n")


def _members(rings):
    def bad(requirement, name, change):
        rings.make("integrity", requirement, name, change)

    def with_key(requirement, name, **changes):
        bad(requirement, "key: " + name,
            lambda d: d["keys"][0].update(changes))

    def with_entry(requirement, name, entry):
        bad(requirement, "unlock: " + name,
            lambda d: d["unlock"].append(entry))

    for name in ("keyring", "id", "generation", "unlock", "keys"):
        bad("KEY-3", "no " + name, lambda d, name=name: d.pop(name))
    bad("KEY-3", "a further member", lambda d: d.update(note=""))
    for name, value in (("0", 0), ("2", 2), ("a string", "1"), ("true", True)):
        bad("KEY-3", "keyring " + name, lambda d, v=value: d.update(keyring=v))
    for name, value in (("in upper case", RING_ID.upper()), ("empty", ""),
                        ("without hyphens", RING_ID.replace("-", "")),
                        ("in braces", "{" + RING_ID[2:-2] + "}}")):
        bad("KEY-3", "id " + name, lambda d, v=value: d.update(id=v))
    for value in (0, -1, 2**53, 2**64):
        bad("KEY-3", f"generation {value}",
            lambda d, v=value: d.update(generation=v))
    bad("KEY-3", "no unlock entry", lambda d: d["unlock"].clear())
    bad("KEY-3", "unlock an object", lambda d: d.update(unlock={}))
    bad("KEY-3", "keys null", lambda d: d.update(keys=None))
    bad("KEY-17", "an unlock entry null", lambda d: d["unlock"].append(None))
    bad("KEY-30", "a key null", lambda d: d["keys"].append(None))

    with_entry("KEY-17", "unknown type", _foreign("x", "tpm"))
    with_entry("KEY-17", "a further member",
               _foreign("x", "exec", command="true"))
    with_entry("KEY-17", "no salt", _foreign("x", "passphrase", opslimit=2,
                                             memlimit=64 * MIB))
    with_entry("KEY-17", "no wrapped", {"name": "x", "type": "exec"})
    with_entry("KEY-18", "a name twice", _foreign("main", "exec"))
    with_entry("KEY-6", "name in upper case", _foreign("Main", "exec"))
    with_entry("KEY-6", "name empty", _foreign("", "exec"))
    with_entry("KEY-17", "wrapped of 39 bytes", _foreign("x", "exec", 39))
    with_entry("KEY-17", "wrapped of 4097 bytes",
               _foreign("x", "aws-kms", 4097))
    with_entry("KEY-17", "sealed box of 79 bytes", _foreign(
        "x", "recovery", 79, public=b64url(stream("public", 32))))
    with_entry("KEY-23", "public key of 31 bytes", _foreign(
        "x", "recovery", 80, public=b64url(stream("public", 31))))
    with_entry("KEY-21", "salt of 15 bytes", _foreign(
        "x", "passphrase", salt=b64url(SALT[:15]), opslimit=2,
        memlimit=64 * MIB))
    with_entry("KEY-17", "opslimit a string", _foreign(
        "x", "passphrase", salt=b64url(SALT), opslimit="2",
        memlimit=64 * MIB))
    padded = _foreign("x", "exec", 41)
    padded["wrapped"] = padded["wrapped"][:54] + "=="
    with_entry("ENV-7.4", "wrapped with padding characters", padded)

    for name in ("kid", "use", "scope", "created", "activated",
                 "expires", "check", "wrapped"):
        bad("KEY-30", "key: no " + name,
            lambda d, name=name: d["keys"][0].pop(name))
    bad("KEY-35", "key: no state", lambda d: d["keys"][0].pop("state"))
    with_key("KEY-30", "a further member", note="")
    with_key("KEY-32", "a provider beside wrapped, use seal", provider="hsm")
    with_key("KEY-30", "a provider beside wrapped", use="wrap",
             provider="hsm")
    with_key("KEY-32", "unknown use", use="sign")
    with_key("KEY-35", "unknown state", state="expired")
    with_key("KEY-6", "kid in upper case", kid="K1")
    with_key("KEY-6", "kid of 64 bytes", kid="k" * 64)
    with_key("KEY-6", "scope empty", scope="")
    with_key("KEY-6", "scope null", scope=None)
    with_key("KEY-38", "a kid twice", kid="k2")
    bad("KEY-36", "key: two active keys", lambda d: d["keys"][1].update(
        state="active"))
    for name, value in (("null", None), ("without Z", "2026-11-02T09:30:00"),
                        ("with an offset", "2026-11-02T09:30:00+01:00"),
                        ("with a fraction", "2026-11-02T09:30:00.0Z"),
                        ("with a blank", "2026-11-02 09:30:00Z"),
                        ("of a day that is none", "2026-02-29T09:30:00Z"),
                        ("of an hour that is none", "2026-11-02T24:00:00Z"),
                        ("in lower case", "2026-11-02t09:30:00z"),
                        ("a number", 1793611800)):
        with_key("KEY-37", "created " + name, created=value)
    with_key("KEY-37", "activated empty", activated="")
    with_key("KEY-37", "expires empty", expires="")
    with_key("KEY-44", "retain null", retain=None)
    with_key("KEY-44", "retain empty", retain="")
    with_key("KEY-44", "retain of a day that is none",
             retain="2026-02-29T00:00:00Z")
    destroyed = {"state": "destroyed"}
    with_key("KEY-30", "destroyed, with check and wrapped", **destroyed)
    bad("KEY-30", "key: destroyed, with check", lambda d: (
        d["keys"][0].update(destroyed), d["keys"][0].pop("wrapped")))
    with_key("KEY-34", "check in upper case", check="ABCDEF0123456789")
    with_key("KEY-34", "check too short", check="0123456789abcd")
    with_key("KEY-33", "wrapped of 48 bytes", wrapped=b64url(bytes(48)))


def _material(rings):
    wrap = derive(RING_KEY, "keyring-wrap")

    def change(requirement, name, **changes):
        rings.make("integrity", requirement, "key: " + name,
                   lambda d: d["keys"][0].update(changes))

    change("KEY-34", "wrong check", check="0123456789abcdef")
    change("KEY-34", "check of another kid", kid="k9")
    change("KEY-33", "wrapped under another key", wrapped=b64url(
        aes_key_wrap(stream("other", 32), KEYS[0].material)))
    change("KEY-34", "another key wrapped", wrapped=b64url(
        aes_key_wrap(wrap, stream("other", 32))))


def _unlock(rings):
    def add(status, requirement, name, **how):
        rings.make(status, requirement, "unlock: " + name, **how)

    main = document()["unlock"]
    people = [_passphrase_entry()]
    add("auth", "KEY-25", "another key file",
        key_file=stream("other", 32).hex())
    add("format", "KEY-20", "key file of 31 bytes",
        key_file=KEY_FILE[:31].hex())
    add("format", "KEY-20", "key file with a LF behind",
        key_file=(KEY_FILE + b"\n").hex())
    add("format", "KEY-20", "key file of no bytes", key_file="")
    add("auth", "KEY-25", "no entry for a passphrase", unlock=main,
        passphrase="x")
    add("auth", "KEY-25", "another passphrase", unlock=people,
        passphrase="incorrect horse")
    add("auth", "KEY-25", "a blank behind the passphrase", unlock=people,
        passphrase=PASSPHRASE.decode() + " ")
    add("auth", "KEY-21", "two LFs behind the passphrase", unlock=people,
        passphrase=PASSPHRASE.decode() + "\n\n")
    add("auth", "KEY-21", "passphrase in the other spelling", unlock=people,
        passphrase=PASSPHRASE.decode().replace("–", "-"))
    for name, limits in (("too little memory", {"memlimit": 64 * MIB - 1}),
                         ("too much memory", {"memlimit": 2048 * MIB + 1}),
                         ("one pass", {"opslimit": 1}),
                         ("eleven passes", {"opslimit": 11})):
        entry = {**people[0], **limits}
        add("policy", "KEY-22", name, unlock=[entry],
            passphrase=PASSPHRASE.decode())
    rings.make("auth", "KEY-19", "unlock: the id of another ring",
               lambda d: d.update(id=RING_ID[:-1] + "2"))


def cases():
    rings = Rings()
    for part in (_good, _files, _macs, _members, _material, _unlock):
        part(rings)
    return rings.cases
