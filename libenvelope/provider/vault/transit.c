#include "provider/vault/transit.h"

#include <string.h>

#include <sodium.h>

#define BLOB_MAX   4096u
#define ITEM_LIMIT 8192u /* bytes of an answer, for each item */

/* encrypt/KEY or decrypt/KEY of the mount. */
static enum envl_status
make_path(const struct transit *transit, const char *verb,
          struct envl_buf *out, struct envl_error *err)
{
    const struct settings *settings = transit->session->settings;
    enum envl_status status;

    if ((status = http_escape(settings->mount, true, out, err)) != ENVL_OK ||
        (status = answer_put(out, err, "/", verb, "/", NULL)) != ENVL_OK ||
        (status = http_escape(settings->key, false, out, err)) != ENVL_OK)
        return status;
    return envl_buf_append(out, (struct envl_bytes){ (const uint8_t *)"",
                                                     1 }, err);
}

/* A request whose body is a batch, and the items of the answer to it. */
struct exchange {
    struct envl_buf path, body;
    struct http_answer answer;
    struct answer_items items;
};

static enum envl_status
begin(const struct transit *transit, const char *verb, struct exchange *x,
      struct envl_error *err)
{
    enum envl_status status;

    *x = (struct exchange){ .path = ENVL_BUF_INIT };
    status = make_path(transit, verb, &x->path, err);
    if (status == ENVL_OK)
        status = answer_put(&x->body, err, "{\"batch_input\":[", NULL);
    return status;
}

static void
end(struct exchange *x)
{
    envl_buf_free(&x->path);
    envl_buf_free(&x->body);
    envl_buf_free(&x->answer.body);
}

/* Vault answers 200, or 400 where an item failed, with the same results. */
static enum envl_status
send(const struct transit *transit, const char *what, size_t count,
     struct exchange *x, struct envl_error *err)
{
    struct answer_value root, results;
    enum envl_status status = answer_put(&x->body, err, "]}", NULL);

    if (status != ENVL_OK)
        return status;
    status = session_send(transit->session, &(struct session_request){
        .method = "POST", .path = (const char *)x->path.ptr,
        .body = envl_buf_view(&x->body), .limit = 65536 + count * ITEM_LIMIT,
    }, &x->answer, err);
    if (status != ENVL_OK)
        return status;
    if ((x->answer.code != 200 && x->answer.code != 400) ||
        !answer_whole(envl_buf_view(&x->answer.body), &root) ||
        !answer_path(&root, "data.batch_results", &results))
        return session_refused(transit->session, &x->answer, what, err);
    answer_items_begin(&results, &x->items);
    return ENVL_OK;
}

static enum envl_status
not_understood(const struct transit *transit, const char *what,
               struct envl_error *err)
{
    return session_refused(transit->session,
                           &(struct http_answer){ .code = 200 }, what, err);
}

/* vault:v12:BASE64; what is no such string is not sent to anybody. */
static bool
is_blob(struct envl_bytes blob)
{
    static const char head[] = "vault:v";
    size_t at = sizeof(head) - 1, digits = 0;

    if (blob.len > BLOB_MAX || blob.len < at + 3 ||
        strncmp((const char *)blob.ptr, head, at) != 0)
        return false;
    for (; at < blob.len && blob.ptr[at] >= '0' && blob.ptr[at] <= '9'; at++)
        digits++;
    if (digits == 0 || digits > 9 || at + 1 >= blob.len ||
        blob.ptr[at++] != ':')
        return false;
    for (; at < blob.len; at++) {
        uint8_t c = blob.ptr[at];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              (c >= '0' && c <= '9') || c == '+' || c == '/' || c == '='))
            return false;
    }
    return true;
}

/* ---- wrap ---------------------------------------------------------------- */

static enum envl_status
take_blobs(const struct transit *transit, struct exchange *x, size_t count,
           struct envl_buf *blobs, size_t *lens, struct envl_error *err)
{
    struct answer_value item, text;
    size_t i = 0;

    while (answer_items_next(&x->items, &item)) {
        size_t before = blobs->len;

        if (i == count || !answer_member(&item, "ciphertext", &text) ||
            answer_text(&text, blobs, NULL) != ENVL_OK ||
            !is_blob((struct envl_bytes){ blobs->ptr + before,
                                          blobs->len - before }))
            return not_understood(transit, "wrap a key", err);
        lens[i++] = blobs->len - before;
    }
    return i == count ? ENVL_OK : not_understood(transit, "wrap a key", err);
}

static enum envl_status
wrap_some(const struct transit *transit, struct envl_bytes keys, size_t count,
          struct envl_buf *blobs, size_t *lens, struct envl_error *err)
{
    struct exchange x;
    enum envl_status status = begin(transit, "encrypt", &x, err);

    for (size_t i = 0; status == ENVL_OK && i < count; i++) {
        const struct envl_bytes key = { keys.ptr + i * ENVL_VALUE_KEY_LEN,
                                        ENVL_VALUE_KEY_LEN };

        if ((status = answer_put(&x.body, err, i > 0 ? "," : "",
                                 "{\"plaintext\":", NULL)) != ENVL_OK ||
            (status = answer_put_base64(key, &x.body, err)) != ENVL_OK)
            break;
        status = answer_put(&x.body, err, "}", NULL);
    }
    if (status == ENVL_OK)
        status = send(transit, "wrap a key", count, &x, err);
    if (status == ENVL_OK) {
        status = take_blobs(transit, &x, count, blobs, lens, err);
        answer_items_end(&x.items);
    }
    end(&x);
    return status;
}

enum envl_status
transit_wrap(const struct transit *transit, struct envl_bytes keys,
             size_t count, struct envl_buf *blobs, size_t *lens,
             struct envl_error *err)
{
    const size_t most = (size_t)transit->session->settings->batch;
    enum envl_status status = ENVL_OK;
    size_t before = blobs->len;

    for (size_t at = 0; status == ENVL_OK && at < count;) {
        size_t some = count - at < most ? count - at : most;

        status = wrap_some(transit, (struct envl_bytes){
            keys.ptr + at * ENVL_VALUE_KEY_LEN, some * ENVL_VALUE_KEY_LEN },
            some, blobs, lens + at, err);
        at += some;
    }
    if (status != ENVL_OK)
        blobs->len = before;
    return status;
}

/* ---- unwrap -------------------------------------------------------------- */

/* One that is to be asked for: where it is among those of the caller. */
#define GROUP 1000u

static enum envl_status
take_key(const struct answer_value *item, uint8_t *key)
{
    struct envl_span room = { key, ENVL_VALUE_KEY_LEN };
    struct answer_value text;

    /* spec: ENV-8.14: exactly 32 bytes, or it is not ours */
    if (answer_member(item, "plaintext", &text) &&
        answer_base64(&text, &room, NULL) == ENVL_OK &&
        room.len == ENVL_VALUE_KEY_LEN)
        return ENVL_OK;
    sodium_memzero(key, ENVL_VALUE_KEY_LEN);
    return ENVL_E_AUTH;
}

static enum envl_status
take_keys(const struct transit *transit, struct exchange *x,
          const struct envl_bytes *blobs, const size_t *which, size_t count,
          uint8_t *keys, enum envl_status *statuses, struct envl_error *err)
{
    struct answer_value item, said;
    size_t i = 0;

    while (answer_items_next(&x->items, &item)) {
        uint8_t *key = i < count ? keys + which[i] * ENVL_VALUE_KEY_LEN
                                 : NULL;

        /* An answer must be one or the other. */
        if (key == NULL || (!answer_member(&item, "plaintext", &said) &&
                            !answer_member(&item, "error", &said)))
            return not_understood(transit, "unwrap a key", err);
        statuses[which[i]] = take_key(&item, key);
        if (statuses[which[i]] == ENVL_OK)
            cache_put(transit->cache, blobs[which[i]], key);
        i++;
    }
    return i == count ? ENVL_OK
                      : not_understood(transit, "unwrap a key", err);
}

static enum envl_status
ask(const struct transit *transit, const struct envl_bytes *blobs,
    const size_t *which, size_t count, uint8_t *keys,
    enum envl_status *statuses, struct envl_error *err)
{
    struct exchange x;
    enum envl_status status = begin(transit, "decrypt", &x, err);

    for (size_t i = 0; status == ENVL_OK && i < count; i++) {
        if ((status = answer_put(&x.body, err, i > 0 ? "," : "",
                                 "{\"ciphertext\":", NULL)) != ENVL_OK ||
            (status = json_scan_escape(blobs[which[i]], &x.body, err)) !=
                ENVL_OK)
            break;
        status = answer_put(&x.body, err, "}", NULL);
    }
    if (status == ENVL_OK)
        status = send(transit, "unwrap a key", count, &x, err);
    if (status == ENVL_OK) {
        status = take_keys(transit, &x, blobs, which, count, keys, statuses,
                           err);
        answer_items_end(&x.items);
    }
    end(&x);
    return status;
}

enum envl_status
transit_unwrap(const struct transit *transit, const struct envl_bytes *blobs,
               size_t count, struct envl_span keys,
               enum envl_status *statuses, struct envl_error *err)
{
    const size_t most = (size_t)transit->session->settings->batch;
    enum envl_status status = ENVL_OK;
    size_t which[GROUP], waiting = 0;

    for (size_t i = 0; status == ENVL_OK && i < count; i++) {
        uint8_t *key = keys.ptr + i * ENVL_VALUE_KEY_LEN;

        statuses[i] = ENVL_E_AUTH;
        if (cache_get(transit->cache, blobs[i], key))
            statuses[i] = ENVL_OK;
        else if (is_blob(blobs[i]))
            which[waiting++] = i;
        if (waiting == most || (i + 1 == count && waiting > 0)) {
            status = ask(transit, blobs, which, waiting, keys.ptr, statuses,
                         err);
            waiting = 0;
        }
    }
    if (status != ENVL_OK)
        sodium_memzero(keys.ptr, count * ENVL_VALUE_KEY_LEN);
    return status;
}
