/*
 * legacy.h - values that are already encrypted by something else.
 *
 * Only shapes that a plaintext does not have by accident are known, and each
 * is checked as far as it goes without a key: better a foreign ciphertext
 * sealed once more than a plaintext left alone.  Sources: the schemes' own
 * documents (Fernet spec 0x80, Vault transit, SOPS, RFC 9580 with pgcrypto,
 * RFC 7516 compact, age v1, ansible-vault 1.x, ejson, 47ng cloak, Active
 * Record encryption, CipherSweet).
 */
#ifndef ENGINE_LEGACY_H
#define ENGINE_LEGACY_H

#include <envelope/bytes.h>

/**
 * legacy_scheme(value):
 * The name of the scheme that ${value} looks like, or NULL.
 */
const char *legacy_scheme(struct envl_bytes value);

#endif /* ENGINE_LEGACY_H */
