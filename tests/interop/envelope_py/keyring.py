"""Keyring v1: spec/keyring-v1.md.  Reading, and writing for test data."""

import hmac
import json
import re
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.keywrap import (InvalidUnwrap,
                                                    aes_key_unwrap,
                                                    aes_key_wrap)

from .coding import b64url, is_kid, unb64url
from .envelope import check_value, expand
from .sodium import argon2id
from .status import Failure, require

USES = ("seal", "wrap", "index", "mac")
STATES = ("pre-active", "active", "decrypt-only", "disabled", "destroyed")
LABELS = {"keyring-wrap": 32, "keyring-mac": 32, "audit": 32,
          "checkpoint": 32, "ring-pin": 16}
# type: further members, and the length of `wrapped` (None: 1 to 4096)
UNLOCK_TYPES = {
    "keyfile": ((), 40), "passphrase": (("salt", "opslimit", "memlimit"), 40),
    "vault-kv": ((), 40), "exec": ((), 40), "pkcs11": ((), 40),
    "vault-transit": ((), None), "aws-kms": ((), None),
    "recovery": (("public",), 80)}
COST = {"memlimit": (64 << 20, 2 << 30), "opslimit": (2, 10)}

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
                   r"T[0-9]{2}:[0-9]{2}:[0-9]{2}Z\Z")
_MAC_LINE = re.compile(rb'\{"mac":"([A-Za-z0-9_-]{43})"\}\n\Z')


@dataclass
class Key:
    kid: str
    use: str
    state: str
    material: bytes
    scope: str = "default"


class Ring:
    """Opened keys by kid."""

    def __init__(self, keys, document=None, ring_key=None):
        self.keys = {key.kid: key for key in keys}
        self.document = document
        if ring_key is not None:
            self.pin = derive(ring_key, "ring-pin").hex()
            self.audit_key = derive(ring_key, "audit")
            self.checkpoint_key = derive(ring_key, "checkpoint")

    def find(self, kid):
        return self.keys.get(kid)

    def active(self, use, scope="default"):
        for key in self.keys.values():
            if (key.use, key.scope, key.state) == (use, scope, "active"):
                return key
        raise Failure("nokey", f"no active key of use {use}")


def derive(ring_key, label):
    """spec: KEY-16"""
    return expand(ring_key, b"libenvelope/v1/" + label.encode(), LABELS[label])


def unlock_key(secret, ring_id):
    """spec: KEY-19"""
    return expand(secret, b"libenvelope/v1/unlock\0" + ring_id.encode(), 32)


def ring_mac(ring_key, line):
    """spec: KEY-2"""
    key = derive(ring_key, "keyring-mac")
    return hmac.new(key, line, "sha512").digest()[:32]


def read_ring(data, *, key_file=None, passphrase=None, cost=COST):
    """Read, unlock and check a ring file's bytes, in the order of KEY-24."""
    line, document, mac = parse_ring(data)
    ring_key = _unlock(document, key_file, passphrase, cost)
    require(hmac.compare_digest(ring_mac(ring_key, line), mac), "integrity",
            "KEY-2: mac")
    wrap = derive(ring_key, "keyring-wrap")
    keys = [_key(entry, wrap) for entry in document["keys"]]
    return Ring(keys, document, ring_key)


# ---- form -------------------------------------------------------------------

def _check(condition, reason):
    require(condition, "integrity", reason)


def _pairs(pairs):
    out = dict(pairs)
    _check(len(out) == len(pairs), "KEY-4: a member twice")
    return out


def _refuse(_):
    raise Failure("integrity", "KEY-3: not an integer literal")


def parse_ring(data):
    """(line 1, its document, mac), checked as far as no key is needed."""
    _check(b"\r" not in data, "KEY-1: a CR")
    line, lf, second = data.partition(b"\n")
    match = _MAC_LINE.match(second)
    _check(lf and match, "KEY-1: not two lines, the second a mac")
    mac = unb64url(match.group(1), "integrity", "mac")
    try:
        document = json.loads(line.decode("utf-8"), object_pairs_hook=_pairs,
                              parse_float=_refuse, parse_constant=_refuse)
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise Failure("integrity", "KEY-3: line 1 is not JSON") from None
    _check_document(document)
    return line, document, mac


def _members(entry, names, reason):
    _check(isinstance(entry, dict) and set(entry) == set(names), reason)


def _integer(value, low, high, reason):
    _check(type(value) is int and low <= value <= high, reason)


def _name(value, reason):
    _check(isinstance(value, str) and is_kid(value.encode("utf-8", "replace")),
           reason)


def _b64(value, length, reason):
    _check(isinstance(value, str), reason)
    data = unb64url(value, "integrity", reason)
    _check(len(data) == length if length else 1 <= len(data) <= 4096, reason)
    return data


def _unique(items, reason):
    _check(len(set(items)) == len(items), reason)


def _check_document(ring):
    _members(ring, ("keyring", "id", "generation", "unlock", "keys"),
             "KEY-3: members")
    _integer(ring["keyring"], 1, 1, "KEY-3: keyring")
    _check(isinstance(ring["id"], str) and _UUID.match(ring["id"]),
           "KEY-3: id")
    _integer(ring["generation"], 1, 2**53 - 1, "KEY-3: generation")
    _check(isinstance(ring["unlock"], list) and ring["unlock"],
           "KEY-3: unlock")
    _check(isinstance(ring["keys"], list), "KEY-3: keys")
    for entry in ring["unlock"]:
        _check_unlock(entry)
    for entry in ring["keys"]:
        _check_key(entry)
    _unique([entry["name"] for entry in ring["unlock"]], "KEY-18: a name twice")
    _unique([entry["kid"] for entry in ring["keys"]], "KEY-38: a kid twice")
    _unique([(entry["use"], entry["scope"]) for entry in ring["keys"]
             if entry["state"] == "active"], "KEY-36: two active keys")


def _check_unlock(entry):
    _check(isinstance(entry, dict), "KEY-17: not an object")
    kind = entry.get("type")
    _check(isinstance(kind, str) and kind in UNLOCK_TYPES, "KEY-17: type")
    further, length = UNLOCK_TYPES[kind]
    _members(entry, ("name", "type", "wrapped") + further, "KEY-17: members")
    _name(entry["name"], "KEY-6: name")
    _b64(entry["wrapped"], length, "KEY-17: wrapped")
    if kind == "passphrase":
        _b64(entry["salt"], 16, "KEY-21: salt")
        for limit in ("opslimit", "memlimit"):
            _integer(entry[limit], 1, 2**53 - 1, "KEY-17: " + limit)
    if kind == "recovery":
        _b64(entry["public"], 32, "KEY-23: public")


def is_date(value):
    if not isinstance(value, str) or not _DATE.match(value):
        return False
    try:
        datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return False
    return True


def _check_key(entry):
    _check(isinstance(entry, dict), "KEY-30: not an object")
    _check(entry.get("state") in STATES, "KEY-35: state")
    names = ["kid", "use", "scope", "state", "created", "activated", "expires"]
    if "provider" in entry:
        names.append("provider")
        _check(entry.get("use") == "wrap", "KEY-32: provider of that use")
        _name(entry["provider"], "KEY-6: provider")
    elif entry["state"] != "destroyed":
        names += ["check", "wrapped"]
    if "retain" in entry:
        names.append("retain")
        _check(is_date(entry["retain"]), "KEY-44: retain")
    _members(entry, names, "KEY-30: members")
    _name(entry["kid"], "KEY-6: kid")
    _name(entry["scope"], "KEY-6: scope")
    _check(entry["use"] in USES, "KEY-32: use")
    _check(is_date(entry["created"]), "KEY-37: created")
    for date in ("activated", "expires"):
        _check(entry[date] is None or is_date(entry[date]), "KEY-37: " + date)
    if "wrapped" in entry:
        _b64(entry["wrapped"], 40, "KEY-33: wrapped")
        _check(isinstance(entry["check"], str)
               and re.match(r"[0-9a-f]{16}\Z", entry["check"]),
               "KEY-34: check")


# ---- unlock -----------------------------------------------------------------

def _unlock(document, key_file, passphrase, cost):
    """The ring key, by the first entry that one of the secrets fits."""
    if key_file is not None:
        require(len(key_file) == 32, "format", "KEY-20: not 32 bytes")
    for entry in document["unlock"]:
        secret = None
        if entry["type"] == "keyfile":
            secret = key_file
        if entry["type"] == "passphrase" and passphrase is not None:
            secret = _passphrase(entry, passphrase, cost)
        if secret is None:
            continue
        try:
            ring_key = aes_key_unwrap(unlock_key(secret, document["id"]),
                                      unb64url(entry["wrapped"]))
        except InvalidUnwrap:
            continue
        return ring_key
    raise Failure("auth", "KEY-25: no entry opens")


def _passphrase(entry, passphrase, cost):
    for limit, (low, high) in cost.items():
        require(low <= entry[limit] <= high, "policy", "KEY-22: " + limit)
    if passphrase.endswith(b"\n"):
        passphrase = passphrase[:-1]
    return argon2id(passphrase, unb64url(entry["salt"]), entry["opslimit"],
                    entry["memlimit"])


def _key(entry, wrap):
    material = None
    if "wrapped" in entry:
        try:
            material = aes_key_unwrap(wrap, unb64url(entry["wrapped"]))
        except InvalidUnwrap:
            raise Failure("integrity", "KEY-33: wrapped") from None
        require(check_value(material, entry["kid"]) == entry["check"],
                "integrity", "KEY-34: check")
    return Key(entry["kid"], entry["use"], entry["state"], material,
               entry["scope"])


# ---- writing, for test data -------------------------------------------------

def key_entry(key, ring_key, created="2026-11-02T09:30:00Z", activated=None,
              expires=None):
    entry = {"kid": key.kid, "use": key.use, "scope": key.scope,
             "state": key.state, "created": created, "activated": activated,
             "expires": expires}
    if key.state != "destroyed":
        wrap = derive(ring_key, "keyring-wrap")
        entry["check"] = check_value(key.material, key.kid)
        entry["wrapped"] = b64url(aes_key_wrap(wrap, key.material))
    return entry


def unlock_entry(name, kind, secret, ring_id, ring_key, **further):
    wrapped = aes_key_wrap(unlock_key(secret, ring_id), ring_key)
    return {"name": name, "type": kind, **further, "wrapped": b64url(wrapped)}


def sign(line, ring_key):
    """A ring file of these bytes as its first line."""
    mac = b64url(ring_mac(ring_key, line)).encode()
    return line + b'\n{"mac":"%s"}\n' % mac


def make_ring(document, ring_key):
    line = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    return sign(line.encode(), ring_key)
