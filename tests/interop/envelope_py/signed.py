"""Signed documents: spec/audit-v1.md, section 5."""

import hashlib
import hmac
import json

from . import sodium
from .coding import b64url, unb64url
from .keyring import is_date
from .status import Failure, require

MEMBERS = ["signed", "kind", "at", "keyring", "pin", "body", "public", "mac",
           "signature"]
LABEL = b"libenvelope/v1/signed\0"


def _mac(ring, covered):
    """spec: AUD-42"""
    key = ring.checkpoint_key
    return b64url(hmac.new(key, LABEL + covered, hashlib.sha512).digest()[:32])


def _pairs(pairs):
    require(len(dict(pairs)) == len(pairs), "integrity", "AUD-41: twice")
    return dict(pairs)


def _document(data):
    """spec: AUD-41"""
    try:
        document = json.loads(data.decode("utf-8"), object_pairs_hook=_pairs)
    except ValueError:
        raise Failure("integrity", "AUD-41: not JSON") from None
    require(isinstance(document, dict) and list(document) == MEMBERS
            and document["signed"] == 1 and is_date(document["at"])
            and isinstance(document["body"], dict)
            and (document["public"] is None) ==
            (document["signature"] is None), "integrity", "AUD-41")
    return document


def check(data, ring=None, public=None):
    """The document, if it holds.  spec: AUD-44"""
    document = _document(data)
    signed = data[:data.rindex(b',"signature":')]
    maced = signed[:signed.rindex(b',"mac":')]
    proven = False
    if document["public"] is not None:
        held = sodium.verify_ph(unb64url(document["public"], "integrity"),
                                LABEL + signed,
                                unb64url(document["signature"], "integrity"))
        require(held, "integrity", "AUD-43")
        proven = True
    require(public is None or document["public"] == public, "integrity",
            "AUD-44: another key")
    if ring is not None and (document["keyring"], document["pin"]) == (
            ring.document["id"], ring.pin):
        require(document["mac"] == _mac(ring, maced), "integrity", "AUD-42")
        proven = True
    require(proven, "integrity", "AUD-44: nothing to check")
    return document


def make(ring, seed, kind, at, body):
    """One more, of our own making."""
    pair = sodium.sign_keys(seed)
    head = json.dumps(
        {"signed": 1, "kind": kind, "at": at, "keyring": ring.document["id"],
         "pin": ring.pin, "body": body, "public": b64url(pair[0])},
        separators=(",", ":")).encode()[:-1]
    maced = head + b',"mac":"' + _mac(ring, head).encode() + b'"'
    signature = b64url(sodium.sign_ph(pair[1], LABEL + maced)).encode()
    return maced + b',"signature":"' + signature + b'"}\n'
