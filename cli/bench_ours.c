#include <stdlib.h>
#include <string.h>

#include <envelope/stream.h>

#include "bench_ours.h"
#include "core/random.h"
#include "keyring/key.h"

#define PIECE (256u * 1024u)

struct bench_ours {
    struct envl_keyring *ring;
    struct envl_seal_options options;
    struct envl_bytes value;
    uint8_t *bytes;
    struct envl_buf sealed, out;
    uint8_t *room;
    size_t room_len;
    struct envl_item items[BENCH_OURS_BATCH];
};

static const struct envl_pair pairs[2] = {
    { { (const uint8_t *)"field", 5 },
      { (const uint8_t *)"model_configs.api_key", 21 } },
    { { (const uint8_t *)"id", 2 }, { (const uint8_t *)"42", 2 } },
};
static const struct envl_context context = { pairs, 2 };

/* What is measured cannot fail on a machine that works. */
static void
must(enum envl_status status)
{
    if (status != ENVL_OK)
        abort();
}

static enum envl_status
make_ring(struct envl_keyring **out, struct envl_error *err)
{
    struct keyring_given key = {
        .info = { .kid = "k2026-11", .scope = "default",
                  .use = ENVL_USE_SEAL, .state = ENVL_KEY_ACTIVE }
    };
    enum envl_status status = random_fill(
        (struct envl_span){ key.bytes, sizeof(key.bytes) }, err);

    return status == ENVL_OK ? keyring_from_keys(&key, 1, out, err) : status;
}

struct bench_ours *
bench_ours_new(size_t value_len, enum envl_encoding encoding,
               struct envl_error *err)
{
    struct bench_ours *o = calloc(1, sizeof(*o));
    enum envl_status status;

    if (o == NULL || (o->bytes = malloc(value_len)) == NULL) {
        (void)envl_fail(err, ENVL_E_NOMEM, "out of memory");
        free(o);
        return NULL;
    }
    memset(o->bytes, 'k', value_len);
    o->value = (struct envl_bytes){ o->bytes, value_len };
    o->options = (struct envl_seal_options){
        .size = sizeof(o->options), .type = ENVL_TYPE_TEXT,
        .encoding = encoding
    };
    status = make_ring(&o->ring, err);
    if (status == ENVL_OK)
        status = envl_seal(o->ring, &o->options, &context, o->value,
                           &o->sealed, err);
    o->room_len = o->sealed.len + 16;
    if (status == ENVL_OK && (o->room = malloc(o->room_len)) == NULL)
        status = envl_fail(err, ENVL_E_NOMEM, "out of memory");
    if (status != ENVL_OK) {
        bench_ours_free(o);
        return NULL;
    }
    return o;
}

void
bench_ours_seal(void *ours)
{
    struct bench_ours *o = ours;
    struct envl_span out = { o->room, o->room_len };

    must(envl_seal_into(o->ring, &o->options, &context, o->value, &out,
                        NULL));
}

void
bench_ours_open(void *ours)
{
    struct bench_ours *o = ours;
    struct envl_opened out = { { o->room, o->room_len }, ENVL_TYPE_BYTES };

    must(envl_open_into(o->ring, NULL, &context, envl_buf_view(&o->sealed),
                        &out, NULL));
}

void
bench_ours_classify(void *ours)
{
    struct bench_ours *o = ours;
    struct envl_verdict verdict;

    must(envl_classify(o->ring, NULL, &context, envl_buf_view(&o->sealed),
                       &verdict, NULL));
}

static void
fill(struct bench_ours *o, struct envl_bytes input)
{
    envl_buf_clear(&o->out);
    for (size_t i = 0; i < BENCH_OURS_BATCH; i++)
        o->items[i] = (struct envl_item){ .input = input, .context = context,
                                          .type = ENVL_TYPE_TEXT };
}

void
bench_ours_seal_batch(void *ours)
{
    struct bench_ours *o = ours;

    fill(o, o->value);
    must(envl_seal_batch(o->ring, &o->options, o->items, BENCH_OURS_BATCH,
                         &o->out, NULL));
}

void
bench_ours_open_batch(void *ours)
{
    struct bench_ours *o = ours;

    fill(o, envl_buf_view(&o->sealed));
    must(envl_open_batch(o->ring, NULL, o->items, BENCH_OURS_BATCH, &o->out,
                         NULL));
}

void
bench_ours_seal_stream(void *ours)
{
    struct bench_ours *o = ours;
    struct envl_sealer *sealer = NULL;

    must(envl_sealer_new(o->ring, &o->options, &context, &sealer, NULL));
    for (size_t at = 0; at < o->value.len; at += PIECE) {
        size_t len = o->value.len - at < PIECE ? o->value.len - at : PIECE;

        o->out.len = 0; /* ciphertext is not wiped */
        must(envl_sealer_update(
            sealer, (struct envl_bytes){ o->bytes + at, len }, &o->out,
            NULL));
    }
    must(envl_sealer_finish(sealer, &o->out, NULL));
    envl_sealer_free(sealer);
}

void
bench_ours_open_stream(void *ours)
{
    struct bench_ours *o = ours;
    struct envl_opener *opener = NULL;

    must(envl_opener_new(o->ring, NULL, &context, &opener, NULL));
    for (size_t at = 0; at < o->sealed.len; at += PIECE) {
        size_t len = o->sealed.len - at < PIECE ? o->sealed.len - at : PIECE;

        envl_buf_clear(&o->out);
        must(envl_opener_update(
            opener, (struct envl_bytes){ o->sealed.ptr + at, len }, &o->out,
            NULL));
    }
    must(envl_opener_finish(opener, &o->out, NULL, NULL));
    envl_opener_free(opener);
}

void
bench_ours_free(struct bench_ours *ours)
{
    if (ours == NULL)
        return;
    envl_keyring_free(ours->ring);
    envl_buf_free(&ours->sealed);
    envl_buf_free(&ours->out);
    free(ours->bytes);
    free(ours->room);
    free(ours);
}
