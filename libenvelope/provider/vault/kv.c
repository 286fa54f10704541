#include "provider/vault/kv.h"

#include <string.h>

#include <sodium.h>

#define SECRET_LEN   32u
#define ANSWER_LIMIT (1u << 20) /* a secret may have other fields, too */

static enum envl_status
make_path(const struct settings *settings, int64_t version,
          struct envl_buf *out, struct envl_error *err)
{
    char query[32];
    enum envl_status status;

    snprintf(query, sizeof(query), "?version=%lld", (long long)version);
    if ((status = http_escape(settings->mount, true, out, err)) != ENVL_OK ||
        (status = answer_put(out, err, "/data/", NULL)) != ENVL_OK ||
        (status = http_escape(settings->path, true, out, err)) != ENVL_OK)
        return status;
    if (version > 0 &&
        (status = answer_put(out, err, query, NULL)) != ENVL_OK)
        return status;
    return envl_buf_append(out, (struct envl_bytes){ (const uint8_t *)"",
                                                     1 }, err);
}

static enum envl_status
take(const struct session *session, const struct http_answer *answer,
     struct kv_secret *out, struct envl_error *err)
{
    const struct settings *settings = session->settings;
    struct answer_value root, data, field, version;
    struct envl_span room;
    enum envl_status status;

    if (answer->code != 200 ||
        !answer_whole(envl_buf_view(&answer->body), &root) ||
        !answer_path(&root, "data.data", &data) ||
        !answer_path(&root, "data.metadata.version", &version))
        return session_refused(session, answer, "read the secret", err);
    if ((status = envl_secret_new(SECRET_LEN, &out->bytes, err)) != ENVL_OK)
        return status;
    out->version = answer_number(&version, 0);
    room = envl_secret_span(out->bytes);
    if (answer_member(&data, settings->field, &field) &&
        answer_base64(&field, &room, NULL) == ENVL_OK &&
        room.len == SECRET_LEN)
        return ENVL_OK;
    envl_secret_free(out->bytes);
    out->bytes = NULL;
    envl_fail(err, ENVL_E_PROVIDER, "provider '%s': the field '%.80s' is not "
              "base64 of 32 bytes", settings->name, settings->field);
    envl_hint(err, "write it with: openssl rand -base64 32 | vault kv put "
              "-mount=MOUNT PATH FIELD=-");
    return ENVL_E_PROVIDER;
}

enum envl_status
kv_read(struct session *session, int64_t version, struct kv_secret *out,
        struct envl_error *err)
{
    struct http_answer answer = { .body = ENVL_BUF_INIT };
    struct envl_buf path = ENVL_BUF_INIT;
    enum envl_status status;

    out->bytes = NULL;
    status = make_path(session->settings, version, &path, err);
    if (status == ENVL_OK)
        status = session_send(session, &(struct session_request){
            .method = "GET", .path = (const char *)path.ptr,
            .limit = ANSWER_LIMIT }, &answer, err);
    if (status == ENVL_OK)
        status = take(session, &answer, out, err);
    envl_buf_free(&path);
    envl_buf_free(&answer.body);
    return status;
}
