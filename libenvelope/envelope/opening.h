/*
 * opening.h - what opening one envelope and many have in common.
 */
#ifndef ENVELOPE_OPENING_H
#define ENVELOPE_OPENING_H

#include "envelope/context_code.h"
#include "envelope/parse.h"
#include "envelope/payload.h"

/**
 * opening_derive(input, code, envelope, out, err):
 * Derive the keys of ${envelope}, whose mode goes into ${code}, and compare
 * the commitment.  Fails with ENVL_E_AUTH, ${out} wiped.
 */
enum envl_status opening_derive(const struct hmac512_key *input,
                                struct context_code *code,
                                const struct parsed *envelope,
                                struct payload_keys *out,
                                struct envl_error *err);

/**
 * opening_decrypt(input, code, envelope, out, err):
 * The same, and then the chunks and the frame (payload.h).  Fails with
 * ENVL_E_LIMIT if out->value has no room for the frame.
 */
enum envl_status opening_decrypt(const struct hmac512_key *input,
                                 struct context_code *code,
                                 const struct parsed *envelope,
                                 struct envl_opened *out,
                                 struct envl_error *err);

/* Base64url up to here is decoded on the stack, more in the output's room. */
#define OPENING_SCRATCH 2048u

/**
 * opening_work(envelope, scratch, room):
 * The memory to decode ${envelope} in.
 */
struct envl_span opening_work(struct envl_bytes envelope,
                              uint8_t scratch[OPENING_SCRATCH],
                              struct envl_span room);

/**
 * opening_one(ring, options, code, bytes, out, err):
 * Everything after the context and the options (spec: ENV-8.1), into memory
 * that is there.  ${remote} (may be NULL) is set, and nothing done, if the
 * key is one that only a provider can use.
 */
struct opening_request {
    struct envl_keyring *ring;
    const struct envl_open_options *options; /* checked */
    struct context_code *code;
    struct envl_bytes envelope;
    bool *remote;
};
enum envl_status opening_one(const struct opening_request *request,
                             struct envl_opened *out, struct envl_error *err);

#endif /* ENVELOPE_OPENING_H */
