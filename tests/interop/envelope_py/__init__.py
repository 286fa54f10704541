"""A second implementation of libenvelope's formats, written from spec/ alone.

For tests: it is small and readable, it does not guard or wipe its memory, and
it must not be used for real secrets.  It needs Python 3.11, `cryptography` 38
or later, and libsodium (passphrases, signatures).
"""

from .envelope import (BINARY, BYTES, BSON, DERIVED, JSON, OBJECT, TEXT,
                       TEXT_TYPE, WRAPPED, begins, blind_index, check_value,
                       open_, open_stream, parse, parse_bson, recode,
                       rewrap, seal, seal_stream, write_bson)
from .keyring import Key, Ring, make_ring, read_ring
from .status import Failure

__all__ = [
    "BINARY", "BYTES", "BSON", "DERIVED", "Failure", "JSON", "Key", "OBJECT",
    "Ring", "TEXT", "TEXT_TYPE", "WRAPPED", "begins", "blind_index",
    "check_value", "make_ring", "open_", "open_stream", "parse", "parse_bson",
    "read_ring", "recode", "rewrap", "seal", "seal_stream", "write_bson",
]
