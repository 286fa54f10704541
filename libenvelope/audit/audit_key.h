/*
 * audit_key.h - the key a log is written or checked under.
 */
#ifndef AUDIT_AUDIT_KEY_H
#define AUDIT_AUDIT_KEY_H

#include "audit/audit_record.h"

/**
 * audit_key_new(ring, out, err):
 * The audit key of ${ring} as it is now, in guarded memory; the caller frees
 * it with audit_key_free.  Fails with ENVL_E_NOMEM.
 */
enum envl_status audit_key_new(struct envl_keyring *ring,
                               struct audit_key **out,
                               struct envl_error *err);

/**
 * audit_key_is_current(key, ring):
 * False once ${ring} has another ring key.
 */
bool audit_key_is_current(const struct audit_key *key,
                          struct envl_keyring *ring);

/**
 * audit_key_free(key):
 * Wipe and release; NULL is ignored.
 */
void audit_key_free(struct audit_key *key);

#endif /* AUDIT_AUDIT_KEY_H */
