/*
 * credentials.h - the keys that sign requests to AWS.
 *
 * Where they come from, in the order in which the cloud's own tools look:
 * the environment, the shared file, the container's endpoint, the instance
 * (IMDSv2 alone).  Those that expire are fetched again five minutes earlier.
 */
#ifndef AWS_CREDENTIALS_H
#define AWS_CREDENTIALS_H

#include <pthread.h>
#include <stdbool.h>

#include <envelope/secret.h>

enum credentials_source {
    CREDENTIALS_ANY, /* the first that has some */
    CREDENTIALS_ENVIRONMENT,
    CREDENTIALS_FILE,
    CREDENTIALS_CONTAINER,
    CREDENTIALS_INSTANCE
};

/* Where to look; strings are borrowed and outlive the credentials. */
struct credentials_options {
    const char *name; /* of the provider */
    enum credentials_source source;
    const char *file;    /* NULL: $AWS_SHARED_CREDENTIALS_FILE, then
                            ~/.aws/credentials                        */
    const char *profile; /* NULL: $AWS_PROFILE, then "default"        */
    const char *const *mounts;
    size_t mount_count;
};

/* One set; each a secret that ends with a NUL. */
struct credentials_keys {
    struct envl_secret *access_key, *secret_key;
    struct envl_secret *session_token; /* NULL: none */
    int64_t expires;                   /* 0: never; seconds since 1970 */
};

struct credentials {
    struct credentials_options options;
    pthread_mutex_t lock;
    struct credentials_keys keys; /* access_key NULL: none yet */
    uint64_t number;              /* which set it is           */
};

/**
 * credentials_open(options, out), credentials_close(credentials):
 * Nothing is read yet.
 */
void credentials_open(const struct credentials_options *options,
                      struct credentials *out);
void credentials_close(struct credentials *credentials);

/**
 * credentials_get(credentials, stale, out, number, err):
 * Copy the current set to ${out}, fetched if there is none, it is about to
 * expire, or it is number ${stale} (0: none is).  The caller ends with
 * credentials_free.  Fails with ENVL_E_NOKEY where there are none,
 * ENVL_E_PROVIDER where an endpoint gives no answer, ENVL_E_POLICY.
 */
enum envl_status credentials_get(struct credentials *credentials,
                                 uint64_t stale,
                                 struct credentials_keys *out,
                                 uint64_t *number, struct envl_error *err);

/**
 * credentials_free(keys):
 * Wipe and release one set.
 */
void credentials_free(struct credentials_keys *keys);

#endif /* AWS_CREDENTIALS_H */
