#include <string.h>

#include <sodium.h>

#include "envelope/payload.h"

/* Up to here one call of whichever is faster, without a run. */
#define SHORT_LEN 1024u

void
payload_derive(const struct hmac512_key *input,
               const uint8_t salt[PAYLOAD_SALT_LEN],
               const struct context_code *context, struct payload_keys *out)
{
    /* The NUL at its end belongs to it.  spec: ENV-4.3, ENV-5.1 */
    static const char label[] =
        "c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM";
    const struct envl_bytes info[] = {
        { (const uint8_t *)label, sizeof(label) },
        { salt, PAYLOAD_SALT_LEN },
        context_code_view(context),
    };

    _Static_assert(sizeof(*out) == 76, "HKDF fills the struct as it lies");
    hkdf512_expand(input, info, 3, (struct envl_span){
        (uint8_t *)out, sizeof(*out) });
}

/* spec: ENV-4.10 */
bool
payload_commits(const struct payload_keys *keys, const uint8_t *payload)
{
    _Static_assert(PAYLOAD_COMMITMENT_LEN == crypto_verify_32_BYTES,
                   "libsodium compares 32 bytes in constant time");
    return crypto_verify_32(keys->commitment,
                            payload + PAYLOAD_SALT_LEN) == 0;
}

/* spec: ENV-4.5 */
void
payload_nonce(const struct payload_keys *keys, uint64_t index,
              uint8_t out[GCM_NONCE_LEN])
{
    memcpy(out, keys->nonce, GCM_NONCE_LEN);
    for (size_t i = GCM_NONCE_LEN; index != 0; index >>= 8)
        out[--i] ^= (uint8_t)index;
}

size_t
payload_len(size_t frame_len)
{
    size_t chunks;

    if (frame_len == SIZE_MAX)
        return SIZE_MAX;
    chunks = frame_len / PAYLOAD_CHUNK_LEN + 1;
    if (chunks > PAYLOAD_CHUNKS_MAX || /* spec: ENV-4.8 */
        chunks > (SIZE_MAX - PAYLOAD_HEAD_LEN - frame_len) / GCM_TAG_LEN)
        return SIZE_MAX;
    return PAYLOAD_HEAD_LEN + frame_len + chunks * GCM_TAG_LEN;
}

/* spec: ENV-4.7 */
bool
payload_len_valid(size_t len)
{
    return len >= PAYLOAD_MIN_LEN &&
           (len - PAYLOAD_HEAD_LEN) % PAYLOAD_SEALED_LEN >= GCM_TAG_LEN;
}

size_t
payload_frame_len(size_t len)
{
    size_t chunks = len - PAYLOAD_HEAD_LEN;

    return chunks / PAYLOAD_SEALED_LEN * PAYLOAD_CHUNK_LEN +
           chunks % PAYLOAD_SEALED_LEN - GCM_TAG_LEN;
}

/* The frame's bytes from ${at} on, ${len} of them.  spec: ENV-6.3 */
static void
copy_frame(const struct payload_value *value, size_t at, size_t len,
           uint8_t *out)
{
    size_t end = at + len, value_end = 1 + value->value.len;

    if (at == 0 && len > 0)
        out[0] = frame_first(value->type, value->block);
    if (at < value_end) {
        size_t from = at == 0 ? 1 : at;
        size_t to = end < value_end ? end : value_end;

        if (to > from)
            memcpy(out + (from - at), value->value.ptr + (from - 1),
                   to - from);
    }
    if (end > value_end) {
        size_t from = at > value_end ? at : value_end;

        memset(out + (from - at), 0, end - from);
        if (from == value_end)
            out[from - at] = 0x80;
    }
}

static enum envl_status
seal_short(const struct payload_keys *keys, const struct payload_value *value,
           size_t frame_size, uint8_t *chunk, struct envl_error *err)
{
    copy_frame(value, 0, frame_size, chunk);
    return gcm_seal(keys->key, keys->nonce, (struct envl_bytes){
        chunk, frame_size }, chunk, err);
}

/* spec: ENV-4.4 */
static enum envl_status
seal_chunks(const struct payload_keys *keys, const struct payload_value *value,
            size_t frame_size, uint8_t *chunk, struct envl_error *err)
{
    struct gcm_run run;
    enum envl_status status = gcm_begin(&run, keys->key, err);
    size_t at = 0;

    if (status != ENVL_OK)
        return status;
    for (uint64_t i = 0; status == ENVL_OK && at <= frame_size; i++) {
        size_t left = frame_size - at;
        size_t len = left < PAYLOAD_CHUNK_LEN ? left : PAYLOAD_CHUNK_LEN;
        struct envl_bytes piece = { chunk, len };
        uint8_t nonce[GCM_NONCE_LEN];

        /* A piece that is all value is encrypted from where it lies. */
        if (at > 0 && len > 0 && at + len <= 1 + value->value.len)
            piece.ptr = value->value.ptr + (at - 1);
        else
            copy_frame(value, at, len, chunk);
        payload_nonce(keys, i, nonce);
        status = gcm_run_seal(&run, nonce, piece, chunk, err);
        chunk += len + GCM_TAG_LEN;
        at += PAYLOAD_CHUNK_LEN; /* past the end after the short one */
    }
    gcm_end(&run);
    return status;
}

enum envl_status
payload_seal(const struct payload_keys *keys,
             const struct payload_value *value, struct envl_span payload,
             struct envl_error *err)
{
    size_t frame_size = payload_frame_len(payload.len);
    uint8_t *chunk = payload.ptr + PAYLOAD_HEAD_LEN;
    enum envl_status status;

    memcpy(payload.ptr + PAYLOAD_SALT_LEN, keys->commitment,
           PAYLOAD_COMMITMENT_LEN);
    if (frame_size <= SHORT_LEN)
        status = seal_short(keys, value, frame_size, chunk, err);
    else
        status = seal_chunks(keys, value, frame_size, chunk, err);
    if (status != ENVL_OK)
        sodium_memzero(payload.ptr, payload.len);
    return status;
}

/* ---- opening ------------------------------------------------------------ */

/* Where chunks come from and where plaintext goes to. */
struct opening {
    const uint8_t *chunk; /* the next one                             */
    size_t left;          /* of the chunks                            */
    uint8_t *inside;      /* the same as ${chunk} if it lies in the
                             room, where it is decrypted in place     */
    uint8_t *out;         /* next byte of the value                   */
    uint8_t first;        /* the frame's first byte                   */
};

/* Take the type byte off and put the piece where it belongs. */
static void
place(struct opening *o, uint64_t index, uint8_t *piece, size_t len)
{
    if (index == 0) {
        o->first = *piece++;
        len--;
    }
    if (piece != o->out)
        memmove(o->out, piece, len);
    o->out += len;
}

static enum envl_status
open_short(const struct payload_keys *keys, struct opening *o,
           struct envl_error *err)
{
    uint8_t *to = o->inside != NULL ? o->inside : o->out;
    enum envl_status status;

    status = gcm_open(keys->key, keys->nonce, (struct envl_bytes){
        o->chunk, o->left }, to, err);
    if (status == ENVL_OK)
        place(o, 0, to, o->left - GCM_TAG_LEN);
    return status;
}

static enum envl_status
open_chunks(const struct payload_keys *keys, struct opening *o,
            struct envl_error *err)
{
    struct gcm_run run;
    enum envl_status status = gcm_begin(&run, keys->key, err);

    if (status != ENVL_OK)
        return status;
    for (uint64_t i = 0; status == ENVL_OK && o->left > 0; i++) {
        size_t len = o->left < PAYLOAD_SEALED_LEN ? o->left
                                                  : PAYLOAD_SEALED_LEN;
        uint8_t *to = o->inside != NULL ? o->inside : o->out;
        uint8_t nonce[GCM_NONCE_LEN];

        payload_nonce(keys, i, nonce);
        status = gcm_run_open(&run, nonce, (struct envl_bytes){
            o->chunk, len }, to, err);
        if (status != ENVL_OK)
            break;
        place(o, i, to, len - GCM_TAG_LEN);
        o->chunk += len;
        o->left -= len;
        if (o->inside != NULL)
            o->inside += len;
    }
    gcm_end(&run);
    return status;
}

/* spec: ENV-6.4, ENV-6.5, ENV-6.6, ENV-6.7 */
static enum envl_status
read_frame(const struct opening *o, struct envl_opened *out,
           struct envl_error *err)
{
    size_t len = (size_t)(o->out - out->value.ptr);
    struct frame_head head;
    enum envl_status status = frame_read_first(o->first, &head, err);

    if (status == ENVL_OK && head.padded)
        status = frame_unpad((struct envl_bytes){ out->value.ptr, len }, &len,
                             err);
    if (status != ENVL_OK)
        return status;
    out->type = head.type;
    out->value.len = len;
    return ENVL_OK;
}

enum envl_status
payload_open(const struct payload_keys *keys, struct envl_bytes payload,
             struct envl_opened *out, struct envl_error *err)
{
    uint8_t *room = out->value.ptr;
    uintptr_t offset = (uintptr_t)payload.ptr - (uintptr_t)room;
    size_t frame_size = payload_frame_len(payload.len);
    size_t touched = frame_size, kept = 0;
    struct opening o = { payload.ptr + PAYLOAD_HEAD_LEN,
                         payload.len - PAYLOAD_HEAD_LEN, NULL, room, 0 };
    enum envl_status status;

    if (offset < out->value.len) {
        o.inside = room + offset + PAYLOAD_HEAD_LEN;
        touched = (size_t)offset + payload.len;
    }
    if (frame_size <= SHORT_LEN)
        status = open_short(keys, &o, err);
    else
        status = open_chunks(keys, &o, err);
    if (status == ENVL_OK)
        status = read_frame(&o, out, err);
    if (status == ENVL_OK)
        kept = out->value.len;
    else
        out->value.len = 0;
    if (touched > kept)
        sodium_memzero(room + kept, touched - kept);
    return status;
}
