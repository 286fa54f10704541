#include <string.h>

#include <sodium.h>

#include <envelope/stream.h>

#include "core/base64url.h"
#include "core/json_check.h"
#include "core/random.h"
#include "envelope/sealing.h"
#include "envelope/value.h"
#include "envelope/value_key.h"

/* In guarded memory: it holds the keys and up to a chunk of plaintext. */
struct envl_sealer {
    struct payload_keys keys;
    uint64_t index;  /* of the next chunk                             */
    size_t fill;     /* bytes of the frame in ${chunk}                */
    bool head_sent;  /* and so the value's beginning has been tested  */
    bool over;       /* failed or finished                            */
    bool allow_nested;
    enum envl_type type;
    enum envl_encoding encoding;
    struct utf8_check utf8;
    struct json_check json;
    uint8_t carry[3];   /* text: bytes not yet encoded                */
    size_t carry_len;
    struct envl_buf head; /* all before the first chunk, encoded      */
    uint8_t chunk[PAYLOAD_CHUNK_LEN + GCM_TAG_LEN];
};

/* ---- output ------------------------------------------------------------- */

/*
 * Encode the ${len} bytes at ${raw} in ${out}'s free room, which begins at
 * ${room}: whole threes, and the rest if ${last}.  See place_for.
 */
static void
encode(struct envl_sealer *s, const uint8_t *raw, size_t len, bool last,
       struct envl_buf *out)
{
    size_t rest = last ? 0 : len % 3;
    size_t take = len - rest;

    for (size_t i = 0; i < rest; i++)
        s->carry[i] = raw[take + i];
    s->carry_len = rest;
    base64url_encode((struct envl_bytes){ raw, take },
                     (char *)out->ptr + out->len);
    out->len += base64url_encoded_len(take);
}

/*
 * Where ${len} raw bytes, the carried ones before them, go in the room after
 * the contents of ${out} so that they can be encoded from there.
 */
static enum envl_status
place_for(const struct envl_sealer *s, size_t len, struct envl_buf *out,
          uint8_t **raw, struct envl_error *err)
{
    size_t all, room;
    enum envl_status status;

    if (s->encoding == ENVL_ENCODING_BINARY) {
        status = envl_buf_reserve(out, len, err);
        if (status == ENVL_OK)
            *raw = out->ptr + out->len;
        return status;
    }
    all = s->carry_len + len;
    room = base64url_encoded_len(all);
    status = envl_buf_reserve(out, room, err);
    if (status != ENVL_OK)
        return status;
    *raw = out->ptr + out->len + (room - all);
    memcpy(*raw, s->carry, s->carry_len);
    *raw += s->carry_len;
    return ENVL_OK;
}

/* Take over ${len} raw bytes that lie where place_for said. */
static void
accept(struct envl_sealer *s, uint8_t *raw, size_t len, bool last,
       struct envl_buf *out)
{
    if (s->encoding == ENVL_ENCODING_BINARY)
        out->len += len;
    else
        encode(s, raw - s->carry_len, s->carry_len + len, last, out);
}

static enum envl_status
seal_chunk(struct envl_sealer *s, struct gcm_run *run, struct envl_bytes text,
           struct envl_buf *out, struct envl_error *err)
{
    bool last = text.len < PAYLOAD_CHUNK_LEN;
    uint8_t nonce[GCM_NONCE_LEN], *raw = NULL;
    enum envl_status status;

    if (s->index >= PAYLOAD_CHUNKS_MAX) /* spec: ENV-4.8 */
        return envl_fail(err, ENVL_E_LIMIT, "a stream of too many chunks");
    status = place_for(s, text.len + GCM_TAG_LEN, out, &raw, err);
    if (status != ENVL_OK)
        return status;
    payload_nonce(&s->keys, s->index++, nonce);
    status = gcm_run_seal(run, nonce, text, raw, err);
    if (status == ENVL_OK)
        accept(s, raw, text.len + GCM_TAG_LEN, last, out);
    return status;
}

/* ---- beginning ---------------------------------------------------------- */

/* Header, salt and commitment into s->head, encoded as they will be sent. */
static enum envl_status
make_head(struct envl_sealer *s, const struct layout *layout,
          const uint8_t *salt, struct envl_error *err)
{
    uint8_t body[3 + LAYOUT_WRAPPED_MAX + PAYLOAD_HEAD_LEN];
    size_t len = 0, room = LAYOUT_HEADER_MAX + 2 * sizeof(body);
    enum envl_status status = envl_buf_reserve(&s->head, room, err);
    uint8_t *raw = NULL;

    if (status != ENVL_OK)
        return status;
    s->head.len = layout_header(layout, s->head.ptr);
    if (s->encoding == ENVL_ENCODING_TEXT)
        len = layout_body_head(layout, body);
    memcpy(body + len, salt, PAYLOAD_SALT_LEN);
    len += PAYLOAD_SALT_LEN;
    memcpy(body + len, s->keys.commitment, PAYLOAD_COMMITMENT_LEN);
    len += PAYLOAD_COMMITMENT_LEN;

    status = place_for(s, len, &s->head, &raw, err);
    if (status != ENVL_OK)
        return status;
    memcpy(raw, body, len);
    accept(s, raw, len, false, &s->head);
    return ENVL_OK;
}

static enum envl_status
begin(struct envl_sealer *s, const struct sealing *sealing,
      struct context_code *code, struct envl_error *err)
{
    uint8_t salt[PAYLOAD_SALT_LEN];
    const struct key *key = sealing->selected.key;
    struct envl_buf blob = ENVL_BUF_INIT;
    struct value_key value_key;
    struct layout layout;
    enum envl_status status;
    size_t len;

    context_code_set_mode(code, sealing->mode);
    status = random_fill((struct envl_span){ salt, sizeof(salt) }, err);
    if (status == ENVL_OK && sealing->mode == ENVL_MODE_WRAPPED) {
        status = random_fill((struct envl_span){
            value_key.bytes, sizeof(value_key.bytes) }, err);
        if (status == ENVL_OK)
            status = value_key_wrap(key, (struct envl_bytes){
                value_key.bytes, sizeof(value_key.bytes) }, 1, &blob, &len,
                err);
        if (status == ENVL_OK) {
            value_key_prepare(&value_key);
            payload_derive(&value_key.prepared, salt, code, &s->keys);
        }
        sodium_memzero(&value_key, sizeof(value_key));
    } else if (status == ENVL_OK) {
        payload_derive(&key->secret->prepared, salt, code, &s->keys);
    }
    if (status == ENVL_OK) {
        (void)sealing_layout(sealing, 0, envl_buf_view(&blob), &layout);
        status = make_head(s, &layout, salt, err);
    }
    envl_buf_free(&blob);
    return status;
}

static enum envl_status
check_options(const struct envl_seal_options *options, struct envl_error *err)
{
    if (options->encoding == ENVL_ENCODING_OBJECT)
        return envl_fail(err, ENVL_E_USAGE,
                         "a stream is sealed as text or binary, not object");
    if (options->pad != ENVL_PAD_DEFAULT && options->pad != ENVL_PAD_NONE)
        return envl_fail(err, ENVL_E_USAGE, "a stream has no padding");
    if (options->type == ENVL_TYPE_BSON)
        return envl_fail(err, ENVL_E_USAGE,
                         "a stream holds bytes, text or JSON, not BSON");
    return ENVL_OK;
}

static enum envl_status
new_sealer(const struct sealing *sealing, struct context_code *code,
           struct envl_sealer **out, struct envl_error *err)
{
    struct envl_sealer *s;
    enum envl_status status;

    if (sodium_init() < 0)
        return envl_fail(err, ENVL_E_INTERNAL, "libsodium does not start");
    s = sodium_malloc(sizeof(*s));
    if (s == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of guarded memory");
    memset(s, 0, sizeof(*s));
    s->type = sealing->options.type;
    s->encoding = sealing->options.encoding;
    s->allow_nested = sealing->options.allow_nested;
    s->chunk[0] = frame_first(s->type, 0);
    s->fill = 1;
    status = begin(s, sealing, code, err);
    if (status == ENVL_OK)
        *out = s;
    else
        envl_sealer_free(s);
    return status;
}

enum envl_status
envl_sealer_new(struct envl_keyring *ring,
                const struct envl_seal_options *options,
                const struct envl_context *context, struct envl_sealer **out,
                struct envl_error *err)
{
    struct context_code code;
    struct sealing sealing;
    enum envl_status status = context_code_make(context, &code, err);

    if (status != ENVL_OK)
        return status;
    status = sealing_begin(ring, options, &sealing, err);
    if (status != ENVL_OK)
        return status;
    status = check_options(&sealing.options, err);
    if (status == ENVL_OK)
        status = new_sealer(&sealing, &code, out, err);
    sealing_end(&sealing);
    return status;
}

/* ---- going on ----------------------------------------------------------- */

/* Test the first bytes of the value, then let the header go out. */
static enum envl_status
send_head(struct envl_sealer *s, struct envl_bytes beginning,
          struct envl_buf *out, struct envl_error *err)
{
    enum envl_status status = ENVL_OK;

    if (s->head_sent)
        return ENVL_OK;
    if (!s->allow_nested) /* spec: ENV-9.6 */
        status = value_check_nesting(beginning, s->type, err);
    if (status == ENVL_OK)
        status = envl_buf_append(out, envl_buf_view(&s->head), err);
    s->head_sent = status == ENVL_OK;
    return status;
}

/* Send the collected chunk, after which the value goes on with ${next}. */
static enum envl_status
flush_full(struct envl_sealer *s, struct gcm_run *run, uint8_t next,
           struct envl_buf *out, struct envl_error *err)
{
    enum envl_status status;

    s->chunk[PAYLOAD_CHUNK_LEN] = next; /* the 16,384th byte of the value */
    status = send_head(s, (struct envl_bytes){
        s->chunk + 1, VALUE_STREAM_HEAD }, out, err);
    if (status == ENVL_OK)
        status = seal_chunk(s, run, (struct envl_bytes){
            s->chunk, PAYLOAD_CHUNK_LEN }, out, err);
    s->fill = 0;
    return status;
}

static enum envl_status
take(struct envl_sealer *s, struct gcm_run *run, struct envl_bytes piece,
     struct envl_buf *out, struct envl_error *err)
{
    enum envl_status status = ENVL_OK;

    while (status == ENVL_OK && piece.len > 0) {
        size_t len = PAYLOAD_CHUNK_LEN - s->fill;

        if (len == 0) {
            status = flush_full(s, run, piece.ptr[0], out, err);
            continue;
        }
        if (len > piece.len)
            len = piece.len;
        /* A whole chunk that more follows needs not be collected. */
        if (s->fill == 0 && piece.len > PAYLOAD_CHUNK_LEN) {
            status = seal_chunk(s, run, (struct envl_bytes){
                piece.ptr, len }, out, err);
        } else {
            memcpy(s->chunk + s->fill, piece.ptr, len);
            s->fill += len;
        }
        piece.ptr += len;
        piece.len -= len;
    }
    return status;
}

static enum envl_status
check_piece(struct envl_sealer *s, struct envl_bytes piece,
            struct envl_error *err)
{
    if (s->over)
        return envl_fail(err, ENVL_E_USAGE,
                         "a sealer that has failed or is finished");
    if (s->type == ENVL_TYPE_JSON)
        return json_check_update(&s->json, piece, err);
    if (s->type == ENVL_TYPE_TEXT && !utf8_update(&s->utf8, piece))
        return envl_fail(err, ENVL_E_USAGE, "the value is not UTF-8");
    return ENVL_OK;
}

enum envl_status
envl_sealer_update(struct envl_sealer *sealer, struct envl_bytes piece,
                   struct envl_buf *out, struct envl_error *err)
{
    enum envl_status status = check_piece(sealer, piece, err);
    struct gcm_run run;

    if (status == ENVL_OK && piece.len > PAYLOAD_CHUNK_LEN - sealer->fill) {
        status = gcm_begin(&run, sealer->keys.key, err);
        if (status == ENVL_OK) {
            status = take(sealer, &run, piece, out, err);
            gcm_end(&run);
        }
    } else if (status == ENVL_OK) {
        status = take(sealer, NULL, piece, out, err); /* only collects */
    }
    if (status != ENVL_OK)
        sealer->over = true;
    return status;
}

static enum envl_status
check_end(struct envl_sealer *s, struct envl_error *err)
{
    if (s->over)
        return envl_fail(err, ENVL_E_USAGE,
                         "a sealer that has failed or is finished");
    if (s->type == ENVL_TYPE_JSON)
        return json_check_finish(&s->json, err);
    if (s->type == ENVL_TYPE_TEXT && !utf8_finish(&s->utf8))
        return envl_fail(err, ENVL_E_USAGE, "the value is not UTF-8");
    return ENVL_OK;
}

enum envl_status
envl_sealer_finish(struct envl_sealer *sealer, struct envl_buf *out,
                   struct envl_error *err)
{
    enum envl_status status = check_end(sealer, err);
    struct gcm_run run;

    if (status == ENVL_OK)
        status = send_head(sealer, (struct envl_bytes){
            sealer->chunk + 1, sealer->fill - 1 }, out, err);
    if (status == ENVL_OK)
        status = gcm_begin(&run, sealer->keys.key, err);
    if (status == ENVL_OK) {
        struct envl_bytes rest = { sealer->chunk, sealer->fill };

        if (rest.len == PAYLOAD_CHUNK_LEN) {
            status = seal_chunk(sealer, &run, rest, out, err);
            rest.len = 0; /* the last chunk is always shorter */
        }
        if (status == ENVL_OK)
            status = seal_chunk(sealer, &run, rest, out, err);
        gcm_end(&run);
    }
    sealer->over = true;
    return status;
}

void
envl_sealer_free(struct envl_sealer *sealer)
{
    if (sealer == NULL)
        return;
    envl_buf_free(&sealer->head);
    json_check_free(&sealer->json);
    sodium_free(sealer);
}
