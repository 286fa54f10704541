/*
 * load.h - from a file to a view: read, parse, unlock, check, unwrap.
 *
 * The order is the spec's (KEY-24): the file's permissions, its form, an
 * unlock entry, the MAC, and only then a key.
 */
#ifndef KEYRING_LOAD_H
#define KEYRING_LOAD_H

#include "keyring/ring.h"

#define RING_FILE_LIMIT (32u << 20) /* bytes: some 90,000 keys */

/* What a load may use. */
struct load_request {
    const char *path;
    struct envl_provider *const *providers;
    size_t provider_count;
    size_t openers;                  /* 0, or only the first so many open   */
    const char *entry;               /* NULL, or only this unlock entry     */
    const struct ring_keys *known;   /* NULL, or the ring key of a moment
                                        ago: tried before any provider      */
    const struct envl_ring_mark *seen; /* NULL, or refuse what is older     */
    const uint8_t *pin;              /* NULL, or the pin configured         */
    const uint8_t *known_pin;        /* NULL, or one seen here: KEY-26 only */
    bool new_pin;                    /* another pin than ${seen}'s will do, in
                                        a higher generation                 */
};

/* A file that was read and parsed, and is not believed yet. */
struct load_file {
    struct envl_buf text;
    struct ring_doc doc;     /* indexed */
    struct envl_bytes line;  /* line 1 without its LF, in text */
    struct file_id id;
};

/**
 * load_read(path, out, err):
 * Open ${path} safely, read and parse it.  The caller frees ${out} with
 * load_file_free.  Fails with ENVL_E_NOTFOUND, ENVL_E_POLICY, ENVL_E_IO,
 * ENVL_E_INTEGRITY.
 */
enum envl_status load_read(const char *path, struct load_file *out,
                           struct envl_error *err);

/**
 * load_parse(file, err):
 * Parse ${file}->text into the rest of ${file}.
 */
enum envl_status load_parse(struct load_file *file, struct envl_error *err);

/**
 * load_file_free(file):
 * Release what it holds.
 */
void load_file_free(struct load_file *file);

/**
 * load_open(request, file, out, err):
 * Unlock ${file}, check its MAC and its place in time, and unwrap its keys
 * into a new view; the document moves into it.  Fails as envl_keyring_open.
 */
enum envl_status load_open(const struct load_request *request,
                           struct load_file *file, struct ring_view **out,
                           struct envl_error *err);

/**
 * load_mac_holds(keys, file):
 * True if ${file} was written under the ring key of ${keys}.
 */
bool load_mac_holds(const struct ring_keys *keys,
                    const struct load_file *file);

/**
 * load_check(key, kid, out):
 * The check value of a key under its kid (spec KEY-34).
 */
void load_check(const struct hmac512_key *key, const char *kid,
                uint8_t out[RING_CHECK_LEN]);

/**
 * load_bind(key, ring_id, provider):
 * Let ${provider} serve ${key} of the ring ${ring_id} if it has the name the
 * key asks for, can wrap, and serves no other ring.
 */
void load_bind(struct key *key, const char *ring_id,
               struct envl_provider *provider);

/**
 * load_ring(request, out, err):
 * load_read and load_open.
 */
enum envl_status load_ring(const struct load_request *request,
                           struct ring_view **out, struct envl_error *err);

#endif /* KEYRING_LOAD_H */
