/*
 * hmac512.h - HMAC-SHA-512 (RFC 2104, FIPS 198-1) with a prepared key, and
 * HKDF-Expand (RFC 5869, section 2.3) on top of it.
 *
 * The state after the key's two pads is computed once per key: an HMAC then
 * costs no key set-up.  A prepared key is key material: keep it in guarded
 * memory.
 */
#ifndef CRYPTO_HMAC512_H
#define CRYPTO_HMAC512_H

#include <openssl/sha.h>

#include <envelope/bytes.h>

#define HMAC512_LEN 64u

struct hmac512_key {
    SHA512_CTX inner, outer;
};

/**
 * hmac512_prepare(key, bytes):
 * Prepare ${key} from key bytes of any length.
 */
void hmac512_prepare(struct hmac512_key *key, struct envl_bytes bytes);

/**
 * hmac512(key, parts, count, out):
 * MAC the concatenation of ${count} ${parts}.
 */
void hmac512(const struct hmac512_key *key, const struct envl_bytes *parts,
             size_t count, uint8_t out[HMAC512_LEN]);

/**
 * hkdf512_expand(key, info, count, out):
 * HKDF-Expand with the concatenation of ${count} ${info} parts; fills
 * ${out}, at most 255 * 64 bytes.
 */
void hkdf512_expand(const struct hmac512_key *key,
                    const struct envl_bytes *info, size_t count,
                    struct envl_span out);

#endif /* CRYPTO_HMAC512_H */
