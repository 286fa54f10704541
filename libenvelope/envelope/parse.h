/*
 * parse.h - an envelope in any encoding, taken apart (spec ENV, 3, 7, 8.4).
 */
#ifndef ENVELOPE_PARSE_H
#define ENVELOPE_PARSE_H

#include <envelope/envelope.h>

#include "envelope/layout.h"
#include "envelope/payload.h"

/* Views into the input, the caller's work memory, or this struct. */
struct parsed {
    enum envl_encoding encoding;
    enum envl_mode mode;
    struct envl_bytes kid;
    struct envl_bytes wrapped; /* mode wrapped                               */
    struct envl_bytes payload; /* all of it, or by parse_head its first part */
    size_t payload_len;        /* all of it                                  */
    uint8_t kid_text[ENVL_KID_MAX]; /* private: a kid written with escapes   */
};

/**
 * parse_whole(envelope, work, out, err):
 * Take ${envelope} apart.  Base64url is decoded into ${work}, which needs
 * envelope.len bytes (ENVL_E_LIMIT) unless the encoding is binary; it must
 * not overlap the envelope.  Fails with ENVL_E_NOTENV, ENVL_E_VERSION,
 * ENVL_E_FORMAT, ENVL_E_NOMEM (an object with escapes in a large payload).
 */
enum envl_status parse_whole(struct envl_bytes envelope,
                             struct envl_span work, struct parsed *out,
                             struct envl_error *err);

/* Enough for the longest header, salt and commitment. */
#define PARSE_HEAD_ROOM (3u * 1400u)

/**
 * parse_head(envelope, room, out, err):
 * The same checks, but only what precedes the chunks is kept: payload.len is
 * PAYLOAD_HEAD_LEN at least.  For who needs no plaintext.
 */
enum envl_status parse_head(struct envl_bytes envelope,
                            uint8_t room[PARSE_HEAD_ROOM], struct parsed *out,
                            struct envl_error *err);

#endif /* ENVELOPE_PARSE_H */
