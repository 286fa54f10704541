/*
 * provider.h - who can open a keyring, and who can wrap a value key.
 *
 * A provider answers two questions.  Unlock: it wraps the ring key of a
 * keyring, once per process, so that people, machines, an HSM and a recovery
 * key can each open the same ring.  Wrap (optional): it holds a wrapping key
 * that never leaves it, and wraps value keys, many in one call.
 *
 * An implementation puts struct envl_provider first in its own struct.  What
 * it reaches and with which credentials comes from local configuration under
 * its name, never from the ring, which is read before its MAC is checked.
 */
#ifndef ENVELOPE_PROVIDER_H
#define ENVELOPE_PROVIDER_H

#include <stdint.h>

#include <envelope/bytes.h>
#include <envelope/error.h>
#include <envelope/secret.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ENVL_PROVIDER_ABI 1u
#define ENVL_RING_KEY_LEN 32u
#define ENVL_VALUE_KEY_LEN 32u

/*
 * An unlock entry as the ring holds it (spec KEY).  Members that a type does
 * not have are zero.  ${wrapped} is the decoded member "wrapped".
 */
struct envl_unlock_entry {
    char name[64];
    char type[64];
    uint8_t salt[16];   /* passphrase */
    uint64_t opslimit;  /* passphrase */
    uint64_t memlimit;  /* passphrase: bytes */
    uint8_t public_key[32]; /* recovery */
    struct envl_buf wrapped;
};

struct envl_provider;

/* Append only; a break is a new ENVL_PROVIDER_ABI. */
struct envl_provider_ops {
    uint32_t abi;     /* ENVL_PROVIDER_ABI                            */
    const char *type; /* as in the ring: "keyfile", "passphrase", ... */

    /*
     * Must.  Recover the ring key of ring ${ring_id} (36 characters) from
     * ${entry} into a new secret.  ENVL_E_AUTH: this secret does not open
     * this entry; ENVL_E_PROVIDER: no answer; ENVL_E_POLICY: cost bounds.
     */
    enum envl_status (*unlock)(struct envl_provider *self,
                               const struct envl_unlock_entry *entry,
                               const char *ring_id,
                               struct envl_secret **ring_key,
                               struct envl_error *err);

    /*
     * Must.  Fill ${entry} (its name and type are set; when an entry is made
     * again, the rest is as it was) so that unlock gives ${ring_key} again.
     */
    enum envl_status (*enroll)(struct envl_provider *self,
                               const char *ring_id,
                               const struct envl_secret *ring_key,
                               struct envl_unlock_entry *entry,
                               struct envl_error *err);

    /*
     * May be NULL.  Wrap ${count} value keys of 32 bytes, laid end to end in
     * ${keys}; append each blob to ${blobs} and its length to ${lens}.
     */
    enum envl_status (*wrap)(struct envl_provider *self,
                             struct envl_bytes keys, size_t count,
                             struct envl_buf *blobs, size_t *lens,
                             struct envl_error *err);

    /*
     * May be NULL.  Undo wrap for ${count} blobs; write the keys end to end
     * into ${keys} and each status into ${statuses}: ENVL_OK, or ENVL_E_AUTH
     * for "not my ciphertext".  Anything that says nothing of a blob fails
     * the call with ENVL_E_PROVIDER.
     */
    enum envl_status (*unwrap)(struct envl_provider *self,
                               const struct envl_bytes *blobs, size_t count,
                               struct envl_span keys,
                               enum envl_status *statuses,
                               struct envl_error *err);

    /* Must.  Wipe and release ${self}. */
    void (*free)(struct envl_provider *self);
};

struct envl_provider {
    const struct envl_provider_ops *ops;
    char name[64]; /* as ring and configuration call it; may be empty */
    char ring_id[37]; /* of the ring whose wrapping keys it serves, set
                         when that ring is opened; one provider, one ring */
};

/**
 * envl_keyfile_provider_new(path, out, err):
 * Unlock with a file of exactly 32 raw bytes.  It is read at each unlock and
 * refused (ENVL_E_POLICY) unless it, and the folders it is reached through,
 * are safe (spec KEY); ENVL_E_NOTFOUND if there is none.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_keyfile_provider_new(const char *path, struct envl_provider **out,
                          struct envl_error *err);

/**
 * envl_keyfile_provider_allow(provider, dir, err):
 * Take the absolute ${dir} for a secret mount too, beside /run/secrets,
 * /var/run/secrets and $CREDENTIALS_DIRECTORY: a key file of root's there may
 * be readable by others.  Fails with ENVL_E_USAGE, ENVL_E_LIMIT (8 of them).
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_keyfile_provider_allow(struct envl_provider *provider, const char *dir,
                            struct envl_error *err);

/**
 * envl_keyfile_create(path, err):
 * Write 32 random bytes to a new file of mode 0600, synced.  Refuses to
 * overwrite: ENVL_E_POLICY.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_keyfile_create(const char *path, struct envl_error *err);

/* Argon2id's cost for a new entry; zeros: 256 MiB and 3 passes. */
struct envl_passphrase_cost {
    uint64_t opslimit; /* 2..10            */
    uint64_t memlimit; /* 64 MiB..2 GiB    */
};

/**
 * envl_passphrase_provider_new(passphrase, cost, out, err):
 * Unlock with Argon2id (RFC 9106) of ${passphrase}, which is copied, one
 * final LF removed.  ${cost} (may be NULL) is for entries it makes; those it
 * opens must keep the same bounds, checked before anything runs.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_passphrase_provider_new(const struct envl_secret *passphrase,
                             const struct envl_passphrase_cost *cost,
                             struct envl_provider **out,
                             struct envl_error *err);

/*
 * A recovery key opens a ring when everything else is gone.  Its private half
 * is made on a machine that is offline, and kept on paper or in a safe; its
 * public half is enough to make an unlock entry (spec KEY-110 to KEY-113).
 */
#define ENVL_RECOVERY_PUBLIC_SIZE 53 /* erp1, 48 characters and a NUL */

/**
 * envl_recovery_key_new(private_key, public_text, err):
 * Make both halves: 32 secret bytes, freed by the caller, and the text of the
 * other.  Fails with ENVL_E_NOMEM, ENVL_E_INTERNAL.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_recovery_key_new(struct envl_secret **private_key,
                      char public_text[ENVL_RECOVERY_PUBLIC_SIZE],
                      struct envl_error *err);

/**
 * envl_recovery_key_public(private_key, public_text, err):
 * The public half that belongs to ${private_key}.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_recovery_key_public(const struct envl_secret *private_key,
                         char public_text[ENVL_RECOVERY_PUBLIC_SIZE],
                         struct envl_error *err);

/**
 * envl_recovery_key_words(private_key, words, err):
 * The private half as 18 words with a checksum, three lines of six; no NUL.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_recovery_key_words(const struct envl_secret *private_key,
                        struct envl_secret **words, struct envl_error *err);

/**
 * envl_recovery_key_read(text, private_key, err):
 * Read the words back: case, spaces, hyphens and lines do not matter, nor do
 * lines that begin with '#'.  Fails with ENVL_E_FORMAT, which names the first
 * word that is none by its number.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_recovery_key_read(struct envl_bytes text,
                       struct envl_secret **private_key,
                       struct envl_error *err);

/**
 * envl_recovery_provider_new(private_key, out, err):
 * Unlock with the private half, which is copied.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_recovery_provider_new(const struct envl_secret *private_key,
                           struct envl_provider **out,
                           struct envl_error *err);

/**
 * envl_recovery_public_provider_new(public_text, out, err):
 * One that only makes entries.  Fails with ENVL_E_USAGE if that is not the
 * public half of a recovery key.
 */
ENVL_API ENVL_MUST_CHECK enum envl_status
envl_recovery_public_provider_new(const char *public_text,
                                  struct envl_provider **out,
                                  struct envl_error *err);

/**
 * envl_provider_free(provider):
 * Wipe and release; NULL is ignored.
 */
ENVL_API void envl_provider_free(struct envl_provider *provider);

#ifdef __cplusplus
}
#endif

#endif /* ENVELOPE_PROVIDER_H */
