/*
 * keywrap.h - AES-256 key wrap (RFC 3394, NIST SP 800-38F KW) of 32-byte keys.
 */
#ifndef CRYPTO_KEYWRAP_H
#define CRYPTO_KEYWRAP_H

#include <envelope/bytes.h>

#define KEYWRAP_KEY_LEN 32u
#define KEYWRAP_LEN     40u /* 32 bytes wrapped */

/**
 * keywrap_wrap(kek, key, out, err):
 * Wrap ${key} under ${kek}.  Fails only with ENVL_E_INTERNAL.
 */
enum envl_status keywrap_wrap(const uint8_t kek[KEYWRAP_KEY_LEN],
                              const uint8_t key[KEYWRAP_KEY_LEN],
                              uint8_t out[KEYWRAP_LEN],
                              struct envl_error *err);

/**
 * keywrap_unwrap(kek, wrapped, key, err):
 * Undo it.  ENVL_E_AUTH, ${key} wiped, if ${wrapped} was not made by ${kek}.
 */
enum envl_status keywrap_unwrap(const uint8_t kek[KEYWRAP_KEY_LEN],
                                const uint8_t wrapped[KEYWRAP_LEN],
                                uint8_t key[KEYWRAP_KEY_LEN],
                                struct envl_error *err);

#endif /* CRYPTO_KEYWRAP_H */
