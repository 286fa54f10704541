#include "provider/aws/kms.h"

#include <string.h>

#include <sodium.h>

#include "provider/http/answer.h"

#define ANSWER_LIMIT 65536u
#define BLOB_MAX     4096u

/* What KMS says in "__type", behind any '#'. */
enum kind {
    NOT_OURS,  /* this blob, under this key and context    */
    PASSES,    /* the same request may succeed in a moment */
    STALE,     /* other credentials are needed             */
    REFUSED
};

static const struct {
    const char *type;
    enum kind kind;
    const char *says; /* for REFUSED: what the provider does */
} types[] = {
    { "InvalidCiphertextException", NOT_OURS, NULL },
    { "IncorrectKeyException", NOT_OURS, NULL },
    { "ThrottlingException", PASSES, "is asked too often" },
    { "LimitExceededException", PASSES, "is asked too often" },
    { "DependencyTimeoutException", PASSES, "does not answer in time" },
    { "KMSInternalException", PASSES, "has an error of its own" },
    { "ExpiredTokenException", STALE, "says that the credentials have "
                                      "expired" },
    { "UnrecognizedClientException", STALE, "does not know the credentials" },
    { "InvalidClientTokenId", STALE, "does not know the credentials" },
    { "InvalidSignatureException", STALE, "does not accept the signature: is "
                                          "the clock right?" },
    { "SignatureDoesNotMatch", STALE, "does not accept the signature: is the "
                                      "clock right?" },
    { "AccessDeniedException", REFUSED, "denies it: the key's policy, or the "
                                        "role's, lacks this call" },
    { "NotFoundException", REFUSED, "has no such key there" },
    { "DisabledException", REFUSED, "has that key disabled" },
    { "KMSInvalidStateException", REFUSED, "has that key disabled, or waiting "
                                           "for its deletion" },
    { "InvalidKeyUsageException", REFUSED, "has a key there that does not "
                                           "encrypt" },
    { "KeyUnavailableException", REFUSED, "cannot use that key now" },
    { "ValidationException", REFUSED, "does not accept the key's name" },
    { "InvalidArnException", REFUSED, "does not accept the key's name" },
};

#define TYPE_COUNT (sizeof(types) / sizeof(*types))

/* Which of them an answer of 4xx is; TYPE_COUNT for none. */
static size_t
type_of(struct envl_bytes body)
{
    struct answer_value root, value;
    struct envl_buf text = ENVL_BUF_INIT;
    size_t at = TYPE_COUNT;

    if (answer_whole(body, &root) && answer_member(&root, "__type", &value) &&
        answer_text(&value, &text, NULL) == ENVL_OK && text.len > 0) {
        const uint8_t *hash = memrchr(text.ptr, '#', text.len);
        const char *name = (const char *)(hash != NULL ? hash + 1 : text.ptr);
        size_t len = text.len - (size_t)(name - (const char *)text.ptr);

        for (at = 0; at < TYPE_COUNT; at++)
            if (strlen(types[at].type) == len &&
                strncmp(types[at].type, name, len) == 0)
                break;
    }
    envl_buf_free(&text);
    return at;
}

static bool
passes(long code, struct envl_bytes body)
{
    size_t type = code == 400 ? type_of(body) : TYPE_COUNT;

    return type < TYPE_COUNT && types[type].kind == PASSES;
}

static enum envl_status
not_understood(const struct kms *kms, struct envl_error *err)
{
    envl_fail(err, ENVL_E_PROVIDER, "provider '%s' gives an answer that is "
              "not understood", kms->name);
    envl_hint(err, "is `endpoint` that of AWS KMS?");
    return ENVL_E_PROVIDER;
}

static enum envl_status
refused(const struct kms *kms, long code, size_t type, struct envl_error *err)
{
    if (type < TYPE_COUNT && types[type].kind == NOT_OURS)
        return ENVL_E_AUTH;
    if (type < TYPE_COUNT)
        envl_fail(err, ENVL_E_PROVIDER, "provider '%s' %s", kms->name,
                  types[type].says);
    else
        envl_fail(err, ENVL_E_PROVIDER, "provider '%s' refuses the request "
                  "(%ld)", kms->name, code);
    envl_hint(err, "are region, key and credentials right? docs/providers.md "
              "has the key policy");
    return ENVL_E_PROVIDER;
}

/* ---- one call ------------------------------------------------------------ */

/* Header lines that outlive the request. */
struct headers {
    struct envl_buf target, token;
    const char *list[3];
};

static enum envl_status
make_headers(const char *action, const struct credentials_keys *keys,
             struct headers *out, struct envl_error *err)
{
    enum envl_status status = answer_put(&out->target, err, "X-Amz-Target: "
                                         "TrentService.", action, NULL);

    if (status == ENVL_OK)
        status = envl_buf_append(&out->target, (struct envl_bytes){
            (const uint8_t *)"", 1 }, err);
    if (status == ENVL_OK && keys->session_token != NULL)
        status = answer_put(&out->token, err, "X-Amz-Security-Token: ", NULL);
    if (status == ENVL_OK && keys->session_token != NULL)
        status = envl_buf_append(&out->token,
                                 envl_secret_bytes(keys->session_token), err);
    out->list[0] = (const char *)out->target.ptr;
    out->list[1] = (const char *)out->token.ptr;
    out->list[2] = NULL;
    return status;
}

static enum envl_status
send_signed(const struct kms *kms, const char *action, struct envl_bytes body,
            const struct credentials_keys *keys, struct http_answer *answer,
            struct envl_error *err)
{
    struct headers headers = { .list = { NULL } };
    enum envl_status status = make_headers(action, keys, &headers, err);

    if (status == ENVL_OK)
        status = http_client_send(kms->http, &(struct http_request){
            .method = "POST", .path = "/", .headers = headers.list,
            .body = body, .type = "Content-Type: application/x-amz-json-1.1",
            .answer_type = "application/x-amz-json-1.1",
            .limit = ANSWER_LIMIT, .passes = passes, .sigv4 = kms->signing,
            .access_key =
                (const char *)envl_secret_bytes(keys->access_key).ptr,
            .secret_key =
                (const char *)envl_secret_bytes(keys->secret_key).ptr,
        }, answer, err);
    envl_buf_free(&headers.target);
    envl_buf_free(&headers.token);
    return status;
}

/* With credentials that are fetched once more where KMS wants others. */
static enum envl_status
call(const struct kms *kms, const char *action, struct envl_bytes body,
     struct http_answer *answer, struct envl_error *err)
{
    uint64_t number = 0;
    size_t type = TYPE_COUNT;

    for (unsigned attempt = 0; attempt < 2; attempt++) {
        struct credentials_keys keys;
        enum envl_status status = credentials_get(kms->credentials, number,
                                                  &keys, &number, err);

        if (status != ENVL_OK)
            return status;
        status = send_signed(kms, action, body, &keys, answer, err);
        credentials_free(&keys);
        if (status != ENVL_OK || answer->code == 200)
            return status;
        type = type_of(envl_buf_view(&answer->body));
        envl_buf_free(&answer->body);
        if (type == TYPE_COUNT || types[type].kind != STALE)
            break;
    }
    return refused(kms, answer->code, type, err);
}

/* {"KeyId":...,"EncryptionContext":{"envelope-ring":...},"NAME":"..."} */
static enum envl_status
make_body(const struct kms *kms, const char *ring_id, const char *name,
          struct envl_bytes bytes, struct envl_buf *out,
          struct envl_error *err)
{
    enum envl_status status;

    if (ring_id == NULL || strlen(ring_id) != 36)
        return envl_fail(err, ENVL_E_USAGE, "provider '%s' is asked for no "
                         "ring", kms->name);
    if ((status = answer_put(out, err, "{\"KeyId\":", NULL)) != ENVL_OK ||
        (status = json_scan_escape(envl_bytes_of(kms->key), out, err)) !=
            ENVL_OK ||
        (status = answer_put(out, err, ",\"EncryptionContext\":"
                             "{\"envelope-ring\":", NULL)) != ENVL_OK ||
        (status = json_scan_escape(envl_bytes_of(ring_id), out, err)) !=
            ENVL_OK ||
        (status = answer_put(out, err, "},\"", name, "\":", NULL)) !=
            ENVL_OK ||
        (status = answer_put_base64(bytes, out, err)) != ENVL_OK)
        return status;
    return answer_put(out, err, "}", NULL);
}

/* The base64 member ${name} of the answer, into ${room}. */
static enum envl_status
take(const struct kms *kms, const struct http_answer *answer,
     const char *name, struct envl_span *room, struct envl_error *err)
{
    struct answer_value root, value;

    if (!answer_whole(envl_buf_view(&answer->body), &root) ||
        !answer_member(&root, name, &value) ||
        answer_base64(&value, room, NULL) != ENVL_OK)
        return not_understood(kms, err);
    return ENVL_OK;
}

/* spec: KEY-71 */
enum envl_status
kms_wrap(const struct kms *kms, const char *ring_id, struct envl_bytes key,
         struct envl_buf *blob, struct envl_error *err)
{
    struct http_answer answer = { .body = ENVL_BUF_INIT };
    struct envl_buf body = ENVL_BUF_INIT;
    struct envl_span room;
    enum envl_status status;

    if ((status = make_body(kms, ring_id, "Plaintext", key, &body, err)) !=
            ENVL_OK ||
        (status = call(kms, "Encrypt", envl_buf_view(&body), &answer, err)) !=
            ENVL_OK ||
        (status = envl_buf_reserve(blob, BLOB_MAX, err)) != ENVL_OK)
        goto out;
    room = (struct envl_span){ blob->ptr + blob->len, BLOB_MAX };
    status = take(kms, &answer, "CiphertextBlob", &room, err);
    if (status == ENVL_OK && room.len == 0)
        status = not_understood(kms, err);
    if (status == ENVL_OK)
        blob->len += room.len;

out:
    if (status == ENVL_E_AUTH) /* a refusal that Encrypt does not have */
        status = not_understood(kms, err);
    envl_buf_free(&body);
    envl_buf_free(&answer.body);
    return status;
}

enum envl_status
kms_unwrap(const struct kms *kms, const char *ring_id, struct envl_bytes blob,
           uint8_t key[ENVL_VALUE_KEY_LEN], struct envl_error *err)
{
    struct http_answer answer = { .body = ENVL_BUF_INIT };
    struct envl_buf body = ENVL_BUF_INIT;
    struct envl_span room = { key, ENVL_VALUE_KEY_LEN };
    enum envl_status status;

    if (blob.len == 0 || blob.len > BLOB_MAX)
        return ENVL_E_AUTH;
    if (cache_get(kms->cache, blob, key))
        return ENVL_OK;
    if ((status = make_body(kms, ring_id, "CiphertextBlob", blob, &body,
                            err)) == ENVL_OK &&
        (status = call(kms, "Decrypt", envl_buf_view(&body), &answer, err)) ==
            ENVL_OK) {
        status = take(kms, &answer, "Plaintext", &room, NULL);
        /* spec: ENV-8.14: another length than 32 bytes is not ours */
        if (status != ENVL_OK || room.len != ENVL_VALUE_KEY_LEN)
            status = ENVL_E_AUTH;
    }
    if (status == ENVL_OK)
        cache_put(kms->cache, blob, key);
    else
        sodium_memzero(key, ENVL_VALUE_KEY_LEN);
    envl_buf_free(&body);
    envl_buf_free(&answer.body);
    return status;
}
