/*
 * base64url.h - RFC 4648 section 5 without padding, one valid form only.
 *
 * For envelopes, which are public.  Fast, not constant-time: key material
 * and wrapped keys in a ring go through libsodium instead.
 */
#ifndef CORE_BASE64URL_H
#define CORE_BASE64URL_H

#include <envelope/bytes.h>

/**
 * base64url_encoded_len(len):
 * Characters that ${len} bytes encode to.
 */
size_t base64url_encoded_len(size_t len);

/**
 * base64url_encode(in, out):
 * Write the characters of ${in}, no NUL, to ${out}.  They may overlap only
 * if ${in} lies at the end of the room of ${out}.
 */
void base64url_encode(struct envl_bytes in, char *out);

/**
 * base64url_decode(in, out):
 * Decode ${in} to ${out} (room for in.len / 4 * 3 + 2) and return the bytes
 * written, or SIZE_MAX if ${in} is not the one valid form: other characters,
 * padding, a length of 1 modulo 4, non-zero trailing bits (spec ENV).
 */
size_t base64url_decode(struct envl_bytes in, uint8_t *out);

#endif /* CORE_BASE64URL_H */
