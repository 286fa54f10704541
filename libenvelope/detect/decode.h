/*
 * decode.h - base64 as people paste it, for a look inside.
 */
#ifndef DETECT_DECODE_H
#define DETECT_DECODE_H

#include <stdbool.h>

#include <envelope/bytes.h>

/**
 * decode_base64(text, out):
 * Decode ${text} (either alphabet of RFC 4648, padded or not) to ${out}.
 * False if it is not that, or decodes to what no person would write: bytes
 * below space other than tab, LF and CR, or invalid UTF-8.
 */
bool decode_base64(struct envl_bytes text, struct envl_buf *out);

#endif /* DETECT_DECODE_H */
