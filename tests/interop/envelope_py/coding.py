"""base64url in its one canonical form, kids, and well-formed UTF-8."""

import base64
import re

from .status import Failure

_B64URL = re.compile(rb"[A-Za-z0-9_-]*\Z")
_KID = re.compile(rb"[a-z0-9][a-z0-9.-]{0,62}\Z")


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64url(text, status="format", what="base64url"):
    """spec: ENV-7.4, KEY-5"""
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "replace")
    if not _B64URL.match(raw) or len(raw) % 4 == 1:
        raise Failure(status, f"ENV-7.4: {what}")
    data = base64.urlsafe_b64decode(raw + b"=" * (-len(raw) % 4))
    if b64url(data).encode() != raw:
        raise Failure(status, f"ENV-7.4: {what}, trailing bits")
    return data


def is_kid(raw):
    """spec: ENV-2.1"""
    return bool(_KID.match(raw))


def is_utf8(raw):
    """spec: CTX-7.  Python's decoder follows Unicode table 3-7."""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
