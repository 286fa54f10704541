"""Argon2id and Ed25519ph from libsodium, through ctypes."""

import ctypes
import ctypes.util

_ALG_ARGON2ID13 = 2


def argon2id(passphrase, salt, opslimit, memlimit):
    """spec: KEY-21"""
    sodium = _library()
    out = ctypes.create_string_buffer(32)
    failed = sodium.crypto_pwhash(
        out, ctypes.c_ulonglong(32), passphrase,
        ctypes.c_ulonglong(len(passphrase)), salt,
        ctypes.c_ulonglong(opslimit), ctypes.c_size_t(memlimit),
        ctypes.c_int(_ALG_ARGON2ID13))
    if failed:
        raise MemoryError("crypto_pwhash")
    return out.raw


def _library():
    name = ctypes.util.find_library("sodium") or "libsodium.so.23"
    sodium = ctypes.CDLL(name)
    sodium.sodium_init()
    sodium.crypto_sign_statebytes.restype = ctypes.c_size_t
    return sodium


def sign_keys(seed):
    """(public, private) of an Ed25519 seed.  spec: AUD-40"""
    public = ctypes.create_string_buffer(32)
    private = ctypes.create_string_buffer(64)
    _library().crypto_sign_seed_keypair(public, private, seed)
    return public.raw, private.raw


def _prehash(sodium, message):
    state = ctypes.create_string_buffer(sodium.crypto_sign_statebytes())
    sodium.crypto_sign_init(state)
    sodium.crypto_sign_update(state, message, ctypes.c_ulonglong(len(message)))
    return state


def sign_ph(private, message):
    """Ed25519ph.  spec: AUD-43"""
    sodium = _library()
    signature = ctypes.create_string_buffer(64)
    sodium.crypto_sign_final_create(_prehash(sodium, message), signature, None,
                                    private)
    return signature.raw


def verify_ph(public, message, signature):
    sodium = _library()
    return (len(public) == 32 and len(signature) == 64 and
            sodium.crypto_sign_final_verify(_prehash(sodium, message),
                                            signature, public) == 0)
