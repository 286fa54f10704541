/*
 * stream_fixture.h - values sealed and opened in pieces.
 */
#ifndef UNIT_STREAM_FIXTURE_H
#define UNIT_STREAM_FIXTURE_H

#include "envelope_fixture.h"

static struct envl_keyring *ring;

static inline enum envl_status
seal_in(const struct envl_seal_options *options, struct envl_bytes value,
        size_t step, struct envl_buf *out)
{
    struct envl_sealer *sealer = NULL;
    enum envl_status status;

    status = envl_sealer_new(ring, options, &here, &sealer, NULL);
    while (status == ENVL_OK && value.len > 0) {
        size_t len = value.len < step ? value.len : step;

        status = envl_sealer_update(sealer, (struct envl_bytes){
            value.ptr, len }, out, NULL);
        value.ptr += len;
        value.len -= len;
    }
    if (status == ENVL_OK)
        status = envl_sealer_finish(sealer, out, NULL);
    envl_sealer_free(sealer);
    return status;
}

static inline enum envl_status
open_in(struct envl_bytes envelope, const struct envl_context *context,
        size_t step, struct envl_buf *out, enum envl_type *type)
{
    struct envl_open_options any = { .size = sizeof(any), .scope = "*" };
    struct envl_opener *opener = NULL;
    enum envl_status status;

    status = envl_opener_new(ring, &any, context, &opener, NULL);
    while (status == ENVL_OK && envelope.len > 0) {
        size_t len = envelope.len < step ? envelope.len : step;

        status = envl_opener_update(opener, (struct envl_bytes){
            envelope.ptr, len }, out, NULL);
        envelope.ptr += len;
        envelope.len -= len;
    }
    if (status == ENVL_OK)
        status = envl_opener_finish(opener, out, type, NULL);
    envl_opener_free(opener);
    return status;
}

static uint8_t value[100000];

static inline int
set_up(void **state)
{
    (void)state;
    ring = make_ring(false);
    memset(value, 'v', sizeof(value));
    return 0;
}

static inline int
tear_down(void **state)
{
    (void)state;
    envl_keyring_free(ring);
    return 0;
}

#endif /* UNIT_STREAM_FIXTURE_H */
