#include "provider/vault/settings.h"

#include <stdlib.h>
#include <string.h>

static void
read_token(struct config *c, struct settings_auth *auth)
{
    config_path(c, "token_file", &auth->token_file);
    if (c->status == ENVL_OK && auth->token_file == NULL)
        config_refuse(c, "token_file", "is missing");
    config_flag(c, "renew", &auth->renew);
}

static void
read_approle(struct config *c, struct settings_auth *auth)
{
    config_text(c, "role_id", &auth->role_id);
    config_path(c, "role_id_file", &auth->role_id_file);
    config_path(c, "secret_id_file", &auth->secret_id_file);
    config_path(c, "wrapped_secret_id_file", &auth->wrapped_secret_id_file);
    if ((auth->role_id != NULL) + (auth->role_id_file != NULL) != 1)
        config_refuse(c, "role_id", "or role_id_file, one of them, is "
                                    "needed");
    if ((auth->secret_id_file != NULL) +
            (auth->wrapped_secret_id_file != NULL) != 1)
        config_refuse(c, "secret_id_file", "or wrapped_secret_id_file, one "
                                           "of them, is needed");
}

static void
read_kubernetes(struct config *c, struct settings_auth *auth)
{
    config_need_text(c, "role", &auth->role);
    config_path(c, "jwt_file", &auth->jwt_file);
    if (auth->jwt_file == NULL)
        auth->jwt_file = "/var/run/secrets/kubernetes.io/serviceaccount/token";
}

static void
read_auth(struct config *outer, struct settings *out)
{
    static const char *const names[] = { "token", "approle", "cert",
                                         "kubernetes" };
    struct settings_auth *auth = &out->auth;
    const char *method = NULL;
    struct config c;
    size_t i = 0;

    config_inner(outer, "auth", "auth.", &c);
    config_need_text(&c, "method", &method);
    while (method != NULL && i < 4 && strcmp(names[i], method) != 0)
        i++;
    if (i == 4)
        config_refuse(&c, "method", "is none of token, approle, cert and "
                                    "kubernetes");
    auth->method = (enum settings_method)i;
    if (auth->method == SETTINGS_TOKEN)
        read_token(&c, auth);
    else
        config_text(&c, "mount", &auth->mount);
    if (auth->mount == NULL && i < 4)
        auth->mount = names[i];
    if (auth->method == SETTINGS_APPROLE)
        read_approle(&c, auth);
    else if (auth->method == SETTINGS_KUBERNETES)
        read_kubernetes(&c, auth);
    else if (auth->method == SETTINGS_CERT)
        config_text(&c, "role", &auth->role);
    config_done(&c, outer);
}

static void
read_engine(struct config *c, const char *type, struct settings *out)
{
    config_text(c, "mount", &out->mount);
    if (strcmp(type, "vault-transit") == 0) {
        config_need_text(c, "key", &out->key);
        config_number(c, &(struct config_number){ "batch", 1, 1000, 250 },
                      &out->batch);
        cache_read(c, &out->cache);
        if (out->mount == NULL)
            out->mount = "transit";
    } else {
        config_need_text(c, "path", &out->path);
        config_text(c, "field", &out->field);
        if (out->mount == NULL)
            out->mount = "secret";
        if (out->field == NULL)
            out->field = "key";
    }
}

static bool
copy_mounts(const struct envl_provider_request *request,
            struct settings *out)
{
    out->mounts = calloc(request->mount_count + 1, sizeof(*out->mounts));
    if (out->mounts == NULL)
        return false;
    for (size_t i = 0; i < request->mount_count; i++) {
        if ((out->mounts[i] = strdup(request->mounts[i])) == NULL)
            return false;
        out->mount_count = i + 1;
    }
    return true;
}

enum envl_status
settings_read(const struct envl_provider_request *request,
              struct settings *out, struct envl_error *err)
{
    struct config *c = &out->config;
    int64_t seconds;

    *out = (struct settings){ .name = strdup(request->name) };
    if (out->name == NULL || !copy_mounts(request, out))
        return envl_fail(err, ENVL_E_NOMEM, "out of memory for a provider");
    config_open(request->settings, out->name, c, err);
    config_need_text(c, "address", &out->http.address);
    config_text(c, "namespace", &out->namespace);
    config_path(c, "ca_file", &out->http.ca_file);
    config_path(c, "cert_file", &out->http.cert_file);
    config_path(c, "key_file", &out->http.key_file);
    config_number(c, &(struct config_number){ "timeout_seconds", 1, 120,
                                              10 }, &seconds);
    read_auth(c, out);
    read_engine(c, request->type, out);
    if (out->auth.method == SETTINGS_CERT && out->http.cert_file == NULL)
        config_refuse(c, "cert_file", "is needed for auth.method cert");
    config_done(c, NULL);
    out->http.name = out->name;
    out->http.timeout_ms = (unsigned)seconds * 1000u;
    out->http.mounts = (const char *const *)out->mounts;
    out->http.mount_count = out->mount_count;
    return c->status;
}

void
settings_free(struct settings *settings)
{
    (void)config_close(&settings->config);
    for (size_t i = 0; i < settings->mount_count; i++)
        free(settings->mounts[i]);
    free(settings->mounts);
    free(settings->name);
    *settings = (struct settings){ .name = NULL };
}
