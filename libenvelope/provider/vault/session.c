#include "provider/vault/session.h"

#include <string.h>

#include "core/clock.h"
#include "provider/vault/login.h"

#define TOKEN_LIMIT 65536u /* bytes of an answer to a login */

enum envl_status
session_open(const struct settings *settings, struct session *out,
             struct envl_error *err)
{
    *out = (struct session){ .settings = settings };
    pthread_mutex_init(&out->lock, NULL);
    return http_client_new(&settings->http, &out->http, err);
}

/* ---- the token ----------------------------------------------------------- */

/* Two thirds of its time from now, or never.  spec: KEY-69 */
static void
keep(struct session *session, struct login_token *token)
{
    envl_secret_free(session->token);
    session->token = token->token;
    session->token_number++;
    session->renew_at_ms = 0;
    if (token->lease_seconds > 0)
        session->renew_at_ms = clock_monotonic_ms() +
                               token->lease_seconds * 667;
}

static enum envl_status
send_as(struct session *session, const struct envl_secret *token,
        const struct session_request *request, struct http_answer *answer,
        struct envl_error *err)
{
    struct envl_buf path = ENVL_BUF_INIT, header = ENVL_BUF_INIT;
    struct envl_buf namespace = ENVL_BUF_INIT;
    const char *headers[4] = { "X-Vault-Request: true", NULL };
    size_t count = 1;
    enum envl_status status;

    if ((status = answer_put(&path, err, "/v1/", request->path, NULL)) !=
            ENVL_OK ||
        (status = envl_buf_append(&path, (struct envl_bytes){
             (const uint8_t *)"", 1 }, err)) != ENVL_OK ||
        (status = login_header("X-Vault-Token", token, &header, err)) !=
            ENVL_OK)
        goto out;
    headers[count++] = (const char *)header.ptr;
    if (session->settings->namespace != NULL) {
        if ((status = answer_put(&namespace, err, "X-Vault-Namespace: ",
                                 session->settings->namespace, NULL)) !=
                ENVL_OK ||
            (status = envl_buf_append(&namespace, (struct envl_bytes){
                 (const uint8_t *)"", 1 }, err)) != ENVL_OK)
            goto out;
        headers[count++] = (const char *)namespace.ptr;
    }
    status = http_client_send(session->http, &(struct http_request){
        .method = request->method, .path = (const char *)path.ptr,
        .headers = headers, .body = request->body,
        .answer_type = "application/json", .limit = request->limit,
    }, answer, err);

out:
    envl_buf_free(&path);
    envl_buf_free(&header);
    envl_buf_free(&namespace);
    return status;
}

/* The caller holds the lock.  False: a new one is needed. */
static bool
renew(struct session *session)
{
    const struct session_request request = {
        .method = "POST", .path = "auth/token/renew-self",
        .body = envl_bytes_of("{}"), .limit = TOKEN_LIMIT,
    };
    struct login_token token = { .token = NULL };
    struct http_answer answer = { .body = ENVL_BUF_INIT };
    bool renewed = send_as(session, session->token, &request, &answer,
                           NULL) == ENVL_OK &&
                   answer.code == 200 &&
                   login_read(session, &answer, &token, NULL) == ENVL_OK &&
                   token.lease_seconds > 0;

    if (renewed)
        keep(session, &token);
    else
        envl_secret_free(token.token);
    envl_buf_free(&answer.body);
    return renewed;
}

/* The caller holds the lock. */
static enum envl_status
get_token(struct session *session, struct envl_error *err)
{
    const struct settings_auth *auth = &session->settings->auth;
    struct login_token token = { .token = NULL };
    enum envl_status status = login_get(session, &token, err);

    if (status != ENVL_OK)
        return status;
    keep(session, &token);
    /* How long a token of a file lives is learnt by renewing it. */
    if (auth->method == SETTINGS_TOKEN && auth->renew)
        (void)renew(session);
    return ENVL_OK;
}

/* A copy of the token, renewed if it is time, got again if it is ${stale}. */
static enum envl_status
current_token(struct session *session, uint64_t stale,
              struct envl_secret **out, uint64_t *number,
              struct envl_error *err)
{
    enum envl_status status = ENVL_OK;

    pthread_mutex_lock(&session->lock);
    if (session->token == NULL || session->token_number == stale)
        status = get_token(session, err);
    else if (session->renew_at_ms != 0 &&
             clock_monotonic_ms() >= session->renew_at_ms && !renew(session))
        status = get_token(session, err);
    if (status == ENVL_OK)
        status = envl_secret_new(envl_secret_bytes(session->token).len, out,
                                 err);
    if (status == ENVL_OK) {
        struct envl_bytes token = envl_secret_bytes(session->token);

        memcpy(envl_secret_span(*out).ptr, token.ptr, token.len);
        *number = session->token_number;
    }
    pthread_mutex_unlock(&session->lock);
    return status;
}

/* ---- requests ------------------------------------------------------------ */

enum envl_status
session_send(struct session *session, const struct session_request *request,
             struct http_answer *answer, struct envl_error *err)
{
    uint64_t number = 0;

    for (unsigned attempt = 0; attempt < 2; attempt++) {
        struct envl_secret *token = NULL;
        enum envl_status status = current_token(session, number, &token,
                                                &number, err);

        if (status != ENVL_OK)
            return status;
        status = send_as(session, token, request, answer, err);
        envl_secret_free(token);
        if (status != ENVL_OK || answer->code != 403)
            return status;
        envl_buf_free(&answer->body);
    }
    envl_fail(err, ENVL_E_PROVIDER, "provider '%s' denies the request (403)",
              session->settings->name);
    envl_hint(err, "the token has expired, or its policy lacks the path: "
              "docs/providers.md has the policy; what was done stays done, "
              "and can be gone on with");
    return ENVL_E_PROVIDER;
}

enum envl_status
session_refused(const struct session *session,
                const struct http_answer *answer, const char *what,
                struct envl_error *err)
{
    const char *name = session->settings->name;

    if (answer->code == 404) {
        envl_fail(err, ENVL_E_PROVIDER, "provider '%s' has nothing there: %s "
                  "(404)", name, what);
        envl_hint(err, "are mount, path, key and namespace right?");
    } else if (answer->code >= 400) {
        envl_fail(err, ENVL_E_PROVIDER, "provider '%s' refuses to %s (%ld)",
                  name, what, answer->code);
        envl_hint(err, "are mount, key and namespace right?");
    } else {
        envl_fail(err, ENVL_E_PROVIDER, "provider '%s' gives an answer that "
                  "is not understood, when asked to %s", name, what);
        envl_hint(err, "is `address` that of a Vault or OpenBao?");
    }
    return ENVL_E_PROVIDER;
}

void
session_close(struct session *session)
{
    envl_secret_free(session->token);
    envl_secret_free(session->secret_id);
    http_client_free(session->http);
    pthread_mutex_destroy(&session->lock);
}
