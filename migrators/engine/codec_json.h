/*
 * codec_json.h - a JSON string written as another writer wrote it (codec.c's
 * own): which characters a writer escapes differs from library to library.
 */
#ifndef ENGINE_CODEC_JSON_H
#define ENGINE_CODEC_JSON_H

#include "engine/codec.h"

/**
 * codec_json_shape(token, shape):
 * What a checked string token, quotes included, shows of its writer.
 */
void codec_json_shape(struct envl_bytes token, struct codec_shape *shape);

/**
 * codec_json_encode(shape, text, out, err):
 * Append ${text} as a JSON string.  Quotes, backslashes and control
 * characters are escaped as most writers do (\b \f \n \r \t by letter), the
 * rest as ${shape} says.  Fails with ENVL_E_FORMAT if it is not UTF-8.
 */
enum envl_status codec_json_encode(const struct codec_shape *shape,
                                   struct envl_bytes text,
                                   struct envl_buf *out,
                                   struct envl_error *err);

#endif /* ENGINE_CODEC_JSON_H */
