/*
 * value.h - is a value what its type says, and does it begin like an
 * envelope already?
 */
#ifndef ENVELOPE_VALUE_H
#define ENVELOPE_VALUE_H

#include <envelope/envelope.h>

#define VALUE_STREAM_HEAD 16384u /* what a stream tests for nesting */

/**
 * value_check(value, type, err):
 * Fails with ENVL_E_USAGE if the bytes are not text, JSON or BSON as the type
 * says (spec: ENV-9.2 to ENV-9.4), or with ENVL_E_NOMEM.
 */
enum envl_status value_check(struct envl_bytes value, enum envl_type type,
                             struct envl_error *err);

/**
 * value_check_nesting(value, type, err):
 * Fails with ENVL_E_POLICY if a checked value, or what it holds, begins like
 * an envelope (spec: ENV-9.6), or with ENVL_E_NOMEM.  The value may be the
 * first part of a longer one.
 */
enum envl_status value_check_nesting(struct envl_bytes value,
                                     enum envl_type type,
                                     struct envl_error *err);

#endif /* ENVELOPE_VALUE_H */
