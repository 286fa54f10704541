"""Argon2id from libsodium, through ctypes."""

import ctypes
import ctypes.util

_ALG_ARGON2ID13 = 2


def argon2id(passphrase, salt, opslimit, memlimit):
    """spec: KEY-21"""
    name = ctypes.util.find_library("sodium") or "libsodium.so.23"
    sodium = ctypes.CDLL(name)
    sodium.sodium_init()
    out = ctypes.create_string_buffer(32)
    failed = sodium.crypto_pwhash(
        out, ctypes.c_ulonglong(32), passphrase,
        ctypes.c_ulonglong(len(passphrase)), salt,
        ctypes.c_ulonglong(opslimit), ctypes.c_size_t(memlimit),
        ctypes.c_int(_ALG_ARGON2ID13))
    if failed:
        raise MemoryError("crypto_pwhash")
    return out.raw
