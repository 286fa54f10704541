/*
 * gcm.h - AES-256-GCM (NIST SP 800-38D), 12-byte nonce, 16-byte tag, no AAD.
 *
 * One key for many chunks.  Up to 1 KiB libsodium's is faster, above it
 * OpenSSL's (a private library context: no configuration file is read, and
 * nothing of OpenSSL is set up until it is needed).
 */
#ifndef CRYPTO_GCM_H
#define CRYPTO_GCM_H

#include <envelope/bytes.h>

#define GCM_KEY_LEN   32u
#define GCM_NONCE_LEN 12u
#define GCM_TAG_LEN   16u

/**
 * gcm_seal(key, nonce, text, out, err):
 * Write ciphertext and tag (text.len + 16 bytes) to ${out}, which may be
 * ${text}.ptr itself.  Fails with ENVL_E_INTERNAL.
 */
enum envl_status gcm_seal(const uint8_t key[GCM_KEY_LEN],
                          const uint8_t nonce[GCM_NONCE_LEN],
                          struct envl_bytes text, uint8_t *out,
                          struct envl_error *err);

/**
 * gcm_open(key, nonce, sealed, out, err):
 * Write the plaintext (sealed.len - 16 bytes) to ${out}; in place is allowed.
 * ENVL_E_AUTH, ${out} wiped, if the tag is wrong.
 */
enum envl_status gcm_open(const uint8_t key[GCM_KEY_LEN],
                          const uint8_t nonce[GCM_NONCE_LEN],
                          struct envl_bytes sealed, uint8_t *out,
                          struct envl_error *err);

#endif /* CRYPTO_GCM_H */
