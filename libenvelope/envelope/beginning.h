/*
 * beginning.h - what decides between an envelope and plaintext.
 */
#ifndef ENVELOPE_BEGINNING_H
#define ENVELOPE_BEGINNING_H

#include <envelope/envelope.h>

#include "envelope/object_scan.h"

/* What was found. */
struct beginning {
    enum envl_encoding encoding;
    size_t at;               /* text: offset after the first ':' */
    struct object_scan scan; /* object                           */
};

/**
 * beginning_find(bytes, out):
 * ENVL_E_NOTENV if ${bytes} have none of the beginnings of spec ENV-8.2 (the
 * only answer that may mean plaintext); else ${out} is set, and the answer is
 * ENVL_E_VERSION, ENVL_E_FORMAT, or ENVL_OK: version 1, to be parsed.
 */
enum envl_status beginning_find(struct envl_bytes bytes,
                                struct beginning *out);

/**
 * beginning_fail(status, err):
 * The message for an answer that is not ENVL_OK; returns ${status}.
 */
enum envl_status beginning_fail(enum envl_status status,
                                struct envl_error *err);

#endif /* ENVELOPE_BEGINNING_H */
