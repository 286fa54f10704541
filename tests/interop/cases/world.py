"""The keys and ring that all vectors share.  TEST DATA, made from labels."""

import hashlib

from envelope_py.coding import b64url
from envelope_py.keyring import (Key, Ring, derive, key_entry, make_ring,
                                 unlock_entry)

RING_ID = "5e57da7a-0000-4000-8000-000000000001"
PLACE = [("field", "accounts.api_key"), ("id", "42")]
LONG_KID = "k" * 63


def stream(label, length):
    """Fixed bytes for a label: TEST DATA, never a secret."""
    out, counter = b"", 0
    while len(out) < length:
        seed = f"libenvelope test data/{label}/{counter}".encode()
        out += hashlib.sha512(seed).digest()
        counter += 1
    return out[:length]


def _key(kid, use, state, scope="default", material=None):
    if state == "destroyed":
        return Key(kid, use, state, None, scope)
    return Key(kid, use, state, material or stream("key " + kid, 32), scope)


VALUE_KEY = stream("value key", 32)
KEY_FILE = stream("key file", 32)
RING_KEY = stream("ring key", 32)
KEYS = [
    _key("k1", "seal", "active"),
    _key("k2", "seal", "decrypt-only"),
    _key("k-pre", "seal", "pre-active"),
    _key("k-off", "seal", "disabled"),
    _key("k-gone", "seal", "destroyed"),
    _key("k-b", "seal", "active", "tenant-b"),
    _key("a", "seal", "decrypt-only"),
    _key("2026.11-eu.k-", "seal", "decrypt-only"),
    _key(LONG_KID, "seal", "decrypt-only"),
    _key("vk-1", "seal", "decrypt-only", material=VALUE_KEY),
    _key("w1", "wrap", "active"),
    _key("w2", "wrap", "decrypt-only"),
    _key("w-off", "wrap", "disabled"),
    _key("i1", "index", "active"),
    _key("m1", "mac", "active"),
]
RING = Ring(KEYS)


def document(keys=None, unlock=None, **members):
    """Line 1 of a ring, as a document that may be spoiled."""
    keys = KEYS if keys is None else keys
    activated = {"active": "2026-11-02T09:30:00Z"}
    return {
        "keyring": 1, "id": RING_ID, "generation": 7,
        "unlock": unlock or [unlock_entry("main", "keyfile", KEY_FILE,
                                          RING_ID, RING_KEY)],
        "keys": [key_entry(key, RING_KEY, activated=activated.get(key.state))
                 for key in keys],
        **members}


def ring_json():
    """spec/vectors/ring.json"""
    return {
        "note": "TEST DATA. These keys are public; never use them.",
        "key_file": KEY_FILE.hex(),
        "file": make_ring(document(), RING_KEY).decode(),
        "ring_key": RING_KEY.hex(),
        "pin": derive(RING_KEY, "ring-pin").hex(),
        "keys": [{"kid": key.kid, "use": key.use, "scope": key.scope,
                  "state": key.state,
                  "key": key.material.hex() if key.material else None}
                 for key in KEYS]}


def put(name, data):
    """A member: `name` as a string, or `name`_hex where it has to be."""
    try:
        text = data.decode("utf-8")
        odd = any(c < " " and c not in "\t\n\r" for c in text)
    except UnicodeDecodeError:
        odd = True
    return {name + "_hex": data.hex()} if odd else {name: text}


def put_context(pairs):
    """`context`, or `context_hex` where a name or value is odd."""
    raw = [[p if isinstance(p, bytes) else p.encode("utf-8", "surrogatepass")
            for p in pair] for pair in pairs]
    plain = [[put("x", part).get("x") for part in pair] for pair in raw]
    if any(part is None for pair in plain for part in pair):
        return {"context_hex": [[part.hex() for part in pair] for pair in raw]}
    return {"context": plain}


__all__ = ["KEYS", "KEY_FILE", "LONG_KID", "PLACE", "RING", "RING_ID",
           "RING_KEY", "VALUE_KEY", "b64url", "document", "put",
           "put_context", "ring_json", "stream"]
