/*
 * frame.h - the plaintext with its type byte and padding (spec ENV, 6).
 */
#ifndef ENVELOPE_FRAME_H
#define ENVELOPE_FRAME_H

#include <stdbool.h>

#include <envelope/envelope.h>

#define FRAME_PAD_MAX  4096u
#define FRAME_ZEROS_MAX (FRAME_PAD_MAX - 1)

/* What a frame's first byte says. */
struct frame_head {
    enum envl_type type;
    bool padded;
};

/**
 * frame_block(pad, value_len):
 * The pad block for ENVL_PAD_DEFAULT, ENVL_PAD_NONE or 2..4096 and a value of
 * ${value_len} bytes; 0 means no padding.
 */
size_t frame_block(int pad, size_t value_len);

/**
 * frame_len(value_len, block):
 * Length of the frame of a value; SIZE_MAX if it cannot be addressed.
 */
size_t frame_len(size_t value_len, size_t block);

/**
 * frame_first(type, block):
 * The first byte.
 */
uint8_t frame_first(enum envl_type type, size_t block);

/**
 * frame_read_first(first, out, err):
 * Read it back.  Fails with ENVL_E_FORMAT (spec: ENV-6.1, ENV-6.2).
 */
enum envl_status frame_read_first(uint8_t first, struct frame_head *out,
                                  struct envl_error *err);

/**
 * frame_unpad(padded, len, err):
 * Take the padding off: ${padded} is what follows the first byte of a padded
 * frame, and ${len} becomes the value's length.  Fails with ENVL_E_FORMAT
 * (spec: ENV-6.4).
 */
enum envl_status frame_unpad(struct envl_bytes padded, size_t *len,
                             struct envl_error *err);

#endif /* ENVELOPE_FRAME_H */
