/*
 * kms.h - keys wrapped by AWS KMS.
 *
 * Two calls are made, Encrypt and Decrypt, each with the KeyId of the
 * configuration and the EncryptionContext "envelope-ring" = the ring's id,
 * which the key's policy can require (spec KEY-71).
 */
#ifndef AWS_KMS_H
#define AWS_KMS_H

#include "provider/aws/credentials.h"
#include "provider/http/cache.h"
#include "provider/http/http.h"

struct kms {
    const char *name;         /* of the provider             */
    const char *key;          /* id, ARN or alias            */
    const char *signing;      /* "aws:amz:REGION:kms"        */
    struct http_client *http; /* borrowed                    */
    struct credentials *credentials; /* borrowed             */
    struct cache *cache;      /* of unwrapped keys, or NULL  */
};

/**
 * kms_wrap(kms, ring_id, key, blob, err):
 * Encrypt 32 bytes; append the blob.  Fails with ENVL_E_PROVIDER,
 * ENVL_E_NOKEY (no credentials).
 */
enum envl_status kms_wrap(const struct kms *kms, const char *ring_id,
                          struct envl_bytes key, struct envl_buf *blob,
                          struct envl_error *err);

/**
 * kms_unwrap(kms, ring_id, blob, key, err):
 * Decrypt into ${key}, 32 bytes.  ENVL_E_AUTH, ${err} untouched, for a blob
 * that is not of this key and ring; otherwise fails as kms_wrap.
 */
enum envl_status kms_unwrap(const struct kms *kms, const char *ring_id,
                            struct envl_bytes blob,
                            uint8_t key[ENVL_VALUE_KEY_LEN],
                            struct envl_error *err);

#endif /* AWS_KMS_H */
