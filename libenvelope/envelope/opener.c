#include <string.h>

#include <sodium.h>

#include <envelope/stream.h>

#include "core/base64url.h"
#include "envelope/opener_head.h"
#include "envelope/opening.h"
#include "envelope/select.h"
#include "envelope/value_key.h"

#define DECODE_AT_ONCE 8192u /* characters, a multiple of 4 */

/* In guarded memory, for its keys. */
struct envl_opener {
    struct envl_keyring *ring;
    struct envl_open_options options;
    char scope[ENVL_NAME_SIZE]; /* what options.scope points to */
    struct context_code code;
    struct opener_head head;
    bool keyed; /* the header was read, the commitment holds */
    bool over;  /* failed or finished                        */

    uint8_t chars[4]; /* text: characters not yet decoded */
    size_t char_count;

    struct payload_keys keys;
    uint64_t index;          /* of the next chunk            */
    struct frame_head frame; /* known after the first chunk  */
    bool held;    /* a run 80 00* is held back: it may be padding */
    size_t zeros; /* of that run                                  */
    size_t fill;  /* bytes of the next chunk                      */
    uint8_t chunk[PAYLOAD_SEALED_LEN];
};

enum envl_status
envl_opener_new(struct envl_keyring *ring,
                const struct envl_open_options *options,
                const struct envl_context *context, struct envl_opener **out,
                struct envl_error *err)
{
    struct envl_open_options checked;
    struct context_code code;
    struct envl_opener *o;
    enum envl_status status = context_code_make(context, &code, err);

    if (status == ENVL_OK)
        status = select_open_options(options, &checked, err);
    if (status != ENVL_OK)
        return status;
    if (sodium_init() < 0)
        return envl_fail(err, ENVL_E_INTERNAL, "libsodium does not start");
    o = sodium_malloc(sizeof(*o));
    if (o == NULL)
        return envl_fail(err, ENVL_E_NOMEM, "out of guarded memory");
    memset(o, 0, sizeof(*o));
    o->ring = ring;
    o->options = checked;
    memcpy(o->scope, checked.scope, strlen(checked.scope) + 1);
    o->options.scope = o->scope;
    o->code = code;
    *out = o;
    return ENVL_OK;
}

void
envl_opener_free(struct envl_opener *opener)
{
    if (opener == NULL)
        return;
    opener_head_free(&opener->head);
    sodium_free(opener);
}

/* ---- the keys ----------------------------------------------------------- */

static enum envl_status
derive(struct envl_opener *o, const struct key *key,
       const struct parsed *envelope, struct envl_error *err)
{
    struct value_key value_key;
    enum envl_status status;

    if (envelope->mode == ENVL_MODE_DERIVED)
        return opening_derive(&key->secret->prepared, &o->code, envelope,
                              &o->keys, err);
    status = value_key_open(key, envelope->wrapped, &value_key, err);
    if (status != ENVL_OK)
        return status;
    status = opening_derive(&value_key.prepared, &o->code, envelope, &o->keys,
                            err);
    sodium_memzero(&value_key, sizeof(value_key));
    return status;
}

/* The header is whole: find the key, compare the commitment. */
static enum envl_status
key_up(struct envl_opener *o, struct envl_error *err)
{
    struct selection selected;
    struct parsed envelope;
    enum envl_status status;

    opener_head_parsed(&o->head, &envelope);
    status = select_opening_key(o->ring, &o->options, &envelope, &selected,
                                err);
    if (status != ENVL_OK)
        return status;
    status = derive(o, selected.key, &envelope, err);
    select_release(o->ring, &selected);
    if (status != ENVL_OK)
        return status;

    /* The first bytes of the first chunk were read with the header. */
    o->fill = envelope.payload.len - PAYLOAD_HEAD_LEN;
    memcpy(o->chunk, envelope.payload.ptr + PAYLOAD_HEAD_LEN, o->fill);
    o->keyed = true;
    return ENVL_OK;
}

/* ---- plaintext ---------------------------------------------------------- */

/*
 * Release the ${len} bytes of a padded frame that lie at ${piece}, in ${out}'s
 * room, after room for the run that is held.  spec: ENV-6.8
 */
static void
release(struct envl_opener *o, const uint8_t *piece, size_t len,
        struct envl_buf *out)
{
    size_t zeros = 0;
    bool eighty;

    while (zeros < len && piece[len - 1 - zeros] == 0)
        zeros++;
    if (zeros == len && o->held && o->zeros + zeros <= FRAME_ZEROS_MAX) {
        o->zeros += zeros;
        return;
    }
    /* Whatever follows, the run that was held is not the padding. */
    if (o->held) {
        out->ptr[out->len] = 0x80;
        memset(out->ptr + out->len + 1, 0, o->zeros);
        out->len += 1 + o->zeros;
        o->held = false;
    }
    eighty = zeros < len && zeros <= FRAME_ZEROS_MAX &&
             piece[len - 1 - zeros] == 0x80;
    if (eighty) {
        o->held = true;
        o->zeros = zeros;
        len -= zeros + 1;
    }
    out->len += len;
}

static enum envl_status
open_chunk(struct envl_opener *o, struct gcm_run *run, struct envl_bytes chunk,
           struct envl_buf *out, struct envl_error *err)
{
    size_t gap = o->held ? 1 + o->zeros : 0, len = chunk.len - GCM_TAG_LEN;
    uint8_t nonce[GCM_NONCE_LEN], *piece;
    enum envl_status status;

    if (o->index >= PAYLOAD_CHUNKS_MAX)
        return envl_fail(err, ENVL_E_LIMIT, "a stream of too many chunks");
    status = envl_buf_reserve(out, gap + len, err);
    if (status != ENVL_OK)
        return status;
    piece = out->ptr + out->len + gap;
    payload_nonce(&o->keys, o->index, nonce);
    status = gcm_run_open(run, nonce, chunk, piece, err); /* ENV-8.15 */
    if (status != ENVL_OK)
        return status;
    if (o->index++ == 0) {
        /* spec: ENV-6.7; a first chunk has at least this byte */
        status = frame_read_first(piece[0], &o->frame, err);
        if (status != ENVL_OK) {
            sodium_memzero(piece, len);
            return status;
        }
        memmove(piece, piece + 1, --len);
    }
    if (o->frame.padded)
        release(o, piece, len, out);
    else
        out->len += len;
    return ENVL_OK;
}

/* Take raw bytes of the payload. */
static enum envl_status
take_chunks(struct envl_opener *o, struct gcm_run *run,
            struct envl_bytes piece, struct envl_buf *out,
            struct envl_error *err)
{
    enum envl_status status = ENVL_OK;

    while (status == ENVL_OK && piece.len > 0) {
        size_t len = PAYLOAD_SEALED_LEN - o->fill;

        if (len > piece.len)
            len = piece.len;
        if (len == PAYLOAD_SEALED_LEN) {
            status = open_chunk(o, run, (struct envl_bytes){
                piece.ptr, len }, out, err);
        } else {
            memcpy(o->chunk + o->fill, piece.ptr, len);
            o->fill += len;
            if (o->fill == PAYLOAD_SEALED_LEN) {
                o->fill = 0;
                status = open_chunk(o, run, (struct envl_bytes){
                    o->chunk, PAYLOAD_SEALED_LEN }, out, err);
            }
        }
        piece.ptr += len;
        piece.len -= len;
    }
    return status;
}

/* Take raw bytes: header first, then chunks. */
static enum envl_status
take_raw(struct envl_opener *o, struct envl_bytes piece, struct envl_buf *out,
         struct envl_error *err)
{
    struct gcm_run run;
    enum envl_status status = ENVL_OK;

    if (!o->keyed) {
        status = opener_head_raw(&o->head, &piece, err);
        if (status == ENVL_OK && o->head.state == OPENER_HEAD_DONE)
            status = key_up(o, err);
    }
    if (status != ENVL_OK || piece.len == 0)
        return status;
    if (o->fill + piece.len < PAYLOAD_SEALED_LEN)
        return take_chunks(o, NULL, piece, out, err); /* only collects */
    status = gcm_begin(&run, o->keys.key, err);
    if (status != ENVL_OK)
        return status;
    status = take_chunks(o, &run, piece, out, err);
    gcm_end(&run);
    return status;
}

/* ---- base64url ---------------------------------------------------------- */

static enum envl_status
bad_base64(struct envl_error *err)
{
    return envl_fail(err, ENVL_E_FORMAT,
                     "a damaged envelope: its base64url is not valid");
}

static enum envl_status
take_chars(struct envl_opener *o, struct envl_bytes chars,
           struct envl_buf *out, struct envl_error *err)
{
    uint8_t raw[DECODE_AT_ONCE / 4 * 3 + 2];
    size_t len = base64url_decode(chars, raw);

    if (len == SIZE_MAX)
        return bad_base64(err);
    return take_raw(o, (struct envl_bytes){ raw, len }, out, err);
}

/* Decode whole fours; what is left over waits for the next piece. */
static enum envl_status
take_text(struct envl_opener *o, struct envl_bytes piece,
          struct envl_buf *out, struct envl_error *err)
{
    enum envl_status status = ENVL_OK;

    while (o->char_count > 0 && o->char_count < 4 && piece.len > 0) {
        o->chars[o->char_count++] = *piece.ptr++;
        piece.len--;
    }
    if (o->char_count == 4) {
        o->char_count = 0;
        status = take_chars(o, (struct envl_bytes){ o->chars, 4 }, out, err);
    }
    while (status == ENVL_OK && piece.len >= 4) {
        size_t len = piece.len < DECODE_AT_ONCE ? piece.len / 4 * 4
                                                : DECODE_AT_ONCE;

        status = take_chars(o, (struct envl_bytes){ piece.ptr, len }, out,
                            err);
        piece.ptr += len;
        piece.len -= len;
    }
    if (status == ENVL_OK && piece.len > 0) {
        memcpy(o->chars, piece.ptr, piece.len);
        o->char_count = piece.len;
    }
    return status;
}

/* ---- the calls ---------------------------------------------------------- */

static enum envl_status
take(struct envl_opener *o, struct envl_bytes piece, struct envl_buf *out,
     struct envl_error *err)
{
    enum envl_status status;

    if (o->over)
        return envl_fail(err, ENVL_E_USAGE,
                         "an opener that has failed or is finished");
    status = opener_head_chars(&o->head, &piece, err);
    if (status != ENVL_OK || piece.len == 0)
        return status;
    if (o->head.encoding == ENVL_ENCODING_TEXT)
        return take_text(o, piece, out, err);
    return take_raw(o, piece, out, err);
}

enum envl_status
envl_opener_update(struct envl_opener *opener, struct envl_bytes piece,
                   struct envl_buf *out, struct envl_error *err)
{
    enum envl_status status = take(opener, piece, out, err);

    if (status != ENVL_OK)
        opener->over = true;
    return status;
}

/* The last chunk, which is never full.  spec: ENV-4.7, ENV-8.16 */
static enum envl_status
finish(struct envl_opener *o, struct envl_buf *out, struct envl_error *err)
{
    struct gcm_run run;
    enum envl_status status = ENVL_OK;

    if (o->over)
        return envl_fail(err, ENVL_E_USAGE,
                         "an opener that has failed or is finished");
    if (o->char_count > 0)
        status = take_chars(o, (struct envl_bytes){
            o->chars, o->char_count }, out, err);
    if (status != ENVL_OK)
        return status;
    if (!o->keyed)
        return opener_head_finish(&o->head, err);
    if (o->fill < GCM_TAG_LEN)
        return envl_fail(err, ENVL_E_FORMAT, "a damaged envelope: its "
                         "payload has an impossible length");
    status = gcm_begin(&run, o->keys.key, err);
    if (status != ENVL_OK)
        return status;
    status = open_chunk(o, &run, (struct envl_bytes){ o->chunk, o->fill },
                        out, err);
    gcm_end(&run);
    if (status == ENVL_OK && o->frame.padded && !o->held)
        return envl_fail(err, ENVL_E_FORMAT, "the value's padding is broken");
    return status;
}

enum envl_status
envl_opener_finish(struct envl_opener *opener, struct envl_buf *out,
                   enum envl_type *type, struct envl_error *err)
{
    enum envl_status status = finish(opener, out, err);

    opener->over = true;
    if (status == ENVL_OK && type != NULL)
        *type = opener->frame.type;
    return status;
}
