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

/**
 * value_options_check_mode(options, ring, err):
 * Refuse a --mode that the key named by --kid does not have, which would
 * otherwise be lost without a word.  Fails with ENVL_E_USAGE; a key that is
 * not there is left to the sealing, which says so.
 */
enum envl_status value_options_check_mode(const struct options *options,
                                          struct envl_keyring *ring,
                                          struct envl_error *err);

#endif /* CLI_VALUE_OPTIONS_H */
