/*
 * settings.h - what the configuration says of a Vault.
 *
 * docs/providers.md explains each member to a person.
 */
#ifndef VAULT_SETTINGS_H
#define VAULT_SETTINGS_H

#include <envelope/provider_module.h>

#include "provider/http/cache.h"
#include "provider/http/config.h"
#include "provider/http/http.h"

/* How a token is got. */
enum settings_method {
    SETTINGS_TOKEN,     /* from a file                          */
    SETTINGS_APPROLE,   /* role_id and secret_id                */
    SETTINGS_CERT,      /* the client certificate of the TLS    */
    SETTINGS_KUBERNETES /* the JWT of a service account         */
};

struct settings_auth {
    enum settings_method method;
    const char *mount;          /* of the auth method                      */
    const char *token_file;
    bool renew;                 /* a token of a file is renewed, too       */
    const char *role_id, *role_id_file;
    const char *secret_id_file; /* or                                      */
    const char *wrapped_secret_id_file; /* a response-wrapping token       */
    const char *role;           /* kubernetes; cert: optional              */
    const char *jwt_file;
};

/* Strings belong to config, which lives as long as this does. */
struct settings {
    struct config config;
    char *name;
    const char *namespace;
    struct http_options http;
    struct settings_auth auth;
    const char *mount; /* of the secrets engine            */
    const char *key;   /* transit: the key                 */
    int64_t batch;     /* transit: keys in one request     */
    struct cache_limits cache;
    const char *path;  /* kv: the secret                   */
    const char *field; /* kv: of the secret                */
    char **mounts;     /* secret mounts, copies            */
    size_t mount_count;
};

/**
 * settings_read(request, out, err):
 * Fails with ENVL_E_USAGE, ENVL_E_NOMEM; the caller frees ${out} in any case.
 */
enum envl_status settings_read(const struct envl_provider_request *request,
                               struct settings *out, struct envl_error *err);

/**
 * settings_free(settings):
 * Release what was read.
 */
void settings_free(struct settings *settings);

#endif /* VAULT_SETTINGS_H */
