/*
 * layout.h - where things lie in an envelope that is being written, in any
 * of the three encodings (spec ENV, sections 3 and 7).
 *
 * The raw payload is written into the output itself, at the end of the room
 * that its base64url will take, and encoded from there: no second buffer.
 */
#ifndef ENVELOPE_LAYOUT_H
#define ENVELOPE_LAYOUT_H

#include <envelope/envelope.h>

#define LAYOUT_WRAPPED_MAX 4096u

/* Everything but the payload's bytes.  Borrowed. */
struct layout {
    enum envl_encoding encoding;
    enum envl_mode mode;
    struct envl_bytes kid;
    struct envl_bytes wrapped; /* mode wrapped only */
    size_t payload_len;
};

/**
 * layout_len(layout):
 * Length of the whole envelope; SIZE_MAX if it cannot be addressed.
 */
size_t layout_len(const struct layout *layout);

/**
 * layout_payload_at(layout):
 * Offset at which the raw payload is to be written before layout_write.
 */
size_t layout_payload_at(const struct layout *layout);

/**
 * layout_write(layout, out):
 * Write all the rest to ${out} (layout_len bytes), and encode the payload.
 */
void layout_write(const struct layout *layout, uint8_t *out);

/**
 * layout_header(layout, out):
 * Write what comes before the payload in binary (at most LAYOUT_HEADER_MAX
 * bytes), or before the base64url in text, and return its length.
 */
#define LAYOUT_HEADER_MAX (8u + ENVL_KID_MAX + LAYOUT_WRAPPED_MAX)
size_t layout_header(const struct layout *layout, uint8_t *out);

/**
 * layout_body_head(layout, out):
 * Text encoding: write what precedes the payload inside the base64url (mode,
 * length, wrapped key: at most 3 + LAYOUT_WRAPPED_MAX bytes) and return its
 * length.
 */
size_t layout_body_head(const struct layout *layout, uint8_t *out);

#endif /* ENVELOPE_LAYOUT_H */
