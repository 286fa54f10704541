#include "provider/aws/endpoint.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/clock.h"
#include "provider/http/answer.h"
#include "provider/http/http.h"
#include "provider/http/secret_file.h"

#define ANSWER_LIMIT 65536u
#define TIMEOUT_MS   3000u
#define CONTAINER    "http://169.254.170.2"
#define INSTANCE     "http://169.254.169.254"
#define ROLES        "/latest/meta-data/iam/security-credentials/"

static enum envl_status
no_credentials(const struct credentials_options *options, const char *where,
               struct envl_error *err)
{
    envl_fail(err, ENVL_E_NOKEY, "provider '%s': no credentials from the %s",
              options->name, where);
    envl_hint(err, "has it a role, and may that role use the key?");
    return ENVL_E_NOKEY;
}

/* One request with at most one header of ours. */
static enum envl_status
ask(struct http_client *http, const char *method, const char *path,
    const char *header, struct http_answer *answer, struct envl_error *err)
{
    const char *headers[] = { header, NULL };

    return http_client_send(http, &(struct http_request){
        .method = method, .path = path, .headers = headers,
        .type = "Content-Type: text/plain", .limit = ANSWER_LIMIT,
    }, answer, err);
}

static enum envl_status
take_secret(const struct answer_value *root, const char *name,
            struct envl_secret **out)
{
    struct envl_buf text = ENVL_BUF_INIT;
    struct answer_value value;
    enum envl_status status = ENVL_E_FORMAT;

    if (answer_member(root, name, &value) &&
        answer_text(&value, &text, NULL) == ENVL_OK && text.len > 0)
        status = envl_secret_new(text.len + 1, out, NULL);
    if (status == ENVL_OK)
        memcpy(envl_secret_span(*out).ptr, text.ptr, text.len);
    envl_buf_free(&text);
    return status;
}

/* The same four members from both endpoints. */
static enum envl_status
take_keys(const struct credentials_options *options, const char *where,
          const struct http_answer *answer, struct credentials_keys *out,
          struct envl_error *err)
{
    struct envl_buf date = ENVL_BUF_INIT;
    struct answer_value root, value;

    if (answer->code != 200 ||
        !answer_whole(envl_buf_view(&answer->body), &root) ||
        take_secret(&root, "AccessKeyId", &out->access_key) != ENVL_OK ||
        take_secret(&root, "SecretAccessKey", &out->secret_key) != ENVL_OK) {
        credentials_free(out);
        return no_credentials(options, where, err);
    }
    (void)take_secret(&root, "Token", &out->session_token);
    if (answer_member(&root, "Expiration", &value) &&
        answer_text(&value, &date, NULL) == ENVL_OK)
        (void)clock_parse(envl_buf_view(&date), &out->expires);
    envl_buf_free(&date);
    return ENVL_OK;
}

static enum envl_status
open_client(const struct credentials_options *options, const char *address,
            struct http_client **out, struct envl_error *err)
{
    return http_client_new(&(struct http_options){
        .name = options->name, .address = address, .timeout_ms = TIMEOUT_MS,
        .metadata = true }, out, err);
}

/* ---- a container --------------------------------------------------------- */

/* "Authorization: ..." of a file, which may be replaced, or a variable. */
static enum envl_status
container_token(const struct credentials_options *options,
                struct envl_buf *out, struct envl_error *err)
{
    const char *path = getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *token = getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    const struct envl_bytes nul = { (const uint8_t *)"", 1 };
    struct envl_secret *secret = NULL;
    enum envl_status status = ENVL_OK;

    if (path == NULL && token == NULL)
        return ENVL_OK;
    if (path != NULL)
        status = secret_file_read(&(struct secret_file){
            "container token file", path, options->mounts,
            options->mount_count }, &secret, err);
    if (status == ENVL_OK)
        status = answer_put(out, err, "Authorization: ", NULL);
    if (status == ENVL_OK)
        status = envl_buf_append(out, secret != NULL
                                          ? envl_secret_bytes(secret)
                                          : envl_bytes_of(token), err);
    if (status == ENVL_OK)
        status = envl_buf_append(out, nul, err);
    envl_secret_free(secret);
    return status;
}

/* Split ${uri} behind its authority, so that the path is what it says. */
static enum envl_status
open_uri(const struct credentials_options *options, const char *uri,
         struct http_client **http, const char **path, struct envl_error *err)
{
    const char *authority = strstr(uri, "://");
    char address[256];
    size_t len;

    if (authority == NULL)
        return no_credentials(options, "container", err);
    *path = authority + 3 + strcspn(authority + 3, "/");
    len = (size_t)(*path - uri);
    if (len >= sizeof(address))
        return no_credentials(options, "container", err);
    memcpy(address, uri, len);
    address[len] = '\0';
    return open_client(options, address, http, err);
}

enum envl_status
endpoint_container(const struct credentials_options *options,
                   struct credentials_keys *out, struct envl_error *err)
{
    const char *path = getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *uri = getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    struct http_answer answer = { .body = ENVL_BUF_INIT };
    struct envl_buf token = ENVL_BUF_INIT;
    struct http_client *http = NULL;
    enum envl_status status;

    if (path == NULL && uri == NULL)
        return no_credentials(options, "container", err);
    status = path != NULL ? open_client(options, CONTAINER, &http, err)
                          : open_uri(options, uri, &http, &path, err);
    if (status == ENVL_OK && *path != '/')
        status = no_credentials(options, "container", err);
    if (status == ENVL_OK)
        status = container_token(options, &token, err);
    if (status == ENVL_OK)
        status = ask(http, "GET", path, (const char *)token.ptr, &answer,
                     err);
    if (status == ENVL_OK)
        status = take_keys(options, "container", &answer, out, err);
    envl_buf_free(&token);
    envl_buf_free(&answer.body);
    http_client_free(http);
    return status;
}

/* ---- an instance --------------------------------------------------------- */

/* A header of what was answered, which is text of one line. */
static enum envl_status
metadata_token(const struct credentials_options *options,
               struct http_client *http, struct envl_buf *out,
               struct envl_error *err)
{
    struct http_answer answer = { .body = ENVL_BUF_INIT };
    enum envl_status status;

    status = ask(http, "PUT", "/latest/api/token",
                 "X-aws-ec2-metadata-token-ttl-seconds: 300", &answer, err);
    if (status == ENVL_OK && (answer.code != 200 || answer.body.len == 0))
        status = no_credentials(options, "instance", err);
    if (status == ENVL_OK)
        status = answer_put(out, err, "X-aws-ec2-metadata-token: ", NULL);
    if (status == ENVL_OK)
        status = envl_buf_append(out, envl_buf_view(&answer.body), err);
    if (status == ENVL_OK)
        status = envl_buf_append(out, (struct envl_bytes){
            (const uint8_t *)"", 1 }, err);
    envl_buf_free(&answer.body);
    return status;
}

/* Its first line, as part of the path that asks for its keys. */
static enum envl_status
metadata_role(const struct credentials_options *options,
              struct http_client *http, const char *token,
              struct envl_buf *out, struct envl_error *err)
{
    struct http_answer answer = { .body = ENVL_BUF_INIT };
    enum envl_status status = ask(http, "GET", ROLES, token, &answer, err);
    char role[129];
    size_t len;

    if (status != ENVL_OK)
        return status;
    for (len = 0; len < answer.body.len && len + 1 < sizeof(role) &&
                  answer.body.ptr[len] > ' '; len++)
        role[len] = (char)answer.body.ptr[len];
    role[len] = '\0';
    envl_buf_free(&answer.body);
    if (answer.code != 200 || len == 0)
        return no_credentials(options, "instance", err);
    if ((status = answer_put(out, err, ROLES, NULL)) != ENVL_OK ||
        (status = http_escape(role, false, out, err)) != ENVL_OK)
        return status;
    return envl_buf_append(out, (struct envl_bytes){ (const uint8_t *)"",
                                                     1 }, err);
}

enum envl_status
endpoint_instance(const struct credentials_options *options,
                  struct credentials_keys *out, struct envl_error *err)
{
    const char *off = getenv("AWS_EC2_METADATA_DISABLED");
    const char *address = getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    struct envl_buf token = ENVL_BUF_INIT, path = ENVL_BUF_INIT;
    struct http_answer answer = { .body = ENVL_BUF_INIT };
    struct http_client *http = NULL;
    enum envl_status status;

    if (off != NULL && strcasecmp(off, "true") == 0)
        return no_credentials(options, "instance", err);
    if ((status = open_client(options, address != NULL ? address : INSTANCE,
                              &http, err)) != ENVL_OK ||
        (status = metadata_token(options, http, &token, err)) != ENVL_OK ||
        (status = metadata_role(options, http, (const char *)token.ptr, &path,
                                err)) != ENVL_OK ||
        (status = ask(http, "GET", (const char *)path.ptr,
                      (const char *)token.ptr, &answer, err)) != ENVL_OK)
        goto out;
    status = take_keys(options, "instance", &answer, out, err);

out:
    envl_buf_free(&token);
    envl_buf_free(&path);
    envl_buf_free(&answer.body);
    http_client_free(http);
    return status;
}
