#include <string.h>

#include <sodium.h>

#include "pass.h"
#include "value_options.h"

#define WHOLE_MAX (2u * 1024u * 1024u) /* more is a stream */

/* The encoding shows in the first bytes (spec: ENV-8.2). */
static bool
is_binary(struct envl_bytes bytes)
{
    return bytes.len > 0 && bytes.ptr[0] == 0x9e;
}

static bool
is_object(struct envl_bytes bytes)
{
    size_t i = 0;

    while (i < bytes.len && bytes.ptr[i] != '\0' &&
           strchr(" \t\r\n", bytes.ptr[i]) != NULL)
        i++;
    return i < bytes.len && bytes.ptr[i] == '{';
}

/*
 * Give ${piece} of a text form to ${opener}, but for an LF at its end, which
 * may be the last of the file; ${held} says whether one is waiting.
 */
static enum envl_status
feed(struct envl_opener *opener, struct envl_bytes piece, bool *held,
     struct envl_buf *out, struct envl_error *err)
{
    enum envl_status status = ENVL_OK;

    if (*held && piece.len > 0) {
        status = envl_opener_update(opener, envl_bytes_of("\n"), out, err);
        *held = false;
    }
    if (status == ENVL_OK && piece.len > 0 &&
        piece.ptr[piece.len - 1] == '\n') {
        piece.len--;
        *held = true;
    }
    if (status == ENVL_OK)
        status = envl_opener_update(opener, piece, out, err);
    return status;
}

/* One run. */
struct run {
    const struct io_source *in;
    const struct pass_keys *keys;
    struct pass *pass;
    crypto_generichash_state hash;
    struct envl_buf sealed, text;
};

static enum envl_status
give(struct run *run, struct envl_buf *text, struct envl_error *err)
{
    enum envl_status status = ENVL_OK;

    if (run->pass->digest_wanted)
        crypto_generichash_update(&run->hash, text->ptr, text->len);
    if (run->pass->take != NULL)
        status = run->pass->take(run->pass->cookie, envl_buf_view(text), err);
    envl_buf_clear(text);
    return status;
}

static enum envl_status
open_whole(struct run *run, struct envl_error *err)
{
    struct envl_bytes envelope = envl_buf_view(&run->sealed);
    struct envl_plain plain = { .value = ENVL_BUF_INIT };
    enum envl_status status;

    /* spec: ENV-7.4, the one LF that ends a file */
    if (!is_binary(envelope) && envelope.len > 0 &&
        envelope.ptr[envelope.len - 1] == '\n')
        envelope.len--;
    status = envl_open(run->keys->ring, &run->keys->open, run->keys->context,
                       envelope, &plain, err);
    if (status == ENVL_OK) {
        run->pass->type = plain.type;
        status = give(run, &plain.value, err);
    }
    envl_plain_free(&plain);
    return status;
}

static enum envl_status
open_pieces(struct run *run, struct envl_opener *opener,
            struct envl_error *err)
{
    struct envl_bytes piece = envl_buf_view(&run->sealed);
    const bool binary = is_binary(piece);
    struct envl_span room = { run->sealed.ptr, 0 };
    enum envl_status status;
    bool held = false;

    while (piece.len > 0) {
        status = binary ? envl_opener_update(opener, piece, &run->text, err)
                        : feed(opener, piece, &held, &run->text, err);
        if (status != ENVL_OK ||
            (status = give(run, &run->text, err)) != ENVL_OK)
            return status;
        room.len = IO_PIECE;
        if ((status = io_read(run->in, &room, err)) != ENVL_OK)
            return status;
        piece = (struct envl_bytes){ room.ptr, room.len };
    }
    status = envl_opener_finish(opener, &run->text, &run->pass->type, err);
    return status == ENVL_OK ? give(run, &run->text, err) : status;
}

static enum envl_status
open_stream(struct run *run, struct envl_error *err)
{
    struct envl_opener *opener = NULL;
    enum envl_status status;

    if ((status = envl_opener_new(run->keys->ring, &run->keys->open,
                                  run->keys->context, &opener, err)) ==
        ENVL_OK)
        status = open_pieces(run, opener, err);
    envl_opener_free(opener);
    return status;
}

static enum envl_status
open_any(struct run *run, struct envl_error *err)
{
    enum envl_status status;

    if ((status = io_read_upto(run->in, WHOLE_MAX + 1, &run->sealed, err)) !=
        ENVL_OK)
        return status;
    if (run->sealed.len <= WHOLE_MAX)
        return open_whole(run, err);
    if (!is_object(envl_buf_view(&run->sealed)))
        return open_stream(run, err);
    /* An object is one JSON text, which is read whole. */
    status = io_read_all(run->in, OBJECT_ENVELOPE_MAX, &run->sealed, err);
    return status == ENVL_OK ? open_whole(run, err) : status;
}

enum envl_status
pass_run(const struct io_source *in, const struct pass_keys *keys,
         struct pass *pass, struct envl_error *err)
{
    struct run run = { .in = in, .keys = keys, .pass = pass,
                       .sealed = ENVL_BUF_INIT, .text = ENVL_BUF_INIT };
    enum envl_status status;

    crypto_generichash_init(&run.hash, NULL, 0, sizeof(pass->digest));
    status = open_any(&run, err);
    crypto_generichash_final(&run.hash, pass->digest, sizeof(pass->digest));
    sodium_memzero(&run.hash, sizeof(run.hash));
    envl_buf_free(&run.sealed);
    envl_buf_free(&run.text);
    return status;
}
