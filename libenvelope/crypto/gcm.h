/*
 * gcm.h - AES-256-GCM (NIST SP 800-38D), 12-byte nonce, 16-byte tag, no AAD.
 *
 * Up to 1 KiB libsodium's is faster, above it OpenSSL's (in a private library
 * context, with no object made per call; nothing of OpenSSL is set up until
 * it is needed).  Where the processor has no AES instructions, OpenSSL's
 * serves all sizes.
 *
 * (OpenSSL 3.0 reads its configuration file once when it is first used, also
 * in a private context, unless the program has turned that off.)
 *
 * A thread keeps one OpenSSL context, re-keyed for each run and given a key
 * of zeros when the run ends, so that no value's key stays in it.
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
 * ${text}.ptr itself, else must not overlap it.  At most INT_MAX bytes.
 * Fails with ENVL_E_INTERNAL, ENVL_E_NOMEM, the output wiped.
 */
enum envl_status gcm_seal(const uint8_t key[GCM_KEY_LEN],
                          const uint8_t nonce[GCM_NONCE_LEN],
                          struct envl_bytes text, uint8_t *out,
                          struct envl_error *err);

/**
 * gcm_open(key, nonce, sealed, out, err):
 * Write the plaintext (sealed.len - 16 bytes) to ${out}; in place is allowed.
 * ENVL_E_AUTH, ${out} wiped, if the tag is wrong or ${sealed} is shorter than
 * one.  The message is the one of every ENVL_E_AUTH of an envelope.
 */
enum envl_status gcm_open(const uint8_t key[GCM_KEY_LEN],
                          const uint8_t nonce[GCM_NONCE_LEN],
                          struct envl_bytes sealed, uint8_t *out,
                          struct envl_error *err);

/* One key for many chunks, on one thread: between begin and end nothing else
 * of this header may be called by it. */
struct gcm_run {
    void *ctx; /* private */
};

/**
 * gcm_begin(run, key, err):
 * Key the thread's context.  Fails with ENVL_E_INTERNAL, ENVL_E_NOMEM;
 * gcm_end is needed only after ENVL_OK.
 */
enum envl_status gcm_begin(struct gcm_run *run, const uint8_t key[GCM_KEY_LEN],
                           struct envl_error *err);

/**
 * gcm_run_seal(run, nonce, text, out, err), gcm_run_open(...):
 * As gcm_seal and gcm_open, under the key of the run.
 */
enum envl_status gcm_run_seal(struct gcm_run *run,
                              const uint8_t nonce[GCM_NONCE_LEN],
                              struct envl_bytes text, uint8_t *out,
                              struct envl_error *err);
enum envl_status gcm_run_open(struct gcm_run *run,
                              const uint8_t nonce[GCM_NONCE_LEN],
                              struct envl_bytes sealed, uint8_t *out,
                              struct envl_error *err);

/**
 * gcm_end(run):
 * Take the key out of the context.
 */
void gcm_end(struct gcm_run *run);

#endif /* CRYPTO_GCM_H */
