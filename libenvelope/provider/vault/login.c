#include "provider/vault/login.h"

#include <string.h>

#include "provider/http/secret_file.h"

#define ANSWER_LIMIT 65536u

enum envl_status
login_header(const char *name, const struct envl_secret *secret,
             struct envl_buf *out, struct envl_error *err)
{
    enum envl_status status = answer_put(out, err, name, ": ", NULL);

    /* A NUL within would cut the header short, unseen. */
    if (status == ENVL_OK &&
        memchr(envl_secret_bytes(secret).ptr, 0,
               envl_secret_bytes(secret).len) != NULL)
        status = envl_fail(err, ENVL_E_USAGE, "a credential holds a control "
                           "character");
    if (status == ENVL_OK)
        status = envl_buf_append(out, envl_secret_bytes(secret), err);
    if (status == ENVL_OK)
        status = envl_buf_append(out, (struct envl_bytes){
            (const uint8_t *)"", 1 }, err);
    return status;
}

enum envl_status
login_read(const struct session *session, const struct http_answer *answer,
           struct login_token *out, struct envl_error *err)
{
    struct answer_value root, value;

    if (!answer_whole(envl_buf_view(&answer->body), &root) ||
        !answer_path(&root, "auth.client_token", &value) ||
        answer_secret(&value, &out->token, NULL) != ENVL_OK)
        return session_refused(session, &(struct http_answer){ .code = 200 },
                               "log in", err);
    out->lease_seconds = 0;
    if (answer_path(&root, "auth.lease_duration", &value))
        out->lease_seconds = answer_number(&value, 0);
    out->renewable = answer_path(&root, "auth.renewable", &value) &&
                     value.kind == JSON_SCAN_TRUE;
    return ENVL_OK;
}

/* ---- without a token ----------------------------------------------------- */

/* POST to /v1/${path}; ${token} NULL, or one that is not the session's. */
static enum envl_status
post(struct session *session, const char *path, struct envl_bytes body,
     const struct envl_secret *token, struct http_answer *answer,
     struct envl_error *err)
{
    struct envl_buf url = ENVL_BUF_INIT, name = ENVL_BUF_INIT;
    struct envl_buf header = ENVL_BUF_INIT;
    const struct envl_bytes nul = { (const uint8_t *)"", 1 };
    const char *headers[4] = { "X-Vault-Request: true", NULL };
    size_t count = 1;
    enum envl_status status;

    if ((status = answer_put(&url, err, "/v1/", path, NULL)) != ENVL_OK ||
        (status = envl_buf_append(&url, nul, err)) != ENVL_OK)
        goto out;
    if (session->settings->namespace != NULL) {
        if ((status = answer_put(&name, err, "X-Vault-Namespace: ",
                                 session->settings->namespace, NULL)) !=
                ENVL_OK ||
            (status = envl_buf_append(&name, nul, err)) != ENVL_OK)
            goto out;
        headers[count++] = (const char *)name.ptr;
    }
    if (token != NULL) {
        if ((status = login_header("X-Vault-Token", token, &header, err)) !=
            ENVL_OK)
            goto out;
        headers[count++] = (const char *)header.ptr;
    }
    status = http_client_send(session->http, &(struct http_request){
        .method = "POST", .path = (const char *)url.ptr,
        .headers = headers, .body = body,
        .answer_type = "application/json", .limit = ANSWER_LIMIT,
        .once = token != NULL,
    }, answer, err);

out:
    envl_buf_free(&url);
    envl_buf_free(&name);
    envl_buf_free(&header);
    return status;
}

static enum envl_status
read_file(const struct session *session, const char *what, const char *path,
          struct envl_secret **out, struct envl_error *err)
{
    return secret_file_read(&(struct secret_file){
        what, path, (const char *const *)session->settings->mounts,
        session->settings->mount_count }, out, err);
}

/* ---- a wrapped secret_id ------------------------------------------------- */

static enum envl_status
not_wrapped_for_us(const struct session *session, struct envl_error *err)
{
    envl_fail(err, ENVL_E_PROVIDER, "provider '%s': the wrapped secret_id "
              "cannot be unwrapped", session->settings->name);
    envl_hint(err, "it was used already, has expired, or was not made by the "
              "AppRole: if nobody of yours used it, somebody else has it; "
              "revoke it and issue a new one");
    return ENVL_E_PROVIDER;
}

/* auth/MOUNT/role/NAME/secret-id: what else is in it could be anybody's. */
static bool
is_secret_id_path(const struct session *session,
                  const struct http_answer *answer)
{
    struct envl_buf path = ENVL_BUF_INIT, want = ENVL_BUF_INIT;
    struct answer_value root, value;
    bool ok = answer->code == 200 &&
              answer_whole(envl_buf_view(&answer->body), &root) &&
              answer_path(&root, "data.creation_path", &value) &&
              answer_text(&value, &path, NULL) == ENVL_OK &&
              answer_put(&want, NULL, "auth/", session->settings->auth.mount,
                         "/role/", NULL) == ENVL_OK &&
              path.len > want.len + 10 &&
              strncmp((char *)path.ptr, (char *)want.ptr, want.len) == 0 &&
              strncmp((char *)path.ptr + path.len - 10, "/secret-id",
                      10) == 0;

    envl_buf_free(&path);
    envl_buf_free(&want);
    return ok;
}

/* It can be unwrapped once in its life: what it held is kept. */
static enum envl_status
unwrap(struct session *session, struct envl_error *err)
{
    struct http_answer answer = { .body = ENVL_BUF_INIT };
    struct envl_secret *token = NULL;
    struct envl_buf body = ENVL_BUF_INIT, text = ENVL_BUF_INIT;
    struct answer_value root, value;
    enum envl_status status;

    status = read_file(session, "wrapped secret_id file",
                       session->settings->auth.wrapped_secret_id_file, &token,
                       err);
    if (status != ENVL_OK)
        return status;
    if ((status = answer_put(&body, err, "{\"token\":", NULL)) != ENVL_OK ||
        (status = json_scan_escape(envl_secret_bytes(token), &body, err)) !=
            ENVL_OK ||
        (status = answer_put(&body, err, "}", NULL)) != ENVL_OK ||
        (status = post(session, "sys/wrapping/lookup", envl_buf_view(&body),
                       NULL, &answer, err)) != ENVL_OK)
        goto out;
    if (!is_secret_id_path(session, &answer)) {
        status = not_wrapped_for_us(session, err);
        goto out;
    }
    envl_buf_free(&answer.body);
    status = post(session, "sys/wrapping/unwrap", envl_bytes_of("{}"), token,
                  &answer, err);
    if (status == ENVL_OK &&
        (answer.code != 200 ||
         !answer_whole(envl_buf_view(&answer.body), &root) ||
         !answer_path(&root, "data.secret_id", &value) ||
         answer_secret(&value, &session->secret_id, NULL) != ENVL_OK))
        status = not_wrapped_for_us(session, err);

out:
    envl_secret_free(token);
    envl_buf_free(&body);
    envl_buf_free(&text);
    envl_buf_free(&answer.body);
    return status;
}

/* ---- the methods --------------------------------------------------------- */

/* Append ,"${name}":"..." (without the comma at the beginning). */
static enum envl_status
put_member(struct envl_buf *body, const char *name, struct envl_bytes value,
           struct envl_error *err)
{
    enum envl_status status = answer_put(body, err,
                                         body->len > 1 ? ",\"" : "\"", name,
                                         "\":", NULL);

    return status != ENVL_OK ? status : json_scan_escape(value, body, err);
}

/* The same with what a file holds. */
static enum envl_status
put_file(struct session *session, struct envl_buf *body, const char *name,
         const char *path, struct envl_error *err)
{
    struct envl_secret *secret = NULL;
    char what[32];
    enum envl_status status;

    snprintf(what, sizeof(what), "%s file", name);
    if ((status = read_file(session, what, path, &secret, err)) != ENVL_OK)
        return status;
    status = put_member(body, name, envl_secret_bytes(secret), err);
    envl_secret_free(secret);
    return status;
}

static enum envl_status
put_approle(struct session *session, struct envl_buf *body,
            struct envl_error *err)
{
    const struct settings_auth *auth = &session->settings->auth;
    enum envl_status status =
        auth->role_id != NULL
            ? put_member(body, "role_id", envl_bytes_of(auth->role_id), err)
            : put_file(session, body, "role_id", auth->role_id_file, err);

    if (status != ENVL_OK)
        return status;
    if (auth->secret_id_file != NULL)
        return put_file(session, body, "secret_id", auth->secret_id_file,
                        err);
    if (session->secret_id == NULL &&
        (status = unwrap(session, err)) != ENVL_OK)
        return status;
    return put_member(body, "secret_id",
                      envl_secret_bytes(session->secret_id), err);
}

static enum envl_status
put_credentials(struct session *session, struct envl_buf *body,
                struct envl_error *err)
{
    const struct settings_auth *auth = &session->settings->auth;
    enum envl_status status;

    switch (auth->method) {
    case SETTINGS_APPROLE:
        return put_approle(session, body, err);
    case SETTINGS_KUBERNETES:
        status = put_member(body, "role", envl_bytes_of(auth->role), err);
        return status != ENVL_OK
                   ? status
                   : put_file(session, body, "jwt", auth->jwt_file, err);
    case SETTINGS_CERT:
        return auth->role == NULL
                   ? ENVL_OK
                   : put_member(body, "name", envl_bytes_of(auth->role), err);
    case SETTINGS_TOKEN:
        break;
    }
    return ENVL_OK;
}

static enum envl_status
log_in(struct session *session, struct login_token *out,
       struct envl_error *err)
{
    struct http_answer answer = { .body = ENVL_BUF_INIT };
    struct envl_buf body = ENVL_BUF_INIT, path = ENVL_BUF_INIT;
    enum envl_status status;

    if ((status = answer_put(&path, err, "auth/", NULL)) != ENVL_OK ||
        (status = http_escape(session->settings->auth.mount, true, &path,
                              err)) != ENVL_OK ||
        (status = answer_put(&path, err, "/login", NULL)) != ENVL_OK ||
        (status = envl_buf_append(&path, (struct envl_bytes){
             (const uint8_t *)"", 1 }, err)) != ENVL_OK ||
        (status = answer_put(&body, err, "{", NULL)) != ENVL_OK ||
        (status = put_credentials(session, &body, err)) != ENVL_OK ||
        (status = answer_put(&body, err, "}", NULL)) != ENVL_OK ||
        (status = post(session, (const char *)path.ptr, envl_buf_view(&body),
                       NULL, &answer, err)) != ENVL_OK)
        goto out;
    if (answer.code == 200) {
        status = login_read(session, &answer, out, err);
    } else {
        status = envl_fail(err, ENVL_E_PROVIDER, "provider '%s' refuses the "
                           "login (%ld)", session->settings->name,
                           answer.code);
        envl_hint(err, "are auth.mount, the role and the credential right, "
                  "and not expired?");
    }

out:
    envl_buf_free(&body);
    envl_buf_free(&path);
    envl_buf_free(&answer.body);
    return status;
}

enum envl_status
login_get(struct session *session, struct login_token *out,
          struct envl_error *err)
{
    *out = (struct login_token){ .token = NULL };
    if (session->settings->auth.method == SETTINGS_TOKEN)
        return read_file(session, "token file",
                         session->settings->auth.token_file, &out->token,
                         err);
    return log_in(session, out, err);
}
