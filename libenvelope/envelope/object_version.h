/*
 * object_version.h - the version of an envelope in object encoding.
 */
#ifndef ENVELOPE_OBJECT_VERSION_H
#define ENVELOPE_OBJECT_VERSION_H

#include "envelope/object_scan.h"

/**
 * object_version(text, scan):
 * For a text that begins and is all here: ENVL_OK for version 1,
 * ENVL_E_VERSION, or ENVL_E_FORMAT (spec: ENV-8.7, ENV-8.3, ENV-7.7).  Which
 * numbers equal 1 is decided on their decimal digits.
 */
enum envl_status object_version(struct envl_bytes text,
                                const struct object_scan *scan);

#endif /* ENVELOPE_OBJECT_VERSION_H */
