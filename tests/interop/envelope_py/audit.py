"""Audit log v1, verification only: spec/audit-v1.md."""

import hashlib
import hmac
import json
import re

from .coding import b64url
from .keyring import is_date
from .status import Failure, require

MEMBERS = ["audit", "number", "time", "actor", "verb", "object", "outcome",
           "counts", "ring", "pin", "previous_hash", "record_hash", "mac"]
_HASH = re.compile(r"[0-9a-f]{64}\Z")
_MAC = re.compile(r"[A-Za-z0-9_-]{43}\Z")
ZERO = "0" * 64


def _pairs(pairs):
    require(len(dict(pairs)) == len(pairs), "integrity", "AUD-10: twice")
    return dict(pairs)


def _record(line):
    """spec: AUD-10.  The record of one line, its form checked."""
    try:
        record = json.loads(line.decode("utf-8"), object_pairs_hook=_pairs)
    except ValueError:
        raise Failure("integrity", "AUD-10: not JSON") from None
    require(isinstance(record, dict) and list(record) == MEMBERS, "integrity",
            "AUD-10: members")
    actor, ring = record["actor"], record["ring"]
    good = (type(record["audit"]) is int and record["audit"] == 1
            and type(record["number"]) is int
            and is_date(record["time"]) and isinstance(actor, dict)
            and list(actor) == ["uid", "user", "host"]
            and isinstance(record["verb"], str)
            and isinstance(record["outcome"], str)
            and isinstance(record["counts"], dict)
            and all(type(n) is int for n in record["counts"].values())
            and (ring is None) == (record["pin"] is None)
            and (ring is None) == (record["mac"] is None)
            and all(isinstance(record[name], str) and _HASH.match(record[name])
                    for name in ("previous_hash", "record_hash"))
            and (ring is None or _MAC.match(str(record["mac"]))))
    require(good, "integrity", "AUD-10: a value")
    return record


def _check(line, number, previous, ring):
    """One record in its place.  (record_hash, authenticated)"""
    record = _record(line)
    require(record["number"] == number, "integrity", "AUD-30: number")
    covered = line[:line.rindex(b',"record_hash"')]  # spec: AUD-11
    tail = json.dumps({"record_hash": record["record_hash"],
                       "mac": record["mac"]}, separators=(",", ":"))
    require(line == covered + b"," + tail[1:].encode(), "integrity",
            "AUD-10: white space")
    digest = hashlib.sha256(covered).hexdigest()
    require(record["record_hash"] == digest, "integrity", "AUD-12")
    require(record["previous_hash"] == previous, "integrity", "AUD-13")
    ours = ring is not None and (record["ring"], record["pin"]) == (
        ring.document["id"], ring.pin)
    if ours:
        mac = hmac.new(ring.audit_key, covered, "sha512").digest()[:32]
        require(record["mac"] == b64url(mac), "integrity", "AUD-14")
    return digest, ours


def verify(data, ring=None):
    """(records, unauthenticated, head, broken line or None)."""
    lines = data.split(b"\n")
    head, unauthenticated = ZERO, 0
    for number, line in enumerate(lines[:-1], 1):
        try:
            head, ours = _check(line, number, head, ring)
        except Failure:
            return number - 1, unauthenticated, head, number
        unauthenticated += not ours
    count = len(lines) - 1
    return count, unauthenticated, head, count + 1 if lines[-1] else None
