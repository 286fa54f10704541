/*
 * value_options.h - how a value is sealed, as the options say.
 */
#ifndef CLI_VALUE_OPTIONS_H
#define CLI_VALUE_OPTIONS_H

#include <envelope/envelope.h>

#include "options.h"

/* A value of up to this many bytes is sealed whole; more is a stream. */
#define VALUE_MAX (1024u * 1024u)

/* The object encoding is one JSON text: values of up to this many bytes. */
#define OBJECT_VALUE_MAX (64u * 1024u * 1024u)

/* And what such an envelope can take at most. */
#define OBJECT_ENVELOPE_MAX (OBJECT_VALUE_MAX / 3u * 4u + 1024u * 1024u)

/**
 * value_options_read(options, out, typed, err):
 * Fill ${out} from --encoding, --kid, --scope, --mode, --type, --pad and
 * --allow-nested; ${typed} says whether a type was given.  Fails with
 * ENVL_E_USAGE.
 */
enum envl_status value_options_read(const struct options *options,
                                    struct envl_seal_options *out,
                                    bool *typed, struct envl_error *err);

/**
 * value_options_type_name(type):
 * "bytes", "text", "json" or "bson".
 */
const char *value_options_type_name(enum envl_type type);

#endif /* CLI_VALUE_OPTIONS_H */
