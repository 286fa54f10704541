/*
 * signed.h - documents for people who were not there: a head of the audit
 * log, a verification (spec AUD-40 to AUD-47).
 *
 * One line of JSON under a MAC of the keyring and, where a signing key is at
 * hand, an Ed25519 signature.  Every reader of the keyring could make the MAC;
 * the signature only who has the key, which belongs somewhere else.
 */
#ifndef CLI_SIGNED_H
#define CLI_SIGNED_H

#include <jansson.h>

#include <envelope/keyring.h>

#include "command.h"

#define SIGNED_PUBLIC_SIZE 44u /* of a public key as text, with its NUL */

/**
 * signed_key_create(path, public, err):
 * Make a signing key: ${path} (32 bytes, 0600) and ${path}.pub, neither of
 * which may be there.  Fails with ENVL_E_CONFLICT, ENVL_E_IO.
 */
enum envl_status signed_key_create(const char *path,
                                   char public[SIGNED_PUBLIC_SIZE],
                                   struct envl_error *err);

/* What is to be written. */
struct signed_spec {
    const char *kind;         /* "audit-head", "verification"   */
    const json_t *body;
    struct envl_keyring *ring;
    const char *key;          /* file of the signing key, or NULL */
    const char *path;         /* NULL or "-": standard output     */
    const struct settings *settings;
};

/**
 * signed_write(spec, err):
 * Write the document.  Fails with ENVL_E_NOTFOUND, ENVL_E_POLICY (others can
 * read the key), ENVL_E_IO.
 */
enum envl_status signed_write(const struct signed_spec *spec,
                              struct envl_error *err);

/* What was found. */
struct signed_found {
    json_t *root;      /* the whole, the caller's to json_decref        */
    bool by_ring;      /* its MAC is of the ring at hand, and holds     */
    bool by_key;       /* its signature holds under the key it names    */
    bool pinned;       /* and that key is the one that was asked for    */
};

/**
 * signed_read(path, ring, public, out, err):
 * Read and check.  ${ring} and ${public} (a file of a public key) may be NULL.
 * ENVL_E_INTEGRITY if anything does not hold, or if nothing could be checked.
 */
enum envl_status signed_read(const char *path, struct envl_keyring *ring,
                             const char *public, struct signed_found *out,
                             struct envl_error *err);

#endif /* CLI_SIGNED_H */
