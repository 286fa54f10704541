/*
 * Any bytes as an envelope, and any bytes as the frame inside a good one:
 * opening in memory, into memory, in pieces, and classifying agree, and what
 * opens comes out the same from every encoding.
 * The first byte chooses; the rest is the envelope or the frame.
 */
#include <stdlib.h>
#include <string.h>

#include <envelope.h>

#include "crypto/gcm.h"
#include "envelope/context_code.h"
#include "envelope/payload.h"
#include "keyring/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PAIR(n, v) { { (const uint8_t *)(n), sizeof(n) - 1 }, \
                     { (const uint8_t *)(v), sizeof(v) - 1 } }

static const struct envl_pair pairs[] = {
    PAIR("field", "model_configs.api_key"), PAIR("id", "42"),
};
static const struct envl_context context = { pairs, 2 };

/* The keys of the known answers: seeds of theirs open.  TEST DATA. */
static struct envl_keyring *
ring(void)
{
    static struct envl_keyring *made;
    struct keyring_given keys[3] = {
        { .info = { .kid = "k2026-11", .scope = "default",
                    .use = ENVL_USE_SEAL, .state = ENVL_KEY_ACTIVE } },
        { .info = { .kid = "kek-1", .scope = "default",
                    .use = ENVL_USE_WRAP, .state = ENVL_KEY_ACTIVE } },
        { .info = { .kid = "k-off", .scope = "default",
                    .use = ENVL_USE_SEAL, .state = ENVL_KEY_DISABLED } },
    };

    if (made != NULL)
        return made;
    for (uint8_t i = 0; i < 32; i++)
        keys[0].bytes[i] = keys[1].bytes[i] = i;
    if (keyring_from_keys(keys, 3, &made, NULL) != ENVL_OK)
        abort();
    return made;
}

static enum envl_status
open_in_pieces(struct envl_bytes in, size_t step, struct envl_buf *out,
               enum envl_type *type)
{
    struct envl_opener *opener = NULL;
    enum envl_status status;

    status = envl_opener_new(ring(), NULL, &context, &opener, NULL);
    while (status == ENVL_OK && in.len > 0) {
        struct envl_bytes piece = { in.ptr, in.len < step ? in.len : step };

        status = envl_opener_update(opener, piece, out, NULL);
        in.ptr += piece.len;
        in.len -= piece.len;
    }
    if (status == ENVL_OK)
        status = envl_opener_finish(opener, out, type, NULL);
    envl_opener_free(opener);
    return status;
}

/* May a stream say ${got} where memory says ${want}?  spec: ENV-8.16 */
static int
stream_may(enum envl_status got, enum envl_status want)
{
    if (got == want)
        return 1;
    /* An object is no stream; and the end is seen last. */
    return got == ENVL_E_USAGE ||
           (want == ENVL_E_FORMAT && (got == ENVL_E_AUTH ||
                                      got == ENVL_E_NOKEY)) ||
           (want == ENVL_E_AUTH && got == ENVL_E_FORMAT);
}

/* From each other encoding the same value comes out. */
static void
check_recoded(struct envl_bytes in, const struct envl_plain *want)
{
    for (int e = 0; e < 3; e++) {
        struct envl_plain plain = ENVL_PLAIN_INIT;
        struct envl_buf other = ENVL_BUF_INIT;

        if (envl_recode(in, (enum envl_encoding)e, &other, NULL) != ENVL_OK ||
            envl_open(ring(), NULL, &context, envl_buf_view(&other), &plain,
                      NULL) != ENVL_OK ||
            plain.type != want->type || plain.value.len != want->value.len ||
            (want->value.len > 0 && memcmp(plain.value.ptr, want->value.ptr,
                                           want->value.len) != 0))
            abort();
        envl_plain_free(&plain);
        envl_buf_free(&other);
    }
}

static void
check(struct envl_bytes in, size_t step)
{
    struct envl_plain plain = ENVL_PLAIN_INIT;
    struct envl_buf pieces = ENVL_BUF_INIT;
    enum envl_type type = ENVL_TYPE_BYTES;
    struct envl_opened into = { { malloc(in.len + 1), in.len },
                                ENVL_TYPE_BYTES };
    struct envl_verdict verdict;
    enum envl_status want, got;

    if (into.value.ptr == NULL)
        abort();
    want = envl_open(ring(), NULL, &context, in, &plain, NULL);
    got = envl_open_into(ring(), NULL, &context, in, &into, NULL);
    if (got != want || into.value.len != plain.value.len)
        abort();
    got = open_in_pieces(in, step, &pieces, &type);
    if (!stream_may(got, want))
        abort();
    if (got == ENVL_OK &&
        (want != ENVL_OK || type != plain.type ||
         pieces.len != plain.value.len ||
         (pieces.len > 0 && memcmp(pieces.ptr, plain.value.ptr,
                                   pieces.len) != 0)))
        abort();
    if (envl_classify(ring(), NULL, &context, in, &verdict, NULL) != ENVL_OK)
        abort();
    if (verdict.status != want &&
        !(verdict.status == ENVL_OK &&
          (want == ENVL_E_AUTH || want == ENVL_E_FORMAT)))
        abort();
    if (want == ENVL_OK)
        check_recoded(in, &plain);
    free(into.value.ptr);
    envl_plain_free(&plain);
    envl_buf_free(&pieces);
}

/* A good envelope of any frame, whatever a sealer would write. */
static struct envl_buf
around(struct envl_bytes frame)
{
    static const uint8_t head[] = "\x9e\x45\x56\x01\x00\x08k2026-11";
    struct context_code code;
    struct payload_keys keys;
    struct hmac512_key prepared;
    struct envl_buf out = ENVL_BUF_INIT;
    uint8_t key[32], salt[24] = { 0 }, nonce[12], *chunk;
    size_t len = payload_len(frame.len), at = 0;

    for (uint8_t i = 0; i < 32; i++)
        key[i] = i;
    hmac512_prepare(&prepared, (struct envl_bytes){ key, 32 });
    if (context_code_make(&context, &code, NULL) != ENVL_OK ||
        envl_buf_append(&out, (struct envl_bytes){ head, 14 }, NULL) !=
            ENVL_OK ||
        envl_buf_reserve(&out, len, NULL) != ENVL_OK)
        abort();
    payload_derive(&prepared, salt, &code, &keys);
    chunk = out.ptr + out.len;
    memcpy(chunk, salt, 24);
    memcpy(chunk + 24, keys.commitment, 32);
    chunk += 56;
    for (uint64_t i = 0; at <= frame.len; i++, at += 16384) {
        size_t n = frame.len - at < 16384 ? frame.len - at : 16384;

        payload_nonce(&keys, i, nonce);
        if (gcm_seal(keys.key, nonce, (struct envl_bytes){
                frame.ptr + at, n }, chunk, NULL) != ENVL_OK)
            abort();
        chunk += n + 16;
    }
    out.len += len;
    return out;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct envl_bytes rest = { data + 1, size - 1 };
    struct envl_buf envelope;
    size_t step;

    if (size < 2)
        return 0;
    step = 1 + (size_t)(data[0] >> 1) * 13;
    if (data[0] % 2 == 0) {
        check(rest, step);
        return 0;
    }
    envelope = around(rest);
    check(envl_buf_view(&envelope), step);
    envl_buf_free(&envelope);
    return 0;
}
