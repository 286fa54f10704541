/*
 * payload.h - C2SP chunked-encryption v1, instance Cobblestone-256
 * (c2sp.org/chunked-encryption), as spec ENV section 4 uses it.
 *
 * salt(24) || commitment(32) || chunks of 16384 bytes and a 16-byte tag, the
 * last one shorter.
 */
#ifndef ENVELOPE_PAYLOAD_H
#define ENVELOPE_PAYLOAD_H

#include <envelope/envelope.h>

#include "crypto/gcm.h"
#include "crypto/hmac512.h"
#include "envelope/context_code.h"
#include "envelope/frame.h"

#define PAYLOAD_SALT_LEN       24u
#define PAYLOAD_COMMITMENT_LEN 32u
#define PAYLOAD_HEAD_LEN       (PAYLOAD_SALT_LEN + PAYLOAD_COMMITMENT_LEN)
#define PAYLOAD_CHUNK_LEN      16384u
#define PAYLOAD_SEALED_LEN     (PAYLOAD_CHUNK_LEN + GCM_TAG_LEN)
#define PAYLOAD_MIN_LEN        (PAYLOAD_HEAD_LEN + 1 + GCM_TAG_LEN)
#define PAYLOAD_CHUNKS_MAX     (UINT64_C(1) << 38)

/* What HKDF gives, in its order.  Key material: wipe it. */
struct payload_keys {
    uint8_t key[GCM_KEY_LEN];
    uint8_t nonce[GCM_NONCE_LEN];
    uint8_t commitment[PAYLOAD_COMMITMENT_LEN];
};

/**
 * payload_derive(input, salt, context, out):
 * Derive the keys of one message (spec: ENV-4.3).
 */
void payload_derive(const struct hmac512_key *input,
                    const uint8_t salt[PAYLOAD_SALT_LEN],
                    const struct context_code *context,
                    struct payload_keys *out);

/**
 * payload_commits(keys, payload):
 * True if the commitment of ${payload} (at least its head) is the one of
 * ${keys}; in constant time.
 */
bool payload_commits(const struct payload_keys *keys, const uint8_t *payload);

/**
 * payload_nonce(keys, index, out):
 * The nonce of chunk ${index} (spec: ENV-4.5).
 */
void payload_nonce(const struct payload_keys *keys, uint64_t index,
                   uint8_t out[GCM_NONCE_LEN]);

/**
 * payload_len(frame_len):
 * Bytes of the payload of a frame; SIZE_MAX if they cannot be addressed.
 */
size_t payload_len(size_t frame_len);

/**
 * payload_len_valid(len):
 * True if a payload can have this length (spec: ENV-4.7).
 */
bool payload_len_valid(size_t len);

/**
 * payload_frame_len(len):
 * The frame's length in a payload of a valid length.
 */
size_t payload_frame_len(size_t len);

/* A value, and how its frame is made. */
struct payload_value {
    struct envl_bytes value;
    enum envl_type type;
    size_t block; /* pad block, 0 for none */
};

/**
 * payload_seal(keys, value, payload, err):
 * Write all of ${payload} but its salt, which the caller has put there.
 * ${payload} must not overlap the value.  On failure what was written is
 * wiped.
 */
enum envl_status payload_seal(const struct payload_keys *keys,
                              const struct payload_value *value,
                              struct envl_span payload,
                              struct envl_error *err);

/**
 * payload_open(keys, payload, out, err):
 * Decrypt a payload of a valid length, whose commitment was compared.
 * out->value is the room: ${payload} lies apart from it, and it holds
 * payload_frame_len bytes; or ${payload} lies inside it, and is destroyed.
 * No other plaintext than the value is left, on failure none.  Fails with
 * ENVL_E_AUTH, ENVL_E_FORMAT (frame), ENVL_E_INTERNAL, ENVL_E_NOMEM.
 */
enum envl_status payload_open(const struct payload_keys *keys,
                              struct envl_bytes payload,
                              struct envl_opened *out,
                              struct envl_error *err);

#endif /* ENVELOPE_PAYLOAD_H */
