/*
 * envelope.h - seal, open, rewrap, inspect, classify.
 *
 * All functions here may be called from many threads with one keyring.
 * Sealing and opening take no lock and make no system call but getrandom(2).
 * An output holds nothing unless the status is ENVL_OK.
 */
#ifndef ENVELOPE_ENVELOPE_H
#define ENVELOPE_ENVELOPE_H

#include <stdbool.h>

#include <envelope/bytes.h>
#include <envelope/context.h>
#include <envelope/error.h>
#include <envelope/keyring.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ENVL_KID_MAX 63u /* bytes of a key id (spec ENV) */

/* What the sealed bytes are (spec ENV, plaintext frame); itself secret. */
enum envl_type {
    ENVL_TYPE_BYTES = 0,
    ENVL_TYPE_TEXT = 1, /* UTF-8                          */
    ENVL_TYPE_JSON = 2, /* JSON text, RFC 8259            */
    ENVL_TYPE_BSON = 3  /* a BSON document {"v": value}   */
};

/* The three forms of one envelope. */
enum envl_encoding {
    ENVL_ENCODING_TEXT = 0,
    ENVL_ENCODING_OBJECT = 1,
    ENVL_ENCODING_BINARY = 2
};

enum envl_mode {
    ENVL_MODE_DERIVED = 0, /* key of use seal                              */
    ENVL_MODE_WRAPPED = 1  /* a fresh value key, wrapped by a key of use wrap */
};

#define ENVL_PAD_DEFAULT 0   /* 32 up to 4096 bytes of value, none above */
#define ENVL_PAD_NONE    (-1)

/* Zero-initialise, set size; all else has a good default. */
struct envl_seal_options {
    size_t size;        /* sizeof(struct envl_seal_options)                 */
    const char *kid;    /* NULL: the active key; its use decides the mode   */
    const char *scope;  /* NULL: "default"                                  */
    enum envl_mode mode; /* with kid NULL: which active key                 */
    enum envl_type type;
    enum envl_encoding encoding;
    int pad;            /* ENVL_PAD_DEFAULT, ENVL_PAD_NONE or 2..4096       */
    bool allow_nested;  /* accept a value that begins like an envelope      */
};

#define ENVL_ACCEPT_DERIVED 1u
#define ENVL_ACCEPT_WRAPPED 2u

struct envl_open_options {
    size_t size;       /* sizeof(struct envl_open_options)        */
    const char *scope; /* NULL: "default"; "*": keys of any scope */
    unsigned accept;   /* ENVL_ACCEPT_*; 0: both modes            */
};

/* What an envelope says of itself; none of it is authenticated. */
struct envl_info {
    int version;
    enum envl_mode mode;
    enum envl_encoding encoding;
    char kid[ENVL_KID_MAX + 1];
    size_t binary_len; /* length of its binary form in bytes */
};

/* An opened value.  Start from ENVL_PLAIN_INIT; free with envl_plain_free. */
struct envl_plain {
    enum envl_type type;
    struct envl_buf value;
    char kid[ENVL_KID_MAX + 1];
};

#define ENVL_PLAIN_INIT { ENVL_TYPE_BYTES, ENVL_BUF_INIT, "" }

/**
 * envl_sealed_len(ring, options, value_len, out, err):
 * Store in ${out} the exact length of what envl_seal gives for a value of
 * ${value_len} bytes.  Fails as choosing the key does (see envl_seal).  For
 * a provider's wrapping key it is an upper bound.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_sealed_len(struct envl_keyring *ring,
                const struct envl_seal_options *options, size_t value_len,
                size_t *out, struct envl_error *err);

/**
 * envl_seal(ring, options, context, value, out, err):
 * Seal ${value} for ${context} and append the envelope to ${out}.  ${options}
 * may be NULL (bytes, text encoding, active key); so may ${context} (no
 * pairs).  Fails with ENVL_E_USAGE (context, type or options broken),
 * ENVL_E_NOKEY (no such key), ENVL_E_POLICY (the key does not seal, or
 * ${value} begins like an envelope), ENVL_E_PROVIDER, ENVL_E_LIMIT.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_seal(struct envl_keyring *ring, const struct envl_seal_options *options,
          const struct envl_context *context, struct envl_bytes value,
          struct envl_buf *out, struct envl_error *err);

/**
 * envl_seal_into(ring, options, context, value, out, err):
 * The same into memory of the caller's, in derived mode without allocating.
 * ${out} has room for envl_sealed_len bytes, else ENVL_E_LIMIT; it must not
 * overlap ${value}.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_seal_into(struct envl_keyring *ring,
               const struct envl_seal_options *options,
               const struct envl_context *context, struct envl_bytes value,
               struct envl_span *out, struct envl_error *err);

/**
 * envl_open(ring, options, context, envelope, out, err):
 * Open ${envelope} (any of the three encodings, recognised) that belongs to
 * ${context}.  Fails, in this order of checks (spec ENV, opening), with
 * ENVL_E_USAGE, ENVL_E_NOTENV, ENVL_E_VERSION, ENVL_E_FORMAT, ENVL_E_NOKEY,
 * ENVL_E_POLICY, ENVL_E_PROVIDER, ENVL_E_AUTH, ENVL_E_FORMAT (frame).  What
 * ${out} held before is wiped, its memory used again.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_open(struct envl_keyring *ring, const struct envl_open_options *options,
          const struct envl_context *context, struct envl_bytes envelope,
          struct envl_plain *out, struct envl_error *err);

/**
 * envl_plain_free(plain):
 * Wipe and release an opened value; it may be used again.
 */
ENVL_API void envl_plain_free(struct envl_plain *plain);

/* Where envl_open_into puts a value: the caller's memory. */
struct envl_opened {
    struct envl_span value; /* in: room; out: the value */
    enum envl_type type;    /* out                      */
};

/**
 * envl_open_into(ring, options, context, envelope, out, err):
 * The same into memory of the caller's.  Room for as many bytes as
 * ${envelope} has is always enough; with less than the value, its padding and
 * one byte, or, for text and objects of more than 2 KiB, than the decoded
 * payload, it is ENVL_E_LIMIT.  It must not overlap ${envelope}.  On failure
 * all of the room is wiped and its length is 0.  Values up to 1 KiB in derived
 * mode need no allocation.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_open_into(struct envl_keyring *ring,
               const struct envl_open_options *options,
               const struct envl_context *context, struct envl_bytes envelope,
               struct envl_opened *out, struct envl_error *err);

/* One of many.  ${output} is set by the call and lies in the arena. */
struct envl_item {
    struct envl_bytes input;     /* a value to seal, or an envelope to open */
    struct envl_context context;
    enum envl_type type;         /* seal: in (not the options'); open: out  */
    enum envl_status status;     /* out: each item's own                   */
    struct envl_bytes output;    /* out: empty unless status is ENVL_OK    */
};

/**
 * envl_seal_batch(ring, options, items, count, arena, err):
 * Seal ${count} items under one key, resolved once, randomness drawn
 * together, and (wrapped mode) one provider call.  Outputs are appended to
 * ${arena} and borrowed from it.  Returns ENVL_OK if every item did,
 * ENVL_E_PARTIAL if some failed (see each status), else the failure that
 * concerns all.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_seal_batch(struct envl_keyring *ring,
                const struct envl_seal_options *options,
                struct envl_item *items, size_t count, struct envl_buf *arena,
                struct envl_error *err);

/**
 * envl_open_batch(ring, options, items, count, arena, err):
 * The reverse.  Value keys that a provider must unwrap are sent to it
 * together, one call for each of its keys; if that fails, the call returns
 * its ENVL_E_PROVIDER, and the items that do not depend on it are opened all
 * the same.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_open_batch(struct envl_keyring *ring,
                const struct envl_open_options *options,
                struct envl_item *items, size_t count, struct envl_buf *arena,
                struct envl_error *err);

/**
 * envl_rewrap(ring, options, context, envelope, out, err):
 * Move a wrapped-mode ${envelope} to the wrapping key of ${options} (its kid,
 * or the active one), the payload and the encoding unchanged, and append it
 * to ${out}.  Unwraps, checks the commitment under ${context}, wraps, unwraps
 * again and compares.  Fails as envl_open does; ENVL_E_USAGE for an envelope
 * in derived mode.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_rewrap(struct envl_keyring *ring, const struct envl_seal_options *options,
            const struct envl_context *context, struct envl_bytes envelope,
            struct envl_buf *out, struct envl_error *err);

/**
 * envl_recode(envelope, encoding, out, err):
 * Append the same envelope in another encoding; lossless, needs no key.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_recode(struct envl_bytes envelope, enum envl_encoding encoding,
            struct envl_buf *out, struct envl_error *err);

/**
 * envl_inspect(envelope, out, err):
 * Read what ${envelope} says, needing no key.  Fails with ENVL_E_NOTENV,
 * ENVL_E_VERSION or ENVL_E_FORMAT.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_inspect(struct envl_bytes envelope, struct envl_info *out,
             struct envl_error *err);

/**
 * envl_begins(bytes):
 * ENVL_OK if ${bytes} begin like an envelope of any version and encoding
 * (spec ENV, beginnings), ENVL_E_NOTENV if not.  A nesting test, not a parse.
 */
ENVL_API enum envl_status envl_begins(struct envl_bytes bytes);

/* The answer to "is this ours, here, under which key". */
struct envl_verdict {
    enum envl_status status; /* OK: the commitment holds in this context */
    struct envl_info info;   /* valid unless NOTENV, VERSION or FORMAT   */
    enum envl_key_state state; /* of its key; valid if status is OK or AUTH */
};

/**
 * envl_classify(ring, options, context, envelope, out, err):
 * Answer in ${out} without decrypting: the header is parsed, the key found
 * and the commitment compared.  Returns ENVL_OK whenever there is an answer,
 * which is in out->status; ENVL_E_USAGE or ENVL_E_PROVIDER otherwise.  A
 * commitment is enough to skip a value, never to destroy one.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_classify(struct envl_keyring *ring,
              const struct envl_open_options *options,
              const struct envl_context *context, struct envl_bytes envelope,
              struct envl_verdict *out, struct envl_error *err);

#define ENVL_INDEX_HEX_SIZE 65 /* 256 bits as hex, and a NUL */

/* What a blind index is made of. */
struct envl_index_input {
    const char *scope;       /* NULL: "default"; its active index key is used */
    const char *kid;         /* NULL, or a key of use index by name           */
    struct envl_bytes field; /* the context's default field                   */
    struct envl_bytes value; /* the bytes that are sealed, not normalised     */
    unsigned bits;           /* a multiple of 8, 16..256                      */
};

/**
 * envl_blind_index(ring, input, hex, err):
 * Write the lower-case hex of the first bits of HMAC-SHA-512 over field and
 * value (spec ENV, blind index).  Fails with ENVL_E_USAGE, ENVL_E_NOKEY.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_blind_index(struct envl_keyring *ring,
                 const struct envl_index_input *input,
                 char hex[ENVL_INDEX_HEX_SIZE], struct envl_error *err);

#ifdef __cplusplus
}
#endif

#endif /* ENVELOPE_ENVELOPE_H */
