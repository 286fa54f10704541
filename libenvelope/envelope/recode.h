/*
 * recode.h - an envelope taken apart and written again.
 */
#ifndef ENVELOPE_RECODE_H
#define ENVELOPE_RECODE_H

#include "envelope/parse.h"

/* A whole envelope, and the memory that its base64url was decoded to. */
struct recode_source {
    struct parsed parsed;
    uint8_t *memory; /* private */
};

/**
 * recode_parse(envelope, out, err):
 * As parse_whole, with memory of its own; recode_free after ENVL_OK.
 */
enum envl_status recode_parse(struct envl_bytes envelope,
                              struct recode_source *out,
                              struct envl_error *err);

/**
 * recode_free(source):
 * Release the memory.
 */
void recode_free(struct recode_source *source);

/**
 * recode_write(layout, payload, out, err):
 * Append the envelope of a raw ${payload} to ${out}.  Fails with
 * ENVL_E_NOMEM, ENVL_E_LIMIT.
 */
enum envl_status recode_write(const struct layout *layout,
                              struct envl_bytes payload, struct envl_buf *out,
                              struct envl_error *err);

#endif /* ENVELOPE_RECODE_H */
