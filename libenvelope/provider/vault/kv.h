/*
 * kv.h - 32 bytes kept in a Vault's KV engine, version 2.
 */
#ifndef VAULT_KV_H
#define VAULT_KV_H

#include "provider/vault/session.h"

/* A secret of 32 bytes and which version of it this is. */
struct kv_secret {
    struct envl_secret *bytes;
    int64_t version;
};

/**
 * kv_read(session, version, out, err):
 * Read the secret of the settings; ${version} 0 is the newest.  The caller
 * frees ${out}->bytes.  Fails with ENVL_E_PROVIDER, also for a secret that
 * is not base64 of 32 bytes, and as session_send.
 */
enum envl_status kv_read(struct session *session, int64_t version,
                         struct kv_secret *out, struct envl_error *err);

#endif /* VAULT_KV_H */
