/*
 * audit_record.h - one line of the audit log: made, and read back strictly
 * (spec AUD-10).
 */
#ifndef AUDIT_AUDIT_RECORD_H
#define AUDIT_AUDIT_RECORD_H

#include <envelope/audit.h>

#include "crypto/hmac512.h"

#define AUDIT_LINE_LIMIT 65536u /* bytes, the LF included */
#define AUDIT_HASH_LEN   32u

/* Under which ring a record is written. */
struct audit_key {
    char ring[ENVL_UUID_SIZE];
    uint8_t pin[16];
    struct hmac512_key mac; /* lies in guarded memory */
};

/* Where a record stands in its log. */
struct audit_place {
    uint64_t number;
    uint8_t hash[AUDIT_HASH_LEN]; /* of the record; before any: zeros */
};

/* What a line says, as far as the chain is concerned. */
struct audit_read {
    uint64_t number;
    uint8_t previous[AUDIT_HASH_LEN];
    uint8_t hash[AUDIT_HASH_LEN];
    bool has_ring;
    char ring[ENVL_UUID_SIZE];
    uint8_t pin[16];
    uint8_t mac[32];
    struct envl_bytes covered; /* of the line: what hash and mac cover */
};

/**
 * audit_record_append(event, key, place, out, err):
 * Append the line of ${event} after ${place}, which becomes its own, to
 * ${out}; ${key} may be NULL.  Fails with ENVL_E_USAGE or ENVL_E_LIMIT for an
 * event that no record can hold, ENVL_E_NOMEM.
 */
enum envl_status audit_record_append(const struct envl_audit_event *event,
                                     const struct audit_key *key,
                                     struct audit_place *place,
                                     struct envl_buf *out,
                                     struct envl_error *err);

/**
 * audit_record_read(line, out):
 * Read ${line} (without its LF).  NULL if it is a record whose record_hash is
 * right, else why not.
 */
const char *audit_record_read(struct envl_bytes line, struct audit_read *out);

/**
 * audit_record_is_under(read, key):
 * True if the record claims to be written under ${key}.
 */
bool audit_record_is_under(const struct audit_read *read,
                           const struct audit_key *key);

/**
 * audit_record_mac_holds(read, key):
 * True if its MAC is that of ${key}.
 */
bool audit_record_mac_holds(const struct audit_read *read,
                            const struct audit_key *key);

#endif /* AUDIT_AUDIT_RECORD_H */
